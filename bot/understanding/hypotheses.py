"""What a message of a conversation may mean where no rule tells: each hypothesis is asked of the same index, the likeliest wins.

A hypothesis is an entry, a group or small talk that the message may be about, or that the pack has no answer. They come from two
readings: the message alone, and the message behind the title of the entry that was shown ("Booking a holiday who approves it").
A conditional logit weighs them: how near each is in both readings, and, for the entry that was shown, how much the message leans
on what stands. `python -m benchmarks.conversations --fit` fits its weights.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bot.retrieval.index import Ranking
from bot.retrieval.sparse import Floats
from bot.text import stem, words
from bot.understanding import cues
from bot.understanding.conversation import ConversationTurn
from bot.understanding.finding_factory import FindingFactory
from bot.understanding.reading import Reading
from bot.understanding.targets import Target

CANDIDATES = 6
"""Candidates of each reading that are hypotheses. Of 112 follow-ups in three FAQs the right entry was among them in 108."""
MIN_PROBABILITY = 0.3
"""Probability from which the likeliest hypothesis answers; below it, it is offered. Of 870 follow-ups six more were
right at .2, and thirty fewer at .4; of 100 questions of another trade 36 and 45 are answered, 46 and 60 at .2, 23 and 28
at .4."""
SURE = 0.6
"""Probability below which the answer begins with what it is taken to be about."""
MAX_EVIDENCE, EVIDENCE_SCALE = 6.0, 3.0
"""Log-odds beyond the threshold are cut off here, and divided by this, to be of the size of the other features."""

FEATURES = (
    "gap alone", "gap behind the title", "first alone", "shown", "shown, pronoun", "shown, no content",
    "words covered", "shown, evidence alone", "shown, nearest sentence", "small talk", "offered", "related",
    "no answer", "no answer, evidence", "no answer, no content",
)  # fmt: skip
OF_TARGETS = 12
"""How many describe a target: its score behind the best one's in both readings, whether it is the best of the message alone,
whether it was shown last and how the message leans on it (a pronoun, no content words), the share of the message's content words
that its texts have, the evidence of the message alone, how near it is to a sentence of the answer that was shown, whether it is
small talk, was offered before, and is related to what was shown."""
WEIGHTS = np.array([0.63, 0.66, 0.87, -0.85, 0.30, 1.42, 0.81, -0.36, 2.06, -1.54, 0.91, 1.33, -0.51, -1.53, -2.11])


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One meaning of a message.

    Attributes:
        target: What it is about; None: nothing that the pack has.
        probability: Its probability among all hypotheses.
    """

    target: Target | None
    probability: float


def hypotheses(
    turn: ConversationTurn, alone: Reading, read: Callable[[str], Reading], findings: FindingFactory
) -> list[Hypothesis]:
    """The hypotheses about a message, the likeliest first.

    Args:
        turn: The message, with an entry that was shown before it.
        alone: The message, read by itself.
        read: Reads another text.
        findings: The pack's targets, and what their texts say.
    """
    targets, features = features_of(turn, alone, read, findings)
    utilities = features @ WEIGHTS
    odds = np.exp(utilities - utilities.max())
    found = map(Hypothesis, targets, (odds / odds.sum()).tolist())
    return sorted(found, key=lambda hypothesis: -hypothesis.probability)


def features_of(
    turn: ConversationTurn, alone: Reading, read: Callable[[str], Reading], findings: FindingFactory
) -> tuple[list[Target | None], Floats]:
    """The targets of the hypotheses, the last one None, and their features: (hypotheses, len(FEATURES))."""
    subject = turn.subject
    behind = (
        read(_about_another(turn) or f"{subject.label} {alone.text}").ranking if subject is not None else alone.ranking
    )
    numbers = [
        candidate.target_index for ranking in (alone.ranking, behind) for candidate in ranking.candidates[:CANDIDATES]
    ]
    number_shown = findings.number_of(subject.id) if subject is not None else None
    numbers += [number_shown] if number_shown is not None else []
    content = [stem(token) for token in turn.telling]
    gaps = [_gaps(ranking) for ranking in (alone.ranking, behind)]
    first = alone.ranking.candidates[0].target_index if alone.ranking.candidates else -1
    leaning = [
        1.0,
        float(bool(cues.BACK.search(turn.text) or cues.THEM.search(turn.text) or not _LEANING.isdisjoint(turn.tokens))),
        float(not content),
    ]
    nearest = findings.nearness(subject, turn.telling) if subject is not None else 0.0
    related = subject.related if subject is not None else ()
    evidence = _scaled(alone.ranking.log_odds - findings.gate.answer)
    offered = {*(turn.state.ids if turn.state.kind == "unknown" else ()), *turn.state.others}
    rows = []
    for number in dict.fromkeys(numbers):
        is_shown = float(number == number_shown)
        covered = sum(key in findings.stems_of(number) for key in content) / max(1, len(content))
        rows.append([
            *(gap.get(number, min(gap.values(), default=0.0)) for gap in gaps), float(number == first),
            *(is_shown * value for value in leaning), covered, is_shown * evidence,
            is_shown * nearest, float(findings.target_of(number).kind == "talk"), float(findings.target_of(number).id in offered),
            float(findings.target_of(number).id in related), *[0.0] * (len(FEATURES) - OF_TARGETS),
        ])  # fmt: skip
    among = _scaled(alone.ranking.among_log_odds - findings.gate.offer)
    rows.append([*[0.0] * OF_TARGETS, 1.0, among, float(not content)])
    return [*map(findings.target_of, dict.fromkeys(numbers)), None], np.array(rows)


def _about_another(turn: ConversationTurn) -> str:
    """The title of the entry that was shown, with the group that the message names in place of its own; empty: they name none.

    "And the frontend?" after "What is Python backend development?" asks what Python frontend development is.
    """
    asked = turn.only_group
    if asked is None or turn.subject is None or turn.subject.kind != "topic":
        return ""
    tokens = words(turn.subject.title)
    others = {word for group in turn.knowledge.groups if group is not asked for word in group.words} & set(tokens)
    named = next((word for word in asked.words if len(words(word)) == 1), "")
    return " ".join(named if token in others else token for token in tokens) if others and named else ""


def _gaps(ranking: Ranking) -> dict[int, float]:
    """By target: how far its score is behind the best one's; 0 or less."""
    best = max((candidate.score for candidate in ranking.candidates), default=0.0)
    return {candidate.target_index: candidate.score - best for candidate in ranking.candidates}


def _scaled(log_odds: float) -> float:
    return max(-MAX_EVIDENCE, min(MAX_EVIDENCE, log_odds)) / EVIDENCE_SCALE


_LEANING = frozenset("he she him her there then".split())
"""Words that lean on what was said, beside those of `cues.BACK` and `cues.THEM`."""
