"""Claims and slots: what happens before a message is acknowledged and after, in which order, and what is refused."""

from __future__ import annotations

import asyncio
import json
import socket
import sqlite3
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from slack_bolt.request.async_request import AsyncBoltRequest

from bot.model import ConversationState
from bot.slack import admission
from bot.slack.admission import MAX_UNSENT_PER_CHANNEL, Admission, Delivery, InteractionLimit, Overloaded, Slot
from bot.slack.metrics import Metrics
from bot.slack.strings import default_strings
from bot.slack.transport import client
from bot.slack.transport.outbox import SENDERS
from bot.store import Store
from support.busy_slack import BusySlack, busy
from support.people import crowd, said
from support.slack_app import PATIENCE, Door, MakeDoor, open_door
from support.slack_samples import SampleClaims, SampleStore
from support.slack_steps import deliver, on_message, posted, send
from support.slack_stub import RESET, SILENCE, TEAM, Fault, Stub, limited
from support.socket_links import connected, mention

KEY = f"{TEAM}:C1:5.5"
BUSY = default_strings()["busy"]
OOPS = default_strings()["oops"]
WORDS = "my private words"
"""What an exception says, and no log may: a traceback quotes the line that raises, and this name in it."""


def in_use(door: Door) -> int:
    """Slots that are taken."""
    return door.app.context.admission.open


def take_slot(door: Door) -> Slot:
    """Take one of the slots of messages, as a message would that isn't answered yet."""
    return door.thread.run(door.app.context.admission.acquire())


class WatchedClaims(SampleClaims):
    """Claims with what a test has to say before and after each step; `owners` are those who have started something."""

    def __init__(self, before: Callable[[str, str], None], after: Callable[[str, str], None]) -> None:
        super().__init__()
        self.before, self.after = before, after
        self.owners: list[tuple[str, str]] = []

    def claim(self, key: str, owner: str) -> bool:
        self.before("claim", key)
        claimed = super().claim(key, owner)
        self.owners.append(("claimed", owner))
        self.after("claim", key)
        return claimed

    def start(self, key: str, owner: str) -> bool:
        self.before("start", key)
        started = super().start(key, owner)
        if started:
            self.owners.append(("started", owner))
        return started


def nothing(_step: str, _key: str) -> None:
    return


def store_with(claims: SampleClaims, threads: int = 1) -> SampleStore:
    """A store with these claims and so many database threads."""
    store = SampleStore()
    store.claims, store.database.threads = claims, threads
    return store


# --- the order of things


def test_a_message_is_claimed_before_the_acknowledgement_and_started_after(
    door: Door, stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[tuple[bool, list[str]]] = []
    then = Delivery.written

    def watched(self: Delivery, ok: bool) -> None:
        written.append((ok, list(door.store.claims.done)))
        then(self, ok)

    monkeypatch.setattr(Delivery, "written", watched)
    assert door.mention(ts="5.5") == 200
    assert written == [(True, ["claim"])]
    assert door.store.claims.done == ["claim", "start"]
    assert door.answers["last"] == "ok"
    assert (len(posted(stub)), in_use(door)) == (1, 0)


def test_slack_has_the_acknowledgement_before_the_message_is_started(make_door: MakeDoor, stub: Stub) -> None:
    may_start, claims = threading.Event(), WatchedClaims(nothing, nothing)
    claims.before = lambda step, _: None if step == "claim" else _wait(may_start)
    door = make_door(stub, store=store_with(claims))
    assert deliver(door) == 200
    assert (claims.done, posted(stub), in_use(door)) == (["claim"], [], 1)
    may_start.set()
    door.rest()
    assert (claims.done, len(posted(stub)), in_use(door)) == (["claim", "start"], 1, 0)


def test_an_acknowledgement_that_cannot_be_written_leaves_the_message_to_its_next_delivery(
    make_door: MakeDoor, stub: Stub
) -> None:
    claiming, may_claim = threading.Event(), threading.Event()

    def wait(step: str, _: str) -> None:
        if step == "claim":
            claiming.set()
            _wait(may_claim)

    claims = WatchedClaims(wait, nothing)
    door = make_door(stub, store=store_with(claims))
    hang_up(door, claiming)
    may_claim.set()
    door.rest()
    assert (claims.done, posted(stub), in_use(door), claims.taken) == (["claim", "release"], [], 0, {})
    assert door.mention(ts="5.5") == 200
    assert (claims.done[2:], len(posted(stub)), in_use(door)) == (["claim", "start"], 1, 0)


def test_a_front_that_ends_before_a_message_is_claimed_leaves_it_to_its_next_delivery(
    make_door: MakeDoor, stub: Stub
) -> None:
    claiming, may_claim = threading.Event(), threading.Event()

    def wait(step: str, _: str) -> None:
        if step == "claim":
            claiming.set()
            _wait(may_claim)

    claims = WatchedClaims(wait, nothing)
    door = make_door(stub, store=store_with(claims))
    event = {"type": "app_mention", "channel": "C1", "user": "U1", "ts": "5.5", "text": "library"}
    payload = {"type": "event_callback", "team_id": TEAM, "event": event}

    async def receive() -> None:
        await door.app.dispatch(AsyncBoltRequest(mode="socket_mode", body=payload))

    front = asyncio.run_coroutine_threadsafe(receive(), door.thread.loop)
    _wait(claiming)
    front.cancel()
    may_claim.set()
    door.rest()
    assert (claims.done, posted(stub), in_use(door), claims.taken) == (["claim", "release"], [], 0, {})


def hang_up(door: Door, when: threading.Event) -> None:
    """Deliver a mention, and reset the connection as soon as it is handled."""
    connection = send(door, type="app_mention", channel="C1", ts="5.5")
    _wait(when)
    connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
    # What arrives after the reset is handled after it.
    assert door.request(b"", method="GET", path="/healthz", settles=False) == 200


def _wait(event: threading.Event) -> None:
    assert event.wait(PATIENCE)


def test_what_another_process_has_claimed_and_not_started_is_taken_over(door: Door, stub: Stub) -> None:
    door.store.claims.claim(KEY, "a process that died")
    door.mention(ts="5.5")
    assert len(posted(stub)) == 1
    assert not door.store.claims.start(KEY, "a process that died")


def test_what_another_process_has_started_is_left_to_it(door: Door, stub: Stub) -> None:
    assert door.store.claims.claim_once(KEY)
    assert door.mention(ts="5.5") == 200
    assert (posted(stub), door.engine.asked, in_use(door)) == ([], [], 0)


def test_of_two_deliveries_at_once_the_later_one_answers(make_door: MakeDoor, stub: Stub) -> None:
    both_claimed, claims = threading.Event(), WatchedClaims(nothing, nothing)

    def after(_step: str, _key: str) -> None:
        if claims.done.count("claim") == 2:
            both_claimed.set()

    claims.before = lambda step, _: None if step == "claim" else _wait(both_claimed)
    claims.after = after
    door = make_door(stub, store=store_with(claims, threads=2))
    assert [deliver(door, ts="5.5"), deliver(door, ts="5.5")] == [200, 200]
    door.rest()
    (_, _), (_, later), started = claims.owners
    assert started == ("started", later)
    assert (len(posted(stub)), len(door.engine.asked), in_use(door)) == (1, 1, 0)


def test_a_post_that_surely_has_not_arrived_frees_the_claim(door: Door, stub: Stub) -> None:
    stub.fail("chat.postMessage", *[Fault(502)] * 8)
    door.mention(ts="5.5")
    door.settle()
    assert door.store.claims.done == ["claim", "start", "release"]
    door.mention(ts="5.5")
    assert len(posted(stub)) == 9


# --- how many are answered at once


ENDS: dict[str, tuple[str, tuple[Fault, ...]]] = {
    "answered": ("topic", ()),
    "answered late": ("topic", (Fault(502), limited(), RESET)),
    "given up": ("topic", (Fault(500),) * 8),
    "refused": ("topic", (Fault(error="not_in_channel"),)),
    "unsure": ("topic", (SILENCE,)),
    "our fault": ("boom", ()),
}


@pytest.mark.parametrize("end", ENDS)
def test_a_slot_is_given_back_with_the_answer(
    make_door: MakeDoor, stub: Stub, end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "READ_TIMEOUT", 0.2)
    door = make_door(stub)
    text, faults = ENDS[end]
    stub.fail("chat.postMessage", *faults)
    stub.fail("hook", *faults)
    assert [door.mention(text), door.dm(text), door.command(text)] == [200] * 3
    door.settle()
    assert door.open == 0


def test_who_waits_for_slack_keeps_nobody_from_a_slot(door: Door, stub: Stub) -> None:
    stub.fail("chat.postMessage", *[limited(60)] * 2)
    for channel in ("C1", "C2"):
        door.mention(channel=channel)
        door.mention(channel=channel)
    assert (len(posted(stub)), door.open) == (2, 0)
    assert not door.thread.run(door.app.context.outbox.drain(0))


def test_without_a_slot_slack_is_told_to_come_again(
    make_door: MakeDoor, stub: Stub, caplog: pytest.LogCaptureFixture
) -> None:
    door = make_door(stub, admission=Admission(slots=1, slot_timeout=0.02))
    slot = take_slot(door)
    assert [door.mention(ts="5.5"), door.dm(ts="6.6")] == [503, 503]
    assert (door.store.claims.done, stub.calls, caplog.text) == ([], [], "")
    door.thread.call(slot.release)
    door.thread.call(slot.release)
    assert [door.mention(ts="5.5"), door.dm(ts="6.6")] == [200, 200]
    assert (len(posted(stub)), in_use(door)) == (2, 0)


def test_a_command_needs_no_slot_of_the_messages_and_is_never_refused(make_door: MakeDoor, stub: Stub) -> None:
    door = make_door(stub, admission=Admission(slots=0, slot_timeout=0.02))
    assert door.command("library") == 200
    assert (door.answers["last"], len(stub.of("hook"))) == ("", 1)


def test_who_has_too_many_commands_and_presses_under_way_is_told_so_and_nobody_else(
    make_door: MakeDoor, stub: Stub
) -> None:
    door = make_door(stub, interactions=InteractionLimit(limit_per_asker=1))
    slot = door.thread.call(lambda: door.app.context.interactions.acquire(f"{TEAM}:U1"))
    private = on_message(door, private=True)
    assert door.command("library") == 200
    assert door.press("ask:1", "library", **private) == 200
    assert door.press("why", "topic||t\ntopic", **private) == 200
    assert door.answers["last"] == ""
    assert [post["text"] for post in stub.of("hook")] == [BUSY] * 3
    assert [post["response_type"] for post in stub.of("hook")] == ["ephemeral"] * 3
    assert door.engine.asked == []
    assert door.command("library", user_id="U2") == 200
    assert stub.of("hook")[3]["text"] != BUSY
    door.thread.call(slot.release)
    assert door.command("library") == 200
    assert (stub.of("hook")[4]["text"] != BUSY, door.open) == (True, 0)


def test_a_press_on_a_public_message_is_told_so_in_private(make_door: MakeDoor, stub: Stub) -> None:
    door = make_door(stub, interactions=InteractionLimit(limit_per_asker=0))
    public = on_message(door)
    assert door.press("ask:1", "library", **public) == 200
    assert door.press("why", "topic||t\ntopic", **public) == 200
    assert [(post["text"], post["response_type"]) for post in stub.of("hook")] == [(BUSY, "ephemeral")] * 2
    assert posted(stub) == []


def test_of_all_together_only_so_many_commands_are_under_way(make_door: MakeDoor, stub: Stub) -> None:
    door = make_door(stub, interactions=InteractionLimit(limit=0))
    message = {"text": "library", "ts": "1.1", "user": "U2"}
    assert door.command("library") == 200
    assert door.interact(type="message_action", callback_id="ask_message", message=message) == 200
    assert [post["text"] for post in stub.of("hook")] == [BUSY]
    assert BUSY in json.dumps(stub.of("views.open"), ensure_ascii=False)
    assert (door.engine.asked, door.open) == ([], 0)
    assert door.mention() == 200
    assert len(posted(stub)) == 1


class Refusals(Metrics):
    """Metrics that tell when a message has been turned away."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = threading.Event()

    def turned_away(self) -> None:
        self.seen.set()


def test_in_socket_mode_nothing_is_acknowledged_without_a_slot(make_door: MakeDoor, stub: Stub) -> None:
    refusals = Refusals()
    door = make_door(stub, admission=Admission(slots=1, slot_timeout=0.02), metrics=refusals)
    slot = take_slot(door)
    with connected(door, stub):
        stub.send(mention(1))
        _wait(refusals.seen)
        assert stub.acknowledged == []
        door.thread.call(slot.release)
        stub.send(mention(1))
        stub.wait_for(lambda: stub.acknowledged)
        stub.wait("chat.postMessage")
        door.rest()
    assert (len(posted(stub)), stub.payloads["e1"], stub.acknowledged) == (1, {}, ["e1"])


def test_in_socket_mode_a_message_is_started_when_its_acknowledgement_is_sent(make_door: MakeDoor, stub: Stub) -> None:
    may_start, claims = threading.Event(), WatchedClaims(nothing, nothing)
    claims.before = lambda step, _: None if step == "claim" else _wait(may_start)
    door = make_door(stub, store=store_with(claims))
    with connected(door, stub):
        stub.send(mention(1))
        stub.wait_for(lambda: stub.acknowledged)
        assert (claims.done, posted(stub)) == (["claim"], [])
        may_start.set()
        stub.wait("chat.postMessage")
        door.rest()
    assert (claims.done, in_use(door)) == (["claim", "start"], 0)


def test_many_at_once_are_each_answered_once(make_door: MakeDoor, stub: Stub) -> None:
    door = make_door(stub, admission=Admission(slots=2))
    with ThreadPoolExecutor(30) as people:
        statuses = list(people.map(lambda number: door.mention(ts=f"7.{number % 10}"), range(30)))
    assert statuses == [200] * 30
    door.settle()
    assert len({post["thread_ts"] for post in posted(stub)}) == len(posted(stub)) == 10
    assert in_use(door) == 0


# --- a store that fails


def test_a_claim_that_raises_costs_a_line_and_no_slot(
    make_door: MakeDoor, stub: Stub, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_step: str, _key: str) -> None:
        raise ValueError(WORDS)

    claims = WatchedClaims(broken, nothing)
    door = make_door(stub, store=store_with(claims))
    number = admission.SLOTS + 1
    assert [door.mention(ts=f"5.{n}") for n in range(number)] == [503] * number
    assert (in_use(door), stub.calls) == (0, [])
    errors = [record.getMessage() for record in caplog.records]
    assert len(errors) == number
    assert all(error.startswith("A message failed\nTraceback") for error in errors)
    assert "private" not in caplog.text
    claims.before = nothing
    assert door.mention(ts="5.0") == 200
    assert len(posted(stub)) == 1


def test_a_start_that_raises_is_apologised_for(
    make_door: MakeDoor, stub: Stub, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(step: str, _key: str) -> None:
        if step == "start":
            raise ValueError(WORDS)

    door = make_door(stub, store=store_with(WatchedClaims(broken, nothing)))
    assert door.mention() == 200
    assert [post["text"] for post in posted(stub)] == [OOPS]
    assert (len(caplog.records), in_use(door)) == (1, 0)
    assert "private" not in caplog.text


@pytest.fixture
def locked(make_door: MakeDoor, tmp_path: Path, stub: Stub) -> Iterator[tuple[Door, Store]]:
    """The bot over a database that another process keeps locked."""
    store = Store(f"sqlite:///{tmp_path}/s.db")
    assert store.probe() == ""
    other = sqlite3.connect(tmp_path / "s.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    yield make_door(stub, store=store), store
    other.close()
    store.close()


def test_a_locked_database_keeps_no_acknowledgement_for_three_seconds(
    locked: tuple[Door, Store], stub: Stub, caplog: pytest.LogCaptureFixture
) -> None:
    door, store = locked
    started = time.monotonic()
    assert deliver(door, text="topic, my private words", ts="5.5") == 200
    first = time.monotonic() - started
    door.rest()
    assert door.dm("unknown private words", ts="5.5") == 200
    assert door.dm("unknown private words", ts="6.6") == 200
    assert first < 3
    assert len(posted(stub)) == 2
    assert store.database.failures
    assert "private" not in caplog.text


def test_a_slow_database_shortens_the_wait_for_a_slot(make_door: MakeDoor, stub: Stub) -> None:
    door = make_door(stub, admission=Admission(slots=1))
    assert door.mention() == 200
    assert door.thread.call(lambda: door.app.context.admission.last_claim_seconds) > 0
    take_slot(door)
    door.app.context.admission.last_claim_seconds = admission.DECIDED_WITHIN - 0.01
    started = time.monotonic()
    assert door.mention() == 503
    assert time.monotonic() - started < 1


class HangingLoad:
    """Conversations whose loading hangs until the test lets it go."""

    def __init__(self) -> None:
        self.loading, self.go_on = threading.Event(), threading.Event()

    def load(self, _: str) -> ConversationState | None:
        self.loading.set()
        _wait(self.go_on)
        return None

    def save(self, _conversation: str, _state: ConversationState) -> None:
        return


def test_a_stopped_bot_lets_go_of_what_it_has_claimed_and_not_started(make_door: MakeDoor, stub: Stub) -> None:
    store, conversations = store_with(SampleClaims(), threads=2), HangingLoad()
    store.conversations = conversations  # type: ignore[assignment]
    door = make_door(stub, store=store)
    assert deliver(door, ts="5.5") == 200
    _wait(conversations.loading)
    assert deliver(door, ts="6.6") == 200
    assert not door.thread.run(door.app.close(0.2))
    conversations.go_on.set()
    assert (store.claims.done, in_use(door)) == (["claim", "start", "claim", "release"], 0)
    assert store.claims.taken == {f"{TEAM}:D1:5.5": "started"}
    assert posted(stub) == []
    other = make_door(stub, store=store)
    assert [other.dm(ts="5.5"), other.dm(ts="6.6")] == [200, 200]
    assert len(posted(stub)) == 1


# --- the slots themselves


def test_there_are_as_many_slots_as_requests_to_slack_at_once() -> None:
    assert Admission().slots == SENDERS


def test_slots_go_to_whom_has_waited_longest() -> None:
    async def run() -> None:
        some, order, most = Admission(slots=3), list[int](), list[int]()
        first = [await some.acquire() for _ in range(3)]

        async def ask(number: int) -> None:
            slot = await some.acquire()
            order.append(number)
            most.append(some.open)
            await asyncio.sleep(0)
            slot.release()

        asking = [asyncio.ensure_future(ask(number)) for number in range(20)]
        await asyncio.sleep(0)
        assert (order, some.open) == ([], 3)
        first[0].release()
        late = asyncio.ensure_future(ask(20))  # comes when slots are given, and waits behind the others all the same
        await asyncio.gather(*asking, late)
        assert (order, max(most), some.open) == (list(range(21)), 3, 2)
        first[0].release()
        assert some.open == 2

    asyncio.run(run())


def test_never_more_slots_than_there_are_and_each_comes_back() -> None:
    async def run() -> None:
        some, changes, most = Admission(slots=3), list[int](), list[int]()
        some.on_change = changes.append

        async def ask(number: int) -> None:
            slot = await some.acquire()
            most.append(some.open)
            for _ in range(number % 4):
                await asyncio.sleep(0)
            slot.release()

        asking = [asyncio.ensure_future(ask(number)) for number in range(60)]
        for number, each in enumerate(asking):
            if number % 5 == 0:
                await asyncio.sleep(0)
                each.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
        assert (max(most), some.open, sum(changes)) == (3, 0, 0)
        assert changes.count(1) > 40

    asyncio.run(run())


def test_nobody_waits_where_too_many_do() -> None:
    async def run() -> None:
        with pytest.raises(Overloaded):
            await Admission(slots=0, slot_timeout=60, max_waiting=0).acquire()
        some = Admission(slots=1, slot_timeout=60, max_waiting=2)
        slot = await some.acquire()
        waiting = [asyncio.ensure_future(some.acquire()) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(Overloaded):
            await some.acquire()
        slot.release()
        (await waiting[0]).release()
        (await waiting[1]).release()
        assert some.open == 0

    asyncio.run(run())


def test_who_waits_too_long_is_overloaded_and_leaves_the_line() -> None:
    async def run() -> None:
        some, changes = Admission(slots=1, slot_timeout=0.01), list[int]()
        some.on_change = changes.append
        slot = await some.acquire()
        with pytest.raises(Overloaded):
            await some.acquire()
        assert changes == [1, 1, -1]
        slot.release()
        (await some.acquire()).release()
        assert (some.open, sum(changes)) == (0, 0)

    asyncio.run(run())


@pytest.mark.parametrize("given", [False, True], ids=["while it waits", "just as it is given the slot"])
def test_who_is_cancelled_keeps_no_slot(given: bool) -> None:
    async def run() -> None:
        some, changes = Admission(slots=1), list[int]()
        some.on_change = changes.append
        slot = await some.acquire()
        cancelled, next_one = (asyncio.ensure_future(some.acquire()) for _ in range(2))
        await asyncio.sleep(0)
        if given:
            slot.release()
        cancelled.cancel()
        with pytest.raises(asyncio.CancelledError):
            await cancelled
        slot.release()
        (await next_one).release()
        assert (some.open, sum(changes)) == (0, 0)

    asyncio.run(run())


def test_a_slot_that_is_given_just_as_the_time_is_up_is_not_lost() -> None:
    async def run() -> None:
        some = Admission(slots=1, slot_timeout=0.0)
        slot = await some.acquire()
        waiting = asyncio.ensure_future(some.acquire())
        await asyncio.sleep(0)
        slot.release()
        results = await asyncio.gather(waiting, return_exceptions=True)
        for each in results:
            assert isinstance(each, Slot | Overloaded)
            if isinstance(each, Slot):
                each.release()
        assert some.open == 0
        (await some.acquire()).release()

    asyncio.run(run())


# --- the limit of presses and commands


def test_presses_are_limited_for_one_and_for_all() -> None:
    limit, changes = InteractionLimit(limit=3, limit_per_asker=2), list[int]()
    limit.on_change = changes.append
    slots = [limit.acquire("U1"), limit.acquire("U1")]
    with pytest.raises(Overloaded):
        limit.acquire("U1")
    slots.append(limit.acquire("U2"))
    with pytest.raises(Overloaded):
        limit.acquire("U3")
    assert (limit.open, changes) == (3, [1, 1, 1])
    slots[0].release()
    slots[0].release()
    assert limit.open == 2
    slots.append(limit.acquire("U3"))
    for slot in slots:
        slot.release()
    assert (limit.open, sum(changes), dict(limit._open)) == (0, 0, {})


def test_the_limits_leave_room_for_many_people() -> None:
    limit = InteractionLimit()
    assert limit.limit >= 10 * limit.limit_per_asker
    slots: list[Any] = [limit.acquire("U1") for _ in range(limit.limit_per_asker)]
    with pytest.raises(Overloaded):
        limit.acquire("U1")
    slots += [limit.acquire(f"U{number}") for number in range(2, limit.limit - limit.limit_per_asker + 2)]
    with pytest.raises(Overloaded):
        limit.acquire("U0")
    assert limit.open == limit.limit


# --- what waits for Slack


def test_what_waits_for_slack_is_bounded(door: Door, stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    """A message that waits for a Retry-After holds no slot, so that the outbox has a limit of its own."""
    monkeypatch.setattr("bot.slack.features.messages.MAX_UNSENT", 2)
    stub.fail("chat.postMessage", *[limited(60)] * 2)
    assert [door.mention(channel=f"C{n}") for n in range(3)] == [200, 200, 503]
    assert door.store.claims.done == ["claim", "start"] * 2
    assert (len(door.app.context.outbox), door.open) == (2, 0)
    assert door.command("library") == 200  # Slack wouldn't send it again


def test_a_full_channel_is_refused_and_the_others_are_not(
    door: Door, stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.slack.features.messages.MAX_UNSENT_PER_CHANNEL", 2)
    stub.unreachable["C1"] = limited(60)
    assert [door.mention(channel="C1") for _ in range(3)] == [200, 200, 503]
    assert door.mention(channel="C2") == 200
    assert (door.app.context.outbox.queued("C1"), door.open) == (2, 0)


def test_from_the_third_request_of_a_channel_on_slots_are_given_back(door: Door, stub: Stub) -> None:
    context = door.app.context
    stub.fail("chat.postMessage", SILENCE)
    assert [deliver(door, ts=f"{number}.0") for number in range(1, 7)] == [200] * 6
    _until(door, lambda: context.outbox.queued("D1") == 6)
    assert in_use(door) == 2  # the one that is being sent, and the one behind it
    stub.quiet.set()
    door.settle()
    assert (len(posted(stub)), in_use(door)) == (7, 0)  # the first one twice: the connection broke


def test_a_burst_of_one_member_hardly_delays_a_colleague_and_nothing_of_it_is_lost() -> None:
    with BusySlack(0.15) as slack, open_door(slack) as door:
        burst = [said(slack, number, "topic", "dm", "D1") for number in range(120)]
        for message in burst:
            message.body["event"]["user"] = "U1"
        colleague = said(slack, 500, "topic", "dm", "D2")
        acks = asyncio.run_coroutine_threadsafe(crowd(door.port, burst, len(burst)), slack.loop)
        slack.wait_for(lambda: slack.attempts, "the first answer of the burst")
        started = time.monotonic()
        assert [ack.status for ack in slack.run(crowd(door.port, [colleague], 1))] == [200]
        slack.wait_for(
            lambda: any(each.address == colleague.address for each in slack.arrived()), "the colleague's answer"
        )
        (answer,) = (each for each in slack.arrived() if each.address == colleague.address)
        assert answer.done - started < busy(0.6)
        slack.latency = 0.0  # the rest of the burst may be quicker
        statuses = Counter(ack.status for ack in acks.result(busy(10)))
        door.thread.run(door.app.context.tasks.finish(busy(10)), busy(20))
        assert statuses.keys() <= {200, 503}
        assert statuses[200] >= MAX_UNSENT_PER_CHANNEL
        assert len([each for each in slack.arrived() if each.address == burst[0].address]) == statuses[200]
        assert door.open == 0


def _until(door: Door, condition: Callable[[], bool]) -> None:
    """Wait until a condition on the app's loop is true."""
    deadline = time.monotonic() + PATIENCE
    while not door.thread.call(condition):
        assert time.monotonic() < deadline
        time.sleep(0.005)
