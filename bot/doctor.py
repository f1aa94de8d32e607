"""The doctor: looks at everything that `serve` needs, and says of each fault how to mend it."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from tempfile import TemporaryFile

import click
from slack_sdk.errors import SlackApiError

from bot.curation.lint import lint
from bot.knowledge import inspect
from bot.model import AskPyError
from bot.settings import Faults, Secret, Settings, SettingsError, exposed, strays
from bot.slack.manifest import SCOPES
from bot.slack.transport.client import UNREACHABLE, SlackClient, SlackConfig, error_code, reason_of
from bot.store import Store

CLOCK_SLACK = 120
"""Seconds that this machine's clock may be off; Slack's signatures are good for 300."""


class Hint(str):
    """What isn't wrong, and better otherwise."""


Finding = tuple[str, str]
"""What was looked at, and what is wrong with it together with the remedy, or a hint; empty if nothing is."""


def doctor(settings: Settings, unusable: Faults = ()) -> bool:
    """Look at everything `serve` needs and print a line for each; true if nothing is wrong. `unusable`: what couldn't be read."""
    faults = 0
    for subject, fault in (
        *unusable,
        *_names(),
        *_pack(settings),
        *_cache(settings),
        *_database(settings),
        *_credentials(settings),
        *_slack(settings),
    ):
        verdict = "hint" if isinstance(fault, Hint) else "fault" if fault else "fine"
        click.echo(f"{verdict:6} {subject}" + (f": {fault}" if fault else ""))
        faults += verdict == "fault"
    click.echo("Nothing is wrong." if not faults else f"{faults} to mend.")
    return not faults


def _names() -> Iterator[Finding]:
    """Names that do nothing, and who can read the file."""
    try:
        for stray in strays():
            yield "the name of a setting", stray.text if stray.certain else Hint(stray.text)
        if told := exposed():
            yield "the file .env", Hint(told)
    except SettingsError:  # a file that can't be read is told already
        return


def _pack(settings: Settings) -> Iterator[Finding]:
    knowledge, faults = inspect(settings.pack)
    faults = faults + (lint(knowledge) if knowledge is not None else [])
    blamed = [fault for fault in faults if not fault.advice]
    number = f"{len(blamed)} fault{'s' * (len(blamed) > 1)}"
    remedy = f"{number}, first {blamed[0]}; all of them: python -m bot check" if blamed else ""
    yield f"knowledge pack {settings.pack}", remedy


def _cache(settings: Settings) -> Iterator[Finding]:
    try:
        folder, fault = settings.cache_folder, ""
    except SettingsError as error:
        yield "cache", str(error)
        return
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        fault = f"can't be written ({error.strerror}); set ASKPY_CACHE to a folder that can, or each start takes longer"
    yield f"cache {folder}", fault


def _database(settings: Settings) -> Iterator[Finding]:
    try:
        store = Store(settings.database)
    except AskPyError as error:
        yield "database", str(error)
        return
    fault = store.probe()
    store.close()
    if fault:
        yield "database", f"{fault}; set DATABASE_URL to one that can be written"
    else:
        memory = "in memory, and gone when the process ends; to keep it, name a file: sqlite:///askpy.db"
        yield f"database {store.database.safe_url}", Hint(memory) if store.database.is_in_memory else ""


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
    """What Slack says; tokens that look like none are not tried."""
    bot, app = settings.slack_bot_token, settings.slack_app_token
    if not _is_address(settings.slack_api_url):
        return
    config = SlackConfig(
        bot_token=bot.get_secret_value() if bot is not None and _is_token(bot, "xoxb-") else "",
        app_token=app.get_secret_value() if app is not None and _is_token(app, "xapp-") else "",
        api_url=settings.slack_api_url,
    )
    if config.bot_token or config.app_token:
        yield from asyncio.run(_ask_slack(config))


async def _ask_slack(config: SlackConfig) -> list[Finding]:
    """Try each token that there is."""
    async with SlackClient(config) as client:
        findings, is_reached = await _bot(client) if config.bot_token else ([], True)
        if is_reached and config.app_token:
            findings.append(("Socket Mode", await _socket(client)))
    return findings


async def _bot(client: SlackClient) -> tuple[list[Finding], bool]:
    """What Slack knows of the bot; whether Slack could be reached."""
    try:
        answer = await client.web().auth_test()
    except UNREACHABLE as error:
        refused = _refusal(error, "SLACK_BOT_TOKEN")
        return [(f"Slack at {client.config.api_url}", refused)], bool(_code(error))
    headers = {str(name).lower(): str(value) for name, value in answer.headers.items()}
    granted = {scope.strip() for scope in headers.get("x-oauth-scopes", "").split(",") if scope.strip()}
    missing = [scope for scope in SCOPES if scope not in granted] if granted else []
    remedy = f"{', '.join(missing)} missing; add them at {_WHERE}, OAuth & Permissions, and install again"
    return [
        (f"Slack knows the bot as {answer.get('user')} in {answer.get('team')}", ""),
        ("scopes", remedy if missing else ""),
        ("clock", _clock(headers.get("date", ""))),
    ], True


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


async def _socket(client: SlackClient) -> str:
    try:
        await client.web(token="").apps_connections_open(app_token=client.config.app_token)
    except UNREACHABLE as error:
        return _refusal(error, "SLACK_APP_TOKEN (scope connections:write)")
    return ""


def _refusal(error: Exception, variable: str) -> str:
    code = _code(error)
    if code:
        return f"{variable} is refused ({code}); copy it again from {_WHERE}"
    return f"can't be reached ({reason_of(error)}); look at the network, the proxy and SLACK_API_URL"


def _code(error: Exception) -> str:
    """The code with which Slack refused; empty where it didn't answer, or something else did."""
    return error_code(error) if isinstance(error, SlackApiError) else ""
