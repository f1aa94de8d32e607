"""Subscriptions: who pressed "Tell me" on a miss. The one place where an asker's id is stored, until that person is notified."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial

from sqlalchemy import and_, bindparam, delete, select
from sqlalchemy.exc import IntegrityError

from bot.model import Subscription
from bot.store.database import Database
from bot.store.tables import LONGEST_NAME, misses, storable, waiting

WAITING_LASTS = 30 * 24 * 3600
"""Seconds that a subscription lasts at most."""

_insert = waiting.insert()
_find_miss = select(misses.c.key).where(misses.c.workspace == bindparam("of"), misses.c.key == bindparam("name"))
_delete = delete(waiting).where(
    waiting.c.workspace == bindparam("of"), waiting.c.key == bindparam("name"), waiting.c.user == bindparam("who")
)
_all = (
    select(waiting.c.workspace, waiting.c.key, misses.c.text, waiting.c.user, waiting.c.at)
    .join(misses, and_(misses.c.workspace == waiting.c.workspace, misses.c.key == waiting.c.key))
    .order_by(waiting.c.at, waiting.c.workspace, waiting.c.key, waiting.c.user)
)


class Subscriptions:
    """Who is to be notified."""

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock

    def add(self, workspace: str, key: str, user: str) -> bool:
        """Save that a person wants to be notified of a miss; false if the miss isn't stored or the database is unavailable."""
        row = {"workspace": storable(workspace, LONGEST_NAME), "key": key, "user": storable(user, LONGEST_NAME)}

        def write() -> bool:
            if self._database.read(_find_miss, of=row["workspace"], name=key) is None:
                return False
            with suppress(IntegrityError):  # pressed twice
                self._database.write(_insert, **row, at=self._clock())
            return True

        return self._database.run_or_default(write, False)

    def all(self) -> tuple[Subscription, ...]:
        """All subscriptions, the longest waiting first; none while the database is unavailable."""
        found = self._database.run_or_default(lambda: self._database.read_all(_all), [], reads=True)
        return tuple(Subscription(**row._asdict()) for row in found)

    def remove(self, workspace: str, key: str, user: str) -> bool:
        """Delete a subscription. True for the one caller whose delete hit; false while the database is unavailable."""
        delete_it = partial(self._database.write, _delete, of=workspace, name=key, who=user)
        return self._database.run_or_default(delete_it, 0) == 1
