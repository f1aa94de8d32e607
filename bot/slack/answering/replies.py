"""What can be done with a reply: which of them can be passed on, asked about and judged."""

from __future__ import annotations

from dataclasses import dataclass

from bot.model import Kind, Question, Reply
from bot.slack.answering.partners import Desk
from bot.slack.foot import Foot, Passing
from bot.slack.recording import outcome_of
from bot.slack.values import Asked, subject_of

SHARED: frozenset[Kind] = frozenset({"topic", "step", "library", "compare", "list", "recommend"})
"""Kinds of reply that are worth sharing."""
JUDGED: frozenset[Kind] = SHARED | {"unknown"}
"""Kinds of reply that one can ask the reason of, and say whether they helped."""


@dataclass(frozen=True, slots=True)
class Replies:
    """Names replies, so that buttons can speak of them, and finds them again. Nothing is remembered of them."""

    desk: Desk

    def foot(self, reply: Reply, question: Question, key: str, passing: Passing = "") -> Foot | None:
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

    def same(self, asked: Asked, workspace: str) -> Reply | None:
        """The reply that a button speaks of; nothing is remembered of it."""
        reply = self.desk.again(asked.subject, workspace) if asked.subject else None
        if reply is None and asked.question.strip():
            reply = self.desk.ask(Question(asked.question, "command", workspace=workspace))
        return reply
