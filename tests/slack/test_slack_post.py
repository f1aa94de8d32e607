"""Posting on a bad day: what is sent again, what never, and who is told."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from conftest import AtOnce, Door
from slack_stub import RESET, SILENCE, Fault, Stub, limited

from bot.slack import access
from bot.slack.access import Access
from bot.slack.blocks import escape
from bot.slack.post import (
    MOST_TRIES,
    Again,
    Lost,
    Outbox,
    Outcome,
    Refused,
    Request,
    Sent,
    deliver,
    delivery,
    message_id,
)
from bot.slack.words import default_words

AGAIN = {
    "429": limited(),
    "ratelimited": Fault(200, "ratelimited"),
    "500": Fault(500),
    "502": Fault(502),
    "503": Fault(503),
    "504": Fault(504),
    "reset": RESET,
}


@pytest.mark.parametrize("case", AGAIN)
@pytest.mark.parametrize("way", ["chat.postMessage", "hook"])
def test_sent_again(door: Door, stub: Stub, way: str, case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "PACE", 0.01)
    stub.fail(way, AGAIN[case], AGAIN[case])
    assert (door.mention() if way == "chat.postMessage" else door.command()) == 200
    calls = stub.wait(way, 3)
    door.settle()
    assert len(calls) == 3
    assert len({call["client_msg_id"] for call in calls}) == 1


@pytest.mark.parametrize("way", ["chat.postMessage", "hook"])
def test_never_after_a_read_timeout(door: Door, stub: Stub, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "TIMEOUT", 0.2)
    client = Access(bot_token="xoxb-1", api_url=stub.url).client()
    stub.fail(way, SILENCE)
    request = Request(method=way, args={"text": "x"}) if way != "hook" else Request(url=stub.hook(), args={"text": "x"})
    assert deliver(client, request) == Lost("TimeoutError")
    sent: list[Outcome] = []
    door.app.outbox.deliver = lambda request: sent.append(deliver(client, request)) or sent[-1]  # type: ignore[func-returns-value]
    stub.fail(way, SILENCE)
    door.app.outbox.send(request)
    door.settle()
    assert sent == [Lost("TimeoutError")]


def test_a_refused_connection_is_tried_again() -> None:
    client = Access(bot_token="xoxb-1", api_url="http://127.0.0.1:1/").client()
    assert deliver(client, Request(method="chat.postMessage", args={"text": "x"})) == Again("ConnectionRefusedError")
    assert deliver(client, Request(url="http://127.0.0.1:1/hook", args={"text": "x"})) == Again(
        "ConnectionRefusedError"
    )


def test_what_slack_says_is_understood(stub: Stub) -> None:
    client = Access(bot_token="xoxb-1", api_url=stub.url).client()
    said: list[tuple[Fault, Outcome]] = [
        (Fault(), Sent()),
        (Fault(429, "ratelimited", 7), Again("rate limited", 7.0)),
        (Fault(200, "rate_limited"), Again("rate limited", 1.0)),
        (Fault(502), Again("HTTP 502")),
        (Fault(200, "is_archived"), Refused("is_archived")),
        (Fault(404, "used_url"), Refused("used_url")),
    ]
    for fault, outcome in said:
        for way, request in (
            ("chat.postMessage", Request(method="chat.postMessage", args={"channel": "C1"})),
            ("hook", Request(url=stub.hook(), args={"text": "x"})),
        ):
            stub.fail(way, fault)
            assert deliver(client, request) == outcome


def test_it_gives_up_and_lets_another_delivery_try(door: Door, stub: Stub) -> None:
    stub.fail("chat.postMessage", *[Fault(503)] * MOST_TRIES)
    door.mention(ts="5.5")
    door.settle()
    assert len(stub.of("chat.postMessage")) == MOST_TRIES
    door.mention(ts="5.5")
    assert len(stub.of("chat.postMessage")) == MOST_TRIES + 1


@pytest.mark.parametrize(
    "code", ["is_archived", "channel_not_found", "not_in_channel", "restricted_action_read_only_channel"]
)
def test_a_closed_channel_is_one_line_and_a_private_word(
    door: Door, stub: Stub, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    stub.fail("chat.postMessage", Fault(error=code))
    door.mention()
    assert len(stub.of("chat.postMessage")) == 1
    (word,) = stub.of("chat.postEphemeral")
    assert (word["channel"], word["user"], word["text"]) == ("C1", "U1", escape(default_words()["cannot_post"]))
    assert word["mrkdwn"] is False
    assert word["client_msg_id"] != stub.of("chat.postMessage")[0]["client_msg_id"]
    assert [record.getMessage() for record in caplog.records if record.levelname == "WARNING"] == [
        f"chat.postMessage C1: refused by Slack ({code})"
    ]


def test_a_revoked_token_is_said_and_healthz_says_no(door: Door, stub: Stub, caplog: pytest.LogCaptureFixture) -> None:
    assert door.app.able()
    stub.fail("chat.postMessage", Fault(error="token_revoked"))
    door.mention()
    assert not door.app.able()
    assert door.request(b"", method="GET", path="/healthz") == 503
    assert caplog.text.count("no longer takes SLACK_BOT_TOKEN") == 1
    assert stub.of("chat.postEphemeral") == []
    door.mention()
    assert door.app.able()


# --- the outbox by itself


class Line:
    """A line to Slack whose answers are given beforehand."""

    def __init__(self, *outcomes: Outcome) -> None:
        self.outcomes = list(outcomes)
        self.sent: list[tuple[float, Request]] = []

    def __call__(self, request: Request) -> Outcome:
        self.sent.append((time.monotonic(), request))
        return self.outcomes.pop(0) if self.outcomes else Sent()


def outbox(line: Any, **options: Any) -> Outbox:
    return Outbox(line, ThreadPoolExecutor(2), **({"backoff": (0.01,), "pace": 0.03} | options))


def to(channel: str, **options: Any) -> Request:
    return Request(method="chat.postMessage", args={"channel": channel}, **options)


def test_retry_after_is_honoured_and_holds_up_nobody_else() -> None:
    line = Line(Again("rate limited", 0.3))
    box = outbox(line)
    box.send(to("C1"))
    assert box.drain(0.05) is False
    for _ in range(20):
        box.send(to("C2"))
    assert box.drain(5)
    times = {
        channel: [at for at, request in line.sent if request.args["channel"] == channel] for channel in ("C1", "C2")
    }
    assert times["C1"][1] - times["C1"][0] >= 0.3
    assert max(times["C2"]) < times["C1"][1]
    assert box.close(1)


def test_a_slowed_channel_is_paced() -> None:
    now = [100.0]
    line = Line(Again("rate limited", 5.0))
    box = Outbox(line, AtOnce(), pace=1.0, clock=lambda: now[0])
    for channel in ("C1", "C1", "C2", "C1"):
        box.send(to(channel))
    assert [request.args["channel"] for _, request in line.sent] == ["C1", "C2"]
    assert sorted(due for due, _, _ in box._waiting) == [105.0, 106.0, 107.0]
    now[0] += 10
    assert box.close(5)
    assert len(line.sent) == 5


def test_what_comes_too_late_is_not_sent() -> None:
    failed: list[Outcome] = []
    box = outbox(Line(Again("rate limited", 60.0)))
    box.send(to("C1", lasts=1.0, failed=failed.append))
    assert box.drain(5)
    assert failed == [Again("too late")]
    assert box.close(1)


def test_closing_drops_what_would_take_too_long_and_says_so() -> None:
    failed: list[Outcome] = []
    box = outbox(Line(Again("rate limited", 60.0)))
    box.send(to("C1", failed=failed.append))
    box.drain(0.1)
    started = time.monotonic()
    assert box.close(1) is False
    assert time.monotonic() - started < 1
    assert failed == [Again("stopping")]


def test_closing_waits_for_what_is_under_way() -> None:
    going = threading.Event()

    def slow(_: Request) -> Outcome:
        going.wait(0.1)
        return Sent()

    arrived: list[int] = []
    box = outbox(slow)
    box.send(to("C1", then=lambda: arrived.append(1)))
    assert box.close(2)
    assert arrived == [1]


def test_a_fault_of_ours_is_logged_and_not_repeated(caplog: pytest.LogCaptureFixture) -> None:
    asked = "what is " + "xylophone?"

    def broken(_: Request) -> Outcome:
        raise KeyError(asked)

    box = outbox(broken)
    box.send(to("C1"))
    assert box.drain(5)
    assert caplog.text.count("Traceback") == 1
    assert "KeyError" in caplog.text
    assert asked not in caplog.text
    assert box.close(1)


def test_what_comes_after_the_close_is_given_up() -> None:
    failed: list[Outcome] = []
    box = outbox(Line())
    assert box.close(1)
    box.send(to("C1", failed=failed.append))
    assert failed == [Again("stopping")]
    assert box.drain(0)


def test_slowed_lanes_are_forgotten() -> None:
    now = [100.0]
    asleep = threading.Thread()  # nothing is sent again meanwhile
    box = Outbox(Line(*[Again("rate limited", 1.0)] * 50), AtOnce(), clock=lambda: now[0], _timer=asleep)
    for number in range(50):
        box.send(Request(url=f"https://hooks.example/{number}", args={}))
        now[0] += 2.0
    assert len(box._slots) == len(box._quiet) == 1


def test_a_message_keeps_its_id() -> None:
    assert message_id("T:C:1.1") == message_id("T:C:1.1") != message_id("T:C:1.2")
    assert message_id("\ud800")
