"""Help requests: questions that people have put to people, until their posts in the help channel are deleted."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from sqlalchemy import and_, bindparam, delete, func, or_, select, update
from sqlalchemy.exc import IntegrityError

from bot.model import HelpOutcome, HelpRequest
from bot.store.database import Database
from bot.store.tables import LONGEST_NAME, LONGEST_SUBJECT, help_requests, storable

POSTING_LASTS = 60.0
"""Seconds after which a request that Slack hasn't taken counts as given up, because its process may have died: the same person
can put the same question again."""
MAX_PENDING = 500
"""Requests that are looked at in one round."""

_insert = help_requests.insert()
_one = help_requests.c.id == bindparam("name")
_is_open = help_requests.c.outcome == ""
_is_forgotten = help_requests.c.asker == ""
_find = select(help_requests).where(_one)
_find_post = select(help_requests).where(
    help_requests.c.workspace == bindparam("of"),
    help_requests.c.channel == bindparam("where"),
    help_requests.c.ts == bindparam("message"),
    ~_is_forgotten,
)
_take_over = (
    update(help_requests)
    .where(_one, help_requests.c.ts == "", help_requests.c.at <= bindparam("before"))
    .values(at=bindparam("now"), channel=bindparam("where"), text=bindparam("words"))
)
_count_open = select(func.count().label("number")).where(
    help_requests.c.workspace == bindparam("of"), help_requests.c.asker == bindparam("who"), _is_open
)
_set_post = update(help_requests).where(_one, ~_is_forgotten).values(ts=bindparam("message"))
_settle = (
    update(help_requests)
    .where(_one, _is_open, ~_is_forgotten)
    .values({name: bindparam(f"new_{name}") for name in ("outcome", "answer", "link", "by", "settled_at")})
)
_set_told = update(help_requests).where(_one).values(told_at=bindparam("now"))
_delete = delete(help_requests).where(_one)
_pending = (
    select(help_requests)
    .where(help_requests.c.ts != "", or_(_is_forgotten, help_requests.c.told_at == 0))
    .order_by(and_(_is_open, ~_is_forgotten), help_requests.c.at, help_requests.c.id)
    .limit(bindparam("most"))
)
_since = select(help_requests.c.at, help_requests.c.outcome, help_requests.c.settled_at).where(
    help_requests.c.workspace == bindparam("of"), help_requests.c.at > bindparam("since"), help_requests.c.ts != ""
)


class HelpRequests:
    """Questions that were put to people."""

    def __init__(self, database: Database, clock: Callable[[], float], hmac_id: Callable[[str], str]) -> None:
        self._database = database
        self._clock = clock
        self._hmac_id = hmac_id

    def id_of(self, workspace: str, asker: str, phrase: str) -> str:
        """The id of a request: of the same person with the same words, the same."""
        return self._hmac_id(f"{workspace}:help:{asker}:{phrase}")

    def add(self, request: HelpRequest) -> HelpRequest | None:
        """Save a request before it is posted.

        Returns:
            None if it is to be posted; else the one that the same person has put with the same words.

        Raises:
            StoreError: the database is unavailable, and nothing was saved.
        """
        return self._database.run_or_raise(partial(self._add, _row(request)))

    def count_open(self, workspace: str, asker: str) -> int:
        """How many requests of a person are open; 0 while the database is unavailable."""
        read = partial(self._database.read, _count_open, of=workspace, who=asker)
        found = self._database.run_or_default(read, None, reads=True)
        return int(found.number) if found is not None else 0

    def set_post(self, request_id: str, ts: str) -> bool:
        """Save which message its post is; false if the request is gone or forgotten, so that the post has to be deleted."""
        write = partial(self._database.write, _set_post, name=request_id, message=storable(ts, 40))
        return self._database.run_or_default(write, 1) == 1

    def find(self, request_id: str) -> HelpRequest | None:
        """A request that isn't forgotten; None if there is none, or the database is unavailable."""
        found = self._read(_find, name=request_id)
        return found if found is not None and found.asker else None

    def find_by_post(self, workspace: str, channel: str, ts: str) -> HelpRequest | None:
        """The request of a post; None if it is no post of ours, or the database is unavailable."""
        return self._read(_find_post, of=workspace, where=channel, message=ts)

    def settle(self, request_id: str, outcome: HelpOutcome, by: str, *, answer: str = "", link: str = "") -> bool:
        """End a request.

        Returns:
            Whether this call has ended it: false if it was ended before.

        Raises:
            StoreError: the database is unavailable.
        """
        values = {"outcome": outcome, "answer": answer[:LONGEST_SUBJECT], "link": storable(link), "by": by}
        new = {f"new_{name}": value for name, value in (values | {"settled_at": self._clock()}).items()}

        def write() -> bool:
            if self._database.write(_settle, name=request_id, **new) == 1:
                return True
            row = self._database.read(_find, name=request_id)  # ours, if the connection broke after it was written
            return row is not None and (row.by, row.settled_at) == (by, new["new_settled_at"])

        return self._database.run_or_raise(write)

    def set_told(self, request_id: str) -> bool:
        """Save that the asker was told; false while the database is unavailable."""
        write = partial(self._database.write, _set_told, name=request_id, now=self._clock())
        return self._database.run_or_default(write, None) is not None

    def remove(self, request_id: str) -> bool:
        """Delete a request; false while the database is unavailable."""
        write = partial(self._database.write, _delete, name=request_id)
        return self._database.run_or_default(write, None) is not None

    def pending(self) -> tuple[HelpRequest, ...]:
        """The requests whose asker has to be told or whose post has to be deleted (no `asker`), and after them the open ones; the
        oldest first. None while the database is unavailable."""
        read = partial(self._database.read_all, _pending, most=MAX_PENDING)
        return tuple(HelpRequest(**row._asdict()) for row in self._database.run_or_default(read, [], reads=True))

    def since(self, workspace: str, since: float) -> tuple[tuple[float, HelpOutcome, float], ...]:
        """When each request of a workspace was posted, how it ended and when; none while the database is unavailable."""
        read = partial(self._database.read_all, _since, of=workspace, since=since)
        rows = self._database.run_or_default(read, [], reads=True)
        return tuple((row.at, row.outcome, row.settled_at) for row in rows)

    def _read(self, statement: Any, **values: str) -> HelpRequest | None:
        row = self._database.run_or_default(partial(self._database.read, statement, **values), None, reads=True)
        return HelpRequest(**row._asdict()) if row is not None else None

    def _add(self, row: dict[str, Any]) -> HelpRequest | None:
        try:
            self._database.write(_insert, **row)
            return None
        except IntegrityError:
            found = self._database.read(_find, name=row["id"])
        if found is not None and (found.ts, found.at) == (
            "",
            row["at"],
        ):  # ours: the connection broke after it was written
            return None
        before = row["at"] - POSTING_LASTS
        values = {"name": row["id"], "where": row["channel"], "words": row["text"]}
        if found is None or self._database.write(_take_over, before=before, now=row["at"], **values) == 1:
            return None
        return HelpRequest(**found._asdict())


def _row(request: HelpRequest) -> dict[str, Any]:
    row = {name: getattr(request, name) for name in HelpRequest.__slots__}
    names = ("workspace", "asker", "channel", "origin_channel")
    short = {name: storable(row[name], LONGEST_NAME) for name in names}
    return row | short | {"text": storable(request.text), "answer_ref": storable(request.answer_ref, LONGEST_SUBJECT)}
