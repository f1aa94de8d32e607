"""Sharing an answer: a private one in the channel, a modal's in the thread of the message it was opened on."""

from __future__ import annotations

from dataclasses import replace

from bot.model import Question, Reply
from bot.slack.blocks import attribution
from bot.slack.blocks.footer import AnswerFooter
from bot.slack.context import Context
from bot.slack.features.modals import show_page
from bot.slack.outgoing import (
    SHAREABLE,
    PostInChannel,
    UpdateModal,
    footer_for,
    post_request,
    private_destination,
    replace_private,
    reply_message,
    respond_in_channel,
    send_text,
)
from bot.slack.payloads import (
    AnswerRef,
    Payload,
    action_of,
    answer_ref,
    asker_of,
    channel_of,
    get_str,
    join_key,
    message_ts_of,
    short_hash,
    team_id_of,
    user_id_of,
    workspace_of,
)
from bot.slack.transport.client import Refused, Retry, Sent, Unknown


async def share(context: Context, body: Payload) -> None:
    """Post a private answer in the channel, once, and take its button away."""
    destination, url = private_destination(body), get_str(body, "response_url")
    if destination is None or not url:
        return
    ref = AnswerRef.from_value(action_of(body)[1])
    asker, pressed = asker_of(body), join_key(team_id_of(body), channel_of(body), message_ts_of(body))
    question = Question(ref.question, "command", workspace=workspace_of(asker))
    reply = await _find_reply(context, ref, question, asker)
    if reply is None:
        await send_text(context, destination, context.strings["not_there"], f"{pressed}:gone")
        return
    key = f"share:{pressed}"
    footer = footer_for(context, reply, question, short_hash(key))
    own_footer = footer and replace(footer, note=context.strings["shared"])
    own = reply_message(context, reply, own_footer, f"{key}:mine")
    if not await context.run_db(context.store.claims.claim_once, key):
        await replace_private(context, url, own)
        return
    # The question was asked in private: what others see doesn't carry it.
    below = (attribution(user_id_of(body), context.strings),)
    shared = reply_message(context, reply, footer and replace(footer, why=""), key, below=below)
    outcome = await respond_in_channel(context, url, shared)
    if isinstance(outcome, Sent):
        await replace_private(context, url, own)
    elif isinstance(outcome, (Retry, Refused)):
        await context.run_db(context.store.claims.release, key)
        await send_text(context, destination, context.strings["cannot_share"], f"{key}:sorry")


async def reply_in_thread(context: Context, body: Payload) -> None:
    """Post a modal's answer in the thread of the message that the modal was opened on, once."""
    destination = private_destination(body)
    if not isinstance(destination, UpdateModal) or not destination.state.channel:
        return
    ref, state, asker = AnswerRef.from_value(action_of(body)[1]), destination.state, asker_of(body)
    question = Question(ref.question, "command", workspace=workspace_of(asker))
    reply = await _find_reply(context, ref, question, asker)
    if reply is None:
        await send_text(context, destination, context.strings["not_there"], message_ts_of(body))
        return
    key = join_key("reply", workspace_of(asker), state.channel, state.thread, answer_ref(reply))
    if not await context.run_db(context.store.claims.claim_once, key):
        await _show_note(context, destination, asker, "already_replied")
        return
    footer = footer_for(context, reply, replace(question, text=state.question), short_hash(key))
    below = (attribution(user_id_of(body), context.strings),)
    message = reply_message(context, reply, footer, key, below=below)
    where = PostInChannel(state.channel, state.thread, user_id_of(body))
    outcome = await context.outbox.send(post_request(context, where, message))
    if isinstance(outcome, (Retry, Refused)):
        await context.run_db(context.store.claims.release, key)
    notes = {Sent: "replied", Unknown: "unsure_reply"}
    await _show_note(context, destination, asker, notes.get(type(outcome), "cannot_reply"))


async def _find_reply(context: Context, ref: AnswerRef, question: Question, asker: str) -> Reply | None:
    """The reply that a share button belongs to, made again: nothing of it is stored. None if by now there is no answer, or
    none that can be shared."""
    await context.refresh(question.workspace)
    reply = context.engine.rebuild_reply(ref.answer_ref, question.workspace) if ref.answer_ref else None
    if reply is None and ref.question.strip():
        reply = await context.answer(question, asker)
    return reply if reply is not None and reply.kind in SHAREABLE else None


async def _show_note(context: Context, destination: UpdateModal, asker: str, key: str) -> None:
    """Say in the modal what became of the reply; it can be posted again only where that failed."""
    over = AnswerFooter(key="", answer_ref="", note=context.strings[key])
    await show_page(context, destination, asker, over, again=key == "cannot_reply")
