"""Serving: builds the Slack app, the store and the engine, and runs them on one event loop until the process is told to stop."""

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
from bot.curation.reloader import INDEX_FROM, PackReloader
from bot.engine import Engine
from bot.settings import DEFAULT_PORT, Settings, unknown_variables
from bot.slack.app import SlackApp, build_app
from bot.slack.logs import format_without_message, log_to_stderr
from bot.slack.metrics import Metrics, State, count_as
from bot.slack.permissions import named_elsewhere
from bot.slack.transport.client import Mode, SlackConfig, is_done_before, wait_for_slack
from bot.slack.transport.health import HEALTH, STARTING, Page, health_page
from bot.slack.transport.http import GRACE, HttpReceiver, PageServer, inherit, serve_http
from bot.slack.transport.socket import NOT_STABLE, SocketReceiver, serve_socket
from bot.store import Store
from bot.workers import ALIVE, ALIVE_INTERVAL, LOADED, READY, READY_TIMEOUT, Worker

METRICS = "/metrics"
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
LOOKUPS = 4
"""Threads for DNS lookups; Slack's few host names are looked up again every ten seconds at most."""
POOL_SHUTDOWN_TIMEOUT = 0.5
"""Seconds that the threads of the executors may take to end, after everything else has."""
THREAD_STOP_TIMEOUT = 1.0
"""Seconds that the stop waits for the background threads: they look at their stop event between two steps."""
COLLECTOR_THRESHOLDS = (700, 10, 10)
"""Python's own. The start has higher ones (`bot.__main__`); from now on the event loop waits for each collection."""
LAG_INTERVAL = 0.1
"""Seconds between two measurements of the event loop's lag."""

logger = logging.getLogger("bot")


def serve(settings: Settings, mode: str | None = None, inherited: str | None = None) -> None:
    """Run the Slack app until SIGTERM or SIGINT, then finish what is in progress.

    `inherited`: what a worker gets from its parent, as `Worker` writes it. Raises SettingsError for missing settings, and for a
    token that Slack refuses.
    """
    worker = Worker.parse(inherited) if inherited is not None else None
    log_to_stderr(settings, worker.number if worker is not None else 0)
    config, chosen = SlackConfig.from_settings(settings, _mode(mode))
    stop = StopSignal()
    if worker is not None:
        worker.watch_parent(stop.receive)
        count_as(os.getppid(), worker.number)
    try:
        bot = build(settings, config, stop.received)
    except BuildStoppedError:
        stop.ignore_others()
        logger.info("Stopped.")
        return
    if worker is not None:
        bot.store.turns.expect_others()
        worker.report(LOADED)
    _freeze_memory()
    lookups = ThreadPoolExecutor(LOOKUPS, "lookup")
    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:  # on Windows the default has no add_reader
        try:
            finished = runner.run(_serve(bot, config, chosen, settings, stop, lookups, worker))
        finally:
            stop.ignore_others()
            have_ended = _shut_down((lookups, bot.app.context.database, bot.app.context.workers), POOL_SHUTDOWN_TIMEOUT)
            if have_ended:
                bot.store.close()
        logger.info("Stopped." if finished and have_ended else "Stopped; something was still in flight.")
        if not have_ended:  # a database or DNS server that doesn't respond: Python would wait for the thread
            logging.shutdown()
            os._exit(0)


def _shut_down(pools: Sequence[Executor], timeout: float) -> bool:
    """Whether all threads of these executors end within `timeout` seconds; their present work can't be cancelled."""

    def shut_down() -> None:
        for pool in pools:
            pool.shutdown(cancel_futures=True)

    thread = threading.Thread(target=shut_down, daemon=True)
    thread.start()
    thread.join(timeout)
    return not thread.is_alive()


def _freeze_memory() -> None:
    """Return memory that only the start needed, and exclude the objects that stay from garbage collection.

    The pack stays as long as the process, and a collection that includes it would block the event loop for 60 ms.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECTOR_THRESHOLDS)
    with suppress(OSError, AttributeError):  # only glibc has it; elsewhere the process keeps some ten megabytes
        ctypes.CDLL(None).malloc_trim(0)


class StopSignal:
    """Receives SIGTERM and SIGINT, before the event loop runs or while it does."""

    def __init__(self) -> None:
        self.received = threading.Event()
        self._received_at = 0.0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._event: asyncio.Event | None = None
        for number in STOP_SIGNALS:
            signal.signal(number, self.receive)

    def event(self) -> asyncio.Event:
        """An event of the running loop that is set when a signal is received, or was received before."""
        self._loop, self._event = asyncio.get_running_loop(), asyncio.Event()
        if self.received.is_set():
            self._event.set()
        return self._event

    def seconds_left(self) -> float:
        """The rest of the GRACE seconds, at least one."""
        return max(1.0, GRACE - (time.monotonic() - self._received_at)) if self._received_at else GRACE

    def ignore_others(self) -> None:
        """Ignore further signals, which would arrive while Python shuts down."""
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_IGN)

    def receive(self, *_: object) -> None:
        """Stop, from a signal or from another thread."""
        if self._received_at:  # a second one, perhaps during the first: a nested Event.set would wait for ever
            return
        self._received_at = time.monotonic()
        self.received.set()
        if self._loop is not None and self._event is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._event.set)


# --- building


@dataclass(frozen=True, slots=True, kw_only=True)
class Bot:
    """All parts of the bot."""

    app: SlackApp
    reloader: PackReloader
    store: Store
    metrics: Metrics

    def health(self) -> tuple[int, str, bytes]:
        """The page of /healthz."""
        database = self.store.database
        unavailable = f"database away: {database.unrecorded} writes not made" if database.unavailable_reason else ""
        lost = f"database: {database.loss}" if database.loss else ""
        return health_page(self.app.is_healthy(), "; ".join(filter(None, (self.app.notes, unavailable, lost))))


def build(settings: Settings, config: SlackConfig, stop: threading.Event | None = None) -> Bot:
    """Build all parts. Reads the pack, which takes seconds if it has no index yet; nothing connects or runs yet.

    Raises PackError for a pack that can't be loaded, and BuildStoppedError if `stop` is set meanwhile.
    """
    if unknown := unknown_variables():
        logger.warning("%s", "; ".join(variable.text for variable in unknown))
    store = Store(
        settings.database, retention_days=settings.retention_days, hmac_id=config.hmac_id, former_ids=config.former_ids
    )
    index_from = INDEX_FROM if config.installs else 1
    reloader = PackReloader(settings.pack, settings.cache_folder, store.changes, index_from=index_from, stop=stop)
    store.changes.on_forget = reloader.forget
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
        help_channels=settings.help_channels,
        reloader=reloader,
        preview_factory=reloader.previewer,
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
    bot: Bot,
    config: SlackConfig,
    mode: Mode,
    settings: Settings,
    stop_signal: StopSignal,
    lookups: ThreadPoolExecutor,
    worker: Worker | None,
) -> bool:
    """Serve until a stop signal; returns whether everything in progress was finished. `lookups`: runs DNS lookups."""
    loop, app, stop = asyncio.get_running_loop(), bot.app, stop_signal.event()
    loop.set_exception_handler(_log_loop_error)
    loop.set_default_executor(lookups)
    await app.context.client.open()
    answered = False
    async with _BackgroundWork(bot):
        try:
            if mode == "http":
                answered = await _serve_http(bot, config, settings, stop, worker)
            else:
                answered = await _serve_socket(bot, settings, stop)
        finally:
            finished = await app.close(stop_signal.seconds_left())
    return answered and finished


async def _serve_http(
    bot: Bot, config: SlackConfig, settings: Settings, stop: asyncio.Event, worker: Worker | None
) -> bool:
    """Listen at once; until everything is ready, health and events get a 503."""
    ready = asyncio.Event()
    receiver = HttpReceiver(
        bot.app.dispatch,
        config.signing_secret,
        pages={HEALTH: bot.health, METRICS: bot.metrics.page},
        routes=bot.app.routes(),
        is_ready=ready.is_set,
        notices=bot.app.context.client.notices,
        on_refusal=bot.metrics.refused,
        on_delivery=bot.metrics.delivered,
    )
    logger.info("Waiting for Slack (HTTP)")
    port = DEFAULT_PORT if settings.port is None else settings.port
    if worker is None:
        serving = asyncio.create_task(serve_http(receiver, port, stop, host=settings.host))
    else:
        serving = asyncio.create_task(_serve_shared(receiver, worker, ready, stop))
    reporting = asyncio.create_task(_report_alive(worker))
    getting_ready = asyncio.create_task(_get_ready(bot, stop, ready, worker))
    try:
        await asyncio.wait((serving, getting_ready), return_when=asyncio.FIRST_EXCEPTION)
        if getting_ready.done():
            getting_ready.result()
        return await serving
    finally:
        await _cancel(serving, getting_ready, reporting)


async def _serve_shared(receiver: HttpReceiver, worker: Worker, ready: asyncio.Event, stop: asyncio.Event) -> bool:
    """Serve on the socket that all workers share. Before it is ready, a worker leaves the connections to those that are; if there
    are none after READY_TIMEOUT seconds, health and events get a 503, as with one process, and not silence."""
    ready_by = time.monotonic() + READY_TIMEOUT

    def may_accept() -> bool:
        return ready.is_set() or (not worker.others_answer and time.monotonic() >= ready_by)

    return await serve_http(receiver, 0, stop, listening=inherit(worker.descriptor), may_accept=may_accept)


async def _report_alive(worker: Worker | None) -> None:
    """Tell the parent again and again that the event loop runs."""
    while worker is not None:
        await asyncio.sleep(ALIVE_INTERVAL)
        worker.report(ALIVE)


async def _serve_socket(bot: Bot, settings: Settings, stop: asyncio.Event) -> bool:
    """Connect once everything is ready. On PORT, if it is set, health and metrics are served from the start."""
    ready, metrics = asyncio.Event(), bot.metrics
    receiver = SocketReceiver(bot.app.dispatch, bot.app.context.client, on_delivery=metrics.delivered)

    def health() -> tuple[int, str, bytes]:
        if ready.is_set() and receiver.is_connected():
            return bot.health()
        return health_page(False, bot.app.notes or (NOT_STABLE if ready.is_set() else STARTING))

    async with AsyncExitStack() as stack:
        stack.push_async_callback(receiver.close, 0)
        if settings.port is None:
            logger.info("Waiting for Slack (Socket Mode); PORT isn't set, so that there is no health page")
        else:
            pages: dict[str, Page] = {HEALTH: health, METRICS: metrics.page}
            server = await stack.enter_async_context(PageServer(settings.port, pages, settings.host))
            logger.info("Waiting for Slack (Socket Mode), health on port %d", server.port)
        await _get_ready(bot, stop, ready)
        return not ready.is_set() or await serve_socket(receiver, stop)


async def _get_ready(bot: Bot, stop: asyncio.Event, ready: asyncio.Event, worker: Worker | None = None) -> None:
    """Prepare the database and call auth.test, concurrently; sets `ready`, and reports it, unless `stop` is set first.

    Raises SettingsError when Slack refuses the token.
    """
    context = bot.app.context
    preparing = asyncio.create_task(context.run_db(bot.store.prepare))
    try:
        installs = context.teams is not None  # then there is no token of the bot's own to try
        if (
            installs or await wait_for_slack(context.client.auth_test, "SLACK_BOT_TOKEN", stop, context.client)
        ) and await is_done_before(stop, preparing):
            ready.set()
            _warn_of_other_workspaces(bot)
            if worker is not None:
                worker.report(READY)
                logger.info("Ready")
    finally:
        await _cancel(preparing)


def _warn_of_other_workspaces(bot: Bot) -> None:
    """Log who and what is named in other workspaces than that of the bot's token, where they do nothing."""
    context = bot.app.context
    names = {"ASKPY_CURATORS": context.curators.named, "ASKPY_HELP_CHANNEL": context.help_channels.named}
    for variable, pairs in names.items():
        ids = sorted(f"{workspace}:{name}" for workspace, name in pairs if workspace)
        if others := named_elsewhere(ids, context.home_team):
            logger.warning(
                "%s: %s do nothing, because the bot is in the workspace %s.",
                variable,
                ", ".join(others),
                context.home_team,
            )


class _BackgroundWork:
    """Background work: watching the pack, deleting old rows, notifying subscribers, and measuring the loop's lag."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._measuring: asyncio.Task[None] | None = None

    async def __aenter__(self) -> None:
        bot, loop = self._bot, asyncio.get_running_loop()
        bot.reloader.changed.append(partial(_call_soon, loop, bot.app.notifier.knowledge_changed))
        bot.reloader.changed.append(lambda _: bot.metrics.update())  # another process may be the one that is scraped
        works: tuple[tuple[str, Callable[[threading.Event], None]], ...] = (
            ("watch", bot.reloader.run),
            ("purge", bot.store.run_purge_loop),
            ("turns", bot.store.turns.run),
        )
        for name, work in works:
            thread = threading.Thread(target=work, args=(self._stop,), name=name, daemon=True)
            thread.start()
            self._threads.append(thread)
        bot.app.context.tasks.start(bot.app.notifier.run())
        self._measuring = asyncio.create_task(_measure_lag(bot.metrics))

    async def __aexit__(self, *_: object) -> None:
        """Ends the threads: a database in memory must not be closed, and Python not be taken down, while one still runs."""
        self._stop.set()
        self._bot.reloader.wake()
        if self._measuring is not None:
            await _cancel(self._measuring)
        deadline = time.monotonic() + THREAD_STOP_TIMEOUT
        for thread in self._threads:
            await asyncio.to_thread(thread.join, max(0.0, deadline - time.monotonic()))


async def _cancel(*tasks: asyncio.Task[Any]) -> None:
    """Cancel tasks, and wait until they have ended."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _call_soon(loop: asyncio.AbstractEventLoop, work: Callable[[str], None], workspace: str) -> None:
    """Call `work` on the loop's thread, from another thread; does nothing if the loop has ended."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(work, workspace)


async def _measure_lag(metrics: Metrics) -> None:
    """Measure how late the event loop runs a timer, and keep the gauges up to date."""
    while True:
        metrics.update()
        planned = time.monotonic() + LAG_INTERVAL
        await asyncio.sleep(LAG_INTERVAL)
        metrics.lag(max(0.0, time.monotonic() - planned))


def _log_loop_error(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log an error in a callback or an unawaited task. asyncio's own line would include their arguments and the exception's
    message, and with them what people wrote."""
    error = context.get("exception")
    text = format_without_message(error) if isinstance(error, BaseException) else str(context.get("message"))
    logger.error("The event loop reports an error\n%s", text)
