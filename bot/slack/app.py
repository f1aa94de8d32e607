"""The Slack app: listeners that acknowledge, translate, ask and draw, and nothing of what is known."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from slack_bolt import Ack, App, BoltResponse
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.error import BoltUnhandledRequestError

from bot.slack import hear
from bot.slack.access import Access, Identity
from bot.slack.answering import Answering, Desk, Full, Records
from bot.slack.blocks import Layout
from bot.slack.chores import Chores, Loaded
from bot.slack.curating import Curating, Curation, register_curating
from bot.slack.curators import Curators
from bot.slack.journal import Journal, error_of
from bot.slack.meters import Meters
from bot.slack.post import Outbox, Outcome, Pulse, Refused, Request, deliver
from bot.slack.promises import Acknowledged, Promises
from bot.slack.recording import PAUSE, Recorder
from bot.slack.telling import Teller
from bot.slack.trace import frames
from bot.slack.words import words_of

LISTENERS = 16
"""Threads that acknowledge commands and presses and do nothing else, so that no backlog of questions keeps Slack waiting."""
WORKERS = 4
"""Threads that answer. The desk finds one at a time; the others meanwhile draw, or wait for the database, never for Slack."""
CHECKS = 1
"""Threads that see what a curator's edit would do: each computes for seconds, and no answer is to wait for it."""
ANYTHING = re.compile(".*", re.DOTALL)

logger = logging.getLogger(__name__)
_bolt = logging.getLogger("bot.slack.bolt")
_bolt.setLevel(logging.ERROR)  # below that, Bolt's lines quote what people wrote

Body = dict[str, Any]


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

    def delivered(request: Request) -> Outcome:
        outcome = deliver(client, request)
        pulse.note(outcome, request.method)
        if code := error_of(outcome):
            meters.error(request.method, code)
        return outcome

    def authorize() -> AuthorizeResult:
        me = identity.me()
        return AuthorizeResult(
            enterprise_id=None, team_id=me.team, bot_id=me.bot, bot_user_id=me.user, bot_token=access.bot_token
        )

    outbox = outbox or Outbox()
    outbox.deliver, outbox.counts, outbox.resends = delivered, partial(meters.queued, "requests"), meters.resend
    bolt = App(
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
    curating = None
    if curation is not None:
        curating = Curating.of(curation, answering, lambda: identity.team, checks)
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


@dataclass(frozen=True, slots=True)
class _Listening:
    """What all listeners do alike. `me` is the bot's own user id."""

    answering: Answering
    pulse: Pulse
    me: Callable[[], str]
    workers: Executor

    def to(self, work: Callable[[Body], None]) -> Callable[[Ack, Body], None]:
        """Acknowledges, and leaves the work to the workers: its faults would take the acknowledgement back."""

        def listen(ack: Ack, body: Body) -> None:
            ack()
            self.workers.submit(self._do, work, body)

        return listen

    def to_message(self, read: Callable[[Body, str], hear.Heard | None]) -> Callable[[Body], BoltResponse]:
        """Holds a message, and leaves the answer to the workers as soon as Slack has the acknowledgement."""

        def take(body: Body) -> BoltResponse:
            try:
                heard = read(body, self.me())
                held = self.answering.hold(heard) if heard is not None else None
            except Full:
                return BoltResponse(status=503)
            except Exception as error:
                return self.on_error(error, body) or BoltResponse(status=200)
            if held is None:
                return BoltResponse(status=200)
            return Acknowledged(
                then=partial(self._begin, partial(self.answering.once, held), partial(self.answering.drop, held), body),
                lost=held.promise.settle,
                body="ok",
            )

        return take

    def command(self, body: Body) -> BoltResponse:
        """Waits for its turn beside the messages, but is never refused: Slack would not send it again."""
        heard = hear.command(body)
        if heard is None:
            return BoltResponse(status=200)
        promise = self.answering.promises.make()
        settled = promise.settle if promise is not None else _nothing
        work = partial(self.answering.command, heard, settled)
        return Acknowledged(then=partial(self._begin, work, settled, body), lost=settled)

    def _begin(self, work: Callable[[], None], drop: Callable[[], None], body: Body) -> None:
        try:
            self.workers.submit(self._do, lambda _: work(), body)
        except RuntimeError:  # the bot has stopped
            drop()

    def _do(self, work: Callable[[Body], None], body: Body) -> None:
        try:
            work(body)
        except Exception as error:
            self.on_error(error, body)

    def on_error(self, error: Exception, body: Body) -> BoltResponse | None:
        """Logs the traceback and apologises without showing it."""
        if isinstance(error, BoltUnhandledRequestError):
            return BoltResponse(status=404, body="")
        logger.error("A listener failed\n%s", frames(error))
        self.answering.apologise(hear.place_of(body, self.me()))
        return None

    def submitted(self, ack: Ack, body: Body) -> None:
        """A search is acknowledged with what was found, so that it stands in the same modal."""
        searched = hear.searched(body)
        try:
            found, then = self.answering.modals.found(searched)
        except Exception as error:
            logger.error("A search failed\n%s", frames(error))
            found, then = self.answering.modals.failed(searched), _nothing
        ack(**found)
        then()

    def gone(self, body: Body) -> None:
        """The app may have been taken away."""
        if hear.revoked(body):
            self.pulse.note(Refused("token_revoked"), "")


def _nothing() -> None:
    return


def _acknowledge(ack: Ack) -> None:
    ack()


def register(
    bolt: App,
    answering: Answering,
    pulse: Pulse,
    me: Callable[[], str],
    workers: Executor,
    curating: Curating | None = None,
) -> None:
    """Put the listeners on the app, and a no-op behind them for all that is subscribed and not answered.

    `me` is the bot's own user id. `curating`: what curators can do, before what everybody can.
    """
    listening = _Listening(answering, pulse, me, workers)
    to, to_message = listening.to, listening.to_message

    def action(name: str, work: Callable[[Body], None]) -> None:
        bolt.action(re.compile(rf"^{name}(:|$)"))(to(work))

    if curating is not None:
        register_curating(bolt, curating, to, workers)
    bolt.event("app_mention", middleware=[to_message(hear.mention)])(_acknowledge)
    bolt.event("message", middleware=[to_message(hear.direct_message)])(_acknowledge)
    bolt.event("app_home_opened")(to(lambda body: answering.modals.home(hear.visitor(body))))
    bolt.event(re.compile("^(tokens_revoked|app_uninstalled)$"))(to(listening.gone))
    bolt.event(ANYTHING)(_acknowledge)
    bolt.command("/askpy", middleware=[listening.command])(_acknowledge)
    action("ask", lambda body: answering.answer(hear.press(body)))
    action("why", lambda body: answering.reasons.why(hear.pressed(body)))
    action("tell", lambda body: answering.unmet.tell(hear.pressed(body)))
    action("none", lambda body: answering.unmet.none(hear.pressed(body)))
    action("vote", lambda body: answering.votes.vote(hear.vote(body)))
    action("share", lambda body: answering.passage.share(hear.pressed(body)))
    action("reply", lambda body: answering.passage.reply(hear.pressed(body)))
    action("search", lambda body: answering.modals.search(hear.search(body)))
    action("back", lambda body: answering.modals.turn(*hear.back(body)))
    action("go", lambda body: answering.modals.home(*hear.go(body)))
    bolt.view_submission("search")(listening.submitted)
    bolt.shortcut("ask_message")(to(lambda body: answering.answer(hear.shortcut(body))))
    for kind in (bolt.command, bolt.action, bolt.shortcut, bolt.view_submission, bolt.view_closed, bolt.options):
        kind(ANYTHING)(_acknowledge)
    bolt.error(listening.on_error)
