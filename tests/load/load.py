"""Load: AskPy over HTTP beside a bare Bolt app, both in front of the same slow stand-in Slack. Run by `make load`.

Everything stays on this machine and ends by itself. Rounds alternate, so that whatever else the machine does hits
both. A round: `--at-once` connections deliver `--messages` mentions, direct messages and commands, signed, each the
next one as soon as the last is acknowledged; it ends when the last answer has reached Slack.
"""

from __future__ import annotations

import argparse
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count, islice
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "slack")]

from slack_busy import BusySlack  # noqa: E402  it lies beside the other stand-ins
from slack_people import SECRET, Ack, Said, crowd, said  # noqa: E402

from bot.knowledge import load  # noqa: E402
from bot.slack.http import THREADS  # noqa: E402
from bot.slack.post import SENDERS  # noqa: E402

TOKEN = "xoxb-load"
GOAL_RATIO, GOAL_ACK = 0.9, 3.0
POSTING = 16
"""Threads by which the bare app posts: what its listeners have, which also wait for Slack."""
SEED = 3
LONGEST_START, LONGEST_ROUND, LONGEST_STOP = 120.0, 60.0, 10.0
"""Seconds."""


@dataclass(slots=True)
class App:
    """One of the two, and what was measured of it."""

    name: str
    process: subprocess.Popen[bytes]
    port: int
    sent: list[Said] = field(default_factory=list)
    acks: list[Ack] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    late: int = 0
    cpu: float = 0.0
    before: float = 0.0

    @property
    def rate(self) -> float:
        return len(self.sent) / sum(self.seconds)


def main() -> int:
    options = _options()
    print("python", *sys.argv)
    with BusySlack(options.latency / 1000) as slack, tempfile.TemporaryDirectory(prefix="askpy-load-") as folder:
        with ExitStack() as stack:
            askpy = stack.enter_context(_askpy(slack, Path(folder)))
            bare = stack.enter_context(_bare(slack, Path(folder), options.posting))
            messages = _messages(slack, options.questions)
            for app in (bare, askpy):
                _round(slack, app, messages, options.at_once, options.at_once)
                app.seconds.clear(), app.acks.clear(), app.sent.clear()
                app.before = _cpu(app.process.pid)
            for turn in range(options.rounds):
                for app in (bare, askpy) if turn % 2 else (askpy, bare):
                    _round(slack, app, messages, options.messages, options.at_once)
            for app in (bare, askpy):
                app.cpu = _cpu(app.process.pid) - app.before
            again = _repeated(slack, askpy, messages, options.messages, options.at_once)
        faults = (Path(folder) / "askpy.log").read_text(encoding="utf-8").count("Traceback")
        fine = _table(options, slack, askpy, bare, again)
    if faults:
        print(f"AskPy's log holds {faults} tracebacks.")
    return 0 if fine and not faults else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=6, help="rounds of each app (6)")
    parser.add_argument("--messages", type=int, default=300, help="messages of one round (300)")
    parser.add_argument("--at-once", type=int, default=100, help="deliveries under way at once (100)")
    parser.add_argument("--latency", type=float, default=150, help="milliseconds that a call to Slack takes (150)")
    parser.add_argument(
        "--questions", type=int, default=0, help="different questions; 0: all of the pack's phrasings (0)"
    )
    parser.add_argument("--posting", type=int, default=POSTING, help=f"the bare app's listener threads ({POSTING})")
    return parser.parse_args()


# --- a round


def _messages(slack: BusySlack, different: int) -> Iterator[Said]:
    """What people write, without an end: the pack's own phrasings, shuffled, and the first so many of them."""
    knowledge = load(ROOT / "knowledge")
    asks = sorted({ask for entry in knowledge.entries for ask in entry.asks})
    random.Random(SEED).shuffle(asks)
    asks = asks[: different or len(asks)]
    return (said(slack, number, asks[number % len(asks)]) for number in count())


def _round(slack: BusySlack, app: App, source: Iterator[Said], many: int, at_once: int) -> None:
    messages = list(islice(source, many))
    wanted = {message.address for message in messages}
    first, started = len(slack.attempts), time.monotonic()
    app.acks += slack.run(crowd(app.port, messages, at_once))
    app.sent += messages
    with slack.changed:
        done = slack.changed.wait_for(lambda: wanted <= _answered(slack, first), LONGEST_ROUND)
    ended = max((each.done for each in slack.attempts[first:]), default=started) if done else time.monotonic()
    app.seconds.append(ended - started)


def _repeated(slack: BusySlack, app: App, source: Iterator[Said], many: int, at_once: int) -> list[Said]:
    """A last round in which Slack delivers every event three times; returns what was said."""
    messages = list(islice((message for message in source if message.way != "command"), many))
    first = len(slack.attempts)
    slack.run(crowd(app.port, [each for message in messages for each in (message,) * 3], at_once))
    wanted = {message.address for message in messages}
    with slack.changed:
        slack.changed.wait_for(lambda: wanted <= _answered(slack, first), LONGEST_ROUND)
    return messages


def _answered(slack: BusySlack, first: int) -> set[str]:
    return {each.address for each in slack.attempts[first:] if each.arrived}


# --- the two apps


@contextmanager
def _askpy(slack: BusySlack, folder: Path) -> Iterator[App]:
    port = _free_port()
    settings = {
        "SLACK_BOT_TOKEN": TOKEN, "SLACK_SIGNING_SECRET": SECRET, "SLACK_API_URL": slack.url, "PORT": str(port),
        "DATABASE_URL": f"sqlite:///{folder / 'askpy.db'}", "ASKPY_CACHE": str(folder / "cache"),
        "ASKPY_KNOWLEDGE": str(ROOT / "knowledge"),
    }  # fmt: skip
    with _started("askpy", [sys.executable, "-m", "bot", "serve", "--http"], folder, settings) as process:
        _await(process, f"http://127.0.0.1:{port}/healthz", 200)
        yield App("AskPy", process, port)


@contextmanager
def _bare(slack: BusySlack, folder: Path, posting: int) -> Iterator[App]:
    port = _free_port()
    program = Path(__file__).with_name("bare.py")
    command = [sys.executable, str(program), str(port), slack.url, str(THREADS), str(posting), TOKEN, SECRET]
    with _started("bare", command, folder, {}) as process:
        _await(process, f"http://127.0.0.1:{port}/", 404)
        yield App("bare Bolt", process, port)


@contextmanager
def _started(
    name: str, command: list[str], folder: Path, settings: dict[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    inherited = {key: os.environ[key] for key in ("PATH", "LANG") if key in os.environ}
    env = inherited | {"HOME": str(folder), "PYTHONPATH": str(ROOT)} | settings
    with (folder / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(command, cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        yield process
    except BaseException:
        print((folder / f"{name}.log").read_text(encoding="utf-8")[-3000:], file=sys.stderr)
        raise
    finally:
        process.terminate()
        try:
            process.wait(LONGEST_STOP)
        except subprocess.TimeoutExpired:
            print(f"{name} had to be killed.", file=sys.stderr)
            process.kill()
            process.wait()


def _await(process: subprocess.Popen[bytes], url: str, status: int) -> None:
    deadline = time.monotonic() + LONGEST_START
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=5) as page:
                found = page.status
        except urllib.error.HTTPError as error:
            error.close()
            found = error.code
        except OSError:
            found = 0
        if found == status:
            return
        time.sleep(0.05)
    raise RuntimeError(f"{url} didn't answer")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _cpu(pid: int) -> float:
    """Seconds of processor time that a process has used; 0 where the system doesn't say."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


# --- the table


def _table(options: argparse.Namespace, slack: BusySlack, askpy: App, bare: App, again: list[Said]) -> bool:
    """Print it; true if all goals are met."""
    arrived = Counter(each.address for each in slack.arrived())
    print(
        f"\n{options.at_once} at once, {options.rounds} rounds of {options.messages} mentions, direct messages and "
        f"commands for each app in turn; {options.latency:.0f} ms a call to Slack;\n"
        f"{options.questions or 'all'} different questions. Both: waitress, {THREADS} threads. "
        f"AskPy posts by {SENDERS} threads, the bare app by its executor of {options.posting}.\n"
    )
    print(f"{'':<12}{'answers/s':>10}{'lost':>6}{'doubled':>9}{'not 200':>9}{'ack p50':>9}{'p99':>8}{'worst':>8}"
          f"{'CPU ms/answer':>15}")  # fmt: skip
    fine = True
    for app in (askpy, bare):
        lost, doubled = _faults(app.sent, arrived)
        refused = sum(ack.status != 200 for ack in app.acks)
        half, most, worst = (_share(app.acks, part) for part in (0.5, 0.99, 1.0))
        print(f"{app.name:<12}{app.rate:>10.1f}{lost:>6}{doubled:>9}{refused:>9}{half:>7.0f}ms{most:>6.0f}ms{worst:>6.0f}ms"
              f"{app.cpu * 1000 / len(app.sent):>15.1f}")  # fmt: skip
        if app is askpy:
            fine = not (lost or doubled or refused) and most < GOAL_ACK * 1000
    lost, doubled = _faults(again, arrived)
    print(f"{'AskPy, each event delivered three times':<40}lost {lost}, doubled {doubled}")
    ratio = askpy.rate / bare.rate
    turns = sorted(theirs / ours for ours, theirs in zip(askpy.seconds, bare.seconds, strict=True))
    print(f"AskPy / bare Bolt: {ratio:.2f} (goal {GOAL_RATIO}; single rounds {turns[0]:.2f} to {turns[-1]:.2f}); "
          f"ack p99 goal {GOAL_ACK:.0f} s")  # fmt: skip
    return fine and not lost and not doubled and ratio >= GOAL_RATIO


def _faults(messages: list[Said], arrived: Counter[str]) -> tuple[int, int]:
    """How many were never answered, and how many more than once."""
    counts = [arrived[message.address] for message in messages]
    return counts.count(0), sum(count > 1 for count in counts)


def _share(acks: list[Ack], part: float) -> float:
    """The milliseconds that this part of the acknowledgements took at most."""
    times = sorted(ack.seconds for ack in acks)
    return times[min(len(times) - 1, int(len(times) * part))] * 1000


if __name__ == "__main__":
    raise SystemExit(main())
