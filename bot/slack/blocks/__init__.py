"""A Reply as Block Kit.

"classic" is made of header, rich_text, context and actions, which every surface takes. "cards" uses Slack's native
card, carousel and table, for posted messages only. Text goes into plain_text and rich_text, where nothing is parsed,
so that no word of a person or a pack can ping, link or format; mrkdwn is left for labels that hold no mark.
"""

from __future__ import annotations

from bot.slack.blocks.objects import aside, button, escape, plain_text, row, rows, title
from bot.slack.blocks.pen import MOST_BUTTONS, Layout, draw
from bot.slack.blocks.rich import attribution, prose, quoted

__all__ = [
    "MOST_BUTTONS",
    "Layout",
    "aside",
    "attribution",
    "button",
    "draw",
    "escape",
    "plain_text",
    "prose",
    "quoted",
    "row",
    "rows",
    "title",
]
