"""Socket Mode: each payload acknowledged once, over a connection that may be cut, silent or unwanted at any time."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import pytest
from slack_bolt import BoltResponse
from slack_bolt.request.async_request import AsyncBoltRequest

from bot.settings import SettingsError
from bot.slack.admission import AckThenRun, Delivery
from bot.slack.transport import client as client_module
from bot.slack.transport import notices as notices_module
from bot.slack.transport import socket as socket_module
from bot.slack.transport.client import SlackClient, SlackConfig
from bot.slack.transport.remedies import remedy_of
from bot.slack.transport.socket import SocketConnection, SocketReceiver, serve_socket
from support.slack_stub import TEAM, Fault, Stub

T = TypeVar("T")
Dispatch = Callable[[AsyncBoltRequest], Awaitable[BoltResponse]]


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes seconds outside takes hundredths here."""
    monkeypatch.setattr(socket_module, "CONNECT_DELAYS", (0.05, 0.1))
    monkeypatch.setattr(socket_module, "MIN_STABLE", 0.3)
    monkeypatch.setattr(socket_module, "OLD_CONNECTION_GRACE", 0.2)
    monkeypatch.setattr(socket_module, "WATCH_INTERVAL", 0.05)
    monkeypatch.setattr(client_module, "FIRST_CONNECT_DELAY", 0.05)


async def fine(_: AsyncBoltRequest) -> BoltResponse:
    return BoltResponse(status=200, body="")


class Linked:
    """The receiver, connected to the stub."""

    def __init__(self, stub: Stub, receiver: SocketReceiver, stop: asyncio.Event) -> None:
        self.stub, self.receiver, self.stop = stub, receiver, stop
        self.requests: list[AsyncBoltRequest] = []

    async def until(self, condition: Callable[[], Any], timeout: float = 5) -> None:
        """The stub's changes come from its threads, so that this has to look."""
        async with asyncio.timeout(timeout):
            while not condition():
                await asyncio.sleep(0.005)

    async def acknowledged(self, *numbers: int) -> None:
        wanted = {f"e{number}" for number in numbers}
        await self.until(lambda: wanted <= set(self.stub.acknowledged))

    async def heard(self, number: int) -> None:
        """Deliver again as Slack does, until it is acknowledged: a new connection may not be the stub's newest yet."""
        for _ in range(20):
            try:
                self.stub.send(mention(number))
                await self.until(lambda: f"e{number}" in self.stub.acknowledged, 0.5)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                return
        raise AssertionError("it is not acknowledged")


@asynccontextmanager
async def linked(stub: Stub, dispatch: Dispatch = fine) -> AsyncIterator[Linked]:
    config = SlackConfig(bot_token="xoxb-secret", app_token="xapp-secret", api_url=stub.url)
    stop, ready = asyncio.Event(), asyncio.Event()

    async def noted(request: AsyncBoltRequest) -> BoltResponse:
        found.requests.append(request)
        return await dispatch(request)

    async with SlackClient(config) as client:
        receiver = SocketReceiver(noted, client)
        found = Linked(stub, receiver, stop)
        serving = asyncio.ensure_future(serve_socket(receiver, stop, ready=ready.set))
        try:
            await asyncio.wait(
                (serving, waiting := asyncio.ensure_future(ready.wait())), return_when=asyncio.FIRST_COMPLETED
            )
            waiting.cancel()
            if not serving.done():
                yield found
        finally:
            stop.set()
            await serving


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


def mention(number: int) -> dict[str, Any]:
    event = {"type": "app_mention", "user": "U1", "channel": "C1", "ts": f"1.{number}", "text": "topic"}
    return envelope(number, "events_api", {"type": "event_callback", "team_id": TEAM, "event": event})


def envelope(number: int, kind: str, payload: Any) -> dict[str, Any]:
    return {"envelope_id": f"e{number}", "type": kind, "accepts_response_payload": False, "payload": payload}


def errors(caplog: pytest.LogCaptureFixture, level: int = logging.WARNING) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= level]


# --- payloads


def test_payloads_are_dispatched_and_acknowledged(stub: Stub) -> None:
    async def test() -> None:
        async def dispatch(request: AsyncBoltRequest) -> BoltResponse:
            match request.body.get("type"):
                case "view_submission":
                    headers = {"content-type": "application/json"}
                    return BoltResponse(status=200, body='{"response_action": "clear"}', headers=headers)
                case "block_actions":
                    return BoltResponse(status=200, body="in words")
                case _:
                    return BoltResponse(status=200, body="")

        async with linked(stub, dispatch) as link:
            stub.send(mention(1) | {"retry_attempt": 1, "retry_reason": "timeout"})
            stub.send(envelope(2, "slash_commands", {"command": "/askpy", "text": "topic"}))
            stub.send(
                envelope(3, "interactive", {"type": "view_submission", "view": {"type": "modal", "callback_id": "c"}})
            )
            stub.send(envelope(4, "interactive", {"type": "block_actions", "actions": [{"action_id": "a"}]}))
            await link.acknowledged(1, 2, 3, 4)
            assert stub.payloads == {"e1": {}, "e2": {}, "e3": {"response_action": "clear"}, "e4": {"text": "in words"}}
            first = next(each for each in link.requests if "event" in each.body)
            assert (first.headers["x-slack-retry-num"], first.headers["x-slack-retry-reason"]) == (["1"], ["timeout"])
            assert (first.mode, first.context["team_id"]) == ("socket_mode", TEAM)

    run(test())
    assert [call.token for call in stub.calls] == ["xapp-secret"]
    assert stub.of("apps.connections.open") == [{}]


def test_the_task_goes_on_when_the_acknowledgement_is_sent(stub: Stub) -> None:
    async def test() -> None:
        delivery = Delivery()

        async def claim(_: AsyncBoltRequest) -> BoltResponse:
            return AckThenRun(delivery, "words that would be posted")

        async with linked(stub, claim) as link:
            stub.send(mention(1))
            assert await delivery.acknowledged()
            await link.acknowledged(1)

    run(test())
    assert stub.payloads == {"e1": {}}


def test_what_has_to_come_again_is_not_acknowledged(stub: Stub, caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        async def busy(request: AsyncBoltRequest) -> BoltResponse:
            match request.body["event"]["ts"]:
                case "1.1":
                    return BoltResponse(status=503, body="")
                case "1.2":
                    raise KeyError("what is " + "xylophone?")
                case _:
                    return BoltResponse(status=200, body="")

        async with linked(stub, busy) as link:
            for number in (1, 2, 3):
                stub.send(mention(number))
            await link.acknowledged(3)

    run(test())
    assert stub.acknowledged == ["e3"]
    assert ("KeyError" in caplog.text, "xylophone" in caplog.text.replace('"xylophone?"', "")) == (True, False)


@pytest.mark.parametrize("size", [60_000, 65_535, 65_536, 400_000])
def test_frames_of_any_size_go_through(stub: Stub, size: int) -> None:
    """slack-sdk 3.47 could send none over 65,535 bytes."""

    async def test() -> None:
        async def echo(request: AsyncBoltRequest) -> BoltResponse:
            body = json.dumps({"view": request.body["event"]["text"]})
            return BoltResponse(status=200, body=body, headers={"content-type": "application/json"})

        async with linked(stub, echo) as link:
            message = mention(1)
            message["payload"]["event"]["text"] = "x" * size
            stub.send(message)
            await link.acknowledged(1)

    run(test())
    assert len(stub.payloads["e1"]["view"]) == size


def test_rubbish_frames_are_one_line_each(stub: Stub, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    invalid = [
        envelope(9, "events_api", {"type": "event_callback", "event": None}),
        envelope(9, "interactive", "a text"),
    ]
    rubbish = [b"", b"hello", b"{", b"[1]", b"{}", b'{"type": 5}', b"[" * 50_000, b'{"type": "x", "envelope_id": 1}']

    async def test() -> None:
        async with linked(stub) as link:
            for frame in (*rubbish, *(json.dumps(each).encode() for each in invalid)):
                stub.send(frame)
            stub.send(mention(1))
            await link.acknowledged(1)
            assert len(link.requests) == 1

    run(test())
    told = [line for line in errors(caplog, logging.INFO) if line != "Connected to Slack by Socket Mode"]
    assert told == ["A frame that makes no sense was left alone"] * len(rubbish)


def test_a_stop_acknowledges_what_was_taken_and_takes_no_more(stub: Stub) -> None:
    async def test() -> list[str]:
        arrived, decided = asyncio.Event(), asyncio.Event()

        async def slow(_: AsyncBoltRequest) -> BoltResponse:
            arrived.set()
            await decided.wait()
            return BoltResponse(status=200, body="")

        async with linked(stub, slow) as link:
            stub.send(mention(1))
            await arrived.wait()
            link.stop.set()
            await asyncio.sleep(0.05)
            stub.send(mention(2))
            await asyncio.sleep(0.05)
            decided.set()
        return [request.body["event"]["ts"] for request in link.requests]

    assert run(test()) == ["1.1"]
    assert stub.acknowledged == ["e1"]


# --- the connection


def test_a_cut_is_noticed_and_mended(stub: Stub, caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        async with linked(stub) as link:
            await link.until(link.receiver.is_connected)
            started, cpu = time.monotonic(), time.process_time()
            stub.cut()
            await link.until(lambda: len(stub.sockets) == 2)
            assert (time.monotonic() - started < 0.5, time.process_time() - cpu < 0.5) == (True, True)
            await link.heard(1)
            assert link.receiver.is_connected()

    run(test())
    assert errors(caplog) == []


def test_connections_that_are_cut_again_and_again_are_told_and_made_at_growing_intervals(
    stub: Stub, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by a proxy with a short timeout: each is stable, and cut without a disconnect frame."""
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(socket_module, "MIN_STABLE", 0.05)
    monkeypatch.setattr(socket_module, "CONNECT_DELAYS", (0.3, 0.6))
    counted: list[tuple[str, str]] = []

    async def test() -> tuple[list[float], list[int]]:
        async with linked(stub) as link:
            link.receiver.slack.on_error = lambda *error: counted.append(error)
            pauses, notes = [], []
            for number in range(1, 5):
                await link.until(lambda number=number: len(stub.sockets) == number)
                await link.until(link.receiver.is_connected)
                await asyncio.sleep(0.1)
                cut_at = time.monotonic()
                stub.cut()
                await link.until(lambda number=number: len(stub.sockets) == number + 1)
                pauses.append(time.monotonic() - cut_at)
                notes.append(len(link.receiver.slack.notices.present))
            stub.fail("apps.connections.open", Fault(503))
            await asyncio.sleep(0.1)
            stub.cut()
            await link.until(lambda: "Slack gives connections again." in caplog.messages)
            notes.append(len(link.receiver.slack.notices.present))  # that one is over, and the cuts aren't
            return pauses, notes

    pauses, notes = run(test())
    assert ([pause > 0.1 for pause in pauses], [pause > 0.35 for pause in pauses]) == (
        [False, False, True, True],
        [False, False, False, True],
    ), pauses
    cut = ("Socket Mode", "cut")
    assert (notes, counted) == ([0, 0, 1, 1, 1], [*[cut] * 5, ("Socket Mode", "HTTP 503")])
    assert errors(caplog)[:1] == [f"The connection to Slack is cut again and again, now after 1 s: {remedy_of('cut')}."]
    assert caplog.messages.count("The connection to Slack was cut after 0 s; making a new one.") == 2


def test_cuts_that_are_rare_are_no_fault(
    stub: Stub, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket_module, "MIN_STABLE", 0.05)
    monkeypatch.setattr(socket_module, "CUT_WINDOW", 0.2)

    async def test() -> None:
        async with linked(stub) as link:
            for number in range(1, 5):
                await link.until(lambda number=number: len(stub.sockets) == number)
                await asyncio.sleep(0.15)
                stub.cut()
            await link.until(lambda: len(stub.sockets) == 5)

    run(test())
    assert errors(caplog) == []


def test_a_connection_that_lasts_is_made_anew_at_once_however_often_it_is_cut(
    stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket_module, "MIN_STABLE", 0.05)
    monkeypatch.setattr(socket_module, "CONNECT_DELAYS", (0.2,))

    async def test() -> float:
        async with linked(stub) as link:
            for number in range(1, 5):
                await link.until(lambda number=number: len(stub.sockets) == number)
                await asyncio.sleep(0.25)
                cut_at = time.monotonic()
                stub.cut()
            await link.until(lambda: len(stub.sockets) == 5)
            return time.monotonic() - cut_at

    assert run(test()) < 0.15


@pytest.mark.parametrize(
    ("hello_at", "ended", "reason", "is_cut"),
    [
        (1.0, 9.0, "", True),
        (1.0, 9.0, "refresh_requested", False),
        (1.0, None, "", False),
        (1.0, 1.1, "", False),
        (None, 9.0, "", False),
    ],
)
def test_a_cut_is_the_end_of_a_stable_connection_without_a_frame(
    hello_at: float | None, ended: float | None, reason: str, is_cut: bool
) -> None:
    socket: Any = None
    assert SocketConnection(socket, hello_at=hello_at, ended=ended, reason=reason).is_cut is is_cut


@pytest.mark.parametrize("reason", ["refresh_requested", "warning"])
def test_requests_to_refresh_are_no_cuts(
    stub: Stub, reason: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket_module, "MIN_STABLE", 0.05)
    monkeypatch.setattr(socket_module, "OLD_CONNECTION_GRACE", 0.0)
    counted: list[str] = []

    async def test() -> None:
        async with linked(stub) as link:
            link.receiver.slack.on_error = lambda *error: counted.append(error)
            for number in range(1, 5):
                await link.until(lambda number=number: len(stub.sockets) == number)
                await asyncio.sleep(0.15)
                stub.send({"type": "disconnect", "reason": reason})
                if number % 2:
                    stub.cut()
            await link.until(lambda: len(stub.sockets) == 5)

    run(test())
    assert (errors(caplog), counted) == ([], [])


@pytest.mark.parametrize("reason", ["too_many_websockets", "link_disabled"])
def test_a_stable_connection_that_becomes_unwanted_is_said(
    stub: Stub, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def test() -> None:
        async with linked(stub) as link:
            await link.until(link.receiver.is_connected)
            stub.send({"type": "disconnect", "reason": reason})
            await link.until(lambda: errors(caplog))
            assert not link.receiver.is_connected()
            await link.until(link.receiver.is_connected)

    run(test())
    assert errors(caplog) == [f"No connection to Slack, and nothing arrives ({reason}): {remedy_of(reason)}."]


@pytest.mark.parametrize("reason", ["refresh_requested", "warning"])
def test_a_request_to_refresh_is_followed_and_the_old_connection_read_on(stub: Stub, reason: str) -> None:
    """What Slack sends on the old one meanwhile is acknowledged, on the one that it came by."""

    async def test() -> None:
        async with linked(stub) as link:
            await link.until(link.receiver.is_connected)
            stub.send({"type": "disconnect", "reason": reason})
            await link.until(lambda: len(stub.sockets) == 2)
            old, new = stub.sockets
            stub.sockets[:] = [old]
            stub.send(mention(1))
            await link.acknowledged(1)
            stub.sockets[:] = [old, new]
            await link.heard(2)
            assert link.receiver.is_connected()
            await link.until(lambda: old.fileno() == -1 or not link.receiver._retiring)

    run(test())


@pytest.mark.parametrize("silence", ["never a pong", "never a hello", "never a word"])
def test_a_silent_connection_is_made_anew(stub: Stub, silence: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if silence == "never a pong":
        monkeypatch.setattr(socket_module, "PING_EVERY", 0.2)
    stub.deaf = silence == "never a pong"

    async def test() -> None:
        async with linked(stub) as link:
            if silence == "never a hello":
                monkeypatch.setattr(socket_module, "HELLO_WITHIN", 0.2)
                stub.greets = False
                stub.cut()
                await link.until(lambda: len(stub.sockets) >= 3)
                stub.greets = True
            elif silence == "never a word":
                monkeypatch.setattr(socket_module, "IDLE_FOR", 0.2)
                await link.until(lambda: len(stub.sockets) >= 2)
                monkeypatch.setattr(socket_module, "IDLE_FOR", 60)
            else:
                await link.until(lambda: len(stub.sockets) >= 2)
                stub.deaf = False
            await link.heard(1)

    run(test())


def test_a_silent_connection_that_cannot_be_renewed_is_tried_again(
    stub: Stub, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def test() -> None:
        async with linked(stub) as link:
            await link.until(link.receiver.is_connected)
            stub.fail("apps.connections.open", Fault(503), Fault(503))
            monkeypatch.setattr(socket_module, "IDLE_FOR", 0.1)
            await link.until(lambda: len(stub.sockets) >= 2)
            monkeypatch.setattr(socket_module, "IDLE_FOR", 60)
            await link.heard(1)
            assert link.receiver.is_connected()

    run(test())
    (told,) = errors(caplog)
    assert told.startswith(
        "The connection to Slack can't be renewed (HTTP 503): Slack, or what stands in front of it, is down; "
    )


def test_a_refused_app_token_is_said_once(stub: Stub, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    async def test() -> None:
        async with linked(stub) as link:
            await link.until(link.receiver.is_connected)
            stub.fail("apps.connections.open", *[Fault(error="invalid_auth")] * 4)
            stub.cut()
            await link.until(lambda: len(stub.sockets) == 2)
            await link.heard(1)
            await link.until(lambda: "Slack gives connections again." in caplog.text)

    run(test())
    (told,) = errors(caplog)
    wanted = "No connection to Slack, and nothing arrives; Slack no longer takes SLACK_APP_TOKEN (invalid_auth): "
    assert (told.startswith(wanted), "copy SLACK_APP_TOKEN again" in told) == (True, True)


def test_a_limit_that_slack_names_is_kept(stub: Stub) -> None:
    async def test() -> float:
        async with linked(stub) as link:
            await link.until(link.receiver.is_connected)
            stub.fail("apps.connections.open", Fault(429, "ratelimited", 0.7))
            started = time.monotonic()
            stub.cut()
            await link.until(lambda: len(stub.sockets) == 2)
            return time.monotonic() - started

    assert run(test()) >= 0.7


@pytest.mark.parametrize("reason", ["too_many_websockets", "link_disabled"])
def test_an_unwanted_connection_is_said_once_with_its_remedy(
    stub: Stub, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    async def test() -> None:
        async with linked(stub) as link:
            await link.until(link.receiver.is_connected)
            stub.ends_with = reason
            stub.cut()
            await link.until(lambda: len(stub.sockets) == 6)
            assert not link.receiver.is_connected()
            stub.ends_with = ""
            await link.until(link.receiver.is_connected)
            await link.heard(1)

    started = time.monotonic()
    run(test())
    assert time.monotonic() - started > 0.05 + 3 * 0.1  # the pauses, which grow
    told = errors(caplog)
    assert told == [f"No connection to Slack, and nothing arrives ({reason}): {remedy_of(reason)}."]
    assert caplog.text.count("Slack gives connections again.") == 1


def test_an_unwanted_connection_at_the_start_is_waited_for(stub: Stub, caplog: pytest.LogCaptureFixture) -> None:
    stub.greets, stub.ends_with = False, "link_disabled"

    async def test() -> None:
        async def welcome() -> None:
            while len(stub.sockets) < 3:
                await asyncio.sleep(0.01)
            stub.greets, stub.ends_with = True, ""

        welcoming = asyncio.ensure_future(welcome())
        async with linked(stub) as link:
            await welcoming
            await link.until(link.receiver.is_connected)

    run(test())
    told = errors(caplog)
    assert len(told) == 1
    assert told[0].startswith("No connection to Slack (link_disabled), waiting for it: Socket Mode is switched off; ")


def test_connections_that_end_at_once_without_a_reason_are_said_too(
    stub: Stub, caplog: pytest.LogCaptureFixture
) -> None:
    async def test() -> None:
        async with linked(stub) as link:
            await link.until(link.receiver.is_connected)
            stub.ends_with = "refresh_requested"
            stub.cut()
            await link.until(lambda: len(stub.sockets) == 6)

    run(test())
    assert errors(caplog) == [
        f"No connection to Slack, and nothing arrives (refresh_requested): {remedy_of('refresh_requested')}."
    ]


def test_health_waits_until_a_connection_has_stayed(stub: Stub) -> None:
    async def test() -> tuple[bool, float]:
        async with linked(stub) as link:
            at_once, started = link.receiver.is_connected(), time.monotonic()
            await link.until(link.receiver.is_connected)
            return at_once, time.monotonic() - started

    at_once, seconds = run(test())
    assert (at_once, seconds > 0.2) == (False, True)


def test_a_host_that_is_blocked_is_one_line_without_ids(
    stub: Stub, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notices_module, "LOG_INTERVAL", 0.5)
    logging.getLogger("slack_sdk").setLevel(logging.DEBUG)
    secret = "a-one-use-ticket"

    async def test() -> None:
        async with linked(stub) as link:
            await link.until(link.receiver.is_connected)
            blocked = {"ok": True, "url": f"ws://127.0.0.1:1/link?ticket={secret}"}
            monkeypatch.setattr(stub, "success", lambda _: blocked)
            stub.cut()
            await link.until(lambda: len(told()) >= 3)

    def told() -> list[str]:
        return [line for line in errors(caplog, logging.INFO) if "No connection" in line]

    run(test())
    where = "nobody listens at 127.0.0.1:1; look at SLACK_API_URL, and whether a firewall refuses it"
    line = f"No connection to Slack, and nothing arrives ([Errno 111] Connection refused): {where}"
    assert told()[0] == f"{line}."
    assert all(
        re.fullmatch(re.escape(line) + r" \(\d+ times since the last such line\)\.", each) for each in told()[1:]
    )
    assert (secret in caplog.text, "s_" in caplog.text.replace("websockets_", "")) == (False, False)


def test_a_handshake_that_is_refused_shows_no_ticket(stub: Stub, caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        async with linked(stub) as link:
            await link.until(link.receiver.is_connected)
            good = stub.success
            stub.success = lambda _: {"ok": True, "url": f"{stub.url}nowhere?ticket=hush".replace("http", "ws")}  # type: ignore[method-assign]
            upgrade = stub.upgrade
            stub.upgrade = lambda request: request.send_error(403)  # type: ignore[method-assign]
            stub.cut()
            await link.until(lambda: errors(caplog))
            stub.success, stub.upgrade = good, upgrade  # type: ignore[method-assign]
            await link.heard(1)

    run(test())
    (told,) = errors(caplog)
    assert told.startswith("No connection to Slack, and nothing arrives (HTTP 403): the WebSocket isn't let through; ")


def test_each_connection_has_a_url_of_its_own(stub: Stub) -> None:
    async def test() -> None:
        async with linked(stub) as link:
            await link.until(link.receiver.is_connected)
            upgrade = stub.upgrade
            stub.upgrade = lambda request: request.send_error(500)  # type: ignore[method-assign]
            stub.cut()
            await link.until(lambda: len(stub.of("apps.connections.open")) >= 4)
            stub.upgrade = upgrade  # type: ignore[method-assign]
            await link.heard(1)

    run(test())


def test_a_refused_token_at_the_start_is_an_error(stub: Stub) -> None:
    stub.fail("apps.connections.open", Fault(error="invalid_auth"))

    async def test() -> None:
        async with linked(stub):
            pass

    with pytest.raises(SettingsError, match=r"SLACK_APP_TOKEN \(invalid_auth\): "):
        run(test())


def test_a_stop_at_the_start_ends_the_wait(stub: Stub) -> None:
    stub.fail("apps.connections.open", *[Fault(503)] * 50)

    async def test() -> bool:
        async with SlackClient(SlackConfig(bot_token="x", app_token="xapp-1", api_url=stub.url)) as client:
            stop = asyncio.Event()
            asyncio.get_running_loop().call_later(0.1, stop.set)
            return await serve_socket(SocketReceiver(fine, client), stop)

    assert run(test())
