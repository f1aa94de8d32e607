"""From a payload to what was asked and where the answer belongs: pure functions over Slack's dictionaries."""

from __future__ import annotations

from bot.slack.hear.heard import Act, Filled, Heard, Pressed, Searched, Voted, workspace_of
from bot.slack.hear.home import filled, go, opened, search, searched, typed, visitor
from bot.slack.hear.messages import command, direct_message, mention, place_of, revoked, shortcut
from bot.slack.hear.places import Beside, Opened, Place, Posted, Replaced, Whispered
from bot.slack.hear.presses import act, back, press, pressed, vote

__all__ = [
    "Act",
    "Beside",
    "Filled",
    "Heard",
    "Opened",
    "Place",
    "Posted",
    "Pressed",
    "Replaced",
    "Searched",
    "Voted",
    "Whispered",
    "act",
    "back",
    "command",
    "direct_message",
    "filled",
    "go",
    "mention",
    "opened",
    "place_of",
    "press",
    "pressed",
    "revoked",
    "search",
    "searched",
    "shortcut",
    "typed",
    "visitor",
    "vote",
    "workspace_of",
]
