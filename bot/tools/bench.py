"""Measures the matcher beside others on public question sets: `make bench`, or `python -m bot.tools.bench --help`.

Accuracy is in per cent of the questions whose entry comes first (among the first three); AUROC is that of the confidence over
questions of the pack against strangers. Times are for one question on one core, and in units of a rapidfuzz `ratio` scan of
the same phrasings in the same run, because absolute times don't carry from machine to machine.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import click
import numpy as np
from rich.console import Console
from rich.table import Table

from bot.tools import charts, starts
from bot.tools.measure import PARTS, SEEDS, SIZES, SLIPS, SLOWNESS, Row
from bot.tools.peers import SLOW, installed
from bot.tools.questionsets import question_sets

FILES = ("clinc150.json", "banking77.csv")
TOO_MUCH = {("TF-IDF + LinearSVC", "100000")}
"""Training a thousand separators on 100,000 phrasings takes longer than all the rest."""

Results = dict[tuple[str, str, str], Row]
"""By part, what it was measured on, and matcher."""


@click.command()
@click.option("--data", type=click.Path(path_type=Path), default=Path("../shared/benchmarks"), show_default=True)
@click.option(
    "--part", "parts", multiple=True, type=click.Choice([*PARTS, "start"]), help="Only this; may be repeated."
)
@click.option("--ours", is_flag=True, help="Measure AskPy alone.")
@click.option("--start", "only_start", is_flag=True, help="The same as --part start: how long `ask` takes, cold.")
@click.option("--pictures", type=click.Path(path_type=Path), help="Draw the two charts of the README into this folder.")
@click.option("--kept", type=click.Path(path_type=Path), help="A file of measured rows: read, added to, written.")
@click.option("--row", nargs=3, hidden=True)
def main(
    data: Path,
    parts: tuple[str, ...],
    ours: bool,
    only_start: bool,
    pictures: Path | None,
    kept: Path | None,
    row: tuple[str, str, str] | None,
) -> None:
    """Measure, and print the tables."""
    if row is not None:
        part, subject, matcher = row
        click.echo(json.dumps(PARTS[part](data, subject, matcher)))
        return
    wanted = ("start",) if only_start else parts or (*PARTS, "start")
    console = Console(width=150, highlight=False)
    if set(wanted) & set(PARTS):
        if not all((data / name).exists() for name in FILES):
            click.echo(
                f"No question sets in {data}: matching isn't measured. --data says where {' and '.join(FILES)} are."
            )
        else:
            results = _measured(data, _rows(data, wanted, ours), kept)
            for table in tables(results):
                console.print(table)
            if pictures is not None:
                charts.draw(results, pictures)
    if "start" in wanted:
        console.print(starts.table(starts.measure()))


def _rows(data: Path, wanted: Sequence[str], ours: bool) -> list[tuple[str, str, str]]:
    """What has to be measured, in order; a sentence on stderr about what can't be."""
    matchers, missing = installed()
    if ours:
        matchers, missing = ["AskPy"], []
    for name in missing:
        click.echo(f"{name} isn't installed and is left out; `make bench` installs it.", err=True)
    sets = list(question_sets(data))
    listing = {one.name for one in sets if one.listed}
    subjects = {
        "sets": [one.name for one in sets],
        "small": [str(seed) for seed in range(SEEDS)],
        "typos": ["slips"],
        "growth": [str(size) for size, _ in SIZES],
    }
    found = [
        (part, subject, matcher)
        for part in PARTS
        if part in wanted
        for subject in subjects[part]
        for matcher in (matchers if part != "small" else matchers[:1])
    ]
    return [
        each for each in found if (each[2], each[1]) not in TOO_MUCH and (each[2] == "AskPy" or each[1] not in listing)
    ]


def _measured(data: Path, rows: Sequence[tuple[str, str, str]], kept: Path | None) -> Results:
    """Every row in a process of its own, one after the other; told on stderr."""
    results: Results = dict(_read(kept)) if kept is not None and kept.exists() else {}
    for number, each in enumerate(rows, 1):
        if each in results:
            continue
        click.echo(f"{number}/{len(rows)} {': '.join(each)}", err=True)
        command = [sys.executable, "-m", "bot.tools.bench", "--data", str(data), "--row", *each]
        ran = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)  # noqa: S603
        if ran.returncode:
            click.echo(f"{': '.join(each)} failed and is left out.", err=True)
            continue
        results[each] = json.loads(ran.stdout)
        if kept is not None:
            lines = [json.dumps([*key, value]) for key, value in results.items()]
            kept.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return {each: results[each] for each in rows if each in results}


def _read(kept: Path) -> Iterator[tuple[tuple[str, str, str], Row]]:
    for line in kept.read_text(encoding="utf-8").splitlines():
        part, subject, matcher, row = json.loads(line)
        yield (part, subject, matcher), row


# --- tables


def tables(results: Results) -> Iterator[Table]:
    """A table for each part that was measured."""
    builders = {"sets": _sets, "small": _small, "typos": _typos, "growth": _growth}
    for part, build in builders.items():
        found = {key[1:]: row for key, row in results.items() if key[0] == part}
        if found:
            yield build(found)


Rows = dict[tuple[str, str], Row]


def _table(title: str, left: Iterable[str], right: Iterable[str], caption: str = "") -> Table:
    table = Table(title=title, title_justify="left", caption=caption or None, caption_justify="left", box=None)
    for name in left:
        table.add_column(name)
    for name in right:
        table.add_column(name, justify="right")
    return table


def _sets(rows: Rows) -> Table:
    figures = ("clean", "typos", "AUROC", "with typos", "p50 ms", "p99 ms", "of a scan", "build s", "peak MiB")
    caption = (
        f"rapidfuzz's scans got one question in {SLOWNESS} and one stranger in two. Only AskPy makes use of listed strangers. "
        "Peak MiB is of the whole process, question sets included."
    )
    table = _table(
        "Accuracy at 1 (at 3) in per cent, clean and with one or two slips; AUROC against strangers",
        ("set", "matcher"), figures, caption,
    )  # fmt: skip
    before = ""
    for (name, matcher), row in rows.items():
        table.add_row(
            name if name != before else "",
            matcher,
            *(f"{row[f'{kind} @1']:.1f} ({row[f'{kind} @3']:.1f})" for kind in ("clean", "typos")),
            *(f"{row[f'{kind} auroc']:.3f}" for kind in ("clean", "typos")),
            *_cost(row),
        )
        before = name
    return table


def _cost(row: Row) -> list[str]:
    times = [f"{row['p50']:.2f}", f"{row['p99']:.2f}", f"{row['of a scan']:.2f}x"]
    return [*times, f"{row['build']:.1f}", f"{row['memory']:.0f}"]


def _small(rows: Rows) -> Table:
    figures = ("at 1", "right", "listed answered", "AUROC near", "AUROC listed", "AUROC far")
    title = f"Packs of 46 CLINC150 intents with 15 phrasings, {len(rows)} seeds: at the bar that 10 % of near strangers pass"
    table = _table(title, ("questions",), figures)
    for kind in ("clean", "typos"):

        def mean(name: str, kind: str = kind) -> float:
            return float(np.mean([row[f"{kind} {name}"] for row in rows.values()]))

        shares = [f"{mean(name):.1f}" for name in ("@1", "right", "listed")]
        table.add_row(kind, *shares, *(f"{mean(f'auroc {name}'):.3f}" for name in ("near", "listed", "far")))
    return table


def _typos(rows: Rows) -> Table:
    table = _table("Accuracy at 1 by slips a question, CLINC150, 10 an entry", ("matcher",), map(str, SLIPS))
    for (_, matcher), row in rows.items():
        table.add_row(matcher, *(f"{row[str(slips)]:.1f}" for slips in SLIPS))
    return table


def _growth(rows: Rows) -> Table:
    figures = ("p50 ms", "p99 ms", "of a scan", "build s", "peak MiB", "from cache s", "exponent")
    slow = ", ".join(SLOW)
    table = _table(
        "Growth over phrasings: exponent of p50 since the size above", ("matcher", "phrasings"), figures,
        f"{slow}: one question in {SLOWNESS}. TF-IDF + LinearSVC isn't trained on 100,000.",
    )  # fmt: skip
    for matcher in dict.fromkeys(matcher for _, matcher in rows):
        before: tuple[int, float] | None = None
        for size, _ in SIZES:
            row = rows.get((str(size), matcher))
            if row is None:
                continue
            exponent = f"{np.log(row['p50'] / before[1]) / np.log(size / before[0]):.2f}" if before else ""
            cache = f"{row['cache']:.2f}" if "cache" in row else ""
            table.add_row(matcher if before is None else "", f"{size:,}", *_cost(row), cache, exponent)
            before = size, row["p50"]
    return table


if __name__ == "__main__":
    main()
