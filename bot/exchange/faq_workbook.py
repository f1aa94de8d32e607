"""Excel workbooks (.xlsx): the cells of each sheet as they are shown, with their links, as rows of Markdown."""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

from bot.exchange.faq import Faq, FaqQuestion, beginning
from bot.exchange.faq_inline import Reading
from bot.exchange.faq_table import HYPERLINK, TableRow, cell_markdown, link_markdown, read_rows
from bot.model import AskPyError

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

OPENPYXL_MISSING = (
    "Excel files need openpyxl, which isn't installed: pip install openpyxl where AskPy is installed, or "
    "uv tool install '.[xlsx]' in the checkout. Or save the sheet as CSV (UTF-8), and import that."
)
MAX_UNZIPPED = 20 * 1024 * 1024
"""Bytes of a workbook's unzipped parts but for pictures: a FAQ has a hundredth of it, and a small file can unzip to anything."""
MAX_PICTURES = 200 * 1024 * 1024
"""Bytes of its other parts."""
MAX_CELLS = 300_000
"""Rows and cells that its sheets may hold, also empty ones: openpyxl reads them all, some 50,000 in a second."""
MAX_ROWS, MAX_COLUMNS = 20_000, 64
"""Cells that are looked at. A stray cell in a sheet's last row would make it a million rows."""
_MARK = "\uf8ff"
"""Marks a cell whose content is Markdown already. It is private use, and taken out of what people write."""


def read_workbook(content: bytes, file: str, path: object) -> Faq:
    """The questions of all sheets.

    Args:
        content: The file's bytes.
        file: Its name in notes.
        path: Its name in errors.

    Raises:
        AskPyError: It is no workbook that can be read, it is too large, or openpyxl isn't installed.
    """
    formulas = _check_archive(content, path)
    book, linked = _open(content, path), _open(content, path, formulas=True) if formulas else None
    reading = Reading(file)
    questions: list[FaqQuestion] = []
    descriptions: list[str] = []
    sheets = [sheet for sheet in book.worksheets if any(True for _ in _filled(sheet))]
    for sheet in sheets:
        if sheet.sheet_state != "visible":
            reading.note(0, f"the sheet '{sheet.title}' is hidden", "not taken")
            continue
        before = len(reading.notes)
        rows = list(_rows(sheet, linked[sheet.title] if linked is not None else None, reading))
        faq = read_rows(rows, reading, _read_cell)
        reading.notes[before:] = [replace(note, sheet=sheet.title) for note in reading.notes[before:]]
        if faq.description:
            descriptions.append(f"the sheet '{sheet.title}' with {faq.description}")
            if len(sheets) > 1:
                reading.note(0, f"the sheet '{sheet.title}' has no columns for questions and answers")
        group = (sheet.title,) if len(sheets) > 1 else ()
        questions += [
            replace(question, group=(*group, *question.group), sheet=sheet.title) for question in faq.questions
        ]
    description = " and ".join(descriptions) or "no sheet with a text"
    return Faq(tuple(questions), str(book.properties.title or ""), description, tuple(reading.notes))


def _read_cell(cell: str, line: int, reading: Reading) -> str:
    return cell.removeprefix(_MARK) if cell.startswith(_MARK) else cell_markdown(cell, line, reading)


def _check_archive(content: bytes, path: object) -> bool:
    """Refuse what isn't a workbook of a usual size, before it is unzipped; whether cells may have links that formulas make."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            texts = [member for member in members if not member.filename.lower().endswith(_PICTURES)]
            sizes = sum(member.file_size for member in texts), sum(member.file_size for member in members)
            for size, limit in zip(sizes, (MAX_UNZIPPED, MAX_PICTURES), strict=True):
                if size > limit:
                    raise AskPyError(
                        f"{path} unzips to more than {limit // 1024 // 1024} MB, which no FAQ does. {_SMALLER}"
                    )
            formulas, cells = False, 0
            for member in texts:
                if not member.filename.endswith((".xml", ".rels")):
                    continue
                part = archive.read(member)
                if b"<!DOCTYPE" in part[:2_000]:
                    raise AskPyError(
                        f"{path} has declarations that no spreadsheet program writes. Save it anew, or as CSV (UTF-8)."
                    )
                if b"<row" in part or b":row" in part or b"mergeCell" in part:
                    formulas |= b"HYPERLINK(" in part
                    cells += _count_cells(part)
                if cells > MAX_CELLS:
                    raise AskPyError(
                        f"{path} has more than {MAX_CELLS:,} rows and cells, counting empty ones. {_SMALLER}"
                    )
            return formulas
    # What zipfile raises for a file that is damaged, has a password (RuntimeError) or a compression that it doesn't know.
    except (zipfile.BadZipFile, EOFError, OSError, RuntimeError, ValueError, NotImplementedError, zlib.error):
        raise AskPyError(
            f"{path} is damaged or protected by a password. Save it anew, or as CSV (UTF-8), and import that."
        ) from None


_PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".emf", ".wmf", ".tif", ".tiff")
_SMALLER = "Copy its questions and answers into a new workbook, or save the sheet as CSV (UTF-8)."
_ROW_OR_CELL = re.compile(rb"<(?:\w+:)?(?:row|c)[\s/>]")
_MERGED = re.compile(
    rb"mergeCell\s[^<>]{0,200}?\bref\s*=\s*[\"']([A-Za-z]{1,3})(\d{1,7}):([A-Za-z]{1,3})(\d{1,7})[\"']"
)


def _count_cells(part: bytes) -> int:
    """The number of rows and cells in the XML of a sheet, with those of merged cells, which openpyxl makes one by one."""
    merged = 0
    for left, top, right, bottom in _MERGED.findall(part):
        merged += (_column(right) - _column(left) + 1) * (int(bottom) - int(top) + 1)
    return merged + sum(1 for _ in _ROW_OR_CELL.finditer(part))


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


def _open(content: bytes, path: object, *, formulas: bool = False) -> Any:
    try:
        from openpyxl import load_workbook  # noqa: PLC0415  an extra: only workbooks need it
    except ModuleNotFoundError:
        raise AskPyError(OPENPYXL_MISSING) from None
    try:
        return load_workbook(io.BytesIO(content), data_only=not formulas, rich_text=True)
    except Exception as error:  # openpyxl raises whatever its parser ran into
        what = type(error).__name__
        raise AskPyError(
            f"{path} can't be read as a workbook ({what}). Save it anew, or as CSV (UTF-8), and import that."
        ) from None


def _filled(sheet: Worksheet) -> Iterator[object]:
    for row in sheet.iter_rows(max_row=min(sheet.max_row, MAX_ROWS), max_col=min(sheet.max_column, MAX_COLUMNS)):
        for cell in row:
            if cell.value not in (None, ""):
                yield cell.value


def _rows(sheet: Worksheet, linked: Worksheet | None, reading: Reading) -> Iterator[TableRow]:
    if sheet.max_row > MAX_ROWS or sheet.max_column > MAX_COLUMNS:
        reading.note(0, f"of the sheet '{sheet.title}' only {MAX_ROWS:,} rows and {MAX_COLUMNS} columns are read")
    merged = {
        (row, column): (area.min_row, area.min_col)
        for area in sheet.merged_cells.ranges
        if area.size["rows"] * area.size["columns"] <= MAX_ROWS
        for row in range(area.min_row, area.max_row + 1)
        for column in range(area.min_col, min(area.max_col, MAX_COLUMNS) + 1)
    }
    is_heading = True  # the rows in bold at the start are the sheet's title and headers
    for row in sheet.iter_rows(max_row=min(sheet.max_row, MAX_ROWS), max_col=min(sheet.max_column, MAX_COLUMNS)):
        cells = []
        number = row[0].row or 0
        if (dimension := sheet.row_dimensions.get(number)) is not None and dimension.hidden:
            text = " ".join(str(cell.value) for cell in row if cell.value is not None)
            if text:
                reading.note(number, f"a hidden row ('{beginning(text)}')")
            continue
        is_heading = is_heading and all(cell.font.b for cell in row if cell.value is not None)
        for cell in row:
            if cell.comment is not None:
                reading.note(number, f"a comment on a cell ('{beginning(cell.comment.text or '')}')")
            origin = merged.get((number, cell.column or 0))
            shown = sheet.cell(*origin) if origin is not None else cell
            cells.append(_shown(shown, linked.cell(shown.row, shown.column) if linked is not None else None, reading))
            if shown.font.b and not is_heading:
                cells[-1] = _bold(cells[-1], cell.row or 0, reading)
        while cells and not cells[-1]:
            cells.pop()
        if any(cells):
            yield number, cells


def _shown(cell: Any, formula: Any, reading: Reading) -> str:
    """The text of a cell, or Markdown behind _MARK where it has a link or formatted letters."""
    text = _formatted(cell)
    address, label = _address(cell, formula, reading)
    text = text or label or address
    if address:
        markdown = link_markdown(cell_markdown(text, cell.row, reading), address)
        if address not in markdown:
            reading.note(cell.row, f"the address '{address[:100]}' works on the old site only; its label stays")
        return _MARK + markdown
    if not isinstance(cell.value, (str, int, float, bool)) and hasattr(cell.value, "as_list"):
        return _rich(cell.value, text)
    return text


_ONE_ADDRESS = re.compile(
    r"=[ ]*HYPERLINK\(\s*\"((?:[^\"]|\"\"){1,2000})\"\s*(?:[,;](?:\"[^\"]*\"|[^\"()]|\([^()]*\))*)?\)\s*",
    re.IGNORECASE,
)
"""A formula whose address is one string. One that is put together of several can't be told without calculating it."""


def _address(cell: Any, formula: Any, reading: Reading) -> tuple[str, str]:
    """The address that a cell links to and the label that a formula gives it, or ""; a link within the workbook is noted."""
    link = cell.hyperlink
    if link is not None and link.target:
        part = "#" + link.location.replace(" ", "%20") if link.location and "#" not in link.target else ""
        return str(link.target) + part, ""
    if link is not None and link.location:
        reading.note(cell.row, f"a link to '{beginning(link.location)}' in the workbook; its text stays")
        return "", ""
    written = formula.value if formula is not None else None
    if not isinstance(written, str) or not re.match(r"=.*\bHYPERLINK\(", written, re.IGNORECASE | re.DOTALL):
        return "", ""
    found, labelled = _ONE_ADDRESS.fullmatch(written), HYPERLINK.fullmatch(written)
    if found is None:
        reading.note(cell.row, f"a link whose address a formula puts together ('{beginning(written)}'); its text stays")
    label = (labelled[2] or "").replace('""', '"') if labelled is not None else ""
    return found[1].replace('""', '"') if found is not None else "", label


def _bold(cell: str, line: int, reading: Reading) -> str:
    """A cell in bold as a whole; one with lists, code or bold of its own stays as it is."""
    markdown = _read_cell(cell, line, reading)
    if not markdown.strip() or re.search(r"\*\*|^ *(?:[-*+>|#] |\d+[.)] |```|~~~)", markdown, re.MULTILINE):
        return cell
    return _MARK + "\n\n".join(f"**{part}**" for part in re.split(r"\n{2,}", markdown))


def _rich(value: Any, text: str) -> str:
    """Formatted letters: bold, italic and struck ones as HTML, which `cell_markdown` reads."""
    tags = {"b": "b", "i": "i", "strike": "s"}
    parts, is_formatted = [], False
    for run in value:
        if isinstance(run, str):
            parts.append(_as_html(run))
            continue
        names = [tag for name, tag in tags.items() if getattr(run.font, name, None)]
        is_formatted |= bool(names)
        parts.append(
            "".join(f"<{n}>" for n in names) + _as_html(run.text) + "".join(f"</{n}>" for n in reversed(names))
        )
    return "".join(parts) if is_formatted else text


def _as_html(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\n", "<br>")


# --- values as they are shown


def _formatted(cell: Any) -> str:
    value, form = cell.value, str(cell.number_format or "General")
    match value:
        case None:
            return ""
        case bool():
            return "TRUE" if value else "FALSE"
        case dt.datetime() | dt.date() | dt.time():
            return _date(value, form.partition(";")[0])
        case dt.timedelta():
            minutes, seconds = divmod(int(value.total_seconds()), 60)
            return f"{minutes // 60}:{minutes % 60:02d}:{seconds:02d}"
        case int() | float():
            return shown_number(value, form)
        case _:
            return str(value).replace(_MARK, "")


_SECTION_END = re.compile(r';(?=(?:[^"]*"[^"]*")*[^"]*$)')
_FORM_PART = re.compile(
    r"\"(?P<quoted>[^\"]*)\"|\\(?P<escaped>.)|_.|\*.|\[\$(?P<currency>[^\]-]*)[^\]]*\]|\[[^\]]*\]"
    r"|(?P<digits>General|[#0?][#0?.,]*|\.[#0?]+)(?P<power>E[+-]0+)?|(?P<other>.)",
    re.DOTALL | re.IGNORECASE,
)


def shown_number(value: float, form: str) -> str:
    """A number as Excel shows it in a format, with English separators; as it is where the format has no or several numbers."""
    sections = _SECTION_END.split(form)
    number = 1 if value < 0 and len(sections) > 1 else 2 if value == 0 and len(sections) > 2 else 0
    parts = list(_FORM_PART.finditer(sections[number]))
    digits = [part["digits"] for part in parts if part["digits"]]
    if len(digits) != 1:
        return _general(value)
    size = Decimal(repr(value)).copy_abs() * (100 if any(part["other"] == "%" for part in parts) else 1)
    shown = "-" if value < 0 and number == 0 else ""
    for part in parts:
        if part["power"]:
            shown += re.sub(r"(?<=E[+-])(\d)$", r"0\1", f"{size:.{len(part['digits'].partition('.')[2])}E}")
        elif part["digits"]:
            shown += _general(abs(value)) if part["digits"].lower() == "general" else _digits(size, part["digits"])
        else:
            shown += part["quoted"] or part["escaped"] or part["currency"] or part["other"] or ""
    return shown.strip()


def _general(value: float) -> str:
    is_whole = not isinstance(value, float) or (value.is_integer() and abs(value) < 1e15)
    return str(int(value)) if is_whole else f"{value:.10g}"


def _digits(size: Decimal, form: str) -> str:
    """A number that isn't negative in a format of `0`, `#`, `?`, commas and a point."""
    before, point, after = form.partition(".")
    scaled = len(form) - len(form.rstrip(","))  # each comma at the end divides by a thousand
    before, after = before.rstrip(","), after.rstrip(",")
    rounded = size.scaleb(-3 * scaled).quantize(Decimal(1).scaleb(-len(after)), ROUND_HALF_UP)
    whole, _, rest = f"{rounded:f}".partition(".")
    while rest and after[len(rest) - 1] != "0" and rest[-1] == "0":
        rest = rest[:-1]
    whole = whole.lstrip("0").rjust(before.count("0"), "0")
    if "," in before:
        whole = re.sub(r"(?<=\d)(?=(?:\d{3})+$)", ",", whole)
    return whole + point + rest


_DATE_PARTS = re.compile(
    r"\[[^\]]*\]|\"[^\"]*\"|\\.|yyyy|yy|mmmm|mmm|mm|m|dddd|ddd|dd|d|hh|h|ss|s|am/pm|a/p|.", re.IGNORECASE | re.DOTALL
)


def _date(value: dt.datetime | dt.date | dt.time, form: str) -> str:
    """A date or time in the cell's own format."""
    if form == "General":
        return value.isoformat(sep=" ", timespec="minutes") if isinstance(value, dt.datetime) else value.isoformat()
    day = value if isinstance(value, dt.date) else dt.date(1900, 1, 1)
    time = value if isinstance(value, dt.time) else value.time() if isinstance(value, dt.datetime) else dt.time()
    parts = [part for part in _DATE_PARTS.findall(form) if not part.startswith("[")]
    lower = [part.lower() for part in parts]
    is_halved = any(part in ("am/pm", "a/p") for part in lower)
    shown = []
    for number, part in enumerate(lower):
        shown.append(_date_part(part, parts[number], day, time, is_halved, _is_minute(lower, number)))
    return "".join(shown).strip()


def _is_minute(parts: list[str], number: int) -> bool:
    """Whether `m` or `mm` are minutes: they follow hours or stand before seconds."""
    before = next((part for part in reversed(parts[:number]) if part[0] in "hdmys"), "")
    after = next((part for part in parts[number + 1 :] if part[0] in "hdmys"), "")
    return before.startswith("h") or after.startswith("s")


def _date_part(part: str, source: str, day: dt.date, time: dt.time, is_halved: bool, is_minute: bool) -> str:
    hour = (time.hour % 12 or 12) if is_halved else time.hour
    match part:
        case "yyyy":
            return f"{day.year:04d}"
        case "yy":
            return f"{day.year % 100:02d}"
        case "mmmm":
            return day.strftime("%B")
        case "mmm":
            return day.strftime("%b")
        case "mm" | "m":
            number = time.minute if is_minute else day.month
            return f"{number:02d}" if part == "mm" else str(number)
        case "dddd":
            return day.strftime("%A")
        case "ddd":
            return day.strftime("%a")
        case "dd" | "d":
            return f"{day.day:02d}" if part == "dd" else str(day.day)
        case "hh" | "h":
            return f"{hour:02d}" if part == "hh" else str(hour)
        case "ss" | "s":
            return f"{time.second:02d}" if part == "ss" else str(time.second)
        case "am/pm" | "a/p":
            return "AM" if time.hour < 12 else "PM"
        case _:
            return source.strip('"').removeprefix("\\")
