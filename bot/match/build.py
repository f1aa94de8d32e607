"""From a pack's phrasings to everything counted about them: words to numbers, profiles, the separator, directions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from sys import intern

import numpy as np

from bot.match.features import gram_occurrences, pair_occurrences, sequence_occurrences
from bot.match.linear import MOST, nothing, train
from bot.match.meaning import meanings
from bot.match.phrasings import phrasings as index_phrasings
from bot.match.profiles import profile
from bot.match.reader import Reader, Synonyms, canonical, plainly, stem_numbers
from bot.match.resolve import resolver
from bot.match.scoring import Evidence, fullness
from bot.match.sparse import Ints, Occurrences
from bot.match.wordtable import wordtable
from bot.text import stem, words


@dataclass(frozen=True, slots=True)
class Phrasing:
    """One distinct phrasing. `number`: as given; `typed`: its words as they stand; `spoken`: after synonyms."""

    entry: int
    number: int
    text: str
    typed: tuple[str, ...]
    spoken: tuple[str, ...]


def distinct(given: Sequence[tuple[str, int]], table: Synonyms) -> list[Phrasing]:
    """Phrasings by entry; ten copies of one sentence count as one, and one without a word as none."""
    seen: dict[tuple[int, tuple[str, ...]], Phrasing] = {}
    for number, (text, entry) in enumerate(given):
        typed = tuple(map(intern, words(text)))
        spoken = tuple(token.word for token in canonical(plainly(typed), table)) if table else typed
        if spoken and (entry, spoken) not in seen:
            seen[entry, spoken] = Phrasing(entry, number, text, typed, spoken)
    return sorted(seen.values(), key=lambda phrasing: (phrasing.entry, phrasing.number))


def reader_of(kept: Sequence[Phrasing], table: Synonyms, refused: Iterable[str], subject: Iterable[str]) -> Reader:
    """A reader for the pack's words. What is refused may be typed as it stands; it is not bent to a word of the pack."""
    counts = Counter(chain.from_iterable(phrasing.spoken for phrasing in kept))
    spoken_anyhow = {word for pairs in table.values() for pair in pairs for phrase in pair for word in phrase}
    return Reader(
        resolver=resolver({**dict.fromkeys(spoken_anyhow, 1), **counts}, [w for text in refused for w in words(text)]),
        numbers=stem_numbers(sorted(counts)),
        synonyms=table,
        subject=frozenset(stem(word) for name in subject for word in words(name)),
        table=wordtable(),
    )


def count(kept: Sequence[Phrasing], reader: Reader, family: Ints) -> Evidence:
    """All counts about the phrasings; `family` has a number for each entry."""
    entries = len(family)
    vocabulary = sorted({word for phrasing in kept for word in phrasing.spoken})
    row = {word: at for at, word in enumerate(vocabulary)}
    word_ids = np.array([row[word] for phrasing in kept for word in phrasing.spoken], dtype=np.int64)
    begins = np.r_[0, np.cumsum([len(phrasing.spoken) for phrasing in kept], dtype=np.int64)].astype(np.int64)
    entry_of = np.array([phrasing.entry for phrasing in kept], dtype=np.int64)
    stem_of = np.array([reader.numbers[stem(word)] for word in vocabulary], dtype=np.int64)
    stems = stem_of[word_ids] if len(word_ids) else word_ids
    names, ids = np.unique(stems, return_inverse=True)
    sequences = sequence_occurrences(stems, begins)
    grams = gram_occurrences(vocabulary, word_ids, begins)
    directions = meanings(reader.table, vocabulary, word_ids, begins, entry_of, entries)
    linear = nothing(entries)
    if 0 < len(kept) <= MOST:
        pairs = pair_occurrences(stems, begins)
        linear = train([sequences, pairs, grams], directions.phrasings, entry_of, entries)
    starts = np.searchsorted(entry_of, np.arange(entries + 1))
    subject = [reader.numbers[name] for name in reader.subject if name in reader.numbers]
    return Evidence(
        entry_of=entry_of,
        starts=starts,
        phrasings=index_phrasings(Occurrences(names, ids.astype(np.int32), begins), entry_of, entries, subject),
        grams=profile(grams, entry_of, entries, centroid=True),
        sequences=profile(sequences, entry_of, entries, centroid=False),
        linear=linear,
        meanings=directions,
        fullness=fullness(starts),
        family=family,
    )
