"""Import: a FAQ file (CSV, TSV or Markdown, in the encodings that spreadsheet programs write) becomes a pack's folder."""

from __future__ import annotations

import codecs
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.exchange.faq import Faq, FaqQuestion
from bot.exchange.faq_markdown import read_markdown
from bot.exchange.faq_table import read_table
from bot.exchange.yaml_text import NewEntry, entry_yaml, scalar
from bot.knowledge.schema import PHRASING_LIMIT, TITLE_LIMIT
from bot.model import ANSWER_ADVICE, AskPyError
from bot.text import normalize_phrase, slug


@dataclass(frozen=True, slots=True)
class ImportResult:
    """The new pack's folder, its number of entries, and notes on what was left out, each with file and line."""

    folder: Path
    entries: int
    notes: tuple[str, ...]


def import_faq(file: Path, folder: Path | None, name: str) -> ImportResult:
    """Write a pack with the questions of a FAQ.

    Args:
        file: The FAQ.
        folder: The pack's folder; by default one in the working directory that is named after the file.
        name: The pack's name; by default the file's title or name.

    Raises:
        AskPyError: The file has no questions, or the folder isn't empty or can't be written.
    """
    faq = read_faq(file)
    entries = _entries(faq)
    notes = [f"{file.name}:{line}: {text}" if line else f"{file.name}: {text}" for line, text in sorted(faq.notes)]
    if not entries:
        raise AskPyError("\n".join([f"Nothing in {file} can be taken over:", *notes]))
    stem = file.stem.replace("_", " ").replace("-", " ").strip()
    pack_name = " ".join((name or faq.name or stem[:1].upper() + stem[1:]).split())[:TITLE_LIMIT]
    target = folder if folder is not None else Path(slug(file.stem, fallback="faq"))
    _write_pack(target, pack_name or "FAQ", entries)
    return ImportResult(target, len(entries), tuple(notes))


def _write_pack(folder: Path, name: str, entries: Sequence[NewEntry]) -> None:
    """Write pack.yaml and answers.yaml into a folder that is new or empty."""
    try:
        if folder.is_dir() and any(folder.iterdir()):
            raise AskPyError(f"{folder} has files in it, and nothing is overwritten. Name a new folder with --into.")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "pack.yaml").write_text(f"name: {scalar(name, 'value')}\n", encoding="utf-8", newline="\n")
        (folder / "answers.yaml").write_text("\n".join(map(entry_yaml, entries)), encoding="utf-8", newline="\n")
    except FileExistsError:
        raise AskPyError(f"{folder} is a file. Name a new folder with --into.") from None
    except OSError as error:
        raise AskPyError(f"{folder} can't be written: {error.strerror or error}. Name another with --into.") from None


# --- the file

WANTED = (
    "Wanted is a CSV or TSV file with a row of headers, one of them 'question' and one 'answer' (and if you like one "
    "'phrasings', divided by |), or Markdown with each question as a heading above its answer, as Q: and A: lines, or in a table"
)
TABLE_SUFFIXES, MARKDOWN_SUFFIXES = (".csv", ".tsv", ".tab"), (".md", ".markdown", ".mdown", ".mkd", ".txt")
BINARY_FORMATS = {
    b"PK\x03\x04": "a spreadsheet or Word file",
    b"%PDF": "a PDF",
    b"\xd0\xcf\x11\xe0": "an old Excel or Word file",
}
"""By the first bytes of the file."""
ENCODINGS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
"""By byte order mark."""
TEXT_PER_CONTROL = 50
"""Characters for each control character, below which a file without questions isn't text; random bytes have nine."""
_CONTROLS = {code: " " for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\t\n"}


def read_faq(path: Path) -> Faq:
    """The questions of a file. Raises AskPyError, with what was recognized and what is wanted, where there are none."""
    decoded = _decode_file(path)
    text = decoded.translate(_CONTROLS)
    if not text.strip():
        raise AskPyError(f"{path} is empty. {WANTED}.")
    suffix = path.suffix.lower()
    readers = [read_table] if suffix in TABLE_SUFFIXES else [read_markdown] if suffix in MARKDOWN_SUFFIXES else []
    faqs = [read(text) for read in readers or (read_table, read_markdown)]
    best = max(faqs, key=lambda faq: len(faq.questions))
    if best.questions:
        return best
    if sum(map(str.__ne__, decoded, text)) * TEXT_PER_CONTROL > len(text):
        raise AskPyError(f"{path} is no text. {WANTED}.")
    if not best.notes:
        raise AskPyError(f"{path} has {' and '.join(faq.description for faq in faqs)}. {WANTED}.")
    notes = "\n".join(f"{path.name}:{line}: {note}" for line, note in best.notes[:5])
    raise AskPyError(f"Nothing in {path} can be taken over:\n{notes}\n{WANTED}.")


def _decode_file(path: Path) -> str:
    """The file's text, with line feeds at the ends of its lines. Raises AskPyError for formats that aren't text."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise AskPyError(f"{path} can't be read: {error.strerror or error}. Name a file that you may read.") from None
    for start, kind in BINARY_FORMATS.items():
        if content.startswith(start):
            raise AskPyError(f"{path} is {kind}. Save it as CSV (UTF-8) or as Markdown, and import that.")
    return _decode(content).replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")


def _decode(content: bytes) -> str:
    for bom, encoding in ENCODINGS.items():
        if content.startswith(bom):
            return content.decode(encoding, errors="replace")
    sample = content[:4000]
    if sample.count(0) > len(sample) / 4:  # every other byte of English in UTF-16
        return content.decode("utf-16-le" if sample[1::2].count(0) > sample[::2].count(0) else "utf-16-be", "replace")
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


# --- questions to entries


def _entries(faq: Faq) -> list[NewEntry]:
    """An entry for each question, without repeated questions and answers that are too long; notes are added to `faq`."""
    entries: dict[str, NewEntry] = {}
    ids: set[str] = set()
    lines: dict[str, int] = {}
    for question in faq.questions:
        phrase = normalize_phrase(question.question)
        fault = _fault(question, phrase)
        if not fault and phrase in entries:
            if entries[phrase].answer == question.answer:
                entries[phrase].asks += question.asks
                continue
            fault = f"asks what line {lines[phrase]} asks, with another answer: left out"
        if fault:
            faq.notes.append((question.line, f"{fault} ('{question.question[:60]}')"))
            continue
        title = _shorten_title(question.title or question.question)
        new_id = slug(question.id if any(char.isalpha() for char in question.id) else title, ids)
        asks = [question.question, *question.asks]
        entries[phrase] = NewEntry(new_id, title, question.answer, asks, question.not_asks)
        ids.add(new_id)
        lines[phrase] = question.line
    _remove_shared_phrasings(entries, faq)
    return list(entries.values())


def _fault(question: FaqQuestion, phrase: str) -> str:
    """Why a question can't become an entry, or ""."""
    if not phrase:
        return "has no words: left out"
    if len(question.answer) > ANSWER_ADVICE:
        length = f"{len(question.answer):,} characters, {ANSWER_ADVICE:,} can be sent"
        return f"the answer has {length}: left out; shorten it"
    return ""


def _remove_shared_phrasings(entries: dict[str, NewEntry], faq: Faq) -> None:
    """Leave each phrasing to one entry: a question to its own, and what several entries list to none of them."""
    owners = Counter(phrase for entry in entries.values() for phrase in {normalize_phrase(a) for a in entry.asks[1:]})
    shared: dict[str, str] = {}
    for question, entry in entries.items():
        kept = {question: _shorten_phrasing(entry.asks[0])}
        for text in entry.asks[1:]:
            phrase = normalize_phrase(text)
            if phrase and phrase not in entries and owners[phrase] == 1 and len(text) <= PHRASING_LIMIT:
                kept.setdefault(phrase, text)
            elif phrase and phrase != question:
                shared.setdefault(phrase, text)
        entry.asks = list(kept.values())
        not_asks = {phrase: a for a in entry.not_asks if (phrase := normalize_phrase(a)) and len(a) <= PHRASING_LIMIT}
        entry.not_asks = [text for phrase, text in not_asks.items() if phrase not in kept]
    if shared:
        listed = ", ".join(f"'{text[:60]}'" for text in list(shared.values())[:8])
        more = f" and {len(shared) - 8} more" if len(shared) > 8 else ""
        faq.notes.append((0, f"phrasings of more than one entry, which tell none of them: left out: {listed}{more}"))


def _shorten_title(text: str) -> str:
    return text if len(text) <= TITLE_LIMIT else text[: TITLE_LIMIT - 1].rpartition(" ")[0] + "…"


def _shorten_phrasing(text: str) -> str:
    return text if len(text) <= PHRASING_LIMIT else text[:PHRASING_LIMIT].rpartition(" ")[0]
