"""People's words: somebody else's are kept nowhere, nobody's are logged, and nothing that is typed is live."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from bot.slack.logs import Json as JsonFormatter
from bot.slack.payloads import AnswerRef, ModalState
from bot.slack.strings import default_strings
from bot.store import Store
from support.slack_app import Door, MakeDoor
from support.slack_samples import HOSTILE, OFFER
from support.slack_steps import (
    Json,
    accessories,
    buttons,
    dumped,
    in_view,
    on_message,
    on_view,
    posted,
    posted_or_private,
    reply_in_thread,
    search,
    shortcut,
    subscribe,
    views_of,
    vote,
    vote_value,
)
from support.slack_stub import TEAM, Stub
from support.stores import rows

STRINGS = default_strings()


@pytest.fixture
def log() -> Iterator[StringIO]:
    """All that is logged, down to DEBUG, with the fields of each line."""
    log = StringIO()
    handler = logging.StreamHandler(log)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield log
    root.setLevel(level)
    root.removeHandler(handler)


# --- the shortcut on somebody else's message


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/db/s.db"


@pytest.fixture
def kept(url: str, stub: Stub, make_door: MakeDoor, log: StringIO) -> Iterator[Door]:
    """The bot with a real store and all of its log, and afterwards not one word of the message in either."""
    store = Store(url)
    assert store.prepare() == ""
    yield make_door(stub, store=store)
    store.close()
    assert rows(url, "select sum(count) from askpy_tallies") != [(None,)]
    assert rows(url, "select * from askpy_misses") == rows(url, "select * from askpy_waiting") == []
    files = list(Path(url.removeprefix("sqlite:///")).parent.iterdir())
    assert files
    assert [file for file in files if b"xylophone" in file.read_bytes().lower()] == []
    assert '"event": "answer"' in log.getvalue()
    assert "xylophone" not in log.getvalue().lower()


def press_all(door: Door, view: Json, pages: int = 2) -> set[str]:
    """Press every button of a modal, and of the modals that these lead to; their names."""
    pressed = [*buttons(view).items(), *((each["action_id"], each) for each in accessories(view))]
    for name, button in pressed:
        door.press(name, button.get("value", ""), **in_view(view))
        if pages > 1:
            press_all(door, views_of(door.stub)[-1], pages - 1)
    return {name for name, _ in pressed}


@pytest.mark.parametrize(
    ("question", "shown"),
    [
        ("unknown xylophone", {"ask:1", "vote:good", "vote:bad", "why"}),
        ("an offer of a xylophone", {"ask:1", "vote:good", "vote:bad", "why"}),
        ("library xylophone", {"reply", "vote:good", "vote:bad", "why"}),
        ("help xylophone", set()),
        ("smalltalk xylophone", set()),
    ],
)
def test_no_button_of_the_shortcuts_modal_leaves_a_word(kept: Door, stub: Stub, question: str, shown: set[str]) -> None:
    names = press_all(kept, shortcut(kept, question))
    assert shown <= names
    assert not {"tell", "none"} & {name for view in views_of(stub) for name in buttons(view)}
    for post in posted(stub):
        assert not {"tell", "none"} & set(buttons(post))
        for name, button in buttons(post).items():
            kept.press(name, button.get("value", ""), **on_message(kept, thread="1.1"))


@pytest.mark.parametrize("question", ["unknown xylophone", "an offer of a xylophone"])
@pytest.mark.parametrize("trail", [(), ("library",)])
def test_modals_from_before_leave_no_word_either(kept: Door, stub: Stub, question: str, trail: tuple[str, ...]) -> None:
    """Those that were opened by an earlier release have "Tell me" and "None of these"."""
    shortcut(kept, question)
    value = AnswerRef("unknown||", question).to_value()
    for action, key in (("tell", "cannot_tell"), ("none", "none_noted")):
        state = ModalState((*trail, question), channel="C1", thread="1.1")
        assert kept.press(action, value, **on_view(state)) == 200
        assert STRINGS[key] in dumped(views_of(stub)[-1])
    kept.engine.learned.add(question)
    kept.press("tell", value, **on_view(state))
    assert "reply" in buttons(views_of(stub)[-1])


def test_a_shortcut_without_a_channel_leaves_no_word_either(kept: Door, stub: Stub) -> None:
    message = {"text": "unknown xylophone", "ts": "1.1", "user": "U2"}
    kept.interact(type="message_action", callback_id="ask_message", message=message)
    press_all(kept, views_of(stub)[-1])
    assert not {"tell", "none"} & {name for view in views_of(stub) for name in buttons(view)}


def test_an_answer_that_is_gone_since_is_not_replied_with_a_button_that_keeps_words(kept: Door, stub: Stub) -> None:
    question = "xylophone"
    kept.engine.learned.add(question)
    view = shortcut(kept, question)
    kept.engine.learned.clear()
    kept.engine.rebuild_reply = lambda *_: None
    kept.engine.answer_turn = lambda *_: (OFFER, None)
    reply_in_thread(kept, view)
    assert posted(stub) == []
    assert STRINGS["not_there"] in dumped(views_of(stub)[-1])


def test_the_shortcut_is_counted_all_the_same(kept: Door) -> None:
    shortcut(kept, "unknown xylophone")
    shortcut(kept, "an offer of a xylophone")
    counted = [(tally.outcome, tally.count) for tally in kept.store.tallies.week(TEAM)]
    assert sorted(counted) == [("missed", 1), ("offered", 1)]


def test_a_forwarded_message_leaves_no_word(kept: Door, stub: Stub) -> None:
    for text in ("unknown xylophone", "an offer of a xylophone"):
        attachments = [{"is_share": True, "text": text}]
        kept.mention("", attachments=attachments)
        kept.dm("", attachments=attachments)
    assert len(posted(stub)) == 4
    for post in posted(stub):
        for name, button in buttons(post).items():
            kept.press(name, button.get("value", ""), **on_message(kept, thread="1.1"))
    for view in views_of(stub):
        press_all(kept, view)


def test_ones_own_words_are_kept_on_every_other_surface(url: str, stub: Stub, make_door: MakeDoor) -> None:
    store = Store(url)
    door = make_door(stub, store=store)
    door.mention("unknown in a mention")
    door.dm("unknown in a message")
    door.command("unknown in a command")
    door.press("search", "search", **on_view(kind="home"))
    search(door, views_of(stub)[-1], "unknown in a search")
    shortcut(door, "unknown in a shortcut")
    door.rest()
    found = sorted(miss.text for miss in store.misses.all(TEAM))
    assert found == [f"unknown in a {way}" for way in ("command", "mention", "message", "search")]
    store.close()


# --- logs


def test_logs_hold_nothing_of_what_is_recorded(stub: Stub, make_door: MakeDoor, log: StringIO) -> None:
    door = make_door(stub, curators=("U1",))
    door.command("trial on")
    door.mention("unknown xylophone")
    button = subscribe(door, posted_or_private(stub)[-1])
    door.press("none", button, **on_message(door))
    door.engine.learned.add("unknown xylophone")
    door.look()
    door.command("forget me")
    door.command("status")
    assert len(posted(stub)) == 1
    assert '"event": "answer"' in log.getvalue()
    assert "xylophone" not in log.getvalue()
    assert "U1" not in log.getvalue()


# --- whatever people type


@pytest.mark.parametrize(
    "text", [HOSTILE, "\u202eright to left\u202c <!here>", "`a` <@U1> <#C1|x> <!subteam^S1>", "*b*\n> q"]
)
def test_nothing_that_is_typed_is_live(text: str, stub: Stub, make_door: MakeDoor) -> None:
    door = make_door(stub, layout="cards")
    door.mention(f"library {text}")
    door.dm(f"unknown {text}")
    door.command(f"library {text}")
    door.press("share", buttons(stub.of("hook")[0])["share"]["value"], **on_message(door, private=True))
    door.press("why", buttons(posted(stub)[0])["why"]["value"], **on_message(door))
    reply_in_thread(door, shortcut(door, f"library {text}"))
    vote(door, vote_value(f"topic||{text}", "bad"))
    vote(door, vote_value(f"topic||{text}", "bad", "wrong"), action="vote:wrong")
    subscribe(door, posted(stub)[1], **on_message(door, "D1"))
    door.engine.learned.add(door.store.subscriptions.all()[0].text)
    door.look()
    door.press("search", "search", **on_view(kind="home"))
    found = search(door, views_of(stub)[-1], text)
    assert len(stub.calls) == 14
    for sent in [*(call.args for call in stub.calls), found]:
        for parsed in _parsed(sent):
            assert "<!" not in parsed
            assert "<@" not in parsed
            assert "evil" not in parsed
            assert "right to left" not in parsed


def _parsed(node: Any) -> list[str]:
    """All that Slack reads as mrkdwn, `text` included."""
    if isinstance(node, dict):
        own = [node["text"]] if node.get("type") == "mrkdwn" or ("blocks" in node and "text" in node) else []
        return own + [text for value in node.values() for text in _parsed(value)]
    return [text for item in node for text in _parsed(item)] if isinstance(node, list) else []
