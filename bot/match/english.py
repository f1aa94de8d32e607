"""Plain English: which words there are and how common each is. Read from data/words.txt when first asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from bot.match.remembered import Remembered
from bot.text import LONGEST_REMEMBERED, stem

FILE = Path(__file__).parent / "data" / "words.txt"
"""word, -log10 of its share of running words, the same for all words of its stem. Made by bot.tools.wordtable."""

RARE = 8.0
"""-log10 of the share of a word that the list lacks."""

PREFIXES = ("un", "re", "de", "mis", "over")
"""Before a word they make another one that no list has: unblock, reactivate, overcharged."""


FORMED = 5
"""Letters from which a word may be formed from another; shorter ones are more often slips."""

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
"""Words that carry a sentence rather than a meaning: they have no row in the word table."""

PLAIN = {
    **dict.fromkeys("im dont its thats whats cant ive didnt".split(), 3e-4),
    **dict.fromkeys("doesnt youre isnt lets theres wont couldnt id ill".split(), 1e-4),
    **dict.fromkeys(
        "wheres hows whos arent wasnt havent hasnt wouldnt shouldnt youve theyre heres whens".split(), 3e-5
    ),
    **dict.fromkeys(
        "app apps email emails online website blog wifi login signup faq url emoji smartphone".split(), 3e-5
    ),
}
"""Contractions without their apostrophe, as typed, and everyday words newer than the sources; shares by order of size."""


@dataclass(frozen=True, slots=True)
class English:
    """The list. `rarity` is -log10 of the share of running words; `stem_rarity` that of the word's whole family."""

    rows: dict[str, int]
    rarity: Sequence[float]
    stem_rarity: Sequence[float]
    _remembered: Remembered[int | None] = field(default_factory=Remembered, init=False, repr=False, compare=False)

    def __contains__(self, word: str) -> bool:
        return self.row_of(word) is not None

    def row_of(self, word: str) -> int | None:
        """The word's row, or that of the plain word it is formed from: withdrawing, reactivate."""
        row = self.rows.get(word)
        if row is not None or len(word) < FORMED:
            return row
        return self._remembered.get(word, self._formed_from) if len(word) <= LONGEST_REMEMBERED else None

    def _formed_from(self, word: str) -> int | None:
        return next(filter(None, map(self.rows.get, _plainer(word))), None)

    def rarity_of(self, word: str) -> float:
        row = self.row_of(word)
        return RARE if row is None else self.rarity[row]

    def stem_rarity_of(self, word: str) -> float:
        row = self.row_of(word)
        return RARE if row is None else self.stem_rarity[row]


def _plainer(word: str) -> Iterator[str]:
    """What the word may be formed from, the likeliest first."""
    base = stem(word)
    yield from (base, base + "e")
    for prefix in PREFIXES:
        if word.startswith(prefix) and len(word) - len(prefix) >= FORMED - 1:
            yield from (word.removeprefix(prefix), base.removeprefix(prefix), base.removeprefix(prefix) + "e")


@cache
def english() -> English:
    """The list, read once."""
    cells = FILE.read_text(encoding="utf-8").split()
    words = cells[::3]
    return English(
        dict(zip(words, range(len(words)), strict=True)), [*map(float, cells[1::3])], [*map(float, cells[2::3])]
    )
