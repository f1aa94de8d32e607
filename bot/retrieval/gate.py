"""The gate: answer, offer or "I don't know". It turns features of the best target into log-odds that this target is right.

`calibration` fits the gate to a pack.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from math import log, log1p
from operator import attrgetter
from pathlib import Path

import numpy as np

from bot.retrieval.encoding import EncodedQuery
from bot.retrieval.naive_bayes import SMOOTHING
from bot.retrieval.out_of_scope import OutOfScopeIndex, domain_odds, domain_side
from bot.retrieval.scoring import IndexStats, Scores
from bot.retrieval.sparse import BooleanArray, Floats

DISTANT = 10.0
"""Value of `GateFeatures.formula` below which a question probably resembles nothing in the pack."""

DISTANCE_WEIGHT = 2.0
"""Log-odds subtracted for each 1.0 that the formula is below DISTANT. The weights are less reliable there: they were fitted to
near negatives, questions that resemble the pack and have no answer in it (see `calibration`)."""

MARGIN_WITHOUT_COMPETITOR = 0.5
"""Margin of a target where no target of another family was scored."""

SOFTNESS = 6.0
"""Scale of the confidence: it is 0.75 where the log-odds exceed the answering threshold by this much."""


SUPPORT_NEEDED, SUPPORT_HALF = 2.4, 20
"""Support (see `support`) that a target needs to answer is SUPPORT_NEEDED * n / (n + SUPPORT_HALF) for its n phrasings: of eighty
phrasings, six with the word, or two words with two each; of up to eight, any word. Without it, 385 of the 899 words that stand in
one phrasing of the shipped pack were answered when asked alone."""

SUPPORTING_INFORMATION = 0.5
"""Information from which a word supports an answer."""


@dataclass(frozen=True, slots=True)
class GateFeatures:
    """What the gate knows of the best target.

    Attributes:
        word, char, nearest, centroid: See `Scores`.
        margin: Score minus that of the next target of another family.
        closeness: `word` minus the target's cohesion, see `Gate`.
        target_coverage: Share of the query's information (weight of words by rarity, see `EncodedQuery`) on words of the target.
        coverage: Share of it on words that any target has.
        foreign: Information on words that the pack lacks.
        missing: Information of the most informative word that the target lacks.
        length: ln(1 + words).
        out_of_scope_word: `word` minus the TF-IDF cosine of the nearest listed question (see `out_of_scope`).
        out_of_scope_vector: `nearest` minus the embedding cosine of the nearest listed question.
        domain_odds, domain_side: See `out_of_scope`.
        mass: ln(1 + the sum, over the query's distinct stems that the target has, of information times relative idf): one common
            word is little, two rare ones are much.
        lead: Score minus that of the second of the targets of other families: whether it is one of many.
        document_bm25, document_covered, document_sentence: See `documents.DocumentScores`; 0 where there are no documents.
        document_missing, document_mass, document_margin, document_pack: See `documents.DocumentEvidence`; likewise.
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
    mass: float
    lead: float
    document_bm25: float
    document_covered: float
    document_sentence: float
    document_missing: float
    document_mass: float
    document_margin: float
    document_pack: float

    def formula(self) -> float:
        """A fixed sum, for questions that are far from the pack."""
        similarity = 6 * self.word + 7 * self.char + 4 * self.nearest + 4 * self.centroid
        return similarity + 2 * self.margin + 2 * self.coverage + 0.6 * self.length

    def row(self) -> list[float]:
        """All features in the order of FEATURE_NAMES."""
        return list(_values(self))


FEATURE_NAMES = tuple(GateFeatures.__slots__)
_values = attrgetter(*FEATURE_NAMES)
NO_FEATURES = GateFeatures(*([0.0] * len(FEATURE_NAMES)))


@dataclass(frozen=True, slots=True)
class Gate:
    """Two logistic regressions over the same features, each with a threshold.

    The first tells whether the best target is right, the second whether the right one is among the first MAX_OFFERED.

    Attributes:
        answer: Log-odds of the first from which a target answers.
        offer: Log-odds of the second from which targets are offered.
        weights, bias: Of the first: one weight for each feature, unscaled, and the constant term.
        among_weights, among_bias: Of the second. No weights: the first serves for offers, too.
        shares: Of the pack's own phrasings, asked as if they weren't indexed: the share that is answered, and that is offered;
            and the share of questions that it doesn't cover that is answered. Empty: the pack is too small to tell.
        max_support: Support that is enough for every target: nearly all of the pack's own phrasings have it.
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
    among_weights: tuple[float, ...] = ()
    among_bias: float = 0.0
    max_support: float = np.inf
    shares: tuple[float, ...] = ()
    distant: float = DISTANT
    cohesion: Floats | None = None
    domain_plane: Floats | None = None

    def log_odds(self, features: GateFeatures) -> float:
        """Log-odds that the best target is right, minus a penalty for a far question; unbounded, comparable within a pack."""
        fitted = sum(weight * value for weight, value in zip(self.weights, features.row(), strict=True))
        distance = float(np.logaddexp(0, self.distant - features.formula())) if self.distant > -np.inf else 0.0
        return fitted + self.bias - DISTANCE_WEIGHT * distance

    def among_log_odds(self, features: GateFeatures) -> float:
        """Log-odds that the right target is among the first ones, compared with `offer`."""
        if not self.among_weights:
            return self.log_odds(features)
        return (
            sum(weight * value for weight, value in zip(self.among_weights, features.row(), strict=True))
            + self.among_bias
        )


GATES_FILE = Path(__file__).parent / "data" / "generic_gates.json"
"""Weights of the two generic gates, written by `benchmarks.generic_gate`."""


@cache
def generic_gates() -> tuple[Gate, Gate]:
    """The gates of packs whose answers say nothing, and of packs whose answers say something, without thresholds.

    They have no penalty for far questions: the packs that they were fitted to were asked some.
    """
    no_answers, answers = (
        Gate(
            answer=0.0,
            offer=0.0,
            weights=tuple(weights["right"].get(name, 0.0) for name in FEATURE_NAMES),
            bias=weights["right"]["bias"],
            among_weights=tuple(weights["among"].get(name, 0.0) for name in FEATURE_NAMES),
            among_bias=weights["among"]["bias"],
            distant=-np.inf,
        )
        for weights in json.loads(GATES_FILE.read_text(encoding="utf-8"))
    )
    return no_answers, answers


def generic_gate(informative: float) -> Gate:
    """The gate for a pack that isn't fitted to: between the two generic gates, by how much its answers say, 0 to 1."""
    return between(*generic_gates(), informative)


def between(first: Gate, second: Gate, share: float) -> Gate:
    """The first gate with weights between both: `share` of the second's, the rest of the first's."""

    def mixed(one: Sequence[float], other: Sequence[float]) -> tuple[float, ...]:
        return tuple((1 - share) * a + share * b for a, b in zip(one, other, strict=True))

    return replace(
        first,
        weights=mixed(first.weights, second.weights),
        bias=(1 - share) * first.bias + share * second.bias,
        among_weights=mixed(first.among_weights, second.among_weights),
        among_bias=(1 - share) * first.among_bias + share * second.among_bias,
    )


def confidence(above: float) -> float:
    """Log-odds minus the threshold, x, mapped to between 0 and 1: (1 + x / (SOFTNESS + |x|)) / 2, rounded to six digits."""
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
    own, others = float(scores.without_classifier[target]), np.sort(scores.without_classifier[competitors])
    second = float(others[-1]) if len(others) else -np.inf
    third = float(others[-2]) if len(others) > 1 else -np.inf
    document = scores.documents.evidence_for(target, competitors)
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
        margin=own - second if np.isfinite(second) else MARGIN_WITHOUT_COMPETITOR,
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
        mass=_mass(stats, query, in_target),
        lead=own - third if np.isfinite(third) else MARGIN_WITHOUT_COMPETITOR,
        document_bm25=float(scores.documents.bm25[target]),
        document_covered=float(scores.documents.covered[target]),
        document_sentence=float(scores.documents.sentence[target]),
        document_missing=document.missing,
        document_mass=document.mass,
        document_margin=document.margin,
        document_pack=document.pack_covered,
    )


def support(stats: IndexStats, query: EncodedQuery, target: int, held_out: int = -1) -> float:
    """How much the target's phrasings support a query: ln(1 + phrasings that have it), summed over the telling words.

    A word that only the target's document has counts as one phrasing. `held_out`: a phrasing that isn't counted.
    """
    telling = (query.information > SUPPORTING_INFORMATION).nonzero()[0]
    rows = stats.tfidf.rows
    first, last = stats.starts[target : target + 2].tolist()
    counts: dict[int, int] = {}
    for stem, row in zip(query.stems[telling].tolist(), rows.find(query.stems[telling]).tolist(), strict=True):
        if row >= 0 and stem not in counts:
            columns = rows.columns[rows.starts[row] : rows.starts[row + 1]]
            begin, end = columns.searchsorted((first, last)).tolist()
            counts[stem] = end - begin - (first <= held_out < last and held_out in columns[begin:end])
    supported = sum(log1p(count) for count in counts.values())
    if not len(stats.documents.cell_words):
        return supported
    said = stats.documents.said_words(target, {query.tokens[position].word for position in telling.tolist()})
    return supported + log(2) * max(said - sum(count > 0 for count in counts.values()), 0)


def support_needed(phrasings: int) -> float:
    """Support that a target with so many phrasings needs to answer."""
    return SUPPORT_NEEDED * phrasings / (phrasings + SUPPORT_HALF)


def _mass(stats: IndexStats, query: EncodedQuery, in_target: BooleanArray) -> float:
    """See `GateFeatures.mass`. `in_target`: by token, whether the target has it."""
    found = dict(zip(query.stems[in_target].tolist(), query.information[in_target].tolist(), strict=True))
    idf = stats.tfidf.idf[stats.tfidf.rows.find(np.array(list(found), dtype=np.int64))]
    return log1p(float(np.array(list(found.values())) @ idf) / float(stats.tfidf.idf[-1])) if found else 0.0


def known_tokens(
    stats: IndexStats, query: EncodedQuery, target: int, held_out: HeldOut
) -> tuple[BooleanArray, BooleanArray]:
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
