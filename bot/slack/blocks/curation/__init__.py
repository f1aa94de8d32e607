"""What curators see: their pages of the Home tab, and their modals. The state is in private_metadata and values.

What people wrote is shown in plain_text and rich_text only. Times are UTC, because a page is drawn once for everybody.
"""

from __future__ import annotations

from bot.slack.blocks.curation.dashboard import MOST_KEYS, OUTCOMES, Dashboard, pilot_figures
from bot.slack.blocks.curation.forms import (
    ANSWER,
    ASKS,
    ENTRY,
    PICKED,
    TITLE,
    checking,
    done,
    matching_options,
    means,
    write,
)
from bot.slack.blocks.curation.pages import PAGES, Note, front, page
from bot.slack.blocks.curation.previews import review, since, status
from bot.slack.blocks.curation.text import (
    channel_element,
    conflict_message,
    describe_edits,
    fill,
    settled_by,
    spoken,
)

__all__ = [
    "ANSWER",
    "ASKS",
    "ENTRY",
    "MOST_KEYS",
    "OUTCOMES",
    "PAGES",
    "PICKED",
    "TITLE",
    "Dashboard",
    "Note",
    "channel_element",
    "checking",
    "conflict_message",
    "describe_edits",
    "done",
    "fill",
    "front",
    "matching_options",
    "means",
    "page",
    "pilot_figures",
    "review",
    "settled_by",
    "since",
    "spoken",
    "status",
    "write",
]
