"""The report in a terminal, with Rich; plain in a pipe."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bot.tools.report.figures import Count, Figures
from bot.tools.report.wording import (
    NO_QUESTIONS,
    changed,
    compared,
    day,
    heading,
    helpful,
    per_cent,
    reasons,
    span,
    summed,
)

WIDE = 100
"""Columns in a pipe, and the most in a window."""
BAR = 20


def print_report(found: Figures) -> None:
    """Everything there is to say, section by section; what is empty is left out."""
    out = Console(highlight=False)
    out.width = min(out.width, WIDE) if out.is_terminal else WIDE
    out.print(Text(heading(found), style="bold"))
    out.print()
    if found.total.asked:
        out.print(_days(found))
        against = compared(found.total, found.before, (found.last - found.first).days + 1)
        if against:
            out.print(Text(f"That is {against}."), soft_wrap=True)
    else:
        out.print(NO_QUESTIONS)
    if found.smalltalk:
        out.print(f"Beside them, greetings, thanks and calls for help: {found.smalltalk:,}.")
    _section(out, "Missed most", _misses(found) if found.misses else None)
    if found.more_misses:
        out.print(f"and {found.more_misses:,} more, in Slack's Home tab.")
    _section(out, "Not helpful", _complaints(found) if found.complaints else None)
    _section(out, "Channels on trial", _trials(found) if found.trials else None)
    _section(out, "Changed by curators", Text(changed(found.changes)) if changed(found.changes) else None)
    if found.others:
        out.print()
        out.print(Text(summed(found)), soft_wrap=True)


def _section(out: Console, title: str, body: Table | Text | None) -> None:
    if body is not None:
        out.print()
        out.print(Text(title, style="bold"))
        out.print(body)


def _days(found: Figures) -> Table:
    names = ("asked", "answered", "offered", "missed", "share")
    table = _table(("week" if found.by_week else "day", "left"), *((name, "right") for name in names))
    table.add_column("")
    most = max(one.count.asked for one in found.spans)
    for one in found.spans:
        count = one.count
        table.add_row(span(one), *_numbers(count), _bar(count, most))
    table.add_row("all", *_numbers(found.total), "", style="bold")
    return table


def _numbers(count: Count) -> tuple[str, ...]:
    return f"{count.asked:,}", f"{count.answered:,}", f"{count.offered:,}", f"{count.missed:,}", per_cent(count.share)


def _bar(count: Count, most: int) -> Text:
    """The day's questions as a line: answered, offered, missed."""
    told = Text()
    before, drawn = 0, 0
    for number, mark, style in (
        (count.answered, "█", "blue"),
        (count.offered, "▒", "yellow"),
        (count.missed, "░", "red"),
    ):
        before += number
        until = round(BAR * before / most)
        told.append(mark * (until - drawn), style=style)
        drawn = until
    return told


def _misses(found: Figures) -> Table:
    table = _table(("times", "right"), ("question", "left"), ("nearest", "left"), ("last", "right"))
    for one in found.misses:
        alike = f" (and {len(one.others)} like it)" if one.others else ""
        table.add_row(f"{one.count:,}", Text(one.text + alike), Text(one.nearest or "nothing"), day(one.last))
    return table


def _complaints(found: Figures) -> Table:
    table = _table(("votes", "right"), ("answer", "left"), ("why", "left"), ("last", "right"))
    for one in found.complaints:
        table.add_row(f"{one.count:,}", Text(one.answer), Text(reasons(one.reasons)), day(one.last))
    return table


def _trials(found: Figures) -> Table:
    names = ("answered", "offered", "missed", "votes")
    table = _table(("channel", "left"), ("since", "right"), *((name, "right") for name in names))
    for one in found.trials:
        table.add_row(Text(one.channel), day(one.since), *_numbers(one.count)[1:4], helpful(one))
    return table


def _table(*columns: tuple[str, str]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name, justify in columns:
        table.add_column(name, justify="right" if justify == "right" else "left", no_wrap=justify == "right")
    return table
