"""Trials: channels where answers are private until a curator finds them good enough."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

from sqlalchemy import and_, bindparam, case, delete, func, select
from sqlalchemy.exc import IntegrityError

from bot.model import Trial
from bot.store.database import RETENTION_DAYS, Database
from bot.store.keys import plain
from bot.store.tables import LONGEST_NAME, trials, votes

_insert = trials.insert()
_one = and_(trials.c.workspace == bindparam("of"), trials.c.channel == bindparam("where"))
_find = select(trials.c.channel).where(_one)
_delete = delete(trials).where(_one)
_counted = (trials.c.channel, trials.c.since, trials.c.answered, trials.c.offered, trials.c.missed)
_of_trial = and_(
    votes.c.workspace == trials.c.workspace, votes.c.channel == trials.c.channel, votes.c.at >= trials.c.since
)
_all = (
    select(
        *_counted,
        func.sum(case((votes.c.vote == "good", 1), else_=0)).label("good"),
        func.sum(case((votes.c.vote == "bad", 1), else_=0)).label("bad"),
    )
    .join_from(trials, votes, _of_trial, isouter=True)
    .where(trials.c.workspace == bindparam("of"))
    .group_by(*_counted)
    .order_by(trials.c.since, trials.c.channel)
)


class Trials(Database):
    """Where answers are private."""

    def __init__(
        self, url: str, clock: Callable[[], float] = time.time, retention_days: float = RETENTION_DAYS
    ) -> None:
        super().__init__(url, clock, retention_days)
        self._on_trial: set[tuple[str, str]] = set()

    def set_trial(self, workspace: str, channel: str, on: bool, by: str) -> bool:
        """Begin a channel's trial, or end it and forget its figures; false if that couldn't be written down.

        A trial that is on already goes on as it is.
        """
        row = {
            "workspace": plain(workspace, LONGEST_NAME),
            "channel": plain(channel, LONGEST_NAME),
            "since": self._clock(),
            "by": plain(by, LONGEST_NAME),
        }

        def write() -> bool:
            if not on:
                self._write(_delete, of=workspace, where=channel)
                return True
            with suppress(IntegrityError):
                self._write(_insert, **row, answered=0, offered=0, missed=0)
            return True

        written = self._try(write, False)
        if written:
            self._know_trial(workspace, channel, on)
        return written

    def in_trial(self, workspace: str, channel: str) -> bool:
        """Whether a channel is on trial; while the database is away, as this process knew it last."""
        found = self._try(lambda: self._read(_find, of=workspace, where=channel) is not None, None, reads=True)
        if found is not None:
            self._know_trial(workspace, channel, found)
        return (workspace, channel) in self._on_trial

    def _know_trial(self, workspace: str, channel: str, on: bool) -> None:
        if on:
            self._on_trial.add((workspace, channel))
        else:
            self._on_trial.discard((workspace, channel))

    def trials(self, workspace: str) -> tuple[Trial, ...]:
        """The channels on trial with their figures, the longest on trial first; nothing while the database is away."""
        found = self._try(lambda: self._read_all(_all, of=workspace), [], reads=True)
        return tuple(
            Trial(
                channel=row.channel,
                since=row.since,
                answered=row.answered,
                offered=row.offered,
                missed=row.missed,
                good=row.good,
                bad=row.bad,
            )
            for row in found
        )
