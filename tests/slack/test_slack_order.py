"""In which order messages are worked on: those of one conversation one after the other, and askers in position."""

from __future__ import annotations

import asyncio
import json
import random
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from urllib.parse import urlencode

import pytest

from bot.model import ConversationState, Question, Reply
from bot.slack.admission import ConversationQueues, FairQueue, QueuePosition
from bot.slack.context import LONG_TEXT
from bot.slack.features import messages
from bot.slack.outgoing import reply_text
from support.slack_app import PATIENCE, Door, MakeDoor
from support.slack_samples import (
    KINDS,
    SampleClaims,
    SampleConversations,
    SampleDatabase,
    SampleEngine,
    SampleStore,
    SampleTurns,
)
from support.slack_steps import deliver, on_message, posted, send, status
from support.slack_stub import TEAM, Stub

PAIRS = 40
LONGEST_GAP = 0.06
"""Seconds between the two messages of the last pair; those of the first come together."""
FIRST, SECOND = "library", "step"


def _wait(event: threading.Event) -> None:
    assert event.wait(PATIENCE)


# --- two messages of one conversation


class PairedClaims(SampleClaims):
    """Claims that tell when each message is being claimed and when it has been, and wait for what the test says."""

    def __init__(self, wait: Callable[[PairedClaims, str, str], None]) -> None:
        super().__init__()
        self.wait = wait
        self.claiming: defaultdict[tuple[str, str], threading.Event] = defaultdict(threading.Event)
        self.claimed: defaultdict[tuple[str, str], threading.Event] = defaultdict(threading.Event)

    def claim(self, key: str, owner: str) -> bool:
        _, channel, ts = key.split(":")
        self.claiming[channel, ts].set()
        self.wait(self, channel, ts)
        claimed = super().claim(key, owner)
        self.claimed[channel, ts].set()
        return claimed


def at_once(_claims: PairedClaims, _channel: str, _ts: str) -> None:
    return


def first_is_claimed_last(claims: PairedClaims, channel: str, ts: str) -> None:
    if ts == "1.0":
        _wait(claims.claimed[channel, "2.0"])


def until_the_other_has_arrived(claims: PairedClaims, channel: str, ts: str) -> None:
    _wait(claims.claiming[channel, "1.0" if ts == "2.0" else "2.0"])


CASES = {
    "one database thread": (at_once, 1, ("1.0", "2.0")),
    "several database threads": (at_once, 4, ("1.0", "2.0")),
    "the first takes longer to be claimed": (first_is_claimed_last, 4 * PAIRS, ("1.0", "2.0")),
    "delivered in the wrong order": (until_the_other_has_arrived, 4 * PAIRS, ("2.0", "1.0")),
}


@pytest.mark.parametrize("case", CASES)
def test_two_messages_of_a_conversation_are_answered_in_their_order(make_door: MakeDoor, stub: Stub, case: str) -> None:
    wait, threads, order = CASES[case]
    store = SampleStore()
    store.claims, store.database.threads = PairedClaims(wait), threads
    door = make_door(stub, store=store)
    with ThreadPoolExecutor(PAIRS) as people:
        statuses = list(people.map(partial(deliver_pair, door, order), range(PAIRS)))
    door.settle()
    assert statuses == [(200, 200)] * PAIRS
    asked = asked_in(door)
    answers = [reply_text(KINDS[kind]) for kind in (FIRST, SECOND)]
    for number in range(PAIRS):
        texts = [post["text"] for post in posted(stub) if post["channel"] == f"D{number}"]
        assert asked[f"{TEAM}:D{number}::U1"] == [(FIRST, None), (SECOND, ConversationState("library", ("flask",)))]
        assert texts == answers, number
    assert_nothing_left(door)


def deliver_pair(door: Door, order: tuple[str, str], number: int) -> tuple[int, int]:
    """Deliver both messages of a pair, the second a little after the first; their statuses."""
    text = {"1.0": FIRST, "2.0": SECOND}
    first = send(door, channel=f"D{number}", ts=order[0], text=text[order[0]])
    time.sleep(LONGEST_GAP * number / (PAIRS - 1))
    second = send(door, channel=f"D{number}", ts=order[1], text=text[order[1]])
    return status(first), status(second)


def asked_in(door: Door) -> dict[str, list[tuple[str, ConversationState | None]]]:
    """What the engine was asked in each conversation, in order, and in which state the conversation was."""
    found = defaultdict[str, list[tuple[str, ConversationState | None]]](list)
    for question, state in zip(door.engine.asked, door.engine.states, strict=True):
        found[question.conversation].append((question.text, state))
    return found


def assert_nothing_left(door: Door) -> None:
    context = door.app.context
    assert (door.open, len(context.outbox), len(context.tasks)) == (0, 0, 0)
    assert (context.conversations._positions, context.computing._work) == ({}, {})


def test_ten_messages_in_a_row_each_have_the_state_of_the_one_before(make_door: MakeDoor, stub: Stub) -> None:
    store = SampleStore()
    store.database.threads = 4
    door = make_door(stub, store=store)
    kinds = ("library", "step", "topic", "compare", "list") * 2
    connections = [send(door, ts=f"{number}.0", text=kind) for number, kind in enumerate(kinds)]
    assert [status(connection) for connection in connections] == [200] * 10
    door.settle()
    states = [None, *(ConversationState(KINDS[kind].kind, KINDS[kind].ids) for kind in kinds)]
    assert asked_in(door)[f"{TEAM}:D1::U1"] == list(zip(kinds, states, strict=False))
    assert [post["text"] for post in posted(stub)] == [reply_text(KINDS[kind]) for kind in kinds]


# --- several processes: turns


class SharedTurns(SampleTurns):
    """Turns of a process beside which another one has an earlier message, for so many looks. Notes what was done."""

    is_shared = True

    def __init__(self, looks: float) -> None:
        self.looks = looks
        self.done: list[str] = []
        self.on_last: Callable[[], None] = lambda: None
        self.is_writing_leaves = False

    def join(self, conversation: str, position: float, owner: str) -> None:
        self.done.append(f"join {position}")

    def is_behind(self, conversation: str, position: float) -> bool:
        self.done.append("look")
        self.looks -= 1
        if self.looks == 0:
            self.on_last()
        return self.looks >= 0

    def leave(self, owner: str) -> None:
        self.done.append("leave")

    def write_leaves(self) -> None:
        self.done.append("write")


def shared_door(make_door: MakeDoor, stub: Stub, looks: float) -> tuple[Door, SharedTurns]:
    store = SampleStore()
    turns = SharedTurns(looks)
    store.turns = turns
    return make_door(stub, store=store), turns


def test_an_earlier_message_of_another_process_is_answered_first(make_door: MakeDoor, stub: Stub) -> None:
    door, turns = shared_door(make_door, stub, looks=3)
    before = ConversationState("library", ("flask",))
    turns.on_last = lambda: door.store.conversations.save(f"{TEAM}:D1::U1", before)
    assert status(send(door, ts="2.0", text=SECOND)) == 200
    door.settle()
    assert asked_in(door)[f"{TEAM}:D1::U1"] == [(SECOND, None), (SECOND, before)]
    assert [post["text"] for post in posted(stub)] == [reply_text(KINDS[SECOND])]
    assert turns.done == ["join 2.0", *["look"] * 4, "look", "leave", "write"]
    assert_nothing_left(door)


def test_a_message_waits_for_another_process_as_long_as_a_turn_lasts(
    make_door: MakeDoor, stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(messages, "TURN_TIMEOUT", 0.1)
    door, turns = shared_door(make_door, stub, looks=float("inf"))
    began = time.monotonic()
    assert status(send(door, text=SECOND)) == 200
    door.settle()
    assert time.monotonic() - began >= 0.1
    assert [post["text"] for post in posted(stub)] == [reply_text(KINDS[SECOND])]
    assert turns.done[-2:] == ["leave", "write"]


def test_a_reply_without_a_state_waits_too(make_door: MakeDoor, stub: Stub) -> None:
    door, turns = shared_door(make_door, stub, looks=1)
    assert door.command("") == 200
    assert turns.done[0].startswith("join ")
    assert turns.done[1:] == ["look", "look", "look", "leave", "write"]


def test_a_command_that_waits_for_its_turn_is_run_once(make_door: MakeDoor, stub: Stub) -> None:
    door, turns = shared_door(make_door, stub, looks=2)
    forgotten = list[str]()
    door.store.forget = lambda _, user: forgotten.append(user) or 1
    assert door.command("forget me") == 200
    assert forgotten == ["U1"]
    assert turns.done[1:] == ["look", "look", "look", "leave", "write"]


def test_a_process_that_is_alone_takes_no_turns(make_door: MakeDoor, stub: Stub) -> None:
    door, turns = shared_door(make_door, stub, looks=1)
    turns.is_shared = False
    assert door.dm(SECOND) == 200
    assert turns.done == []


class HangingConversations(SampleConversations):
    """The states of conversations, of which one can't be loaded until the test lets it go on."""

    def __init__(self, conversation: str) -> None:
        super().__init__(SampleDatabase())
        self.conversation = conversation
        self.loading, self.go_on = threading.Event(), threading.Event()

    def load(self, conversation: str) -> ConversationState | None:
        if conversation == self.conversation and not self.go_on.is_set():
            self.loading.set()
            _wait(self.go_on)
        return super().load(conversation)


def test_other_conversations_dont_wait_for_one_that_hangs(make_door: MakeDoor, stub: Stub) -> None:
    store, conversations = SampleStore(), HangingConversations(f"{TEAM}:D1::U1")
    store.conversations, store.database.threads = conversations, 2
    door = make_door(stub, store=store)
    assert deliver(door, text=FIRST, ts="1.0") == 200
    _wait(conversations.loading)
    assert deliver(door, text=SECOND, ts="2.0") == 200
    others = [deliver(door, channel=f"D{number}") for number in range(2, 12)]
    assert others == [200] * 10
    stub.wait("chat.postMessage", 10)
    assert {post["channel"] for post in posted(stub)} == {f"D{number}" for number in range(2, 12)}
    conversations.go_on.set()
    door.settle()
    assert asked_in(door)[f"{TEAM}:D1::U1"] == [(FIRST, None), (SECOND, ConversationState("library", ("flask",)))]
    assert [post["text"] for post in posted(stub)][10:] == [reply_text(KINDS[kind]) for kind in (FIRST, SECOND)]
    assert_nothing_left(door)


def test_a_message_that_fails_holds_up_nobody(door: Door, stub: Stub) -> None:
    connections = [send(door, ts=f"{number}.0", text=text) for number, text in enumerate(("boom", "boom", FIRST))]
    assert [status(connection) for connection in connections] == [200] * 3
    door.settle()
    assert posted(stub)[-1]["text"] == reply_text(KINDS[FIRST])
    assert_nothing_left(door)


def test_presses_of_a_conversation_are_answered_in_the_order_of_their_action_ts(door: Door, stub: Stub) -> None:
    context, conversation = door.app.context, f"{TEAM}:C1:command:U1"
    earlier_message = door.thread.call(lambda: context.conversations.join(conversation, 1.0))
    door.thread.run(earlier_message.wait())
    for number, (text, ts) in enumerate((("step", "3.0"), ("library", "2.0")), 2):
        press_without_waiting(door, text, ts)
        _until(door, lambda: len(context.conversations._positions[conversation]) == number)  # noqa: B023  waited for
    assert door.engine.asked == []
    door.thread.call(earlier_message.leave)
    door.rest()
    assert [question.text for question in door.engine.asked] == ["library", "step"]
    assert [post["text"] for post in stub.of("hook")] == [reply_text(KINDS["library"]), reply_text(KINDS["step"])]


def press_without_waiting(door: Door, text: str, action_ts: str) -> None:
    """Press a button that asks, in a private message; returns with the acknowledgement."""
    action = {"action_id": "ask:1", "block_id": "b", "type": "button", "value": text, "action_ts": action_ts}
    body = {"type": "block_actions", "team": {"id": TEAM}, "user": {"id": "U1"}, "actions": [action]}
    raw = urlencode({"payload": json.dumps(body | on_message(door, private=True))}).encode()
    assert door.request(raw, "application/x-www-form-urlencoded", settles=False) == 200


def _until(door: Door, condition: Callable[[], bool]) -> None:
    """Wait until a condition on the app's loop is true."""
    deadline = time.monotonic() + PATIENCE
    while not door.thread.call(condition):
        assert time.monotonic() < deadline
        time.sleep(0.005)


# --- positions


def test_a_later_message_waits_for_an_earlier_one_that_is_not_ready_yet() -> None:
    async def run() -> None:
        queues, begun = ConversationQueues(), list[str]()
        later, earlier = queues.join("D1", 2.0), queues.join("D1", 1.0)
        waiting = asyncio.ensure_future(later.wait())
        await asyncio.sleep(0)
        assert not waiting.done()
        await earlier.wait()
        begun.append("earlier")
        await asyncio.sleep(0)
        assert not waiting.done()
        earlier.leave()
        earlier.leave()
        await waiting
        assert begun == ["earlier"]
        later.leave()
        assert queues._positions == {}

    asyncio.run(run())


@pytest.mark.parametrize("waits", [False, True], ids=["before it waits", "while it waits"])
def test_who_leaves_makes_room_for_the_next(waits: bool) -> None:
    async def run() -> None:
        queues = ConversationQueues()
        first, second, third = (queues.join("D1", order) for order in (1.0, 2.0, 3.0))
        await first.wait()
        waiting = [asyncio.ensure_future(position.wait()) for position in ((second, third) if waits else (third,))]
        await asyncio.sleep(0)
        second.leave()
        assert not waiting[-1].done()
        first.leave()
        await waiting[-1]
        third.leave()
        if waits:
            waiting[0].cancel()
        assert queues._positions == {}

    asyncio.run(run())


def test_who_has_begun_is_not_overtaken_by_an_earlier_message_that_comes_late() -> None:
    async def run() -> None:
        queues = ConversationQueues()
        later = queues.join("D1", 2.0)
        await later.wait()
        earlier, last = queues.join("D1", 1.0), queues.join("D1", 3.0)
        waiting = [asyncio.ensure_future(position.wait()) for position in (last, earlier)]
        await asyncio.sleep(0)
        assert not any(each.done() for each in waiting)
        later.leave()
        await waiting[1]
        assert not waiting[0].done()
        earlier.leave()
        await waiting[0]
        last.leave()
        assert queues._positions == {}

    asyncio.run(run())


def test_of_the_same_time_the_first_to_come_is_first_and_other_conversations_are_on_their_own() -> None:
    async def run() -> None:
        queues = ConversationQueues()
        first, second, other = queues.join("D1", 1.0), queues.join("D1", 1.0), queues.join("D2", 0.5)
        waiting = asyncio.ensure_future(second.wait())
        await asyncio.sleep(0)
        await other.wait()
        await first.wait()
        assert not waiting.done()
        for position in (first, other):
            position.leave()
        await waiting
        second.leave()
        assert queues._positions == {}

    asyncio.run(run())


@pytest.mark.parametrize("seed", range(20))
def test_one_at_a_time_in_order_whatever_happens(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages of three conversations come, wait, are turned away and cancelled at random moments."""
    order = random.Random(seed)
    waiting, active, wrong = defaultdict[str, set[float]](set), defaultdict[str, set[float]](set), list[float]()
    begun = list[float]()
    begin = QueuePosition.begin

    def watched(position: QueuePosition) -> None:
        was_begun = position.begun
        begin(position)
        if position.begun and not was_begun:
            ts = position._order[0]
            if ts != min(waiting[position.conversation]) or active[position.conversation]:
                wrong.append(ts)
            waiting[position.conversation].discard(ts)
            active[position.conversation].add(ts)
            begun.append(ts)

    monkeypatch.setattr(QueuePosition, "begin", watched)

    async def pause() -> None:
        for _ in range(order.randrange(5)):
            await asyncio.sleep(0)

    async def message(queues: ConversationQueues, conversation: str, ts: float) -> None:
        await pause()
        position = queues.join(conversation, ts)
        waiting[conversation].add(ts)
        try:
            await pause()
            if order.random() < 0.8:
                await position.wait()
                await pause()
        finally:
            active[conversation].discard(ts)
            waiting[conversation].discard(ts)
            position.leave()

    async def run() -> None:
        queues = ConversationQueues()
        times = order.sample(range(1000), 60)
        tasks = [asyncio.ensure_future(message(queues, order.choice("ABC"), float(ts))) for ts in times]
        for _ in range(6):
            await asyncio.sleep(0)
        unfinished = [task for task in tasks if not task.done()]
        for task in order.sample(unfinished, min(5, len(unfinished))):
            task.cancel()
        async with asyncio.timeout(PATIENCE):
            results = await asyncio.gather(*tasks, return_exceptions=True)
        assert [each for each in results if each is not None and not isinstance(each, asyncio.CancelledError)] == []
        assert (queues._positions, wrong) == ({}, [])
        assert len(begun) > 30

    asyncio.run(run())


# --- whose turn it is to be computed


def test_askers_take_turns() -> None:
    async def run() -> None:
        queue, done = FairQueue(), list[str]()
        work = [queue.run("flood", partial(done.append, f"flood {number}")) for number in range(50)]
        work += [queue.run(asker, partial(done.append, asker)) for asker in ("colleague", "another")]
        await asyncio.gather(*work)
        assert done[:4] == ["flood 0", "colleague", "another", "flood 1"]
        assert done[3:] == [f"flood {number}" for number in range(1, 50)]
        assert (queue._work, queue._scheduled) == ({}, False)

    asyncio.run(run())


def test_who_comes_while_another_floods_waits_for_one_piece_at_most() -> None:
    async def run() -> None:
        queue, done = FairQueue(), list[str]()
        flood = [asyncio.ensure_future(queue.run("flood", partial(done.append, "flood"))) for _ in range(100)]
        for number in range(10):
            while len(done) < 8 * (number + 1):
                await asyncio.sleep(0)
            before = len(done)
            await queue.run("colleague", partial(done.append, "colleague"))
            assert done[before:].index("colleague") <= 1
        await asyncio.gather(*flood)
        assert (done.count("flood"), done.count("colleague")) == (100, 10)

    asyncio.run(run())


def test_the_loop_goes_round_between_two_pieces() -> None:
    async def run() -> None:
        queue, rounds, seen = FairQueue(), [0], list[int]()
        work = [asyncio.ensure_future(queue.run("one", lambda: seen.append(rounds[0]))) for _ in range(20)]
        while not all(each.done() for each in work):
            rounds[0] += 1
            await asyncio.sleep(0)
        assert len(set(seen)) == 20

    asyncio.run(run())


def test_each_gets_its_own_result_or_exception_and_the_queue_goes_on() -> None:
    async def run() -> None:
        queue = FairQueue()
        results = await asyncio.gather(
            queue.run("one", lambda: 1 // 0), queue.run("one", lambda: 2), queue.run("other", lambda: 3),
            return_exceptions=True,
        )  # fmt: skip
        assert [type(results[0]), *results[1:]] == [ZeroDivisionError, 2, 3]
        assert await queue.run("one", lambda: 4) == 4

    asyncio.run(run())


def test_what_nobody_waits_for_any_more_is_not_computed() -> None:
    async def run() -> None:
        queue, done = FairQueue(), list[str]()
        first, gone, last = (asyncio.ensure_future(queue.run("one", partial(done.append, name))) for name in "abc")
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.gather(first, last)
        assert (done, gone.cancelled()) == (["a", "c"], True)

    asyncio.run(run())


class ThreadNamingEngine(SampleEngine):
    """Remembers which thread each question was answered in."""

    def __init__(self) -> None:
        super().__init__()
        self.threads: list[str] = []

    def answer_turn(
        self, question: Question, state: ConversationState | None
    ) -> tuple[Reply, ConversationState | None]:
        self.threads.append(threading.current_thread().name.partition("_")[0])
        return super().answer_turn(question, state)


def test_a_long_message_is_answered_in_a_thread_of_its_own(make_door: MakeDoor, stub: Stub) -> None:
    engine = ThreadNamingEngine()
    door = make_door(stub, engine=engine)
    for text in ("topic", "x" * LONG_TEXT, "x" * (LONG_TEXT + 1)):
        door.dm(text)
        door.command(text)
    assert engine.threads == ["app"] * 4 + ["work"] * 2
