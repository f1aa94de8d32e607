"""The files that an import reads: which of a folder, what each of them is, and the questions in it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from bot.exchange.faq import LEFT_OUT, Faq, Note, joined_notes
from bot.exchange.faq_encoding import decode
from bot.exchange.faq_markdown import read_markdown
from bot.exchange.faq_table import read_table
from bot.exchange.faq_workbook import read_workbook
from bot.model import AskPyError

WANTED = (
    "Wanted is a CSV, TSV or Excel (.xlsx) file with a row of headers, one of them 'question' and one 'answer' (and if you "
    "like one 'phrasings', divided by |), or Markdown with each question as a heading above its answer, as Q: and A: lines, or "
    "in a table"
)
TABLE_SUFFIXES = (".csv", ".tsv", ".tab")
MARKDOWN_SUFFIXES = (".md", ".markdown", ".mdown", ".mkd", ".mdx", ".qmd", ".rmd", ".txt")
WORKBOOK_SUFFIXES, HTML_SUFFIXES = (".xlsx", ".xlsm"), (".html", ".htm", ".xhtml")
BINARY_FORMATS = {
    b"%PDF": "a PDF",
    b"\xd0\xcf\x11\xe0": "an old Excel or Word file, or one with a password",
    b"{\\rtf": "a rich text file (RTF)",
}
"""By the first bytes of the file."""
ZIPPED_FORMATS = {
    b"word/": "a Word file",
    b"ppt/": "a presentation",
    b"opendocument": "an OpenDocument file",
}
"""By what a zip archive's beginning and end name."""
UNREAD = dict.fromkeys(
    (".docx", ".doc", ".pdf", ".odt", ".rtf", ".xls", ".ods"), ". Save it as CSV (UTF-8), XLSX or Markdown"
)
"""By the suffix of files that can't be read: what to do with them."""
HTML_REMEDY = "Export the pages as Markdown (most wikis and sites can, and so can pandoc)"
SKIPPED_FOLDERS = frozenset(["node_modules", "__pycache__", "venv"])
PROJECT_FILES = frozenset("contributing changelog code_of_conduct authors maintainers pull_request_template".split())
"""Names of files that many repositories have, and that hold no questions of their readers."""
MAX_FILES = 5_000
"""Files of a folder that are read; a folder with more was named by mistake."""
MAX_SIZE = 64 * 1024 * 1024
"""Bytes of a file: a FAQ has a thousandth of it."""
TEXT_PER_CONTROL = 50
"""Characters for each control character, below which a file without questions isn't text; random bytes have nine."""
_CONTROLS = {code: " " for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\t\n"}
_UNSEEN = dict.fromkeys((65279, 63743, *range(55296, 57344)))
_LINE_ENDS = {0x2028: "\n", 0x2029: "\n", 0x85: "\n"}


@dataclass(frozen=True, slots=True)
class _Input:
    """A file, and its name in notes and in the pack's record. `is_about_folder`: it is the README of a folder of other files."""

    path: Path
    name: str
    is_in_folder: bool
    is_about_folder: bool = False


def read_faqs(paths: Sequence[Path], encoding: str = "", known: Collection[str] = ()) -> tuple[Faq, ...]:
    """The questions of all files, a Faq for each file that has some or has notes.

    Args:
        paths: Files, and folders that are read with all folders in them.
        encoding: That of the text files; "" recognizes it.
        known: The names of the files that an earlier import read.

    Raises:
        AskPyError: A file can't be read, or none has questions; with what was recognized and what is wanted.
    """
    faqs: list[Faq] = []
    for path, name in zip(paths, input_names(paths, known), strict=True):
        faqs += (
            _read_folder(path, name, encoding) if path.is_dir() else [_read_named(_Input(path, name, False), encoding)]
        )
    return tuple(faqs)


def input_names(paths: Sequence[Path], known: Collection[str] = ()) -> tuple[str, ...]:
    """The names of files and folders in notes and in the record of an import, the same wherever they are named from.

    One that an earlier import recorded (`known`) keeps its name. Another's is the last part of its path, and where two end
    alike, as many parts before it as tell them apart.
    """
    tails = [_tails(path) for path in paths]
    folders = {parent.as_posix() for file in known for parent in PurePosixPath(file).parents}
    chosen = [_recorded(own, folders if path.is_dir() else known) for path, own in zip(paths, tails, strict=True)]
    while clashing := [
        at
        for at, number in enumerate(chosen)
        if number + 1 < len(tails[at])
        and any(tails[at][number] == tails[n][m] for n, m in enumerate(chosen) if n != at)
    ]:
        for at in clashing:
            chosen[at] += 1
    return tuple(own[number] for own, number in zip(tails, chosen, strict=True))


def _tails(path: Path) -> list[str]:
    """The ends of a path, by the number of their parts."""
    parts = PurePosixPath(shown_name(Path(os.path.normpath(Path.cwd() / path)).as_posix())).parts[1:] or (
        path.as_posix(),
    )
    return ["/".join(parts[-number:]) for number in range(1, len(parts) + 1)]


def shown_name(name: str) -> str:
    """A file's name with its bytes that aren't UTF-8 as `\\xe9`: it is written into files that are."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _recorded(tails: Sequence[str], known: Collection[str]) -> int:
    """The position of the longest end of a path that was recorded; 0 if none was."""
    return max((number for number, tail in enumerate(tails) if tail in known), default=0)


def _read_named(source: _Input, encoding: str) -> Faq:
    """The questions of a file that was named. Raises AskPyError where there are none."""
    faq, text = _read(source, encoding)
    if faq.questions:
        return replace(faq, file=source.name)
    path = source.path
    if text and _count_controls(text) * TEXT_PER_CONTROL > len(text):
        raise AskPyError(f"{path} is no text. {WANTED}.")
    lost = [note for note in faq.notes if note.kind in LEFT_OUT and note.line]
    if not lost:
        described = faq.description or "headers, and no row with a question and an answer below them"
        raise AskPyError(f"{path} has {described}. {WANTED}.")
    described = f": it has {faq.description}" if faq.description else ""
    raise AskPyError(
        f"Nothing in {path} can be taken over{described}.\n" + "\n".join(joined_notes(lost)[:5]) + f"\n{WANTED}."
    )


def _read_folder(folder: Path, given: str, encoding: str) -> list[Faq]:
    files, notes = _files_of(folder, given)
    pages = [path for path in files if path.suffix.lower() in HTML_SUFFIXES]
    readable = [path for path in files if path not in pages]
    if not readable:
        if pages:
            raise AskPyError(
                f"{folder} has {len(pages)} HTML page{'s' * (len(pages) != 1)} and nothing that can be read. {HTML_REMEDY}."
            )
        raise AskPyError("\n".join([f"{folder} has no file that can be read. {WANTED}.", *joined_notes(notes)[:5]]))
    faqs = []
    for path in readable:
        name = _name_in(folder, given, path)
        try:
            is_about_folder = path.parent == folder and path.stem.lower() == "readme" and len(readable) > 1
            faq, _ = _read(_Input(path, name, True, is_about_folder), encoding)
        except AskPyError as error:
            faq = Faq(
                notes=(Note(name, 0, shown_name(str(error).removeprefix(f"{path} ")), "left out"),), is_read=False
            )
        if not faq.questions and not any(note.kind in LEFT_OUT for note in faq.notes):
            faq = replace(faq, notes=(*faq.notes, Note(name, 0, f"has {faq.description}")))
        faqs.append(replace(faq, file=name))
    notes += [Note(_name_in(folder, given, path), 0, f"an HTML page. {HTML_REMEDY}") for path in pages]
    if not any(faq.questions for faq in faqs):
        listed = "\n".join(joined_notes([note for faq in faqs for note in faq.notes] + notes)[:5])
        raise AskPyError(f"Nothing in {folder} can be taken over:\n{listed}\n{WANTED}.")
    return [*faqs, Faq(notes=tuple(notes))]


def _files_of(folder: Path, given: str) -> tuple[list[Path], list[Note]]:
    """The files of a folder that may have questions, in the order of their names, and notes on all else: links are named, since a
    link may lead to what isn't meant for readers; other things are counted by their kinds.
    """
    files: list[Path] = []
    links: list[Note] = []
    others: Counter[str] = Counter()
    wanted = (*TABLE_SUFFIXES, *MARKDOWN_SUFFIXES, *WORKBOOK_SUFFIXES, *HTML_SUFFIXES)
    root = os.path.realpath(folder)
    for parent, folders, names in os.walk(folder, onerror=_raise):
        read = [name for name in folders if not name.startswith(".") and name not in SKIPPED_FOLDERS]
        others.update("hidden folder" if name.startswith(".") else f"{name} folder" for name in {*folders} - {*read})
        links += [
            Note(_name_in(folder, given, path), 0, "a link to a folder, which isn't followed")
            for path in (Path(parent, name) for name in read)
            if path.is_symlink()
        ]
        folders[:] = sorted(read)
        for name in sorted(names):
            path = Path(parent, name)
            if name.startswith((".", "~$")):
                others["hidden file"] += 1
            elif path.is_symlink() and not Path(os.path.realpath(path)).is_relative_to(root):
                links.append(Note(_name_in(folder, given, path), 0, f"a link out of {given}, which isn't followed"))
            elif not path.is_file():
                others["broken link" if path.is_symlink() else "special file"] += 1
            elif path.stem.lower() in PROJECT_FILES:
                others["project file"] += 1
            elif path.suffix.lower() in wanted:
                files.append(path)
            else:
                others[f"{shown_name(path.suffix.lower()) or 'unnamed'} file"] += 1
        if len(files) > MAX_FILES:
            raise AskPyError(f"{folder} has more than {MAX_FILES:,} files. Name the folder of the FAQ alone.")
    counts = [
        Note(given, 0, f"{count} {kind}{'s' * (count != 1)}{UNREAD.get(kind.removesuffix(' file'), '')}")
        for kind, count in sorted(others.items())
    ]
    return files, links + counts


def _name_in(folder: Path, given: str, path: Path) -> str:
    """The name of a file in a folder that has the name `given`."""
    return f"{given}/{shown_name(path.relative_to(folder).as_posix())}"


def _raise(error: OSError) -> None:
    raise AskPyError(f"{error.filename} can't be listed: {error.strerror or error}. Name a folder that you may read.")


def _read(source: _Input, encoding: str) -> tuple[Faq, str]:
    """The questions of a file, and its text for the check whether it is text; "" for workbooks."""
    path, suffix = source.path, source.path.suffix.lower()
    content = _content(path)
    if content.startswith(b"PK\x03\x04"):
        return read_workbook(_checked_archive(content, path), source.name, path), ""
    if suffix in WORKBOOK_SUFFIXES:
        raise AskPyError(
            f"{path} is no workbook, whatever its name says. Save it anew, or as CSV (UTF-8), and import that."
        )
    for start, kind in BINARY_FORMATS.items():
        if content.startswith(start):
            raise AskPyError(f"{path} is {kind}. Save it as CSV (UTF-8), XLSX or Markdown, and import that.")
    decoded, guessed = decode(content, path, encoding)
    decoded = decoded.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff")
    if suffix in HTML_SUFFIXES or decoded.lstrip()[:200].lower().startswith(("<!doctype html", "<html")):
        raise AskPyError(f"{path} is an HTML page. {HTML_REMEDY}.")
    text = decoded.translate(_LINE_ENDS).translate(_CONTROLS).translate(_UNSEEN)
    if not text.strip():
        raise AskPyError(f"{path} is empty. {WANTED}.")
    faq = _questions_of(text, source)
    return replace(faq, notes=(*_text_notes(decoded, guessed, source), *faq.notes)), decoded


def _content(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_SIZE:
            raise AskPyError(
                f"{path} has more than {MAX_SIZE // 1024 // 1024} MB. Divide it, or name the file of the FAQ alone."
            )
        return path.read_bytes()
    except OSError as error:
        raise AskPyError(f"{path} can't be read: {error.strerror or error}. Name a file that you may read.") from None


def _checked_archive(content: bytes, path: Path) -> bytes:
    ends = content[:4_000] + content[-20_000:]
    for name, kind in ZIPPED_FORMATS.items():
        if name in ends:
            raise AskPyError(f"{path} is {kind}. Save it as CSV (UTF-8), XLSX or Markdown, and import that.")
    if b"xl/" not in ends:
        raise AskPyError(f"{path} is a zip archive. Unpack it, and import the folder.")
    return content


def _questions_of(text: str, source: _Input) -> Faq:
    suffix = source.path.suffix.lower()
    readings: list[Faq] = []
    if suffix not in MARKDOWN_SUFFIXES:
        readings.append(read_table(text, source.name))
    if suffix not in TABLE_SUFFIXES:
        readings.append(
            read_markdown(text, source.name, is_in_folder=source.is_in_folder, is_about_folder=source.is_about_folder)
        )
    best = max(readings, key=lambda faq: len(faq.questions))
    questions = tuple(replace(question, file=source.name) for question in best.questions)
    description = " and ".join(faq.description for faq in readings if faq.description)
    return replace(best, questions=questions, description=description)


def _text_notes(decoded: str, guessed: str, source: _Input) -> Iterator[Note]:
    if guessed:
        yield Note(
            source.name, 0, f"read as {guessed}; if letters are wrong, name the encoding with --encoding", "read as"
        )
    for number, line in enumerate(decoded.split("\n") if _count_controls(decoded) else (), 1):
        if _count_controls(line):
            yield Note(source.name, number, "control characters")


def _count_controls(text: str) -> int:
    return 0 if text.isprintable() else sum(ord(char) in _CONTROLS or ord(char) in _UNSEEN for char in text)
