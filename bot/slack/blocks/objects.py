"""Objects: texts, buttons and the plainest blocks, in which nothing is read as a mark."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from bot.slack import limits
from bot.slack.limits import Block, cut, size

LINE = 300
"""Characters beside a button of the Home tab."""
MARKS = re.compile(r"[*_~`]|^\s*>|:[a-z0-9_+'-]+:", re.MULTILINE)
_URL = re.compile(r"https?://\S+")
_SAFE_IN_URL = ":/?#[]@!$&'()*+,;=%~"


def plain_text(text: str, most: int) -> Block:
    """A text object in which nothing is read as a mark; never empty."""
    return {"type": "plain_text", "text": cut(" ".join(text.split()), most) or "–", "emoji": False}


def marked_text(text: str, most: int) -> Block:
    """A text object for places that prefer mrkdwn: mrkdwn where nothing in it could be read as a mark."""
    kept = cut(text.strip(), most)
    escaped = escape(kept)
    if MARKS.search(kept) or size(escaped) > most:
        return {"type": "plain_text", "text": kept, "emoji": False}
    return {"type": "mrkdwn", "text": escaped, "verbatim": True}


def escape(text: str) -> str:
    """The three characters that mean something to Slack everywhere."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def button(label: str, action_id: str, more: Mapping[str, str]) -> Block:
    """A button; `more` is its value or address, and its accessibility_label where the label alone is unclear."""
    return {"type": "button", "action_id": action_id, "text": plain_text(label, limits.BUTTON_LABEL), **more}


def rows(buttons: Sequence[Block]) -> Iterator[Block]:
    """As few actions blocks as hold them."""
    for start in range(0, len(buttons), limits.ACTIONS):
        yield {"type": "actions", "elements": list(buttons[start : start + limits.ACTIONS])}


def aside(text: str) -> Block:
    """A small grey line."""
    return {"type": "context", "elements": [plain_text(text, limits.CONTEXT)]}


def title(text: str) -> Block:
    """A header on its own."""
    return {"type": "header", "text": plain_text(text, limits.HEADER)}


def row(heading: str, told: str, accessory: Block) -> Block:
    """A line of a page with its button beside it."""
    told = cut(told, LINE)
    if MARKS.search(heading + told):
        text: Block = {"type": "plain_text", "text": f"{heading}\n{told}".strip(), "emoji": False}
    else:
        text = {"type": "mrkdwn", "text": f"*{escape(heading)}*\n{escape(told)}".strip(), "verbatim": True}
    return {"type": "section", "text": text, "accessory": accessory}


def card_block(heading: str, subtitle: str, body: str, buttons: Sequence[Block]) -> Block:
    """Slack's native card, with what there is to say."""
    card: dict[str, Any] = {"type": "card", "title": marked_text(heading, limits.CARD_TITLE)}
    if subtitle.strip():
        card["subtitle"] = marked_text(subtitle, limits.CARD_TITLE)
    if body.strip():
        card["body"] = marked_text(body, limits.CARD_BODY)
    return card | ({"actions": list(buttons)} if buttons else {})


def is_url(url: str) -> bool:
    """Whether it can be linked."""
    return bool(_URL.fullmatch(url)) and size(tidy(url)) <= limits.URL


def tidy(url: str) -> str:
    """A URL in which nothing can end Slack's link notation."""
    return quote(url, safe=_SAFE_IN_URL)
