"""The HTTP door: rubbish, forgery, size and kind; the real server; and stopping in time."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from urllib.parse import urlencode

import pytest
from conftest import SECRET, Door, make_door
from slack_stub import TEAM, Fault, Stub, limited

from bot.model import AskPyError
from bot.slack.http import LARGEST_BODY, serve_http
from bot.store import Store

FORM = "application/x-www-form-urlencoded"

RUBBISH: dict[str, tuple[bytes, str]] = {
    "no JSON": (b"{", "application/json"),
    "empty": (b"", "application/json"),
    "a list": (b"[1]", "application/json"),
    "a number": (b"1", "application/json"),
    "null": (b"null", "application/json"),
    "no type": (b"{}", "application/json"),
    "a huge number": (b'{"type": ' + b"1" * 5000 + b"}", "application/json"),
    "null event": (b'{"type": "event_callback", "event": null}', "application/json"),
    "no event": (b'{"type": "event_callback"}', "application/json"),
    "a text as event": (b'{"type": "event_callback", "event": "x"}', "application/json"),
    "an event without a type": (b'{"type": "event_callback", "event": {"type": 5}}', "application/json"),
    "deep": (b'{"type": "event_callback", "event": ' + b'{"type":' * 50_000, "application/json"),
    "deep lists": (b"[" * 100_000 + b"]" * 100_000, "application/json"),
    "odd authorizations": (
        b'{"type": "event_callback", "event": {"type": "x"}, "authorizations": 5}',
        "application/json",
    ),
    "no UTF-8": (b'{"type": "\xff"}', "application/json"),
    "bad payload": (b"payload=%7Bnope", FORM),
    "empty payload": (b"payload=", FORM),
    "a list as payload": (b"payload=%5B1%5D", FORM),
    "actions that are numbers": (urlencode({"payload": '{"type": "block_actions", "actions": [1]}'}).encode(), FORM),
    "a view without a type": (urlencode({"payload": '{"type": "view_submission", "view": {}}'}).encode(), FORM),
    "a shortcut without a name": (urlencode({"payload": '{"type": "shortcut"}'}).encode(), FORM),
    "a payload without a type": (b"payload=%7B%7D", FORM),
    "nothing known": (b"a=b", FORM),
    "an empty form": (b"", FORM),
    "a form that is JSON": (b'{"a": 1}', FORM),
}


@pytest.mark.parametrize("case", RUBBISH)
def test_rubbish_is_a_bad_request(door: Door, case: str, caplog: pytest.LogCaptureFixture) -> None:
    raw, kind = RUBBISH[case]
    assert door.request(raw, kind) == 400
    assert "Traceback" not in caplog.text


EVENT = json.dumps({"type": "event_callback", "team_id": TEAM, "event": {"type": "app_mention"}}).encode()
HEADERS: dict[str, tuple[dict[str, str], int]] = {
    "a timestamp that is no number": ({"HTTP_X_SLACK_REQUEST_TIMESTAMP": "yesterday"}, 400),
    "a negative timestamp": ({"HTTP_X_SLACK_REQUEST_TIMESTAMP": "-5"}, 400),
    "a timestamp in other digits": ({"HTTP_X_SLACK_REQUEST_TIMESTAMP": "١٢٣"}, 400),
    "a signature that isn't ASCII": ({"HTTP_X_SLACK_SIGNATURE": "v0=é"}, 400),
    "a length that is no number": ({"CONTENT_LENGTH": "x"}, 400),
    "a forged signature": ({"HTTP_X_SLACK_SIGNATURE": "v0=" + "0" * 64}, 401),
    "no signature": ({"HTTP_X_SLACK_SIGNATURE": ""}, 401),
    "a stale timestamp": ({"HTTP_X_SLACK_REQUEST_TIMESTAMP": str(int(time.time()) - 400)}, 401),
    "a body over 1 MB": ({"CONTENT_LENGTH": str(LARGEST_BODY + 1)}, 413),
    "another type": ({"CONTENT_TYPE": "text/plain"}, 415),
    "no type": ({"CONTENT_TYPE": ""}, 415),
}


@pytest.mark.parametrize("case", HEADERS)
def test_headers(door: Door, stub: Stub, case: str, caplog: pytest.LogCaptureFixture) -> None:
    headers, status = HEADERS[case]
    assert door.request(EVENT, **headers) == status
    assert (caplog.text, stub.calls, door.desk.asked) == ("", [], [])


def test_a_charset_is_no_other_type(door: Door) -> None:
    assert door.request(EVENT, "application/json; charset=utf-8") == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/healthz", 200),
        ("POST", "/healthz", 405),
        ("GET", "/slack/events", 405),
        ("PUT", "/slack/events", 405),
        ("HEAD", "/slack/events", 405),
        ("GET", "/", 404),
        ("POST", "/slack/events/", 404),
        ("GET", "/slack/install", 404),
    ],
)
def test_paths_and_methods(door: Door, method: str, path: str, status: int) -> None:
    assert door.request(b"", method=method, path=path) == status


def test_url_verification(door: Door) -> None:
    assert door.json({"type": "url_verification", "challenge": "abc", "token": "x"}) == 200
    assert "abc" in door.answers["last"]


def test_ssl_check(door: Door) -> None:
    assert door.form(ssl_check="1", token="x") == 200


# --- the server


@pytest.fixture
def served(stub: Stub) -> Iterator[tuple[Door, int]]:
    """The bot under its real server, in a thread."""
    door = make_door(stub)
    stop, ports = threading.Event(), list[int]()
    ready = threading.Event()

    def told(port: int) -> None:
        ports.append(port)
        ready.set()

    thread = threading.Thread(target=serve_http, args=(door.app, 0, stop), kwargs={"host": "127.0.0.1", "ready": told})
    thread.start()
    assert ready.wait(5)
    yield door, ports[0]
    stop.set()
    thread.join(5)
    assert not thread.is_alive()


def send(port: int, raw: bytes, kind: str = "application/json", secret: str = SECRET) -> int:
    stamp = str(int(time.time()))
    digest = hmac.new(secret.encode(), f"v0:{stamp}:".encode() + raw, hashlib.sha256).hexdigest()
    headers = {"Content-Type": kind, "X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={digest}"}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("POST", "/slack/events", raw, headers)
        return connection.getresponse().status
    finally:
        connection.close()


def mention(number: int) -> bytes:
    event = {"type": "app_mention", "user": "U1", "channel": "C1", "ts": f"1.{number}", "text": "topic"}
    return json.dumps({"type": "event_callback", "team_id": TEAM, "event": event}).encode()


def test_the_server_answers_many_at_once_each_once(served: tuple[Door, int], stub: Stub) -> None:
    _, port = served
    with ThreadPoolExecutor(8) as people:
        assert set(people.map(lambda n: send(port, mention(n % 40)), range(80))) == {200}
    stub.wait("chat.postMessage", 40)
    assert len(stub.of("chat.postMessage")) == 40


def test_the_server_refuses_what_is_too_large_and_what_is_forged(served: tuple[Door, int]) -> None:
    _, port = served
    assert send(port, b" " * (LARGEST_BODY + 1)) == 413
    assert send(port, mention(1), secret="another") == 401
    assert send(port, b"\xff") == 400


def test_slow_clients_hold_up_nobody(served: tuple[Door, int]) -> None:
    _, port = served
    slow = [socket.create_connection(("127.0.0.1", port)) for _ in range(40)]
    for each in slow:
        each.sendall(b"POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n1")
    assert send(port, mention(1)) == 200
    for each in slow:
        each.close()


def test_a_port_in_use_is_a_sentence(stub: Stub, served: tuple[Door, int]) -> None:
    door, port = served
    with pytest.raises(AskPyError, match=f"Port {port}"):
        serve_http(door.app, port, threading.Event(), host="127.0.0.1")


# --- stopping


class Process:
    """The bot in a process of its own, and the port that it listens on."""

    def __init__(self, stub: Stub, door: str, folder: Path) -> None:
        program = Path(__file__).with_name("slack_process.py")
        database = folder / "s.db"
        with closing(
            Store(f"sqlite:///{database}")
        ) as store:  # a process that migrates imports Alembic, which takes a while
            assert store.prepare() == ""
        arguments = [sys.executable, str(program), door, stub.url, SECRET, str(database)]
        paths = os.pathsep.join(str(folder) for folder in program.parents[:3:2])
        environment = os.environ | {"PYTHONPATH": paths}
        self.process = subprocess.Popen(
            arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
        )
        self.port = 0

    def __enter__(self) -> Process:
        self.process.__enter__()
        assert self.process.stdout is not None
        told = self.process.stdout.readline()
        assert told.strip().isdigit(), self.process.communicate(timeout=5)
        self.port = int(told)
        return self

    def stop(self) -> str:
        """Stop it in time; returns what it wrote to stderr."""
        self.process.send_signal(signal.SIGTERM)
        _, errors = self.process.communicate(timeout=10)
        assert self.process.returncode == 0, errors
        return errors

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()


def test_sigterm_finishes_what_is_in_flight(stub: Stub, tmp_path: Path) -> None:
    with Process(stub, "http", tmp_path) as bot:
        stub.fail("chat.postMessage", limited(0.5), Fault(502))
        assert [send(bot.port, mention(n)) for n in range(10)] == [200] * 10
        started = time.monotonic()
        assert "Traceback" not in bot.stop()
    assert time.monotonic() - started < 9
    ids = [post["client_msg_id"] for post in stub.of("chat.postMessage")]
    assert len(set(ids)) == 10
    assert len(ids) == 12


def test_two_processes_answer_once(stub: Stub, tmp_path: Path) -> None:
    with (
        Process(stub, "http", tmp_path) as one,
        Process(stub, "http", tmp_path) as other,
        ThreadPoolExecutor(8) as slack,
    ):
        bots = (one, other)
        statuses = slack.map(lambda n: send(bots[n % 2].port, mention(n // 2)), range(60))
        assert set(statuses) == {200}
        assert "Traceback" not in one.stop() + other.stop()
    assert len(stub.of("chat.postMessage")) == 30


def test_a_command_over_http(stub: Stub, served: tuple[Door, int]) -> None:
    _, port = served
    fields = {"command": "/askpy", "text": "library", "user_id": "U1", "channel_id": "C1", "response_url": stub.hook()}
    assert send(port, urlencode(fields).encode(), FORM) == 200
    assert stub.wait("hook")[0]["response_type"] == "ephemeral"
