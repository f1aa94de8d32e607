"""A Reply as Block Kit.

"classic" is made of header, rich_text, context and actions, which every surface takes. "cards" uses Slack's native
card, carousel and table, for posted messages only. Text goes into plain_text and rich_text, where nothing is parsed,
so that no word of a person or a pack can ping, link or format; mrkdwn is left for labels that hold no mark.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal
from urllib.parse import quote

from bot.model import Card, Choice, Choices, Credit, Facts, Heading, Item, Items, Link, Part, Remark, Reply, Table, Text
from bot.slack import limits
from bot.slack.limits import Block, cut, size
from bot.slack.words import default_words

Layout = Literal["classic", "cards"]

MOST_BUTTONS = 5
"""Buttons that ask, beside those on cards: as many as a phone shows together. Items that are more go into one menu."""

CELL = 500
"""Characters in a table's cell; more is read better elsewhere."""

LINE = 300
"""Characters beside a button of the Home tab."""

_MARKS = re.compile(r"[*_~`]|^\s*>|:[a-z0-9_+'-]+:", re.MULTILINE)
_URL = re.compile(r"https?://\S+")
_SAFE_IN_URL = ":/?#[]@!$&'()*+,;=%~"


def draw(reply: Reply, layout: Layout = "classic", words: Mapping[str, str] | None = None) -> list[Block]:
    """The blocks of `reply`, within every limit; never empty for a reply that says something."""
    pen = _Pen(words or default_words(), layout == "cards", reply)
    blocks = [block for part in reply.parts for block in pen.part(part)] + pen.rest()
    return blocks[: limits.BLOCKS["message"]]


def attribution(user: str, words: Mapping[str, str]) -> Block:
    """Who shared it. The person is an id in an element of its own, never words."""
    elements = [_leaf(words["shared_by"] + " "), {"type": "user", "user_id": user}]
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": elements}]}


def aside(text: str) -> Block:
    """A small grey line."""
    return {"type": "context", "elements": [plain_text(text, limits.CONTEXT)]}


def title(text: str) -> Block:
    """A header on its own."""
    return {"type": "header", "text": plain_text(text, limits.HEADER)}


def row(heading: str, told: str, accessory: Block) -> Block:
    """A line of a page with its button beside it."""
    told = cut(told, LINE)
    if _MARKS.search(heading + told):
        text: Block = {"type": "plain_text", "text": f"{heading}\n{told}".strip(), "emoji": False}
    else:
        text = {"type": "mrkdwn", "text": f"*{escape(heading)}*\n{escape(told)}".strip(), "verbatim": True}
    return {"type": "section", "text": text, "accessory": accessory}


def _titled(text: str) -> list[Block]:
    return [title(text)] if text.strip() else []


def _aside(text: str) -> list[Block]:
    return [aside(text)] if text.strip() else []


def quoted(text: str) -> Block:
    """A person's own words, where nothing is parsed."""
    return {"type": "rich_text", "elements": [{"type": "rich_text_quote", "elements": [_leaf(text)]}]}


def prose(text: str) -> list[Block]:
    """Paragraphs and bullets on their own."""
    return list(_prose(text))


# --- the pen


class _Pen:
    """Draws part after part, and knows what stands elsewhere in the message, so that no button stands there twice."""

    def __init__(self, words: Mapping[str, str], cards: bool, reply: Reply) -> None:
        self.words, self.cards = words, cards
        self.lists = [part for part in reply.parts if isinstance(part, Items)]
        self.offers = [choice for part in reply.parts if isinstance(part, Choices) for choice in part.choices]
        pickable = reply.kind in ("list", "recommend")
        self.carousel = cards and pickable and 1 <= sum(len(_told(each)) for each in self.lists) <= limits.CAROUSEL
        self.asked = self.linked = 0
        self.stands: set[str] = set()
        self.tabled = False
        self.links: list[Link] = []

    def part(self, part: Part) -> Iterable[Block]:
        match part:
            case Heading(text):
                return _titled(text)
            case Text(text):
                return _prose(text)
            case Card():
                return self.native(part) if self.cards else self.classic(part)
            case Facts():
                return _rich(_facts(part))
            case Items():
                return self.small(part) if self.carousel else self.items(part)
            case Table():
                return self.table(part)
            case Choices():
                return self.choices(part)
            case Remark():
                return _rich([_quote(part, self.words)])
            case Credit():
                return self.sources([part])

    def rest(self) -> list[Block]:
        """The links that have found no place yet."""
        return self.sources([])

    def sources(self, credits: list[Credit]) -> list[Block]:
        """Where the answer comes from, and the links that wait for a place, in one small line."""
        credits += [Credit(link.label, link.url) for link in self.links]
        self.links = []
        return _credits([credit for credit in credits if credit.text.strip()])

    def asking(self, choice: Choice, accessible: str = "") -> Block:
        """A button that asks; its value is the question."""
        self.asked += 1
        self.stands.add(choice.ask)
        more = {"value": cut(choice.ask, limits.BUTTON_VALUE)}
        if accessible:
            more["accessibility_label"] = cut(accessible, limits.BUTTON_LABEL)
        return button(choice.label, f"ask:{self.asked}", more)

    def linking(self, link: Link, title: str) -> Block:
        """A button that opens a page."""
        self.linked += 1
        label = self.words["docs_button"] if link.label == self.words["docs"] else link.label
        more = {"url": _tidy(link.url), "accessibility_label": cut(f"{link.label}: {title}", limits.BUTTON_LABEL)}
        return button(label, f"link:{self.linked}", more)

    def native(self, card: Card) -> Iterable[Block]:
        """Docs, compare and the first related question on the card; what doesn't fit follows."""
        links = [link for link in card.links if _is_url(link.url)]
        buttons = [self.linking(link, card.title) for link in links[:1]]
        self.links = links[1:]
        buttons += [self.asking(choice) for choice in card.choices[: limits.CARD_ACTIONS - len(buttons)]]
        for choice in self.fresh(self.offers)[: limits.CARD_ACTIONS - len(buttons)]:
            buttons.append(self.asking(Choice(f"{self.words['related_button']}: {choice.label}", choice.ask)))
        beyond = _prose(card.summary) if size(card.summary.strip()) > limits.CARD_BODY else []
        more = [self.asking(choice) for choice in self.fresh(card.choices)[:MOST_BUTTONS]]
        return [_card(card.title, card.subtitle, card.summary, buttons), *beyond, *rows(more)]

    def classic(self, card: Card) -> Iterable[Block]:
        links = [self.linking(link, card.title) for link in card.links if _is_url(link.url)]
        asks = [self.asking(choice) for choice in card.choices[:MOST_BUTTONS]]
        return [*_titled(card.title), *_aside(card.subtitle), *_prose(card.summary), *rows(links + asks)]

    def choices(self, part: Choices) -> Iterable[Block]:
        """At most so many; what stands elsewhere already isn't repeated."""
        choices = self.fresh(part.choices)[:MOST_BUTTONS]
        return [*_aside(part.heading), *rows([self.asking(choice) for choice in choices])] if choices else []

    def fresh(self, choices: Sequence[Choice]) -> list[Choice]:
        """Those of the choices that have no button yet."""
        return [choice for choice in _distinct(choices) if choice.ask not in self.stands]

    def small(self, part: Items) -> Iterable[Block]:
        """All lists of the reply as one carousel, in the first one's place; a single item as a card."""
        if part is not self.lists[0]:
            return []
        cards = [self.card_of(item, number, each) for each in self.lists for number, item in enumerate(_told(each), 1)]
        return cards if len(cards) == 1 else [{"type": "carousel", "elements": cards}]

    def card_of(self, item: Item, number: int, part: Items) -> Block:
        """An item as a card; its list's heading, where it says something new, goes into the subtitle."""
        title = f"{number}. {item.title}" if part.numbered else item.title
        known = part.heading.casefold() in item.subtitle.casefold()
        subtitle = " · ".join(text for text in (item.subtitle, "" if known else part.heading) if text.strip())
        opener = Choice(self.words["open_item"], item.ask)
        buttons = [self.asking(opener, f"{self.words['open_item']} {item.title}")] if item.ask.strip() else []
        return _card(title, subtitle, item.text, buttons)

    def items(self, part: Items) -> Iterable[Block]:
        heading = [_section(_leaf(part.heading, bold=True))] if part.heading.strip() else []
        style = "ordered" if part.numbered else "bullet"
        drawn = [*_rich([*heading, *_list([_item(item) for item in _told(part)], style)])]
        return [*drawn, *self.openers()] if part is self.lists[-1] else drawn

    def openers(self) -> Iterable[Block]:
        """What opens the items of all lists: a few buttons, or a menu."""
        items = [item for each in self.lists for item in _told(each) if item.ask.strip()]
        offered = {choice.ask for choice in self.offers}
        choices = [
            each for each in self.fresh([Choice(item.title, item.ask) for item in items]) if each.ask not in offered
        ]
        if len(choices) + len(offered) <= MOST_BUTTONS:
            return rows([self.asking(choice) for choice in choices])
        options = [
            {"text": plain_text(choice.label, limits.OPTION_LABEL), "value": choice.ask}
            for choice in choices
            if size(choice.ask) <= limits.OPTION_VALUE
        ]
        if not options:
            return []
        self.asked += 1
        placeholder = plain_text(self.words["open_one"], limits.PLACEHOLDER)
        menu = {"type": "static_select", "action_id": f"ask:{self.asked}", "placeholder": placeholder}
        return rows([menu | {"options": options[: limits.OPTIONS]}])

    def table(self, part: Table) -> Iterable[Block]:
        """Natively once a message, where it fits; otherwise row by row."""
        corner, *names = part.columns
        rows = [(corner or self.words["corner"], *names), *part.rows]
        cells = [[{"type": "raw_text", "text": cut(cell.strip(), CELL) or "–"} for cell in row] for row in rows]
        total = sum(size(cell["text"]) for row in cells for cell in row)
        fits = len(rows) <= limits.TABLE_ROWS and len(part.columns) <= limits.TABLE_COLUMNS
        if self.cards and not self.tabled and fits and total <= limits.TABLE_CHARACTERS:
            self.tabled = True
            return [{"type": "table", "rows": cells, "column_settings": [{"is_wrapped": True} for _ in part.columns]}]
        return [block for row in part.rows for block in _row(part.columns, row)]


def _told(part: Items) -> list[Item]:
    return [item for item in part.items if item.title.strip()]


def _distinct(choices: Iterable[Choice]) -> list[Choice]:
    found: dict[str, Choice] = {}
    for choice in choices:
        if choice.ask.strip():
            found.setdefault(choice.ask, choice)
    return list(found.values())


# --- rich text: nothing in it is parsed


def _leaf(text: str, bold: bool = False) -> Block:
    return {"type": "text", "text": text} | ({"style": {"bold": True}} if bold else {})


def _link(url: str, label: str) -> Block:
    return {"type": "link", "url": _tidy(url), "text": cut(label, limits.HEADER)}


def _row(columns: Sequence[str], row: Sequence[str]) -> Iterable[Block]:
    """One criterion of a comparison: each value with the name of its column."""
    label, *values = row
    told = [
        _section(_leaf(f"{column}: ", bold=True), _leaf(value.strip() or "–"))
        for column, value in zip(columns[1:], values, strict=True)
    ]
    return _rich([_section(_leaf(label or "–", bold=True)), *_list(told, "bullet")])


def _section(*leaves: Block) -> Block:
    return {"type": "rich_text_section", "elements": list(leaves)}


def _list(sections: list[Block], style: str) -> list[Block]:
    return [{"type": "rich_text_list", "style": style, "elements": sections}] if sections else []


def _prose(text: str) -> Iterator[Block]:
    elements: list[Block] = []
    for line in (line.strip() for line in text.split("\n") if line.strip()):
        bullet = line.startswith("- ")
        leaf = _section(_leaf(line.removeprefix("- ")))
        last = elements[-1] if elements else None
        if bullet and last is not None and last["type"] == "rich_text_list":
            last["elements"].append(leaf)
        elif bullet:
            elements += _list([leaf], "bullet")
        elif last is not None and last["type"] == "rich_text_section":
            last["elements"][-1]["text"] += "\n\n"
            last["elements"] += leaf["elements"]
        else:
            elements.append(leaf)
    yield from _rich(elements)


def _facts(part: Facts) -> list[Block]:
    leaves: list[Block] = []
    for label, value in part.rows:
        if value.strip():
            leaves += [_leaf("\n")] if leaves else []
            leaves.append(_leaf(f"{label}: ", bold=True))
            leaves.append(_link(value, value) if _is_url(value) else _leaf(value.strip()))
    return [_section(*leaves)] if leaves else []


def _item(item: Item) -> Block:
    leaves = [_leaf(item.title, bold=True)]
    leaves += [_leaf(f": {item.text.strip()}")] if item.text.strip() else []
    return _section(*leaves)


def _quote(part: Remark, words: Mapping[str, str]) -> Block:
    note = part.note
    leaves = [_leaf(f"{words['note']}, {note.date}: ", bold=True), _leaf(note.text.strip())]
    if _is_url(note.url):
        leaves += [_leaf(" "), _link(note.url, note.source or words["source"])]
    elif note.source.strip():
        leaves.append(_leaf(f" ({note.source.strip()})"))
    return {"type": "rich_text_quote", "elements": leaves}


def _rich(elements: list[Block]) -> Iterator[Block]:
    """The elements in as many rich_text blocks as their length asks for."""
    room, held = limits.RICH_TEXT, list[Block]()
    for piece in (piece for element in elements for piece in _pieces(element)):
        length = _length(piece)
        if held and length > room:
            yield {"type": "rich_text", "elements": held}
            room, held = limits.RICH_TEXT, []
        held.append(piece)
        room -= length
    if held:
        yield {"type": "rich_text", "elements": held}


def _pieces(element: Block) -> Iterator[Block]:
    """An element that fits is one piece; a longer one is divided between its children, each of them cut to fit."""
    room, held = limits.RICH_TEXT, list[Block]()
    for child in (_shortened(child) for child in element["elements"]):
        length = _length(child)
        if held and length > room:
            yield element | {"elements": held}
            room, held = limits.RICH_TEXT, []
        held.append(child)
        room -= length
    yield element | {"elements": held}


def _shortened(element: Block) -> Block:
    if _length(element) <= limits.RICH_TEXT:
        return element
    if "elements" not in element:
        return element | {"text": cut(element["text"], limits.RICH_TEXT)}
    room, kept = limits.RICH_TEXT, list[Block]()
    for child in element["elements"]:
        if room > 1:
            kept.append(child | {"text": cut(child.get("text", ""), room)})
            room -= _length(kept[-1])
    return element | {"elements": kept}


def _length(element: Block) -> int:
    return size(element.get("text", "")) + sum(_length(child) for child in element.get("elements", []))


# --- objects


def plain_text(text: str, most: int) -> Block:
    """A text object in which nothing is read as a mark; never empty."""
    return {"type": "plain_text", "text": cut(" ".join(text.split()), most) or "–", "emoji": False}


def _words(text: str, most: int) -> Block:
    """A text object for places that prefer mrkdwn: mrkdwn where nothing in it could be read as a mark."""
    kept = cut(text.strip(), most)
    escaped = escape(kept)
    if _MARKS.search(kept) or size(escaped) > most:
        return {"type": "plain_text", "text": kept, "emoji": False}
    return {"type": "mrkdwn", "text": escaped, "verbatim": True}


def escape(text: str) -> str:
    """The three characters that mean something to Slack everywhere."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def button(label: str, action_id: str, more: Mapping[str, str]) -> Block:
    """A button; `more` is its value or address, and its accessibility_label where the label alone is unclear."""
    return {"type": "button", "action_id": action_id, "text": plain_text(label, limits.BUTTON_LABEL), **more}


def rows(buttons: Sequence[Block]) -> Iterator[Block]:
    """As few actions blocks as hold them."""
    for start in range(0, len(buttons), limits.ACTIONS):
        yield {"type": "actions", "elements": list(buttons[start : start + limits.ACTIONS])}


def _card(heading: str, subtitle: str, body: str, buttons: Sequence[Block]) -> Block:
    card: dict[str, Any] = {"type": "card", "title": _words(heading, limits.CARD_TITLE)}
    if subtitle.strip():
        card["subtitle"] = _words(subtitle, limits.CARD_TITLE)
    if body.strip():
        card["body"] = _words(body, limits.CARD_BODY)
    return card | ({"actions": list(buttons)} if buttons else {})


def _credits(credits: Sequence[Credit]) -> list[Block]:
    blocks, small = list[Block](), list[Block]()
    for credit in credits:
        label = escape(cut(credit.text.strip(), limits.HEADER * 2).replace("|", "/"))
        linked = f"<{_tidy(credit.url)}|{label}>"
        if not _is_url(credit.url):
            small.append(plain_text(credit.text, limits.CONTEXT))
        elif _MARKS.search(credit.text) or size(linked) > limits.CONTEXT:
            blocks += _rich([_section(_link(credit.url, credit.text))])
        else:
            small.append({"type": "mrkdwn", "text": linked, "verbatim": True})
    return blocks + ([{"type": "context", "elements": small[: limits.CONTEXT_ELEMENTS]}] if small else [])


def _is_url(url: str) -> bool:
    return bool(_URL.fullmatch(url)) and size(_tidy(url)) <= limits.URL


def _tidy(url: str) -> str:
    """A URL in which nothing can end Slack's link notation."""
    return quote(url, safe=_SAFE_IN_URL)
