"""Claims: of all deliveries of a message, in all processes, one is answered.

A message is claimed before Slack is told that it has arrived, and started after. What is only claimed may be taken over,
because its process may have died before it told Slack; what is started is never given away, unless it is released.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from uuid import uuid4

from sqlalchemy import bindparam, delete, or_, select, update
from sqlalchemy.exc import IntegrityError

from bot.store.database import Database, KeyLocks, put_bounded
from bot.store.tables import claims, digest

CLAIM_LASTS = 24 * 3600
"""Seconds that an answered message is remembered: Slack delivers missed events again for a day."""
SETTLED_AT_ONCE = 50
"""Claims started without the database that one later claim writes down beside its own."""

_insert = claims.insert()
_delete = delete(claims).where(claims.c.key == bindparam("name"))
_delete_own = _delete.where(claims.c.owner == bindparam("mine"))
_find = select(claims.c.begun).where(claims.c.key == bindparam("name"))
_change = (
    update(claims)
    .where(claims.c.key == bindparam("name"))
    .values({column: bindparam(f"new_{column}") for column in ("owner", "begun", "at")})
)
_take_over = _change.where(or_(claims.c.begun == "", claims.c.at <= bindparam("stale")))
_start = _change.where(claims.c.owner == bindparam("mine"), claims.c.begun == "")


@dataclass(frozen=True, slots=True)
class _Claim:
    """What this process knows of a claim. `written_in`: the generation of the database that has it too, or 0."""

    owner: str
    at: float
    begun: str = ""
    written_in: int = 0


class Claims:
    """Who answers what."""

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock
        self._locks = KeyLocks()
        self._lock = threading.Lock()
        self._claimed: OrderedDict[str, _Claim] = OrderedDict()
        self._owed: OrderedDict[str, _Claim] = OrderedDict()

    def claim_once(self, key: str) -> bool:
        """Whether the caller is the first to claim `key` within a day: claimed and started in one."""
        owner = uuid4().hex
        return self.claim(key, owner) and self.start(key, owner)

    def claim(self, key: str, owner: str) -> bool:
        """Claim `key`; without the database, as far as this process knows.

        Args:
            key: what is claimed, such as a message.
            owner: a token of this delivery.

        Returns:
            False if `key` was started within a day.
        """
        name, mine, now = digest(key), digest(owner), self._clock()
        with self._locks.of(name):
            known = self._claimed.get(name)
            if known is not None and known.begun and known.at > now - CLAIM_LASTS:
                return False
            claimed = self._database.run_or_default(lambda: self._insert_or_take(name, mine, now), None)
            if claimed is False:
                self._remember(name, None)
                return False
            self._remember(name, _Claim(mine, now, written_in=self._database.generation if claimed else 0))
            return True

    def start(self, key: str, owner: str) -> bool:
        """Whether `owner` still has `key` claimed and is the first to start it. True once, in all processes."""
        name, mine, now = digest(key), digest(owner), self._clock()
        with self._locks.of(name):
            known = self._claimed.get(name)
            if known is not None and (known.begun or known.owner != mine):
                return False
            claim = _Claim(mine, now, begun=uuid4().hex, written_in=self._database.generation)
            started = self._database.run_or_default(self._starter(name, claim, known), None)
            if started is False or (known is None and started is None):
                self._remember(name, None)
                return False
            self._remember(name, claim, is_owed=started is None)
            return True

    def release(self, key: str, owner: str = "") -> None:
        """Let `key` be claimed again: what it stands for has surely not been done. With `owner`, only that one's claim."""
        name, mine = digest(key), digest(owner)
        with self._locks.of(name):
            known = self._claimed.get(name)
            if known is not None and owner and known.owner != mine:
                return
            self._remember(name, None)
            if owner:
                self._database.run_or_default(lambda: self._database.write(_delete_own, name=name, mine=mine), 0)
            else:
                self._database.run_or_default(lambda: self._database.write(_delete, name=name), 0)

    def _remember(self, name: str, claim: _Claim | None, *, is_owed: bool = False) -> None:
        with self._lock:
            if claim is None:
                self._claimed.pop(name, None)
                self._owed.pop(name, None)
                return
            put_bounded(self._claimed, name, claim)
            if is_owed:
                put_bounded(self._owed, name, claim)

    def _insert_or_take(self, name: str, owner: str, now: float) -> bool:
        self._write_pending()
        try:
            self._database.write(_insert, key=name, owner=owner, begun="", at=now)
            return True
        except IntegrityError:
            return self._take(name, _Claim(owner, now))

    def _take(self, name: str, claim: _Claim) -> bool:
        """Whether what nobody has started, or what is a day old, becomes this claim."""
        stale = self._clock() - CLAIM_LASTS
        return self._database.write(_take_over, name=name, stale=stale, **_values(claim)) == 1

    def _starter(self, name: str, claim: _Claim, known: _Claim | None) -> Callable[[], bool]:
        """The work that writes a start down. Called again, it recognizes what it has written before by `begun`.

        A row can be changed although its writing seemed to fail: the connection broke before the database could say so.
        """
        attempts = count()

        def start() -> bool:
            is_retry = next(attempts) > 0
            if self._database.write(_start, name=name, mine=claim.owner, **_values(claim)) == 1:
                return True
            found = self._database.read(_find, name=name) if is_retry else None
            if found is not None and found.begun == claim.begun:
                return True
            is_written = known is None or known.written_in == self._database.generation
            return not is_written and self._insert_late(name, claim)

        return start

    def _insert_late(self, name: str, claim: _Claim) -> bool:
        """Write down what was claimed while the database was unavailable; false if somebody else has started it since."""
        try:
            self._database.write(_insert, key=name, **_row(claim))
            return True
        except IntegrityError:
            return self._take(name, claim)

    def _write_pending(self) -> None:
        """Write down some of what was started while the database was unavailable."""
        if not self._owed:
            return
        with self._lock:
            some = list(self._owed.items())[:SETTLED_AT_ONCE]
        for name, claim in some:
            self._insert_late(name, claim)
            with self._lock:
                self._owed.pop(name, None)


def _row(claim: _Claim) -> dict[str, object]:
    return {"owner": claim.owner, "begun": claim.begun, "at": claim.at}


def _values(claim: _Claim) -> dict[str, object]:
    return {"new_owner": claim.owner, "new_begun": claim.begun, "new_at": claim.at}
