"""The terminal: replies rendered with Rich, tables and lines that fit, and the conversation at the prompt.

In a pipe or a file nothing is coloured and nothing is broken into lines.
"""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

import click
from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.panel import Panel
from rich.rule import Rule as RuledLine
from rich.table import Table as Grid
from rich.text import Text as Styled

from bot import program
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
    picture_span,
)
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
from bot.reply import greet, plain_text

MAX_WIDTH = 100
"""Columns of a line: longer ones are hard to read, however wide the window is."""

UNBROKEN = 100_000
"""Columns of a line in a pipe or a file: more than any text has."""

MAX_CHOICES_WIDTH = 80
"""Columns up to which the suggested questions stand in one line; otherwise each has its own."""

READABLE_WIDTH = 16
"""Columns that a cell with a longer text needs: with fewer, a table has more lines than words in each."""

GAP = 2
"""Columns between those of a table."""


def console(**options: object) -> Console:
    """A console on stdout, no wider than MAX_WIDTH; where stdout isn't a terminal, without colour and line breaks."""
    result = Console(highlight=False, emoji=False, soft_wrap=False, **options)  # type: ignore[arg-type]  # Rich's own keywords
    if "width" in options or result.is_terminal:
        result.width = min(result.width, MAX_WIDTH)
    else:
        result.width = UNBROKEN
    return result


def echo(text: str, *, err: bool = False, hang: int = 0) -> None:
    """Print lines to stdout or stderr; on a terminal they are broken between words.

    `hang`: columns by which what follows in a line is indented; an indented line hangs by as much again.
    """
    stream = sys.stderr if err else sys.stdout
    if stream is not None and stream.isatty():
        width = min(shutil.get_terminal_size().columns, MAX_WIDTH)
        text = "\n".join(_broken(line, width, hang) for line in text.split("\n"))
    click.echo(text, err=err)


def _broken(line: str, width: int, hang: int) -> str:
    indent = " " * max(hang, 2 * (len(line) - len(line.lstrip())))
    return textwrap.fill(line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def show(output: Console, reply: Reply) -> None:
    """Print a reply: rendered on a terminal; its plain text, whole, in a pipe or a file."""
    if output.is_terminal:
        output.print(render(reply))
    else:
        click.echo(plain_text(reply, limit=None))


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
            return Styled(f"{hint} “", style="dim").append(ask, style="cyan").append("”.", style="dim")
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
            return SuggestedQuestions(heading, tuple(choice.label for choice in choices))
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


@dataclass(frozen=True, slots=True)
class SuggestedQuestions:
    """A heading and labels in one line where they fit, else each label on its own."""

    heading: str
    labels: tuple[str, ...]

    def __rich_console__(self, _: Console, options: ConsoleOptions) -> RenderResult:
        needed = cell_len(self.heading) + sum(cell_len(label) + len(LABEL_SEPARATOR) for label in self.labels)
        fits = needed <= min(options.max_width, MAX_CHOICES_WIDTH)
        separator, start = (LABEL_SEPARATOR, "  ") if fits else ("\n  ", "\n  ")
        yield Styled().append(self.heading + start, style="dim").append(separator.join(self.labels), style="cyan")


LABEL_SEPARATOR = "  ·  "


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
            return Padding(Styled(text, style="green", overflow="fold"), (0, 0, 0, 4))
        case MarkdownList(items, start):
            marks = ["•" if start is None else f"{start + position}." for position in range(len(items))]
            contents = (Group(*map(_markdown_block, item.blocks)) for item in items)
            return Group(*(_bullet(mark, content) for mark, content in zip(marks, contents, strict=True)))
        case Quote(blocks):
            grid = Grid.grid(padding=(0, 1))
            grid.add_column(style="dim")
            grid.add_column(ratio=1, overflow="fold")
            for inner in blocks:
                grid.add_row("│", _markdown_block(inner))
            return grid
        case MarkdownTable(header, rows):
            names = tuple(_styled(cell).plain for cell in header)
            return FittingTable(names, tuple(tuple(_styled(cell) for cell in row) for row in rows), is_ruled=True)
        case Image():
            return _styled((picture_span(block),))
        case Rule():
            return RuledLine(style="dim")


def _styled(spans: Iterable[Span]) -> Styled:
    """Spans as styled text; behind a link stands its address, unless that is its label."""
    text = Styled(overflow="fold")
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
    grid.add_column(ratio=1, overflow="fold")
    grid.add_row(mark, content)
    return grid


def _grid(rows: Iterable[tuple[str, str | Styled]]) -> Grid:
    grid = Grid.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(ratio=1)
    for label, value in rows:
        grid.add_row(Styled(label), Styled(value) if isinstance(value, str) else value)
    return grid


def _items(items: tuple[Item, ...], heading: str, numbered: bool) -> RenderableType:
    renderables: list[RenderableType] = [Styled(heading, style="bold")] if heading else []
    for number, item in enumerate(items, 1):
        text = Styled(item.title, style="bold")
        if item.text:
            text = Styled.assemble(text, Styled(f"  {item.text}", style="not bold"))
        renderables.append(_bullet(f"{number}." if numbered else "•", text))
    return Padding(Group(*renderables), 0)


def _table(columns: tuple[str, ...], rows: tuple[tuple[str, ...], ...]) -> FittingTable:
    """A comparison; where it doesn't fit, one column after the other, each with the rows' labels."""
    others = tuple(zip(*rows, strict=True))[1:]
    labels = ("", *(row[0] for row in rows))
    blocks = tuple((column, *cells) for column, cells in zip(columns[1:], others, strict=True))
    return FittingTable(columns, rows, narrow=(labels, blocks), is_ruled=True)


@dataclass(frozen=True, slots=True)
class FittingTable:
    """A table; where its columns don't fit side by side, a block for each row, each cell with its column's name.

    The block of a row of numbers is one sentence.

    Attributes:
        columns: The columns' names.
        rows: The cells; each row is as long as `columns`.
        right: Numbers of the columns that are aligned to the right.
        narrow: Columns and rows to make blocks of, where they aren't those of the table; its rows then stand apart. A block's
            first cell is its title.
        is_ruled: With a rule below the names.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str | Styled, ...], ...]
    right: Collection[int] = ()
    narrow: tuple[tuple[str, ...], tuple[tuple[str | Styled, ...], ...]] | None = None
    is_ruled: bool = False

    def __rich_console__(self, _: Console, options: ConsoleOptions) -> RenderResult:
        dividers = len(self.columns) - 1 if self.is_ruled else 0  # the rule draws a blank between two columns
        widths = _column_widths((self.columns, *self.rows), options.max_width - dividers)
        yield self._blocks() if widths is None else self._side_by_side(widths)

    def _side_by_side(self, widths: Sequence[int]) -> Grid:
        table = Grid(
            box=box.SIMPLE_HEAD if self.is_ruled else None,
            show_edge=False,
            pad_edge=False,
            padding=(0, GAP, 0, 0),
            leading=1 if self.narrow is not None else 0,
            header_style="bold" if self.is_ruled else "dim",
        )
        for number, (name, width) in enumerate(zip(self.columns, widths, strict=True)):
            is_last = number == len(widths) - 1
            table.add_column(
                Styled(name),
                style="bold" if self.is_ruled and number == 0 else "",
                justify="right" if number in self.right else "left",
                width=None if is_last and number not in self.right else width,
                overflow="fold",
            )
        for row in self.rows:
            table.add_row(*(Styled(cell) if isinstance(cell, str) else cell for cell in row))
        return table

    def _blocks(self) -> RenderableType:
        columns, rows = self.narrow or (self.columns, self.rows)
        are_numbers = set(range(1, len(columns))) <= set(self.right)
        blocks: list[RenderableType] = []
        for title, *cells in rows:
            named = [(name, cell) for name, cell in zip(columns[1:], cells, strict=True) if cell]
            blocks.append(Styled(title, style="bold") if isinstance(title, str) else title)
            blocks.append(Styled(", ".join(f"{name} {cell}" for name, cell in named)) if are_numbers else _grid(named))
            blocks.append(Styled())
        return Group(*blocks[:-1])


def _column_widths(rows: Sequence[Sequence[str | Styled]], width: int) -> list[int] | None:
    """The widths of a table's columns, in which no word is broken and no cell is narrow; None if they don't fit.

    What is left goes to the columns that need the most lines.
    """
    cells = [[str(cell) for cell in column] for column in zip(*rows, strict=True)]
    natural = [max(map(cell_len, column)) for column in cells]
    words = [max((cell_len(word) for cell in column for word in cell.split()), default=0) for column in cells]
    widths = [max(word, min(whole, READABLE_WIDTH)) for word, whole in zip(words, natural, strict=True)]
    left = width - sum(widths) - GAP * (len(widths) - 1)
    if left < 0:
        return None
    if width >= sum(natural) + GAP * (len(natural) - 1):
        return natural
    for _ in range(left):
        needs = [whole / max(chosen, 1) for whole, chosen in zip(natural, widths, strict=True)]
        most = needs.index(max(needs))
        widths[most] += 1
    return widths


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
        echo(HOW_TO_CONNECT.format(program=program()), err=True)
    if is_interactive:
        _say(output, engine.knowledge.name)
        output.print(render(greet(engine.knowledge)))
        output.print()
    for text, conversation in conversations(_typed_lines(output) if is_interactive else lines):
        if is_interactive and text.strip().casefold() in LEAVE_COMMANDS:
            _say(output, engine.knowledge.voice.small_talk["goodbye"].answer)
            return
        if is_interactive:
            output.print()
        show(output, engine.answer(Question(text, conversation=conversation)))
        output.print()


def _say(output: Console, sentence: str) -> None:
    output.print(Styled(sentence, style="cyan"))


def _typed_lines(output: Console) -> Iterator[str]:
    """Lines typed at a prompt, until Ctrl-D or Ctrl-C; an empty one where a new conversation was asked for.

    An empty line that was typed doesn't end a conversation: it is a slip of the hand, and what was shown would be forgotten.
    """
    with suppress(
        ImportError
    ):  # not in every Python; with it `input` edits lines and recalls earlier ones, in memory only
        import readline  # noqa: F401, PLC0415
    is_told = False
    try:
        while True:
            text = input(PROMPT)
            if text.strip().casefold() in NEW_COMMANDS:
                yield ""
                _say(output, STARTED_ANEW)
            elif text.strip():
                is_told = False
                yield text
            elif not is_told:
                is_told = True
                _say(output, HOW_TO_START_ANEW)
    except (EOFError, KeyboardInterrupt):
        output.print()


PROMPT = "? "
"""Without colour: the line editor counts the characters of colour codes as columns."""

LEAVE_COMMANDS = frozenset("exit exit() quit quit() bye goodbye logout q :q :q! :wq \\q".split())
"""What people type to leave a program. In a pipe these are lines like any other."""

NEW_COMMANDS = frozenset(["new", "/new"])
"""What begins a new conversation at the prompt. In a pipe an empty line does."""

STARTED_ANEW = "A new conversation."
HOW_TO_START_ANEW = 'This is still the same conversation. Type "new" to begin another one, "exit" to leave.'

HOW_TO_CONNECT = (
    'No Slack credential is set, so I answer here. To connect Slack: {program} doctor, or "Into Slack" in README.md.'
)
