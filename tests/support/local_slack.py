"""A third-party Slack on loopback, the bot beside it, and the few words that a test needs to talk to both."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

ROOT = Path(__file__).parents[2]
BINARY = ROOT / "tests" / "e2e" / "node_modules" / "local-slack-linux-x64" / "bin" / "local-slack"

TEAM, BOT, ALICE, BOB, GENERAL = "T01TEST", "U0BOT", "U01ALICE", "U02BOB", "C01GENERAL"
BOT_TOKEN, APP_TOKEN, SIGNING_SECRET = "xoxb-e2e", "xapp-e2e", "e2e-signing-secret"  # the stand-in's own, worth nothing

Json = dict[str, Any]
Found = TypeVar("Found")


def wait_until(found: Callable[[], Found], what: str, seconds: float = 20.0) -> Found:
    """What `found` returns as soon as it is truthy; fails with `what` after so many seconds."""
    deadline = time.monotonic() + seconds
    while not (result := found()):
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s for {what}"
        time.sleep(0.02)
    return result


_given: set[int] = set()


def free_port() -> int:
    """A loopback port that nobody listens on at the moment, another one at each call: the system may give one twice."""
    while True:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = int(server.getsockname()[1])
        if port not in _given:
            _given.add(port)
            return port


def fetch(
    url: str, body: bytes | None = None, headers: dict[str, str] | None = None, timeout: float = 10
) -> tuple[int, bytes]:
    """Status and body of one request; status 0 while nobody listens."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, headers or {}), timeout=timeout) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return 0, b""


class Process:
    """A program that a test started: its log is a file, and it ends with the test."""

    def __init__(self, command: list[str | Path], log: Path, folder: Path, **env: str) -> None:
        self.log = log
        inherited = {name: os.environ[name] for name in ("PATH", "LANG", "SSL_CERT_FILE") if name in os.environ}
        home = {"HOME": str(folder), "TMPDIR": str(folder)}
        with log.open("ab") as out:
            self._process = subprocess.Popen(
                command, cwd=folder, env=inherited | home | env, stdin=subprocess.DEVNULL, stdout=out, stderr=out
            )

    @property
    def text(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def wait_for(self, ready: Callable[[], object], what: str, seconds: float = 30.0) -> None:
        """Returns once `ready` is truthy; fails at once, with the log, when the program ends before."""

        def is_ready() -> object:
            assert self.is_alive(), f"ended before {what}"
            return ready()

        try:
            wait_until(is_ready, what, seconds)
        except AssertionError as late:
            raise AssertionError(f"{late}\n{self.text}") from None

    def stop(self, seconds: float = 10.0) -> int:
        """Asks it to end, as a server's manager does, and returns its exit code; kills it when it takes longer."""
        if self.is_alive():
            self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            return -signal.SIGKILL


class LocalSlack:
    """One workspace: Alice and Bob, #general, and the app; and #help with all three in it, if its id is given."""

    def __init__(self, folder: Path, mode: str, bot_port: int, help_channel: str = "") -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        config = folder / "workspace.json"
        config.write_text(json.dumps(_workspace(mode, bot_port, help_channel)), encoding="utf-8")
        command = [BINARY, "--config", config, "--port", str(self.port)]
        self.process = Process(command, folder / "local-slack.log", folder)
        self.process.wait_for(lambda: fetch(f"{self.url}/_control/state")[0] == 200, "the stand-in Slack")

    def control(self, call: str, /, **body: object) -> Json:
        """One call of its control API."""
        data = json.dumps(body).encode() if body else None
        status, answer = fetch(f"{self.url}/_control/{call}", data, {"content-type": "application/json"})
        assert status == 200, f"{call}: {status} {answer!r}"
        return json.loads(answer)

    def say(self, text: str, *, channel: str = GENERAL, user: str = ALICE, thread: str | None = None) -> Json:
        """A person posts a message; a user's id as the channel is that person's DM with the bot."""
        more = {"thread_ts": thread} if thread else {}
        return self.control("message", channel=channel, user=user, text=text, **more)["message"]

    def mention(self, text: str, *, thread: str | None = None) -> Json:
        return self.say(f"<@{BOT}> {text}", thread=thread)

    def command(self, text: str, *, user: str = ALICE) -> Json:
        """A person types `/askpy …` in #general; returns the last message that stood there before."""
        before = self.messages(GENERAL)
        self.control("command", channel=GENERAL, user=user, command="/askpy", text=text)
        return before[-1] if before else {"channel": GENERAL, "ts": "0"}

    def press(self, message: Json, label: str, *, user: str = ALICE) -> None:
        """A person presses the button of a message that is labelled so."""
        found = [each for each in _buttons(message["blocks"]) if each["text"]["text"] == label]
        assert found, f"no button {label!r}, only {[each['text']['text'] for each in _buttons(message['blocks'])]}"
        action = found[0] | {"action_ts": message["ts"]}
        self.control("interact", channel=message["channel"], messageTs=message["ts"], user=user, action=action)

    def messages(self, channel: str) -> list[Json]:
        return self.control(f"messages/{channel}")["messages"]

    def answers(self, after: Json) -> list[Json]:
        """What the bot has posted into a message's channel since that message."""
        return [m for m in self.messages(after["channel"]) if m["user"] == BOT and m["ts"] > after["ts"]]

    def answer(self, after: Json) -> Json:
        """The bot's first answer since a message, as soon as it is there."""
        return wait_until(lambda: self.answers(after), f"an answer to {after.get('text', '')[:80]!r}")[0]

    def settle(self) -> None:
        """Returns when the bot has dealt with everything sent so far: two later questions are answered."""
        for _ in range(2):
            self.answer(self.say("hello", channel=BOB, user=BOB))

    def traffic(self, kind: str) -> list[Json]:
        """What went between Slack and the bot: events_api, slash_commands, interactive, ack, web_api, socket …"""
        return [line for line in self.control("log")["log"] if line["kind"] == kind]

    def hellos(self) -> list[Json]:
        """One line for each time that the bot's socket was opened."""
        return [line for line in self.traffic("socket") if "hello" in line["summary"]]


class Bot:
    """`python -m bot serve` against a LocalSlack; `stop` and `start` keep its database."""

    def __init__(self, folder: Path, mode: str, *options: str, **settings: str) -> None:
        self.folder, self.mode, self.port, self.options, self.settings = folder, mode, free_port(), options, settings
        self.url = f"http://127.0.0.1:{self.port}"

    def start(self, slack: LocalSlack) -> None:
        hellos = len(slack.hellos())
        self.launch(slack)
        self.process.wait_for(lambda: fetch(f"{self.url}/healthz")[0] == 200, "healthz", 90)
        if self.mode == "socket":
            self.process.wait_for(lambda: len(slack.hellos()) > hellos, "the socket")

    def launch(self, slack: LocalSlack) -> None:
        """Starts it without waiting for it."""
        command: list[str | Path] = [sys.executable, "-m", "bot", "serve", f"--{self.mode}", *self.options]
        self.process = Process(command, self.folder / "bot.log", self.folder, **bot_settings(slack, self))

    def deliver(self, event: Json) -> int:
        """Sends one event as Slack would, signed, and returns the status; HTTP mode only."""
        from slack_sdk.signature import SignatureVerifier

        body = json.dumps(
            {
                "type": "event_callback",
                "team_id": TEAM,
                "api_app_id": "A01APP",
                "event_id": f"Ev{event['ts']}",
                "event_time": int(float(event["ts"])),
                "authorizations": [{"team_id": TEAM, "user_id": BOT, "is_bot": True, "is_enterprise_install": False}],
                "event": event,
            }
        )
        now = str(int(time.time()))
        signature = SignatureVerifier(SIGNING_SECRET).generate_signature(timestamp=now, body=body)
        headers = {
            "content-type": "application/json",
            "x-slack-request-timestamp": now,
            "x-slack-signature": signature or "",
        }
        return fetch(f"{self.url}/slack/events", body.encode(), headers)[0]


def bot_settings(slack: LocalSlack, bot: Bot) -> dict[str, str]:
    """The environment of a bot that lives in its own folder and talks to this Slack."""
    secret = {"SLACK_APP_TOKEN": APP_TOKEN} if bot.mode == "socket" else {"SLACK_SIGNING_SECRET": SIGNING_SECRET}
    return secret | {
        "PYTHONPATH": str(ROOT),
        "SLACK_API_URL": f"{slack.url}/api/",
        "SLACK_BOT_TOKEN": BOT_TOKEN,
        "PORT": str(bot.port),
        "DATABASE_URL": f"sqlite:///{bot.folder / 'askpy.db'}",
        "ASKPY_CACHE": os.environ["ASKPY_CACHE"],
        "ASKPY_KNOWLEDGE": str(ROOT / "knowledge"),
        **bot.settings,
    }


class Scene:
    """A workspace with the bot in it."""

    def __init__(self, folder: Path, mode: str, **settings: str) -> None:
        self.mode = mode
        self.bot = Bot(folder, mode, **settings)
        self.slack = LocalSlack(folder, mode, self.bot.port)
        try:
            self.bot.start(self.slack)
        except BaseException:
            self.slack.process.stop()
            raise


@contextlib.contextmanager
def scene(folder: Path, mode: str, **settings: str) -> Iterator[Scene]:
    """A running Scene. At its end the bot must leave in good order, with nothing to be ashamed of in its log."""
    running = Scene(folder, mode, **settings)
    try:
        yield running
    finally:
        code = running.bot.process.stop()
        running.slack.process.stop()
    assert code == 0, f"the bot ended with {code}:\n{running.bot.process.text}"
    assert "Traceback" not in running.bot.process.text, running.bot.process.text


def _buttons(blocks: object) -> list[Json]:
    """Every button inside some blocks, in order, each with the id of its block."""
    if isinstance(blocks, list):
        return [button for block in blocks for button in _buttons(block)]
    if not isinstance(blocks, dict):
        return []
    if blocks.get("type") == "button":
        return [blocks]
    inner = [button for value in blocks.values() for button in _buttons(value)]
    return [{"block_id": blocks["block_id"]} | button for button in inner] if "block_id" in blocks else inner


def _workspace(mode: str, bot_port: int, help_channel: str) -> Json:
    channels = {GENERAL: "general"} | ({help_channel: "help"} if help_channel else {})
    app = {
        "appId": "A01APP",
        "botUserId": BOT,
        "botName": "askpy",
        "botToken": BOT_TOKEN,
        "appToken": APP_TOKEN,
        "signingSecret": SIGNING_SECRET,
        "mode": "socket" if mode == "socket" else "events",
        "requestUrl": f"http://127.0.0.1:{bot_port}/slack/events",
    }
    return {
        "workspace": {"name": "AskPy", "domain": "askpy", "teamId": TEAM},
        "app": app,
        "users": [
            {"id": ALICE, "name": "alice", "real_name": "Alice Adler"},
            {"id": BOB, "name": "bob", "real_name": "Bob Berger"},
        ],
        "channels": [{"id": each, "name": name, "members": [ALICE, BOB, BOT]} for each, name in channels.items()],
    }
