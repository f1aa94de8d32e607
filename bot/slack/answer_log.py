"""One line in the log for each answer, and its counts in the metrics: ids, kinds, scores and times, never words."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from bot.model import Question, Reply
from bot.slack.metrics import Metrics
from bot.slack.transport.client import NotSent, Refused, SendResult, Sent, Unknown

MAX_IDS = 8
"""Ids in a line; a list may have twenty-five, and is identified by its group."""

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class AnswerTrace:
    """Collects what is logged about one question. `received_at` and `sent_at` are seconds of the log's clock."""

    log: AnswerLog
    question: Question
    received_at: float
    reply: Reply | None = None
    sent_at: float = 0.0
    result: SendResult | None = None

    def answered(self, reply: Reply) -> None:
        """The engine has made the reply."""
        self.reply = reply
        self.log.metrics.question(reply.kind, self.question.surface)

    def sending(self) -> None:
        """The answer is handed over to be sent."""
        self.sent_at = self.log.clock()
        self.log.metrics.observe("handed", self.sent_at - self.received_at)

    def finish(self) -> None:
        """Write the line, if there was an answer and it was sent."""
        if self.reply is None or self.result is None:
            return
        outcome, code = describe(self.result)
        now, metrics = self.log.clock(), self.log.metrics
        if outcome == "posted":
            metrics.observe("posted", now - self.received_at)
        metrics.answer(outcome)
        fields = {
            "event": "answer",
            "workspace": self.question.workspace,
            "surface": self.question.surface,
            "kind": self.reply.kind,
            "ids": list(self.reply.ids[:MAX_IDS]),
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
        """The trace of a question that was received at `received_at`, by default now."""
        return AnswerTrace(self, question, self.clock() if received_at is None else received_at)


def describe(result: SendResult) -> tuple[str, str]:
    """The result of sending an answer as a word for the log and the metrics, and Slack's code or the reason."""
    match result:
        case Sent():
            return "posted", ""
        case Refused(code):
            return "refused", code
        case NotSent(reason):
            return "given up", reason
        case Unknown(reason):
            return "unknown", reason
