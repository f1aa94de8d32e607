"""Admission: how much is accepted at once, in which order it is handled, and what Slack is answered."""

from __future__ import annotations

import asyncio
import heapq
import logging
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Coroutine
from itertools import count
from typing import Any, TypeVar

from slack_bolt import BoltResponse

from bot.slack.logs import format_without_message

SLOTS = 64
"""Messages in progress at once: acknowledged, not posted, and not waiting for Slack (`Request.on_wait`). At 150 ms a post they
are 400 answers a second. Messages that wait for Slack hold no slot; MAX_UNSENT limits those."""
MAX_UNSENT, MAX_UNSENT_PER_CHANNEL = 1_000, 100
"""Open requests of the outbox, waiting ones included, from which on further messages are refused: in total, and for the message's
own channel. Slack doesn't send an acknowledged message again, so a killed process loses what holds a slot and what is here."""
SLOT_TIMEOUT = 2.0
"""Seconds that a delivery waits for a slot before Slack is asked to send it again: Slack waits for three, and the claim has to be
written within them, too."""
DECIDED_WITHIN = 2.7
"""Seconds in which a delivery is acknowledged or refused, its claim included."""
MAX_WAITING = 200
"""Deliveries that may wait for a slot: about as many as are answered within SLOT_TIMEOUT."""
MAX_INTERACTIONS, MAX_INTERACTIONS_PER_ASKER = 300, 20
"""Presses and commands in progress: in total, and of one asker. Slack doesn't send them again, so an asker beyond the limit gets
a sentence at once instead of waiting."""
MAX_EVENT_AGE = 3600.0
"""Seconds after which a message isn't answered any more. Slack delivers an event again that it couldn't deliver: for some minutes
and, with Delayed Events, hourly for a day. After an hour the person has asked somebody else, and an answer interrupts; after a
day, the claim that prevents a second answer is gone."""
MAX_CREDIBLE_AGE = 7 * 24 * 3600.0
"""Seconds of age that no delivery has, because Slack gives up after a day; a time that is older says nothing."""

T = TypeVar("T")

logger = logging.getLogger(__name__)


def no_op(*_: object) -> None:
    """The default of callbacks that nobody has set."""


class Overloaded(Exception):  # noqa: N818  nothing is at fault
    """The limit is reached."""


# --- one delivery


class Delivery:
    """One delivery by Slack, shared by the receiver (HTTP or Socket Mode) and the task that handles it.

    The task decides the status; the receiver sends the acknowledgement and reports whether it was written.
    """

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self._status: asyncio.Future[int] = loop.create_future()
        self._written: asyncio.Future[bool] = loop.create_future()

    def decide(self, status: int) -> None:
        """Answer Slack with this status: 200, or 503 to get the delivery again. The first decision counts."""
        if not self._status.done():
            self._status.set_result(status)

    async def decided(self) -> int:
        """The status, as soon as the task has decided."""
        return await asyncio.shield(self._status)

    def written(self, ok: bool) -> None:
        """Called by the receiver: the acknowledgement was sent; if not `ok`, Slack had closed the connection."""
        if not self._written.done():
            self._written.set_result(ok)

    async def acknowledged(self) -> bool:
        """Whether Slack has the acknowledgement, as soon as that is known."""
        return await asyncio.shield(self._written)


class AckThenRun(BoltResponse):
    """An acknowledgement after which the task goes on: the receiver writes it and then calls `delivery.written`."""

    def __init__(self, delivery: Delivery, body: str = "") -> None:
        super().__init__(status=200, body=body)
        self.delivery = delivery


# --- how much


class Slot:
    """Permission to be in progress. Releasing it more than once has no effect."""

    def __init__(self, on_release: Callable[[], None]) -> None:
        self._on_release: Callable[[], None] | None = on_release

    def release(self) -> None:
        """Give the slot back."""
        on_release, self._on_release = self._on_release, None
        if on_release is not None:
            on_release()


class Admission:
    """Gives out at most `slots` slots at once, to those that have waited longest."""

    def __init__(
        self,
        slots: int = SLOTS,
        slot_timeout: float = SLOT_TIMEOUT,
        max_waiting: int = MAX_WAITING,
    ) -> None:
        self.slots = slots
        self.slot_timeout = slot_timeout
        self.max_waiting = max_waiting
        self.open = 0
        self.last_claim_seconds = 0.0
        """Seconds that the last claim took: a slot is needed that much earlier."""
        self.on_change: Callable[[int], None] = no_op
        """Called with +1 for each delivery that arrives, and with -1 when it gives up waiting or releases its slot."""
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def acquire(self) -> Slot:
        """A slot; raises Overloaded if none is free within `slot_timeout` seconds, or if too many wait already."""
        if self.open < self.slots and not self._waiting:
            self.open += 1
            self.on_change(1)
            return Slot(self._release)
        if len(self._waiting) >= self.max_waiting:
            raise Overloaded
        ready = asyncio.get_running_loop().create_future()
        self._waiting.append(ready)
        self.on_change(1)
        try:
            async with asyncio.timeout(min(self.slot_timeout, DECIDED_WITHIN - self.last_claim_seconds)):
                await ready
        except BaseException as error:
            self._leave(ready)
            if isinstance(error, TimeoutError):
                raise Overloaded from None
            raise
        return Slot(self._release)

    def _leave(self, ready: asyncio.Future[None]) -> None:
        """Stop waiting; a slot that was given meanwhile goes to the next."""
        if ready in self._waiting:
            self._waiting.remove(ready)
            self.on_change(-1)
        elif ready.done() and not ready.cancelled():
            self._release()
        else:
            self.on_change(-1)

    def _release(self) -> None:
        self.on_change(-1)
        while self._waiting:
            ready = self._waiting.popleft()
            if not ready.done():
                ready.set_result(None)
                return
        self.open -= 1


class InteractionLimit:
    """Limits the presses and commands in progress, in total and for each asker."""

    def __init__(self, limit: int = MAX_INTERACTIONS, limit_per_asker: int = MAX_INTERACTIONS_PER_ASKER) -> None:
        self.limit = limit
        self.limit_per_asker = limit_per_asker
        self.on_change: Callable[[int], None] = no_op
        """Called with +1 when a press or command starts, and with -1 when it ends."""
        self._open: Counter[str] = Counter()

    @property
    def open(self) -> int:
        """How many are in progress."""
        return self._open.total()

    def acquire(self, asker: str) -> Slot:
        """A slot, without waiting; raises Overloaded if the limit is reached."""
        if self.open >= self.limit or self._open[asker] >= self.limit_per_asker:
            raise Overloaded
        self._open[asker] += 1
        self.on_change(1)
        return Slot(lambda: self._release(asker))

    def _release(self, asker: str) -> None:
        self.on_change(-1)
        self._open[asker] -= 1
        if not self._open[asker]:
            del self._open[asker]


# --- in which order


class ConversationQueues:
    """Handles the messages of one conversation one after the other, in the order of their `ts`.

    A message joins when it has arrived and waits for its turn once it has been acknowledged. Messages behind it wait for that, so
    that of two messages that arrive together the earlier one is first, however long its acknowledgement takes.
    """

    def __init__(self) -> None:
        self._positions: dict[str, list[QueuePosition]] = {}
        self._numbers = count()

    def join(self, conversation: str, order: float) -> QueuePosition:
        """A position in a conversation's queue; `order` is the message's ts in seconds."""
        position = QueuePosition(self, conversation, (order, next(self._numbers)))
        heapq.heappush(self._positions.setdefault(conversation, []), position)
        return position

    def advance(self, conversation: str) -> None:
        """Let the first message of the queue begin, unless one has begun."""
        positions = self._positions.get(conversation)
        if positions and not any(position.begun for position in positions):
            positions[0].begin()

    def leave(self, position: QueuePosition) -> None:
        """Remove a position from its queue."""
        positions = self._positions.get(position.conversation, [])
        if position in positions:
            positions.remove(position)
            heapq.heapify(positions)
        if positions:
            self.advance(position.conversation)
        else:
            self._positions.pop(position.conversation, None)


class QueuePosition:
    """The position of one message in the queue of its conversation."""

    def __init__(self, queues: ConversationQueues, conversation: str, order: tuple[float, int]) -> None:
        self.conversation = conversation
        self.begun = False
        self._queues = queues
        self._order = order
        self._ready: asyncio.Future[None] | None = None

    def __lt__(self, other: QueuePosition) -> bool:
        return self._order < other._order

    async def wait(self) -> None:
        """Wait until the messages before it have left the queue."""
        self._ready = asyncio.get_running_loop().create_future()
        self._queues.advance(self.conversation)
        await self._ready

    def begin(self) -> None:
        """Let this message begin, if it waits for that already."""
        if self._ready is not None and not self._ready.done():
            self.begun = True
            self._ready.set_result(None)

    def leave(self) -> None:
        """Leave the queue, so that the next message begins; may be called more than once."""
        self._queues.leave(self)


class FairQueue:
    """Runs synchronous work on the event loop's thread, one piece at a time, and serves the askers in turn.

    Between two pieces the loop handles what has arrived, so that an asker with a hundred questions delays another's by one.
    """

    def __init__(self) -> None:
        self._work: OrderedDict[str, deque[Callable[[], None]]] = OrderedDict()
        self._scheduled = False

    async def run(self, asker: str, work: Callable[[], T]) -> T:
        """The result of `work`, called when it is the asker's turn; raises what `work` raises."""
        loop = asyncio.get_running_loop()
        result: asyncio.Future[T] = loop.create_future()

        def piece() -> None:
            if result.done():  # the caller was cancelled
                return
            try:
                result.set_result(work())
            except Exception as error:
                result.set_exception(error)

        self._work.setdefault(asker, deque()).append(piece)
        if not self._scheduled:
            self._scheduled = True
            loop.call_soon(self._step)
        return await result

    def _step(self) -> None:
        asker, pieces = self._work.popitem(last=False)
        piece = pieces.popleft()
        if pieces:
            self._work[asker] = pieces  # behind the other askers
        self._scheduled = bool(self._work)
        if self._scheduled:
            asyncio.get_running_loop().call_soon(self._step)
        piece()


# --- running tasks


class Tasks:
    """Running tasks, kept until they end: asyncio holds only weak references to them."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._tasks)

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run a coroutine in a task. An exception that it raises is logged."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    async def finish(self, timeout: float) -> bool:
        """Wait until all tasks have ended, those included that are started meanwhile; after `timeout` seconds cancel the rest.

        Returns whether all ended without being cancelled here.
        """
        deadline = time.monotonic() + timeout
        while self._tasks and (left := deadline - time.monotonic()) > 0:
            await asyncio.wait(set(self._tasks), timeout=left)
        late = set(self._tasks)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        return not late

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("A task failed\n%s", format_without_message(error))
