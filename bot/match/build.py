"""Builds an index from a pack's phrasings: words to numbers, counts, the separator, directions, and the gate at last."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

import numpy as np

from bot.match.features import gram_occurrences, sequence_occurrences
from bot.match.fitting import fit
from bot.match.index import SEVERAL, STRANGER, Exact, Index, phrase_key
from bot.match.linear import train
from bot.match.meaning import meanings
from bot.match.phrasings import phrasings as index_phrasings
from bot.match.profiles import profile
from bot.match.reader import Reader, canonical, stem_numbers, synonym_table
from bot.match.resolve import Token, resolver
from bot.match.scoring import Evidence, fullness
from bot.match.sparse import Ints, Occurrences
from bot.match.strangers import strangers
from bot.match.wordtable import wordtable
from bot.text import stem, words

Phrasing = tuple[int, int, str, tuple[str, ...]]
"""Entry, number as given, text, words after synonyms."""


def build(
    given: Sequence[tuple[str, int]],
    entries: int,
    strange: Sequence[str],
    not_asks: Sequence[tuple[str, int]],
    synonyms: Mapping[str, Sequence[str]],
    subject: Sequence[str],
    settled: Collection[str],
) -> Index:
    """The whole index; see Index.build."""
    table = synonym_table(synonyms)
    kept = distinct(given, table)
    refused = [*strange, *(text for text, _ in not_asks)]
    counts = Counter(word for *_, spoken in kept for word in spoken)
    spoken_anyhow = {word for pair in table.items() for phrase in pair for word in phrase}
    vocabulary = sorted(counts)
    numbers = stem_numbers(vocabulary)
    reader = Reader(
        resolver=resolver({**dict.fromkeys(spoken_anyhow, 1), **counts}, [w for text in refused for w in words(text)]),
        numbers=numbers,
        synonyms=table,
        subject=frozenset(stem(word) for name in subject for word in words(name)),
        table=wordtable(),
    )
    evidence = count(kept, vocabulary, reader, entries)
    unknown = strangers([reader.read(text) for text in dict.fromkeys(refused)], numbers, evidence.phrasings)
    exact = phrases([(text, entry) for entry, _, text, _ in kept], refused)
    gate = fit(evidence, reader, unknown, [spoken for *_, spoken in kept], list(dict.fromkeys(refused)), settled)
    texts = tuple(text for _, _, text, _ in kept)
    return Index(evidence, reader, exact, unknown, gate, np.array([number for _, number, _, _ in kept]), texts)


def distinct(given: Sequence[tuple[str, int]], table: Mapping[tuple[str, ...], tuple[str, ...]]) -> list[Phrasing]:
    """Phrasings by entry; ten copies of one sentence count as one, and one without a word as none."""
    seen: dict[tuple[int, tuple[str, ...]], Phrasing] = {}
    for number, (text, entry) in enumerate(given):
        tokens = canonical([Token(word, word, known=True) for word in words(text)], table)
        spoken = tuple(token.word for token in tokens)
        if spoken:
            seen.setdefault((entry, spoken), (entry, number, text, spoken))
    return sorted(seen.values(), key=lambda phrasing: phrasing[:2])


def count(kept: Sequence[Phrasing], vocabulary: Sequence[str], reader: Reader, entries: int) -> Evidence:
    """All counts about the phrasings."""
    row = {word: at for at, word in enumerate(vocabulary)}
    word_ids = np.array([row[word] for *_, spoken in kept for word in spoken], dtype=np.int64)
    begins = np.r_[0, np.cumsum([len(spoken) for *_, spoken in kept], dtype=np.int64)].astype(np.int64)
    entry_of = np.array([entry for entry, *_ in kept], dtype=np.int64)
    stem_of = np.array([reader.numbers[stem(word)] for word in vocabulary], dtype=np.int64)
    stems = stem_of[word_ids] if len(word_ids) else word_ids
    names, ids = np.unique(stems, return_inverse=True)
    sequences = sequence_occurrences(stems, begins)
    grams = gram_occurrences(vocabulary, word_ids, begins)
    directions = meanings(reader.table, vocabulary, word_ids, begins, entry_of, entries)
    starts = np.searchsorted(entry_of, np.arange(entries + 1))
    subject = [reader.numbers[name] for name in reader.subject if name in reader.numbers]
    return Evidence(
        entry_of=entry_of,
        starts=starts,
        phrasings=index_phrasings(Occurrences(names, ids.astype(np.int32), begins), entry_of, entries, subject),
        grams=profile(grams, entry_of, entries, centroid=True),
        sequences=profile(sequences, entry_of, entries, centroid=False),
        linear=train(sequences, grams, directions.phrasings, entry_of, entries),
        meanings=directions,
        fullness=fullness(starts),
    )


def phrases(asks: Sequence[tuple[str, int]], refused: Sequence[str]) -> Exact:
    """Whole phrases by their hash; what an entry asks wins over what is refused."""
    found: dict[int, int] = {}
    for text, entry in asks:
        key = phrase_key(text)
        found[key] = entry if found.get(key, entry) == entry else SEVERAL
    for text in refused:
        found.setdefault(phrase_key(text), STRANGER)
    keys: Ints = np.array(sorted(found), dtype=np.int64)
    return Exact(keys, np.array([found[int(key)] for key in keys], dtype=np.int64))
