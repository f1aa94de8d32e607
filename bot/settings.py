"""Settings: read once from the environment and a `.env` file; real variables win. An empty one counts as not set."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

import click

from bot.model import AskPyError

PACKAGED_PACK = Path(__file__).with_name("pack")
"""The pack inside an installed wheel; in a checkout the pack is `./knowledge`."""


class SettingsError(AskPyError):
    """A variable whose value can't be used."""


class Secret:
    """A value that shows neither in a repr nor in a log."""

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
    """What the operator has set."""

    slack_bot_token: Secret | None = None
    slack_app_token: Secret | None = None
    slack_signing_secret: Secret | None = None
    slack_api_url: str = "https://slack.com/api/"
    port: int | None = None
    database_url: Secret | None = None
    knowledge: Path | None = None
    cache: Path | None = None
    cards: Literal["auto", "classic"] = "auto"
    curators: tuple[str, ...] = ()
    retention_days: int = 90
    log_format: Literal["console", "json"] = "console"
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @property
    def has_slack(self) -> bool:
        """Whether any Slack credential is set."""
        return any((self.slack_bot_token, self.slack_app_token, self.slack_signing_secret))

    @property
    def pack(self) -> Path:
        """The folder of the knowledge pack: the one that is set, else ./knowledge, else the one in the package."""
        if self.knowledge is not None:
            return self.knowledge
        here = Path("knowledge")
        return here if (here / "pack.yaml").is_file() else PACKAGED_PACK if PACKAGED_PACK.is_dir() else _checkout()

    @property
    def cache_folder(self) -> Path:
        """Where indexes are kept between starts."""
        return self.cache if self.cache is not None else _user_folder("XDG_CACHE_HOME", ".cache", "ASKPY_CACHE")

    @property
    def database(self) -> str:
        """A SQLAlchemy URL: the one that is set, else a SQLite file in the user's data folder."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite:///{_user_folder('XDG_DATA_HOME', '.local/share', 'DATABASE_URL') / 'askpy.db'}"


def _whole(least: int, most: int) -> Callable[[str], int]:
    """What reads a whole number between two."""

    def read(value: str) -> int:
        if value.strip().isdecimal() and least <= (number := int(value)) <= most:
            return number
        raise click.BadParameter(f"'{value}' is not a whole number from {least} to {most}.")

    return read


def _people(value: str) -> tuple[str, ...]:
    """Ids of people, with or without their workspace's, in the order given."""
    named = tuple(dict.fromkeys(each.strip() for each in value.split(",") if each.strip()))
    for each in named:
        if not re.fullmatch(r"(?:[TE][A-Z0-9]+:)?[UW][A-Z0-9]+", each):
            raise click.BadParameter(
                f"'{each}' is not a person's id: it can be U… or T…:U…, with commas between. "
                "Slack shows it in a profile's menu, as Copy member ID."
            )
    return named


VARIABLES: dict[str, tuple[str, click.ParamType[Any] | Callable[[str], object]]] = {
    "SLACK_BOT_TOKEN": ("slack_bot_token", Secret),
    "SLACK_APP_TOKEN": ("slack_app_token", Secret),
    "SLACK_SIGNING_SECRET": ("slack_signing_secret", Secret),
    "SLACK_API_URL": ("slack_api_url", str),
    "PORT": ("port", _whole(0, 65535)),
    "DATABASE_URL": ("database_url", Secret),
    "ASKPY_KNOWLEDGE": ("knowledge", Path),
    "ASKPY_CACHE": ("cache", Path),
    "ASKPY_CARDS": ("cards", click.Choice(["auto", "classic"], case_sensitive=False)),
    "ASKPY_CURATORS": ("curators", _people),
    "ASKPY_RETENTION_DAYS": ("retention_days", _whole(1, 36500)),
    "ASKPY_LOG_FORMAT": ("log_format", click.Choice(["console", "json"], case_sensitive=False)),
    "ASKPY_LOG_LEVEL": ("log_level", click.Choice(["debug", "info", "warning", "error"], case_sensitive=False)),
}
"""Of each variable: the field, and what reads it. click's types: `ask` has its answer before pydantic were imported."""


def read_settings() -> Settings:
    """The settings; raises SettingsError that names every variable it can't use."""
    settings, faults = _settings({**_file(), **os.environ})
    if faults:
        told = "\n".join(f"{name}: {fault}" for name, fault in faults)
        raise SettingsError(f"These settings can't be used (environment or .env):\n{told}")
    return settings


Faults = tuple[tuple[str, str], ...]
"""Of each variable that can't be used: its name, or `.env`, and why."""


def usable_settings() -> tuple[Settings, Faults]:
    """The settings without what can't be used, for whoever looks at all of it; and what that is."""
    faults: Faults = ()
    given: dict[str, str | None] = {}
    try:
        given = _file()
    except SettingsError as error:
        faults = ((".env", str(error)),)
    settings, more = _settings({**given, **os.environ})
    return settings, (*faults, *more)


def _settings(given: Mapping[str, str | None]) -> tuple[Settings, Faults]:
    values: dict[str, Any] = {}
    faults = []
    for name, (field, kind) in VARIABLES.items():
        value = given.get(name)
        if not value:
            continue
        try:
            values[field] = kind.convert(value, None, None) if isinstance(kind, click.ParamType) else kind(value)
        except click.BadParameter as error:
            faults.append((name, error.message))
    return Settings(**values), tuple(faults)


# --- what is set in vain, and what others may read

OURS = "ASKPY_"
NEAR, NEARER = 0.6, 0.82
"""How alike a name must be to one of ours (difflib's ratio): one that can be nothing else, and any other. EXPORT is no PORT."""


@dataclass(frozen=True, slots=True)
class Stray:
    """A variable that is no setting. `certain`: it was meant as one, where another program may want the others."""

    text: str
    certain: bool


def strays() -> tuple[Stray, ...]:
    """Variables that are called like settings and are none, each with the nearest that is one."""
    file = _file()
    found = [_stray(name, value, ".env") for name, value in file.items()]
    set_ = {*file, *os.environ}
    found += [_stray(name, value, "the environment", set_) for name, value in os.environ.items()]
    return tuple(dict.fromkeys(filter(None, found)))


def _stray(name: str, value: str | None, where: str, taken: Collection[str] = ()) -> Stray | None:
    """What there is to say of a name. The file is ours; in the environment, one like a setting in `taken` is another's."""
    if name in VARIABLES or not value or _is_a_hosts(name, value):
        return None
    vain = f"{name} in {where} is no setting and does nothing"
    ours = name.upper().startswith(OURS)
    if not ours and where != ".env" and not name.upper().startswith("SLACK_"):
        return None
    near = _nearest(name, NEAR if ours else NEARER, OURS if ours else "")
    if ours:
        return Stray(f"{vain}; " + (f"did you mean {near}?" if near else "README.md lists all settings"), True)
    return Stray(f"{vain}; did you mean {near}?", where == ".env") if near and near not in taken else None


def _nearest(name: str, least: float, prefix: str) -> str:
    """The setting that a name is most like, whatever its case and underscores; empty if it is like none."""
    known = {_bare(each.removeprefix(prefix)): each for each in VARIABLES}
    near = get_close_matches(_bare(name.upper().removeprefix(prefix)), known, n=1, cutoff=least)
    return known[near[0]] if near else ""


def _bare(name: str) -> str:
    return name.upper().replace("_", "")


def exposed() -> str:
    """What to do about a `.env` with a secret that other users of this machine can read; empty if none can."""
    path = Path(".env")
    secrets = [name for name, value in _file().items() if value and VARIABLES.get(name, ("", None))[1] is Secret]
    if not secrets or os.name == "nt" or not path.stat().st_mode & 0o077:
        return ""
    return f"{', '.join(secrets)}: other users of this machine can read it; chmod 600 .env"


def _is_a_hosts(name: str, value: str) -> bool:
    """Whether a variable is for the tests, or one of those that Kubernetes sets for services called askpy and askpy-web."""
    theirs = re.match(r"ASKPY_(?:TEST_|(?:\w+_)?(?:SERVICE_(?:HOST|PORT)|PORT_\d+_))", name)
    return theirs is not None or value.startswith(("tcp://", "udp://"))


def _file() -> dict[str, str | None]:
    """The variables of a `.env` file in the working directory; nothing where there is none."""
    return _variables(Path(".env"))


def _variables(path: Path) -> dict[str, str | None]:
    """The variables of a file; by the parser of python-dotenv, which on its own would only log a line that it can't read."""
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


def _checkout() -> Path:
    return Path(__file__).parent.parent / "knowledge"


def _user_folder(variable: str, fallback: str, instead: str) -> Path:
    base = os.environ.get(variable)
    try:
        return (Path(base) if base else Path.home() / fallback) / "askpy"
    except RuntimeError:
        raise SettingsError(f"{instead}: not set, and this user has no home folder to use instead. Set it.") from None
