"""Votes: what helped and what didn't, by people who can't be identified."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.exc import IntegrityError

from bot.model import Complaint
from bot.store.database import DAY, Database
from bot.store.tables import LONGEST_NAME, LONGEST_SUBJECT, digest, storable, votes

_CHANGED = ("subject", "vote", "reason", "at", "workspace", "channel")

_insert = votes.insert()
_change = (
    update(votes)
    .where(votes.c.answer == bindparam("of"), votes.c.voter == bindparam("voted_by"))
    .values({column: bindparam(f"new_{column}") for column in _CHANGED})
)
_complaints = (
    select(votes.c.subject, votes.c.reason, func.count().label("votes"), func.max(votes.c.at).label("last"))
    .where(votes.c.workspace == bindparam("at_workspace"), votes.c.at > bindparam("since"), votes.c.vote == "bad")
    .group_by(votes.c.subject, votes.c.reason)
    .order_by(func.count().desc(), func.max(votes.c.at).desc(), votes.c.subject, votes.c.reason)
)


class Votes:
    """What people thought of answers."""

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock

    def add(
        self,
        answer: str,
        voter: str,
        answer_ref: str,
        vote: str,
        reason: str,
        workspace: str = "",
        channel: str = "",
        former_voters: Sequence[str] = (),
    ) -> bool:
        """Count a vote; of one voter and answer the last one stands.

        Args:
            answer: the answer's key; stored as its SHA-256.
            voter: an opaque key of the person; stored as its SHA-256.
            answer_ref: what the answer was about, by ids.
            vote: `good` or `bad`.
            reason: a word for it, or "".
            workspace: where it was asked.
            channel: likewise.
            former_voters: keys of the same person with older secrets.

        Returns:
            False if it couldn't be saved.
        """
        row: dict[str, Any] = {
            "subject": storable(answer_ref, LONGEST_SUBJECT),
            "vote": storable(vote, 10),
            "reason": storable(reason, 20),
            "at": self._clock(),
            "workspace": storable(workspace, LONGEST_NAME),
            "channel": storable(channel, LONGEST_NAME),
        }
        voters = [digest(each) for each in (voter, *former_voters)]
        return self._database.run_or_default(lambda: self._upsert(digest(answer), voters, row), False)

    def complaints(self, workspace: str, days: int = 30) -> tuple[Complaint, ...]:
        """The bad votes of the last `days`, summed by answer and reason, the most first; none while it is unavailable."""
        read = partial(self._database.read_all, _complaints, at_workspace=workspace, since=self._clock() - days * DAY)
        found = self._database.run_or_default(read, [], reads=True)
        return tuple(Complaint(row.subject, row.reason, row.votes, row.last) for row in found)

    def _upsert(self, answer: str, voters: Sequence[str], row: dict[str, Any]) -> bool:
        changed = {f"new_{column}": value for column, value in row.items()}
        if not any(self._database.write(_change, of=answer, voted_by=voter, **changed) for voter in voters):
            try:
                self._database.write(_insert, answer=answer, voter=voters[0], **row)
            except IntegrityError:  # the same person, twice at once
                self._database.write(_change, of=answer, voted_by=voters[0], **changed)
        return True
