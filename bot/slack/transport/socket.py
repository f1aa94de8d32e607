"""Socket Mode: receives payloads by a WebSocket, with slack_sdk's aiohttp client.

By itself, the SDK's client retries a refused one-use URL for ever while it holds its lock, closes the old connection before it
opens a new one, and logs session ids once a second. Here one task watches the connection, with its own delays and log lines.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from slack_bolt import BoltResponse
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse

from bot.slack.admission import AckThenRun, Tasks, no_op
from bot.slack.logs import format_without_message
from bot.slack.payloads import is_valid_payload
from bot.slack.transport.client import (
    REFUSED_TOKEN,
    UNREACHABLE,
    ConnectionEnded,
    OddAnswer,
    SlackClient,
    asked,
    failure_of,
    is_set_within,
    proxy_for,
    wait_for_slack,
)
from bot.slack.transport.http import FINISH_WITHIN, Dispatch
from bot.slack.transport.remedies import remedy_of

PING_EVERY = 6.0
"""Seconds without a byte after which Slack is pinged. Without a response for half of that the connection counts as dead: after
ten seconds at most, and not because the loop was blocked for one second."""
HELLO_WITHIN = 10.0
"""Seconds in which Slack says hello on a new connection."""
MIN_STABLE = 2.0
"""Seconds that a connection has to stay open before it counts as stable: Slack ends an unwanted one within one second."""
IDLE_FOR = 600.0
"""Seconds without a frame from Slack after which the connection is replaced: a session that Slack has forgotten looks like a
quiet workspace, for which this costs one request."""
WATCH_INTERVAL = 0.5
"""Seconds between two checks of the connection; its end is noticed at once."""
CONNECT_DELAYS = (1.0, 2.0, 5.0, 10.0, 30.0)
"""Seconds before each further attempt, until a connection is stable; after these, the last one again and again."""
OLD_CONNECTION_GRACE = 5.0
"""Seconds that a replaced connection is still read: Slack may be sending on it."""
WS_TIMEOUT = aiohttp.ClientWSTimeout(ws_receive=None, ws_close=1.0)
"""One second to wait for the response to a close frame; no limit for frames."""
MAX_FRAME_BYTES = 4_000_000
"""Bytes of a frame. Slack's largest payloads, views with all their blocks, have a quarter of a million."""
UNWANTED = frozenset({"too_many_websockets", "link_disabled"})
"""Reasons for which Slack ends every connection until somebody does something about it."""
CUTS, CUT_WINDOW = 3, 900.0
"""Cuts of stable connections that are reported, and the seconds in which so many have to occur: proxies cut after one to five
minutes. Slack itself announces that it ends a connection, once in some hours."""
NOT_STABLE = "no connection to Slack is open, or it hasn't stayed open for two seconds yet"
"""The note on /healthz while there is none and nothing else is known to be wrong."""
_KIND, _CUT = "Socket Mode: ", "Socket Mode cut"
"""Begins the kinds of our notices of faults that are over when a connection is stable; and the kind of those that aren't."""

logger = logging.getLogger(__name__)
_silent = logging.getLogger("bot.slack.socketmode")
_silent.setLevel(logging.CRITICAL)  # the client's lines quote payloads and name sessions


@dataclass(slots=True, eq=False)
class SocketConnection:
    """One WebSocket. `opened`, `last_frame` (of Slack's last frame), `hello_at` and `ended` are monotonic times.

    `reason`: why Slack wants it replaced, from its disconnect frame.
    """

    socket: aiohttp.ClientWebSocketResponse
    opened: float = field(default_factory=time.monotonic)
    last_frame: float = field(default_factory=time.monotonic)
    hello_at: float | None = None
    ended: float | None = None
    reason: str = ""

    @property
    def is_open(self) -> bool:
        """Whether it can still be read."""
        return self.ended is None and not self.socket.closed

    @property
    def is_stable(self) -> bool:
        """Whether Slack has sent hello on it and left it open for MIN_STABLE seconds."""
        return self.hello_at is not None and (self.ended or time.monotonic()) - self.hello_at >= MIN_STABLE

    @property
    def is_cut(self) -> bool:
        """Whether it was stable and has ended without a disconnect frame of Slack's."""
        return self.ended is not None and self.is_stable and not self.reason

    @property
    def is_silent(self) -> bool:
        """Whether it is open and Slack sends nothing on it: no hello, or no frame for a long time."""
        now = time.monotonic()
        no_hello = self.hello_at is None and now - self.opened > HELLO_WITHIN
        return self.is_open and (no_hello or now - self.last_frame > IDLE_FOR)


class SocketClient(SocketModeClient):
    """slack_sdk's client; `connect` makes one attempt, and each connection is read to its end.

    `on_frame` gets the text or bytes of each frame, and its connection. `changed` is set when a connection's state has changed.
    """

    def __init__(self, client: SlackClient, on_frame: Callable[[Any, SocketConnection], None]) -> None:
        super().__init__(
            app_token=client.config.app_token,
            logger=_silent,
            web_client=client.web(token=""),
            auto_reconnect_enabled=False,
        )
        self._own_session, self.aiohttp_client_session = self.aiohttp_client_session, client.session
        self._on_frame = on_frame
        self.changed = asyncio.Event()
        self.connection: SocketConnection | None = None
        self._receivers: set[asyncio.Task[None]] = set()

    async def issue_new_wss_url(self) -> str:
        """A URL to connect to, valid for one attempt; raises one of UNREACHABLE."""

        response = await asked(self.web_client.apps_connections_open(app_token=self.app_token))
        url = response.get("url")
        if not isinstance(url, str) or not url.startswith(("wss://", "ws://")):
            raise OddAnswer
        return url

    async def connect(self) -> None:
        """Try once to open a new connection, which replaces the present one; that stays open until then."""
        url = await self.issue_new_wss_url()
        socket = await self.aiohttp_client_session.ws_connect(
            url, heartbeat=PING_EVERY, timeout=WS_TIMEOUT, max_msg_size=MAX_FRAME_BYTES, proxy=proxy_for(url)
        )
        self.current_session = socket
        self.connection = SocketConnection(socket)
        receiver = asyncio.get_running_loop().create_task(self.receive_messages())
        self._receivers.add(receiver)
        receiver.add_done_callback(self._receivers.discard)

    async def receive_messages(self) -> None:
        """Read the newest connection to its end, also after it has been replaced."""
        connection = self.connection
        if connection is None:
            return
        try:
            async for frame in connection.socket:
                if frame.type is aiohttp.WSMsgType.ERROR:
                    break
                connection.last_frame = time.monotonic()
                self._on_frame(frame.data, connection)
        finally:
            connection.ended = time.monotonic()
            self.changed.set()

    async def close(self) -> None:
        """Close the connection and stop reading."""
        self.closed = True
        self.message_processor.cancel()
        if self.current_session is not None:  # waits for Slack's close frame, so that what was sent before has arrived
            await self.current_session.close()
        for receiver in list(self._receivers):
            receiver.cancel()
        await self._own_session.close()


class SocketReceiver:
    """Receives what Slack sends by Socket Mode, and hands it to `dispatch` (AsyncApp.async_dispatch).

    Make it in the event loop, with an open client whose config has the app-level token. `on_delivery` is called with the status
    that each payload would have got by HTTP.
    """

    def __init__(self, dispatch: Dispatch, client: SlackClient, *, on_delivery: Callable[[int], None] = no_op) -> None:
        self._dispatch = dispatch
        self.slack = client
        self._on_delivery = on_delivery
        self._client = SocketClient(client, self._on_frame)
        self._handling = Tasks()
        self._retiring = Tasks()
        self._is_closing = False
        self._is_stable = False
        self._failures = 0
        self._retry_after = 0.0
        self._cuts: deque[float] = deque(maxlen=CUTS + len(CONNECT_DELAYS))

    def is_connected(self) -> bool:
        """Whether a connection is open, and one was stable after the last one that ended at once."""
        connection = self._client.connection
        return self._is_stable and connection is not None and connection.is_open

    async def close(self, timeout: float) -> bool:
        """Ignore new frames, acknowledge what was received, and disconnect; true if all was handled within `timeout` seconds."""
        self._is_closing = True
        done = await self._handling.finish(timeout)
        await self._client.close()
        await self._retiring.finish(0)
        return done

    # --- the connection

    async def connect(self) -> None:
        """Open the first connection and wait for Slack's hello; raises SlackApiError and network errors."""
        await self._client.connect()
        connection = self._client.connection
        if connection is None:
            return
        while connection.hello_at is None and not (connection.reason or connection.is_silent):
            if not connection.is_open:
                raise ConnectionEnded("ended")
            await self._next_change()
        if connection.hello_at is None:
            await connection.socket.close()
            raise ConnectionEnded(connection.reason or "silent")

    async def watch(self) -> None:
        """Replace the connection when it ends, when Slack asks for that, and when it is silent. Runs until it is cancelled."""
        while True:
            connection = self._client.connection
            if connection is not None and connection.is_stable:
                self._note_stable()
            if connection is None or connection.reason or connection.is_silent or not connection.is_open:
                await self._replace(connection)
            else:
                await self._next_change()

    async def _next_change(self) -> None:
        await is_set_within(self._client.changed, WATCH_INTERVAL)
        self._client.changed.clear()

    async def _replace(self, old: SocketConnection | None) -> None:
        """Try until there is a new connection."""
        if old is not None:
            self._note_end(old)
        await asyncio.sleep(max(self._delay(), self._delay_after_cut(old)))
        while not await self._try_connect(old):
            await asyncio.sleep(self._delay())
        if old is not None and old.is_open:
            self._retiring.start(_retire(old))

    async def _try_connect(self, old: SocketConnection | None) -> bool:
        try:
            await self._client.connect()
        except UNREACHABLE as error:
            self._failures += 1
            self._retry_after = failure_of(error, "SLACK_APP_TOKEN").retry_after
            self._report(error, is_renewal=old is not None and old.is_open)
            return False
        return True

    def _delay(self) -> float:
        """Seconds before the next attempt: none after a stable connection, and at least Slack's Retry-After."""
        after, self._retry_after = self._retry_after, 0.0
        return max(after, CONNECT_DELAYS[min(self._failures, len(CONNECT_DELAYS)) - 1] if self._failures else 0.0)

    def _delay_after_cut(self, old: SocketConnection | None) -> float:
        """Seconds before the next attempt after a reported cut: the connections begin at growing intervals. One that lasts longer
        than that is replaced at once."""
        if old is None or not old.is_cut or len(self._cuts) < CUTS:
            return 0.0
        interval = CONNECT_DELAYS[min(len(self._cuts) - CUTS, len(CONNECT_DELAYS) - 1)]
        return max(0.0, interval - (time.monotonic() - old.opened))

    def _note_stable(self) -> None:
        if not self._is_stable or self._failures:
            self.slack.notices.end(_KIND, "Slack gives connections again")
        self._is_stable, self._failures = True, 0

    def _note_end(self, old: SocketConnection) -> None:
        """Count the failure of a connection that was never stable or that was cut, and report the reason."""
        if old.is_silent:
            logger.info("The connection to Slack is silent; making a new one.")
        if old.is_cut:
            self._note_cut(old)
        if old.is_stable and old.reason not in UNWANTED:
            return
        self._failures += 1
        self._is_stable = False
        if old.reason in UNWANTED or self._failures > 1:
            self._report(ConnectionEnded(old.reason or ("silent" if old.is_silent else "ended")))

    def _note_cut(self, old: SocketConnection) -> None:
        """Count a cut; report it if there were several lately."""
        self.slack.on_error("Socket Mode", "cut")
        now = time.monotonic()
        lasted = (old.ended or now) - old.opened
        self._cuts.append(now)
        while now - self._cuts[0] > CUT_WINDOW:
            self._cuts.popleft()
        if len(self._cuts) < CUTS:
            logger.info("The connection to Slack was cut after %.0f s; making a new one.", lasted)
        else:
            text = f"The connection to Slack is cut again and again, now after {max(1.0, lasted):.0f} s: {remedy_of('cut')}"
            self.slack.notices.report(_CUT, text, lasts=CUT_WINDOW)

    def _report(self, error: Exception, *, is_renewal: bool = False) -> None:
        """Report why there is no new connection; for a renewal the old one is still open."""
        failure = failure_of(error, "SLACK_APP_TOKEN")
        self.slack.on_error("Socket Mode", failure.code)
        what = (
            "The connection to Slack can't be renewed" if is_renewal else "No connection to Slack, and nothing arrives"
        )
        token = "; Slack no longer takes SLACK_APP_TOKEN" if failure.code in REFUSED_TOKEN else ""
        text = f"{what}{token} ({failure.reason}): {failure.remedy}"
        self.slack.notices.report(
            f"{_KIND}{failure.code}", text, level=logging.WARNING if is_renewal else logging.ERROR
        )

    # --- frames

    def _on_frame(self, text: Any, connection: SocketConnection) -> None:
        """Handle a frame; a payload in a task of its own."""
        envelope = _parse_frame(text)
        if envelope is None:
            logger.info("A frame that makes no sense was left alone")
        elif envelope["type"] == "hello":
            connection.hello_at = time.monotonic()
            self._client.changed.set()
        elif envelope["type"] == "disconnect":
            reason = str(envelope.get("reason"))
            connection.reason = reason if reason.isidentifier() else "unknown"
            self._client.changed.set()
        elif not self._is_closing:
            self._handling.start(self._handle(envelope, connection))

    async def _handle(self, envelope: dict[str, Any], connection: SocketConnection) -> None:
        """Dispatch a payload, and acknowledge it unless Slack has to send it again."""
        try:
            request = SocketModeRequest.from_dict(envelope)
            if request is None or not is_valid_payload(request.payload):
                return
            bolt_request = AsyncBoltRequest(mode="socket_mode", body=request.payload, headers=_retry_headers(request))
            response = await self._dispatch(bolt_request)
            self._on_delivery(response.status)
            if isinstance(response, AckThenRun):
                await self._acknowledge_then_run(request, response, connection)
            elif response.status == 200:
                await self._send(SocketModeResponse(request.envelope_id, _payload(response)), connection)
        except ConnectionError as error:
            logger.info("An acknowledgement could not be sent (%s)", type(error).__name__)
        except Exception as error:
            self._on_delivery(500)
            logger.error("A payload could not be handled\n%s", format_without_message(error))

    async def _acknowledge_then_run(
        self, request: SocketModeRequest, response: AckThenRun, connection: SocketConnection
    ) -> None:
        """Acknowledge without a payload, which Slack would show, and report to `delivery` whether it was sent."""
        sent = False
        try:
            await self._send(SocketModeResponse(request.envelope_id), connection)
            sent = True
        finally:
            response.delivery.written(sent)

    async def _send(self, response: SocketModeResponse, connection: SocketConnection) -> None:
        """Send an acknowledgement on the connection of its envelope, or on the newest one if that has ended."""
        text = json.dumps(response.to_dict())
        try:
            await connection.socket.send_str(text)
        except ConnectionError:
            await self._client.send_message(text)


async def _retire(connection: SocketConnection) -> None:
    """Close a replaced connection after OLD_CONNECTION_GRACE seconds."""
    try:
        await asyncio.sleep(OLD_CONNECTION_GRACE)
    finally:
        await connection.socket.close()


def _parse_frame(text: Any) -> dict[str, Any] | None:
    """The object in a frame; None if it isn't one of Slack's."""
    try:
        envelope = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(envelope, dict) or not isinstance(envelope.get("type"), str):
        return None
    if envelope["type"] in ("hello", "disconnect"):
        return envelope
    is_envelope = isinstance(envelope.get("envelope_id"), str) and isinstance(envelope.get("payload"), (dict, str))
    return envelope if is_envelope else None


def _retry_headers(request: SocketModeRequest) -> dict[str, str | Sequence[str]]:
    """The headers by which Bolt learns that a delivery is repeated, and why."""
    if request.retry_attempt is None:
        return {}
    return {"x-slack-retry-num": str(request.retry_attempt), "x-slack-retry-reason": str(request.retry_reason or "")}


def _payload(response: BoltResponse) -> dict[str, Any] | None:
    """The payload of an acknowledgement: Bolt's JSON, or its text."""
    if not response.body:
        return None
    if response.headers.get("content-type", [""])[0].startswith("application/json"):
        payload: dict[str, Any] = json.loads(response.body)
        return payload
    return {"text": response.body}


async def serve_socket(
    receiver: SocketReceiver,
    stop: asyncio.Event,
    *,
    ready: Callable[[], None] | None = None,
    finish_within: float = FINISH_WITHIN,
) -> bool:
    """Serve until `stop` is set, then acknowledge what was received and disconnect; true if all of it was acknowledged.

    `ready` is called once Slack has sent hello. Raises SettingsError when Slack refuses the app-level token.
    """
    try:
        if await wait_for_slack(receiver.connect, "SLACK_APP_TOKEN", stop, receiver.slack):
            logger.info("Connected to Slack by Socket Mode")
            if ready is not None:
                ready()
            await _watch_until(receiver, stop)
    finally:
        done = await receiver.close(finish_within)
    return done


async def _watch_until(receiver: SocketReceiver, stop: asyncio.Event) -> None:
    watching = asyncio.ensure_future(receiver.watch())
    stopping = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait((watching, stopping), return_when=asyncio.FIRST_COMPLETED)
        if watching.done():
            watching.result()
    finally:
        watching.cancel()
        stopping.cancel()
        await asyncio.wait((watching, stopping))
