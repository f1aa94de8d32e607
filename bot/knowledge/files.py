"""The files of a pack, and the digest of all of them."""

from __future__ import annotations

import hashlib
from pathlib import Path

DEFAULT_VOICE = Path(__file__).with_name("voice.yaml")


def files_of(folder: Path) -> list[Path]:
    """The pack's YAML files, in the order of their names."""
    return sorted(p for p in folder.rglob("*") if p.suffix in (".yaml", ".yml") and p.is_file())


def fingerprint(folder: Path) -> str:
    """A digest of the pack's files and of the default voice: equal as long as a load would give the same."""
    digest = hashlib.sha256()
    for path in [DEFAULT_VOICE, *files_of(folder)]:
        content = path.read_bytes()
        name = path.name if path == DEFAULT_VOICE else path.relative_to(folder).as_posix()
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()
