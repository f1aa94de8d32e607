"""Text as Markdown source, for the pack's files and for programs that read Markdown."""

from __future__ import annotations

import re

from bot.markdown.nodes import Block, MarkdownList, Paragraph
from bot.markdown.parse import AnswerFormat, parse, parser

_SPECIAL = re.compile(r"([\\`*_\[\]<>~|&]|https?:(?=//)|mailto:)")
_SPECIAL_START = re.compile(r"^(\s*)([#+=-]|>|\d{1,9}(?=[.)]))", re.MULTILINE)


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
