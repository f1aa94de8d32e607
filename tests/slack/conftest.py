from __future__ import annotations

import hashlib
import hmac
import io
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import pytest
from slack_samples import SampleDesk, SampleRecords
from slack_stub import BOT, TEAM, Stub

from bot.slack.access import Access
from bot.slack.app import SlackApp, build_app
from bot.slack.http import wsgi
from bot.slack.post import Outbox

SECRET = "a signing secret"


class AtOnce(Executor):
    """Runs what is submitted, at once and here."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


@dataclass
class Door:
    """The bot behind its WSGI front, and what people do to it."""

    stub: Stub
    desk: SampleDesk
    claims: SampleRecords
    app: SlackApp
    ticks: int = 0
    answers: dict[str, str] = field(default_factory=dict)

    def request(
        self,
        raw: bytes,
        kind: str = "application/json",
        method: str = "POST",
        path: str = "/slack/events",
        **headers: str,
    ) -> int:
        """Send it signed; `headers` override the signature's. Returns the status."""
        stamp = str(int(time.time()))
        digest = hmac.new(SECRET.encode(), f"v0:{stamp}:".encode() + raw, hashlib.sha256).hexdigest()
        environ: dict[str, Any] = {
            "REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": "", "SERVER_PROTOCOL": "HTTP/1.1",
            "CONTENT_TYPE": kind, "CONTENT_LENGTH": str(len(raw)), "wsgi.input": io.BytesIO(raw),
            "HTTP_X_SLACK_REQUEST_TIMESTAMP": stamp, "HTTP_X_SLACK_SIGNATURE": f"v0={digest}",
        } | headers  # fmt: skip
        status: list[str] = []
        body = wsgi(self.app)(environ, lambda line, _: status.append(line))  # type: ignore[arg-type,return-value,func-returns-value]
        self.answers["last"] = b"".join(body).decode()
        return int(status[0].split()[0])

    def json(self, body: Any) -> int:
        return self.request(json.dumps(body).encode())

    def form(self, **fields: str) -> int:
        return self.request(urlencode(fields).encode(), "application/x-www-form-urlencoded")

    def ts(self) -> str:
        self.ticks += 1
        return f"1700000000.{self.ticks:06d}"

    def event(self, **event: Any) -> int:
        """An event; what isn't given is as in an ordinary message."""
        event = {"user": "U1", "channel": "C1", "ts": self.ts(), "text": "topic"} | event
        return self.json({"type": "event_callback", "team_id": TEAM, "event_id": "Ev1", "event": event})

    def mention(self, text: str = "topic", **event: Any) -> int:
        return self.event(type="app_mention", text=f"<@{BOT}> {text}", **event)

    def dm(self, text: str = "topic", **event: Any) -> int:
        return self.event(**{"type": "message", "channel_type": "im", "channel": "D1", "text": text} | event)

    def command(self, text: str = "topic", **fields: str) -> int:
        fields = {
            "command": "/askpy",
            "team_id": TEAM,
            "channel_id": "C1",
            "user_id": "U1",
            "trigger_id": "1.2",
        } | fields
        return self.form(text=text, response_url=self.stub.hook(), **fields)

    def interact(self, **body: Any) -> int:
        body = {"team": {"id": TEAM}, "user": {"id": "U1", "team_id": TEAM}, "trigger_id": "3.4"} | body
        return self.form(payload=json.dumps(body))

    def press(self, action_id: str, value: str, **body: Any) -> int:
        action = {"action_id": action_id, "block_id": "b", "type": "button", "value": value, "action_ts": self.ts()}
        return self.interact(**{"type": "block_actions", "actions": [action]} | body)

    def settle(self) -> None:
        """Until nothing is to be sent any more."""
        assert self.app.outbox.drain(5)


@pytest.fixture
def stub() -> Iterator[Stub]:
    stub = Stub()
    yield stub
    stub.close()


@pytest.fixture
def door(stub: Stub) -> Door:
    return make_door(stub)


def make_door(stub: Stub, layout: str = "classic", **options: Any) -> Door:
    desk, claims = options.pop("desk", None) or SampleDesk(), options.pop("claims", None) or SampleRecords()
    outbox = Outbox(senders=AtOnce(), backoff=(0.01,), pace=0.01)
    access = Access(bot_token="xoxb-secret", app_token="xapp-secret", signing_secret=SECRET, api_url=stub.url)
    options = {"executor": AtOnce()} | options
    app = build_app(desk, claims, access, lines={}, layout=layout, outbox=outbox, **options)  # type: ignore[arg-type]
    app.identity.me()
    return Door(stub, desk, claims, app)
