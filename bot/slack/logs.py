"""The log: what one line looks like. Ids, kinds and numbers only: no caller logs what people wrote, or a token."""

from __future__ import annotations

import json
import logging
import sys
import time
from typing import Any

from bot.settings import Settings
from bot.slack.trace import frames


def log_to_stderr(settings: Settings) -> None:
    """Log in the form that is set."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Json() if settings.log_format == "json" else Console())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("bot").setLevel(settings.log_level.upper())


class Console(logging.Formatter):
    """Time, level, name and words, then the fields as name=value. Of an exception: where and of what type, never its message."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s: %(message)s", "%H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        told = " ".join(f"{name}={_shown(value)}" for name, value in _fields(record).items())
        line = super().format(record)
        return f"{line} {told}" if told else line

    def formatException(self, info: Any) -> str:  # noqa: N802  logging's name
        return frames(info[1]) if info[1] is not None else ""


class Json(Console):
    """One JSON object a line; the fields are its own."""

    def format(self, record: logging.LogRecord) -> str:
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z"
        line = {"time": at, "level": record.levelname.lower(), "logger": record.name, "message": record.getMessage()}
        line |= _fields(record)
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    """What a line tells beside its message, given as `extra={"fields": …}`."""
    found: dict[str, Any] = getattr(record, "fields", {})
    return found


def _shown(value: Any) -> str:
    """A value in one word, quoted where it would be several."""
    told = ",".join(map(str, value)) if isinstance(value, list) else str(value)
    return told if told.isprintable() and told and " " not in told else json.dumps(told)
