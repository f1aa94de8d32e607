"""How well each entry fits a question: five kinds of evidence, added up.

The weights were chosen on validation questions of public question sets; one set of weights serves packs of every size.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bot.match.linear import Linear
from bot.match.meaning import Meanings
from bot.match.phrasings import Phrasings
from bot.match.profiles import Profile
from bot.match.reader import Question
from bot.match.sparse import Floats, Ints

SEQUENCE_WEIGHT, GRAM_WEIGHT = 0.06, 0.025
"""Of the two likelihoods, beside cosines at 1; times the pack's fullness."""

LINEAR_WEIGHT = 1.2
"""Of the separator, times the pack's fullness: it needs many phrasings."""

MEANING_LEAST, MEANING_SPARSE = 0.2, 1.2
"""Of the word table in a full pack, and what is added in a sparse one."""

NEAREST_WEIGHT, AVERAGE_WEIGHT = 0.7, 1.3
"""Of the nearest phrasing and the entry's average, within the word table's share."""

HALF_FULL = 10
"""Phrasings an entry at which a pack is half full: counts speak for themselves as phrasings grow."""


OFFERED = 3
"""Candidates whose order must be right."""

SHORTLIST = 48
"""Entries at most whose phrasings are compared by meaning, one by one."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything counted about a pack's phrasings, which stand sorted by entry."""

    entry_of: Ints
    starts: Ints
    """First phrasing of each entry; one more at the end."""
    phrasings: Phrasings
    grams: Profile
    sequences: Profile
    linear: Linear
    meanings: Meanings
    fullness: float
    """Between 0 and 1: how much the counts can be trusted."""
    family: Ints
    """Of each entry: entries of one family lead to much the same answer, so that they are no rivals of each other."""

    @property
    def entries(self) -> int:
        return len(self.starts) - 1


@dataclass(frozen=True, slots=True)
class Scores:
    """By entry, but for `cosines`, which is by phrasing."""

    total: Floats
    plain: Floats
    """The total without the separator: comparable between questions, and between an index and parts of it."""
    word: Floats
    char: Floats
    near: Floats
    average: Floats
    cosines: Floats


def score(evidence: Evidence, question: Question, phrasing: int = -1) -> Scores:
    """Score every entry. `phrasing`: the question is this phrasing itself, and must not find itself."""
    own = int(evidence.entry_of[phrasing]) if phrasing >= 0 else -1
    known = question.stems > 0
    unknown = len(known) - int(np.count_nonzero(known))
    cosines = evidence.phrasings.likeness(question.stems[known], question.trust[known], unknown)
    if phrasing >= 0:
        cosines[phrasing] = 0
    full = evidence.fullness
    meaning = MEANING_LEAST + MEANING_SPARSE * (1 - full)
    word = by_entry(cosines, evidence.starts)
    average = evidence.meanings.average(question.direction, own)
    in_order, _ = evidence.sequences.compare(question.sequences, own)
    spelt, char = evidence.grams.compare(question.grams, own)
    likely = SEQUENCE_WEIGHT * in_order + GRAM_WEIGHT * spelt
    plain = word + char + full * likely + meaning * AVERAGE_WEIGHT * average
    plain[evidence.starts[1:] == evidence.starts[:-1]] = -np.inf
    linear = LINEAR_WEIGHT * full * evidence.linear.score(question)
    listed = shortlist(plain + linear, meaning * NEAREST_WEIGHT)
    near = np.zeros_like(plain)
    near[listed] = evidence.meanings.nearest(question.direction, listed, evidence.starts, phrasing)
    plain = plain + meaning * NEAREST_WEIGHT * near
    return Scores(plain + linear, plain, word, char, near, average, cosines)


def fullness(starts: Ints) -> float:
    """How full a pack is, from the first phrasing of each entry."""
    phrasings = np.diff(starts)
    mean = float(phrasings.sum()) / max(int((phrasings > 0).sum()), 1)
    return mean / (mean + HALF_FULL)


def by_entry(cosines: Floats, starts: Ints) -> Floats:
    """The highest value of each entry's phrasings; 0 for an entry without any."""
    if not len(cosines):
        return np.zeros(len(starts) - 1, dtype=np.float32)
    highest = np.maximum.reduceat(cosines, np.minimum(starts[:-1], len(cosines) - 1))
    return np.where(np.diff(starts) > 0, highest, 0).astype(np.float32)


def best(totals: Floats, most: int) -> list[int]:
    """At most so many entries, the best first; those that are equal to six digits in their own order."""
    rounded = np.round(totals, 6)
    kept = np.isfinite(rounded).nonzero()[0]
    if len(kept) > most:
        bar = np.partition(rounded[kept], len(kept) - most)[len(kept) - most]
        kept = kept[rounded[kept] >= bar]
    order: list[int] = kept[np.argsort(-rounded[kept], kind="stable")[:most]].tolist()
    return order


def shortlist(scores: Floats, gain: float) -> Ints:
    """The entries that may still be among those offered if each gains so much at most, ascending."""
    most = min(SHORTLIST, len(scores))
    best = np.argpartition(-scores, most - 1)[:most]
    bar = np.sort(scores[best])[-min(OFFERED, most)] - gain
    return np.sort(best[scores[best] >= bar])
