"""One database for any number of threads and processes, with limits on waiting: answers go on while it is unavailable."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePath
from typing import Any, TypeVar

import sqlalchemy
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from bot.store.connections import (
    BUSY_TIMEOUT,
    Connection,
    ConnectionPool,
    StoreError,
    file_of,
    is_accepting_writes,
    is_in_memory,
    make_engine,
    wait_for_migration,
)
from bot.store.migrate import MigrationError, cause, guard, is_current, migrate
from bot.store.sqlite_file import SqliteFile
from bot.store.tables import claims

DAY = 24 * 3600
RETENTION_DAYS = 90
"""Days that misses, votes, counts and undone changes are kept, unless the operator says otherwise."""
MAX_REMEMBERED = 4_000
"""Items of a kind that this process keeps in its own memory."""
RETRY_PAUSES = (0.02, 0.05, 0.1, 0.2)
"""Seconds between attempts where the database refused at once."""
RETRY_AFTER = 5
"""Seconds without another attempt after the database has failed: each may cost an answer BUSY_TIMEOUT seconds."""
LOG_INTERVAL = 60.0
"""Seconds between two log lines that it can't be used."""
PROBE_EVERY = 0.25
"""Seconds between two cheap probes that may end this rest early."""
SHOWN_OPTIONS = ("sslmode", "connect_timeout", "application_name")
"""Options of a URL that are shown. Others may hold a password, under any name."""
START_TIMEOUT = 30
"""Seconds that a start waits for another process that is migrating."""
FILE_ATTEMPTS = 3
"""Times that a work is done where its file is deleted or replaced meanwhile."""

_LOST = "the file was deleted or replaced while it was open, and what was saved in it is lost"

_any_claim = select(claims.c.key).limit(1)

UNAVAILABLE: Any = object()
"""A default for `run_or_default` that a repository tells from a row that isn't there."""

T = TypeVar("T")
U = TypeVar("U")
logger = logging.getLogger("bot.store")


class Database:
    """Runs the repositories' statements, and decides what happens when they fail.

    A repository passes its work to `run_or_default` or `run_or_raise`; the work calls `read`, `read_all`, `write` and
    `transaction`. It may be called several times (see `with_retries`), so that it must recognize what it has written.
    """

    def __init__(self, url: str, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Opens nothing yet.

        Args:
            url: SQLite or PostgreSQL, as SQLAlchemy writes it.
            monotonic: seconds of a clock that is never set back; times rests and probes.

        Raises:
            StoreError: `url` is no database URL, or its driver is missing.
        """
        self._monotonic = monotonic
        self._engine = make_engine(url)
        path = file_of(self._engine.url)
        self._file = SqliteFile(path) if path is not None else None
        self._pool = ConnectionPool(self._engine, self._file)
        self._preparing = threading.Lock()
        self._probing = threading.Lock()
        self._is_ready = False
        self._rests_until = float("-inf")
        self._next_probe = float("-inf")
        self._probe_pause = PROBE_EVERY
        self._ended_early = False
        self._failed_at = float("-inf")
        self._logged_at = float("-inf")
        self.generation = 1
        """Counts how often the SQLite file was made anew: what was written in an earlier generation is lost."""
        self.failures = 0
        """How often something couldn't be written or read."""
        self.unrecorded = 0
        """How many things weren't written since the database was last usable, those that were not even tried included."""
        self.unavailable_reason = ""
        """Why the database can't be used just now; "" while it can be."""

    # --- what it is

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self._engine.dialect.name

    @property
    def threads(self) -> int:
        """How many threads are worth calling the store at once: SQLite has one writer."""
        return 1 if self.dialect == "sqlite" else 4

    @property
    def safe_url(self) -> str:
        """The URL without its password, and without options that could hold one."""
        url = self._engine.url
        shown = url.difference_update_query([name for name in url.query if name not in SHOWN_OPTIONS])
        return shown.render_as_string(hide_password=True)

    @property
    def path(self) -> Path | None:
        """The SQLite file's path, as it is in the URL; None for PostgreSQL and in memory."""
        return file_of(self._engine.url)

    @property
    def place(self) -> str:
        """Where it is, without user names and options: the file's absolute path, or host, port and database."""
        url = self._engine.url
        if self.path is not None:
            return str(self.path.absolute())
        if self.is_in_memory:
            return "sqlite://"
        host = f"[{url.host}]" if ":" in (url.host or "") else url.host or ""
        return f"{url.get_backend_name()}://{host}{f':{url.port}' if url.port else ''}/{url.database or ''}"

    @property
    def is_in_memory(self) -> bool:
        """Whether nothing outlives this process."""
        return is_in_memory(self._engine.url)

    @property
    def loss(self) -> str:
        """What was lost since the start because a SQLite file was deleted under us, in a sentence; "" if nothing was."""
        return _LOST if self.generation > 1 or self._is_file_lost else ""

    @property
    def label(self) -> str:
        """The database's kind and its file's name or its host, for a page that is passed on."""
        url = self._engine.url
        if self.dialect == "sqlite":
            return f"SQLite, {PurePath(url.database).name}" if url.database else "SQLite"
        return f"PostgreSQL, {url.host}" if url.host else "PostgreSQL"

    # --- its life

    def prepare(self) -> str:
        """Bring the database to this release's tables before anything is answered.

        Waits START_TIMEOUT seconds for another process that is doing it.

        Returns:
            What is wrong with the database, in a sentence; "" if nothing is.
        """
        try:
            self._prepare(START_TIMEOUT)
        except (SQLAlchemyError, OSError) as error:
            self._record_failure(error)
            return self._fault(error)
        return ""

    def probe(self, *, reads: bool = False) -> str:
        """What is wrong with the database, in a sentence; "" if it can be read and written, or only read with `reads`.

        A SQLite file that was deleted or replaced is reported until the next use of the store has made it anew.
        """
        if self._is_file_lost:
            return f"{self.safe_url}: {_LOST}"
        try:
            self._prepare()
            if reads:
                self.read(_any_claim)
            else:
                self._pool.run(Connection.try_insert)
                self._end_rest_early()
        except (SQLAlchemyError, OSError) as error:
            return self._fault(error)
        return ""

    def close(self) -> None:
        """Close the connections. A later use opens them again."""
        self._is_ready = False
        if self._file is not None:
            self._file.close()
        self._pool.close()

    def _fault(self, error: Exception) -> str:
        return f"{self.safe_url}: {cause(error)}"

    # --- running work, and what to do when it fails

    def run_or_default(self, work: Callable[[], T], default: U, *, reads: bool = False) -> T | U:
        """The work's result, or `default` while the database is unavailable.

        Args:
            work: what to do; may be called again.
            default: what is returned instead, at once while the database rests after a failure.
            reads: the work only reads. Its success doesn't show that the database can be used: a full one can be read.

        Raises:
            Whatever the work raises but SQLAlchemyError and OSError, which mean that the database is unavailable.
        """
        if self._monotonic() < self._rests_until and not self._try_ending_rest():
            self.unrecorded += not reads
            return default
        try:
            result = self._run(work, reads)
        except (SQLAlchemyError, OSError) as error:
            self._record_failure(error)
            self.unrecorded += not reads
            return default
        if self.unavailable_reason and not reads:
            self._record_recovery()
        return result

    def run_or_raise(self, work: Callable[[], T]) -> T:
        """The work's result, tried even while the database rests.

        Raises:
            StoreError: the database is unavailable, and nothing was saved.
        """
        try:
            result = self._run(work, reads=False)
        except (SQLAlchemyError, OSError) as error:
            self._record_failure(error)
            raise StoreError(
                "The database can't be used just now, and nothing was saved. Try again in a minute."
            ) from None
        if self.unavailable_reason:
            self._record_recovery()
        return result

    def _run(self, work: Callable[[], T], reads: bool) -> T:
        """The work, done again where the file that it wrote to has been deleted or replaced."""
        for _ in range(FILE_ATTEMPTS):
            self._prepare()
            generation = self.generation
            result = with_retries(work)
            if reads or (generation == self.generation and not self._is_file_lost):
                return result
        raise OSError("the file is deleted or replaced again and again")

    def _record_failure(self, error: Exception) -> None:
        now = self._monotonic()
        self.failures += 1
        if not self.unavailable_reason or now >= self._logged_at + LOG_INTERVAL:
            self._logged_at = now
            line = (
                "The database can't be used (%s); this process goes by its own memory, %d writes were not made, and it is tried "
                "again. Look at its server or its disk; if those are right, at DATABASE_URL."
            )
            logger.warning(line, cause(error), self.unrecorded)
        self.unavailable_reason = cause(error)
        self._is_ready = False  # whoever mends it may bring an older copy back
        self._pool.clear()
        if now > self._failed_at + 2 * RETRY_AFTER:
            self._probe_pause = PROBE_EVERY
        elif self._ended_early:  # the probe succeeds and the work doesn't, as with a full disk
            self._probe_pause = min(2 * self._probe_pause, RETRY_AFTER)
        self._ended_early = False
        self._failed_at, self._rests_until, self._next_probe = now, now + RETRY_AFTER, now + self._probe_pause

    def _record_recovery(self) -> None:
        logger.warning("The database can be used again, after %d failures.", self.failures)
        self.unavailable_reason, self.unrecorded = "", 0
        self._rests_until = float("-inf")

    def _try_ending_rest(self) -> bool:
        """While the database rests, one caller at a time and at most every PROBE_EVERY seconds probes it; whether it is back."""
        began = self._monotonic()
        if began < self._next_probe or not self._probing.acquire(blocking=False):
            return False
        try:
            is_back = is_accepting_writes(self._engine)
            now = self._monotonic()
            self._next_probe = now + max(self._probe_pause, 4 * (now - began))  # a slow probe takes a fifth of the time
            if is_back:
                self._end_rest_early()
            return is_back
        finally:
            self._probing.release()

    def _end_rest_early(self) -> None:
        if self._rests_until > self._monotonic():
            self._ended_early, self._rests_until = True, float("-inf")

    def scrub(self) -> None:
        """Bring what was deleted out of a SQLite file itself, where it would stay until the next checkpoint."""
        if self._file is not None:
            self.run_or_default(lambda: self._pool.run(Connection.checkpoint), None, reads=True)

    # --- tables and file

    def _prepare(self, timeout: float = BUSY_TIMEOUT) -> None:
        """Bring the tables to this release's form, unless that was done; waits for another process that is at it.

        A SQLite file that was deleted or replaced while it was open is made anew.
        """
        if (
            not self._is_file_lost and self._is_ready
        ):  # in this order: a lost file is dropped after `_is_ready` is unset
            return
        if not self._preparing.acquire(timeout=timeout):
            raise TimeoutError("another thread is preparing it")
        try:
            self._drop_lost_file()
            if not self._is_ready:
                if self._file is not None:
                    self._file.open()
                with_retries(lambda: self._migrate(timeout))
                self._is_ready = True
        finally:
            self._preparing.release()

    @property
    def _is_file_lost(self) -> bool:
        return self._file is not None and self._file.is_lost

    def _drop_lost_file(self) -> None:
        if self._file is None or not self._file.is_lost:
            return
        logger.warning("%s: %s. The file at this path is used from now on.", self.safe_url, _LOST)
        self._is_ready = False
        self.generation += 1
        self._file.remove_stale_wal(self._pool.open_wals())
        self._file.close()
        self._pool.clear()

    def _migrate(self, timeout: float) -> None:
        with self._pool.exclusive, self._engine.connect() as connection:
            if is_current(connection):
                return
        with self.migration(timeout) as connection:
            wait_for_migration(connection)
            guard(connection, timeout)
            if not is_current(connection):
                migrate(connection)

    @contextmanager
    def migration(self, timeout: float = BUSY_TIMEOUT) -> Iterator[sqlalchemy.Connection]:
        """A transaction on a SQLAlchemy connection, for Alembic; SQLite's lock is waited for `timeout` seconds."""
        with self._pool.exclusive, self._engine.connect() as connection:
            if self.dialect != "sqlite":
                connection.exec_driver_sql("BEGIN")
            else:
                connection.exec_driver_sql(f"PRAGMA busy_timeout={int(timeout * 1000)}")
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                with suppress(SQLAlchemyError):  # the first failure is the one to raise
                    connection.exec_driver_sql("ROLLBACK")
                raise
            connection.exec_driver_sql("COMMIT")
            if self.is_in_memory:
                connection.exec_driver_sql(f"PRAGMA busy_timeout={int(BUSY_TIMEOUT * 1000)}")

    # --- statements, for works

    def write(self, statement: Any, **values: Any) -> int:
        """Run one statement by itself; how many rows it inserted, changed or removed."""
        return self._pool.run(lambda connection: connection.write(statement, **values))

    def read(self, statement: Any, **values: Any) -> Any:
        """The first row as a named tuple, or None."""
        return self._pool.run(lambda connection: connection.read(statement, **values))

    def read_all(self, statement: Any, **values: Any) -> list[Any]:
        """All rows as named tuples."""
        return self._pool.run(lambda connection: connection.read_all(statement, **values))

    def transaction(self, work: Callable[[Connection], T]) -> T:
        """Several statements on one connection, all of them or none."""
        return self._pool.transaction(work)


def with_retries(work: Callable[[], T]) -> T:
    """The work's result, tried again where the database refuses at once: processes that start together make tables together."""
    began = time.monotonic()
    for pause in RETRY_PAUSES:
        try:
            return work()
        except (IntegrityError, MigrationError):
            raise
        except SQLAlchemyError:
            if time.monotonic() - began > BUSY_TIMEOUT / 2:
                raise
            time.sleep(pause)
    return work()


def put_bounded(items: OrderedDict[Any, T], key: Any, value: T) -> None:
    """Put an item last; beyond MAX_REMEMBERED, the ones that have been there longest go."""
    items[key] = value
    items.move_to_end(key)
    while len(items) > MAX_REMEMBERED:
        items.popitem(last=False)


class KeyLocks:
    """Locks by key: two works on one key take turns, others seldom meet."""

    def __init__(self, count: int = 256) -> None:
        self._locks = tuple(threading.Lock() for _ in range(count))

    def of(self, digest: str) -> threading.Lock:
        """The lock of a key, of which the digest in hexadecimal is given."""
        return self._locks[int(digest[:8], 16) % len(self._locks)]
