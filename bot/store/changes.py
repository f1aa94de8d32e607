"""Changes: what curators taught the bot. All of an edit is saved or nothing is, and nothing is settled twice."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import count
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, select, update
from sqlalchemy.exc import IntegrityError

from bot.model import Change
from bot.store.database import RETENTION_DAYS, Database
from bot.store.engine import StoreError
from bot.store.keys import digest, phrase, plain
from bot.store.tables import LONGEST_NAME, changes, revisions, taken

ATTEMPTS = 5
"""Times that an edit is tried where what stood in its way was just being undone."""

_columns = [column for column in changes.c if column.name not in {"revision", "place", "undone"}]
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
_in_the_way = (
    select(*_columns)
    .join(taken, taken.c.change == changes.c.id)
    .where(taken.c.workspace == bindparam("of"), taken.c.name.in_(bindparam("names", expanding=True)))
    .order_by(changes.c.revision, changes.c.place)
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
_next_revision = update(revisions).where(revisions.c.workspace == bindparam("of")).values(number=revisions.c.number + 1)
_workspaces = select(revisions.c.workspace).order_by(revisions.c.workspace)


class Changes(Database):
    """What curators taught the bot."""

    def __init__(
        self, url: str, clock: Callable[[], float] = time.time, retention_days: float = RETENTION_DAYS
    ) -> None:
        super().__init__(url, clock, retention_days)
        self._known: dict[str, tuple[Change, ...]] = {}

    def change(self, edits: Sequence[Change]) -> Change | None:
        """Save all of these edits, or none and return the active one that settles the same phrasing or entry already.

        Raises StoreError if the database is away: an edit never seems saved.
        """
        return self._surely(lambda: self._saved(tuple(edits))) if edits else None

    def undo(self, workspace: str, batch: str) -> bool:
        """Undo what was changed together; false if it is undone already, or the database is away."""
        return bool(batch) and self._try(self._undoer(workspace, batch, self._clock()), False)

    def changes(self, workspace: str) -> tuple[Change, ...]:
        """The active edits, in their order; while the database is away, the last that this process knew."""
        found = self._try(lambda: self._read_all(_active, of=workspace), None, reads=True)
        if found is not None:
            self._known[workspace] = tuple(map(_change, found))
        return self._known.get(workspace, ())

    def history(self, workspace: str, limit: int = 20) -> tuple[Change, ...]:
        """The active edits of the latest batches, newest first; nothing while the database is away."""
        found = self._try(lambda: self._read_all(_latest, of=workspace, most=limit), [], reads=True)
        return tuple(map(_change, found))

    def revision(self, workspace: str) -> int:
        """A number that grows with each edit and each undoing; 0 before the first, -1 while the database is away."""
        found: Any = self._try(lambda: self._read(_revision, of=workspace) or False, None, reads=True)
        return -1 if found is None else int(found.number) if found else 0

    def workspaces(self) -> tuple[str, ...]:
        """The workspaces that have edits or had some; while the database is away, those that this process knew."""
        found = self._try(lambda: self._read_all(_workspaces), None, reads=True)
        return tuple(sorted(self._known)) if found is None else tuple(row.workspace for row in found)

    def _saved(self, edits: tuple[Change, ...]) -> Change | None:
        workspace, ids = edits[0].workspace, {edit.id for edit in edits}
        names = {name: edit.id for edit in reversed(edits) for name in _settled(edit)}
        for _ in range(ATTEMPTS):
            try:
                with self._transaction() as connection:
                    _save(connection, workspace, edits, names)
                return None
            except IntegrityError:
                found = self._read(_in_the_way, of=workspace, names=list(names))
                if found is not None:  # our own: it was saved, and only the word of it got lost
                    return None if found.id in ids else _change(found)
        raise StoreError("This edit was made before and undone since. Open it anew and save it again.")

    def _undoer(self, workspace: str, batch: str, now: float) -> Callable[[], bool]:
        """What undoes a batch. Tried again, it knows what it has undone before, by the very moment."""
        tries, values = count(), {"of": workspace, "together": batch, "now": now}

        def undo() -> bool:
            again = next(tries) > 0
            with suppress(_Nothing), self._transaction() as connection:
                _grow(connection, workspace)  # first, so that edits of one workspace wait for each other here
                if connection.execute(_undo, values).rowcount == 0:
                    raise _Nothing
                connection.execute(_give_back, values)
                return True
            return again and self._read(_undone_now, **values) is not None

        return undo


class _Nothing(Exception):  # noqa: N818  it only takes back a number that nothing needs
    pass


def _save(connection: Connection, workspace: str, edits: tuple[Change, ...], names: dict[str, str]) -> None:
    revision = _grow(connection, workspace)
    connection.execute(
        changes.insert(), [_row(edit) | {"revision": revision, "place": n} for n, edit in enumerate(edits)]
    )
    if names:
        rows = [{"workspace": workspace, "name": name, "change": change} for name, change in names.items()]
        connection.execute(taken.insert(), rows)


def _grow(connection: Connection, workspace: str) -> int:
    """The workspace's next revision; whoever else wants one waits until this transaction ends."""
    if connection.execute(_next_revision, {"of": workspace}).rowcount == 0:
        connection.execute(revisions.insert(), {"workspace": workspace, "number": 1})
    return int(connection.execute(_revision, {"of": workspace}).scalar_one())


def _settled(edit: Change) -> Iterator[str]:
    """What nothing else may settle while this edit is active, by name."""
    for text in edit.phrasings:
        yield f"phrase:{digest(phrase(text) or text)}"
    if edit.kind == "entry":
        yield f"entry:{digest(edit.entry)}"


def _row(edit: Change) -> dict[str, Any]:
    asks = json.dumps(edit.asks)
    long = {name: plain(getattr(edit, name)) for name in ("text", "title", "answer")}
    short = {name: plain(getattr(edit, name), LONGEST_NAME) for name in ("workspace", "kind", "entry", "by")}
    return {"id": edit.id, **short, **long, "asks": asks, "batch": edit.batch or edit.id, "at": edit.at}


def _change(found: Any) -> Change:
    return Change(**{**found._mapping, "asks": tuple(json.loads(found.asks))})
