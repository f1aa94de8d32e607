"""Votes: what helped and what didn't, by people who can't be told apart."""

from __future__ import annotations

from typing import Any

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.exc import IntegrityError

from bot.model import Complaint
from bot.store.database import DAY, Database
from bot.store.keys import digest, plain
from bot.store.tables import LONGEST_NAME, LONGEST_SUBJECT, votes

_COUNTED = ("subject", "vote", "reason", "at", "workspace", "channel")

_insert = votes.insert()
_change = (
    update(votes)
    .where(votes.c.answer == bindparam("of"), votes.c.voter == bindparam("voted_by"))
    .values({column: bindparam(f"new_{column}") for column in _COUNTED})
)
_complaints = (
    select(votes.c.subject, votes.c.reason, func.count().label("votes"), func.max(votes.c.at).label("last"))
    .where(votes.c.workspace == bindparam("at_workspace"), votes.c.at > bindparam("since"), votes.c.vote == "bad")
    .group_by(votes.c.subject, votes.c.reason)
    .order_by(func.count().desc(), func.max(votes.c.at).desc(), votes.c.subject, votes.c.reason)
)


class Votes(Database):
    """What people thought of answers."""

    def vote(
        self, answer: str, voter: str, subject: str, vote: str, reason: str, workspace: str = "", channel: str = ""
    ) -> bool:
        """Count a vote; of one voter and answer the last one stays. False if it couldn't be written down.

        `answer` and `voter` are opaque; `subject` is what the answer was about, by ids.
        """
        row: dict[str, Any] = {
            "subject": plain(subject, LONGEST_SUBJECT),
            "vote": plain(vote, 10),
            "reason": plain(reason, 20),
            "at": self._clock(),
            "workspace": plain(workspace, LONGEST_NAME),
            "channel": plain(channel, LONGEST_NAME),
        }
        return self._try(lambda: self._upsert_vote(digest(answer), digest(voter), row), False)

    def complaints(self, workspace: str, days: int = 30) -> tuple[Complaint, ...]:
        """The bad votes of the last days, summed by answer and reason, the most first; nothing while the database is away."""
        since = self._clock() - days * DAY
        found = self._try(lambda: self._read_all(_complaints, at_workspace=workspace, since=since), [], reads=True)
        return tuple(Complaint(row.subject, row.reason, row.votes, row.last) for row in found)

    def _upsert_vote(self, answer: str, voter: str, row: dict[str, Any]) -> bool:
        changed = {f"new_{column}": value for column, value in row.items()}
        if self._write(_change, of=answer, voted_by=voter, **changed) == 0:
            try:
                self._write(_insert, answer=answer, voter=voter, **row)
            except IntegrityError:  # the same person, twice at once
                self._write(_change, of=answer, voted_by=voter, **changed)
        return True
