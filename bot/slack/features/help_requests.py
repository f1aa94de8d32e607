"""Help requests: questions that people put to people, in the channel that the operator has named (ASKPY_HELP_CHANNEL).

A request is a row in the database and a post in that channel. Whoever is first to end it, in any process, has ended it; the asker
is told once. The post is deleted when the asker is forgotten, or the retention time has passed.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field, replace

from bot.model import HelpOutcome, HelpRequest, Question, Reply
from bot.slack.blocks import escape
from bot.slack.blocks import help_requests as blocks
from bot.slack.blocks.curation import channel_element, fill
from bot.slack.blocks.limits import Block
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
    short_hash,
    state_values,
    team_id_of,
    user_id_of,
)
from bot.slack.recorder import best_guess, outcome_of, redacted_line
from bot.slack.transport.client import NotSent, Refused, SendResult, Sent, Unknown
from bot.slack.transport.remedies import remedy_of
from bot.store import StoreError
from bot.text import clean, normalize_phrase, without_control_characters

MAX_OPEN = 5
"""Open requests of one person: enough for a bad day, and too few to flood a channel."""
MAX_AT_ONCE = 8
"""Requests that are worked on at once, so that the outbox is free for answers."""
TELLING_LASTS = 3600.0
"""Seconds after which an asker whose telling was claimed counts as told: the process that claimed it may have been killed, and
nobody is told twice."""
NOT_MEMBER = frozenset({"not_in_channel", "channel_not_found"})
"""What Slack answers where the app isn't in the channel; a private channel isn't there for it then."""

logger = logging.getLogger(__name__)


# --- the form


async def open_form(context: Context, body: Payload) -> None:
    """ "Ask a person": open the form, above the modal if the button is in one."""
    trigger, team = get_str(body, "trigger_id"), team_id_of(body, context.home_team)
    channel, user = context.help_channel(team), user_id_of(body)
    if not trigger or not user:
        return
    if not channel or is_guest(body, context.home_team):
        text = context.strings["person_guest" if channel else "person_off"]
        view = blocks.note_view(fill(text), context.strings)
    else:
        question = AnswerRef.from_value(action_of(body)[1]).question
        days, state = context.store.retention_days, _origin(body)
        view = blocks.help_form(state, question, channel, user, days, context.strings)
    is_above = get_str(get_dict(body, "view"), "type") == "modal"
    await open_modal(context, trigger, view, is_above=is_above)


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
        id=context.store.help_requests.id_of(team, user, normalize_phrase(clean(text))),
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
    strings, store = context.strings, context.store.help_requests
    reply = await _standing_reply(context, request)
    request = replace(request, answer_ref=answer_ref(reply))
    before = await context.run_db(_save, context, request, reply)
    if before is not None:
        knowledge = context.engine.knowledge_of(request.workspace)
        return blocks.asked_before(before, knowledge, context.clock(), strings)
    where = PostInChannel(request.channel, "", request.asker)
    posting = replace(post_request(context, where, _post_message(context, request)), wants_ts=True)
    result = await context.outbox.send(posting)
    if isinstance(result, Sent) and result.ts and not await context.run_db(store.set_post, request.id, result.ts):
        await context.outbox.send(delete_request(context, request.channel, result.ts))  # forgotten meanwhile
    if isinstance(result, (NotSent, Refused)):
        await context.run_db(store.remove, request.id)
    return fill(strings[_result_key(context, result)], channel=channel_element(request.channel))


def _save(context: Context, request: HelpRequest, reply: Reply) -> HelpRequest | None:
    """Save a request, and its question as one without an answer; the earlier request if it was put before. Raises StoreError."""
    before = context.store.help_requests.add(request)
    if before is None:
        key_of_miss(context, request, *best_guess(reply))
    return before


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


def _post_message(context: Context, request: HelpRequest) -> OutgoingMessage:
    """The post in the help channel as it is now."""
    knowledge, strings = context.engine.knowledge_of(request.workspace), context.strings
    shown = blocks.post_blocks(request, knowledge, strings)
    text = escape(blocks.post_text(request, knowledge, strings))
    return OutgoingMessage(text=text, render=lambda _: shown, key=join_key("help", request.id, str(request.at)))


def key_of_miss(context: Context, request: HelpRequest, best: str = "", score: float = 0.0) -> str:
    """The key of the request's question among those without an answer, where curators find it too; empty if it can't be saved."""
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
    await announce(context, request_id)
    return True


async def announce(context: Context, request_id: str) -> None:
    """Start to show in the post how a request has ended, and to tell the asker."""
    request = await context.run_db(context.store.help_requests.find, request_id)
    if request is not None:
        context.tasks.start(_finish(context, request))


async def _finish(context: Context, request: HelpRequest) -> None:
    """Show in the post how a request has ended, and tell the asker. What fails is done by a later check."""
    try:
        await asyncio.gather(show_outcome(context, request), tell(context, request))
    except Exception as error:
        logger.error("Telling an asker failed\n%s", format_without_message(error))


async def show_outcome(context: Context, request: HelpRequest) -> None:
    """Show in the post how a request has ended."""
    if request.ts:
        message = _post_message(context, request)
        await context.outbox.send(update_request(context, request.channel, request.ts, message))


async def tell(context: Context, request: HelpRequest) -> bool:
    """Tell the asker, once in all processes, how a request has ended; false if something is left to do."""
    store, claims = context.store.help_requests, context.store.claims
    key = join_key("help told", request.id, str(request.settled_at))
    if not await context.run_db(claims.claim_once, key):
        is_over = context.clock() > request.settled_at + TELLING_LASTS
        return is_over and await context.run_db(store.set_told, request.id)
    result = await _tell_where_asked(context, request, key)
    if isinstance(result, NotSent):
        await context.run_db(claims.release, key)
        return False
    return await context.run_db(store.set_told, request.id)


async def _tell_where_asked(context: Context, request: HelpRequest, key: str) -> SendResult:
    """Tell the asker in the thread where they asked; by direct message if that isn't public, or if Slack refuses it there."""
    await context.refresh(request.workspace)
    if request.origin_channel:
        where = PostInChannel(request.origin_channel, request.origin_thread, request.asker)
        result = await context.outbox.send(post_request(context, where, _told_message(context, request, key)))
        if not isinstance(result, Refused):
            return result
        request = replace(request, origin_channel="", origin_thread="")
    where = PostInChannel(request.asker, "", request.asker)
    message = _told_message(context, request, f"{key}:direct")
    return await context.outbox.send(post_request(context, where, message))


def _told_message(context: Context, request: HelpRequest, key: str) -> OutgoingMessage:
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
    return replace(message, text=f"{escape(text)}\n\n{reply_text(reply)}")


# --- the checks


@dataclass(slots=True)
class HelpRequestChecks:
    """Ends the requests that the knowledge answers by now, tells askers whom nobody has told, and deletes posts.

    Each process has one; `check` is called when the knowledge has changed, and once a minute.
    """

    context: Context
    _checked: dict[str, str] = field(default_factory=dict)
    """By open request, the version of the knowledge that had no other answer to it."""
    _slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MAX_AT_ONCE))

    async def check(self) -> None:
        """Work through all requests that wait for something."""
        pending = await self.context.run_db(self.context.store.help_requests.pending)
        self._checked = {each.id: self._checked[each.id] for each in pending if each.id in self._checked}
        await asyncio.gather(*map(self._check_one, pending))

    async def _check_one(self, request: HelpRequest) -> None:
        """What is to be done for a request. An error is logged, and doesn't affect the others."""
        try:
            async with self._slots:
                context = await self.context.of_team(request.workspace)
                if context is None:  # the app was removed there, and all that is stored goes
                    return
                if not request.asker:
                    await _delete_post(context, request)
                elif request.outcome:
                    await tell(context, request)
                else:
                    await self._check_open(context, request)
        except Exception as error:
            logger.error("A help request failed\n%s", format_without_message(error))

    async def _check_open(self, context: Context, request: HelpRequest) -> None:
        """End a request if the knowledge has another answer by now than when it was asked."""
        await context.refresh(request.workspace)
        version = context.engine.knowledge_of(request.workspace).fingerprint
        if self._checked.get(request.id) == version:
            return
        reply = await _standing_reply(context, request)
        if outcome_of(reply) == "answered" and answer_ref(reply) != request.answer_ref:
            await settle(context, request.id, "entry", "", answer=answer_ref(reply))
        self._checked[request.id] = version


async def delete_posts_of(context: Context, workspace: str) -> None:
    """Delete the posts of the people of a workspace who are forgotten, now and not at the next check."""
    for request in await context.run_db(context.store.help_requests.pending):
        if request.workspace == workspace and not request.asker:
            await _delete_post(context, request)


async def _delete_post(context: Context, request: HelpRequest) -> None:
    """Delete a post, by one process, and then its row. A refused deletion isn't tried again: the post is gone, or out of our
    reach."""
    claims, key = context.store.claims, join_key("help deleted", request.id)
    if not await context.run_db(claims.claim_once, key):
        return
    result = await context.outbox.send(delete_request(context, request.channel, request.ts))
    if isinstance(result, (Sent, Refused)):
        await context.run_db(context.store.help_requests.remove, request.id)
    else:
        await context.run_db(claims.release, key)
