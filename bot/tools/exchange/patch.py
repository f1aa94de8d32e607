"""Unified diffs that `git apply` and `patch -p1` take."""

from __future__ import annotations

import difflib
from pathlib import Path

CONTEXT = 3
"""Lines around each change."""


def difference(path: str, old: str | None, new: str) -> str:
    """The patch of one file; `old` is none for a file that is new. Nothing where nothing differs."""
    if old == new:
        return ""
    before, after = _quoted(f"a/{path}"), _quoted(f"b/{path}")
    head = [f"diff --git {before} {after}"]
    if old is None:
        head.append("new file mode 100644")
    lines = difflib.unified_diff(
        _lines(old or ""), _lines(new), "/dev/null" if old is None else _ended(before), _ended(after), n=CONTEXT
    )
    return "\n".join(head) + "\n" + "".join(map(_line, lines))


def seat(folder: Path) -> tuple[Path, str]:
    """From where a patch of the folder's files is applied, and the way from there to the folder: "", or with a slash.

    The top of its git checkout; else here, for a folder below; else the folder itself.
    """
    inside = folder.resolve()
    for top in inside.parents if not (inside / ".git").exists() else (inside,):
        if (top / ".git").exists():
            return top, _way(inside, top)
    here = Path.cwd()
    return (here, _way(inside, here)) if inside.is_relative_to(here) else (inside, "")


def _way(inside: Path, top: Path) -> str:
    way = inside.relative_to(top).as_posix()
    return "" if way == "." else way + "/"


def _lines(text: str) -> list[str]:
    """Lines by line feeds alone: other characters that end lines elsewhere are text to git."""
    return [line + "\n" for line in text.split("\n")[:-1]] + ([last] if (last := text.rpartition("\n")[2]) else [])


def _line(line: str) -> str:
    return line if line.endswith("\n") else line + "\n\\ No newline at end of file\n"


def _quoted(path: str) -> str:
    """As git writes a path that holds quotes, backslashes or what isn't ASCII."""
    if path.isascii() and path.isprintable() and not {'"', "\\"} & set(path):
        return path
    plain = {ord('"'): '\\"', ord("\\"): "\\\\"}
    return '"' + "".join(plain.get(b) or (chr(b) if 32 <= b < 127 else f"\\{b:03o}") for b in path.encode()) + '"'


def _ended(path: str) -> str:
    """A path with a blank ends in a tab, so that its end is known."""
    return path + "\t" if " " in path else path
