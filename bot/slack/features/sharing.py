"""Sharing an answer: a private one in the channel, a modal's in the thread of the message it was opened on."""

from __future__ import annotations

from dataclasses import replace

from bot.model import Question, Reply
from bot.slack.blocks import shared_by_block
from bot.slack.blocks.footer import FooterState
from bot.slack.context import Context
from bot.slack.features.modals import show_page
from bot.slack.outgoing import (
    SHAREABLE,
    PostInChannel,
    UpdateModal,
    footer_for,
    post_request,
    private_destination,
    public_response,
    replace_private,
    reply_message,
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
    user_id_of,
    workspace_of,
)
from bot.slack.transport.client import NotSent, Refused, Request, SendResult, Sent, Unknown


async def share(context: Context, body: Payload) -> None:
    """Post a private answer in the channel, once, and remove its share button."""
    destination, url = private_destination(body), get_str(body, "response_url")
    if destination is None or not url:
        return
    ref = AnswerRef.from_value(action_of(body)[1])
    asker = asker_of(body, context.home_team)
    pressed = join_key(workspace_of(asker), channel_of(body), message_ts_of(body))
    question = Question(ref.question, "command", workspace=workspace_of(asker))
    reply = await _find_reply(context, ref, question, asker)
    if reply is None:
        await send_text(context, destination, context.strings["not_there"], f"{pressed}:gone")
        return
    key = f"share:{pressed}"
    footer = footer_for(context, reply, question, short_hash(key))
    private_footer = footer and replace(footer, note=context.strings["shared"])
    private = reply_message(context, reply, private_footer, f"{key}:mine")
    # The question was asked in private, so the shared message doesn't carry it.
    below = (shared_by_block(user_id_of(body), context.strings),)
    shared = reply_message(context, reply, footer and replace(footer, why=""), key, below=below)
    result = await _send_once(context, key, public_response(url, shared))
    if result is None or isinstance(result, Sent):
        await replace_private(context, url, private)
    elif isinstance(result, (NotSent, Refused)):
        await send_text(context, destination, context.strings["cannot_share"], f"{key}:sorry")
    else:
        await send_text(context, destination, context.strings["unsure_share"], f"{key}:unsure")


async def reply_in_thread(context: Context, body: Payload) -> None:
    """Post a modal's answer in the thread of the message that the modal was opened on, once."""
    destination = private_destination(body)
    if not isinstance(destination, UpdateModal) or not destination.state.channel:
        return
    ref, state, asker = AnswerRef.from_value(action_of(body)[1]), destination.state, asker_of(body, context.home_team)
    question = Question(ref.question, "command", workspace=workspace_of(asker))
    reply = await _find_reply(context, ref, question, asker)
    if reply is None:
        await send_text(context, destination, context.strings["not_there"], message_ts_of(body))
        return
    key = join_key("reply", workspace_of(asker), state.channel, state.thread, answer_ref(reply))
    footer = footer_for(context, reply, replace(question, text=state.question), short_hash(key))
    below = (shared_by_block(user_id_of(body), context.strings),)
    message = reply_message(context, reply, footer, key, below=below)
    where = PostInChannel(state.channel, state.thread, user_id_of(body))
    result = await _send_once(context, key, post_request(context, where, message))
    notes = {type(None): "already_replied", Sent: "replied", Unknown: "unsure_reply"}
    await _show_note(context, destination, asker, notes.get(type(result), "cannot_reply"))


async def _send_once(context: Context, key: str, request: Request) -> SendResult | None:
    """Send a request once for `key`; None if it was sent before. After NotSent or Refused it may be tried again.

    The caller has rendered the request before it is claimed here, so that an error in rendering leaves no claim.
    """
    claims = context.store.claims
    if not await context.run_db(claims.claim_once, key):
        return None
    result = await context.outbox.send(request)
    if isinstance(result, (NotSent, Refused)):
        await context.run_db(claims.release, key)
    return result


async def _find_reply(context: Context, ref: AnswerRef, question: Question, asker: str) -> Reply | None:
    """The reply of a share button, computed again because replies aren't stored. None if there is no longer an answer, or none
    that can be shared."""
    await context.refresh(question.workspace)
    reply = context.engine.rebuild_reply(ref.answer_ref, question.workspace) if ref.answer_ref else None
    if reply is None and ref.question.strip():
        reply = await context.answer(question, asker)
    return reply if reply is not None and reply.kind in SHAREABLE else None


async def _show_note(context: Context, destination: UpdateModal, asker: str, key: str) -> None:
    """Show the result of posting in the modal. Only after a failure can the reply be posted again."""
    footer_state = FooterState(note=context.strings[key])
    await show_page(context, destination, asker, footer_state, allow_share=key == "cannot_reply")
