"""AskPy held under fire, one part after the other, about an hour in all: `make fire`, or `make fire ARGS="kill fuzz"`.

load      answers a second of one process and of four, over HTTP and by Socket Mode, each message answered once
flood     one member keeps the bot busy, and a colleague asks
kill      processes killed (kill -9) and stopped while people write; nothing is answered twice
stop      processes stopped (SIGTERM) while people write; nothing is lost
day       a day of Slack's faults in minutes, in both modes
fuzz      100,000 spoilt payloads and questions, from a seed
memory    how soon `serve` is ready, what it holds then, and after 10,000 and 100,000 different questions

Each part runs on SQLite and on a PostgreSQL of its own, and is a program with options (`python tests/load/fleet.py --help`).
Nothing leaves this machine.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
PARTS = {
    "load": ("fleet.py", "load"),
    "flood": ("flood.py",),
    "kill": ("fleet.py", "kill"),
    "stop": ("fleet.py", "stop"),
    "day": ("day.py",),
    "fuzz": ("fuzz.py",),
    "memory": ("memory.py",),
}


def main() -> int:
    wanted = sys.argv[1:] or list(PARTS)
    if unknown := [name for name in wanted if name not in PARTS]:
        print(f"{', '.join(unknown)}: no part of it. The parts: {', '.join(PARTS)}", file=sys.stderr)
        return 2
    failed = []
    for name in wanted:
        program, *arguments = PARTS[name]
        print(f"\n--- {name}", flush=True)
        began = time.monotonic()
        code = subprocess.run([sys.executable, str(HERE / program), *arguments], check=False).returncode
        print(f"--- {name}: {'held' if code == 0 else 'DID NOT HOLD'}, {time.monotonic() - began:.0f} s", flush=True)
        failed += [name] if code else []
    return int(bool(failed))


if __name__ == "__main__":
    raise SystemExit(main())
