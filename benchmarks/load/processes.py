"""Processes of the bot, of this checkout or another one, and their CPU, memory and metrics."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from benchmarks.load import ROOT
from support.busy_slack import BusySlack
from support.local_slack import Process, fetch, free_port
from support.people import SECRET

Mode = Literal["http", "socket"]
MODES: tuple[Mode, ...] = ("http", "socket")
Database = Literal["sqlite", "postgres"]
DATABASES: tuple[Database, ...] = ("sqlite", "postgres")
BOT_TOKEN, APP_TOKEN = "xoxb-load", "xapp-load"
LONGEST_START, LONGEST_STOP = 120.0, 15.0
"""Seconds; the first start builds the pack's index."""


@dataclass(frozen=True, slots=True)
class Checkout:
    """A checkout of AskPy and the Python that runs it."""

    root: Path = ROOT
    python: Path = Path(sys.executable)

    def warm(self, folder: Path, cache: Path) -> None:
        """Have the pack's index built, once, and not by several processes at the same time."""
        settings = self.settings(cache, self.root / "knowledge")
        process = Process(
            [self.python, "-m", "bot", "ask", "what", "is", "flask"], folder / "warm.log", folder, **settings
        )
        code = process._process.wait(LONGEST_START)
        assert code == 0, process.text

    def settings(self, cache: Path, knowledge: Path) -> dict[str, str]:
        """Environment variables with the bot's folders."""
        return {"PYTHONPATH": str(self.root), "ASKPY_CACHE": str(cache), "ASKPY_KNOWLEDGE": str(knowledge)}


@dataclass(slots=True)
class BotProcess:
    """`python -m bot serve`, over HTTP or by Socket Mode. Its log and its files are in `folder`."""

    slack: BusySlack
    folder: Path
    database: str
    cache: Path
    mode: Mode = "http"
    checkout: Checkout = field(default_factory=Checkout)
    knowledge: Path | None = None
    environment: dict[str, str] = field(default_factory=dict)
    workers: int = 1
    port: int = field(default_factory=free_port)
    process: Process | None = None

    def start(self) -> None:
        """Start it, without waiting until it is ready."""
        settings = self.checkout.settings(self.cache, self.knowledge or self.checkout.root / "knowledge") | {
            "SLACK_API_URL": self.slack.url, "SLACK_BOT_TOKEN": BOT_TOKEN, "SLACK_SIGNING_SECRET": SECRET,
            "SLACK_APP_TOKEN": APP_TOKEN, "DATABASE_URL": self.database, "PORT": str(self.port), **self.environment,
        }  # fmt: skip
        command: list[str | Path] = [self.checkout.python, "-m", "bot", "serve", f"--{self.mode}"]
        if self.workers > 1:
            command += ["--workers", str(self.workers)]
        self.process = Process(command, self.log, self.folder, **settings)

    def wait_ready(self) -> None:
        """Wait until /healthz answers 200, and all workers are ready."""
        self.running.wait_for(self.is_healthy, "healthz", LONGEST_START)
        if self.workers > 1:
            self.running.wait_for(lambda: self.times_ready() >= self.workers, "workers", LONGEST_START)

    def times_ready(self) -> int:
        """How often a worker has become ready."""
        return len(re.findall(r"worker \d+ bot: Ready$", self.log.read_text(encoding="utf-8"), re.MULTILINE))

    def worker_pids(self) -> list[int]:
        """The process ids of the workers."""
        return [
            int(child)
            for path in Path(f"/proc/{self.pid}/task").glob("*/children")
            for child in path.read_text().split()
        ]

    def is_healthy(self) -> bool:
        """Whether /healthz answers 200."""
        return fetch(f"http://127.0.0.1:{self.port}/healthz", timeout=1)[0] == 200

    def stop(self, seconds: float = LONGEST_STOP) -> int:
        """Send SIGTERM; the exit code."""
        return self.running.stop(seconds)

    @property
    def running(self) -> Process:
        assert self.process is not None
        return self.process

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.running._process.pid

    @property
    def log(self) -> Path:
        return self.folder / f"bot-{self.port}.log"

    def tracebacks(self) -> int:
        """Tracebacks in its log."""
        return self.log.read_text(encoding="utf-8").count("Traceback")

    def metrics(self) -> str:
        """The page of /metrics."""
        return fetch(f"http://127.0.0.1:{self.port}/metrics")[1].decode()

    def __enter__(self) -> BotProcess:
        self.start()
        try:
            self.wait_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


@contextmanager
def empty_database(kind: Database, folder: Path) -> Iterator[str]:
    """The URL of an empty database; a PostgreSQL of its own ends with the block."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'askpy.db'}"
        return
    from support import postgres

    with postgres.running() as url:
        yield url


# --- CPU and memory


def cpu_seconds(pid: int) -> float:
    """Seconds of CPU time of a process, its children, and those of them that have ended; 0 without /proc."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        children = [path.read_text(encoding="ascii").split() for path in Path(f"/proc/{pid}/task").glob("*/children")]
    except OSError:
        return 0.0
    own = sum(map(int, stat[11:15])) / os.sysconf("SC_CLK_TCK")
    return own + sum(cpu_seconds(int(child)) for group in children for child in group)


def busy_seconds() -> float:
    """Seconds of processor time that the whole machine has used; 0 where the system doesn't say."""
    try:
        line = Path("/proc/stat").read_text(encoding="ascii").partition("\n")[0]
    except OSError:
        return 0.0
    user, nice, system, _idle, _waiting, irq, softirq, stolen = map(int, line.split()[1:9])
    return (user + nice + system + irq + softirq + stolen) / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident MB of a process: its own (anonymous) memory, and mapped files (libraries, the word vectors)."""

    own: float
    files: float

    @classmethod
    def from_pid(cls, pid: int) -> Memory:
        """The memory of a process."""
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
        own, files, shared = (
            int(re.findall(rf"{name}:\s+(\d+) kB", status)[0]) / 1024 for name in ("RssAnon", "RssFile", "RssShmem")
        )
        return cls(own, files + shared)

    @property
    def resident(self) -> float:
        return self.own + self.files

    def __str__(self) -> str:
        return f"{self.resident:6.1f} MB ({self.own:.1f} its own, {self.files:.1f} of files)"


def load_average() -> str:
    """Cores and load average, to judge the figures by."""
    return f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}"


# --- metrics


@dataclass(frozen=True, slots=True)
class Histogram:
    """Cumulative counts of observations by upper bound, as in Prometheus."""

    counts: dict[float, float] = field(default_factory=dict)

    @classmethod
    def from_page(cls, page: str, name: str) -> Histogram:
        """A histogram of a page of /metrics; empty where it isn't there."""
        lines = re.findall(rf'^{name}_bucket{{le="([^"]+)"}} (\S+)$', page, re.MULTILINE)
        return cls({float(bound): float(count) for bound, count in lines})

    def __sub__(self, earlier: Histogram) -> Histogram:
        return Histogram({bound: count - earlier.counts.get(bound, 0.0) for bound, count in self.counts.items()})

    def __add__(self, other: Histogram) -> Histogram:
        bounds = self.counts.keys() | other.counts.keys()
        return Histogram({bound: self.counts.get(bound, 0.0) + other.counts.get(bound, 0.0) for bound in bounds})

    @property
    def total(self) -> int:
        return int(max(self.counts.values(), default=0.0))

    def quantile(self, share: float) -> float | None:
        """The value that this share of the observations doesn't exceed, linear within a bucket; None without observations."""
        wanted, lower, below = share * self.total, 0.0, 0.0
        if not self.total:
            return None
        for bound, count in sorted(self.counts.items()):
            if count >= wanted and count > below:
                return lower if bound == float("inf") else lower + (bound - lower) * (wanted - below) / (count - below)
            lower, below = bound, count
        return lower


def gauge(page: str, name: str) -> float | None:
    """The value of a gauge without labels."""
    match = re.search(rf"^{name} (\S+)$", page, re.MULTILINE)
    return float(match[1]) if match else None
