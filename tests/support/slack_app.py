"""The bot behind its HTTP receiver, and what people do to it. Tests are synchronous; the app has an event loop in a thread."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import http.client
import json
import threading
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, TypeVar
from unittest import mock
from urllib.parse import urlencode

from bot.slack.app import SlackApp, build_app
from bot.slack.metrics import Metrics
from bot.slack.transport import http as http_module
from bot.slack.transport.client import SlackConfig
from bot.slack.transport.health import health_page
from bot.slack.transport.http import HttpReceiver, serve_http
from support.slack_samples import SampleEngine, SampleStore
from support.slack_stub import BOT, TEAM, Stub

SECRET = "a signing secret"
PATIENCE = 10.0
"""Seconds that a test waits for what should happen at once."""

T = TypeVar("T")


class LoopThread:
    """An event loop in a thread of its own."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name="app", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T], timeout: float = PATIENCE) -> T:
        """The result of a coroutine, run there."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(timeout)

    def call(self, work: Callable[[], T]) -> T:
        """The result of a function, called there."""

        async def called() -> T:
            return work()

        return self.run(called())

    def close(self) -> None:
        self.run(self._others_end())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(PATIENCE)
        self.loop.close()

    async def _others_end(self) -> None:
        """Until a server has seen that its connections are closed, or not much longer."""
        for _ in range(50):
            if len(asyncio.all_tasks()) == 1:
                return
            await asyncio.sleep(0.001)


@dataclass
class Door:
    """The bot behind its HTTP receiver, and what people do to it.

    A request returns when it is answered and all that it caused is done, or waits for a time that Slack has set.
    """

    stub: Stub
    engine: Any
    store: Any
    app: SlackApp
    thread: LoopThread
    port: int
    stop: Callable[[], Coroutine[Any, Any, None]]
    ticks: int = 0
    answers: dict[str, str] = field(default_factory=dict)

    def request(
        self,
        raw: bytes,
        kind: str = "application/json",
        method: str = "POST",
        path: str = "/slack/events",
        settles: bool = True,
        **headers: str,
    ) -> int:
        """Send it signed; `headers` override the signature's. Returns the status."""
        stamp = str(int(time.time()))
        digest = hmac.new(SECRET.encode(), f"v0:{stamp}:".encode() + raw, hashlib.sha256).hexdigest()
        sent = {
            "Content-Type": kind, "X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={digest}",
        } | headers  # fmt: skip
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request(method, path, raw, sent)
            response = connection.getresponse()
            self.answers["last"] = response.read().decode()
        finally:
            connection.close()
        if settles:
            self.rest()
        return response.status

    def json(self, body: Any, **options: Any) -> int:
        return self.request(json.dumps(body).encode(), **options)

    def form(self, **fields: str) -> int:
        return self.request(urlencode(fields).encode(), "application/x-www-form-urlencoded")

    def ts(self) -> str:
        self.ticks += 1
        return f"1700000000.{self.ticks:06d}"

    def event(self, **event: Any) -> int:
        """An event; what isn't given is as in an ordinary message."""
        event = {"user": "U1", "channel": "C1", "ts": self.ts(), "text": "topic"} | event
        return self.json({"type": "event_callback", "team_id": TEAM, "event_id": "Ev1", "event": event})

    def mention(self, text: str = "topic", **event: Any) -> int:
        return self.event(type="app_mention", text=f"<@{BOT}> {text}", **event)

    def dm(self, text: str = "topic", **event: Any) -> int:
        return self.event(**{"type": "message", "channel_type": "im", "channel": "D1", "text": text} | event)

    def command(self, text: str = "topic", **fields: str) -> int:
        fields = {
            "command": "/askpy",
            "team_id": TEAM,
            "channel_id": "C1",
            "user_id": "U1",
            "trigger_id": f"1.{self.ts()}",
        } | fields
        return self.form(text=text, response_url=self.stub.hook(), **fields)

    def interact(self, **body: Any) -> int:
        body = {"team": {"id": TEAM}, "user": {"id": "U1", "team_id": TEAM}, "trigger_id": f"3.{self.ts()}"} | body
        return self.form(payload=json.dumps(body))

    def press(self, action_id: str, value: str, **body: Any) -> int:
        action = {"action_id": action_id, "block_id": "b", "type": "button", "value": value, "action_ts": self.ts()}
        return self.interact(**{"type": "block_actions", "actions": [action]} | body)

    def rest(self) -> None:
        """Until nothing goes on but what waits for a time that Slack has set."""
        self.thread.run(self._rest())

    async def _rest(self) -> None:
        context = self.app.context
        while len(context.tasks) > context.outbox.delayed:
            await asyncio.sleep(0.001)
        await context.recorder.flush()

    def settle(self) -> None:
        """Until nothing is to be sent any more."""
        assert self.thread.run(self.app.context.outbox.drain(5))
        self.rest()

    def look(self) -> None:
        """Tell those who wait, as after a change of what is known; returns when all is done that this has begun."""
        self.thread.run(self.app.notifier.check_all())
        self.rest()

    @property
    def open(self) -> int:
        """Messages that are acknowledged and not posted yet, and presses under way."""
        return self.app.context.admission.open + self.app.context.interactions.open

    def close(self) -> None:
        with mock.patch.object(http_module, "READ_GRACE", 0.0):  # nobody is about to say more
            self.thread.run(self.stop())
        with suppress(TimeoutError):
            self.thread.run(self.app.close(1))
        self.thread.close()

    def __enter__(self) -> Door:
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self.close()


MakeDoor = Callable[..., Door]
"""Opens doors; a fixture."""


def open_door(stub: Any, layout: str = "classic", **options: Any) -> Door:
    """The bot over sample replies and a store in memory; `options` go to `build_app`."""
    engine, store = options.pop("engine", None) or SampleEngine(), options.pop("store", None) or SampleStore()
    config = options.pop("config", None) or SlackConfig(
        bot_token="xoxb-secret", app_token="xapp-secret", signing_secret=SECRET, api_url=stub.url
    )
    outbox = {"backoff": (0.01,), "pace": 0.01} | options.pop("outbox", {})
    lines, metrics = options.pop("lines", {}), options.pop("metrics", None) or Metrics()
    thread = LoopThread()

    async def build() -> tuple[SlackApp, int, Callable[[], Coroutine[Any, Any, None]]]:
        app = build_app(
            engine,
            store,
            config,
            lines=lines,
            layout=layout,
            outbox_options=outbox,
            write_delay=0.0,
            metrics=metrics,
            **options,  # type: ignore[arg-type]
        )
        await app.context.client.open()
        if not config.installs:
            await app.context.client.auth_test()
        pages = {"/healthz": lambda: health_page(app.is_healthy(), app.notes), "/metrics": metrics.page}
        receiver = HttpReceiver(
            app.dispatch,
            config.signing_secret,
            pages=pages,
            routes=app.routes(),
            notices=app.context.client.notices,
            on_refusal=metrics.refused,
            on_delivery=metrics.delivered,
        )
        stop, port = asyncio.Event(), asyncio.get_running_loop().create_future()
        serving = asyncio.create_task(serve_http(receiver, 0, stop, host="127.0.0.1", ready=port.set_result))
        done, _ = await asyncio.wait({serving, port}, return_when=asyncio.FIRST_COMPLETED)
        for each in done:
            each.result()

        async def end() -> None:
            stop.set()
            await serving

        return app, port.result(), end

    app, port, end = thread.run(build())
    return Door(stub, engine, store, app, thread, port, end)
