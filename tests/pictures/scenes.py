"""What make pictures takes pictures of: real replies from the shipped pack, on every surface, as JSON for shoot.mjs.

Run from the root: python -m tests.pictures.scenes [NAME...], where a name stands for all that begin with it.
"""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal

from rich.console import Console
from rich.terminal_theme import TerminalTheme

from bot import terminal
from bot.desk import Desk
from bot.knowledge import load
from bot.match import Matcher
from bot.model import Question
from bot.settings import read_settings
from bot.slack.answering import Answering
from bot.slack.blocks import Layout
from bot.slack.chores import Chores, Nobody
from bot.slack.hear import Beside, Heard, Opened, Place, Posted, Pressed, Whispered
from bot.slack.journal import Journal
from bot.slack.post import Outbox, Request
from bot.slack.promises import Promises
from bot.slack.recording import Recorder
from bot.slack.values import Asked, Modal
from bot.slack.words import words_of
from tests.pictures import curators

Surface = Literal["channel", "command", "why", "modal", "search", "home", "curate", "terminal"]
Scene = dict[str, Any]

PHONE, DESKTOP, HOME, COLUMNS = 390, 700, 760, 80
"""Widths: CSS pixels, and the terminal's characters."""


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture in light and one in dark. On the Home tab `asked` is the page."""

    name: str
    asked: str = ""
    surface: Surface = "channel"
    layout: Layout = "cards"
    width: int = PHONE


KINDS = {
    "topic": "Is Python frontend or backend?",
    "step": "What is step 4?",
    "roadmap": "How do I become a Python developer?",
    "library": "What is Celery?",
    "library-note": "What is Pyjs?",
    "compare": "Flask or FastAPI?",
    "compare-three": "Compare Django, Flask and FastAPI",
    "list": "Which libraries run in the browser?",
    "list-few": "Which ORMs are there?",
    "list-side": "List the backend libraries",
    "recommend": "I want to build a dashboard",
    "recommend-one": "Which library for scheduled jobs?",
    "offers": "speed of python backend",
    "unknown": "What is the capital of France?",
    "stranger": "What is Streamlit?",
    "partial": "Flask or Streamlit?",
    "named": "What is NumPy?",
    "help": "help",
    "thanks": "thanks",
}
WIDE = ("topic", "library", "compare", "compare-three", "list", "list-few", "recommend")
KEPT = {
    "library": ("light", "dark"),
    "compare-wide": ("light", "dark"),
    "home": ("light", "dark"),
    "compare-terminal": ("light", "dark"),
    "step": ("dark",),
    "recommend-one": "Which library for scheduled jobs?",
    "offers": ("light",),
    "command": ("light",),
    "modal": ("dark",),
}
"""The themes in which a picture goes into docs/pictures: few, because each new version of one stays in the history."""
CURATED = ("curate", "curate-faults", "curate-front", "curate-note", "curate-days", "curate-days-classic")
SHOTS = (
    *(Shot(name, asked) for name, asked in KINDS.items()),
    *(Shot(f"{name}-classic", asked, layout="classic") for name, asked in KINDS.items()),
    *(Shot(f"{name}-wide", KINDS[name], width=DESKTOP) for name in WIDE),
    *(Shot(f"{name}-terminal", asked, "terminal") for name, asked in KINDS.items()),
    Shot("command", KINDS["library"], "command", width=DESKTOP),
    Shot("modal", KINDS["library"], "modal", width=DESKTOP),
    Shot("why", KINDS["offers"], "why", width=DESKTOP),
    Shot("search", "", "search", width=DESKTOP),
    Shot("search-found", KINDS["compare"], "search", width=DESKTOP),
    Shot("home", surface="home", width=HOME),
    Shot("home-side", "group:frontend", "home", width=HOME),
    Shot("home-kinds", "kinds", "home", width=HOME),
    Shot("home-steps", "steps:become-python-developer", "home", width=HOME),
    Shot("home-phone", surface="home"),
    Shot("home-phone-side", "group:frontend", "home"),
    *(Shot(name, surface="curate", width=HOME) for name in CURATED),
    Shot("curate-phone", surface="curate"),
    *(Shot(f"curate-{name}", surface="curate", width=DESKTOP) for name in ("means", "moved", "taken", "done")),
    *(Shot(f"curate-{name}", surface="curate", width=DESKTOP) for name in ("write", "checked")),
)


class _Tray(Outbox):
    """An outbox that keeps what it is given."""

    def send(self, request: Request) -> None:
        self.sent = request


class _First:
    """Nobody else answers."""

    def claim(self, _key: str) -> bool:
        return True

    def release(self, _key: str) -> None:
        return

    def vote(self, *_: str) -> bool:
        return True

    def in_trial(self, _workspace: str, _channel: str) -> bool:
        return False

    def tally(self, *_: object) -> None:
        return

    def miss(self, *_: object) -> str:
        return ""


def scenes(shots: Iterable[Shot], desk: Desk) -> Iterator[Scene]:
    """Each shot with what is to be seen on it: `blocks` or a `view` for Slack, an `svg` for each theme for the terminal."""
    for shot in shots:
        scene = {"name": shot.name, "asked": shot.asked, "surface": shot.surface, "width": shot.width}
        scene["kept"] = KEPT.get(shot.name, ())
        yield scene | (_typed(desk, shot) if shot.surface == "terminal" else _sent(desk, shot))


def _sent(desk: Desk, shot: Shot) -> Scene:
    """What Slack would get."""
    tray = _Tray()
    words = words_of(desk.knowledge.voice.lines)
    records = _First()
    answering = Answering.of(
        desk=desk,
        records=records,
        outbox=tray,
        words=words,
        layout=shot.layout,
        promises=Promises(),
        recorder=Recorder(records, ThreadPoolExecutor(1)),
        chores=Chores(records, desk, words, Nobody()),
        journal=Journal(),
    )
    beside = Beside("C1", "", "U1", "https://example.org")
    match shot.surface:
        case "curate":
            view = curators.view(shot.name, desk.knowledge, words)
            return {"view": view, "surface": "home" if view["type"] == "home" else "modal"}
        case "home":
            answering.modals.home("U1", shot.asked)
        case "why":
            answering.reasons.why(Pressed(Asked("", shot.asked), beside, "U1", "T1:U1", shot.name))
        case "command":
            answering.answer(_heard(shot, Whispered(beside.url)))
        case "modal":
            answering.answer(_heard(shot, Opened("trigger", Modal((shot.asked,), channel="C1", thread="1.0"))))
        case "search":
            trail = (shot.asked,) if shot.asked else ()
            answering.answer(_heard(shot, Opened("trigger", Modal(trail, search=True))))
        case _:
            answering.answer(_heard(shot, Posted("C1", "", "U1")))
    args = dict(tray.sent.args)
    return {"view": args["view"]} if "view" in args else {"blocks": args["blocks"]}


def _heard(shot: Shot, place: Place) -> Heard:
    return Heard(Question(shot.asked), place, shot.name, "T1:U1")


def _theme(ground: str, ink: str, colours: str) -> TerminalTheme:
    """A terminal's colours from hexadecimal ones: black, red, green, yellow, blue, magenta, cyan, white."""
    ground_, ink_, *eight = (tuple(bytes.fromhex(each)) for each in (ground, ink, *colours.split()))
    return TerminalTheme(ground_, ink_, eight)


LIGHT = _theme("ffffff", "1d1c1d", "1d1c1d be2832 1e783c 966900 1264a3 8c3c96 006e82 616061")
DARK = _theme("1a1d21", "d1d2d3", "616061 f06e6e 6ec882 e1b95a 5aa5e6 cd8cd7 5fc8d7 d1d2d3")


def _typed(desk: Desk, shot: Shot) -> Scene:
    """What the terminal would show, with the question at its prompt."""
    svg = {}
    for theme, colours in (("light", LIGHT), ("dark", DARK)):
        out = Console(
            record=True,
            width=COLUMNS,
            file=io.StringIO(),
            force_terminal=True,
            color_system="standard",
            highlight=False,
        )
        out.print(f"[bold cyan]?[/] {shot.asked}")
        out.print(terminal.draw(desk.ask(Question(shot.asked))))
        drawn = out.export_svg(title="AskPy", theme=colours, unique_id="picture")
        svg[theme] = re.sub(r"@font-face \{.*?\}", "", drawn, flags=re.DOTALL)  # the page has a typeface of its own
    return {"svg": svg}


def main() -> None:
    settings = read_settings()
    desk = Desk(Matcher.of(load(settings.pack), settings.cache_folder))
    wanted = tuple(sys.argv[1:]) or ("",)
    json.dump(
        list(scenes((shot for shot in SHOTS if shot.name.startswith(wanted)), desk)), sys.stdout, ensure_ascii=False
    )


if __name__ == "__main__":
    main()
