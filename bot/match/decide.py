"""Decide: what one reading of a message comes down to. Names first, then what the index knows, through the gate.

The order of the rules is the order in which they are read: a name of ours settles more than a phrasing that is merely near.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.match import cues
from bot.match.company import Company
from bot.match.english import english
from bot.match.findings import MOST_OFFERED, Findings, shown
from bot.match.frames import SLIGHT
from bot.match.names import Mention, in_a_names_place
from bot.match.reading import Reading, odd_word
from bot.match.targets import Target
from bot.match.turn import said_in
from bot.model import MOST_COMPARED, Finding, Group, Knowledge, Library
from bot.text import stem, words

NAME_EVIDENCE = 6.0
"""What a card's name adds to the evidence, less one for each slip: "django migrations how to" is about Django."""
STRANGER_EVIDENCE = -6.0
"""What the name of something that isn't covered adds to the evidence: "is swift frontend" is not about Python."""
TALK_SHARE = 0.75
"""Of what a message's words tell, the share that must be small talk's."""
TALK_LIKENESS = 0.6
"""Word cosine to a phrasing of small talk that is needed besides."""
AS_NEAR = 0.5
"""Score below small talk's within which an entry comes as near."""
TALK_ALONE = 0.95
"""The same for a single word: "weekend" is no "have a nice weekend"."""
COMMONEST, LEAST_TOLD = 2.0, 0.2
"""-log10 of the share of words that tell next to nothing, and what they tell all the same."""
SHORTEST = 2
"""Letters of a word that says anything by itself."""
FAR_BETTER = 0.6
"""Score by which another entry's phrasing has to beat a named card: "python frameworks like django" asks for the list."""


class Decider:
    """Decides readings about one pack."""

    def __init__(self, knowledge: Knowledge, findings: Findings, company: Company) -> None:
        self._knowledge = knowledge
        self._findings = findings
        self._company = company
        self._groups = {group.id: group for group in knowledge.groups}
        self._subject = {word for name in knowledge.subject for word in words(name)}
        said = (ask for talk in knowledge.voice.small_talk.values() for ask in talk.asks)
        self._talk = {stem(word) for ask in said for word in words(ask)}

    def speaks_of_subject(self, reading: Reading) -> bool:
        """Whether the pack's whole subject is named."""
        return bool(self._subject & set(reading.tokens))

    def decide(self, reading: Reading) -> Finding:
        """What the reading comes down to."""
        ours = self._ours(reading)
        strangers = self._strangers(reading)
        named = reading.ours("named")
        top = self._findings.top(reading)
        if reading.ranking.exact and top is not None:
            return self._findings.answer(reading, top, "an exact phrasing")
        if reading.ranking.exact_stranger:
            finding = self._findings.make(reading, "unknown", (), "a question that isn't covered, word for word")
            return replace(finding, strangers=tuple(strangers))
        if len(ours) > 1:
            slips = max(mention.slips for mention in reading.ours("ours"))
            ids = tuple(ours[:MOST_COMPARED])
            compared = self._findings.make(
                reading, "compare", ids, "two or more of ours are named", NAME_EVIDENCE - slips
            )
            return replace(compared, beyond=cues.BEST.search(said_in(reading)) is not None)
        if ours and strangers and reading.frame.compares:
            return self._partial(reading, ours, strangers)
        if ours and named and reading.frame.compares:
            return replace(self._partial(reading, ours, ()), only_named=shown(named))
        if ours and _compares_with_unknown(reading):
            return self._partial(reading, ours, ())
        if ours:
            return self._about(reading, ours[0])
        if named:
            return self._naming(reading, named)
        if strangers and not (self.speaks_of_subject(reading) and not reading.frame.compares and self._passes(reading)):
            return self._partial(reading, [], strangers)
        if any(mention.name.standing == "ours" for mention in reading.mentions):
            return self._without_name(reading)
        return self.open(reading)

    def _ours(self, reading: Reading) -> list[str]:
        """Ids of our names in the question, in order; an ordinary word only where it is meant as a name."""
        found: list[str] = []
        for mention in reading.ours("ours"):
            if mention.name.about not in found and self._company.meant_as_name(reading, mention):
                found.append(mention.name.about)
        return found

    def _strangers(self, reading: Reading) -> list[str]:
        """Names that the pack doesn't cover. Those that are ordinary words count only in a name's place."""
        meant = [m for m in reading.ours("stranger") if not m.name.ordinary or in_a_names_place(reading.tokens, m)]
        return list(shown(meant))

    def _about(self, reading: Reading, library: str) -> Finding:
        """One of ours is named: its card, unless another entry fits the whole question far better."""
        candidates = reading.ranking.candidates
        top = self._findings.top(reading)
        if top is not None and top.id != library and top.kind != "talk" and self._passes(reading):
            own = next((c.score for c in candidates if str(self._findings.target(c)) == library), candidates[-1].score)
            if candidates[0].score - own > FAR_BETTER:
                return self._findings.answer(reading, top, "it fits far better than the named card")
        slips = min(m.slips for m in reading.ours("ours") if m.name.about == library)
        return self._findings.make(reading, "library", (library,), "its name", NAME_EVIDENCE - slips)

    def _naming(self, reading: Reading, named: list[Mention]) -> Finding:
        """The source only names something: the entry that does answers, unless the thing itself is asked about."""
        naming = tuple(dict.fromkeys(mention.name.about for mention in named))
        top = self._findings.top(reading)
        covered = {i for mention in named for i in range(mention.start, mention.end)}
        rest = [t for i, t in enumerate(reading.tokens) if i not in covered and t not in SLIGHT]
        foreign = [unknown for unknown in reading.ranking.unknown if unknown.word not in SLIGHT]
        several = len(set(shown(named))) > 1
        compares = reading.frame.compares and not (several and rest and len(naming) == 1)
        by_itself = reading.frame.defines or compares or not (rest or several)
        if top is not None and not by_itself and not foreign and (top.id in naming or self._passes(reading)):
            return self._findings.answer(reading, top, "it is named there")
        finding = self._findings.make(
            reading, "unknown", naming[:MOST_OFFERED], "the source only names it", STRANGER_EVIDENCE / 2
        )
        return replace(finding, only_named=shown(named))

    def _partial(self, reading: Reading, ours: list[str], strangers: Sequence[str]) -> Finding:
        reason = "something that isn't covered is named"
        finding = self._findings.make(reading, "unknown", tuple(ours[:MOST_OFFERED]), reason, STRANGER_EVIDENCE)
        return replace(finding, strangers=tuple(strangers))

    def _without_name(self, reading: Reading) -> Finding:
        """A name's word is there, but not as a name: only another entry could answer."""
        top = self._findings.top(reading)
        about = {mention.name.about for mention in reading.ours("ours")}
        if top is not None and top.id not in about:
            return self.open(reading)
        offered = tuple(about) if reading.ranking.likeness > reading.ranking.stranger else ()
        return self._findings.make(reading, "unknown", offered, "its name is an ordinary word here", STRANGER_EVIDENCE)

    def open(self, reading: Reading) -> Finding:
        """No name decides: the best phrasing does, if the gate lets it through."""
        top = self._findings.top(reading)
        if all(token.isdigit() or len(token) < SHORTEST or token in SLIGHT for token in reading.tokens) and not (
            top is not None and top.kind == "talk"
        ):
            return self._findings.make(reading, "unknown", (), "nothing in it says what it is about", STRANGER_EVIDENCE)
        if top is not None and self._defines_a_group(reading, top):
            group = self._groups[top.id]
            if len(self._knowledge.members(group)) > 1 and self._says_only(reading, group):
                listed = self._findings.answer(reading, Target("list", top.id), "a group's word, which isn't described")
                return replace(listed, beyond=True)
            finding = self._findings.make(
                reading, "unknown", self._findings.offers(reading), "a group's word isn't described"
            )
            return replace(finding, ids=self._findings.picked(reading, self._groups[top.id])[:MOST_OFFERED])
        if top is not None and self._is_another_sense(reading, top):
            return self._findings.make(reading, "unknown", (), "its name is an ordinary word here", STRANGER_EVIDENCE)
        if top is not None and (self._passes(reading) or (top.kind == "talk" and _is_courtesy(reading))):
            return self._findings.answer(reading, top, "the best phrasing")
        if top is not None and reading.evidence >= self._findings.gate.offer:
            offered = self._beside_talk(reading) if top.kind == "talk" else self._findings.offers(reading)
            return self._findings.make(reading, "unknown", offered, "near, but not near enough")
        return self._findings.make(reading, "unknown", (), "nothing fits")

    def _beside_talk(self, reading: Reading) -> tuple[str, ...]:
        """What comes as near as the small talk that it isn't: the evidence is the small talk's."""
        first, *rest = reading.ranking.candidates
        targets = [self._findings.target(candidate) for candidate in rest if candidate.score > first.score - AS_NEAR]
        return tuple(target.id for target in targets if target.kind == "entry")[:MOST_OFFERED]

    def _passes(self, reading: Reading) -> bool:
        """Whether the gate lets the best target answer. A group's word doesn't help where something foreign is said beside it."""
        enough = reading.evidence >= self._findings.gate.answer
        top = self._findings.top(reading)
        if top is not None and top.kind == "talk":
            return enough and self._is_talk(reading)
        return (enough or not reading.foreign) and self._findings.passes(reading)

    def _is_talk(self, reading: Reading) -> bool:
        """Whether nearly all of it is small talk: "is it going to snow" is no "how is it going"."""
        read_as = dict(reading.ranking.corrections)
        told = {
            word: max(english().stem_rarity_of(word) - COMMONEST, LEAST_TOLD)
            for token in reading.tokens
            for word in words(read_as.get(token, token))
        }
        talk = sum(told[word] for word in told if word in SLIGHT or stem(word) in self._talk)
        least = TALK_ALONE if len(told) == 1 else TALK_LIKENESS
        return talk >= TALK_SHARE * sum(told.values()) and reading.ranking.likeness >= least

    def _defines_a_group(self, reading: Reading, top: Target) -> bool:
        """Whether "what is a rest api" wants a word explained that the pack only sorts its cards by."""
        frame = reading.frame
        return top.kind in ("list", "pick") and frame.defines and not (frame.wants_all or frame.wants_one)

    def _says_only(self, reading: Reading, group: Group) -> bool:
        """Whether a group's word is all that is said."""
        spoken = {word for name in group.words for word in words(name)}
        read_as = dict(reading.ranking.corrections)
        return all(token in SLIGHT or read_as.get(token, token) in spoken for token in reading.tokens)

    def _is_another_sense(self, reading: Reading, top: Target) -> bool:
        """Whether a card comes first only because an ordinary word is akin to its name ("red panda")."""
        card = self._knowledge.by_id.get(top.id)
        if top.kind != "entry" or not isinstance(card, Library) or reading.ours("ours"):
            return False
        name = words(card.name)
        return len(name) == 1 and name[0] not in reading.tokens and stem(name[0]) in map(stem, reading.tokens)


def _is_courtesy(reading: Reading) -> bool:
    """Whether a message says nothing but courtesies: "ok", "lol", "alright, cool"."""
    return reading.whole and not said_in(reading)


_SET_AGAINST = frozenset("vs versus v or than".split())


def _compares_with_unknown(reading: Reading) -> bool:
    """Whether a name of ours is set against a word that nobody knows: "django vs sidekiq"."""
    foreign = {odd_word(reading), *(unknown.word for unknown in reading.ranking.unknown)} - SLIGHT
    for mention in reading.ours("ours"):
        after, before = (
            reading.tokens[mention.end : mention.end + 2],
            reading.tokens[max(0, mention.start - 2) : mention.start],
        )
        if len(after) == 2 and after[0] in _SET_AGAINST and after[1] in foreign:
            return True
        if len(before) == 2 and before[1] in _SET_AGAINST and before[0] in foreign:
            return True
    return False
