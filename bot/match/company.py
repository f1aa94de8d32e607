"""Company: whether a name that is an ordinary word too ("celery", "pyramid") is meant as a name.

A word is technical as far as this pack uses it more than plain English does. A name in technical company, or alone, is meant
as one; among words from elsewhere it isn't.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

from bot.match.english import RARE, english
from bot.match.frames import SLIGHT
from bot.match.names import Mention, in_a_names_place
from bot.match.reading import Reading
from bot.text import stem, words

TECHNICAL = 1.0
"""log10 of how much more often the pack says a word than English does, from which it is technical: ten times."""
AT_HOME = 0.5
"""How much a question's words must be from the pack's field, so that a name among them is meant whatever they are."""
COMMON_HERE = 3
"""Targets whose phrasings must have a word before its share says anything."""


class Company:
    """A pack's technical words, counted against plain English when a name first asks for them."""

    def __init__(self, phrasings: Callable[[], Sequence[tuple[str, int]]], cards: Mapping[int, str]) -> None:
        """`phrasings` gives them with the numbers of their targets; `cards`: ids of those targets that are entries."""
        self._phrasings = phrasings
        self._cards = cards

    @property
    def technical(self) -> frozenset[str]:
        """Stems of the words that this pack uses far more than English does."""
        return self._counted[0]

    @property
    def of_card(self) -> Mapping[str, frozenset[str]]:
        """By entry: stems of the words that its phrasings have."""
        return self._counted[1]

    @cached_property
    def _counted(self) -> tuple[frozenset[str], Mapping[str, frozenset[str]]]:
        count: Counter[str] = Counter()
        spread: dict[str, set[int]] = {}
        rarity: dict[str, float] = {}
        plain = english()
        for text, target in self._phrasings():
            for word in set(words(text)) - SLIGHT:
                family = stem(word)
                count[family] += 1
                spread.setdefault(family, set()).add(target)
                rarity[family] = min(rarity.get(family, RARE), plain.stem_rarity_of(word))
        total = sum(count.values()) or 1
        technical = frozenset(
            family
            for family, n in count.items()
            if len(spread[family]) >= COMMON_HERE and math.log10(n / total) + rarity[family] >= TECHNICAL
        )
        of_card: dict[str, set[str]] = {name: set() for name in self._cards.values()}
        for family, targets in spread.items():
            for target in targets & self._cards.keys():
                of_card[self._cards[target]].add(family)
        return technical, {name: frozenset(stems) for name, stems in of_card.items()}

    def meant_as_name(self, reading: Reading, mention: Mention) -> bool:
        """Whether this mention is a name here."""
        rest = [
            token
            for at, token in enumerate(reading.tokens)
            if not mention.start <= at < mention.end and token not in SLIGHT
        ]
        if not rest or any(m is not mention and _is_name(reading, m) for m in reading.mentions):
            return True
        if reading.frame.defines and _ends_a_phrase(reading, mention):
            return True
        told = self.of_card[mention.name.about]
        read_as = dict(reading.ranking.corrections)
        stems = [stem(read_as.get(token, token)) for token in rest]
        company = sum(word in self.technical or word in told for word in stems)
        if self.technical.issuperset(stems):
            return True
        if reading.ranking.stranger > reading.ranking.likeness:
            return False
        if not mention.name.ordinary or mention.slips or _is_capitalised(reading, mention):
            return True
        return company >= len(rest) - company or reading.belonging >= AT_HOME


def _is_name(reading: Reading, mention: Mention) -> bool:
    """Whether it tells of a name's company: one of the pack's, or a stranger's that is no ordinary word here ("may it go in")."""
    ordinary = mention.name.standing == "stranger" and mention.name.ordinary
    return not ordinary or in_a_names_place(reading.tokens, mention)


def _is_capitalised(reading: Reading, mention: Mention) -> bool:
    """Whether the name is written as one, inside a sentence that is otherwise in small letters."""
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


def _ends_a_phrase(reading: Reading, mention: Mention) -> bool:
    """Whether nothing but small words follows at once: "what is celery" and not "what is celery soup"."""
    return mention.end == len(reading.tokens) or reading.tokens[mention.end] in SLIGHT
