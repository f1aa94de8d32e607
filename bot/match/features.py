"""From words to integer keys: character grams, and stems with their neighbours. One way for phrasings and questions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import chain, combinations, pairwise

import numpy as np

from bot.match.sparse import Ints, Occurrences, ragged
from bot.text import LONGEST_REMEMBERED

NOTHING, START, END = 0, 1, 2
"""Stem numbers with a meaning: a stem the pack doesn't have, the beginning and the end of a question."""

FIRST_STEM = 3
_CHARACTER = 0x7FFF
_BITS = 15
_SIDE = 30
_SKIPPED = 1 << 60

MOST_PAIRED = 24
"""Stems of one question that are paired, all with all; longer ones are told by their words alone."""


def grams(word: str) -> tuple[int, ...]:
    """Keys of the word's grams of three and four characters, its edges marked by a blank; 15 bits of each fill one key.

    Grams of 2 to 5 measured the same and cost twice as much.
    """
    return _remembered(word) if len(word) <= LONGEST_REMEMBERED else _grams(word)


def _grams(word: str) -> tuple[int, ...]:
    codes = [32, *(ord(letter) & _CHARACTER for letter in word), 32]
    threes = [a << 2 * _BITS | b << _BITS | c for a, b, c in zip(codes, codes[1:], codes[2:], strict=False)]
    fours = [three << _BITS | code for three, code in zip(threes, codes[3:], strict=False)]
    return (*threes, *(fours or threes))


_remembered = lru_cache(maxsize=4_096)(_grams)


def sequences(stems: Ints, owners: Ints) -> tuple[Ints, Ints]:
    """Keys of the single stems, neighbours and pairs one apart, and the owner of each.

    `stems` holds the questions one after another, each between START and END; `owners` says which question each
    belongs to. What touches a NOTHING is left out.
    """
    keys, whose = [], []
    for apart, mark in ((0, 0), (1, 0), (2, _SKIPPED)):
        left, right = stems[: len(stems) - apart], stems[apart:]
        keep = (left != NOTHING) & (right != NOTHING) & (owners[: len(owners) - apart] == owners[apart:])
        if not apart:
            keep &= left >= FIRST_STEM
        keys.append((left[keep] << _SIDE | right[keep] if apart else left[keep]) | mark)
        whose.append(owners[: len(owners) - apart][keep])
    return np.concatenate(keys), np.concatenate(whose)


def pair_occurrences(stems: Ints, starts: Ints) -> Occurrences:
    """Pairs of different stems, wherever they stand in a phrasing, of phrasings given as stem numbers one after another."""
    place = np.arange(len(stems)) - np.repeat(starts[:-1], np.diff(starts))
    owners = np.repeat(np.arange(len(starts) - 1), np.diff(starts))[place < MOST_PAIRED]
    cells = np.unique(owners << _SIDE | stems[place < MOST_PAIRED])
    owners, stems = cells >> _SIDE, cells & ((1 << _SIDE) - 1)
    after = np.searchsorted(owners, owners, "right") - np.arange(len(owners)) - 1
    left = np.repeat(np.arange(len(owners)), after)
    right = left + 1 + np.arange(len(left)) - np.repeat(np.cumsum(after) - after, after)
    names, ids = np.unique(stems[left] << _SIDE | stems[right], return_inverse=True)
    return Occurrences(names, ids.astype(np.int32), np.searchsorted(owners[left], np.arange(len(starts))))


def question_pairs(stems: Ints) -> Ints:
    """Keys of the pairs of a question's different stems, ascending."""
    known = sorted({stem for stem in stems[:MOST_PAIRED].tolist() if stem >= FIRST_STEM})
    return np.array([left << _SIDE | right for left, right in combinations(known, 2)], dtype=np.int64)


def gram_occurrences(words: Sequence[str], word_ids: Ints, starts: Ints) -> Occurrences:
    """Grams of phrasings that are given as numbers into `words`; each word is cut once."""
    cut = [_grams(word) for word in words]
    names, ids = np.unique(np.array([key for keys in cut for key in keys], dtype=np.int64), return_inverse=True)
    begins = np.r_[0, np.cumsum([len(keys) for keys in cut])].astype(np.int64)
    at, owner = ragged(begins, word_ids)
    lengths = np.r_[0, np.cumsum(np.bincount(owner, minlength=len(word_ids)))]
    return Occurrences(names, ids.astype(np.int32)[at], lengths[starts])


def sequence_occurrences(stems: Ints, starts: Ints) -> Occurrences:
    """Sequences of phrasings that are given as stem numbers, one phrasing after another."""
    lengths = np.diff(starts)
    owners = np.repeat(np.arange(len(lengths)), lengths + 2)
    framed = np.full(len(stems) + 2 * len(lengths), START, dtype=np.int64)
    ends = np.cumsum(lengths + 2) - 1
    framed[ends] = END
    inside = np.ones(len(framed), dtype=bool)
    inside[ends] = inside[ends - lengths - 1] = False
    framed[inside] = stems
    keys, whose = sequences(framed, owners)
    order = np.argsort(whose, kind="stable")
    names, ids = np.unique(keys[order], return_inverse=True)
    return Occurrences(names, ids.astype(np.int32), np.searchsorted(whose[order], np.arange(len(starts))))


def question_grams(words: Iterable[str]) -> Ints:
    """Keys of all grams of a question's words."""
    return np.array(list(chain.from_iterable(map(grams, words))), dtype=np.int64)


def question_sequences(stems: Sequence[int]) -> Ints:
    """Keys of a question's stems and their neighbours, as `sequences` makes them: of few numbers lists are quicker."""
    framed = [START, *stems, END]
    keys = [stem for stem in stems if stem >= FIRST_STEM]
    keys += [left << _SIDE | right for left, right in pairwise(framed) if left and right]
    apart = zip(framed, framed[2:], strict=False)
    keys += [left << _SIDE | right | _SKIPPED for left, right in apart if left and right]
    return np.array(keys, dtype=np.int64)
