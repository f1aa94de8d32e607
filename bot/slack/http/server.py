"""The server that runs a front, and its stop."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from waitress import wasyncore  # type: ignore[import-untyped]
from waitress.channel import HTTPChannel  # type: ignore[import-untyped]
from waitress.server import create_server  # type: ignore[import-untyped]

from bot.model import AskPyError
from bot.slack.app import SlackApp
from bot.slack.http.front import wsgi
from bot.slack.http.pages import Page, send_page, send_status
from bot.slack.promises import WAITING

THREADS = WAITING + 16
"""Requests at once: messages that wait for their turn, and beside them all that is acknowledged in a few milliseconds."""
CONNECTIONS = 300
"""Open connections; slow clients sit in them without holding a thread."""
SILENT_FOR = 30
"""Seconds after which a silent connection is closed."""
PATIENCE, CROWDED_PATIENCE = 10.0, 1.0
"""Seconds that a request may take to come in, and where there are no more connections to be had."""
SWALLOWED_BODY = 2_000_000
"""Bytes. Up to here a body is received before it is refused, because most clients send all of it before they listen."""
GRACE = 8.0
"""Seconds that a stop may take: platforms kill after ten."""
TICK = 0.2
"""Seconds between two looks at whether to stop."""

_TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"

logger = logging.getLogger(__name__)


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
                return send_status(start_response, 404)
            if (method := environ.get("REQUEST_METHOD", "")) not in allowed:
                return send_status(start_response, 405, allow=", ".join(allowed))
            return send_page(start_response, *by_method[method][path]())

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
