"""The whole app over HTTP: many at once, and processes that are stopped or work side by side.

What the front refuses is in test_transport_http.py.
"""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode

from support.people import FORM, JSON, SECRET, signed
from support.slack_app import Door
from support.slack_process import END_WITHIN, Process
from support.slack_stub import BOT, TEAM, Fault, Stub, limited


def send(port: int, raw: bytes, kind: str = JSON) -> int:
    """The status that a signed request gets."""
    head, _, body = signed(raw, kind).partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    with closing(HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        connection.request("POST", "/slack/events", body, headers)
        return connection.getresponse().status


def mention(number: int) -> bytes:
    event = {"type": "app_mention", "user": "U1", "channel": "C1", "ts": f"1.{number}", "text": f"<@{BOT}> topic"}
    return json.dumps({"type": "event_callback", "team_id": TEAM, "event": event}).encode()


def test_many_at_once_are_answered_once_each(door: Door, stub: Stub) -> None:
    with ThreadPoolExecutor(8) as people:
        assert set(people.map(lambda n: send(door.port, mention(n % 40)), range(80))) == {200}
    door.settle()
    assert len(stub.of("chat.postMessage")) == 40


def test_a_command_over_http(door: Door, stub: Stub) -> None:
    fields = {"command": "/askpy", "text": "library", "user_id": "U1", "channel_id": "C1", "response_url": stub.hook()}
    assert send(door.port, urlencode(fields).encode(), FORM) == 200
    assert stub.wait("hook")[0]["response_type"] == "ephemeral"


def test_sigterm_finishes_what_is_in_flight(stub: Stub, prepared: Path) -> None:
    with Process("http", stub.url, SECRET, prepared) as bot:
        stub.fail("chat.postMessage", limited(0.5), Fault(502))
        bot.wait_until_healthy()
        assert [send(bot.port, mention(n)) for n in range(10)] == [200] * 10
        started = time.monotonic()
        code, log = bot.stop()
    assert time.monotonic() - started < END_WITHIN
    assert (code, "Traceback" in log, log.splitlines()[-1].endswith("bot: Stopped.")) == (0, False, True)
    ids = [post["client_msg_id"] for post in stub.of("chat.postMessage")]
    assert (len(set(ids)), len(ids)) == (10, 12)


def test_two_processes_answer_once(stub: Stub, prepared: Path) -> None:
    with (
        Process("http", stub.url, SECRET, prepared) as one,
        Process("http", stub.url, SECRET, prepared) as other,
        ThreadPoolExecutor(8) as slack,
    ):
        bots = (one, other)
        for bot in bots:
            bot.wait_until_healthy()
        assert set(slack.map(lambda n: send(bots[n % 2].port, mention(n // 2)), range(60))) == {200}
        ends = [bot.stop() for bot in bots]
    assert [(code, "Traceback" in log) for code, log in ends] == [(0, False)] * 2
    assert len(stub.of("chat.postMessage")) == 30
