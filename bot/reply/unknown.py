"""Replies without an answer, or with a part of one; the help and the greeting."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

from bot.model import Choice, Choices, Entry, Finding, Heading, Item, Items, Knowledge, Library, Part, Text, VoiceKey
from bot.reply.entry import MOST_RELATED
from bot.reply.wording import (
    answer_part,
    choice_of,
    example_choices,
    find_group,
    first_sentence,
    introduction,
    join_with_and,
    matching_sentence,
    source_parts,
)

MOST_EXAMPLES = 6
"""Questions to try in the help; as many examples as a pack should have."""


def unknown_parts(finding: Finding, knowledge: Knowledge, today: dt.date) -> Iterable[Part]:
    """The parts of an "I don't know": what isn't covered, cards of what is, and what may have been meant."""
    lines = knowledge.voice.lines
    offers = [knowledge.by_id[entry_id] for entry_id in finding.ids]
    if finding.about_subject:
        yield from _about_subject(offers, knowledge, today)
        return
    yield Text(_reason(finding, offers, knowledge))
    if offers and _is_plain_offer(finding) and finding.evidence.is_far_ahead:
        sentence = matching_sentence(finding, offers[0]) or first_sentence(offers[0])
        yield Text(f"{lines['did_you_mean_first']} {offers[0].label}\n{sentence}")
    has_names = finding.out_of_scope or finding.mentioned_only
    cards = [entry for entry in offers if isinstance(entry, Library)] if has_names else []
    if cards:
        group = find_group(finding.group, knowledge)
        items = tuple(Item(card.name, card.short_text, ask=card.opening_question) for card in cards)
        yield Items(items, heading=group.title if group is not None else "")
    if finding.around_pronoun:
        before, after = finding.around_pronoun
        yield Choices(lines["ask_of"], tuple(Choice(entry.label, f"{before}{entry.label}{after}") for entry in offers))
    elif offers:
        yield Choices(
            _offer_heading(finding, knowledge, has_cards=bool(cards)), tuple(choice_of(entry) for entry in offers)
        )
    else:
        yield from _examples(knowledge, MOST_RELATED)


def _is_plain_offer(finding: Finding) -> bool:
    """Whether entries are offered because they are near, and not because of a name or a pronoun."""
    return not (finding.mentioned_only or finding.out_of_scope or finding.around_pronoun or finding.lacks_context)


def _about_subject(entries: Sequence[Entry], knowledge: Knowledge, today: dt.date) -> Iterable[Part]:
    """That it isn't known of the subject, and what is known of it."""
    yield Text(knowledge.voice.lines["unknown_subject"])
    for entry in entries:
        yield answer_part(entry)
    yield from source_parts(entries, knowledge, today)
    related = [knowledge.by_id[other] for entry in entries for other in entry.related][:MOST_RELATED]
    if related:
        yield Choices(knowledge.voice.lines["related"], tuple(map(choice_of, related)))


def _offer_heading(finding: Finding, knowledge: Knowledge, *, has_cards: bool) -> str:
    lines = knowledge.voice.lines
    if has_cards:
        return lines["open"]
    if finding.excluded or finding.is_none_shown:
        return lines["related"]
    return lines["named_in" if finding.mentioned_only else "try" if finding.out_of_scope else "did_you_mean"]


def _reason(finding: Finding, offers: Sequence[Entry], knowledge: Knowledge) -> str:
    lines = knowledge.voice.lines
    if finding.mentioned_only:
        return f"{join_with_and(finding.mentioned_only)}: {lines['only_named']}"
    if finding.out_of_scope:
        is_partial = any(isinstance(entry, Library) for entry in offers)
        key: VoiceKey = (
            "unknown_instead" if finding.group else "unknown_partial" if is_partial else "unknown_out_of_scope"
        )
        return f"{join_with_and(finding.out_of_scope)}: {lines[key]}"
    if finding.excluded:
        return f"{lines['without']} {join_with_and(finding.excluded)}: {lines['none_left']}"
    if finding.is_none_shown and offers:
        return lines["none_shown"]
    if finding.around_pronoun:
        return lines["unknown_which"]
    if finding.lacks_context:
        return lines["unknown_lost"]
    return lines["unknown_offer"] if offers else lines["unknown"]


def help_parts(knowledge: Knowledge) -> Iterable[Part]:
    """The parts of the help: the pack's name, what it is about, what can be asked of it, how, and questions to try."""
    yield Heading(knowledge.name)
    yield Text(f"{introduction(knowledge)}\n{knowledge.voice.small_talk['help'].answer}".strip())
    yield from _examples(knowledge, MOST_EXAMPLES)


def greeting_parts(knowledge: Knowledge) -> Iterable[Part]:
    """The parts of a greeting: it, and questions to try."""
    yield Text(knowledge.voice.small_talk["greeting"].answer)
    yield from _examples(knowledge, MOST_RELATED)


def _examples(knowledge: Knowledge, limit: int) -> Iterable[Part]:
    """Questions to try as buttons; nothing where the pack has neither examples nor entries."""
    if choices := example_choices(knowledge, limit):
        yield Choices(knowledge.voice.lines["try"], choices)
