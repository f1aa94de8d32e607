"""Help requests: questions that people have put to people, until their posts in the help channel are deleted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from sqlalchemy import and_, bindparam, delete, func, or_, select, tuple_, update
from sqlalchemy.exc import IntegrityError

from bot.model import HelpOutcome, HelpRequest
from bot.store.database import DAY, Database
from bot.store.tables import LONGEST_NAME, LONGEST_SUBJECT, help_requests, storable

POSTING_LASTS = 60.0
"""Seconds after which a request that Slack hasn't taken counts as given up, because its process may have died: the same person
can put the same question again. No attempt to post it may last as long."""
AGAIN_AFTER = float(DAY)
"""Seconds after a request has ended from which the same person can put the same question again: before that it was answered, and
somebody who presses by mistake ends it for good otherwise."""
COUNTED_FOR = 7.0 * DAY
"""Seconds for which an open request counts against its asker's limit; a question that nobody answers is not to block others."""
MAX_AGAIN = 20
"""Times that the same person can put the same question."""
PAGE = 500
"""Requests that are read at once."""

_insert = help_requests.insert()
_one = help_requests.c.id == bindparam("name")
_this_attempt = and_(_one, help_requests.c.at == bindparam("tried_at"))
_is_open = help_requests.c.outcome == ""
_is_kept = help_requests.c.forgotten_at == 0
_is_posted = help_requests.c.ts != ""
_find = select(help_requests).where(_one)
_find_post = select(help_requests).where(
    help_requests.c.workspace == bindparam("of"),
    help_requests.c.channel == bindparam("where"),
    help_requests.c.ts == bindparam("message"),
    _is_posted,
    _is_kept,
)
_RETRIED = ("at", "text", "channel", "origin_channel", "origin_thread", "answer_ref")
_take_over = (
    update(help_requests)
    .where(_one, _is_open, _is_kept, ~_is_posted, help_requests.c.at <= bindparam("before"))
    .values({name: bindparam(f"new_{name}") for name in _RETRIED})
)
_count_open = select(func.count().label("number")).where(
    help_requests.c.workspace == bindparam("of"),
    help_requests.c.asker == bindparam("who"),
    _is_open,
    help_requests.c.at > bindparam("since"),
    or_(_is_posted, help_requests.c.at > bindparam("posting_since")),
)
_set_post = update(help_requests).where(_this_attempt).values(ts=bindparam("message"))
_note_post = update(help_requests).where(_one, ~_is_posted).values(ts=bindparam("message"))
_settle = (
    update(help_requests)
    .where(_one, _is_open, _is_kept)
    .values({name: bindparam(f"new_{name}") for name in ("outcome", "answer", "link", "by", "settled_at")})
)
_set_told = update(help_requests).where(_one).values(told_at=bindparam("now"))
_delete = delete(help_requests).where(_one)
_delete_attempt = delete(help_requests).where(_this_attempt, ~_is_posted)
_in_order = (help_requests.c.at, help_requests.c.id)
_unfinished = (
    select(help_requests)
    .where(_is_posted, or_(~_is_kept, and_(~_is_open, help_requests.c.told_at == 0)))
    .order_by(*_in_order)
    .limit(PAGE)
)
_open = (
    select(help_requests)
    .where(_is_posted, _is_kept, _is_open, tuple_(*_in_order) > tuple_(bindparam("after"), bindparam("name")))
    .order_by(*_in_order)
    .limit(PAGE)
)
_since = select(help_requests.c.at, help_requests.c.outcome, help_requests.c.settled_at).where(
    help_requests.c.workspace == bindparam("of"), help_requests.c.at > bindparam("since"), _is_posted
)


class HelpRequests:
    """Questions that were put to people."""

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

    def add(self, request: HelpRequest, phrase: str) -> tuple[HelpRequest, bool]:
        """Save a request before it is posted, under an id made of its workspace, its asker and its words.

        Args:
            request: without an id. Its `at` tells this attempt from others.
            phrase: its normalized words.

        Returns:
            The request with its id, and true: it is to be posted. Or the one that the same person has put with the same words.

        Raises:
            StoreError: the database is unavailable, and nothing was saved.
        """
        return self._database.run_or_raise(partial(self._add, request, phrase))

    def count_open(self, workspace: str, asker: str) -> int:
        """How many requests of a person are open and count; 0 while the database is unavailable."""
        now = self._clock()
        values = {"of": workspace, "who": asker, "since": now - COUNTED_FOR, "posting_since": now - POSTING_LASTS}
        found = self._database.run_or_default(partial(self._database.read, _count_open, **values), None, reads=True)
        return int(found.number) if found is not None else 0

    def set_post(self, request: HelpRequest, ts: str) -> bool:
        """Save which message this attempt's post is; false if another attempt has taken its place. Raises StoreError."""
        values = {"name": request.id, "tried_at": request.at, "message": storable(ts, 40)}
        return self._database.run_or_raise(partial(self._database.write, _set_post, **values)) == 1

    def note_post(self, request_id: str, ts: str) -> None:
        """Save which message the post is, of which Slack gave no word, as a press of its button tells."""
        values = {"name": request_id, "message": storable(ts, 40)}
        self._database.run_or_default(partial(self._database.write, _note_post, **values), 0)

    def find(self, request_id: str) -> HelpRequest | None:
        """A request, also one that is forgotten; None if there is none. Raises StoreError."""
        row = self._database.run_or_raise(partial(self._database.read, _find, name=request_id))
        return HelpRequest(**row._asdict()) if row is not None else None

    def find_by_post(self, workspace: str, channel: str, ts: str) -> HelpRequest | None:
        """The request of a post; None if it is no post of ours, or the database is unavailable."""
        values = {"of": workspace, "where": channel, "message": ts}
        row = self._database.run_or_default(partial(self._database.read, _find_post, **values), None, reads=True)
        return HelpRequest(**row._asdict()) if row is not None else None

    def settle(self, request_id: str, outcome: HelpOutcome, by: str, *, answer: str = "", link: str = "") -> bool:
        """End a request.

        Returns:
            Whether this call has ended it: false if it was ended before, or is forgotten.

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

    def remove_attempt(self, request: HelpRequest) -> None:
        """Delete a request that wasn't posted, unless another attempt has taken its place."""
        values = {"name": request.id, "tried_at": request.at}
        self._database.run_or_default(partial(self._database.write, _delete_attempt, **values), 0)

    def unfinished(self) -> tuple[HelpRequest, ...]:
        """The first PAGE requests whose asker has to be told or whose post has to be deleted, the oldest first; an empty tuple
        while the database is unavailable."""
        return self._page(partial(self._database.read_all, _unfinished))

    def open_page(self, after: HelpRequest | None) -> tuple[HelpRequest, ...]:
        """The next PAGE open requests in their order, after one of them; an empty tuple while the database is unavailable."""
        at, name = (after.at, after.id) if after is not None else (-1.0, "")
        return self._page(partial(self._database.read_all, _open, after=at, name=name))

    def since(self, workspace: str, since: float) -> tuple[tuple[float, HelpOutcome, float], ...]:
        """When each request of a workspace was posted, how it ended and when; empty while the database is unavailable."""
        read = partial(self._database.read_all, _since, of=workspace, since=since)
        rows = self._database.run_or_default(read, [], reads=True)
        return tuple((row.at, row.outcome, row.settled_at) for row in rows)

    def _page(self, read: Callable[[], Sequence[Any]]) -> tuple[HelpRequest, ...]:
        return tuple(HelpRequest(**row._asdict()) for row in self._database.run_or_default(read, [], reads=True))

    def _add(self, request: HelpRequest, phrase: str) -> tuple[HelpRequest, bool]:
        name = f"{request.workspace}:help:{request.asker}:{phrase}"
        for former in self._former_ids(f"{name}:0"):
            found = self._database.read(_find, name=former)
            if found is not None and not found.outcome and not found.forgotten_at:
                return HelpRequest(**found._asdict()), False
        for number in range(MAX_AGAIN):
            request = replace(request, id=self._hmac_id(f"{name}:{number}"))
            found = self._insert_or_find(request)
            if found is None:
                return request, True
            may_ask_again = found.outcome and found.settled_at <= request.at - AGAIN_AFTER
            if not found.forgotten_at and not may_ask_again:
                break
        return found, False

    def _insert_or_find(self, request: HelpRequest) -> HelpRequest | None:
        """Save a request, or take over what a process that died has left; None if that was done, else the one in its place."""
        row = _row(request)
        for _ in range(2):
            try:
                self._database.write(_insert, **row)
                return None
            except IntegrityError:
                found = self._database.read(_find, name=row["id"])
            if found is not None:  # else it was removed in between
                break
        if found is None or (found.ts, found.at) == ("", row["at"]):  # ours: the connection broke after it was written
            return None
        new = {f"new_{name}": row[name] for name in _RETRIED}
        if self._database.write(_take_over, name=row["id"], before=row["at"] - POSTING_LASTS, **new) == 1:
            return None
        return HelpRequest(**found._asdict())


def _row(request: HelpRequest) -> dict[str, Any]:
    row = {name: getattr(request, name) for name in HelpRequest.__slots__}
    names = ("workspace", "asker", "channel", "origin_channel")
    short = {name: storable(row[name], LONGEST_NAME) for name in names}
    return row | short | {"text": storable(request.text), "answer_ref": storable(request.answer_ref, LONGEST_SUBJECT)}
