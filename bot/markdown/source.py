"""Text as Markdown source, for the pack's files and for programs that read Markdown."""

from __future__ import annotations

import re
from functools import lru_cache

from bot.markdown.nodes import Block, MarkdownList, Paragraph
from bot.markdown.parse import PARSED, AnswerFormat, parse, parser

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


@lru_cache(maxsize=PARSED)
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
    for token in parser().parse(answer):
        if token.type != "inline" or not token.map or not token.children:
            continue
        breaks = [child.type for child in token.children if child.type in ("softbreak", "hardbreak")]
        first, end = token.map
        for number in range(first, end - 1):
            if len(breaks) == end - first - 1 and breaks[number - first] == "hardbreak":
                continue
            line = lines[number]
            ends_in_address = ":" in line.rpartition(" ")[2]  # which would take in a backslash
            lines[number] = line.rstrip() + ("  " if ends_in_address else "\\")
            if len(breaks) != end - first - 1 and parse("\n".join(lines), "typed") != shown:
                lines[number] = line  # a line feed inside code or a link isn't shown
    return "\n".join(lines)
