"""Keys and words as the database keeps them."""

from __future__ import annotations

from collections import OrderedDict
from hashlib import sha256
from typing import TypeVar

from bot.text import clean, words

MOST_KEPT = 20_000
"""Things of a kind that this process keeps in its own memory."""

T = TypeVar("T")


def digest(key: str) -> str:
    """A key of fixed length that names no more than it has to; who knows what it was made from can make it again."""
    return sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def phrase(text: str) -> str:
    """What ways of typing the same question share: its words, without case and punctuation."""
    return " ".join(words(clean(text)))


def plain(text: str, most: int | None = None) -> str:
    """A text, or its first `most` characters, without what a database may refuse."""
    return text.replace("\0", " ").encode("utf-8", "replace").decode()[:most]


def remember(kept: OrderedDict[str, T], name: str, value: T) -> None:
    """Put it last; what has been there longest goes where there is too much."""
    kept[name] = value
    kept.move_to_end(name)
    while len(kept) > MOST_KEPT:
        kept.popitem(last=False)
