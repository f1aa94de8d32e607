"""Replies without an answer, or with a part of one; and the help."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bot.model import Choice, Choices, Entry, Finding, Item, Items, Knowledge, Library, Part, Text, VoiceKey
from bot.reply.entry import MOST_RELATED
from bot.reply.wording import choice_of, find_group, first_sentence, join_with_and, matching_sentence, source_parts


def unknown_parts(finding: Finding, knowledge: Knowledge) -> Iterable[Part]:
    """The parts of an "I don't know": what isn't covered, cards of what is, and what may have been meant."""
    lines = knowledge.voice.lines
    offers = [knowledge.by_id[entry_id] for entry_id in finding.ids]
    if finding.about_subject:
        yield from _about_subject(offers, knowledge)
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


def _about_subject(entries: Sequence[Entry], knowledge: Knowledge) -> Iterable[Part]:
    """That it isn't known of the subject, and what is known of it."""
    yield Text(knowledge.voice.lines["unknown_subject"])
    for entry in entries:
        yield Text(entry.answer)
    yield from source_parts(entries, knowledge)
    related = [knowledge.by_id[other] for entry in entries for other in entry.related][:MOST_RELATED]
    if related:
        yield Choices(knowledge.voice.lines["related"], tuple(map(choice_of, related)))


def _offer_heading(finding: Finding, knowledge: Knowledge, *, has_cards: bool) -> str:
    lines = knowledge.voice.lines
    if has_cards:
        return lines["open"]
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
    if finding.around_pronoun:
        return lines["unknown_which"]
    if finding.lacks_context:
        return lines["unknown_lost"]
    return lines["unknown_offer"] if offers else lines["unknown"]


def help_parts(knowledge: Knowledge) -> Iterable[Part]:
    """The parts of the help: what the bot does, and questions to try: the pack's examples, else titles of its first entries."""
    yield Text(knowledge.voice.small_talk["help"].answer)
    if knowledge.voice.examples:
        yield from _examples(knowledge)
    else:
        yield Choices(
            knowledge.voice.lines["try"], tuple(choice_of(entry) for entry in knowledge.entries[:MOST_RELATED])
        )


def _examples(knowledge: Knowledge, limit: int | None = None) -> Iterable[Part]:
    """The pack's example questions as buttons; nothing where it has none."""
    examples = knowledge.voice.examples[:limit]
    if examples:
        yield Choices(knowledge.voice.lines["try"], tuple(Choice(example, example) for example in examples))
