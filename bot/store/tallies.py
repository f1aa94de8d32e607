"""Tallies: how many questions ended how, by day."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.exc import IntegrityError

from bot.model import Outcome, Tally
from bot.store.database import DAY, Database
from bot.store.keys import plain
from bot.store.tables import LONGEST_NAME, tallies, trials

_insert = tallies.insert()
_again = (
    update(tallies)
    .where(
        tallies.c.day == bindparam("on"),
        tallies.c.workspace == bindparam("of"),
        tallies.c.channel == bindparam("where"),
        tallies.c.outcome == bindparam("ended"),
    )
    .values(count=tallies.c.count + bindparam("more"))
)
_tried = {
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
_heard = select(tallies.c.workspace).distinct().order_by(tallies.c.workspace)
_week_of_one = _week.where(tallies.c.workspace == bindparam("of"))


class Tallies(Database):
    """How questions ended."""

    def tally(self, workspace: str, outcome: Outcome, channel: str = "", count: int = 1) -> None:
        """Count a question, or several that ended alike; `channel` is given where it is on trial."""
        of, where = plain(workspace, LONGEST_NAME), plain(channel, LONGEST_NAME)
        self._try(lambda: self._count(day(self._clock()), of, where, outcome, count), None)

    def week(self, workspace: str | None, days: int = 7) -> tuple[Tally, ...]:
        """The counts of the last days, today's among them; of all workspaces together where none is named."""
        values = {"since": day(self._clock() - days * DAY)} | ({} if workspace is None else {"of": workspace})
        statement = _week if workspace is None else _week_of_one
        found = self._try(lambda: self._read_all(statement, **values), [], reads=True)
        return tuple(Tally(row.day, row.outcome, row.channel, int(row.count)) for row in found)

    def heard_from(self) -> tuple[str, ...]:
        """The workspaces that questions came from; nothing while the database is away."""
        found = self._try(lambda: self._read_all(_heard), [], reads=True)
        return tuple(row.workspace for row in found)

    def _count(self, on: str, of: str, where: str, outcome: Outcome, more: int) -> None:
        values: dict[str, Any] = {"on": on, "of": of, "where": where, "ended": outcome, "more": more}
        if self._write(_again, **values) == 0:
            try:
                self._write(_insert, day=on, workspace=of, channel=where, outcome=outcome, count=more)
            except IntegrityError:  # somebody counted the first one just now
                self._write(_again, **values)
        if where and outcome in _tried:
            self._write(_tried[outcome], of=of, where=where, more=more)


def day(at: float) -> str:
    """The day of a moment, ISO and UTC."""
    return datetime.fromtimestamp(at, UTC).date().isoformat()
