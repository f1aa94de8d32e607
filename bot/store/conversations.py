"""Conversations: where each stands, by ids, for half an hour."""

from __future__ import annotations

import json
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.dialects import postgresql, sqlite

from bot.model import Context
from bot.store.database import RETENTION_DAYS, Database
from bot.store.keys import remember
from bot.store.tables import LONGEST_IDS, contexts

CONTEXT_LASTS = 30 * 60
"""Seconds after which a conversation begins anew."""

_find = select(contexts).where(contexts.c.conversation == bindparam("name"))
_upsert: dict[str, Any] = {}
"""One statement by dialect: of two that write the same conversation, the later one's stands."""
for _dialect, _insert in (("sqlite", sqlite.insert(contexts)), ("postgresql", postgresql.insert(contexts))):
    _new = {name: _insert.excluded[name] for name in ("kind", "ids", "grouped", "at", "person")}
    _upsert[_dialect] = _insert.on_conflict_do_update(index_elements=[contexts.c.conversation], set_=_new)


@dataclass(frozen=True, slots=True)
class _Kept:
    """What this process knows of a conversation. `written`: the database has it too, or had."""

    at: float
    context: Context
    person: str
    written: bool


class Conversations(Database):
    """What was talked about last."""

    def __init__(
        self, url: str, clock: Callable[[], float] = time.time, retention_days: float = RETENTION_DAYS
    ) -> None:
        super().__init__(url, clock, retention_days)
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    def recall(self, conversation: str) -> Context | None:
        """Where a conversation stands, if it was heard of in the last half hour."""
        name, now = self._seal(conversation), self._clock()
        found: Any = self._try(lambda: self._read(_find, name=name) or False, None, reads=True)
        with self._lock:
            ours = self._kept.get(name)
            if ours is not None and ours.written and found is False:  # forgotten, in another process
                del self._kept[name]
                ours = None
        at, context = (ours.at, ours.context) if ours is not None else (0.0, None)
        if found and found.at > at:  # else it is ours, whole, or one from before a failure
            at, context = found.at, _context(found)
        return context if at > now - CONTEXT_LASTS else None

    def keep(self, conversation: str, context: Context) -> None:
        """Remember where a conversation stands, for half an hour; in the database, as many ids as fit.

        A conversation's key begins with the workspace and ends with the user, between colons.
        """
        name, now, whose = self._seal(conversation), self._clock(), self._seal(_person(conversation))
        row = {"kind": context.kind, "ids": _ids(context), "grouped": context.group, "at": now, "person": whose}

        def write() -> bool:
            self._write(_upsert[self._engine.dialect.name], conversation=name, **row)
            return True

        written = self._try(write, False)
        with self._lock:
            remember(self._kept, name, _Kept(now, context, whose, written))


def _person(conversation: str) -> str:
    parts = conversation.split(":")
    return f"{parts[0]}:{parts[-1]}"


def _ids(context: Context) -> str:
    """A context's ids as JSON, without the last ones where they are too many: first of the others, then of the rest."""
    kept = [list(context.others), list(context.seen), list(context.before), list(context.ids)]
    while len(told := json.dumps(kept[::-1])) > LONGEST_IDS:
        next(ids for ids in kept if ids).pop()
    return told


def _context(found: Any) -> Context:
    """A kept context; where an older version kept less, that."""
    kept = json.loads(found.ids)
    ids, before, *rest = kept if kept and isinstance(kept[0], list) else (kept, [], [])
    seen, others = rest if len(rest) > 1 else ([], rest[0])
    return Context(found.kind, tuple(ids), found.grouped, tuple(before), tuple(others), tuple(seen))
