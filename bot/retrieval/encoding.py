"""Text encoding: from words to the integer features, stems and vectors that the index compares.

Features are character n-grams of words, and stems with their neighbours (unigrams, bigrams, skip-bigrams, unordered pairs).
Each is one 64-bit key, computed alike for phrasings (many at once, with numpy) and for a query (few numbers, with lists).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, combinations, pairwise

import numpy as np

from bot.retrieval.embeddings import WordVectors
from bot.retrieval.sparse import FeatureCounts, Floats, Ints, Occurrences, count_features, slice_positions
from bot.retrieval.spelling import UNLIMITED, Budget, SpellingCorrector, Token
from bot.text import LONGEST_CACHED, stem, words

UNKNOWN_STEM, START, END = 0, 1, 2
"""Stem ids with a meaning: a stem that the pack doesn't have, the beginning and the end of a text."""

FIRST_STEM = 3
_CHARACTER = 0x7FFF
_CHARACTER_BITS = 15
_STEM_BITS = 30
_SKIP_BIGRAM = 1 << 60

MAX_PAIRED_STEMS = 24
"""Stems of one text of which each pair is a feature; later stems have no pairs."""

MIN_INFORMATION, MAX_INFORMATION = 0.2, 6.0
"""Bounds of a word's information, see `Encoder.information`."""

MANY_CORRECTIONS = 4
"""Corrections from which a text is taken for another language, where they are more than twice its other words."""

Synonyms = Mapping[str, tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]]
"""By first word: a variant's words, the longest variant first, and the words that stand for it in this pack."""


# --- character n-grams


def char_ngrams(word: str) -> tuple[int, ...]:
    """Keys of the word's n-grams of three and four characters, its edges marked by a blank; 15 bits a character.

    N-grams of 2 to 5 measured the same and cost twice as much.
    """
    return _cached_char_ngrams(word) if len(word) <= LONGEST_CACHED else _char_ngrams(word)


def _char_ngrams(word: str) -> tuple[int, ...]:
    codes = [32, *(ord(letter) & _CHARACTER for letter in word), 32]
    trigrams = [
        a << 2 * _CHARACTER_BITS | b << _CHARACTER_BITS | c
        for a, b, c in zip(codes, codes[1:], codes[2:], strict=False)
    ]
    fourgrams = [trigram << _CHARACTER_BITS | code for trigram, code in zip(trigrams, codes[3:], strict=False)]
    return (*trigrams, *(fourgrams or trigrams))


_cached_char_ngrams = lru_cache(maxsize=4_096)(_char_ngrams)


def char_ngram_occurrences(vocabulary: Sequence[str], word_ids: Ints, starts: Ints) -> Occurrences:
    """Character n-grams of phrasings that are given as positions in `vocabulary`; each word is divided once."""
    by_word = [_char_ngrams(word) for word in vocabulary]
    keys, ids = np.unique(np.array([key for keys in by_word for key in keys], dtype=np.int64), return_inverse=True)
    word_starts = np.r_[0, np.cumsum([len(keys) for keys in by_word])].astype(np.int64)
    positions, owners = slice_positions(word_starts, word_ids)
    ends = np.r_[0, np.cumsum(np.bincount(owners, minlength=len(word_ids)))]
    return Occurrences(keys, ids.astype(np.int32)[positions], ends[starts])


def query_char_ngrams(words: Iterable[str]) -> Ints:
    """Keys of all character n-grams of a query's words."""
    return np.array(list(chain.from_iterable(map(char_ngrams, words))), dtype=np.int64)


# --- stems and their neighbours


def stem_ngrams(stems: Ints, owners: Ints) -> tuple[Ints, Ints]:
    """Keys of unigrams, bigrams and skip-bigrams (one stem between), and the owner of each.

    N-grams with an UNKNOWN_STEM are left out.

    Args:
        stems: Stem ids of many texts one after another, each text between START and END.
        owners: The text that each belongs to.
    """
    keys, key_owners = [], []
    for distance, mark in ((0, 0), (1, 0), (2, _SKIP_BIGRAM)):
        left, right = stems[: len(stems) - distance], stems[distance:]
        keep = (left != UNKNOWN_STEM) & (right != UNKNOWN_STEM)
        keep &= owners[: len(owners) - distance] == owners[distance:]
        if not distance:
            keep &= left >= FIRST_STEM
        keys.append((left[keep] << _STEM_BITS | right[keep] if distance else left[keep]) | mark)
        key_owners.append(owners[: len(owners) - distance][keep])
    return np.concatenate(keys), np.concatenate(key_owners)


def stem_ngram_occurrences(stems: Ints, starts: Ints) -> Occurrences:
    """Stem n-grams of phrasings that are given as stem ids, one phrasing after another."""
    lengths = np.diff(starts)
    owners = np.repeat(np.arange(len(lengths)), lengths + 2)
    framed = np.full(len(stems) + 2 * len(lengths), START, dtype=np.int64)
    ends = np.cumsum(lengths + 2) - 1
    framed[ends] = END
    inside = np.ones(len(framed), dtype=bool)
    inside[ends] = inside[ends - lengths - 1] = False
    framed[inside] = stems
    keys, key_owners = stem_ngrams(framed, owners)
    order = np.argsort(key_owners, kind="stable")
    keys, ids = np.unique(keys[order], return_inverse=True)
    return Occurrences(keys, ids.astype(np.int32), np.searchsorted(key_owners[order], np.arange(len(starts))))


def query_stem_ngrams(stems: Sequence[int]) -> Ints:
    """Keys of a query's stem n-grams, as `stem_ngrams` computes them: for few numbers lists are quicker."""
    framed = [START, *stems, END]
    keys = [stem for stem in stems if stem >= FIRST_STEM]
    keys += [left << _STEM_BITS | right for left, right in pairwise(framed) if left and right]
    skipping = zip(framed, framed[2:], strict=False)
    keys += [left << _STEM_BITS | right | _SKIP_BIGRAM for left, right in skipping if left and right]
    return np.array(keys, dtype=np.int64)


def stem_pair_occurrences(stems: Ints, starts: Ints) -> Occurrences:
    """Unordered pairs of different stems of phrasings that are given as stem ids, one phrasing after another."""
    position = np.arange(len(stems)) - np.repeat(starts[:-1], np.diff(starts))
    owners = np.repeat(np.arange(len(starts) - 1), np.diff(starts))[position < MAX_PAIRED_STEMS]
    cells = np.unique(owners << _STEM_BITS | stems[position < MAX_PAIRED_STEMS])
    owners, stems = cells >> _STEM_BITS, cells & ((1 << _STEM_BITS) - 1)
    following = np.searchsorted(owners, owners, "right") - np.arange(len(owners)) - 1
    left = np.repeat(np.arange(len(owners)), following)
    right = left + 1 + np.arange(len(left)) - np.repeat(np.cumsum(following) - following, following)
    keys, ids = np.unique(stems[left] << _STEM_BITS | stems[right], return_inverse=True)
    return Occurrences(keys, ids.astype(np.int32), np.searchsorted(owners[left], np.arange(len(starts))))


def query_stem_pairs(stems: Ints) -> Ints:
    """Keys of the pairs of a query's different stems, ascending."""
    known = sorted({stem for stem in stems[:MAX_PAIRED_STEMS].tolist() if stem >= FIRST_STEM})
    return np.array([left << _STEM_BITS | right for left, right in combinations(known, 2)], dtype=np.int64)


# --- queries


@dataclass(frozen=True, slots=True)
class EncodedQuery:
    """What the index compares of one question.

    Attributes:
        tokens: The words, spelling corrected and synonyms replaced.
        stems: (tokens,), stem ids; UNKNOWN_STEM where the pack doesn't have the stem.
        trust: (tokens,), 1, or less where a word was corrected.
        information: (tokens,), weight of each word by its rarity in English; 0 for the pack's subject.
        char_ngrams, stem_ngrams: Counted features.
        vector: (DIMENSIONS,), the sentence vector.
    """

    tokens: tuple[Token, ...]
    stems: Ints
    trust: Floats
    information: Floats
    char_ngrams: FeatureCounts
    stem_ngrams: FeatureCounts
    vector: Floats


@dataclass(frozen=True, slots=True)
class Encoder:
    """Encodes texts by a pack's words and synonyms, and English.

    Attributes:
        spelling: Corrects words.
        stem_ids: Id of each stem of the pack.
        synonyms: See `Synonyms`.
        subject: Stems of the pack's subject.
        vectors: The word vectors.
    """

    spelling: SpellingCorrector
    stem_ids: Mapping[str, int]
    synonyms: Synonyms
    subject: frozenset[str]
    vectors: WordVectors

    def encode(self, text: str) -> EncodedQuery:
        """Encode a cleaned text."""
        return self.encode_words(words(text))

    def encode_words(self, typed: Sequence[str], budget: Budget = UNLIMITED) -> EncodedQuery:
        """Encode the words of a text, correcting those that the budget allows."""
        spelling, as_typed = self.spelling, budget.as_typed
        tokens = [spelling.keep_typed(word) if word in as_typed else spelling.correct(word) for word in typed]
        return self.encode_tokens(without_implausible_corrections(tokens))

    def encode_tokens(self, tokens: Sequence[Token]) -> EncodedQuery:
        """Encode words that have been corrected."""
        tokens = replace_synonyms(tokens, self.synonyms)
        stems = [self.stem_ids.get(stem(token.word), UNKNOWN_STEM) if token.known else UNKNOWN_STEM for token in tokens]
        canonical = [token.word for token in tokens]
        return EncodedQuery(
            tokens=tuple(tokens),
            stems=np.array(stems, dtype=np.int64),
            trust=np.array([token.trust for token in tokens], dtype=np.float32),
            information=np.array([self.information(word) for word in canonical], dtype=np.float32),
            char_ngrams=count_features(query_char_ngrams(canonical)),
            stem_ngrams=count_features(query_stem_ngrams(stems)),
            vector=self.vectors.sentence_vector(canonical),
        )

    def information(self, word: str) -> float:
        """Weight of a word by its rarity in English: -log10 of its stem's share, minus 2, within bounds; 0 for the subject."""
        if stem(word) in self.subject:
            return 0.0
        return min(max(self.vectors.words.stem_rarity_of(word) - 2, MIN_INFORMATION), MAX_INFORMATION)


def as_known_tokens(typed: Sequence[str]) -> list[Token]:
    """Tokens of the pack's own words, which need no correction."""
    return [Token(word, word, known=True) for word in typed]


def without_implausible_corrections(tokens: Sequence[Token]) -> Sequence[Token]:
    """The tokens; uncorrected if nearly every word was corrected, because then it is another language."""
    corrected = sum(token.corrected for token in tokens)
    if corrected < MANY_CORRECTIONS or corrected <= 2 * (len(tokens) - corrected):
        return tokens
    return [Token(token.typed, token.typed, known=False) if token.corrected else token for token in tokens]


def replace_synonyms(tokens: Sequence[Token], synonyms: Synonyms) -> list[Token]:
    """The tokens with every variant replaced by the words that stand for it, the longest variant first."""
    result: list[Token] = []
    position = 0
    while position < len(tokens):
        for variant, canonical in synonyms.get(tokens[position].word, ()):
            run = tokens[position : position + len(variant)]
            if tuple(token.word for token in run) == variant:
                typed, corrected = " ".join(token.typed for token in run), any(token.corrected for token in run)
                result += [Token(typed, word, known=True, corrected=corrected) for word in canonical]
                position += len(variant)
                break
        else:
            result.append(tokens[position])
            position += 1
    return result


def synonym_table(synonyms: Mapping[str, Sequence[str]]) -> Synonyms:
    """Synonyms by the first word of the variant, from canonical phrases with their variants."""
    table: dict[str, list[tuple[tuple[str, ...], tuple[str, ...]]]] = {}
    for canonical, variants in synonyms.items():
        for variant in variants:
            variant_words = tuple(words(variant))
            if variant_words and variant_words != tuple(words(canonical)):
                table.setdefault(variant_words[0], []).append((variant_words, tuple(words(canonical))))
    return {first: tuple(sorted(pairs, key=lambda pair: -len(pair[0]))) for first, pairs in table.items()}


def number_stems(vocabulary: Sequence[str]) -> dict[str, int]:
    """An id for each stem, in the order of the words."""
    ids: dict[str, int] = {}
    for word in vocabulary:
        ids.setdefault(stem(word), len(ids) + FIRST_STEM)
    return ids
