"""Unified diffs for `git apply` and `patch -p1`."""

from __future__ import annotations

import difflib
from pathlib import Path

CONTEXT_LINES = 3


def file_patch(path: str, old: str | None, new: str) -> str:
    """The patch of one file; "" if nothing differs. `old`: None for a new file."""
    if old == new:
        return ""
    before, after = _quote_path(f"a/{path}"), _quote_path(f"b/{path}")
    head = [f"diff --git {before} {after}"]
    if old is None:
        head.append("new file mode 100644")
    old_name = "/dev/null" if old is None else _end_path(before)
    lines = difflib.unified_diff(
        _split_lines(old or ""), _split_lines(new), old_name, _end_path(after), n=CONTEXT_LINES
    )
    return "\n".join(head) + "\n" + "".join(map(_patch_line, lines))


def patch_root(folder: Path) -> tuple[Path, str]:
    """The folder where a patch of `folder`'s files is applied, and the path from there to `folder`: "", or ending in a slash.

    It is the top of the git checkout; else the working directory, if `folder` is below it; else `folder` itself.
    """
    resolved = folder.resolve()
    for top in resolved.parents if not (resolved / ".git").exists() else (resolved,):
        if (top / ".git").exists():
            return top, _prefix(resolved, top)
    working_directory = Path.cwd()
    if resolved.is_relative_to(working_directory):
        return working_directory, _prefix(resolved, working_directory)
    return resolved, ""


def _prefix(folder: Path, top: Path) -> str:
    path = folder.relative_to(top).as_posix()
    return "" if path == "." else path + "/"


def _split_lines(text: str) -> list[str]:
    """Lines by line feeds alone, as git splits them; `str.splitlines` knows other ends of lines."""
    *lines, last = text.split("\n")
    return [line + "\n" for line in lines] + ([last] if last else [])


def _patch_line(line: str) -> str:
    return line if line.endswith("\n") else line + "\n\\ No newline at end of file\n"


def _quote_path(path: str) -> str:
    """A path with quotes, backslashes or other than ASCII characters, quoted as git does."""
    if path.isascii() and path.isprintable() and not {'"', "\\"} & set(path):
        return path
    escapes = {ord('"'): '\\"', ord("\\"): "\\\\"}
    return '"' + "".join(escapes.get(b) or (chr(b) if 32 <= b < 127 else f"\\{b:03o}") for b in path.encode()) + '"'


def _end_path(path: str) -> str:
    """A path with a blank gets a tab at its end, so that readers know where it ends."""
    return path + "\t" if " " in path else path
