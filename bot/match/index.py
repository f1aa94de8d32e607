"""The index of a pack's phrasings, and how a question is ranked by it. Generic: what it knows of a subject stands in the pack.

Build once, ask often. Everything is counted, nothing is random.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from bot.match.budget import UNLIMITED, Budget
from bot.match.build import count, distinct, reader_of
from bot.match.exact import SEVERAL, STRANGER, Exact, phrases
from bot.match.fitting import fit
from bot.match.gate import Gate, confidence, signals
from bot.match.ranking import MOST_SHOWN, Candidate, Ranking, Unknown
from bot.match.reader import Question, Reader, synonym_table
from bot.match.scoring import Evidence, Scores, best, score
from bot.match.strangers import Strangers, gather
from bot.text import words


@dataclass(frozen=True, slots=True)
class Index:
    """A pack's phrasings, ready to be asked."""

    evidence: Evidence
    reader: Reader
    exact: Exact
    strangers: Strangers
    gate: Gate
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
        aside: Collection[int] = (),
    ) -> Index:
        """Index (phrasing, entry number) pairs of a pack with that many entries, and fit its gate.

        Texts are cleaned already. `strangers`, and `not_asks` with the entry they must not find, are questions without
        an answer; `settled`: those of them that something else than this index settles. `synonyms`: a word, and what is
        read as it; `subject`: words that carry no evidence by themselves. `family`: a number for each entry, the same
        for entries that lead to much the same answer.
        """
        table = synonym_table(synonyms or {})
        kept = distinct(phrasings, table)
        refused = list(dict.fromkeys([*strangers, *(text for text, _ in not_asks)]))
        reader = reader_of(kept, table, refused, subject)
        evidence = count(kept, reader, np.array(family or range(entries), dtype=np.int64))
        asked = {text: reader.read(text) for text in refused}
        taught = [at for at, one in enumerate(kept) if one.entry not in aside]
        foreign = gather(list(asked.values()), reader.numbers, evidence.phrasings)
        return Index(
            evidence=evidence,
            reader=reader,
            exact=phrases([(one.typed, one.entry) for one in kept], [words(text) for text in refused]),
            strangers=foreign,
            gate=fit(evidence, reader, foreign, [one.spoken for one in kept], asked, settled, taught),
            texts=tuple(one.text for one in kept),
        )

    def with_exact_phrases(self, asks: Sequence[tuple[str, int]], refused: Sequence[str]) -> Index:
        """The same index, in which these whole phrases lead to these entries, or to none; nothing near them does yet.

        A number beyond the entries that are indexed is that of an entry which is found by its whole phrases alone.
        """
        told = phrases([(words(text), entry) for text, entry in asks], [words(text) for text in refused])
        mine = set(told.keys.tolist())
        kept = np.array([key not in mine for key in self.exact.keys.tolist()], dtype=bool)
        keys = np.r_[self.exact.keys[kept], told.keys]
        entries, order = np.r_[self.exact.entries[kept], told.entries], np.argsort(keys)
        return replace(self, exact=Exact(keys[order], entries[order]))

    def rank(self, text: str, top: int = 3) -> Ranking:
        """The best entries for a cleaned text."""
        return self.rank_words(words(text), top)

    def knows(self, typed: Sequence[str]) -> bool:
        """Whether these words are, as they stand, a phrasing of one entry or a listed stranger."""
        exact = self.exact.entry_of(typed)
        return exact is not None and exact != SEVERAL

    def rank_words(self, typed: Sequence[str], top: int = 3, budget: Budget = UNLIMITED) -> Ranking:
        """The best entries for the words of a text."""
        return self.rank_question(self.reader.read_words(typed, budget), typed, top)

    def rank_question(self, question: Question, typed: Sequence[str], top: int) -> Ranking:
        """The best entries for a question, and the words it was read from."""
        scores = score(self.evidence, question)
        exact = self.exact.entry_of(typed)
        found = best(scores.total, max(top, 2))
        if exact is not None and exact >= 0:
            found = [exact, *(entry for entry in found if entry != exact)]
        return self._ranking(question, scores, found, top, exact)

    def resolve(self, word: str) -> str | None:
        """Which word of the pack or of English a typed word is; none if it is neither."""
        token = self.reader.resolver.read(word)
        return token.word if token.known or token.word in self.reader.resolver.english else None

    def _ranking(self, question: Question, scores: Scores, found: list[int], top: int, exact: int | None) -> Ranking:
        top_entry = next((entry for entry in found if entry < self.evidence.entries), -1)
        rest = found[MOST_SHOWN:top]
        points = scores.total[np.array(rest, dtype=np.int64)].tolist()
        others = [Candidate(entry, score, "") for entry, score in zip(rest, points, strict=True)]
        seen = signals(self.evidence, self.strangers, self.gate, question, scores, top_entry)
        evidence = self.gate.evidence(seen)
        is_exact = exact is not None and exact >= 0
        return Ranking(
            candidates=(*(self._candidate(entry, scores) for entry in found[: min(top, MOST_SHOWN)]), *others),
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
        if entry >= self.evidence.entries:
            return Candidate(entry, 0.0, "")
        first, last = self.evidence.starts[entry : entry + 2]
        return Candidate(
            entry, float(scores.total[entry]), self.texts[int(first) + int(scores.cosines[first:last].argmax())]
        )

    def _unknown(self, question: Question) -> tuple[Unknown, ...]:
        """The words that the pack doesn't have, with what they tell."""
        english, told = self.reader.resolver.english, question.information.tolist()
        return tuple(
            Unknown(token.word, weight, token.word in english)
            for token, stem, weight in zip(question.tokens, question.stems.tolist(), told, strict=True)
            if not stem
        )
