"""Each line of the Procfile starts."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from support.local_slack import ROOT, Bot, LocalSlack, Process, bot_settings, fetch

PROCESSES = dict(
    line.split(": ", 1) for line in (ROOT / "Procfile").read_text(encoding="utf-8").splitlines() if line.strip()
)


def test_the_procfile_has_a_web_and_a_worker() -> None:
    assert sorted(PROCESSES) == ["web", "worker"]


@pytest.mark.parametrize(("name", "mode"), [("web", "http"), ("worker", "socket")])
def test_a_line_of_the_procfile_starts(name: str, mode: str, tmp_path: Path) -> None:
    """As a host runs it: through a shell, with PORT in the environment."""
    bot = Bot(tmp_path, mode)
    slack = LocalSlack(tmp_path, mode, bot.port)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    settings = bot_settings(slack, bot) | {"PATH": path}
    process = Process(["sh", "-c", f"exec {PROCESSES[name]}"], tmp_path / "process.log", tmp_path, **settings)
    try:
        process.wait_for(lambda: fetch(f"{bot.url}/healthz")[0] == 200, "healthz", 90)
        if mode == "socket":
            process.wait_for(slack.hellos, "the socket")
        slack.answer(slack.mention("what is flask?"))
    finally:
        code = process.stop()
        slack.process.stop()
    assert code == 0
