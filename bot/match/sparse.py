"""Sparse tables with numpy alone: what features each phrasing has, and rows that are looked up by key."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Places = NDArray[np.int32]
Floats = NDArray[np.float32]

BLOCK = 10_000
"""Phrasings counted at a time, so that a large pack needs little more memory to build than to keep."""


@dataclass(frozen=True, slots=True)
class Occurrences:
    """Features of each phrasing, with repetition: `ids[starts[p]:starts[p + 1]]` are numbers into the ascending `names`."""

    names: Ints
    ids: Places
    starts: Ints

    def blocks(self) -> Iterator[tuple[Ints, Ints]]:
        """Blocks of (phrasing, feature) pairs; a phrasing's own are never torn apart."""
        phrasings = len(self.starts) - 1
        for first in range(0, max(phrasings, 1), BLOCK):
            last = min(first + BLOCK, phrasings)
            owners = np.repeat(np.arange(first, last), np.diff(self.starts[first : last + 1]))
            yield owners, self.ids[self.starts[first] : self.starts[last]].astype(np.int64)


@dataclass(frozen=True, slots=True)
class Rows:
    """Row r, named keys[r], has weights[starts[r]:starts[r + 1]] at the places beside them. Keys ascend."""

    keys: Ints
    starts: Ints
    places: Ints
    """Wide, though narrow numbers would do: numpy indexes by these without converting them first."""
    weights: Floats

    def find(self, keys: Ints) -> Ints:
        """Row number of each key, -1 where there is none."""
        if not len(self.keys):
            return np.full(len(keys), -1, dtype=np.int64)
        at = self.keys.searchsorted(keys)
        np.minimum(at, len(self.keys) - 1, out=at)
        at[self.keys[at] != keys] = -1
        return at

    def spread(self, rows: Ints) -> tuple[Ints, Ints]:
        """Positions of all cells of the rows, and for each cell which of `rows` (0, 1, ...) it belongs to."""
        return ragged(self.starts, rows)


def ragged(starts: Ints, rows: Ints) -> tuple[Ints, Ints]:
    """Flat positions of the slices starts[r]:starts[r + 1], one after another, and the number of the slice of each."""
    begin = starts[rows]
    lengths = starts[rows + 1] - begin
    owner = np.arange(len(rows)).repeat(lengths)
    before = lengths.cumsum() - lengths
    return np.arange(len(owner)) + (begin - before)[owner], owner


def tally(ids: Ints, owners: Ints, counts: Ints | None = None) -> tuple[Ints, Ints, Ints]:
    """How often each id occurs with each owner: (ids, owners, counts), sorted by id, then owner."""
    span = int(owners.max(initial=0)) + 1
    if counts is None:
        cells, total = np.unique(ids * span + owners, return_counts=True)
    else:
        cells, where = np.unique(ids * span + owners, return_inverse=True)
        total = np.bincount(where, weights=counts).astype(np.int64)
    return cells // span, cells % span, total


def rows_of(names: Ints, ids: Ints, places: Ints, weights: NDArray[np.floating]) -> Rows:
    """Rows out of cells sorted by id, the number of their name."""
    starts = np.searchsorted(ids, np.arange(len(names) + 1))
    return Rows(names, starts, places.astype(np.int64), weights.astype(np.float32))


def rarity(shared: Ints, entries: int) -> NDArray[np.float64]:
    """Weight of features by how many entries have each; one more at the end, for features that none has."""
    return np.asarray(np.log((1 + entries) / (1 + np.r_[shared, 0])) + 1)
