"""Misses: what was asked and couldn't be answered, how often, and nothing of who asked."""

from __future__ import annotations

from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.exc import IntegrityError

from bot.discreet import discreet
from bot.model import Miss
from bot.store.database import Database
from bot.store.keys import digest, phrase, plain
from bot.store.tables import LONGEST_MISS, LONGEST_NAME, misses
from bot.text import clean

_insert = misses.insert()
_again = (
    update(misses)
    .where(misses.c.workspace == bindparam("of"), misses.c.key == bindparam("name"))
    .values(count=misses.c.count + 1, best=bindparam("guess"), score=bindparam("points"), last=bindparam("now"))
)
_all = (
    select(misses)
    .where(misses.c.workspace == bindparam("of"))
    .order_by(misses.c.count.desc(), misses.c.last.desc(), misses.c.key)
    .limit(bindparam("most"))
)


class Misses(Database):
    """What the knowledge lacks."""

    def miss(self, workspace: str, text: str, best: str, score: float) -> str:
        """Count a question that went unanswered, and what it came nearest to; its key, or "" if it couldn't be counted.

        Ways of typing the same words are one question, kept as it was typed first, without mentions and links, and without
        what may be somebody's address, number or key.
        """
        told = discreet(clean(text))
        asked = phrase(told)
        if not asked:
            return ""
        row: dict[str, Any] = {
            "workspace": plain(workspace, LONGEST_NAME),
            "key": digest(asked),
            "text": plain(told, LONGEST_MISS),
            "best": plain(best, LONGEST_NAME),
            "score": float(score),
            "now": self._clock(),
        }
        return self._try(lambda: self._upsert_miss(**row), "")

    def misses(self, workspace: str, limit: int = 300) -> tuple[Miss, ...]:
        """What was missed in a workspace, the most asked first; nothing while the database is away."""
        found = self._try(lambda: self._read_all(_all, of=workspace, most=limit), [], reads=True)
        return tuple(Miss(**row._mapping) for row in found)

    def _upsert_miss(self, workspace: str, key: str, text: str, best: str, score: float, now: float) -> str:
        again = {"of": workspace, "name": key, "guess": best, "points": score, "now": now}
        if self._write(_again, **again) == 0:
            row = {"workspace": workspace, "key": key, "text": text, "best": best, "score": score}
            try:
                self._write(_insert, **row, count=1, first=now, last=now)
            except IntegrityError:  # twice at once
                self._write(_again, **again)
        return key
