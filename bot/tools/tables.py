"""What the tools print: evaluations and evidence as tables, with Rich."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from bot.model import Evidence, Finding
from bot.tools.evaluate import Judged, auroc, coverage_without_false_answers, slices

OUTCOMES = ("right", "offered", "abstained", "wrong")
FIRST_SLICES = ("covered", "strangers", "strangers, near", "strangers, far")


def _console() -> Console:
    made = Console(highlight=False)
    made.width = min(max(made.width, 80), 110)
    return made


@contextmanager
def progress(total: int) -> Iterator[Callable[[int], None]]:
    """A progress bar on stderr, gone when it is done; calls take how many are done."""
    bar = Progress(
        TextColumn("asking"), BarColumn(), MofNCompleteColumn(), console=Console(stderr=True), transient=True
    )
    with bar:
        task = bar.add_task("", total=total)
        yield lambda done: bar.update(task, completed=done)


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


def print_evidence(finding: Finding) -> None:
    """Why an answer is what it is: understood, corrected, named, matched, runner-up, margin, gate."""
    evidence = finding.evidence
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    for label, value in evidence_rows(finding):
        table.add_row(label, Text(value))
    out = _console()
    out.print(table)
    out.print()
    out.print(_candidates(evidence))


def evidence_rows(finding: Finding) -> list[tuple[str, str]]:
    """Label and value of everything that decided."""
    evidence = finding.evidence
    rows = [
        ("understood", evidence.understood),
        ("corrected", ", ".join(f"{c.typed} → {c.read_as}" for c in evidence.corrections)),
        ("named", ", ".join(evidence.named)),
        ("strangers", ", ".join(evidence.strangers)),
        ("unknown words", ", ".join(evidence.unknown_words)),
        ("asks for", evidence.frame),
        ("answer", " ".join([finding.kind, *finding.ids])),
        ("because", evidence.reason),
        ("margin", f"{evidence.margin:.3f}"),
        ("coverage", f"{evidence.coverage:.2f}"),
        ("confidence", f"{evidence.confidence:.6f}"),
        ("gate", f"{evidence.verdict}; answers from {evidence.answer_from:.3f}, offers from {evidence.offer_from:.3f}"),
    ]
    return [(label, value) for label, value in rows if value]


def _candidates(evidence: Evidence) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("candidate")
    table.add_column("score", justify="right")
    table.add_column("nearest phrasing")
    for match in evidence.candidates:
        table.add_row(Text(match.id), f"{match.score:.3f}", Text(match.phrase))
    return table
