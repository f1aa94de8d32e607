"""The plain text of Markdown: what a screen reader reads, and the words by which an answer is found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import unquote

from bot.markdown.nodes import (
    Block,
    CodeBlock,
    Image,
    MarkdownList,
    MarkdownTable,
    Paragraph,
    Quote,
    Rule,
    Spans,
    Subheading,
)
from bot.markdown.parse import AnswerFormat, parse, picture_span


def plain(blocks: Iterable[Block], *, addresses: bool = True) -> str:
    """The blocks as plain text, divided by blank lines.

    Each address stands once, behind the first label that links to it, or with `addresses=False` not at all. A row of a table is a
    line with the name of each column.
    """
    shown: set[str] | None = set() if addresses else None
    return "\n\n".join(text for block in blocks if (text := "\n".join(_lines(block, shown))))


def plain_answer(answer: str, answer_format: AnswerFormat) -> str:
    """The words of an answer, without addresses; a plain answer as it is."""
    return answer if answer_format == "plain" else plain(parse.__wrapped__(answer, answer_format), addresses=False)


def prose(blocks: Iterable[Block]) -> Iterator[str]:
    """The texts of paragraphs and of lists' items, without marks: what can be quoted as a sentence."""
    for block in blocks:
        match block:
            case Paragraph(spans):
                yield "".join(span.text for span in spans)
            case MarkdownList(items):
                for item in items:
                    yield from prose(item.blocks)
            case Quote(inner):
                yield from prose(inner)
            case Subheading() | CodeBlock() | MarkdownTable() | Image() | Rule():
                pass


def _lines(block: Block, shown: set[str] | None) -> Iterator[str]:
    """The lines of a block; `shown` collects the addresses that stand in the text, None: none is shown."""
    match block:
        case Paragraph(spans) | Subheading(spans):
            yield from _text(spans, shown).split("\n")
        case CodeBlock(text):
            yield from text.split("\n")
        case MarkdownList(items, start):
            for number, item in enumerate(items, start or 0):
                bullet = "- " if start is None else f"{number}. "
                lines = [line for inner in item.blocks for line in _lines(inner, shown)]
                yield from _indented(lines or [""], bullet)
        case Quote(blocks):
            lines = [line for inner in blocks for line in _lines(inner, shown)]
            yield from ("“" + "\n".join(lines) + "”").split("\n")
        case MarkdownTable(header, rows):
            names = [_text(cell, shown) for cell in header]
            if not rows:
                yield ", ".join(filter(None, names))
            for row in rows:
                yield table_row_text(names, [_text(cell, shown) for cell in row])
        case Image():
            yield _text((picture_span(block),), shown)
        case Rule():
            pass


def table_row_text(columns: Sequence[str], row: Sequence[str]) -> str:
    """A row of a table as one line, each value with its column's name, so that it makes sense when it is read aloud.

    Where the first column has no name, its value is a title: "Install. Flask: pip install Flask."
    """
    named = [f"{name}: {value}" if name else value for name, value in zip(columns, row, strict=True) if value]
    title = named[:1] if row[0] and not columns[0] else []
    cells = "; ".join(named[len(title) :])
    return " ".join([*(f"{text}." for text in title if cells), *([f"{cells}."] if cells else title)]) or "–"


def _indented(lines: Sequence[str], bullet: str) -> Iterator[str]:
    yield bullet + lines[0]
    for line in lines[1:]:
        yield " " * len(bullet) + line if line else line


def _text(spans: Spans, shown: set[str] | None) -> str:
    parts = []
    for index, span in enumerate(spans):
        parts.append(span.text)
        is_end_of_link = span.url and (index + 1 == len(spans) or spans[index + 1].url != span.url)
        if not is_end_of_link or shown is None or span.url in shown:
            continue
        shown.add(span.url)
        label = "".join(each.text for each in spans[: index + 1] if each.url == span.url).strip()
        address = span.url.removeprefix("mailto:")
        if label != address and unquote(label) != unquote(span.url):
            parts.append(f" ({address})")
    return "".join(parts)
