"""AskPy held under fire, one part after the other, about an hour in all: `make fire`, or `make fire ARGS="kill fuzz"`.

load      answers a second of one process and of four, on both databases, each message answered once
kill      processes killed (kill -9) and stopped while people write, on both databases; nothing is answered twice
stop      processes stopped (SIGTERM) while people write, on both databases; nothing is lost
day       a day of Slack's faults in minutes, in both modes
fuzz      100,000 spoilt payloads and questions, from a seed
memory    200,000 questions, and what the process holds after 20,000 and after all of them

Each part is a program of its own with options (`python tests/load/fleet.py --help`). Nothing leaves this machine.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
PARTS = {
    "load": ("fleet.py", "load"),
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
