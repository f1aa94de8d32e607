"""A FAQ file as questions with their answers: CSV and TSV, or Markdown; in the encodings that people's programs write."""

from __future__ import annotations

import codecs
import html
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

from bot.model import AskPyError

WANTED = (
    "Wanted is a CSV or TSV file with a row of headers, one of them 'question' and one 'answer' (and if you like one "
    "'phrasings', divided by |), or Markdown with each question as a heading above its answer, as Q: and A: lines, or in a table"
)
TABLES, PAGES = (".csv", ".tsv", ".tab"), (".md", ".markdown", ".mdown", ".mkd", ".txt")
NO_TEXT = {
    b"PK\x03\x04": "a spreadsheet or Word file",
    b"%PDF": "a PDF",
    b"\xd0\xcf\x11\xe0": "an old Excel or Word file",
}
BOMS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}

FEW = 50
"""A file that asks nothing and has a control character in fifty, or more, is no text; of random bytes one in nine is one."""
_CONTROLS = {code: " " for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\t\n"}


@dataclass(slots=True)
class Asked:
    """One question of the file, and the line where it starts."""

    question: str
    answer: str
    line: int
    asks: list[str] = field(default_factory=list)
    not_asks: list[str] = field(default_factory=list)
    title: str = ""
    id: str = ""


@dataclass(slots=True)
class Faq:
    """What a file holds. `found` says it in a person's words, `notes` what was passed over, each with its line."""

    asked: list[Asked] = field(default_factory=list)
    name: str = ""
    found: str = ""
    notes: list[tuple[int, str]] = field(default_factory=list)


def read_faq(path: Path) -> Faq:
    """The questions of a file. Raises AskPyError, with what was found and what is wanted, where there are none."""
    from bot.tools.exchange import columns, markdown  # noqa: PLC0415  both need what stands above

    raw = decoded(path)
    text = raw.translate(_CONTROLS)
    suffix = path.suffix.lower()
    if not text.strip():
        raise AskPyError(f"{path} is empty. {WANTED}.")
    read = [columns.read_table] if suffix in TABLES else [markdown.read_page] if suffix in PAGES else []
    found = [reader(text) for reader in read or (columns.read_table, markdown.read_page)]
    best = max(found, key=lambda one: len(one.asked))
    if not best.asked and sum(map(str.__ne__, raw, text)) * FEW > len(text):
        raise AskPyError(f"{path} is no text. {WANTED}.")
    if not best.asked and not best.notes:
        raise AskPyError(f"{path} has {' and '.join(one.found for one in found)}. {WANTED}.")
    if not best.asked:
        first = "\n".join(f"{path.name}:{line}: {note}" for line, note in best.notes[:5])
        raise AskPyError(f"Nothing in {path} can be taken over:\n{first}\n{WANTED}.")
    return best


def decoded(path: Path) -> str:
    """The file's text. Raises AskPyError for what is no text."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise AskPyError(f"{path} can't be read: {error.strerror or error}. Name a file that you may read.") from None
    for start, kind in NO_TEXT.items():
        if content.startswith(start):
            raise AskPyError(f"{path} is {kind}. Save it as CSV (UTF-8) or as Markdown, and import that.")
    return _text(content).replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")


def _text(content: bytes) -> str:
    for bom, encoding in BOMS.items():
        if content.startswith(bom):
            return content.decode(encoding, errors="replace")
    sample = content[:4000]
    if sample.count(0) > len(sample) / 4:  # every other byte of plain words in UTF-16
        return content.decode("utf-16-le" if sample[1::2].count(0) > sample[::2].count(0) else "utf-16-be", "replace")
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


# --- marks out of texts: the bot's answers are plain. Each mark reaches only so far, so that no file takes long.

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


def plain_inline(text: str) -> str:
    """Markdown's marks within a line taken away; a link leaves its words and its address."""
    parts, at = [], 0
    for code in _CODE.finditer(text):
        parts += [_unmarked(text[at : code.start()]), code[2].strip()]
        at = code.end()
    return "".join([*parts, _unmarked(text[at:])])


def _unmarked(text: str) -> str:
    text = _AUTOLINK.sub(lambda m: m[1].removeprefix("mailto:"), _LINK.sub(_link, _IMAGE.sub(r"\1", text)))
    text = _STRUCK.sub(r"\1", _EMPHASIS.sub(r"\2", _STRONG.sub(r"\2", text)))
    return _ESCAPED.sub(r"\1", text)


def _link(found: re.Match[str]) -> str:
    words, address = found[1].strip(), found[2].removeprefix("mailto:")
    return words if not address or address.startswith("#") or words == address else f"{words} ({address})"


def plain_cell(text: str) -> str:
    """A table's cell without HTML, and without what Markdown is likely there."""
    text = text.replace("\xa0", " ")
    if _TAG.search(text):
        reader = _Html()
        reader.feed(text)
        reader.close()
        text = "".join(reader.parts)
    else:
        text = html.unescape(text)
    lines = [
        re.sub(r"^\s*[*•·–]\s+", "- ", _LINK.sub(_link, _BOLD.sub(r"\1", line))).rstrip()
        for line in text.strip().split("\n")
    ]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


class _Html(HTMLParser):
    """The words of a piece of HTML, a line for each block."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self.address = ""
        self.lists: list[int] = []
        """The item that each list is at, the innermost last; below 0 where items have no numbers."""

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
