"""The format of log lines. They hold ids, kinds and numbers only: no caller logs what people wrote, or a token."""

from __future__ import annotations

import json
import logging
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bot.model import AskPyError
from bot.settings import Settings, hide_secrets


def log_to_stderr(settings: Settings, worker: int = 0) -> None:
    """Log in the format of the settings; each line names the worker, if there are several."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Json(worker) if settings.log_format == "json" else Console(worker))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("bot").setLevel(settings.log_level.upper())


@contextmanager
def log_failure(settings: Settings) -> Iterator[None]:
    """With ASKPY_LOG_FORMAT=json, log why serving isn't possible, and exit with 2: whoever reads JSON would miss a sentence."""
    try:
        yield
    except AskPyError as error:
        if settings.log_format != "json":
            raise
        log_to_stderr(settings)
        logging.getLogger("bot").critical("%s", hide_secrets(str(error)))
        raise SystemExit(2) from None


def format_without_message(error: BaseException) -> str:
    """The traceback of an exception, its causes first, without messages: those may quote what people wrote."""
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    kind = type(error)
    lines = ["Traceback (most recent call last):\n", *traceback.format_tb(error.__traceback__)]
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    return (format_without_message(cause) + "\n\n" if cause is not None else "") + "".join(lines) + name


class Console(logging.Formatter):
    """Time, level, logger and message, then the fields as name=value. An exception without its message."""

    def __init__(self, worker: int = 0) -> None:
        name = f"worker {worker} " if worker else ""
        super().__init__(f"%(asctime)s %(levelname)-7s {name}%(name)s: %(message)s", "%H:%M:%S")
        self._worker = worker

    def format(self, record: logging.LogRecord) -> str:
        text = " ".join(f"{name}={_quoted(value)}" for name, value in _fields(record).items())
        line = super().format(record)
        return f"{line} {text}" if text else line

    def formatException(self, info: Any) -> str:  # noqa: N802  logging's name
        return format_without_message(info[1]) if info[1] is not None else ""


class Json(Console):
    """One JSON object a line, with the fields as its keys."""

    def format(self, record: logging.LogRecord) -> str:
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z"
        line: dict[str, Any] = {
            "time": at,
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if self._worker:
            line["worker"] = self._worker
        line |= _fields(record)
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    """The fields of a log call, given as `extra={"fields": …}`."""
    fields: dict[str, Any] = getattr(record, "fields", {})
    return fields


def _quoted(value: Any) -> str:
    """A value as one word; in quotation marks if it has spaces."""
    text = ",".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if text.isprintable() and text and " " not in text else json.dumps(text)
