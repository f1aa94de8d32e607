"""The words of a Slack message, as Markdown for a curator's form or as plain text.

People's messages hold rich_text blocks, other bots' any blocks, and some only `text`, all of them perhaps attachments: forwarded
messages, and what a bot attached. All are read into Markdown's nodes. Whatever is malformed is left out; nothing raises.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby, zip_longest
from typing import Any

from bot.markdown import (
    Block,
    CodeBlock,
    ListItem,
    MarkdownList,
    MarkdownTable,
    Paragraph,
    Quote,
    Span,
    Spans,
    Subheading,
    block_sources,
    link_address,
    merge_spans,
    parse,
    plain,
    split,
    write_markdown,
)
from bot.slack.blocks.limits import ELLIPSIS, TABLE_COLUMNS, TABLE_ROWS, TYPED, size
from bot.slack.payloads import MAX_NESTING, Payload, dicts_of, get_dict, get_str
from bot.text import LONGEST_QUESTION, clean, unescape, units, without_control_characters

MAX_INDENT = 8
"""Levels of lists in each other; Slack's own limit."""
MAX_NUMBER = 999_999_999
"""The largest number of a list's item in Markdown."""
MAX_ATTEMPTS = 8
"""Times that a block which doesn't fit is cut anew."""
MAX_BRACKETS = 100
"""Opening brackets in a Markdown block of another bot, which is text with more: the parser looks for the end of each."""
CUT = f"\n\n{ELLIPSIS}"
"""The end of what is cut."""

# --- the whole message


def markdown_of(message: Payload, limit: int = TYPED) -> str:
    """The words of a message as the source of a typed answer (`bot.markdown.AnswerFormat`).

    Forwarded words are a quote below its own, files a line with their names. Nothing in it can notify anybody.

    Args:
        message: as in a message_action payload.
        limit: UTF-16 units of the result, which ends with an ellipsis if something is left out: whole blocks where possible, and
            a block of code is closed.
    """
    reader = _Reader(room=2 * limit, names=_names_of(message))
    blocks = [*reader.own_blocks(message), *reader.attached_blocks(message), *reader.file_blocks(message)]
    kept, length, is_whole = list[str](), 0, reader.room > 0
    for index, source in enumerate(block_sources(blocks)):
        is_last = is_whole and index + 1 == len(blocks)
        if length + size(source) > limit - (0 if is_last else len(CUT)):
            kept += filter(None, [_beginning(blocks[index], source, limit - length - len(CUT))])
            is_whole = False
            break
        kept.append(source)
        length += size(source) + 2
    return "\n\n".join(kept) + (CUT if kept and not is_whole else "")


def own_words_of(message: Payload) -> str:
    """The words of a message's blocks, else of its `text`, as plain text, without mentions and addresses; "" for none."""
    reader = _Reader(room=LONGEST_QUESTION, has_mentions=False)
    return _plain_words(reader.own_blocks(message))


def attached_words_of(message: Payload) -> str:
    """The words of a message's attachments, such as a forwarded message, as plain text; "" for none."""
    reader = _Reader(room=LONGEST_QUESTION, has_mentions=False)
    blocks = reader.attached_blocks(message)
    return _plain_words(inner for block in blocks for inner in (block.blocks if isinstance(block, Quote) else (block,)))


def has_words(text: str) -> bool:
    """Whether there are letters or digits in a Slack payload's text, apart from mentions, addresses and emoji."""
    return any(map(str.isalnum, clean(text)))


def _plain_words(blocks: Iterable[Block]) -> str:
    text = plain(blocks, addresses=False)
    return text if has_words(text) else ""


def _beginning(block: Block, source: str, room: int) -> str:
    """The source of as much of a block as fits, given that of the whole block; "" for nothing."""
    length = units(plain((block,)))
    for _ in range(MAX_ATTEMPTS):
        length = min(length * room // size(source), length - 1)
        if length <= 0:
            break
        source = write_markdown(split((block,), length)[0])
        if size(source) <= room:
            return source
    return ""


_NAMED = re.compile(r"<(?:[@#]|!subteam\^)([A-Z0-9]{1,20})\|([^<>|\n]{1,80})>")


def _names_of(message: Payload) -> dict[str, str]:
    """The names of people, groups and channels that a message's `text` has beside their ids."""
    return {name[1]: unescape(name[2]).lstrip("@#") for name in _NAMED.finditer(get_str(message, "text"))}


def _whole_number(value: Any) -> int:
    """A number that isn't negative; 0 for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


# --- reading

_TITLES = ("title", "subtitle", "subtext", "text", "body", "description", "author_name", "alt_text")
"""Fields of blocks that hold a text."""
_PARTS = ("fields", "elements", "blocks", "child_blocks", "items", "cards")
"""Fields of blocks that hold texts or further blocks."""
_WITHOUT_WORDS = ("actions", "context_actions", "input", "divider", "file", "call")
"""Blocks of which nothing is read: what is in them is pressed or filled in."""


@dataclass(slots=True)
class _Reader:
    """Reads a message's parts into nodes, until it has read as much as it has room for.

    Attributes:
        room: characters that may still be read.
        names: names by id, of people, groups and channels.
        has_mentions: whether a mention is read as a word.
    """

    room: int
    names: dict[str, str] = field(default_factory=dict)
    has_mentions: bool = True

    def own_blocks(self, message: Payload, depth: int = 0) -> list[Block]:
        """What stands in the message itself: in its blocks, else in its text."""
        blocks = self._blocks(message.get("blocks"), depth)
        return blocks or self._mrkdwn(get_str(message, "text"))

    def attached_blocks(self, message: Payload, depth: int = 0) -> list[Block]:
        """What stands in the message's attachments, but for previews of links in it."""
        attachments = dicts_of(message.get("attachments"))
        links = _links_of(message) if attachments else set()
        blocks: list[Block] = []
        for attachment in attachments:
            if depth >= MAX_NESTING or self.room <= 0:
                break
            if attachment.get("is_share") or attachment.get("is_msg_unfurl"):
                forwarded = self._forwarded(attachment, depth + 1)
                blocks += [Quote(tuple(forwarded))] if forwarded else []
            elif not links & {get_str(attachment, "from_url"), get_str(attachment, "original_url")}:
                blocks += self._attachment(attachment, depth + 1)
        return blocks

    def file_blocks(self, message: Payload) -> list[Block]:
        """A line for each file, with its name."""
        names = (get_str(file, "title") or get_str(file, "name") for file in dicts_of(message.get("files")))
        spans = (Span(f"(File: {name})") for name in map(self._line, names) if name)
        return [Paragraph((span,)) for span in spans]

    def _forwarded(self, attachment: Payload, depth: int) -> list[Block]:
        """A forwarded message; its own attachments are below it."""
        blocks: list[Block] = []
        for item in dicts_of(attachment.get("message_blocks")):
            inner = get_dict(item, "message")
            blocks += self._blocks(inner.get("blocks") if inner else [item], depth)
        blocks = blocks or self._blocks(attachment.get("blocks"), depth) or self._mrkdwn(get_str(attachment, "text"))
        return [*blocks, *self.attached_blocks(attachment, depth), *self.file_blocks(attachment)]

    def _attachment(self, attachment: Payload, depth: int) -> list[Block]:
        """What a bot attached: blocks, or a title, a text and fields."""
        blocks = self._mrkdwn(get_str(attachment, "pretext"))
        inner = self._blocks(attachment.get("blocks"), depth)
        if inner:
            return blocks + inner
        title = self._line(unescape(get_str(attachment, "title")))
        if title:
            blocks.append(Paragraph((Span(title, bold=True, url=link_address(get_str(attachment, "title_link"))),)))
        blocks += self._mrkdwn(get_str(attachment, "text"))
        for each in dicts_of(attachment.get("fields")):
            label, value = self._line(unescape(get_str(each, "title"))), self._mrkdwn(get_str(each, "value"))
            if label and value and isinstance(value[0], Paragraph):
                value[0] = Paragraph((Span(label, bold=True), Span("\n"), *value[0].spans))
            elif label:
                blocks.append(Paragraph((Span(label, bold=True),)))
            blocks += value
        return blocks or self._mrkdwn(get_str(attachment, "fallback"))

    # blocks

    def _blocks(self, value: Any, depth: int) -> list[Block]:
        blocks: list[Block] = []
        for block in dicts_of(value):
            if depth >= MAX_NESTING or self.room <= 0:
                break
            blocks += self._block(block, depth)
        return blocks

    def _block(self, block: Payload, depth: int) -> list[Block]:
        kind = get_str(block, "type")
        match kind:
            case "rich_text":
                return self._rich_text(block)
            case "header":
                text = self._line(unescape(_text_of(block.get("text"))))
                return [Subheading((Span(text),))] if text else []
            case "markdown":
                text = self._take(get_str(block, "text"))
                is_text = text.count("[") > MAX_BRACKETS
                return _paragraphs([Span(text)]) if is_text else list(parse.__wrapped__(text, "markdown"))
            case "table":
                return self._table(block, depth)
            case "mrkdwn" | "plain_text":
                return self._text(block)
            case _:
                return [] if kind in _WITHOUT_WORDS else self._any_block(block, depth)

    def _any_block(self, block: Payload, depth: int) -> list[Block]:
        """The texts of a block of any other type, such as section, context or card."""
        blocks: list[Block] = []
        for key in _TITLES:
            value = block.get(key)
            if key == "alt_text" and blocks:  # it says again what the title does
                continue
            if isinstance(value, str):
                blocks += self._literal(value)
            elif isinstance(value, dict):
                blocks += self._block(value, depth + 1) if depth < MAX_NESTING else []
        for key in _PARTS:
            blocks += self._blocks(block.get(key), depth + 1)
        return blocks

    def _text(self, text: Payload) -> list[Block]:
        """A text object."""
        words = get_str(text, "text")
        return self._mrkdwn(words) if text.get("type") == "mrkdwn" else self._literal(unescape(words))

    def _table(self, block: Payload, depth: int) -> list[Block]:
        read = _lists(block.get("rows"))[:TABLE_ROWS]
        rows = [[self._cell(cell, depth + 1) for cell in dicts_of(row)[:TABLE_COLUMNS]] for row in read]
        rows = [row for row in rows if any(row)]
        if not rows:
            return []
        columns = list(zip_longest(*rows, fillvalue=()))
        header, *others = zip(*columns, strict=True)
        return [MarkdownTable(tuple(header), tuple(map(tuple, others)), tuple("left" for _ in columns))]

    def _cell(self, cell: Payload, depth: int) -> Spans:
        """A cell as one line of text."""
        if get_str(cell, "type") == "rich_text":
            return merge_spans(_spans_in(self._blocks([cell], depth)))
        value = cell.get("text", cell.get("value"))
        is_number = isinstance(value, int | float) and abs(value) < 1e15
        text = self._line(value if isinstance(value, str) else str(value) if is_number else "")
        return (Span(text),) if text else ()

    # rich text

    def _rich_text(self, block: Payload) -> list[Block]:
        blocks: list[Block] = []
        for is_bordered, group in groupby(
            dicts_of(block.get("elements")), key=lambda element: element.get("border") == 1
        ):
            inner = self._rich_text_elements(list(group))
            blocks += [Quote(tuple(inner))] if is_bordered and inner else inner
        return blocks

    def _rich_text_elements(self, elements: Sequence[Payload]) -> list[Block]:
        blocks: list[Block] = []
        for is_list, group in groupby(elements, key=lambda element: element.get("type") == "rich_text_list"):
            if is_list:
                blocks += self._lists(group)
                continue
            for element in group:
                match element.get("type"):
                    case "rich_text_preformatted":
                        text = "".join(map(_raw_text, dicts_of(element.get("elements"))))
                        text = self._take(text).strip("\n")
                        blocks += [CodeBlock(text, get_str(element, "language"))] if text.strip() else []
                    case "rich_text_quote":
                        inner = _paragraphs(self._spans(element.get("elements")))
                        blocks += [Quote(tuple(inner))] if inner else []
                    case _:
                        blocks += _paragraphs(self._spans(element.get("elements")))
        return blocks

    def _lists(self, elements: Iterable[Payload]) -> list[Block]:
        """Lists that follow each other; one with a larger indent belongs to the item above it."""
        flat = [
            (min(_whole_number(element.get("indent")), MAX_INDENT), element, items)
            for element in elements
            if (items := self._items(element))
        ]
        root: list[_List] = []
        for indent, element, items in flat:
            offset = min(_whole_number(element.get("offset")), MAX_NUMBER - len(items))
            start = offset + 1 if element.get("style") == "ordered" else None
            siblings = root
            while siblings and siblings[-1].indent < indent:
                siblings = siblings[-1].items[-1].lists
            last = siblings[-1] if siblings else None
            if last is not None and _goes_on(last, start):
                last.items += items
            else:
                siblings.append(_List(indent, start, items))
        return [each.to_block() for each in root]

    def _items(self, element: Payload) -> list[_Item]:
        items = (_paragraphs(self._spans(item.get("elements"))) for item in dicts_of(element.get("elements")))
        return [_Item(blocks) for blocks in items]

    def _spans(self, elements: Any) -> list[Span]:
        return [span for element in dicts_of(elements) for span in self._span(element)]

    def _span(self, element: Payload) -> list[Span]:
        """The spans of one element of rich text."""
        style = get_dict(element, "style")
        look = Span(
            "",
            bold=style.get("bold") is True,
            italic=style.get("italic") is True,
            struck=style.get("strike") is True,
            code=style.get("code") is True,
        )
        match element.get("type"):
            case "text":
                return _with_links(replace(look, text=self._take(get_str(element, "text"))))
            case "link":
                url = get_str(element, "url")
                text = self._take(get_str(element, "text") or url)
                self.room -= len(url)
                return [replace(look, text=text, url=link_address(url))]
            case "emoji":
                return [replace(look, text=self._take(_emoji(element)))]
            case "user":
                text = self._mention("@", get_str(element, "user_id"), "someone")
            case "usergroup":
                text = self._mention("@", get_str(element, "usergroup_id"), "group")
            case "channel":
                text = self._mention("#", get_str(element, "channel_id"), "channel")
            case "broadcast":
                text = self._mention("@", "", get_str(element, "range") or "channel")
            case "date":
                text = self._take(get_str(element, "fallback"))
            case "color":
                text = self._take(get_str(element, "value"))
            case _:
                text = self._take(get_str(element, "text"))
        return [replace(look, text=text)]

    def _mention(self, sign: str, name_id: str, otherwise: str) -> str:
        """A mention as words; a blank if mentions aren't read."""
        return self._take(f"{sign}{self.names.get(name_id, otherwise)}") if self.has_mentions else " "

    # text

    def _take(self, text: str) -> str:
        """As much of a text as there is room for, without control characters."""
        text = without_control_characters(text[: max(self.room, 0)])
        text = text.encode("utf-8", "ignore").decode() if not text.isascii() else text
        self.room -= len(text) + 1
        return text

    def _line(self, text: str) -> str:
        return " ".join(self._take(text).split())

    def _literal(self, text: str) -> list[Block]:
        """Text without markup."""
        return _paragraphs(_with_links(Span(self._take(text))))

    def _mrkdwn(self, text: str) -> list[Block]:
        """Text in Slack's markup."""
        parts = self._take(text).replace("\ufffc", "").split("```")
        if len(parts) % 2 == 0:  # the last fence isn't closed
            parts[-2:] = ["```".join(parts[-2:])]
        blocks: list[Block] = []
        for index, part in enumerate(parts):
            if index % 2:
                code = self._code(part).strip("\n")
                blocks += [CodeBlock(code)] if code.strip() else []
            else:
                blocks += self._mrkdwn_lines(part.split("\n"))
        return blocks

    def _mrkdwn_lines(self, lines: Sequence[str]) -> list[Block]:
        blocks: list[Block] = []
        quoted = [(line.startswith(("&gt;", ">")), line) for line in lines]
        rest = next((index for index, (_, line) in enumerate(quoted) if line.startswith(("&gt;&gt;&gt;", ">>>"))), None)
        if rest is not None:  # all that follows is quoted
            first = re.sub(r"^(?:&gt;|>){3} ?", "", quoted[rest][1])
            inner = self._mrkdwn_lines([line for _, line in quoted[:rest]])
            quote = _paragraphs(self._mrkdwn_spans("\n".join([first, *(line for _, line in quoted[rest + 1 :])])))
            return [*inner, *([Quote(tuple(quote))] if quote else [])]
        for is_quote, group in groupby(quoted, key=lambda pair: pair[0]):
            text = "\n".join(re.sub(r"^(?:&gt;|>) ?", "", line) if is_quote else line for _, line in group)
            inner = _paragraphs(self._mrkdwn_spans(text))
            blocks += [Quote(tuple(inner))] if is_quote and inner else inner
        return blocks

    def _mrkdwn_spans(self, text: str) -> list[Span]:
        spans: list[Span] = []
        for line in text.split("\n"):
            spans += [Span("\n")] if spans else []
            spans += self._mrkdwn_line(line)
        return spans

    def _mrkdwn_line(self, line: str) -> list[Span]:
        """The spans of a line in Slack's markup. Each token (a link, a mention, inline code) is one character at first."""
        tokens: list[Span] = []

        def token(match: re.Match[str]) -> str:
            tokens.append(Span(self._code(match[2]), code=True) if match[2] else self._token(match[1]))
            return "\ufffc"

        text = unescape(_TOKEN.sub(token, line))
        found = iter(tokens)
        spans: list[Span] = []
        for piece, look in _styled(text):
            for index, words in enumerate(piece.split("\ufffc")):
                if index:
                    inner = next(found)
                    spans.append(replace(look, text=inner.text, url=inner.url, code=inner.code))
                spans += _with_links(replace(look, text=words)) if words else []
        return spans

    def _code(self, text: str) -> str:
        """Code in Slack's markup, in which links and mentions stand as words."""
        return "".join(
            self._token(part).text if index % 2 else unescape(part) for index, part in enumerate(_IN_ANGLES.split(text))
        )

    def _token(self, inner: str) -> Span:
        """What stands between < and >."""
        target, _, label = inner.partition("|")
        label = unescape(label)
        match target[:1]:
            case "@":
                text = self._mention("@", target[1:], label.lstrip("@") or "someone")
            case "#":
                text = self._mention("#", target[1:], label.lstrip("#") or "channel")
            case "!":
                if target.startswith("!date^"):
                    return Span(label)
                group = target.startswith("!subteam^")
                text = self._mention(
                    "@", target[9:] if group else "", label.lstrip("@") or ("group" if group else target[1:])
                )
            case _:
                url = unescape(target)
                if not re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", url):
                    return Span(f"<{unescape(inner)}>")
                return Span(label or url.removeprefix("mailto:"), url=link_address(url))
        return Span(text)


@dataclass(slots=True)
class _Item:
    """An item of a list that is being read."""

    blocks: list[Block]
    lists: list[_List] = field(default_factory=list)


@dataclass(slots=True)
class _List:
    """A list that is being read."""

    indent: int
    start: int | None
    items: list[_Item]

    def to_block(self) -> MarkdownList:
        """The finished list."""
        items = (ListItem((*item.blocks, *(inner.to_block() for inner in item.lists))) for item in self.items)
        return MarkdownList(tuple(items), self.start)


def _goes_on(before: _List | MarkdownList, start: int | None) -> bool:
    """Whether a list, by the number of its first item or None for bullets, belongs to the one before it."""
    return start is None if before.start is None else start == before.start + len(before.items)


# --- parts of a message


def _text_of(value: Any) -> str:
    """The text of a text object, or a text itself."""
    return value if isinstance(value, str) else get_str(value, "text") if isinstance(value, dict) else ""


def _lists(value: Any) -> list[list[Any]]:
    return [item for item in value if isinstance(item, list)] if isinstance(value, list) else []


def _raw_text(element: Payload) -> str:
    """The text of an element in preformatted text."""
    return get_str(element, "text") or get_str(element, "url")


def _emoji(element: Payload) -> str:
    """An emoji's characters, else its name between colons."""
    codes = get_str(element, "unicode").split("-")
    if all(re.fullmatch(r"[0-9A-Fa-f]{2,6}", code) for code in codes):
        numbers = [int(code, 16) for code in codes]
        if all(number <= 0x10FFFF and not 0xD800 <= number <= 0xDFFF for number in numbers):
            return "".join(map(chr, numbers))
    name = get_str(element, "name")
    return f":{name}:" if name else ""


def _links_of(message: Payload) -> set[str]:
    """The addresses in a message's text and blocks."""
    texts = [get_str(message, "text"), *_texts_in(message.get("blocks"))]
    return {url for text in texts for url in _LINK.findall(unescape(text))}


_LINK = re.compile(r"https?://[^\s<>|]+")


def _texts_in(value: Any, depth: int = 0) -> Iterator[str]:
    """All texts in a payload."""
    if isinstance(value, str):
        yield value
    elif depth < 2 * MAX_NESTING and isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts_in(item, depth + 1)


# --- spans

_IN_ANGLES = re.compile(r"<([^<>\n]+)>")
_TOKEN = re.compile(r"<([^<>\n]+)>|`([^`\n]+)`")
_STYLE_MARK = re.compile(r"[*_~]")
_BARE_ADDRESS = re.compile(r"https?://[^\s<>\"'`|\\^{}\[\]()*]+")
_NOT_IN_ADDRESS = ".,;:!?&"
"""What ends a sentence, if it stands at the end of an address."""


def _styled(text: str) -> Iterator[tuple[str, Span]]:
    """The pieces of a line, and the style of each: *bold*, _italic_, ~struck~, where marks stand at the edges of words."""
    opened: dict[str, int] = {}
    marks: dict[int, str] = {}
    for match in _STYLE_MARK.finditer(text):
        mark, place = match[0], match.start()
        before, after = text[place - 1 : place], text[place + 1 : place + 2]
        if mark in opened and place > opened[mark] + 1 and not before.isspace() and not after.isalnum():
            start = opened[mark]
            marks |= {start: mark, place: mark}
            opened = {other: where for other, where in opened.items() if where < start}
        elif mark not in opened and after and not after.isspace() and not before.isalnum():
            opened[mark] = place
    look, start = Span(""), 0
    for place in sorted(marks):
        if place > start:
            yield text[start:place], look
        match marks[place]:
            case "*":
                look = replace(look, bold=not look.bold)
            case "_":
                look = replace(look, italic=not look.italic)
            case _:
                look = replace(look, struck=not look.struck)
        start = place + 1
    if start < len(text):
        yield text[start:], look


def _with_links(span: Span) -> list[Span]:
    """A span of text, in which addresses are links."""
    if span.code or "://" not in span.text:
        return [span]
    spans, start = [], 0
    for match in _BARE_ADDRESS.finditer(span.text):
        url = match[0].rstrip(_NOT_IN_ADDRESS)
        if url.endswith("/") and url.count("/") == 2:
            continue
        spans += [replace(span, text=span.text[start : match.start()]), replace(span, text=url, url=link_address(url))]
        start = match.start() + len(url)
    return [each for each in (*spans, replace(span, text=span.text[start:])) if each.text]


def _spans_in(blocks: Iterable[Block]) -> list[Span]:
    """The spans of blocks, blocks divided by blanks."""
    spans: list[Span] = []
    for block in blocks:
        spans += [Span(" ")] if spans else []
        match block:
            case Paragraph(inner) | Subheading(inner):
                spans += [replace(span, text=" ".join(span.text.split("\n"))) for span in inner]
            case CodeBlock(text):
                spans += [Span(" ".join(text.split()), code=True)]
            case Quote(inner_blocks):
                spans += _spans_in(inner_blocks)
            case MarkdownList(items):
                spans += _spans_in([inner for item in items for inner in item.blocks])
            case _:
                pass
    return spans


_BULLET = re.compile(r"(?:[-•◦▪‣]\ufe0e?)[ \t]+(?=\S)")
_NUMBER = re.compile(r"(\d{1,9})\.[ \t]+(?=\S)")


def _paragraphs(spans: Iterable[Span]) -> list[Block]:
    """Paragraphs, divided at empty lines; lines that begin with a bullet or with numbers in order are lists."""
    blocks: list[Block] = []
    lines: list[Spans] = []
    for line in (*_lines(spans), ()):
        mark = _mark_of(line)
        if lines and (not line or mark is not None):
            blocks.append(Paragraph(merge_spans([span for each in lines for span in (*each, Span("\n"))][:-1])))
            lines = []
        if mark is not None:
            start, length = mark
            item = ListItem((Paragraph(_without_start(line, length)),))
            last = blocks[-1] if blocks else None
            if isinstance(last, MarkdownList) and _goes_on(last, start):
                blocks[-1] = replace(last, items=(*last.items, item))
            else:
                blocks.append(MarkdownList((item,), start))
        elif line:
            lines.append(line)
    return blocks


def _mark_of(line: Spans) -> tuple[int | None, int] | None:
    """The number of a line that is an item of a list, None for a bullet, and the length of its mark; None for other lines."""
    if not line or replace(line[0], text="") != Span(""):
        return None
    text = line[0].text + ("x" if len(line) > 1 else "")
    if (found := _BULLET.match(text)) is not None:
        return None, found.end()
    if (found := _NUMBER.match(text)) is not None and found[1].isascii():
        return int(found[1]), found.end()
    return None


def _without_start(line: Spans, length: int) -> Spans:
    first, *others = line
    return tuple(span for span in (replace(first, text=first.text[length:]), *others) if span.text)


def _lines(spans: Iterable[Span]) -> list[Spans]:
    """The lines of spans, without blanks at either end."""
    lines: list[list[Span]] = [[]]
    for span in spans:
        for index, text in enumerate(span.text.split("\n")):
            if index:
                lines.append([])
            if text:
                lines[-1].append(span if text == span.text else replace(span, text=text))
    return [_stripped(line) for line in lines]


def _stripped(line: Sequence[Span]) -> Spans:
    """A line's spans, neighbours of one style as one, without blanks at either end; code of blanks alone is text."""
    spans = [replace(span, code=False) if not span.text.strip() else span for span in line]
    while spans and not spans[0].text.strip():
        del spans[0]
    while spans and not spans[-1].text.strip():
        del spans[-1]
    if spans and not spans[0].code:
        spans[0] = replace(spans[0], text=spans[0].text.lstrip())
    if spans and not spans[-1].code:
        spans[-1] = replace(spans[-1], text=spans[-1].text.rstrip())
    return merge_spans(spans)
