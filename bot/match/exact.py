"""Whole phrases, word for word: the short cut before anything is weighed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np

from bot.match.sparse import Ints
from bot.text import words

SEVERAL = -2
"""In place of an entry: the phrase stands under more than one."""

STRANGER = -3
"""In place of an entry: the phrase is a listed stranger."""


@dataclass(frozen=True, slots=True)
class Exact:
    """Whole phrases: ascending hashes of their words, and the entry of each."""

    keys: Ints
    entries: Ints

    def entry(self, text: str) -> int | None:
        """The entry whose phrasing this is, SEVERAL, STRANGER, or none."""
        return self.entry_of(words(text))

    def entry_of(self, typed: Sequence[str]) -> int | None:
        """The same for the words of a text."""
        key = phrase_key(typed)
        at = int(self.keys.searchsorted(key))
        return int(self.entries[at]) if at < len(self.keys) and self.keys[at] == key else None


def phrases(asks: Iterable[tuple[Sequence[str], int]], refused: Iterable[Sequence[str]]) -> Exact:
    """Whole phrases by their hash; what an entry asks wins over what is refused."""
    found: dict[int, int] = {}
    for typed, entry in asks:
        key = phrase_key(typed)
        found[key] = entry if found.get(key, entry) == entry else SEVERAL
    for typed in refused:
        found.setdefault(phrase_key(typed), STRANGER)
    keys: Ints = np.array(sorted(found), dtype=np.int64)
    return Exact(keys, np.array([found[key] for key in keys.tolist()], dtype=np.int64))


def phrase_key(typed: Sequence[str]) -> int:
    """A number for a phrase's words: 63 bits of a hash, so that two phrases never meet in practice."""
    return int.from_bytes(blake2b(" ".join(typed).encode(), digest_size=8).digest(), "big") >> 1
