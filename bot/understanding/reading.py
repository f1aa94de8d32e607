"""Readings: a message is read as a whole and by its parts; each reading has its words, names, question type and ranking."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from rapidfuzz.distance import OSA

from bot.model import Correction
from bot.retrieval.english import english
from bot.retrieval.index import Ranking
from bot.retrieval.spelling import UNLIMITED, Budget
from bot.text import sentences, words
from bot.understanding.cues import FOLLOWUP_WORDS, is_typo
from bot.understanding.languages import function_words
from bot.understanding.names import Mention, NameKind, Names
from bot.understanding.question_type import STOPWORDS, QuestionType, question_type_of
from bot.understanding.small_words import SmallWords

SHORT = 9
"""Words up to which a sentence isn't divided into clauses."""
MIN_CLAUSE = 4
"""Words of the shortest clause that is read by itself."""
MAX_SENTENCES = 12
"""Sentences that are read one by one, from the end, where the question stands in most long messages."""
MAX_PARTS = 16
"""Readings of one message: each costs a millisecond, and everybody waits for it."""
LONG = 600
"""Characters of a message beyond which fewer of its parts are read: some 100 words."""
MAX_LONG_PARTS, MAX_LONG_CHARACTERS = 7, 1_300
"""Readings of such a message, and characters of its parts together."""
DEPENDENT_PENALTY = 5.0
"""Log-odds subtracted from a part that depends on the rest of its message (`is_dependent`)."""
AGREEMENT_BONUS = 0.5
"""Log-odds gained where the whole of a long message and a part of it rank the same target first. At 2, questions near to a pack
without an answer in it were answered twice as often; 0 to 1 measured alike."""
WHOLE_SHARE = 0.5
"""Of a part with higher log-odds than the whole message, the share of the difference that is subtracted: "any hint is welcome"
may be part of a message about anything."""
MIN_CONTENT = 2
"""Content words without which a part of a longer message says nothing by itself ("What would you suggest?")."""
CERTAIN_LENGTH = 7
"""Letters from which the correction of a word is accepted, however little it resembles the word (`unrecognized_word`)."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read a message: all of it, or a part.

    Attributes:
        text: The cleaned text.
        tokens: Its words, slips in small words corrected.
        mentions: The names in it.
        question_type: What kind of answer it asks for.
        ranking: The index's ranking.
        is_whole: Whether it is the whole message.
        agrees: Another reading of the message ranks the same target first.
        whole_log_odds: Of a part: the log-odds of the whole message.
        whole_tokens: Of a part: the words of the whole message.
        domain_score: Of a text with a card's name that is an ordinary word too: see `out_of_scope.domain_score`; else 0.
        slips: The slips in small words.
        language: The message's language; see `languages.language_of`.
    """

    text: str
    tokens: tuple[str, ...]
    mentions: tuple[Mention, ...]
    question_type: QuestionType
    ranking: Ranking
    is_whole: bool
    agrees: bool = False
    whole_log_odds: float | None = None
    whole_tokens: tuple[str, ...] = ()
    domain_score: float = 0.0
    slips: tuple[Correction, ...] = ()
    language: str = ""

    @property
    def content_count(self) -> int:
        """Number of words that aren't stopwords."""
        return sum(token not in STOPWORDS for token in self.tokens)

    @property
    def is_dependent(self) -> bool:
        """Whether a short part points at the rest of its message: "is this something I need", "which one would you take"."""
        if self.is_whole or self.mentions or len(self.tokens) > SHORT + 3:
            return False
        return self.question_type.refers_back or (self.question_type.wants_one and len(self.tokens) <= SHORT)

    @property
    def log_odds(self) -> float:
        """The index's log-odds, reduced where a part says little by itself or the rest of its message speaks against it."""
        own = self.ranking.log_odds
        own = own - (DEPENDENT_PENALTY if self.is_dependent else 0.0) + (AGREEMENT_BONUS if self.agrees else 0.0)
        if self.whole_log_odds is None or self.ranking.is_exact:
            return own
        return own - WHOLE_SHARE * max(own - self.whole_log_odds, 0.0)

    @property
    def among_log_odds(self) -> float:
        """The log-odds that the right target is among the first three, reduced like `log_odds`."""
        return self.ranking.among_log_odds - (DEPENDENT_PENALTY if self.is_dependent else 0.0)

    @property
    def foreign_words(self) -> tuple[str, ...]:
        """English words, as typed, that the pack doesn't have and that aren't stopwords."""
        corrected = {read_as for _, read_as in self.ranking.corrections}
        unknown = (unknown.word for unknown in self.ranking.unknown_words if unknown.is_english)
        return tuple(word for word in unknown if word not in STOPWORDS and word not in corrected)

    @property
    def is_filler(self) -> bool:
        """Whether it is a part without content of its own: greetings, thanks, "what would you suggest"."""
        return not self.is_whole and self.content_count < MIN_CONTENT and not self.mentions

    def mentions_of(self, kind: NameKind) -> list[Mention]:
        """The names of one kind, in order."""
        return [mention for mention in self.mentions if mention.name.kind == kind]


def read(
    text: str,
    names: Names,
    rank: Callable[[Sequence[str], Sequence[str]], Ranking],
    domain_score: Callable[[Sequence[str]], float],
    is_whole: bool,
    small_words: SmallWords,
    language: str = "",
    budget: Budget = UNLIMITED,
) -> Reading:
    """Read a cleaned text.

    Args:
        text: All of a message, or a part of it.
        names: The pack's names.
        rank: Ranks by a text's words as typed and, where those aren't a whole phrase, by the second argument's words.
        domain_score: Of a text's words; asked only where a card's name is an ordinary word.
        is_whole: Whether the text is the whole message.
        small_words: Corrects slips in small words.
        language: The message's language; English small words are looked for in English alone.
        budget: What reading may cost.
    """
    typed = words(text)
    meant, slips = small_words.correct(typed, budget.as_typed.__contains__) if not language else (tuple(typed), ())
    tokens = _with_than(meant)
    mentions = tuple(names.find(tokens, budget))
    joined = _with_joined_names(tokens, mentions)
    ranked = meant if joined == tokens else words(" ".join(joined))
    if language:  # the phrasings lack its function words
        ranked = [word for word in ranked if word not in function_words(language)] or ranked
    ranking = rank(typed, ranked if slips or language or joined != tokens else typed)
    is_doubtful = any(mention.name.is_ordinary and mention.name.kind == "card" for mention in mentions)
    score = domain_score(typed) if is_doubtful else 0.0
    question_type = question_type_of(text, tokens)
    return Reading(
        text=text,
        tokens=tokens,
        mentions=mentions,
        question_type=question_type,
        ranking=ranking,
        is_whole=is_whole,
        domain_score=score,
        slips=slips,
        language=language,
    )


_COMPARATIVES = frozenset(
    """better worse faster slower quicker easier harder simpler lighter heavier bigger smaller newer older safer cheaper
    stronger nicer more less rather different""".split()
)


def _with_than(tokens: Sequence[str]) -> tuple[str, ...]:
    """The words, with "then" corrected to "than" behind a comparative."""
    if "then" not in tokens:
        return tuple(tokens)
    return tuple(
        "than" if word == "then" and not _COMPARATIVES.isdisjoint(tokens[max(0, position - 2) : position]) else word
        for position, word in enumerate(tokens)
    )


def _with_joined_names(tokens: tuple[str, ...], mentions: Sequence[Mention]) -> tuple[str, ...]:
    """The words, with names that are written apart ("py script") as the pack writes them."""
    if not mentions:
        return tokens
    result = list(tokens)
    for mention in reversed(mentions):
        if mention.end - mention.start > mention.name.token_count and not mention.edits:
            result[mention.start : mention.end] = [mention.name.joined]
    return tuple(result)


def unrecognized_word(reading: Reading) -> str:
    """A word that was corrected to one of the pack's but is hardly like it: "hapi" is not "api". Empty if there is none."""
    for typed, read_as in reading.ranking.corrections:
        is_similar = typed[0] == read_as[0] and OSA.distance(typed, read_as) == 1
        is_known = typed in FOLLOWUP_WORDS or typed in english() or is_typo(typed)
        if not is_known and not is_similar and len(typed) < CERTAIN_LENGTH:
            return typed
    return ""


def mark_agreement(readings: Sequence[Reading]) -> list[Reading]:
    """The readings of a message, the whole first, with `agrees`, `whole_log_odds` and `whole_tokens` set.

    A part agrees if it ranks the same target first as the whole; the whole agrees if any part does.
    """
    first = [r.ranking.candidates[0].target_index if r.ranking.candidates else -1 for r in readings]
    has_content = [r.content_count >= MIN_CONTENT and not r.is_dependent for r in readings]
    agrees = [
        has_content[0] and has_content[number] and target == first[0] and r.tokens != readings[0].tokens
        for number, (r, target) in enumerate(zip(readings, first, strict=True))
    ]
    agrees[0] = any(agrees[1:])
    whole = replace(readings[0], agrees=agrees[0])
    log_odds, tokens = whole.log_odds, whole.tokens
    parts = zip(readings[1:], agrees[1:], strict=True)
    return [whole, *(replace(r, agrees=a, whole_log_odds=log_odds, whole_tokens=tokens) for r, a in parts)]


def split_message(text: str) -> list[str]:
    """The whole text first, then parts that may be the question: sentences, clauses of long ones, neighbouring sentences."""
    listed, clauses = sentences(text)[-MAX_SENTENCES:], dict[str, list[str]]()
    for sentence in listed:
        if len(words(sentence)) > SHORT:
            clauses[sentence] = [c.strip() for c in _clauses(sentence) if len(words(c)) >= MIN_CLAUSE]
    pairs = [f"{first} {second}" for first, second in pairwise(listed)]
    ordered = [text, *(part for one in listed for part in (one, *clauses.get(one, ()))), *pairs]
    parts = list(dict.fromkeys(ordered))
    return parts[:MAX_PARTS] if len(text) <= LONG else _limited(parts, [listed, *clauses.values(), pairs])


def _limited(parts: Sequence[str], kinds: Sequence[Sequence[str]]) -> list[str]:
    """A long text and those of its parts that are read: the first kind before the next, and of each kind the last first."""
    kept, characters_left = {parts[0]}, MAX_LONG_CHARACTERS
    for part in (part for kind in kinds for part in reversed(kind)):
        if part not in kept and len(part) <= characters_left and len(kept) < MAX_LONG_PARTS:
            kept.add(part)
            characters_left -= len(part)
    return [part for part in parts if part in kept]


def _clauses(sentence: str) -> Sequence[str]:
    for mark in (";", ":", " - ", ", "):
        sentence = sentence.replace(mark, "\0")
    return sentence.split("\0")
