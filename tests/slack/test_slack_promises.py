"""Claims before the acknowledgement: what is held, promised and begun, in which order, and what is refused."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from conftest import AtOnce, Door, make_door
from slack_samples import SampleRecords
from slack_stub import RESET, SILENCE, Fault, Stub, limited
from test_slack_doors import posted
from test_slack_socket import connected, mention

from bot.slack import access, promises
from bot.slack.http import THREADS
from bot.slack.post import SENDERS
from bot.slack.promises import WAITING, Promises, Written
from bot.store import Store

KEY = "T0TEAM:C1:5.5"


class Later(Executor):
    """Does nothing until it is told to."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], Any]] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.waiting.append(lambda: fn(*args, **kwargs))
        return Future()

    def run(self) -> None:
        while self.waiting:
            self.waiting.pop(0)()


class Noting(SampleRecords):
    """Remembers what was done with claims, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.done: list[str] = []

    def hold(self, key: str, owner: str) -> bool:
        self.done.append("hold")
        return super().hold(key, owner)

    def begin(self, key: str, owner: str) -> bool:
        self.done.append("begin")
        return super().begin(key, owner)

    def release(self, key: str, owner: str = "") -> None:
        self.done.append("release")
        super().release(key, owner)


@pytest.fixture
def noted(stub: Stub) -> tuple[Door, Noting]:
    records = Noting()
    return make_door(stub, claims=records), records


def given(door: Door) -> int:
    """Promises that are open."""
    return door.app.answering.promises.open


# --- the order of things


def test_a_message_is_held_before_the_acknowledgement_and_begun_after(
    noted: tuple[Door, Noting], stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    door, records = noted
    written: list[list[str]] = []
    then = Written.__next__

    def watched(self: Written) -> bytes:
        written.append(list(records.done))
        return then(self)

    monkeypatch.setattr(Written, "__next__", watched)
    assert door.mention(ts="5.5") == 200
    assert written == [["hold"], ["hold"]]
    assert records.done == ["hold", "begin"]
    assert door.answers["last"] == "ok"
    assert (len(posted(stub)), given(door)) == (1, 0)


def test_an_acknowledgement_that_cannot_be_written_leaves_the_message_to_its_next_delivery(
    noted: tuple[Door, Noting], stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    door, records = noted
    with monkeypatch.context() as broken:
        broken.setattr(Written, "__iter__", lambda self: (self.close(), iter(()))[1])
        door.mention(ts="5.5")
    assert (records.done, posted(stub), given(door)) == (["hold"], [], 0)
    door.mention(ts="5.5")
    assert (records.done, len(posted(stub)), given(door)) == (["hold", "hold", "begin"], 1, 0)


def test_what_another_process_holds_and_has_not_begun_is_taken_over(noted: tuple[Door, Noting], stub: Stub) -> None:
    door, records = noted
    records.hold(KEY, "a process that died")
    door.mention(ts="5.5")
    assert len(posted(stub)) == 1
    assert not records.begin(KEY, "a process that died")


def test_what_another_process_has_begun_is_left_to_it(noted: tuple[Door, Noting], stub: Stub) -> None:
    door, records = noted
    assert records.claim(KEY)
    assert door.mention(ts="5.5") == 200
    assert (posted(stub), door.desk.asked, given(door)) == ([], [], 0)


def test_of_two_deliveries_at_once_the_later_one_answers(stub: Stub) -> None:
    door = make_door(stub, executor=(workers := Later()))
    assert [door.mention(ts="5.5"), door.mention(ts="5.5")] == [200, 200]
    assert (len(workers.waiting), given(door)) == (2, 2)
    workers.run()
    assert (len(posted(stub)), given(door)) == (1, 0)


def test_a_post_that_surely_has_not_arrived_frees_the_claim(noted: tuple[Door, Noting], stub: Stub) -> None:
    door, records = noted
    stub.fail("chat.postMessage", *[Fault(502)] * 8)
    door.mention(ts="5.5")
    door.settle()
    assert records.done == ["hold", "begin", "release"]
    door.mention(ts="5.5")
    assert len(posted(stub)) == 9


# --- how many are promised


ENDS: dict[str, tuple[str, tuple[Fault, ...]]] = {
    "answered": ("topic", ()),
    "answered late": ("topic", (Fault(502), limited(), RESET)),
    "given up": ("topic", (Fault(500),) * 8),
    "refused": ("topic", (Fault(error="not_in_channel"),)),
    "unsure": ("topic", (SILENCE,)),
    "our fault": ("boom", ()),
}


@pytest.mark.parametrize("end", ENDS)
def test_a_promise_ends_with_its_answer(stub: Stub, end: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "TIMEOUT", 0.2)
    door = make_door(stub)
    text, faults = ENDS[end]
    stub.fail("chat.postMessage", *faults)
    stub.fail("hook", *faults)
    assert [door.mention(text), door.dm(text), door.command(text)] == [200] * 3
    door.settle()
    assert given(door) == 0


def test_who_waits_for_slack_keeps_nobody_from_a_promise(door: Door, stub: Stub) -> None:
    stub.fail("chat.postMessage", *[limited(60)] * 2)
    for channel in ("C1", "C2"):
        door.mention(channel=channel)
        door.mention(channel=channel)
    assert (len(posted(stub)), given(door)) == (2, 0)
    assert not door.app.outbox.drain(0)


def test_without_a_promise_slack_is_told_to_come_again(
    noted: tuple[Door, Noting], stub: Stub, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(promises, "WITHIN", 0.02)
    door, records = noted
    door.app.answering.promises.most = 1
    taken = door.app.answering.promises.make()
    assert taken is not None
    assert [door.mention(ts="5.5"), door.dm(ts="6.6")] == [503, 503]
    assert (records.done, stub.calls, caplog.text) == ([], [], "")
    taken.settle()
    taken.settle()
    assert [door.mention(ts="5.5"), door.dm(ts="6.6")] == [200, 200]
    assert (len(posted(stub)), given(door)) == (2, 0)


def test_a_command_waits_and_is_never_refused(door: Door, stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(promises, "WITHIN", 0.02)
    door.app.answering.promises.most = 0
    assert door.command("library") == 200
    assert (door.answers["last"], len(stub.of("hook"))) == ("", 1)


def test_in_socket_mode_nothing_is_acknowledged_without_a_promise(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(promises, "WITHIN", 0.02)
    door = make_door(stub)
    door.app.answering.promises.most = 0
    with connected(door, stub):
        for _ in range(20):
            stub.send(mention(1))
            if door.app.answering.promises.refused:
                break
            time.sleep(0.1)
        assert door.app.answering.promises.refused
        assert stub.acknowledged == []
        door.app.answering.promises.most = 1
        stub.send(mention(1))
        stub.wait_for(lambda: stub.acknowledged)
        stub.wait("chat.postMessage")
    assert (len(stub.of("chat.postMessage")), stub.payloads["e1"]) == (1, {})


def test_there_is_a_thread_for_each_who_waits_and_more() -> None:
    assert THREADS > WAITING
    assert Promises().most == SENDERS


def test_promises_go_to_whom_has_waited_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(promises, "WITHIN", 5.0)
    some, order, most = Promises(most=3), list[int](), list[int]()
    first = [some.make() for _ in range(3)]

    def ask(number: int) -> None:
        promise = some.make()
        order.append(number)
        most.append(some.open)
        assert promise is not None
        promise.settle()

    with ThreadPoolExecutor(20) as threads:
        for number in range(20):
            threads.submit(ask, number)
            while len(some._queue) <= number:
                time.sleep(0.001)
        assert first[0] is not None
        first[0].settle()
    assert (order, max(most)) == (list(range(20)), 3)


def test_nobody_waits_where_too_many_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(promises, "WITHIN", 60.0)
    some = Promises(most=0, waiting=0)
    assert (some.make(), some.refused) == (None, 1)


def test_a_slow_database_shortens_the_wait() -> None:
    some = Promises(most=0, hold_takes=2.69)
    started = time.monotonic()
    assert some.make() is None
    assert time.monotonic() - started < 1


# --- a database that is away


@pytest.fixture
def locked(tmp_path: Path, stub: Stub) -> Iterator[tuple[Door, Store]]:
    """The bot over a database that another process keeps locked."""
    store = Store(f"sqlite:///{tmp_path}/s.db")
    assert store.probe() == ""
    other = sqlite3.connect(tmp_path / "s.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    yield make_door(stub, claims=store), store
    other.close()
    store.close()


def test_a_locked_database_keeps_no_acknowledgement_for_three_seconds(
    locked: tuple[Door, Store], stub: Stub, caplog: pytest.LogCaptureFixture
) -> None:
    door, store = locked
    started = time.monotonic()
    assert door.mention("topic, my private words", ts="5.5") == 200
    first = time.monotonic() - started
    assert door.mention("unknown private words", ts="5.5") == 200
    assert door.mention("unknown private words", ts="6.6") == 200
    assert first < 3
    assert len(posted(stub)) == 2
    assert store.failures
    assert "private" not in caplog.text


def test_a_stopped_bot_lets_go_of_what_it_holds(noted: tuple[Door, Noting], stub: Stub) -> None:
    door, records = noted

    class Stopped(AtOnce):
        def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
            raise RuntimeError("cannot schedule new futures after shutdown")

    late = make_door(stub, claims=records, executor=Stopped())
    assert late.mention(ts="5.5") == 200
    assert (records.done, given(late)) == (["hold", "release"], 0)
    assert door.mention(ts="5.5") == 200
    assert len(posted(stub)) == 1


def test_many_at_once_are_each_answered_once(stub: Stub) -> None:
    with ThreadPoolExecutor(4) as workers:
        door = make_door(stub, executor=workers)
        door.app.answering.promises.most = 2
        statuses: list[int] = []
        threads = [
            threading.Thread(target=lambda number=number: statuses.append(door.mention(ts=f"7.{number % 10}")))
            for number in range(30)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert statuses == [200] * 30
    assert door.app.outbox.drain(5)
    assert len({post["thread_ts"] for post in posted(stub)}) == len(posted(stub)) == 10
    assert given(door) == 0
