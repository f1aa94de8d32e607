"""Start and memory of `serve`: seconds until it is ready, and its memory then and after many questions. Run by `make fire`.

Ready: from the start of the process until /healthz answers 200, with the pack's index and compiled Python in their caches.
Then signed questions come over HTTP, no two the same, most of them from another person and channel, so that every cache
that can grow does. The stand-in Slack answers at once.
"""

from __future__ import annotations

import argparse
import json
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from urllib.parse import urlencode

from benchmarks.load import ROOT
from benchmarks.load.arrivals import Posts
from benchmarks.load.processes import DATABASES, BotProcess, Checkout, Memory, empty_database, load_average
from benchmarks.load.questions import distinct, phrasings, questions
from support.busy_slack import BusySlack
from support.people import FORM, JSON, crowd
from support.slack_stub import BOT, TEAM

STARTS = 7
MAX_SECONDS, MAX_READY, MAX_GROWTH = 1.2, 120.0, 5.0
"""Seconds until it is ready, MB then, and MB of growth between --warm and --questions."""
POLL_INTERVAL = 0.005
"""Seconds between two requests for /healthz."""
SEED = 5
AT_ONCE = 16
MAX_WAIT = 60.0


@dataclass(frozen=True, slots=True)
class Signed:
    """A body to deliver."""

    raw: bytes
    kind: str


def main() -> int:
    options = _options()
    print("python -m benchmarks.load.memory", *sys.argv[1:])
    print(load_average(), flush=True)
    checkout = Checkout(options.checkout.resolve(), options.python.absolute())
    passed = True
    for kind in options.databases:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="askpy-memory-")))
            slack = stack.enter_context(BusySlack(lean=True))
            url = stack.enter_context(empty_database(kind, folder))
            checkout.warm(folder, folder / "cache")
            bot = BotProcess(slack, folder, url, folder / "cache", checkout=checkout)
            print(f"\n{kind}", flush=True)
            passed &= _measure_starts(bot)
            passed &= _measure_growth(slack, stack.enter_context(bot), options)
    return 0 if passed else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=int, default=100_000, help="before the last look (100000)")
    parser.add_argument("--warm", type=int, default=10_000, help="before the first look (10000)")
    parser.add_argument("--databases", nargs="+", default=DATABASES, choices=DATABASES)
    parser.add_argument("--checkout", type=Path, default=ROOT, help="another checkout (this one)")
    parser.add_argument("--python", type=Path, default=Path(sys.executable), help="its Python (the one that runs this)")
    return parser.parse_args()


# --- the start


def _measure_starts(bot: BotProcess) -> bool:
    """Start it several times; true if time and memory are within their limits."""
    times, memories = [], []
    for turn in range(1 + STARTS):
        started = time.monotonic()
        bot.start()
        try:
            _wait_ready(bot)
            if turn:  # the first start makes the database
                times.append(time.monotonic() - started)
                memories.append(Memory.from_pid(bot.pid))
        finally:
            bot.stop()
    seconds, memory = statistics.median(times), sorted(memories, key=lambda memory: memory.resident)[STARTS // 2]
    time_passed, memory_passed = seconds <= MAX_SECONDS, memory.resident <= MAX_READY
    print(f"ready after {seconds:.2f} s, {min(times):.2f} to {max(times):.2f} in {STARTS} starts (at most {MAX_SECONDS}): "
          f"{_verdict(time_passed)}")  # fmt: skip
    print(f"{memory} when ready (at most {MAX_READY:.0f} MB): {_verdict(memory_passed)}", flush=True)
    return time_passed and memory_passed


def _wait_ready(bot: BotProcess) -> None:
    """Poll /healthz until it answers 200."""
    deadline = time.monotonic() + MAX_WAIT
    while time.monotonic() < deadline and bot.running.is_alive():
        with suppress(OSError), socket.create_connection(("127.0.0.1", bot.port), 1) as connection:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: bot\r\nConnection: close\r\n\r\n")
            if connection.recv(64).startswith(b"HTTP/1.1 200"):
                return
        time.sleep(POLL_INTERVAL)
    raise AssertionError(f"not ready\n{bot.running.text}")


# --- the questions


def _measure_growth(slack: BusySlack, bot: BotProcess, options: argparse.Namespace) -> bool:
    """Ask questions; true if memory stays within its limit and every question is answered once."""
    source, posts, started, refused = _messages(slack), Posts(slack), time.monotonic(), 0
    memories: dict[int, Memory] = {}
    step, asked = max(1, options.questions // 10), 0
    for number in sorted({1, options.warm, *range(step, options.questions + 1, step)}):
        batch = list(islice(source, number - asked))
        asked = number
        acks = slack.run(crowd(bot.port, batch, AT_ONCE))  # type: ignore[arg-type]  # it reads raw and kind only
        refused += sum(ack.status != 200 for ack in acks)
        complete = posts.wait(number - refused, MAX_WAIT)
        memories[number] = Memory.from_pid(bot.pid)
        rate = number / (time.monotonic() - started)
        print(f"{memories[number]} after {number:>7,} questions, {rate:.0f} a second", flush=True)
        if refused or not complete:
            print(f"{refused} refused, {number - refused - posts.number} unanswered: MISSED")
            return False
    first, last = memories[options.warm], memories[options.questions]
    grown, doubled = last.resident - first.resident, posts.number - options.questions
    passed = grown <= MAX_GROWTH and not doubled and not bot.tracebacks()
    print(f"grown by {grown:.1f} MB ({last.own - first.own:.1f} its own) from {options.warm:,} to {options.questions:,} "
          f"questions (at most {MAX_GROWTH:.0f}); {doubled} doubled, {bot.tracebacks()} tracebacks: "
          f"{_verdict(passed)}")  # fmt: skip
    return passed


def _messages(slack: BusySlack) -> Iterator[Signed]:
    """Mentions, direct messages and commands; every third from the same person and channel as the one before, as a follow-up."""
    for number, text in zip(count(1), distinct(questions(phrasings(), SEED)), strict=False):
        person = number - (number % 3 == 0)
        if person % 5 == 0:
            yield Signed(urlencode(_command(slack, number, person, text), errors="replace").encode(), FORM)
        else:
            yield Signed(json.dumps(_event(number, person, text)).encode(), JSON)


def _event(number: int, person: int, text: str) -> dict[str, object]:
    event = {"user": f"U{person}", "ts": f"{1_700_000_000 + number}.000100"}
    if person % 2:
        thread = f"{1_700_000_000 + person}.000100"
        event |= {"type": "app_mention", "channel": f"C{person}", "text": f"<@{BOT}> {text}", "thread_ts": thread}
    else:
        event |= {"type": "message", "channel_type": "im", "channel": f"D{person}", "text": text}
    return {"type": "event_callback", "team_id": TEAM, "event_id": f"Ev{number}", "event": event}


def _command(slack: BusySlack, number: int, person: int, text: str) -> dict[str, str]:
    return {
        "command": "/askpy", "text": text, "team_id": TEAM, "channel_id": f"C{person}", "user_id": f"U{person}",
        "trigger_id": f"{number}.1.2", "response_url": slack.hook(f"{number}-a-command"),
    }  # fmt: skip


def _verdict(passed: bool) -> str:
    return "reached" if passed else "MISSED"


if __name__ == "__main__":
    raise SystemExit(main())
