"""What every handler needs, in one object."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from bot.curation.preview import Preview
from bot.curation.reloader import PackReloader
from bot.engine import Engine
from bot.model import Change, ConversationState, Question, Reply
from bot.slack.admission import Admission, ConversationQueues, FairQueue, InteractionLimit, Tasks
from bot.slack.answer_log import AnswerLog
from bot.slack.blocks import Layout
from bot.slack.payloads import Payload
from bot.slack.permissions import Curators, HelpChannels, WorkspaceCurators
from bot.slack.recorder import Recorder
from bot.slack.strings import Strings
from bot.slack.transport.client import BotIdentity, SlackClient
from bot.slack.transport.outbox import Outbox
from bot.store import Store, StoredInstallation

if TYPE_CHECKING:
    from bot.slack.installations import Installation, InstalledTeams

LONG_TEXT = 400
"""Characters above which a question is answered in a worker thread: it may cost up to 30 ms of CPU, an ordinary one costs 3 ms.
Nearly all questions that people type are shorter."""
MAX_BUSY_REPLIES = 32
"""Sentences "I have too many questions to answer" (`messages.say_busy`) that are sent at once, of the 64 requests that the outbox
sends at once: at 150 ms each, 400 of them take two seconds."""
ACK_DELAY = 0.8
"""Seconds between the acknowledgement of a form and the update of its modal: the acknowledgement would overwrite an update that
came before it."""

T = TypeVar("T")
PreviewFactory = Callable[[str], Callable[[Sequence[Change]], Preview]]
"""Called with a workspace, returns a function that previews a draft: how the answers would change from the workspace's present
ones. That function blocks for seconds: call it in a worker."""


def run_in(executor: Executor) -> Callable[..., Awaitable[Any]]:
    """A coroutine function that runs a function in an executor and returns its result."""

    async def run(work: Callable[..., Any], *args: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(executor, partial(work, *args))

    return run


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What every handler needs. The executors `database` and `workers` run what would block the event loop."""

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
    workers: Executor
    hmac_id: Callable[[str], str]
    former_ids: Callable[[str], Sequence[str]] = lambda _: ()
    """The ids that `hmac_id` gave before a key was rotated."""
    help_channels: HelpChannels = field(default_factory=HelpChannels)
    teams: InstalledTeams | None = None
    """The installed workspaces, where the app is installed by OAuth."""
    installation: StoredInstallation | None = None
    """The one that the handler's payload belongs to."""
    token: str = field(default="", repr=False)
    """Its token; empty where there is only one, which the client has."""
    reloader: PackReloader | None = None
    preview_factory: PreviewFactory | None = None
    preview_lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held during a preview: one at a time, because each uses a core for seconds, and a worker that long messages need."""
    admission: Admission = field(default_factory=Admission)
    interactions: InteractionLimit = field(default_factory=InteractionLimit)
    busy_replies: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MAX_BUSY_REPLIES))
    """Held while that sentence is sent, see MAX_BUSY_REPLIES."""
    conversations: ConversationQueues = field(default_factory=ConversationQueues)
    computing: FairQueue = field(default_factory=FairQueue)
    tasks: Tasks = field(default_factory=Tasks)
    ack_delay: float = ACK_DELAY
    clock: Callable[[], float] = time.time

    @property
    def identity(self) -> BotIdentity:
        """Who the bot is; its ids are empty until Slack has been asked."""
        stored = self.installation
        if stored is None:
            return self.client.identity
        return BotIdentity(stored.bot_user, stored.bot, stored.team, tuple(stored.scopes.split(",")))

    async def of_body(self, body: Payload) -> Context | None:
        """The context for a payload, with its workspace's installation; None where the app isn't installed any more."""
        return self if self.teams is None else self._at(await self.teams.of_body(body))

    async def of_team(self, team: str) -> Context | None:
        """The context for a workspace; None where the app isn't installed any more."""
        return self if self.teams is None else self._at(await self.teams.of_team(team))

    def _at(self, installation: Installation | None) -> Context | None:
        return (
            replace(self, installation=installation.stored, token=installation.token)
            if installation is not None
            else None
        )

    @property
    def home_team(self) -> str:
        """The workspace of the bot's token, or the organisation of one that is installed in all of it; see `team_id_of`."""
        return self.identity.team

    def is_curator(self, team: str, user: str, *, is_guest: bool) -> bool:
        """Whether this person may curate in this workspace. `is_guest`: they are of another one, and may not."""
        return not is_guest and self.curators.contains(team, user, self.installation)

    def curators_of(self, team: str) -> WorkspaceCurators:
        """Who may curate in a workspace."""
        return self.curators.of_workspace(team, self.installation)

    def help_channel(self, team: str) -> str:
        """The channel of a workspace in which questions are put to people; empty if the operator has named none."""
        return self.help_channels.of_workspace(team, self.installation) if self.help_channels.named else ""

    def slack_time(self) -> float:
        """Seconds since 1970 by Slack's clock."""
        return self.clock() + self.client.clock_offset

    async def run_db(self, work: Callable[..., T], *args: Any) -> T:
        """The result of a function that uses the database, run in a database thread."""
        return await asyncio.get_running_loop().run_in_executor(self.database, partial(work, *args))

    async def run_in_worker(self, work: Callable[..., T], *args: Any) -> T:
        """The result of a function that takes long, run in a worker thread."""
        return await asyncio.get_running_loop().run_in_executor(self.workers, partial(work, *args))

    async def refresh(self, workspace: str) -> None:
        """Load what curators have changed, before a question is answered."""
        if self.reloader is not None:
            await self.run_db(self.reloader.refresh, workspace)

    async def answer(self, question: Question, asker: str) -> Reply:
        """The reply to a question outside any conversation, with the curators' latest changes."""
        await self.refresh(question.workspace)
        reply, _ = await self.answer_turn(question, None, asker)
        return reply

    async def answer_turn(
        self, question: Question, state: ConversationState | None, asker: str
    ) -> tuple[Reply, ConversationState | None]:
        """The reply to a question in a conversation, and the conversation's next state."""
        return await self.compute(asker, partial(self.engine.answer_turn, question, state), question.text)

    async def compute(self, asker: str, work: Callable[[], T], text: str = "") -> T:
        """The result of the engine's `work`: on this thread when it is the asker's turn, or in a worker for a long `text`."""
        if len(text) > LONG_TEXT:
            return await self.run_in_worker(work)
        return await self.computing.run(asker, work)


Handler = Callable[[Context, dict[str, Any]], Awaitable[None]]
"""Handles one payload."""
FormResponse = dict[str, Any]
"""The payload with which a form is acknowledged."""
FollowUpWork = Callable[[], Coroutine[Any, Any, None]]
"""The work after the acknowledgement."""
