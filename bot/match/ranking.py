"""What a ranking says, with the evidence for it. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

MOST_SHOWN = 5
"""Candidates that the evidence keeps, with their nearest phrasings; to look those up for all forty took as long as to score
the grams."""


class Candidate(NamedTuple):
    """An entry that may be meant. `text`: its nearest phrasing; of the first few only, else empty."""

    entry: int
    score: float
    text: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """A word that the pack doesn't have. `weight`: how much it tells, 0.2 to 6; `english`: plain English knows it."""

    word: str
    weight: float
    english: bool


@dataclass(frozen=True, slots=True)
class Ranking:
    """The best entries for a question, best first, and how sure that is."""

    candidates: tuple[Candidate, ...]
    margin: float
    """Score of the first candidate above the second."""
    coverage: float
    """Share of what the question's words tell that lies on words the best entry has; 0 to 1."""
    pack_coverage: float
    """The same for words that any entry has."""
    corrections: tuple[tuple[str, str], ...]
    """(typed, read as)."""
    unknown: tuple[Unknown, ...]
    likeness: float
    """Word cosine of the best entry's nearest phrasing; 0 to 1."""
    stranger: float
    """Word cosine of the nearest question that isn't covered."""
    exact: bool
    """The question is, word for word, a phrasing of the first candidate and of no other entry."""
    exact_stranger: bool
    """It is, word for word, a listed stranger, and no phrasing."""
    evidence: float
    """Like log-odds; grows with the evidence without bound, comparable within a pack."""
    confidence: float
    """Above 0, below 1 but for an exact phrase; six digits; 0.5 where the gate starts to answer."""
