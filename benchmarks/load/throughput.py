"""Throughput: AskPy over HTTP beside a bare Bolt app, both in front of the same slow stand-in Slack. Run by `make load`.

Everything stays on this machine and ends by itself. A round: so many connections at once deliver `--messages` mentions,
direct messages and commands, signed, each the next one as soon as the last is acknowledged; it ends when the last answer has
reached Slack. Rounds of the apps alternate, so that whatever else the machine does hits all of them, and no text occurs
twice in a run. The ratios are what matters: all else depends on the machine.

Another checkout in place of this one, or beside it in the same run:
  --checkout ../old --python ../old/.venv/bin/python
  --checkout . ../old --python .venv/bin/python ../old/.venv/bin/python
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count, islice
from pathlib import Path

from benchmarks.load import ROOT
from benchmarks.load.arrivals import Answers
from benchmarks.load.bare_bolt import THREADS
from benchmarks.load.processes import (
    BOT_TOKEN,
    BotProcess,
    Checkout,
    Histogram,
    busy_seconds,
    cpu_seconds,
    gauge,
    load_average,
)
from benchmarks.load.questions import distinct_questions, phrasings
from support.busy_slack import BusySlack
from support.local_slack import Process, fetch, free_port
from support.people import SECRET, Ack, Said, crowd, said

SEED = 3
WARM_UP = 150
"""Messages to each app before anything is measured."""
REPEATED_EVENTS = 200
"""Events that Slack delivers three times."""
REBUILD_RATE = 25.0
"""Messages a second while a pack is rebuilt."""
MAX_ROUND, MAX_REBUILD = 60.0, 90.0
"""Seconds."""
MAX_OTHERS = 0.3
"""Cores that other programs may use before the figures are worth little."""
MAX_TEXTS = 4_000
"""Texts beside those of the rounds: to warm up, for the rebuild and for what is delivered three times."""
LAG, LOADED = "askpy_loop_lag_seconds", "askpy_knowledge_loaded_seconds"
LISTED, PHRASING = "\n  list_asks:\n", "    - a phrasing that is written while the bot answers\n"
"""The line above a group's phrasings, and a phrasing that is added below it."""


@dataclass(frozen=True, slots=True)
class Goal:
    """Limit and target of a figure. `at_least`: larger is better."""

    name: str
    must: float
    reach: float
    at_least: bool = False

    def verdict(self, value: float) -> str:
        """One word or two."""
        sign = -1 if self.at_least else 1
        if sign * value > sign * self.must:
            return "MISSED"
        return "reached" if sign * value <= sign * self.reach else "enough"


RATE = Goal("answers/s beside the baseline", 0.55, 0.75, at_least=True)
RATE_OF_WORKERS = Goal(RATE.name, 0.75, 0.95, at_least=True)
CPU = Goal("CPU of an answer beside the baseline's", 3.0, 2.3)
ACK = Goal("ack p99, seconds", 1.0, 0.5)
FAULTS = Goal("lost, doubled, refused", 0, 0)


@dataclass(slots=True)
class Measurement:
    """What was measured of one app with one number of deliveries at once."""

    sent: list[Said] = field(default_factory=list)
    acks: list[Ack] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    cpu: float = 0.0
    lag: Histogram = field(default_factory=Histogram)

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.sent) / sum(self.seconds)

    @property
    def cpu_ms(self) -> float:
        """Milliseconds of processor time an answer."""
        return 1000 * self.cpu / len(self.sent)

    @property
    def refused(self) -> int:
        """Deliveries that weren't acknowledged with 200."""
        return sum(ack.status != 200 for ack in self.acks)

    def ack_ms(self, share: float) -> float:
        """Milliseconds that this share of the acknowledgements took at most."""
        times = sorted(ack.seconds for ack in self.acks)
        return 1000 * times[min(len(times) - 1, int(len(times) * share))]


@dataclass(slots=True)
class App:
    """One of the apps; the baseline is no bot."""

    name: str
    port: int
    pid: int
    bot: BotProcess | None = None
    levels: dict[int, Measurement] = field(default_factory=dict)

    def lag(self) -> Histogram:
        """Lag of its event loop so far, in seconds; empty where it isn't measured."""
        return Histogram.from_page(self.bot.metrics(), LAG) if self.bot is not None else Histogram()


def main() -> int:
    options = _options()
    print("python -m benchmarks.load.throughput", *sys.argv[1:])
    print(load_average(), flush=True)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="askpy-load-")))
        slack = stack.enter_context(BusySlack(options.latency / 1000, lean=True))
        bare = stack.enter_context(_bare(slack, folder))
        bots = [
            stack.enter_context(_askpy(slack, folder, n, checkout, options.workers))
            for n, checkout in enumerate(options.apps)
        ]
        apps, source = [bare, *bots], _messages(slack, options)
        for app in apps:
            _round(slack, app, Measurement(), list(islice(source, WARM_UP)), max(options.at_once))
        ours, others = _measure(slack, apps, source, options)
        _print_rounds(options, slack, apps, ours, others)
        print(f"\nA pack is rebuilt while {REBUILD_RATE:.0f} messages a second come in:")
        passed = [_measure_rebuild(slack, app, source) for app in bots]
        print(f"\n{REPEATED_EVENTS} events, each delivered three times:")
        passed += [_deliver_repeatedly(slack, app, source, min(options.at_once)) for app in bots]
        passed += [_no_tracebacks(app) for app in bots]
        passed += [_print_goals(slack, bare, app) for app in bots]
    print(load_average())
    return 0 if all(passed) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=8, help="rounds of each app (8)")
    parser.add_argument("--messages", type=int, default=400, help="messages of one round (400)")
    parser.add_argument(
        "--at-once", type=int, nargs="+", default=[50, 100], help="deliveries under way at once (50 100)"
    )
    parser.add_argument("--latency", type=float, default=150, help="milliseconds that a call to Slack takes (150)")
    parser.add_argument("--workers", type=int, default=1, help="processes of AskPy that share its port (1)")
    parser.add_argument("--checkout", type=Path, nargs="+", default=[ROOT], help="checkouts to measure (this one)")
    parser.add_argument(
        "--python", type=Path, nargs="+", default=[], help="the Python of each (the one that runs this)"
    )
    options = parser.parse_args()
    pythons = options.python or [Path(sys.executable)] * len(options.checkout)
    if len(pythons) != len(options.checkout):
        parser.error("as many --python as --checkout, or none")
    pairs = zip(options.checkout, pythons, strict=True)
    options.apps = [Checkout(root.resolve(), python.absolute()) for root, python in pairs]
    return options


def _messages(slack: BusySlack, options: argparse.Namespace) -> Iterator[Said]:
    """Messages with distinct texts, as many as a run needs at most."""
    number = options.rounds * options.messages * len(options.at_once) * (1 + len(options.apps))
    texts = distinct_questions(phrasings(), number + MAX_TEXTS * (1 + len(options.apps)), SEED)
    return (said(slack, number, text) for number, text in zip(count(), texts, strict=False))


# --- rounds


def _measure(
    slack: BusySlack, apps: list[App], source: Iterator[Said], options: argparse.Namespace
) -> tuple[float, float]:
    """All rounds; the cores that this program used, Slack and the people included, and those that others used meanwhile."""
    started, used, busy = time.monotonic(), time.process_time(), busy_seconds()
    for at_once in options.at_once:
        for app in apps:
            app.levels[at_once] = Measurement(cpu=-cpu_seconds(app.pid))
        for turn in range(options.rounds):
            for app in apps if turn % 2 else reversed(apps):
                _round(slack, app, app.levels[at_once], list(islice(source, options.messages)), at_once)
        for app in apps:  # over all rounds: what is left for later, as counts are, costs as well
            app.levels[at_once].cpu += cpu_seconds(app.pid)
    seconds, used = time.monotonic() - started, time.process_time() - used
    ours = used + sum(measured.cpu for app in apps for measured in app.levels.values())
    return used / seconds, max(0.0, busy_seconds() - busy - ours) / seconds


def _round(slack: BusySlack, app: App, measured: Measurement, messages: list[Said], at_once: int) -> None:
    answers, lag = Answers.to_messages(slack, messages), app.lag()
    started = time.monotonic()
    acks = slack.run(crowd(app.port, messages, at_once))
    ended = answers.last if answers.wait(MAX_ROUND) else time.monotonic()
    measured.seconds.append(ended - started)
    measured.lag += app.lag() - lag
    measured.acks += acks
    measured.sent += messages


def _measure_rebuild(slack: BusySlack, app: App, source: Iterator[Said]) -> bool:
    """Edit a file of the pack while messages come in, until it has been read again; true if nothing was lost meanwhile."""
    assert app.bot is not None and app.bot.knowledge is not None
    loaded_at, stop, measured = gauge(app.bot.metrics(), LOADED), threading.Event(), Measurement()

    def messages() -> Iterator[Said]:
        while not stop.is_set():
            measured.sent.append(next(source))
            yield measured.sent[-1]

    def people() -> None:
        measured.acks += slack.run(crowd(app.port, messages(), 20, REBUILD_RATE))

    lag, started = app.lag(), time.monotonic()
    thread = threading.Thread(target=people)
    thread.start()
    _edit(app.bot.knowledge)
    deadline = started + MAX_REBUILD
    while gauge(app.bot.metrics(), LOADED) == loaded_at and time.monotonic() < deadline:
        stop.wait(0.25)  # only /metrics shows that the new pack answers
    seconds = time.monotonic() - started
    stop.set()
    thread.join()
    with slack.changed:
        slack.changed.wait_for(lambda: not _faults(slack, measured.sent)[0], MAX_ROUND)
    measured.lag = app.lag() - lag
    lost, doubled = _faults(slack, measured.sent)
    print(
        f"{app.name:<24}the new pack answers after {seconds:.1f} s; {len(measured.sent)} messages, lost {lost}, "
        f"doubled {doubled}, refused {measured.refused};\n{'':<24}{_ack_line(measured)}; {_lag_line(measured.lag)}",
        flush=True,
    )
    return not (lost or doubled or measured.refused) and seconds < MAX_REBUILD


def _edit(knowledge: Path) -> None:
    """Add a phrasing to the pack."""
    path = knowledge / "groups.yaml"
    before = path.read_text(encoding="utf-8")
    text = before.replace(LISTED, LISTED + PHRASING, 1)
    assert text != before, f"{path} has no {LISTED!r} any more"
    path.write_text(text, encoding="utf-8")


def _deliver_repeatedly(slack: BusySlack, app: App, source: Iterator[Said], at_once: int) -> bool:
    """A last round in which Slack delivers every event three times; true if each was answered once."""
    messages = list(islice((message for message in source if message.way != "command"), REPEATED_EVENTS))
    answers = Answers.to_messages(slack, messages)
    slack.run(crowd(app.port, [copy for message in messages for copy in (message,) * 3], at_once))
    answers.wait(MAX_ROUND)
    lost, doubled = _faults(slack, messages)
    print(f"{app.name:<24}lost {lost}, doubled {doubled}", flush=True)
    return not (lost or doubled)


def _no_tracebacks(app: App) -> bool:
    tracebacks = app.bot.tracebacks() if app.bot is not None else 0
    if tracebacks:
        print(f"The log of {app.name} holds {tracebacks} tracebacks.")
    return not tracebacks


# --- the apps


@contextmanager
def _askpy(slack: BusySlack, folder: Path, number: int, checkout: Checkout, workers: int) -> Iterator[App]:
    """AskPy of a checkout, over SQLite and a copy of its pack."""
    folder = folder / f"askpy-{number}"
    knowledge = folder / "knowledge"
    shutil.copytree(checkout.root / "knowledge", knowledge)
    database, cache = f"sqlite:///{folder / 'askpy.db'}", folder / "cache"
    with BotProcess(slack, folder, database, cache, checkout=checkout, knowledge=knowledge, workers=workers) as bot:
        name = "AskPy" if checkout.root == ROOT else f"AskPy ({checkout.root.name})"
        name += f", {workers} workers" if workers > 1 else ""
        yield App(name, bot.port, bot.pid, bot)


@contextmanager
def _bare(slack: BusySlack, folder: Path) -> Iterator[App]:
    """The baseline under gunicorn, one worker."""
    folder = folder / "bare"
    folder.mkdir()
    port = free_port()
    command = (
        f"-m gunicorn benchmarks.load.bare_bolt:build() --bind 127.0.0.1:{port} --keep-alive 30 --workers 1".split()
    )
    command += ["--worker-class", "gthread", "--threads", str(THREADS)]
    settings = {"SLACK_API_URL": slack.url, "SLACK_BOT_TOKEN": BOT_TOKEN, "SLACK_SIGNING_SECRET": SECRET}
    settings["PYTHONPATH"] = str(ROOT)
    process = Process([sys.executable, *command], folder / "bare.log", folder, **settings)
    try:
        process.wait_for(lambda: fetch(f"http://127.0.0.1:{port}/")[0] == 404, "the baseline")
        yield App("bare Bolt", port, process._process.pid)
    finally:
        process.stop()


# --- what is printed


def _print_rounds(options: argparse.Namespace, slack: BusySlack, apps: list[App], ours: float, others: float) -> None:
    print(
        f"\n{options.rounds} rounds of {options.messages} mentions, direct messages and commands for each app in turn, "
        f"{options.latency:.0f} ms a call to Slack, no text twice.\nBare Bolt answers a constant: gunicorn, gthread, one "
        f"worker, {THREADS} threads. Slack and the people took {ours:.2f} of a core, other programs {others:.2f}."
    )
    if others > MAX_OTHERS:
        print(
            "The baseline waits for Slack most of the time and AskPy computes: on a busy machine AskPy alone is slowed."
        )
    head = f"{'answers/s':>10}{'ratio':>7}{'CPU ms':>8}{'ratio':>7}{'lost':>6}{'doubled':>8}{'refused':>8}"
    for at_once in options.at_once:
        print(f"\n{f'{at_once} at once':<24}{head}{'ack p50':>9}{'p99':>8}{'worst':>8}{'lag p99':>10}")
        for app in apps:
            measured, base = app.levels[at_once], apps[0].levels[at_once]
            lost, doubled = _faults(slack, measured.sent)
            lag = measured.lag.quantile(0.99)
            print(
                f"{app.name:<24}{measured.rate:>10.1f}{measured.rate / base.rate:>7.2f}{measured.cpu_ms:>8.2f}"
                f"{measured.cpu_ms / base.cpu_ms:>7.2f}{lost:>6}{doubled:>8}{measured.refused:>8}"
                + "".join(f"{measured.ack_ms(share):>{width}.0f}ms" for share, width in ((0.5, 7), (0.99, 6), (1, 6)))
                + ("" if lag is None else f"{1000 * lag:>8.0f}ms"),
                flush=True,
            )
        for app in apps[1:]:
            pairs = zip(apps[0].levels[at_once].seconds, app.levels[at_once].seconds, strict=True)
            turns = sorted(theirs / ours for theirs, ours in pairs)
            print(f"{'':<24}{app.name}: ratio of single rounds {turns[0]:.2f} to {turns[-1]:.2f}")


def _print_goals(slack: BusySlack, bare: App, app: App) -> bool:
    """The goals and what was measured; true if none is missed."""
    print(f"\n{app.name:<54}{'measured':>8}{'must':>8}{'reach':>8}")
    passed, workers = True, app.bot.workers if app.bot is not None else 1
    for at_once, measured in app.levels.items():
        base = bare.levels[at_once]
        values = {
            RATE if workers == 1 else RATE_OF_WORKERS: measured.rate / base.rate,
            CPU: measured.cpu_ms / base.cpu_ms
            if workers == 1
            else None,  # of one process; several contend for the caches
            ACK: measured.ack_ms(0.99) / 1000,
            FAULTS: sum(_faults(slack, measured.sent)) + measured.refused,
        }
        for goal, value in values.items():
            if value is None:
                continue
            verdict = goal.verdict(value)
            passed &= verdict != "MISSED"
            print(f"{f'{at_once:>3} at once: {goal.name}':<54}{value:>8.2f}{goal.must:>8}{goal.reach:>8}  {verdict}")
    return passed


def _ack_line(measured: Measurement) -> str:
    return "ack p50 {:.0f}, p99 {:.0f}, worst {:.0f} ms".format(*(measured.ack_ms(share) for share in (0.5, 0.99, 1)))


def _lag_line(lag: Histogram) -> str:
    value = lag.quantile(0.99)
    if value is None:
        return "it doesn't measure its event loop"
    late = {f"{1000 * bound:.0f} ms": int(lag.total - number) for bound, number in sorted(lag.counts.items())}
    return f"event loop late p99 {1000 * value:.0f} ms of {lag.total} looks, {late.get('20 ms', 0)} over 20 ms"


def _faults(slack: BusySlack, messages: list[Said]) -> tuple[int, int]:
    """How many were never answered, and how many more than once."""
    arrived = Counter(attempt.address for attempt in slack.arrived())
    counts = [arrived[message.address] for message in messages]
    return counts.count(0), sum(count > 1 for count in counts)


if __name__ == "__main__":
    raise SystemExit(main())
