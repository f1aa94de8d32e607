"""Several cards as parts: side by side, listed, or recommended."""

from __future__ import annotations

from collections.abc import Iterable

from bot.model import Aspect, Choice, Choices, Finding, Heading, Item, Items, Knowledge, Library, Part, Table, Text
from bot.reply.facts import facts, of_each
from bot.reply.wording import choice_of, credit, group_label, group_of, joined, libraries, sentence_of, upper_first

MOST_IN_A_CELL = 2
"""Good uses in a comparison's cell, which is a third of a phone wide."""
MOST_ITEMS_WITH_SUMMARY = 10
"""Cards of a list up to which each gets its summary; as many as a carousel takes."""
MOST_TOGETHER = 5
"""Cards that a button offers to compare; of more, nobody wants all."""


def of_comparison(
    cards: list[Library], knowledge: Knowledge, aspect: Aspect | None = None, *, undecided: bool = False
) -> Iterable[Part]:
    """The parts of cards side by side, or one fact of each; `undecided`: the best was asked for, and the source names none."""
    lines = knowledge.voice.lines
    if aspect is not None and (asked := of_each(cards, aspect, knowledge)):
        yield from (*asked, *credit(cards, knowledge))
        yield Choices(lines["open"], tuple(choice_of(card) for card in cards))
        return
    if undecided or aspect is not None:
        yield Text(lines["undecided" if undecided else "beyond"])
    yield Heading(sentence_of([card.name for card in cards]) + lines["side_by_side"])
    rows: list[tuple[str, tuple[str, ...]]] = [
        (lines["label_side"], tuple(group_label(card.side, knowledge) for card in cards)),
        (lines["label_what"], tuple(upper_first(card.what) for card in cards)),
    ]
    told = [facts(card, knowledge, MOST_IN_A_CELL) for card in cards]
    rows += [(lines[column[0][0]], tuple(value for _, value in column)) for column in zip(*told, strict=True)]
    yield Table(
        ("", *(card.name for card in cards)),
        tuple((label, *(value or lines["gap"] for value in values)) for label, values in rows if any(values)),
    )
    yield from credit(cards, knowledge)
    yield Choices(lines["open"], tuple(choice_of(card) for card in cards))


def of_list(finding: Finding, knowledge: Knowledge) -> Iterable[Part]:
    """The parts of a group's list."""
    lines = knowledge.voice.lines
    cards = libraries(finding.ids, knowledge)
    group = group_of(finding.group, knowledge)
    if finding.beyond:
        yield Text(lines["beyond"])
    yield Heading(group.title if group else lines["list"])
    sure = [card for card in cards if group is None or group.all or group.id in (card.side, *card.capabilities)]
    full = len(cards) <= MOST_ITEMS_WITH_SUMMARY
    sides = list(dict.fromkeys(card.side for card in sure))
    for side in sides:
        heading = group_label(side, knowledge) if len(sides) > 1 else ""
        yield Items(tuple(_item(card, knowledge, full) for card in sure if card.side == side), heading=heading)
    maybe = [card for card in cards if card not in sure]
    if maybe:
        yield Items(tuple(_item(card, knowledge, full) for card in maybe), heading=lines["also_listed"])
    yield from credit(cards, knowledge)


def _item(card: Library, knowledge: Knowledge, full: bool) -> Item:
    text = card.summary if full and card.summary else upper_first(card.what)
    return Item(card.name, text, subtitle=group_label(card.side, knowledge), ask=f"What is {card.name}?")


def of_recommendation(finding: Finding, knowledge: Knowledge) -> Iterable[Part]:
    """The parts of a recommendation, the best first, each with its reason."""
    lines = knowledge.voice.lines
    cards = libraries(finding.ids, knowledge)
    group = group_of(finding.group, knowledge)
    yield Heading(f"{lines['recommend']} {group.label}" if group else lines["recommend_any"])
    items = (
        Item(
            card.name,
            card.summary or upper_first(card.what),
            subtitle=joined(group_label(card.side, knowledge), card.what),
            ask=f"What is {card.name}?",
        )
        for card in cards
    )
    yield Items(tuple(items), numbered=len(cards) > 1)
    yield from credit(cards, knowledge)
    if len(cards) > 1:
        names = [card.name for card in cards[:MOST_TOGETHER]]
        yield Choices(lines["related"], (Choice(lines["compare_them"], " vs ".join(names)),))
