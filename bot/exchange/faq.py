"""A FAQ as questions with answers, and the plain text of what stands in Markdown or HTML."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass(slots=True)
class FaqQuestion:
    """A question with its answer.

    Attributes:
        question: The question.
        answer: Plain text.
        line: Where it starts in the file.
        asks: Further phrasings.
        not_asks: Questions that it doesn't answer.
        title, id: "" where the file has none.
    """

    question: str
    answer: str
    line: int
    asks: list[str] = field(default_factory=list)
    not_asks: list[str] = field(default_factory=list)
    title: str = ""
    id: str = ""


@dataclass(slots=True)
class Faq:
    """What a file holds.

    Attributes:
        questions: With their answers, in the file's order.
        name: Its title, or "".
        description: What was recognized in a file without questions, for the error message.
        notes: What was left out, with line numbers; line 0 stands for the whole file.
    """

    questions: list[FaqQuestion] = field(default_factory=list)
    name: str = ""
    description: str = ""
    notes: list[tuple[int, str]] = field(default_factory=list)


# --- plain text. Repetitions in the patterns are bounded, so that the time for any file grows with its length alone.

_TAG = re.compile(
    r"</?(?:p|br|div|span|li|ul|ol|a|b|i|u|em|strong|code|pre|h[1-6]|table|tr|td|th|img|font|hr)\b[^>]*>", re.I
)
_IMAGE = re.compile(r"!\[([^\[\]]{0,300})\]\([^)]{0,2000}\)")
_LINK = re.compile(r"\[([^\[\]]{1,300})\]\(<?([^)\s>]{0,2000})>?(?:\s+[^)]{0,300})?\)")
_AUTOLINK = re.compile(r"<((?:https?://|mailto:)[^>\s]+)>")
_STRONG = re.compile(r"(\*\*|__)(?=\S)(.{1,1000}?)(?<=\S)\1(?!\w)")
_EMPHASIS = re.compile(r"(?<![\w*\\])([*_])(?=[^\s*_])([^*_\n]*[^\s*_])\1(?![\w*])")
_BOLD = re.compile(r"\*\*(?=\S)(.{1,1000}?)(?<=\S)\*\*")
_STRUCK = re.compile(r"~~(.{1,1000}?)~~")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_CODE = re.compile(r"(`+)(.{1,3000}?)\1", re.DOTALL)
_BULLET = re.compile(r"^\s*[*•·–]\s+")


def plain_inline(text: str) -> str:
    """A line of Markdown without its marks; a link becomes its text and address."""
    parts, start = [], 0
    for code in _CODE.finditer(text):
        parts += [_without_marks(text[start : code.start()]), code[2].strip()]
        start = code.end()
    return "".join([*parts, _without_marks(text[start:])])


def _without_marks(text: str) -> str:
    text = _AUTOLINK.sub(lambda m: m[1].removeprefix("mailto:"), _LINK.sub(_plain_link, _IMAGE.sub(r"\1", text)))
    text = _STRUCK.sub(r"\1", _EMPHASIS.sub(r"\2", _STRONG.sub(r"\2", text)))
    return _ESCAPED.sub(r"\1", text)


def _plain_link(match: re.Match[str]) -> str:
    label, address = match[1].strip(), match[2].removeprefix("mailto:")
    return label if not address or address.startswith("#") or label == address else f"{label} ({address})"


def plain_cell(text: str) -> str:
    """A table's cell without HTML, and without those marks of Markdown that are common in tables."""
    text = text.replace("\xa0", " ")
    if _TAG.search(text):
        reader = _HtmlText()
        reader.feed(text)
        reader.close()
        text = "".join(reader.parts)
    else:
        text = html.unescape(text)
    lines = (_LINK.sub(_plain_link, _BOLD.sub(r"\1", line)) for line in text.strip().split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(_BULLET.sub("- ", line).rstrip() for line in lines)).strip()


class _HtmlText(HTMLParser):
    """Collects the text of a piece of HTML in `parts`, a line for each block."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self.address = ""
        self.lists: list[int] = []
        """The current item of each open list, the innermost last; below 0 in lists without numbers."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        match tag:
            case "a":
                self.address = dict(attrs).get("href") or ""
            case "ul" | "ol":
                self.lists.append(0 if tag == "ol" else -1_000_000)
            case "li":
                self.lists = [*self.lists[:-1], self.lists[-1] + 1] if self.lists else [-1_000_000]
                self.parts.append(f"\n{self.lists[-1]}. " if self.lists[-1] > 0 else "\n- ")
            case "br" | "tr":
                self.parts.append("\n")
            case "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6":
                self.parts.append("\n\n")
            case "td" | "th":
                self.parts.append(" ")

    def handle_endtag(self, tag: str) -> None:
        match tag:
            case "a" if self.address.startswith(("http", "mailto:")):
                address = self.address.removeprefix("mailto:")
                self.parts.append("" if address in "".join(self.parts[-1:]) else f" ({address})")
            case "ul" | "ol":
                self.lists = self.lists[:-1]
                self.parts.append("\n\n")
            case "p" | "div" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6":
                self.parts.append("\n\n" if tag == "p" else "\n")

    def handle_data(self, data: str) -> None:
        self.parts.append(re.sub(r"\s+", " ", data) if data.strip() else " " if " " in data else "")
