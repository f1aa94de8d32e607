"""Recording: what became of each question, counted after its answer is on its way, and the words of those that were missed.

Nothing here knows who asked, and nothing here can delay an answer or break one.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Protocol

from bot.discreet import discreet
from bot.model import Outcome, Question, Reply
from bot.slack.limits import cut
from bot.slack.trace import frames
from bot.text import clean

LONGEST_KEPT = 300
"""Characters of a missed question."""
LONGEST_READ = 1_000
"""Characters of a question in which they are looked for."""
MOST_LATER = 2_000
"""Things still to be written down; what comes on top is only counted as unrecorded."""
MOST_KEYS = 5_000
"""Misses whose keys this process still knows."""

logger = logging.getLogger(__name__)


def outcome_of(reply: Reply) -> Outcome:
    """How a question ended."""
    match reply.kind:
        case "unknown":
            return "offered" if reply.ids else "missed"
        case "help" | "smalltalk":
            return "smalltalk"
        case _:
            return "answered"


def worth_keeping(text: str) -> str:
    """A question's words on one line, without what could tell who asked or be nobody else's business."""
    told = discreet(cut(clean(text).replace("\n", " "), LONGEST_READ))
    return cut(" ".join(told.split()), LONGEST_KEPT) if any(map(str.isalnum, told)) else ""


class Counts(Protocol):
    """Where questions are counted."""

    def tally(self, workspace: str, outcome: Outcome, channel: str = "") -> None: ...

    def miss(self, workspace: str, text: str, best: str, score: float) -> str: ...


@dataclass(slots=True)
class Recorder:
    """Writes down what is to be counted, one after the other and later."""

    counts: Counts
    executor: Executor
    unrecorded: int = 0
    _waiting: int = 0
    _keys: OrderedDict[tuple[str, str], str] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def asked(self, question: Question, reply: Reply, channel: str = "") -> None:
        """A question that was answered, or wasn't. `channel` is one on trial, or empty."""
        self._later(lambda: self._asked(question, reply, channel))

    def unmet(self, workspace: str, question: str) -> str:
        """What was offered to a question is not what was meant: a miss without a best guess. Returns its key."""
        return self._missed(workspace, worth_keeping(question), "", 0.0)

    def key(self, question: Question, reply: Reply) -> str:
        """The key of a miss that is counted, or now is; empty where nothing can be kept."""
        text = worth_keeping(question.text)
        with self._lock:
            known = self._keys.get((question.workspace, text))
        return known or self._missed(question.workspace, text, *best_guess(reply))

    def _asked(self, question: Question, reply: Reply, channel: str) -> None:
        self.counts.tally(question.workspace, outcome_of(reply), channel)
        if reply.kind == "unknown":
            self._missed(question.workspace, worth_keeping(question.text), *best_guess(reply))

    def _missed(self, workspace: str, text: str, best: str, score: float) -> str:
        key = self.counts.miss(workspace, text, best, score) if text else ""
        if key:
            with self._lock:
                self._keys[workspace, text] = key
                while len(self._keys) > MOST_KEYS:
                    self._keys.popitem(last=False)
        return key

    def _later(self, work: Callable[[], None]) -> None:
        with self._lock:
            if self._waiting >= MOST_LATER:
                self.unrecorded += 1
                return
            self._waiting += 1
        try:
            self.executor.submit(self._do, work)
        except RuntimeError:  # the bot is stopping
            with self._lock:
                self._waiting -= 1
                self.unrecorded += 1

    def _do(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:
            self.unrecorded += 1
            logger.error("Recording failed\n%s", frames(error))
        finally:
            with self._lock:
                self._waiting -= 1


def best_guess(reply: Reply) -> tuple[str, float]:
    """The entry that an unanswered question came nearest to, and how near."""
    named = [*reply.ids, *(match.id for match in reply.evidence.candidates)]
    return named[0] if named else "", reply.confidence
