"""What there is to curate, and curators' edits: saved once, all or none, and undone.

All functions here block for the database, and run by `context.run_db`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from bot.curation.changes import is_settled, settled
from bot.curation.clusters import cluster_misses
from bot.model import AskPyError, Change, ChangeKind, Knowledge, Miss
from bot.slack.blocks.curation import Dashboard, conflict_message, describe_edits, fill, settled_by
from bot.slack.blocks.limits import Block
from bot.slack.context import Context
from bot.slack.payloads import join_key, short_hash
from bot.text import words

HISTORY = 1_000
"""Batches of edits that one can page through."""
MOST_READ, MOST_OPEN = 2_000, 300
"""Misses that are looked through for open ones, and open ones that are clustered."""
LONGEST_ID = 60
"""Characters of a new entry's id."""
SAVE_ATTEMPTS = 3
"""Somebody may make the same edit between our look and our try."""


@dataclass(frozen=True, slots=True)
class Curator:
    """A member of a workspace who curates, or wants to."""

    team: str
    user: str

    @property
    def key(self) -> str:
        """Workspace and member, joined, as changes name them."""
        return join_key(self.team, self.user)


@dataclass(frozen=True, slots=True)
class EditResult:
    """What has become of an edit, as rich_text elements. `undo`: the batch that can be undone; empty where nothing was saved.
    `stopped`: it wasn't saved, and can be tried again."""

    message: tuple[Block, ...]
    undo: str = ""
    stopped: bool = False


def current_knowledge(context: Context, team: str) -> Knowledge:
    """What a workspace is answered from, with its latest changes."""
    if context.reloader is not None:
        context.reloader.refresh(team)
    return context.engine.knowledge_of(team)


# --- what there is


def load_dashboard(context: Context, team: str) -> Dashboard:
    """All that a workspace's curators go by."""
    store = context.store
    return Dashboard(
        knowledge=current_knowledge(context, team),
        now=context.clock(),
        miss_groups=cluster_misses(_open_misses(context, team)),
        tallies=store.tallies.week(team),
        complaints=store.votes.complaints(team),
        history=store.changes.history(team, HISTORY),
        pilots=store.pilots.all(team),
        faults=context.reloader.faults if context.reloader is not None else (),
        is_incomplete=is_database_away(context, team),
    )


def find_open(context: Context, team: str, keys: Collection[str]) -> list[Miss]:
    """Those of the named misses that nobody has dealt with, the most asked first."""
    return [miss for miss in _open_misses(context, team) if miss.key in keys]


def explain_settled(context: Context, team: str, keys: Collection[str], knowledge: Knowledge) -> tuple[Block, ...]:
    """Why none of the named misses is open: who has dealt with them before, and how; or the database is away."""
    if is_database_away(context, team):
        return fill(context.strings["database_away"])
    changes = context.store.changes.active(team)
    for miss in context.store.misses.all(team, MOST_READ):
        for change in changes if miss.key in keys else ():
            if is_settled(miss.text, settled([change])):
                return settled_by(change, knowledge, context.strings)
    return fill(context.strings["saved_nothing"])


def is_database_away(context: Context, team: str) -> bool:
    """Whether the database can't be read."""
    return context.store.changes.revision(team) < 0


def _open_misses(context: Context, team: str) -> tuple[Miss, ...]:
    """The misses that nobody has dealt with."""
    dealt_with = settled(context.store.changes.active(team))
    misses = context.store.misses.all(team, MOST_READ)
    return tuple(miss for miss in misses if not is_settled(miss.text, dealt_with))[:MOST_OPEN]


# --- edits


def new_batch(context: Context, curator: Curator, kind: ChangeKind) -> Callable[..., Change]:
    """What makes the changes of one press: they are saved and undone together."""
    batch, at = uuid4().hex, context.clock()

    def change(**fields: Any) -> Change:
        return Change(id=uuid4().hex, workspace=curator.team, kind=kind, batch=batch, by=curator.key, at=at, **fields)

    return change


def save_changes(context: Context, curator: Curator, changes: Sequence[Change], knowledge: Knowledge) -> EditResult:
    """Save those that nobody has made yet, all or none. `knowledge`: the pack that the curator was shown."""
    before: Change | None = None
    for _ in range(SAVE_ATTEMPTS):
        active = {_content(change): change for change in context.store.changes.active(curator.team)}
        fresh = [change for change in changes if _content(change) not in active]
        before = next((active[_content(change)] for change in changes if _content(change) in active), before)
        if not fresh:
            break
        result = _try_to_save(context, curator, fresh, knowledge)
        if result is not None:
            return result
    if before is None:
        return EditResult(not_saved(context), stopped=True)
    if before.by == curator.key:  # the same press, delivered twice
        return _saved(context, [before], knowledge)
    return EditResult(settled_by(before, knowledge, context.strings), before.batch)


def _try_to_save(
    context: Context, curator: Curator, changes: Sequence[Change], knowledge: Knowledge
) -> EditResult | None:
    """Save all of them or none; None where somebody has made one of the very same meanwhile."""
    try:
        conflict = context.store.changes.save(changes)
    except AskPyError as error:
        return EditResult(fill(str(error)), stopped=True)
    if conflict is None:
        return _saved(context, changes, current_knowledge(context, curator.team))
    if _content(conflict) in map(_content, changes):
        return None
    return EditResult(conflict_message(conflict, knowledge, context.strings), stopped=True)


def _saved(context: Context, changes: Sequence[Change], knowledge: Knowledge) -> EditResult:
    what = describe_edits(changes, knowledge, context.strings)
    return EditResult(fill(context.strings["saved"], what=what), changes[0].batch)


def undo_batch(context: Context, team: str, batch: str) -> tuple[Block, ...]:
    """Undo what was saved together; says what has become of that."""
    changes, strings = context.store.changes, context.strings
    undone = [change for change in changes.active(team) if change.batch == batch]
    try:
        won = changes.undo(team, batch)
    except AskPyError as error:
        return fill(str(error))
    if won:
        knowledge = current_knowledge(context, team)
        return fill(strings["undone"], what=describe_edits(undone, knowledge, strings) if undone else "")
    if is_database_away(context, team) or any(change.batch == batch for change in changes.active(team)):
        return not_saved(context)
    return fill(strings["undone_before"])


def not_saved(context: Context) -> tuple[Block, ...]:
    """That nothing was saved, because the database is away."""
    return fill(context.strings["not_saved"], why=context.strings["database_away"])


def _content(change: Change) -> tuple[str, ...]:
    """What a change says, whoever made it."""
    text = " ".join(words(change.text))
    asks = sorted(" ".join(words(phrasing)) for phrasing in change.asks)
    return (change.kind, change.entry, text, change.title, change.answer, *asks)


# --- drafts


def free_entry_id(context: Context, team: str, title: str, knowledge: Knowledge) -> str:
    """An id for a new entry that no entry of the pack has. That another curator has the same title the store will find."""
    curated = {change.entry for change in context.store.changes.active(team) if change.kind == "entry"}
    used = knowledge.by_id.keys() - curated
    slug = "-".join(re.findall(r"[a-z0-9]+", title.casefold()))[:LONGEST_ID].strip("-")
    slug = slug or f"answer-{short_hash(title)[:8]}"
    ids = (slug if number == 1 else f"{slug}-{number}" for number in range(1, len(used) + 2))
    return next(entry_id for entry_id in ids if entry_id not in used)


def draft_digest(context: Context, change: Change) -> str:
    """Names a draft at the revision of the workspace's changes at which it is checked."""
    fields = [change.kind, change.text, change.entry, change.title, change.answer, *change.asks]
    return short_hash(json.dumps([fields]), str(context.store.changes.revision(change.workspace)))
