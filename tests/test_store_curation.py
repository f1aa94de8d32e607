"""The store's contract on each database: misses, curated changes, who waits, counts and trials."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from bot.model import ConversationState, Miss, PilotChannel, Subscription, Tally
from bot.store import DAY, Store, StoreError
from support.stores import NOW, Clock, edit, execute, outputs, programs, rest, rows

# --- misses


def test_a_miss_is_counted_however_it_is_typed(store: Store, clock: Clock) -> None:
    key = store.misses.add("T1", "How do I use <@U123> Poetry?", "pip", 0.31)
    clock.now += 60
    assert store.misses.add("T1", "how do i use poetry", "flask", 0.42) == key
    assert store.misses.add("T1", "something else", "", 0.0) != key
    store.misses.add("T2", "how do i use poetry", "", 0.0)
    expected = Miss(
        workspace="T1",
        key=key,
        text="How do I use Poetry?",
        count=2,
        best="flask",
        score=0.42,
        first=NOW,
        last=NOW + 60,
    )
    assert store.misses.all("T1")[0] == expected
    assert [miss.text for miss in store.misses.all("T1")] == ["How do I use Poetry?", "something else"]
    assert [miss.text for miss in store.misses.all("T1", limit=1)] == ["How do I use Poetry?"]
    assert store.misses.all("T3") == ()


def test_a_miss_without_words_is_none(store: Store) -> None:
    assert [store.misses.add("T1", text, "", 0.0) for text in ("", "  ", ":wave:", "<@U1>", "?!")] == [""] * 5
    assert store.misses.all("T1") == ()


def test_odd_words_can_be_missed(store: Store) -> None:
    assert store.misses.add("T1", "what is \ud800 a\0b " + "x" * 9000, "y" * 999, 0.1)
    (found,) = store.misses.all("T1")
    assert (found.text[:8], len(found.text), len(found.best)) == ("what is ", 1000, 200)


WRITTEN_DOWN = {
    "mail joe.doe@example.org, or call (555) 123-4567 / +49 170 1234567": "mail …, or call … / …",
    "<mailto:joe@example.org|joe@example.org> or <tel:+15551234567|+1 555 123 4567>?": "… or … ?",
    "ask U0ABCDEF12 or www.example.org/ann": "ask … or …",
    "my account is DE89 3704 0044 0532 0130 00": "my account is DE89 …",
    "why is xoxb-0000-1111-abcdefgh refused": "why is … refused",
    "my cloud says AK" + "IAIOSFODNN7EXAMPLE or wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY": "my cloud says … or …",
    "my token is eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJib2IifQ.dozjgNryP4J3jVmN or sk-abcdefghijklmnopqrst": "my token is … or …",
    "connect to postgres://bob:hush@db.internal/app please": "connect to … please",
    "what changed in 3.10 3.11 3.12": "what changed in 3.10 3.11 3.12",
    "port 8080 of 192.168.1.100": "port 8080 of 192.168.1.100",
    "convert_to_float32_array of sqlalchemy.dialects.postgresql.psycopg2": (
        "convert_to_float32_array of sqlalchemy.dialects.postgresql.psycopg2"
    ),
    "@app.route, or a @ b": "@app.route, or a @ b",
}


def test_addresses_numbers_and_keys_are_not_written_down(store: Store) -> None:
    for asked in WRITTEN_DOWN:
        store.misses.add("T1", asked, "", 0.0)
    assert {miss.text for miss in store.misses.all("T1")} == set(WRITTEN_DOWN.values())


def test_a_question_about_two_people_is_one_question(store: Store) -> None:
    keys = {store.misses.add("T1", f"who reads {name}@example.org", "", 0.0) for name in ("ann", "bob")}
    assert (len(keys), [miss.count for miss in store.misses.all("T1")]) == (1, [2])
    assert store.misses.add("T1", "ann@example.org", "", 0.0) == ""


def test_threads_count_every_miss(store: Store) -> None:
    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(lambda _: store.misses.add("T1", "who are you", "", 0.0), range(100)))) == 1
    assert [miss.count for miss in store.misses.all("T1")] == [100]


# --- changes


def test_changes_are_saved_and_come_back_as_they_were(store: Store) -> None:
    first = edit("what is poetry", asks=(), batch="b1")
    second = [
        edit(
            kind="entry",
            entry="poetry",
            title="Poetry",
            answer="A tool.\nTwo lines, 'quoted'.",
            asks=("a b", "c"),
            batch="b2",
        ),
        edit("poetry in motion", entry="", kind="not_ask", batch="b2"),
    ]
    assert store.changes.active("T1") == ()
    assert store.changes.save([first]) is None
    assert store.changes.save(second) is None
    assert store.changes.save([edit("elsewhere", workspace="T2")]) is None
    assert store.changes.active("T1") == (first, *second)
    assert store.changes.history("T1") == (*second, first)
    assert store.changes.history("T1", limit=1) == tuple(second)
    assert store.changes.workspaces() == ("T1", "T2")
    assert store.changes.save([]) is None


def test_what_is_settled_is_not_settled_again(store: Store) -> None:
    first = edit("What is Poetry?")
    new = edit(kind="entry", entry="poetry", title="Poetry", asks=("install poetry", "poetry, please"))
    assert store.changes.save([first, new]) is None
    assert store.changes.save([edit("what is  poetry", entry="django")]) == first
    assert store.changes.save([edit("fine"), edit("poetry please", kind="ignore")]) == new
    assert store.changes.save([edit(kind="entry", entry="poetry", asks=("other",))]) == new
    assert store.changes.save([edit(kind="entry", entry="other", asks=("Install Poetry",))]) == new
    assert [found.id for found in store.changes.active("T1")] == [first.id, new.id]
    assert store.changes.save([edit("what is poetry", workspace="T2")]) is None


def test_one_press_may_settle_a_phrasing_in_two_ways(store: Store) -> None:
    edits = [edit("what is it", batch="b"), edit("what is it", entry="django", kind="not_ask", batch="b")]
    assert store.changes.save(edits) is None
    assert store.changes.undo("T1", "b")
    assert store.changes.save([edit("what is it")]) is None


def test_the_database_itself_refuses_a_second(store: Store, database: str) -> None:
    store.changes.save([edit("one"), edit(kind="entry", entry="new", asks=("two",))])
    assert rows(database, "select count(*) from askpy_taken") == [(3,)]
    with pytest.raises(Exception, match=r"(?i)unique"):
        execute(database, "insert into askpy_taken select workspace, name, 'another' from askpy_taken")


def test_a_confirmation_counts_once_a_day(store: Store) -> None:
    first = edit("2023-11-14", entry="poetry", kind="review")
    assert store.changes.save([first]) is None
    assert store.changes.save([edit("2023-11-14", entry="poetry", kind="review", by="T1:U2")]) == first
    for other in (
        edit("2023-11-15", "poetry", "review"),
        edit("2023-11-14", "django", "review"),
        edit("2023-11-14", "poetry"),
    ):
        assert store.changes.save([other]) is None
    assert store.changes.undo("T1", first.batch)
    assert store.changes.save([edit("2023-11-14", entry="poetry", kind="review")]) is None
    assert len(store.changes.active("T1")) == 4


REVIEWER = """
import sys
from bot.model import Change
from bot.store import Store
url, name = sys.argv[1:]
store = Store(url)
sys.stdin.readline()
for number in range(20):
    for press in range(2):
        batch = f"{name}-{number}-{press}"
        edit = Change(id=batch, workspace="T1", kind="review", text="2023-11-14", entry=f"e{number}", batch=batch, by=name)
        print("refused" if store.changes.save([edit]) else "saved", number)
print("failures", store.database.failures)
"""


def test_a_confirmation_counts_once_in_two_processes_and_after_a_restart(database: str) -> None:
    presses = Counter[str]()
    for names in (("a", "b"), ("c", "d")):
        said = [output.splitlines() for output in outputs(programs(REVIEWER, [(database, name) for name in names]))]
        assert [lines[-1] for lines in said] == ["failures 0"] * 2
        presses.update(line for lines in said for line in lines)
    assert [presses[f"saved {n}"] for n in range(20)] == [1] * 20
    assert [presses[f"refused {n}"] for n in range(20)] == [7] * 20
    store = Store(database)
    assert sorted(change.entry for change in store.changes.active("T1")) == sorted(f"e{n}" for n in range(20))
    assert rows(database, "select count(*) from askpy_taken") == [(20,)]
    store.close()


def test_undo_takes_back_a_batch_once(store: Store) -> None:
    both = [edit("one", batch="b"), edit("two", batch="b")]
    store.changes.save(both)
    store.changes.save([edit("three")])
    assert [
        store.changes.undo("T2", "b"),
        store.changes.undo("T1", ""),
        store.changes.undo("T1", "b"),
        store.changes.undo("T1", "b"),
    ] == [*(False, False, True, False)]
    assert [found.text for found in store.changes.active("T1")] == ["three"]
    assert store.changes.save([edit("two")]) is None
    assert [found.text for found in store.changes.history("T1")] == ["two", "three"]


def test_an_edit_that_was_undone_is_not_saved_again_by_its_id(store: Store) -> None:
    first = edit("one", batch="b")
    store.changes.save([first])
    store.changes.undo("T1", "b")
    with pytest.raises(StoreError, match="Open it anew"):
        store.changes.save([first])


def test_the_revision_grows_with_each_edit_and_undoing_alone(store: Store) -> None:
    seen = [store.changes.revision("T1")]
    for work in (
        lambda: store.changes.save([edit("one", batch="b"), edit("two", batch="b")]),
        lambda: store.changes.save([edit("one")]),
        lambda: store.changes.undo("T1", "b"),
        lambda: store.changes.undo("T1", "b"),
        lambda: store.changes.save([edit("one", workspace="T2")]),
    ):
        work()
        seen.append(store.changes.revision("T1"))
    assert seen == [0, 1, 1, 2, 2, 2]


def test_threads_that_save_at_once_lose_nothing(store: Store) -> None:
    with ThreadPoolExecutor(6) as threads:
        saved = list(threads.map(lambda n: store.changes.save([edit(f"phrase {n // 2}")]), range(60)))
    assert saved.count(None) == 30
    assert len(store.changes.active("T1")) == store.changes.revision("T1") == 30
    batches = [found.batch for found in store.changes.active("T1")] * 2
    with ThreadPoolExecutor(6) as threads:
        assert sum(threads.map(lambda batch: store.changes.undo("T1", batch), batches)) == 30
    assert (store.changes.active("T1"), store.changes.revision("T1")) == ((), 60)


CURATOR = """
import sys
from bot.model import Change
from bot.store import Store
url, name = sys.argv[1:]
store = Store(url)
sys.stdin.readline()
for number in range(40):
    text = f"shared {number}" if number % 2 else f"{name} {number}"
    edit = Change(id=f"{name}-{number}", workspace="T1", kind="ask", text=text, entry="x", batch=f"{name}-{number}", by=name)
    other = Change(id=f"{name}-{number}-2", workspace="T1", kind="not_ask", text=f"{text} not", batch=edit.batch, by=name)
    found = store.changes.save([edit, other])
    print("saved" if found is None else "refused", number)
    if found is None and number % 10 == 0:
        print("undone" if store.changes.undo("T1", edit.batch) else "lost", number)
print("failures", store.database.failures)
"""


def test_two_curators_at_once_lose_no_edit(database: str) -> None:
    """In two processes: each edit is saved whole or refused for one that is; what both wanted, one has."""
    said = [output.splitlines() for output in outputs(programs(CURATOR, [(database, "a"), (database, "b")]))]
    assert [lines[-1] for lines in said] == ["failures 0"] * 2
    counted = Counter(line for lines in said for line in lines)
    assert [counted[f"saved {n}"] for n in range(40)] == [1 if n % 2 else 2 for n in range(40)]
    assert [counted[f"undone {n}"] for n in range(0, 40, 10)] == [2] * 4
    store = Store(database)
    active = Counter(found.batch for found in store.changes.active("T1"))
    assert set(active.values()) == {2}
    assert len(active) == 20 + 2 * 16
    assert store.changes.revision("T1") == 20 + 2 * 20 + 8
    assert rows(database, "select count(*) from askpy_taken") == [(2 * len(active),)]
    store.close()


def test_an_edit_never_seems_saved_while_the_database_is_away(store: Store, clock: Clock) -> None:
    store.changes.save([edit("one")])
    known = store.changes.active("T1")
    url = store.database._engine.url
    gone = Store(
        "postgresql://nobody@127.0.0.1:1/none" if url.get_backend_name() == "postgresql" else "sqlite:////dev/null/x"
    )
    with pytest.raises(StoreError, match=r"^The database can't be used just now, and nothing was saved\."):
        gone.changes.save([edit("two")])
    assert (gone.changes.revision("T1"), gone.changes.active("T1"), gone.changes.undo("T1", "b")) == (-1, (), False)
    gone.close()
    rest(store)
    assert (store.changes.revision("T1"), store.changes.active("T1"), store.changes.workspaces()) == (
        -1,
        known,
        ("T1",),
    )


# --- who waits


def test_one_caller_tells_who_waits(store: Store, clock: Clock) -> None:
    key, other = store.misses.add("T1", "what is poetry", "", 0.0), store.misses.add("T1", "what is uv", "", 0.0)
    assert [
        store.subscriptions.add("T1", key, "U1"),
        store.subscriptions.add("T1", key, "U1"),
        store.subscriptions.add("T1", "nothing", "U1"),
    ] == [
        True,
        True,
        False,
    ]
    clock.now += 1
    store.subscriptions.add("T1", other, "U2")
    assert store.subscriptions.all() == (
        Subscription("T1", key, "what is poetry", "U1"),
        Subscription("T1", other, "what is uv", "U2"),
    )
    with ThreadPoolExecutor(6) as threads:
        assert sum(threads.map(lambda _: store.subscriptions.remove("T1", key, "U1"), range(12))) == 1
    assert [found.user for found in store.subscriptions.all()] == ["U2"]


# --- counts and trials


def test_questions_are_counted_by_day_and_outcome(store: Store, clock: Clock) -> None:
    for outcome, channel in (("answered", ""), ("missed", ""), ("answered", ""), ("offered", "C1")):
        store.tallies.add("T1", outcome, channel)  # type: ignore[arg-type]
    clock.now += 6 * DAY
    store.tallies.add("T1", "answered")
    store.tallies.add("T2", "answered")
    first, last = "2023-11-14", "2023-11-20"
    assert store.tallies.week("T1") == (
        Tally(first, "answered", "", 2),
        Tally(first, "missed", "", 1),
        Tally(first, "offered", "C1", 1),
        Tally(last, "answered", "", 1),
    )
    assert store.tallies.week(None, days=1) == (Tally(last, "answered", "", 2),)
    clock.now += DAY
    assert [tally.day for tally in store.tallies.week("T1")] == [last]


def test_a_channel_on_trial_counts_anew(store: Store, clock: Clock) -> None:
    store.tallies.add("T1", "answered", "C1")
    store.votes.add("a0", "v", "s", "bad", "", "T1", "C1")
    clock.now += 1
    assert [
        store.pilots.contains("T1", "C1"),
        store.pilots.set("T1", "C1", True, "T1:U9"),
        store.pilots.contains("T1", "C1"),
    ] == [*(False, True, True)]
    for outcome in ("answered", "answered", "offered", "missed", "smalltalk"):
        store.tallies.add("T1", outcome, "C1")  # type: ignore[arg-type]
    store.votes.add("a1", "v", "s", "good", "", "T1", "C1")
    store.votes.add("a2", "v", "s", "bad", "", "T1", "C1")
    store.votes.add("a3", "v", "s", "bad", "", "T1", "C2")
    clock.now += 1
    assert store.pilots.set("T1", "C1", True, "T1:U9")
    assert store.pilots.set("T1", "C0", True, "T1:U9")
    assert store.pilots.all("T1") == (
        PilotChannel(channel="C1", since=NOW + 1, answered=2, offered=1, missed=1, good=1, bad=1),
        PilotChannel(channel="C0", since=NOW + 2),
    )
    assert store.pilots.set("T1", "C1", False, "T1:U9")
    assert [store.pilots.contains("T1", "C1"), store.pilots.contains("T2", "C0")] == [False, False]
    clock.now += 1
    assert store.pilots.set("T1", "C1", True, "T1:U9")
    assert store.pilots.all("T1")[0] == PilotChannel(channel="C0", since=NOW + 2)
    assert store.pilots.all("T1")[1] == PilotChannel(channel="C1", since=NOW + 3)


def test_a_channel_stays_on_trial_while_the_database_is_away(store: Store, clock: Clock) -> None:
    store.pilots.set("T1", "C1", True, "T1:U9")
    assert store.pilots.contains("T1", "C1")
    rest(store)
    assert [
        store.pilots.contains("T1", "C1"),
        store.pilots.contains("T1", "C2"),
        store.pilots.set("T1", "C1", False, ""),
    ] == [*(True, False, False)]


# --- forgetting


def test_a_person_is_forgotten(store: Store, database: str, clock: Clock) -> None:
    other = Store(database, clock, monotonic=clock)
    key = store.misses.add("T1", "what is poetry", "", 0.0)
    for user in ("U1", "U2"):
        store.subscriptions.add("T1", key, user)
        for place in ("D1:", "C1:1.1"):
            store.conversations.save(f"T1:{place}:{user}", ConversationState("topic", ("x",)))
    other.conversations.save("T1:C2:1.1:U1", ConversationState("topic", ("y",)))
    store.changes.save([edit("one", by="T1:U1"), edit("two", by="T1:U2")])
    store.pilots.set("T1", "C1", True, "T1:U1")
    assert store.forget("T2", "U1") == 0
    assert store.forget("T1", "U1") == 1 + 3 + 1 + 1
    assert [
        store.conversations.load("T1:D1::U1"),
        store.conversations.load("T1:C1:1.1:U1"),
        other.conversations.load("T1:C2:1.1:U1"),
    ] == [None] * 3
    assert store.conversations.load("T1:D1::U2") == ConversationState("topic", ("x",))
    assert [found.user for found in store.subscriptions.all()] == ["U2"]
    assert [(found.text, found.by) for found in store.changes.active("T1")] == [("one", ""), ("two", "T1:U2")]
    assert [(miss.text, miss.count) for miss in store.misses.all("T1")] == [("what is poetry", 1)]
    assert store.forget("T1", "U1") == 0
    other.close()
