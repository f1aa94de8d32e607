"""The bot in a process of its own over sample replies: `slack_process.py http|socket API_URL SECRET DATABASE`.

It is `serve` itself, but for the engine and the pack.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from bot import serving
from bot.settings import Secret, Settings
from bot.slack.app import build_app
from bot.slack.metrics import Metrics
from bot.slack.transport.client import SlackConfig
from bot.store import Store
from support.slack_samples import SampleEngine

ROOT = Path(__file__).parents[2]
END_WITHIN = 10.0
"""Seconds after SIGTERM in which a process has to be gone: platforms kill then."""
PATIENCE = 20.0
"""Seconds that a process may take for what it does at once."""
PORT = re.compile(r"(?:Listening on|health on) port (\d+)")


class Process:
    """The bot in a process of its own, from its first line about a port to the end of the block."""

    def __init__(self, mode: str, url: str, secret: str, database: Path, program: str = "") -> None:
        """`program`: Python source that is run first."""
        here = Path(__file__)
        source = (
            f"import gc, runpy\ngc.set_threshold(50_000)\n{program}\nrunpy.run_path({str(here)!r}, run_name='__main__')"
        )
        command = [sys.executable, "-c", source, mode, url, secret, str(database)]
        env = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{here.parents[1]}"}
        self.process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=env, cwd=database.parent
        )
        self.lines: list[str] = []
        self.port = 0
        self._changed = threading.Condition()
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            with self._changed:
                self.lines.append(line)
                found = PORT.search(line)
                self.port = int(found[1]) if found else self.port
                self._changed.notify_all()

    def wait_for(self, words: str, timeout: float = PATIENCE) -> None:
        """Until a line of its log has these words."""
        with self._changed:
            assert self._changed.wait_for(lambda: words in "".join(self.lines), timeout), self.lines

    def health(self) -> int:
        """The status of its health page."""
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=5)) as connection:
            connection.request("GET", "/healthz")
            return connection.getresponse().status

    def wait_until_healthy(self) -> None:
        """Until it takes what Slack sends."""
        ends = time.monotonic() + PATIENCE
        while self.health() != 200:
            assert time.monotonic() < ends, self.lines
            time.sleep(0.02)

    def __enter__(self) -> Process:
        self.wait_for(" port ")
        return self

    def stop(self, *, times: int = 1) -> tuple[int, str]:
        """Send SIGTERM so many times and wait; the exit code and all that it logged."""
        for _ in range(times):
            self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(END_WITHIN)
        self._reading.join(END_WITHIN)
        return code, "".join(self.lines)

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        self._reading.join(END_WITHIN)
        assert self.process.stderr is not None
        self.process.stderr.close()


def stable_after(seconds: float) -> str:
    """What to run first so that a WebSocket counts as stable this soon; outside it takes two seconds."""
    return f"from bot.slack.transport import socket; socket.MIN_STABLE = {seconds}"


# --- the program


class NoReloader:
    """A pack that never changes."""

    def __init__(self) -> None:
        self.changed: list[Any] = []

    def run(self, stop: threading.Event) -> None:
        stop.wait()

    def wake(self) -> None:
        """Nothing to do: it waits for nothing but the end."""


def build(settings: Settings, config: SlackConfig, _: threading.Event) -> serving.Bot:
    """The parts, with sample replies."""
    store, metrics = Store(settings.database, hmac_id=config.hmac_id), Metrics()
    app = build_app(SampleEngine(), store, config, lines={}, metrics=metrics)  # type: ignore[arg-type]
    return serving.Bot(app=app, reloader=NoReloader(), store=store, metrics=metrics)  # type: ignore[arg-type]


def main(mode: str, url: str, secret: str, database: str) -> None:
    settings = Settings(
        slack_bot_token=Secret("xoxb-1"),
        slack_app_token=Secret("xapp-1"),
        slack_signing_secret=Secret(secret),
        slack_api_url=url,
        port=0,
        database_url=Secret(f"sqlite:///{database}"),
    )
    serving.build = build
    serving.serve(settings, mode)


if __name__ == "__main__":
    main(*sys.argv[1:])
