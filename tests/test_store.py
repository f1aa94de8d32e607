"""The store: one claim among all, conversations for half an hour, and answers that go on without a database."""

from __future__ import annotations

import logging
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from bot.model import Context
from bot.store import CLAIM_LASTS, CONTEXT_LASTS, DAY, REST, Store, StoreError, database_url

ROOT = Path(__file__).parent.parent
URLS = [url for url in ("sqlite:///{folder}/a/b/s.db", "sqlite://", os.environ.get("ASKPY_TEST_DATABASE_URL")) if url]


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=URLS)
def store(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[Store]:
    made = Store(request.param.format(folder=tmp_path), clock)
    yield made
    made.close()


def test_the_first_claim_wins(store: Store) -> None:
    assert [store.claim("T:C:1.1"), store.claim("T:C:1.1"), store.claim("T:C:1.2")] == [True, False, True]
    assert store.probe() == ""


def test_a_released_claim_can_be_made_again(store: Store) -> None:
    assert store.claim("T:C:2.1")
    store.release("T:C:2.1")
    assert store.claim("T:C:2.1")


def test_a_claim_lasts_a_day(store: Store, clock: Clock) -> None:
    assert store.claim("T:C:3.1")
    clock.now += CLAIM_LASTS - 1
    assert not store.claim("T:C:3.1")
    clock.now += 2
    assert store.claim("T:C:3.1")


def test_a_context_lasts_half_an_hour(store: Store, clock: Clock) -> None:
    context = Context("list", ("flask", "django"), "backend")
    assert store.recall("U1") is None
    store.keep("U1", Context("topic", ("x",)))
    store.keep("U1", context)
    assert store.recall("U1") == context
    assert store.recall("U2") is None
    clock.now += CONTEXT_LASTS + 1
    assert store.recall("U1") is None


def test_odd_keys_are_keys(store: Store) -> None:
    assert store.claim("\ud800" * 5000)
    assert not store.claim("\ud800" * 5000)


def test_what_is_remembered_outlives_the_process(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/s.db"
    first = Store(url)
    first.claim("T:C:1.1")
    first.keep("U1", Context("topic", ("x",)))
    first.close()
    second = Store(url)
    assert not second.claim("T:C:1.1")
    assert second.recall("U1") == Context("topic", ("x",))
    second.close()


def test_the_old_is_purged(tmp_path: Path, clock: Clock) -> None:
    store = Store(f"sqlite:///{tmp_path}/s.db", clock)
    for number in range(5):
        store.claim(f"T:C:{number}")
    clock.now += CLAIM_LASTS + 1
    store.claim("T:C:new")
    store.purge()
    store.close()
    connection = sqlite3.connect(tmp_path / "s.db")
    assert connection.execute("select count(*) from askpy_claims").fetchone() == (1,)
    connection.close()


def test_nobodys_words_or_ids_are_stored_in_clear(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/s.db")
    store.claim("T0TEAM:C1:1.1")
    store.keep("T0TEAM:D1::U1", Context("topic", ("x",)))
    store.close()
    for file in tmp_path.iterdir():
        assert b"T0TEAM" not in file.read_bytes()


def test_threads_share_a_store(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/s.db")
    with ThreadPoolExecutor(8) as threads:
        won = list(threads.map(lambda number: store.claim(f"k{number % 50}"), range(400)))
    assert sum(won) == 50
    assert store.failures == 0
    store.close()


CLAIMER = """
import sys
from bot.store import Store
store = Store(sys.argv[1])
print(*[number for number in range(200) if store.claim(f"k{number}")])
"""


def test_processes_share_a_database(tmp_path: Path) -> None:
    arguments = [sys.executable, "-c", CLAIMER, f"sqlite:///{tmp_path}/s.db"]
    both = [subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    won = [number for process in both for number in process.communicate(timeout=20)[0].split()]
    assert sorted(map(int, won)) == list(range(200))


# --- votes


def votes(folder: Path) -> list[tuple[str, str, str]]:
    connection = sqlite3.connect(folder / "s.db")
    found = connection.execute("select subject, vote, reason from askpy_votes order by at").fetchall()
    connection.close()
    return found


def test_the_last_vote_of_one_person_counts(tmp_path: Path, clock: Clock) -> None:
    store = Store(f"sqlite:///{tmp_path}/s.db", clock)
    assert store.vote("a1", "v1", "library||flask", "good", "")
    assert store.vote("a1", "v1", "library||flask", "bad", "outdated")
    clock.now += 1
    assert store.vote("a1", "v2", "library||flask", "good", "")
    clock.now += 1
    assert store.vote("a2", "v1", "unknown||", "bad", "")
    store.close()
    assert votes(tmp_path) == [
        ("library||flask", "bad", "outdated"),
        ("library||flask", "good", ""),
        ("unknown||", "bad", ""),
    ]


def test_a_person_who_votes_twice_at_once_has_one_vote(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/s.db")
    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(lambda n: store.vote("a", "v", "s", "good" if n % 2 else "bad", ""), range(40)))
    store.close()
    assert len(votes(tmp_path)) == 1


def test_votes_are_kept_as_long_as_the_operator_says(tmp_path: Path, clock: Clock) -> None:
    store = Store(f"sqlite:///{tmp_path}/s.db", clock, retention_days=2)
    store.vote("a", "v", "s", "good", "")
    clock.now += 2 * DAY - 1
    store.purge()
    assert len(votes(tmp_path)) == 1
    clock.now += 1
    store.purge()
    store.close()
    assert votes(tmp_path) == []


def test_a_vote_that_cannot_be_kept_says_so(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}")
    assert store.vote("a", "v", "s", "good", "") is False
    store.close()


def test_a_table_of_votes_is_made_in_a_database_from_before(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "s.db")
    connection.execute("create table askpy_claims (key varchar(64) primary key, at float not null)")
    connection.close()
    store = Store(f"sqlite:///{tmp_path}/s.db")
    assert store.vote("a", "v", "s", "good", "")
    assert store.claim("x")
    store.close()


def test_a_context_is_kept_whole(store: Store) -> None:
    context = Context("compare", ("flask", "django"), None, ("celery",), ("redis-py", "peewee"))
    store.keep("whole", context)
    assert store.recall("whole") == context


def test_a_context_from_an_older_version_is_understood(tmp_path: Path, clock: Clock) -> None:
    store = Store(f"sqlite:///{tmp_path}/s.db", clock)
    store.keep("U1", Context("list", ("x", "y"), "backend"))
    connection = sqlite3.connect(tmp_path / "s.db")
    connection.execute('update askpy_contexts set ids = \'["x", "y"]\'')
    connection.commit()
    connection.close()
    store.close()
    store = Store(f"sqlite:///{tmp_path}/s.db", clock)
    assert store.recall("U1") == Context("list", ("x", "y"), "backend")
    store.close()


def test_a_long_context_is_kept_with_fewer_ids(tmp_path: Path, clock: Clock) -> None:
    ids, others = tuple(f"name-{n:04}" for n in range(150)), tuple(f"other-{n:04}" for n in range(300))
    store = Store(f"sqlite:///{tmp_path}/s.db", clock)
    store.keep("U1", Context("topic", ("old",)))
    clock.now += 1
    whole = Context("list", ids, "backend", ("before",), others)
    store.keep("U1", whole)
    assert store.recall("U1") == whole
    store.close()
    store = Store(f"sqlite:///{tmp_path}/s.db", clock)
    found = store.recall("U1")
    assert found is not None
    assert (found.kind, found.ids, found.before) == ("list", ids, ("before",))
    assert 0 < len(found.others) < 300
    assert found.others == others[: len(found.others)]
    clock.now += 1
    store.keep("U1", Context("list", ids * 4))
    store.close()
    store = Store(f"sqlite:///{tmp_path}/s.db", clock)
    found = store.recall("U1")
    assert found is not None
    assert found.ids == (ids * 4)[: len(found.ids)]
    store.close()


def test_the_newer_of_database_and_memory_counts(tmp_path: Path, clock: Clock) -> None:
    store, other = Store(f"sqlite:///{tmp_path}/s.db", clock), Store(f"sqlite:///{tmp_path}/s.db", clock)
    store.keep("U1", Context("topic", ("old",)))
    clock.now += 1
    store._rests_until = clock.now + REST  # the database was away just then
    store.keep("U1", Context("topic", ("new",)))
    clock.now += REST + 1
    assert store.recall("U1") == Context("topic", ("new",))
    clock.now += 1
    other.keep("U1", Context("topic", ("newest",)))
    assert store.recall("U1") == Context("topic", ("newest",))
    store.close()
    other.close()


# --- a bad day


def test_a_claim_whose_acknowledgement_got_lost_is_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, other = Store(f"sqlite:///{tmp_path}/s.db"), Store(f"sqlite:///{tmp_path}/s.db")
    write, lost = Store._write, ["once"]

    def written(self: Store, statement: Any, **values: Any) -> int:
        done = write(self, statement, **values)
        if "key" in values and lost:
            lost.clear()
            raise OperationalError("insert", {}, Exception("server closed the connection"))
        return done

    monkeypatch.setattr(Store, "_write", written)
    assert store.claim("a")
    assert (store.failures, lost) == (0, [])
    assert not store.claim("a")
    assert not other.claim("a")
    assert other.claim("b")
    lost.append("again")
    assert not store.claim("b")
    store.close()
    other.close()


def test_a_locked_database_stops_no_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("bot.store.engine.BUSY", 0)
    clock = Clock()
    store = Store(f"sqlite:///{tmp_path}/s.db", clock)
    assert store.claim("before")
    lock = sqlite3.connect(tmp_path / "s.db", isolation_level=None)
    lock.execute("begin exclusive")
    assert [store.claim("a"), store.claim("a"), store.claim("b")] == [True, False, True]
    store.keep("U1", Context("topic", ("x",)))
    assert store.recall("U1") == Context("topic", ("x",))
    clock.now += REST + 1
    assert store.claim("c")
    assert (store.failures, len(caplog.records)) == (2, 1)
    lock.execute("rollback")
    lock.close()
    clock.now += REST + 1
    assert store.claim("d")
    assert not store.claim("a")
    assert caplog.records[-1].getMessage().startswith("The database can be used again")
    store.close()


@pytest.mark.parametrize("kind", ["a folder", "no database", "nobody there"])
def test_a_database_that_is_none_stops_no_answer(kind: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("no database " * 200, encoding="utf-8")
    url = {
        "a folder": f"sqlite:///{tmp_path}",
        "no database": f"sqlite:///{tmp_path}/file",
        "nobody there": "postgres://user:hush@127.0.0.1:1/askpy",
    }[kind]
    store = Store(url)
    with caplog.at_level(logging.DEBUG, "bot"):
        assert [store.claim("a"), store.claim("a")] == [True, False]
        told = store.probe()
    assert told
    assert "hush" not in told + caplog.text
    store.close()


def test_urls() -> None:
    assert database_url("postgres://u:p@h/d").render_as_string(False) == "postgresql+psycopg://u:p@h/d"
    assert database_url("postgresql://u@h/d").drivername == "postgresql+psycopg"
    assert database_url("sqlite:///x.db").drivername == "sqlite"


@pytest.mark.parametrize(
    "url", ["postgres://u:hush@h:abc/db", "postgres://u:p@hush@h/db", "sqlite://host/x", "sqlite://u:hush@host/x"]
)
def test_a_url_that_is_written_wrong_says_how_to_write_it_and_no_password(url: str) -> None:
    with pytest.raises(StoreError, match=r"^DATABASE_URL .*write (?:postgresql:|three slashes)") as caught:
        Store(url)
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize("url", ["nonsense", "", "x://y", "mysql+nodriver://h/d", "oracle://h/d"])
def test_a_url_that_is_none_is_a_sentence(url: str) -> None:
    with pytest.raises(StoreError, match="DATABASE_URL"):
        Store(url)


def test_threads_and_the_first_use(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/s.db")
    barrier, won = threading.Barrier(6), list[bool]()

    def claim() -> None:
        barrier.wait()
        won.append(store.claim("one"))

    threads = [threading.Thread(target=claim) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert won.count(True) == 1
    store.close()
