"""HTTP: `POST /slack/events` for Bolt, pages for GET, and a server with limits for its clients.

Bolt parses the body before it checks the signature, and raises on some malformed input. Here the signature is checked first, then
whether Bolt can read the payload. aiohttp limits neither the number of connections nor the time in which a request arrives, so
connections are accepted and watched here.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import os
import re
import socket
import time
from collections.abc import Awaitable, Callable, Mapping
from errno import EMFILE, ENFILE
from functools import partial
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
from bot.settings import ANY_HOST
from bot.slack.admission import AckThenRun, Tasks, no_op
from bot.slack.logs import format_without_message
from bot.slack.payloads import is_valid_payload
from bot.slack.transport.health import HEALTH, STARTING, Page, health_page
from bot.slack.transport.notices import Notices
from bot.slack.transport.remedies import APP_SETTINGS_PAGE

MAX_CONNECTIONS = 300
"""Open connections. A slow client costs one of them and nothing else; further ones wait in the kernel's queue."""
BACKLOG = 1024
"""Connections that wait in the kernel's queue until they are accepted."""
IDLE_TIMEOUT, IDLE_TIMEOUT_FULL = 10.0, 1.0
"""Seconds in which a request has to arrive, and that a connection may be idle; and the same while all connections are in use."""
POLL_INTERVAL = 0.1
"""Seconds between two checks while no connection can be accepted."""
MAX_BODY_BYTES = 1_000_000
"""Bytes of a body. Slack's largest payloads, views with all their blocks, have a quarter of that."""
READ_GRACE = 0.02
"""Seconds, when the server closes, in which waiting connections are still accepted, and then as long in which requests that have
arrived are read."""

ListeningSocket = socket.socket
Handle = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

_silent = logging.getLogger("bot.slack.aiohttp")
_silent.setLevel(logging.CRITICAL)  # aiohttp logs a traceback for every client that doesn't speak HTTP
EVENTS = "/slack/events"
GRACE = 8.0
"""Seconds that stopping may take: platforms kill a process after ten."""
FINISH_WITHIN = GRACE / 2
"""Seconds of them in which requests that have arrived are answered."""
DELIVERED_ONCE = frozenset({"block_actions", "view_submission", "message_action", "shortcut"})
"""Interactions that, like a command, Slack never delivers twice."""
MAX_OFFSET = 300
"""Seconds that a request's time may differ from this machine's clock, as Slack's own code has it."""
SIGNED_FOR = 2 * MAX_OFFSET
"""Seconds in which a signature may be valid: five minutes, with a clock that may be five minutes ahead."""
MAX_SEEN_SIGNATURES = 20_000
"""Signatures of commands and interactions that are kept."""
TYPES = frozenset({"application/json", "application/x-www-form-urlencoded"})
HEADERS = (
    "Content-Type",
    "X-Slack-Request-Timestamp",
    "X-Slack-Signature",
    "X-Slack-Retry-Num",
    "X-Slack-Retry-Reason",
)
"""The headers that are passed on to Bolt; clients must not set others, which Bolt trusts."""

Dispatch = Callable[[AsyncBoltRequest], Awaitable[BoltResponse]]
Route = Callable[[AsyncBoltRequest], Awaitable[BoltResponse]]
"""Responds to a request of a browser."""

_DIGITS = re.compile(r"[0-9]{1,15}", re.ASCII)
_WELL_FORMED = re.compile(r"v0=[0-9a-f]{64}", re.ASCII)
_STAMP, _SIGNATURE = "X-Slack-Request-Timestamp", "X-Slack-Signature"

logger = logging.getLogger(__name__)


class HttpReceiver:
    """Responds to requests. `dispatch` is AsyncApp.async_dispatch, `pages` are the responses to GET by their paths.

    Until `is_ready()` is true, events and health get a 503, so that Slack sends the event again; other pages are served. `routes`
    respond to a browser's GET, once it is ready. `notices` are told what is refused, and `on_refusal` is called with the reason,
    a key of REFUSALS. `on_delivery` is called with the status of each response to a payload of Slack's.
    """

    def __init__(
        self,
        dispatch: Dispatch,
        signing_secret: str,
        pages: Mapping[str, Page],
        *,
        routes: Mapping[str, Route] | None = None,
        is_ready: Callable[[], bool] = lambda: True,
        notices: Notices | None = None,
        on_refusal: Callable[[str], None] = no_op,
        on_delivery: Callable[[int], None] = no_op,
    ) -> None:
        self._dispatch = dispatch
        self._signatures = SignatureVerifier(signing_secret)
        self._pages = pages
        self._routes = routes or {}
        self._is_ready = is_ready
        self._seen = SeenSignatures()
        self._is_secret_right = False
        self._notices = notices or Notices()
        self._on_refusal, self._on_delivery = on_refusal, on_delivery

    async def respond(self, request: web.BaseRequest) -> web.StreamResponse:
        """The response to any request; raises what `read_body` raises."""
        path = request.path
        if path != EVENTS:
            if path == HEALTH and request.method == "GET" and not self._is_ready():
                return self._not_ready()
            if path in self._routes and self._is_ready():
                return await self._respond_by(self._routes[path], request)
            if path not in self._pages:
                await self._note_wrong_path(request)
            return get_page(self._pages, request)
        if request.method != "POST":
            self.note_refusal("method")
            return status_response(405, allow="POST")
        if not self._is_ready():  # why is for the operator's /healthz: this path is open to everybody
            return page_response(*health_page(False))
        return await self._respond_to_event(request)

    async def _respond_by(self, route: Route, request: web.BaseRequest) -> web.StreamResponse:
        if request.method != "GET":
            self.note_refusal("method")
            return status_response(405, allow="GET")
        headers = {name: request.headers[name] for name in ("Cookie",) if name in request.headers}
        return _http_response(await route(AsyncBoltRequest(body="", query=request.query_string, headers=dict(headers))))

    def note_refusal(self, reason: str, **details: str) -> None:
        """Count a request that is refused, and report it; `reason` is a key of REFUSALS, which has fields for `details`."""
        self._on_refusal(reason)
        text = f"refused: {REFUSALS[reason].format(**details)}"
        is_fault = reason in FAULTS
        level = logging.WARNING if is_fault else logging.INFO
        self._notices.report(f"request {reason}", text, unit="request", level=level, is_note=is_fault)

    def _refuse(self, status: int, reason: str, **details: str) -> web.Response:
        self.note_refusal(reason, **details)
        return status_response(status)

    async def _note_wrong_path(self, request: web.BaseRequest) -> None:
        """Report a request to a path that has nothing: Slack's own, by its signature, or a stranger's."""
        reason = "path"
        try:
            if _is_well_formed(request.headers) and not rejection(request.headers)[0]:
                is_slacks = self._is_signed(await read_body(request), request.headers) is True
                reason = "request_url" if is_slacks else "path"
        finally:
            self.note_refusal(reason)

    def _is_signed(self, raw: bytes, headers: Mapping[str, str]) -> bool | None:
        """Whether the signature is Slack's and new; None for a body that isn't UTF-8, of which the SDK computes none."""
        try:
            is_signed = self._signatures.is_valid(raw, headers.get(_STAMP, "0"), headers.get(_SIGNATURE, ""))
        except UnicodeDecodeError:
            return None
        if is_signed:
            self._note_right_secret()
        return is_signed

    def _note_right_secret(self) -> None:
        """From now on a wrong signature is somebody else's."""
        self._is_secret_right = True
        self._notices.end("request signature", "Requests have the right signature now")

    def _not_ready(self) -> web.Response:
        return page_response(*health_page(False, "; ".join(self._notices.present) or STARTING))

    async def _respond_to_event(self, request: web.BaseRequest) -> web.StreamResponse:
        status, reason = rejection(request.headers)
        if status:
            return self._refuse(status, reason)
        try:
            raw = await read_body(request)
        except BodyRejected as rejected:
            self.note_refusal(rejected.reason)
            raise
        is_signed = self._is_signed(raw, request.headers)
        if is_signed is None:
            return self._refuse(400, "encoding")
        if not is_signed:
            return self._refuse_unsigned(raw, request.headers)
        text = raw.decode()
        body = parse_body(text, media_type(request.headers))
        if not is_valid_payload(body):
            return self._refuse(400, "payload")
        try:
            bolt_request = _bolt_request(request, text, body)
        except Exception:  # whatever Bolt raises here, the input is malformed
            return self._refuse(400, "payload")
        return await self._run(request, bolt_request, request.headers[_SIGNATURE])

    def _refuse_unsigned(self, raw: bytes, headers: Mapping[str, str]) -> web.Response:
        """Refuse it with 401, and tell why. Slack's code has computed the signature unless the time is off."""
        if not _is_well_formed(headers):
            return self._refuse(401, "unsigned")
        stamp = headers[_STAMP]
        offset = int(stamp) - self._signatures.clock.now()
        expected = self._signatures.generate_signature(timestamp=stamp, body=raw) or ""
        if abs(offset) <= MAX_OFFSET or not hmac.compare_digest(expected, headers[_SIGNATURE]):
            return self._refuse(401, "forged" if self._is_secret_right else "signature")
        self._note_right_secret()
        return self._refuse(401, "clock", offset=f"{abs(offset):.0f} s {'ahead of' if offset > 0 else 'behind'}")

    async def _run(
        self, request: web.BaseRequest, bolt_request: AsyncBoltRequest, signature: str
    ) -> web.StreamResponse:
        """Dispatch it to Bolt. What Slack delivers only once is dispatched only if its signature is new."""
        body = bolt_request.body
        once = "command" in body or body.get("type") in DELIVERED_ONCE
        if once and not self._seen.add(signature):
            return self._refuse(401, "replayed")
        self._notices.end("request clock", "Requests have the right time again")
        status = 500
        try:
            response = await self._dispatch(bolt_request)
            status = response.status
        finally:
            self._on_delivery(status)
        if once and response.status != 200:
            self._seen.forget(signature)
        http_response = _http_response(response)
        if isinstance(response, AckThenRun):
            await _write(request, http_response, response)
        return http_response


# --- refusing and parsing requests

_STRANGER = "somebody else than Slack sends them"
REFUSALS = {
    "clock": "their time is {offset} this machine's clock; set this machine's clock (NTP), unless somebody sends old ones again",
    "signature": f"SLACK_SIGNING_SECRET isn't this app's, a proxy changes the bodies, or {_STRANGER}; compare it with "
    f"{APP_SETTINGS_PAGE}, Basic Information",
    "forged": f"their signature is wrong, and SLACK_SIGNING_SECRET was right before; {_STRANGER}, unless the secret was changed "
    "since, or a proxy changes some bodies",
    "unsigned": f"they have no time and signature of Slack's form; {_STRANGER}, or a proxy drops the headers "
    "X-Slack-Signature and X-Slack-Request-Timestamp",
    "replayed": f"a press or command with a signature that was used; {_STRANGER} again",
    "request_url": f"they are Slack's, and {EVENTS} isn't their path; let each Request URL of the app end in it: "
    f"{APP_SETTINGS_PAGE}",
    "payload": "they have the right signature, and can't be read; please report it with AskPy's version",
    "path": f"there is nothing at their path; {_STRANGER}, or a Request URL of the app doesn't end in {EVENTS}",
    "method": f"their method isn't POST; {_STRANGER}",
    "size": f"they are larger than Slack's; {_STRANGER}",
    "media_type": f"they are neither JSON nor a form; {_STRANGER}, or a proxy changes the header Content-Type",
    "encoding": "their bodies aren't UTF-8; a proxy compresses or changes them, and has to pass them on as they are, or "
    f"{_STRANGER}",
    "headers": f"their headers can't be read; {_STRANGER}",
    "slow": "their bodies took too long; the client is slow, or a proxy holds them back",
    "incomplete": "their bodies broke off; the client is gone, or a proxy cuts them",
    "not_http": "they aren't HTTP; if they come from a proxy in front, let it speak http to this port, not https",
}
"""Why a request is refused, and the remedy where there is one."""
FAULTS = frozenset({"clock", "signature", "request_url", "payload"})
"""Reasons that probably keep Slack's own requests out: warnings, and notes on /healthz."""


def rejection(headers: Mapping[str, str]) -> tuple[int, str]:
    """The status with which a request is refused because of its headers, and the reason; 0 and "" if it isn't."""
    length = headers.get("Content-Length", "0")
    if not _DIGITS.fullmatch(length):
        return 400, "headers"
    if int(length) > MAX_BODY_BYTES:
        return 413, "size"
    if media_type(headers) not in TYPES:
        return 415, "media_type"
    if not _DIGITS.fullmatch(headers.get(_STAMP, "0")) or not headers.get(_SIGNATURE, "").isascii():
        return 400, "headers"
    return 0, ""


def _is_well_formed(headers: Mapping[str, str]) -> bool:
    """Whether it has a time and a signature of Slack's form."""
    return _STAMP in headers and _WELL_FORMED.fullmatch(headers.get(_SIGNATURE, "")) is not None


def media_type(headers: Mapping[str, str]) -> str:
    """The media type of a body, without its parameters."""
    return headers.get("Content-Type", "").partition(";")[0].strip().lower()


def parse_body(text: str, kind: str) -> Any:
    """The payload in a body: JSON, or a form that is the payload or has it in its field `payload`; None if it can't be read.

    Bolt itself searches the whole form for "payload", a person's words included, and then fails to find the field.
    """
    try:
        if kind == "application/json" or text.startswith("{"):
            return json.loads(text)
        fields = dict(parse_qsl(text, keep_blank_values=True))
        return json.loads(fields["payload"]) if "payload" in fields else fields
    except (ValueError, RecursionError):
        return None


def _bolt_request(request: web.BaseRequest, text: str, body: dict[str, Any]) -> AsyncBoltRequest:
    """Bolt's request, with the body that was parsed here."""
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
    """Write the acknowledgement, and report to `delivery` whether it was written."""
    written = False
    try:
        await http_response.prepare(request)
        await http_response.write_eof()
        written = request.transport is not None and not request.transport.is_closing()
    except ConnectionError:  # Slack has hung up
        pass
    finally:
        response.delivery.written(written)


# --- repeated deliveries


class SeenSignatures:
    """The signatures that have been used, as long as they are valid.

    64 bits of each, in two sets of which the older is dropped as a whole: an ordered dictionary takes four times the memory.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._newer, self._older = set[int](), set[int]()
        self._clock = clock
        self._since = clock()

    def add(self, signature: str) -> bool:
        """Add a signature; false if it was used before."""
        key, now = hash(signature), self._clock()
        if now - self._since > SIGNED_FOR or len(self._newer) >= MAX_SEEN_SIGNATURES // 2:
            self._newer, self._older, self._since = set(), self._newer, now
        if key in self._newer or key in self._older:
            return False
        self._newer.add(key)
        return True

    def forget(self, signature: str) -> None:
        """Remove a signature, because its request wasn't handled."""
        self._newer.discard(hash(signature))
        self._older.discard(hash(signature))


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
"""The Server header; aiohttp's own would name its version and Python's."""


# --- reading a request


class BodyRejected(Exception):  # noqa: N818  a response to a client, no error
    """A body that isn't read to its end; `status` is the response, `reason` a key of REFUSALS."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(status)
        self.status, self.reason = status, reason


async def read_body(request: web.BaseRequest) -> bytes:
    """The whole body; raises BodyRejected if it is too large, takes longer than IDLE_TIMEOUT, or is no valid HTTP."""
    content = request.content
    try:
        if content.is_eof():
            body = content.read_nowait()
        else:
            body = b""
            async with asyncio.timeout(IDLE_TIMEOUT):
                while not content.at_eof() and len(body) <= MAX_BODY_BYTES:
                    body += await content.readany()
    except TimeoutError:
        raise BodyRejected(408, "slow") from None
    except (OSError, web.RequestPayloadError):  # the client is gone, or a chunk is malformed
        raise BodyRejected(400, "incomplete") from None
    if len(body) > MAX_BODY_BYTES:
        raise BodyRejected(413, "size")
    if isinstance(request.protocol, HttpConnection):
        request.protocol.waiting_since = None
    return body


# --- the server


class HttpConnection(web.RequestHandler):
    """A connection. `waiting_since`: monotonic time since when it waits for the client to send a request or the rest of one; None
    while a request is handled. `on_malformed` is called when what it sends isn't HTTP."""

    __slots__ = ("_on_malformed", "_open", "waiting_since")

    def __init__(
        self,
        *args: Any,
        open_connections: set[HttpConnection],
        on_malformed: Callable[[], None] = no_op,
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self._open, self._on_malformed = open_connections, on_malformed
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
        """Respond to what isn't HTTP, without quoting any of it."""
        if status == HTTPStatus.BAD_REQUEST:
            self._on_malformed()
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


def inherit(descriptor: int) -> socket.socket:
    """The listening socket that the parent of this process has opened."""
    os.set_inheritable(descriptor, False)
    return socket.socket(fileno=descriptor)


class HttpServer:
    """Serves HTTP on a listening socket. `handle` makes the response to each request; if it raises, the response is a 500.

    `on_malformed` is called when a client sends what isn't HTTP. While `may_accept()` is false, connections are left to other
    processes.
    """

    def __init__(
        self,
        handle: Handle,
        listening: socket.socket,
        on_malformed: Callable[[], None] = no_op,
        may_accept: Callable[[], bool] = lambda: True,
    ) -> None:
        self._handle = handle
        listening.setblocking(False)
        self._listening = listening
        self.port = int(listening.getsockname()[1])
        self._server = web.Server(self._answer)
        self._options: dict[str, Any] = {
            "loop": asyncio.get_running_loop(),
            "keepalive_timeout": IDLE_TIMEOUT,  # counts from the last response, also while half a header has come
            "logger": _silent,
            "access_log": None,
            "on_malformed": on_malformed,
            "auto_decompress": False,  # Slack signs what it sends, and sends it as it is
        }
        self._open: set[HttpConnection] = set()
        self._connecting = Tasks()
        self._may_accept = may_accept
        self._has_failed = False
        self._paused: asyncio.TimerHandle | None = None
        self._resume()

    async def close(self, timeout: float) -> bool:
        """Accept no more connections, respond to what has arrived, and close. True if that was done within `timeout` seconds."""
        deadline = time.monotonic() + timeout
        await asyncio.sleep(READ_GRACE)
        self._stop_accepting()
        await self._connecting.finish(POLL_INTERVAL)  # what was accepted is served, as no other process can
        self._listening.close()
        await asyncio.sleep(READ_GRACE)
        for connection in list(self._open):
            if connection.waiting_since is None:
                connection.close()  # after the response to its request
            else:
                connection.force_close()
        while (busy := self._busy()) and time.monotonic() < deadline:
            await asyncio.sleep(READ_GRACE)
        await self._server.shutdown(POLL_INTERVAL)
        return not busy

    def _busy(self) -> bool:
        return any(connection.waiting_since is None for connection in self._open)

    # Connections are accepted by a reader of the event loop and not by `sock_accept`, which loses one where it is cancelled.

    def _resume(self) -> None:
        """Accept connections from now on."""
        self._paused = None
        asyncio.get_running_loop().add_reader(self._listening, self._accept)

    def _stop_accepting(self) -> None:
        asyncio.get_running_loop().remove_reader(self._listening)
        if self._paused is not None:
            self._paused.cancel()

    def _pause(self) -> None:
        """Leave waiting connections in the kernel's queue, where another process may take them."""
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._listening)
        self._paused = loop.call_later(POLL_INTERVAL, self._resume)

    def _accept(self) -> None:
        """Accept one connection, if there is still one and it may be accepted."""
        if not self._may_accept():
            self._pause()
            return
        if len(self._open) + len(self._connecting) >= MAX_CONNECTIONS:
            self._close_idle()
            self._pause()
            return
        try:
            accepted, _ = self._listening.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):  # another process was quicker
            return
        except OSError as error:  # no more file descriptors
            if not self._has_failed:
                remedy = "; raise this process's limit of open files" if error.errno in (EMFILE, ENFILE) else ""
                logger.warning("Connections can't be accepted (%s); trying on%s.", error.strerror, remedy)
            self._has_failed = True
            self._pause()
            return
        self._has_failed = False
        accepted.setblocking(False)
        self._connecting.start(self._connect(accepted))

    async def _connect(self, accepted: socket.socket) -> None:
        try:
            await asyncio.get_running_loop().connect_accepted_socket(self._protocol, accepted)
        except Exception as error:  # an error with one client is nothing to the others
            accepted.close()
            if not isinstance(error, OSError):
                logger.error("A connection failed\n%s", format_without_message(error))

    def _protocol(self) -> HttpConnection:
        return HttpConnection(self._server, open_connections=self._open, **self._options)

    def _close_idle(self) -> None:
        """Close the connections that have been idle for IDLE_TIMEOUT_FULL seconds, to make room for others."""
        before = time.monotonic() - IDLE_TIMEOUT_FULL
        for connection in list(self._open):
            if connection.waiting_since is not None and connection.waiting_since < before:
                connection.force_close()

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        connection = request.protocol
        if isinstance(connection, HttpConnection):
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
            if isinstance(connection, HttpConnection):
                connection.waiting_since = time.monotonic()


# --- serving


async def serve_http(
    receiver: HttpReceiver,
    port: int,
    stop: asyncio.Event,
    *,
    host: str = ANY_HOST,
    ready: Callable[[int], None] | None = None,
    listening: socket.socket | None = None,
    may_accept: Callable[[], bool] = lambda: True,
    finish_within: float = FINISH_WITHIN,
) -> bool:
    """Serve until `stop` is set, then accept no more connections and respond to what has arrived; true if all of that was done.

    `ready` is called with the port once connections are accepted. `listening`: an existing listening socket. Raises
    AskPyError when the port can't be opened.
    """
    not_http = partial(receiver.note_refusal, "not_http")
    server = HttpServer(receiver.respond, listening or listen(host, port), not_http, may_accept)
    if listening is None:
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
    """The response to a request for one of the pages, which only support GET."""
    if request.path not in pages:
        return status_response(404)
    return page_response(*pages[request.path]()) if request.method == "GET" else status_response(405, allow="GET")


class PageServer:
    """Serves `pages` on a port of their own, as an asynchronous context. Raises AskPyError when the port can't be opened."""

    def __init__(self, port: int, pages: Mapping[str, Page], host: str = ANY_HOST) -> None:
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
