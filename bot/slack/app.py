"""The Slack app: builds its parts and closes them in order."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.curation.reloader import PackReloader
from bot.engine import Engine
from bot.model import VoiceKey
from bot.slack.admission import Admission, InteractionLimit
from bot.slack.answer_log import AnswerLog
from bot.slack.blocks import Layout
from bot.slack.context import Context, PreviewFactory, run_in
from bot.slack.features.help_requests import HelpRequestChecks
from bot.slack.features.notifications import CHECK_INTERVAL, Notifier
from bot.slack.manifest import REDIRECT
from bot.slack.metrics import Metrics
from bot.slack.permissions import Curators, HelpChannels
from bot.slack.recorder import WRITE_DELAY, Recorder
from bot.slack.register import register
from bot.slack.strings import load_strings
from bot.slack.transport.client import SlackClient, SlackConfig
from bot.slack.transport.http import Dispatch, Route
from bot.slack.transport.outbox import Outbox
from bot.store import Store

WORKERS = 2
"""Threads for what takes long: a long message, and a curator's preview, which waits for a child process."""
MIN_FLUSH_TIMEOUT = 0.5
"""Seconds that writing the counts may take when the app closes, even if answers have used up the time."""

_bolt_logger = logging.getLogger("bot.slack.bolt")
_bolt_logger.setLevel(logging.ERROR)  # below that, Bolt's lines quote what people wrote


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackApp:
    """The Bolt app, the context of its handlers, and the notifier."""

    bolt: AsyncApp
    context: Context
    notifier: Notifier

    def routes(self) -> dict[str, Route]:
        """What responds to browsers: installing, where that is set up. Call it with an open client."""
        context, config = self.context, self.context.client.config
        if context.teams is None or config.keys is None:
            return {}
        from bot.slack.installations import INSTALL, InstallFlow  # noqa: PLC0415  as above

        name = context.engine.knowledge.name
        flow = InstallFlow(name, context.client, context.store, config.keys, context.run_db)
        return {INSTALL: flow.handle_installation, REDIRECT: flow.handle_callback}

    @property
    def dispatch(self) -> Dispatch:
        """Bolt's function from a request to its response."""
        return self.bolt.async_dispatch

    def is_healthy(self) -> bool:
        """Whether an answer could be posted."""
        return not self.context.client.health.error

    @property
    def notes(self) -> str:
        """What is wrong between Slack and the bot, for /healthz."""
        return "; ".join(self.context.client.notices.present)

    async def close(self, timeout: float) -> bool:
        """Finish what is in progress within `timeout` seconds; returns whether all of it was finished.

        First the answers go on until they have reached the outbox. Then the outbox sends what waits for Slack as soon as Slack
        allows.
        """
        context, deadline = self.context, time.monotonic() + timeout
        self.notifier.stop()
        while len(context.tasks) > context.outbox.delayed and time.monotonic() < deadline - timeout / 2:
            await asyncio.sleep(0.02)
        sent, finished = await asyncio.gather(
            context.outbox.close(deadline - time.monotonic()), context.tasks.finish(deadline - time.monotonic())
        )
        with suppress(TimeoutError):
            async with asyncio.timeout(max(MIN_FLUSH_TIMEOUT, deadline - time.monotonic())):
                await context.recorder.flush()
        await context.client.close()
        for executor in (context.workers, context.database):
            executor.shutdown(wait=False, cancel_futures=True)
        return sent and finished


def build_app(
    engine: Engine,
    store: Store,
    config: SlackConfig,
    *,
    lines: Mapping[VoiceKey, str],
    layout: Layout = "cards",
    curators: Sequence[str] = (),
    help_channels: Sequence[str] = (),
    reloader: PackReloader | None = None,
    preview_factory: PreviewFactory | None = None,
    metrics: Metrics | None = None,
    admission: Admission | None = None,
    interactions: InteractionLimit | None = None,
    outbox_options: Mapping[str, Any] | None = None,
    write_delay: float = WRITE_DELAY,
    **options: Any,
) -> SlackApp:
    """Build the app from its parts. Nothing runs or connects yet.

    Args:
        engine: answers questions.
        store: the database.
        config: credentials and the address of the Web API.
        lines: the pack's own sentences, which override ours.
        layout: how posted messages are rendered.
        curators: who may curate, as "U…" or "T…:U…".
        help_channels: where questions are put to people, as "C…" or "T…:C…".
        reloader: the pack as it is now.
        preview_factory: returns, for a workspace, the function that previews a draft.
        metrics: the counters; new ones if none are given.
        admission, interactions: the limits; by default those of `bot.slack.admission`.
        outbox_options: backoff, pace and clock of the outbox, for tests.
        write_delay: seconds that counts wait to be written together.
        options: further fields of `Context`, for tests.
    """
    metrics = metrics or Metrics()
    client = SlackClient(config, on_error=metrics.error)
    outbox = Outbox(
        client.post_once,
        notices=client.notices,
        on_queue=partial(metrics.queued, "requests"),
        on_resend=metrics.resend,
        on_error=metrics.error,
        **(outbox_options or {}),
    )
    database = ThreadPoolExecutor(store.database.threads, "database")
    recorder = Recorder(store, run_in(database), write_delay)
    context = Context(
        engine=engine,
        store=store,
        client=client,
        outbox=outbox,
        strings=load_strings(lines, engine.knowledge.name),
        layout=layout,
        curators=Curators.from_names(curators, lambda: client.identity.team),
        help_channels=HelpChannels.from_names(help_channels, lambda: client.identity.team),
        recorder=recorder,
        answer_log=AnswerLog(metrics),
        database=database,
        workers=ThreadPoolExecutor(WORKERS, "work"),
        hmac_id=config.hmac_id,
        former_ids=config.former_ids,
        reloader=reloader,
        preview_factory=preview_factory,
        admission=admission or Admission(),
        interactions=interactions or InteractionLimit(),
        **options,
    )
    if config.keys is not None and config.installs:
        from bot.slack.installations import InstalledTeams  # noqa: PLC0415  for those who install by OAuth

        context = replace(context, teams=InstalledTeams(store, config.keys, client, context.run_db))
    context.admission.on_change = partial(metrics.queued, "questions")
    context.interactions.on_change = partial(metrics.queued, "presses")
    bolt = _bolt_app(client, config)
    register(bolt, context)
    return SlackApp(bolt=bolt, context=context, notifier=Notifier(context, HelpRequestChecks(context, CHECK_INTERVAL)))


def _bolt_app(client: SlackClient, config: SlackConfig) -> AsyncApp:
    """Bolt, without its own requests to Slack and log lines. The HTTP receiver has already checked the signature."""
    return AsyncApp(
        name="askpy",
        logger=_bolt_logger,
        client=AsyncWebClient(base_url=config.api_url),  # Bolt requires one; nothing is sent with it
        signing_secret=config.signing_secret,
        authorize=client.authorizer(),
        request_verification_enabled=False,
        attaching_conversation_kwargs_enabled=False,
        raise_error_for_unhandled_request=True,
    )
