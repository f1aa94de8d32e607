"""A long answer in parts: what fits into one message, and the further messages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.markdown import split, units
from bot.model import PART_MARK, Entry, Finding, Formatted, Heading, Knowledge, Part, Reply, ShowRest
from bot.reply.plain_text import parts_text

PART_LENGTH = 3_000
"""Characters of an answer in one message: about three screens of a phone."""
MIN_PART_LENGTH = 1_000
"""Characters of an answer in the first message, however long its notes are."""
TEXT_LENGTH = 3_700
"""Characters of the first message, with its heading, notes and source, so that its `text` is never cut."""


def divide(reply: Reply, finding: Finding, knowledge: Knowledge) -> Reply:
    """The reply, its long answer divided: in `parts` the part that the finding asks for, in `further` those after it."""
    found = next(((i, part) for i, part in enumerate(reply.parts) if isinstance(part, Formatted)), None)
    if found is None:
        return reply
    index, answer = found
    others = (*reply.parts[:index], *reply.parts[index + 1 :])
    limit = min(PART_LENGTH, max(MIN_PART_LENGTH, TEXT_LENGTH - units(parts_text(others))))
    divided = split(answer.blocks, limit)
    if len(divided) == 1:
        return reply
    entry = knowledge.by_id[finding.ids[0]] if len(finding.ids) == 1 else None
    contents = [replace(answer, blocks=blocks) for blocks in divided]
    messages = [_message(number, contents, entry, knowledge) for number in range(2, len(divided) + 1)]
    part = min(max(finding.part, 1), len(divided))
    rest = [] if part == len(divided) or entry is None else [_show_rest(part + 1, entry, knowledge)]
    if part == 1:
        parts = (*reply.parts[:index], contents[0], *rest, *reply.parts[index + 1 :])
        return replace(reply, parts=parts, further=tuple(messages))
    return replace(
        reply,
        parts=(*messages[part - 2], *rest),
        further=tuple(messages[part - 1 :]),
        reference=f"{reply.reference}{PART_MARK}{part}",
    )


def _message(number: int, contents: Sequence[Formatted], entry: Entry | None, knowledge: Knowledge) -> tuple[Part, ...]:
    lines = knowledge.voice.lines
    label = entry.label if entry is not None else ""
    heading = f"{label} ({lines['part']} {number} {lines['of']} {len(contents)})".strip()
    return (Heading(heading), contents[number - 1])


def _show_rest(number: int, entry: Entry, knowledge: Knowledge) -> ShowRest:
    lines = knowledge.voice.lines
    ask = f"{lines['show_part']} {number} {lines['of']} {entry.opening_question}"
    return ShowRest(lines["show_rest"], lines["rest_hint"], ask)
