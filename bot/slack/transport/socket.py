"""Socket Mode: the same app behind a WebSocket, by slack_sdk's aiohttp client.

The SDK's client, left alone, retries a refused one-use URL for ever while it holds its lock, closes the old connection before
it opens a new one, and logs session ids once a second. Here one task sees to the connection, with its own pauses and lines.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from slack_bolt import BoltResponse
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse

from bot.slack.admission import AckThenRun
from bot.slack.logs import format_without_message
from bot.slack.payloads import is_valid_payload
from bot.slack.transport.client import (
    REFUSED_TOKEN,
    UNREACHABLE,
    WHERE,
    SlackClient,
    error_code,
    is_set_within,
    proxy_for,
    reason_of,
    retry_after,
    wait_for_slack,
)
from bot.slack.transport.http import FINISH_WITHIN, Dispatch

PING_EVERY = 6.0
"""Seconds without a byte after which Slack is pinged. Without an answer for half of that the connection counts as dead: after
ten seconds at most, and not because the loop was held up for one."""
HELLO_WITHIN = 10.0
"""Seconds in which Slack says hello on a new connection."""
STAYED = 2.0
"""Seconds that a connection has to stay before it counts as good: one that isn't wanted ends within one."""
IDLE_FOR = 600.0
"""Seconds without a word from Slack after which the connection is made anew: a quiet workspace costs one request for it,
and a session that Slack has forgotten looks just the same."""
TICK = 0.5
"""Seconds between two looks at the connection; an end is noticed at once."""
PAUSES = (1.0, 2.0, 5.0, 10.0, 30.0)
"""Seconds before each further attempt, as long as no connection has stayed; the last one from then on."""
SAY_EVERY = 30.0
"""Seconds without a connection after which the log says so."""
OLD_STAYS = 5.0
"""Seconds that a connection is still read after a new one has taken over: Slack may be sending on it."""
WS_TIMEOUT = aiohttp.ClientWSTimeout(ws_receive=None, ws_close=1.0)
"""Seconds to wait for the answer to a close frame; frames may come at any time."""
LARGEST_FRAME = 4_000_000
"""Bytes of a message from Slack; its largest, views with all their blocks, end at a quarter of a million."""
REMEDIES = {
    "too_many_websockets": "this app token is used by too many processes (too_many_websockets); stop the others",
    "link_disabled": f"Socket Mode is switched off (link_disabled); switch it on: {WHERE}, Socket Mode",
}
"""What a person has to do where Slack ends a connection for good."""

logger = logging.getLogger(__name__)
_silent = logging.getLogger("bot.slack.socketmode")
_silent.setLevel(logging.CRITICAL)  # the client's lines quote payloads and name sessions


@dataclass(slots=True, eq=False)
class _Connection:
    """One WebSocket. `opened`, `last_frame` (Slack's last frame), `hello_at` and `ended` are monotonic times.

    `reason`: why Slack wants it replaced, as its disconnect frame says.
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
    def has_stayed(self) -> bool:
        """Whether Slack said hello on it, and left it open for a while."""
        return self.hello_at is not None and (self.ended or time.monotonic()) - self.hello_at >= STAYED

    @property
    def is_silent(self) -> bool:
        """Whether it stands and has nothing to say: Slack doesn't hear us, or has forgotten us."""
        now = time.monotonic()
        no_hello = self.hello_at is None and now - self.opened > HELLO_WITHIN
        return self.is_open and (no_hello or now - self.last_frame > IDLE_FOR)


class SocketClient(SocketModeClient):
    """slack_sdk's client, whose connections are opened one attempt at a time and each read to its end.

    `on_frame` gets the text or bytes of each frame, and its connection. `changed` is set when there is news of a connection.
    """

    def __init__(self, client: SlackClient, on_frame: Callable[[Any, _Connection], None]) -> None:
        super().__init__(
            app_token=client.config.app_token,
            logger=_silent,
            web_client=client.web(token=""),
            auto_reconnect_enabled=False,
        )
        self._own_session, self.aiohttp_client_session = self.aiohttp_client_session, client.session
        self._on_frame = on_frame
        self.changed = asyncio.Event()
        self.connection: _Connection | None = None
        self._receivers: set[asyncio.Task[None]] = set()

    async def issue_new_wss_url(self) -> str:
        """A URL to connect to, good for one attempt; raises what the SDK's Web API client raises."""
        response = await self.web_client.apps_connections_open(app_token=self.app_token)
        return str(response["url"])

    async def connect(self) -> None:
        """Open a new connection, one attempt, and let it take over; the old one stays until this one stands."""
        url = await self.issue_new_wss_url()
        socket = await self.aiohttp_client_session.ws_connect(
            url, heartbeat=PING_EVERY, timeout=WS_TIMEOUT, max_msg_size=LARGEST_FRAME, proxy=proxy_for(url)
        )
        self.current_session = socket
        self.connection = _Connection(socket)
        receiver = asyncio.get_running_loop().create_task(self.receive_messages())
        self._receivers.add(receiver)
        receiver.add_done_callback(self._receivers.discard)

    async def receive_messages(self) -> None:
        """Read the newest connection to its end, also when another has taken over."""
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
        """Hang up, and read no more."""
        self.closed = True
        self.message_processor.cancel()
        if self.current_session is not None:  # waits for Slack's answer, so that what was sent before has arrived
            await self.current_session.close()
        for receiver in list(self._receivers):
            receiver.cancel()
        await self._own_session.close()


class SocketFront:
    """Receives what Slack sends by Socket Mode, and hands it to `dispatch` (AsyncApp.async_dispatch).

    Make it in the event loop, with an open client whose config has the app-level token.
    """

    def __init__(self, dispatch: Dispatch, client: SlackClient) -> None:
        self._dispatch = dispatch
        self._client = SocketClient(client, self._on_frame)
        self._handling: set[asyncio.Task[None]] = set()
        self._retiring: set[asyncio.Task[None]] = set()
        self._is_closing = False
        self._is_good = False
        self._failures = 0
        self._logged = ""
        self._retry_after = 0.0

    def is_connected(self) -> bool:
        """Whether there is a connection, and one has stayed since any ended at once."""
        connection = self._client.connection
        return self._is_good and connection is not None and connection.is_open

    async def close(self, timeout: float) -> bool:
        """Take nothing more, acknowledge what was taken, hang up; true if all was handled within `timeout` seconds."""
        self._is_closing = True
        if self._handling:
            await asyncio.wait(set(self._handling), timeout=timeout)
        done = not self._handling
        for task in (*self._handling, *self._retiring):
            task.cancel()
        await self._client.close()
        await asyncio.gather(*self._handling, *self._retiring, return_exceptions=True)
        return done

    # --- the connection

    async def connect(self) -> None:
        """Open the first connection and wait for Slack's hello; raises SlackApiError and what a network can cause."""
        await self._client.connect()
        connection = self._client.connection
        if connection is None:
            return
        while connection.hello_at is None and not (connection.reason or connection.is_silent):
            if not connection.is_open:
                raise ConnectionError("the connection was ended at once")
            await self._next_change()
        if connection.hello_at is None:
            await connection.socket.close()
            raise ConnectionError(REMEDIES.get(connection.reason) or "Slack doesn't say hello")

    async def watch(self) -> None:
        """Replace the connection when it ends, when Slack asks for it, and when it is silent. Runs until it is cancelled."""
        while True:
            connection = self._client.connection
            if connection is not None and connection.has_stayed:
                self._note_good()
            if connection is None or connection.reason or connection.is_silent or not connection.is_open:
                await self._replace(connection)
            else:
                await self._next_change()

    async def _next_change(self) -> None:
        await is_set_within(self._client.changed, TICK)
        self._client.changed.clear()

    async def _replace(self, old: _Connection | None) -> None:
        """Attempt after attempt, until there is a new connection."""
        if old is not None:
            self._note_end(old)
        gone_since = logged = time.monotonic()
        await asyncio.sleep(self._pause())
        while not await self._try_connect(old):
            await asyncio.sleep(self._pause())
            now = time.monotonic()
            if now - logged >= SAY_EVERY and (old is None or not old.is_open):
                logger.warning("No connection to Slack for %d seconds; trying on.", now - gone_since)
                logged = now
        if old is not None and old.is_open:
            _keep(self._retiring, _retire(old))

    async def _try_connect(self, old: _Connection | None) -> bool:
        try:
            await self._client.connect()
        except UNREACHABLE as error:
            self._failures += 1
            self._note_failure(error, is_renewal=old is not None and old.is_silent)
            return False
        return True

    def _pause(self) -> float:
        """Seconds before the next attempt: none after a connection that stayed, and at least what Slack has set."""
        after, self._retry_after = self._retry_after, 0.0
        return max(after, PAUSES[min(self._failures, len(PAUSES)) - 1] if self._failures else 0.0)

    def _note_good(self) -> None:
        if self._logged:
            logger.info("Slack gives connections again.")
        self._is_good, self._failures, self._logged = True, 0, ""

    def _note_end(self, old: _Connection) -> None:
        """Say why a connection has to be replaced, where that isn't everyday life."""
        if old.is_silent:
            logger.info("The connection to Slack is silent; making a new one.")
        if old.has_stayed and old.reason not in REMEDIES:
            return
        self._failures += 1
        self._is_good = False
        if old.reason in REMEDIES:
            self._say(REMEDIES[old.reason])
        elif self._failures > 1:
            self._say(f"it ends every connection at once ({old.reason or 'without a reason'})")

    def _note_failure(self, error: Exception, *, is_renewal: bool) -> None:
        """Say why there is no new connection, and keep the time that Slack has set for the next attempt."""
        code = error_code(error) if isinstance(error, SlackApiError) else ""
        if code == "ratelimited" and isinstance(error, SlackApiError):
            self._retry_after = retry_after(error.response.headers)
        reason = reason_of(error)
        if code in REFUSED_TOKEN:
            reason = f"Slack no longer takes SLACK_APP_TOKEN ({code}); nothing arrives"
        if is_renewal and reason != self._logged:
            logger.warning("A silent connection could not be renewed (%s); trying again.", reason)
            self._logged = reason
        self._say(reason)

    def _say(self, reason: str) -> None:
        if reason != self._logged:
            logger.error("No connection to Slack: %s. Trying on.", reason)
        self._logged = reason

    # --- what comes by it

    def _on_frame(self, text: Any, connection: _Connection) -> None:
        """Handle a frame, in a task of its own where it takes an answer."""
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
            _keep(self._handling, self._handle(envelope, connection))

    async def _handle(self, envelope: dict[str, Any], connection: _Connection) -> None:
        """Dispatch a payload, and acknowledge it unless it has to come again."""
        try:
            request = SocketModeRequest.from_dict(envelope)
            if request is None or not is_valid_payload(request.payload):
                return
            bolt_request = AsyncBoltRequest(mode="socket_mode", body=request.payload, headers=_retry_headers(request))
            response = await self._dispatch(bolt_request)
            if isinstance(response, AckThenRun):
                await self._acknowledge_then_run(request, response, connection)
            elif response.status == 200:
                await self._send(SocketModeResponse(request.envelope_id, _payload(response)), connection)
        except ConnectionError as error:
            logger.info("An acknowledgement could not be sent (%s)", type(error).__name__)
        except Exception as error:
            logger.error("A payload could not be handled\n%s", format_without_message(error))

    async def _acknowledge_then_run(
        self, request: SocketModeRequest, response: AckThenRun, connection: _Connection
    ) -> None:
        """Acknowledge without a payload, which would be posted, and say whether that could be sent."""
        sent = False
        try:
            await self._send(SocketModeResponse(request.envelope_id), connection)
            sent = True
        finally:
            response.delivery.written(sent)

    async def _send(self, response: SocketModeResponse, connection: _Connection) -> None:
        """Send an acknowledgement by the connection that its envelope came by, or by a newer one if that has ended."""
        text = json.dumps(response.to_dict())
        try:
            await connection.socket.send_str(text)
        except ConnectionError:
            await self._client.send_message(text)


async def _retire(connection: _Connection) -> None:
    """Close a connection that another has replaced, a little later."""
    try:
        await asyncio.sleep(OLD_STAYS)
    finally:
        await connection.socket.close()


def _keep(tasks: set[asyncio.Task[None]], work: Coroutine[Any, Any, None]) -> None:
    """Run it in a task, which is kept until it ends: asyncio holds only weak references to tasks."""
    task = asyncio.get_running_loop().create_task(work)
    tasks.add(task)
    task.add_done_callback(tasks.discard)


def _parse_frame(text: Any) -> dict[str, Any] | None:
    """The object in a frame; None unless it is a message of Slack's."""
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
    """What Bolt reads from the headers of an HTTP request: which repetition of a delivery it is, and why."""
    if request.retry_attempt is None:
        return {}
    return {"x-slack-retry-num": str(request.retry_attempt), "x-slack-retry-reason": str(request.retry_reason or "")}


def _payload(response: BoltResponse) -> dict[str, Any] | None:
    """The payload that goes back with an acknowledgement: Bolt's JSON, or its text."""
    if not response.body:
        return None
    if response.headers.get("content-type", [""])[0].startswith("application/json"):
        payload: dict[str, Any] = json.loads(response.body)
        return payload
    return {"text": response.body}


async def serve_socket(
    front: SocketFront,
    stop: asyncio.Event,
    *,
    ready: Callable[[], None] | None = None,
    finish_within: float = FINISH_WITHIN,
) -> bool:
    """Serve until `stop` is set, then acknowledge what was taken and hang up; true if all of that was done.

    `ready` is called once Slack has said hello. Raises SettingsError when Slack refuses the app-level token.
    """
    try:
        if await wait_for_slack(front.connect, "SLACK_APP_TOKEN", stop):
            logger.info("Connected to Slack by Socket Mode")
            if ready is not None:
                ready()
            await _watch_until(front, stop)
    finally:
        done = await front.close(finish_within)
    return done


async def _watch_until(front: SocketFront, stop: asyncio.Event) -> None:
    watching = asyncio.ensure_future(front.watch())
    stopping = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait((watching, stopping), return_when=asyncio.FIRST_COMPLETED)
        if watching.done():
            watching.result()
    finally:
        watching.cancel()
        stopping.cancel()
        await asyncio.wait((watching, stopping))
