"""Attributes: the single field or fact of a card that a question asks for ("is it free?", "how do I install it?").

The phrases that ask are plain English, the same for every pack; what a card says is the pack's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.model import NEWS, Attribute, Knowledge, Library
from bot.text import normalize_phrase, stem, words
from bot.understanding.question_type import STOPWORDS


@dataclass(frozen=True, slots=True)
class Cues:
    """Phrases for one attribute, with an underscore for a blank inside a phrase.

    `asks`: phrases of questions for it. `statements`: phrases of the sentences and notes that answer them; "": only a field does.
    """

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
    NEWS: Cues(
        "whats_new what_is_new anything_new something_new news updates what_changed what_has_changed whats_changed "
        "has_anything_changed changed_recently recently_changed what_changes changes_recently recent_changes latest_changes "
        "changelog changelogs change_log release_note release_notes",
        "",
    ),
    "version": Cues(
        "version versions release releases released latest newest current update updated maintained maintenance abandoned "
        "dead alive outdated deprecated discontinued still_active",
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
    "drawbacks": Cues(
        "when_not when_to_avoid when_should_i_not when_shouldnt when_should_i_avoid when_should_we_not reasons_not reason_not "
        "drawback drawbacks downside downsides disadvantage disadvantages weakness weaknesses limitation limitations",
        "drawback drawbacks disadvantage disadvantages weakness weaknesses limitation limitations not_meant_for",
    ),
    "users": Cues(
        "who_uses who_use who_is_using whos_using how_many_people how_many_companies how_many_firms how_many_users "
        "how_many_developers how_many_devs which_companies which_firms which_company what_companies companies firms",
        "used_by companies",
    ),
    "popularity": Cues("popular popularity widely_used", "popular widely_used"),
    "tutorial": Cues(
        "tutorial tutorials course courses walkthrough cheatsheet cheat_sheet video videos book books hello_world",
        "tutorial tutorials course courses",
    ),
}
"""By attribute; an underscore stands for a blank. They are searched in this order and the first match wins: a phrase that stands
under two attributes asks for the first. The words of a new attribute also belong in ATTRIBUTE_WORDS."""
_WHICH = ("which", "what", "minimum", "min", "lowest", "oldest", "newest", "latest")
"""Words before the subject's name that ask for its version: "which Python does FastAPI need"."""

ATTRIBUTE_WORDS = frozenset(
    """install installation docs documentation homepage website link example examples side kind pros cons features good
    bad backend frontend fast slow free async version latest release released license licence difference capabilities
    alternatives for when more details detail info elaborate again step steps summary hard difficult easy easier simple
    beginner beginners maintained author maker creator cost costs price open source long take takes behind setup pip
    difficulty complicated performance speed maintains created developed wrote made company popular worth
    learn learning understand drawbacks downsides disadvantages limitations companies firms popularity tutorial tutorials
    course courses current new news changed changes changelog recent recently command commands cmd official""".split()
)
"""Words that ask about an entry that was shown, without naming it; most of them ask for an attribute of _CUES."""

SOFTWARE_WORDS = frozenset(
    """version versions release releases released latest newest current docs documentation install installing installation setup
    pip licence license maintained deprecated tutorial tutorials popular popularity companies firms use pros cons
    alternative alternatives""".split()
)
"""Words of an attribute that software has, and hardly the thing that it is named after."""

CUE_WORDS = frozenset(word for cues in _CUES.values() for word in cues.asks.replace("_", " ").split())
"""Words of the phrases that ask for an attribute."""

MAX_OTHER_WORDS = 1
"""Words allowed beside names, stopwords and the phrase itself; a message with more describes a situation."""

_YES_NO_STARTS = frozenset("is are does do can has have will was so and or but".split())


def attribute_of(tokens: Sequence[str], other_tokens: Sequence[str], knowledge: Knowledge) -> Attribute | None:
    """The attribute that a question asks for, or None.

    Args:
        tokens: The question's words.
        other_tokens: Those that aren't part of a name.
        knowledge: The pack; "is it async?" asks for one of its groups.
    """
    text = f" {' '.join(tokens)} "
    if (needed := _needed_version(tokens, other_tokens, knowledge)) is not None:
        return needed
    if "pros" in tokens:
        return None  # "pros and cons" asks for all that is said
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


def _needed_version(tokens: Sequence[str], other_tokens: Sequence[str], knowledge: Knowledge) -> Attribute | None:
    """The attribute "needs": which version of the subject a card needs ("with Python 3.8", "which Python does it need")."""
    subject = {normalize_phrase(name) for name in knowledge.subject}
    places = [place for place, token in enumerate(tokens) if token in subject]
    for place in places:
        before, after = tokens[place - 1] if place else "", tokens[place + 1] if place + 1 < len(tokens) else ""
        if not (after.isdigit() or before in _WHICH or after in ("version", "versions")):
            continue
        others = [
            token for token in other_tokens if not token.isdigit() and token not in subject and token not in _WHICH
        ]
        if _count_other(others, ()) > MAX_OTHER_WORDS:
            return None
        name = tokens[place]
        stated = [f"needs {name}", f"requires {name}", *([f"{name} {after}"] if after.isdigit() else [])]
        return Attribute("needs", tuple(stated))
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
