"""One YAML file that is added to: lines go in where its lists end, and nothing else is touched.

ruamel.yaml tells where each node stands. The file is never dumped: comments, order, quotes and widths are left as they are.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from bot.model import AskPyError
from bot.tools.exchange.scalars import LONGEST_LINE, scalar

MISSING = (
    "Exporting needs ruamel.yaml, which isn't installed. requirements.txt lists it: "
    "pip install --requirement requirements.txt, or pip install ruamel.yaml."
)

BEFORE = "asks"
"""The field behind which a list is begun where there is none yet; else it comes last."""


@dataclass(frozen=True, slots=True)
class Amendment:
    """What happens to one list: what goes in at its end, and the places in it of what goes out."""

    field: str
    add: tuple[str, ...] = ()
    cut: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class _Splice:
    start: int
    end: int
    text: str


def amended(text: str, amendments: Iterable[tuple[int | None, Amendment]]) -> str:
    """The file's text with lists amended, each of the entry with that number or, without one, of the file itself.

    Raises ValueError where it can't be told how.
    """
    root = _compose(text)
    splices = [splice for at, each in amendments for splice in _splices(text, root, at, each)]
    for splice in sorted(splices, key=lambda one: (one.start, one.end), reverse=True):
        text = text[: splice.start] + splice.text + text[splice.end :]
    return text


def _compose(text: str) -> Any:
    try:
        from ruamel.yaml import YAML  # noqa: PLC0415  an extra: only `export` needs it
        from ruamel.yaml.error import YAMLError  # noqa: PLC0415
    except ModuleNotFoundError:
        raise AskPyError(MISSING) from None
    try:
        return YAML(typ="rt", pure=True).compose(text)
    except YAMLError as error:
        raise ValueError(str(error).splitlines()[0]) from None


def _splices(text: str, root: Any, at: int | None, wanted: Amendment) -> list[_Splice]:
    if at is not None and not (_is(root, "sequence") and at < len(root.value)):
        raise ValueError("is not a list of entries")
    mapping = root if at is None else root.value[at]
    if not _is(mapping, "mapping"):
        raise ValueError("is not a mapping")
    fields = {key.value: (key, node) for key, node in mapping.value}
    if wanted.field not in fields:
        return _begun(text, mapping, fields, wanted) if wanted.add else []
    key, node = fields[wanted.field]
    if _is(node, "scalar"):
        kept = [] if 0 in wanted.cut else [node.value.strip()]
        return [_Splice(node.start_mark.index, _end(text, node), _flow([*kept, *wanted.add]))]
    if not _is(node, "sequence") or not all(_is(item, "scalar") for item in node.value):
        raise ValueError(f"{wanted.field} is not a list of texts")
    if node.flow_style:
        return _in_flow(text, node, wanted)
    return _in_block(text, key, node, wanted)


# --- the three ways a list can stand


def _in_block(text: str, key: Any, node: Any, wanted: Amendment) -> list[_Splice]:
    """Under its key, an item a line."""
    if not wanted.add and len(wanted.cut) == len(node.value):
        return [_Splice(key.end_mark.index, _end(text, node.value[-1]), ": []")]
    splices = []
    for number in wanted.cut:
        item = node.value[number]
        start, end = _line_start(text, item.start_mark.index), _line_end(text, _end(text, item))
        if not _dash(text[start : item.start_mark.index]):
            raise ValueError(f"{wanted.field} has an item that doesn't stand on a line of its own")
        splices.append(_Splice(start, end, ""))
    if wanted.add:
        last = node.value[-1]
        dash = _dash(text[_line_start(text, last.start_mark.index) : last.start_mark.index])
        if dash is None:
            raise ValueError(f"{wanted.field} has an item that doesn't stand on a line of its own")
        splices.append(_lines(text, _end(text, last), [dash + scalar(each) for each in wanted.add]))
    return splices


def _in_flow(text: str, node: Any, wanted: Amendment) -> list[_Splice]:
    """Between brackets."""
    if wanted.cut or not node.value:
        kept = [text[i.start_mark.index : _end(text, i)] for n, i in enumerate(node.value) if n not in wanted.cut]
        start = text.index("[", node.start_mark.index)
        inside = ", ".join([*kept, *(scalar(each, "flow") for each in wanted.add)])
        return [_Splice(start, node.end_mark.index, f"[{inside}]")]
    end = _end(text, node.value[-1])
    first = node.value[0].start_mark.index
    indent = first - _line_start(text, first)
    column = end - _line_start(text, end)
    rest = _line_end(text, end) - end
    added = ""
    for each in wanted.add:
        written = scalar(each, "flow")
        if column + len(written) + rest + 2 > LONGEST_LINE:
            added, column = f"{added},{_newline(text)}{' ' * indent}{written}", indent + len(written)
        else:
            added, column = f"{added}, {written}", column + len(written) + 2
    return [_Splice(end, end, added)]


def _begun(text: str, mapping: Any, fields: dict[str, tuple[Any, Any]], wanted: Amendment) -> list[_Splice]:
    """A list that isn't there yet, after another field or at the end."""
    _, before = fields.get(BEFORE) or mapping.value[-1]
    if mapping.flow_style:
        at = before.end_mark.index
        return [_Splice(at, at, f", {wanted.field}: {_flow(wanted.add)}")]
    first = mapping.value[0][0].start_mark
    indent = " " * first.column
    lines = [f"{indent}{wanted.field}:", *(f"{indent}  - {scalar(each)}" for each in wanted.add)]
    return [_lines(text, _end(text, before), lines)]


# --- where things end


def _lines(text: str, after: int, lines: Sequence[str]) -> _Splice:
    """Lines behind the line that `after` stands in."""
    newline, at = _newline(text), _line_end(text, after)
    whole = newline.join(lines)
    return _Splice(at, at, whole + newline if text[:at].endswith("\n") else newline + whole)


def _end(text: str, node: Any) -> int:
    """Where a node's own text ends: the reader counts blank lines and comments behind a block to it."""
    if node.value and not _is(node, "scalar") and not node.flow_style:
        last = node.value[-1]
        return _end(text, last[1] if isinstance(last, tuple) else last)
    end = int(node.end_mark.index)
    return len(text[:end].rstrip()) if _is(node, "scalar") and node.style in ("|", ">") else end


def _line_start(text: str, at: int) -> int:
    return text.rfind("\n", 0, at) + 1


def _line_end(text: str, at: int) -> int:
    """Behind the line feed of the line that `at` stands in, or where the file ends."""
    found = text.find("\n", at)
    return found + 1 if found >= 0 else len(text)


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _dash(before: str) -> str | None:
    """The indent and dash before an item, or none where something else stands there."""
    found = re.match(r"( *- +)", before)
    return found[1] if found else None


def _flow(texts: Collection[str]) -> str:
    return "[" + ", ".join(scalar(each, "flow") for each in texts) + "]"


def _is(node: Any, kind: str) -> bool:
    return node is not None and str(node.id) == kind
