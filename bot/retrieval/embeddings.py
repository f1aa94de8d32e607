"""Word vectors and similarity in meaning: of a query to each phrasing, and to the mean of a target's phrasings.

The vectors are counted from WordNet's definitions: no network, no model. Two questions without a common word get similar vectors
if they are about the same thing. Origin and licence stand in data/README.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
DIMENSIONS = 128

# --- words


@dataclass(frozen=True, slots=True)
class WordVectors:
    """The word vectors, packed.

    Attributes:
        words: The word list; its rows are the rows here.
        packed: (words, DIMENSIONS / 2), two numbers of four bits in each byte.
    """

    words: English
    packed: NDArray[np.uint8]

    def sentence_vector(self, tokens: Sequence[str]) -> Floats:
        """The weighted sum of the words' vectors, of length one; zeros if no word has a vector. (DIMENSIONS,)"""
        known = [(row, self.words.rarity[row]) for row in map(self.words.row_of, tokens) if row is not None]
        if not known:
            return np.zeros(DIMENSIONS, dtype=np.float32)
        weights = word_weight(np.array([rarity for _, rarity in known], dtype=np.float32))
        return normalized(weights @ self.unpack(row for row, _ in known))

    def vectors_of(self, tokens: Sequence[str]) -> Floats:
        """The vector of each word, of length one; zeros for a word that has none. (words, DIMENSIONS)"""
        vectors = np.zeros((len(tokens), DIMENSIONS), dtype=np.float32)
        rows = {position: row for position, word in enumerate(tokens) if (row := self.words.row_of(word)) is not None}
        if rows:
            vectors[list(rows)] = self.unpack(rows.values())
        return vectors

    def unpack(self, rows: Iterable[int]) -> Floats:
        """The vectors of some rows, of length one; zeros for a word without a meaning of its own. (rows, DIMENSIONS)"""
        pairs = self.packed[list(rows)]
        vectors = np.empty((len(pairs), DIMENSIONS), dtype=np.float32)
        vectors[:, ::2], vectors[:, 1::2] = pairs >> 4, pairs & 15
        vectors -= 8
        return normalized(vectors)


def word_weight(rarity: Floats) -> Floats:
    """Weights of words in a sentence. `rarity`: -log10 of each word's share of running words."""
    return np.asarray(np.minimum(np.maximum(rarity - 1.5, 0.3), 8), dtype=np.float32)


def normalized(rows: Floats) -> Floats:
    """Each row scaled to length one; zeros stay zeros."""
    lengths = np.sqrt(np.add.reduce(rows * rows, axis=-1, keepdims=True))
    return np.asarray(rows / np.maximum(lengths, np.float32(1e-9)), dtype=np.float32)


@cache
def word_vectors() -> WordVectors:
    """The word vectors, memory-mapped when first used."""
    packed = np.load(VECTORS_FILE, mmap_mode="r", allow_pickle=False)
    return WordVectors(english(), packed.view(np.ndarray))  # slicing a memmap costs ten times as much as an array


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
    rarity = np.array([vectors.words.rarity_of(word) for word in vocabulary], dtype=np.float32)
    known = np.flatnonzero(rows >= 0)
    weighted = np.zeros((len(vocabulary), DIMENSIONS), dtype=np.float32)
    weighted[known] = vectors.unpack(rows[known].tolist()) * word_weight(rarity[known])[:, None]
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
