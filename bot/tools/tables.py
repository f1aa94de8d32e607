"""What the tools print: evaluations as tables, with Rich."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from bot.tools.compare import Asked, Change, Reworded, summary
from bot.tools.evaluate import Judged, auroc, coverage_without_false_answers, slices

T = TypeVar("T")

OUTCOMES = ("right", "offered", "abstained", "wrong")
FIRST_SLICES = ("covered", "strangers", "strangers, near", "strangers, far", "follow-up")


def _console() -> Console:
    made = Console(highlight=False)
    made.width = min(max(made.width, 80), 110)
    return made


@contextmanager
def progress(total: int) -> Iterator[Callable[[int], None]]:
    """A progress bar on stderr, gone when it is done and nothing in a pipe; calls take how many are done."""
    console = Console(stderr=True)
    columns = TextColumn("asking"), BarColumn(), MofNCompleteColumn()
    bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
    with bar:
        task = bar.add_task("", total=total)
        yield lambda done: bar.update(task, completed=done)


def tracked(things: Sequence[T]) -> Iterator[T]:
    """The things, one by one, with a progress bar on stderr."""
    with progress(len(things)) as advance:
        for done, thing in enumerate(things, 1):
            yield thing
            advance(done)


def share_right(judged: Sequence[Judged]) -> float:
    """Per cent of the covered questions that are answered right."""
    covered = [one for one in judged if "unknown" not in one.question.gold]
    return 100 * sum(one.outcome == "right" for one in covered) / max(1, len(covered))


def print_evaluation(judged: Sequence[Judged], *, verbose: bool) -> None:
    """The table by slice, what confidence is worth, and with `verbose` every question that isn't right."""
    table = Table(title=None, box=None, pad_edge=False)
    table.add_column("slice")
    table.add_column("questions", justify="right")
    for outcome in OUTCOMES:
        table.add_column(f"{outcome} %", justify="right")
    counted = slices(judged)
    for name in [n for n in FIRST_SLICES if n in counted] + sorted(n for n in counted if n not in FIRST_SLICES):
        counter = counted[name]
        total = sum(counter[outcome] for outcome in OUTCOMES)
        lenient = f" ({counter['lenient']} lenient)" if counter["lenient"] else ""
        table.add_row(name + lenient, str(total), *(f"{100 * counter[o] / total:.1f}" for o in OUTCOMES))
    out = _console()
    out.print(table)
    area, coverage = auroc(judged), coverage_without_false_answers(judged)
    if area is not None and coverage is not None:
        out.print(
            f"confidence, covered against strangers: AUROC {area:.3f}; above every stranger: {100 * coverage:.1f} %"
        )
    if verbose:
        for one in judged:
            if one.outcome != "right":
                out.print(_line(one), soft_wrap=True)


def _line(one: Judged) -> Text:
    got = f"{one.reply.kind} {' '.join(one.reply.ids[:4])}"
    return Text(
        f"{one.outcome:9} {one.question.line:4} {one.question.text!r} -> {got} "
        f"({one.reply.confidence:.3f}), wanted {' '.join(one.question.gold)}"
    )


def print_changes(changed: Sequence[Change], asked: Sequence[Asked], reworded: Sequence[Reworded]) -> None:
    """What was answered and what is, with the place of each line, whose words are new, and how many there are."""
    out = Console(highlight=False)
    out.width = max(out.width, 100) if out.is_terminal else WIDE
    if changed:
        table = Table(box=None, pad_edge=False)
        table.add_column("where", no_wrap=True)
        table.add_column("asked", max_width=out.width // 3)
        table.add_column("old")
        table.add_column("-> new")
        for one in changed:
            file, line = one.asked.place
            table.add_row(*map(Text, (f"{file}:{line}", one.asked.text, str(one.old), f"-> {one.new}")))
        out.print(table)
    if reworded:
        table = Table(box=None, pad_edge=False)
        for name in ("where", "other words", "in"):
            table.add_column(name, no_wrap=True)
        for each in reworded:
            file, line = each.place
            table.add_row(*map(Text, (f"{file}:{line}", each.id, each.field)))
        out.print(table)
    told = summary(changed, asked)
    if entries := len({each.id for each in reworded}):
        told += f" {entries} {'entries have' if entries > 1 else 'entry has'} other words."
    out.print(told, soft_wrap=True)


WIDE = 180
"""Columns of a table that goes into a pipe or a file."""
