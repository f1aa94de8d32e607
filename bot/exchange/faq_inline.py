"""What stands within a paragraph of an imported file, as Markdown that needs nothing of its old site.

HTML that has a form in Markdown gets it, references and footnotes are written out, addresses that only work on the old site go.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from html.parser import HTMLParser

from markdown_it.token import Token

from bot.exchange.faq import Note, NoteKind, beginning
from bot.exchange.faq_syntax import parser


@dataclass(frozen=True, slots=True)
class Inline:
    """The text of a paragraph, heading or cell.

    Attributes:
        markdown: Its Markdown.
        text: Its plain text; line breaks are line feeds.
        is_index: All of its words are links to places on the page, or to other pages of its site.
    """

    markdown: str
    text: str
    is_index: bool = False


NOTHING = Inline("", "")


@dataclass(slots=True)
class Reading:
    """What is known while one file is read.

    Attributes:
        file: The source's name in notes.
        notes: What was left out or changed up to now.
        changes: Number of places where the result differs from the source, noted or not.
        footnotes: Their texts by label.
        read_footnotes: Those that were converted, by label and depth.
        footnote_length: Characters of footnotes that were written out.
        has_references: Links may be references to definitions elsewhere in the file.
        closed_tags: Names of tags that the file closes somewhere.
    """

    file: str
    notes: list[Note] = field(default_factory=list)
    changes: int = 0
    footnotes: dict[str, str] = field(default_factory=dict)
    read_footnotes: dict[tuple[str, int], str] = field(default_factory=dict)
    footnote_length: int = 0
    has_references: bool = False
    closed_tags: frozenset[str] = frozenset()

    def note(self, line: int, text: str, kind: NoteKind = "left out") -> None:
        self.changes += 1
        self.notes.append(Note(self.file, line, text, kind))


# --- tags

HTML_NAMES = frozenset(
    "a abbr acronym address applet area article aside audio b base bdi bdo big blockquote body br button canvas caption "
    "center cite code col colgroup data datalist dd del details dfn dialog dir div dl dt em embed fieldset figcaption figure "
    "font footer form frame frameset h1 h2 h3 h4 h5 h6 head header hgroup hr html i iframe img input ins kbd label legend li "
    "link main map mark marquee menu meta meter nav noscript object ol optgroup option output p param picture pre progress q "
    "rp rt ruby s samp script search section select slot small source span strike strong style sub summary sup svg table "
    "tbody td template textarea tfoot th thead time title tr track tt u ul var video wbr".split()
)
STYLES = {
    "b": "**",
    "strong": "**",
    "i": "*",
    "em": "*",
    "cite": "*",
    "dfn": "*",
    "var": "*",
    "s": "~~",
    "del": "~~",
    "strike": "~~",
}
CODE = frozenset("code kbd samp tt".split())
EMBEDDED = frozenset("iframe video audio embed source object".split())
_ADDRESSES = ("src", "data", "href", "url", "link", "to")
"""Attributes with the address of what is embedded, or of what a component of a documentation generator links to."""
_TITLES = ("title", "label", "alt", "text")
"""Attributes of a component that are shown."""
SEPARATE = frozenset("li option p div dt dd tr td th summary".split())
"""Blocks of HTML, which may stand within a line or a cell of a table: a line break divides them there."""
INVISIBLE = frozenset("wbr tbody thead tfoot colgroup col picture figure figcaption ruby rb rp ul ol menu".split())
"""Tags without which nothing is different, so that they need no note."""


@dataclass(frozen=True, slots=True)
class Tag:
    """An HTML tag: its name in lower case, whether it opens, closes or does both, and its attributes."""

    name: str
    is_opening: bool
    is_closing: bool
    attributes: dict[str, str]
    source: str


class _TagReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tag: Tag | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tag = self.tag or Tag(tag, True, False, {name: value or "" for name, value in reversed(attrs)}, "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tag = self.tag or Tag(tag, True, True, {name: value or "" for name, value in reversed(attrs)}, "")

    def handle_endtag(self, tag: str) -> None:
        self.tag = self.tag or Tag(tag, False, True, {}, "")


@lru_cache(maxsize=4_096)
def read_tag(source: str) -> Tag | None:
    """The tag that a piece of HTML is; None for comments, declarations and what html.parser can't read."""
    reader = _TagReader()
    reader.feed(source[:10_000])
    reader.close()
    tag = reader.tag
    return Tag(tag.name, tag.is_opening, tag.is_closing, tag.attributes, source) if tag is not None else None


# --- addresses

_SCHEME = re.compile(r"(?:https?://|mailto:)\S", re.IGNORECASE)
_HOST = re.compile(r"www\.[\w-]+\.[a-z]{2,}", re.IGNORECASE)
_MAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}")


def absolute_address(address: str) -> str:
    """An address that works anywhere, or "": http, https and mailto do, and what only lacks the scheme."""
    address = address.strip()
    if _SCHEME.match(address) and "{{" not in address:
        return address
    if address.startswith("//") and len(address) > 2 and address[2] not in "/.{":
        return "https:" + address
    if _HOST.match(address):
        return "https://" + address
    return "mailto:" + address if _MAIL.fullmatch(address) else ""


def destination(address: str) -> str:
    """The address between the brackets of a link."""
    address = address.replace("\n", "%0A")
    if re.search(r"[\s<>]", address) or not _has_balanced_brackets(address):
        return "<" + address.replace("<", "%3C").replace(">", "%3E") + ">"
    return address or "<>"


def _has_balanced_brackets(address: str) -> bool:
    depth = 0
    for char in address:
        depth += (char == "(") - (char == ")")
        if not 0 <= depth < 30:
            return False
    return depth == 0


def _title_part(title: str) -> str:
    title = " ".join(title.split())
    return ' "' + title.replace("\\", "\\\\").replace('"', '\\"') + '"' if title else ""


# --- escaping

_SPECIAL = re.compile(
    r"\\(?=[!-/:-@\[-`{-~])"  # a backslash that would escape
    r"|`|(?<![^\W_])_|_(?![^\W_])|\*(?=\S)|(?<=\S)\*|~(?=~)"
    r"|<(?=[A-Za-z/!?])|&(?=#?\w{1,31};)|\](?=[(\[:])|\[(?=\^)|\[(?=\[)"
)
_LINE_START = re.compile(
    r"^([ \t]*)(?:(#{1,6}(?=[ \t]|$)|[-+](?=[ \t]|$)|>|=+[ \t]*$|-{2,}[ \t-]*$|:{3,}|!!!|~{3,}|\|)|(\d{1,9})([.)])(?=[ \t]|$))",
    re.M,
)
_BARE_ADDRESS = re.compile(r"(?:https?://|mailto:)[^\s<>\"]{1,2000}", re.IGNORECASE)


def escape(text: str, *, at_start: bool = True) -> str:
    """Plain text as Markdown that is read as just this text. `at_start`: it may stand at the start of a line."""
    parts, position = [], 0
    for address in _BARE_ADDRESS.finditer(text):
        parts += [_SPECIAL.sub(r"\\\g<0>", text[position : address.start()]), address[0]]
        position = address.end()
    escaped = "".join([*parts, _SPECIAL.sub(r"\\\g<0>", text[position:])])
    return _LINE_START.sub(_escape_start, escaped) if at_start else escaped


def _escape_start(match: re.Match[str]) -> str:
    return f"{match[1]}\\{match[2]}" if match[2] else f"{match[1]}{match[3]}\\{match[4]}"


HARD_BREAKS = ("\\\n", "  \n")
_ENDS_IN_ADDRESS = re.compile(r"(?:https?://|mailto:)[^\s<>]*$", re.IGNORECASE)


def hard_break(before: str) -> str:
    """What ends a line whose break is shown. Behind an address it is two blanks: a backslash would be part of the link."""
    return "  " if _ENDS_IN_ADDRESS.search(before[-2_000:]) else "\\"


def has_breaks(markdown: str) -> bool:
    return any(mark in markdown for mark in HARD_BREAKS)


def code_span(text: str) -> str:
    """A text as inline code."""
    text = " ".join(text.split("\n"))
    if not text.strip():
        return ""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * (1 if longest == 0 else 2 if longest == 1 else longest + 1)
    pad = " " if text[0] in "` " or text[-1] in "` " else ""
    return f"{fence}{pad}{text}{pad}{fence}"


# --- conversion

_SUPERSCRIPT = str.maketrans("0123456789+-=()n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿ")
_SUBSCRIPT = str.maketrans("0123456789+-=()", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎")
_LINK_ATTRIBUTES = re.compile(r"\{(?:[:.#][^{}]{0,200}|[\w-]{1,30}=[^{}]{0,200}|[ ]\.[^{}]{0,200})\}")
_MAY_HAVE_ATTRIBUTES = frozenset(["link_close", "image", "code_inline", "strong_close", "em_close"])
_MARKS = frozenset("\\`*_[]<~")
_LIQUID = re.compile(r"\{%[^{}]{0,500}%\}")
_MACRO = re.compile(r"\{\{[^{}\n]{1,300}\}\}")
_ENTITY = re.compile(r"&#?\w{1,31};")
MAX_OPEN = 50
"""HTML elements within each other that are read."""
MAX_FOOTNOTES = 100_000
"""Characters of footnotes that one file may have written out. Each stands in every paragraph that refers to it."""
LONGEST_INLINE = 30_000
"""Characters of a paragraph or heading that are parsed. Longer ones are a paste; they are kept as they are."""


@dataclass(slots=True)
class _Piece:
    """A piece of the result: as Markdown, as it stands within code, as plain text."""

    markdown: str
    literal: str
    text: str


@dataclass(slots=True)
class _Open:
    """An element that is open: of HTML (`tag`), or a link of Markdown (`tag` is "[").

    Attributes:
        markup: How a link is written; "component" for an element that HTML doesn't have.
        is_closed: Its end was read.
    """

    tag: str
    start: int
    address: str = ""
    title: str = ""
    markup: str = ""
    is_closed: bool = False


class _Converter:
    """Converts the tokens of one paragraph."""

    def __init__(self, reading: Reading, line: int, depth: int) -> None:
        self.reading, self.line, self.depth = reading, line, depth
        self.pieces: list[_Piece] = []
        self.open: list[_Open] = []
        self.styles: list[str] = []
        self.footnotes: set[str] = set()
        self.index_text = 0
        self.is_alone = False
        self.in_index = 0
        self.is_separate = False

    # --- tokens

    def convert(self, tokens: Sequence[Token]) -> None:
        self.is_alone = len(tokens) == 1
        for number, token in enumerate(tokens):
            if token.type == "text_special" and token.info == "entity":
                self._entity(token.content, tokens[number + 1].content[:1] if number + 1 < len(tokens) else "")
            elif token.type == "text" and "{" in token.content:
                self._text(
                    self._without_marks(token.content, number > 0 and tokens[number - 1].type in _MAY_HAVE_ATTRIBUTES)
                )
            else:
                self._token(token)
        while self.open:
            self._close(self.open[-1].tag, is_read=False)

    def _token(self, token: Token) -> None:
        match token.type:
            case "text":
                self._text(token.content)
            case "text_special":
                self._add(token.markup, token.markup, token.content)
            case "code_inline":
                self._add(self._code(token), token.content, token.content)
            case "softbreak":
                if not (self.pieces and self.pieces[-1].markdown in HARD_BREAKS):  # <br> at a line's end
                    self._add("\n", "\n", "\n")
            case "hardbreak":
                self._break()
            case "strong_open" | "em_open" | "s_open" | "strong_close" | "em_close" | "s_close":
                self._style(token)
            case "link_open":
                self._open_link(token)
            case "link_close":
                self._close("[")
            case "image":
                self._image(token.attrGet("src"), plain_text(token.children or ()), token.attrGet("title"))
            case "footnote_reference":
                self._footnote(token)
            case "wiki_link":
                self._wiki_link(token)
            case "html_inline":
                self._html(token.content)
            case _:  # no rule of this parser makes another
                self._text(token.content)

    def _add(self, markdown: str, literal: str, text: str) -> None:
        if self.is_separate and markdown.strip("\\ \n"):
            self.is_separate = False
            if self.pieces and not self.pieces[-1].text.endswith("\n"):
                self.pieces.append(_Piece("\\\n", "\n", "\n"))
        self.pieces.append(_Piece(markdown, literal, text))
        if self.in_index:
            self.index_text += sum(map(str.isalnum, text))

    def _text(self, text: str) -> None:
        is_below_tag = self.is_separate or (bool(self.pieces) and self.pieces[-1].markdown in HARD_BREAKS)  # <br>
        self._add(_LINE_START.sub(_escape_start, text) if is_below_tag else text, text, text)

    def _break(self) -> None:
        self._add(hard_break("".join(piece.markdown for piece in self.pieces[-4:])) + "\n", "\n", "\n")

    def _entity(self, text: str, following: str) -> None:
        """A character that was written as an entity. `following`: the character behind it."""
        self.reading.changes += 1
        if text == "\ufffd":  # a number that stands for no character of a text
            self.reading.note(self.line, "control characters")
            return
        text = " " if text == "\xa0" else text
        is_special = text in _MARKS or (text == "&" and re.match(r"[#\w]", following) is not None)
        is_first = not self.pieces or self.pieces[-1].text.endswith("\n")
        self._add("\\" + text if is_special else escape(text, at_start=is_first), text, text)

    def _without_marks(self, text: str, may_have_attributes: bool) -> str:
        """Text without the attributes of a link and without tags of a template language."""
        if may_have_attributes and (found := _LINK_ATTRIBUTES.match(text)):
            self.reading.note(self.line, f"'{found[0]}' is a mark of the old site")
            text = text[found.end() :]
        for found in _LIQUID.finditer(text):
            self.reading.note(self.line, f"'{beginning(found[0], 40)}' is a mark of the old site")
        text = _LIQUID.sub("", text)
        for found in _MACRO.finditer(text):
            what = f"'{beginning(found[0], 40)}' is a macro of the old site, and stays as it is"
            self.reading.notes.append(Note(self.reading.file, self.line, what, "read as"))
        return text

    @staticmethod
    def _code(token: Token) -> str:
        pad = " " if token.content[:1] in ("`", " ") or token.content[-1:] in ("`", " ") else ""
        return f"{token.markup}{pad}{token.content}{pad}{token.markup}"

    def _style(self, token: Token) -> None:
        if token.nesting > 0:
            self.styles.append(token.tag)
        elif token.tag in self.styles:
            self.styles.remove(token.tag)
        self._add(token.markup, token.markup, "")

    # --- links and images

    def _open_link(self, token: Token) -> None:
        address = str(token.attrGet("href") or "")
        if token.markup not in ("autolink", "linkify") and self.reading.has_references:
            self.reading.changes += 1
        self._push_link("[", address, str(token.attrGet("title") or ""), token.markup)

    def _push_link(self, tag: str, address: str, title: str, markup: str = "") -> None:
        self.open.append(_Open(tag, len(self.pieces), address, title, markup))
        self.in_index += _is_internal(address)

    def _finish_link(self, link: _Open) -> _Piece:
        inner = self.pieces[link.start :]
        literal, text = "".join(piece.literal for piece in inner), "".join(piece.text for piece in inner)
        label = "".join(piece.markdown for piece in inner)
        self.in_index -= _is_internal(link.address)
        if link.markup == "component":
            return self._finish_component(link, label, literal, text)
        if link.markup == "linkify":
            return _Piece(text, literal, text)
        if link.markup == "autolink":
            if text.lower().startswith("mailto:") and _MAIL.fullmatch(text[7:]):
                self.reading.changes += 1
                text = text[7:]
            return _Piece(f"<{text}>", f"<{literal}>", text)
        if not link.address and link.tag == "a":  # an anchor: nothing is lost
            self.reading.changes += 1
            return _Piece(label, literal, text)
        address = absolute_address(link.address)
        if not address:
            if link.address or label.strip():
                self.reading.note(
                    self.line,
                    f"the address '{beginning(link.address, 100)}' works on the old site only; its label stays",
                )
            return _Piece(label, literal, text)
        if address != link.address.strip():
            self.reading.note(self.line, f"the address '{beginning(link.address, 100)}' was written in full", "changed")
        if not label.strip():
            if link.tag != "a":
                return _Piece(f"[{label}]({destination(address)})", literal, text)
            address = address.removeprefix("mailto:") if _MAIL.fullmatch(address[7:]) else address
            return _Piece(f"<{address}>" if not re.search(r"[\s<>]", address) else "", literal, address)
        before, label, after = _split_blanks(label)
        return _Piece(f"{before}[{label}]({destination(address)}{_title_part(link.title)}){after}", literal, text)

    def _finish_component(self, link: _Open, label: str, literal: str, text: str) -> _Piece:
        """A component with an address as a link: of its title, else of the text in it, else of its address."""
        address, title = absolute_address(link.address), " ".join(link.title.split())
        shown = f"{title}: {text}" if title and text.strip() else title or text
        if not address:
            self.reading.note(
                self.line, f"the address '{beginning(link.address, 100)}' works on the old site only; its label stays"
            )
            before = escape(title, at_start=False) + (": " if title and label.strip() else "")
            return _Piece(before + label, literal, shown)
        self.reading.note(self.line, f"<{link.tag}> became a link", "changed")
        if title:
            linked = f"[{escape(title, at_start=False)}]({destination(address)})"
        elif (
            link.is_closed and label.strip() and "](" not in label and "\n" not in label.strip() and "://" not in label
        ):
            before, label, after = _split_blanks(label)
            return _Piece(f"{before}[{label}]({destination(address)}){after}", literal, text)
        else:
            linked = f"<{address}>" if not re.search(r"[\s<>]", address) else ""
        gap = "" if not label.strip() or label[:1].isspace() else " "
        return _Piece(f"{linked}{gap}{label}", literal, shown or address)

    def _image(self, source: str | int | float | None, alt: str, title: str | int | float | None) -> None:
        address, alt = str(source or ""), " ".join(alt.split())
        absolute = absolute_address(address)
        if absolute.startswith("mailto:"):
            absolute = ""
        if absolute:
            if absolute != address.strip():
                self.reading.note(self.line, f"the address '{beginning(address, 100)}' was written in full", "changed")
            if self.reading.has_references:
                self.reading.changes += 1
            label = re.sub(r"([\\\[\]])", r"\\\1", alt)
            self._add(f"![{label}]({destination(absolute)}{_title_part(str(title or ''))})", alt, alt)
            return
        what = (
            "a picture within the page" if address.startswith("data:") else f"the picture '{beginning(address, 100)}'"
        )
        self.reading.note(
            self.line,
            f"{what} can't be taken along" + (f"; its description '{beginning(alt, 40)}' stays" if alt else ""),
        )
        alt = f"Picture: {alt}" if alt and self.is_alone else alt  # else words around it say what it is
        self._add(escape(alt), alt, alt)

    def _footnote(self, token: Token) -> None:
        self.reading.changes += 1
        label = token.content.casefold()
        source = self.reading.footnotes.get(label)
        if source is None:
            self._add(token.markup, token.markup, token.markup)
            return
        if label in self.footnotes:
            return
        self.footnotes.add(label)
        length = len(self.reading.read_footnotes.get((label, self.depth), source))
        if self.depth > 1 or self.reading.footnote_length + length > MAX_FOOTNOTES:
            self.reading.note(self.line, f"the footnote '{beginning(token.markup, 40)}'")
            return
        if (label, self.depth) not in self.reading.read_footnotes:
            note = convert_inline(" ".join(source.split()), self.line, self.reading, self.depth + 1)
            self.reading.read_footnotes[label, self.depth] = note.markdown
        markdown = self.reading.read_footnotes[label, self.depth]
        self.reading.footnote_length += len(markdown)
        before = "" if self.pieces and self.pieces[-1].text[-1:].isspace() else " "
        self._add(f"{before}({markdown})", "", "")

    def _wiki_link(self, token: Token) -> None:
        if token.markup.startswith("!"):
            name = token.content.partition("|")[0]
            self.reading.note(
                self.line, f"the picture or page '{beginning(name)}' that is shown here can't be taken along"
            )
            return
        parts = [part.strip() for part in token.content.split("|") if part.strip()]
        if not parts:
            self._text(token.markup)
            return
        label = parts[-1] if len(parts) > 1 and not _looks_like_page(parts[-1]) else parts[0]
        address = next((found for part in parts if (found := absolute_address(part))), "")
        if address:
            self._add(f"[{label}]({destination(address)})" if label != address else f"<{address}>", label, label)
            self.reading.changes += 1
            return
        self.reading.note(self.line, f"'{beginning(token.markup)}' links to a page of the old site; its text stays")
        self._add(escape(label, at_start=False), label, label)

    # --- HTML

    def _html(self, source: str) -> None:
        tag = read_tag(source)
        if tag is None:
            if source.startswith("<!--"):
                self.reading.note(self.line, "a comment")
            else:
                self._add("\\" + source, source, source)
                self.reading.changes += 1
            return
        if self._is_placeholder(tag):
            self.reading.changes += 1
            self._add("\\" + source, source, source)
            return
        self.reading.changes += 1
        if any(element.tag in CODE for element in self.open) and not (tag.name in CODE and tag.is_closing):
            return
        self.is_separate |= tag.name in SEPARATE and any(piece.text.strip() for piece in self.pieces[-20:])
        if tag.name in ("rt", "rp", "ruby"):
            self._close("rt")
        if tag.is_opening:
            self._open_tag(tag)
        else:
            self._close(tag.name)

    def _is_placeholder(self, tag: Tag) -> bool:
        """`<your-name>`: an element that HTML doesn't have, without attributes, that nothing in the file closes."""
        if tag.name in HTML_NAMES or tag.attributes or tag.is_closing:
            return False
        return (tag.source[1:2].islower() and tag.name not in self.reading.closed_tags) or "_" in tag.name

    def _open_tag(self, tag: Tag) -> None:
        name = tag.name
        if len(self.open) > MAX_OPEN:
            return
        if name in STYLES or name in CODE or name in ("sub", "sup", "q", "rt"):
            if not tag.is_closing:
                self.open.append(_Open(name, len(self.pieces)))
                self.styles += [_style_of(name)] if name in STYLES else []
        elif name == "a":
            if not tag.is_closing:
                self._push_link("a", tag.attributes.get("href", ""), tag.attributes.get("title", ""))
        elif name in ("br", "hr", "li"):
            self._break()
        elif name == "img":
            self._image(tag.attributes.get("src", ""), tag.attributes.get("alt", ""), tag.attributes.get("title", ""))
        elif name == "input" and tag.attributes.get("type") == "checkbox":
            self._add("[x] " if "checked" in tag.attributes else "[ ] ", "", "")
        elif self._open_component(tag):
            pass
        elif name in EMBEDDED and (
            address := absolute_address(
                next((tag.attributes[key] for key in _ADDRESSES if tag.attributes.get(key)), "")
            )
        ):
            self.reading.note(self.line, f"<{name}> became a link", "changed")
            self._add(f"<{address}> ", address, address)
        elif name not in INVISIBLE and name not in SEPARATE:
            self.reading.note(self.line, f"<{name}> has no form in Markdown; the text in it stays")

    def _open_component(self, tag: Tag) -> bool:
        """Open a component of a documentation generator if it has an address, or write its title; whether it is one of these."""
        is_component = tag.name not in HTML_NAMES or tag.source[1:2].isupper()
        keys = _ADDRESSES if is_component else ("href",) if tag.name not in ("link", "base") else ()
        given = (tag.attributes.get(key, "").strip() for key in keys)
        address = next((value for value in given if value and not value.startswith("{")), "")
        title = next((tag.attributes[key] for key in _TITLES if is_component and tag.attributes.get(key)), "")
        if address:
            self._push_link(tag.name, address, title, "component")
            if tag.is_closing:
                self._close(tag.name)
        elif title:
            title = " ".join(title.split()) + ("" if tag.is_closing else ": ")
            self.reading.note(self.line, f"of <{tag.name}> only its title and text stay", "changed")
            self._add(escape(title, at_start=False), title, title)
        return bool(address or title)

    def _close(self, tag: str, *, is_read: bool = True) -> None:
        """Close the innermost open element of this name, and what is open within it. `is_read`: its end was read."""
        if not any(element.tag == tag for element in self.open):
            return
        while True:
            element = self.open.pop()
            element.is_closed = is_read and element.tag == tag
            piece = self._finish(element)
            self.pieces[element.start :] = [piece]
            if element.tag == tag:
                return

    def _finish(self, element: _Open) -> _Piece:
        inner = self.pieces[element.start :]
        literal, text = "".join(piece.literal for piece in inner), "".join(piece.text for piece in inner)
        markdown = "".join(piece.markdown for piece in inner)
        if element.tag in ("[", "a") or element.markup == "component":
            return self._finish_link(element)
        if element.tag in CODE:
            return _Piece(code_span(literal), literal, literal)
        if element.tag in ("sub", "sup"):
            table = _SUPERSCRIPT if element.tag == "sup" else _SUBSCRIPT
            if text and all(ord(char) in table for char in text):
                return _Piece(text.translate(table), literal, text.translate(table))
            return _Piece(markdown, literal, text)
        if element.tag == "rt":
            before = self.pieces[element.start - 1].text if element.start else ""
            is_bare = text.strip() and not before.rstrip().endswith(("(", "（"))
            return _Piece(f"({markdown})", f"({literal})", f"({text})") if is_bare else _Piece(markdown, literal, text)
        if element.tag == "q":
            return _Piece(f'"{markdown}"', f'"{literal}"', f'"{text}"')
        style = _style_of(element.tag)
        if style in self.styles:
            self.styles.remove(style)
        if style in self.styles or not markdown.strip():
            return _Piece(markdown, literal, text)
        before, markdown, after = _split_blanks(markdown)
        mark = STYLES[element.tag]
        return _Piece(f"{before}{mark}{markdown}{mark}{after}", literal, text)


def _style_of(tag: str) -> str:
    return {"**": "strong", "*": "em", "~~": "s"}[STYLES[tag]]


def _split_blanks(text: str) -> tuple[str, str, str]:
    """The text, divided into the blanks and line breaks before it, itself, and those behind it."""
    stripped = re.sub(r"^(?:\\\n|\s)+", "", text)
    before = text[: len(text) - len(stripped)]
    inner = re.sub(r"(?:\\\n|\s)+$", "", stripped) if len(stripped) < LONGEST_INLINE else stripped
    return before, inner, stripped[len(inner) :]


def _is_internal(address: str) -> bool:
    """Whether an address is a place on a page of the old site, or a page of it."""
    return bool(address.strip()) and not absolute_address(address)


def _looks_like_page(name: str) -> bool:
    return "/" in name or "#" in name or ("-" in name and " " not in name)


def convert_inline(source: str, line: int, reading: Reading, depth: int = 0) -> Inline:
    """The Markdown source of a paragraph as an Inline; what is left out or changed is noted."""
    source = source.strip("\n")
    if len(source) > LONGEST_INLINE:
        return Inline(source, source)
    (token,) = parser().parseInline(source, {}) or (None,)
    return convert_token(token, line, reading, depth) if token is not None else Inline(source, source)


def convert_token(token: Token, line: int, reading: Reading, depth: int = 0) -> Inline:
    """An inline token of markdown-it as an Inline; its source is kept if nothing in it has to change."""
    source = token.content
    converter = _Converter(reading, line, depth)
    before = reading.changes
    if _ENTITY.search(source) and any(child.info == "entity" for child in token.children or ()):
        reading.changes += 1
    converter.convert(token.children or ())
    text = "".join(piece.text for piece in converter.pieces)
    alphanumerics = sum(map(str.isalnum, text))
    is_index = 0 < alphanumerics <= converter.index_text + sum(map(str.isdigit, text)) and converter.index_text > 0
    if reading.changes == before:
        return Inline(source, text, is_index)
    return Inline("".join(piece.markdown for piece in _without_outer_breaks(converter.pieces)).strip(), text, is_index)


def _without_outer_breaks(pieces: Sequence[_Piece]) -> Sequence[_Piece]:
    """Without the line breaks at the start and the end, which Markdown doesn't have."""
    start, end = 0, len(pieces)
    while start < end and pieces[start].markdown in (*HARD_BREAKS, "\n", " ", ""):
        start += 1
    while start < end and pieces[end - 1].markdown in (*HARD_BREAKS, "\n", " ", ""):
        end -= 1
    return pieces[start:end]


def plain_text(tokens: Sequence[Token]) -> str:
    """The text of inline tokens without marks."""
    parts = []
    for token in tokens:
        match token.type:
            case "text" | "text_special" | "code_inline" | "wiki_link":
                parts.append(token.content)
            case "softbreak" | "hardbreak":
                parts.append("\n")
            case "image":
                parts.append(plain_text(token.children or ()))
            case "html_inline" if token.content.lower().startswith("<br"):
                parts.append("\n")
            case _:
                pass
    return "".join(parts)


def text_of(source: str) -> str:
    """The plain text of inline Markdown, on one line."""
    if len(source) > LONGEST_INLINE:
        return " ".join(source.split())
    tokens = parser().parseInline(source)
    return " ".join(plain_text([child for token in tokens for child in token.children or ()]).split())


def unescape_html(text: str) -> str:
    return html.unescape(text).replace("\xa0", " ")
