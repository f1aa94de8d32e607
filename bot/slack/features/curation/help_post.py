"""The buttons of a question's post in the help channel: anybody can say that it was answered there; the rest is for curators."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bot.curation.overlay import is_settled, settled
from bot.model import HelpOutcome, HelpRequest, Miss
from bot.slack.blocks.curation import MAX_TITLE, answer_form, fill, meaning_form, result_view
from bot.slack.blocks.help_requests import already_settled, text_without_names
from bot.slack.blocks.limits import Block, cut
from bot.slack.blocks.rich_text import line_block
from bot.slack.blocks.views import View
from bot.slack.context import Context
from bot.slack.features.curation.curator_home import is_curator, refusal
from bot.slack.features.curation.edits import Curator, current_knowledge, new_batch, save_changes
from bot.slack.features.help_requests import delete_post, find_or_add_miss, settle, show_outcome
from bot.slack.outgoing import delete_request, open_modal, private_destination, send, text_message
from bot.slack.payloads import CuratorModalState, Payload, action_of, channel_of, get_str, message_ts_of, message_url
from bot.slack.recorder import redacted_line
from bot.slack.strings import Strings
from bot.store import StoreError


@dataclass(frozen=True, slots=True)
class _Press:
    """A press of a post's button: by whom, and the request as it was then."""

    body: Payload
    curator: Curator
    request: HelpRequest


async def write_answer(context: Context, body: Payload) -> None:
    """ "Answer": open the form for a new answer, with the question filled in; also once it was answered in the thread."""
    press = await _press(context, body, curators_only=True, but_after="thread")
    if press is not None:
        await open_modal(context, get_str(body, "trigger_id"), answer_view(press.request, context.strings))


def answer_view(request: HelpRequest, strings: Strings) -> View:
    """The form for a new answer to a request's question."""
    text, state = redacted_line(request.text), CuratorModalState(help_request=request.id)
    return answer_form(state, cut(text, MAX_TITLE), "", text, strings)


async def choose_meaning(context: Context, body: Payload) -> None:
    """ "This means …": open the form that says which entry the question means."""
    press = await _press(context, body, curators_only=True)
    if press is not None:
        view = await context.run_db(_meaning_view, context, press.request)
        await open_modal(context, get_str(body, "trigger_id"), view)


def _meaning_view(context: Context, request: HelpRequest) -> View:
    knowledge, miss = current_knowledge(context, request.workspace), _miss_of(context, request)
    if miss is None:
        return result_view(CuratorModalState(), fill(context.strings["database_away"]), context.strings)
    state = CuratorModalState(keys=(miss.key,), help_request=request.id)
    return meaning_form(state, [miss], state.keys, miss.best, knowledge, context.strings)


def _miss_of(context: Context, request: HelpRequest) -> Miss | None:
    """The request's question among those without an answer; None if it can't be saved there."""
    key = find_or_add_miss(context, request)
    return context.store.misses.get(request.workspace, key) if key else None


async def answered_here(context: Context, body: Payload) -> None:
    """ "Answered here": tell the asker that people have answered in the post's thread."""
    press = await _press(context, body)
    if press is not None:
        request = press.request
        link = message_url(body, request.workspace, request.channel, request.ts)
        await _settle_by_press(context, press, "thread", link=link)


async def not_ours(context: Context, body: Payload) -> None:
    """ "Not ours": save that the question is out of scope, and tell the asker."""
    press = await _press(context, body, curators_only=True)
    if press is None:
        return
    stopped, note = await context.run_db(_save_not_ours, context, press)
    if stopped is not None:
        await _say(context, body, stopped)
        return
    await _settle_by_press(context, press, "not_ours", note=note)


def _save_not_ours(context: Context, press: _Press) -> tuple[tuple[Block, ...] | None, str]:
    """Save that the question doesn't mean what came nearest; returns why that can't be, or None, and what has to be said besides.

    Where a curator has said so before, nothing has to be saved. One whom they have ignored stays that.
    """
    team, strings, miss = press.request.workspace, context.strings, _miss_of(context, press.request)
    if miss is None:
        return fill(strings["help_lost"]), ""
    knowledge, changes = current_knowledge(context, team), context.store.changes.active(team)
    entry_id = miss.best if miss.best in knowledge.by_id else ""
    if is_settled(
        miss.text, settled([each for each in changes if each.kind == "not_ask" and each.entry in ("", entry_id)])
    ):
        return None, ""
    if is_settled(miss.text, settled([change for change in changes if change.kind == "ignore"])):
        return None, strings["help_ignored"]
    change = new_batch(context, press.curator, "not_ask")(text=miss.text, entry=entry_id)
    result = save_changes(context, press.curator, [change], knowledge)
    return (result.message if result.stopped else None), ""


async def _settle_by_press(
    context: Context, press: _Press, outcome: HelpOutcome, link: str = "", note: str = ""
) -> None:
    request = press.request
    try:
        is_first = await settle(context, request.id, outcome, press.curator.user, link=link)
    except StoreError:
        await _say(context, press.body, fill(context.strings["help_lost"]))
        return
    if is_first:
        await _say(context, press.body, fill(" ".join(filter(None, (context.strings["help_thanks"], note)))))
    else:
        await _say_settled(context, press.body, request.id)


async def _press(
    context: Context, body: Payload, *, curators_only: bool = False, but_after: HelpOutcome = ""
) -> _Press | None:
    """The press, if this person may do that and the request is open, or has ended `but_after`; otherwise None, after saying why
    not.

    In an organisation whoever presses may be in another workspace than the asker. They can say that it was answered; the answers
    are the workspace's own.
    """
    curator, request_id = Curator.from_body(body, context.home_team), action_of(body)[1]
    if curators_only and not is_curator(context, curator):
        await _say(context, body, (*refusal(context, curator), *fill(f" {context.strings['help_in_thread']}")))
        return None
    try:
        request = await context.run_db(_find, context, request_id, message_ts_of(body))
        is_here = request is not None and await _has_same_token(context, request.workspace)
    except StoreError:
        await _say(context, body, fill(context.strings["help_lost"]))
        return None
    if request is None or request.forgotten_at or not is_here:
        await _say(context, body, fill(context.strings["help_gone"]))
        if request is None:
            await _delete_pressed(context, body)
        elif is_here:
            await delete_post(context, request)
        return None
    if request.ts != message_ts_of(body):
        await _say(context, body, fill(context.strings["help_stray"]))
        await _delete_pressed(context, body)
        return None
    if curators_only and request.workspace != curator.team:
        await _say(context, body, fill(context.strings["help_elsewhere"]))
        return None
    if request.outcome not in ("", but_after):
        await _say_settled(context, body, request.id)
        return None
    return _Press(body, curator, request)


async def _delete_pressed(context: Context, body: Payload) -> None:
    """Delete the post whose button was pressed: Slack gave no word of it in time, and nothing is known of it any more."""
    channel, ts = channel_of(body), message_ts_of(body)
    if channel and ts:
        await context.outbox.send(delete_request(context, channel, ts))


async def _has_same_token(context: Context, workspace: str) -> bool:
    """Whether a workspace has the same installation as the one where a button was pressed."""
    local = await context.of_team(workspace)
    return local is not None and local.home_team == context.home_team


def _find(context: Context, request_id: str, ts: str) -> HelpRequest | None:
    """A request by the button of its post, which may have arrived without that we were told so. Raises StoreError."""
    store = context.store.help_requests
    request = store.find(request_id)
    if request is not None and not request.ts and ts:
        store.note_post(request.id, ts)
        request = replace(request, ts=ts)
    return request


async def _say_settled(context: Context, body: Payload, request_id: str) -> None:
    """Tell the person who pressed how the request has ended already, and show it in the post."""
    try:
        request = await context.run_db(context.store.help_requests.find, request_id)
    except StoreError:
        await _say(context, body, fill(context.strings["help_lost"]))
        return
    if request is None or not request.outcome:
        await _say(context, body, fill(context.strings["help_gone"]))
        return
    knowledge = context.engine.knowledge_of(request.workspace)
    await _say(context, body, already_settled(request, knowledge, context.strings))
    await show_outcome(context, request)


async def _say(context: Context, body: Payload, message: tuple[Block, ...]) -> None:
    """Tell the person who pressed a button a sentence, in private."""
    destination = private_destination(body)
    if destination is not None:
        text = text_without_names(message, context.strings)
        await send(context, destination, text_message(text, blocks=[line_block(message)]))
