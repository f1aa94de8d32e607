"""Texts and new entries as YAML. Quotes are chosen by trial: the first way that YAML readers read back as the text is taken."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import yaml

from bot.knowledge.yaml_reader import Loader

Position = Literal["item", "value", "flow"]
"""An item of a list on its own line, the value of a key, or an item between brackets."""

FRAMES: dict[Position, tuple[str, str]] = {"item": ("- ", "\n"), "value": ("k: ", "\n"), "flow": ("[", ", x]\n")}
"""YAML around a text in each position, to read it back."""
LINE_LENGTH = 120
"""Columns from which a list between brackets goes on in the next line, and an answer becomes a block."""

_JOINER = "\u200d"
"""Zero width joiner of emoji: not printable, and yet written as it is."""
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r", "\0": "\\0"}
_NEVER_PLAIN = re.compile(r"[\[\]{}!&*|>%@`\"'#,]|[-?:](?:\s|$)|.*:\s")
_FLOW_MARKS = re.compile(r"[\[\]{},]")
"""What YAML takes for a list, a mapping or another mark, at the start of a text and anywhere between brackets. It isn't tried: a
reader goes as deep as there are brackets.
"""
_LIKE_A_NUMBER = re.compile(r"[-+.0-9]\S*")


@dataclass(slots=True)
class NewEntry:
    """An entry that is to be written. `source`: the fields of its source."""

    id: str
    title: str
    answer: str
    asks: list[str]
    not_asks: list[str] = field(default_factory=list)
    reviewed: str = ""
    source: Mapping[str, str] = field(default_factory=dict)


def entry_yaml(entry: NewEntry) -> str:
    """The entry as an item of a list, with a line feed at its end."""
    lines = [f"- id: {entry.id}", f"  title: {value(entry.title, 2)}", "  asks:"]
    lines += [f"    - {scalar(text)}" for text in entry.asks]
    if entry.not_asks:
        lines += ["  not_asks:", *(f"    - {scalar(text)}" for text in entry.not_asks)]
    if entry.reviewed:
        lines.append(f"  reviewed: {entry.reviewed}")
    if entry.source:
        texts = {name: text if name == "date" else value(text, 4) for name, text in entry.source.items() if text}
        lines += ["  source:", *(f"    {name}: {text}" for name, text in texts.items())]
    return "\n".join([*lines, f"  answer: {value(entry.answer, 2)}", ""])


def scalar(text: str, position: Position = "item") -> str:
    """The text on one line: without quotes where that is safe, else in single or double quotes."""
    return next(
        (written for written in _simple_forms(text, position) if _read_back(written, position) == text), _quoted(text)
    )


def value(text: str, indent: int) -> str:
    """The text as the value of a key with this indent: on the key's line, or as a block below it."""
    one_line = scalar(text, "value")
    if "\n" not in text and len(one_line) + indent < LINE_LENGTH:
        return one_line
    is_read = _read_back(_literal_block(text, 2), "value", "\n") == text + "\n"
    return _literal_block(text, indent + 2) if is_read else one_line


def _literal_block(text: str, indent: int) -> str:
    """A block in which line feeds stay. One that begins with a blank says how much of its indent isn't the text's."""
    indicator = "2" if text.lstrip("\n")[:1] == " " else ""
    return f"|{indicator}\n" + "\n".join(" " * indent + line if line else "" for line in text.split("\n"))


def _simple_forms(text: str, position: Position) -> Iterable[str]:
    """The text without quotes and in single quotes, where these may do."""
    if not all(char.isprintable() or char == _JOINER for char in text):
        return
    has_marks = _NEVER_PLAIN.match(text) or (position == "flow" and _FLOW_MARKS.search(text))
    if not has_marks and not _LIKE_A_NUMBER.fullmatch(text) and _typed_value(text) == text:
        yield text
    if "\\" in text or '"' in text or "'" not in text:
        yield "'" + text.replace("'", "''") + "'"


def _quoted(text: str) -> str:
    """The text in double quotes, which can hold any character."""
    return '"' + "".join(map(_escape, text)) + '"'


def _escape(char: str) -> str:
    code = ord(char)
    if char in _ESCAPES:
        return _ESCAPES[char]
    if char.isprintable() or char == _JOINER:
        return char
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _read_back(written: str, position: Position, end: str = "") -> str | None:
    """What YAML readers read; None if one can't, or if they differ. Without libyaml there is only one of them."""
    before, after = FRAMES[position]
    texts = {_read(before + written + (end or after), position, loader) for loader in (Loader, yaml.SafeLoader)}
    return texts.pop() if len(texts) == 1 else None


def _read(document: str, position: Position, loader: type[yaml.SafeLoader]) -> str | None:
    """The text in a document made with FRAMES; None if it isn't one scalar."""
    try:
        root = yaml.compose(document, Loader=loader)
    except yaml.YAMLError:
        return None
    node = None
    if isinstance(root, yaml.MappingNode) and len(root.value) == 1:
        node = root.value[0][1]
    elif isinstance(root, yaml.SequenceNode) and len(root.value) == (2 if position == "flow" else 1):
        node = root.value[0]
    return node.value if isinstance(node, yaml.ScalarNode) else None


def _typed_value(text: str) -> object:
    """What a reader that knows types reads without quotes: `yes` becomes True, `3.10` a number; None if it can't."""
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError):
        return None
