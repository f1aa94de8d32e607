"""Curators' forms. The meaning of phrasings is saved at once and previewed after; a new answer is previewed before it is saved.

A form's state is all in its private_metadata and inputs, so that what was typed is kept whatever goes wrong.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

from bot.curation.preview import Preview
from bot.model import Change, Knowledge, Miss
from bot.slack.blocks import curation as blocks
from bot.slack.blocks.curation import ANSWER, ASKS, ENTRY, PICKED, TITLE, ResultNote, fill, fill_plain
from bot.slack.blocks.limits import Block
from bot.slack.blocks.views import View
from bot.slack.context import Context, FollowUpWork, FormResponse
from bot.slack.features import help_requests
from bot.slack.features.curation.curator_home import is_curator, load_and_publish, refusal_text
from bot.slack.features.curation.edits import (
    Curator,
    EditResult,
    current_knowledge,
    draft_digest,
    free_entry_id,
    is_database_unavailable,
    new_batch,
    not_saved,
    save_changes,
)
from bot.slack.logs import format_without_message
from bot.slack.outgoing import update_modal
from bot.slack.payloads import CuratorModalState, Payload, SavedMessage, get_dict, get_str, state_values
from bot.slack.transport.client import Refused
from bot.store import StoreError
from bot.text import clean, without_control_characters, words

ComputePreview = Callable[[Sequence[Change]], Preview]
"""Previews changes to a workspace's pack as it was when this function was made. Blocks for seconds."""
FormRenderer = Callable[[str, Sequence[Block]], View]
"""Renders a form with its inputs filled in. Arguments: the digest of the checked draft, or "", and the blocks above the form."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewSubmission:
    """A submitted form.

    Attributes:
        values: the values of the inputs, by their action_ids.
        first_block: the block_id of the first input, where an error can be shown.
    """

    curator: Curator
    view_id: str
    callback_id: str
    state: CuratorModalState
    values: Mapping[str, tuple[str, ...]]
    first_block: str

    def value(self, name: str) -> str:
        """The value of an input, without control characters; empty if there is no such input."""
        return without_control_characters(next(iter(self.values.get(name, ())), ""))

    def ticked(self, name: str) -> frozenset[str] | None:
        """The ticked values of all checkboxes of this name; None if there are no checkboxes."""
        groups = [values for key, values in self.values.items() if key.startswith(f"{name}:")]
        return frozenset(value for values in groups for value in values) if groups else None

    @classmethod
    def from_body(cls, body: Payload, home_team: str) -> ViewSubmission:
        """From a view_submission payload."""
        view = get_dict(body, "view")
        inputs = get_dict(get_dict(view, "state"), "values")
        values = {
            name: state_values(get_dict(get_dict(inputs, block), name))
            for block in inputs
            for name in get_dict(inputs, block)
        }
        return cls(
            curator=Curator.from_body(body, home_team),
            view_id=get_str(view, "id"),
            callback_id=get_str(view, "callback_id"),
            state=CuratorModalState.from_metadata(get_str(view, "private_metadata")),
            values=values,
            first_block=next(iter(inputs), ""),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _MeaningEdit:
    """A saved meaning of phrasings: its changes, the result of saving, whether it has ended a help request, and the preview
    function for the pack before."""

    changes: Sequence[Change]
    result: EditResult
    ends_request: bool
    compute_preview: ComputePreview


@dataclass(frozen=True, slots=True, kw_only=True)
class _Draft:
    """A new answer to be checked, and its digest at the revision of `compute_preview`."""

    change: Change
    digest: str
    compute_preview: ComputePreview
    render_form: FormRenderer


async def submit(context: Context, body: Payload) -> tuple[FormResponse, FollowUpWork | None]:
    """The response to a form, and the follow-up work, if there is any."""
    submission = ViewSubmission.from_body(body, context.home_team)
    if not is_curator(context, submission.curator):
        return _error_at_first(submission, refusal_text(context, submission.curator)), None
    handle = _submit_meaning if submission.callback_id == "means" else _submit_answer
    try:
        return await context.run_db(handle, context, submission)
    except Exception as error:  # what was typed must be kept
        logger.error("A modal failed\n%s", format_without_message(error))
        strings = context.strings
        text = fill_plain(strings["not_saved"], why=strings["not_saved_oops"])
        return _error_at_first(submission, text), None


async def suggest(context: Context, body: Payload) -> FormResponse:
    """The options of the menu of entries for the text typed into it."""
    curator = Curator.from_body(body, context.home_team)
    if not is_curator(context, curator):
        return {"options": []}
    await context.refresh(curator.team)
    return {"options": blocks.matching_options(get_str(body, "value"), context.engine.knowledge_of(curator.team))}


# --- the meaning of phrasings


def _submit_meaning(context: Context, submission: ViewSubmission) -> tuple[FormResponse, FollowUpWork | None]:
    """Save which entry the ticked phrasings mean, or show what is missing. For a database thread."""
    team = submission.curator.team
    knowledge, ticked = current_knowledge(context, team), submission.ticked(PICKED)
    found = [context.store.misses.get(team, key) for key in submission.state.keys]
    misses = sorted((miss for miss in found if miss is not None), key=lambda miss: -miss.count)
    picked = [miss for miss in misses if miss.key in ticked] if ticked is not None else misses
    if not misses:
        message = (
            not_saved(context) if is_database_unavailable(context, team) else fill(context.strings["saved_nothing"])
        )
        return _update(blocks.result_view(submission.state, message, context.strings)), None
    if not picked:
        return _errors({f"{PICKED}:0": context.strings["means_none"]}), None
    if submission.value(ENTRY) not in knowledge.by_id:
        return _errors({ENTRY: context.strings["means_gone"]}), None
    edit = _save_meaning(context, submission, picked, knowledge)
    render_form = _meaning_form_renderer(context, submission, misses, [miss.key for miss in picked], knowledge)
    return _update(_result_view(context, submission, edit.result, render_form)), partial(
        _after_meaning, context, submission, edit
    )


def _save_meaning(
    context: Context, submission: ViewSubmission, picked: Sequence[Miss], knowledge: Knowledge
) -> _MeaningEdit:
    curator, entry_id = submission.curator, submission.value(ENTRY)
    compute_preview = _bind_preview(context, curator.team)  # before saving, to compare with
    change = new_batch(context, curator, "ask")
    changes = [change(text=miss.text, entry=entry_id) for miss in picked]
    result = save_changes(context, curator, changes, knowledge)
    answer = f"{knowledge.by_id[entry_id].kind}||{entry_id}"
    result, is_end = _end_help_request(context, submission, result, answer)
    return _MeaningEdit(changes=changes, result=result, ends_request=is_end, compute_preview=compute_preview)


def _meaning_form_renderer(
    context: Context, submission: ViewSubmission, misses: Sequence[Miss], picked: Sequence[str], knowledge: Knowledge
) -> FormRenderer:
    entry_id = submission.value(ENTRY)

    def render_form(checked: str, above: Sequence[Block]) -> View:
        state = replace(submission.state, checked=checked)
        return blocks.meaning_form(state, misses, picked, entry_id, knowledge, context.strings, above)

    return render_form


async def _after_meaning(context: Context, submission: ViewSubmission, edit: _MeaningEdit) -> None:
    if not edit.result.stopped:
        context.tasks.start(_show_moved(context, submission, edit, context.clock()))
    if edit.ends_request:
        help_requests.announce(context, submission.state.help_request)
    await _publish_result(context, submission, edit.result)


async def _show_moved(context: Context, submission: ViewSubmission, edit: _MeaningEdit, acknowledged_at: float) -> None:
    """Preview which other answers the edit has changed, and show that above the undo button."""
    try:
        preview = await _preview(context, edit.compute_preview, edit.changes)
    except Exception as error:  # the edit is saved anyway
        logger.error("A preview failed\n%s", format_without_message(error))
        return
    if preview.faults or preview.moved:
        result, blocks_below = edit.result, blocks.changes_since(preview.faults, preview.moved, context.strings)
        view = blocks.result_view(submission.state, result.message, context.strings, result.undo, blocks_below)
        await _wait_for_ack(context, acknowledged_at)
        await update_modal(context, submission.view_id, view)


# --- a new answer


def _submit_answer(context: Context, submission: ViewSubmission) -> tuple[FormResponse, FollowUpWork | None]:
    """Save a new answer if this very draft was checked; otherwise start its check. For a database thread."""
    title, answer = " ".join(submission.value(TITLE).split()), submission.value(ANSWER).rstrip().strip("\n")
    asks = tuple(dict.fromkeys(line for line in clean(submission.value(ASKS)).split("\n") if words(line)))
    filled = {TITLE: words(title), ANSWER: answer, ASKS: asks}
    if empty := {name: context.strings["write_empty"] for name, value in filled.items() if not value}:
        return _errors(empty), None
    curator, render_form = submission.curator, _answer_form_renderer(context, submission)
    knowledge = current_knowledge(context, curator.team)
    entry_id = free_entry_id(context, curator.team, title, knowledge)
    message = submission.state.message or SavedMessage()
    change = new_batch(context, curator, "entry")(
        entry=entry_id,
        title=title,
        answer=answer,
        answer_format="typed",
        asks=asks,
        source_date=message.date,
        source_url=message.url,
    )
    digest = draft_digest(context, change)
    if submission.state.checked == digest:
        result = save_changes(context, curator, [change], knowledge)
        result, is_end = _end_help_request(context, submission, result, f"topic||{entry_id}")
        follow_up = partial(_after_answer, context, submission, result, is_end)
        return _update(_result_view(context, submission, result, render_form)), follow_up
    compute_preview = _bind_preview(context, curator.team)
    draft = _Draft(change=change, digest=digest, compute_preview=compute_preview, render_form=render_form)
    return _update(blocks.checking_view(render_form("", ()), context.strings)), partial(
        _check, context, submission, draft
    )


async def _after_answer(context: Context, submission: ViewSubmission, result: EditResult, ends_request: bool) -> None:
    if ends_request:
        help_requests.announce(context, submission.state.help_request)
    await _publish_result(context, submission, result)


def _end_help_request(
    context: Context, submission: ViewSubmission, result: EditResult, answer: str
) -> tuple[EditResult, bool]:
    """End the help request that the form was opened for, if there is one; the result, which says so, and whether that was its
    end. For a database thread.

    At once when the edit is saved: the next check of any process would end it without the curator's name. If this fails, it does.
    """
    request_id, by = submission.state.help_request, submission.curator.user
    if not request_id or result.stopped:
        return result, False
    with suppress(StoreError):
        if context.store.help_requests.settle(request_id, "entry", by, answer=answer):
            telling = fill(f"\n{context.strings['help_telling']}")
            return replace(result, message=(*result.message, *telling)), True
    return result, False


def _answer_form_renderer(context: Context, submission: ViewSubmission) -> FormRenderer:
    title, answer, asks = (submission.value(name) for name in (TITLE, ANSWER, ASKS))

    def render_form(checked: str, above: Sequence[Block]) -> View:
        return blocks.answer_form(
            replace(submission.state, checked=checked), title, answer, asks, context.strings, above
        )

    return render_form


async def _check(context: Context, submission: ViewSubmission, draft: _Draft) -> None:
    """Preview a draft, and show the result above its form; if the form was closed, say so on the Home tab."""
    acknowledged_at = context.clock()
    try:
        preview = await _preview(context, draft.compute_preview, [draft.change])
        view = draft.render_form(draft.digest, blocks.draft_review(preview.faults, preview.moved, context.strings))
    except Exception as error:  # what was typed must be kept
        logger.error("A preview failed\n%s", format_without_message(error))
        message = fill(context.strings["not_saved"], why=context.strings["not_saved_oops"])
        view = draft.render_form("", blocks.error_banner(message))
    await _wait_for_ack(context, acknowledged_at)
    result = await update_modal(context, submission.view_id, view)
    if isinstance(result, Refused):
        note = ResultNote(fill(context.strings["closed_early"]))
        await load_and_publish(context, submission.curator, submission.state.page, note)


# --- previews


def _bind_preview(context: Context, team: str) -> ComputePreview:
    """The function that previews changes to a workspace's pack as it is now."""
    return context.preview_factory(team) if context.preview_factory is not None else _no_preview


def _no_preview(_: Sequence[Change]) -> Preview:
    return Preview((), (), 0)


async def _preview(context: Context, compute_preview: ComputePreview, changes: Sequence[Change]) -> Preview:
    async with context.preview_lock:
        return await context.run_in_worker(compute_preview, changes)


async def _wait_for_ack(context: Context, acknowledged_at: float) -> None:
    """Wait until Slack has handled the acknowledgement, which would otherwise overwrite the next update."""
    await asyncio.sleep(max(0.0, acknowledged_at + context.ack_delay - context.clock()))


# --- results


def _result_view(context: Context, submission: ViewSubmission, result: EditResult, render_form: FormRenderer) -> View:
    if result.stopped:
        return render_form("", blocks.error_banner(result.message))
    return blocks.result_view(submission.state, result.message, context.strings, result.undo)


async def _publish_result(context: Context, submission: ViewSubmission, result: EditResult) -> None:
    note = None if result.stopped else ResultNote(result.message, result.undo)
    await load_and_publish(context, submission.curator, submission.state.page, note)


def _update(view: View) -> FormResponse:
    return {"response_action": "update", "view": view}


def _errors(errors: dict[str, str]) -> FormResponse:
    return {"response_action": "errors", "errors": errors}


def _error_at_first(submission: ViewSubmission, text: str) -> FormResponse:
    return _errors({submission.first_block: text})
