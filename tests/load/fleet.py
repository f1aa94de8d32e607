"""Several processes of the bot before one Slack and one database: under load, and killed under load. Run by `make fire`.

Slack here does as Slack does: it delivers to any of the processes, and what wasn't acknowledged within three seconds again,
up to three times, only with seconds in place of minutes between. Everything stays on this machine and ends by itself.
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
from itertools import count, islice
from pathlib import Path
from typing import Literal

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "slack"), str(ROOT / "tests" / "e2e")]

from local_slack import Process, fetch, free_port  # noqa: E402  it lies beside the other stand-ins
from slack_busy import BusySlack, frame  # noqa: E402
from slack_people import SECRET, Ack, Line, Said, said, signed  # noqa: E402

from bot.knowledge import load  # noqa: E402
from bot.match import Matcher  # noqa: E402

TOKEN, APP_TOKEN = "xoxb-fire", "xapp-fire"
ACKNOWLEDGED_WITHIN = 3.0
"""Seconds: Slack's own."""
AGAIN_AFTER = (0.0, 4.0, 20.0)
"""Seconds before Slack delivers again; its own are none, a minute and five."""
LONGEST_WAIT = 60.0
"""Seconds for the last answers of a round."""
THREADS = 24
"""A gunicorn worker's requests at once."""
Server = Literal["serve", "gunicorn", "socket"]


# --- the processes


@dataclass(slots=True)
class Member:
    """One server of the fleet: the bot's own with one process, over HTTP or by Socket Mode, or gunicorn with some workers."""

    server: Server
    workers: int
    folder: Path
    settings: dict[str, str]
    port: int = field(default_factory=free_port)
    process: Process | None = None
    restarting: bool = False

    def begin(self) -> None:
        """Start it; it answers later."""
        command: list[str | Path] = [sys.executable, "-m"]
        match self.server:
            case "gunicorn":
                command += ["gunicorn", "bot.serving:application()", "--bind", f"127.0.0.1:{self.port}"]
                command += ["--workers", str(self.workers), "--worker-class", "gthread", "--threads", str(THREADS)]
            case "serve":
                command += ["bot", "serve", "--http"]
            case "socket":
                command += ["bot", "serve", "--socket"]
        self.process = Process(command, self.log, self.folder, **self.settings, PORT=str(self.port))

    def await_ready(self) -> None:
        assert self.process is not None
        self.process.wait_for(lambda: fetch(f"http://127.0.0.1:{self.port}/healthz")[0] == 200, "healthz", 90)

    def is_well(self) -> bool:
        """Whether it answers at the moment."""
        return fetch(f"http://127.0.0.1:{self.port}/healthz", timeout=1)[0] == 200

    def again(self) -> None:
        """Wait for its end, and start it again."""
        assert self.process is not None
        self.process._process.wait(30)
        self.begin()
        self.await_ready()
        self.restarting = False

    @property
    def log(self) -> Path:
        return self.folder / f"bot-{self.port}.log"

    @property
    def pids(self) -> list[int]:
        """The processes that answer."""
        assert self.process is not None
        pid = self.process._process.pid
        if self.server != "gunicorn":
            return [pid]
        told = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
        return [int(each) for each in told.split()]


class Fleet:
    """All of them."""

    def __init__(self, slack: BusySlack, folder: Path, database: str, servers: Sequence[tuple[Server, int]]) -> None:
        cache = Path(os.environ.get("ASKPY_CACHE") or folder / "cache")
        Matcher.of(load(ROOT / "knowledge", cache), cache)  # once, and not by all of them at the same time
        settings = {
            "PYTHONPATH": str(ROOT), "SLACK_API_URL": slack.url, "SLACK_BOT_TOKEN": TOKEN, "SLACK_SIGNING_SECRET": SECRET,
            "SLACK_APP_TOKEN": APP_TOKEN,
            "DATABASE_URL": database, "ASKPY_CACHE": str(cache),
            "ASKPY_KNOWLEDGE": str(ROOT / "knowledge"),
        }  # fmt: skip
        self.slack, self.folder = slack, folder
        self.members = [Member(server, workers, folder, settings) for server, workers in servers]

    def __enter__(self) -> Fleet:
        for member in self.members:
            member.begin()
        try:
            for member in self.members:
                member.await_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> list[int]:
        """Ask all of them to end; their exit codes."""
        running = [member.process for member in self.members if member.process is not None]
        for process in running:
            with suppress(ProcessLookupError):
                process._process.send_signal(signal.SIGTERM)
        return [process.stop(30) for process in running]

    @property
    def processes(self) -> int:
        return sum(member.workers for member in self.members)

    def tracebacks(self) -> int:
        return sum(log.read_text(encoding="utf-8").count("Traceback") for log in self.folder.glob("bot-*.log"))


# --- Slack's side


@dataclass(slots=True)
class Delivered:
    """What Slack knows of one message."""

    message: Said
    acks: list[Ack] = field(default_factory=list)

    @property
    def acknowledged(self) -> bool:
        return any(ack.status == 200 for ack in self.acks)


class Mailbox:
    """Slack's queue of messages to deliver, over so many connections at once."""

    def __init__(self, fleet: Fleet, seed: int = 3, twice: float = 0.0) -> None:
        """`twice`: the share of events that Slack delivers a second time although they were acknowledged."""
        self.fleet, self.dice, self.twice = fleet, random.Random(seed), twice
        self.delivered: list[Delivered] = []
        self.resent = 0

    def deliver(self, messages: Sequence[Said], at_once: int, rate: float = 0.0) -> None:
        """Deliver all of it, and return when each is acknowledged or given up; so many a second, or as fast as it goes."""
        self.fleet.slack.run(self._deliver(messages, at_once, rate))

    async def _deliver(self, messages: Sequence[Said], at_once: int, rate: float) -> None:
        waiting, began = iter(enumerate(messages)), time.monotonic()
        again: set[asyncio.Task[None]] = set()

        async def one() -> None:
            lines = self._lines()
            for number, message in waiting:
                if rate:
                    await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
                found = Delivered(message)
                self.delivered.append(found)
                await self._attempt(found, lines)
                if not found.acknowledged or (message.way != "command" and self.dice.random() < self.twice):
                    task = asyncio.create_task(self._again(found))
                    again.add(task)
                    task.add_done_callback(again.discard)
            for line in lines.values():
                line.close()

        await asyncio.gather(*(one() for _ in range(at_once)))
        while again:
            await asyncio.wait(again)

    async def _attempt(self, found: Delivered, lines: dict[int, Line]) -> None:
        """To one process after another, as a balancer does, until one takes the connection; or by one of the WebSockets."""
        if not lines:
            found.acks.append(await self._send(found))
            return
        request = signed(found.message.raw, found.message.kind)
        for port in self.dice.sample(sorted(lines), len(lines)):
            ack = await lines[port].ask(request, ACKNOWLEDGED_WITHIN)
            found.acks.append(ack)
            if ack.status or ack.seconds >= ACKNOWLEDGED_WITHIN:
                return

    async def _send(self, found: Delivered) -> Ack:
        slack, began = self.fleet.slack, time.monotonic()
        links = [link for link in slack.links if not link.is_closing()]
        if not links:
            await asyncio.sleep(0.1)
            return Ack(0, 0.0)
        name = f"e{found.message.number}-{len(found.acks)}"
        self.dice.choice(links).write(frame(json.dumps(found.message.envelope | {"envelope_id": name}).encode()))
        while name not in slack.acknowledged and time.monotonic() - began < ACKNOWLEDGED_WITHIN:
            await asyncio.sleep(0.01)
        return Ack(200 if name in slack.acknowledged else 0, time.monotonic() - began)

    def _lines(self) -> dict[int, Line]:
        """A connection to each server that takes any."""
        return {member.port: Line(member.port) for member in self.fleet.members if member.server != "socket"}

    async def _again(self, found: Delivered) -> None:
        """Slack's second thoughts: a command is delivered once, an event up to three times more."""
        if found.message.way == "command":
            return
        for pause in AGAIN_AFTER:
            await asyncio.sleep(pause)
            lines = self._lines()
            self.resent += 1
            await self._attempt(found, lines)
            for line in lines.values():
                line.close()
            if found.acknowledged:
                return


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of the messages."""

    messages: int
    answered: int
    doubled: tuple[str, ...]
    lost: tuple[str, ...]
    unheard: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"{self.messages} messages: {self.answered} answered once, {len(self.doubled)} doubled, "
            f"{len(self.lost)} acknowledged and never posted, {len(self.unheard)} never acknowledged"
        )


def judge(slack: BusySlack, box: Mailbox, patience: float = LONGEST_WAIT) -> Verdict:
    """Wait for the last answers, as long as there is any movement, and count."""
    wanted = {each.message.address for each in box.delivered if each.acknowledged}
    deadline, before = time.monotonic() + patience, -1
    while time.monotonic() < deadline:
        answered = {each.address for each in slack.arrived()}
        if wanted <= answered or before == len(slack.attempts):
            break
        before = len(slack.attempts)
        time.sleep(5)
    arrived = Counter(each.address for each in slack.arrived())
    doubled = tuple(each.message.address for each in box.delivered if arrived[each.message.address] > 1)
    lost = tuple(
        each.message.address for each in box.delivered if each.acknowledged and not arrived[each.message.address]
    )
    unheard = tuple(
        each.message.address for each in box.delivered if not each.acknowledged and not arrived[each.message.address]
    )
    answered_once = sum(arrived[each.message.address] == 1 for each in box.delivered)
    return Verdict(len(box.delivered), answered_once, doubled, lost, unheard)


def messages(slack: BusySlack, ways: tuple[str, ...] = ("mention", "dm")) -> Iterator[Said]:
    """What people write, without an end. Events only, unless told: Slack never delivers a command again."""
    asks = sorted({ask for entry in load(ROOT / "knowledge").entries for ask in entry.asks})
    random.Random(3).shuffle(asks)
    return (said(slack, number, asks[number % len(asks)], ways[number % len(ways)]) for number in count())  # type: ignore[arg-type]


# --- load


def loaded(
    slack: BusySlack, fleet: Fleet, source: Iterator[Said], many: int, at_once: int
) -> tuple[float, Verdict, list[float]]:
    """One round: answers a second, what became of it, and how long acknowledgements took."""
    box, began = Mailbox(fleet, twice=0.1), time.monotonic()
    batch = list(islice(source, many))
    box.deliver(batch, at_once)
    wanted = {message.address for message in batch}
    with slack.changed:
        slack.changed.wait_for(lambda: wanted <= {each.address for each in slack.arrived()}, LONGEST_WAIT)
    ended = max((each.done for each in slack.arrived() if each.address in wanted), default=time.monotonic())
    acks = sorted(ack.seconds for each in box.delivered for ack in each.acks)
    return many / (ended - began), judge(slack, box, 5), acks


# --- killing


class Killer:
    """Ends processes at random, one after another, as long as it is let; of several servers one is always left."""

    def __init__(self, fleet: Fleet, seed: int, pause: float, gently: float = 0.3) -> None:
        """`gently`: the share of them that is asked to end (SIGTERM) and not killed."""
        self.fleet, self.dice, self.pause, self.gently = fleet, random.Random(seed), pause, gently
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
            member = self.dice.choice(self.fleet.members)
            gently = self.dice.random() < self.gently
            assert member.process is not None
            others = [each for each in self.fleet.members if each is not member and not each.restarting]
            alive = member.process.is_alive() and not member.restarting
            victims = member.pids if alive and any(each.is_well() for each in others) else []
            if not victims:  # it is just being made again
                continue
            victim = self.dice.choice(victims)
            with suppress(ProcessLookupError):
                os.kill(victim, signal.SIGTERM if gently else signal.SIGKILL)
            self.stopped += gently
            self.killed += not gently
            if member.server != "gunicorn":  # it starts its workers again by itself
                member.restarting = True
                restarts.append(threading.Thread(target=member.again))
                restarts[-1].start()
        for each in restarts:
            each.join()


# --- databases


@contextmanager
def database(kind: str, folder: Path) -> Iterator[str]:
    """The URL of an empty database."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'askpy.db'}"
        return
    import postgres

    with postgres.running() as url:
        yield url


FLEETS: dict[str, list[tuple[Server, int]]] = {
    "one": [("serve", 1)],
    "four": [("serve", 1)] * 4,
    "gunicorn": [("gunicorn", 2)] * 2,
    "sockets": [("socket", 1)] * 4,
    "two": [("serve", 1)] * 2,
}
NAMES = {
    "one": "1 x serve",
    "two": "2 x serve",
    "four": "4 x serve",
    "gunicorn": "2 x gunicorn, 2 workers",
    "sockets": "4 x serve --socket",
}


def main() -> int:
    options = _options()
    print("python", *sys.argv, flush=True)
    return {"load": _load, "kill": _kill, "stop": _kill}[options.what](options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["load", "kill", "stop"], help="stop: SIGTERM only, and nothing may be lost")
    parser.add_argument("--messages", type=int, default=1000, help="messages of one round (1000)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of load (3)")
    parser.add_argument("--at-once", type=int, default=50, help="deliveries under way at once (50)")
    parser.add_argument("--latency", type=float, default=150, help="milliseconds that a call to Slack takes (150)")
    parser.add_argument("--databases", nargs="+", default=["sqlite", "postgres"], choices=["sqlite", "postgres"])
    parser.add_argument("--fleets", nargs="+", default=["one", "four", "gunicorn", "sockets"], choices=list(FLEETS))
    parser.add_argument("--rate", type=float, default=30, help="messages a second while processes are killed (30)")
    parser.add_argument("--pause", type=float, default=3, help="seconds between two kills (3)")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


@contextmanager
def _scene(options: argparse.Namespace, kind: str, name: str) -> Iterator[tuple[BusySlack, Fleet]]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="askpy-fire-")))
        slack = stack.enter_context(BusySlack(options.latency / 1000))
        url = stack.enter_context(database(kind, folder))
        yield slack, stack.enter_context(Fleet(slack, folder, url, FLEETS[name]))


def _load(options: argparse.Namespace) -> int:
    """Answers a second of one process and of several, on PostgreSQL; each message to be answered exactly once."""
    print(f"{options.rounds} rounds of {options.messages} messages, {options.at_once} at once, one in ten "
          f"delivered twice; {options.latency:.0f} ms a call to Slack; {os.cpu_count()} cores")  # fmt: skip
    print(
        f"{'database':<10}{'processes':<26}{'answers/s':>10}{'ack p50':>9}{'p99':>8}{'doubled':>9}{'lost':>6}{'unheard':>9}"
    )
    fine = True
    for kind in options.databases:
        for name in options.fleets:
            with _scene(options, kind, name) as (slack, fleet):
                source = messages(slack)
                loaded(slack, fleet, source, options.at_once, options.at_once)
                rates, acks, faults = [], list[float](), Counter[str]()
                for _ in range(options.rounds):
                    rate, verdict, took = loaded(slack, fleet, source, options.messages, options.at_once)
                    rates.append(rate)
                    acks += took
                    faults.update(doubled=len(verdict.doubled), lost=len(verdict.lost), unheard=len(verdict.unheard))
                acks.sort()
                half, most = (acks[int(len(acks) * part)] * 1000 for part in (0.5, 0.99))
                told = f"{NAMES[name]:<26}{sorted(rates)[len(rates) // 2]:>10.1f}{half:>7.0f}ms{most:>6.0f}ms"
                told += f"{faults['doubled']:>9}{faults['lost']:>6}{faults['unheard']:>9}"
                print(f"{kind:<10}{told}", flush=True)
                fine &= not faults.total() and not fleet.tracebacks()
    return int(not fine)


def _kill(options: argparse.Namespace) -> int:
    """Processes are killed and restarted while people write; or stopped, which may cost nothing."""
    fine, gently = True, 1.0 if options.what == "stop" else 0.3
    for kind in options.databases:
        for name in options.fleets:
            if name == "one":
                continue
            with _scene(options, kind, name) as (slack, fleet):
                verdict, killer, box = killed(
                    slack, fleet, options.messages, options.at_once, options.pause, options.seed, options.rate, gently
                )
                print(f"{kind}, {name}: {verdict}; {killer.killed} killed, {killer.stopped} stopped, "
                      f"{box.resent} deliveries repeated", flush=True)  # fmt: skip
                fine &= not (verdict.doubled or (verdict.lost and gently == 1.0) or fleet.tracebacks())
    return int(not fine)


def killed(
    slack: BusySlack,
    fleet: Fleet,
    many: int,
    at_once: int,
    pause: float,
    seed: int,
    rate: float,
    gently: float = 0.3,
) -> tuple[Verdict, Killer, Mailbox]:
    """People write, while processes come and go."""
    box = Mailbox(fleet, seed, twice=0.1)
    source = messages(slack)
    with Killer(fleet, seed, pause, gently) as killer:
        box.deliver(list(islice(source, many)), at_once, rate)
    for member in fleet.members:
        member.await_ready()
    return judge(slack, box), killer, box


if __name__ == "__main__":
    raise SystemExit(main())
