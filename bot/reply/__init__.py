"""From a finding to a reply in parts, and any reply as plain text."""

from bot.reply.compose import compose, greet, parse_reference, rebuild
from bot.reply.explanation import explain
from bot.reply.markdown_text import markdown_text
from bot.reply.parts import without_show_rest
from bot.reply.plain_text import plain_text

__all__ = [
    "compose",
    "explain",
    "greet",
    "markdown_text",
    "parse_reference",
    "plain_text",
    "rebuild",
    "without_show_rest",
]
