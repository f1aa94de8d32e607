"""Facts of a card: its rows, and the one that was asked for, before anything else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.model import Aspect, Entry, Facts, Heading, Knowledge, Library, Part, Remark, Text
from bot.reply.wording import group_label, joined, labels, sentence_of
from bot.text import sentences, stem, words

MOST_SENTENCES = 2
"""Sentences that lead an answer; more is the card."""


def of_aspect(entry: Entry, aspect: Aspect, knowledge: Knowledge) -> list[Part]:
    """The parts that tell this fact: a card's row, the entry's own sentences, its notes; nothing where it doesn't say it."""
    found: list[Part] = []
    if isinstance(entry, Library) and (row := _row(entry, aspect, knowledge))[1]:
        found.append(Facts((row,)))
    told = [_stems(phrase) for phrase in aspect.told]
    if aspect.name != "side" and (telling := _telling(entry, told)):
        found.append(Text("\n".join(telling)))
    return found + [Remark(note) for note in entry.notes if _tells(note.text, told)]


def of_each(cards: Sequence[Library], aspect: Aspect, knowledge: Knowledge) -> list[Part]:
    """This fact of several cards: a line for each, then the notes that tell it, with the card's name; nothing if none says it."""
    told = [_stems(phrase) for phrase in aspect.told]
    notes = [(card, note) for card in cards for note in card.notes if _tells(note.text, told)]
    noted = {card.id for card, _ in notes}
    said = {
        card.id: _row(card, aspect, knowledge)[1] or (" ".join(_telling(card, told)) if aspect.name != "side" else "")
        for card in cards
    }
    if not (noted or any(said.values())):
        return []
    lines = knowledge.voice.lines
    label = next(filter(None, (_row(card, aspect, knowledge)[0] for card in cards)), "")
    rows = tuple((card.name, said[card.id] or lines["gap"]) for card in cards if said[card.id] or card.id not in noted)
    heading = Heading(joined(sentence_of(card.name for card in cards), label))
    remarks = [Remark(replace(note, text=f"{card.name}: {note.text}")) for card, note in notes]
    return [heading, *([Facts(rows)] if rows else []), *remarks]


def _telling(entry: Entry, told: Sequence[str]) -> list[str]:
    """The entry's first sentences that tell it."""
    said = [sentence for line in entry.answer.splitlines() for sentence in sentences(line.removeprefix("- "))]
    return [sentence for sentence in said if _tells(sentence, told)][:MOST_SENTENCES]


def _row(card: Library, aspect: Aspect, knowledge: Knowledge) -> tuple[str, str]:
    """The card's row for a fact, or an empty one."""
    lines = knowledge.voice.lines
    match aspect.name:
        case "install":
            return lines["label_install"], install_command(card)
        case "docs":
            return lines["docs"], card.docs
        case "homepage":
            return lines["homepage"], card.homepage or card.docs
        case "side":
            return lines["label_side"], group_label(card.side, knowledge)
        case "group" if aspect.group in card.capabilities:
            return lines["label_capabilities"], ", ".join(labels([aspect.group], knowledge))
        case _:
            return "", ""


def _tells(text: str, told: Sequence[str]) -> bool:
    spoken = _stems(text)
    return any(phrase in spoken for phrase in told)


def _stems(text: str) -> str:
    """The words' stems with a blank on either side, so that phrases are found whole."""
    return f" {' '.join(map(stem, words(text)))} "


def facts(card: Library, knowledge: Knowledge, most: int | None = None) -> list[tuple[str, str]]:
    """A card's facts: the voice's key of the label, and the value or nothing; at most `most` good uses."""
    return [
        ("label_good_for", sentence_of(card.good_for[:most])),
        ("label_capabilities", ", ".join(labels(card.capabilities, knowledge))),
        ("label_install", install_command(card)),
    ]


def install_command(card: Library) -> str:
    """How to install it: what the pack says, else computed from the package's name, else nothing."""
    return card.install or (f"pip install {card.package}" if card.package else "")
