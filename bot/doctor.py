"""The doctor: checks everything that `serve` needs, and prints the remedy of each fault."""

from __future__ import annotations

import asyncio
import re
import shlex
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from tempfile import TemporaryFile

from slack_sdk.errors import SlackApiError

from bot import program
from bot.curation.lint import lint
from bot.knowledge import inspect
from bot.model import AskPyError
from bot.settings import Secret, SettingFaults, Settings, SettingsError, env_file_advice, unknown_variables
from bot.slack.manifest import SCOPES
from bot.slack.transport.client import UNREACHABLE, SlackClient, SlackConfig, asked, error_code, failure_of
from bot.store import Store
from bot.terminal import echo

MAX_CLOCK_OFFSET = 120
"""Seconds that this machine's clock may be off; Slack's signatures are good for 300."""


LABEL = 7
"""Columns of the verdict before each line."""


class Hint(str):
    """A text about what isn't a fault but could be better."""


DoctorLine = tuple[str, str]
"""What was checked, and the fault with its remedy, or a Hint; empty if there is neither."""


def run_checks(settings: Settings, setting_faults: SettingFaults = ()) -> bool:
    """Check everything that `serve` needs and print a line for each.

    Args:
        settings: The settings that can be used.
        setting_faults: The faults of those that can't.

    Returns:
        Whether there is no fault.
    """
    faults = 0
    for subject, fault in (
        *setting_faults,
        *_variables(),
        *_pack(settings),
        *_cache(settings),
        *_database(settings),
        *_credentials(settings),
        *_slack(settings),
    ):
        verdict = "hint" if isinstance(fault, Hint) else "fault" if fault else "fine"
        echo(f"{verdict:6} {subject}" + (f": {fault}" if fault else ""), hang=LABEL)
        faults += verdict == "fault"
    echo("Nothing is wrong." if not faults else f"{faults} to mend.")
    return not faults


def _variables() -> Iterator[DoctorLine]:
    """Variables that do nothing, and who can read `.env`."""
    try:
        for variable in unknown_variables():
            yield "the name of a setting", variable.text if variable.is_certain else Hint(variable.text)
        if advice := env_file_advice():
            yield "the file .env", Hint(advice)
    except SettingsError:  # a file that can't be read is among the settings' faults
        return


def _pack(settings: Settings) -> Iterator[DoctorLine]:
    knowledge, faults = inspect(settings.pack)
    faults = faults + (lint(knowledge) if knowledge is not None else [])
    faults = [fault for fault in faults if not fault.advice]
    count = f"{len(faults)} fault{'s' * (len(faults) > 1)}"
    remedy = (
        f"{count}, first {faults[0]}; all of them: {program()} check {shlex.quote(str(settings.pack))}"
        if faults
        else ""
    )
    number = len(knowledge.entries) if knowledge is not None else 0
    name = f" {knowledge.name}, {number} {'entry' if number == 1 else 'entries'}," if knowledge is not None else ""
    yield f"knowledge pack{name} {settings.pack}", remedy


def _cache(settings: Settings) -> Iterator[DoctorLine]:
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


def _database(settings: Settings) -> Iterator[DoctorLine]:
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


_APP_PAGE = "api.slack.com/apps, your app"
_NO_FRONT = (
    "neither it nor SLACK_SIGNING_SECRET is set, and one is needed: SLACK_APP_TOKEN for Socket Mode, which needs no public "
    "address and works behind a firewall, or SLACK_SIGNING_SECRET for HTTP, which suits production; "
    f"{_APP_PAGE}, Basic Information has both"
)


def _is_token(secret: Secret | None, prefix: str) -> bool:
    """Whether a secret has the form of a token; one that doesn't is not sent to Slack."""
    return secret is not None and re.fullmatch(rf"{prefix}[!-~]+", secret.get_secret_value()) is not None


def _is_address(url: str) -> bool:
    return re.fullmatch(r"https?://[^\s/]+(?:/.*)?", url) is not None


def _credentials(settings: Settings) -> Iterator[DoctorLine]:
    bot, app, secret = settings.slack_bot_token, settings.slack_app_token, settings.slack_signing_secret
    if bot is None:
        yield "SLACK_BOT_TOKEN", f"not set; copy it from {_APP_PAGE}, OAuth & Permissions (it starts with xoxb-)"
    elif not _is_token(bot, "xoxb-"):
        yield "SLACK_BOT_TOKEN", f"not a bot token; it starts with xoxb-, at {_APP_PAGE}, OAuth & Permissions"
    if app is None and secret is None:
        yield "SLACK_APP_TOKEN", _NO_FRONT
    if app is not None and not _is_token(app, "xapp-"):
        yield "SLACK_APP_TOKEN", f"not an app-level token; it starts with xapp-, at {_APP_PAGE}, Basic Information"
    if secret is not None and not re.fullmatch(r"[0-9a-fA-F]{32}", secret.get_secret_value()):
        yield "SLACK_SIGNING_SECRET", f"not 32 hexadecimal digits; copy it again from {_APP_PAGE}, Basic Information"
    if not _is_address(settings.slack_api_url):
        yield "SLACK_API_URL", "not a web address; leave it out, or write https://slack.com/api/"


def _slack(settings: Settings) -> Iterator[DoctorLine]:
    """Slack's own verdict on the tokens; those that don't have the form of one are not sent."""
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


async def _ask_slack(config: SlackConfig) -> list[DoctorLine]:
    """Send each token that there is to Slack."""
    async with SlackClient(config) as client:
        results, is_reachable = await _bot(client) if config.bot_token else ([], True)
        if is_reachable and config.app_token:
            results.append(("Socket Mode", await _socket(client)))
    return results


async def _bot(client: SlackClient) -> tuple[list[DoctorLine], bool]:
    """The bot token, its scopes and this machine's clock; and whether Slack could be reached."""
    try:
        answer = await asked(client.web().auth_test())
    except UNREACHABLE as error:
        fault = _refusal(error, "SLACK_BOT_TOKEN")
        return [(f"Slack at {client.config.api_url}", fault)], bool(_code(error))
    headers = {str(name).lower(): str(value) for name, value in answer.headers.items()}
    granted = {scope.strip() for scope in headers.get("x-oauth-scopes", "").split(",") if scope.strip()}
    missing = [scope for scope in SCOPES if scope not in granted] if granted else []
    remedy = f"{', '.join(missing)} missing; add them at {_APP_PAGE}, OAuth & Permissions, and install again"
    return [
        (f"Slack knows the bot as {answer.get('user')} in {answer.get('team')}", ""),
        ("scopes", remedy if missing else ""),
        ("clock", _clock(headers.get("date", ""))),
    ], True


def _clock(date: str) -> str:
    """The fault of this machine's clock, by the Date header of Slack's answer."""
    try:
        offset = abs(parsedate_to_datetime(date).timestamp() - time.time())
    except ValueError:
        return ""
    return (
        f"{offset:.0f} seconds off Slack's; set this machine's clock, or no signature will be believed"
        if offset > MAX_CLOCK_OFFSET
        else ""
    )


async def _socket(client: SlackClient) -> str:
    try:
        await asked(client.web(token="").apps_connections_open(app_token=client.config.app_token))
    except UNREACHABLE as error:
        return _refusal(error, "SLACK_APP_TOKEN")
    return ""


def _refusal(error: Exception, variable: str) -> str:
    failure = failure_of(error, variable)
    what = f"{variable} is refused" if failure.is_answer else "can't be reached"
    return f"{what} ({failure.reason}): {failure.remedy}"


def _code(error: Exception) -> str:
    """The error code of Slack's answer; empty where Slack didn't answer."""
    return error_code(error) if isinstance(error, SlackApiError) else ""
