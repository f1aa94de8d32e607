"""The curators' pages of the Home tab and their modals. Their state is in private_metadata and button values.

What people wrote is shown in plain_text and rich_text only. Times are UTC.
"""

from __future__ import annotations

from bot.slack.blocks.curation.dashboard import MAX_CURATORS, MAX_KEYS, OUTCOMES, Dashboard, pilot_figures
from bot.slack.blocks.curation.edit_text import (
    channel_element,
    conflict_message,
    describe_edits,
    fill,
    fill_plain,
    settled_by,
    user_element,
    user_elements,
)
from bot.slack.blocks.curation.form_views import (
    ANSWER,
    ASKS,
    ENTRY,
    MAX_TITLE,
    MODALS,
    PICKED,
    TITLE,
    answer_form,
    checking_view,
    matching_options,
    meaning_form,
    result_view,
)
from bot.slack.blocks.curation.pages import PAGES, ResultNote, home_page, page
from bot.slack.blocks.curation.previews import changes_since, draft_review, error_banner

__all__ = [
    "ANSWER",
    "ASKS",
    "ENTRY",
    "MAX_CURATORS",
    "MAX_KEYS",
    "MAX_TITLE",
    "MODALS",
    "OUTCOMES",
    "PAGES",
    "PICKED",
    "TITLE",
    "Dashboard",
    "ResultNote",
    "answer_form",
    "changes_since",
    "channel_element",
    "checking_view",
    "conflict_message",
    "describe_edits",
    "draft_review",
    "error_banner",
    "fill",
    "fill_plain",
    "home_page",
    "matching_options",
    "meaning_form",
    "page",
    "pilot_figures",
    "result_view",
    "settled_by",
    "user_element",
    "user_elements",
]
