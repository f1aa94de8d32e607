"""AskPy under load and faults, part by part, about an hour in all: `make fire`, or `make fire ARGS="kill fuzz"`.

load      answers a second of one process and of four, over HTTP and by Socket Mode; each message answered once
flood     one member keeps the bot busy while another asks
kill      processes killed (kill -9) and stopped under load; nothing is answered twice
stop      processes stopped (SIGTERM) under load; nothing is lost
day       a day's faults of Slack in minutes, in both modes
fuzz      100,000 malformed payloads and questions, from a seed
memory    seconds until `serve` is ready, its memory then, and after 10,000 and 100,000 different questions

Each part runs on SQLite and on a PostgreSQL of its own, and is a program with options (`python -m benchmarks.load.fleet --help`).
Nothing leaves this machine.
"""

from __future__ import annotations

import subprocess
import sys
import time

from benchmarks.load import ROOT

PARTS = {
    "load": ("fleet", "load"),
    "flood": ("flood",),
    "kill": ("fleet", "kill"),
    "stop": ("fleet", "stop"),
    "day": ("day",),
    "fuzz": ("fuzz",),
    "memory": ("memory",),
}


def main() -> int:
    """Run the parts that the arguments name, or all; 1 if one fails."""
    names = sys.argv[1:] or list(PARTS)
    if unknown := [name for name in names if name not in PARTS]:
        print(f"{', '.join(unknown)}: no part of it. The parts: {', '.join(PARTS)}", file=sys.stderr)
        return 2
    failed = []
    for name in names:
        module, *arguments = PARTS[name]
        print(f"\n--- {name}", flush=True)
        started = time.monotonic()
        command = [sys.executable, "-m", f"benchmarks.load.{module}", *arguments]
        code = subprocess.run(command, check=False, cwd=ROOT).returncode
        print(f"--- {name}: {'held' if code == 0 else 'DID NOT HOLD'}, {time.monotonic() - started:.0f} s", flush=True)
        failed += [name] if code else []
    return int(bool(failed))


if __name__ == "__main__":
    raise SystemExit(main())
