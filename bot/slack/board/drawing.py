"""The small pieces that pages and modals are drawn with. Times are UTC, because a page is drawn once for all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from bot.slack import limits
from bot.slack.board.sentences import LINE, fill
from bot.slack.limits import Block, cut
from bot.slack.words import Words

TOLD = 8
"""Faults, or answers that would move, that a modal lists."""


def listed(heading: str, lines: Sequence[str], words: Words) -> Iterable[Block]:
    """A heading and some of the lines under it."""
    told = [section(fill(cut(line, LINE))) for line in lines[:TOLD] if line.strip()]
    if len(lines) > TOLD:
        told.append(section(fill(words["more_of_them"], count=str(len(lines) - TOLD))))
    listed = [{"type": "rich_text_list", "style": "bullet", "elements": told}] if told else []
    yield {"type": "rich_text", "elements": [section([bold(heading)]), *listed]}


def section(leaves: Iterable[Block]) -> Block:
    """A line in which nothing is parsed."""
    return {"type": "rich_text_section", "elements": list(leaves)}


def paragraph(leaves: Iterable[Block]) -> Block:
    """The same as a block."""
    return {"type": "rich_text", "elements": [section(leaves)]}


def bold(text: str) -> Block:
    """Text in bold."""
    return {"type": "text", "text": text, "style": {"bold": True}}


def unparsed(text: str) -> Block:
    """A section that nothing is parsed in."""
    return {"type": "section", "text": {"type": "plain_text", "text": cut(text, limits.SECTION), "emoji": False}}


def day_of(at: float, now: float) -> str:
    """A day as people write it; the year where it is another one."""
    day = datetime.fromtimestamp(at, UTC)
    year = "" if day.year == datetime.fromtimestamp(now, UTC).year else f" {day.year}"
    return f"{day.day} {day:%b}{year}"


def moment_of(at: float, now: float) -> str:
    """The same with the time."""
    return f"{day_of(at, now)}, {datetime.fromtimestamp(at, UTC):%H:%M} UTC"
