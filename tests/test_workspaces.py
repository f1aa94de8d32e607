"""Many workspaces over one pack, in short: `python -m benchmarks.workspaces` measures a thousand of them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.workspaces import MAX_MEMORY, ROOT, Seen, Simulation, near, number_of, traced_memory, workspaces
from bot.curation.reloader import PackReloader
from bot.slack.installations import Installation, InstalledTeams
from bot.understanding import Matcher

CACHE = Path(os.environ["ASKPY_CACHE"])
EVERYBODY = workspaces(12, 20)


@pytest.fixture
def simulation(tmp_path: Path) -> Iterator[Simulation]:
    made = Simulation(tmp_path, ROOT / "knowledge", CACHE)
    with closing(made.store):
        made.add(EVERYBODY)
        yield made


def run(simulation: Simulation, messages: int = 40) -> Seen:
    asyncio.run(simulation.run(EVERYBODY, messages))
    simulation.search_rest(EVERYBODY)
    return simulation.seen


def test_nothing_of_a_workspace_reaches_another(simulation: Simulation) -> None:
    seen = run(simulation, 250)
    assert (+seen.leaks, seen.unanswered, seen.answers) == ({}, 0, 250)
    assert any(EVERYBODY[0].canary in entry.id for entry in simulation.reloader.knowledge(EVERYBODY[0].id).entries)
    assert traced_memory(simulation, EVERYBODY) < MAX_MEMORY


def test_another_workspaces_knowledge_is_noticed(simulation: Simulation, monkeypatch: pytest.MonkeyPatch) -> None:
    own = PackReloader.matcher

    def of_another(reloader: PackReloader, workspace: str = "") -> Matcher:
        return own(reloader, f"{workspace[:3]}{int(workspace[3:]) // 2:04d}" if workspace else "")

    simulation.load(EVERYBODY)
    monkeypatch.setattr(PackReloader, "matcher", of_another)
    seen = run(simulation)
    assert seen.leaks["answers"]
    assert seen.leaks["backup, askpy_contexts"]
    assert seen.unanswered


def test_another_workspaces_edits_are_noticed(simulation: Simulation, monkeypatch: pytest.MonkeyPatch) -> None:
    changes = simulation.store.changes
    active = changes.active
    monkeypatch.setattr(changes, "active", lambda workspace: (*active(workspace), *active(EVERYBODY[3].id)))
    assert run(simulation).leaks["answers"]


def test_words_in_the_log_and_the_metrics_are_noticed(simulation: Simulation, monkeypatch: pytest.MonkeyPatch) -> None:
    question = type(simulation.metrics).question

    def counted(metrics: Any, kind: str, surface: str) -> None:
        question(metrics, f"{kind} {EVERYBODY[0].canary}", surface)

    monkeypatch.setattr(type(simulation.metrics), "question", counted)
    simulation.lines.lines.append(f"an answer of {EVERYBODY[1].canary} for {EVERYBODY[2].id}")
    seen = run(simulation, 20)
    assert (seen.leaks["logs"], bool(seen.leaks["metrics"])) == (1, True)


def test_a_trace_tells_its_workspace() -> None:
    assert [number_of(workspace.canary) for workspace in EVERYBODY] == [workspace.number for workspace in EVERYBODY]
    seen = Seen()
    seen.search(
        "here", f"{EVERYBODY[1].id} {EVERYBODY[1].canary} U0W0001 and D0W0002 {EVERYBODY[2].canary}", EVERYBODY[1]
    )
    assert seen.leaks["here"] == 2
    seen.search_line("there", f"{EVERYBODY[1].id} {EVERYBODY[1].canary}")
    assert seen.leaks["there"] == 0


def test_what_is_found_without_an_index_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    near(ROOT / "tests/golden/pack", tmp_path)
    without, indexed = (part.split() for part in capsys.readouterr().out.split("with an index of its own"))
    assert without[0] == "without"
    assert len(without) - 1 == len(indexed)


def test_another_workspaces_token_is_noticed(simulation: Simulation, monkeypatch: pytest.MonkeyPatch) -> None:
    of_body = InstalledTeams.of_body

    async def of_another(teams: InstalledTeams, body: dict[str, Any]) -> Installation | None:
        found = await of_body(teams, body)
        return found and replace(found, token=EVERYBODY[3].token)

    monkeypatch.setattr(InstalledTeams, "of_body", of_another)
    assert run(simulation).leaks["tokens, of another workspace"]


def test_a_token_in_clear_is_noticed(simulation: Simulation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulation.keys, "encrypt", lambda text: text)
    simulation.add(workspaces(13, 0)[12:])
    simulation.search_rest([*EVERYBODY, *workspaces(13, 0)[12:]])
    assert simulation.seen.leaks["tokens, backup, askpy_installations"]
