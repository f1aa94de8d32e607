"""Ask and draw: what all of Slack's doors share. From what was heard to the requests that answer it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol
from uuid import uuid4

from bot.model import Kind, Question, Reply
from bot.reply import plain
from bot.slack import limits
from bot.slack.blocks import Layout, aside, attribution, draw, escape, prose, sharing, title
from bot.slack.hear import Heard, Opened, Place, Posted, Pressed, Replaced, Whispered
from bot.slack.limits import Block, cut, size
from bot.slack.post import TRIGGER_LASTS, Again, Outbox, Outcome, Refused, Request, message_id
from bot.slack.words import Words

SHARED: frozenset[Kind] = frozenset({"topic", "step", "library", "compare", "list", "recommend"})
"""Kinds of reply that are worth sharing."""
ESCAPED_TEXT = 4_000
"""Units of `text` once its entities are escaped; Slack splits a message at 4,041."""


class Desk(Protocol):
    """What answers."""

    def ask(self, question: Question) -> Reply: ...


class Claims(Protocol):
    """Who answers: of all that claim a key, in all processes, the first one."""

    def claim(self, key: str) -> bool: ...

    def release(self, key: str) -> None: ...


def _nothing() -> None:
    return


@dataclass(frozen=True, slots=True, kw_only=True)
class _Letter:
    """What is to be said. `key` names it, and `given_up` runs if it has surely not arrived."""

    text: str
    draw: Callable[[Layout], list[Block]]
    key: str
    given_up: Callable[[], None] = _nothing


@dataclass(frozen=True, slots=True)
class Answering:
    """Answers what was heard. Returns before Slack has the answer; the outbox sees to that."""

    desk: Desk
    claims: Claims
    outbox: Outbox
    words: Words
    layout: Layout

    def once(self, heard: Heard | None) -> None:
        """Answer a message, unless it has been answered."""
        if heard is not None and self.claims.claim(heard.key):
            self.answer(heard, lambda: self.claims.release(heard.key))

    def answer(self, heard: Heard | None, given_up: Callable[[], None] = _nothing) -> None:
        """Ask the desk and send its reply; `given_up` runs if it has surely not arrived."""
        if heard is None:
            return
        reply = self.desk.ask(heard.question)
        shared = heard.question.text if isinstance(heard.place, Whispered) and reply.kind in SHARED else None

        def drawn(layout: Layout) -> list[Block]:
            return draw(reply, layout, self.words) + ([sharing(shared, self.words)] if shared is not None else [])

        letter = _Letter(text=fallback(reply), draw=drawn, key=heard.key, given_up=given_up)
        self.outbox.send(self._request(heard.place, letter))

    def share(self, pressed: Pressed | None) -> None:
        """Post a private answer in the channel, once, and take its button away."""
        if pressed is None:
            return
        reply = self.desk.ask(pressed.question)
        text, blocks = fallback(reply), draw(reply, "classic", self.words)
        mine = _whisper(pressed.url, text, [*blocks, aside(self.words["shared"])], pressed.key + ":mine", replaces=True)
        if not self.claims.claim(pressed.key):
            self.outbox.send(mine)
            return
        args = _message(text, [*blocks, attribution(pressed.user, self.words)], pressed.key)
        args |= {"response_type": "in_channel", "replace_original": False}
        failed = partial(self._not_shared, pressed)
        self.outbox.send(Request(url=pressed.url, args=args, then=lambda: self.outbox.send(mine), failed=failed))

    def home(self, user: str) -> None:
        """The App Home: what the bot is for, and questions to press."""
        tips = self.desk.ask(Question("help", "home"))
        blocks = [title(self.words["home_title"]), *prose(self.words["home_intro"]), *draw(tips, words=self.words)]
        view = {"type": "home", "blocks": blocks[: limits.BLOCKS["home"]]}
        if user:
            self.outbox.send(Request(method="views.publish", args={"user_id": user, "view": view}))

    def apologise(self, place: Place | None) -> None:
        """Say that something went wrong, without saying what."""
        if place is not None:
            blocks = prose(self.words["oops"])
            letter = _Letter(text=escape(self.words["oops"]), draw=lambda _: blocks, key=f"oops:{uuid4()}")
            self.outbox.send(self._request(place, letter))

    def _request(self, place: Place, letter: _Letter) -> Request:
        match place:
            case Posted():
                return self._posted(place, letter)
            case Whispered(url):
                return _whisper(url, letter.text, letter.draw("classic"), letter.key)
            case Opened(trigger):
                args = {"trigger_id": trigger, "view": self._modal(letter.draw("classic"))}
                return Request(method="views.open", args=args, lasts=TRIGGER_LASTS)
            case Replaced(view):
                return Request(
                    method="views.update", args={"view_id": view, "view": self._modal(letter.draw("classic"))}
                )

    def _posted(self, place: Posted, letter: _Letter) -> Request:
        where: dict[str, Any] = {"channel": place.channel}
        if place.thread:
            where["thread_ts"] = place.thread
        drawn = letter.draw(self.layout)

        def simpler() -> dict[str, Any]:
            classic = letter.draw("classic")
            return where | _message(letter.text, classic if classic != drawn else [], letter.key)

        return Request(
            method="chat.postMessage",
            args=where | _message(letter.text, drawn, letter.key),
            simpler=simpler,
            failed=partial(self._not_posted, place, letter),
        )

    def _modal(self, blocks: list[Block]) -> dict[str, Any]:
        return {
            "type": "modal",
            "title": {"type": "plain_text", "text": cut(self.words["modal_title"], limits.MODAL_TITLE)},
            "close": {"type": "plain_text", "text": cut(self.words["close"], limits.MODAL_TITLE)},
            "blocks": blocks[: limits.BLOCKS["modal"]],
        }

    def _not_posted(self, place: Posted, letter: _Letter, outcome: Outcome) -> None:
        """Tell the asker privately, where there is a way; forget the claim of what has surely not arrived."""
        if isinstance(outcome, Again):
            letter.given_up()
        if not isinstance(outcome, Refused):
            return
        if place.url:
            self.outbox.send(_whisper(place.url, letter.text, letter.draw("classic"), letter.key + ":private"))
            return
        args = {"channel": place.channel, "user": place.asker, "text": self.words["cannot_post"]}
        if place.thread:
            args["thread_ts"] = place.thread
        self.outbox.send(Request(method="chat.postEphemeral", args=args))

    def _not_shared(self, pressed: Pressed, outcome: Outcome) -> None:
        if not isinstance(outcome, (Again, Refused)):
            return
        self.claims.release(pressed.key)
        word = self.words["cannot_share"]
        self.outbox.send(_whisper(pressed.url, escape(word), prose(word), pressed.key + ":sorry"))


def fallback(reply: Reply) -> str:
    """The whole reply for `text`, in which Slack reads entities but finds none."""
    told = plain(reply)
    while size(escape(told)) > ESCAPED_TEXT:
        told = cut(told, size(told) - 100)
    return escape(told)


def _message(text: str, blocks: list[Block], key: str) -> dict[str, Any]:
    """The arguments that every message has."""
    return {
        "text": text,
        **({"blocks": blocks} if blocks else {}),
        "mrkdwn": False,
        "unfurl_links": False,
        "unfurl_media": False,
        "client_msg_id": message_id(key),
    }


def _whisper(url: str, text: str, blocks: list[Block], key: str, replaces: bool = False) -> Request:
    private = {"response_type": "ephemeral", "replace_original": replaces}
    return Request(url=url, args=_message(text, blocks, key) | private)
