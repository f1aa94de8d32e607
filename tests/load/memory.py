"""Memory: what the process holds after 20,000 questions, and after ten times as many. Run by `make fire`.

Each question is a signed payload through the WSGI front, from a person and a channel of its own, so that every cache
that could grow does: claims, conversations, matching, drawing, posting; what is posted goes nowhere.
"""

from __future__ import annotations

import argparse
import gc
import json
import re
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from inside import BOT, TEAM, Inside, questions

MOST_GROWTH = 16.0
"""MB that may be added between the two looks: fragments, not a leak; a leak of 100 bytes a question is 18."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=int, default=200_000)
    parser.add_argument("--warm", type=int, default=20_000, help="questions before the first look")
    parser.add_argument("--seed", type=int, default=5)
    options = parser.parse_args()
    print("python", *sys.argv)
    with tempfile.TemporaryDirectory(prefix="askpy-memory-") as folder:
        inside = Inside(Path(folder))
        source, began, looks, bad = questions(inside.asks, options.seed), time.monotonic(), [], 0
        print(f"{shown(resident())}  when ready")
        step = max(1, options.questions // 10)
        for number, text in enumerate(islice(source, options.questions), 1):
            bad += inside.post(event(number, text)) != 200
            if number == options.warm or number % step == 0:
                gc.collect()
                looks.append((number, resident()))
                rate = number / (time.monotonic() - began)
                print(f"{shown(looks[-1][1])}  after {number:>7,} questions, {rate:.0f} a second", flush=True)
        inside.store.close()
    first = next(held for number, held in looks if number == options.warm)
    grown = looks[-1][1][0] - first[0]
    print(f"own memory grown by {grown:.1f} MB from {options.warm:,} to {options.questions:,} questions "
          f"(at most {MOST_GROWTH:.0f}); {bad} not taken, {inside.complaints.count.total()} complaints in the log")  # fmt: skip
    for told, times in inside.complaints.count.most_common(3):
        print(f"{times} times: {told}")
    return int(grown > MOST_GROWTH or bad > 0 or bool(inside.complaints.count))


def event(number: int, text: str) -> bytes:
    """A mention or a direct message; every third comes from somebody who has just asked, so that it may be a follow-up."""
    person = number - (number % 3 == 0)
    kind, channel = ("app_mention", f"C{person}") if number % 2 else ("message", f"D{person}")
    told = {
        "type": kind, "user": f"U{person}", "channel": channel, "ts": f"{1_700_000_000 + number}.000100",
        "text": f"<@{BOT}> {text}" if number % 2 else text,
    }  # fmt: skip
    if number % 2 == 0:
        told["channel_type"] = "im"
    return json.dumps({"type": "event_callback", "team_id": TEAM, "event_id": f"Ev{number}", "event": told}).encode()


def resident() -> tuple[float, float]:
    """MB of this process that are in memory: its own, and those of files that it reads as memory (the word table).

    The second part belongs to the system, which takes it back when it wants to.
    """
    status = Path("/proc/self/status").read_text(encoding="ascii")
    own, mapped = (int(re.findall(rf"{name}:\s+(\d+) kB", status)[0]) / 1000 for name in ("RssAnon", "RssFile"))
    return own, mapped


def shown(held: tuple[float, float]) -> str:
    return f"{held[0]:7.1f} MB, and {held[1]:5.1f} of files"


if __name__ == "__main__":
    raise SystemExit(main())
