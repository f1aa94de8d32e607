"""Many answers on a bad day, in both modes: each once where it could be, and nobody waits for another's trouble."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.slack.transport import client as client_module
from bot.slack.transport import http as server
from bot.slack.transport import socket as socket_module
from bot.slack.transport.http import MAX_BODY_BYTES
from bot.slack.transport.outbox import SENDERS
from bot.slack.transport.socket import SocketReceiver, serve_socket
from bot.store import Store
from support.busy_slack import BusySlack, busy
from support.fault_plans import complaints, follow, plan, wanted
from support.people import FORM, JSON, SECRET, Ack, Line, Said, crowd, said, signed
from support.slack_app import Door, open_door
from support.slack_stub import Fault

TOKENS = ("xoxb-secret", "xapp-secret")
WORD = "xylophone"
"""A word of the people's, which no log may hold."""


@dataclass
class Running:
    """The bot at work, and the way by which Slack reaches it."""

    slack: BusySlack
    door: Door
    mode: str

    @property
    def port(self) -> int:
        return self.door.port

    def drain(self, timeout: float) -> bool:
        """Wait until nothing is to be sent any more."""
        return self.door.thread.run(self.door.app.context.outbox.drain(timeout), timeout + 10)

    def finish(self) -> None:
        """Until everything that was acknowledged has been answered."""
        self.door.thread.run(self.door.app.context.tasks.finish(busy(10)), busy(20))
        assert self.drain(busy(10))

    def deliver(self, messages: Sequence[Said]) -> None:
        """All of it at once, and each is acknowledged."""
        if self.mode == "http":
            acks = self.slack.run(crowd(self.port, messages, 20))
            assert {ack.status for ack in acks} == {200}
            return
        for message in messages:
            self.slack.send(message.envelope)
        numbers = {f"e{message.number}" for message in messages}
        self.slack.wait_for(lambda: numbers <= self.slack.acknowledged.keys(), "acknowledgements")


@pytest.fixture
def slack() -> Iterator[BusySlack]:
    with BusySlack(0.01) as slack:
        yield slack


@pytest.fixture(params=["http", "socket"])
def running(
    request: pytest.FixtureRequest, slack: BusySlack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Running]:
    monkeypatch.setattr(client_module, "READ_TIMEOUT", busy(2))  # only silence may take as long, and no busy machine
    monkeypatch.setattr(client_module, "PACE", 0.05)
    monkeypatch.setattr(socket_module, "PING_EVERY", busy(4))
    store = Store(f"sqlite:///{tmp_path / 's.db'}")
    with open_door(slack, "cards", store=store, outbox={"backoff": (0.01, 0.02, 0.05), "pace": 0.02}) as door:
        if request.param == "http":
            yield Running(slack, door, "http")
        else:
            with connected(door, slack):
                yield Running(slack, door, "socket")
    store.close()


@contextmanager
def connected(door: Door, slack: BusySlack) -> Iterator[None]:
    """The bot connected by Socket Mode."""
    ready, stop = threading.Event(), door.thread.call(asyncio.Event)

    async def serve() -> bool:
        return await serve_socket(SocketReceiver(door.app.dispatch, door.app.context.client), stop, ready=ready.set)

    serving = asyncio.run_coroutine_threadsafe(serve(), door.thread.loop)
    try:
        assert ready.wait(10)
        yield
    finally:
        door.thread.call(stop.set)
        serving.result(10)


over_http = pytest.mark.parametrize("running", ["http"], indirect=True)


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What an operator would read, from information upwards."""
    return [record.getMessage() for record in caplog.records if record.name.startswith("bot")]


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.e2e)])
def test_each_is_answered_once_where_it_could_be(
    running: Running, slack: BusySlack, seed: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    messages = [said(slack, number, f"topic {WORD} {number}") for number in range(120)]
    fates = plan(seed, messages, retry_after=0.4)
    follow(slack, fates)
    running.deliver(messages)
    running.deliver([message for message in messages if message.way != "command"])
    slack.wait_for(lambda: wanted(slack, fates), "every answer", 30)
    assert running.drain(busy(10))

    assert complaints(slack, messages, fates) == []
    told = lines(caplog)
    refused = sorted(fate.refused for fate in fates.values() if fate.refused)
    assert sorted(code for line in told for code in re.findall(r"refused by Slack \((\w+)\)", line)) == refused
    silent = sum(fate.final and not fate.refused for fate in fates.values())
    assert sum("no word whether it arrived" in line for line in told) == silent > 0
    assert "Traceback" not in caplog.text
    assert [word for word in (WORD, *TOKENS, SECRET, "a-secret-of-slack", "U17") if word in caplog.text] == []


def test_refused_and_reset_connections_are_tried_again(running: Running, slack: BusySlack) -> None:
    slack.refuse()
    messages = [said(slack, number, "topic") for number in range(12)]
    running.door.app.context.outbox._backoff = (0.05, 0.3)
    running.deliver(messages)
    slack.listen()
    slack.cut_at_accept = 5
    slack.wait_for(lambda: len(slack.arrived()) >= 12, "every answer")
    assert running.drain(5)

    assert sorted(each.address for each in slack.attempts) == sorted(message.address for message in messages)
    assert slack.cut_at_accept == 0


@pytest.mark.parametrize("channels", [1, 60])
def test_slowed_channels_hold_up_nobody(running: Running, slack: BusySlack, channels: int) -> None:
    crowded = [said(slack, number, "topic", "mention", f"CSLOW{number % channels}") for number in range(60)]
    others = [said(slack, number, "topic") for number in range(100, 220)]
    slack.fates = lambda where, _: Fault(429, "ratelimited", 60) if "CSLOW" in where else None
    running.deliver([message for pair in zip(crowded, others, strict=False) for message in pair] + others[60:])
    slack.wait_for(lambda: len(slack.arrived()) == 120, "the others' answers")

    in_vain = sum("CSLOW" in each.address for each in slack.attempts)
    assert 1 <= in_vain <= max(channels, SENDERS)
    assert running.drain(0) is False


def test_a_revoked_token_is_said_once_and_the_bot_lives_on(
    running: Running, slack: BusySlack, caplog: pytest.LogCaptureFixture
) -> None:
    slack.fates = lambda where, _: Fault(200, "token_revoked") if where.startswith("chat.") else None
    running.deliver([said(slack, number, "topic", "dm") for number in range(10)])
    slack.wait_for(lambda: len(slack.attempts) == 10, "ten answers")
    assert running.drain(10)
    assert len(slack.attempts) == 10  # nothing else is tried with that token
    assert not running.door.app.is_healthy()
    assert sum("no longer takes SLACK_BOT_TOKEN" in line for line in lines(caplog)) == 1

    slack.fates = lambda _where, _attempt: None
    running.deliver([said(slack, 10, "topic", "dm")])
    slack.wait_for(slack.arrived, "the answer")
    assert running.drain(10)
    assert running.door.app.is_healthy()


# --- rubbish, beside people who are in a hurry

EVENT = json.dumps({"type": "event_callback", "event": {"type": "app_mention", "text": WORD}}).encode()
OLD = str(int(time.time()) - 400)
RUBBISH: dict[str, tuple[bytes, range]] = {
    "forged": (signed(EVENT, secret="another"), range(401, 402)),
    "unsigned": (signed(EVENT, X_Slack_Signature=""), range(400, 402)),
    "stale": (signed(EVENT, stamp=OLD), range(401, 402)),
    "from the future": (signed(EVENT, stamp=str(int(time.time()) + 4000)), range(401, 402)),
    "no time": (signed(EVENT, X_Slack_Request_Timestamp="soon"), range(400, 402)),
    "a time of many digits": (signed(EVENT, X_Slack_Request_Timestamp="9" * 400), range(400, 402)),
    "a signature in Greek": (signed(EVENT, X_Slack_Signature="v0=αβγ"), range(400, 402)),
    "bad JSON": (signed(b'{"type": "event_callback", '), range(400, 401)),
    "bad payload": (signed(b"payload=%7B%22type%22", FORM), range(400, 401)),
    "nested": (signed(b'{"a":' * 60_000 + b"1" + b"}" * 60_000), range(400, 401)),
    "nested payload": (signed(b"payload=" + b"[" * 90_000, FORM), range(400, 401)),
    "no text at all": (signed(b"\xff\xfe\x00"), range(400, 401)),
    "too large": (signed(b" " * (MAX_BODY_BYTES + 1)), range(413, 414)),
    "another type": (signed(EVENT, "text/xml"), range(415, 416)),
    "another path": (signed(EVENT).replace(b"/slack/events", b"/slack/other", 1), range(404, 405)),
    "another method": (signed(EVENT).replace(b"POST", b"PUT", 1), range(405, 406)),
    "no HTTP": (b"hello there\r\n\r\n", range(400, 401)),
    "a negative length": (b"POST /slack/events HTTP/1.1\r\nContent-Length: -5\r\n\r\n", range(400, 401)),
    "endless headers": (b"POST /slack/events HTTP/1.1\r\nX: " + b"a" * 400_000 + b"\r\n\r\n", range(400, 432)),
}


@over_http
def test_rubbish_is_refused_and_nobody_waits_for_it(
    running: Running, slack: BusySlack, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "IDLE_TIMEOUT", 300.0)  # whoever waits for the slow ones' ordinary end waits in vain
    soon = busy(3)

    async def storm() -> tuple[dict[str, set[int]], list[Ack]]:
        people = [said(slack, number, "topic") for number in range(60)]
        cases = [(name, raw) for name, (raw, _) in RUBBISH.items()] * 3
        slow = [asyncio.ensure_future(_dribble(running.port, number % 2)) for number in range(500)]
        rubbish = asyncio.gather(*(_alone(running.port, raw, busy(10)) for _, raw in cases))
        acks = await crowd(running.port, people, 10)
        got: dict[str, set[int]] = {}
        for (name, _), ack in zip(cases, await rubbish, strict=True):
            got.setdefault(name, set()).add(ack.status)
        for each in slow:
            each.cancel()
        await asyncio.gather(*slow, return_exceptions=True)
        return got, acks

    got, acks = slack.run(storm())
    wrong = {name: statuses for name, statuses in got.items() if not statuses <= set(RUBBISH[name][1])}
    assert wrong == {}
    assert {ack.status for ack in acks} == {200}
    assert max(ack.seconds for ack in acks) < soon
    slack.wait_for(lambda: len(slack.arrived()) >= 60, "every answer")
    running.finish()
    assert len(slack.attempts) == 60
    assert ("Traceback" in caplog.text, WORD in caplog.text) == (False, False)


async def _alone(port: int, request: bytes, timeout: float = 10) -> Ack:
    line = Line(port)
    try:
        return await line.ask(request, timeout)
    finally:
        line.close()


async def _dribble(port: int, speaks: int) -> None:
    """A client that sends one byte now and then, or none at all."""
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for byte in signed(EVENT, JSON) * speaks:
            writer.write(bytes([byte]))
            await asyncio.sleep(0.05)
        await asyncio.sleep(60)
    finally:
        writer.close()


@over_http
def test_a_request_that_takes_too_long_is_hung_up_on(
    running: Running, slack: BusySlack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "IDLE_TIMEOUT", 0.3)
    half = signed(EVENT, Content_Length="5000")
    assert slack.run(_alone(running.port, half)).status == 408


@over_http
def test_a_replayed_request_has_no_second_effect(running: Running, slack: BusySlack) -> None:
    async def replay(message: Said) -> list[Ack]:
        line, raw = Line(running.port), signed(message.raw, message.kind)
        try:
            return [await line.ask(raw) for _ in range(3)]
        finally:
            line.close()

    messages = [said(slack, number, "topic") for number in range(3)]
    acks = [ack for message in messages for ack in slack.run(replay(message))]
    slack.wait_for(lambda: len(slack.arrived()) >= 3, "every answer")
    running.finish()
    assert all(ack.status == 200 or 400 <= ack.status < 500 for ack in acks)
    assert sorted(each.address for each in slack.arrived()) == sorted(message.address for message in messages)
