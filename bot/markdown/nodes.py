"""The nodes of a Markdown text: blocks, which hold spans of text or further blocks. All are frozen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Literal

Alignment = Literal["left", "center", "right"]


@dataclass(frozen=True, slots=True)
class Span:
    """A run of text with one style. `text` may hold line feeds: hard line breaks.

    `url`: the address that it links to, with the scheme http, https or mailto; empty for no link.
    """

    text: str
    bold: bool = False
    italic: bool = False
    struck: bool = False
    code: bool = False
    url: str = ""


Spans = tuple[Span, ...]


def merge_spans(spans: Iterable[Span]) -> Spans:
    """The spans, where neighbours of one style become one."""
    return tuple(
        replace(style, text="".join(span.text for span in group))
        for style, group in groupby(spans, key=lambda span: replace(span, text=""))
    )


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph."""

    spans: Spans


@dataclass(frozen=True, slots=True)
class Subheading:
    """A heading inside an answer. Its level isn't kept: each is drawn as a bold line."""

    spans: Spans


@dataclass(frozen=True, slots=True)
class CodeBlock:
    """A fenced or indented code block: its lines as they are, without a line feed at the end."""

    text: str
    language: str = ""


@dataclass(frozen=True, slots=True)
class ListItem:
    """An item of a list; the first block is usually a paragraph."""

    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class MarkdownList:
    """A list; `start` is the number of the first item of an ordered list, and None for bullets."""

    items: tuple[ListItem, ...]
    start: int | None = None


@dataclass(frozen=True, slots=True)
class Quote:
    """A block quote."""

    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class MarkdownTable:
    """A table: every row has as many cells as `header` and `alignments`."""

    header: tuple[Spans, ...]
    rows: tuple[tuple[Spans, ...], ...]
    alignments: tuple[Alignment, ...]


@dataclass(frozen=True, slots=True)
class Image:
    """A picture at an https address, on a line of its own; `alt` describes it, and is never empty."""

    url: str
    alt: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A line that divides an answer."""


Block = Paragraph | Subheading | CodeBlock | MarkdownList | Quote | MarkdownTable | Image | Rule
