"""A few phrasings that no index has, found also by a question with the same telling words: but for slips, order and small words.

For a workspace's edits over a pack that many share. An index finds more (other words for the same), and costs a thousand times as
much memory.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from sys import intern

from rapidfuzz.distance import OSA

from bot.model import Correction
from bot.retrieval.english import english
from bot.retrieval.spelling import max_edits
from bot.text import stem, words
from bot.understanding.opposites import asks_opposite, terms
from bot.understanding.question_type import STOPWORDS
from bot.understanding.slips import is_slip

MIN_SHARED = 0.8
"""Share of the information of both texts' telling words that they must have in common; `python -m benchmarks.workspaces --near`
measures it."""
MIN_TERMS = 2
"""Telling words from which a phrasing is found in a conversation, and whatever is asked of it ("what is", "where is")."""
COMMON_RARITY, MIN_INFORMATION = 2.0, 0.2
"""-log10 of the share of the commonest words, which is subtracted from a word's rarity, and the least information."""
_DENIALS = frozenset(
    """not no never without cant cannot dont doesnt didnt isnt arent wasnt werent wont wouldnt shouldnt couldnt hasnt havent
    hadnt""".split()
)
_ASKING = frozenset("who whom whos where when why how what whats which".split())
_SPECIFIC = frozenset("who whom whos where when why".split())
_AS_ASKED = {"whom": "who", "whos": "who", "whats": "what"}


@dataclass(frozen=True, slots=True)
class _Phrasing:
    """A text by its telling words."""

    stems: frozenset[str]
    asking: frozenset[str]
    is_denied: bool


class NearPhrasings:
    """The phrasings of a workspace's edits.

    Args:
        texts: The phrasings, cleaned.
        is_known: Whether a word is the pack's or English, so that it is no slip of one of the phrasings'.
    """

    def __init__(self, texts: Iterable[str], is_known: Callable[[str], bool]) -> None:
        self._is_known = is_known
        self._texts = tuple(dict.fromkeys(texts))
        typed = [words(text) for text in self._texts]
        self._words = tuple({intern(word) for tokens in typed for word in tokens if word not in STOPWORDS})
        stems = [_phrasing(tokens).stems for tokens in typed]
        numbers = {stem: tuple(n for n, own in enumerate(stems) if stem in own) for stem in frozenset().union(*stems)}
        self._by_stem: dict[str, tuple[int, ...]] = numbers
        """Numbers and tuples, no sets: what thousands of workspaces have of it, the garbage collector needn't walk through."""
        self._sizes = tuple(map(len, stems))

    def find(self, tokens: Sequence[str], in_conversation: bool) -> tuple[list[str], tuple[Correction, ...], float]:
        """The phrasings that a question is near to, the nearest only; several if they are as near.

        Args:
            tokens: The question's words.
            in_conversation: Whether something was shown before, which a question of one telling word may be about.

        Returns:
            The phrasings, what was read as another word, and the share of information in common.
        """
        read_as = {token: meant for token in tokens if (meant := self._meant(token)) != token}
        read = [read_as.get(token, token) for token in tokens]
        asked = _phrasing(read)
        best, nearest = MIN_SHARED, list[str]()
        for number in self._candidates(asked):
            text = self._texts[number]
            phrasing = _phrasing(words(text))
            if not _asks_the_same(asked, phrasing, in_conversation):
                continue
            value = _information(phrasing.stems & asked.stems) / _information(phrasing.stems | asked.stems)
            if value < best or asks_opposite(read, (terms(words(text)),)):
                continue
            nearest = [*nearest, text] if value == best else [text]
            best = value
        return nearest, tuple(Correction(typed, meant) for typed, meant in read_as.items()) if nearest else (), best

    def _candidates(self, asked: _Phrasing) -> list[int]:
        """The phrasings that have all telling words of a question, or whose own it has all.

        Where one telling word stands for another, the question is about something else, however long the rest is.
        """
        shared = Counter(number for stem in asked.stems for number in self._by_stem.get(stem, ()))
        return sorted(n for n, count in shared.items() if count in (len(asked.stems), self._sizes[n]))

    def _meant(self, token: str) -> str:
        """The word of the phrasings that a word is a slip of; the word itself where there is none."""
        if token in STOPWORDS or token in self._words or self._is_known(token) or not (allowed := max_edits(token)):
            return token
        near = ((OSA.distance(token, word, score_cutoff=allowed), word) for word in self._words if len(word) > 1)
        slips = [(edits, word) for edits, word in near if edits <= allowed and is_slip(token, word)]
        return min(slips)[1] if slips else token


def _phrasing(tokens: Sequence[str]) -> _Phrasing:
    telling = frozenset(intern(stem(word)) for word in tokens if word not in STOPWORDS and word not in _DENIALS)
    joined = frozenset(term for term in terms(tokens) if "+" in term)
    asking = frozenset(_AS_ASKED.get(word, word) for word in tokens if word in _ASKING)
    return _Phrasing(telling | joined, asking, not _DENIALS.isdisjoint(tokens))


def _asks_the_same(asked: _Phrasing, phrasing: _Phrasing, in_conversation: bool) -> bool:
    """Whether two texts don't ask for different things: "who is" and "where is"."""
    if asked.is_denied != phrasing.is_denied:
        return False
    if len(phrasing.stems) < MIN_TERMS:
        return not in_conversation and (asked.asking == phrasing.asking or not asked.asking or not phrasing.asking)
    specific, other = asked.asking & _SPECIFIC, phrasing.asking & _SPECIFIC
    return specific == other or not asked.asking or not phrasing.asking


def _information(stems: Iterable[str]) -> float:
    return sum(max(english().stem_rarity_of(word) - COMMON_RARITY, MIN_INFORMATION) for word in stems)
