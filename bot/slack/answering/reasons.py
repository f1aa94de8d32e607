"""Why an answer is what it is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import uuid4

from bot.model import Facts, Part, Reply
from bot.slack import views
from bot.slack.answering.letter import Letter, fallback
from bot.slack.answering.partners import Desk
from bot.slack.answering.sending import Sending
from bot.slack.blocks import aside, draw
from bot.slack.hear import Pressed, Replaced
from bot.slack.values import about, subject_of
from bot.slack.words import Words

THEIR_WORDS = ("why_understood", "why_corrected", "why_strangers", "why_unknown_words")
"""Rows of the evidence that hold a person's words."""


@dataclass(frozen=True, slots=True)
class Reasons:
    """Tells the reasons in private."""

    desk: Desk
    words: Words
    sending: Sending

    def why(self, pressed: Pressed | None) -> None:
        """Tell privately why an answer is what it is."""
        if pressed is None:
            return
        told = self.desk.why(pressed.question, pressed.asked.subject)
        alone = pressed.asked.subject and about(pressed.asked.subject) != about(subject_of(told))
        blocks = [*draw(told, "classic", self.words), *([aside(self.words["why_alone"])] if alone else [])]
        match pressed.place:
            case Replaced(view, modal):
                self.sending.update(view, views.modal(modal, blocks, self.words, back=0))
            case place:
                letter = Letter(text=self._spoken(told), draw=lambda _: blocks, key=f"why:{uuid4()}")
                self.sending.send(place, letter)

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
