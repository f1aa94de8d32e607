"""Installations by OAuth: the encrypted tokens of each workspace or organisation, states, and who has removed the app.

Tokens come and go encrypted (`bot.keys`). A row is read for each message, so that a token that was revoked in one process is used
by none; while the database is unavailable, what this process read last counts.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, fields
from functools import partial

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.exc import IntegrityError

from bot.store.connections import Connection, StoreError
from bot.store.database import UNAVAILABLE, Database, put_bounded
from bot.store.tables import LONGEST_NAME, departed, digest, installations, oauth_states, org_teams, storable

STATE_LASTS = 600
"""Seconds in which somebody who has begun an installation has to come back from Slack. Used states are kept as long."""
PURGE_AFTER = 3600
"""Seconds after which the words and ids of a workspace that has removed the app are deleted, with the next hourly purge: whoever
installs it again at once, for another scope, keeps them."""

_find = select(installations).where(installations.c.team == bindparam("of"))
_all = select(installations).order_by(installations.c.team)
_insert = installations.insert()
_delete = delete(installations).where(installations.c.team == bindparam("of"))
_unchanged = (
    installations.c.team == bindparam("of"),
    installations.c.revision == bindparam("before"),
    installations.c.at == bindparam("since"),  # removed and installed again, the revision begins anew
)
_set_tokens = (
    update(installations)
    .where(*_unchanged)
    .values({name: bindparam(f"new_{name}") for name in ("bot_token", "refresh_token", "expires_at", "revision")})
)
_encrypt_anew = (
    update(installations)
    .where(*_unchanged)
    .values({name: bindparam(f"new_{name}") for name in ("bot_token", "refresh_token")})
)
_set_curators = (
    update(installations).where(installations.c.team == bindparam("of")).values(curators=bindparam("new_curators"))
)
_insert_state = oauth_states.insert()
_insert_departed = departed.insert()
_delete_departed = delete(departed).where(departed.c.team == bindparam("of"))
_find_departed = select(departed.c.team).where(departed.c.at <= bindparam("before"))
_insert_org_team = org_teams.insert()
_delete_org_team = delete(org_teams).where(org_teams.c.team == bindparam("of"))
_organisation_of = select(org_teams.c.organisation).where(org_teams.c.team == bindparam("of"))
_teams_of = select(org_teams.c.team).where(org_teams.c.organisation == bindparam("of"))


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredInstallation:
    """A row. `team` is a workspace (T…) or an organisation (E…). The two tokens are encrypted; without token rotation
    `refresh_token` is empty and `expires_at` 0. `curators`: ids with commas between, beside the installer's. `revision` changes
    with each new token."""

    team: str
    name: str = ""
    bot_token: str
    refresh_token: str = ""
    expires_at: float = 0.0
    bot: str = ""
    bot_user: str = ""
    scopes: str = ""
    installer: str = ""
    curators: str = ""
    at: float = 0.0
    revision: int = 1


class Installations:
    """The installations of all workspaces."""

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock
        self._lock = threading.Lock()
        self._known: OrderedDict[str, StoredInstallation] = OrderedDict()
        self._met: dict[str, set[str]] = {}
        """By organisation: its workspaces that are noted already, since it was installed."""

    def find(self, team: str) -> StoredInstallation | None:
        """The installation of a workspace or organisation; None if there is none. Raises StoreError where that can't be told."""
        found = self._database.run_or_default(partial(self._database.read, _find, of=team), UNAVAILABLE, reads=True)
        with self._lock:
            if found is UNAVAILABLE:
                if team not in self._known:
                    raise StoreError("The database can't be used just now. Try again in a minute.")
                return self._known[team]
            before = self._known.get(team)
            if found is None or before is None or before.at != found.at:
                self._met.pop(team, None)  # those of an installation before may be deleted
            if found is None:
                self._known.pop(team, None)
                return None
            row = StoredInstallation(**found._asdict())
            put_bounded(self._known, team, row)
            return row

    def all(self) -> list[StoredInstallation]:
        """All of them, by team. Raises StoreError while the database is unavailable."""
        return self._database.run_or_raise(
            lambda: [StoredInstallation(**row._asdict()) for row in self._database.read_all(_all)]
        )

    def save(self, installation: StoredInstallation) -> None:
        """Save an installation, in place of an earlier one of the same team, whose curators stay. Raises StoreError."""
        row = {field.name: getattr(installation, field.name) for field in fields(installation)}
        row |= {"name": storable(installation.name, LONGEST_NAME), "at": self._clock()}

        def write(connection: Connection) -> None:
            before = connection.read(_find, of=installation.team)
            if before is not None:
                row.update(revision=before.revision + 1, curators=installation.curators or before.curators)
            connection.write(_delete, of=installation.team)
            connection.write(_delete_departed, of=installation.team)
            connection.write(_insert, **row)

        self._database.run_or_raise(lambda: self._database.transaction(write))

    def replace_tokens(self, before: StoredInstallation, bot_token: str, refresh_token: str, expires_at: float) -> bool:
        """Save new tokens, unless somebody else has saved others since `before` was read; whether they were saved."""
        values = {"new_bot_token": bot_token, "new_refresh_token": refresh_token, "new_expires_at": expires_at}
        names = _as_read(before) | {"new_revision": before.revision + 1}
        return bool(self._database.run_or_raise(lambda: self._database.write(_set_tokens, **names, **values)))

    def encrypt_anew(self, before: StoredInstallation, bot_token: str, refresh_token: str) -> bool:
        """Save the same tokens, encrypted with another key, unless others were saved since `before` was read; whether they were.

        The revision stays: a process that is just fetching new tokens for these can still save them, and Slack gives them once.
        Raises StoreError.
        """
        values = {"new_bot_token": bot_token, "new_refresh_token": refresh_token}
        names = _as_read(before)
        return bool(self._database.run_or_raise(lambda: self._database.write(_encrypt_anew, **names, **values)))

    def set_curators(self, team: str, curators: str) -> bool:
        """Save who may curate beside the installer; false if there is no such installation. Raises StoreError."""
        return bool(
            self._database.run_or_raise(lambda: self._database.write(_set_curators, of=team, new_curators=curators))
        )

    def remove(self, team: str) -> bool:
        """Delete a team's tokens, and note that its words and ids have to go; whether it was installed. Raises StoreError."""

        def write(connection: Connection) -> bool:
            is_removed = connection.write(_delete, of=team) > 0
            if is_removed and connection.write(_delete_departed, of=team) == 0:
                connection.write(_insert_departed, team=team, at=self._clock())
            return is_removed

        with self._lock:
            self._known.pop(team, None)
        is_removed = self._database.run_or_raise(lambda: self._database.transaction(write))
        if is_removed:
            self._database.scrub()
        return is_removed

    # --- states

    def use_state(self, state: str) -> bool:
        """Whether a state is used for the first time, in all processes. Raises StoreError."""

        def work() -> bool:
            try:
                self._database.write(_insert_state, state=digest(state), at=self._clock())
            except IntegrityError:
                return False
            return True

        return self._database.run_or_raise(work)

    # --- organisations

    def note_member(self, team: str, organisation: str) -> None:
        """Note that a workspace belongs to an organisation, so that its rows can be deleted with it."""
        met = self._met.setdefault(organisation, set())
        if team in met:
            return

        def work() -> bool:
            self._database.write(_delete_org_team, of=team)  # it may have been another one's
            with suppress(IntegrityError):
                self._database.write(_insert_org_team, team=team, organisation=organisation)
            return True

        if self._database.run_or_default(work, False):
            met.add(team)

    def teams_of(self, organisation: str) -> list[str]:
        """The workspaces of an organisation that were met."""
        return [row.team for row in self._database.read_all(_teams_of, of=organisation)]

    def find_for(self, team: str) -> StoredInstallation | None:
        """The installation that serves a workspace: its own, or its organisation's."""
        found = self.find(team)
        organisation = self.organisation_of(team) if found is None else ""
        return self.find(organisation) if organisation else found

    def organisation_of(self, team: str) -> str:
        """The organisation of a workspace that was met; empty if it wasn't."""
        row = self._database.run_or_default(partial(self._database.read, _organisation_of, of=team), None, reads=True)
        return str(row.organisation) if row is not None else ""

    def removed_teams(self) -> list[str]:
        """Those that removed the app PURGE_AFTER seconds ago or earlier."""
        read = partial(self._database.read_all, _find_departed, before=self._clock() - PURGE_AFTER)
        return [row.team for row in self._database.run_or_default(read, [], reads=True)]


def _as_read(installation: StoredInstallation) -> dict[str, object]:
    """The values by which a statement recognizes that a row is still the one that was read."""
    return {"of": installation.team, "before": installation.revision, "since": installation.at}
