"""PRIVACY.md keeps its word: each column that is kept stands in it, each time in it is what the code goes by, and old rows go."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.exc import DBAPIError

from bot import file_cache
from bot.keys import SecretKeys
from bot.model import ConversationState, HelpRequest
from bot.serving import build
from bot.settings import Secret, Settings
from bot.slack.transport.client import SlackConfig
from bot.store import (
    CLAIM_LASTS,
    CONTEXT_LASTS,
    DAY,
    MOST_MISSES,
    POSTS_GO_WITHIN,
    PURGE_AFTER,
    PURGE_EVERY,
    RETENTION_DAYS,
    STATE_LASTS,
    TURN_LASTS,
    WAITING_LASTS,
    Store,
    StoredInstallation,
    database_url,
)
from bot.store.connections import make_engine
from bot.store.tables import digest, metadata
from support.stores import NOW, Clock, edit, everything, rows

PAPER = Path(__file__).parents[1] / "PRIVACY.md"

COVERED = {
    "askpy_claims": (1, "key at owner begun", "a digest of where it stands and of its delivery"),
    "askpy_contexts": (2, "conversation kind ids grouped at person", "which entries it was about and digests of"),
    "askpy_votes": (
        3,
        "answer voter subject vote reason at workspace channel",
        "what the answer was about, good or bad",
    ),
    "askpy_misses": (
        4,
        "workspace key text count best score first last",
        "its words without mentions, links, e-mail addresses",
    ),
    "askpy_waiting": (5, "workspace key user at", "the Slack id and which question"),
    "askpy_changes": (
        6,
        "id workspace kind text entry title answer asks batch by at revision place undone answer_format source_date"
        " source_url",
        "its words, workspace, time, and the curator's Slack id",
    ),
    "askpy_help_requests": (
        5,
        "id workspace asker text answer_ref channel ts origin_channel origin_thread at outcome answer link by settled_at told_at"
        " telling_at shown_at forgotten_at",
        "its words as they were posted in the help channel, the asker's Slack id and workspace, where it was asked if others",
    ),
    "askpy_taken": (6, "workspace name change", "its words"),
    "askpy_revisions": (6, "workspace number", "workspace"),
    "askpy_tallies": (7, "day workspace channel outcome count", "how many ended how, by day, workspace, and channel"),
    "askpy_trials": (
        7,
        "workspace channel since by answered offered missed",
        "its channel, start, counts and the curator",
    ),
    "askpy_turns": (2, "owner conversation position process at", "the time of its message that is just being answered"),
    "askpy_installations": (
        8,
        "team name bot_token refresh_token expires_at bot bot_user scopes installer curators at revision",
        "the encrypted tokens, the bot's ids and scopes, and the Slack ids of who installed it and who may curate",
    ),
    "askpy_org_teams": (8, "team organisation", "which workspaces of an organisation have used it"),
    "askpy_oauth_states": (8, "state at", "a digest of the attempt"),
    "askpy_departed": (8, "team at", "the workspace's id and when it removed the app"),
    "askpy_processes": (0, "process at", ""),  # which processes of the bot there are: nothing of anybody
    "askpy_version": (0, "version_num", ""),  # the tables' own revision: nothing of anybody
}
"""Of each table: the line of PRIVACY.md, the columns that it covers, and words of that line that say so."""


def lines() -> dict[int, str]:
    """The numbered lines."""
    return {
        int(number): told
        for number, told in re.findall(r"^(\d+)\. (.+)$", PAPER.read_text(encoding="utf-8"), re.MULTILINE)
    }


def test_ten_lines() -> None:
    assert list(lines()) == list(range(1, 11))


def test_every_column_that_is_kept_stands_in_a_line(store: Store, database: str) -> None:
    assert store.prepare() == ""
    engine = create_engine(database_url(database))
    found = inspect(engine)
    there = {table: [column["name"] for column in found.get_columns(table)] for table in found.get_table_names()}
    engine.dispose()
    assert {table: sorted(columns) for table, columns in there.items()} == {
        table: sorted(columns.split()) for table, (_, columns, _) in COVERED.items()
    }
    assert set(metadata.tables) == set(COVERED) - {"askpy_version"}
    told = lines() | {0: ""}
    assert [table for table, (line, _, words) in COVERED.items() if words not in told[line]] == []


def test_the_times_are_those_that_the_store_goes_by() -> None:
    told = lines()
    times = {number: re.findall(r"(\d+) (minutes|hours?|days)", told[number]) for number in told}
    assert {number: found for number, found in times.items() if found} == {
        1: [(str(CLAIM_LASTS // 3600), "hours")],
        2: [(str(CONTEXT_LASTS // 60), "minutes")],
        3: [(str(RETENTION_DAYS), "days")],
        4: [(str(RETENTION_DAYS), "days")],
        5: [(str(WAITING_LASTS // DAY), "days"), (str(RETENTION_DAYS), "days")],
        6: [(str(RETENTION_DAYS), "days")],
        7: [(str(RETENTION_DAYS), "days")],
        8: [(str(STATE_LASTS // 60), "minutes"), (str((PURGE_AFTER + PURGE_EVERY) // 3600), "hours")],
        9: [(str(RETENTION_DAYS), "days")],
        10: [(str(POSTS_GO_WITHIN // DAY), "days")],
    }
    assert f"the {MOST_MISSES:,} most asked" in told[4]
    assert Settings().retention_days == RETENTION_DAYS
    assert PURGE_EVERY == 3600
    assert "every hour" in told[9]


# --- what is past its time is gone


def put_to_people(store: Store, team: str, asker: str, text: str = "who is it", ts: str = "1.1") -> str:
    """A question that was put to people; its id."""
    request = HelpRequest(workspace=team, asker=asker, text=text, channel="C9", at=store._clock())
    request, is_new = store.help_requests.add(request, text)
    assert is_new
    assert not ts or store.help_requests.set_post(request, ts)
    return request.id


def fill(store: Store, name: str) -> None:
    """A row in each table that forgets."""
    assert store.claims.claim_once(name)
    store.conversations.save(f"T1:C1::{name}", ConversationState("topic", ("x",)))
    store.turns.join(f"T1:C1::{name}", 1.0, name)
    assert store.votes.add(name, "v", "s", "good", "", "T1", "C1")
    assert store.subscriptions.add("T1", store.misses.add("T1", f"who is {name}", "", 0.1), name)
    assert put_to_people(store, "T1", name, ts="")
    assert store.changes.save([edit(f"undone {name}", batch=name)]) is None
    assert store.changes.undo("T1", name)
    store.tallies.add("T1", "missed")
    assert store.installations.use_state(name)


LIMITS = {
    "askpy_claims": CLAIM_LASTS,
    "askpy_contexts": CONTEXT_LASTS,
    "askpy_turns": int(TURN_LASTS),
    "askpy_votes": 40 * DAY,
    "askpy_misses": 40 * DAY,
    "askpy_changes": 40 * DAY,
    "askpy_waiting": WAITING_LASTS,
    "askpy_help_requests": 40 * DAY,  # of those that Slack hasn't taken; the others wait for their posts to be deleted
    "askpy_oauth_states": STATE_LASTS,
}


@pytest.mark.parametrize("table", LIMITS)
def test_the_old_is_purged_and_the_young_stays(table: str, database: str, clock: Clock) -> None:
    store = Store(database, clock, retention_days=40)
    fill(store, "old")
    clock.now += 2
    fill(store, "young")
    clock.now += LIMITS[table] - 2
    count = f"select count(*) from {table}"
    assert rows(database, count) == [(2,)]
    store.purge()
    assert rows(database, count) == [(1,)]
    clock.now += 2
    store.purge()
    assert rows(database, count) == [(0,)]
    assert store.database.failures == 0
    store.close()


def test_a_question_put_to_people_is_emptied_and_goes_when_its_post_is_deleted(database: str, clock: Clock) -> None:
    store = Store(database, clock, retention_days=40)
    requests = store.help_requests
    put_to_people(store, "T1", "U0ASKER", "where are the elephants")
    assert requests.settle(put_to_people(store, "T1", "U0OTHER", ts="1.2"), "thread", "U0HELPER", link="https://x")
    clock.now += 40 * DAY - 1
    store.purge()
    assert [each.asker for each in (*requests.unfinished_page(None), *requests.open_page(None))] == [
        "U0OTHER",
        "U0ASKER",
    ]
    clock.now += 1
    store.purge()
    assert sorted(request.ts for request in requests.forgotten_page(None)) == ["1.1", "1.2"]
    assert [value for _, value in everything(database) if re.search("U0|elephants|https", value)] == []
    clock.now += POSTS_GO_WITHIN - 1
    store.purge()
    assert len(requests.forgotten_page(None)) == 2
    clock.now += 1
    store.purge()
    assert rows(database, "select count(*) from askpy_help_requests") == [(0,)]
    store.close()


def test_what_is_left_of_a_forgotten_question_goes_within_a_week(store: Store, database: str, clock: Clock) -> None:
    """Also if Slack gave no word whether its post arrived: then the first press of its buttons would tell."""
    for ts in ("1.1", ""):
        put_to_people(store, "T1", "U0ASKER", f"elephants {ts}", ts=ts)
    assert store.forget("T1", "U0ASKER") == 2
    assert [value for _, value in everything(database) if re.search("U0|elephants", value)] == []
    assert [request.ts for request in store.help_requests.forgotten_page(None)] == ["1.1"]
    clock.now += POSTS_GO_WITHIN
    store.purge()
    assert rows(database, "select count(*) from askpy_help_requests") == [(0,)]


def test_counts_are_purged_by_day(database: str, clock: Clock) -> None:
    store = Store(database, clock, retention_days=40)
    fill(store, "old")
    clock.now += DAY
    fill(store, "young")
    clock.now += 39 * DAY
    store.purge()
    assert rows(database, "select day from askpy_tallies") == [("2023-11-15",)]
    store.close()


def test_nobody_waits_longer_than_the_question_is_kept(database: str, clock: Clock) -> None:
    store = Store(database, clock, retention_days=2)
    fill(store, "old")
    clock.now += 2 * DAY
    store.purge()
    assert rows(database, "select count(*) from askpy_waiting") == [(0,)]
    store.close()


def test_what_is_in_force_stays(store: Store, clock: Clock) -> None:
    store.changes.save([edit("one")])
    store.pilots.set("T1", "C1", True, "T1:U9")
    clock.now += 10_000 * DAY
    store.purge()
    assert ([found.text for found in store.changes.active("T1")], store.pilots.contains("T1", "C1")) == (["one"], True)
    assert store.changes.revision("T1") == 1


# --- workspaces that remove the app

WORKSPACES = ("T1", "T2")


def install(store: Store, team: str, **fields: Any) -> None:
    store.installations.save(StoredInstallation(team=team, bot_token="gAAA", installer="U0INSTALLER", **fields))


def use(store: Store, team: str) -> None:
    """A row in each table that names a workspace."""
    assert store.votes.add(f"{team}:C1:1", "v", "s", "good", "", team, "C1")
    assert store.subscriptions.add(team, store.misses.add(team, "who is it", "", 0.1), "U1")
    assert store.changes.save([edit("one", workspace=team, by=f"{team}:U9")]) is None
    assert [each.text for each in store.changes.active(team)] == ["one"]
    assert store.pilots.set(team, "C1", True, f"{team}:U9")
    put_to_people(store, team, "U1")
    store.tallies.add(team, "missed", "C1")


def tables_of(url: str, team: str) -> set[str]:
    """The tables in which a workspace's id stands, alone or before a colon."""
    return {table.removeprefix("askpy_") for table, value in everything(url) if value == team or f"{team}:" in value}


ALL = {"votes", "misses", "waiting", "help_requests", "changes", "taken", "revisions", "tallies", "trials"}
"""The tables that name a workspace, apart from its installation."""


def test_every_table_that_names_a_workspace_is_known_here() -> None:
    named = {name.removeprefix("askpy_") for name, table in metadata.tables.items() if "workspace" in table.columns}
    assert named == ALL


class Hours:
    """Stops a purge loop after so many hours, which the clock runs meanwhile; `seen` is what `look` says before each purge."""

    def __init__(self, clock: Clock, hours: int, look: Callable[[], Any]) -> None:
        self.clock, self.left, self.look = clock, hours, look
        self.seen: list[Any] = []

    def wait(self, seconds: float) -> bool:
        self.seen.append(self.look())
        self.clock.now += seconds
        self.left -= 1
        return self.left < 0


def test_a_workspace_that_removes_the_app_is_gone_within_a_day(store: Store, database: str, clock: Clock) -> None:
    """Its tokens at once, its words and ids within two hours: by the purge that runs every hour. The other one stays."""
    for team in WORKSPACES:
        install(store, team)
        use(store, team)
    before = list(everything(database))
    assert store.installations.remove("T1")
    assert tables_of(database, "T1") == {*ALL, "departed"}
    hours = Hours(clock, 24, lambda: tables_of(database, "T1"))
    store.run_purge_loop(hours)  # type: ignore[arg-type]
    assert hours.seen[0] == {*ALL, "departed"}
    assert hours.seen[(PURGE_AFTER + PURGE_EVERY) // PURGE_EVERY :] == [set()] * 23
    assert tables_of(database, "T2") == {*ALL, "installations"}
    of_other = [(table, value) for table, value in before if "T2" in value]
    assert [(table, value) for table, value in everything(database) if "T2" in value] == of_other
    assert store.changes._known.keys() == {"T2"}
    assert store.changes.active("T2") != ()


def test_who_installs_again_keeps_what_there_is(store: Store, database: str, clock: Clock) -> None:
    install(store, "T1")
    use(store, "T1")
    assert store.installations.remove("T1")
    clock.now += PURGE_AFTER
    install(store, "T1")
    store.purge()
    assert tables_of(database, "T1") == {*ALL, "installations"}


def test_who_installs_again_during_a_purge_keeps_what_comes_after(
    store: Store, database: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was read a moment before doesn't count: each step looks again whether the app is still removed."""
    install(store, "T1")
    assert store.installations.remove("T1")
    clock.now += PURGE_AFTER
    listed = store.installations.removed_teams()
    install(store, "T1")
    use(store, "T1")
    monkeypatch.setattr(store.installations, "removed_teams", lambda: listed)
    store.purge()
    assert tables_of(database, "T1") == {*ALL, "installations"}


def test_an_organisation_takes_its_workspaces_with_it(store: Store, database: str, clock: Clock) -> None:
    """But not one that has an installation of its own, nor one that removes its own while the organisation's is there."""
    for team in ("E1", "T3", "T4"):
        install(store, team)
    for team in ("T1", "T3", "T4"):
        assert store.installations.find("E1") is not None
        store.installations.note_member(team, "E1")
        use(store, team)
    assert store.installations.remove("T4")
    clock.now += PURGE_AFTER
    store.purge()
    assert tables_of(database, "T4") == {*ALL, "org_teams"}
    assert store.installations.remove("E1")
    clock.now += PURGE_AFTER
    store.purge()
    left = {team: tables_of(database, team) for team in ("E1", "T1", "T3", "T4")}
    assert left == {"E1": set(), "T1": set(), "T3": {*ALL, "installations"}, "T4": set()}


def test_an_organisation_that_comes_back_is_met_anew(store: Store, database: str, clock: Clock) -> None:
    for _ in range(2):
        install(store, "E1")
        assert store.installations.find("E1") is not None
        store.installations.note_member("T1", "E1")
        use(store, "T1")
        assert store.installations.remove("E1")
        clock.now += PURGE_AFTER
        store.purge()
        assert tables_of(database, "T1") | tables_of(database, "E1") == set()


def test_two_processes_that_purge_at_once_leave_nothing_and_take_nothing_else(
    database: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one purges in the middle of ours, and the workspace installs the app again after that."""
    ours, other = (Store(database, clock, monotonic=clock) for _ in range(2))
    install(ours, "T1")
    use(ours, "T1")
    assert ours.installations.remove("T1")
    clock.now += PURGE_AFTER
    transaction, steps = ours.database.transaction, iter(range(1, 100))

    def meanwhile(work: Any) -> Any:
        if next(steps) == 3:
            other.purge()
            assert tables_of(database, "T1") == set()
            install(other, "T1")
            use(other, "T1")
        return transaction(work)

    monkeypatch.setattr(ours.database, "transaction", meanwhile)
    ours.purge()
    assert tables_of(database, "T1") == {*ALL, "installations"}
    for store in (ours, other):
        store.close()


def test_a_purge_that_is_interrupted_goes_on_with_the_next(
    database: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database that goes away in between: what says that the workspace has to go, goes last."""
    store = Store(database, clock, monotonic=clock)
    install(store, "T1")
    use(store, "T1")
    assert store.installations.remove("T1")
    clock.now += PURGE_AFTER
    transaction, times = store.database.transaction, iter(range(4))

    def breaking(work: Any) -> Any:
        if next(times, None) is None:
            raise OSError("gone")
        return transaction(work)

    with monkeypatch.context() as patch:
        patch.setattr(store.database, "transaction", breaking)
        store.purge()
    assert {"departed", "trials"} < tables_of(database, "T1") < {*ALL, "departed"}
    clock.now += 60
    store.purge()
    assert tables_of(database, "T1") == set()
    store.close()


def test_thousands_of_rows_of_a_workspace_go(store: Store, database: str, clock: Clock) -> None:
    install(store, "T1")
    engine = create_engine(database_url(database))
    with engine.begin() as connection:
        votes = [
            {
                "answer": f"{n:064}",
                "voter": "v",
                "subject": "s",
                "vote": "good",
                "reason": "",
                "at": NOW,
                "workspace": "T1",
            }
            for n in range(1300)
        ]
        connection.execute(metadata.tables["askpy_votes"].insert(), votes)
    engine.dispose()
    assert store.installations.remove("T1")
    clock.now += PURGE_AFTER
    store.purge()
    assert tables_of(database, "T1") == set()


def test_a_removed_workspaces_tokens_and_words_are_gone_from_the_file_too(tmp_path: Path, clock: Clock) -> None:
    store = Store(f"sqlite:///{tmp_path}/askpy.db", clock)
    store.installations.save(StoredInstallation(team="T0GONE", bot_token="gAAAtoken"))
    use(store, "T0GONE")
    assert store.installations.remove("T0GONE")
    assert b"gAAAtoken" not in b"".join(path.read_bytes() for path in tmp_path.iterdir())
    clock.now += PURGE_AFTER
    store.purge()
    assert b"T0GONE" not in b"".join(path.read_bytes() for path in tmp_path.iterdir())
    store.close()


def test_a_workspace_is_forgotten_at_the_operators_word(store: Store, database: str) -> None:
    for team in WORKSPACES:
        install(store, team)
        use(store, team)
    first = store.forget_workspace("T1")
    names = "edits by curators|people who wait for an answer|questions put to people|questions without an answer|votes|counts"
    counts = dict.fromkeys(["installations, with their tokens", *names.split("|"), "channels on trial"], 1)
    assert (first.counts, first.was_installed, tables_of(database, "T1")) == (counts, True, {"departed"})
    store.misses.add("T1", "what was in hand", "", 0.1)
    assert store.forget_workspace("T1").counts == {"questions without an answer": 1}
    assert (tables_of(database, "T1"), tables_of(database, "T2")) == (set(), {*ALL, "installations"})
    assert store.forget_workspace("T1").rows == 0


def test_an_organisation_is_forgotten_with_its_workspaces(store: Store, database: str) -> None:
    for team in ("E1", "T2"):
        install(store, team)
    for team in ("T1", "T2"):
        store.installations.note_member(team, "E1")
        use(store, team)
    assert store.forget_workspace("T1").organisation == "E1"
    assert tables_of(database, "T1") == {"org_teams"}
    use(store, "T1")
    first = store.forget_workspace("E1")
    assert (first.teams, first.served) == (("E1", "T1"), ("T2",))
    store.forget_workspace("E1")
    assert tables_of(database, "T1") | tables_of(database, "E1") == set()
    assert tables_of(database, "T2") == {*ALL, "installations"}


# --- rotations lose nobody


def keyed(database: str, clock: Clock, *keys: str) -> Store:
    """A store with ids under the first key, which knows those of the others."""
    known = SecretKeys(",".join(key * 40 for key in keys))
    return Store(database, clock, hmac_id=known.hmac_id, former_ids=lambda text: known.hmac_ids(text)[1:])


def test_a_rotated_key_loses_nobody(database: str, clock: Clock) -> None:
    """A conversation goes on, a vote is changed and not counted again, and who wants to be forgotten is found."""
    old, new = keyed(database, clock, "a"), keyed(database, clock, "b", "a")
    old.conversations.save("T1:C1:1.1:U1", ConversationState("topic", ("flask",)))
    assert new.conversations.load("T1:C1:1.1:U1") == ConversationState("topic", ("flask",))
    clock.now += 1
    new.conversations.save("T1:C1:1.1:U1", ConversationState("topic", ("django",)))
    assert new.conversations.load("T1:C1:1.1:U1") == ConversationState("topic", ("django",))
    old.conversations.save("T1:C1:2.1:U1", ConversationState("topic", ("flask",)))
    voter, (former,) = new._hmac_id("T1:1:U1"), new._former_ids("T1:1:U1")
    assert old.votes.add("T1:1", old._hmac_id("T1:1:U1"), "s", "good", "")
    assert new.votes.add("T1:1", voter, "s", "bad", "", former_voters=(former,))
    assert rows(database, "select vote from askpy_votes") == [("bad",)]
    stranger = keyed(database, clock, "c")
    assert [store.forget("T1", "U1") for store in (stranger, new)] == [0, 3]
    assert rows(database, "select count(*) from askpy_contexts") == [(0,)]
    assert new.conversations.load("T1:C1:1.1:U1") is None
    for store in (old, new, stranger):
        store.close()


def test_a_key_that_is_taken_out_after_half_an_hour_loses_nobody(database: str, clock: Clock) -> None:
    """Though what it named is purged once an hour."""
    old, new = keyed(database, clock, "a"), keyed(database, clock, "b")
    old.conversations.save("T1:C1:1.1:U1", ConversationState("topic", ("flask",)))
    clock.now += CONTEXT_LASTS
    new.forget("T1", "U1")
    assert rows(database, "select count(*) from askpy_contexts") == [(0,)]
    for store in (old, new):
        store.close()


def test_thousands_of_old_rows_are_purged(store: Store, database: str, clock: Clock) -> None:
    store.prepare()
    engine = create_engine(database_url(database))
    with engine.begin() as connection:
        many = [
            {"answer": f"{number:064}", "voter": "v", "subject": "s", "vote": "good", "reason": "", "at": NOW}
            for number in range(2600)
        ]
        connection.execute(metadata.tables["askpy_votes"].insert(), many)
    engine.dispose()
    clock.now += RETENTION_DAYS * DAY
    store.purge()
    assert rows(database, "select count(*) from askpy_votes") == [(0,)]


def test_a_purge_runs_at_the_start_and_every_hour(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    purged: list[int] = []

    class Stop:
        def wait(self, seconds: float) -> bool:
            waited.append(seconds)
            return len(waited) > 2

    monkeypatch.setattr(type(store), "purge", lambda self: purged.append(len(waited)))
    store.run_purge_loop(Stop())  # type: ignore[arg-type]
    assert (purged, waited) == ([0, 1, 2], [PURGE_EVERY] * 3)


# --- what stands where


def test_ids_and_words_are_stored_only_where_privacy_md_says(store: Store, database: str) -> None:
    store.claims.claim_once("T0TEAM:C0CHANNEL:1.1:U0ASKER")
    store.conversations.save("T0TEAM:C0CHANNEL:1.1:U0ASKER", ConversationState("topic", ("flask",)))
    key = store.misses.add(
        "T0TEAM", "what about giraffes, <@U0OTHER>, <mailto:me@giraffes.example|me@giraffes.example>", "", 0.1
    )
    store.votes.add("T0TEAM:C0CHANNEL:1.1", "U0ASKER", "topic||flask", "bad", "wrong", "T0TEAM", "C0CHANNEL")
    store.subscriptions.add("T0TEAM", key, "U0ASKER")
    store.changes.save([edit("what about zebras", workspace="T0TEAM", by="T0TEAM:U0CURATOR")])
    store.pilots.set("T0TEAM", "C0CHANNEL", True, "T0TEAM:U0CURATOR")
    store.help_requests.settle(
        put_to_people(store, "T0TEAM", "U0ASKER", "where are the elephants"), "thread", "U0HELPER"
    )
    store.tallies.add("T0TEAM", "missed", "C0CHANNEL")
    store.installations.save(
        StoredInstallation(team="T0TEAM", bot_token="gAAA", installer="U0INSTALLER", curators="U0NAMED")
    )
    found = list(everything(database))
    where: dict[str, Any] = {
        word: {table.removeprefix("askpy_") for table, value in found if word in value}
        for word in "U0ASKER U0OTHER U0CURATOR U0HELPER U0INSTALLER U0NAMED giraffes zebras elephants C0CHANNEL".split()
    }
    assert where == {
        "U0ASKER": {"waiting", "help_requests"},
        "U0OTHER": set(),
        "U0CURATOR": {"changes", "trials"},
        "U0HELPER": {"help_requests"},
        "U0INSTALLER": {"installations"},
        "U0NAMED": {"installations"},
        "giraffes": {"misses"},
        "zebras": {"changes"},
        "elephants": {"help_requests"},
        "C0CHANNEL": {"votes", "tallies", "trials"},
    }
    assert store.forget("T0TEAM", "U0HELPER") == 1
    assert store.forget("T0TEAM", "U0ASKER") == 3
    assert store.forget("T0TEAM", "U0CURATOR") == 2
    assert [
        table for table, value in everything(database) if re.search("U0(ASKER|OTHER|CURATOR|HELPER)|elephants", value)
    ] == []
    assert (store.installations.remove("T0TEAM"), store.forget_workspace("T0TEAM").teams) == (True, ("T0TEAM",))
    assert [table for table, value in everything(database) if re.search("T0|U0|C0", value)] == []


def test_who_has_the_database_alone_cannot_look_for_a_person(tmp_path: Path) -> None:
    """Ids are no secret: without the bot's token nobody can tell whose a conversation was, or a vote."""
    url, conversation = f"sqlite:///{tmp_path}/askpy.db", "T1:C1:1.1:U0ASKER"
    pack = Path(__file__).parent / "packs" / "handbook"
    settings = Settings(knowledge=pack, cache=tmp_path / "cache", database_url=Secret(url))
    config = SlackConfig(bot_token="xoxb-1", signing_secret="s")
    bot, thief = build(settings, config).store, Store(url)
    bot.conversations.save(conversation, ConversationState("topic", ("flask",)))
    known = {digest(conversation), digest("T1:U0ASKER"), digest("U0ASKER")}
    assert [value for _, value in everything(url) if value in known] == []
    assert [store.conversations.load(conversation) is not None for store in (bot, thief)] == [True, False]
    assert [store.forget("T1", "U0ASKER") for store in (thief, bot)] == [0, 1]
    for store in (bot, thief):
        store.close()


def test_a_person_whom_the_release_before_knew_is_forgotten_too(store: Store, database: str, clock: Clock) -> None:
    """Beside this one it may still run, and it names people without the token."""
    store.conversations.save("T1:C1:1.1:U1", ConversationState("topic", ("flask",)))
    sealed = Store(database, clock, hmac_id=lambda text: digest(f"a secret {text}"))
    assert [sealed.forget("T1", user) for user in ("U2", "U1")] == [0, 1]
    sealed.close()
    assert rows(database, "select count(*) from askpy_contexts") == [(0,)]


def test_who_is_forgotten_is_gone_from_the_file_too(tmp_path: Path) -> None:
    """From the database's file and its write-ahead log, at once: not only from its tables."""
    store = Store(f"sqlite:///{tmp_path}/askpy.db")
    assert store.subscriptions.add("T1", store.misses.add("T1", "who is it", "", 0.1), "U0FORGOTTEN")
    assert b"U0FORGOTTEN" in b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert store.forget("T1", "U0FORGOTTEN") == 1
    assert b"U0FORGOTTEN" not in b"".join(path.read_bytes() for path in tmp_path.iterdir())
    store.close()


def test_a_folder_that_we_make_is_our_own(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/data/askpy.db")
    assert store.prepare() == ""
    store.close()
    assert oct((tmp_path / "data").stat().st_mode & 0o777) == oct(0o700)


def test_a_file_that_we_make_is_our_own(tmp_path: Path) -> None:
    """Also in a folder that anybody may look into: the database, what lies beside it, and the indexes with curators' words."""
    tmp_path.chmod(0o755)
    store = Store(f"sqlite:///{tmp_path}/askpy.db")
    assert store.claims.claim_once("x")
    file_cache.write_atomic(tmp_path / "index-x.bin", lambda file: file.write(b"x"), 1)
    modes = {path.name: oct(path.stat().st_mode & 0o777) for path in tmp_path.iterdir()}
    store.close()
    assert {"askpy.db", "askpy.db-wal", "index-x.bin"} <= set(modes)
    assert set(modes.values()) == {oct(0o600)}


def test_of_questions_in_vain_the_most_asked_are_kept(store: Store, database: str) -> None:
    """So that nobody fills the disk with them. Whoever waits for one that goes waits no longer."""
    store.prepare()
    for workspace, many in (("T1", MOST_MISSES + 600), ("T2", 3)):
        kept_ones = [
            {"workspace": workspace, "key": f"{n:064}", "text": f"who is {n}", "count": 1, "best": "", "score": 0.0}
            | {"first": NOW, "last": NOW + n / 10_000}
            for n in range(many)
        ]
        engine = create_engine(database_url(database))
        with engine.begin() as connection:
            connection.execute(metadata.tables["askpy_misses"].insert(), kept_ones)
        engine.dispose()
    often = store.misses.add("T1", "who is asked twice", "", 0.1)
    assert often == store.misses.add("T1", "who is asked twice", "", 0.1)
    assert store.subscriptions.add("T1", f"{0:064}", "U1")
    store.purge()
    assert rows(database, "select workspace, count(*) from askpy_misses group by workspace order by workspace") == [
        ("T1", MOST_MISSES),
        ("T2", 3),
    ]
    assert [miss.key for miss in store.misses.all("T1", 1)] == [often]
    assert rows(database, "select count(*) from askpy_waiting") == [(0,)]


def test_what_a_database_complains_of_holds_no_words(store: Store, database: str) -> None:
    assert store.prepare() == ""
    engine = make_engine(database)
    with engine.connect() as connection, pytest.raises(DBAPIError) as complaint:
        connection.execute(text("select :asked from nowhere"), {"asked": "about giraffes"})
    engine.dispose()
    assert "giraffes" not in str(complaint.value)
