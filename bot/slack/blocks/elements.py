"""Text objects, buttons and the simplest blocks; no text in them is read as markup."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from bot.slack.blocks import limits
from bot.slack.blocks.limits import Block, cut, size

SECTION_TEXT = 300
"""UTF-16 units of the text beside a button of the Home tab."""
MARKUP = re.compile(r"[*_~`]|^\s*>|:[a-z0-9_+'-]+:", re.MULTILINE)
"""What Slack would read as formatting or as an emoji in mrkdwn."""
_URL = re.compile(r"https?://\S+")
_SAFE_IN_URL = ":/?#[]@!$&'()*+,;=%~"
_MAX_QUOTED = 12
"""Characters of a percent-encoded character of four bytes."""


def plain_text_object(text: str, limit: int) -> Block:
    """A plain_text object: `text` on one line, in at most `limit` UTF-16 units, never empty."""
    return {"type": "plain_text", "text": cut(" ".join(text.split()), limit) or "–", "emoji": False}


def mrkdwn_or_plain_text(text: str, limit: int) -> Block:
    """A text object for a place that prefers mrkdwn: mrkdwn if `text` has no markup in it, else plain_text."""
    shortened = cut(text.strip(), limit)
    escaped = escape(shortened)
    if MARKUP.search(shortened) or size(escaped) > limit:
        return {"type": "plain_text", "text": shortened, "emoji": False}
    return {"type": "mrkdwn", "text": escaped, "verbatim": True}


def escape(text: str) -> str:
    """`text` with Slack's three control characters escaped."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def button(label: str, action_id: str, extra: Mapping[str, str]) -> Block:
    """A button. `extra` holds its value or url, its style, and an accessibility_label where the label is unclear."""
    return {"type": "button", "action_id": action_id, "text": plain_text_object(label, limits.BUTTON_LABEL), **extra}


def actions_blocks(elements: Sequence[Block]) -> list[Block]:
    """The interactive elements in as few actions blocks as hold them; none for no elements."""
    starts = range(0, len(elements), limits.ACTIONS)
    return [{"type": "actions", "elements": list(elements[start : start + limits.ACTIONS])} for start in starts]


def context_block(text: str) -> Block:
    """A line of small grey text."""
    return {"type": "context", "elements": [plain_text_object(text, limits.CONTEXT)]}


def header_block(text: str) -> Block:
    """A header."""
    return {"type": "header", "text": plain_text_object(text, limits.HEADER)}


def section_with_button(heading: str, text: str, accessory: Block) -> Block:
    """A section: `heading` in bold, if neither text has markup in it, `text` below it, and the button beside both."""
    text = cut(text, SECTION_TEXT)
    if MARKUP.search(heading + text):
        content: Block = {"type": "plain_text", "text": f"{heading}\n{text}".strip(), "emoji": False}
    else:
        content = {"type": "mrkdwn", "text": f"*{escape(heading)}*\n{escape(text)}".strip(), "verbatim": True}
    return {"type": "section", "text": content, "accessory": accessory}


def card_block(title: str, subtitle: str, body: str, buttons: Sequence[Block]) -> Block:
    """Slack's native card; parts that are empty are left out."""
    card: dict[str, Any] = {"type": "card", "title": mrkdwn_or_plain_text(title, limits.CARD_TITLE)}
    if subtitle.strip():
        card["subtitle"] = mrkdwn_or_plain_text(subtitle, limits.CARD_TITLE)
    if body.strip():
        card["body"] = mrkdwn_or_plain_text(body, limits.CARD_BODY)
    return card | ({"actions": list(buttons)} if buttons else {})


def has_image(blocks: Sequence[Block]) -> bool:
    """Whether a picture is among the blocks."""
    return any(block["type"] == "image" for block in blocks)


def is_url(url: str) -> bool:
    """Whether Slack can link to `url`."""
    if not _URL.fullmatch(url):
        return False
    return _MAX_QUOTED * len(url) <= limits.URL or size(quote_url(url)) <= limits.URL


def quote_url(url: str) -> str:
    """`url` percent-encoded, so that nothing in it can end Slack's link notation."""
    return quote(url, safe=_SAFE_IN_URL)
