"""How alike a question and the entries are in meaning: sentence directions of the word table, by phrasing and on average."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bot.match.profiles import without_itself
from bot.match.sparse import Floats, Ints, ragged
from bot.match.wordtable import DIMENSIONS, WordTable, unit, weight

SHORTLIST = 48
"""Entries whose phrasings are compared one by one; the others could not win any more."""


@dataclass(frozen=True, slots=True)
class Meanings:
    """Unit rows: `phrasings` by phrasing, `entries` their average by entry; `length` of each entry's sum."""

    phrasings: Floats
    entries: Floats
    length: Floats

    def average(self, direction: Floats, own: int = -1) -> Floats:
        """Cosine to each entry's average."""
        score = self.entries @ direction
        if own >= 0 and direction.any():
            score[own] = without_itself(float(score[own]), float(self.length[own]))
        return score

    def nearest(self, direction: Floats, entries: Ints, starts: Ints, phrasing: int = -1) -> Floats:
        """Cosine to the nearest phrasing of each of `entries`, leaving one phrasing out; no phrasing, no likeness."""
        at, owner = ragged(starts, entries)
        cosines = self.phrasings[at] @ direction
        cosines[at == phrasing] = 0
        found = np.zeros(len(entries), dtype=np.float32)
        np.maximum.at(found, owner, cosines)
        return found


def meanings(table: WordTable, words: Sequence[str], word_ids: Ints, starts: Ints, entry_of: Ints, entries: int) -> Meanings:
    """The directions of phrasings that are given as numbers into `words`."""
    rows = np.array([table.words.rows.get(word, -1) for word in words], dtype=np.int64)
    rarity = np.array([table.words.rarity_of(word) for word in words], dtype=np.float32)
    known = np.flatnonzero(rows >= 0)
    directions = np.zeros((len(words), DIMENSIONS), dtype=np.float32)
    directions[known] = table.directions(rows[known]) * weight(rarity[known])[:, None]
    sums = np.zeros((len(entry_of), DIMENSIONS), dtype=np.float32)
    for first in range(0, len(entry_of), 4_096):
        last = min(first + 4_096, len(entry_of))
        at = slice(starts[first], starts[last])
        owners = np.repeat(np.arange(last - first), np.diff(starts[first : last + 1]))
        np.add.at(sums[first:last], owners, directions[word_ids[at]])
    phrasings = unit(sums)
    total = np.zeros((entries, DIMENSIONS), dtype=np.float32)
    np.add.at(total, entry_of, phrasings)
    return Meanings(phrasings, unit(total), np.linalg.norm(total, axis=1).astype(np.float32))
