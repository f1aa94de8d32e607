"""Migrations: from whatever an earlier release left, once, however many processes start, and nothing is lost."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from bot import doctor
from bot.model import ConversationState
from bot.settings import Secret, Settings
from bot.store import Store, database_url, migrate
from bot.store.tables import digest, metadata
from support.stores import NOW, Clock, edit, execute, outputs, programs, rows

pytestmark = pytest.mark.usefixtures("real_migrations")

FIRST = {
    "claims": """
        create table askpy_claims (key varchar(64) not null primary key, at float not null);
        create index askpy_claims_at on askpy_claims (at)
    """,
    "contexts": """
        create table askpy_contexts (conversation varchar(64) not null primary key, kind varchar(20) not null,
            ids varchar(4000) not null, grouped varchar(200), at float not null);
        create index askpy_contexts_at on askpy_contexts (at)
    """,
    "votes": """
        create table askpy_votes (answer varchar(64) not null, voter varchar(64) not null, subject varchar(1000) not null,
            vote varchar(10) not null, reason varchar(20) not null, at float not null, primary key (answer, voter));
        create index askpy_votes_at on askpy_votes (at)
    """,
}
"""What the release without migrations made."""


def first_release(url: str, *tables: str) -> None:
    if url.startswith("sqlite"):
        Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    number = "float" if url.startswith("sqlite") else "double precision"
    execute(url, *(part.replace("float", number) for table in tables for part in FIRST[table].split(";")))


def test_the_revisions_are_one_line_and_known() -> None:
    config = Config()
    config.set_main_option("script_location", str(migrate.FOLDER))
    script = ScriptDirectory.from_config(config)
    assert script.get_current_head() == migrate.HEAD == migrate.OURS[-1]
    assert tuple(reversed([found.revision for found in script.walk_revisions()])) == migrate.OURS


def differences(url: str) -> list[Any]:
    """What Alembic would still change."""
    engine = create_engine(database_url(url))
    with engine.connect() as connection:
        # Of SQLite Alembic can't tell one way of writing an empty default from another.
        options = {"version_table": "askpy_version", "compare_server_default": url.startswith("postgres")}
        found = list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))
    engine.dispose()
    return found


def test_the_migrations_make_the_tables_as_they_are_written_down(store: Store, database: str) -> None:
    assert store.prepare() == ""
    assert differences(database) == []


def test_a_database_of_the_first_release_is_taken_over_whole(database: str, clock: Clock) -> None:
    first_release(database, *FIRST)
    execute(
        database,
        f"insert into askpy_claims values ('{digest('T1:C1:1.1')}', {NOW - 60})",
        f"insert into askpy_contexts values ('{digest('T1:C1:1.1:U1')}', 'list', '[\"x\", \"y\"]', 'backend', {NOW - 60})",
        f"insert into askpy_votes values ('{digest('a')}', '{digest('v')}', 'library||flask', 'bad', 'outdated', {NOW - 60})",
    )
    store = Store(database, clock, monotonic=clock)
    assert (store.prepare(), store.probe(), store.database.failures) == ("", "", 0)
    assert not store.claims.claim_once("T1:C1:1.1")
    assert store.conversations.load("T1:C1:1.1:U1") == ConversationState("list", ("x", "y"), "backend")
    assert [(found.subject, found.count) for found in store.votes.complaints("")] == [("library||flask", 1)]
    assert store.changes.save([edit("one")]) is None
    assert differences(database) == []
    store.close()


@pytest.mark.parametrize("tables", [["claims"], ["claims", "votes"]])
def test_a_database_with_some_of_the_tables_is_taken_over_too(database: str, tables: list[str], clock: Clock) -> None:
    first_release(database, *tables)
    store = Store(database, clock, monotonic=clock)
    assert (store.prepare(), store.claims.claim_once("x"), store.votes.add("a", "v", "s", "good", "")) == (
        "",
        True,
        True,
    )
    assert differences(database) == []
    store.close()


def test_the_release_before_may_still_be_at_work(store: Store, database: str) -> None:
    """It writes the columns that it knows; what it claims counts as begun."""
    store.prepare()
    execute(
        database,
        f"insert into askpy_claims (key, at) values ('{digest('k')}', {NOW})",
        f"insert into askpy_contexts (conversation, kind, ids, at) values ('{digest('U1')}', 'topic', '[\"x\"]', {NOW})",
        f"insert into askpy_votes (answer, voter, subject, vote, reason, at) values ('a', 'v', 's', 'bad', '', {NOW})",
        "insert into askpy_changes (id, workspace, kind, text, entry, title, answer, asks, batch, by, at, revision, place)"
        f" values ('c', 'T1', 'entry', '', 'init', 'Init?', '__init__', '[\"init\"]', 'c', 'T1:U1', {NOW}, 1, 0)",
    )
    assert [(each.answer, each.answer_format) for each in store.changes.active("T1")] == [("__init__", "plain")]
    assert not store.claims.claim("k", "o")
    assert store.conversations.load("U1") == ConversationState("topic", ("x",))


def test_a_newer_database_is_used_as_it_is(
    store: Store, database: str, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    store.prepare()
    execute(database, "update askpy_version set version_num = '9999'")
    older = Store(database, clock, monotonic=clock)
    assert (older.prepare(), older.claims.claim_once("x"), older.database.failures) == ("", True, 0)
    assert "newer AskPy (revision 9999" in caplog.text
    assert rows(database, "select version_num from askpy_version") == [("9999",)]
    older.close()


def test_a_migration_that_fails_changes_nothing_and_is_told(
    database: str, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """Somebody else's table has our name: nothing of the migration stays, answers go on, and the doctor says why."""
    first_release(database, *FIRST)
    execute(database, "create table askpy_trials (id int)")
    store = Store(database, clock, monotonic=clock)
    told = store.prepare()
    assert "askpy_trials" in told
    assert "its tables can't be brought to this release's: " in store.probe()
    assert "already exists" in store.probe()
    ((subject, fault),) = doctor._database(Settings(database_url=Secret(database)))
    assert (subject, fault.count("already exists")) == ("database", 1)
    assert (store.claims.claim_once("k"), store.claims.claim_once("k")) == (True, False)
    assert len(caplog.messages) == 1
    with pytest.raises(Exception, match="owner"):
        rows(database, "select owner from askpy_claims")
    store.close()


STARTER = """
import sys
from bot.store import Store
store = Store(sys.argv[1])
sys.stdin.readline()
print(store.prepare() or "fine", store.claims.claim_once("one"), store.database.failures)
store.close()
"""


@pytest.mark.parametrize(
    "tables", [pytest.param([], marks=pytest.mark.e2e), list(FIRST)], ids=["empty", "first release"]
)
def test_processes_that_start_together_migrate_once(database: str, tables: list[str]) -> None:
    first_release(database, *tables)
    said = outputs(programs(STARTER, [(database,)] * 3))
    assert sorted(said) == ["fine False 0\n"] * 2 + ["fine True 0\n"]
    assert rows(database, "select version_num from askpy_version") == [(migrate.HEAD,)]
    assert differences(database) == []


def test_a_start_waits_longer_for_a_migration_than_an_answer_could(database: str, clock: Clock) -> None:
    """Another process is migrating for a while: who starts meanwhile waits, and then finds it done."""
    first_release(database, *FIRST)
    slow, quick = Store(database, clock, monotonic=clock), Store(database, clock, monotonic=clock)
    begun = threading.Event()

    def at_work() -> None:
        with slow.database.migration() as connection:
            migrate.guard(connection, 30)
            begun.set()
            time.sleep(3)
            migrate.migrate(connection)

    other = threading.Thread(target=at_work)
    other.start()
    begun.wait(10)
    assert (quick.prepare(), quick.claims.claim_once("k"), quick.database.failures) == ("", True, 0)
    other.join()
    slow.close()
    quick.close()


def test_several_stores_of_one_process_start_together(database: str, clock: Clock) -> None:
    stores = [Store(database, clock, monotonic=clock) for _ in range(4)]
    told: list[str] = []
    threads = [threading.Thread(target=lambda store=store: told.append(store.prepare())) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told == [""] * 4
    for store in stores:
        store.close()
