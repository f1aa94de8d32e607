"""Changes: what curators taught the bot. An edit is saved whole or not at all, and nothing is settled twice."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from itertools import count
from typing import Any

from sqlalchemy import bindparam, delete, func, select, update
from sqlalchemy.exc import IntegrityError

from bot.model import Change
from bot.store.connections import Connection, StoreError
from bot.store.database import UNAVAILABLE, Database
from bot.store.tables import LONGEST_NAME, changes, digest, revisions, storable, taken
from bot.text import clean, normalize_phrase

MAX_KNOWN = 2_000
"""Workspaces whose changes this process knows while the database is unavailable; the least recently read one goes first."""
ATTEMPTS = 5
"""Times that an edit is tried where what stood in its way was just being undone."""

_NOT_IN_MODEL = {"revision", "place"}

_columns = [column for column in changes.c if column.name != "undone"]
_insert = changes.insert()
_take = taken.insert()
_of_workspace = select(*_columns).where(changes.c.workspace == bindparam("of"), changes.c.undone.is_(None))
_active = _of_workspace.order_by(changes.c.revision, changes.c.place)
_batches = (
    select(changes.c.batch)
    .where(changes.c.workspace == bindparam("of"), changes.c.undone.is_(None))
    .group_by(changes.c.batch)
    .order_by(func.max(changes.c.revision).desc())
    .limit(bindparam("most"))
)
_latest = _of_workspace.where(changes.c.batch.in_(_batches)).order_by(changes.c.revision.desc(), changes.c.place)
_settling = (
    select(*_columns)
    .join(taken, taken.c.change == changes.c.id)
    .where(taken.c.workspace == bindparam("of"), taken.c.name == bindparam("name"))
)
_undo = (
    update(changes)
    .where(changes.c.workspace == bindparam("of"), changes.c.batch == bindparam("together"), changes.c.undone.is_(None))
    .values(undone=bindparam("now"))
)
_undone_now = select(changes.c.id).where(
    changes.c.workspace == bindparam("of"),
    changes.c.batch == bindparam("together"),
    changes.c.undone == bindparam("now"),
)
_give_back = delete(taken).where(taken.c.change.in_(_undone_now))
_revision = select(revisions.c.number).where(revisions.c.workspace == bindparam("of"))
_first_revision = revisions.insert()
_next_revision = update(revisions).where(revisions.c.workspace == bindparam("of")).values(number=revisions.c.number + 1)
_workspaces = select(revisions.c.workspace).order_by(revisions.c.workspace)


class Changes:
    """What curators taught the bot."""

    def __init__(self, database: Database, clock: Callable[[], float], monotonic: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock
        self._monotonic = monotonic
        self._known: OrderedDict[str, tuple[Change, ...]] = OrderedDict()
        self.on_forget: Callable[[str], None] = lambda _: None
        """Called with each workspace that `drop_forgotten` drops."""
        self._revisions: OrderedDict[str, tuple[int, float]] = OrderedDict()
        """By workspace: the revision, and when it was read."""
        self._edits = 0

    def save(self, edits: Sequence[Change]) -> Change | None:
        """Save all of these edits or none.

        Args:
            edits: of one workspace.

        Returns:
            None if they are saved; else the active change that settles the same phrasing or entry already.

        Raises:
            StoreError: the database is unavailable. An edit never seems saved.
        """
        if not edits:
            return None
        try:
            return self._database.run_or_raise(lambda: self._save(tuple(edits)))
        finally:
            self._invalidate(edits[0].workspace)

    def undo(self, workspace: str, batch: str) -> bool:
        """Undo what was changed together; false if it is undone already, or the database is unavailable."""
        try:
            return bool(batch) and self._database.run_or_default(self._undoer(workspace, batch, self._clock()), False)
        finally:
            self._invalidate(workspace)

    def active(self, workspace: str) -> tuple[Change, ...]:
        """The active changes, in their order; while the database is unavailable, the last that this process knew."""
        read = partial(self._database.read_all, _active, of=workspace)
        found = self._database.run_or_default(read, None, reads=True)
        if found is not None:
            read_now = tuple(map(_change, found))
            if self._known.get(workspace) != read_now:  # else whoever holds those has no second copy
                self._known[workspace] = read_now
            _keep_latest(self._known, workspace)
        return self._known.get(workspace, ())

    def history(self, workspace: str, limit: int = 20) -> tuple[Change, ...]:
        """The active changes of the latest `limit` batches, newest first; none while the database is unavailable."""
        read = partial(self._database.read_all, _latest, of=workspace, most=limit)
        return tuple(map(_change, self._database.run_or_default(read, [], reads=True)))

    def revision(self, workspace: str, max_age: float = 0.0) -> int:
        """A number that grows with each edit and each undo.

        Args:
            workspace: whose.
            max_age: seconds that a number read before may be old; this process's own edits are known at once.

        Returns:
            0 before the first edit, -1 while the database is unavailable.
        """
        known = self._revisions.get(workspace)
        if known is not None and max_age and self._monotonic() - known[1] < max_age:
            return known[0]
        edits, now = self._edits, self._monotonic()
        read = partial(self._database.read, _revision, of=workspace)
        found = self._database.run_or_default(read, UNAVAILABLE, reads=True)
        if found is UNAVAILABLE:
            return -1
        number = int(found.number) if found is not None else 0
        if edits == self._edits:  # else it may have been read before the edit
            self._revisions[workspace] = (number, now)
            _keep_latest(self._revisions, workspace)
        return number

    def workspaces(self) -> tuple[str, ...]:
        """The workspaces that have changes or had some; while the database is unavailable, those that this process knew."""
        found = self._database.run_or_default(lambda: self._database.read_all(_workspaces), None, reads=True)
        return tuple(sorted(self._known)) if found is None else tuple(row.workspace for row in found)

    def drop_forgotten(self) -> None:
        """Drop from memory the changes of workspaces of which the database has nothing any more."""
        if self._known:
            known = set(self.workspaces())
            for workspace in [name for name in self._known if name not in known]:
                self.forget(workspace)
                self.on_forget(workspace)

    def forget(self, workspace: str) -> None:
        """Let go of what this process knows of a workspace; its rows are the retention's."""
        self._known.pop(workspace, None)
        self._invalidate(workspace)

    def _invalidate(self, workspace: str) -> None:
        self._edits += 1
        self._revisions.pop(workspace, None)

    def _save(self, edits: tuple[Change, ...]) -> Change | None:
        ids = {edit.id for edit in edits}
        names = {name: edit.id for edit in reversed(edits) for name in _settled_names(edit)}
        for _ in range(ATTEMPTS):
            try:
                self._database.transaction(lambda connection: _insert_all(connection, edits, names))
                return None
            except IntegrityError:
                found = self._conflicting(edits[0].workspace, names)
                if found is not None:  # our own: it was saved, and only the acknowledgement got lost
                    return None if found.id in ids else _change(found)
        raise StoreError("This edit was made before and undone since. Open it anew and save it again.")

    def _conflicting(self, workspace: str, names: Iterable[str]) -> Any:
        """The row of the oldest active change that settles one of these names; None if there is none."""
        found = [self._database.read(_settling, of=workspace, name=name) for name in names]
        return min((row for row in found if row is not None), key=lambda row: (row.revision, row.place), default=None)

    def _undoer(self, workspace: str, batch: str, now: float) -> Callable[[], bool]:
        """The work that undoes a batch. Called again, it recognizes what it has undone before by the very moment."""
        attempts, values = count(), {"of": workspace, "together": batch, "now": now}

        def undo_all(connection: Connection) -> bool:
            _next_number(connection, workspace)  # first, so that edits of one workspace wait for each other here
            if connection.write(_undo, **values) == 0:
                raise _NothingToUndoError
            connection.write(_give_back, **values)
            return True

        def undo() -> bool:
            is_retry = next(attempts) > 0
            with suppress(_NothingToUndoError):
                return self._database.transaction(undo_all)
            return is_retry and self._database.read(_undone_now, **values) is not None

        return undo


def _keep_latest(known: OrderedDict[str, Any], workspace: str) -> None:
    """Make a workspace the latest of those known, and keep MAX_KNOWN."""
    with suppress(KeyError):  # another thread has just made an edit
        known.move_to_end(workspace)
    while len(known) > MAX_KNOWN:
        known.popitem(last=False)


class _NothingToUndoError(Exception):
    """Rolls back a revision that nothing needs."""


def _insert_all(connection: Connection, edits: tuple[Change, ...], names: dict[str, str]) -> None:
    workspace = edits[0].workspace
    revision = _next_number(connection, workspace)
    for place, edit in enumerate(edits):
        connection.write(_insert, **_row(edit), revision=revision, place=place, undone=None)
    for name, change in names.items():
        connection.write(_take, workspace=workspace, name=name, change=change)


def _next_number(connection: Connection, workspace: str) -> int:
    """The workspace's next revision; whoever else wants one waits until this transaction ends."""
    if connection.write(_next_revision, of=workspace) == 0:
        connection.write(_first_revision, workspace=workspace, number=1)
    return int(connection.read(_revision, of=workspace).number)


def _settled_names(edit: Change) -> Iterator[str]:
    """The names of what nothing else may settle while this edit is active."""
    for text in edit.phrasings:
        yield f"phrase:{digest(normalize_phrase(clean(text)) or text)}"
    if edit.kind == "entry":
        yield f"entry:{digest(edit.entry)}"
    if edit.kind == "review":  # one a day: a press that arrives twice, or two people's, count once
        yield f"review:{digest(f'{edit.entry} {edit.text}')}"


def _row(edit: Change) -> dict[str, Any]:
    asks = json.dumps(edit.asks)
    long = {name: storable(getattr(edit, name)) for name in ("text", "title", "answer", "source_date", "source_url")}
    short = {
        name: storable(getattr(edit, name), LONGEST_NAME)
        for name in ("workspace", "kind", "entry", "by", "answer_format")
    }
    return {"id": edit.id, **short, **long, "asks": asks, "batch": edit.batch or edit.id, "at": edit.at}


def _change(found: Any) -> Change:
    columns = {name: value for name, value in found._asdict().items() if name not in _NOT_IN_MODEL}
    return Change(**columns | {"asks": tuple(json.loads(found.asks))})
