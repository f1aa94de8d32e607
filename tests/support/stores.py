"""What the tests of the store share: a clock, edits, programs in processes of their own, and a look at the tables."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, text

from bot.model import Change
from bot.store import RETRY_AFTER, Store, database_url
from bot.store.tables import metadata

ROOT = Path(__file__).parents[2]
NOW = 1_700_000_000.0
"""A Tuesday in November 2023, 22:13:20 UTC."""

_number = count()


class QuickMigrations:
    """Migrates an empty SQLite database by the statements that `migrate` came to the first time, and any other by itself."""

    def __init__(self, migrate: Callable[[Connection], None]) -> None:
        self._migrate = migrate
        self._statements: list[str] = []

    def __call__(self, connection: Connection) -> None:
        is_empty = connection.dialect.name == "sqlite" and not _schema(connection)
        if is_empty and self._statements:
            for statement in self._statements:
                connection.exec_driver_sql(statement)
            return
        self._migrate(connection)
        if is_empty:
            tables = [name for name, _ in _schema(connection) if name]
            (revision,) = connection.exec_driver_sql("SELECT version_num FROM askpy_version").scalars()
            held = {name: connection.exec_driver_sql(f"SELECT count(*) FROM {name}").scalar() for name in tables}
            assert {name for name, number in held.items() if number} == {"askpy_version"}
            version = f"INSERT INTO askpy_version (version_num) VALUES ('{revision}')"
            self._statements = [*(statement for _, statement in _schema(connection)), version]


def _schema(connection: Connection) -> list[tuple[str, str]]:
    """The statements that made what is there, each with its name if it is a table."""
    found = connection.exec_driver_sql("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid")
    return [(name if kind == "table" else "", sql) for kind, name, sql in found]


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


def edit(text: str = "", entry: str = "flask", kind: Any = "ask", **rest: Any) -> Change:
    """A curator's edit, in a batch of its own."""
    name = f"c{next(_number)}"
    given: dict[str, Any] = {"id": name, "workspace": "T1", "batch": f"batch-{name}", "by": "T1:U9", "at": NOW} | rest
    return Change(kind=kind, text=text, entry=entry, **given)


def rest(store: Store) -> None:
    """Let a store rest as after a failure, with nobody who looks whether the database is back."""
    database = store.database
    database._rests_until = database._next_probe = database._monotonic() + RETRY_AFTER


def rows(url: str, statement: str) -> list[tuple[Any, ...]]:
    """What the database itself says."""
    engine = create_engine(database_url(url))
    try:
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(statement))]
    finally:
        engine.dispose()


def execute(url: str, *statements: str) -> None:
    """Change the database behind the store's back."""
    engine = create_engine(database_url(url))
    try:
        with engine.begin() as connection:
            for statement in statements:
                connection.execute(text(statement))
    finally:
        engine.dispose()


def programs(program: str, arguments: Sequence[Sequence[str]]) -> list[subprocess.Popen[str]]:
    """The same program in several processes at once."""
    return [
        subprocess.Popen(
            [sys.executable, "-c", program, *each], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for each in arguments
    ]


def outputs(processes: Sequence[subprocess.Popen[str]]) -> list[str]:
    """What each of them printed."""
    said = [process.communicate(timeout=60)[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * len(processes)
    return said


def everything(url: str) -> Iterator[tuple[str, str]]:
    """Each value in the database, as text, with its table."""
    for table in metadata.tables:
        for row in rows(url, f"select * from {table}"):
            yield from ((table, str(value)) for value in row)
