"""Whatever raises, wherever: in the end nothing is open, and each failure stands in the log once, without its message."""

from __future__ import annotations

import logging
import random
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest

from bot.slack import outgoing
from bot.slack.blocks import render_blocks
from bot.slack.features import explain
from bot.slack.payloads import FeedbackValue, ModalState
from bot.slack.strings import default_strings
from bot.slack.transport.client import SlackClient
from support.slack_app import Door, MakeDoor
from support.slack_samples import SampleEngine, SampleStore
from support.slack_steps import on_message, on_view, posted
from support.slack_stub import TEAM, Fault, Stub, limited

WORDS = "my private words"
"""What exceptions say and people ask, and what no log may say."""
OOPS = default_strings()["oops"]


@dataclass
class Faults:
    """Raises at random, each time an exception of a type of its own, by which its line in the log is known.

    `places`: where it may raise, as the beginning of "store.claims.start" and the like; empty: everywhere.
    """

    order: random.Random
    probability: float
    places: tuple[str, ...] = ()
    raised: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def may_raise(self, place: str) -> None:
        """Raise, or don't."""
        with self.lock:
            if not place.startswith(self.places or "") or self.order.random() >= self.probability:
                return
            name = f"Fault{len(self.raised)}"
            self.raised.append(name)
        raise type(name, (Exception,), {})(f"{WORDS} in {place}")

    def wrap(self, place: str, work: Callable[..., Any]) -> Callable[..., Any]:
        """The same function, that may raise before it does anything, or after."""

        def wrapped(*args: Any, **options: Any) -> Any:
            self.may_raise(f"{place} before")
            result = work(*args, **options)
            self.may_raise(f"{place} after")
            return result

        return wrapped


class Faulty:
    """An object whose methods may raise."""

    def __init__(self, place: str, real: Any, faults: Faults, names: tuple[str, ...]) -> None:
        self._place, self._real, self._faults, self._names = place, real, faults, names

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._real, name)
        return self._faults.wrap(f"{self._place}.{name}", value) if name in self._names else value


METHODS = {
    "claims": ("claim", "start", "release", "claim_once"),
    "conversations": ("load", "save"),
    "votes": ("add",),
    "tallies": ("add", "week"),
    "misses": ("add", "find", "clear_best"),
    "subscriptions": ("add", "remove"),
    "pilots": ("set", "contains"),
}


def make_faulty(make_door: MakeDoor, stub: Stub, faults: Faults, monkeypatch: pytest.MonkeyPatch) -> Door:
    """The bot, of which everything may raise: the store, the engine, rendering as cards and as what stands in for them,
    and handing a request to Slack."""
    store = SampleStore()
    store.database.threads = 4
    for name, methods in METHODS.items():
        setattr(store, name, Faulty(f"store.{name}", getattr(store, name), faults, methods))
    engine = Faulty("engine", SampleEngine(), faults, ("answer_turn", "explain", "rebuild_reply", "knowledge_of"))
    deliver = SlackClient.post_once

    async def faulty_deliver(client: SlackClient, request: Any) -> Any:
        faults.may_raise("deliver before")
        outcome = await deliver(client, request)
        faults.may_raise("deliver after")
        return outcome

    def faulty_render(reply: Any, layout: Any = "classic", strings: Any = None) -> Any:
        faults.may_raise(f"render.{layout}")
        return render_blocks(reply, layout, strings)

    monkeypatch.setattr(SlackClient, "post_once", faulty_deliver)
    for module in (outgoing, explain):
        monkeypatch.setattr(module, "render_blocks", faulty_render)
    return make_door(stub, layout="cards", store=store, engine=engine)


def assert_nothing_open(door: Door) -> None:
    """Nothing is in progress: no slot is taken, no request open, no conversation waited for, no task left."""
    door.settle()
    context = door.app.context
    assert door.open == 0
    assert len(context.outbox) == 0
    assert all(not queue.jobs for queue in context.outbox._queues.values())
    assert context.conversations._positions == {}
    assert (context.computing._work, len(context.tasks)) == ({}, 0)


def assert_one_line_each(faults: Faults, caplog: pytest.LogCaptureFixture) -> None:
    """Each fault has one line of its own, with where it was raised and of what type, and nothing else is an error."""
    errors = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    assert Counter(error.rpartition(".")[2] for error in errors) == Counter(faults.raised)
    assert all("\nTraceback (most recent call last):\n" in error for error in errors)
    assert WORDS not in caplog.text


# --- anything at all


class People:
    """What people do, at random."""

    def __init__(self, door: Door, seed: int) -> None:
        self.door, self.order = door, random.Random(seed)
        message, private = on_message(door), on_message(door, private=True)
        modal = on_view(ModalState(("library",), channel="C1", thread="1.1"))
        bad = FeedbackValue("k", "library||flask", "bad").to_value()
        asked = {"type": "message_action", "callback_id": "ask_message", "channel": {"id": "C1"}}
        words = {"values": {"b": {"words": {"type": "plain_text_input", "value": f"library {WORDS}"}}}}
        view = {"id": "V1", "type": "modal", "callback_id": "search", "private_metadata": "", "state": words}
        self.actions: tuple[Callable[[], int], ...] = (
            lambda: door.mention(self.text(), thread_ts="1.1"),
            lambda: door.mention(self.text()),
            lambda: door.mention(self.text(), ts="9.9"),
            lambda: door.dm(self.text()),
            lambda: door.dm(self.text(), channel="D2"),
            lambda: door.command(self.text()),
            lambda: door.command("status"),
            lambda: door.press("ask:1", self.text(), **message),
            lambda: door.press("ask:1", self.text(), **private),
            lambda: door.press("ask:1", self.text(), **modal),
            lambda: door.press("why", f"library||flask\n{self.text()}", **message),
            lambda: door.press("vote", bad, **message),
            lambda: door.press("vote", bad, **modal),
            lambda: door.press("share", f"library||flask\n{self.text()}", **private),
            lambda: door.press("reply", f"library||flask\n{self.text()}", **modal),
            lambda: door.press("tell", f"unknown||\nunknown {WORDS}", **message),
            lambda: door.press("none", f"unknown||\nunknown {WORDS}", **message),
            lambda: door.press("search", "", **on_view(kind="home")),
            lambda: door.interact(**asked, message={"text": self.text(), "ts": "1.1", "user": "U2"}),
            lambda: door.interact(type="view_submission", view=view),
            lambda: door.event(type="app_home_opened", tab="home"),
        )

    def text(self) -> str:
        kind = self.order.choice(("topic", "library", "unknown", "offer", "compare", "help"))
        return f"{kind} {WORDS}"

    def act(self, _: int) -> int:
        """Do something; the status."""
        return self.order.choice(self.actions)()


@pytest.mark.parametrize("seed", [*range(4), *(pytest.param(seed, marks=pytest.mark.e2e) for seed in range(4, 8))])
def test_whatever_raises_nothing_stays_open_and_each_failure_is_logged_once(
    make_door: MakeDoor, stub: Stub, seed: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    faults = Faults(random.Random(seed), probability=0.04 + 0.04 * (seed % 4))
    door = make_faulty(make_door, stub, faults, monkeypatch)
    order = random.Random(seed)
    some = (Fault(), Fault(), Fault(error="invalid_blocks"), Fault(error="not_in_channel"), Fault(502), limited())
    for method in ("chat.postMessage", "chat.postEphemeral", "views.open", "views.update", "hook"):
        stub.fail(method, *order.choices(some, k=40))
    people = People(door, seed)
    with ThreadPoolExecutor(8) as pool:
        statuses = set(pool.map(people.act, range(120)))
    assert_nothing_open(door)
    assert statuses <= {200, 503}
    assert len(faults.raised) > 20
    assert_one_line_each(faults, caplog)
    faults.probability = 0.0
    stub.faults.clear()
    stub.calls.clear()
    assert door.mention("library") == 200
    door.settle()
    assert len(posted(stub)) == 1


# --- one fault a message


PLACES = {
    "claiming": ("store.claims.claim",),
    "starting": ("store.claims.start",),
    "loading": ("store.conversations.load",),
    "the pilots": ("store.pilots",),
    "the engine": ("engine.answer_turn",),
    "rendering": ("render.cards",),
    "saving": ("store.conversations.save",),
    "the post": ("deliver",),
    "anywhere": (),
}


@pytest.mark.parametrize("place", PLACES)
def test_each_message_that_fails_has_one_line(
    make_door: MakeDoor,
    stub: Stub,
    place: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """One fault at most for each message: the line is there, and whoever asked gets an answer, an apology, or has the message
    delivered again; only where nobody knows whether the post arrived, nothing more is posted."""
    faults = Faults(random.Random(place), probability=0.0, places=PLACES[place])
    door = make_faulty(make_door, stub, faults, monkeypatch)
    for number in range(20):
        before, lines = len(faults.raised), len(caplog.records)
        stub.calls.clear()
        faults.probability = 0.5 if place != "anywhere" else 0.2
        once(faults, before)
        status = door.mention(f"library {WORDS}", thread_ts="1.1", ts=f"5.{number}")
        door.settle()
        failed = len(faults.raised) - before
        faults.probability = 0.0
        errors = [record for record in caplog.records[lines:] if record.levelno >= logging.ERROR]
        assert len(errors) == failed <= 1
        texts = [post["text"] for post in posted(stub)]
        if status == 503:
            assert (failed, texts) == (1, [])
            assert door.mention(f"library {WORDS}", thread_ts="1.1", ts=f"5.{number}") == 200
            assert len(posted(stub)) == 1
        elif texts == [OOPS]:
            assert failed == 1
        elif not texts:
            assert errors[0].getMessage().startswith("chat.postMessage C1 failed\n")
        else:
            assert len(texts) == 1
    assert len(faults.raised) > 3
    assert_nothing_open(door)
    assert_one_line_each(faults, caplog)


def once(faults: Faults, before: int) -> None:
    """Let no more be raised than one."""
    may_raise = Faults.may_raise

    def raise_once(place: str) -> None:
        if len(faults.raised) == before:
            may_raise(faults, place)

    faults.may_raise = raise_once  # type: ignore[method-assign]


# --- those that were found, and their like


@pytest.mark.parametrize("code", ["invalid_blocks", "invalid_blocks_format"])
def test_a_fallback_that_cannot_be_rendered_leaves_nothing_open(
    make_door: MakeDoor, stub: Stub, code: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    faults = Faults(random.Random(1), probability=1.0, places=("render.links",))
    door = make_faulty(make_door, stub, faults, monkeypatch)
    for number in range(70):  # more than there are slots
        stub.fail("chat.postMessage", Fault(error=code))
        assert door.mention("library", ts=f"5.{number}") == 200
    assert_nothing_open(door)
    assert len(faults.raised) == 70
    assert_one_line_each(faults, caplog)
    assert door.mention("library") == 200
    assert len(posted(stub)) == 71


def test_an_unforeseen_error_while_a_message_is_claimed_leaves_nothing_open(
    make_door: MakeDoor, stub: Stub, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    faults = Faults(random.Random(1), probability=1.0, places=("store.claims.claim",))
    door = make_faulty(make_door, stub, faults, monkeypatch)
    assert [door.dm("library", ts=f"5.{number}") for number in range(70)] == [503] * 70
    assert_nothing_open(door)
    assert_one_line_each(faults, caplog)
    faults.probability = 0.0
    assert door.dm("library", ts="5.0") == 200
    assert len(posted(stub)) == 1


def test_a_claim_that_cannot_be_released_leaves_nothing_open(
    make_door: MakeDoor, stub: Stub, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    faults = Faults(random.Random(1), probability=1.0, places=("store.claims.release",))
    door = make_faulty(make_door, stub, faults, monkeypatch)
    stub.fail("chat.postMessage", *[Fault(502)] * 8)
    assert door.mention("library") == 200
    assert_nothing_open(door)
    assert len(faults.raised) == 1
    assert_one_line_each(faults, caplog)


@pytest.mark.parametrize("surface", ["command", "press", "vote"])
def test_what_slack_does_not_send_again_is_apologised_for(
    make_door: MakeDoor, stub: Stub, surface: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    faults = Faults(random.Random(1), probability=1.0, places=("engine.answer_turn", "store.votes"))
    door = make_faulty(make_door, stub, faults, monkeypatch)
    private = on_message(door, private=True)
    ways: dict[str, Callable[[], int]] = {
        "command": lambda: door.command("library"),
        "press": lambda: door.press("ask:1", "library", **private),
        "vote": lambda: door.press("vote", FeedbackValue("k", "library||flask", "good").to_value(), **private),
    }
    assert ways[surface]() == 200
    assert [post["text"] for post in stub.of("hook")] == [OOPS]
    assert_nothing_open(door)
    assert_one_line_each(faults, caplog)
    assert TEAM not in caplog.text
