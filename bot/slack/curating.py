"""Curating: what curators' presses do. Each of them asks anew whether this person may, and says what has become of it."""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol
from uuid import uuid4

from slack_bolt import Ack, App

from bot.curation.changes import is_settled, settled
from bot.curation.likeness import grouped
from bot.curation.preview import Preview, preview
from bot.match import Matcher
from bot.model import AskPyError, Change, ChangeKind, Complaint, Knowledge, Miss, Tally, Trial
from bot.slack import board, hear, views
from bot.slack.answering import Answering
from bot.slack.blocks import aside
from bot.slack.board import Board, Note, already, described, fill, spoken, taken
from bot.slack.curators import Curators
from bot.slack.hear import Act, Filled
from bot.slack.limits import TYPED, Block, size
from bot.slack.post import TRIGGER_LASTS, Outcome, Refused, Request
from bot.slack.trace import frames
from bot.slack.values import Sheet, key_of
from bot.slack.words import Words
from bot.text import clean, words

SETTLE = 0.8
"""Seconds after an acknowledgement until its modal is updated: an update that came first would be overwritten by it."""
HISTORY = 1_000
"""Batches of edits that one can page through."""
MOST_READ, MOST_OPEN = 2_000, 300
"""Misses that are looked through for open ones, and open ones that are put into groups."""
LONGEST_ID = 60
"""Characters of a new entry's id."""

logger = logging.getLogger(__name__)

Body = dict[str, Any]
Answer = dict[str, Any]


class Ledger(Protocol):
    """What was asked in vain, what curators have made of it, and how it went. Reading survives a database that is away."""

    def misses(self, workspace: str, limit: int = 300) -> tuple[Miss, ...]: ...

    def change(self, changes: Sequence[Change]) -> Change | None:
        """Make all of them, or none and return the one in the way; raises AskPyError if they can't be written down."""

    def undo(self, workspace: str, batch: str) -> bool: ...

    def changes(self, workspace: str) -> tuple[Change, ...]: ...

    def history(self, workspace: str, limit: int = 20) -> tuple[Change, ...]: ...

    def revision(self, workspace: str) -> int: ...

    def week(self, workspace: str, days: int = 7) -> tuple[Tally, ...]: ...

    def complaints(self, workspace: str, days: int = 30) -> tuple[Complaint, ...]: ...

    def trials(self, workspace: str) -> tuple[Trial, ...]: ...

    def set_trial(self, workspace: str, channel: str, on: bool, by: str) -> bool: ...


class Shelf(Protocol):
    """The pack as it stands now, and why it can't be read again."""

    def matcher(self, workspace: str = "") -> Matcher: ...

    @property
    def faults(self) -> tuple[str, ...]: ...


Left = Callable[[], object]
"""What is left to do after an acknowledgement."""
Look = Callable[[Matcher, Sequence[Change]], Preview]


@dataclass(frozen=True, slots=True, kw_only=True)
class Curation:
    """What the curators' side stands on: where it is kept, the pack, who may, and what an edit would do."""

    ledger: Ledger
    shelf: Shelf
    named: Sequence[str]
    look: Look = preview
    settle: float = SETTLE
    clock: Callable[[], float] = time.time


@dataclass(frozen=True, slots=True)
class _Made:
    """What has become of an edit; `undo` is the batch that can be undone, and none where nothing was saved."""

    told: tuple[Block, ...]
    undo: str = ""
    stopped: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Curating:
    """Does what curators press. `native`: with Slack's own chart."""

    ledger: Ledger
    shelf: Shelf
    curators: Curators
    answering: Answering
    native: bool
    look: Look
    settle: float
    clock: Callable[[], float]
    checks: Executor
    wait: Callable[[float], None] = time.sleep

    @classmethod
    def of(cls, curation: Curation, answering: Answering, team: Callable[[], str], checks: Executor) -> Curating:
        """From what it stands on; `team` tells the bot's own workspace, `checks` runs what takes long."""
        return cls(
            ledger=curation.ledger,
            shelf=curation.shelf,
            curators=Curators.of(curation.named, team),
            answering=answering,
            native=answering.sending.layout == "cards",
            look=curation.look,
            settle=curation.settle,
            clock=curation.clock,
            checks=checks,
        )

    # -- the Home tab

    def home(self, act: Act) -> None:
        """The Home tab at the page that was asked for; curators see more of it."""
        if not act.user:
            return
        if self._may(act) and (act.value in ("", views.FRONT) or act.value.partition("@")[0] in board.PAGES):
            self._publish(act, act.value)
        else:
            self.answering.modals.home(act.user, act.value or views.FRONT, act.team)

    def _publish(self, act: Act, page: str, note: Note | None = None) -> None:
        """Show a curator's Home anew; without Slack's own chart where Slack won't have it."""
        seen = self._board(act.team)

        def drawn(native: bool) -> dict[str, Any]:
            if page.partition("@")[0] in board.PAGES:
                view = board.page(seen, page, self._words, note, native)
            else:
                front = views.home(seen.knowledge, views.FRONT, self._words)
                view = board.front(front, seen, self._words, note)
            return {"user_id": act.user, "view": view}

        self._send("views.publish", drawn(self.native), lambda: drawn(False))

    def _board(self, team: str) -> Board:
        ledger = self.ledger
        return Board(
            knowledge=self._knowledge(team),
            now=self.clock(),
            groups=grouped(self._open(team)),
            week=ledger.week(team),
            complaints=ledger.complaints(team),
            history=ledger.history(team, HISTORY),
            trials=ledger.trials(team),
            faults=self.shelf.faults,
            away=ledger.revision(team) < 0,
        )

    # -- presses

    def means(self, act: Act) -> None:
        """Open the modal in which phrasings are given to an entry."""
        if not self._may(act):
            self._refuse(act)
            return
        keys = tuple(act.value.split("\n"))
        found, knowledge = self._asked(act.team, keys), self._knowledge(act.team)
        if found:
            sheet = Sheet(act.page, tuple(miss.key for miss in found))
            view = board.means(sheet, found, sheet.keys, found[0].best, knowledge, self._words)
        else:
            view = board.done(Sheet(act.page), self._quicker(act.team, keys), self._words)
        self._show(act.trigger, view)

    def write(self, act: Act) -> None:
        """Open the modal in which a new answer is written."""
        if not self._may(act):
            self._refuse(act)
            return
        keys = tuple(act.value.split("\n"))
        found = self._asked(act.team, keys)
        if found:
            asks = _lines([miss.text for miss in found])
            view = board.write(Sheet(act.page), "", "", asks, self._words)
        else:
            view = board.done(Sheet(act.page), self._quicker(act.team, keys), self._words)
        self._show(act.trigger, view)

    def settle_as(self, act: Act, kind: ChangeKind) -> None:
        """Take phrasings away from what they come near to ("not_ask"), or out of sight ("ignore")."""
        if not self._may(act):
            self._refuse(act)
            return
        keys = tuple(act.value.split("\n"))
        found, knowledge = self._asked(act.team, keys), self._knowledge(act.team)
        if not found:
            self._publish(act, act.page, Note(self._quicker(act.team, keys)))
            return
        batch = self._batch(act, kind)
        changes = [
            batch(text=miss.text, entry=miss.best if kind == "not_ask" and miss.best in knowledge.by_id else "")
            for miss in found
        ]
        made = self._make(act, changes)
        self._publish(act, act.page, Note(made.told, made.undo))

    def undo(self, act: Act) -> None:
        """Take a batch of edits back, and say so where it was pressed."""
        if not self._may(act):
            self._refuse(act)
            return
        told = self._undone(act.team, act.value)
        if act.view:
            self._update(act.view, board.done(Sheet(act.page), told, self._words))
        self._publish(act, act.page, Note(told))

    def _undone(self, team: str, batch: str) -> tuple[Block, ...]:
        made = [change for change in self.ledger.changes(team) if change.batch == batch]
        try:
            won = self.ledger.undo(team, batch)
        except AskPyError as error:
            return fill(str(error))
        if won:
            what = described(made, self._knowledge(team), self._words) if made else ""
            return fill(self._words["undone"], what=what)
        if self.ledger.revision(team) < 0 or any(change.batch == batch for change in self.ledger.changes(team)):
            return self._not_saved()
        return fill(self._words["undone_before"])

    def trial(self, act: Act, on: bool) -> None:
        """Put a channel on trial, or make it public; its figures are told once more."""
        if not self._may(act):
            self._refuse(act)
            return
        ends = () if on else tuple(each for each in self.ledger.trials(act.team) if each.channel == act.value)
        kept = bool(act.value) and self.ledger.set_trial(act.team, act.value, on, act.by)
        if not kept:
            self._publish(act, act.page, Note(self._not_saved()))
            return
        told = fill(self._words["trial_now" if on else "public_now"], channel=board.channel(act.value))
        for trial in ends:  # its figures go with it
            told += board.figures(trial, self._words)
        self._publish(act, act.page, Note(told, trial="" if on else act.value))

    # -- submissions

    def submitted(self, filled: Filled) -> tuple[Answer, Left | None]:
        """What to acknowledge a modal with, and the work that is left for afterwards."""
        if not self.curators.has(filled.team, filled.user):
            return self._errors(filled, self._words["curate_only"]), None
        return self._means_submitted(filled) if filled.name == "means" else self._written(filled)

    def failed(self, filled: Filled) -> Answer:
        """What to acknowledge a modal with that we have stumbled over; what was typed stays."""
        return self._errors(filled, spoken(self._words["not_saved"], why=self._words["not_saved_oops"]))

    def _means_submitted(self, filled: Filled) -> tuple[Answer, Left | None]:
        sheet, knowledge = Sheet.read(filled.metadata), self._knowledge(filled.team)
        misses = [miss for miss in self.ledger.misses(filled.team, MOST_READ) if miss.key in sheet.keys]
        ticked = filled.under(board.PICKED)
        picked = [miss for miss in misses if miss.key in ticked] if ticked is not None else misses
        entry = filled.value(board.ENTRY)
        if not misses:
            told = self._not_saved() if self.ledger.revision(filled.team) < 0 else fill(self._words["saved_nothing"])
            return _update(board.done(sheet, told, self._words)), None
        if not picked:
            return _errors({f"{board.PICKED}:0": self._words["means_none"]}), None
        if entry not in knowledge.by_id:
            return _errors({board.ENTRY: self._words["means_gone"]}), None
        keys = tuple(miss.key for miss in picked)

        def form(checked: str, status: Sequence[Block] = ()) -> views.View:
            return board.means(replace(sheet, checked=checked), misses, keys, entry, knowledge, self._words, status)

        batch, before = self._batch(filled, "ask"), self.shelf.matcher(filled.team)
        changes = [batch(text=miss.text, entry=entry) for miss in picked]
        made = self._make(filled, changes)

        def left() -> None:
            self._publish_after(filled, sheet, made)
            if not made.stopped:
                look = partial(self._look_back, filled, sheet, before, changes, made, self.clock())
                self.checks.submit(_logged, look)

        return _update(self._outcome(made, sheet, form)), left

    def _written(self, filled: Filled) -> tuple[Answer, Left | None]:
        sheet = Sheet.read(filled.metadata)
        title, answer = " ".join(filled.value(board.TITLE).split()), filled.value(board.ANSWER).strip()
        asks = tuple(dict.fromkeys(line for line in clean(filled.value(board.ASKS)).split("\n") if words(line)))
        told = {board.TITLE: words(title), board.ANSWER: answer, board.ASKS: asks}
        if empty := {name: self._words["write_empty"] for name, found in told.items() if not found}:
            return _errors(empty), None
        heading, typed, listed = (filled.value(name) for name in (board.TITLE, board.ANSWER, board.ASKS))

        def form(checked: str, status: Sequence[Block] = ()) -> views.View:
            return board.write(replace(sheet, checked=checked), heading, typed, listed, self._words, status)

        entry = self._free(filled.team, title)
        change = self._batch(filled, "entry")(entry=entry, title=title, answer=answer, asks=asks)
        return self._checked(filled, sheet, [change], form)

    def _checked(
        self, filled: Filled, sheet: Sheet, changes: Sequence[Change], form: Callable[..., views.View]
    ) -> tuple[Answer, Left | None]:
        """Save what has been looked at as it stands; else look first."""
        checked = self._digest(filled.team, changes)
        if sheet.checked == checked:
            made = self._make(filled, changes)
            return _update(self._outcome(made, sheet, form)), lambda: self._publish_after(filled, sheet, made)
        asked_at = self.clock()
        waiting = board.checking(form(""), self._words)
        look = partial(self._look, filled, sheet, changes, form, asked_at)
        return _update(waiting), lambda: self.checks.submit(_logged, look)

    def _look(
        self, filled: Filled, sheet: Sheet, changes: Sequence[Change], form: Callable[..., views.View], asked_at: float
    ) -> None:
        """See what it would do, and show that."""
        try:
            seen = self.look(self.shelf.matcher(filled.team), changes)
            view = form(self._digest(filled.team, changes), board.review(seen.faults, seen.moved, self._words))
        except Exception as error:  # what was typed must stay
            logger.error("A preview failed\n%s", frames(error))
            view = form("", board.status(fill(self._words["not_saved"], why=self._words["not_saved_oops"])))
        self._settle(asked_at)
        self._update(filled.view, view, failed=partial(self._closed, filled, sheet))

    def _look_back(
        self, filled: Filled, sheet: Sheet, before: Matcher, changes: Sequence[Change], made: _Made, saved_at: float
    ) -> None:
        """See what else it has done, and tell of that beside the way back."""
        seen = self.look(before, changes)
        if not (seen.faults or seen.moved):
            return
        since = board.since(seen.faults, seen.moved, self._words)
        self._settle(saved_at)
        self._update(filled.view, board.done(sheet, made.told, self._words, made.undo, since))

    def _settle(self, answered_at: float) -> None:
        """Wait until Slack has surely dealt with the acknowledgement."""
        if (left := answered_at + self.settle - self.clock()) > 0:
            self.wait(left)

    def _closed(self, filled: Filled, sheet: Sheet, outcome: Outcome) -> None:
        """Say on the Home tab what a modal could no longer say: it was closed meanwhile."""
        if isinstance(outcome, Refused):
            note = Note(fill(self._words["closed_early"]))
            self._publish(Act(team=filled.team, user=filled.user), sheet.page, note)

    def _outcome(self, made: _Made, sheet: Sheet, form: Callable[..., views.View]) -> views.View:
        if made.stopped:
            return form("", board.status(made.told))
        return board.done(sheet, made.told, self._words, made.undo)

    def _publish_after(self, filled: Filled, sheet: Sheet, made: _Made) -> None:
        note = None if made.stopped else Note(made.told, made.undo)
        self._publish(Act(team=filled.team, user=filled.user), sheet.page, note)

    def suggested(self, team: str, user: str, typed: str) -> list[Block]:
        """What a menu of entries offers for what has been typed."""
        return board.suggested(typed, self._knowledge(team)) if self.curators.has(team, user) else []

    # -- edits

    def _batch(self, who: Act | Filled, kind: ChangeKind) -> Callable[..., Change]:
        """What makes the edits of one press."""
        batch, by, at = uuid4().hex, f"{who.team}:{who.user}", self.clock()

        def made(**fields: Any) -> Change:
            return Change(id=uuid4().hex, workspace=who.team, kind=kind, batch=batch, by=by, at=at, **fields)

        return made

    def _make(self, who: Act | Filled, changes: Sequence[Change]) -> _Made:
        """Save those that nobody has made yet, all or none."""
        knowledge = self._knowledge(who.team)
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
                return _Made(fill(str(error)), stopped=True)
            if way is None:
                what = described(fresh, self._knowledge(who.team), self._words)
                return _Made(fill(self._words["saved"], what=what), fresh[0].batch)
            if _meaning(way) not in map(_meaning, fresh):
                return _Made(taken(way, knowledge, self._words), stopped=True)
        if before is None:
            return _Made(self._not_saved(), stopped=True)
        if before.by == f"{who.team}:{who.user}":  # the same press, delivered twice
            what = described([before], knowledge, self._words)
            return _Made(fill(self._words["saved"], what=what), before.batch)
        return _Made(already(before, knowledge, self._words), before.batch)

    def _free(self, team: str, title: str) -> str:
        """An id for a new entry that no entry of the pack has; another curator's same title is for the ledger to find."""
        curated = {change.entry for change in self.ledger.changes(team) if change.kind == "entry"}
        taken = self._knowledge(team).by_id.keys() - curated
        slug = "-".join(re.findall(r"[a-z0-9]+", title.casefold()))[:LONGEST_ID].strip("-")
        slug = slug or f"answer-{key_of(title)[:8]}"
        return next(name for n in range(1, len(taken) + 2) if (name := slug if n == 1 else f"{slug}-{n}") not in taken)

    def _digest(self, team: str, changes: Sequence[Change]) -> str:
        """Names a draft at the state of things that it was looked at in."""
        said = [[each.kind, each.text, each.entry, each.title, each.answer, *each.asks] for each in changes]
        return key_of(json.dumps(said), str(self.ledger.revision(team)))

    # -- what there is

    @property
    def _words(self) -> Words:
        return self.answering.words

    def _knowledge(self, team: str) -> Knowledge:
        return self.shelf.matcher(team).knowledge

    def _open(self, team: str) -> tuple[Miss, ...]:
        """The misses that nobody has dealt with."""
        dealt = settled(self.ledger.changes(team))
        found = self.ledger.misses(team, MOST_READ)
        return tuple(miss for miss in found if not is_settled(miss.text, dealt))[:MOST_OPEN]

    def _asked(self, team: str, keys: Sequence[str]) -> list[Miss]:
        """Those of the named misses that are open, the most asked first."""
        return [miss for miss in self._open(team) if miss.key in keys]

    def _quicker(self, team: str, keys: Sequence[str]) -> tuple[Block, ...]:
        """Who has dealt with these before, and how."""
        if self.ledger.revision(team) < 0:
            return fill(self._words["database_away"])
        for miss in self.ledger.misses(team, MOST_READ):
            for change in self.ledger.changes(team) if miss.key in keys else ():
                if is_settled(miss.text, settled([change])):
                    return already(change, self._knowledge(team), self._words)
        return fill(self._words["saved_nothing"])

    def _not_saved(self) -> tuple[Block, ...]:
        return fill(self._words["not_saved"], why=self._words["database_away"])

    # -- who

    def _may(self, act: Act) -> bool:
        return self.curators.has(act.team, act.user)

    def _refuse(self, act: Act) -> None:
        """Say that this is for curators, and show what everybody sees."""
        if act.view:
            self._update(act.view, board.done(Sheet(), fill(self._words["curate_only"]), self._words))
        if not act.user:
            return
        view = views.home(self._knowledge(act.team), views.FRONT, self._words)
        view |= {"blocks": [aside(self._words["curate_only"]), *view["blocks"]]}
        self._send("views.publish", {"user_id": act.user, "view": view})

    # -- sending

    def _errors(self, filled: Filled, told: str) -> Answer:
        return _errors({filled.first: told})

    def _show(self, trigger: str, view: views.View) -> None:
        args = {"trigger_id": trigger, "view": view}
        self.answering.sending.outbox.send(Request(method="views.open", args=args, lasts=TRIGGER_LASTS))

    def _update(self, name: str, view: views.View, failed: Callable[[Outcome], None] = lambda _: None) -> None:
        args = {"view_id": name, "view": view}
        self.answering.sending.outbox.send(Request(method="views.update", args=args, failed=failed))

    def _send(self, method: str, args: dict[str, Any], simpler: Callable[[], dict[str, Any]] | None = None) -> None:
        self.answering.sending.outbox.send(Request(method=method, args=args, simpler=simpler))


def _logged(work: Left) -> None:
    """Do it; a fault must not vanish in the pool."""
    try:
        work()
    except Exception as error:
        logger.error("What was left of an edit failed\n%s", frames(error))


def _meaning(change: Change) -> tuple[str, ...]:
    """What an edit says, whoever made it."""
    said = (change.kind, change.entry, " ".join(words(change.text)), change.title, change.answer)
    return (*said, *sorted(" ".join(words(each)) for each in change.asks))


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


def _update(view: views.View) -> Answer:
    return {"response_action": "update", "view": view}


def _errors(told: dict[str, str]) -> Answer:
    return {"response_action": "errors", "errors": told}


# --- listeners


def register_curating(
    bolt: App, curating: Curating, listener: Callable[[Callable[[Body], None]], Any], workers: Executor
) -> None:
    """Put the curators' listeners on the app, before those that they stand in for."""

    def action(name: str, work: Callable[[Act], None]) -> None:
        bolt.action(re.compile(rf"^{name}(:|$)"))(listener(lambda body: work(hear.act(body))))

    def submitted(ack: Ack, body: Body) -> None:
        filled = hear.filled(body)
        try:
            answer, left = curating.submitted(filled)
        except Exception as error:  # what was typed must stay
            logger.error("A modal failed\n%s", frames(error))
            answer, left = curating.failed(filled), None
        ack(**answer)
        if left is not None:
            workers.submit(_logged, left)

    def options(ack: Ack, body: Body) -> None:
        ack(options=curating.suggested(*hear.typed(body)))

    bolt.event("app_home_opened")(listener(lambda body: curating.home(hear.opened(body))))
    action("go", curating.home)
    action("means", curating.means)
    action("write", curating.write)
    action("not_ours", lambda act: curating.settle_as(act, "not_ask"))
    action("ignore", lambda act: curating.settle_as(act, "ignore"))
    action("undo", curating.undo)
    action("public", lambda act: curating.trial(act, on=False))
    action("trial", lambda act: curating.trial(act, on=True))
    bolt.view_submission(re.compile("^(means|write)$"))(submitted)
    bolt.options(board.ENTRY)(options)
