"""The bot in a third-party Slack, in Socket Mode and over HTTP: every door, each question answered once."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from support.local_slack import ALICE, BOB, BOT, GENERAL, ROOT, Json, Scene, fetch, wait_until

Told = Callable[[Json, str], None]


@pytest.fixture(scope="session")
def assert_tells() -> Iterator[Told]:
    """Fails unless a message says what `ask` says to that question: every door must say the same."""
    command = [sys.executable, "-m", "bot", "ask", "--json", "-"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as ask:
        assert ask.stdin
        assert ask.stdout

        def compare(message: Json, question: str) -> None:
            print(question, file=ask.stdin, flush=True)
            assert message["text"].split() == json.loads(ask.stdout.readline())["text"].split()

        yield compare
        ask.stdin.close()


def test_a_mention_is_answered_once_in_its_thread(running: Scene, assert_tells: Told) -> None:
    asked = running.slack.mention("is python frontend?")
    answer = running.slack.answer(asked)
    running.slack.settle()

    assert running.slack.answers(asked) == [answer]
    assert answer["thread_ts"] == asked["ts"]
    assert_tells(answer, "is python frontend?")
    assert answer["blocks"]


def test_a_follow_up_in_a_thread_stays_there(running: Scene, assert_tells: Told) -> None:
    asked = running.slack.mention("what is tornado?")
    running.slack.answer(asked)
    follow_up = running.slack.mention("whats flask", thread=asked["ts"])
    answer = running.slack.answer(follow_up)
    running.slack.settle()

    assert running.slack.answers(follow_up) == [answer]
    assert answer["thread_ts"] == asked["ts"]
    assert_tells(answer, "whats flask")


def test_a_dm_is_answered_flat(running: Scene, assert_tells: Told) -> None:
    asked = running.slack.say("whats tornaod", channel=ALICE)
    answer = running.slack.answer(asked)
    running.slack.settle()

    assert running.slack.answers(asked) == [answer]
    assert "thread_ts" not in answer
    assert_tells(answer, "whats tornaod")


def test_a_dm_thread_is_answered_in_the_thread(running: Scene, assert_tells: Told) -> None:
    asked = running.slack.say("what is flask?", channel=ALICE)
    running.slack.answer(asked)
    follow_up = running.slack.say("what is kivy?", channel=ALICE, thread=asked["ts"])
    answer = running.slack.answer(follow_up)
    running.slack.settle()

    assert running.slack.answers(follow_up) == [answer]
    assert answer["thread_ts"] == asked["ts"]
    assert_tells(answer, "what is kivy?")


def test_a_command_is_answered_in_private(running: Scene, assert_tells: Told) -> None:
    before = running.slack.command("is python frontend?")
    answer = running.slack.answer(before)
    running.slack.settle()

    assert running.slack.answers(before) == [answer]
    assert (answer["subtype"], answer["ephemeral_to"]) == ("ephemeral", ALICE)
    assert_tells(answer, "is python frontend?")


@pytest.mark.parametrize("words", ["help", "", "list backend", "compare flask django", "roadmap"])
def test_subcommands_are_answered_in_private(running: Scene, words: str) -> None:
    answer = running.slack.answer(running.slack.command(words, user=BOB))

    assert (answer["subtype"], answer["ephemeral_to"]) == ("ephemeral", BOB)
    assert answer["text"]


def test_help_is_the_same_with_and_without_the_word(running: Scene) -> None:
    texts = [running.slack.answer(running.slack.command(words))["text"] for words in ("", "help")]

    assert texts[0] == texts[1]


def test_an_empty_mention_gets_help(running: Scene) -> None:
    answer = running.slack.answer(running.slack.mention(""))

    assert running.slack.answer(running.slack.command("help"))["text"].startswith(answer["text"])


def test_a_button_asks_its_words(running: Scene, assert_tells: Told) -> None:
    asked = running.slack.mention("is python frontend?")
    answer = running.slack.answer(asked)
    running.slack.press(answer, "Is Python frontend or backend?")
    second = wait_until(lambda: running.slack.answers(asked)[1:], "an answer to the button")
    running.slack.settle()

    assert running.slack.answers(asked) == [answer, *second]
    assert second[0]["thread_ts"] == asked["ts"]
    assert_tells(second[0], "Is Python frontend or backend?")


def test_a_private_answer_is_shared_once(running: Scene) -> None:
    before = running.slack.command("what is flask?")
    private = running.slack.answer(before)
    running.slack.press(private, "Share in the channel")
    running.slack.press(private, "Share in the channel")
    wait_until(lambda: len(running.slack.answers(before)) > 1, "the shared answer")
    running.slack.settle()
    shared = [message for message in running.slack.answers(before) if message.get("subtype") != "ephemeral"]

    assert len(shared) == 1
    assert "Flask" in shared[0]["text"]


def test_a_message_without_a_mention_stays_unanswered(running: Scene) -> None:
    said = running.slack.say("is python frontend?")
    running.slack.say("what is flask?", user=BOB, thread=said["ts"])
    running.slack.settle()

    assert running.slack.answers(said) == []


def test_edits_deletions_and_reactions_stay_unanswered(running: Scene) -> None:
    plain = running.slack.say("is python frontend?")
    asked = running.slack.mention("what is dash?")
    answer = running.slack.answer(asked)
    edit = {"channel": GENERAL, "user": ALICE}
    running.slack.control("edit-message", ts=plain["ts"], text=f"<@{BOT}> is python frontend?", **edit)
    running.slack.control("edit-message", ts=asked["ts"], text=f"<@{BOT}> what is django?", **edit)
    running.slack.control("reaction", ts=asked["ts"], name="eyes", **edit)
    running.slack.control("delete-message", ts=plain["ts"], **edit)
    running.slack.settle()

    assert running.slack.answers(plain) == [answer]


def test_what_nobody_describes_is_not_made_up(running: Scene) -> None:
    answer = running.slack.answer(running.slack.mention("how tall is mount everest?"))

    assert "everest" not in json.dumps([answer["text"], shown(answer.get("blocks", []))]).lower()


def shown(blocks: object) -> list[str]:
    """Every text of some blocks that a person can see; a button's value asks its words again and is none."""
    if isinstance(blocks, dict):
        return [text for key, part in blocks.items() if key != "value" for text in shown(part)]
    if isinstance(blocks, list):
        return [text for part in blocks for text in shown(part)]
    return [blocks] if isinstance(blocks, str) else []


def test_everything_delivered_was_acknowledged(running: Scene) -> None:
    running.slack.settle()
    log = running.slack.control("log")["log"]

    dropped = [line for line in log if "dropped" in line["summary"] or "fail" in line["summary"]]
    assert dropped == []


# --- what only a hand-made, signed delivery can show; the stand-in doesn't send these

over_http = pytest.mark.parametrize("running", ["http"], indirect=True)


def hand_made(running: Scene, **fields: object) -> Json:
    """A real message of #general, as an event to deliver again."""
    asked = running.slack.say("a message to hang the delivery on")
    base: Json = {"type": "message", "channel_type": "channel", "channel": GENERAL, "user": ALICE, "ts": asked["ts"]}
    return base | {"event_ts": asked["ts"]} | fields


@over_http
@pytest.mark.parametrize(
    "fields",
    [
        {"type": "app_mention", "bot_id": "B0OTHER", "user": "U0OTHER", "bot_profile": {"name": "other"}},
        {"subtype": "bot_message", "bot_id": "B0OTHER", "user": None},
        {"type": "app_mention", "bot_id": "B0BOT", "user": BOT},
        {"subtype": "channel_join"},
        {"subtype": "message_changed", "hidden": True, "message": {"text": f"<@{BOT}> what is flask?", "user": ALICE}},
    ],
    ids=["a bot's mention", "a bot's message", "its own message", "a join", "an edit"],
)
def test_bots_joins_and_edits_stay_unanswered(running: Scene, fields: Json) -> None:
    event = hand_made(running, text=f"<@{BOT}> what is flask?", **fields)

    assert running.bot.deliver(event) == 200
    running.slack.settle()
    assert running.slack.answers(event) == []


@over_http
def test_a_repeated_delivery_is_answered_once_even_after_a_restart(running: Scene) -> None:
    event = hand_made(running, type="app_mention", text=f"<@{BOT}> what is flask?")

    assert [running.bot.deliver(event) for _ in range(3)] == [200, 200, 200]
    running.slack.answer(event)
    assert running.bot.process.stop() == 0
    running.bot.start(running.slack)
    assert running.bot.deliver(event) == 200
    running.slack.settle()
    assert len(running.slack.answers(event)) == 1


@over_http
def test_a_forged_request_is_refused(running: Scene) -> None:
    event = hand_made(running, type="app_mention", text=f"<@{BOT}> what is flask?")
    body = json.dumps({"type": "event_callback", "event": event}).encode()
    forged = {"content-type": "application/json", "x-slack-request-timestamp": "1", "x-slack-signature": "v0=0"}
    status, _ = fetch(f"{running.bot.url}/slack/events", body, forged)
    running.slack.settle()

    assert 400 <= status < 500
    assert running.slack.answers(event) == []
