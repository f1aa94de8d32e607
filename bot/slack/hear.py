"""From a payload to what was asked and where the answer belongs: pure functions over Slack's dictionaries."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.model import Question, Surface
from bot.slack.values import Asked, Ballot, Modal, Sheet

NEW = Modal()
"""A modal that remembers nothing yet."""

Payload = Mapping[str, Any]

ORDINARY = (None, "file_share", "thread_broadcast")
"""The subtypes of messages that people write to us; all others tell of something that happened."""
SLACKBOT = "USLACKBOT"


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


@dataclass(frozen=True, slots=True)
class Heard:
    """What was asked, where the answer goes, and a key that names the asking: the same one for each delivery of it.

    `asker` names the person: team and user. `typed`: in the person's own words, which a button's are not. `at`: when it was
    heard, by the monotonic clock.
    """

    question: Question
    place: Place
    key: str
    asker: str = ""
    channel: str = ""
    typed: bool = True
    at: float = field(default_factory=time.monotonic, compare=False)


@dataclass(frozen=True, slots=True)
class Pressed:
    """A button that does something with an answer. `key` names the press's message or modal."""

    asked: Asked
    place: Place
    user: str
    asker: str
    key: str
    url: str = ""

    @property
    def workspace(self) -> str:
        return workspace_of(self.asker)

    @property
    def question(self) -> Question:
        """What the answer was asked by."""
        return Question(self.asked.question, "command", workspace=self.workspace)


@dataclass(frozen=True, slots=True)
class Voted:
    """A vote, and where the thanks belong."""

    ballot: Ballot
    place: Place
    asker: str
    channel: str = ""


@dataclass(frozen=True, slots=True)
class Searched:
    """What was typed into a search. `block` is where a complaint about it belongs."""

    words: str
    modal: Modal
    asker: str
    block: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What a person pressed on the Home tab or in a curator's modal: `value` is what it carries, `page` the page of the
    Home tab that it belongs to, `view` the modal it stands in."""

    team: str
    user: str
    value: str = ""
    page: str = ""
    trigger: str = ""
    view: str = ""

    @property
    def by(self) -> str:
        """The person, with the workspace."""
        return _key(self.team, self.user)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """A form that was submitted: `values` by the names of its inputs, `first` the block that a complaint can stand at."""

    team: str
    user: str
    view: str
    name: str
    metadata: str
    values: Mapping[str, tuple[str, ...]]
    first: str

    def value(self, name: str) -> str:
        """What stands in an input; empty where there is none."""
        return next(iter(self.values.get(name, ())), "")

    def under(self, name: str) -> frozenset[str] | None:
        """What is ticked in all inputs of a name; None where there is no such input."""
        found = [values for key, values in self.values.items() if key.startswith(f"{name}:")]
        return frozenset(value for values in found for value in values) if found else None


def mention(body: Payload, me: str) -> Heard | None:
    """An app_mention; None if it isn't to be answered. A direct message comes as an event of its own."""
    event = _event(body)
    if not _ordinary(event, me) or event["channel"].startswith("D"):
        return None
    return _message(body, event, me, _id(event, "thread_ts") or event["ts"], "mention")


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
    question = Question(_id(body, "text"), "command", _key(team, channel, "command", user), team)
    key = _key(team, channel, user, _id(body, "trigger_id"))
    return Heard(question, Whispered(_id(body, "response_url")), key, _key(team, user), channel)


def shortcut(body: Payload) -> Heard | None:
    """The message shortcut: the answer to a message, in a modal that remembers where the message is."""
    if not _id(body, "trigger_id"):
        return None
    message, asker = _part(body, "message"), _asker(body)
    question = Question(_id(message, "text"), "shortcut", workspace=workspace_of(asker))
    stamp = _id(message, "thread_ts") or _id(message, "ts") or _id(body, "message_ts")
    modal = Modal((question.text,), channel=_id(_part(body, "channel"), "id"), thread=stamp)
    trigger = _id(body, "trigger_id")
    return Heard(question, Opened(trigger, modal), _key(asker, trigger), asker)


def press(body: Payload) -> Heard | None:
    """A button or menu that asks: answered where it was pressed."""
    action, asked = _action(body)
    team, user = _id(_part(body, "team"), "id"), _id(_part(body, "user"), "id")
    place, channel = _place(body), _channel(body)
    key = _key(team, channel, _stamp(body), user, _id(action, "action_ts"), _id(action, "action_id"))
    if not asked or place is None:
        return None
    match place:
        case Posted(thread=thread):
            surface: Surface = "dm" if channel.startswith("D") else "mention"
            question = Question(asked, surface, _key(team, channel, thread, user), team)
        case Whispered() | Beside():
            question = Question(asked, "command", _key(team, channel, "command", user), team)
        case Opened(trigger, modal):
            question, place = Question(asked, "home", workspace=team), Opened(trigger, modal.asking(asked))
        case Replaced(view, modal):
            question, place = Question(asked, "home", workspace=team), Replaced(view, modal.asking(asked))
    return Heard(question, place, key, _asker(body), channel, typed=False)


def pressed(body: Payload) -> Pressed | None:
    """The buttons under an answer that share it, explain it, or reply with it."""
    _, value = _action(body)
    place = _near(body)
    if place is None:
        return None
    key = _key(_id(_part(body, "team"), "id"), _channel(body), _stamp(body))
    user = _id(_part(body, "user"), "id")
    return Pressed(Asked.read(value), place, user, _asker(body), key, _id(body, "response_url"))


def vote(body: Payload) -> Voted | None:
    """The buttons that say whether an answer helped, and why it didn't."""
    _, value = _action(body)
    place, ballot = _near(body, ours=True), Ballot.read(value)
    return Voted(ballot, place, _asker(body), _channel(body)) if place is not None and ballot is not None else None


def back(body: Payload) -> tuple[Replaced | None, str]:
    """A modal's way back, and who goes it."""
    _, pages = _action(body)
    place = _place(body)
    if not isinstance(place, Replaced):
        return None, ""
    return Replaced(place.view, place.modal.back(int(pages) if pages in ("0", "1") else 1)), _asker(body)


def go(body: Payload) -> tuple[str, str]:
    """Who turns to which page of the Home tab."""
    return _id(_part(body, "user"), "id"), _action(body)[1]


def search(body: Payload) -> Opened | None:
    """The button that opens the search."""
    trigger = _id(body, "trigger_id")
    return Opened(trigger, Modal(search=True)) if trigger else None


def searched(body: Payload) -> Searched:
    """A search that was submitted."""
    view = _part(body, "view")
    values = _part(_part(view, "state"), "values")
    block = next(iter(values), "")
    typed = next((_id(_part(_part(values, block), each), "value") for each in _part(values, block)), "")
    modal = Modal.read(_id(view, "private_metadata"))
    return Searched(typed.strip(), modal, _asker(body), block)


def act(body: Payload) -> Act:
    """What a curator pressed, or whoever pressed it."""
    action, value = _action(body)
    view = _part(body, "view")
    metadata, modal = _id(view, "private_metadata"), _id(view, "type") == "modal"
    return Act(
        team=_id(_part(body, "team"), "id"),
        user=_id(_part(body, "user"), "id"),
        value=value or _id(action, "selected_conversation"),
        page=Sheet.read(metadata).page if modal else metadata,
        trigger=_id(body, "trigger_id"),
        view=_id(view, "id") if modal else "",
    )


def opened(body: Payload) -> Act:
    """Who opened the Home tab; nobody if it was another tab."""
    return Act(team=_id(body, "team_id"), user=visitor(body))


def filled(body: Payload) -> Filled:
    """A form that was submitted."""
    view = _part(body, "view")
    blocks = _part(_part(view, "state"), "values")
    values: dict[str, tuple[str, ...]] = {}
    for block in blocks:
        for name in _part(blocks, block):
            values[name] = _typed(_part(_part(blocks, block), name))
    return Filled(
        team=_id(_part(body, "team"), "id"),
        user=_id(_part(body, "user"), "id"),
        view=_id(view, "id"),
        name=_id(view, "callback_id"),
        metadata=_id(view, "private_metadata"),
        values=values,
        first=next(iter(blocks), ""),
    )


def typed(body: Payload) -> tuple[str, str, str]:
    """Workspace and person of a menu that is being filled, and what has been typed into it."""
    return _id(_part(body, "team"), "id"), _id(_part(body, "user"), "id"), _id(body, "value")


def revoked(body: Payload) -> bool:
    """Whether an event says that our token is good no more."""
    event = _event(body)
    if _id(event, "type") == "app_uninstalled":
        return True
    return bool(_part(event, "tokens").get("bot"))


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
        return _place(body) or Opened(_id(body, "trigger_id"))
    return heard.place if heard else None


def workspace_of(asker: str) -> str:
    """The team of an asker."""
    return asker.partition(":")[0]


# --- parts of payloads


def _message(body: Payload, event: Payload, me: str, thread: str, surface: Surface) -> Heard:
    team, user = _id(body, "team_id") or _id(event, "team"), event["user"]
    text = re.sub(rf"<@{re.escape(me)}(?:\|[^<>]*)?>", " ", _id(event, "text")).strip() if me else _id(event, "text")
    channel = event["channel"]
    question = Question(text, surface, _key(team, channel, thread, user), team)
    begins = bool(thread) and not _id(event, "thread_ts")
    return Heard(
        question,
        Posted(channel, thread, user, begins=begins),
        _key(team, channel, event["ts"]),
        _key(team, user),
        channel,
    )


def _ordinary(event: Payload, me: str) -> bool:
    """Whether a person has just written this: no bot, not ourselves, no edit, no notice of something."""
    written = all(_id(event, key) for key in ("channel", "user", "ts"))
    marked = any(event.get(key) for key in ("bot_id", "bot_profile", "edited", "hidden"))
    return written and not marked and event.get("subtype") in ORDINARY and event["user"] not in {me, SLACKBOT}


def _place(body: Payload) -> Place | None:
    """Where the answer to a press belongs."""
    view, container, message = _part(body, "view"), _part(body, "container"), _part(body, "message")
    channel, user = _channel(body), _id(_part(body, "user"), "id")
    if view or _id(container, "type") == "view":
        modal = Modal.read(_id(view, "private_metadata"))
        if _id(view, "type") == "modal" and _id(view, "id"):
            return Replaced(_id(view, "id"), modal)
        return Opened(_id(body, "trigger_id")) if _id(body, "trigger_id") else None
    if _private(body) or not channel:
        return Whispered(_id(body, "response_url")) if _id(body, "response_url") else None
    flat = channel.startswith("D")
    return Posted(channel, _thread(body) or ("" if flat else _id(message, "ts") or _stamp(body)), user, _url(body))


def _near(body: Payload, ours: bool = False) -> Place | None:
    """Where a private word about an answer belongs: in the same modal, or beside the message; `ours`: instead of it,
    where it was private itself and asked for nothing else."""
    place = _place(body)
    if not isinstance(place, (Posted, Whispered)):
        return place
    action, _ = _action(body)
    instead = ours and _private(body) and _id(action, "action_id") not in ("vote", "vote:good", "vote:bad")
    return Beside(_channel(body), _thread(body), _id(_part(body, "user"), "id"), _url(body), instead)


def _private(body: Payload) -> bool:
    return bool(_part(body, "container").get("is_ephemeral") or _part(body, "message").get("is_ephemeral"))


def _url(body: Payload) -> str:
    return _id(body, "response_url")


def _channel(body: Payload) -> str:
    return _id(_part(body, "channel"), "id") or _id(_part(body, "container"), "channel_id")


def _thread(body: Payload) -> str:
    return _id(_part(body, "message"), "thread_ts") or _id(_part(body, "container"), "thread_ts")


def _stamp(body: Payload) -> str:
    return _id(_part(body, "container"), "message_ts") or _id(_part(body, "view"), "id")


def _asker(body: Payload) -> str:
    return _key(_id(_part(body, "team"), "id"), _id(_part(body, "user"), "id"))


def _action(body: Payload) -> tuple[Payload, str]:
    """The first action, and the question it carries."""
    actions = body.get("actions")
    action = actions[0] if isinstance(actions, list) and actions and isinstance(actions[0], dict) else {}
    return action, _id(action, "value") or _id(_part(action, "selected_option"), "value")


def _typed(state: Payload) -> tuple[str, ...]:
    """What an input holds: text, the option chosen, or the options ticked."""
    ticked = state.get("selected_options")
    if isinstance(ticked, list):
        return tuple(_id(each, "value") for each in ticked if isinstance(each, dict))
    found = _id(state, "value") or _id(_part(state, "selected_option"), "value")
    return (found,) if found else ()


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
