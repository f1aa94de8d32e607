"""YAML as text: every scalar is a string, repeated keys are refused, and each value's line is known.

YAML 1.1 turns `on`, `3.10` and `12:30` into other values and takes a repeated key silently; here a curator gets what was typed.
Values are built from the parser's events: libyaml and PyYAML build a tree of nodes by recursion, and a file that nests deeply
overflows a thread's stack. The C parser is used where there is one: it is ten times faster than Python's.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from bot.knowledge.fault import Fault
from bot.knowledge.files import read_file, unreadable
from bot.text import find_control_character, printable

Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # a build without libyaml still reads, slower

YamlValue = str | list["YamlValue"] | dict[str, "YamlValue"]
ValuePath = tuple[str | int, ...]
"""Keys and list indices from a document's root to a value."""

MAX_ALIASED = 200_000
"""Characters that the aliases (*) of a file may repeat: twenty long answers. Only anchors that multiply reach that."""
MAX_DEPTH = 20
"""Levels of nesting. A pack needs five; a file with more is a mistake or an attack."""
MAX_ITEMS = 10_000
"""Items of a list, and fields of a mapping: many times what the largest packs have."""
MAX_VALUES = 200_000
"""Texts, lists and mappings of a file, and of a pack: four times those of 449 entries with a hundred phrasings each."""
MAX_FAULTS = 100
"""Faults of a file's syntax after which the rest of it isn't read."""


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML file: its value, the line of each part of it (counted from 1), and the faults of its syntax."""

    file: str
    value: YamlValue | None
    lines: dict[ValuePath, int]
    faults: tuple[Fault, ...]

    def line(self, path: ValuePath) -> int:
        """The line of the value at `path`, or of the nearest value that encloses it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def value_at(self, path: ValuePath) -> YamlValue | None:
        """The value at `path`; None where there is none."""
        value = self.value
        for step in path:
            if isinstance(value, dict) and isinstance(step, str):
                value = value.get(step)
            elif isinstance(value, list) and isinstance(step, int):
                value = value[step]
        return value


def read(path: Path, file: str) -> Document:
    """Read one YAML file that is part of no pack; a pack's files are read by `bot.knowledge.files`.

    Args:
        path: The file.
        file: Its name in faults.

    Returns:
        The document. Whatever is wrong with the file is among its faults; nothing is raised.
    """
    try:
        return parse(read_file(path), file)
    except OSError as error:
        return _broken(file, 1, unreadable(error))


def parse(content: bytes, file: str) -> Document:
    """Parse a file's content; `file` and the result are as for `read`."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if content.startswith((b"\xff\xfe", b"\xfe\xff")):
            return _broken(file, 1, "is UTF-16; save the file as UTF-8")
        line = content[: error.start].count(b"\n") + 1
        return _broken(file, line, f"byte {error.start} is not UTF-8; save the file as UTF-8")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    position = find_control_character(text)
    if position is not None:
        line = text.count("\n", 0, position) + 1
        return _broken(file, line, f"has the character {printable(text[position])}, which can't be seen; delete it")
    loader = Loader(text)
    builder = _Builder(file, text, loader.get_event)
    value: YamlValue | None = None
    try:
        value = builder.build()
    except yaml.MarkedYAMLError as error:
        rows = text.split("\n")
        mark = error.context_mark if error.problem == UNCLOSED_QUOTE else error.problem_mark
        line = min(mark.line, text.rstrip().count("\n")) + 1 if mark else 1
        builder.faults.append(Fault(file, line, "", f"not YAML: {error.problem}; {_remedy(error, rows)}"))
    except _StopReadingError as error:
        builder.faults.append(Fault(file, error.line, "", str(error)))
    finally:
        loader.dispose()
    return Document(file, value, builder.lines if value is not None else {}, tuple(builder.faults))


def _broken(file: str, line: int, text: str) -> Document:
    return Document(file, None, {}, (Fault(file, line, "", text),))


# --- values


class _StopReadingError(Exception):
    """A fault after which the rest of a file can't be read."""

    def __init__(self, line: int, text: str) -> None:
        super().__init__(text)
        self.line = line


_Event = Any  # the stubs call every mark of an event optional, and a parsed one has it

_ITEM_INSIDE = re.compile(r"\s*-(?:\s|$)")
"""A line that looks like an item of a list."""
_NO_BLANK_AFTER_DASH = re.compile(r"\s*-[^\W\d]")
_HASH_ANYWHERE = re.compile(r"#\w")
_HASH = re.compile(r"\s+#\w")
"""A comment without a blank after its #: more likely the name of a channel."""


@dataclass(slots=True)
class _Builder:
    """Builds a document's value from its events; collects lines and faults."""

    file: str
    text: str
    next_event: Callable[[], _Event]
    lines: dict[ValuePath, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    anchors: dict[str, tuple[YamlValue, int] | None] = field(default_factory=dict)
    """By name: the value, and its size in characters; None while the value isn't complete."""
    aliased: int = 0
    """Characters that aliases have repeated."""
    _rows: list[str] | None = None
    """The lines of the text, once they are needed."""
    _has_hash: bool = False

    def build(self) -> YamlValue | None:
        """The value of the one document; None if it is empty. Raises _StopReadingError and yaml.MarkedYAMLError."""
        self._has_hash = _HASH_ANYWHERE.search(self.text) is not None
        self.next_event()  # the start of the stream
        if type(self.next_event()) is yaml.StreamEndEvent:
            return None
        value = self._value(self.next_event(), (), 0)
        self.next_event()  # the end of the document
        event = self.next_event()
        if not isinstance(event, yaml.StreamEndEvent):
            text = "a second document begins here (---); take the line out, or make it a file of its own"
            raise _StopReadingError(event.start_mark.line + 1, text)
        return value

    def _value(self, event: _Event, path: ValuePath, depth: int) -> YamlValue:
        """The value that begins with `event`; the events up to its end are consumed."""
        line = self.lines[path] = event.start_mark.line + 1
        kind = type(event)
        if kind is yaml.AliasEvent:
            return self._aliased(event.anchor, line)
        if event.tag is not None:
            tag = shortened(printable(event.tag)).replace("tag:yaml.org,2002:", "!!")
            self.add(line, f"{tag} is a tag, and none is read; put a text that starts with ! in quotes")
        name = event.anchor
        if name is not None:
            self.anchors[name] = None
        if kind is yaml.ScalarEvent:
            value: YamlValue = self._scalar(event, line)
        elif depth == MAX_DEPTH:
            remedy = "take levels out, and put a text that starts with [ or { in quotes"
            raise _StopReadingError(line, f"nests more than {MAX_DEPTH} levels deep; {remedy}")
        elif len(self.lines) > MAX_VALUES:
            text = f"the file has more than {MAX_VALUES:,} texts, lists and fields; take out what nobody asks"
            raise _StopReadingError(line, text)
        elif kind is yaml.SequenceStartEvent:
            value = self._list(path, depth + 1)
        else:
            value = self._mapping(path, depth + 1)
        if name is not None:
            self.anchors[name] = value, _size(value)
        return value

    def _list(self, path: ValuePath, depth: int) -> list[YamlValue]:
        items: list[YamlValue] = []
        while type(event := self.next_event()) is not yaml.SequenceEndEvent:
            if len(items) == MAX_ITEMS:
                text = f"a list has more than {MAX_ITEMS:,} items; divide it among several files"
                raise _StopReadingError(event.start_mark.line + 1, text)
            items.append(self._value(event, (*path, len(items)), depth))
        return items

    def _mapping(self, path: ValuePath, depth: int) -> dict[str, YamlValue]:
        values: dict[str, YamlValue] = {}
        line_of_key: dict[str, int] = {}
        while type(event := self.next_event()) is not yaml.MappingEndEvent:
            line = event.start_mark.line + 1
            if type(event) is not yaml.ScalarEvent:
                remedy = "write 'name: value', and put a text that starts with {, [ or * in quotes"
                raise _StopReadingError(line, f"the name of a field is no text; {remedy}")
            if len(values) == MAX_ITEMS:
                raise _StopReadingError(line, f"has more than {MAX_ITEMS:,} fields; divide it among several files")
            key = self._scalar(event, line)
            inner = (*path, key)
            value = self._value(self.next_event(), inner, depth)
            if key in values:
                self.add(line, f"'{shortened(key)}' stands twice, first in line {line_of_key[key]}; keep one")
            else:
                values[key], line_of_key[key] = value, line
            self.lines[inner] = line_of_key[key]
        return values

    def _aliased(self, name: str, line: int) -> YamlValue:
        if name not in self.anchors:
            raise _StopReadingError(line, f"'*{name}' repeats nothing; put a text that starts with * in quotes")
        anchored = self.anchors[name]
        if anchored is None:
            raise _StopReadingError(line, f"'*{name}' stands inside what it repeats (&{name}); write it out")
        value, size = anchored
        self.aliased += size
        if self.aliased > MAX_ALIASED:
            text = f"aliases such as '*{name}' repeat more than {MAX_ALIASED:,} characters; write the texts out"
            raise _StopReadingError(line, text)
        return value

    def _scalar(self, event: _Event, line: int) -> str:
        value: str = event.value
        style = event.style
        if style == '"':
            position = find_control_character(value)
            if position is not None:
                self.add(line, f"has the character {printable(value[position])}, which can't be seen; take it out")
        elif not style:
            if value[:1] == "-" or event.end_mark.line >= line:
                self._check_dashes(event)
            if self._has_hash:
                self._check_comment(event)
        return value

    def _check_dashes(self, event: _Event) -> None:
        """Add a fault where a text without quotes has lines that were meant as items of a list."""
        first = event.start_mark.line
        row = self._row(first)
        if _NO_BLANK_AFTER_DASH.match(row) and not row[: event.start_mark.column].strip():
            self.add(first + 1, "has no blank after its dash; write '- ' and then the text, or put it in quotes")
            return
        for number in range(first + 1, event.end_mark.line + 1):
            if _ITEM_INSIDE.match(self._row(number)):
                remedy = (
                    "put its dash below the other dashes, or write the whole text below a field that ends with ': |'"
                )
                self.add(number + 1, f"goes on with the text above it; {remedy}")
                return

    def _check_comment(self, event: _Event) -> None:
        """Add advice where a # cuts off the rest of a text without quotes."""
        end = event.end_mark
        rest = self._row(end.line)[end.column :]
        if event.value and _HASH.match(rest):
            text = f"'{shortened(rest.strip())}' is a comment, and left out; put the text in quotes if it belongs to it"
            self.faults.append(Fault(self.file, end.line + 1, "", text, refuses=False, advice=True))

    def _row(self, number: int) -> str:
        if self._rows is None:
            self._rows = self.text.split("\n")
        return self._rows[number] if number < len(self._rows) else ""

    def add(self, line: int, text: str) -> None:
        """Add a fault that keeps the pack from loading. Raises _StopReadingError if there are too many."""
        self.faults.append(Fault(self.file, line, "", text))
        if len(self.faults) == MAX_FAULTS:
            raise _StopReadingError(line, "is read no further: mend the faults above first")


def _size(value: YamlValue) -> int:
    """The characters of a value, and one for each text, list and mapping in it."""
    if isinstance(value, str):
        return 1 + len(value)
    if isinstance(value, list):
        return 1 + sum(map(_size, value))
    return 1 + sum(len(key) + _size(item) for key, item in value.items())


MAX_QUOTED = 60
"""Characters of a text that a fault quotes."""


def shortened(text: str) -> str:
    """The beginning of a text, for faults."""
    return text if len(text) <= MAX_QUOTED else f"{text[:MAX_QUOTED]}…"


# --- remedies

_FIELD = re.compile(r"\s*(?:- +)?([A-Za-z_][\w-]*):(?= |$)")
"""A line that begins with a field, or with an item whose first field it is."""
_FIELD_WITHOUT_BLANK = re.compile(r"\s*(?:- +)?([A-Za-z_]\w*):(?![/\s])")
_VALUE = re.compile(r"\s*(?:- +)*(?:[\w-]+: +)?(?P<value>\S.*)")
UNCLOSED_QUOTE = "found unexpected end of stream"
_INDICATORS = tuple("*&!@`%{[|>?")
"""Characters that mean something to YAML at the beginning of a text."""


def _remedy(error: yaml.MarkedYAMLError, rows: list[str]) -> str:
    """How to mend the commonest mistakes, recognised by the parser's message and by the lines themselves."""
    mark, problem = error.problem_mark, error.problem or ""
    number, column = (mark.line, mark.column) if mark else (0, 0)
    row = rows[number] if number < len(rows) else ""
    above = next((r for r in reversed(rows[:number]) if r.strip() and not r.lstrip().startswith("#")), "")
    indent = row[: len(row) - len(row.lstrip())]
    if "\t" in indent or row[column : column + 1] == "\t":
        return "use spaces, not tabs"
    if indent.strip(" "):
        return "the line begins with blanks that are none (a no-break space, perhaps); type them anew"
    for place in (row, above):
        if (found := _FIELD_WITHOUT_BLANK.match(place)) and not _FIELD.match(place):
            return f"write a blank after the colon of '{found[1]}:'"
    if "expected ',' or" in problem or "expected node content" in problem:
        return "a bracket isn't closed, or a comma is missing; look at this line and the ones before"
    return _remedy_of_value(row, column, problem) or _remedy_of_indent(row, above, problem)


def _remedy_of_value(row: str, column: int, problem: str) -> str:
    """How to mend a line whose value is the mistake; empty if it is another."""
    found = _VALUE.match(row)
    value = found["value"] if found else ""
    if "expected comment or line break" in problem:
        return f"write the text below the {value[:1]}, not beside it"
    if "escape" in problem:
        return "a backslash in double quotes begins a code; put the text in single quotes"
    if problem == UNCLOSED_QUOTE:
        return "a quote isn't closed; write it at the end of the text"
    if "cannot start any token" in problem:
        return "put a text that starts with this character in quotes"
    if value.startswith(("'", '"')) and column > row.index(value):
        return f"a text in quotes ends at the next {value[0]}; take quotes of the other kind, and [ and ] for a list"
    if value.startswith(_INDICATORS) and column >= row.index(value):
        return f"put a text that starts with {value[0]} in quotes"
    return ""


def _remedy_of_indent(row: str, above: str, problem: str) -> str:
    """How to mend a line that doesn't fit the one above."""
    own, before = _FIELD.match(row), _FIELD.match(above)
    colon = "put a text that has a colon in quotes, or below a field that ends with ': |'"
    if own and before and own.start(1) != before.start(1):
        if own.start(1) == 0 or row.lstrip().startswith("-"):
            return "start the entry with '- ', in the column of the other dashes"
        return f"give '{own[1]}' the indent of the field above it; if it is no field, {colon}"
    if "mapping values are not allowed" in problem or "could not find expected ':'" in problem:
        return colon
    return "look at the indent, a colon or a quote just before this"
