"""From a database URL to connections: the engine, the connections that are kept, and statements that run on them.

Statements are built once with SQLAlchemy Core, at module level, and compiled once. They run on the driver's own connection:
SQLAlchemy's execution, which types and pools more than is needed here, costs several times what SQLite itself does.
"""

from __future__ import annotations

import sqlite3
import threading
from collections import deque, namedtuple
from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import sqlalchemy
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL, Dialect, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool, StaticPool

from bot.model import AskPyError
from bot.settings import HIDDEN, is_lone_secret
from bot.store.sqlite_file import FileIdentity, SqliteFile, make_file
from bot.store.tables import claims

BUSY_TIMEOUT = 2
"""Seconds to wait for a database that another process is writing to, or that doesn't answer."""
PROBE_TIMEOUT = 0.05
"""Seconds that the probe of a database that has failed waits for a lock."""
MIGRATION_TIMEOUT = 600
"""Seconds to wait for one statement of a migration."""
MAX_IDLE = 15
"""Connections that are kept open: opening one costs more than what it is opened for."""
KINDS = ("sqlite", "postgresql")
"""What the tables, and statements that only these two understand, are tested on."""

_FORM = "write postgresql://user:password@host:5432/database, with %40 for an @ and %2F for a / in the password"

T = TypeVar("T")


class StoreError(AskPyError):
    """A database URL that can't be used, or an edit that couldn't be saved."""


def database_url(url: str) -> URL:
    """The URL as SQLAlchemy takes it: PostgreSQL by psycopg, also for `postgres://`, as Heroku writes it.

    Raises:
        StoreError: it is no database URL; the sentence never quotes it, because it may hold a password.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise StoreError("DATABASE_URL is no database URL; sqlite:///askpy.db or postgresql://... is one.") from None
    except ValueError:  # its message would quote the URL's end
        raise StoreError(f"DATABASE_URL has a port that is no number; {_FORM}.") from None
    if "@" in (parsed.host or ""):  # the host is the end of the password, which a log would show
        raise StoreError(f"DATABASE_URL has two @ before its path; {_FORM}.")
    return parsed.set(drivername="postgresql+psycopg") if parsed.drivername in {"postgres", "postgresql"} else parsed


def is_in_memory(url: URL) -> bool:
    """Whether it is a SQLite database without a file: one connection that all threads share."""
    return url.get_backend_name() == "sqlite" and url.database in {None, "", ":memory:"}


def make_engine(url: str) -> Engine:
    """A SQLAlchemy engine that keeps no connections (`ConnectionPool` does), in autocommit mode. Connects to nothing yet.

    Raises:
        StoreError: the URL can't be used, or its driver isn't installed; with the remedy.
    """
    parsed = database_url(url)
    kind = parsed.get_backend_name()
    if kind not in KINDS:
        raise StoreError(f"DATABASE_URL names {kind}; AskPy keeps its records in SQLite or PostgreSQL. {_FORM}.")
    # Most work is one statement, so that a transaction around it would only cost time. Parameters may be people's words.
    if kind == "sqlite" and is_lone_secret(parsed.database or ""):  # the file would be named after it
        raise StoreError(f"DATABASE_URL names {HIDDEN}, and not a file; write ./ before it if it is one.")
    options: dict[str, Any] = {"isolation_level": "AUTOCOMMIT", "hide_parameters": True, "poolclass": NullPool}
    if kind == "sqlite":
        options["connect_args"] = {"timeout": BUSY_TIMEOUT, "check_same_thread": False}
        options["paramstyle"] = "named"
        if is_in_memory(parsed):
            options["poolclass"] = StaticPool
    else:
        options["connect_args"] = _timeouts(parsed)
    try:
        engine = create_engine(parsed, **options)
    except NoSuchModuleError:
        raise StoreError(f"DATABASE_URL names a database that SQLAlchemy doesn't know: {parsed.drivername}.") from None
    except ModuleNotFoundError as error:
        remedy = (
            "requirements.txt lists it, or pip install 'psycopg[binary]'"
            if kind == "postgresql"
            else "install it beside askpy"
        )
        raise StoreError(f"DATABASE_URL needs the driver {error.name}, which isn't installed: {remedy}.") from None
    except (ArgumentError, TypeError, ValueError):  # their messages may quote the URL
        form = "write three slashes before a path, four before one from the root: sqlite:///askpy.db"
        raise StoreError(f"DATABASE_URL can't be used: {form if kind == 'sqlite' else _FORM}.") from None
    if kind == "sqlite":
        event.listen(engine, "connect", _tune_sqlite)
    elif kind == "postgresql":
        event.listen(engine, "do_connect", _connect_postgresql)
        event.listen(engine, "connect", _tune_postgresql)
    return engine


def wait_for_migration(connection: sqlalchemy.Connection) -> None:
    """Let a connection wait for a migration, which may take longer than an answer. It is used for nothing else then."""
    if connection.dialect.name == "postgresql":
        raw: Any = connection.connection.dbapi_connection
        raw.answer_timeout = MIGRATION_TIMEOUT
        connection.detach()


def file_of(url: URL) -> Path | None:
    """The path of a SQLite file; None in memory, for a URI (`file:…`), and for PostgreSQL."""
    if url.get_backend_name() != "sqlite" or is_in_memory(url) or str(url.database).startswith("file:"):
        return None
    return Path(str(url.database))


def is_accepting_writes(engine: Engine) -> bool:
    """Ask a database that has failed, over a connection of its own, whether it can be written to again. Changes nothing.

    A lock is waited for PROBE_TIMEOUT seconds; only a PostgreSQL server that takes connections and never answers can
    cost BUSY_TIMEOUT.
    """
    dialect, connection = engine.dialect, None
    args, given = dialect.create_connect_args(engine.url)
    options: dict[str, Any] = dict(given)
    try:
        if dialect.name == "sqlite":
            if (path := file_of(engine.url)) is not None:
                make_file(path)
            connection = sqlite3.connect(args[0], **options | {"timeout": PROBE_TIMEOUT, "isolation_level": None})
            connection.execute("BEGIN IMMEDIATE")
            connection.rollback()
        else:
            connection = _connect_postgresql(None, None, args, options | _timeouts(engine.url) | {"autocommit": True})
            connection.execute(f"SET statement_timeout = {int(PROBE_TIMEOUT * 1000)}")
            Connection(connection, dialect).try_insert()
    except (dialect.loaded_dbapi.Error, SQLAlchemyError, OSError):
        return False
    finally:
        if connection is not None:
            connection.close()
    return True


def _timeouts(url: URL) -> dict[str, Any]:
    """psycopg's time limits; what the URL itself says wins.

    No prepared statements: a pooler between us and the server may give each transaction another connection.
    """
    options = {"connect_timeout": BUSY_TIMEOUT, "tcp_user_timeout": BUSY_TIMEOUT * 1000, "prepare_threshold": None}
    return {name: value for name, value in options.items() if name not in url.query}


def _connect_postgresql(_: object, __: object, args: Any, options: Any) -> Any:
    from bot.store.postgres import TimeoutConnection  # noqa: PLC0415  psycopg is an extra

    connection = TimeoutConnection.connect(*args, **options)
    connection.answer_timeout = BUSY_TIMEOUT
    return connection


def _tune_postgresql(connection: Any, _: object) -> None:
    connection.execute(f"SET statement_timeout = {BUSY_TIMEOUT * 1000}")
    connection.commit()


def _tune_sqlite(connection: Any, _: object) -> None:
    """WAL: readers and a writer at once. NORMAL: a commit doesn't wait for the disk. What is deleted is overwritten."""
    connection.execute(f"PRAGMA busy_timeout={int(BUSY_TIMEOUT * 1000)}")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA secure_delete=ON")
    with suppress(sqlite3.OperationalError):  # another process is just setting it; it is a property of the file
        connection.execute("PRAGMA journal_mode=WAL")


# --- statements


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A statement as the driver takes it. `constants`: parameters with a value of their own; `row`: makes a named tuple."""

    sql: str
    constants: dict[str, Any]
    row: Callable[[Any], Any] | None


class Connection:
    """One driver connection in autocommit mode. Errors are raised as SQLAlchemy's, without statement and values."""

    def __init__(self, raw: Any, dialect: Dialect, compiled: dict[Any, _Compiled] | None = None) -> None:
        self.raw = raw
        self._dialect = dialect
        self._compiled = {} if compiled is None else compiled
        self._error = dialect.loaded_dbapi.Error
        self.wal: FileIdentity | None = None
        """The write-ahead log of SQLite that this connection has open."""

    def write(self, statement: Any, **values: Any) -> int:
        """Run a statement; how many rows it inserted, changed or removed."""
        return int(self._execute(self._compile(statement), values).rowcount)

    def read(self, statement: Any, **values: Any) -> Any:
        """The first row as a named tuple, or None."""
        compiled = self._compile(statement)
        rows = self._rows(compiled, values)
        return compiled.row(rows[0]) if rows and compiled.row else None

    def read_all(self, statement: Any, **values: Any) -> list[Any]:
        """All rows as named tuples."""
        compiled = self._compile(statement)
        rows = self._rows(compiled, values)
        return list(map(compiled.row, rows)) if compiled.row else []

    def begin(self) -> None:
        """Start a transaction. SQLite takes its write lock at once: a lock that is asked for later can't be waited for."""
        self._run("BEGIN IMMEDIATE" if self._dialect.name == "sqlite" else "BEGIN")

    def commit(self) -> None:
        self._run("COMMIT")

    def rollback(self) -> None:
        self._run("ROLLBACK")

    def checkpoint(self) -> None:
        """SQLite: bring what was written into the database's file, and empty the write-ahead log."""
        self.raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def try_insert(self) -> None:
        """Insert a row and take it back: raises where the database can be read and not written."""
        self.begin()
        self.write(_insert_claim, key=f"probe {uuid4().hex}", at=0.0, owner="", begun="")
        self.rollback()

    def _compile(self, statement: Any) -> _Compiled:
        found = self._compiled.get(statement)
        if found is None:
            found = self._compiled[statement] = _compile(statement, self._dialect)
        return found

    def _rows(self, compiled: _Compiled, values: dict[str, Any]) -> list[Any]:
        cursor = self._execute(compiled, values)
        try:
            return cursor.fetchall()  # type: ignore[no-any-return]
        except self._error as error:
            raise _translated(error, self._dialect) from error

    def _execute(self, compiled: _Compiled, values: dict[str, Any]) -> Any:
        try:
            return self.raw.execute(compiled.sql, compiled.constants | values if compiled.constants else values)
        except self._error as error:
            raise _translated(error, self._dialect) from error

    def _run(self, sql: str) -> None:
        try:
            self.raw.execute(sql)
        except self._error as error:
            raise _translated(error, self._dialect) from error


_insert_claim = claims.insert()


def _translated(error: Exception, dialect: Dialect) -> DBAPIError:
    kind = IntegrityError if isinstance(error, dialect.loaded_dbapi.IntegrityError) else DBAPIError
    return kind(None, None, error)


def _compile(statement: Any, dialect: Dialect) -> _Compiled:
    compiled: Any = statement.compile(dialect=dialect)
    constants = {name: bind.value for name, bind in compiled.binds.items() if not bind.required}
    columns = [column.key for column in statement.selected_columns] if statement.is_select else []
    row: Any = namedtuple("Row", columns) if columns else None
    return _Compiled(compiled.string, constants, row and row._make)


# --- connections that are kept


class ConnectionPool:
    """Connections that are opened when all others are in use, and kept. A thread uses one at a time."""

    def __init__(self, engine: Engine, file: SqliteFile | None = None) -> None:
        self._engine = engine
        self._file = file
        self._is_shared = is_in_memory(engine.url)
        # Threads share the one connection of a database in memory, and a transaction would be everybody's.
        self.exclusive: Any = threading.RLock() if self._is_shared else nullcontext()
        self._idle: deque[tuple[int, Connection]] = deque()
        self._compiled: dict[Any, _Compiled] = {}
        self._epoch = 0

    def run(self, work: Callable[[Connection], T]) -> T:
        """The work's result. A connection on which anything failed is closed; a constraint's refusal is no failure."""
        with self.exclusive:
            epoch, connection = self._take()
            try:
                result = work(connection)
            except BaseException as error:
                self._give_back(epoch if isinstance(error, IntegrityError) else -1, connection)
                raise
            self._give_back(epoch, connection)
            return result

    def transaction(self, work: Callable[[Connection], T]) -> T:
        """Several statements, all of them or none."""
        return self.run(lambda connection: _in_transaction(connection, work))

    def clear(self) -> None:
        """Close what is idle, and what is in use when it is given back. A database in memory stays."""
        if self._is_shared:
            return
        self._epoch += 1
        while self._idle:
            with suppress(IndexError):
                _close(self._idle.pop()[1])

    def open_wals(self) -> set[FileIdentity]:
        """The write-ahead logs that idle connections have open."""
        return {connection.wal for _, connection in list(self._idle) if connection.wal is not None}

    def close(self) -> None:
        """Close all connections; a database in memory is gone then."""
        self.clear()
        self._idle.clear()
        self._engine.dispose()

    def _take(self) -> tuple[int, Connection]:
        while self._idle:
            try:
                epoch, connection = self._idle.pop()
            except IndexError:  # another thread took the last one
                break
            if epoch == self._epoch:
                return epoch, connection
            _close(connection)
        return self._epoch, self._open()

    def _open(self) -> Connection:
        dialect = self._engine.dialect
        try:
            fairy = self._engine.raw_connection()
        except dialect.loaded_dbapi.Error as error:
            raise _translated(error, dialect) from error
        connection = Connection(fairy.driver_connection, dialect, self._compiled)
        if self._file is not None:
            connection.wal = self._file.wal_identity()
        if not self._is_shared:
            fairy.detach()
        return connection

    def _give_back(self, epoch: int, connection: Connection) -> None:
        if self._is_shared or (epoch == self._epoch and len(self._idle) < MAX_IDLE):
            self._idle.append((self._epoch if self._is_shared else epoch, connection))
        else:
            _close(connection)


def _in_transaction(connection: Connection, work: Callable[[Connection], T]) -> T:
    connection.begin()
    try:
        result = work(connection)
    except IntegrityError:
        connection.rollback()
        raise
    except BaseException:
        with suppress(SQLAlchemyError):  # the first failure is the one to raise
            connection.rollback()
        raise
    connection.commit()
    return result


def _close(connection: Connection) -> None:
    with suppress(Exception):  # a connection that is broken already may fail in any way
        connection.raw.close()
