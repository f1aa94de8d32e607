"""What stands above a form: why it isn't saved, or what saving it would do and has done."""

from __future__ import annotations

from collections.abc import Sequence

from bot.slack.board.drawing import listed, paragraph
from bot.slack.board.sentences import fill, in_quotes, quoted, spoken
from bot.slack.board.values import Moved
from bot.slack.limits import Block
from bot.slack.words import Words


def status(told: Sequence[Block]) -> list[Block]:
    """Why it isn't saved."""
    return [{"type": "rich_text", "elements": [{"type": "rich_text_quote", "elements": list(told)}]}]


def review(faults: Sequence[str], moved: Sequence[Moved], words: Words) -> list[Block]:
    """What the lint says of a draft, and which other answers it would change."""
    blocks = _seen(faults, moved, words, "review")
    if not moved:
        blocks.append(paragraph(fill(words["review_same"])))
    return [*blocks, paragraph(fill(words["review_save"])), {"type": "divider"}]


def since(faults: Sequence[str], moved: Sequence[Moved], words: Words) -> list[Block]:
    """What the lint says of an edit that is saved, and which other answers it has changed."""
    return _seen(faults, moved, words, "since")


def _seen(faults: Sequence[str], moved: Sequence[Moved], words: Words, key: str) -> list[Block]:
    blocks = list(listed(words["review_faults"], faults, words)) if faults else []
    changed = [
        spoken(
            words[f"{key}_instead"],
            question=quoted(each.question),
            before=in_quotes(each.before) or words["review_none"],
            after=in_quotes(each.after) or words["review_none"],
        )
        for each in moved
    ]
    return [
        *blocks,
        *(listed(spoken(words[f"{key}_moved"], count=str(len(changed))), changed, words) if changed else ()),
    ]
