"""What the pictures of the curators' pages show: a week of a team's questions, and edits made from them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from bot.curation.clusters import cluster_misses
from bot.curation.preview import Moved
from bot.model import Change, Complaint, Knowledge, Miss, PilotChannel, Tally
from bot.slack.blocks import curation
from bot.slack.blocks.curation import Dashboard, ResultNote, fill
from bot.slack.blocks.views import FIRST_PAGE, home_view
from bot.slack.payloads import CuratorModalState
from bot.slack.strings import Strings

NOW = 1_763_050_000.0
DAY = 86_400.0
TEAM, MIA, LEA = "T1", "T1:U1", "T1:U2"


def _miss(key: str, text: str, count: int, best: str, first: float, last: float) -> Miss:
    times = {"first": NOW - first * DAY, "last": NOW - last * DAY}
    return Miss(workspace=TEAM, key=key, text=text, count=count, best=best, score=0.4, **times)


MISSES = (
    _miss("1", "is python any good for making phone games", 7, "kivy", 6, 0),
    _miss("2", "making games for phones with python", 4, "kivy", 5, 1),
    _miss("3", "phone games python good", 2, "pygame", 3, 1),
    _miss("4", "where do I put a small flask app online", 5, "flask", 4, 0),
    _miss("5", "what does the canteen have today", 3, "", 2, 2),
    _miss("6", "which editor should a newcomer take", 2, "", 6, 3),
    _miss("7", "how do I get a jetbrains licence", 1, "", 1, 1),
    _miss("8", "can I scrape a page that needs a login", 1, "beautiful-soup", 1, 1),
)
ANSWERED = ((6, 31, 4, 3), (5, 44, 6, 5), (4, 38, 2, 4), (3, 52, 5, 6), (2, 12, 1, 1), (1, 9, 0, 2), (0, 27, 3, 3))


def _week() -> tuple[Tally, ...]:
    days = {ago: datetime.fromtimestamp(NOW - ago * DAY, UTC).date().isoformat() for ago, *_ in ANSWERED}
    return tuple(
        Tally(days[ago], outcome, "", count)
        for ago, *counts in ANSWERED
        for outcome, count in zip(curation.OUTCOMES, counts, strict=True)
    )


def _edit(batch: str, kind: Any, text: str, entry: str, by: str, ago: float, **extra: Any) -> Change:
    at = NOW - ago * DAY
    return Change(id=text, workspace=TEAM, kind=kind, text=text, entry=entry, batch=batch, by=by, at=at, **extra)


HISTORY = (
    _edit("b4", "entry", "", "where-are-slides", LEA, 0.1, title="Where are the slides of the Python evening?"),
    _edit("b3", "ask", "the big framework", "django", MIA, 0.3),
    _edit("b3", "ask", "framework with batteries", "django", MIA, 0.3),
    _edit("b2", "not_ask", "bottle of water in the kitchen", "bottle", LEA, 1.2),
    _edit("b1", "ignore", "test test", "", MIA, 2.1),
)
COMPLAINTS = (
    Complaint("library||pyjs", "outdated", 3, NOW - DAY),
    Complaint("library||pyjs", "unclear", 1, NOW - 2 * DAY),
    Complaint("compare||flask,django", "missing", 2, NOW),
)
PILOTS = (
    PilotChannel(channel="C1", since=NOW - 9 * DAY, answered=61, offered=8, missed=7, good=22, bad=2),
    PilotChannel(channel="C2", since=NOW - 2 * DAY, answered=5, offered=1, missed=1),
)
FAULTS = ("libraries.yaml:214: flask: side is 'backnd'; it can be frontend or backend",)
MOVED = (Moved("which framework for small sites", "Flask", "Where do small apps live?"),)


def dashboard(knowledge: Knowledge, faults: tuple[str, ...] = ()) -> Dashboard:
    """A dashboard with something in every section."""
    return Dashboard(
        knowledge=knowledge,
        now=NOW,
        miss_groups=cluster_misses(MISSES),
        tallies=_week(),
        complaints=COMPLAINTS,
        history=HISTORY,
        pilots=PILOTS,
        faults=faults,
    )


def view(name: str, knowledge: Knowledge, strings: Strings) -> dict[str, Any]:
    """The view that a picture shows."""
    group = cluster_misses(MISSES)[0]
    state = CuratorModalState("curate", tuple(miss.key for miss in group))
    match name:
        case "curate-front":
            return curation.home_page(home_view(knowledge, FIRST_PAGE, strings), dashboard(knowledge), strings)
        case "curate-faults":
            return curation.page(dashboard(knowledge, faults=FAULTS), "curate", strings)
        case "curate-days" | "curate-days-classic":
            return curation.page(dashboard(knowledge), "days", strings, native=name == "curate-days")
        case "curate-note":
            message = fill(strings["saved"], what=curation.describe_edits(HISTORY[1:3], knowledge, strings))
            return curation.page(dashboard(knowledge), "misses", strings, ResultNote(message, "b3"))
        case "curate-means":
            return curation.meaning_form(state, group, state.keys, "kivy", knowledge, strings)
        case "curate-moved":
            return curation.meaning_form(
                state, group, state.keys, "kivy", knowledge, strings, curation.draft_review((), MOVED, strings)
            )
        case "curate-taken":
            message = curation.conflict_message(
                replace(HISTORY[1], text=group[1].text, entry="pygame"), knowledge, strings
            )
            return curation.meaning_form(
                state, group, state.keys, "kivy", knowledge, strings, curation.error_banner(message)
            )
        case "curate-write":
            return curation.answer_form(state, "", "", "\n".join(miss.text for miss in group), strings)
        case "curate-checked":
            faults = ("where-do-small-apps-live: has 2 phrasings; 8 or more make it easier to find",)
            answer = "On the team's own machine. Ask in the channel of the platform team for an account."
            asks = "where do I put a small flask app online\nhosting for small apps"
            status = curation.draft_review(faults, MOVED, strings)
            return curation.answer_form(
                CuratorModalState("curate", (), "x"), "Where do small apps live?", answer, asks, strings, status
            )
        case "curate-done":
            message = fill(strings["saved"], what=curation.describe_edits(HISTORY[1:3], knowledge, strings))
            return curation.result_view(state, message, strings, "b3")
        case _:
            return curation.page(dashboard(knowledge), "curate", strings)
