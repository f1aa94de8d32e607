"""One database for any number of threads and processes, with patience: a database that is away stops no answer."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import PurePath
from typing import Any, TypeVar

from sqlalchemy import Connection, select
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from bot.store.engine import BUSY, StoreError, be_patient, is_in_memory, make_engine, make_folder
from bot.store.keys import digest
from bot.store.migrate import MigrationError, cause, guard, is_current, migrate
from bot.store.tables import claims

DAY = 24 * 3600
RETENTION_DAYS = 90
"""Days that misses, votes, counts and undone changes are kept, unless the operator says otherwise."""
PAUSES = (0.02, 0.05, 0.1, 0.2)
"""Seconds between attempts where the database refused at once."""
REST = 5
"""Seconds without a further try after the database has failed: each try may cost an answer BUSY seconds."""

START = 30
"""Seconds that a start waits for another process that is migrating."""

_any_claim = select(claims.c.key).limit(1)

T = TypeVar("T")
U = TypeVar("U")
logger = logging.getLogger("bot.store")


class Database:
    """What every part of the store builds on: statements, transactions, and what to do when they fail."""

    def __init__(
        self, url: str, clock: Callable[[], float] = time.time, retention_days: float = RETENTION_DAYS
    ) -> None:
        """Opens nothing yet; raises StoreError if `url` is no database URL or its driver is missing."""
        self._clock = clock
        self._seal: Callable[[str], str] = digest
        self._retention = retention_days * DAY
        self._engine = make_engine(url)
        self._lock = threading.Lock()
        self._preparing = threading.Lock()
        # Threads share the one connection of a database in memory, and a transaction would be all of theirs.
        alone = threading.RLock() if is_in_memory(self._engine.url) else nullcontext()
        self._alone: AbstractContextManager[Any] = alone
        self._ready = False
        self._rests_until = 0.0
        self.failures = 0
        """How often something couldn't be written or read."""
        self.unrecorded = 0
        """How many things weren't written since the database was last well, those that were not even tried included."""
        self.away = ""
        """Why the database can't be used just now; empty while it can be."""

    def prepare(self) -> str:
        """Bring the database to today's tables before anything is answered; what is wrong with it, or nothing.

        Waits longer than an answer could for another process that is doing it.
        """
        try:
            self._prepare(START)
        except (SQLAlchemyError, OSError) as error:
            self._failed(error)
            return self._fault(error)
        return ""

    @property
    def place(self) -> str:
        """Where the database is, without its password."""
        url = self._engine.url
        shown = url.difference_update_query([name for name in url.query if "password" in name.lower()])
        return shown.render_as_string(hide_password=True)

    @property
    def is_in_memory(self) -> bool:
        """Whether nothing outlives this process."""
        return is_in_memory(self._engine.url)

    @property
    def label(self) -> str:
        """The database's kind and its file's name or its host, for a page that is passed on."""
        url = self._engine.url
        if self._engine.dialect.name == "sqlite":
            return f"SQLite, {PurePath(url.database).name}" if url.database else "SQLite"
        return f"PostgreSQL, {url.host}" if url.host else "PostgreSQL"

    def probe(self, *, reads: bool = False) -> str:
        """What is wrong with the database, in a sentence; empty if it can be read and written, or only `reads`."""
        try:
            self._prepare()
            if reads:
                self._read(_any_claim)
                return ""
            with suppress(_Enough), self._transaction() as connection:
                connection.execute(claims.insert(), {"key": "probe", "at": 0.0, "owner": "", "begun": ""})
                raise _Enough
        except (SQLAlchemyError, OSError) as error:
            return self._fault(error)
        return ""

    def _fault(self, error: Exception) -> str:
        return f"{self.place}: {cause(error)}"

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()

    # -- patience

    def _try(self, work: Callable[[], T], otherwise: U, *, reads: bool = False) -> T | U:
        """The work's result, or `otherwise` while the database is away.

        After a failure only a work that writes shows that all is well again: a full database can be read.
        """
        if self._clock() < self._rests_until:
            self.unrecorded += not reads
            return otherwise
        try:
            self._prepare()
            result = _patiently(work)
        except (SQLAlchemyError, OSError) as error:
            self._failed(error)
            self.unrecorded += not reads
            return otherwise
        if self.away and not reads:
            logger.warning("The database can be used again, after %d failures.", self.failures)
            self.away, self.unrecorded = "", 0
        return result

    def _surely(self, work: Callable[[], T]) -> T:
        """The work's result; raises StoreError while the database is away."""
        try:
            self._prepare()
            return _patiently(work)
        except (SQLAlchemyError, OSError) as error:
            self._failed(error)
            raise StoreError(
                "The database can't be used just now, and nothing was saved. Try again in a minute."
            ) from None

    def _failed(self, error: Exception) -> None:
        self.failures += 1
        if not self.away:
            logger.warning("The database can't be used (%s); this process goes by its own memory.", cause(error))
        self.away = cause(error)
        self._ready = False  # whoever mends it may bring an older copy back
        self._rests_until = self._clock() + REST

    def _prepare(self, patience: float = BUSY) -> None:
        """Bring the tables to today's shape, unless that was done; waits for another process that is at it."""
        if self._ready:
            return
        if not self._preparing.acquire(timeout=patience):
            raise TimeoutError("another thread is preparing it")
        try:
            if not self._ready:
                make_folder(self._engine.url)
                _patiently(lambda: self._migrate(patience))
                self._ready = True
        finally:
            self._preparing.release()

    def _migrate(self, patience: float) -> None:
        with self._alone, self._engine.connect() as connection:
            if is_current(connection):
                return
        with self._transaction(patience) as connection:
            be_patient(connection)
            guard(connection, patience)
            if not is_current(connection):
                migrate(connection)

    # -- statements

    @contextmanager
    def _transaction(self, patience: float = BUSY) -> Iterator[Connection]:
        """Several statements, all of them or none; SQLite is told at once that they will write, and waits its turn."""
        with self._alone, self._engine.connect() as connection:
            if connection.dialect.name != "sqlite":
                connection.exec_driver_sql("BEGIN")
            elif patience <= BUSY:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            else:
                _begin_slowly(connection, patience)
            try:
                yield connection
            except BaseException:
                with suppress(SQLAlchemyError):  # the first failure is the one to tell
                    connection.exec_driver_sql("ROLLBACK")
                raise
            connection.exec_driver_sql("COMMIT")

    def _write(self, statement: Any, **values: Any) -> int:
        """Run one statement by itself; how many rows it changed or removed. Of an insertion that says nothing."""
        with self._alone, self._engine.connect() as connection:
            return int(connection.execute(statement, values).rowcount)

    def _read(self, statement: Any, **values: Any) -> Any:
        """The first row, or none."""
        with self._alone, self._engine.connect() as connection:
            return connection.execute(statement, values).first()

    def _read_all(self, statement: Any, **values: Any) -> list[Any]:
        with self._alone, self._engine.connect() as connection:
            return list(connection.execute(statement, values).all())


def _begin_slowly(connection: Connection, patience: float) -> None:
    """SQLite: a transaction for which another process is waited longer than an answer could."""
    try:
        connection.exec_driver_sql(f"PRAGMA busy_timeout={int(patience * 1000)}")
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    finally:
        connection.exec_driver_sql(f"PRAGMA busy_timeout={int(BUSY * 1000)}")


class _Enough(Exception):  # noqa: N818  nothing is wrong: it only undoes what a probe has written
    pass


def _patiently(work: Callable[[], T]) -> T:
    """The work, tried again where a database refuses at once: processes that start together make tables together."""
    began = time.monotonic()
    for pause in PAUSES:
        try:
            return work()
        except (IntegrityError, MigrationError):
            raise
        except SQLAlchemyError:
            if time.monotonic() - began > BUSY / 2:
                raise
            time.sleep(pause)
    return work()
