"""From a finding to a reply in parts, and the plain text that every reply can be read as."""

from bot.reply.compose import again, compose, named
from bot.reply.explain import explain
from bot.reply.plain import plain

__all__ = ["again", "compose", "explain", "named", "plain"]
