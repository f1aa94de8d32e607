"""Documents: what an entry says altogether, its title, phrasings and answer. They help where an entry has few phrasings.

Three scores compare a question with them: BM25; how much of the question the document says in these or similar words; and the
cosine to the nearest sentence of the answer. All are shares of what is asked, so that long and short questions are comparable.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from bot.retrieval.embeddings import DIMENSIONS, WordVectors, word_vectors
from bot.retrieval.encoding import EncodedQuery
from bot.retrieval.english import FUNCTION_WORDS
from bot.retrieval.sparse import BooleanArray, Floats, Ints
from bot.text import sentences, stem, words

BM25_K1, BM25_B = 1.2, 0.75
"""Robertson and Zaragoza (2009), "The Probabilistic Relevance Framework": the usual values."""
SIMILAR = 0.3
"""Cosine of two words' vectors from which one says something of the other. .3 to .6 measured within two points."""
SIMILAR_WEIGHT = 0.8
"""What a similar word counts at most, beside the word itself at 1."""
NEARLY_FULL = 0.75
"""Fullness of the index from which there are no documents: thirty phrasings a target say more than an answer's sentences."""
FEW_ANSWER_WORDS, MANY_ANSWER_WORDS = 4.0, 12.0
"""Telling words of an average answer up to which it says nothing (a link, a placeholder), and from which it says something.
Documents of phrasings alone cost packs of ten phrasings an entry a point of accuracy."""
MAX_ASKED = 48
"""Words of a question that are compared, the rarest in the pack first: the cost of one message stays bounded."""
MIN_LETTERS = 2
"""Letters of the shortest word that is compared."""


@dataclass(frozen=True, slots=True)
class DocumentScores:
    """The scores of one query, by target; 0 for a target without a document.

    Attributes:
        bm25: BM25, divided by the idf of the query's words; 0 to 1 + BM25_K1.
        covered: Share of the query's idf on words that the document has, similar words counted in part; 0 to 1.
        sentence: Cosine of the sentence vectors of the query and of the nearest sentence of the answer.
        said: (asked words, targets), how far the document says each asked word: 1 the word itself, less a similar one.
        idf: (asked words,)
    """

    bm25: Floats
    covered: Floats
    sentence: Floats
    said: Floats
    idf: Floats

    def evidence_for(self, target: int, others: BooleanArray) -> DocumentEvidence:
        """What the documents say for one target against `others` (targets,)."""
        if not len(self.idf):
            return NO_EVIDENCE
        said = self.said[:, target]
        total = float(self.idf.sum())
        best_other = self.said[:, others].max(axis=1, initial=0)
        return DocumentEvidence(
            missing=float((self.idf * (1 - said)).max()),
            mass=float(np.log1p(self.idf @ (said >= 1))),
            margin=float(self.covered[target]) - float(self.covered[others].max(initial=0)),
            pack_covered=float(self.idf @ np.maximum(best_other, said)) / total,
        )


@dataclass(frozen=True, slots=True)
class DocumentEvidence:
    """What the documents say for one target.

    Attributes:
        missing: The highest idf of an asked word, times how far the document doesn't say it.
        mass: ln(1 + the sum of the idf of the asked words that the document has).
        margin: `covered` minus that of the next target.
        pack_covered: Share of the query's idf on words that any document says.
    """

    missing: float
    mass: float
    margin: float
    pack_covered: float


NO_EVIDENCE = DocumentEvidence(0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Documents:
    """The documents of a pack. Cells are the distinct words of each document, one document after another.

    Attributes:
        stems: The distinct stems; their positions are their ids.
        idf: (stems + 1,), by stem; the last is that of a stem that no document has.
        word_stems: (words,), the stem id of each distinct word.
        word_vectors: (words, DIMENSIONS), of length one; zeros where a word has none.
        starts: (targets + 1,), the first cell of each document.
        cell_words: (cells,)
        cell_counts: (cells,), how often the document has the word.
        lengths: (targets,), words of each document.
        sentence_starts: (targets + 1,), the first sentence of each target.
        sentence_vectors: (sentences, DIMENSIONS)
        sentences: The sentences of the answers.
        informative: How much the pack's answers say, 0 (nothing) to 1.
        weight: Weight of the documents' scores: `informative`, times what is missing to the index's fullness; 0 where there are
            no documents.
    """

    stems: tuple[str, ...]
    idf: Floats
    word_stems: Ints
    word_vectors: Floats
    starts: Ints
    cell_words: Ints
    cell_counts: Floats
    lengths: Floats
    sentence_starts: Ints
    sentence_vectors: Floats
    sentences: tuple[str, ...]
    informative: float
    weight: float
    _stem_ids: dict[str, int] = field(init=False, repr=False, compare=False)
    _none: DocumentScores = field(init=False, repr=False, compare=False)
    """The scores of a query without telling words."""

    def __post_init__(self) -> None:
        targets = len(self.starts) - 1
        zeros = np.zeros(targets, dtype=np.float32)
        none = DocumentScores(zeros, zeros, zeros, np.zeros((0, targets), dtype=np.float32), zeros[:0])
        object.__setattr__(self, "_none", none)
        object.__setattr__(self, "_stem_ids", {name: number for number, name in enumerate(self.stems)})

    def score(self, query: EncodedQuery, own_target: int = -1) -> DocumentScores:
        """Score every target.

        Args:
            query: The question.
            own_target: The query is a phrasing of this target, and its words are taken out of the document first; -1: none.
        """
        none = self._none
        if not len(self.cell_words):
            return none
        sentence = self._sentence_cosines(query.vector)
        asked = Counter(token.word for token in query.tokens if is_telling(token.word))
        if not asked:
            return replace(none, sentence=sentence)
        stem_of = {word: self._stem_ids.get(stem(word), -1) for word in asked}
        chosen = (
            sorted(asked, key=lambda word: -self.idf[stem_of[word]])[:MAX_ASKED] if len(asked) > MAX_ASKED else [*asked]
        )
        asked_stems = np.array([stem_of[word] for word in chosen], dtype=np.int64)
        idf = self.idf[asked_stems]
        total = float(idf.sum())
        counts = self.cell_counts
        if own_target >= 0:
            counts = self._without(Counter(stem_of[word] for word in asked.elements()), own_target)
        same = self.word_stems == asked_stems[:, None]  # (asked, words)
        similar = word_vectors().directions_of(chosen) @ self.word_vectors.T
        likeness = np.maximum(np.minimum((similar - SIMILAR) / (1 - SIMILAR), 1), 0) * np.float32(SIMILAR_WEIGHT)
        likeness[same] = 1
        # Most words have nothing to do with the question: only the cells of the others are looked at.
        cells = (likeness.any(axis=0)[self.cell_words] & (counts > 0)).nonzero()[0]
        starts = cells.searchsorted(self.starts)
        cell_words = self.cell_words[cells]
        said = max_by_slice(likeness[:, cell_words], starts)
        tf = sum_by_slice(same[:, cell_words] * counts[cells], starts)
        mean_length = float(self.lengths.sum()) / max(int((self.lengths > 0).sum()), 1)
        norm = BM25_K1 * (1 - BM25_B + BM25_B * self.lengths / (mean_length or 1.0))
        bm25 = idf @ (tf * (BM25_K1 + 1) / np.maximum(tf + norm, 1e-9))
        return DocumentScores(np.asarray(bm25 / total), np.asarray(idf @ said / total), sentence, said, idf)

    def said_words(self, target: int, asked: Iterable[str]) -> int:
        """How many of these words, or others of their stem, a target's document has."""
        first, last = map(int, self.starts[target : target + 2])
        said = set(self.word_stems[self.cell_words[first:last]].tolist())
        return len({self._stem_ids.get(stem(word), -1) for word in asked} & said)

    def nearest_sentence(self, query: EncodedQuery, target: int) -> str:
        """The sentence of a target's answer that is nearest to the query; empty if it has none."""
        first, last = map(int, self.sentence_starts[target : target + 2])
        if first == last:
            return ""
        asked = {stem(token.word) for token in query.tokens if is_telling(token.word)}
        cosines = self.sentence_vectors[first:last] @ query.vector
        shared = [
            sum(self._idf_of(name) for name in asked & {stem(word) for word in words(text)})
            for text in self.sentences[first:last]
        ]
        total = sum(map(self._idf_of, asked)) or 1.0
        return self.sentences[first + int(np.argmax(cosines + np.array(shared) / total))]

    def _idf_of(self, name: str) -> float:
        """The idf of a stem."""
        return float(self.idf[self._stem_ids.get(name, -1)])

    def _without(self, asked: Counter[int], target: int) -> Floats:
        """The counts, without as many words of each stem in the target's document as are asked.

        `asked`: how often each stem is asked, by its id.
        """
        counts = self.cell_counts.copy()
        for cell in range(*self.starts[target : target + 2].tolist()):
            number = int(self.word_stems[self.cell_words[cell]])
            removed = min(float(counts[cell]), asked[number])
            counts[cell] -= removed
            asked[number] -= int(removed)
        return counts

    def _sentence_cosines(self, vector: Floats) -> Floats:
        """The highest cosine of each target's sentences. (targets,)"""
        cosines = (self.sentence_vectors @ vector)[None, :]
        return np.asarray(max_by_slice(cosines, self.sentence_starts)[0])


def is_telling(word: str) -> bool:
    """Whether a word is compared: not a function word, and longer than a letter."""
    return len(word) >= MIN_LETTERS and word not in FUNCTION_WORDS


def max_by_slice(values: Floats, starts: Ints) -> Floats:
    """The highest value of each slice of columns, 0 where it is empty or all are lower. (rows, slices)"""
    result = np.zeros((len(values), len(starts) - 1), dtype=np.float32)
    filled = np.diff(starts) > 0
    if filled.any():
        result[:, filled] = np.maximum(np.maximum.reduceat(values, starts[:-1][filled], axis=1), 0)
    return result


def sum_by_slice(values: Floats, starts: Ints) -> Floats:
    """The sum of each slice of columns. (rows, slices)"""
    result = np.zeros((len(values), len(starts) - 1), dtype=np.float32)
    filled = np.diff(starts) > 0
    if filled.any():
        result[:, filled] = np.add.reduceat(values, starts[:-1][filled], axis=1)
    return result


def informative_share(answers: Sequence[tuple[str, int]]) -> float:
    """How much answers say, 0 to 1, by the telling words of an average one; a sentence that several have isn't counted.

    `answers`: (cleaned text, target number) pairs.
    """
    counts = Counter(sentence for text, _ in answers for sentence in sentences(text))
    said = sum(is_telling(word) for text, count in counts.items() if count == 1 for word in words(text))
    mean = said / max(len({target for _, target in answers}), 1)
    return min(max((mean - FEW_ANSWER_WORDS) / (MANY_ANSWER_WORDS - FEW_ANSWER_WORDS), 0.0), 1.0)


def build_documents(
    phrasings: Sequence[tuple[Sequence[str], int]],
    answers: Sequence[tuple[str, int]],
    targets: int,
    vectors: WordVectors,
    fullness: float,
) -> Documents:
    """The documents of a pack; empty ones where the index is nearly full, or where the answers say nothing.

    Args:
        phrasings: (words, target number) pairs.
        answers: (cleaned text, target number) pairs.
        targets: Number of targets.
        vectors: The word vectors.
        fullness: Of the index.
    """
    informative = informative_share(answers)
    weight = (1 - fullness) * informative if fullness < NEARLY_FULL else 0.0
    if not weight:
        phrasings, answers = (), ()
    listed: list[list[str]] = [[] for _ in range(targets)]
    for phrase, target in phrasings:
        listed[target] += filter(is_telling, phrase)
    said: list[list[str]] = [[] for _ in range(targets)]
    for text, target in answers:
        listed[target] += filter(is_telling, words(text))
        said[target] += sentences(text)
    counts = [Counter(document) for document in listed]
    vocabulary = sorted(set().union(*counts)) if counts else []
    row = {word: number for number, word in enumerate(vocabulary)}
    stem_of = {word: stem(word) for word in vocabulary}
    stems = sorted(set(stem_of.values()))
    stem_ids = {name: number for number, name in enumerate(stems)}
    documents = [{stem_of[word] for word in count} for count in counts if count]
    having = Counter(name for document in documents for name in document)
    found = np.array([*(having[name] for name in stems), 0], dtype=np.float32)
    texts = [sentence for own in said for sentence in own]
    return Documents(
        stems=tuple(stems),
        idf=np.log(1 + (len(documents) - found + 0.5) / (found + 0.5)).astype(np.float32),
        word_stems=np.array([stem_ids[stem_of[word]] for word in vocabulary], dtype=np.int64),
        word_vectors=vectors.directions_of(vocabulary),
        starts=np.cumsum([0, *map(len, counts)], dtype=np.int64),
        cell_words=np.array([row[word] for count in counts for word in count], dtype=np.int64),
        cell_counts=np.array([number for count in counts for number in count.values()], dtype=np.float32),
        lengths=np.array([count.total() for count in counts], dtype=np.float32),
        sentence_starts=np.cumsum([0, *map(len, said)], dtype=np.int64),
        sentence_vectors=np.array([vectors.sentence_vector(words(text)) for text in texts], dtype=np.float32).reshape(
            -1, DIMENSIONS
        ),
        sentences=tuple(texts),
        informative=informative,
        weight=weight,
    )
