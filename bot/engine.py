"""The engine: a question goes in, a reply comes out. Every front end asks here."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from bot.match import Matcher
from bot.model import RESTART, ConversationMemory, ConversationState, Finding, Knowledge, Question, Reply
from bot.reply import again, compose, explain, named

MOST_OTHERS = 3
MOST_SEEN = 4
"""Ids that are remembered beside the last reply's: enough for "compare them" and "no, the library"."""


class MatcherProvider(Protocol):
    """Gives the matcher of a workspace, with its curators' changes. Answers from memory, and never blocks."""

    def matcher(self, workspace: str = "") -> Matcher: ...


class Engine:
    """Answers questions. Nothing in it changes, so that threads may share it; only `memory` remembers something."""

    def __init__(self, matchers: Matcher | MatcherProvider, memory: ConversationMemory | None = None) -> None:
        """Answers by one matcher for good, or by the one that the provider has when it is asked.

        Args:
            matchers: a matcher, or what gives one for each workspace.
            memory: keeps the state of conversations between calls of `answer`; without one each question stands alone.
        """
        self._matchers: MatcherProvider = _SingleMatcher(matchers) if isinstance(matchers, Matcher) else matchers
        self._memory = memory

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
        """The reply to one message of a conversation that is in `state`, and its next state; None: it stays as it is."""
        matcher = self._matchers.matcher(question.workspace)
        finding = matcher.find(question.text, state)
        return compose(finding, matcher.knowledge), next_state(state, finding)

    def find(self, question: Question) -> Finding:
        """What a question was understood as, with the evidence, before it is put into words. Saves nothing."""
        return self._matchers.matcher(question.workspace).find(question.text, self._load(question))

    def explain(self, question: Question, reference: str = "", *, raw: bool = False) -> Reply:
        """The evidence behind the answer to a question, as a reply.

        Args:
            question: what was asked.
            reference: the answer's reference. A follow-up's answer also took up what was shown before, and that state isn't
                kept: where the question alone leads to another answer, the reply says so.
            raw: with ids and figures.
        """
        matcher = self._matchers.matcher(question.workspace)
        finding, knowledge = matcher.find(question.text, self._load(question)), matcher.knowledge
        given = named(reference, knowledge)
        if given is not None and (given.kind, given.ids) != (finding.kind, finding.ids):
            evidence = replace(finding.evidence, reason="what was shown before in the conversation", candidates=())
            finding = replace(given, evidence=evidence)
        return explain(finding, knowledge, raw=raw)

    def rebuild_reply(self, reference: str, workspace: str = "") -> Reply | None:
        """The reply that a reference names; None where the pack no longer has it."""
        return again(reference, self.knowledge_of(workspace))

    def best(self, text: str, top: int) -> list[tuple[str, float]]:
        """The `top` best entries and their scores, before anything is decided."""
        return self._matchers.matcher().best(text, top)

    def _load(self, question: Question) -> ConversationState | None:
        if self._memory is None or question.conversation is None:
            return None
        return self._memory.load(question.conversation)


class ProcessMemory:
    """Keeps the states of conversations as long as the process runs, for the terminal and for tools."""

    def __init__(self) -> None:
        self._states: dict[str, ConversationState] = {}

    def load(self, conversation: str) -> ConversationState | None:
        return self._states.get(conversation)

    def save(self, conversation: str, state: ConversationState) -> None:
        self._states[conversation] = state


class _SingleMatcher:
    """Gives the same matcher to every workspace."""

    def __init__(self, matcher: Matcher) -> None:
        self._matcher = matcher

    def matcher(self, workspace: str = "") -> Matcher:  # noqa: ARG002  every workspace has the same
        return self._matcher


def next_state(state: ConversationState | None, finding: Finding) -> ConversationState | None:
    """The conversation's state after a finding; None where the finding adds nothing to it."""
    if finding.talk == RESTART:
        return ConversationState("help", ())
    if finding.kind in ("help", "smalltalk"):
        return None
    old = state or ConversationState("help", ())
    candidates = (match.id for match in finding.evidence.candidates)
    others = tuple(name for name in candidates if ":" not in name and name not in finding.ids)[:MOST_OTHERS]
    unknown = finding.kind == "unknown"
    if unknown and not (finding.ids or finding.strangers or finding.only_named):
        return replace(old, others=others)
    several = old.ids if len(old.ids) > 1 and old.kind != "unknown" else old.before
    if len(finding.ids) > 1 and not unknown:
        picked = finding.kind == "compare" and bool(set(finding.ids) & {*old.ids, *old.before})
        whole = old.before if old.kind == "compare" else several
        return ConversationState(
            finding.kind, finding.ids, old.group if picked else finding.group, whole if picked else (), others
        )
    new = () if unknown else finding.ids
    seen = (*(name for name in old.seen if name not in new), *new)[-MOST_SEEN:]
    return ConversationState(finding.kind, finding.ids, finding.group or old.group, several, others, seen)
