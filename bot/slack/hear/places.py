"""Places: where an answer, or a private word about one, belongs."""

from __future__ import annotations

from dataclasses import dataclass

from bot.slack.hear.payload import Payload, action_of, channel_of, is_private, part, stamp_of, string, thread_of, url_of
from bot.slack.values import Modal

NEW = Modal()
"""A modal that remembers nothing yet."""


@dataclass(frozen=True, slots=True)
class Posted:
    """A message that all may read: in the thread, or flat where there is none. `begins`: the thread is a new one.

    `url` is a response_url, where there is one: by it the asker can be told what could not be posted.
    """

    channel: str
    thread: str
    asker: str
    url: str = ""
    begins: bool = False


@dataclass(frozen=True, slots=True)
class Whispered:
    """Only the asker reads it, by way of a response_url."""

    url: str


@dataclass(frozen=True, slots=True)
class Opened:
    """A new modal, and what it will remember."""

    trigger: str
    modal: Modal = NEW


@dataclass(frozen=True, slots=True)
class Replaced:
    """The modal that the button was in, and what it will remember."""

    view: str
    modal: Modal = NEW


@dataclass(frozen=True, slots=True)
class Beside:
    """Only who pressed reads it, beside the message; `instead` of it where it was a private one of ours."""

    channel: str
    thread: str
    user: str
    url: str
    instead: bool = False


Place = Posted | Whispered | Opened | Replaced | Beside


def pressed_at(body: Payload) -> Place | None:
    """Where the answer to a press belongs."""
    view, container, message = part(body, "view"), part(body, "container"), part(body, "message")
    channel, user = channel_of(body), string(part(body, "user"), "id")
    if view or string(container, "type") == "view":
        modal = Modal.read(string(view, "private_metadata"))
        if string(view, "type") == "modal" and string(view, "id"):
            return Replaced(string(view, "id"), modal)
        return Opened(string(body, "trigger_id")) if string(body, "trigger_id") else None
    if is_private(body) or not channel:
        return Whispered(string(body, "response_url")) if string(body, "response_url") else None
    flat = channel.startswith("D")
    thread = thread_of(body) or ("" if flat else string(message, "ts") or stamp_of(body))
    return Posted(channel, thread, user, url_of(body))


def near(body: Payload, ours: bool = False) -> Place | None:
    """Where a private word about an answer belongs: in the same modal, or beside the message; `ours`: instead of it,
    where it was private itself and asked for nothing else."""
    place = pressed_at(body)
    if not isinstance(place, (Posted, Whispered)):
        return place
    action, _ = action_of(body)
    instead = ours and is_private(body) and string(action, "action_id") not in ("vote", "vote:good", "vote:bad")
    return Beside(channel_of(body), thread_of(body), string(part(body, "user"), "id"), url_of(body), instead)
