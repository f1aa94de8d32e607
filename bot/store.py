"""The store: which messages have been answered, where conversations stand, and what helped. Ids and digests only, never
words.

Any SQLAlchemy URL. A database that is gone or locked stops no answer: this process then goes by its own memory, says
so once, and tries again a few seconds later.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import (
    Column,
    Engine,
    Float,
    Index,
    MetaData,
    String,
    Table,
    bindparam,
    create_engine,
    delete,
    event,
    select,
    update,
)
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, IntegrityError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import StaticPool

from bot.model import AskPyError, Context

CLAIM_LASTS = 24 * 3600
"""Seconds that an answered message is remembered: Slack delivers missed events again for a day."""
CONTEXT_LASTS = 30 * 60
"""Seconds after which a conversation begins anew."""
DAY = 24 * 3600
RETENTION_DAYS = 90
"""Days that votes are kept, unless the operator says otherwise."""
PURGE_EVERY = 3600
"""Seconds between two removals of what is no longer remembered."""
BUSY = 2
"""Seconds to wait for a database that another process is writing to, or that doesn't answer."""
PAUSES = (0.02, 0.05, 0.1, 0.2)
"""Seconds between attempts where the database refused at once."""
REST = 5
"""Seconds without a further try after the database has failed: each try may cost an answer BUSY seconds."""
LONGEST_IDS = 4_000
"""Characters of a context's ids as the database keeps them."""
MOST_KEPT = 20_000
"""Claims and contexts that this process keeps in its own memory."""

_metadata = MetaData()
_claims = Table(
    "askpy_claims",
    _metadata,
    Column("key", String(64), primary_key=True),
    Column("at", Float(53), nullable=False),
    Index("askpy_claims_at", "at"),
)
_contexts = Table(
    "askpy_contexts",
    _metadata,
    Column("conversation", String(64), primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("ids", String(LONGEST_IDS), nullable=False),
    Column("grouped", String(200)),
    Column("at", Float(53), nullable=False),
    Index("askpy_contexts_at", "at"),
)
_votes = Table(
    "askpy_votes",
    _metadata,
    Column("answer", String(64), primary_key=True),
    Column("voter", String(64), primary_key=True),
    Column("subject", String(1000), nullable=False),
    Column("vote", String(10), nullable=False),
    Column("reason", String(20), nullable=False),
    Column("at", Float(53), nullable=False),
    Index("askpy_votes_at", "at"),
)

_insert_claim = _claims.insert()
_insert_context = _contexts.insert()
_delete_claim = delete(_claims).where(_claims.c.key == bindparam("name"))
_renew_claim = (
    update(_claims)
    .where(_claims.c.key == bindparam("name"), _claims.c.at <= bindparam("stale"))
    .values(at=bindparam("now"))
)
_purge_claims = delete(_claims).where(_claims.c.at <= bindparam("stale"))
_purge_contexts = delete(_contexts).where(_contexts.c.at <= bindparam("stale"))
_find_claim = select(_claims.c.at).where(_claims.c.key == bindparam("name"))
_find_context = select(_contexts).where(_contexts.c.conversation == bindparam("name"))
_change_context = (
    update(_contexts)
    .where(_contexts.c.conversation == bindparam("name"))
    .values({column: bindparam(f"new_{column}") for column in ("kind", "ids", "grouped", "at")})
)
_insert_vote = _votes.insert()
_change_vote = (
    update(_votes)
    .where(_votes.c.answer == bindparam("of"), _votes.c.voter == bindparam("by"))
    .values({column: bindparam(f"new_{column}") for column in ("subject", "vote", "reason", "at")})
)
_purge_votes = delete(_votes).where(_votes.c.at <= bindparam("stale"))

T = TypeVar("T")
logger = logging.getLogger(__name__)


class StoreError(AskPyError):
    """A database URL that can't be used."""


class Store:
    """Claims and conversations over one database, for any number of threads and processes."""

    def __init__(
        self, url: str, clock: Callable[[], float] = time.time, retention_days: float = RETENTION_DAYS
    ) -> None:
        """Opens nothing yet; raises StoreError if `url` is no database URL or its driver is missing."""
        self._clock = clock
        self._retention = retention_days * DAY
        self._engine = _engine(url)
        self._lock = threading.Lock()
        self._claimed: OrderedDict[str, float] = OrderedDict()
        self._kept: OrderedDict[str, tuple[float, Context]] = OrderedDict()
        self._ready = False
        self._rests_until = 0.0
        self._purged = 0.0
        self.failures = 0

    # -- claims

    def claim(self, key: str) -> bool:
        """Whether the caller is the first to claim `key` within a day, in all processes."""
        name, now = _digest(key), self._clock()
        with self._lock:
            if self._claimed.get(name, 0.0) > now - CLAIM_LASTS:
                return False
            _remember(self._claimed, name, now)
        return self._try(self._claimer(name, now), True)

    def release(self, key: str) -> None:
        """Let `key` be claimed again: what it stands for has surely not been done."""
        name = _digest(key)
        with self._lock:
            self._claimed.pop(name, None)
        self._try(lambda: self._write(_delete_claim, name=name), 0)

    def _claimer(self, name: str, now: float) -> Callable[[], bool]:
        """What writes a claim down. Tried again, it knows the row that it has written before: by the very moment in it.

        A row can be there although its writing seemed to fail: the connection broke before the database could say so.
        """
        tries = count()

        def insert() -> bool:
            again = next(tries) > 0
            self._purge(now)
            try:
                return self._write(_insert_claim, key=name, at=now) == 1
            except IntegrityError:
                if self._write(_renew_claim, name=name, stale=now - CLAIM_LASTS, now=now) == 1:
                    return True
                found = self._read(_find_claim, name=name) if again else None
                return found is not None and found.at == now

        return insert

    # -- conversations

    def recall(self, conversation: str) -> Context | None:
        """Where a conversation stands, if it was heard of in the last half hour."""
        name, now = _digest(conversation), self._clock()
        with self._lock:
            at, context = self._kept.get(name, (0.0, None))
        found = self._try(lambda: self._read(_find_context, name=name), None)
        if found is not None and found.at > at:  # else it is ours, whole, or one from before a failure
            at, context = found.at, _context(found)
        return context if at > now - CONTEXT_LASTS else None

    def keep(self, conversation: str, context: Context) -> None:
        """Remember where a conversation stands, for half an hour; in the database, as many ids as fit."""
        name, now = _digest(conversation), self._clock()
        with self._lock:
            _remember(self._kept, name, (now, context))
        values = {"kind": context.kind, "ids": _ids(context), "grouped": context.group, "at": now}
        self._try(lambda: self._upsert_context(name, values), None)

    def _upsert_context(self, name: str, values: dict[str, Any]) -> None:
        changed = {f"new_{column}": value for column, value in values.items()}
        if self._write(_change_context, name=name, **changed) == 0:
            with suppress(IntegrityError):  # somebody wrote the same conversation just now
                self._write(_insert_context, conversation=name, **values)

    # -- votes

    def vote(self, answer: str, voter: str, subject: str, vote: str, reason: str) -> bool:
        """Count a vote; of one voter and answer the last one stays. False if it couldn't be written down.

        `answer` and `voter` are opaque; `subject` is what the answer was about, by ids.
        """
        name, now = _digest(voter), self._clock()
        values = {"subject": subject[:1000], "vote": vote[:10], "reason": reason[:20], "at": now}
        return self._try(lambda: self._upsert_vote(_digest(answer), name, values), False)

    def _upsert_vote(self, answer: str, voter: str, values: dict[str, Any]) -> bool:
        changed = {f"new_{column}": value for column, value in values.items()}
        if self._write(_change_vote, of=answer, by=voter, **changed) == 0:
            try:
                self._write(_insert_vote, answer=answer, voter=voter, **values)
            except IntegrityError:  # the same person, twice at once
                self._write(_change_vote, of=answer, by=voter, **changed)
        return True

    # -- the database

    def probe(self) -> str:
        """What is wrong with the database, in a sentence; empty if nothing is."""
        try:
            self._prepare()
            self._read(select(_claims.c.key).limit(1))
        except (SQLAlchemyError, OSError) as error:
            return f"{self._engine.url.render_as_string(hide_password=True)}: {_cause(error)}"
        return ""

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()

    def _try(self, work: Callable[[], T], otherwise: T) -> T:
        """The work's result, or `otherwise` while the database is away."""
        if self._clock() < self._rests_until:
            return otherwise
        try:
            self._prepare()
            result = _patiently(work)
        except (SQLAlchemyError, OSError) as error:
            self.failures += 1
            if not self._rests_until:
                logger.warning("The database can't be used (%s); this process goes by its own memory.", _cause(error))
            self._rests_until = self._clock() + REST
            return otherwise
        if self._rests_until:
            logger.warning("The database can be used again, after %d failures.", self.failures)
            self._rests_until = 0.0
        return result

    def _prepare(self) -> None:
        if self._ready:
            return
        with self._lock:
            if not self._ready:
                _make_folder(self._engine.url)
                _patiently(lambda: _metadata.create_all(self._engine))
                self._ready = True

    def _purge(self, now: float) -> None:
        if now < self._purged + PURGE_EVERY:
            return
        self._purged = now
        self._write(_purge_claims, stale=now - CLAIM_LASTS)
        self._write(_purge_contexts, stale=now - CONTEXT_LASTS)
        self._write(_purge_votes, stale=now - self._retention)

    def _write(self, statement: Any, **values: Any) -> int:
        with self._engine.connect() as connection:
            return int(connection.execute(statement, values).rowcount)

    def _read(self, statement: Any, **values: Any) -> Any:
        with self._engine.connect() as connection:
            return connection.execute(statement, values).first()


_FORM = "write postgresql://user:password@host:5432/database, with %40 for an @ and %2F for a / in the password"


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


def _engine(url: str) -> Engine:
    parsed = database_url(url)
    kind = parsed.get_backend_name()
    # Each thing we do is one statement, so that a transaction around it would only cost time.
    options: dict[str, Any] = {"pool_pre_ping": kind != "sqlite", "isolation_level": "AUTOCOMMIT"}
    if kind == "sqlite":
        options["connect_args"] = {"timeout": BUSY, "check_same_thread": False}
        if parsed.database in {None, "", ":memory:"}:
            options["poolclass"] = StaticPool
    elif kind == "postgresql":
        options |= {"connect_args": {"connect_timeout": BUSY}, "pool_timeout": BUSY, "max_overflow": 10}
    try:
        engine = create_engine(parsed, **options)
    except NoSuchModuleError:
        raise StoreError(f"DATABASE_URL names a database that SQLAlchemy doesn't know: {parsed.drivername}.") from None
    except ModuleNotFoundError as error:
        remedy = "install askpy[postgres]" if kind == "postgresql" else "install it beside askpy"
        raise StoreError(f"DATABASE_URL needs the driver {error.name}, which isn't installed: {remedy}.") from None
    except (ArgumentError, TypeError, ValueError):  # they may quote the URL
        form = "write three slashes before a path, four before one from the root: sqlite:///askpy.db"
        raise StoreError(f"DATABASE_URL can't be used: {form if kind == 'sqlite' else _FORM}.") from None
    if kind == "sqlite":
        event.listen(engine, "connect", _tune)
    return engine


def _tune(connection: Any, _: object) -> None:
    """SQLite: readers and a writer at once, and no wait for the disk at every claim."""
    connection.execute(f"PRAGMA busy_timeout={BUSY * 1000}")
    connection.execute("PRAGMA synchronous=NORMAL")
    with suppress(sqlite3.OperationalError):  # another process is just doing the same; it lasts
        connection.execute("PRAGMA journal_mode=WAL")


def _patiently(work: Callable[[], T]) -> T:
    """The work, tried again where a database refuses at once: processes that start together make tables together."""
    began = time.monotonic()
    for pause in PAUSES:
        try:
            return work()
        except IntegrityError:
            raise
        except SQLAlchemyError:
            if time.monotonic() - began > BUSY / 2:
                raise
            time.sleep(pause)
    return work()


def _make_folder(url: URL) -> None:
    if url.get_backend_name() == "sqlite" and url.database not in {None, "", ":memory:"}:
        Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)


def _ids(context: Context) -> str:
    """A context's ids as JSON, without the last ones where they are too many: first of the others, then of the rest."""
    kept = [list(context.others), list(context.before), list(context.ids)]
    while len(told := json.dumps(kept[::-1])) > LONGEST_IDS:
        next(ids for ids in kept if ids).pop()
    return told


def _context(found: Any) -> Context:
    """A kept context; where an older version kept the ids alone, those."""
    kept = json.loads(found.ids)
    ids, before, others = kept if kept and isinstance(kept[0], list) else (kept, [], [])
    return Context(found.kind, tuple(ids), found.grouped, tuple(before), tuple(others))


def _digest(key: str) -> str:
    """A key of fixed length from which nobody can be read."""
    return sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def _remember(kept: OrderedDict[str, T], name: str, value: T) -> None:
    kept[name] = value
    kept.move_to_end(name)
    while len(kept) > MOST_KEPT:
        kept.popitem(last=False)


def _cause(error: BaseException) -> str:
    """The first line of the driver's own complaint, without the statement."""
    told = str(getattr(error, "orig", None) or error).strip().splitlines()
    return told[0] if told else type(error).__name__
