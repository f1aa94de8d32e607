"""Metrics for the operator, in the format of Prometheus.

Counts and times, labelled by kinds, codes and the pack's version; never by a workspace, a channel or a person. Without
prometheus-client nothing is counted, and the page says so. With PROMETHEUS_MULTIPROC_DIR several processes count together.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

MULTIPROC_DIR = "PROMETHEUS_MULTIPROC_DIR"
"""prometheus-client's variable for the folder in which several processes count together."""
MISSING = b"There are no metrics here: prometheus-client isn't installed. requirements.txt lists it.\n"
STEPS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 30.0, 120.0, 600.0)
"""Seconds: an answer is made in hundredths, Slack wants its acknowledgement within three, and a post is tried for 600."""
LAG_STEPS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 3.0)
"""Seconds: no callback should use the loop for more than 20 ms, and Slack waits for three seconds."""
MAX_CODE = 40
"""Characters of one of Slack's error codes; anything longer is labelled "other"."""
OUTCOMES = {200: "accepted", 404: "unknown", 503: "again"}
"""What became of a delivery, by the HTTP status: handled, nothing that the app has, or to be sent again; "failed" for others."""


@dataclass(frozen=True, slots=True)
class State:
    """What is looked up and not counted: the store's failures so far, and the present pack."""

    failures: int = 0
    version: str = ""
    entries: int = 0
    loaded_at: float = 0.0


class Metrics:
    """The counters and gauges of this process. `state` is called whenever they are read."""

    def __init__(self, state: Callable[[], State] = State) -> None:
        self.state = state
        self._lock = threading.Lock()
        self._failures, self._version = 0, ""
        self._registry = _registry(os.environ.get(MULTIPROC_DIR, ""))
        if self._registry is not None:
            self._make_counters(self._registry)
            self._make_gauges(self._registry)

    def _make_counters(self, registry: CollectorRegistry) -> None:
        import prometheus_client as prometheus

        def counter(name: str, text: str, *labels: str) -> prometheus.Counter:
            return prometheus.Counter(f"askpy_{name}", text, labels, registry=registry)

        self._questions = counter(
            "questions", "Questions that were answered, also with a don't-know", "kind", "surface"
        )
        self._outcomes = counter("answers", "Results of sending answers", "outcome")
        self._errors = counter("slack_errors", "Requests that Slack didn't accept, by its error code", "method", "code")
        self._resends = counter("resends", "Requests that were repeated")
        self._turned_away = counter("turned_away", "Messages refused with 503, which Slack delivers again")
        self._repeats = counter("repeated_deliveries", "Repeated deliveries of a message, which was answered once")
        self._too_old = counter(
            "events_too_old", "Messages that were not answered because Slack delivered them too late"
        )
        self._refused = counter("requests_refused", "Requests to the bot that it refused, by the reason", "reason")
        self._deliveries = counter("deliveries", "Payloads of Slack's, by what the bot answered", "outcome")
        self._lost_writes = counter("database_failures", "Reads and writes of the database that failed")
        self._seconds = prometheus.Histogram(
            "askpy_answer_seconds",
            "Seconds from receiving a question until its answer was handed over, and until it was posted",
            ("until",),
            registry=registry,
            buckets=STEPS,
        )

        self._lag = prometheus.Histogram(
            "askpy_loop_lag_seconds",
            "Seconds that the event loop was late",
            registry=registry,
            buckets=LAG_STEPS,
        )

    def _make_gauges(self, registry: CollectorRegistry) -> None:
        import prometheus_client as prometheus

        def gauge(name: str, text: str, *labels: str, together: str = "livesum") -> prometheus.Gauge:
            name = f"askpy_{name}"
            return prometheus.Gauge(name, text, labels, registry=registry, multiprocess_mode=together)  # type: ignore[arg-type]

        self._processes = gauge("processes", "Processes that are counted together here")
        self._queue = gauge("queue", "In progress: questions, presses and commands, requests to be sent", "of")
        self._knowledge = gauge("knowledge", "Processes that use this version of the pack", "version")
        self._entries = gauge("knowledge_entries", "Entries of the pack", together="livemax")
        self._last_delivery = gauge(
            "last_delivery_seconds", "When the last payload of Slack's came, since 1970; 0 before", together="livemax"
        )
        self._loaded = gauge("knowledge_loaded_seconds", "When the pack was loaded, since 1970", together="livemin")

    # -- counting

    def question(self, kind: str, surface: str) -> None:
        """Count a question that was answered."""
        if self._registry is not None:
            self._questions.labels(kind, surface).inc()

    def observe(self, until: str, seconds: float) -> None:
        """How many seconds it took `until` the answer was "handed" over to be sent, or "posted"."""
        if self._registry is not None:
            self._seconds.labels(until).observe(seconds)

    def lag(self, seconds: float) -> None:
        """The event loop was late by so many seconds."""
        if self._registry is not None:
            self._lag.observe(seconds)

    def answer(self, outcome: str) -> None:
        """Count the result of an answer: "posted", "refused", "given up", "unknown"."""
        if self._registry is not None:
            self._outcomes.labels(outcome).inc()

    def error(self, method: str, code: str) -> None:
        """Count a request that Slack didn't accept."""
        if self._registry is not None:
            self._errors.labels(method or "response_url", code if len(code) <= MAX_CODE else "other").inc()

    def resend(self) -> None:
        """Count a request that is going to be repeated."""
        if self._registry is not None:
            self._resends.inc()

    def turned_away(self) -> None:
        """Count a message that was refused with 503."""
        if self._registry is not None:
            self._turned_away.inc()

    def repeated(self) -> None:
        """Count a repeated delivery of a message."""
        if self._registry is not None:
            self._repeats.inc()

    def too_old(self) -> None:
        """Count a message that is too old to be answered."""
        if self._registry is not None:
            self._too_old.inc()

    def refused(self, reason: str) -> None:
        """Count a request to the bot that it refused; `reason` is a key of `REFUSALS` in `bot.slack.transport.http`."""
        if self._registry is not None:
            self._refused.labels(reason).inc()

    def delivered(self, status: int) -> None:
        """Count a payload of Slack's, by the HTTP status that it got or would have got."""
        if self._registry is not None:
            self._deliveries.labels(OUTCOMES.get(status, "failed")).inc()
            self._last_delivery.set(time.time())

    def queued(self, of: str, change: int) -> None:
        """Change the gauge of "questions", "presses" or "requests" in progress."""
        if self._registry is not None:
            self._queue.labels(of).inc(change)

    def update(self) -> None:
        """Set the gauges, and count the database's failures, from `state`.

        Called again and again (`bot.serving`), so that what another process shows of this one is right.
        """
        if self._registry is None:
            return
        state = self.state()
        with self._lock:
            self._processes.set(1)
            self._lost_writes.inc(max(0, state.failures - self._failures))
            self._failures = max(self._failures, state.failures)
            if self._version and self._version != state.version:
                self._knowledge.labels(self._version).set(0)
            self._version = state.version
            if state.version:
                self._knowledge.labels(state.version).set(1)
                self._entries.set(state.entries)
                self._loaded.set(state.loaded_at)

    # -- the page

    def page(self) -> tuple[int, str, bytes]:
        """The page of /metrics."""
        if self._registry is None:
            return 501, "text/plain", MISSING
        from prometheus_client import generate_latest

        self.update()
        folder = os.environ.get(MULTIPROC_DIR, "")
        return 200, "text/plain; version=0.0.4", generate_latest(_merged_registry(folder) if folder else self._registry)


def count_as(parent: int, worker: int) -> None:
    """Count on where the worker of this number has left off: each restart would else leave files that every scrape reads.

    To be called before `Metrics` is made. `parent`: the process id of the worker's parent.
    """
    try:
        from prometheus_client import values
    except ModuleNotFoundError:
        return
    if os.environ.get(MULTIPROC_DIR):
        values.ValueClass = values.MultiProcessValue(lambda: f"{parent}w{worker}")  # type: ignore[no-untyped-call]


def can_count() -> bool:
    """Whether prometheus-client is installed."""
    return find_spec("prometheus_client") is not None


def drop_gauges(folder: str, parent: int, worker: int | None = None) -> None:
    """Remove what a worker that has ended had in progress, or all workers of a parent. `parent`: its process id."""
    for file in Path(folder).glob(f"gauge_live*_{parent}w{'*' if worker is None else worker}.db") if folder else ():
        file.unlink(missing_ok=True)


def _registry(folder: str) -> CollectorRegistry | None:
    """The registry of this process, in a `folder` together with others; None without the library."""
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
    try:
        import prometheus_client as prometheus
    except ModuleNotFoundError:
        return None
    registry = prometheus.CollectorRegistry()
    if not folder:
        prometheus.ProcessCollector(registry=registry)
    return registry


def _merged_registry(folder: str) -> CollectorRegistry:
    """The counts of all processes, without the gauges of those that have ended."""
    from prometheus_client import CollectorRegistry, multiprocess

    for file in Path(folder).glob("gauge_live*_*.db"):
        process, _, worker = file.stem.rpartition("_")[2].partition("w")
        if process.isdecimal() and not _is_alive(int(process)):
            name = f"{process}w{worker}" if worker else process
            multiprocess.mark_process_dead(name, folder)  # type: ignore[no-untyped-call]
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry, folder)  # type: ignore[no-untyped-call]
    return registry


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
