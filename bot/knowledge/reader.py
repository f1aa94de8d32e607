"""YAML as text: every scalar a string, repeated keys refused, the line of everything kept.

YAML 1.1 would turn `on`, `3.10` and `12:30` into other things and take a repeated key silently; a curator means
what was typed. The C parser does the reading: ten times faster than Python's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from bot.knowledge.fault import Fault

Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # a build without libyaml still reads, slower

Value = str | list["Value"] | dict[str, "Value"]
Path_ = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """One file: its value, where each part of it stands (1-based lines), and what was wrong with its form."""

    file: str
    value: Value | None
    lines: dict[Path_, int]
    faults: tuple[Fault, ...]

    def line(self, path: Path_) -> int:
        """The line of the value at `path`, or of the nearest thing that encloses it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def read(path: Path, shown_as: str) -> Document:
    """Read one YAML file; `shown_as` is what its faults call it. Never raises for what the file holds."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        return _broken(shown_as, line, f"byte {error.start} is not UTF-8; save the file as UTF-8")
    except OSError as error:
        return _broken(shown_as, 1, f"can't be read ({error.strerror}); check the file's permissions")
    return parse(text, shown_as)


def parse(text: str, shown_as: str) -> Document:
    """Read what stood in a file."""
    try:
        node = yaml.compose(text, Loader=Loader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        return _broken(shown_as, line, f"not YAML: {error.problem}; {_remedy(error, text)}")
    except (yaml.YAMLError, RecursionError) as error:
        return _broken(
            shown_as, 1, f"not YAML: {type(error).__name__}; look for characters that can't be printed, or deep nesting"
        )
    if node is None:
        return Document(shown_as, None, {}, ())
    lines: dict[Path_, int] = {}
    faults: list[Fault] = []
    value = _build(node, (), lines, faults, shown_as, frozenset(), [len(text) + FREE_VALUES])
    return Document(shown_as, value, lines, tuple(faults))


def _remedy(error: yaml.MarkedYAMLError, text: str) -> str:
    """What mends the commonest slips, told by YAML's words for them and by the line itself."""
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


def _build(
    node: yaml.Node,
    path: Path_,
    lines: dict[Path_, int],
    faults: list[Fault],
    file: str,
    above: frozenset[int],
    left: list[int],
) -> Value:
    lines[path] = node.start_mark.line + 1
    left[0] -= 1
    if left[0] < 0:
        if left[0] == -1:
            faults.append(
                Fault(file, lines[path], "", "an anchor (&) is used so often that the file has no end; write it out")
            )
        return ""
    if isinstance(node, yaml.ScalarNode):
        return str(node.value)
    if id(node) in above or len(above) > _DEEPEST:
        faults.append(
            Fault(file, lines[path], "", "nests without end; an anchor (&) inside itself, or far too many levels")
        )
        return ""
    inside = above | {id(node)}
    if isinstance(node, yaml.SequenceNode):
        return [_build(item, (*path, i), lines, faults, file, inside, left) for i, item in enumerate(node.value)]
    return dict(_pairs(node, path, lines, faults, file, inside, left))


def _pairs(
    node: yaml.Node,
    path: Path_,
    lines: dict[Path_, int],
    faults: list[Fault],
    file: str,
    inside: frozenset[int],
    left: list[int],
) -> Iterator[tuple[str, Value]]:
    seen: dict[str, int] = {}
    for key_node, value_node in node.value:
        key, line = str(key_node.value), key_node.start_mark.line + 1
        if key in seen:
            faults.append(Fault(file, line, "", f"'{key}' stands twice, first in line {seen[key]}; keep one"))
            continue
        seen[key] = line
        yield key, _build(value_node, (*path, key), lines, faults, file, inside, left)
        lines[(*path, key)] = line


FREE_VALUES = 1_000
"""Values that a file may have beyond one for each of its characters; only anchors that multiply come near."""
_DEEPEST = 20
"""Levels of nesting. A pack needs five; a file that goes deeper is a slip or an attack, and recursion has its end."""
