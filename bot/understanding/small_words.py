"""Slips in small words: "wahts", "explian", "hwo do i" are read as the function, question or comparison word that was meant.

Names, question types and follow-ups are told by such words, and the index's own spelling correction comes too late for them.
Only what is no word at all is changed: no English word, no name, and nothing that the pack writes itself.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from copy import copy
from functools import cache

from rapidfuzz.distance import OSA

from bot.model import Correction, Entry, Knowledge, Library
from bot.retrieval.english import FUNCTION_WORDS, WordCache, english
from bot.text import words
from bot.understanding.cues import LINKING_WORDS, ORDINALS
from bot.understanding.names import Names
from bot.understanding.question_type import ANSWER_NOUNS, COMPARISON_WORDS, QUESTION_STARTS, STOPWORDS
from bot.understanding.slips import are_near

SHORTEST_SWAP = 3
"""Letters of a word in which two neighbours may be swapped ("teh"); for those of two letters there is SWAPPED_PAIRS."""
SHORTEST_MEANT = 4
"""Letters of the meant word, from which one may be missing, doubled or elsewhere; shorter words are a slip from everything."""
SHORT = 5
"""Letters of a typed word below which only a question's own words (_TELLING) may lack one: "wich"; but Bing isn't "being"."""
SHORTEST_OTHER_LETTER = 5
"""Letters of a typed word from which one may be a key beside the right one, alone or with it: "whixh", "whicvh"."""

SWAPPED_PAIRS = {
    "si": "is",
    "fo": "of",
    "ot": "to",
    "ni": "in",
    "ti": "it",
    "ro": "or",
    "ym": "my",
    "od": "do",
    "eb": "be",
}
"""Words of two letters with their letters swapped. Left out is what is often meant as typed: os, us, ta, ma, na, fi, em, di."""
SHORTEST_CONTEXT = 3
"""Words of a message from which SWAPPED_PAIRS and MISUSED apply."""

MISUSED = {"dose": "does"}
"""English words that are more often slips where a question begins with them and a word of BEGINNINGS or a name follows."""
BEGINNINGS = frozenset("it this that these those the a an my your our he she anyone anybody".split())

_REPEATED = re.compile(r"(.)\1{2,}")
_TELLING = QUESTION_STARTS | frozenset("with from this that have about there their then than just tell".split())
_VOWELS = frozenset("aeiouy")
_MEANT_AS_TYPED = frozenset(["aws"])
"""Names that anybody may ask about and that are one swap from a small word."""
_NOT_MEANT = frozenset(
    """aren couldn didn doesn don hadn hasn haven isn shan shouldn wasn weren wouldn ll re ve ur wat wats wot eli5 noob
    vs v u r y n w""".split()
)
"""Fragments and chat forms among the small words: nobody who slips meant these."""
_CONTRACTIONS = frozenset(word for word in FUNCTION_WORDS if word.endswith("nt")) | frozenset(
    "heres theres whens hows".split()
)
"""Contractions without their apostrophe, read only where two letters are swapped: to "haunt" is no slip of "hasnt"."""


@cache
def small_words() -> frozenset[str]:
    """The words that a slip is read as."""
    listed = FUNCTION_WORDS | STOPWORDS | QUESTION_STARTS | COMPARISON_WORDS | ANSWER_NOUNS
    return frozenset(word for word in listed - _NOT_MEANT if len(word) >= SHORTEST_SWAP)


@cache
def _by_start() -> dict[tuple[str, int], list[str]]:
    """By first letter and length: the small words and those of follow-ups, the commonest first."""
    result = defaultdict[tuple[str, int], list[str]](list)
    listed = small_words() | LINKING_WORDS | ORDINALS.keys()
    for word in sorted(listed, key=lambda word: (english().rarity_of(word), word)):
        result[word[0], len(word)].append(word)
    return dict(result)


class SmallWords:
    """Corrects slips in small words, in questions about one pack.

    Args:
        knowledge: The pack.
        names: Its names.
    """

    def __init__(self, knowledge: Knowledge, names: Names) -> None:
        self._knowledge = knowledge
        self._names = names
        self._cache: WordCache[str] = WordCache()
        self._own_words: frozenset[str] | None = None
        self._edited_words = frozenset[str]()

    def with_entries(self, entries: Iterable[Entry]) -> SmallWords:
        """The same for a pack with more topics: their words are no slips. All else is shared."""
        edited = copy(self)
        texts = (text for entry in entries for text in (entry.title, entry.plain_answer, *entry.names))
        edited._edited_words = frozenset(word for text in texts for word in words(text))
        return edited

    def correct(
        self, tokens: Sequence[str], is_kept: Callable[[str], bool]
    ) -> tuple[tuple[str, ...], tuple[Correction, ...]]:
        """The words of a message with slips in small words corrected, and what was corrected.

        Args:
            tokens: The words as typed.
            is_kept: Whether a word stays as it is.
        """
        result, corrections = list(tokens), list[Correction]()
        for position, word in enumerate(tokens):
            meant = word if is_kept(word) else self._meant(word, tokens, position)
            if meant != word:
                result[position] = meant
                corrections.append(Correction(word, meant))
        return tuple(result), tuple(corrections)

    def _meant(self, word: str, tokens: Sequence[str], position: int) -> str:
        if (shortened := _REPEATED.sub(r"\1", word)) in small_words():  # "hiii", "sooo"
            return shortened
        if word in small_words() or word in _MEANT_AS_TYPED or not (word.isascii() and word.isalpha()):
            return word
        if word in self._edited_words:
            return word
        if word in english():
            return MISUSED[word] if word in MISUSED and self._begins_question(tokens, position) else word
        if len(word) < SHORTEST_SWAP:
            meant = SWAPPED_PAIRS.get(word, word) if len(tokens) >= SHORTEST_CONTEXT else word
            return word if meant == word or word in self._own() else meant
        return self._cache.get(word, self._nearest)

    def _begins_question(self, tokens: Sequence[str], position: int) -> bool:
        following = tokens[position + 1] if position + 1 < len(tokens) else ""
        is_subject = following in BEGINNINGS or following in self._names.by_joined
        return position == 0 and is_subject and len(tokens) >= SHORTEST_CONTEXT and tokens[position] not in self._own()

    def _nearest(self, word: str) -> str:
        """The small word that a word is one slip from, the likeliest slip first.

        The word itself if there is none, or if a follow-up's word ("last", not "list") is as likely: `cues` decides about these.
        """
        size, by_start = len(word), _by_start()
        starts = [(word[0], size - 1), (word[0], size), (word[0], size + 1)]
        starts += [(word[1], size)] if word[1] != word[0] else []
        near = (meant for start in starts for meant in by_start.get(start, ()))
        slips = [(slip, meant) for meant in near if (slip := _slip(word, meant))]
        if not slips or word in self._own():
            return word
        ranked = [((slip, meant[0] != word[0]), meant) for slip, meant in slips]
        likeliest = [meant for rank, meant in ranked if rank == min(ranked)[0]]
        return likeliest[0] if small_words().issuperset(likeliest) else word

    def _own(self) -> frozenset[str]:
        """The words of names and of what the pack itself writes; of phrasings none, because these have slips too."""
        if self._own_words is None:
            self._own_words = frozenset(
                word for text in _own_texts(self._knowledge, self._names) for word in words(text)
            )
        return self._own_words


def _slip(typed: str, meant: str) -> int:
    """1: two neighbouring letters are swapped; 2: one is missing, doubled or elsewhere; 3: one is another; 0: no such slip."""
    same_start = typed[0] == meant[0]
    difference = len(meant) - len(typed)
    if not difference and sorted(typed) == sorted(meant):
        edits = OSA.distance(typed, meant)
        return 1 if edits == 1 else 2 if edits == 2 and same_start and len(typed) >= SHORTEST_MEANT else 0
    if len(meant) < SHORTEST_MEANT or not same_start or OSA.distance(typed, meant, score_cutoff=1) != 1:
        return 0
    if meant in _CONTRACTIONS:
        return 0
    place = next(
        (number for number, (one, other) in enumerate(zip(typed, meant, strict=False)) if one != other),
        min(len(typed), len(meant)),
    )
    if difference == 1:
        is_likely = meant in _TELLING or meant not in small_words()
        is_certain = len(typed) >= SHORTEST_MEANT or _VOWELS.isdisjoint(typed)
        return 2 if len(typed) >= SHORT or (is_likely and is_certain) else 0
    if difference == -1 and typed[place] == typed[place - 1]:
        return 2
    if len(typed) < SHORTEST_OTHER_LETTER:
        return 0
    beside = (meant[place],) if not difference else (typed[place - 1], *typed[place + 1 : place + 2])
    return 3 if any(are_near(typed[place], key) for key in beside) else 0


def _own_texts(knowledge: Knowledge, names: Names) -> list[str]:
    texts = [name.shown for name in names.by_joined.values()]
    for entry in knowledge.entries:
        texts += [entry.title, entry.plain_answer, *entry.names]
        if isinstance(entry, Library):
            texts += [*entry.aliases, entry.what, entry.summary, *entry.good_for]
    for group in knowledge.groups:
        texts += [group.title, group.label, *group.words]
    for canonical, variants in knowledge.synonyms.items():
        texts += [canonical, *variants]
    return [*texts, *knowledge.subject, *knowledge.out_of_scope.names, *knowledge.out_of_scope.ordinary_names]
