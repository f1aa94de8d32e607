"""The report in a terminal, rendered with Rich; plain text in a pipe."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from bot.report.figures import Figures, OutcomeCounts
from bot.report.formatting import (
    NO_QUESTIONS,
    compare_shares,
    due_rows,
    format_changes,
    format_day,
    format_help,
    format_period,
    format_reasons,
    format_votes,
    heading,
    per_cent,
    summed_note,
)
from bot.terminal import FittingTable, console, echo

BAR_WIDTH = 20


def print_report(figures: Figures) -> None:
    """Print every section that isn't empty."""
    output = console()
    output.print(Text(heading(figures), style="bold"))
    output.print()
    if figures.total.asked:
        output.print(_period_table(figures))
        comparison = compare_shares(figures.total, figures.before, figures.days)
        if comparison:
            echo(f"That is {comparison}.")
    else:
        output.print(NO_QUESTIONS)
    if figures.smalltalk:
        echo(f"Beside them, greetings, thanks and calls for help: {figures.smalltalk:,}.")
    _print_section(output, "Missed most", _miss_table(figures) if figures.misses else None)
    if figures.hidden_clusters:
        echo(f"and {figures.hidden_clusters:,} more, in Slack's Home tab.")
    _print_section(output, "Not helpful", _complaint_table(figures) if figures.complaints else None)
    _print_section(output, "Channels on trial", _pilot_table(figures) if figures.pilots else None)
    if figures.help_summary is not None:
        _print_section(output, "Put to people", Text(format_help(figures.help_summary)))
    _print_section(output, "To be checked", _due_table(figures) if figures.due else None)
    if figures.hidden_due:
        echo(f"and {figures.hidden_due:,} more.")
    changes = format_changes(figures.changes)
    _print_section(output, "Changed by curators", Text(changes) if changes else None)
    if figures.summed_workspaces:
        output.print()
        echo(summed_note(figures))


def _print_section(output: Console, title: str, body: FittingTable | Text | None) -> None:
    if body is not None:
        output.print()
        output.print(Text(title, style="bold"))
        output.print(body)


def _period_table(figures: Figures) -> FittingTable:
    """A row for each day or week, and one for all of them; the bars only where they fit."""
    columns = ("week" if figures.by_week else "day", "asked", "answered", "offered", "missed", "share")
    most = max(period.counts.asked for period in figures.periods)
    rows: list[tuple[str | Text, ...]] = [
        (format_period(period), *_cells(period.counts), _bar(period.counts, most)) for period in figures.periods
    ]
    rows.append(tuple(Text(cell, style="bold") for cell in ("all", *_cells(figures.total), "")))
    without_bars = tuple(row[:-1] for row in rows)
    return FittingTable((*columns, ""), tuple(rows), right=range(1, len(columns)), narrow=(columns, without_bars))


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


def _miss_table(figures: Figures) -> FittingTable:
    rows = []
    for cluster in figures.misses:
        similar = f" (and {len(cluster.similar)} like it)" if cluster.similar else ""
        nearest = cluster.nearest or "nothing"
        rows.append((f"{cluster.count:,}", cluster.text + similar, nearest, format_day(cluster.last)))
    return _counted(("times", "question", "nearest", "last"), rows)


def _complaint_table(figures: Figures) -> FittingTable:
    rows = [
        (f"{summary.count:,}", summary.answer, format_reasons(summary.reasons), format_day(summary.last))
        for summary in figures.complaints
    ]
    return _counted(("votes", "answer", "why", "last"), rows)


def _due_table(figures: Figures) -> FittingTable:
    columns, rows = ("by", "answer", "owner", "checked"), tuple(due_rows(figures))
    narrow = tuple((row[1], row[0], *row[2:]) for row in (columns, *rows))
    return FittingTable(columns, rows, narrow=(narrow[0], narrow[1:]))


def _counted(columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> FittingTable:
    """A table that begins with a number; the second column is the title of a block."""
    narrow = tuple((row[1], row[0], *row[2:]) for row in (columns, *rows))
    return FittingTable(columns, tuple(rows), right=(0, len(columns) - 1), narrow=(narrow[0], narrow[1:]))


def _pilot_table(figures: Figures) -> FittingTable:
    columns = ("channel", "since", "answered", "offered", "missed", "votes")
    rows = tuple(
        (pilot.channel, format_day(pilot.since), *_cells(pilot.counts)[1:4], format_votes(pilot))
        for pilot in figures.pilots
    )
    return FittingTable(columns, rows, right=range(1, len(columns)))
