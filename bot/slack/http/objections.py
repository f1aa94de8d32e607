"""What is refused before Bolt sees it: the signature comes first, and what is signed is met before it gets there."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from urllib.parse import parse_qsl
from wsgiref.types import WSGIEnvironment

from bot.slack.shape import sensible

Signed = Callable[[bytes, str, str], bool]
"""Whether Slack has signed a body, by its time and its signature."""
LARGEST_BODY = 1_000_000
"""Bytes. Slack's largest payloads, views with all their blocks, end at a quarter of that."""
TYPES = frozenset({"application/json", "application/x-www-form-urlencoded"})

_TIMESTAMP = re.compile(r"[0-9]{1,15}", re.ASCII)


def objection(environ: WSGIEnvironment, signed: Signed) -> int:
    """The status that a request deserves before Bolt sees it, or 0. The body is left to be read again.

    Whatever isn't `signed` by Slack is not parsed: a megabyte of it would take half a second.
    """
    length = str(environ.get("CONTENT_LENGTH") or "0")
    if not _TIMESTAMP.fullmatch(length):
        return 400
    if int(length) > LARGEST_BODY:
        return 413
    kind = str(environ.get("CONTENT_TYPE", "")).partition(";")[0].strip().lower()
    if kind not in TYPES:
        return 415
    stamp, signature = environ.get("HTTP_X_SLACK_REQUEST_TIMESTAMP", "0"), environ.get("HTTP_X_SLACK_SIGNATURE", "")
    if not _TIMESTAMP.fullmatch(stamp) or not signature.isascii():
        return 400
    raw = environ["wsgi.input"].read(int(length))
    try:
        if not signed(raw, stamp, signature):
            return 401
    except UnicodeDecodeError:
        return 400
    environ["wsgi.input"] = _Read(raw)
    return 0 if _sensible(raw, kind) else 400


class _Read:
    """A body that has been read already."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw

    def read(self, _: int = -1) -> bytes:
        return self._raw


def _sensible(raw: bytes, kind: str) -> bool:
    """Whether a body has a form that Slack sends."""
    try:
        text = raw.decode("utf-8")
        if kind == "application/json" or text.startswith("{"):
            return sensible(json.loads(text))
        fields = dict(parse_qsl(text, keep_blank_values=True))
        if "payload" in fields:
            return sensible(json.loads(fields["payload"]))
        return sensible(fields)
    except (ValueError, RecursionError):
        return False
