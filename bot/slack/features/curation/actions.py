"""Curators' buttons. Each press reads, writes and reads again in one hop to the database."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bot.model import Knowledge
from bot.slack.blocks import curation as blocks
from bot.slack.blocks.curation import Dashboard, Note, fill
from bot.slack.blocks.limits import TYPED, Block, size
from bot.slack.blocks.views import View
from bot.slack.context import Context
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
from bot.slack.features.curation.home import is_curator, publish, publish_refusal
from bot.slack.outgoing import open_modal, update_modal
from bot.slack.payloads import CuratorModalState, Payload, action_of, get_dict, get_str, team_id_of, user_id_of


@dataclass(frozen=True, slots=True, kw_only=True)
class CuratorAction:
    """A press on the Home tab or in a curator's modal.

    Attributes:
        value: what the button or menu carries.
        page: the page of the Home tab that it belongs to.
        trigger_id: opens a modal.
        view_id: the modal that it was pressed in; empty on the Home tab.
    """

    curator: Curator
    value: str
    page: str
    trigger_id: str
    view_id: str

    @property
    def keys(self) -> tuple[str, ...]:
        """The value as keys of misses."""
        return tuple(self.value.split("\n"))

    @classmethod
    def from_body(cls, body: Payload) -> CuratorAction:
        """From a block_actions payload."""
        (action, value), view = action_of(body), get_dict(body, "view")
        metadata, is_modal = get_str(view, "private_metadata"), get_str(view, "type") == "modal"
        return cls(
            curator=Curator(team_id_of(body), user_id_of(body)),
            value=value or get_str(action, "selected_conversation"),
            page=CuratorModalState.from_metadata(metadata).page if is_modal else metadata,
            trigger_id=get_str(body, "trigger_id"),
            view_id=get_str(view, "id") if is_modal else "",
        )


async def _permitted(context: Context, body: Payload) -> CuratorAction | None:
    """The press, if this person may curate; else None, and they have been told so. Without curators there is nothing to tell."""
    action = CuratorAction.from_body(body)
    if is_curator(context, action.curator):
        return action
    if context.curators.named:
        if action.view_id:
            view = blocks.done(CuratorModalState(), fill(context.strings["curate_only"]), context.strings)
            await update_modal(context, action.view_id, view)
        if action.curator.user:
            await publish_refusal(context, action.curator)
    return None


# --- modals


async def means(context: Context, body: Payload) -> None:
    """Open the form that says which entry some phrasings mean."""
    action = await _permitted(context, body)
    if action is not None:
        await open_modal(context, action.trigger_id, await context.run_db(_means_view, context, action))


async def write(context: Context, body: Payload) -> None:
    """Open the form for a new answer."""
    action = await _permitted(context, body)
    if action is not None:
        await open_modal(context, action.trigger_id, await context.run_db(_write_view, context, action))


def _means_view(context: Context, action: CuratorAction) -> View:
    team = action.curator.team
    knowledge, misses = current_knowledge(context, team), find_open(context, team, action.keys)
    if not misses:
        return _settled_view(context, action, knowledge)
    state = CuratorModalState(action.page, tuple(miss.key for miss in misses))
    return blocks.means(state, misses, state.keys, misses[0].best, knowledge, context.strings)


def _write_view(context: Context, action: CuratorAction) -> View:
    team = action.curator.team
    knowledge, misses = current_knowledge(context, team), find_open(context, team, action.keys)
    if not misses:
        return _settled_view(context, action, knowledge)
    phrasings = _fitting_lines([miss.text for miss in misses])
    return blocks.write(CuratorModalState(action.page), "", "", phrasings, context.strings)


def _settled_view(context: Context, action: CuratorAction, knowledge: Knowledge) -> View:
    message = explain_settled(context, action.curator.team, action.keys, knowledge)
    return blocks.done(CuratorModalState(action.page), message, context.strings)


def _fitting_lines(texts: Sequence[str]) -> str:
    """One a line, as many as an input takes."""
    lines = ""
    for text in texts:
        line = " ".join(text.split())
        longer = f"{lines}\n{line}" if lines else line
        if size(longer) > TYPED:
            break
        lines = longer
    return lines


# --- edits at a press


async def not_ours(context: Context, body: Payload) -> None:
    """Keep phrasings from finding the entry that they came nearest to, or anything where there is none."""
    await _settle(context, body, "not_ask")


async def ignore(context: Context, body: Payload) -> None:
    """Take phrasings out of sight; nothing is answered differently."""
    await _settle(context, body, "ignore")


async def _settle(context: Context, body: Payload, kind: Literal["not_ask", "ignore"]) -> None:
    action = await _permitted(context, body)
    if action is not None:
        note, dashboard = await context.run_db(_save_settled, context, action, kind)
        await publish(context, action.curator, dashboard, action.page, note)


def _save_settled(
    context: Context, action: CuratorAction, kind: Literal["not_ask", "ignore"]
) -> tuple[Note, Dashboard]:
    curator = action.curator
    knowledge, misses = current_knowledge(context, curator.team), find_open(context, curator.team, action.keys)
    if misses:
        change = new_batch(context, curator, kind)
        near = [miss.best if kind == "not_ask" and miss.best in knowledge.by_id else "" for miss in misses]
        changes = [change(text=miss.text, entry=entry_id) for miss, entry_id in zip(misses, near, strict=True)]
        result = save_changes(context, curator, changes, knowledge)
        note = Note(result.message, result.undo)
    else:
        note = Note(explain_settled(context, curator.team, action.keys, knowledge))
    return note, load_dashboard(context, curator.team)


async def undo(context: Context, body: Payload) -> None:
    """Undo a batch of edits, and say so where it was pressed."""
    action = await _permitted(context, body)
    if action is None:
        return
    message, dashboard = await context.run_db(_undo, context, action)
    publishing = publish(context, action.curator, dashboard, action.page, Note(message))
    if action.view_id:
        view = blocks.done(CuratorModalState(action.page), message, context.strings)
        await asyncio.gather(update_modal(context, action.view_id, view), publishing)
    else:
        await publishing


def _undo(context: Context, action: CuratorAction) -> tuple[tuple[Block, ...], Dashboard]:
    message = undo_batch(context, action.curator.team, action.value)
    return message, load_dashboard(context, action.curator.team)


# --- pilot channels


async def make_pilot(context: Context, body: Payload) -> None:
    """Make a channel a pilot channel."""
    await _set_pilot(context, body, on=True)


async def make_public(context: Context, body: Payload) -> None:
    """Make a pilot channel's answers public, and show its figures once more."""
    await _set_pilot(context, body, on=False)


async def _set_pilot(context: Context, body: Payload, *, on: bool) -> None:
    action = await _permitted(context, body)
    if action is not None:
        note, dashboard = await context.run_db(_save_pilot, context, action, on)
        await publish(context, action.curator, dashboard, action.page, note)


def _save_pilot(context: Context, action: CuratorAction, on: bool) -> tuple[Note, Dashboard]:
    team, channel = action.curator.team, action.value
    pilots, strings = context.store.pilots, context.strings
    ended = () if on else tuple(pilot for pilot in pilots.all(team) if pilot.channel == channel)
    if channel and pilots.set(team, channel, on, action.curator.key):
        message = fill(strings["trial_now" if on else "public_now"], channel=blocks.channel_element(channel))
        for pilot in ended:  # its figures go with it
            message += blocks.pilot_figures(pilot, strings)
        note = Note(message, pilot="" if on else channel)
    else:
        note = Note(not_saved(context))
    return note, load_dashboard(context, team)
