"""Facts of a card: the rows of its table, and the one fact that was asked for, which then comes first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.model import Attribute, DatedNote, Entry, Facts, Heading, Knowledge, Library, Part, Text
from bot.reply.wording import group_label, group_labels, join_with_and, join_with_dots
from bot.text import sentences, stem, words

MAX_SENTENCES = 2
"""Sentences that come before the card; with more, the card itself is read sooner."""


def fact_parts(entry: Entry, fact: Attribute, knowledge: Knowledge) -> list[Part]:
    """The parts that state a fact of an entry: a card's row, sentences of its answer, notes; empty where it doesn't state it."""
    parts: list[Part] = []
    if isinstance(entry, Library) and (row := _row(entry, fact, knowledge))[1]:
        parts.append(Facts((row,)))
    phrases = [_stems(phrase) for phrase in fact.phrases]
    if fact.name != "side" and (stating := _stating_sentences(entry, phrases)):
        parts.append(Text("\n".join(stating)))
    return parts + [DatedNote(note) for note in entry.notes if _states(note.text, phrases)]


def shared_fact_parts(cards: Sequence[Library], fact: Attribute, knowledge: Knowledge) -> list[Part]:
    """A fact of several cards: a row for each, then notes that state it, with the card's name; empty if no card states it."""
    phrases = [_stems(phrase) for phrase in fact.phrases]
    notes = [(card, note) for card in cards for note in card.notes if _states(note.text, phrases)]
    ids_with_note = {card.id for card, _ in notes}
    values = {card.id: _fact_value(card, fact, phrases, knowledge) for card in cards}
    if not (ids_with_note or any(values.values())):
        return []
    label = next(filter(None, (_row(card, fact, knowledge)[0] for card in cards)), "")
    gap = knowledge.voice.lines["gap"]
    rows = tuple(
        (card.name, values[card.id] or gap) for card in cards if values[card.id] or card.id not in ids_with_note
    )
    heading = Heading(join_with_dots(join_with_and(card.name for card in cards), label))
    dated_notes = [DatedNote(replace(note, text=f"{card.name}: {note.text}")) for card, note in notes]
    return [heading, *([Facts(rows)] if rows else []), *dated_notes]


def _fact_value(card: Library, fact: Attribute, phrases: Sequence[str], knowledge: Knowledge) -> str:
    """A card's row for a fact, else the sentences that state it; empty where it has neither."""
    value = _row(card, fact, knowledge)[1]
    return value or (" ".join(_stating_sentences(card, phrases)) if fact.name != "side" else "")


def _stating_sentences(entry: Entry, phrases: Sequence[str]) -> list[str]:
    """The first sentences of the answer that have one of the phrases."""
    lines = entry.answer.splitlines()
    all_sentences = [sentence for line in lines for sentence in sentences(line.removeprefix("- "))]
    return [sentence for sentence in all_sentences if _states(sentence, phrases)][:MAX_SENTENCES]


def _row(card: Library, fact: Attribute, knowledge: Knowledge) -> tuple[str, str]:
    """The card's label and value for a fact; two empty texts where its fields don't have it."""
    lines = knowledge.voice.lines
    match fact.name:
        case "install":
            return lines["label_install"], install_command(card)
        case "docs":
            return lines["docs"], card.docs
        case "homepage":
            return lines["homepage"], card.homepage or card.docs
        case "side":
            return lines["label_side"], group_label(card.side, knowledge)
        case "group" if fact.group in card.capabilities:
            return lines["label_capabilities"], ", ".join(group_labels([fact.group], knowledge))
        case _:
            return "", ""


def _states(text: str, phrases: Sequence[str]) -> bool:
    stems = _stems(text)
    return any(phrase in stems for phrase in phrases)


def _stems(text: str) -> str:
    """The words' stems with a blank on either side, so that only whole words are found in it."""
    return f" {' '.join(map(stem, words(text)))} "


def facts(card: Library, knowledge: Knowledge, max_uses: int | None = None) -> list[tuple[str, str]]:
    """A card's facts: the voice key of each label and the value, which may be empty; at most `max_uses` good uses."""
    return [
        ("label_good_for", join_with_and(card.good_for[:max_uses])),
        ("label_capabilities", ", ".join(group_labels(card.capabilities, knowledge))),
        ("label_install", install_command(card)),
    ]


def install_command(card: Library) -> str:
    """The pack's install command, else the one computed from the package's name, else an empty text."""
    return card.install or (f"pip install {card.package}" if card.package else "")
