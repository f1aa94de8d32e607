"""Edits: saved once, all or none, and taken back."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from bot.model import AskPyError, Change, ChangeKind
from bot.slack.board import already, described, fill, taken
from bot.slack.curating.grounds import Ledger
from bot.slack.curating.overview import Overview
from bot.slack.hear import Act, Filled
from bot.slack.limits import Block
from bot.slack.values import key_of
from bot.slack.words import Words
from bot.text import words

LONGEST_ID = 60
"""Characters of a new entry's id."""


@dataclass(frozen=True, slots=True)
class Made:
    """What has become of an edit; `undo` is the batch that can be undone, and none where nothing was saved."""

    told: tuple[Block, ...]
    undo: str = ""
    stopped: bool = False


@dataclass(frozen=True, slots=True)
class Edits:
    """Makes edits and says what has become of them."""

    ledger: Ledger
    clock: Callable[[], float]
    overview: Overview
    words: Words

    def batch(self, who: Act | Filled, kind: ChangeKind) -> Callable[..., Change]:
        """What makes the edits of one press."""
        batch, by, at = uuid4().hex, f"{who.team}:{who.user}", self.clock()

        def made(**fields: Any) -> Change:
            return Change(id=uuid4().hex, workspace=who.team, kind=kind, batch=batch, by=by, at=at, **fields)

        return made

    def make(self, who: Act | Filled, changes: Sequence[Change]) -> Made:
        """Save those that nobody has made yet, all or none."""
        knowledge = self.overview.knowledge(who.team)
        before: Change | None = None
        for _ in range(3):  # somebody may make the same edit between our look and our try
            active = {_meaning(change): change for change in self.ledger.changes(who.team)}
            fresh = [change for change in changes if _meaning(change) not in active]
            before = next((active[_meaning(change)] for change in changes if _meaning(change) in active), before)
            if not fresh:
                break
            try:
                way = self.ledger.change(fresh)
            except AskPyError as error:
                return Made(fill(str(error)), stopped=True)
            if way is None:
                what = described(fresh, self.overview.knowledge(who.team), self.words)
                return Made(fill(self.words["saved"], what=what), fresh[0].batch)
            if _meaning(way) not in map(_meaning, fresh):
                return Made(taken(way, knowledge, self.words), stopped=True)
        if before is None:
            return Made(self.not_saved(), stopped=True)
        if before.by == f"{who.team}:{who.user}":  # the same press, delivered twice
            what = described([before], knowledge, self.words)
            return Made(fill(self.words["saved"], what=what), before.batch)
        return Made(already(before, knowledge, self.words), before.batch)

    def undone(self, team: str, batch: str) -> tuple[Block, ...]:
        """Take a batch back; says what has become of that."""
        made = [change for change in self.ledger.changes(team) if change.batch == batch]
        try:
            won = self.ledger.undo(team, batch)
        except AskPyError as error:
            return fill(str(error))
        if won:
            what = described(made, self.overview.knowledge(team), self.words) if made else ""
            return fill(self.words["undone"], what=what)
        if self.ledger.revision(team) < 0 or any(change.batch == batch for change in self.ledger.changes(team)):
            return self.not_saved()
        return fill(self.words["undone_before"])

    def free(self, team: str, title: str) -> str:
        """An id for a new entry that no entry of the pack has; another curator's same title is for the ledger to find."""
        curated = {change.entry for change in self.ledger.changes(team) if change.kind == "entry"}
        taken = self.overview.knowledge(team).by_id.keys() - curated
        slug = "-".join(re.findall(r"[a-z0-9]+", title.casefold()))[:LONGEST_ID].strip("-")
        slug = slug or f"answer-{key_of(title)[:8]}"
        return next(name for n in range(1, len(taken) + 2) if (name := slug if n == 1 else f"{slug}-{n}") not in taken)

    def digest(self, team: str, changes: Sequence[Change]) -> str:
        """Names a draft at the state of things that it was looked at in."""
        said = [[each.kind, each.text, each.entry, each.title, each.answer, *each.asks] for each in changes]
        return key_of(json.dumps(said), str(self.ledger.revision(team)))

    def not_saved(self) -> tuple[Block, ...]:
        """The database is away."""
        return fill(self.words["not_saved"], why=self.words["database_away"])


def _meaning(change: Change) -> tuple[str, ...]:
    """What an edit says, whoever made it."""
    said = (change.kind, change.entry, " ".join(words(change.text)), change.title, change.answer)
    return (*said, *sorted(" ".join(words(each)) for each in change.asks))
