"""The Home tab, and what was typed into forms."""

from __future__ import annotations

from bot.slack.hear.heard import Act, Filled, Searched
from bot.slack.hear.payload import Payload, action_of, asker_of, event_of, part, string, values_of
from bot.slack.hear.places import Opened
from bot.slack.values import Modal


def visitor(body: Payload) -> str:
    """Who opened the Home tab; nobody if it was another tab."""
    event = event_of(body)
    return string(event, "user") if (string(event, "tab") or "home") == "home" else ""


def opened(body: Payload) -> Act:
    """Who opened the Home tab; nobody if it was another tab."""
    return Act(team=string(body, "team_id"), user=visitor(body))


def go(body: Payload) -> tuple[str, str]:
    """Who turns to which page of the Home tab."""
    return string(part(body, "user"), "id"), action_of(body)[1]


def search(body: Payload) -> Opened | None:
    """The button that opens the search."""
    trigger = string(body, "trigger_id")
    return Opened(trigger, Modal(search=True)) if trigger else None


def searched(body: Payload) -> Searched:
    """A search that was submitted."""
    view = part(body, "view")
    values = part(part(view, "state"), "values")
    block = next(iter(values), "")
    typed = next((string(part(part(values, block), each), "value") for each in part(values, block)), "")
    modal = Modal.read(string(view, "private_metadata"))
    return Searched(typed.strip(), modal, asker_of(body), block)


def filled(body: Payload) -> Filled:
    """A form that was submitted."""
    view = part(body, "view")
    blocks = part(part(view, "state"), "values")
    values: dict[str, tuple[str, ...]] = {}
    for block in blocks:
        for name in part(blocks, block):
            values[name] = values_of(part(part(blocks, block), name))
    return Filled(
        team=string(part(body, "team"), "id"),
        user=string(part(body, "user"), "id"),
        view=string(view, "id"),
        name=string(view, "callback_id"),
        metadata=string(view, "private_metadata"),
        values=values,
        first=next(iter(blocks), ""),
    )


def typed(body: Payload) -> tuple[str, str, str]:
    """Workspace and person of a menu that is being filled, and what has been typed into it."""
    return string(part(body, "team"), "id"), string(part(body, "user"), "id"), string(body, "value")
