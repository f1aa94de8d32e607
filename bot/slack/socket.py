"""The Socket Mode door: the same listeners behind a WebSocket, with the SDK's built-in client."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from http.client import HTTPException
from typing import TYPE_CHECKING, Any

from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_bolt.adapter.socket_mode.internals import run_bolt_app, send_response
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.request import SocketModeRequest

from bot.slack.access import REFUSED, Access, await_slack, direct
from bot.slack.app import SlackApp
from bot.slack.http import GRACE, THREADS, Pages, health
from bot.slack.promises import Acknowledged
from bot.slack.shape import sensible

if TYPE_CHECKING:
    from bot.slack.http import Page

PING_EVERY = 1.0
"""Seconds between pings. The client calls a connection dead after four of them without an answer."""
RECEIVE_FOR = 0.5
"""Seconds of one wait for data; hanging up and changing over to a new connection wait for its end."""
TICK = 0.5
"""Seconds between two looks at whether to stop; an untimed wait in the main thread can miss a signal."""
SILENT_TICKS = 60
"""Ticks without a connection after which the log says so."""
MUTE_FOR = 10.0
"""Seconds that a connection may live without having answered one ping; the client itself waits for the first forever."""
IDLE_FOR = 600.0
"""Seconds without a word from Slack after which the connection is made anew: a quiet workspace costs one request for it,
and a session that Slack has forgotten looks just the same."""

_OURS = ("on_error invoked", "Failed to retrieve WSS URL", "Failed to check the current session or reconnect")
"""How the client tells once a second that it isn't connected, which the handler says once and in words."""
REFUSED_PAUSES = (1.0, 2.0, 5.0, 10.0, 30.0)
"""Seconds before Slack is asked again for a connection that it has refused; the last one from then on."""

logger = logging.getLogger(__name__)
_quiet = logging.getLogger("bot.slack.socketmode")
_quiet.setLevel(logging.ERROR)  # below that, the client's lines quote payloads
_quiet.addFilter(lambda record: not record.getMessage().startswith(_OURS))


class _Alert:
    """A socket that calls an end of the stream by its name.

    The client reads an empty string from a cut connection and tries again at once, a core busy, until its pings fail.
    """

    def __init__(self, sock: Any) -> None:
        self._sock = sock

    def recv(self, size: int) -> bytes:
        received: bytes = self._sock.recv(size)
        if not received:
            raise ConnectionResetError("the connection was cut")
        return received

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


class Handler(SocketModeHandler):
    """Bolt's handler; notices a cut at once, and survives whatever a payload does to Bolt."""

    def __init__(self, app: SlackApp, access: Access) -> None:
        super().__init__(
            app.bolt,
            app_token=access.app_token,
            logger=_quiet,
            web_client=access.client(token=""),
            ping_interval=PING_EVERY,
            concurrency=THREADS,
        )
        if direct(access.api_url):
            self.client.proxy = None
        self._made = self._heard = time.monotonic()
        self.client.on_message_listeners.append(self._listen)
        self._refused, self._not_before, self._reason = 0, 0.0, ""
        self._issue = self.client.issue_new_wss_url
        self.client.issue_new_wss_url = self._issue_patiently  # type: ignore[method-assign]
        self._enqueue = self.client.enqueue_message
        self.client.enqueue_message = self._take  # type: ignore[method-assign]
        self._connect = self.client.connect
        self.client.connect = self._connect_alert  # type: ignore[method-assign]  # the client calls it itself, too

    def handle(self, client: Any, req: SocketModeRequest) -> None:
        """Acknowledge, unless the message has to come again; only then is there time for the answer."""
        if not sensible(req.payload):
            return
        response = run_bolt_app(self.app, req)
        if isinstance(response, Acknowledged):
            response.body = ""  # here it would be a payload
        try:
            send_response(client, req, response, 0.0)
        except Exception:
            if isinstance(response, Acknowledged):
                response.lost()
            raise
        if isinstance(response, Acknowledged):
            response.then()

    def finish(self) -> None:
        """Take nothing more, acknowledge what was taken, then hang up."""
        self.client.auto_reconnect_enabled = False
        self.client.closed = True
        self.client.message_queue.put(None)  # wakes whoever waits for the next message
        self.client.message_processor.shutdown()  # type: ignore[no-untyped-call]
        self.client.message_workers.shutdown()
        self.client.close()

    def silent(self) -> bool:
        """Whether a connection that stands has nothing to say: Slack doesn't hear us, or has forgotten us."""
        session, now = self.client.current_session, time.monotonic()
        if session is None or not session.is_active():
            return False
        mute = session.last_ping_pong_time is None and now - self._made > MUTE_FOR
        return mute or now - self._heard > IDLE_FOR

    def renew(self) -> None:
        """Change over to a new connection; the old one is kept until there is one."""
        self._made = self._heard = time.monotonic()
        try:
            self.client.connect_to_new_endpoint(force=True)
        except (SlackApiError, OSError, HTTPException) as error:
            logger.warning("A silent connection could not be renewed (%s); trying again.", type(error).__name__)

    def _issue_patiently(self) -> str:
        """Where to connect to. Says once why there is nowhere, and doesn't ask a Slack that refuses us every second."""
        if self.client.current_session is None:  # the start has its own words
            return self._issue()
        if time.monotonic() < self._not_before:
            raise ConnectionError("Slack has just refused a connection")
        try:
            url = self._issue()
        except SlackApiError as error:
            code = str(error.response.get("error") or "")
            if code in REFUSED:
                pause = REFUSED_PAUSES[min(self._refused, len(REFUSED_PAUSES) - 1)]
                self._not_before, self._refused = time.monotonic() + pause, self._refused + 1
            self._tell(f"Slack no longer takes SLACK_APP_TOKEN ({code}); nothing arrives" if code in REFUSED else code)
            raise
        except (OSError, HTTPException) as error:
            self._tell(str(getattr(error, "reason", error) or type(error).__name__))
            raise
        if self._reason:
            logger.info("Slack gives connections again.")
        self._refused, self._reason = 0, ""
        return url

    def _tell(self, reason: str) -> None:
        if reason != self._reason:
            logger.error("No connection to Slack: %s. Trying on.", reason)
        self._reason = reason

    def _listen(self, _: str) -> None:
        self._heard = time.monotonic()

    def _take(self, message: str) -> None:
        """Let through what may be an envelope; the client would log a traceback for the rest."""
        try:
            envelope = json.loads(message)
        except (ValueError, RecursionError):
            envelope = None
        if isinstance(envelope, dict) and isinstance(envelope.get("payload", {}), (dict, str)):
            self._enqueue(message)
        else:
            logger.info("A frame that makes no sense was left alone")

    def _connect_alert(self) -> None:
        self._connect()
        self._made = self._heard = time.monotonic()
        session = self.client.current_session
        if session is not None and session.sock is not None and not isinstance(session.sock, _Alert):
            session.sock.settimeout(RECEIVE_FOR)
            session.sock = _Alert(session.sock)  # type: ignore[assignment]


def serve_socket(
    app: SlackApp,
    access: Access,
    stop: threading.Event,
    *,
    port: int | None = None,
    pages: dict[str, Page] | None = None,
    ready: Callable[[], None] | None = None,
) -> bool:
    """Serve until `stop` is set, then finish what is in flight; true if nothing was left undone.

    Health and the other `pages` answer on `port` when there is one. Raises SettingsError when Slack refuses the
    app-level token.
    """
    handler = Handler(app, access)
    gets: dict[str, Page] = {
        "/healthz": lambda: health(app.able() and handler.client.is_connected(), app.beside()),
        **(pages or {}),
    }
    with ExitStack() as stack:
        if port is not None:
            logger.info("Health on port %s", stack.enter_context(Pages(port, gets)).port)
        if await_slack(lambda: _first(handler), "SLACK_APP_TOKEN", stop.wait):
            logger.info("Connected to Slack by Socket Mode")
            if ready is not None:
                ready()
            _watch(handler, stop)
        deadline = time.monotonic() + GRACE
        closing = threading.Thread(target=handler.finish, daemon=True)  # one that hangs must not keep us
        closing.start()
        closing.join(GRACE / 2)
        return app.close(deadline - time.monotonic())


def _first(handler: Handler) -> None:
    handler.client.wss_uri = None
    handler.client.connect()
    if not handler.client.is_connected():
        raise ConnectionError("the WebSocket can't be opened")


def _watch(handler: Handler, stop: threading.Event) -> None:
    """Wait for the stop; the client reconnects by itself, the log says when that takes long. It notices a connection
    that is cut, and not one that is merely silent: that is what is watched for here."""
    gone = 0
    while not stop.wait(TICK):
        if handler.silent():
            logger.info("The connection to Slack is silent; making a new one.")
            handler.renew()
        gone = 0 if handler.client.is_connected() else gone + 1
        if gone and gone % SILENT_TICKS == 0:
            logger.warning("No connection to Slack for %d seconds; trying on.", gone * TICK)
