"""How long `ask` takes in a new process, beside what importing its packages alone takes: `python -m benchmarks.startup_time`.

Twenty seconds. The two are timed in turn, and medians are compared, because the load of the machine changes.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

import click
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parents[1]
ROUNDS = 15
QUESTION = "is python frontend or backend?"
ASK = ("-m", "bot", "ask", "--json", QUESTION)
IMPORTS = ("-c", "import numpy, yaml, rapidfuzz, pydantic")


@dataclass(frozen=True, slots=True)
class StartupTimes:
    """Seconds: of the first `ask`, with an empty cache; of `ask` from the cache; and of the imports alone."""

    first: float
    ask: tuple[float, ...]
    imports: tuple[float, ...]


def measure(rounds: int = ROUNDS) -> StartupTimes:
    """Time `ask` and the imports in turn, `rounds` times each."""
    with TemporaryDirectory() as cache:
        environment = {**os.environ, "ASKPY_CACHE": cache}
        first = _seconds(ASK, environment)
        _seconds(IMPORTS, environment)
        pairs = [(_seconds(ASK, environment), _seconds(IMPORTS, environment)) for _ in range(rounds)]
    return StartupTimes(first, tuple(ask for ask, _ in pairs), tuple(imports for _, imports in pairs))


def _seconds(arguments: tuple[str, ...], environment: Mapping[str, str]) -> float:
    started = perf_counter()
    command = [sys.executable, *arguments]
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True, cwd=ROOT)
    return perf_counter() - started


def as_table(times: StartupTimes) -> Table:
    """Milliseconds, and in units of the imports."""
    title = f"From a new process to an answer: medians of {len(times.ask)} processes in turn"
    table = Table(title=title, title_justify="left", box=None)
    table.add_column("process")
    for name in ("ms", "of the imports"):
        table.add_column(name, justify="right")
    imports = median(times.imports)
    for name, seconds in (
        ('python -c "import numpy, yaml, rapidfuzz, pydantic"', imports),
        ("python -m bot ask, its index from the cache", median(times.ask)),
        ("the very first, which builds the index", times.first),
    ):
        table.add_row(name, f"{1_000 * seconds:.0f}", f"{seconds / imports:.2f}x")
    return table


@click.command()
@click.option("--rounds", type=click.IntRange(1), default=ROUNDS, show_default=True)
def main(rounds: int) -> None:
    """Measure, and print the table."""
    Console(width=120, highlight=False).print(as_table(measure(rounds)))


if __name__ == "__main__":
    main()
