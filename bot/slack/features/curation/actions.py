"""Curators' buttons. Each handler reads, writes and reads again in one round trip to the database."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from bot.model import AskPyError, Knowledge
from bot.slack.blocks import curation as blocks
from bot.slack.blocks.curation import Dashboard, ResultNote, fill
from bot.slack.blocks.limits import TYPED, Block, cut, size
from bot.slack.blocks.views import View
from bot.slack.context import Context
from bot.slack.features.curation.curator_home import is_curator, publish, publish_refusal, refusal
from bot.slack.features.curation.edits import (
    Curator,
    current_knowledge,
    explain_settled,
    find_open,
    load_dashboard,
    new_batch,
    not_saved,
    save_changes,
    undo_batch,
)
from bot.slack.features.help_requests import show_taken_back
from bot.slack.message_markdown import CUT, attached_words_of, markdown_of, own_words_of
from bot.slack.outgoing import open_modal, update_modal
from bot.slack.payloads import (
    SLACKS_OWN,
    CuratorModalState,
    Payload,
    action_of,
    channel_of,
    chosen_users_of,
    get_dict,
    get_str,
    join_key,
    saved_message_of,
    seconds_of,
)
from bot.slack.recorder import redacted_line
from bot.store import StoredInstallation, StoreError


@dataclass(frozen=True, slots=True, kw_only=True)
class CuratorAction:
    """A click of a curator's button, on the Home tab or in a modal.

    Attributes:
        value: the value of the button or of the chosen option.
        page: the page of the Home tab with the button, or behind the modal.
        trigger_id: opens a modal.
        view_id: the modal with the button; empty on the Home tab.
        users: the people chosen in a menu of people; None for anything else.
        ts: when it was clicked, in seconds by Slack's clock.
    """

    curator: Curator
    value: str
    page: str
    trigger_id: str
    view_id: str
    users: tuple[str, ...] | None
    ts: float

    @property
    def keys(self) -> tuple[str, ...]:
        """The value as keys of misses."""
        return tuple(self.value.split("\n"))

    @classmethod
    def from_body(cls, body: Payload, home_team: str) -> CuratorAction:
        """From a block_actions payload."""
        (action, value), view = action_of(body), get_dict(body, "view")
        metadata, is_modal = get_str(view, "private_metadata"), get_str(view, "type") == "modal"
        return cls(
            curator=Curator.from_body(body, home_team),
            value=value or get_str(action, "selected_conversation"),
            page=CuratorModalState.from_metadata(metadata).page if is_modal else metadata,
            trigger_id=get_str(body, "trigger_id"),
            view_id=get_str(view, "id") if is_modal else "",
            users=chosen_users_of(action),
            ts=seconds_of(get_str(action, "action_ts")),
        )


async def _permitted(context: Context, body: Payload) -> CuratorAction | None:
    """The action, if this person may curate. Otherwise None, after telling the person so, if there are any curators."""
    action = CuratorAction.from_body(body, context.home_team)
    if is_curator(context, action.curator):
        return action
    if context.curators.named or context.installation is not None:
        if action.view_id:
            view = blocks.result_view(CuratorModalState(), refusal(context, action.curator), context.strings)
            await update_modal(context, action.view_id, view)
        if action.curator.user:
            await publish_refusal(context, action.curator)
    return None


# --- modals


async def open_meaning_form(context: Context, body: Payload) -> None:
    """Open the form that sets which entry some phrasings mean."""
    action = await _permitted(context, body)
    if action is not None:
        await open_modal(context, action.trigger_id, await context.run_db(_meaning_view, context, action))


async def open_answer_form(context: Context, body: Payload) -> None:
    """Open the form for a new answer."""
    action = await _permitted(context, body)
    if action is not None:
        await open_modal(context, action.trigger_id, await context.run_db(_answer_view, context, action))


async def save_message(context: Context, body: Payload) -> None:
    """ "Save as answer" on a message: open the form for a new answer with its words; in the help channel it ends the request in
    whose thread it stands. Anybody else is told who curates."""
    curator, trigger = Curator.from_body(body, context.home_team), get_str(body, "trigger_id")
    if not trigger or not curator.user:
        return
    if is_curator(context, curator):
        words = await context.run_in_worker(markdown_of, get_dict(body, "message"))
        try:
            view = await context.run_db(_saved_message_view, context, body, curator.team, words)
        except StoreError:
            message = fill(context.strings["database_away"])
            view = blocks.result_view(CuratorModalState(), message, context.strings, title="save_title")
    else:
        message = (*refusal(context, curator), *fill(f" {context.strings['save_tell_them']}"))
        view = blocks.result_view(CuratorModalState(), message, context.strings, title="save_title")
    await open_modal(context, trigger, view)


def _saved_message_view(context: Context, body: Payload, team: str, words: str) -> View:
    message, strings, channel = get_dict(body, "message"), context.strings, channel_of(body)
    ts = get_str(message, "ts") or get_str(body, "message_ts")
    find = context.store.help_requests.find_by_post
    own = find(team, channel, ts)  # our post, which is the question
    thread = get_str(message, "thread_ts")
    request = own or (find(team, channel, thread) if thread else None)
    question = redacted_line(request.text) if request is not None else ""
    request_id = request.id if request is not None and not request.outcome else ""
    answer = "" if own is not None else words
    if own is None and not (own_words_of(message) or attached_words_of(message)):
        return blocks.result_view(CuratorModalState(), fill(strings["no_words"]), strings, title="save_title")
    saved = None if own is not None else saved_message_of(body, team, is_cut=answer.endswith(CUT))
    state = CuratorModalState(help_request=request_id, message=saved)
    return blocks.answer_form(state, cut(question, blocks.MAX_TITLE), answer, question, strings)


def _meaning_view(context: Context, action: CuratorAction) -> View:
    team = action.curator.team
    knowledge, misses = current_knowledge(context, team), find_open(context, team, action.keys)
    if not misses:
        return _nothing_open_view(context, action, knowledge)
    state = CuratorModalState(action.page, tuple(miss.key for miss in misses))
    return blocks.meaning_form(state, misses, state.keys, misses[0].best, knowledge, context.strings)


def _answer_view(context: Context, action: CuratorAction) -> View:
    team = action.curator.team
    knowledge, misses = current_knowledge(context, team), find_open(context, team, action.keys)
    if not misses:
        return _nothing_open_view(context, action, knowledge)
    phrasings = _fitting_lines([miss.text for miss in misses])
    return blocks.answer_form(CuratorModalState(action.page), "", "", phrasings, context.strings)


def _nothing_open_view(context: Context, action: CuratorAction, knowledge: Knowledge) -> View:
    message = explain_settled(context, action.curator.team, action.keys, knowledge)
    return blocks.result_view(CuratorModalState(action.page), message, context.strings)


def _fitting_lines(texts: Sequence[str]) -> str:
    """The texts, one a line, as many as an input holds."""
    lines = ""
    for text in texts:
        line = " ".join(text.split())
        longer = f"{lines}\n{line}" if lines else line
        if size(longer) > TYPED:
            break
        lines = longer
    return lines


# --- edits without a form


async def mark_out_of_scope(context: Context, body: Payload) -> None:
    """Save that phrasings don't mean the entry that matched them best; without such an entry, that they are out of scope."""
    await _dismiss(context, body, "not_ask")


async def ignore(context: Context, body: Payload) -> None:
    """Hide phrasings from the list of misses; no answer changes."""
    await _dismiss(context, body, "ignore")


async def _dismiss(context: Context, body: Payload, kind: Literal["not_ask", "ignore"]) -> None:
    action = await _permitted(context, body)
    if action is not None:
        note, dashboard = await context.run_db(_dismiss_misses, context, action, kind)
        await publish(context, action.curator, dashboard, action.page, note)


def _dismiss_misses(
    context: Context, action: CuratorAction, kind: Literal["not_ask", "ignore"]
) -> tuple[ResultNote, Dashboard]:
    curator = action.curator
    knowledge, misses = current_knowledge(context, curator.team), find_open(context, curator.team, action.keys)
    if misses:
        change = new_batch(context, curator, kind)
        entry_ids = [miss.best if kind == "not_ask" and miss.best in knowledge.by_id else "" for miss in misses]
        changes = [change(text=miss.text, entry=entry_id) for miss, entry_id in zip(misses, entry_ids, strict=True)]
        result = save_changes(context, curator, changes, knowledge)
        note = ResultNote(result.message, result.undo)
    else:
        note = ResultNote(explain_settled(context, curator.team, action.keys, knowledge))
    return note, load_dashboard(context, curator.team)


async def confirm(context: Context, body: Payload) -> None:
    """Save that an entry is still right."""
    action = await _permitted(context, body)
    if action is not None:
        note, dashboard = await context.run_db(_confirm_entry, context, action)
        await publish(context, action.curator, dashboard, action.page, note)


def _confirm_entry(context: Context, action: CuratorAction) -> tuple[ResultNote, Dashboard]:
    curator = action.curator
    knowledge = current_knowledge(context, curator.team)
    if action.value in knowledge.by_id:
        today = datetime.fromtimestamp(context.clock(), UTC).date()
        change = new_batch(context, curator, "review")(entry=action.value, text=today.isoformat())
        result = save_changes(context, curator, [change], knowledge)
        note = ResultNote(result.message, result.undo)
    else:
        note = ResultNote(fill(context.strings["review_gone"]))
    return note, load_dashboard(context, curator.team)


async def undo(context: Context, body: Payload) -> None:
    """Undo a batch of edits, and show the result where the button is, and in the posts of questions that it had answered."""
    action = await _permitted(context, body)
    if action is None:
        return
    message, dashboard, entry_ids = await context.run_db(_undo, context, action)
    context.tasks.start(show_taken_back(context, action.curator.team, entry_ids))
    publishing = publish(context, action.curator, dashboard, action.page, ResultNote(message))
    if action.view_id:
        view = blocks.result_view(CuratorModalState(action.page), message, context.strings)
        await asyncio.gather(update_modal(context, action.view_id, view), publishing)
    else:
        await publishing


def _undo(context: Context, action: CuratorAction) -> tuple[tuple[Block, ...], Dashboard, list[str]]:
    """The result as a sentence, the dashboard after it, and the ids of the new answers that were taken back."""
    team, batch = action.curator.team, action.value
    active = context.store.changes.active(team)
    message = undo_batch(context, team, batch)
    dashboard = load_dashboard(context, team)
    written = [change.entry for change in active if change.batch == batch and change.kind == "entry"]
    return message, dashboard, [entry_id for entry_id in written if entry_id not in dashboard.knowledge.by_id]


# --- pilot channels


async def make_pilot(context: Context, body: Payload) -> None:
    """Make a channel a pilot channel."""
    await _set_pilot(context, body, on=True)


async def make_public(context: Context, body: Payload) -> None:
    """Make a pilot channel's answers public, and show its figures a last time."""
    await _set_pilot(context, body, on=False)


async def _set_pilot(context: Context, body: Payload, *, on: bool) -> None:
    action = await _permitted(context, body)
    if action is not None:
        note, dashboard = await context.run_db(_save_pilot, context, action, on)
        await publish(context, action.curator, dashboard, action.page, note)


def _save_pilot(context: Context, action: CuratorAction, on: bool) -> tuple[ResultNote, Dashboard]:
    team, channel = action.curator.team, action.value
    pilots, strings = context.store.pilots, context.strings
    ended = () if on else tuple(pilot for pilot in pilots.all(team) if pilot.channel == channel)
    if channel and pilots.set(team, channel, on, action.curator.key):
        message = fill(strings["trial_now" if on else "public_now"], channel=blocks.channel_element(channel))
        for pilot in ended:  # its figures are deleted
            message += blocks.pilot_figures(pilot, strings)
        note = ResultNote(message, pilot="" if on else channel)
    else:
        note = ResultNote(not_saved(context))
    return note, load_dashboard(context, team)


# --- curators


async def name_curators(context: Context, body: Payload) -> None:
    """Save whom whoever installed the app has named as curators. Each click names all of them, so the last one has to be saved
    last."""
    action = await _permitted(context, body)
    if action is None:
        return
    position = context.conversations.join(join_key("curators", action.curator.key), action.ts)
    try:
        await position.wait()
        note, dashboard = await context.run_db(_save_curators, context, action)
    finally:
        position.leave()
    await publish(context, action.curator, dashboard, action.page, note)


def _save_curators(context: Context, action: CuratorAction) -> tuple[ResultNote | None, Dashboard]:
    installation, note = context.installation, None
    if installation is not None and action.users is not None:
        if action.curator.user == installation.installer:
            note = ResultNote(_set_curators(context, installation, action.users))
        else:
            installer = blocks.user_element(installation.installer, context.strings)
            note = ResultNote(fill(context.strings["curators_only"], installer=installer))
    return note, load_dashboard(context, action.curator.team)


def _set_curators(context: Context, installation: StoredInstallation, users: Sequence[str]) -> tuple[Block, ...]:
    """Save them, without those who curate anyway or never can; returns the result as a sentence."""
    left_out, strings = {installation.installer, installation.bot_user, *SLACKS_OWN}, context.strings
    named = [user for user in dict.fromkeys(users) if user not in left_out][: blocks.MAX_CURATORS]
    try:
        is_saved = context.store.installations.set_curators(installation.team, ",".join(named))
    except AskPyError:
        is_saved = False
    if not is_saved:
        return not_saved(context)
    names = blocks.user_elements(named, strings)
    return fill(strings["curators_saved"], names=names) if named else fill(strings["curators_saved_nobody"])


async def say_in_modal(context: Context, body: Payload, key: str) -> bool:
    """Show one of our sentences in the curator's modal with the button that was pressed, and keep that button; false if it was
    no such modal."""
    action, view = CuratorAction.from_body(body, context.home_team), get_dict(body, "view")
    if not action.view_id or get_str(view, "callback_id") not in blocks.MODALS:
        return False
    state = CuratorModalState.from_metadata(get_str(view, "private_metadata"))
    message = fill(context.strings[key])
    await update_modal(context, action.view_id, blocks.result_view(state, message, context.strings, action.value))
    return True
