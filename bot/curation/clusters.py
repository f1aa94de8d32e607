"""Clusters of similar misses."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bot.model import Miss
from bot.text import stem, words
from bot.understanding.question_type import STOPWORDS

MIN_SIMILARITY = 0.6
"""Dice coefficient of their content stems from which two misses belong together: two of three in common, or four of six."""


def cluster_misses(
    misses: Sequence[Miss], read_as: Callable[[str], str | None] = lambda word: word
) -> tuple[tuple[Miss, ...], ...]:
    """Group misses that ask the same thing.

    Each cluster has the misses that are similar to its most asked one, so that a chain of similar misses doesn't join two that
    aren't.

    Args:
        misses: The misses of one workspace.
        read_as: Corrects a typed word's spelling; None for a word that it doesn't know.

    Returns:
        The clusters, the most asked one first, and the most asked miss of each first.
    """
    clusters: list[tuple[frozenset[str], list[Miss]]] = []
    for miss in sorted(misses, key=lambda miss: (-miss.count, -miss.last, miss.key)):
        stems = _content_stems(miss.text, read_as)
        cluster = next((members for leader, members in clusters if _is_similar(leader, stems)), None)
        if cluster is None:
            clusters.append((stems, [miss]))
        else:
            cluster.append(miss)
    by_count = sorted(
        (members for _, members in clusters), key=lambda members: (-sum(m.count for m in members), members[0].key)
    )
    return tuple(map(tuple, by_count))


def _content_stems(text: str, read_as: Callable[[str], str | None]) -> frozenset[str]:
    """Stems of the words other than stopwords; of all words where there are only those."""
    all_words = words(text)
    content = [word for word in all_words if word not in STOPWORDS] or all_words
    return frozenset(stem(read_as(word) or word) for word in content)


def _is_similar(stems: frozenset[str], other: frozenset[str]) -> bool:
    shared = len(stems & other)
    return shared > 0 and 2 * shared / (len(stems) + len(other)) >= MIN_SIMILARITY
