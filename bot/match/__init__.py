"""Understanding a question: names, frames and an index of phrasings give one decision with its evidence."""

from bot.match.matcher import Matcher

__all__ = ["Matcher"]
