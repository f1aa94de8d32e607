"""A busy Slack on a free port: each call takes a while and has a fate that was planned beforehand.

Cheaper than `slack_stub` (one event loop in one thread), so that hundreds of calls a second measure the bot and not
the stand-in; and it remembers which attempts arrived, which it answered, and when.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from support.slack_stub import BOT, BOT_ID, TEAM, Fault

T = TypeVar("T")
Fates = Callable[[str, int], Fault | None]
"""From a message's address and the attempt's number, beginning with 0, to what happens; None: all is well."""

GREETINGS = frozenset({"auth.test", "apps.connections.open"})
"""Calls that are counted and no more."""
ADDRESS = ("channel", "thread_ts", "hook")
"""The arguments that make up an address."""
ABORT = struct.pack("ii", 1, 0)


def busy(seconds: float) -> float:
    """So many seconds of an idle machine, on this one as busy as it is now."""
    return seconds * (1 + os.getloadavg()[0] / (os.cpu_count() or 1))


@dataclass(slots=True)
class Attempt:
    """One request to the Web API or a response_url, and what became of it; `done` is 0 until it has been answered."""

    method: str
    args: dict[str, Any]
    token: str
    fault: Fault | None
    at: float
    done: float = 0.0

    @property
    def address(self) -> str:
        """Which message it belongs to: channel and thread, or the response_url."""
        return address(self.args["hook"]) if self.method == "hook" else address(self.method, **self.args)

    @property
    def arrived(self) -> bool:
        """Whether Slack has taken it."""
        return bool(self.done) and self.fault is None


def address(method: str, *, channel: str = "", thread_ts: str = "", **_: Any) -> str:
    return " ".join(filter(None, (method, channel, thread_ts)))


class BusySlack:
    """Slack; `fates` plans what happens to each attempt, and `latency` is in seconds.

    `watchers` are called, in Slack's own thread, with each attempt that has been answered. A `lean` Slack remembers of an
    attempt only its address, so that a hundred thousand of them take little memory.
    """

    def __init__(self, latency: float = 0.0, fates: Fates | None = None, *, lean: bool = False) -> None:
        self.latency, self.fates = latency, fates or (lambda _address, _attempt: None)
        self.lean = lean
        self.watchers: list[Callable[[Attempt], None]] = []
        self.attempts: list[Attempt] = []
        self.count: Counter[str] = Counter()
        self.changed = threading.Condition()
        self.acknowledged: dict[str, float] = {}
        self._awaited: dict[str, asyncio.Future[None]] = {}
        self.links: list[asyncio.StreamWriter] = []
        self.pings = 0
        self.deaf = False
        self.cut_at_accept = 0
        self.loop = asyncio.new_event_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._kept: set[asyncio.StreamWriter] = set()
        self._thread = threading.Thread(target=self.loop.run_forever, name="busy slack", daemon=True)
        self._thread.start()
        self.port = 0
        self._server: asyncio.Server | None = None
        self.listen()

    def __enter__(self) -> BusySlack:
        return self

    def __exit__(self, *_: object) -> None:
        self.run(self._close())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/"

    def hook(self, name: str) -> str:
        """A response_url."""
        return f"http://127.0.0.1:{self.port}/hook/{name}"

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do this in Slack's own loop, which is cheaper than a thread for each of many people."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result()

    def listen(self) -> None:
        """Take connections, again after `refuse`."""
        self._server = self.run(asyncio.start_server(self._serve, "127.0.0.1", self.port, backlog=1024))
        self.port = self._server.sockets[0].getsockname()[1]

    def refuse(self) -> None:
        """Refuse every new connection, and end those that are kept."""
        self.run(self._refuse())

    async def _refuse(self) -> None:
        assert self._server is not None
        self._server.close()
        for each in list(self._kept):
            each.close()

    def wait_for(self, condition: Callable[[], Any], what: str, timeout: float = 10) -> None:
        timeout = busy(timeout)
        with self.changed:
            assert self.changed.wait_for(condition, timeout), f"waited {timeout:.0f} s for {what}"

    def arrived(self, method: str = "") -> list[Attempt]:
        """The attempts that Slack has taken."""
        return [each for each in list(self.attempts) if each.arrived and (not method or each.method == method)]

    # -- requests

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            if self.cut_at_accept:
                self.cut_at_accept -= 1
                _abort(writer)
                return
            keeps = True
            while keeps:
                self._kept.add(writer)
                line, headers = _head(await reader.readuntil(b"\r\n\r\n"))
                self._kept.discard(writer)
                keeps = headers.get("connection", "").lower() != "close"
                if headers.get("upgrade") == "websocket":
                    await self._link(reader, writer, headers)
                    return
                raw = await reader.readexactly(int(headers.get("content-length", 0)))
                await self._answer(writer, line[1], headers, raw, keeps)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            self._kept.discard(writer)
            writer.close()

    async def _answer(
        self, writer: asyncio.StreamWriter, path: str, headers: dict[str, str], raw: bytes, keeps: bool
    ) -> None:
        method = path.removeprefix("/api/") if path.startswith("/api/") else "hook"
        kind = headers.get("content-type", "")
        args = json.loads(raw or b"{}") if kind.startswith("application/json") else dict(parse_qsl(raw.decode()))
        if method == "hook":
            args["hook"] = path.removeprefix("/hook/")
        if self.lean:
            args = {name: args[name] for name in ADDRESS if name in args}
        attempt = Attempt(
            method, args, headers.get("authorization", "").removeprefix("Bearer "), None, time.monotonic()
        )
        attempt.fault = self.fates(attempt.address, self.count[attempt.address])
        with self.changed:
            self.count[attempt.address] += 1
            if method not in GREETINGS:
                self.attempts.append(attempt)
            self.changed.notify_all()
        fault = attempt.fault or Fault()
        if fault.silent:
            await asyncio.sleep(60)
            return
        if self.latency:
            await asyncio.sleep(self.latency)
        with self.changed:  # before the response is written: whoever has it, finds the attempt among the arrived ones
            attempt.done = time.monotonic()
            self.changed.notify_all()
        if fault.reset:
            _abort(writer)
        else:
            writer.write(_response(method, fault, self._success(method), keeps))
            await writer.drain()
        for watch in self.watchers:
            watch(attempt)

    def _success(self, method: str) -> dict[str, Any]:
        if method == "auth.test":
            return {"ok": True, "user_id": BOT, "bot_id": BOT_ID, "team_id": TEAM, "user": "askpy"}
        if method == "apps.connections.open":
            return {"ok": True, "url": f"ws://127.0.0.1:{self.port}/link"}
        return {"ok": True, "ts": "1.0"}

    # -- the WebSocket

    async def _link(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, headers: dict[str, str]) -> None:
        key = headers["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        accept = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
        head = ("HTTP/1.1 101 OK", "Upgrade: websocket", "Connection: Upgrade", f"Sec-WebSocket-Accept: {accept}")
        with self.changed:  # before the bot hears of it: whoever finds it connected may send
            self.links.append(writer)
            self.changed.notify_all()
        writer.write("\r\n".join((*head, "", "")).encode())
        writer.write(frame(json.dumps({"type": "hello", "num_connections": 1}).encode()))
        while True:
            first, second = await reader.readexactly(2)
            length = second & 0x7F
            if length >= 126:
                length = int.from_bytes(await reader.readexactly(2 if length == 126 else 8))
            mask, data = await reader.readexactly(4), await reader.readexactly(length)
            data = bytes(byte ^ mask[number % 4] for number, byte in enumerate(data))
            with self.changed:
                if first & 0x0F == 9:
                    self.pings += 1
                    if not self.deaf:
                        writer.write(frame(data, 10))
                elif first & 0x0F == 1:
                    name = json.loads(data)["envelope_id"]
                    self.acknowledged.setdefault(name, time.monotonic())
                    if name in self._awaited and not self._awaited[name].done():
                        self._awaited[name].set_result(None)
                elif first & 0x0F == 8:
                    return
                self.changed.notify_all()

    async def acknowledgement(self, name: str, timeout: float) -> bool:
        """Whether the bot acknowledges an envelope within so many seconds; to be awaited in Slack's own loop."""
        waiting = self._awaited.setdefault(name, self.loop.create_future())
        if name not in self.acknowledged:
            await asyncio.wait({waiting}, timeout=timeout)
        del self._awaited[name]
        return name in self.acknowledged

    def send(self, envelope: dict[str, Any] | bytes) -> None:
        """An envelope, or any bytes as a text frame, by the newest WebSocket."""
        data = envelope if isinstance(envelope, bytes) else json.dumps(envelope).encode()
        self.send_raw(frame(data))

    def send_raw(self, data: bytes) -> None:
        """Bytes as they are, by the newest WebSocket."""
        self.loop.call_soon_threadsafe(self.links[-1].write, data)

    def cut(self) -> None:
        """Cut every WebSocket without a word."""
        for each in self.links:
            self.loop.call_soon_threadsafe(_abort, each)

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
        for each in self.links:
            _abort(each)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def frame(data: bytes, opcode: int = 1) -> bytes:
    """One WebSocket frame, unmasked as a server sends it."""
    if len(data) < 126:
        return struct.pack("!BB", 0x80 | opcode, len(data)) + data
    if len(data) < 65_536:
        return struct.pack("!BBH", 0x80 | opcode, 126, len(data)) + data
    return struct.pack("!BBQ", 0x80 | opcode, 127, len(data)) + data


def _head(raw: bytes) -> tuple[list[str], dict[str, str]]:
    line, *rest = raw.decode("latin-1").split("\r\n")
    pairs = (each.partition(":") for each in rest if each)
    return line.split(), {name.lower(): value.strip() for name, _, value in pairs}


def _response(method: str, fault: Fault, success: dict[str, Any], keeps: bool) -> bytes:
    answer = {"ok": False, "error": fault.error} if fault.error else success
    body = b"Bad Gateway" if fault.status >= 500 else json.dumps(answer).encode()
    if method == "hook" and not fault.error and fault.status == 200:
        body = b"ok"
    headers = [
        f"HTTP/1.1 {fault.status} Said",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        "x-oauth-scopes: app_mentions:read,chat:write,commands,im:history",
        f"Connection: {'keep-alive' if keeps else 'close'}",
    ]
    if fault.retry_after is not None:
        headers.append(f"Retry-After: {fault.retry_after}")
    return "\r\n".join((*headers, "", "")).encode() + body


def _abort(writer: asyncio.StreamWriter) -> None:
    """Reset the connection: what was sent is lost, and the other side hears so."""
    with suppress(OSError):
        found = writer.get_extra_info("socket")
        if found is not None and found.fileno() != -1:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
    writer.transport.abort()
