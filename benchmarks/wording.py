"""What wording must not change: case, slips in small words, opposites, single words: `python -m benchmarks.wording`.

Twenty seconds. Prints, over the shipped pack, how many questions are answered differently in lower case (PAIRS_FILE, which lies
with the question sets), how many with slips are understood as without, and how many single words and everyday phrases are
answered (WORD_FILES, likewise); over a pack made for it, how many opposites of an entry are answered with it, and how many
questions with such words that the entry does answer still are. `--verbose` prints those that miss.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from benchmarks.question_sets import DATA_VARIABLE
from bot.knowledge import load
from bot.settings import read_settings
from bot.understanding import Matcher

ROOT = Path(__file__).parents[1]
QUESTIONS = Path(__file__).with_name("questions")
OPPOSITES_PACK = Path(__file__).with_name("faqs") / "club"
PAIRS_FILE = "pairs-upper-case.txt"
"""A question a line, with names as the pack writes them."""
WORD_FILES = ("words-of-one-phrasing.txt", "words-common.txt", "phrases-everyday.txt")
"""A word or phrase a line that one odd word of a phrasing must not open: words that one phrasing of the shipped pack has, common
English words, and everyday phrases."""


@dataclass(frozen=True, slots=True)
class Count:
    """Of `total` questions, those that are counted, word for word."""

    total: int
    counted: tuple[str, ...]


def differing_by_case(matcher: Matcher, questions: list[str]) -> Count:
    """Questions that get another answer in lower case."""
    return Count(len(questions), tuple(q for q in questions if _answer(matcher, q) != _answer(matcher, q.lower())))


def understood_slips(matcher: Matcher) -> Count:
    """Questions with slips that get the answer of the question without."""
    rows = [*_rows("slips.jsonl")]
    understood = (row["q"] for row in rows if _answer(matcher, row["q"]) == _answer(matcher, row["clean"]))
    return Count(len(rows), tuple(understood))


def answered_opposites(matcher: Matcher) -> tuple[Count, Count]:
    """Questions for the opposite of an entry that are answered, and questions for an entry that are answered with it."""
    rows = [*_rows("opposites.jsonl")]
    opposites = [row["q"] for row in rows if row.get("opposite")]
    guards = {row["q"]: row["entry"] for row in rows if not row.get("opposite")}
    answered = tuple(q for q in opposites if matcher.find(q).kind != "unknown")
    right = tuple(q for q, entry in guards.items() if _answer(matcher, q) == ("topic", (entry,)))
    return Count(len(opposites), answered), Count(len(guards), right)


def answered(matcher: Matcher, questions: list[str]) -> Count:
    """Questions that are answered."""
    kinds = ("unknown", "smalltalk", "help")
    return Count(len(questions), tuple(q for q in questions if matcher.find(q).kind not in kinds))


def find_lines(folder: Path | None, name: str) -> list[str]:
    """The lines of a file; none if it isn't in the folder, nor in the one that DATA_VARIABLE names."""
    named = folder or (Path(value) if (value := os.environ.get(DATA_VARIABLE)) else None)
    path = named / name if named is not None else None
    lines = path.read_text(encoding="utf-8").split("\n") if path is not None and path.is_file() else []
    return [line for line in lines if line.strip()]


def _answer(matcher: Matcher, text: str) -> tuple[str, tuple[str, ...]]:
    finding = matcher.find(text)
    return finding.kind, finding.ids


def _rows(name: str) -> Iterator[dict[str, str]]:
    lines = (QUESTIONS / name).read_text(encoding="utf-8").splitlines()
    return (json.loads(line) for line in lines)


@click.command()
@click.option("--data", type=click.Path(path_type=Path, file_okay=False), help=f"The folder that has {PAIRS_FILE}.")
@click.option("--verbose", is_flag=True, help="Print the questions that miss.")
def main(data: Path | None, verbose: bool) -> None:
    """Count, and print the table."""
    console = Console(width=120, highlight=False)
    cache = read_settings().cache_folder
    shipped, club = (Matcher.from_knowledge(load(pack), cache) for pack in (ROOT / "knowledge", OPPOSITES_PACK))
    opposites, guards = answered_opposites(club)
    slips = understood_slips(shipped)
    rows = [("slips understood", slips), ("opposites answered", opposites), ("guards answered", guards)]
    if pairs := find_lines(data, PAIRS_FILE):
        rows.insert(0, ("pairs that differ by case", differing_by_case(shipped, pairs)))
    else:
        console.print(f"Pairs that differ by case: skipped, because {PAIRS_FILE} isn't in --data or {DATA_VARIABLE}.")
    for name in WORD_FILES:
        if lines := find_lines(data, name):
            rows.append((f"answered of {name}", answered(shipped, lines)))
    table = Table(title="What wording must not change", title_justify="left", box=None)
    for name in ("", "questions", "of"):
        table.add_column(name, justify="right" if name else "left")
    for name, count in rows:
        table.add_row(name, str(len(count.counted)), str(count.total))
    console.print(table)
    if verbose:
        for name, missed in (
            ("differ", rows[0][1].counted if pairs else ()),
            ("slips", tuple(row["q"] for row in _rows("slips.jsonl") if row["q"] not in slips.counted)),
            ("opposites", opposites.counted),
            (
                "guards",
                tuple(
                    r["q"] for r in _rows("opposites.jsonl") if not r.get("opposite") and r["q"] not in guards.counted
                ),
            ),
        ):
            console.print(*(f"{name}: {text}" for text in missed), sep="\n")


if __name__ == "__main__":
    main()
