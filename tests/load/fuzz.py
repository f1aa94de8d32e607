"""Fuzz: payloads that Slack could never send, through the real front, and questions that nobody would ask, through the desk.

Run by `make fire`. All of it follows from the seed. What the bot posts is looked through for buttons, and those are pressed.
A status of 500 or more, an exception, or a line in the log that isn't about what was sent wrongly, is a failure.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, get_args
from urllib.parse import urlencode

sys.path.insert(0, str(Path(__file__).parent))

from inside import BOT, FORM, JSON, ROOT, TEAM, Inside, questions, rubbish

from bot.model import Question
from bot.reply import plain
from bot.slack.blocks import Layout, draw
from bot.slack.post import Again, Lost, Outcome, Refused, Request, Sent

ACTIONS = re.findall(r'\baction\("(\w+)"', (ROOT / "bot" / "slack" / "listeners.py").read_text(encoding="utf-8"))
CALLBACKS = ["search", "answer", "ask_message", "no_such_thing"]
OUTCOMES: tuple[Outcome, ...] = (*[Sent()] * 12, Refused("channel_not_found"), Lost("TimeoutError"), Again("HTTP 503"))
OURS = re.compile(r"refused by Slack|given up after|no word whether it arrived|again in")
"""Lines that are about a Slack that doesn't take a post, which the fuzz plays as well."""
MOST_HELD = 500
"""Buttons and views that are remembered to be pressed."""


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
            ("CONTENT_TYPE", ("", "text/plain", "application/json; charset=latin-1", rubbish(self.dice, 8))),
            ("CONTENT_LENGTH", ("", "-1", "1e3", str(10**12), str(len(raw) // 2))),
            ("HTTP_X_SLACK_REQUEST_TIMESTAMP", ("", "x", "-5", "0", "9" * 14, "9" * 40)),
            ("HTTP_X_SLACK_SIGNATURE", ("", "v0=", "v0=" + "0" * 64, rubbish(self.dice, 20))),
            ("HTTP_X_SLACK_RETRY_NUM", ("1", "x")),
            ("PATH_INFO", ("/", "/healthz", "/metrics", "/slack/events/", rubbish(self.dice, 8))),
            ("REQUEST_METHOD", ("GET", "PUT", "HEAD", "BREW")),
            ("QUERY_STRING", ("a=b", "%", rubbish(self.dice, 20))),
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
    parser.add_argument("--payloads", type=int, default=50_000)
    parser.add_argument("--questions", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=4)
    options = parser.parse_args()
    print("python", *sys.argv, flush=True)
    with tempfile.TemporaryDirectory(prefix="askpy-fuzz-") as folder:
        dice = random.Random(options.seed)
        posted: Counter[str] = Counter()

        def deliver(request: Request) -> Outcome:
            people.saw(request)
            posted[request.method or "response_url"] += 1
            return dice.choice(OUTCOMES)

        inside = Inside(Path(folder), deliver)
        people = People(options.seed, inside.asks)
        faults = payloads(inside, people, options.payloads) + asked(inside, options.questions, options.seed)
        inside.store.close()
    print("posted:", ", ".join(f"{method} {times:,}" for method, times in posted.most_common()))
    logged = {told: times for told, times in inside.complaints.count.items() if not OURS.search(told)}
    for told, times in list(logged.items())[:5]:
        print(f"logged {times} times: {told}")
    for fault in faults[:5]:
        print(fault)
    print(f"{len(faults)} faults, {sum(logged.values())} complaints in the log")
    return int(bool(faults or logged))


def payloads(inside: Inside, people: People, many: int) -> list[str]:
    """Send them; the faults."""
    began, statuses, faults = time.monotonic(), Counter[int](), list[str]()
    for number in range(many):
        raw, kind, over = people.payload()
        try:
            status = inside.post(raw, **{"CONTENT_TYPE": kind} | over)
        except Exception as error:
            faults.append(f"payload {number}: {type(error).__name__}: {error}; {over} {raw[:500]!r}")
            continue
        statuses[status] += 1
        if status >= 500:
            faults.append(f"payload {number}: {status}; {over} {raw[:500]!r}")
    took = time.monotonic() - began
    told = ", ".join(f"{status}: {times:,}" for status, times in sorted(statuses.items()))
    print(f"{many:,} payloads in {took:.0f} s ({many / max(took, 0.001):.0f} a second), answered {told}", flush=True)
    return faults


def asked(inside: Inside, many: int, seed: int) -> list[str]:
    """Ask the desk, and draw every reply in every way there is; the faults."""
    began, kinds, faults = time.monotonic(), Counter[str](), list[str]()
    for number, text in enumerate(islice(questions(inside.asks, seed + 1), many)):
        question = Question(text, "dm", f"conversation {number // 3}", TEAM)
        try:
            reply = inside.desk.ask(question)
            for told in (reply, inside.desk.why(question)) if number % 10 == 0 else (reply,):
                plain(told)
                for layout in get_args(Layout):
                    json.dumps(draw(told, layout))
        except Exception as error:
            faults.append(f"question {number}: {type(error).__name__}: {error}; {text[:500]!r}")
            continue
        kinds[reply.kind] += 1
        if not reply.parts:
            faults.append(f"question {number}: an empty reply; {text[:500]!r}")
    took = time.monotonic() - began
    told = ", ".join(f"{kind} {times:,}" for kind, times in kinds.most_common())
    print(f"{many:,} questions in {took:.0f} s ({many / max(took, 0.001):.0f} a second): {told}", flush=True)
    return faults


if __name__ == "__main__":
    raise SystemExit(main())
