"""Ask and draw: what all of Slack's doors share. From what was heard to the requests that answer it."""

from __future__ import annotations

from bot.slack.answering.answers import Answering, Full, Held
from bot.slack.answering.letter import fallback
from bot.slack.answering.partners import Desk, Records

__all__ = ["Answering", "Desk", "Full", "Held", "Records", "fallback"]
