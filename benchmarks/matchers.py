"""The matcher beside others on public question sets: `make bench`, or `python -m benchmarks.matchers`. Half an hour.

Accuracy is in per cent of the questions whose entry comes first (among the first three). AUROC is that of the confidence, covered
against out-of-scope questions. Times are of one question on one core; also in units of a rapidfuzz `ratio` scan of the same
phrasings in the same run, because absolute times differ between machines.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import click
import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks import charts, startup_time
from benchmarks.baselines import SLOW, installed
from benchmarks.measure import PARTS, SEEDS, SIZES, SLOW_FACTOR, TYPO_COUNTS, Row
from benchmarks.question_sets import WHERE_TO_GET_THEM, find_data, question_sets

TOO_SLOW = {("TF-IDF + LinearSVC", "100000")}
"""Matcher and subject of rows that are left out: to train a thousand classes on 100,000 phrasings takes longer than all else."""

Key = tuple[str, str, str]
"""Of a row: part, what is measured (a set, a seed, a size), matcher."""
Results = dict[Key, Row]


@click.command()
@click.option("--data", type=click.Path(path_type=Path), help="The folder of the question sets.")
@click.option(
    "--part", "parts", multiple=True, type=click.Choice([*PARTS, "start"]), help="Only this; may be repeated."
)
@click.option("--ours", is_flag=True, help="Measure AskPy alone.")
@click.option("--pictures", type=click.Path(path_type=Path), help="Draw the two charts of the README into this folder.")
@click.option("--results", "file", type=click.Path(path_type=Path), help="A file of rows: read, added to, written.")
@click.option("--row", nargs=3, hidden=True)
def main(
    data: Path | None,
    parts: tuple[str, ...],
    ours: bool,
    pictures: Path | None,
    file: Path | None,
    row: tuple[str, str, str] | None,
) -> None:
    """Measure, and print the tables."""
    folder = find_data(data)
    if folder is not None and row is not None:
        part, subject, matcher = row
        click.echo(json.dumps(PARTS[part](folder, subject, matcher)))
        return
    chosen = parts or (*PARTS, "start")
    console = Console(width=150, highlight=False)
    if set(chosen) & set(PARTS):
        if folder is None:
            click.echo(f"No question sets: matching isn't measured. {WHERE_TO_GET_THEM}")
        else:
            results = _measure(folder, _keys(folder, chosen, ours), file)
            for table in tables(results):
                console.print(table)
            if pictures is not None:
                charts.draw(results, pictures)
    if "start" in chosen:
        console.print(startup_time.as_table(startup_time.measure()))


def _keys(data: Path, parts: Sequence[str], ours: bool) -> list[Key]:
    """The rows to measure, in order; names on stderr the matchers that aren't installed."""
    matchers, missing = (["AskPy"], []) if ours else installed()
    for name in missing:
        click.echo(f"{name} isn't installed and is left out; `make bench` installs it.", err=True)
    sets = list(question_sets(data))
    with_listed = {questions.name for questions in sets if questions.listed}
    subjects = {
        "sets": [questions.name for questions in sets],
        "small": [str(seed) for seed in range(SEEDS)],
        "typos": ["typos"],
        "growth": [str(size) for size, _ in SIZES],
    }
    keys = [
        (part, subject, matcher)
        for part in PARTS
        if part in parts
        for subject in subjects[part]
        for matcher in (matchers if part != "small" else matchers[:1])
    ]
    return [
        (part, subject, matcher)
        for part, subject, matcher in keys
        if (matcher, subject) not in TOO_SLOW and (matcher == "AskPy" or subject not in with_listed)
    ]


def _measure(data: Path, keys: Sequence[Key], file: Path | None) -> Results:
    """Each row in a process of its own, one after the other, with progress on stderr. `file`: rows of earlier runs are kept."""
    results: Results = dict(_read_rows(file)) if file is not None and file.exists() else {}
    for number, key in enumerate(keys, 1):
        if key in results:
            continue
        name = ", ".join(key)
        click.echo(f"{number}/{len(keys)} {name}", err=True)
        command = [sys.executable, "-m", "benchmarks.matchers", "--data", str(data), "--row", *key]
        process = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
        if process.returncode:
            click.echo(f"{name} failed and is left out.", err=True)
            continue
        results[key] = json.loads(process.stdout)
        if file is not None:
            lines = [json.dumps([*key, row]) for key, row in results.items()]
            file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return {key: results[key] for key in keys if key in results}


def _read_rows(file: Path) -> Iterator[tuple[Key, Row]]:
    for line in file.read_text(encoding="utf-8").splitlines():
        part, subject, matcher, row = json.loads(line)
        yield (part, subject, matcher), row


# --- tables

PartResults = dict[tuple[str, str], Row]
"""The rows of one part, by what is measured and matcher."""


def tables(results: Results) -> Iterator[Table]:
    """A table for each part that has rows."""
    for part, build in BUILDERS.items():
        rows = {key[1:]: row for key, row in results.items() if key[0] == part}
        if rows:
            yield build(rows)


def _table(title: str, left: Iterable[str], right: Iterable[str], caption: str = "") -> Table:
    """An empty table; columns `left` and `right` by their justification."""
    table = Table(title=title, title_justify="left", caption=caption or None, caption_justify="left", box=None)
    for name in left:
        table.add_column(name)
    for name in right:
        table.add_column(name, justify="right")
    return table


def _set_table(rows: PartResults) -> Table:
    figures = ("clean", "typos", "AUROC", "with typos", "p50 ms", "p99 ms", "of a scan", "build s", "peak MiB")
    caption = (
        f"rapidfuzz's scans got one question in {SLOW_FACTOR} and one out of scope in two. Only AskPy makes use of listed "
        "out-of-scope questions. Peak MiB is of the whole process, question sets included."
    )
    title = "Accuracy at 1 (at 3) in per cent, without and with one or two typos; AUROC against out-of-scope questions"
    table = _table(title, ("set", "matcher"), figures, caption)
    previous = ""
    for (name, matcher), row in rows.items():
        table.add_row(
            name if name != previous else "",
            matcher,
            *(f"{row[f'{kind} @1']:.1f} ({row[f'{kind} @3']:.1f})" for kind in ("clean", "typos")),
            *(f"{row[f'{kind} auroc']:.3f}" for kind in ("clean", "typos")),
            *_cost_cells(row),
        )
        previous = name
    return table


def _cost_cells(row: Row) -> list[str]:
    times = [f"{row['p50']:.2f}", f"{row['p99']:.2f}", f"{row['of a scan']:.2f}x"]
    return [*times, f"{row['build']:.1f}", f"{row['memory']:.0f}"]


def _team_table(rows: PartResults) -> Table:
    figures = ("at 1", "right", "listed answered", "AUROC near", "AUROC listed", "AUROC far")
    title = (
        f"Packs of 46 CLINC150 intents with 15 phrasings, {len(rows)} seeds: "
        "at the threshold that 10 % of near out-of-scope questions pass"
    )
    table = _table(title, ("questions",), figures)
    for kind in ("clean", "typos"):
        names = [*("@1", "right", "listed"), *(f"auroc {name}" for name in ("near", "listed", "far"))]
        means = [float(np.mean([row[f"{kind} {name}"] for row in rows.values()])) for name in names]
        table.add_row(kind, *(f"{mean:.1f}" for mean in means[:3]), *(f"{mean:.3f}" for mean in means[3:]))
    return table


def _typo_table(rows: PartResults) -> Table:
    table = _table("Accuracy at 1 by typos in a question, CLINC150, 10 an entry", ("matcher",), map(str, TYPO_COUNTS))
    for (_, matcher), row in rows.items():
        table.add_row(matcher, *(f"{row[str(count)]:.1f}" for count in TYPO_COUNTS))
    return table


def _growth_table(rows: PartResults) -> Table:
    figures = ("p50 ms", "p99 ms", "of a scan", "build s", "peak MiB", "from cache s", "exponent")
    caption = f"{', '.join(SLOW)}: one question in {SLOW_FACTOR}. TF-IDF + LinearSVC isn't trained on 100,000."
    title = "Growth over phrasings: exponent of p50 since the size above"
    table = _table(title, ("matcher", "phrasings"), figures, caption)
    for matcher in dict.fromkeys(matcher for _, matcher in rows):
        previous: tuple[int, float] | None = None
        for size, _ in SIZES:
            row = rows.get((str(size), matcher))
            if row is None:
                continue
            exponent = f"{np.log(row['p50'] / previous[1]) / np.log(size / previous[0]):.2f}" if previous else ""
            cache = f"{row['cache']:.2f}" if "cache" in row else ""
            table.add_row(matcher if previous is None else "", f"{size:,}", *_cost_cells(row), cache, exponent)
            previous = size, row["p50"]
    return table


BUILDERS: dict[str, Callable[[PartResults], Table]] = {
    "sets": _set_table,
    "small": _team_table,
    "typos": _typo_table,
    "growth": _growth_table,
}


if __name__ == "__main__":
    main()
