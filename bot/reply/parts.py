"""A long answer in parts: what fits into one message, and the further messages.

The division depends on the entry alone, and not on the question: what a button or a typed "show part 2" sends begins where the
first message has ended.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from bot.markdown import AnswerFormat, Block, plain, split
from bot.model import PART_MARK, DatedNote, Entry, Finding, Formatted, Heading, Knowledge, Part, Reply, ShowRest, Text
from bot.reply.plain_text import parts_text
from bot.reply.wording import answer_blocks
from bot.text import units

PART_LENGTH = 2_800
"""Units of an answer in one message (see `units`): about three screens of a phone. With the heading, a quoted sentence, the
source and the buttons its text stays within Slack's 4,000."""
MESSAGE_LENGTH = 3_200
"""Units of an answer's part and the notes below it. Notes that don't fit go into further messages."""
DIVIDED = 256
"""Answers whose parts are kept in memory: dividing a long one takes longer than the rest of an answer."""


def divide(reply: Reply, finding: Finding, knowledge: Knowledge) -> Reply:
    """The reply, its long answer divided: in `parts` the part that the finding asks for, in `further` those after it."""
    found = next(((i, part) for i, part in enumerate(reply.parts) if isinstance(part, Formatted)), None)
    if found is None or len(finding.ids) != 1:
        return reply
    index, answer = found
    messages, moved = _messages(answer, [part for part in reply.parts[index:] if isinstance(part, DatedNote)])
    if finding.part > len(messages):
        return replace(reply, parts=(Text(knowledge.voice.lines["rest_end"]),))
    if len(messages) == 1:
        return reply
    entry = knowledge.by_id[finding.ids[0]]
    further = tuple(
        (
            _heading(number, len(messages), entry, knowledge),
            *parts,
            *_show_rest(number, len(messages), entry, knowledge),
        )
        for number, parts in enumerate(messages[1:], 2)
    )
    part = finding.part
    if part == 1:
        below = (each for each in reply.parts[index + 1 :] if each not in moved)
        first = (*reply.parts[:index], messages[0][0], *_show_rest(1, len(messages), entry, knowledge), *below)
        return replace(reply, parts=first, further=further)
    reference = f"{reply.reference}{PART_MARK}{part}"
    return replace(reply, parts=further[part - 2], further=further[part - 1 :], reference=reference)


def without_show_rest(parts: Sequence[Part]) -> tuple[Part, ...]:
    """The parts of a message that is followed by the next one."""
    return tuple(part for part in parts if not isinstance(part, ShowRest))


def _messages(answer: Formatted, notes: Sequence[DatedNote]) -> tuple[list[list[Part]], list[DatedNote]]:
    """The answer's parts and the notes that don't fit below the first one, a list for each message; and these notes."""
    skipped = len(answer_blocks(answer.source, answer.answer_format)) - len(answer.blocks)
    divided = _divided(answer.source, answer.answer_format, skipped)
    messages: list[list[Part]] = [[replace(answer, blocks=blocks)] for blocks in divided]
    room, moved = MESSAGE_LENGTH - units(plain(divided[0])), list[DatedNote]()
    for note in notes:
        length = units(parts_text([note]))
        if not moved and length <= room:
            room -= length
            continue
        if not moved or units(parts_text(messages[-1])) + length > MESSAGE_LENGTH:
            messages.append([])
        messages[-1].append(note)
        moved.append(note)
    return messages, moved


@lru_cache(maxsize=DIVIDED)
def _divided(answer: str, answer_format: AnswerFormat, skipped: int) -> tuple[tuple[Block, ...], ...]:
    """The parts of an answer without its first blocks, which stand on its card."""
    return split(answer_blocks(answer, answer_format)[skipped:], PART_LENGTH)


def _heading(number: int, count: int, entry: Entry, knowledge: Knowledge) -> Heading:
    lines = knowledge.voice.lines
    return Heading(f"{entry.label} ({lines['part']} {number} {lines['of']} {count})")


def _show_rest(number: int, count: int, entry: Entry, knowledge: Knowledge) -> list[ShowRest]:
    """What leads from this part to the next; nothing behind the last one."""
    lines = knowledge.voice.lines
    ask = f"{lines['show_part']} {number + 1} {lines['of']} {entry.opening_question}"
    return [ShowRest(lines["show_rest"], lines["rest_hint"], ask)] if number < count else []
