"""What docs/deploy.md hands out is in order: the unit, the container file, and what they start."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bot.cli import main
from bot.settings import VARIABLES

ROOT = Path(__file__).parents[1]
UNIT = (ROOT / "docs" / "askpy.service").read_text(encoding="utf-8")
CONTAINER = (ROOT / "docs" / "Containerfile").read_text(encoding="utf-8")
OTHERS = {"PYTHONDONTWRITEBYTECODE"}
"""Variables of Python's own."""


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze isn't installed here")
def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    unit = tmp_path / "askpy.service"
    unit.write_text(UNIT.replace("/opt/askpy/.venv/bin/python", sys.executable), encoding="utf-8")
    ran = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout + ran.stderr) == (0, "")


def test_the_container_copies_what_is_there() -> None:
    copied = [line.split()[1] for line in CONTAINER.splitlines() if line.startswith("COPY")]
    assert copied
    assert [name for name in copied if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("paper", [UNIT, CONTAINER], ids=["askpy.service", "Containerfile"])
def test_their_variables_are_known(paper: str) -> None:
    named = set(re.findall(r"\b([A-Z_]{4,})=", paper))
    ours = {name for name in named if name.startswith(("ASKPY_", "SLACK_")) or name in VARIABLES}
    assert {"DATABASE_URL", "ASKPY_CACHE", "ASKPY_LOG_FORMAT"} <= ours
    assert sorted(ours - set(VARIABLES)) == []


def test_what_is_started_exists() -> None:
    assert "-m bot serve" in UNIT
    assert '"-m", "bot", "serve"' in CONTAINER
    assert "serve" in main.commands
    assert (ROOT / "Procfile").read_text(encoding="utf-8").splitlines() == [
        "web: python -m bot serve --http",
        "worker: python -m bot serve --socket",
    ]


def test_no_server_but_our_own_is_handed_out() -> None:
    paper = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    assert re.findall(r"\bbot\.serving\b|\bgunicorn\b|\bwaitress\b|\bWSGI\b", paper) == []
