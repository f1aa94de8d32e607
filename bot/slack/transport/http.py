"""HTTP: `POST /slack/events` for Bolt, pages for GET, and the server that bounds what clients can take of it.

Bolt parses the body before it checks the signature, and some rubbish raises inside it. Here the signature comes first, then
the check that Bolt can read the payload. aiohttp limits neither how many connections there are nor how long a request may take
to come in, so that connections are accepted and watched here.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import socket
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web
from multidict import CIMultiDict
from slack_bolt import BoltResponse
from slack_bolt.context.async_context import AsyncBoltContext
from slack_bolt.request.async_internals import build_async_context
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.signature import SignatureVerifier

from bot.model import AskPyError
from bot.slack.admission import AckThenRun
from bot.slack.logs import format_without_message
from bot.slack.payloads import is_valid_payload
from bot.slack.transport.health import HEALTH, Page, health_page

CONNECTIONS = 300
"""Open connections. Slow clients sit in them without costing anything else; further ones wait in the kernel's queue."""
BACKLOG = 1024
"""Connections that the kernel keeps until they are accepted."""
PATIENCE, CROWDED_PATIENCE = 10.0, 1.0
"""Seconds that a request may take to come in, or a connection may be idle; and where there are no more to be had."""
TICK = 0.1
"""Seconds between two looks for connections to close, in a crowd."""
LARGEST_BODY = 1_000_000
"""Bytes. Slack's largest payloads, views with all their blocks, end at a quarter of that."""
UNREAD = 0.02
"""Seconds at the stop in which connections that wait in the kernel's queue are accepted, and then what has arrived is read."""

Handle = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

_silent = logging.getLogger("bot.slack.aiohttp")
_silent.setLevel(logging.CRITICAL)  # aiohttp logs a traceback for every client that doesn't speak HTTP
EVENTS = "/slack/events"
GRACE = 8.0
"""Seconds that a stop may take: platforms kill after ten."""
FINISH_WITHIN = GRACE / 2
"""Seconds of it in which requests that have arrived are answered."""
DELIVERED_ONCE = frozenset({"block_actions", "view_submission", "message_action", "shortcut"})
"""Interactions that do something and, like a command, never come again from Slack itself."""
SIGNED_FOR = 600
"""Seconds in which a signature may be believed: five minutes, from a clock that is five minutes ahead."""
MOST_SEEN = 20_000
"""Signatures of commands and interactions that are kept."""
TYPES = frozenset({"application/json", "application/x-www-form-urlencoded"})
HEADERS = (
    "Content-Type",
    "X-Slack-Request-Timestamp",
    "X-Slack-Signature",
    "X-Slack-Retry-Num",
    "X-Slack-Retry-Reason",
)
"""What Bolt gets of a request's headers: others that it obeys are no business of clients."""

Dispatch = Callable[[AsyncBoltRequest], Awaitable[BoltResponse]]

_DIGITS = re.compile(r"[0-9]{1,15}", re.ASCII)
_STAMP, _SIGNATURE = "X-Slack-Request-Timestamp", "X-Slack-Signature"

logger = logging.getLogger(__name__)


def _always() -> bool:
    return True


class HttpFront:
    """Answers requests. `dispatch` is AsyncApp.async_dispatch, `pages` answer to GET.

    Until `is_ready` says yes, events and health get a 503, so that Slack comes again; other pages answer.
    """

    def __init__(
        self,
        dispatch: Dispatch,
        signing_secret: str,
        pages: Mapping[str, Page],
        *,
        is_ready: Callable[[], bool] = _always,
    ) -> None:
        self._dispatch = dispatch
        self._is_signed = SignatureVerifier(signing_secret).is_valid
        self._pages = pages
        self._is_ready = is_ready
        self._seen = SeenSignatures()

    async def respond(self, request: web.BaseRequest) -> web.StreamResponse:
        """The response to any request; raises what `read_body` raises."""
        path = request.path
        if path != EVENTS:
            if path == HEALTH and request.method == "GET" and not self._is_ready():
                return page_response(*health_page(False))
            return get_page(self._pages, request)
        if request.method != "POST":
            return status_response(405, allow="POST")
        if not self._is_ready():
            return page_response(*health_page(False))
        return await self._respond_to_event(request)

    async def _respond_to_event(self, request: web.BaseRequest) -> web.StreamResponse:
        status = rejection_status(request.headers)
        if status:
            return status_response(status)
        raw = await read_body(request)
        stamp, signature = request.headers.get(_STAMP, "0"), request.headers.get(_SIGNATURE, "")
        try:
            if not self._is_signed(raw, stamp, signature):
                return status_response(401)
        except UnicodeDecodeError:
            return status_response(400)
        text = raw.decode()
        body = parse_body(text, media_type(request.headers))
        if not is_valid_payload(body):
            return status_response(400)
        try:
            bolt_request = _bolt_request(request, text, body)
        except Exception:  # whatever rubbish raises in there, it was rubbish
            return status_response(400)
        return await self._run(request, bolt_request, signature)

    async def _run(
        self, request: web.BaseRequest, bolt_request: AsyncBoltRequest, signature: str
    ) -> web.StreamResponse:
        """Dispatch it to Bolt; what Slack delivers once only if its signature is new."""
        body = bolt_request.body
        once = "command" in body or body.get("type") in DELIVERED_ONCE
        if once and not self._seen.add(signature):
            return status_response(401)
        response = await self._dispatch(bolt_request)
        if once and response.status != 200:
            self._seen.forget(signature)
        http_response = _http_response(response)
        if isinstance(response, AckThenRun):
            await _write(request, http_response, response)
        return http_response


# --- what is refused, and what is read


def rejection_status(headers: Mapping[str, str]) -> int:
    """The status with which a request is refused by its headers alone, or 0."""
    length = headers.get("Content-Length", "0")
    if not _DIGITS.fullmatch(length):
        return 400
    if int(length) > LARGEST_BODY:
        return 413
    if media_type(headers) not in TYPES:
        return 415
    if not _DIGITS.fullmatch(headers.get(_STAMP, "0")) or not headers.get(_SIGNATURE, "").isascii():
        return 400
    return 0


def media_type(headers: Mapping[str, str]) -> str:
    """The media type of a body, without its parameters."""
    return headers.get("Content-Type", "").partition(";")[0].strip().lower()


def parse_body(text: str, kind: str) -> Any:
    """The payload in a body: JSON, or a form that is one or has one in its field `payload`; None where it can't be read.

    Bolt looks for the word "payload" anywhere in a form, a person's words included, and then finds none.
    """
    try:
        if kind == "application/json" or text.startswith("{"):
            return json.loads(text)
        fields = dict(parse_qsl(text, keep_blank_values=True))
        return json.loads(fields["payload"]) if "payload" in fields else fields
    except (ValueError, RecursionError):
        return None


def _bolt_request(request: web.BaseRequest, text: str, body: dict[str, Any]) -> AsyncBoltRequest:
    """Bolt's request, with the body as it was read here."""
    headers = {name: request.headers[name] for name in HEADERS if name in request.headers}
    bolt_request = AsyncBoltRequest(body="", query=request.query_string, headers=dict(headers))
    bolt_request.raw_body, bolt_request.body = text, body
    bolt_request.context = build_async_context(AsyncBoltContext(), body)
    return bolt_request


# --- responses


def _http_response(response: BoltResponse) -> web.Response:
    headers = CIMultiDict((name, value) for name, values in response.headers.items() for value in values)
    headers.update(SERVER)
    return web.Response(status=response.status, body=response.body.encode(), headers=headers)


async def _write(request: web.BaseRequest, http_response: web.Response, response: AckThenRun) -> None:
    """Write the acknowledgement, and say whether Slack could be given it."""
    written = False
    try:
        await http_response.prepare(request)
        await http_response.write_eof()
        written = request.transport is not None and not request.transport.is_closing()
    except ConnectionError:  # Slack has hung up
        pass
    finally:
        response.delivery.written(written)


class SeenSignatures:
    """The signatures that have come, for as long as they are good."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._until: OrderedDict[str, float] = OrderedDict()
        self._clock = clock

    def add(self, signature: str) -> bool:
        """Keep it; false if it has come before."""
        now = self._clock()
        while self._until and (len(self._until) >= MOST_SEEN or next(iter(self._until.values())) < now):
            self._until.popitem(last=False)
        if signature in self._until:
            return False
        self._until[signature] = now + SIGNED_FOR
        return True

    def forget(self, signature: str) -> None:
        """Take it again: what it stood for was not done."""
        self._until.pop(signature, None)


# --- responses


def status_response(status: int, allow: str = "") -> web.Response:
    """A status and its name."""
    body = f"{HTTPStatus(status).phrase}\n".encode()
    return page_response(status, "text/plain", body, {"Allow": allow} if allow else {})


def page_response(status: int, kind: str, body: bytes, headers: dict[str, str] | None = None) -> web.Response:
    """Status, media type and body."""
    return web.Response(
        status=status, body=body, headers={**(headers or {}), "Content-Type": f"{kind}; charset=utf-8", **SERVER}
    )


SERVER = {"Server": "AskPy"}
"""aiohttp would name its version and Python's."""


# --- reading a request


class BodyRejected(Exception):  # noqa: N818  an answer to a client, no fault
    """A body that isn't read to its end, and the status that says why."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


async def read_body(request: web.BaseRequest) -> bytes:
    """The whole body; raises BodyRejected where it is too large, takes longer than PATIENCE, or is no valid HTTP."""
    content = request.content
    try:
        if content.is_eof():
            body = content.read_nowait()
        else:
            body = b""
            async with asyncio.timeout(PATIENCE):
                while not content.at_eof() and len(body) <= LARGEST_BODY:
                    body += await content.readany()
    except TimeoutError:
        raise BodyRejected(408) from None
    except (OSError, web.RequestPayloadError):  # the client is gone, or a chunk is malformed
        raise BodyRejected(400) from None
    if len(body) > LARGEST_BODY:
        raise BodyRejected(413)
    if isinstance(request.protocol, _Connection):
        request.protocol.waiting_since = None
    return body


# --- the server


class _Connection(web.RequestHandler):
    """A connection. `waiting_since`: since when it waits for the client, for a request or the rest of one; None while a
    request is answered."""

    __slots__ = ("_open", "waiting_since")

    def __init__(self, *args: Any, open_connections: set[_Connection], **options: Any) -> None:
        super().__init__(*args, **options)
        self._open = open_connections
        self.waiting_since: float | None = time.monotonic()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._open.add(self)

    def connection_lost(self, exc: BaseException | None) -> None:
        super().connection_lost(exc)
        self._open.discard(self)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,  # noqa: ARG002  aiohttp's signature
        message: str | None = None,  # noqa: ARG002
    ) -> web.StreamResponse:
        """Answer what is no HTTP, without repeating any of it."""
        if request.writer.output_size > 0:
            raise ConnectionError("a part of the response has been sent")
        response = status_response(status)
        response.force_close()
        return response


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; raises AskPyError when the port can't be opened."""
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        if os.name == "posix":  # elsewhere it would let two processes share a port
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        raise AskPyError(f"Port {port} can't be opened ({error.strerror}). Set PORT to another one.") from None
    return listening


class HttpServer:
    """Serves HTTP on a listening socket. `handle` makes the response to each request; what it raises is logged and a 500."""

    def __init__(self, handle: Handle, listening: socket.socket) -> None:
        self._handle = handle
        listening.setblocking(False)
        self._listening = listening
        self.port = int(listening.getsockname()[1])
        self._server = web.Server(self._answer)
        self._options: dict[str, Any] = {
            "loop": asyncio.get_running_loop(),
            "keepalive_timeout": PATIENCE,  # counts from the last response, also while half a header has come
            "logger": _silent,
            "access_log": None,
            "auto_decompress": False,  # Slack signs what it sends, and sends it as it is
        }
        self._open: set[_Connection] = set()
        self._accepting = asyncio.get_running_loop().create_task(self._accept())

    async def close(self, timeout: float) -> bool:
        """Accept no more, answer what has arrived, and close. True if that was done within `timeout` seconds."""
        deadline = time.monotonic() + timeout
        await asyncio.sleep(UNREAD)
        self._accepting.cancel()
        await asyncio.wait((self._accepting,))
        self._listening.close()
        await asyncio.sleep(UNREAD)
        for connection in list(self._open):
            if connection.waiting_since is None:
                connection.close()  # once its request is answered
            else:
                connection.force_close()
        while (busy := self._busy()) and time.monotonic() < deadline:
            await asyncio.sleep(UNREAD)
        await self._server.shutdown(TICK)
        return not busy

    def _busy(self) -> bool:
        return any(connection.waiting_since is None for connection in self._open)

    async def _accept(self) -> None:
        loop, failed = asyncio.get_running_loop(), False
        while True:
            while len(self._open) >= CONNECTIONS:
                self._close_idle()
                await asyncio.sleep(TICK)
            try:
                accepted, _ = await loop.sock_accept(self._listening)
            except OSError as error:  # no more file descriptors, or the client has gone again
                if not failed:
                    logger.warning("Connections can't be accepted (%s); trying on.", error.strerror)
                failed = True
                await asyncio.sleep(TICK)
                continue
            failed = False
            try:
                await loop.connect_accepted_socket(self._protocol, accepted)
            except Exception as error:  # one client's trouble must not end the accepting
                accepted.close()
                if not isinstance(error, OSError):
                    logger.error("A connection failed\n%s", format_without_message(error))

    def _protocol(self) -> _Connection:
        return _Connection(self._server, open_connections=self._open, **self._options)

    def _close_idle(self) -> None:
        """Close the connections that have kept us waiting while others wait for a place."""
        before = time.monotonic() - CROWDED_PATIENCE
        for connection in list(self._open):
            if connection.waiting_since is not None and connection.waiting_since < before:
                connection.force_close()

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        connection = request.protocol
        if isinstance(connection, _Connection):
            connection.waiting_since = time.monotonic()
        try:
            return await self._handle(request)
        except BodyRejected as rejected:
            response = status_response(rejected.status)
            response.force_close()
            return response
        except Exception as error:
            logger.error("A request failed\n%s", format_without_message(error))
            return status_response(500)
        finally:
            if isinstance(connection, _Connection):
                connection.waiting_since = time.monotonic()


# --- serving


async def serve_http(
    front: HttpFront,
    port: int,
    stop: asyncio.Event,
    *,
    host: str = "0.0.0.0",  # noqa: S104  a web process in a container is reached from outside
    ready: Callable[[int], None] | None = None,
    listening: socket.socket | None = None,
    finish_within: float = FINISH_WITHIN,
) -> bool:
    """Serve until `stop` is set, then accept no more and answer what has arrived; true if all of that was answered.

    `ready` is called with the port once connections are accepted. `listening`: a socket that listens already. Raises
    AskPyError when the port can't be opened.
    """
    server = HttpServer(front.respond, listening or listen(host, port))
    logger.info("Listening on port %s", server.port)
    try:
        if ready is not None:
            ready(server.port)
        await stop.wait()
    except BaseException:
        await server.close(0)
        raise
    return await server.close(finish_within)


def get_page(pages: Mapping[str, Page], request: web.BaseRequest) -> web.Response:
    """The response to a request for one of the pages, which answer to GET alone."""
    if request.path not in pages:
        return status_response(404)
    return page_response(*pages[request.path]()) if request.method == "GET" else status_response(405, allow="GET")


class PageServer:
    """Serves `pages` on a port of their own, as an asynchronous context. Raises AskPyError when the port can't be opened."""

    def __init__(self, port: int, pages: Mapping[str, Page], host: str = "0.0.0.0") -> None:  # noqa: S104  probed from outside
        self._pages = pages
        self._listening = listen(host, port)
        self.port = int(self._listening.getsockname()[1])

    async def __aenter__(self) -> PageServer:
        self._server = HttpServer(self._respond, self._listening)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._server.close(0)

    async def _respond(self, request: web.BaseRequest) -> web.StreamResponse:
        return get_page(self._pages, request)
