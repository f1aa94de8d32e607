"""Unanswered questions: the buttons "Tell me" and "None of these", and notifying subscribers."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from bot.model import Question, Reply, Subscription
from bot.slack.blocks import paragraph_blocks, quote_block
from bot.slack.blocks.footer import FooterState, unanswered_blocks
from bot.slack.context import Context
from bot.slack.features.help_requests import HelpRequestChecks
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
    user_id_of,
    workspace_of,
)
from bot.slack.recorder import best_guess, outcome_of, redacted_line
from bot.slack.transport.client import NotSent, SendResult

CHECK_INTERVAL = 60.0
"""Seconds between two checks for knowledge that another process has changed. A notification that can't be posted for so long is
left to a later check, so that it doesn't delay this one."""
MAX_NOTIFYING = 8
"""Notifications sent at once: few, so that the outbox is free for answers, and more than one, so that nobody waits for another
person's Retry-After."""

logger = logging.getLogger(__name__)


# --- buttons


async def subscribe(context: Context, body: Payload) -> None:
    """ "Tell me": subscribe the person to the question's answer; if it can be answered by now, answer."""
    destination = private_destination(body)
    if destination is None:
        return
    ref, asker = AnswerRef.from_value(action_of(body)[1]), asker_of(body, context.home_team)
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
    if not _opened_by_shortcut(destination):
        await context.recorder.flush()
        guess = best_guess(reply)
        saved = await context.run_db(_save_subscription, context, question, guess, user_id_of(body))
    await _confirm(context, destination, asker, ref, "will_tell" if saved else "cannot_tell")


async def none_of_these(context: Context, body: Payload) -> None:
    """ "None of these": note, once, that none of the suggestions was meant."""
    destination = private_destination(body)
    if destination is None:
        return
    ref, asker = AnswerRef.from_value(action_of(body)[1]), asker_of(body, context.home_team)
    if not _opened_by_shortcut(destination):
        await context.recorder.flush()
        pressed = join_key(workspace_of(asker), channel_of(body), message_ts_of(body))
        claim = short_hash("none", pressed, user_id_of(body), ref.question)
        await context.run_db(_clear_guess, context, claim, workspace_of(asker), ref.question)
    await _confirm(context, destination, asker, ref, "none_noted")


def _opened_by_shortcut(destination: Destination) -> bool:
    """Whether the question is another person's message, on which the shortcut was used: it is never stored."""
    return isinstance(destination, (OpenModal, UpdateModal)) and destination.state.opened_by_shortcut


def _save_subscription(context: Context, question: Question, guess: tuple[str, float], user: str) -> bool:
    """Save a subscription under the key of the question's miss, which was counted when it was asked; false if it can't be
    saved."""
    store, text = context.store, redacted_line(question.text)
    if not text:
        return False
    key = store.misses.find(question.workspace, text) or store.misses.add(question.workspace, text, *guess)
    return bool(key) and store.subscriptions.add(question.workspace, key, user)


def _clear_guess(context: Context, claim: str, workspace: str, question: str) -> None:
    """Clear the best guess of a question's miss. The miss was counted when it was asked, and isn't counted again."""
    store, text = context.store, redacted_line(question)
    if not text or not store.claims.claim_once(claim):
        return
    key = store.misses.find(workspace, text)
    if key:
        store.misses.clear_best(workspace, key)
    else:
        store.misses.add(workspace, text, "", 0.0)


async def _confirm(context: Context, destination: Destination, asker: str, ref: AnswerRef, key: str) -> None:
    """Confirm what was noted, in private or in the modal."""
    text = context.strings[key]
    if isinstance(destination, (OpenModal, UpdateModal)):
        await show_page(context, destination, asker, FooterState(note=text))
        return
    can_ask_people = bool(context.help_channel(workspace_of(asker)))
    extra = unanswered_blocks(ref, context.strings, can_ask_people=can_ask_people) if key == "none_noted" else []
    await send(context, destination, text_message(text, blocks=[*paragraph_blocks(text), *extra]))


# --- notifying


@dataclass(slots=True)
class Notifier:
    """Sends subscribers their answer when the knowledge has changed so that there is one; and runs the checks of help requests.

    Each process has one. A claim ensures that only one process notifies a person. The subscription is removed afterwards, so that
    it is kept if notifying fails. The claim of a posted notification is kept: another process may still work on a list of
    subscriptions that it read before.
    """

    context: Context
    help_requests: HelpRequestChecks
    _checked: dict[str, dict[str, str]] = field(default_factory=dict)
    """For each workspace, the version of the knowledge against which each subscription was checked, by its claim."""
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MAX_NOTIFYING))
    _notified: set[str] = field(default_factory=set)
    """The claims of people who were notified while the database couldn't be written: their subscriptions are still there."""

    def knowledge_changed(self, workspace: str) -> None:
        """Called on the event loop's thread when the knowledge of a workspace has changed; empty: of all workspaces."""
        if workspace:
            self._checked.pop(workspace, None)
        else:
            self._checked.clear()
        self._changed.set()

    @property
    def _stopping(self) -> asyncio.Event:
        return self.help_requests.stopping

    def stop(self) -> None:
        """Start no further notifications, and end `run` after those in progress: a cancelled one may have been posted, and would
        be posted again."""
        self._stopping.set()
        self._changed.set()

    async def run(self) -> None:
        """Check again and again, until it is stopped."""
        while not self._stopping.is_set():
            await self.check_all()
            try:
                await asyncio.wait_for(self._changed.wait(), CHECK_INTERVAL)
            except TimeoutError:
                continue
            self._changed.clear()

    async def check_all(self) -> None:
        """Check the subscriptions and the help requests, beside each other: either may wait for Slack."""
        await asyncio.gather(_logged(self.check_subscriptions), _logged(self.help_requests.check))

    async def check_subscriptions(self) -> None:
        """Notify everybody whose question can be answered now; skips those who were checked against the same knowledge."""
        by_workspace = defaultdict[str, list[Subscription]](list)
        subscriptions = await self.help_requests.read(self.context.store.subscriptions.all)
        if subscriptions:  # a database that can't be read has none
            self._notified &= set(map(_claim_of, subscriptions))
        for subscription in subscriptions:
            by_workspace[subscription.workspace].append(subscription)
        for workspace, group in by_workspace.items():
            try:
                await self._check_workspace(workspace, group)
            except Exception as error:  # the other workspaces are checked all the same
                logger.error("Notifying a workspace failed\n%s", format_without_message(error))

    async def _check_workspace(self, workspace: str, subscriptions: list[Subscription]) -> None:
        await self.context.refresh(workspace)
        version = self.context.engine.knowledge_of(workspace).fingerprint
        before = self._checked.get(workspace, {})
        unchecked = [each for each in subscriptions if before.get(_claim_of(each)) != version]
        claims = map(_claim_of, subscriptions)
        checked = self._checked[workspace] = {claim: before[claim] for claim in claims if claim in before}
        done = await asyncio.gather(*map(self._try_to_notify, unchecked))
        checked |= {_claim_of(each): version for each, is_done in zip(unchecked, done, strict=True) if is_done}

    async def _try_to_notify(self, subscription: Subscription) -> bool:
        """Whether nothing is left to do for a subscription. An error is logged, and doesn't affect the others."""
        try:
            async with self._slots:
                return not self._stopping.is_set() and await self._notify(subscription)
        except Exception as error:
            logger.error("Notifying one person failed\n%s", format_without_message(error))
            return False

    async def _notify(self, subscription: Subscription) -> bool:
        """Answer one question, if that is possible now; false if something is left to do at the next check."""
        claims, key = self.context.store.claims, _claim_of(subscription)
        if key in self._notified:
            return await self._remove(subscription)
        context = await self.context.of_team(subscription.workspace)
        if context is None:  # the app was removed there; the subscription goes with all else
            return True
        question = Question(subscription.text, "dm", workspace=subscription.workspace)
        reply = await context.answer(question, "notifier")
        if outcome_of(reply) != "answered" or not await context.run_db(claims.claim_once, key):
            return True
        try:
            result = await self._post(context, subscription, question, reply, key)
        except Exception:  # nothing was sent; a cancelled one may have been, so its claim stays
            await context.run_db(claims.release, key)
            raise
        if isinstance(result, NotSent):
            await context.run_db(claims.release, key)
            return False
        self._notified.add(key)
        return await self._remove(subscription)

    async def _remove(self, subscription: Subscription) -> bool:
        """Remove the subscription of a notified person; false while the database can't be written."""
        names = (subscription.workspace, subscription.key, subscription.user)
        is_removed = await self.context.run_db(self.context.store.subscriptions.remove, *names)
        if is_removed:
            self._notified.discard(_claim_of(subscription))
        return is_removed

    async def _post(
        self, context: Context, subscription: Subscription, question: Question, reply: Reply, key: str
    ) -> SendResult:
        """Post the answer to a subscriber as a direct message, below the question."""
        footer, above = footer_for(context, reply, question, short_hash(key)), (quote_block(subscription.text),)
        message = reply_message(context, reply, footer, key, above=above, note=context.strings["told_note"])
        where = PostInChannel(subscription.user, "", subscription.user)
        return await context.outbox.send(replace(post_request(context, where, message), ttl=CHECK_INTERVAL))


async def _logged(check: Callable[[], Awaitable[None]]) -> None:
    """Run a check. An error is logged: the next check may succeed."""
    try:
        await check()
    except Exception as error:
        logger.error("A check for answers failed\n%s", format_without_message(error))


def _claim_of(subscription: Subscription) -> str:
    """The key under which one process claims a notification. Whoever subscribes again later is notified again."""
    return join_key("told", subscription.workspace, subscription.key, subscription.user, str(subscription.at))
