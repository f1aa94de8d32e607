"""Curating: the curators' pages of the Home tab, their buttons and forms. Each one checks whether this person may curate, and
shows its result."""

from __future__ import annotations

from bot.slack.features.curation.actions import (
    confirm,
    ignore,
    make_pilot,
    make_public,
    mark_out_of_scope,
    name_curators,
    open_answer_form,
    open_meaning_form,
    say_in_modal,
    undo,
)
from bot.slack.features.curation.forms import submit, suggest

__all__ = [
    "confirm",
    "ignore",
    "make_pilot",
    "make_public",
    "mark_out_of_scope",
    "name_curators",
    "open_answer_form",
    "open_meaning_form",
    "say_in_modal",
    "submit",
    "suggest",
    "undo",
]
