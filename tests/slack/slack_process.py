"""The bot in a process of its own, over sample replies: `http|socket API_URL SECRET DATABASE`. Prints its port."""

from __future__ import annotations

import os
import signal
import sys
import threading

from slack_samples import SampleDesk

from bot.slack.access import Access, await_slack
from bot.slack.app import build_app
from bot.slack.http import Pages, health, serve_http
from bot.slack.socket import serve_socket
from bot.store import Store


def tell(port: int) -> None:
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()


def main() -> None:
    door, url, secret, database = sys.argv[1:]
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    access = Access(bot_token="xoxb-1", app_token="xapp-1", signing_secret=secret, api_url=url)
    store = Store(f"sqlite:///{database}")
    app = build_app(SampleDesk(), store, access, lines={})
    await_slack(app.identity.me, "SLACK_BOT_TOKEN", stop.wait)
    if door == "http":
        done = serve_http(app, 0, stop, host="127.0.0.1", ready=tell)
    else:
        with Pages(0, {"/healthz": lambda: health(app.able())}) as pages:
            done = serve_socket(app, access, stop, ready=lambda: tell(pages.port))
    store.close()
    if not done:
        os._exit(0)  # a request that hangs keeps its thread, and Python would wait for it


if __name__ == "__main__":
    main()
