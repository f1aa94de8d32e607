"""Rivals: phrasings that another entry would win if they weren't listed. Where they stand, two answers are hard to tell apart.

Each phrasing is asked as if the pack didn't have it. What a card's own name settles is left alone: names come first anyhow. So
is an entry's only phrasing, without which there is nothing to find the entry by.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from bot.curation.source_locations import SourceLocation, SourceLocations, label
from bot.knowledge import Fault
from bot.match import Matcher
from bot.match.english import english
from bot.match.index import Index
from bot.match.linear import nothing
from bot.match.names import names_of
from bot.match.scoring import by_entry, score
from bot.match.sparse import Floats
from bot.match.targets import Target, targets_of
from bot.model import Library
from bot.text import words

NEARLY = 0.1
"""Lead over the best rival below which a phrasing is nearly lost. Scores of good matches lie around 3."""

MOST_ASKED = 1_500
"""Phrasings that are asked: those whose words alone are nearest to another entry. The worst are among them."""

MOST_SHOWN = 20
"""The worst of them: more than a curator mends in one sitting."""


Track = Callable[[Sequence[int]], Iterable[int]]


@dataclass(frozen=True, slots=True)
class Rivalry:
    """A phrasing, whose it is, and who comes near. `lead`: the owner's score above the rival's."""

    phrasing: str
    owner: Target
    place: SourceLocation
    rival: Target
    nearest: str
    """The rival's phrasing that it is most like."""
    nearest_place: SourceLocation
    lead: float

    @property
    def advice(self) -> Fault:
        """The same as a sentence to a curator."""
        outcome = "would go to" if self.lead <= 0 else "would nearly go to"
        file, line = self.nearest_place
        rival = f"{label(self.rival)} ('{self.nearest}'" + (f", {file}:{line})" if file else ")")
        text = f"'{self.phrasing}' {outcome} {rival} if it weren't listed; say what sets the two apart"
        return Fault(*self.place, label(self.owner), text, refuses=False, advice=True)


def rivalries(matcher: Matcher, places: SourceLocations, track: Track = iter) -> list[Rivalry]:
    """The contested phrasings of a pack, the worst first; `track` sees each that is asked go by."""
    index, targets = matcher.index, targets_of(matcher.knowledge)
    evidence = replace(index.evidence, linear=nothing(index.evidence.entries))  # it was trained on the phrasing itself
    found = []
    for at in track(_likeliest(index, _asked(matcher, targets))):
        scores = score(evidence, index.reader.read(index.texts[at]), at)
        ours = evidence.family == evidence.family[evidence.entry_of[at]]
        rival = int(np.where(ours, -np.inf, scores.plain).argmax())
        lead = float(scores.plain[ours].max() - scores.plain[rival])
        if lead < NEARLY and np.isfinite(lead):
            found.append(_rivalry(index, targets, places, at, rival, scores.cosines, round(lead, 6)))
    return sorted(found, key=lambda one: (one.lead, one.place))


def _rivalry(
    index: Index, targets: Sequence[Target], places: SourceLocations, at: int, rival: int, cosines: Floats, lead: float
) -> Rivalry:
    owner, other = targets[int(index.evidence.entry_of[at])], targets[rival]
    first, last = index.evidence.starts[rival : rival + 2]
    nearest, phrasing = index.texts[int(first) + int(cosines[first:last].argmax())], index.texts[at]
    return Rivalry(phrasing, owner, places.of(owner.id, phrasing), other, nearest, places.of(other.id, nearest), lead)


def _asked(matcher: Matcher, targets: Sequence[Target]) -> list[int]:
    """Numbers of the phrasings that may be asked: a pack's own, but for an entry's only one and those that a name settles."""
    index, names = matcher.index, names_of(matcher.knowledge, english().__contains__)
    starts = index.evidence.starts.tolist()
    told = [{" ".join(words(text)) for text in index.texts[first:last]} for first, last in pairwise(starts)]
    alone = {owner for owner, texts in enumerate(told) if len(texts) == 1}
    found = []
    for at, owner in enumerate(index.evidence.entry_of.tolist()):
        target = targets[owner]
        if target.kind == "talk" or owner in alone:
            continue
        card = isinstance(matcher.knowledge.by_id.get(target.id), Library)
        named = names.find(words(index.texts[at])) if card and target.kind == "entry" else ()
        if not any(mention.name.about == target.id for mention in named):
            found.append(at)
    return found


def _likeliest(index: Index, asked: Sequence[int]) -> list[int]:
    """Those whose own words are the least like the rest of their entry and the most like another, in the pack's order."""
    rows, entry_of = index.evidence.phrasings.rows, index.evidence.entry_of
    if len(asked) <= MOST_ASKED:
        return list(asked)
    order = np.argsort(rows.places, kind="stable")
    stems = np.repeat(np.arange(len(rows.keys)), np.diff(rows.starts))[order]
    begins = np.searchsorted(rows.places[order], np.arange(len(entry_of) + 1))
    risk = []
    for at in asked:
        cosines = np.zeros(len(entry_of), dtype=np.float32)
        for cell in range(begins[at], begins[at + 1]):
            first, last = rows.starts[stems[cell] : stems[cell] + 2]
            cosines[rows.places[first:last]] += rows.weights[order[cell]] * rows.weights[first:last]
        cosines[at] = 0
        best = by_entry(cosines, index.evidence.starts)
        ours = index.evidence.family == index.evidence.family[entry_of[at]]
        risk.append(float(best[~ours].max(initial=0) - best[ours].max(initial=0)))
    return sorted(asked[at] for at in np.argsort(-np.round(risk, 6), kind="stable")[:MOST_ASKED])
