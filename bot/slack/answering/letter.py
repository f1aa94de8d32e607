"""Letters: what is to be said, before it is known how."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bot.model import Reply
from bot.reply import plain
from bot.slack.blocks import Layout, escape
from bot.slack.journal import Course
from bot.slack.limits import Block, cut, size
from bot.slack.post import Request, message_id, nothing

ESCAPED_TEXT = 4_000
"""Units of `text` once its entities are escaped; Slack splits a message at 4,041."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What is to be said. `key` names it, `given_up` runs if it has surely not arrived, and `settled` when nothing more is
    done about it, or Slack has said for how long."""

    text: str
    draw: Callable[[Layout], list[Block]]
    key: str
    given_up: Callable[[], None] = nothing
    settled: Callable[[], None] = nothing
    course: Course | None = None


def fallback(reply: Reply, note: str = "") -> str:
    """The whole reply for `text`, in which Slack reads entities but finds none; and a note below it."""
    told, room = plain(reply), ESCAPED_TEXT - (size(escape(note)) + 2 if note else 0)
    while size(escape(told)) > room:
        told = cut(told, size(told) - 100)
    return escape(f"{told}\n\n{note}" if note else told)


def message(text: str, blocks: list[Block], key: str) -> dict[str, Any]:
    """The arguments that every message has."""
    return {
        "text": text,
        **({"blocks": blocks} if blocks else {}),
        "mrkdwn": False,
        "unfurl_links": False,
        "unfurl_media": False,
        "client_msg_id": message_id(key),
    }


def whisper(url: str, text: str, blocks: list[Block], key: str, replaces: bool = False) -> Request:
    """A message that one person reads, by way of a response_url."""
    private = {"response_type": "ephemeral", "replace_original": replaces}
    return Request(url=url, args=message(text, blocks, key) | private)
