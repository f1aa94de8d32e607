"""Indexes that several tests need are built once."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from bot.retrieval import serialize
from bot.retrieval.index import Index
from bot.understanding.targets import code_digest

MOST = 1_000
"""Files that stay in a cache folder: of the bot's own 24, those that each process loads once would be pushed out by others."""

_build = Index.build


class QuickIndexes:
    """Stands for the class `Index` where a matcher builds one.

    What was built of the same phrasings before, in whichever process of this run, is read from a file. A test that puts another
    `Index.build` in its place gets that.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def build(self, *given: Any, **named: Any) -> Index:
        if Index.build is not _build:
            return Index.build(*given, **named)
        said = {name: sorted(value) if isinstance(value, (set, frozenset)) else value for name, value in named.items()}
        digest = hashlib.sha256(repr((code_digest(), given, sorted(said.items()))).encode()).hexdigest()
        path = self._folder / f"built-{digest[:32]}.bin"
        index = serialize.load(path)
        if index is None:
            index = Index.build(*given, **named)
            serialize.save(index, path)
        return index
