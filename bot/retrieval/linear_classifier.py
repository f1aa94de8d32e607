"""A linear classifier: L2-regularised, squared-hinge support vector machines, one target against the rest.

Its features are stem n-grams, stem pairs, character n-grams and the sentence vector, side by side. Trained by dual coordinate
descent (Hsieh et al. 2008, "A Dual Coordinate Descent Method for Large-scale Linear SVM"), one phrasing after another for all
targets at once, a fixed number of rounds in a fixed order from zero, so that the result is deterministic.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bot.retrieval.embeddings import DIMENSIONS
from bot.retrieval.encoding import EncodedQuery, query_stem_pairs
from bot.retrieval.sparse import (
    FeatureCounts,
    Floats,
    Ints,
    Occurrences,
    count_pairs,
    distinct_features,
    smoothed_idf,
)

COST = 4.0
"""C of the support vector machines."""
ROUNDS = 4
BIAS = -1.0
"""Fixed: a query without a known feature belongs to no target."""

BLOCK_LENGTHS, VECTOR_LENGTH = (1.0, 0.7, 0.7), 0.7
"""Length to which the stem n-grams, the stem pairs, the character n-grams and the sentence vector are scaled."""

MAX_WEIGHTS = 20_000_000
"""Weights (features x targets) beyond which there is no classifier: 80 MB."""

MAX_PHRASINGS = 40_000
"""Phrasings beyond which there is no classifier either: training would take long, and with so many the counts are enough."""

PRUNED_FROM = (3_000, 0, 3_000)
"""Phrasings from which a stem n-gram, stem pair or character n-gram that only one of them has is dropped."""

STRIDE = 7_919
"""Prime: phrasings are visited in steps of it, so that neighbours in the order belong to different targets."""


@dataclass(frozen=True, slots=True)
class FeatureBlock:
    """One kind of feature.

    Attributes:
        keys: (features,), ascending.
        idf: (features + 1,); the last is that of any other feature.
    """

    keys: Ints
    idf: Floats

    def vectorize(self, features: FeatureCounts) -> tuple[Ints, Floats]:
        """Positions in `keys` of a query's features, and their tf-idf values, scaled to length one over all the query has."""
        if not len(self.keys):
            return features.keys[:0], np.zeros(0, dtype=np.float32)
        positions = self.keys.searchsorted(features.keys)
        np.minimum(positions, len(self.keys) - 1, out=positions)
        is_known = self.keys[positions] == features.keys
        values = features.weights * np.where(is_known, self.idf[positions], self.idf[-1])
        values /= np.sqrt(values @ values) or 1.0
        known = is_known.nonzero()[0]
        return positions[known], values[known].astype(np.float32)


@dataclass(frozen=True, slots=True)
class LinearClassifier:
    """Weights by feature and target.

    Attributes:
        stem_ngrams, stem_pairs, char_ngrams: The features, in the order of their weights.
        weights: (features + DIMENSIONS, targets); (0, targets) where there is no classifier.
    """

    stem_ngrams: FeatureBlock
    stem_pairs: FeatureBlock
    char_ngrams: FeatureBlock
    weights: Floats

    def score(self, query: EncodedQuery) -> Floats:
        """The decision value of each target, without the bias. (targets,)"""
        if not len(self.weights):
            return np.zeros(self.weights.shape[1], dtype=np.float32)
        blocks = (self.stem_ngrams, self.stem_pairs, self.char_ngrams)
        features = (query.stem_ngrams, distinct_features(query_stem_pairs(query.stems)), query.char_ngrams)
        rows, values, offset = [], [], 0
        for length, block, counts in zip(BLOCK_LENGTHS, blocks, features, strict=True):
            block_rows, block_values = block.vectorize(counts)
            rows.append(block_rows + offset)
            values.append(length * block_values)
            offset += len(block.keys)
        decision = np.concatenate(values) @ self.weights.take(np.concatenate(rows), axis=0)
        return np.asarray(decision + VECTOR_LENGTH * query.vector @ self.weights[offset:])


def empty_classifier(targets: int) -> LinearClassifier:
    """A classifier that scores 0 for every target."""
    block = FeatureBlock(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32))
    return LinearClassifier(block, block, block, np.zeros((0, targets), dtype=np.float32))


def train_classifier(
    occurrences: Sequence[Occurrences], vectors: Floats, target_of: Ints, targets: int
) -> LinearClassifier:
    """Train on a pack's phrasings; `empty_classifier` if there would be more than MAX_WEIGHTS weights.

    Args:
        occurrences: Stem n-grams, stem pairs and character n-grams of the phrasings.
        vectors: (phrasings, DIMENSIONS), their sentence vectors.
        target_of: (phrasings,), the target of each.
        targets: Number of targets.
    """
    parts = [_vectorized(kind, target_of, targets, least) for kind, least in zip(occurrences, PRUNED_FROM, strict=True)]
    blocks = [block for block, *_ in parts]
    width = sum(len(block.keys) for block in blocks) + DIMENSIONS
    if width * targets > MAX_WEIGHTS or not len(blocks[0].keys):
        return empty_classifier(targets)
    offsets = np.cumsum([0, *(len(block.keys) for block in blocks)])
    owners = np.concatenate([owners for _, owners, _, _ in parts])
    order = np.argsort(owners, kind="stable")
    ids = np.concatenate([offset + ids for offset, (_, _, ids, _) in zip(offsets, parts, strict=False)])[order]
    scaled = [length * values for length, (*_, values) in zip(BLOCK_LENGTHS, parts, strict=True)]
    values = np.concatenate(scaled)[order].astype(np.float32)
    starts = np.searchsorted(owners[order], np.arange(len(target_of) + 1))
    weights = np.zeros((width, targets), dtype=np.float32)
    _descend(weights, ids, values, starts, VECTOR_LENGTH * vectors, target_of)
    stem_ngrams, stem_pairs, char_ngrams = blocks
    return LinearClassifier(stem_ngrams, stem_pairs, char_ngrams, weights)


def _vectorized(
    occurrences: Occurrences, target_of: Ints, targets: int, pruned_from: int
) -> tuple[FeatureBlock, Ints, Ints, Floats]:
    """The kept features of one kind, and cells (phrasing, feature, value), scaled to length one by phrasing."""
    owners = np.repeat(np.arange(len(target_of)), np.diff(occurrences.starts))
    owners, ids, tf = count_pairs(owners, occurrences.ids.astype(np.int64))
    kept = np.bincount(ids, minlength=len(occurrences.keys)) > (1 if len(target_of) > pruned_from else 0)
    pairs = np.unique(ids * targets + target_of[owners])
    idf = smoothed_idf(np.bincount(pairs // targets, minlength=len(occurrences.keys)), targets)
    values = (1 + np.log(tf)) * idf[ids]
    values /= np.sqrt(np.bincount(owners, weights=values * values))[owners]
    keep, new_ids = kept[ids], np.cumsum(kept) - 1
    block = FeatureBlock(occurrences.keys[kept], np.r_[idf[:-1][kept], idf[-1]].astype(np.float32))
    return block, owners[keep], new_ids[ids[keep]], values[keep].astype(np.float32)


def _descend(weights: Floats, features: Ints, values: Floats, starts: Ints, vectors: Floats, target_of: Ints) -> None:
    """Visit every phrasing ROUNDS times and move the weights, in place, towards its own target and away from the others."""
    dual = np.zeros((len(target_of), weights.shape[1]), dtype=np.float32)
    sign = np.full(weights.shape[1], -1, dtype=np.float32)
    vector_weights = weights[-DIMENSIONS:]
    diagonal = 1 / (2 * COST)
    stride = STRIDE if len(target_of) % STRIDE else 1
    order = np.arange(len(target_of)) * stride % len(target_of)
    borders, targets = starts.tolist(), target_of.tolist()
    visits = []
    """What is the same in each round, by phrasing: numpy's calls take most of the time, however little they do."""
    for phrasing in order.tolist():
        cells = slice(borders[phrasing], borders[phrasing + 1])
        x, z = values[cells], vectors[phrasing]
        length = x @ x + z @ z + diagonal
        visits.append((features[cells], x, x[:, None], z, z[:, None], length, phrasing, targets[phrasing]))
    for rows, x, x_column, z, z_column, length, phrasing, own in ROUNDS * visits:
        own_dual = dual[phrasing]  # a view
        sign[own] = 1
        block = weights.take(rows, axis=0)
        gradient = sign * (x @ block + z @ vector_weights + BIAS) - 1 + diagonal * own_dual
        change = np.maximum(own_dual - gradient / length, 0) - own_dual
        if change.any():
            own_dual += change
            change *= sign
            block += x_column * change
            weights[rows] = block
            vector_weights += z_column * change
        sign[own] = -1
