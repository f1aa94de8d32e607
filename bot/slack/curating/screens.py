"""What a curator sees of it: the Home tab anew, or another view in a modal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bot.slack import board, views
from bot.slack.answering.sending import Sending
from bot.slack.blocks import aside
from bot.slack.board import Note, fill
from bot.slack.curating.overview import Overview
from bot.slack.curators import Curators
from bot.slack.hear import Act
from bot.slack.post import Outcome, Request
from bot.slack.values import Sheet
from bot.slack.words import Words


@dataclass(frozen=True, slots=True)
class Screens:
    """Shows views to those who may see them. `native`: with Slack's own chart."""

    curators: Curators
    overview: Overview
    sending: Sending
    words: Words
    native: bool

    def may(self, act: Act) -> bool:
        """Whether this person may curate."""
        return self.curators.has(act.team, act.user)

    def refuse(self, act: Act) -> None:
        """Say that this is for curators, and show what everybody sees."""
        if act.view:
            self.update(act.view, board.done(Sheet(), fill(self.words["curate_only"]), self.words))
        if not act.user:
            return
        view = views.home(self.overview.knowledge(act.team), views.FRONT, self.words)
        view |= {"blocks": [aside(self.words["curate_only"]), *view["blocks"]]}
        self._send("views.publish", {"user_id": act.user, "view": view})

    def publish(self, act: Act, page: str, note: Note | None = None) -> None:
        """Show a curator's Home anew; without Slack's own chart where Slack won't have it."""
        seen = self.overview.board(act.team)

        def drawn(native: bool) -> dict[str, Any]:
            if page.partition("@")[0] in board.PAGES:
                view = board.page(seen, page, self.words, note, native)
            else:
                front = views.home(seen.knowledge, views.FRONT, self.words)
                view = board.front(front, seen, self.words, note)
            return {"user_id": act.user, "view": view}

        self._send("views.publish", drawn(self.native), lambda: drawn(False))

    def show(self, trigger: str, view: views.View) -> None:
        """Open a modal."""
        self.sending.open(trigger, view)

    def update(self, name: str, view: views.View, failed: Callable[[Outcome], None] = lambda _: None) -> None:
        """Put another view into a modal."""
        args = {"view_id": name, "view": view}
        self.sending.outbox.send(Request(method="views.update", args=args, failed=failed))

    def _send(self, method: str, args: dict[str, Any], simpler: Callable[[], dict[str, Any]] | None = None) -> None:
        self.sending.outbox.send(Request(method=method, args=args, simpler=simpler))
