"""A day of Slack's faults in a few minutes, over HTTP and by Socket Mode, on both databases. Run by `make fire`.

A plan drawn from a seed says what befalls each answer: 429 with its Retry-After, 5xx, resets, refusals, blocks that Slack
won't have, silence. Meanwhile Slack refuses every connection now and then, cuts its WebSockets, asks for new ones and goes
deaf, and delivers a tenth of all messages twice. Each answer must arrive once, unless the plan says that it never can.
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

sys.path.insert(0, str(Path(__file__).parent))

from fleet import Fleet, Mailbox, messages
from processes import DATABASES, MODES, Database, Mode, empty_database, load_average
from slack_busy import BusySlack
from slack_faults import Fate, complaints, follow, plan, wanted
from slack_people import Said

TROUBLE_EVERY = 8.0
"""Seconds between two troubles with Slack itself."""
AWAY_FOR = 2.0
"""Seconds that Slack refuses connections, or answers nothing."""
LAST_SILENCE = 15.0
"""Seconds in which the bot gives up what Slack never answered."""
SILENCES = "no word whether"
"""What its log says of each of these."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=1_000, help="in each mode and on each database (1000)")
    parser.add_argument("--rate", type=float, default=15, help="messages a second (15)")
    parser.add_argument("--modes", nargs="+", default=MODES, choices=MODES)
    parser.add_argument("--databases", nargs="+", default=DATABASES, choices=DATABASES)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    print("python", *sys.argv)
    print(load_average(), flush=True)
    fine = True
    for kind in options.databases:
        for mode in options.modes:
            found, summary = _day(mode, kind, options)
            print(f"{mode}, {kind}: {summary}; {len(found)} complaints", flush=True)
            for complaint in found[:5]:
                print("  ", complaint)
            fine &= not found
    return int(not fine)


def _day(mode: Mode, kind: Database, options: argparse.Namespace) -> tuple[list[str], str]:
    """One day; what went wrong, and a summary."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="askpy-day-")))
        slack = stack.enter_context(BusySlack(0.15))
        url = stack.enter_context(empty_database(kind, folder))
        fleet = stack.enter_context(Fleet(slack, folder, url, [mode]))
        batch = list(islice(messages(slack), options.messages))
        fates = plan(options.seed, batch, retry_after=2, silent=0.02)
        follow(slack, fates)
        box, began = Mailbox(fleet, options.seed, twice=0.1), time.monotonic()
        over, troubles = threading.Event(), [0]
        nuisance = threading.Thread(target=_trouble, args=(slack, mode, over, troubles), daemon=True)
        nuisance.start()
        box.deliver(batch, 50, options.rate)
        over.set()
        nuisance.join()
        with slack.changed:
            done = slack.changed.wait_for(lambda: wanted(slack, fates), 90)
        member = fleet.members[0]
        _await_silences(slack, member.log)
        codes = fleet.stop()
        log = member.log.read_text(encoding="utf-8")
        found = [] if done else ["some answers never had all their attempts"]
        found += complaints(slack, batch, fates)
        found += [f"never acknowledged: {each.message.address}" for each in box.delivered if not each.acknowledged]
        found += [] if codes == [0] else [f"it ended with {codes}"]
        found += ["in the log: " + log[max(0, log.index("Traceback") - 300) :][:3000]] if "Traceback" in log else []
        return found, _summary(slack, box, batch, fates, troubles[0], time.monotonic() - began)


def _await_silences(slack: BusySlack, log: Path) -> None:
    """Wait until the bot has given up all that Slack never answered: only its log says so."""
    silent = sum(attempt.fault is not None and attempt.fault.silent for attempt in slack.attempts)
    deadline = time.monotonic() + LAST_SILENCE
    while log.read_text(encoding="utf-8").count(SILENCES) < silent and time.monotonic() < deadline:
        time.sleep(0.1)


def _summary(
    slack: BusySlack, box: Mailbox, batch: list[Said], fates: Mapping[str, Fate], troubles: int, seconds: float
) -> str:
    faults = sum(each.fault is not None for each in slack.attempts)
    arrived = len({each.address for each in slack.arrived()} & set(fates))
    return (
        f"{len(batch)} messages in {seconds:.0f} s, {box.resent} of them delivered again; {faults} faulty answers of Slack and "
        f"{troubles} times away, cut or deaf; {arrived} answers arrived once, {len(batch) - arrived} never could"
    )


def _trouble(slack: BusySlack, mode: Mode, over: threading.Event, troubles: list[int]) -> None:
    """One trouble after another, until it is over."""
    while not over.wait(TROUBLE_EVERY):
        troubles[0] += 1
        match troubles[0] % 4:
            case 1:
                slack.refuse()
                over.wait(AWAY_FOR)
                slack.listen()
            case 2 if mode == "socket":
                slack.cut()
            case 3 if mode == "socket":
                slack.send({"type": "disconnect", "reason": "refresh_requested", "debug_info": {"host": "x"}})
            case 0 if mode == "socket":
                slack.deaf = True
                over.wait(AWAY_FOR * 3)
                slack.deaf = False
            case _:
                slack.cut_at_accept += 10


if __name__ == "__main__":
    raise SystemExit(main())
