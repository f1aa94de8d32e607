"""What somebody could try who is no friend: requests forged, repeated or long, redirects, and addresses to send to."""

from __future__ import annotations

import hashlib
import hmac
import io
import json
import logging
import ssl
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import HTTPSHandler

import pytest
from conftest import SECRET, Door
from slack_stub import BOT, TEAM, Stub

import bot.slack.http.objections
from bot.settings import Secret, Settings
from bot.slack.access import Access, is_slacks
from bot.slack.hear import mention
from bot.slack.http import LARGEST_BODY, wsgi
from bot.slack.post import Again, Refused, Request, Sent, deliver

FORM = "application/x-www-form-urlencoded"


# --- what isn't signed, and what was signed before


def test_what_is_not_signed_is_not_even_parsed(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """A megabyte of fields takes half a second to parse, and anybody could send it."""
    parsed: list[object] = []
    monkeypatch.setattr(bot.slack.http.objections, "sensible", lambda body: not parsed.append(body))
    for raw, kind in ((b'{"a":' + b"[" * 900_000, "application/json"), (b"a=b&" * (LARGEST_BODY // 4), FORM)):
        assert door.request(raw, kind, HTTP_X_SLACK_SIGNATURE="v0=" + "0" * 64) == 401
    assert parsed == []
    assert (door.json({"type": "event_callback", "event": {"type": "x"}}), len(parsed)) == (200, 1)


@pytest.fixture
def again(door: Door) -> Callable[[bytes], list[int]]:
    """Delivers the very same request three times to one front, as somebody could who has seen it."""
    front = wsgi(door.app)

    def deliver_it(raw: bytes) -> list[int]:
        stamp, statuses = str(int(time.time())), list[int]()
        digest = hmac.new(SECRET.encode(), f"v0:{stamp}:".encode() + raw, hashlib.sha256).hexdigest()
        for _ in range(3):
            environ: dict[str, Any] = {
                "REQUEST_METHOD": "POST", "PATH_INFO": "/slack/events", "CONTENT_TYPE": FORM, "QUERY_STRING": "",
                "CONTENT_LENGTH": str(len(raw)), "wsgi.input": io.BytesIO(raw), "SERVER_PROTOCOL": "HTTP/1.1",
                "HTTP_X_SLACK_REQUEST_TIMESTAMP": stamp, "HTTP_X_SLACK_SIGNATURE": f"v0={digest}",
            }  # fmt: skip
            body = front(environ, lambda line, _: statuses.append(int(line.split()[0])))  # type: ignore[arg-type,return-value,func-returns-value]
            b"".join(body)
        return statuses

    return deliver_it


def test_a_replayed_press_has_no_second_effect(again: Callable[[bytes], list[int]], stub: Stub) -> None:
    press = {
        "type": "block_actions", "team": {"id": TEAM}, "user": {"id": "U1"}, "channel": {"id": "C1"},
        "container": {"type": "message", "message_ts": "1.2", "channel_id": "C1"}, "message": {"ts": "1.2"},
        "actions": [{"type": "button", "action_id": "ask:1", "block_id": "b", "value": "topic", "action_ts": "5.5"}],
    }  # fmt: skip
    assert again(urlencode({"payload": json.dumps(press)}).encode()) == [200, 401, 401]
    assert len(stub.of("chat.postMessage")) == 1


@pytest.mark.parametrize("kind", ["shortcut", "message_action", "view_submission"])
def test_whatever_a_person_does_counts_once(again: Callable[[bytes], list[int]], kind: str) -> None:
    done = {
        "type": kind,
        "team": {"id": TEAM},
        "user": {"id": "U1"},
        "callback_id": "c",
        "trigger_id": "1.2",
    }
    done |= {"view": {"callback_id": "c", "id": "V1", "type": "modal"}} if kind == "view_submission" else {}
    assert again(urlencode({"payload": json.dumps(done)}).encode()) == [200, 401, 401]


def test_a_menu_that_is_filled_as_somebody_types_may_ask_the_same_again(again: Callable[[bytes], list[int]]) -> None:
    typed = {"type": "block_suggestion", "team": {"id": TEAM}, "user": {"id": "U1"}, "action_id": "entry", "value": "f"}
    assert again(urlencode({"payload": json.dumps(typed)}).encode()) == [200] * 3


def test_a_message_that_is_all_beginnings_of_mentions_is_read_at_once() -> None:
    """Each beginning was once looked through to the end: three seconds for the longest that Slack takes, more for this one."""
    event = {"type": "app_mention", "channel": "C1", "user": "U1", "ts": "1.1", "text": f"<@{BOT}|" * 12_000}
    started = time.process_time()
    assert mention({"team_id": TEAM, "event": event}, BOT) is not None
    assert time.process_time() - started < 1


# --- where requests go


class Astray(BaseHTTPRequestHandler):
    """Sends everybody on to another path, where it listens, too."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(302)
        self.send_header("Location", f"http://127.0.0.1:{self.server.server_port}/elsewhere")  # type: ignore[attr-defined]
        self.end_headers()

    def do_GET(self) -> None:
        self.server.led_to.append((self.path, self.headers.get("Authorization")))  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(b'{"ok": true}')

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def astray() -> Iterator[HTTPServer]:
    server = HTTPServer(("127.0.0.1", 0), Astray)
    server.led_to = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("by", ["method", "response_url"])
def test_no_redirect_is_followed(astray: HTTPServer, by: str) -> None:
    """The SDK alone follows it, with the token."""
    url = f"http://127.0.0.1:{astray.server_port}/"
    client = Access(bot_token="xoxb-secret", api_url=url).client()
    request = Request(method="chat.postMessage", args={}) if by == "method" else Request(url=url, args={})
    assert deliver(client, request) == Refused("HTTP 302")
    assert astray.led_to == []  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("url", "mine"),
    [
        ("https://hooks.slack.com/actions/T1/1/x", True),
        ("https://slack.com/x", True),
        ("http://hooks.slack.com/actions/T1/1/x", False),
        ("https://hooks.slack.com.evil.example/x", False),
        ("https://evilslack.com/x", False),
        ("https://hooks.slack.com@evil.example/x", False),
        ("https://169.254.169.254/latest/meta-data", False),
        ("file:///etc/passwd", False),
        ("https://[slack.com/x", False),
        ("", False),
    ],
)
def test_a_response_url_is_slacks(url: str, mine: bool) -> None:
    assert is_slacks(url, "https://slack.com/api/") is mine


@pytest.mark.parametrize(("url", "mine"), [("http://127.0.0.1:2/x", True), ("file:///etc/passwd", False)])
def test_a_stand_ins_response_url_is_on_a_network_at_least(url: str, mine: bool) -> None:
    assert is_slacks(url, "http://127.0.0.1:1/api/") is mine


def test_nothing_is_sent_to_a_response_url_that_is_not_slacks(stub: Stub) -> None:
    client = Access(bot_token="xoxb-secret").client()
    assert deliver(client, Request(url=stub.hook(), args={"text": "x"})) == Refused("foreign_response_url")
    assert stub.calls == []
    to_stub = Access(bot_token="xoxb-secret", api_url=stub.url).client()
    assert deliver(to_stub, Request(url=stub.hook(), args={"text": "x"})) == Sent()


def test_certificates_are_those_of_the_system_and_are_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The chain and the name, of the Web API and of a response_url. They are read once, not with every request."""
    opened: list[tuple[str, ssl.SSLContext]] = []

    def note(self: HTTPSHandler, request: urllib.request.Request) -> None:
        opened.append((request.full_url, self._context))  # type: ignore[attr-defined]
        raise URLError("not today")

    monkeypatch.setattr(HTTPSHandler, "https_open", note)
    for request in (Request(method="chat.postMessage", args={}), Request(url="https://hooks.slack.com/x", args={})):
        assert deliver(Access(bot_token="x").client(), request) == Again("unreachable")
    assert [url for url, _ in opened] == ["https://slack.com/api/chat.postMessage", "https://hooks.slack.com/x"]
    (trust,) = {context for _, context in opened}
    assert (trust.verify_mode, trust.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert trust.get_ca_certs() == ssl.create_default_context().get_ca_certs()


@pytest.mark.parametrize(("url", "said"), [("http://slack.test/api/", 1), ("http://127.0.0.1:1/api/", 0)])
def test_another_slack_without_https_is_said(url: str, said: int, caplog: pytest.LogCaptureFixture) -> None:
    settings = Settings(slack_bot_token=Secret("xoxb-1"), slack_signing_secret=Secret("s"))
    with caplog.at_level(logging.WARNING):
        Access.of(replace(settings, slack_api_url=url))
    assert caplog.text.count("unencrypted") == said
