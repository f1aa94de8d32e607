"""The matcher: one decision out of names, frames and the index, with its evidence.

Names say what a question is about, frames what kind of answer it wants, the index how people have asked before.
Nothing here knows the pack's subject: names, groups, synonyms and strangers are the pack's data.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from bot.match.english import english
from bot.match.frames import SLIGHT, Frame, frame_of
from bot.match.index import Index
from bot.match.names import Mention, Names, names_of
from bot.match.ranking import Candidate, Ranking
from bot.model import Context, Correction, Evidence, Finding, Group, Kind, Knowledge, Library, Match
from bot.text import clean, sentences, words

MOST_OFFERED = 3
"""Entries in a "did you mean": what a phone shows at a glance, and the contract's limit."""
MOST_RECOMMENDED = 4
"""Cards in a recommendation: more is a list."""
CANDIDATES = 12
"""Targets that are weighed after the index has ranked them all; the right one is nearly always in the first five."""
SHORT = 9
"""Words up to which a sentence isn't taken apart into clauses."""
SHORTEST_CLAUSE = 3
"""Words of the shortest clause that is asked by itself."""

TargetKind = Literal["entry", "list", "pick", "talk"]


@dataclass(frozen=True, slots=True)
class Target:
    """Something that a phrasing can lead to: an entry, a group (all of it or a choice from it), or small talk."""

    kind: TargetKind
    id: str


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read a message or a part of it."""

    text: str
    tokens: tuple[str, ...]
    mentions: tuple[Mention, ...]
    frame: Frame
    ranking: Ranking
    whole: bool


class Matcher:
    """Understands questions about one pack. Immutable after it is built, so that threads may share it."""

    def __init__(self, knowledge: Knowledge, index: Index, targets: Sequence[Target], names: Names) -> None:
        self.knowledge = knowledge
        self._index = index
        self._targets = tuple(targets)
        self._names = names
        self._groups = {group.id: group for group in knowledge.groups}
        self._number = {target: number for number, target in enumerate(targets)}

    @classmethod
    def of(cls, knowledge: Knowledge, cache: Path | None = None) -> Matcher:
        """The matcher for a pack, its index taken from the `cache` folder where that holds it."""
        targets = targets_of(knowledge)
        known = english()
        index = Index.build(
            list(_phrasings(knowledge, targets)),
            len(targets),
            strangers=knowledge.strangers.asks,
            not_asks=list(_not_asks(knowledge, targets)),
            synonyms=knowledge.synonyms,
            subject=knowledge.subject,
        )
        return cls(knowledge, index, targets, names_of(knowledge, known.__contains__))

    # --- the two questions a desk asks

    def best(self, text: str, top: int) -> list[tuple[str, float]]:
        """The index's `top` best entries for a text and their scores, before anything is decided."""
        found: dict[str, float] = {}
        for candidate in self._index.rank(clean(text), top=len(self._targets)).candidates:
            target = self._targets[candidate.entry]
            if target.kind == "entry":
                found.setdefault(target.id, candidate.score)
            if len(found) == top:
                break
        return list(found.items())

    def find(self, text: str, context: Context | None = None) -> Finding:
        """What a question comes down to. `context`: where its conversation stands."""
        cleaned = clean(text)
        if not words(cleaned):
            return Finding(kind="help", ids=(), evidence=Evidence(understood="", reason="no words"))
        readings = [self._read(part, whole=part == cleaned) for part in parts(cleaned)]
        findings = [self._decide(reading) for reading in readings]
        return self._best(readings, findings)

    def _best(self, readings: Sequence[Reading], findings: Sequence[Finding]) -> Finding:
        """The reading to go by: one that answers, the surest first. Small talk around a question is wrapping."""
        talk = [f for f in findings if f.kind in ("smalltalk", "help")]
        rest = [f for f, r in zip(findings, readings, strict=True) if f not in talk and not _is_wrapping(r)]
        answers = [f for f in rest if f.kind != "unknown"]
        if answers:
            return max(answers, key=lambda f: f.evidence.confidence)
        if talk and (findings[0] in talk or not any(not r.whole for r, f in zip(readings, findings, strict=True) if f in rest)):
            return max(talk, key=lambda f: f.evidence.confidence)
        return max(rest or findings, key=lambda f: (bool(f.strangers or f.only_named), bool(f.ids), f.evidence.confidence))

    # --- reading

    def _read(self, text: str, whole: bool) -> Reading:
        tokens = tuple(words(text))
        mentions = tuple(self._names.find(tokens))
        return Reading(text, tokens, mentions, frame_of(text, tokens), self._index.rank(text, top=CANDIDATES), whole)

    # --- deciding

    def _decide(self, reading: Reading) -> Finding:
        ours = self._ours(reading)
        strangers = self._strangers(reading)
        named = [m for m in reading.mentions if m.name.standing == "named"]
        if reading.ranking.exact and not (len(ours) > 1):
            return self._target_finding(reading, self._targets[reading.ranking.candidates[0].entry], "an exact phrasing")
        if len(ours) > 1:
            return self._finding(reading, "compare", tuple(ours), "two or more of ours are named")
        if ours and (strangers or named) and reading.frame.compares:
            return self._partial(reading, ours, strangers or _shown(named))
        if named and not ours:
            return self._named(reading, named)
        if ours:
            return self._about(reading, ours[0])
        if strangers:
            return self._stranger(reading, strangers)
        return self._open(reading)

    def _ours(self, reading: Reading) -> list[str]:
        """Ids of our names in the question, in order; ordinary words only where they have technical company."""
        found = []
        for mention in reading.mentions:
            if mention.name.standing == "ours" and (not mention.name.ordinary or self._in_company(reading, mention)):
                found.append(mention.name.about)
        return list(dict.fromkeys(found))

    def _in_company(self, reading: Reading, mention: Mention) -> bool:
        """Whether a name that is an ordinary word is meant as a name: nothing foreign outweighs what the pack knows."""
        rest = [t for i, t in enumerate(reading.tokens) if not mention.start <= i < mention.end and t not in SLIGHT]
        if not rest:
            return True
        weights = {unknown.word: unknown.weight for unknown in reading.ranking.unknown}
        foreign = sum(weights.get(t, 0.0) for t in rest)
        others = any(m is not mention and m.name.standing == "ours" for m in reading.mentions)
        return others or foreign <= FOREIGN_COMPANY * sum(t not in weights for t in rest)

    def _strangers(self, reading: Reading) -> list[str]:
        """Names that the pack doesn't cover. Those that are ordinary words count only in a name's place."""
        found = []
        for mention in reading.mentions:
            if mention.name.standing != "stranger":
                continue
            if mention.name.ordinary and not _in_a_names_place(reading.tokens, mention):
                continue
            found.append(mention.name.shown)
        return list(dict.fromkeys(found))

    def _named(self, reading: Reading, named: list[Mention]) -> Finding:
        """Things that the source only names: the entry that does answers, unless they are asked about by themselves."""
        naming = list(dict.fromkeys(mention.name.about for mention in named))
        top = self._target(reading.ranking.candidates[0]) if reading.ranking.candidates else None
        covered = {i for mention in named for i in range(mention.start, mention.end)}
        rest = [t for i, t in enumerate(reading.tokens) if i not in covered and t not in SLIGHT]
        if rest and top and top.id in naming and reading.ranking.evidence >= self._index.gate.offer:
            return self._target_finding(reading, top, "the entry that names it answers")
        if not rest or not top or reading.ranking.evidence < self._index.gate.answer:
            finding = self._finding(reading, "unknown", tuple(naming[:MOST_OFFERED]), "the source only names it")
            return replace(finding, only_named=tuple(_shown(named)))
        return self._target_finding(reading, top, "the best phrasing")

    def _about(self, reading: Reading, library: str) -> Finding:
        """One of ours is named: its card, unless another entry fits the whole question far better."""
        number = self._number[Target("entry", library)]
        candidates = reading.ranking.candidates
        if candidates and candidates[0].entry != number:
            top = candidates[0]
            own = next((c.score for c in candidates if c.entry == number), 0.0)
            if top.score - own > FAR_BETTER and reading.ranking.evidence >= self._index.gate.answer:
                return self._target_finding(reading, self._target(top), "it fits far better than the named card")
        finding = self._finding(reading, "library", (library,), "its name")
        return replace(finding, beyond=any(u.word not in SLIGHT for u in reading.ranking.unknown))

    def _stranger(self, reading: Reading, strangers: list[str]) -> Finding:
        return self._partial(reading, [], strangers)

    def _partial(self, reading: Reading, ours: list[str], strangers: Sequence[str]) -> Finding:
        finding = self._finding(reading, "unknown", tuple(ours[:MOST_OFFERED]), "something that isn't covered is named")
        return replace(finding, strangers=tuple(strangers))

    def _open(self, reading: Reading) -> Finding:
        """No name decides: the best phrasing does, if the gate lets it through."""
        ranking, gate = reading.ranking, self._index.gate
        if not ranking.candidates or ranking.exact_stranger:
            return self._finding(reading, "unknown", (), "nothing fits")
        best = self._weighed(reading)[0]
        if best.id in {m.name.about for m in reading.mentions}:
            return self._finding(reading, "unknown", (), "its name is an ordinary word here")
        if ranking.evidence >= gate.answer:
            return self._target_finding(reading, best, "the best phrasing")
        if ranking.evidence >= gate.offer:
            return self._finding(reading, "unknown", self._offers(reading), "near, but not near enough")
        return self._finding(reading, "unknown", (), "nothing fits")

    def _weighed(self, reading: Reading) -> list[Target]:
        """The candidates in the order of their score and of what the frame wants."""
        frame = reading.frame
        bonus = {"list": LIST_BONUS * frame.lists_surely, "pick": PICK_BONUS * (frame.picks and not frame.lists_surely)}
        ranked = sorted(reading.ranking.candidates, key=lambda c: -(c.score + bonus.get(self._target(c).kind, 0.0)))
        return [self._target(candidate) for candidate in ranked]

    def _offers(self, reading: Reading) -> tuple[str, ...]:
        """Up to three entries worth offering; a group offers its first card."""
        found: list[str] = []
        for candidate in reading.ranking.candidates:
            target = self._target(candidate)
            if target.kind == "entry":
                found.append(target.id)
            elif target.kind in ("list", "pick"):
                found += [card.id for card in self.knowledge.members(self._groups[target.id])[:1]]
        return tuple(dict.fromkeys(found))[:MOST_OFFERED]

    # --- findings

    def _target(self, candidate: Candidate) -> Target:
        return self._targets[candidate.entry]

    def _target_finding(self, reading: Reading, target: Target, reason: str) -> Finding:
        match target.kind:
            case "entry":
                return self._finding(reading, self.knowledge.by_id[target.id].kind, (target.id,), reason)
            case "talk":
                kind: Kind = "help" if target.id == "help" else "smalltalk"
                return replace(self._finding(reading, kind, (), reason), talk=target.id)
            case "list":
                ids = tuple(card.id for card in self.knowledge.members(self._groups[target.id]))
                return replace(self._finding(reading, "list", ids, reason), group=target.id)
            case "pick":
                ids = self._picked(reading, self._groups[target.id])
                return replace(self._finding(reading, "recommend", ids, reason), group=target.id)

    def _picked(self, reading: Reading, group: Group) -> tuple[str, ...]:
        """The group's cards, the most central capability first; among equals, the one the question is nearest to."""
        scores = {self._target(c).id: c.score for c in self._index.rank(reading.text, top=len(self._targets)).candidates if self._target(c).kind == "entry"}
        members = [card for card in self.knowledge.members(group) if group.id in (card.side, *card.capabilities) or group.all]

        def rank(card: Library) -> float:
            at = card.capabilities.index(group.id) if group.id in card.capabilities else len(card.capabilities)
            return CENTRAL / (1 + at) + scores.get(card.id, 0.0)

        return tuple(card.id for card in sorted(members, key=rank, reverse=True))[:MOST_RECOMMENDED]

    def _finding(self, reading: Reading, kind: Kind, ids: tuple[str, ...], reason: str) -> Finding:
        ranking, gate = reading.ranking, self._index.gate
        candidates = tuple(
            Match(self._target(c).id if self._target(c).kind == "entry" else f"{self._target(c).kind}:{self._target(c).id}", c.score, c.text)
            for c in ranking.candidates[:5]
        )
        evidence = Evidence(
            understood=reading.text,
            corrections=tuple(Correction(typed, read_as) for typed, read_as in ranking.corrections),
            named=tuple(m.name.shown for m in reading.mentions if m.name.standing != "stranger"),
            strangers=tuple(m.name.shown for m in reading.mentions if m.name.standing == "stranger"),
            unknown_words=tuple(unknown.word for unknown in ranking.unknown),
            frame=reading.frame.name,
            candidates=candidates,
            margin=ranking.margin,
            coverage=ranking.coverage,
            confidence=ranking.confidence,
            answer_from=gate.answer,
            offer_from=gate.offer,
            verdict="answer" if kind != "unknown" else "offer" if ids else "refuse",
            reason=reason,
        )
        return Finding(kind=kind, ids=ids, evidence=evidence)


FOREIGN_COMPANY = 1.5
FAR_BETTER = 0.5
LIST_BONUS = 0.3
PICK_BONUS = 0.1
CENTRAL = 1.0


def _is_wrapping(reading: Reading) -> bool:
    """A part of slight words only says nothing by itself."""
    return not reading.whole and all(token in SLIGHT for token in reading.tokens)


def _shown(mentions: Iterable[Mention]) -> list[str]:
    return list(dict.fromkeys(mention.name.shown for mention in mentions))


def _in_a_names_place(tokens: Sequence[str], mention: Mention) -> bool:
    """Whether an ordinary word stands where a name would: "is go frontend", "swift vs …", "in rust"."""
    before = tokens[mention.start - 1] if mention.start else ""
    after = tokens[mention.end] if mention.end < len(tokens) else ""
    return (
        before in {"is", "in", "vs", "versus", "or", "than", "with", "using", "use", "learn", "about", "like", "whats"}
        or after in {"vs", "versus", "or", "developer", "framework", "frameworks", "language", "lang", "backend", "frontend"}
        or len(tokens) == 1
    )


def parts(text: str) -> list[str]:
    """The whole text and the parts that may be the question: sentences, and clauses of long ones."""
    found = [text]
    for sentence in sentences(text):
        found.append(sentence)
        if len(words(sentence)) > SHORT:
            found += [c.strip() for c in _clauses(sentence) if len(words(c)) >= SHORTEST_CLAUSE]
    return list(dict.fromkeys(found))


def _clauses(sentence: str) -> list[str]:
    for mark in (";", ":", " - ", ","):
        sentence = sentence.replace(mark, "\0")
    return sentence.split("\0")


def targets_of(knowledge: Knowledge) -> list[Target]:
    """Everything that a phrasing can lead to, in a fixed order."""
    return (
        [Target("entry", entry.id) for entry in knowledge.entries]
        + [Target("list", group.id) for group in knowledge.groups if group.list_asks]
        + [Target("pick", group.id) for group in knowledge.groups if group.pick_asks]
        + [Target("talk", name) for name, said in knowledge.voice.small_talk.items() if said.asks]
    )


def _phrasings(knowledge: Knowledge, targets: Sequence[Target]) -> Iterable[tuple[str, int]]:
    """Every phrasing and its target's number; an entry's own win over small talk that says the same."""
    groups = {group.id: group for group in knowledge.groups}
    taken: set[str] = set()
    for number, target in enumerate(targets):
        for text in _asks(knowledge, groups, target):
            key = " ".join(words(text))
            if target.kind == "talk" and key in taken:
                continue
            taken.add(key)
            yield text, number


def _asks(knowledge: Knowledge, groups: dict[str, Group], target: Target) -> Iterable[str]:
    match target.kind:
        case "entry":
            entry = knowledge.by_id[target.id]
            yield entry.title
            yield from entry.asks
            if isinstance(entry, Library):
                yield f"What is {entry.name}?"
                yield from entry.aliases
        case "list":
            yield from groups[target.id].list_asks
        case "pick":
            yield from groups[target.id].pick_asks
        case "talk":
            yield from knowledge.voice.small_talk[target.id].asks


def _not_asks(knowledge: Knowledge, targets: Sequence[Target]) -> Iterable[tuple[str, int]]:
    groups = {group.id: group for group in knowledge.groups}
    for number, target in enumerate(targets):
        if target.kind == "entry":
            yield from ((text, number) for text in knowledge.by_id[target.id].not_asks)
        elif target.kind == "list":
            yield from ((text, number) for text in groups[target.id].not_asks)
