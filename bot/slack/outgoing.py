"""Outgoing messages: destinations, their content, and sending them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from uuid import uuid4

from bot.model import PART_MARK, Kind, Question, Reply
from bot.reply import plain_text, without_show_rest
from bot.slack.admission import no_op
from bot.slack.blocks import Layout, context_block, escape, has_image, paragraph_blocks, render_blocks
from bot.slack.blocks.footer import AnswerFooter, ShareMode, footer_blocks
from bot.slack.blocks.limits import BLOCKS, Block, cut, size
from bot.slack.blocks.views import View, modal_view
from bot.slack.context import LONG_TEXT, Context
from bot.slack.payloads import (
    AnswerRef,
    ModalState,
    Payload,
    action_of,
    answer_ref,
    channel_of,
    get_dict,
    get_str,
    is_ephemeral,
    message_ts_of,
    thread_ts_of,
    user_id_of,
)
from bot.slack.recorder import outcome_of
from bot.slack.transport.client import REFUSED_TOKEN, Refused, Request, SendResult, client_msg_id
from bot.slack.transport.outbox import TRIGGER_TTL

ESCAPED_TEXT = 4_000
"""UTF-16 units of `text` once its entities are escaped; Slack splits a message at 4,041."""
SHAREABLE: frozenset[Kind] = frozenset({"topic", "step", "library", "compare", "list", "recommend"})
"""Kinds of reply that can be shared."""
VOTABLE: frozenset[Kind] = SHAREABLE | {"unknown"}
"""Kinds of reply that can be voted on and explained."""

OnWait = Callable[[], None]
EMPTY_STATE = ModalState()
"""The state of a modal that holds nothing yet."""


# --- where


@dataclass(frozen=True, slots=True)
class PostInChannel:
    """A message for all members: in the thread, or at the top level of the channel if `thread` is empty.

    `starts_thread`: nobody has written in the thread yet. `response_url`, if there is one, gets the message privately where
    the channel refuses it.
    """

    channel: str
    thread: str
    asker: str
    response_url: str = ""
    starts_thread: bool = False


@dataclass(frozen=True, slots=True)
class RespondPrivately:
    """A message for the asker alone, sent to a response_url."""

    url: str


@dataclass(frozen=True, slots=True)
class PostEphemeral:
    """A message for one member, below the message whose button was pressed; `replace`: in place of that message, if it was an
    ephemeral one of ours."""

    channel: str
    thread: str
    user: str
    response_url: str
    replace: bool = False


@dataclass(frozen=True, slots=True)
class OpenModal:
    """A new modal, its state, and how many pages its button "Back" goes back; None for no button."""

    trigger_id: str
    state: ModalState = EMPTY_STATE
    back: int | None = None


@dataclass(frozen=True, slots=True)
class UpdateModal:
    """The modal in which a button was pressed, its state, and how many pages its button "Back" goes back; 0 shows the state's
    own page."""

    view_id: str
    state: ModalState = EMPTY_STATE
    back: int | None = 0


Destination = PostInChannel | RespondPrivately | PostEphemeral | OpenModal | UpdateModal


def click_destination(body: Payload) -> Destination | None:
    """Where the answer to a button goes: its thread, its modal, or the asker alone."""
    view, container, message = get_dict(body, "view"), get_dict(body, "container"), get_dict(body, "message")
    channel = channel_of(body)
    if view or get_str(container, "type") == "view":
        state = ModalState.from_metadata(get_str(view, "private_metadata"))
        if get_str(view, "type") == "modal" and get_str(view, "id"):
            return UpdateModal(get_str(view, "id"), state)
        return OpenModal(get_str(body, "trigger_id")) if get_str(body, "trigger_id") else None
    if is_ephemeral(body) or not channel:
        return RespondPrivately(get_str(body, "response_url")) if get_str(body, "response_url") else None
    flat = channel.startswith("D")
    thread = thread_ts_of(body) or ("" if flat else get_str(message, "ts") or message_ts_of(body))
    return PostInChannel(channel, thread, user_id_of(body), get_str(body, "response_url"))


def private_destination(body: Payload, *, replaces_own: bool = False) -> Destination | None:
    """Where only the member who pressed the button sees the answer: the same modal, or an ephemeral message.

    `replaces_own`: the button was in our ephemeral reason prompt, which is replaced; an ephemeral answer isn't.
    """
    destination = click_destination(body)
    if not isinstance(destination, (PostInChannel, RespondPrivately)):
        return destination
    action, _ = action_of(body)
    is_vote = get_str(action, "action_id") in ("vote", "vote:good", "vote:bad")
    replace = replaces_own and is_ephemeral(body) and not is_vote
    return PostEphemeral(channel_of(body), thread_ts_of(body), user_id_of(body), get_str(body, "response_url"), replace)


# --- what


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingMessage:
    """A message: `text` is its plain text, `render` makes its blocks for a layout, and `key` identifies it, so that each attempt
    to post it has the same client_msg_id."""

    text: str
    render: Callable[[Layout], list[Block]]
    key: str


def reply_message(
    context: Context,
    reply: Reply,
    footer: AnswerFooter | None,
    key: str,
    *,
    above: tuple[Block, ...] = (),
    below: tuple[Block, ...] = (),
    note: str = "",
) -> OutgoingMessage:
    """The message for a reply, with blocks of ours above and below it. `note` is also part of `text`."""

    def render(layout: Layout) -> list[Block]:
        notes = [context_block(note)] if note else []
        rest = [*below, *notes, *footer_blocks(footer, layout, context.strings)]
        room = BLOCKS["message"] - len(above) - len(rest)
        return [*above, *render_blocks(reply, layout, context.strings)[:room], *rest]

    return OutgoingMessage(text=reply_text(reply, note), render=render, key=key)


MAX_PARTS_SENT = 4
"""Further parts of a long answer that one press sends: a response_url may be used five times."""
MODAL_BYTES = 200_000
"""Bytes of the further parts in a modal, of the 250,000 that Slack takes for a view."""


def further_messages(
    context: Context, reply: Reply, key: str, most: int = MAX_PARTS_SENT
) -> list[tuple[Reply, OutgoingMessage]]:
    """At most so many further parts of a long answer, each as a reply and its message; the last has a button for what is left."""
    base, _, number = reply.reference.partition(PART_MARK)
    sent = reply.further[:most]
    messages = []
    for index, parts in enumerate(sent):
        reference = f"{base}{PART_MARK}{int(number or 1) + 1 + index}"
        shown = parts if index == len(sent) - 1 else without_show_rest(parts)
        part = replace(reply, parts=shown, further=(), reference=reference)
        messages.append((part, reply_message(context, part, None, f"{key}:{reference}")))
    return messages


def rest_in_one_message(context: Context, reply: Reply, key: str) -> OutgoingMessage:
    """As many further parts of a long answer as fit into a modal, as one message."""

    def render(layout: Layout) -> list[Block]:
        for most in range(MAX_PARTS_SENT, 0, -1):
            messages = further_messages(context, reply, key, most)
            blocks = [block for _, message in messages for block in message.render(layout)]
            if len(blocks) < BLOCKS["modal"] and len(json.dumps(blocks)) <= MODAL_BYTES:
                break
        return blocks

    return OutgoingMessage(text=further_messages(context, reply, key)[0][1].text, render=render, key=key)


def text_message(text: str, key: str = "", blocks: list[Block] | None = None) -> OutgoingMessage:
    """A sentence of ours as a message; `blocks` replace its own, if given."""
    shown = blocks if blocks is not None else paragraph_blocks(text)
    return OutgoingMessage(text=escape(text), render=lambda _: shown, key=key or str(uuid4()))


def reply_text(reply: Reply, note: str = "", lead: str = "") -> str:
    """The whole reply as the argument `text`, escaped so that Slack finds no entities in it, below a lead and above a note."""
    text, around = plain_text(reply), [escape(each) for each in (lead, note) if each]
    room = ESCAPED_TEXT - sum(size(each) + 2 for each in around)
    while size(escape(text)) > room:
        text = cut(text, size(text) - 100)
    return "\n\n".join(filter(None, (escape(lead), escape(text), escape(note))))


def footer_for(
    context: Context, reply: Reply, question: Question, key: str, share_mode: ShareMode = ""
) -> AnswerFooter | None:
    """The footer of an answer: its reference, the question for "Why this answer?", and how it can be shared.

    Answers to the shortcut and to forwarded messages have no "Tell me" and no "Ask a person": they would store another person's
    words.
    """
    if reply.kind not in VOTABLE:
        return None
    ref, outcome = answer_ref(reply), outcome_of(reply)
    share_mode = share_mode if reply.kind in SHAREABLE else ""
    return AnswerFooter(
        key=key,
        answer_ref=ref,
        why=question.text,
        understood=reply.evidence.reason if question.conversation is not None else "",
        shared=_shared_ref(context, reply, ref, question) if share_mode else None,
        share_mode=share_mode,
        unanswered=outcome if outcome in ("offered", "missed") and not question.is_by_another else "",
        can_ask_people=not question.is_by_another and bool(context.help_channel(question.workspace)),
    )


def _shared_ref(context: Context, reply: Reply, ref: str, question: Question) -> AnswerRef:
    """A reference to this reply: by its ids if they suffice, or if the question alone gets other entries; else by its question.

    In the second case the shared reply may lack a line, such as what was left out. Long questions are taken by their ids: to ask
    them again would hold up others.
    """
    rebuilt = context.engine.rebuild_reply(ref, question.workspace)
    if rebuilt is None or rebuilt.parts == reply.parts:
        return AnswerRef(ref if rebuilt is not None else "", question.text)
    if len(question.text) > LONG_TEXT:
        return AnswerRef(ref, question.text)
    alone = context.engine.find(replace(question, conversation=None))
    is_same = (alone.kind, alone.ids) == (reply.kind, reply.ids)
    return AnswerRef("" if is_same else ref, question.text)


# --- sending


async def send(
    context: Context, destination: Destination, message: OutgoingMessage, on_wait: OnWait = no_op
) -> SendResult:
    """Send a message to its destination; `on_wait` is called as soon as it has to wait for Slack.

    If a channel refuses it, the asker is told privately, if possible.
    """
    match destination:
        case PostInChannel():
            return await _post(context, destination, message, on_wait)
        case RespondPrivately(url):
            return await context.outbox.send(_private_request(url, message, on_wait=on_wait))
        case PostEphemeral():
            return await _post_ephemeral(context, destination, message, on_wait)
        case OpenModal(trigger_id, state, back):
            view, fallback = views_of(context, message, state, back)
            return await open_modal(context, trigger_id, view, on_wait, fallback)
        case UpdateModal(view_id, state, back):
            view, fallback = views_of(context, message, state, back)
            return await update_modal(context, view_id, view, on_wait, fallback)


async def send_text(context: Context, destination: Destination, text: str, key: str = "") -> SendResult:
    """Send a sentence of ours."""
    return await send(context, destination, text_message(text, key))


def views_of(
    context: Context, message: OutgoingMessage, state: ModalState, back: int | None
) -> tuple[View, Callable[[], View] | None]:
    """The view of a message in a modal, and what makes the one without pictures; None if it has none."""
    blocks = message.render("classic")
    view = modal_view(state, blocks, context.strings, back=back)
    if not has_image(blocks):
        return view, None
    return view, lambda: modal_view(state, message.render("links"), context.strings, back=back)


async def open_modal(
    context: Context,
    trigger_id: str,
    view: View,
    on_wait: OnWait = no_op,
    fallback: Callable[[], View] | None = None,
    *,
    is_above: bool = False,
) -> SendResult:
    """Open a modal, while its trigger_id is valid.

    Args:
        context: whose modal.
        trigger_id: of the interaction.
        view: what it shows.
        on_wait: as for `send`.
        fallback: makes the view that is sent if Slack refuses its blocks.
        is_above: whether the interaction was in a modal, which this one is to cover until it is closed.
    """
    args = {"trigger_id": trigger_id, "view": view}
    request = Request(method="views.open", **_from(context), args=args, ttl=TRIGGER_TTL, on_wait=on_wait)
    if is_above:
        request = replace(request, method="views.push")
    return await context.outbox.send(_with_fallback_view(request, fallback))


async def update_modal(
    context: Context, view_id: str, view: View, on_wait: OnWait = no_op, fallback: Callable[[], View] | None = None
) -> SendResult:
    """Replace the view of an open modal; `fallback` as for `open_modal`."""
    args = {"view_id": view_id, "view": view}
    request = Request(method="views.update", **_from(context), args=args, on_wait=on_wait)
    return await context.outbox.send(_with_fallback_view(request, fallback))


def _with_fallback_view(request: Request, fallback: Callable[[], View] | None) -> Request:
    if fallback is None:
        return request
    return replace(request, fallback_args=lambda: {**request.args, "view": fallback()})


async def publish_home(
    context: Context, user: str, view: View, fallback: Callable[[], Mapping[str, Any]] | None = None
) -> SendResult:
    """Show a view as a member's Home tab; `fallback` makes the arguments that are sent if Slack refuses its blocks."""
    args = {"user_id": user, "view": view}
    return await context.outbox.send(
        Request(method="views.publish", **_from(context), args=args, fallback_args=fallback)
    )


def post_request(
    context: Context, destination: PostInChannel, message: OutgoingMessage, on_wait: OnWait = no_op
) -> Request:
    """The request that posts a message."""
    request = Request(
        method="chat.postMessage",
        **_from(context),
        args=_where(destination.channel, destination.thread),
        on_wait=on_wait,
    )
    return _with_message(request, message, context.layout)


def update_request(context: Context, channel: str, ts: str, message: OutgoingMessage) -> Request:
    """The request that replaces a posted message."""
    args = {"channel": channel, "ts": ts, "text": message.text, "blocks": message.render("classic")}
    return Request(method="chat.update", **_from(context), args=args)


def delete_request(context: Context, channel: str, ts: str) -> Request:
    """The request that deletes a posted message."""
    return Request(method="chat.delete", **_from(context), args={"channel": channel, "ts": ts})


def public_response(response_url: str, message: OutgoingMessage) -> Request:
    """The request that posts a message publicly in the channel of a response_url."""
    args = {"response_type": "in_channel", "replace_original": False}
    return _with_message(Request(url=response_url, args=args), message, "classic")


async def replace_private(context: Context, response_url: str, message: OutgoingMessage) -> SendResult:
    """Replace the private message whose button was pressed."""
    return await context.outbox.send(_private_request(response_url, message, replaces=True))


async def _post(context: Context, destination: PostInChannel, message: OutgoingMessage, on_wait: OnWait) -> SendResult:
    result = await context.outbox.send(post_request(context, destination, message, on_wait))
    if not isinstance(result, Refused):
        return result
    if destination.response_url:
        private = _rekeyed(message, "private")
        await context.outbox.send(_private_request(destination.response_url, private))
    elif result.code not in REFUSED_TOKEN:  # with a refused token nothing else can be posted either
        where = _where(destination.channel, destination.thread) | {"user": destination.asker}
        args = where | _message_args(escape(context.strings["cannot_post"]), [], f"{message.key}:cannot")
        await context.outbox.send(Request(method="chat.postEphemeral", **_from(context), args=args))
    return result


async def _post_ephemeral(
    context: Context, destination: PostEphemeral, message: OutgoingMessage, on_wait: OnWait
) -> SendResult:
    """In a thread by chat.postEphemeral, which fails for non-members of the channel; otherwise by the response_url."""
    private: Callable[[OnWait], Request] = partial(
        _private_request, destination.response_url, message, destination.replace
    )
    if destination.response_url and (destination.replace or not destination.thread):
        return await context.outbox.send(private(on_wait))
    where = _where(destination.channel, destination.thread) | {"user": destination.user}
    request = Request(method="chat.postEphemeral", **_from(context), args=where, on_wait=on_wait)
    result = await context.outbox.send(_with_message(request, message, "classic"))
    if isinstance(result, Refused) and destination.response_url:
        return await context.outbox.send(private(on_wait))
    return result


def _rekeyed(message: OutgoingMessage, suffix: str) -> OutgoingMessage:
    """The same message under another key."""
    return OutgoingMessage(text=message.text, render=message.render, key=f"{message.key}:{suffix}")


def _from(context: Context) -> dict[str, Any]:
    """Whose request it is: nothing where the bot has one token."""
    return {"token": context.token, "team": context.home_team} if context.token else {}


def _where(channel: str, thread: str) -> dict[str, Any]:
    return {"channel": channel, "thread_ts": thread} if thread else {"channel": channel}


def _message_args(text: str, blocks: list[Block], key: str) -> dict[str, Any]:
    """The arguments that every message has."""
    return {
        "text": text,
        **({"blocks": blocks} if blocks else {}),
        "mrkdwn": False,
        "unfurl_links": False,
        "unfurl_media": False,
        "client_msg_id": client_msg_id(key),
    }


def _with_message(request: Request, message: OutgoingMessage, layout: Layout) -> Request:
    """The request with a message. If Slack refuses its blocks, for cards that it doesn't know or for a picture that it can't
    fetch, it is sent once more without either, or without blocks."""
    where, blocks = request.args, message.render(layout)

    def fallback_args() -> dict[str, Any]:
        simple = message.render("links")
        return {**where, **_message_args(message.text, simple if simple != blocks else [], message.key)}

    args = {**where, **_message_args(message.text, blocks, message.key)}
    return replace(request, args=args, fallback_args=fallback_args)


def _private_request(url: str, message: OutgoingMessage, replaces: bool = False, on_wait: OnWait = no_op) -> Request:
    args = {"response_type": "ephemeral", "replace_original": replaces}
    return _with_message(Request(url=url, args=args, on_wait=on_wait), message, "classic")
