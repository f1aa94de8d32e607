"""The data of the dashboard, and curators' edits: saved once, all or none, and undone.

All functions here block for the database: call them by `context.run_db`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from bot.curation.clusters import cluster_misses
from bot.curation.overlay import is_settled, settled
from bot.model import AskPyError, Change, ChangeKind, Knowledge, Miss
from bot.slack.blocks.curation import Dashboard, conflict_message, describe_edits, fill, settled_by
from bot.slack.blocks.limits import Block
from bot.slack.context import Context
from bot.slack.payloads import Payload, event_of, get_str, is_guest, join_key, short_hash, team_id_of, user_id_of
from bot.slack.permissions import WorkspaceCurators
from bot.text import normalize_phrase, slug

HISTORY = 1_000
"""Latest batches of edits that are shown."""
MAX_MISSES_READ, MAX_OPEN_MISSES = 2_000, 300
"""Misses that are searched for open ones, and open ones that are clustered."""
MAX_ENTRY_ID = 60
"""Characters of a new entry's id."""
SAVE_ATTEMPTS = 3
"""Another curator may make the same edit between reading and saving."""


@dataclass(frozen=True, slots=True)
class Curator:
    """A person who curates in the workspace `team`, or tries to. `is_guest`: they belong to another one, and may not."""

    team: str
    user: str
    is_guest: bool = False

    @classmethod
    def from_body(cls, body: Payload, home_team: str) -> Curator:
        """From an interaction, or from an event about a person."""
        user = get_str(event_of(body), "user") or user_id_of(body)
        return cls(team_id_of(body, home_team), user, is_guest(body, home_team))

    @property
    def key(self) -> str:
        """Workspace and member, joined, as in the field `by` of a change."""
        return join_key(self.team, self.user)


@dataclass(frozen=True, slots=True)
class EditResult:
    """The result of an edit: `message` as rich_text elements. `undo`: the batch that can be undone; empty if nothing was saved.
    `stopped`: it wasn't saved, and can be tried again."""

    message: tuple[Block, ...]
    undo: str = ""
    stopped: bool = False


def current_knowledge(context: Context, team: str) -> Knowledge:
    """The pack with the latest changes of a workspace."""
    if context.reloader is not None:
        context.reloader.refresh(team)
    return context.engine.knowledge_of(team)


# --- the dashboard


def load_dashboard(context: Context, team: str) -> Dashboard:
    """The data that a workspace's curators see."""
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
        is_incomplete=is_database_unavailable(context, team),
        curators=_installed_curators(context, team),
    )


def _installed_curators(context: Context, team: str) -> WorkspaceCurators | None:
    """Who may curate in a workspace, as the database has it now; None where nobody has installed the app by OAuth."""
    if context.installation is None:
        return None
    installation = context.store.installations.find(context.installation.team)
    return context.curators.of_workspace(team, installation) if installation is not None else None


def find_open(context: Context, team: str, keys: Collection[str]) -> list[Miss]:
    """The misses with these keys that nobody has settled, the most asked first."""
    return [miss for miss in _open_misses(context, team) if miss.key in keys]


def explain_settled(context: Context, team: str, keys: Collection[str], knowledge: Knowledge) -> tuple[Block, ...]:
    """Why none of the misses with these keys is open: who has settled them, and how; or the database is unavailable."""
    if is_database_unavailable(context, team):
        return fill(context.strings["database_away"])
    changes = context.store.changes.active(team)
    for miss in context.store.misses.all(team, MAX_MISSES_READ):
        for change in changes if miss.key in keys else ():
            if is_settled(miss.text, settled([change])):
                return settled_by(change, knowledge, context.strings)
    return fill(context.strings["saved_nothing"])


def is_database_unavailable(context: Context, team: str) -> bool:
    """Whether the database can't be read."""
    return context.store.changes.revision(team) < 0


def _open_misses(context: Context, team: str) -> tuple[Miss, ...]:
    """The misses that nobody has settled."""
    settled_phrasings = settled(context.store.changes.active(team))
    misses = context.store.misses.all(team, MAX_MISSES_READ)
    return tuple(miss for miss in misses if not is_settled(miss.text, settled_phrasings))[:MAX_OPEN_MISSES]


# --- edits


def new_batch(context: Context, curator: Curator, kind: ChangeKind) -> Callable[..., Change]:
    """A function that makes the changes of one batch: they are saved and undone together."""
    batch, at = uuid4().hex, context.clock()

    def change(**fields: Any) -> Change:
        return Change(id=uuid4().hex, workspace=curator.team, kind=kind, batch=batch, by=curator.key, at=at, **fields)

    return change


def save_changes(context: Context, curator: Curator, changes: Sequence[Change], knowledge: Knowledge) -> EditResult:
    """Save those of the changes that nobody has made yet, all or none. `knowledge`: the pack that the curator has seen."""
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
    if before.by == curator.key:  # the same request, delivered twice
        return _saved(context, [before], knowledge)
    return EditResult(settled_by(before, knowledge, context.strings), before.batch)


def _try_to_save(
    context: Context, curator: Curator, changes: Sequence[Change], knowledge: Knowledge
) -> EditResult | None:
    """Save all of them or none; None if somebody has made one of the same changes meanwhile."""
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
    """Undo a batch; returns the result as a sentence."""
    changes, strings = context.store.changes, context.strings
    undone = [change for change in changes.active(team) if change.batch == batch]
    try:
        was_undone = changes.undo(team, batch)
    except AskPyError as error:
        return fill(str(error))
    if was_undone:
        knowledge = current_knowledge(context, team)
        return fill(strings["undone"], what=describe_edits(undone, knowledge, strings) if undone else "")
    if is_database_unavailable(context, team) or any(change.batch == batch for change in changes.active(team)):
        return not_saved(context)
    return fill(strings["undone_before"])


def not_saved(context: Context) -> tuple[Block, ...]:
    """The sentence that nothing was saved, because the database is unavailable."""
    return fill(context.strings["not_saved"], why=context.strings["database_away"])


def _content(change: Change) -> tuple[str, ...]:
    """The content of a change, without who made it and when."""
    asks = sorted(map(normalize_phrase, change.asks))
    return (change.kind, change.entry, normalize_phrase(change.text), change.title, change.answer, *asks)


# --- drafts


def free_entry_id(context: Context, team: str, title: str, knowledge: Knowledge) -> str:
    """An id for a new entry that no entry of the pack has. If another curator has used the same title, the store refuses it."""
    curated = {change.entry for change in context.store.changes.active(team) if change.kind == "entry"}
    used = knowledge.by_id.keys() - curated
    return slug(title, used, fallback=f"answer-{short_hash(title)[:8]}", limit=MAX_ENTRY_ID)


def draft_digest(context: Context, change: Change) -> str:
    """A hash of a draft and of the revision of the workspace's changes, at which it is checked."""
    fields = [change.kind, change.text, change.entry, change.title, change.answer, *change.asks]
    return short_hash(json.dumps([fields]), str(context.store.changes.revision(change.workspace)))
