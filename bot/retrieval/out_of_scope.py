"""Out of scope: the listed questions, which a pack gives as examples of what it doesn't answer, and the pack's domain.

Two measures say whether a query is in the pack's domain, whichever target it fits. `domain_odds` compares how frequent its words
are in the pack, and in the listed questions and plain English. `domain_side` says on which side of a plane its sentence vector
lies; the plane separates the pack's phrasings from the listed questions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bot.retrieval.embeddings import DIMENSIONS
from bot.retrieval.encoding import FIRST_STEM, EncodedQuery
from bot.retrieval.scoring import IndexStats
from bot.retrieval.sparse import Doubles, Floats, Ints, SparseRows, build_rows, count_pairs
from bot.retrieval.tfidf import TfidfIndex
from bot.text import stem

ENGLISH_PRIOR = 200.0
"""Words of plain English that are added to each side's counts; 50 to 500 measured the same."""
MAX_WORD_ODDS = 3.0
"""Bound of one word's log10 odds, positive or negative."""
PLANE_RIDGE = 3.0
"""Ridge penalty of the plane."""

# --- listed questions


@dataclass(frozen=True, slots=True)
class OutOfScopeIndex:
    """The listed questions.

    Attributes:
        stem_ids: Id of every stem that the pack or a listed question has.
        tfidf: Their stems, weighted by the pack's idf.
        vectors: (questions, DIMENSIONS), their sentence vectors.
    """

    stem_ids: Mapping[str, int]
    tfidf: TfidfIndex
    vectors: Floats

    def __len__(self) -> int:
        return self.tfidf.count

    def stems_of(self, query: EncodedQuery) -> Ints:
        """Stem id of each token; -1 where neither the pack nor a listed question has it. (tokens,)"""
        return np.array([self.stem_ids.get(stem(token.word), -1) for token in query.tokens], dtype=np.int64)

    def nearest(self, query: EncodedQuery, held_out: int = -1) -> tuple[float, float]:
        """The highest cosine to a listed question, by words and by sentence vector; 0 if none is listed.

        `held_out`: the listed question that is the query itself.
        """
        if not len(self):
            return 0.0, 0.0
        stems = self.stems_of(query)
        known = stems >= 0
        word = self.tfidf.cosines(stems[known], query.trust[known], int((~known).sum()))
        meaning = self.vectors @ query.vector
        if held_out >= 0:
            word[held_out] = meaning[held_out] = 0
        return float(word.max()), float(meaning.max())


def build_out_of_scope(
    questions: Sequence[EncodedQuery], stem_ids: Mapping[str, int], pack: TfidfIndex
) -> OutOfScopeIndex:
    """Index the listed questions; `pack` has the idf of the pack's stems, whose ids are `stem_ids`."""
    if not questions:
        no_cells = np.zeros(0, dtype=np.int64)
        empty = TfidfIndex(build_rows(no_cells, no_cells, no_cells, no_cells.astype(np.float32)), pack.idf, 0)
        return OutOfScopeIndex({}, empty, np.zeros((0, DIMENSIONS), dtype=np.float32))
    all_ids = dict(stem_ids)
    ids = [
        [all_ids.setdefault(stem(token.word), len(all_ids) + FIRST_STEM) for token in question.tokens]
        for question in questions
    ]
    owners = np.repeat(np.arange(len(ids)), [len(row) for row in ids])
    cells, columns, tf = count_pairs(np.array([number for row in ids for number in row], dtype=np.int64), owners)
    keys = np.arange(max(all_ids.values(), default=0) + 1)
    idf = pack.idf[np.r_[pack.rows.find(keys), -1]]
    weights = (1 + np.log(tf)) * idf[cells]
    norms = np.sqrt(np.bincount(columns, weights=weights * weights, minlength=len(ids)))
    tfidf = TfidfIndex(build_rows(keys, cells, columns, weights / norms[columns]), idf, len(ids))
    return OutOfScopeIndex(all_ids, tfidf, np.stack([question.vector for question in questions]))


# --- the pack's domain


def domain_score(stats: IndexStats, out_of_scope: OutOfScopeIndex, plane: Floats | None, query: EncodedQuery) -> float:
    """`domain_odds` plus `domain_side`: above 0 if a query is rather in the pack's domain. The gate uses the two as features."""
    return domain_odds(stats, out_of_scope, query, -1, -1, -1) + domain_side(plane, query.vector)


def domain_odds(
    stats: IndexStats, out_of_scope: OutOfScopeIndex, query: EncodedQuery, phrasing: int, target: int, question: int
) -> float:
    """log10 of how much likelier the pack says the query's words than its listed questions and plain English do.

    Summed over the words that have information and divided by the root of their number, so that long queries are comparable with
    short ones. 0 if nothing is listed.

    Args:
        stats: What is counted about the pack's phrasings.
        out_of_scope: The listed questions.
        query: The question.
        phrasing, target, question: A phrasing, a target's phrasings and a listed question that aren't counted; -1: none.
    """
    informative = query.information > 0
    if not len(out_of_scope) or not informative.any():
        return 0.0
    english_share = 10.0 ** -(query.information[informative].astype(np.float64) + 2)
    rows = stats.tfidf.rows
    held_out = (phrasing, phrasing + 1)
    if target >= 0:
        held_out = (int(stats.starts[target]), int(stats.starts[target + 1]))
    pack_counts = _stem_counts(rows, query.stems[informative], *held_out)
    listed_rows = out_of_scope.tfidf.rows
    listed_counts = _stem_counts(listed_rows, out_of_scope.stems_of(query)[informative], question, question + 1)
    pack_share = (pack_counts + ENGLISH_PRIOR * english_share) / (len(rows.columns) + ENGLISH_PRIOR)
    listed_share = (listed_counts + ENGLISH_PRIOR * english_share) / (len(listed_rows.columns) + ENGLISH_PRIOR)
    odds = np.minimum(np.maximum(np.log10(pack_share / listed_share), -MAX_WORD_ODDS), MAX_WORD_ODDS)
    return float(odds.sum() / np.sqrt(len(odds)))


def domain_side(plane: Floats | None, vector: NDArray[np.floating]) -> float:
    """Where a sentence vector lies: about 1 on the pack's side, -1 on that of the listed questions, 0 without a plane."""
    if plane is None or not len(plane):
        return 0.0
    return float(plane[:-1] @ vector + plane[-1])


def _stem_counts(rows: SparseRows, stems: Ints, first: int, last: int) -> Doubles:
    """How many columns have each stem, without those from `first` to `last`; all are counted if `first` is below 0."""
    stem_rows = rows.find(stems)
    counts = np.where(stem_rows >= 0, rows.starts[stem_rows + 1] - rows.starts[stem_rows], 0).astype(np.float64)
    if first >= 0:
        cells, owners = rows.cells(np.maximum(stem_rows, 0))
        columns = rows.columns[cells]
        held_out = (stem_rows >= 0)[owners] & (first <= columns) & (columns < last)
        counts -= np.bincount(owners, weights=held_out, minlength=len(stems))
    return counts


@dataclass(frozen=True, slots=True)
class DomainPlanes:
    """Least-squares planes between the pack's phrasings and the listed questions, fitted with or without some of them.

    Both sides have the same weight in total. Rows are the phrasings first, then the listed questions.

    Attributes:
        rows: (rows, DIMENSIONS + 1), sentence vectors with a constant 1.
        side: (rows,), 1 for phrasings, -1 for listed questions.
        weight: (rows,)
        normal: (DIMENSIONS + 1, DIMENSIONS + 1), the regularised normal matrix.
        moment: (DIMENSIONS + 1,), the right-hand side of the normal equations.
        held_out_side: (rows,), where each row lies for a plane that was fitted without it.
    """

    rows: Doubles
    side: Doubles
    weight: Doubles
    normal: Doubles
    moment: Doubles
    held_out_side: Floats

    def plane(self, first: int = 0, last: int = 0) -> Floats:
        """The plane that is fitted without the rows from `first` to `last`. (DIMENSIONS + 1,)"""
        held_out = slice(first, last)
        weighted = self.rows[held_out] * self.weight[held_out, None]
        normal = self.normal - weighted.T @ self.rows[held_out]
        return np.linalg.solve(normal, self.moment - weighted.T @ self.side[held_out]).astype(np.float32)


def domain_planes(phrasings: Floats, questions: Floats) -> DomainPlanes | None:
    """Planes between these sentence vectors; None where one side is empty.

    `held_out_side` is computed by the leverage formula of leave-one-out least squares, without fitting a plane for each row.
    """
    pack_count, listed_count = len(phrasings), len(questions)
    if not pack_count or not listed_count:
        return None
    rows = np.c_[np.r_[phrasings, questions], np.ones(pack_count + listed_count)].astype(np.float64)
    side = np.r_[np.ones(pack_count), -np.ones(listed_count)]
    weight = np.r_[np.full(pack_count, 0.5 / pack_count), np.full(listed_count, 0.5 / listed_count)] * len(rows)
    normal = (rows * weight[:, None]).T @ rows + np.eye(DIMENSIONS + 1) * PLANE_RIDGE
    moment = rows.T @ (weight * side)
    inverse = np.linalg.inv(normal)
    leverage = np.einsum("ij,ij->i", rows @ inverse, rows) * weight
    held_out_side = (rows @ (inverse @ moment) - leverage * side) / (1 - leverage)
    return DomainPlanes(rows, side, weight, normal, moment, held_out_side.astype(np.float32))
