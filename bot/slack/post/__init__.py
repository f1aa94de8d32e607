"""Posting: requests to Slack, each attempt, and the outbox that repeats them where that is right."""

from __future__ import annotations

from bot.slack.post.delivery import Pulse, deliver
from bot.slack.post.outbox import MOST_TRIES, SENDERS, Outbox
from bot.slack.post.requests import TRIGGER_LASTS, Again, Lost, Outcome, Refused, Request, Sent, message_id, nothing

__all__ = [
    "MOST_TRIES",
    "SENDERS",
    "TRIGGER_LASTS",
    "Again",
    "Lost",
    "Outbox",
    "Outcome",
    "Pulse",
    "Refused",
    "Request",
    "Sent",
    "deliver",
    "message_id",
    "nothing",
]
