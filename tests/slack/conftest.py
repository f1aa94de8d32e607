"""A stand-in Slack and the bot before it, for each test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bot.store import Store
from support.slack_app import Door, MakeDoor, open_door
from support.slack_stub import Stub


@pytest.fixture
def stub() -> Iterator[Stub]:
    stub = Stub()
    yield stub
    stub.close()


@pytest.fixture
def door(stub: Stub, make_door: MakeDoor) -> Door:
    return make_door(stub)


@pytest.fixture
def prepared(tmp_path: Path) -> Path:
    """A database with its tables: a process that makes them imports Alembic, which takes a while."""
    path = tmp_path / "s.db"
    with closing(Store(f"sqlite:///{path}")) as store:
        assert store.prepare() == ""
    return path


@pytest.fixture
def make_door() -> Iterator[MakeDoor]:
    """Opens doors, and closes them after the test."""
    doors: list[Door] = []

    def make(stub: Any, layout: str = "classic", **options: Any) -> Door:
        doors.append(open_door(stub, layout, **options))
        return doors[-1]

    yield make
    for each in doors:
        each.close()
