"""Findings: what a reading comes down to, with the evidence for it, once it is decided what answers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from bot.match.aspects import ASPECT, aspect_of
from bot.match.company import Company
from bot.match.english import english
from bot.match.frames import SLIGHT
from bot.match.gate import Gate, confidence
from bot.match.names import Mention
from bot.match.ranking import MOST_SHOWN, Candidate
from bot.match.reading import Reading
from bot.match.targets import Target
from bot.model import Aspect, Correction, Evidence, Finding, Group, Kind, Knowledge, Library, Match
from bot.text import stem, words

MOST_OFFERED = 3
"""Entries in a "did you mean": what a phone shows at a glance, and the contract's limit."""
MOST_RECOMMENDED = 4
"""Cards in a recommendation: more is a list."""
LEAST_SCORE = -3.0
"""Score of a card that isn't among a reading's candidates."""
GROUP_EVIDENCE = 1.5
"""What a group's own word adds to it: "recommend me an orm" is about ORMs, however like "recommend me a library" it is."""
TALK_DOUBT = 1.5
"""Evidence that small talk needs beyond an entry: "is it going to snow" is no "how is it going"."""
LONG = 15
"""Words above which a message tells a story, of which the card need not have every word."""
SPECIAL = 4.2
"""-log10 of a word's share in English from which it is special enough to ask whether the card speaks of it."""
CENTRAL = 1.0
"""Weight of a capability's place on its card against the question's nearness to the card."""


class Findings:
    """Makes findings about one pack."""

    def __init__(self, knowledge: Knowledge, targets: Sequence[Target], gate: Gate, company: Company) -> None:
        self.gate = gate
        self.knowledge = knowledge
        self._targets = targets
        self._company = company
        self._groups = {group.id: group for group in knowledge.groups}
        self._sides = {card.side for card in knowledge.entries if isinstance(card, Library)}
        self._members = {group.id: knowledge.members(group) for group in knowledge.groups}
        self._spoken = {group.id: [f" {' '.join(words(name))} " for name in group.words] for group in knowledge.groups}

    def target(self, candidate: Candidate) -> Target:
        """What a candidate of the index stands for."""
        return self._targets[candidate.entry]

    def passes(self, reading: Reading) -> bool:
        """Whether the gate lets the best target answer."""
        top = self.top(reading)
        doubt = TALK_DOUBT if top is not None and top.kind == "talk" else 0.0
        return reading.evidence + self._group_evidence(reading) - doubt >= self.gate.answer

    def _group_evidence(self, reading: Reading) -> float:
        """What it adds that the question says the best target's group by one of its words."""
        top = self.top(reading)
        if top is None or top.kind not in ("list", "pick") or top.id in self._sides:
            return 0.0
        said = f" {' '.join(reading.tokens)} "
        return GROUP_EVIDENCE if any(name in said for name in self._spoken[top.id]) else 0.0

    def top(self, reading: Reading) -> Target | None:
        """The best target; where it is a group, all of it or one choice, as the frame wants."""
        if not reading.ranking.candidates:
            return None
        top = self.target(reading.ranking.candidates[0])
        if top.kind in ("list", "pick") and not reading.ranking.exact:
            wants_all = reading.frame.wants_all and not reading.frame.wants_one
            wants_one = reading.frame.wants_one and not reading.frame.wants_all
            kind = "list" if wants_all else "pick" if wants_one else top.kind
            top = Target(kind, top.id)
        if top.kind == "list" and len(self._members[top.id]) == 1:
            return Target("pick", top.id)
        return top

    def offers(self, reading: Reading) -> tuple[str, ...]:
        """Up to three entries worth offering; a group offers its first card."""
        found: list[str] = []
        for candidate in reading.ranking.candidates:
            target = self.target(candidate)
            if target.kind == "entry":
                found.append(target.id)
            elif target.kind in ("list", "pick"):
                found += self.picked(reading, self._groups[target.id])[:1]
        return tuple(dict.fromkeys(found))[:MOST_OFFERED]

    def answer(self, reading: Reading, target: Target, reason: str) -> Finding:
        """The finding that a target answers."""
        match target.kind:
            case "entry":
                return self.make(reading, self.knowledge.by_id[target.id].kind, (target.id,), reason)
            case "talk":
                kind: Kind = "help" if target.id == "help" else "smalltalk"
                return replace(self.make(reading, kind, (), reason), talk=target.id)
            case "list":
                ids = tuple(card.id for card in self._members[target.id])
                finding = self.make(reading, "list", ids, reason, self._group_evidence(reading))
                return replace(finding, group=target.id)
            case "pick":
                ids = self.picked(reading, self._groups[target.id])
                finding = self.make(reading, "recommend", ids, reason, self._group_evidence(reading))
                return replace(finding, group=target.id)

    def picked(self, reading: Reading, group: Group) -> tuple[str, ...]:
        """The group's cards, the most central capability first; among equals, the one the question is nearest to."""
        scores = {self.target(c).id: c.score for c in reading.ranking.candidates if self.target(c).kind == "entry"}
        cards = self._members[group.id]
        sure = [card for card in cards if group.all or group.id in (card.side, *card.capabilities)]

        def rank(card: Library) -> float:
            at = card.capabilities.index(group.id) if group.id in card.capabilities else len(card.capabilities)
            return CENTRAL / (1 + at) + scores.get(card.id, LEAST_SCORE)

        return tuple(card.id for card in sorted(sure or cards, key=rank, reverse=True))[:MOST_RECOMMENDED]

    def make(self, reading: Reading, kind: Kind, ids: tuple[str, ...], reason: str, extra: float = 0.0) -> Finding:
        """A finding of this kind; `extra`: evidence besides the index's own."""
        ranking, gate = reading.ranking, self.gate
        sure = 1.0 if ranking.exact else confidence(reading.evidence + extra - gate.answer)
        evidence = Evidence(
            understood=reading.text,
            corrections=_corrections(reading),
            named=shown(m for m in reading.mentions if m.name.standing != "stranger"),
            strangers=shown(reading.ours("stranger")),
            unknown_words=tuple(unknown.word for unknown in ranking.unknown),
            frame=reading.frame.name,
            candidates=tuple(Match(str(self.target(c)), c.score, c.text) for c in ranking.candidates[:MOST_SHOWN]),
            margin=ranking.margin,
            coverage=ranking.coverage,
            confidence=sure,
            answer_from=gate.answer,
            offer_from=gate.offer,
            verdict="answer" if kind != "unknown" else "offer" if ids else "refuse",
            reason=reason,
        )
        if kind not in ("topic", "step", "library"):
            return Finding(kind=kind, ids=ids, evidence=evidence)
        beyond = kind == "library" and self._goes_beyond(reading, ids[0])
        aspect = self.aspect(reading) if kind == "library" else None
        return Finding(kind=kind, ids=ids, evidence=evidence, beyond=beyond, aspect=aspect)

    def aspect(self, reading: Reading) -> Aspect | None:
        """The one fact of an entry that is asked for."""
        at_names = {i for mention in reading.mentions for i in range(mention.start, mention.end)}
        read_as = dict(reading.ranking.corrections)
        meant = [read_as.get(token, token) if i not in at_names else token for i, token in enumerate(reading.tokens)]
        rest = [token for i, token in enumerate(meant) if i not in at_names]
        return aspect_of(meant, rest, self.knowledge)

    def _goes_beyond(self, reading: Reading, library: str) -> bool:
        """Whether a question wants something special that the card's own text doesn't have: the answer says where it ends."""
        if reading.frame.defines or reading.frame.compares or len(reading.tokens) > LONG:
            return False
        at_names = {i for mention in reading.mentions for i in range(mention.start, mention.end)}
        corrected = {slip.typed: slip.read_as for slip in _corrections(reading)}
        rest = [t for i, t in enumerate(reading.tokens) if i not in at_names and t not in SLIGHT and t not in ASPECT]
        asked = {word for token in rest for word in words(corrected.get(token, token))}
        special = {stem(word) for word in asked if english().stem_rarity_of(word) >= SPECIAL} - self._company.technical
        return bool(special) and not special <= self._words_of(library)

    def _words_of(self, library: str) -> frozenset[str]:
        """Stems of what a card says, and of the words that mean the same here."""
        card = self.knowledge.by_id[library]
        if not isinstance(card, Library):
            return frozenset()
        groups = [self._groups[name] for name in (*card.capabilities, *card.also, card.side) if name in self._groups]
        texts = [card.name, *card.aliases, card.what, card.summary, card.answer, *card.good_for, *card.names]
        texts += [word for group in groups for word in (group.label, *group.words)]
        spoken = {word for text in (*texts, *self.knowledge.subject) for word in words(text)}
        same = {word for meant, variants in self.knowledge.synonyms.items() if meant in spoken for word in variants}
        return frozenset(stem(word) for text in (*spoken, *same) for word in words(text))


def _corrections(reading: Reading) -> tuple[Correction, ...]:
    return tuple(Correction(typed, read_as) for typed, read_as in reading.ranking.corrections)


def shown(mentions: Iterable[Mention]) -> tuple[str, ...]:
    """The names as the pack writes them, each once."""
    return tuple(dict.fromkeys(mention.name.shown for mention in mentions))
