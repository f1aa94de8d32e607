"""The journal: one line in the log for each answer, and its numbers in the meters. Ids, kinds, scores and times; never words."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from bot.model import Question, Reply
from bot.slack.meters import Meters
from bot.slack.post import Again, Lost, Outcome, Refused, Request, Sent

MOST_IDS = 8
"""Ids that a line names; a list may have twenty-five, and the group says as much."""

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Course:
    """One answer on its way, from hearing the question. `began` and `handed` are moments of the clock."""

    journal: Journal
    question: Question
    began: float
    reply: Reply | None = None
    handed: float = 0.0

    def answered(self, reply: Reply) -> None:
        """The desk has answered."""
        self.reply = reply
        self.journal.meters.question(reply.kind, self.question.surface)

    def watched(self, request: Request) -> Request:
        """The request that carries the answer and is just handed over; the journal hears its end."""
        self._hand_over()

        def then() -> None:
            self.ended(Sent())
            request.then()

        def failed(outcome: Outcome) -> None:
            self.ended(outcome)
            request.failed(outcome)

        return replace(request, then=then, failed=failed)

    def acknowledged(self) -> None:
        """The answer went as an acknowledgement: Slack has it."""
        self._hand_over()
        self.ended(Sent())

    def _hand_over(self) -> None:
        self.handed = self.journal.clock()
        self.journal.meters.took("handed", self.handed - self.began)

    def ended(self, outcome: Outcome) -> None:
        """Write the line."""
        reply, journal, now = self.reply, self.journal, self.journal.clock()
        if reply is None:
            return
        what, code = _told(outcome)
        if what == "posted":
            journal.meters.took("posted", now - self.began)
        journal.meters.ended(what)
        fields = {
            "event": "answer",
            "workspace": self.question.workspace,
            "surface": self.question.surface,
            "kind": reply.kind,
            "ids": list(reply.ids[:MOST_IDS]),
            "confidence": round(reply.confidence, 3),
            "ms": round((self.handed - self.began) * 1000),
            "posted_ms": round((now - self.began) * 1000),
            "outcome": what,
        }
        logger.info("answer", extra={"fields": fields | ({"code": code} if code else {})})


@dataclass(frozen=True, slots=True)
class Journal:
    """Writes down what becomes of answers."""

    meters: Meters = field(default_factory=Meters)
    clock: Callable[[], float] = time.monotonic

    def heard(self, question: Question, at: float | None = None) -> Course:
        """A question was heard, at that moment of the clock or just now."""
        return Course(self, question, self.clock() if at is None else at)


def error_of(outcome: Outcome) -> str:
    """Why Slack hasn't taken a request, or may not have; empty if it has."""
    return _told(outcome)[1]


def _told(outcome: Outcome) -> tuple[str, str]:
    """What became of an answer, and Slack's code for it."""
    match outcome:
        case Sent():
            return "posted", ""
        case Refused(code):
            return "refused", code
        case Again(reason):
            return "given up", reason
        case Lost(reason):
            return "unknown", reason
