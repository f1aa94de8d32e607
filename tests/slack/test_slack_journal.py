"""The journal: a line for each answer, with everything an operator wants to know of it and nothing that anybody wrote."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

sys.path.append(str(Path(__file__).parents[1] / "load"))

from inside import BOT, FORM, JSON, SECRET, TEAM, Inside

from bot.model import AskPyError, Evidence, Question, Reply
from bot.settings import Secret, Settings
from bot.slack.journal import Journal
from bot.slack.logs import log_to_stderr
from bot.slack.meters import Meters
from bot.slack.post import Again, Lost, Outcome, Refused, Request, Sent

CANARIES = ("quokka", "zanzibar", "U0CANARY", "hook/canary", "xoxb-inside", SECRET, "Carla Canary")
"""Words, a person, a response_url and the tokens: none of them may show."""
WORDS = "what is flask, my dear quokka from zanzibar?"


# --- one line


@pytest.fixture
def clock() -> list[float]:
    return [100.0]


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Iterator[list[dict[str, Any]]]:
    caplog.set_level(logging.INFO, "bot.slack.journal")
    found: list[dict[str, Any]] = []
    yield found
    found += [record.fields for record in caplog.records if hasattr(record, "fields")]


REPLY = Reply(kind="library", ids=("flask",), parts=(), evidence=Evidence(understood="flask", confidence=0.91234))


@pytest.mark.parametrize(
    ("outcome", "told", "code"),
    [
        (Sent(), "posted", None),
        (Refused("not_in_channel"), "refused", "not_in_channel"),
        (Again("HTTP 503"), "given up", "HTTP 503"),
        (Lost("TimeoutError"), "unknown", "TimeoutError"),
    ],
)
def test_a_line_for_each_answer(
    caplog: pytest.LogCaptureFixture, clock: list[float], outcome: Outcome, told: str, code: str | None
) -> None:
    caplog.set_level(logging.INFO, "bot.slack.journal")
    happened: list[object] = []
    course = Journal(Meters(), lambda: clock[0]).heard(Question(WORDS, "dm", workspace="T1"))
    clock[0] += 0.02
    course.answered(REPLY)
    request = course.watched(
        Request(method="chat.postMessage", args={}, then=lambda: happened.append("then"), failed=happened.append)
    )
    clock[0] += 0.15
    if isinstance(outcome, Sent):
        request.then()
    else:
        request.failed(outcome)

    (record,) = caplog.records
    assert record.fields == {  # type: ignore[attr-defined]
        "event": "answer", "workspace": "T1", "surface": "dm", "kind": "library", "ids": ["flask"], "confidence": 0.912,
        "ms": 20, "posted_ms": 170, "outcome": told,
    } | ({"code": code} if code else {})  # fmt: skip
    assert happened == (["then"] if isinstance(outcome, Sent) else [outcome])


# --- a whole conversation

TURNS = count(1)
"""Nobody sends the same thing twice."""


def conversation(inside: Inside, shown: list[dict[str, Any]]) -> Iterator[int]:
    """Everything that people can do, with canaries in all of it; the statuses."""
    around = {"team": {"id": TEAM}, "user": {"id": "U0CANARY", "name": "Carla Canary", "team_id": TEAM}}
    for number, (kind, channel) in enumerate((("app_mention", "C1"), ("message", "D1")) * 3):
        event = {"type": kind, "user": "U0CANARY", "channel": channel, "ts": f"17{number}.{next(TURNS)}", "text": WORDS}
        event |= {"channel_type": "im"} if kind == "message" else {"text": f"<@{BOT}> {WORDS}"}
        yield inside.post(json.dumps({"type": "event_callback", "team_id": TEAM, "event": event}).encode())
    hook = "http://127.0.0.1:9/hook/canary"
    for number, text in enumerate((WORDS, "help", "quokka zanzibar", "forget me", "status")):
        fields = {
            "command": "/askpy", "text": text, "team_id": TEAM, "channel_id": "C1", "user_id": "U0CANARY",
            "user_name": "Carla Canary", "trigger_id": f"{number}.{next(TURNS)}", "response_url": hook,
        }  # fmt: skip
        yield inside.post("&".join(f"{name}={value}" for name, value in fields.items()).encode(), FORM)
    message = {"ts": "170.1", "user": BOT, "text": WORDS}
    where = {"type": "message", "message_ts": "170.1", "channel_id": "C1"}
    for number, element in enumerate(list(shown)):
        action = element | {"block_id": "b", "action_ts": f"{number}.2"}
        body = around | {"type": "block_actions", "actions": [action], "trigger_id": f"{number}.{next(TURNS)}"}
        body |= {"message": message, "container": where, "channel": {"id": "C1"}, "response_url": hook}
        yield inside.post(f"payload={json.dumps(body)}".replace("&", "%26").encode(), FORM)
    shortcut = around | {"type": "message_action", "callback_id": "ask_message", "trigger_id": f"8.{next(TURNS)}"}
    shortcut |= {"message": {"text": WORDS, "ts": "1.2"}, "channel": {"id": "C1"}, "response_url": hook}
    yield inside.post(f"payload={json.dumps(shortcut)}".encode(), FORM)
    view = {
        "id": "V1",
        "type": "modal",
        "callback_id": "search",
        "private_metadata": json.dumps([[WORDS], True, "", ""]),
    }
    view["state"] = {"values": {"b": {"a": {"type": "plain_text_input", "value": WORDS}}}}  # type: ignore[assignment]
    yield inside.post(
        f"payload={json.dumps(around | {'type': 'view_submission', 'view': view, 'trigger_id': f'9.{next(TURNS)}'})}".encode(),
        FORM,
    )
    for raw, over in (
        (json.dumps({"event": WORDS}).encode(), {"HTTP_X_SLACK_SIGNATURE": "v0=quokka"}),
        (WORDS.encode(), {}),
        (json.dumps({"type": WORDS}).encode(), {}),
        (b"{}", {"PATH_INFO": f"/{WORDS}"}),
    ):
        inside.post(raw, JSON, **over)


def elements(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        if "action_id" in node and "value" in node:
            yield {"type": node["type"], "action_id": node["action_id"], "value": node["value"]}
        node = list(node.values())
    if isinstance(node, (list, tuple)):
        for each in node:
            yield from elements(each)


@pytest.mark.parametrize("form", ["console", "json"])
def test_a_whole_conversation_leaves_no_word_in_the_log(
    form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes: list[Outcome] = [
        Sent(),
        Refused("is_archived"),
        Lost("TimeoutError"),
        Again("HTTP 503"),
        Refused("used_url"),
    ]
    shown: list[dict[str, Any]] = []
    sent: list[Request] = []

    def deliver(request: Request) -> Outcome:
        sent.append(request)
        shown.extend(each for each in elements(request.args) if len(shown) < 60)
        return outcomes[len(sent) % len(outcomes)]

    root = logging.getLogger()
    before = root.handlers[:], root.level, logging.getLogger("bot").level
    try:
        log_to_stderr(Settings(log_format=form, log_level="debug", slack_bot_token=Secret("xoxb-inside")))  # type: ignore[arg-type]
        root.setLevel(logging.DEBUG)
        inside = Inside(tmp_path, deliver)
        assert set(conversation(inside, shown)) <= {200}
        assert len(sent) > 15
        ask = inside.desk.ask
        for fault in (KeyError, AskPyError):

            def broken(question: Question, fault: type[Exception] = fault) -> Reply:
                raise fault(f"no answer to {question.text}") from ValueError(question.text)

            monkeypatch.setattr(inside.desk, "ask", broken)
            assert set(conversation(inside, shown)) <= {200}
        monkeypatch.setattr(inside.desk, "ask", ask)
        inside.store.close()
    finally:
        root.handlers[:] = before[0]
        root.setLevel(before[1])
        logging.getLogger("bot").setLevel(before[2])
    log = capsys.readouterr().err
    answers = [line for line in log.splitlines() if "event=answer" in line or '"event": "answer"' in line]
    assert len(answers) > 10
    if form == "json":
        assert {json.loads(line)["outcome"] for line in answers} >= {"posted", "refused", "unknown"}
    assert [canary for canary in CANARIES if canary in log] == []
