"""Promises: messages that are acknowledged and not answered yet. Slack won't send them again, so that they are lost if
this process dies. There are never more of them than threads that send; Slack keeps the others, and sends them again."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from slack_bolt import BoltResponse

from bot.slack.post import SENDERS

WITHIN = 2.0
"""Seconds that a delivery waits for a promise."""
WAITING = 200
"""Deliveries that may wait at once, each in a thread of the door: about as many as are answered within that time."""
HOLDING = 2
"""Threads that hold messages in the database at once: more of them only get into each other's way."""
DECIDED = 2.7
"""Seconds in which a delivery is acknowledged or refused: Slack waits for three."""


def _uncounted(_: int) -> None:
    return


@dataclass(slots=True)
class Promises:
    """Gives so many promises at once, to whom has waited longest."""

    most: int = SENDERS
    waiting: int = WAITING
    open: int = 0
    refused: int = 0
    counts: Callable[[int], None] = _uncounted
    """Told of each message more that waits or is being answered, and of each less."""
    hold_takes: float = 0.0
    """Seconds that the database took to hold the last message: so much earlier is a promise needed."""
    turns: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(HOLDING))
    _queue: deque[threading.Event] = field(default_factory=deque)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def make(self) -> Promise | None:
        """A promise, if there is one to be had in time."""
        self.counts(1)
        promise = self._make()
        if promise is None:
            self.counts(-1)
        return promise

    def _make(self) -> Promise | None:
        with self._lock:
            if self.open < self.most:
                self.open += 1
                return Promise(self)
            if len(self._queue) >= self.waiting:
                self.refused += 1
                return None
            turn = threading.Event()
            self._queue.append(turn)
        turn.wait(min(WITHIN, DECIDED - self.hold_takes))
        with self._lock:
            if turn.is_set():  # it may have come after the wait, and is ours all the same
                return Promise(self)
            self._queue.remove(turn)
            self.refused += 1
            return None

    def _settled(self) -> None:
        self.counts(-1)
        with self._lock:
            if self._queue:
                self._queue.popleft().set()
            else:
                self.open -= 1


class Promise:
    """One message that will be answered."""

    def __init__(self, promises: Promises) -> None:
        self._promises: Promises | None = promises
        self._lock = threading.Lock()

    def settle(self) -> None:
        """It is kept, or can't be, or waits because Slack has said so; once is enough."""
        with self._lock:
            promises, self._promises = self._promises, None
        if promises is not None:
            promises._settled()


class Acknowledged(BoltResponse):
    """An acknowledgement that a door hands to Slack, and then says so: `then` runs once it is written, `lost` where it
    can't be.

    A server writes headers together with the first byte of a body. Without one over HTTP, `then` runs a little early; with
    one, whoever typed a command would read it.
    """

    def __init__(self, *, then: Callable[[], None], lost: Callable[[], None], body: str = "") -> None:
        super().__init__(status=200, body=body)
        self.then, self.lost = then, lost


class Written(Iterator[bytes]):
    """An acknowledgement's body for a WSGI server, which asks for more only when it has written what it was given."""

    def __init__(self, acknowledged: Acknowledged) -> None:
        self._left, self._end = [acknowledged.body.encode()], acknowledged
        self._ended = False

    def __next__(self) -> bytes:
        if self._left:
            return self._left.pop()
        self._finish(self._end.then)
        raise StopIteration

    def close(self) -> None:
        """The server is done with it; by now all of it is written, or never will be."""
        self._finish(self._end.lost)

    def _finish(self, how: Callable[[], None]) -> None:
        ended, self._ended = self._ended, True
        if not ended:
            how()
