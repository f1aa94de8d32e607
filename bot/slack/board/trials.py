"""Channels on trial: how each goes, and what puts another one on trial."""

from __future__ import annotations

from collections.abc import Iterable

from bot.model import Trial
from bot.slack import limits
from bot.slack.blocks import button, plain_text, rows
from bot.slack.board.drawing import day_of, paragraph
from bot.slack.board.sentences import channel, fill
from bot.slack.board.values import OUTCOMES, Board
from bot.slack.limits import Block
from bot.slack.words import Words


def trials_of(board: Board, words: Words) -> list[list[Block]]:
    """A row for each channel."""
    return [_trial(trial, board, words) for trial in board.trials]


def _trial(trial: Trial, board: Board, words: Words) -> list[Block]:
    """A channel on trial: what its askers got, how they liked it, and the switch."""
    told = fill(words["trial_since"], channel=channel(trial.channel), since=day_of(trial.since, board.now))
    switch = button(words["trial_off"], "public", {"value": trial.channel})
    return [paragraph((*told, *figures(trial, words))), *rows([switch])]


def figures(trial: Trial, words: Words) -> tuple[Block, ...]:
    """What a trial has counted, as the end of a paragraph."""
    asked, votes = trial.answered + trial.offered + trial.missed, trial.good + trial.bad
    counted = {name: str(getattr(trial, name)) for name in (*OUTCOMES, "good", "bad")}
    counted |= {
        "asked": str(asked),
        "votes": str(votes),
        "percent": str(round(100 * trial.good / votes) if votes else 0),
    }
    precision = words["trial_precision" if votes else "trial_no_votes"]
    return (*fill(f" {words['trial_figures']}", **counted), *fill(f" {precision}", **counted))


def starting(words: Words) -> Iterable[Block]:
    """What puts another channel on trial."""
    menu = {
        "type": "conversations_select",
        "action_id": "trial:pick",
        "placeholder": plain_text(words["trial_pick"], limits.PLACEHOLDER),
        "filter": {"include": ["public", "private"], "exclude_bot_users": True},
    }
    return rows([menu])
