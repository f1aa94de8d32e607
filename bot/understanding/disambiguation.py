"""Whether a name that is an ordinary word too ("celery", "pyramid") is meant as a name, told by the words around it.

A word is technical as far as this pack uses it more than plain English does. A name among technical words, or alone, is meant as
a name; among words from elsewhere it isn't.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

from bot.retrieval.english import UNKNOWN_RARITY, english
from bot.text import stem, words
from bot.understanding.names import Mention, is_in_name_position
from bot.understanding.question_type import STOPWORDS
from bot.understanding.reading import Reading

TECHNICAL_RATIO = 1.0
"""log10 of how much more often the pack says a word than English does, from which it is technical: ten times."""
IN_DOMAIN = 0.3
"""Domain score of a question from which a name in it is meant as one whatever the words around it."""
MIN_TARGETS = 3
"""Targets whose phrasings must have a word before its frequency is taken into account."""


class NameDisambiguator:
    """A pack's technical words, counted when a question first needs them.

    Args:
        phrasings: Returns the pack's phrasings with the numbers of their targets.
        cards: Ids of those targets that are entries, by number.
    """

    def __init__(self, phrasings: Callable[[], Sequence[tuple[str, int]]], cards: Mapping[int, str]) -> None:
        self._phrasings = phrasings
        self._cards = cards

    @property
    def technical_stems(self) -> frozenset[str]:
        """Stems that this pack uses far more often than English does."""
        return self._counted[0]

    @property
    def stems_by_card(self) -> Mapping[str, frozenset[str]]:
        """By entry id: stems of its phrasings."""
        return self._counted[1]

    @cached_property
    def _counted(self) -> tuple[frozenset[str], Mapping[str, frozenset[str]]]:
        counts: Counter[str] = Counter()
        targets: dict[str, set[int]] = {}
        rarity: dict[str, float] = {}
        english_words = english()
        for text, target in self._phrasings():
            for word in set(words(text)) - STOPWORDS:
                key = stem(word)
                counts[key] += 1
                targets.setdefault(key, set()).add(target)
                rarity[key] = min(rarity.get(key, UNKNOWN_RARITY), english_words.stem_rarity_of(word))
        total = sum(counts.values()) or 1
        technical = frozenset(
            key
            for key, count in counts.items()
            if len(targets[key]) >= MIN_TARGETS and math.log10(count / total) + rarity[key] >= TECHNICAL_RATIO
        )
        by_card: dict[str, set[str]] = {card: set() for card in self._cards.values()}
        for key, numbers in targets.items():
            for target in numbers & self._cards.keys():
                by_card[self._cards[target]].add(key)
        return technical, {card: frozenset(stems) for card, stems in by_card.items()}

    def is_name(self, reading: Reading, mention: Mention) -> bool:
        """Whether a mention of a card's name in a reading is meant as a name."""
        others = [
            token
            for position, token in enumerate(reading.tokens)
            if not mention.start <= position < mention.end and token not in STOPWORDS
        ]
        if not others or any(other is not mention and _is_evident(reading, other) for other in reading.mentions):
            return True
        if reading.question_type.defines and _ends_phrase(reading, mention):
            return True
        card_stems = self.stems_by_card[mention.name.about]
        read_as = dict(reading.ranking.corrections)
        stems = [stem(read_as.get(token, token)) for token in others]
        related = sum(key in self.technical_stems or key in card_stems for key in stems)
        if self.technical_stems.issuperset(stems):
            return True
        if reading.ranking.out_of_scope_similarity > reading.ranking.similarity:
            return False
        if not mention.name.is_ordinary or mention.edits or _is_capitalised(reading, mention):
            return True
        return related >= len(others) - related or reading.domain_score >= IN_DOMAIN


def _is_evident(reading: Reading, mention: Mention) -> bool:
    """Whether another mention is a name for certain, and no ordinary word that is the name of something out of scope ("go")."""
    is_doubtful = mention.name.kind == "out_of_scope" and mention.name.is_ordinary
    return not is_doubtful or is_in_name_position(reading.tokens, mention)


def _is_capitalised(reading: Reading, mention: Mention) -> bool:
    """Whether the name begins with a capital inside a sentence that is otherwise lower-case."""
    typed = reading.text.split()
    if (
        len(typed) < len(reading.tokens)
        or mention.start == 0
        or sum(word[:1].isupper() for word in typed if word[:2].strip("'") != "I") > 2
    ):
        return False
    return any(
        word.strip("`'\"*_(),.?!:;").istitle() and words(word) == [reading.tokens[mention.start]] for word in typed[1:]
    )


def _ends_phrase(reading: Reading, mention: Mention) -> bool:
    """Whether a stopword or nothing follows: "what is celery" and not "what is celery soup"."""
    return mention.end == len(reading.tokens) or reading.tokens[mention.end] in STOPWORDS
