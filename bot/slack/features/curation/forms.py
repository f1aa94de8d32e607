"""Curators' forms: what phrasings mean is saved at once and checked after; a new answer is checked before it is saved.

A form's state is all in its metadata and inputs, so that what was typed stays whatever goes wrong.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from bot.curation.preview import Preview
from bot.model import Change, Knowledge, Miss
from bot.slack.blocks import curation as blocks
from bot.slack.blocks.curation import ANSWER, ASKS, ENTRY, PICKED, TITLE, Note, fill, spoken
from bot.slack.blocks.limits import Block
from bot.slack.blocks.views import View
from bot.slack.context import Context
from bot.slack.features.curation.edits import (
    MOST_READ,
    Curator,
    EditResult,
    current_knowledge,
    draft_digest,
    free_entry_id,
    is_database_away,
    new_batch,
    not_saved,
    save_changes,
)
from bot.slack.features.curation.home import is_curator, load_and_publish
from bot.slack.logs import format_without_message
from bot.slack.outgoing import update_modal
from bot.slack.payloads import CuratorModalState, Payload, get_dict, get_str, state_values, team_id_of, user_id_of
from bot.slack.transport.client import Refused
from bot.text import clean, words

Answer = dict[str, Any]
"""What a form is acknowledged with."""
Work = Callable[[], Coroutine[Any, Any, None]]
"""What is left to do once it is acknowledged."""
ComputePreview = Callable[[Sequence[Change]], Preview]
"""Tells what changes would do to a workspace's pack as it was when this was made. Blocks for seconds."""
Form = Callable[[str, Sequence[Block]], View]
"""A form as it was filled in, given the digest of the draft that was checked, or nothing, and the blocks above it."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewSubmission:
    """A form that was submitted.

    Attributes:
        values: what the inputs hold, by their action_ids.
        first_block: the block_id of the first input, at which an error can be shown.
    """

    curator: Curator
    view_id: str
    callback_id: str
    state: CuratorModalState
    values: Mapping[str, tuple[str, ...]]
    first_block: str

    def value(self, name: str) -> str:
        """What an input holds; empty where there is no such input."""
        return next(iter(self.values.get(name, ())), "")

    def ticked(self, name: str) -> frozenset[str] | None:
        """What is ticked in all checkboxes of a name; None where there are none."""
        groups = [values for key, values in self.values.items() if key.startswith(f"{name}:")]
        return frozenset(value for values in groups for value in values) if groups else None

    @classmethod
    def from_body(cls, body: Payload) -> ViewSubmission:
        """From a view_submission payload."""
        view = get_dict(body, "view")
        inputs = get_dict(get_dict(view, "state"), "values")
        values = {
            name: state_values(get_dict(get_dict(inputs, block), name))
            for block in inputs
            for name in get_dict(inputs, block)
        }
        return cls(
            curator=Curator(team_id_of(body), user_id_of(body)),
            view_id=get_str(view, "id"),
            callback_id=get_str(view, "callback_id"),
            state=CuratorModalState.from_metadata(get_str(view, "private_metadata")),
            values=values,
            first_block=next(iter(inputs), ""),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _MeansEdit:
    """Which entry phrasings mean, what became of saving that, and what compares with the pack before."""

    changes: Sequence[Change]
    result: EditResult
    compute_preview: ComputePreview


@dataclass(frozen=True, slots=True, kw_only=True)
class _Draft:
    """A new answer that is to be checked, and its digest at the revision that `compute_preview` stands for."""

    change: Change
    digest: str
    compute_preview: ComputePreview
    form: Form


async def submit(context: Context, body: Payload) -> tuple[Answer, Work | None]:
    """What to acknowledge a form with, and the work that is left for afterwards, if there is any."""
    submission = ViewSubmission.from_body(body)
    if not is_curator(context, submission.curator):
        return _error_at_first(submission, context.strings["curate_only"]), None
    handle = _submit_means if submission.callback_id == "means" else _submit_answer
    try:
        return await context.run_db(handle, context, submission)
    except Exception as error:  # what was typed must stay
        logger.error("A modal failed\n%s", format_without_message(error))
        strings = context.strings
        text = spoken(strings["not_saved"], why=strings["not_saved_oops"])
        return _error_at_first(submission, text), None


async def suggest(context: Context, body: Payload) -> Answer:
    """What a menu of entries offers for what has been typed into it."""
    curator = Curator(team_id_of(body), user_id_of(body))
    if not is_curator(context, curator):
        return {"options": []}
    await context.refresh(curator.team)
    return {"options": blocks.matching_options(get_str(body, "value"), context.engine.knowledge_of(curator.team))}


# --- what phrasings mean


def _submit_means(context: Context, submission: ViewSubmission) -> tuple[Answer, Work | None]:
    """Save which entry the ticked phrasings mean, or say what is missing. For a database thread."""
    team = submission.curator.team
    knowledge, ticked = current_knowledge(context, team), submission.ticked(PICKED)
    misses = [miss for miss in context.store.misses.all(team, MOST_READ) if miss.key in submission.state.keys]
    picked = [miss for miss in misses if miss.key in ticked] if ticked is not None else misses
    if not misses:
        message = not_saved(context) if is_database_away(context, team) else fill(context.strings["saved_nothing"])
        return _update(blocks.done(submission.state, message, context.strings)), None
    if not picked:
        return _errors({f"{PICKED}:0": context.strings["means_none"]}), None
    if submission.value(ENTRY) not in knowledge.by_id:
        return _errors({ENTRY: context.strings["means_gone"]}), None
    edit = _save_means(context, submission, picked, knowledge)
    form = _means_form(context, submission, misses, [miss.key for miss in picked], knowledge)
    return _update(_result_view(context, submission, edit.result, form)), partial(
        _after_means, context, submission, edit
    )


def _save_means(
    context: Context, submission: ViewSubmission, picked: Sequence[Miss], knowledge: Knowledge
) -> _MeansEdit:
    curator, entry_id = submission.curator, submission.value(ENTRY)
    compute_preview = _bind_preview(context, curator.team)  # before it is saved, to compare with
    change = new_batch(context, curator, "ask")
    changes = [change(text=miss.text, entry=entry_id) for miss in picked]
    result = save_changes(context, curator, changes, knowledge)
    return _MeansEdit(changes=changes, result=result, compute_preview=compute_preview)


def _means_form(
    context: Context, submission: ViewSubmission, misses: Sequence[Miss], picked: Sequence[str], knowledge: Knowledge
) -> Form:
    entry_id = submission.value(ENTRY)

    def form(checked: str, above: Sequence[Block]) -> View:
        state = replace(submission.state, checked=checked)
        return blocks.means(state, misses, picked, entry_id, knowledge, context.strings, above)

    return form


async def _after_means(context: Context, submission: ViewSubmission, edit: _MeansEdit) -> None:
    if not edit.result.stopped:
        context.tasks.start(_show_moved(context, submission, edit, context.clock()))
    await _publish_result(context, submission, edit.result)


async def _show_moved(context: Context, submission: ViewSubmission, edit: _MeansEdit, acknowledged_at: float) -> None:
    """See which other answers the edit has changed, and show that beside the button that undoes it."""
    try:
        preview = await _preview(context, edit.compute_preview, edit.changes)
    except Exception as error:  # the edit is saved all the same
        logger.error("A preview failed\n%s", format_without_message(error))
        return
    if preview.faults or preview.moved:
        result, since = edit.result, blocks.since(preview.faults, preview.moved, context.strings)
        view = blocks.done(submission.state, result.message, context.strings, result.undo, since)
        await _settle(context, acknowledged_at)
        await update_modal(context, submission.view_id, view)


# --- a new answer


def _submit_answer(context: Context, submission: ViewSubmission) -> tuple[Answer, Work | None]:
    """Save a new answer that was checked as it stands; any other is to be checked first. For a database thread."""
    title, answer = " ".join(submission.value(TITLE).split()), submission.value(ANSWER).strip()
    asks = tuple(dict.fromkeys(line for line in clean(submission.value(ASKS)).split("\n") if words(line)))
    filled = {TITLE: words(title), ANSWER: answer, ASKS: asks}
    if empty := {name: context.strings["write_empty"] for name, value in filled.items() if not value}:
        return _errors(empty), None
    curator, form = submission.curator, _answer_form(context, submission)
    knowledge = current_knowledge(context, curator.team)
    entry_id = free_entry_id(context, curator.team, title, knowledge)
    change = new_batch(context, curator, "entry")(entry=entry_id, title=title, answer=answer, asks=asks)
    digest = draft_digest(context, change)
    if submission.state.checked == digest:
        result = save_changes(context, curator, [change], knowledge)
        work = partial(_publish_result, context, submission, result)
        return _update(_result_view(context, submission, result, form)), work
    compute_preview = _bind_preview(context, curator.team)
    draft = _Draft(change=change, digest=digest, compute_preview=compute_preview, form=form)
    return _update(blocks.checking(form("", ()), context.strings)), partial(_check, context, submission, draft)


def _answer_form(context: Context, submission: ViewSubmission) -> Form:
    title, answer, asks = (submission.value(name) for name in (TITLE, ANSWER, ASKS))

    def form(checked: str, above: Sequence[Block]) -> View:
        return blocks.write(replace(submission.state, checked=checked), title, answer, asks, context.strings, above)

    return form


async def _check(context: Context, submission: ViewSubmission, draft: _Draft) -> None:
    """See what a draft would do, and show that above its form; on the Home tab that the form was closed, if it was."""
    acknowledged_at = context.clock()
    try:
        preview = await _preview(context, draft.compute_preview, [draft.change])
        view = draft.form(draft.digest, blocks.review(preview.faults, preview.moved, context.strings))
    except Exception as error:  # what was typed must stay
        logger.error("A preview failed\n%s", format_without_message(error))
        message = fill(context.strings["not_saved"], why=context.strings["not_saved_oops"])
        view = draft.form("", blocks.status(message))
    await _settle(context, acknowledged_at)
    outcome = await update_modal(context, submission.view_id, view)
    if isinstance(outcome, Refused):
        note = Note(fill(context.strings["closed_early"]))
        await load_and_publish(context, submission.curator, submission.state.page, note)


# --- previews


def _bind_preview(context: Context, team: str) -> ComputePreview:
    """What tells the effect of changes on a workspace's pack as it is now."""
    return context.previewer(team) if context.previewer is not None else _no_preview


def _no_preview(_: Sequence[Change]) -> Preview:
    return Preview((), (), 0)


async def _preview(context: Context, compute_preview: ComputePreview, changes: Sequence[Change]) -> Preview:
    async with context.previews:
        return await context.run_in_thread(compute_preview, changes)


async def _settle(context: Context, acknowledged_at: float) -> None:
    """Wait until Slack has surely dealt with the acknowledgement, which else would overwrite what comes now."""
    await asyncio.sleep(max(0.0, acknowledged_at + context.settle - context.clock()))


# --- results


def _result_view(context: Context, submission: ViewSubmission, result: EditResult, form: Form) -> View:
    if result.stopped:
        return form("", blocks.status(result.message))
    return blocks.done(submission.state, result.message, context.strings, result.undo)


async def _publish_result(context: Context, submission: ViewSubmission, result: EditResult) -> None:
    note = None if result.stopped else Note(result.message, result.undo)
    await load_and_publish(context, submission.curator, submission.state.page, note)


def _update(view: View) -> Answer:
    return {"response_action": "update", "view": view}


def _errors(errors: dict[str, str]) -> Answer:
    return {"response_action": "errors", "errors": errors}


def _error_at_first(submission: ViewSubmission, text: str) -> Answer:
    return _errors({submission.first_block: text})
