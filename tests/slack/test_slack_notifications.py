""" "Tell me" and "None of these" below what couldn't be answered, and telling those who wait."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bot.model import Miss, Question
from bot.slack.blocks import render_blocks
from bot.slack.features import notifications
from bot.slack.outgoing import reply_text
from bot.slack.strings import default_strings
from bot.store import Store
from support.block_lint import faults
from support.slack_app import Door, MakeDoor
from support.slack_samples import HOSTILE, KINDS, SampleStore
from support.slack_steps import (
    buttons,
    dumped,
    in_view,
    on_message,
    on_view,
    posted,
    search,
    shortcut,
    subscribe,
    told,
    views_of,
)
from support.slack_stub import SILENCE, TEAM, Fault, Stub, limited

STRINGS = default_strings()
LIBRARY = render_blocks(KINDS["library"])


def users(door: Door) -> list[str]:
    """Who waits."""
    return [subscription.user for subscription in door.store.subscriptions.all()]


def notices(stub: Stub) -> list[str]:
    """Who got a notice, or an attempt of one, in order."""
    return [post["channel"] for post in posted(stub) if post["channel"].startswith("U")]


# --- "Tell me"


def test_what_is_unanswered_offers_to_tell(door: Door, stub: Stub) -> None:
    door.mention("unknown")
    door.mention("an offer")
    door.mention("topic")
    missed, offered, answered = (set(buttons(post)) for post in posted(stub))
    assert (("tell" in missed, "none" in missed), {"tell", "none"} <= offered) == ((True, False), True)
    assert not {"tell", "none"} & answered
    door.command("unknown")
    assert "tell" in buttons(stub.of("hook")[-1])
    door.press("search", "search", **on_view(kind="home"))
    assert "tell" in buttons(search(door, views_of(stub)[-1], "unknown")["view"])
    assert not {"tell", "none"} & set(buttons(shortcut(door, "unknown")) | buttons(shortcut(door, "an offer")))
    assert [fault for post in posted(stub) for fault in faults(post["blocks"])] == []


def test_who_asked_to_be_told_is_told_once(door: Door, stub: Stub) -> None:
    door.mention("unknown *thing* <!channel> &lt;!here&gt;", user="U7")
    for _ in range(2):
        subscribe(door, posted(stub)[0], **on_message(door), user={"id": "U7", "team_id": TEAM})
    assert [call["text"] for call in stub.of("hook")] == [STRINGS["will_tell"]] * 2
    assert users(door) == ["U7"]
    assert next(iter(door.store.misses.by_key.values())).count == 1
    door.look()
    assert len(posted(stub)) == 1
    door.engine.learned.add(door.store.subscriptions.all()[0].text)
    for _ in range(2):
        door.look()
    (message,) = posted(stub)[1:]
    assert message["channel"] == "U7"
    assert "thread_ts" not in message
    assert message["text"] == reply_text(KINDS["library"], STRINGS["told_note"])
    quote = message["blocks"][0]["elements"][0]
    assert (quote["type"], quote["elements"][0]["text"]) == ("rich_text_quote", "unknown *thing* <!here>")
    assert LIBRARY[0] in message["blocks"]
    assert (faults(message["blocks"]), users(door)) == ([], [])


def test_what_is_known_by_now_is_answered_at_once(door: Door, stub: Stub) -> None:
    door.mention("unknown")
    door.press("search", "search", **on_view(kind="home"))
    view = search(door, views_of(stub)[-1], "unknown")["view"]
    door.engine.learned.add("unknown")
    subscribe(door, posted(stub)[0])
    assert stub.of("hook")[0]["text"] == reply_text(KINDS["library"])
    subscribe(door, view, **in_view(view))
    assert told(views_of(stub)[-1])[1 : 1 + len(LIBRARY)] == LIBRARY
    assert users(door) == []


def test_in_a_modal_it_is_said_in_it(door: Door, stub: Stub) -> None:
    door.press("search", "search", **on_view(kind="home"))
    view = search(door, views_of(stub)[-1], "an offer")["view"]
    value = subscribe(door, view, **in_view(view))
    assert STRINGS["will_tell"] in dumped(views_of(stub)[-1])
    door.press("none", value, **in_view(view))
    assert STRINGS["none_noted"] in dumped(views_of(stub)[-1])
    assert users(door) == ["U1"]


def test_what_cannot_be_noted_is_said(door: Door, stub: Stub) -> None:
    door.mention("unknown")
    door.store.away = True
    subscribe(door, posted(stub)[0])
    assert stub.of("hook")[0]["text"] == STRINGS["cannot_tell"]
    door.store.away = False
    door.dm("unknown <@U012AB3CD>")
    door.press("tell", "unknown||\n<mailto:unknown@x.example>", **on_message(door))
    assert stub.of("hook")[1]["text"] == STRINGS["cannot_tell"]


# --- "None of these"


def test_none_of_these_empties_the_guess_and_counts_nothing(door: Door, stub: Stub) -> None:
    door.mention("an offer")
    value = buttons(posted(stub)[0])["none"]["value"]
    (miss,) = door.store.misses.by_key.values()
    assert (miss.count, miss.best) == (1, "flask")
    for _ in range(2):
        door.press("none", value, **on_message(door))
    first, _ = stub.of("hook")
    assert (first["text"], list(buttons(first))) == (STRINGS["none_noted"], ["tell"])
    door.press("none", value, **on_message(door), user={"id": "U2", "team_id": TEAM})
    (miss,) = door.store.misses.by_key.values()
    assert (miss.count, miss.best) == (1, "")
    door.mention("an offer")
    (miss,) = door.store.misses.by_key.values()
    assert (miss.count, miss.best) == (2, "flask")
    door.press("none", value, **on_message(door))  # the first answer again: it was noted before
    (miss,) = door.store.misses.by_key.values()
    assert (miss.count, miss.best) == (2, "flask")


def test_what_a_button_asked_becomes_a_miss_when_somebody_presses(door: Door, stub: Stub) -> None:
    """What a button asked isn't counted; only the first press below its answer makes a miss of it."""
    door.press("ask:1", "an offer", **on_message(door))
    assert door.store.misses.by_key == {}
    value = buttons(posted(stub)[0])["none"]["value"]
    for action in ("none", "tell", "tell"):
        door.press(action, value, **on_message(door))
    (miss,) = door.store.misses.by_key.values()
    assert (miss.text, miss.count, miss.best, users(door)) == ("an offer", 1, "", ["U1"])


@pytest.mark.parametrize("value", ["", "\n", "unknown||\n", HOSTILE, "x" * 2000])
def test_buttons_that_are_none_are_acknowledged(door: Door, value: str, caplog: pytest.LogCaptureFixture) -> None:
    for action in ("tell", "none"):
        assert door.press(action, value, **on_message(door)) == 200
        assert door.press(action, value, container={"type": "message"}) == 200
    assert caplog.text == ""


# --- another process, and a restart: the store alone knows


@pytest.fixture
def make_store(tmp_path: Path) -> Iterator[Callable[[], Store]]:
    """Opens stores on one SQLite file, as each process does."""
    stores: list[Store] = []

    def make() -> Store:
        stores.append(Store(f"sqlite:///{tmp_path}/s.db"))
        assert stores[-1].prepare() == ""
        return stores[-1]

    yield make
    for each in stores:
        each.close()


def missed(door: Door) -> list[tuple[str, int, str]]:
    """What is stored of misses: words, count, best guess."""

    def shown(miss: Miss) -> tuple[str, int, str]:
        return miss.text, miss.count, miss.best

    return [shown(miss) for miss in door.store.misses.all(TEAM)]


@pytest.fixture(params=["another process", "a restart"])
def next_door(
    request: pytest.FixtureRequest, stub: Stub, make_door: MakeDoor, make_store: Callable[[], Store]
) -> Callable[[Door], Door]:
    """Opens a second process beside the first, or after it has stopped."""

    def following(door: Door) -> Door:
        if request.param == "a restart":
            assert door.thread.run(door.app.close(5))
            door.store.close()
        return make_door(stub, store=make_store())

    return following


def test_a_press_in_a_later_process_counts_no_miss_twice(
    stub: Stub, make_door: MakeDoor, make_store: Callable[[], Store], next_door: Callable[[Door], Door]
) -> None:
    first = make_door(stub, store=make_store())
    first.mention("an offer of xylophones")
    assert missed(first) == [("an offer of xylophones", 1, "flask")]
    post = posted(stub)[0]
    second = next_door(first)
    for _ in range(2):
        subscribe(second, post)
    assert missed(second) == [("an offer of xylophones", 1, "flask")]
    assert users(second) == ["U1"]
    assert [call["text"] for call in stub.of("hook")] == [STRINGS["will_tell"]] * 2
    second.press("none", buttons(post)["none"]["value"], **on_message(second))
    assert missed(second) == [("an offer of xylophones", 1, "")]
    second.mention("an offer of xylophones")
    assert missed(second) == [("an offer of xylophones", 2, "flask")]
    third = next_door(second)
    third.press("none", buttons(post)["none"]["value"], **on_message(third))
    subscribe(third, post)
    assert missed(third) == [("an offer of xylophones", 2, "flask")]


def test_of_two_processes_one_tells(stub: Stub, make_door: MakeDoor) -> None:
    store = SampleStore()
    doors = [make_door(stub, store=store) for _ in range(2)]
    doors[0].mention("unknown")
    subscribe(doors[0], posted(stub)[0])
    for door in doors:
        door.engine.learned.add("unknown")
        door.look()
    assert notices(stub) == ["U1"]


def test_a_process_with_an_older_list_tells_nobody_again(
    stub: Stub, make_door: MakeDoor, make_store: Callable[[], Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (make_door(stub, store=make_store()) for _ in range(2))
    first.mention("unknown")
    subscribe(first, posted(stub)[0])
    waiting = second.store.subscriptions.all()
    for door in (first, second):
        door.engine.learned.add("unknown")
    first.look()
    monkeypatch.setattr(second.store.subscriptions, "all", lambda: waiting)
    second.look()
    assert notices(stub) == ["U1"]
    assert users(first) == []


def test_a_notice_that_was_cancelled_while_it_was_sent_is_not_sent_again(door: Door, stub: Stub) -> None:
    door.mention("unknown")
    subscribe(door, posted(stub)[0])
    door.engine.learned.add("unknown")

    async def stop_while_it_is_sent() -> None:
        looking = asyncio.ensure_future(door.app.notifier.check_all())
        while not notices(stub):
            await asyncio.sleep(0.001)
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)

    stub.fail("chat.postMessage", SILENCE)
    door.thread.run(stop_while_it_is_sent())
    stub.faults.clear()
    door.look()
    assert notices(stub) == ["U1"]


def test_who_asks_to_be_told_again_is_told_again(door: Door, stub: Stub) -> None:
    door.mention("unknown")
    for number in (1, 2):
        subscribe(door, posted(stub)[0])
        door.engine.learned.add("unknown")
        door.look()
        assert notices(stub) == ["U1"] * number
        door.engine.learned.clear()


# --- looking for those who can be told


def test_nobody_is_asked_for_again_while_nothing_has_changed(door: Door, stub: Stub) -> None:
    door.mention("unknown")
    subscribe(door, posted(stub)[0])
    door.look()
    asked = len(door.engine.asked)
    for _ in range(3):
        door.look()
    assert len(door.engine.asked) == asked
    for workspace, more in (("T9", 0), (TEAM, 1), ("", 1)):
        door.thread.call(partial(door.app.notifier.knowledge_changed, workspace))
        door.look()
        assert len(door.engine.asked) == (asked := asked + more)


@pytest.mark.parametrize(("fault", "again"), [(Fault(502), True), (Fault(error="channel_not_found"), False)])
def test_who_could_surely_not_be_told_waits_on(door: Door, stub: Stub, fault: Fault, again: bool) -> None:
    door.mention("unknown")
    subscribe(door, posted(stub)[0])
    door.engine.learned.add("unknown")
    stub.fail("chat.postMessage", *[fault] * 8)
    door.look()
    door.settle()
    assert bool(users(door)) is again
    stub.faults.clear()
    before = len(posted(stub))
    door.look()
    assert len(posted(stub)) - before == again
    assert users(door) == []


def subscribe_all(door: Door, *names: str) -> None:
    """Let people wait, each for an answer of their own, in this order."""
    for name in names:
        key = door.store.misses.add(TEAM, f"unknown to {name}", "", 0.0)
        assert door.store.subscriptions.add(TEAM, key, name)
        door.engine.learned.add(f"unknown to {name}")


def unreachable(door: Door, fail: Callable[[], bool], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door.stub, "unreachable", _WhileFailing({"U7": Fault(502)}, fail))


def raises_while_answering(door: Door, fail: Callable[[], bool], monkeypatch: pytest.MonkeyPatch) -> None:
    answer_turn = door.engine.answer_turn

    def broken(question: Question, state: Any) -> Any:
        if fail() and question.text == "unknown to U7":
            raise RuntimeError(question.text)
        return answer_turn(question, state)

    monkeypatch.setattr(door.engine, "answer_turn", broken)


def raises_while_claiming(door: Door, fail: Callable[[], bool], monkeypatch: pytest.MonkeyPatch) -> None:
    claim_once = door.store.claims.claim_once

    def broken(key: str) -> bool:
        if fail() and ":U7:" in key:
            raise RuntimeError(key)
        return bool(claim_once(key))

    monkeypatch.setattr(door.store.claims, "claim_once", broken)


def raises_while_rendering(_: Door, fail: Callable[[], bool], monkeypatch: pytest.MonkeyPatch) -> None:
    quote_block = notifications.quote_block

    def broken(text: str) -> Any:
        if fail() and text == "unknown to U7":
            raise RuntimeError(text)
        return quote_block(text)

    monkeypatch.setattr(notifications, "quote_block", broken)


class _WhileFailing(dict[str, Fault]):
    """Faults that happen as long as the test says."""

    def __init__(self, found: dict[str, Fault], fail: Callable[[], bool]) -> None:
        super().__init__(found)
        self._fail = fail

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(name, default) if self._fail() else default


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("fault", [unreachable, raises_while_answering, raises_while_claiming, raises_while_rendering])
def test_one_recipient_whose_notice_fails_keeps_nobody_from_being_told(
    door: Door, stub: Stub, fault: Any, place: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    failing = True
    fault(door, lambda: failing, monkeypatch)
    others = ["U8", "U9"]
    subscribe_all(door, *others[:place], "U7", *others[place:])
    for _ in range(2):
        door.look()
        assert sorted(name for name in notices(stub) if name != "U7") == others
        assert users(door) == ["U7"]
    assert caplog.text.count("Notifying one person failed") == (0 if fault is unreachable else 2)
    assert "unknown to" not in caplog.text
    failing = False
    before = len(posted(stub))
    for _ in range(2):
        door.look()
    assert [post["channel"] for post in posted(stub)[before:]] == ["U7"]
    assert (users(door), door.open) == ([], 0)


def test_nobody_waits_for_the_time_that_slack_has_set_for_another(door: Door, stub: Stub) -> None:
    stub.unreachable["U7"] = limited(30)
    subscribe_all(door, "U7", "U8", "U9")
    looking = asyncio.run_coroutine_threadsafe(door.app.notifier.check_all(), door.thread.loop)
    stub.wait("chat.postMessage", 3)
    assert sorted(notices(stub)) == ["U7", "U8", "U9"]
    assert not looking.done()
    looking.cancel()


def test_a_notice_that_has_to_wait_for_long_is_left_to_a_later_look(door: Door, stub: Stub) -> None:
    stub.unreachable["U7"] = limited(300)
    subscribe_all(door, "U7", "U8")
    for _ in range(2):
        door.look()
        assert users(door) == ["U7"]
    assert sorted(notices(stub)) == ["U7", "U8"]


def test_a_workspace_whose_pack_cannot_be_read_keeps_no_other_from_being_told(
    stub: Stub, make_door: MakeDoor, caplog: pytest.LogCaptureFixture
) -> None:
    class Reloader:
        def refresh(self, workspace: str) -> None:
            if workspace == "T1":
                raise RuntimeError("boom")

    door = make_door(stub, reloader=Reloader())
    key = door.store.misses.add("T1", "unknown", "", 0.0)
    assert door.store.subscriptions.add("T1", key, "U7")
    subscribe_all(door, "U8")
    door.look()
    assert notices(stub) == ["U8"]
    assert users(door) == ["U7"]
    assert caplog.text.count("\nRuntimeError") == 1


def test_a_database_that_is_only_read_keeps_nobody_from_being_told(
    stub: Stub,
    make_door: MakeDoor,
    make_store: Callable[[], Store],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bot.store.database.BUSY_TIMEOUT", 0.2)
    monkeypatch.setattr("bot.store.connections.BUSY_TIMEOUT", 0.2)
    monkeypatch.setattr("bot.store.database.RETRY_AFTER", 0)
    door = make_door(stub, store=make_store())
    subscribe_all(door, "U7", "U8", "U9")
    lock = sqlite3.connect(tmp_path / "s.db", isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    try:
        for _ in range(2):
            door.look()
            assert sorted(notices(stub)) == ["U7", "U8", "U9"]
            assert sorted(users(door)) == ["U7", "U8", "U9"]
    finally:
        lock.execute("ROLLBACK")
        lock.close()
    for _ in range(2):
        door.look()
        assert users(door) == []
    assert sorted(notices(stub)) == ["U7", "U8", "U9"]


def test_who_was_told_while_nothing_could_be_written_waits_no_longer_after_an_outage(
    door: Door, stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    door.mention("unknown")
    subscribe(door, posted(stub)[0])
    door.engine.learned.add("unknown")
    with monkeypatch.context() as patch:
        patch.setattr(door.store.subscriptions, "remove", lambda *_: False)
        door.look()
    door.store.away = True
    door.look()
    door.store.away = False
    door.look()
    assert (notices(stub), users(door)) == (["U1"], [])
