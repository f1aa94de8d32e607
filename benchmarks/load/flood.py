"""Flood: one member keeps the bot busy while another asks. Run by `make fire`.

The member sends junk commands of 3,990 characters, all at once, then presses "Why this answer?" hundreds of times, below an
ordinary answer and below that to a junk question, and votes.
The colleague asks a question every 200 ms meanwhile, in the same channel. Measured is the time until a question's answer
arrives at Slack, and whether each command and press got something that its member can see, an answer or the sentence that
the bot is busy, before Slack would give up. Over HTTP and by Socket Mode, on SQLite and PostgreSQL.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from benchmarks.load import ROOT
from benchmarks.load.arrivals import Answers
from benchmarks.load.processes import DATABASES, MODES, BotProcess, Checkout, empty_database, load_average
from benchmarks.load.questions import distinct_questions, junk_words, phrasings
from bot.slack.strings import default_strings
from support.busy_slack import BusySlack, address
from support.people import FORM, Ack, Line, Said, crowd, said, signed
from support.slack_stub import BOT, TEAM

SEED = 11
JUNK, LENGTH = 30, 3_990
"""Commands, and the characters of each: Slack cuts at 4,000."""
ASK_INTERVAL = 0.2
"""Seconds between two of the colleague's questions."""
MIN_QUESTIONS = 25
"""Questions that the colleague asks at least; as many before the flood, for comparison."""
CONNECTIONS = 100
"""By which Slack delivers presses at once."""
VISIBLE_WITHIN = 3.0
"""Seconds after which Slack tells a member that the app didn't answer."""
MUST, REACH = 1.0, 0.5
"""Seconds that an answer to the colleague takes at most."""
MAX_FLOOD = 120.0
MAX_TEXTS = 12_000
MEMBER, CHANNEL = "U0FLOOD", "C0FLOOD"
BUSY = default_strings()["busy"]
NUMBER = count(1)
"""Numbers of all messages and presses."""


@dataclass(frozen=True, slots=True)
class Press:
    """A press of a button below an answer, each in a thread of its own."""

    number: int
    body: dict[str, Any]
    addresses: tuple[str, ...]

    @property
    def raw(self) -> bytes:
        return urlencode({"payload": json.dumps(self.body)}).encode()

    @property
    def kind(self) -> str:
        return FORM

    @property
    def envelope(self) -> dict[str, Any]:
        return {"envelope_id": f"e{self.number}", "type": "interactive", "payload": self.body}


@dataclass(slots=True)
class Phase:
    """What happened during one phase: the colleague's questions, and what the member sent."""

    name: str
    asked: list[tuple[Said, float]] = field(default_factory=list)
    sent: Sequence[Said | Press] = ()
    sent_at: float = 0.0
    acks: list[Ack] = field(default_factory=list)


def main() -> int:
    options = _options()
    print("python -m benchmarks.load.flood", *sys.argv[1:])
    print(load_average(), flush=True)
    passed = True
    for kind in options.databases:
        for mode in options.modes:
            with ExitStack() as stack:
                folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="askpy-flood-")))
                slack = stack.enter_context(BusySlack(options.latency / 1000))
                url = stack.enter_context(empty_database(kind, folder))
                checkout = Checkout(options.checkout.resolve(), options.python.absolute())
                bot = BotProcess(slack, folder, url, folder / "cache", mode, checkout)
                print(f"\n{'HTTP' if mode == 'http' else 'Socket Mode'}, {kind}", flush=True)
                passed &= _flood(slack, stack.enter_context(bot), options)
    return 0 if passed else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--commands", type=int, default=JUNK, help=f"junk commands at once ({JUNK})")
    parser.add_argument("--presses", type=int, default=400, help='presses of "Why this answer?" (400)')
    parser.add_argument("--votes", type=int, default=100, help="votes (100)")
    parser.add_argument("--latency", type=float, default=150, help="milliseconds that a call to Slack takes (150)")
    parser.add_argument("--modes", nargs="+", default=MODES, choices=MODES)
    parser.add_argument("--databases", nargs="+", default=DATABASES, choices=DATABASES)
    parser.add_argument("--checkout", type=Path, default=ROOT, help="another checkout (this one)")
    parser.add_argument("--python", type=Path, default=Path(sys.executable), help="its Python (the one that runs this)")
    return parser.parse_args()


def _flood(slack: BusySlack, bot: BotProcess, options: argparse.Namespace) -> bool:
    """All phases against one bot; true if every goal is met."""
    phases = run(slack, bot, options.commands, options.presses, options.votes)
    results = [_print_phase(phase, phase_result(slack, phase)) for phase in phases]
    tracebacks = bot.tracebacks()
    if tracebacks:
        print(f"  {tracebacks} tracebacks in the log")
    return all(results) and not tracebacks


def run(slack: BusySlack, bot: BotProcess, commands: int, presses: int, votes: int) -> list[Phase]:
    """One phase after the other."""
    texts, rng = iter(distinct_questions(phrasings(), MAX_TEXTS, SEED)), random.Random(SEED)
    if bot.mode == "socket":
        slack.wait_for(lambda: slack.links, "the WebSocket")
    buttons, junk_buttons = _buttons(slack, bot, "what is flask?"), _buttons(slack, bot, junk_words(rng, LENGTH))
    both = (buttons["vote:good"], buttons["vote:bad"])
    sent: dict[str, Sequence[Said | Press]] = {
        "nobody else": (),
        f"{commands} junk commands": [_command(slack, junk_words(rng, LENGTH)) for _ in range(commands)],
        f"{presses} presses of why": [_press(slack, buttons["why"]) for _ in range(presses)],
        f"{presses} of why on junk": [_press(slack, junk_buttons["why"]) for _ in range(presses)],
        f"{votes} votes": [_press(slack, both[number % 2]) for number in range(votes)],
    }
    return [_run_phase(slack, bot, texts, name, items) for name, items in sent.items()]


# --- what is sent


def _command(slack: BusySlack, text: str) -> Said:
    message = said(slack, next(NUMBER), text, "command", CHANNEL)
    message.body["user_id"] = MEMBER
    return message


def _press(slack: BusySlack, button: Mapping[str, Any]) -> Press:
    number = next(NUMBER)
    thread, hook = f"1700000000.{number:06d}", f"{number}-press"
    message = {"type": "message", "user": BOT, "ts": f"1700000001.{number:06d}", "thread_ts": thread}
    container = {"type": "message", "message_ts": message["ts"], "thread_ts": thread, "channel_id": CHANNEL}
    body = {
        "type": "block_actions", "team": {"id": TEAM}, "user": {"id": MEMBER, "team_id": TEAM},
        "trigger_id": f"{number}.3.4", "response_url": slack.hook(hook), "channel": {"id": CHANNEL},
        "message": message, "container": container, "actions": [{**button, "action_ts": f"{number}.5"}],
    }  # fmt: skip
    return Press(number, body, (hook, address("chat.postEphemeral", channel=CHANNEL, thread_ts=thread)))


def _buttons(slack: BusySlack, bot: BotProcess, text: str) -> dict[str, dict[str, Any]]:
    """The buttons of a private answer, by their action_id."""
    question = said(slack, next(NUMBER), text, "command")
    answers = Answers.to_messages(slack, [question])
    slack.run(_send(slack, bot, question))
    assert answers.wait(30), "no answer to a command"
    (attempt,) = (attempt for attempt in slack.arrived() if attempt.address == question.address)
    return {element["action_id"]: element for element in _elements(attempt.args["blocks"])}


def _elements(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        if node.get("type") == "button" and "value" in node:
            yield node
        node = list(node.values())
    if isinstance(node, list):
        for child in node:
            yield from _elements(child)


async def _send(slack: BusySlack, bot: BotProcess, message: Said) -> None:
    if bot.mode == "socket":
        slack.send(message.envelope)
        return
    line = Line(bot.port)
    await line.ask(signed(message.raw, message.kind))
    line.close()


# --- a phase


def _run_phase(
    slack: BusySlack, bot: BotProcess, texts: Iterator[str], name: str, sent: Sequence[Said | Press]
) -> Phase:
    """Send it all at once, and let the colleague ask until each of it has had an answer."""
    phase, stop = Phase(name, sent=sent), threading.Event()
    answers = Answers(slack, {address: item.number for item in sent for address in _addresses(item)})
    asking = asyncio.run_coroutine_threadsafe(_colleague(slack, bot, texts, phase, stop), slack.loop)
    phase.sent_at = time.monotonic()
    phase.acks = slack.run(_deliver(slack, bot, sent))
    answers.wait(MAX_FLOOD)
    stop.set()
    asking.result()
    expected = {message.address for message, _ in phase.asked}
    with slack.changed:
        slack.changed.wait_for(lambda: expected <= {attempt.address for attempt in slack.arrived()}, MAX_FLOOD)
    return phase


async def _colleague(
    slack: BusySlack, bot: BotProcess, texts: Iterator[str], phase: Phase, stop: threading.Event
) -> None:
    """A question every ASK_INTERVAL seconds, each over a connection of its own, until `stop` is set; at least MIN_QUESTIONS."""
    under_way = set[asyncio.Task[None]]()
    while len(phase.asked) < MIN_QUESTIONS or not stop.is_set():
        message = said(slack, next(NUMBER), next(texts), "mention", CHANNEL)
        phase.asked.append((message, time.monotonic()))
        under_way.add(asyncio.create_task(_send(slack, bot, message)))
        await asyncio.sleep(ASK_INTERVAL)
    await asyncio.gather(*under_way)


async def _deliver(slack: BusySlack, bot: BotProcess, sent: Sequence[Said | Press]) -> list[Ack]:
    """Deliver all of it at once; the acknowledgements, which Socket Mode gives later."""
    if bot.mode == "http":
        return await crowd(bot.port, sent, min(CONNECTIONS, len(sent)))  # type: ignore[arg-type]  # it reads raw and kind only
    for item in sent:
        slack.send(item.envelope)
    return []


def _addresses(item: Said | Press) -> tuple[str, ...]:
    """Addresses of requests that the member sees as an answer to it."""
    return item.addresses if isinstance(item, Press) else (item.address,)


# --- results


@dataclass(frozen=True, slots=True)
class Result:
    """Of one phase: seconds until each answer to the colleague, and until each command or press was answered visibly."""

    colleague: list[float]
    lost: int
    visible: list[float]
    invisible: int
    """Of those that the member sent, how many weren't answered within VISIBLE_WITHIN seconds."""
    busy: int
    refused: int


def phase_result(slack: BusySlack, phase: Phase) -> Result:
    """Count what happened in a phase."""
    arrived = _first_arrivals(slack)
    colleague = [arrived[message.address] - sent_at for message, sent_at in phase.asked if message.address in arrived]
    visible = [
        min(times) - phase.sent_at
        for item in phase.sent
        if (times := [arrived[address] for address in _addresses(item) if address in arrived])
    ]
    own = {address for item in phase.sent for address in _addresses(item)}
    return Result(
        colleague=colleague,
        lost=len(phase.asked) - len(colleague),
        visible=visible,
        invisible=len(phase.sent) - sum(seconds <= VISIBLE_WITHIN for seconds in visible),
        busy=sum(attempt.address in own and attempt.args.get("text") == BUSY for attempt in slack.arrived()),
        refused=sum(ack.status != 200 for ack in phase.acks),
    )


def _print_phase(phase: Phase, result: Result) -> bool:
    """Print it; true if the goals are met."""
    worst = float("inf") if result.lost else max(result.colleague)
    verdict = "MISSED" if worst >= MUST else "reached" if worst < REACH else "enough"
    p50, p99, longest = (_quantile(result.colleague, share) for share in (0.5, 0.99, 1))
    print(
        f"  {phase.name:<20}the colleague's {len(phase.asked)} questions: p50 {p50}, p99 {p99}, worst {longest}, lost "
        f"{result.lost} (must < {MUST:.0f} s, reach {REACH} s): {verdict}"
    )
    if phase.sent:
        print(
            f"  {'':<20}answered visibly within {VISIBLE_WITHIN:.0f} s: {len(phase.sent) - result.invisible} of "
            f"{len(phase.sent)}, {result.busy} of them busy; not acknowledged {result.refused}; the last after "
            f"{_quantile(result.visible, 1)}: {'MISSED' if result.invisible else 'reached'}",
            flush=True,
        )
    return verdict != "MISSED" and not result.invisible


def _first_arrivals(slack: BusySlack) -> dict[str, float]:
    """By address, the time of the first request."""
    arrived: dict[str, float] = {}
    for attempt in slack.arrived():
        arrived.setdefault(attempt.address, attempt.at)
    return arrived


def _quantile(seconds: list[float], share: float) -> str:
    """The time that this share of the times doesn't exceed."""
    ordered = sorted(seconds)
    return f"{ordered[min(len(ordered) - 1, int(len(ordered) * share))]:.2f} s" if ordered else "never"


if __name__ == "__main__":
    raise SystemExit(main())
