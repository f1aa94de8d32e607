"""Fuzz: malformed payloads to the HTTP front, and malformed questions to the engine. Run by `make fire`.

Everything follows from the seed: the app runs in this process and handles one payload after the other, and its requests to
Slack end here. Buttons and views that it posts are used for later payloads. Failures are a status of 500 or more, no answer,
an exception, and a line in the log that isn't about a refused request to Slack.
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
from contextlib import asynccontextmanager, suppress
from copy import deepcopy
from itertools import islice
from pathlib import Path
from typing import Any, get_args
from unittest import mock
from urllib.parse import urlencode

from benchmarks.load import ROOT
from benchmarks.load.processes import DATABASES, empty_database, load_average
from benchmarks.load.questions import phrasings, questions, rubbish
from bot.curation.reloader import PackReloader
from bot.engine import Engine
from bot.model import ConversationState, Question
from bot.reply import plain_text
from bot.slack.app import SlackApp, build_app
from bot.slack.blocks import Layout, render_blocks
from bot.slack.register import ACTIONS as HANDLERS
from bot.slack.transport.client import (
    AttemptResult,
    BotIdentity,
    Refused,
    Request,
    Retry,
    Sent,
    SlackClient,
    SlackConfig,
    Unknown,
)
from bot.slack.transport.health import health_page
from bot.slack.transport.http import HttpReceiver, serve_http
from bot.store import Store
from support.people import FORM, JSON, SECRET, Ack, Line, signed
from support.slack_stub import BOT, BOT_ID, TEAM

ACTIONS = ["ask", *HANDLERS]
CALLBACKS = ["search", "means", "write", "ask_message", "no_such_thing"]
OUTCOMES: tuple[AttemptResult, ...] = (
    *[Sent()] * 12,
    Refused("channel_not_found"),
    Unknown("TimeoutError"),
    Retry("HTTP 503"),
)
EXPECTED_LINES = re.compile(r"refused by Slack|given up after|no word whether it arrived|again in|requests? refused: ")
"""Lines about requests that Slack refuses, which OUTCOMES has, and about those that the bot refuses."""
MAX_KEPT = 500
"""Buttons and views that are kept for later payloads."""
ANSWER_TIMEOUT = 15.0
"""Seconds."""


class LogWatcher(logging.Handler):
    """Counts lines logged as warnings or worse, and keeps the input during which each was logged first."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.count: Counter[str] = Counter()
        self.first: dict[str, str] = {}
        self.sent = ""

    def emit(self, record: logging.LogRecord) -> None:
        line = record.getMessage()[-2000:]
        self.count[line] += 1
        self.first.setdefault(line, self.sent)


class LocalServer:
    """The app behind its HTTP front, in this process."""

    def __init__(self, app: SlackApp, port: int) -> None:
        self.app, self.port = app, port
        self._line = Line(port)

    async def post(self, raw: bytes, kind: str, changed: dict[str, str]) -> int:
        """Deliver a signed body, and wait until everything that it starts has ended. `changed`: see `_with_changes`."""
        request = _with_changes(signed(raw, kind), changed)
        if changed.get(":method") == "HEAD":
            ack = await _head(self.port, request)
        else:
            ack = await self._line.ask(request, ANSWER_TIMEOUT)
        if changed:  # a damaged request may leave a part of itself unread
            self._line.close()
        assert await self.app.context.tasks.finish(ANSWER_TIMEOUT), "something never ended"
        return ack.status


async def _head(port: int, request: bytes) -> Ack:
    """The answer to a request that gets no body."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    status = int((await reader.readline()).split()[1])
    writer.close()
    return Ack(status, 0.0)


def _with_changes(request: bytes, changed: dict[str, str]) -> bytes:
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
async def open_server(
    engine: Engine, store: Store, deliver: Callable[[Request], AttemptResult]
) -> AsyncIterator[LocalServer]:
    """The app over a store; `deliver` stands for Slack."""

    async def delivered(_: SlackClient, request: Request) -> AttemptResult:
        return deliver(request)

    config = SlackConfig(bot_token="xoxb-fuzz", app_token="", signing_secret=SECRET, api_url="http://127.0.0.1:9/api/")
    with mock.patch.object(SlackClient, "post_once", delivered):
        app = build_app(
            engine,
            store,
            config,
            lines=engine.knowledge.voice.lines,
            outbox_options={"backoff": (0.0,), "pace": 0.0},
            ack_delay=0.0,
        )
    app.context.client.identity = BotIdentity(user=BOT, bot=BOT_ID, team=TEAM)
    await app.context.client.open()
    await app.context.run_db(store.prepare)
    receiver = HttpReceiver(app.dispatch, SECRET, pages={"/healthz": lambda: health_page(app.is_healthy())})
    stop, port = asyncio.Event(), asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(serve_http(receiver, 0, stop, host="127.0.0.1", ready=port.set_result))
    try:
        yield LocalServer(app, await port)
    finally:
        stop.set()
        await serving
        await app.close(5)


class PayloadGenerator:
    """Random payloads from a seed, also with buttons and views that the bot has posted."""

    def __init__(self, seed: int, asks: list[str]) -> None:
        self.rng, self.texts = random.Random(seed), questions(asks, seed)
        self.elements: list[dict[str, Any]] = []
        self.views: list[dict[str, Any]] = []
        self.sent = 0

    def keep_elements(self, request: Request) -> None:
        """Keep the buttons and the view of a request to Slack."""
        for element in _elements(json.loads(json.dumps(request.args))):
            self._keep(self.elements, element)
        if isinstance(view := request.args.get("view"), dict):
            self._keep(self.views, view)

    def _keep(self, kept: list[dict[str, Any]], item: dict[str, Any]) -> None:
        """Keep an item; from MAX_KEPT on in place of a random one."""
        if len(kept) < MAX_KEPT:
            kept.append(item)
        else:
            kept[self.rng.randrange(MAX_KEPT)] = item

    def payload(self) -> tuple[bytes, str, dict[str, str]]:
        """Body, content type, and changes of the request; see `_with_changes`."""
        while True:
            self.sent += 1
            with suppress(RecursionError):  # now and then one comes out deeper than Python can write
                raw, kind = self._body()
                return self._damaged(raw), kind, self._changes(raw)

    def _body(self) -> tuple[bytes, str]:
        make = self.rng.choice((self._event, self._event, self._command, self._press, self._press, self._submission))
        body, kind = make()
        body = deepcopy(body)  # kept buttons and views stay as they are
        for _ in range(self.rng.choice((0, 1, 1, 2, 5))):
            body = self._mutated(body)
        if kind == FORM and isinstance(body, dict) and "command" in body:
            return urlencode({str(key): _plain(value) for key, value in body.items()}, errors="replace").encode(), kind
        if kind == FORM:
            return urlencode({"payload": json.dumps(body)}).encode(), kind
        return json.dumps(body, ensure_ascii=self.rng.random() < 0.9).encode("utf-8", "surrogatepass"), kind

    # --- well-formed payloads

    def _event(self) -> tuple[Any, str]:
        kind = self.rng.choice(
            ("app_mention", "message", "message", "app_home_opened", "reaction_added", "channel_rename")
        )
        event = {
            "type": kind, "user": f"U{self.sent}", "channel": self.rng.choice((f"C{self.sent}", f"D{self.sent}")),
            "ts": f"{1_700_000_000 + self.sent}.000200", "text": self._text(), "tab": "home",
        }  # fmt: skip
        if kind == "message":
            event["channel_type"] = "im"
        body = {"type": "event_callback", "team_id": TEAM, "event_id": f"Ev{self.sent}", "event": event}
        return body | {"authorizations": [{"team_id": TEAM, "user_id": BOT, "is_bot": True}]}, JSON

    def _command(self) -> tuple[Any, str]:
        return {
            "command": "/askpy", "text": self._text(), "team_id": TEAM, "channel_id": "C1", "user_id": f"U{self.sent}",
            "trigger_id": f"{self.sent}.1", "response_url": "http://127.0.0.1:9/hook/1",
        }, FORM  # fmt: skip

    def _press(self) -> tuple[Any, str]:
        name = self.rng.choice([*ACTIONS, "no_such_action"])
        shown = {"type": "button", "action_id": self.rng.choice((name, f"{name}:1")), "value": self._text()}
        if self.elements and self.rng.random() < 0.7:
            shown = dict(self.rng.choice(self.elements))
        body = self._interaction("block_actions") | {
            "actions": [shown | {"block_id": "b", "action_ts": f"{self.sent}.2"}]
        }
        if self.views and self.rng.random() < 0.3:
            view = self.rng.choice(self.views) | {"id": f"V{self.sent}"}
            return body | {"view": view, "container": {"type": "view", "view_id": f"V{self.sent}"}}, FORM
        message = {"type": "message", "ts": f"{self.sent}.3", "user": BOT, "is_ephemeral": self.rng.random() < 0.3}
        where = {"type": "message", "message_ts": f"{self.sent}.3", "channel_id": "C1"}
        body |= {"message": message, "container": where, "channel": {"id": "C1"}}
        return body | {"response_url": "http://127.0.0.1:9/hook/2"}, FORM

    def _submission(self) -> tuple[Any, str]:
        kind = self.rng.choice(
            ("view_submission", "view_submission", "view_closed", "message_action", "block_suggestion")
        )
        if kind == "message_action":
            more: dict[str, Any] = {"callback_id": "ask_message", "message": {"text": self._text(), "ts": "1.2"}}
            return self._interaction(kind) | more | {
                "channel": {"id": "C1"},
                "response_url": "http://127.0.0.1:9/hook/3",
            }, FORM
        is_kept = bool(self.views) and self.rng.random() < 0.6
        view: dict[str, Any] = self.rng.choice(self.views) if is_kept else {"type": "modal", "blocks": []}
        defaults = {"callback_id": self.rng.choice(CALLBACKS), "private_metadata": self._text()}
        view = {**defaults, **view, "id": f"V{self.sent}"}
        inputs = {f"block{n}": {f"action{n}": {"type": "plain_text_input", "value": self._text()}} for n in range(3)}
        view["state"] = {"values": inputs}
        return self._interaction(kind) | {"view": view, "action_id": "x", "block_id": "b", "value": self._text()}, FORM

    def _interaction(self, kind: str) -> dict[str, Any]:
        team = {"id": TEAM, "domain": "d"}
        return {
            "type": kind,
            "team": team,
            "user": {"id": f"U{self.sent}", "team_id": TEAM},
            "trigger_id": f"{self.sent}.4",
        }

    def _text(self) -> str:
        return next(self.texts)

    # --- damage

    def _mutated(self, body: Any) -> Any:
        """The body with one value, anywhere in it, removed, added or replaced."""
        places = list(_positions(body))
        if not places:
            return self._random_value()
        container, key = self.rng.choice(places)
        match self.rng.randrange(4):
            case 0 if isinstance(container, dict):
                del container[key]
            case 1 if isinstance(container, dict):
                container[rubbish(self.rng, 8)] = self._random_value()
            case _:
                container[key] = self._random_value()
        return body

    def _random_value(self) -> Any:
        match self.rng.randrange(12):
            case 0:
                return None
            case 1:
                return self.rng.choice((True, False))
            case 2:
                return self.rng.choice((0, -1, 10**30, 1.5e300, 2**53))
            case 3:
                return ""
            case 4:
                return [self._random_value() for _ in range(self.rng.randrange(3))]
            case 5:
                return {rubbish(self.rng, 8): self._random_value() for _ in range(self.rng.randrange(3))}
            case 6:
                return "x" * self.rng.choice((100, 5_000, 50_000))
            case 7:
                return self.rng.choice(
                    (TEAM, BOT, "USLACKBOT", "im", "modal", "home", "event_callback", "view_submission")
                )
            case 8:
                deep: Any = "x"
                for _ in range(self.rng.choice((5, 50, 500))):
                    deep = {"a": deep} if self.rng.random() < 0.5 else [deep]
                return deep
            case _:
                return rubbish(self.rng, 30)

    def _damaged(self, raw: bytes) -> bytes:
        if self.rng.random() > 0.15 or not raw:
            return raw
        position = self.rng.randrange(len(raw))
        match self.rng.randrange(4):
            case 0:
                return raw[:position]
            case 1:
                return raw[:position] + bytes([self.rng.randrange(256)]) + raw[position + 1 :]
            case 2:
                return raw[:position] + self.rng.randbytes(4) + raw[position:]
            case _:
                return raw[:position] + raw[position : position + 20] + raw[position:]

    def _changes(self, raw: bytes) -> dict[str, str]:
        if self.rng.random() > 0.1:
            return {}
        name, values = self.rng.choice((
            ("Content-Type", ("", "text/plain", "application/json; charset=latin-1", rubbish(self.rng, 8))),
            ("Content-Length", ("", "-1", "1e3", str(10**12), str(len(raw) // 2))),
            ("X-Slack-Request-Timestamp", ("", "x", "-5", "0", "9" * 14, "9" * 40)),
            ("X-Slack-Signature", ("", "v0=", "v0=" + "0" * 64, rubbish(self.rng, 20))),
            ("X-Slack-Retry-Num", ("1", "x")),
            (":path", ("/", "/healthz", "/metrics", "/slack/events/", rubbish(self.rng, 8))),
            (":method", ("GET", "PUT", "HEAD", "BREW")),
            (":query", ("a=b", "%", rubbish(self.rng, 20))),
        ))  # fmt: skip
        return {name: self.rng.choice(values)}


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _positions(node: Any) -> Iterator[tuple[Any, Any]]:
    """Every container in it with each of its keys or indices."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield node, key
            yield from _positions(value)
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield node, index
            yield from _positions(value)


def _elements(node: Any) -> Iterator[dict[str, Any]]:
    """Every element that can be used, as it stands in a payload."""
    if isinstance(node, dict):
        if "action_id" in node and ("value" in node or "options" in node):
            value = {"value": node["value"]} if "value" in node else {"selected_option": node["options"][0]}
            yield {"type": node.get("type", "button"), "action_id": node["action_id"]} | value
        node = list(node.values())
    if isinstance(node, list):
        for child in node:
            yield from _elements(child)


# --- the command


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--payloads", type=int, default=25_000, help="on each database (25000)")
    parser.add_argument("--questions", type=int, default=50_000)
    parser.add_argument("--databases", nargs="+", default=DATABASES, choices=DATABASES)
    parser.add_argument("--seed", type=int, default=4)
    options = parser.parse_args()
    print("python -m benchmarks.load.fuzz", *sys.argv[1:])
    print(load_average(), flush=True)
    watcher, faults = LogWatcher(), list[str]()
    logging.getLogger().addHandler(watcher)
    with tempfile.TemporaryDirectory(prefix="askpy-fuzz-") as folder:
        cache = Path(os.environ.get("ASKPY_CACHE") or Path(folder) / "cache")
        engine = Engine(PackReloader(ROOT / "knowledge", cache))
        for number, kind in enumerate(options.databases):
            with empty_database(kind, Path(folder)) as url:
                print(f"{kind}: ", end="", flush=True)
                faults += asyncio.run(_fuzz_payloads(engine, url, options.payloads, options.seed + number, watcher))
        faults += fuzz_questions(engine, options.questions, options.seed)
    logged = {line: times for line, times in watcher.count.items() if not EXPECTED_LINES.search(line)}
    for line, times in list(logged.items())[:5]:
        print(f"logged {times} times: {line}\n  first with {watcher.first[line]}")
    for fault in faults[:5]:
        print(fault)
    print(f"{len(faults)} faults, {sum(logged.values())} unexpected lines in the log")
    return int(bool(faults or logged))


async def _fuzz_payloads(engine: Engine, url: str, total: int, seed: int, watcher: LogWatcher) -> list[str]:
    """Deliver `total` payloads; the faults."""
    store, generator, rng = Store(url), PayloadGenerator(seed, phrasings()), random.Random(seed)
    posted: Counter[str] = Counter()

    def deliver(request: Request) -> AttemptResult:
        generator.keep_elements(request)
        posted[request.method or "response_url"] += 1
        return rng.choice(OUTCOMES)

    async with open_server(engine, store, deliver) as server:
        faults = await _deliver_payloads(server, generator, total, watcher)
    store.close()
    print("posted:", ", ".join(f"{method} {times:,}" for method, times in posted.most_common()), flush=True)
    return faults


async def _deliver_payloads(
    server: LocalServer, generator: PayloadGenerator, total: int, watcher: LogWatcher
) -> list[str]:
    started, statuses, faults = time.monotonic(), Counter[int](), list[str]()
    for number in range(total):
        raw, kind, changed = generator.payload()
        watcher.sent = f"payload {number}: {changed} {raw[:1000]!r}"
        try:
            status = await server.post(raw, kind, changed)
        except Exception as error:
            faults.append(f"{type(error).__name__}: {error}; {watcher.sent}")
            continue
        statuses[status] += 1
        if status >= 500 or not status:
            faults.append(f"status {status}; {watcher.sent}")
    context, seconds = server.app.context, time.monotonic() - started
    if context.admission.open or context.interactions.open or len(context.outbox):
        faults.append(
            f"left open: {context.admission.open} messages, {context.interactions.open} presses, {len(context.outbox)} posts"
        )
    counts = ", ".join(f"{status}: {times:,}" for status, times in sorted(statuses.items()))
    print(
        f"{total:,} payloads in {seconds:.0f} s ({total / max(seconds, 0.001):.0f} a second), answered {counts}",
        flush=True,
    )
    return faults


def fuzz_questions(engine: Engine, total: int, seed: int) -> list[str]:
    """Ask the engine `total` questions and render every reply in every layout; the faults. Conversations have three questions."""
    started, kinds, faults = time.monotonic(), Counter[str](), list[str]()
    state: ConversationState | None = None
    for number, text in enumerate(islice(questions(phrasings(), seed + 1), total)):
        question = Question(text, "dm", f"conversation {number // 3}", TEAM)
        state = state if number % 3 else None
        try:
            reply, state = engine.answer_turn(question, state)
            for shown in (reply, engine.explain(question)) if number % 10 == 0 else (reply,):
                plain_text(shown)
                for layout in get_args(Layout):
                    json.dumps(render_blocks(shown, layout))
        except Exception as error:
            faults.append(f"question {number}: {type(error).__name__}: {error}; {text[:500]!r}")
            continue
        kinds[reply.kind] += 1
        if not reply.parts:
            faults.append(f"question {number}: an empty reply; {text[:500]!r}")
    seconds = time.monotonic() - started
    counts = ", ".join(f"{kind} {times:,}" for kind, times in kinds.most_common())
    print(f"{total:,} questions in {seconds:.0f} s ({total / max(seconds, 0.001):.0f} a second): {counts}", flush=True)
    return faults


if __name__ == "__main__":
    raise SystemExit(main())
