"""The index of a pack's phrasings: build once, rank many questions. All it knows of a subject stands in the pack.

Everything is counted or trained in a fixed order; nothing is random.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from itertools import chain
from sys import intern
from typing import NamedTuple

import numpy as np

from bot.retrieval.calibration import OPERATING_POINTS, calibrate
from bot.retrieval.documents import build_documents
from bot.retrieval.embeddings import build_embeddings, word_vectors
from bot.retrieval.encoding import (
    EncodedQuery,
    Encoder,
    Synonyms,
    as_known_tokens,
    char_ngram_occurrences,
    number_stems,
    replace_synonyms,
    stem_ngram_occurrences,
    stem_pair_occurrences,
    synonym_table,
)
from bot.retrieval.gate import Gate, HeldOut, confidence, gate_features, support, support_needed
from bot.retrieval.linear_classifier import MAX_PHRASINGS, empty_classifier, train_classifier
from bot.retrieval.naive_bayes import build_naive_bayes
from bot.retrieval.out_of_scope import OutOfScopeIndex, build_out_of_scope
from bot.retrieval.scoring import IndexStats, Scores, fullness, score, top_targets
from bot.retrieval.sparse import Ints, Occurrences
from bot.retrieval.spelling import UNLIMITED, Budget, SpellingCorrector
from bot.retrieval.tfidf import build_tfidf
from bot.text import stem, words

MAX_SHOWN = 5
"""Candidates whose nearest phrasing is looked up; for all forty that took as long as scoring the n-grams."""

MAX_LOG_ODDS_ADDED = 2.5
"""Log-odds that `bot.understanding` adds to a ranking's at most before it compares them with the threshold."""

# --- the result


class Candidate(NamedTuple):
    """A target that may be meant.

    Attributes:
        target_index: Its number.
        score: What it is ranked by.
        text: Its nearest phrasing; only of the first MAX_SHOWN.
        covered: See `DocumentScores`; only of the first MAX_SHOWN.
    """

    target_index: int
    score: float
    text: str
    covered: float = 0.0


@dataclass(frozen=True, slots=True)
class UnknownWord:
    """A word that the pack doesn't have. `weight`: its information, 0.2 to 6."""

    word: str
    weight: float
    is_english: bool


@dataclass(frozen=True, slots=True)
class Ranking:
    """The best targets for a question, best first, and how sure that is.

    Attributes:
        candidates: The targets.
        margin: Score of the first candidate minus that of the next of another family.
        coverage: Share of the question's information (weight of words by rarity) on words that the first candidate has; 0 to 1.
        pack_coverage: Share of it on words that any target has.
        corrections: (typed, read as) of each corrected word.
        unknown_words: Words that the pack doesn't have.
        similarity: TF-IDF cosine of the first candidate's nearest phrasing; 0 to 1.
        out_of_scope_similarity: TF-IDF cosine of the nearest listed out-of-scope question.
        sentence: The sentence of the first candidate's texts that is nearest to the question, where it is nearer than any of its
            phrasings; else empty.
        is_supported: Enough phrasings of the first candidate have the question's words, see `gate.support`.
        is_exact: The question is, word for word, a phrasing of the first candidate and of no other target.
        is_exact_out_of_scope: It is, word for word, a listed out-of-scope question, and no phrasing.
        log_odds: That the first candidate is right; unbounded, comparable within a pack.
        among_log_odds: That the right one is among the first three; see `Gate`.
        confidence: `log_odds` mapped to between 0 and 1; 0.5 where the gate starts to answer, 1 for an exact phrase; six digits.
    """

    candidates: tuple[Candidate, ...]
    margin: float
    coverage: float
    pack_coverage: float
    corrections: tuple[tuple[str, str], ...]
    unknown_words: tuple[UnknownWord, ...]
    similarity: float
    out_of_scope_similarity: float
    sentence: str
    is_supported: bool
    is_exact: bool
    is_exact_out_of_scope: bool
    log_odds: float
    among_log_odds: float
    confidence: float


# --- whole phrases

AMBIGUOUS = -2
"""In place of a target: the phrase belongs to several."""

OUT_OF_SCOPE = -3
"""In place of a target: the phrase is a listed out-of-scope question."""


@dataclass(frozen=True, slots=True)
class ExactPhrases:
    """A lookup table of whole phrases.

    Attributes:
        keys: (phrases,), ascending, see `phrase_key`.
        targets: (phrases,), the target of each, AMBIGUOUS or OUT_OF_SCOPE.
    """

    keys: Ints
    targets: Ints

    @classmethod
    def from_phrases(
        cls, phrasings: Iterable[tuple[Sequence[str], int]], out_of_scope: Iterable[Sequence[str]]
    ) -> ExactPhrases:
        """A table of (words, target) pairs and of out-of-scope questions' words; a phrasing wins over the latter."""
        targets: dict[int, int] = {}
        for phrase, target in phrasings:
            key = phrase_key(phrase)
            targets[key] = target if targets.get(key, target) == target else AMBIGUOUS
        for phrase in out_of_scope:
            targets.setdefault(phrase_key(phrase), OUT_OF_SCOPE)
        keys: Ints = np.array(sorted(targets), dtype=np.int64)
        return cls(keys, np.array([targets[key] for key in keys.tolist()], dtype=np.int64))

    def find(self, words: Sequence[str]) -> int | None:
        """The target whose phrasing these words are, AMBIGUOUS, OUT_OF_SCOPE, or None."""
        key = phrase_key(words)
        position = int(self.keys.searchsorted(key))
        is_listed = position < len(self.keys) and self.keys[position] == key
        return int(self.targets[position]) if is_listed else None


def phrase_key(words: Sequence[str]) -> int:
    """63 bits of a BLAKE2b hash of a phrase's words, so that two phrases never collide in practice."""
    return int.from_bytes(blake2b(" ".join(words).encode(), digest_size=8).digest(), "big") >> 1


# --- the index


@dataclass(frozen=True, slots=True)
class Index:
    """A pack's phrasings, ready to rank questions. Immutable; threads may share it.

    Attributes:
        stats: What is counted about the phrasings.
        encoder: Encodes questions.
        exact: Whole phrases.
        out_of_scope: The listed out-of-scope questions.
        gate: Fitted to the pack, or generic where the pack is too small for that.
        texts: The phrasings, sorted by target.
        edited: Targets by `phrase_key` that win over `exact`: a few phrases, over arrays that many indexes share.
    """

    stats: IndexStats
    encoder: Encoder
    exact: ExactPhrases
    out_of_scope: OutOfScopeIndex
    gate: Gate
    texts: tuple[str, ...]
    edited: Mapping[int, int] = field(default_factory=dict)

    @staticmethod
    def build(
        phrasings: Sequence[tuple[str, int]],
        targets: int,
        *,
        out_of_scope: Sequence[str] = (),
        not_asks: Sequence[tuple[str, int]] = (),
        synonyms: Mapping[str, Sequence[str]] | None = None,
        subject: Sequence[str] = (),
        decided: Collection[str] = (),
        family: Sequence[int] = (),
        secondary: Collection[int] = (),
        answers: Sequence[tuple[str, int]] = (),
        caution: str = "usual",
    ) -> Index:
        """Index phrasings and calibrate the gate.

        Args:
            phrasings: (cleaned text, target number) pairs.
            targets: Number of targets, 0 to targets - 1.
            out_of_scope: Questions that no target answers.
            not_asks: (question, target number) pairs: questions that must not find that target.
            synonyms: A phrase, and the variants that are read as it.
            subject: Words of the pack's subject, which nearly every question has: they are weak evidence.
            decided: Those of `out_of_scope` and `not_asks` that contain a name, which decides before this index is asked.
            family: A number for each target, the same for targets that lead to much the same answer; by default all differ.
            secondary: Targets beside the pack's own subject (small talk): no samples for the calibration, and not counted for
                fullness.
            answers: (cleaned text, target number) pairs: what the targets answer.
            caution: A name in OPERATING_POINTS: how sure an answer has to be.
        """
        table = synonym_table(synonyms or {})
        kept = distinct_phrasings(phrasings, table)
        listed = list(dict.fromkeys([*out_of_scope, *(text for text, _ in not_asks)]))
        encoder = build_encoder(kept, table, [*listed, *(text for text, _ in answers)], subject)
        stats = build_stats(kept, encoder, np.array(family or range(targets), dtype=np.int64), secondary, answers)
        queries = {text: encoder.encode(text) for text in listed}
        listed_index = build_out_of_scope(list(queries.values()), encoder.stem_ids, stats.tfidf)
        gate = calibrate(
            stats,
            encoder,
            listed_index,
            [phrasing.canonical for phrasing in kept],
            queries,
            decided,
            [number for number, phrasing in enumerate(kept) if phrasing.target not in secondary],
            OPERATING_POINTS[caution],
        )
        exact = ExactPhrases.from_phrases(
            [(phrasing.typed, phrasing.target) for phrasing in kept], [words(text) for text in listed]
        )
        return Index(stats, encoder, exact, listed_index, gate, tuple(phrasing.text for phrasing in kept))

    def with_exact_phrases(self, phrasings: Sequence[tuple[str, int]], out_of_scope: Sequence[str]) -> Index:
        """The same index with more whole phrases; only these words find the targets, nothing near them does. All else is shared.

        Args:
            phrasings: (text, target number) pairs; a number from `targets` on is a target without indexed phrasings.
            out_of_scope: Texts that find no target.
        """
        added = ExactPhrases.from_phrases(
            [(words(text), target) for text, target in phrasings], [words(text) for text in out_of_scope]
        )
        edited = dict(zip(added.keys.tolist(), added.targets.tolist(), strict=True))
        return replace(self, edited={**self.edited, **edited})

    def rank(self, text: str, limit: int = 3) -> Ranking:
        """Rank targets for a cleaned text; see `rank_query`."""
        return self.rank_words(words(text), limit)

    def rank_words(self, typed: Sequence[str], limit: int = 3, budget: Budget = UNLIMITED) -> Ranking:
        """Rank targets for the words of a text; see `rank_query`."""
        return self.rank_query(self.encoder.encode_words(typed, budget), typed, limit)

    def rank_query(self, query: EncodedQuery, typed: Sequence[str], limit: int) -> Ranking:
        """Rank targets for an encoded question.

        Args:
            query: The question.
            typed: The words that it was encoded from, for whole phrases.
            limit: How many candidates to return.
        """
        scores = score(self.stats, query)
        exact = self.find_exact(typed)
        targets = top_targets(scores.total, max(limit, 2))
        if exact is not None and exact >= 0:
            targets = [exact, *(target for target in targets if target != exact)]
        return self._ranking(query, scores, targets, limit, exact)

    def is_exact(self, typed: Sequence[str]) -> bool:
        """Whether these words are, as they stand, a phrasing of one target or a listed out-of-scope question."""
        exact = self.find_exact(typed)
        return exact is not None and exact != AMBIGUOUS

    def find_exact(self, typed: Sequence[str]) -> int | None:
        """The target whose phrasing these words are, AMBIGUOUS, OUT_OF_SCOPE, or None."""
        edited = self.edited.get(phrase_key(typed)) if self.edited else None
        return self.exact.find(typed) if edited is None else edited

    def texts_of(self, target: int) -> Sequence[str]:
        """The indexed phrasings of a target."""
        first, last = self.stats.starts[target : target + 2].tolist() if target < self.stats.targets else (0, 0)
        return self.texts[first:last]

    def similarity(self, words: Sequence[str], others: Sequence[str]) -> float:
        """The cosine of the sentence vectors of two texts, given as words; -1 to 1."""
        vectors = self.encoder.vectors
        return float(vectors.sentence_vector(words) @ vectors.sentence_vector(others))

    def correct(self, word: str) -> str | None:
        """The word of the pack or of English that a typed word is read as; None if it is neither."""
        token = self.encoder.spelling.correct(word)
        return token.word if token.known or token.word in self.encoder.spelling.english else None

    def would_answer(self, query: EncodedQuery, scores: Scores, target: int, held_out: HeldOut) -> bool:
        """Whether the gate lets a target answer a question, with something of the pack held out, `scores` too."""
        log_odds = self.gate.log_odds(
            gate_features(self.stats, self.out_of_scope, self.gate, query, scores, target, held_out)
        )
        return log_odds >= self.gate.answer and self._is_supported(query, target, log_odds)

    def _ranking(
        self, query: EncodedQuery, scores: Scores, targets: list[int], limit: int, exact: int | None
    ) -> Ranking:
        best = next((target for target in targets if target < self.stats.targets), -1)
        rest = targets[MAX_SHOWN:limit]
        rest_scores = scores.total[np.array(rest, dtype=np.int64)].tolist()
        others = [Candidate(target, value, "") for target, value in zip(rest, rest_scores, strict=True)]
        features = gate_features(self.stats, self.out_of_scope, self.gate, query, scores, best)
        log_odds = self.gate.log_odds(features)
        is_exact = exact is not None and exact >= 0
        return Ranking(
            candidates=(*(self._candidate(target, scores) for target in targets[: min(limit, MAX_SHOWN)]), *others),
            margin=features.margin,
            coverage=features.target_coverage,
            pack_coverage=features.coverage,
            corrections=tuple((token.typed, token.word) for token in query.tokens if token.corrected),
            unknown_words=self._unknown_words(query),
            similarity=features.word,
            out_of_scope_similarity=features.word - features.out_of_scope_word if len(self.out_of_scope) else 0.0,
            sentence=self._sentence(query, scores, best)
            if self.stats.documents.weight and best >= 0 and not is_exact
            else "",
            is_supported=best >= 0 and self._is_supported(query, best, log_odds),
            is_exact=is_exact,
            is_exact_out_of_scope=exact == OUT_OF_SCOPE,
            log_odds=log_odds,
            among_log_odds=self.gate.among_log_odds(features) if self.gate.among_weights else log_odds,
            confidence=1.0 if is_exact else confidence(log_odds - self.gate.answer),
        )

    def _sentence(self, query: EncodedQuery, scores: Scores, target: int) -> str:
        """See `Ranking.sentence`."""
        if scores.documents.sentence[target] <= max(scores.nearest[target], scores.word[target]):
            return ""
        return self.stats.documents.nearest_sentence(query, target)

    def _is_supported(self, query: EncodedQuery, target: int, log_odds: float) -> bool:
        """Whether enough phrasings of a target have the query's words; not asked where it wouldn't answer anyway."""
        if log_odds < self.gate.answer - MAX_LOG_ODDS_ADDED:
            return False
        phrasings = int(self.stats.starts[target + 1] - self.stats.starts[target])
        needed = min(support_needed(phrasings), self.gate.max_support)
        return support(self.stats, query, target) >= needed

    def _candidate(self, target: int, scores: Scores) -> Candidate:
        """The target with its nearest phrasing."""
        if target >= self.stats.targets:
            return Candidate(target, 0.0, "")
        first, last = self.stats.starts[target : target + 2]
        nearest = int(first) + int(scores.phrasing_cosines[first:last].argmax())
        covered = float(scores.documents.covered[target])
        return Candidate(target, float(scores.total[target]), self.texts[nearest], covered)

    def _unknown_words(self, query: EncodedQuery) -> tuple[UnknownWord, ...]:
        english, information = self.encoder.spelling.english, query.information.tolist()
        return tuple(
            UnknownWord(token.word, weight, token.word in english)
            for token, stem, weight in zip(query.tokens, query.stems.tolist(), information, strict=True)
            if not stem
        )


# --- building


@dataclass(frozen=True, slots=True)
class Phrasing:
    """A distinct phrasing.

    Attributes:
        target: Number of its target.
        number: Its position in the given order.
        text: As given.
        typed: Its words.
        canonical: Its words with synonyms replaced.
    """

    target: int
    number: int
    text: str
    typed: tuple[str, ...]
    canonical: tuple[str, ...]


def distinct_phrasings(phrasings: Sequence[tuple[str, int]], table: Synonyms) -> list[Phrasing]:
    """Phrasings sorted by target, without copies within a target and without those that have no word."""
    distinct: dict[tuple[int, tuple[str, ...]], Phrasing] = {}
    for number, (text, target) in enumerate(phrasings):
        typed = tuple(map(intern, words(text)))
        canonical = tuple(token.word for token in replace_synonyms(as_known_tokens(typed), table)) if table else typed
        if canonical and (target, canonical) not in distinct:
            distinct[target, canonical] = Phrasing(target, number, text, typed, canonical)
    return sorted(distinct.values(), key=lambda phrasing: (phrasing.target, phrasing.number))


def build_encoder(
    phrasings: Sequence[Phrasing], table: Synonyms, other_texts: Iterable[str], subject: Iterable[str]
) -> Encoder:
    """An encoder for the words of phrasings.

    `other_texts`: listed questions and answers; their words are never corrected to one of the phrasings' words.
    """
    counts = Counter(chain.from_iterable(phrasing.canonical for phrasing in phrasings))
    synonym_words = {word for pairs in table.values() for pair in pairs for phrase in pair for word in phrase}
    return Encoder(
        spelling=SpellingCorrector.from_counts(
            {**dict.fromkeys(synonym_words, 1), **counts}, [word for text in other_texts for word in words(text)]
        ),
        stem_ids=number_stems(sorted(counts)),
        synonyms=table,
        subject=frozenset(stem(word) for name in subject for word in words(name)),
        vectors=word_vectors(),
    )


def build_stats(
    phrasings: Sequence[Phrasing],
    encoder: Encoder,
    family: Ints,
    secondary: Collection[int],
    answers: Sequence[tuple[str, int]],
) -> IndexStats:
    """Count everything about phrasings, which are sorted by target.

    Args:
        phrasings: The phrasings.
        encoder: Numbers their stems.
        family: (targets,), see `IndexStats`.
        secondary, answers: See `Index.build`.
    """
    targets = len(family)
    vocabulary = sorted({word for phrasing in phrasings for word in phrasing.canonical})
    row = {word: number for number, word in enumerate(vocabulary)}
    word_ids = np.array([row[word] for phrasing in phrasings for word in phrasing.canonical], dtype=np.int64)
    lengths = [len(phrasing.canonical) for phrasing in phrasings]
    word_starts = np.r_[0, np.cumsum(lengths, dtype=np.int64)].astype(np.int64)
    target_of = np.array([phrasing.target for phrasing in phrasings], dtype=np.int64)
    stem_of = np.array([encoder.stem_ids[stem(word)] for word in vocabulary], dtype=np.int64)
    stems = stem_of[word_ids] if len(word_ids) else word_ids
    stem_keys, stem_positions = np.unique(stems, return_inverse=True)
    stem_ngrams = stem_ngram_occurrences(stems, word_starts)
    char_ngrams = char_ngram_occurrences(vocabulary, word_ids, word_starts)
    embeddings = build_embeddings(encoder.vectors, vocabulary, word_ids, word_starts, target_of, targets)
    classifier = empty_classifier(targets)
    if 0 < len(phrasings) <= MAX_PHRASINGS:
        stem_pairs = stem_pair_occurrences(stems, word_starts)
        classifier = train_classifier([stem_ngrams, stem_pairs, char_ngrams], embeddings.phrasings, target_of, targets)
    starts = np.searchsorted(target_of, np.arange(targets + 1))
    subject = [encoder.stem_ids[name] for name in encoder.subject if name in encoder.stem_ids]
    occurrences = Occurrences(stem_keys, stem_positions.astype(np.int32), word_starts)
    full = fullness(starts, secondary)
    documents = build_documents(
        [(phrasing.canonical, phrasing.target) for phrasing in phrasings], answers, targets, encoder.vectors, full
    )
    return IndexStats(
        target_of=target_of,
        starts=starts,
        tfidf=build_tfidf(occurrences, target_of, targets, subject),
        char_ngrams=build_naive_bayes(char_ngrams, target_of, targets, centroid=True),
        stem_ngrams=build_naive_bayes(stem_ngrams, target_of, targets, centroid=False),
        classifier=classifier,
        embeddings=embeddings,
        documents=documents,
        fullness=full,
        family=family,
    )
