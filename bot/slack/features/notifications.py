"""What couldn't be answered: who wants to be told when it can be, what else was meant, and telling them."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from dataclasses import dataclass, field, replace

from bot.model import Question, Reply, Subscription
from bot.slack.blocks import paragraph_blocks, quote_block
from bot.slack.blocks.footer import AnswerFooter, subscribe_blocks
from bot.slack.context import Context
from bot.slack.features.modals import show_page
from bot.slack.logs import format_without_message
from bot.slack.outgoing import (
    Destination,
    OpenModal,
    PostInChannel,
    UpdateModal,
    footer_for,
    post_request,
    private_destination,
    reply_message,
    send,
    text_message,
)
from bot.slack.payloads import (
    AnswerRef,
    Payload,
    action_of,
    asker_of,
    channel_of,
    join_key,
    message_ts_of,
    short_hash,
    team_id_of,
    user_id_of,
    workspace_of,
)
from bot.slack.recorder import best_guess, outcome_of, redacted_line
from bot.slack.transport.client import Outcome, Retry

LOOK_EVERY = 60.0
"""Seconds between two looks for knowledge that another process has changed. A notice that can't be posted for so long is left
to a later look, so that it doesn't hold up this one."""
NOTICES_AT_ONCE = 8
"""Few enough to leave the outbox to answers, and more than one, so that nobody waits for somebody else's Retry-After."""

logger = logging.getLogger(__name__)


# --- presses


async def subscribe(context: Context, body: Payload) -> None:
    """ "Tell me": note who wants to know when a question can be answered; answer at once if by now it can."""
    destination = private_destination(body)
    if destination is None:
        return
    ref, asker = AnswerRef.from_value(action_of(body)[1]), asker_of(body)
    question = Question(ref.question, "command", workspace=workspace_of(asker))
    reply = await context.answer(question, asker)
    if outcome_of(reply) == "answered":
        if isinstance(destination, UpdateModal):
            await show_page(context, destination, asker)
        else:
            key = f"tell:{short_hash(message_ts_of(body), asker, ref.question)}"
            await send(context, destination, reply_message(context, reply, None, key))
        return
    saved = False
    if not _is_somebody_elses(destination):
        await context.recorder.flush()
        guess = best_guess(reply)
        saved = await context.run_db(_save_subscription, context, question, guess, user_id_of(body))
    await _confirm(context, destination, asker, ref, "will_tell" if saved else "cannot_tell")


async def none_of_these(context: Context, body: Payload) -> None:
    """ "None of these": note, once, that what was offered isn't what was meant."""
    destination = private_destination(body)
    if destination is None:
        return
    ref, asker = AnswerRef.from_value(action_of(body)[1]), asker_of(body)
    if not _is_somebody_elses(destination):
        await context.recorder.flush()
        pressed = join_key(team_id_of(body), channel_of(body), message_ts_of(body))
        claim = short_hash("none", pressed, user_id_of(body), ref.question)
        await context.run_db(_clear_guess, context, claim, workspace_of(asker), ref.question)
    await _confirm(context, destination, asker, ref, "none_noted")


def _is_somebody_elses(destination: Destination) -> bool:
    """Whether the question is a message that the shortcut was used on: its words are kept nowhere."""
    return isinstance(destination, (OpenModal, UpdateModal)) and destination.state.is_of_message


def _save_subscription(context: Context, question: Question, guess: tuple[str, float], user: str) -> bool:
    """Note who waits for a question's answer, under the key of its miss, which is counted already; false if that can't be
    written."""
    store, text = context.store, redacted_line(question.text)
    if not text:
        return False
    key = store.misses.find(question.workspace, text) or store.misses.add(question.workspace, text, *guess)
    return bool(key) and store.subscriptions.add(question.workspace, key, user)


def _clear_guess(context: Context, claim: str, workspace: str, question: str) -> None:
    """Empty the best guess of a question's miss. It was counted when it was asked, and isn't counted again."""
    store, text = context.store, redacted_line(question)
    if not text or not store.claims.claim_once(claim):
        return
    key = store.misses.find(workspace, text)
    if key:
        store.misses.clear_best(workspace, key)
    else:
        store.misses.add(workspace, text, "", 0.0)


async def _confirm(context: Context, destination: Destination, asker: str, ref: AnswerRef, key: str) -> None:
    """Say what was noted, in private or in the modal."""
    text = context.strings[key]
    if isinstance(destination, (OpenModal, UpdateModal)):
        await show_page(context, destination, asker, AnswerFooter(key="", answer_ref="", note=text))
        return
    more = list(subscribe_blocks(ref, context.strings)) if key == "none_noted" else []
    await send(context, destination, text_message(text, blocks=[*paragraph_blocks(text), *more]))


# --- telling


@dataclass(slots=True)
class Notifier:
    """Answers the questions of those who wait, whenever what is known has changed.

    Each process has one. A claim sees to it that one of them tells a person; who was told is marked after, so that nobody is
    forgotten where telling fails. The claim of a notice that was posted is kept: another process may still be at a list of
    subscriptions that it read before.
    """

    context: Context
    _checked: dict[str, dict[str, str]] = field(default_factory=dict)
    """Of each workspace, the version of its knowledge that somebody who waits was checked against, by the claim."""
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _is_stopping: bool = False
    _places: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(NOTICES_AT_ONCE))
    _told: set[str] = field(default_factory=set)
    """The claims of those who were told while the database couldn't be written: they are still among those who wait."""

    def knowledge_changed(self, workspace: str) -> None:
        """What is known in a workspace has changed; empty: in all of them. For the event loop's thread."""
        if workspace:
            self._checked.pop(workspace, None)
        else:
            self._checked.clear()
        self._changed.set()

    def stop(self) -> None:
        """Begin no further notices, and end `run` after those that are under way: cancelled, one of them could have been posted
        and be posted again."""
        self._is_stopping = True
        self._changed.set()

    async def run(self) -> None:
        """Look again and again, until it is stopped."""
        while not self._is_stopping:
            try:
                await self.look()
            except Exception as error:  # the next look may go well
                logger.error("Telling failed\n%s", format_without_message(error))
            try:
                await asyncio.wait_for(self._changed.wait(), LOOK_EVERY)
            except TimeoutError:
                continue
            self._changed.clear()

    async def look(self) -> None:
        """Tell everybody who can be told now; those who were checked against the same knowledge before are left out."""
        waiting = defaultdict[str, list[Subscription]](list)
        subscriptions = await self.context.run_db(self.context.store.subscriptions.all)
        self._told &= set(map(_claim_of, subscriptions))
        for subscription in subscriptions:
            waiting[subscription.workspace].append(subscription)
        for workspace, own in waiting.items():
            try:
                await self._look_at(workspace, own)
            except Exception as error:  # the other workspaces' turn comes all the same
                logger.error("Telling a workspace failed\n%s", format_without_message(error))

    async def _look_at(self, workspace: str, subscriptions: list[Subscription]) -> None:
        await self.context.refresh(workspace)
        version = self.context.engine.knowledge_of(workspace).fingerprint
        before = self._checked.get(workspace, {})
        unchecked = [each for each in subscriptions if before.get(_claim_of(each)) != version]
        claims = map(_claim_of, subscriptions)
        checked = self._checked[workspace] = {claim: before[claim] for claim in claims if claim in before}
        done = await asyncio.gather(*map(self._try_to_notify, unchecked))
        checked |= {_claim_of(each): version for each, is_done in zip(unchecked, done, strict=True) if is_done}

    async def _try_to_notify(self, subscription: Subscription) -> bool:
        """Whether nothing is left to do for somebody; whatever goes wrong with one keeps no other from being told."""
        try:
            async with self._places:
                return not self._is_stopping and await self._notify(subscription)
        except Exception as error:
            logger.error("Telling one person failed\n%s", format_without_message(error))
            return False

    async def _notify(self, subscription: Subscription) -> bool:
        """Answer one question, if that is possible now; false if something is left to do at the next look."""
        context, claims, key = self.context, self.context.store.claims, _claim_of(subscription)
        if key in self._told:
            return await self._remove(subscription)
        question = Question(subscription.text, "dm", workspace=subscription.workspace)
        reply = await context.answer(question, "notifier")
        if outcome_of(reply) != "answered" or not await context.run_db(claims.claim_once, key):
            return True
        outcome: Outcome = Retry("our own fault")
        try:
            outcome = await self._post(subscription, question, reply, key)
        finally:
            if isinstance(outcome, Retry):
                await context.run_db(claims.release, key)
        if isinstance(outcome, Retry):
            return False
        self._told.add(key)
        return await self._remove(subscription)

    async def _remove(self, subscription: Subscription) -> bool:
        """Remove the subscription of somebody who was told; false while the database can't be written."""
        names = (subscription.workspace, subscription.key, subscription.user)
        is_removed = await self.context.run_db(self.context.store.subscriptions.remove, *names)
        if is_removed:
            self._told.discard(_claim_of(subscription))
        return is_removed

    async def _post(self, subscription: Subscription, question: Question, reply: Reply, key: str) -> Outcome:
        """Post the answer to somebody as a direct message, below the question that was asked."""
        context = self.context
        footer, above = footer_for(context, reply, question, short_hash(key)), (quote_block(subscription.text),)
        message = reply_message(context, reply, footer, key, above=above, note=context.strings["told_note"])
        where = PostInChannel(subscription.user, "", subscription.user)
        return await context.outbox.send(replace(post_request(context, where, message), ttl=LOOK_EVERY))


def _claim_of(subscription: Subscription) -> str:
    """The key under which one process claims to tell somebody. Who subscribes again later is told again."""
    return join_key("told", subscription.workspace, subscription.key, subscription.user, str(subscription.at))
