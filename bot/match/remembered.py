"""Results of look-ups of words, remembered in memory for the next message: bounded, and of short words alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from bot.text import LONGEST_REMEMBERED

MOST_REMEMBERED = 8_192
"""Words whose results are remembered; with one more, all are forgotten and it begins anew."""

T = TypeVar("T")


class Remembered(Generic[T]):
    """Results by word.

    It holds no reference to who computes them, unlike `lru_cache` around a method, which would keep an index in memory that a
    reloaded pack has replaced: such a cycle goes only with a full collection. Threads may share it.
    """

    def __init__(self) -> None:
        self._results: dict[str, T] = {}

    def get(self, word: str, compute: Callable[[str], T]) -> T:
        """The result for a word: remembered, or computed now."""
        if len(word) > LONGEST_REMEMBERED:
            return compute(word)
        results = self._results
        try:
            return results[word]
        except KeyError:
            if len(results) >= MOST_REMEMBERED:
                self._results = results = {}
            result = results[word] = compute(word)
            return result
