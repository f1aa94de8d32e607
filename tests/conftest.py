"""What every test may rely on: no settings but the defaults, folders of its own, and no network beyond this machine."""

from __future__ import annotations

import ipaddress
import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from stores import Clock

_NAMES = ("SLACK_", "ASKPY_", "DATABASE_URL", "PORT")
_KEPT = ("ASKPY_TEST_",)

_folder = pytest.StashKey[tempfile.TemporaryDirectory[str]]()


def pytest_configure(config: pytest.Config) -> None:
    """Before anything is collected: the developer's own settings, .env and folders stay out of the tests.

    Here and in the processes that tests start, numpy counts with one thread: several processes run side by side already, and
    threads that wait for each other in a spin took a quarter of all the time.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # read when numpy is imported
    for name in list(os.environ):
        if name.startswith(_NAMES) and not name.startswith(_KEPT):
            del os.environ[name]
    config.stash[_folder] = tempfile.TemporaryDirectory(prefix="askpy-tests-")
    home = Path(config.stash[_folder].name)
    if not hasattr(config, "workerinput"):  # processes that test side by side build an index once
        os.environ["ASKPY_TEST_CACHE"] = str(home / "cache")
    os.environ["ASKPY_CACHE"] = os.environ["ASKPY_TEST_CACHE"]
    os.environ["XDG_DATA_HOME"] = str(home / "data")

    from bot import settings

    settings._env_file = dict


def pytest_unconfigure(config: pytest.Config) -> None:
    config.stash[_folder].cleanup()


@pytest.fixture(autouse=True, scope="session")
def _stay_on_this_machine() -> Any:
    """A test that reaches for another host fails, with a sentence that says so."""
    connect = socket.socket.connect

    def local(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_loopback(address[0]):
            raise AssertionError(f"the tests stay on this machine, and this one wanted {address[0]}")
        connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", local)
        yield


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


# --- the store's databases: SQLite in a file everywhere, a real PostgreSQL under `make e2e`


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Any]:
    """A PostgreSQL server, as `e2e.postgres.Server`."""
    from e2e.postgres import server

    with server() as found:
        yield found


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.e2e)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database that nobody has used yet."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/a/b/s.db"
    return str(request.getfixturevalue("postgresql").emptied())


@pytest.fixture
def clock() -> Clock:
    """A clock that the test sets."""
    return Clock()


@pytest.fixture
def store(database: str, clock: Clock) -> Iterator[Any]:
    """A store on a database of its own."""
    from bot.store import Store

    made = Store(database, clock, monotonic=clock)
    yield made
    made.close()
    assert made.database.failures == 0
