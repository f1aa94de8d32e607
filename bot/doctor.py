"""The doctor: checks everything that `serve` needs, and prints the remedy of each fault."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path, PurePath
from tempfile import TemporaryFile
from typing import Any
from urllib.parse import urlsplit

from slack_sdk.errors import SlackApiError

from bot import program
from bot.curation.lint import lint
from bot.knowledge import inspect
from bot.model import AskPyError, Knowledge
from bot.settings import (
    DEFAULT_PORT,
    NO_CRYPTOGRAPHY,
    Secret,
    SettingFaults,
    Settings,
    SettingsError,
    address_fault,
    env_file_advice,
    hide_secrets,
    ineffective_variables,
    installing_faults,
    unknown_variables,
)
from bot.slack.blocks import Layout
from bot.slack.manifest import SCOPES
from bot.slack.permissions import named_elsewhere
from bot.slack.samples import samples
from bot.slack.transport.checks import count_certificates, port_fault
from bot.slack.transport.client import (
    PROXY_FORM,
    UNREACHABLE,
    SlackClient,
    SlackConfig,
    asked,
    bypasses_proxy,
    error_code,
    failure_of,
    proxy_host,
    proxy_of_environment,
    reason_of,
    retry_after,
)
from bot.slack.transport.remedies import APP_SETTINGS_PAGE, PAGES
from bot.store import Store, StoredInstallation, StoreError
from bot.terminal import echo
from bot.text import printable

MAX_CLOCK_OFFSET = 120
"""Seconds that this machine's clock may be off; Slack's signatures are good for 300."""
MAX_OBJECTIONS = 5
"""Objections of Slack's to one view or message that are printed: mostly they have one cause."""
MAX_RATE_LIMITS, MAX_RETRY_AFTER = 5, 60.0
"""Times that a request to validate blocks is repeated after a rate limit, and seconds that each may last."""


MAX_INSTALLATIONS = 20
"""Installations that have a line of their own, those with a fault first."""
MAX_ASKED_AT_ONCE = 16
"""Installations about which Slack is asked at the same time."""
LABEL = 7
"""Columns of the verdict before each line."""


class Hint(str):
    """A text about what isn't a fault but could be better."""


DoctorLine = tuple[str, str]
"""What was checked, and the fault with its remedy, or a Hint; empty if there is neither."""


def run_checks(settings: Settings, setting_faults: SettingFaults = (), *, blocks: bool = False) -> bool:
    """Check everything that `serve` needs and print a line for each. No line has a value that looks like a secret.

    Args:
        settings: The settings that can be used.
        setting_faults: The faults of those that can't.
        blocks: Whether Slack is also asked about every kind of message and view.

    Returns:
        Whether there is no fault.
    """
    faults = 0
    knowledge, pack_lines = _pack(settings)
    database_lines = list(_database(settings))
    can_read = not any(fault and not isinstance(fault, Hint) for _, fault in database_lines)
    for subject, fault in (
        *setting_faults,
        *_variables(),
        *pack_lines,
        *_cache(settings),
        *database_lines,
        *_port(settings),
        *_help_channels(settings),
        *_credentials(settings),
        *_certificates(),
        *_proxy(settings),
        *_slack(settings, knowledge if blocks else None),
        *(_installations(settings) if can_read else ()),
        *([("blocks", Hint("not checked: there is no pack to render"))] if blocks and knowledge is None else []),
    ):
        verdict = "hint" if isinstance(fault, Hint) else "fault" if fault else "fine"
        echo(hide_secrets(f"{verdict:6} {subject}" + (f": {fault}" if fault else "")), hang=LABEL)
        faults += verdict == "fault"
    echo("Nothing is wrong." if not faults else f"{faults} to mend.")
    return not faults


def _variables() -> Iterator[DoctorLine]:
    """Variables that do nothing, and who can read `.env`."""
    try:
        for variable in unknown_variables():
            yield "the name of a setting", variable.text if variable.is_certain else Hint(variable.text)
        for name in ineffective_variables():
            yield (
                "the file .env",
                Hint(f"{name} does nothing in a file that AskPy reads itself; set it in the environment"),
            )
        if advice := env_file_advice():
            yield "the file .env", Hint(advice)
    except SettingsError:  # a file that can't be read is among the settings' faults
        return


def _pack(settings: Settings) -> tuple[Knowledge | None, list[DoctorLine]]:
    """The pack, if it can be read, and the line about it."""
    folder = settings.pack.absolute()
    knowledge, faults = inspect(folder)
    faults = faults + (lint(knowledge) if knowledge is not None else [])
    faults = [fault for fault in faults if not fault.advice]
    count = f"{len(faults)} fault{'s' * (len(faults) > 1)}"
    remedy = f"{count}, first {faults[0]}; all of them: {program()} check {shlex.quote(str(folder))}" if faults else ""
    number = len(knowledge.entries) if knowledge is not None else 0
    name = f" {knowledge.name}, {number} {'entry' if number == 1 else 'entries'}," if knowledge is not None else ""
    return knowledge, [(f"knowledge pack{name} {folder}", remedy)]


def _cache(settings: Settings) -> Iterator[DoctorLine]:
    try:
        folder, fault = settings.cache_folder.absolute(), ""
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
    """Whether the database can be written. The folder of a relative path isn't made: the file may be meant to be elsewhere."""
    try:
        store = Store(settings.database)
    except AskPyError as error:
        yield "database", str(error)
        return
    database = store.database
    question = _path_question(database.path) if database.path is not None else ""
    if database.path is not None and question and not database.path.absolute().parent.is_dir():
        yield "database", f"{database.place}: its folder doesn't exist{question}"
        return
    is_new = database.path is not None and not database.path.exists()
    fault = store.probe().removeprefix(f"{database.safe_url}: ")
    store.close()
    if fault:
        yield (
            "database",
            f"{database.place}: {fault}; look at its server or its disk, or set DATABASE_URL to another one{question}",
        )
    elif database.is_in_memory:
        memory = "in memory, and gone when the process ends; to keep it, name a file: sqlite:////path/to/askpy.db"
        yield f"database {database.place}", Hint(memory)
    else:
        made = ", made just now" if is_new else ""
        yield f"database {database.place}{made}", Hint(question.removeprefix(". ")) if question else ""


def _path_question(path: PurePath) -> str:
    """Whether the path of a SQLite file was meant to begin at the root; empty if it does, on Windows also without a drive."""
    if path.root:
        return ""
    return (
        ". DATABASE_URL has a relative path, so that the file lies under the working directory; "
        f"from the root it is written with four slashes: sqlite:////{path.as_posix()}"
    )


def _port(settings: Settings) -> Iterator[DoctorLine]:
    """Whether the port can be opened, where it is needed: for HTTP, and in Socket Mode where PORT is set."""
    is_http = (settings.slack_app_token is None or settings.installs) and settings.slack_signing_secret is not None
    if settings.port is None and not is_http:
        return
    port = DEFAULT_PORT if settings.port is None else settings.port
    yield f"port {port}", port_fault(port, settings.host)


def _help_channels(settings: Settings) -> Iterator[DoctorLine]:
    """The channels where questions are put to people, of which no app can ask with our scopes whether it is in them."""
    for channel in settings.help_channels:
        text = "can't be looked at with the bot's four scopes; see that it is in the channel (/invite @ and its name)"
        yield f"ASKPY_HELP_CHANNEL {channel}", Hint(text)


# --- credentials

_NO_FRONT = (
    "neither it nor SLACK_SIGNING_SECRET is set, and one is needed: SLACK_APP_TOKEN for Socket Mode, which needs no public "
    "address and works behind a firewall, or SLACK_SIGNING_SECRET for HTTP, which suits production; "
    f"{APP_SETTINGS_PAGE}, Basic Information has both"
)
_KINDS = {"xoxb": "a bot token", "xapp": "an app-level token", "xoxp": "a user token", "xox": "a token of another kind"}
"""What Slack's tokens are, by their first letters."""
_PREFIXES = {"SLACK_BOT_TOKEN": "xoxb", "SLACK_APP_TOKEN": "xapp"}
"""The first letters of the token that a variable holds."""
_QUOTES = " \t\r\n'\"`“”‘’"


def _is_token(secret: Secret | None, kind: str) -> bool:
    """Whether a secret has the form of a token; one that doesn't is not sent to Slack."""
    return secret is not None and re.fullmatch(rf"{kind}-[!-~]*[^\W_]", secret.get_secret_value()) is not None


def _kind_of(value: str) -> str:
    """The kind of a token, as in _KINDS; empty for anything else."""
    return next((kind for kind in _KINDS if value.startswith(kind) and re.match(r"\w+[.-]", value)), "")


def _credentials(settings: Settings) -> Iterator[DoctorLine]:
    bot, app, secret = settings.slack_bot_token, settings.slack_app_token, settings.slack_signing_secret
    yield from installing_faults(settings)
    if settings.secret_key is not None and not settings.installs:
        remedy = f"set SLACK_CLIENT_ID and SLACK_CLIENT_SECRET, too, from {APP_SETTINGS_PAGE}, Basic Information"
        yield "ASKPY_SECRET_KEY", Hint(f"set without the two others that many workspaces need; for those, {remedy}")
    if bot is None and not settings.installs:
        yield "SLACK_BOT_TOKEN", f"not set; copy it from {PAGES['SLACK_BOT_TOKEN']} (it starts with xoxb-)"
    if secret is None and settings.installs:
        yield "SLACK_SIGNING_SECRET", f"not set; copy it from {APP_SETTINGS_PAGE}, Basic Information"
    elif app is None and secret is None:
        yield "SLACK_APP_TOKEN", _NO_FRONT
    for name, token in (("SLACK_BOT_TOKEN", bot), ("SLACK_APP_TOKEN", app)):
        if token is not None and (fault := _token_fault(name, token)):
            yield name, fault
    if secret is not None and (fault := _signing_secret_fault(secret)):
        yield "SLACK_SIGNING_SECRET", fault
    if fault := address_fault(settings.slack_api_url):
        yield "SLACK_API_URL", fault


def _token_fault(name: str, token: Secret) -> str:
    value, own = token.get_secret_value(), _PREFIXES[name]
    if _is_token(token, own):
        return ""
    bare = value.strip(_QUOTES)
    kind, place = _kind_of(bare), f"it starts with {own}-, at {PAGES[name]}"
    other = next(other for other in _PREFIXES if other != name)
    if kind == _PREFIXES[other]:
        return f"swapped with {other}? It holds {_KINDS[kind]}; {_KINDS[own]} belongs here: {place}"
    if kind and kind != own:
        return f"it holds {_KINDS[kind]} and not {_KINDS[own]}; {place}"
    if bare != value and kind:
        return "there are quotes or blanks around it; write the token alone"
    return f"not {_KINDS[own]}; {place}"


def _signing_secret_fault(secret: Secret) -> str:
    value, page = secret.get_secret_value(), f"copy it again from {APP_SETTINGS_PAGE}, Basic Information"
    bare = value.strip(_QUOTES)
    if kind := _kind_of(bare):
        return f"it holds {_KINDS[kind]}, and not the signing secret; {page}"
    if bare != value:
        return "there are quotes or blanks around it; write the secret alone"
    is_usual = re.fullmatch(r"[0-9a-fA-F]{32}", value) is not None
    return "" if is_usual else Hint(f"not 32 hexadecimal digits, as Slack's are; {page}")


# --- the way to Slack


def _certificates() -> Iterator[DoctorLine]:
    """The files and folders of certificate authorities that OpenSSL reads in place of the system's, if any are set."""
    if file := os.environ.get("SSL_CERT_FILE"):
        number, fault = count_certificates(file)
        count = f", {number} certificate{'s' * (number != 1)} in place of the system's file" if not fault else ""
        yield f"certificates of SSL_CERT_FILE, {Path(file).absolute()}{count}", fault
    if folders := os.environ.get("SSL_CERT_DIR"):
        missing = [folder for folder in folders.split(os.pathsep) if not Path(folder).is_dir()]
        yield f"certificates of SSL_CERT_DIR, {folders}", f"there is no folder {missing[0]}" if missing else ""


def _proxy(settings: Settings) -> Iterator[DoctorLine]:
    """The proxy of the environment, if there is one, and whether requests to Slack go through it."""
    proxy, url = proxy_of_environment(), settings.slack_api_url
    if not proxy or address_fault(url):
        return
    place, fault = proxy_host(proxy), ""
    if not place:
        place, fault = "in HTTPS_PROXY or HTTP_PROXY", PROXY_FORM
    elif bypasses_proxy(url):
        place = f"{place}: not for {urlsplit(url).netloc}, by NO_PROXY or because it is this machine"
    yield f"proxy {place}", fault


def _slack(settings: Settings, knowledge: Knowledge | None) -> Iterator[DoctorLine]:
    """Slack's own verdict on the tokens, and on what is rendered from `knowledge`; malformed tokens are not sent."""
    bot, app = settings.slack_bot_token, settings.slack_app_token
    if address_fault(settings.slack_api_url) or any(fault for _, fault in _proxy(settings)):
        return
    config = SlackConfig(
        bot_token=bot.get_secret_value() if bot is not None and _is_token(bot, "xoxb") else "",
        app_token=app.get_secret_value() if app is not None and _is_token(app, "xapp") else "",
        api_url=settings.slack_api_url,
    )
    if config.bot_token or config.app_token:
        yield from asyncio.run(_ask_slack(config, settings, knowledge))


# --- the installations in many workspaces

_NO_KEY = "no key of ASKPY_SECRET_KEY decrypts its token; put the one that does behind the others, or install the app there again"
_EXPIRED = "its token has expired, as it does while the bot doesn't run; the bot gets a new one before the next answer"
_REINSTALL = "let somebody there install the app again (/slack/install)"


def _installations(settings: Settings) -> Iterator[DoctorLine]:
    """Each workspace and organisation: whether its token can be decrypted, and what Slack says of it."""
    if not settings.installs or settings.secret_key is None:
        return
    try:
        from bot.keys import SecretKeyError, SecretKeys  # noqa: PLC0415  only for many workspaces
    except ModuleNotFoundError:
        yield "ASKPY_SECRET_KEY", NO_CRYPTOGRAPHY
        return
    store = Store(settings.database)
    try:
        keys = SecretKeys(settings.secret_key.get_secret_value())
        installed = store.installations.all()
    except (SecretKeyError, StoreError) as error:
        name = "ASKPY_SECRET_KEY" if isinstance(error, SecretKeyError) else "installations"
        yield name, str(error).removeprefix(f"{name}: ")
        return
    finally:
        store.close()
    if not installed:
        yield "workspaces", Hint("the app isn't installed anywhere yet; open /slack/install at the bot's address")
        return
    found: list[DoctorLine] = []
    readable: list[tuple[StoredInstallation, str]] = []
    for each in installed:
        try:
            token, _ = (keys.decrypt(stored) if stored else "" for stored in (each.bot_token, each.refresh_token))
        except SecretKeyError:
            found.append((_name_of(each), _NO_KEY))
        else:
            readable.append((each, token))
    if address_fault(settings.slack_api_url) or any(fault for _, fault in _proxy(settings)):
        found += [(_name_of(each), Hint("not checked")) for each, _ in readable]
    else:
        found += asyncio.run(_ask_about(settings, readable))
    yield from _shortened(found)


def _name_of(installation: StoredInstallation) -> str:
    kind = "organisation" if installation.team.startswith("E") else "workspace"
    name = f" ({printable(installation.name)})" if installation.name else ""
    return f"{kind} {installation.team}{name}"


def _shortened(found: list[DoctorLine]) -> Iterator[DoctorLine]:
    """The lines of the first MAX_INSTALLATIONS, those with a fault first, and the number of the rest."""
    found = sorted(found, key=lambda line: (not line[1], isinstance(line[1], Hint)))
    yield from found[:MAX_INSTALLATIONS]
    rest = [fault for _, fault in found[MAX_INSTALLATIONS:]]
    hints = sum(isinstance(fault, Hint) for fault in rest)
    faults = sum(bool(fault) for fault in rest) - hints
    if faults:
        yield f"{faults} more", "with a fault; mend those above first"
    if hints:
        yield f"{hints} more", Hint("with a hint like those above")
    if len(rest) > faults + hints:
        yield f"{len(rest) - faults - hints} more workspaces", ""


async def _ask_about(settings: Settings, installed: list[tuple[StoredInstallation, str]]) -> list[DoctorLine]:
    """What Slack says of each installation's token. When it can't be reached, the others aren't tried."""
    turns, is_away = asyncio.Semaphore(MAX_ASKED_AT_ONCE), asyncio.Event()

    async def ask(client: SlackClient, each: StoredInstallation, token: str) -> DoctorLine:
        if each.refresh_token and each.expires_at <= time.time():
            return _name_of(each), Hint(_EXPIRED)
        async with turns:
            if is_away.is_set():
                return _name_of(each), Hint("not checked: Slack can't be reached")
            try:
                answer = await asked(client.web(token=token).auth_test())
            except UNREACHABLE as error:
                code = _code(error)
                if code in ("ratelimited", "rate_limited"):
                    return _name_of(each), Hint("not checked: Slack limits the rate; try again later")
                if code:
                    return _name_of(each), f"its token is refused ({code}); {_REINSTALL}"
                is_away.set()
                failure = failure_of(error, "SLACK_BOT_TOKEN")
                return _name_of(each), f"Slack can't be reached ({failure.reason}): {failure.remedy}"
        return _name_of(each), _installation_fault(each, answer)

    async with SlackClient(SlackConfig(bot_token="", api_url=settings.slack_api_url)) as client:
        return list(await asyncio.gather(*(ask(client, each, token) for each, token in installed)))


def _installation_fault(installation: StoredInstallation, answer: Any) -> str:
    """What is wrong with an installation by Slack's answer to auth.test."""
    team = str(answer.get("team_id") or "")
    if installation.team.startswith("T") and team and team != installation.team:
        return f"its token is of {team}; {_REINSTALL}"
    headers = {str(name).lower(): str(value) for name, value in answer.headers.items()}
    granted = {scope.strip() for scope in headers.get("x-oauth-scopes", "").split(",") if scope.strip()}
    if not granted:
        return Hint(f"scopes {_NOT_SAID}")
    missing = [scope for scope in SCOPES if scope not in granted]
    return f"the scopes {', '.join(missing)} are missing; {_REINSTALL}" if missing else ""


async def _ask_slack(config: SlackConfig, settings: Settings, knowledge: Knowledge | None) -> list[DoctorLine]:
    """Send each token that there is to Slack, and with the bot's what is to be validated."""
    async with SlackClient(config) as client:
        results, is_reachable = await _bot(client, settings) if config.bot_token else ([], True)
        is_known = bool(config.bot_token) and is_reachable and not any(fault for subject, fault in results[:1])
        if is_reachable and config.app_token:
            results.append(("Socket Mode", await _socket(client)))
        if knowledge is not None:
            results += await _blocks(client, settings, knowledge) if is_known else [("blocks", Hint(_NOT_ASKED))]
    return results


async def _bot(client: SlackClient, settings: Settings) -> tuple[list[DoctorLine], bool]:
    """The bot token, its scopes, who and what is named in other workspaces, and this machine's clock; and whether Slack could be
    reached."""
    try:
        answer = await asked(client.web().auth_test())
    except UNREACHABLE as error:
        fault = _refusal(error, "SLACK_BOT_TOKEN")
        return [(f"Slack at {client.config.api_url}", fault)], bool(_code(error))
    headers = {str(name).lower(): str(value) for name, value in answer.headers.items()}
    results = [
        (f"Slack knows the bot as {answer.get('user')} in {answer.get('team')}", ""),
        *_scopes(headers.get("x-oauth-scopes", "")),
        *(_elsewhere(settings, str(answer.get("team_id") or "")) if not settings.installs else ()),
        ("clock", _clock(headers.get("date", ""))),
    ]
    app_id, bot_app_id = _app_id(client.config.app_token), str(answer.get("app_id") or "")
    if app_id and bot_app_id and app_id != bot_app_id:  # for bot tokens the answer doesn't always have it
        fault = f"of the app {app_id}, but SLACK_BOT_TOKEN is of {bot_app_id}; copy both from the same app"
        results.append(("SLACK_APP_TOKEN", fault))
    return results, True


def _elsewhere(settings: Settings, team: str) -> Iterator[DoctorLine]:
    """Curators and help channels that are named in another workspace than the bot's."""
    names = {"ASKPY_CURATORS": settings.curators, "ASKPY_HELP_CHANNEL": settings.help_channels}
    for variable, ids in names.items():
        if others := named_elsewhere(ids, team):
            yield (
                variable,
                f"{', '.join(others)}: the bot is in the workspace {team}, and these do nothing; correct the T…",
            )


def _app_id(app_token: str) -> str:
    """The app's id, which an app-level token names: xapp-1-A…-…; empty if it doesn't."""
    match = re.match(r"xapp-\d+-(A[A-Z0-9]+)-", app_token)
    return match[1] if match else ""


_NOT_SAID = "not checked: Slack's answer doesn't say"


def _scopes(header: str) -> Iterator[DoctorLine]:
    """The scopes that are missing, and those that aren't needed: what a token can't do, nobody who steals it can."""
    granted = {scope.strip() for scope in header.split(",") if scope.strip()}
    if not granted:
        yield "scopes", Hint(_NOT_SAID)
        return
    missing = [scope for scope in SCOPES if scope not in granted]
    page = PAGES["SLACK_BOT_TOKEN"]
    if missing or not granted - set(SCOPES):
        remedy = f"{', '.join(missing)} missing; add them at {page}, and install again"
        yield "scopes", remedy if missing else ""
    if superfluous := sorted(granted - set(SCOPES)):
        yield "scopes", Hint(f"{', '.join(superfluous)} not needed; remove them at {page}, and install again")


def _clock(date: str) -> str:
    """The fault of this machine's clock, by the Date header of Slack's answer."""
    try:
        offset = time.time() - parsedate_to_datetime(date).timestamp()
    except ValueError:
        return Hint(_NOT_SAID)
    direction = "ahead" if offset > 0 else "behind"
    return (
        f"{direction}, {abs(offset):.0f} seconds off Slack's; set this machine's clock, or no signature will be believed"
        if abs(offset) > MAX_CLOCK_OFFSET
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


# --- blocks

_NOT_ASKED = "not checked: that takes a bot token that Slack knows"
_UNKNOWN_METHOD = "not checked: this Slack doesn't know the method blocks.validate"


async def _blocks(client: SlackClient, settings: Settings, knowledge: Knowledge) -> list[DoctorLine]:
    """Whether Slack takes one of every kind of message and view: a line for each, with what Slack objects to."""
    results: list[DoctorLine] = []
    try:
        for sample in await samples(knowledge, _layout(settings), client.config, _cache_folder(settings)):
            objections: list[str] = []
            for variant, payload in sample.variants:
                found = await _validate(client, payload)
                objections += [f"{objection} ({variant})" if variant else objection for objection in found]
            results.append((f"blocks of {sample.name}", "; ".join(objections[:MAX_OBJECTIONS])))
    except UNREACHABLE as error:
        code = _code(error)
        if code == "unknown_method":
            return [("blocks", Hint(_UNKNOWN_METHOD))]
        results.append(("blocks", f"blocks.validate failed ({code or reason_of(error)}); try again"))
    return results


def _layout(settings: Settings) -> Layout:
    return "classic" if settings.cards == "classic" else "cards"


def _cache_folder(settings: Settings) -> Path | None:
    """The folder of the cache, if there is one; `_cache` says what is wrong with it."""
    try:
        return settings.cache_folder
    except SettingsError:
        return None


async def _validate(client: SlackClient, payload: dict[str, Any]) -> list[str]:
    """Slack's objections to a message or a view, as JSON pointer and code. Raises what the SDK raises, for any other error."""
    for attempt in range(MAX_RATE_LIMITS + 1):
        try:
            await client.web().api_call("blocks.validate", data=payload)
        except SlackApiError as error:
            answer: Any = getattr(error.response, "data", None)
            objections = answer.get("errors") if isinstance(answer, dict) else None
            if isinstance(objections, list) and objections:
                return [_objection(objection) for objection in objections]
            if _code(error).startswith("invalid_") and _code(error).partition("_")[2] in ("blocks", "message", "view"):
                return [_code(error)]
            if attempt == MAX_RATE_LIMITS or _code(error) not in ("ratelimited", "rate_limited"):
                raise
            await asyncio.sleep(min(retry_after(error.response.headers), MAX_RETRY_AFTER))
        else:
            break
    return []


def _objection(objection: Any) -> str:
    fields = objection if isinstance(objection, dict) else {}
    return f"{fields.get('pointer') or '/'} {fields.get('code') or 'not valid'}"
