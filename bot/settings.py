"""Settings: read once from the environment and a `.env` file, by pydantic-settings; real variables win."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.model import AskPyError

PACKAGED_PACK = Path(__file__).with_name("pack")
"""The pack inside an installed wheel; in a checkout the pack is `./knowledge`."""


class SettingsError(AskPyError):
    """A variable whose value can't be used."""


class Settings(BaseSettings):
    """What the operator has set. Credentials are secrets: they don't show in a repr or a log."""

    model_config = SettingsConfigDict(env_file=".env", env_file_encoding="utf-8", extra="ignore", env_ignore_empty=True)

    slack_bot_token: SecretStr | None = None
    slack_app_token: SecretStr | None = None
    slack_signing_secret: SecretStr | None = None
    slack_api_url: str = "https://slack.com/api/"
    port: int | None = Field(default=None, ge=0, le=65535)
    database_url: SecretStr | None = None
    knowledge: Path | None = Field(default=None, validation_alias="ASKPY_KNOWLEDGE")
    cache: Path | None = Field(default=None, validation_alias="ASKPY_CACHE")
    cards: Literal["auto", "classic"] = Field(default="auto", validation_alias="ASKPY_CARDS")
    curators: str = Field(default="", validation_alias="ASKPY_CURATORS")
    retention_days: int = Field(default=90, ge=1, validation_alias="ASKPY_RETENTION_DAYS")
    log_format: Literal["console", "json"] = Field(default="console", validation_alias="ASKPY_LOG_FORMAT")
    log_level: Literal["debug", "info", "warning", "error"] = Field(default="info", validation_alias="ASKPY_LOG_LEVEL")

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
        return self.cache if self.cache is not None else _user_folder("XDG_CACHE_HOME", ".cache")

    @property
    def database(self) -> str:
        """A SQLAlchemy URL: the one that is set, else a SQLite file in the user's data folder."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite:///{_user_folder('XDG_DATA_HOME', '.local/share') / 'askpy.db'}"


def read_settings() -> Settings:
    """The settings; raises SettingsError that names every variable it can't use."""
    try:
        return Settings()
    except ValidationError as error:
        faults = []
        for detail in error.errors():
            name = str(detail["loc"][0]).upper()
            faults.append(f"{name}: {detail['msg'].removeprefix('Value error, ')}; it is {detail['input']!r}")
        raise SettingsError("These settings can't be used (environment or .env):\n" + "\n".join(faults)) from None


def _checkout() -> Path:
    return Path(__file__).parent.parent / "knowledge"


def _user_folder(variable: str, fallback: str) -> Path:
    base = os.environ.get(variable)
    return (Path(base) if base else Path.home() / fallback) / "askpy"
