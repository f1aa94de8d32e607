"""Blocks above a curator's form: why it wasn't saved, or what saving it would change or has changed."""

from __future__ import annotations

from collections.abc import Sequence

from bot.curation.preview import Moved
from bot.slack.blocks.curation.edit_text import MAX_PHRASING, fill, fill_plain, quote_name, quote_phrasing
from bot.slack.blocks.limits import Block, cut
from bot.slack.blocks.rich_text import (
    line_block,
    quote_elements_block,
    rich_text_list,
    rich_text_section,
    text_element,
)
from bot.slack.strings import Strings

MAX_LINES = 8
"""Faults, or changed answers, that are listed."""


def error_banner(elements: Sequence[Block]) -> list[Block]:
    """Why a form wasn't saved."""
    return [quote_elements_block(elements)]


def draft_review(faults: Sequence[str], moved: Sequence[Moved], strings: Strings) -> list[Block]:
    """What the lint finds in a draft, and which other answers saving it would change."""
    blocks = _preview_blocks(faults, moved, strings, "review")
    if not moved:
        blocks.append(line_block(fill(strings["review_same"])))
    return [*blocks, line_block(fill(strings["review_save"])), {"type": "divider"}]


def changes_since(faults: Sequence[str], moved: Sequence[Moved], strings: Strings) -> list[Block]:
    """What the lint finds in a saved edit, and which other answers it has changed."""
    return _preview_blocks(faults, moved, strings, "since")


def _preview_blocks(faults: Sequence[str], moved: Sequence[Moved], strings: Strings, key: str) -> list[Block]:
    blocks = [line_list(strings["review_faults"], faults, strings)] if faults else []
    lines = [
        fill_plain(
            strings[f"{key}_instead"],
            question=quote_phrasing(move.question),
            before=quote_name(move.before) or strings["review_none"],
            after=quote_name(move.after) or strings["review_none"],
        )
        for move in moved
    ]
    if lines:
        blocks.append(line_list(fill_plain(strings[f"{key}_moved"], count=str(len(lines))), lines, strings))
    return blocks


def line_list(heading: str, lines: Sequence[str], strings: Strings) -> Block:
    """A heading and the first of the lines below it."""
    items = [rich_text_section(*fill(cut(line, MAX_PHRASING))) for line in lines[:MAX_LINES] if line.strip()]
    if len(lines) > MAX_LINES:
        items.append(rich_text_section(*fill(strings["more_of_them"], count=str(len(lines) - MAX_LINES))))
    heading_section = rich_text_section(text_element(heading, bold=True))
    return {"type": "rich_text", "elements": [heading_section, *rich_text_list(items, "bullet")]}
