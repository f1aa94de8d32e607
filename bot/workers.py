"""Several processes that share one listening socket: `serve --workers N`.

The parent opens the socket and starts the workers: fresh interpreters that inherit it. It answers nothing itself. A worker that
ends is started again; connections that nobody has accepted wait in the kernel's queue meanwhile. A worker writes a line to its
standard output when it has loaded the pack and when it is ready, and stops when its standard input ends: with the parent.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from bot.settings import DEFAULT_PORT, Settings, SettingsError
from bot.slack.logs import log_to_stderr
from bot.slack.metrics import MULTIPROC_DIR, drop_gauges
from bot.slack.transport.client import SlackConfig, is_done_before
from bot.slack.transport.http import ANY_HOST, GRACE, ListeningSocket, listen
from bot.store.connections import database_url, is_in_memory

RESTART_PAUSES = (0.0, 1.0, 2.0, 5.0, 10.0, 30.0)
"""Seconds before a worker that has ended is started again: at once the first time, and the last pause from then on."""
STABLE_AFTER = 60.0
"""Seconds that a worker has to be ready for the pauses to begin anew."""
READY_TIMEOUT = 3.0
"""Seconds until connections are accepted, and the other workers started, although Slack hasn't answered the first one yet: then
health and events get a 503, as with one process, and not silence. Slack waits for three seconds."""
KILL_AFTER = GRACE + 1.5
"""Seconds after SIGTERM from which a worker that is still there is killed: platforms kill all of them after ten."""
LOADED, READY, ALIVE = b"loaded\n", b"ready\n", b"alive\n"
"""What a worker reports: that it has the pack and its index, that it answers, and again and again that its event loop runs."""
ALIVE_INTERVAL, HUNG_AFTER = 5.0, 30.0
"""Seconds between two of those, and without one from which a worker that was ready is killed: whoever asks it gets no answer, and
nothing else would notice. Its event loop is never blocked for a second."""
STDIN, STDOUT = 0, 1
"""A worker's file descriptors: pipes to its parent."""

logger = logging.getLogger("bot")


# --- the worker's side


@dataclass(frozen=True, slots=True)
class Worker:
    """What a worker inherits.

    Attributes:
        number: from 1; the same after a restart.
        descriptor: of the listening socket.
        is_restart: whether others answer already, so that it needn't accept connections before it is ready.
    """

    number: int
    descriptor: int
    is_restart: bool

    @classmethod
    def parse(cls, text: str) -> Worker:
        """From the value of the hidden option `--worker`."""
        number, descriptor, is_restart = map(int, text.split(","))
        return cls(number, descriptor, bool(is_restart))

    def __str__(self) -> str:
        return f"{self.number},{self.descriptor},{int(self.is_restart)}"

    def report(self, state: bytes) -> None:
        """Tell the parent LOADED or READY."""
        with suppress(OSError):  # it is gone, and `watch_parent` ends this process
            os.write(STDOUT, state)

    def watch_parent(self, gone: Callable[[], None]) -> None:
        """Call `gone`, in a thread of its own, when the parent has ended, however it ended."""

        def watch() -> None:
            with suppress(OSError):
                while os.read(STDIN, 1):
                    continue
            gone()

        threading.Thread(target=watch, name="parent", daemon=True).start()


# --- the parent's side


def can_share(settings: Settings, mode: str | None) -> bool:
    """Whether several workers can serve with these settings. False, with a line in the log, for a database in memory.

    Raises:
        SettingsError: workers aren't possible in this mode or on this system, or a setting is missing or wrong.
    """
    if mode == "socket" or (mode is None and settings.slack_app_token is not None):
        cause = "--socket was given" if mode else "SLACK_APP_TOKEN is set"
        remedy = "Add --http, or start `serve --socket` several times: Slack divides the messages among them"
        raise SettingsError(f"--workers shares an HTTP port, and Socket Mode has none ({cause}). {remedy}.")
    if os.name != "posix":
        raise SettingsError("--workers needs Linux, macOS or another Unix. Leave it out here.")
    log_to_stderr(settings)
    SlackConfig.from_settings(settings, "http")
    if is_in_memory(database_url(settings.database)):
        logger.warning(
            "One process is started: DATABASE_URL is in memory, where several would not see each other's rows."
        )
        return False
    return True


def run(settings: Settings, count: int) -> None:
    """Run `count` workers until SIGTERM or SIGINT.

    Raises:
        AskPyError: the port can't be opened.
        SystemExit: a worker refuses to start, with its exit code; it has said why.
    """
    listening = listen(ANY_HOST, DEFAULT_PORT if settings.port is None else settings.port)
    logger.info("Listening on port %s with %d workers", listening.getsockname()[1], count)
    with _metrics_folder() as folder:
        code, is_finished = asyncio.run(_Supervisor(settings, listening, count, folder).run())
    if code:
        raise SystemExit(code)
    logger.info("Stopped." if is_finished else "Stopped; something was still in flight.")


@contextmanager
def _metrics_folder() -> Iterator[str]:
    """The folder in which the workers count together: the one that is set, else one that is removed at the end."""
    if folder := os.environ.get(MULTIPROC_DIR):
        yield folder
        return
    folder = tempfile.mkdtemp(prefix="askpy-metrics-")
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class _Supervisor:
    """Starts the workers, and starts again what ends, until it is told to stop."""

    def __init__(self, settings: Settings, listening: ListeningSocket, count: int, metrics: str) -> None:
        self._command = [sys.executable, "-P", "-m", "bot", "serve", "--http"]
        self._listening = listening
        self._count = count
        self._metrics = metrics
        package = Path(__file__).parent.parent
        paths = os.pathsep.join(filter(None, (str(package), os.environ.get("PYTHONPATH"))))
        self._environment = os.environ | {"PYTHONPATH": paths, MULTIPROC_DIR: metrics}
        if settings.knowledge is not None:
            self._environment["ASKPY_KNOWLEDGE"] = str(settings.knowledge)  # --knowledge may have named it
        self._stop = asyncio.Event()
        self._loaded = asyncio.Event()
        self._ready = asyncio.Event()
        self._refused = 0
        self._is_finished = True
        self._processes: set[asyncio.subprocess.Process] = set()

    async def run(self) -> tuple[int, bool]:
        """Run until it is told to stop, or a worker refuses to start.

        Returns:
            The exit code of a worker that refuses, else 0; and whether all workers finished what was in progress.
        """
        loop = asyncio.get_running_loop()
        for sent in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(sent, self._stop.set)
        async with asyncio.TaskGroup() as workers:
            for number in range(1, self._count + 1):
                workers.create_task(self._keep_running(number))
            await self._stop.wait()
            self._listening.close()  # with the last worker's copy the port is closed, and nobody waits in vain
            await self._end_all()
        return self._refused, self._is_finished

    async def _keep_running(self, number: int) -> None:
        """Run worker `number`, again and again; the others start after the first one."""
        if number > 1:
            await is_done_before(self._stop, self._first_is_up())
        failures = 0
        while not self._stop.is_set():
            try:
                code, ready_for = await self._run_once(number, is_restart=self._ready.is_set())
            except OSError as error:  # no more processes or memory
                code, ready_for = error.errno or 1, 0.0
            drop_gauges(self._metrics, os.getpid(), number)
            if self._stop.is_set():
                self._is_finished &= code == 0
                return
            if (
                code in (1, 2) and not self._ready.is_set()
            ):  # a fault that only a person can mend, and it has said which
                self._refused = code
                self._stop.set()
                return
            failures = 1 if ready_for >= STABLE_AFTER else failures + 1
            pause = RESTART_PAUSES[min(failures, len(RESTART_PAUSES)) - 1]
            reason = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
            when = f"in {pause:g} seconds" if pause else "now"
            lost = " What it had acknowledged and not posted is lost." if code else ""
            logger.error("Worker %d %s; it is started again %s.%s", number, reason, when, lost)
            await is_done_before(self._stop, asyncio.sleep(pause))

    async def _first_is_up(self) -> None:
        """Wait until a worker has loaded the pack, and with it built its index, and is ready or waits for Slack. What ends it
        before, as a wrong token does, is said once."""
        await self._loaded.wait()
        with suppress(TimeoutError):
            async with asyncio.timeout(READY_TIMEOUT):
                await self._ready.wait()

    async def _run_once(self, number: int, *, is_restart: bool) -> tuple[int, float]:
        """Run a worker to its end; its exit code, negative for a signal, and for how many seconds it was ready."""
        worker = Worker(number, self._listening.fileno(), is_restart)
        process = await asyncio.create_subprocess_exec(
            *self._command, "--worker", str(worker),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            pass_fds=(worker.descriptor,), env=self._environment,
        )  # fmt: skip
        self._processes.add(process)
        if self._stop.is_set():  # it came while the process was being started
            _signal(process, signal.SIGTERM)
        ready_at = time.monotonic()
        try:
            is_ready = False
            while line := await self._next_line(process, number, HUNG_AFTER if is_ready else None):
                if line == LOADED:
                    self._loaded.set()
                elif line == READY:
                    is_ready, ready_at = True, time.monotonic()
                    self._ready.set()
            return await process.wait(), time.monotonic() - ready_at
        finally:
            self._processes.discard(process)

    async def _next_line(self, process: asyncio.subprocess.Process, number: int, timeout: float | None) -> bytes:
        """What a worker reports next; empty when it has ended. It is killed if it reports nothing within `timeout` seconds."""
        if process.stdout is None:
            return b""
        try:
            async with asyncio.timeout(timeout):
                return await process.stdout.readline()
        except TimeoutError:
            if not self._stop.is_set():
                logger.error("Worker %d hasn't responded for %.0f seconds; it is killed.", number, HUNG_AFTER)
                _signal(process, signal.SIGKILL)
            return await process.stdout.readline()

    async def _end_all(self) -> None:
        """Send SIGTERM to all workers, and SIGKILL to those that are there after KILL_AFTER seconds."""
        for process in self._processes:
            _signal(process, signal.SIGTERM)
        deadline = time.monotonic() + KILL_AFTER
        while self._processes and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
        for process in self._processes:
            _signal(process, signal.SIGKILL)


def _signal(process: asyncio.subprocess.Process, number: int) -> None:
    with suppress(ProcessLookupError):
        process.send_signal(number)
