"""Attributes: what a question wants to know of a card, where it is one thing ("is it free?", "how do I install it?").

The phrases that ask are plain English, the same for every pack; what a card says is the pack's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.model import Attribute, Knowledge, Library
from bot.text import normalize_phrase, stem, words
from bot.understanding.question_type import STOPWORDS


@dataclass(frozen=True, slots=True)
class Cues:
    """Phrases about one attribute. `asks`: those that ask for it; `statements`: those that state it in an entry's text."""

    asks: str
    statements: str


_CUES = {
    "install": Cues("install installing installation setup pip", ""),
    "docs": Cues("docs doc documentation manual reference", ""),
    "homepage": Cues("homepage website site link links url", ""),
    "licence": Cues(
        "free license licence licensed licensing gratis cost costs price pricing paid pay commercial opensource open_source",
        "open_source license licence licensed free commercial gpl price paid cost",
    ),
    "version": Cues(
        "version versions release releases released latest newest update updated maintained maintenance abandoned dead alive "
        "outdated deprecated discontinued still_active",
        "release released version archived abandoned maintained discontinued renamed",
    ),
    "maker": Cues(
        "who_made who_makes who_created who_develops who_developed who_maintains who_wrote who_invented who_built who_owns "
        "who_is_behind whos_behind maker makers author authors creator inventor",
        "made_by created_by author creator maintained_by developed_by company written_by",
    ),
    "speed": Cues(
        "fast faster speed performance performant slow quick",
        "fast performance performant speed quick slow",
    ),
    "ease": Cues(
        "hard difficult easy easier simple beginner beginners difficulty complicated learning_curve beginner_friendly",
        "easy simple difficult beginner beginners ease",
    ),
}
"""By attribute; an underscore stands for a blank. A new attribute also needs its words in ATTRIBUTE_WORDS."""

ATTRIBUTE_WORDS = frozenset(
    """install installation docs documentation homepage website link example examples side kind pros cons features good
    bad backend frontend fast slow free async version latest release released license licence difference capabilities
    alternatives for when more details detail info elaborate again step steps summary hard difficult easy easier simple
    beginner beginners maintained author maker creator cost costs price open source long take takes behind setup pip
    difficulty complicated performance speed maintains created developed wrote made company popular worth
    learn learning understand""".split()
)
"""Words that ask about an entry that was shown, without naming it; most of them ask for an attribute of _CUES."""

CUE_WORDS = frozenset(word for cues in _CUES.values() for word in cues.asks.replace("_", " ").split())
"""Words of the phrases that ask for an attribute."""

MAX_OTHER_WORDS = 1
"""Words allowed beside names, stopwords and the phrase itself; with more, it is a story, not a question for one attribute."""

_YES_NO_STARTS = frozenset("is are does do can has have will was so and or but".split())


def attribute_of(tokens: Sequence[str], other_tokens: Sequence[str], knowledge: Knowledge) -> Attribute | None:
    """The attribute that a question asks for, or None.

    Args:
        tokens: The question's words.
        other_tokens: Those that aren't part of a name.
        knowledge: The pack; "is it async?" asks for one of its groups.
    """
    text = f" {' '.join(tokens)} "
    for name, cues in _CUES.items():
        asked = [phrase for phrase in _phrases(cues.asks) if f" {phrase} " in text]
        asked_words = [word for phrase in asked for word in phrase.split()]
        if asked and _count_other(other_tokens, asked_words) <= MAX_OTHER_WORDS:
            return Attribute(name, tuple(_phrases(cues.statements)))
    if not tokens or (tokens[0] not in _YES_NO_STARTS and "support" not in tokens and "supports" not in tokens):
        return None
    sides = {entry.side for entry in knowledge.entries if isinstance(entry, Library)}
    for group in knowledge.groups:
        named = [phrase for word in group.words if f" {(phrase := ' '.join(words(word)))} " in text]
        named_words = [word for phrase in named for word in phrase.split()]
        if named and not group.all and not _count_other(other_tokens, named_words, sides):
            name = "side" if group.id in sides else "group"
            return Attribute(name, tuple(dict.fromkeys(normalize_phrase(word) for word in group.words)), group.id)
    return None


def _count_other(
    tokens: Sequence[str], phrase_words: Sequence[str], ignored: set[str] | frozenset[str] = frozenset()
) -> int:
    """How many words are neither stopwords nor about an attribute, nor of these."""
    stems = {stem(word) for word in phrase_words}
    return sum(
        word not in STOPWORDS and word not in ATTRIBUTE_WORDS and stem(word) not in stems and word not in ignored
        for word in tokens
    )


def _phrases(listed: str) -> list[str]:
    return [phrase.replace("_", " ") for phrase in listed.split()]
