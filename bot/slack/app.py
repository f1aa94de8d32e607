"""The Slack app: all of its parts, joined."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

from slack_bolt import App
from slack_bolt.authorization import AuthorizeResult
from slack_sdk import WebClient

from bot.slack.access import Access, Identity
from bot.slack.answering import Answering, Desk, Records
from bot.slack.blocks import Layout
from bot.slack.chores import Chores, Loaded
from bot.slack.curating import Curating, Curation
from bot.slack.curators import Curators
from bot.slack.journal import Journal, error_of
from bot.slack.listeners import register
from bot.slack.meters import Meters
from bot.slack.post import Outbox, Outcome, Pulse, Request, deliver
from bot.slack.promises import Promises
from bot.slack.recording import PAUSE, Recorder
from bot.slack.telling import Teller
from bot.slack.words import words_of

LISTENERS = 16
"""Threads that acknowledge commands and presses and do nothing else, so that no backlog of questions keeps Slack waiting."""
WORKERS = 4
"""Threads that answer. The desk finds one at a time; the others meanwhile draw, or wait for the database, never for Slack."""
CHECKS = 1
"""Threads that see what a curator's edit would do: each computes for seconds, and no answer is to wait for it."""

_bolt = logging.getLogger("bot.slack.bolt")
_bolt.setLevel(logging.ERROR)  # below that, Bolt's lines quote what people wrote


def _fine() -> str:
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackApp:
    """The Bolt app and what runs beside it. `beside`: what health has to say although answers go on."""

    bolt: App
    outbox: Outbox
    identity: Identity
    pulse: Pulse
    answering: Answering
    teller: Teller
    executor: Executor
    workers: Executor
    checks: Executor
    beside: Callable[[], str] = _fine
    signing_secret: str = field(default="", repr=False)

    def able(self) -> bool:
        """Whether an answer could be posted."""
        return not self.pulse.trouble

    def close(self, timeout: float) -> bool:
        """Finish what is in flight within `timeout` seconds; true if all of it was finished."""
        deadline = time.monotonic() + timeout
        working = threading.Thread(target=self._finish_work, daemon=True)
        working.start()
        working.join(timeout / 2)
        return self.outbox.close(deadline - time.monotonic()) and not working.is_alive()

    def _finish_work(self) -> None:
        self.executor.shutdown()
        self.workers.shutdown()
        self.checks.shutdown(cancel_futures=True)
        self.answering.recorder.close()


def build_app(
    desk: Desk,
    records: Records,
    access: Access,
    *,
    lines: Mapping[str, str],
    layout: Layout = "cards",
    loaded: Loaded | None = None,
    executor: Executor | None = None,
    outbox: Outbox | None = None,
    curation: Curation | None = None,
    meters: Meters | None = None,
    beside: Callable[[], str] = _fine,
) -> SlackApp:
    """Join the app. `lines` are the pack's own sentences; `layout` is how posted messages are drawn;
    `loaded` tells how the pack is.

    An `executor` that is given acknowledges, answers and records. `curation`: what the curators' side stands on, where there is
    one. `meters` count, and `beside` is what health has to say although answers go on.
    """
    meters = meters or Meters()
    client, pulse = access.client(), Pulse()
    identity, words = Identity(client), words_of(lines)
    workers = executor or ThreadPoolExecutor(WORKERS, "worker")
    checks = executor or ThreadPoolExecutor(CHECKS, "check")
    recorder = Recorder(records, executor or ThreadPoolExecutor(1, "recorder"), 0.0 if executor else PAUSE)
    executor = executor or ThreadPoolExecutor(LISTENERS, "listener")
    outbox = outbox or Outbox()
    outbox.deliver, outbox.resends = _delivery(client, pulse, meters), meters.resend
    outbox.counts = partial(meters.queued, "requests")
    bolt = _bolt_app(access, identity, executor)
    named = Curators.of(curation.named if curation is not None else (), lambda: identity.team)
    answering = Answering.of(
        desk=desk,
        records=records,
        outbox=outbox,
        words=words,
        layout=layout,
        promises=Promises(counts=partial(meters.queued, "questions")),
        recorder=recorder,
        chores=Chores(records, desk, words, named, loaded),
        seal=access.seal,
        journal=Journal(meters),
    )
    curating = Curating.of(curation, answering, lambda: identity.team, checks) if curation is not None else None
    register(bolt, answering, pulse, lambda: identity.user, workers, curating)
    return SlackApp(
        bolt=bolt,
        outbox=outbox,
        identity=identity,
        pulse=pulse,
        answering=answering,
        teller=Teller(
            records.waiting, answering.unmet.inform, lambda workspace: desk.knowledge_of(workspace).fingerprint
        ),
        executor=executor,
        workers=workers,
        checks=checks,
        beside=beside,
        signing_secret=access.signing_secret,
    )


def _bolt_app(access: Access, identity: Identity, executor: Executor) -> App:
    """Bolt, without what it would ask Slack or a log by itself."""

    def authorize() -> AuthorizeResult:
        me = identity.me()
        return AuthorizeResult(
            enterprise_id=None, team_id=me.team, bot_id=me.bot, bot_user_id=me.user, bot_token=access.bot_token
        )

    return App(
        name="askpy",
        logger=_bolt,
        client=access.client(token=""),
        signing_secret=access.signing_secret,
        authorize=authorize,
        token_verification_enabled=False,
        listener_executor=executor,
        attaching_conversation_kwargs_enabled=False,
        raise_error_for_unhandled_request=True,
    )


def _delivery(client: WebClient, pulse: Pulse, meters: Meters) -> Callable[[Request], Outcome]:
    """What delivers a request once, and learns from what becomes of it."""

    def delivered(request: Request) -> Outcome:
        outcome = deliver(client, request)
        pulse.note(outcome, request.method)
        if code := error_of(outcome):
            meters.error(request.method, code)
        return outcome

    return delivered
