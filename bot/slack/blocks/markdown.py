"""Blocks for answers in Markdown: rich_text for text, lists, quotes and code, and Slack's own tables, pictures and dividers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Literal

from bot.markdown import Block as Node
from bot.markdown import (
    CodeBlock,
    Image,
    MarkdownList,
    MarkdownTable,
    Paragraph,
    Quote,
    Rule,
    Span,
    Spans,
    Subheading,
    parse,
    picture_span,
    plain,
)
from bot.model import Code, DatedNote
from bot.slack.blocks import limits
from bot.slack.blocks.elements import is_url, quote_url
from bot.slack.blocks.limits import Block, cut, size
from bot.slack.blocks.rich_text import link_element, rich_text_blocks, rich_text_list, rich_text_section, text_element
from bot.slack.strings import Strings

MAX_INDENT = 8
"""Levels of indented lists that Slack shows."""
NESTED = "    "
"""Indents an item whose number is text by one level."""


def markdown_blocks(nodes: Iterable[Node], *, tables: int = 0, images: bool = True) -> list[Block]:
    """The blocks of an answer.

    Args:
        nodes: The answer.
        tables: How many tables may be native ones: one a message, none in a modal. The others become a list for each row.
        images: Whether pictures are shown; else they are links.
    """
    blocks, elements, before = list[Block](), list[Block](), None
    for node in nodes:
        own = _own_blocks(node, tables, images=images)
        if own is None:
            _add_elements(elements, node, before)
            before = node
            continue
        blocks += [*rich_text_blocks(elements), *own]
        elements = []
        tables -= sum(block["type"] == "table" for block in own)
    return [*blocks, *rich_text_blocks(elements)]


def code_blocks(part: Code) -> list[Block]:
    """A command as a block of its own; text with commands in it as a line, with its label in bold."""
    match part.spans:
        case (Span(text, code=True),):
            return rich_text_blocks([{"type": "rich_text_preformatted", "elements": [text_element(text)]}])
        case spans:
            return rich_text_blocks([_section([Span(f"{part.label}: ", bold=True), *spans])])


def note_blocks(part: DatedNote, strings: Strings) -> list[Block]:
    """A pack's dated note with its source, as a quote."""
    note = part.note
    elements = [text_element(f"{strings['note']}, {note.date}: ", bold=True), *_quoted(parse(note.text))]
    if is_url(note.url):
        elements += [text_element(" "), link_element(note.url, note.source or strings["source"])]
    elif note.source.strip():
        elements.append(text_element(f" ({note.source.strip()})"))
    return rich_text_blocks([{"type": "rich_text_quote", "elements": elements}])


def _own_blocks(node: Node, tables: int, *, images: bool) -> list[Block] | None:
    """The blocks of a node that can't be in rich_text; None for any other node."""
    match node:
        case Image(url, alt) if images and is_url(url):
            return [{"type": "image", "image_url": quote_url(url), "alt_text": cut(alt, limits.ALT_TEXT)}]
        case MarkdownTable():
            return _native_table(node) if tables > 0 and _fits(node) else _row_lists(node)
        case Rule():
            return [{"type": "divider"}]
        case _:
            return None


# --- tables


def _fits(table: MarkdownTable) -> bool:
    rows = [table.header, *table.rows]
    characters = sum(size(span.text) for row in rows for cell in row for span in cell)
    is_small = len(rows) <= limits.TABLE_ROWS and len(table.header) <= limits.TABLE_COLUMNS
    return is_small and characters <= limits.TABLE_CHARACTERS


def _native_table(table: MarkdownTable) -> list[Block]:
    rows = [[_cell(cell) for cell in row] for row in (table.header, *table.rows)]
    settings = [{"is_wrapped": True, "align": alignment} for alignment in table.alignments]
    return [{"type": "table", "rows": rows, "column_settings": settings}]


def _cell(spans: Sequence[Span]) -> Block:
    """A cell; a table refuses one without text."""
    if not any(span.text.strip() for span in spans):
        return {"type": "raw_text", "text": "–"}
    if all(span == Span(span.text) for span in spans):
        return {"type": "raw_text", "text": "".join(span.text for span in spans)}
    return {"type": "rich_text", "elements": [rich_text_section(*_span_elements(spans))]}


def _row_lists(table: MarkdownTable) -> list[Block]:
    """A list for each row, its first cell as the heading, each cell with its column's name; cells without text are left out."""
    if not table.rows or len(table.header) == 1:
        heading = [_section(_bold(table.header[0]))] if len(table.header) == 1 and table.header[0] else []
        items = _list_elements([_section(row[0] or (Span("–"),)) for row in table.rows], "bullet", 0)
        return rich_text_blocks([*heading, *items] or [_section([Span(plain([table]) or "–")])])
    elements: list[Block] = []
    for row in table.rows:
        cells = [_named_cell(name, cell) for name, cell in zip(table.header, row, strict=True) if cell]
        elements.append(_section(_bold(cells[0]) if cells else [Span("–", bold=True)]))
        elements += _list_elements([_section(spans) for spans in cells[1:]], "bullet", 0)
    return rich_text_blocks(elements)


def _named_cell(name: Spans, cell: Spans) -> list[Span]:
    return [*_bold(name), Span(": ", bold=True), *cell] if name else list(cell)


# --- rich_text


def _elements(node: Node, indent: int = 0) -> Iterator[Block]:
    """The elements of a rich_text block for a node; `indent` counts the lists around it."""
    match node:
        case Paragraph(spans):
            yield _section(spans)
        case Subheading(spans):
            yield _section(_bold(spans))
        case CodeBlock(text):
            if text:
                yield {"type": "rich_text_preformatted", "elements": [text_element(text)]}
        case MarkdownList():
            yield from _list(node, indent)
        case Quote(blocks):
            if elements := _quoted(blocks):
                yield {"type": "rich_text_quote", "elements": elements}
        case MarkdownTable():  # inside a list or a quote
            yield _section([Span(plain([node]) or "–")])
        case Image():
            yield _section([picture_span(node)])
        case Rule():
            pass


def _list(node: MarkdownList, indent: int) -> Iterator[Block]:
    """A list; what isn't text in an item stands between two list elements.

    Slack numbers each list element from 1, and its published types have no field for another number. So the numbers of a list
    that begins elsewhere or is interrupted are text.
    """
    texts, others = zip(*(_item_text(item.blocks) for item in node.items), strict=True)
    has_own_numbers = node.start is not None and (node.start != 1 or any(others[:-1]))
    style: Literal["bullet", "ordered"] = "bullet" if node.start is None else "ordered"
    sections = list[Block]()
    for position, (text, other_blocks) in enumerate(zip(texts, others, strict=True)):
        spans = text or [Span(" ")]
        if has_own_numbers:
            yield _section([Span(f"{NESTED * indent}{(node.start or 0) + position}. "), *spans])
        else:
            sections.append(_section(spans))
        if other_blocks and sections:
            yield from _list_elements(sections, style, indent)
            sections = []
        for other in other_blocks:
            yield from _elements(other, indent + 1)
    yield from _list_elements(sections, style, indent)


def _item_text(blocks: Sequence[Node]) -> tuple[list[Span], Sequence[Node]]:
    """The paragraphs at the beginning of an item as one text, and its other blocks."""
    spans: list[Span] = []
    for position, block in enumerate(blocks):
        if not isinstance(block, Paragraph | Subheading):
            return spans, blocks[position:]
        spans += [*([Span("\n")] if spans else []), *block.spans]
    return spans, ()


def _list_elements(sections: list[Block], style: Literal["bullet", "ordered"], indent: int) -> list[Block]:
    """Sections as one list element; none for no sections."""
    elements = rich_text_list(sections, style)
    return [element | {"indent": min(indent, MAX_INDENT)} for element in elements] if indent else elements


def _quoted(blocks: Sequence[Node]) -> list[Block]:
    """The elements of a quote, which holds text and links only: what isn't text is written as text."""
    elements: list[Block] = []
    for block in blocks:
        match block:
            case Paragraph(spans):
                own = _span_elements(spans)
            case Subheading(spans):
                own = [text_element(plain([block]), bold=True)]
            case CodeBlock(text):
                own = _span_elements([Span(text, code=True)])
            case Image():
                own = _span_elements([picture_span(block)])
            case MarkdownList() | Quote() | MarkdownTable() | Rule():
                own = _span_elements([Span(plain([block]))])
        if own:
            elements += [*([text_element("\n")] if elements else []), *own]
    return elements


def _add_elements(elements: list[Block], node: Node, before: Node | None) -> None:
    """Add the elements of a node that follows `before`. Sections are joined: with a blank line between paragraphs, without one
    below a heading and inside a list. What follows a list or a quote begins with a blank line."""
    for position, element in enumerate(_elements(node)):
        last = elements[-1] if elements else None
        if element["type"] != "rich_text_section" or last is None:
            elements.append(element)
        elif last["type"] == "rich_text_section":
            is_close = position or isinstance(before, Subheading)
            last["elements"] += [text_element("\n" if is_close else "\n\n"), *element["elements"]]
        else:
            is_close = position or (last["type"] == "rich_text_preformatted" and not isinstance(node, Subheading))
            elements.append(element if is_close else rich_text_section(text_element("\n"), *element["elements"]))


def _bold(spans: Iterable[Span]) -> list[Span]:
    return [replace(span, bold=True) for span in spans]


def _section(spans: Iterable[Span]) -> Block:
    return rich_text_section(*_span_elements(spans))


def _span_elements(spans: Iterable[Span]) -> list[Block]:
    """Text and link elements with their style."""
    elements: list[Block] = []
    for span in spans:
        if not span.text:
            continue
        if span.url and (is_url(span.url) or span.url.startswith("mailto:")):
            element: dict[str, Any] = {"type": "link", "url": quote_url(span.url), "text": span.text}
        else:
            element = {"type": "text", "text": span.text}
        style = {"bold": span.bold, "italic": span.italic, "strike": span.struck, "code": span.code}
        if named := {name: True for name, is_set in style.items() if is_set}:
            element["style"] = named
        elements.append(element)
    return elements
