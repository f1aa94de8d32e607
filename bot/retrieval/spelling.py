"""Spelling correction: a typed word against the pack's words, then plain English, and how much of a message is corrected.

A valid word is never replaced. Only non-words are corrected, to the nearest word within a number of edits that grows with
length. The distance is optimal string alignment: a swap of neighbouring letters is one edit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import OSA

from bot.retrieval.english import English, WordCache, english
from bot.text import stem

CORRECTED_TRUST = 0.9
"""Weight of a corrected word beside 1 for one that was typed correctly."""

ONE_EDIT_LENGTH = 3
"""Letters from which one edit is allowed."""

TWO_EDITS_LENGTH = 5
"""Letters from which two edits are allowed."""

SAME_START_LENGTH = 6
"""Below this length two edits are allowed only if the first letter is right."""

NEAREST_ONLY_LENGTH = 8
"""Below this length a word one edit away always wins over a word two edits away."""

_LETTERS = 26


# --- how much of a message is corrected

FULLY_READ = 64
"""Words of a message up to which all are corrected and each pair of neighbours is tried as a name."""

FIRST_CORRECTED, LAST_CORRECTED = 16, 48
"""Of a longer message's words that aren't English, how many of the first and of the last are corrected."""

MAX_WORDS_FOR_PAIRS = 120
"""Words of a message beyond which two neighbours aren't tried as a misspelt name ("socet io")."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What reading one message may cost, so that no message takes the time of everybody else's.

    Attributes:
        as_typed: Words that aren't corrected.
        pairs: Whether two neighbouring words are tried as a misspelt name.
    """

    as_typed: frozenset[str] = frozenset()
    pairs: bool = True


UNLIMITED = Budget()


def budget_for(words: Sequence[str], english: English) -> Budget:
    """The budget for a message with these words; UNLIMITED up to FULLY_READ of them."""
    if len(words) <= FULLY_READ:
        return UNLIMITED
    unknown = [word for word in dict.fromkeys(words) if word not in english]
    return Budget(frozenset(unknown[FIRST_CORRECTED:-LAST_CORRECTED]), pairs=len(words) <= MAX_WORDS_FOR_PAIRS)


# --- the nearest word of a list


@dataclass(frozen=True, slots=True)
class Token:
    """A typed word and the word it is read as.

    Attributes:
        known: Whether the pack has the word, so that it counts as evidence.
        corrected: Whether it was misspelt.
    """

    typed: str
    word: str
    known: bool
    corrected: bool = False

    @property
    def trust(self) -> float:
        """Weight of the word: 1, less where it was corrected."""
        return CORRECTED_TRUST if self.corrected else 1.0


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Words to correct towards, the shortest first.

    Attributes:
        words: (words,)
        log_frequency: (words,), natural logarithm of how common each word is; only the order of magnitude matters.
        lengths: (words,), ascending.
        signatures: (words,), see `letter_signature`.
    """

    words: tuple[str, ...]
    log_frequency: NDArray[np.float32]
    lengths: NDArray[np.int64]
    signatures: NDArray[np.uint64]

    @classmethod
    def from_words(cls, words: Sequence[str], log_frequency: Sequence[float]) -> Lexicon:
        """A lexicon of words in any order, with the frequency of each."""
        lengths = np.fromiter(map(len, words), dtype=np.int64, count=len(words))
        order = np.argsort(lengths, kind="stable")
        words = [words[number] for number in order.tolist()]
        frequencies = np.asarray(log_frequency, dtype=np.float32)[order]
        return cls(tuple(words), frequencies, lengths[order], letter_signatures(words))

    def nearest(self, word: str, max_edits: int) -> list[tuple[int, int]]:
        """(number, edits) of every word within `max_edits` of this one.

        An edit changes a word's length by one at most and its signature by two bits, so that most words are excluded before
        rapidfuzz compares them.
        """
        first, last = self.lengths.searchsorted((len(word) - max_edits, len(word) + max_edits + 1)).tolist()
        if first == last:
            return []
        differing_bits = np.bitwise_count(self.signatures[first:last] ^ np.uint64(letter_signature(word)))
        numbers = ((differing_bits <= 2 * max_edits).nonzero()[0] + first).tolist()
        choices = [self.words[number] for number in numbers]
        hits = process.extract(word, choices, scorer=OSA.distance, score_cutoff=max_edits, limit=None)
        return [(numbers[position], int(edits)) for _, edits, position in hits]


def letter_signature(word: str) -> int:
    """52 bits: one for each letter (modulo 26) that occurs, another for each that occurs twice."""
    once = twice = 0
    for letter in word:
        bit = 1 << ord(letter) % _LETTERS
        twice |= once & bit
        once |= bit
    return once | twice << _LETTERS


def letter_signatures(words: Sequence[str]) -> NDArray[np.uint64]:
    """The `letter_signature` of each word, computed at once."""
    codes = np.frombuffer("".join(words).encode("utf-32-le"), dtype=np.uint32) % _LETTERS
    owners = np.repeat(np.arange(len(words)), [*map(len, words)])
    counts = np.bincount(owners * _LETTERS + codes, minlength=len(words) * _LETTERS).reshape(len(words), _LETTERS)
    bits = np.uint64(1) << np.arange(_LETTERS, dtype=np.uint64)
    return np.asarray((counts > 0) @ bits | ((counts > 1) @ bits) << np.uint64(_LETTERS), dtype=np.uint64)


def max_edits(word: str) -> int:
    """Edits that are allowed in a word of this length; anything but letters is never corrected."""
    if len(word) < ONE_EDIT_LENGTH or not word.isalpha():
        return 0
    return 2 if len(word) >= TWO_EDITS_LENGTH else 1


def best_correction(word: str, lexicon: Lexicon) -> tuple[str, int] | None:
    """The likeliest word within the allowed edits, and the edits it needs; None if there is none."""
    allowed = max_edits(word)
    hits = lexicon.nearest(word, allowed) if allowed else []
    if len(word) < SAME_START_LENGTH:
        hits = [(number, edits) for number, edits in hits if edits < 2 or lexicon.words[number][0] == word[0]]
    if len(word) < NEAREST_ONLY_LENGTH and hits:
        least = min(edits for _, edits in hits)
        hits = [(number, edits) for number, edits in hits if edits == least]
    if not hits:
        return None
    number, edits = max(hits, key=lambda hit: (_similarity(word, lexicon, *hit), lexicon.words[hit[0]]))
    return lexicon.words[number], edits


def _similarity(word: str, lexicon: Lexicon, number: int, edits: int) -> float:
    """Share of right letters, plus a bonus for the right first letter and a little for common words."""
    other = lexicon.words[number]
    share = 1 - edits / max(len(word), len(other))
    return share + 0.08 * (other[0] == word[0]) + 0.02 * float(lexicon.log_frequency[number])


@cache
def english_lexicon() -> Lexicon:
    """Plain English to correct towards; needed only where a word is in neither list."""
    words = english()
    return Lexicon.from_words(list(words.rows), (2.3 * (8 - np.array(words.rarity))).tolist())


# --- correction


@dataclass(frozen=True, slots=True)
class SpellingCorrector:
    """Corrects words to the pack's words, or to English.

    Attributes:
        lexicon: The pack's words.
        pack_words: The same as a set.
        pack_stems: Their stems.
        kept_words: Words of questions that the pack lists as out of scope: never corrected to a word of the pack.
        english: The English word list.
    """

    lexicon: Lexicon
    pack_words: frozenset[str]
    pack_stems: frozenset[str]
    kept_words: frozenset[str]
    english: English
    _cache: WordCache[Token] = field(default_factory=WordCache, init=False, repr=False, compare=False)

    @classmethod
    def from_counts(cls, counts: dict[str, int], kept_words: Sequence[str]) -> SpellingCorrector:
        """A corrector for a pack's words, with how often each occurs."""
        words = sorted(counts)
        log_frequency = np.log1p([counts[word] for word in words])
        pack_words = frozenset(counts)
        return cls(
            lexicon=Lexicon.from_words(words, list(log_frequency)),
            pack_words=pack_words,
            pack_stems=frozenset(map(stem, pack_words)),
            kept_words=frozenset(kept_words) - pack_words,
            english=english(),
        )

    def correct(self, word: str) -> Token:
        """Read one word of a message.

        Args:
            word: A casefolded word.

        Returns:
            The word as the pack or English has it, else corrected to one of them, else as typed.
        """
        return self._cache.get(word, self._correct)

    def keep_typed(self, word: str) -> Token:
        """The word as typed; it is known if the pack has it."""
        return Token(word, word, known=self._is_pack_word(word))

    def _is_pack_word(self, word: str) -> bool:
        return word in self.pack_words or stem(word) in self.pack_stems

    def _correct(self, word: str) -> Token:
        if self._is_pack_word(word):
            return Token(word, word, known=True)
        if word in self.kept_words or word in self.english:
            return Token(word, word, known=False)
        pack_hit = best_correction(word, self.lexicon)
        if pack_hit and pack_hit[1] == 1:
            return Token(word, pack_hit[0], known=True, corrected=True)
        english_hit = best_correction(word, english_lexicon())
        if pack_hit and (not english_hit or pack_hit[1] <= english_hit[1]):
            return Token(word, pack_hit[0], known=True, corrected=True)
        if english_hit:
            return Token(word, english_hit[0], known=False, corrected=True)
        return Token(word, word, known=False)
