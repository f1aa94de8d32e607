"""Measures the matcher on public question sets: `python -m bot.tools.bench [--data FOLDER] [--peers] [--growth]`.

Accuracy is in per cent of questions whose entry comes first (among the first three); AUROC is that of the confidence over
questions of the pack against strangers. Times are for one question on one core, beside a rapidfuzz `ratio` scan of the same
phrasings in the same run, because absolute times don't carry from machine to machine.
"""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import click
import numpy as np
from rapidfuzz import fuzz, process
from rich.console import Console
from rich.progress import track
from rich.table import Table

from bot.tools.peers import Ask, Builder, askpy, peers
from bot.tools.questionsets import Asked, QuestionSet, grown, question_sets, typos

MOST = 1_500
"""Questions asked of each set, evenly spread; slow peers get a fifth."""

SLOW = ("rapidfuzz WRatio", "rapidfuzz token_sort")
SIZES = ((1_000, 50), (15_000, 150), (100_000, 1_000))
"""Phrasings and entries of the packs that show growth."""


@dataclass(frozen=True, slots=True)
class Times:
    """Milliseconds for one question, and for the scan beside it."""

    median: float
    slowest: float
    """The slowest but for one in a hundred."""
    scan: float

    @property
    def cells(self) -> list[str]:
        return [f"{self.median:.2f}", f"{self.slowest:.2f}", f"{self.median / self.scan:.2f}x"]


@click.command()
@click.option("--data", type=click.Path(path_type=Path), default=Path("../shared/benchmarks"), show_default=True)
@click.option("--peers", "with_peers", is_flag=True, help="Measure the other matchers that are installed, too.")
@click.option("--growth", "with_growth", is_flag=True, help="Measure packs of 1,000, 15,000 and 100,000 phrasings.")
@click.option("--one", type=int, hidden=True)
def main(data: Path, with_peers: bool, with_growth: bool, one: int | None) -> None:
    """Measure, and print one table."""
    if not (data / "clinc150.json").exists() or not (data / "banking77.csv").exists():
        click.echo(f"No question sets in {data}: nothing is measured. --data says where they are.")
        return
    sets = list(question_sets(data))
    if one is not None:
        click.echo("|".join(growth_row(sets[0], *SIZES[one])))
        return
    console = Console(width=150)
    builders: dict[str, Builder] = peers() if with_peers else {"AskPy": askpy}
    console.print(accuracy_table(sets, builders))
    if with_growth:
        console.print(growth_table(data))


def accuracy_table(sets: Sequence[QuestionSet], builders: dict[str, Builder]) -> Table:
    """A row for each matcher on each set."""
    table = Table(
        title="Accuracy at 1 (at 3) in per cent, AUROC against strangers, one question in ms, beside a ratio scan"
    )
    for name in ("set", "matcher", "clean", "typos", "AUROC", "with typos", "p50", "p99", "of a scan", "build s"):
        table.add_column(name, justify="left" if name in ("set", "matcher") else "right")
    rounds = [(one, name) for one in sets for name in builders]
    for one, name in track(rounds, description="measuring", console=Console(stderr=True)):
        table.add_row(one.name, name, *measure(one, builders[name], MOST // 5 if name in SLOW else MOST))
    return table


def measure(one: QuestionSet, builder: Builder, most: int) -> list[str]:
    """The figures of one matcher on one set."""
    started = perf_counter()
    ask = builder(one)
    built = perf_counter() - started
    questions = one.questions[:: -(-len(one.questions) // most)]
    accuracy, aurocs = [], []
    for slip in (False, True):
        found = [(ask(typos(text) if slip else text), entry) for text, entry in questions]
        first = np.mean([hits[:1] != [] and hits[0][0] == entry for hits, entry in found])
        among = np.mean([entry in [hit for hit, _ in hits] for hits, entry in found])
        accuracy.append(f"{100 * first:.1f} ({100 * among:.1f})")
        strange = [ask(typos(text) if slip else text) for text in one.strangers]
        aurocs.append(f"{auroc([_sure(hits) for hits, _ in found], [_sure(hits) for hits in strange]):.3f}")
    return [*accuracy, *aurocs, *clock(ask, one.asks, [text for text, _ in questions[:300]]).cells, f"{built:.1f}"]


def _sure(hits: list[tuple[int, float]]) -> float:
    return hits[0][1] if hits else -np.inf


def auroc(ours: Sequence[float], strangers: Sequence[float]) -> float:
    """The chance that a question of ours is surer than a stranger; a tie counts half."""
    ranked = np.sort(ours)
    below = np.searchsorted(ranked, strangers, "left") + np.searchsorted(ranked, strangers, "right")
    return float(1 - below.mean() / 2 / len(ranked))


def clock(ask: Ask, asks: Sequence[Asked], questions: Sequence[str]) -> Times:
    """How long a question takes, and a scan of all phrasings with rapidfuzz `ratio` in turn with it."""
    texts = [text for text, _ in asks]
    ours, scans = [], []
    for text in (*questions[:5], *questions):
        started = perf_counter()
        ask(text)
        between = perf_counter()
        process.extractOne(text, texts, scorer=fuzz.ratio)
        ours.append(between - started)
        scans.append(perf_counter() - between)
    milliseconds = 1_000 * np.array(ours[5:])
    slowest = float(np.quantile(milliseconds, 0.99))
    return Times(float(np.median(milliseconds)), slowest, 1_000 * float(np.median(scans[5:])))


def growth_table(data: Path) -> Table:
    """A row for each size, each in a process of its own, so that its memory is its own."""
    table = Table(title="Growth")
    for name in ("phrasings", "entries", "p50", "p99", "of a scan", "build s", "peak MiB", "exponent so far"):
        table.add_column(name, justify="right")
    before: tuple[int, float] | None = None
    for number, (size, entries) in enumerate(SIZES):
        command = [sys.executable, "-m", "bot.tools.bench", "--data", str(data), "--one", str(number)]
        cells = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip().split("|")  # noqa: S603
        median = float(cells[0])
        exponent = f"{np.log(median / before[1]) / np.log(size / before[0]):.2f}" if before else ""
        table.add_row(f"{size:,}", f"{entries:,}", *cells, exponent)
        before = size, median
    return table


def growth_row(one: QuestionSet, size: int, entries: int) -> list[str]:
    """The figures of one size."""
    pack = QuestionSet("grown", grown(one.asks, size, entries), entries, (), ())
    started = perf_counter()
    ask = askpy(pack)
    built = perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1_024
    times = clock(ask, pack.asks, [typos(text) for text, _ in one.questions[::10]])
    return [*times.cells, f"{built:.1f}", f"{peak}"]


if __name__ == "__main__":
    main()
