"""How well each target fits a query: a weighted sum of ten scores.

The weights were chosen on validation questions of public question sets; one set of weights serves packs of every size.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from bot.retrieval.documents import Documents, DocumentScores
from bot.retrieval.embeddings import Embeddings
from bot.retrieval.encoding import EncodedQuery
from bot.retrieval.linear_classifier import LinearClassifier
from bot.retrieval.naive_bayes import NaiveBayes
from bot.retrieval.sparse import Floats, Ints
from bot.retrieval.tfidf import TfidfIndex

STEM_LIKELIHOOD_WEIGHT, CHAR_LIKELIHOOD_WEIGHT = 0.06, 0.025
"""Weights of the two naive Bayes log-likelihoods, multiplied by the index's fullness. The scores `word` and `char` weigh 1."""

CLASSIFIER_WEIGHT = 1.2
"""Weight of the linear classifier, multiplied by the index's fullness: it needs many phrasings."""

EMBEDDING_WEIGHT, EMBEDDING_WEIGHT_SPARSE = 0.2, 1.2
"""Weight of the embeddings: the first, plus the second times (1 - fullness). They matter most where phrasings are few."""

NEAREST_WEIGHT, CENTROID_WEIGHT = 0.7, 1.3
"""Weights of the cosines to the nearest phrasing and to the target's centroid, multiplied by the embeddings' weight."""

BM25_WEIGHT, COVERED_WEIGHT, SENTENCE_WEIGHT = 2.0, 3.0, 3.0
"""Weights of the three scores of documents, multiplied by `Documents.weight`."""

HALF_FULL = 10
"""Phrasings per target at which fullness is one half."""

MAX_OFFERED = 3
"""Targets that are offered at most, what a phone shows at a glance; so the order of the first ones must be exact."""

SHORTLIST_SIZE = 48
"""Targets at most whose phrasings are compared by embedding, one by one."""


@dataclass(frozen=True, slots=True)
class IndexStats:
    """Everything counted about a pack's phrasings, which are sorted by target.

    Attributes:
        target_of: (phrasings,), ascending.
        starts: (targets + 1,), first phrasing of each target.
        tfidf: Stems by phrasing.
        char_ngrams, stem_ngrams: Counts by target.
        classifier: The linear classifier.
        embeddings: Sentence vectors.
        documents: Titles, phrasings and answers; empty in an index that is nearly full, or whose answers say nothing.
        fullness: Density of the phrasings, 0 to 1: n / (n + HALF_FULL) for n phrasings per target.
        family: (targets,); targets of one family lead to much the same answer, so that they don't compete.
    """

    target_of: Ints
    starts: Ints
    tfidf: TfidfIndex
    char_ngrams: NaiveBayes
    stem_ngrams: NaiveBayes
    classifier: LinearClassifier
    embeddings: Embeddings
    documents: Documents
    fullness: float
    family: Ints

    @property
    def targets(self) -> int:
        """Number of targets."""
        return len(self.starts) - 1


@dataclass(frozen=True, slots=True)
class Scores:
    """The scores of one query.

    Attributes:
        total: (targets,), what targets are ranked by.
        without_classifier: (targets,), comparable between queries, and between an index and parts of it.
        word: (targets,), TF-IDF cosine of the nearest phrasing.
        char: (targets,), character n-gram cosine to the centroid.
        nearest: (targets,), embedding cosine of the nearest phrasing; 0 where it wasn't compared.
        centroid: (targets,), embedding cosine to the centroid.
        phrasing_cosines: (phrasings,), TF-IDF cosines.
        documents: The scores of documents.
    """

    total: Floats
    without_classifier: Floats
    word: Floats
    char: Floats
    nearest: Floats
    centroid: Floats
    phrasing_cosines: Floats
    documents: DocumentScores


def score(stats: IndexStats, query: EncodedQuery, held_out: int = -1) -> Scores:
    """Score every target.

    Args:
        stats: What is counted about the phrasings.
        query: The question.
        held_out: A phrasing that is the query itself and must not find itself; -1: none.

    Returns:
        The scores; those of a target without phrasings are -inf in total.
    """
    own_target = int(stats.target_of[held_out]) if held_out >= 0 else -1
    known = query.stems > 0
    unknown_count = len(known) - int(np.count_nonzero(known))
    cosines = stats.tfidf.cosines(query.stems[known], query.trust[known], unknown_count)
    if held_out >= 0:
        cosines[held_out] = 0
    fullness = stats.fullness
    embedding_weight = EMBEDDING_WEIGHT + EMBEDDING_WEIGHT_SPARSE * (1 - fullness)
    word = max_by_target(cosines, stats.starts)
    centroid = stats.embeddings.centroid_cosines(query.vector, own_target)
    stem_likelihood, _ = stats.stem_ngrams.score(query.stem_ngrams, own_target)
    char_likelihood, char = stats.char_ngrams.score(query.char_ngrams, own_target)
    likelihood = STEM_LIKELIHOOD_WEIGHT * stem_likelihood + CHAR_LIKELIHOOD_WEIGHT * char_likelihood
    total = word + char + fullness * likelihood + embedding_weight * CENTROID_WEIGHT * centroid
    documents = stats.documents.score(query, own_target)
    document = BM25_WEIGHT * documents.bm25 + COVERED_WEIGHT * documents.covered + SENTENCE_WEIGHT * documents.sentence
    total += stats.documents.weight * document
    total[stats.starts[1:] == stats.starts[:-1]] = -np.inf
    classifier = CLASSIFIER_WEIGHT * fullness * stats.classifier.score(query)
    shortlist = shortlisted(total + classifier, embedding_weight * NEAREST_WEIGHT)
    nearest = np.zeros_like(total)
    nearest[shortlist] = stats.embeddings.nearest_cosines(query.vector, shortlist, stats.starts, held_out)
    total = total + embedding_weight * NEAREST_WEIGHT * nearest
    return Scores(total + classifier, total, word, char, nearest, centroid, cosines, documents)


def fullness(starts: Ints, secondary: Collection[int] = ()) -> float:
    """Density of the phrasings: n / (n + HALF_FULL) for n phrasings per target on average.

    Targets without any are left out, and `secondary` ones: small talk has many phrasings whatever the pack's entries have.
    """
    phrasings = np.delete(np.diff(starts), sorted(secondary))
    mean = float(phrasings.sum()) / max(int((phrasings > 0).sum()), 1)
    return mean / (mean + HALF_FULL)


def max_by_target(values: Floats, starts: Ints) -> Floats:
    """The highest value of each target's phrasings; 0 for a target without any. (targets,)"""
    if not len(values):
        return np.zeros(len(starts) - 1, dtype=np.float32)
    highest = np.maximum.reduceat(values, np.minimum(starts[:-1], len(values) - 1))
    return np.where(np.diff(starts) > 0, highest, 0).astype(np.float32)


def top_targets(totals: Floats, limit: int) -> list[int]:
    """At most `limit` targets, the best first; those that are equal to six digits in their own order."""
    rounded = np.round(totals, 6)
    targets = np.isfinite(rounded).nonzero()[0]
    if len(targets) > limit:
        bar = np.partition(rounded[targets], len(targets) - limit)[len(targets) - limit]
        targets = targets[rounded[targets] >= bar]
    order: list[int] = targets[np.argsort(-rounded[targets], kind="stable")[:limit]].tolist()
    return order


def shortlisted(scores: Floats, max_gain: float) -> Ints:
    """Targets that may still be among the first MAX_OFFERED if each gains at most `max_gain`, ascending."""
    size = min(SHORTLIST_SIZE, len(scores))
    best = np.argpartition(-scores, size - 1)[:size]
    bar = np.sort(scores[best])[-min(MAX_OFFERED, size)] - max_gain
    return np.sort(best[scores[best] >= bar])
