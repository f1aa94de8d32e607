"""The pack that ships with the bot, loaded once for all tests; building its index takes a few seconds."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

from bot.engine import Engine
from bot.knowledge import load
from bot.model import Finding, Knowledge, Question, Reply
from bot.understanding import Matcher

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "knowledge"


@cache
def knowledge() -> Knowledge:
    """The shipped pack."""
    return load(FOLDER, Path(os.environ["ASKPY_CACHE"]))


@cache
def matcher() -> Matcher:
    """Its matcher, from the tests' own cache folder, where the command line's tests find it too."""
    return Matcher.from_knowledge(knowledge(), Path(os.environ["ASKPY_CACHE"]))


@cache
def engine() -> Engine:
    """An engine without a memory: each question stands by itself."""
    return Engine(matcher())


@cache
def found(text: str) -> Finding:
    """What a question comes down to; asked once, however many tests want to know."""
    return engine().find(Question(text))


def answer(text: str) -> Reply:
    """The reply to a question."""
    return engine().answer(Question(text))
