"""Help requests: questions that people put to people, in the channel that the operator has named (ASKPY_HELP_CHANNEL).

A request is a row in the database and a post in that channel. Whoever is first to end it, in any process, has ended it; the asker
is told once. The post is deleted when the asker is forgotten, or the retention time has passed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeVar

from bot.model import HelpOutcome, HelpRequest, Question, Reply
from bot.slack.blocks import escape
from bot.slack.blocks import help_requests as blocks
from bot.slack.blocks.curation import channel_element, fill
from bot.slack.blocks.limits import Block
from bot.slack.blocks.views import View
from bot.slack.context import Context, FollowUpWork, FormResponse
from bot.slack.logs import format_without_message
from bot.slack.outgoing import (
    OutgoingMessage,
    PostInChannel,
    click_destination,
    delete_request,
    footer_for,
    open_modal,
    post_request,
    reply_message,
    reply_text,
    update_modal,
    update_request,
)
from bot.slack.payloads import (
    AnswerRef,
    HelpFormState,
    Payload,
    action_of,
    answer_ref,
    get_dict,
    get_str,
    is_channel,
    is_guest,
    join_key,
    parse_answer_ref,
    short_hash,
    state_values,
    team_id_of,
    user_id_of,
)
from bot.slack.recorder import best_guess, outcome_of, redacted_line
from bot.slack.transport.client import (
    POST_TTL,
    REFUSED_TOKEN,
    NotSent,
    Refused,
    SendResult,
    Sent,
    Unknown,
    is_done_before,
)
from bot.slack.transport.remedies import PASSING, remedy_of
from bot.store import PAGE, POSTING_LASTS, StoreError
from bot.text import clean, normalize_phrase, without_control_characters

MAX_OPEN = 5
"""Open requests of one person: enough for a bad day, and too few to flood a channel."""
MAX_AT_ONCE = 8
"""Requests that are worked on at once, so that the outbox is free for answers."""
RETRY_DELETION_AFTER = 3600.0
"""Seconds after which a deletion that Slack has refused is tried again: a channel may be unarchived, or the app invited."""
NOT_MEMBER = frozenset({"not_in_channel", "channel_not_found"})
"""What Slack answers where the app isn't in the channel; a private channel isn't there for it then."""

T = TypeVar("T")
logger = logging.getLogger(__name__)


# --- the form


async def open_form(context: Context, body: Payload) -> None:
    """ "Ask a person": open the form, above the modal if the button is in one; or a sentence why that can't be."""
    trigger, user = get_str(body, "trigger_id"), user_id_of(body)
    if not trigger or not user:
        return
    view = await _form_view(context, body, user)
    is_above = get_str(get_dict(body, "view"), "type") == "modal"
    await open_modal(context, trigger, view, is_above=is_above)


async def _form_view(context: Context, body: Payload, user: str) -> View:
    team, strings = team_id_of(body, context.home_team), context.strings
    channel, ref = context.help_channel(team), AnswerRef.from_value(action_of(body)[1])
    if not channel or is_guest(body, context.home_team):
        return blocks.note_view(fill(strings["person_guest" if channel else "person_off"]), strings)
    if await context.run_db(context.store.help_requests.count_open, team, user) >= MAX_OPEN:
        return blocks.note_view(fill(strings["person_many"], count=str(MAX_OPEN)), strings)
    note: tuple[Block, ...] = ()
    if parse_answer_ref(ref.answer_ref).kind == "unknown":  # the pack may have changed since
        await context.refresh(team)
        reply = await context.answer(Question(ref.question, "command", workspace=team), join_key(team, user))
        if outcome_of(reply) == "answered":
            note = blocks.answered_by_now(answer_ref(reply), context.engine.knowledge_of(team), strings)
    days, state = context.store.retention_days, _origin(body)
    return blocks.help_form(state, redacted_line(ref.question), channel, user, days, strings, note)


def _origin(body: Payload) -> HelpFormState:
    """Where the question was asked, if others could read it there."""
    destination = click_destination(body)
    if isinstance(destination, PostInChannel) and is_channel(destination.channel):
        return HelpFormState(destination.channel, destination.thread)
    return HelpFormState()


async def submit_form(context: Context, body: Payload) -> tuple[FormResponse, FollowUpWork | None]:
    """The response to the form, and the work of posting the question, if there is one."""
    view, strings = get_dict(body, "view"), context.strings
    values = get_dict(get_dict(get_dict(view, "state"), "values"), blocks.QUESTION)
    typed = next(iter(state_values(get_dict(values, blocks.QUESTION))), "")
    text = " ".join(without_control_characters(typed).split())
    if not normalize_phrase(clean(text)):
        return _error(strings["search_empty"]), None
    if not redacted_line(text):
        return _error(strings["person_redacted"]), None
    team, user = team_id_of(body, context.home_team), user_id_of(body)
    channel = context.help_channel(team)
    if not channel or not user or is_guest(body, context.home_team):
        return _error(strings["person_guest" if channel else "person_off"]), None
    try:
        if await context.run_db(context.store.help_requests.count_open, team, user) >= MAX_OPEN:
            return _error(strings["person_many"].replace("{count}", str(MAX_OPEN))), None
    except Exception as error:  # what was typed must be kept
        logger.error("A modal failed\n%s", format_without_message(error))
        return _error(strings["person_lost"]), None
    origin, view_id = HelpFormState.from_metadata(get_str(view, "private_metadata")), get_str(view, "id")
    request = HelpRequest(
        workspace=team,
        asker=user,
        text=text,
        channel=channel,
        origin_channel=origin.channel,
        origin_thread=origin.thread,
        at=context.clock(),
    )
    waiting = blocks.note_view(fill(strings["person_posting"]), strings)
    return {"response_action": "update", "view": waiting}, lambda: _post_and_show(context, request, view_id)


def _error(text: str) -> FormResponse:
    return {"response_action": "errors", "errors": {blocks.QUESTION: text}}


async def _post_and_show(context: Context, request: HelpRequest, view_id: str) -> None:
    """Post a question, and show in the form's place what has become of it."""
    acknowledged_at = context.clock()
    try:
        message = await _post(context, request)
    except StoreError:
        message = fill(context.strings["person_lost"])
    except Exception as error:
        logger.error("Putting a question to people failed\n%s", format_without_message(error))
        message = fill(context.strings["oops"])
    await asyncio.sleep(max(0.0, acknowledged_at + context.ack_delay - context.clock()))
    await update_modal(context, view_id, blocks.note_view(message, context.strings))


async def _post(context: Context, request: HelpRequest) -> tuple[Block, ...]:
    """Post a question once; returns the result as a sentence."""
    reply = await _standing_reply(context, request)
    request, is_new = await context.run_db(_save, context, replace(request, answer_ref=answer_ref(reply)), reply)
    if not is_new:
        knowledge = context.engine.knowledge_of(request.workspace)
        return blocks.asked_before(request, knowledge, context.clock(), context.strings)
    where = PostInChannel(request.channel, "", request.asker)
    posting = post_request(context, where, post_message(context, request))
    result = await context.outbox.send(replace(posting, wants_ts=True, ttl=POSTING_LASTS / 2))
    if isinstance(result, (NotSent, Refused)):
        await context.run_db(context.store.help_requests.remove_attempt, request)
    key = _result_key(context, result)
    if isinstance(result, Sent) and result.ts:
        key = await _keep_post(context, replace(request, ts=result.ts)) or key
    return fill(context.strings[key], channel=channel_element(request.channel))


async def _keep_post(context: Context, request: HelpRequest) -> str:
    """Save which message a new post is. If another attempt has taken its place, or the asker was forgotten meanwhile, it is
    deleted, and the key of the sentence that says so is returned. While the database is unavailable, the first press of the
    post's buttons saves it."""
    store = context.store.help_requests
    try:
        if not await context.run_db(store.set_post, request, request.ts):
            result = await context.outbox.send(delete_request(context, request.channel, request.ts))
            return "person_being_posted" if isinstance(result, Sent) else "person_unsure"
        saved = await context.run_db(store.find, request.id)
    except StoreError:
        return ""
    if saved is None or not saved.forgotten_at:
        return ""
    await delete_post(context, saved)
    return "person_forgotten"


def _save(context: Context, request: HelpRequest, reply: Reply) -> tuple[HelpRequest, bool]:
    """Save a request, and its question as one without an answer; or the request that was put before. Whether it is to be posted.
    Raises StoreError."""
    request, is_new = context.store.help_requests.add(request, normalize_phrase(clean(request.text)))
    if is_new:
        find_or_add_miss(context, request, *best_guess(reply))
    return request, is_new


def _result_key(context: Context, result: SendResult) -> str:
    """The key of the sentence about a result of posting; a refusal is also told the operator, with the remedy."""
    match result:
        case Sent():
            return "person_posted"
        case Unknown():
            return "person_unsure"
        case NotSent():
            return "person_unsent"
        case Refused(code, scope):
            text = f"Slack refuses posts in the channel of ASKPY_HELP_CHANNEL ({code}): {remedy_of(code, scope=scope)}"
            context.client.notices.report(f"help channel: {code}", text)
            archived = code in ("is_archived", "channel_is_archived")
            return "person_not_member" if code in NOT_MEMBER else "person_archived" if archived else "person_refused"


async def _standing_reply(context: Context, request: HelpRequest) -> Reply:
    """What the bot answers to a request's question, by itself."""
    return await context.answer(Question(request.text, "command", workspace=request.workspace), request.asker)


def post_message(context: Context, request: HelpRequest) -> OutgoingMessage:
    """The post in the help channel as it is now."""
    knowledge, strings = context.engine.knowledge_of(request.workspace), context.strings
    shown = blocks.post_blocks(request, knowledge, strings)
    text = escape(blocks.post_text(request, knowledge, strings))
    return OutgoingMessage(text=text, render=lambda _: shown, key=join_key("help", request.id, str(request.at)))


def find_or_add_miss(context: Context, request: HelpRequest, best: str = "", score: float = 0.0) -> str:
    """The key of the request's question among those without an answer, where curators find it too, and where it is added if it
    isn't there; empty if it can't be saved."""
    misses, text = context.store.misses, redacted_line(request.text)
    return (misses.find(request.workspace, text) or misses.add(request.workspace, text, best, score)) if text else ""


# --- ending a request


async def settle(
    context: Context, request_id: str, outcome: HelpOutcome, by: str, *, answer: str = "", link: str = ""
) -> bool:
    """End a request, show that in its post, and tell the asker; false if it was ended before. Raises StoreError."""
    store = context.store.help_requests
    if not await context.run_db(lambda: store.settle(request_id, outcome, by, answer=answer, link=link)):
        return False
    announce(context, request_id)
    return True


def announce(context: Context, request_id: str) -> None:
    """Start to show in the post how a request has ended, and to tell the asker."""
    context.tasks.start(_finish_later(context, request_id))


async def _finish_later(context: Context, request_id: str) -> None:
    try:
        request = await context.run_db(context.store.help_requests.find, request_id)
        if request is not None and not request.forgotten_at:
            await finish(context, request)
    except Exception as error:  # a later check does it
        logger.error("Telling an asker failed\n%s", format_without_message(error))


async def finish(context: Context, request: HelpRequest, ttl: float = POST_TTL) -> None:
    """Show in the post how a request has ended, and tell the asker, once in all processes. What Slack doesn't take within `ttl`
    seconds is left to a later check."""
    store = context.store.help_requests
    await context.refresh(request.workspace)
    telling: list[Awaitable[SendResult]] = []
    if not request.told_at:
        if not await context.run_db(store.begin_telling, request):
            return
        telling = [_tell_where_asked(context, request, ttl)]
    shown, *told = await asyncio.gather(show_outcome(context, request, ttl), *telling, return_exceptions=True)
    for result in told:
        is_told = not isinstance(result, BaseException) and not _is_left(result)
        await context.run_db(partial(store.end_telling, request, is_told=is_told))
    for result in (shown, *told):
        if isinstance(result, BaseException):
            logger.error("Ending a help request failed\n%s", format_without_message(result))
    if not isinstance(shown, BaseException) and not _is_left(shown):
        await context.run_db(store.set_shown, request)


async def show_outcome(context: Context, request: HelpRequest, ttl: float = POST_TTL) -> SendResult:
    """Show in the post how a request has ended."""
    message = post_message(context, request)
    update = update_request(context, request.channel, request.ts, message)
    return await context.outbox.send(replace(update, ttl=ttl))


async def show_taken_back(context: Context, workspace: str, entry_ids: Sequence[str]) -> None:
    """Show in the posts of the requests that ended with one of these new answers that it was taken back."""
    store = context.store.help_requests
    for entry_id in entry_ids:
        for request in await context.run_db(store.ended_with, workspace, f"topic||{entry_id}"):
            await show_outcome(context, request)


def _is_left(result: SendResult) -> bool:
    """Whether a request to Slack has to be tried again later: it wasn't sent, or it isn't about it that Slack refused it."""
    return isinstance(result, NotSent) or (isinstance(result, Refused) and result.code in REFUSED_TOKEN | PASSING)


async def _tell_where_asked(context: Context, request: HelpRequest, ttl: float) -> SendResult:
    """Tell the asker in the thread where they asked; by direct message if that isn't public, or if Slack refuses it there."""
    key = join_key("help told", request.id, str(request.settled_at))
    if request.origin_channel:
        where = PostInChannel(request.origin_channel, request.origin_thread, request.asker)
        post = post_request(context, where, told_message(context, request, key))
        result = await context.outbox.send(replace(post, ttl=ttl))
        if not isinstance(result, Refused) or _is_left(result):
            return result
        request = replace(request, origin_channel="", origin_thread="")
    where = PostInChannel(request.asker, "", request.asker)
    post = post_request(context, where, told_message(context, request, f"{key}:direct"))
    return await context.outbox.send(replace(post, ttl=ttl))


def told_message(context: Context, request: HelpRequest, key: str) -> OutgoingMessage:
    """What the asker is told: the answer if it is one of the pack, else a sentence."""
    strings = context.strings
    above, text = blocks.told_blocks(request, strings), blocks.told_text(request, strings)
    reply = context.engine.rebuild_reply(request.answer, request.workspace) if request.answer else None
    if reply is None:
        return OutgoingMessage(text=escape(text), render=lambda _: above, key=key)
    question = Question(request.text, "command", workspace=request.workspace)
    footer = footer_for(context, reply, question, short_hash(key))
    if footer is not None and request.origin_channel:  # the words may be others than those that were asked there
        footer = replace(footer, why="")
    message = reply_message(context, reply, footer, key, above=tuple(above))
    return replace(message, text=reply_text(reply, lead=text))


# --- the checks


@dataclass(slots=True)
class HelpRequestChecks:
    """Ends the requests that the knowledge answers by now, tells askers whom nobody has told, and deletes posts.

    Each process has one; `check` is called when the knowledge has changed, and once every `interval` seconds.
    """

    context: Context
    interval: float
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when no further request is to be begun."""
    _checked: dict[str, str] = field(default_factory=dict)
    """By open request, the version of the knowledge that had no other answer to it."""
    _slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MAX_AT_ONCE))

    async def check(self) -> None:
        """Work through all requests that wait for something."""
        store = self.context.store.help_requests
        async for page in self._pages(store.unfinished_page):
            await asyncio.gather(*(self._run(self._finish, request) for request in page))
        async for page in self._pages(store.forgotten_page):
            await asyncio.gather(*(self._run(self._delete_post, request) for request in page))
        checked: dict[str, str] = {}
        async for page in self._pages(store.open_page):
            for workspace in dict.fromkeys(request.workspace for request in page):
                group = [request for request in page if request.workspace == workspace]
                try:
                    checked |= await self._check_workspace(workspace, group)
                except Exception as error:  # the other workspaces are checked all the same
                    logger.error("The help requests of a workspace failed\n%s", format_without_message(error))
        self._checked = checked

    async def _pages(
        self, read_page: Callable[[HelpRequest | None], Sequence[HelpRequest]]
    ) -> AsyncIterator[Sequence[HelpRequest]]:
        """Page after page, until the last one or until the process stops."""
        after: HelpRequest | None = None
        while page := await self.read(read_page, after):
            yield page
            after = page[-1]
            if len(page) < PAGE:
                return

    async def read(self, work: Callable[..., Sequence[T]], *args: Any) -> Sequence[T]:
        """The result of a function that reads the database; nothing if the process stops before. A database that says nothing
        must not hold up the end."""
        result = list[T]()

        async def read() -> None:
            result.extend(await self.context.run_db(work, *args))

        await is_done_before(self.stopping, read())
        return result

    async def _check_workspace(self, workspace: str, requests: Sequence[HelpRequest]) -> dict[str, str]:
        """End those of a workspace's open requests that the knowledge answers by now; the version by request, as `_checked`."""
        context = await self.context.of_team(workspace)
        if context is None:  # the app was removed there, and all that is stored goes
            return {}
        await context.refresh(workspace)
        version = context.engine.knowledge_of(workspace).fingerprint
        unchecked = [request for request in requests if self._checked.get(request.id) != version]
        done = await asyncio.gather(*(self._run(self._end_if_answered, request) for request in unchecked))
        failed = {request.id for request, is_done in zip(unchecked, done, strict=True) if not is_done}
        return {request.id: version for request in requests if request.id not in failed}

    async def _run(self, work: Callable[[Context, HelpRequest], Awaitable[None]], request: HelpRequest) -> bool:
        """Whether what is to be done for a request was done. An error is logged, and doesn't affect the others."""
        try:
            async with self._slots:
                context = await self.context.of_team(request.workspace)
                if context is not None and not self.stopping.is_set():
                    await work(context, request)
                    return True
        except Exception as error:
            logger.error("A help request failed\n%s", format_without_message(error))
        return False

    async def _finish(self, context: Context, request: HelpRequest) -> None:
        await finish(context, request, self.interval)

    async def _delete_post(self, context: Context, request: HelpRequest) -> None:
        await delete_post(context, request, self.interval)

    async def _end_if_answered(self, context: Context, request: HelpRequest) -> None:
        """End a request if the knowledge has another answer by now than when it was asked."""
        reply = await _standing_reply(context, request)
        ref = answer_ref(reply)
        if outcome_of(reply) == "answered" and not blocks.is_same_answer(ref, request.answer_ref):
            await settle(context, request.id, "entry", "", answer=ref)


async def delete_posts_of(context: Context, workspace: str) -> None:
    """Delete the posts of the people of a workspace who are forgotten, now and not at the next check."""
    for request in await context.run_db(context.store.help_requests.forgotten_page, None, workspace):
        await delete_post(context, request)


async def delete_post(context: Context, request: HelpRequest, ttl: float = POST_TTL) -> None:
    """Delete a post, by one process, and then its row. If Slack refuses that, it is tried again once an hour, until the row goes
    by itself (`bot.store.POSTS_GO_WITHIN`)."""
    claims, hour = context.store.claims, int(context.clock() // RETRY_DELETION_AFTER)
    key = join_key("help deleted", request.id, request.ts, str(hour))
    if not await context.run_db(claims.claim_once, key):
        return
    result = await context.outbox.send(replace(delete_request(context, request.channel, request.ts), ttl=ttl))
    if isinstance(result, Sent) or (isinstance(result, Refused) and result.code == "message_not_found"):
        await context.run_db(context.store.help_requests.remove, request)
    elif not isinstance(result, Refused) or _is_left(result):
        await context.run_db(claims.release, key)
