"""YAML as text: every scalar is a string, repeated keys are refused, and each value's line is known.

YAML 1.1 turns `on`, `3.10` and `12:30` into other values and takes a repeated key silently; here a curator gets what was typed.
The C parser is used where there is one: it is ten times faster than Python's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from bot.knowledge.fault import Fault

Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # a build without libyaml still reads, slower

YamlValue = str | list["YamlValue"] | dict[str, "YamlValue"]
ValuePath = tuple[str | int, ...]
"""Keys and list indices from a document's root to a value."""

EXTRA_VALUES = 1_000
"""Values that a file may have beyond one for each of its characters; only anchors that multiply reach that."""
MAX_DEPTH = 20
"""Levels of nesting. A pack needs five; a file with more is a mistake or an attack, and Python's recursion is limited."""


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
    """Read one YAML file.

    Args:
        path: The file.
        file: Its name in faults, relative to the pack.

    Returns:
        The document. Whatever is wrong with the file is among its faults; nothing is raised.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        return _broken(file, line, f"byte {error.start} is not UTF-8; save the file as UTF-8")
    except OSError as error:
        return _broken(file, 1, f"can't be read ({error.strerror}); check the file's permissions")
    return parse(text, file)


def parse(text: str, file: str) -> Document:
    """Parse a file's text; arguments and result as for `read`."""
    try:
        node = yaml.compose(text, Loader=Loader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        return _broken(file, line, f"not YAML: {error.problem}; {_remedy(error, text)}")
    except (yaml.YAMLError, RecursionError) as error:
        return _broken(
            file, 1, f"not YAML: {type(error).__name__}; look for characters that can't be printed, or deep nesting"
        )
    if node is None:
        return Document(file, None, {}, ())
    builder = _Builder(file, max_values=len(text) + EXTRA_VALUES)
    value = builder.build(node, (), frozenset())
    return Document(file, value, builder.lines, tuple(builder.faults))


def _remedy(error: yaml.MarkedYAMLError, text: str) -> str:
    """How to mend the commonest mistakes, recognised by PyYAML's message and by the line itself."""
    mark, problem = error.problem_mark, error.problem or ""
    lines = text.split("\n")
    line = lines[mark.line] if mark and mark.line < len(lines) else ""
    if "\t" in line[: len(line) - len(line.lstrip())] or (mark and line[mark.column : mark.column + 1] == "\t"):
        return "use spaces, not tabs"
    if "mapping values are not allowed" in problem:
        return "put a text that has a colon in quotes"
    if "cannot start any token" in problem:
        return "put a text that starts with this character in quotes"
    return "look at the indent, a colon or a quote just before this"


def _broken(file: str, line: int, text: str) -> Document:
    return Document(file, None, {}, (Fault(file, line, "", text),))


@dataclass(slots=True)
class _Builder:
    """Builds the value of a node tree; collects lines and faults."""

    file: str
    max_values: int
    lines: dict[ValuePath, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    values: int = 0

    def build(self, node: yaml.Node, path: ValuePath, ancestors: frozenset[int]) -> YamlValue:
        """The value of a node; `ancestors` are the ids of the nodes that enclose it."""
        line = self.lines[path] = node.start_mark.line + 1
        self.values += 1
        if self.values > self.max_values:
            if self.values == self.max_values + 1:
                self._add(line, "an anchor (&) is used so often that the file has no end; write it out")
            return ""
        if isinstance(node, yaml.ScalarNode):
            return str(node.value)
        if id(node) in ancestors or len(ancestors) > MAX_DEPTH:
            self._add(line, "nests without end; an anchor (&) inside itself, or far too many levels")
            return ""
        inner = ancestors | {id(node)}
        if isinstance(node, yaml.SequenceNode):
            return [self.build(item, (*path, index), inner) for index, item in enumerate(node.value)]
        return dict(self._pairs(node, path, inner))

    def _pairs(self, node: yaml.Node, path: ValuePath, ancestors: frozenset[int]) -> Iterator[tuple[str, YamlValue]]:
        line_of_key: dict[str, int] = {}
        for key_node, value_node in node.value:
            key, line = str(key_node.value), key_node.start_mark.line + 1
            if key in line_of_key:
                self._add(line, f"'{key}' stands twice, first in line {line_of_key[key]}; keep one")
                continue
            line_of_key[key] = line
            yield key, self.build(value_node, (*path, key), ancestors)
            self.lines[(*path, key)] = line

    def _add(self, line: int, text: str) -> None:
        self.faults.append(Fault(self.file, line, "", text))
