"""Multinomial naive Bayes over a target's phrasings taken together, and the cosine to their centroid.

Everything is counted, nothing is trained. Holding one phrasing out is exact up to the idf, so that the gate can be calibrated
without building the index again for each phrasing.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from bot.retrieval.sparse import (
    DenseRows,
    Doubles,
    FeatureCounts,
    Floats,
    Ints,
    Occurrences,
    SparseRows,
    build_dense_rows,
    build_rows,
    count_pairs,
    smoothed_idf,
)

SMOOTHING = 0.03
"""Added to every count (Lidstone smoothing). Measured on validation questions; 0.01 to 0.1 gave the same accuracy."""

DENSE_SHARE = 1 / 8
"""Share of the targets that have a feature, from which its row has a dense copy: nearly all cells that questions meet are in such
rows. Measured at 15,000 and 100,000 phrasings."""


@dataclass(frozen=True, slots=True)
class NaiveBayes:
    """Counts of features by target.

    Attributes:
        rows: A row for each feature, a column for each target; values are ln(1 + count / SMOOTHING).
        totals: (targets,), features of each target, with repetition.
        idf: (features + 1,), by row; the last is that of a feature that no target has.
        centroid: (cells,), beside `rows.values`: the feature's component of the target's centroid. Empty: no centroid is kept.
        length: (targets,), length of the sum of a target's unit vectors. Empty like `centroid`.
    """

    rows: SparseRows
    totals: Floats
    idf: Floats
    centroid: Floats
    length: Floats
    _dense: DenseRows = field(init=False, repr=False, compare=False)
    """Values and, if they are kept, centroids."""

    def __post_init__(self) -> None:
        kinds = (self.rows.values, self.centroid) if len(self.centroid) else (self.rows.values,)
        dense = build_dense_rows(self.rows, len(self.totals), DENSE_SHARE, *kinds)
        object.__setattr__(self, "_dense", dense)

    def score(self, features: FeatureCounts, own_target: int = -1) -> tuple[Floats, Floats]:
        """Log-likelihood and centroid cosine of a query under each target.

        Features that no target has lower the cosine.

        Args:
            features: The query's features.
            own_target: The query is one of this target's own phrasings, and is taken out of its counts first; -1: it is none.

        Returns:
            (targets,): log-likelihood, constants left out, divided by the root of the number of features.
            (targets,): cosine to the centroid; zeros where no centroid is kept.
        """
        targets = len(self.totals)
        rows = self.rows.find(features.keys)
        known = (rows >= 0).nonzero()[0]
        counts = features.counts[known]
        is_dense, dense = self._dense.split(rows[known])
        sparse = (~is_dense).nonzero()[0]
        cells, owners = self.rows.cells(rows[known[sparse]])
        columns, values = self.rows.columns.take(cells), self.rows.values.take(cells)
        likelihood = np.bincount(columns, weights=counts[sparse][owners] * values, minlength=targets)
        likelihood = likelihood + counts[is_dense].astype(np.float32) @ dense[:, :targets]
        seen = int(counts.sum())
        space = SMOOTHING * max(len(self.rows.keys), 1)
        likelihood = likelihood - seen * np.log(self.totals + space)
        if own_target >= 0:
            own_cells = columns == own_target
            own_counts = np.r_[counts[sparse][owners[own_cells]], counts[is_dense]]
            own_values = np.r_[values[own_cells], dense[:, own_target]]
            remaining = np.maximum(SMOOTHING * np.exp(own_values) - own_counts, SMOOTHING)
            likelihood[own_target] = own_counts @ np.log(remaining / SMOOTHING) - seen * np.log(
                self.totals[own_target] - seen + space
            )
        likelihood /= np.sqrt(features.counts.sum()) or 1.0
        if not len(self.centroid):
            return likelihood.astype(np.float32), np.zeros(targets, dtype=np.float32)
        weights = features.weights * self.idf[rows]
        weights /= np.sqrt(weights @ weights) or 1.0
        weights = weights[known]
        cosine = np.bincount(columns, weights=weights[sparse][owners] * self.centroid.take(cells), minlength=targets)
        cosine = cosine + weights[is_dense].astype(np.float32) @ dense[:, targets:]
        if own_target >= 0:
            cosine[own_target] = cosine_without_self(float(cosine[own_target]), float(self.length[own_target]))
        return likelihood.astype(np.float32), cosine.astype(np.float32)


def cosine_without_self(cosine: float, length: float) -> float:
    """A unit vector's cosine to a sum of unit vectors of that `length`, once it is subtracted from the sum."""
    projection = cosine * length
    squared_rest = length * length - 2 * projection + 1
    return (projection - 1) / float(np.sqrt(squared_rest)) if squared_rest > 1e-6 else 0.0


def build_naive_bayes(features: Occurrences, target_of: Ints, targets: int, *, centroid: bool) -> NaiveBayes:
    """Count features by target.

    Args:
        features: The features of each phrasing.
        target_of: (phrasings,), the target of each.
        targets: Number of targets.
        centroid: Whether to keep centroids.
    """
    blocks = [count_pairs(ids, target_of[owners]) for owners, ids in features.blocks()]
    ids, columns, counts = (np.concatenate(part) for part in zip(*blocks, strict=True))
    ids, columns, counts = count_pairs(ids, columns, counts)
    rows = build_rows(features.keys, ids, columns, np.log1p(counts / SMOOTHING))
    totals = np.bincount(columns, weights=counts, minlength=targets).astype(np.float32)
    idf = smoothed_idf(np.diff(rows.starts), targets)
    empty = np.zeros(0, dtype=np.float32)
    if not centroid:
        return NaiveBayes(rows, totals, idf.astype(np.float32), empty, empty)
    sums = _vector_sums(features, target_of, ids * targets + columns, idf, targets)
    length = np.sqrt(np.bincount(columns, weights=sums * sums, minlength=targets))
    unit = sums / np.maximum(length[columns], 1e-9)
    return NaiveBayes(rows, totals, idf.astype(np.float32), unit.astype(np.float32), length.astype(np.float32))


def _vector_sums(features: Occurrences, target_of: Ints, cells: Ints, idf: Doubles, targets: int) -> Doubles:
    """Sum of the unit tf-idf vectors of a target's phrasings, by cell. `cells`: feature x targets + target, ascending."""
    sums = np.zeros(len(cells))
    for owners, ids in features.blocks():
        features_seen, phrasings, counts = count_pairs(ids, owners)
        weights = (1 + np.log(counts)) * idf[features_seen]
        norms = np.sqrt(np.bincount(phrasings, weights=weights * weights))
        positions = np.searchsorted(cells, features_seen * targets + target_of[phrasings])
        sums += np.bincount(positions, weights=weights / norms[phrasings], minlength=len(cells))
    return sums
