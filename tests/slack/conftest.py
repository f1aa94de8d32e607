"""A stand-in Slack and the bot before it, for each test."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bot import serving
from bot.settings import Secret, Settings
from bot.slack.transport import socket as socket_module
from bot.store import Store
from support.slack_app import SECRET, Door, MakeDoor, open_door
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


# --- serve itself, in this process

PACK = Path(__file__).parents[1] / "packs" / "handbook"


@pytest.fixture
def settings(stub: Stub, tmp_path: Path) -> Settings:
    return Settings(
        slack_bot_token=Secret("xoxb-1"),
        slack_app_token=Secret("xapp-1"),
        slack_signing_secret=Secret(SECRET),
        slack_api_url=stub.url,
        port=0,
        database_url=Secret(f"sqlite:///{tmp_path}/s.db"),
        knowledge=PACK,
        cache=Path(os.environ["ASKPY_CACHE"]),
    )


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Iterator[Callable[..., list[str]]]:
    """Serves until the given work, which gets the port, is done in a thread, or without one until it ends by itself; returns the
    log."""
    handlers = {number: signal.getsignal(number) for number in serving.STOP_SIGNALS}
    monkeypatch.setattr(socket_module, "MIN_STABLE", 0.3)
    monkeypatch.setattr(serving, "_freeze_memory", lambda: None)  # it would keep what other tests have left
    monkeypatch.setattr(serving, "log_to_stderr", lambda *_: None)  # it would take the handler that listens here
    caplog.set_level(logging.INFO)
    ports: list[int] = []
    listening = threading.Condition()

    class Ports(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            message = record.getMessage()
            if " port " in message and record.args:
                with listening:
                    ports.append(int(message.rpartition(" ")[2]))
                    listening.notify_all()

    found = Ports()

    def run(settings: Settings, mode: str, work: Callable[[int], None] | None = None) -> list[str]:
        failures, has_ended = list[BaseException](), threading.Event()

        def beside() -> None:
            try:
                with listening:
                    listening.wait_for(lambda: ports or has_ended.is_set(), 20)
                if work is not None and ports:
                    work(ports[-1])
                elif not has_ended.wait(20):
                    raise AssertionError("it serves on")
            except BaseException as error:
                failures.append(error)
            if not has_ended.is_set():
                os.kill(os.getpid(), signal.SIGTERM)

        thread = threading.Thread(target=beside, daemon=True)
        thread.start()
        try:
            serving.serve(settings, mode)
        finally:
            has_ended.set()
            with listening:
                listening.notify_all()
            thread.join(20)
        if failures:
            raise failures[0]
        return [record.getMessage() for record in caplog.records if record.name.startswith("bot")]

    logging.getLogger("bot").addHandler(found)
    try:
        yield run
    finally:
        logging.getLogger("bot").removeHandler(found)
        for number, handler in handlers.items():
            signal.signal(number, handler)
