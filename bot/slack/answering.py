"""Ask and draw: what all of Slack's doors share. From what was heard to the requests that answer it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Protocol
from uuid import uuid4

from bot.model import Facts, Kind, Knowledge, Part, Question, Reply, Surface, Waiting
from bot.reply import plain
from bot.slack import limits, views
from bot.slack.access import REFUSED
from bot.slack.blocks import Layout, aside, attribution, draw, escape, prose, quoted
from bot.slack.chores import Books, Chores, chore_of, is_channel
from bot.slack.foot import Foot, Passing, asking_why, telling, under
from bot.slack.hear import (
    Beside,
    Heard,
    Opened,
    Place,
    Posted,
    Pressed,
    Replaced,
    Searched,
    Voted,
    Whispered,
    workspace_of,
)
from bot.slack.journal import Course, Journal
from bot.slack.limits import Block, cut, size
from bot.slack.post import TRIGGER_LASTS, Again, Lost, Outbox, Outcome, Refused, Request, message_id
from bot.slack.promises import Promise, Promises
from bot.slack.recording import Counts, Recorder, outcome_of
from bot.slack.values import Asked, Modal, about, key_of, subject_of
from bot.slack.words import Words

SHARED: frozenset[Kind] = frozenset({"topic", "step", "library", "compare", "list", "recommend"})
"""Kinds of reply that are worth sharing."""
JUDGED: frozenset[Kind] = SHARED | {"unknown"}
"""Kinds of reply that one can ask the reason of, and say whether they helped."""
ESCAPED_TEXT = 4_000
"""Units of `text` once its entities are escaped; Slack splits a message at 4,041."""
THEIR_WORDS = ("why_understood", "why_corrected", "why_strangers", "why_unknown_words")
"""Rows of the evidence that hold a person's words."""


class Desk(Protocol):
    """What answers."""

    @property
    def knowledge(self) -> Knowledge: ...

    def knowledge_of(self, workspace: str) -> Knowledge: ...

    def ask(self, question: Question) -> Reply: ...

    def why(self, question: Question, reference: str = "") -> Reply: ...

    def again(self, reference: str, workspace: str = "") -> Reply | None: ...


class Records(Books, Counts, Protocol):
    """What outlives this process: who answers (of all that claim a key, in all processes, the first one), votes, what is
    counted, and who waits for what."""

    def claim(self, key: str) -> bool: ...

    def hold(self, key: str, owner: str) -> bool: ...

    def begin(self, key: str, owner: str) -> bool: ...

    def release(self, key: str, owner: str = "") -> None: ...

    def vote(
        self, answer: str, voter: str, subject: str, vote: str, reason: str, workspace: str = "", channel: str = ""
    ) -> bool: ...

    def wait(self, workspace: str, key: str, user: str) -> bool: ...

    def waiting(self) -> tuple[Waiting, ...]: ...

    def told(self, workspace: str, key: str, user: str) -> bool: ...


def _nothing() -> None:
    return


@contextmanager
def _settled_on_error(settled: Callable[[], None]) -> Iterator[None]:
    """A promise doesn't outlive a fault of ours."""
    try:
        yield
    except BaseException:
        settled()
        raise


@dataclass(frozen=True, slots=True, kw_only=True)
class _Letter:
    """What is to be said. `key` names it, `given_up` runs if it has surely not arrived, and `settled` when nothing more is
    done about it, or Slack has said for how long."""

    text: str
    draw: Callable[[Layout], list[Block]]
    key: str
    given_up: Callable[[], None] = _nothing
    settled: Callable[[], None] = _nothing
    course: Course | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """A message that is ours to answer as soon as it is acknowledged, unless another delivery of it is faster."""

    heard: Heard
    owner: str
    promise: Promise


class Full(Exception):  # noqa: N818  nothing is at fault
    """There is no room for another message: Slack shall send it again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answering:
    """Answers what was heard. Returns before Slack has the answer; the outbox sees to that.

    `seal` makes a voter unreadable.
    """

    desk: Desk
    records: Records
    outbox: Outbox
    words: Words
    layout: Layout
    promises: Promises
    recorder: Recorder
    chores: Chores
    seal: Callable[[str], str] = key_of
    journal: Journal = field(default_factory=Journal)

    # -- answers

    def hold(self, heard: Heard) -> Held | None:
        """Hold a message before it is acknowledged; None if it is being answered already. Raises Full where it can't be
        promised an answer soon.

        The promise comes first: what is held may have been another delivery's, which is acknowledged already.
        """
        promise, owner = self.promises.make(), uuid4().hex
        if promise is None:
            self.journal.meters.turned_away()
            raise Full
        started = time.monotonic()
        with self.promises.turns:
            held = self.records.hold(heard.key, owner)
        self.promises.hold_takes = time.monotonic() - started
        if held:
            return Held(heard, owner, promise)
        promise.settle()
        self.journal.meters.repeated()
        return None

    def once(self, held: Held) -> None:
        """Answer a message that has been acknowledged."""
        heard = held.heard
        with _settled_on_error(held.promise.settle):
            if self.records.begin(heard.key, held.owner):
                self.answer(heard, lambda: self.records.release(heard.key, held.owner), held.promise.settle)
            else:
                self.journal.meters.repeated()
                held.promise.settle()

    def drop(self, held: Held) -> None:
        """Let go of a message that nobody will answer."""
        self.records.release(held.heard.key, held.owner)
        held.promise.settle()

    def command(self, heard: Heard, settled: Callable[[], None] = _nothing) -> None:
        """Answer a command: a question, or one of the few that are none."""
        with _settled_on_error(settled):
            chore = chore_of(heard.question.text)
            if chore is None:
                self.answer(heard, settled=settled)
                return
            workspace, _, user = heard.asker.partition(":")
            letter = self._letter(self.chores.do(chore, workspace, user, heard.channel), None, heard.key)
            self._send(heard.place, replace(letter, settled=settled))

    def answer(
        self,
        heard: Heard | None,
        given_up: Callable[[], None] = _nothing,
        settled: Callable[[], None] = _nothing,
    ) -> None:
        """Ask the desk and send its reply; `given_up` runs if it has surely not arrived, `settled` in any case."""
        if heard is None:
            return
        question = heard.question
        course = self.journal.heard(question, heard.at)
        match heard.place:
            case Opened() | Replaced():
                reply = self._show(heard.place, heard.asker, course=course)
                trial = False
            case Posted() | Whispered() | Beside():
                reply = self.desk.ask(question)
                course.answered(reply)
                trial = self._on_trial(heard)
                letter = self._answer(heard, reply, "on_trial" if trial else "")
                place = _in_private(heard.place) if trial else heard.place
                self._send(place, replace(letter, given_up=given_up, settled=settled, course=course))
        if heard.typed and reply is not None:
            self.recorder.asked(question, reply, heard.channel if trial else "")

    def _answer(self, heard: Heard, reply: Reply, note: str) -> _Letter:
        private = isinstance(heard.place, Whispered)
        foot = self._foot(reply, heard.question, key_of(heard.key), "share" if private else "")
        told = self.words[note] if note else ""
        if private and heard.typed and reply.kind == "help":
            told = self.chores.known_to(*heard.asker.split(":", 1))
        return self._letter(reply, foot, heard.key, note=told)

    def _on_trial(self, heard: Heard) -> bool:
        """Whether a mention is to be answered in private, to see how well that goes."""
        mentioned = heard.typed and heard.question.surface == "mention" and is_channel(heard.channel)
        return mentioned and self.records.in_trial(heard.question.workspace, heard.channel)

    def apologise(self, place: Place | None) -> None:
        """Say that something went wrong, without saying what."""
        if place is not None:
            self._say(place, self.words["oops"], f"oops:{uuid4()}")

    def _foot(self, reply: Reply, question: Question, key: str, passing: Passing = "") -> Foot | None:
        """What one can go on from: the question for "why", and where it can be passed on, the very reply."""
        if reply.kind not in JUDGED:
            return None
        subject, outcome = subject_of(reply), outcome_of(reply)
        passing = passing if reply.kind in SHARED else ""
        return Foot(
            key=key,
            subject=subject,
            why=question.text,
            again=self._named(reply, subject, question) if passing else None,
            passing=passing,
            unmet=outcome if outcome in ("offered", "missed") else "",
        )

    def _named(self, reply: Reply, subject: str, question: Question) -> Asked:
        """A reply by its ids, where they suffice to make it again; else by its question."""
        seen = self.desk.again(subject, question.workspace)
        return Asked(subject if seen is not None and seen.parts == reply.parts else "", question.text)

    def _letter(
        self,
        reply: Reply,
        foot: Foot | None,
        key: str,
        *,
        above: tuple[Block, ...] = (),
        below: tuple[Block, ...] = (),
        note: str = "",
    ) -> _Letter:
        """A reply between blocks of ours; `note` stands in `text`, too."""

        def drawn(layout: Layout) -> list[Block]:
            rest = [*below, *([aside(note)] if note else []), *under(foot, layout, self.words)]
            room = limits.BLOCKS["message"] - len(above) - len(rest)
            return [*above, *draw(reply, layout, self.words)[:room], *rest]

        return _Letter(text=fallback(reply, note), draw=drawn, key=key)

    def _same(self, asked: Asked, workspace: str) -> Reply | None:
        """The reply that a button speaks of; nothing is remembered of it."""
        reply = self.desk.again(asked.subject, workspace) if asked.subject else None
        if reply is None and asked.question.strip():
            reply = self.desk.ask(Question(asked.question, "command", workspace=workspace))
        return reply

    # -- what couldn't be answered

    def tell(self, pressed: Pressed | None) -> None:
        """Note who wants to know when a question can be answered; answer at once if by now it can."""
        if pressed is None:
            return
        question = pressed.question
        reply = self.desk.ask(question)
        if outcome_of(reply) == "answered":
            if isinstance(pressed.place, Replaced):
                self._show(pressed.place, pressed.asker)
            else:
                self._send(pressed.place, self._letter(reply, None, f"tell:{uuid4()}"))
            return
        key = self.recorder.key(question, reply)
        kept = bool(key) and self.records.wait(question.workspace, key, pressed.user)
        self._tell(pressed, "will_tell" if kept else "cannot_tell")

    def none(self, pressed: Pressed | None) -> None:
        """Note, once, that what was offered isn't what was meant."""
        if pressed is None:
            return
        asked = pressed.asked.question
        if self.records.claim(key_of("none", pressed.key, pressed.user, asked)):
            self.recorder.unmet(pressed.workspace, asked)
        self._tell(pressed, "none_noted", [*telling(pressed.asked, self.words)])

    def _tell(self, pressed: Pressed, word: str, below: list[Block] | None = None) -> None:
        """Say it in private, or in the modal."""
        told = self.words[word]
        if isinstance(pressed.place, (Opened, Replaced)):
            self._show(pressed.place, pressed.asker, Foot(key="", subject="", note=told))
            return
        blocks = [*prose(told), *(below or [])]
        self._send(pressed.place, _Letter(text=escape(told), draw=lambda _: blocks, key=f"{word}:{uuid4()}"))

    def inform(self, waiting: Waiting, later: Callable[[], None]) -> None:
        """Send somebody the answer that they wait for, if there is one now; one process does, and once. `later` runs if it
        has surely not arrived: they wait on."""
        question = Question(waiting.text, "dm", workspace=waiting.workspace)
        reply = self.desk.ask(question)
        name = (waiting.workspace, waiting.key, waiting.user)
        if outcome_of(reply) != "answered" or not self.records.told(*name):
            return
        key = f"told:{uuid4()}"
        note, foot = self.words["told_note"], self._foot(reply, question, key_of(key))
        letter = self._letter(reply, foot, key, above=(quoted(waiting.text),), note=note)
        request = self._posted(Posted(waiting.user, "", waiting.user), letter)

        def failed(outcome: Outcome) -> None:
            if isinstance(outcome, Again):
                self.records.wait(*name)
                later()

        self.outbox.send(replace(request, failed=failed))

    # -- why

    def why(self, pressed: Pressed | None) -> None:
        """Tell privately why an answer is what it is."""
        if pressed is None:
            return
        told = self.desk.why(pressed.question, pressed.asked.subject)
        alone = pressed.asked.subject and about(pressed.asked.subject) != about(subject_of(told))
        blocks = [*draw(told, "classic", self.words), *([aside(self.words["why_alone"])] if alone else [])]
        match pressed.place:
            case Replaced(view, modal):
                self._update(view, views.modal(modal, blocks, self.words, back=0))
            case place:
                letter = _Letter(text=self._spoken(told), draw=lambda _: blocks, key=f"why:{uuid4()}")
                self._send(place, letter)

    def _spoken(self, told: Reply) -> str:
        """The evidence for `text`, where a person's words never stand."""
        lines = self.desk.knowledge.voice.lines
        theirs = {lines.get(key) for key in THEIR_WORDS}

        def quiet(part: Part) -> Part:
            if not isinstance(part, Facts):
                return part
            rows = ((label, self.words["your_question"] if label in theirs else value) for label, value in part.rows)
            return Facts(tuple(rows))

        return fallback(replace(told, parts=tuple(map(quiet, told.parts))))

    # -- votes

    def vote(self, voted: Voted | None) -> None:
        """Count a vote, thank for it, and ask what was wrong. The last one of a person counts."""
        if voted is None:
            return
        ballot = voted.ballot
        voter = self.seal(f"{ballot.key}:{voted.asker}")
        workspace = workspace_of(voted.asker)
        on_trial = is_channel(voted.channel) and self.records.in_trial(workspace, voted.channel)
        channel = voted.channel if on_trial else ""
        kept = self.records.vote(ballot.key, voter, ballot.subject, ballot.vote, ballot.reason, workspace, channel)
        bad = kept and ballot.vote == "bad" and not ballot.reason
        if isinstance(voted.place, (Opened, Replaced)):
            lost = "" if kept else self.words["vote_lost"]
            self._show(voted.place, voted.asker, Foot(key="", subject="", state="bad" if bad else "voted", note=lost))
            return
        told = self.words["what_was_wrong" if bad else "feedback_thanks" if kept else "vote_lost"]
        blocks = asking_why(ballot.key, ballot.subject, self.words) if bad else prose(told)
        self._send(voted.place, _Letter(text=escape(told), draw=lambda _: blocks, key=f"vote:{uuid4()}"))

    # -- passing an answer on

    def share(self, pressed: Pressed | None) -> None:
        """Post a private answer in the channel, once, and take its button away."""
        if pressed is None or not pressed.url:
            return
        reply = self._same(pressed.asked, pressed.workspace)
        if reply is None:
            self._say(pressed.place, self.words["not_there"], pressed.key + ":gone")
            return
        key = f"share:{pressed.key}"
        foot = self._foot(reply, pressed.question, key_of(key))
        mine = self._letter(reply, foot and replace(foot, note=self.words["shared"]), key + ":mine")
        shown = _whisper(pressed.url, mine.text, mine.draw("classic"), mine.key, replaces=True)
        if not self.records.claim(key):
            self.outbox.send(shown)
            return
        # The question was asked in private: what others see doesn't carry it.
        letter = self._letter(
            reply, foot and replace(foot, why=""), key, below=(attribution(pressed.user, self.words),)
        )
        args = _message(letter.text, letter.draw("classic"), key)
        args |= {"response_type": "in_channel", "replace_original": False}
        failed = partial(self._not_shared, pressed, key)
        self.outbox.send(Request(url=pressed.url, args=args, then=lambda: self.outbox.send(shown), failed=failed))

    def _not_shared(self, pressed: Pressed, key: str, outcome: Outcome) -> None:
        if isinstance(outcome, (Again, Refused)):
            self.records.release(key)
            self._say(pressed.place, self.words["cannot_share"], key + ":sorry")

    def reply(self, pressed: Pressed | None) -> None:
        """Post a modal's answer in the thread of the message that the modal was opened on, once."""
        if pressed is None or not isinstance(pressed.place, Replaced) or not pressed.place.modal.channel:
            return
        place, modal = pressed.place, pressed.place.modal
        reply = self._same(pressed.asked, pressed.workspace)
        if reply is None:
            self._say(place, self.words["not_there"], pressed.key)
            return
        key = ":".join(("reply", pressed.asker.partition(":")[0], modal.channel, modal.thread, subject_of(reply)))
        if not self.records.claim(key):
            self._note(place, pressed.asker, "already_replied")
            return

        def failed(outcome: Outcome) -> None:
            if not isinstance(outcome, Lost):
                self.records.release(key)
            self._note(place, pressed.asker, "unsure_reply" if isinstance(outcome, Lost) else "cannot_reply")

        foot = self._foot(reply, replace(pressed.question, text=modal.question), key_of(key))
        letter = self._letter(reply, foot, key, below=(attribution(pressed.user, self.words),))
        request = self._posted(Posted(modal.channel, modal.thread, pressed.user), letter)
        then = partial(self._note, place, pressed.asker, "replied")
        self.outbox.send(replace(request, then=then, failed=failed))

    def _note(self, place: Replaced, asker: str, word: str) -> None:
        """Say in the modal what has become of it; there is nothing more to press about it unless it failed."""
        self._show(place, asker, Foot(key="", subject="", note=self.words[word]), again=word == "cannot_reply")

    # -- modals and the Home tab

    def home(self, user: str, page: str = views.FRONT, workspace: str = "") -> None:
        """The App Home: what the bot is for, questions to press, and all there is to look around in."""
        if user:
            view = views.home(self.desk.knowledge_of(workspace), page, self.words)
            self.outbox.send(Request(method="views.publish", args={"user_id": user, "view": view}))

    def search(self, opened: Opened | None) -> None:
        """Open the search."""
        if opened is not None:
            page = views.search_page(self.desk.knowledge, self.words)
            self._open(opened.trigger, views.modal(opened.modal, page, self.words))

    def found(self, searched: Searched) -> tuple[dict[str, Any], Callable[[], None]]:
        """What to acknowledge a search with: the modal with the answer in it, or a complaint; and what to do then."""
        if not searched.words:
            return {"response_action": "errors", "errors": {searched.block: self.words["search_empty"]}}, _nothing
        modal = searched.modal.asking(searched.words)
        question = Question(searched.words, "home", workspace=workspace_of(searched.asker))
        course = self.journal.heard(question)
        view, reply = self._page(modal, searched.asker)

        def record() -> None:
            if reply is not None:
                course.answered(reply)
                course.acknowledged()
                self.recorder.asked(question, reply)

        return {"response_action": "update", "view": view}, record

    def failed(self, searched: Searched) -> dict[str, Any]:
        """What to acknowledge a search with that we have stumbled over."""
        view = views.modal(searched.modal, prose(self.words["oops"]), self.words)
        return {"response_action": "update", "view": view}

    def turn(self, place: Replaced | None, asker: str) -> None:
        """Show what a modal remembers."""
        if place is not None:
            self._show(place, asker)

    def _show(
        self,
        place: Opened | Replaced,
        asker: str,
        over: Foot | None = None,
        again: bool = True,
        course: Course | None = None,
    ) -> Reply | None:
        """Show in a modal what it remembers; `over` brings the state and the note of its foot."""
        view, reply = self._page(place.modal, asker, over, again)
        if course is not None and reply is not None:
            course.answered(reply)
        match place:
            case Opened(trigger):
                self._open(trigger, view, course)
            case Replaced(name):
                self._update(name, view, course)
        return reply

    def _page(
        self, modal: Modal, asker: str, over: Foot | None = None, again: bool = True
    ) -> tuple[views.View, Reply | None]:
        """The modal's present page, and the reply on it. What is asked in a modal stands by itself, so that it can be shown
        again."""
        back = 1 if len(modal.trail) > 1 else None
        if modal.search and not modal.trail:
            return views.modal(modal, views.search_page(self.desk.knowledge, self.words), self.words), None
        surface: Surface = "home" if modal.search or not modal.channel else "shortcut"
        question = Question(modal.question, surface, workspace=workspace_of(asker))
        reply = self.desk.ask(question)
        passing: Passing = "reply" if modal.channel and again else ""
        foot = self._foot(reply, question, key_of("view", asker, subject_of(reply)), passing)
        if foot is not None and over is not None:
            foot = replace(foot, state=over.state, note=over.note)
        return views.modal(modal, self._letter(reply, foot, "").draw("classic"), self.words, back), reply

    def _open(self, trigger: str, view: views.View, course: Course | None = None) -> None:
        args = {"trigger_id": trigger, "view": view}
        self._hand_over(Request(method="views.open", args=args, lasts=TRIGGER_LASTS), course)

    def _update(self, name: str, view: views.View, course: Course | None = None) -> None:
        self._hand_over(Request(method="views.update", args={"view_id": name, "view": view}), course)

    def _hand_over(self, request: Request, course: Course | None) -> None:
        """Send it; if it carries an answer, the journal hears what becomes of it."""
        self.outbox.send(request if course is None else course.watched(request))

    # -- letters

    def _say(self, place: Place, word: str, key: str) -> None:
        blocks = prose(word)
        self._send(place, _Letter(text=escape(word), draw=lambda _: blocks, key=key))

    def _send(self, place: Place, letter: _Letter) -> None:
        match place:
            case Posted():
                self._hand_over(self._posted(place, letter), letter.course)
            case Whispered(url):
                whisper = _whisper(url, letter.text, letter.draw("classic"), letter.key)
                self._hand_over(replace(whisper, settled=letter.settled), letter.course)
            case Beside():
                self._hand_over(_beside(place, letter, self.outbox.send), letter.course)
            case Opened(trigger, modal):
                self._open(trigger, views.modal(modal, letter.draw("classic"), self.words), letter.course)
            case Replaced(name, modal):
                self._update(name, views.modal(modal, letter.draw("classic"), self.words, back=0), letter.course)

    def _posted(self, place: Posted, letter: _Letter) -> Request:
        where: dict[str, Any] = {"channel": place.channel}
        if place.thread:
            where["thread_ts"] = place.thread
        drawn = letter.draw(self.layout)

        def simpler() -> dict[str, Any]:
            classic = letter.draw("classic")
            return where | _message(letter.text, classic if classic != drawn else [], letter.key)

        return Request(
            method="chat.postMessage",
            args=where | _message(letter.text, drawn, letter.key),
            simpler=simpler,
            failed=partial(self._not_posted, place, letter),
            settled=letter.settled,
        )

    def _not_posted(self, place: Posted, letter: _Letter, outcome: Outcome) -> None:
        """Tell the asker privately, where there is a way; forget the claim of what has surely not arrived."""
        if isinstance(outcome, Again):
            letter.given_up()
        if not isinstance(outcome, Refused):
            return
        if place.url:
            self.outbox.send(_whisper(place.url, letter.text, letter.draw("classic"), letter.key + ":private"))
            return
        if outcome.code in REFUSED:  # the token: no method takes it
            return
        where = {"channel": place.channel, "user": place.asker} | ({"thread_ts": place.thread} if place.thread else {})
        args = where | _message(escape(self.words["cannot_post"]), [], letter.key + ":cannot")
        self.outbox.send(Request(method="chat.postEphemeral", args=args))


def fallback(reply: Reply, note: str = "") -> str:
    """The whole reply for `text`, in which Slack reads entities but finds none; and a note below it."""
    told, room = plain(reply), ESCAPED_TEXT - (size(escape(note)) + 2 if note else 0)
    while size(escape(told)) > room:
        told = cut(told, size(told) - 100)
    return escape(f"{told}\n\n{note}" if note else told)


def _message(text: str, blocks: list[Block], key: str) -> dict[str, Any]:
    """The arguments that every message has."""
    return {
        "text": text,
        **({"blocks": blocks} if blocks else {}),
        "mrkdwn": False,
        "unfurl_links": False,
        "unfurl_media": False,
        "client_msg_id": message_id(key),
    }


def _whisper(url: str, text: str, blocks: list[Block], key: str, replaces: bool = False) -> Request:
    private = {"response_type": "ephemeral", "replace_original": replaces}
    return Request(url=url, args=_message(text, blocks, key) | private)


def _beside(place: Beside, letter: _Letter, send: Callable[[Request], None]) -> Request:
    """A private word. In a thread it needs a method of the Web API, which needs a member; elsewhere a response_url does."""
    whisper = _whisper(place.url, letter.text, letter.draw("classic"), letter.key, replaces=place.instead)
    if place.url and (place.instead or not place.thread):
        return whisper
    where = {"channel": place.channel, "user": place.user} | ({"thread_ts": place.thread} if place.thread else {})

    def failed(outcome: Outcome) -> None:
        if isinstance(outcome, Again):
            letter.given_up()
        if isinstance(outcome, Refused) and place.url:
            send(whisper)

    args = where | _message(letter.text, letter.draw("classic"), letter.key)
    return Request(method="chat.postEphemeral", args=args, failed=failed, settled=letter.settled)


def _in_private(place: Place) -> Place:
    """Where only who asked can read it, beside the message or in its thread; a thread that nobody has begun yet would hide
    it."""
    if not isinstance(place, Posted):
        return place
    return Beside(place.channel, "" if place.begins else place.thread, place.asker, "")
