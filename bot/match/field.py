"""Field: whether a question's words are from this pack's field at all, whichever entry they fit.

Two counts tell. How often the pack says each word against how often the listed strangers and plain English do; and on which
side of a plane through the word table the question lies, the pack's phrasings on one and the strangers on the other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bot.match.reader import Question
from bot.match.scoring import Evidence
from bot.match.sparse import Floats, Ints, Rows
from bot.match.strangers import Strangers
from bot.match.wordtable import DIMENSIONS

PRIOR = 200.0
"""Words of plain English that are added to each side's counts; 50 to 500 measured the same."""
MOST_ODDS = 3.0
"""Powers of ten that one word tells at most, either way."""
STIFFNESS = 3.0
"""Ridge of the plane."""

Doubles = NDArray[np.float64]


def odds(
    evidence: Evidence, strangers: Strangers, question: Question, phrasing: int, entry: int, stranger: int
) -> float:
    """Powers of ten by which the pack is likelier to say the words than its strangers and plain English are.

    0 without strangers. Summed over the words that tell something and divided by the root of their number, so that long
    questions are comparable with short ones. What is given by its number (-1: nothing) is not counted: one phrasing, a
    whole entry, one stranger.
    """
    telling = question.information > 0
    if not len(strangers) or not telling.any():
        return 0.0
    plain = 10.0 ** -(question.information[telling].astype(np.float64) + 2)
    rows = evidence.phrasings.rows
    hidden = (phrasing, phrasing + 1)
    if entry >= 0:
        hidden = (int(evidence.starts[entry]), int(evidence.starts[entry + 1]))
    ours = _counts(rows, question.stems[telling], *hidden)
    numbers = strangers.stems(question)[telling]
    others = _counts(strangers.postings.rows, numbers, stranger, stranger + 1)
    here = (ours + PRIOR * plain) / (len(rows.places) + PRIOR)
    there = (others + PRIOR * plain) / (len(strangers.postings.rows.places) + PRIOR)
    each = np.minimum(np.maximum(np.log10(here / there), -MOST_ODDS), MOST_ODDS)
    return float(each.sum() / np.sqrt(len(each)))


def belonging(evidence: Evidence, strangers: Strangers, plane: Floats | None, question: Question) -> float:
    """How much a question's words are from the pack's field: above 0 rather than not; a fitted gate weighs the two by itself."""
    return odds(evidence, strangers, question, -1, -1, -1) + side(plane, question.direction)


def _counts(rows: Rows, keys: Ints, first: int, last: int) -> Doubles:
    """How many phrasings have each stem, not counting those from `first` to `last`; below 0: all are counted."""
    found = rows.find(keys)
    counts = np.where(found >= 0, rows.starts[found + 1] - rows.starts[found], 0).astype(np.float64)
    if first >= 0:
        at, owner = rows.spread(np.maximum(found, 0))
        places = rows.places[at]
        hidden = (found >= 0)[owner] & (first <= places) & (places < last)
        counts -= np.bincount(owner, weights=hidden, minlength=len(keys))
    return counts


@dataclass(frozen=True, slots=True)
class Sides:
    """A plane between the pack's phrasings and the strangers, each side at equal weight, with or without some of them."""

    rows: Doubles
    side: Doubles
    weight: Doubles
    normal: Doubles
    """The regularised sum of squares."""
    target: Doubles
    alone: Floats
    """By row: the side it lies on for a plane that was fitted without it. Phrasings first, then strangers."""

    def plane(self, first: int = 0, last: int = 0) -> Floats:
        """The plane, fitted without the rows from `first` to `last`."""
        out = slice(first, last)
        weighted = self.rows[out] * self.weight[out, None]
        return np.linalg.solve(
            self.normal - weighted.T @ self.rows[out], self.target - weighted.T @ self.side[out]
        ).astype(np.float32)


def sides_of(phrasings: Floats, strangers: Floats) -> Sides | None:
    """The two sides; none where one is empty."""
    ours, others = len(phrasings), len(strangers)
    if not ours or not others:
        return None
    rows = np.c_[np.r_[phrasings, strangers], np.ones(ours + others)].astype(np.float64)
    which = np.r_[np.ones(ours), -np.ones(others)]
    weight = np.r_[np.full(ours, 0.5 / ours), np.full(others, 0.5 / others)] * len(rows)
    normal = (rows * weight[:, None]).T @ rows + np.eye(DIMENSIONS + 1) * STIFFNESS
    target = rows.T @ (weight * which)
    inverse = np.linalg.inv(normal)
    leverage = np.einsum("ij,ij->i", rows @ inverse, rows) * weight
    alone = (rows @ (inverse @ target) - leverage * which) / (1 - leverage)
    return Sides(rows, which, weight, normal, target, alone.astype(np.float32))


def side(plane: Floats | None, direction: NDArray[np.floating]) -> float:
    """Where a direction lies: 1 deep in the pack's field, -1 among the strangers, 0 where nothing is known."""
    if plane is None or not len(plane):
        return 0.0
    return float(plane[:-1] @ direction + plane[-1])
