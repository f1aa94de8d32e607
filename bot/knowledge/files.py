"""The files of a pack, their names, and the digest of all of them."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

DEFAULT_VOICE = Path(__file__).with_name("voice.yaml")

OUT_OF_SCOPE_FILE = "out_of_scope.yaml"
"""The file of what a pack doesn't cover."""
_OUT_OF_SCOPE_STEM, _FORMER_STEM = "out_of_scope", "strangers"
"""Its name without extension, and the name of earlier releases, which this release is the last to read."""


def files_of(folder: Path) -> list[Path]:
    """The pack's YAML files, in the order of their names. Raises OSError for a folder that can't be listed."""
    paths: list[Path] = []
    for parent, _, names in os.walk(folder, onerror=_raise):
        paths += [Path(parent, name) for name in names if Path(name).suffix in (".yaml", ".yml")]
    return sorted(path for path in paths if path.is_file())


def out_of_scope_file(folder: Path) -> str:
    """The name of the pack's file of what it doesn't cover; OUT_OF_SCOPE_FILE where it has none yet."""
    names = (f"{stem}{suffix}" for stem in (_OUT_OF_SCOPE_STEM, _FORMER_STEM) for suffix in (".yaml", ".yml"))
    return next((name for name in names if (folder / name).is_file()), OUT_OF_SCOPE_FILE)


def is_out_of_scope_file(file: str) -> bool:
    """Whether a file, named relative to its pack, lists what the pack doesn't cover."""
    return file.rpartition(".")[0] in (_OUT_OF_SCOPE_STEM, _FORMER_STEM)


def has_former_name(file: str) -> bool:
    """Whether it has the name of earlier releases."""
    return file.rpartition(".")[0] == _FORMER_STEM


def fingerprint(folder: Path) -> str:
    """SHA-256 of the pack's files and of the default voice: equal as long as loading gives the same.

    A file that can't be read counts as unreadable and raises nothing: `inspect` reports it.
    """
    digest = hashlib.sha256()
    for path in [DEFAULT_VOICE, *files_of(folder)]:
        try:
            content = path.read_bytes()
        except OSError:
            content = b"\0"  # no YAML has this
        name = path.name if path == DEFAULT_VOICE else path.relative_to(folder).as_posix()
        digest.update(f"{name}\0{len(content)}\0".encode(errors="surrogateescape") + content)
    return digest.hexdigest()


def _raise(error: OSError) -> None:
    """`os.walk` would skip a folder that it can't list, and the pack would lack entries without a fault."""
    if not isinstance(error, FileNotFoundError):
        raise error
