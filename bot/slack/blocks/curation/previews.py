"""What stands above a curator's form: why it isn't saved, or what saving it would change or has changed."""

from __future__ import annotations

from collections.abc import Sequence

from bot.curation.preview import Moved
from bot.slack.blocks.curation.text import LONGEST_PHRASING, fill, quote_name, quote_phrasing, spoken
from bot.slack.blocks.limits import Block, cut
from bot.slack.blocks.rich_text import (
    line_block,
    quote_elements_block,
    rich_text_list,
    rich_text_section,
    text_element,
)
from bot.slack.strings import Strings

MOST_LINES = 8
"""Faults, or answers that change, that are listed."""


def status(elements: Sequence[Block]) -> list[Block]:
    """Why a form isn't saved."""
    return [quote_elements_block(elements)]


def review(faults: Sequence[str], moved: Sequence[Moved], strings: Strings) -> list[Block]:
    """What the lint finds in a draft, and which other answers saving it would change."""
    blocks = _preview_blocks(faults, moved, strings, "review")
    if not moved:
        blocks.append(line_block(fill(strings["review_same"])))
    return [*blocks, line_block(fill(strings["review_save"])), {"type": "divider"}]


def since(faults: Sequence[str], moved: Sequence[Moved], strings: Strings) -> list[Block]:
    """What the lint finds in an edit that is saved, and which other answers it has changed."""
    return _preview_blocks(faults, moved, strings, "since")


def _preview_blocks(faults: Sequence[str], moved: Sequence[Moved], strings: Strings, key: str) -> list[Block]:
    blocks = [line_list(strings["review_faults"], faults, strings)] if faults else []
    lines = [
        spoken(
            strings[f"{key}_instead"],
            question=quote_phrasing(move.question),
            before=quote_name(move.before) or strings["review_none"],
            after=quote_name(move.after) or strings["review_none"],
        )
        for move in moved
    ]
    if lines:
        blocks.append(line_list(spoken(strings[f"{key}_moved"], count=str(len(lines))), lines, strings))
    return blocks


def line_list(heading: str, lines: Sequence[str], strings: Strings) -> Block:
    """A heading and the first of the lines below it."""
    items = [rich_text_section(*fill(cut(line, LONGEST_PHRASING))) for line in lines[:MOST_LINES] if line.strip()]
    if len(lines) > MOST_LINES:
        items.append(rich_text_section(*fill(strings["more_of_them"], count=str(len(lines) - MOST_LINES))))
    heading_section = rich_text_section(text_element(heading, bold=True))
    return {"type": "rich_text", "elements": [heading_section, *rich_text_list(items, "bullet")]}
