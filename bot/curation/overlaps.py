"""Overlaps: two answers of a pack that are easily taken for one another.

Each phrasing is asked as if the pack didn't have it: where another entry would answer it then, it would answer people who ask
nearly the same. Every pack with many phrasings has some of these, and its other phrasings make up for them. So two entries
overlap where the other would answer more than MAX_SHARE of what the pack lists for one, or where both list the same words.

Left out are phrasings of a card that contain its name (names are matched before phrasings), the only phrasing of an entry (it
can't be found at all without it), and twins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from bot.curation.source_locations import SourceLocation, SourceLocations, label, title
from bot.knowledge import Fault
from bot.model import Knowledge, Library
from bot.retrieval.english import english
from bot.retrieval.gate import HeldOut
from bot.retrieval.index import Index
from bot.retrieval.linear_classifier import empty_classifier
from bot.retrieval.scoring import max_by_target, score
from bot.text import normalize_phrase, stem, words
from bot.understanding import Matcher
from bot.understanding.names import names_of
from bot.understanding.question_type import STOPWORDS
from bot.understanding.targets import Target, targets_of

MAX_SHARE = 1 / 8
"""Share of a target's phrasings that may be lost to one other target: one of the eight that an entry should have."""

MAX_SCORED = 1_500
"""Phrasings that are scored: those whose stems are nearest to another entry. The worst overlaps are among them."""

Track = Callable[[Sequence[int]], Iterable[int]]


@dataclass(frozen=True, slots=True)
class LostPhrasing:
    """A phrasing that another target would answer if it weren't listed.

    Attributes:
        text: The phrasing.
        location: Where it is listed.
        nearest: The other target's most similar phrasing.
        nearest_location: Where that is listed.
        lead: Score of its own target minus that of the other one, without the phrasing; 0 or less.
    """

    text: str
    location: SourceLocation
    nearest: str
    nearest_location: SourceLocation
    lead: float


@dataclass(frozen=True, slots=True)
class Overlap:
    """A target of whose phrasings another one would answer more than MAX_SHARE, or one with the same words.

    Attributes:
        owner: What the phrasings lead to.
        rival: The other target.
        lost: The phrasings, the worst first.
        listed: Number of the owner's phrasings in all.
    """

    owner: Target
    rival: Target
    lost: tuple[LostPhrasing, ...]
    listed: int

    def advice(self, knowledge: Knowledge) -> Fault:
        """The overlap as advice to a curator."""
        worst, more = self.lost[0], len(self.lost) - 1
        others = f", like {more} more of its {self.listed} phrasings" if more else ""
        file, line = worst.nearest_location
        rival = title(self.rival, knowledge) + (f", {file}:{line}" if file else "")
        text = f"'{worst.text}' reads like '{worst.nearest}' ({rival}){others}; {REMEDY}"
        return Fault(*worst.location, label(self.owner), text, refuses=False, advice=True)


REMEDY = (
    "tell these entries apart: nearly the same question gets another entry's answer. Give the entry more phrasings of this kind, "
    "move the phrasing to the other entry, or make one entry of the two"
)


def find_overlaps(matcher: Matcher, locations: SourceLocations, track: Track = iter) -> list[Overlap]:
    """The overlaps of a pack, in its order. `track`: yields the phrasings one by one, say with a progress bar."""
    index, targets = matcher.index, targets_of(matcher.knowledge)
    stats = replace(
        index.stats, classifier=empty_classifier(index.stats.targets)
    )  # it was trained on the phrasing itself
    listed = _distinct_counts(index)
    pairs: dict[tuple[int, int], list[LostPhrasing]] = {}
    for phrasing in track(_nearest_to_others(index, _comparable(matcher, targets, listed))):
        query, owner = index.encoder.encode(index.texts[phrasing]), int(stats.target_of[phrasing])
        scores = score(stats, query, phrasing)
        in_family = stats.family == stats.family[owner]
        rival = int(np.where(in_family, -np.inf, scores.without_classifier).argmax())
        lead = float(scores.without_classifier[in_family].max() - scores.without_classifier[rival])
        is_lost = lead <= 0 and np.isfinite(lead)
        if is_lost and index.would_answer(query, scores, rival, HeldOut(phrasing=phrasing)):
            first, last = index.stats.starts[rival : rival + 2]
            nearest = index.texts[int(first) + int(scores.phrasing_cosines[first:last].argmax())]
            text, own, other = index.texts[phrasing], targets[owner].id, targets[rival].id
            if not is_set_apart(text, nearest, index.texts_of(owner), index.texts_of(rival)):
                place, nearest_place = locations.of(own, text), locations.of(other, nearest)
                pairs.setdefault((owner, rival), []).append(
                    LostPhrasing(text, place, nearest, nearest_place, round(lead, 6))
                )
    overlaps = []
    for (owner, rival), lost in sorted(pairs.items()):
        same = [phrasing for phrasing in lost if have_same_words(phrasing.text, phrasing.nearest)]
        reported = lost if len(lost) > MAX_SHARE * listed[owner] else same
        if reported:
            overlaps.append(Overlap(targets[owner], targets[rival], _worst_first(reported), listed[owner]))
    return overlaps


def is_set_apart(text: str, nearest: str, own: Sequence[str], others: Sequence[str]) -> bool:
    """Whether a phrasing and another target's nearest one are twins: the same but for one word each, which sets them apart.

    It does where more of its own target's phrasings (`own`), without this one, have it than of the other target's (`others`).
    """
    first, second = _content_stems(text), _content_stems(nearest)
    if not len(first - second) == len(second - first) == 1:
        return False
    (word,) = first - second
    in_own, in_others = (sum(word in _content_stems(phrasing) for phrasing in listed) for listed in (own, others))
    return (in_own - 1) * len(others) > in_others * len(own)


def have_same_words(text: str, other: str) -> bool:
    """Whether two phrasings differ in the order of their words, and in one function word at most."""
    differing = frozenset(map(stem, words(text))) ^ frozenset(map(stem, words(other)))
    return len(differing) <= 1 and _content_stems(text) == _content_stems(other)


def _content_stems(text: str) -> frozenset[str]:
    return frozenset(stem(word) for word in words(text) if word not in STOPWORDS)


def _worst_first(lost: Iterable[LostPhrasing]) -> tuple[LostPhrasing, ...]:
    return tuple(sorted(lost, key=lambda phrasing: (phrasing.lead, phrasing.location)))


def _distinct_counts(index: Index) -> list[int]:
    """By target, the number of its phrasings that differ by more than case and punctuation."""
    bounds = pairwise(index.stats.starts.tolist())
    return [len({normalize_phrase(text) for text in index.texts[first:last]}) for first, last in bounds]


def _comparable(matcher: Matcher, targets: Sequence[Target], listed: Sequence[int]) -> list[int]:
    """Positions of the phrasings that can overlap: not small talk, not an entry's only one, not one with its card's name."""
    index, names = matcher.index, names_of(matcher.knowledge, english().__contains__)
    comparable = []
    for phrasing, owner in enumerate(index.stats.target_of.tolist()):
        target = targets[owner]
        if target.kind == "talk" or listed[owner] == 1:
            continue
        is_card = target.kind == "entry" and isinstance(matcher.knowledge.by_id.get(target.id), Library)
        mentions = names.find(words(index.texts[phrasing])) if is_card else ()
        if not any(mention.name.about == target.id for mention in mentions):
            comparable.append(phrasing)
    return comparable


def _nearest_to_others(index: Index, phrasings: Sequence[int]) -> list[int]:
    """At most MAX_SCORED of the phrasings, in their order: the least similar to the rest of their entry and the most to another.

    Similarity is the cosine of their stems, which costs a fraction of `score`.
    """
    if len(phrasings) <= MAX_SCORED:
        return list(phrasings)
    rows, target_of = index.stats.tfidf.rows, index.stats.target_of
    order = np.argsort(rows.columns, kind="stable")
    stems = np.repeat(np.arange(len(rows.keys)), np.diff(rows.starts))[order]
    begins = np.searchsorted(rows.columns[order], np.arange(len(target_of) + 1))
    risk = []
    for phrasing in phrasings:
        cosines = np.zeros(len(target_of), dtype=np.float32)
        for cell in range(begins[phrasing], begins[phrasing + 1]):
            first, last = rows.starts[stems[cell] : stems[cell] + 2]
            cosines[rows.columns[first:last]] += rows.values[order[cell]] * rows.values[first:last]
        cosines[phrasing] = 0
        best = max_by_target(cosines, index.stats.starts)
        in_family = index.stats.family == index.stats.family[target_of[phrasing]]
        risk.append(float(best[~in_family].max(initial=0) - best[in_family].max(initial=0)))
    return sorted(phrasings[n] for n in np.argsort(-np.round(risk, 6), kind="stable")[:MAX_SCORED])
