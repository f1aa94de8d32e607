"""Modals and the Home tab: what is shown in them, and what one can do there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from bot.model import Question, Reply, Surface
from bot.slack import views
from bot.slack.answering.partners import Desk
from bot.slack.answering.replies import Replies
from bot.slack.answering.sending import Sending
from bot.slack.blocks import prose
from bot.slack.foot import Foot, Passing
from bot.slack.hear import Opened, Replaced, Searched, workspace_of
from bot.slack.journal import Course, Journal
from bot.slack.post import Request, nothing
from bot.slack.recording import Recorder
from bot.slack.values import Modal, key_of, subject_of
from bot.slack.words import Words


@dataclass(frozen=True, slots=True)
class Modals:
    """Shows answers in modals, searches in them, and draws the Home tab."""

    desk: Desk
    words: Words
    replies: Replies
    sending: Sending
    recorder: Recorder
    journal: Journal

    def home(self, user: str, page: str = views.FRONT, workspace: str = "") -> None:
        """The App Home: what the bot is for, questions to press, and all there is to look around in."""
        if user:
            view = views.home(self.desk.knowledge_of(workspace), page, self.words)
            self.sending.outbox.send(Request(method="views.publish", args={"user_id": user, "view": view}))

    def search(self, opened: Opened | None) -> None:
        """Open the search."""
        if opened is not None:
            page = views.search_page(self.desk.knowledge, self.words)
            self.sending.open(opened.trigger, views.modal(opened.modal, page, self.words))

    def found(self, searched: Searched) -> tuple[dict[str, Any], Callable[[], None]]:
        """What to acknowledge a search with: the modal with the answer in it, or a complaint; and what to do then."""
        if not searched.words:
            return {"response_action": "errors", "errors": {searched.block: self.words["search_empty"]}}, nothing
        modal = searched.modal.asking(searched.words)
        question = Question(searched.words, "home", workspace=workspace_of(searched.asker))
        course = self.journal.heard(question)
        view, reply = self._page(modal, searched.asker)

        def record() -> None:
            if reply is not None:
                course.answered(reply)
                course.acknowledged()
                self.recorder.asked(question, reply)

        return {"response_action": "update", "view": view}, record

    def failed(self, searched: Searched) -> dict[str, Any]:
        """What to acknowledge a search with that we have stumbled over."""
        view = views.modal(searched.modal, prose(self.words["oops"]), self.words)
        return {"response_action": "update", "view": view}

    def turn(self, place: Replaced | None, asker: str) -> None:
        """Show what a modal remembers."""
        if place is not None:
            self.show(place, asker)

    def show(
        self,
        place: Opened | Replaced,
        asker: str,
        over: Foot | None = None,
        again: bool = True,
        course: Course | None = None,
    ) -> Reply | None:
        """Show in a modal what it remembers; `over` brings the state and the note of its foot."""
        view, reply = self._page(place.modal, asker, over, again)
        if course is not None and reply is not None:
            course.answered(reply)
        match place:
            case Opened(trigger):
                self.sending.open(trigger, view, course)
            case Replaced(name):
                self.sending.update(name, view, course)
        return reply

    def _page(
        self, modal: Modal, asker: str, over: Foot | None = None, again: bool = True
    ) -> tuple[views.View, Reply | None]:
        """The modal's present page, and the reply on it. What is asked in a modal stands by itself, so that it can be shown
        again."""
        back = 1 if len(modal.trail) > 1 else None
        if modal.search and not modal.trail:
            return views.modal(modal, views.search_page(self.desk.knowledge, self.words), self.words), None
        surface: Surface = "home" if modal.search or not modal.channel else "shortcut"
        question = Question(modal.question, surface, workspace=workspace_of(asker))
        reply = self.desk.ask(question)
        passing: Passing = "reply" if modal.channel and again else ""
        foot = self.replies.foot(reply, question, key_of("view", asker, subject_of(reply)), passing)
        if foot is not None and over is not None:
            foot = replace(foot, state=over.state, note=over.note)
        return views.modal(modal, self.sending.letter(reply, foot, "").draw("classic"), self.words, back), reply
