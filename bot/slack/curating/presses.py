"""Presses: what curators' buttons do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

from bot.model import ChangeKind
from bot.slack import board, views
from bot.slack.answering import Answering
from bot.slack.board import Note, fill
from bot.slack.curating.edits import Edits
from bot.slack.curating.forms import Forms
from bot.slack.curating.grounds import Curation, Ledger
from bot.slack.curating.overview import Overview
from bot.slack.curating.screens import Screens
from bot.slack.curators import Curators
from bot.slack.hear import Act
from bot.slack.limits import TYPED, size
from bot.slack.values import Sheet
from bot.slack.words import Words


@dataclass(frozen=True, slots=True, kw_only=True)
class Curating:
    """Does what curators press."""

    ledger: Ledger
    overview: Overview
    edits: Edits
    screens: Screens
    forms: Forms
    answering: Answering
    words: Words

    @classmethod
    def of(cls, curation: Curation, answering: Answering, team: Callable[[], str], checks: Executor) -> Curating:
        """From what it stands on; `team` tells the bot's own workspace, `checks` runs what takes long."""
        words, curators = answering.words, Curators.of(curation.named, team)
        overview = Overview(curation.ledger, curation.shelf, curation.clock, words)
        edits = Edits(curation.ledger, curation.clock, overview, words)
        screens = Screens(curators, overview, answering.sending, words, answering.sending.layout == "cards")
        forms = Forms(
            curation=curation,
            curators=curators,
            overview=overview,
            edits=edits,
            screens=screens,
            words=words,
            checks=checks,
        )
        return cls(
            ledger=curation.ledger,
            overview=overview,
            edits=edits,
            screens=screens,
            forms=forms,
            answering=answering,
            words=words,
        )

    def home(self, act: Act) -> None:
        """The Home tab at the page that was asked for; curators see more of it."""
        if not act.user:
            return
        if self.screens.may(act) and (act.value in ("", views.FRONT) or act.value.partition("@")[0] in board.PAGES):
            self.screens.publish(act, act.value)
        else:
            self.answering.modals.home(act.user, act.value or views.FRONT, act.team)

    def means(self, act: Act) -> None:
        """Open the modal in which phrasings are given to an entry."""
        if not self.screens.may(act):
            self.screens.refuse(act)
            return
        keys = tuple(act.value.split("\n"))
        found, knowledge = self.overview.asked(act.team, keys), self.overview.knowledge(act.team)
        if found:
            sheet = Sheet(act.page, tuple(miss.key for miss in found))
            view = board.means(sheet, found, sheet.keys, found[0].best, knowledge, self.words)
        else:
            view = board.done(Sheet(act.page), self.overview.quicker(act.team, keys), self.words)
        self.screens.show(act.trigger, view)

    def write(self, act: Act) -> None:
        """Open the modal in which a new answer is written."""
        if not self.screens.may(act):
            self.screens.refuse(act)
            return
        keys = tuple(act.value.split("\n"))
        found = self.overview.asked(act.team, keys)
        if found:
            asks = _lines([miss.text for miss in found])
            view = board.write(Sheet(act.page), "", "", asks, self.words)
        else:
            view = board.done(Sheet(act.page), self.overview.quicker(act.team, keys), self.words)
        self.screens.show(act.trigger, view)

    def settle_as(self, act: Act, kind: ChangeKind) -> None:
        """Take phrasings away from what they come near to ("not_ask"), or out of sight ("ignore")."""
        if not self.screens.may(act):
            self.screens.refuse(act)
            return
        keys = tuple(act.value.split("\n"))
        found, knowledge = self.overview.asked(act.team, keys), self.overview.knowledge(act.team)
        if not found:
            self.screens.publish(act, act.page, Note(self.overview.quicker(act.team, keys)))
            return
        batch = self.edits.batch(act, kind)
        changes = [
            batch(text=miss.text, entry=miss.best if kind == "not_ask" and miss.best in knowledge.by_id else "")
            for miss in found
        ]
        made = self.edits.make(act, changes)
        self.screens.publish(act, act.page, Note(made.told, made.undo))

    def undo(self, act: Act) -> None:
        """Take a batch of edits back, and say so where it was pressed."""
        if not self.screens.may(act):
            self.screens.refuse(act)
            return
        told = self.edits.undone(act.team, act.value)
        if act.view:
            self.screens.update(act.view, board.done(Sheet(act.page), told, self.words))
        self.screens.publish(act, act.page, Note(told))

    def trial(self, act: Act, on: bool) -> None:
        """Put a channel on trial, or make it public; its figures are told once more."""
        if not self.screens.may(act):
            self.screens.refuse(act)
            return
        ends = () if on else tuple(each for each in self.ledger.trials(act.team) if each.channel == act.value)
        kept = bool(act.value) and self.ledger.set_trial(act.team, act.value, on, act.by)
        if not kept:
            self.screens.publish(act, act.page, Note(self.edits.not_saved()))
            return
        told = fill(self.words["trial_now" if on else "public_now"], channel=board.channel(act.value))
        for trial in ends:  # its figures go with it
            told += board.figures(trial, self.words)
        self.screens.publish(act, act.page, Note(told, trial="" if on else act.value))


def _lines(texts: Sequence[str]) -> str:
    """One a line, as many as an input takes."""
    kept = ""
    for text in texts:
        line = " ".join(text.split())
        longer = f"{kept}\n{line}" if kept else line
        if size(longer) > TYPED:
            break
        kept = longer
    return kept
