"""The desk: the one door that every front end knocks on. A question goes in, a reply comes out."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Protocol

from bot.match import Matcher
from bot.model import RESTART, Context, Finding, Knowledge, Memory, Question, Reply
from bot.reply import again, compose, explain, named


class Shelf(Protocol):
    """Where the matcher of a workspace is found, as its curators have left it."""

    def matcher(self, workspace: str = "") -> Matcher: ...


class Desk:
    """Answers questions. Safe to share between threads: nothing in it changes but what Memory keeps."""

    def __init__(self, shelf: Matcher | Shelf, memory: Memory | None = None) -> None:
        """Answers from what stands on the shelf when it is asked, or from one matcher for good."""
        self._shelf: Shelf = _One(shelf) if isinstance(shelf, Matcher) else shelf
        self._memory = memory
        self._one_at_a_time = threading.Lock()

    @property
    def knowledge(self) -> Knowledge:
        """The pack that all workspaces share."""
        return self._shelf.matcher().knowledge

    def knowledge_of(self, workspace: str) -> Knowledge:
        """The pack with what a workspace's curators have made of it."""
        return self._shelf.matcher(workspace).knowledge

    def ask(self, question: Question) -> Reply:
        """The reply to a question; remembers what it was about where the question has a conversation."""
        context, matcher = self._recall(question), self._shelf.matcher(question.workspace)
        finding = self._find(matcher, question.text, context)
        if self._memory is not None and question.conversation is not None and (after := _after(context, finding)):
            self._memory.keep(question.conversation, after)
        return compose(finding, matcher.knowledge)

    def find(self, question: Question) -> Finding:
        """What a question comes down to, with the evidence, before it is put into words. Remembers nothing."""
        return self._find(self._shelf.matcher(question.workspace), question.text, self._recall(question))

    def _find(self, matcher: Matcher, text: str, context: Context | None) -> Finding:
        """One at a time: finding is all computing, and threads that share the interpreter's lock take three times as long."""
        with self._one_at_a_time:
            return matcher.find(text, context)

    def why(self, question: Question, reference: str = "", *, raw: bool = False) -> Reply:
        """The evidence behind the reply to a question, as a reply; `raw`: with ids and figures.

        `reference`: that of the reply, which may have taken up what was said before; what that was isn't kept.
        """
        finding, knowledge = self.find(question), self.knowledge_of(question.workspace)
        given = named(reference, knowledge)
        if given is not None and (given.kind, given.ids) != (finding.kind, finding.ids):
            evidence = replace(finding.evidence, reason="what was shown before in the conversation", candidates=())
            finding = replace(given, evidence=evidence)
        return explain(finding, knowledge, raw=raw)

    def again(self, reference: str, workspace: str = "") -> Reply | None:
        """The reply that an earlier reply's reference names; None where the pack no longer has it."""
        return again(reference, self.knowledge_of(workspace))

    def _recall(self, question: Question) -> Context | None:
        if self._memory is None or question.conversation is None:
            return None
        return self._memory.recall(question.conversation)

    def best(self, text: str, top: int) -> list[tuple[str, float]]:
        """The engine's `top` best entries and their scores, before anything is decided."""
        return self._shelf.matcher().best(text, top)


class _One:
    """A shelf with one matcher on it."""

    def __init__(self, matcher: Matcher) -> None:
        self._matcher = matcher

    def matcher(self, workspace: str = "") -> Matcher:  # noqa: ARG002  every workspace has the same
        return self._matcher


def _after(context: Context | None, finding: Finding) -> Context | None:
    """Where the conversation stands after this finding; None where it says nothing new."""
    if finding.talk == RESTART:
        return Context("help", ())
    if finding.kind in ("help", "smalltalk"):
        return None
    old = context or Context("help", ())
    candidates = (match.id for match in finding.evidence.candidates)
    others = tuple(name for name in candidates if ":" not in name and name not in finding.ids)[:MOST_OTHERS]
    unknown = finding.kind == "unknown"
    if unknown and not (finding.ids or finding.strangers or finding.only_named):
        return replace(old, others=others)
    several = old.ids if len(old.ids) > 1 and old.kind != "unknown" else old.before
    if len(finding.ids) > 1 and not unknown:
        picked = finding.kind == "compare" and bool(set(finding.ids) & {*old.ids, *old.before})
        whole = old.before if old.kind == "compare" else several
        return Context(
            finding.kind, finding.ids, old.group if picked else finding.group, whole if picked else (), others
        )
    new = () if unknown else finding.ids
    seen = (*(name for name in old.seen if name not in new), *new)[-MOST_SEEN:]
    return Context(finding.kind, finding.ids, finding.group or old.group, several, others, seen)


MOST_OTHERS = 3
MOST_SEEN = 4
"""Ids that are remembered beside the last reply's: enough for "compare them" and "no, the library"."""
