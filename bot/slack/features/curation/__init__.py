"""Curating: what curators see on the Home tab, and what their buttons and forms do. Each press asks anew whether this person
may curate, and says what has become of it."""

from __future__ import annotations

from bot.slack.features.curation.actions import ignore, make_pilot, make_public, means, not_ours, undo, write
from bot.slack.features.curation.forms import submit, suggest
from bot.slack.features.curation.home import show_home

__all__ = [
    "ignore",
    "make_pilot",
    "make_public",
    "means",
    "not_ours",
    "show_home",
    "submit",
    "suggest",
    "undo",
    "write",
]
