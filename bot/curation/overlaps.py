"""Overlaps: phrasings that another entry would win, or nearly, if they weren't listed. There, two answers are hard to tell apart.

Each phrasing is scored as if the pack didn't have it. Left out are phrasings of a card that contain its name (names are matched
before phrasings) and the only phrasing of an entry (without it the entry can't be found at all).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from bot.curation.source_locations import SourceLocation, SourceLocations, label
from bot.knowledge import Fault
from bot.model import Library
from bot.retrieval.english import english
from bot.retrieval.index import Index
from bot.retrieval.linear_classifier import empty_classifier
from bot.retrieval.scoring import max_by_target, score
from bot.retrieval.sparse import Floats
from bot.text import normalize_phrase, words
from bot.understanding import Matcher
from bot.understanding.names import names_of
from bot.understanding.targets import Target, targets_of

MIN_LEAD = 0.1
"""Lead over the best other entry below which a phrasing is nearly lost. Scores of good matches are about 3."""

MAX_SCORED = 1_500
"""Phrasings that are scored: those whose stems are nearest to another entry. The worst overlaps are among them."""

MAX_SHOWN = 20
"""The worst that are shown: more than a curator corrects in one sitting."""

Track = Callable[[Sequence[int]], Iterable[int]]


@dataclass(frozen=True, slots=True)
class Overlap:
    """A phrasing that another target would win, or nearly.

    Attributes:
        phrasing: The phrasing.
        owner: What it leads to.
        location: Where it is listed.
        rival: The other target.
        nearest: The rival's most similar phrasing.
        nearest_location: Where that is listed.
        lead: Score of the owner minus that of the rival, without the phrasing; 0 or less if it would be lost.
    """

    phrasing: str
    owner: Target
    location: SourceLocation
    rival: Target
    nearest: str
    nearest_location: SourceLocation
    lead: float

    @property
    def advice(self) -> Fault:
        """The overlap as advice to a curator."""
        outcome = "would go to" if self.lead <= 0 else "would nearly go to"
        file, line = self.nearest_location
        rival = f"{label(self.rival)} ('{self.nearest}'" + (f", {file}:{line})" if file else ")")
        text = f"'{self.phrasing}' {outcome} {rival} if it weren't listed; say what sets the two apart"
        return Fault(*self.location, label(self.owner), text, refuses=False, advice=True)


def find_overlaps(matcher: Matcher, locations: SourceLocations, track: Track = iter) -> list[Overlap]:
    """The overlaps of a pack, the worst first. `track`: yields the phrasings one by one, say with a progress bar."""
    index, targets = matcher.index, targets_of(matcher.knowledge)
    stats = replace(
        index.stats, classifier=empty_classifier(index.stats.targets)
    )  # it was trained on the phrasing itself
    overlaps = []
    for phrasing in track(_nearest_to_others(index, _comparable(matcher, targets))):
        scores = score(stats, index.encoder.encode(index.texts[phrasing]), phrasing)
        in_family = stats.family == stats.family[stats.target_of[phrasing]]
        rival = int(np.where(in_family, -np.inf, scores.without_classifier).argmax())
        lead = float(scores.without_classifier[in_family].max() - scores.without_classifier[rival])
        if lead < MIN_LEAD and np.isfinite(lead):
            overlaps.append(
                _overlap(index, targets, locations, phrasing, rival, scores.phrasing_cosines, round(lead, 6))
            )
    return sorted(overlaps, key=lambda overlap: (overlap.lead, overlap.location))


def _overlap(
    index: Index,
    targets: Sequence[Target],
    locations: SourceLocations,
    phrasing: int,
    rival: int,
    cosines: Floats,
    lead: float,
) -> Overlap:
    """`cosines`: of the phrasing to all phrasings of the index."""
    owner, other = targets[int(index.stats.target_of[phrasing])], targets[rival]
    first, last = index.stats.starts[rival : rival + 2]
    text, nearest = index.texts[phrasing], index.texts[int(first) + int(cosines[first:last].argmax())]
    return Overlap(text, owner, locations.of(owner.id, text), other, nearest, locations.of(other.id, nearest), lead)


def _comparable(matcher: Matcher, targets: Sequence[Target]) -> list[int]:
    """Positions of the phrasings that can overlap: not small talk, not an entry's only one, not one with its card's name."""
    index, names = matcher.index, names_of(matcher.knowledge, english().__contains__)
    bounds = pairwise(index.stats.starts.tolist())
    distinct = [{normalize_phrase(text) for text in index.texts[first:last]} for first, last in bounds]
    comparable = []
    for phrasing, owner in enumerate(index.stats.target_of.tolist()):
        target = targets[owner]
        if target.kind == "talk" or len(distinct[owner]) == 1:
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
