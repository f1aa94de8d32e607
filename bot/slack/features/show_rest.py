"""The button "Show the rest": sends the further parts of a long answer, each as a message of its own."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from bot.model import Question, Reply, Surface
from bot.slack.context import Context
from bot.slack.outgoing import (
    Destination,
    PostInChannel,
    RespondPrivately,
    UpdateModal,
    click_destination,
    further_messages,
    private_destination,
    rest_in_one_message,
    send,
    send_text,
)
from bot.slack.payloads import Payload, action_of, asker_of, channel_of, join_key, message_ts_of, workspace_of
from bot.slack.transport.client import NotSent, Refused


async def show_rest(context: Context, body: Payload) -> None:
    """Send the parts behind the one whose button was pressed: below it, in its modal, or to the asker alone.

    Each part is sent once, however often the button is pressed; in a channel, whoever presses it.
    """
    destination = click_destination(body)
    reference, asker = action_of(body)[1], asker_of(body, context.home_team)
    if destination is None:
        return
    workspace = workspace_of(asker)
    await context.refresh(workspace)
    reply = await context.compute(asker, partial(context.engine.rebuild_reply, reference, workspace))
    private = private_destination(body) or destination
    presser = asker if isinstance(destination, RespondPrivately) else ""
    pressed = join_key("rest", workspace, channel_of(body), message_ts_of(body), presser, reference)
    if reply is None or not reply.further:
        await send_text(context, private, context.strings["not_there"], f"{pressed}:gone")
    elif isinstance(destination, UpdateModal):
        await send(context, replace(destination, back=0), rest_in_one_message(context, reply, pressed))
    elif not await _send_parts(context, destination, reply, pressed, workspace):
        await send_text(context, private, context.strings["rest_shown"], f"{pressed}:shown")


def _surface(destination: Destination) -> Surface:
    if isinstance(destination, PostInChannel):
        return "dm" if destination.channel.startswith("D") else "mention"
    return "command"


async def _send_parts(context: Context, destination: Destination, reply: Reply, key: str, workspace: str) -> bool:
    """Send the parts in their order, until one can't be sent; whether there was one that hadn't been sent before.

    Where the channel refuses one, that part and those behind it go to the person who pressed.
    """
    is_new, claims = False, context.store.claims
    for part, message in further_messages(context, reply, key):
        if not await context.run_db(claims.claim_once, message.key):
            continue
        is_new = True
        trace = context.answer_log.start(Question("", _surface(destination), workspace=workspace))
        trace.reply = part
        trace.sending()
        trace.result = await send(context, destination, message)
        trace.finish()
        if isinstance(trace.result, Refused) and isinstance(destination, PostInChannel) and destination.response_url:
            destination = RespondPrivately(destination.response_url)  # where `send` has sent this part, too
        elif isinstance(trace.result, NotSent | Refused):
            await context.run_db(claims.release, message.key)
            break
    return is_new
