"""Where there is no answer, or only a part of one, and what the bot says of itself."""

from __future__ import annotations

from collections.abc import Iterable

from bot.model import Choice, Choices, Finding, Item, Items, Knowledge, Library, Part, Text
from bot.reply.entry import MOST_RELATED
from bot.reply.wording import choice_of, sentence_of


def of_unknown(finding: Finding, knowledge: Knowledge) -> Iterable[Part]:
    """The parts of a don't-know: what is missing, what is known of it, what may have been meant."""
    lines = knowledge.voice.lines
    offered = [knowledge.by_id[i] for i in finding.ids]
    if finding.only_named:
        yield Text(f"{sentence_of(finding.only_named)}: {lines['only_named']}")
    elif finding.strangers and any(isinstance(entry, Library) for entry in offered):
        yield Text(f"{sentence_of(finding.strangers)}: {lines['unknown_partial']}")
    elif finding.strangers:
        yield Text(f"{sentence_of(finding.strangers)}: {lines['unknown_stranger']}")
    elif finding.which:
        yield Text(lines["unknown_which"])
    elif finding.lost:
        yield Text(lines["unknown_lost"])
    else:
        yield Text(lines["unknown_offer"] if offered else lines["unknown"])
    known = (
        [entry for entry in offered if isinstance(entry, Library)] if finding.strangers or finding.only_named else []
    )
    if known:
        yield Items(tuple(Item(card.name, card.summary or card.what, ask=f"What is {card.name}?") for card in known))
    if finding.which:
        before, after = finding.which
        yield Choices(lines["ask_of"], tuple(Choice(entry.label, f"{before}{entry.label}{after}") for entry in offered))
    elif offered:
        heading = lines["open"] if known else lines["named_in"] if finding.only_named else lines["did_you_mean"]
        yield Choices(heading, tuple(choice_of(entry) for entry in offered))
    elif knowledge.voice.examples:
        yield Choices(
            lines["try"], tuple(Choice(example, example) for example in knowledge.voice.examples[:MOST_RELATED])
        )


def of_help(knowledge: Knowledge) -> Iterable[Part]:
    """The parts of the help: three lines and questions to try."""
    yield Text(knowledge.voice.small_talk["help"].answer)
    if knowledge.voice.examples:
        choices = tuple(Choice(example, example) for example in knowledge.voice.examples)
        yield Choices(knowledge.voice.lines["try"], choices)
