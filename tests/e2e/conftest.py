from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.local_slack import Scene, scene

HERE = Path(__file__).parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session", params=["socket", "http"])
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """The bot at work in a workspace, once in each mode."""
    with scene(tmp_path_factory.mktemp(request.param), request.param) as found:
        yield found


@pytest.fixture
def browser() -> str:
    """Any Chromium on the PATH; without one the test is skipped, except where CI promises one."""
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None and not os.environ.get("CI"):
        pytest.skip("no Chromium here; on Debian and Ubuntu: apt install chromium")
    assert found, "CI has no Chromium"
    return found
