"""Likeness: misses that ask the same thing, together."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bot.match.frames import SLIGHT
from bot.model import Miss
from bot.text import stem, words

ALIKE = 0.6
"""Share of their telling words that two misses have in common, from which they are shown together: two of three, or four
of six."""


def grouped(
    misses: Sequence[Miss], read_as: Callable[[str], str | None] = lambda word: word
) -> tuple[tuple[Miss, ...], ...]:
    """The misses in groups, the most asked group first, and in it the most asked miss first.

    `read_as`: the word that a typed word is, slips forgiven, where that is known. Each group gathers around its most asked miss,
    so that no chain of likenesses joins what is unlike.
    """
    groups: list[tuple[frozenset[str], list[Miss]]] = []
    for miss in sorted(misses, key=lambda miss: (-miss.count, -miss.last, miss.key)):
        told = _telling(miss.text, read_as)
        found = next((group for leader, group in groups if _alike(leader, told)), None)
        if found is None:
            groups.append((told, [miss]))
        else:
            found.append(miss)
    ordered = sorted(groups, key=lambda group: (-sum(miss.count for miss in group[1]), group[1][0].key))
    return tuple(tuple(group) for _, group in ordered)


def _telling(text: str, read_as: Callable[[str], str | None]) -> frozenset[str]:
    """Stems of the words that tell what it is about; of all words where none does."""
    typed = words(text)
    told = [word for word in typed if word not in SLIGHT] or typed
    return frozenset(stem(read_as(word) or word) for word in told)


def _alike(one: frozenset[str], other: frozenset[str]) -> bool:
    shared = len(one & other)
    return shared > 0 and 2 * shared / (len(one) + len(other)) >= ALIKE
