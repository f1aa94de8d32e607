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

sys.path.insert(0, str(Path(__file__).parent))

from processes import DATABASES, BotProcess, Checkout, Database, Mode, empty_database, load_average
from questions import different, phrasings
from slack_busy import BusySlack, frame
from slack_people import Ack, Line, Said, Way, said, signed
from waiting import Answers

ACKNOWLEDGED_WITHIN = 3.0
"""Seconds: Slack's own."""
AGAIN_AFTER = (0.0, 4.0, 20.0)
"""Seconds before Slack delivers again; its own are none, a minute and five."""
LONGEST_WAIT = 60.0
"""Seconds for the last answers of a round."""
STILL = 5.0
"""Seconds without a request after which nothing more is expected."""
MOST_TEXTS = 40_000
SEED = 3


# --- the processes


@dataclass(slots=True)
class Member(BotProcess):
    """One process of the fleet."""

    restarting: bool = False

    def restart(self) -> None:
        """Wait for its end, and start it again."""
        self.running._process.wait(30)
        self.start()
        self.wait_ready()
        self.restarting = False


class Fleet:
    """All of them, each with a port of its own."""

    def __init__(self, slack: BusySlack, folder: Path, database: str, modes: Sequence[Mode]) -> None:
        cache = Path(os.environ.get("ASKPY_CACHE") or folder / "cache")
        Checkout().warm(folder, cache)
        self.slack, self.folder = slack, folder
        self.members = [Member(slack, folder, database, cache, mode) for mode in modes]

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
        """Ask all of them to end at the same time; their exit codes."""
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
class Delivered:
    """What Slack knows of one message."""

    message: Said
    acks: list[Ack] = field(default_factory=list)

    @property
    def acknowledged(self) -> bool:
        return any(ack.status == 200 for ack in self.acks)


class Mailbox:
    """Slack's queue of messages to deliver, over so many connections at once."""

    def __init__(self, fleet: Fleet, seed: int = SEED, twice: float = 0.0) -> None:
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
        done = await slack.acknowledgement(name, ACKNOWLEDGED_WITHIN)
        return Ack(200 if done else 0, time.monotonic() - began)

    def _lines(self) -> dict[int, Line]:
        """A connection to each server that takes any."""
        return {member.port: Line(member.port) for member in self.fleet.members if member.mode == "http"}

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
    refused: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"{self.messages} messages: {self.answered} answered once, {len(self.doubled)} doubled, "
            f"{len(self.lost)} acknowledged and never posted, {len(self.refused)} never acknowledged"
        )


def judge(slack: BusySlack, box: Mailbox, patience: float = LONGEST_WAIT) -> Verdict:
    """Wait for the last answers, as long as requests keep coming, and count."""
    wanted = {each.message.address for each in box.delivered if each.acknowledged}
    deadline, seen = time.monotonic() + patience, -1
    with slack.changed:
        while not wanted <= {each.address for each in slack.arrived()} and len(slack.attempts) > seen:
            seen = len(slack.attempts)
            left = deadline - time.monotonic()
            slack.changed.wait_for(lambda seen=seen: len(slack.attempts) > seen, min(STILL, max(0.0, left)))
    arrived = Counter(each.address for each in slack.arrived())
    doubled = tuple(each.message.address for each in box.delivered if arrived[each.message.address] > 1)
    missing = [each for each in box.delivered if not arrived[each.message.address]]
    lost = tuple(each.message.address for each in missing if each.acknowledged)
    refused = tuple(each.message.address for each in missing if not each.acknowledged)
    answered_once = sum(arrived[each.message.address] == 1 for each in box.delivered)
    return Verdict(len(box.delivered), answered_once, doubled, lost, refused)


def messages(slack: BusySlack, ways: tuple[Way, ...] = ("mention", "dm")) -> Iterator[Said]:
    """What people write, no text twice. Events only, unless otherwise asked for: Slack never delivers a command again."""
    texts = different(phrasings(), MOST_TEXTS, SEED)
    return (said(slack, number, text, ways[number % len(ways)]) for number, text in zip(count(), texts, strict=False))


# --- load


def loaded(
    slack: BusySlack, fleet: Fleet, source: Iterator[Said], many: int, at_once: int
) -> tuple[float, Verdict, list[float]]:
    """One round: answers a second, what became of it, and how long acknowledgements took."""
    box, batch = Mailbox(fleet, twice=0.1), list(islice(source, many))
    answers, began = Answers.to(slack, batch), time.monotonic()
    box.deliver(batch, at_once)
    ended = answers.last if answers.wait(LONGEST_WAIT) else time.monotonic()
    acks = sorted(ack.seconds for each in box.delivered for ack in each.acks)
    return many / (ended - began), judge(slack, box, STILL), acks


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
            others = [each for each in self.fleet.members if each is not member and not each.restarting]
            alive = member.running.is_alive() and not member.restarting
            if not alive or not any(each.is_healthy() for each in others):
                continue
            member.restarting = True
            with suppress(ProcessLookupError):
                os.kill(member.pid, signal.SIGTERM if gently else signal.SIGKILL)
            self.stopped += gently
            self.killed += not gently
            restarts.append(threading.Thread(target=member.restart))
            restarts[-1].start()
        for each in restarts:
            each.join()


# --- the parts

FLEETS: dict[str, list[Mode]] = {
    "one": ["http"],
    "two": ["http"] * 2,
    "four": ["http"] * 4,
    "sockets": ["socket"] * 4,
}
NAMES = {"one": "1 x serve", "two": "2 x serve", "four": "4 x serve", "sockets": "4 x serve --socket"}


def main() -> int:
    options = _options()
    print("python", *sys.argv)
    print(load_average(), flush=True)
    return {"load": _load, "kill": _kill, "stop": _kill}[options.what](options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["load", "kill", "stop"], help="stop: SIGTERM only, and nothing may be lost")
    parser.add_argument("--messages", type=int, default=1000, help="messages of one round (1000)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of load (3)")
    parser.add_argument("--at-once", type=int, default=50, help="deliveries under way at once (50)")
    parser.add_argument("--latency", type=float, default=150, help="milliseconds that a call to Slack takes (150)")
    parser.add_argument("--databases", nargs="+", default=DATABASES, choices=DATABASES)
    parser.add_argument("--fleets", nargs="+", default=["one", "four", "sockets"], choices=list(FLEETS))
    parser.add_argument("--rate", type=float, default=30, help="messages a second while processes are killed (30)")
    parser.add_argument("--pause", type=float, default=3, help="seconds between two kills (3)")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


@contextmanager
def _scene(options: argparse.Namespace, kind: Database, name: str) -> Iterator[tuple[BusySlack, Fleet]]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="askpy-fire-")))
        slack = stack.enter_context(BusySlack(options.latency / 1000, lean=True))
        url = stack.enter_context(empty_database(kind, folder))
        yield slack, stack.enter_context(Fleet(slack, folder, url, FLEETS[name]))


def _load(options: argparse.Namespace) -> int:
    """Answers a second of one process and of several; each message to be answered exactly once."""
    print(f"{options.rounds} rounds of {options.messages} messages, {options.at_once} at once, one in ten "
          f"delivered twice; {options.latency:.0f} ms a call to Slack")  # fmt: skip
    print(
        f"{'database':<10}{'processes':<20}{'answers/s':>10}{'ack p50':>9}{'p99':>8}{'doubled':>9}{'lost':>6}{'refused':>9}"
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
                    faults.update(doubled=len(verdict.doubled), lost=len(verdict.lost), refused=len(verdict.refused))
                acks.sort()
                half, most = (acks[int(len(acks) * part)] * 1000 for part in (0.5, 0.99))
                print(
                    f"{kind:<10}{NAMES[name]:<20}{sorted(rates)[len(rates) // 2]:>10.1f}{half:>7.0f}ms{most:>6.0f}ms"
                    f"{faults['doubled']:>9}{faults['lost']:>6}{faults['refused']:>9}",
                    flush=True,
                )
                fine &= not faults.total() and not fleet.tracebacks()
    return int(not fine)


def _kill(options: argparse.Namespace) -> int:
    """Processes are killed and restarted while people write; or stopped, which may cost nothing."""
    fine, gently = True, 1.0 if options.what == "stop" else 0.3
    for kind in options.databases:
        for name in options.fleets:
            if len(FLEETS[name]) == 1:  # one is always left
                continue
            with _scene(options, kind, name) as (slack, fleet):
                verdict, killer, box = killed(
                    slack, fleet, options.messages, options.at_once, options.pause, options.seed, options.rate, gently
                )
                print(f"{kind}, {NAMES[name]}: {verdict}; {killer.killed} killed, {killer.stopped} stopped, "
                      f"{box.resent} deliveries repeated; {fleet.tracebacks()} tracebacks", flush=True)  # fmt: skip
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
        member.wait_ready()
    return judge(slack, box), killer, box


if __name__ == "__main__":
    raise SystemExit(main())
