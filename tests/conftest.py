"""What every test may rely on: no settings but the defaults, folders of its own, and no network beyond this machine."""

from __future__ import annotations

import contextlib
import gc
import ipaddress
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import pytest

from support.stores import Clock, QuickMigrations

_NAMES = ("SLACK_", "ASKPY_", "DATABASE_URL", "PORT")
_KEPT = ("ASKPY_TEST_",)
_TESTS = Path(__file__).parent

MOST_KEPT = 12
"""Indexes that are kept from one run to the next: two for each of the last few versions of the code, in all checkouts."""

_LONGEST = (
    "test_calm.py",
    "test_fire.py",
    "test_workers.py",
    "test_faults.py",
    "test_store_away.py",
    "test_privacy.py",
)
"""The files of `make e2e` that it begins with: alone they take 190, 115, 100, 80, 20 and 15 seconds."""

_folder = pytest.StashKey[tempfile.TemporaryDirectory[str]]()


def pytest_configure(config: pytest.Config) -> None:
    """Before anything is collected: the developer's own settings, .env and folders stay out of the tests.

    Here and in the processes that tests start, numpy counts with one thread: several processes run side by side already, and
    threads that wait for each other in a spin took a quarter of all the time. And what is compiled is kept, also where the
    environment says otherwise: sixty processes would compile the bot.
    """
    gc.disable()  # until all is collected
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # read when numpy is imported
    for name in list(os.environ):
        if name.startswith(_NAMES) and not name.startswith(_KEPT):
            del os.environ[name]
    config.stash[_folder] = tempfile.TemporaryDirectory(prefix="askpy-tests-")
    home = Path(config.stash[_folder].name)
    if not hasattr(config, "workerinput"):  # processes that test side by side build an index once
        os.environ["ASKPY_TEST_CACHE"] = str(home / "cache")
        _copy_indexes(_kept_indexes(), home / "cache")
        _copy_indexes(_kept_indexes(), home / "cache" / "kept")
    os.environ["ASKPY_CACHE"] = os.environ["ASKPY_TEST_CACHE"]
    os.environ["XDG_DATA_HOME"] = str(home / "data")

    from bot import settings

    settings._env_file = dict


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Processes that test side by side get every so-manieth file each, and every other process begins at its end.

    The files of tests/slack wait much and the others count much: in the order of their names all would wait at the same time.
    Of `make e2e`, whose files stay whole, the longest ones come first.
    """
    if not hasattr(config, "workerinput"):
        return
    if config.getoption("markexpr") == "e2e":
        first = {name: number for number, name in enumerate(_LONGEST)}
        items.sort(key=lambda item: first.get(item.path.name, len(first)))
        return
    many = config.workerinput["workercount"]
    place = {path: number for number, path in enumerate(dict.fromkeys(item.path for item in items))}

    def order(item: pytest.Item) -> tuple[int, int]:
        number = place[item.path]
        share = number % many
        return share, -number if share % 2 else number

    items.sort(key=order)


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """What was imported and collected stays: a collection of garbage that looks at all of it took a tenth of the time. What tests
    leave is looked at thirty times as seldom as usual, which took a twentieth."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    gc.enable()


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        _keep_indexes(Path(config.stash[_folder].name) / "cache")
    config.stash[_folder].cleanup()


# --- indexes: each takes seconds to build, so that those of the packs as they stand are kept from one run to the next


def _kept_indexes() -> Path:
    """The folder that they are kept in, in the developer's own cache."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "askpy-tests"


def _keep_indexes(cache: Path) -> None:
    """Keep what this run has built of the packs as they stand; a file's name tells the code that built it."""
    kept, new = _kept_indexes(), {file.name for file in cache.glob("index-*")}
    if not new - {file.name for file in kept.glob("index-*")}:
        return
    from bot.knowledge import load
    from bot.understanding.targets import index_path

    folders = (_TESTS.parent / "knowledge", _TESTS / "packs" / "handbook")
    current = {index_path(cache, load(folder, cache).fingerprint).name for folder in folders}
    if not current & new:
        return
    with contextlib.suppress(OSError):
        _copy_indexes(cache, kept, current)
        for old in sorted(kept.glob("index-*"), key=lambda file: file.stat().st_mtime)[:-MOST_KEPT]:
            old.unlink()


def _copy_indexes(source: Path, target: Path, names: Collection[str] | None = None) -> None:
    """Copy those that the target lacks, each whole or not at all; an unreadable folder is as good as an empty one."""
    with contextlib.suppress(OSError):
        target.mkdir(mode=0o700, parents=True, exist_ok=True)
        for file in source.glob("index-*.bin"):
            if (names is None or file.name in names) and not (target / file.name).exists():
                part = target / f"{file.name}.{os.getpid()}.part"
                shutil.copyfile(file, part)
                part.replace(target / file.name)


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
    """A PostgreSQL server, as `support.postgres.Server`."""
    from support.postgres import server

    with server() as found:
        yield found


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.e2e)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database that nobody has used yet."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/a/b/s.db"
    return str(request.getfixturevalue("postgresql").emptied())


@pytest.fixture(autouse=True, scope="session")
def _quick_tables() -> Iterator[None]:
    """The tables of an empty SQLite database are made by the statements that the migrations came to the first time.

    Alembic takes forty times as long. Where the migrations themselves are tested, `real_migrations` brings it back.
    """
    from bot.store import database

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "migrate", QuickMigrations(database.migrate))
        yield


@pytest.fixture(autouse=True, scope="session")
def _quick_indexes() -> Iterator[None]:
    """A matcher's index is built once for all tests that need the same; how one is built is tested by `Index.build` itself.

    Processes of the bot push out of the tests' cache folder what is in it beyond 24: those from an earlier run are put back.
    """
    from bot.retrieval import serialize
    from bot.understanding import matcher
    from support.indexes import MOST, QuickIndexes

    cache = Path(os.environ["ASKPY_TEST_CACHE"])

    def load_or_build(path: Path | None, build: Any) -> Any:
        if path is not None and path.parent == cache and not path.exists():
            _copy_indexes(cache / "kept", cache, [path.name])
        return serialize.load_or_build(path, build)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(serialize, "MAX_FILES", MOST)
        patch.setattr(matcher, "load_or_build", load_or_build)
        patch.setattr(matcher, "Index", QuickIndexes(cache / "built"))
        yield


@pytest.fixture
def real_migrations(monkeypatch: pytest.MonkeyPatch) -> None:
    """The migrations as they are, each time."""
    from bot.store import database, migrate

    monkeypatch.setattr(database, "migrate", migrate.migrate)


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
