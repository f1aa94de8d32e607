"""The blocks of an imported Markdown file, as a tree that needs nothing of its old site, and the tree as Markdown again.

A block of the file in which nothing has to change keeps the author's lines. HTML elements, admonitions and tabs, which may span
several blocks of Markdown, become blocks: folds, quotes with a bold label, bold lines.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser

from markdown_it.token import Token

from bot.exchange.faq import asks
from bot.exchange.faq_inline import (
    NOTHING,
    Inline,
    Reading,
    absolute_address,
    convert_inline,
    convert_token,
    escape,
    has_breaks,
    unescape_html,
)
from bot.exchange.faq_syntax import ADMONITIONS, FOLDS, parser


@dataclass(frozen=True, slots=True)
class Block:
    """A block. `line`: where it starts in the file. `source`: the author's lines, if nothing in them has to change."""

    line: int
    source: tuple[str, ...] = field(default=(), kw_only=True)


@dataclass(frozen=True, slots=True)
class Paragraph(Block):
    inline: Inline


@dataclass(frozen=True, slots=True)
class Heading(Block):
    level: int
    inline: Inline
    anchor: str = ""


@dataclass(frozen=True, slots=True)
class Code(Block):
    """`info`: what stands behind the fence. `text` ends with a line feed unless it is empty."""

    info: str
    text: str
    fence: str = "```"


@dataclass(frozen=True, slots=True)
class Quote(Block):
    children: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class ListBlock(Block):
    """`marker`: the bullet, or the sign behind the number; `start`: the first number, -1 for bullets."""

    marker: str
    start: int
    is_tight: bool
    items: tuple[tuple[Block, ...], ...]


@dataclass(frozen=True, slots=True)
class Table(Block):
    """A table.

    Attributes:
        sources: The cells of the rows as they are written, or, if `is_read`, as Markdown that needs nothing of its old site.
        paragraphs: The table in another form, if its cells hold more than a Markdown table can.
    """

    header: tuple[Inline, ...]
    rows: tuple[tuple[Inline, ...], ...]
    alignment: tuple[str, ...]
    row_lines: tuple[int, ...]
    sources: tuple[tuple[str, ...], ...]
    is_read: bool = False
    paragraphs: tuple[Block, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule(Block):
    pass


@dataclass(frozen=True, slots=True)
class Fold(Block):
    """A foldable section: of HTML (`details`) or of a documentation generator; `is_aside` if that calls it a note or the like."""

    summary: Inline
    children: tuple[Block, ...]
    is_aside: bool = False


@dataclass(frozen=True, slots=True)
class Definition(Block):
    """A term and what is said of it."""

    term: Inline
    children: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Contents(Block):
    """A mark for which a generator puts the table of contents."""


MAX_DEPTH = 40
"""Levels of nesting of HTML elements; deeper ones are taken for one level."""


def read_blocks(source: str, reading: Reading, first_line: int = 1, *, depth: int = 0) -> tuple[Block, ...]:
    """The blocks of a Markdown text; `first_line` is the line of the file where it starts."""
    environment: dict[str, object] = {}
    tokens = parser().parse(source, environment)
    if depth == 0:
        references = environment.get("references")
        reading.has_references = bool(references)
        reading.footnotes = {token.info.casefold(): token.content for token in tokens if token.type == "footnote"}
        reading.read_footnotes.clear()
        reading.closed_tags = frozenset(name.lower() for name in re.findall(r"</([A-Za-z][\w.-]{0,60})", source))
    lines = tuple(source.split("\n"))
    return _BlockReader(reading, lines, first_line, depth).read(tokens)


def html_blocks(source: str, reading: Reading, line: int) -> tuple[Block, ...]:
    """The blocks of a piece of HTML whose text is no Markdown."""
    reading.closed_tags = frozenset(name.lower() for name in re.findall(r"</([A-Za-z][\w.-]{0,60})", source))
    container = _Container(reading, line, is_literal=True, depth=MAX_NESTED_PARSES)
    container.html(source, line)
    return container.close()


# --- tokens to blocks


@dataclass(slots=True)
class _BlockReader:
    reading: Reading
    lines: tuple[str, ...]
    first_line: int
    depth: int

    def read(self, tokens: Sequence[Token], *, is_top: bool = True) -> tuple[Block, ...]:
        """The blocks of a run of tokens that are complete."""
        container = _Container(self.reading, self.first_line, is_literal=False, depth=self.depth)
        position = indents = 0
        while position < len(tokens):
            token = tokens[position]
            end = _closing(tokens, position)
            line = self._line(token)
            if token.type == "mark" and token.meta["is_indented"]:
                indents += token.meta["nesting"]
            if token.type == "html_block":
                container.html(token.content, line)
            elif token.type == "mark":
                container.mark(token, line)
            else:
                before = self.reading.changes
                block = self._block(token, tokens[position + 1 : end], line)
                if block is not None:
                    if is_top and not indents and self.reading.changes == before and token.map:
                        block = replace(block, source=self._source(token.map))
                    container.add(block)
            position = end + 1
        return container.close()

    def _line(self, token: Token) -> int:
        return self.first_line + (token.map[0] if token.map else 0)

    def _source(self, lines: Sequence[int]) -> tuple[str, ...]:
        chosen = list(self.lines[lines[0] : lines[1]])
        while chosen and not chosen[-1].strip():
            chosen.pop()
        return tuple(chosen)

    def _block(self, token: Token, inner: Sequence[Token], line: int) -> Block | None:
        match token.type:
            case "paragraph_open":
                return Paragraph(line, convert_token(inner[0], line, self.reading))
            case "heading_open":
                return self._heading(token, inner[0], line)
            case "fence":
                return self._fence(token, line)
            case "code_block":
                return Code(line, "", token.content)
            case "blockquote_open":
                return _quote(line, self.read(inner, is_top=False), self.reading)
            case "bullet_list_open" | "ordered_list_open":
                return self._list(token, inner, line)
            case "table_open":
                return self._table(inner, line)
            case "hr":
                return Rule(line)
            case "definition_term":
                return Definition(line, convert_inline(token.content, line, self.reading), ())
            case "definition_open":
                return Definition(line, NOTHING, self.read(inner, is_top=False))
            case _:  # footnotes, which stand where they are referred to
                return None

    def _heading(self, token: Token, inline: Token, line: int) -> Heading:
        anchor = re.search(r"[ \t]*\{:?[ \t]*([^{}]{0,200})\}[ \t]*$", inline.content[-300:])
        identifier = ""
        if anchor:
            inline = parser().parseInline(inline.content[: len(inline.content) - len(anchor[0])], {})[0]
            found = re.search(r"#([\w.:-]+)", anchor[1])
            identifier = found[1] if found else ""
            self.reading.changes += 1
        return Heading(line, int(token.tag[1]), convert_token(inline, line, self.reading), identifier)

    def _fence(self, token: Token, line: int) -> Block:
        directive = re.match(r"\{([\w:-]+)\}[ \t]*(.*)$", token.info.strip())
        if directive and self.depth < MAX_NESTED_PARSES:  # MyST: an admonition that is written as a fence
            name = directive[1].lower()
            text = re.sub(r"\A(?::[\w-]+:.*\n)+\n?", "", token.content)
            if name in ADMONITIONS or name in FOLDS:
                self.reading.changes += 1
                children = read_blocks(text, self.reading, line + 1, depth=self.depth + 1)
                if name in FOLDS:
                    return Fold(line, convert_inline(directive[2], line, self.reading), children)
                return _admonition(line, name, convert_inline(directive[2], line, self.reading), children)
        first, end = token.map or (0, 0)
        if not token.markup:  # a directive
            self.reading.changes += 1
        elif end - first < 2 or set(self.lines[end - 1].strip("> \t")) != set(token.markup[:1]):
            self.reading.note(line, "this fence is never closed; all below it is code", "read as")
        return Code(line, token.info.strip(), token.content, token.markup)

    def _list(self, token: Token, inner: Sequence[Token], line: int) -> ListBlock:
        items, position = [], 0
        while position < len(inner):
            end = _closing(inner, position)
            items.append(self.read(inner[position + 1 : end], is_top=False))
            position = end + 1
        is_tight = all(
            child.hidden for child in inner if child.type == "paragraph_open" and child.level == token.level + 2
        )
        is_ordered = token.type == "ordered_list_open"
        start = token.attrGet("start")
        return ListBlock(
            line, token.markup, (int(start) if start is not None else 1) if is_ordered else -1, is_tight, tuple(items)
        )

    def _table(self, inner: Sequence[Token], line: int) -> Table:
        rows: list[list[Inline]] = []
        sources: list[list[str]] = []
        row_lines: list[int] = []
        alignment: list[str] = []
        for token in inner:
            if token.type == "tr_open":
                rows.append([])
                sources.append([])
                row_lines.append(self._line(token))
            elif token.type == "th_open":
                alignment.append(str(token.attrGet("style") or "").removeprefix("text-align:"))
            elif token.type == "inline":
                rows[-1].append(convert_token(token, row_lines[-1], self.reading))
                sources[-1].append(token.content)
        if any(has_breaks(cell.markdown) for row in rows for cell in row):
            self.reading.note(line, BREAKS_IN_CELLS, "changed")
        return Table(
            line, tuple(rows[0]), tuple(map(tuple, rows[1:])), tuple(alignment), tuple(row_lines[1:]),
            tuple(map(tuple, sources[1:])),
        )  # fmt: skip


def _closing(tokens: Sequence[Token], position: int) -> int:
    """The position of the token that closes the one at `position`; its own if it doesn't open anything."""
    token = tokens[position]
    if token.nesting <= 0:
        return position
    for number in range(position + 1, len(tokens)):
        if tokens[number].nesting < 0 and tokens[number].level == token.level:
            return number
    return len(tokens) - 1


_ALERT = re.compile(r"\[!([A-Za-z][\w-]{0,30})\][+-]?[ \t]*([^\n]{0,300})(?:\\?\n|$)")


def _quote(line: int, children: tuple[Block, ...], reading: Reading) -> Block:
    """A block quote; one that GitHub or Obsidian shows as an admonition becomes that."""
    first = children[0] if children else None
    found = _ALERT.match(first.inline.markdown) if isinstance(first, Paragraph) else None
    if found is None or not isinstance(first, Paragraph):
        return Quote(line, children)
    reading.changes += 1
    rest = first.inline.markdown[found.end() :]
    text = first.inline.text.partition("\n")[2] if rest else ""
    body = (Paragraph(first.line, Inline(rest, text)), *children[1:]) if rest.strip() else children[1:]
    title = found[2].strip()
    return _admonition(line, found[1].lower(), Inline(title, title) if title else NOTHING, body)


def _admonition(line: int, name: str, title: Inline, children: tuple[Block, ...]) -> Block:
    """A quote that begins with a bold label."""
    label = title.markdown.strip().strip("*") if title.text.strip() else name.replace("-", " ").capitalize() or "Note"
    first = children[0] if children else None
    if isinstance(first, Paragraph) and not title.text.strip():
        merged = Inline(f"**{label}:** {first.inline.markdown}", f"{label}: {first.inline.text}")
        return Quote(line, (Paragraph(line, merged), *children[1:]))
    return Quote(line, (_bold_line(line, Inline(label, title.text or label)), *children))


def _bold_line(line: int, inline: Inline) -> Paragraph:
    """A paragraph in bold; marks of bold within it would end it."""
    markdown = " ".join(re.sub(r"\*\*|__", "", inline.markdown).replace("\\\n", " ").split())
    return Paragraph(line, Inline(f"**{markdown}**" if markdown else "", inline.text))


# --- HTML and marks, which may span several blocks

BLOCK_NAMES = frozenset(
    "address article aside blockquote body caption center dd details div dl dt fieldset figcaption figure footer form "
    "h1 h2 h3 h4 h5 h6 head header hr html iframe legend li main menu nav noscript ol p pre script section style summary "
    "svg table tbody td template textarea tfoot th thead title tr ul".split()
)
COMPONENTS = {"tabitem": "tab", "tab": "tab", "step": "tab", "accordionitem": "fold"}
"""Components of documentation generators that have a title, with the kind of mark that they are."""
GROUPS = frozenset("tabs steps tabgroup accordiongroup cardgroup codegroup".split())
DROPPED = frozenset("script style template head svg noscript nav".split())
CLOSES_BEFORE: dict[str, frozenset[str]] = {
    "li": frozenset(["li"]),
    "tr": frozenset(["tr", "td", "th"]),
    "td": frozenset(["td", "th"]),
    "th": frozenset(["td", "th"]),
    "dt": frozenset(["dt", "dd"]),
    "dd": frozenset(["dt", "dd"]),
    "tbody": frozenset(["tr", "td", "th", "thead"]),
}
"""Elements that an opening tag closes, within the list or table that is open."""
ENCLOSING = frozenset("details blockquote mark:fold mark:admonition".split())
"""Elements that keep the headings in them from being questions of the page."""
LOWEST_LEVEL = 6
SCOPES = frozenset("ul ol menu table dl details blockquote".split())
MAX_NESTED_PARSES = 2
"""How often text within HTML within text is parsed as blocks again."""

_ENDLESS = re.compile(r"[ \t]{0,3}(<(?:!--|(script|style|pre|textarea)\b[^<>]{0,500}>))", re.IGNORECASE)
"""What ends at a sign of its own, and would take all the rest of the file without it."""
_NO_TAG = re.compile(r"<(?!!--)(?![^<>]{0,5000}>)")
"""A sign that begins no tag. html.parser looks for the end of each, in time that grows with the square of their number."""
_BLOCK_START = re.compile(r"^(?:```|~~~|[-*+][ \t]+\S|\d{1,9}[.)][ \t]+\S|#{1,6}[ \t]|\|.*\||>[ \t]?\S)", re.M)


@dataclass(frozen=True, slots=True)
class _Item(Block):
    """An item of an HTML list, a row or a cell of an HTML table, while that is open."""

    name: str
    children: tuple[Block, ...]


@dataclass(slots=True)
class _Frame:
    """An element that is open."""

    name: str
    line: int
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[Block] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    text_line: int = 0


class _HtmlEvents(HTMLParser):
    """Hands the tags and texts of a piece of HTML to a container."""

    def __init__(self, container: _Container, line: int) -> None:
        super().__init__(convert_charrefs=container.is_literal)
        self.container, self.base = container, line - 1

    def _line(self) -> int:
        return self.base + self.getpos()[0]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.container.open_tag(
            tag, {n: v or "" for n, v in reversed(attrs)}, self.get_starttag_text() or "", self._line()
        )

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag in BLOCK_NAMES or tag in COMPONENTS or tag in GROUPS or tag in ADMONITIONS or tag in FOLDS:
            self.container.close_tag(tag, self._line())

    def handle_endtag(self, tag: str) -> None:
        self.container.close_tag(tag, self._line())

    def handle_data(self, data: str) -> None:
        self.container.text(data, self._line())

    def handle_entityref(self, name: str) -> None:
        self.container.entity(f"&{name};", self._line())

    def handle_charref(self, name: str) -> None:
        self.container.entity(f"&#{name};", self._line())

    def handle_comment(self, data: str) -> None:
        self.container.comment(data, self._line())

    def unknown_decl(self, data: str) -> None:
        self.container.text(data, self._line())


class _Container:
    """Collects the blocks of one container of Markdown, and builds those of the HTML elements and marks in it."""

    def __init__(self, reading: Reading, line: int, *, is_literal: bool, depth: int) -> None:
        self.reading, self.is_literal, self.depth = reading, is_literal, depth
        self.frames = [_Frame("", line)]
        self.ignored = 0

    # --- what comes in

    def add(self, block: Block) -> None:
        """A block of Markdown."""
        self._flush()
        children = self.frames[-1].children
        term = children[-1] if children else None
        if isinstance(block, Definition) and not block.term.text and isinstance(term, Definition):
            children.pop()
            block = Definition(term.line, term.term, (*term.children, *block.children))
        children.append(block)

    def html(self, source: str, line: int) -> None:
        endless = _ENDLESS.match(source)
        end = f"</{endless[2].lower()}" if endless and endless[2] else "-->"
        if endless and not self.is_literal and end not in source[endless.end() :].lower() and self.depth < MAX_DEPTH:
            self.reading.note(line, f"'{endless[1]}' has no end; what follows was read without it", "read as")
            for block in read_blocks(source[endless.end() :], self.reading, line, depth=self.depth + 1):
                self.add(block)
            return
        last = source.rfind("<!--")
        if last >= 0 and source.find("-->", last) < 0:
            source = f"{source[:last]}&lt;{source[last + 1 :]}"
        events = _HtmlEvents(self, line)
        events.feed(_NO_TAG.sub("&lt;", source))
        events.close()

    def mark(self, token: Token, line: int) -> None:
        kind, nesting = token.info, token.meta["nesting"]
        if kind == "contents":
            self.add(Contents(line))
        elif kind in ("dropped", "attributes"):
            self._flush()
            self.reading.note(line, f"'{token.tag[:80].strip()}' is a mark of the old site")
        elif nesting > 0:
            self.reading.changes += 1
            name = token.tag
            if kind == "admonition" and asks(token.content) and (name == "question" or name not in ADMONITIONS):
                kind, name = "fold", "question"
            is_other = kind == "admonition" and name not in ADMONITIONS and bool(token.content)
            title = f"{name.capitalize()}: {token.content}" if is_other else token.content
            self._push(_Frame(f"mark:{kind}", line, {"name": name, "title": title, "mark": token.tag}))
        else:
            self._close_mark(kind, token.tag)

    def _close_mark(self, kind: str, name: str) -> None:
        for number in range(len(self.frames) - 1, 0, -1):
            frame = self.frames[number]
            is_same = frame.name == f"mark:{kind}" or (kind == "admonition" and frame.attributes.get("mark") == name)
            if frame.name.startswith("mark:") and (name == ":::" or is_same):
                self._close_to(number)
                return

    def open_tag(self, name: str, attributes: dict[str, str], source: str, line: int) -> None:
        if self._in_dropped():
            self.ignored += name == self.frames[-1].name
            return
        if self.frames[-1].name == "pre":
            if name == "br":
                self.frames[-1].text.append("\n")
            elif name == "code" and not self.frames[-1].attributes.get("class"):
                self.frames[-1].attributes["class"] = attributes.get("class", "")
            return
        if name not in BLOCK_NAMES:
            self._open_component(name, attributes, source, line)
            return
        self._flush()
        if name == "hr":
            self.frames[-1].children.append(Rule(line))
            return
        if name == "iframe":
            self._embedded(attributes, line)
            return
        self._close_implied(name)
        if name in (
            "div",
            "center",
            "section",
            "article",
            "aside",
            "main",
            "header",
            "footer",
            "fieldset",
            "form",
            "address",
        ):
            self.reading.note(line, f"<{name}> has no form in Markdown; what is in it stays")
        elif name in DROPPED:
            self.reading.note(line, f"<{name}> with what is in it")
        self._push(_Frame(name, line, attributes))

    def _open_component(self, name: str, attributes: dict[str, str], source: str, line: int) -> None:
        kind = "fold" if name in FOLDS else COMPONENTS.get(name, "group" if name in GROUPS else "")
        if name in ADMONITIONS and name != "abstract" and source[1:2].isupper():
            kind = "admonition"
        if not kind or self.is_literal:
            self.raw(source, line)
            return
        self._flush()
        self.reading.changes += 1
        title = next((attributes[key] for key in ("label", "title", "summary", "value") if attributes.get(key)), "")
        self._push(
            _Frame(f"mark:{kind}", line, {"name": attributes.get("type", "") or name, "title": title, "tag": name})
        )

    def _embedded(self, attributes: dict[str, str], line: int) -> None:
        address = absolute_address(attributes.get("src", ""))
        if address and not re.search(r"[\s<>]", address):
            self.reading.note(line, "<iframe> became a link", "changed")
            self.frames[-1].children.append(Paragraph(line, Inline(f"<{address}>", address)))
        else:
            self.reading.note(line, "<iframe> has no form in Markdown")
        self._push(_Frame("iframe", line))

    def close_tag(self, name: str, line: int) -> None:
        if self._in_dropped() and name != self.frames[-1].name:
            return
        if self._in_dropped() and self.ignored:
            self.ignored -= 1
            return
        for number in range(len(self.frames) - 1, 0, -1):
            frame = self.frames[number]
            if frame.name == name or frame.attributes.get("tag") == name:
                self._close_to(number)
                return
        if name not in BLOCK_NAMES:
            self.raw(f"</{name}>", line)
        else:
            self._flush()

    def text(self, data: str, line: int) -> None:
        if self._in_dropped():
            return
        if self.frames[-1].name == "pre":
            self.frames[-1].text.append(data)
        else:
            self.raw(escape(re.sub(r"[\n\xa0]", " ", data), at_start=False) if self.is_literal else data, line)

    def entity(self, source: str, line: int) -> None:
        if self.frames[-1].name == "pre":
            self.text(unescape_html(source), line)
        else:
            self.raw(source, line)

    def comment(self, data: str, line: int) -> None:
        if self.frames[-1].name != "pre" and not self._in_dropped():
            if re.fullmatch(r"\s*toc\s*", data, re.IGNORECASE):
                self.add(Contents(line))
            else:
                self.reading.note(line, "a comment")

    def raw(self, source: str, line: int) -> None:
        """Inline source: parsed when the text around it is complete."""
        if self._in_dropped():
            return
        frame = self.frames[-1]
        if frame.name == "pre":
            return
        if not frame.text:
            frame.text_line = line
        frame.text.append(source)

    def close(self) -> tuple[Block, ...]:
        while len(self.frames) > 1:
            self._end_open()
        self._flush()
        return tuple(self.frames[0].children)

    def _end_open(self) -> None:
        """Close the element that is never closed: what holds text ends above the next heading of the level above it."""
        frame = self.frames[-1]
        if frame.name not in ENCLOSING:
            self._close_to(len(self.frames) - 1)
            return
        self._flush()
        above = (block for outer in reversed(self.frames[:-1]) for block in reversed(outer.children))
        level = next((block.level for block in above if isinstance(block, Heading)), LOWEST_LEVEL)
        end = next(
            (n for n, block in enumerate(frame.children) if isinstance(block, Heading) and block.level <= level),
            len(frame.children),
        )
        rest = frame.children[end:]
        del frame.children[end:]
        name = frame.attributes.get("mark") or frame.attributes.get("tag") or frame.name
        where = f"it was ended above line {rest[0].line}" if rest else "what follows was read as part of it"
        self.reading.note(frame.line, f"'{name}' is never closed; {where}", "read as")
        self._close_to(len(self.frames) - 1)
        self.frames[-1].children += rest

    # --- frames

    def _in_dropped(self) -> bool:
        return self.frames[-1].name in DROPPED or self.frames[-1].name == "iframe"

    def _push(self, frame: _Frame) -> None:
        self._flush()
        self.reading.changes += 1
        if len(self.frames) < MAX_DEPTH:
            self.frames.append(frame)

    def _close_implied(self, name: str) -> None:
        """Close the items, rows and cells that an opening tag ends, and a paragraph before any block."""
        closing = CLOSES_BEFORE.get(name, frozenset())
        lowest = None
        for number in range(len(self.frames) - 1, 0, -1):
            frame = self.frames[number]
            if frame.name in closing or frame.name in ("p", "summary"):
                lowest = number
            elif frame.name in SCOPES or frame.name.startswith("mark:"):
                break
        if (
            lowest is not None
            and (name in CLOSES_BEFORE or self.frames[lowest].name == "p")
            and self.frames[lowest].name != "summary"
        ):
            self._close_to(lowest)

    def _close_to(self, number: int) -> None:
        while len(self.frames) > number:
            self._flush()
            frame = self.frames.pop()
            self.frames[-1].children += self._built(frame)

    def _flush(self) -> None:
        """The inline source that was collected becomes paragraphs."""
        frame = self.frames[-1]
        if frame.name == "pre" or not frame.text:
            return
        source, frame.text = "".join(frame.text), []
        if not source.strip():
            return
        line = frame.text_line + len(source[: len(source) - len(source.lstrip())].split("\n")) - 1
        source = textwrap.dedent(source.strip("\n")) if "\n" in source else source.strip()
        start = None if self.is_literal or self.depth >= MAX_NESTED_PARSES else _BLOCK_START.search(source)
        if start and source.startswith("<"):  # tags in the line above, which would hide it
            self._add_paragraphs(source[: start.start()], line)
            line += source[: start.start()].count("\n")
            source = source[start.start() :]
        if start:
            frame.children += read_blocks(source, self.reading, line, depth=self.depth + 1)
        else:
            self._add_paragraphs(source, line)

    def _add_paragraphs(self, source: str, line: int) -> None:
        """Inline source, divided at blank lines."""
        for part in re.split(r"\n[ \t]*\n", source):
            text = "\n".join(row.strip() for row in part.strip().split("\n"))
            inline = convert_inline(text, line, self.reading)
            if inline.markdown.strip():
                self.frames[-1].children.append(
                    Paragraph(line, Inline(inline.markdown.strip("\n "), inline.text, inline.is_index))
                )
            line += part.count("\n") + 2

    # --- elements to blocks

    def _built(self, frame: _Frame) -> list[Block]:
        """The blocks of an element that is complete."""
        children, line = tuple(frame.children), frame.line
        match frame.name:
            case "pre":
                return self._code(frame)
            case "details" | "mark:fold":
                return [_fold(frame, children, self.reading)]
            case "mark:admonition":
                title = convert_inline(frame.attributes["title"], line, self.reading)
                return [_admonition(line, frame.attributes["name"], title, children)]
            case "mark:tab":
                title = convert_inline(frame.attributes["title"], line, self.reading)
                return [*([_bold_line(line, title)] if title.text.strip() else []), *children]
            case "blockquote":
                return [_quote(line, children, self.reading)] if children else []
            case "ul" | "ol" | "menu":
                return _html_list(frame, children)
            case "li" | "summary" | "tr" | "td" | "th" | "dt" | "dd" | "caption":
                return [_Item(line, frame.name, children)]
            case "table":
                return _html_table(line, children, self.reading)
            case "dl":
                return _definitions(children)
            case "h1" | "h2" | "h3" | "h4" | "h5" | "h6":
                return _html_heading(frame, children)
            case _ if frame.name in DROPPED or frame.name == "iframe":
                return []
            case _:
                return list(children)

    def _code(self, frame: _Frame) -> list[Block]:
        text = "".join(frame.text).removeprefix("\n").rstrip()
        language = re.search(r"(?:language|lang|brush)[-:]\s?([\w+#-]+)", frame.attributes.get("class", ""))
        return (
            [Code(frame.line, language[1] if language else frame.attributes.get("lang", ""), text + "\n")]
            if text.strip()
            else []
        )


def _fold(frame: _Frame, children: tuple[Block, ...], reading: Reading) -> Fold:
    if frame.name == "mark:fold":
        name = frame.attributes["name"]
        is_aside = name == "details" or (name in ADMONITIONS and name != "question")
        return Fold(frame.line, convert_inline(frame.attributes["title"], frame.line, reading), children, is_aside)
    summary = next((child for child in children if isinstance(child, _Item) and child.name == "summary"), None)
    rest = tuple(child for child in children if child is not summary)
    title, others = _divided(summary.children if summary else ())
    return Fold(frame.line, title, (*others, *_flat(rest)))


def _one_line(blocks: Iterable[Block]) -> Inline:
    """The text of paragraphs and headings as one."""
    parts = [block.inline for block in _flat(tuple(blocks)) if isinstance(block, (Paragraph, Heading))]
    markdown = " ".join(part.markdown.replace("\\\n", " ") for part in parts)
    return Inline(" ".join(markdown.split()), " ".join(" ".join(part.text for part in parts).split()))


def _divided(children: tuple[Block, ...]) -> tuple[Inline, tuple[Block, ...]]:
    """The text of paragraphs and headings as one, and the blocks that are something else."""
    others = tuple(child for child in _flat(children) if not isinstance(child, (Paragraph, Heading)))
    return _one_line(children), others


def _flat(children: tuple[Block, ...]) -> tuple[Block, ...]:
    """The blocks, with items that stand in no list or table replaced by what is in them."""
    return tuple(
        block for child in children for block in (_flat(child.children) if isinstance(child, _Item) else (child,))
    )


def _html_list(frame: _Frame, children: tuple[Block, ...]) -> list[Block]:
    items: list[tuple[Block, ...]] = []
    for child in children:
        if isinstance(child, _Item):
            items.append(_flat(child.children))
        elif items:  # a list directly in a list belongs to the item before it
            items[-1] = (*items[-1], child)
        else:
            items.append((child,))
    items = [item for item in items if item]
    if not items:
        return []
    number = frame.attributes.get("start", "1")
    start = (int(number) if number.isdecimal() and len(number) < 9 else 1) if frame.name == "ol" else -1
    is_tight = all(sum(not isinstance(block, ListBlock) for block in item) == 1 for item in items)
    return [ListBlock(frame.line, "." if start >= 0 else "-", start, is_tight, tuple(items))]


def _html_heading(frame: _Frame, children: tuple[Block, ...]) -> list[Block]:
    inline, others = _divided(children)
    if not inline.markdown:
        return list(others)
    return [Heading(frame.line, int(frame.name[1]), inline, frame.attributes.get("id", "")), *others]


def _definitions(children: tuple[Block, ...]) -> list[Block]:
    blocks: list[Block] = []
    for child in children:
        if isinstance(child, _Item) and child.name == "dt":
            blocks.append(Definition(child.line, *_divided(child.children)))
        elif isinstance(child, _Item) and blocks and isinstance(last := blocks[-1], Definition):
            blocks[-1] = replace(last, children=(*last.children, *_flat(child.children)))
        else:
            blocks += _flat((child,))
    return blocks


def _cell_text(cell: _Item) -> Inline:
    """The text of a cell with at most one paragraph."""
    return next((block.inline for block in cell.children if isinstance(block, Paragraph)), NOTHING)


BREAKS_IN_CELLS = "line breaks within the cells of a table became semicolons"


def _html_table(line: int, children: tuple[Block, ...], reading: Reading) -> list[Block]:
    """A table of Markdown; where cells hold more than a paragraph, each row as paragraphs with the header in bold.

    One row or one column has no header: it places things on the page.
    """
    rows = [row for row in children if isinstance(row, _Item) and row.name == "tr"]
    outside = [cell for row in rows for cell in row.children if not isinstance(cell, _Item)]
    before = [block for child in (*children, *outside) if child not in rows for block in _flat((child,))]
    cells = [[cell for cell in row.children if isinstance(cell, _Item)] for row in rows]
    cells = [row for row in cells if any(cell.children for cell in row)]
    width = max(map(len, cells), default=0)
    if len(cells) <= 1 or width == 1:
        return [*before, *(block for row in cells for cell in row for block in _flat(cell.children))]
    has_header = all(cell.name == "th" for cell in cells[0])
    header = cells[0] if has_header else []
    body = cells[1:] if has_header else cells
    is_simple = all(
        len(cell.children) <= 1 and not any(_needs_lines(b) for b in cell.children) for row in cells for cell in row
    )
    padded = [tuple(_cell_text(cell) for cell in row) + (NOTHING,) * (width - len(row)) for row in body]
    if is_simple and any(has_breaks(cell.markdown) for row in padded for cell in row):
        reading.note(line, BREAKS_IN_CELLS, "changed")
    table = Table(
        line,
        tuple(_one_line(cell.children) for cell in header) + (NOTHING,) * (width - len(header)),
        tuple(padded),
        ("",) * width,
        tuple(row[0].line if row else line for row in body),
        tuple(tuple(render(_flat(cell.children)) for cell in row) + ("",) * (width - len(row)) for row in body),
        is_read=True,
        paragraphs=() if is_simple else tuple(_row_paragraphs(line, header, body)),
    )
    return [*before, table]


def _row_paragraphs(line: int, header: Sequence[_Item], rows: Sequence[Sequence[_Item]]) -> list[Block]:
    """Each row's cells below each other, with the header in bold."""
    blocks: list[Block] = []
    for row in rows:
        for number, cell in enumerate(row):
            label = _one_line(header[number].children) if number < len(header) else NOTHING
            blocks += [_bold_line(cell.line, label)] if label.text and cell.children else []
            blocks += _flat(cell.children)
        blocks.append(Rule(line))
    return blocks[:-1]


def _needs_lines(block: Block) -> bool:
    """Whether a block can't stand in a cell of a Markdown table."""
    return not isinstance(block, Paragraph) or len(block.inline.markdown) > 1_000


# --- blocks to Markdown


def render(blocks: Sequence[Block]) -> str:
    """The blocks as Markdown."""
    lines: list[str] = []
    for number, block in enumerate(_trimmed(blocks)):
        rendered = _lines(block, is_first=number == 0)
        if rendered:
            lines += ["", *rendered] if lines else rendered
    return "\n".join(lines)


def _trimmed(blocks: Sequence[Block]) -> Sequence[Block]:
    """Without rules at the start and the end, which divide questions."""
    start, end = 0, len(blocks)
    while start < end and isinstance(blocks[start], (Rule, Contents)):
        start += 1
    while end > start and isinstance(blocks[end - 1], (Rule, Contents)):
        end -= 1
    return blocks[start:end]


def _lines(block: Block, *, is_first: bool = False) -> list[str]:
    if block.source and not (is_first and isinstance(block, Code) and block.source[0].startswith(("    ", "\t"))):
        if not is_first:
            return list(block.source)
        # What indents the whole answer would be lost at its start.
        return (
            textwrap.dedent("\n".join(block.source)).split("\n") if block.source[0][:1] == " " else list(block.source)
        )
    match block:
        case Paragraph(inline=inline):
            return inline.markdown.split("\n") if inline.markdown.strip() else []
        case Heading(level=level, inline=inline):
            return ["#" * level + " " + " ".join(inline.markdown.replace("\\\n", " ").split())]
        case Code():
            return _code_lines(block)
        case Quote(children=children):
            return [f"> {line}" if line else ">" for line in render(children).split("\n")]
        case ListBlock():
            return _list_lines(block)
        case Table(paragraphs=paragraphs) if paragraphs:
            return render(paragraphs).split("\n")
        case Table():
            return _table_lines(block)
        case Rule():
            return ["---"]
        case Fold(line=line, summary=summary, children=children):
            title = _bold_line(line, summary).inline.markdown
            return [*([title, ""] if title else []), *render(children).split("\n")]
        case Definition(line=line, term=term, children=children):
            title = _bold_line(line, term).inline.markdown
            return [*([title, ""] if title else []), *render(children).split("\n")]
        case _Item(children=children):
            return render(children).split("\n")
        case _:  # Contents
            return []


def _code_lines(block: Code) -> list[str]:
    sign = block.fence[:1] or "`"
    longest = max((len(run) for run in re.findall(re.escape(sign) + "{3,}", block.text)), default=0)
    fence = sign * max(3, len(block.fence), longest + 1 if longest >= 3 else 3)
    return (
        [fence + block.info, *block.text.removesuffix("\n").split("\n"), fence]
        if block.text
        else [fence + block.info, fence]
    )


def _list_lines(block: ListBlock) -> list[str]:
    lines: list[str] = []
    for number, item in enumerate(block.items):
        marker = f"{block.start + number}{block.marker} " if block.start >= 0 else f"{block.marker} "
        inner = _item_lines(item, block.is_tight)
        if lines and not block.is_tight:
            lines.append("")
        lines.append((marker + inner[0]).rstrip() if inner else marker.rstrip())
        lines += [" " * len(marker) + line if line else "" for line in inner[1:]]
    return lines


def _item_lines(item: Sequence[Block], is_tight: bool) -> list[str]:
    if not is_tight:
        return render(item).split("\n")
    lines: list[str] = []
    for number, block in enumerate(item):
        needs_gap = number and not (
            isinstance(item[number - 1], Paragraph) and isinstance(block, (ListBlock, Code, Quote))
        )
        lines += ["", *_lines(block)] if needs_gap and lines else _lines(block)
    return lines


def _table_lines(block: Table) -> list[str]:
    width = max([len(block.header), *map(len, block.rows)], default=1)
    marks = {"left": ":---", "right": "---:", "center": ":---:"}
    alignment = [marks.get(name, "---") for name in (*block.alignment, *[""] * width)[:width]]
    return [_row(block.header, width), "| " + " | ".join(alignment) + " |", *(_row(row, width) for row in block.rows)]


def _row(cells: Sequence[Inline], width: int) -> str:
    texts = [_cell(cell.markdown) for cell in cells] + [""] * (width - len(cells))
    return "| " + " | ".join(texts) + " |"


def _cell(markdown: str) -> str:
    """A cell on one line: a line break becomes a semicolon, unless punctuation stands before it."""
    parts = [part.strip() for part in re.split(r"\\\n|\n", markdown) if part.strip()]
    text = ""
    for part in parts:
        text += part if not text else (" " if text[-1] in ".,:;!?" else "; ") + part
    return re.sub(r"(?<!\\)\|", r"\\|", text)
