"""What every handler needs, in one object."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from bot.curation.preview import Preview
from bot.curation.reloader import PackReloader
from bot.engine import Engine
from bot.model import Change, ConversationState, Question, Reply
from bot.slack.admission import Admission, ConversationQueues, FairQueue, InteractionLimit
from bot.slack.answer_log import AnswerLog
from bot.slack.blocks import Layout
from bot.slack.curators import Curators
from bot.slack.logs import format_without_message
from bot.slack.recorder import Recorder
from bot.slack.strings import Strings
from bot.slack.transport.client import BotIdentity, SlackClient
from bot.slack.transport.outbox import Outbox
from bot.store import Store

LONG_TEXT = 400
"""Characters from which a question is answered in a thread of its own: it may cost up to 30 ms of CPU, and an ordinary one
costs three. Nearly all questions that people type are shorter."""
SETTLE = 0.8
"""Seconds after an acknowledgement until its modal is updated: an update that came first would be overwritten by it."""

T = TypeVar("T")
Previewer = Callable[[str], Callable[[Sequence[Change]], Preview]]
"""Gives, for a workspace as it stands now, a function that tells what a draft would do to its answers. The function blocks for
seconds: call it in a thread."""

logger = logging.getLogger(__name__)


class Tasks:
    """The tasks of this process: kept until they end, because asyncio holds only weak references to them."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._tasks)

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run it beside what runs already. An exception that it lets out is logged."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    async def finish(self, timeout: float) -> bool:
        """Wait until all have ended, those included that are started meanwhile; cancel what is left after `timeout` seconds.

        Returns whether all ended by themselves.
        """
        deadline = time.monotonic() + timeout
        while self._tasks and (left := deadline - time.monotonic()) > 0:
            await asyncio.wait(set(self._tasks), timeout=left)
        late = set(self._tasks)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        return not late

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("A task failed\n%s", format_without_message(error))


def run_in(executor: Executor) -> Callable[..., Awaitable[Any]]:
    """What runs a function in an executor and waits for its result."""

    async def run(work: Callable[..., Any], *args: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(executor, partial(work, *args))

    return run


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What every handler needs. `database` and `threads` run what would hold up the event loop."""

    engine: Engine
    store: Store
    client: SlackClient
    outbox: Outbox
    strings: Strings
    layout: Layout
    curators: Curators
    recorder: Recorder
    answer_log: AnswerLog
    database: Executor
    threads: Executor
    hmac_id: Callable[[str], str]
    reloader: PackReloader | None = None
    previewer: Previewer | None = None
    previews: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held for a preview: one at a time, because each uses a core for seconds, and a thread that long messages wait for."""
    admission: Admission = field(default_factory=Admission)
    interactions: InteractionLimit = field(default_factory=InteractionLimit)
    conversations: ConversationQueues = field(default_factory=ConversationQueues)
    computing: FairQueue = field(default_factory=FairQueue)
    tasks: Tasks = field(default_factory=Tasks)
    settle: float = SETTLE
    clock: Callable[[], float] = time.time

    @property
    def identity(self) -> BotIdentity:
        """Who the bot is; its ids are empty until Slack has said so."""
        return self.client.identity

    async def run_db(self, work: Callable[..., T], *args: Any) -> T:
        """The result of a function that uses the database."""
        return await asyncio.get_running_loop().run_in_executor(self.database, partial(work, *args))

    async def run_in_thread(self, work: Callable[..., T], *args: Any) -> T:
        """The result of a function that takes long."""
        return await asyncio.get_running_loop().run_in_executor(self.threads, partial(work, *args))

    async def refresh(self, workspace: str) -> None:
        """Take in what curators have changed, before something is answered."""
        if self.reloader is not None:
            await self.run_db(self.reloader.refresh, workspace)

    async def answer(self, question: Question, asker: str) -> Reply:
        """The reply to a question that stands by itself, with the curators' latest changes."""
        await self.refresh(question.workspace)
        reply, _ = await self.answer_turn(question, None, asker)
        return reply

    async def answer_turn(
        self, question: Question, state: ConversationState | None, asker: str
    ) -> tuple[Reply, ConversationState | None]:
        """The reply to a question in a conversation, and the conversation's next state."""
        return await self.compute(asker, partial(self.engine.answer_turn, question, state), question.text)

    async def compute(self, asker: str, work: Callable[[], T], text: str = "") -> T:
        """The result of work of the engine: on this thread when it is the asker's turn, and in another for a long `text`."""
        if len(text) > LONG_TEXT:
            return await self.run_in_thread(work)
        return await self.computing.run(asker, work)


Handler = Callable[[Context, dict[str, Any]], Awaitable[None]]
"""Handles one payload."""
