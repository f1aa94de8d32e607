"""Help requests: questions that people have put to people, until their posts in the help channel are deleted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import count
from typing import Any

from sqlalchemy import and_, bindparam, delete, func, or_, select, tuple_, update
from sqlalchemy.exc import IntegrityError

from bot.model import HelpOutcome, HelpRequest
from bot.store.connections import StoreError
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
TELLING_LASTS = 3600.0
"""Seconds after which an asker whom a process began to tell counts as told: it may have been killed after that, and nobody is
told twice. Longer than Slack is tried in a thread and by direct message, 600 s each."""
PAGE = 500
"""Requests that are read at once."""

_insert = help_requests.insert()
_one = help_requests.c.id == bindparam("name")
_this_attempt = and_(_one, help_requests.c.at == bindparam("tried_at"))
_is_open = help_requests.c.outcome == ""
_is_kept = help_requests.c.forgotten_at == 0
_is_posted = help_requests.c.ts != ""
_find = select(help_requests).where(_one)
_find_all = select(help_requests).where(
    help_requests.c.id.in_([bindparam(f"name_{number}") for number in range(MAX_AGAIN)])
)
_find_post = select(help_requests).where(
    help_requests.c.workspace == bindparam("of"),
    help_requests.c.channel == bindparam("where"),
    help_requests.c.ts == bindparam("message"),
    _is_posted,
    _is_kept,
)
_find_ended = select(help_requests).where(
    help_requests.c.workspace == bindparam("of"), help_requests.c.answer == bindparam("ref"), _is_posted, _is_kept
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
_this_end = and_(_one, help_requests.c.settled_at == bindparam("ended_at"), _is_kept)
_is_untold = and_(help_requests.c.told_at == 0, ~_is_open)
_give_up_telling = (
    update(help_requests)
    .where(_this_end, _is_untold, help_requests.c.telling_at > 0, help_requests.c.telling_at <= bindparam("before"))
    .values(told_at=bindparam("now"))
)
_begin_telling = (
    update(help_requests)
    .where(_this_end, _is_untold, help_requests.c.telling_at == 0)
    .values(telling_at=bindparam("now"))
)
_stop_telling = update(help_requests).where(_this_end).values(telling_at=0.0)
_set_told = update(help_requests).where(_this_end).values(told_at=bindparam("now"))
_set_shown = update(help_requests).where(_this_end).values(shown_at=bindparam("now"))
_delete = delete(help_requests).where(_one, ~_is_kept, help_requests.c.ts == bindparam("message"))
_delete_attempt = delete(help_requests).where(_this_attempt, ~_is_posted)
_in_order = (help_requests.c.at, help_requests.c.id)
_after = tuple_(*_in_order) > tuple_(bindparam("after"), bindparam("name"))
_unfinished = (
    select(help_requests)
    .where(_is_posted, _is_kept, ~_is_open, or_(_is_untold, help_requests.c.shown_at == 0), _after)
    .order_by(*_in_order)
    .limit(PAGE)
)
_forgotten = select(help_requests).where(_is_posted, ~_is_kept, _after).order_by(*_in_order).limit(PAGE)
_forgotten_of = _forgotten.where(help_requests.c.workspace == bindparam("of"))
_open = select(help_requests).where(_is_posted, _is_kept, _is_open, _after).order_by(*_in_order).limit(PAGE)
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
        """The request of a post; None if it is no post of ours. Raises StoreError."""
        values = {"of": workspace, "where": channel, "message": ts}
        row = self._database.run_or_raise(partial(self._database.read, _find_post, **values))
        return HelpRequest(**row._asdict()) if row is not None else None

    def ended_with(self, workspace: str, answer: str) -> tuple[HelpRequest, ...]:
        """The requests of a workspace that ended with an answer; an empty tuple while the database is unavailable."""
        read = partial(self._database.read_all, _find_ended, of=workspace, ref=answer)
        return tuple(HelpRequest(**row._asdict()) for row in self._database.run_or_default(read, [], reads=True))

    def settle(self, request_id: str, outcome: HelpOutcome, by: str, *, answer: str = "", link: str = "") -> bool:
        """End a request.

        Returns:
            Whether this call has ended it: false if it was ended before, or is forgotten.

        Raises:
            StoreError: the database is unavailable.
        """
        values = {"outcome": outcome, "answer": answer[:LONGEST_SUBJECT], "link": storable(link), "by": by}
        new = {f"new_{name}": value for name, value in (values | {"settled_at": self._clock()}).items()}
        attempts = count()

        def write() -> bool:
            is_retry = next(attempts) > 0  # then the connection may have broken after it was written
            if self._database.write(_settle, name=request_id, **new) == 1:
                return True
            row = self._database.read(_find, name=request_id) if is_retry else None
            return row is not None and (row.by, row.settled_at) == (by, new["new_settled_at"])

        return self._database.run_or_raise(write)

    def begin_telling(self, request: HelpRequest) -> bool:
        """Whether the caller is to tell the asker: true for one of all processes, until it stops. Where one began TELLING_LASTS
        ago and hasn't ended, the asker counts as told. False while the database is unavailable."""
        now, values = self._clock(), {"name": request.id, "ended_at": request.settled_at}
        attempts = count()

        def write() -> bool:
            is_retry = next(attempts) > 0  # as in `settle`
            self._database.write(_give_up_telling, before=now - TELLING_LASTS, now=now, **values)
            if self._database.write(_begin_telling, now=now, **values) == 1:
                return True
            row = self._database.read(_find, name=request.id) if is_retry else None
            return row is not None and (row.telling_at, row.told_at, row.settled_at) == (now, 0, request.settled_at)

        return self._database.run_or_default(write, False)

    def end_telling(self, request: HelpRequest, *, is_told: bool) -> None:
        """Save that the asker was told, or that somebody else may do it."""
        values = {"name": request.id, "ended_at": request.settled_at}
        statement = partial(self._database.write, _stop_telling, **values)
        if is_told:
            statement = partial(self._database.write, _set_told, now=self._clock(), **values)
        self._database.run_or_default(statement, 0)

    def set_shown(self, request: HelpRequest) -> None:
        """Save that the post shows how the request ended."""
        values = {"name": request.id, "ended_at": request.settled_at, "now": self._clock()}
        self._database.run_or_default(partial(self._database.write, _set_shown, **values), 0)

    def remove(self, request: HelpRequest) -> None:
        """Delete what is left of a forgotten request whose post is gone."""
        values = {"name": request.id, "message": request.ts}
        self._database.run_or_default(partial(self._database.write, _delete, **values), 0)

    def remove_attempt(self, request: HelpRequest) -> None:
        """Delete a request that wasn't posted, unless another attempt has taken its place."""
        values = {"name": request.id, "tried_at": request.at}
        self._database.run_or_default(partial(self._database.write, _delete_attempt, **values), 0)

    def unfinished_page(self, after: HelpRequest | None) -> tuple[HelpRequest, ...]:
        """The next PAGE requests that have ended and whose asker isn't told or whose post doesn't show it, in their order, after
        one of them; an empty tuple while the database is unavailable."""
        return self._page(_unfinished, after)

    def forgotten_page(self, after: HelpRequest | None, workspace: str = "") -> tuple[HelpRequest, ...]:
        """The same of forgotten requests, whose posts have to be deleted; with `workspace`, of that one."""
        return self._page(_forgotten_of, after, of=workspace) if workspace else self._page(_forgotten, after)

    def open_page(self, after: HelpRequest | None) -> tuple[HelpRequest, ...]:
        """The same of open requests."""
        return self._page(_open, after)

    def since(self, workspace: str, since: float) -> tuple[tuple[float, HelpOutcome, float], ...]:
        """When each request of a workspace was posted, how it ended and when; empty while the database is unavailable."""
        read = partial(self._database.read_all, _since, of=workspace, since=since)
        rows = self._database.run_or_default(read, [], reads=True)
        return tuple((row.at, row.outcome, row.settled_at) for row in rows)

    def _page(self, statement: Any, after: HelpRequest | None, **values: str) -> tuple[HelpRequest, ...]:
        at, name = (after.at, after.id) if after is not None else (-1.0, "")
        read = partial(self._database.read_all, statement, after=at, name=name, **values)
        return tuple(HelpRequest(**row._asdict()) for row in self._database.run_or_default(read, [], reads=True))

    def _add(self, request: HelpRequest, phrase: str) -> tuple[HelpRequest, bool]:
        names = [f"{request.workspace}:help:{request.asker}:{phrase}:{number}" for number in range(MAX_AGAIN)]
        ids = [self._hmac_id(name) for name in names]
        known: dict[str, HelpRequest] = {}
        for group in (ids, *zip(*map(self._former_ids, names), strict=True)):  # by each key
            rows = self._database.read_all(_find_all, **{f"name_{number}": each for number, each in enumerate(group)})
            known |= {row.id: HelpRequest(**row._asdict()) for row in rows}
        for earlier in known.values():
            if _stands(earlier, request.at) and not _is_same_attempt(earlier, request.at):
                return earlier, False
        for request_id in ids:
            is_left = request_id in known and not (known[request_id].ts or known[request_id].forgotten_at)
            if request_id not in known or is_left:
                saved = replace(request, id=request_id)
                found = self._insert_or_find(saved)
                if found is None:
                    return saved, True
                if _stands(found, request.at):  # another process was quicker
                    return found, False
        raise StoreError("This question was put too often. Put it in other words.")

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
        if found is None or _is_same_attempt(found, request.at):
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


def _is_same_attempt(found: HelpRequest, at: float) -> bool:
    """Whether a row is what the attempt of that time has written itself, before the connection broke."""
    return (found.ts, found.at) == ("", at)


def _stands(request: HelpRequest, now: float) -> bool:
    """Whether a request keeps the same person from putting the same words again."""
    if request.forgotten_at:
        return False
    if request.outcome:
        return request.settled_at > now - AGAIN_AFTER
    return bool(request.ts) or request.at > now - POSTING_LASTS
