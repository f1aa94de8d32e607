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
    save_message,
    say_in_modal,
    undo,
)
from bot.slack.features.curation.forms import submit, suggest
from bot.slack.features.curation.help_post import answered_here, choose_meaning, not_ours, write_answer

__all__ = [
    "answered_here",
    "choose_meaning",
    "confirm",
    "ignore",
    "make_pilot",
    "make_public",
    "mark_out_of_scope",
    "name_curators",
    "not_ours",
    "open_answer_form",
    "open_meaning_form",
    "save_message",
    "say_in_modal",
    "submit",
    "suggest",
    "undo",
    "write_answer",
]
