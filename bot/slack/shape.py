"""Whether a payload has the form that Slack sends: Bolt takes it for granted and stumbles where it isn't so."""

from __future__ import annotations

from typing import Any

_OBJECTS = ("team", "user", "channel", "container", "view", "message", "enterprise", "previous_message", "event")
"""What Bolt looks into; some of it comes as a bare id, too."""


def sensible(body: Any) -> bool:
    """Whether this can be handed to Bolt: an event, an interaction, a command, or a check of the address."""
    if not isinstance(body, dict) or not all(_object_or_id(body.get(key)) for key in _OBJECTS):
        return False
    if not _objects(body.get("authorizations")):
        return False
    kind = body.get("type")
    if not isinstance(kind, str):
        return kind is None and (isinstance(body.get("command"), str) or "ssl_check" in body)
    match kind:
        case "event_callback":
            event = body.get("event")
            return isinstance(event, dict) and isinstance(event.get("type"), str) and _event(event)
        case "block_actions":
            actions = body.get("actions")
            return isinstance(actions, list) and bool(actions) and all(map(_action, actions))
        case "view_submission" | "view_closed":
            view = body.get("view")
            return isinstance(view, dict) and isinstance(view.get("type"), str) and _text(view, "callback_id")
        case "message_action" | "shortcut":
            return _text(body, "callback_id")
        case "block_suggestion":
            return _text(body, "action_id")
        case _:
            return "event" not in body


def _event(event: dict[str, Any]) -> bool:
    return all(_object_or_id(event.get(key)) for key in _OBJECTS) and isinstance(
        event.get("subtype", ""), (str, type(None))
    )


def _action(action: Any) -> bool:
    return isinstance(action, dict) and _text(action, "action_id") and isinstance(action.get("block_id", ""), str)


def _text(body: dict[str, Any], key: str) -> bool:
    return isinstance(body.get(key), str)


def _object_or_id(value: Any) -> bool:
    return value is None or isinstance(value, (str, dict))


def _objects(value: Any) -> bool:
    return value is None or (isinstance(value, list) and all(isinstance(each, dict) for each in value))
