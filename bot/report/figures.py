"""The figures of a report, computed from what the store holds. `printed` and `page` show them."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import median_high

from bot.curation.clusters import cluster_misses
from bot.curation.freshness import due_entries
from bot.curation.overlay import is_settled, settled
from bot.model import Change, Complaint, HelpOutcome, Knowledge, Miss, PilotChannel, Tally
from bot.text import clean

DAILY_LIMIT = 31
"""Days up to which the report has a column for each day; a longer one has a column for each week."""
DAY = 24 * 3600
"""Seconds."""
MAX_CLUSTERS = 12
"""Clusters of misses that are shown; a longer list is worked through in Slack."""
MAX_DUE = 10
"""Entries to be checked that are shown; Slack's Home tab and `check --all` list all of them."""
MAX_TEXT_LENGTH = 200
MAX_MISSES = 1_000
"""Misses that are read from the store."""


@dataclass(frozen=True, slots=True)
class ReportData:
    """What the figures are computed from, as the store returns it.

    Attributes:
        tallies: Of twice as many days as the report, for the comparison with the period before.
        misses, complaints, pilots, changes: Of one workspace; empty in a report of several.
        help_requests: Of one workspace and the report's days: when each question was put to people, how it ended ("" while it is
            open), and when, in seconds since 1970.
    """

    tallies: tuple[Tally, ...] = ()
    misses: tuple[Miss, ...] = ()
    complaints: tuple[Complaint, ...] = ()
    pilots: tuple[PilotChannel, ...] = ()
    changes: tuple[Change, ...] = ()
    help_requests: tuple[tuple[float, HelpOutcome, float], ...] = ()


@dataclass(frozen=True, slots=True)
class HelpSummary:
    """Questions that were put to people: how many, how many were answered or said to be out of scope, and the seconds within
    which half of the answered ones were answered."""

    asked: int
    answered: int
    not_ours: int
    half_within: float

    @property
    def open(self) -> int:
        return self.asked - self.answered - self.not_ours


@dataclass(frozen=True, slots=True)
class OutcomeCounts:
    """Numbers of questions by outcome. Small talk isn't counted as a question."""

    answered: int = 0
    offered: int = 0
    missed: int = 0

    @property
    def asked(self) -> int:
        return self.answered + self.offered + self.missed

    @property
    def share(self) -> float | None:
        """Per cent of the questions that were answered; None without questions."""
        return 100 * self.answered / self.asked if self.asked else None


@dataclass(frozen=True, slots=True)
class Period:
    """A column of the report: a day, or a week of a longer report."""

    first: dt.date
    last: dt.date
    counts: OutcomeCounts


@dataclass(frozen=True, slots=True)
class MissCluster:
    """Similar questions without an answer.

    Attributes:
        text: The most asked of them.
        similar: The others.
        count: How often all of them were asked.
        nearest: Title of the entry that came nearest; "" if none did.
        first, last: Days on which one of them was asked first and last.
    """

    text: str
    similar: tuple[str, ...]
    count: int
    nearest: str
    first: dt.date
    last: dt.date


@dataclass(frozen=True, slots=True)
class ComplaintSummary:
    """Votes "not helpful" on one answer. `reasons`: each reason with its number of votes, the most frequent first."""

    answer: str
    count: int
    reasons: tuple[tuple[str, int], ...]
    last: dt.date


@dataclass(frozen=True, slots=True)
class PilotSummary:
    """A pilot channel since its start: outcomes, and votes "helpful" and "not helpful"."""

    channel: str
    since: dt.date
    counts: OutcomeCounts
    good: int
    bad: int

    @property
    def precision(self) -> float | None:
        """Per cent of the votes that were "helpful"; None without votes."""
        return 100 * self.good / (self.good + self.bad) if self.good + self.bad else None


@dataclass(frozen=True, slots=True)
class DueSummary:
    """An entry that is to be checked by a day, which may be past.

    `owner`: "" if nobody is named. `reviewed`: when it was checked last, or None.
    """

    answer: str
    owner: str
    review_by: dt.date
    reviewed: dt.date | None


@dataclass(frozen=True, slots=True)
class Figures:
    """All figures of a report.

    Attributes:
        name: The pack's name.
        workspace: Its id; "" in a report of several.
        first, last: Days, both included.
        periods: Days or weeks, in order.
        total: Of the whole report.
        before: Of as many days before it.
        smalltalk: Greetings, thanks and calls for help.
        hidden_clusters: Clusters of misses beyond MAX_CLUSTERS.
        changes: Curators' changes by kind.
        help_summary: Questions that were put to people; None if there are none.
        due: Entries past their date or shortly before it, the longest past first.
        hidden_due: Those beyond MAX_DUE.
        summed_workspaces: Ids, where the figures are sums of several workspaces.
    """

    name: str
    workspace: str
    first: dt.date
    last: dt.date
    periods: tuple[Period, ...]
    total: OutcomeCounts
    before: OutcomeCounts
    smalltalk: int
    misses: tuple[MissCluster, ...] = ()
    hidden_clusters: int = 0
    complaints: tuple[ComplaintSummary, ...] = ()
    pilots: tuple[PilotSummary, ...] = ()
    changes: Mapping[str, int] = field(default_factory=dict)
    help_summary: HelpSummary | None = None
    due: tuple[DueSummary, ...] = ()
    hidden_due: int = 0
    summed_workspaces: tuple[str, ...] = ()

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def by_week(self) -> bool:
        return self.days > DAILY_LIMIT


def compute_figures(
    data: ReportData,
    workspaces: Sequence[str],
    name: str,
    titles: Mapping[str, str],
    now: float,
    days: int = 7,
    knowledge: Knowledge | None = None,
) -> Figures:
    """The figures of a report.

    Args:
        data: What the store holds.
        workspaces: With several, only their tallies are summed: no texts, votes and changes.
        name: The pack's name.
        titles: Titles of entries and groups by id.
        now: Seconds since 1970.
        days: Length of the report; today is its last day. Days are days in UTC.
        knowledge: The pack, with the workspace's changes if it is one; without it no entries are due.
    """
    workspace = workspaces[0] if len(workspaces) == 1 else ""
    last = _date(now)
    first = last - dt.timedelta(days=days - 1)
    counts, smalltalk = _counts_by_day(data.tallies)
    dates = [first + dt.timedelta(days=n) for n in range(days)]
    due = _due_summaries(knowledge, last) if knowledge is not None else ()
    daily = {date: counts.get(date, OutcomeCounts()) for date in dates}
    sums = Figures(
        name=name,
        workspace=workspace,
        first=first,
        last=last,
        periods=_periods(daily),
        total=_sum(daily.values()),
        before=_sum(count for date, count in counts.items() if date < first),
        smalltalk=sum(number for date, number in smalltalk.items() if date >= first),
        due=due[:MAX_DUE],
        hidden_due=max(0, len(due) - MAX_DUE),
        summed_workspaces=() if workspace else tuple(workspaces),
    )
    return _with_details(sums, data, titles, now - days * DAY) if workspace else sums


def _with_details(sums: Figures, data: ReportData, titles: Mapping[str, str], since: float) -> Figures:
    """The figures with what is shown of one workspace only. `since`: seconds since 1970."""
    done = settled(data.changes)
    open_misses = [miss for miss in data.misses if miss.last >= since and not is_settled(miss.text, done)]
    clusters = cluster_misses(open_misses)
    return replace(
        sums,
        misses=tuple(_miss_cluster(cluster, titles) for cluster in clusters[:MAX_CLUSTERS]),
        hidden_clusters=max(0, len(clusters) - MAX_CLUSTERS),
        complaints=_complaint_summaries(data.complaints, titles),
        pilots=tuple(_pilot_summary(pilot) for pilot in data.pilots),
        changes=Counter(change.kind for change in data.changes if change.at >= since),
        help_summary=_help_summary(data.help_requests) if data.help_requests else None,
    )


def _help_summary(requests: Sequence[tuple[float, HelpOutcome, float]]) -> HelpSummary:
    lasted = [settled_at - at for at, outcome, settled_at in requests if outcome in ("entry", "thread")]
    not_ours = sum(outcome == "not_ours" for _, outcome, _ in requests)
    return HelpSummary(len(requests), len(lasted), not_ours, median_high(lasted) if lasted else 0.0)


# --- counts


def _counts_by_day(tallies: Sequence[Tally]) -> tuple[dict[dt.date, OutcomeCounts], Counter[dt.date]]:
    """By day: outcomes of questions, and the number of messages of small talk."""
    by_day: dict[dt.date, Counter[str]] = {}
    for tally in tallies:
        by_day.setdefault(dt.date.fromisoformat(tally.day), Counter())[tally.outcome] += tally.count
    counts = {day: OutcomeCounts(c["answered"], c["offered"], c["missed"]) for day, c in by_day.items()}
    return counts, Counter({day: c["smalltalk"] for day, c in by_day.items()})


def _sum(counts: Iterable[OutcomeCounts]) -> OutcomeCounts:
    listed = list(counts)
    return OutcomeCounts(sum(c.answered for c in listed), sum(c.offered for c in listed), sum(c.missed for c in listed))


def _periods(daily: Mapping[dt.date, OutcomeCounts]) -> tuple[Period, ...]:
    if len(daily) <= DAILY_LIMIT:
        return tuple(Period(day, day, counts) for day, counts in daily.items())
    weeks: dict[dt.date, list[dt.date]] = {}
    for day in daily:
        weeks.setdefault(day - dt.timedelta(days=day.weekday()), []).append(day)
    return tuple(Period(days[0], days[-1], _sum(daily[day] for day in days)) for days in weeks.values())


# --- texts


def _miss_cluster(cluster: Sequence[Miss], titles: Mapping[str, str]) -> MissCluster:
    nearest = next((miss.best for miss in cluster if miss.best), "")
    return MissCluster(
        _printable(cluster[0].text),
        tuple(dict.fromkeys(_printable(miss.text) for miss in cluster[1:])),
        sum(miss.count for miss in cluster),
        titles.get(nearest, nearest),
        _date(min(miss.first for miss in cluster)),
        _date(max(miss.last for miss in cluster)),
    )


def _complaint_summaries(complaints: Sequence[Complaint], titles: Mapping[str, str]) -> tuple[ComplaintSummary, ...]:
    by_answer: dict[str, list[Complaint]] = {}
    for complaint in complaints:
        by_answer.setdefault(complaint.subject, []).append(complaint)
    summaries = [
        ComplaintSummary(
            _answer_title(reference, titles),
            sum(complaint.count for complaint in listed),
            tuple((c.reason or "no reason given", c.count) for c in sorted(listed, key=lambda c: -c.count)),
            _date(max(complaint.last for complaint in listed)),
        )
        for reference, listed in by_answer.items()
    ]
    return tuple(sorted(summaries, key=lambda summary: (-summary.count, summary.answer)))


def _answer_title(reference: str, titles: Mapping[str, str]) -> str:
    """A title for an answer, from its reference "kind|group|ids"."""
    kind, group, ids = [*reference.split("|"), "", ""][:3]
    entries = ", ".join(titles.get(name, name) for name in ids.split(",") if name)
    label = {"unknown": "no answer", "list": f"list of {group}", "recommend": f"recommendation: {group}"}.get(kind, "")
    return _printable(" · ".join(part for part in (label, entries) if part) or reference)


def _due_summaries(knowledge: Knowledge, today: dt.date) -> tuple[DueSummary, ...]:
    """The entries past their date or shortly before it, the longest past first."""
    due = (each.entry for each in due_entries(knowledge, today))
    return tuple(
        DueSummary(
            _printable(entry.label),
            _printable(entry.owner),
            dt.date.fromisoformat(entry.review_by),
            dt.date.fromisoformat(entry.reviewed) if entry.reviewed else None,
        )
        for entry in sorted(due, key=lambda entry: (entry.review_by, entry.label))
    )


def _pilot_summary(pilot: PilotChannel) -> PilotSummary:
    counts = OutcomeCounts(pilot.answered, pilot.offered, pilot.missed)
    return PilotSummary(pilot.channel, _date(pilot.since), counts, pilot.good, pilot.bad)


def _printable(text: str) -> str:
    """The text on one line, shortened, without characters that control a terminal or change the direction of writing."""
    line = " ".join(clean(text).split())
    return line if len(line) <= MAX_TEXT_LENGTH else line[: MAX_TEXT_LENGTH - 1] + "…"


def _date(time: float) -> dt.date:
    return dt.datetime.fromtimestamp(time, dt.UTC).date()
