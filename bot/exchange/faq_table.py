"""Tables: which column is the question and which the answer, the questions of the rows, and cells as Markdown."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from bot.exchange.faq import Faq, FaqQuestion, asks, beginning, looks_asked
from bot.exchange.faq_blocks import html_blocks, read_blocks, render
from bot.exchange.faq_inline import (
    HTML_NAMES,
    Reading,
    absolute_address,
    destination,
    escape,
    hard_break,
    text_of,
    unescape_html,
)

DELIMITERS = (",", ";", "\t", "|")
HEADER_SEARCH_ROWS = 10
"""Rows among which the header is looked for: exports often begin with a title and a blank row."""
MAX_CELL_LENGTH = 1 << 24

# --- names of columns, in the singular

STRICT_QUESTION_NAMES = tuple(
    "question q faq query problem issue symptom pregunta duda consulta problema pergunta questao probleme "
    "frage fragen fehler storung domanda quesito вопрос вопросы проблема питання pytanie vraag probleem fraga "
    "sporgsmal sporsmal kysymys otazka kerdes intrebare soru sorun ερωτηση שאלה سؤال السؤال 问题 問題 提问 疑问 症状 現象 "
    "质问 質問 問い 질문 문제 증상".split()
)
STRICT_ANSWER_NAMES = tuple(
    "answer a response reply solution resolution fix workaround remedy "
    "respuesta solucion resposta solucao reponse antwort antworten losung abhilfe risposta soluzione ответ ответы решение "
    "відповідь рішення odpowiedz rozwiazanie antwoord oplossing svar losning vastaus odpoved valasz raspuns cevap yanit cozum "
    "απαντηση תשובה جواب الجواب إجابة الإجابة "
    "答案 回答 解答 答复 答え 解决方案 解決方案 解决方法 解決方法 解决办法 解决 解決策 対処法 対処方法 対処 対応 "
    "답변 답 해결책 해결 조치".split()
)
"""Names of the two columns that mean nothing else, the likeliest first. A table of a Markdown file needs them, because it may as
well be part of an answer."""
MORE_QUESTION_NAMES = tuple("prompt title topic subject heading name".split())
MORE_ANSWER_NAMES = tuple("body text content description details".split())
FORMAT_NAMES = frozenset("html markdown md rich formatted plain text raw short long full brief".split())
"""Words that tell two columns of answers apart."""
KEYWORD_NAMES = frozenset([
    *"keyword synonym alias tag stichwort stichworte stichworter schlagwort schlagworte schlagworter trefwoord nyckelord".split(),
    *"etiqueta sinonimo synonyme 关键词 關鍵詞 关键字 關鍵字 标签 標籤 キーワード タグ 키워드 태그 метка тег теги".split(),
    *("search term", "mot cle", "palabra clave", "palavra chave", "parola chiave", "parole chiave", "ключевое слово"),
    *("ключевые слова", "slowo kluczowe", "slowa kluczowe", "anahtar kelime"),
])  # fmt: skip
"""Columns of short words, which are also divided by commas."""
PHRASING_NAMES = frozenset(
    [
        *KEYWORD_NAMES,
        *"ask phrasing phrase keyword synonym utterance alias variation variant alternative wording alternate similar".split(),
        *("related question", "also asked", "other question", "search term", "example"),
    ]
)
NOT_ASK_NAMES = frozenset(["not ask", "negative", "counterexample"])
TITLE_NAMES = frozenset(["title", "heading", "short title", "label"])
ID_NAMES = frozenset(["id", "key", "slug", "question id"])
METADATA_NAME = re.compile(
    r"\b(?:id|no|nr|number|category|date|by|type|owner|author|status|url|link|count|views?|votes?|language|tags?|time|version|release"
    r"|severity|priority|source)\b|编号|日期|分类|状态|类型|类别|作者|番号|日付|번호|날짜"
)
"""In a name with "question" in it: the column is about the question ("Question ID") and isn't the question."""
CATEGORY_NAMES = frozenset("category section group topic area product department team".split())


TableRow = tuple[int, list[str]]
"""The line where it starts, and its cells."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Positions of the columns.

    Attributes:
        others: Those that have the same answers in another form; of each row the fuller answer is taken.
        parts: Those that belong to the answer, below their name.
        unused: Those that aren't taken over.
        names: The headers, or ().
    """

    question: int
    answer: int
    title: int | None
    id: int | None
    asks: tuple[int, ...]
    keywords: frozenset[int]
    not_asks: tuple[int, ...]
    unused: tuple[int, ...]
    category: int | None = None
    width: int = 2
    others: tuple[int, ...] = ()
    parts: tuple[int, ...] = ()
    names: tuple[str, ...] = ()

    def with_parts(self, rows: Iterable[TableRow]) -> Columns:
        """The same columns, of which all but those about a question ("Severity") and those that count belong to its answer."""
        counted = {n for n in self.unused if all(_NUMBER_CELL.fullmatch(cells[n].strip()) for _, cells in rows)}
        parts = tuple(
            n for n in self.unused if n not in counted and not METADATA_NAME.search(_normalize_name(self.names[n]))
        )
        return replace(self, parts=parts, unused=tuple(n for n in self.unused if n not in parts))


def find_columns(header: Sequence[str], *, is_strict: bool = False) -> Columns | None:
    """The columns by their names; None without a question and an answer. `is_strict`: only names that mean nothing else."""
    names = [_normalize_name(cell) for cell in header]
    not_asks = [n for n, name in enumerate(names) if _contains(name, NOT_ASK_NAMES)]
    asks = [n for n, name in enumerate(names) if n not in not_asks and _contains(name, PHRASING_NAMES)]
    free = [n for n in range(len(names)) if n not in (*not_asks, *asks)]
    names_in_words = ["" if _SENTENCE_END.search(cell) else name for cell, name in zip(header, names, strict=True)]
    question = _first_column(
        names, names_in_words, free, STRICT_QUESTION_NAMES, () if is_strict else MORE_QUESTION_NAMES
    )
    free_answers = [n for n in free if n != question]
    answer = _first_column(
        names, names_in_words, free_answers, STRICT_ANSWER_NAMES, () if is_strict else MORE_ANSWER_NAMES
    )
    if question is None or answer is None:
        return None
    others = tuple(n for n in free_answers if n != answer and _is_same_answer(names[n], names[answer]))
    rest = [n for n in free_answers if n not in (answer, *others)]
    title = next((n for n in rest if names[n] in TITLE_NAMES), None)
    id_column = next((n for n in rest if names[n] in ID_NAMES), None)
    unused = tuple(n for n in rest if n not in (title, id_column) and header[n].strip())
    keywords = frozenset(n for n in asks if _contains(names[n], KEYWORD_NAMES))
    category = next((n for n in rest if n != title and CATEGORY_NAMES.intersection(names[n].split())), None)
    return Columns(
        question, answer, title, id_column, tuple(asks), keywords, tuple(not_asks), unused, category, len(header), others,
        names=tuple(cell.strip() for cell in header),
    )  # fmt: skip


def _normalize_name(cell: str) -> str:
    """A name in lower case and the singular, without accents and signs: "Other questions (2)" is "other question"."""
    cell = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", cell)
    cell = "".join(_without_accent(char) for char in unicodedata.normalize("NFKC", cell).casefold())
    words = re.sub(r"[\W\d_]+", " ", cell).split()
    return " ".join(_SINGULAR.get(word, word.removesuffix("s")) for word in words)


def _without_accent(char: str) -> str:
    base = unicodedata.normalize("NFD", char)[0]
    return base if base.isascii() or "\u0370" <= base <= "\u03ff" else char


_SINGULAR = {
    "aliases": "alias", "alias": "alias", "status": "status", "as": "as", "fixes": "fix", "soluciones": "solucion",
    "questoes": "questao", "solucoes": "solucao", "losungen": "losung", "preguntas": "pregunta",
}  # fmt: skip


def _contains(name: str, terms: Iterable[str]) -> bool:
    return any(re.search(rf"\b{term}\b", name) for term in terms)


LONGEST_NAME = 6
"""Words of a header; more are a sentence."""


_SENTENCE_END = re.compile(r"[.?!。？！][ \t]*$")


def _first_column(
    names: Sequence[str], in_words: Sequence[str], free: Sequence[int], strict: Sequence[str], more: Sequence[str]
) -> int | None:
    """The free column whose name comes first in `strict` or `more`; else the first with a word of `strict` among others."""
    for name in (*strict, *more):
        for n in free:
            if names[n] == name:
                return n
    for name in (*strict, *more):
        for n in free:
            if set(names[n].split()) - FORMAT_NAMES == {name}:
                return n
    for word in strict:
        for n in free:
            if _has_word(in_words[n], word) and not METADATA_NAME.search(in_words[n]):
                return n
    return None


def _has_word(name: str, word: str) -> bool:
    """Whether a name has a word among others. Chinese and Japanese write words without blanks; one letter is no word."""
    words = name.split()
    if len(words) > LONGEST_NAME or len(word) == 1:
        return False
    return word in words or ("\u3040" <= word[0] <= "\u9fff" and word in name)


def _is_same_answer(name: str, answer: str) -> bool:
    """Whether a column has the same answers as another in a different form: "Answer (HTML)" beside "Answer"."""
    words, known = set(name.split()), set(answer.split())
    return not METADATA_NAME.search(name) and words - FORMAT_NAMES == known - FORMAT_NAMES and words != known


def columns_by_content(rows: Sequence[Sequence[str]], header: Sequence[str]) -> Columns | None:
    """The columns of a table whose names aren't known: one of which most cells ask, and that with the longest texts beside it."""
    width = max(map(len, (header, *rows)))
    texts = [[row[n].strip() if n < len(row) else "" for row in rows] for n in range(width)]
    asked = [sum(_asks_in_cell(text) for text in column) for column in texts]
    question = max(range(width), key=lambda n: asked[n], default=0)
    if width < 2 or asked[question] < 2 or 3 * asked[question] < 2 * sum(bool(text) for text in texts[question]):
        return None
    others = [n for n in range(width) if n != question]
    answer = max(others, key=lambda n: (sum(map(len, texts[n])), n))
    if width > 2 and sum(map(len, texts[answer])) < SHORTEST_ANSWER * len(rows):  # a comparison: yes, no, yes
        return None
    unused = tuple(n for n in others if n != answer and any(texts[n]))
    names = tuple(cell.strip() for cell in (*header, *[""] * width)[:width])
    return Columns(question, answer, None, None, (), frozenset(), (), unused, None, width, names=names)


def _asks_in_cell(text: str) -> bool:
    text = text.strip("*_ ")
    return sum(map(str.isalnum, text)) > 1 and len(text) < MAX_QUESTION and (asks(text) or looks_asked(text))


_NUMBER_CELL = re.compile(r"[A-Za-z]{0,3}[-.#]?\d{0,5}[.)]?")
SHORTEST_ANSWER = 12
"""Characters that answers have on average, if the columns of a table are told by its content and it has more than two."""
MAX_QUESTION = 500
"""Characters of a question that is told by its content."""


# --- rows

CellReader = Callable[[str, int, Reading], str]
"""A cell's content, its line, and what is known of the file; returns Markdown."""

_HEADER_CELL = re.compile(r"[^\W\d]\S*(?:\s\S+)?(?<![?.!])")
"""A header: one word or two, and no sentence."""


def read_rows(rows: Sequence[TableRow], reading: Reading, read_cell: CellReader) -> Faq:
    """The questions of the rows of a sheet, of which one may name the columns; without questions, what was recognized."""
    found = find_header(rows)
    if found is None:
        names = ", ".join(f"'{cell.strip()[:40]}'" for cell in rows[0][1][:8]) if rows else "nothing"
        below = max(0, len(rows) - 1)
        return Faq(description=f"the columns {names} and {below} row{'s' * (below != 1)} below")
    columns, position = found
    questions = questions_from_rows(columns, rows[position + 1 :], reading, read_cell)
    line, cells = rows[max(0, position)]
    for before, skipped in rows[: max(0, position)]:
        reading.note(
            before,
            f"'{beginning(' '.join(cell for cell in skipped if cell.strip()))}' stands above the headers",
            "not taken",
        )
    if find_columns(cells) is None:  # in another language, or none at all
        names = ", ".join(f"'{cell.strip()[:40]}'" for cell in cells)
        if position == 0:
            reading.note(line, f"{names} taken for the headers of questions and answers", "read as")
        elif position < 0 and not asks(cells[columns.question]):
            reading.note(line, f"no headers that are known; this line was taken as an entry, too ({names})", "read as")
    return Faq(tuple(questions))


def find_header(rows: Sequence[TableRow]) -> tuple[Columns, int] | None:
    """The columns, and the position of the row that names them; -1 for a table of questions and answers without names.

    Without known names, a table is one if most cells of a column ask. A first row of short names without question mark is then
    taken for names in another language.
    """
    for position, (_, cells) in enumerate(rows[:HEADER_SEARCH_ROWS]):
        columns = find_columns(cells)
        if columns is not None:
            return columns, position
    first = [cell.strip() for cell in rows[0][1]] if rows else []
    columns = columns_by_content([cells for _, cells in rows], first)
    if columns is None:
        return None
    has_names = len(first) == columns.width and all(_HEADER_CELL.fullmatch(cell) for cell in first if cell)
    return (columns, 0) if has_names else (replace(columns, names=()), -1)


def questions_from_rows(
    columns: Columns, rows: Iterable[TableRow], reading: Reading, read_cell: CellReader
) -> list[FaqQuestion]:
    """The rows of a table as questions. A row with an answer alone continues the row above if its question's cell is merged."""
    questions: list[FaqQuestion] = []
    for line, cells in rows:
        before = len(reading.notes)
        row = [*_fitted(cells, columns, line, reading), *[""] * 64]
        text = text_of(read_cell(row[columns.question], line, reading))
        answer = _read_answer(row, columns, line, reading, read_cell)
        if not text or not answer:
            fault = "no answer" if text else "an answer without a question" if answer else "blank"
        elif not any(map(str.isalnum, text)):
            fault = "has no words"
        else:
            fault = ""
        if fault:  # nothing is said of what is in a row that isn't taken
            reading.notes[before:] = []
            if fault != "blank":
                reading.note(line, f"{fault} ('{beginning(text or answer)}')", "not taken")
            continue
        questions.append(
            FaqQuestion(
                text,
                answer,
                line,
                tuple(ask for n in columns.asks for ask in _phrasings(row[n], commas=n in columns.keywords)),
                tuple(ask for n in columns.not_asks for ask in _phrasings(row[n])),
                text_of(read_cell(row[columns.title], line, reading)) if columns.title is not None else "",
                text_of(read_cell(row[columns.id], line, reading)) if columns.id is not None else "",
                (text_of(read_cell(row[columns.category], line, reading)),)
                if columns.category is not None and row[columns.category].strip()
                else (),
                reading.file,
            )
        )
    if columns.unused:
        reading.note(
            0, f"not used: the columns {', '.join(_column_name(columns, n) for n in columns.unused)}", "not taken"
        )
    if columns.others:
        names = ", ".join(f"'{_column_name(columns, n)}'" for n in (columns.answer, *columns.others))
        reading.note(
            0, f"answers in the columns {names}: of each row the one with more links, code and list items", "read as"
        )
    return questions


def _column_name(columns: Columns, position: int) -> str:
    return columns.names[position] if columns.names and columns.names[position] else f"number {position + 1}"


_HELD = re.compile(r"\]\(|https?://|mailto:|^[ \t]*(?:```|~~~)", re.MULTILINE)
_LISTED = re.compile(r"^[ \t]*(?:[-*+]|\d{1,9}[.)])[ \t]+\S", re.MULTILINE)


def _read_answer(row: Sequence[str], columns: Columns, line: int, reading: Reading, read_cell: CellReader) -> str:
    """A row's answer: the fullest of its cells with answers, and below it the cells that belong to it."""
    best = ""
    notes = reading.notes[:]
    for number, n in enumerate((columns.answer, *columns.others)):
        before = len(reading.notes)
        answer = read_cell(row[n], line, reading)
        if not number or _held(answer) > _held(best):
            best, notes = answer, [*notes[:before], *reading.notes[before:]]
        reading.notes[before:] = []
    reading.notes[:] = notes
    parts = [(n, read_cell(row[n], line, reading)) for n in columns.parts]
    named = [f"**{_column_name(columns, n).rstrip(':')}:**{_gap(part)}{part}" for n, part in parts if part]
    return "\n\n".join([best, *named] if best else named)


def _held(answer: str) -> tuple[int, int, int]:
    """What an answer has, for a comparison: links and code, items of lists, letters."""
    return len(_HELD.findall(answer)), len(_LISTED.findall(answer)), sum(map(str.isalnum, answer))


def _gap(markdown: str) -> str:
    """What stands between a label and its text: a blank line before what isn't a paragraph."""
    return "\n\n" if _LISTED.match(markdown) or markdown.startswith(("```", "~~~", "|", ">", "#")) else " "


def _fitted(cells: list[str], columns: Columns, line: int, reading: Reading) -> list[str]:
    """A row without cells beyond the headers: they are the rest of an answer in the last column, whose commas had no quotes."""
    extra = [cell.strip() for cell in cells[columns.width :] if cell.strip()]
    if not extra:
        return cells
    if columns.answer != columns.width - 1:
        reading.note(line, f"more cells than headers ('{beginning(' '.join(extra))}')")
        return cells[: columns.width]
    reading.note(line, "more cells than headers: taken for commas in the answer", "changed")
    return [*cells[: columns.answer], ", ".join([cells[columns.answer].strip(), *extra])]


def _phrasings(cell: str, commas: bool = False) -> list[str]:
    text = unescape_html(_TAG.sub("\n", _with_real_tags(cell)) if _is_html(cell) else cell)
    return split_phrasings(text, commas=commas)


def split_phrasings(text: str, commas: bool = False) -> list[str]:
    """The phrasings of a text, divided by |, ; or line feeds. `commas`: by commas where it has none of those."""
    parts = re.split(r"[|;\n]", text)
    if commas and len(parts) == 1:
        parts = text.split(",")
    return [" ".join(part.strip().removeprefix("- ").split()) for part in parts if part.strip(" -")]


# --- cells

_TAG = re.compile(
    r"</?([A-Za-z][A-Za-z0-9]{0,15})"
    r"(?:\s+[A-Za-z:-]{1,40}(?:[ \t]*=[ \t]*(?:\"[^\"<>]{0,2000}\"|'[^'<>]{0,2000}'|[^\s\"'<>=]{1,500}))?){0,20}\s*/?>"
)
_VOID = frozenset("br hr img".split())
"""Tags without an end."""
_OPTIONAL_END = frozenset("p li tr td th dt dd".split())
"""Tags whose end HTML lets people leave out."""
_BLOCK_TAG = re.compile(r"<(?:p|div|ul|ol|li|table|h[1-6]|pre|blockquote|details)\b", re.IGNORECASE)
_LINK = re.compile(
    r"\[[^\[\]\n]{1,500}\]\(<?(?:https?://|mailto:|/|#|\.)[^()\s]{0,2000}"
    r"(?:\([^()\s]{0,500}\)[^()\s]{0,500})?>?(?:\s+\"[^\"\n]{0,300}\")?\)"
)
_FENCE = re.compile(r"^[ \t]{0,3}(```+|~~~+)[^`\n]*\n.*?^[ \t]{0,3}\1[ \t]*$", re.DOTALL | re.MULTILINE)
_BOLD = re.compile(r"(?<![\w*])\*\*(?=[^\s*])[^*\n]{1,500}(?<=[^\s*])\*\*(?![\w*])")
_CODE = re.compile(r"(?<!`)`(?=[^\s`])[^`\n]{1,500}(?<=[^\s`])`(?!`)")
_MARKDOWN_LINE = re.compile(r"^(?:#{2,6} \S.*|\|(?: *:?-{3,}:? *\|)+ *)$", re.MULTILINE)
HYPERLINK = re.compile(
    r"=HYPERLINK\([ ]*\"([^\"]{1,2000})\"[ ]*(?:[,;][ ]*\"((?:[^\"]|\"\"){0,1000})\")?[ ]*\)", re.IGNORECASE
)


def cell_markdown(cell: str, line: int, reading: Reading) -> str:
    """A cell as Markdown.

    A cell with tags of HTML is HTML; names in angle brackets that nothing closes are placeholders. A cell with a link, an image,
    a fence, inline code, `**bold**`, a heading or a table as Markdown writes them is Markdown. Any other is plain text: its line
    breaks stay, and no character in it becomes formatting.
    """
    cell = cell.replace("\r\n", "\n").replace("\r", "\n").strip("\n ")
    if not cell.strip():
        return ""
    formula = HYPERLINK.fullmatch(cell.strip())
    if formula:
        return link_markdown(plain_markdown((formula[2] or formula[1]).replace('""', '"')), formula[1])
    if _is_html(cell):
        cell = _with_real_tags(cell)
        if not _BLOCK_TAG.search(cell):
            cell = re.sub(r"(?:<br\s*/?>)?\n", "<br>", cell, flags=re.IGNORECASE)
        return render(html_blocks(cell, reading, line))
    if is_markdown(cell):
        return render(read_blocks(cell, reading, line))
    text = unescape_html(cell)
    if text != cell:
        reading.changes += 1
    return plain_markdown(text)


def _is_html(cell: str) -> bool:
    """Whether a cell has a tag of HTML that is no placeholder."""
    return "<" in cell and (_BEGINS_WITH_TAG.match(cell) is not None or next(_tag_starts(cell), None) is not None)


def _with_real_tags(cell: str) -> str:
    """A cell of HTML, in which the signs of what is no tag, as in `cp <source> <target>`, are entities."""
    real = {*_tag_starts(cell)}
    return _TAG.sub(
        lambda tag: (
            f"&lt;{tag[0][1:]}"
            if tag[0][1] != "/" and tag[1].lower() in _NEEDS_END and tag.start() not in real
            else tag[0]
        ),
        cell,
    )


def _tag_starts(cell: str) -> Iterator[int]:
    """Where the opening tags of HTML stand that have an end, an attribute with a value, or never have an end."""
    closed: dict[str, int] = {}
    tags = [(tag, tag[1].lower()) for tag in _TAG.finditer(cell) if tag[1].lower() in HTML_NAMES]
    for tag, name in reversed(tags):
        if tag[0][1] == "/":
            closed[name] = closed.get(name, 0) + 1
        elif closed.get(name, 0):
            closed[name] -= 1
            yield tag.start()
        elif name in _VOID or "=" in tag[0]:
            yield tag.start()


_NEEDS_END = HTML_NAMES - _OPTIONAL_END
_BEGINS_WITH_TAG = re.compile(rf"\s*<(?:{'|'.join(sorted(_OPTIONAL_END))})>", re.IGNORECASE)

_BREAK = re.compile(r"(?P<code>(?P<mark>`+).+?(?<!`)(?P=mark)(?!`))|[ \t]*<br\s*/?>[ \t]*", re.IGNORECASE)
_BLOCK_EDGE = re.compile(r"<(?P<end>/?)(?:ul|ol|table|pre|blockquote|details)\b[^<>]*>", re.IGNORECASE)


def markdown_cell(cell: str, line: int, reading: Reading) -> str:
    """A cell of a Markdown table as Markdown of as many lines as it needs; what has several lines is Markdown already.

    `<br>` ends a line. Lines with bullets or numbers are lists, as are those of HTML.
    """
    cell = cell.strip()
    if "\n" in cell:
        pass
    elif _BLOCK_EDGE.search(cell):
        cell = _BLOCK_EDGE.sub(lambda edge: f"{edge[0]}\n\n" if edge["end"] else f"\n\n{edge[0]}", cell)
    else:
        cell = plain_markdown(_BREAK.sub(lambda found: found["code"] or "\n", cell), str)
    return render(read_blocks(cell.strip(), reading, line, depth=1))


def is_markdown(cell: str) -> bool:
    """Whether a cell is evidently Markdown: what would be noise in plain text and has a meaning there."""
    return any(mark.search(cell) for mark in (_LINK, _FENCE, _BOLD, _CODE, _MARKDOWN_LINE))


_BULLET = re.compile(r"([ \t]*)[*•·–‣◦▪-][ \t]+(?=\S)")
_NUMBER = re.compile(r"([ \t]*)(\d{1,3})[.)][ \t]+(?=\S)")


def plain_markdown(text: str, read_line: Callable[[str], str] = escape) -> str:
    """Plain text as Markdown that shows it as it is: paragraphs, line breaks, lines with bullets or numbers as lists.

    `read_line` makes Markdown of the text of a line.
    """
    lines: list[str] = []
    has_numbers = False
    for line in text.replace("\t", "    ").strip("\n ").split("\n"):
        bullet, number = _BULLET.match(line), _NUMBER.match(line)
        last = lines[-1] if lines else ""
        if not line.strip():
            lines += [""] if last else []
        elif bullet:
            lines.append(f"{_indent(bullet[1], last)}- {read_line(line[bullet.end() :].strip())}")
        elif number and (number[2] == "1" or has_numbers):
            lines += [""] if last and not _LISTED.match(last) else []
            lines.append(f"{_indent(number[1], last)}{number[2]}. {read_line(line[number.end() :].strip())}")
        elif _LISTED.match(last):  # more of an item if it is indented, else a paragraph of its own
            is_more = line.startswith("  ")
            lines[-1] += hard_break(last) if is_more else ""
            lines += ["   " + read_line(line.strip())] if is_more else ["", read_line(line.strip())]
        else:
            lines[-1:] = [last + hard_break(last)] if last else [last] if lines else []
            lines.append((re.match(r" *", last)[0] if last else "") + read_line(line.strip()))  # type: ignore[index]
        has_numbers = has_numbers or (bool(lines) and re.match(r" *\d{1,3}\. ", lines[-1]) is not None)
    return "\n".join(lines).strip("\n")


def _indent(blanks: str, last: str) -> str:
    """The indent of an item: that of a list below an item, if it is indented there."""
    return "    " if len(blanks) >= 2 and (_LISTED.match(last) or last.startswith("    ")) else ""


def link_markdown(label: str, address: str) -> str:
    """A cell that is a link as a whole. The address stays out where it works on the old site only."""
    absolute = absolute_address(address)
    if not absolute or re.search(r"[\s<>]", absolute):
        return label
    if text_of(label) in (address, absolute):
        return f"<{absolute.removeprefix('mailto:')}>"
    if "](" in label:
        return label
    return "\n\n".join(f"[{part}]({destination(absolute)})" for part in re.split(r"\n{2,}", label))


# --- CSV and TSV


def read_table(text: str, file: str) -> Faq:
    """The questions of a CSV or TSV file; the delimiter is guessed, unless a line `sep=;` names it."""
    text = text.removeprefix("\ufeff")
    separator_line = re.match(r'"?sep=(.)"?[ \t]*\n', text, re.IGNORECASE)
    delimiters = (separator_line[1],) if separator_line else DELIMITERS
    skipped_lines = 1 if separator_line else 0
    if separator_line:
        text = text[separator_line.end() :]
    tables = [_read_rows(text, delimiter, skipped_lines) for delimiter in delimiters]
    rows, endless = max(tables, key=lambda table: _likelihood(table[0]))
    reading = Reading(file)
    faq = read_rows(rows, reading, cell_markdown)
    if endless:
        reading.note(
            endless, "a quotation mark that is opened here has no end, so that all below it is one cell", "read as"
        )
    return Faq(faq.questions, faq.name, faq.description, tuple(reading.notes))


def _likelihood(rows: Sequence[TableRow]) -> tuple[bool, int]:
    """How likely rows are divided by the right delimiter: by known headers, then by the cells of the first row."""
    found = find_header(rows)
    return found is not None, len(rows[max(0, found[1])][1]) if found else len(rows[0][1]) if rows else 0


def _read_rows(text: str, delimiter: str, skipped_lines: int) -> tuple[list[TableRow], int]:
    """The rows that aren't blank, and the line of the row in which a quotation mark has no end, or 0."""
    csv.field_size_limit(MAX_CELL_LENGTH)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    rows, line = [], 1 + skipped_lines
    for cells in reader:
        rows.append((line, cells))
        line = reader.line_num + 1 + skipped_lines
    endless = rows[-1][0] if rows and _is_endless(text, delimiter) else 0
    return [row for row in rows if any(cell.strip() for cell in row[1])], endless


def _is_endless(text: str, delimiter: str) -> bool:
    try:
        for _ in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True, strict=True):
            pass
    except csv.Error as error:
        return "unexpected end of data" in str(error)
    return False
