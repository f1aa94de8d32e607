"""A walk: everything that can be pressed is pressed, wherever it is shown, twice, and also after a restart."""

from __future__ import annotations

import json
import logging
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest

from bot.curation.preview import Moved
from bot.engine import Engine
from bot.model import Complaint, Knowledge
from bot.slack.payloads import FeedbackValue
from support.block_lint import faults, view_faults
from support.curation_samples import NOW
from support.curation_store import CurationStore, SamplePreviewer, SampleReloader, full_store
from support.shipped import matcher
from support.slack_app import Door, MakeDoor
from support.slack_samples import SampleStore
from support.slack_stub import Call, Stub

Json = dict[str, Any]

MOST_PRESSES = 350
"""Enough for each kind of thing in each place, the rarest first; the rest would be more of the same."""
ACKNOWLEDGED = 3.0


@dataclass(frozen=True)
class Surface:
    """Something with buttons, and what a payload says about where it is."""

    kind: str
    blocks: list[Json] = field(hash=False)
    where: Json = field(hash=False)


@dataclass
class Walk:
    """What has been pressed, and what is still to be pressed."""

    stub: Stub
    start: Callable[[], Door]
    order: random.Random
    waiting: list[tuple[Surface, Json, str]] = field(default_factory=list)
    known: set[tuple[str, ...]] = field(default_factory=set)
    presses: Counter[tuple[str, str]] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.door = self.start()

    @property
    def pressed(self) -> int:
        return self.presses.total()

    def next(self) -> tuple[Surface, Json, str]:
        """What has been pressed least of its kind in its place."""
        rarest = min(self.waiting, key=lambda each: self.presses[each[0].kind, _kind(each[1])])
        self.waiting.remove(rarest)
        return rarest

    def restart(self) -> None:
        """Another process takes over: the database is the same, and nothing else is."""
        self.door = self.start()

    def do(self, name: str, work: Any) -> None:
        """Something that a person does; all that appears is looked at."""
        before, started = len(self.stub.calls), time.monotonic()
        self.door.answers["last"] = ""
        assert work() == 200, name
        assert time.monotonic() - started < ACKNOWLEDGED, name
        self.door.settle()
        answered = json.loads(self.door.answers["last"]) if self.door.answers["last"].startswith("{") else {}
        calls = self.stub.calls[before:]
        assert calls or answered or name.startswith("link"), f"{name}: nothing happened"
        for call in calls:
            self.look(surface_of(call))
        if "view" in answered:
            self.look(view_surface(answered["view"]))

    def look(self, surface: Surface) -> None:
        """Check what has appeared, and put its buttons in the queue."""
        view = surface.where.get("view")
        assert (view_faults(view) if view else faults(surface.blocks) if surface.blocks else []) == []
        fresh = [
            (surface, action, value)
            for action, value in actions(surface.blocks)
            if self.new((surface.kind, _kind(action), _name(action, value)))
        ]
        self.order.shuffle(fresh)
        self.waiting.extend(fresh)

    def new(self, name: tuple[str, ...]) -> bool:
        known = name in self.known
        self.known.add(name)
        return not known

    def press(self, surface: Surface, action: Json, value: str) -> None:
        said = {"action_id": action["action_id"], "type": action["type"], "block_id": "b", "action_ts": self.door.ts()}
        if action["type"] == "static_select":
            said["selected_option"] = {"value": value}
        elif action["type"] == "conversations_select":
            said["selected_conversation"] = value
        else:
            said["value"] = value
        body = {"type": "block_actions", "actions": [said]} | surface.where
        self.do(f"{action['action_id']} in {surface.kind}: {value!r}", lambda: self.door.interact(**body))
        self.presses[surface.kind, _kind(action)] += 1


def _kind(action: Json) -> str:
    return str(action["action_id"]).split(":")[0]


def _name(action: Json, value: str) -> str:
    """What makes a button another one: its question; of a vote what it says, of the rest what kind it is about."""
    feedback = FeedbackValue.from_value(value)
    if feedback is not None:
        return f"{feedback.vote} {feedback.reason} {feedback.answer_ref.partition('|')[0]}"
    return value.partition("|")[0] if action["action_id"] in ("why", "share", "reply", "back") else value


def actions(node: Any) -> Iterator[tuple[Json, str]]:
    """Everything that can be pressed, with the value that it sends."""
    if isinstance(node, list):
        for item in node:
            yield from actions(item)
    elif isinstance(node, dict):
        match node.get("type"):
            case "button":
                yield node, node.get("value", "")
            case "feedback_buttons":
                yield node, node["positive_button"]["value"]
                yield node, node["negative_button"]["value"]
            case "static_select":
                yield from ((node, option["value"]) for option in node["options"])
            case "conversations_select":
                yield node, "C9"
            case "input":
                return
            case _:
                for value in node.values():
                    yield from actions(value)


def surface_of(call: Call) -> Surface:
    """What a call of the bot's makes appear, and where."""
    args = call.args
    if "view" in args:
        return view_surface(args["view"])
    channel, thread = args.get("channel", "C1"), args.get("thread_ts", "")
    private = call.method == "chat.postEphemeral" or args.get("response_type") == "ephemeral"
    kind = ("private" if private else "dm" if channel.startswith("D") else "channel") + (" thread" if thread else "")
    container = {"type": "message", "message_ts": "9.1", "channel_id": channel, "is_ephemeral": private}
    where: Json = {"container": container, "channel": {"id": channel}, "response_url": "URL"}
    if not private:
        where["message"] = {"ts": "9.1"} | ({"thread_ts": thread} if thread else {})
    return Surface(kind, args.get("blocks", []), where)


def view_surface(view: Json) -> Surface:
    shown = view | {"id": "V1"}
    kind = f"{view['type']} {view.get('callback_id', '')}" + (" on a message" if '"C1"' in str(view) else "")
    return Surface(kind, view["blocks"], {"container": {"type": "view", "view_id": "V1"}, "view": shown})


class CuratedEngine(Engine):
    """The real engine, whose pack has the curators' changes where it is shown."""

    def __init__(self, reloader: SampleReloader) -> None:
        super().__init__(matcher())
        self._reloader = reloader

    def knowledge_of(self, workspace: str) -> Knowledge:
        return self._reloader.knowledge(workspace)


def start_bot(make_door: MakeDoor, stub: Stub, store: SampleStore) -> Door:
    """The whole bot with the shipped pack; over a store that curators work with, U1 is one."""
    engine, options = Engine(matcher()), dict[str, Any]()
    if isinstance(store, CurationStore):
        reloader = SampleReloader(store, base=engine.knowledge)
        previewer = SamplePreviewer(store, moved=(Moved("what is x", "Flask", ""),))
        engine = CuratedEngine(reloader)
        options = {"curators": ("U1",), "reloader": reloader, "preview_factory": previewer, "ack_delay": 0.0}
    lines = engine.knowledge.voice.lines
    return make_door(stub, layout="cards", engine=engine, store=store, lines=lines, **options)


QUESTIONS = (
    "What is Celery?", "flask vs django", "list backend", "I want to build a dashboard", "roadmap", "What is step 4?",
    "is python frontend or backend", "flask or streamlit?", "What is NumPy?", "how tall is mount everest?", "help", "hi",
)  # fmt: skip


def test_everything_can_be_pressed(make_door: MakeDoor, stub: Stub, caplog: pytest.LogCaptureFixture) -> None:
    walk = Walk(stub, partial(start_bot, make_door, stub, SampleStore()), random.Random(3))
    for text in QUESTIONS:
        walk.do(text, lambda: walk.door.mention(text))  # noqa: B023  it is called at once
        walk.do(text, lambda: walk.door.dm(text))  # noqa: B023
        walk.do(text, lambda: walk.door.command(text))  # noqa: B023
        message = {"text": text, "ts": "1.1", "user": "U2"}
        asked = {"type": "message_action", "callback_id": "ask_message", "message": message, "channel": {"id": "C1"}}
        walk.do(text, lambda: walk.door.interact(**asked))  # noqa: B023
    opened = {"type": "app_home_opened", "user": "U1", "tab": "home"}
    walk.do("home", lambda: walk.door.json({"type": "event_callback", "event": opened}))
    while walk.waiting and walk.pressed < MOST_PRESSES:
        surface, action, value = walk.next()
        where = surface.where | ({"response_url": stub.hook()} if "response_url" in surface.where else {})
        here = Surface(surface.kind, surface.blocks, where)
        walk.press(here, action, value)
        if walk.pressed == 100:
            walk.restart()
        if walk.pressed % 3 == 0:
            walk.press(here, action, value)
        if action["action_id"] == "search":
            for words in ("flsk", "how tall is mount everest?", "and django"):
                walk.do(f"searching {words}", lambda: submit(walk.door, words))  # noqa: B023
    pressed = set(walk.presses)
    assert pressed == {(kind, action) for kind, action, _ in walk.known}
    assert {kind for kind, _ in pressed} >= {
        "channel thread", "dm", "private", "private thread", "home ", "modal answer", "modal search",
    }  # fmt: skip
    assert {action for _, action in pressed} == {
        "ask", "why", "tell", "none", "vote", "share", "reply", "search", "back", "go",
    }  # fmt: skip
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == []


def submit(door: Door, words: str) -> int:
    view: Json = door.stub.of("views.open")[-1]["view"]
    state = {"values": {view["blocks"][0]["block_id"]: {"words": {"type": "plain_text_input", "value": words}}}}
    return door.interact(type="view_submission", view=view | {"id": "V1", "state": state})


CURATORS_OWN = {"go", "means", "write", "not_ours", "ignore", "still_right", "undo", "public", "trial"}


def test_everything_that_curators_see_can_be_pressed(
    make_door: MakeDoor, stub: Stub, caplog: pytest.LogCaptureFixture
) -> None:
    """Also what is no longer there by the time it is pressed; each modal that opens is filled in, and submitted twice."""
    store = full_store()
    store.votes.bad.append(Complaint("library||flask", "outdated", 1, NOW))
    walk = Walk(stub, partial(start_bot, make_door, stub, store), random.Random(5))
    opened = {"type": "app_home_opened", "user": "U1", "tab": "home"}
    walk.do("home", lambda: walk.door.json({"type": "event_callback", "team_id": "T0TEAM", "event": opened}))
    while walk.waiting:
        surface, action, value = walk.next()
        if _kind(action) not in CURATORS_OWN:
            continue  # the other walk has been there
        before = len(stub.of("views.open"))
        walk.press(surface, action, value)
        for args in stub.of("views.open")[before:]:
            if args["view"]["callback_id"] in ("means", "write"):
                walk.do("submitted", lambda: fill_in(walk.door, args["view"]))  # noqa: B023
                after = stub.of("views.update")[-1]["view"]
                form = (
                    after if after["callback_id"] == "write" else args["view"]
                )  # what a phrasing means is saved at once
                for _ in range(2):
                    walk.do("submitted again", lambda: fill_in(walk.door, form))  # noqa: B023
        if walk.pressed == 60:
            walk.restart()
    assert {action for _, action in walk.presses} == CURATORS_OWN
    assert store.changes.number > 8
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == []


def fill_in(door: Door, view: Json) -> int:
    """Submit a form with what it begins with, and some words where it begins with nothing."""
    values = {}
    for block in view["blocks"]:
        if block["type"] == "input":
            element = block["element"]
            held: Json = {"value": element.get("initial_value", "some words of a curator")}
            if "select" in element["type"]:
                held = {"selected_option": element.get("initial_option", {"value": "flask"})}
            elif element["type"] == "checkboxes":
                held = {"selected_options": element.get("initial_options", [])}
            values[block["block_id"]] = {element["action_id"]: held | {"type": element["type"]}}
    return door.interact(type="view_submission", view=view | {"id": "V1", "state": {"values": values}})
