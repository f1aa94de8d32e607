"""Said: a message's words without courtesies and slips, for all that only means something after something else.

Plain English, the same for every pack.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from rapidfuzz import process
from rapidfuzz.distance import OSA

from bot.match.aspects import ASPECT
from bot.match.english import FUNCTION_WORDS, english
from bot.match.frames import SLIGHT

ORDINALS = {
    word: number
    for number, names in enumerate(
        ("first 1st", "second 2nd", "third 3rd", "fourth 4th", "fifth 5th", "sixth 6th", "seventh 7th", "eighth 8th",
         "ninth 9th", "tenth 10th", "eleventh 11th", "twelfth 12th"),
        1,
    )
    for word in names.split()
} | {f"{number}{'st' if number == 21 else 'nd' if number == 22 else 'rd' if number == 23 else 'th'}": number
     for number in range(13, 26)}  # fmt: skip
CARDINALS = {
    **{word: number for number, word in enumerate("one two three four five six seven eight nine ten".split(), 1)},
    **{str(number): number for number in range(1, 26)},
}

CUES = frozenset(
    """last latter former middle other others another next previous prev before after afterwards back continue forward
    following top compare compares compared comparing comparison difference differences differ versus better best both
    neither none all list lists whole full entire everything every overview complete again repeat alternative alternatives
    else similar instead option options choice choices which step steps number nr num beginner beginners easier easiest simpler
    simplest faster fastest lighter quicker recommend suggest pick choose take prefer favourite favorite popular elaborate
    further more details detail tell explain meant said asked wrong nope library lib package framework module tool card topic
    skip jump move return side couple pair restart over reset forget why reason come show open name give go on keep
    thing item""".split()
)
"""Words that lead from one answer to the next."""
SMALL = SLIGHT | ASPECT | CUES | FUNCTION_WORDS | ORDINALS.keys() | CARDINALS.keys()
"""Words of a message that says nothing by itself."""

PLURALS = frozenset("libraries libs frameworks tools packages modules".split())
"""Words that ask for a list of their own, and are no slips of the singular."""

_MEANT = sorted(
    word
    for word in {*CUES, *ORDINALS, *ASPECT, "the", "then", "what", "whats", "they", "them", "about"}
    if len(word) > 2
)
_LONGEST_SLIP = max(map(len, _MEANT)) + 1
MOST_REMEMBERED = 4_096
"""Words that English doesn't have, of which it is remembered what they mean here; in memory only."""
MOST_SAID = 100
"""Words of a message beyond which it is taken as it stands: courtesies don't matter in a long one."""
ONE_SLIP, TWO_SLIPS = 4, 7
"""Letters from which so many slips are forgiven; of three letters two may be swapped, or a fourth be missing."""

WORDS_TOO = {"tel": "tell", "fist": "first", "tow": "two", "las": "last", "nest": "next"}
"""Slips that are English words as well, so that the rule for slips leaves them alone."""

_COURTESIES = (
    "okay|okey|ok|k|oh|ah|aha|hm+|um+|uh|well|right|alright|all right|cool|nice one|nice|great|fine|perfect|awesome|lovely|"
    "super|wow|brilliant|excellent|interesting|sure|hey|hi|hello|good morning|good afternoon|good evening|thanks a lot|"
    "thanks a bunch|thanks so much|many thanks|thank you very much|thank you so much|thank you|thank u|thanks|thx a lot|"
    "thx a bunch|thx|ty|cheers|sorry|actually|i see|got it|gotcha|makes sense|understood|good to know|please|pls|plz|lol|"
    "can you|could you|would you please|will you|can u|could u|do me a favour and|i want to see|i want to know|i wanna see|"
    "i wanna know|i would like to see|i would like to know|id like to see|id like to know|let me see|done|finished|for me|"
    "bro|mate|guys|maybe|just|quickly|now|btw|by the way"
)
_THEM = re.compile(r"(?<!\ban )(?<!\bthe )\bem\b")
"""How "them" is spoken ("which of 'em"); "an em" is something else."""
_LEAD = re.compile(rf"^(?:(?:{_COURTESIES}) )+")
_INNER = re.compile(rf"^((?:and|but|so|then) )(?:(?:{_COURTESIES}) )+")
_TAIL = re.compile(rf"(?: (?:{_COURTESIES}|though|mate|bye))+$")


def said(tokens: Sequence[str], kept: Sequence[bool]) -> str:
    """The words of a message as they are meant, courtesies around them left out. `kept`: words to leave as they are."""
    if len(tokens) > MOST_SAID:
        return " ".join(tokens)
    meant = " ".join(word if keep else _meant(word) for word, keep in zip(tokens, kept, strict=True))
    meant = _THEM.sub("them", meant)
    while (shorter := _INNER.sub(r"\1", _LEAD.sub("", f"{meant} ")).strip()) != meant:
        meant = shorter
    return _TAIL.sub("", f" {meant}").strip()


def is_slip(word: str) -> bool:
    """Whether a word is read as another one here."""
    return _meant(word) != word


def _meant(word: str) -> str:
    """A follow-up's word in place of one that is nearly it and no English word."""
    if word in WORDS_TOO:
        return WORDS_TOO[word]
    if word in SMALL or word in PLURALS or not 3 <= len(word) <= _LONGEST_SLIP or not word.isalpha():
        return word
    return word if word in english().rows else _corrected(word)


@lru_cache(maxsize=MOST_REMEMBERED)
def _corrected(word: str) -> str:
    slips = 2 if len(word) >= TWO_SLIPS else 1
    hits = process.extract(word, _MEANT, scorer=OSA.distance, score_cutoff=slips, limit=6)
    near = [
        (count, other)
        for other, count, _ in hits
        if abs(len(other) - len(word)) <= 1 and (other[0] == word[0] or (count == 1 and len(word) > ONE_SLIP))
    ]
    if len(word) < ONE_SLIP:
        near = [
            (count, o) for count, o in near if sorted(o) == sorted(word) or (len(o) > len(word) and o[0] == word[0])
        ]
    return min(near, key=lambda hit: (hit[0], hit[1] not in CUES, hit[1]))[1] if near else word
