"""Divides a long answer into parts that can each be a message."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from urllib.parse import unquote

from bot.markdown.nodes import (
    Block,
    CodeBlock,
    Image,
    ListItem,
    MarkdownList,
    MarkdownTable,
    Paragraph,
    Quote,
    Rule,
    Span,
    Spans,
    Subheading,
)
from bot.markdown.plain import plain
from bot.text import units

MAX_STANDALONE = 12
"""Pictures, tables and rules in a part: in Slack each is a block of its own, with text between, and a message has fifty."""
MAX_ATTEMPTS = 8
"""Times that a block is divided anew because its beginning was still too long; three are enough for ten levels of lists."""
MIN_PIECE = 200
"""Room, in units, that is left unused rather than filled with the beginning of a block that could stay whole."""


def split(blocks: Sequence[Block], limit: int) -> tuple[tuple[Block, ...], ...]:
    """The blocks in as many parts as are needed, each at most `limit` units of plain text (see `units`); at least one part.

    Parts end between blocks where that is possible. A block that is longer than a part is divided: a code block between lines,
    so that each piece is a whole code block, a list between items, a table between rows with its header repeated, a paragraph
    between sentences or words. Only text without any place to divide it is divided between characters. A link isn't divided.
    """
    parts: list[list[Block]] = [[]]
    room, standalone = limit, MAX_STANDALONE
    waiting = list(reversed(blocks))
    while waiting:
        block, part = waiting.pop(), parts[-1]
        length = _size(block) + 2
        if length <= room and standalone >= _standalone(block):
            part.append(block)
            room, standalone = room - length, standalone - _standalone(block)
            continue
        rest: tuple[Block, ...] = (block,)
        if not part or (length > limit and standalone and room >= max(MIN_PIECE, _smallest_piece(block))):
            first, rest = _divide_to_fit(block, room - 2)
            part.append(first)
        elif len(part) > 1 and isinstance(part[-1], Subheading):
            rest = (part.pop(), block)  # a heading stays with what it is about
        waiting += reversed(rest)
        if waiting:
            parts.append([])
            room, standalone = limit, MAX_STANDALONE
    return tuple(map(tuple, parts))


def _size(block: Block) -> int:
    return units(plain((block,)))


def _standalone(block: Block) -> int:
    return 1 if isinstance(block, Image | MarkdownTable | Rule) else 0


def _smallest_piece(block: Block) -> int:
    """The size of the smallest beginning into which a block should be divided."""
    return _size(replace(block, rows=block.rows[:1])) if isinstance(block, MarkdownTable) else 0


Pieces = tuple[Block, tuple[Block, ...]]
"""The beginning of a divided block, and the blocks that hold the rest of it."""


def _divide_to_fit(block: Block, room: int) -> Pieces:
    """As `_divide`, with less room where the lists and quotes around the text take some of it."""
    inner = max(room, 1)
    for _ in range(MAX_ATTEMPTS):
        first, rest = _divide(block, inner)
        length = _size(first)
        if length <= room or inner == 1:
            break
        inner = max(min(inner * room // length, inner - 1), 1)
    return first, rest


def _divide(block: Block, room: int) -> Pieces:
    """The beginning of a block, as long as `room` or a little longer, and the rest; the whole block if it can't be divided."""
    match block:
        case CodeBlock(text, language):
            first, rest = _divide_lines(text, room)
            return CodeBlock(first, language), (CodeBlock(rest, language),) if rest else ()
        case Paragraph(spans) | Subheading(spans):
            beginning, end = _divide_spans(spans, room)
            return replace(block, spans=beginning), (Paragraph(end),) if end else ()
        case MarkdownList(items, start):
            return _divide_list(items, start, room)
        case Quote(blocks):
            beginning_blocks, rest_blocks = _divide_blocks(blocks, room)
            return Quote(beginning_blocks), (Quote(rest_blocks),) if rest_blocks else ()
        case MarkdownTable(_, rows):
            return _divide_table(block, rows, room)
        case Image() | Rule():
            return block, ()


def _divide_table(table: MarkdownTable, rows: Sequence[tuple[Spans, ...]], room: int) -> Pieces:
    """A table between two rows; a row that is too long alone becomes a paragraph."""
    if rows and _size(replace(table, rows=table.rows[:1])) > room:
        first, rest = _divide(Paragraph((Span(plain([replace(table, rows=table.rows[:1])])),)), room)
        return first, (*rest, *((replace(table, rows=table.rows[1:]),) if len(rows) > 1 else ()))
    count = _fitting((_size(replace(table, rows=(row,))) for row in rows), room) if rows else 0
    return replace(table, rows=table.rows[:count]), (replace(table, rows=table.rows[count:]),) if count < len(
        rows
    ) else ()


def _divide_list(items: tuple[ListItem, ...], start: int | None, room: int) -> Pieces:
    if _size(MarkdownList(items[:1], start)) <= room:
        count = _fitting((_size(MarkdownList((item,), start)) for item in items), room)
        rest, next_start = items[count:], None if start is None else start + count
        return MarkdownList(items[:count], start), (MarkdownList(rest, next_start),) if rest else ()
    beginning, end = _divide_blocks(items[0].blocks, room)
    first = MarkdownList((ListItem(beginning),), start)
    if end:  # the item goes on under its own number
        return first, (MarkdownList((ListItem(end), *items[1:]), start),)
    return first, (MarkdownList(items[1:], None if start is None else start + 1),) if items[1:] else ()


def _divide_blocks(blocks: tuple[Block, ...], room: int) -> tuple[tuple[Block, ...], tuple[Block, ...]]:
    if blocks and _size(blocks[0]) > room:
        first, rest = _divide(blocks[0], room)
        return (first,), (*rest, *blocks[1:])
    count = _fitting(map(_size, blocks), room) if blocks else 0
    return blocks[:count], blocks[count:]


def _fitting(sizes: Iterable[int], room: int) -> int:
    """How many of the first elements fit, at least one."""
    count = 0
    for length in sizes:
        room -= length + 1
        if room < 0 and count:
            break
        count += 1
    return max(count, 1)


def _divide_lines(text: str, room: int) -> tuple[str, str]:
    """Whole lines at the beginning, and the rest; a first line that is too long is divided between characters."""
    lines = text.split("\n")
    count = _fitting([units(line) for line in lines], room)
    if count == 1 and units(lines[0]) > room:
        end = _characters(text, room)
        return text[:end], text[end:]
    return "\n".join(lines[:count]), "\n".join(lines[count:])


def _divide_spans(spans: Spans, room: int) -> tuple[Spans, Spans]:
    text = "".join(span.text for span in spans)
    end = _characters_with_addresses(spans, room)
    if not spans[0].url or end > len(spans[0].text):  # else it ends with the first link, or within its label
        end = _outside_links(spans, _place_to_divide(text, end))
    beginning, rest = list[Span](), list[Span]()
    position = 0
    for span in spans:
        length = len(span.text)
        cut = min(max(end - position, 0), length)
        beginning += [replace(span, text=span.text[:cut])] if cut else []
        rest += [replace(span, text=span.text[cut:])] if cut < length else []
        position += length
    return tuple(_right_stripped(beginning)), tuple(_left_stripped(rest))


def _characters_with_addresses(spans: Spans, room: int) -> int:
    """How many characters of the spans fit if each address is counted as well.

    A link isn't divided, and the first one fits at any rate; unless its label is longer than the room, and isn't its address.
    """
    count = 0
    for span in spans:
        is_its_label = unquote(span.text) == unquote(span.url)
        length = units(span.text) + (units(span.url) + 3 if span.url and not is_its_label else 0)
        if length > room:
            if span.url:
                return count or (len(span.text) if is_its_label else _label_characters(span, room))
            return count + _characters(span.text, max(room, 1))
        room, count = room - length, count + len(span.text)
    return count


def _label_characters(span: Span, room: int) -> int:
    """How many characters of a link's label fit into the room, which then stand before its address; all of a short label."""
    if units(span.text) <= room:
        return len(span.text)
    return _place_to_divide(span.text, _characters(span.text, max(room - units(span.url) - 3, room // 2)))


def _outside_links(spans: Spans, end: int) -> int:
    """`end`, or where the link begins that it would divide."""
    position = 0
    for span in spans:
        if span.url and position < end < position + len(span.text):
            return position or len(span.text)
        position += len(span.text)
    return end


def _place_to_divide(text: str, end: int) -> int:
    """The end of a sentence before `end` if that leaves at least half, else of a word, else `end` itself."""
    if end >= len(text):
        return end
    sentence = max(text.rfind(mark, 0, end) + 1 for mark in (". ", "? ", "! ", "\n", "。", "？", "！"))
    if sentence >= end // 2 and sentence:
        return sentence
    word = text.rfind(" ", 0, end)
    return word if word > 0 else max(end, 1)


def _characters(text: str, room: int) -> int:
    """How many characters fit into `room` units, at least one."""
    if units(text) <= room:
        return len(text)
    count = 0
    for character in text:
        room -= units(character)
        if room < 0:
            break
        count += 1
    return max(count, 1)


def _right_stripped(spans: list[Span]) -> Iterable[Span]:
    return [*spans[:-1], replace(spans[-1], text=spans[-1].text.rstrip())] if spans else spans


def _left_stripped(spans: list[Span]) -> Iterator[Span]:
    for index, span in enumerate(spans):
        stripped = span if index else replace(span, text=span.text.lstrip())
        if stripped.text:
            yield stripped
