"""The terminal: replies rendered with Rich, and the conversation at the prompt."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence

from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.rule import Rule as RuledLine
from rich.table import Table as Grid
from rich.text import Text as Styled

from bot.engine import Engine
from bot.markdown import (
    Block,
    CodeBlock,
    Image,
    MarkdownList,
    MarkdownTable,
    Paragraph,
    Quote,
    Rule,
    Span,
    Subheading,
    parse,
)
from bot.markdown.parse import PICTURE
from bot.model import (
    Attribution,
    Card,
    Choices,
    Code,
    DatedNote,
    Facts,
    Formatted,
    Heading,
    Item,
    Items,
    Part,
    Question,
    Reply,
    ShowRest,
    Table,
    Text,
)
from bot.reply import greet

MAX_WIDTH = 100
"""Columns of a line: longer ones are hard to read, however wide the window is."""

MAX_CHOICES_WIDTH = 80
"""Columns up to which the suggested questions stand in one line; otherwise each has its own."""


def console(**options: object) -> Console:
    """A console on stdout, no wider than MAX_WIDTH; it leaves colour out where stdout isn't a terminal."""
    result = Console(highlight=False, emoji=False, soft_wrap=False, **options)  # type: ignore[arg-type]  # Rich's own keywords
    result.width = min(result.width, MAX_WIDTH)
    return result


def render(reply: Reply) -> RenderableType:
    """The reply as one Rich renderable."""
    renderables: list[RenderableType] = []
    for part in reply.parts:
        if renderables:
            renderables.append(Styled())
        renderables.append(_render_part(part))
    return Group(*renderables)


def _render_part(part: Part) -> RenderableType:
    match part:
        case Heading(text):
            return Styled(text, style="bold cyan")
        case Text(text):
            return _paragraphs(text)
        case Formatted(blocks):
            return _markdown(blocks)
        case ShowRest(_, hint, ask):
            return Styled(f"{hint} ", style="dim").append(ask, style="cyan")
        case Card(title, subtitle, summary, links):
            body = Styled.assemble(
                Styled(subtitle, style="italic"), "\n" if subtitle and summary else "", Styled(summary)
            )
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
        case Code(label, spans):
            return Styled(f"{label}  ", style="bold").append_text(_styled(spans))
        case Items(items, heading, numbered):
            return _items(items, heading, numbered)
        case Table(columns, rows):
            return _table(columns, rows)
        case Choices(heading, choices):
            labels = [choice.label for choice in choices]
            fits = len(heading) + sum(len(label) + 5 for label in labels) <= MAX_CHOICES_WIDTH
            separator, start = ("  ·  ", "  ") if fits else ("\n  ", "\n  ")
            return Styled().append(heading + start, style="dim").append(separator.join(labels), style="cyan")
        case DatedNote(note):
            return Panel(
                Group(_markdown(parse(note.text)), *([Styled(note.source, style="dim")] if note.source else [])),
                title=Styled(f"Note, {note.date}", style="yellow"),
                title_align="left",
                border_style="yellow",
                padding=(0, 1),
            )
        case Attribution(text, url):
            return Styled(f"{text} {url}".strip(), style="dim italic")


def _paragraphs(text: str) -> RenderableType:
    renderables: list[RenderableType] = []
    for line in text.splitlines():
        if line.startswith("- "):
            renderables.append(_bullet("•", Styled(line[2:])))
        else:
            renderables.append(Styled(line))
    return Group(*renderables)


def _markdown(blocks: Iterable[Block]) -> RenderableType:
    """An answer's blocks, with a blank line between two."""
    renderables: list[RenderableType] = []
    for block in blocks:
        renderables += [Styled()] if renderables else []
        renderables.append(_markdown_block(block))
    return Group(*renderables)


def _markdown_block(block: Block) -> RenderableType:
    match block:
        case Paragraph(spans):
            return _styled(spans)
        case Subheading(spans):
            return Styled(style="bold").append_text(_styled(spans))
        case CodeBlock(text):
            return Padding(Styled(text, style="green", no_wrap=True, overflow="fold"), (0, 0, 0, 4))
        case MarkdownList(items, start):
            marks = ["•" if start is None else f"{start + position}." for position in range(len(items))]
            contents = (Group(*map(_markdown_block, item.blocks)) for item in items)
            return Group(*(_bullet(mark, content) for mark, content in zip(marks, contents, strict=True)))
        case Quote(blocks):
            grid = Grid.grid(padding=(0, 1))
            grid.add_column(style="dim")
            grid.add_column(ratio=1)
            for inner in blocks:
                grid.add_row("│", _markdown_block(inner))
            return grid
        case MarkdownTable(header, rows):
            return _styled_table([_styled(cell) for cell in header], [[_styled(cell) for cell in row] for row in rows])
        case Image(url, alt):
            return _styled((Span(f"{PICTURE}: {alt}", url=url),))
        case Rule():
            return RuledLine(style="dim")


def _styled(spans: Iterable[Span]) -> Styled:
    """Spans as styled text; behind a link stands its address, unless that is its label."""
    text = Styled()
    listed = list(spans)
    for index, span in enumerate(listed):
        names = {"bold": span.bold, "italic": span.italic, "strike": span.struck, "green": span.code}
        style = " ".join([*(name for name, is_set in names.items() if is_set), *(["underline"] if span.url else [])])
        text.append(span.text, style=style or None)
        is_end = span.url and (index + 1 == len(listed) or listed[index + 1].url != span.url)
        if is_end and span.text not in (span.url, span.url.removeprefix("mailto:")):
            text.append(f" ({span.url.removeprefix('mailto:')})", style="dim")
    return text


def _bullet(mark: str, content: RenderableType) -> Grid:
    grid = Grid.grid(padding=(0, 1))
    grid.add_column(justify="right", min_width=2)
    grid.add_column(ratio=1)
    grid.add_row(mark, content)
    return grid


def _grid(rows: tuple[tuple[str, str], ...]) -> Grid:
    grid = Grid.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(ratio=1)
    for label, value in rows:
        grid.add_row(label, Styled(value))
    return grid


def _items(items: tuple[Item, ...], heading: str, numbered: bool) -> RenderableType:
    renderables: list[RenderableType] = [Styled(heading, style="bold")] if heading else []
    for number, item in enumerate(items, 1):
        text = Styled(item.title, style="bold")
        if item.text:
            text = Styled.assemble(text, Styled(f"  {item.text}", style="not bold"))
        renderables.append(_bullet(f"{number}." if numbered else "•", text))
    return Padding(Group(*renderables), 0)


def _table(columns: tuple[str, ...], rows: tuple[tuple[str, ...], ...]) -> Grid:
    return _styled_table([Styled(column) for column in columns], [[Styled(cell) for cell in row] for row in rows])


def _styled_table(columns: Sequence[Styled], rows: Iterable[Sequence[Styled]]) -> Grid:
    table = Grid(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 2, 1, 0))
    for number, column in enumerate(columns):
        table.add_column(column, style="bold" if number == 0 else "", overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table


# --- the conversation


def conversations(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Each question with the key of its conversation; an empty line starts a new conversation and is no question."""
    number = 1
    for line in lines:
        if line.strip():
            yield line, str(number)
        else:
            number += 1


def chat(engine: Engine, lines: Iterable[str], *, connected: bool) -> None:
    """Answer each line until the input ends, or a person at the keyboard leaves; a person gets a prompt and a greeting.

    Args:
        engine: Answers the questions.
        lines: The input where it isn't a terminal.
        connected: A Slack credential is set; otherwise how to connect to Slack is printed to stderr.
    """
    output = console()
    is_interactive = sys.stdin is not None and sys.stdin.isatty()
    if not connected:
        sys.stderr.write(HOW_TO_CONNECT + "\n")
    if is_interactive:
        output.print(Styled(engine.knowledge.name, style="bold cyan"))
        output.print(render(greet(engine.knowledge)))
        output.print()
    for text, conversation in conversations(_typed_lines(output) if is_interactive else lines):
        if is_interactive and text.strip().casefold() in LEAVE_COMMANDS:
            output.print(Styled(engine.knowledge.voice.small_talk["goodbye"].answer, style="cyan"))
            return
        if is_interactive:
            output.print()
        output.print(render(engine.answer(Question(text, conversation=conversation))))
        output.print()


def _typed_lines(output: Console) -> Iterator[str]:
    """Lines typed at a prompt, until Ctrl-D or Ctrl-C."""
    try:
        while True:
            yield output.input(Styled("? ", style="bold cyan"))
    except (EOFError, KeyboardInterrupt):
        output.print()


LEAVE_COMMANDS = frozenset("exit exit() quit quit() bye goodbye logout q :q :q! :wq \\q".split())
"""What people type to leave a program. In a pipe these are lines like any other."""

HOW_TO_CONNECT = (
    "No Slack credential is set, so I answer here. To connect Slack: python -m bot doctor, "
    'or "Into Slack" in README.md.'
)
