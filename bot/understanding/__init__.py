"""Understanding: one message and its conversation in, a Finding out (names, question type, attributes, follow-ups, decision)."""

from bot.understanding.matcher import Matcher

__all__ = ["Matcher"]
