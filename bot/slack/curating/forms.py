"""Forms: what curators have filled in, looked at before or after it is saved."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from bot.match import Matcher
from bot.model import Change
from bot.slack import board, views
from bot.slack.board import Note, fill, spoken
from bot.slack.curating.edits import Edits, Made
from bot.slack.curating.grounds import Curation
from bot.slack.curating.overview import MOST_READ, Overview
from bot.slack.curating.screens import Screens
from bot.slack.curators import Curators
from bot.slack.hear import Act, Filled
from bot.slack.limits import Block
from bot.slack.post import Outcome, Refused
from bot.slack.trace import frames
from bot.slack.values import Sheet
from bot.slack.words import Words
from bot.text import clean, words

logger = logging.getLogger(__name__)

Answer = dict[str, Any]
Left = Callable[[], object]
"""What is left to do after an acknowledgement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forms:
    """Takes forms. `checks` runs what takes long."""

    curation: Curation
    curators: Curators
    overview: Overview
    edits: Edits
    screens: Screens
    words: Words
    checks: Executor
    wait: Callable[[float], None] = time.sleep

    def submitted(self, filled: Filled) -> tuple[Answer, Left | None]:
        """What to acknowledge a modal with, and the work that is left for afterwards."""
        if not self.curators.has(filled.team, filled.user):
            return _at_first(filled, self.words["curate_only"]), None
        return self._means_submitted(filled) if filled.name == "means" else self._written(filled)

    def failed(self, filled: Filled) -> Answer:
        """What to acknowledge a modal with that we have stumbled over; what was typed stays."""
        return _at_first(filled, spoken(self.words["not_saved"], why=self.words["not_saved_oops"]))

    def _means_submitted(self, filled: Filled) -> tuple[Answer, Left | None]:
        sheet, knowledge = Sheet.read(filled.metadata), self.overview.knowledge(filled.team)
        misses = [miss for miss in self.curation.ledger.misses(filled.team, MOST_READ) if miss.key in sheet.keys]
        ticked = filled.under(board.PICKED)
        picked = [miss for miss in misses if miss.key in ticked] if ticked is not None else misses
        entry = filled.value(board.ENTRY)
        if not misses:
            away = self.curation.ledger.revision(filled.team) < 0
            told = self.edits.not_saved() if away else fill(self.words["saved_nothing"])
            return _update(board.done(sheet, told, self.words)), None
        if not picked:
            return _errors({f"{board.PICKED}:0": self.words["means_none"]}), None
        if entry not in knowledge.by_id:
            return _errors({board.ENTRY: self.words["means_gone"]}), None
        keys = tuple(miss.key for miss in picked)

        def form(checked: str, status: Sequence[Block] = ()) -> views.View:
            return board.means(replace(sheet, checked=checked), misses, keys, entry, knowledge, self.words, status)

        batch, before = self.edits.batch(filled, "ask"), self.curation.shelf.matcher(filled.team)
        changes = [batch(text=miss.text, entry=entry) for miss in picked]
        made = self.edits.make(filled, changes)

        def left() -> None:
            self._publish_after(filled, sheet, made)
            if not made.stopped:
                look = partial(self._look_back, filled, sheet, before, changes, made, self.curation.clock())
                self.checks.submit(logged, look)

        return _update(self._outcome(made, sheet, form)), left

    def _written(self, filled: Filled) -> tuple[Answer, Left | None]:
        sheet = Sheet.read(filled.metadata)
        title, answer = " ".join(filled.value(board.TITLE).split()), filled.value(board.ANSWER).strip()
        asks = tuple(dict.fromkeys(line for line in clean(filled.value(board.ASKS)).split("\n") if words(line)))
        told = {board.TITLE: words(title), board.ANSWER: answer, board.ASKS: asks}
        if empty := {name: self.words["write_empty"] for name, found in told.items() if not found}:
            return _errors(empty), None
        heading, typed, listed = (filled.value(name) for name in (board.TITLE, board.ANSWER, board.ASKS))

        def form(checked: str, status: Sequence[Block] = ()) -> views.View:
            return board.write(replace(sheet, checked=checked), heading, typed, listed, self.words, status)

        entry = self.edits.free(filled.team, title)
        change = self.edits.batch(filled, "entry")(entry=entry, title=title, answer=answer, asks=asks)
        return self._checked(filled, sheet, [change], form)

    def _checked(
        self, filled: Filled, sheet: Sheet, changes: Sequence[Change], form: Callable[..., views.View]
    ) -> tuple[Answer, Left | None]:
        """Save what has been looked at as it stands; else look first."""
        checked = self.edits.digest(filled.team, changes)
        if sheet.checked == checked:
            made = self.edits.make(filled, changes)
            return _update(self._outcome(made, sheet, form)), lambda: self._publish_after(filled, sheet, made)
        asked_at = self.curation.clock()
        waiting = board.checking(form(""), self.words)
        look = partial(self._look, filled, sheet, changes, form, asked_at)
        return _update(waiting), lambda: self.checks.submit(logged, look)

    def _look(
        self, filled: Filled, sheet: Sheet, changes: Sequence[Change], form: Callable[..., views.View], asked_at: float
    ) -> None:
        """See what it would do, and show that."""
        try:
            seen = self.curation.look(self.curation.shelf.matcher(filled.team), changes)
            view = form(self.edits.digest(filled.team, changes), board.review(seen.faults, seen.moved, self.words))
        except Exception as error:  # what was typed must stay
            logger.error("A preview failed\n%s", frames(error))
            view = form("", board.status(fill(self.words["not_saved"], why=self.words["not_saved_oops"])))
        self._settle(asked_at)
        self.screens.update(filled.view, view, failed=partial(self._closed, filled, sheet))

    def _look_back(
        self, filled: Filled, sheet: Sheet, before: Matcher, changes: Sequence[Change], made: Made, saved_at: float
    ) -> None:
        """See what else it has done, and tell of that beside the way back."""
        seen = self.curation.look(before, changes)
        if not (seen.faults or seen.moved):
            return
        since = board.since(seen.faults, seen.moved, self.words)
        self._settle(saved_at)
        self.screens.update(filled.view, board.done(sheet, made.told, self.words, made.undo, since))

    def _settle(self, answered_at: float) -> None:
        """Wait until Slack has surely dealt with the acknowledgement."""
        if (left := answered_at + self.curation.settle - self.curation.clock()) > 0:
            self.wait(left)

    def _closed(self, filled: Filled, sheet: Sheet, outcome: Outcome) -> None:
        """Say on the Home tab what a modal could no longer say: it was closed meanwhile."""
        if isinstance(outcome, Refused):
            note = Note(fill(self.words["closed_early"]))
            self.screens.publish(Act(team=filled.team, user=filled.user), sheet.page, note)

    def _outcome(self, made: Made, sheet: Sheet, form: Callable[..., views.View]) -> views.View:
        if made.stopped:
            return form("", board.status(made.told))
        return board.done(sheet, made.told, self.words, made.undo)

    def _publish_after(self, filled: Filled, sheet: Sheet, made: Made) -> None:
        note = None if made.stopped else Note(made.told, made.undo)
        self.screens.publish(Act(team=filled.team, user=filled.user), sheet.page, note)

    def suggested(self, team: str, user: str, typed: str) -> list[Block]:
        """What a menu of entries offers for what has been typed."""
        return board.suggested(typed, self.overview.knowledge(team)) if self.curators.has(team, user) else []


def logged(work: Left) -> None:
    """Do it; a fault must not vanish in the pool."""
    try:
        work()
    except Exception as error:
        logger.error("What was left of an edit failed\n%s", frames(error))


def _update(view: views.View) -> Answer:
    return {"response_action": "update", "view": view}


def _errors(told: dict[str, str]) -> Answer:
    return {"response_action": "errors", "errors": told}


def _at_first(filled: Filled, told: str) -> Answer:
    return _errors({filled.first: told})
