"""Renders a Reply as blocks, part by part."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from bot.markdown import Block as Node
from bot.model import (
    Attribution,
    Card,
    Choice,
    Choices,
    Code,
    DatedNote,
    Facts,
    Formatted,
    Heading,
    Item,
    Items,
    Link,
    Part,
    Reply,
    ShowRest,
    Table,
    Text,
)
from bot.slack.blocks import limits
from bot.slack.blocks.elements import (
    MARKUP,
    actions_blocks,
    button,
    card_block,
    context_block,
    escape,
    header_block,
    is_url,
    plain_text_object,
    quote_url,
)
from bot.slack.blocks.limits import Block, cut, size
from bot.slack.blocks.markdown import code_blocks, markdown_blocks, note_blocks
from bot.slack.blocks.rich_text import (
    fact_blocks,
    item_section,
    line_block,
    link_element,
    paragraph_blocks,
    rich_text_blocks,
    rich_text_list,
    rich_text_section,
    table_row_blocks,
    text_element,
)
from bot.slack.strings import default_strings

Layout = Literal["classic", "cards", "links"]
"""How a reply is drawn. "cards": in Slack's native card, carousel and table, which messages take. "classic": for every surface.
"links": as "classic", with links in place of pictures, because one that Slack can't fetch refuses the whole message."""

MAX_BUTTONS = 5
"""Buttons that ask a question, those on cards apart: as many as a phone shows together. More items go into a menu."""
CELL = 500
"""UTF-16 units in a table's cell; more is better read elsewhere."""


def render_blocks(reply: Reply, layout: Layout = "classic", strings: Mapping[str, str] | None = None) -> list[Block]:
    """The blocks of `reply`, within Slack's limits; never empty for a reply that has text.

    Args:
        layout: see `Layout`.
        strings: the strings of Slack's surfaces; None for the shipped ones.
    """
    renderer = ReplyRenderer(reply, layout, strings or default_strings())
    blocks = [block for part in reply.parts for block in renderer.render(part)]
    return [*blocks, *renderer.attribution_blocks()][: limits.BLOCKS["message"]]


class ReplyRenderer:
    """Renders the parts of one reply in their order.

    Keeps the action_ids' numbers, the questions that already have a button, so that none has two, and the links that are
    still to be shown.
    """

    def __init__(self, reply: Reply, layout: Layout, strings: Mapping[str, str]) -> None:
        self.reference, self.strings = reply.reference, strings
        self.native, self.has_images = layout == "cards", layout != "links"
        self.lists = [part for part in reply.parts if isinstance(part, Items)]
        self.choices = [choice for part in reply.parts if isinstance(part, Choices) for choice in part.choices]
        self.has_carousel = self.native and reply.kind in ("list", "recommend") and self._fits_carousel()
        self.has_table = False
        self.ask_count = self.link_count = 0
        self.questions_with_button: set[str] = set()
        self.waiting_links: tuple[Link, ...] = ()

    def _fits_carousel(self) -> bool:
        return 1 <= sum(len(_titled_items(part)) for part in self.lists) <= limits.CAROUSEL

    def render(self, part: Part) -> Sequence[Block]:
        """The blocks of one part."""
        match part:
            case Heading(text):
                return _header_blocks(text)
            case Text(text):
                return paragraph_blocks(text)
            case Formatted(nodes):
                return self._markdown_blocks(nodes)
            case ShowRest(label):
                return self._show_rest_blocks(label)
            case Card():
                return self._native_card_blocks(part) if self.native else self._classic_card_blocks(part)
            case Facts():
                return fact_blocks(part)
            case Code():
                return code_blocks(part)
            case Items():
                return self._carousel_blocks(part) if self.has_carousel else self._list_blocks(part)
            case Table():
                return self._table_blocks(part)
            case Choices():
                return [*self.attribution_blocks(), *self._choice_blocks(part)]
            case DatedNote():
                return note_blocks(part, self.strings)
            case Attribution():
                return self.attribution_blocks(part)

    def attribution_blocks(self, *attributions: Attribution) -> list[Block]:
        """The waiting links, and where the answer comes from, in one row of small text."""
        links = [Attribution(link.label, link.url) for link in self.waiting_links if is_url(link.url)]
        self.waiting_links = ()
        return _attribution_links([each for each in (*links, *attributions) if each.text.strip()])

    # --- buttons

    def _ask_button(self, choice: Choice, accessibility_label: str = "") -> Block:
        """A button that asks a question; its value is the question."""
        self.ask_count += 1
        self.questions_with_button.add(choice.ask)
        extra = {"value": cut(choice.ask, limits.BUTTON_VALUE)}
        if accessibility_label:
            extra["accessibility_label"] = cut(accessibility_label, limits.BUTTON_LABEL)
        return button(choice.label, f"ask:{self.ask_count}", extra)

    def _without_button(self, choices: Iterable[Choice]) -> list[Choice]:
        """The choices whose question has no button yet, each question once."""
        first_choices: dict[str, Choice] = {}
        for choice in choices:
            if choice.ask not in self.questions_with_button and choice.ask.strip():
                first_choices.setdefault(choice.ask, choice)
        return list(first_choices.values())

    # --- cards

    def _native_card_blocks(self, card: Card) -> list[Block]:
        """A card with buttons for the questions about it; a summary that is too long for a card follows below it."""
        self.waiting_links += card.links
        buttons = [self._ask_button(choice) for choice in self._without_button(card.choices)[: limits.CARD_ACTIONS]]
        fits = size(card.summary.strip()) <= limits.CARD_BODY
        return [
            card_block(card.title, card.subtitle, card.summary if fits else "", buttons),
            *([] if fits else paragraph_blocks(card.summary)),
            *self._card_choice_blocks(card),
        ]

    def _classic_card_blocks(self, card: Card) -> list[Block]:
        self.waiting_links += card.links
        return [
            *_header_blocks(card.title),
            *_context_blocks(card.subtitle),
            *paragraph_blocks(card.summary),
            *self._card_choice_blocks(card),
        ]

    def _card_choice_blocks(self, card: Card) -> list[Block]:
        """Buttons for the questions about a card that have none yet, and get none below the answer."""
        offered = {choice.ask for choice in self.choices}
        choices = [choice for choice in self._without_button(card.choices) if choice.ask not in offered]
        return actions_blocks([self._ask_button(choice) for choice in choices[:MAX_BUTTONS]])

    def _choice_blocks(self, part: Choices) -> list[Block]:
        """Buttons for the choices that have none yet."""
        buttons = [self._ask_button(choice) for choice in self._without_button(part.choices)[:MAX_BUTTONS]]
        return [*_context_blocks(part.heading), *actions_blocks(buttons)] if buttons else []

    # --- lists

    def _carousel_blocks(self, part: Items) -> list[Block]:
        """All lists of the reply as one carousel, in place of the first one; a single item is a card."""
        if part is not self.lists[0]:
            return []
        cards = [
            self._item_card(item, number, items)
            for items in self.lists
            for number, item in enumerate(_titled_items(items), 1)
        ]
        return cards if len(cards) == 1 else [{"type": "carousel", "elements": cards}]

    def _item_card(self, item: Item, number: int, part: Items) -> Block:
        """An item as a card. Its list's heading is added to the subtitle, unless the subtitle contains it."""
        title = f"{number}. {item.title}" if part.numbered else item.title
        heading = "" if part.heading.casefold() in item.subtitle.casefold() else part.heading
        subtitle = " · ".join(text for text in (item.subtitle, heading) if text.strip())
        label = self.strings["open_item"]
        buttons = [self._ask_button(Choice(label, item.ask), f"{label} {item.title}")] if item.ask.strip() else []
        return card_block(title, subtitle, item.text, buttons)

    def _list_blocks(self, part: Items) -> list[Block]:
        """A list; below the last one, the buttons or the menu that open the items of all lists."""
        heading = [rich_text_section(text_element(part.heading, bold=True))] if part.heading.strip() else []
        items = [item_section(item) for item in _titled_items(part)]
        blocks = rich_text_blocks([*heading, *rich_text_list(items, "ordered" if part.numbered else "bullet")])
        return [*blocks, *self._open_item_blocks()] if part is self.lists[-1] else blocks

    def _open_item_blocks(self) -> list[Block]:
        """What opens the items of all lists: a few buttons, or one menu."""
        items = [item for part in self.lists for item in _titled_items(part)]
        offered = {choice.ask for choice in self.choices}
        choices = self._without_button(Choice(item.title, item.ask) for item in items if item.ask not in offered)
        if len(choices) + len(offered) <= MAX_BUTTONS:
            return actions_blocks([self._ask_button(choice) for choice in choices])
        options = [
            {"text": plain_text_object(choice.label, limits.OPTION_LABEL), "value": choice.ask}
            for choice in choices
            if size(choice.ask) <= limits.OPTION_VALUE
        ][: limits.OPTIONS]
        if not options:
            return []
        self.ask_count += 1
        placeholder = plain_text_object(self.strings["open_one"], limits.PLACEHOLDER)
        menu = {"type": "static_select", "action_id": f"ask:{self.ask_count}", "placeholder": placeholder}
        return actions_blocks([menu | {"options": options}])

    # --- answers in Markdown

    def _markdown_blocks(self, nodes: Sequence[Node]) -> list[Block]:
        may_have_table = self.native and not self.has_table
        blocks = markdown_blocks(nodes, tables=int(may_have_table), images=self.has_images)
        self.has_table = self.has_table or any(block["type"] == "table" for block in blocks)
        return blocks

    def _show_rest_blocks(self, label: str) -> list[Block]:
        """The button that sends the further parts of a long answer; its value is the reply's reference."""
        if not self.reference:
            return []
        return actions_blocks([button(label, "rest", {"value": self.reference})])

    # --- tables

    def _table_blocks(self, part: Table) -> list[Block]:
        """A native table, once a message and where it fits; otherwise a list for each row."""
        if self.native and not self.has_table and (rows := self._table_rows(part)):
            self.has_table = True
            return [{"type": "table", "rows": rows, "column_settings": [{"is_wrapped": True} for _ in part.columns]}]
        return [block for row in part.rows for block in table_row_blocks(part.columns, row)]

    def _table_rows(self, part: Table) -> list[list[Block]]:
        """The cells of a native table, its header first; empty if the table is too large for one."""
        first_column, *names = part.columns  # its title is the cell in the corner, above the labels of the rows
        rows = [(first_column or self.strings["corner"], *names), *part.rows]
        if len(rows) > limits.TABLE_ROWS or len(part.columns) > limits.TABLE_COLUMNS:
            return []
        cells = [[{"type": "raw_text", "text": cut(text.strip(), CELL) or "–"} for text in row] for row in rows]
        characters = sum(size(cell["text"]) for row in cells for cell in row)
        return cells if characters <= limits.TABLE_CHARACTERS else []


def _header_blocks(text: str) -> list[Block]:
    return [header_block(text)] if text.strip() else []


def _context_blocks(text: str) -> list[Block]:
    return [context_block(text)] if text.strip() else []


def _titled_items(part: Items) -> list[Item]:
    return [item for item in part.items if item.title.strip()]


def _attribution_links(attributions: Sequence[Attribution]) -> list[Block]:
    """Attributions as links in one context block; one that mrkdwn can't hold becomes a rich_text block above it."""
    blocks, elements = list[Block](), list[Block]()
    for attribution in attributions:
        if not is_url(attribution.url):
            elements.append(plain_text_object(attribution.text, limits.CONTEXT))
            continue
        label = escape(cut(attribution.text.strip(), limits.HEADER * 2).replace("|", "/"))
        link = f"<{quote_url(attribution.url)}|{label}>"
        if MARKUP.search(attribution.text) or size(link) > limits.CONTEXT:
            blocks.append(line_block([link_element(attribution.url, attribution.text)]))
        else:
            elements.append({"type": "mrkdwn", "text": link, "verbatim": True})
    if elements:
        blocks.append({"type": "context", "elements": elements[: limits.CONTEXT_ELEMENTS]})
    return blocks
