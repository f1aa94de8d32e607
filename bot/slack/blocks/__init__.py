"""A Reply as Block Kit blocks.

The layout "classic" consists of header, rich_text, context and actions blocks, which every surface takes. "cards" uses
Slack's native card, carousel and table, for posted messages only. Text goes into plain_text and rich_text, where Slack
parses nothing, so that no text of a person or a pack can mention, link or format; mrkdwn is used only for labels
without markup.

`bot.slack.payloads` imports `limits` from here: this module must not import `footer`, `views` or `curation`, which
import payloads.
"""

from __future__ import annotations

from bot.slack.blocks.elements import (
    actions_blocks,
    button,
    context_block,
    escape,
    has_image,
    header_block,
    plain_text_object,
    section_with_button,
)
from bot.slack.blocks.render import MAX_BUTTONS, Layout, render_blocks
from bot.slack.blocks.rich_text import paragraph_blocks, quote_block, shared_by_block

__all__ = [
    "MAX_BUTTONS",
    "Layout",
    "actions_blocks",
    "button",
    "context_block",
    "escape",
    "has_image",
    "header_block",
    "paragraph_blocks",
    "plain_text_object",
    "quote_block",
    "render_blocks",
    "section_with_button",
    "shared_by_block",
]
