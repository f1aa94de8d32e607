"""The store on a bad day: gone, locked, full, read-only, frozen, none at all. Answers go on, and somebody hears of it."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from bot.model import ConversationState, HelpRequest
from bot.store import BUSY_TIMEOUT, RETRY_AFTER, Database, Store, StoreError
from bot.store.tables import digest
from support.stores import NOW, Clock, edit, execute, rest, rows

AGAIN = "The database can be used again"
AWAY = "The database can't be used"


def answer(store: Store, key: str, text: str = "what is this") -> None:
    """All that an answer asks of the store, as it must go on whatever the database does."""
    began = time.monotonic()
    owner = f"owner of {key}"
    assert [store.claims.claim(key, owner), store.claims.start(key, owner), store.claims.start(key, owner)] == [
        True,
        True,
        False,
    ]
    assert not store.claims.claim_once(key)
    context = ConversationState("topic", (key,))
    store.conversations.save(f"T1:C1:1.1:{key}", context)
    assert store.conversations.load(f"T1:C1:1.1:{key}") == context
    store.misses.add("T1", text, "", 0.1)
    store.tallies.add("T1", "missed")
    store.pilots.contains("T1", "C1")
    assert time.monotonic() - began < BUSY_TIMEOUT + 8  # a busy machine's own slowness included


def curators_see_nothing(store: Store) -> None:
    """What else is asked of the store falls back to nothing."""
    assert (
        store.misses.all("T1"),
        store.votes.complaints("T1"),
        store.changes.history("T1"),
        store.subscriptions.all(),
    ) == ((), (), (), ())
    assert (
        store.tallies.week("T1"),
        store.tallies.week(None),
        store.pilots.all("T1"),
        store.changes.revision("T1"),
        store.help_requests.unfinished_page(None),
        store.help_requests.forgotten_page(None),
        store.help_requests.open_page(None),
    ) == ((), (), (), -1, (), (), ())
    assert not any(
        [
            store.votes.add("a", "v", "s", "good", ""),
            store.subscriptions.add("T1", "k", "U1"),
            store.subscriptions.remove("T1", "k", "U1"),
            store.help_requests.begin_telling(HelpRequest(workspace="T1", asker="U1", text="why")),
        ]
    )
    assert not any([store.changes.undo("T1", "b"), store.pilots.set("T1", "C1", True, ""), store.forget("T1", "U2")])
    store.purge()


# --- the ways to fail, each ended by leaving its block


@contextmanager
def locked(url: str, _: Store, __: Any) -> Iterator[None]:
    if url.startswith("sqlite"):
        lock = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
        lock.execute("begin exclusive")
        try:
            yield
        finally:
            lock.execute("rollback")
            lock.close()
        return
    import psycopg

    with psycopg.connect(url) as lock:
        for (table,) in rows(url, "select tablename from pg_tables where tablename like 'askpy%'"):
            lock.execute(f"lock table {table} in access exclusive mode")
        yield
        lock.rollback()


@contextmanager
def gone(url: str, store: Store, server: Any) -> Iterator[None]:
    if url.startswith("sqlite"):
        folder = Path(url.removeprefix("sqlite:///")).parent
        store.close()
        folder.rename(folder.with_name("elsewhere"))
        folder.write_text("not a folder", encoding="utf-8")
        yield
        folder.unlink()
        folder.with_name("elsewhere").rename(folder)
        return
    server().stop(kill=True)
    yield
    server().start()


@contextmanager
def full(url: str, store: Store, _: Any) -> Iterator[None]:
    """SQLite may not grow; of PostgreSQL a trigger says what it says on a full disk."""
    if url.startswith("sqlite"):
        (pages,) = rows(url, "pragma page_count")[0]

        def limit(connection: Any, _: object) -> None:
            connection.execute(f"pragma max_page_count={pages}")

        store.close()
        event.listen(store.database._engine, "connect", limit)
        number = 0
        while not store.database.failures:  # until not even what room is left will do
            number += 1
            store.misses.add("T9", f"{number} " + "x" * 900, "", 0.1)
        yield
        event.remove(store.database._engine, "connect", limit)
        store.close()
        execute(url, "pragma max_page_count=1000000")
        return
    says = "begin raise exception 'could not extend file: No space left on device' using errcode = '53100'; end"
    tables = [table for (table,) in rows(url, "select tablename from pg_tables where tablename like 'askpy%'")]
    execute(
        url,
        f"create function full_disk() returns trigger as $$ {says} $$ language plpgsql",
        *(
            f"create trigger full_disk before insert or update on {name} for each row execute function full_disk()"
            for name in tables
        ),
    )
    yield
    execute(url, "drop function full_disk cascade")


@contextmanager
def read_only(url: str, store: Store, _: Any) -> Iterator[None]:
    if url.startswith("sqlite"):
        with unprivileged(Path(url.removeprefix("sqlite:///")), store):
            yield
        return
    import psycopg

    for value in ("on", "off"):
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("set default_transaction_read_only = off")
            connection.execute(f"alter system set default_transaction_read_only = {value}")
            connection.execute("select pg_reload_conf()")
        time.sleep(0.3)
        if value == "on":
            yield


@contextmanager
def unprivileged(path: Path, store: Store) -> Iterator[None]:
    """The file can't be written, and neither can its folder; root, who may write anything, is somebody else for a while."""
    store.close()
    for file in (*path.parent.glob("*"), path.parent):
        file.chmod(0o555 if file.is_dir() else 0o444)
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
        store.close()
        path.parent.chmod(0o755)
        for file in path.parent.glob("*"):
            file.chmod(0o644)


Failing = Callable[[str, Store, Any], Any]


@pytest.fixture
def roomy(database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The database where anybody may get to it: pytest's own folders are for one user alone."""
    if not database.startswith("sqlite"):
        yield database
        return
    folder = Path(tempfile.mkdtemp(prefix="askpy-store-"))
    folder.chmod(0o755)
    yield f"sqlite:///{folder}/data/s.db"
    shutil.rmtree(folder)


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What the store has logged; a bot of another test may still be giving up on its Slack."""
    return [record.getMessage() for record in caplog.records if record.name.startswith("bot.store")]


@pytest.mark.parametrize("failing", [locked, gone, full, read_only])
def test_answers_go_on(
    failing: Failing,
    roomy: str,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if roomy.startswith("sqlite"):
        for module in ("connections", "database"):
            monkeypatch.setattr(f"bot.store.{module}.BUSY_TIMEOUT", 0.2)
    store = Store(roomy, clock, monotonic=clock)
    answer(store, "before")
    store.changes.save([edit("one")])
    assert (store.database.failures, store.database.unavailable_reason, told(caplog)) == (0, "", [])
    with failing(roomy, store, lambda: request.getfixturevalue("postgresql")):
        answer(store, "a")
        answer(store, "b")
        curators = store.database.failures
        assert curators >= 1
        assert store.database.unavailable_reason
        if failing is not full:  # where a little room may be left
            with pytest.raises(StoreError):
                store.changes.save([edit("two")])
            curators_see_nothing(store)
        clock.now += RETRY_AFTER + 1
        answer(store, "c")
        assert told(caplog)[0].startswith(AWAY)
        if failing is not full:
            assert store.database.failures > curators
            assert store.probe()
            assert len(told(caplog)) == 1
    clock.now += RETRY_AFTER + 1
    answer(store, "d")
    assert told(caplog)[-1].startswith(AGAIN)
    assert (store.database.unavailable_reason, store.probe()) == ("", "")
    assert [found.text for found in store.changes.active("T1")] == ["one"]
    other = Store(roomy, clock, monotonic=clock)
    assert [
        key for key in ("before", "a", "b", "c", "d") if other.claims.claim_once(key)
    ] == []  # what was begun meanwhile is known
    assert other.claims.claim_once("e")
    other.close()
    store.close()


@pytest.mark.e2e
def test_a_server_that_says_nothing_holds_no_answer_for_long(postgresql: Any, clock: Clock) -> None:
    """Frozen: the lines stay open, new ones are taken, and nothing comes back."""
    store = Store(postgresql.emptied(), clock, monotonic=clock)
    answer(store, "before")
    frozen = [
        int(pid)
        for (pid,) in rows(postgresql.url, "select pid from pg_stat_activity where backend_type = 'client backend'")
    ]
    frozen = [pid for pid in frozen if _frozen(pid)]  # the one that answered this query may have ended
    os.kill(postgresql.pid, signal.SIGSTOP)
    frozen.append(postgresql.pid)
    try:
        answer(store, "a")
        clock.now += RETRY_AFTER + 1
        answer(store, "b")
    finally:
        for pid in frozen:
            os.kill(pid, signal.SIGCONT)
    assert store.database.failures == 2
    clock.now += RETRY_AFTER + 1
    answer(store, "c")
    assert store.database.unavailable_reason == ""
    store.close()


def _frozen(pid: int) -> bool:
    """Stop a process; whether there was one."""
    try:
        os.kill(pid, signal.SIGSTOP)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("kind", ["a folder", "no database", "nobody there"])
def test_a_database_that_is_none_stops_no_answer(kind: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("no database " * 200, encoding="utf-8")
    url = {
        "a folder": f"sqlite:///{tmp_path}",
        "no database": f"sqlite:///{tmp_path}/file",
        "nobody there": "postgres://user:hush@127.0.0.1:1/askpy",
    }[kind]
    store = Store(url)
    assert store.prepare()
    answer(store, "a")
    curators_see_nothing(store)
    told = store.probe()
    assert told
    assert "hush" not in told + caplog.text
    assert len(caplog.messages) == 1
    store.close()


# --- words that get lost: the database did it, and couldn't say so


@contextmanager
def losing(monkeypatch: pytest.MonkeyPatch, method: str, when: Callable[[dict[str, Any]], bool]) -> Iterator[list[str]]:
    """The next such statement is run, and its connection breaks before the word of it arrives."""
    write, lost = getattr(Database, method), ["once"]

    def written(self: Database, statement: Any, **values: Any) -> int:
        done = int(write(self, statement, **values))
        if when(values) and lost:
            lost.clear()
            raise OperationalError("insert", {}, Exception("server closed the connection"))
        return done

    with monkeypatch.context() as patch:
        patch.setattr(Database, method, written)
        yield lost


def test_a_claim_whose_acknowledgement_got_lost_is_ours(
    store: Store, database: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Store(database, clock, monotonic=clock)
    with losing(monkeypatch, "write", lambda values: "key" in values) as lost:
        assert store.claims.claim_once("a")
        assert (store.database.failures, lost) == (0, [])
        assert not store.claims.claim_once("a")
        assert not other.claims.claim_once("a")
    with losing(monkeypatch, "write", lambda values: "mine" in values) as lost:
        assert store.claims.claim("b", "mine")
        assert store.claims.start("b", "mine")
        assert (store.database.failures, lost) == (0, [])
        assert not other.claims.claim_once("b")
    other.close()


def test_an_edit_whose_acknowledgement_got_lost_is_saved_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    transaction, lost = Database.transaction, ["once"]

    def broken(self: Database, work: Any) -> Any:
        result = transaction(self, work)
        if lost:
            lost.clear()
            raise OperationalError("commit", {}, Exception("server closed the connection"))
        return result

    assert store.prepare() == ""
    monkeypatch.setattr(Database, "transaction", broken)
    assert store.changes.save([edit("one", batch="b"), edit("two", batch="b")]) is None
    assert (lost, store.changes.revision("T1"), len(store.changes.active("T1"))) == ([], 1, 2)
    lost.append("again")
    assert store.changes.undo("T1", "b")
    assert (lost, store.changes.revision("T1"), store.changes.active("T1")) == ([], 2, ())
    assert not store.changes.undo("T1", "b")


def test_a_question_put_to_people_whose_acknowledgement_got_lost_is_saved_and_ended_once(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert store.prepare() == ""
    requests, request = store.help_requests, HelpRequest(workspace="T1", asker="U1", text="why", channel="C9", at=NOW)
    with losing(monkeypatch, "write", lambda values: "asker" in values) as lost:
        saved, is_new = requests.add(request, "why")
        assert (is_new, lost, store.database.failures) == (True, [], 0)
    assert requests.add(replace(request, at=NOW + 1), "why") == (saved, False)
    with losing(monkeypatch, "write", lambda values: "new_settled_at" in values) as lost:
        assert requests.settle(saved.id, "thread", "U2")
        assert (lost, store.database.failures) == ([], 0)
    assert not requests.settle(saved.id, "thread", "U3")
    ended = requests.find(saved.id)
    assert ended is not None
    with losing(monkeypatch, "write", lambda values: "now" in values and "before" not in values) as lost:
        assert requests.begin_telling(ended)
        assert (lost, store.database.failures) == ([], 0)


def test_a_question_whose_row_goes_while_it_is_put_again_is_saved_all_the_same(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process gives up posting it, between the insert that fails and the look at what is in its place."""
    assert store.prepare() == ""
    requests, request = store.help_requests, HelpRequest(workspace="T1", asker="U1", text="why", channel="C9", at=NOW)
    first, _ = requests.add(request, "why")
    read = Database.read
    monkeypatch.setattr(Database, "read_all", lambda *_, **__: [])  # it wasn't there yet

    def removed_before(self: Database, statement: Any, **values: Any) -> Any:
        monkeypatch.undo()
        requests.remove_attempt(first)
        return read(self, statement, **values)

    monkeypatch.setattr(Database, "read", removed_before)
    second, is_new = requests.add(replace(request, at=NOW + 1), "why")
    assert (is_new, requests.find(second.id)) == (True, second)


def test_after_a_rotation_an_open_question_isnt_put_again(database: str, clock: Clock) -> None:
    old = Store(database, clock, hmac_id=lambda text: digest(f"a {text}"))
    new = Store(
        database, clock, hmac_id=lambda text: digest(f"b {text}"), former_ids=lambda text: [digest(f"a {text}")]
    )
    request = HelpRequest(workspace="T1", asker="U1", text="why", channel="C9", at=NOW)
    saved, _ = old.help_requests.add(request, "why")
    assert new.help_requests.add(replace(request, at=NOW + 1), "why") == (saved, False)
    old.forget("T1", "U1")
    assert new.help_requests.add(request, "why")[1]
    for store in (old, new):
        store.close()


def test_what_was_begun_in_one_process_while_the_database_was_away_is_written_down(database: str, clock: Clock) -> None:
    store, other = Store(database, clock, monotonic=clock), Store(database, clock, monotonic=clock)
    assert store.claims.claim("held before", "o")
    rest(store)
    assert store.claims.start("held before", "o")
    keys = [f"k{number}" for number in range(120)]
    assert all(store.claims.claim_once(key) for key in keys)
    store.claims.release("k7")
    clock.now += RETRY_AFTER + 1
    for number in range(3):
        store.claims.claim_once(f"later {number}")
    assert [key for key in (*keys, "held before") if other.claims.claim_once(key)] == ["k7"]
    store.close()
    other.close()
