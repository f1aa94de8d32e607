"""From a missed question to a pull request: real processes of the bot, a real PostgreSQL, and a pack under git."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from support import postgres
from support.local_slack import ROOT, Process, fetch, free_port, wait_until
from support.slack_stub import TEAM, Stub

Json = dict[str, Any]
SECRET = "0123456789abcdef0123456789abcdef"
CURATOR, ASKER = "U0CURATOR", "U0ASKER"
DOG, PLANTS = "may the dog sit under my table", "who waters the plants"
CARETAKER = "The caretaker: **every** Friday.\nBring this:\n\n```\nkeys   __two__\n```"
SAYS = "The caretaker: every Friday.\nBring this:\n\nkeys   __two__"
"""What CARETAKER says as plain text, in Slack and from the pack's file."""


class Member:
    """One process of the bot over HTTP, and what people do to it."""

    def __init__(self, stub: Stub, folder: Path, name: str, **settings: str) -> None:
        self.stub, self.port, self._ticks = stub, free_port(), count(1)
        self._name = name
        command: list[str | Path] = [sys.executable, "-m", "bot", "serve", "--http"]
        settings |= {"SLACK_API_URL": stub.url, "SLACK_BOT_TOKEN": "xoxb-1", "SLACK_SIGNING_SECRET": SECRET}
        settings |= {"PYTHONPATH": str(ROOT), "PORT": str(self.port), "ASKPY_CURATORS": CURATOR}
        self.process = Process(command, folder / f"{name}.log", folder, **settings)

    def await_ready(self) -> None:
        self.process.wait_for(lambda: fetch(f"http://127.0.0.1:{self.port}/healthz")[0] == 200, "healthz", 60)

    def ask(self, text: str) -> str:
        """A direct message's answer."""
        before = len(self.stub.of("chat.postMessage"))
        channel = f"D{self._name}{next(self._ticks)}"
        event = {
            "type": "message",
            "channel_type": "im",
            "channel": channel,
            "user": ASKER,
            "ts": self._ts(),
            "text": text,
        }
        body = {"type": "event_callback", "team_id": TEAM, "event_id": "Ev", "event": event}
        assert self._send(json.dumps(body).encode(), "application/json")[0] == 200
        return str(self.stub.wait("chat.postMessage", before + 1, 20)[-1]["text"])

    def page(self, name: str, until: str) -> Json:
        """A page of the curator's Home tab, once it says `until`: misses are written down after their answers."""

        def shown() -> Json | None:
            found = self.press("go:1", name, {"id": "V0", "type": "home", "blocks": []}, "views.publish")
            return found if until in json.dumps(found, ensure_ascii=False) else None

        return wait_until(shown, f"a page that says {until!r}", 30)

    def press(self, action: str, value: str, view: Json, shows: str) -> Json:
        """Press a button of a view; the view that it shows, by which method."""
        before = len(self.stub.of(shows))
        pressed = {"action_id": action, "block_id": "b", "type": "button", "value": value, "action_ts": self._ts()}
        body = {"type": "block_actions", "actions": [pressed], "view": view | {"id": "V1"}}
        self._interact(body | {"container": {"type": "view", "view_id": "V1"}})
        found: Json = self.stub.wait(shows, before + 1, 30)[-1]["view"]
        return found

    def submit(self, view: Json, until: str, **filled: str) -> Json:
        """Submit a modal with what it begins with, `filled` apart; the view that says `until`."""
        values: Json = {}
        for block in view["blocks"]:
            if block["type"] == "input":
                element = block["element"]
                values[block["block_id"]] = {element["action_id"]: _state(element, filled.get(element["action_id"]))}
        before = len(self.stub.of("views.update"))
        body = {"type": "view_submission", "view": view | {"id": "V1", "state": {"values": values}}}
        acknowledged = json.loads(self._interact(body) or b"{}")

        def shown() -> Json | None:
            later = [args["view"] for args in self.stub.of("views.update")[before:]]
            found = [each for each in [acknowledged.get("view"), *later] if each and until in json.dumps(each)]
            return found[-1] if found else None

        return wait_until(shown, f"a view that says {until!r}", 60)

    def _interact(self, body: Json) -> bytes:
        body = {"team": {"id": TEAM}, "user": {"id": CURATOR, "team_id": TEAM}, "trigger_id": "1.2"} | body
        status, answer = self._send(
            urlencode({"payload": json.dumps(body)}).encode(), "application/x-www-form-urlencoded"
        )
        assert status == 200
        return answer

    def _send(self, raw: bytes, kind: str) -> tuple[int, bytes]:
        stamp = str(int(time.time()))
        digest = hmac.new(SECRET.encode(), f"v0:{stamp}:".encode() + raw, hashlib.sha256).hexdigest()
        headers = {"Content-Type": kind, "X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={digest}"}
        return fetch(f"http://127.0.0.1:{self.port}/slack/events", raw, headers)

    def _ts(self) -> str:
        return f"{time.time():.6f}"


def _state(element: Json, given: str | None) -> Json:
    match element["type"]:
        case "plain_text_input":
            return {"type": "plain_text_input", "value": element.get("initial_value") if given is None else given}
        case "checkboxes":
            return {"type": "checkboxes", "selected_options": element.get("initial_options", [])}
    return {
        "type": element["type"],
        "selected_option": element.get("initial_option") if given is None else {"value": given},
    }


def button(view: Json, name: str, beside: str) -> tuple[str, str]:
    """The action and value of the button called `name` that is nearest below (or beside) a text."""
    seen = False
    for block in view["blocks"]:
        seen = seen or beside in json.dumps(block, ensure_ascii=False)
        for each in [*block.get("elements", []), block.get("accessory", {})]:
            if seen and str(each.get("action_id", "")).partition(":")[0] == name:
                return each["action_id"], each["value"]
    raise AssertionError(f"no button {name} by {beside!r}")


@pytest.fixture
def stub() -> Iterator[Stub]:
    found = Stub()
    yield found
    found.close()


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    """A copy of the handbook in a repository of its own."""
    shutil.copytree(ROOT / "tests" / "packs" / "handbook", tmp_path / "repo" / "knowledge")
    _git(tmp_path / "repo", "init", "-q")
    _git(tmp_path / "repo", "add", "-A")
    _git(tmp_path / "repo", "-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-qm", "the pack")
    return tmp_path / "repo" / "knowledge"


def _git(folder: Path, *command: str) -> str:
    done = subprocess.run(["git", *command], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout


def _bot(pack: Path, *command: str, **settings: str) -> str:
    environment = {"PATH": os.environ["PATH"], "HOME": str(pack.parent), "PYTHONPATH": str(ROOT)} | settings
    done = subprocess.run(
        [sys.executable, "-m", "bot", *command],
        cwd=pack.parent,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_from_a_missed_question_to_a_pull_request(stub: Stub, pack: Path, tmp_path: Path) -> None:
    with postgres.running() as url, ExitStack() as stack:
        settings = {"DATABASE_URL": url, "ASKPY_KNOWLEDGE": str(pack), "ASKPY_CACHE": str(tmp_path / "cache")}
        one, other = (Member(stub, tmp_path, name, **settings) for name in ("one", "other"))
        for member in (one, other):
            stack.callback(member.process.stop)
            member.await_ready()

        # Missed, by somebody in one process and by somebody in the other.
        missed = other.ask(PLANTS)
        assert [one.ask(DOG), one.ask(PLANTS)] == [missed, missed]

        # A curator says what the first one means, and writes an answer to the second.
        home = one.page("misses", DOG)
        modal = one.press(*button(home, "means", DOG), home, "views.open")
        one.submit(modal, "Saved", entry="home-office")
        home = one.page("misses", PLANTS)
        modal = one.press(*button(home, "write", PLANTS), home, "views.open")
        checked = one.submit(modal, "8 phrasings or more", title="Who waters the plants?", answer=CARETAKER)
        one.submit(checked, "Saved")

        # Both answer at once.
        assert SAYS in one.ask(PLANTS)
        assert SAYS in other.ask(PLANTS)
        assert other.ask(DOG) == one.ask(DOG) != missed

        # The patch goes into the pack, and nothing is left of it.
        patch = _bot(pack, "export", **settings)
        (tmp_path / "edit.patch").write_text(patch, encoding="utf-8")
        _git(pack.parent, "apply", str(tmp_path / "edit.patch"))
        assert _git(pack.parent, "diff", "--numstat").split()[1] == "0", "lines were only added"
        assert _bot(pack, "export", **settings) == ""
        assert "no faults" in _bot(pack, "check", str(pack), **settings)

    alone = {"ASKPY_KNOWLEDGE": str(pack), "ASKPY_CACHE": str(tmp_path / "cache")}
    assert SAYS in json.loads(_bot(pack, "ask", "--json", PLANTS, **alone))["text"]
    assert json.loads(_bot(pack, "ask", "--json", DOG, **alone))["ids"] == ["home-office"]
    logs = "".join((tmp_path / f"{name}.log").read_text(encoding="utf-8") for name in ("one", "other"))
    assert "Traceback" not in logs
    assert [word for word in ("dog", "the plants", "caretaker", "xoxb") if word in logs] == []
