"""TF-IDF over stems: the cosine between a query and each phrasing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from bot.retrieval.sparse import (
    DenseRows,
    Floats,
    Ints,
    Occurrences,
    SparseRows,
    build_dense_rows,
    build_rows,
    count_pairs,
    smoothed_idf,
)

SUBJECT_WEIGHT = 0.25
"""Factor for the idf of the subject's words: nearly every question has them."""

DENSE_SHARE = 1 / 12
"""Share of the phrasings that have a stem, from which its row has a dense copy. Measured at 15,000 and 100,000 phrasings."""


@dataclass(frozen=True, slots=True)
class TfidfIndex:
    """An inverted index of phrasings.

    A stem's weight in a phrasing is (1 + ln tf) idf, scaled so that each phrasing has length one; idf counts targets, not
    phrasings.

    Attributes:
        rows: A row for each stem, a column for each phrasing.
        idf: (stems + 1,), by row; the last is that of a stem that no phrasing has.
        count: Number of phrasings.
    """

    rows: SparseRows
    idf: Floats
    count: int
    _dense: DenseRows = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_dense", build_dense_rows(self.rows, self.count, DENSE_SHARE, self.rows.values))

    def cosines(self, stems: Ints, trust: Floats, unknown_count: int) -> Floats:
        """The cosine of a query to each phrasing.

        Args:
            stems: The query's stems that the index has.
            trust: For each of them 1, or less where the word was corrected.
            unknown_count: Number of the query's other stems; they lower every cosine.

        Returns:
            (phrasings,)
        """
        if len(set(stems.tolist())) == len(stems):
            rows, trusted = self.rows.find(stems), trust
            weights = self.idf[rows]
        else:
            by_stem: dict[int, tuple[int, float]] = {}
            for stem, stem_trust in zip(stems.tolist(), trust.tolist(), strict=True):
                count, highest = by_stem.get(stem, (0, 0.0))
                by_stem[stem] = count + 1, max(highest, stem_trust)
            rows = self.rows.find(np.array(list(by_stem), dtype=np.int64))
            tf, trusted = np.array(list(by_stem.values()), dtype=np.float32).reshape(-1, 2).T
            weights = (1 + np.log(tf)) * self.idf[rows]
        norm = np.sqrt(weights @ weights + unknown_count * self.idf[-1] ** 2) or 1.0
        cosines = np.zeros(self.count, dtype=np.float32)
        starts, columns, values = self.rows.starts, self.rows.columns, self.rows.values
        dense, product = self._dense, np.empty_like(cosines)
        bounds = dense.positions[rows].tolist(), starts[rows].tolist(), starts[rows + 1].tolist()
        for position, first, last, weight in zip(*bounds, weights * trusted / norm, strict=True):
            if position >= 0:
                cosines += np.multiply(dense.table[position], weight, out=product)
            else:
                cosines[columns[first:last]] += weight * values[first:last]
        return cosines


def build_tfidf(stems: Occurrences, target_of: Ints, targets: int, subject: Sequence[int]) -> TfidfIndex:
    """Index the stems of phrasings.

    Args:
        stems: The stems of each phrasing.
        target_of: (phrasings,), the target of each.
        targets: Number of targets.
        subject: Stems of the pack's subject.
    """
    blocks = [count_pairs(ids, owners) for owners, ids in stems.blocks()]
    ids, owners, tf = (np.concatenate(part) for part in zip(*blocks, strict=True))
    order = np.lexsort((owners, ids))
    ids, owners, tf = ids[order], owners[order], tf[order]
    document_counts = np.bincount(np.unique(ids * targets + target_of[owners]) // targets, minlength=len(stems.keys))
    idf = smoothed_idf(document_counts, targets)
    idf[np.isin(np.r_[stems.keys, -1], list(subject))] *= SUBJECT_WEIGHT
    weights = (1 + np.log(tf)) * idf[ids]
    norms = np.sqrt(np.bincount(owners, weights=weights * weights, minlength=len(target_of)))
    rows = build_rows(stems.keys, ids, owners, weights / norms[owners])
    return TfidfIndex(rows, idf.astype(np.float32), len(target_of))
