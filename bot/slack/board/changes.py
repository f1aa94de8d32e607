"""What curators changed: a row for each batch of edits, with the way back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bot.model import Change
from bot.slack import limits
from bot.slack.blocks import button
from bot.slack.board.drawing import moment_of, paragraph, unparsed
from bot.slack.board.sentences import described, fill, person
from bot.slack.board.values import Board
from bot.slack.limits import Block, cut
from bot.slack.words import Words


def changes_of(board: Board, words: Words) -> list[list[Block]]:
    """A row for each batch of edits."""
    return [_changed(batch, board, words) for batch in batches(board.history)]


def _changed(batch: Sequence[Change], board: Board, words: Words) -> list[Block]:
    """What was changed, by whom and when, and the way back."""
    change = batch[0]
    block = unparsed(described(batch, board.knowledge, words))
    what = change.title or change.text
    label = cut(f"{words['undo']}: {what}", limits.BUTTON_LABEL)
    if change.batch:
        block["accessory"] = button(words["undo"], "undo", {"value": change.batch, "accessibility_label": label})
    return [
        block,
        paragraph(fill(words["changed_by"], who=person(change.by, words), when=moment_of(change.at, board.now))),
    ]


def batches(changes: Iterable[Change]) -> list[list[Change]]:
    """Edits that were made together, in the order in which they are given."""
    found: dict[str, list[Change]] = {}
    for change in changes:
        found.setdefault(change.batch or change.id, []).append(change)
    return list(found.values())
