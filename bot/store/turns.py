"""Turns: messages of one conversation are answered in their order also where several processes receive them.

Each message in progress is a row with its conversation and position. A message waits, TURN_TIMEOUT seconds at most, while another
process has an earlier one of the same conversation. A row counts for TURN_LASTS seconds, in case its process was killed.

A process that is alone writes no rows: it has the order in its memory (`ConversationQueues`). Whether others use the database is
known from a row that each process renews.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import uuid4

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.exc import IntegrityError

from bot.store.database import Database
from bot.store.tables import processes, turns

TURN_TIMEOUT = 2.0
"""Seconds that a message waits for earlier ones of its conversation in other processes."""
TURN_LASTS = 15.0
"""Seconds for which a message counts as in progress: longer than a post takes, and than the clocks of two machines differ. When
its process was killed, the others wait TURN_TIMEOUT seconds at most."""
LEAVES_AT_ONCE = 16
"""Messages whose end one statement writes down."""
BEAT_INTERVAL, PROCESS_LASTS = 5.0, 15.0
"""Seconds between two signs of life of a process, and for which one counts: two may fail."""

_join = turns.insert()
_owners = tuple(f"owner{number}" for number in range(LEAVES_AT_ONCE))
_leave = delete(turns).where(turns.c.owner.in_([bindparam(name) for name in _owners]))
_is_behind = select(turns.c.owner).where(
    turns.c.conversation == bindparam("name"),
    turns.c.position < bindparam("before"),
    turns.c.process != bindparam("me"),
    turns.c.at > bindparam("stale"),
)
_begin = processes.insert()
_beat = update(processes).where(processes.c.process == bindparam("me")).values(at=bindparam("now"))
_end = delete(processes).where(processes.c.process == bindparam("me"))
_find_other = select(processes.c.process).where(
    processes.c.process != bindparam("me"), processes.c.at > bindparam("stale")
)


class Turns:
    """The messages in progress, of all processes."""

    def __init__(self, database: Database, clock: Callable[[], float], hmac_id: Callable[[str], str]) -> None:
        self._database = database
        self._clock = clock
        self._hmac_id = hmac_id
        self._process = uuid4().hex
        self._left: deque[str] = deque()
        self.is_writing_leaves = False
        """Set by the caller of `leave`, while it has a call of `write_leaves` planned."""
        self._always = False
        self.is_shared = False
        """Whether other processes use the database."""

    def expect_others(self) -> None:
        """Count on other processes from the start: this is one of several workers."""
        self._always = self.is_shared = True

    def join(self, conversation: str, position: float, owner: str) -> None:
        """Note that this process has begun a message.

        Args:
            conversation: the key of its conversation.
            position: the message's ts, in seconds.
            owner: a token of this delivery.
        """
        row = {"conversation": self._hmac_id(conversation), "position": position, "process": self._process}
        self._write(partial(self._insert, _join, owner=owner, at=self._clock(), **row))

    def is_behind(self, conversation: str, position: float) -> bool:
        """Whether another process has an earlier message of the conversation; false while the database is unavailable."""
        values = {"name": self._hmac_id(conversation), "before": position, "me": self._process}
        read = partial(self._database.read, _is_behind, stale=self._clock() - TURN_LASTS, **values)
        return self._database.run_or_default(read, None, reads=True) is not None

    def leave(self, owner: str) -> None:
        """Note that a message has been answered, or won't be. `write_leaves` writes it down; this doesn't block."""
        self._left.append(owner)

    def write_leaves(self) -> None:
        """Write down which messages have ended."""
        while self._left:
            owners = [self._left.popleft() for _ in range(min(len(self._left), LEAVES_AT_ONCE))]
            values = dict(zip(_owners, owners * LEAVES_AT_ONCE, strict=False))
            self._write(partial(self._database.write, _leave, **values))

    def beat(self) -> None:
        """Give a sign of life, and look for other processes."""
        now = self._clock()

        def work() -> bool:
            if not self._database.write(_beat, me=self._process, now=now):
                self._insert(_begin, process=self._process, at=now)
            return self._database.read(_find_other, me=self._process, stale=now - PROCESS_LASTS) is not None

        has_others = self._database.run_or_default(work, self.is_shared)
        self.is_shared = self._always or has_others

    def run(self, stop: threading.Event) -> None:
        """Give signs of life until `stop` is set; for a thread of its own. Nothing to do for a database in memory."""
        if self._database.is_in_memory:
            return
        self.beat()
        while not stop.wait(BEAT_INTERVAL):
            self.beat()
        self.write_leaves()
        self._write(partial(self._database.write, _end, me=self._process))

    def _insert(self, statement: Any, **row: Any) -> int:
        """Insert a row that may be there already: the connection may have broken after it was written."""
        try:
            return self._database.write(statement, **row)
        except IntegrityError:
            return 0

    def _write(self, work: Callable[[], Any]) -> None:
        self._database.run_or_default(work, 0)
