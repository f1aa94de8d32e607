"""Serving: joins Slack, the store and the desk, for `serve` and for another WSGI server's workers."""

from __future__ import annotations

import atexit
import logging
import os
import signal
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

from bot.curation.live import Live
from bot.curation.preview import preview
from bot.desk import Desk
from bot.model import AskPyError
from bot.settings import Settings, read_settings, strays
from bot.slack.access import Access, Identity, Mode, await_slack
from bot.slack.app import SlackApp, build_app
from bot.slack.curating import Curation
from bot.slack.http import EVENTS, GRACE, Page, Pages, health, not_yet, serve_http, wsgi
from bot.slack.logs import log_to_stderr
from bot.slack.meters import Meters, State
from bot.slack.socket import serve_socket
from bot.store import Store

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

DEFAULT_PORT = 3000
STOPS = (signal.SIGTERM, signal.SIGINT)

logger = logging.getLogger("bot")


def serve(settings: Settings, mode: str | None = None) -> None:
    """Run the Slack app until SIGTERM or SIGINT; what is in flight is finished first."""
    access, door = Access.of(settings, _mode(mode))
    log_to_stderr(settings)
    bot = join(settings, access, _stopped())
    port = settings.port if settings.port is not None else DEFAULT_PORT if door == "http" else None
    if not _awaited(bot.app.identity, door, port, bot.stop, bot.pages):
        return
    bot.start()
    if door == "http":
        done = serve_http(bot.app, DEFAULT_PORT if port is None else port, bot.stop, pages=bot.pages)
    else:
        done = serve_socket(bot.app, access, bot.stop, port=port, pages=bot.pages)
    for number in STOPS:  # whoever asks a second time finds Python taken down, and its own handlers with it
        signal.signal(number, signal.SIG_IGN)
    bot.end(done)


def application() -> WSGIApplication:
    """The bot over HTTP as a WSGI application, for a server that calls this once in each of its worker processes:
    `gunicorn "bot.serving:application()"`.

    Until Slack has said who the bot is, whatever asks for more than metrics is told to come again. What is in flight is
    finished when the process ends. Raises SettingsError for what is missing, and for a token that Slack refuses.
    """
    settings = read_settings()
    access, _ = Access.of(settings, "http")
    log_to_stderr(settings)
    bot = join(settings, access, threading.Event())
    front, process, identity = wsgi(bot.app, bot.pages), os.getpid(), bot.app.identity
    _before_threads_end(lambda: bot.end(bot.app.close(GRACE)))
    if not await_slack(identity.me, "SLACK_BOT_TOKEN", lambda _: True):
        threading.Thread(target=_await_long, args=(bot,), name="slack", daemon=True).start()
    bot.start()

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        able = identity.user or environ.get("PATH_INFO", "") in bot.pages
        ready = able and not bot.stop.is_set() and os.getpid() == process
        return front(environ, start_response) if ready else not_yet(start_response)

    return answer


# --- joining


@dataclass(frozen=True, slots=True, kw_only=True)
class Bot:
    """All of it, joined. `stop` ends what runs beside it."""

    app: SlackApp
    live: Live
    store: Store
    meters: Meters
    stop: threading.Event

    @property
    def pages(self) -> dict[str, Page]:
        """What is answered to GET beside health."""
        return {"/metrics": self.meters.page}

    def start(self) -> None:
        """Begin what runs beside the answering."""
        self.store.prepare()
        for name, work in (
            ("watch", self.live.watch),
            ("tell", self.app.teller.watch),
            ("purge", self.store.tend),
        ):
            threading.Thread(target=work, args=(self.stop,), name=name, daemon=True).start()

    def end(self, done: bool) -> None:
        """The last thing, once the app is closed; `done`: nothing was left in flight."""
        self.stop.set()
        self.store.close()
        logger.info("Stopped." if done else "Stopped; something was still in flight.")
        if not done:  # a post that hangs would keep the process until its own timeout
            logging.shutdown()
            os._exit(0)


def join(settings: Settings, access: Access, stop: threading.Event) -> Bot:
    """Build the parts and put them together. Nothing runs yet."""
    if odd := strays():
        logger.warning("%s", "; ".join(one.text for one in odd))
    store = Store(settings.database, retention_days=settings.retention_days, seal=access.seal)
    live = Live(settings.pack, settings.cache_folder, store)
    meters = Meters(lambda: State(store.failures, live.version, len(live.knowledge().entries), live.loaded_at))
    knowledge, desk = live.knowledge(), Desk(live, store)
    layout: Literal["classic", "cards"] = "classic" if settings.cards == "classic" else "cards"
    look = partial(preview, cache=settings.cache_folder)
    curation = Curation(ledger=store, shelf=live, named=settings.curators, look=look)
    lines = knowledge.voice.lines
    app = build_app(
        desk,
        store,
        access,
        lines=lines,
        layout=layout,
        loaded=live,
        curation=curation,
        meters=meters,
        beside=lambda: f"database away: {store.unrecorded} writes not made" if store.away else "",
    )
    live.changed.append(app.teller.changed)
    memory = ", which keeps nothing beyond this process" if store.is_in_memory else ""
    told = "%s: %d entries from %s; database %s%s"
    logger.info(told, knowledge.name, len(knowledge.entries), settings.pack.resolve(), store.place, memory)
    return Bot(app=app, live=live, store=store, meters=meters, stop=stop)


def _mode(mode: str | None) -> Mode | None:
    return "socket" if mode == "socket" else "http" if mode == "http" else None


# --- waiting for Slack, and stopping


def _awaited(
    identity: Identity, mode: Mode, port: int | None, stop: threading.Event, beside: Mapping[str, Page]
) -> bool:
    """Wait for Slack; meanwhile, on `port`, health says no and Slack is told to come again, and what is `beside` answers.

    False if stopped first.
    """
    how = "Socket Mode" if mode == "socket" else "HTTP"
    if port is None:
        logger.info("Waiting for Slack (%s); PORT isn't set, so that there is no health page", how)
        return await_slack(identity.me, "SLACK_BOT_TOKEN", stop.wait)
    posts = {EVENTS: lambda: health(False)} if mode == "http" else {}
    with Pages(port, {"/healthz": lambda: health(False), **beside}, posts) as pages:
        logger.info("Waiting for Slack (%s), health on port %d", how, pages.port)
        return await_slack(identity.me, "SLACK_BOT_TOKEN", stop.wait)


def _await_long(bot: Bot) -> None:
    """Wait for Slack in a worker that serves already."""
    try:
        await_slack(bot.app.identity.me, "SLACK_BOT_TOKEN", bot.stop.wait)
    except AskPyError as error:
        logger.error("%s", error)


def _stopped() -> threading.Event:
    """An event that SIGTERM and SIGINT set."""
    stop = threading.Event()
    for number in STOPS:
        signal.signal(number, lambda *_: stop.set())
    return stop


def _before_threads_end(work: Callable[[], None]) -> None:
    """Do it when the process ends, as long as thread pools still take work.

    atexit is too late for that; the hook that the pools themselves use comes before it, the newest entry first.
    """
    getattr(threading, "_register_atexit", atexit.register)(work)
