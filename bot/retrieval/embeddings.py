"""Word vectors and similarity in meaning: of a query to each phrasing, and to the mean of a target's phrasings.

The vectors are a table that was learned once from a sentence encoder: the sum of a sentence's word vectors points where the
encoder puts the sentence. At run time there is only the table: no network, no model. Two questions without a common word get
similar vectors if they are about the same thing. Origin and licence stand in data/README.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bot.retrieval.english import English, english
from bot.retrieval.naive_bayes import cosine_without_self
from bot.retrieval.sparse import BLOCK, Floats, Ints

VECTORS_FILE = Path(__file__).parent / "data" / "word_vectors.npy"
SCALES_FILE = Path(__file__).parent / "data" / "word_scales.npy"
DIMENSIONS = 128

# --- words


@dataclass(frozen=True, slots=True)
class WordVectors:
    """The word vectors. A word's vector is its steps times its scale; its length is the word's weight in a sentence.

    Attributes:
        words: The word list; its rows are the rows here.
        steps: (words, DIMENSIONS), whole numbers from -127 to 127.
        scales: (words,)
    """

    words: English
    steps: NDArray[np.int8]
    scales: Floats

    def sentence_vector(self, tokens: Sequence[str]) -> Floats:
        """The sum of the words' vectors, scaled to length one; zeros if no word has a vector. (DIMENSIONS,)"""
        rows = [row for row in map(self.words.row_of, tokens) if row is not None]
        if not rows:
            return np.zeros(DIMENSIONS, dtype=np.float32)
        return normalized(self.scales[rows] @ self.steps[rows].astype(np.float32))

    def vectors_of(self, rows: Ints) -> Floats:
        """The vectors of some rows. (rows, DIMENSIONS)"""
        return np.asarray(self.steps[rows] * self.scales[rows, None], dtype=np.float32)

    def directions_of(self, tokens: Sequence[str]) -> Floats:
        """The vector of each word, scaled to length one; zeros for a word that has none. (words, DIMENSIONS)"""
        vectors = np.zeros((len(tokens), DIMENSIONS), dtype=np.float32)
        rows = {position: row for position, word in enumerate(tokens) if (row := self.words.row_of(word)) is not None}
        if rows:
            vectors[list(rows)] = normalized(self.vectors_of(np.array(list(rows.values()), dtype=np.int64)))
        return vectors


def normalized(rows: Floats) -> Floats:
    """Each row scaled to length one; zeros stay zeros."""
    lengths = np.sqrt(np.add.reduce(rows * rows, axis=-1, keepdims=True))
    return np.asarray(rows / np.maximum(lengths, np.float32(1e-9)), dtype=np.float32)


@cache
def word_vectors() -> WordVectors:
    """The word vectors, memory-mapped when first used."""
    steps = np.load(VECTORS_FILE, mmap_mode="r", allow_pickle=False)
    scales = np.load(SCALES_FILE, allow_pickle=False).astype(np.float32)
    # Slicing a memmap costs ten times as much as an array.
    return WordVectors(english(), steps.view(np.ndarray), scales)


# --- phrasings


@dataclass(frozen=True, slots=True)
class Embeddings:
    """Sentence vectors of a pack's phrasings.

    Attributes:
        phrasings: (phrasings, DIMENSIONS), rows of length one.
        centroids: (targets, DIMENSIONS), the mean of each target's rows, of length one.
        length: (targets,), length of the sum of each target's rows.
    """

    phrasings: Floats
    centroids: Floats
    length: Floats

    def centroid_cosines(self, vector: Floats, own_target: int = -1) -> Floats:
        """Cosine of a query's vector to each target's centroid. (targets,)

        `own_target`: the query is one of this target's own phrasings and is taken out of its mean first.
        """
        cosines = self.centroids @ vector
        if own_target >= 0 and vector.any():
            cosines[own_target] = cosine_without_self(float(cosines[own_target]), float(self.length[own_target]))
        return cosines

    def nearest_cosines(self, vector: Floats, targets: Ints, starts: Ints, held_out: int = -1) -> Floats:
        """Cosine to the nearest phrasing of each of `targets`, at least 0. (targets,)

        Args:
            vector: The query's vector.
            targets: Targets to compare.
            starts: First phrasing of each target of the index; one more at the end.
            held_out: A phrasing that isn't compared.
        """
        cosines = np.zeros(len(targets), dtype=np.float32)
        bounds = zip(starts[targets].tolist(), starts[targets + 1].tolist(), strict=True)
        for position, (first, last) in enumerate(bounds):
            products = self.phrasings[first:last] @ vector
            if first <= held_out < last:
                products[held_out - first] = 0
            cosines[position] = products.max(initial=0)
        return cosines


def build_embeddings(
    vectors: WordVectors, vocabulary: Sequence[str], word_ids: Ints, starts: Ints, target_of: Ints, targets: int
) -> Embeddings:
    """Sentence vectors of phrasings.

    Args:
        vectors: The word vectors.
        vocabulary: All words of the phrasings.
        word_ids: Positions in `vocabulary`, one phrasing after another.
        starts: (phrasings + 1,), where each phrasing begins in `word_ids`.
        target_of: (phrasings,), ascending.
        targets: Number of targets.
    """
    rows = np.array([-1 if (row := vectors.words.row_of(word)) is None else row for word in vocabulary], dtype=np.int64)
    known = np.flatnonzero(rows >= 0)
    weighted = np.zeros((len(vocabulary), DIMENSIONS), dtype=np.float32)
    weighted[known] = vectors.vectors_of(rows[known])
    sums = np.zeros((len(target_of), DIMENSIONS), dtype=np.float32)
    lengths = np.diff(starts)
    for position in range(int(lengths.max(initial=0))):
        longer = np.flatnonzero(lengths > position)
        for part in np.array_split(longer, len(longer) // BLOCK + 1):
            sums[part] += weighted[word_ids[starts[part] + position]]
    phrasings = normalized(sums)
    totals = np.zeros((targets, DIMENSIONS), dtype=np.float32)
    for target, (first, last) in enumerate(pairwise(np.searchsorted(target_of, np.arange(targets + 1)))):
        totals[target] = phrasings[first:last].sum(axis=0)
    return Embeddings(phrasings, normalized(totals), np.linalg.norm(totals, axis=1).astype(np.float32))
