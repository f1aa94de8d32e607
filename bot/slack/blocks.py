"""A Reply as Block Kit.

"classic" is made of header, rich_text, context and actions, which every surface takes. "cards" uses Slack's native
card, carousel and table, for posted messages only. Text goes into plain_text and rich_text, where nothing is parsed,
so that no word of a person or a pack can ping, link or format; mrkdwn is left for labels that hold no mark.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

from bot.model import Card, Choice, Choices, Credit, Facts, Heading, Item, Items, Link, Part, Remark, Reply, Table, Text
from bot.slack import limits
from bot.slack.limits import Block, cut, size
from bot.slack.words import default_words

Layout = Literal["classic", "cards"]

MOST_BUTTONS = 5
"""Items whose openers stand as buttons side by side; more of them go into one menu."""
CAROUSEL_FROM = 2
"""A single card doesn't need a carousel."""

CELL = 500
"""Characters in a table's cell; more is read better elsewhere."""

_MARKS = re.compile(r"[*_~`]|^\s*>|:[a-z0-9_+'-]+:", re.MULTILINE)
_URL = re.compile(r"https?://\S+")
_SAFE_IN_URL = ":/?#[]@!$&'()*+,;=%~"


def draw(reply: Reply, layout: Layout = "classic", words: Mapping[str, str] | None = None) -> list[Block]:
    """The blocks of `reply`, within every limit; never empty for a reply that says something."""
    lists = [part for part in reply.parts if isinstance(part, Items)]
    pen = _Pen(words or default_words(), layout == "cards", several=len(lists) > 1)
    blocks: list[Block] = []
    for part in reply.parts:
        blocks += pen.part(part)
        if pen.several and part is lists[-1]:
            blocks += pen.openers([item for each in lists for item in each.items])
    return blocks[: limits.BLOCKS["message"]]


def sharing(question: str, words: Mapping[str, str]) -> Block:
    """The row with the button that shares a private answer; its value is the question."""
    button = _button(words["share"], "share", {"value": question[: limits.BUTTON_VALUE // 2] or " "})
    return {"type": "actions", "elements": [button]}


def attribution(user: str, words: Mapping[str, str]) -> Block:
    """Who shared it. The person is an id in an element of its own, never words."""
    elements = [_leaf(words["shared_by"] + " "), {"type": "user", "user_id": user}]
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": elements}]}


def aside(text: str) -> Block:
    """A small grey line."""
    return {"type": "context", "elements": [_plain(text, limits.CONTEXT)]}


def title(text: str) -> Block:
    """A header on its own."""
    return {"type": "header", "text": _plain(text, limits.HEADER)}


def _titled(text: str) -> list[Block]:
    return [title(text)] if text.strip() else []


def _aside(text: str) -> list[Block]:
    return [aside(text)] if text.strip() else []


def prose(text: str) -> list[Block]:
    """Paragraphs and bullets on their own."""
    return list(_prose(text))


# --- the pen


@dataclass(slots=True)
class _Pen:
    """Draws part after part, and counts what has to be unique in a message."""

    words: Mapping[str, str]
    cards: bool
    several: bool
    asked: int = 0
    linked: int = 0
    tabled: bool = False

    def part(self, part: Part) -> Iterable[Block]:
        match part:
            case Heading(text):
                return _titled(text)
            case Text(text):
                return _prose(text)
            case Card():
                return self.card(part)
            case Facts():
                return _rich(_facts(part))
            case Items():
                return self.items(part)
            case Table():
                return self.table(part)
            case Choices(heading, choices):
                return [*_aside(heading), *_rows([self.asking(choice) for choice in choices])]
            case Remark():
                return _rich([_quote(part, self.words)])
            case Credit():
                return _credit(part)

    def asking(self, choice: Choice, accessible: str = "") -> Block:
        """A button that asks; its value is the question."""
        self.asked += 1
        more = {"value": cut(choice.ask, limits.BUTTON_VALUE)}
        if accessible:
            more["accessibility_label"] = cut(accessible, limits.BUTTON_LABEL)
        return _button(choice.label, f"ask:{self.asked}", more)

    def linking(self, link: Link) -> Block:
        """A button that opens a page."""
        self.linked += 1
        return _button(link.label, f"link:{self.linked}", {"url": _tidy(link.url)})

    def card(self, card: Card) -> Iterable[Block]:
        links = [self.linking(link) for link in card.links if _is_url(link.url)]
        asks = [self.asking(choice) for choice in card.choices]
        if self.cards:
            buttons = links[:1] + asks + links[1:]
            shown, rest = buttons[: limits.CARD_ACTIONS], buttons[limits.CARD_ACTIONS :]
            return [_native(card.title, card.subtitle, card.summary, shown), *_rows(rest)]
        return [*_titled(card.title), *_aside(card.subtitle), *_prose(card.summary), *_rows(links + asks)]

    def items(self, part: Items) -> Iterable[Block]:
        listed = [item for item in part.items if item.title.strip()]
        heading = [_section(_leaf(part.heading, bold=True))] if part.heading.strip() else []
        few = CAROUSEL_FROM <= len(listed) <= limits.CAROUSEL
        if self.cards and few and not part.numbered and not self.several:
            return [*_rich(heading), {"type": "carousel", "elements": [self.small(item) for item in listed]}]
        style = "ordered" if part.numbered else "bullet"
        drawn = _rich([*heading, *_list([_item(item) for item in listed], style)])
        return drawn if self.several else [*drawn, *self.openers(listed)]

    def small(self, item: Item) -> Block:
        """An item as a card of a carousel."""
        opener = Choice(self.words["open_item"], item.ask)
        buttons = [self.asking(opener, f"{self.words['open_item']} {item.title}")] if item.ask else []
        return _native(item.title, item.subtitle, item.text, buttons)

    def openers(self, items: Sequence[Item]) -> Iterable[Block]:
        """What opens the items: a few buttons, or a menu."""
        choices = list({item.ask: Choice(item.title, item.ask) for item in items if item.ask.strip()}.values())
        if len(choices) <= MOST_BUTTONS:
            return _rows([self.asking(choice) for choice in choices])
        options = [
            {"text": _plain(choice.label, limits.OPTION_LABEL), "value": choice.ask}
            for choice in choices
            if size(choice.ask) <= limits.OPTION_VALUE
        ]
        if not options:
            return []
        self.asked += 1
        placeholder = _plain(self.words["open_one"], limits.PLACEHOLDER)
        menu = {"type": "static_select", "action_id": f"ask:{self.asked}", "placeholder": placeholder}
        return _rows([menu | {"options": options[: limits.OPTIONS]}])

    def table(self, part: Table) -> Iterable[Block]:
        """Natively once a message, where it fits; otherwise row by row."""
        rows = [part.columns, *part.rows]
        cells = [[{"type": "raw_text", "text": cut(cell.strip(), CELL) or "–"} for cell in row] for row in rows]
        total = sum(size(cell["text"]) for row in cells for cell in row)
        fits = len(rows) <= limits.TABLE_ROWS and len(part.columns) <= limits.TABLE_COLUMNS
        if self.cards and not self.tabled and fits and total <= limits.TABLE_CHARACTERS:
            self.tabled = True
            return [{"type": "table", "rows": cells, "column_settings": [{"is_wrapped": True} for _ in part.columns]}]
        return [block for row in part.rows for block in _row(part.columns, row)]


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


def _plain(text: str, most: int) -> Block:
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


def _button(label: str, action_id: str, more: Mapping[str, str]) -> Block:
    return {"type": "button", "action_id": action_id, "text": _plain(label, limits.BUTTON_LABEL), **more}


def _rows(buttons: Sequence[Block]) -> Iterator[Block]:
    for start in range(0, len(buttons), limits.ACTIONS):
        yield {"type": "actions", "elements": list(buttons[start : start + limits.ACTIONS])}


def _native(heading: str, subtitle: str, body: str, buttons: Sequence[Block]) -> Block:
    card: dict[str, Any] = {"type": "card", "title": _words(heading, limits.CARD_TITLE)}
    if subtitle.strip():
        card["subtitle"] = _words(subtitle, limits.CARD_TITLE)
    if body.strip():
        card["body"] = _words(body, limits.CARD_BODY)
    return card | ({"actions": list(buttons)} if buttons else {})


def _credit(part: Credit) -> Iterable[Block]:
    if not part.text.strip():
        return []
    if not _is_url(part.url):
        return [aside(part.text)]
    label = escape(cut(part.text.strip(), limits.HEADER * 2).replace("|", "/"))
    linked = f"<{_tidy(part.url)}|{label}>"
    if _MARKS.search(part.text) or size(linked) > limits.CONTEXT:
        return list(_rich([_section(_link(part.url, part.text))]))
    return [{"type": "context", "elements": [{"type": "mrkdwn", "text": linked, "verbatim": True}]}]


def _is_url(url: str) -> bool:
    return bool(_URL.fullmatch(url)) and size(_tidy(url)) <= limits.URL


def _tidy(url: str) -> str:
    """A URL in which nothing can end Slack's link notation."""
    return quote(url, safe=_SAFE_IN_URL)
