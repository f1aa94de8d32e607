"""Results of `eval` and `diff` as tables, and progress bars, with Rich."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from bot.evaluation.compare import AnswerChange, ComparedText, TextChange, summarize
from bot.evaluation.evaluate import (
    GRADES,
    JudgedReply,
    confidence_auroc,
    coverage_without_false_answers,
    outcomes_by_slice,
)

T = TypeVar("T")

FIRST_SLICES = ("covered", "out-of-scope", "out-of-scope, near", "out-of-scope, far", "follow-up")
"""Rows at the top; the others follow in alphabetical order."""
MIN_WIDTH, MAX_WIDTH = 80, 110
"""Columns of the table of `eval`."""
PIPE_WIDTH = 180
"""Columns of the table of `diff` in a pipe or a file."""


# --- progress


@contextmanager
def progress_bar(total: int) -> Iterator[Callable[[int], None]]:
    """A progress bar on stderr, removed at the end; none in a pipe. Yields a function that takes the number done."""
    console = Console(stderr=True)
    columns = TextColumn("asking"), BarColumn(), MofNCompleteColumn()
    bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
    with bar:
        task = bar.add_task("", total=total)
        yield lambda done: bar.update(task, completed=done)


def track(items: Sequence[T]) -> Iterator[T]:
    """The items one by one, with a progress bar on stderr."""
    with progress_bar(len(items)) as advance:
        for done, item in enumerate(items, 1):
            yield item
            advance(done)


# --- eval


def print_evaluation(judged: Sequence[JudgedReply], *, verbose: bool) -> None:
    """Print outcomes by slice and figures of the confidence; with `verbose` every question whose reply isn't right."""
    console = Console(highlight=False)
    console.width = min(max(console.width, MIN_WIDTH), MAX_WIDTH)
    console.print(_outcome_table(judged))
    area, coverage = confidence_auroc(judged), coverage_without_false_answers(judged)
    if area is not None and coverage is not None:
        console.print(
            f"confidence, covered against out of scope: AUROC {area:.3f}; "
            f"above every out-of-scope question: {100 * coverage:.1f} %",
            soft_wrap=True,
        )
    if verbose:
        for result in judged:
            if result.outcome != "right":
                console.print(_judged_line(result), soft_wrap=True)


def _outcome_table(judged: Sequence[JudgedReply]) -> Table:
    table = Table(title=None, box=None, pad_edge=False)
    table.add_column("slice")
    table.add_column("questions", justify="right")
    for outcome in GRADES:
        table.add_column(f"{outcome} %", justify="right")
    counts = outcomes_by_slice(judged)
    for name in [n for n in FIRST_SLICES if n in counts] + sorted(n for n in counts if n not in FIRST_SLICES):
        counter = counts[name]
        total = sum(counter[outcome] for outcome in GRADES)
        lenient = f" ({counter['lenient']} lenient)" if counter["lenient"] else ""
        table.add_row(name + lenient, str(total), *(f"{100 * counter[o] / total:.1f}" for o in GRADES))
    return table


def _judged_line(result: JudgedReply) -> Text:
    answer = f"{result.reply.kind} {' '.join(result.reply.ids[:4])}"
    return Text(
        f"{result.outcome:9} {result.question.line:4} {result.question.text!r} -> {answer} "
        f"({result.reply.confidence:.3f}), wanted {' '.join(result.question.gold)}"
    )


# --- diff


def print_changes(
    changes: Sequence[AnswerChange], asked: Sequence[ComparedText], reworded: Sequence[TextChange]
) -> None:
    """Print the answers that differ, the entries whose texts differ, and a sentence with the numbers of both."""
    console = Console(highlight=False)
    console.width = max(console.width, 100) if console.is_terminal else PIPE_WIDTH
    if changes:
        console.print(_change_table(changes, console.width))
    if reworded:
        console.print(_text_table(reworded))
    sentences = summarize(changes, asked)
    if entries := len({change.id for change in reworded}):
        sentences += f" {entries} {'entries have' if entries > 1 else 'entry has'} other words."
    console.print(sentences, soft_wrap=True)


def _change_table(changes: Sequence[AnswerChange], width: int) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("where", no_wrap=True)
    table.add_column("asked", max_width=width // 3)
    table.add_column("old")
    table.add_column("-> new")
    for change in changes:
        file, line = change.asked.location
        table.add_row(*map(Text, (f"{file}:{line}", change.asked.text, str(change.old), f"-> {change.new}")))
    return table


def _text_table(reworded: Sequence[TextChange]) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in ("where", "other words", "in"):
        table.add_column(name, no_wrap=True)
    for change in reworded:
        file, line = change.location
        table.add_row(*map(Text, (f"{file}:{line}", change.id, change.field)))
    return table
