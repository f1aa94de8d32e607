"""The store: what outlives a process. Who answers what, where conversations stand, what helped, what was missed, and what
curators changed.

SQLite or PostgreSQL, by SQLAlchemy. While the database is gone, locked, full or read-only, answers go on: this process goes by
its own memory, logs that once, and tries again within seconds.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from bot.store import retention
from bot.store.changes import Changes
from bot.store.claims import CLAIM_LASTS, Claims
from bot.store.connections import BUSY_TIMEOUT, StoreError, database_url
from bot.store.conversations import CONTEXT_LASTS, Conversations
from bot.store.database import DAY, PROBE_EVERY, RETENTION_DAYS, RETRY_AFTER, Database
from bot.store.help_requests import AGAIN_AFTER, COUNTED_FOR, PAGE, POSTING_LASTS, TELLING_LASTS, HelpRequests
from bot.store.installations import PURGE_AFTER, STATE_LASTS, Installations, StoredInstallation
from bot.store.misses import Misses
from bot.store.pilots import PilotChannels
from bot.store.retention import MOST_MISSES, POSTS_GO_WITHIN, PURGE_EVERY, Forgotten
from bot.store.subscriptions import WAITING_LASTS, Subscriptions
from bot.store.tables import digest
from bot.store.tallies import Tallies
from bot.store.turns import TURN_LASTS, TURN_TIMEOUT, Turns
from bot.store.votes import Votes

__all__ = [
    "AGAIN_AFTER",
    "BUSY_TIMEOUT",
    "CLAIM_LASTS",
    "CONTEXT_LASTS",
    "COUNTED_FOR",
    "DAY",
    "MOST_MISSES",
    "PAGE",
    "POSTING_LASTS",
    "POSTS_GO_WITHIN",
    "PROBE_EVERY",
    "PURGE_AFTER",
    "PURGE_EVERY",
    "RETENTION_DAYS",
    "RETRY_AFTER",
    "STATE_LASTS",
    "TELLING_LASTS",
    "TURN_LASTS",
    "TURN_TIMEOUT",
    "WAITING_LASTS",
    "Changes",
    "Claims",
    "Conversations",
    "Database",
    "Forgotten",
    "HelpRequests",
    "Installations",
    "Misses",
    "PilotChannels",
    "Store",
    "StoreError",
    "StoredInstallation",
    "Subscriptions",
    "Tallies",
    "Turns",
    "Votes",
    "database_url",
]


def _no_ids(_: str) -> Sequence[str]:
    return ()


class Store:
    """The repositories over one database, for any number of threads and processes."""

    def __init__(
        self,
        url: str,
        clock: Callable[[], float] = time.time,
        retention_days: float = RETENTION_DAYS,
        *,
        hmac_id: Callable[[str], str] = digest,
        former_ids: Callable[[str], Sequence[str]] = _no_ids,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Opens nothing yet.

        Args:
            url: the database.
            clock: seconds since 1970.
            retention_days: how long misses, votes, tallies, help requests and undone changes are kept.
            hmac_id: makes the stored ids of conversations and of whom they are with; whoever has the database and not its
                secret can't make them.
            former_ids: makes the ids under which the same was stored with older secrets, so that a rotation loses nobody.
            monotonic: seconds of a clock that is never set back.

        Raises:
            StoreError: `url` is no database URL, or its driver is missing.
        """
        self._clock = clock
        self.retention_days = int(retention_days)
        self._retention = retention_days * DAY
        self._hmac_id = hmac_id
        self._former_ids = former_ids
        self.database = Database(url, monotonic)
        self.claims = Claims(self.database, clock)
        self.conversations = Conversations(self.database, clock, hmac_id, former_ids)
        self.turns = Turns(self.database, clock, hmac_id)
        self.votes = Votes(self.database, clock)
        self.installations = Installations(self.database, clock)
        self.help_requests = HelpRequests(self.database, clock, hmac_id, former_ids)
        self.misses = Misses(self.database, clock)
        self.changes = Changes(self.database, clock, monotonic)
        self.subscriptions = Subscriptions(self.database, clock)
        self.tallies = Tallies(self.database, clock)
        self.pilots = PilotChannels(self.database, clock, monotonic)

    def prepare(self) -> str:
        """Bring the tables to this release's form; what is wrong with the database, in a sentence, or ""."""
        return self.database.prepare()

    def probe(self, *, reads: bool = False) -> str:
        """What is wrong with the database, in a sentence; "" if it can be read and written, or only read with `reads`."""
        return self.database.probe(reads=reads)

    def close(self) -> None:
        """Close the connections."""
        self.database.close()

    def purge(self) -> None:
        """Delete what is older than its limit, and what is stored of workspaces that have removed the app."""
        now = self._clock()
        retention.purge(self.database, now, self._retention)
        retention.forget_departed(self.database, self.installations, now)
        self.conversations.purge()
        self.changes.drop_forgotten()

    def run_purge_loop(self, stop: threading.Event) -> None:
        """Purge now and once an hour, until `stop` is set; for a thread of its own."""
        self.purge()
        while not stop.wait(PURGE_EVERY):
            self.purge()

    def forget(self, workspace: str, user: str) -> int:
        """Delete what names a person or could be traced to them; how many things that were.

        Conversations, subscriptions and help requests go; of what they curated or settled only the name goes. Votes can't be
        traced to anybody. Of a help request it stays which post has to be deleted, until that is done.
        """
        remembered = self.conversations.forget(workspace, user)
        deleted = retention.forget(self.database, workspace, user, self._ids, self._clock())
        self.database.scrub()
        return remembered if deleted is None else deleted

    def forget_workspace(self, team: str) -> Forgotten:
        """Delete all of a workspace, or of an organisation with its workspaces: its tokens first. Raises StoreError.

        Where it had tokens, call it again when what was in hand is finished; else a purge does that after an hour.
        """
        try:
            return retention.forget_workspace(self.database, self.installations, team)
        finally:
            self.changes.drop_forgotten()

    def _ids(self, text: str) -> Sequence[str]:
        """Every id under which something may be stored."""
        return (self._hmac_id(text), *self._former_ids(text))
