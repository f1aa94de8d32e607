"""CSV and TSV files, and tables in general: which column is the question and which the answer, and the questions of the rows."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.exchange.faq import Faq, FaqQuestion, plain_cell

DELIMITERS = (",", ";", "\t", "|")
HEADER_SEARCH_ROWS = 10
"""Rows among which the header is looked for: exports often begin with a title and a blank row."""
MAX_CELL_LENGTH = 1 << 24

# --- names of columns, in the singular

QUESTION_NAMES = tuple("question q faq query prompt issue problem symptom title topic subject heading name".split())
"""Names of the question's column, the likeliest first."""
ANSWER_NAMES = tuple("answer a response reply solution resolution fix body text content description details".split())
PHRASING_NAMES = frozenset(
    [
        *"ask phrasing phrase keyword synonym utterance alias variation variant alternative wording alternate similar".split(),
        *("related question", "also asked", "other question", "search term", "example"),
    ]
)
KEYWORD_NAMES = frozenset(["keyword", "synonym", "alias", "search term"])
"""Columns of short words, which are also divided by commas."""
NOT_ASK_NAMES = frozenset(["not ask", "negative", "counterexample"])
TITLE_NAMES = frozenset(["title", "heading", "short title", "label"])
ID_NAMES = frozenset(["id", "key", "slug", "question id"])
METADATA_NAME = re.compile(
    r"\b(?:id|no|nr|number|category|date|by|type|owner|author|status|url|link|count|views?|votes?|language|tags?)\b"
)
"""In a name with "question" in it: the column is about the question ("Question ID") and isn't the question."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Positions of the columns that are used, and the names of those that aren't."""

    question: int
    answer: int
    title: int | None
    id: int | None
    asks: tuple[int, ...]
    keywords: frozenset[int]
    not_asks: tuple[int, ...]
    unused: tuple[str, ...]


FIRST_TWO = Columns(0, 1, None, None, (), frozenset(), (), ())
"""A table without a header: question and answer."""


def find_columns(header: Sequence[str]) -> Columns | None:
    """The columns by their names; None without a question and an answer."""
    names = [_normalize_name(cell) for cell in header]
    not_asks = [n for n, name in enumerate(names) if _contains(name, NOT_ASK_NAMES)]
    asks = [n for n, name in enumerate(names) if n not in not_asks and _contains(name, PHRASING_NAMES)]
    free = [n for n in range(len(names)) if n not in (*not_asks, *asks)]
    question = _first_column(names, free, QUESTION_NAMES)
    answer = _first_column(names, [n for n in free if n != question], ANSWER_NAMES)
    if question is None or answer is None:
        return None
    rest = [n for n in free if n not in (question, answer)]
    title = next((n for n in rest if names[n] in TITLE_NAMES), None)
    id_column = next((n for n in rest if names[n] in ID_NAMES), None)
    unused = tuple(header[n].strip() for n in rest if n not in (title, id_column) and header[n].strip())
    keywords = frozenset(n for n in asks if _contains(names[n], KEYWORD_NAMES))
    return Columns(question, answer, title, id_column, tuple(asks), keywords, tuple(not_asks), unused)


def _normalize_name(cell: str) -> str:
    """A name in lower case and the singular, without punctuation and digits: "Other questions (2)" is "other question"."""
    words = re.sub(r"[\W\d_]+", " ", cell.casefold()).split()
    return " ".join(_SINGULAR.get(word, word.removesuffix("s")) for word in words)


_SINGULAR = {"aliases": "alias", "alias": "alias", "status": "status", "as": "as"}


def _contains(name: str, terms: Iterable[str]) -> bool:
    return any(re.search(rf"\b{term}\b", name) for term in terms)


def _first_column(names: Sequence[str], free: Sequence[int], wanted: Sequence[str]) -> int | None:
    """The free column whose name comes first in `wanted`; else one with the first of them among its words."""
    for name in wanted:
        for n in free:
            if names[n] == name:
                return n
    for n in free:
        if wanted[0] in names[n].split() and not METADATA_NAME.search(names[n]):
            return n
    return None


# --- files

TableRow = tuple[int, list[str]]
"""The line where it starts, and its cells."""


def read_table(text: str) -> Faq:
    """The questions of a CSV or TSV file; the delimiter is guessed, unless a line `sep=;` names it."""
    text = text.removeprefix("\ufeff")
    separator_line = re.match(r'"?sep=(.)"?[ \t]*\n', text, re.IGNORECASE)
    delimiters = (separator_line[1],) if separator_line else DELIMITERS
    skipped_lines = 1 if separator_line else 0
    if separator_line:
        text = text[separator_line.end() :]
    readings = [_read_rows(text, delimiter, skipped_lines) for delimiter in delimiters]
    tables = [(*header, rows) for rows in readings if (header := _find_header(rows))]
    if not tables:
        rows = max(readings, key=lambda rows: len(rows[0][1]) if rows else 0)
        names = ", ".join(f"'{cell.strip()[:40]}'" for cell in rows[0][1][:8]) if rows else "nothing"
        return Faq(description=f"the columns {names} and {len(rows) - 1} rows below")
    columns, position, rows = max(tables, key=lambda table: len(table[2][table[1]][1]))
    faq = faq_from_rows(columns, rows[position + 1 :])
    line, cells = rows[max(0, position)]
    if find_columns(cells) is None:  # in another language, or none at all
        names = ", ".join(f"'{cell.strip()[:40]}'" for cell in cells)
        if position == 0:
            faq.notes.append((line, f"{names} taken for the headers of questions and answers: left out"))
        elif position < 0 and not cells[0].strip().endswith("?"):
            faq.notes.append((line, f"no headers that are known; this line was taken as an entry, too ({names})"))
    return faq


def _read_rows(text: str, delimiter: str, skipped_lines: int) -> list[TableRow]:
    """The rows that aren't blank, up to the first that can't be read."""
    csv.field_size_limit(MAX_CELL_LENGTH)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    rows, line = [], 1 + skipped_lines
    try:
        for cells in reader:
            rows.append((line, cells))
            line = reader.line_num + 1 + skipped_lines
    except csv.Error:  # a cell without an end
        return rows
    return [row for row in rows if any(cell.strip() for cell in row[1])]


_HEADER_CELL = re.compile(r"[^\W\d]\S*(?:\s\S+)?(?<![?.!])")
"""A header: one word or two, and no sentence."""


def _find_header(rows: Sequence[TableRow]) -> tuple[Columns, int] | None:
    """The columns, and the position of the row that names them; -1 for a table of questions and answers without names.

    Without known names, a table of two columns is one if most rows have a question mark in the first. A first row of two short
    names without question mark is then taken for names in another language.
    """
    for position, (_, cells) in enumerate(rows[:HEADER_SEARCH_ROWS]):
        columns = find_columns(cells)
        if columns is not None:
            return columns, position
    questions = [cells for _, cells in rows if len(cells) == 2 and cells[0].strip().endswith("?")]
    if len(questions) > 1 and len(questions) * 3 >= len(rows) * 2:
        first = [cell.strip() for cell in rows[0][1]]
        has_names = len(first) == 2 and all(_HEADER_CELL.fullmatch(cell) for cell in first)
        return FIRST_TWO, 0 if has_names else -1
    return None


# --- rows


def faq_from_rows(columns: Columns, rows: Iterable[TableRow]) -> Faq:
    """The rows of a table as questions."""
    faq = Faq()
    for line, cells in rows:
        row = [*cells, *[""] * 64]
        text, answer = " ".join(plain_cell(row[columns.question]).split()), plain_cell(row[columns.answer])
        if not text or not answer:
            fault = "no answer" if text else "an answer without a question" if answer else ""
            if fault:
                faq.notes.append((line, f"{fault} ('{(text or answer)[:60]}'): left out"))
            continue
        question = FaqQuestion(text, answer, line)
        question.title = " ".join(plain_cell(row[columns.title]).split()) if columns.title is not None else ""
        question.id = row[columns.id].strip() if columns.id is not None else ""
        for n in columns.asks:
            question.asks += split_phrasings(row[n], commas=n in columns.keywords)
        for n in columns.not_asks:
            question.not_asks += split_phrasings(row[n])
        faq.questions.append(question)
    if columns.unused:
        faq.notes.append((0, f"not used: the columns {', '.join(columns.unused)}"))
    return faq


def split_phrasings(cell: str, commas: bool = False) -> list[str]:
    """The phrasings of a cell, divided by |, ; or line feeds. `commas`: by commas where it has none of those."""
    parts = re.split(r"[|;\n]", plain_cell(cell))
    if commas and len(parts) == 1:
        parts = cell.split(",")
    return [" ".join(part.removeprefix("- ").split()) for part in parts if part.strip(" -")]
