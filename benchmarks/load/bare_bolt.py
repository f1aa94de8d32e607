"""A bare Bolt app, as its own documentation writes one, that answers a constant: what AskPy is measured against.

Run by gunicorn as `benchmarks.load.bare_bolt:build()`, with SLACK_API_URL, SLACK_BOT_TOKEN and SLACK_SIGNING_SECRET.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from slack_bolt import Ack, App, Respond
from slack_bolt.adapter.wsgi import SlackRequestHandler
from slack_sdk import WebClient

TEXT = "Hello from a bare Bolt app."
THREADS = 64
"""Threads that take requests, and threads that post: fewer would be bound by Slack's latency and not by the processor."""


def build() -> SlackRequestHandler:
    """The app as a WSGI application."""
    token = os.environ["SLACK_BOT_TOKEN"]
    app = App(
        client=WebClient(token=token, base_url=os.environ["SLACK_API_URL"]),
        token=token,
        signing_secret=os.environ["SLACK_SIGNING_SECRET"],
        listener_executor=ThreadPoolExecutor(THREADS),
        attaching_conversation_kwargs_enabled=False,
    )

    @app.event("app_mention")
    def mention(event: dict[str, Any], client: WebClient) -> None:
        client.chat_postMessage(channel=event["channel"], thread_ts=event["ts"], text=TEXT)

    @app.event("message")
    def message(event: dict[str, Any], client: WebClient) -> None:
        client.chat_postMessage(channel=event["channel"], text=TEXT)

    @app.command("/askpy")
    def command(ack: Ack, respond: Respond) -> None:
        ack()
        respond(TEXT)

    return SlackRequestHandler(app)
