"""Texts that the printed report and the page share: days, shares, comparisons, sums."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from math import ceil

from bot.report.figures import Figures, HelpSummary, OutcomeCounts, Period, PilotSummary

OUTCOMES = {"answered": "Answered", "offered": "Offered a choice", "missed": "Missed"}
"""Outcomes with their names in a legend."""
CHANGE_KINDS = {
    "ask": ("new phrasing", "new phrasings"),
    "entry": ("new answer", "new answers"),
    "not_ask": ("question refused", "questions refused"),
    "ignore": ("miss ignored", "misses ignored"),
    "review": ("answer confirmed", "answers confirmed"),
}
"""Kinds of changes with their names, singular and plural."""
NO_QUESTIONS = "Nothing was asked."


def format_day(date: dt.date) -> str:
    """`8 May`"""
    return f"{date.day} {date:%b}"


def format_date(date: dt.date | None) -> str:
    """`8 May 2026`; `–` for None."""
    return f"{date.day} {date:%b %Y}" if date else "–"


def format_dates(first: dt.date, last: dt.date) -> str:
    """`2 to 8 May 2026`; month and year of the first day only where they differ from those of the last."""
    if first == last:
        return f"{first.day} {first:%B %Y}"
    start = f"{first.day}"
    if (first.year, first.month) != (last.year, last.month):
        start += f" {first:%B}" + (f" {first.year}" if first.year != last.year else "")
    return f"{start} to {last.day} {last:%B %Y}"


def format_period(period: Period) -> str:
    """`Fri 8 May` for a day, `4 May to 10 May` for a week."""
    if period.first == period.last:
        return f"{period.first:%a} {format_day(period.first)}"
    return f"{format_day(period.first)} to {format_day(period.last)}"


def per_cent(share: float | None) -> str:
    """Whole per cent; 0 and 100 only for exactly 0 and 100. `–` for None."""
    if share is None:
        return "–"
    rounded = 99 if 99.5 <= share < 100 else 1 if 0 < share < 0.5 else round(share)
    return f"{rounded} %"


def heading(figures: Figures) -> str:
    """Name, dates and workspace."""
    workspace = f", workspace {figures.workspace}" if figures.workspace else ""
    return (
        f"{figures.name}, {format_dates(figures.first, figures.last)}"
        f"{', all workspaces' if figures.summed_workspaces else workspace}"
    )


def compare_shares(now: OutcomeCounts, before: OutcomeCounts, days: int) -> str:
    """How the share answered changed against the period before; "" if either had no questions."""
    if now.share is None or before.share is None:
        return ""
    points = round(now.share) - round(before.share)
    by = f"{abs(points)} point{'' if abs(points) == 1 else 's'} {'more' if points > 0 else 'less'} than"
    difference = by if points else "as many as"
    return f"{difference} in the {days} days before ({per_cent(before.share)} of {before.asked:,})"


def format_changes(changes: Mapping[str, int]) -> str:
    """`2 new phrasings, 1 new answer`; "" without changes."""
    return ", ".join(f"{n} {names[n != 1]}" for kind, names in CHANGE_KINDS.items() if (n := changes.get(kind, 0)))


def format_help(summary: HelpSummary) -> str:
    """`7 asked, 5 answered, half of them within 3 hours, 1 not ours, 1 open`"""
    parts = [f"{summary.asked:,} asked", f"{summary.answered:,} answered"]
    if summary.answered:
        parts.append(f"half of them within {format_duration(summary.half_within)}")
    parts += [f"{summary.not_ours:,} not ours"] if summary.not_ours else []
    return ", ".join(parts + ([f"{summary.open:,} open"] if summary.open else []))


def format_duration(seconds: float) -> str:
    """Whole minutes, hours from two on, or days from two on, rounded up: `40 minutes`."""
    for unit, length in (("day", 24 * 3600), ("hour", 3600), ("minute", 60)):
        if seconds >= 2 * length or unit == "minute":
            number = max(1, ceil(seconds / length))
            break
    return f"{number} {unit}{'' if number == 1 else 's'}"


def format_votes(pilot: PilotSummary) -> str:
    """The votes in a pilot channel: `62 % helpful (5 of 8)`."""
    votes = pilot.good + pilot.bad
    return f"{per_cent(pilot.precision)} helpful ({pilot.good:,} of {votes:,})" if votes else "no votes"


def format_reasons(reasons: tuple[tuple[str, int], ...]) -> str:
    """`wrong 2, outdated 1`"""
    return ", ".join(f"{reason} {count}" for reason, count in reasons)


def due_rows(figures: Figures) -> list[tuple[str, str, str, str]]:
    """By when an entry is to be checked, its title, its owner, and when it was checked last."""
    return [
        (format_date(due.review_by), due.answer, due.owner or "–", format_date(due.reviewed)) for due in figures.due
    ]


def summed_note(figures: Figures) -> str:
    """Why a report of several workspaces shows no texts, votes and changes."""
    names = ", ".join(figures.summed_workspaces)
    return f"These are the sums of {names}. Misses, votes and changes are shown for one workspace: --workspace."
