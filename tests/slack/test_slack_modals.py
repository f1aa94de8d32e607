"""Modals: the answer to a message, pages and the way back, what a modal's state remembers, and the search."""

from __future__ import annotations

from typing import Any

import pytest

from bot.slack.admission import InteractionLimit
from bot.slack.blocks import paragraph_blocks, render_blocks
from bot.slack.blocks.limits import size
from bot.slack.payloads import ModalState
from bot.slack.strings import default_strings
from support.block_lint import view_faults
from support.slack_app import Door, MakeDoor
from support.slack_samples import HOSTILE, KINDS
from support.slack_steps import (
    buttons,
    dumped,
    in_view,
    on_view,
    rich_text,
    search,
    section,
    shortcut,
    told,
    views_of,
    vote_value,
)
from support.slack_stub import TEAM, Stub

STRINGS = default_strings()


# --- the shortcut's modal


@pytest.mark.parametrize(
    "message",
    [
        {"text": ""},
        {"text": ":wave: <@U1>"},
        {
            "text": "",
            "blocks": [{"type": "divider"}, {"type": "rich_text", "elements": None}],
            "attachments": ["x", {}],
        },
        {"text": "", "files": [{"name": "topic.png"}]},
    ],
)
def test_a_message_without_words_gets_a_sentence_that_says_so(door: Door, message: dict[str, Any]) -> None:
    view = shortcut(door, **message)
    assert told(view) == paragraph_blocks(STRINGS["no_words"])
    assert buttons(view) == {}


def test_a_message_that_asks_for_help_gets_help(door: Door) -> None:
    assert told(shortcut(door, "help")) == render_blocks(KINDS["help"])


@pytest.mark.parametrize(
    "message",
    [
        {"blocks": [section("*topic*, please")]},
        {"blocks": [{"type": "header", "text": {"type": "plain_text", "text": "topic"}}]},
        {"blocks": [{"type": "context", "elements": [{"type": "mrkdwn", "text": "a topic"}]}]},
        {"blocks": [rich_text("a topic")]},
        {"attachments": [{"title": "topic", "text": "in an attachment"}]},
        {"attachments": [{"is_share": True, "message_blocks": [{"message": {"blocks": [rich_text("a topic")]}}]}]},
        {"text": ":eyes:", "attachments": [{"is_msg_unfurl": True, "text": "a topic"}]},
    ],
)
def test_words_that_stand_only_in_blocks_or_attachments_are_answered(door: Door, message: dict[str, Any]) -> None:
    assert told(shortcut(door, **{"text": ""} | message)) == render_blocks(KINDS["topic"])


def test_a_longest_message_opens_a_modal(door: Door) -> None:
    assert told(shortcut(door, '\x01"\\<!channel>🐍' * 4000)) == render_blocks(KINDS["topic"])


# --- pages


def test_a_modal_goes_on_and_back(door: Door, stub: Stub) -> None:
    door.press("ask:1", "topic", **on_view(kind="home"))
    for ask in ("library", "step"):
        door.press("ask:1", ask, **in_view(views_of(stub)[-1]))
    last = ModalState.from_metadata(views_of(stub)[-1]["private_metadata"])
    assert last.trail == ("topic", "library", "step")
    for expected in ("library", "topic", "topic"):
        door.press("back", "1", **in_view(views_of(stub)[-1]))
        blocks = render_blocks(KINDS[expected])
        assert told(views_of(stub)[-1])[: len(blocks)] == blocks
    assert "back" not in buttons(views_of(stub)[-1])


@pytest.mark.parametrize("metadata", ["", "[]", "{", "null", "[1,2,3,4]", '["topic"]', '[["topic"], 1, 2, 3]'])
def test_metadata_that_cannot_be_read_is_survived(
    door: Door, stub: Stub, metadata: str, caplog: pytest.LogCaptureFixture
) -> None:
    view = {"id": "V1", "type": "modal", "private_metadata": metadata}
    for action in ("ask:1", "back", "why", "vote:good", "reply", "search", "tell", "none", "go:1"):
        value = vote_value("topic||t", "good")
        assert door.press(action, value, container={"type": "view"}, view=view) == 200
    assert views_of(stub)
    assert caplog.text == ""


def test_a_long_way_is_kept_within_the_limits() -> None:
    walked = whole = ModalState(search=True)
    for number in range(300):
        asked = f"{HOSTILE} {number} \x00\"'"
        whole, walked = whole.with_question(asked), walked.with_question(asked)
        assert size(walked.to_metadata()) <= 3000
        walked = ModalState.from_metadata(walked.to_metadata())  # as Slack gives it back with the next press
        assert walked.question == asked
    kept = ModalState.from_metadata(whole.to_metadata())
    assert kept == walked
    assert size(whole.to_metadata()) <= 3000
    assert kept.question == whole.question
    assert 1 < len(kept.trail) < 300
    longest = ModalState(("🐍\x01" * 40_000,), channel="C1")
    assert ModalState.from_metadata(longest.to_metadata()).channel == "C1"


# --- the search


def test_a_search_answers_in_its_modal(door: Door, stub: Stub) -> None:
    door.press("search", "search", **on_view(kind="home"))
    opened = views_of(stub)[-1]
    assert (opened["callback_id"], opened["blocks"][0]["type"]) == ("search", "input")
    answer = search(door, opened, "unknown thing")
    assert answer["response_action"] == "update"
    assert view_faults(answer["view"]) == []
    assert answer["view"]["blocks"][0]["element"]["initial_value"] == "unknown thing"
    assert told(answer["view"])[1:] == render_blocks(KINDS["unknown"])
    offered = buttons(answer["view"])["ask:1"]
    door.press("ask:1", offered["value"], **in_view(answer["view"]))
    assert views_of(stub)[-1]["blocks"][0]["type"] == "input"


@pytest.mark.parametrize("words", ["", "  ", None])
def test_a_search_without_words_is_told_so(door: Door, stub: Stub, words: str | None) -> None:
    door.press("search", "search", **on_view(kind="home"))
    opened = views_of(stub)[-1]
    errors = {opened["blocks"][0]["block_id"]: STRINGS["search_empty"]}
    assert search(door, opened, words) == {"response_action": "errors", "errors": errors}


def test_a_search_that_fails_says_so(door: Door, stub: Stub, caplog: pytest.LogCaptureFixture) -> None:
    door.press("search", "search", **on_view(kind="home"))
    answer = search(door, views_of(stub)[-1], "boom my secret words")
    assert STRINGS["oops"] in dumped(answer["view"])
    assert caplog.text.count("\nRuntimeError\n") == 1
    assert "secret" not in caplog.text


def test_who_has_too_much_under_way_is_told_so_in_the_search_and_keeps_the_words(
    make_door: MakeDoor, stub: Stub
) -> None:
    door = make_door(stub, interactions=InteractionLimit(limit_per_asker=1))
    door.press("search", "search", **on_view(kind="home"))
    opened = views_of(stub)[-1]
    slot = door.thread.call(lambda: door.app.context.interactions.acquire(f"{TEAM}:U1"))
    errors = {opened["blocks"][0]["block_id"]: STRINGS["busy"]}
    assert search(door, opened, "library") == {"response_action": "errors", "errors": errors}
    assert door.engine.asked == []
    door.thread.call(slot.release)
    assert [search(door, opened, words)["response_action"] for words in ("library", "boom", "topic")] == ["update"] * 3
    assert door.open == 0


def test_a_search_that_cannot_be_read_is_acknowledged(door: Door) -> None:
    for state in ({}, {"values": {}}, {"values": {"a": {}}}, {"values": {"a": {"words": {}}}}, {"values": 5}):
        view = {"id": "V1", "type": "modal", "callback_id": "search", "state": state}
        assert door.interact(type="view_submission", view=view) == 200
