"""What is taken on at once, in which order it is worked on, and what Slack is told about it."""

from __future__ import annotations

import asyncio
import heapq
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from itertools import count
from typing import TypeVar

from slack_bolt import BoltResponse

CAPACITY = 64
"""Messages that are acknowledged and not posted yet. Slack won't send them again, so that a killed process loses at most
these; at 150 ms a post they are 400 answers a second."""
LONGEST_WAIT = 2.0
"""Seconds that a delivery waits for one of these places before Slack is asked to send it again: Slack waits for three, and the
claim has to be written within them, too."""
DECIDED_WITHIN = 2.7
"""Seconds in which a delivery is acknowledged or refused, its claim included."""
MOST_WAITING = 200
"""Deliveries that may wait for a place: about as many as are answered within that time."""
MOST_INTERACTIONS, MOST_INTERACTIONS_OF_ONE = 300, 20
"""Presses and commands under way: of all askers, and of one. Slack doesn't send them again, so whoever has more gets a
sentence at once instead of a wait."""

T = TypeVar("T")


class Overloaded(Exception):  # noqa: N818  nothing is at fault
    """There is no room for more."""


# --- one delivery


class Delivery:
    """One delivery by Slack, shared by the front that received it and the task that works on it.

    The task decides on the status; the front sends the acknowledgement and reports whether it was written.
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
        """The front has sent the acknowledgement; not `ok`: Slack was gone."""
        if not self._written.done():
            self._written.set_result(ok)

    async def acknowledged(self) -> bool:
        """Whether Slack has the acknowledgement, as soon as that is known."""
        return await asyncio.shield(self._written)


class AckThenRun(BoltResponse):
    """An acknowledgement after which the work goes on: the front writes it and then calls `delivery.written`."""

    def __init__(self, delivery: Delivery, body: str = "") -> None:
        super().__init__(status=200, body=body)
        self.delivery = delivery


# --- how much


class Slot:
    """A place that was given; `release` gives it back, once, however often it is called."""

    def __init__(self, give_back: Callable[[], None]) -> None:
        self._give_back: Callable[[], None] | None = give_back

    def release(self) -> None:
        """Give the place back."""
        give_back, self._give_back = self._give_back, None
        if give_back is not None:
            give_back()


def _uncounted(_: int) -> None:
    return


class Admission:
    """Gives at most `capacity` places at once, to those that have waited longest."""

    def __init__(
        self,
        capacity: int = CAPACITY,
        longest_wait: float = LONGEST_WAIT,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        self.capacity = capacity
        self.longest_wait = longest_wait
        self.most_waiting = most_waiting
        self.open = 0
        self.claim_takes = 0.0
        """Seconds that the last claim took: so much earlier a place is needed."""
        self.on_change: Callable[[int], None] = _uncounted
        """Called with +1 for each delivery that comes, and with -1 when it leaves or gives its place back."""
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def acquire(self) -> Slot:
        """A place; raises Overloaded if there is none within `longest_wait` seconds, or too many wait already."""
        if self.open < self.capacity and not self._waiting:
            self.open += 1
            self.on_change(1)
            return Slot(self._release)
        if len(self._waiting) >= self.most_waiting:
            raise Overloaded
        place = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        self.on_change(1)
        try:
            async with asyncio.timeout(min(self.longest_wait, DECIDED_WITHIN - self.claim_takes)):
                await place
        except BaseException as error:
            self._leave(place)
            if isinstance(error, TimeoutError):
                raise Overloaded from None
            raise
        return Slot(self._release)

    def _leave(self, place: asyncio.Future[None]) -> None:
        """Stop waiting; a place that was given meanwhile goes to the next."""
        if place in self._waiting:
            self._waiting.remove(place)
            self.on_change(-1)
        elif place.done() and not place.cancelled():
            self._release()
        else:
            self.on_change(-1)

    def _release(self) -> None:
        self.on_change(-1)
        while self._waiting:
            place = self._waiting.popleft()
            if not place.done():
                place.set_result(None)
                return
        self.open -= 1


class InteractionLimit:
    """Limits the presses and commands under way, of all askers together and of each one."""

    def __init__(self, most: int = MOST_INTERACTIONS, most_of_one: int = MOST_INTERACTIONS_OF_ONE) -> None:
        self.most = most
        self.most_of_one = most_of_one
        self.on_change: Callable[[int], None] = _uncounted
        """Called with +1 and -1 as presses and commands come and go."""
        self._open: Counter[str] = Counter()

    @property
    def open(self) -> int:
        """How many are under way."""
        return self._open.total()

    def acquire(self, asker: str) -> Slot:
        """A place at once; raises Overloaded if there is none."""
        if self.open >= self.most or self._open[asker] >= self.most_of_one:
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
    """Has the messages of one conversation worked on one after the other, in the order of their `ts`.

    A message joins when it has arrived and waits for its turn when it has been acknowledged. Until then those behind it wait
    for it, so that of two messages that arrive together the earlier one is first, however long its acknowledgement takes.
    """

    def __init__(self) -> None:
        self._turns: dict[str, list[Turn]] = {}
        self._numbers = count()

    def join(self, conversation: str, order: float) -> Turn:
        """A turn in a conversation; `order` is the message's ts in seconds."""
        turn = Turn(self, conversation, (order, next(self._numbers)))
        heapq.heappush(self._turns.setdefault(conversation, []), turn)
        return turn

    def advance(self, conversation: str) -> None:
        """Let the first in line begin, if nobody is at it."""
        turns = self._turns.get(conversation)
        if turns and not any(turn.begun for turn in turns):
            turns[0].begin()

    def leave(self, turn: Turn) -> None:
        """Take a turn out of its line."""
        turns = self._turns.get(turn.conversation, [])
        if turn in turns:
            turns.remove(turn)
            heapq.heapify(turns)
        if turns:
            self.advance(turn.conversation)
        else:
            self._turns.pop(turn.conversation, None)


class Turn:
    """The place of one message in its conversation."""

    def __init__(self, queues: ConversationQueues, conversation: str, order: tuple[float, int]) -> None:
        self.conversation = conversation
        self.begun = False
        self._queues = queues
        self._order = order
        self._ready: asyncio.Future[None] | None = None

    def __lt__(self, other: Turn) -> bool:
        return self._order < other._order

    async def wait(self) -> None:
        """Wait until the messages before it are done."""
        self._ready = asyncio.get_running_loop().create_future()
        self._queues.advance(self.conversation)
        await self._ready

    def begin(self) -> None:
        """It is this message's turn, if it waits for that already."""
        if self._ready is not None and not self._ready.done():
            self.begun = True
            self._ready.set_result(None)

    def leave(self) -> None:
        """Make room for the next; may be called more than once."""
        self._queues.leave(self)


class FairQueue:
    """Runs synchronous work on the event loop's thread, a piece at a time, and lets the askers take turns.

    Between two pieces the loop takes in what has arrived, so that an asker with a hundred questions delays another's by one.
    """

    def __init__(self) -> None:
        self._work: OrderedDict[str, deque[Callable[[], None]]] = OrderedDict()
        self._scheduled = False

    async def run(self, asker: str, work: Callable[[], T]) -> T:
        """The result of `work`, which is called when it is the asker's turn; its exception is raised here."""
        loop = asyncio.get_running_loop()
        result: asyncio.Future[T] = loop.create_future()

        def piece() -> None:
            if result.done():  # who waited for it was cancelled
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
            self._work[asker] = pieces  # behind the others
        self._scheduled = bool(self._work)
        if self._scheduled:
            asyncio.get_running_loop().call_soon(self._step)
        piece()
