"""What words mean, roughly: a table of directions counted from WordNet's definitions. No network, no model.

Two questions that share no word but talk of the same thing point the same way. Made by bot.tools.wordtable; origin and
licence stand in data/README.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bot.match.english import English, english
from bot.match.sparse import Floats

TABLE = Path(__file__).parent / "data" / "wordtable.npy"
DIMENSIONS = 128


@dataclass(frozen=True, slots=True)
class WordTable:
    """Rows of four-bit numbers, in the order of the word list."""

    words: English
    packed: NDArray[np.uint8]

    def sentence(self, tokens: Sequence[str]) -> Floats:
        """The direction of a sentence: its words' directions, rare words stronger; unit length, or zero."""
        known = [(row, self.words.rarity[row]) for row in map(self.words.row_of, tokens) if row is not None]
        if not known:
            return np.zeros(DIMENSIONS, dtype=np.float32)
        strengths = weight(np.array([rarity for _, rarity in known], dtype=np.float32))
        return unit(strengths @ self.directions(row for row, _ in known))

    def directions(self, rows: Iterable[int]) -> Floats:
        """Unit rows of the table; a word without a meaning of its own has zeros."""
        pairs = self.packed[list(rows)]
        steps = np.empty((len(pairs), DIMENSIONS), dtype=np.float32)
        steps[:, ::2], steps[:, 1::2] = pairs >> 4, pairs & 15
        steps -= 8
        return unit(steps)


def weight(rarity: Floats) -> Floats:
    """Weight of a word in its sentence. `rarity` is -log10 of its share of running words."""
    return np.asarray(np.minimum(np.maximum(rarity - 1.5, 0.3), 8), dtype=np.float32)


def unit(rows: Floats) -> Floats:
    """Each row at length one; zero stays zero."""
    lengths = np.sqrt(np.add.reduce(rows * rows, axis=-1, keepdims=True))
    return np.asarray(rows / np.maximum(lengths, np.float32(1e-9)), dtype=np.float32)


@cache
def wordtable() -> WordTable:
    """The table, mapped from its file when first used."""
    packed = np.load(TABLE, mmap_mode="r", allow_pickle=False)
    return WordTable(english(), packed.view(np.ndarray))  # each slice of a memmap costs ten times that of an array
