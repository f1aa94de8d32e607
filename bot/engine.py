"""The engine: from a question to a reply. Every front end calls it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from bot.model import RESTART, ConversationState, Finding, Knowledge, Question, Reply
from bot.reply import compose, explain, parse_reference, rebuild
from bot.understanding import Matcher

MAX_WITHOUT = 8
"""Cards that a conversation remembers as not wanted: more than anybody lists. The database keeps those that fit its column."""
MAX_OTHERS, MAX_SEEN = 3, 4
"""Ids of other candidates and of earlier replies in a conversation's state: what was offered counts, and "compare them"."""


def _utc_today() -> dt.date:
    return dt.datetime.now(dt.UTC).date()


class MatcherProvider(Protocol):
    """Returns the matcher of a workspace, with its curators' changes. It must not block."""

    def matcher(self, workspace: str = "") -> Matcher: ...


class Engine:
    """Answers questions. It has no state but `memory`, so that threads may share it."""

    def __init__(
        self,
        matchers: Matcher | MatcherProvider,
        memory: ProcessMemory | None = None,
        today: Callable[[], dt.date] = _utc_today,
    ) -> None:
        """Make an engine.

        Args:
            matchers: one matcher for all workspaces, or a provider, which is called for each question.
            memory: keeps the state of conversations between calls of `answer`; without it each question is answered by itself.
            today: the day in UTC, which tells what is past its date.
        """
        self._matchers: MatcherProvider = _SingleMatcher(matchers) if isinstance(matchers, Matcher) else matchers
        self._memory = memory
        self._today = today

    @property
    def knowledge(self) -> Knowledge:
        """The pack that all workspaces share."""
        return self._matchers.matcher().knowledge

    def knowledge_of(self, workspace: str) -> Knowledge:
        """The pack with a workspace's curated changes."""
        return self._matchers.matcher(workspace).knowledge

    def answer(self, question: Question) -> Reply:
        """The reply to a question, with the conversation's state loaded from memory and saved there."""
        reply, state = self.answer_turn(question, self._load(question))
        if self._memory is not None and question.conversation is not None and state is not None:
            self._memory.save(question.conversation, state)
        return reply

    def answer_turn(
        self, question: Question, state: ConversationState | None
    ) -> tuple[Reply, ConversationState | None]:
        """The reply to one message of a conversation with this state, and its next state; None if the state doesn't change."""
        matcher = self._matchers.matcher(question.workspace)
        finding = matcher.find(question.text, state)
        return compose(finding, matcher.knowledge, self._today()), next_state(state, finding)

    def find(self, question: Question) -> Finding:
        """How a question is understood, with the evidence, before the reply is composed. Saves nothing."""
        return self._matchers.matcher(question.workspace).find(question.text, self._load(question))

    def explain(self, question: Question, reference: str = "", understood: str = "", *, raw: bool = False) -> Reply:
        """The evidence behind the answer to a question, as a reply.

        Args:
            question: what was asked.
            reference: the answer's reference. The answer to a follow-up also depends on the conversation's state, which isn't
                kept: if the question by itself gets another answer, the reply says so.
            understood: the reason of that answer.
            raw: with ids and figures.
        """
        matcher = self._matchers.matcher(question.workspace)
        finding, knowledge = matcher.find(question.text, self._load(question)), matcher.knowledge
        answered = parse_reference(reference, knowledge)
        if answered is not None and (answered.kind, answered.ids) != (finding.kind, finding.ids):
            evidence = replace(
                finding.evidence, reason=understood or "what was shown before in the conversation", candidates=()
            )
            finding = replace(answered, evidence=evidence)
        return explain(finding, knowledge, raw=raw)

    def rebuild_reply(self, reference: str, workspace: str = "") -> Reply | None:
        """The reply of a reference; None if the pack no longer has its entries."""
        return rebuild(reference, self.knowledge_of(workspace), self._today())

    def best(self, text: str, top: int) -> list[tuple[str, float]]:
        """The `top` best entries and their scores, before thresholds are applied."""
        return self._matchers.matcher().best(text, top)

    def _load(self, question: Question) -> ConversationState | None:
        if self._memory is None or question.conversation is None:
            return None
        return self._memory.load(question.conversation)


class ProcessMemory:
    """Keeps the states of conversations in memory, for the terminal and the evaluation."""

    def __init__(self) -> None:
        self._states: dict[str, ConversationState] = {}

    def load(self, conversation: str) -> ConversationState | None:
        return self._states.get(conversation)

    def save(self, conversation: str, state: ConversationState) -> None:
        self._states[conversation] = state


class _SingleMatcher:
    """The provider of one matcher for all workspaces."""

    def __init__(self, matcher: Matcher) -> None:
        self._matcher = matcher

    def matcher(self, workspace: str = "") -> Matcher:  # noqa: ARG002  every workspace has the same
        return self._matcher


def next_state(state: ConversationState | None, finding: Finding) -> ConversationState | None:
    """The conversation's state after a finding; None if the finding doesn't change it."""
    new = _shown_state(state, finding)
    if new is None or finding.talk == RESTART:
        return new
    left_out = dict.fromkeys((*(state.without if state is not None else ()), *finding.left_out))
    return replace(new, without=tuple(name for name in left_out if name not in finding.ids)[-MAX_WITHOUT:])


def _shown_state(state: ConversationState | None, finding: Finding) -> ConversationState | None:
    """The same, as far as what was shown goes."""
    if finding.talk == RESTART:
        return ConversationState("help", ())
    if finding.kind in ("help", "smalltalk"):
        return None
    old = state or ConversationState("help", ())
    candidates = (match.id for match in finding.evidence.candidates)
    others = tuple(name for name in candidates if ":" not in name and name not in finding.ids)[:MAX_OTHERS]
    unknown = finding.kind == "unknown"
    if unknown and not (finding.ids or finding.out_of_scope or finding.mentioned_only):
        return replace(old, others=others)
    several = old.ids if len(old.ids) > 1 and old.kind != "unknown" else old.before
    if len(finding.ids) > 1 and not unknown:
        picked = finding.kind == "compare" and bool(set(finding.ids) & {*old.ids, *old.before})
        whole = old.before if old.kind == "compare" else several
        return ConversationState(
            finding.kind, finding.ids, old.group if picked else finding.group, whole if picked else (), others
        )
    new = () if unknown else finding.ids
    seen = (*(name for name in old.seen if name not in new), *new)[-MAX_SEEN:]
    return ConversationState(finding.kind, finding.ids, finding.group or old.group, several, others, seen, finding.part)
