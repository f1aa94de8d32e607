"""The desk: the one door that every front end knocks on. A question goes in, a reply comes out."""

from __future__ import annotations

from bot.match import Matcher
from bot.model import Context, Finding, Knowledge, Memory, Question, Reply
from bot.reply import compose


class Desk:
    """Answers questions from one pack. Safe to share between threads: nothing in it changes but what Memory keeps."""

    def __init__(self, matcher: Matcher, memory: Memory | None = None) -> None:
        self._matcher = matcher
        self._memory = memory

    @property
    def knowledge(self) -> Knowledge:
        """The pack that is being answered from."""
        return self._matcher.knowledge

    def ask(self, question: Question) -> Reply:
        """The reply to a question; remembers what it was about where the question has a conversation."""
        finding = self.find(question)
        reply = compose(finding, self.knowledge)
        if self._memory is not None and question.conversation is not None and finding.kind not in ("help", "smalltalk"):
            self._memory.keep(question.conversation, Context(finding.kind, finding.ids, finding.group))
        return reply

    def find(self, question: Question) -> Finding:
        """What a question comes down to, with the evidence, before it is put into words."""
        context = None
        if self._memory is not None and question.conversation is not None:
            context = self._memory.recall(question.conversation)
        return self._matcher.find(question.text, context)

    def best(self, text: str, top: int) -> list[tuple[str, float]]:
        """The engine's `top` best entries and their scores, before anything is decided."""
        return self._matcher.best(text, top)
