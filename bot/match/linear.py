"""A linear separator of entries where there are many phrasings: squared-hinge support vectors, one entry against the rest.

Trained by dual coordinate descent (Hsieh et al. 2008), one phrasing after another for all entries at once, a fixed number of
rounds in a fixed order from zero: deterministic, and numpy is enough.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bot.match.profiles import Bag
from bot.match.sparse import Floats, Ints, Occurrences, rarity, tally

COST = 4.0
ROUNDS = 4
BIAS = -1.0
"""Fixed: a question nobody knows anything about belongs to no entry."""

LARGEST = 20_000_000
"""Weights (features x entries) beyond which the layer is left out: 80 MB."""

PRUNE_FROM = 3_000
"""Phrasings from which a feature that only one of them has is dropped."""

STRIDE = 7_919
"""Prime: phrasings are visited in steps of it, so that neighbours in the order are of different entries."""


@dataclass(frozen=True, slots=True)
class Linear:
    """Weights by feature and entry; `keys` ascend. Empty where the layer is left out."""

    keys: Ints
    idf: Floats
    weights: Floats

    def score(self, bag: Bag) -> Floats:
        """Decision value by entry, without the bias; zero where no feature is known."""
        if not len(self.keys):
            return np.zeros(self.weights.shape[1], dtype=np.float32)
        at = np.minimum(np.searchsorted(self.keys, bag.keys), len(self.keys) - 1)
        known = self.keys[at] == bag.keys
        values = (1 + np.log(bag.counts)) * np.where(known, self.idf[at], self.idf[-1])
        values /= np.sqrt(values @ values) or 1.0
        return np.asarray(values[known].astype(np.float32) @ self.weights[at[known]])


def train(features: Occurrences, entry_of: Ints, entries: int) -> Linear:
    """Separate the entries by the features of their phrasings."""
    owners = np.repeat(np.arange(len(entry_of)), np.diff(features.starts))
    owners, ids, tf = tally(owners, features.ids.astype(np.int64))
    kept = np.bincount(ids, minlength=len(features.names)) > (1 if len(entry_of) > PRUNE_FROM else 0)
    if int(kept.sum()) * entries > LARGEST or not kept.any():
        return Linear(np.zeros(0, np.int64), np.zeros(0, np.float32), np.zeros((0, entries), np.float32))
    shared = np.bincount(np.unique(ids * entries + entry_of[owners]) // entries, minlength=len(features.names))
    idf = rarity(shared, entries)
    values = (1 + np.log(tf)) * idf[ids]
    values /= np.sqrt(np.bincount(owners, weights=values * values))[owners]
    keep = kept[ids]
    number = np.cumsum(kept) - 1
    starts = np.searchsorted(owners[keep], np.arange(len(entry_of) + 1))
    weights = np.zeros((int(kept.sum()), entries), dtype=np.float32)
    _descend(weights, number[ids[keep]], values[keep].astype(np.float32), starts, entry_of)
    return Linear(features.names[kept], np.r_[idf[:-1][kept], idf[-1]].astype(np.float32), weights)


def _descend(weights: Floats, features: Ints, values: Floats, starts: Ints, entry_of: Ints) -> None:
    """Visit every phrasing ROUNDS times and move the weights, in place, until it is on the right side of each entry."""
    dual = np.zeros((len(entry_of), weights.shape[1]), dtype=np.float32)
    sign = np.full(weights.shape[1], -1, dtype=np.float32)
    soft = 1 / (2 * COST)
    stride = STRIDE if len(entry_of) % STRIDE else 1
    order = np.arange(len(entry_of)) * stride % len(entry_of)
    for at in np.tile(order, ROUNDS):
        rows, x, own = features[starts[at] : starts[at + 1]], values[starts[at] : starts[at + 1]], entry_of[at]
        sign[own] = 1
        slope = sign * (x @ weights[rows] + BIAS) - 1 + soft * dual[at]
        change = np.maximum(dual[at] - slope / (x @ x + soft), 0) - dual[at]
        dual[at] += change
        weights[rows] += x[:, None] * (sign * change)
        sign[own] = -1
