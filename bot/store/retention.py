"""Retention: what is too old is deleted, and so is what a person wants forgotten, and a workspace that has removed the app."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sqlalchemy import Table, bindparam, delete, exists, func, or_, select, tuple_, update

from bot.store.claims import CLAIM_LASTS
from bot.store.connections import Connection
from bot.store.conversations import CONTEXT_LASTS
from bot.store.database import Database
from bot.store.installations import PURGE_AFTER, STATE_LASTS, Installations
from bot.store.subscriptions import WAITING_LASTS
from bot.store.tables import (
    changes,
    claims,
    contexts,
    departed,
    digest,
    help_requests,
    installations,
    misses,
    oauth_states,
    org_teams,
    processes,
    revisions,
    taken,
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
POSTS_GO_WITHIN = 7 * 24 * 3600
"""Seconds after which what is left of a forgotten help request goes although its post couldn't be deleted: the app may not be in
its channel any more."""
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
_forgotten_help: dict[str, Any] = dict.fromkeys(
    ("asker", "text", "answer_ref", "origin_channel", "origin_thread", "answer", "link", "by"), ""
) | {"forgotten_at": bindparam("now")}
"""What is emptied of a help request whose post has to be deleted in Slack, before its row can go."""
_is_kept = help_requests.c.forgotten_at == 0
_purge_unposted = _purging(help_requests, _is_kept & (help_requests.c.ts == "") & (help_requests.c.at <= _before))
_outdated_posts = select(help_requests.c.id).where(_is_kept, help_requests.c.at <= _before).limit(PURGED_AT_ONCE)
_purge_posts = update(help_requests).where(help_requests.c.id.in_(_outdated_posts)).values(_forgotten_help)
_purge_forgotten = _purging(help_requests, ~_is_kept & (help_requests.c.forgotten_at <= _before))
_purge_states = _purging(oauth_states, oauth_states.c.at <= _before)

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

_forget_contexts = delete(contexts).where(contexts.c.person == bindparam("person"))
_forget_waiting = delete(waiting).where(waiting.c.workspace == bindparam("of"), waiting.c.user == bindparam("who"))
_of_asker = (help_requests.c.workspace == bindparam("of"), help_requests.c.asker == bindparam("who"))
_forget_posts = update(help_requests).where(*_of_asker).values(_forgotten_help)
_forget_helper = (
    update(help_requests)
    .where(help_requests.c.workspace == bindparam("of"), help_requests.c.by == bindparam("who"))
    .values(by="")
)
_forget_curator = update(changes).where(changes.c.by == bindparam("who")).values(by="")
_forget_pilot = update(trials).where(trials.c.by == bindparam("who")).values(by="")

_OF_WORKSPACE = tuple(
    (name, _purging(table, table.c.workspace == bindparam("of")))
    for name, table in (
        ("edits by curators", changes),
        ("", taken),
        ("", revisions),
        ("people who wait for an answer", waiting),
        ("questions put to people", help_requests),
        ("questions without an answer", misses),
        ("votes", votes),
        ("counts", tallies),
        ("channels on trial", trials),
    )
)
"""Of each table that names workspaces: what its rows are (nothing for those that serve another table), and what deletes some."""
_is_departed = (
    update(departed).where(departed.c.team == bindparam("of"), departed.c.at <= _before).values(at=departed.c.at)
)
"""Changes nothing; whoever installs the app again meanwhile waits until this transaction has ended."""
_is_served = select(installations.c.team).where(
    or_(
        installations.c.team == bindparam("of"),
        installations.c.team.in_(select(org_teams.c.organisation).where(org_teams.c.team == bindparam("of"))),
    )
)
_find_installation = select(installations.c.team).where(installations.c.team == bindparam("of"))
_find_organisation = (
    select(org_teams.c.organisation)
    .where(org_teams.c.team == bindparam("of"))
    .where(org_teams.c.organisation.in_(select(installations.c.team)))
)
_delete_departed = delete(departed).where(departed.c.team == bindparam("of"))
_delete_members = delete(org_teams).where(org_teams.c.organisation == bindparam("of"))
_delete_member = delete(org_teams).where(org_teams.c.team == bindparam("of"))


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
        (_purge_unposted, now - retention),
        (_purge_forgotten, now - POSTS_GO_WITHIN),
        (_purge_states, now - STATE_LASTS),
    ):
        _repeat(database, statement, before=before)
    _repeat(database, _purge_posts, before=now - retention, now=now)


def forget(
    database: Database, workspace: str, user: str, ids: Callable[[str], Sequence[str]], now: float
) -> int | None:
    """Delete what names a person or could be traced to them; of what they curated only the name goes.

    Args:
        database: where.
        workspace: the person's workspace.
        user: the person.
        ids: the ids under which something may be stored, the newest key's and those of older ones.
        now: seconds since 1970.

    Returns:
        How many rows; None while the database is unavailable.
    """
    who = f"{workspace}:{user}"

    def forget_all(connection: Connection) -> int:
        # A process of the release before, which may still run, names people without the secret.
        gone = sum(connection.write(_forget_contexts, person=person) for person in {*ids(who), digest(who)})
        connection.write(_purge_turns, before=now - TURN_LASTS)  # what a killed process has left
        gone += connection.write(_forget_waiting, of=workspace, who=user)
        gone += connection.write(_forget_posts, of=workspace, who=user, now=now)
        gone += connection.write(_forget_helper, of=workspace, who=user)
        return gone + connection.write(_forget_curator, who=who) + connection.write(_forget_pilot, who=who)

    gone = database.run_or_default(lambda: database.transaction(forget_all), None)
    # Half an hour after a rotation an older key may be gone from the setting: what it named has to be gone, too.
    _repeat(database, _purge_contexts, before=now - CONTEXT_LASTS)
    return gone


# --- workspaces


@dataclass(slots=True)
class Forgotten:
    """What was deleted of a workspace or an organisation.

    `counts`: how many by name; `teams`: whose, itself first; `served`: workspaces of the organisation that have an installation
    of their own, and of which nothing was deleted; `organisation`: the one that has the app and to which the workspace belongs;
    `rows`: how many rows in all.
    """

    counts: dict[str, int] = field(default_factory=dict)
    teams: tuple[str, ...] = ()
    served: tuple[str, ...] = ()
    organisation: str = ""
    was_installed: bool = False
    rows: int = 0

    def add(self, name: str, rows: int) -> None:
        """Count what was deleted."""
        self.rows += rows
        if name and rows:
            self.counts[name] = self.counts.get(name, 0) + rows

    def add_all(self, other: Forgotten) -> None:
        """Count what another call deleted."""
        self.rows += other.rows - sum(other.counts.values())
        for name, rows in other.counts.items():
            self.add(name, rows)


def forget_departed(database: Database, known: Installations, now: float) -> list[str]:
    """Delete what names the workspaces that removed the app PURGE_AFTER seconds ago or earlier; whose.

    A few rows at a time, and only while it is still removed. Interrupted, the next purge goes on.
    """
    forgotten = []
    for team in known.removed_teams():
        others = database.run_or_default(partial(known.teams_of, team), None, reads=True)
        members = [team, *(others or ())]
        if others is not None and all(_forget_member(database, team, member, now) for member in members):
            forgotten += members
            database.run_or_default(partial(database.transaction, partial(_last_step, team, now)), None)
    if forgotten:
        database.scrub()
    return forgotten


def _forget_member(database: Database, team: str, member: str, now: float) -> bool:
    """Delete all of `member` on account of `team`; false if that was installed again, or the database is unavailable."""

    def step(statement: Any, connection: Connection) -> int:
        if connection.write(_is_departed, of=team, before=now - PURGE_AFTER) == 0:
            return -1
        if connection.read(_is_served, of=member) is not None:
            return 0
        return connection.write(statement, of=member)

    for _, statement in _OF_WORKSPACE:
        number = PURGED_AT_ONCE
        while number >= PURGED_AT_ONCE:
            number = database.run_or_default(partial(database.transaction, partial(step, statement)), -1)
        if number < 0:
            return False
    return True


def _last_step(team: str, now: float, connection: Connection) -> None:
    if connection.write(_is_departed, of=team, before=now - PURGE_AFTER):
        _delete_notes(team, connection)


def _delete_notes(team: str, connection: Connection) -> int:
    """Delete that a team has removed the app, and which workspaces belong to it; itself, unless its organisation has the app."""
    rows = connection.write(_delete_members, of=team)
    if connection.read(_is_served, of=team) is None:
        rows += connection.write(_delete_member, of=team)
    return rows + connection.write(_delete_departed, of=team)


def forget_workspace(database: Database, known: Installations, team: str) -> Forgotten:
    """Delete all of a workspace, or of an organisation with the workspaces that were met: its tokens first.

    Where it had tokens, what was in hand may still write something. Then it stays noted that it has to go: the next call, or the
    purge after an hour, deletes that too. Raises StoreError while the database is unavailable.
    """
    result = Forgotten()
    was_installed = result.was_installed = known.remove(team)
    result.add("installations, with their tokens", int(was_installed))
    organisation = database.run_or_raise(partial(database.read, _find_organisation, of=team))
    result.organisation = organisation.organisation if organisation is not None else ""
    members = database.run_or_raise(partial(known.teams_of, team))
    result.served = tuple(each for each in members if _has_installation(database, each))
    result.teams = (team, *(each for each in members if each not in result.served))
    for member in result.teams:
        for name, statement in _OF_WORKSPACE:
            rows = PURGED_AT_ONCE
            while rows >= PURGED_AT_ONCE:
                rows = database.run_or_raise(partial(database.write, statement, of=member))
                result.add(name, rows)
    if not was_installed:
        result.add("", database.run_or_raise(partial(database.transaction, partial(_delete_notes, team))))
    database.scrub()
    return result


def _has_installation(database: Database, team: str) -> bool:
    return database.run_or_raise(partial(database.read, _find_installation, of=team)) is not None


def _repeat(database: Database, statement: Any, **values: Any) -> None:
    """Delete as many times as there is something left."""
    while database.run_or_default(lambda: database.write(statement, **values), 0) >= PURGED_AT_ONCE:
        continue
