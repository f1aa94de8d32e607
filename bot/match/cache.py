"""The index cache: a pack's index, kept between starts under the digest of the pack and of the code that built it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path

from bot import kept
from bot.match import keep
from bot.match.index import Index


def cached(folder: Path | None, fingerprint: str, build: Callable[[], Index]) -> Index:
    """The index for a pack with this fingerprint: from `folder`, or built and put there if that can be written."""
    if folder is None:
        return build()
    path = path_of(folder, fingerprint)
    index = keep.load(path)
    if index is not None:
        return index
    with kept.turn(path):  # four processes that start together would each build for seconds
        index = keep.load(path)
        if index is None:
            index = build()
            keep.save(index, path)
    return index


def path_of(folder: Path, fingerprint: str) -> Path:
    """The file in which the index for a pack with this fingerprint is kept; another for every edit of the code that builds it."""
    return folder / f"index-{fingerprint[:24]}-{_code()}.bin"


@cache
def _code() -> str:
    """A digest of everything that an index depends on besides its pack."""
    digest = hashlib.sha256()
    here = Path(__file__).parent
    shared = [here.parent / "text.py", here.parent / "model.py"]
    for path in [*sorted(here.glob("*.py")), *shared, *sorted((here / "data").glob("*"))]:
        content = path.read_bytes()
        digest.update(f"{path.name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:12]
