"""The dialogues of tests/dialogues in Slack: mentions in a thread and a direct message, through the signed door."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import SECRET, AtOnce, Door
from dialogues import DIALOGUES, Turn
from shipped import matcher
from slack_lint import faults
from slack_samples import SampleRecords
from slack_stub import Stub

from bot.desk import Desk
from bot.model import Question, Reply
from bot.slack.access import Access
from bot.slack.answering import fallback
from bot.slack.app import build_app
from bot.slack.blocks import draw
from bot.slack.post import Outbox
from bot.terminal import Memory


class Witness:
    """The real desk, and what it replied."""

    def __init__(self) -> None:
        self.desk, self.replies = Desk(matcher(), Memory()), list[Reply]()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.desk, name)

    def ask(self, question: Question) -> Reply:
        self.replies.append(self.desk.ask(question))
        return self.replies[-1]


@pytest.fixture
def slack(stub: Stub) -> Door:
    """The whole bot behind its door."""
    desk, claims = Witness(), SampleRecords()
    access = Access(bot_token="xoxb-secret", app_token="xapp-secret", signing_secret=SECRET, api_url=stub.url)
    app = build_app(desk, claims, access, lines={}, executor=AtOnce(), outbox=Outbox(senders=AtOnce(), pace=0.01))
    app.identity.me()
    return Door(stub, desk, claims, app)  # type: ignore[arg-type]


def say(door: Door, turn: Turn, surface: str) -> None:
    text = turn.say.removeprefix("<@U0BOT>")  # the door mentions the bot itself
    said = door.mention(text, thread_ts="1.0") if surface == "mention" else door.dm(text)
    assert said == 200


@pytest.mark.parametrize("surface", ["mention", "dm"])
@pytest.mark.parametrize("name", DIALOGUES)
def test_in_slack(name: str, surface: str, slack: Door, stub: Stub) -> None:
    turns = DIALOGUES[name].turns
    for turn in turns:
        say(slack, turn, surface)
    slack.settle()
    replies: list[Reply] = slack.desk.replies  # type: ignore[attr-defined]
    posts: list[dict[str, Any]] = stub.of("chat.postMessage")
    answers = [(fallback(reply), draw(reply, "cards")) for reply in replies]
    assert [
        (post["text"], post["blocks"][: len(blocks)]) for post, (_, blocks) in zip(posts, answers, strict=True)
    ] == answers
    assert [fault for post in posts for fault in faults(post["blocks"])] == []
    told = [turn.fault(r.kind, r.ids, fallback(r)) for turn, r in zip(turns, replies, strict=True)]
    assert [fault for fault in told if fault] == []
