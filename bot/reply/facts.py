"""A card's fields as rows of a label and a value, and the parts that answer a question for a single attribute of a card."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.markdown import Paragraph, Span, Spans, escape_text, parse, plain, prose
from bot.model import (
    NEWS,
    Attribute,
    Code,
    DatedNote,
    Entry,
    Facts,
    Heading,
    Knowledge,
    Library,
    Note,
    Part,
    Text,
    VoiceKey,
)
from bot.reply.wording import answer_blocks, group_label, group_labels, join_with_and, join_with_dots
from bot.text import sentences, stem, words

MAX_SENTENCES = 2
"""Sentences of the answer that are shown above the card. Reading more would take as long as reading the card."""

_ROW_ONLY = ("side",)
"""Attributes that are answered by the card's field alone. For the others, sentences that contain one of the attribute's phrases
are shown, too; but a sentence with the word "backend" needn't say which side the card is on."""


def attribute_parts(entry: Entry, attribute: Attribute, knowledge: Knowledge) -> list[Part]:
    """The parts that answer for one attribute of an entry; empty if the entry doesn't say it.

    They are, as far as the entry has them: the card's field as a row, sentences of the answer, and notes.
    """
    parts: list[Part] = []
    if isinstance(entry, Library) and (row := _asked_row(entry, attribute, knowledge))[1]:
        parts.append(Code(row[0], install_spans(entry)) if attribute.name == "install" else Facts((row,)))
    phrases = [_stems(phrase) for phrase in attribute.phrases]
    if attribute.name not in _ROW_ONLY and (stating := _stating_sentences(entry, phrases)):
        parts.append(Text("\n".join(stating)))
    return parts + [DatedNote(note) for note in _asked_notes(entry, attribute, phrases)]


def attribute_parts_of_each(cards: Sequence[Library], attribute: Attribute, knowledge: Knowledge) -> list[Part]:
    """The parts that answer for one attribute of several cards; empty if none of the cards says it.

    They are a row for each card, then the notes that say it, each with its card's name.
    """
    phrases = [_stems(phrase) for phrase in attribute.phrases]
    notes = [(card, note) for card in cards for note in _asked_notes(card, attribute, phrases)]
    ids_with_note = {card.id for card, _ in notes}
    values = {card.id: _attribute_value(card, attribute, phrases, knowledge) for card in cards}
    if not (ids_with_note or any(values.values())):
        return []
    label = next(filter(None, (_asked_row(card, attribute, knowledge)[0] for card in cards)), "")
    gap = knowledge.voice.lines["gap"]
    rows = tuple(
        (card.name, values[card.id] or gap) for card in cards if values[card.id] or card.id not in ids_with_note
    )
    heading = Heading(join_with_dots(join_with_and(card.name for card in cards), label))
    dated_notes = [DatedNote(replace(note, text=_labelled(card.name, note.text))) for card, note in notes]
    return [heading, *([Facts(rows)] if rows else []), *dated_notes]


def _attribute_value(card: Library, attribute: Attribute, phrases: Sequence[str], knowledge: Knowledge) -> str:
    """The value of a card's row for an attribute, else the sentences that state it; empty where it has neither."""
    value = _asked_row(card, attribute, knowledge)[1]
    return value or (" ".join(_stating_sentences(card, phrases)) if attribute.name not in _ROW_ONLY else "")


def _stating_sentences(entry: Entry, phrases: Sequence[str]) -> list[str]:
    """The first sentences of the answer that have one of the phrases."""
    texts = prose(answer_blocks(entry.answer, entry.answer_format))
    all_sentences = [sentence for text in texts for sentence in sentences(text)]
    return [sentence for sentence in all_sentences if _states(sentence, phrases)][:MAX_SENTENCES]


def _asked_row(card: Library, attribute: Attribute, knowledge: Knowledge) -> tuple[str, str]:
    """Label and value of the attribute that is asked for, from the card's fields; two empty texts where they lack it."""
    lines = knowledge.voice.lines
    match attribute.name:
        case "install":
            return lines["label_install"], plain_install(card)
        case "docs":
            return lines["docs"], card.docs
        case "homepage":
            return lines["homepage"], card.homepage or card.docs
        case "news":
            return lines["whats_new"], ""
        case "side":
            return lines["label_side"], group_label(card.side, knowledge)
        case "group" if attribute.group in card.capabilities:
            return lines["label_capabilities"], ", ".join(group_labels([attribute.group], knowledge))
        case _:
            return "", ""


def _asked_notes(entry: Entry, attribute: Attribute, phrases: Sequence[str]) -> list[Note]:
    """The notes that state an attribute; where news are asked for all, the newest first, of one day the last in the pack."""
    if attribute.name == NEWS:
        return sorted(entry.notes, key=lambda note: note.date)[::-1]
    return [note for note in entry.notes if _states(plain(parse(note.text), addresses=False), phrases)]


def _labelled(label: str, text: str) -> str:
    """A note's Markdown behind a label: on its line, if the note begins with a paragraph."""
    begins_with_paragraph = isinstance(next(iter(parse(text)), None), Paragraph)
    return f"{escape_text(label)}: {text}" if begins_with_paragraph else f"{escape_text(label)}:\n\n{text}"


def _states(text: str, phrases: Sequence[str]) -> bool:
    stems = _stems(text)
    return any(phrase in stems for phrase in phrases)


def _stems(text: str) -> str:
    """The words' stems with a blank on either side, so that only whole words are found in it."""
    return f" {' '.join(map(stem, words(text)))} "


def facts(card: Library, knowledge: Knowledge) -> list[tuple[VoiceKey, str]]:
    """The rows of a card: the key of each label in voice.yaml, and the value, which may be empty."""
    return [("label_good_for", join_with_and(card.good_for)), capabilities_row(card, knowledge)]


def capabilities_row(card: Library, knowledge: Knowledge) -> tuple[VoiceKey, str]:
    """The row of a card's capabilities: the key of its label, and the value."""
    return "label_capabilities", ", ".join(group_labels(card.capabilities, knowledge))


def install_spans(card: Library) -> Spans:
    """How to install a card: the pack's words, with backticks around commands, or a command; empty if neither is known."""
    text = card.install or (f"pip install {card.package}" if card.package else "")
    match parse(text):
        case (Paragraph(spans),) if any(span.code for span in spans):
            return spans
        case _:
            return (Span(text, code=True),) if text else ()


def plain_install(card: Library) -> str:
    """How to install a card, without backticks."""
    return "".join(span.text for span in install_spans(card))
