"""How alike a question and the entries are in meaning: sentence directions of the word table, by phrasing and on average."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from bot.match.profiles import without_itself
from bot.match.sparse import BLOCK, Floats, Ints
from bot.match.wordtable import DIMENSIONS, WordTable, unit, weight


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
        """Cosine to the nearest phrasing of each of `entries`, leaving one phrasing out; below 0 counts as 0."""
        found = np.zeros(len(entries), dtype=np.float32)
        for at, (first, last) in enumerate(zip(starts[entries].tolist(), starts[entries + 1].tolist(), strict=True)):
            cosines = self.phrasings[first:last] @ direction
            if first <= phrasing < last:
                cosines[phrasing - first] = 0
            found[at] = cosines.max(initial=0)
        return found


def meanings(
    table: WordTable, words: Sequence[str], word_ids: Ints, starts: Ints, entry_of: Ints, entries: int
) -> Meanings:
    """The directions of phrasings that are given as numbers into `words`."""
    rows = np.array([-1 if (row := table.words.row_of(word)) is None else row for word in words], dtype=np.int64)
    rarity = np.array([table.words.rarity_of(word) for word in words], dtype=np.float32)
    known = np.flatnonzero(rows >= 0)
    directions = np.zeros((len(words), DIMENSIONS), dtype=np.float32)
    directions[known] = table.directions(rows[known].tolist()) * weight(rarity[known])[:, None]
    sums = np.zeros((len(entry_of), DIMENSIONS), dtype=np.float32)
    lengths = np.diff(starts)
    for place in range(int(lengths.max(initial=0))):
        longer = np.flatnonzero(lengths > place)
        for part in np.array_split(longer, len(longer) // BLOCK + 1):
            sums[part] += directions[word_ids[starts[part] + place]]
    phrasings = unit(sums)
    total = np.zeros((entries, DIMENSIONS), dtype=np.float32)
    for entry, (first, last) in enumerate(pairwise(np.searchsorted(entry_of, np.arange(entries + 1)))):
        total[entry] = phrasings[first:last].sum(axis=0)
    return Meanings(phrasings, unit(total), np.linalg.norm(total, axis=1).astype(np.float32))
