"""Sending: from a letter and its place to the request that carries it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from bot.model import Reply
from bot.slack import limits, views
from bot.slack.access import REFUSED
from bot.slack.answering.letter import Letter, fallback, message, whisper
from bot.slack.blocks import Layout, aside, draw, escape, prose
from bot.slack.foot import Foot, under
from bot.slack.hear import Beside, Opened, Place, Posted, Replaced, Whispered
from bot.slack.journal import Course
from bot.slack.limits import Block
from bot.slack.post import TRIGGER_LASTS, Again, Outbox, Outcome, Refused, Request
from bot.slack.words import Words


@dataclass(frozen=True, slots=True)
class Sending:
    """Sends letters to their places. `layout` is how posted messages are drawn."""

    outbox: Outbox
    words: Words
    layout: Layout

    def letter(
        self,
        reply: Reply,
        foot: Foot | None,
        key: str,
        *,
        above: tuple[Block, ...] = (),
        below: tuple[Block, ...] = (),
        note: str = "",
    ) -> Letter:
        """A reply between blocks of ours; `note` stands in `text`, too."""

        def drawn(layout: Layout) -> list[Block]:
            rest = [*below, *([aside(note)] if note else []), *under(foot, layout, self.words)]
            room = limits.BLOCKS["message"] - len(above) - len(rest)
            return [*above, *draw(reply, layout, self.words)[:room], *rest]

        return Letter(text=fallback(reply, note), draw=drawn, key=key)

    def say(self, place: Place, word: str, key: str) -> None:
        """Say a sentence of ours."""
        blocks = prose(word)
        self.send(place, Letter(text=escape(word), draw=lambda _: blocks, key=key))

    def send(self, place: Place, letter: Letter) -> None:
        """Send it to where it belongs."""
        match place:
            case Posted():
                self._hand_over(self.posted(place, letter), letter.course)
            case Whispered(url):
                private = whisper(url, letter.text, letter.draw("classic"), letter.key)
                self._hand_over(replace(private, settled=letter.settled), letter.course)
            case Beside():
                self._hand_over(self._beside(place, letter), letter.course)
            case Opened(trigger, modal):
                self.open(trigger, views.modal(modal, letter.draw("classic"), self.words), letter.course)
            case Replaced(name, modal):
                self.update(name, views.modal(modal, letter.draw("classic"), self.words, back=0), letter.course)

    def posted(self, place: Posted, letter: Letter) -> Request:
        """The request that posts it; a classic layout stands in where Slack refuses the cards."""
        where: dict[str, Any] = {"channel": place.channel}
        if place.thread:
            where["thread_ts"] = place.thread
        drawn = letter.draw(self.layout)

        def simpler() -> dict[str, Any]:
            classic = letter.draw("classic")
            return where | message(letter.text, classic if classic != drawn else [], letter.key)

        return Request(
            method="chat.postMessage",
            args=where | message(letter.text, drawn, letter.key),
            simpler=simpler,
            failed=partial(self._not_posted, place, letter),
            settled=letter.settled,
        )

    def _not_posted(self, place: Posted, letter: Letter, outcome: Outcome) -> None:
        """Tell the asker privately, where there is a way; forget the claim of what has surely not arrived."""
        if isinstance(outcome, Again):
            letter.given_up()
        if not isinstance(outcome, Refused):
            return
        if place.url:
            self.outbox.send(whisper(place.url, letter.text, letter.draw("classic"), letter.key + ":private"))
            return
        if outcome.code in REFUSED:  # the token: no method takes it
            return
        where = {"channel": place.channel, "user": place.asker} | ({"thread_ts": place.thread} if place.thread else {})
        args = where | message(escape(self.words["cannot_post"]), [], letter.key + ":cannot")
        self.outbox.send(Request(method="chat.postEphemeral", args=args))

    def _beside(self, place: Beside, letter: Letter) -> Request:
        """A private word. In a thread it needs a method of the Web API, which needs a member; elsewhere a response_url does."""
        private = whisper(place.url, letter.text, letter.draw("classic"), letter.key, replaces=place.instead)
        if place.url and (place.instead or not place.thread):
            return private
        where = {"channel": place.channel, "user": place.user} | ({"thread_ts": place.thread} if place.thread else {})

        def failed(outcome: Outcome) -> None:
            if isinstance(outcome, Again):
                letter.given_up()
            if isinstance(outcome, Refused) and place.url:
                self.outbox.send(private)

        args = where | message(letter.text, letter.draw("classic"), letter.key)
        return Request(method="chat.postEphemeral", args=args, failed=failed, settled=letter.settled)

    def open(self, trigger: str, view: views.View, course: Course | None = None) -> None:
        """Open a modal."""
        args = {"trigger_id": trigger, "view": view}
        self._hand_over(Request(method="views.open", args=args, lasts=TRIGGER_LASTS), course)

    def update(self, name: str, view: views.View, course: Course | None = None) -> None:
        """Put another view into a modal."""
        self._hand_over(Request(method="views.update", args={"view_id": name, "view": view}), course)

    def _hand_over(self, request: Request, course: Course | None) -> None:
        """Send it; if it carries an answer, the journal hears what becomes of it."""
        self.outbox.send(request if course is None else course.watched(request))
