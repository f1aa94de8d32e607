"""Names in a question: of the pack's cards, of things that its source only mentions, and of things that are out of scope.

Typos in a name are allowed by its length, English words are never corrected to a name, and a name that is an ordinary word too
("dash", "celery") is marked, because `disambiguation` has to tell whether it is meant as a name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from bot.model import Knowledge, Library
from bot.retrieval.english import WordCache
from bot.retrieval.spelling import UNLIMITED, Budget, Lexicon
from bot.text import clean, words
from bot.understanding.question_type import COMPARISON_WORDS
from bot.understanding.slips import is_slip

NameKind = Literal["card", "mentioned", "out_of_scope"]

ONE_EDIT_LENGTH = 4
"""Letters of a name from which one edit is allowed ("kvy" says too little)."""
TWO_EDITS_LENGTH = 7
"""Letters from which two are ("brthyon", "sqlachmey")."""
OTHER_KIND_LENGTH = 6
"""Letters from which one edit is allowed in a name that isn't a card's: "lang" is not Rlang."""
OFTEN_REFUSED = 6
"""Questions in `not_asks` that contain a name, from which it counts as an ordinary word whatever the word list says."""
MAX_NEAREST = 5
"""Names that are compared with one misspelt word."""
MAX_NAME_TOKENS = 4
"""Tokens of the longest name that is looked up; a name of more words is found by its phrasings."""


@dataclass(frozen=True, slots=True)
class Name:
    """One spelling of a name.

    Attributes:
        shown: The name as the pack writes it.
        joined: Its words without blanks.
        token_count: Number of its words.
        about: An entry's id (kinds card and mentioned), or the name itself.
        kind: What the pack knows of it.
        is_ordinary: It is an English word as well.
    """

    shown: str
    joined: str
    token_count: int
    about: str
    kind: NameKind
    is_ordinary: bool


@dataclass(frozen=True, slots=True)
class Mention:
    """A name in a question: tokens `start` to `end` (exclusive), and by how many edits it is misspelt."""

    name: Name
    start: int
    end: int
    edits: int


@dataclass(frozen=True, slots=True)
class Names:
    """Every name in a pack.

    Attributes:
        by_joined: Names by their spelling without blanks.
        correctable: Spellings that a misspelt word may be corrected to.
        is_english: Whether a word is English.
    """

    by_joined: dict[str, Name]
    correctable: tuple[str, ...]
    is_english: Callable[[str], bool]
    _prefixes: frozenset[str] = field(init=False, repr=False, compare=False)
    _positions: dict[str, int] = field(init=False, repr=False, compare=False)
    """Position of each spelling in `correctable`."""
    _lexicon: Lexicon = field(init=False, repr=False, compare=False)
    _cache: WordCache[tuple[Name | None, int]] = field(default_factory=WordCache, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        prefixes = (joined[:end] for joined in self.by_joined for end in range(1, len(joined) + 1))
        object.__setattr__(self, "_prefixes", frozenset(prefixes))
        object.__setattr__(self, "_positions", {joined: number for number, joined in enumerate(self.correctable)})
        object.__setattr__(self, "_lexicon", Lexicon.from_words(self.correctable, [0.0] * len(self.correctable)))

    def find(self, tokens: Sequence[str], budget: Budget = UNLIMITED) -> list[Mention]:
        """The names in a question's words, in order; of overlapping ones the first, and the longest that begins there."""
        mentions: list[Mention] = []
        unknown = [not self.is_english(word) for word in tokens]
        position = 0
        while position < len(tokens):
            mention = self._exact_at(tokens, position) or self._misspelt_at(tokens, unknown, position, budget)
            if mention is None:
                position += 1
                continue
            mentions.append(mention)
            position = mention.end
        return mentions

    def _exact_at(self, tokens: Sequence[str], start: int) -> Mention | None:
        if tokens[start] not in self._prefixes:
            return None
        for end in range(min(len(tokens), start + MAX_NAME_TOKENS), start, -1):
            name = self.by_joined.get("".join(tokens[start:end]))
            if name is not None and (end - start == name.token_count or self._may_be_split(tokens[start:end])):
                return Mention(name, start, end, 0)
        return None

    def _misspelt_at(
        self, tokens: Sequence[str], unknown: Sequence[bool], start: int, budget: Budget
    ) -> Mention | None:
        """A misspelt name: one unknown word, or two words of which one is unknown ("socet io").

        `unknown`: for each token, whether it isn't English.
        """
        for end in (start + 2, start + 1) if budget.pairs else (start + 1,):
            if end > len(tokens) or not any(unknown[start:end]):
                continue
            run = tokens[start:end]
            if any(word in self.by_joined for word in run[1:]) or not budget.as_typed.isdisjoint(run):
                continue
            first_unknown = run[0] if unknown[start] else run[1]
            if len(run) > 1 and (len(first_unknown) < 2 or not COMPARISON_WORDS.isdisjoint(run)):
                continue
            name, edits = self._nearest("".join(run))
            if name is not None and (len(run) == 1 or name.token_count > 1):
                return Mention(name, start, end, edits)
        return None

    def _nearest(self, word: str) -> tuple[Name | None, int]:
        """The name that a misspelt word is likeliest to be, and the edits it needs; cached."""
        return self._cache.get(word, self._find_nearest)

    def _find_nearest(self, word: str) -> tuple[Name | None, int]:
        allowed = max_name_edits(word)
        if not allowed:
            return None, 0
        near = [(edits, self._lexicon.words[number]) for number, edits in self._lexicon.nearest(word, allowed)]
        hits = sorted(near, key=lambda hit: (hit[0], self._positions[hit[1]]))[:MAX_NEAREST]
        ranked = sorted((edits, spelling[0] != word[0], spelling) for edits, spelling in hits)
        for edits, other_start, spelling in ranked:
            name = self.by_joined[spelling]
            if name.kind != "card" and (other_start or edits > 1 or len(spelling) < OTHER_KIND_LENGTH):
                continue
            if (
                edits <= max_name_edits(spelling)
                and not (other_start and (edits > 1 or len(spelling) <= ONE_EDIT_LENGTH))
                and (_is_one_misspelt(word, spelling) if edits == 1 else is_slip(word, spelling))
            ):
                return name, int(edits)
        return None, 0

    def _may_be_split(self, run: Sequence[str]) -> bool:
        """Whether words may be a name that is written apart ("fast api", "py qt"): two or more, none a single letter."""
        return len(run) > 1 and all(len(word) > 1 for word in run)


def _is_one_misspelt(word: str, spelling: str) -> bool:
    """Whether a word one edit away is the name: any wrong or missing letter is forgiven, another one only where a hand slips.

    "anvils" and "djanggo" are names of the pack, "anvilo" and "flaesk" are others.
    """
    return len(word) <= len(spelling) or word == spelling + "s" or is_slip(word, spelling)


_BEFORE_NAMES = frozenset(
    "is are does do can in vs versus or than with using use learn about like whats and best".split()
)
_AFTER_NAMES = frozenset(
    "vs versus or developer framework frameworks library language lang backend frontend have has".split()
)


def is_in_name_position(tokens: Sequence[str], mention: Mention) -> bool:
    """Whether an ordinary word stands where a name would: "is go frontend", "swift vs …", "in rust"."""
    before = tokens[mention.start - 1] if mention.start else ""
    after = tokens[mention.end] if mention.end < len(tokens) else ""
    return before in _BEFORE_NAMES or after in _AFTER_NAMES or len(tokens) == 1


def shown_names(mentions: Iterable[Mention]) -> tuple[str, ...]:
    """The names as the pack writes them, each once."""
    return tuple(dict.fromkeys(mention.name.shown for mention in mentions))


def name_positions(mentions: Iterable[Mention]) -> set[int]:
    """Positions of the tokens that are part of a name."""
    return {position for mention in mentions for position in range(mention.start, mention.end)}


def max_name_edits(word: str) -> int:
    """Edits that are allowed in a name of this length."""
    return 2 if len(word) >= TWO_EDITS_LENGTH else 1 if len(word) >= ONE_EDIT_LENGTH else 0


def names_of(knowledge: Knowledge, is_english: Callable[[str], bool]) -> Names:
    """Every name in a pack; of equal spellings a card's wins over a mentioned one, and both over one out of scope."""
    by_joined: dict[str, Name] = {}
    for name in _all_names(knowledge, is_english):
        if name.joined:
            by_joined.setdefault(name.joined, name)
    correctable = tuple(
        joined
        for joined, name in by_joined.items()
        if max_name_edits(joined) and not (name.kind != "card" and name.is_ordinary)
    )
    return Names(by_joined, correctable, is_english)


def _all_names(knowledge: Knowledge, is_english: Callable[[str], bool]) -> Iterable[Name]:
    subject = {word.casefold() for word in knowledge.subject}
    for entry in knowledge.entries:
        if isinstance(entry, Library):
            refused = Counter(word for text in entry.not_asks for word in set(words(text)))
            for spelling in (entry.name, *entry.aliases, *entry.name.replace(" and ", "|").split("|")):
                name = _name(spelling, entry.name, entry.id, "card", is_english)
                is_often_refused = name.token_count == 1 and refused[name.joined] >= OFTEN_REFUSED
                yield replace(name, is_ordinary=True) if is_often_refused else name
    for entry in knowledge.entries:
        for spelling in entry.names:
            yield _name(spelling, spelling, entry.id, "mentioned", is_english)
    ordinary = set(knowledge.out_of_scope.ordinary_names)
    for spelling in (*knowledge.out_of_scope.names, *knowledge.out_of_scope.ordinary_names):
        if spelling.casefold() not in subject:
            tokens = words(clean(spelling))
            yield Name(spelling, "".join(tokens), len(tokens), spelling, "out_of_scope", spelling in ordinary)


def _name(spelling: str, shown: str, about: str, kind: NameKind, is_english: Callable[[str], bool]) -> Name:
    tokens = words(clean(spelling))
    is_ordinary = len(tokens) == 1 and is_english(tokens[0])
    return Name(shown, "".join(tokens), len(tokens), about, kind, is_ordinary)
