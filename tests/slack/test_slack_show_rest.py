"""Long answers in Slack: the first part with a button, and the further parts, each a message of its own, wherever one presses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.engine import Engine
from bot.knowledge import load
from bot.model import Question
from bot.reply import plain_text
from bot.slack.blocks import render_blocks
from bot.slack.payloads import ModalState
from bot.slack.strings import default_strings
from bot.understanding import Matcher
from support.block_lint import faults
from support.slack_app import Door, MakeDoor
from support.slack_steps import buttons, dumped, on_message, on_view, posted, search, views_of
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


def engine_with(folder: Path, answer: str, notes: Sequence[Any] = ()) -> Engine:
    """An engine over a pack of one entry."""
    (folder / "pack.yaml").write_text("name: Office\n", encoding="utf-8")
    entry = {"id": "setup", "title": "How do I set it up?", "asks": ["setup"], "answer": answer, "notes": list(notes)}
    (folder / "answers.yaml").write_text(yaml.safe_dump([entry]), encoding="utf-8")
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


def test_where_the_bot_may_not_post_the_rest_goes_to_the_one_who_pressed(door: Door, stub: Stub) -> None:
    door.mention("setup", ts="5.1")
    value = rest_value(posted(stub)[0])
    stub.fail("chat.postMessage", Fault(error="not_in_channel"))
    door.press("rest", value, **on_message(door, thread="5.1"))
    private = stub.of("hook")
    assert {message["response_type"] for message in private} == {"ephemeral"}
    assert steps_in(posted(stub)[0]["blocks"], *private) == list(range(1, 61))
    door.press("rest", value, **on_message(door, thread="5.1"))
    assert STRINGS["rest_shown"] in dumped([call.args for call in stub.calls[-1:]])


def test_what_slack_was_too_busy_for_can_be_had_by_another_press(door: Door, stub: Stub) -> None:
    door.command("setup")
    value, pressed = rest_value(stub.of("hook")[0]), on_message(door, private=True)
    stub.fail("hook", Fault(404, "used_url"))
    door.press("rest", value, **pressed)
    door.press("rest", value, **pressed)
    assert steps_in(*stub.of("hook")) == list(range(1, 61))


def test_of_very_many_parts_four_are_sent_with_a_button_for_the_others(
    make_door: MakeDoor, stub: Stub, tmp_path: Path
) -> None:
    door = make_door(stub, engine=engine_with(tmp_path, " ".join(f"word{number}." for number in range(1_900))))
    door.mention("setup", ts="5.1")
    door.press("rest", rest_value(posted(stub)[0]), **on_message(door, thread="5.1"))
    assert len(posted(stub)) == 5
    assert all("rest" not in buttons(message) for message in posted(stub)[1:-1])
    assert posted(stub)[-1]["text"].endswith("say “show part 6 of How do I set it up?”.")
    door.press("rest", rest_value(posted(stub)[-1]), **on_message(door, thread="5.1"))
    text = dumped([message["blocks"] for message in posted(stub)])
    assert [number for number in range(1_900) if f"word{number}." not in text] == []


def test_a_modal_has_as_many_parts_as_fit_and_a_button_for_the_others(
    make_door: MakeDoor, stub: Stub, tmp_path: Path
) -> None:
    pictures = "\n\n".join(f"![p](https://a.example/{number}.png)\n\nline {number}." for number in range(79))
    door = make_door(stub, engine=engine_with(tmp_path, pictures))
    value, seen = "topic||setup", dumped(render_blocks(door.engine.rebuild_reply("topic||setup"), "classic"))
    for _ in range(6):
        door.press("rest", value, **on_view(ModalState(("setup",), search=True)))
        view = views_of(stub)[-1]
        seen += dumped(view)
        if "rest" not in buttons(view):
            break
        value = rest_value(view)
    assert [number for number in range(79) if f"line {number}." not in seen or f"/{number}.png" not in seen] == []


def test_the_rest_begins_where_the_first_message_ends_whatever_was_asked(tmp_path: Path) -> None:
    """A sentence above the answer, and notes that don't fit, move nothing."""
    sentence = "The rental bicycle of a visitor stands behind the old mill."
    notes = [{"date": "2026-01-02", "text": f"note{n} " + "about it " * 280, "source": "us"} for n in range(3)]
    engine = engine_with(tmp_path, f"Read this. {sentence}\n\n{STEPS}", notes)
    asked = engine.answer(Question("where does the rental bicycle of a visitor stand"))
    assert sentence in plain_text(asked)
    rebuilt = engine.rebuild_reply(asked.reference)
    assert rebuilt is not None
    assert rebuilt.further == asked.further
    text = "\n".join(plain_text(replace(asked, parts=parts, further=())) for parts in (asked.parts, *asked.further))
    assert (steps_in(text), [f"note{n}" in text for n in range(3)]) == (list(range(1, 61)), [True] * 3)
    assert "…" not in text


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


def test_a_search_is_acknowledged_without_pictures(door: Door, stub: Stub) -> None:
    """Slack would refuse the acknowledgement for one that it can't fetch, and nothing else can be sent."""
    door.press("search", "search", **on_view(kind="home"))
    answer = search(door, views_of(stub)[-1], "see the status")
    assert '"image"' not in dumped(answer)
    assert '"url": "https://a.example/status.png"' in dumped(answer)
