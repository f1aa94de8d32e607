"""From a finding to a reply in parts, and the plain text that every reply can be read as."""

from bot.reply.compose import compose
from bot.reply.plain import plain

__all__ = ["compose", "plain"]
