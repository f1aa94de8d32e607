"""A linear separator of entries: squared-hinge support vectors, one entry against the rest.

It sees a question's sequences, pairs of its words wherever they stand, its grams and its direction in the word table side by
side. Trained by dual coordinate descent (Hsieh et al. 2008), one phrasing after another for all entries at once, a fixed number
of rounds in a fixed order from zero: deterministic, and numpy is enough.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bot.match.features import question_pairs
from bot.match.profiles import Bag, once
from bot.match.reader import Question
from bot.match.sparse import Floats, Ints, Occurrences, rarity, tally
from bot.match.wordtable import DIMENSIONS

COST = 4.0
ROUNDS = 4
BIAS = -1.0
"""Fixed: a question nobody knows anything about belongs to no entry."""

LENGTHS, DIRECTION = (1.0, 0.7, 0.7), 0.7
"""Length of the sequences, the pairs and the grams, and of the direction."""

LARGEST = 20_000_000
"""Weights (features x entries) beyond which the layer is left out: 80 MB."""

MOST = 40_000
"""Phrasings beyond which it is left out as well: counts say enough by then, and training takes its time."""

PRUNE_FROM = (3_000, 0, 3_000)
"""Phrasings from which a sequence, pair or gram that only one of them has is dropped."""

STRIDE = 7_919
"""Prime: phrasings are visited in steps of it, so that neighbours in the order are of different entries."""


Halves = NDArray[np.float16]
"""What weights are rounded to, and how a file has them: what is lost is far below what parts two entries. In memory they are
wide: to widen the rows of one question took as long as to add them up."""


@dataclass(frozen=True, slots=True)
class Block:
    """One kind of feature: ascending names, the weight of each, and at the end that of any other."""

    names: Ints
    idf: Floats

    def values(self, bag: Bag) -> tuple[Ints, Floats]:
        """Numbers of a question's features within the block, and their values at unit length over all it has."""
        if not len(self.names):
            return bag.keys[:0], np.zeros(0, dtype=np.float32)
        at = self.names.searchsorted(bag.keys)
        np.minimum(at, len(self.names) - 1, out=at)
        same = self.names[at] == bag.keys
        values = bag.weights * np.where(same, self.idf[at], self.idf[-1])
        values /= np.sqrt(values @ values) or 1.0
        known = same.nonzero()[0]
        return at[known], values[known].astype(np.float32)


@dataclass(frozen=True, slots=True)
class Linear:
    """Weights by feature (sequences, pairs, grams, then the direction) and entry. Empty where the layer is left out."""

    sequences: Block
    pairs: Block
    grams: Block
    weights: Floats

    def score(self, question: Question) -> Floats:
        """Decision value by entry, without the bias."""
        if not len(self.weights):
            return np.zeros(self.weights.shape[1], dtype=np.float32)
        bags = (question.sequences, once(question_pairs(question.stems)), question.grams)
        rows, values, first = [], [], 0
        for length, block, bag in zip(LENGTHS, (self.sequences, self.pairs, self.grams), bags, strict=True):
            found, worth = block.values(bag)
            rows.append(found + first)
            values.append(length * worth)
            first += len(block.names)
        result = np.concatenate(values) @ self.weights.take(np.concatenate(rows), axis=0)
        return np.asarray(result + DIRECTION * question.direction @ self.weights[first:])


def widened(weights: Halves | Floats) -> Floats:
    """The weights as questions need them; those that are so already stay."""
    return weights.astype(np.float32, copy=False)


def nothing(entries: int) -> Linear:
    """No layer."""
    none = Block(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32))
    return Linear(none, none, none, np.zeros((0, entries), dtype=np.float32))


def train(features: Sequence[Occurrences], directions: Floats, entry_of: Ints, entries: int) -> Linear:
    """Separate the entries by the features of their phrasings: sequences, pairs and grams."""
    made = [_block(kind, entry_of, entries, least) for kind, least in zip(features, PRUNE_FROM, strict=True)]
    blocks = [block for block, *_ in made]
    width = sum(len(block.names) for block in blocks) + DIMENSIONS
    if width * entries > LARGEST or not len(blocks[0].names):
        return nothing(entries)
    begins = np.cumsum([0, *(len(block.names) for block in blocks)])
    owners = np.concatenate([owners for _, owners, _, _ in made])
    order = np.argsort(owners, kind="stable")
    ids = np.concatenate([first + ids for first, (_, _, ids, _) in zip(begins, made, strict=False)])[order]
    values = np.concatenate([length * worth for length, (*_, worth) in zip(LENGTHS, made, strict=True)])[order]
    starts = np.searchsorted(owners[order], np.arange(len(entry_of) + 1))
    weights = np.zeros((width, entries), dtype=np.float32)
    _descend(weights, ids, values.astype(np.float32), starts, DIRECTION * directions, entry_of)
    sequences, pairs, grams = blocks
    return Linear(sequences, pairs, grams, widened(weights.astype(np.float16)))


def _block(features: Occurrences, entry_of: Ints, entries: int, prune_from: int) -> tuple[Block, Ints, Ints, Floats]:
    """The kept features of one kind, and cells (phrasing, feature, value) at unit length by phrasing."""
    owners = np.repeat(np.arange(len(entry_of)), np.diff(features.starts))
    owners, ids, tf = tally(owners, features.ids.astype(np.int64))
    kept = np.bincount(ids, minlength=len(features.names)) > (1 if len(entry_of) > prune_from else 0)
    shared = np.bincount(np.unique(ids * entries + entry_of[owners]) // entries, minlength=len(features.names))
    idf = rarity(shared, entries)
    values = (1 + np.log(tf)) * idf[ids]
    values /= np.sqrt(np.bincount(owners, weights=values * values))[owners]
    keep, number = kept[ids], np.cumsum(kept) - 1
    block = Block(features.names[kept], np.r_[idf[:-1][kept], idf[-1]].astype(np.float32))
    return block, owners[keep], number[ids[keep]], values[keep].astype(np.float32)


def _descend(weights: Floats, features: Ints, values: Floats, starts: Ints, dense: Floats, entry_of: Ints) -> None:
    """Visit every phrasing ROUNDS times and move the weights, in place, until it is on the right side of each entry."""
    dual = np.zeros((len(entry_of), weights.shape[1]), dtype=np.float32)
    sign = np.full(weights.shape[1], -1, dtype=np.float32)
    tail = weights[-DIMENSIONS:]
    soft = 1 / (2 * COST)
    stride = STRIDE if len(entry_of) % STRIDE else 1
    order = np.arange(len(entry_of)) * stride % len(entry_of)
    for at in np.tile(order, ROUNDS):
        rows, x, own = features[starts[at] : starts[at + 1]], values[starts[at] : starts[at + 1]], entry_of[at]
        z = dense[at]
        sign[own] = 1
        slope = sign * (x @ weights[rows] + z @ tail + BIAS) - 1 + soft * dual[at]
        change = np.maximum(dual[at] - slope / (x @ x + z @ z + soft), 0) - dual[at]
        dual[at] += change
        change *= sign
        weights[rows] += x[:, None] * change
        tail += z[:, None] * change
        sign[own] = -1
