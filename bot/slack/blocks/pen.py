"""The pen: draws a reply part after part."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from bot.model import Card, Choice, Choices, Credit, Facts, Heading, Item, Items, Link, Part, Remark, Reply, Table, Text
from bot.slack import limits
from bot.slack.blocks.lengths import rich
from bot.slack.blocks.objects import (
    MARKS,
    aside,
    button,
    card_block,
    escape,
    is_url,
    plain_text,
    rows,
    tidy,
    title,
)
from bot.slack.blocks.rich import (
    criterion,
    fact_lines,
    item_line,
    leaf_of,
    link_to,
    listed,
    paragraphs,
    remark,
    section,
)
from bot.slack.limits import Block, cut, size
from bot.slack.words import default_words

Layout = Literal["classic", "cards"]

MOST_BUTTONS = 5
"""Buttons that ask, beside those on cards: as many as a phone shows together. Items that are more go into one menu."""
CELL = 500
"""Characters in a table's cell; more is read better elsewhere."""


def draw(reply: Reply, layout: Layout = "classic", words: Mapping[str, str] | None = None) -> list[Block]:
    """The blocks of `reply`, within every limit; never empty for a reply that says something."""
    pen = _Pen(words or default_words(), layout == "cards", reply)
    blocks = [block for part in reply.parts for block in pen.part(part)] + pen.rest()
    return blocks[: limits.BLOCKS["message"]]


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
                return paragraphs(text)
            case Card():
                return self.native(part) if self.cards else self.classic(part)
            case Facts():
                return rich(fact_lines(part))
            case Items():
                return self.small(part) if self.carousel else self.items(part)
            case Table():
                return self.table(part)
            case Choices():
                return self.choices(part)
            case Remark():
                return rich([remark(part, self.words)])
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
        more = {"url": tidy(link.url), "accessibility_label": cut(f"{link.label}: {title}", limits.BUTTON_LABEL)}
        return button(label, f"link:{self.linked}", more)

    def native(self, card: Card) -> Iterable[Block]:
        """Docs, compare and the first related question on the card; what doesn't fit follows."""
        links = [link for link in card.links if is_url(link.url)]
        buttons = [self.linking(link, card.title) for link in links[:1]]
        self.links = links[1:]
        buttons += [self.asking(choice) for choice in card.choices[: limits.CARD_ACTIONS - len(buttons)]]
        for choice in self.fresh(self.offers)[: limits.CARD_ACTIONS - len(buttons)]:
            buttons.append(self.asking(Choice(f"{self.words['related_button']}: {choice.label}", choice.ask)))
        beyond = paragraphs(card.summary) if size(card.summary.strip()) > limits.CARD_BODY else []
        more = [self.asking(choice) for choice in self.fresh(card.choices)[:MOST_BUTTONS]]
        return [card_block(card.title, card.subtitle, card.summary, buttons), *beyond, *rows(more)]

    def classic(self, card: Card) -> Iterable[Block]:
        links = [self.linking(link, card.title) for link in card.links if is_url(link.url)]
        asks = [self.asking(choice) for choice in card.choices[:MOST_BUTTONS]]
        return [*_titled(card.title), *_aside(card.subtitle), *paragraphs(card.summary), *rows(links + asks)]

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
        return card_block(title, subtitle, item.text, buttons)

    def items(self, part: Items) -> Iterable[Block]:
        heading = [section(leaf_of(part.heading, bold=True))] if part.heading.strip() else []
        style = "ordered" if part.numbered else "bullet"
        drawn = [*rich([*heading, *listed([item_line(item) for item in _told(part)], style)])]
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
        return [block for row in part.rows for block in criterion(part.columns, row)]


def _titled(text: str) -> list[Block]:
    return [title(text)] if text.strip() else []


def _aside(text: str) -> list[Block]:
    return [aside(text)] if text.strip() else []


def _told(part: Items) -> list[Item]:
    return [item for item in part.items if item.title.strip()]


def _distinct(choices: Iterable[Choice]) -> list[Choice]:
    found: dict[str, Choice] = {}
    for choice in choices:
        if choice.ask.strip():
            found.setdefault(choice.ask, choice)
    return list(found.values())


def _credits(credits: Sequence[Credit]) -> list[Block]:
    blocks, small = list[Block](), list[Block]()
    for credit in credits:
        label = escape(cut(credit.text.strip(), limits.HEADER * 2).replace("|", "/"))
        linked = f"<{tidy(credit.url)}|{label}>"
        if not is_url(credit.url):
            small.append(plain_text(credit.text, limits.CONTEXT))
        elif MARKS.search(credit.text) or size(linked) > limits.CONTEXT:
            blocks += rich([section(link_to(credit.url, credit.text))])
        else:
            small.append({"type": "mrkdwn", "text": linked, "verbatim": True})
    return blocks + ([{"type": "context", "elements": small[: limits.CONTEXT_ELEMENTS]}] if small else [])
