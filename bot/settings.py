"""Settings, read once from a `.env` file and the environment, which wins. An empty variable counts as not set."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import click

from bot import program
from bot.model import AskPyError

PACKAGED_PACK = Path(__file__).with_name("pack")
"""The pack inside an installed wheel."""
CHECKOUT_PACK = Path(__file__).parent.parent / "knowledge"
"""The pack of a checkout, for processes that run in another folder."""
DEFAULT_PORT = 3000
ANY_HOST = "0.0.0.0"  # noqa: S104  a web process in a container, or on a host with a Procfile, is reached from outside
"""The HTTP port, unless PORT names another."""


class SettingsError(AskPyError):
    """A variable whose value can't be used."""


class Secret:
    """A value that appears neither in a repr nor in a log."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def get_secret_value(self) -> str:
        """The value itself."""
        return self._value

    def __repr__(self) -> str:
        return "Secret('**********')"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The values of all settings, defaults included."""

    slack_bot_token: Secret | None = None
    slack_app_token: Secret | None = None
    slack_signing_secret: Secret | None = None
    slack_client_id: str = ""
    slack_client_secret: Secret | None = None
    secret_key: Secret | None = None
    slack_api_url: str = "https://slack.com/api/"
    port: int | None = None
    host: str = ANY_HOST
    database_url: Secret | None = None
    knowledge: Path | None = None
    cache: Path | None = None
    cards: Literal["auto", "classic"] = "auto"
    curators: tuple[str, ...] = ()
    help_channels: tuple[str, ...] = ()
    retention_days: int = 90
    log_format: Literal["console", "json"] = "console"
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @property
    def has_slack(self) -> bool:
        """Whether any Slack credential is set."""
        return any((self.slack_bot_token, self.slack_app_token, self.slack_signing_secret, self.slack_client_id))

    @property
    def installs(self) -> bool:
        """Whether the app is to be installed into many workspaces; `installing_faults` says what is missing for that."""
        return bool(self.slack_client_id or self.slack_client_secret)

    @property
    def pack(self) -> Path:
        """The folder of the knowledge pack: the one that is set, else ./knowledge, else the one in the package."""
        if self.knowledge is not None:
            return self.knowledge
        local = Path("knowledge")
        if (local / "pack.yaml").is_file():
            return local
        return PACKAGED_PACK if PACKAGED_PACK.is_dir() else CHECKOUT_PACK

    @property
    def cache_folder(self) -> Path:
        """The folder of the cache of packs and indexes: the one that is set, else one in the user's cache folder."""
        return self.cache if self.cache is not None else _user_folder("XDG_CACHE_HOME", ".cache", "ASKPY_CACHE")

    @property
    def database(self) -> str:
        """A SQLAlchemy URL: the one that is set, else a SQLite file in the user's data folder."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite:///{_user_folder('XDG_DATA_HOME', '.local/share', 'DATABASE_URL') / 'askpy.db'}"


def _whole_number(minimum: int, maximum: int) -> Callable[[str], int]:
    """A parser of whole numbers within a range; it raises click.BadParameter."""

    def parse(value: str) -> int:
        if value.strip().isdecimal() and minimum <= (number := int(value)) <= maximum:
            return number
        raise click.BadParameter(f"'{value}' is not a whole number from {minimum} to {maximum}.")

    return parse


def _ids(value: str, pattern: str, what: str, hint: str) -> tuple[str, ...]:
    """Ids divided by commas, each once, in the order given; raises click.BadParameter for one that isn't of the pattern."""
    ids = tuple(dict.fromkeys(part.strip() for part in value.split(",") if part.strip()))
    for each in ids:
        if not re.fullmatch(pattern, each):
            raise click.BadParameter(f"'{each}' is not {what}, with commas between. {hint}")
    return ids


def _user_ids(value: str) -> tuple[str, ...]:
    """User ids with or without their workspace's id; raises click.BadParameter."""
    hint = "Slack shows it in a profile's menu, as Copy member ID."
    return _ids(value, r"(?:[TE][A-Z0-9]+:)?[UW][A-Z0-9]+", "a person's id: it can be U… or T…:U…", hint)


def _channel_ids(value: str) -> tuple[str, ...]:
    """Channel ids with or without their workspace's id, one of each workspace; raises click.BadParameter."""
    hint = "Slack shows it at the end of the channel's details."
    ids = _ids(value, r"(?:T[A-Z0-9]+:)?[CG][A-Z0-9]+", "a channel's id: it can be C… or T…:C…", hint)
    workspaces = [each.rpartition(":")[0] for each in ids]
    for workspace in workspaces:
        if workspaces.count(workspace) > 1:
            of = f"of {workspace}" if workspace else "without a workspace"
            raise click.BadParameter(
                f"two channels {of}; questions are put to people in one of them, so leave one out."
            )
    return ids


def _folder(value: str) -> Path:
    """A folder; raises click.BadParameter for a lone secret, after which a folder would otherwise be named."""
    if is_lone_secret(value):
        raise click.BadParameter(f"{HIDDEN}, and not a folder; write ./ before it if it is one.")
    return Path(value)


def _ip_address(value: str) -> str:
    """An address to listen on; raises click.BadParameter."""
    try:
        return str(ip_address(value.strip()))
    except ValueError:
        raise click.BadParameter(f"'{value}' is not an IP address, such as 127.0.0.1.") from None


VARIABLES: dict[str, tuple[str, click.ParamType[Any] | Callable[[str], object]]] = {
    "SLACK_BOT_TOKEN": ("slack_bot_token", Secret),
    "SLACK_APP_TOKEN": ("slack_app_token", Secret),
    "SLACK_SIGNING_SECRET": ("slack_signing_secret", Secret),
    "SLACK_CLIENT_ID": ("slack_client_id", str.strip),
    "SLACK_CLIENT_SECRET": ("slack_client_secret", Secret),
    "ASKPY_SECRET_KEY": ("secret_key", Secret),
    "SLACK_API_URL": ("slack_api_url", str),
    "PORT": ("port", _whole_number(0, 65535)),
    "ASKPY_HOST": ("host", _ip_address),
    "DATABASE_URL": ("database_url", Secret),
    "ASKPY_KNOWLEDGE": ("knowledge", _folder),
    "ASKPY_CACHE": ("cache", _folder),
    "ASKPY_CARDS": ("cards", click.Choice(["auto", "classic"], case_sensitive=False)),
    "ASKPY_CURATORS": ("curators", _user_ids),
    "ASKPY_HELP_CHANNEL": ("help_channels", _channel_ids),
    "ASKPY_RETENTION_DAYS": ("retention_days", _whole_number(1, 36500)),
    "ASKPY_LOG_FORMAT": ("log_format", click.Choice(["console", "json"], case_sensitive=False)),
    "ASKPY_LOG_LEVEL": ("log_level", click.Choice(["debug", "info", "warning", "error"], case_sensitive=False)),
}
"""The field of each variable, and what parses it. click's types: importing pydantic takes longer than an answer of `ask`."""


def read_settings() -> Settings:
    """The settings.

    Raises:
        SettingsError: A variable has a value that can't be used, or `.env` can't be read; it names all of them.
    """
    settings, faults = _parse({**_env_file(), **os.environ})
    if faults:
        lines = "\n".join(f"{name}: {fault}" for name, fault in faults)
        raise SettingsError(f"These settings can't be used (environment or .env):\n{lines}")
    return settings


SettingFaults = tuple[tuple[str, str], ...]
"""The name of each variable that can't be used, or `.env`, and why."""


def usable_settings() -> tuple[Settings, SettingFaults]:
    """The settings, with the defaults in place of values that can't be used, and the faults of those. Raises nothing."""
    file_faults: SettingFaults = ()
    variables: dict[str, str | None] = {}
    try:
        variables = _env_file()
    except SettingsError as error:
        file_faults = ((".env", str(error)),)
    settings, faults = _parse({**variables, **os.environ})
    return settings, (*file_faults, *faults)


def _parse(variables: Mapping[str, str | None]) -> tuple[Settings, SettingFaults]:
    values: dict[str, Any] = {}
    faults = []
    for name, (field, parser) in VARIABLES.items():
        value = variables.get(name)
        if not value:
            continue
        try:
            values[field] = parser.convert(value, None, None) if isinstance(parser, click.ParamType) else parser(value)
        except click.BadParameter as error:
            faults.append((name, _without_secrets(error.message, value)))
    return Settings(**values), tuple(faults)


_BASIC_INFORMATION = "https://api.slack.com/apps, your app, Basic Information"
NO_CRYPTOGRAPHY = (
    "many workspaces need the package cryptography: requirements.txt lists it, or pip install cryptography"
)
"""Why `bot.keys` can't be imported."""


def installing_faults(settings: Settings, mode: str | None = None) -> SettingFaults:
    """What keeps the app from being installed into many workspaces, by variable or option; nothing where it isn't to be.

    `mode`: the one that `serve` was told to use; None if it goes by the settings.
    """
    if not settings.installs:
        return ()
    faults = []
    if not settings.slack_client_id:
        faults.append(("SLACK_CLIENT_ID", f"not set, which many workspaces need; copy it from {_BASIC_INFORMATION}"))
    if settings.slack_client_secret is None:
        faults.append(
            ("SLACK_CLIENT_SECRET", f"not set, which many workspaces need; copy it from {_BASIC_INFORMATION}")
        )
    if settings.secret_key is None:
        faults.append(
            (
                "ASKPY_SECRET_KEY",
                f"not set, which many workspaces need; `{program()} keys new` makes one, to keep apart",
            )
        )
    if mode == "socket" or (mode is None and settings.slack_app_token is not None):
        name, remedy = ("--socket", "leave it out") if mode else ("SLACK_APP_TOKEN", "take it out")
        faults.append(
            (
                name,
                f"Socket Mode is for one workspace, and many of them need HTTP; {remedy}, and set SLACK_SIGNING_SECRET",
            )
        )
    if settings.slack_bot_token is not None:
        faults.append(
            (
                "SLACK_BOT_TOKEN",
                "with many workspaces each has a token of its own, and this one is used for nothing; take it out",
            )
        )
    for name, ids, form in (
        ("ASKPY_CURATORS", settings.curators, "T…:U…"),
        ("ASKPY_HELP_CHANNEL", settings.help_channels, "T…:C…"),
    ):
        if bare := [each for each in ids if ":" not in each]:
            remedy = f"with many workspaces write its workspace before each, {form}"
            faults.append((name, f"{', '.join(bare)} {'is' if len(bare) == 1 else 'are'} of no workspace; {remedy}"))
    return tuple(faults)


def require_installing(settings: Settings, mode: str | None = None) -> None:
    """Raise SettingsError that names all of `installing_faults`, if there are any."""
    if faults := installing_faults(settings, mode):
        lines = "\n".join(f"{name}: {fault}." for name, fault in faults)
        raise SettingsError(
            f"To be installed into many workspaces these are in the way (environment or .env):\n{lines}"
        )


def address_fault(url: str) -> str:
    """Why the value of SLACK_API_URL can't be used, without quoting it; empty if it can."""
    if "@" in url:
        return "it names a user or a password, which can't be sent beside the token; leave them out"
    try:
        has_host = bool(urlsplit(url).hostname) and urlsplit(url).port != 0
    except ValueError:  # a malformed IPv6 address, or a port that is no number
        has_host = False
    if not has_host or not re.fullmatch(r"https?://[^\s/?#]+(?:/[^\s?#]*)?", url):
        return "not a web address; leave it out, or write https://slack.com/api/"
    return ""


# --- values that must not be shown

HIDDEN = "a value that looks like a secret"
"""Shown in place of such a value."""
_TOKEN = re.compile(r"(?:xox[a-z]|xapp)[.-](?=[\w.%-]*\w)[\w.%-]+", re.IGNORECASE)
_LOGIN = re.compile(r"(?<=://)(?!user:password@[^\s@]*(?:\s|$))\S*@")
"""User name and password of an address: a password may have an @, and by mistake a / # or ? that isn't percent-encoded."""
_KEY = re.compile(r"(?=(?:.*\d){3})[\w+/=.:-]{20,}")
"""A key: long, in one piece, with some digits. So are Slack's signing secrets, 32 hexadecimal digits."""
_KEY_IN_TEXT = re.compile(r"(?<![A-Za-z0-9+=])(?=(?:[A-Za-z+=]*[0-9]){3})[A-Za-z0-9+=]{20,}")
"""A key within a text or a path. Hosts, versions and folders with a date have dots, hyphens or underscores, and stay."""


def hide_secrets(text: str) -> str:
    """A text without Slack's tokens, without keys, and without the user names and passwords of addresses."""
    return _KEY_IN_TEXT.sub(HIDDEN, _TOKEN.sub(HIDDEN, _LOGIN.sub("", text)))


def is_lone_secret(path: str) -> bool:
    """Whether a path is one name that looks like a token or a key, which stands in the wrong variable then."""
    return Path(path).name == path and hide_secrets(path) != path


def _looks_secret(value: str) -> bool:
    return hide_secrets(value) != value or _KEY.fullmatch(value) is not None


def _without_secrets(message: str, value: str) -> str:
    """A message about a variable's value, without quoting what looks like a secret: it may stand in the wrong variable."""
    for part in (value, *map(str.strip, value.split(","))):
        if _looks_secret(part):
            message = message.replace(repr(part), HIDDEN).replace(f"'{part}'", HIDDEN)
    return hide_secrets(message)


# --- variables that are no setting, and who can read the file

ENVIRONMENT_ONLY = ("SSL_CERT_FILE", "SSL_CERT_DIR", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY")
"""Variables that Python reads from the environment itself: in a `.env` that AskPy reads they do nothing. What docker, compose or
systemd read from such a file is the environment."""

PREFIX = "ASKPY_"
MIN_SIMILARITY, MIN_SIMILARITY_WITHOUT_PREFIX = 0.6, 0.82
"""difflib's ratio from which a name is taken for a misspelt setting: with our prefix, and any other. EXPORT is no PORT."""


@dataclass(frozen=True, slots=True)
class UnknownVariable:
    """A variable that is no setting, and the sentence about it.

    `is_certain`: it can only have been meant as a setting; the others may be meant for another program.
    """

    text: str
    is_certain: bool


def unknown_variables() -> tuple[UnknownVariable, ...]:
    """Variables of `.env` and the environment that are spelt like settings and are none. Raises SettingsError as for `.env`."""
    file = _env_file()
    names = {*file, *os.environ}
    unknown = [_unknown_variable(name, value, ".env") for name, value in file.items()]
    unknown += [_unknown_variable(name, value, "the environment", names) for name, value in os.environ.items()]
    return tuple(dict.fromkeys(filter(None, unknown)))


def _unknown_variable(
    name: str, value: str | None, source: str, others: Collection[str] = ()
) -> UnknownVariable | None:
    """What to say about a variable; None if it is a setting or none of ours.

    In `.env` every name is meant for us. In the environment, a name similar to a setting that is among `others` is not.
    """
    if name in VARIABLES or not value or _is_set_by_host(name, value):
        return None
    text = hide_secrets(f"{name} in {source} is no setting and does nothing")
    has_prefix = name.upper().startswith(PREFIX)
    if not has_prefix and source != ".env" and not name.upper().startswith("SLACK_"):
        return None
    if has_prefix:
        similar = _most_similar(name, MIN_SIMILARITY, PREFIX)
        remedy = f"did you mean {similar}?" if similar else "README.md lists all settings"
        return UnknownVariable(f"{text}; {remedy}", True)
    similar = _most_similar(name, MIN_SIMILARITY_WITHOUT_PREFIX, "")
    if not similar or similar in others:
        return None
    return UnknownVariable(f"{text}; did you mean {similar}?", source == ".env")


def _most_similar(name: str, min_similarity: float, prefix: str) -> str:
    """The setting whose name is most similar, without regard to case and underscores; empty if none is similar enough."""
    settings = {_letters(setting.removeprefix(prefix)): setting for setting in VARIABLES}
    similar = get_close_matches(_letters(name.upper().removeprefix(prefix)), settings, n=1, cutoff=min_similarity)
    return settings[similar[0]] if similar else ""


def ineffective_variables() -> tuple[str, ...]:
    """Names in `.env` of variables that only the environment can set. Raises SettingsError as for `.env`."""
    return tuple(name for name in _env_file() if name.upper() in ENVIRONMENT_ONLY and name not in os.environ)


def _letters(name: str) -> str:
    return name.upper().replace("_", "")


def env_file_advice() -> str:
    """How to protect a `.env` with a secret that other users of this machine can read; empty if they can't."""
    path = Path(".env")
    secrets = [name for name, value in _env_file().items() if value and VARIABLES.get(name, ("", None))[1] is Secret]
    if not secrets or os.name == "nt" or not path.stat().st_mode & 0o077:
        return ""
    return f"{', '.join(secrets)}: other users of this machine can read it; chmod 600 .env"


def _is_set_by_host(name: str, value: str) -> bool:
    """Whether a variable is for the tests, or one of those that Kubernetes sets for services called askpy and askpy-web."""
    match = re.match(r"ASKPY_(?:TEST_|(?:\w+_)?(?:SERVICE_(?:HOST|PORT)|PORT_\d+_))", name)
    return match is not None or value.startswith(("tcp://", "udp://"))


def _env_file() -> dict[str, str | None]:
    """The variables of `.env` in the working directory; empty where there is none."""
    return read_env_file(Path(".env"))


def read_env_file(path: Path) -> dict[str, str | None]:
    """The variables of a file, empty where there is none. Raises SettingsError that names the line which can't be read.

    It uses python-dotenv's parser and not its `dotenv_values`, which only logs a line that it can't read.
    """
    try:
        if not (path.is_file() or path.is_fifo()):
            return {}
        from dotenv.parser import parse_stream  # noqa: PLC0415  most starts have no such file

        with path.open(encoding="utf-8-sig") as stream:
            bindings = list(parse_stream(stream))
    except (OSError, UnicodeDecodeError) as error:
        text = f"The file {path} can't be read ({error}). Save it as UTF-8 that you may read, or move it away."
        raise SettingsError(text) from None
    for binding in bindings:
        if binding.error:
            text = binding.original.string
            line = binding.original.line + text[: len(text) - len(text.lstrip())].count("\n")
            remedy = "Correct it, quotes included, or put a # before it."
            raise SettingsError(f"The file {path}, line {line}: not of the form NAME=value. {remedy}")
    return {binding.key: binding.value for binding in bindings if binding.key is not None}


def _user_folder(variable: str, fallback: str, setting: str) -> Path:
    """Our folder in the XDG folder `variable`, else in `fallback` of the home folder; `setting` could be set instead."""
    base = os.environ.get(variable)
    try:
        return (Path(base) if base else Path.home() / fallback) / "askpy"
    except RuntimeError:
        raise SettingsError(f"{setting}: not set, and this user has no home folder to use instead. Set it.") from None
