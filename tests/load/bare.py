"""A bare Bolt app, as its own documentation writes one: what AskPy is measured against. `PORT API_URL THREADS POSTING`."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from slack_bolt import Ack, App, Respond
from slack_bolt.adapter.wsgi import SlackRequestHandler
from slack_sdk import WebClient
from waitress import serve  # type: ignore[import-untyped]

from bot.slack.http import CONNECTIONS

TEXT = "Hello from a bare Bolt app."


def main() -> None:
    port, url, threads, posting, token, secret = sys.argv[1:]
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    app = App(
        client=WebClient(token=token, base_url=url),
        token=token,
        signing_secret=secret,
        listener_executor=ThreadPoolExecutor(int(posting)),
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

    served: Callable[..., None] = serve
    served(
        SlackRequestHandler(app), host="127.0.0.1", port=int(port), threads=int(threads), connection_limit=CONNECTIONS
    )


if __name__ == "__main__":
    main()
