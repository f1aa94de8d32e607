"""Fits the gate to the loaded pack from its own phrasings.

Each phrasing is asked as if it weren't there: a friend, right if its entry comes first. Asked once more with its whole entry
hidden it is a stranger from next door, and hundreds of those come free with every pack. Listed strangers join them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from bot.match.field import side, sides_of
from bot.match.gate import DISTANT, UNFITTED, Gate, Left, Signals, signals
from bot.match.reader import Question, Reader, plainly
from bot.match.scoring import Evidence, Scores, score
from bot.match.sparse import Floats
from bot.match.strangers import Strangers

FEWEST = 60
"""Phrasings with another of their entry beside them, below which a pack is too small to be fitted."""

MOST = 400
"""Phrasings, and listed strangers, that are asked for fitting; more change the third digit."""

LET_THROUGH = 0.10
"""Share of the left-out strangers that the answering threshold lets through."""

OFFER_THROUGH = 0.35
"""Share of them that is offered something at least."""

LEAST_ANSWER, LEAST_OFFER = -2.0, -6.0
"""Evidence below which nothing is answered or offered, however unlike each other a pack's entries are."""

ENOUGH_LISTED = 120
"""Listed strangers (not_asks too) from which they set the thresholds: they are what people really ask, and the left-out
entries of a pack whose entries overlap ("list backend", "recommend a backend") are no strangers at all."""

STRICTNESS = 0.85
"""Friends kept out for each stranger let in, both as shares of their own. Friends are asked without their own phrasing, so
that people's questions are easier than they are."""

RIDGE = 0.01
STEPS = 12
"""Of Newton's method; it settles in about eight."""

LISTED_SHARE = 2.0
"""Weight of all listed strangers together, beside all left-out strangers at 1: they are the ones people ask."""

LISTED = ("listed", "settled")

Doubles = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Sample:
    """Signals with their label and weight."""

    signals: Signals
    right: bool
    kind: str
    """friend, neighbour (its entry is hidden), listed, or settled (listed, and a name in it decides)."""


def fit(
    evidence: Evidence,
    reader: Reader,
    strangers: Strangers,
    spoken: Sequence[tuple[str, ...]],
    listed: Mapping[str, Question],
    settled: Collection[str] = (),
    taught: Sequence[int] | None = None,
) -> Gate:
    """The gate for a pack; `spoken`: the words of each phrasing, `listed`: the strangers, as read.

    `settled`: those of them that a name settles before the gate is asked; they teach it, but don't set its thresholds.
    `taught`: the phrasings that it may be fitted by; all of them unless told. Those that are alone in their entry teach
    nothing: asked as if it weren't there, such a one is never right, and a FAQ of them would be taught to say nothing.
    """
    owners, others = evidence.entry_of.tolist(), np.diff(evidence.starts)
    places = [at for at in (range(len(spoken)) if taught is None else taught) if others[owners[at]] > 1]
    if len(places) < FEWEST or evidence.entries < 3:
        return UNFITTED
    asked = [places[at] for at in _chosen([" ".join(spoken[at]) for at in places], [owners[at] for at in places])]
    questions = {at: reader.question(plainly(spoken[at])) for at in asked}
    scores = {at: score(evidence, questions[at], at) for at in asked}
    sides = sides_of(evidence.meanings.phrasings, strangers.directions)
    plane_without = cache(lambda entry: sides.plane(*evidence.starts[entry : entry + 2].tolist())) if sides else None
    gate = replace(
        UNFITTED, closeness=_closeness(evidence, scores), plane=sides.plane() if sides else None, distant=DISTANT
    )
    samples = []
    for at in asked:
        own, found = int(evidence.entry_of[at]), scores[at]
        best, stranger = int(found.plain.argmax()), strangers.likeness(questions[at])
        on_side = float(sides.alone[at]) if sides else 0.0
        seen = signals(evidence, strangers, gate, questions[at], found, best, Left(phrasing=at), stranger, on_side)
        samples.append(Sample(seen, bool(evidence.family[best] == evidence.family[own]), "friend"))
        hidden = np.where(evidence.family == evidence.family[own], -np.inf, found.plain)
        best = int(hidden.argmax())
        on_side = side(plane_without(own), questions[at].direction) if plane_without else 0.0
        seen = signals(evidence, strangers, gate, questions[at], found, best, Left(entry=own), stranger, on_side)
        samples.append(Sample(seen, False, "neighbour"))
    for number, text in _spread(list(listed), settled):
        question = listed[text]
        found = score(evidence, question)
        on_side = float(sides.alone[len(spoken) + number]) if sides else 0.0
        best, left = int(found.plain.argmax()), Left(stranger=number)
        seen = signals(evidence, strangers, gate, question, found, best, left, on_side=on_side)
        samples.append(Sample(seen, False, "settled" if text in settled else "listed"))
    return _thresholds(logistic(gate, samples), samples)


def _spread(texts: Sequence[str], settled: Collection[str]) -> list[tuple[int, str]]:
    """At most MOST strangers that the gate decides about, and as many that something else settles, with their numbers."""
    kinds = [[number for number, text in enumerate(texts) if (text in settled) is kind] for kind in (False, True)]
    return [(kind[at], texts[kind[at]]) for kind in kinds for at in _chosen([texts[number] for number in kind])]


def _chosen(texts: Sequence[str], owners: Sequence[int] = ()) -> list[int]:
    """Places of at most MOST texts, as many of each owner as its share of them.

    Picked by their hashes: where a curator adds a few, nearly all of them stay the same.
    """
    digests = [blake2b(text.encode(), digest_size=8).digest() for text in texts]
    places: dict[int, list[int]] = {}
    for at in sorted(range(len(texts)), key=digests.__getitem__):
        places.setdefault(owners[at] if owners else 0, []).append(at)
    order = sorted(((rank + 0.5) / len(own), digests[at], at) for own in places.values() for rank, at in enumerate(own))
    return sorted(at for _, _, at in order[:MOST])


def _closeness(evidence: Evidence, scores: dict[int, Scores]) -> Floats:
    """By entry: the mean of its phrasings' cosines to the nearest other one; the pack's mean where none was asked."""
    owners = evidence.entry_of[list(scores)]
    values = np.array([found.word[own] for own, found in zip(owners, scores.values(), strict=True)])
    asked = np.bincount(owners, minlength=evidence.entries)
    sums = np.bincount(owners, weights=values, minlength=evidence.entries)
    return np.where(asked > 0, sums / np.maximum(asked, 1), values.mean()).astype(np.float32)


def logistic(gate: Gate, samples: Sequence[Sample]) -> Gate:
    """Weights by ridge logistic regression on standardised signals, by Newton's method from zero."""
    rows = np.array([sample.signals.row() for sample in samples])
    mean, spread = rows.mean(axis=0), rows.std(axis=0)
    spread[spread < 1e-9] = np.inf
    x = np.c_[(rows - mean) / spread, np.ones(len(rows))]
    right = np.array([sample.right for sample in samples], dtype=float)
    importance = _importance(samples)
    ridge = np.r_[np.full(x.shape[1] - 1, RIDGE * len(rows)), 1e-6]
    weights = np.zeros(x.shape[1])
    for _ in range(STEPS):
        chance = 1 / (1 + np.exp(-np.clip(x @ weights, -30, 30)))
        slope = x.T @ (importance * (chance - right)) + ridge * weights
        curve = (x * (importance * chance * (1 - chance))[:, None]).T @ x + np.diag(ridge + 1e-6)
        weights = weights - np.linalg.solve(curve, slope)
    raw = weights[:-1] / spread
    return replace(gate, weights=tuple(raw.tolist()), bias=float(weights[-1] - raw @ mean))


def _importance(samples: Sequence[Sample]) -> Doubles:
    """One for each phrasing asked; the listed strangers share theirs."""
    neighbours = sum(sample.kind == "neighbour" for sample in samples)
    listed = sum(sample.kind in LISTED for sample in samples)
    share = LISTED_SHARE * neighbours / max(listed, 1)
    return np.array([share if sample.kind in LISTED else 1.0 for sample in samples])


def _thresholds(gate: Gate, samples: Sequence[Sample]) -> Gate:
    """The gate with its thresholds: from the listed strangers where a curator has listed many, else from next door."""

    def evidence(kind: str, right: bool) -> Doubles:
        return np.array([gate.evidence(one.signals) for one in samples if one.kind == kind and one.right is right])

    neighbours, listed = evidence("neighbour", False), evidence("listed", False)
    if len(listed) < ENOUGH_LISTED:
        answer, offer = np.quantile(neighbours, [1 - LET_THROUGH, 1 - OFFER_THROUGH])
        return replace(gate, answer=max(float(answer), LEAST_ANSWER), offer=max(float(offer), LEAST_OFFER))
    friends = evidence("friend", True)
    offer = float(np.quantile(listed, 1 - OFFER_THROUGH))
    return replace(gate, answer=max(_parting(friends, listed), offer), offer=offer)


def _parting(friends: Doubles, strangers: Doubles) -> float:
    """The threshold at which the share of friends that is kept out reaches that of strangers let in.

    The two curves cross steeply, so that a few phrasings more don't move it; where their sum is least is a plateau.
    """
    steps = np.unique(np.round(np.r_[friends, strangers], 2))
    kept_out = np.searchsorted(np.sort(friends), steps) / max(len(friends), 1)
    let_in = 1 - np.searchsorted(np.sort(strangers), steps) / max(len(strangers), 1)
    return float(steps[np.argmax(kept_out >= STRICTNESS * let_in)])
