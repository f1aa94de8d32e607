"""Texts as YAML. Whether a way to write one is right, a YAML reader says: the first that it reads back is taken."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

import yaml

from bot.knowledge.reader import Loader

Where = Literal["item", "value", "flow"]
"""A line of a list, the value of a key, or between brackets."""

FRAMES: dict[Where, tuple[str, str]] = {"item": ("- ", "\n"), "value": ("k: ", "\n"), "flow": ("[", ", x]\n")}
LONGEST_LINE = 120
"""Columns. A longer list between brackets goes on in the next line, a longer answer in a block of its own."""

_JOINER = "\u200d"
"""Holds emoji together; invisible, and still fit to be written as it is."""
_SHORT = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r", "\0": "\\0"}
_LIKE_A_NUMBER = re.compile(r"[-+.0-9]\S*")


def scalar(text: str, where: Where = "item") -> str:
    """The text on one line: bare where that is safe, else in quotes."""
    return next((each for each in _bare(text) if _reads(each, where) == text), _double(text))


def value(text: str, indent: int) -> str:
    """The text as the value of a key whose own indent is `indent`: on its line, or as a block below it."""
    one_line = scalar(text, "value")
    if "\n" not in text and len(one_line) + indent < LONGEST_LINE:
        return one_line
    block = literal(text, indent + 2)
    return block if _reads(block, "value", "\n") == text + "\n" else one_line


def literal(text: str, indent: int) -> str:
    """A block that keeps its lines."""
    return "|\n" + "\n".join(" " * indent + line if line else "" for line in text.split("\n"))


def _bare(text: str) -> Iterable[str]:
    if not all(char.isprintable() or char == _JOINER for char in text):
        return
    if not _LIKE_A_NUMBER.fullmatch(text) and _typed(text) == text:
        yield text
    if "\\" in text or '"' in text or "'" not in text:
        yield "'" + text.replace("'", "''") + "'"


def _double(text: str) -> str:
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(char: str) -> str:
    code = ord(char)
    if char in _SHORT:
        return _SHORT[char]
    if char.isprintable() or char == _JOINER:
        return char
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _reads(written: str, where: Where, end: str = "") -> str | None:
    """What YAML's readers make of it; none where they can't read it, or not all in the same way."""
    before, after = FRAMES[where]
    found = {_read(before + written + (end or after), where, loader) for loader in (Loader, yaml.SafeLoader)}
    return found.pop() if len(found) == 1 else None


def _read(framed: str, where: Where, loader: type[yaml.SafeLoader]) -> str | None:
    try:
        root = yaml.compose(framed, Loader=loader)
    except yaml.YAMLError:
        return None
    found = None
    if isinstance(root, yaml.MappingNode) and len(root.value) == 1:
        found = root.value[0][1]
    elif isinstance(root, yaml.SequenceNode) and len(root.value) == (2 if where == "flow" else 1):
        found = root.value[0]
    return found.value if isinstance(found, yaml.ScalarNode) else None


def _typed(text: str) -> object:
    """What a reader that knows types makes of the bare text: `yes` and `3.10` are none to be written bare."""
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError):
        return None
