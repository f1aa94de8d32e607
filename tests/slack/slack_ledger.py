"""What curators work with, in memory: a ledger as the store keeps it, and a shelf with a small pack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from slack_samples import HOSTILE, knowledge

from bot.curation.changes import laid_over
from bot.curation.preview import Moved, Preview
from bot.model import AskPyError, Change, Complaint, Knowledge, Miss, Tally, Trial
from bot.text import words

NOW = 1_763_000_000.0
"""13 November 2025, shortly after two in the morning."""
DAY = 86_400.0


def miss(key: str, text: str, count: int = 1, best: str = "", first: float = 3, last: float = 0) -> Miss:
    """A miss whose first and last asking are so many days ago."""
    at = (NOW - first * DAY, NOW - last * DAY)
    return Miss(workspace="T0TEAM", key=key, text=text, count=count, best=best, score=0.4, first=at[0], last=at[1])


MISSES = (
    miss("k1", "how do I deploy to heroku", 12, "card1"),
    miss("k2", "deploy on heroku how", 3, "card1"),
    miss("k3", "which side is the browser", 4, "t"),
    miss("k4", HOSTILE, 2),
    miss("k5", "do we have parking", first=0),
)


@dataclass
class SampleLedger:
    """Keeps everything in lists. `away`: the database is gone; `locked`: it can be read, and not written to."""

    found: list[Miss] = field(default_factory=lambda: list(MISSES))
    made: list[Change] = field(default_factory=list)
    tallies: list[Tally] = field(default_factory=list)
    bad: list[Complaint] = field(default_factory=list)
    on_trial: dict[str, bool] = field(default_factory=dict)
    steps: int = 0
    away: bool = False
    locked: bool = False

    def misses(self, workspace: str, limit: int = 300) -> tuple[Miss, ...]:
        own = [each for each in self.found if each.workspace == workspace]
        return () if self.away else tuple(sorted(own, key=lambda each: -each.count)[:limit])

    def change(self, changes: Sequence[Change]) -> Change | None:
        if self.away or self.locked:
            raise AskPyError("The database is away.")
        for change in changes:
            for before in self.changes(change.workspace):
                same = {_key(text) for text in change.phrasings} & {_key(text) for text in before.phrasings}
                both = change.kind == before.kind == "entry"
                if same or (both and change.entry == before.entry):
                    return before
        self.made += changes
        self.steps += 1
        return None

    def undo(self, workspace: str, batch: str) -> bool:
        if self.away:
            return False
        kept = [each for each in self.made if (each.workspace, each.batch) != (workspace, batch)]
        won = len(kept) < len(self.made)
        self.made, self.steps = kept, self.steps + won
        return won

    def changes(self, workspace: str) -> tuple[Change, ...]:
        return () if self.away else tuple(each for each in self.made if each.workspace == workspace)

    def history(self, workspace: str, limit: int = 20) -> tuple[Change, ...]:
        latest = list(dict.fromkeys(each.batch for each in reversed(self.changes(workspace))))[:limit]
        return tuple(each for batch in latest for each in self.changes(workspace) if each.batch == batch)

    def revision(self, workspace: str) -> int:
        return -1 if self.away else self.steps

    def week(self, workspace: str, days: int = 7) -> tuple[Tally, ...]:
        return () if self.away else tuple(self.tallies)

    def complaints(self, workspace: str, days: int = 30) -> tuple[Complaint, ...]:
        return () if self.away else tuple(self.bad)

    def trials(self, workspace: str) -> tuple[Trial, ...]:
        figures: dict[str, Any] = {"answered": 40, "offered": 5, "missed": 5, "good": 23, "bad": 2}
        on = [] if self.away else [each for each, on in self.on_trial.items() if on]
        return tuple(Trial(channel=each, since=NOW - 9 * DAY, **figures) for each in on)

    def set_trial(self, workspace: str, channel: str, on: bool, by: str) -> bool:
        if not self.away:
            self.on_trial[channel] = on
        return not self.away


def _key(text: str) -> str:
    return " ".join(words(text))


@dataclass
class SampleShelf:
    """A small pack with what the ledger has laid over it."""

    ledger: SampleLedger
    base: Knowledge = field(default_factory=knowledge)
    faults: tuple[str, ...] = ()
    held: dict[tuple[Change, ...], Knowledge] = field(default_factory=dict)

    def matcher(self, workspace: str = "") -> Any:
        changes = self.ledger.changes(workspace)
        if changes not in self.held:
            self.held = {changes: laid_over(self.base, changes)}
        return SimpleNamespace(knowledge=self.held[changes])


@dataclass
class SampleLook:
    """What an edit would do, as the test says; remembers the drafts."""

    faults: tuple[str, ...] = ()
    moved: tuple[Moved, ...] = ()
    boom: bool = False
    seen: list[tuple[Change, ...]] = field(default_factory=list)

    def __call__(self, _: Any, changes: Sequence[Change]) -> Preview:
        self.seen.append(tuple(changes))
        if self.boom:
            raise RuntimeError("boom")
        return Preview(self.faults, self.moved, 10)


WEEK = [
    Tally("2025-11-13", "answered", "", 9), Tally("2025-11-12", "answered", "C7", 30), Tally("2025-11-10", "answered", "", 3),
    Tally("2025-11-12", "offered", "", 5), Tally("2025-11-13", "missed", "", 3), Tally("2025-11-13", "smalltalk", "", 8),
]  # fmt: skip
COMPLAINTS = [
    Complaint("library||card1", "outdated", 3, NOW - DAY),
    Complaint("library||card1", "", 1, NOW),
    Complaint("compare||card0,card1", "wrong", 2, NOW - 2 * DAY),
    Complaint("list|backend|card1", "missing", 1, NOW),
    Complaint("unknown||t,card0", "wrong", 1, NOW),
    Complaint("unknown||", "", 1, NOW),
    Complaint("topic||gone", "unclear", 1, NOW),
]


def edit(batch: str, kind: str, text: str = "", entry: str = "", by: str = "T0TEAM:U2", **more: Any) -> Change:
    """An edit that another curator has made."""
    name = f"{batch}-{text}"
    return Change(id=name, workspace="T0TEAM", kind=kind, text=text, entry=entry, batch=batch, by=by, at=NOW, **more)  # type: ignore[arg-type]


HISTORY = [
    edit("b1", "ask", "what runs in the browser", "card0"),
    edit("b2", "ask", "server side stuff", "card1"),
    edit("b2", "ask", "stuff for *servers*", "card1"),
    edit("b3", "not_ask", "do you sell cards", "card1"),
    edit("b3", "not_ask", "where is the canteen"),
    edit("b4", "ignore", "asdf asdf"),
    edit(
        "b5", "entry", "", "holidays", "T0TEAM:U1",
        title="When is the office closed?", answer="In the last week of the year.", asks=("office closed", "holidays"),
    ),
]  # fmt: skip


def full() -> SampleLedger:
    """A ledger with something of everything."""
    return SampleLedger(
        made=list(HISTORY), tallies=list(WEEK), bad=list(COMPLAINTS), on_trial={"C7": True, "C8": False}, steps=5
    )
