"""Waiting: who pressed "Tell me" on a miss. The one place where an asker's id is kept, until that person is told."""

from __future__ import annotations

from contextlib import suppress

from sqlalchemy import and_, bindparam, delete, select
from sqlalchemy.exc import IntegrityError

from bot.model import Waiting
from bot.store.database import Database
from bot.store.keys import plain
from bot.store.tables import LONGEST_NAME, misses, waiting

WAITING_LASTS = 30 * 24 * 3600
"""Seconds that somebody waits at most."""

_insert = waiting.insert()
_missed = select(misses.c.key).where(misses.c.workspace == bindparam("of"), misses.c.key == bindparam("name"))
_delete = delete(waiting).where(
    waiting.c.workspace == bindparam("of"), waiting.c.key == bindparam("name"), waiting.c.user == bindparam("who")
)
_all = (
    select(waiting.c.workspace, waiting.c.key, misses.c.text, waiting.c.user)
    .join(misses, and_(misses.c.workspace == waiting.c.workspace, misses.c.key == waiting.c.key))
    .order_by(waiting.c.at, waiting.c.workspace, waiting.c.key, waiting.c.user)
)


class Waits(Database):
    """Who is to be told."""

    def wait(self, workspace: str, key: str, user: str) -> bool:
        """Note that a person wants to be told of a miss; false if the miss isn't known or the database is away."""
        row = {"workspace": plain(workspace, LONGEST_NAME), "key": key, "user": plain(user, LONGEST_NAME)}

        def write() -> bool:
            if self._read(_missed, of=workspace, name=key) is None:
                return False
            with suppress(IntegrityError):  # pressed twice
                self._write(_insert, **row, at=self._clock())
            return True

        return self._try(write, False)

    def waiting(self) -> tuple[Waiting, ...]:
        """All who wait, the longest first; nobody while the database is away."""
        return tuple(Waiting(**row._mapping) for row in self._try(lambda: self._read_all(_all), [], reads=True))

    def told(self, workspace: str, key: str, user: str) -> bool:
        """Forget that a person waits. True for one caller, who tells them; false while the database is away."""
        return self._try(lambda: self._write(_delete, of=workspace, name=key, who=user), 0) == 1
