"""The engine: from a database URL to connections that wait no longer than an answer may."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.pool import StaticPool

from bot.model import AskPyError

BUSY = 2
"""Seconds to wait for a database that another process is writing to, or that doesn't answer."""
KINDS = ("sqlite", "postgresql")
"""What the tables, and statements that only these two understand, are tested on."""
LONGEST_MIGRATION = 600
"""Seconds to wait for one statement of a migration."""

_POOL: dict[str, Any] = {"pool_size": 15, "max_overflow": 0, "pool_timeout": BUSY}
"""Connections are kept once they are made: under load, making one costs more than what it is made for."""

_FORM = "write postgresql://user:password@host:5432/database, with %40 for an @ and %2F for a / in the password"


class StoreError(AskPyError):
    """A database URL that can't be used, or an edit that couldn't be saved."""


def database_url(url: str) -> URL:
    """The URL as SQLAlchemy wants it: PostgreSQL by psycopg, also where it is written as Heroku writes it."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise StoreError("DATABASE_URL is no database URL; sqlite:///askpy.db or postgresql://... is one.") from None
    except ValueError:  # it would quote the URL's end
        raise StoreError(f"DATABASE_URL has a port that is no number; {_FORM}.") from None
    if "@" in (parsed.host or ""):  # the end of the password, which a log would show
        raise StoreError(f"DATABASE_URL has two @ before its path; {_FORM}.")
    return parsed.set(drivername="postgresql+psycopg") if parsed.drivername in {"postgres", "postgresql"} else parsed


def is_in_memory(url: URL) -> bool:
    """Whether it is a SQLite database without a file: one connection, which all threads share."""
    return url.get_backend_name() == "sqlite" and url.database in {None, "", ":memory:"}


def make_engine(url: str) -> Engine:
    """Connects to nothing yet; raises StoreError with the remedy."""
    parsed = database_url(url)
    kind = parsed.get_backend_name()
    if kind not in KINDS:
        raise StoreError(f"DATABASE_URL names {kind}; AskPy keeps its records in SQLite or PostgreSQL. {_FORM}.")
    # Most of what we do is one statement, so that a transaction around it would only cost time.
    options: dict[str, Any] = {"isolation_level": "AUTOCOMMIT", "hide_parameters": True}  # people's words, in an error
    if kind == "sqlite":
        options["connect_args"] = {"timeout": BUSY, "check_same_thread": False}
        options |= {"poolclass": StaticPool} if is_in_memory(parsed) else _POOL
    elif kind == "postgresql":
        options |= {"connect_args": _patience(parsed), "pool_timeout": BUSY, "max_overflow": 10}
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
    except (ArgumentError, TypeError, ValueError):  # they may quote the URL
        form = "write three slashes before a path, four before one from the root: sqlite:///askpy.db"
        raise StoreError(f"DATABASE_URL can't be used: {form if kind == 'sqlite' else _FORM}.") from None
    if kind == "sqlite":
        event.listen(engine, "connect", _tune_sqlite)
    elif kind == "postgresql":
        event.listen(engine, "do_connect", _connect_postgresql)
        event.listen(engine, "connect", _tune_postgresql)
    return engine


def be_patient(connection: Connection) -> None:
    """Let a connection wait for a migration, which may take longer than an answer. It is then good for nothing else."""
    if connection.dialect.name == "postgresql":
        raw: Any = connection.connection.dbapi_connection
        raw.patience = LONGEST_MIGRATION
        connection.detach()


def make_folder(url: URL) -> None:
    """Make the folder that a SQLite file will lie in, and the file; nobody else looks into what we made."""
    if url.get_backend_name() == "sqlite" and not is_in_memory(url) and not str(url.database).startswith("file:"):
        path = Path(str(url.database))
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            with suppress(OSError):  # SQLite will say it better
                path.touch(mode=0o600)


def _patience(url: URL) -> dict[str, Any]:
    """What psycopg is to give up after; what the URL says itself wins.

    No prepared statements: a pooler between us and the server may hand each transaction another connection.
    """
    options = {"connect_timeout": BUSY, "tcp_user_timeout": BUSY * 1000, "prepare_threshold": None}
    return {name: value for name, value in options.items() if name not in url.query}


def _connect_postgresql(_: object, __: object, args: Any, options: Any) -> Any:
    from bot.store.patient import PatientConnection  # noqa: PLC0415  psycopg is an extra

    connection = PatientConnection.connect(*args, **options)
    connection.patience = BUSY
    return connection


def _tune_postgresql(connection: Any, _: object) -> None:
    connection.execute(f"SET statement_timeout = {BUSY * 1000}")
    connection.commit()


def _tune_sqlite(connection: Any, _: object) -> None:
    """Readers and a writer at once, and no wait for the disk at every claim."""
    connection.execute(f"PRAGMA busy_timeout={int(BUSY * 1000)}")
    connection.execute("PRAGMA synchronous=NORMAL")
    with suppress(sqlite3.OperationalError):  # another process is just doing the same; it lasts
        connection.execute("PRAGMA journal_mode=WAL")
