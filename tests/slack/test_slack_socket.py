"""The whole app over Socket Mode: it answers as it does over HTTP. The connection itself is in test_transport_socket.py."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from support.people import SECRET
from support.slack_app import Door
from support.slack_process import END_WITHIN, Process, stable_after
from support.slack_stub import BOT, TEAM, Stub
from support.socket_links import connected, envelope


def mention(number: int) -> dict[str, Any]:
    event = {"type": "app_mention", "user": "U1", "channel": "C1", "ts": f"1.{number}", "text": f"<@{BOT}> topic"}
    return envelope(number, "events_api", {"type": "event_callback", "team_id": TEAM, "event": event})


def test_both_ways_answer_alike(door: Door, stub: Stub) -> None:
    command = {"command": "/askpy", "text": "library", "user_id": "U1", "channel_id": "C1", "response_url": stub.hook()}
    press = {"type": "block_actions", "actions": [{"action_id": "link:1", "block_id": "b", "type": "button"}]}
    state = {"values": {"search:1": {"words": {"type": "plain_text_input", "value": "library"}}}}
    view = {"id": "V1", "type": "modal", "callback_id": "search", "state": state}
    with connected(door, stub):
        stub.send(mention(1))
        stub.send(mention(1) | {"envelope_id": "e2", "retry_attempt": 1, "retry_reason": "timeout"})
        stub.send(envelope(3, "slash_commands", command))
        stub.send(envelope(4, "interactive", press))
        stub.send(envelope(5, "events_api", {"type": "event_callback", "event": {"type": "unheard_of"}}))
        stub.send(envelope(6, "interactive", {"type": "view_submission", "view": view, "user": {"id": "U1"}}))
        stub.wait_for(lambda: set(stub.acknowledged) == {"e1", "e2", "e3", "e4", "e5", "e6"})
        assert stub.payloads["e6"]["response_action"] == "update"
        stub.wait("hook")
        assert len(stub.wait("chat.postMessage")) == 1


def test_sigterm_and_health(stub: Stub, prepared: Path) -> None:
    with Process("socket", stub.url, SECRET, prepared, stable_after(1.0)) as bot:
        bot.wait_for("Connected to Slack")
        stub.send(mention(1))
        stub.wait("chat.postMessage")
        assert bot.health() == 503  # the connection hasn't stayed yet
        bot.wait_until_healthy()
        started = time.monotonic()
        code, log = bot.stop()
    assert time.monotonic() - started < END_WITHIN
    assert (code, "Traceback" in log) == (0, False)
    assert len(stub.of("chat.postMessage")) == 1
