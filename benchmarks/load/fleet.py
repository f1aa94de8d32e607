"""Several processes of the bot with one Slack and one database: under load, and killed under load. Run by `make fire`.

The stand-in delivers each event to one of the processes and, if it isn't acknowledged within three seconds, up to three times
more, as Slack does, with seconds between them where Slack waits for minutes.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import count, islice
from pathlib import Path

from benchmarks.load.arrivals import Answers
from benchmarks.load.processes import DATABASES, BotProcess, Checkout, Database, Mode, empty_database, load_average
from benchmarks.load.questions import distinct_questions, phrasings
from support.busy_slack import BusySlack, frame
from support.people import Ack, Line, Said, Way, said, signed

ACK_TIMEOUT = 3.0
"""Seconds, as at Slack."""
RETRY_DELAYS = (0.0, 4.0, 20.0)
"""Seconds before each further delivery; at Slack none, a minute and five."""
MAX_WAIT = 60.0
"""Seconds for the last answers of a round."""
QUIET = 5.0
"""Seconds without a request after which no more are expected."""
MAX_TEXTS = 40_000
SEED = 3


# --- the processes


@dataclass(slots=True)
class Member(BotProcess):
    """One process of the fleet."""

    restarting: bool = False

    def restart(self) -> None:
        """Wait until it has ended, and start it again."""
        self.running._process.wait(30)
        self.start()
        self.wait_ready()
        self.restarting = False


class Fleet:
    """The processes, each with a port of its own; or one with `workers` that share its port."""

    def __init__(self, slack: BusySlack, folder: Path, database: str, modes: Sequence[Mode], workers: int = 1) -> None:
        cache = Path(os.environ.get("ASKPY_CACHE") or folder / "cache")
        Checkout().warm(folder, cache)
        self.slack, self.folder = slack, folder
        self.members = [Member(slack, folder, database, cache, mode, workers=workers) for mode in modes]

    def __enter__(self) -> Fleet:
        for member in self.members:
            member.start()
        try:
            for member in self.members:
                member.wait_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> list[int]:
        """Send SIGTERM to all of them at once; their exit codes."""
        running = [member for member in self.members if member.process is not None]
        for member in running:
            with suppress(ProcessLookupError):
                member.running._process.send_signal(signal.SIGTERM)
        return [member.stop(30) for member in running]

    def tracebacks(self) -> int:
        """Tracebacks in all logs."""
        return sum(member.tracebacks() for member in self.members)


# --- Slack's side


@dataclass(slots=True)
class MessageDelivery:
    """A message that Slack delivers, with the acknowledgement of each attempt."""

    message: Said
    acks: list[Ack] = field(default_factory=list)

    @property
    def acknowledged(self) -> bool:
        return any(ack.status == 200 for ack in self.acks)


class Mailbox:
    """Slack's deliveries to the processes."""

    def __init__(self, fleet: Fleet, seed: int = SEED, repeated: float = 0.0) -> None:
        """`repeated`: the share of events that are delivered a second time although they were acknowledged."""
        self.fleet, self.rng, self.repeated = fleet, random.Random(seed), repeated
        self.deliveries: list[MessageDelivery] = []
        self.resent = 0

    def deliver(self, messages: Sequence[Said], at_once: int, rate: float = 0.0) -> None:
        """Deliver messages, and return when each is acknowledged or given up.

        Args:
            messages: In this order.
            at_once: Deliveries under way at once.
            rate: Messages a second; 0: as fast as they are acknowledged.
        """
        self.fleet.slack.run(self._deliver(messages, at_once, rate))

    async def _deliver(self, messages: Sequence[Said], at_once: int, rate: float) -> None:
        remaining, started = iter(enumerate(messages)), time.monotonic()
        retries: set[asyncio.Task[None]] = set()

        async def deliver_next() -> None:
            lines = self._lines()
            for number, message in remaining:
                if rate:
                    await asyncio.sleep(max(0.0, started + number / rate - time.monotonic()))
                delivery = MessageDelivery(message)
                self.deliveries.append(delivery)
                await self._attempt(delivery, lines)
                if not delivery.acknowledged or (message.way != "command" and self.rng.random() < self.repeated):
                    task = asyncio.create_task(self._retry(delivery))
                    retries.add(task)
                    task.add_done_callback(retries.discard)
            for line in lines.values():
                line.close()

        await asyncio.gather(*(deliver_next() for _ in range(at_once)))
        while retries:
            await asyncio.wait(retries)

    async def _attempt(self, delivery: MessageDelivery, lines: dict[int, Line]) -> None:
        """Over HTTP to the processes in random order until one connects, as a load balancer does; or over a WebSocket."""
        if not lines:
            delivery.acks.append(await self._send(delivery))
            return
        request = signed(delivery.message.raw, delivery.message.kind)
        for port in self.rng.sample(sorted(lines), len(lines)):
            ack = await lines[port].ask(request, ACK_TIMEOUT)
            delivery.acks.append(ack)
            if ack.status or ack.seconds >= ACK_TIMEOUT:
                return

    async def _send(self, delivery: MessageDelivery) -> Ack:
        slack, started = self.fleet.slack, time.monotonic()
        links = [link for link in slack.links if not link.is_closing()]
        if not links:
            await asyncio.sleep(0.1)
            return Ack(0, 0.0)
        name = f"e{delivery.message.number}-{len(delivery.acks)}"
        self.rng.choice(links).write(frame(json.dumps(delivery.message.envelope | {"envelope_id": name}).encode()))
        acknowledged = await slack.acknowledgement(name, ACK_TIMEOUT)
        return Ack(200 if acknowledged else 0, time.monotonic() - started)

    def _lines(self) -> dict[int, Line]:
        """A connection to each process that serves HTTP, by port."""
        return {member.port: Line(member.port) for member in self.fleet.members if member.mode == "http"}

    async def _retry(self, delivery: MessageDelivery) -> None:
        """Deliver an event up to three times more; a command is delivered once."""
        if delivery.message.way == "command":
            return
        for delay in RETRY_DELAYS:
            await asyncio.sleep(delay)
            lines = self._lines()
            self.resent += 1
            await self._attempt(delivery, lines)
            for line in lines.values():
                line.close()
            if delivery.acknowledged:
                return


@dataclass(frozen=True, slots=True)
class Verdict:
    """Counts of what happened to the messages; `doubled`, `lost` and `refused` are the addresses of their answers."""

    messages: int
    answered: int
    doubled: tuple[str, ...]
    lost: tuple[str, ...]
    refused: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"{self.messages} messages: {self.answered} answered once, {len(self.doubled)} doubled, "
            f"{len(self.lost)} acknowledged and never posted, {len(self.refused)} never acknowledged"
        )


def judge(slack: BusySlack, mailbox: Mailbox, timeout: float = MAX_WAIT) -> Verdict:
    """Wait for the last answers as long as requests keep coming, at most `timeout` seconds, and count."""
    expected = {delivery.message.address for delivery in mailbox.deliveries if delivery.acknowledged}
    deadline, seen = time.monotonic() + timeout, -1
    with slack.changed:
        while not expected <= {attempt.address for attempt in slack.arrived()} and len(slack.attempts) > seen:
            seen = len(slack.attempts)
            remaining = max(0.0, deadline - time.monotonic())
            slack.changed.wait_for(partial(_has_more_attempts, slack, seen), min(QUIET, remaining))
    arrived = Counter(attempt.address for attempt in slack.arrived())
    addresses = [delivery.message.address for delivery in mailbox.deliveries]
    missing = [delivery for delivery in mailbox.deliveries if not arrived[delivery.message.address]]
    return Verdict(
        messages=len(addresses),
        answered=sum(arrived[address] == 1 for address in addresses),
        doubled=tuple(address for address in addresses if arrived[address] > 1),
        lost=tuple(delivery.message.address for delivery in missing if delivery.acknowledged),
        refused=tuple(delivery.message.address for delivery in missing if not delivery.acknowledged),
    )


def _has_more_attempts(slack: BusySlack, seen: int) -> bool:
    return len(slack.attempts) > seen


def messages(slack: BusySlack, ways: tuple[Way, ...] = ("mention", "dm")) -> Iterator[Said]:
    """Messages with distinct texts; by default only events, because Slack never delivers a command again."""
    texts = distinct_questions(phrasings(), MAX_TEXTS, SEED)
    return (said(slack, number, text, ways[number % len(ways)]) for number, text in zip(count(), texts, strict=False))


# --- load


def run_round(
    slack: BusySlack, fleet: Fleet, source: Iterator[Said], total: int, at_once: int
) -> tuple[float, Verdict, list[float]]:
    """One round of `total` messages: answers a second, what happened to them, and seconds until each acknowledgement."""
    mailbox, batch = Mailbox(fleet, repeated=0.1), list(islice(source, total))
    answers, started = Answers.to_messages(slack, batch), time.monotonic()
    mailbox.deliver(batch, at_once)
    ended = answers.last if answers.wait(MAX_WAIT) else time.monotonic()
    acks = sorted(ack.seconds for delivery in mailbox.deliveries for ack in delivery.acks)
    return total / (ended - started), judge(slack, mailbox, QUIET), acks


# --- killing


class Killer:
    """Ends random processes, one after another, until the block ends; at least one healthy process is always left."""

    def __init__(self, fleet: Fleet, seed: int, pause: float, sigterm_share: float = 0.3) -> None:
        """`pause`: seconds between two. `sigterm_share`: the share that gets SIGTERM instead of SIGKILL."""
        self.fleet, self.rng, self.pause, self.sigterm_share = fleet, random.Random(seed), pause, sigterm_share
        self.killed = self.stopped = 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Killer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _run(self) -> None:
        restarts: list[threading.Thread] = []
        while not self._done.wait(self.pause):
            member = self.rng.choice(self.fleet.members)
            is_sigterm = self.rng.random() < self.sigterm_share
            if member.workers > 1:
                self._end_worker(member, signal.SIGTERM if is_sigterm else signal.SIGKILL)
                continue
            others = [other for other in self.fleet.members if other is not member and not other.restarting]
            is_alive = member.running.is_alive() and not member.restarting
            if not is_alive or not any(other.is_healthy() for other in others):
                continue
            member.restarting = True
            with suppress(ProcessLookupError):
                os.kill(member.pid, signal.SIGTERM if is_sigterm else signal.SIGKILL)
            self.stopped += is_sigterm
            self.killed += not is_sigterm
            restarts.append(threading.Thread(target=member.restart))
            restarts[-1].start()
        for restart in restarts:
            restart.join()

    def _end_worker(self, member: Member, number: int) -> None:
        """End one of a process's workers, if all of them are ready; the process starts it again."""
        if member.times_ready() < member.workers + self.killed + self.stopped:
            return
        with suppress(ProcessLookupError):
            os.kill(self.rng.choice(member.worker_pids()), number)
        self.stopped += number == signal.SIGTERM
        self.killed += number == signal.SIGKILL


# --- the command

FLEETS: dict[str, list[Mode]] = {
    "one": ["http"],
    "two": ["http"] * 2,
    "four": ["http"] * 4,
    "sockets": ["socket"] * 4,
    "workers": ["http"],
}
WORKERS = {"workers": 4}
NAMES = {
    "one": "1 x serve", "two": "2 x serve", "four": "4 x serve", "sockets": "4 x serve --socket",
    "workers": "serve --workers 4",
}  # fmt: skip


def main() -> int:
    options = _options()
    print("python -m benchmarks.load.fleet", *sys.argv[1:])
    print(load_average(), flush=True)
    return {"load": _run_load, "kill": _run_kills, "stop": _run_kills}[options.part](options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=["load", "kill", "stop"], help="stop: SIGTERM only, and nothing may be lost")
    parser.add_argument("--messages", type=int, default=1000, help="messages of one round (1000)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of load (3)")
    parser.add_argument("--at-once", type=int, default=50, help="deliveries under way at once (50)")
    parser.add_argument("--latency", type=float, default=150, help="milliseconds that a call to Slack takes (150)")
    parser.add_argument("--databases", nargs="+", default=DATABASES, choices=DATABASES)
    parser.add_argument("--fleets", nargs="+", default=["one", "four", "sockets", "workers"], choices=list(FLEETS))
    parser.add_argument("--rate", type=float, default=30, help="messages a second while processes are killed (30)")
    parser.add_argument("--pause", type=float, default=3, help="seconds between two kills (3)")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


@contextmanager
def _open_fleet(options: argparse.Namespace, kind: Database, name: str) -> Iterator[tuple[BusySlack, Fleet]]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="askpy-fire-")))
        slack = stack.enter_context(BusySlack(options.latency / 1000, lean=True))
        url = stack.enter_context(empty_database(kind, folder))
        yield slack, stack.enter_context(Fleet(slack, folder, url, FLEETS[name], WORKERS.get(name, 1)))


def _run_load(options: argparse.Namespace) -> int:
    """Print answers a second of one process and of several; 1 if a message wasn't answered exactly once."""
    print(f"{options.rounds} rounds of {options.messages} messages, {options.at_once} at once, one in ten "
          f"delivered twice; {options.latency:.0f} ms a call to Slack")  # fmt: skip
    print(
        f"{'database':<10}{'processes':<20}{'answers/s':>10}{'ack p50':>9}{'p99':>8}{'doubled':>9}{'lost':>6}{'refused':>9}"
    )
    passed = True
    for kind in options.databases:
        for name in options.fleets:
            with _open_fleet(options, kind, name) as (slack, fleet):
                source = messages(slack)
                run_round(slack, fleet, source, options.at_once, options.at_once)  # to warm up
                rates, acks, faults = [], list[float](), Counter[str]()
                for _ in range(options.rounds):
                    rate, verdict, seconds = run_round(slack, fleet, source, options.messages, options.at_once)
                    rates.append(rate)
                    acks += seconds
                    faults.update(doubled=len(verdict.doubled), lost=len(verdict.lost), refused=len(verdict.refused))
                acks.sort()
                p50, p99 = (acks[int(len(acks) * share)] * 1000 for share in (0.5, 0.99))
                print(
                    f"{kind:<10}{NAMES[name]:<20}{sorted(rates)[len(rates) // 2]:>10.1f}{p50:>7.0f}ms{p99:>6.0f}ms"
                    f"{faults['doubled']:>9}{faults['lost']:>6}{faults['refused']:>9}",
                    flush=True,
                )
                passed &= not faults.total() and not fleet.tracebacks()
    return int(not passed)


def _run_kills(options: argparse.Namespace) -> int:
    """Kill and restart processes under load, or only stop them; 1 if an answer is doubled, or lost by stopping."""
    passed, sigterm_share = True, 1.0 if options.part == "stop" else 0.3
    for kind in options.databases:
        for name in options.fleets:
            if len(FLEETS[name]) * WORKERS.get(name, 1) == 1:  # one process is always left
                continue
            with _open_fleet(options, kind, name) as (slack, fleet):
                verdict, killer, mailbox = run_with_kills(
                    slack,
                    fleet,
                    options.messages,
                    options.at_once,
                    options.pause,
                    options.seed,
                    options.rate,
                    sigterm_share,
                )
                print(f"{kind}, {NAMES[name]}: {verdict}; {killer.killed} killed, {killer.stopped} stopped, "
                      f"{mailbox.resent} deliveries repeated; {fleet.tracebacks()} tracebacks", flush=True)  # fmt: skip
                passed &= not (verdict.doubled or (verdict.lost and sigterm_share == 1.0) or fleet.tracebacks())
    return int(not passed)


def run_with_kills(
    slack: BusySlack,
    fleet: Fleet,
    total: int,
    at_once: int,
    pause: float,
    seed: int,
    rate: float,
    sigterm_share: float = 0.3,
) -> tuple[Verdict, Killer, Mailbox]:
    """Deliver `total` messages while processes are ended and restarted."""
    mailbox = Mailbox(fleet, seed, repeated=0.1)
    source = messages(slack)
    with Killer(fleet, seed, pause, sigterm_share) as killer:
        mailbox.deliver(list(islice(source, total)), at_once, rate)
    for member in fleet.members:
        member.wait_ready()
    return judge(slack, mailbox), killer, mailbox


if __name__ == "__main__":
    raise SystemExit(main())
