"""The HTTP door: a WSGI front around Bolt's own adapter, and the server that runs it.

Bolt parses the body before it checks the signature, and some rubbish raises inside it. Here the signature comes first, and
what is signed is met before it gets there.
"""

from __future__ import annotations

import json
import logging
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from slack_bolt import App, BoltRequest, BoltResponse
from slack_bolt.adapter.wsgi import SlackRequestHandler
from slack_bolt.adapter.wsgi.http_request import WsgiHttpRequest
from slack_bolt.adapter.wsgi.http_response import WsgiHttpResponse
from slack_bolt.request.internals import build_context
from slack_sdk.signature import SignatureVerifier
from waitress import wasyncore  # type: ignore[import-untyped]
from waitress.channel import HTTPChannel  # type: ignore[import-untyped]
from waitress.server import create_server  # type: ignore[import-untyped]

from bot.model import AskPyError
from bot.slack.app import SlackApp
from bot.slack.promises import WAITING, Acknowledged, Written
from bot.slack.shape import sensible

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

Page = Callable[[], tuple[int, str, bytes]]
"""Status, type and body of a page."""

Signed = Callable[[bytes, str, str], bool]
"""Whether Slack has signed a body, by its time and its signature."""

EVENTS = "/slack/events"
LARGEST_BODY = 1_000_000
"""Bytes. Slack's largest payloads, views with all their blocks, end at a quarter of that."""
SWALLOWED_BODY = 2_000_000
"""Bytes. Up to here a body is received before it is refused, because most clients send all of it before they listen."""
TYPES = frozenset({"application/json", "application/x-www-form-urlencoded"})
THREADS = WAITING + 16
"""Requests at once: messages that wait for their turn, and beside them all that is acknowledged in a few milliseconds."""
CONNECTIONS = 300
"""Open connections; slow clients sit in them without holding a thread."""
SILENT_FOR = 30
"""Seconds after which a silent connection is closed."""
PATIENCE, CROWDED_PATIENCE = 10.0, 1.0
"""Seconds that a request may take to come in, and where there are no more connections to be had."""
DELIVERED_ONCE = frozenset({"block_actions", "view_submission", "message_action", "shortcut"})
"""What does something and, like a command, never comes again from Slack itself."""
SIGNED_FOR = 600
"""Seconds in which a signature may be believed: five minutes, from a clock that is five minutes ahead."""
MOST_SEEN = 20_000
"""Signatures of commands and presses that are kept."""
GRACE = 8.0
"""Seconds that a stop may take: platforms kill after ten."""
TICK = 0.2
"""Seconds between two looks at whether to stop."""

_TIMESTAMP = re.compile(r"[0-9]{1,15}", re.ASCII)
_REASONS = {
    200: "OK", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 405: "Method Not Allowed",
    413: "Payload Too Large", 415: "Unsupported Media Type", 501: "Not Implemented", 503: "Service Unavailable",
}  # fmt: skip
_TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"

logger = logging.getLogger(__name__)


class _Bolt(SlackRequestHandler):
    """Bolt's adapter, with four mends.

    What its parser can't read is a bad request; a command may say "payload"; nobody sends a command or a press a second
    time: Slack delivers each once, where events may come again and are claimed before they are answered; and what was
    claimed is told when Slack has its acknowledgement.
    """

    def __init__(self, app: App, path: str) -> None:
        super().__init__(app, path)
        self._seen = _Seen()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        found = self.dispatch(WsgiHttpRequest(environ))
        response = WsgiHttpResponse(status=found.status, headers=found.headers, body=found.body)
        start_response(response.status, response.get_headers())
        return Written(found) if isinstance(found, Acknowledged) else response.get_body()

    def dispatch(self, request: WsgiHttpRequest) -> BoltResponse:
        try:
            read = BoltRequest(body=request.get_body(), query=request.query_string, headers=request.get_headers())
        except Exception:  # whatever rubbish raises in there, it was rubbish
            return BoltResponse(status=400, body="")
        if not read.body:
            # Bolt looks for the word anywhere in the form, a person's words included, and then finds no payload.
            read.body = dict(parse_qsl(read.raw_body, keep_blank_values=True))
            read.context = build_context(read.context, read.body)
        if "command" not in read.body and read.body.get("type") not in DELIVERED_ONCE:
            return self.app.dispatch(read)
        signature = str(read.headers.get("x-slack-signature", [""])[0])
        if not self._seen.first(signature):
            return BoltResponse(status=401, body="")
        response = self.app.dispatch(read)
        if response.status != 200:
            self._seen.forget(signature)
        return response


class _Seen:
    """The signatures that have come by, for as long as they are good."""

    def __init__(self) -> None:
        self._until: OrderedDict[str, float] = OrderedDict()
        self._lock = threading.Lock()

    def first(self, signature: str) -> bool:
        """Whether this is its first time."""
        now = time.monotonic()
        with self._lock:
            while self._until and (len(self._until) > MOST_SEEN or next(iter(self._until.values())) < now):
                self._until.popitem(last=False)
            fresh = signature not in self._until
            self._until.setdefault(signature, now + SIGNED_FOR)
            return fresh

    def forget(self, signature: str) -> None:
        """It was no good."""
        with self._lock:
            self._until.pop(signature, None)


def wsgi(app: SlackApp, pages: Mapping[str, Page] | None = None) -> WSGIApplication:
    """The front: `/slack/events` by POST, `/healthz` and the other `pages` by GET."""
    bolt = _Bolt(app.bolt, EVENTS)
    signed = SignatureVerifier(app.signing_secret).is_valid
    gets = {"/healthz": lambda: health(app.able(), app.beside()), **(pages or {})}

    def front(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path, method = environ.get("PATH_INFO", ""), environ.get("REQUEST_METHOD", "")
        if path in gets:
            if method != "GET":
                return _answer(start_response, 405, allow="GET")
            return _page(start_response, *gets[path]())
        if path != EVENTS:
            return _answer(start_response, 404)
        if method != "POST":
            return _answer(start_response, 405, allow="POST")
        status = objection(environ, signed)
        return _answer(start_response, status) if status else bolt(environ, start_response)

    return front


def health(able: bool, beside: str = "") -> tuple[int, str, bytes]:
    """The page of /healthz; `beside` is what there is to say although answers go on."""
    told = "; ".join(filter(None, ("ok", beside)))
    return (200, "text/plain", f"{told}\n".encode()) if able else (503, "text/plain", b"not able to answer\n")


def not_yet(start_response: StartResponse) -> Iterable[bytes]:
    """Whatever is asked: come again."""
    return _page(start_response, *health(False))


def objection(environ: WSGIEnvironment, signed: Signed) -> int:
    """The status that a request deserves before Bolt sees it, or 0. The body is left to be read again.

    Whatever isn't `signed` by Slack is not parsed: a megabyte of it would take half a second.
    """
    length = str(environ.get("CONTENT_LENGTH") or "0")
    if not _TIMESTAMP.fullmatch(length):
        return 400
    if int(length) > LARGEST_BODY:
        return 413
    kind = str(environ.get("CONTENT_TYPE", "")).partition(";")[0].strip().lower()
    if kind not in TYPES:
        return 415
    stamp, signature = environ.get("HTTP_X_SLACK_REQUEST_TIMESTAMP", "0"), environ.get("HTTP_X_SLACK_SIGNATURE", "")
    if not _TIMESTAMP.fullmatch(stamp) or not signature.isascii():
        return 400
    raw = environ["wsgi.input"].read(int(length))
    try:
        if not signed(raw, stamp, signature):
            return 401
    except UnicodeDecodeError:
        return 400
    environ["wsgi.input"] = _Read(raw)
    return 0 if _sensible(raw, kind) else 400


class _Read:
    """A body that has been read already."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw

    def read(self, _: int = -1) -> bytes:
        return self._raw


def _sensible(raw: bytes, kind: str) -> bool:
    """Whether a body has a form that Slack sends."""
    try:
        text = raw.decode("utf-8")
        if kind == "application/json" or text.startswith("{"):
            return sensible(json.loads(text))
        fields = dict(parse_qsl(text, keep_blank_values=True))
        if "payload" in fields:
            return sensible(json.loads(fields["payload"]))
        return sensible(fields)
    except (ValueError, RecursionError):
        return False


def _answer(start_response: StartResponse, status: int, allow: str = "") -> Iterable[bytes]:
    return _page(start_response, status, "text/plain", f"{_REASONS[status]}\n".encode(), allow)


def _page(start_response: StartResponse, status: int, kind: str, body: bytes, allow: str = "") -> Iterable[bytes]:
    headers = [("Content-Type", f"{kind}; charset=utf-8"), ("Content-Length", str(len(body)))]
    start_response(f"{status} {_REASONS[status]}", headers + ([("Allow", allow)] if allow else []))
    return [body]


# --- the server


def serve_http(
    app: SlackApp,
    port: int,
    stop: threading.Event,
    *,
    host: str = "0.0.0.0",  # noqa: S104  a web process in a container is reached from outside
    pages: Mapping[str, Page] | None = None,
    ready: Callable[[int], None] | None = None,
) -> bool:
    """Serve until `stop` is set, then finish what is in flight; true if nothing was left undone.

    Runs in the caller's thread. `ready` is told the port once connections are accepted.
    """
    server = _server(wsgi(app, pages), host, port)
    logger.info("Listening on port %s", server.effective_port)
    if ready is not None:
        ready(int(server.effective_port))
    _run(server, stop)
    deadline = time.monotonic() + GRACE
    _finish(server, deadline - GRACE / 2)
    return app.close(deadline - time.monotonic())


class Pages:
    """`pages` on a port of their own, in a thread: health beside Socket Mode. `posts` are answers to POST."""

    def __init__(self, port: int, pages: Mapping[str, Page], posts: Mapping[str, Page] | None = None) -> None:
        by_method = {"GET": pages, "POST": posts or {}}

        def front(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            path = environ.get("PATH_INFO", "")
            allowed = [method for method, found in by_method.items() if path in found]
            if not allowed:
                return _answer(start_response, 404)
            if (method := environ.get("REQUEST_METHOD", "")) not in allowed:
                return _answer(start_response, 405, allow=", ".join(allowed))
            return _page(start_response, *by_method[method][path]())

        self._server = _server(front, "0.0.0.0", port, threads=2)  # noqa: S104  as above
        self._stop = threading.Event()
        self._thread = threading.Thread(target=_run, args=(self._server, self._stop), name="pages", daemon=True)
        self.port = int(self._server.effective_port)

    def __enter__(self) -> Pages:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(2)
        _finish(self._server, 0)


def _server(application: WSGIApplication, host: str, port: int, threads: int = THREADS) -> Any:
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # a queue is what threads are for
    sockets: dict[int, Any] = {}
    try:
        server = create_server(
            application,
            map=sockets,
            host=host,
            port=port,
            threads=threads,
            connection_limit=CONNECTIONS,
            channel_timeout=SILENT_FOR,
            cleanup_interval=5,
            max_request_body_size=SWALLOWED_BODY,
            clear_untrusted_proxy_headers=True,
            ident=None,
        )
    except OSError as error:
        wasyncore.close_all(sockets, ignore_all=True)
        raise AskPyError(f"Port {port} can't be opened ({error.strerror}). Set PORT to another one.") from None
    server.channel_class = _Channel
    return server


class _Channel(HTTPChannel):  # type: ignore[misc]
    """A connection that knows how long the request that it receives has been coming in."""

    _begun = 0.0

    def received(self, data: bytes) -> bool:
        if self.request is None:
            self._begun = time.monotonic()
        return bool(super().received(data))

    def hurry(self, crowded: bool) -> None:
        """Hang up, if the request takes too long; in a crowd, also where none is coming in."""
        if self.request is not None:
            if time.monotonic() - self._begun > (CROWDED_PATIENCE if crowded else PATIENCE):
                self.send(_TOO_SLOW)
                self.will_close = True
        elif crowded and not self.requests and time.time() - self.last_activity > CROWDED_PATIENCE:
            self.will_close = True


def _run(server: Any, stop: threading.Event) -> None:
    looked = time.monotonic()
    while not stop.is_set():
        wasyncore.loop(timeout=TICK, use_poll=True, map=server._map, count=1)
        if time.monotonic() - looked > TICK:
            looked = time.monotonic()
            for channel in list(server.active_channels.values()):
                channel.hurry(server.in_connection_overflow)


def _finish(server: Any, until: float) -> None:
    """Accept no more, answer what has arrived, and end the threads."""
    wasyncore.dispatcher.close(server)
    while time.monotonic() < until and any(map(_busy, list(server.active_channels.values()))):
        wasyncore.loop(timeout=0.05, use_poll=True, map=server._map, count=1)
    server.task_dispatcher.shutdown(cancel_pending=True, timeout=1)
    wasyncore.close_all(server._map, ignore_all=True)


def _busy(channel: Any) -> bool:
    return bool(channel.requests or channel.total_outbufs_len)
