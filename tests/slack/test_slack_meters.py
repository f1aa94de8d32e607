"""The meters: what the page tells, alone and for several processes together, and without the library."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import Door, make_door
from slack_stub import Fault, Stub

from bot.slack.meters import Meters, State
from bot.store import REST, Store


def told(meters: Meters) -> dict[str, float]:
    """Every sample of ours on the page."""
    status, kind, body = meters.page()
    assert (status, kind) == (200, "text/plain; version=0.0.4")
    lines = [line for line in body.decode().splitlines() if line.startswith("askpy_") and "_created" not in line]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def test_the_page_tells_what_happened() -> None:
    state = State(failures=2, version="abc", entries=46, loaded_at=1700000000.0)
    meters = Meters(lambda: state)
    meters.question("library", "dm")
    meters.question("library", "dm")
    meters.took("handed", 0.02)
    meters.ended("posted")
    meters.error("chat.postMessage", "not_in_channel")
    meters.error("", "x" * 99)
    meters.resend()
    meters.repeated()
    meters.queued("requests", 3)
    meters.queued("requests", -1)
    page = told(meters)

    assert (
        page.items()
        >= {
            'askpy_questions_total{kind="library",surface="dm"}': 2,
            'askpy_answers_total{outcome="posted"}': 1,
            'askpy_slack_errors_total{code="not_in_channel",method="chat.postMessage"}': 1,
            'askpy_slack_errors_total{code="other",method="response_url"}': 1,
            "askpy_resends_total": 1,
            "askpy_repeated_deliveries_total": 1,
            "askpy_database_failures_total": 2,
            'askpy_queue{of="requests"}': 2,
            'askpy_knowledge{version="abc"}': 1,
            "askpy_knowledge_entries": 46,
            "askpy_knowledge_loaded_seconds": 1700000000,
            'askpy_answer_seconds_count{until="handed"}': 1,
            'askpy_answer_seconds_bucket{le="0.025",until="handed"}': 1,
        }.items()
    )
    names = set(re.findall(r'(\w+)="', "".join(name for name in page if name.startswith("askpy_"))))
    assert names == {"kind", "surface", "outcome", "method", "code", "of", "version", "until", "le"}
    assert re.search(rb"^process_resident_memory_bytes [1-9]", meters.page()[2], re.MULTILINE)


def test_another_version_takes_the_place_of_the_first() -> None:
    states = [State(version="old", failures=1), State(version="new", failures=4)]
    meters = Meters(lambda: states[0])
    told(meters)
    del states[0]
    page = told(meters)
    assert (page['askpy_knowledge{version="old"}'], page['askpy_knowledge{version="new"}']) == (0, 1)
    assert page["askpy_database_failures_total"] == 4


def test_without_the_library_the_page_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    meters = Meters(lambda: State(version="x"))
    meters.question("library", "dm")
    meters.took("handed", 1)
    meters.ended("posted")
    meters.error("", "x")
    meters.resend()
    meters.repeated()
    meters.queued("requests", 1)
    status, _, body = meters.page()
    assert status == 501
    assert b"requirements.txt" in body


PROCESS = """
from bot.slack.meters import Meters, State
meters = Meters(lambda: State(version="abc", entries=46, loaded_at=5.0))
meters.question("library", "dm")
meters.queued("requests", 2)
meters.look()
print(meters.page()[2].decode())
"""


def test_several_processes_count_together(tmp_path: Path) -> None:
    env = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "metrics")}
    env["PYTHONPATH"] = str(Path(__file__).parents[2])
    pages = [
        subprocess.run([sys.executable, "-c", PROCESS], env=env, capture_output=True, text=True, check=True).stdout
        for _ in range(3)
    ]
    assert 'askpy_questions_total{kind="library",surface="dm"} 3.0' in pages[-1]
    assert 'askpy_queue{of="requests"} 2.0' in pages[-1]  # of the two that are gone nothing is under way
    assert 'askpy_knowledge{version="abc"} 1.0' in pages[-1]


# --- health


def test_health_says_what_goes_wrong_beside_the_answers(door: Door, stub: Stub) -> None:
    told = ["", "database away: 3 writes not made"]
    door.app = replace(door.app, beside=lambda: told.pop(0))
    assert (door.request(b"", method="GET", path="/healthz"), door.answers["last"]) == (200, "ok\n")
    assert door.request(b"", method="GET", path="/healthz") == 200
    assert door.answers["last"] == "ok; database away: 3 writes not made\n"


def test_what_is_not_recorded_is_counted_also_where_it_is_not_even_tried(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    now = [1000.0]
    store = Store(f"sqlite:///{tmp_path}/file/askpy.db", lambda: now[0])
    for word in ("one", "two", "three"):
        assert store.miss("T1", word, "", 0.0) == ""
    assert store.misses("T1") == ()
    assert (bool(store.away), store.failures, store.unrecorded) == (True, 1, 3)
    (tmp_path / "file").unlink()
    now[0] += REST
    assert store.miss("T1", "four", "", 0.0)
    assert (store.away, store.unrecorded) == ("", 0)
    store.close()


# --- what the app counts


def test_the_app_counts_what_happens(stub: Stub) -> None:
    meters = Meters()
    door = make_door(stub, meters=meters)
    stub.fail("chat.postMessage", Fault(503), Fault(error="is_archived"))
    door.mention("library", ts="5.5")
    door.mention("library", ts="5.5")
    door.settle()
    door.command("topic")
    door.settle()
    page = told(meters)
    assert (
        page.items()
        >= {
            'askpy_questions_total{kind="library",surface="mention"}': 1,
            'askpy_questions_total{kind="topic",surface="command"}': 1,
            'askpy_answers_total{outcome="refused"}': 1,
            'askpy_answers_total{outcome="posted"}': 1,
            'askpy_slack_errors_total{code="HTTP 503",method="chat.postMessage"}': 1,
            'askpy_slack_errors_total{code="is_archived",method="chat.postMessage"}': 1,
            "askpy_resends_total": 1,
            "askpy_repeated_deliveries_total": 1,
            'askpy_answer_seconds_count{until="posted"}': 1,
            'askpy_answer_seconds_count{until="handed"}': 2,
            'askpy_queue{of="questions"}': 0,
            'askpy_queue{of="requests"}': 0,
        }.items()
    )
