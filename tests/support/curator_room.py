"""Curators before the bot: what they see, press and submit."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from bot.curation.reloader import PackReloader
from bot.engine import Engine
from bot.store import Store
from support.block_lint import view_faults
from support.curation_store import CurationStore, SamplePreviewer, SampleReloader
from support.slack_app import Door, MakeDoor
from support.slack_stub import TEAM, Stub

Json = dict[str, Any]
CURATOR, OTHER, NOBODY = "U1", "U2", "U9"
PACK = Path(__file__).parents[1] / "packs" / "handbook"


@dataclass
class Room:
    """The bot, what its curators work with, and two curators before it."""

    stub: Stub
    door: Door
    store: CurationStore
    reloader: SampleReloader
    previewer: SamplePreviewer

    def open(self, user: str = CURATOR) -> Json:
        """What somebody sees who opens the Home tab."""
        self.door.event(type="app_home_opened", user=user, tab="home")
        return self.home()

    def home(self) -> Json:
        """The Home tab as it was published last."""
        view: Json = self.stub.of("views.publish")[-1]["view"]
        assert view_faults(view) == []
        return view

    def views(self, method: str) -> list[Json]:
        """All views of a method, each of them within Slack's limits."""
        found = [args["view"] for args in self.stub.of(method)]
        assert [fault for view in found for fault in view_faults(view)] == []
        return found

    def go(self, page: str, user: str = CURATOR) -> Json:
        self.press("go:1", page, self.open(user), user)
        return self.home()

    def press(self, action: str, value: str, view: Json, user: str = CURATOR, **more: Any) -> None:
        where = {"container": {"type": "view", "view_id": "V1"}, "view": view | {"id": "V1"}}
        assert self.door.press(action, value, user={"id": user, "team_id": TEAM}, **where, **more) == 200

    def submit(self, view: Json, user: str = CURATOR, **filled: Any) -> Json:
        """Submit a modal with what it begins with, `filled` apart; the acknowledgement, or what has come after it."""
        values = {}
        for block in view["blocks"]:
            if block["type"] == "input":
                name = block["element"]["action_id"]
                values[block["block_id"]] = {name: _state(block["element"], filled.get(name))}
        before = len(self.stub.of("views.update"))
        body = {"type": "view_submission", "view": view | {"id": "V1", "state": {"values": values}}}
        assert self.door.interact(**body, user={"id": user, "team_id": TEAM}) == 200
        answer: Json = json.loads(self.door.answers["last"])
        if answer["response_action"] == "errors":
            return answer
        assert view_faults(answer["view"]) == []
        later = self.views("views.update")[before:]
        return later[-1] if later else answer["view"]


def _state(element: Json, given: Any) -> Json:
    match element["type"]:
        case "plain_text_input":
            return {"type": "plain_text_input", "value": element.get("initial_value") if given is None else given}
        case "checkboxes":
            ticked = [each["value"] for each in element.get("initial_options", [])] if given is None else given
            return {"type": "checkboxes", "selected_options": [{"value": value} for value in ticked]}
    chosen = element.get("initial_option") if given is None else {"value": given}
    return {"type": element["type"], "selected_option": chosen}


MakeRoom = Callable[..., Room]


class Process(Room):
    """One of several processes: a store and a pack of its own, over the one database."""

    def __init__(self, stub: Stub, make_door: MakeDoor, url: str, **options: Any) -> None:
        seconds = count()  # each look at the clock is a second later, so that no revision is read from memory
        store = Store(url, monotonic=lambda: float(next(seconds)))
        assert store.prepare() == ""
        reloader = PackReloader(PACK, Path(os.environ["ASKPY_CACHE"]), store.changes, build_in_child=False)
        parts: dict[str, Any] = {
            "store": store,
            "engine": Engine(reloader),
            "reloader": reloader,
            "preview_factory": reloader.previewer,
        }
        door = make_door(stub, curators=(CURATOR, OTHER), ack_delay=0.0, **parts, **options)
        super().__init__(stub, door, store, reloader, None)  # type: ignore[arg-type]

    def told(self, question: str, channel: str = "C1", user: str = "U7") -> Json:
        """What somebody gets who mentions the bot."""
        before = len(self.stub.of("chat.postMessage"))
        self.door.mention(question, channel=channel, user=user)
        (post,) = self.stub.of("chat.postMessage")[before:]
        return post

    def found(self, question: str) -> tuple[str, ...]:
        """The entries that a question in the workspace is answered with."""
        self.reloader.refresh(TEAM)
        finding = self.reloader.matcher(TEAM).find(question)
        return finding.ids if finding.kind != "unknown" else ()

    def modal(self, action: str, user: str = CURATOR) -> Json:
        """What a button of the page of misses opens."""
        home = self.go("misses", user)
        self.press(action, value(home, action), home, user)
        return self.views("views.open")[-1]


def text(view: Json | list[Json]) -> str:
    """Everything that a view says."""
    return "\n".join("".join(_texts(block)) for block in (view["blocks"] if isinstance(view, dict) else view))


def _texts(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for each in node:
            yield from _texts(each)
    elif isinstance(node, dict):
        if "user_id" in node:
            yield f"<@{node['user_id']}>"
        if "channel_id" in node:
            yield f"<#{node['channel_id']}>"
        for key, value in node.items():
            if key == "text" and isinstance(value, str):
                yield value
            elif key not in ("placeholder", "options", "option_groups", "initial_options", "initial_option"):
                yield from _texts(value)


def buttons(view: Json) -> dict[str, Json]:
    """Everything that can be pressed, by action_id."""
    found = [each for block in view["blocks"] for each in [*block.get("elements", []), block.get("accessory", {})]]
    return {each["action_id"]: each for each in found if "action_id" in each}


def value(view: Json, action: str) -> str:
    return str(buttons(view)[action]["value"])
