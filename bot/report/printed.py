"""The report in a terminal, rendered with Rich; plain text in a pipe."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bot.report.figures import Figures, OutcomeCounts
from bot.report.formatting import (
    NO_QUESTIONS,
    compare_shares,
    format_changes,
    format_day,
    format_period,
    format_reasons,
    format_votes,
    heading,
    per_cent,
    summed_note,
)

MAX_WIDTH = 100
"""Columns in a pipe, and the most in a window."""
BAR_WIDTH = 20


def print_report(figures: Figures) -> None:
    """Print every section that isn't empty."""
    console = Console(highlight=False)
    console.width = min(console.width, MAX_WIDTH) if console.is_terminal else MAX_WIDTH
    console.print(Text(heading(figures), style="bold"))
    console.print()
    if figures.total.asked:
        console.print(_period_table(figures))
        comparison = compare_shares(figures.total, figures.before, figures.days)
        if comparison:
            console.print(Text(f"That is {comparison}."), soft_wrap=True)
    else:
        console.print(NO_QUESTIONS)
    if figures.smalltalk:
        console.print(f"Beside them, greetings, thanks and calls for help: {figures.smalltalk:,}.")
    _print_section(console, "Missed most", _miss_table(figures) if figures.misses else None)
    if figures.hidden_clusters:
        console.print(f"and {figures.hidden_clusters:,} more, in Slack's Home tab.")
    _print_section(console, "Not helpful", _complaint_table(figures) if figures.complaints else None)
    _print_section(console, "Channels on trial", _pilot_table(figures) if figures.pilots else None)
    changes = format_changes(figures.changes)
    _print_section(console, "Changed by curators", Text(changes) if changes else None)
    if figures.summed_workspaces:
        console.print()
        console.print(Text(summed_note(figures)), soft_wrap=True)


def _print_section(console: Console, title: str, body: Table | Text | None) -> None:
    if body is not None:
        console.print()
        console.print(Text(title, style="bold"))
        console.print(body)


def _period_table(figures: Figures) -> Table:
    names = ("asked", "answered", "offered", "missed", "share")
    table = _table(("week" if figures.by_week else "day", "left"), *((name, "right") for name in names))
    table.add_column("")
    most = max(period.counts.asked for period in figures.periods)
    for period in figures.periods:
        table.add_row(format_period(period), *_cells(period.counts), _bar(period.counts, most))
    table.add_row("all", *_cells(figures.total), "", style="bold")
    return table


def _cells(counts: OutcomeCounts) -> tuple[str, ...]:
    numbers = (counts.asked, counts.answered, counts.offered, counts.missed)
    return *(f"{number:,}" for number in numbers), per_cent(counts.share)


def _bar(counts: OutcomeCounts, most: int) -> Text:
    """A stacked bar: answered, offered, missed. BAR_WIDTH characters stand for `most` questions."""
    bar = Text()
    below, drawn = 0, 0
    for number, mark, style in (
        (counts.answered, "█", "blue"),
        (counts.offered, "▒", "yellow"),
        (counts.missed, "░", "red"),
    ):
        below += number
        end = round(BAR_WIDTH * below / most)
        bar.append(mark * (end - drawn), style=style)
        drawn = end
    return bar


def _miss_table(figures: Figures) -> Table:
    table = _table(("times", "right"), ("question", "left"), ("nearest", "left"), ("last", "right"))
    for cluster in figures.misses:
        similar = f" (and {len(cluster.similar)} like it)" if cluster.similar else ""
        nearest = Text(cluster.nearest or "nothing")
        table.add_row(f"{cluster.count:,}", Text(cluster.text + similar), nearest, format_day(cluster.last))
    return table


def _complaint_table(figures: Figures) -> Table:
    table = _table(("votes", "right"), ("answer", "left"), ("why", "left"), ("last", "right"))
    for summary in figures.complaints:
        reasons = Text(format_reasons(summary.reasons))
        table.add_row(f"{summary.count:,}", Text(summary.answer), reasons, format_day(summary.last))
    return table


def _pilot_table(figures: Figures) -> Table:
    names = ("answered", "offered", "missed", "votes")
    table = _table(("channel", "left"), ("since", "right"), *((name, "right") for name in names))
    for pilot in figures.pilots:
        since = format_day(pilot.since)
        table.add_row(Text(pilot.channel), since, *_cells(pilot.counts)[1:4], format_votes(pilot))
    return table


def _table(*columns: tuple[str, str]) -> Table:
    """An empty table of columns (name, justification)."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name, justify in columns:
        table.add_column(name, justify="right" if justify == "right" else "left", no_wrap=justify == "right")
    return table
