"""Counts what became of questions, and keeps the words of those that had no answer. Nothing here knows who asked.

What is counted within half a second is written in one go, so that a count costs an answer no commit of its own. A miss is
written at once: "Tell me" below it may be pressed in another process, which looks for it in the database.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from bot.model import Outcome, Question, Reply
from bot.redact import redact
from bot.slack.blocks.limits import cut
from bot.slack.logs import format_without_message
from bot.store import Store
from bot.text import clean

LONGEST_KEPT = 300
"""Characters of a missed question."""
LONGEST_READ = 1_000
"""Characters of a question in which they are looked for."""
MOST_PENDING = 2_000
"""Counts that wait to be written; what comes on top is only counted as unrecorded."""
PAUSE = 0.5
"""Seconds that a count may wait for others to be written with."""

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


def text_to_keep(question: Question) -> str:
    """The words of a question that may be stored: on one line, redacted and cut; empty if none may be.

    Of the message shortcut none: its words are somebody else's, and who asks is not who wrote.
    """
    return "" if question.surface == "shortcut" else redacted_line(question.text)


def redacted_line(text: str) -> str:
    """A text on one line, without what could tell who asked or be nobody else's business; at most LONGEST_KEPT characters."""
    line = redact(cut(clean(text).replace("\n", " "), LONGEST_READ))
    return cut(" ".join(line.split()), LONGEST_KEPT) if any(map(str.isalnum, line)) else ""


def best_guess(reply: Reply) -> tuple[str, float]:
    """The entry that an unanswered question came nearest to, and how near."""
    names = [*reply.ids, *(match.id for match in reply.evidence.candidates)]
    return names[0] if names else "", reply.confidence


@dataclass(frozen=True, slots=True)
class _Answered:
    """One question and what became of it. `channel` is a pilot channel, or empty."""

    question: Question
    reply: Reply
    channel: str


@dataclass(slots=True)
class Recorder:
    """Writes counts and misses into the store, by `run_db`, some time after they were added."""

    store: Store
    run_db: Callable[..., Awaitable[Any]]
    pause: float = PAUSE
    unrecorded: int = 0
    _pending: list[_Answered] = field(default_factory=list)
    _hurry: asyncio.Event = field(default_factory=asyncio.Event)
    _flushes: list[asyncio.Future[None]] = field(default_factory=list)
    _writing: asyncio.Task[None] | None = None

    def add(self, question: Question, reply: Reply, channel: str = "") -> None:
        """Count a question and its reply. `channel`: the pilot channel that it was asked in, or empty."""
        if len(self._pending) >= MOST_PENDING:
            self.unrecorded += 1
            return
        self._pending.append(_Answered(question, reply, channel))
        if reply.kind == "unknown":
            self._hurry.set()
        if self._writing is None or self._writing.done():
            self._writing = asyncio.get_running_loop().create_task(self._write_later())

    async def flush(self) -> None:
        """Write what was added until now; what is added meanwhile isn't waited for."""
        if self._writing is None or self._writing.done():
            return
        flush = asyncio.get_running_loop().create_future()
        self._flushes.append(flush)
        self._hurry.set()
        await flush

    async def _write_later(self) -> None:
        while self._pending or self._flushes:
            if self.pause and not self._hurry.is_set():
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._hurry.wait(), self.pause)
            self._hurry.clear()
            batch, self._pending = self._pending, []
            flushes, self._flushes = self._flushes, []
            try:
                await self.run_db(self._write, batch)
            except Exception as error:
                self.unrecorded += len(batch)
                logger.error("Recording failed\n%s", format_without_message(error))
            finally:
                for flush in flushes:
                    if not flush.done():  # who waited for it was cancelled
                        flush.set_result(None)

    def _write(self, batch: Sequence[_Answered]) -> None:
        counts = Counter((item.question.workspace, outcome_of(item.reply), item.channel) for item in batch)
        for (workspace, outcome, channel), number in counts.items():
            self.store.tallies.add(workspace, outcome, channel, number)
        for item in batch:
            if item.reply.kind == "unknown" and (text := text_to_keep(item.question)):
                self.store.misses.add(item.question.workspace, text, *best_guess(item.reply))
