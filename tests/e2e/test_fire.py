"""Held under fire, the short version of `make fire`: four processes on PostgreSQL, and processes killed under load."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
import time
from contextlib import suppress
from itertools import islice
from pathlib import Path

import postgres
import pytest
from local_slack import ROOT, fetch

sys.path.append(str(ROOT / "tests" / "load"))

from fleet import FLEETS, Fleet, Mailbox, Server, judge, killed, loaded, messages
from slack_busy import BusySlack

pytestmark = pytest.mark.skipif(
    shutil.which("pg_ctl") is None and not list(Path("/usr/lib/postgresql").glob("*/bin/initdb")),
    reason=postgres.INSTALL,
)


def test_four_processes_on_postgresql_answer_each_message_once(tmp_path: Path) -> None:
    """gunicorn with two workers, the bot's own server, and Socket Mode, all at once on one database."""
    servers: list[tuple[Server, int]] = [("gunicorn", 2), ("serve", 1), ("serve", 1)]
    with BusySlack(0.15) as slack, postgres.running() as url, Fleet(slack, tmp_path, url, servers) as fleet:
        _, verdict, acks = loaded(slack, fleet, messages(slack), 200, 40)
        page = fetch(f"http://127.0.0.1:{fleet.members[1].port}/metrics")[1].decode()
        codes = fleet.stop()
    assert (verdict.answered, verdict.doubled, verdict.lost, verdict.unheard) == (200, (), (), ())
    assert acks[-1] < 3
    assert "askpy_questions_total" in page
    assert codes == [0, 0, 0]
    assert fleet.tracebacks() == 0


@pytest.mark.parametrize("server", ["serve", "socket"])
def test_who_asks_more_than_once_for_the_end_gets_a_good_one(server: Server, tmp_path: Path) -> None:
    """The second SIGTERM used to find Python half taken down, and end it."""
    with BusySlack(0.0) as slack, Fleet(slack, tmp_path, f"sqlite:///{tmp_path / 'askpy.db'}", [(server, 1)]) as fleet:
        (pid,) = fleet.members[0].pids
        ended = threading.Event()
        asking = threading.Thread(target=_ask_again_and_again, args=(pid, ended))
        asking.start()
        codes = fleet.stop()
        ended.set()
        asking.join()
    assert codes == [0]


def _ask_again_and_again(pid: int, ended: threading.Event) -> None:
    with suppress(ProcessLookupError):
        while not ended.wait(0.002):
            os.kill(pid, signal.SIGTERM)


@pytest.mark.parametrize(("kind", "name"), [("sqlite", "two"), ("postgres", "gunicorn")])
def test_killed_under_load_nothing_is_answered_twice(kind: str, name: str, tmp_path: Path) -> None:
    with BusySlack(0.15) as slack:
        if kind == "sqlite":
            _assert_calm(slack, tmp_path, f"sqlite:///{tmp_path / 'askpy.db'}", name)
        else:
            with postgres.running() as url:
                _assert_calm(slack, tmp_path, url, name)


def _assert_calm(slack: BusySlack, folder: Path, url: str, name: str) -> None:
    with Fleet(slack, folder, url, FLEETS[name]) as fleet:
        verdict, killer, box = killed(slack, fleet, 200, 40, pause=1.5, seed=1, rate=25)
    assert killer.killed > 0
    assert (verdict.doubled, verdict.unheard) == ((), ()), str(verdict)
    assert len(verdict.lost) <= LOST_AT_MOST * killer.killed, f"{verdict}; {killer.killed} killed"
    assert box.resent > 0


LOST_AT_MOST = 32
"""Messages that one killed process may lose: what it has acknowledged and not yet posted, as many as it has threads to post."""


def test_gunicorn_finishes_what_it_has_acknowledged(tmp_path: Path) -> None:
    with (
        BusySlack(0.5) as slack,
        Fleet(slack, tmp_path, f"sqlite:///{tmp_path / 'askpy.db'}", [("gunicorn", 2)]) as fleet,
    ):
        box = Mailbox(fleet)
        box.deliver(list(islice(messages(slack), 60)), 30)
        began = time.monotonic()
        codes = fleet.stop()
        took = time.monotonic() - began
        verdict = judge(slack, box, 2)
    assert codes == [0]
    assert took < 12
    assert (verdict.answered, verdict.lost, verdict.doubled) == (60, (), ())


def test_gunicorns_workers_count_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with BusySlack(0.01) as slack:
        fleet = Fleet(slack, tmp_path, f"sqlite:///{tmp_path / 'askpy.db'}", [("gunicorn", 2)])
        fleet.members[0].settings["PROMETHEUS_MULTIPROC_DIR"] = str(tmp_path / "metrics")
        with fleet:
            _, verdict, _ = loaded(slack, fleet, messages(slack), 40, 20)
            page = fetch(f"http://127.0.0.1:{fleet.members[0].port}/metrics")[1].decode()
    assert verdict.answered == 40
    counted = [line for line in page.splitlines() if line.startswith("askpy_questions_total{")]
    assert sum(float(line.rpartition(" ")[2]) for line in counted) == 40
    versions = [line for line in page.splitlines() if line.startswith("askpy_knowledge{")]
    assert [line.rpartition(" ")[2] for line in versions] == ["2.0"]
    assert list((tmp_path / "metrics").iterdir())
