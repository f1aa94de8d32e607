"""The terminal: replies drawn with Rich, and a conversation over them."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator

from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table as Grid
from rich.text import Text as Styled

from bot.engine import Engine
from bot.model import (
    Card,
    Choices,
    Credit,
    Facts,
    Heading,
    Item,
    Items,
    Part,
    Question,
    Remark,
    Reply,
    Table,
    Text,
)

WIDEST = 100
"""Columns. Longer lines are hard to read, however wide the window is."""

NARROW = 80
"""Columns up to which questions to go on with stand in one line; else each has its own."""


def console(**options: object) -> Console:
    """A console on stdout, no wider than WIDEST; it leaves colour out where stdout isn't a terminal."""
    made = Console(highlight=False, emoji=False, soft_wrap=False, **options)  # type: ignore[arg-type]  # Rich's own keywords
    made.width = min(made.width, WIDEST)
    return made


def draw(reply: Reply) -> RenderableType:
    """The reply as one Rich renderable."""
    drawn: list[RenderableType] = []
    for part in reply.parts:
        if drawn:
            drawn.append(Styled())
        drawn.append(_part(part))
    return Group(*drawn)


def _part(part: Part) -> RenderableType:
    match part:
        case Heading(text):
            return Styled(text, style="bold cyan")
        case Text(text):
            return _paragraphs(text)
        case Card(title, subtitle, summary, links):
            about = Styled(subtitle, style="italic")
            body = Styled.assemble(about, "\n" if subtitle and summary else "", Styled(summary))
            for link in links:
                body.append(f"\n{link.label}: ", style="dim").append(link.url, style="underline")
            return Panel(
                body,
                title=Styled(title, style="bold"),
                title_align="left",
                padding=(0, 1),
            )
        case Facts(rows):
            return _grid(rows)
        case Items(items, heading, numbered):
            return _items(items, heading, numbered)
        case Table(columns, rows):
            return _table(columns, rows)
        case Choices(heading, choices):
            labels = [choice.label for choice in choices]
            fits = len(heading) + sum(len(label) + 5 for label in labels) <= NARROW
            between, first = ("  ·  ", "  ") if fits else ("\n  ", "\n  ")
            return Styled().append(heading + first, style="dim").append(between.join(labels), style="cyan")
        case Remark(note):
            dated = Styled(f"{note.text} ").append(f"({note.source})", style="dim")
            return Panel(
                dated,
                title=Styled(f"Note, {note.date}", style="yellow"),
                title_align="left",
                border_style="yellow",
                padding=(0, 1),
            )
        case Credit(text, url):
            return Styled(f"{text} {url}".strip(), style="dim italic")


def _paragraphs(text: str) -> RenderableType:
    drawn: list[RenderableType] = []
    for line in text.splitlines():
        if line.startswith("- "):
            drawn.append(_bullet("•", Styled(line[2:])))
        else:
            drawn.append(Styled(line))
    return Group(*drawn)


def _bullet(mark: str, text: Styled) -> Grid:
    grid = Grid.grid(padding=(0, 1))
    grid.add_column(justify="right", min_width=2)
    grid.add_column(ratio=1)
    grid.add_row(mark, text)
    return grid


def _grid(rows: tuple[tuple[str, str], ...]) -> Grid:
    grid = Grid.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(ratio=1)
    for label, value in rows:
        grid.add_row(label, Styled(value))
    return grid


def _items(items: tuple[Item, ...], heading: str, numbered: bool) -> RenderableType:
    drawn: list[RenderableType] = [Styled(heading, style="bold")] if heading else []
    for number, item in enumerate(items, 1):
        text = Styled(item.title, style="bold")
        if item.text:
            text = Styled.assemble(text, Styled(f"  {item.text}", style="not bold"))
        drawn.append(_bullet(f"{number}." if numbered else "•", text))
    return Padding(Group(*drawn), 0)


def _table(columns: tuple[str, ...], rows: tuple[tuple[str, ...], ...]) -> Grid:
    table = Grid(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 2, 1, 0))
    for number, column in enumerate(columns):
        table.add_column(Styled(column), style="bold" if number == 0 else "", overflow="fold")
    for row in rows:
        table.add_row(*(Styled(cell) for cell in row))
    return table


# --- the conversation


def conversations(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Each question and its conversation's key; an empty line begins a new conversation and is none itself."""
    number = 1
    for line in lines:
        if line.strip():
            yield line, str(number)
        else:
            number += 1


def chat(engine: Engine, lines: Iterable[str], *, connected: bool) -> None:
    """Talk until the input ends, or a person says so. With a person at the keyboard there is a prompt and a word of welcome."""
    out = console()
    person = sys.stdin is not None and sys.stdin.isatty()
    if not connected:
        sys.stderr.write(HOW_TO_CONNECT + "\n")
    if person:
        out.print(Styled(engine.knowledge.voice.small_talk["greeting"].answer, style="cyan"))
    for text, conversation in conversations(_typed(out) if person else lines):
        if person and text.strip().casefold() in LEAVING:
            out.print(Styled(engine.knowledge.voice.small_talk["goodbye"].answer, style="cyan"))
            return
        if person:
            out.print()
        out.print(draw(engine.answer(Question(text, conversation=conversation))))
        out.print()


def _typed(out: Console) -> Iterator[str]:
    """Lines from the keyboard, with a prompt; Ctrl-D and Ctrl-C end them."""
    try:
        while True:
            yield out.input(Styled("? ", style="bold cyan"))
    except (EOFError, KeyboardInterrupt):
        out.print()


LEAVING = frozenset("exit exit() quit quit() bye goodbye logout q :q :q! :wq \\q".split())
"""What people type to leave a program. In a pipe these are lines like any other."""

HOW_TO_CONNECT = (
    "No Slack credential is set, so I answer here. To connect Slack: python -m bot doctor, "
    'or "Into Slack" in README.md.'
)
