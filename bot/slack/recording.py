"""Recording: what became of each question, counted after its answer is on its way, and the words of those that were missed.

Nothing here knows who asked, and nothing here can delay an answer or break one.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter, OrderedDict
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
PAUSE = 0.5
"""Seconds that a count may wait for others to be written down with."""
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

    def tally(self, workspace: str, outcome: Outcome, channel: str = "", count: int = 1) -> None: ...

    def miss(self, workspace: str, text: str, best: str, score: float) -> str: ...


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question and what became of it, to be written down."""

    question: Question
    reply: Reply
    channel: str


@dataclass(slots=True)
class Recorder:
    """Writes down what is to be counted: later, and all of it together that has come up within `pause` seconds."""

    counts: Counts
    executor: Executor
    pause: float = 0.0
    unrecorded: int = 0
    _waiting: list[_Asked] = field(default_factory=list)
    _keys: OrderedDict[tuple[str, str], str] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _closed: threading.Event = field(default_factory=threading.Event)

    def asked(self, question: Question, reply: Reply, channel: str = "") -> None:
        """A question that was answered, or wasn't. `channel` is one on trial, or empty."""
        with self._lock:
            if len(self._waiting) >= MOST_LATER:
                self.unrecorded += 1
                return
            self._waiting.append(_Asked(question, reply, channel))
            if len(self._waiting) > 1:  # somebody will take this one along
                return
        try:
            self.executor.submit(self._write)
        except RuntimeError:  # the bot is stopping
            self._lost(len(self._taken()))

    def close(self) -> None:
        """Write down what is left."""
        self._closed.set()
        self.executor.shutdown()

    def unmet(self, workspace: str, question: str) -> str:
        """What was offered to a question is not what was meant: a miss without a best guess. Returns its key."""
        return self._missed(workspace, worth_keeping(question), "", 0.0)

    def key(self, question: Question, reply: Reply) -> str:
        """The key of a miss that is counted, or now is; empty where nothing can be kept."""
        text = worth_keeping(question.text)
        with self._lock:
            known = self._keys.get((question.workspace, text))
        return known or self._missed(question.workspace, text, *best_guess(reply))

    def _write(self) -> None:
        if self.pause:
            self._closed.wait(self.pause)
        taken = self._taken()
        try:
            ended = Counter((each.question.workspace, outcome_of(each.reply), each.channel) for each in taken)
            for (workspace, outcome, channel), count in ended.items():
                self.counts.tally(workspace, outcome, channel, count)
            for each in taken:
                if each.reply.kind == "unknown":
                    told = worth_keeping(each.question.text)
                    self._missed(each.question.workspace, told, *best_guess(each.reply))
        except Exception as error:
            self._lost(len(taken))
            logger.error("Recording failed\n%s", frames(error))

    def _taken(self) -> list[_Asked]:
        with self._lock:
            taken, self._waiting = self._waiting, []
        return taken

    def _lost(self, many: int) -> None:
        with self._lock:
            self.unrecorded += many

    def _missed(self, workspace: str, text: str, best: str, score: float) -> str:
        key = self.counts.miss(workspace, text, best, score) if text else ""
        if key:
            with self._lock:
                self._keys[workspace, text] = key
                while len(self._keys) > MOST_KEYS:
                    self._keys.popitem(last=False)
        return key


def best_guess(reply: Reply) -> tuple[str, float]:
    """The entry that an unanswered question came nearest to, and how near."""
    named = [*reply.ids, *(match.id for match in reply.evidence.candidates)]
    return named[0] if named else "", reply.confidence
