"""The outbox: sends requests to Slack, repeats them where that is safe, and keeps their order.

Requests of one rate-limit key (a channel, a response_url, a method) are sent in the order in which they were added: a later one
waits even while an earlier one has to be repeated. Requests of different keys wait for each other only when SENDERS requests are
being sent.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from bot.slack.admission import no_op
from bot.slack.logs import format_without_message
from bot.slack.transport.client import (
    PACE,
    REFUSED_TOKEN,
    AttemptResult,
    NotSent,
    Refused,
    Request,
    Retry,
    SendResult,
    Sent,
    Unknown,
)
from bot.slack.transport.notices import LOG_INTERVAL, Notices
from bot.slack.transport.remedies import NO_FAULTS, remedy_of

SENDERS = 64
"""Requests sent at once: at 150 ms each they are 400 answers a second, more than any workspace may post."""
MAX_ATTEMPTS = 8
"""Attempts to send one request."""
BACKOFF = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
"""Seconds before each repetition for which Slack has set no time, plus or minus 20 %."""
REFUSED_BLOCKS = ("invalid_blocks", "invalid_arguments")
"""Codes by which Slack refuses the blocks of a message, and those of a view."""
TRIGGER_TTL = 2.5
"""Seconds; a trigger_id expires after three."""
PARALLEL_ABOVE, MAX_PARALLEL = 8, 8
"""With more than PARALLEL_ABOVE open requests in one channel, up to MAX_PARALLEL for different threads are sent at once. One
after another they would take 150 ms each, and order matters only within a thread."""

STOPPING, TOO_LATE = NotSent("stopping"), NotSent("too late")
"""The result of a request that isn't sent any more: the process stops, or the request's `ttl` is over."""
_ODD_ANSWER = "odd answer: "
"""Begins the kinds of notices of answers that are hardly Slack's."""

logger = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class _Job:
    """A request that is to be sent. `due`: not before this time. `ready` is set while the job waits to be started: its result is
    None when the request may be sent, else the request's final result."""

    request: Request
    expires: float
    order_key: str
    due: float = 0.0
    attempts: int = 0
    is_running: bool = False
    knows_wait: bool = False
    ready: asyncio.Future[NotSent | None] | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether it waits to be started."""
        return self.ready is not None and not self.ready.done()

    def end_wait(self, result: NotSent | None) -> None:
        """Let it be sent (None), or end it with this result."""
        if self.ready is not None:
            self.ready.set_result(result)


@dataclass(slots=True, eq=False)
class _Queue:
    """The open requests of one rate-limit key, in their order. `held_until` is the end of Slack's Retry-After; `next_start` also
    includes the pace afterwards. Both are times of the outbox's clock."""

    of_method: bool
    jobs: list[_Job] = field(default_factory=list)
    held_until: float = 0.0
    next_start: float = 0.0
    is_paced: bool = False
    timer: asyncio.Task[None] | None = None
    timer_at: float = 0.0

    @property
    def max_parallel(self) -> int:
        """How many of its requests may be sent at once."""
        if self.of_method:
            return SENDERS
        return MAX_PARALLEL if len(self.jobs) > PARALLEL_ABOVE else 1


class Outbox:
    """Sends requests. Each caller awaits the result of its own request; the only tasks are the queues' timers.

    `post_once` makes one attempt. `notices` are told what is refused. `on_queue` is called with +1 and -1 as requests are added
    and finished, `on_resend` before each repetition, `on_error` with the method and code of each attempt that Slack didn't
    accept. `clock` returns monotonic seconds.
    """

    def __init__(
        self,
        post_once: Callable[[Request], Awaitable[AttemptResult]],
        *,
        notices: Notices | None = None,
        on_queue: Callable[[int], None] = no_op,
        on_resend: Callable[[], None] = no_op,
        on_error: Callable[[str, str], None] = no_op,
        backoff: tuple[float, ...] = BACKOFF,
        pace: float = PACE,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._post_once = post_once
        self._notices = notices or Notices()
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
        """The number of open requests."""
        return self._open

    @property
    def delayed(self) -> int:
        """The number of requests that wait for a Retry-After or for a repetition, their own or that of one before them."""
        now = self._clock()
        return sum(
            sum(job.is_waiting for job in queue.jobs)
            for queue in self._queues.values()
            if queue.next_start > now or any(job.due > now for job in queue.jobs)
        )

    def queued(self, rate_limit_key: str) -> int:
        """The number of open requests of one channel, response_url or method."""
        queue = self._queues.get(rate_limit_key)
        return len(queue.jobs) if queue is not None else 0

    async def send(self, request: Request) -> SendResult:
        """Send a request, and repeat it while that is safe and useful. Returns the final result."""
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
                    while not self._idle.is_set():  # a caller may have sent another request at once
                        await self._idle.wait()
            except TimeoutError:
                pass
        return self._idle.is_set()

    async def close(self, timeout: float) -> bool:
        """Finish what can be finished within `timeout` seconds; true if no request was left or dropped.

        Waiting requests are sent as soon as Slack allows, without backoff and pace. Those that can't be sent in time end at once
        as NotSent("stopping"), as do requests that are added afterwards.
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
            if queue.timer is not None:
                queue.timer.cancel()
        return done and not self._has_dropped

    # --- one request

    async def _send(self, request: Request) -> SendResult:
        key, now = request.rate_limit_key, self._clock()
        queue = self._queues.get(key)
        if queue is None:
            queue = self._queues[key] = _Queue(of_method=not (request.url or request.args.get("channel")))
        if not queue.jobs and queue.next_start <= now:
            queue.is_paced = False
        job = _Job(request, now + request.ttl, _order_key(request, queue))
        queue.jobs.append(job)
        try:
            result = await self._run(queue, job)
        finally:
            queue.jobs.remove(job)
            self._advance(queue)
            self._forget_idle(key, queue)
        self._has_dropped |= result == STOPPING
        self._log(job, result)
        return result

    async def _run(self, queue: _Queue, job: _Job) -> SendResult:
        """One attempt after another, each when the job may be sent."""
        while True:
            if (not_sent := await self._wait_until_ready(queue, job)) is not None:
                return not_sent
            result = await self._attempt(job)
            job.is_running = False
            if not isinstance(result, Retry):
                return result
            if job.attempts >= MAX_ATTEMPTS:
                return NotSent(result.reason)
            self._schedule_retry(queue, job, result)

    async def _wait_until_ready(self, queue: _Queue, job: _Job) -> NotSent | None:
        """Wait until the job may be sent; returns its result if it isn't sent any more."""
        job.ready = asyncio.get_running_loop().create_future()
        self._advance(queue)
        try:
            return await job.ready
        finally:
            job.ready = None

    async def _attempt(self, job: _Job) -> AttemptResult:
        """Send it once; if Slack refuses the blocks, send the fallback right after."""
        try:
            result = await self._post(job)
            request = job.request
            if isinstance(result, Refused) and result.code.startswith(REFUSED_BLOCKS) and request.fallback_args:
                self._notices.report(
                    f"refused {result.code}",
                    f"Slack refuses answers as they are ({result.code}); sending the classic layout without pictures: "
                    f"{remedy_of(REFUSED_BLOCKS[0])}",
                )
                job.request = replace(request, args=request.fallback_args(), fallback_args=None)
                result = await self._post(job)
        except Exception as error:  # an error in our own code: the message must neither get lost nor be posted twice
            logger.error("%s failed\n%s", job.request.label, format_without_message(error))
            result = Unknown("internal error")
        return result

    async def _post(self, job: _Job) -> AttemptResult:
        job.attempts += 1
        async with self._senders:
            result = await self._post_once(job.request)
        match result:
            case Sent():
                pass
            case Refused(code):
                self._on_error(job.request.method, code)
            case Retry(reason) | Unknown(reason):
                self._on_error(job.request.method, reason)
        return result

    def _schedule_retry(self, queue: _Queue, job: _Job, retry: Retry) -> None:
        """Set when it is sent again: after Slack's Retry-After, which holds the whole queue, or after the backoff."""
        now = self._clock()
        if retry.retry_after is None:
            wait = self._backoff[min(job.attempts, len(self._backoff)) - 1]
            wait *= random.uniform(0.8, 1.2)  # noqa: S311  spreads the load, guards nothing
            job.due = now + wait
        else:
            wait = retry.retry_after
            queue.held_until = max(queue.held_until, now + wait)
            queue.next_start = max(queue.next_start, queue.held_until)
            queue.is_paced = self._closes is None
            text = f"Slack takes no more for now (ratelimited): {remedy_of('ratelimited')}"
            self._notices.report("rate limited", text, level=logging.INFO, lasts=wait + LOG_INTERVAL)
        logger.info("%s: %s, again in %.1f s", job.request.label, retry.reason, wait)
        self._on_resend()

    def _log(self, job: _Job, result: SendResult) -> None:
        """Log what has become of a request; of a refusal once a minute also what it means."""
        label = job.request.label
        match result:
            case Sent():
                self._notices.end(_ODD_ANSWER, "Slack's answers can be read again")
            case Refused(code, scope):
                remedy = remedy_of(code, scope=scope)
                kind = f"{_ODD_ANSWER if _is_odd(code) else 'refused '}{code}"
                sentence, is_note = f"Slack refuses requests ({code}): {remedy}", code not in NO_FAULTS
                tells = code not in REFUSED_TOKEN and self._notices.occurred(kind, sentence, is_note=is_note)
                logger.warning("%s: refused by Slack (%s)%s", label, code, f": {remedy}." if tells else "")
            case NotSent(reason):
                logger.warning("%s: given up after %d attempts (%s)", label, job.attempts, reason)
            case Unknown(reason):
                logger.warning("%s: no word whether it arrived (%s); not sent again", label, reason)

    # --- which request is sent next

    def _advance(self, queue: _Queue) -> None:
        """Start the jobs that may start. If others have to wait for a time, end those that would be too late, call `on_wait` of
        the rest, and set a timer for the next start."""
        now = self._clock()
        self._start_ready(queue, now)
        if queue.next_start > now or any(job.due > now for job in queue.jobs):
            self._end_late(queue, now)
            for job in queue.jobs:
                _notify_wait(job)
            self._set_timer(queue, now)
        for job in queue.jobs[2 * queue.max_parallel :]:  # these wait for at least two responses of Slack
            _notify_wait(job)

    def _start_ready(self, queue: _Queue, now: float) -> None:
        """Start, in their order, the jobs that may start now."""
        max_parallel, order_keys = queue.max_parallel, set[str]()
        free = max_parallel - sum(job.is_running for job in queue.jobs)
        for job in queue.jobs:
            if free <= 0 or queue.next_start > now:
                return
            if job.is_waiting and job.due <= now and job.order_key not in order_keys:
                self._start(queue, job, now)
                free -= 1
            if max_parallel == 1:
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
            elif queue.max_parallel == 1:
                before = earliest + (self._pace if queue.is_paced else 0.0)

    def _set_timer(self, queue: _Queue, now: float) -> None:
        times = [max(job.due, queue.next_start) for job in queue.jobs if job.is_waiting]
        next_time = min((each for each in times if each > now), default=None)
        if next_time is None or (queue.timer is not None and queue.timer_at <= next_time):
            return
        if queue.timer is not None:
            queue.timer.cancel()
        queue.timer_at = next_time
        queue.timer = asyncio.get_running_loop().create_task(self._advance_in(next_time - now, queue))

    async def _advance_in(self, seconds: float, queue: _Queue) -> None:
        await self._sleep(seconds)
        queue.timer = None
        self._advance(queue)

    def _forget_idle(self, key: str, queue: _Queue) -> None:
        """Remove queues that have no jobs and no time to wait for."""
        now = self._clock()
        if not queue.jobs and queue.timer is not None:
            queue.timer.cancel()
            queue.timer = None
        if queue.next_start > now:  # it is kept until then; others that were kept before it may be removed now
            for name in [name for name, each in self._queues.items() if not each.jobs and each.next_start <= now]:
                del self._queues[name]
        elif not queue.jobs:
            self._queues.pop(key, None)


def _notify_wait(job: _Job) -> None:
    """Call `on_wait`, once, if the job waits."""
    if job.knows_wait or not job.is_waiting:
        return
    job.knows_wait = True
    try:
        job.request.on_wait()
    except Exception as error:  # it must not affect other requests
        logger.error("%s failed\n%s", job.request.label, format_without_message(error))


def _order_key(request: Request, queue: _Queue) -> str:
    """What keeps its order where requests of a queue are sent in parallel: a thread; a member's Home tab; a modal."""
    if not queue.of_method:
        return str(request.args.get("thread_ts") or "")
    return str(request.args.get("view_id") or request.args.get("user_id") or request.args.get("trigger_id") or "")


def _is_odd(code: str) -> bool:
    """Whether an answer had no code of Slack's."""
    return code == "unknown_error" or code.startswith("HTTP ")
