"""Questions that the pack lists as not its own, kept to be compared with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bot.match.features import FIRST_STEM
from bot.match.phrasings import Phrasings
from bot.match.reader import Question
from bot.match.sparse import Floats, Ints, rows_of, tally
from bot.match.wordtable import DIMENSIONS
from bot.text import stem


@dataclass(frozen=True, slots=True)
class Strangers:
    """Postings of the strangers' stems, weighted as the pack weighs them, and their directions in the word table."""

    numbers: Mapping[str, int]
    """Of every stem that the pack or a stranger has."""
    postings: Phrasings
    directions: Floats

    def __len__(self) -> int:
        return self.postings.count

    def stems(self, question: Question) -> Ints:
        """The number of each token's stem; -1 where neither the pack nor a stranger has it."""
        return np.array([self.numbers.get(stem(token.word), -1) for token in question.tokens], dtype=np.int64)

    def likeness(self, question: Question, leave: int = -1) -> tuple[float, float]:
        """Highest cosine to any stranger, by words and by meaning; `leave`: this one is the question itself."""
        if not len(self):
            return 0.0, 0.0
        stems = self.stems(question)
        known = stems >= 0
        word = self.postings.likeness(stems[known], question.trust[known], int((~known).sum()))
        meaning = self.directions @ question.direction
        if leave >= 0:
            word[leave] = meaning[leave] = 0
        return float(word.max()), float(meaning.max())


def gather(questions: Sequence[Question], numbers: Mapping[str, int], pack: Phrasings) -> Strangers:
    """Index strangers; `pack` gives the weight of each of the pack's stems, under its number in `numbers`."""
    if not questions:
        return Strangers({}, Phrasings(pack.rows, pack.idf, 0), np.zeros((0, DIMENSIONS), dtype=np.float32))
    union = dict(numbers)
    ids = [
        [union.setdefault(stem(token.word), len(union) + FIRST_STEM) for token in question.tokens]
        for question in questions
    ]
    owners = np.repeat(np.arange(len(ids)), [len(row) for row in ids])
    cells, whose, tf = tally(np.array([number for row in ids for number in row], dtype=np.int64), owners)
    names = np.arange(max(union.values(), default=0) + 1)
    idf = pack.idf[np.r_[pack.rows.find(names), -1]]
    weights = (1 + np.log(tf)) * idf[cells]
    norms = np.sqrt(np.bincount(whose, weights=weights * weights, minlength=len(ids)))
    postings = Phrasings(rows_of(names, cells, whose, weights / norms[whose]), idf, len(ids))
    return Strangers(union, postings, np.stack([question.direction for question in questions]))
