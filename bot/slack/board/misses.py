"""What was asked in vain: a row for each group of misses."""

from __future__ import annotations

from collections.abc import Sequence

from bot.model import Miss
from bot.slack import limits
from bot.slack.blocks import aside, button, rows
from bot.slack.board.drawing import bold, day_of, section
from bot.slack.board.sentences import fill, quoted, spoken, titled
from bot.slack.board.values import Board
from bot.slack.limits import Block, cut
from bot.slack.values import Sheet
from bot.slack.words import Words

TOGETHER = 30
"""Phrasings that are dealt with at once: their names fit into a button, and as many into a modal."""
SHOWN = 4
"""Phrasings of a group that its row shows."""


def misses_of(board: Board, words: Words) -> list[list[Block]]:
    """A row for each group: a few blocks that belong together."""
    return [_miss(group, board, words) for group in board.groups]


def _miss(group: Sequence[Miss], board: Board, words: Words) -> list[Block]:
    """A group of misses: its phrasings, its figures, and what can be done."""
    lead, *others = group
    elements = [section([bold(quoted(lead.text))])]
    if others:
        listed = [section(fill(quoted(each.text))) for each in others[: SHOWN - 1]]
        if len(others) > SHOWN - 1:
            listed.append(section(fill(words["more_of_them"], count=str(len(others) - SHOWN + 1))))
        elements.append({"type": "rich_text_list", "style": "bullet", "elements": listed})
    count = sum(miss.count for miss in group)
    first, last = (
        day_of(at, board.now) for at in (min(miss.first for miss in group), max(miss.last for miss in group))
    )
    key = "asked_once" if count == 1 else "asked_that_day" if first == last else "asked_often"
    asked = spoken(words[key], count=str(count), first=first, last=last)
    near = (
        spoken(words["nearest"], entry=titled(lead.best, board.knowledge))
        if lead.best in board.knowledge.by_id
        else words["nothing_near"]
    )
    value = {"value": Sheet.keys_of(miss.key for miss in group[:TOGETHER])}
    buttons = [
        button(
            words[name], name, value | {"accessibility_label": cut(f"{words[name]} {lead.text}", limits.BUTTON_LABEL)}
        )
        for name in ("means", "write", "not_ours", "ignore")
    ]
    return [{"type": "rich_text", "elements": elements}, aside(f"{asked} {near}"), *rows(buttons)]
