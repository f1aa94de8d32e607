"""What an entry's phrasings look like together: smoothed counts of features, and a centroid. Plain counting.

`Profile` answers "how likely is this bag of features under each entry" (multinomial naive Bayes) and, where it has a
centroid, "how alike". Leaving one phrasing out is exact up to the weights' idf, so the gate can be fitted without
building the index anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bot.match.sparse import Floats, Ints, Occurrences, Rows, rarity, rows_of, tally

SMOOTHING = 0.03
"""Added to every count. Measured on validation questions; .01 to .1 are level."""


Doubles = NDArray[np.float64]


class Bag(NamedTuple):
    """A question's features: ascending keys, how often each occurs, and its weight for that, 1 + ln of it."""

    keys: Ints
    counts: Ints
    weights: Doubles


def bag(keys: Ints) -> Bag:
    """The features with their counts."""
    keys = np.sort(keys)
    first = np.ones(len(keys), dtype=bool)
    np.not_equal(keys[1:], keys[:-1], out=first[1:])
    at = first.nonzero()[0]
    counts = np.empty_like(at)
    np.subtract(at[1:], at[:-1], out=counts[:-1])
    counts[-1:] = len(keys) - at[-1:]
    return Bag(keys[at], counts, 1 + np.log(counts))


def once(keys: Ints) -> Bag:
    """Ascending features, each of which occurs once."""
    return Bag(keys, np.ones_like(keys), np.ones(len(keys)))


@dataclass(frozen=True, slots=True)
class Profile:
    """Counts of features by entry. `rows.weights` is ln(1 + count / SMOOTHING)."""

    rows: Rows
    totals: Floats
    """Features of each entry, with repetition."""
    idf: Floats
    """Of each row; one more at the end for features that no entry has."""
    centroid: Floats
    """Beside rows.weights: the feature's share in the entry's direction. Empty: no centroid is kept."""
    length: Floats
    """Length of each entry's sum of unit vectors."""

    def compare(self, bag: Bag, own: int = -1) -> tuple[Floats, Floats]:
        """By entry: log-likelihood over the root of the number of features, and the cosine to the centroid, if one is kept.

        Features that no entry has lower the cosine. `own`: this entry is asked about one of its own phrasings, which has
        to be taken out of its counts first.
        """
        rows = self.rows.find(bag.keys)
        known = (rows >= 0).nonzero()[0]
        at, owner = self.rows.spread(rows[known])
        places, counts = self.rows.places.take(at), bag.counts[known]
        weights = self.rows.weights.take(at)
        often = counts[owner] * weights if len(bag.counts) < bag.counts.sum() else weights
        likely = np.bincount(places, weights=often, minlength=len(self.totals))
        seen = int(counts.sum())
        space = SMOOTHING * max(len(self.rows.keys), 1)
        likely = likely - seen * np.log(self.totals + space)
        if own >= 0:
            mine = places == own
            asked_often = counts[owner[mine]]
            left = np.maximum(SMOOTHING * np.exp(weights[mine]) - asked_often, SMOOTHING)
            likely[own] = asked_often @ np.log(left / SMOOTHING) - seen * np.log(self.totals[own] - seen + space)
        likely /= np.sqrt(bag.counts.sum()) or 1.0
        if not len(self.centroid):
            return likely.astype(np.float32), np.zeros(len(self.totals), dtype=np.float32)
        asked = bag.weights * self.idf[rows]
        asked /= np.sqrt(asked @ asked) or 1.0
        alike = np.bincount(places, weights=asked[known][owner] * self.centroid.take(at), minlength=len(self.totals))
        if own >= 0:
            alike[own] = without_itself(float(alike[own]), float(self.length[own]))
        return likely.astype(np.float32), alike.astype(np.float32)


def without_itself(cosine: float, length: float) -> float:
    """A unit vector's cosine to a sum of unit vectors of that length, once it is taken out of the sum."""
    along = cosine * length
    rest = length * length - 2 * along + 1
    return (along - 1) / float(np.sqrt(rest)) if rest > 1e-6 else 0.0


def profile(features: Occurrences, entry_of: Ints, entries: int, *, centroid: bool) -> Profile:
    """Count features by entry."""
    blocks = [tally(ids, entry_of[owners]) for owners, ids in features.blocks()]
    ids, places, counts = (np.concatenate(part) for part in zip(*blocks, strict=True))
    ids, places, counts = tally(ids, places, counts)
    rows = rows_of(features.names, ids, places, np.log1p(counts / SMOOTHING))
    totals = np.bincount(places, weights=counts, minlength=entries).astype(np.float32)
    idf = rarity(np.diff(rows.starts), entries)
    none = np.zeros(0, dtype=np.float32)
    if not centroid:
        return Profile(rows, totals, idf.astype(np.float32), none, none)
    sums = _sums(features, entry_of, ids * entries + places, idf, entries)
    length = np.sqrt(np.bincount(places, weights=sums * sums, minlength=entries))
    unit = sums / np.maximum(length[places], 1e-9)
    return Profile(rows, totals, idf.astype(np.float32), unit.astype(np.float32), length.astype(np.float32))


def _sums(features: Occurrences, entry_of: Ints, cells: Ints, idf: Doubles, entries: int) -> Doubles:
    """Sum of the unit vectors of an entry's phrasings. `cells`: feature x entries + entry, ascending."""
    sums = np.zeros(len(cells))
    for owners, ids in features.blocks():
        seen, phrasings, counts = tally(ids, owners)
        weights = (1 + np.log(counts)) * idf[seen]
        norms = np.sqrt(np.bincount(phrasings, weights=weights * weights))
        at = np.searchsorted(cells, seen * entries + entry_of[phrasings])
        sums += np.bincount(at, weights=weights / norms[phrasings], minlength=len(cells))
    return sums
