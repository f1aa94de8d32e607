"""What people write to us, and what is written about us."""

from __future__ import annotations

import re

from bot.model import Question, Surface
from bot.slack.hear.heard import Heard, workspace_of
from bot.slack.hear.payload import Payload, asker_of, event_of, joined, part, string
from bot.slack.hear.places import Opened, Place, Posted, Whispered, pressed_at
from bot.slack.values import Modal

ORDINARY = (None, "file_share", "thread_broadcast")
"""The subtypes of messages that people write to us; all others tell of something that happened."""
SLACKBOT = "USLACKBOT"


def mention(body: Payload, me: str) -> Heard | None:
    """An app_mention; None if it isn't to be answered. A direct message comes as an event of its own."""
    event = event_of(body)
    if not _ordinary(event, me) or event["channel"].startswith("D"):
        return None
    return _message(body, event, me, string(event, "thread_ts") or event["ts"], "mention")


def direct_message(body: Payload, me: str) -> Heard | None:
    """A message; None unless somebody wrote it to us directly."""
    event = event_of(body)
    if not _ordinary(event, me):
        return None
    kind = string(event, "channel_type") or ("im" if event["channel"].startswith("D") else "")
    if kind != "im":
        return None
    return _message(body, event, me, string(event, "thread_ts"), "dm")


def command(body: Payload) -> Heard | None:
    """A slash command: a private answer."""
    if not string(body, "response_url"):
        return None
    team, channel, user = string(body, "team_id"), string(body, "channel_id"), string(body, "user_id")
    question = Question(string(body, "text"), "command", joined(team, channel, "command", user), team)
    key = joined(team, channel, user, string(body, "trigger_id"))
    return Heard(question, Whispered(string(body, "response_url")), key, joined(team, user), channel)


def shortcut(body: Payload) -> Heard | None:
    """The message shortcut: the answer to a message, in a modal that remembers where the message is."""
    if not string(body, "trigger_id"):
        return None
    message, asker = part(body, "message"), asker_of(body)
    question = Question(string(message, "text"), "shortcut", workspace=workspace_of(asker))
    stamp = string(message, "thread_ts") or string(message, "ts") or string(body, "message_ts")
    modal = Modal((question.text,), channel=string(part(body, "channel"), "id"), thread=stamp)
    trigger = string(body, "trigger_id")
    return Heard(question, Opened(trigger, modal), joined(asker, trigger), asker)


def revoked(body: Payload) -> bool:
    """Whether an event says that our token is good no more."""
    event = event_of(body)
    if string(event, "type") == "app_uninstalled":
        return True
    return bool(part(event, "tokens").get("bot"))


def place_of(body: Payload, me: str) -> Place | None:
    """Where an apology belongs, whatever the payload is."""
    heard: Heard | None = None
    if string(event_of(body), "type") == "app_mention":
        heard = mention(body, me)
    elif event_of(body):
        heard = direct_message(body, me)
    elif string(body, "response_url"):
        return Whispered(string(body, "response_url"))
    elif part(body, "view") or string(body, "trigger_id"):
        return pressed_at(body) or Opened(string(body, "trigger_id"))
    return heard.place if heard else None


def _message(body: Payload, event: Payload, me: str, thread: str, surface: Surface) -> Heard:
    team, user = string(body, "team_id") or string(event, "team"), event["user"]
    text = string(event, "text")
    text = re.sub(rf"<@{re.escape(me)}(?:\|[^<>]*)?>", " ", text).strip() if me else text
    channel = event["channel"]
    question = Question(text, surface, joined(team, channel, thread, user), team)
    begins = bool(thread) and not string(event, "thread_ts")
    return Heard(
        question,
        Posted(channel, thread, user, begins=begins),
        joined(team, channel, event["ts"]),
        joined(team, user),
        channel,
    )


def _ordinary(event: Payload, me: str) -> bool:
    """Whether a person has just written this: no bot, not ourselves, no edit, no notice of something."""
    written = all(string(event, key) for key in ("channel", "user", "ts"))
    marked = any(event.get(key) for key in ("bot_id", "bot_profile", "edited", "hidden"))
    return written and not marked and event.get("subtype") in ORDINARY and event["user"] not in {me, SLACKBOT}
