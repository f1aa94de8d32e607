"""Freshness: which entries have to be checked by their owners, and what a curator's confirmation does to an entry's dates."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from bot.model import MOST_COMPARED, Change, Complaint, Entry, Knowledge
from bot.reply import parse_reference

REVIEW_NOTICE = 14
"""Days before its date from which an entry is listed: time enough to ask somebody who is away for a week. It is at most half of
the time for which a confirmation holds: otherwise what is checked every week would always be listed."""
REVIEW_SPAN = 180
"""Days for which a confirmation holds where the pack has no earlier one to tell: what a team knows changes about twice a year."""
OUTDATED = "outdated"
"""The reason of a bad vote that says that an answer is out of date."""


@dataclass(frozen=True, slots=True)
class DueEntry:
    """An entry that has to be checked.

    Attributes:
        entry: The entry.
        is_past: Whether its date is past.
        votes: How many votes say that it is out of date, if one of them has come since it was confirmed.
    """

    entry: Entry
    is_past: bool = False
    votes: int = 0


def due_entries(
    knowledge: Knowledge, today: dt.date, complaints: Iterable[Complaint] = (), history: Iterable[Change] = ()
) -> list[DueEntry]:
    """The entries past their date or shortly before it (REVIEW_NOTICE), and those that were voted out of date.

    Args:
        knowledge: The pack, with the workspace's changes.
        today: The day in UTC.
        complaints: Bad votes on answers.
        history: Changes, which tell at what time of the day an entry was confirmed.

    Returns:
        By owner, entries without one last; of one owner what has been due longest first.
    """
    votes = _outdated_votes(knowledge, complaints, history)
    due = [
        DueEntry(entry, entry.is_past(today), votes[entry.id])
        for entry in knowledge.entries
        if votes[entry.id] or _is_due(entry, today)
    ]
    return sorted(due, key=lambda each: (not each.entry.owner, each.entry.owner.casefold(), *_urgency(each)))


def _is_due(entry: Entry, today: dt.date) -> bool:
    if not entry.review_by:
        return False
    notice = dt.timedelta(days=REVIEW_NOTICE)
    if span := _span(entry):
        notice = min(notice, dt.timedelta(days=span.days // 2))
    return dt.date.fromisoformat(entry.review_by) <= today + notice


def _span(entry: Entry) -> dt.timedelta | None:
    """For how long the pack says that a confirmation holds; None where it doesn't."""
    if not "" < entry.reviewed < entry.review_by:
        return None
    return dt.date.fromisoformat(entry.review_by) - dt.date.fromisoformat(entry.reviewed)


def _urgency(due: DueEntry) -> tuple[bool, str, int, str]:
    """Sorts by date, entries without one last; of those, by votes."""
    return not due.entry.review_by, due.entry.review_by, -due.votes, due.entry.label


def _outdated_votes(knowledge: Knowledge, complaints: Iterable[Complaint], history: Iterable[Change]) -> Counter[str]:
    """By entry: the votes that say it is out of date. A vote on a comparison counts for each of the entries; one on a longer list
    for none, because nobody could tell which is meant."""
    confirmed: dict[tuple[str, str], float] = {}
    for change in history:
        if change.kind == "review":
            key = change.entry, change.text
            confirmed[key] = max(change.at, confirmed.get(key, 0.0))
    votes = Counter[str]()
    for complaint in complaints:
        finding = parse_reference(complaint.subject, knowledge) if complaint.reason == OUTDATED else None
        ids = finding.ids if finding is not None and len(finding.ids) <= MOST_COMPARED else ()
        for entry in (knowledge.by_id[entry_id] for entry_id in ids):
            at = confirmed.get((entry.id, entry.reviewed))
            if complaint.last > (at if at is not None else _end_of(entry.reviewed)):
                votes[entry.id] += complaint.count
    return votes


def _end_of(date: str) -> float:
    """The end of a day in UTC, in seconds since 1970; 0 where there is no date."""
    if not date:
        return 0.0
    start = dt.datetime.combine(dt.date.fromisoformat(date), dt.time(tzinfo=dt.UTC))
    return start.timestamp() + dt.timedelta(days=1).total_seconds()


def with_review(entry: Entry, date: str) -> Entry:
    """The entry as confirmed on an ISO date; the entry itself where its own date is as late.

    `review_by` moves on by the span that the pack gave it, REVIEW_SPAN where it gave none, and never back.
    """
    if date <= entry.reviewed:
        return entry
    if not entry.review_by:
        return replace(entry, reviewed=date)
    try:
        next_date = (dt.date.fromisoformat(date) + (_span(entry) or dt.timedelta(days=REVIEW_SPAN))).isoformat()
    except OverflowError:  # a pack may say 9999-12-31 for never
        next_date = dt.date.max.isoformat()
    return replace(entry, reviewed=date, review_by=max(next_date, entry.review_by))
