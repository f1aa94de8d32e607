"""Measures one matcher on one question set: a row of the tables of `benchmarks.matchers`. Each row has a process of its own."""

from __future__ import annotations

import resource
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np
from rapidfuzz import fuzz, process

from benchmarks.baselines import MATCHERS, SLOW, Hits, Rank
from benchmarks.question_sets import (
    LabelledText,
    QuestionSet,
    grown_pack,
    question_sets,
    team_packs,
    with_typos,
)
from bot.evaluation.evaluate import auroc
from bot.retrieval import serialize
from bot.retrieval.index import Index

Row = dict[str, float]
"""Figures by name. Times are in milliseconds, but for "build" and "cache", in seconds; "memory" is in MiB; shares in per cent."""

MAX_QUESTIONS = 1_500
"""Questions of each set that are asked, evenly spread; fewer of slow matchers."""

TIMED_QUESTIONS = 300
"""Questions that are timed; fewer of slow matchers."""

SLOW_FACTOR = 5
"""Slow matchers get one in so many questions."""

SIZES = ((1_000, 50), (15_000, 150), (100_000, 1_000))
"""Phrasings and entries of the packs that show growth."""

TYPO_COUNTS = (0, 1, 2, 3, 4)
"""Typos in each question, for the curve of accuracy over typos."""

CURVE_SET = "CLINC150, 10 an entry"
"""The set of that curve: the size of a team's own pack."""

SEEDS = 10
"""Number of team packs (`question_sets.TeamPack`)."""

NEAR_ANSWERED = 0.10
"""Share of the near out-of-scope questions that the threshold lets through by which team packs are compared."""


def measure_set(data: Path, name: str, matcher: str) -> Row:
    """Accuracy with and without typos, AUROC against out-of-scope questions, times, memory."""
    pack = _question_set(data, name)
    started = perf_counter()
    rank = MATCHERS[matcher][1](pack)
    row: Row = {"build": perf_counter() - started}
    is_slow = matcher in SLOW
    questions = _spread(pack.questions, MAX_QUESTIONS // SLOW_FACTOR if is_slow else MAX_QUESTIONS)
    out_of_scope = pack.out_of_scope[::2] if is_slow else pack.out_of_scope
    for kind in ("clean", "typos"):
        results = [(rank(_typed(text, kind)), entry) for text, entry in questions]
        negatives = [_confidence(rank(_typed(text, kind))) for text in out_of_scope]
        row[f"{kind} @1"] = _accuracy(results)
        row[f"{kind} @3"] = 100 * float(np.mean([entry in [hit for hit, _ in hits] for hits, entry in results]))
        row[f"{kind} auroc"] = auroc([_confidence(hits) for hits, _ in results], negatives)
    timed = _spread(questions, TIMED_QUESTIONS // SLOW_FACTOR if is_slow else TIMED_QUESTIONS)
    return row | measure_times(rank, pack.phrasings, [text for text, _ in timed]) | {"memory": peak_memory()}


def measure_typos(data: Path, _: str, matcher: str) -> Row:
    """Accuracy at 1 by the number of typos in each question."""
    pack = _question_set(data, CURVE_SET)
    rank = MATCHERS[matcher][1](pack)
    questions = _spread(pack.questions, MAX_QUESTIONS // SLOW_FACTOR if matcher in SLOW else MAX_QUESTIONS // 2)
    return {
        str(count): _accuracy([(rank(with_typos(text, count=count)), entry) for text, entry in questions])
        for count in TYPO_COUNTS
    }


def measure_growth(data: Path, name: str, matcher: str) -> Row:
    """Times and memory with a pack of `name` phrasings; of AskPy also the time from its cache."""
    size, entries = next(pair for pair in SIZES if str(pair[0]) == name)
    source = next(question_sets(data))
    pack = QuestionSet("grown", grown_pack(source.phrasings, size, entries), entries, (), ())
    started = perf_counter()
    rank = MATCHERS[matcher][1](pack)
    row: Row = {"build": perf_counter() - started, "memory": peak_memory()}
    timed = _spread(source.questions, TIMED_QUESTIONS // SLOW_FACTOR if matcher in SLOW else TIMED_QUESTIONS)
    row |= measure_times(rank, pack.phrasings, [with_typos(text) for text, _ in timed])
    return row | {"cache": _seconds_from_cache(pack)} if matcher == "AskPy" else row


def _seconds_from_cache(pack: QuestionSet) -> float:
    """Seconds to read a saved index and rank a first question."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "index"
        serialize.save(Index.build(pack.phrasings, pack.entries), path)
        started = perf_counter()
        index = serialize.load(path)
        if index is not None:
            index.rank("where is it")
        return perf_counter() - started


def measure_team_pack(data: Path, name: str, matcher: str) -> Row:
    """Accuracy of a team pack, and what is answered at the threshold that NEAR_ANSWERED of the near questions pass."""
    team = next(pack for number, pack in enumerate(team_packs(data, SEEDS)) if str(number) == name)
    rank = MATCHERS[matcher][1](team.pack)
    row: Row = {}
    for kind in ("clean", "typos"):
        results = [(rank(_typed(text, kind)), entry) for text, entry in team.pack.questions]
        right = np.array([hits[:1] != [] and hits[0][0] == entry for hits, entry in results])
        positives = [_confidence(hits) for hits, _ in results]
        negatives = {
            name: [_confidence(rank(_typed(text, kind))) for text in texts]
            for name, texts in (("near", team.near), ("listed", team.listed), ("far", team.far))
        }
        threshold = float(np.quantile(negatives["near"], 1 - NEAR_ANSWERED))
        row[f"{kind} @1"] = _accuracy(results)
        row[f"{kind} right"] = 100 * float(np.mean(right & (np.array(positives) > threshold)))
        row[f"{kind} listed"] = 100 * float(np.mean(np.array(negatives["listed"]) > threshold))
        row |= {f"{kind} auroc {name}": auroc(positives, values) for name, values in negatives.items()}
    return row


PARTS = {"sets": measure_set, "small": measure_team_pack, "typos": measure_typos, "growth": measure_growth}


def measure_times(rank: Rank, phrasings: Sequence[LabelledText], questions: Sequence[str]) -> Row:
    """Milliseconds of a question, and that in units of a scan of all phrasings by rapidfuzz `ratio`, the two in turn."""
    texts = [text for text, _ in phrasings]
    own, scans = [], []
    for text in (*questions[:5], *questions):  # the first five warm up caches
        started = perf_counter()
        rank(text)
        between = perf_counter()
        process.extractOne(text, texts, scorer=fuzz.ratio)
        own.append(between - started)
        scans.append(perf_counter() - between)
    milliseconds = 1_000 * np.array(own[5:])
    median, scan = float(np.median(milliseconds)), 1_000 * float(np.median(scans[5:]))
    return {"p50": median, "p99": float(np.quantile(milliseconds, 0.99)), "of a scan": median / scan}


def peak_memory() -> float:
    """MiB that this process has held at most."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1_048_576 if sys.platform == "darwin" else 1_024)


def _question_set(data: Path, name: str) -> QuestionSet:
    return next(questions for questions in question_sets(data) if questions.name == name)


def _spread(questions: Sequence[LabelledText], limit: int) -> Sequence[LabelledText]:
    """At most `limit` questions, evenly spread."""
    return questions[:: max(1, -(-len(questions) // limit))]


def _typed(text: str, kind: str) -> str:
    return with_typos(text) if kind == "typos" else text


def _accuracy(results: Sequence[tuple[Hits, int]]) -> float:
    """Per cent of the questions whose entry comes first."""
    return 100 * float(np.mean([hits[:1] != [] and hits[0][0] == entry for hits, entry in results]))


def _confidence(hits: Hits) -> float:
    """The best score; below every other where nothing is found."""
    return hits[0][1] if hits else -np.inf
