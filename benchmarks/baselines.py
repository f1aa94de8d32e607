"""AskPy's index and other matchers as they are commonly used, behind one interface. What isn't installed is left out."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterable
from importlib import import_module
from importlib.util import find_spec
from typing import Any
from weakref import finalize

from rapidfuzz import fuzz, process

from benchmarks.question_sets import QuestionSet
from bot.retrieval.index import Index

Hits = list[tuple[int, float]]
"""At most three entries with their scores, best first."""
Rank = Callable[[str], Hits]
Builder = Callable[[QuestionSet], Rank]
NEAREST = 50
"""Phrasings that are fetched to find three entries."""


def askpy(pack: QuestionSet) -> Rank:
    """AskPy's index; the score is its confidence."""
    index = Index.build(pack.phrasings, pack.entries, out_of_scope=pack.listed)

    def rank(text: str) -> Hits:
        ranking = index.rank(text)
        return [(candidate.target_index, ranking.confidence) for candidate in ranking.candidates]

    return rank


def rapidfuzz_scan(scorer: Callable[..., float]) -> Builder:
    """A builder of scans: the question is compared with every phrasing, by `process.extract`."""

    def build(pack: QuestionSet) -> Rank:
        texts = [text.casefold() for text, _ in pack.phrasings]

        def rank(text: str) -> Hits:
            hits = process.extract(text.casefold(), texts, scorer=scorer, limit=NEAREST)
            return _best_entries((pack.phrasings[position][1], score) for _, score, position in hits)

        return rank

    return build


def fts5(pack: QuestionSet) -> Rank:
    """SQLite's full text search: Porter stems, ranked by BM25."""
    connection = sqlite3.connect(":memory:")
    connection.execute("create virtual table phrasings using fts5(text, entry unindexed, tokenize='porter unicode61')")
    connection.executemany("insert into phrasings values (?, ?)", pack.phrasings)
    statement = "select entry, -rank from phrasings where phrasings match ? order by rank limit 50"

    def rank(text: str) -> Hits:
        query = " OR ".join(f'"{word}"' for word in re.findall(r"\w+", text))
        rows = connection.execute(statement, (query,)) if query else ()
        return _best_entries((int(entry), float(score)) for entry, score in rows)

    finalize(rank, connection.close)  # Python 3.13 warns of a connection that isn't closed
    return rank


def bm25s(pack: QuestionSet) -> Rank:
    """BM25 by the package bm25s."""
    package: Any = import_module("bm25s")
    retriever = package.BM25()
    texts = [text for text, _ in pack.phrasings]
    retriever.index(package.tokenize(texts, stopwords=None, show_progress=False), show_progress=False)

    def rank(text: str) -> Hits:
        tokens = package.tokenize([text], stopwords=None, show_progress=False)
        rows, scores = retriever.retrieve(tokens, k=min(NEAREST, len(texts)), show_progress=False)
        hits = zip(rows[0], scores[0], strict=True)
        return _best_entries((pack.phrasings[int(row)][1], float(score)) for row, score in hits)

    return rank


def tantivy(pack: QuestionSet) -> Rank:
    """Tantivy's full text search: English stems, ranked by BM25."""
    package: Any = import_module("tantivy")
    schema = (
        package.SchemaBuilder().add_text_field("text", tokenizer_name="en_stem").add_integer_field("entry", stored=True)
    )
    index = package.Index(schema.build())
    writer = index.writer(num_threads=1)
    for text, entry in pack.phrasings:
        writer.add_document(package.Document(text=text, entry=entry))
    writer.commit()
    index.reload()
    searcher = index.searcher()

    def rank(text: str) -> Hits:
        query = index.parse_query(" ".join(re.findall(r"\w+", text)).lower() or "nothing", ["text"])
        hits = searcher.search(query, NEAREST).hits
        return _best_entries((searcher.doc(address)["entry"][0], score) for score, address in hits)

    return rank


def linear_svc(pack: QuestionSet) -> Rank:
    """scikit-learn: TF-IDF of words and pairs of words, and a linear support vector classifier."""
    features: Any = import_module("sklearn.feature_extraction.text")
    svm: Any = import_module("sklearn.svm")
    vectorizer = features.TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    texts, entries = zip(*pack.phrasings, strict=True)
    model = svm.LinearSVC().fit(vectorizer.fit_transform(texts), entries)

    def rank(text: str) -> Hits:
        scores = model.decision_function(vectorizer.transform([text]))[0]
        return [(int(model.classes_[row]), float(scores[row])) for row in scores.argsort()[::-1][:3]]

    return rank


def _best_entries(hits: Iterable[tuple[int, float]]) -> Hits:
    """The first three entries of ranked phrasings, each with the score of its first phrasing."""
    best: dict[int, float] = {}
    for entry, score in hits:
        best.setdefault(entry, score)
    return list(best.items())[:3]


MATCHERS: dict[str, tuple[str, Builder]] = {
    "AskPy": ("", askpy),
    "rapidfuzz ratio": ("", rapidfuzz_scan(fuzz.ratio)),
    "rapidfuzz token_sort_ratio": ("", rapidfuzz_scan(fuzz.token_sort_ratio)),
    "rapidfuzz WRatio": ("", rapidfuzz_scan(fuzz.WRatio)),
    "SQLite FTS5": ("", fts5),
    "bm25s": ("bm25s", bm25s),
    "tantivy": ("tantivy", tantivy),
    "TF-IDF + LinearSVC": ("sklearn", linear_svc),
}
"""By name: the module that it needs and that the bot doesn't, or "", and its builder."""

SLOW = tuple(name for name in MATCHERS if name.startswith("rapidfuzz"))
"""Matchers that compare the question with every phrasing."""


def installed() -> tuple[list[str], list[str]]:
    """The matchers that can be measured here, AskPy first, and those that can't."""
    available = [name for name, (module, _) in MATCHERS.items() if not module or find_spec(module)]
    return available, [name for name in MATCHERS if name not in available]
