"""What make pictures takes pictures of: real replies from the shipped pack, on every surface, as JSON for shoot.mjs.

Run from the root: python -m tests.pictures.scenes [NAME...], where a name stands for all that begin with it; with --cards, every
card of the pack in both layouts at a phone's width, for make heights.
"""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal, cast

from rich.console import Console
from rich.terminal_theme import TerminalTheme

from bot import terminal
from bot.engine import Engine
from bot.knowledge import load
from bot.model import Library, Question
from bot.settings import read_settings
from bot.slack.blocks import Layout, render_blocks
from bot.slack.blocks.views import FIRST_PAGE, home_view, modal_view, search_blocks
from bot.slack.context import Context
from bot.slack.features.modals import modal_message, modal_question, pages_back
from bot.slack.outgoing import footer_for, reply_message
from bot.slack.payloads import ModalState, short_hash
from bot.slack.strings import load_strings
from bot.understanding import Matcher
from tests.pictures import curators, people

Surface = Literal["channel", "command", "why", "modal", "search", "home", "curate", "people", "terminal"]
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
    office: bool = False
    """Asked of the pack in tests/pictures/office, whose answers have every kind of Markdown, and not of the shipped one."""


KINDS = {
    "topic": "Is Python frontend or backend?",
    "step": "What is step 4?",
    "roadmap": "How do I become a Python developer?",
    "library": "What is Celery?",
    "library-note": "What is Pyjs?",
    "news": "What's new in Django?",
    "install": "How do I install PyQt?",
    "compare": "Flask or FastAPI?",
    "compare-three": "Compare Django, Flask and FastAPI",
    "list": "Which libraries run in the browser?",
    "list-few": "Which ORMs are there?",
    "list-side": "List the backend libraries",
    "recommend": "I want to build a dashboard",
    "recommend-one": "Which library for scheduled jobs?",
    "offers": "speed of python backend",
    "unknown": "What is the capital of France?",
    "out-of-scope": "What is Streamlit?",
    "partial": "Flask or Streamlit?",
    "named": "What is NumPy?",
    "help": "help",
    "thanks": "thanks",
}
OFFICE = {
    "markdown": "How do I connect to the VPN?",
    "markdown-tables": "Which gateway does my office have?",
    "markdown-long": "How do I set up a new laptop?",
    "markdown-rest": "show part 2 of How do I set up a new laptop?",
    "office-help": "help",
    "office-unknown": "what's for lunch",
}
WIDE = ("topic", "library", "compare", "compare-three", "list", "list-few", "recommend")
KEPT = {
    "library": ("light", "dark"),
    "compare-wide": ("light", "dark"),
    "home": ("light", "dark"),
    "compare-terminal": ("light", "dark"),
    "step": ("dark",),
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
    *(Shot(name, asked, office=True) for name, asked in OFFICE.items()),
    *(Shot(f"{name}-classic", asked, layout="classic", office=True) for name, asked in OFFICE.items()),
    *(Shot(f"{name}-wide", asked, width=DESKTOP, office=True) for name, asked in OFFICE.items()),
    *(Shot(f"{name}-terminal", asked, "terminal", office=True) for name, asked in OFFICE.items()),
    *(
        Shot(f"{name}-modal", OFFICE[name], "modal", width=DESKTOP, office=True)
        for name in ("markdown", "markdown-tables")
    ),
    Shot("markdown-links", OFFICE["markdown"], layout="links", office=True),
    Shot("office-home", surface="home", width=HOME, office=True),
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
    *(Shot(name, surface="people", office=True) for name in people.ON_A_PHONE),
    *(Shot(name, surface="people", width=DESKTOP, office=True) for name in people.MODALS),
    Shot("fresh-due", surface="people", width=HOME, office=True),
    Shot("fresh-card", surface="people"),
    Shot("fresh-compared", surface="people"),
)


STATUS_WINDOW = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='640' height='360'%3E%3Crect width='640' height='360' "
    "fill='%23dfe7ef'/%3E%3Crect x='40' y='40' width='560' height='40' rx='8' fill='%231264a3'/%3E%3Crect x='40' y='110' "
    "width='360' height='24' rx='6' fill='%2389a'/%3E%3Crect x='40' y='160' width='300' height='24' rx='6' "
    "fill='%2389a'/%3E%3Ccircle cx='550' cy='270' r='40' fill='%231e783c'/%3E%3C/svg%3E"
)
"""Stands for every picture of an answer: nothing is fetched."""


def scenes(shots: Iterable[Shot], shipped: Engine, office: Engine) -> Iterator[Scene]:
    """Each shot with what is seen on it: `blocks` or a `view` for Slack, an `svg` for each theme for the terminal."""
    for shot in shots:
        engine = office if shot.office else shipped
        scene = {"name": shot.name, "asked": shot.asked, "surface": shot.surface, "width": shot.width}
        scene["kept"] = KEPT.get(shot.name, ())
        yield scene | (
            _terminal_scene(engine, shot) if shot.surface == "terminal" else _offline(_slack_scene(engine, shot))
        )


def _offline(value: Any) -> Any:
    """A scene with STATUS_WINDOW for its pictures."""
    if isinstance(value, dict):
        return {key: STATUS_WINDOW if key == "image_url" else _offline(inner) for key, inner in value.items()}
    return [_offline(inner) for inner in value] if isinstance(value, list) else value


def _slack_scene(engine: Engine, shot: Shot) -> Scene:
    """What Slack would get."""
    knowledge = engine.knowledge
    strings = load_strings(knowledge.voice.lines, knowledge.name)
    # all that drawing needs of one
    context = cast(Context, SimpleNamespace(engine=engine, strings=strings, help_channel=lambda _: ""))
    match shot.surface:
        case "people":
            return people.scene(shot.name, engine, strings)
        case "curate":
            view = curators.view(shot.name, knowledge, strings)
            return {"view": view, "surface": "home" if view["type"] == "home" else "modal"}
        case "home":
            return {"view": home_view(knowledge, shot.asked or FIRST_PAGE, strings)}
        case "why":
            return {"blocks": render_blocks(engine.explain(Question(shot.asked)), "classic", strings)}
        case "modal":
            return {"view": _modal(context, ModalState((shot.asked,), channel="C1", thread="1.0"))}
        case "search" if not shot.asked:
            return {"view": modal_view(ModalState(search=True), search_blocks(knowledge, strings), strings)}
        case "search":
            return {"view": _modal(context, ModalState((shot.asked,), search=True))}
        case _:
            private = shot.surface == "command"
            reply, question = engine.answer(Question(shot.asked)), Question(shot.asked)
            footer = footer_for(context, reply, question, short_hash(shot.name), "share" if private else "")
            message = reply_message(context, reply, footer, shot.name)
            return {"blocks": message.render("classic" if private else shot.layout)}


def _modal(context: Context, state: ModalState) -> dict[str, Any]:
    """The modal that answers the question of a state."""
    reply = context.engine.answer(modal_question(state, "T1"))
    message = modal_message(context, reply, state, "T1:U1")
    return modal_view(state, message.render("classic"), context.strings, back=pages_back(state))


def _theme(background: str, foreground: str, colours: str) -> TerminalTheme:
    """A terminal's colours from hexadecimal ones: black, red, green, yellow, blue, magenta, cyan, white."""
    rgb = [tuple(bytes.fromhex(colour)) for colour in (background, foreground, *colours.split())]
    return TerminalTheme(rgb[0], rgb[1], rgb[2:])


LIGHT = _theme("ffffff", "1d1c1d", "1d1c1d be2832 1e783c 966900 1264a3 8c3c96 006e82 616061")
DARK = _theme("1a1d21", "d1d2d3", "616061 f06e6e 6ec882 e1b95a 5aa5e6 cd8cd7 5fc8d7 d1d2d3")


def _terminal_scene(engine: Engine, shot: Shot) -> Scene:
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
        out.print(terminal.render(engine.answer(Question(shot.asked))))
        exported = out.export_svg(title="AskPy", theme=colours, unique_id="picture")
        svg[theme] = re.sub(r"@font-face \{.*?\}", "", exported, flags=re.DOTALL)  # the page has a typeface of its own
    return {"svg": svg}


LAYOUTS: tuple[Layout, ...] = ("cards", "classic")


def every_card(engine: Engine) -> Iterator[Shot]:
    """A shot of each card of the pack in each layout."""
    for card in engine.knowledge.entries:
        if isinstance(card, Library):
            for layout in LAYOUTS:
                yield Shot(f"{card.id}-{layout}", card.opening_question, layout=layout)


def main() -> None:
    settings = read_settings()
    shipped, office = (
        Engine(Matcher.from_knowledge(load(folder), settings.cache_folder))
        for folder in (settings.pack, Path(__file__).with_name("office"))
    )
    wanted = tuple(sys.argv[1:]) or ("",)
    shots = every_card(shipped) if "--cards" in wanted else (shot for shot in SHOTS if shot.name.startswith(wanted))
    json.dump(list(scenes(shots, shipped, office)), sys.stdout, ensure_ascii=False)


if __name__ == "__main__":
    main()
