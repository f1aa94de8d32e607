from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.local_slack import Scene, scene

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session", params=["socket", "http"])
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """The bot at work in a workspace, once in each mode."""
    with scene(tmp_path_factory.mktemp(request.param), request.param) as found:
        yield found
