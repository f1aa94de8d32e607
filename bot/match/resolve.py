"""Which word somebody meant: a typed token against the pack's words, then plain English.

A valid word is never bent into another. Only non-words are corrected, to the nearest word within a budget of slips that
grows with length (optimal string alignment: a swap of neighbours is one slip).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import OSA

from bot.match.english import English, english
from bot.match.remembered import Remembered
from bot.text import stem

CORRECTED = 0.9
"""Weight of a word that was guessed from a slip."""

SHORTEST = 3
"""Letters from which a slip is forgiven at all."""

TWO_SLIPS = 5
"""Letters from which two slips are forgiven."""

SAME_START = 6
"""Below this length two slips are forgiven only if the first letter is right."""

NEAREST_FIRST = 8
"""Below this length a word one slip away always beats a word two away."""


_LETTERS = 26


@dataclass(frozen=True, slots=True)
class Token:
    """A typed word and what it is read as. `known`: the pack has it, so that it is evidence."""

    typed: str
    word: str
    known: bool
    slip: bool = False

    @property
    def trust(self) -> float:
        return CORRECTED if self.slip else 1.0


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Words to correct towards, the shortest first, with what makes the search quick."""

    words: tuple[str, ...]
    commonness: NDArray[np.float32]
    """Natural logarithm of how common each word is; only the order of magnitude matters."""
    lengths: NDArray[np.int64]
    letters: NDArray[np.uint64]

    def near(self, word: str, slips: int) -> list[tuple[int, int]]:
        """Numbers of the words within so many slips, and the slips each needs.

        A slip changes a word's length by one at most and its letter counts by two, so most words are out of the
        question before rapidfuzz sees them.
        """
        first, last = self.lengths.searchsorted((len(word) - slips, len(word) + slips + 1)).tolist()
        if first == last:
            return []
        close = np.bitwise_count(self.letters[first:last] ^ np.uint64(signature(word))) <= 2 * slips
        numbers = (close.nonzero()[0] + first).tolist()
        choices = [self.words[number] for number in numbers]
        found = process.extract(word, choices, scorer=OSA.distance, score_cutoff=slips, limit=None)
        return [(numbers[at], int(distance)) for _, distance, at in found]


def signature(word: str) -> int:
    """One bit for each letter that occurs, another for each that occurs twice."""
    once = twice = 0
    for letter in word:
        bit = 1 << ord(letter) % _LETTERS
        twice |= once & bit
        once |= bit
    return once | twice << _LETTERS


def lexicon(words: Sequence[str], commonness: Sequence[float]) -> Lexicon:
    """Words prepared for `near`."""
    lengths = np.fromiter(map(len, words), dtype=np.int64, count=len(words))
    order = np.argsort(lengths, kind="stable")
    words = [words[at] for at in order.tolist()]
    return Lexicon(
        words=tuple(words),
        commonness=np.asarray(commonness, dtype=np.float32)[order],
        lengths=lengths[order],
        letters=signatures(words),
    )


def signatures(words: Sequence[str]) -> NDArray[np.uint64]:
    """The signature of each word, all at once."""
    codes = np.frombuffer("".join(words).encode("utf-32-le"), dtype=np.uint32) % _LETTERS
    owners = np.repeat(np.arange(len(words)), [*map(len, words)])
    counts = np.bincount(owners * _LETTERS + codes, minlength=len(words) * _LETTERS).reshape(len(words), _LETTERS)
    bits = np.uint64(1) << np.arange(_LETTERS, dtype=np.uint64)
    return np.asarray((counts > 0) @ bits | ((counts > 1) @ bits) << np.uint64(_LETTERS), dtype=np.uint64)


def budget(word: str) -> int:
    """Slips forgiven in a word of this length; numbers are never corrected."""
    if len(word) < SHORTEST or not word.isalpha():
        return 0
    return 2 if len(word) >= TWO_SLIPS else 1


def best(word: str, words: Lexicon) -> tuple[str, int] | None:
    """The likeliest word within the budget, and the slips it needs."""
    slips = budget(word)
    found = words.near(word, slips) if slips else []
    if len(word) < SAME_START:
        found = [(n, d) for n, d in found if d < 2 or words.words[n][0] == word[0]]
    if len(word) < NEAREST_FIRST and found:
        least = min(d for _, d in found)
        found = [(n, d) for n, d in found if d == least]
    if not found:
        return None
    number, slips = max(found, key=lambda hit: (_merit(word, words, *hit), words.words[hit[0]]))
    return words.words[number], slips


def _merit(word: str, words: Lexicon, number: int, slips: int) -> float:
    """Similarity, a bonus for the right first letter and a little for common words."""
    other = words.words[number]
    alike = 1 - slips / max(len(word), len(other))
    return alike + 0.08 * (other[0] == word[0]) + 0.02 * float(words.commonness[number])


@cache
def english_lexicon() -> Lexicon:
    """Plain English to correct towards; needed only where a word is in neither list."""
    words = english()
    return lexicon(list(words.rows), (2.3 * (8 - np.array(words.rarity))).tolist())


@dataclass(frozen=True, slots=True)
class Resolver:
    """Reads tokens by the pack's words, its stems, words that the pack names as strange, and English."""

    pack: Lexicon
    own: frozenset[str]
    stems: frozenset[str]
    strange: frozenset[str]
    english: English
    _remembered: Remembered[Token] = field(default_factory=Remembered, init=False, repr=False, compare=False)

    def read(self, word: str) -> Token:
        """The word as the pack has it, as English has it, corrected to one of them, or as typed."""
        return self._remembered.get(word, self._read)

    def read_as_typed(self, word: str) -> Token:
        """The word as the pack has it, or as typed."""
        return Token(word, word, known=word in self.own or stem(word) in self.stems)

    def _read(self, word: str) -> Token:
        if word in self.own or stem(word) in self.stems:
            return Token(word, word, known=True)
        if word in self.strange or word in self.english:
            return Token(word, word, known=False)
        ours = best(word, self.pack)
        if ours and ours[1] == 1:
            return Token(word, ours[0], known=True, slip=True)
        plain = best(word, english_lexicon())
        if ours and (not plain or ours[1] <= plain[1]):
            return Token(word, ours[0], known=True, slip=True)
        return Token(word, plain[0], known=False, slip=True) if plain else Token(word, word, known=False)


def resolver(counts: dict[str, int], strange: Sequence[str]) -> Resolver:
    """A resolver for a pack's words, with how often each occurs."""
    ordered = sorted(counts)
    commonness = np.log1p([counts[word] for word in ordered])
    own = frozenset(counts)
    return Resolver(
        pack=lexicon(ordered, list(commonness)),
        own=own,
        stems=frozenset(map(stem, own)),
        strange=frozenset(strange) - own,
        english=english(),
    )
