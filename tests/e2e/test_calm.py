"""The bot itself on a bad day: a plan of faults at Slack's own pace, stops under load, a WebSocket that comes and goes.

A hundred messages, and five stops a mode, to keep it short: three and a half minutes on a machine that is busy otherwise.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from support.busy_slack import BusySlack, frame
from support.fault_plans import complaints, follow, plan, wanted
from support.local_slack import APP_TOKEN, BOT_TOKEN, ROOT, Process, fetch, free_port
from support.people import SECRET, Said, crowd, said
from support.slack_stub import SILENCE, Fault

QUESTIONS = ("what is flask?", "is python frontend?", "flask vs django", "list backend", "show the roadmap")
Start = Callable[[str], "Bot"]


class Bot:
    """The bot as people run it, before this Slack."""

    def __init__(self, slack: BusySlack, mode: str, folder: Path) -> None:
        self.slack, self.mode, self.port = slack, mode, free_port()
        mine = {"SLACK_APP_TOKEN": APP_TOKEN} if mode == "socket" else {"SLACK_SIGNING_SECRET": SECRET}
        env = mine | {
            "PYTHONPATH": str(ROOT), "SLACK_API_URL": slack.url, "SLACK_BOT_TOKEN": BOT_TOKEN, "PORT": str(self.port),
            "DATABASE_URL": f"sqlite:///{folder / 'askpy.db'}", "ASKPY_CACHE": os.environ["ASKPY_CACHE"],
            "ASKPY_KNOWLEDGE": str(ROOT / "knowledge"),
        }  # fmt: skip
        links = len(slack.links)
        command: list[str | Path] = [sys.executable, "-m", "bot", "serve", f"--{mode}"]
        self.process = Process(command, folder / "bot.log", folder, **env)
        self.process.wait_for(lambda: fetch(f"http://127.0.0.1:{self.port}/healthz")[0] == 200, "healthz", 90)
        if mode == "socket":
            self.process.wait_for(lambda: len(slack.links) > links, "the socket")

    def deliver(self, messages: Sequence[Said]) -> None:
        """All of it at once, and each is acknowledged."""
        if self.mode == "http":
            acks = self.slack.run(crowd(self.port, messages, 50))
            assert {ack.status for ack in acks} == {200}
            assert max(ack.seconds for ack in acks) < 3
            return
        for message in messages:
            self.slack.send(message.envelope)
        numbers = {f"e{message.number}" for message in messages}
        self.slack.wait_for(lambda: numbers <= self.slack.acknowledged.keys(), "acknowledgements", 30)

    def cpu(self) -> float:
        """Seconds of processor time so far."""
        fields = Path(f"/proc/{self.process._process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.fixture
def slack() -> Iterator[BusySlack]:
    with BusySlack(0.15) as slack:
        yield slack


@pytest.fixture
def start(slack: BusySlack, tmp_path: Path) -> Iterator[Start]:
    """Starts the bot; at the end it must leave in good order."""
    bots: list[Bot] = []

    def begin(mode: str) -> Bot:
        bots.append(Bot(slack, mode, tmp_path))
        return bots[-1]

    yield begin
    codes = [bot.process.stop() for bot in bots]
    log = (tmp_path / "bot.log").read_text(encoding="utf-8")
    assert codes == [0] * len(bots), log
    assert "Traceback" not in log, log


def asked(slack: BusySlack, first: int, many: int) -> list[Said]:
    return [said(slack, number, QUESTIONS[number % len(QUESTIONS)]) for number in range(first, first + many)]


both = pytest.mark.parametrize("mode", ["http", "socket"])


@both
def test_a_bad_day(slack: BusySlack, start: Start, mode: str) -> None:
    bot = start(mode)
    messages = asked(slack, 0, 100)
    fates = plan(7, messages, retry_after=2, silent=0.03)
    follow(slack, fates)
    bot.deliver(messages)
    bot.deliver([message for message in messages if message.way != "command"])
    slack.wait_for(lambda: wanted(slack, fates), "every answer", 90)
    refused = sum(bool(fate.refused) for fate in fates.values())
    silent = sum(fate.final for fate in fates.values()) - refused
    # Slack has heard every attempt; the bot still waits for the word about the silent ones, as long as its timeout.
    bot.process.wait_for(lambda: bot.process.text.count("no word whether") >= silent, "the last silence", 15)
    assert bot.process.stop() == 0

    assert complaints(slack, messages, fates) == []
    log = bot.process.text
    assert (log.count("refused by Slack"), log.count("no word whether")) == (refused, silent)
    assert [words for words in (*QUESTIONS, BOT_TOKEN, APP_TOKEN, SECRET, "a-secret-of-slack") if words in log] == []


@both
def test_slack_is_away_for_a_while(slack: BusySlack, start: Start, mode: str) -> None:
    bot = start(mode)
    slack.refuse()
    messages = asked(slack, 0, 40)
    bot.deliver(messages)
    slack.listen()
    slack.cut_at_accept = 20
    slack.wait_for(lambda: len(slack.arrived()) >= 40, "every answer", 30)
    assert bot.process.stop() == 0

    assert sorted(each.address for each in slack.arrived()) == sorted(message.address for message in messages)


@both
def test_a_slowed_channel_costs_the_others_nothing(slack: BusySlack, start: Start, mode: str) -> None:
    bot = start(mode)

    def took(first: int, crowded: list[Said]) -> float:
        """The seconds until the last of a hundred answers to others, asked at once."""
        others = asked(slack, first, 100)
        began, wanted = time.monotonic(), {message.address for message in others}
        bot.deliver([*crowded, *others])
        slack.wait_for(lambda: wanted <= {each.address for each in slack.arrived()}, "the others' answers", 30)
        return max(each.done for each in slack.arrived() if each.address in wanted) - began

    took(0, [])
    usual = took(1000, [])
    slack.fates = lambda where, attempt: Fault(429, "ratelimited", 4) if "CSLOW" in where and not attempt else None
    crowded = [said(slack, number, "what is flask?", "mention", "CSLOW") for number in range(5000, 5005)]
    slowed = took(2000, crowded)
    assert slowed < usual + 2
    slack.wait_for(lambda: all(slack.count[message.address] >= 2 for message in crowded), "the slowed answers", 30)
    first, *_, last = [each.at for each in slack.attempts if "CSLOW" in each.address]
    assert last - first >= 4 + 4 * 0.9


@both
def test_a_stop_under_load_five_times(slack: BusySlack, start: Start, mode: str) -> None:
    times = []
    for turn in range(5):
        bot = start(mode)
        messages = asked(slack, 1000 * turn, 60)
        slack.fates = lambda where, attempt: Fault(503) if where.endswith("7") and not attempt else None
        bot.deliver(messages)
        began = time.monotonic()
        assert bot.process.stop() == 0
        times.append(time.monotonic() - began)
        wanted = sorted(message.address for message in messages)
        assert sorted(each.address for each in slack.arrived()) == wanted, f"turn {turn}"
        slack.attempts.clear()
    assert max(times) < 10


@both
def test_a_stop_while_slack_is_silent(slack: BusySlack, start: Start, mode: str) -> None:
    bot = start(mode)
    slack.fates = lambda where, _: SILENCE
    bot.deliver(asked(slack, 0, 40))
    slack.wait_for(lambda: len(slack.attempts) > 20, "the attempts")
    began = time.monotonic()
    assert bot.process.stop(12) == 0
    assert time.monotonic() - began < 9.5


# --- the WebSocket


def assert_back(slack: BusySlack, links: int, number: int, seconds: float = 10.0) -> float:
    """Connected anew in time, and answering again; returns the seconds it took."""
    began = time.monotonic()
    slack.wait_for(lambda: len(slack.links) > links, "a new connection", seconds)
    took = time.monotonic() - began
    message = said(slack, number, "what is flask?", "dm")
    slack.send(message.envelope)
    slack.wait_for(lambda: any(each.address == message.address for each in slack.arrived()), "an answer")
    return took


def test_a_cut_connection_is_made_again(slack: BusySlack, start: Start) -> None:
    bot = start("socket")
    for turn in range(3):
        links, cpu, began = len(slack.links), bot.cpu(), time.monotonic()
        slack.cut()
        assert_back(slack, links, turn)
        assert bot.cpu() - cpu < 0.3 + 0.3 * (time.monotonic() - began)


def test_while_slack_is_gone_the_processor_rests(slack: BusySlack, start: Start) -> None:
    bot = start("socket")
    slack.refuse()
    slack.cut()
    cpu = bot.cpu()
    time.sleep(6)  # what is measured is time itself
    used = bot.cpu() - cpu
    links = len(slack.links)
    slack.listen()
    assert_back(slack, links, 1)
    assert used < 0.6


def test_a_silent_connection_is_given_up(slack: BusySlack, start: Start) -> None:
    bot = start("socket")
    links = len(slack.links)
    slack.deaf = True
    began, cpu = time.monotonic(), bot.cpu()
    slack.wait_for(lambda: len(slack.links) > links, "a new connection", 10)
    took = time.monotonic() - began
    slack.deaf = False
    assert bot.cpu() - cpu < 0.3 + 0.2 * took
    assert_back(slack, links, 1)


def test_a_refresh_is_followed_at_once(slack: BusySlack, start: Start) -> None:
    start("socket")
    for turn, reason in enumerate(("warning", "refresh_requested")):
        links = len(slack.links)
        slack.send({"type": "disconnect", "reason": reason, "debug_info": {"host": "x"}})
        if reason == "refresh_requested":
            assert assert_back(slack, links, turn) < 3


RUBBISH_FRAMES = {
    "text that is no JSON": frame(b"hello"),
    "half of JSON": frame(b'{"type": "events_api", '),
    "no UTF-8": frame(b"\xff\xfe\x00"),
    "binary": frame(b"\x00\x01\x02", 2),
    "an unknown opcode": frame(b"x", 5),
    "a pong nobody asked for": frame(b"what", 10),
    "an empty text": frame(b""),
    "a large frame": frame(b'{"type": "' + b"x" * 200_000 + b'"}'),
    "null": frame(b"null"),
    "a list": frame(b"[[[]]]"),
    "deep": frame(b'{"a":' * 5_000),
    "an envelope without a payload": frame(b'{"type": "events_api", "envelope_id": "r1"}'),
    "a payload of another kind": frame(b'{"type": "events_api", "envelope_id": "r2", "payload": 5}'),
    "an unknown type": frame(b'{"type": "new_thing", "envelope_id": "r3", "payload": {}}'),
}


def test_rubbish_frames_are_survived(slack: BusySlack, start: Start) -> None:
    bot = start("socket")
    for number, (name, rubbish) in enumerate(RUBBISH_FRAMES.items()):
        slack.send_raw(rubbish)
        message = said(slack, number, "what is flask?", "dm")
        answered = lambda message=message: any(each.address == message.address for each in slack.arrived())  # noqa: E731
        deadline = time.monotonic() + 10
        while not answered():  # a connection may be dropped for it; Slack then delivers again
            assert time.monotonic() < deadline, f"no answer after {name}"
            slack.send(message.envelope)
            with slack.changed:
                slack.changed.wait_for(answered, 1)
    assert len(slack.arrived()) == len(RUBBISH_FRAMES)
    assert fetch(f"http://127.0.0.1:{bot.port}/healthz")[0] == 200
