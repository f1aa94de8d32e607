"""Slack's published limits: how long each thing may be, and how to cut it.

Lengths are counted in UTF-16 units, the larger of the two ways in which Slack's clients and servers may count.
"""

from __future__ import annotations

from typing import Any, Literal

Block = dict[str, Any]
"""A Block Kit block, element or composition object, as it goes into JSON."""
BlockSurface = Literal["message", "modal", "home"]
"""Where blocks can be shown."""

BLOCKS: dict[BlockSurface, int] = {"message": 50, "modal": 100, "home": 100}
HEADER = 150
SECTION = 3_000
CONTEXT = 2_000
CONTEXT_ELEMENTS = 10
RICH_TEXT = 3_000
"""Characters in one rich_text block. Slack publishes no limit; this is a section's."""
ACTIONS = 25
BUTTON_LABEL = 75
BUTTON_VALUE = 2_000
URL = 3_000
ACTION_ID = 255
CONFIRM_TITLE, CONFIRM_TEXT, CONFIRM_LABEL = 100, 300, 30
OPTION_LABEL = 75
OPTION_VALUE = 150
OPTIONS = 100
PLACEHOLDER = 150
ALT_TEXT = 2_000
CARD_TITLE = 150
CARD_BODY = 200
CARD_ACTIONS = 3
CAROUSEL = 10
TABLE_ROWS = 100
TABLE_COLUMNS = 20
TABLE_CHARACTERS = 10_000
CHECKBOXES = 10
CHART_TITLE = 50
CHART_LABEL = 20
CHART_SERIES = 6
CHARTS = 2
TEXT = 3_900
"""Characters of the `text` beside blocks: above 4,040 Slack splits a message."""
MODAL_TITLE = 24
METADATA = 3_000
VIEW_BYTES = 250_000
INPUT_LABEL = 2_000
TYPED = 3_000
"""Characters that may be typed into an input."""

ELLIPSIS = "…"


def size(text: str) -> int:
    """Length of `text` in UTF-16 units."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def cut(text: str, limit: int) -> str:
    """`text` in at most `limit` UTF-16 units; a longer one ends at the end of a word, with an ellipsis."""
    if 2 * len(text) <= limit or size(text) <= limit:  # no character has more than two units
        return text
    units = text.encode("utf-16-le", "surrogatepass")[: 2 * (limit - 1)]
    start = units.decode("utf-16-le", "ignore")  # half of a surrogate pair at the end is dropped
    end_of_word = max(start.rfind(" "), start.rfind("\n"))
    if end_of_word >= limit // 2:
        start = start[:end_of_word]
    return start.rstrip(" \n,;:.-") + ELLIPSIS
