"""The log: a line for each answer, with everything an operator wants to know of it and nothing that anybody wrote."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from bot.engine import Engine
from bot.knowledge import load
from bot.model import AskPyError, ConversationState, Evidence, Question, Reply
from bot.settings import Secret, Settings
from bot.slack.answer_log import AnswerLog
from bot.slack.logs import Console, Json, log_to_stderr
from bot.slack.metrics import Metrics
from bot.slack.transport.client import AttemptResult, NotSent, Refused, Request, Retry, SendResult, Sent, Unknown
from bot.store import Store
from bot.understanding import Matcher
from support.slack_app import SECRET, Door, MakeDoor
from support.slack_stub import BOT, TEAM, Stub

CANARIES = ("quokka", "zanzibar", "U0CANARY", "hook/canary", "xoxb-secret", SECRET, "Carla Canary")
"""Words, a person, a response_url and the tokens: none of them may show."""
WORDS = "what is flask, my dear quokka from zanzibar?"
FORM = "application/x-www-form-urlencoded"
ROOT = Path(__file__).parents[2]


# --- one line


REPLY = Reply(kind="library", ids=("flask",), parts=(), evidence=Evidence(understood="flask", confidence=0.91234))


@pytest.mark.parametrize(
    ("outcome", "told", "code"),
    [
        (Sent(), "posted", None),
        (Refused("not_in_channel"), "refused", "not_in_channel"),
        (NotSent("HTTP 503"), "given up", "HTTP 503"),
        (Unknown("TimeoutError"), "unknown", "TimeoutError"),
    ],
)
def test_a_line_for_each_answer(
    caplog: pytest.LogCaptureFixture, outcome: SendResult, told: str, code: str | None
) -> None:
    caplog.set_level(logging.INFO, "bot.slack.answer_log")
    clock = [100.0]
    trace = AnswerLog(Metrics(), lambda: clock[0]).start(Question(WORDS, "dm", workspace="T1"))
    trace.answered(REPLY)
    clock[0] += 0.02
    trace.sending()
    clock[0] += 0.15
    trace.result = outcome
    trace.finish()

    (record,) = caplog.records
    assert record.fields == {  # type: ignore[attr-defined]
        "event": "answer", "workspace": "T1", "surface": "dm", "kind": "library", "ids": ["flask"], "confidence": 0.912,
        "ms": 20, "posted_ms": 170, "outcome": told,
    } | ({"code": code} if code else {})  # fmt: skip


@pytest.mark.parametrize("ends", ["before an answer", "before it is sent"])
def test_what_was_not_sent_is_no_line(caplog: pytest.LogCaptureFixture, ends: str) -> None:
    caplog.set_level(logging.INFO, "bot.slack.answer_log")
    trace = AnswerLog(Metrics()).start(Question(WORDS, "dm"))
    if ends == "before it is sent":
        trace.answered(REPLY)
        trace.sending()
    trace.finish()
    assert caplog.records == []


def test_the_time_counts_from_when_the_message_came(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "bot.slack.answer_log")
    trace = AnswerLog(Metrics(), lambda: 100.5).start(Question(WORDS, "dm"), 100.0)
    trace.answered(REPLY)
    trace.sending()
    trace.result = Sent()
    trace.finish()
    (record,) = caplog.records
    assert (record.fields["ms"], record.fields["posted_ms"]) == (500, 500)  # type: ignore[attr-defined]


def test_the_app_writes_a_line_for_each_answer(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "bot.slack.answer_log")
    door.mention("library")
    door.command("topic")
    door.command("status")  # a command is no question
    lines = [record.fields for record in caplog.records if hasattr(record, "fields")]
    assert [(line["surface"], line["kind"], line["workspace"], line["outcome"]) for line in lines] == [
        ("mention", "library", TEAM, "posted"),
        ("command", "topic", TEAM, "posted"),
    ]


# --- a whole conversation

TURNS = count(1)
"""Nobody sends the same thing twice."""


def conversation(door: Door, shown: list[dict[str, Any]]) -> Iterator[int]:
    """Everything that people can do, with canaries in all of it; the statuses."""
    around = {"team": {"id": TEAM}, "user": {"id": "U0CANARY", "name": "Carla Canary", "team_id": TEAM}}
    for number, (kind, channel) in enumerate((("app_mention", "C1"), ("message", "D1")) * 3):
        event = {"type": kind, "user": "U0CANARY", "channel": channel, "ts": f"17{number}.{next(TURNS)}", "text": WORDS}
        event |= {"channel_type": "im"} if kind == "message" else {"text": f"<@{BOT}> {WORDS}"}
        yield door.json({"type": "event_callback", "team_id": TEAM, "event": event})
    hook = "http://127.0.0.1:9/hook/canary"
    for number, text in enumerate((WORDS, "help", "quokka zanzibar", "forget me", "status")):
        yield door.form(
            command="/askpy", text=text, team_id=TEAM, channel_id="C1", user_id="U0CANARY", user_name="Carla Canary",
            trigger_id=f"{number}.{next(TURNS)}", response_url=hook,
        )  # fmt: skip
    message = {"ts": "170.1", "user": BOT, "text": WORDS}
    where = {"type": "message", "message_ts": "170.1", "channel_id": "C1"}
    for number, element in enumerate(list(shown)):
        action = element | {"block_id": "b", "action_ts": f"{number}.2"}
        body = around | {"type": "block_actions", "actions": [action], "trigger_id": f"{number}.{next(TURNS)}"}
        body |= {"message": message, "container": where, "channel": {"id": "C1"}, "response_url": hook}
        yield door.form(payload=json.dumps(body))
    shortcut = around | {"type": "message_action", "callback_id": "ask_message", "trigger_id": f"8.{next(TURNS)}"}
    shortcut |= {"message": {"text": WORDS, "ts": "1.2"}, "channel": {"id": "C1"}, "response_url": hook}
    yield door.form(payload=json.dumps(shortcut))
    state = {"values": {"b": {"words": {"type": "plain_text_input", "value": WORDS}}}}
    view = {"id": "V1", "type": "modal", "callback_id": "search", "state": state}
    view |= {"private_metadata": json.dumps([[WORDS], True, "", ""])}
    submitted = around | {"type": "view_submission", "view": view, "trigger_id": f"9.{next(TURNS)}"}
    yield door.form(payload=json.dumps(submitted))
    for raw, options in (
        (json.dumps({"event": WORDS}).encode(), {"X-Slack-Signature": "v0=quokka"}),
        (WORDS.encode(), {}),
        (json.dumps({"type": WORDS}).encode(), {}),
        (urlencode({"payload": WORDS}).encode(), {"kind": FORM}),
        (b"{}", {"path": "/quokka-from-zanzibar"}),
    ):
        door.request(raw, **options)  # type: ignore[arg-type]


def elements(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        if "action_id" in node and "value" in node:
            yield {"type": node["type"], "action_id": node["action_id"], "value": node["value"]}
        node = list(node.values())
    if isinstance(node, (list, tuple)):
        for each in node:
            yield from elements(each)


@pytest.fixture
def shipped(stub: Stub, make_door: MakeDoor, tmp_path: Path) -> Iterator[Door]:
    """The bot over the shipped pack and a real database."""
    cache = Path(os.environ["ASKPY_CACHE"])
    store = Store(f"sqlite:///{tmp_path}/askpy.db")
    pack = load(ROOT / "knowledge", cache)
    yield make_door(
        stub, "cards", engine=Engine(Matcher.from_knowledge(pack, cache)), store=store, lines=pack.voice.lines
    )
    store.close()


@contextmanager
def logging_to_stderr(form: Any) -> Iterator[None]:
    """Logs everything to stderr; the loggers are as before afterwards."""
    root = logging.getLogger()
    before = root.handlers[:], root.level, logging.getLogger("bot").level
    try:
        log_to_stderr(Settings(log_format=form, log_level="debug", slack_bot_token=Secret("xoxb-secret")))
        root.setLevel(logging.DEBUG)
        yield
    finally:
        root.handlers[:] = before[0]
        root.setLevel(before[1])
        logging.getLogger("bot").setLevel(before[2])


@pytest.mark.parametrize("form", ["console", "json"])
def test_a_whole_conversation_leaves_no_word_in_the_log(
    capsys: pytest.CaptureFixture[str], form: str, shipped: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes = [Sent(), Refused("is_archived"), Unknown("TimeoutError"), Retry("HTTP 503"), Refused("used_url")]
    shown: list[dict[str, Any]] = []
    sent: list[Request] = []

    async def deliver(request: Request) -> AttemptResult:
        sent.append(request)
        shown.extend(each for each in elements(request.args) if len(shown) < 60)
        return outcomes[len(sent) % len(outcomes)]

    def broken(question: Question, _: ConversationState | None) -> tuple[Reply, ConversationState | None]:
        raise faults[0](f"no answer to {question.text}") from ValueError(question.text)

    faults: list[type[Exception]] = [KeyError]
    shipped.app.context.outbox._post_once = deliver
    with logging_to_stderr(form):
        assert set(conversation(shipped, shown)) <= {200}
        shipped.settle()
        assert len(sent) > 15
        monkeypatch.setattr(shipped.engine, "answer_turn", broken)
        for faults[0] in (KeyError, AskPyError):
            assert set(conversation(shipped, shown)) <= {200}
            shipped.settle()
    log = capsys.readouterr().err
    answers = [line for line in log.splitlines() if "event=answer" in line or '"event": "answer"' in line]
    assert len(answers) > 10
    assert ("KeyError" in log, "AskPyError" in log) == (True, True)
    if form == "json":
        assert {json.loads(line)["outcome"] for line in answers} >= {"posted", "refused", "unknown"}
    assert [canary for canary in CANARIES if canary in log] == []


# --- the forms of a line


@pytest.mark.parametrize("form", [Console(), Json()])
def test_no_log_line_has_an_exceptions_message(form: logging.Formatter) -> None:
    asked = "what is " + "xylophone?"
    try:
        raise KeyError(asked)
    except KeyError:
        line = form.format(logging.LogRecord("bot", logging.ERROR, "x", 1, "failed", (), sys.exc_info()))
    assert ("KeyError" in line, asked in line) == (True, False)
    assert not line.startswith("{") or json.loads(line)["exception"]


FIELDS = {"event": "answer", "ids": ["flask", "django"], "ms": 12, "code": "two words", "empty": ""}


def test_fields_stand_behind_the_words_or_among_them() -> None:
    record = logging.LogRecord("bot", logging.INFO, "x", 1, "answer", (), None)
    record.fields = FIELDS
    assert (
        Console().format(record).endswith('bot: answer event=answer ids=flask,django ms=12 code="two words" empty=""')
    )
    line = json.loads(Json().format(record))
    assert (line["message"], {name: line[name] for name in FIELDS}) == ("answer", FIELDS)
