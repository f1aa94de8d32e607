"""Sharing: a private answer in its channel, and a modal's answer in the thread of its message."""

from __future__ import annotations

from typing import NoReturn

import pytest

from bot.slack.blocks import render_blocks
from bot.slack.strings import default_strings
from support.block_lint import faults
from support.slack_app import Door, MakeDoor
from support.slack_samples import KINDS
from support.slack_steps import buttons, dumped, on_message, posted, reply_in_thread, shortcut, told, views_of
from support.slack_stub import SILENCE, Fault, Stub

STRINGS = default_strings()
LIBRARY = render_blocks(KINDS["library"])


# --- in the channel


def test_what_is_shared_is_what_was_seen_and_not_the_question(door: Door, stub: Stub) -> None:
    door.command("library: my private words")
    value = buttons(stub.of("hook")[0])["share"]["value"]
    asked = len(door.engine.asked)
    door.press("share", value, **on_message(door, private=True))
    shared = stub.of("hook")[1]
    assert shared["response_type"] == "in_channel"
    assert told(shared)[: len(LIBRARY)] == LIBRARY
    assert "private" not in dumped(shared)
    assert len(door.engine.asked) == asked
    assert faults(shared["blocks"]) == []


def test_a_share_button_from_before_asks_again(door: Door, stub: Stub) -> None:
    door.press("share", "library", **on_message(door, private=True))
    assert stub.of("hook")[0]["response_type"] == "in_channel"


def test_an_answer_that_is_gone_is_said(door: Door, stub: Stub) -> None:
    door.press("share", "library||gone\n", **on_message(door, private=True))
    assert [call["text"] for call in stub.of("hook")] == [STRINGS["not_there"]]


@pytest.mark.parametrize("where", ["in the channel", "in the thread"])
def test_a_rendering_that_fails_leaves_the_answer_to_be_shared_again(
    door: Door, stub: Stub, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = shortcut(door)
    private = on_message(door, private=True)

    def press() -> list[str]:
        stub.calls.clear()
        if where == "in the thread":
            reply_in_thread(door, view)
            return [post["channel"] for post in posted(stub)]
        door.press("share", "library||flask\nlibrary", **private)
        return [post["response_type"] for post in stub.of("hook") if post["response_type"] == "in_channel"]

    with monkeypatch.context() as patch:
        patch.setattr("bot.slack.outgoing.render_blocks", fail)
        assert press() == []
        assert STRINGS["oops"] in dumped([call.args for call in stub.calls])
    assert len(press()) == 1
    assert press() == []


def fail(*_: object) -> NoReturn:
    raise RuntimeError


def test_a_share_of_which_nothing_is_known_says_so_and_is_not_posted_again(
    stub: Stub, make_door: MakeDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.slack.transport.client.READ_TIMEOUT", 0.2)
    door = make_door(stub)
    private = on_message(door, private=True)
    stub.fail("hook", SILENCE)
    door.press("share", "library||flask\nlibrary", **private)
    share, note = stub.of("hook")
    assert (share["response_type"], note["response_type"]) == ("in_channel", "ephemeral")
    assert note["text"] == STRINGS["unsure_share"]
    door.press("share", "library||flask\nlibrary", **private)
    assert [post["response_type"] for post in stub.of("hook")].count("in_channel") == 1


# --- in the thread of the message that the shortcut was used on


def test_reply_in_thread_posts_once(door: Door, stub: Stub) -> None:
    view = shortcut(door)
    reply_in_thread(door, view)
    (post,) = posted(stub)
    assert (post["channel"], post["thread_ts"]) == ("C1", "1.1")
    assert told(post)[: len(LIBRARY)] == LIBRARY
    assert dumped(post["blocks"]).count('"user_id": "U1"') == 1
    assert STRINGS["replied"] in dumped(views_of(stub)[-1])
    assert "reply" not in buttons(views_of(stub)[-1])
    reply_in_thread(door, view)
    assert len(posted(stub)) == 1
    assert STRINGS["already_replied"] in dumped(views_of(stub)[-1])


def test_reply_in_thread_stays_in_the_thread(door: Door, stub: Stub) -> None:
    reply_in_thread(door, shortcut(door, thread_ts="0.5"))
    assert posted(stub)[0]["thread_ts"] == "0.5"


def test_where_the_bot_may_not_post_it_says_so(door: Door, stub: Stub) -> None:
    view = shortcut(door)
    stub.fail("chat.postMessage", Fault(error="not_in_channel"))
    reply_in_thread(door, view)
    assert STRINGS["cannot_reply"] in dumped(views_of(stub)[-1])
    reply_in_thread(door, views_of(stub)[-1])
    assert STRINGS["replied"] in dumped(views_of(stub)[-1])
    assert len(posted(stub)) == 2


def test_a_reply_of_which_nothing_is_known_is_not_posted_again(
    stub: Stub, make_door: MakeDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.slack.transport.client.READ_TIMEOUT", 0.2)
    door = make_door(stub)
    view = shortcut(door)
    stub.fail("chat.postMessage", SILENCE)
    reply_in_thread(door, view)
    assert STRINGS["unsure_reply"] in dumped(views_of(stub)[-1])
    assert "reply" not in buttons(views_of(stub)[-1])
    reply_in_thread(door, view)
    assert STRINGS["already_replied"] in dumped(views_of(stub)[-1])
    assert len(posted(stub)) == 1
