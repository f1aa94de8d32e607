"""Claims: of all that hear a message, in all processes, one answers it.

A message is held before Slack is told that it has arrived, and begun after. What is held only may be taken over, because its
process may have died before it told Slack; what is begun is never given away, unless it is released.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from uuid import uuid4

from sqlalchemy import bindparam, delete, or_, select, update
from sqlalchemy.exc import IntegrityError

from bot.store.database import RETENTION_DAYS, Database
from bot.store.keys import digest, remember
from bot.store.tables import claims

CLAIM_LASTS = 24 * 3600
"""Seconds that an answered message is remembered: Slack delivers missed events again for a day."""
TURNS = 256
"""Locks for the keys: two deliveries of one message take turns, others seldom meet."""
SETTLED_AT_ONCE = 50
"""Claims begun without the database that one later claim writes down beside its own."""

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
    """What this process knows of a claim. `written`: the database has it too."""

    owner: str
    at: float
    begun: str = ""
    written: bool = True


class Claims(Database):
    """Who answers what."""

    def __init__(
        self, url: str, clock: Callable[[], float] = time.time, retention_days: float = RETENTION_DAYS
    ) -> None:
        super().__init__(url, clock, retention_days)
        self._turns = tuple(threading.Lock() for _ in range(TURNS))
        self._claimed: OrderedDict[str, _Claim] = OrderedDict()
        self._owed: OrderedDict[str, _Claim] = OrderedDict()

    def claim(self, key: str) -> bool:
        """Whether the caller is the first to claim `key` within a day: held and begun in one."""
        owner = uuid4().hex
        return self.hold(key, owner) and self.begin(key, owner)

    def hold(self, key: str, owner: str) -> bool:
        """Hold `key` for `owner`, a token of this delivery; false if it was begun within a day."""
        name, mine, now = digest(key), digest(owner), self._clock()
        with self._turn(name):
            known = self._claimed.get(name)
            if known is not None and known.begun and known.at > now - CLAIM_LASTS:
                return False
            held = self._try(lambda: self._held(name, mine, now), None)
            if held is False:
                self._know(name, None)
                return False
            self._know(name, _Claim(mine, now, written=held is True))
            return True

    def begin(self, key: str, owner: str) -> bool:
        """Whether `owner` still holds `key` and is the first to begin it. True once, in all processes."""
        name, mine, now = digest(key), digest(owner), self._clock()
        with self._turn(name):
            known = self._claimed.get(name)
            if known is not None and (known.begun or known.owner != mine):
                return False
            claim = _Claim(mine, now, begun=uuid4().hex)
            begun = self._try(self._beginner(name, claim, written=known is None or known.written), None)
            if begun is False or (known is None and begun is None):
                self._know(name, None)
                return False
            self._know(name, claim, owed=begun is None)
            return True

    def release(self, key: str, owner: str = "") -> None:
        """Let `key` be claimed again: what it stands for has surely not been done. With an owner, only what is its."""
        name, mine = digest(key), digest(owner)
        with self._turn(name):
            known = self._claimed.get(name)
            if known is not None and owner and known.owner != mine:
                return
            self._know(name, None)
            if owner:
                self._try(lambda: self._write(_delete_own, name=name, mine=mine), 0)
            else:
                self._try(lambda: self._write(_delete, name=name), 0)

    def _turn(self, name: str) -> threading.Lock:
        """One key is dealt with by one thread at a time, so that memory and database agree on the order."""
        return self._turns[int(name[:8], 16) % TURNS]

    def _know(self, name: str, claim: _Claim | None, *, owed: bool = False) -> None:
        with self._lock:
            if claim is None:
                self._claimed.pop(name, None)
                self._owed.pop(name, None)
                return
            remember(self._claimed, name, claim)
            if owed:
                remember(self._owed, name, claim)

    def _held(self, name: str, owner: str, now: float) -> bool:
        self._settle()
        try:
            self._write(_insert, key=name, owner=owner, begun="", at=now)
            return True
        except IntegrityError:
            return self._take(name, _Claim(owner, now))

    def _take(self, name: str, claim: _Claim) -> bool:
        """Whether what nobody has begun, or what is a day old, becomes this claim."""
        stale = self._clock() - CLAIM_LASTS
        return self._write(_take_over, name=name, stale=stale, **_values(claim)) == 1

    def _beginner(self, name: str, claim: _Claim, *, written: bool) -> Callable[[], bool]:
        """What writes a beginning down. Tried again, it knows what it has written before, by the very mark in it.

        A row can be changed although its writing seemed to fail: the connection broke before the database could say so.
        """
        tries = count()

        def begin() -> bool:
            again = next(tries) > 0
            if self._write(_start, name=name, mine=claim.owner, **_values(claim)) == 1:
                return True
            found = self._read(_find, name=name) if again else None
            if found is not None and found.begun == claim.begun:
                return True
            return not written and self._write_late(name, claim)

        return begin

    def _write_late(self, name: str, claim: _Claim) -> bool:
        """Write down what was claimed while the database was away; false if somebody else has begun it since."""
        try:
            self._write(_insert, key=name, **_row(claim))
            return True
        except IntegrityError:
            return self._take(name, claim)

    def _settle(self) -> None:
        """Write down some of what was begun while the database was away."""
        if not self._owed:
            return
        with self._lock:
            some = list(self._owed.items())[:SETTLED_AT_ONCE]
        for name, claim in some:
            self._write_late(name, claim)
            with self._lock:
                self._owed.pop(name, None)


def _row(claim: _Claim) -> dict[str, object]:
    return {"owner": claim.owner, "begun": claim.begun, "at": claim.at}


def _values(claim: _Claim) -> dict[str, object]:
    return {f"new_{column}": value for column, value in _row(claim).items()}
