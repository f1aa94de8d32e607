"""Answer, offer or "I don't know": what is looked at about the best entry, and the number it adds up to.

fitting.py fits the gate to a pack.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bot.match.field import odds, side
from bot.match.profiles import SMOOTHING
from bot.match.reader import Question
from bot.match.scoring import Evidence, Scores
from bot.match.sparse import Floats
from bot.match.strangers import Strangers

DISTANT = 10.0
"""Value of the plain formula below which a question is probably from far away."""

FORMULA_SHARE = 2.0
"""How much each point below it takes from the fitted log-odds: they were fitted to near strangers, and know far ones less."""

LONELY = 0.5
"""Margin of the only entry of a pack."""

Bools = NDArray[np.bool_]

SOFTNESS = 6.0
"""Evidence above the threshold at which confidence is three quarters."""


@dataclass(frozen=True, slots=True)
class Signals:
    """What the gate looks at, about the best entry."""

    word: float
    char: float
    near: float
    average: float
    margin: float
    closeness: float
    """The word cosine above what the entry's own phrasings have among themselves."""
    entry_coverage: float
    coverage: float
    foreign: float
    """Information on words that the pack lacks."""
    missing: float
    """Information of the most telling word that the entry lacks."""
    length: float
    """ln(1 + words)."""
    stranger_word: float
    """The word cosine above that of the nearest listed stranger."""
    stranger_meaning: float
    odds: float
    """Of the question's words: said by the pack rather than by strangers and plain English."""
    side: float
    """Of the pack's field or of the strangers', by meaning."""

    def formula(self) -> float:
        """The plain sum, for questions from far away."""
        alike = 6 * self.word + 7 * self.char + 4 * self.near + 4 * self.average
        return alike + 2 * self.margin + 2 * self.coverage + 0.6 * self.length

    def row(self) -> list[float]:
        """All of them, in a fixed order."""
        return [float(getattr(self, name)) for name in SIGNALS]


SIGNALS = tuple(Signals.__slots__)
NOTHING_SEEN = Signals(*([0.0] * len(SIGNALS)))


@dataclass(frozen=True, slots=True)
class Gate:
    """Answer at `answer`, offer at `offer`, in units of evidence."""

    answer: float
    offer: float
    weights: tuple[float, ...]
    """For each signal as it is."""
    bias: float
    distant: float = DISTANT
    closeness: Floats | None = None
    """By entry: how near its own phrasings are to each other, the mean word cosine to the nearest."""
    plane: Floats | None = None
    """Between the pack's phrasings and the strangers, by meaning."""

    def evidence(self, signals: Signals) -> float:
        """Log-odds that the best entry is right, less what the plain formula lacks; grows without bound."""
        fitted = sum(weight * value for weight, value in zip(self.weights, signals.row(), strict=True))
        distance = float(np.logaddexp(0, self.distant - signals.formula()))
        return fitted + self.bias - FORMULA_SHARE * distance


SMALL_PACKS = {
    "word": 0.21, "char": 4.31, "near": 1.34, "average": 1.85, "margin": 1.78,
    "entry_coverage": 0.74, "coverage": -0.46, "length": -0.34,
}  # fmt: skip
SMALL_BIAS = -3.74
"""Printed by `python -m bot.tools.smallgate`, with what they do."""
SMALL_ANSWER, SMALL_OFFER = 0.0, -1.5
"""A small pack answers where a right answer is likelier than all else, and offers from one in five."""
UNFITTED = Gate(
    SMALL_ANSWER, SMALL_OFFER, tuple(SMALL_PACKS.get(name, 0.0) for name in SIGNALS), SMALL_BIAS, distant=-np.inf
)
"""For packs that are too small to be fitted: fitted to small packs of other people's questions."""


def confidence(above: float) -> float:
    """Evidence above the threshold, squashed into 0 to 1 so slowly that six digits always tell two apart."""
    return round(0.5 + 0.5 * above / (SOFTNESS + abs(above)), 6)


@dataclass(frozen=True, slots=True)
class Left:
    """What is left out while a question is asked for fitting: one phrasing, its whole entry, or one stranger."""

    phrasing: int = -1
    entry: int = -1
    stranger: int = -1


ALL = Left()


def signals(
    evidence: Evidence,
    strangers: Strangers,
    gate: Gate,
    question: Question,
    scores: Scores,
    entry: int,
    left: Left = ALL,
    stranger: tuple[float, float] | None = None,
    on_side: float | None = None,
) -> Signals:
    """The signals for one entry, the best one. `stranger`, `on_side`: what is known already, or left out."""
    if entry < 0 or not len(question.tokens):
        return NOTHING_SEEN
    rivals = evidence.family != evidence.family[entry]
    if left.entry >= 0:
        rivals &= evidence.family != evidence.family[left.entry]
    second = float(scores.plain[rivals].max(initial=-np.inf))
    told = question.information
    in_pack, in_entry = knows(evidence, question, entry, left)
    total = float(told.sum()) or 1.0
    word, meaning = stranger or strangers.likeness(question, left.stranger)
    return Signals(
        word=float(scores.word[entry]),
        char=float(scores.char[entry]),
        near=float(scores.near[entry]),
        average=float(scores.average[entry]),
        margin=float(scores.plain[entry]) - second if np.isfinite(second) else LONELY,
        closeness=float(scores.word[entry]) - (float(gate.closeness[entry]) if gate.closeness is not None else 0.0),
        entry_coverage=float(told[in_entry].sum()) / total,
        coverage=float(told[in_pack].sum()) / total,
        foreign=float(told[~in_pack].sum()),
        missing=float(told[~in_entry].max(initial=0)),
        length=float(np.log1p(len(question.tokens))),
        stranger_word=float(scores.word[entry]) - word if len(strangers) else 0.0,
        stranger_meaning=float(scores.near[entry]) - meaning if len(strangers) else 0.0,
        odds=odds(evidence, strangers, question, left.phrasing, left.entry, left.stranger),
        side=side(gate.plane, question.direction) if on_side is None else on_side,
    )


def knows(evidence: Evidence, question: Question, entry: int, left: Left) -> tuple[Bools, Bools]:
    """By token: does the pack have it, and does the entry, not counting what is left out."""
    rows = evidence.sequences.rows
    found = rows.find(question.stems)
    if left is ALL:
        in_pack, in_entry = found >= 0, np.zeros(len(found), dtype=bool)
        known = in_pack.nonzero()[0]
        at, owner = rows.spread(found[known])
        in_entry[known[owner[rows.places[at] == entry]]] = True
        return in_pack, in_entry
    at, owner = rows.spread(np.maximum(found, 0))
    places = rows.places[at]
    counts = np.rint(SMOOTHING * np.expm1(rows.weights[at]))
    if left.phrasing >= 0:
        own = places == evidence.entry_of[left.phrasing]
        repeated = (question.stems[:, None] == question.stems[None, :]).sum(axis=1)
        counts[own] -= repeated[owner[own]]
    there = (counts > 0) & (places != left.entry) & (found >= 0)[owner]
    in_pack = np.bincount(owner, weights=there, minlength=len(found)) > 0
    in_entry = np.bincount(owner, weights=there & (places == entry), minlength=len(found)) > 0
    return in_pack, in_entry
