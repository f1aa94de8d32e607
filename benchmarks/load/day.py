"""A day's faults of Slack in a few minutes, over HTTP and by Socket Mode, on both databases. Run by `make fire`.

A plan drawn from a seed gives each answer its faults: 429 with Retry-After, 5xx, resets, refusals, rejected blocks, no answer.
Meanwhile Slack refuses all connections now and then, cuts its WebSockets, asks for new ones, stops reading, and delivers a
tenth of all messages twice. Each answer must arrive once, unless the plan says that it never can.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack
from itertools import islice
from pathlib import Path

from benchmarks.load.fleet import Fleet, Mailbox, messages
from benchmarks.load.processes import DATABASES, MODES, Database, Mode, empty_database, load_average
from support.busy_slack import BusySlack
from support.fault_plans import Fate, complaints, follow, plan, wanted
from support.people import Said

OUTAGE_INTERVAL = 8.0
"""Seconds between two outages."""
OUTAGE_LENGTH = 2.0
"""Seconds that Slack refuses connections; three times as long it stops reading."""
GIVE_UP_TIMEOUT = 15.0
"""Seconds within which the bot gives up a request that Slack never answered."""
GIVE_UP_LINE = "no word whether"
"""What its log says about each of these."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=1_000, help="in each mode and on each database (1000)")
    parser.add_argument("--rate", type=float, default=15, help="messages a second (15)")
    parser.add_argument("--modes", nargs="+", default=MODES, choices=MODES)
    parser.add_argument("--databases", nargs="+", default=DATABASES, choices=DATABASES)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    print("python -m benchmarks.load.day", *sys.argv[1:])
    print(load_average(), flush=True)
    passed = True
    for kind in options.databases:
        for mode in options.modes:
            faults, summary = _run_day(mode, kind, options)
            print(f"{mode}, {kind}: {summary}; {len(faults)} faults", flush=True)
            for fault in faults[:5]:
                print("  ", fault)
            passed &= not faults
    return int(not passed)


def _run_day(mode: Mode, kind: Database, options: argparse.Namespace) -> tuple[list[str], str]:
    """One day: its faults, and a summary."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="askpy-day-")))
        slack = stack.enter_context(BusySlack(0.15))
        url = stack.enter_context(empty_database(kind, folder))
        fleet = stack.enter_context(Fleet(slack, folder, url, [mode]))
        batch = list(islice(messages(slack), options.messages))
        fates = plan(options.seed, batch, retry_after=2, silent=0.02)
        follow(slack, fates)
        mailbox, started = Mailbox(fleet, options.seed, repeated=0.1), time.monotonic()
        stop, outages = threading.Event(), [0]
        thread = threading.Thread(target=_make_outages, args=(slack, mode, stop, outages), daemon=True)
        thread.start()
        mailbox.deliver(batch, 50, options.rate)
        stop.set()
        thread.join()
        with slack.changed:
            is_complete = slack.changed.wait_for(lambda: wanted(slack, fates), 90)
        member = fleet.members[0]
        _wait_for_given_up(slack, member.log)
        codes = fleet.stop()
        log = member.log.read_text(encoding="utf-8")
        faults = [] if is_complete else ["some answers never had all their attempts"]
        faults += complaints(slack, batch, fates)
        faults += [f"never acknowledged: {d.message.address}" for d in mailbox.deliveries if not d.acknowledged]
        faults += [] if codes == [0] else [f"it ended with {codes}"]
        faults += ["in the log: " + log[max(0, log.index("Traceback") - 300) :][:3000]] if "Traceback" in log else []
        return faults, _summary(slack, mailbox, batch, fates, outages[0], time.monotonic() - started)


def _wait_for_given_up(slack: BusySlack, log: Path) -> None:
    """Wait until the bot has given up every request that Slack never answered, which only its log shows."""
    silent = sum(attempt.fault is not None and attempt.fault.silent for attempt in slack.attempts)
    deadline = time.monotonic() + GIVE_UP_TIMEOUT
    while log.read_text(encoding="utf-8").count(GIVE_UP_LINE) < silent and time.monotonic() < deadline:
        time.sleep(0.1)


def _summary(
    slack: BusySlack, mailbox: Mailbox, batch: list[Said], fates: Mapping[str, Fate], outages: int, seconds: float
) -> str:
    faults = sum(attempt.fault is not None for attempt in slack.attempts)
    arrived = len({attempt.address for attempt in slack.arrived()} & set(fates))
    return (
        f"{len(batch)} messages in {seconds:.0f} s, {mailbox.resent} of them delivered again; {faults} faulty answers of Slack "
        f"and {outages} outages; {arrived} answers arrived once, {len(batch) - arrived} never could"
    )


def _make_outages(slack: BusySlack, mode: Mode, stop: threading.Event, outages: list[int]) -> None:
    """One outage after another until `stop` is set; counts them in `outages`."""
    while not stop.wait(OUTAGE_INTERVAL):
        outages[0] += 1
        match outages[0] % 4:
            case 1:
                slack.refuse()
                stop.wait(OUTAGE_LENGTH)
                slack.listen()
            case 2 if mode == "socket":
                slack.cut()
            case 3 if mode == "socket":
                slack.send({"type": "disconnect", "reason": "refresh_requested", "debug_info": {"host": "x"}})
            case 0 if mode == "socket":
                slack.deaf = True
                stop.wait(OUTAGE_LENGTH * 3)
                slack.deaf = False
            case _:
                slack.cut_at_accept += 10


if __name__ == "__main__":
    raise SystemExit(main())
