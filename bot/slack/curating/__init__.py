"""Curating: what curators' presses do. Each of them asks anew whether this person may, and says what has become of it."""

from __future__ import annotations

from bot.slack.curating.grounds import Curation
from bot.slack.curating.listeners import register_curating
from bot.slack.curating.presses import Curating

__all__ = ["Curating", "Curation", "register_curating"]
