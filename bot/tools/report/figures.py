"""The figures of a period, as one value that is printed and drawn."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bot.curation.changes import is_settled, settled
from bot.curation.clusters import cluster_misses
from bot.model import Change, Complaint, Miss, PilotChannel, Tally
from bot.text import clean

DAYS_BY_DAY = 31
"""Days up to which each has a column of its own; more are summed by weeks."""
DAY = 24 * 3600
MOST_MISSES = 12
"""Groups of misses that are told; a longer list is worked off in Slack."""
LONGEST_TEXT = 200
MISSES_READ = 1_000
"""Misses that are looked through."""


@dataclass(frozen=True, slots=True)
class Records:
    """What the figures are computed from, as the store holds it. Of several workspaces only the tallies are read.

    `tallies` reach back twice as many days as the figures, for the comparison.
    """

    tallies: tuple[Tally, ...] = ()
    misses: tuple[Miss, ...] = ()
    complaints: tuple[Complaint, ...] = ()
    pilots: tuple[PilotChannel, ...] = ()
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class Count:
    """How the questions of a day, or of several, ended. Small talk is no question."""

    answered: int = 0
    offered: int = 0
    missed: int = 0

    @property
    def asked(self) -> int:
        return self.answered + self.offered + self.missed

    @property
    def share(self) -> float | None:
        """Per cent that were answered; none where nothing was asked."""
        return 100 * self.answered / self.asked if self.asked else None


@dataclass(frozen=True, slots=True)
class Span:
    """A day, or a week of a longer period."""

    first: dt.date
    last: dt.date
    count: Count


@dataclass(frozen=True, slots=True)
class Missed:
    """Questions alike that went unanswered: the one most asked, the others, and what they came nearest to."""

    text: str
    others: tuple[str, ...]
    count: int
    nearest: str
    first: dt.date
    last: dt.date


@dataclass(frozen=True, slots=True)
class Complained:
    """Bad votes on one answer, by reason."""

    answer: str
    count: int
    reasons: tuple[tuple[str, int], ...]
    last: dt.date


@dataclass(frozen=True, slots=True)
class Tried:
    """A channel on trial."""

    channel: str
    since: dt.date
    count: Count
    good: int
    bad: int

    @property
    def precision(self) -> float | None:
        """Per cent of the votes that were good; none without votes."""
        return 100 * self.good / (self.good + self.bad) if self.good + self.bad else None


@dataclass(frozen=True, slots=True)
class Figures:
    """All of it. `others`: workspaces whose questions and changes aren't told, because several share the database."""

    name: str
    workspace: str
    first: dt.date
    last: dt.date
    spans: tuple[Span, ...]
    total: Count
    before: Count
    """The period of the same length before."""
    smalltalk: int
    misses: tuple[Missed, ...] = ()
    more_misses: int = 0
    complaints: tuple[Complained, ...] = ()
    trials: tuple[Tried, ...] = ()
    changes: Mapping[str, int] = field(default_factory=dict)
    """By kind."""
    others: tuple[str, ...] = ()

    @property
    def by_week(self) -> bool:
        return (self.last - self.first).days >= DAYS_BY_DAY


def figures(
    records: Records,
    workspaces: Sequence[str],
    name: str,
    titles: Mapping[str, str],
    now: float,
    days: int = 7,
) -> Figures:
    """The figures of the last `days`, today's among them; of all `workspaces` summed where they are several.

    Words, votes and changes are told of one workspace only. `titles`: what each entry is called, by id.
    """
    one = workspaces[0] if len(workspaces) == 1 else ""
    last = _date(now)
    first = last - dt.timedelta(days=days - 1)
    counts, small = _counts(records.tallies)
    daily = {first + dt.timedelta(days=n): counts.get(first + dt.timedelta(days=n), Count()) for n in range(days)}
    whole = Figures(
        name=name,
        workspace=one,
        first=first,
        last=last,
        spans=_spans(daily),
        total=_sum(daily.values()),
        before=_sum(count for day, count in counts.items() if day < first),
        smalltalk=sum(number for day, number in small.items() if day >= first),
        others=tuple(workspaces) if not one else (),
    )
    if not one:
        return whole
    return _with_words(whole, records, titles, now - days * DAY)


def _with_words(whole: Figures, records: Records, titles: Mapping[str, str], since: float) -> Figures:
    done = settled(records.changes)
    fresh = [m for m in records.misses if m.last >= since and not is_settled(m.text, done)]
    groups = cluster_misses(fresh)
    return replace(
        whole,
        misses=tuple(_missed(group, titles) for group in groups[:MOST_MISSES]),
        more_misses=max(0, len(groups) - MOST_MISSES),
        complaints=_complained(records.complaints, titles),
        trials=tuple(_tried(trial) for trial in records.pilots),
        changes=Counter(change.kind for change in records.changes if change.at >= since),
    )


# --- counts


def _counts(tallies: Sequence[Tally]) -> tuple[dict[dt.date, Count], Counter[dt.date]]:
    """By day: how questions ended, and small talk apart."""
    found: dict[dt.date, Counter[str]] = {}
    for tally in tallies:
        found.setdefault(dt.date.fromisoformat(tally.day), Counter())[tally.outcome] += tally.count
    counts = {day: Count(c["answered"], c["offered"], c["missed"]) for day, c in found.items()}
    return counts, Counter({day: c["smalltalk"] for day, c in found.items()})


def _sum(counts: Iterable[Count]) -> Count:
    listed = list(counts)
    return Count(sum(c.answered for c in listed), sum(c.offered for c in listed), sum(c.missed for c in listed))


def _spans(daily: Mapping[dt.date, Count]) -> tuple[Span, ...]:
    if len(daily) <= DAYS_BY_DAY:
        return tuple(Span(day, day, count) for day, count in daily.items())
    weeks: dict[dt.date, list[dt.date]] = {}
    for day in daily:
        weeks.setdefault(day - dt.timedelta(days=day.weekday()), []).append(day)
    return tuple(Span(days[0], days[-1], _sum(daily[day] for day in days)) for days in weeks.values())


# --- words


def _missed(group: Sequence[Miss], titles: Mapping[str, str]) -> Missed:
    nearest = next((miss.best for miss in group if miss.best), "")
    return Missed(
        _shown(group[0].text),
        tuple(dict.fromkeys(_shown(miss.text) for miss in group[1:])),
        sum(miss.count for miss in group),
        titles.get(nearest, nearest),
        _date(min(miss.first for miss in group)),
        _date(max(miss.last for miss in group)),
    )


def _complained(complaints: Sequence[Complaint], titles: Mapping[str, str]) -> tuple[Complained, ...]:
    by_subject: dict[str, list[Complaint]] = {}
    for each in complaints:
        by_subject.setdefault(each.subject, []).append(each)
    found = [
        Complained(
            _answer(subject, titles),
            sum(each.count for each in listed),
            tuple((each.reason or "no reason given", each.count) for each in sorted(listed, key=lambda e: -e.count)),
            _date(max(each.last for each in listed)),
        )
        for subject, listed in by_subject.items()
    ]
    return tuple(sorted(found, key=lambda one: (-one.count, one.answer)))


def _answer(subject: str, titles: Mapping[str, str]) -> str:
    """What an answer was about, in words, from its reference: kind, group and ids."""
    kind, group, ids = [*subject.split("|"), "", ""][:3]
    named = ", ".join(titles.get(name, name) for name in ids.split(",") if name)
    what = {"unknown": "no answer", "list": f"list of {group}", "recommend": f"recommendation: {group}"}.get(kind, "")
    return _shown(" · ".join(part for part in (what, named) if part) or subject)


def _tried(trial: PilotChannel) -> Tried:
    count = Count(trial.answered, trial.offered, trial.missed)
    return Tried(trial.channel, _date(trial.since), count, trial.good, trial.bad)


def _shown(text: str) -> str:
    """On one line, without characters that steer a terminal or turn the writing round."""
    told = " ".join(clean(text).split())
    return told if len(told) <= LONGEST_TEXT else told[: LONGEST_TEXT - 1] + "…"


def _date(at: float) -> dt.date:
    return dt.datetime.fromtimestamp(at, dt.UTC).date()
