"""How long `ask` takes from nothing, beside what its packages take to import alone. The two in turn, medians."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

from rich.table import Table

ROUNDS = 15
QUESTION = "is python frontend or backend?"
ASK = ("-m", "bot", "ask", "--json", QUESTION)
IMPORTS = ("-c", "import numpy, yaml, rapidfuzz, pydantic")


def measure(rounds: int = ROUNDS) -> dict[str, list[float]]:
    """Seconds of the first `ask` with nothing kept, then of `ask` and of the imports in turn."""
    with TemporaryDirectory() as cache:
        environment = {**os.environ, "ASKPY_CACHE": cache}
        found: dict[str, list[float]] = {"first": [_timed(ASK, environment)], "ask": [], "imports": []}
        _timed(IMPORTS, environment)
        for _ in range(rounds):
            found["imports"].append(_timed(IMPORTS, environment))
            found["ask"].append(_timed(ASK, environment))
    return found


def _timed(arguments: tuple[str, ...], environment: dict[str, str]) -> float:
    started = perf_counter()
    subprocess.run(  # noqa: S603
        [sys.executable, *arguments], env=environment, stdout=subprocess.DEVNULL, check=True, cwd=_root()
    )
    return perf_counter() - started


def _root() -> Path:
    return Path(__file__).parents[2]


def table(found: dict[str, list[float]]) -> Table:
    """The medians, and how they compare."""
    made = Table(
        title=f"From nothing to an answer: medians of {len(found['ask'])} processes in turn",
        title_justify="left",
        box=None,
    )
    made.add_column("process")
    for name in ("ms", "of the imports"):
        made.add_column(name, justify="right")
    alone = median(found["imports"])
    for name, what in (
        ("imports", 'python -c "import numpy, yaml, rapidfuzz, pydantic"'),
        ("ask", "python -m bot ask, its index from the cache"),
        ("first", "the very first, which builds the index"),
    ):
        value = median(found[name])
        made.add_row(what, f"{1_000 * value:.0f}", f"{value / alone:.2f}x")
    return made
