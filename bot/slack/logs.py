"""The log: what one line looks like. Ids, kinds and numbers only: no caller logs what people wrote, or a token."""

from __future__ import annotations

import json
import logging
import sys
import time
import traceback
from typing import Any

from bot.settings import Settings


def log_to_stderr(settings: Settings) -> None:
    """Log in the form that is set."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Json() if settings.log_format == "json" else Console())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("bot").setLevel(settings.log_level.upper())


def format_without_message(error: BaseException) -> str:
    """The traceback of an exception, the first cause first, without any message: those may quote what people wrote."""
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    kind = type(error)
    own = ["Traceback (most recent call last):\n", *traceback.format_tb(error.__traceback__)]
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    return (format_without_message(before) + "\n\n" if before is not None else "") + "".join(own) + name


class Console(logging.Formatter):
    """Time, level, name and words, then the fields as name=value. Of an exception: where and of what type, never its message."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s: %(message)s", "%H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        told = " ".join(f"{name}={_shown(value)}" for name, value in _fields(record).items())
        line = super().format(record)
        return f"{line} {told}" if told else line

    def formatException(self, info: Any) -> str:  # noqa: N802  logging's name
        return format_without_message(info[1]) if info[1] is not None else ""


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
