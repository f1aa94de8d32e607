"""Text as Markdown source, for the pack's files and for programs that read Markdown."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import groupby
from unicodedata import category
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
    merge_spans,
)
from bot.markdown.parse import AnswerFormat, parse, parser
from bot.markdown.plain import plain

_SPECIAL = re.compile(r"([\\`*_\[\]<>~|&]|https?:(?=//)|mailto:)")
_SPECIAL_START = re.compile(r"^(\s*)([#+=-]|>|:(?=-)|\d{1,9}(?=[.)]))", re.MULTILINE)


def escape_text(text: str) -> str:
    """Plain text of one paragraph as Markdown that shows exactly it: nothing in it is formatting."""

    def escaped(match: re.Match[str]) -> str:
        found = match[1]
        return found.removesuffix(":") + "\\:" if len(found) > 1 else "\\" + found

    lines = (_SPECIAL.sub(escaped, line.strip()) for line in text.split("\n"))
    return "\\\n".join(_SPECIAL_START.sub(_escape_start, line) for line in lines)


def _escape_start(match: re.Match[str]) -> str:
    blanks, mark = match.groups()
    return f"{blanks}{mark}\\" if mark.isdigit() else f"{blanks}\\{mark}"


def to_markdown(answer: str, answer_format: AnswerFormat) -> str:
    """An answer in any format as the Markdown that means the same in a pack's file, where a line feed is a blank."""
    match answer_format:
        case "markdown":
            return answer
        case "typed":
            return _with_hard_breaks(answer)
        case "plain":
            return "\n\n".join(_plain_block(block) for block in parse(answer, "plain"))


def _plain_block(block: Block) -> str:
    """The source of a block of a plain answer: a paragraph, or a list of one-line items."""
    items = [inner for item in block.items for inner in item.blocks] if isinstance(block, MarkdownList) else [block]
    texts = ["".join(span.text for span in item.spans) for item in items if isinstance(item, Paragraph)]
    return "\n".join(("- " if isinstance(block, MarkdownList) else "") + escape_text(text) for text in texts)


def _with_hard_breaks(answer: str) -> str:
    """The source with a hard break at the end of each line inside a paragraph whose line feed is shown."""
    answer = answer.replace("\r\n", "\n").replace("\r", "\n")
    lines, shown = answer.split("\n"), parse(answer, "typed")
    numbers = [
        number
        for token in parser().parse(answer)
        if token.type == "inline" and token.map
        for number in range(token.map[0], token.map[1] - 1)
    ]
    for number in numbers:
        line = lines[number]
        for hard_break in (
            "\\",
            "  ",
            "",
        ):  # a backslash can be part of an address or end an emphasis; code has no breaks
            lines[number] = line.rstrip() + hard_break if hard_break else line
            if parse("\n".join(lines), "typed") == shown:
                break
    return "\n".join(lines)


# --- blocks as source

_BACKTICKS = re.compile("`+")
_LANGUAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9+#._-]{0,30}")
MOST_BRACKETS = 50
"""Opening brackets of a text that may stay unescaped: the parser looks for the end of each."""


def write_markdown(blocks: Iterable[Block]) -> str:
    """Blocks as the source of a typed answer (`AnswerFormat`) that shows the same words.

    Only what could be taken for Markdown is escaped. Code, lists, quotes and tables stay what they are. Bold, italic and struck
    text, and in the end links, lose their style where Markdown can't write it, as for a part of a word.
    """
    return "\n\n".join(block_sources(blocks))


def block_sources(blocks: Iterable[Block]) -> Iterator[str]:
    """The source of each of the blocks, as in `write_markdown`."""
    last: Block | None = None
    alternate = False
    for block in blocks:
        alternate = _continues(last, block) and not alternate
        yield _verified(block, alternate)
        last = block


def _continues(last: Block | None, block: Block) -> bool:
    """Whether two lists would be one in Markdown, unless the second has another mark."""
    if not isinstance(last, MarkdownList) or not isinstance(block, MarkdownList):
        return False
    return (last.start is None) == (block.start is None)


Inline = Callable[[Spans], str]
"""Writes spans as the source of a paragraph."""


def _verified(block: Block, alternate: bool) -> str:
    """The source of a block, in the first of three ways that reads as the block does."""
    if isinstance(block, CodeBlock | Image | Rule):
        return "\n".join(_block_lines(block, _readable, alternate))
    words = _words((block,))
    for inline in (_readable, _unstyled):
        source = "\n".join(_block_lines(block, inline, alternate))
        if _words(parse.__wrapped__(source, "typed")) == words:
            return source
    return "\n".join(_block_lines(block, _escaped, alternate))


def _words(blocks: Iterable[Block]) -> str:
    """What is shown of blocks, without blanks; an address that is its own label is shown decoded."""
    return "".join(unquote(plain(blocks, addresses=False)).split())


def _block_lines(block: Block, inline: Inline, alternate: bool = False) -> list[str]:
    match block:
        case Paragraph(spans):
            return inline(spans).split("\n")
        case Subheading(spans):
            text = " ".join(inline(spans).split("\n"))
            return ["### " + re.sub(r"(?<= )(#+)$", r"\\\1", text)]
        case CodeBlock(text, language):
            fence = "`" * max(3, 1 + max(map(len, _BACKTICKS.findall(text)), default=0))
            return [fence + (language if _LANGUAGE.fullmatch(language) else ""), *text.split("\n"), fence]
        case MarkdownList(items, start):
            return list(_list_lines(items, start, inline, alternate))
        case Quote(blocks):
            return [f"> {line}".rstrip(" ") for line in _below_each_other(blocks, inline)]
        case MarkdownTable():
            return list(_table_lines(block, inline))
        case Image(url, alt):
            return [f"![{_escape(alt, in_link=True)}]({_destination(url)})"]
        case Rule():
            return ["---"]


def _below_each_other(blocks: Sequence[Block], inline: Inline) -> list[str]:
    """The lines of blocks within a list or a quote."""
    lines: list[str] = []
    last: Block | None = None
    alternate = False
    for block in blocks:
        alternate = _continues(last, block) and not alternate
        inner = _block_lines(block, inline, alternate)
        is_close = isinstance(last, Paragraph) and isinstance(block, MarkdownList) and block.start in (None, 1)
        lines += inner if not lines or (is_close and inner[0].strip(" -*1.)")) else ["", *inner]
        last = block
    return lines


def _list_lines(items: Sequence[ListItem], start: int | None, inline: Inline, alternate: bool) -> Iterator[str]:
    for number, item in enumerate(items, start or 0):
        mark = ("* " if alternate else "- ") if start is None else f"{number}{')' if alternate else '.'} "
        for index, line in enumerate(_below_each_other(item.blocks, inline) or [""]):
            yield (mark + line if not index else " " * len(mark) + line if line else "").rstrip(" ")


def _table_lines(table: MarkdownTable, inline: Inline) -> Iterator[str]:
    marks = {"left": "---", "center": ":-:", "right": "--:"}

    def row(cells: Iterable[Spans]) -> str:
        texts = (" ".join(inline(cell).split("\n")).replace("|", "\\|") for cell in cells)
        return f"| {' | '.join(texts)} |"

    yield row(table.header)
    yield f"| {' | '.join(marks[alignment] for alignment in table.alignments)} |"
    yield from map(row, table.rows)


# --- spans as source

_EMPHASIS = {"bold": "**", "italic": "_", "struck": "~~"}
_ASCII_MARKS = frozenset("$+<=>^`|~")
"""ASCII characters that Markdown counts as punctuation, and Unicode as symbols."""
_CAN_BEGIN_BLOCK = re.compile(
    r"[*+-](?=\s|$)|>|#{1,6}(?=\s|$)|=+$|[|:-][|:\s-]*$|([*_])(?:[ \t]*\1)+$|~{3}|(?P<number>\d{1,9})(?=[.)](?:\s|$))"
)
"""The beginning of a line that would be a list, a quote, a heading, a rule or the second line of a table."""
_MARKS = (
    r"\\(?=[!-/:-@\[-`{-~]|\s*(?:\n|$))"  # before a mark, or at the end of a line
    r"|`|\*+|_+|~+|!$"
    r"|\](?=[(:]|$)"
    r"|<(?=[A-Za-z][^\s<>:@]*[:@][^\s<>]*>)"  # <https://…>
    r"|&(?=#?[0-9A-Za-z]{1,32};)"
    r"|(?:https?|ftp):(?=//)|mailto:"
)
_NEEDS_ESCAPE = re.compile(_MARKS, re.IGNORECASE)
_NEEDS_ESCAPE_AND_OPENING = re.compile(rf"\[|{_MARKS}", re.IGNORECASE)
_NEEDS_ESCAPE_IN_LINK = re.compile(rf"[\[\]]|{_MARKS}", re.IGNORECASE)
_IN_DESTINATION = re.compile(r"[\\()<>\s]|&(?=#?[0-9A-Za-z]{1,32};)")
_PLAIN_ADDRESS = re.compile(
    r"https?://[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::[0-9]+)?(?:[/?#](?:[\w./?=#+,:@&-]*[\w/])?)?", re.ASCII
)
"""An address that becomes a link as it stands, with the same label."""
_MAIL_ADDRESS = re.compile(r"[A-Za-z0-9.+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")


def _readable(spans: Spans) -> str:
    """Spans as source, with their styles."""
    texts = [span.text for span in spans if not span.code]
    is_styled = any(span.bold or span.italic for span in spans)
    lone = "" if is_styled else "".join(mark for mark in "*_" if sum(text.count(mark) for text in texts) == 1)
    brackets = sum(text.count("[") for text in texts) > MOST_BRACKETS
    escape = partial(_escape, brackets=brackets, lone=lone, defines=bool(texts) and texts[0].lstrip().startswith("["))
    return _lines_escaped(_grouped(spans, ("url", "bold", "italic", "struck"), "", "", escape))


def _unstyled(spans: Spans) -> str:
    """Spans as source, with code and links alone."""
    return _readable(merge_spans(replace(span, bold=False, italic=False, struck=False) for span in spans))


def _escaped(spans: Spans) -> str:
    """The text of spans as source."""
    return _lines_escaped(escape_text("".join(span.text for span in spans)).replace("\\\n", "\n"))


def _lines_escaped(source: str) -> str:
    """The source with a backslash before what would begin another block."""
    return "\n".join(_line_escaped(line.strip()) for line in source.split("\n"))


def _line_escaped(line: str) -> str:
    found = _CAN_BEGIN_BLOCK.match(line)
    if found is None:
        return line
    end = found.end() if found["number"] else 0
    return f"{line[:end]}\\{line[end:]}"


def _grouped(
    spans: Sequence[Span], styles: tuple[str, ...], before: str, after: str, escape: Callable[..., str]
) -> str:
    """Spans as source: those that share the first of the styles stand between its marks, and in them those of the next.

    Args:
        before: the character before them, and `after`, the one behind them; "" for none.
    """
    if not styles:
        return _texts(spans, before, after, escape)
    style, further = styles[0], styles[1:]
    groups = [(value, list(group)) for value, group in groupby(spans, key=lambda span: getattr(span, style))]
    source = ""
    for index, (value, group) in enumerate(groups):
        previous = source[-1] if source else before
        following = _first_character(groups[index + 1], styles) if index + 1 < len(groups) else after
        if style == "url" and value:
            source += _link(group, value, previous, following, further, escape)
        elif value:
            source += _emphasised(group, style, previous, following, further, escape)
        else:
            source += _grouped(group, further, previous, following, escape)
    return source


def _first_character(group: tuple[object, Sequence[Span]], styles: tuple[str, ...]) -> str:
    """The character with which the source of a group of spans begins, as far as it matters to what stands before it."""
    span = group[1][0]
    if span.url and "url" in styles:
        return "["
    if span.code or span.text[:1].isspace():
        return "`" if span.code else span.text[:1]
    return "*" if any(getattr(span, style) for style in styles) else span.text[:1]


def _is_edge(character: str) -> bool:
    """Whether a mark of emphasis may stand beside a character, whatever is on its other side; "" is an end of the text."""
    return not character or character.isspace() or category(character)[0] == "P" or character in _ASCII_MARKS


def _emphasised(
    group: Sequence[Span],
    style: str,
    before: str,
    after: str,
    further: tuple[str, ...],
    escape: Callable[..., str],
) -> str:
    """Spans between the marks of a style, blanks outside; without marks where they wouldn't be read as such."""
    group, start, end = _without_outer_blanks(group)
    before, after = start[-1:] or before, end[:1] or after
    mark = _EMPHASIS[style]
    if mark == "_" and not (_is_edge(before) and _is_edge(after)):
        mark = "*"
    inner = _grouped(
        group, further, mark[0] if _is_edge(before) else before, mark[0] if _is_edge(after) else after, escape
    )
    opens = inner[:1].isalnum() or _is_edge(before)
    closes = inner[-1:].isalnum() or _is_edge(after)
    touches = before == mark[0] or inner[:1] == mark[0] or inner[-1:] == mark[0]
    if not inner or not opens or not closes or touches:
        mark = ""
        inner = _grouped(group, further, before, after, escape)
    return f"{start}{mark}{inner}{mark}{end}"


def _without_outer_blanks(group: Sequence[Span]) -> tuple[list[Span], str, str]:
    """Spans without the blanks at either end, and these blanks."""
    spans, start, end = list(group), "", ""
    while spans and not spans[0].code:
        text = spans[0].text.lstrip()
        start += spans[0].text[: len(spans[0].text) - len(text)]
        if text:
            spans[0] = replace(spans[0], text=text)
            break
        del spans[0]
    while spans and not spans[-1].code:
        text = spans[-1].text.rstrip()
        end = spans[-1].text[len(text) :] + end
        if text:
            spans[-1] = replace(spans[-1], text=text)
            break
        del spans[-1]
    return spans, start, end


def _link(
    group: Sequence[Span], url: str, before: str, after: str, further: tuple[str, ...], escape: Callable[..., str]
) -> str:
    """A link: its address alone if that is its label."""
    label = "".join(span.text for span in group)
    plainly = replace(group[0], text="", url="") == Span("") and len(group) == 1
    if (
        plainly
        and label == url
        and not any(character in url for character in "<>%")
        and url.startswith(("https:", "http:"))
    ):
        is_apart = not (before and not before.isspace() and before != "(") and not (after and not after.isspace())
        is_plain = (
            is_apart and _PLAIN_ADDRESS.fullmatch(url) and "__" not in url and "/_" not in url and "_/" not in url
        )
        return url if is_plain else f"<{url}>"
    if plainly and url == f"mailto:{label}" and _MAIL_ADDRESS.fullmatch(label):
        return f"<{label}>"
    text = _grouped(group, further, "[", "]", partial(escape, in_link=True))
    return f"[{text}]({_destination(url)})"


def _destination(url: str) -> str:
    """An address as a link's destination."""
    return _IN_DESTINATION.sub(lambda match: "\\&" if match[0] == "&" else f"%{ord(match[0]):02X}", url)


def _texts(spans: Sequence[Span], before: str, after: str, escape: Callable[..., str]) -> str:
    """Spans of one style as source."""
    source = ""
    for index, span in enumerate(spans):
        if span.code:
            source += _code(span.text)
            continue
        previous = source[-1:] or before
        following = "`" if index + 1 < len(spans) else after
        source += escape(span.text, before=previous, after=following)
    return source


def _code(text: str) -> str:
    """Inline code, in a fence longer than any in it."""
    text = text.replace("\n", " ")
    runs = set(map(len, _BACKTICKS.findall(text)))
    fence = "`" * next(length for length in range(1, len(runs) + 2) if length not in runs)
    is_padded = text.startswith("`") or text.endswith("`") or (text[:1] == text[-1:] == " " and text.strip(" "))
    return f"{fence} {text} {fence}" if is_padded else f"{fence}{text}{fence}"


def _escape(
    text: str,
    before: str = "",
    after: str = "",
    in_link: bool = False,
    brackets: bool = False,
    lone: str = "",
    defines: bool = False,
) -> str:
    """Text with a backslash before what could be taken for Markdown, but for the beginnings of lines.

    Args:
        before: the character before the text, and `after`, the one behind it; "" for none.
        in_link: whether it is a link's label, where brackets count.
        brackets: whether all opening brackets are escaped.
        defines: whether the paragraph begins like the definition of an address, [a]: …
        lone: those of the marks * and _ that stand once in the paragraph, and so mark nothing.
    """

    def escaped(match: re.Match[str]) -> str:
        found, start, end = match[0], match.start(), match.end()
        previous = text[start - 1] if start else before
        following = text[end] if end < len(text) else after
        match found[0]:
            case "*" | "_":
                is_apart = (not previous or previous.isspace()) and (not following or following.isspace())
                is_literal = (
                    found in lone or is_apart or (found[0] == "_" and previous.isalnum() and following.isalnum())
                )
            case "~":
                is_literal = len(found) == 1 and "~" not in (previous, following)
            case "!":
                is_literal = following != "["
            case "\\":
                is_literal = end == len(text) and following.isalnum()
            case "]":
                is_literal = not in_link and following != "(" and not (defines and following == ":")
            case _:
                is_literal = False
        if is_literal:
            return found
        return f"{found[:-1]}\\:" if found[-1] == ":" else "".join(f"\\{character}" for character in found)

    pattern = _NEEDS_ESCAPE_IN_LINK if in_link else _NEEDS_ESCAPE_AND_OPENING if brackets else _NEEDS_ESCAPE
    return pattern.sub(escaped, text)
