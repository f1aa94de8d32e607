"""Names in a question: the pack's own (cards), those its source only names, and strangers that it doesn't cover.

A name is forgiven slips by its length, plain English words are never bent into one, and a name that is an ordinary
word too ("dash", "celery") is marked, because it needs technical company to count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from bot.match.budget import UNLIMITED, Budget
from bot.match.frames import COMPARE
from bot.match.remembered import Remembered
from bot.match.resolve import Lexicon, lexicon
from bot.model import Entry, Knowledge, Library
from bot.text import words

Standing = Literal["ours", "named", "stranger"]

ONE_SLIP = 4
"""Letters of a name from which one slip is forgiven ("kvy" says too little)."""
TWO_SLIPS = 7
"""Letters from which two are ("brthyon", "sqlachmey")."""
STRANGER_SLIP = 6
"""Letters from which one slip is forgiven in a name that isn't ours: "lang" is not Rlang."""
REFUSED_OFTEN = 6
"""Questions in `not_asks` that have the name, from which it counts as an ordinary word whatever the word list says."""
NEAREST = 5
"""Names that are looked at for one word with slips."""
LONGEST = 4
"""Tokens of the longest name that is looked for; a name of more words is found by its phrasings."""


@dataclass(frozen=True, slots=True)
class Name:
    """One spelling of a name. `about` is an entry's id (ours, named) or the stranger's name; `joined` has no blanks."""

    shown: str
    joined: str
    tokens: int
    about: str
    standing: Standing
    ordinary: bool


@dataclass(frozen=True, slots=True)
class Mention:
    """A name in a question: tokens `start` to `end`, and how many slips were forgiven."""

    name: Name
    start: int
    end: int
    slips: int


@dataclass(frozen=True, slots=True)
class Names:
    """Every name that a pack knows of, by spelling."""

    by_joined: dict[str, Name]
    fuzzy: tuple[str, ...]
    is_english: Callable[[str], bool]
    _beginnings: frozenset[str] = field(init=False, repr=False, compare=False)
    """Of every name: its first letter, its first two, and so on."""
    _places: dict[str, int] = field(init=False, repr=False, compare=False)
    _lexicon: Lexicon = field(init=False, repr=False, compare=False)
    _remembered: Remembered[tuple[Name | None, int]] = field(default_factory=Remembered, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        beginnings = (joined[:end] for joined in self.by_joined for end in range(1, len(joined) + 1))
        object.__setattr__(self, "_beginnings", frozenset(beginnings))
        object.__setattr__(self, "_places", {spelling: at for at, spelling in enumerate(self.fuzzy)})
        object.__setattr__(self, "_lexicon", lexicon(self.fuzzy, [0.0] * len(self.fuzzy)))

    def find(self, tokens: Sequence[str], budget: Budget = UNLIMITED) -> list[Mention]:
        """The names in a question's words, in order, longest first where they overlap."""
        found: list[Mention] = []
        odd = [not self.is_english(word) for word in tokens]
        at = 0
        while at < len(tokens):
            mention = self._exact_at(tokens, at) or self._near_at(tokens, odd, at, budget)
            if mention is None:
                at += 1
                continue
            found.append(mention)
            at = mention.end
        return found

    def _exact_at(self, tokens: Sequence[str], at: int) -> Mention | None:
        if tokens[at] not in self._beginnings:
            return None
        for end in range(min(len(tokens), at + LONGEST), at, -1):
            name = self.by_joined.get("".join(tokens[at:end]))
            if name is not None and (end - at == name.tokens or self._may_be_split(tokens[at:end])):
                return Mention(name, at, end, 0)
        return None

    def _near_at(self, tokens: Sequence[str], odd: Sequence[bool], at: int, budget: Budget) -> Mention | None:
        """A name with slips: one unknown word, or a short run of words of which one is unknown ("socet io").

        `odd`: which of the words aren't English.
        """
        for end in (at + 2, at + 1) if budget.pairs else (at + 1,):
            if end > len(tokens) or not any(odd[at:end]):
                continue
            run = tokens[at:end]
            if any(word in self.by_joined for word in run[1:]) or not budget.as_typed.isdisjoint(run):
                continue
            first_odd = run[0] if odd[at] else run[1]
            if len(run) > 1 and (len(first_odd) < 2 or not COMPARE.isdisjoint(run)):
                continue
            name, slips = self._nearest("".join(run))
            if name is not None and (len(run) == 1 or name.tokens > 1):
                return Mention(name, at, end, slips)
        return None

    def _nearest(self, word: str) -> tuple[Name | None, int]:
        return self._remembered.get(word, self._searched)

    def _searched(self, word: str) -> tuple[Name | None, int]:
        most = forgiven(word)
        if not most:
            return None, 0
        near = [(slips, self._lexicon.words[number]) for number, slips in self._lexicon.near(word, most)]
        hits = sorted(near, key=lambda hit: (hit[0], self._places[hit[1]]))[:NEAREST]
        ranked = sorted((slips, spelling[0] != word[0], spelling) for slips, spelling in hits)
        for slips, other_start, spelling in ranked:
            name = self.by_joined[spelling]
            if name.standing != "ours" and (other_start or slips > 1 or len(spelling) < STRANGER_SLIP):
                continue
            if slips <= forgiven(spelling) and not (other_start and (slips > 1 or len(spelling) <= ONE_SLIP)):
                return name, int(slips)
        return None, 0

    def _may_be_split(self, run: Sequence[str]) -> bool:
        """Whether a name written apart ("fast api", "py qt") is one: two words or more, none a single letter."""
        return len(run) > 1 and all(len(word) > 1 for word in run)


_BEFORE_A_NAME = frozenset(
    "is are does do can in vs versus or than with using use learn about like whats and best".split()
)
_AFTER_A_NAME = frozenset(
    "vs versus or developer framework frameworks library language lang backend frontend have has".split()
)


def in_a_names_place(tokens: Sequence[str], mention: Mention) -> bool:
    """Whether an ordinary word stands where a name would: "is go frontend", "swift vs …", "in rust"."""
    before = tokens[mention.start - 1] if mention.start else ""
    after = tokens[mention.end] if mention.end < len(tokens) else ""
    return before in _BEFORE_A_NAME or after in _AFTER_A_NAME or len(tokens) == 1


def forgiven(word: str) -> int:
    """Slips that are forgiven in a name of this length."""
    return 2 if len(word) >= TWO_SLIPS else 1 if len(word) >= ONE_SLIP else 0


def names_of(knowledge: Knowledge, is_english: Callable[[str], bool]) -> Names:
    """Every name in the pack. Its own win over what is only named, and both over strangers."""
    found: dict[str, Name] = {}
    for name in _all(knowledge, is_english):
        if name.joined:
            found.setdefault(name.joined, name)
    fuzzy = tuple(
        joined for joined, name in found.items() if forgiven(joined) and not (name.standing != "ours" and name.ordinary)
    )
    return Names(found, fuzzy, is_english)


def _all(knowledge: Knowledge, is_english: Callable[[str], bool]) -> Iterable[Name]:
    subject = {word.casefold() for word in knowledge.subject}
    for entry in knowledge.entries:
        if isinstance(entry, Library):
            for spelling in (entry.name, *entry.aliases, *entry.name.replace(" and ", "|").split("|")):
                name = _name(spelling, entry.name, entry.id, "ours", is_english)
                yield replace(name, ordinary=name.ordinary or _is_refused_often(name, entry))
    for entry in knowledge.entries:
        for spelling in entry.names:
            yield _name(spelling, spelling, entry.id, "named", is_english)
    ordinary = set(knowledge.strangers.ordinary_names)
    for spelling in (*knowledge.strangers.names, *knowledge.strangers.ordinary_names):
        if spelling.casefold() not in subject:
            name = _name(spelling, spelling, spelling, "stranger", is_english)
            yield Name(name.shown, name.joined, name.tokens, name.about, name.standing, spelling in ordinary)


def _is_refused_often(name: Name, entry: Entry) -> bool:
    """Whether the curator lists many questions that have the name and mean something else: "wore a toga and sandals"."""
    return name.tokens == 1 and sum(name.joined in words(text) for text in entry.not_asks) >= REFUSED_OFTEN


def _name(spelling: str, shown: str, about: str, standing: Standing, is_english: Callable[[str], bool]) -> Name:
    tokens = words(spelling)
    ordinary = len(tokens) == 1 and is_english(tokens[0])
    return Name(shown, "".join(tokens), len(tokens), about, standing, ordinary)
