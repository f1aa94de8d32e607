"""A real PostgreSQL from Debian's packages, on loopback, with a folder and a user of its own, and gone at the end.

`with running() as url:` for one database, `with server() as found:` to stop it, start it and make more of them. Both work
outside pytest too.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

INSTALL = "PostgreSQL isn't installed here. On Debian and Ubuntu: apt install postgresql"
USER = "postgres"
"""Whom Debian's package makes; root may not run a PostgreSQL itself."""
READY_WITHIN = 60


class Server:
    """A cluster in a folder. Its files are safe from a killed process; from a power cut only where `durable`."""

    def __init__(self, folder: Path, *, durable: bool = False) -> None:
        programs = _programs()
        if programs is None:
            raise AssertionError(INSTALL)
        self._programs = programs
        self._folder = folder
        self._durable = durable
        self._password = secrets.token_hex(8)
        self._port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._made = 0

    @property
    def url(self) -> str:
        """The database that is there from the start."""
        return self._url("postgres")

    @property
    def pid(self) -> int:
        """The process to freeze or to kill."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it, on the same port and data as before, and wait until it answers."""
        data = self._folder / "data"
        if not data.exists():
            self._make(data)
        command = [self._programs / "postgres", "-D", data, "-p", str(self._port), "-h", "127.0.0.1", "-k", ""]
        settings = [] if self._durable else ["-c", "fsync=off"]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*command, *settings], cwd=self._folder, stdout=log, stderr=log, **_as_user()
            )
        until = time.monotonic() + READY_WITHIN
        while True:
            try:
                psycopg.connect(self.url, connect_timeout=5).close()
                return
            except psycopg.OperationalError as error:
                if time.monotonic() > until or self._process.poll() is not None:
                    said = (self._folder / "log").read_text(encoding="utf-8", errors="replace")
                    raise AssertionError(f"PostgreSQL didn't start: {error}\n{said}") from None
                time.sleep(0.05)

    def stop(self, *, kill: bool = False) -> None:
        """Stop it; with `kill` as a machine does that has no time for good manners."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGQUIT if kill else signal.SIGINT)
        self._process.wait(READY_WITHIN)
        self._process = None

    def new(self) -> str:
        """The URL of a new, empty database."""
        self._made += 1
        name = f"askpy_{self._made}"
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        return self._url(name)

    def emptied(self) -> str:
        """The URL of one database, always the same, with nothing in it: quicker than a new one."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute("DROP SCHEMA public CASCADE")
            connection.execute("CREATE SCHEMA public")
        return self.url

    def _url(self, database: str) -> str:
        return f"postgresql://{USER}:{self._password}@127.0.0.1:{self._port}/{database}"

    def _make(self, data: Path) -> None:
        (self._folder / "password").write_text(self._password, encoding="utf-8")
        if os.geteuid() == 0:
            for path in (self._folder, self._folder / "password"):
                shutil.chown(path, USER, USER)
        options = ["--auth=scram-sha-256", f"--username={USER}", f"--pwfile={self._folder / 'password'}", "--no-sync"]
        command = [self._programs / "initdb", "-D", data, *options, "--encoding=UTF8", "--locale=C"]
        made = subprocess.run(command, cwd=self._folder, capture_output=True, text=True, check=False, **_as_user())
        assert made.returncode == 0, made.stderr


@contextmanager
def server(*, durable: bool = False) -> Iterator[Server]:
    """A PostgreSQL that runs until the block ends."""
    folder = Path(tempfile.mkdtemp(prefix="askpy-postgres-"))
    made = Server(folder, durable=durable)
    try:
        made.start()
        yield made
    finally:
        made.stop(kill=True)
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def running(*, durable: bool = False) -> Iterator[str]:
    """The URL of an empty database on a PostgreSQL that runs until the block ends."""
    with server(durable=durable) as made:
        yield made.new()


def is_installed() -> bool:
    """Whether there is a PostgreSQL to start."""
    return _programs() is not None


def _programs() -> Path | None:
    """Where the newest PostgreSQL's programs are; None if there are none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    on_path = shutil.which("initdb")
    if not found and on_path is None:
        return None
    return found[-1].parent if found else Path(str(on_path)).resolve().parent


def _as_user() -> dict[str, object]:
    return {"user": USER, "group": USER, "extra_groups": []} if os.geteuid() == 0 else {}


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
