"""The Socket Mode door: the same answers, each once, over a connection that may be cut at any time."""

from __future__ import annotations

import json
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from conftest import Door, make_door
from slack_stub import TEAM, Fault, Stub
from test_slack_http import Process

from bot.slack import socket
from bot.slack.access import Access, await_slack
from bot.slack.socket import serve_socket


@pytest.fixture
def linked(stub: Stub) -> Iterator[Door]:
    """The bot, connected by Socket Mode in a thread."""
    door = make_door(stub)
    with connected(door, stub):
        yield door


@contextmanager
def connected(door: Door, stub: Stub) -> Iterator[None]:
    access = Access(bot_token="xoxb-secret", app_token="xapp-secret", api_url=stub.url)
    stop, ready = threading.Event(), threading.Event()
    thread = threading.Thread(target=serve_socket, args=(door.app, access, stop), kwargs={"ready": ready.set})
    thread.start()
    assert ready.wait(5)
    stub.wait_for(lambda: stub.sockets)
    try:
        yield
    finally:
        stop.set()
        thread.join(8)
    assert not thread.is_alive()


def mention(number: int) -> dict[str, Any]:
    event = {"type": "app_mention", "user": "U1", "channel": "C1", "ts": f"1.{number}", "text": "topic"}
    return envelope(number, "events_api", {"type": "event_callback", "team_id": TEAM, "event": event})


def envelope(number: int, kind: str, payload: dict[str, Any]) -> dict[str, Any]:
    return {"envelope_id": f"e{number}", "type": kind, "accepts_response_payload": False, "payload": payload}


def test_both_doors_answer_alike(linked: Door, stub: Stub) -> None:
    stub.send(mention(1))
    stub.send(mention(1) | {"envelope_id": "e2", "retry_attempt": 1, "retry_reason": "timeout"})
    command = {"command": "/askpy", "text": "library", "user_id": "U1", "channel_id": "C1", "response_url": stub.hook()}
    stub.send(envelope(3, "slash_commands", command))
    press = {"type": "block_actions", "actions": [{"action_id": "link:1", "block_id": "b", "type": "button"}]}
    stub.send(envelope(4, "interactive", press))
    stub.send(envelope(5, "events_api", {"type": "event_callback", "event": {"type": "unheard_of"}}))
    state = {"values": {"search:1": {"words": {"type": "plain_text_input", "value": "library"}}}}
    view = {"id": "V1", "type": "modal", "callback_id": "search", "state": state}
    stub.send(envelope(6, "interactive", {"type": "view_submission", "view": view, "user": {"id": "U1"}}))
    stub.wait_for(lambda: set(stub.acknowledged) == {"e1", "e2", "e3", "e4", "e5", "e6"})
    assert stub.payloads["e6"]["response_action"] == "update"
    stub.wait("hook")
    assert len(stub.wait("chat.postMessage")) == 1
    assert stub.of("apps.connections.open") == [{}]
    assert next(call.token for call in stub.calls if call.method == "apps.connections.open") == "xapp-secret"


def test_a_cut_is_noticed_and_mended(linked: Door, stub: Stub) -> None:
    started = time.process_time()
    stub.cut()
    stub.wait_for(lambda: len(stub.sockets) == 2, 10)
    assert time.process_time() - started < 1
    _until_heard(stub, 1)
    assert len(stub.of("chat.postMessage")) == 1


def test_a_request_to_refresh_is_followed_at_once(linked: Door, stub: Stub) -> None:
    stub.send({"type": "disconnect", "reason": "refresh_requested"})
    stub.wait_for(lambda: len(stub.sockets) == 2)
    _until_heard(stub, 1)


def test_rubbish_frames_are_survived(linked: Door, stub: Stub) -> None:
    event_null = envelope(9, "events_api", {"type": "event_callback", "event": None})  # type: ignore[dict-item]
    for rubbish in (b"", b"hello", b"{", b"[1]", b"{}", b'{"type": 5}', json.dumps(event_null).encode()):
        stub.send(rubbish)
    _until_heard(stub, 1)


@pytest.mark.parametrize("silence", ["never a pong", "never a word"])
def test_a_silent_connection_is_made_anew(stub: Stub, silence: str, monkeypatch: pytest.MonkeyPatch) -> None:
    patience = "MUTE_FOR" if silence == "never a pong" else "IDLE_FOR"
    monkeypatch.setattr(socket, patience, 1.0)
    stub.deaf = silence == "never a pong"
    door = make_door(stub)
    with connected(door, stub):
        stub.wait_for(lambda: len(stub.sockets) >= 2, 10)
        stub.deaf = False
        monkeypatch.setattr(socket, patience, 60)  # a busy machine is silent for a second as well
        _until_heard(stub, 1)
    assert len(stub.of("chat.postMessage")) == 1


def test_a_silent_connection_that_cannot_be_renewed_is_tried_again(
    stub: Stub, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(socket, "IDLE_FOR", 0.5)
    with connected(make_door(stub), stub):
        stub.fail("apps.connections.open", Fault(503))
        stub.wait_for(lambda: len(stub.sockets) >= 2, 10)
        monkeypatch.setattr(socket, "IDLE_FOR", 60)
        _until_heard(stub, 1)
    assert "could not be renewed" in caplog.text


def test_a_refused_app_token_is_said_once(
    stub: Stub, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(socket, "REFUSED_PAUSES", (0.1, 0.2))
    with connected(make_door(stub), stub):
        stub.fail("apps.connections.open", *[Fault(error="invalid_auth")] * 2)
        stub.cut()
        stub.wait_for(lambda: len(stub.sockets) == 2, 10)
        _until_heard(stub, 1)
    told = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert told == [
        "No connection to Slack: Slack no longer takes SLACK_APP_TOKEN (invalid_auth); nothing arrives. Trying on."
    ]


def _until_heard(stub: Stub, number: int) -> None:
    """A new connection is read from a moment after it is made: deliver again as Slack does, until it is acknowledged."""
    for attempt in range(20):
        try:
            stub.send(mention(number))
            stub.wait_for(lambda: f"e{number}" in stub.acknowledged, 0.5)
        except (AssertionError, OSError):
            assert attempt < 19
        else:
            break
    stub.wait("chat.postMessage")


def test_sigterm_and_health(stub: Stub, tmp_path: Path) -> None:
    with Process(stub, "socket", tmp_path) as bot:
        with urllib.request.urlopen(f"http://127.0.0.1:{bot.port}/healthz", timeout=5) as page:
            assert page.status == 200
        _until_heard(stub, 1)
        started = time.monotonic()
        errors = bot.stop()
    assert time.monotonic() - started < 9
    assert "Traceback" not in errors
    assert len(stub.of("chat.postMessage")) == 1


# --- the start


def test_slack_down_at_the_start_is_waited_for(stub: Stub, caplog: pytest.LogCaptureFixture) -> None:
    tries = iter([ConnectionRefusedError("no"), ConnectionRefusedError("no"), None])
    pauses: list[float] = []

    def ask() -> None:
        if error := next(tries):
            raise error

    assert await_slack(ask, "SLACK_BOT_TOKEN", lambda seconds: bool(pauses.append(seconds)))  # type: ignore[func-returns-value]
    assert pauses == [1.0, 2.0]
    assert [record.levelname for record in caplog.records] == ["WARNING"]
