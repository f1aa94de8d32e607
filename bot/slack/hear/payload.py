"""Parts of payloads: what isn't there is empty, whatever its type would be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Payload = Mapping[str, Any]


def part(body: Payload, key: str) -> Payload:
    """An object within it."""
    found = body.get(key)
    return found if isinstance(found, dict) else {}


def string(body: Payload, key: str) -> str:
    """A text within it."""
    found = body.get(key)
    return found if isinstance(found, str) else ""


def joined(*parts: str) -> str:
    """A key of all of them."""
    return ":".join(parts)


def event_of(body: Payload) -> Payload:
    """The event that it tells of."""
    return part(body, "event")


def action_of(body: Payload) -> tuple[Payload, str]:
    """The first action, and the question it carries."""
    actions = body.get("actions")
    action = actions[0] if isinstance(actions, list) and actions and isinstance(actions[0], dict) else {}
    return action, string(action, "value") or string(part(action, "selected_option"), "value")


def values_of(state: Payload) -> tuple[str, ...]:
    """What an input holds: text, the option chosen, or the options ticked."""
    ticked = state.get("selected_options")
    if isinstance(ticked, list):
        return tuple(string(each, "value") for each in ticked if isinstance(each, dict))
    found = string(state, "value") or string(part(state, "selected_option"), "value")
    return (found,) if found else ()


def channel_of(body: Payload) -> str:
    """Where it comes from."""
    return string(part(body, "channel"), "id") or string(part(body, "container"), "channel_id")


def thread_of(body: Payload) -> str:
    """The thread it was pressed in."""
    return string(part(body, "message"), "thread_ts") or string(part(body, "container"), "thread_ts")


def stamp_of(body: Payload) -> str:
    """The message, or the modal, it was pressed in."""
    return string(part(body, "container"), "message_ts") or string(part(body, "view"), "id")


def asker_of(body: Payload) -> str:
    """The person: team and user."""
    return joined(string(part(body, "team"), "id"), string(part(body, "user"), "id"))


def url_of(body: Payload) -> str:
    """Its response_url."""
    return string(body, "response_url")


def is_private(body: Payload) -> bool:
    """Whether it was pressed in a message that one person sees."""
    return bool(part(body, "container").get("is_ephemeral") or part(body, "message").get("is_ephemeral"))
