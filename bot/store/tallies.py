"""Tallies: how many questions ended how, by day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.exc import IntegrityError

from bot.model import Outcome, Tally
from bot.store.database import DAY, Database
from bot.store.tables import LONGEST_NAME, storable, tallies, trials

_insert = tallies.insert()
_count_again = (
    update(tallies)
    .where(
        tallies.c.day == bindparam("on"),
        tallies.c.workspace == bindparam("of"),
        tallies.c.channel == bindparam("where"),
        tallies.c.outcome == bindparam("ended"),
    )
    .values(count=tallies.c.count + bindparam("more"))
)
_count_in_pilot = {
    outcome: update(trials)
    .where(trials.c.workspace == bindparam("of"), trials.c.channel == bindparam("where"))
    .values({outcome: trials.c[outcome] + bindparam("more")})
    for outcome in ("answered", "offered", "missed")
}
_week = (
    select(tallies.c.day, tallies.c.outcome, tallies.c.channel, func.sum(tallies.c.count).label("count"))
    .where(tallies.c.day > bindparam("since"))
    .group_by(tallies.c.day, tallies.c.outcome, tallies.c.channel)
    .order_by(tallies.c.day, tallies.c.outcome, tallies.c.channel)
)
_week_of_one = _week.where(tallies.c.workspace == bindparam("of"))
_workspaces = select(tallies.c.workspace).distinct().order_by(tallies.c.workspace)


class Tallies:
    """How questions ended."""

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock

    def add(self, workspace: str, outcome: Outcome, channel: str = "", count: int = 1) -> None:
        """Count a question, or several that ended alike; `channel` is given where it is a pilot channel."""
        of, where = storable(workspace, LONGEST_NAME), storable(channel, LONGEST_NAME)
        day = day_of(self._clock())
        self._database.run_or_default(lambda: self._count(day, of, where, outcome, count), None)

    def week(self, workspace: str | None, days: int = 7) -> tuple[Tally, ...]:
        """The counts of the last `days`, today's among them; of all workspaces together for None."""
        values = {"since": day_of(self._clock() - days * DAY)} | ({} if workspace is None else {"of": workspace})
        statement = _week if workspace is None else _week_of_one
        found = self._database.run_or_default(lambda: self._database.read_all(statement, **values), [], reads=True)
        return tuple(Tally(row.day, row.outcome, row.channel, int(row.count)) for row in found)

    def workspaces(self) -> tuple[str, ...]:
        """The workspaces that questions came from; none while the database is unavailable."""
        found = self._database.run_or_default(lambda: self._database.read_all(_workspaces), [], reads=True)
        return tuple(row.workspace for row in found)

    def _count(self, day: str, of: str, where: str, outcome: Outcome, more: int) -> None:
        values: dict[str, Any] = {"on": day, "of": of, "where": where, "ended": outcome, "more": more}
        if self._database.write(_count_again, **values) == 0:
            try:
                self._database.write(_insert, day=day, workspace=of, channel=where, outcome=outcome, count=more)
            except IntegrityError:  # another thread or process counted the first one just now
                self._database.write(_count_again, **values)
        if where and outcome in _count_in_pilot:
            self._database.write(_count_in_pilot[outcome], of=of, where=where, more=more)


def day_of(at: float) -> str:
    """The day of a moment, ISO and UTC."""
    return datetime.fromtimestamp(at, UTC).date().isoformat()
