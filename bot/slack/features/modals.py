"""Answers in modals: the search, the button "Back", and showing a page again. A modal's state is all in private_metadata."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

from bot.model import Question, Reply, Surface
from bot.slack.admission import Overloaded
from bot.slack.blocks import paragraph_blocks
from bot.slack.blocks.footer import FooterState
from bot.slack.blocks.views import View, modal_view, search_blocks
from bot.slack.context import Context
from bot.slack.logs import format_without_message
from bot.slack.outgoing import (
    OpenModal,
    OutgoingMessage,
    UpdateModal,
    click_destination,
    footer_for,
    open_modal,
    reply_message,
    update_modal,
    views_of,
)
from bot.slack.payloads import (
    ModalState,
    Payload,
    action_of,
    answer_ref,
    asker_of,
    get_dict,
    get_str,
    short_hash,
    workspace_of,
)
from bot.slack.transport.client import Sent

logger = logging.getLogger(__name__)


# --- a page


def pages_back(state: ModalState) -> int | None:
    """How many pages the button "Back" of a modal's page goes back; None on the first page."""
    return 1 if len(state.trail) > 1 else None


def modal_question(state: ModalState, workspace: str) -> Question:
    """The question of a modal's page, outside any conversation, so that the page can be shown again."""
    surface: Surface = "home" if state.search or not state.opened_by_shortcut else "shortcut"
    return Question(state.question, surface, workspace=workspace)


def modal_message(
    context: Context,
    reply: Reply,
    state: ModalState,
    asker: str,
    footer_state: FooterState = FooterState(),  # noqa: B008  it is frozen
    *,
    allow_share: bool = True,
) -> OutgoingMessage:
    """The message of a modal's page. `allow_share`: whether the answer can still be posted in the thread."""
    question = modal_question(state, workspace_of(asker))
    key = short_hash("view", asker, answer_ref(reply))
    footer = footer_for(context, reply, question, key, "reply" if state.channel and allow_share else "")
    if footer is not None:
        footer = replace(footer, state=footer_state.state, note=footer_state.note)
    return reply_message(context, reply, footer, "")


async def show_page(
    context: Context,
    destination: OpenModal | UpdateModal,
    asker: str,
    footer_state: FooterState = FooterState(),  # noqa: B008  it is frozen
    *,
    allow_share: bool = True,
) -> None:
    """Show the page of a modal's state; `footer_state` and `allow_share` as in `modal_message`."""
    state = destination.state
    view, fallback = await _page(context, state, asker, footer_state, allow_share)
    match destination:
        case OpenModal(trigger_id):
            await open_modal(context, trigger_id, view, fallback=fallback)
        case UpdateModal(view_id):
            await update_modal(context, view_id, view, fallback=fallback)


async def _page(
    context: Context, state: ModalState, asker: str, footer_state: FooterState, allow_share: bool
) -> tuple[View, Callable[[], View] | None]:
    """The view of a page, and what makes the one without pictures."""
    if state.search and not state.trail:
        return modal_view(state, search_blocks(context.engine.knowledge, context.strings), context.strings), None
    reply = await context.answer(modal_question(state, workspace_of(asker)), asker)
    message = modal_message(context, reply, state, asker, footer_state, allow_share=allow_share)
    return views_of(context, message, state, pages_back(state))


# --- buttons


async def open_search(context: Context, body: Payload) -> None:
    """The button that opens the search."""
    trigger = get_str(body, "trigger_id")
    if trigger:
        await show_page(context, OpenModal(trigger, ModalState(search=True)), asker_of(body, context.home_team))


async def go_back(context: Context, body: Payload) -> None:
    """The button "Back" of a modal: shows an earlier page."""
    _, pages = action_of(body)
    destination = click_destination(body)
    if isinstance(destination, UpdateModal):
        state = destination.state.back(int(pages) if pages in ("0", "1") else 1)
        await show_page(context, replace(destination, state=state), asker_of(body, context.home_team))


# --- the search


async def submit_search(context: Context, body: Payload) -> dict[str, object]:
    """The response to a submitted search: it shows the answer in the same modal, or an error at the input."""
    view = get_dict(body, "view")
    values = get_dict(get_dict(view, "state"), "values")
    block = next(iter(values), "")
    inputs = get_dict(values, block)
    text = next((get_str(get_dict(inputs, name), "value") for name in inputs), "").strip()
    state = ModalState.from_metadata(get_str(view, "private_metadata"))
    if not text:
        return {"response_action": "errors", "errors": {block: context.strings["search_empty"]}}
    asker, slot = asker_of(body, context.home_team), None
    try:
        slot = context.interactions.acquire(asker)
        page = await _search_page(context, state.with_question(text), asker)
    except Overloaded:
        return {"response_action": "errors", "errors": {block: context.strings["busy"]}}
    except Exception as error:
        logger.error("A search failed\n%s", format_without_message(error))
        page = modal_view(state, paragraph_blocks(context.strings["oops"]), context.strings)
    finally:
        if slot is not None:
            slot.release()
    return {"response_action": "update", "view": page}


async def _search_page(context: Context, state: ModalState, asker: str) -> View:
    """The page that answers a search; counted like any question. The acknowledgement carries it to Slack."""
    question = Question(state.question, "home", workspace=workspace_of(asker))
    trace = context.answer_log.start(question)
    reply = await context.answer(question, asker)
    trace.answered(reply)
    trace.sending()
    message = modal_message(context, reply, state, asker)
    # "links": if Slack couldn't fetch a picture, it would refuse the acknowledgement, and nothing else can be sent.
    view = modal_view(state, message.render("links"), context.strings, back=pages_back(state))
    trace.result = Sent()
    trace.finish()
    context.recorder.add(question, reply)
    return view
