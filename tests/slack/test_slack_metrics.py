"""The metrics: what the page tells, alone and for several processes together, and without the library."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path
from urllib.parse import urlencode

import pytest

from bot import serving
from bot.slack.admission import Admission
from bot.slack.metrics import Metrics, State
from bot.slack.transport.client import AttemptResult, Request, Sent
from bot.store import RETRY_AFTER, Store
from support.slack_app import MakeDoor
from support.slack_steps import deliver as deliver_event
from support.slack_steps import on_message
from support.slack_stub import TEAM, Fault, Stub


def samples(metrics: Metrics) -> dict[str, float]:
    """Every sample of ours on the page."""
    status, kind, body = metrics.page()
    assert (status, kind) == (200, "text/plain; version=0.0.4")
    lines = [line for line in body.decode().splitlines() if line.startswith("askpy_") and "_created" not in line]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def test_the_page_tells_what_happened() -> None:
    state = State(failures=2, version="abc", entries=46, loaded_at=1700000000.0)
    metrics = Metrics(lambda: state)
    metrics.question("library", "dm")
    metrics.question("library", "dm")
    metrics.observe("handed", 0.02)
    metrics.answer("posted")
    metrics.error("chat.postMessage", "not_in_channel")
    metrics.error("", "x" * 99)
    metrics.resend()
    metrics.repeated()
    metrics.turned_away()
    metrics.refused("clock")
    for status in (200, 200, 404, 500, 503):
        metrics.delivered(status)
    metrics.lag(0.0015)
    metrics.queued("requests", 3)
    metrics.queued("requests", -1)
    metrics.queued("questions", 4)
    metrics.queued("presses", 5)
    page = samples(metrics)

    assert (
        page.items()
        >= {
            'askpy_questions_total{kind="library",surface="dm"}': 2,
            'askpy_answers_total{outcome="posted"}': 1,
            'askpy_slack_errors_total{code="not_in_channel",method="chat.postMessage"}': 1,
            'askpy_slack_errors_total{code="other",method="response_url"}': 1,
            "askpy_resends_total": 1,
            "askpy_repeated_deliveries_total": 1,
            "askpy_turned_away_total": 1,
            'askpy_requests_refused_total{reason="clock"}': 1,
            'askpy_deliveries_total{outcome="accepted"}': 2,
            'askpy_deliveries_total{outcome="unknown"}': 1,
            'askpy_deliveries_total{outcome="again"}': 1,
            'askpy_deliveries_total{outcome="failed"}': 1,
            "askpy_database_failures_total": 2,
            'askpy_queue{of="requests"}': 2,
            'askpy_queue{of="questions"}': 4,
            'askpy_queue{of="presses"}': 5,
            'askpy_loop_lag_seconds_bucket{le="0.001"}': 0,
            'askpy_loop_lag_seconds_bucket{le="0.002"}': 1,
            "askpy_loop_lag_seconds_count": 1,
            'askpy_knowledge{version="abc"}': 1,
            "askpy_knowledge_entries": 46,
            "askpy_knowledge_loaded_seconds": 1700000000,
            'askpy_answer_seconds_count{until="handed"}': 1,
            'askpy_answer_seconds_bucket{le="0.025",until="handed"}': 1,
        }.items()
    )
    names = set(re.findall(r'(\w+)="', "".join(name for name in page if name.startswith("askpy_"))))
    assert names == {"kind", "surface", "outcome", "reason", "method", "code", "of", "version", "until", "le"}
    assert re.search(rb"^process_resident_memory_bytes [1-9]", metrics.page()[2], re.MULTILINE)


def test_another_version_takes_the_place_of_the_first() -> None:
    states = [State(version="old", failures=1), State(version="new", failures=4)]
    metrics = Metrics(lambda: states[0])
    samples(metrics)
    del states[0]
    page = samples(metrics)
    assert (page['askpy_knowledge{version="old"}'], page['askpy_knowledge{version="new"}']) == (0, 1)
    assert page["askpy_database_failures_total"] == 4


def test_without_the_library_the_page_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    metrics = Metrics(lambda: State(version="x"))
    metrics.question("library", "dm")
    metrics.observe("handed", 1)
    metrics.answer("posted")
    metrics.error("", "x")
    metrics.resend()
    metrics.repeated()
    metrics.turned_away()
    metrics.refused("clock")
    metrics.delivered(200)
    metrics.lag(1)
    metrics.update()
    metrics.queued("requests", 1)
    status, _, body = metrics.page()
    assert status == 501
    assert b"requirements.txt" in body


PROCESS = """
from bot.slack.metrics import Metrics, State
metrics = Metrics(lambda: State(version="abc", entries=46, loaded_at=5.0))
metrics.question("library", "dm")
metrics.queued("requests", 2)
metrics.update()
print(metrics.page()[2].decode())
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


def test_what_is_not_recorded_is_counted_also_where_it_is_not_even_tried(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    now = [1000.0]
    store = Store(f"sqlite:///{tmp_path}/file/askpy.db", monotonic=lambda: now[0])
    database = store.database
    for word in ("one", "two", "three"):
        assert store.misses.add("T1", word, "", 0.0) == ""
    assert store.misses.all("T1") == ()
    assert (bool(database.unavailable_reason), database.failures, database.unrecorded) == (True, 1, 3)
    (tmp_path / "file").unlink()
    now[0] += RETRY_AFTER
    assert store.misses.add("T1", "four", "", 0.0)
    assert (database.unavailable_reason, database.unrecorded) == ("", 0)
    store.close()


# --- what the app counts


def queues(metrics: Metrics) -> dict[str, float]:
    """How much is under way, by its kind."""
    return {name.split('"')[1]: value for name, value in samples(metrics).items() if name.startswith("askpy_queue{")}


def test_the_app_counts_what_happens(make_door: MakeDoor, stub: Stub) -> None:
    metrics = Metrics()
    door = make_door(stub, metrics=metrics)
    stub.fail("chat.postMessage", Fault(503), Fault(error="is_archived"))
    door.mention("library", ts="5.5")
    door.mention("library", ts="5.5")
    door.settle()
    door.command("topic")
    door.press("ask:1", "library", **on_message(door))
    door.settle()
    page = samples(metrics)
    assert (
        page.items()
        >= {
            'askpy_questions_total{kind="library",surface="mention"}': 2,
            'askpy_questions_total{kind="topic",surface="command"}': 1,
            'askpy_answers_total{outcome="refused"}': 1,
            'askpy_answers_total{outcome="posted"}': 2,
            'askpy_slack_errors_total{code="HTTP 503",method="chat.postMessage"}': 1,
            'askpy_slack_errors_total{code="is_archived",method="chat.postMessage"}': 1,
            "askpy_resends_total": 1,
            "askpy_repeated_deliveries_total": 1,
            'askpy_answer_seconds_count{until="posted"}': 2,
            'askpy_answer_seconds_count{until="handed"}': 3,
            'askpy_queue{of="questions"}': 0,
            'askpy_queue{of="presses"}': 0,
            'askpy_queue{of="requests"}': 0,
        }.items()
    )


def test_what_is_under_way_is_counted_by_its_kind(make_door: MakeDoor, stub: Stub) -> None:
    """A question gives its place back as soon as its answer waits for Slack; a press keeps its own until it is done."""
    metrics, came, go_on = Metrics(), threading.Semaphore(0), threading.Event()

    async def deliver(_: Request) -> AttemptResult:
        came.release()
        await asyncio.to_thread(go_on.wait, 20)
        return Sent()

    door = make_door(stub, metrics=metrics)
    door.app.context.outbox._post_once = deliver
    try:
        assert [deliver_event(door, channel=f"D{number}") for number in range(3)] == [200] * 3
        press = {"action_id": "why", "block_id": "b", "type": "button", "value": "topic||t\ntopic", "action_ts": "1.1"}
        body = {"type": "block_actions", "actions": [press], "team": {"id": TEAM}, "user": {"id": "U1"}}
        raw = urlencode({"payload": json.dumps(body | on_message(door))}).encode()
        assert door.request(raw, "application/x-www-form-urlencoded", settles=False) == 200
        assert [came.acquire(timeout=10) for _ in range(4)] == [True] * 4
        assert queues(metrics) == {"questions": 3, "presses": 1, "requests": 4}
    finally:
        go_on.set()
    door.settle()
    assert queues(metrics) == {"questions": 0, "presses": 0, "requests": 0}


def test_deliveries_without_room_are_counted(make_door: MakeDoor, stub: Stub) -> None:
    metrics = Metrics()
    door = make_door(stub, metrics=metrics, admission=Admission(slots=0, slot_timeout=0.01))
    assert door.mention() == 503
    assert (samples(metrics)["askpy_turned_away_total"], queues(metrics)["questions"]) == (1, 0)


def test_the_loops_lag_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "LAG_INTERVAL", 0.001)
    metrics, measured = Metrics(), list[float]()
    monkeypatch.setattr(metrics, "lag", measured.append)

    async def run() -> None:
        measuring = asyncio.ensure_future(serving._measure_lag(metrics))
        while not measured:
            await asyncio.sleep(0)
        prompt = len(measured)
        time.sleep(0.05)  # whatever holds up the loop
        while len(measured) == prompt:
            await asyncio.sleep(0)
        assert measured[prompt] > 0.03
        measuring.cancel()

    asyncio.run(run())
