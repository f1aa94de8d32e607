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
from bot.slack.metrics import MULTIPROC_DIR, can_count, drop_gauges
from bot.slack.transport.client import SlackConfig, is_done_before
from bot.slack.transport.http import GRACE, ListeningSocket, listen
from bot.store.connections import database_url, is_in_memory

RESTART_PAUSES = (0.0, 1.0, 2.0, 5.0, 10.0, 30.0)
"""Seconds before a worker that has ended is started again: at once the first time, and the last pause from then on."""
STABLE_AFTER = 60.0
"""Seconds that a worker has to be ready for the pauses to begin anew."""
READY_TIMEOUT = 3.0
"""Seconds from which a worker that isn't ready responds, with a 503, while nobody is; and from which the others are started
although the first one still waits for Slack."""
KILL_AFTER = GRACE + 1.5
"""Seconds after SIGTERM from which a worker that is still there is killed: platforms kill all of them after ten."""
LOADED, READY, ALIVE = b"loaded\n", b"ready\n", b"alive\n"
"""What a worker reports: that it has the pack and its index, that it answers, and again and again that its event loop runs."""
ALIVE_INTERVAL, HUNG_AFTER = 5.0, 30.0
"""Seconds between two of those, and without one from which a worker that was ready is killed: whoever asks it gets no answer, and
nothing else would notice. Its event loop is never blocked for a second."""
OTHERS_ANSWER, NOBODY_ANSWERS = b"1", b"0"
"""What the parent tells each worker when that changes: whether another one is ready."""
STDIN, STDOUT = 0, 1
"""A worker's file descriptors: pipes to its parent."""

logger = logging.getLogger("bot")


# --- the worker's side


class Worker:
    """What a worker knows of its parent.

    Attributes:
        number: from 1; the same after a restart.
        descriptor: of the listening socket.
        others_answer: whether another worker is ready.
    """

    def __init__(self, number: int, descriptor: int) -> None:
        self.number = number
        self.descriptor = descriptor
        self.others_answer = False

    @classmethod
    def parse(cls, text: str) -> Worker:
        """From the value of the hidden option `--worker`."""
        return cls(*map(int, text.split(",")))

    def __str__(self) -> str:
        return f"{self.number},{self.descriptor}"

    def report(self, state: bytes) -> None:
        """Tell the parent LOADED, READY or ALIVE."""
        with suppress(OSError):  # it is gone, and `watch_parent` ends this process
            os.write(STDOUT, state)

    def watch_parent(self, gone: Callable[[], None]) -> None:
        """Listen, in a thread of its own, to what the parent says; call `gone` when it has ended, however it ended."""

        def watch() -> None:
            with suppress(OSError):
                while said := os.read(STDIN, 64):
                    self.others_answer = said[-1:] == OTHERS_ANSWER
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
    listening = listen(settings.host, DEFAULT_PORT if settings.port is None else settings.port)
    logger.info("Listening on port %s with %d workers", listening.getsockname()[1], count)
    with _metrics_folder() as folder:
        code, is_finished = asyncio.run(_Supervisor(settings, listening, count, folder).run())
    if code:
        raise SystemExit(code)
    logger.info("Stopped." if is_finished else "Stopped; something was still in flight.")


@contextmanager
def _metrics_folder() -> Iterator[str]:
    """The folder in which the workers count together: the one that is set, else one that is removed at the end; empty where there
    can't be one, and each worker then counts for itself."""
    if (folder := os.environ.get(MULTIPROC_DIR)) or not can_count():
        yield folder or ""
        return
    try:
        folder = tempfile.mkdtemp(prefix="askpy-metrics-")
    except OSError as error:
        logger.warning(
            "No folder for the workers' counts (%s): each shows its own. Set TMPDIR to one that can be written.", error
        )
        yield ""
        return
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@dataclass(slots=True)
class _Run:
    """One run of a worker. Times are monotonic, None for what hasn't happened; `code` is negative for a signal."""

    process: asyncio.subprocess.Process
    loaded_at: float | None = None
    ready_at: float | None = None
    code: int = 0

    @property
    def was_stable(self) -> bool:
        """Whether it was ready for STABLE_AFTER seconds."""
        return self.ready_at is not None and time.monotonic() - self.ready_at >= STABLE_AFTER

    @property
    def was_told_to_stop(self) -> bool:
        """Whether somebody else, such as an operator, has ended it with SIGTERM: it has finished what was in progress."""
        return self.code == 0 and self.ready_at is not None

    @property
    def ended(self) -> str:
        """How it ended, and what that cost."""
        if not self.code:
            return "was told to stop" if self.was_told_to_stop else "ended before it was ready"
        how = (
            f"was ended by {signal.Signals(-self.code).name}" if self.code < 0 else f"ended with exit code {self.code}"
        )
        return how if self.ready_at is None else f"{how}, and what it had acknowledged and not posted is lost"


class _Supervisor:
    """Starts the workers, and starts again those that end, until it is told to stop."""

    def __init__(self, settings: Settings, listening: ListeningSocket, count: int, metrics: str) -> None:
        self._command = [sys.executable, "-P", "-m", "bot", "serve", "--http"]
        self._listening = listening
        self._count = count
        self._metrics = metrics
        package = Path(__file__).parent.parent
        paths = os.pathsep.join(filter(None, (str(package), os.environ.get("PYTHONPATH"))))
        self._environment = os.environ | {"PYTHONPATH": paths} | ({MULTIPROC_DIR: metrics} if metrics else {})
        if settings.knowledge is not None:
            self._environment["ASKPY_KNOWLEDGE"] = str(settings.knowledge)  # --knowledge may have named it
        self._stop = asyncio.Event()
        self._loaded = asyncio.Event()
        self._ready = asyncio.Event()
        """Set once a worker has been ready."""
        self._refused = 0
        self._is_finished = True
        self._runs: dict[int, _Run] = {}
        """By number, the workers that run."""

    async def run(self) -> tuple[int, bool]:
        """Run until it is told to stop, or a worker refuses to start.

        Returns:
            The exit code of a worker that refuses, else 0; and whether all workers finished what was in progress.
        """
        loop = asyncio.get_running_loop()
        for sent in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(sent, self._stop.set)
        drop_gauges(self._metrics, os.getpid())  # of an earlier parent with this process id
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
                run = await self._run(number)
            except OSError as error:  # no more processes or memory
                reason, failures = f"can't be started ({error.strerror})", failures + 1
            else:
                if self._stop.is_set():
                    self._is_finished &= run.code == 0 or run.loaded_at is None
                    return
                if run.code in (1, 2) and not self._ready.is_set():
                    # It has named a fault that a person has to mend.
                    self._refused = run.code
                    self._stop.set()
                    return
                if run.was_told_to_stop:
                    logger.info("Worker %d %s; it is started again now.", number, run.ended)
                    continue
                reason, failures = run.ended, 1 if run.was_stable else failures + 1
            pause = RESTART_PAUSES[min(failures, len(RESTART_PAUSES)) - 1]
            when = f"in {pause:g} seconds" if pause else "now"
            logger.error("Worker %d %s; it is started again %s.", number, reason, when)
            await is_done_before(self._stop, asyncio.sleep(pause))

    async def _first_is_up(self) -> None:
        """Wait until a worker has loaded the pack, and built its index, and is ready or waits for Slack. A fault that ends it
        before that, such as a wrong token, is said by one worker alone."""
        await self._loaded.wait()
        with suppress(TimeoutError):
            async with asyncio.timeout(READY_TIMEOUT):
                await self._ready.wait()

    async def _run(self, number: int) -> _Run:
        """Run a worker to its end. Raises OSError if it can't be started."""
        worker = Worker(number, self._listening.fileno())
        process = await asyncio.create_subprocess_exec(
            *self._command, "--worker", str(worker),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            pass_fds=(worker.descriptor,), env=self._environment,
        )  # fmt: skip
        run = self._runs[number] = _Run(process)
        if self._stop.is_set():  # it came while the process was being started
            _signal(process, signal.SIGTERM)
        self._tell_who_answers()
        try:
            while line := await self._next_line(run, number):
                if line == LOADED:
                    run.loaded_at = time.monotonic()
                    self._loaded.set()
                elif line == READY:
                    run.ready_at = time.monotonic()
                    self._ready.set()
                    self._tell_who_answers()
            run.code = await process.wait()
            return run
        finally:
            del self._runs[number]
            drop_gauges(self._metrics, os.getpid(), number)
            self._tell_who_answers()

    def _tell_who_answers(self) -> None:
        """Tell each worker whether another one is ready."""
        ready = {number for number, run in self._runs.items() if run.ready_at is not None}
        for number, run in self._runs.items():
            if run.process.stdin is not None and not run.process.stdin.is_closing():
                run.process.stdin.write(OTHERS_ANSWER if ready - {number} else NOBODY_ANSWERS)

    async def _next_line(self, run: _Run, number: int) -> bytes:
        """What a worker reports next; empty when it has ended. One that was ready and reports nothing is killed."""
        output = run.process.stdout
        if output is None:
            return b""
        try:
            async with asyncio.timeout(None if run.ready_at is None else HUNG_AFTER):
                return await output.readline()
        except TimeoutError:
            if not self._stop.is_set():
                logger.error("Worker %d hasn't responded for %.0f seconds; it is killed.", number, HUNG_AFTER)
                _signal(run.process, signal.SIGKILL)
            return await output.readline()

    async def _end_all(self) -> None:
        """Send SIGTERM to all workers, and SIGKILL to those that are there after KILL_AFTER seconds."""
        for run in self._runs.values():
            _signal(run.process, signal.SIGTERM)
        deadline = time.monotonic() + KILL_AFTER
        while self._runs and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
        for run in self._runs.values():
            _signal(run.process, signal.SIGKILL)


def _signal(process: asyncio.subprocess.Process, number: int) -> None:
    with suppress(ProcessLookupError):
        process.send_signal(number)
