"""What curators see: their pages of the Home tab, and their modals. Pure: what is remembered travels in the views.

People's words stand in plain_text and rich_text alone. Times are UTC, because a page is drawn once for all.
"""

from __future__ import annotations

from bot.slack.board.menu import ENTRY, suggested
from bot.slack.board.misses import TOGETHER
from bot.slack.board.modals import ANSWER, ASKS, PICKED, TITLE, checking, done, means, write
from bot.slack.board.pages import front, page
from bot.slack.board.sentences import already, channel, described, fill, spoken, taken
from bot.slack.board.trials import figures
from bot.slack.board.values import OUTCOMES, PAGES, Board, Note
from bot.slack.board.verdicts import review, since, status

__all__ = [
    "ANSWER",
    "ASKS",
    "ENTRY",
    "OUTCOMES",
    "PAGES",
    "PICKED",
    "TITLE",
    "TOGETHER",
    "Board",
    "Note",
    "already",
    "channel",
    "checking",
    "described",
    "done",
    "figures",
    "fill",
    "front",
    "means",
    "page",
    "review",
    "since",
    "spoken",
    "status",
    "suggested",
    "taken",
    "write",
]
