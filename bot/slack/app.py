"""The Slack app: its parts joined, and finished in order."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.curation.reloader import PackReloader
from bot.engine import Engine
from bot.slack.admission import Admission, InteractionLimit
from bot.slack.answer_log import AnswerLog
from bot.slack.blocks import Layout
from bot.slack.context import Context, Previewer, run_in
from bot.slack.curators import Curators
from bot.slack.features.notifications import Notifier
from bot.slack.metrics import Metrics
from bot.slack.recorder import PAUSE, Recorder
from bot.slack.register import register
from bot.slack.strings import load_strings
from bot.slack.transport.client import SlackClient, SlackConfig
from bot.slack.transport.http import Dispatch
from bot.slack.transport.outbox import Outbox
from bot.store import Store

THREADS = 2
"""Threads for what takes long: a curator's preview, which waits for a process of its own, and a long message."""
LEAST_FLUSH = 0.5
"""Seconds that counts may take to be written at the end, also where answers have used up the time."""

_bolt_logger = logging.getLogger("bot.slack.bolt")
_bolt_logger.setLevel(logging.ERROR)  # below that, Bolt's lines quote what people wrote


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackApp:
    """The Bolt app, what its handlers work with, and what runs beside it."""

    bolt: AsyncApp
    context: Context
    notifier: Notifier

    @property
    def dispatch(self) -> Dispatch:
        """Makes Bolt's response to a request."""
        return self.bolt.async_dispatch

    def is_healthy(self) -> bool:
        """Whether an answer could be posted."""
        return not self.context.client.health.error

    async def close(self, timeout: float) -> bool:
        """Finish what is in flight within `timeout` seconds; whether all of it was finished.

        Answers go on until they have reached the outbox; what waits there for Slack is then sent as soon as Slack allows.
        """
        context, deadline = self.context, time.monotonic() + timeout
        self.notifier.stop()
        while len(context.tasks) > context.outbox.delayed and time.monotonic() < deadline - timeout / 2:
            await asyncio.sleep(0.02)
        sent, finished = await asyncio.gather(
            context.outbox.close(deadline - time.monotonic()), context.tasks.finish(deadline - time.monotonic())
        )
        with suppress(TimeoutError):
            async with asyncio.timeout(max(LEAST_FLUSH, deadline - time.monotonic())):
                await context.recorder.flush()
        await context.client.close()
        for executor in (context.threads, context.database):
            executor.shutdown(wait=False, cancel_futures=True)
        return sent and finished


def build_app(
    engine: Engine,
    store: Store,
    config: SlackConfig,
    *,
    lines: Mapping[str, str],
    layout: Layout = "cards",
    curators: Sequence[str] = (),
    reloader: PackReloader | None = None,
    previewer: Previewer | None = None,
    metrics: Metrics | None = None,
    admission: Admission | None = None,
    interactions: InteractionLimit | None = None,
    outbox_options: Mapping[str, Any] | None = None,
    recorder_pause: float = PAUSE,
    **options: Any,
) -> SlackApp:
    """Join the app's parts. Nothing runs yet, and nothing is connected.

    Args:
        engine: answers questions.
        store: what outlives the process.
        config: credentials and the address of the Web API.
        lines: the pack's own sentences, which stand in for ours.
        layout: how posted messages are drawn.
        curators: who may curate, as "U…" or "T…:U…".
        reloader: the pack as it stands now.
        previewer: gives what tells what a draft would do to a workspace's answers.
        metrics: what counts; a new one if none is given.
        admission, interactions: how much is taken on at once; by default as `bot.slack.admission` says.
        outbox_options: backoff, pace and clock of the outbox, for tests.
        recorder_pause: seconds that counts wait to be written together.
        options: further fields of `Context`, for tests.
    """
    metrics = metrics or Metrics()
    client = SlackClient(config)
    outbox = Outbox(
        client.deliver,
        on_queue=partial(metrics.queued, "requests"),
        on_resend=metrics.resend,
        on_error=metrics.error,
        **(outbox_options or {}),
    )
    database = ThreadPoolExecutor(store.database.threads, "database")
    recorder = Recorder(store, run_in(database), recorder_pause)
    context = Context(
        engine=engine,
        store=store,
        client=client,
        outbox=outbox,
        strings=load_strings(lines),
        layout=layout,
        curators=Curators.from_names(curators, lambda: client.identity.team),
        recorder=recorder,
        answer_log=AnswerLog(metrics),
        database=database,
        threads=ThreadPoolExecutor(THREADS, "work"),
        hmac_id=config.hmac_id,
        reloader=reloader,
        previewer=previewer,
        admission=admission or Admission(),
        interactions=interactions or InteractionLimit(),
        **options,
    )
    context.admission.on_change = partial(metrics.queued, "questions")
    context.interactions.on_change = partial(metrics.queued, "presses")
    bolt = _bolt_app(client, config)
    register(bolt, context)
    return SlackApp(bolt=bolt, context=context, notifier=Notifier(context))


def _bolt_app(client: SlackClient, config: SlackConfig) -> AsyncApp:
    """Bolt, without what it would ask Slack or write into a log by itself. The front has checked the signature already."""

    return AsyncApp(
        name="askpy",
        logger=_bolt_logger,
        client=AsyncWebClient(base_url=config.api_url),  # Bolt wants one, and nothing is sent by it
        signing_secret=config.signing_secret,
        authorize=client.authorizer(),
        request_verification_enabled=False,
        attaching_conversation_kwargs_enabled=False,
        raise_error_for_unhandled_request=True,
    )
