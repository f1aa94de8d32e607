"""The store: what outlives a process. Who answers what, where conversations stand, what helped, what was missed, and what
curators changed.

SQLite or PostgreSQL, by SQLAlchemy. A database that is gone, locked, full or read-only stops no answer: this process then goes
by its own memory, says so once, and tries again a few seconds later.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from bot.store.claims import CLAIM_LASTS
from bot.store.conversations import CONTEXT_LASTS
from bot.store.database import DAY, REST, RETENTION_DAYS
from bot.store.engine import BUSY, StoreError, database_url
from bot.store.keys import digest
from bot.store.misses import Misses
from bot.store.retention import PURGE_EVERY, Retention
from bot.store.tallies import Tallies
from bot.store.trials import Trials
from bot.store.votes import Votes
from bot.store.waiting import WAITING_LASTS, Waits

__all__ = [
    "BUSY",
    "CLAIM_LASTS",
    "CONTEXT_LASTS",
    "DAY",
    "PURGE_EVERY",
    "REST",
    "RETENTION_DAYS",
    "WAITING_LASTS",
    "Store",
    "StoreError",
    "database_url",
]


class Store(Retention, Misses, Tallies, Trials, Votes, Waits):
    """All of it over one database, for any number of threads and processes.

    `seal` makes the names of conversations and of whom they are with; who has only the database can't make them again, if
    it takes a secret to.
    """

    def __init__(
        self,
        url: str,
        clock: Callable[[], float] = time.time,
        retention_days: float = RETENTION_DAYS,
        *,
        seal: Callable[[str], str] = digest,
    ) -> None:
        super().__init__(url, clock, retention_days)
        self._seal = seal
