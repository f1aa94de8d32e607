"""From a cleaned text to a question in the index's terms: words as the pack has them, their keys and their direction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bot.match.budget import UNLIMITED, Budget
from bot.match.features import FIRST_STEM, NOTHING, question_grams, question_sequences
from bot.match.profiles import Bag, bag
from bot.match.resolve import Resolver, Token
from bot.match.sparse import Floats, Ints
from bot.match.wordtable import WordTable
from bot.text import stem, words

LEAST_INFORMATION, MOST_INFORMATION = 0.2, 6.0
"""Bounds of what one word tells, in powers of ten of its rarity beyond the commonest hundred."""

MANY_SLIPS = 4
"""Slips from which a question is doubted, where they are more than twice as many as its right words."""

Synonyms = Mapping[str, tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]]
"""By first word: words in a row, the longest first, and the words that stand for them in this pack."""


@dataclass(frozen=True, slots=True)
class Question:
    """What the index compares."""

    tokens: tuple[Token, ...]
    stems: Ints
    """By token; NOTHING where the pack doesn't have it."""
    trust: Floats
    information: Floats
    """By token: how much a word tells, from plain English's frequencies; none for the pack's subject."""
    grams: Bag
    sequences: Bag
    direction: Floats


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads texts by a pack's words and synonyms, and English."""

    resolver: Resolver
    numbers: Mapping[str, int]
    """Number of each stem of the pack."""
    synonyms: Synonyms
    subject: frozenset[str]
    """Stems of the pack's subject."""
    table: WordTable

    def read(self, text: str) -> Question:
        """A question from a cleaned text."""
        return self.read_words(words(text))

    def read_words(self, typed: Sequence[str], budget: Budget = UNLIMITED) -> Question:
        """A question from the words of a text."""
        resolver, as_typed = self.resolver, budget.as_typed
        tokens = [resolver.read_as_typed(word) if word in as_typed else resolver.read(word) for word in typed]
        return self.question(plausible(tokens))

    def question(self, tokens: Sequence[Token]) -> Question:
        """A question from words that are resolved already."""
        tokens = canonical(tokens, self.synonyms)
        stems = [self.numbers.get(stem(token.word), NOTHING) if token.known else NOTHING for token in tokens]
        spoken = [token.word for token in tokens]
        return Question(
            tokens=tuple(tokens),
            stems=np.array(stems, dtype=np.int64),
            trust=np.array([token.trust for token in tokens], dtype=np.float32),
            information=np.array([self.information(word) for word in spoken], dtype=np.float32),
            grams=bag(question_grams(spoken)),
            sequences=bag(question_sequences(stems)),
            direction=self.table.sentence(spoken),
        )

    def information(self, word: str) -> float:
        """How much the word tells, whatever the pack."""
        if stem(word) in self.subject:
            return 0.0
        return min(max(self.table.words.stem_rarity_of(word) - 2, LEAST_INFORMATION), MOST_INFORMATION)


def plainly(typed: Sequence[str]) -> list[Token]:
    """Words of the pack itself, read as they stand."""
    return [Token(word, word, known=True) for word in typed]


def plausible(tokens: Sequence[Token]) -> Sequence[Token]:
    """The tokens, unless nearly every word would be a slip: then it is another language, and nothing is read into it."""
    slips = sum(token.slip for token in tokens)
    if slips < MANY_SLIPS or slips <= 2 * (len(tokens) - slips):
        return tokens
    return [Token(token.typed, token.typed, known=False) if token.slip else token for token in tokens]


def canonical(tokens: Sequence[Token], synonyms: Synonyms) -> list[Token]:
    """Tokens with every synonym replaced, the longest first."""
    result: list[Token] = []
    at = 0
    while at < len(tokens):
        for variant, meant in synonyms.get(tokens[at].word, ()):
            here = tokens[at : at + len(variant)]
            if tuple(token.word for token in here) == variant:
                typed, slip = " ".join(token.typed for token in here), any(token.slip for token in here)
                result += [Token(typed, word, known=True, slip=slip) for word in meant]
                at += len(variant)
                break
        else:
            result.append(tokens[at])
            at += 1
    return result


def synonym_table(synonyms: Mapping[str, Sequence[str]]) -> Synonyms:
    """Canonical word and variants, as they stand in a pack, turned round."""
    found: dict[str, list[tuple[tuple[str, ...], tuple[str, ...]]]] = {}
    for meant, variants in synonyms.items():
        for variant in variants:
            spoken = tuple(words(variant))
            if spoken and spoken != tuple(words(meant)):
                found.setdefault(spoken[0], []).append((spoken, tuple(words(meant))))
    return {first: tuple(sorted(pairs, key=lambda pair: -len(pair[0]))) for first, pairs in found.items()}


def stem_numbers(vocabulary: Sequence[str]) -> dict[str, int]:
    """A number for each stem, in the order of the words."""
    numbers: dict[str, int] = {}
    for word in vocabulary:
        numbers.setdefault(stem(word), len(numbers) + FIRST_STEM)
    return numbers
