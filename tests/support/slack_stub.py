"""A stand-in for Slack on a free port: the Web API, response_urls and a WebSocket, with faults on request."""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import struct
import threading
from collections import defaultdict, deque
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

BOT, BOT_ID, TEAM = "U0BOT", "B0BOT", "T0TEAM"


@dataclass(frozen=True)
class Call:
    """One request that arrived."""

    method: str
    args: dict[str, Any]
    token: str = ""


@dataclass(frozen=True)
class Fault:
    """What happens instead of an answer: a status, an error of Slack's, a reset, or silence; or any `body` of a `kind`.

    `more` are further fields of an error; `location` is where a redirect leads.
    """

    status: int = 200
    error: str = ""
    retry_after: float | None = None
    reset: bool = False
    silent: bool = False
    body: bytes | None = None
    kind: str = "application/json"
    more: tuple[tuple[str, Any], ...] = ()
    location: str = ""


RESET, SILENCE = Fault(reset=True), Fault(silent=True)


def limited(seconds: float = 0.02) -> Fault:
    return Fault(429, "ratelimited", seconds)


class Stub:
    """Slack, as far as the bot can tell. `calls` holds what was asked, auth.test apart.

    Connections are kept; `connections` counts them. Of WebSockets: a `deaf` Slack answers no ping, one that doesn't
    `greets` says no hello, and `ends_with` is the reason with which it ends each at once; `refuses`
    is the status that each gets instead of an upgrade. `unreachable` is what happens to
    every message to a channel or member. `fields` are what a method's answers have besides, or instead, and `scopes` the token's.
    """

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.faults: dict[str, deque[Fault]] = defaultdict(deque)
        self.unreachable: dict[str, Fault] = {}
        self.changed = threading.Condition()
        self.quiet = threading.Event()
        self.sockets: list[socket.socket] = []
        self.acknowledged: list[str] = []
        self.payloads: dict[str, Any] = {}
        self.auth_tests = 0
        self.connections = 0
        self.deaf = False
        self.greets = True
        self.ends_with = ""
        self.fields: dict[str, dict[str, Any]] = {}
        self.scopes = "app_mentions:read,chat:write,commands,im:history"
        self.refuses = 0
        stub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # or an answer waits for the bot to acknowledge its own headers

            def setup(self) -> None:
                super().setup()
                with stub.changed:
                    stub.connections += 1

            def do_POST(self) -> None:
                stub.answer(self)

            def do_GET(self) -> None:
                stub.upgrade(self)

            def log_message(self, *_: object) -> None:
                return

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 256

            def handle_error(self, *_: object) -> None:
                return

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/api/"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def hook(self, name: str = "1") -> str:
        """A response_url."""
        return f"http://127.0.0.1:{self.port}/hook/{name}"

    def fail(self, method: str, *faults: Fault) -> None:
        """The next answers of `method` ("hook" for a response_url)."""
        self.faults[method].extend(faults)

    def of(self, method: str) -> list[dict[str, Any]]:
        """The arguments of the calls of `method`."""
        return [call.args for call in list(self.calls) if call.method == method]

    def wait(self, method: str, number: int = 1, timeout: float = 5) -> list[dict[str, Any]]:
        """The arguments of at least `number` calls of `method`."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.of(method)) >= number, timeout), (method, self.calls)
        return self.of(method)

    def close(self) -> None:
        self.quiet.set()
        self.cut()
        self.server.shutdown()
        self.server.server_close()

    # -- the Web API

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        raw = request.rfile.read(int(request.headers.get("Content-Length") or 0)).decode()
        kind = request.headers.get("Content-Type", "")
        args = json.loads(raw or "{}") if kind.startswith("application/json") else dict(parse_qsl(raw))
        method = request.path.removeprefix("/api/") if request.path.startswith("/api/") else "hook"
        token = str(request.headers.get("Authorization") or "").removeprefix("Bearer ")
        if method == "hook":
            args["hook"] = request.path.removeprefix("/hook/")
        with self.changed:
            if method == "auth.test":
                self.auth_tests += 1
            else:
                self.calls.append(Call(method, args, token))
            self.changed.notify_all()
        fault = self.faults[method].popleft() if self.faults[method] else Fault()
        fault = self.unreachable.get(str(args.get("channel")), fault)
        if fault.silent:
            self.quiet.wait(10)
            request.close_connection = True
            return
        if fault.reset:
            linger = struct.pack("ii", 1, 0)
            request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            request.connection.close()
            request.close_connection = True
            return
        answer = {"ok": False, "error": fault.error, **dict(fault.more)} if fault.error else self.success(method)
        answer |= {} if fault.error else self.fields.get(method, {})
        body = b"Bad Gateway" if fault.status >= 500 else json.dumps(answer).encode()
        if method == "hook" and not fault.error and fault.status == 200:
            body = b"ok"
        if fault.body is not None:
            body = fault.body
        request.send_response(fault.status)
        if fault.location:
            request.send_header("Location", fault.location)
        if fault.retry_after is not None:
            request.send_header("Retry-After", str(fault.retry_after))
        request.send_header("x-oauth-scopes", self.scopes)
        request.send_header("Content-Type", fault.kind)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    def success(self, method: str) -> dict[str, Any]:
        if method == "auth.test":
            return {"ok": True, "user_id": BOT, "bot_id": BOT_ID, "team_id": TEAM, "user": "askpy"}
        if method == "apps.connections.open":
            return {"ok": True, "url": f"ws://127.0.0.1:{self.port}/link?ticket=1"}
        return {"ok": True, "ts": "1.0"}

    # -- the WebSocket

    def upgrade(self, request: BaseHTTPRequestHandler) -> None:
        if self.refuses:
            request.send_response(self.refuses)
            request.send_header("Content-Length", "0")
            request.end_headers()
            return
        key = request.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        accept = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
        request.send_response(101)
        for name, value in (("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Accept", accept)):
            request.send_header(name, value)
        request.end_headers()
        request.wfile.flush()
        with self.changed:
            self.sockets.append(request.connection)
            self.changed.notify_all()
        try:
            if self.greets:
                request.connection.sendall(_frame(b'{"type": "hello", "num_connections": 1}', 1))
            if self.ends_with:
                end = {"type": "disconnect", "reason": self.ends_with}
                request.connection.sendall(_frame(json.dumps(end).encode(), 1) + _frame(b"", 8))
            while frame := _read(request.rfile):
                opcode, data = frame
                if opcode == 8:
                    with suppress(OSError):
                        request.connection.sendall(_frame(data, 8))
                    break
                if opcode == 9 and not self.deaf:
                    request.connection.sendall(_frame(data, 10))
                elif opcode == 1:
                    with self.changed:
                        acknowledgement = json.loads(data)
                        self.acknowledged.append(acknowledgement["envelope_id"])
                        self.payloads[acknowledgement["envelope_id"]] = acknowledgement.get("payload", {})
                        self.changed.notify_all()
        except OSError:
            pass
        request.close_connection = True

    def send(self, envelope: dict[str, Any] | bytes) -> None:
        """An envelope, or any text, by the newest WebSocket."""
        data = envelope if isinstance(envelope, bytes) else json.dumps(envelope).encode()
        with self.changed:  # the bot may know of its connection a moment earlier
            assert self.changed.wait_for(lambda: self.sockets, 10)
        self.sockets[-1].sendall(_frame(data, 1))

    def cut(self) -> None:
        """Cut every WebSocket without a word."""
        for each in self.sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def wait_for(self, condition: Any, timeout: float = 5) -> None:
        with self.changed:
            assert self.changed.wait_for(condition, timeout), self.calls


def _frame(data: bytes, opcode: int) -> bytes:
    if len(data) < 126:
        length = struct.pack("!B", len(data))
    elif len(data) < 65_536:
        length = struct.pack("!BH", 126, len(data))
    else:
        length = struct.pack("!BQ", 127, len(data))
    return bytes([0x80 | opcode]) + length + data


def _read(file: Any) -> tuple[int, bytes] | None:
    head = file.read(2)
    if len(head) < 2:
        return None
    length = head[1] & 0x7F
    if length == 126:
        (length,) = struct.unpack("!H", file.read(2))
    elif length == 127:
        (length,) = struct.unpack("!Q", file.read(8))
    mask = file.read(4)
    data = bytes(byte ^ mask[number % 4] for number, byte in enumerate(file.read(length)))
    return head[0] & 0x0F, data
