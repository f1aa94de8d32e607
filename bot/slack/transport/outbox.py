"""The outbox: sends requests to Slack, again where that is right, and keeps their order without holding up anybody else.

Requests of one rate-limit key (a channel, a response_url, a method) are sent in the order in which they came: a later one
waits even while an earlier one has to be repeated. Requests of different keys never wait for each other, except for one of
the SENDERS places.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from bot.slack.logs import format_without_message
from bot.slack.transport.client import PACE, Outcome, Refused, Request, Retry, Sent, Unknown, nothing

SENDERS = 64
"""Requests to Slack at once: at 150 ms each that is 400 answers a second, more than any workspace may post."""
MOST_TRIES = 8
"""Times that one request is sent at most."""
BACKOFF = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
"""Seconds before each repetition that Slack set no time for, give or take a fifth."""
TRIGGER_TTL = 2.5
"""Seconds: a trigger_id dies after three."""
CROWD, SIDE_BY_SIDE = 8, 8
"""With more than CROWD requests open in one channel, so many for different threads are sent at once. One after another they
would take 150 ms each, and order matters only to the readers of one thread."""

STOPPING, TOO_LATE = Retry("stopping"), Retry("too late")
"""The outcome of what can't be sent any more: the process ends, or the request's `ttl` is over."""

logger = logging.getLogger(__name__)


def _uncounted(_: int) -> None:
    return


def _unnoted(_method: str, _code: str) -> None:
    return


@dataclass(slots=True, eq=False)
class _Job:
    """A request that is to be sent. `due`: not before this time. `turn` is there while it waits: its result is None when it
    may be sent, else what became of it."""

    request: Request
    expires: float
    order_key: str
    due: float = 0.0
    tries: int = 0
    is_running: bool = False
    knows_wait: bool = False
    turn: asyncio.Future[Retry | None] | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether it waits for its turn."""
        return self.turn is not None and not self.turn.done()

    def end_wait(self, outcome: Retry | None) -> None:
        """It may be sent, or has this outcome."""
        if self.turn is not None:
            self.turn.set_result(outcome)


@dataclass(slots=True, eq=False)
class _Queue:
    """The open requests of one rate-limit key, in their order. `held_until` is Slack's time, `next_start` includes the pace
    afterwards; both are times of the outbox's clock."""

    of_method: bool
    jobs: list[_Job] = field(default_factory=list)
    held_until: float = 0.0
    next_start: float = 0.0
    is_paced: bool = False
    alarm: asyncio.Task[None] | None = None
    alarm_at: float = 0.0

    @property
    def width(self) -> int:
        """How many of its requests may be under way at once."""
        if self.of_method:
            return SENDERS
        return SIDE_BY_SIDE if len(self.jobs) > CROWD else 1


class Outbox:
    """Sends requests. Each caller awaits the outcome of its own; nothing runs behind its back but the queues' alarms.

    `on_queue` is called with +1 and -1 as requests come and go, `on_resend` before each repetition, `on_error` with the
    method and code of each attempt that Slack didn't take. `clock` counts seconds, monotonically.
    """

    def __init__(
        self,
        deliver: Callable[[Request], Awaitable[Outcome]],
        *,
        on_queue: Callable[[int], None] = _uncounted,
        on_resend: Callable[[], None] = nothing,
        on_error: Callable[[str, str], None] = _unnoted,
        backoff: tuple[float, ...] = BACKOFF,
        pace: float = PACE,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._deliver = deliver
        self._on_queue, self._on_resend, self._on_error = on_queue, on_resend, on_error
        self._backoff, self._pace, self._clock, self._sleep = backoff, pace, clock, sleep
        self._senders = asyncio.Semaphore(SENDERS)
        self._queues: dict[str, _Queue] = {}
        self._open = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._closes: float | None = None
        self._is_closed = self._has_dropped = False

    def __len__(self) -> int:
        """The requests that are open."""
        return self._open

    @property
    def delayed(self) -> int:
        """The requests that wait for a time: Slack's, or that of a repetition, their own or that of one before them."""
        now = self._clock()
        return sum(
            sum(job.is_waiting for job in queue.jobs)
            for queue in self._queues.values()
            if queue.next_start > now or any(job.due > now for job in queue.jobs)
        )

    async def send(self, request: Request) -> Outcome:
        """Send a request, and again as long as that is right. Returns what became of it in the end."""
        self._open += 1
        self._idle.clear()
        self._on_queue(1)
        try:
            return await self._send(request)
        finally:
            self._on_queue(-1)
            self._open -= 1
            if not self._open:
                self._idle.set()

    async def drain(self, timeout: float) -> bool:
        """Wait until nothing is open; false after `timeout` seconds."""
        if not self._idle.is_set() and timeout > 0:
            try:
                async with asyncio.timeout(timeout):
                    while not self._idle.is_set():  # who got an outcome may have sent something else at once
                        await self._idle.wait()
            except TimeoutError:
                pass
        return self._idle.is_set()

    async def close(self, timeout: float) -> bool:
        """Finish what can be finished within `timeout` seconds; true if nothing was left or dropped.

        What waits is sent as soon as Slack allows, without backoff and pace. What would be too late for that ends at once as
        Retry("stopping"), as does what is sent afterwards.
        """
        self._closes = self._clock() + timeout
        for queue in list(self._queues.values()):
            queue.next_start, queue.is_paced = queue.held_until, False
            for job in queue.jobs:
                job.due = 0.0
            self._advance(queue)
        done = await self.drain(timeout)
        if not done:
            logger.warning("Stopping with %d requests under way.", self._open)
        self._is_closed = True
        for queue in list(self._queues.values()):
            self._advance(queue)
            if queue.alarm is not None:
                queue.alarm.cancel()
        return done and not self._has_dropped

    # --- one request

    async def _send(self, request: Request) -> Outcome:
        key, now = request.rate_limit_key, self._clock()
        queue = self._queues.get(key)
        if queue is None:
            queue = self._queues[key] = _Queue(of_method=not (request.url or request.args.get("channel")))
        if not queue.jobs and queue.next_start <= now:
            queue.is_paced = False
        job = _Job(request, now + request.ttl, _order_key(request, queue))
        queue.jobs.append(job)
        try:
            outcome = await self._run(queue, job)
        finally:
            queue.jobs.remove(job)
            self._advance(queue)
            self._forget_idle(key, queue)
        self._has_dropped |= outcome == STOPPING
        _log(job, outcome)
        return outcome

    async def _run(self, queue: _Queue, job: _Job) -> Outcome:
        """Attempt after attempt, each when it is its turn."""
        while True:
            if (ended := await self._wait_turn(queue, job)) is not None:
                return ended
            outcome = await self._attempt(job)
            job.is_running = False
            if not isinstance(outcome, Retry) or job.tries >= MOST_TRIES:
                return outcome
            self._put_off(queue, job, outcome)

    async def _wait_turn(self, queue: _Queue, job: _Job) -> Retry | None:
        """Wait until the job may be sent; returns its outcome where it can't be any more."""
        job.turn = asyncio.get_running_loop().create_future()
        self._advance(queue)
        try:
            return await job.turn
        finally:
            job.turn = None

    async def _attempt(self, job: _Job) -> Outcome:
        """Send it once; with the fallback right after, where Slack refuses the blocks."""
        try:
            outcome = await self._deliver_once(job)
            request = job.request
            if isinstance(outcome, Refused) and outcome.code.startswith("invalid_blocks") and request.fallback_args:
                logger.warning("%s: %s; sending the classic layout", request.label, outcome.code)
                job.request = replace(request, args=request.fallback_args(), fallback_args=None)
                outcome = await self._deliver_once(job)
        except Exception as error:  # a fault of ours: it must neither get lost nor be posted twice
            logger.error("%s failed\n%s", job.request.label, format_without_message(error))
            outcome = Unknown("our own fault")
        return outcome

    async def _deliver_once(self, job: _Job) -> Outcome:
        job.tries += 1
        async with self._senders:
            outcome = await self._deliver(job.request)
        match outcome:
            case Sent():
                pass
            case Refused(code):
                self._on_error(job.request.method, code)
            case Retry(reason) | Unknown(reason):
                self._on_error(job.request.method, reason)
        return outcome

    def _put_off(self, queue: _Queue, job: _Job, outcome: Retry) -> None:
        """Set when it is sent again: after Slack's own time, which holds the whole queue, or after the backoff."""
        now = self._clock()
        if outcome.after is None:
            wait = self._backoff[min(job.tries, len(self._backoff)) - 1]
            wait *= random.uniform(0.8, 1.2)  # noqa: S311  spreads the load, guards nothing
            job.due = now + wait
        else:
            wait = outcome.after
            queue.held_until = max(queue.held_until, now + wait)
            queue.next_start = max(queue.next_start, queue.held_until)
            queue.is_paced = self._closes is None
        logger.info("%s: %s, again in %.1f s", job.request.label, outcome.reason, wait)
        self._on_resend()

    # --- whose turn it is

    def _advance(self, queue: _Queue) -> None:
        """Start the jobs that may start. Where time holds others back, end those that would be too late, tell the rest, and
        look again when the next may start."""
        now = self._clock()
        self._start_ready(queue, now)
        if queue.next_start > now or any(job.due > now for job in queue.jobs):
            self._end_late(queue, now)
            for job in queue.jobs:
                _notify_wait(job)
            self._set_alarm(queue, now)

    def _start_ready(self, queue: _Queue, now: float) -> None:
        """Start, in their order, the jobs that nothing holds back."""
        width, order_keys = queue.width, set[str]()
        room = width - sum(job.is_running for job in queue.jobs)
        for job in queue.jobs:
            if room <= 0 or queue.next_start > now:
                return
            if job.is_waiting and job.due <= now and job.order_key not in order_keys:
                self._start(queue, job, now)
                room -= 1
            if width == 1:
                return
            order_keys.add(job.order_key)

    def _start(self, queue: _Queue, job: _Job, now: float) -> None:
        if self._is_closed or now > job.expires:
            job.end_wait(STOPPING if self._is_closed else TOO_LATE)
            return
        job.is_running = True
        if queue.is_paced:
            queue.next_start = now + self._pace
        job.end_wait(None)

    def _end_late(self, queue: _Queue, now: float) -> None:
        """End the jobs that can't be started before they expire, or before the outbox closes."""
        before = now
        for job in queue.jobs:
            earliest = max(before, queue.next_start, job.due)
            if not job.is_waiting or earliest <= now:
                continue
            if self._is_closed or (self._closes is not None and earliest > self._closes):
                job.end_wait(STOPPING)
            elif earliest > job.expires:
                job.end_wait(TOO_LATE)
            elif queue.width == 1:
                before = earliest + (self._pace if queue.is_paced else 0.0)

    def _set_alarm(self, queue: _Queue, now: float) -> None:
        times = [max(job.due, queue.next_start) for job in queue.jobs if job.is_waiting]
        next_time = min((each for each in times if each > now), default=None)
        if next_time is None or (queue.alarm is not None and queue.alarm_at <= next_time):
            return
        if queue.alarm is not None:
            queue.alarm.cancel()
        queue.alarm_at = next_time
        queue.alarm = asyncio.get_running_loop().create_task(self._advance_in(next_time - now, queue))

    async def _advance_in(self, seconds: float, queue: _Queue) -> None:
        await self._sleep(seconds)
        queue.alarm = None
        self._advance(queue)

    def _forget_idle(self, key: str, queue: _Queue) -> None:
        """Drop queues without a job that nothing holds any more."""
        now = self._clock()
        if not queue.jobs and queue.alarm is not None:
            queue.alarm.cancel()
            queue.alarm = None
        if queue.next_start > now:  # it stays; those that stayed before it may go
            for name in [name for name, each in self._queues.items() if not each.jobs and each.next_start <= now]:
                del self._queues[name]
        elif not queue.jobs:
            self._queues.pop(key, None)


def _notify_wait(job: _Job) -> None:
    """Call `on_wait`, once, where the job waits."""
    if job.knows_wait or not job.is_waiting:
        return
    job.knows_wait = True
    try:
        job.request.on_wait()
    except Exception as error:  # it must not end the wait of another request
        logger.error("%s failed\n%s", job.request.label, format_without_message(error))


def _order_key(request: Request, queue: _Queue) -> str:
    """What keeps its order where requests of a queue may be sent side by side: a thread; a member's Home, a modal."""
    if not queue.of_method:
        return str(request.args.get("thread_ts") or "")
    return str(request.args.get("view_id") or request.args.get("user_id") or request.args.get("trigger_id") or "")


def _log(job: _Job, outcome: Outcome) -> None:
    label = job.request.label
    match outcome:
        case Sent():
            pass
        case Refused(code):
            logger.warning("%s: refused by Slack (%s)", label, code)
        case Retry(reason):
            logger.warning("%s: given up after %d attempts (%s)", label, job.tries, reason)
        case Unknown(reason):
            logger.warning("%s: no word whether it arrived (%s); not sent again", label, reason)
