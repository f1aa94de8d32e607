"""Conversations: the state of each, by ids, for half an hour."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from importlib import import_module
from typing import Any

from sqlalchemy import bindparam, select

from bot.model import PART_MARK, ConversationState
from bot.store.database import UNAVAILABLE, Database, KeyLocks, put_bounded
from bot.store.tables import LONGEST_IDS, LONGEST_NAME, contexts

CONTEXT_LASTS = 30 * 60
"""Seconds after which a conversation begins anew."""

_find = select(contexts).where(contexts.c.conversation == bindparam("name"))


@cache
def _upsert_of(dialect: str) -> Any:
    """The statement that writes a conversation: of two that write the same one, the later one's stands.

    Only the dialect in use is imported: PostgreSQL's takes two megabytes and a fortieth of a start.
    """
    new = import_module(f"sqlalchemy.dialects.{dialect}").insert(contexts)
    values = {name: new.excluded[name] for name in ("kind", "ids", "grouped", "at", "person")}
    return new.on_conflict_do_update(index_elements=[contexts.c.conversation], set_=values)


@dataclass(frozen=True, slots=True)
class _Remembered:
    """What this process knows of a conversation. `written_in`: the generation of the database that has it too, or 0."""

    at: float
    state: ConversationState
    person: str
    written_in: int


class Conversations:
    """Where each conversation stands.

    A conversation's key begins with the workspace and ends with the user, between colons. Stored are only `hmac_id`s of it
    and of workspace and user; what was stored with an older secret is found by `former_ids`.
    """

    def __init__(
        self,
        database: Database,
        clock: Callable[[], float],
        hmac_id: Callable[[str], str],
        former_ids: Callable[[str], Sequence[str]],
    ) -> None:
        self._database = database
        self._clock = clock
        self._hmac_id = hmac_id
        self._former_ids = former_ids
        self._upsert = _upsert_of(database.dialect)
        self._locks = KeyLocks()
        self._lock = threading.Lock()
        self._remembered: OrderedDict[str, _Remembered] = OrderedDict()

    def load(self, conversation: str) -> ConversationState | None:
        """A conversation's state, the newer of the database's and the one in memory; None if it is older than half an hour."""
        name, now = self._hmac_id(conversation), self._clock()
        found = self._database.run_or_default(partial(self._database.read, _find, name=name), UNAVAILABLE, reads=True)
        former = self._former(conversation) if found is not UNAVAILABLE else None
        with self._lock:
            ours = self._remembered.get(name)
            if ours is not None and found is None and ours.written_in == self._database.generation:
                del self._remembered[name]  # forgotten, in another process
                ours = None
        at, state = (ours.at, ours.state) if ours is not None else (0.0, None)
        for row in (found, former):
            if (
                row is not None and row is not UNAVAILABLE and row.at > at
            ):  # else ours: it is whole, or newer than a failure
                at, state = row.at, _state(row)
        return state if at > now - CONTEXT_LASTS else None

    def _former(self, conversation: str) -> Any:
        """The newest row that was stored with an older secret; None if there is none."""
        names = self._former_ids(conversation)
        if not names:
            return None
        rows = self._database.run_or_default(
            lambda: [self._database.read(_find, name=name) for name in names], [], reads=True
        )
        return max((row for row in rows if row is not None), key=lambda row: row.at, default=None)

    def save(self, conversation: str, state: ConversationState) -> None:
        """Keep a state, in memory and in the database, there as many ids as fit."""
        name, person = self._hmac_id(conversation), self._hmac_id(_person(conversation))
        with self._locks.of(name):
            known, at = self._remembered.get(name), self._clock()
            row = {"kind": state.kind, "ids": _ids(state), "grouped": _group(state), "at": at, "person": person}
            write = partial(self._database.write, self._upsert, conversation=name, **row)
            is_written = self._database.run_or_default(write, 0) != 0
            saved = _Remembered(at, state, person, self._database.generation if is_written else 0)
            with self._lock:
                if self._remembered.get(name) is known:  # else it was forgotten meanwhile
                    put_bounded(self._remembered, name, saved)

    def purge(self) -> None:
        """Drop from memory what is too old."""
        oldest = self._clock() - CONTEXT_LASTS
        with self._lock:
            for name in [name for name, each in self._remembered.items() if each.at <= oldest]:
                del self._remembered[name]

    def forget(self, workspace: str, user: str) -> int:
        """Drop a person's conversations from memory; how many those were. `Store.forget` does the rest."""
        person = self._hmac_id(f"{workspace}:{user}")
        with self._lock:
            theirs = [name for name, each in self._remembered.items() if each.person == person]
            for name in theirs:
                del self._remembered[name]
        return len(theirs)


def _person(conversation: str) -> str:
    parts = conversation.split(":")
    return f"{parts[0]}:{parts[-1]}"


def _ids(state: ConversationState) -> str:
    """A state's ids as JSON, without the last ones where they are too many: first of the others, then of the rest."""
    lists = [list(state.others), list(state.seen), list(state.before), list(state.ids)]
    while len(stored := json.dumps(lists[::-1])) > LONGEST_IDS:
        next(ids for ids in lists if ids).pop()
    return stored


def _group(state: ConversationState) -> str | None:
    """A state's group; behind marks the part of a long answer and what isn't wanted. An earlier release reads the group alone."""
    if state.part == 1 and not state.without:
        return state.group
    without = list(state.without)
    while (
        len(stored := PART_MARK.join((state.group or "", str(state.part), ",".join(without)))) > LONGEST_NAME
        and without
    ):
        without.pop(0)
    return stored


def _state(found: Any) -> ConversationState:
    """A stored state; of one that an older version stored, as much as it stored."""
    stored = json.loads(found.ids)
    ids, before, *rest = stored if stored and isinstance(stored[0], list) else (stored, [], [])
    seen, others = rest if len(rest) > 1 else ([], rest[0])
    group, part, without = [*(found.grouped or "").split(PART_MARK, 2), "", ""][:3]
    number, left_out = int(part) if part.isdecimal() else 1, tuple(filter(None, without.split(",")))
    return ConversationState(
        found.kind, tuple(ids), group or None, tuple(before), tuple(others), tuple(seen), number, left_out
    )
