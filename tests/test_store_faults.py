"""The store's faults of November 2026, each as a kind: state after an error, keys of misses, a lost file, and rests."""

from __future__ import annotations

import shutil
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from bot.model import ConversationState
from bot.store import PROBE_EVERY, RETRY_AFTER, Database, Store, StoreError, connections, database
from support.stores import Clock, edit, rest, rows

# --- an unforeseen error leaves neither locks nor half a state


class Unforeseen(Exception):  # noqa: N818  not one of the database's
    pass


def failing_once(monkeypatch: pytest.MonkeyPatch, owner: type, method: str, *, after: bool) -> None:
    """The next call of a method raises, before it does its work or after."""
    original, left = getattr(owner, method), ["once"]

    def broken(self: Any, *args: Any, **values: Any) -> Any:
        result = original(self, *args, **values) if after or not left else None
        if left:
            left.clear()
            raise Unforeseen
        return result

    monkeypatch.setattr(owner, method, broken)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(
    ("owner", "method"), [(Database, "write"), (connections.Connection, "write"), (Database, "_prepare")]
)
def test_an_error_while_a_claim_is_taken_leaves_it_free(
    store: Store, monkeypatch: pytest.MonkeyPatch, owner: type, method: str, after: bool
) -> None:
    assert store.prepare() == ""
    for number in range(3):
        failing_once(monkeypatch, owner, method, after=after)
        with pytest.raises(Unforeseen):
            store.claims.claim(f"k{number}", "a")
        monkeypatch.undo()
    with ThreadPoolExecutor(4) as threads:
        again = list(
            threads.map(lambda n: store.claims.claim(f"k{n}", "b") and store.claims.start(f"k{n}", "b"), range(3))
        )
    assert all(again)
    assert not any(store.claims.start(f"k{number}", "a") for number in range(3))


@pytest.mark.parametrize("work", ["start", "release", "save", "undo"])
def test_an_error_in_any_other_work_leaves_the_store_usable(
    store: Store, monkeypatch: pytest.MonkeyPatch, work: str
) -> None:
    store.claims.claim("k", "a")
    store.changes.save([edit("before", batch="b")])
    works: dict[str, Callable[[], Any]] = {
        "start": lambda: store.claims.start("k", "a"),
        "release": lambda: store.claims.release("k", "a"),
        "save": lambda: store.changes.save([edit("one"), edit("two")]),
        "undo": lambda: store.changes.undo("T1", "b"),
    }
    failing_once(monkeypatch, connections.Connection, "write", after=True)
    with pytest.raises(Unforeseen):
        works[work]()
    monkeypatch.undo()
    assert [change.text for change in store.changes.active("T1")] == ["before"]
    assert store.changes.revision("T1") == 1
    assert store.changes.save([edit("one")]) is None
    assert store.changes.undo("T1", "b")
    assert store.claims.claim_once("another")


# --- the key of a miss is asked of the database


def test_a_miss_is_found_by_another_process_and_not_counted_again(store: Store, database: str, clock: Clock) -> None:
    key = store.misses.add("T1", "How do I use Poetry, ann@example.org?", "pip", 0.3)
    other = Store(database, clock)
    assert other.misses.find("T1", "how do i use poetry bob@example.org") == key
    assert [
        other.misses.find(*asked) for asked in (("T2", "how do i use poetry"), ("T1", "what is uv"), ("T1", "?!"))
    ] == [*("", "", "")]
    assert other.misses.clear_best("T1", key)
    (found,) = store.misses.all("T1")
    assert (found.count, found.best, found.score, found.last) == (1, "", 0.0, clock.now)
    assert [other.misses.clear_best("T1", "nothing"), other.misses.clear_best("T2", key)] == [False, False]
    rest(other)
    assert (other.misses.find("T1", "how do i use poetry"), other.misses.clear_best("T1", key)) == ("", False)
    other.close()


# --- a SQLite file that is deleted or replaced while it is open


LOST = "the file was deleted or replaced while it was open"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "s.db"


@pytest.fixture
def opened(path: Path, clock: Clock) -> Any:
    """A store on a file, with an edit, a miss and a batch to undo."""
    made = Store(f"sqlite:///{path}", clock, monotonic=clock)
    assert made.changes.save([edit("before", batch="b")]) is None
    assert made.misses.add("T1", "who is this", "", 0.1)
    yield made
    made.close()


def deleted(path: Path) -> None:
    path.unlink()


def deleted_with_its_folder(path: Path) -> None:
    shutil.rmtree(path.parent)


def replaced(path: Path) -> None:
    """By an older copy, as of a backup."""
    older = Store(f"sqlite:///{path.parent.parent}/older.db")
    assert older.prepare() == ""
    older.close()
    (path.parent.parent / "older.db").replace(path)


LOSSES = [deleted, deleted_with_its_folder, replaced]


@pytest.mark.parametrize("lose", LOSSES)
def test_an_edit_after_the_file_was_lost_is_really_saved(
    opened: Store, path: Path, lose: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    assert opened.database.loss == ""
    lose(path)
    assert LOST in opened.probe()
    assert LOST in opened.probe(reads=True)
    edits: dict[str, Callable[[], Any]] = {
        "select text from askpy_changes": lambda: opened.changes.save([edit("after")]) is None,
        "select vote from askpy_votes": lambda: opened.votes.add("a", "v", "s", "good", ""),
        "select channel from askpy_trials": lambda: opened.pilots.set("T1", "C1", True, "T1:U1"),
        "select text from askpy_misses": lambda: (
            bool(key := opened.misses.add("T1", "who is that", "", 0.1)) and opened.subscriptions.add("T1", key, "U1")
        ),
    }
    assert [work() for work in edits.values()] == [True] * len(edits)
    url = f"sqlite:///{path}"
    assert [rows(url, statement) for statement in edits] == [[("after",)], [("good",)], [("C1",)], [("who is that",)]]
    assert (opened.probe(), opened.database.failures) == ("", 0)
    assert [LOST in line for line in caplog.messages] == [True]
    assert LOST in opened.database.loss


@pytest.mark.parametrize("lose", LOSSES)
@pytest.mark.parametrize("work", ["save", "undo", "vote", "subscribe", "pilot", "claim"])
def test_each_work_notices_by_itself(opened: Store, path: Path, lose: Callable[[Path], None], work: str) -> None:
    """What can't be true of the new file is told as such: there is nothing to undo, and no miss to be notified of."""
    key = opened.misses.find("T1", "who is this")
    lose(path)
    works: dict[str, Callable[[], Any]] = {
        "save": lambda: opened.changes.save([edit("before")]) is None,
        "undo": lambda: opened.changes.undo("T1", "b"),
        "vote": lambda: opened.votes.add("a", "v", "s", "good", ""),
        "subscribe": lambda: opened.subscriptions.add("T1", key, "U1"),
        "pilot": lambda: opened.pilots.set("T1", "C1", True, "T1:U1"),
        "claim": lambda: opened.claims.claim_once("k"),
    }
    assert works[work]() is (work not in {"undo", "subscribe"})
    assert opened.probe() == ""
    tables = {"save": "changes", "vote": "votes", "pilot": "trials", "claim": "claims"}
    if work in tables:
        assert rows(f"sqlite:///{path}", f"select count(*) from askpy_{tables[work]}") == [(1,)]


def test_an_edit_during_which_the_file_is_lost_is_saved_again(
    opened: Store, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    transaction, left = Database.transaction, ["once"]

    def losing(self: Database, work: Any) -> Any:
        result = transaction(self, work)
        if left:
            left.clear()
            path.unlink()
        return result

    monkeypatch.setattr(Database, "transaction", losing)
    assert opened.changes.save([edit("during")]) is None
    assert rows(f"sqlite:///{path}", "select text from askpy_changes") == [("during",)]


def test_an_edit_is_refused_where_the_file_cannot_be_made_anew(
    opened: Store, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.rmtree(path.parent)
    path.parent.write_text("not a folder", encoding="utf-8")
    with pytest.raises(StoreError, match="nothing was saved"):
        opened.changes.save([edit("after")])
    assert not opened.votes.add("a", "v", "s", "good", "")
    assert opened.probe()
    assert sum(LOST in line for line in caplog.messages) == 1
    path.parent.unlink()
    assert opened.changes.save([edit("after")]) is None
    assert (opened.probe(), opened.database.unavailable_reason) == ("", "")


def test_what_was_claimed_in_the_lost_file_is_answered_once(opened: Store, path: Path, clock: Clock) -> None:
    assert opened.claims.claim("claimed", "a")
    assert opened.claims.claim_once("started")
    opened.conversations.save("T1:C1::U1", ConversationState("topic", ("x",)))
    path.unlink()
    assert opened.conversations.load("T1:C1::U1") == ConversationState("topic", ("x",))
    assert [opened.claims.start("claimed", "a"), opened.claims.start("claimed", "a")] == [True, False]
    assert not opened.claims.claim("started", "b")
    other = Store(f"sqlite:///{path}", clock)
    assert not other.claims.claim("claimed", "b")
    other.close()


def test_two_processes_go_on_with_the_same_new_file(opened: Store, path: Path, clock: Clock) -> None:
    other = Store(f"sqlite:///{path}", clock, monotonic=clock)
    assert other.claims.claim_once("before")
    path.unlink()
    with ThreadPoolExecutor(8) as threads:
        stores = [opened, other] * 100
        won = list(threads.map(lambda n: stores[n].claims.claim_once(f"k{n // 2}"), range(200)))
    assert sum(won) == 100
    assert rows(f"sqlite:///{path}", "select count(*) from askpy_claims") == [(100,)]
    assert oct(path.stat().st_mode & 0o777) == oct(0o600)
    other.close()


# --- rests


def test_a_clock_that_is_set_back_prolongs_no_rest(database: str, clock: Clock) -> None:
    monotonic = Clock()
    store = Store(database, clock, monotonic=monotonic)
    store.prepare()
    rest(store)
    clock.now -= 3600
    assert not store.votes.add("a", "v", "s", "good", "")
    monotonic.now += RETRY_AFTER
    assert store.votes.add("a", "v", "s", "good", "")
    store.close()


def test_a_rest_ends_as_soon_as_the_database_is_back(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While it is locked, one caller in PROBE_EVERY seconds waits a moment, and none waits as long as a first one."""
    for module in (connections, database):
        monkeypatch.setattr(module, "BUSY_TIMEOUT", 0.2)
    store, other = (Store(f"sqlite:///{tmp_path}/s.db", clock, monotonic=clock) for _ in range(2))
    assert [each.claims.claim_once("before") for each in (store, other)] == [True, False]
    lock = sqlite3.connect(f"{tmp_path}/s.db", isolation_level=None)
    lock.execute("begin immediate")
    assert [each.claims.claim_once("during") for each in (store, other)] == [True, True]
    failures = store.database.failures
    for _ in range(4):
        clock.now += PROBE_EVERY
        began = time.monotonic()
        assert not any(store.votes.add("a", "v", "s", "good", "") for _ in range(100))
        assert time.monotonic() - began < 0.19
    assert store.database.failures == failures
    lock.execute("rollback")
    assert not store.votes.add("a", "v", "s", "good", "")
    clock.now += PROBE_EVERY
    assert [each.claims.claim_once("after") for each in (store, other)] == [True, False]
    assert (store.database.unavailable_reason, other.database.unavailable_reason) == ("", "")
    for closing in (lock, store, other):
        closing.close()


def test_a_rest_ends_early_on_each_database(database: str, clock: Clock) -> None:
    store = Store(database, clock, monotonic=clock)
    store.prepare()
    rest(store)
    assert not store.votes.add("a", "v", "s", "good", "")
    store.database._next_probe = clock.now
    assert store.votes.add("a", "v", "s", "good", "")
    assert rows(database, "select count(*) from askpy_claims") == [(0,)]
    store.close()


def test_one_caller_probes_at_a_time(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.prepare()
    rest(store)
    store.database._next_probe = 0.0
    probing, done, probes = threading.Event(), threading.Event(), list[int]()

    def slow(_: Any) -> bool:
        probes.append(1)
        probing.set()
        done.wait(10)
        return True

    monkeypatch.setattr(database, "is_accepting_writes", slow)
    with ThreadPoolExecutor(1) as thread:
        first = thread.submit(store.votes.add, "a", "v", "s", "good", "")
        probing.wait(10)
        assert not any(store.votes.add(f"a{n}", "v", "s", "good", "") for n in range(10))
        done.set()
        assert first.result(10)
    assert len(probes) == 1
    assert store.votes.add("b", "v", "s", "good", "")


def test_where_the_probe_succeeds_and_the_work_fails_the_probes_become_fewer(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with a full disk: each attempt costs an answer its retries."""
    monkeypatch.setattr(database, "RETRY_PAUSES", ())
    store, attempts = Store(f"sqlite:///{tmp_path}", clock, monotonic=clock), list[float]()
    monkeypatch.setattr(database, "is_accepting_writes", lambda _: True)
    for _ in range(400):
        before = store.database.failures
        store.votes.add("a", "v", "s", "good", "")
        if store.database.failures > before:
            attempts.append(clock.now)
        clock.now += 0.05
    pauses = [later - earlier for earlier, later in pairwise(attempts)]
    assert pauses == sorted(pauses)
    assert PROBE_EVERY <= pauses[0] <= 2 * PROBE_EVERY + 0.1
    assert pauses[-1] == pytest.approx(RETRY_AFTER, abs=0.1)
    store.close()


# --- what is remembered beside the database


def test_a_revision_may_be_as_old_as_is_asked_for(store: Store, database: str, clock: Clock) -> None:
    other = Store(database, clock, monotonic=clock)
    assert store.changes.revision("T1", 0.25) == 0
    other.changes.save([edit("elsewhere", batch="b")])
    assert [store.changes.revision("T1", 0.25), store.changes.revision("T1")] == [0, 1]
    store.changes.save([edit("here")])
    assert store.changes.revision("T1", 0.25) == 2
    other.changes.undo("T1", "b")
    assert store.changes.revision("T1", 0.25) == 2
    clock.now += 0.25
    assert store.changes.revision("T1", 0.25) == 3
    store.changes.undo("T1", store.changes.active("T1")[0].batch)
    assert store.changes.revision("T1", 0.25) == 4
    other.close()


def test_the_changes_of_so_many_workspaces_are_known(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.store.changes.MAX_KNOWN", 2)
    first = store.changes.active("T1")
    assert store.changes.active("T1") is first
    for workspace in ("T1", "T2", "T1", "T3"):
        assert store.changes.active(workspace) == ()
        assert store.changes.revision(workspace) == 0
    assert [*store.changes._known] == [*store.changes._revisions] == ["T1", "T3"]
    store.changes.forget("T1")
    assert [*store.changes._known] == [*store.changes._revisions] == ["T3"]


def test_a_pilot_channel_may_be_known_as_long_as_is_asked_for(store: Store, database: str, clock: Clock) -> None:
    other = Store(database, clock, monotonic=clock)
    assert not store.pilots.contains("T1", "C1", 0.25)
    other.pilots.set("T1", "C1", True, "T1:U1")
    assert [store.pilots.contains("T1", "C1", 0.25), store.pilots.contains("T1", "C1")] == [False, True]
    other.pilots.set("T1", "C1", False, "T1:U1")
    assert store.pilots.contains("T1", "C1", 0.25)
    clock.now += 0.25
    assert not store.pilots.contains("T1", "C1", 0.25)
    store.pilots.set("T1", "C1", True, "T1:U1")
    assert store.pilots.contains("T1", "C1", 0.25)
    other.close()


def test_sqlite_has_one_thread_and_postgresql_several(database: str) -> None:
    store = Store(database)
    assert store.database.threads == (1 if database.startswith("sqlite") else 4)
    store.close()
