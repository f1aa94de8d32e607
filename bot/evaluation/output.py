"""Results of `eval` and `diff` as tables, and progress bars, with Rich."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from bot.evaluation.compare import AnswerChange, ComparedText, TextChange, summarize
from bot.evaluation.evaluate import (
    GRADES,
    JudgedReply,
    confidence_auroc,
    coverage_without_false_answers,
    outcomes_by_slice,
)
from bot.model import Knowledge
from bot.reply.wording import name_answer
from bot.terminal import FittingTable, console, echo

T = TypeVar("T")

FIRST_SLICES = ("covered", "out-of-scope", "out-of-scope, near", "out-of-scope, far", "follow-up")
"""Rows at the top; the others follow in alphabetical order."""


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
    """Print outcomes in a sentence and by slice; with `verbose` figures of the confidence and every reply that isn't right."""
    for sentence in _outcome_sentences(judged):
        echo(sentence)
    output = console()
    output.print()
    output.print(_outcome_table(judged))
    if not verbose:
        return
    area, coverage = confidence_auroc(judged), coverage_without_false_answers(judged)
    if area is not None and coverage is not None:
        echo(
            f"confidence, covered against out of scope: AUROC {area:.3f}; "
            f"above every out-of-scope question: {100 * coverage:.1f} %"
        )
    for result in judged:
        if result.outcome != "right":
            echo(_judged_line(result))


def _outcome_sentences(judged: Sequence[JudgedReply]) -> Iterator[str]:
    counts = outcomes_by_slice(judged)
    if covered := counts.get("covered"):
        right, offered, abstained, wrong = (covered[outcome] for outcome in GRADES)
        total = right + offered + abstained + wrong
        yield (
            f"Of {total} questions that the pack covers, {right} got the right answer, {offered} the right one among the "
            f"suggestions, {abstained} nothing that helps, {wrong} a wrong answer."
        )
    if others := counts.get("out-of-scope"):
        total = sum(others[outcome] for outcome in GRADES)
        yield f"Of {total} that it doesn't cover, {others['wrong']} were answered all the same."


def _outcome_table(judged: Sequence[JudgedReply]) -> FittingTable:
    counts = outcomes_by_slice(judged)
    rows = []
    for name in [n for n in FIRST_SLICES if n in counts] + sorted(n for n in counts if n not in FIRST_SLICES):
        counter = counts[name]
        total = sum(counter[outcome] for outcome in GRADES)
        lenient = f" ({counter['lenient']} lenient)" if counter["lenient"] else ""
        rows.append((name + lenient, str(total), *(f"{100 * counter[outcome] / total:.1f}" for outcome in GRADES)))
    columns = ("slice", "questions", *(f"{outcome} %" for outcome in GRADES))
    return FittingTable(columns, tuple(rows), right=range(1, len(columns)))


def _judged_line(result: JudgedReply) -> str:
    answer = f"{result.reply.kind} {' '.join(result.reply.ids[:4])}"
    return (
        f"{result.outcome:9} {result.question.line:4} {result.question.text!r} -> {answer} "
        f"({result.reply.confidence:.3f}), wanted {' '.join(result.question.gold)}"
    )


# --- diff


def print_changes(
    changes: Sequence[AnswerChange],
    asked: Sequence[ComparedText],
    reworded: Sequence[TextChange],
    packs: tuple[Knowledge, Knowledge],
    *,
    verbose: bool,
) -> None:
    """Print the answers that differ, the entries whose texts differ, and a sentence with the numbers of both.

    `packs`: the old and the new one, for titles. With `verbose` kinds and ids are printed instead.
    """
    output = console()
    if changes:
        output.print(_change_table(changes, packs, verbose))
        output.print()
    if reworded:
        output.print(_text_table(reworded, packs[1]))
        output.print()
    sentences = summarize(changes, asked)
    if entries := len({change.id for change in reworded}):
        sentences += f" {entries} {'entries have' if entries > 1 else 'entry has'} other words."
    echo(sentences)


def _change_table(changes: Sequence[AnswerChange], packs: tuple[Knowledge, Knowledge], verbose: bool) -> FittingTable:
    rows = []
    for change in changes:
        file, line = change.asked.location
        old, new = (str(change.old), str(change.new)) if verbose else _names(change, packs)
        rows.append((f"{file}:{line}", change.asked.text, old, f"-> {new}"))
    return FittingTable(("where", "asked", "before", "now"), tuple(rows))


def _names(change: AnswerChange, packs: tuple[Knowledge, Knowledge]) -> tuple[str, str]:
    """Both answers in titles; with ids behind them where the titles are the same."""
    answers = (change.old, change.new)
    old, new = (name_answer(answer.kind, answer.ids, pack) for answer, pack in zip(answers, packs, strict=True))
    return (old, new) if old != new else (f"{old} ({change.old})", f"{new} ({change.new})")


def _text_table(reworded: Sequence[TextChange], pack: Knowledge) -> FittingTable:
    titles = {group.id: group.title for group in pack.groups} | {entry.id: entry.label for entry in pack.entries}
    rows = tuple((f"{change.location[0]}:{change.location[1]}", titles[change.id], change.field) for change in reworded)
    return FittingTable(("where", "other words", "in"), rows)
