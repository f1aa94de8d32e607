"""English word statistics: which words there are and how common each is. Read from data/words.txt when first needed."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Generic, TypeVar

from bot.text import LONGEST_CACHED, stem

WORDS_FILE = Path(__file__).parent / "data" / "words.txt"
"""Three columns: word, -log10 of its share of running words, -log10 of the share of all words of its stem."""

UNKNOWN_RARITY = 8.0
"""-log10 of the share of a word that isn't in the list."""

PREFIXES = ("un", "re", "de", "mis", "over")
"""Prefixes of derived words that no list has: unblock, reactivate, overcharged."""

SHORTEST_DERIVED = 5
"""Letters from which a word may be derived from another; shorter ones are more often typos."""

CACHE_SIZE = 8_192
"""Words in one WordCache; with one more it is emptied."""

T = TypeVar("T")


class WordCache(Generic[T]):
    """A bounded cache of results by word, for words of up to LONGEST_CACHED letters.

    Unlike `lru_cache` around a method it holds no reference to the object that computes, so that an index that a reload has
    replaced is freed at once and not by the next full garbage collection. Threads may share it.
    """

    def __init__(self) -> None:
        self._results: dict[str, T] = {}

    def get(self, word: str, compute: Callable[[str], T]) -> T:
        """The result for a word, from the cache or computed now."""
        if len(word) > LONGEST_CACHED:
            return compute(word)
        results = self._results
        try:
            return results[word]
        except KeyError:
            if len(results) >= CACHE_SIZE:
                self._results = results = {}
            result = results[word] = compute(word)
            return result


FUNCTION_WORDS = frozenset(
    """a about above after again all also am an and any are aren as at be because been before being below between both but by
    can cannot could couldn did didn do does doesn doing don down during each else even ever few for from further get got had
    hadn has hasn have haven having he her here hers herself him himself his how however i if in into is isn it its itself just
    let like ll many may me might more most much must my myself no nor not now of off on once only or other ought our ours
    ourselves out over own per please quite rather re really s same shall shan she should shouldn since so some such t than
    that the their theirs them themselves then there these they this those though through to too under until up upon us ve
    very was wasn we were weren what when where whether which while who whom whose why will with within without won would
    wouldn yes yet you your yours yourself yourselves
    im ive id ill youre youve youd hes shes theyre theyve were weve dont doesnt didnt cant couldnt wont wouldnt isnt arent
    wasnt werent hasnt havent hadnt shouldnt thats whats wheres whos hows lets theres heres whens whys ok okay hi hey
    hello""".split()
)
"""Words with a grammatical role and no meaning of their own."""

EXTRA_SHARES = {
    **dict.fromkeys("im dont its thats whats cant ive didnt".split(), 3e-4),
    **dict.fromkeys("doesnt youre isnt lets theres wont couldnt id ill".split(), 1e-4),
    **dict.fromkeys(
        "wheres hows whos arent wasnt havent hasnt wouldnt shouldnt youve theyre heres whens".split(), 3e-5
    ),
    **dict.fromkeys(
        "app apps email emails online website blog wifi login signup faq url emoji smartphone".split(), 3e-5
    ),
}
"""Share of running words, by order of magnitude: contractions typed without an apostrophe, and words newer than the sources."""


@dataclass(frozen=True, slots=True)
class English:
    """The word list.

    Attributes:
        rows: The row of each word.
        rarity: By row, -log10 of the word's share of running words.
        stem_rarity: By row, the same for all words of its stem together.
    """

    rows: dict[str, int]
    rarity: Sequence[float]
    stem_rarity: Sequence[float]
    _cache: WordCache[int | None] = field(default_factory=WordCache, init=False, repr=False, compare=False)

    def __contains__(self, word: str) -> bool:
        return self.row_of(word) is not None

    def row_of(self, word: str) -> int | None:
        """The row of a word, or of the word that it is derived from (withdrawing, reactivate); None if there is neither."""
        row = self.rows.get(word)
        if row is not None or len(word) < SHORTEST_DERIVED:
            return row
        return self._cache.get(word, self._row_of_base) if len(word) <= LONGEST_CACHED else None

    def _row_of_base(self, word: str) -> int | None:
        return next(filter(None, map(self.rows.get, _base_words(word))), None)

    def rarity_of(self, word: str) -> float:
        """-log10 of the word's share of running words."""
        row = self.row_of(word)
        return UNKNOWN_RARITY if row is None else self.rarity[row]

    def stem_rarity_of(self, word: str) -> float:
        """-log10 of the share of all words of its stem."""
        row = self.row_of(word)
        return UNKNOWN_RARITY if row is None else self.stem_rarity[row]


def _base_words(word: str) -> Iterator[str]:
    """Words that this one may be derived from, the likeliest first."""
    base = stem(word)
    yield from (base, base + "e")
    for prefix in PREFIXES:
        if word.startswith(prefix) and len(word) - len(prefix) >= SHORTEST_DERIVED - 1:
            yield from (word.removeprefix(prefix), base.removeprefix(prefix), base.removeprefix(prefix) + "e")


@cache
def english() -> English:
    """The word list, read once."""
    cells = WORDS_FILE.read_text(encoding="utf-8").split()
    words = cells[::3]
    rarity, stem_rarity = (
        array("d", map(float, cells[column::3])) for column in (1, 2)
    )  # a list takes four times as much
    return English(dict(zip(words, range(len(words)), strict=True)), rarity, stem_rarity)
