"""Parses Markdown: CommonMark with tables, strikethrough and bare addresses, by markdown-it-py. Raw HTML is text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Literal

from bot.markdown.nodes import (
    Alignment,
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
from bot.text import units, without_control_characters

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.tree import SyntaxTreeNode

AnswerFormat = Literal["markdown", "typed", "plain"]
"""How an answer is written. "markdown": as in a pack's files, where a single line feed is a blank. "typed": in one of Slack's
forms, Markdown whose line feeds stay. "plain": in such a form before Markdown was read there; each line is a paragraph, and one
that starts with "- " a bullet."""

LINK_SCHEMES = ("http://", "https://", "mailto:")
"""How the addresses begin that may become links."""
LONGEST_ADDRESS = 2_000
"""Units of an address (see `units`): Slack takes 3,000, and a longer one would leave no room for text in a message."""
PICTURE = "Picture"
"""What stands before the description of a picture that isn't shown as one."""
PARSED = 256
"""Answers whose nodes are kept in memory: those that are asked for often. One is a few kilobytes."""
MAX_LEVELS = 60
"""Levels of nodes in each other: a list has two, a quote one. markdown-it drops what is deeper, so such an answer is shown as
its source. Python's recursion stays bounded."""


@lru_cache(maxsize=PARSED)
def parse(text: str, answer_format: AnswerFormat = "markdown") -> tuple[Block, ...]:
    """The blocks of an answer or note in one of the formats."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if answer_format == "plain":
        return tuple(_plain_blocks(text))
    from markdown_it.tree import SyntaxTreeNode  # noqa: PLC0415  a start from the cache doesn't need it

    tokens = parser().parse(text)
    if any(token.level >= MAX_LEVELS - 1 for token in tokens):
        return (CodeBlock(without_control_characters(text).strip("\n")),)
    return tuple(_blocks(SyntaxTreeNode(tokens).children, line_break="\n" if answer_format == "typed" else " "))


@cache
def parser() -> MarkdownIt:
    """The parser of answers. Every address becomes a link node, so that `_address` can keep the label of one that may not be."""
    from markdown_it import MarkdownIt  # noqa: PLC0415

    parser = MarkdownIt("js-default", {"linkify": True, "html": False, "maxNesting": MAX_LEVELS})
    if parser.linkify is not None:
        parser.linkify.set({"fuzzy_link": False, "fuzzy_email": False, "fuzzy_ip": False})
    parser.validateLink = _every_address  # type: ignore[method-assign]  # documented as replaceable
    return parser


def _every_address(url: str) -> bool:  # noqa: ARG001  markdown-it-py passes it by name
    return True


def _plain_blocks(text: str) -> Iterator[Block]:
    items: list[ListItem] = []
    text = without_control_characters(text)
    for line in (line.strip() for line in text.split("\n") if line.strip()):
        if line.startswith("- "):
            items.append(ListItem((Paragraph((Span(line[2:]),)),)))
            continue
        if items:
            yield MarkdownList(tuple(items))
            items = []
        yield Paragraph((Span(line),))
    if items:
        yield MarkdownList(tuple(items))


# --- blocks


def _blocks(nodes: Iterable[SyntaxTreeNode], line_break: str, *, inside: bool = False) -> Iterator[Block]:
    """The blocks of syntax nodes. `inside`: within a list or a quote, where a picture can't be a block of its own."""
    for node in nodes:
        match node.type:
            case "paragraph":
                yield from _paragraph_blocks(_inlines(node, line_break), inside=inside)
            case "heading":
                yield from (Subheading(spans) for spans in [_spans_only(_inlines(node, line_break))] if spans)
            case "fence" | "code_block":
                language = node.info.split(maxsplit=1)[0] if node.info.strip() else ""
                yield CodeBlock(without_control_characters(node.content.removesuffix("\n")), language)
            case "bullet_list" | "ordered_list":
                items = tuple(
                    ListItem(tuple(_blocks(item.children, line_break, inside=True))) for item in node.children
                )
                start = int(node.attrs.get("start", 1)) if node.type == "ordered_list" else None
                yield MarkdownList(items, start)
            case "blockquote":
                yield Quote(tuple(_blocks(node.children, line_break, inside=True)))
            case "table":
                yield _table(node, line_break)
            case "hr":
                yield Rule()
            case _:
                yield from _blocks(node.children, line_break, inside=inside)


def _paragraph_blocks(inlines: Sequence[Span | Image], *, inside: bool) -> Iterator[Block]:
    """A paragraph; a picture in it divides it."""
    if inside:
        inlines = [inline if isinstance(inline, Span) else picture_span(inline) for inline in inlines]
    spans: list[Span] = []
    for inline in (*inlines, None):
        if isinstance(inline, Span):
            spans.append(inline)
            continue
        if stripped := _stripped(spans):
            yield Paragraph(stripped)
        spans = []
        if isinstance(inline, Image):
            yield inline


def _table(node: SyntaxTreeNode, line_break: str) -> MarkdownTable:
    rows = [row for part in node.children for row in part.children]
    cells = [[_spans_only(_inlines(cell, line_break)) for cell in row.children] for row in rows]
    return MarkdownTable(
        tuple(cells[0]), tuple(map(tuple, cells[1:])), tuple(_alignment(cell) for cell in rows[0].children)
    )


def _alignment(cell: SyntaxTreeNode) -> Alignment:
    style = str(cell.attrs.get("style", ""))
    return "right" if style.endswith("right") else "center" if style.endswith("center") else "left"


# --- spans


def _inlines(node: SyntaxTreeNode, line_break: str) -> list[Span | Image]:
    """The spans and pictures of a block's text; neighbours of one style are one span."""
    inlines: list[Span | Image] = []
    for inline in _inline_nodes(node.children, Span(""), line_break):
        last = inlines[-1] if inlines else None
        if isinstance(inline, Span) and isinstance(last, Span) and replace(last, text=inline.text) == inline:
            inlines[-1] = replace(last, text=last.text + inline.text)
        else:
            inlines.append(inline)
    return inlines


def _inline_nodes(nodes: Iterable[SyntaxTreeNode], style: Span, line_break: str) -> Iterator[Span | Image]:
    """Spans with the style of the nodes that enclose them, which `style` has."""
    for node in nodes:
        match node.type:
            case "text" | "text_special":
                if text := without_control_characters(node.content):  # a reference such as &#27; may have brought some
                    yield replace(style, text=text)
            case "code_inline":
                if text := without_control_characters(node.content):
                    yield replace(style, text=text, code=True)
            case "softbreak":
                yield replace(style, text=line_break)
            case "hardbreak":
                yield replace(style, text="\n")
            case "strong":
                yield from _inline_nodes(node.children, replace(style, bold=True), line_break)
            case "em":
                yield from _inline_nodes(node.children, replace(style, italic=True), line_break)
            case "s":
                yield from _inline_nodes(node.children, replace(style, struck=True), line_break)
            case "link":
                href = str(node.attrs.get("href", ""))
                linked = replace(style, url=_address(href))
                if node.info == "auto" and not "".join(child.content for child in node.children).isprintable():
                    yield replace(
                        linked, text=href
                    )  # its label is the address decoded, which may hold control characters
                else:
                    yield from _inline_nodes(node.children, linked, line_break)
            case "image":
                yield _picture(str(node.attrs.get("src", "")), node.content, style)
            case _:
                yield from _inline_nodes(node.children, style, line_break)


def link_address(url: str) -> str:
    """Any text as the address of a link, encoded as the parser does; an empty text if it may not be one."""
    return _address(parser().normalizeLink(url)) if units(url) <= LONGEST_ADDRESS else ""


def _address(url: str) -> str:
    """The address if it may become a link, else an empty text: then only the link's label is shown."""
    scheme, colon, rest = url.partition(":")
    url = scheme.lower() + colon + rest
    return url if url.startswith(LINK_SCHEMES) and _is_short_and_whole(url) else ""


def _picture(url: str, alt: str, style: Span) -> Span | Image:
    """A picture by https; by http, a link with its description; any other, its description."""
    alt, address = " ".join(without_control_characters(alt).split()), _address(url)
    if address.startswith("https://") and not style.url:
        return Image(address, alt or PICTURE)
    return replace(style, text=f"{PICTURE}: {alt}" if alt else PICTURE, url=style.url or address)


def picture_span(image: Image) -> Span:
    """A picture as a link with its description."""
    return Span(image.alt if image.alt == PICTURE else f"{PICTURE}: {image.alt}", url=image.url)


def _is_short_and_whole(url: str) -> bool:
    return units(url) <= LONGEST_ADDRESS and not any(character.isspace() for character in url)


def _spans_only(inlines: Iterable[Span | Image]) -> Spans:
    return _stripped([inline if isinstance(inline, Span) else picture_span(inline) for inline in inlines])


def _stripped(spans: Sequence[Span]) -> Spans:
    """The spans without blanks at either end; empty if there is nothing else."""
    kept = list(spans)
    while kept and not kept[0].code and (text := kept[0].text.lstrip()) != kept[0].text:
        kept[0:1] = [replace(kept[0], text=text)] if text else []
    while kept and not kept[-1].code and (text := kept[-1].text.rstrip()) != kept[-1].text:
        kept[-1:] = [replace(kept[-1], text=text)] if text else []
    return tuple(kept)
