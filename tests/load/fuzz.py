"""Fuzz: payloads that Slack could never send, through the real front, and questions that nobody would ask, to the engine.

Run by `make fire`. All of it follows from the seed: the app runs in this process, one payload after the other, and what it
sends to Slack comes out here. What the bot posts is looked through for buttons, and those are pressed. A status of 500 or
more, no answer, an exception, or a line in the log that isn't about a Slack that refuses, is a failure.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import random
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from itertools import islice
from pathlib import Path
from typing import Any, get_args
from unittest import mock
from urllib.parse import urlencode

sys.path.insert(0, str(Path(__file__).parent))

from processes import DATABASES, ROOT, empty_database, load_average
from questions import phrasings, questions, rubbish
from slack_people import FORM, JSON, SECRET, Ack, Line, signed
from slack_stub import BOT, BOT_ID, TEAM

from bot.engine import Engine
from bot.knowledge import load
from bot.match import Matcher
from bot.model import ConversationState, Question
from bot.reply import plain
from bot.slack.app import SlackApp, build_app
from bot.slack.blocks import Layout, render_blocks
from bot.slack.register import ACTIONS as HANDLERS
from bot.slack.transport.client import (
    BotIdentity,
    Outcome,
    Refused,
    Request,
    Retry,
    Sent,
    SlackClient,
    SlackConfig,
    Unknown,
)
from bot.slack.transport.health import health_page
from bot.slack.transport.http import HttpFront, serve_http
from bot.store import Store

ACTIONS = ["ask", *HANDLERS]
CALLBACKS = ["search", "means", "write", "ask_message", "no_such_thing"]
OUTCOMES: tuple[Outcome, ...] = (
    *[Sent()] * 12,
    Refused("channel_not_found"),
    Unknown("TimeoutError"),
    Retry("HTTP 503"),
)
OURS = re.compile(r"refused by Slack|given up after|no word whether it arrived|again in")
"""Lines that are about a Slack that doesn't take a post, which the fuzz plays as well."""
MOST_HELD = 500
"""Buttons and views that are remembered to be pressed."""
LONGEST_ANSWER = 15.0
"""Seconds."""


class Complaints(logging.Handler):
    """Counts what is logged as a warning or worse."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.count: Counter[str] = Counter()

    def emit(self, record: logging.LogRecord) -> None:
        self.count[record.getMessage()[-2000:]] += 1


class Door:
    """The app behind its HTTP front, in this process."""

    def __init__(self, app: SlackApp, port: int) -> None:
        self.app, self.port = app, port
        self._line = Line(port)

    async def post(self, raw: bytes, kind: str, changed: dict[str, str]) -> int:
        """Deliver a body, signed, and wait until all that it causes is done. `changed` replaces parts of the request."""
        request = _changed(signed(raw, kind), changed)
        line = Line(self.port) if changed else self._line  # what is spoilt may leave the rest of a request behind
        ack = (
            await line.ask(request, LONGEST_ANSWER)
            if changed.get(":method") != "HEAD"
            else await _head(self.port, request)
        )
        if changed:
            line.close()
        assert await self.app.context.tasks.finish(LONGEST_ANSWER), "something never ended"
        return ack.status


async def _head(port: int, request: bytes) -> Ack:
    """The answer to a request that gets no body."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    status = int((await reader.readline()).split()[1])
    writer.close()
    return Ack(status, 0.0)


def _changed(request: bytes, changed: dict[str, str]) -> bytes:
    """The request with other headers; ":method", ":path" and ":query" stand for the parts of its first line."""
    head, _, body = request.partition(b"\r\n\r\n")
    _, *lines = head.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    headers |= {name: value for name, value in changed.items() if not name.startswith(":")}
    query = changed.get(":query", "")
    path = changed.get(":path", "/slack/events") + (f"?{query}" if query else "")
    lines = [
        f"{changed.get(':method', 'POST')} {path} HTTP/1.1",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogatepass") + body


@asynccontextmanager
async def opened(engine: Engine, store: Store, deliver: Callable[[Request], Outcome]) -> AsyncIterator[Door]:
    """The app over a store; `deliver` stands for Slack."""

    async def delivered(_: SlackClient, request: Request) -> Outcome:
        return deliver(request)

    config = SlackConfig(bot_token="xoxb-fuzz", app_token="", signing_secret=SECRET, api_url="http://127.0.0.1:9/api/")
    with mock.patch.object(SlackClient, "deliver", delivered):
        app = build_app(
            engine,
            store,
            config,
            lines=engine.knowledge.voice.lines,
            outbox_options={"backoff": (0.0,), "pace": 0.0},
            settle=0.0,
        )
    app.context.client.identity = BotIdentity(user=BOT, bot=BOT_ID, team=TEAM)
    await app.context.client.open()
    await app.context.run_db(store.prepare)
    front = HttpFront(app.dispatch, SECRET, pages={"/healthz": lambda: health_page(app.is_healthy())})
    stop, port = asyncio.Event(), asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(serve_http(front, 0, stop, host="127.0.0.1", ready=port.set_result))
    try:
        yield Door(app, await port)
    finally:
        stop.set()
        await serving
        await app.close(5)


class People:
    """Whoever sends payloads: what they send, drawn from a seed, with what the bot has shown them."""

    def __init__(self, seed: int, asks: list[str]) -> None:
        self.dice, self.texts = random.Random(seed), questions(asks, seed)
        self.held: list[dict[str, Any]] = []
        self.views: list[dict[str, Any]] = []
        self.sent = 0

    def saw(self, request: Request) -> None:
        """Remember the buttons of what was posted."""
        for element in _elements(json.loads(json.dumps(request.args))):
            self._hold(self.held, element)
        if isinstance(view := request.args.get("view"), dict):
            self._hold(self.views, view)

    def _hold(self, where: list[dict[str, Any]], what: dict[str, Any]) -> None:
        if len(where) < MOST_HELD:
            where.append(what)
        else:
            where[self.dice.randrange(MOST_HELD)] = what

    def payload(self) -> tuple[bytes, str, dict[str, str]]:
        """Body, type, and what else differs about the request."""
        self.sent += 1
        made = self.dice.choice((self._event, self._event, self._command, self._press, self._press, self._submission))
        body, kind = made()
        for _ in range(self.dice.choice((0, 1, 1, 2, 5))):
            body = self._mutated(body)
        if kind == FORM and isinstance(body, dict) and "command" in body:
            raw = urlencode({str(key): _plain(value) for key, value in body.items()}, errors="replace").encode()
        elif kind == FORM:
            raw = urlencode({"payload": json.dumps(body)}).encode()
        else:
            raw = json.dumps(body, ensure_ascii=self.dice.random() < 0.9).encode("utf-8", "surrogatepass")
        return self._spoilt(raw), kind, self._headers(raw)

    # -- what is sent

    def _event(self) -> tuple[Any, str]:
        kind = self.dice.choice(
            ("app_mention", "message", "message", "app_home_opened", "reaction_added", "channel_rename")
        )
        event = {
            "type": kind, "user": f"U{self.sent}", "channel": self.dice.choice((f"C{self.sent}", f"D{self.sent}")),
            "ts": f"{1_700_000_000 + self.sent}.000200", "text": self._words(), "tab": "home",
        }  # fmt: skip
        if kind == "message":
            event["channel_type"] = "im"
        body = {"type": "event_callback", "team_id": TEAM, "event_id": f"Ev{self.sent}", "event": event}
        return body | {"authorizations": [{"team_id": TEAM, "user_id": BOT, "is_bot": True}]}, JSON

    def _command(self) -> tuple[Any, str]:
        return {
            "command": "/askpy", "text": self._words(), "team_id": TEAM, "channel_id": "C1", "user_id": f"U{self.sent}",
            "trigger_id": f"{self.sent}.1", "response_url": "http://127.0.0.1:9/hook/1",
        }, FORM  # fmt: skip

    def _press(self) -> tuple[Any, str]:
        name = self.dice.choice([*ACTIONS, "no_such_action"])
        shown = {"type": "button", "action_id": self.dice.choice((name, f"{name}:1")), "value": self._words()}
        if self.held and self.dice.random() < 0.7:
            shown = dict(self.dice.choice(self.held))
        body = self._around("block_actions") | {"actions": [shown | {"block_id": "b", "action_ts": f"{self.sent}.2"}]}
        if self.views and self.dice.random() < 0.3:
            view = self.dice.choice(self.views) | {"id": f"V{self.sent}"}
            return body | {"view": view, "container": {"type": "view", "view_id": f"V{self.sent}"}}, FORM
        message = {"type": "message", "ts": f"{self.sent}.3", "user": BOT, "is_ephemeral": self.dice.random() < 0.3}
        where = {"type": "message", "message_ts": f"{self.sent}.3", "channel_id": "C1"}
        body |= {"message": message, "container": where, "channel": {"id": "C1"}}
        return body | {"response_url": "http://127.0.0.1:9/hook/2"}, FORM

    def _submission(self) -> tuple[Any, str]:
        kind = self.dice.choice(
            ("view_submission", "view_submission", "view_closed", "message_action", "block_suggestion")
        )
        if kind == "message_action":
            more: dict[str, Any] = {"callback_id": "ask_message", "message": {"text": self._words(), "ts": "1.2"}}
            return self._around(kind) | more | {
                "channel": {"id": "C1"},
                "response_url": "http://127.0.0.1:9/hook/3",
            }, FORM
        view = (
            dict(self.dice.choice(self.views))
            if self.views and self.dice.random() < 0.6
            else {"type": "modal", "blocks": []}
        )
        view = (
            {"callback_id": self.dice.choice(CALLBACKS), "private_metadata": self._words()}
            | view
            | {"id": f"V{self.sent}"}
        )
        inputs = {f"block{n}": {f"action{n}": {"type": "plain_text_input", "value": self._words()}} for n in range(3)}
        view["state"] = {"values": inputs}
        return self._around(kind) | {"view": view, "action_id": "x", "block_id": "b", "value": self._words()}, FORM

    def _around(self, kind: str) -> dict[str, Any]:
        team = {"id": TEAM, "domain": "d"}
        return {
            "type": kind,
            "team": team,
            "user": {"id": f"U{self.sent}", "team_id": TEAM},
            "trigger_id": f"{self.sent}.4",
        }

    def _words(self) -> str:
        return next(self.texts)

    # -- and how it is spoilt

    def _mutated(self, body: Any) -> Any:
        """The same with one thing changed, somewhere in it."""
        places = list(_places(body))
        if not places:
            return self._anything()
        where, key = self.dice.choice(places)
        match self.dice.randrange(4):
            case 0 if isinstance(where, dict):
                del where[key]
            case 1 if isinstance(where, dict):
                where[rubbish(self.dice, 8)] = self._anything()
            case _:
                where[key] = self._anything()
        return body

    def _anything(self) -> Any:
        match self.dice.randrange(12):
            case 0:
                return None
            case 1:
                return self.dice.choice((True, False))
            case 2:
                return self.dice.choice((0, -1, 10**30, 1.5e300, 2**53))
            case 3:
                return ""
            case 4:
                return [self._anything() for _ in range(self.dice.randrange(3))]
            case 5:
                return {rubbish(self.dice, 8): self._anything() for _ in range(self.dice.randrange(3))}
            case 6:
                return "x" * self.dice.choice((100, 5_000, 50_000))
            case 7:
                return self.dice.choice(
                    (TEAM, BOT, "USLACKBOT", "im", "modal", "home", "event_callback", "view_submission")
                )
            case 8:
                deep: Any = "x"
                for _ in range(self.dice.choice((5, 50, 500))):
                    deep = {"a": deep} if self.dice.random() < 0.5 else [deep]
                return deep
            case _:
                return rubbish(self.dice, 30)

    def _spoilt(self, raw: bytes) -> bytes:
        if self.dice.random() > 0.15 or not raw:
            return raw
        at = self.dice.randrange(len(raw))
        match self.dice.randrange(4):
            case 0:
                return raw[:at]
            case 1:
                return raw[:at] + bytes([self.dice.randrange(256)]) + raw[at + 1 :]
            case 2:
                return raw[:at] + self.dice.randbytes(4) + raw[at:]
            case _:
                return raw[:at] + raw[at : at + 20] + raw[at:]

    def _headers(self, raw: bytes) -> dict[str, str]:
        if self.dice.random() > 0.1:
            return {}
        name, values = self.dice.choice((
            ("Content-Type", ("", "text/plain", "application/json; charset=latin-1", rubbish(self.dice, 8))),
            ("Content-Length", ("", "-1", "1e3", str(10**12), str(len(raw) // 2))),
            ("X-Slack-Request-Timestamp", ("", "x", "-5", "0", "9" * 14, "9" * 40)),
            ("X-Slack-Signature", ("", "v0=", "v0=" + "0" * 64, rubbish(self.dice, 20))),
            ("X-Slack-Retry-Num", ("1", "x")),
            (":path", ("/", "/healthz", "/metrics", "/slack/events/", rubbish(self.dice, 8))),
            (":method", ("GET", "PUT", "HEAD", "BREW")),
            (":query", ("a=b", "%", rubbish(self.dice, 20))),
        ))  # fmt: skip
        return {name: self.dice.choice(values)}


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _places(node: Any) -> Iterator[tuple[Any, Any]]:
    """Every key of every dictionary in it, and every index of every list."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield node, key
            yield from _places(value)
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield node, index
            yield from _places(value)


def _elements(node: Any) -> Iterator[dict[str, Any]]:
    """Everything that can be pressed."""
    if isinstance(node, dict):
        if "action_id" in node and ("value" in node or "options" in node):
            value = {"value": node["value"]} if "value" in node else {"selected_option": node["options"][0]}
            yield {"type": node.get("type", "button"), "action_id": node["action_id"]} | value
        node = list(node.values())
    if isinstance(node, list):
        for each in node:
            yield from _elements(each)


# --- the two runs


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--payloads", type=int, default=25_000, help="on each database (25000)")
    parser.add_argument("--questions", type=int, default=50_000)
    parser.add_argument("--databases", nargs="+", default=DATABASES, choices=DATABASES)
    parser.add_argument("--seed", type=int, default=4)
    options = parser.parse_args()
    print("python", *sys.argv)
    print(load_average(), flush=True)
    complaints, faults = Complaints(), list[str]()
    logging.getLogger().addHandler(complaints)
    with tempfile.TemporaryDirectory(prefix="askpy-fuzz-") as folder:
        cache = Path(os.environ.get("ASKPY_CACHE") or Path(folder) / "cache")
        engine = Engine(Matcher.of(load(ROOT / "knowledge", cache), cache))
        for number, kind in enumerate(options.databases):
            with empty_database(kind, Path(folder)) as url:
                print(f"{kind}: ", end="", flush=True)
                faults += asyncio.run(_payloads(engine, url, options.payloads, options.seed + number))
        faults += asked(engine, options.questions, options.seed)
    logged = {line: times for line, times in complaints.count.items() if not OURS.search(line)}
    for line, times in list(logged.items())[:5]:
        print(f"logged {times} times: {line}")
    for fault in faults[:5]:
        print(fault)
    print(f"{len(faults)} faults, {sum(logged.values())} complaints in the log")
    return int(bool(faults or logged))


async def _payloads(engine: Engine, url: str, many: int, seed: int) -> list[str]:
    """Send them; the faults."""
    store, people, dice = Store(url), People(seed, phrasings()), random.Random(seed)
    posted: Counter[str] = Counter()

    def deliver(request: Request) -> Outcome:
        people.saw(request)
        posted[request.method or "response_url"] += 1
        return dice.choice(OUTCOMES)

    async with opened(engine, store, deliver) as door:
        faults = await _sent(door, people, many)
    store.close()
    print("posted:", ", ".join(f"{method} {times:,}" for method, times in posted.most_common()), flush=True)
    return faults


async def _sent(door: Door, people: People, many: int) -> list[str]:
    began, statuses, faults = time.monotonic(), Counter[int](), list[str]()
    for number in range(many):
        raw, kind, changed = people.payload()
        try:
            status = await door.post(raw, kind, changed)
        except Exception as error:
            faults.append(f"payload {number}: {type(error).__name__}: {error}; {changed} {raw[:500]!r}")
            continue
        statuses[status] += 1
        if status >= 500 or not status:
            faults.append(f"payload {number}: {status}; {changed} {raw[:500]!r}")
    context, took = door.app.context, time.monotonic() - began
    if context.admission.open or context.interactions.open or len(context.outbox):
        faults.append(
            f"left open: {context.admission.open} messages, {context.interactions.open} presses, {len(context.outbox)} posts"
        )
    counts = ", ".join(f"{status}: {times:,}" for status, times in sorted(statuses.items()))
    print(f"{many:,} payloads in {took:.0f} s ({many / max(took, 0.001):.0f} a second), answered {counts}", flush=True)
    return faults


def asked(engine: Engine, many: int, seed: int) -> list[str]:
    """Ask the engine, and draw every reply in every way there is; the faults. Each conversation has three questions."""
    began, kinds, faults = time.monotonic(), Counter[str](), list[str]()
    state: ConversationState | None = None
    for number, text in enumerate(islice(questions(phrasings(), seed + 1), many)):
        question = Question(text, "dm", f"conversation {number // 3}", TEAM)
        state = state if number % 3 else None
        try:
            reply, state = engine.answer_turn(question, state)
            for each in (reply, engine.explain(question)) if number % 10 == 0 else (reply,):
                plain(each)
                for layout in get_args(Layout):
                    json.dumps(render_blocks(each, layout))
        except Exception as error:
            faults.append(f"question {number}: {type(error).__name__}: {error}; {text[:500]!r}")
            continue
        kinds[reply.kind] += 1
        if not reply.parts:
            faults.append(f"question {number}: an empty reply; {text[:500]!r}")
    took = time.monotonic() - began
    counts = ", ".join(f"{kind} {times:,}" for kind, times in kinds.most_common())
    print(f"{many:,} questions in {took:.0f} s ({many / max(took, 0.001):.0f} a second): {counts}", flush=True)
    return faults


if __name__ == "__main__":
    raise SystemExit(main())
