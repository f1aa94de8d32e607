"""What make pictures takes pictures of: real replies from the shipped pack, on every surface, as JSON for shoot.mjs.

Run from the root: python -m tests.pictures.scenes
"""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Iterable, Iterator
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
from bot.slack.hear import Heard, Opened, Place, Posted, Whispered
from bot.slack.post import Outbox, Request
from bot.slack.words import words_of

Surface = Literal["channel", "command", "modal", "home", "terminal"]
Scene = dict[str, Any]

PHONE, DESKTOP, HOME, COLUMNS = 390, 700, 760, 80
"""Widths: CSS pixels, and the terminal's characters."""


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture in light and one in dark; `kept` names the themes whose pictures go into docs/pictures."""

    name: str
    asked: str = ""
    surface: Surface = "channel"
    layout: Layout = "cards"
    width: int = PHONE
    kept: tuple[str, ...] = ()


KINDS = {
    "topic": "Is Python frontend or backend?",
    "step": "What is step 4?",
    "roadmap": "How do I become a Python developer?",
    "library": "What is Celery?",
    "library-note": "What is Pyjs?",
    "compare": "Flask or FastAPI?",
    "compare-three": "Compare Django, Flask and FastAPI",
    "list": "Which libraries run in the browser?",
    "list-side": "List the backend libraries",
    "recommend": "I want to build a dashboard",
    "offers": "how do I get started with python websites",
    "unknown": "What is the capital of France?",
    "stranger": "What is Streamlit?",
    "partial": "Flask or Streamlit?",
    "named": "What is NumPy?",
    "help": "help",
    "thanks": "thanks",
}
SHOTS = (
    *(Shot(name, asked) for name, asked in KINDS.items()),
    *(Shot(f"{name}-classic", asked, layout="classic") for name, asked in KINDS.items()),
    *(Shot(f"{name}-wide", KINDS[name], width=DESKTOP) for name in ("topic", "library", "compare", "compare-three", "list", "recommend")),
    *(Shot(f"{name}-terminal", KINDS[name], "terminal") for name in KINDS),
    Shot("command", KINDS["library"], "command", width=DESKTOP),
    Shot("modal", KINDS["library"], "modal", width=DESKTOP),
    Shot("home", surface="home", width=HOME),
    Shot("home-phone", surface="home"),
)  # fmt: skip


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


def scenes(shots: Iterable[Shot], desk: Desk) -> Iterator[Scene]:
    """Each shot with what is to be seen on it: `blocks` or a `view` for Slack, an `svg` for each theme for the terminal."""
    for shot in shots:
        scene = {
            "name": shot.name,
            "asked": shot.asked,
            "surface": shot.surface,
            "width": shot.width,
            "kept": shot.kept,
        }
        yield scene | (_typed(desk, shot) if shot.surface == "terminal" else _sent(desk, shot))


def _sent(desk: Desk, shot: Shot) -> Scene:
    """What Slack would get."""
    tray = _Tray()
    words = words_of(desk.knowledge.voice.lines)
    answering = Answering(desk, _First(), tray, words, shot.layout)
    places: dict[Surface, Place] = {
        "channel": Posted("C1", "", "U1"),
        "command": Whispered("https://example.org"),
        "modal": Opened("trigger"),
    }
    if shot.surface == "home":
        answering.home("U1")
    else:
        answering.answer(Heard(Question(shot.asked), places[shot.surface], shot.name))
    args = dict(tray.sent.args)
    return {"view": args["view"]} if "view" in args else {"blocks": args["blocks"]}


LIGHT = TerminalTheme(
    (255, 255, 255),
    (29, 28, 29),
    [
        (29, 28, 29),
        (190, 40, 50),
        (30, 120, 60),
        (150, 105, 0),
        (18, 100, 163),
        (140, 60, 150),
        (0, 110, 130),
        (97, 96, 97),
    ],
)
DARK = TerminalTheme(
    (26, 29, 33),
    (209, 210, 211),
    [(97, 96, 97), (240, 110, 110), (110, 200, 130), (225, 185, 90), (90, 165, 230), (205, 140, 215), (95, 200, 215), (209, 210, 211)],
)  # fmt: skip
"""Slack's grounds and inks, with eight colours that can be read on them."""


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
    json.dump(list(scenes(SHOTS, desk)), sys.stdout, ensure_ascii=False)


if __name__ == "__main__":
    main()
