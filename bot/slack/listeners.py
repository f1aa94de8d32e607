"""Listeners: they acknowledge, translate, ask and draw, and know nothing of what is known."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import Any

from slack_bolt import Ack, App, BoltResponse
from slack_bolt.error import BoltUnhandledRequestError

from bot.slack import hear
from bot.slack.answering import Answering, Full
from bot.slack.curating import Curating, register_curating
from bot.slack.post import Pulse, Refused, nothing
from bot.slack.promises import Acknowledged
from bot.slack.trace import frames

ANYTHING = re.compile(".*", re.DOTALL)

logger = logging.getLogger(__name__)

Body = dict[str, Any]


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
        settled = promise.settle if promise is not None else nothing
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
            found, then = self.answering.modals.failed(searched), nothing
        ack(**found)
        then()

    def gone(self, body: Body) -> None:
        """The app may have been taken away."""
        if hear.revoked(body):
            self.pulse.note(Refused("token_revoked"), "")


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
