"""The files of a pack, and the digest of all of them."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

DEFAULT_VOICE = Path(__file__).with_name("voice.yaml")


def files_of(folder: Path) -> list[Path]:
    """The pack's YAML files, in the order of their names. Raises OSError for a folder that can't be listed."""
    found = []
    for inside, _, names in os.walk(folder, onerror=_refuse):
        found += [Path(inside, name) for name in names if Path(name).suffix in (".yaml", ".yml")]
    return sorted(path for path in found if path.is_file())


def fingerprint(folder: Path) -> str:
    """A digest of the pack's files and of the default voice: equal as long as a load would give the same.

    A file that can't be read counts as such: whoever inspects the pack names it.
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


def _refuse(error: OSError) -> None:
    """`os.walk` would go on without a folder that it can't list, and the pack would lack entries unnoticed."""
    if not isinstance(error, FileNotFoundError):
        raise error
