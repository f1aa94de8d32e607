"""What the curators' pages show in tests: misses, tallies, complaints and edits of one workspace."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bot.curation.clusters import cluster_misses
from bot.curation.overlay import apply_changes
from bot.model import Change, Complaint, Knowledge, Miss, PilotChannel, Tally
from bot.slack.blocks.curation import Dashboard
from support.slack_samples import HOSTILE, knowledge

WORKSPACE = "T0TEAM"
NOW = 1_763_000_000.0
"""13 November 2025, shortly after two in the morning."""
DAY = 86_400.0


def miss(key: str, text: str, count: int = 1, best: str = "", first: float = 3, last: float = 0) -> Miss:
    """A miss that was first and last asked so many days ago."""
    times = {"first": NOW - first * DAY, "last": NOW - last * DAY}
    return Miss(workspace=WORKSPACE, key=key, text=text, count=count, best=best, score=0.4, **times)


MISSES = (
    miss("k1", "how do I deploy to heroku", 12, "card1"),
    miss("k2", "deploy on heroku how", 3, "card1"),
    miss("k3", "which side is the browser", 4, "t"),
    miss("k4", HOSTILE, 2),
    miss("k5", "do we have parking", first=0),
)
WEEK = (
    Tally("2025-11-13", "answered", "", 9), Tally("2025-11-12", "answered", "C7", 30), Tally("2025-11-10", "answered", "", 3),
    Tally("2025-11-12", "offered", "", 5), Tally("2025-11-13", "missed", "", 3), Tally("2025-11-13", "smalltalk", "", 8),
)  # fmt: skip
COMPLAINTS = (
    Complaint("library||card1", "outdated", 3, NOW - DAY),
    Complaint("library||card1", "", 1, NOW),
    Complaint("compare||card0,card1", "wrong", 2, NOW - 2 * DAY),
    Complaint("list|backend|card1", "missing", 1, NOW),
    Complaint("unknown||t,card0", "wrong", 1, NOW),
    Complaint("unknown||", "", 1, NOW),
    Complaint("topic||gone", "unclear", 1, NOW),
)
PILOT = PilotChannel(channel="C7", since=NOW - 9 * DAY, answered=40, offered=5, missed=5, good=23, bad=2)


def edit(batch: str, kind: Any, text: str = "", entry: str = "", by: str = f"{WORKSPACE}:U2", **extra: Any) -> Change:
    """An edit that another curator has made."""
    name = f"{batch}-{text}"
    return Change(id=name, workspace=WORKSPACE, kind=kind, text=text, entry=entry, batch=batch, by=by, at=NOW, **extra)


CHANGES = (
    edit("b1", "ask", "what runs in the browser", "card0"),
    edit("b2", "ask", "server side stuff", "card1"),
    edit("b2", "ask", "stuff for *servers*", "card1"),
    edit("b3", "not_ask", "do you sell cards", "card1"),
    edit("b3", "not_ask", "where is the canteen"),
    edit("b4", "ignore", "asdf asdf"),
    edit(
        "b5", "entry", "", "holidays", f"{WORKSPACE}:U1",
        title="When is the office closed?", answer="In the last week of the year.", asks=("office closed", "holidays"),
    ),
)  # fmt: skip


def dated_knowledge() -> Knowledge:
    """The sample pack with two entries past their date, one of them without an owner, and one that soon will be."""
    known = knowledge()
    dates = {
        "card0": {"owner": "Platform team", "reviewed": "2025-03-03", "review_by": "2025-11-01"},
        "card2": {"owner": "Ann", "reviewed": "2025-05-20", "review_by": "2025-11-20"},
        "way": {"review_by": "2025-10-13"},
        "s1": {"owner": "Ann", "reviewed": "2025-11-01", "review_by": "2026-05-01"},
    }
    entries = tuple(replace(entry, **dates.get(entry.id, {})) for entry in known.entries)
    return replace(known, entries=entries, by_id={entry.id: entry for entry in entries})


def sample_dashboard() -> Dashboard:
    """A dashboard with something in every section."""
    misses = sorted(MISSES, key=lambda miss: -miss.count)
    return Dashboard(
        knowledge=apply_changes(dated_knowledge(), CHANGES),
        now=NOW,
        miss_groups=cluster_misses(misses),
        tallies=WEEK,
        complaints=COMPLAINTS,
        history=tuple(sorted(CHANGES, key=lambda change: change.batch, reverse=True)),
        pilots=(PILOT,),
        faults=("a.yaml:1: wrong",),
    )
