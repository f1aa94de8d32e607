"""The dialogues of tests/dialogues in Slack: mentions in a thread and direct messages, as signed requests."""

from __future__ import annotations

from typing import Any

import pytest

from bot.engine import Engine
from bot.model import ConversationState, Question, Reply
from bot.slack.blocks import render_blocks
from bot.slack.outgoing import reply_text
from support.block_lint import faults
from support.dialogues import DIALOGUES, Turn
from support.shipped import matcher
from support.slack_app import Door, MakeDoor
from support.slack_steps import buttons, dumped, on_message, posted
from support.slack_stub import Stub


class RecordingEngine:
    """The real engine, and what it replied."""

    def __init__(self) -> None:
        self.engine, self.replies = Engine(matcher()), list[Reply]()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.engine, name)

    def answer_turn(
        self, question: Question, state: ConversationState | None
    ) -> tuple[Reply, ConversationState | None]:
        reply, following = self.engine.answer_turn(question, state)
        self.replies.append(reply)
        return reply, following


@pytest.fixture
def slack(stub: Stub, make_door: MakeDoor) -> Door:
    """The whole bot with the shipped pack."""
    return make_door(stub, layout="cards", engine=RecordingEngine())


def say(door: Door, turn: Turn, surface: str) -> None:
    text = turn.say.removeprefix("<@U0BOT>")  # the door mentions the bot itself
    status = door.mention(text, thread_ts="1.0") if surface == "mention" else door.dm(text)
    assert status == 200


@pytest.mark.parametrize("surface", ["mention", "dm"])
@pytest.mark.parametrize("name", DIALOGUES)
def test_in_slack(name: str, surface: str, slack: Door, stub: Stub) -> None:
    turns = DIALOGUES[name].turns
    for turn in turns:
        say(slack, turn, surface)
    slack.settle()
    replies: list[Reply] = slack.engine.replies
    posts = posted(stub)
    answers = [(reply_text(reply), render_blocks(reply, "cards")) for reply in replies]
    assert [
        (post["text"], post["blocks"][: len(blocks)]) for post, (_, blocks) in zip(posts, answers, strict=True)
    ] == answers
    assert [fault for post in posts for fault in faults(post["blocks"])] == []
    wrong = [turn.fault(r.kind, r.ids, reply_text(r)) for turn, r in zip(turns, replies, strict=True)]
    assert [fault for fault in wrong if fault] == []


def test_the_answer_to_a_follow_up_is_shared_as_it_was_meant(slack: Door, stub: Stub) -> None:
    """Alone, "not the first one" means nothing."""
    slack.command("which web frameworks are there")
    slack.command("not the first one")
    value = buttons(stub.of("hook")[-1])["share"]["value"]
    slack.press("share", value, **on_message(slack, private=True))
    shared = next(call for call in stub.of("hook") if call.get("response_type") == "in_channel")
    assert "Pyramid" in dumped(shared)
    assert "Django" not in dumped(shared["blocks"][:2])


def test_why_says_what_was_understood_in_the_conversation(slack: Door, stub: Stub) -> None:
    slack.command("which web frameworks are there")
    slack.command("not the first one")
    value = buttons(stub.of("hook")[-1])["why"]["value"]
    slack.press("why", value, **on_message(slack, private=True))
    assert "of the 7 shown, without Django" in dumped(stub.of("hook")[-1])
