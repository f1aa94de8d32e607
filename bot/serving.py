"""Serving: joins Slack, the store and the engine, and runs them on one event loop until the process is told to stop."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from bot.curation.build import BuildStoppedError
from bot.curation.reloader import PackReloader
from bot.engine import Engine
from bot.settings import Settings, strays
from bot.slack.app import SlackApp, build_app
from bot.slack.logs import format_without_message, log_to_stderr
from bot.slack.metrics import Metrics, State
from bot.slack.transport.client import Mode, SlackConfig, is_done_before, wait_for_slack
from bot.slack.transport.health import HEALTH, Page, health_page
from bot.slack.transport.http import GRACE, HttpFront, PageServer, serve_http
from bot.slack.transport.socket import SocketFront, serve_socket
from bot.store import Store

DEFAULT_PORT = 3000
METRICS = "/metrics"
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
LOOKUPS = 4
"""Threads that look up names; Slack's few are looked up again every ten seconds at most."""
LAST_WAIT = 0.5
"""Seconds that the threads of the pools may take to end, once all else has."""
LAG_EVERY = 0.1
"""Seconds between two measurements of how late the event loop is."""

logger = logging.getLogger("bot")


def serve(settings: Settings, mode: str | None = None) -> None:
    """Run the Slack app until SIGTERM or SIGINT; what is in flight is finished first.

    Raises SettingsError for what is missing, and for a token that Slack refuses.
    """
    log_to_stderr(settings)
    config, chosen = SlackConfig.from_settings(settings, _mode(mode))
    stop = StopSignal()
    try:
        bot = build(settings, config, stop.came)
    except BuildStoppedError:
        stop.ignore_others()
        logger.info("Stopped.")
        return
    _settle_memory()
    lookups = ThreadPoolExecutor(LOOKUPS, "lookup")
    with asyncio.Runner() as runner:
        try:
            finished = runner.run(_serve(bot, config, chosen, settings.port, stop, lookups))
        finally:
            stop.ignore_others()
            have_ended = _shut_down((lookups, bot.app.context.database, bot.app.context.threads), LAST_WAIT)
            if have_ended:
                bot.store.close()
        logger.info("Stopped." if finished and have_ended else "Stopped; something was still in flight.")
        if not have_ended:  # a database or a name server that says nothing: Python would wait for the thread
            logging.shutdown()
            os._exit(0)


def _shut_down(pools: Sequence[Executor], timeout: float) -> bool:
    """Whether all threads of these pools have ended within so many seconds; what they are at can't be cancelled."""

    def shut_down() -> None:
        for pool in pools:
            pool.shutdown(cancel_futures=True)

    thread = threading.Thread(target=shut_down, daemon=True)
    thread.start()
    thread.join(timeout)
    return not thread.is_alive()


def _settle_memory() -> None:
    """Give back what only the start needed, and take what stays out of the garbage collector's sight.

    The pack stays as long as the process, and a collection that walks through it would hold up the event loop for 60 ms.
    """
    gc.collect()
    gc.freeze()
    with suppress(OSError, AttributeError):  # glibc has it; elsewhere some ten megabytes stay with the process
        ctypes.CDLL(None).malloc_trim(0)


class StopSignal:
    """Remembers SIGTERM and SIGINT, whether they come before the event loop runs or while it does."""

    def __init__(self) -> None:
        self.came = threading.Event()
        self._came_at = 0.0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._event: asyncio.Event | None = None
        for number in STOP_SIGNALS:
            signal.signal(number, self._receive)

    def event(self) -> asyncio.Event:
        """An event of the running loop that is set when a signal comes, or has come."""
        self._loop, self._event = asyncio.get_running_loop(), asyncio.Event()
        if self.came.is_set():
            self._event.set()
        return self._event

    def seconds_left(self) -> float:
        """How many of the GRACE seconds are left, one at least."""
        return max(1.0, GRACE - (time.monotonic() - self._came_at)) if self._came_at else GRACE

    def ignore_others(self) -> None:
        """Ignore further signals: they would find Python half taken down, and our handler with it."""
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_IGN)

    def _receive(self, *_: object) -> None:
        if self._came_at:  # a second one, perhaps within the first: setting an Event twice at once waits for ever
            return
        self._came_at = time.monotonic()
        self.came.set()
        if self._loop is not None and self._event is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._event.set)


# --- joining


@dataclass(frozen=True, slots=True, kw_only=True)
class Bot:
    """All parts, joined."""

    app: SlackApp
    reloader: PackReloader
    store: Store
    metrics: Metrics

    def health(self) -> tuple[int, str, bytes]:
        """The page of /healthz."""
        database = self.store.database
        away = f"database away: {database.unrecorded} writes not made" if database.unavailable_reason else ""
        return health_page(self.app.is_healthy(), away)


def build(settings: Settings, config: SlackConfig, stop: threading.Event | None = None) -> Bot:
    """Make all parts and join them. Reads the pack, which takes seconds where it has no index yet; nothing is connected or
    started.

    Raises PackError for a pack that can't be loaded, and BuildStoppedError if `stop` is set meanwhile.
    """
    if misspelt := strays():
        logger.warning("%s", "; ".join(stray.text for stray in misspelt))
    store = Store(settings.database, retention_days=settings.retention_days, hmac_id=config.hmac_id)
    reloader = PackReloader(settings.pack, settings.cache_folder, store.changes, stop=stop)
    reloader.matcher().prepare()
    knowledge = reloader.knowledge()
    metrics = Metrics(partial(_state, store, reloader))
    layout: Literal["classic", "cards"] = "classic" if settings.cards == "classic" else "cards"
    app = build_app(
        Engine(reloader),
        store,
        config,
        lines=knowledge.voice.lines,
        layout=layout,
        curators=settings.curators,
        reloader=reloader,
        previewer=reloader.previewer,
        metrics=metrics,
    )
    memory = ", which keeps nothing beyond this process" if store.database.is_in_memory else ""
    line = "%s: %d entries from %s; database %s%s"
    logger.info(line, knowledge.name, len(knowledge.entries), settings.pack.resolve(), store.database.safe_url, memory)
    return Bot(app=app, reloader=reloader, store=store, metrics=metrics)


def _state(store: Store, reloader: PackReloader) -> State:
    return State(store.database.failures, reloader.version, len(reloader.knowledge().entries), reloader.loaded_at)


def _mode(mode: str | None) -> Mode | None:
    return "socket" if mode == "socket" else "http" if mode == "http" else None


# --- running


async def _serve(
    bot: Bot, config: SlackConfig, mode: Mode, port: int | None, stop_signal: StopSignal, lookups: ThreadPoolExecutor
) -> bool:
    """Serve until the signal; whether all that was in flight was finished. `lookups`: for looking up names."""
    loop, app, stop = asyncio.get_running_loop(), bot.app, stop_signal.event()
    loop.set_exception_handler(_log_loop_error)
    loop.set_default_executor(lookups)
    await app.context.client.open()
    answered = False
    async with _Beside(bot):
        try:
            if mode == "http":
                answered = await _serve_http(bot, config, DEFAULT_PORT if port is None else port, stop)
            else:
                answered = await _serve_socket(bot, port, stop)
        finally:
            finished = await app.close(stop_signal.seconds_left())
    return answered and finished


async def _serve_http(bot: Bot, config: SlackConfig, port: int, stop: asyncio.Event) -> bool:
    """Listen at once; until all is ready, health says no and Slack is told to come again."""
    ready = asyncio.Event()
    front = HttpFront(
        bot.app.dispatch,
        config.signing_secret,
        pages={HEALTH: bot.health, METRICS: bot.metrics.page},
        is_ready=ready.is_set,
    )
    logger.info("Waiting for Slack (HTTP)")
    serving = asyncio.create_task(serve_http(front, port, stop))
    getting_ready = asyncio.create_task(_get_ready(bot, stop, ready))
    try:
        await asyncio.wait((serving, getting_ready), return_when=asyncio.FIRST_EXCEPTION)
        if getting_ready.done():
            getting_ready.result()
        return await serving
    finally:
        await _cancel(serving, getting_ready)


async def _serve_socket(bot: Bot, port: int | None, stop: asyncio.Event) -> bool:
    """Connect once all is ready. On `port`, if there is one, health and metrics answer meanwhile and beside it."""
    ready, front = asyncio.Event(), SocketFront(bot.app.dispatch, bot.app.context.client)

    def health() -> tuple[int, str, bytes]:
        return bot.health() if ready.is_set() and front.is_connected() else health_page(False)

    async with AsyncExitStack() as stack:
        stack.push_async_callback(front.close, 0)
        if port is None:
            logger.info("Waiting for Slack (Socket Mode); PORT isn't set, so that there is no health page")
        else:
            pages: dict[str, Page] = {HEALTH: health, METRICS: bot.metrics.page}
            server = await stack.enter_async_context(PageServer(port, pages))
            logger.info("Waiting for Slack (Socket Mode), health on port %d", server.port)
        await _get_ready(bot, stop, ready)
        return not ready.is_set() or await serve_socket(front, stop)


async def _get_ready(bot: Bot, stop: asyncio.Event, ready: asyncio.Event) -> None:
    """Prepare the database and ask Slack who the bot is, side by side; `ready` is set unless `stop` came first.

    Raises SettingsError when Slack refuses the token.
    """
    context = bot.app.context
    preparing = asyncio.create_task(context.run_db(bot.store.prepare))
    try:
        if await wait_for_slack(context.client.auth_test, "SLACK_BOT_TOKEN", stop) and await is_done_before(
            stop, preparing
        ):
            ready.set()
    finally:
        await _cancel(preparing)


class _Beside:
    """What runs beside the answering: watching the pack, purging, telling who waits, and measuring."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self._stop = threading.Event()
        self._measuring: asyncio.Task[None] | None = None

    async def __aenter__(self) -> None:
        bot, loop = self._bot, asyncio.get_running_loop()
        bot.reloader.changed.append(partial(_call_soon, loop, bot.app.notifier.knowledge_changed))
        works: tuple[tuple[str, Callable[[threading.Event], None]], ...] = (
            ("watch", bot.reloader.run),
            ("purge", bot.store.run_purge_loop),
        )
        for name, work in works:
            threading.Thread(target=work, args=(self._stop,), name=name, daemon=True).start()
        bot.app.context.tasks.start(bot.app.notifier.run())
        self._measuring = asyncio.create_task(_measure_lag(bot.metrics))

    async def __aexit__(self, *_: object) -> None:
        self._stop.set()
        if self._measuring is not None:
            await _cancel(self._measuring)


async def _cancel(*tasks: asyncio.Task[Any]) -> None:
    """Cancel tasks, and wait until they have ended."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _call_soon(loop: asyncio.AbstractEventLoop, work: Callable[[str], None], workspace: str) -> None:
    """Call it on the loop's thread, from any other; a loop that has ended needs it no more."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(work, workspace)


async def _measure_lag(metrics: Metrics) -> None:
    """Measure how much later than planned the loop comes back."""
    while True:
        planned = time.monotonic() + LAG_EVERY
        await asyncio.sleep(LAG_EVERY)
        metrics.lag(max(0.0, time.monotonic() - planned))


def _log_loop_error(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log what went wrong in a callback or an unawaited task. asyncio's own line would show their arguments and the exception's
    message, and with them what people wrote."""
    error = context.get("exception")
    told = format_without_message(error) if isinstance(error, BaseException) else str(context.get("message"))
    logger.error("The event loop reports an error\n%s", told)
