"""Reading: a message is read as a whole and by its parts, and each reading knows its words, names and frame."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from rapidfuzz.distance import OSA

from bot.match.budget import UNLIMITED, Budget
from bot.match.english import english
from bot.match.frames import SLIGHT, Frame, frame_of
from bot.match.names import Mention, Names
from bot.match.ranking import Ranking
from bot.match.said import SMALL, is_slip
from bot.text import sentences, words

SHORT = 9
"""Words up to which a sentence isn't taken apart into clauses."""
SHORTEST_CLAUSE = 4
"""Words of the shortest clause that is asked by itself."""
MOST_SENTENCES = 12
"""Sentences that are read one by one, from the end, where the question stands in most long messages."""
MOST_PARTS = 24
"""Readings of one message: each costs a millisecond, and everybody waits for it."""
LONG = 800
"""Characters of a message beyond which fewer of its parts are read: some 130 words."""
MOST_LONG_PARTS, MOST_READ = 12, 2_400
"""Readings of such a message, and characters of its parts together."""
LEANING = 5.0
"""Evidence that a leaning part loses against the same words in a message of their own."""
AGREED = 2.0
"""Evidence that is gained where the whole of a long message and a sentence of it point to the same entry."""
REST = 0.5
"""Share of its lead over the whole message that a part's evidence loses: "any hint is welcome" ends messages of all kinds."""
LEAST_CONTENT = 2
"""Content words without which a part of a longer message says nothing by itself ("What would you suggest?")."""
SURE = 7
"""Letters from which a word with slips is still known for sure."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read a message: all of it, or a part."""

    text: str
    tokens: tuple[str, ...]
    mentions: tuple[Mention, ...]
    frame: Frame
    ranking: Ranking
    whole: bool
    agreed: bool = False
    """Another reading of the message has the same entry first."""
    around: float | None = None
    """Of a part: the evidence of the whole message."""
    belonging: float = 0.0
    """Of a text with a name that is an ordinary word too: how much its words are from the pack's field."""

    @property
    def content(self) -> int:
        """Words that tell something."""
        return sum(token not in SLIGHT for token in self.tokens)

    @property
    def leans(self) -> bool:
        """A short part that points at the rest of its message: "is this something I need", "which one would you take"."""
        if self.whole or self.mentions or len(self.tokens) > SHORT + 3:
            return False
        return self.frame.refers_back or (self.frame.wants_one and len(self.tokens) <= SHORT)

    @property
    def evidence(self) -> float:
        """The index's evidence, less where a part says little by itself, or where the rest of its message speaks against it."""
        own = self.ranking.evidence - (LEANING if self.leans else 0.0) + (AGREED if self.agreed else 0.0)
        if self.around is None or self.ranking.exact:
            return own
        return own - REST * max(own - self.around, 0.0)

    @property
    def foreign(self) -> tuple[str, ...]:
        """Telling words of plain English, as typed, that the pack doesn't have."""
        corrected = {read_as for _, read_as in self.ranking.corrections}
        unknown = (one.word for one in self.ranking.unknown if one.english)
        return tuple(word for word in unknown if word not in SLIGHT and word not in corrected)

    @property
    def is_wrapping(self) -> bool:
        """A part that leans on the rest of its message: greetings, thanks, "what would you suggest"."""
        return not self.whole and self.content < LEAST_CONTENT and not self.mentions

    def ours(self, standing: str) -> list[Mention]:
        """The names of that standing."""
        return [mention for mention in self.mentions if mention.name.standing == standing]


def read(
    text: str,
    names: Names,
    rank: Callable[[Sequence[str], Sequence[str]], Ranking],
    belonging: Callable[[Sequence[str]], float],
    whole: bool,
    budget: Budget = UNLIMITED,
) -> Reading:
    """Read a cleaned text, all of a message or a part of it.

    `rank` is given its words, and the words to go by where those aren't a whole phrase.
    """
    typed = words(text)
    tokens = _than(typed)
    mentions = tuple(names.find(tokens, budget))
    together = _together(tokens, mentions)
    ranking = rank(typed, typed if together == tokens else words(" ".join(together)))
    doubtful = any(mention.name.ordinary and mention.name.standing == "ours" for mention in mentions)
    at_home = belonging(typed) if doubtful else 0.0
    return Reading(text, tokens, mentions, frame_of(text, tokens), ranking, whole, belonging=at_home)


def _than(tokens: Sequence[str]) -> tuple[str, ...]:
    """The words, with "better then" as what it is."""
    if "then" not in tokens:
        return tuple(tokens)
    return tuple(
        "than" if word == "then" and not _COMPARATIVES.isdisjoint(tokens[max(0, at - 2) : at]) else word
        for at, word in enumerate(tokens)
    )


_COMPARATIVES = frozenset(
    """better worse faster slower quicker easier harder simpler lighter heavier bigger smaller newer older safer cheaper
    stronger nicer more less rather different""".split()
)


def _together(tokens: tuple[str, ...], mentions: Sequence[Mention]) -> tuple[str, ...]:
    """The words, with the names that are written apart ("py script") as the pack writes them."""
    if not mentions:
        return tokens
    found = list(tokens)
    for mention in reversed(mentions):
        if mention.end - mention.start > mention.name.tokens and not mention.slips:
            found[mention.start : mention.end] = [mention.name.joined]
    return tuple(found)


def odd_word(reading: Reading) -> str:
    """A word that nobody knows, though it was bent into a word of the pack: "hapi" is no api. Empty if there is none."""
    for typed, read_as in reading.ranking.corrections:
        like = typed[0] == read_as[0] and OSA.distance(typed, read_as) == 1
        if typed not in SMALL and typed not in english() and not is_slip(typed) and not like and len(typed) < SURE:
            return typed
    return ""


def agreeing(readings: Sequence[Reading]) -> list[Reading]:
    """The whole and its parts, those marked whose first candidate is the whole's too (and the whole, if any part's is)."""
    tops = [r.ranking.candidates[0].entry if r.ranking.candidates else -1 for r in readings]
    told = [r.content >= LEAST_CONTENT and not r.leans for r in readings]
    agree = [
        told[0] and told[n] and top == tops[0] and r.tokens != readings[0].tokens
        for n, (r, top) in enumerate(zip(readings, tops, strict=True))
    ]
    agree[0] = any(agree[1:])
    whole = replace(readings[0], agreed=agree[0])
    parts = zip(readings[1:], agree[1:], strict=True)
    return [whole, *(replace(r, agreed=yes, around=whole.evidence) for r, yes in parts)]


def parts_of(text: str) -> list[str]:
    """The whole text first, then what may be the question in it: sentences, neighbours, and clauses of long ones."""
    listed, clauses = sentences(text)[-MOST_SENTENCES:], dict[str, list[str]]()
    for sentence in listed:
        if len(words(sentence)) > SHORT:
            clauses[sentence] = [c.strip() for c in _clauses(sentence) if len(words(c)) >= SHORTEST_CLAUSE]
    pairs = [f"{one} {next_one}" for one, next_one in pairwise(listed)]
    ordered = [text, *(part for one in listed for part in (one, *clauses.get(one, ()))), *pairs]
    found = list(dict.fromkeys(ordered))
    return found[:MOST_PARTS] if len(text) <= LONG else _last_of(found, [listed, *clauses.values(), pairs])


def _last_of(parts: Sequence[str], kinds: Sequence[Sequence[str]]) -> list[str]:
    """A long text, and those of its parts that are read: the first kind before the next, and of each kind the last first."""
    kept, left = {parts[0]}, MOST_READ
    for part in (part for kind in kinds for part in reversed(kind)):
        if part not in kept and len(part) <= left and len(kept) < MOST_LONG_PARTS:
            kept.add(part)
            left -= len(part)
    return [part for part in parts if part in kept]


def _clauses(sentence: str) -> Sequence[str]:
    for mark in (";", ":", " - ", ", "):
        sentence = sentence.replace(mark, "\0")
    return sentence.split("\0")
