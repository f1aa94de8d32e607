"""The store's contract on each database: one claim among all, conversations for half an hour, votes."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.model import Complaint, ConversationState
from bot.store import CLAIM_LASTS, CONTEXT_LASTS, DAY, RETRY_AFTER, TURN_LASTS, Store, StoreError, database_url
from bot.store.connections import make_engine
from bot.store.turns import PROCESS_LASTS
from support.stores import Clock, execute, outputs, programs, rest, rows

# --- claims


def test_the_first_claim_wins(store: Store) -> None:
    assert [
        store.claims.claim_once("T:C:1.1"),
        store.claims.claim_once("T:C:1.1"),
        store.claims.claim_once("T:C:1.2"),
    ] == [True, False, True]
    assert store.probe() == ""


def test_a_released_claim_can_be_made_again(store: Store) -> None:
    assert store.claims.claim_once("T:C:2.1")
    store.claims.release("T:C:2.1")
    assert store.claims.claim_once("T:C:2.1")


def test_a_claim_lasts_a_day(store: Store, clock: Clock) -> None:
    assert store.claims.claim_once("T:C:3.1")
    clock.now += CLAIM_LASTS - 1
    assert not store.claims.claim_once("T:C:3.1")
    clock.now += 2
    assert store.claims.claim_once("T:C:3.1")


def test_what_is_held_may_be_taken_over_and_what_is_begun_may_not(store: Store) -> None:
    assert [store.claims.claim("k", "a"), store.claims.claim("k", "b")] == [True, True]
    assert [store.claims.start("k", "a"), store.claims.start("k", "b"), store.claims.start("k", "b")] == [
        False,
        True,
        False,
    ]
    assert [store.claims.claim("k", "c"), store.claims.start("k", "c")] == [False, False]


def test_nobody_begins_what_nobody_holds(store: Store) -> None:
    assert not store.claims.start("k", "a")
    assert store.claims.claim("k", "a")
    store.claims.release("k")
    assert not store.claims.start("k", "a")


def test_an_owner_releases_only_what_is_its(store: Store) -> None:
    store.claims.claim("k", "a")
    store.claims.claim("k", "b")
    store.claims.release("k", "a")
    assert store.claims.start("k", "b")
    store.claims.release("k", "b")
    assert store.claims.claim_once("k")


def test_another_process_takes_over_what_was_only_held(database: str) -> None:
    """The first died before it told Slack, so that Slack sends again; the second dies after, and nobody answers twice."""
    stores = [Store(database) for _ in range(3)]
    assert stores[0].claims.claim("k", "a")
    assert stores[1].claims.claim("k", "b")
    assert stores[1].claims.start("k", "b")
    assert not stores[0].claims.start("k", "a")
    assert not stores[2].claims.claim("k", "c")
    for store in stores:
        store.close()


def test_odd_keys_are_keys(store: Store) -> None:
    assert store.claims.claim_once("\ud800\0" * 5000)
    assert not store.claims.claim_once("\ud800\0" * 5000)


def test_what_is_remembered_outlives_the_process(database: str) -> None:
    first = Store(database)
    first.claims.claim_once("T:C:1.1")
    first.conversations.save("T:C::U1", ConversationState("topic", ("x",)))
    first.close()
    second = Store(database)
    assert not second.claims.claim_once("T:C:1.1")
    assert second.conversations.load("T:C::U1") == ConversationState("topic", ("x",))
    second.close()


def test_threads_share_a_store(store: Store) -> None:
    with ThreadPoolExecutor(8) as threads:
        won = list(threads.map(lambda number: store.claims.claim_once(f"k{number % 50}"), range(400)))
    assert sum(won) == 50


def test_threads_and_the_first_use(store: Store) -> None:
    barrier, won = threading.Barrier(6), list[bool]()

    def claim() -> None:
        barrier.wait()
        won.append(store.claims.claim_once("one"))

    threads = [threading.Thread(target=claim) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert won.count(True) == 1


@dataclass
class Deliveries:
    """Two processes that hear of messages, from the outside: each delivery is held, then perhaps begun."""

    url: str
    clock: Clock
    begun: Counter[str] = field(default_factory=Counter)
    held: list[tuple[int, str, str]] = field(default_factory=list)
    """Of each delivery that is held: in which process, the key and the owner."""

    def __post_init__(self) -> None:
        self.stores = [Store(self.url, self.clock, monotonic=self.clock) for _ in range(2)]
        self.keys = [f"{uuid4()}" for _ in range(3)]

    def deliver(self, process: int, place: int, owner: str) -> None:
        key = self.keys[place]
        if self.stores[process].claims.claim(key, owner):
            self.held.append((process, key, owner))

    def work(self, place: int) -> None:
        if self.held:
            process, key, owner = self.held.pop(place % len(self.held))
            self.begun[key] += self.stores[process].claims.start(key, owner)

    def kill(self, process: int) -> None:
        self.stores[process].close()
        self.stores[process] = Store(self.url, self.clock, monotonic=self.clock)
        self.held = [each for each in self.held if each[0] != process]

    def away(self, process: int) -> None:
        rest(self.stores[process])


STEPS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 1), st.integers(0, 2)), max_size=40)
EACH_ONE = settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])


@EACH_ONE
@given(steps=STEPS)
def test_whatever_happens_a_message_is_begun_once(
    database: str, clock: Clock, steps: list[tuple[int, int, int]]
) -> None:
    """Deliveries and kills in any order: nothing is begun twice, and what nobody has begun can be begun still."""
    seen = Deliveries(database, clock)
    for number, (step, process, place) in enumerate(steps):
        if step < 5:
            seen.deliver(process, place, f"o{number}")
        elif step < 9:
            seen.work(place)
        else:
            seen.kill(process)
    for place in range(3):  # Slack sends once more what it has no word of
        seen.deliver(0, place, "last")
    while seen.held:
        seen.work(0)
    for store in seen.stores:
        store.close()
    assert seen.begun == dict.fromkeys(seen.keys, 1)


@EACH_ONE
@given(steps=STEPS)
def test_one_process_begins_once_also_while_the_database_comes_and_goes(
    database: str, clock: Clock, steps: list[tuple[int, int, int]]
) -> None:
    seen = Deliveries(database, clock)
    for number, (step, comes, place) in enumerate(steps):
        if step < 4:
            seen.deliver(0, place, f"o{number}")
        elif step < 7:
            seen.work(place)
        elif comes:
            clock.now += RETRY_AFTER + 1
        else:
            seen.away(0)
    clock.now += RETRY_AFTER + 1
    for place in range(3):
        seen.deliver(0, place, "last")
    while seen.held:
        seen.work(0)
    seen.stores[0].claims.claim("any", "any")  # it writes down what it owes
    for place in range(3):
        seen.deliver(1, place, "again")
    assert seen.held == []
    for store in seen.stores:
        store.close()
    assert seen.begun == dict.fromkeys(seen.keys, 1)


BEGINNER = """
import sys, threading
from bot.store import Store
url, name, keys = sys.argv[1], sys.argv[2], int(sys.argv[3])
store = Store(url)
sys.stdin.readline()
def work(thread):
    for number in range(keys):
        key, owner = f"k{number}", f"{name}:{thread}:{number}"
        if store.claims.claim(key, owner) and store.claims.start(key, owner):
            sys.stdout.write(f"{number}\\n")
            sys.stdout.flush()
threads = [threading.Thread(target=work, args=[n]) for n in range(2)]
for thread in threads: thread.start()
for thread in threads: thread.join()
sys.stdout.write(f"failures {store.database.failures}\\n")
"""


def test_processes_share_a_database(database: str) -> None:
    both = programs(BEGINNER, [(database, name, "80") for name in "ab"])
    said = [line for each in outputs(both) for line in each.split("\n") if line]
    assert [line for line in said if line.startswith("failures")] == ["failures 0"] * 2
    assert sorted(int(line) for line in said if line.isdecimal()) == list(range(80))


@pytest.mark.e2e
def test_a_killed_process_leaves_nothing_to_be_answered_twice(database: str) -> None:
    """Killed at work; whatever comes again is begun by another process, but for what had been begun."""
    made = Store(database)
    assert made.prepare() == ""
    made.close()
    victim, other = programs(BEGINNER, [(database, name, "200") for name in "ab"])
    for process in (victim, other):
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    assert victim.stdout is not None
    first = [victim.stdout.readline() for _ in range(5)]
    victim.kill()
    begun = Counter(line.strip() for line in [*first, *victim.stdout.read().split("\n")])
    begun += Counter(outputs([other])[0].split("\n"))
    begun += Counter(outputs(programs(BEGINNER, [(database, "c", "200")]))[0].split("\n"))
    victim.wait(10)
    victim.stdin and victim.stdin.close()
    victim.stdout.close()
    answered = {line: times for line, times in begun.items() if line.isdecimal()}
    assert set(answered.values()) == {1}
    assert len(answered) >= 200 - 2  # lost: at most what each of its two threads had just begun


# --- conversations


def test_a_context_lasts_half_an_hour(store: Store, clock: Clock) -> None:
    context = ConversationState("list", ("flask", "django"), "backend")
    assert store.conversations.load("U1") is None
    store.conversations.save("U1", ConversationState("topic", ("x",)))
    store.conversations.save("U1", context)
    assert store.conversations.load("U1") == context
    assert store.conversations.load("U2") is None
    clock.now += CONTEXT_LASTS + 1
    assert store.conversations.load("U1") is None


def test_a_context_is_kept_whole(store: Store) -> None:
    context = ConversationState("compare", ("flask", "django"), None, ("celery",), ("redis-py", "peewee"))
    for kept in (context, replace(context, group="orm", part=2, without=("kivy", "toga")), replace(context, part=3)):
        store.conversations.save("whole", kept)
        assert store.conversations.load("whole") == kept


def test_a_context_from_an_older_version_is_understood(database: str, clock: Clock) -> None:
    store = Store(database, clock, monotonic=clock)
    store.conversations.save("U1", ConversationState("list", ("x", "y"), "backend"))
    execute(database, """update askpy_contexts set ids = '["x", "y"]'""")
    store.close()
    store = Store(database, clock, monotonic=clock)
    assert store.conversations.load("U1") == ConversationState("list", ("x", "y"), "backend")
    store.close()


def test_a_long_context_is_kept_with_fewer_ids(database: str, clock: Clock) -> None:
    ids, others = tuple(f"name-{n:04}" for n in range(150)), tuple(f"other-{n:04}" for n in range(300))
    store = Store(database, clock, monotonic=clock)
    store.conversations.save("U1", ConversationState("topic", ("old",)))
    clock.now += 1
    whole = ConversationState("list", ids, "backend", ("before",), others)
    store.conversations.save("U1", whole)
    assert store.conversations.load("U1") == whole
    store.close()
    store = Store(database, clock, monotonic=clock)
    found = store.conversations.load("U1")
    assert found is not None
    assert (found.kind, found.ids, found.before) == ("list", ids, ("before",))
    assert 0 < len(found.others) < 300
    assert found.others == others[: len(found.others)]
    clock.now += 1
    store.conversations.save("U1", ConversationState("list", ids * 4))
    store.close()
    store = Store(database, clock, monotonic=clock)
    found = store.conversations.load("U1")
    assert found is not None
    assert found.ids == (ids * 4)[: len(found.ids)]
    store.close()


def test_the_newer_of_database_and_memory_counts(database: str, clock: Clock) -> None:
    store, other = Store(database, clock, monotonic=clock), Store(database, clock, monotonic=clock)
    store.conversations.save("U1", ConversationState("topic", ("old",)))
    clock.now += 1
    rest(store)  # the database was away just then
    store.conversations.save("U1", ConversationState("topic", ("new",)))
    clock.now += RETRY_AFTER + 1
    assert store.conversations.load("U1") == ConversationState("topic", ("new",))
    clock.now += 1
    other.conversations.save("U1", ConversationState("topic", ("newest",)))
    assert store.conversations.load("U1") == ConversationState("topic", ("newest",))
    store.close()
    other.close()


# --- votes


def test_the_last_vote_of_one_person_counts(store: Store, database: str, clock: Clock) -> None:
    assert store.votes.add("a1", "v1", "library||flask", "good", "")
    assert store.votes.add("a1", "v1", "library||flask", "bad", "outdated")
    clock.now += 1
    assert store.votes.add("a1", "v2", "library||flask", "good", "")
    clock.now += 1
    assert store.votes.add("a2", "v1", "unknown||", "bad", "", "T1", "C1")
    assert rows(database, "select subject, vote, reason, workspace, channel from askpy_votes order by at") == [
        ("library||flask", "bad", "outdated", "", ""),
        ("library||flask", "good", "", "", ""),
        ("unknown||", "bad", "", "T1", "C1"),
    ]


def test_a_person_who_votes_twice_at_once_has_one_vote(store: Store, database: str) -> None:
    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(lambda n: store.votes.add("a", "v", "s", "good" if n % 2 else "bad", ""), range(40)))
    assert len(rows(database, "select vote from askpy_votes")) == 1


def test_bad_votes_are_summed_by_answer_and_reason(store: Store, clock: Clock) -> None:
    store.votes.add("old", "v", "s1", "bad", "wrong", "T1")
    clock.now += 30 * DAY
    for number in range(3):
        store.votes.add(f"a{number}", "v", "s1", "bad", "outdated", "T1")
    store.votes.add("a3", "v", "s2", "bad", "", "T1")
    store.votes.add("a4", "v", "s2", "good", "", "T1")
    store.votes.add("a5", "v", "s2", "bad", "", "T2")
    assert store.votes.complaints("T1") == (
        Complaint("s1", "outdated", 3, clock.now),
        Complaint("s2", "", 1, clock.now),
    )
    assert [(each.reason, each.count) for each in store.votes.complaints("T1", days=31)] == [
        ("outdated", 3),
        ("", 1),
        ("wrong", 1),
    ]
    assert store.votes.complaints("T3") == ()


# --- the URL


def test_urls() -> None:
    assert database_url("postgres://u:p@h/d").render_as_string(False) == "postgresql+psycopg://u:p@h/d"
    assert database_url("postgresql://u@h/d").drivername == "postgresql+psycopg"
    assert database_url("sqlite:///x.db").drivername == "sqlite"


@pytest.mark.parametrize(
    ("url", "label", "place"),
    [
        ("sqlite:////data/askpy.db", "SQLite, askpy.db", "sqlite:////data/askpy.db"),
        ("sqlite://", "SQLite", "sqlite://"),
        ("postgres://u:hush@h/d", "PostgreSQL, h", "postgresql+psycopg://u:***@h/d"),
        ("postgresql://h/d?password=hush&sslmode=require", "PostgreSQL, h", "postgresql+psycopg://h/d?sslmode=require"),
    ],
)
def test_a_place_is_told_without_its_password(url: str, label: str, place: str) -> None:
    store = Store(url)
    assert (store.database.label, store.database.safe_url) == (label, place)
    store.close()


@pytest.mark.parametrize("url", ["postgres://u@h/d?sslmode=verify-full", "postgresql://u@h/d?sslmode=verify-full"])
def test_tls_is_asked_for_where_the_url_says_so(url: str) -> None:
    engine = make_engine(url)
    _, options = engine.dialect.create_connect_args(engine.url)
    assert options["sslmode"] == "verify-full"


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


def test_a_database_in_memory_is_shared_by_threads(clock: Clock) -> None:
    store = Store("sqlite://", clock, monotonic=clock)
    with ThreadPoolExecutor(8) as threads:
        won = list(threads.map(lambda number: store.claims.claim_once(f"k{number % 50}"), range(200)))
    assert (sum(won), store.database.failures) == (50, 0)
    store.close()


# --- turns: the messages that several processes have in hand


def test_an_earlier_message_in_another_process_comes_first(store: Store, clock: Clock, database: str) -> None:
    beside = Store(database, clock)
    store.turns.join("T:D1::U1", 1.0, "first")
    assert [beside.turns.is_behind("T:D1::U1", ts) for ts in (0.5, 1.0, 1.5)] == [False, False, True]
    assert not beside.turns.is_behind("T:D2::U1", 1.5)
    assert not store.turns.is_behind("T:D1::U1", 1.5)  # within a process the order is kept in memory
    store.turns.leave("first")
    store.turns.write_leaves()
    assert not beside.turns.is_behind("T:D1::U1", 1.5)
    assert store.database.failures == beside.database.failures == 0
    beside.close()


def test_the_ends_of_many_messages_are_written_down_together(store: Store, clock: Clock, database: str) -> None:
    beside = Store(database, clock)
    for number in range(40):
        store.turns.join(f"T:D{number}::U1", 1.0, f"owner {number}")
        store.turns.join(f"T:D{number}::U1", 1.0, f"owner {number}")  # again, because the connection had broken
        if number != 7:
            store.turns.leave(f"owner {number}")
    store.turns.write_leaves()
    assert [number for number in range(40) if beside.turns.is_behind(f"T:D{number}::U1", 1.5)] == [7]
    assert store.database.failures == 0
    beside.close()


def test_nobody_waits_for_a_process_that_was_killed(store: Store, clock: Clock, database: str) -> None:
    beside = Store(database, clock)
    store.turns.join("T:D1::U1", 1.0, "first")
    clock.now += TURN_LASTS - 0.1
    assert beside.turns.is_behind("T:D1::U1", 2.0)
    clock.now += 0.2
    assert not beside.turns.is_behind("T:D1::U1", 2.0)
    beside.close()


def test_processes_notice_each_other(store: Store, clock: Clock, database: str) -> None:
    beside = Store(database, clock)
    store.turns.beat()
    assert not store.turns.is_shared
    beside.turns.beat()
    store.turns.beat()
    assert (store.turns.is_shared, beside.turns.is_shared) == (True, True)
    clock.now += PROCESS_LASTS  # the other one was killed
    store.turns.beat()
    assert not store.turns.is_shared
    store.purge()
    assert rows(database, "select count(*) from askpy_processes") == [(1,)]
    beside.turns.expect_others()  # one of several workers, which one that is started by itself has to notice
    beside.turns.beat()
    store.turns.beat()
    assert (store.turns.is_shared, beside.turns.is_shared) == (True, True)
    beside.close()


def test_a_process_that_ends_says_so(store: Store, database: str) -> None:
    stop = threading.Event()
    stop.set()
    store.turns.join("T:D1::U1", 1.0, "first")
    store.turns.leave("first")
    store.turns.run(stop)
    assert rows(database, "select count(*) from askpy_processes") == [(0,)]
    assert rows(database, "select count(*) from askpy_turns") == [(0,)]


def test_without_the_database_nobody_waits(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    store = Store(f"sqlite:///{tmp_path}/file/askpy.db")
    store.turns.join("T:D1::U1", 1.0, "first")
    store.turns.leave("first")
    store.turns.beat()
    assert not store.turns.is_behind("T:D1::U1", 2.0)
    store.turns.write_leaves()
