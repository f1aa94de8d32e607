"""Passing an answer on: from a private one to the channel, from a modal to a thread."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

from bot.slack.answering.letter import message, whisper
from bot.slack.answering.modals import Modals
from bot.slack.answering.partners import Records
from bot.slack.answering.replies import Replies
from bot.slack.answering.sending import Sending
from bot.slack.blocks import attribution
from bot.slack.foot import Foot
from bot.slack.hear import Posted, Pressed, Replaced
from bot.slack.post import Again, Lost, Outcome, Refused, Request
from bot.slack.values import key_of, subject_of
from bot.slack.words import Words


@dataclass(frozen=True, slots=True)
class Passage:
    """Passes answers on, each of them once."""

    records: Records
    words: Words
    replies: Replies
    sending: Sending
    modals: Modals

    def share(self, pressed: Pressed | None) -> None:
        """Post a private answer in the channel, once, and take its button away."""
        if pressed is None or not pressed.url:
            return
        reply = self.replies.same(pressed.asked, pressed.workspace)
        if reply is None:
            self.sending.say(pressed.place, self.words["not_there"], pressed.key + ":gone")
            return
        key = f"share:{pressed.key}"
        foot = self.replies.foot(reply, pressed.question, key_of(key))
        mine = self.sending.letter(reply, foot and replace(foot, note=self.words["shared"]), key + ":mine")
        shown = whisper(pressed.url, mine.text, mine.draw("classic"), mine.key, replaces=True)
        if not self.records.claim(key):
            self.sending.outbox.send(shown)
            return
        # The question was asked in private: what others see doesn't carry it.
        letter = self.sending.letter(
            reply, foot and replace(foot, why=""), key, below=(attribution(pressed.user, self.words),)
        )
        args = message(letter.text, letter.draw("classic"), key)
        args |= {"response_type": "in_channel", "replace_original": False}
        failed = partial(self._not_shared, pressed, key)
        self.sending.outbox.send(
            Request(url=pressed.url, args=args, then=lambda: self.sending.outbox.send(shown), failed=failed)
        )

    def _not_shared(self, pressed: Pressed, key: str, outcome: Outcome) -> None:
        if isinstance(outcome, (Again, Refused)):
            self.records.release(key)
            self.sending.say(pressed.place, self.words["cannot_share"], key + ":sorry")

    def reply(self, pressed: Pressed | None) -> None:
        """Post a modal's answer in the thread of the message that the modal was opened on, once."""
        if pressed is None or not isinstance(pressed.place, Replaced) or not pressed.place.modal.channel:
            return
        place, modal = pressed.place, pressed.place.modal
        reply = self.replies.same(pressed.asked, pressed.workspace)
        if reply is None:
            self.sending.say(place, self.words["not_there"], pressed.key)
            return
        key = ":".join(("reply", pressed.asker.partition(":")[0], modal.channel, modal.thread, subject_of(reply)))
        if not self.records.claim(key):
            self._note(place, pressed.asker, "already_replied")
            return

        def failed(outcome: Outcome) -> None:
            if not isinstance(outcome, Lost):
                self.records.release(key)
            self._note(place, pressed.asker, "unsure_reply" if isinstance(outcome, Lost) else "cannot_reply")

        foot = self.replies.foot(reply, replace(pressed.question, text=modal.question), key_of(key))
        letter = self.sending.letter(reply, foot, key, below=(attribution(pressed.user, self.words),))
        request = self.sending.posted(Posted(modal.channel, modal.thread, pressed.user), letter)
        then = partial(self._note, place, pressed.asker, "replied")
        self.sending.outbox.send(replace(request, then=then, failed=failed))

    def _note(self, place: Replaced, asker: str, word: str) -> None:
        """Say in the modal what has become of it; there is nothing more to press about it unless it failed."""
        self.modals.show(place, asker, Foot(key="", subject="", note=self.words[word]), again=word == "cannot_reply")
