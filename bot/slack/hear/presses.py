"""Presses: buttons and menus under an answer, in a modal, or on a curator's page."""

from __future__ import annotations

from bot.model import Question, Surface
from bot.slack.hear.heard import Act, Heard, Pressed, Voted
from bot.slack.hear.payload import Payload, action_of, asker_of, channel_of, joined, part, stamp_of, string
from bot.slack.hear.places import Beside, Opened, Posted, Replaced, Whispered, near, pressed_at
from bot.slack.values import Asked, Ballot, Sheet


def press(body: Payload) -> Heard | None:
    """A button or menu that asks: answered where it was pressed."""
    action, asked = action_of(body)
    team, user = string(part(body, "team"), "id"), string(part(body, "user"), "id")
    place, channel = pressed_at(body), channel_of(body)
    key = joined(team, channel, stamp_of(body), user, string(action, "action_ts"), string(action, "action_id"))
    if not asked or place is None:
        return None
    match place:
        case Posted(thread=thread):
            surface: Surface = "dm" if channel.startswith("D") else "mention"
            question = Question(asked, surface, joined(team, channel, thread, user), team)
        case Whispered() | Beside():
            question = Question(asked, "command", joined(team, channel, "command", user), team)
        case Opened(trigger, modal):
            question, place = Question(asked, "home", workspace=team), Opened(trigger, modal.asking(asked))
        case Replaced(view, modal):
            question, place = Question(asked, "home", workspace=team), Replaced(view, modal.asking(asked))
    return Heard(question, place, key, asker_of(body), channel, typed=False)


def pressed(body: Payload) -> Pressed | None:
    """The buttons under an answer that share it, explain it, or reply with it."""
    _, value = action_of(body)
    place = near(body)
    if place is None:
        return None
    key = joined(string(part(body, "team"), "id"), channel_of(body), stamp_of(body))
    user = string(part(body, "user"), "id")
    return Pressed(Asked.read(value), place, user, asker_of(body), key, string(body, "response_url"))


def vote(body: Payload) -> Voted | None:
    """The buttons that say whether an answer helped, and why it didn't."""
    _, value = action_of(body)
    place, ballot = near(body, ours=True), Ballot.read(value)
    return Voted(ballot, place, asker_of(body), channel_of(body)) if place is not None and ballot is not None else None


def back(body: Payload) -> tuple[Replaced | None, str]:
    """A modal's way back, and who goes it."""
    _, pages = action_of(body)
    place = pressed_at(body)
    if not isinstance(place, Replaced):
        return None, ""
    return Replaced(place.view, place.modal.back(int(pages) if pages in ("0", "1") else 1)), asker_of(body)


def act(body: Payload) -> Act:
    """What a curator pressed, or whoever pressed it."""
    action, value = action_of(body)
    view = part(body, "view")
    metadata, modal = string(view, "private_metadata"), string(view, "type") == "modal"
    return Act(
        team=string(part(body, "team"), "id"),
        user=string(part(body, "user"), "id"),
        value=value or string(action, "selected_conversation"),
        page=Sheet.read(metadata).page if modal else metadata,
        trigger=string(body, "trigger_id"),
        view=string(view, "id") if modal else "",
    )
