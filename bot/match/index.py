"""The index of a pack's phrasings, and how a question is ranked by it. Generic: what it knows of a subject stands in the pack.

Build once, ask often. Everything is counted, nothing is random.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np

from bot.match.gate import Gate, confidence, signals
from bot.match.ranking import Candidate, Ranking, Unknown
from bot.match.reader import Question, Reader
from bot.match.scoring import Evidence, Scores, score
from bot.match.sparse import Ints
from bot.match.strangers import Strangers
from bot.text import words

SEVERAL = -2
"""In place of an entry: the phrase stands under more than one."""

STRANGER = -3
"""In place of an entry: the phrase is a listed stranger."""


@dataclass(frozen=True, slots=True)
class Exact:
    """Whole phrases: ascending hashes of their words, and the entry of each."""

    keys: Ints
    entries: Ints

    def entry(self, text: str) -> int | None:
        """The entry whose phrasing this is, SEVERAL, STRANGER, or none."""
        key = phrase_key(words(text))
        at = int(np.searchsorted(self.keys, key))
        return int(self.entries[at]) if at < len(self.keys) and self.keys[at] == key else None


@dataclass(frozen=True, slots=True)
class Index:
    """A pack's phrasings, ready to be asked."""

    evidence: Evidence
    reader: Reader
    exact: Exact
    strangers: Strangers
    gate: Gate
    numbers: Ints
    """Of each phrasing, as given to build."""
    texts: tuple[str, ...]

    @staticmethod
    def build(
        phrasings: Sequence[tuple[str, int]],
        entries: int,
        *,
        strangers: Sequence[str] = (),
        not_asks: Sequence[tuple[str, int]] = (),
        synonyms: Mapping[str, Sequence[str]] | None = None,
        subject: Sequence[str] = (),
        settled: Collection[str] = (),
        family: Sequence[int] = (),
    ) -> Index:
        """Index (phrasing, entry number) pairs of a pack with that many entries, and fit its gate.

        `strangers`, and `not_asks` with the entry they must not find, are questions without an answer; `synonyms`: a word and what
        is read as it; `subject`: words that carry no evidence by themselves. Texts are cleaned already.
        `settled`: questions without an answer that something else than this index settles; `family`:
        a number for each entry, the same for entries that lead to much the same answer.
        """
        from bot.match.build import build

        return build(phrasings, entries, strangers, not_asks, synonyms or {}, subject, settled, family)

    def rank(self, text: str, top: int = 3) -> Ranking:
        """The best entries for a cleaned text."""
        question = self.reader.read(text)
        scores = score(self.evidence, question)
        exact = self.exact.entry(text)
        order = np.lexsort((np.arange(len(scores.total)), -np.round(scores.total, 6)))[: max(top, 2)]
        found = [int(entry) for entry in order if np.isfinite(scores.total[entry])]
        if exact is not None and exact >= 0:
            found = [exact, *(entry for entry in found if entry != exact)]
        return self._ranking(question, scores, found, top, exact)

    def resolve(self, word: str) -> str | None:
        """Which word of the pack or of English a typed word is; none if it is neither."""
        token = self.reader.resolver.read(word)
        return token.word if token.known or token.word in self.reader.resolver.english else None

    def _ranking(self, question: Question, scores: Scores, found: list[int], top: int, exact: int | None) -> Ranking:
        seen = signals(self.evidence, self.strangers, self.gate, question, scores, found[0] if found else -1)
        evidence = self.gate.evidence(seen)
        is_exact = exact is not None and exact >= 0
        return Ranking(
            candidates=tuple(self._candidate(entry, scores) for entry in found[:top]),
            margin=seen.margin,
            coverage=seen.entry_coverage,
            pack_coverage=seen.coverage,
            corrections=tuple((token.typed, token.word) for token in question.tokens if token.slip),
            unknown=self._unknown(question),
            likeness=seen.word,
            stranger=seen.word - seen.stranger_word if len(self.strangers) else 0.0,
            exact=is_exact,
            exact_stranger=exact == STRANGER,
            evidence=evidence,
            confidence=1.0 if is_exact else confidence(evidence - self.gate.answer),
        )

    def _candidate(self, entry: int, scores: Scores) -> Candidate:
        """The entry with its nearest phrasing."""
        first, last = self.evidence.starts[entry : entry + 2]
        at = int(first) + int(scores.cosines[first:last].argmax())
        return Candidate(entry, float(scores.total[entry]), int(self.numbers[at]), self.texts[at])

    def _unknown(self, question: Question) -> tuple[Unknown, ...]:
        """The words that the pack doesn't have, with what they tell."""
        english = self.reader.resolver.english
        return tuple(
            Unknown(token.word, float(weight), token.word in english)
            for token, stem, weight in zip(question.tokens, question.stems, question.information, strict=True)
            if not stem
        )


def phrase_key(typed: Sequence[str]) -> int:
    """A number for a phrase's words: 63 bits of a hash, so that two phrases never meet in practice."""
    return int.from_bytes(blake2b(" ".join(typed).encode(), digest_size=8).digest(), "big") >> 1
