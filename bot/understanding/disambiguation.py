"""Whether a name that is an ordinary word too ("celery", "pyramid") is meant as a name, told by the words around it.

A word is technical as far as this pack uses it more than plain English does. A name among technical words, or alone, is meant as
a name; among words from elsewhere it isn't.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property

from bot.retrieval.english import UNKNOWN_RARITY, english
from bot.text import stem, words
from bot.understanding.attributes import ATTRIBUTE_WORDS, CUE_WORDS, SOFTWARE_WORDS
from bot.understanding.names import Mention, is_in_name_position
from bot.understanding.question_type import ANSWER_NOUNS, COMPARISON_WORDS, KIND_NOUNS, STOPWORDS
from bot.understanding.reading import Reading

TECHNICAL_RATIO = 1.0
"""log10 of how much more often the pack says a word than English does, from which it is technical: ten times."""
IN_DOMAIN = 0.3
"""Domain score of a question from which a name in it is meant as one whatever the words around it."""
MIN_TARGETS = 3
"""Targets whose phrasings must have a word before its frequency is taken into account."""


_MERITS_AND_USES = frozenset(
    """downside downsides drawback drawbacks advantage advantages disadvantage disadvantages benefits
    build create develop run""".split()
)
NEUTRAL_WORDS = STOPWORDS | ATTRIBUTE_WORDS | CUE_WORDS | _MERITS_AND_USES
"""Words that are said of everything, so that they don't tell whether a name is meant: "is flask free", "is celery dead"."""


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

    @cached_property
    def _targets_by_word(self) -> Mapping[str, frozenset[int]]:
        """By word, as it is written: the targets whose phrasings have it."""
        targets: dict[str, set[int]] = {}
        for text, target in self._phrasings():
            for word in words(text):
                targets.setdefault(word, set()).add(target)
        return {word: frozenset(numbers) for word, numbers in targets.items()}

    def prepare(self) -> None:
        """Count now what would otherwise be counted when a question first needs it."""
        self._counted  # noqa: B018  a cached property
        self._targets_by_word  # noqa: B018  another

    def is_plain_noun(self, reading: Reading, mention: Mention) -> bool:
        """Whether a name is the plural of a noun that the pack uses: behind "several", or beside another card's name.

        "Does Django support databases" asks nothing about the library. It is a name where it is compared ("Databases or
        SQLAlchemy"), is one thing ("does Databases work ...") or is said to be one ("the Databases library").
        """
        name, tokens = mention.name.joined, reading.tokens
        if not mention.name.is_ordinary or mention.edits or mention.name.token_count > 1 or name[-1:] != "s":
            return False
        if len(self._targets_by_word.get(name[:-1], ())) < MIN_TARGETS:
            return False
        others = [m for m in reading.mentions_of("card") if m.name.about != mention.name.about]
        before = tokens[mention.start - 1] if mention.start else ""
        after = tokens[mention.end] if mention.end < len(tokens) else ""
        if after in KIND_NOUNS or before in _ONE_THING or before in KIND_NOUNS:
            return False
        is_compared = not COMPARISON_WORDS.isdisjoint(tokens) or "and" in (before, after)
        is_wanted = before == "for" and tokens[mention.start - 2] in KIND_NOUNS | ANSWER_NOUNS | _SOMETHING
        return before in _SEVERAL or is_wanted or (bool(others) and not is_compared)

    def as_names(self, reading: Reading) -> Reading:
        """A message of a conversation about cards: there a card's name is one, however ordinary, but for a plain noun."""
        mentions = tuple(
            mention
            if mention.name.kind != "card" or self.is_plain_noun(reading, mention)
            else replace(mention, name=replace(mention.name, is_ordinary=False))
            for mention in reading.mentions
        )
        return replace(reading, mentions=mentions) if mentions != reading.mentions else reading

    def is_name(self, reading: Reading, mention: Mention) -> bool:
        """Whether a mention of a card's name in a reading is meant as a name."""
        if self.is_plain_noun(reading, mention):
            return False
        neutral = STOPWORDS if _has_indefinite_article(reading, mention) else NEUTRAL_WORDS | SOFTWARE_WORDS
        others = [
            token
            for position, token in enumerate(reading.tokens)
            if not mention.start <= position < mention.end and token not in neutral
        ]
        if not others or any(other is not mention and _is_evident(reading, other) for other in reading.mentions):
            return True
        if reading.question_type.defines and _ends_phrase(reading, mention):
            return True
        if reading.language:  # an ordinary English word in another language is a name
            return True
        card_stems = self.stems_by_card[mention.name.about]
        read_as = dict(reading.ranking.corrections)
        stems = [stem(read_as.get(token, token)) for token in others]
        related = sum(key in self.technical_stems or key in card_stems for key in stems)
        if self.technical_stems.issuperset(stems):
            return True
        if reading.ranking.out_of_scope_similarity > reading.ranking.similarity:
            return False
        if not mention.name.is_ordinary or mention.edits:
            return True
        return related >= len(others) - related or reading.domain_score >= IN_DOMAIN


_ONE_THING = frozenset("is does has was isnt doesnt called named".split())
"""Words before a name in the singular, however it is written."""
_SOMETHING = frozenset("something anything one libs stuff".split())
_SEVERAL = frozenset(
    """several many multiple two three four five some any all more most different other various which what these those such
    few both large big small relational external legacy remote old new existing""".split()
)
"""Words that stand before a plural noun, and not before a name."""


def _is_evident(reading: Reading, mention: Mention) -> bool:
    """Whether another mention is a name for certain, and no ordinary word that is the name of something out of scope ("go")."""
    is_doubtful = mention.name.kind == "out_of_scope" and mention.name.is_ordinary
    return not is_doubtful or is_in_name_position(reading.tokens, mention)


def _has_indefinite_article(reading: Reading, mention: Mention) -> bool:
    """Whether "a" or "an" stands right before it, as before no name: "how fast is a tornado"."""
    return mention.start > 0 and reading.tokens[mention.start - 1] in ("a", "an")


def _ends_phrase(reading: Reading, mention: Mention) -> bool:
    """Whether a stopword or nothing follows: "what is celery" and not "what is celery soup"."""
    return mention.end == len(reading.tokens) or reading.tokens[mention.end] in STOPWORDS
