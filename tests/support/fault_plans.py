"""A plan of faults, drawn from a seed: what befalls each answer on its way, what must become of it, and whether it did."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

from support.busy_slack import Attempt, BusySlack, address
from support.people import Said
from support.slack_stub import RESET, SILENCE, Fault

PASSING = (*(Fault(status) for status in (500, 502, 503, 504)), Fault(200, "ratelimited"), RESET)
FINAL = (
    "channel_not_found",
    "is_archived",
    "not_in_channel",
    "restricted_action_read_only_channel",
    "restricted_action",
)
FINAL_HOOK = (Fault(404, "used_url"), Fault(404, "expired_url"), Fault(200, "no_permission"))


@dataclass(frozen=True, slots=True)
class Fate:
    """The faults of one answer's attempts, in order; after a `final` one it must not be sent again."""

    faults: tuple[Fault, ...] = ()
    final: bool = False

    @property
    def refused(self) -> str:
        """The error that ended it, if Slack said one."""
        return self.faults[-1].error if self.final else ""


def plan(seed: int, messages: Iterable[Said], retry_after: float, silent: float = 0.05) -> dict[str, Fate]:
    """A fate for each message: a third meets nothing, most of the rest up to three faults, and some never arrive.

    `retry_after` is the longest, in seconds; `silent` the share that Slack never says a word about.
    """
    dice = random.Random(seed)
    fates = {}
    for message in messages:
        limits = tuple(Fault(429, "ratelimited", round(dice.uniform(0.1, 1) * retry_after, 2)) for _ in range(2))
        faults = dice.choices(PASSING + limits, k=max(0, dice.randint(-1, 3)))
        if message.way != "command" and dice.random() < 0.1:
            faults.insert(0, Fault(200, "invalid_blocks"))
        end = dice.random()
        if end < silent:
            faults.append(SILENCE)
        elif end < 0.15:
            faults.append(dice.choice(FINAL_HOOK if message.way == "command" else [Fault(200, code) for code in FINAL]))
        fates[message.address] = Fate(tuple(faults), end < 0.15)
    return fates


def follow(slack: BusySlack, fates: Mapping[str, Fate]) -> None:
    """Let Slack behave as planned."""

    def fault(where: str, attempt: int) -> Fault | None:
        faults = fates[where].faults if where in fates else ()
        return faults[attempt] if attempt < len(faults) else None

    slack.fates = fault


def wanted(slack: BusySlack, fates: Mapping[str, Fate]) -> bool:
    """Whether every answer has had all its attempts."""
    return all(slack.count[where] >= len(fate.faults) + (not fate.final) for where, fate in fates.items())


def complaints(slack: BusySlack, messages: Iterable[Said], fates: Mapping[str, Fate]) -> list[str]:
    """What went otherwise than it must: each answer once where it could be, and nothing too often or too soon."""
    found, by_address = [], defaultdict[str, list[Attempt]](list)
    for attempt in slack.attempts:
        by_address[attempt.address].append(attempt)
    for message in messages:
        fate, attempts = fates[message.address], by_address[message.address]
        arrived = sum(attempt.arrived for attempt in attempts)
        if arrived != (not fate.final):
            found.append(f"{message.address}: arrived {arrived} times; {fate}")
        if len(attempts) != len(fate.faults) + (not fate.final):
            found.append(f"{message.address}: sent {len(attempts)} times; {fate}")
        if len({attempt.args.get("client_msg_id") for attempt in attempts}) > 1:
            found.append(f"{message.address}: another client_msg_id")
        for earlier, later in pairwise(attempts):
            pause = earlier.fault.retry_after if earlier.fault is not None else None
            if pause is not None and later.at - earlier.at < pause - 0.01:
                found.append(f"{message.address}: again after {later.at - earlier.at:.2f} s instead of {pause}")
        event = message.body.get("event", {})
        private = address("chat.postEphemeral", channel=event.get("channel", ""), thread_ts=_thread(message))
        if message.way == "mention" and len(by_address[private]) != bool(fate.refused):
            found.append(f"{message.address}: {len(by_address[private])} private words")
    return found


def _thread(message: Said) -> str:
    return str(message.body["event"]["ts"]) if message.way == "mention" else ""
