"""What the pictures of the curators' side show: a week of a team's questions, and what has been made of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from bot.curation.likeness import grouped
from bot.curation.preview import Moved
from bot.model import Change, Complaint, Knowledge, Miss, Tally, Trial
from bot.slack import board, views
from bot.slack.board import Board, Note, fill
from bot.slack.values import Sheet
from bot.slack.words import Words

NOW = 1_763_050_000.0
DAY = 86_400.0
TEAM, MIA, LEA = "T1", "T1:U1", "T1:U2"


def _miss(key: str, text: str, count: int, best: str, first: float, last: float) -> Miss:
    at = (NOW - first * DAY, NOW - last * DAY)
    return Miss(workspace=TEAM, key=key, text=text, count=count, best=best, score=0.4, first=at[0], last=at[1])


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
        for outcome, count in zip(board.OUTCOMES, counts, strict=True)
    )


def _edit(batch: str, kind: Any, text: str, entry: str, by: str, ago: float, **more: Any) -> Change:
    at = NOW - ago * DAY
    return Change(id=text, workspace=TEAM, kind=kind, text=text, entry=entry, batch=batch, by=by, at=at, **more)


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
TRIALS = (
    Trial(channel="C1", since=NOW - 9 * DAY, answered=61, offered=8, missed=7, good=22, bad=2),
    Trial(channel="C2", since=NOW - 2 * DAY, answered=5, offered=1, missed=1),
)
FAULTS = ("libraries.yaml:214: flask: side is 'backnd'; it can be frontend or backend",)
MOVED = (Moved("which framework for small sites", "Flask", "Where do small apps live?"),)


def seen(knowledge: Knowledge, **more: Any) -> Board:
    """A board with something of everything."""
    return Board(
        knowledge=knowledge, now=NOW, groups=grouped(MISSES), week=_week(), complaints=COMPLAINTS, history=HISTORY,
        trials=TRIALS, **more,
    )  # fmt: skip


def view(name: str, knowledge: Knowledge, words: Words) -> dict[str, Any]:
    """The view that a picture shows."""
    group = grouped(MISSES)[0]
    sheet = Sheet("curate", tuple(miss.key for miss in group))
    match name:
        case "curate-front":
            return board.front(views.home(knowledge, views.FRONT, words), seen(knowledge), words)
        case "curate-faults":
            return board.page(seen(knowledge, faults=FAULTS), "curate", words)
        case "curate-days" | "curate-days-classic":
            return board.page(seen(knowledge), "days", words, native=name == "curate-days")
        case "curate-note":
            told = fill(words["saved"], what=board.described(HISTORY[1:3], knowledge, words))
            return board.page(seen(knowledge), "misses", words, Note(told, "b3"))
        case "curate-means":
            return board.means(sheet, group, sheet.keys, "kivy", knowledge, words)
        case "curate-moved":
            return board.means(sheet, group, sheet.keys, "kivy", knowledge, words, board.review((), MOVED, words))
        case "curate-taken":
            told = board.taken(replace(HISTORY[1], text=group[1].text, entry="pygame"), knowledge, words)
            return board.means(sheet, group, sheet.keys, "kivy", knowledge, words, board.status(told))
        case "curate-write":
            return board.write(sheet, "", "", "\n".join(miss.text for miss in group), words)
        case "curate-checked":
            faults = ("where-do-small-apps-live: has 2 phrasings; 8 or more make it easier to find",)
            answer = "On the team's own machine. Ask in the channel of the platform team for an account."
            asks = "where do I put a small flask app online\nhosting for small apps"
            status = board.review(faults, MOVED, words)
            return board.write(Sheet("curate", (), "x"), "Where do small apps live?", answer, asks, words, status)
        case "curate-done":
            told = fill(words["saved"], what=board.described(HISTORY[1:3], knowledge, words))
            return board.done(sheet, told, words, "b3")
        case _:
            return board.page(seen(knowledge), "curate", words)
