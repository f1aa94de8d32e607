"""Answers: from what was heard to the letter that answers it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from uuid import uuid4

from bot.model import Reply
from bot.slack.answering.letter import Letter
from bot.slack.answering.modals import Modals
from bot.slack.answering.partners import Desk, Records
from bot.slack.answering.passing import Passage
from bot.slack.answering.reasons import Reasons
from bot.slack.answering.replies import Replies
from bot.slack.answering.sending import Sending
from bot.slack.answering.unmet import Unmet
from bot.slack.answering.votes import Votes
from bot.slack.blocks import Layout
from bot.slack.chores import Chores, chore_of, is_channel
from bot.slack.hear import Beside, Heard, Opened, Place, Posted, Replaced, Whispered
from bot.slack.journal import Journal
from bot.slack.post import Outbox, nothing
from bot.slack.promises import Promise, Promises
from bot.slack.recording import Recorder
from bot.slack.values import key_of
from bot.slack.words import Words


@contextmanager
def _settled_on_error(settled: Callable[[], None]) -> Iterator[None]:
    """A promise doesn't outlive a fault of ours."""
    try:
        yield
    except BaseException:
        settled()
        raise


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
    """Answers what was heard. Returns before Slack has the answer; the outbox sees to that. What is pressed afterwards is
    for its parts."""

    desk: Desk
    records: Records
    words: Words
    replies: Replies
    sending: Sending
    promises: Promises
    recorder: Recorder
    chores: Chores
    journal: Journal
    modals: Modals
    unmet: Unmet
    reasons: Reasons
    votes: Votes
    passage: Passage

    @classmethod
    def of(
        cls,
        *,
        desk: Desk,
        records: Records,
        outbox: Outbox,
        words: Words,
        layout: Layout,
        promises: Promises,
        recorder: Recorder,
        chores: Chores,
        seal: Callable[[str], str] = key_of,
        journal: Journal,
    ) -> Answering:
        """All parts, joined. `seal` makes a voter unreadable."""
        replies, sending = Replies(desk), Sending(outbox, words, layout)
        modals = Modals(desk, words, replies, sending, recorder, journal)
        return cls(
            desk=desk,
            records=records,
            words=words,
            replies=replies,
            sending=sending,
            promises=promises,
            recorder=recorder,
            chores=chores,
            journal=journal,
            modals=modals,
            unmet=Unmet(desk, records, words, replies, sending, modals, recorder),
            reasons=Reasons(desk, words, sending),
            votes=Votes(records, words, sending, modals, seal),
            passage=Passage(records, words, replies, sending, modals),
        )

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

    def command(self, heard: Heard, settled: Callable[[], None] = nothing) -> None:
        """Answer a command: a question, or one of the few that are none."""
        with _settled_on_error(settled):
            chore = chore_of(heard.question.text)
            if chore is None:
                self.answer(heard, settled=settled)
                return
            workspace, _, user = heard.asker.partition(":")
            letter = self.sending.letter(self.chores.do(chore, workspace, user, heard.channel), None, heard.key)
            self.sending.send(heard.place, replace(letter, settled=settled))

    def answer(
        self,
        heard: Heard | None,
        given_up: Callable[[], None] = nothing,
        settled: Callable[[], None] = nothing,
    ) -> None:
        """Ask the desk and send its reply; `given_up` runs if it has surely not arrived, `settled` in any case."""
        if heard is None:
            return
        question = heard.question
        course = self.journal.heard(question, heard.at)
        match heard.place:
            case Opened() | Replaced():
                reply = self.modals.show(heard.place, heard.asker, course=course)
                trial = False
            case Posted() | Whispered() | Beside():
                reply = self.desk.ask(question)
                course.answered(reply)
                trial = self._on_trial(heard)
                letter = self._answer(heard, reply, "on_trial" if trial else "")
                place = _in_private(heard.place) if trial else heard.place
                self.sending.send(place, replace(letter, given_up=given_up, settled=settled, course=course))
        if heard.typed and reply is not None:
            self.recorder.asked(question, reply, heard.channel if trial else "")

    def _answer(self, heard: Heard, reply: Reply, note: str) -> Letter:
        private = isinstance(heard.place, Whispered)
        foot = self.replies.foot(reply, heard.question, key_of(heard.key), "share" if private else "")
        told = self.words[note] if note else ""
        if private and heard.typed and reply.kind == "help":
            told = self.chores.known_to(*heard.asker.split(":", 1))
        return self.sending.letter(reply, foot, heard.key, note=told)

    def _on_trial(self, heard: Heard) -> bool:
        """Whether a mention is to be answered in private, to see how well that goes."""
        mentioned = heard.typed and heard.question.surface == "mention" and is_channel(heard.channel)
        return mentioned and self.records.in_trial(heard.question.workspace, heard.channel)

    def apologise(self, place: Place | None) -> None:
        """Say that something went wrong, without saying what."""
        if place is not None:
            self.sending.say(place, self.words["oops"], f"oops:{uuid4()}")


def _in_private(place: Place) -> Place:
    """Where only who asked can read it, beside the message or in its thread; a thread that nobody has begun yet would hide
    it."""
    if not isinstance(place, Posted):
        return place
    return Beside(place.channel, "" if place.begins else place.thread, place.asker, "")
