"""How alike a question and each phrasing are, word by word: cosine of weighted stems."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bot.match.sparse import Floats, Ints, Occurrences, Rows, rarity, rows_of, tally

SUBJECT_WEIGHT = 0.25
"""Share of its weight that a word of the pack's subject keeps: nearly every question has it."""


@dataclass(frozen=True, slots=True)
class Phrasings:
    """Postings of stems. Weights: (1 + ln tf) idf, unit length by phrasing; idf counts entries, not phrasings."""

    rows: Rows
    idf: Floats
    """By row; the last is that of a stem the pack doesn't have."""
    count: int

    def likeness(self, stems: Ints, trust: Floats, unknown: int) -> Floats:
        """Cosine to each phrasing. `trust` is below 1 where a stem was guessed; `unknown` stems lower every cosine."""
        if len(set(stems.tolist())) == len(stems):
            rows, sureness = self.rows.find(stems), trust
            weights = self.idf[rows]
        else:
            found: dict[int, tuple[int, float]] = {}
            for stem, sure in zip(stems.tolist(), trust.tolist(), strict=True):
                often, surest = found.get(stem, (0, 0.0))
                found[stem] = often + 1, max(surest, sure)
            rows = self.rows.find(np.array(list(found), dtype=np.int64))
            tf, sureness = np.array(list(found.values()), dtype=np.float32).reshape(-1, 2).T
            weights = (1 + np.log(tf)) * self.idf[rows]
        norm = np.sqrt(weights @ weights + unknown * self.idf[-1] ** 2) or 1.0
        score = np.zeros(self.count, dtype=np.float32)
        starts, places, cells = self.rows.starts, self.rows.places, self.rows.weights
        slices = zip(starts[rows].tolist(), starts[rows + 1].tolist(), weights * sureness / norm, strict=True)
        for first, last, weight in slices:
            score[places[first:last]] += weight * cells[first:last]
        return score


def phrasings(stems: Occurrences, entry_of: Ints, entries: int, subject: Sequence[int]) -> Phrasings:
    """Index the stems of phrasings. `subject`: stems that nearly every question has."""
    cells = [tally(ids, owners) for owners, ids in stems.blocks()]
    ids, owners, tf = (np.concatenate(part) for part in zip(*cells, strict=True))
    order = np.lexsort((owners, ids))
    ids, owners, tf = ids[order], owners[order], tf[order]
    shared = np.bincount(np.unique(ids * entries + entry_of[owners]) // entries, minlength=len(stems.names))
    idf = rarity(shared, entries)
    idf[np.isin(np.r_[stems.names, -1], list(subject))] *= SUBJECT_WEIGHT
    weights = (1 + np.log(tf)) * idf[ids]
    norms = np.sqrt(np.bincount(owners, weights=weights * weights, minlength=len(entry_of)))
    rows = rows_of(stems.names, ids, owners, weights / norms[owners])
    return Phrasings(rows, idf.astype(np.float32), len(entry_of))
