"""Sparse matrices with numpy alone: counted features of a query and of phrasings, and rows that are looked up by key."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
SmallInts = NDArray[np.int32]
Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
BooleanArray = NDArray[np.bool_]

BLOCK = 10_000
"""Phrasings counted at a time, so that building a large index needs little more memory than keeping it."""


class FeatureCounts(NamedTuple):
    """A query's features: ascending keys, how often each occurs, and 1 + ln of that, its tf weight."""

    keys: Ints
    counts: Ints
    weights: Doubles


def count_features(keys: Ints) -> FeatureCounts:
    """The distinct features with their counts."""
    keys = np.sort(keys)
    is_first = np.ones(len(keys), dtype=bool)
    np.not_equal(keys[1:], keys[:-1], out=is_first[1:])
    positions = is_first.nonzero()[0]
    counts = np.empty_like(positions)
    np.subtract(positions[1:], positions[:-1], out=counts[:-1])
    counts[-1:] = len(keys) - positions[-1:]
    return FeatureCounts(keys[positions], counts, 1 + np.log(counts))


def distinct_features(keys: Ints) -> FeatureCounts:
    """Ascending features that occur once each."""
    return FeatureCounts(keys, np.ones_like(keys), np.ones(len(keys)))


@dataclass(frozen=True, slots=True)
class Occurrences:
    """Features of each phrasing, with repetition.

    Phrasing p has the features `keys[ids[starts[p]:starts[p + 1]]]`.

    Attributes:
        keys: (features,), ascending.
        ids: (occurrences,), positions in `keys`.
        starts: (phrasings + 1,).
    """

    keys: Ints
    ids: SmallInts
    starts: Ints

    def blocks(self) -> Iterator[tuple[Ints, Ints]]:
        """Arrays of (phrasing, feature id) pairs for BLOCK phrasings at a time; a phrasing is never divided."""
        phrasings = len(self.starts) - 1
        for first in range(0, max(phrasings, 1), BLOCK):
            last = min(first + BLOCK, phrasings)
            owners = np.repeat(np.arange(first, last), np.diff(self.starts[first : last + 1]))
            yield owners, self.ids[self.starts[first] : self.starts[last]].astype(np.int64)


@dataclass(frozen=True, slots=True)
class SparseRows:
    """A matrix in compressed sparse row form whose rows are found by key.

    Row r belongs to `keys[r]` and has `values[starts[r]:starts[r + 1]]` in the `columns` beside them.

    Attributes:
        keys: (rows,), ascending.
        starts: (rows + 1,).
        columns: (cells,); 64 bits wide because numpy indexes by these without converting them first.
        values: (cells,).
    """

    keys: Ints
    starts: Ints
    columns: Ints
    values: Floats

    def find(self, keys: Ints) -> Ints:
        """The row of each key, -1 where there is none."""
        if not len(self.keys):
            return np.full(len(keys), -1, dtype=np.int64)
        rows = self.keys.searchsorted(keys)
        np.minimum(rows, len(self.keys) - 1, out=rows)
        rows[self.keys[rows] != keys] = -1
        return rows

    def cells(self, rows: Ints) -> tuple[Ints, Ints]:
        """Positions of all cells of `rows`, and for each cell the position in `rows` of its row."""
        return slice_positions(self.starts, rows)


@dataclass(frozen=True, slots=True)
class DenseRows:
    """Dense copies of a sparse matrix's fullest rows, which a query reads in one piece instead of cell by cell.

    Attributes:
        positions: (rows of the sparse matrix,), the row in `table`, or -1.
        table: (dense rows, kinds of values x columns), the kinds side by side.
    """

    positions: Ints
    table: Floats

    def split(self, rows: Ints) -> tuple[BooleanArray, Floats]:
        """Which of some rows have a dense copy, and those copies."""
        positions = self.positions[rows]
        has_copy = positions >= 0
        return has_copy, self.table.take(positions[has_copy], axis=0)


def build_dense_rows(rows: SparseRows, columns: int, min_share: float, *values: Floats) -> DenseRows:
    """Dense copies of the rows with more than `min_share` of the columns.

    Args:
        rows: The sparse matrix.
        columns: Its number of columns.
        min_share: Between 0 and 1.
        values: One or more arrays beside `rows.columns`.
    """
    full = (np.diff(rows.starts) > columns * min_share).nonzero()[0]
    positions = np.full(len(rows.keys), -1, dtype=np.int64)
    positions[full] = np.arange(len(full))
    cells, owners = rows.cells(full)
    table = np.zeros((len(full), len(values), columns), dtype=np.float32)
    for kind, array in enumerate(values):
        table[owners, kind, rows.columns[cells]] = array[cells]
    return DenseRows(positions, table.reshape(len(full), len(values) * columns))


def slice_positions(starts: Ints, rows: Ints) -> tuple[Ints, Ints]:
    """Positions of the slices starts[r]:starts[r + 1] one after another, and for each which of `rows` it is from."""
    first = starts[rows]
    lengths = starts[rows + 1] - first
    owners = np.arange(len(rows)).repeat(lengths)
    before = lengths.cumsum() - lengths
    return np.arange(len(owners)) + (first - before)[owners], owners


def count_pairs(ids: Ints, owners: Ints, counts: Ints | None = None) -> tuple[Ints, Ints, Ints]:
    """How often each id occurs with each owner: (ids, owners, counts), sorted by id, then owner.

    `counts`: how often each given pair occurs; once by default.
    """
    span = int(owners.max(initial=0)) + 1
    if counts is None:
        pairs, totals = np.unique(ids * span + owners, return_counts=True)
    else:
        pairs, positions = np.unique(ids * span + owners, return_inverse=True)
        totals = np.bincount(positions, weights=counts).astype(np.int64)
    return pairs // span, pairs % span, totals


def build_rows(keys: Ints, ids: Ints, columns: Ints, values: NDArray[np.floating]) -> SparseRows:
    """A matrix from its cells, sorted by `ids`, the position of a cell's row in `keys`."""
    starts = np.searchsorted(ids, np.arange(len(keys) + 1))
    return SparseRows(keys, starts, columns.astype(np.int64), values.astype(np.float32))


def smoothed_idf(document_counts: Ints, documents: int) -> Doubles:
    """ln((1 + N) / (1 + df)) + 1 for each feature, and at the end for a feature that no document has (as in scikit-learn)."""
    return np.asarray(np.log((1 + documents) / (1 + np.r_[document_counts, 0])) + 1)
