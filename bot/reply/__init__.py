"""From a finding to a reply in parts, and any reply as plain text."""

from bot.reply.compose import compose, parse_reference, rebuild
from bot.reply.explanation import explain
from bot.reply.markdown_text import markdown_text
from bot.reply.plain_text import plain_text

__all__ = ["compose", "explain", "markdown_text", "parse_reference", "plain_text", "rebuild"]
