"""Edits lists and texts in a YAML file and leaves every other byte as it is: comments, order, quotes, widths.

ruamel.yaml says where each node stands; the file is never dumped from parsed data.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from bot.exchange.yaml_text import LINE_LENGTH, scalar, value
from bot.model import AskPyError

RUAMEL_MISSING = (
    "Editing a pack's files needs ruamel.yaml, which isn't installed: pip install ruamel.yaml where AskPy is installed, or "
    "uv tool install '.[curate]' in the checkout."
)

PRECEDING_FIELD = "asks"
"""A list that isn't there yet is put behind this field; without it, at the end."""


@dataclass(frozen=True, slots=True)
class ListEdit:
    """An edit of one list: texts that are appended, and positions of items that are removed."""

    field: str
    add: tuple[str, ...] = ()
    remove: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class ValueEdit:
    """A new text for a field that is a text. `comment`: a text that is put above it as a comment, or ""."""

    field: str
    text: str
    comment: str = ""


@dataclass(frozen=True, slots=True)
class DateEdit:
    """A new ISO date for a field, written without quotes. A field that isn't there yet is put behind the first of `after` that
    is, or at the end."""

    field: str
    date: str
    after: tuple[str, ...] = ()


FieldEdit = ListEdit | ValueEdit | DateEdit
EntryEdit = tuple[int | None, FieldEdit]
"""The position of an entry or group in the file, None where the file itself is the mapping, and the edit of one of its fields."""


@dataclass(frozen=True, slots=True)
class _Splice:
    """Replaces the characters `start` to `end` (exclusive)."""

    start: int
    end: int
    text: str


def edit_entries(text: str, edits: Iterable[EntryEdit]) -> str:
    """The file's text with its lists and texts edited.

    Raises:
        ValueError: The file is written in a way that can't be edited; the message says what.
        AskPyError: ruamel.yaml isn't installed.
    """
    root = _compose(text)
    splices = [splice for position, edit in edits for splice in _splices(text, root, position, edit)]
    for splice in sorted(splices, key=lambda splice: (splice.start, splice.end), reverse=True):
        text = text[: splice.start] + splice.text + text[splice.end :]
    return text


def _compose(text: str) -> Any:
    """The root node."""
    try:
        from ruamel.yaml import YAML  # noqa: PLC0415  an extra: only `export` needs it
        from ruamel.yaml.error import YAMLError  # noqa: PLC0415
    except ModuleNotFoundError:
        raise AskPyError(RUAMEL_MISSING) from None
    try:
        return YAML(typ="rt", pure=True).compose(text)
    except YAMLError as error:
        raise ValueError(str(error).splitlines()[0]) from None


def _splices(text: str, root: Any, position: int | None, edit: FieldEdit) -> list[_Splice]:
    if position is not None and not (_is(root, "sequence") and position < len(root.value)):
        raise ValueError("is not a list of entries")
    mapping = root if position is None else root.value[position]
    if not _is(mapping, "mapping"):
        raise ValueError("is not a mapping")
    fields = {key.value: (key, node) for key, node in mapping.value}
    if isinstance(edit, ValueEdit):
        return _edit_value(text, mapping, fields, edit)
    if isinstance(edit, DateEdit):
        return _edit_date(text, mapping, fields, edit)
    if edit.field not in fields:
        return _edit_missing(text, mapping, fields, edit) if edit.add else []
    key, node = fields[edit.field]
    if _is(node, "scalar"):
        kept = [] if 0 in edit.remove else [node.value.strip()]
        return [_Splice(node.start_mark.index, _end(text, node), _flow_list([*kept, *edit.add]))]
    if not _is(node, "sequence") or not all(_is(item, "scalar") for item in node.value):
        raise ValueError(f"{edit.field} is not a list of texts")
    if node.flow_style:
        return _edit_flow(text, node, edit)
    return _edit_block(text, key, node, edit)


def _edit_value(text: str, mapping: Any, fields: dict[str, tuple[Any, Any]], edit: ValueEdit) -> list[_Splice]:
    """A text behind its key, whatever its quotes are."""
    key, node = fields.get(edit.field, (None, None))
    if not _is(node, "scalar"):
        raise ValueError(f"{edit.field} is not a text")
    newline, column = _newline(text), mapping.value[0][0].start_mark.column
    written = scalar(edit.text, "flow") if mapping.flow_style else value(edit.text, column)
    splices = [_Splice(node.start_mark.index, _end(text, node), written.replace("\n", newline))]
    if edit.comment:
        lines = [f"{' ' * column}# {line}".rstrip() for line in edit.comment.split("\n")]
        start = _line_start(text, (mapping if mapping.flow_style else key).start_mark.index)
        splices.append(_Splice(start, start, "".join(line + newline for line in lines)))
    return splices


def _edit_date(text: str, mapping: Any, fields: dict[str, tuple[Any, Any]], edit: DateEdit) -> list[_Splice]:
    """A date behind its key, or a field behind another one."""
    if edit.field in fields:
        key, node = fields[edit.field]
        if not _is(node, "scalar"):
            raise ValueError(f"{edit.field} is not a text")
        if node.anchor:  # another field repeats it, or it repeats another one
            raise ValueError(f"{edit.field} is written with an anchor")
        if node.start_mark.index == node.end_mark.index:  # nothing is written; the marks may be behind a comment
            colon = text.index(":", key.end_mark.index) + 1
            return [_Splice(colon, colon, f" {edit.date}")]
        return [_Splice(node.start_mark.index, _end(text, node), edit.date)]
    _, before = next((fields[name] for name in edit.after if name in fields), mapping.value[-1])
    if mapping.flow_style:
        end = before.end_mark.index
        return [_Splice(end, end, f", {edit.field}: {edit.date}")]
    indent = " " * mapping.value[0][0].start_mark.column
    return [_insert_lines(text, _end(text, before), [f"{indent}{edit.field}: {edit.date}"])]


# --- the three forms of a list


def _edit_block(text: str, key: Any, node: Any, edit: ListEdit) -> list[_Splice]:
    """A list below its key, an item a line."""
    if not edit.add and len(edit.remove) == len(node.value):
        return [_Splice(key.end_mark.index, _end(text, node.value[-1]), ": []")]
    splices = []
    for number in edit.remove:
        item = node.value[number]
        _dash_before(text, item, edit)
        start, end = _line_start(text, item.start_mark.index), _line_end(text, _end(text, item))
        splices.append(_Splice(start, end, ""))
    if edit.add:
        last = node.value[-1]
        dash = _dash_before(text, last, edit)
        splices.append(_insert_lines(text, _end(text, last), [dash + scalar(added) for added in edit.add]))
    return splices


def _edit_flow(text: str, node: Any, edit: ListEdit) -> list[_Splice]:
    """A list between brackets."""
    if edit.remove or not node.value:
        kept = [text[i.start_mark.index : _end(text, i)] for n, i in enumerate(node.value) if n not in edit.remove]
        start = text.index("[", node.start_mark.index)
        items = ", ".join([*kept, *(scalar(added, "flow") for added in edit.add)])
        return [_Splice(start, node.end_mark.index, f"[{items}]")]
    end = _end(text, node.value[-1])
    first = node.value[0].start_mark.index
    indent = first - _line_start(text, first)
    column = end - _line_start(text, end)
    rest_of_line = _line_end(text, end) - end
    items = ""
    for added in edit.add:
        item = scalar(added, "flow")
        if column + len(item) + rest_of_line + 2 > LINE_LENGTH:
            items, column = f"{items},{_newline(text)}{' ' * indent}{item}", indent + len(item)
        else:
            items, column = f"{items}, {item}", column + len(item) + 2
    return [_Splice(end, end, items)]


def _edit_missing(text: str, mapping: Any, fields: dict[str, tuple[Any, Any]], edit: ListEdit) -> list[_Splice]:
    """A list that isn't there yet."""
    _, before = fields.get(PRECEDING_FIELD) or mapping.value[-1]
    if mapping.flow_style:
        end = before.end_mark.index
        return [_Splice(end, end, f", {edit.field}: {_flow_list(edit.add)}")]
    indent = " " * mapping.value[0][0].start_mark.column
    lines = [f"{indent}{edit.field}:", *(f"{indent}  - {scalar(added)}" for added in edit.add)]
    return [_insert_lines(text, _end(text, before), lines)]


# --- positions in the text


def _insert_lines(text: str, position: int, lines: Sequence[str]) -> _Splice:
    """Insert lines behind the line of `position`."""
    newline, end = _newline(text), _line_end(text, position)
    joined = newline.join(lines)
    return _Splice(end, end, joined + newline if text[:end].endswith("\n") else newline + joined)


def _end(text: str, node: Any) -> int:
    """Where a node's own text ends. ruamel's end mark of a block is behind the blank lines and comments that follow it."""
    if node.value and not _is(node, "scalar") and not node.flow_style:
        last = node.value[-1]
        return _end(text, last[1] if isinstance(last, tuple) else last)
    end = int(node.end_mark.index)
    return len(text[:end].rstrip()) if _is(node, "scalar") and node.style in ("|", ">") else end


def _line_start(text: str, position: int) -> int:
    return text.rfind("\n", 0, position) + 1


def _line_end(text: str, position: int) -> int:
    """Behind the line feed that ends the line of `position`, or the end of the file."""
    line_feed = text.find("\n", position)
    return line_feed + 1 if line_feed >= 0 else len(text)


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _dash_before(text: str, item: Any, edit: ListEdit) -> str:
    """The indent and dash before an item; raises ValueError if something else stands before it."""
    start = item.start_mark.index
    match = re.match(r"( *- +)", text[_line_start(text, start) : start])
    if match is None:
        raise ValueError(f"{edit.field} has an item that doesn't stand on a line of its own")
    return match[1]


def _flow_list(texts: Collection[str]) -> str:
    return "[" + ", ".join(scalar(text, "flow") for text in texts) + "]"


def _is(node: Any, kind: str) -> bool:
    return node is not None and str(node.id) == kind
