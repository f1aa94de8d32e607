"""Aspects: the one fact of a card that a question is after ("is it free?", "how do I install it?").

The cues are plain English, the same for every pack; what a card says of it is the pack's.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.match.frames import SLIGHT
from bot.model import Aspect, Knowledge, Library
from bot.text import stem, words

_CUES: dict[str, tuple[str, str]] = {
    "install": ("install installing installation setup pip", ""),
    "docs": ("docs doc documentation manual reference", ""),
    "homepage": ("homepage website site link links url", ""),
    "licence": (
        "free license licence licensed licensing gratis cost costs price pricing paid pay commercial opensource open_source",
        "open_source license licence licensed free commercial gpl price paid cost",
    ),
    "version": (
        "version versions release releases released latest newest update updated maintained maintenance abandoned dead alive "
        "outdated deprecated discontinued still_active",
        "release released version archived abandoned maintained discontinued renamed",
    ),
    "maker": (
        "who_made who_makes who_created who_develops who_developed who_maintains who_wrote who_invented who_built who_owns "
        "who_is_behind whos_behind maker makers author authors creator inventor",
        "made_by created_by author creator maintained_by developed_by company written_by",
    ),
    "speed": (
        "fast faster speed performance performant slow quick",
        "fast performance performant speed quick slow",
    ),
    "ease": (
        "hard difficult easy easier simple beginner beginners difficulty complicated learning_curve beginner_friendly",
        "easy simple difficult beginner beginners ease",
    ),
}
"""The words that ask for it, and those by which an entry speaks of it; an underscore joins words."""

ASPECT = frozenset(
    """install installation docs documentation homepage website link example examples side kind pros cons features good
    bad backend frontend fast slow free async version latest release released license licence difference capabilities
    alternatives for when more details detail info elaborate again step steps summary hard difficult easy easier simple
    beginner beginners maintained author maker creator cost costs price open source long take takes behind setup pip
    difficulty complicated performance speed maintains created developed wrote made company popular worth
    learn learning understand""".split()
)
"""Words that go on about what was shown, without a word about what it is."""

LONGEST_REST = 1
"""Words beside names, small ones and the cue, up to which one fact is asked for and not a story told."""


def aspect_of(tokens: Sequence[str], rest: Sequence[str], knowledge: Knowledge) -> Aspect | None:
    """The fact that a question's words ask for; `rest`: those that aren't part of a name."""
    spoken = f" {' '.join(tokens)} "
    for name, (cues, told) in _CUES.items():
        said = [cue for cue in _phrases(cues) if f" {cue} " in spoken]
        if said and _left(rest, [word for cue in said for word in cue.split()]) <= LONGEST_REST:
            return Aspect(name, tuple(_phrases(told)))
    if not tokens or (tokens[0] not in _YES_OR_NO and "support" not in tokens and "supports" not in tokens):
        return None
    sides = {entry.side for entry in knowledge.entries if isinstance(entry, Library)}
    for group in knowledge.groups:
        named = [phrase for word in group.words if f" {(phrase := ' '.join(words(word)))} " in spoken]
        if named and not group.all and not _left(rest, [w for phrase in named for w in phrase.split()], sides):
            name = "side" if group.id in sides else "group"
            return Aspect(name, tuple(dict.fromkeys(" ".join(words(word)) for word in group.words)), group.id)
    return None


_YES_OR_NO = frozenset("is are does do can has have will was so and or but".split())


def _left(rest: Sequence[str], cue: Sequence[str], known: set[str] | frozenset[str] = frozenset()) -> int:
    """How many words say something else."""
    cued = {stem(word) for word in cue}
    return sum(
        word not in SLIGHT and word not in ASPECT and stem(word) not in cued and word not in known for word in rest
    )


def _phrases(listed: str) -> list[str]:
    return [phrase.replace("_", " ") for phrase in listed.split()]
