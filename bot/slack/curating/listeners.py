"""The curators' listeners."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

from slack_bolt import Ack, App

from bot.slack import board, hear
from bot.slack.curating.forms import logged
from bot.slack.curating.presses import Curating
from bot.slack.hear import Act
from bot.slack.trace import frames

logger = logging.getLogger(__name__)

Body = dict[str, Any]


def register_curating(
    bolt: App, curating: Curating, listener: Callable[[Callable[[Body], None]], Any], workers: Executor
) -> None:
    """Put the curators' listeners on the app, before those that they stand in for."""

    def action(name: str, work: Callable[[Act], None]) -> None:
        bolt.action(re.compile(rf"^{name}(:|$)"))(listener(lambda body: work(hear.act(body))))

    def submitted(ack: Ack, body: Body) -> None:
        filled = hear.filled(body)
        try:
            answer, left = curating.forms.submitted(filled)
        except Exception as error:  # what was typed must stay
            logger.error("A modal failed\n%s", frames(error))
            answer, left = curating.forms.failed(filled), None
        ack(**answer)
        if left is not None:
            workers.submit(logged, left)

    def options(ack: Ack, body: Body) -> None:
        ack(options=curating.forms.suggested(*hear.typed(body)))

    bolt.event("app_home_opened")(listener(lambda body: curating.home(hear.opened(body))))
    action("go", curating.home)
    action("means", curating.means)
    action("write", curating.write)
    action("not_ours", lambda act: curating.settle_as(act, "not_ask"))
    action("ignore", lambda act: curating.settle_as(act, "ignore"))
    action("undo", curating.undo)
    action("public", lambda act: curating.trial(act, on=False))
    action("trial", lambda act: curating.trial(act, on=True))
    bolt.view_submission(re.compile("^(means|write)$"))(submitted)
    bolt.options(board.ENTRY)(options)
