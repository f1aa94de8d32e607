"""The Slack app: listeners that acknowledge, translate, ask and draw, and nothing of what is known."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from slack_bolt import Ack, App, BoltResponse
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.error import BoltUnhandledRequestError

from bot.slack import hear
from bot.slack.access import Access, Identity
from bot.slack.answering import Answering, Desk, Records
from bot.slack.blocks import Layout
from bot.slack.curating import Curating, Curation, register_curating
from bot.slack.post import Outbox, Outcome, Pulse, Refused, Request, deliver
from bot.slack.trace import frames
from bot.slack.words import words_of

LISTENERS = 16
"""Threads that acknowledge and do nothing else, so that no backlog of questions keeps Slack waiting; more than the ten
that Socket Mode hands over at once."""
WORKERS = 4
"""Threads that answer. The desk finds one at a time; the others meanwhile draw, or wait for the database, never for Slack."""
CHECKS = 1
"""Threads that see what a curator's edit would do: each computes for seconds, and no answer is to wait for it."""
ANYTHING = re.compile(".*", re.DOTALL)

logger = logging.getLogger(__name__)
_bolt = logging.getLogger("bot.slack.bolt")
_bolt.setLevel(logging.ERROR)  # below that, Bolt's lines quote what people wrote

Body = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackApp:
    """The Bolt app and what runs beside it."""

    bolt: App
    outbox: Outbox
    identity: Identity
    pulse: Pulse
    executor: Executor
    workers: Executor
    checks: Executor

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


def build_app(
    desk: Desk,
    records: Records,
    access: Access,
    *,
    lines: Mapping[str, str],
    layout: Layout = "cards",
    executor: Executor | None = None,
    outbox: Outbox | None = None,
    curation: Curation | None = None,
) -> SlackApp:
    """Join the app. `lines` are the pack's own sentences; `layout` is how posted messages are drawn.

    An `executor` that is given acknowledges and answers. `curation`: what the curators' side stands on, where there is one.
    """
    client, pulse = access.client(), Pulse()
    identity = Identity(client)
    workers = executor or ThreadPoolExecutor(WORKERS, "worker")
    checks = executor or ThreadPoolExecutor(CHECKS, "check")
    executor = executor or ThreadPoolExecutor(LISTENERS, "listener")

    def delivered(request: Request) -> Outcome:
        outcome = deliver(client, request)
        pulse.note(outcome, request.method)
        return outcome

    def authorize() -> AuthorizeResult:
        me = identity.me()
        return AuthorizeResult(
            enterprise_id=None, team_id=me.team, bot_id=me.bot, bot_user_id=me.user, bot_token=access.bot_token
        )

    outbox = outbox or Outbox()
    outbox.deliver = delivered
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
    answering = Answering(desk, records, outbox, words_of(lines), layout, access.seal)
    curating = None
    if curation is not None:
        curating = Curating.of(curation, answering, lambda: identity.team, checks)
    register(bolt, answering, pulse, lambda: identity.user, workers, curating)
    return SlackApp(
        bolt=bolt, outbox=outbox, identity=identity, pulse=pulse, executor=executor, workers=workers, checks=checks
    )


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

    def listener(work: Callable[[Body], None]) -> Callable[[Ack, Body], None]:
        """Acknowledges, and leaves the work to the workers: its faults would take the acknowledgement back."""

        def listen(ack: Ack, body: Body) -> None:
            ack()
            workers.submit(do, body)

        def do(body: Body) -> None:
            try:
                work(body)
            except Exception as error:
                on_error(error, body)

        return listen

    def on_error(error: Exception, body: Body) -> BoltResponse | None:
        if isinstance(error, BoltUnhandledRequestError):
            return BoltResponse(status=404, body="")
        logger.error("A listener failed\n%s", frames(error))
        answering.apologise(hear.place_of(body, me()))
        return None

    def nothing(ack: Ack) -> None:
        ack()

    def gone(body: Body) -> None:
        if hear.revoked(body):
            pulse.note(Refused("token_revoked"), "")

    def action(name: str, work: Callable[[Body], None]) -> None:
        bolt.action(re.compile(rf"^{name}(:|$)"))(listener(work))

    if curating is not None:
        register_curating(bolt, curating, listener, workers)
    bolt.event("app_mention")(listener(lambda body: answering.once(hear.mention(body, me()))))
    bolt.event("message")(listener(lambda body: answering.once(hear.direct_message(body, me()))))
    bolt.event("app_home_opened")(listener(lambda body: answering.home(hear.visitor(body))))
    bolt.event(re.compile("^(tokens_revoked|app_uninstalled)$"))(listener(gone))
    bolt.event(ANYTHING)(nothing)
    bolt.command("/askpy")(listener(lambda body: answering.answer(hear.command(body))))
    action("ask", lambda body: answering.answer(hear.press(body)))
    action("why", lambda body: answering.why(hear.pressed(body)))
    action("vote", lambda body: answering.vote(hear.vote(body)))
    action("share", lambda body: answering.share(hear.pressed(body)))
    action("reply", lambda body: answering.reply(hear.pressed(body)))
    action("search", lambda body: answering.search(hear.search(body)))
    action("back", lambda body: answering.turn(*hear.back(body)))
    action("go", lambda body: answering.home(*hear.go(body)))
    bolt.view_submission("search")(_searching(answering))
    bolt.shortcut("ask_message")(listener(lambda body: answering.answer(hear.shortcut(body))))
    for kind in (bolt.command, bolt.action, bolt.shortcut, bolt.view_submission, bolt.view_closed, bolt.options):
        kind(ANYTHING)(nothing)
    bolt.error(on_error)


def _searching(answering: Answering) -> Callable[[Ack, Body], None]:
    """A search is acknowledged with what was found, so that it stands in the same modal."""

    def submitted(ack: Ack, body: Body) -> None:
        searched = hear.searched(body)
        try:
            found = answering.found(searched)
        except Exception as error:
            logger.error("A search failed\n%s", frames(error))
            found = answering.failed(searched)
        ack(**found)

    return submitted
