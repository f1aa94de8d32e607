"""What the printed report and the page say alike: days, shares, sums."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from bot.tools.report.figures import Count, Figures, Span, Tried

OUTCOMES = {"answered": "Answered", "offered": "Offered a choice", "missed": "Missed"}
"""How questions end, as a legend says it."""
KINDS = {
    "ask": ("new phrasing", "new phrasings"),
    "entry": ("new answer", "new answers"),
    "not_ask": ("question refused", "questions refused"),
    "ignore": ("miss ignored", "misses ignored"),
}
NO_QUESTIONS = "Nothing was asked."


def day(date: dt.date) -> str:
    """`8 May`"""
    return f"{date.day} {date:%b}"


def period(first: dt.date, last: dt.date) -> str:
    """`2 to 8 May 2026`, with month and year of the first day where they are others."""
    if first == last:
        return f"{first.day} {first:%B %Y}"
    start = f"{first.day}"
    if (first.year, first.month) != (last.year, last.month):
        start += f" {first:%B}" + (f" {first.year}" if first.year != last.year else "")
    return f"{start} to {last.day} {last:%B %Y}"


def span(one: Span) -> str:
    """`Fri 8 May`, or the first and last day of a week."""
    return f"{one.first:%a} {day(one.first)}" if one.first == one.last else f"{day(one.first)} to {day(one.last)}"


def per_cent(share: float | None) -> str:
    """Whole per cent; 100 and 0 only where it is all or nothing."""
    if share is None:
        return "–"
    rounded = 99 if 99.5 <= share < 100 else 1 if 0 < share < 0.5 else round(share)
    return f"{rounded} %"


def heading(found: Figures) -> str:
    """The period, and whose it is."""
    whose = f", workspace {found.workspace}" if found.workspace else ", all workspaces" if found.others else ""
    return f"{found.name}, {period(found.first, found.last)}{whose}"


def compared(now: Count, before: Count, days: int) -> str:
    """How the share stands against the period before; nothing where that had no questions."""
    if now.share is None or before.share is None:
        return ""
    points = round(now.share) - round(before.share)
    by = f"{abs(points)} point{'' if abs(points) == 1 else 's'} {'more' if points > 0 else 'less'} than"
    moved = by if points else "as many as"
    return f"{moved} in the {days} days before ({per_cent(before.share)} of {before.asked:,})"


def changed(changes: Mapping[str, int]) -> str:
    """`2 new phrasings, 1 new answer`; nothing where nothing was changed."""
    told = [f"{changes[kind]} {names[changes[kind] != 1]}" for kind, names in KINDS.items() if changes.get(kind)]
    return ", ".join(told)


def helpful(tried: Tried) -> str:
    """A trial's votes: `62 % helpful (5 of 8)`."""
    votes = tried.good + tried.bad
    return f"{per_cent(tried.precision)} helpful ({tried.good:,} of {votes:,})" if votes else "no votes"


def reasons(listed: tuple[tuple[str, int], ...]) -> str:
    return ", ".join(f"{reason} {count}" for reason, count in listed)


def summed(found: Figures) -> str:
    """Why figures of several workspaces come without words."""
    named = ", ".join(found.others)
    return f"These are the sums of {named}. What was missed, voted and changed is told of one of them: --workspace."
