"""The gate: answer, offer or "I don't know". It turns features of the best target into log-odds that this target is right.

`calibration` fits the gate to a pack.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bot.retrieval.encoding import EncodedQuery
from bot.retrieval.naive_bayes import SMOOTHING
from bot.retrieval.out_of_scope import OutOfScopeIndex, domain_odds, domain_side
from bot.retrieval.scoring import IndexStats, Scores
from bot.retrieval.sparse import Floats

DISTANT = 10.0
"""Value of the fixed formula below which a question is probably far from the pack."""

DISTANCE_WEIGHT = 2.0
"""Log-odds lost for each point below it: the weights were fitted to near negatives (questions that resemble the pack and have
no answer in it, see `calibration`), and are less reliable for far ones, which resemble nothing in it."""

MARGIN_WITHOUT_COMPETITOR = 0.5
"""Margin of a target where no target of another family was scored."""

SOFTNESS = 6.0
"""Log-odds above the threshold at which confidence is three quarters."""

Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class GateFeatures:
    """What the gate knows of the best target.

    Attributes:
        word, char, nearest, centroid: See `Scores`.
        margin: Score above the next target of another family.
        closeness: `word` above the cosine that the target's own phrasings have among themselves.
        target_coverage: Share of the query's information on words that the target has.
        coverage: Share of it on words that any target has.
        foreign: Information on words that the pack lacks.
        missing: Information of the most informative word that the target lacks.
        length: ln(1 + words).
        out_of_scope_word: `word` above the cosine to the nearest listed out-of-scope question.
        out_of_scope_vector: The same for `nearest`.
        domain_odds, domain_side: See `out_of_scope`.
    """

    word: float
    char: float
    nearest: float
    centroid: float
    margin: float
    closeness: float
    target_coverage: float
    coverage: float
    foreign: float
    missing: float
    length: float
    out_of_scope_word: float
    out_of_scope_vector: float
    domain_odds: float
    domain_side: float

    def formula(self) -> float:
        """A fixed sum, for questions that are far from the pack."""
        similarity = 6 * self.word + 7 * self.char + 4 * self.nearest + 4 * self.centroid
        return similarity + 2 * self.margin + 2 * self.coverage + 0.6 * self.length

    def row(self) -> list[float]:
        """All features in the order of FEATURE_NAMES."""
        return [float(getattr(self, name)) for name in FEATURE_NAMES]


FEATURE_NAMES = tuple(GateFeatures.__slots__)
NO_FEATURES = GateFeatures(*([0.0] * len(FEATURE_NAMES)))


@dataclass(frozen=True, slots=True)
class Gate:
    """A logistic regression with two thresholds.

    Attributes:
        answer, offer: Log-odds from which a target answers, or is offered.
        weights: One for each feature, unscaled.
        bias: Constant term.
        distant: See DISTANT; minus infinity: no question is distant.
        cohesion: (targets,), how similar a target's phrasings are to each other: the mean, over its phrasings, of the TF-IDF
            cosine to the most similar other one. None: not computed, and counted as 0.
        domain_plane: (DIMENSIONS + 1,), coefficients of the plane that separates the sentence vectors of the pack's phrasings
            from those of the listed questions, see `out_of_scope`. None: no question is listed, or the gate isn't calibrated.
    """

    answer: float
    offer: float
    weights: tuple[float, ...]
    bias: float
    distant: float = DISTANT
    cohesion: Floats | None = None
    domain_plane: Floats | None = None

    def log_odds(self, features: GateFeatures) -> float:
        """Log-odds that the best target is right, minus a penalty for a far question; unbounded, comparable within a pack."""
        fitted = sum(weight * value for weight, value in zip(self.weights, features.row(), strict=True))
        distance = float(np.logaddexp(0, self.distant - features.formula()))
        return fitted + self.bias - DISTANCE_WEIGHT * distance


SMALL_PACK_WEIGHTS = {
    "word": 0.21, "char": 2.02, "nearest": 0.97, "centroid": 2.86, "margin": 1.90,
    "target_coverage": 0.66, "coverage": -0.51, "length": -0.46,
}  # fmt: skip
SMALL_PACK_BIAS = -3.23
"""Fitted and printed by `python -m benchmarks.small_gate`, with the share of questions that the gate then answers."""
SMALL_PACK_ANSWER, SMALL_PACK_OFFER = 0.0, -1.5
"""A small pack answers where the best target is more likely right than not, and offers it from a probability of about 0.2."""
SMALL_PACK_GATE = Gate(
    SMALL_PACK_ANSWER,
    SMALL_PACK_OFFER,
    tuple(SMALL_PACK_WEIGHTS.get(name, 0.0) for name in FEATURE_NAMES),
    SMALL_PACK_BIAS,
    distant=-np.inf,  # no penalty for far questions: the packs that it was fitted to were asked some
)
"""The gate of packs that are too small to be calibrated; `benchmarks.small_gate` fitted it to packs of public question sets."""


def confidence(above: float) -> float:
    """Log-odds above the threshold mapped to between 0 and 1: x / (SOFTNESS + |x|); six digits tell any two apart."""
    return round(0.5 + 0.5 * above / (SOFTNESS + abs(above)), 6)


@dataclass(frozen=True, slots=True)
class HeldOut:
    """What is held out while a query is asked for calibration: counted as if it weren't in the pack.

    The number of a phrasing, of a target with all its phrasings, or of a listed question; -1: none.
    """

    phrasing: int = -1
    target: int = -1
    question: int = -1


NOTHING_HELD_OUT = HeldOut()


def gate_features(
    stats: IndexStats,
    out_of_scope: OutOfScopeIndex,
    gate: Gate,
    query: EncodedQuery,
    scores: Scores,
    target: int,
    held_out: HeldOut = NOTHING_HELD_OUT,
    nearest_listed: tuple[float, float] | None = None,
    side: float | None = None,
) -> GateFeatures:
    """The features of one target for a query.

    Args:
        stats: What is counted about the phrasings.
        out_of_scope: The listed questions.
        gate: Its `cohesion` and `domain_plane` are used.
        query: The question.
        scores: Its scores.
        target: The best target; below 0: none.
        held_out: See `HeldOut`.
        nearest_listed: Result of `out_of_scope.nearest`, if it is known already.
        side: Value of `domain_side`, if it is known already.
    """
    if target < 0 or not len(query.tokens):
        return NO_FEATURES
    competitors = stats.family != stats.family[target]
    if held_out.target >= 0:
        competitors &= stats.family != stats.family[held_out.target]
    second = float(scores.without_classifier[competitors].max(initial=-np.inf))
    information = query.information
    in_pack, in_target = known_tokens(stats, query, target, held_out)
    total = float(information.sum()) or 1.0
    listed_word, listed_vector = nearest_listed or out_of_scope.nearest(query, held_out.question)
    word, nearest = float(scores.word[target]), float(scores.nearest[target])
    return GateFeatures(
        word=word,
        char=float(scores.char[target]),
        nearest=nearest,
        centroid=float(scores.centroid[target]),
        margin=float(scores.without_classifier[target]) - second if np.isfinite(second) else MARGIN_WITHOUT_COMPETITOR,
        closeness=word - (float(gate.cohesion[target]) if gate.cohesion is not None else 0.0),
        target_coverage=float(information[in_target].sum()) / total,
        coverage=float(information[in_pack].sum()) / total,
        foreign=float(information[~in_pack].sum()),
        missing=float(information[~in_target].max(initial=0)),
        length=float(np.log1p(len(query.tokens))),
        out_of_scope_word=word - listed_word if len(out_of_scope) else 0.0,
        out_of_scope_vector=nearest - listed_vector if len(out_of_scope) else 0.0,
        domain_odds=domain_odds(stats, out_of_scope, query, held_out.phrasing, held_out.target, held_out.question),
        domain_side=domain_side(gate.domain_plane, query.vector) if side is None else side,
    )


def known_tokens(stats: IndexStats, query: EncodedQuery, target: int, held_out: HeldOut) -> tuple[Bools, Bools]:
    """By token, whether the pack has its stem, and whether the target has it; what is held out isn't counted."""
    rows = stats.stem_ngrams.rows
    token_rows = rows.find(query.stems)
    if held_out is NOTHING_HELD_OUT:
        in_pack, in_target = token_rows >= 0, np.zeros(len(token_rows), dtype=bool)
        known = in_pack.nonzero()[0]
        cells, owners = rows.cells(token_rows[known])
        in_target[known[owners[rows.columns[cells] == target]]] = True
        return in_pack, in_target
    cells, owners = rows.cells(np.maximum(token_rows, 0))
    columns = rows.columns[cells]
    counts = np.rint(SMOOTHING * np.expm1(rows.values[cells]))
    if held_out.phrasing >= 0:
        own = columns == stats.target_of[held_out.phrasing]
        repetitions = (query.stems[:, None] == query.stems[None, :]).sum(axis=1)
        counts[own] -= repetitions[owners[own]]
    present = (counts > 0) & (columns != held_out.target) & (token_rows >= 0)[owners]
    in_pack = np.bincount(owners, weights=present, minlength=len(token_rows)) > 0
    in_target = np.bincount(owners, weights=present & (columns == target), minlength=len(token_rows)) > 0
    return in_pack, in_target
