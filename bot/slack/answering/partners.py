"""Whom an answer is made with: the desk that knows it, and the store that remembers."""

from __future__ import annotations

from typing import Protocol

from bot.model import Knowledge, Question, Reply, Waiting
from bot.slack.chores import Books
from bot.slack.recording import Counts


class Desk(Protocol):
    """What answers."""

    @property
    def knowledge(self) -> Knowledge: ...

    def knowledge_of(self, workspace: str) -> Knowledge: ...

    def ask(self, question: Question) -> Reply: ...

    def why(self, question: Question, reference: str = "") -> Reply: ...

    def again(self, reference: str, workspace: str = "") -> Reply | None: ...


class Records(Books, Counts, Protocol):
    """What outlives this process: who answers (of all that claim a key, in all processes, the first one), votes, what is
    counted, and who waits for what."""

    def claim(self, key: str) -> bool: ...

    def hold(self, key: str, owner: str) -> bool: ...

    def begin(self, key: str, owner: str) -> bool: ...

    def release(self, key: str, owner: str = "") -> None: ...

    def vote(
        self, answer: str, voter: str, subject: str, vote: str, reason: str, workspace: str = "", channel: str = ""
    ) -> bool: ...

    def wait(self, workspace: str, key: str, user: str) -> bool: ...

    def waiting(self) -> tuple[Waiting, ...]: ...

    def told(self, workspace: str, key: str, user: str) -> bool: ...
