"""Retention: what is too old is deleted, and so is what a person wants forgotten."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Table, bindparam, delete, exists, func, or_, select, tuple_, update

from bot.store.claims import CLAIM_LASTS
from bot.store.connections import Connection
from bot.store.conversations import CONTEXT_LASTS
from bot.store.database import Database
from bot.store.subscriptions import WAITING_LASTS
from bot.store.tables import (
    changes,
    claims,
    contexts,
    digest,
    misses,
    processes,
    tallies,
    trials,
    turns,
    votes,
    waiting,
)
from bot.store.tallies import day_of
from bot.store.turns import PROCESS_LASTS, TURN_LASTS

PURGE_EVERY = 3600
"""Seconds between two purges."""
PURGED_AT_ONCE = 500
"""Rows that one statement deletes, so that answers needn't wait for more."""
MOST_MISSES = 5_000
"""Questions asked in vain that a workspace keeps: curators look through two thousand, and nobody is to fill the disk."""

_before: Any = bindparam("before")


def _purging(table: Table, is_outdated: Any) -> Any:
    keys = tuple(table.primary_key.columns)
    some = select(*keys).where(is_outdated).limit(PURGED_AT_ONCE)
    return delete(table).where(tuple_(*keys).in_(some) if len(keys) > 1 else keys[0].in_(some))


_has_miss = exists().where(misses.c.workspace == waiting.c.workspace, misses.c.key == waiting.c.key)
_purge_claims = _purging(claims, claims.c.at <= _before)
_purge_contexts = _purging(contexts, contexts.c.at <= _before)
_purge_turns = _purging(turns, turns.c.at <= _before)
_purge_processes = _purging(processes, processes.c.at <= _before)
_purge_votes = _purging(votes, votes.c.at <= _before)
_purge_misses = _purging(misses, misses.c.last <= _before)
_purge_waiting = _purging(waiting, (waiting.c.at <= _before) | ~_has_miss)
_purge_tallies = _purging(tallies, tallies.c.day <= _before)
_purge_changes = _purging(changes, changes.c.undone.is_not(None) & (changes.c.undone <= _before))

_crowded = select(misses.c.workspace).group_by(misses.c.workspace).having(func.count() > MOST_MISSES)
_delete_least_asked = delete(misses).where(
    tuple_(misses.c.workspace, misses.c.key).in_(
        select(misses.c.workspace, misses.c.key)
        .where(misses.c.workspace == bindparam("of"))
        .order_by(misses.c.count.desc(), misses.c.last.desc(), misses.c.key)
        .offset(MOST_MISSES)
        .limit(PURGED_AT_ONCE)
    )
)

_forget_contexts = delete(contexts).where(
    or_(contexts.c.person == bindparam("person"), contexts.c.person == bindparam("unkeyed"))
)
_forget_waiting = delete(waiting).where(waiting.c.workspace == bindparam("of"), waiting.c.user == bindparam("who"))
_forget_curator = update(changes).where(changes.c.by == bindparam("who")).values(by="")
_forget_pilot = update(trials).where(trials.c.by == bindparam("who")).values(by="")


def purge(database: Database, now: float, retention: float) -> None:
    """Delete what is older than its limit. Active changes stay; so does a pilot channel until it is ended.

    Args:
        database: where.
        now: seconds since 1970.
        retention: seconds that misses, votes, tallies and undone changes are kept.
    """
    for row in database.run_or_default(lambda: database.read_all(_crowded), [], reads=True):
        _repeat(database, _delete_least_asked, of=row.workspace)
    for statement, before in (
        (_purge_claims, now - CLAIM_LASTS),
        (_purge_contexts, now - CONTEXT_LASTS),
        (_purge_turns, now - TURN_LASTS),
        (_purge_processes, now - PROCESS_LASTS),
        (_purge_votes, now - retention),
        (_purge_misses, now - retention),
        (_purge_waiting, now - WAITING_LASTS),
        (_purge_tallies, day_of(now - retention)),
        (_purge_changes, now - retention),
    ):
        _repeat(database, statement, before=before)


def forget(database: Database, workspace: str, user: str, hmac_id: Callable[[str], str], now: float) -> int | None:
    """Delete what names a person or could be traced to them; of what they curated only the name goes.

    Returns:
        How many rows; None while the database is unavailable.
    """
    who = f"{workspace}:{user}"

    def forget_all(connection: Connection) -> int:
        # A process of the release before, which may still run, names people without the secret.
        gone = connection.write(_forget_contexts, person=hmac_id(who), unkeyed=digest(who))
        connection.write(_purge_turns, before=now - TURN_LASTS)  # what a killed process has left
        gone += connection.write(_forget_waiting, of=workspace, who=user)
        return gone + connection.write(_forget_curator, who=who) + connection.write(_forget_pilot, who=who)

    return database.run_or_default(lambda: database.transaction(forget_all), None)


def _repeat(database: Database, statement: Any, **values: Any) -> None:
    """Delete as many times as there is something left."""
    while database.run_or_default(lambda: database.write(statement, **values), 0) >= PURGED_AT_ONCE:
        continue
