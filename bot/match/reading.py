"""Reading: a message is read as a whole and by its parts, and each reading knows its words, names and frame."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from bot.match.frames import SLIGHT, Frame, frame_of
from bot.match.names import Mention, Names
from bot.match.ranking import Ranking
from bot.text import sentences, words

SHORT = 9
"""Words up to which a sentence isn't taken apart into clauses."""
SHORTEST_CLAUSE = 3
"""Words of the shortest clause that is asked by itself."""
MOST_SENTENCES = 12
"""Sentences that are read one by one, from the end, where the question stands in most long messages."""
LEAST_CONTENT = 2
"""Content words without which a part of a longer message says nothing by itself ("What would you suggest?")."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read a message: all of it, or a part."""

    text: str
    tokens: tuple[str, ...]
    mentions: tuple[Mention, ...]
    frame: Frame
    ranking: Ranking
    whole: bool

    @property
    def content(self) -> int:
        """Words that tell something."""
        return sum(token not in SLIGHT for token in self.tokens)

    @property
    def is_wrapping(self) -> bool:
        """A part that leans on the rest of its message: greetings, thanks, "what would you suggest"."""
        return not self.whole and self.content < LEAST_CONTENT and not self.mentions

    def ours(self, standing: str) -> list[Mention]:
        """The names of that standing."""
        return [mention for mention in self.mentions if mention.name.standing == standing]


def read(text: str, names: Names, rank: Callable[[str], Ranking], whole: bool) -> Reading:
    """Read a cleaned text, all of a message or a part of it."""
    tokens = tuple(words(text))
    return Reading(text, tokens, tuple(names.find(tokens)), frame_of(text, tokens), rank(text), whole)


def parts_of(text: str) -> list[str]:
    """The whole text first, then what may be the question in it: sentences, neighbours, and clauses of long ones."""
    found = [text]
    listed = sentences(text)[-MOST_SENTENCES:]
    for sentence in listed:
        found.append(sentence)
        if len(words(sentence)) > SHORT:
            found += [c.strip() for c in _clauses(sentence) if len(words(c)) >= SHORTEST_CLAUSE]
    found += [f"{one} {next_one}" for one, next_one in pairwise(listed)]
    return list(dict.fromkeys(found))


def _clauses(sentence: str) -> Sequence[str]:
    for mark in (";", ":", " - ", ", "):
        sentence = sentence.replace(mark, "\0")
    return sentence.split("\0")
