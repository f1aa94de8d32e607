"""The budget of one message: what is left out of reading it, so that no text takes the time of everybody else's questions.

A message of up to `PLENTY` words is read in full.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.match.english import English

PLENTY = 64
"""Words of a message that are all corrected, with each pair of neighbours tried as a name."""

FIRST_CORRECTED, LAST_CORRECTED = 16, 48
"""Words that are corrected where a message has more that English doesn't have: so many of its first and of its last."""

MOST_PAIRED = 120
"""Words of a message beyond which two neighbours aren't tried as a name with a slip ("socet io"), only as one without."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What reading one message may spend."""

    as_typed: frozenset[str] = frozenset()
    """Words that aren't corrected."""
    pairs: bool = True
    """Whether two neighbours are tried as a name with a slip."""


UNLIMITED = Budget()


def budget_of(typed: Sequence[str], english: English) -> Budget:
    """The budget of a message with these words."""
    if len(typed) <= PLENTY:
        return UNLIMITED
    odd = [word for word in dict.fromkeys(typed) if word not in english]
    return Budget(frozenset(odd[FIRST_CORRECTED:-LAST_CORRECTED]), pairs=len(typed) <= MOST_PAIRED)
