"""What is shipped works away from the checkout: the wheel carries the pack, and each line of the Procfile starts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from support.local_slack import ROOT, Bot, LocalSlack, Process, bot_settings, fetch

PROCESSES = dict(
    line.split(": ", 1) for line in (ROOT / "Procfile").read_text(encoding="utf-8").splitlines() if line.strip()
)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, ROOT]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    return next(folder.glob("*.whl"))


def test_the_wheel_carries_the_bot_and_its_pack(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        carried = set(archive.namelist())
    pack = {f"bot/pack/{file.name}" for file in (ROOT / "knowledge").glob("*.yaml")}
    data = {
        str(file.relative_to(ROOT))
        for file in (ROOT / "bot").rglob("*")
        if file.suffix in {".py", ".yaml", ".npz", ".txt"}
    }

    assert sorted((pack | data) - carried) == []
    assert sorted(name for name in carried if not name.startswith(("bot/", "askpy-"))) == []


def test_the_wheel_answers_without_the_checkout(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "installed")
    empty = tmp_path / "empty"
    empty.mkdir()
    command = [sys.executable, "-m", "bot", "ask", "--json", "is python frontend?"]
    env = os.environ | {"PYTHONPATH": str(tmp_path / "installed")}
    answered = subprocess.run(command, cwd=empty, env=env, capture_output=True, text=True, check=False)

    assert answered.returncode == 0, answered.stderr
    assert json.loads(answered.stdout)["kind"] == "topic"
    assert list(empty.iterdir()) == []


def test_the_command_answers_in_any_folder(wheel: Path, tmp_path: Path) -> None:
    """As a tool installer leaves it: the packages in one place, and a script that needs no activated environment."""
    installed, empty, own = tmp_path / "installed", tmp_path / "empty", tmp_path / "own"
    install = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--no-index",
        "--target",
        installed,
        wheel,
    ]
    subprocess.run(install, capture_output=True, check=True)
    empty.mkdir()
    own.mkdir()
    (own / "pack.yaml").write_text("name: Own\n", encoding="utf-8")
    entry = "- id: hours\n  title: When are you open?\n  asks: [opening hours]\n  answer: From nine to five.\n"
    (own / "answers.yaml").write_text(entry, encoding="utf-8")
    env = os.environ | {"PYTHONPATH": str(installed), "ASKPY_KNOWLEDGE": ""}

    def ask(*arguments: object) -> tuple[int, str]:
        command = [installed / "bin" / "askpy", *map(str, arguments)]
        ran = subprocess.run(command, cwd=empty, env=env, capture_output=True, text=True, check=False)
        return ran.returncode, ran.stdout.splitlines()[0] if ran.stdout else ran.stderr

    assert ask("ask", "whats tornado") == (0, "Tornado (Backend · scalable, non-blocking web server and framework)")
    assert ask("ask", "--knowledge", own, "opening hours") == (0, "When are you open?")
    assert ask("check", own / "pack.yaml") == (2, f"{own}/pack.yaml is a file; name its folder: askpy check {own}\n")
    assert list(empty.iterdir()) == []


def test_the_wheel_migrates_a_database_without_the_checkout(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "installed")
    program = "from bot.store import Store; store = Store('sqlite:///s.db'); print(store.prepare() or store.probe() or 'fine')"
    env = os.environ | {"PYTHONPATH": str(tmp_path / "installed")}
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=env, capture_output=True, text=True, check=False
    )

    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "fine\n", "")


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
