"""Held under fire, the short version of `make fire`: four processes on one database, killed and stopped under load; a flood."""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import suppress
from itertools import islice
from pathlib import Path

import pytest

from benchmarks.load import flood
from benchmarks.load.fleet import FLEETS, Fleet, Mailbox, judge, messages, run_round, run_with_kills
from benchmarks.load.processes import MODES, BotProcess, Database, Mode, empty_database
from support import postgres
from support.busy_slack import BusySlack

pytestmark = pytest.mark.skipif(not postgres.is_installed(), reason=postgres.INSTALL)

LOST_AT_MOST = 64
"""Messages that one killed process may lose: those with a slot, `SLOTS` in `bot.slack.admission`; here none waits for Slack."""


def test_four_processes_on_postgresql_answer_each_message_once(tmp_path: Path) -> None:
    with BusySlack(0.15) as slack, postgres.running() as url, Fleet(slack, tmp_path, url, FLEETS["four"]) as fleet:
        _, verdict, acks = run_round(slack, fleet, messages(slack), 200, 40)
        pages = [member.metrics() for member in fleet.members]
        codes = fleet.stop()
    assert (verdict.answered, verdict.doubled, verdict.lost, verdict.refused) == (200, (), (), ())
    assert acks[-1] < 3
    assert all("askpy_questions_total{" in page for page in pages)
    assert codes == [0] * 4
    assert fleet.tracebacks() == 0


@pytest.mark.parametrize("mode", MODES)
def test_who_asks_more_than_once_for_the_end_gets_a_good_one(mode: Mode, tmp_path: Path) -> None:
    """A second SIGTERM finds Python half taken down, and must not end it with a traceback."""
    with BusySlack(0.0) as slack, Fleet(slack, tmp_path, f"sqlite:///{tmp_path / 'askpy.db'}", [mode]) as fleet:
        ended = threading.Event()
        asking = threading.Thread(target=_ask_again_and_again, args=(fleet.members[0].pid, ended))
        asking.start()
        codes = fleet.stop()
        ended.set()
        asking.join()
    assert codes == [0]
    assert fleet.tracebacks() == 0


def _ask_again_and_again(pid: int, ended: threading.Event) -> None:
    with suppress(ProcessLookupError):
        while not ended.wait(0.002):
            os.kill(pid, signal.SIGTERM)


@pytest.mark.parametrize(("kind", "name"), [("postgres", "four"), ("postgres", "sockets")])
def test_killed_under_load_nothing_is_answered_twice(kind: Database, name: str, tmp_path: Path) -> None:
    with (
        BusySlack(0.15) as slack,
        empty_database(kind, tmp_path) as url,
        Fleet(slack, tmp_path, url, FLEETS[name]) as fleet,
    ):
        verdict, killer, mailbox = run_with_kills(slack, fleet, 200, 40, pause=1.5, seed=1, rate=25)
    assert killer.killed > 0
    assert (verdict.doubled, verdict.refused) == ((), ()), str(verdict)
    assert len(verdict.lost) <= LOST_AT_MOST * killer.killed, f"{verdict}; {killer.killed} killed"
    assert mailbox.resent > 0
    assert fleet.tracebacks() == 0


@pytest.mark.parametrize("mode", MODES)
def test_a_stop_finishes_what_is_acknowledged(mode: Mode, tmp_path: Path) -> None:
    with BusySlack(0.5) as slack, Fleet(slack, tmp_path, f"sqlite:///{tmp_path / 'askpy.db'}", [mode]) as fleet:
        if mode == "socket":
            slack.wait_for(lambda: slack.links, "the WebSocket")
        mailbox = Mailbox(fleet)
        mailbox.deliver(list(islice(messages(slack), 60)), 30)
        began = time.monotonic()
        codes = fleet.stop()
        took = time.monotonic() - began
        verdict = judge(slack, mailbox, 2)
    assert codes == [0]
    assert took < 10
    assert (verdict.answered, verdict.lost, verdict.doubled) == (60, (), ())


@pytest.mark.parametrize("mode", MODES)
def test_one_member_floods_and_a_colleague_is_answered(mode: Mode, tmp_path: Path) -> None:
    """Few enough presses that a busy machine gets through them in time: how soon, `make fire ARGS=flood` measures."""
    with BusySlack(0.15) as slack:
        bot = BotProcess(slack, tmp_path, f"sqlite:///{tmp_path / 'askpy.db'}", Path(os.environ["ASKPY_CACHE"]), mode)
        with bot:
            phases = flood.run(slack, bot, commands=30, presses=100, votes=40)
    for phase in phases:
        result = flood.phase_result(slack, phase)
        assert (result.lost, result.invisible) == (0, 0), phase.name
        assert max(result.colleague) < 3, phase.name


def test_processes_count_together(tmp_path: Path) -> None:
    """What several processes count in one folder, each of them shows on its page."""
    with BusySlack(0.01) as slack:
        fleet = Fleet(slack, tmp_path, f"sqlite:///{tmp_path / 'askpy.db'}", FLEETS["two"])
        for member in fleet.members:
            member.environment["PROMETHEUS_MULTIPROC_DIR"] = str(tmp_path / "metrics")
        with fleet:
            _, verdict, _ = run_round(slack, fleet, messages(slack), 40, 20)
            page = fleet.members[0].metrics()
    assert verdict.answered == 40
    counted = [line for line in page.splitlines() if line.startswith("askpy_questions_total{")]
    assert sum(float(line.rpartition(" ")[2]) for line in counted) == 40
    versions = [line for line in page.splitlines() if line.startswith("askpy_knowledge{")]
    assert [line.rpartition(" ")[2] for line in versions] == ["2.0"]
    assert list((tmp_path / "metrics").iterdir())
