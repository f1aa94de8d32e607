"""Turns: messages of one conversation are answered in their order also where several processes receive them.

Each message that a process has in hand is a row with its conversation and position. A message waits while another process has an
earlier one of the same conversation. A row counts for TURN_LASTS seconds, so that nobody waits for a process that was killed.

A process that is alone writes no rows: it has the order in its memory (`ConversationQueues`). Whether others use the database is
known from a row that each process renews.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any
from uuid import uuid4

from sqlalchemy import bindparam, delete, select, update

from bot.store.database import Database
from bot.store.tables import processes, turns

TURN_LASTS = 2.0
"""Seconds for which a message holds up later ones of its conversation in other processes. It is posted within 0.2 s, and whoever
asks waits for both answers."""
BEAT_INTERVAL, PROCESS_LASTS = 5.0, 15.0
"""Seconds between two signs of life of a process, and for which one counts: two may fail."""

_join = turns.insert()
_leave = delete(turns).where(turns.c.owner == bindparam("mine"))
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
    """The messages in hand, of all processes."""

    def __init__(self, database: Database, clock: Callable[[], float], hmac_id: Callable[[str], str]) -> None:
        self._database = database
        self._clock = clock
        self._hmac_id = hmac_id
        self._process = uuid4().hex
        self._left: deque[str] = deque()
        self._always = False
        self.is_shared = False
        """Whether other processes use the database."""

    def expect_others(self) -> None:
        """Count on other processes from the start: this is one of several workers."""
        self._always = self.is_shared = True

    def join(self, conversation: str, position: float, owner: str) -> None:
        """Note that this process has a message in hand.

        Args:
            conversation: the key of its conversation.
            position: the message's ts, in seconds.
            owner: a token of this delivery.
        """
        self.write_leaves()
        row = {"conversation": self._hmac_id(conversation), "position": position, "process": self._process}
        self._write(partial(self._database.write, _join, owner=owner, at=self._clock(), **row))

    def is_behind(self, conversation: str, position: float) -> bool:
        """Whether another process has an earlier message of the conversation; false while the database is unavailable."""
        values = {"name": self._hmac_id(conversation), "before": position, "me": self._process}
        read = partial(self._database.read, _is_behind, stale=self._clock() - TURN_LASTS, **values)
        return self._database.run_or_default(read, None, reads=True) is not None

    def leave(self, owner: str) -> None:
        """Note that a message has been answered, or won't be; `join` or `write_leaves` writes it down. Doesn't block."""
        self._left.append(owner)

    @property
    def has_leaves(self) -> bool:
        """Whether there is something for `write_leaves` to do."""
        return bool(self._left)

    def write_leaves(self) -> None:
        """Write down who has left."""
        while self._left:
            with suppress(IndexError):  # another thread was quicker
                self._write(partial(self._database.write, _leave, mine=self._left.popleft()))

    def beat(self) -> None:
        """Give a sign of life, and look for other processes."""
        now = self._clock()

        def work() -> bool:
            if not self._database.write(_beat, me=self._process, now=now):
                self._database.write(_begin, process=self._process, at=now)
            return self._database.read(_find_other, me=self._process, stale=now - PROCESS_LASTS) is not None

        self.is_shared = self._always or self._database.run_or_default(work, self.is_shared)

    def run(self, stop: threading.Event) -> None:
        """Give signs of life until `stop` is set; for a thread of its own. Nothing to do for a database in memory."""
        if self._database.is_in_memory:
            return
        self.beat()
        while not stop.wait(BEAT_INTERVAL):
            self.beat()
        self.write_leaves()
        self._write(partial(self._database.write, _end, me=self._process))

    def _write(self, work: Callable[[], Any]) -> None:
        self._database.run_or_default(work, 0)
