"""Pilot channels, where answers are private until a curator finds them good enough."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from sqlalchemy import and_, bindparam, case, delete, func, select
from sqlalchemy.exc import IntegrityError

from bot.model import PilotChannel
from bot.store.database import UNAVAILABLE, Database, put_bounded
from bot.store.tables import LONGEST_NAME, storable, trials, votes

_insert = trials.insert()
_one = and_(trials.c.workspace == bindparam("of"), trials.c.channel == bindparam("where"))
_find = select(trials.c.channel).where(_one)
_delete = delete(trials).where(_one)
_counted = (trials.c.channel, trials.c.since, trials.c.answered, trials.c.offered, trials.c.missed)
_votes_since = and_(
    votes.c.workspace == trials.c.workspace, votes.c.channel == trials.c.channel, votes.c.at >= trials.c.since
)
_all = (
    select(
        *_counted,
        func.sum(case((votes.c.vote == "good", 1), else_=0)).label("good"),
        func.sum(case((votes.c.vote == "bad", 1), else_=0)).label("bad"),
    )
    .join_from(trials, votes, _votes_since, isouter=True)
    .where(trials.c.workspace == bindparam("of"))
    .group_by(*_counted)
    .order_by(trials.c.since, trials.c.channel)
)


class PilotChannels:
    """Where answers are private."""

    def __init__(self, database: Database, clock: Callable[[], float], monotonic: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[str, str], tuple[bool, float]] = OrderedDict()
        """By workspace and channel: whether it is a pilot channel, and when that was read."""
        self._sets = 0

    def set(self, workspace: str, channel: str, on: bool, by: str) -> bool:
        """Make a channel a pilot channel, or end that and delete its figures. One that is one already stays as it is.

        Args:
            workspace: the channel's workspace.
            channel: its id.
            on: whether it is to be one.
            by: workspace and user who wants it.

        Returns:
            False if it couldn't be saved.
        """
        row = {
            "workspace": storable(workspace, LONGEST_NAME),
            "channel": storable(channel, LONGEST_NAME),
            "since": self._clock(),
            "by": storable(by, LONGEST_NAME),
        }

        def write() -> bool:
            if not on:
                self._database.write(_delete, of=workspace, where=channel)
                return True
            with suppress(IntegrityError):
                self._database.write(_insert, **row, answered=0, offered=0, missed=0)
            return True

        is_saved = self._database.run_or_default(write, False)
        if is_saved:
            with self._lock:
                self._sets += 1
                put_bounded(self._known, (workspace, channel), (on, self._monotonic()))
        return is_saved

    def contains(self, workspace: str, channel: str, max_age: float = 0.0) -> bool:
        """Whether it is a pilot channel; while the database is unavailable, as this process knew it last.

        Args:
            workspace: the channel's workspace.
            channel: its id.
            max_age: seconds that what this process knows may be old; `set` in this process is known at once.
        """
        known = self._known.get((workspace, channel))
        if known is not None and max_age and self._monotonic() - known[1] < max_age:
            return known[0]
        sets, now = self._sets, self._monotonic()
        read = partial(self._database.read, _find, of=workspace, where=channel)
        found = self._database.run_or_default(read, UNAVAILABLE, reads=True)
        if found is UNAVAILABLE:
            return known is not None and known[0]
        with self._lock:
            if sets == self._sets:  # else it may have been read before it was set
                put_bounded(self._known, (workspace, channel), (found is not None, now))
        return found is not None

    def all(self, workspace: str) -> tuple[PilotChannel, ...]:
        """The pilot channels with their figures, the oldest first; none while the database is unavailable."""
        found = self._database.run_or_default(lambda: self._database.read_all(_all, of=workspace), [], reads=True)
        return tuple(PilotChannel(**row._asdict()) for row in found)
