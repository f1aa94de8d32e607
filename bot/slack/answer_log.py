"""One line in the log for each answer, and its counts in the metrics: ids, kinds, scores and times, never words."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from bot.model import Question, Reply
from bot.slack.metrics import Metrics
from bot.slack.transport.client import Outcome, Refused, Retry, Sent, Unknown

MOST_IDS = 8
"""Ids that a line names; a list may have twenty-five, and the group says as much."""

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class AnswerTrace:
    """One question on its way to its answer. `received_at` and `sent_at` are seconds of the log's clock."""

    log: AnswerLog
    question: Question
    received_at: float
    reply: Reply | None = None
    sent_at: float = 0.0
    outcome: Outcome | None = None

    def answered(self, reply: Reply) -> None:
        """The engine has answered."""
        self.reply = reply
        self.log.metrics.question(reply.kind, self.question.surface)

    def sending(self) -> None:
        """The answer is being sent from now on."""
        self.sent_at = self.log.clock()
        self.log.metrics.observe("handed", self.sent_at - self.received_at)

    def finish(self) -> None:
        """Write the line, if there was an answer and it was sent."""
        if self.reply is None or self.outcome is None:
            return
        outcome, code = describe(self.outcome)
        now, metrics = self.log.clock(), self.log.metrics
        if outcome == "posted":
            metrics.observe("posted", now - self.received_at)
        metrics.answer(outcome)
        fields = {
            "event": "answer",
            "workspace": self.question.workspace,
            "surface": self.question.surface,
            "kind": self.reply.kind,
            "ids": list(self.reply.ids[:MOST_IDS]),
            "confidence": round(self.reply.confidence, 3),
            "ms": round((self.sent_at - self.received_at) * 1000),
            "posted_ms": round((now - self.received_at) * 1000),
            "outcome": outcome,
        }
        logger.info("answer", extra={"fields": fields | ({"code": code} if code else {})})


@dataclass(frozen=True, slots=True)
class AnswerLog:
    """Starts a trace for each question."""

    metrics: Metrics
    clock: Callable[[], float] = time.monotonic

    def start(self, question: Question, received_at: float | None = None) -> AnswerTrace:
        """The trace of a question that was received at that moment of the clock, or just now."""
        return AnswerTrace(self, question, self.clock() if received_at is None else received_at)


def describe(outcome: Outcome) -> tuple[str, str]:
    """What became of an answer, in a word for the log and the metrics, and Slack's code for it."""
    match outcome:
        case Sent():
            return "posted", ""
        case Refused(code):
            return "refused", code
        case Retry(reason):
            return "given up", reason
        case Unknown(reason):
            return "unknown", reason
