"""Slips of the hand: whether somebody who meant one word may have typed another. An edit distance alone doesn't tell that."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from rapidfuzz.distance import OSA

LONG = 8
"""Letters of a word from which two edits may be a slip though one of them brings in a letter that the word lacks."""
FIRST_LETTER_LENGTH = 6
"""Letters of a word from which its first one may have been left out ("rontend")."""

_KEYS = {
    key: (row, column + row / 2)
    for row, keys in enumerate(("qwertyuiop", "asdfghjkl", "zxcvbnm"))
    for column, key in enumerate(keys)
}
"""Row and place of each key of a QWERTY keyboard; a row stands half a key to the right of the one above it."""
_SOUNDS = ("aeiouy", "ckqx", "csz", "vwf", "mn", "bp", "dt", "gj")
"""Letters that are heard as one another, so that one is written for another ("seperate", "kivi")."""


def is_slip(typed: str, word: str) -> bool:
    """Whether a hand that meant `word` may have typed `typed`: letters swapped, left out, doubled, or one mistaken.

    A letter is mistaken for one on a key beside it or of a similar sound. So "flaskel", "pyramint" and "faust" are other words
    than "flask", "pyramid" and "fast". Both words have two letters or more.
    """
    edits = OSA.distance(typed, word)
    if edits == 0:
        return True
    if typed == word[1:]:
        return len(word) >= FIRST_LETTER_LENGTH
    if typed[0] != word[0] and sorted(typed[:2]) != sorted(word[:2]):
        return False
    brought_in = _letters_brought_in(typed, word)
    if edits == 1:
        return not brought_in or _is_mistaken(typed, word)
    return edits == 2 and brought_in <= (len(word) >= LONG) and (not brought_in or typed[-1] == word[-1])


def _letters_brought_in(typed: str, word: str) -> int:
    """Letters of `typed` that `word` lacks; one that only doubles a letter of it isn't counted."""
    doubled = {first for first, second in pairwise(typed) if first == second and first in word}
    return sum(count for letter, count in (Counter(typed) - Counter(word)).items() if letter not in doubled)


def _is_mistaken(typed: str, word: str) -> bool:
    """Whether the one letter of `typed` that `word` lacks stands for a similar one, or was hit along with the one beside it."""
    place = next(n for n, letter in enumerate(typed) if letter != word[n : n + 1])
    if len(typed) == len(word):
        return are_near(typed[place], word[place]) or any(
            {typed[place], word[place]} <= set(sound) for sound in _SOUNDS
        )
    return place + 1 < len(typed) and any(are_near(typed[place], beside) for beside in typed[place - 1 : place + 2 : 2])


def are_near(first: str, second: str) -> bool:
    """Whether two keys touch, or are one."""
    if first not in _KEYS or second not in _KEYS:
        return first == second
    (row, column), (other_row, other_column) = _KEYS[first], _KEYS[second]
    return abs(row - other_row) <= 1 and abs(column - other_column) <= 1
