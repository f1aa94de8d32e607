"""Calibration: fits the gate to a pack by asking the pack's own phrasings.

Each phrasing is asked as if it weren't indexed ("held out"): a positive, right if its target comes first. It is asked once more
with its whole target held out: a near negative, which resembles the pack but has no answer in it. Listed out-of-scope questions
are further negatives. What is fitted is blended with a generic gate, which was fitted to other packs; a pack with few phrasings
gets that alone, and a pack with MIN_LISTED listed questions what is fitted to it alone.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from hashlib import blake2b

import numpy as np

from bot.retrieval.encoding import EncodedQuery, Encoder, as_known_tokens
from bot.retrieval.gate import (
    DISTANT,
    Gate,
    GateFeatures,
    HeldOut,
    between,
    gate_features,
    generic_gate,
    support,
)
from bot.retrieval.out_of_scope import OutOfScopeIndex, domain_planes, domain_side
from bot.retrieval.scoring import MAX_OFFERED, IndexStats, Scores, score
from bot.retrieval.sparse import Doubles, Floats

MIN_PHRASINGS = 60
"""Eligible phrasings that a pack needs to be fitted to; with fewer, it gets a generic one. Eligible are phrasings of targets that
have at least two. An entry's title counts as a phrasing; small talk doesn't count. Decision 012 has the reason."""

HALF_OWN = 150
"""Positives at which a pack's own weights and the generic ones count the same. Own weights alone fail packs of two phrasings an
entry, generic ones alone lose a tenth of the right answers of packs with many."""

MAX_SAMPLES = 400
"""Phrasings, and listed questions, that are asked for calibration; with more, the weights change in the third digit only."""

MIN_ANSWER = -4.0
"""Lower bound of the answering threshold where fewer than MIN_LISTED questions are listed."""

MIN_LISTED = 120
"""Listed questions (not_asks too) from which they alone fit the gate: they are what people really ask, and the near negatives of
a pack whose targets overlap ("list backend", "recommend a backend") are no negatives at all."""

NEGATIVES_OFFERED = 0.35
"""Share of the listed negatives that the offering threshold lets through."""

STRICTNESS = 0.85
"""Ratio, at the answering threshold, of the false-negative rate (positives that aren't answered) to the false-positive rate
(listed negatives that are). Positives are asked with their own phrasing held out, so they are harder than people's questions."""

NEAR_SHARE = 0.4
"""Near negatives that are asked for each positive, as the threshold sees it: people ask more of what a pack has."""

PLATEAU = 0.05
"""Share of the positives by which a threshold may gain less than the best one and still count as one of the best."""

SILENT = 0.5
"""`Documents.informative` below which a pack's answers count as silent."""

SILENT_PRICE = 1.5
"""Factor of the price where the answers say nothing: then nothing tells a near question from a covered one but its phrasings."""

UNSUPPORTED = 0.05
"""Share of the right positives that may lack the support that their target needs; with more, less is needed."""

RIDGE = 0.01
NEWTON_STEPS = 12
"""Newton's method settles in about eight."""

LISTED_WEIGHT = 2.0
"""Weight of all listed questions together, beside all near negatives at 1: they are the ones people ask."""

POSITIVE, NEAR_NEGATIVE, LISTED_NEGATIVE, DECIDED_ELSEWHERE = (
    "positive", "near negative", "listed negative", "decided",
)  # fmt: skip
"""Kinds of samples. DECIDED_ELSEWHERE: a listed question that the gate is never asked about, because a name in it decides."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Features with their labels: whether the best target is right, and whether the right one is among the first three.

    `support`: of a positive, that of its own target.
    """

    features: GateFeatures
    is_right: bool
    is_among: bool
    kind: str
    support: float = 0.0


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """How sure a pack's answers and offers have to be.

    Attributes:
        answer: Probability that the best target is right, from which it answers.
        offer: Probability that the right target is among the first three, from which they are offered.
        small_answer, small_offer: The same in a pack that is too small to be fitted to: nothing of it tells whether the
            probabilities are true.
        price: How many right answers one wrong or strange one is worth, in a pack that is fitted to.
    """

    answer: float
    offer: float
    small_answer: float
    small_offer: float
    price: float


OPERATING_POINTS = {
    "strict": OperatingPoint(answer=0.60, offer=0.25, small_answer=0.72, small_offer=0.30, price=3.0),
    "usual": OperatingPoint(answer=0.45, offer=0.08, small_answer=0.58, small_offer=0.14, price=1.3),
    "generous": OperatingPoint(answer=0.35, offer=0.05, small_answer=0.50, small_offer=0.08, price=0.8),
}
"""By the name that a pack's `caution` has."""


def calibrate(
    stats: IndexStats,
    encoder: Encoder,
    out_of_scope: OutOfScopeIndex,
    phrasings: Sequence[tuple[str, ...]],
    listed: Mapping[str, EncodedQuery],
    decided: Collection[str] = (),
    calibrating: Sequence[int] | None = None,
    point: OperatingPoint = OPERATING_POINTS["usual"],
) -> Gate:
    """Fit a gate to a pack.

    Args:
        stats: What is counted about the phrasings.
        encoder: Encodes the phrasings as queries.
        out_of_scope: The listed questions, in the order of `listed`.
        phrasings: The words of each phrasing.
        listed: The listed questions, by their text.
        decided: Those of them that contain a name, which decides before the gate: they are samples, but don't set thresholds.
        calibrating: Numbers of the phrasings that may be samples; all by default.
        point: How sure an answer has to be.

    Returns:
        The gate. A phrasing that is the only one of its target is no sample: held out, it could never be right, and a FAQ of such
        phrasings would learn never to answer.
    """
    target_of, sizes = stats.target_of.tolist(), np.diff(stats.starts)
    allowed = range(len(phrasings)) if calibrating is None else calibrating
    generic = generic_gate(stats.documents.informative if stats.documents.weight else 0.0)
    eligible = [number for number in allowed if sizes[target_of[number]] > 1]
    if len(eligible) < MIN_PHRASINGS or stats.targets < 3:
        return with_thresholds(generic, point.small_answer, point.small_offer)
    texts, owners = [" ".join(phrasings[number]) for number in eligible], [target_of[number] for number in eligible]
    asked = [eligible[position] for position in _stratified_sample(texts, owners)]
    queries = {number: encoder.encode_tokens(as_known_tokens(phrasings[number])) for number in asked}
    scores = {number: score(stats, queries[number], number) for number in asked}
    planes = domain_planes(stats.embeddings.phrasings, out_of_scope.vectors)
    plane_without = cache(lambda target: planes.plane(*stats.starts[target : target + 2].tolist())) if planes else None
    plane = planes.plane() if planes else None
    gate = replace(generic, cohesion=_cohesion(stats, scores), domain_plane=plane)
    samples = []
    for number in asked:
        own, result = target_of[number], scores[number]
        best, nearest_listed = int(result.without_classifier.argmax()), out_of_scope.nearest(queries[number])
        side = float(planes.held_out_side[number]) if planes else 0.0
        held_out = HeldOut(phrasing=number)
        features = gate_features(
            stats, out_of_scope, gate, queries[number], result, best, held_out, nearest_listed, side
        )
        samples.append(
            Sample(
                features,
                bool(stats.family[best] == stats.family[own]),
                _is_among(stats, result, own),
                POSITIVE,
                support(stats, queries[number], own, number),
            )
        )
        others = np.where(stats.family == stats.family[own], -np.inf, result.without_classifier)
        best, held_out = int(others.argmax()), HeldOut(target=own)
        side = domain_side(plane_without(own), queries[number].vector) if plane_without else 0.0
        features = gate_features(
            stats, out_of_scope, gate, queries[number], result, best, held_out, nearest_listed, side
        )
        samples.append(Sample(features, False, False, NEAR_NEGATIVE))
    for number, text in _listed_sample(list(listed), decided):
        query = listed[text]
        result = score(stats, query)
        side = float(planes.held_out_side[len(phrasings) + number]) if planes else 0.0
        best, held_out = int(result.without_classifier.argmax()), HeldOut(question=number)
        features = gate_features(stats, out_of_scope, gate, query, result, best, held_out, side=side)
        kind = DECIDED_ELSEWHERE if text in decided else LISTED_NEGATIVE
        samples.append(Sample(features, False, False, kind))
    right = [sample.support for sample in samples if sample.kind == POSITIVE and sample.is_right]
    gate = replace(gate, max_support=float(np.quantile(right, UNSUPPORTED)) if right else np.inf)
    if sum(sample.kind == LISTED_NEGATIVE for sample in samples) >= MIN_LISTED:
        return _with_shares(_fitted_to_listed(gate, samples, point), samples, LISTED_NEGATIVE)
    if stats.documents.informative < SILENT:
        point = replace(point, answer=point.small_answer, price=SILENT_PRICE * point.price)
        gate = replace(gate, distant=DISTANT)
    return _with_shares(_blended(gate, samples, point), samples, NEAR_NEGATIVE)


def _is_among(stats: IndexStats, scores: Scores, own: int) -> bool:
    """Whether fewer than MAX_OFFERED families rank before a target's."""
    own_score = scores.without_classifier[stats.family == stats.family[own]].max()
    return len(set(stats.family[scores.without_classifier > own_score].tolist())) < MAX_OFFERED


def with_thresholds(gate: Gate, answer: float, offer: float) -> Gate:
    """The gate with thresholds at these probabilities."""
    return replace(gate, answer=log_odds_of(answer), offer=log_odds_of(offer))


def log_odds_of(probability: float) -> float:
    """ln(p / (1 - p))"""
    return float(np.log(probability / (1 - probability)))


def _fitted_to_listed(gate: Gate, samples: Sequence[Sample], point: OperatingPoint) -> Gate:
    """A gate fitted to the samples alone, with thresholds from the listed negatives. It offers by the same log-odds."""
    weights, bias = fit_logistic(samples, [sample.is_right for sample in samples])
    fitted = replace(gate, weights=weights, bias=bias, among_weights=(), among_bias=0.0, distant=DISTANT)

    def log_odds(kind: str, is_right: bool) -> Doubles:
        return _log_odds(fitted, [s for s in samples if s.kind == kind and s.is_right is is_right])

    listed = log_odds(LISTED_NEGATIVE, False)
    offer = float(np.quantile(listed, 1 - NEGATIVES_OFFERED))
    usual, chosen = (with_thresholds(gate, each.answer, each.offer) for each in (OPERATING_POINTS["usual"], point))
    return replace(
        fitted,
        answer=max(_crossing(log_odds(POSITIVE, True), listed), offer) + chosen.answer - usual.answer,
        offer=offer + chosen.offer - usual.offer,
    )


def _blended(gate: Gate, samples: Sequence[Sample], point: OperatingPoint) -> Gate:
    """A gate between one fitted to the samples and the generic one, the nearer to the former the more positives there are."""
    positives = [sample for sample in samples if sample.kind == POSITIVE]
    share = len(positives) / (len(positives) + HALF_OWN)
    weights, bias = fit_logistic(samples, [sample.is_right for sample in samples])
    among_weights, among_bias = fit_logistic(samples, [sample.is_among for sample in samples])
    own = replace(gate, weights=weights, bias=bias, among_weights=among_weights, among_bias=among_bias)
    blended = with_thresholds(between(gate, own, share), point.answer, point.offer)
    best = _best_threshold(blended, samples, point.price)
    return replace(blended, answer=max((blended.answer + best) / 2, MIN_ANSWER))


def _best_threshold(gate: Gate, samples: Sequence[Sample], price: float) -> float:
    """The threshold at which right answers minus `price` times wrong and strange ones are most, on these samples.

    The mean of all thresholds that are nearly as good: the best one alone moves with every phrasing.
    """
    kept = [sample for sample in samples if sample.kind in (POSITIVE, NEAR_NEGATIVE)]
    log_odds = _log_odds(gate, kept)
    near = sum(sample.kind == NEAR_NEGATIVE for sample in kept)
    near_weight = NEAR_SHARE * (len(kept) - near) / max(near, 1)
    gain = np.array([1.0 if s.is_right else -price * (near_weight if s.kind == NEAR_NEGATIVE else 1.0) for s in kept])
    order = np.argsort(-log_odds)
    gains = np.cumsum(gain[order])
    plateau = gains >= gains.max() - PLATEAU * (len(kept) - near)
    return float(log_odds[order][plateau].mean())


def _with_shares(gate: Gate, samples: Sequence[Sample], negatives: str) -> Gate:
    """The gate with the shares of its own samples that it answers and offers. `negatives`: the kind that isn't covered."""
    asked = [sample for sample in samples if sample.kind == POSITIVE]
    answers = _log_odds(gate, asked) >= gate.answer
    offers = np.array([gate.among_log_odds(sample.features) for sample in asked]) >= gate.offer
    strange = _log_odds(gate, [sample for sample in samples if sample.kind == negatives]) >= gate.answer
    return replace(gate, shares=(float(answers.mean()), float((offers & ~answers).mean()), float(strange.mean())))


def _log_odds(gate: Gate, samples: Sequence[Sample]) -> Doubles:
    return np.array([gate.log_odds(sample.features) for sample in samples])


def _listed_sample(texts: Sequence[str], decided: Collection[str]) -> list[tuple[int, str]]:
    """At most MAX_SAMPLES listed questions for the gate, and as many that something else decides, with their numbers."""
    kinds = [[number for number, text in enumerate(texts) if (text in decided) is kind] for kind in (False, True)]
    return [
        (numbers[position], texts[numbers[position]])
        for numbers in kinds
        for position in _stratified_sample([texts[number] for number in numbers])
    ]


def _stratified_sample(texts: Sequence[str], owners: Sequence[int] = ()) -> list[int]:
    """Positions of at most MAX_SAMPLES texts, of each owner as many as its share of them.

    Chosen by their hashes: where a curator adds a few, nearly all of them stay the same.
    """
    digests = [blake2b(text.encode(), digest_size=8).digest() for text in texts]
    by_owner: dict[int, list[int]] = {}
    for position in sorted(range(len(texts)), key=digests.__getitem__):
        by_owner.setdefault(owners[position] if owners else 0, []).append(position)
    order = sorted(
        ((rank + 0.5) / len(own), digests[position], position)
        for own in by_owner.values()
        for rank, position in enumerate(own)
    )
    return sorted(position for _, _, position in order[:MAX_SAMPLES])


def _cohesion(stats: IndexStats, scores: dict[int, Scores]) -> Floats:
    """By target: mean cosine of its phrasings to the nearest other one; the pack's mean where none was asked. (targets,)"""
    owners = stats.target_of[list(scores)]
    values = np.array([result.word[own] for own, result in zip(owners, scores.values(), strict=True)])
    counts = np.bincount(owners, minlength=stats.targets)
    sums = np.bincount(owners, weights=values, minlength=stats.targets)
    return np.where(counts > 0, sums / np.maximum(counts, 1), values.mean()).astype(np.float32)


def fit_logistic(samples: Sequence[Sample], labels: Sequence[bool]) -> tuple[tuple[float, ...], float]:
    """Weights and bias that separate samples by these labels."""
    rows = np.array([sample.features.row() for sample in samples])
    return fit_weights(rows, np.array(labels, dtype=float), _sample_weights(samples))


def fit_weights(rows: Doubles, labels: Doubles, importance: Doubles) -> tuple[tuple[float, ...], float]:
    """Ridge logistic regression on standardised features, by Newton's method from zero.

    Args:
        rows: (samples, features)
        labels: (samples,), 1 or 0.
        importance: (samples,), the weight of each sample; 1 on average.

    Returns:
        A weight for each feature as it is in `rows`, and the bias.
    """
    mean = np.average(rows, axis=0, weights=importance)
    deviation = np.sqrt(np.average((rows - mean) ** 2, axis=0, weights=importance))
    deviation[deviation < 1e-9] = np.inf
    x = np.c_[(rows - mean) / deviation, np.ones(len(rows))]
    ridge = np.r_[np.full(x.shape[1] - 1, RIDGE * len(rows)), 1e-6]
    weights = np.zeros(x.shape[1])
    for _ in range(NEWTON_STEPS):
        probability = 1 / (1 + np.exp(-np.clip(x @ weights, -30, 30)))
        gradient = x.T @ (importance * (probability - labels)) + ridge * weights
        hessian = (x * (importance * probability * (1 - probability))[:, None]).T @ x + np.diag(ridge + 1e-6)
        weights = weights - np.linalg.solve(hessian, gradient)
    unscaled = weights[:-1] / deviation
    return tuple(unscaled.tolist()), float(weights[-1] - unscaled @ mean)


def _sample_weights(samples: Sequence[Sample]) -> Doubles:
    """1 for each phrasing asked; the listed questions share LISTED_WEIGHT times as much as the near negatives. (samples,)"""
    is_listed = [sample.kind in (LISTED_NEGATIVE, DECIDED_ELSEWHERE) for sample in samples]
    near_negatives = sum(sample.kind == NEAR_NEGATIVE for sample in samples)
    share = LISTED_WEIGHT * near_negatives / max(sum(is_listed), 1)
    return np.array([share if listed else 1.0 for listed in is_listed])


def _crossing(positives: Doubles, negatives: Doubles) -> float:
    """The lowest threshold at which the false-negative rate is STRICTNESS times the false-positive rate, or more.

    A few more phrasings hardly change it, because both rates are steep there. The minimum of their sum is flat, and would move.
    """
    thresholds = np.unique(np.round(np.r_[positives, negatives], 2))
    kept_out = np.searchsorted(np.sort(positives), thresholds) / max(len(positives), 1)
    let_in = 1 - np.searchsorted(np.sort(negatives), thresholds) / max(len(negatives), 1)
    return float(thresholds[np.argmax(kept_out >= STRICTNESS * let_in)])
