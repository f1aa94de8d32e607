"""What couldn't be answered: who waits for it, what else was meant, and telling them when there is an answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from uuid import uuid4

from bot.model import Question, Waiting
from bot.slack.answering.letter import Letter
from bot.slack.answering.modals import Modals
from bot.slack.answering.partners import Desk, Records
from bot.slack.answering.replies import Replies
from bot.slack.answering.sending import Sending
from bot.slack.blocks import escape, prose, quoted
from bot.slack.foot import Foot, telling
from bot.slack.hear import Opened, Posted, Pressed, Replaced
from bot.slack.limits import Block
from bot.slack.post import Again, Outcome
from bot.slack.recording import Recorder, outcome_of
from bot.slack.values import key_of
from bot.slack.words import Words


@dataclass(frozen=True, slots=True)
class Unmet:
    """Notes what is missing, and tells those who wait."""

    desk: Desk
    records: Records
    words: Words
    replies: Replies
    sending: Sending
    modals: Modals
    recorder: Recorder

    def tell(self, pressed: Pressed | None) -> None:
        """Note who wants to know when a question can be answered; answer at once if by now it can."""
        if pressed is None:
            return
        question = pressed.question
        reply = self.desk.ask(question)
        if outcome_of(reply) == "answered":
            if isinstance(pressed.place, Replaced):
                self.modals.show(pressed.place, pressed.asker)
            else:
                self.sending.send(pressed.place, self.sending.letter(reply, None, f"tell:{uuid4()}"))
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
            self.modals.show(pressed.place, pressed.asker, Foot(key="", subject="", note=told))
            return
        blocks = [*prose(told), *(below or [])]
        self.sending.send(pressed.place, Letter(text=escape(told), draw=lambda _: blocks, key=f"{word}:{uuid4()}"))

    def inform(self, waiting: Waiting, later: Callable[[], None]) -> None:
        """Send somebody the answer that they wait for, if there is one now; one process does, and once. `later` runs if it
        has surely not arrived: they wait on."""
        question = Question(waiting.text, "dm", workspace=waiting.workspace)
        reply = self.desk.ask(question)
        name = (waiting.workspace, waiting.key, waiting.user)
        if outcome_of(reply) != "answered" or not self.records.told(*name):
            return
        key = f"told:{uuid4()}"
        note, foot = self.words["told_note"], self.replies.foot(reply, question, key_of(key))
        letter = self.sending.letter(reply, foot, key, above=(quoted(waiting.text),), note=note)
        request = self.sending.posted(Posted(waiting.user, "", waiting.user), letter)

        def failed(outcome: Outcome) -> None:
            if isinstance(outcome, Again):
                self.records.wait(*name)
                later()

        self.sending.outbox.send(replace(request, failed=failed))
