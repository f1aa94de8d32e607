"""Measures one matcher on one set of questions. Everything here is one row of a table, measured in a process of its own."""

from __future__ import annotations

import resource
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np
from rapidfuzz import fuzz, process

from bot.match import keep
from bot.match.index import Index
from bot.tools.peers import PEERS, SLOW, Ask
from bot.tools.questionsets import Asked, QuestionSet, grown, question_sets, small_packs, typos

Row = dict[str, float]

MOST = 1_500
"""Questions asked of each set, evenly spread; slow peers get a fifth."""

TIMED = 300
"""Questions that are timed; slow peers get a fifth."""

SLOWNESS = 5

SIZES = ((1_000, 50), (15_000, 150), (100_000, 1_000))
"""Phrasings and entries of the packs that show growth."""

SLIPS = (0, 1, 2, 3, 4)
"""Slips of the fingers in each question, for the curve of accuracy against typos."""

CURVE = "CLINC150, 10 an entry"
"""The set that the curve is measured on: the size of a team's own pack."""

SEEDS = 10
LET_THROUGH = 0.10
"""Share of strangers from next door that gets through where small packs are judged."""


def on_set(data: Path, name: str, matcher: str) -> Row:
    """Accuracy clean and with typos, AUROC against strangers, times, memory."""
    one = _set(data, name)
    started = perf_counter()
    ask = PEERS[matcher][1](one)
    row: Row = {"build": perf_counter() - started}
    questions = _some(one.questions, MOST // SLOWNESS if matcher in SLOW else MOST)
    strangers = one.strangers[::2] if matcher in SLOW else one.strangers
    for kind, slip in (("clean", False), ("typos", True)):
        found = [(ask(typos(text) if slip else text), entry) for text, entry in questions]
        strange = [ask(typos(text) if slip else text) for text in strangers]
        row[f"{kind} @1"] = 100 * float(np.mean([hits[:1] != [] and hits[0][0] == entry for hits, entry in found]))
        row[f"{kind} @3"] = 100 * float(np.mean([entry in [hit for hit, _ in hits] for hits, entry in found]))
        row[f"{kind} auroc"] = auroc([_sure(hits) for hits, _ in found], [_sure(hits) for hits in strange])
    timed = _some(questions, TIMED // SLOWNESS if matcher in SLOW else TIMED)
    return row | clock(ask, one.asks, [text for text, _ in timed]) | {"memory": memory()}


def on_curve(data: Path, _: str, matcher: str) -> Row:
    """Accuracy at 1 by the number of slips in each question."""
    one = _set(data, CURVE)
    ask = PEERS[matcher][1](one)
    questions = _some(one.questions, MOST // SLOWNESS if matcher in SLOW else MOST // 2)
    row: Row = {}
    for slips in SLIPS:
        found = [(ask(typos(text, slips=slips)), entry) for text, entry in questions]
        row[str(slips)] = 100 * float(np.mean([hits[:1] != [] and hits[0][0] == entry for hits, entry in found]))
    return row


def on_size(data: Path, name: str, matcher: str) -> Row:
    """Times and memory with a pack of so many phrasings; ours also from its cache."""
    size, entries = next(pair for pair in SIZES if str(pair[0]) == name)
    one = next(question_sets(data))
    pack = QuestionSet("grown", grown(one.asks, size, entries), entries, (), ())
    started = perf_counter()
    ask = PEERS[matcher][1](pack)
    row: Row = {"build": perf_counter() - started, "memory": memory()}
    timed = TIMED // SLOWNESS if matcher in SLOW else TIMED
    row |= clock(ask, pack.asks, [typos(text) for text, _ in _some(one.questions, timed)])
    return row | {"cache": _from_cache(pack)} if matcher == "AskPy" else row


def _from_cache(pack: QuestionSet) -> float:
    """Seconds from the file of a kept index to the first ranking."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "index"
        keep.save(Index.build(pack.asks, pack.entries), path)
        started = perf_counter()
        index = keep.load(path)
        if index is not None:
            index.rank("where is it")
        return perf_counter() - started


def on_small_pack(data: Path, name: str, matcher: str) -> Row:
    """Accuracy, and what is right and what is answered where one in ten strangers from next door gets through."""
    small = next(one for number, one in enumerate(small_packs(data, SEEDS)) if str(number) == name)
    ask = PEERS[matcher][1](small.pack)
    row: Row = {}
    for kind, slip in (("clean", False), ("typos", True)):

        def sure(texts: Sequence[str], slip: bool = slip) -> list[float]:
            return [_sure(ask(typos(text) if slip else text)) for text in texts]

        found = [(ask(typos(text) if slip else text), entry) for text, entry in small.pack.questions]
        right = [hits[:1] != [] and hits[0][0] == entry for hits, entry in found]
        ours, near, listed, far = (
            [_sure(hits) for hits, _ in found],
            sure(small.near),
            sure(small.listed),
            sure(small.far),
        )
        bar = float(np.quantile(near, 1 - LET_THROUGH))
        row[f"{kind} @1"] = 100 * float(np.mean(right))
        row[f"{kind} right"] = 100 * float(
            np.mean([yes and value > bar for yes, value in zip(right, ours, strict=True)])
        )
        row[f"{kind} listed"] = 100 * float(np.mean(np.array(listed) > bar))
        for stranger, values in (("near", near), ("listed", listed), ("far", far)):
            row[f"{kind} auroc {stranger}"] = auroc(ours, values)
    return row


PARTS = {"sets": on_set, "small": on_small_pack, "typos": on_curve, "growth": on_size}


def auroc(ours: Sequence[float], strangers: Sequence[float]) -> float:
    """The chance that a question of ours is surer than a stranger; a tie counts half."""
    ranked = np.sort(ours)
    below = np.searchsorted(ranked, strangers, "left") + np.searchsorted(ranked, strangers, "right")
    return float(1 - below.mean() / 2 / len(ranked))


def clock(ask: Ask, asks: Sequence[Asked], questions: Sequence[str]) -> Row:
    """Milliseconds for a question, in turn with a scan of all phrasings by rapidfuzz `ratio`."""
    texts = [text for text, _ in asks]
    ours, scans = [], []
    for text in (*questions[:5], *questions):  # the first five are for warming up
        started = perf_counter()
        ask(text)
        between = perf_counter()
        process.extractOne(text, texts, scorer=fuzz.ratio)
        ours.append(between - started)
        scans.append(perf_counter() - between)
    milliseconds = 1_000 * np.array(ours[5:])
    median, scan = float(np.median(milliseconds)), 1_000 * float(np.median(scans[5:]))
    return {"p50": median, "p99": float(np.quantile(milliseconds, 0.99)), "of a scan": median / scan}


def memory() -> float:
    """MiB that this process has held at most."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1_048_576 if sys.platform == "darwin" else 1_024)


def _set(data: Path, name: str) -> QuestionSet:
    return next(one for one in question_sets(data) if one.name == name)


def _some(questions: Sequence[Asked], most: int) -> Sequence[Asked]:
    """At most so many, evenly spread."""
    return questions[:: max(1, -(-len(questions) // most))]


def _sure(hits: list[tuple[int, float]]) -> float:
    return hits[0][1] if hits else -np.inf
