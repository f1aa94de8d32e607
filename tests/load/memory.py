"""Start and memory of `serve`: how soon it is ready, what it holds then, and after many different questions. By `make fire`.

Ready: from the start of the process until /healthz says 200, with the pack's index and the compiled Python in their caches.
Then signed questions come over HTTP, no two the same, mostly each from a person and in a channel of its own, so that every
cache that could grow does. The stand-in Slack answers at once.
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

sys.path.insert(0, str(Path(__file__).parent))

from processes import DATABASES, ROOT, BotProcess, Checkout, Memory, empty_database, load_average
from questions import once, phrasings, questions
from slack_busy import BusySlack
from slack_people import FORM, JSON, crowd
from slack_stub import BOT, TEAM
from waiting import Posts

STARTS = 7
MOST_SECONDS, MOST_READY, MOST_GROWTH = 1.2, 120.0, 5.0
"""Seconds until it is ready, MB then, and MB that may be added between the two looks."""
LOOK_EVERY = 0.005
"""Seconds between two looks whether it is ready."""
SEED = 5
AT_ONCE = 16
LONGEST_WAIT = 60.0


@dataclass(frozen=True, slots=True)
class Signed:
    """A body to deliver."""

    raw: bytes
    kind: str


def main() -> int:
    options = _options()
    print("python", *sys.argv)
    print(load_average(), flush=True)
    checkout = Checkout(options.checkout.resolve(), options.python.absolute())
    fine = True
    for kind in options.databases:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="askpy-memory-")))
            slack = stack.enter_context(BusySlack(lean=True))
            url = stack.enter_context(empty_database(kind, folder))
            checkout.warm(folder, folder / "cache")
            bot = BotProcess(slack, folder, url, folder / "cache", checkout=checkout)
            print(f"\n{kind}", flush=True)
            fine &= _starts(bot)
            fine &= _grows(slack, stack.enter_context(bot), options)
    return 0 if fine else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=int, default=100_000, help="before the last look (100000)")
    parser.add_argument("--warm", type=int, default=10_000, help="before the first look (10000)")
    parser.add_argument("--databases", nargs="+", default=DATABASES, choices=DATABASES)
    parser.add_argument("--checkout", type=Path, default=ROOT, help="another checkout (this one)")
    parser.add_argument("--python", type=Path, default=Path(sys.executable), help="its Python (the one that runs this)")
    return parser.parse_args()


# --- the start


def _starts(bot: BotProcess) -> bool:
    """Start it several times; true if it is ready soon enough and small then."""
    took, held = [], []
    for turn in range(1 + STARTS):
        began = time.monotonic()
        bot.start()
        try:
            _wait_ready(bot)
            if turn:  # the first start makes the database
                took.append(time.monotonic() - began)
                held.append(Memory.of(bot.pid))
        finally:
            bot.stop()
    seconds, memory = statistics.median(took), sorted(held, key=lambda each: each.resident)[STARTS // 2]
    fine_time, fine_memory = seconds <= MOST_SECONDS, memory.resident <= MOST_READY
    print(f"ready after {seconds:.2f} s, {min(took):.2f} to {max(took):.2f} in {STARTS} starts (at most {MOST_SECONDS}): "
          f"{_word(fine_time)}")  # fmt: skip
    print(f"{memory} when ready (at most {MOST_READY:.0f} MB): {_word(fine_memory)}", flush=True)
    return fine_time and fine_memory


def _wait_ready(bot: BotProcess) -> None:
    """Ask /healthz until it says 200: nothing else tells from outside."""
    deadline = time.monotonic() + LONGEST_WAIT
    while time.monotonic() < deadline and bot.running.is_alive():
        with suppress(OSError), socket.create_connection(("127.0.0.1", bot.port), 1) as connection:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: bot\r\nConnection: close\r\n\r\n")
            if connection.recv(64).startswith(b"HTTP/1.1 200"):
                return
        time.sleep(LOOK_EVERY)
    raise AssertionError(f"not ready\n{bot.running.text}")


# --- the questions


def _grows(slack: BusySlack, bot: BotProcess, options: argparse.Namespace) -> bool:
    """Ask; true if what it holds hardly grows, and all of it was answered."""
    source, posts, began, refused = _messages(slack), Posts(slack), time.monotonic(), 0
    looks: dict[int, Memory] = {}
    step, asked = max(1, options.questions // 10), 0
    for number in sorted({1, options.warm, *range(step, options.questions + 1, step)}):
        batch = list(islice(source, number - asked))
        asked = number
        refused += sum(ack.status != 200 for ack in slack.run(crowd(bot.port, batch, AT_ONCE)))
        complete = posts.wait(number - refused, LONGEST_WAIT)
        looks[number] = Memory.of(bot.pid)
        rate = number / (time.monotonic() - began)
        print(f"{looks[number]} after {number:>7,} questions, {rate:.0f} a second", flush=True)
        if refused or not complete:
            print(f"{refused} refused, {number - refused - posts.number} unanswered: MISSED")
            return False
    first, last = looks[options.warm], looks[options.questions]
    grown, doubled = last.resident - first.resident, posts.number - options.questions
    fine = grown <= MOST_GROWTH and not doubled and not bot.tracebacks()
    print(f"grown by {grown:.1f} MB ({last.own - first.own:.1f} its own) from {options.warm:,} to {options.questions:,} "
          f"questions (at most {MOST_GROWTH:.0f}); {doubled} doubled, {bot.tracebacks()} tracebacks: {_word(fine)}")  # fmt: skip
    return fine


def _messages(slack: BusySlack) -> Iterator[Signed]:
    """Mentions, direct messages and commands; every third from whoever asked before, and there, so that it may follow up."""
    for number, text in zip(count(1), once(questions(phrasings(), SEED)), strict=False):
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


def _word(fine: bool) -> str:
    return "reached" if fine else "MISSED"


if __name__ == "__main__":
    raise SystemExit(main())
