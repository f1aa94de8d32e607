"""Counts the outcomes of questions, and stores the text of those without an answer. Nothing here knows who asked.

Counts of half a second are written together, so that an answer needs no commit of its own. A miss is written at once: "Tell me"
below it may be pressed in another process, which looks for it in the database.
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

MAX_STORED_TEXT = 300
"""Characters that are stored of a missed question."""
MAX_TEXT_READ = 1_000
"""Characters of a question that are read for that."""
MAX_PENDING = 2_000
"""Questions that wait to be written; any more are only counted as unrecorded."""
WRITE_DELAY = 0.5
"""Seconds that a count waits for others, to be written with them."""

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
    """The text of a question that may be stored: on one line, redacted and cut; empty if nothing may be stored.

    Nothing of a forwarded message is stored, nor of one on which the message shortcut was used: another person wrote it.
    """
    return "" if question.is_by_another else redacted_line(question.text)


def redacted_line(text: str) -> str:
    """A text on one line, without names, addresses, numbers and secrets (`bot.redact`), in at most MAX_STORED_TEXT characters."""
    line = redact(cut(clean(text).replace("\n", " "), MAX_TEXT_READ))
    return cut(" ".join(line.split()), MAX_STORED_TEXT) if any(map(str.isalnum, line)) else ""


def best_guess(reply: Reply) -> tuple[str, float]:
    """The entry that best matches an unanswered question, and its confidence."""
    names = [*reply.ids, *(match.id for match in reply.evidence.candidates)]
    return names[0] if names else "", reply.confidence


@dataclass(frozen=True, slots=True)
class _Answered:
    """One question and its reply. `channel` is a pilot channel, or empty."""

    question: Question
    reply: Reply
    channel: str


@dataclass(slots=True)
class Recorder:
    """Writes counts and misses into the store by `run_db`, shortly after they were added."""

    store: Store
    run_db: Callable[..., Awaitable[Any]]
    write_delay: float = WRITE_DELAY
    unrecorded: int = 0
    _pending: list[_Answered] = field(default_factory=list)
    _hurry: asyncio.Event = field(default_factory=asyncio.Event)
    _flushes: list[asyncio.Future[None]] = field(default_factory=list)
    _writing: asyncio.Task[None] | None = None

    def add(self, question: Question, reply: Reply, channel: str = "") -> None:
        """Count a question by its reply. `channel`: the pilot channel where it was asked, or empty."""
        if len(self._pending) >= MAX_PENDING:
            self.unrecorded += 1
            return
        self._pending.append(_Answered(question, reply, channel))
        if reply.kind == "unknown":
            self._hurry.set()
        if self._writing is None or self._writing.done():
            self._writing = asyncio.get_running_loop().create_task(self._write_later())

    async def flush(self) -> None:
        """Write what was added until now; doesn't wait for what is added meanwhile."""
        if self._writing is None or self._writing.done():
            return
        flush = asyncio.get_running_loop().create_future()
        self._flushes.append(flush)
        self._hurry.set()
        await flush

    async def _write_later(self) -> None:
        while self._pending or self._flushes:
            if self.write_delay and not self._hurry.is_set():
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._hurry.wait(), self.write_delay)
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
                    if not flush.done():  # its caller was cancelled
                        flush.set_result(None)

    def _write(self, batch: Sequence[_Answered]) -> None:
        counts = Counter((item.question.workspace, outcome_of(item.reply), item.channel) for item in batch)
        for (workspace, outcome, channel), number in counts.items():
            self.store.tallies.add(workspace, outcome, channel, number)
        for item in batch:
            if item.reply.kind == "unknown" and (text := text_to_keep(item.question)):
                self.store.misses.add(item.question.workspace, text, *best_guess(item.reply))
