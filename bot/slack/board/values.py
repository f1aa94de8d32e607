"""What curators go by at one moment, and what has just been done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from bot.model import Change, Complaint, Knowledge, Miss, Outcome, Tally, Trial
from bot.slack.limits import Block

CURATE, DAYS, MISSES, VOTES, CHANGES, TRIALS = "curate", "days", "misses", "votes", "changes", "trials"
PAGES = (CURATE, DAYS, MISSES, VOTES, CHANGES, TRIALS)
"""Names of the pages."""
OUTCOMES: tuple[Outcome, ...] = ("answered", "offered", "missed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """What a workspace's curators go by at one moment. `away`: the database can't be read, so that something is missing."""

    knowledge: Knowledge
    now: float
    groups: tuple[tuple[Miss, ...], ...] = ()
    week: tuple[Tally, ...] = ()
    complaints: tuple[Complaint, ...] = ()
    history: tuple[Change, ...] = ()
    trials: tuple[Trial, ...] = ()
    faults: tuple[str, ...] = ()
    away: bool = False


@dataclass(frozen=True, slots=True)
class Note:
    """What has just been done, with a button that undoes the batch, or puts a channel back on trial."""

    leaves: tuple[Block, ...]
    undo: str = ""
    trial: str = ""


class Moved(Protocol):
    """A question whose answer would be another one; empty stands for no answer."""

    @property
    def question(self) -> str: ...

    @property
    def before(self) -> str: ...

    @property
    def after(self) -> str: ...
