"""Questions: mentions, direct messages, `/askpy`, and buttons that ask. `answer_message` handles one from start to end."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

from slack_bolt import BoltResponse

from bot.model import ConversationState, Question, Reply, Surface
from bot.slack.admission import (
    MAX_CREDIBLE_AGE,
    MAX_EVENT_AGE,
    MAX_UNSENT,
    MAX_UNSENT_PER_CHANNEL,
    AckThenRun,
    Delivery,
    Overloaded,
    Slot,
)
from bot.slack.blocks import escape
from bot.slack.context import Context
from bot.slack.features.commands import Command, command_of, help_line, run_command
from bot.slack.features.modals import modal_message, modal_question, pages_back
from bot.slack.logs import format_without_message
from bot.slack.message_markdown import attached_words_of, has_words, own_words_of
from bot.slack.outgoing import (
    Destination,
    OpenModal,
    OutgoingMessage,
    PostEphemeral,
    PostInChannel,
    RespondPrivately,
    UpdateModal,
    click_destination,
    footer_for,
    reply_message,
    send,
    send_text,
    text_message,
)
from bot.slack.payloads import (
    SLACKS_OWN,
    ModalState,
    Payload,
    action_of,
    asker_of,
    channel_of,
    event_of,
    get_dict,
    get_str,
    is_channel,
    is_guest,
    is_only_quoted,
    join_key,
    message_ts_of,
    seconds_of,
    short_hash,
    team_id_of,
    times_of,
    user_id_of,
)
from bot.slack.transport.client import NotSent
from bot.store import TURN_TIMEOUT, StoreError

ORDINARY_SUBTYPES = (None, "file_share", "thread_broadcast")
"""Subtypes of messages that people write; all others report an action, such as joining the channel."""
TURN_POLL_INTERVAL = 0.01
"""Seconds between two looks whether another process has answered the message before this one."""
SETTLE_TIME = 0.05
"""Seconds from a message's arrival until its answer is sent, where there are other processes: of 200 pairs that were sent to two
processes 0 to 60 ms apart, one was answered in reverse at 0.01 s, none at 0.03 s, and one where the load average was 6 on two
cores."""
LEAVE_DELAY = 0.02
"""Seconds that the end of a message may be written down later, together with others."""
PILOT_MAX_AGE = 0.25
"""Maximum age, in seconds, of the cached pilot flag of a channel."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class IncomingMessage:
    """One question in Slack.

    Attributes:
        question: what was asked, and the key of its conversation.
        destination: where the answer goes.
        key: identifies the message; the same in each delivery of it.
        asker: workspace and member.
        channel: where it was asked.
        order: seconds by which the messages of one conversation are ordered: Slack's `ts`, or now if there is none.
        can_be_redelivered: whether Slack delivers it again unless it gets a 200; then answering it takes a claim.
        typed: whether the person has typed it; a button's text isn't.
        is_guest: whether the person is of another workspace; told of commands only.
        sent_at: Slack's times of an event and its message, in seconds since 1970.
        received_at: seconds of the monotonic clock.
    """

    question: Question
    destination: Destination
    key: str
    asker: str
    channel: str
    order: float
    can_be_redelivered: bool = False
    typed: bool = True
    is_guest: bool = False
    sent_at: tuple[float, ...] = ()
    received_at: float = field(default_factory=time.monotonic, compare=False)


# --- one message


async def answer_message(context: Context, message: IncomingMessage, delivery: Delivery) -> None:
    """Handle one message: claim, acknowledge, start, answer, render, send, record.

    A message is claimed before Slack gets the acknowledgement and started after it. Another delivery may take over a claimed
    message, but not a started one, so that it is answered once. `delivery` gets 200, or 503 where no answer can be promised
    soon; then Slack sends the message again.
    """
    key, owner = message.key, uuid4().hex
    command = command_of(message.question.text) if message.question.surface == "command" else None
    trace = context.answer_log.start(message.question, message.received_at)
    turn = _Turn(context, message, owner)
    slot, position, may_release, acknowledged = None, None, False, False
    try:
        slot = await _admit(context, message)
        position = context.conversations.join(message.question.conversation or key, message.order)
        if message.can_be_redelivered:
            may_release = await _claim(context, key, owner, turn)
            if not may_release:
                return _repeated(context, delivery)
        delivery.decide(200)
        acknowledged = await delivery.acknowledged()
        if not acknowledged:
            return None
        await position.wait()
        may_release = False
        start = await context.run_db(_start, context, message, owner, turn)
        if start is None:
            return _repeated(context, delivery)
        reply = await _reply_in_turn(context, message, command, start.state, turn)
        if command is None:
            trace.answered(reply)
        outgoing, destination = _render(context, message, command, reply, start.is_pilot)
        trace.sending()
        position.leave()  # the next message reaches the outbox behind this answer
        trace.result = await send(context, destination, outgoing, on_wait=slot.release)
        may_release = message.can_be_redelivered and isinstance(trace.result, NotSent)  # it may be delivered again
        if command is None and message.typed:
            context.recorder.add(message.question, reply, message.channel if start.is_pilot else "")
    except Overloaded:
        await _refuse(context, message, delivery)
    except Exception as error:
        logger.error("A message failed\n%s", format_without_message(error))
        if acknowledged or not message.can_be_redelivered:
            delivery.decide(200)
            await apologise(context, message.destination)
    finally:
        delivery.decide(503)  # has no effect after an earlier decision
        if position is not None:
            position.leave()
        if slot is not None:
            slot.release()
        trace.finish()
        turn.leave()
        if may_release:
            await context.run_db(context.store.claims.release, key, owner)


@dataclass(frozen=True, slots=True)
class _Start:
    """What is read from the database when a message is started: the conversation's state, and whether the channel is a pilot."""

    state: ConversationState | None
    is_pilot: bool


def _start(context: Context, message: IncomingMessage, owner: str, turn: _Turn) -> _Start | None:
    """Start a message, in one round trip to the database; None if another delivery has started it. For a database thread."""
    store, question = context.store, message.question
    if message.can_be_redelivered and not store.claims.start(message.key, owner):
        return None
    turn.join()  # unless it was claimed
    if context.reloader is not None:
        context.reloader.refresh(question.workspace)
    state = store.conversations.load(question.conversation) if question.conversation is not None else None
    may_be_pilot = message.typed and question.surface == "mention" and is_channel(message.channel)
    return _Start(state, may_be_pilot and store.pilots.contains(question.workspace, message.channel, PILOT_MAX_AGE))


class _Turn:
    """The place of a message among those of its conversation that other processes have in hand (`bot.store.turns`).

    Whether an earlier one is in hand is looked up when the reply has been made, in the call that saves the conversation's state:
    that is nearly never so, and then the reply is made anew. Without other processes nothing is written or read. The order within
    a process is `ConversationQueues`'.
    """

    def __init__(self, context: Context, message: IncomingMessage, owner: str) -> None:
        self._context = context
        self._turns = context.store.turns
        self._conversation = message.question.conversation or ""
        self._order = message.order
        self._settles_at = message.received_at + SETTLE_TIME
        self._owner = owner
        self._deadline: float | None = None
        self.is_joined = False

    def join(self) -> None:
        """Take the place, so that later messages wait for this one. For a database thread."""
        if self._turns.is_shared and self._conversation and not self.is_joined:
            self._turns.join(self._conversation, self._order, self._owner)
            self.is_joined = True

    async def settle(self) -> None:
        """Wait until an earlier message that was sent at the same time has arrived, too."""
        if self.is_joined:
            await asyncio.sleep(self._settles_at - time.monotonic())

    def save(self, state: ConversationState | None) -> bool:
        """Save the conversation's next state; false if another process has an earlier message. For a database thread."""
        if self._is_behind():
            return False
        if state is not None:
            self._context.store.conversations.save(self._conversation, state)
        return True

    async def wait(self) -> ConversationState | None:
        """Wait until no other process has an earlier message, TURN_TIMEOUT seconds in all; the conversation's state then."""
        if self._deadline is None:
            self._deadline = time.monotonic() + TURN_TIMEOUT
        while await self._context.run_db(self._is_behind):
            await asyncio.sleep(TURN_POLL_INTERVAL)
        return await self._context.run_db(self._context.store.conversations.load, self._conversation)

    def leave(self) -> None:
        """Let later messages go on."""
        if self.is_joined:
            self._turns.leave(self._owner)
            if not self._turns.is_writing_leaves:
                self._turns.is_writing_leaves = True
                self._context.tasks.start(self._write_leaves())

    def _is_behind(self) -> bool:
        if not self.is_joined or (self._deadline is not None and time.monotonic() > self._deadline):
            return False
        return self._turns.is_behind(self._conversation, self._order)

    async def _write_leaves(self) -> None:
        """Write down which messages have ended, together with those of the next LEAVE_DELAY seconds: a call to the database costs
        more than what it writes."""
        await asyncio.sleep(LEAVE_DELAY)
        self._turns.is_writing_leaves = False
        await self._context.run_db(self._turns.write_leaves)


async def _admit(context: Context, message: IncomingMessage) -> Slot:
    """A slot for the message; raises Overloaded. Only a message that Slack would deliver again waits for one."""
    if message.can_be_redelivered:
        if len(context.outbox) >= MAX_UNSENT or context.outbox.queued(message.channel) >= MAX_UNSENT_PER_CHANNEL:
            raise Overloaded
        return await context.admission.acquire()
    return context.interactions.acquire(message.asker)


async def _claim(context: Context, key: str, owner: str, turn: _Turn) -> bool:
    """Claim a message and take its turn, and note how long that took: while the database is slow, others wait less for a slot, so
    that Slack gets its response in time."""

    def claim() -> bool:
        turn.join()
        return context.store.claims.claim(key, owner)

    started = time.monotonic()
    try:
        return await context.run_db(claim)
    finally:
        context.admission.last_claim_seconds = time.monotonic() - started


async def _refuse(context: Context, message: IncomingMessage, delivery: Delivery) -> None:
    """Ask Slack to send an event again; tell the person who typed a command or pressed a button."""
    if message.can_be_redelivered:
        context.answer_log.metrics.turned_away()
        delivery.decide(503)
        return
    delivery.decide(200)
    await say_busy(context, message.destination)


def _repeated(context: Context, delivery: Delivery) -> None:
    """Acknowledge a delivery of a message that another delivery has started."""
    context.answer_log.metrics.repeated()
    delivery.decide(200)


async def _reply_in_turn(
    context: Context, message: IncomingMessage, command: Command | None, state: ConversationState | None, turn: _Turn
) -> Reply:
    """The reply, once the conversation's next state is saved; made anew if another process got an earlier message meanwhile."""
    if command is not None:  # it may change something, and is run once
        await turn.settle()
        if turn.is_joined:
            await turn.wait()
        return await run_command(context, command, message.asker, message.channel, is_guest=message.is_guest)
    while True:
        reply, following = await context.answer_turn(message.question, state, message.asker)
        await turn.settle()
        is_saved = turn.is_joined or (following is not None and message.question.conversation is not None)
        if not is_saved or await context.run_db(turn.save, following):
            return reply
        state = await turn.wait()


def _render(
    context: Context, message: IncomingMessage, command: Command | None, reply: Reply, is_pilot: bool
) -> tuple[OutgoingMessage, Destination]:
    """The outgoing message and its destination: in a pilot channel, the asker alone."""
    question, destination, key = message.question, message.destination, short_hash(message.key)
    if command is not None:
        return reply_message(context, reply, None, message.key), destination
    if question.surface == "shortcut" and not has_words(question.text):
        return text_message(context.strings["no_words"], message.key), destination
    if isinstance(destination, (OpenModal, UpdateModal)):
        return modal_message(context, reply, destination.state, message.asker), destination
    private = isinstance(destination, RespondPrivately)
    footer = footer_for(context, reply, question, key, "share" if private else "")
    note = context.strings["on_trial"] if is_pilot else ""
    if private and message.typed and reply.kind == "help":
        note = help_line(context, message.asker, is_guest=message.is_guest)
    outgoing = reply_message(context, reply, footer, message.key, note=note)
    return outgoing, _in_private(destination) if is_pilot else destination


def _in_private(destination: Destination) -> Destination:
    """The same place, visible to the asker alone. An ephemeral message can't start a thread: without one it goes into the
    channel."""
    if not isinstance(destination, PostInChannel):
        return destination
    thread = "" if destination.starts_thread else destination.thread
    return PostEphemeral(destination.channel, thread, destination.asker, "")


async def say_busy(context: Context, destination: Destination | None) -> None:
    """Send the busy sentence, to the asker alone. Few at once, so that other people's answers can be sent."""
    if isinstance(destination, PostInChannel) and destination.response_url:
        destination = RespondPrivately(destination.response_url)
    if destination is not None:
        async with context.busy_replies:
            await send_text(context, destination, context.strings["busy"])


async def apologise(context: Context, destination: Destination | None) -> None:
    """Send an apology, without details of the error."""
    if destination is None:
        return
    with suppress(Exception):  # the failure that led here is in the log, and there is nothing else to try
        await send_text(context, destination, context.strings["oops"], f"oops:{uuid4()}")


# --- payloads

ReadMessage = Callable[[Payload, str, str], IncomingMessage | None]
"""Reads a message from a payload; further arguments are the bot's user id, and `Context.home_team`. None if it isn't for the
bot."""


def answer_middleware(
    context: Context, read: ReadMessage, body_text: str = ""
) -> Callable[..., Awaitable[BoltResponse]]:
    """A Bolt middleware that starts a task for each message to the bot, and responds to Slack as the task decides.

    Bolt would acknowledge an event before its listener runs, and then nothing could be refused. `body_text` is the body of the
    acknowledgement: aiohttp writes the headers of a response together with the first byte of its body. A command's
    acknowledgement must have none, because Slack would show it to the person.
    """

    async def middleware(body: dict[str, Any]) -> BoltResponse:
        try:
            local = await context.of_body(body)
        except StoreError:
            return BoltResponse(status=503)
        message = read(body, local.identity.user, local.home_team) if local is not None else None
        if local is None or message is None or _is_too_old(local, message):
            return BoltResponse(status=200)
        delivery = Delivery()
        context.tasks.start(answer_message(local, message, delivery))
        try:
            status = await delivery.decided()
        except asyncio.CancelledError:  # the receiver is closing: no acknowledgement will be written
            delivery.written(False)
            raise
        return AckThenRun(delivery, body_text) if status == 200 else BoltResponse(status=503)

    return middleware


def _is_too_old(context: Context, message: IncomingMessage) -> bool:
    """Whether Slack delivers a message too late to be answered; it is counted then.

    By the newest of its times: somebody who is mentioned where the app isn't, and invites it hours later, gets an answer.
    """
    ages = [age for sent in message.sent_at if (age := context.slack_time() - sent) <= MAX_CREDIBLE_AGE]
    if min(ages, default=0.0) <= MAX_EVENT_AGE:
        return False
    context.answer_log.metrics.too_old()
    hours = f"Slack delivered them more than {MAX_EVENT_AGE / 60:.0f} minutes late (Delayed Events)"
    context.client.notices.report(
        "late", f"not answered: {hours}; whoever still wants an answer asks again", unit="message"
    )
    return True


def read_mention(body: Payload, bot_user: str, home_team: str = "") -> IncomingMessage | None:
    """An app_mention in a channel. A mention in a direct message also arrives as a message event, and is read there; one that
    stands in code or a quote is somebody else's, or about the bot and not to it."""
    event = event_of(body)
    if not _is_ordinary(event, bot_user) or event["channel"].startswith("D") or is_only_quoted(event, bot_user):
        return None
    thread = get_str(event, "thread_ts") or event["ts"]
    return _message(body, bot_user, home_team, thread, "mention")


def read_direct_message(body: Payload, bot_user: str, home_team: str = "") -> IncomingMessage | None:
    """A direct message to the bot; None for messages of any other kind."""
    event = event_of(body)
    if not _is_ordinary(event, bot_user):
        return None
    kind = get_str(event, "channel_type") or ("im" if event["channel"].startswith("D") else "")
    return _message(body, bot_user, home_team, get_str(event, "thread_ts"), "dm") if kind == "im" else None


def read_command(body: Payload, _: str, home_team: str = "") -> IncomingMessage | None:
    """A slash command; its answer is private."""
    url = get_str(body, "response_url")
    if not url:
        return None
    team, channel, user = team_id_of(body, home_team), get_str(body, "channel_id"), get_str(body, "user_id")
    return IncomingMessage(
        question=Question(get_str(body, "text"), "command", join_key(team, channel, "command", user), team),
        destination=RespondPrivately(url),
        key=join_key(team, channel, user, get_str(body, "trigger_id")),
        asker=join_key(team, user),
        channel=channel,
        order=time.time(),
        is_guest=is_guest(body, home_team),
    )


def read_shortcut(body: Payload, _: str, home_team: str = "") -> IncomingMessage | None:
    """The message shortcut: answers a message in a modal, whose state holds the message's channel and thread."""
    trigger = get_str(body, "trigger_id")
    if not trigger:
        return None
    message, asker = get_dict(body, "message"), asker_of(body, home_team)
    thread = get_str(message, "thread_ts") or get_str(message, "ts") or get_str(body, "message_ts")
    text = _text_of(message, get_str(message, "text"))[0]
    return IncomingMessage(
        question=Question(text, "shortcut", workspace=team_id_of(body, home_team)),
        destination=OpenModal(trigger, ModalState((text,), channel=channel_of(body), thread=thread)),
        key=join_key(asker, trigger),
        asker=asker,
        channel="",
        order=time.time(),
    )


def read_ask_button(body: Payload, _: str, home_team: str = "") -> IncomingMessage | None:
    """A button or menu whose value is a question, answered where it was pressed."""
    action, text = action_of(body)
    team, user, channel = team_id_of(body, home_team), user_id_of(body), channel_of(body)
    destination = click_destination(body)
    if not text or destination is None:
        return None
    match destination:
        case PostInChannel(thread=thread):
            surface: Surface = "dm" if channel.startswith("D") else "mention"
            question = Question(text, surface, join_key(team, channel, thread, user), team)
        case RespondPrivately() | PostEphemeral():
            question = Question(text, "command", join_key(team, channel, "command", user), team)
        case OpenModal() | UpdateModal():
            state = destination.state.with_question(text)
            destination = replace(destination, state=state, back=pages_back(state))
            question = modal_question(state, team)
    names = (message_ts_of(body), user, get_str(action, "action_ts"), get_str(action, "action_id"))
    return IncomingMessage(
        question=question,
        destination=destination,
        key=join_key(team, channel, *names),
        asker=asker_of(body, home_team),
        channel=channel,
        order=seconds_of(get_str(action, "action_ts")),
        typed=False,
    )


def _message(body: Payload, bot_user: str, home_team: str, thread: str, surface: Surface) -> IncomingMessage:
    event, team = event_of(body), team_id_of(body, home_team)
    user, channel, ts = event["user"], event["channel"], event["ts"]
    text = get_str(event, "text")
    text = re.sub(rf"<@{re.escape(bot_user)}(?:\|[^<>]*)?>", " ", text).strip() if bot_user else text
    text, is_forwarded = _text_of(event, text)
    starts_thread = bool(thread) and not get_str(event, "thread_ts")
    return IncomingMessage(
        question=Question(text, surface, join_key(team, channel, thread, user), team, is_forwarded),
        destination=PostInChannel(channel, thread, user, starts_thread=starts_thread),
        key=join_key(team, channel, ts),
        asker=join_key(team, user),
        channel=channel,
        order=seconds_of(ts),
        sent_at=tuple(times_of(body.get("event_time"), ts)),
        can_be_redelivered=True,
    )


def _text_of(message: Payload, text: str) -> tuple[str, bool]:
    """A message's text as Slack writes it, and whether it is another message's: `text`, or if there are no words in it, the words
    of the message's blocks, or else of what is attached, such as a forwarded message."""
    if not (message.get("blocks") or message.get("attachments")) or has_words(text):
        return text, False
    if own := own_words_of(message):
        return escape(own), False
    attached = attached_words_of(message)
    return (escape(attached), True) if attached else (text, False)


def _is_ordinary(event: Payload, bot_user: str) -> bool:
    """Whether a person has written this: no bot, not ourselves, not Slack, no edit, no notice."""
    has_fields = all(get_str(event, key) for key in ("channel", "user", "ts"))
    is_marked = any(event.get(key) for key in ("bot_id", "bot_profile", "edited", "hidden"))
    is_ours = get_str(event, "user") in (bot_user, *SLACKS_OWN)
    return has_fields and not is_marked and not is_ours and event.get("subtype") in ORDINARY_SUBTYPES


def destination_of(body: Payload, bot_user: str) -> Destination | None:
    """Where to answer the person behind a payload of any type; None if there is no place."""
    kind = get_str(event_of(body), "type")
    if kind:
        message = (read_mention if kind == "app_mention" else read_direct_message)(body, bot_user)
        return message.destination if message is not None else None
    if get_str(body, "response_url"):
        return RespondPrivately(get_str(body, "response_url"))
    trigger = get_str(body, "trigger_id")
    return click_destination(body) or (OpenModal(trigger) if trigger else None)
