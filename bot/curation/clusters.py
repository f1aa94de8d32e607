"""Clusters: misses that ask the same thing, together."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bot.match.frames import SLIGHT
from bot.model import Miss
from bot.text import stem, words

MIN_SIMILARITY = 0.6
"""Dice coefficient of their content stems from which two misses belong together: two of three in common, or four of six."""


def cluster_misses(
    misses: Sequence[Miss], read_as: Callable[[str], str | None] = lambda word: word
) -> tuple[tuple[Miss, ...], ...]:
    """The misses in clusters, the most asked cluster first, and in it the most asked miss first.

    `read_as`: the word that a typed word is, typos corrected, where that is known. Each cluster gathers around its most
    asked miss, so that a chain of similar misses doesn't join two that aren't.
    """
    groups: list[tuple[frozenset[str], list[Miss]]] = []
    for miss in sorted(misses, key=lambda miss: (-miss.count, -miss.last, miss.key)):
        stems = _content_stems(miss.text, read_as)
        found = next((group for leader, group in groups if _is_similar(leader, stems)), None)
        if found is None:
            groups.append((stems, [miss]))
        else:
            found.append(miss)
    ordered = sorted(groups, key=lambda group: (-sum(miss.count for miss in group[1]), group[1][0].key))
    return tuple(tuple(group) for _, group in ordered)


def _content_stems(text: str, read_as: Callable[[str], str | None]) -> frozenset[str]:
    """Stems of the words other than stopwords; of all words where there are only those."""
    typed = words(text)
    content = [word for word in typed if word not in SLIGHT] or typed
    return frozenset(stem(read_as(word) or word) for word in content)


def _is_similar(one: frozenset[str], other: frozenset[str]) -> bool:
    shared = len(one & other)
    return shared > 0 and 2 * shared / (len(one) + len(other)) >= MIN_SIMILARITY
