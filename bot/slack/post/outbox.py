"""The outbox: what to do again, what never, and all of it without holding up anybody else.

A request goes out at once from a pool of its own. What has to be sent again waits in a queue, not in a thread: a
channel that Slack has slowed down holds up no other, and no listener waits for the network.
"""

from __future__ import annotations

import heapq
import logging
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import count

from bot.slack.post.delivery import PACE
from bot.slack.post.requests import Again, Lost, Outcome, Refused, Request, Sent, nothing
from bot.slack.trace import frames

SENDERS = 64
"""Requests to Slack at once: at 150 ms each that is 400 answers a second, more than any workspace may post."""
MOST_TRIES = 8
"""Times that one request is sent at most."""
BACKOFF = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
"""Seconds before each repetition that Slack set no time for, give or take a fifth."""

logger = logging.getLogger(__name__)


def _uncounted(_: int) -> None:
    return


@dataclass(slots=True)
class _Sending:
    request: Request
    until: float
    tries: int = 0


@dataclass(slots=True)
class Outbox:
    """Sends requests, again where that is right, and can be drained. `counts` is told of each more and each less under way,
    `resends` of each that is to be sent again."""

    deliver: Callable[[Request], Outcome] = lambda _: Lost("no door")
    senders: Executor = field(default_factory=lambda: ThreadPoolExecutor(SENDERS, "sender"))
    counts: Callable[[int], None] = _uncounted
    resends: Callable[[], None] = nothing
    backoff: tuple[float, ...] = BACKOFF
    pace: float = PACE
    clock: Callable[[], float] = time.monotonic
    _open: int = 0
    _slots: dict[str, float] = field(default_factory=dict)
    _quiet: dict[str, float] = field(default_factory=dict)
    _waiting: list[tuple[float, int, _Sending]] = field(default_factory=list)
    _numbers: count[int] = field(default_factory=count)
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _timer: threading.Thread | None = None
    _closes: float | None = None

    def send(self, request: Request) -> None:
        """Send it soon; returns at once."""
        now = self.clock()
        with self._changed:
            self._open += 1
        self.counts(1)
        self._put(_Sending(request, now + request.lasts), now)

    def close(self, timeout: float) -> bool:
        """Finish what can be finished within `timeout` seconds; true if nothing was left.

        What waits is sent as soon as Slack allows, without backoff and pace.
        """
        with self._changed:
            now = self.clock()
            self._closes = now + timeout
            hurried = [(max(now, self._quiet.get(each.request.lane, 0.0)), n, each) for _, n, each in self._waiting]
            late = [entry for entry in hurried if entry[0] > self._closes]
            self._waiting = [entry for entry in hurried if entry[0] <= self._closes]
            heapq.heapify(self._waiting)
            self._slots.clear()
            self._changed.notify_all()
        for _, _, sending in late:
            self._end(sending, Again("stopping"))
        done = self.drain(timeout)
        if not done:
            logger.warning("Stopping with %d requests under way.", self._open)
        self.senders.shutdown(wait=False, cancel_futures=True)
        return done and not late

    def drain(self, timeout: float) -> bool:
        """Wait until nothing is open; false after `timeout` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._open, timeout)

    # -- one attempt after another

    def _put(self, sending: _Sending, due: float) -> None:
        """Send it at `due`, or at the next time that its lane allows."""
        lane = sending.request.lane
        with self._changed:
            now = self.clock()
            slot = self._slots.get(lane, 0.0)
            slowed = slot > now
            if slowed:
                due = max(due, slot)
                self._slots[lane] = due + self.pace
            elif slot:
                del self._slots[lane]
                self._quiet.pop(lane, None)
            stopping = self._closes is not None and due > self._closes
            waits = due > now and due <= sending.until and not stopping
            if waits:
                heapq.heappush(self._waiting, (due, next(self._numbers), sending))
                self._start_timer()
                self._changed.notify_all()
        if waits:
            if slowed:
                sending.request.settled()
            return
        if due > now:
            self._end(sending, Again("stopping" if stopping else "too late"))
        else:
            self._submit(sending)

    def _submit(self, sending: _Sending) -> None:
        try:
            self.senders.submit(self._try, sending)
        except RuntimeError:  # the pool has been shut down
            self._end(sending, Again("stopping"))

    def _try(self, sending: _Sending) -> None:
        request = sending.request
        sending.tries += 1
        try:
            outcome = self.deliver(request)
        except Exception as error:  # a fault of ours: it must neither vanish in the pool nor be posted twice
            logger.error("%s failed\n%s", request.target, frames(error))
            outcome = Lost("our own fault")
        if isinstance(outcome, Refused) and outcome.code.startswith("invalid_blocks") and request.simpler is not None:
            logger.warning("%s: %s; sending the classic layout", request.target, outcome.code)
            sending.request = replace(request, args=request.simpler(), simpler=None)
            self._try(sending)
        elif isinstance(outcome, Again) and sending.tries < MOST_TRIES:
            self._again(sending, outcome)
        else:
            self._end(sending, outcome)

    def _again(self, sending: _Sending, outcome: Again) -> None:
        wait = outcome.after
        now = self.clock()
        if wait is None:
            wait = self.backoff[min(sending.tries, len(self.backoff)) - 1]
            wait *= random.uniform(0.8, 1.2)  # noqa: S311  spreads the load, guards nothing
        else:
            with self._changed:
                lane = sending.request.lane
                for times in (self._slots, self._quiet):
                    for past in [name for name, until in times.items() if until <= now]:
                        del times[past]
                self._quiet[lane] = now + wait
                if self._closes is None:
                    self._slots[lane] = max(self._slots.get(lane, 0.0), now + wait)
        logger.info("%s: %s, again in %.1f s", sending.request.target, outcome.reason, wait)
        self.resends()
        self._put(sending, now + wait)

    def _end(self, sending: _Sending, outcome: Outcome) -> None:
        request = sending.request
        try:
            match outcome:
                case Sent():
                    request.then()
                case Refused(code):
                    logger.warning("%s: refused by Slack (%s)", request.target, code)
                    request.failed(outcome)
                case Again(reason):
                    logger.warning("%s: given up after %d attempts (%s)", request.target, sending.tries, reason)
                    request.failed(outcome)
                case Lost(reason):
                    logger.warning("%s: no word whether it arrived (%s); not sent again", request.target, reason)
                    request.failed(outcome)
        finally:
            request.settled()
            with self._changed:
                self._open -= 1
                self._changed.notify_all()
            self.counts(-1)

    # -- waiting

    def _start_timer(self) -> None:
        if self._timer is None:
            self._timer = threading.Thread(target=self._run_timer, name="resend", daemon=True)
            self._timer.start()

    def _run_timer(self) -> None:
        while True:
            with self._changed:
                while not self._waiting or self._waiting[0][0] > self.clock():
                    ahead = self._waiting[0][0] - self.clock() if self._waiting else None
                    self._changed.wait(ahead)
                _, _, sending = heapq.heappop(self._waiting)
            self._submit(sending)
