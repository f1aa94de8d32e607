"""Names that nobody listed: a word that is neither the pack's nor a slip of one of its words, where a name stands.

No list of names decides. What counts is where the word stands ("X or Flask", "what is X", "X, good web framework?"), what English
and the pack know of it, and what a hand would have to do to type it instead of a word that they know.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from bot.markdown import parse, plain
from bot.model import Entry, Knowledge, Library
from bot.redact import redact
from bot.retrieval.english import FUNCTION_WORDS, English, WordCache
from bot.retrieval.spelling import Lexicon, SpellingCorrector, english_lexicon, max_edits
from bot.text import stem, words, words_as_typed
from bot.understanding.attributes import ATTRIBUTE_WORDS
from bot.understanding.cues import FOLLOWUP_WORDS
from bot.understanding.names import name_positions
from bot.understanding.question_type import KIND_NOUNS, QUESTION_STARTS, STOPWORDS
from bot.understanding.reading import Reading
from bot.understanding.slips import is_slip

MIN_LETTERS = 3
"""Letters from which a word may be a new name wherever it stands; a shorter one counts as an English word."""
MAX_TOKENS = 25
"""Words of a message up to which unknown names are looked for; a longer one tells a story, and most of its words are scenery."""
MAX_LETTERS, MAX_DIGITS = 16, 2
"""Letters and digits of the longest name: what is longer, or mostly digits, may be a key, and a reply repeats the name."""
MAX_LETTERS_WITH_DIGIT, MAX_LETTERS_MIXED = 12, 6
"""Letters of the longest name with a digit in it, and of one with an upper-case letter inside as well."""
MIN_NUMBERED = 5
"""Letters from which an English word with digits behind it is likelier a password than a name: "hunter2", but not "vue3"."""
MIN_HALF = 3
"""Letters of each of two words that stand in one ("treehouse"); of function words ("letsme") two are enough."""
COMMON_WORD, COMMON_SHORT_WORD = 5.5, 4.5
"""-log10 of an English word's share up to which it may be one of the two, and of one of MIN_HALF letters ("or" and "mar")."""
MISSPELT_RARITY = 4.8
"""-log10 of an English word's share up to which a word may be a slip of it: "mangum" is hardly meant for "magnum"."""

INFLECTIONS = ("s", "es", "d", "ed", "ing", "r", "er", "ly")
"""Endings by which a word is still the pack's: "orms" is "orm", while "hug" isn't "huge"."""
MIN_INFLECTED = 5
"""Letters of the shorter of two words of one stem from which both may have an ending ("styling", "styled")."""
MANY_CORRECTIONS = 2
"""Corrected words of a message from which a new word is likelier another slip than a name ("whybis python so popualr")."""
NAME_RARITY = 4.2
"""-log10 of an English word's share from which a word is said on it beside a card, though it may be no name: the pack never
says it. `finding_factory.SPECIAL_RARITY` is the same, for words that the card doesn't have."""

WordClass = Literal["known", "english", "misspelt", "compound", "new"]
"""What is known of a word: the pack has it, or nearly; English has it; it is a slip of English words ("withoutsql");
it is two common words in one ("treehouse"), as many names are; nothing."""


@dataclass(frozen=True, slots=True)
class UnknownName:
    """A name that the pack doesn't have.

    Attributes:
        shown: As it was typed.
        start, end: Its tokens, `end` exclusive.
        is_subject: The question is about it, and about anything else only beside it.
        is_compared: It is one side of a comparison.
        word_class: What is known of it as a word.
        is_special: It is worth a word.
        is_in_place: It stands where a name does, so that it is worth one also where something else answers.
    """

    shown: str
    start: int
    end: int
    is_subject: bool
    is_compared: bool
    word_class: WordClass
    is_special: bool
    is_in_place: bool = True


class UnknownNames:
    """Finds names that one pack doesn't have.

    Args:
        knowledge: The pack.
        spelling: Its spelling corrector, which knows the words of its phrasings.
        english: The English word list.
    """

    def __init__(self, knowledge: Knowledge, spelling: SpellingCorrector, english: English) -> None:
        self._knowledge = knowledge
        self._spelling = spelling
        self._english = english
        self._has_cards = any(isinstance(entry, Library) for entry in knowledge.entries)
        self._subject = {word for name in knowledge.subject for word in words(name)}
        self._cache = WordCache[WordClass]()
        self._edited_words: Mapping[str, Sequence[str]] = {}
        """By stem: words of what a workspace added."""

    def with_entries(self, entries: Iterable[Entry]) -> UnknownNames:
        """The same for a pack with more topics, whose words are known. All else is shared."""
        edited, by_stem = copy(self), dict[str, list[str]]()
        for word in {word for entry in entries for text in _entry_texts(entry) for word in words(text)}:
            by_stem.setdefault(stem(word), []).append(word)
        edited._edited_words = {key: tuple(same) for key, same in by_stem.items()}
        return edited

    def prepare(self) -> None:
        """Compute now what the first question with an unknown word needs."""
        self._words_by_stem, self._kind_words, self._known_words  # noqa: B018  cached properties

    def find(self, reading: Reading) -> list[UnknownName]:
        """The unknown names in a reading, in order.

        None where the pack has no cards, so that names don't matter in it, nor in another language, whose words aren't known.
        """
        if not self._has_cards or len(reading.tokens) > MAX_TOKENS or reading.language:
            return []
        named = name_positions(reading.mentions)
        cards = name_positions(reading.mentions_of("card"))
        names: list[UnknownName] = []
        for position, token in enumerate(reading.tokens):
            if position in named or (names and position < names[-1].end):
                continue
            if self.word_class(token) == "known":
                if self._is_one_side(reading, position, cards):
                    names.append(UnknownName(token, position, position + 1, True, True, "english", is_special=False))
                continue
            if (name := self._name_at(reading, position, cards)) is not None:
                names.append(name)
        return names

    def stands_as_name(self, reading: Reading, start: int, end: int) -> bool:
        """Whether an ordinary word that is the name of something stands where a question's subject does."""
        cards = name_positions(reading.mentions_of("card"))
        is_compared = self._is_compared(reading.tokens, start, end, cards, "english")
        return is_compared or self._is_asked_about(reading, start, end, "english")

    # --- what is known of a word

    def word_class(self, word: str) -> WordClass:
        """What is known of a word."""
        if self._edited_words and _is_form_of_one(word, self._edited_words.get(stem(word), ())):
            return "known"
        return self._cache.get(word, self._classify)

    def _classify(self, word: str) -> WordClass:
        if not 1 < len(word) <= MAX_LETTERS or not (word[0].isalpha() and word.isalnum() and word.isascii()):
            return "known"
        if sum(map(str.isdigit, word)) > MAX_DIGITS:
            return "known"
        if word in FOLLOWUP_WORDS or word in QUESTION_STARTS or word in _VERBS or self._is_ours(word):
            return "known"
        if len(word) < MIN_LETTERS:
            return "known" if word[::-1] in FOLLOWUP_WORDS else "english"
        if word in self._english:
            return "english"
        if _slips(word, self._known_words):
            return "known"
        if halves := self._halves(word):
            return "compound" if FUNCTION_WORDS.isdisjoint(halves) else "misspelt"
        slips = _slips(word, english_lexicon())
        return "misspelt" if any(self._english.rarity_of(other) <= MISSPELT_RARITY for other in slips) else "new"

    def _is_ours(self, word: str) -> bool:
        """Whether the pack has the word, in a phrasing or in an answer."""
        if word in self._spelling.pack_words or word in self._text_words:
            return True
        return _is_form_of_one(word, self._words_by_stem.get(stem(word), ()))

    def _halves(self, word: str) -> tuple[str, str] | None:
        """The two common words that stand in one, the first as short as possible; None if there are none."""
        halves = ((word[:cut], word[cut:]) for cut in range(2, len(word) - 1))
        return next(
            (pair for pair in halves if all(map(self._is_common, pair)) or FUNCTION_WORDS.issuperset(pair)), None
        )

    def _is_common(self, word: str) -> bool:
        if len(word) < MIN_HALF:
            return False
        rarest = COMMON_WORD if len(word) > MIN_HALF else COMMON_SHORT_WORD
        return word in self._spelling.pack_words or self._english.rarity_of(word) <= rarest

    @cached_property
    def _text_words(self) -> frozenset[str]:
        """The words of the pack's texts: a name in them isn't unknown to the pack."""
        return frozenset(word for text in _texts(self._knowledge) for word in words(text))

    @cached_property
    def _words_by_stem(self) -> Mapping[str, list[str]]:
        """The pack's words by their stem."""
        by_stem: dict[str, list[str]] = {}
        for word in self._spelling.pack_words | self._text_words:
            by_stem.setdefault(stem(word), []).append(word)
        return by_stem

    @cached_property
    def _known_words(self) -> Lexicon:
        """The words of the pack's phrasings and those of any conversation, of which a word may be a slip."""
        listed = [word for word in self._spelling.pack_words | FOLLOWUP_WORDS if len(word) >= MIN_LETTERS]
        return Lexicon.from_words(sorted(listed), [0.0] * len(listed))

    @cached_property
    def _kind_words(self) -> frozenset[str]:
        """Words for a kind of thing, before which a new word is the name of one: the groups' words, "framework", "library"."""
        group_words = (word for group in self._knowledge.groups for name in group.words for word in words(name))
        return (frozenset(group_words) | KIND_NOUNS) - self._subject

    # --- where it stands

    def _name_at(self, reading: Reading, start: int, cards: Collection[int]) -> UnknownName | None:
        """The name that begins with an unknown word, if a name would stand there."""
        tokens, as_typed = reading.tokens, _as_typed(reading.text)
        has_ending = start + 1 < len(tokens) and tokens[start + 1] in _ENDINGS
        end = start + 2 if has_ending else start + 1
        word_class = "new" if has_ending else self.word_class(tokens[start])
        others = {typed for typed, _ in reading.ranking.corrections} - {tokens[start]}
        is_hasty = len(others) >= MANY_CORRECTIONS
        if word_class == "new" and is_hasty:
            word_class = "misspelt"
        is_compared = self._is_compared(tokens, start, end, cards, word_class)
        is_of_card = end < len(tokens) and tokens[end] in _PART_OF and end + 1 in cards  # "what is X in Django"
        is_asked_about = not is_of_card and self._is_asked_about(reading, start, end, word_class)
        is_subject = is_compared or is_asked_about
        is_compared |= is_asked_about and any(tokens[place - 1] in _LIKE for place in cards if place > end)
        is_special = word_class != "english" or (bool(cards) and self._english.rarity_of(tokens[start]) >= NAME_RARITY)
        may_be_beside = word_class != "new" and is_special and not is_hasty
        is_beside = word_class == "new" or (may_be_beside and _is_beside(tokens, start, end))
        if not is_subject and not is_beside:
            return None
        parts = [as_typed.get(token, "") for token in tokens[start:end]]
        if not all(parts) or any(map(self._may_be_secret, parts)):
            return None
        shown = ".".join(parts)
        is_in_place = is_subject or word_class != "new" or self._is_in_place(reading, start, end)
        return UnknownName(shown, start, end, is_subject, is_compared, word_class, is_special, is_in_place)

    def _is_in_place(self, reading: Reading, start: int, end: int) -> bool:
        """Whether a name stands there: behind "with", "or", "like" or before "framework", and not in an aside at the end."""
        tokens = reading.tokens
        is_behind = start > 0 and tokens[start - 1] in _BEFORE_NAME
        if not is_behind and self._kind_words.isdisjoint(tokens[end : end + 1]):
            return False
        aside = len(tokens) - len(words(reading.text.rpartition(",")[2])) if "," in reading.text else 0
        is_in_aside = 0 < aside <= start and all(mention.start < aside for mention in reading.mentions_of("card"))
        return not is_in_aside or start <= aside + 1  # ", or X" is none

    def _may_be_secret(self, typed: str) -> bool:
        """Whether a typed word looks like a key or a password, which a reply mustn't repeat."""
        if redact(typed) != typed:
            return True
        if not any(map(str.isdigit, typed)):
            return False
        word = typed.casefold()
        is_mixed = not typed.isupper() and typed[1:] != word[1:]
        if len(word) > (MAX_LETTERS_MIXED if is_mixed else MAX_LETTERS_WITH_DIGIT):
            return True
        base = word.rstrip("0123456789")
        is_numbered = base != word and len(base) >= MIN_NUMBERED and base in self._english
        return is_numbered or (len(word) >= MIN_NUMBERED and word.translate(_DIGITS_FOR_LETTERS) in self._english)

    def _is_asked_about(self, reading: Reading, start: int, end: int, word_class: WordClass) -> bool:
        """Whether a question asks about the word: "what is X", "is X ...", "X, good web framework?", "X web framework"."""
        tokens = reading.tokens
        lead = next((place for place, token in enumerate(tokens) if token not in _LEAD_WORDS), 0)
        before, after = " ".join(tokens[lead:start]), tokens[end] if end < len(tokens) else ""
        is_new, is_followed = word_class == "new", after in STOPWORDS or after in FUNCTION_WORDS
        if before in _ASKING:
            return is_new or not after or is_followed
        if before in _AUXILIARIES and after:
            is_last = after in self._kind_words or after in ATTRIBUTE_WORDS
            return is_new or is_followed or after in _VERBS or (is_last and end + 1 == len(tokens))
        if start and tokens[start - 1] in _NAMING:
            return True
        if word_class == "english":
            return False
        if start and tokens[start - 1] in _ONE_DOES and word_class in ("new", "compound"):  # "which driver does X use"
            return is_followed or after in _VERBS
        if not before and after:
            is_set_off = _is_set_off(tokens[end - 1], reading.text)
            is_topic = word_class == "compound" and (after in _AFTER_TOPIC or after in ATTRIBUTE_WORDS)
            if is_new or is_set_off or is_topic:
                return True
        if word_class == "misspelt":
            return after in KIND_NOUNS and start > 0 and tokens[start - 1] == "the"
        return after in self._kind_words and (not start or tokens[start - 1] not in _DETERMINERS)

    def _is_one_side(self, reading: Reading, place: int, cards: Collection[int]) -> bool:
        """Whether a word of the pack is all of one side of "panel or Dash", and so a name: the other side is a card."""
        tokens = reading.tokens
        word = tokens[place]
        if word in FOLLOWUP_WORDS or word in self._kind_words or word in self._subject or word not in self._english:
            return False
        lead = next((number for number, token in enumerate(tokens) if token not in _LEAD_WORDS), 0)
        is_first = place == lead and place + 2 in cards and tokens[place + 1] in _AGAINST_OR
        is_second = (
            place + 1 == len(tokens) and place == lead + 2 and tokens[place - 1] in _AGAINST_OR and lead in cards
        )
        return is_first or is_second

    def _is_compared(
        self, tokens: tuple[str, ...], start: int, end: int, cards: Collection[int], word_class: WordClass
    ) -> bool:
        """Whether it is one side of "X or Flask", "better than X", "from Flask to X"; an English word only if it is all of it."""

        def ends_side(place: int) -> bool:
            return not 0 <= place < len(tokens) or tokens[place] in STOPWORDS or tokens[place] in FUNCTION_WORDS

        def is_ours(place: int) -> bool:
            return place in cards or (0 <= place < len(tokens) and tokens[place] in self._subject)

        before = tokens[start - 1] if start else ""
        if end < len(tokens) and tokens[end] in self._kind_words and word_class != "english":
            end += 1  # "X ORM or SQLAlchemy"
        if end < len(tokens) and tokens[end] in _COMPARING and is_ours(end + 1):
            return ends_side(start - 1) or before in FOLLOWUP_WORDS
        if (tokens[end : end + 1] == ("over",) and is_ours(end + 1)) or (
            tokens[end : end + 2] == ("instead", "of") and is_ours(end + 2)
        ):
            return True
        is_behind = (before in _COMPARING and is_ours(start - 2)) or (before in _AGAINST and bool(cards))
        is_moved_to = before == "to" and "from" in tokens[:start] and is_ours(start - 2)
        return (is_behind or is_moved_to) and (word_class != "english" or ends_side(end))


def _as_typed(text: str) -> Mapping[str, str]:
    """By word, how it was typed first, without a possessive 's; only those that are one word typed by itself."""
    result: dict[str, str] = {}
    for typed in words_as_typed(text):
        if len(own := words(typed)) == 1:
            result.setdefault(own[0], typed[: len(own[0])] if typed[-2:].casefold() == "'s" else typed)
    return result


def _is_beside(tokens: Sequence[str], start: int, end: int) -> bool:
    """Whether a word stands alone behind a preposition: "use Flask with X", "run it on X for now"."""
    is_alone = end == len(tokens) or tokens[end] in STOPWORDS or tokens[end] in FUNCTION_WORDS
    return start > 0 and tokens[start - 1] in _BESIDE and is_alone


def _is_set_off(word: str, text: str) -> bool:
    """Whether a mark follows a word: "X, any good?"."""
    _, found, behind = text.casefold().partition(word)
    return bool(found) and behind[:1] in (",", ":", ";", ".", "?", "!")


def _is_inflection(word: str, other: str) -> bool:
    """Whether one of two words with the same stem is the other with an ending, or both have one."""
    shorter, longer = sorted((word, other), key=len)
    if not longer.startswith(shorter):
        return min(len(word), len(other)) >= MIN_INFLECTED
    return longer[len(shorter) :] in INFLECTIONS


def _slips(word: str, lexicon: Lexicon) -> list[str]:
    """The words that somebody may have meant who typed this one, or its plural."""
    allowed = max_edits(word)
    near = (lexicon.words[number] for number, _ in lexicon.nearest(word, allowed)) if allowed else ()
    return [other for other in near if is_slip(word, other) or (word[-1] == "s" and is_slip(word[:-1], other))]


def _is_form_of_one(word: str, others: Iterable[str]) -> bool:
    """Whether a word is one of some words of its stem, or an inflection of one."""
    return any(word == other or _is_inflection(word, other) for other in others)


def _entry_texts(entry: Entry) -> Iterable[str]:
    """Every text of an entry that says something about it."""
    yield from (
        entry.title,
        entry.plain_answer,
        *entry.names,
        *(plain(parse(note.text), addresses=False) for note in entry.notes),
    )
    if entry.curated:
        yield from entry.asks  # the index may not have them
    if isinstance(entry, Library):
        yield from (entry.name, *entry.aliases, entry.what, entry.summary, *entry.good_for, entry.package)


def _texts(knowledge: Knowledge) -> Iterable[str]:
    """Every text of a pack that says something about its entries."""
    for entry in knowledge.entries:
        yield from _entry_texts(entry)
    for group in knowledge.groups:
        yield from (group.title, group.label, *group.words)
    for canonical, variants in knowledge.synonyms.items():
        yield from (canonical, *variants)


def _phrases(listed: str) -> frozenset[str]:
    return frozenset(phrase.replace("_", " ") for phrase in listed.split())


_DIGITS_FOR_LETTERS = str.maketrans("013457", "oleast")
"""What digits stand for in passwords: "passw0rd"."""
_LEAD_WORDS = frozenset("so and but ok okay hey hi hello please pls um well also then now".split())
_AUXILIARIES = frozenset("is does do can could will would has was did should isnt doesnt cant wont".split())
_ASKING = _phrases(
    """what_is whats what_was what_does what_exactly_is who_is whos who_made who_makes who_wrote who_maintains who_created
    who_develops who_developed who_invented who_built who_owns who_is_behind whos_behind explain define describe
    tell_me_about tell_me_what how_does how_do how_is how_can know do_you_know do_you_know_about know_about heard_of
    have_you_heard_of meaning_of definition_of anything_on info_on what_licence_has what_can where_is when_was why_is why_does
    how_popular_is how_old_is how_fast_is how_big_is how_hard_is how_good_is how_expensive_is how_mature_is how_stable_is
    how_heavy_is how_small_is why_would_i_use what_about how_about does_anyone_use does_anybody_use does_anyone_remember
    is_anyone_using anyone_using anyone_still_using should_i_use should_we_use should_i_learn can_i_use can_we_use
    should_i_switch_to should_we_switch_to"""
)
"""Words right before the thing that a question asks about, without an article."""
_VERBS = frozenset(
    """support supports run runs compile compiles call calls export exports scale scales handle handles speak speaks talk
    talks come comes ship ships replace replaces render renders integrate integrates build builds generate generates store
    stores send sends connect connects depend depends cost costs offer offers include includes provide provides beat exist
    exists play plays let lets allow allows serve serves require requires""".split()
)
"""Verbs after a thing that has a name: "does X support ..."."""
_PART_OF = frozenset("in of for with".split())
_BESIDE = frozenset("with via using through behind under on plus".split())
_BEFORE_NAME = frozenset("is does do use using in into like unlike than vs versus v or and from to".split()) | _BESIDE
"""Words right before a name that a question isn't about."""
_ONE_DOES = frozenset("does did is was".split())
_LIKE = frozenset("like unlike than vs versus".split())
_NAMING = frozenset("called named".split())
_COMPARING = frozenset("vs versus v or than and".split())
_AGAINST_OR = frozenset("or vs versus".split())
_AGAINST = frozenset("vs versus v than".split())
_DETERMINERS = frozenset("a an any some which what best good".split())
"""Words after which "X framework" may describe a kind of framework."""
_AFTER_TOPIC = frozenset("for as in with is has anyone anybody".split())
"""Words after a name that opens a message: "X for web apps, anyone?"."""
_ENDINGS = frozenset("js py".split())
"""Second words of names: "vuelo.js"."""
