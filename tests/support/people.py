"""Many people at once: what they write, as Slack delivers it, by HTTP or by the WebSocket."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlencode

from support.busy_slack import BusySlack, address
from support.slack_stub import BOT, TEAM

SECRET = "a signing secret"
JSON, FORM = "application/json", "application/x-www-form-urlencoded"
Way = Literal["mention", "dm", "command"]
WAYS: tuple[Way, ...] = ("mention", "dm", "command")


@dataclass(frozen=True, slots=True)
class Said:
    """One message of a person, and the address that its answer goes to."""

    number: int
    way: Way
    body: dict[str, Any]
    address: str

    @property
    def raw(self) -> bytes:
        return (json.dumps(self.body) if self.kind == JSON else urlencode(self.body)).encode()

    @property
    def kind(self) -> str:
        return FORM if self.way == "command" else JSON

    @property
    def envelope(self) -> dict[str, Any]:
        kind = "slash_commands" if self.way == "command" else "events_api"
        return {"envelope_id": f"e{self.number}", "type": kind, "payload": self.body}


def said(slack: BusySlack, number: int, text: str, way: Way | None = None, channel: str = "") -> Said:
    """Message `number`; each gets its answer at an address of its own."""
    way = way or WAYS[number % len(WAYS)]
    user, stamp = f"U{number % 97}", f"{1_700_000_000 + number // 1000}.{number % 1000:06d}"
    if way == "command":
        hook = f"{number}-a-secret-of-slack"
        body: dict[str, Any] = {
            "command": "/askpy", "text": text, "team_id": TEAM, "channel_id": channel or "C1", "user_id": user,
            "trigger_id": f"{number}.1.2", "response_url": slack.hook(hook),
        }  # fmt: skip
        return Said(number, way, body, hook)
    event = {"user": user, "ts": stamp, "event_ts": stamp, "team": TEAM}
    if way == "mention":
        event |= {"type": "app_mention", "channel": channel or f"C{number % 50}", "text": f"<@{BOT}> {text}"}
        goes_to = address("chat.postMessage", channel=event["channel"], thread_ts=stamp)
    else:
        event |= {"type": "message", "channel_type": "im", "channel": channel or f"D{number}", "text": text}
        goes_to = address("chat.postMessage", channel=event["channel"])
    body = {"type": "event_callback", "team_id": TEAM, "event_id": f"Ev{number}", "event": event}
    body["authorizations"] = [{"team_id": TEAM, "user_id": BOT, "is_bot": True}]
    return Said(number, way, body, goes_to)


def signed(raw: bytes, kind: str = JSON, secret: str = SECRET, stamp: str = "", **headers: str) -> bytes:
    """A whole HTTP request with Slack's signature; `headers` replace ours, and an empty one is left out."""
    stamp = stamp or str(int(time.time()))
    digest = hmac.new(secret.encode(), f"v0:{stamp}:".encode() + raw, hashlib.sha256).hexdigest()
    lines = {
        "Host": "bot", "Content-Type": kind, "Content-Length": str(len(raw)),
        "X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={digest}",
    } | {name.replace("_", "-"): value for name, value in headers.items()}  # fmt: skip
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items() if value)
    return f"POST /slack/events HTTP/1.1\r\n{head}\r\n".encode() + raw


@dataclass(frozen=True, slots=True)
class Ack:
    """What a delivery got: a status, 0 if the connection just ended, after so many seconds."""

    status: int
    seconds: float


class Line:
    """A connection to the bot that is kept, as Slack keeps them."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._open: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, request: bytes, timeout: float = 30) -> Ack:
        """Send a request and wait for its answer."""
        started = time.monotonic()
        try:
            status = await asyncio.wait_for(self._ask(request), timeout)
        except (OSError, asyncio.IncompleteReadError, TimeoutError):
            self.close()
            status = 0
        return Ack(status, time.monotonic() - started)

    async def _ask(self, request: bytes) -> int:
        if self._open is None:
            self._open = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._open
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = next((line.split(":")[1] for line in head.split("\r\n") if line.startswith("content-length:")), "0")
        await reader.readexactly(int(length))
        if "connection: close" in head:
            self.close()
        return int(head.split(" ", 2)[1])

    def close(self) -> None:
        if self._open is not None:
            self._open[1].close()
            self._open = None


async def crowd(port: int, messages: Iterable[Said], at_once: int, rate: float = 0.0) -> list[Ack]:
    """Deliver all of it over `at_once` connections, each with one delivery under way; the acknowledgements in order.

    As fast as it goes, or `rate` messages a second.
    """
    waiting, began = enumerate(messages), time.monotonic()
    acks: dict[int, Ack] = {}

    async def one() -> None:
        line = Line(port)
        for number, message in waiting:
            if rate:
                await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
            acks[number] = await line.ask(signed(message.raw, message.kind))
        line.close()

    await asyncio.gather(*(one() for _ in range(at_once)))
    return [acks[number] for number in sorted(acks)]
