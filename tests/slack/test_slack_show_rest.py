"""Long answers in Slack: the first part with a button, and the further parts, each a message of its own, wherever one presses."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import yaml

from bot.engine import Engine
from bot.knowledge import load
from bot.slack.payloads import ModalState
from bot.slack.strings import default_strings
from bot.understanding import Matcher
from support.block_lint import faults
from support.slack_app import Door, MakeDoor
from support.slack_steps import buttons, dumped, on_message, on_view, posted, views_of
from support.slack_stub import Fault, Stub

STRINGS = default_strings()
STEPS = "\n".join(f"{n}. step number {n}: " + "do it carefully " * 10 for n in range(1, 61))
PICTURE = "Look:\n\n![The status window](https://a.example/status.png)\n\nand go on."


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    folder = tmp_path_factory.mktemp("pack")
    (folder / "pack.yaml").write_text("name: Office\n", encoding="utf-8")
    entries = [
        {"id": "setup", "title": "How do I set it up?", "asks": ["setup"], "answer": f"Read this.\n\n{STEPS}"},
        {"id": "status", "title": "How do I see the status?", "asks": ["see the status"], "answer": PICTURE},
    ]
    (folder / "answers.yaml").write_text(yaml.safe_dump(entries), encoding="utf-8")
    return Engine(Matcher.from_knowledge(load(folder)))


@pytest.fixture
def door(engine: Engine, stub: Stub, make_door: MakeDoor) -> Door:
    return make_door(stub, layout="cards", engine=engine)


def rest_value(message: dict[str, Any]) -> str:
    return str(buttons(message)["rest"]["value"])


def steps_in(*messages: Any) -> list[int]:
    """The numbers of the steps that stand in the messages."""
    text = dumped(messages)
    return [n for n in range(1, 61) if f"step number {n}:" in text]


def test_a_press_sends_the_further_parts_each_with_its_own_id_and_log_line(
    door: Door, stub: Stub, caplog: pytest.LogCaptureFixture
) -> None:
    door.mention("setup", ts="5.1")
    (first,) = posted(stub)
    with caplog.at_level("INFO", "bot.slack.answer_log"):
        door.press("rest", rest_value(first), **on_message(door, thread="5.1"))
    messages = posted(stub)
    assert len(messages) == 4
    assert len({message["client_msg_id"] for message in messages}) == 4
    assert {message["thread_ts"] for message in messages} == {"5.1"}
    assert [steps_in(message["blocks"]) for message in messages if faults(message["blocks"])] == []
    assert sorted(step for message in messages for step in steps_in(message["blocks"])) == list(range(1, 61))
    assert sorted(step for message in messages for step in steps_in(message["text"])) == list(range(1, 61))
    lines = [record.fields for record in caplog.records if record.message == "answer"]  # type: ignore[attr-defined]
    assert [line["ids"] for line in lines] == [["setup"]] * 3


def test_a_second_press_says_that_it_is_there_and_posts_nothing(door: Door, stub: Stub) -> None:
    door.mention("setup", ts="5.1")
    value = rest_value(posted(stub)[0])
    door.press("rest", value, **on_message(door, thread="5.1"))
    before = len(posted(stub))
    door.press("rest", value, **on_message(door, thread="5.1"), user={"id": "U2", "team_id": "T1"})
    assert len(posted(stub)) == before
    assert STRINGS["rest_shown"] in dumped([call.args for call in stub.calls[-1:]])


def test_a_private_answers_rest_is_private(door: Door, stub: Stub) -> None:
    door.command("setup")
    (first,) = stub.of("hook")
    door.press("rest", rest_value(first), **on_message(door, private=True))
    further = stub.of("hook")[1:]
    assert {message["response_type"] for message in further} == {"ephemeral"}
    assert steps_in(first, *further) == list(range(1, 61))
    assert posted(stub) == []


def test_in_a_modal_the_rest_takes_its_place_and_one_can_go_back(door: Door, stub: Stub) -> None:
    state = ModalState(("setup",), search=True)
    door.press("rest", "topic||setup", **on_view(state))
    (view,) = views_of(stub)
    assert steps_in(view)[-1] == 60
    assert buttons(view)["back"]["value"] == "0"


def test_what_is_gone_is_said(door: Door, stub: Stub) -> None:
    door.press("rest", "topic||nothing", **on_message(door, thread="5.1"))
    assert STRINGS["not_there"] in dumped([call.args for call in stub.calls])


def test_a_part_that_could_not_be_posted_can_be_had_by_another_press(door: Door, stub: Stub) -> None:
    door.mention("setup", ts="5.1")
    value = rest_value(posted(stub)[0])
    stub.fail("chat.postMessage", Fault(error="channel_not_found"))
    door.press("rest", value, **on_message(door, thread="5.1"))
    door.press("rest", value, **on_message(door, thread="5.1"))
    assert (
        steps_in(*(message["blocks"] for message in posted(stub)[1:]))
        == steps_in(STEPS)[len(steps_in(posted(stub)[0])) :]
    )


# --- pictures


@pytest.mark.parametrize("where", ["mention", "command", "modal"])
def test_a_picture_that_slack_cannot_fetch_becomes_a_link(door: Door, stub: Stub, where: str) -> None:
    method = {"mention": "chat.postMessage", "command": "hook", "modal": "views.update"}[where]
    stub.fail(method, Fault(error="invalid_blocks") if where != "command" else Fault(404, "invalid_blocks"))
    if where == "mention":
        door.mention("see the status")
    elif where == "command":
        door.command("see the status")
    else:
        door.press("ask:1", "see the status", **on_view(ModalState(("setup",))))
    first, second = stub.of(method)
    assert '"image_url": "https://a.example/status.png"' in dumped(first)
    assert '"image"' not in dumped(second)
    assert '"url": "https://a.example/status.png"' in dumped(second)
    assert "and go on." in dumped(second)
    sent = second.get("view", second)
    assert faults(sent["blocks"], "modal" if where == "modal" else "message") == []


def test_a_search_is_acknowledged_without_pictures(engine: Engine) -> None:
    reply = engine.rebuild_reply("topic||status")
    assert reply is not None
    assert replace(reply, further=()) == reply
