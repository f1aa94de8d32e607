"""Socket Mode for tests: a bot that is connected to the stub, and the envelopes that Slack sends."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bot.slack.transport.socket import SocketReceiver, serve_socket
from support.slack_app import PATIENCE, Door
from support.slack_stub import TEAM, Stub


@contextmanager
def connected(door: Door, stub: Stub) -> Iterator[None]:
    """The bot connected by Socket Mode, as long as this lasts."""
    ready = threading.Event()

    async def serve(stop: asyncio.Event) -> bool:
        receiver = SocketReceiver(door.app.dispatch, door.app.context.client)
        return await serve_socket(receiver, stop, ready=ready.set)

    stop = door.thread.call(asyncio.Event)
    serving = asyncio.run_coroutine_threadsafe(serve(stop), door.thread.loop)
    try:
        assert ready.wait(PATIENCE)
        stub.wait_for(lambda: stub.sockets)
        yield
    finally:
        door.thread.call(stop.set)
        assert serving.result(PATIENCE)


def envelope(number: int, kind: str, payload: dict[str, Any]) -> dict[str, Any]:
    """What Slack wraps a payload in; its id is "e" and the number."""
    return {"envelope_id": f"e{number}", "type": kind, "accepts_response_payload": False, "payload": payload}


def mention(number: int) -> dict[str, Any]:
    """An envelope with a mention; the number makes its ts, too."""
    event = {"type": "app_mention", "user": "U1", "channel": "C1", "ts": f"1.{number}", "text": "topic"}
    return envelope(number, "events_api", {"type": "event_callback", "team_id": TEAM, "event": event})
