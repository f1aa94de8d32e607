"""What an operator watches, in the form that Prometheus reads.

Counts and times, labelled by kinds, codes and the pack's version; never by a workspace, a channel or a person. Without
prometheus-client nothing is counted, and the page says so. With PROMETHEUS_MULTIPROC_DIR several workers count together.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

TOGETHER = "PROMETHEUS_MULTIPROC_DIR"
"""The variable that names the folder in which several processes count together; prometheus-client's own."""
MISSING = b"There are no metrics here: prometheus-client isn't installed. requirements.txt lists it.\n"
STEPS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 30.0, 120.0, 600.0)
"""Seconds: an answer is made in hundredths, Slack wants its acknowledgement within three, and gives up on no post sooner."""
LAG_STEPS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 3.0)
"""Seconds: no callback of ours uses the loop for more than twenty milliseconds, and Slack waits for three seconds."""
UPDATE_EVERY = 1.0
"""Seconds between two updates of the gauges while answers go on; each scrape updates them, too."""
LONGEST_CODE = 40
"""Characters of an error code of Slack's; whatever is longer is no code."""


@dataclass(frozen=True, slots=True)
class State:
    """What is looked up rather than counted: the store's failures so far, and the pack that is answered from."""

    failures: int = 0
    version: str = ""
    entries: int = 0
    loaded_at: float = 0.0


class Metrics:
    """The counters and gauges of this process. `state` is called whenever they are read."""

    def __init__(self, state: Callable[[], State] = State) -> None:
        self.state = state
        self._lock = threading.Lock()
        self._failures, self._version, self._updated = 0, "", 0.0
        self._registry = _registry(os.environ.get(TOGETHER, ""))
        if self._registry is not None:
            self._make_counters(self._registry)
            self._make_gauges(self._registry)

    def _make_counters(self, registry: CollectorRegistry) -> None:
        import prometheus_client as prometheus

        def counter(name: str, text: str, *labels: str) -> prometheus.Counter:
            return prometheus.Counter(f"askpy_{name}", text, labels, registry=registry)

        self._questions = counter("questions", "Questions that were answered, a don't-know included", "kind", "surface")
        self._outcomes = counter("answers", "What became of answers", "outcome")
        self._errors = counter("slack_errors", "Requests that Slack didn't take, by its code", "method", "code")
        self._resends = counter("resends", "Requests that had to be sent again")
        self._turned_away = counter("turned_away", "Deliveries without room for them, which Slack makes again")
        self._repeats = counter("repeated_deliveries", "Messages that came again and were not answered again")
        self._lost_writes = counter("database_failures", "What couldn't be read from or written to the database")
        self._seconds = prometheus.Histogram(
            "askpy_answer_seconds",
            "Seconds from hearing a question until its answer was handed over, and until Slack had it",
            ("until",),
            registry=registry,
            buckets=STEPS,
        )

        self._lag = prometheus.Histogram(
            "askpy_loop_lag_seconds",
            "Seconds that the event loop came back later than planned",
            registry=registry,
            buckets=LAG_STEPS,
        )

    def _make_gauges(self, registry: CollectorRegistry) -> None:
        import prometheus_client as prometheus

        def gauge(name: str, text: str, *labels: str, together: str = "livesum") -> prometheus.Gauge:
            name = f"askpy_{name}"
            return prometheus.Gauge(name, text, labels, registry=registry, multiprocess_mode=together)  # type: ignore[arg-type]

        self._queue = gauge("queue", "What is under way: questions, presses and commands, requests to be sent", "of")
        self._knowledge = gauge("knowledge", "Processes that answer from this version of the pack", "version")
        self._entries = gauge("knowledge_entries", "Entries of the pack", together="livemax")
        self._loaded = gauge("knowledge_loaded_seconds", "When the pack was loaded, since 1970", together="livemin")

    # -- what happens

    def question(self, kind: str, surface: str) -> None:
        """A question has been answered."""
        if self._registry is not None:
            self._questions.labels(kind, surface).inc()

    def observe(self, until: str, seconds: float) -> None:
        """How many seconds it took `until` the answer was "handed" over to be sent, or "posted"."""
        if self._registry is not None:
            self._seconds.labels(until).observe(seconds)

    def lag(self, seconds: float) -> None:
        """The event loop came back so many seconds later than planned."""
        if self._registry is not None:
            self._lag.observe(seconds)

    def answer(self, outcome: str) -> None:
        """What became of an answer: "posted", "refused", "given up", "unknown"."""
        if self._registry is not None:
            self._outcomes.labels(outcome).inc()
            if time.monotonic() - self._updated > UPDATE_EVERY:  # another process may be the one that is read
                self.update()

    def error(self, method: str, code: str) -> None:
        """Slack didn't take a request."""
        if self._registry is not None:
            self._errors.labels(method or "response_url", code if len(code) <= LONGEST_CODE else "other").inc()

    def resend(self) -> None:
        """A request waits to be sent again."""
        if self._registry is not None:
            self._resends.inc()

    def turned_away(self) -> None:
        """There was no room for a message: Slack shall deliver it again."""
        if self._registry is not None:
            self._turned_away.inc()

    def repeated(self) -> None:
        """A message that is being answered already was delivered again."""
        if self._registry is not None:
            self._repeats.inc()

    def queued(self, of: str, change: int) -> None:
        """So many more are under way: "questions", "presses" or "requests"; negative: fewer."""
        if self._registry is not None:
            self._queue.labels(of).inc(change)

    def update(self) -> None:
        """Set the gauges, and count the database's failures, from `state`."""
        if self._registry is None:
            return
        state, self._updated = self.state(), time.monotonic()
        with self._lock:
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
        folder = os.environ.get(TOGETHER, "")
        return 200, "text/plain; version=0.0.4", generate_latest(_together(folder) if folder else self._registry)


def _registry(folder: str) -> CollectorRegistry | None:
    """Where this process counts, in a `folder` together with others; None without the library."""
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


def _together(folder: str) -> CollectorRegistry:
    """What all processes have counted; gauges of those that are gone are taken away first."""
    from prometheus_client import CollectorRegistry, multiprocess

    for file in Path(folder).glob("gauge_live*_*.db"):
        number = file.stem.rpartition("_")[2]
        if number.isdecimal() and not _is_alive(int(number)):
            multiprocess.mark_process_dead(int(number), folder)  # type: ignore[no-untyped-call]
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
