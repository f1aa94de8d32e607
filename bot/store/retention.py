"""Retention: what is old goes, and so does what a person wants forgotten."""

from __future__ import annotations

import threading
from typing import Any

from sqlalchemy import Connection, Table, and_, bindparam, delete, exists, func, select, tuple_, update

from bot.store.changes import Changes
from bot.store.claims import CLAIM_LASTS, Claims
from bot.store.conversations import CONTEXT_LASTS, Conversations
from bot.store.database import RETENTION_DAYS
from bot.store.keys import digest
from bot.store.tables import changes, claims, contexts, misses, tallies, trials, votes, waiting
from bot.store.tallies import day
from bot.store.waiting import WAITING_LASTS

PURGE_EVERY = 3600
"""Seconds between two removals of what is no longer remembered."""
PURGED_AT_ONCE = 500
"""Rows that are removed in one go, so that answers needn't wait for more."""
MOST_MISSES = 5_000
"""Questions asked in vain that a workspace keeps: curators look through two thousand, and nobody is to fill the disk."""
__all__ = ["PURGE_EVERY", "RETENTION_DAYS", "Retention"]


_crowded = select(misses.c.workspace).group_by(misses.c.workspace).having(func.count() > MOST_MISSES)
_least_asked = delete(misses).where(
    tuple_(misses.c.workspace, misses.c.key).in_(
        select(misses.c.workspace, misses.c.key)
        .where(misses.c.workspace == bindparam("of"))
        .order_by(misses.c.count.desc(), misses.c.last.desc(), misses.c.key)
        .offset(MOST_MISSES)
        .limit(PURGED_AT_ONCE)
    )
)


class Retention(Claims, Conversations, Changes):
    """What goes, and when."""

    def tend(self, stop: threading.Event) -> None:
        """Purge now and once an hour, until `stop` is set; for a thread of its own."""
        self.purge()
        while not stop.wait(PURGE_EVERY):
            self.purge()

    def purge(self) -> None:
        """Remove what is older than its limit. Active changes stay; so does a channel's trial until it is ended."""
        now = self._clock()
        self._purge_misses()
        for table, old in _outdated(now, self._retention):
            while self._purged(table, old) >= PURGED_AT_ONCE:
                continue
        with self._lock:
            for name in [name for name, kept in self._kept.items() if kept.at <= now - CONTEXT_LASTS]:
                del self._kept[name]

    def forget(self, workspace: str, user: str) -> int:
        """Forget what names a person or could be traced to them; how many things that were.

        Conversations and waiting go; of what they curated only the name goes. Votes can't be linked to anybody.
        """
        whose, by = self._seal(f"{workspace}:{user}"), f"{workspace}:{user}"
        with self._lock:
            ours = [name for name, kept in self._kept.items() if kept.person == whose]
            for name in ours:
                del self._kept[name]
        forgotten = self._try(lambda: self._forgotten(workspace, user, whose, by), None)
        return len(ours) if forgotten is None else forgotten

    def _purged(self, table: Table, old: Any) -> int:
        """Remove some rows; how many those were."""
        keys = tuple(table.primary_key.columns)
        some = select(*keys).where(old).limit(PURGED_AT_ONCE)
        statement = delete(table).where(tuple_(*keys).in_(some) if len(keys) > 1 else keys[0].in_(some))
        return self._try(lambda: self._write(statement), 0)

    def _purge_misses(self) -> None:
        """Keep those that were asked most, and of those the latest."""
        for workspace in self._try(lambda: self._read_all(_crowded), [], reads=True):
            while self._try(lambda: self._write(_least_asked, of=workspace[0]), 0) >= PURGED_AT_ONCE:  # noqa: B023
                continue

    def _forgotten(self, workspace: str, user: str, whose: str, by: str) -> int:
        with self._transaction() as connection:
            return sum(_rows(connection, statement) for statement in _forgetting(workspace, user, whose, by))


def _rows(connection: Connection, statement: Any) -> int:
    return int(connection.execute(statement).rowcount)


def _outdated(now: float, retention: float) -> tuple[tuple[Table, Any], ...]:
    """Of each table that forgets, what is too old; of the waiting also those whose miss is gone."""
    missed = exists().where(misses.c.workspace == waiting.c.workspace, misses.c.key == waiting.c.key)
    return (
        (claims, claims.c.at <= now - CLAIM_LASTS),
        (contexts, contexts.c.at <= now - CONTEXT_LASTS),
        (votes, votes.c.at <= now - retention),
        (misses, misses.c.last <= now - retention),
        (waiting, (waiting.c.at <= now - WAITING_LASTS) | ~missed),
        (tallies, tallies.c.day <= day(now - retention)),
        (changes, and_(changes.c.undone.is_not(None), changes.c.undone <= now - retention)),
    )


def _forgetting(workspace: str, user: str, whose: str, by: str) -> tuple[Any, ...]:
    return (
        # Who was heard by a process of the release before, which may still run, is named without the token.
        delete(contexts).where(contexts.c.person.in_((whose, digest(by)))),
        delete(waiting).where(waiting.c.workspace == workspace, waiting.c.user == user),
        update(changes).where(changes.c.by == by).values(by=""),
        update(trials).where(trials.c.by == by).values(by=""),
    )
