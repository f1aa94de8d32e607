"""Other matchers, as they are commonly used, to be measured beside ours. What isn't installed is left out."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from rapidfuzz import fuzz, process

from bot.match.index import Index
from bot.tools.questionsets import QuestionSet

Found = list[tuple[int, float]]
"""Entries with a score, best first."""

Ask = Callable[[str], Found]
Builder = Callable[[QuestionSet], Ask]
NEAREST = 50
"""Phrasings fetched to name three entries."""


def askpy(pack: QuestionSet) -> Ask:
    """Ours."""
    index = Index.build(pack.asks, pack.entries, strangers=pack.listed)

    def ask(text: str) -> Found:
        found = index.rank(text)
        return [(candidate.entry, found.confidence) for candidate in found.candidates]

    return ask


def rapidfuzz_by(scorer: Callable[..., float]) -> Builder:
    """Every phrasing compared with the whole question, as `process.extract` does it."""

    def build(pack: QuestionSet) -> Ask:
        texts = [text.casefold() for text, _ in pack.asks]

        def ask(text: str) -> Found:
            hits = process.extract(text.casefold(), texts, scorer=scorer, limit=NEAREST)
            return _entries((pack.asks[at][1], score) for _, score, at in hits)

        return ask

    return build


def fts5(pack: QuestionSet) -> Ask:
    """SQLite's full text search, stemmed, ranked by BM25."""
    base = sqlite3.connect(":memory:")
    base.execute("create virtual table asks using fts5(text, entry unindexed, tokenize='porter unicode61')")
    base.executemany("insert into asks values (?, ?)", pack.asks)

    def ask(text: str) -> Found:
        query = " OR ".join(f'"{word}"' for word in re.findall(r"\w+", text))
        rows = (
            base.execute("select entry, -rank from asks where asks match ? order by rank limit 50", (query,))
            if query
            else ()
        )
        return _entries((int(entry), float(score)) for entry, score in rows)

    return ask


def bm25s(pack: QuestionSet) -> Ask:
    """BM25 with the bm25s package."""
    package: Any = import_module("bm25s")
    ranker = package.BM25()
    ranker.index(
        package.tokenize([text for text, _ in pack.asks], stopwords=None, show_progress=False), show_progress=False
    )

    def ask(text: str) -> Found:
        tokens = package.tokenize([text], stopwords=None, show_progress=False)
        rows, scores = ranker.retrieve(tokens, k=min(NEAREST, len(pack.asks)), show_progress=False)
        return _entries((pack.asks[int(at)][1], float(score)) for at, score in zip(rows[0], scores[0], strict=True))

    return ask


def tantivy(pack: QuestionSet) -> Ask:
    """Tantivy's full text search, stemmed, ranked by BM25."""
    package: Any = import_module("tantivy")
    schema = (
        package.SchemaBuilder().add_text_field("text", tokenizer_name="en_stem").add_integer_field("entry", stored=True)
    )
    index = package.Index(schema.build())
    writer = index.writer(num_threads=1)
    for text, entry in pack.asks:
        writer.add_document(package.Document(text=text, entry=entry))
    writer.commit()
    index.reload()
    searcher = index.searcher()

    def ask(text: str) -> Found:
        query = index.parse_query(" ".join(re.findall(r"\w+", text)).lower() or "nothing", ["text"])
        return _entries((searcher.doc(at)["entry"][0], score) for score, at in searcher.search(query, NEAREST).hits)

    return ask


def linear_svc(pack: QuestionSet) -> Ask:
    """scikit-learn's TF-IDF of words and pairs, and a linear support vector classifier."""
    text_package: Any = import_module("sklearn.feature_extraction.text")
    svm: Any = import_module("sklearn.svm")
    words = text_package.TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    model = svm.LinearSVC().fit(words.fit_transform([text for text, _ in pack.asks]), [entry for _, entry in pack.asks])

    def ask(text: str) -> Found:
        scores = model.decision_function(words.transform([text]))[0]
        return [(int(model.classes_[at]), float(scores[at])) for at in scores.argsort()[::-1][:3]]

    return ask


def _entries(hits: Any) -> Found:
    """The three best entries of ranked phrasings."""
    best: dict[int, float] = {}
    for entry, score in hits:
        best.setdefault(entry, score)
    return list(best.items())[:3]


PEERS: dict[str, tuple[str, Builder]] = {
    "AskPy": ("", askpy),
    "rapidfuzz ratio": ("", rapidfuzz_by(fuzz.ratio)),
    "rapidfuzz token_sort_ratio": ("", rapidfuzz_by(fuzz.token_sort_ratio)),
    "rapidfuzz WRatio": ("", rapidfuzz_by(fuzz.WRatio)),
    "SQLite FTS5": ("", fts5),
    "bm25s": ("bm25s", bm25s),
    "tantivy": ("tantivy", tantivy),
    "TF-IDF + LinearSVC": ("sklearn", linear_svc),
}
"""Each with the module that it needs beyond what the bot has."""

SLOW = tuple(name for name in PEERS if name.startswith("rapidfuzz"))
"""Those that compare the question with every phrasing."""


def installed() -> tuple[list[str], list[str]]:
    """The matchers that can be measured here, ours first, and those that can't."""
    there = [name for name, (module, _) in PEERS.items() if not module or find_spec(module)]
    return there, [name for name in PEERS if name not in there]
