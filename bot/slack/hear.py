"""From a payload to what was asked and where the answer belongs: pure functions over Slack's dictionaries."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.model import Question, Surface

Payload = Mapping[str, Any]

ORDINARY = (None, "file_share", "thread_broadcast")
"""The subtypes of messages that people write to us; all others tell of something that happened."""
SLACKBOT = "USLACKBOT"


@dataclass(frozen=True, slots=True)
class Posted:
    """A message that all may read: in the thread, or flat where there is none.

    `url` is a response_url, where there is one: by it the asker can be told what could not be posted.
    """

    channel: str
    thread: str
    asker: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Whispered:
    """Only the asker reads it, by way of a response_url."""

    url: str


@dataclass(frozen=True, slots=True)
class Opened:
    """A new modal."""

    trigger: str


@dataclass(frozen=True, slots=True)
class Replaced:
    """The modal that the button was in."""

    view: str


Place = Posted | Whispered | Opened | Replaced


@dataclass(frozen=True, slots=True)
class Heard:
    """What was asked, where the answer goes, and a key that names the asking: the same one for each delivery of it."""

    question: Question
    place: Place
    key: str


@dataclass(frozen=True, slots=True)
class Pressed:
    """The share button under a private answer. `key` names that answer."""

    question: Question
    url: str
    user: str
    key: str


def mention(body: Payload, me: str) -> Heard | None:
    """An app_mention; None if it isn't to be answered. A direct message comes as an event of its own."""
    event = _event(body)
    if not _ordinary(event, me) or event["channel"].startswith("D"):
        return None
    thread = _id(event, "thread_ts") or event["ts"]
    return _message(body, event, me, thread, "mention")


def direct_message(body: Payload, me: str) -> Heard | None:
    """A message; None unless somebody wrote it to us directly."""
    event = _event(body)
    if not _ordinary(event, me):
        return None
    kind = _id(event, "channel_type") or ("im" if event["channel"].startswith("D") else "")
    if kind != "im":
        return None
    return _message(body, event, me, _id(event, "thread_ts"), "dm")


def command(body: Payload) -> Heard | None:
    """A slash command: a private answer."""
    if not _id(body, "response_url"):
        return None
    team, channel, user = _id(body, "team_id"), _id(body, "channel_id"), _id(body, "user_id")
    question = Question(_id(body, "text"), "command", _key(team, channel, "command", user))
    return Heard(question, Whispered(_id(body, "response_url")), _key(team, channel, user, _id(body, "trigger_id")))


def shortcut(body: Payload) -> Heard | None:
    """The message shortcut: the answer to a message, in a modal."""
    if not _id(body, "trigger_id"):
        return None
    key = _key(_id(_part(body, "team"), "id"), _id(_part(body, "user"), "id"), _id(body, "trigger_id"))
    question = Question(_id(_part(body, "message"), "text"), "shortcut")
    return Heard(question, Opened(_id(body, "trigger_id")), key)


def press(body: Payload) -> Heard | None:
    """A button or menu that asks: answered where it was pressed."""
    action, asked = _action(body)
    team, user = _id(_part(body, "team"), "id"), _id(_part(body, "user"), "id")
    container, channel = _part(body, "container"), _id(_part(body, "channel"), "id")
    channel = channel or _id(container, "channel_id")
    stamp = _id(container, "message_ts") or _id(_part(body, "view"), "id")
    key = _key(team, channel, stamp, user, _id(action, "action_ts"), _id(action, "action_id"))
    place = _place(body, container, channel, user)
    if not asked or place is None:
        return None
    match place:
        case Posted(thread=thread):
            surface: Surface = "dm" if channel.startswith("D") else "mention"
            return Heard(Question(asked, surface, _key(team, channel, thread, user)), place, key)
        case Whispered():
            return Heard(Question(asked, "command", _key(team, channel, "command", user)), place, key)
        case Opened() | Replaced():
            return Heard(Question(asked, "home", _key(team, "view", user)), place, key)


def share(body: Payload) -> Pressed | None:
    """The share button."""
    _, asked = _action(body)
    url = _id(body, "response_url")
    if not url:
        return None
    team, user = _id(_part(body, "team"), "id"), _id(_part(body, "user"), "id")
    container = _part(body, "container")
    channel = _id(_part(body, "channel"), "id") or _id(container, "channel_id")
    question = Question(asked.strip(), "command", _key(team, channel, "command", user))
    return Pressed(question, url, user, _key("share", team, channel, _id(container, "message_ts")))


def visitor(body: Payload) -> str:
    """Who opened the Home tab; nobody if it was another tab."""
    event = _event(body)
    return _id(event, "user") if (_id(event, "tab") or "home") == "home" else ""


def place_of(body: Payload, me: str) -> Place | None:
    """Where an apology belongs, whatever the payload is."""
    heard: Heard | None = None
    if _id(_event(body), "type") == "app_mention":
        heard = mention(body, me)
    elif _event(body):
        heard = direct_message(body, me)
    elif _id(body, "response_url"):
        return Whispered(_id(body, "response_url"))
    elif _part(body, "view") or _id(body, "trigger_id"):
        return _place(body, _part(body, "container"), "", "") or Opened(_id(body, "trigger_id"))
    return heard.place if heard else None


# --- parts of payloads


def _message(body: Payload, event: Payload, me: str, thread: str, surface: Surface) -> Heard:
    team = _id(body, "team_id") or _id(event, "team")
    text = re.sub(rf"<@{re.escape(me)}(?:\|[^>]*)?>", " ", _id(event, "text")).strip() if me else _id(event, "text")
    question = Question(text, surface, _key(team, event["channel"], thread, event["user"]))
    return Heard(question, Posted(event["channel"], thread, event["user"]), _key(team, event["channel"], event["ts"]))


def _ordinary(event: Payload, me: str) -> bool:
    """Whether a person has just written this: no bot, not ourselves, no edit, no notice of something."""
    written = all(_id(event, key) for key in ("channel", "user", "ts"))
    marked = any(event.get(key) for key in ("bot_id", "bot_profile", "edited", "hidden"))
    return written and not marked and event.get("subtype") in ORDINARY and event["user"] not in {me, SLACKBOT}


def _place(body: Payload, container: Payload, channel: str, user: str) -> Place | None:
    view = _part(body, "view")
    if view or _id(container, "type") == "view":
        if _id(view, "type") == "modal" and _id(view, "id"):
            return Replaced(_id(view, "id"))
        return Opened(_id(body, "trigger_id")) if _id(body, "trigger_id") else None
    message = _part(body, "message")
    ephemeral = container.get("is_ephemeral") or message.get("is_ephemeral")
    if ephemeral or not channel:
        return Whispered(_id(body, "response_url")) if _id(body, "response_url") else None
    thread = _id(message, "thread_ts") or _id(container, "thread_ts")
    stamp = _id(message, "ts") or _id(container, "message_ts")
    flat = channel.startswith("D")
    return Posted(channel, thread or ("" if flat else stamp), user, _id(body, "response_url"))


def _action(body: Payload) -> tuple[Payload, str]:
    """The first action, and the question it carries."""
    actions = body.get("actions")
    action = actions[0] if isinstance(actions, list) and actions and isinstance(actions[0], dict) else {}
    return action, _id(action, "value") or _id(_part(action, "selected_option"), "value")


def _event(body: Payload) -> Payload:
    return _part(body, "event")


def _part(body: Payload, key: str) -> Payload:
    found = body.get(key)
    return found if isinstance(found, dict) else {}


def _id(body: Payload, key: str) -> str:
    found = body.get(key)
    return found if isinstance(found, str) else ""


def _key(*parts: str) -> str:
    return ":".join(parts)
