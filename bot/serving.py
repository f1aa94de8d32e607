"""Serving: joins Slack, the store and the desk for `serve`, and looks at all of them for `doctor`."""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Generator, Iterator
from email.utils import parsedate_to_datetime
from tempfile import TemporaryFile
from typing import Any, Literal
from urllib.error import URLError

import click
from slack_sdk.errors import SlackApiError

from bot.curation.lint import lint
from bot.curation.live import Live
from bot.desk import Desk
from bot.knowledge import inspect
from bot.model import AskPyError
from bot.settings import Secret, Settings
from bot.slack.access import Access, Identity, Mode, await_slack
from bot.slack.app import build_app
from bot.slack.http import EVENTS, Pages, health, serve_http
from bot.slack.manifest import SCOPES
from bot.slack.socket import serve_socket
from bot.slack.trace import frames
from bot.store import Store

DEFAULT_PORT = 3000
CLOCK_SLACK = 120
"""Seconds that this machine's clock may be off; Slack's signatures are good for 300."""

logger = logging.getLogger("bot")


def serve(settings: Settings, mode: str | None = None) -> None:
    """Run the Slack app until SIGTERM or SIGINT; what is in flight is finished first."""
    access, door = Access.of(settings, _mode(mode))
    _log(settings)
    store = Store(settings.database, retention_days=settings.retention_days)
    live = Live(settings.pack, settings.cache_folder, None)
    knowledge, desk = live.knowledge(), Desk(live, store)
    layout: Literal["classic", "cards"] = "classic" if settings.cards == "classic" else "cards"
    app = build_app(desk, store, access, lines=knowledge.voice.lines, layout=layout)
    stop = _stopped()
    logger.info("%s: %d entries", knowledge.name, len(knowledge.entries))
    port = settings.port if settings.port is not None else DEFAULT_PORT if door == "http" else None
    if not _awaited(app.identity, door, port, stop):
        return
    threading.Thread(target=live.watch, args=(stop,), name="watch", daemon=True).start()
    if door == "http":
        done = serve_http(app, DEFAULT_PORT if port is None else port, stop)
    else:
        done = serve_socket(app, access, stop, port=port)
    store.close()
    logger.info("Stopped." if done else "Stopped; something was still in flight.")
    if not done:  # a post that hangs would keep the process until its own timeout
        logging.shutdown()
        os._exit(0)


def _mode(mode: str | None) -> Mode | None:
    return "socket" if mode == "socket" else "http" if mode == "http" else None


def _awaited(identity: Identity, mode: Mode, port: int | None, stop: threading.Event) -> bool:
    """Wait for Slack; meanwhile, on `port`, health says no and Slack is told to come again. False if stopped first."""
    how = "Socket Mode" if mode == "socket" else "HTTP"
    if port is None:
        logger.info("Waiting for Slack (%s); PORT isn't set, so that there is no health page", how)
        return await_slack(identity.me, "SLACK_BOT_TOKEN", stop.wait)
    posts = {EVENTS: lambda: health(False)} if mode == "http" else {}
    with Pages(port, {"/healthz": lambda: health(False)}, posts) as pages:
        logger.info("Waiting for Slack (%s), health on port %d", how, pages.port)
        return await_slack(identity.me, "SLACK_BOT_TOKEN", stop.wait)


def _stopped() -> threading.Event:
    """An event that SIGTERM and SIGINT set."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


# --- logs


class _Discreet(logging.Formatter):
    """Says of an exception where and of what type it is, and never its message."""

    def formatException(self, info: Any) -> str:  # noqa: N802  logging's name
        return frames(info[1]) if info[1] is not None else ""


class _Json(_Discreet):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z"
        line = {"time": at, "level": record.levelname.lower(), "logger": record.name, "message": record.getMessage()}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)


def _log(settings: Settings) -> None:
    """Log to stderr. Ids, kinds and numbers only: no caller logs what people wrote, or a token."""
    handler = logging.StreamHandler(sys.stderr)
    console = _Discreet("%(asctime)s %(levelname)-7s %(name)s: %(message)s", "%H:%M:%S")
    handler.setFormatter(_Json() if settings.log_format == "json" else console)
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("bot").setLevel(settings.log_level.upper())


# --- the doctor


def doctor(settings: Settings) -> bool:
    """Look at everything `serve` needs and print a line for each; true if nothing is wrong."""
    faults = 0
    for subject, fault in (
        *_pack(settings),
        *_cache(settings),
        *_database(settings),
        *_credentials(settings),
        *_slack(settings),
    ):
        click.echo(f"{'fault' if fault else 'fine':6} {subject}" + (f": {fault}" if fault else ""))
        faults += bool(fault)
    click.echo("Nothing is wrong." if not faults else f"{faults} to mend.")
    return not faults


Finding = tuple[str, str]
"""What was looked at, and what is wrong with it together with the remedy; empty if nothing is."""


def _pack(settings: Settings) -> Iterator[Finding]:
    knowledge, faults = inspect(settings.pack)
    faults = faults + (lint(knowledge) if knowledge is not None else [])
    blamed = [fault for fault in faults if not fault.advice]
    remedy = f"{len(blamed)} faults, first {blamed[0]}; all of them: python -m bot check" if blamed else ""
    yield f"knowledge pack {settings.pack}", remedy


def _cache(settings: Settings) -> Iterator[Finding]:
    folder, fault = settings.cache_folder, ""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        fault = f"can't be written ({error.strerror}); set ASKPY_CACHE to a folder that can, or each start takes longer"
    yield f"cache {folder}", fault


def _database(settings: Settings) -> Iterator[Finding]:
    try:
        store = Store(settings.database)
        fault = store.probe()
        store.close()
    except AskPyError as error:
        fault = str(error)
    yield "database", f"{fault}; set DATABASE_URL to one that can be written" if fault else ""


_WHERE = "api.slack.com/apps, your app"


_NEITHER = (
    "neither it nor SLACK_SIGNING_SECRET is set, and one is needed: SLACK_APP_TOKEN for Socket Mode, which needs no public "
    "address and works behind a firewall, or SLACK_SIGNING_SECRET for HTTP, which suits production; "
    f"{_WHERE}, Basic Information has both"
)


def _is_token(secret: Secret | None, prefix: str) -> bool:
    """Whether it looks like one; what doesn't is not tried."""
    return secret is not None and re.fullmatch(rf"{prefix}[!-~]+", secret.get_secret_value()) is not None


def _is_address(url: str) -> bool:
    return re.fullmatch(r"https?://[^\s/]+(?:/.*)?", url) is not None


def _credentials(settings: Settings) -> Iterator[Finding]:
    bot, app, secret = settings.slack_bot_token, settings.slack_app_token, settings.slack_signing_secret
    if bot is None:
        yield "SLACK_BOT_TOKEN", f"not set; copy it from {_WHERE}, OAuth & Permissions (it starts with xoxb-)"
    elif not _is_token(bot, "xoxb-"):
        yield "SLACK_BOT_TOKEN", f"not a bot token; it starts with xoxb-, at {_WHERE}, OAuth & Permissions"
    if app is None and secret is None:
        yield "SLACK_APP_TOKEN", _NEITHER
    if app is not None and not _is_token(app, "xapp-"):
        yield "SLACK_APP_TOKEN", f"not an app-level token; it starts with xapp-, at {_WHERE}, Basic Information"
    if secret is not None and not re.fullmatch(r"[0-9a-fA-F]{32}", secret.get_secret_value()):
        yield "SLACK_SIGNING_SECRET", f"not 32 hexadecimal digits; copy it again from {_WHERE}, Basic Information"
    if not _is_address(settings.slack_api_url):
        yield "SLACK_API_URL", "not a web address; leave it out, or write https://slack.com/api/"


def _slack(settings: Settings) -> Iterator[Finding]:
    bot, app = settings.slack_bot_token, settings.slack_app_token
    if not _is_address(settings.slack_api_url):
        return
    access = Access(bot_token=bot.get_secret_value() if bot else "", api_url=settings.slack_api_url)
    if _is_token(bot, "xoxb-"):
        reached = yield from _bot(access)
        if not reached:
            return
    if app is not None and _is_token(app, "xapp-"):
        yield "Socket Mode", _socket(access, app.get_secret_value())


def _bot(access: Access) -> Generator[Finding, None, bool]:
    """What Slack knows of the bot; whether Slack could be reached."""
    try:
        answer = access.client().auth_test()
    except (SlackApiError, URLError, OSError) as error:
        yield f"Slack at {access.api_url}", _refusal(error, "SLACK_BOT_TOKEN")
        return isinstance(error, SlackApiError)
    headers = {str(name).lower(): str(value) for name, value in answer.headers.items()}
    yield f"Slack knows the bot as {answer.get('user')} in {answer.get('team')}", ""
    granted = {scope.strip() for scope in headers.get("x-oauth-scopes", "").split(",") if scope.strip()}
    missing = [scope for scope in SCOPES if scope not in granted] if granted else []
    yield (
        "scopes",
        f"{', '.join(missing)} missing; add them at {_WHERE}, OAuth & Permissions, and install again"
        if missing
        else "",
    )
    yield "clock", _clock(headers.get("date", ""))
    return True


def _clock(date: str) -> str:
    try:
        off = abs(parsedate_to_datetime(date).timestamp() - time.time())
    except ValueError:
        return ""
    return (
        f"{off:.0f} seconds off Slack's; set this machine's clock, or no signature will be believed"
        if off > CLOCK_SLACK
        else ""
    )


def _socket(access: Access, token: str) -> str:
    try:
        access.client(token="").apps_connections_open(app_token=token)
    except (SlackApiError, URLError, OSError) as error:
        return _refusal(error, "SLACK_APP_TOKEN (scope connections:write)")
    return ""


def _refusal(error: Exception, variable: str) -> str:
    if isinstance(error, SlackApiError):
        code = str(error.response.get("error") or "no reason given")
        return f"{variable} is refused ({code}); copy it again from {_WHERE}"
    return f"can't be reached ({getattr(error, 'reason', error)}); look at the network, the proxy and SLACK_API_URL"
