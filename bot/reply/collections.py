"""Replies about several cards: compared, listed or recommended."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from bot.model import (
    NEWS,
    Attribute,
    Choice,
    Choices,
    Facts,
    Finding,
    Heading,
    Item,
    Items,
    Knowledge,
    Library,
    Part,
    Table,
    Text,
)
from bot.reply.facts import attribute_parts_of_each, capabilities_row, plain_install
from bot.reply.wording import (
    checked_parts,
    choice_of,
    find_group,
    group_label,
    join_with_and,
    join_with_dots,
    join_with_or,
    libraries,
    source_parts,
    upper_first,
)

MAX_GOOD_FOR_IN_CELL = 2
"""Items of `good_for` in a cell of a comparison, which is a third of a phone wide."""
MAX_ITEMS_WITH_SUMMARY = 10
"""Cards of a list up to which each has its summary; a carousel takes as many."""
MAX_COMPARED_BY_BUTTON = 5
"""Cards that a button offers to compare; a wider table is hard to read."""


def comparison_parts(
    cards: list[Library],
    knowledge: Knowledge,
    today: dt.date,
    attribute: Attribute | None = None,
    *,
    undecided: bool = False,
) -> Iterable[Part]:
    """The parts of a comparison.

    Args:
        cards: The cards, in the order of the columns.
        knowledge: The pack.
        today: The day on which it is read.
        attribute: The one attribute that is compared; None for a table of all.
        undecided: The best of them was asked for, and the source names none.
    """
    lines = knowledge.voice.lines
    if attribute is not None and (parts := attribute_parts_of_each(cards, attribute, knowledge)):
        yield from parts
        has_sources = attribute.name == NEWS  # notes have sources of their own
        yield from (checked_parts if has_sources else source_parts)(cards, knowledge, today)
        yield Choices(lines["open"], tuple(choice_of(card) for card in cards))
        return
    if undecided or attribute is not None:
        yield Text(lines["undecided" if undecided else "beyond"])
    yield Heading(join_with_and(card.name for card in cards) + lines["side_by_side"])
    shared, table = _comparison(cards, knowledge)
    if shared:
        yield Facts(((lines["in_common"], join_with_dots(*shared)),))
    if table.rows:
        yield table
    yield from source_parts(cards, knowledge, today)
    yield Choices(lines["open"], tuple(choice_of(card) for card in cards))


def _comparison(cards: list[Library], knowledge: Knowledge) -> tuple[list[str], Table]:
    """The values that all cards share, and a table of the others, in columns below the cards' names.

    Its last row says when to take each.
    """
    lines = knowledge.voice.lines
    rows = [
        (lines["label_side"], [group_label(card.side, knowledge) for card in cards]),
        (lines["label_what"], [upper_first(card.what) for card in cards]),
        (lines["label_capabilities"], [capabilities_row(card, knowledge)[1] for card in cards]),
        (lines["label_install"], [plain_install(card) for card in cards]),
        (lines["label_take_it"], [_when_to_take(card, knowledge) for card in cards]),
    ]
    shared = [values[0] for _, values in rows if values[0] and len(set(values)) == 1]
    differing = [(label, values) for label, values in rows if len(set(values)) > 1]
    table_rows = tuple((label, *(value or lines["gap"] for value in values)) for label, values in differing)
    return shared, Table(("", *(card.name for card in cards)), table_rows)


def _when_to_take(card: Library, knowledge: Knowledge) -> str:
    """Words that follow "Take it if", from what a card is good for; empty where nothing is said of that."""
    uses = join_with_or(card.good_for[:MAX_GOOD_FOR_IN_CELL])
    return f"{knowledge.voice.lines['take_it']} {uses}" if uses else ""


def list_parts(finding: Finding, knowledge: Knowledge, today: dt.date) -> Iterable[Part]:
    """The parts of a group's list: its members by side, then cards that it may list too."""
    lines = knowledge.voice.lines
    cards = libraries(finding.ids, knowledge)
    group = find_group(finding.group, knowledge)
    if finding.beyond:
        yield Text(lines["beyond"])
    yield Heading(group.title if group else lines["list"])
    members = [card for card in cards if group is None or group.all or group.id in (card.side, *card.capabilities)]
    with_summary = len(cards) <= MAX_ITEMS_WITH_SUMMARY
    sides = list(dict.fromkeys(card.side for card in members))
    for side in sides:
        heading = group_label(side, knowledge) if len(sides) > 1 else ""
        items = tuple(_list_item(card, knowledge, with_summary) for card in members if card.side == side)
        yield Items(items, heading=heading)
    also_listed = [card for card in cards if card not in members]
    if also_listed:
        items = tuple(_list_item(card, knowledge, with_summary) for card in also_listed)
        yield Items(items, heading=lines["also_listed"])
    yield from source_parts(cards, knowledge, today)


def _list_item(card: Library, knowledge: Knowledge, with_summary: bool) -> Item:
    text = card.summary if with_summary and card.summary else upper_first(card.what)
    return Item(card.name, text, subtitle=group_label(card.side, knowledge), ask=card.opening_question)


def recommendation_parts(finding: Finding, knowledge: Knowledge, today: dt.date) -> Iterable[Part]:
    """The parts of a recommendation, the best card first, each with its reason."""
    lines = knowledge.voice.lines
    cards = libraries(finding.ids, knowledge)
    group = find_group(finding.group, knowledge)
    if finding.beyond:
        yield Text(lines["beyond"])
    yield Heading(f"{lines['recommend']} {group.label}" if group else lines["recommend_any"])
    items = (
        Item(
            card.name,
            card.summary or upper_first(card.what),
            subtitle=join_with_dots(group_label(card.side, knowledge), card.what),
            ask=card.opening_question,
        )
        for card in cards
    )
    yield Items(tuple(items), numbered=len(cards) > 1)
    yield from source_parts(cards, knowledge, today)
    if len(cards) > 1:
        names = [card.name for card in cards[:MAX_COMPARED_BY_BUTTON]]
        yield Choices(lines["related"], (Choice(lines["compare_them"], " vs ".join(names)),))
