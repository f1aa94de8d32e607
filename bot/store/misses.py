"""Misses: what was asked and couldn't be answered, how often, and nothing of who asked."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.exc import IntegrityError

from bot.model import Miss
from bot.redact import redact
from bot.store.database import Database
from bot.store.tables import LONGEST_MISS, LONGEST_NAME, digest, misses, storable
from bot.text import clean, normalize_phrase

_insert = misses.insert()
_one = (misses.c.workspace == bindparam("of"), misses.c.key == bindparam("name"))
_find = select(misses.c.key).where(*_one)
_get = select(misses).where(*_one)
_count_again = (
    update(misses)
    .where(*_one)
    .values(count=misses.c.count + 1, best=bindparam("guess"), score=bindparam("points"), last=bindparam("now"))
)
_clear_best = update(misses).where(*_one).values(best="", score=0.0)
_all = (
    select(misses)
    .where(misses.c.workspace == bindparam("of"))
    .order_by(misses.c.count.desc(), misses.c.last.desc(), misses.c.key)
    .limit(bindparam("most"))
)


class Misses:
    """What the knowledge lacks.

    Ways of typing the same words are one question, stored as it was typed first, without mentions and links, and without
    what may be somebody's address, number or key.
    """

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock

    def add(self, workspace: str, text: str, best: str, score: float) -> str:
        """Count a question that went unanswered.

        Args:
            workspace: where it was asked.
            text: its words.
            best: the id of the entry that it came nearest to, or "".
            score: how near.

        Returns:
            Its key; "" if it has no words or couldn't be counted.
        """
        redacted = redact(clean(text))
        phrase = normalize_phrase(clean(redacted))
        if not phrase:
            return ""
        row: dict[str, Any] = {
            "workspace": storable(workspace, LONGEST_NAME),
            "key": digest(phrase),
            "text": storable(redacted, LONGEST_MISS),
            "best": storable(best, LONGEST_NAME),
            "score": float(score),
        }
        return self._database.run_or_default(lambda: self._upsert(row, self._clock()), "")

    def find(self, workspace: str, text: str) -> str:
        """The key of a stored miss with these words; "" if there is none, or the database is unavailable."""
        phrase = normalize_phrase(clean(redact(clean(text))))
        of, key = storable(workspace, LONGEST_NAME), digest(phrase)
        read = partial(self._database.read, _find, of=of, name=key)
        return key if phrase and self._database.run_or_default(read, None, reads=True) is not None else ""

    def get(self, workspace: str, key: str) -> Miss | None:
        """The miss with this key; None if there is none, or the database is unavailable."""
        read = partial(self._database.read, _get, of=storable(workspace, LONGEST_NAME), name=key)
        row = self._database.run_or_default(read, None, reads=True)
        return Miss(**row._asdict()) if row is not None else None

    def clear_best(self, workspace: str, key: str) -> bool:
        """Empty the best guess of a stored miss, because it was rejected; the count stays. Whether that could be saved."""
        of = storable(workspace, LONGEST_NAME)
        return self._database.run_or_default(lambda: self._database.write(_clear_best, of=of, name=key), 0) == 1

    def all(self, workspace: str, limit: int = 300) -> tuple[Miss, ...]:
        """What was missed in a workspace, the most asked first; none while the database is unavailable."""
        read = partial(self._database.read_all, _all, of=workspace, most=limit)
        return tuple(Miss(**row._asdict()) for row in self._database.run_or_default(read, [], reads=True))

    def _upsert(self, row: dict[str, Any], now: float) -> str:
        key = str(row["key"])
        again = {"of": row["workspace"], "name": key, "guess": row["best"], "points": row["score"], "now": now}
        if self._database.write(_count_again, **again) == 0:
            try:
                self._database.write(_insert, **row, count=1, first=now, last=now)
            except IntegrityError:  # twice at once
                self._database.write(_count_again, **again)
        return key
