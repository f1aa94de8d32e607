"""A walk in a third-party Slack: what can be pressed in a channel, a thread, a DM, a private answer and the Home tab.

The stand-in sends every press as one on a message, so that modals are walked through in tests/slack/test_slack_walk.py.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

from support.local_slack import ALICE, Json, Scene, wait_until

ACKNOWLEDGED = 3.0
MOST_PRESSES = 60
TWICE = ("ask", "why", "vote")
"""What does something visible each time; a second share only says again what the first has said."""
QUESTIONS = (
    "what is celery?",
    "flask vs django",
    "list backend",
    "i want to build a dashboard",
    "roadmap",
    "hlep",
    "?",
)


def test_everything_that_is_shown_can_be_pressed(running: Scene) -> None:
    slack, presses, known = running.slack, Counter[tuple[str, str]](), set[tuple[str, ...]]()
    waiting: list[tuple[str, Json, Json]] = []

    def look(kind: str, message: Json, blocks: list[Json]) -> None:
        for action in _actions(blocks):
            value = action.get("value") or action.get("selected_option", {}).get("value", "")
            what = value.split("\n")[0] if "\n" in value else value
            if (name := (kind, _kind(action), what)) not in known:
                known.add(name)
                waiting.append((kind, message, action))

    for question in QUESTIONS:
        for kind, asked in (("channel", slack.mention(question)), ("dm", slack.say(question, channel=ALICE))):
            answer = slack.answer(asked)
            look(kind, answer, answer["blocks"])
        private = slack.answer(slack.command(question))
        look("private", private, private["blocks"])
    published = len(_calls(slack, "views.publish"))
    slack.control("open-home", user=ALICE)
    wait_until(lambda: len(_calls(slack, "views.publish")) > published, "the Home tab")
    some = slack.answer(slack.say("hello", channel=ALICE))
    look("home", some, _calls(slack, "views.publish")[-1]["view"]["blocks"])

    while waiting and presses.total() < MOST_PRESSES:
        kind, message, action = min(waiting, key=lambda each: presses[each[0], _kind(each[2])])
        waiting.remove((kind, message, action))
        for _ in range(2 if _kind(action) in TWICE else 1):
            presses[kind, _kind(action)] += 1
            _press(slack, message, action)
    slack.settle()
    assert {each for _, each in presses} >= {"ask", "why", "vote", "share", "search", "go"}
    lines = running.bot.process.text.splitlines()
    assert [line for line in lines if any(word in line for word in ("WARNING", "ERROR", "Traceback"))] == []


def _press(slack: Any, message: Json, action: Json) -> None:
    before, started = _seen(slack, message), time.monotonic()
    where = {"channel": message["channel"], "messageTs": message["ts"], "user": ALICE}
    slack.control("interact", action=action | {"action_ts": message["ts"]}, **where)  # returns when it is acknowledged
    assert time.monotonic() - started < ACKNOWLEDGED, action
    wait_until(lambda: _seen(slack, message) != before, f"an effect of {action['action_id']}", ACKNOWLEDGED)


def _seen(slack: Any, message: Json) -> str:
    calls = [line["id"] for line in slack.traffic("web_api")]
    return json.dumps([slack.messages(message["channel"]), calls[-1:]])


def _calls(slack: Any, method: str) -> list[Json]:
    return [line["detail"] for line in slack.traffic("web_api") if line["summary"] == method]


def _kind(action: Json) -> str:
    return str(action["action_id"]).split(":")[0]


def _actions(node: Any) -> Iterator[Json]:
    """Everything that asks the bot something, as Slack would send it."""
    if isinstance(node, list):
        for item in node:
            yield from _actions(item)
    elif isinstance(node, dict):
        match node.get("type"):
            case "button" if "value" in node:
                yield node
            case "feedback_buttons":
                for each in ("positive_button", "negative_button"):
                    yield {"type": node["type"], "action_id": node["action_id"], "value": node[each]["value"]}
            case "static_select":
                for option in node["options"][:2]:
                    yield {"type": node["type"], "action_id": node["action_id"], "selected_option": option}
            case _:
                for value in node.values():
                    yield from _actions(value)
