"""Tables: which column is the question, which the answer, and what the rows say."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.tools.exchange.faq import Asked, Faq, plain_cell

DIVIDERS = (",", ";", "\t", "|")
LOOK_FOR_HEADER = 10
"""Rows in which the headers may stand: exports like to begin with a title and a blank row."""
LONGEST_CELL = 1 << 24

QUESTIONS = (
    "question",
    "q",
    "faq",
    "query",
    "prompt",
    "issue",
    "problem",
    "symptom",
    "title",
    "topic",
    "subject",
    "heading",
    "name",
)
ANSWERS = (
    "answer",
    "a",
    "response",
    "reply",
    "solution",
    "resolution",
    "fix",
    "body",
    "text",
    "content",
    "description",
    "details",
)
ASKS = {
    *(
        "ask",
        "phrasing",
        "phrase",
        "keyword",
        "synonym",
        "utterance",
        "alias",
        "variation",
        "variant",
        "alternative",
        "wording",
    ),
    *("alternate", "similar", "related question", "also asked", "other question", "search term", "example"),
}
KEYWORDS = {"keyword", "synonym", "alias", "search term"}
"""Columns whose texts are short words, so that commas divide them too."""
NOT_ASKS = {"not ask", "negative", "counterexample"}
TITLES = {"title", "heading", "short title", "label"}
ASIDE = re.compile(
    r"\b(?:id|no|nr|number|category|date|by|type|owner|author|status|url|link|count|views?|votes?|language|tags?)\b"
)


@dataclass(frozen=True, slots=True)
class Columns:
    """The places of the columns that are used, and the names of those that aren't."""

    question: int
    answer: int
    title: int | None
    id: int | None
    asks: tuple[int, ...]
    keywords: frozenset[int]
    not_asks: tuple[int, ...]
    unused: tuple[str, ...]


def columns_of(header: Sequence[str]) -> Columns | None:
    """The columns by their headers, or none without a question and an answer."""
    names = [_name(cell) for cell in header]
    refused = [n for n, name in enumerate(names) if _is(name, NOT_ASKS)]
    asks = [n for n, name in enumerate(names) if n not in refused and _is(name, ASKS)]
    free = [n for n in range(len(names)) if n not in (*refused, *asks)]
    question = _best(names, free, QUESTIONS)
    answer = _best(names, [n for n in free if n != question], ANSWERS)
    if question is None or answer is None:
        return None
    rest = [n for n in free if n not in (question, answer)]
    title = next((n for n in rest if names[n] in TITLES), None)
    number = next((n for n in rest if names[n] in ("id", "key", "slug", "question id")), None)
    used = {question, answer, title, number, *asks, *refused}
    unused = tuple(header[n].strip() for n in rest if n not in used and header[n].strip())
    keywords = frozenset(n for n in asks if _is(names[n], KEYWORDS))
    return Columns(question, answer, title, number, tuple(asks), keywords, tuple(refused), unused)


def _name(cell: str) -> str:
    """A header in lower case and the singular, without marks and numbers: "Other questions (2)" is "other question"."""
    words = re.sub(r"[\W\d_]+", " ", cell.casefold()).split()
    return " ".join(_SINGULAR.get(word, word.removesuffix("s")) for word in words)


_SINGULAR = {"aliases": "alias", "alias": "alias", "status": "status", "as": "as"}


def _is(name: str, kinds: Iterable[str]) -> bool:
    return any(re.search(rf"\b{kind}\b", name) for kind in kinds)


def _best(names: Sequence[str], free: Sequence[int], wanted: Sequence[str]) -> int | None:
    """The column with the name that comes first among the wanted; whole names before names with more words."""
    for name in wanted:
        for n in free:
            if names[n] == name:
                return n
    for name in wanted[:1]:
        for n in free:
            if name in names[n].split() and not ASIDE.search(names[n]):
                return n
    return None


def read_table(text: str) -> Faq:
    """A CSV or TSV file."""
    text = text.removeprefix("\ufeff")
    told = re.match(r'"?sep=(.)"?[ \t]*\n', text, re.IGNORECASE)
    dividers = (told[1],) if told else DIVIDERS
    skipped = 1 if told else 0
    if told:
        text = text[told.end() :]
    read = [_rows(text, divider, skipped) for divider in dividers]
    tables = [(columns, n, rows) for rows in read if (found := _header(rows)) for columns, n in [found]]
    if not tables:
        rows = max(read, key=lambda rows: len(rows[0][1]) if rows else 0)
        names = ", ".join(f"'{cell.strip()[:40]}'" for cell in rows[0][1][:8]) if rows else "nothing"
        return Faq(found=f"the columns {names} and {len(rows) - 1} rows below")
    columns, n, rows = max(tables, key=lambda one: len(one[2][one[1]][1]))
    faq = faq_of(columns, rows[n + 1 :])
    line, cells = rows[max(0, n)]
    if columns_of(cells) is None:  # in another language, or none at all
        named = ", ".join(f"'{cell.strip()[:40]}'" for cell in cells)
        if n == 0:
            faq.notes.append((line, f"{named} taken for the headers of questions and answers: left out"))
        elif n < 0 and not cells[0].strip().endswith("?"):
            faq.notes.append((line, f"no headers that are known; this line was taken as an entry, too ({named})"))
    return faq


Row = tuple[int, list[str]]
"""The line where it starts, and its cells."""


def _rows(text: str, divider: str, skipped: int) -> list[Row]:
    csv.field_size_limit(LONGEST_CELL)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=divider, skipinitialspace=True)
    rows, line = [], 1 + skipped
    try:
        for cells in reader:
            rows.append((line, cells))
            line = reader.line_num + 1 + skipped
    except csv.Error:  # a cell without an end
        return rows
    return [row for row in rows if any(cell.strip() for cell in row[1])]


_NAME = re.compile(r"[^\W\d]\S*(?:\s\S+)?(?<![?.!])")
"""A header: one word or two, and no sentence."""


def _header(rows: Sequence[Row]) -> tuple[Columns, int] | None:
    """The columns, and the row of their headers; without known ones, two columns of which the first asks.

    There a first row of two short names that don't ask is taken for headers in another language.
    """
    for n, (_, cells) in enumerate(rows[:LOOK_FOR_HEADER]):
        columns = columns_of(cells)
        if columns is not None:
            return columns, n
    asking = [cells for _, cells in rows if len(cells) == 2 and cells[0].strip().endswith("?")]
    if len(asking) > 1 and len(asking) * 3 >= len(rows) * 2:
        first = [cell.strip() for cell in rows[0][1]]
        headed = len(first) == 2 and all(_NAME.fullmatch(cell) for cell in first)
        return Columns(0, 1, None, None, (), frozenset(), (), ()), 0 if headed else -1
    return None


def faq_of(columns: Columns, rows: Iterable[Row]) -> Faq:
    """The rows of a table as questions."""
    faq = Faq()
    for line, cells in rows:
        row = [*cells, *[""] * 64]
        question, answer = " ".join(plain_cell(row[columns.question]).split()), plain_cell(row[columns.answer])
        if not question or not answer:
            what = "no answer" if question else "an answer without a question" if answer else ""
            if what:
                faq.notes.append((line, f"{what} ('{(question or answer)[:60]}'): left out"))
            continue
        asked = Asked(question, answer, line)
        asked.title = " ".join(plain_cell(row[columns.title]).split()) if columns.title is not None else ""
        asked.id = row[columns.id].strip() if columns.id is not None else ""
        for n in columns.asks:
            asked.asks += divided(row[n], commas=n in columns.keywords)
        for n in columns.not_asks:
            asked.not_asks += divided(row[n])
        faq.asked.append(asked)
    if columns.unused:
        faq.notes.append((0, f"not used: the columns {', '.join(columns.unused)}"))
    return faq


def divided(cell: str, commas: bool = False) -> list[str]:
    """The phrasings of a cell: divided by | or ; or lines, and short words by commas where there is none of those."""
    parts = re.split(r"[|;\n]", plain_cell(cell))
    if commas and len(parts) == 1:
        parts = cell.split(",")
    return [" ".join(part.removeprefix("- ").split()) for part in parts if part.strip(" -")]
