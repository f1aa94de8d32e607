"""The matcher: one decision out of names, frames and the index, with its evidence.

Names say what a question is about, frames what kind of answer it wants, the index how people have asked before.
Nothing here knows the pack's subject: names, groups, synonyms and strangers are the pack's data.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from bot.match.cache import cached
from bot.match.company import Company
from bot.match.english import english
from bot.match.followup import ASPECT, Continued, follow_up
from bot.match.frames import SLIGHT
from bot.match.gate import confidence
from bot.match.index import Index
from bot.match.names import Mention, Names, names_of
from bot.match.ranking import Candidate
from bot.match.reading import Reading, agreeing, parts_of, read
from bot.match.targets import Target, families_of, phrasings_of, refusals_of, targets_of
from bot.model import MOST_COMPARED, Context, Correction, Evidence, Finding, Group, Kind, Knowledge, Library, Match
from bot.text import clean, stem, words

MOST_OFFERED = 3
"""Entries in a "did you mean": what a phone shows at a glance, and the contract's limit."""
MOST_RECOMMENDED = 4
"""Cards in a recommendation: more is a list."""
CANDIDATES = 40
"""Targets that are kept of the index's ranking: the right one is nearly always in the first five, and the cards of a
recommendation are put in order by their scores."""
LEAST_SCORE = -3.0
"""Score of a card that isn't among them."""
NAME_EVIDENCE = 6.0
"""What a card's name adds to the evidence, less one for each slip: "django migrations how to" is about Django."""
GROUP_EVIDENCE = 1.5
"""What a group's own word adds to it: "recommend me an orm" is about ORMs, however much else it is like "recommend me a library"."""
STRANGER_EVIDENCE = -6.0
"""What the name of something that isn't covered adds to the evidence: "is swift frontend" is not about Python."""
FAR_BETTER = 0.6
"""Score by which another entry's phrasing has to beat a named card: "python frameworks like django" asks for the list."""
LONG = 15
"""Words above which a message tells a story, of which the card need not have every word."""
SPECIAL = 4.2
"""-log10 of a word's share in English from which it is special enough to ask whether the card speaks of it."""
CENTRAL = 1.0
"""Weight of a capability's place on its card against the question's nearness to the card."""


class Matcher:
    """Understands questions about one pack. Immutable after it is built, so that threads may share it."""

    def __init__(self, knowledge: Knowledge, index: Index, names: Names, company: Company) -> None:
        self.knowledge = knowledge
        self._index = index
        self._names = names
        self._company = company
        self._targets = tuple(targets_of(knowledge))
        self._number = {target: number for number, target in enumerate(self._targets)}
        self._groups = {group.id: group for group in knowledge.groups}
        self._sides = {card.side for card in knowledge.entries if isinstance(card, Library)}
        self._told = {card.id: self._words_of(card) for card in knowledge.entries if isinstance(card, Library)}

    @classmethod
    def of(cls, knowledge: Knowledge, cache: Path | None = None) -> Matcher:
        """The matcher for a pack, its index taken from the `cache` folder where that holds it."""
        targets = targets_of(knowledge)
        phrasings = list(phrasings_of(knowledge, targets))
        names = names_of(knowledge, english().__contains__)
        cards = {number: target.id for number, target in enumerate(targets) if target.kind == "entry"}

        def build() -> Index:
            refusals = list(refusals_of(knowledge, targets))
            asked = [*knowledge.strangers.asks, *(text for text, _ in refusals)]
            return Index.build(
                phrasings,
                len(targets),
                strangers=knowledge.strangers.asks,
                not_asks=refusals,
                synonyms=knowledge.synonyms,
                subject=knowledge.subject,
                settled=frozenset(text for text in asked if names.find(words(text))),
                family=families_of(knowledge, targets),
            )

        return cls(knowledge, cached(cache, knowledge.fingerprint, build), names, Company.of(phrasings, cards))

    def _words_of(self, card: Library) -> frozenset[str]:
        """Stems of what a card says, and of the words that mean the same here."""
        groups = [self._groups[name] for name in (*card.capabilities, *card.also, card.side) if name in self._groups]
        texts = [card.name, *card.aliases, card.what, card.summary, card.answer, *card.good_for, *card.names]
        texts += [word for group in groups for word in (group.label, *group.words)]
        spoken = {word for text in (*texts, *self.knowledge.subject) for word in words(text)}
        same = {word for meant, variants in self.knowledge.synonyms.items() if meant in spoken for word in variants}
        return frozenset(stem(word) for text in (*spoken, *same) for word in words(text))

    # --- what a desk asks

    def best(self, text: str, top: int) -> list[tuple[str, float]]:
        """The index's `top` best entries for a text and their scores, before anything is decided."""
        found: dict[str, float] = {}
        for candidate in self._index.rank(clean(text), top=len(self._targets)).candidates:
            target = self._target(candidate)
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
        readings = agreeing([self._read(part, cleaned) for part in parts_of(cleaned)])
        if context is not None and (continued := follow_up(readings[0], context, self.knowledge)) is not None:
            return self._continue(readings[0], continued, context)
        return self._best(readings, [self._decide(reading) for reading in readings])

    def _continue(self, reading: Reading, continued: Continued, context: Context) -> Finding:
        """The finding that a follow-up comes down to."""
        if continued.ask:
            asked = self._open(self._read(continued.ask, continued.ask))
            if asked.kind != "unknown" or not continued.ids:
                return asked
        if continued.group is not None:
            target = Target("pick" if context.kind == "recommend" else "list", continued.group.id)
            return self._answer(reading, target, continued.reason)
        if len(continued.ids) > 1:
            return self._finding(reading, "compare", continued.ids, continued.reason, NAME_EVIDENCE)
        entry = self.knowledge.by_id[continued.ids[0]]
        return self._finding(reading, entry.kind, (entry.id,), continued.reason, NAME_EVIDENCE)

    def _read(self, part: str, cleaned: str) -> Reading:
        return read(part, self._names, lambda text: self._index.rank(text, top=CANDIDATES), whole=part == cleaned)

    # --- one out of several readings

    def _best(self, readings: Sequence[Reading], findings: Sequence[Finding]) -> Finding:
        """The reading to go by: what the whole message names comes first, then the surest part that answers."""
        whole = findings[0]
        settled = whole.evidence.confidence == 1.0 or readings[0].ranking.exact_stranger
        if len(readings) == 1 or settled or self._named_throughout(readings[0], whole):
            return whole
        pairs = [(r, f) for r, f in zip(readings, findings, strict=True) if not r.is_wrapping]
        answers = [f for _, f in pairs if f.kind not in ("unknown", "smalltalk", "help")]
        if answers:
            return max(answers, key=lambda f: f.evidence.confidence)
        talk = [f for f in findings if f.kind in ("smalltalk", "help")]
        if talk and all(r.is_wrapping or r.whole or f in talk for r, f in zip(readings, findings, strict=True)):
            return max(talk, key=lambda f: f.evidence.confidence)
        unknown = [f for _, f in pairs if f.kind == "unknown"]
        return max(unknown or findings, key=lambda f: (bool(f.ids), f.evidence.confidence))

    def _named_throughout(self, reading: Reading, finding: Finding) -> bool:
        """Whether the whole message's names settle what it is about, wherever its question stands."""
        if finding.kind in ("compare", "library"):
            return True
        return bool(finding.strangers) and not self._speaks_of_subject(reading)

    def _speaks_of_subject(self, reading: Reading) -> bool:
        subject = {word for name in self.knowledge.subject for word in words(name)}
        return bool(subject & set(reading.tokens))

    # --- deciding one reading

    def _decide(self, reading: Reading) -> Finding:
        ours = self._ours(reading)
        strangers = self._strangers(reading)
        named = reading.ours("named")
        top = self._top(reading)
        if reading.ranking.exact and top is not None:
            return self._answer(reading, top, "an exact phrasing")
        if reading.ranking.exact_stranger:
            finding = self._finding(reading, "unknown", (), "a question that isn't covered, word for word")
            return replace(finding, strangers=tuple(strangers))
        if len(ours) > 1:
            return self._finding(reading, "compare", tuple(ours[:MOST_COMPARED]), "two or more of ours are named")
        if ours and (strangers or named) and reading.frame.compares:
            return self._partial(reading, ours, strangers or _shown(named))
        if ours and _compares_with_unknown(reading):
            return self._partial(reading, ours, ())
        if ours:
            return self._about(reading, ours[0])
        if named:
            return self._naming(reading, named)
        if strangers and not (
            self._speaks_of_subject(reading) and not reading.frame.compares and self._passes(reading)
        ):
            return self._partial(reading, [], strangers)
        if any(mention.name.standing == "ours" for mention in reading.mentions):
            return self._without_name(reading)
        return self._open(reading)

    def _ours(self, reading: Reading) -> list[str]:
        """Ids of our names in the question, in order; an ordinary word only where it is meant as a name."""
        found = []
        for mention in reading.ours("ours"):
            if self._company.meant_as_name(reading, mention):
                found.append(mention.name.about)
        return list(dict.fromkeys(found))

    def _strangers(self, reading: Reading) -> list[str]:
        """Names that the pack doesn't cover. Those that are ordinary words count only in a name's place."""
        meant = [m for m in reading.ours("stranger") if not m.name.ordinary or _in_a_names_place(reading.tokens, m)]
        return list(_shown(meant))

    def _about(self, reading: Reading, library: str) -> Finding:
        """One of ours is named: its card, unless another entry fits the whole question far better."""
        candidates = reading.ranking.candidates
        top = self._top(reading)
        if top is not None and top.id != library and top.kind != "talk" and self._passes(reading):
            own = next((c.score for c in candidates if str(self._target(c)) == library), candidates[-1].score)
            if candidates[0].score - own > FAR_BETTER:
                return self._answer(reading, top, "it fits far better than the named card")
        slips = min(m.slips for m in reading.ours("ours") if m.name.about == library)
        return self._finding(reading, "library", (library,), "its name", NAME_EVIDENCE - slips)

    def _goes_beyond(self, reading: Reading, library: str) -> bool:
        """Whether a question wants something special that the card's own text doesn't have: the answer says where it ends."""
        if reading.frame.defines or reading.frame.compares or len(reading.tokens) > LONG:
            return False
        at_names = {i for mention in reading.mentions for i in range(mention.start, mention.end)}
        corrected = {slip.typed: slip.read_as for slip in _corrections(reading)}
        rest = [t for i, t in enumerate(reading.tokens) if i not in at_names and t not in SLIGHT and t not in ASPECT]
        asked = {word for token in rest for word in words(corrected.get(token, token))}
        return any(
            english().stem_rarity_of(word) >= SPECIAL
            and stem(word) not in self._told[library]
            and stem(word) not in self._company.technical
            for word in asked
        )

    def _naming(self, reading: Reading, named: list[Mention]) -> Finding:
        """The source only names something: the entry that does answers, unless the thing itself is asked about."""
        naming = tuple(dict.fromkeys(mention.name.about for mention in named))
        top = self._top(reading)
        covered = {i for mention in named for i in range(mention.start, mention.end)}
        rest = [t for i, t in enumerate(reading.tokens) if i not in covered and t not in SLIGHT]
        foreign = [unknown for unknown in reading.ranking.unknown if unknown.word not in SLIGHT]
        several = len(set(_shown(named))) > 1 and not reading.frame.compares
        by_itself = reading.frame.defines or reading.frame.compares or not (rest or several)
        if top is not None and not by_itself and not foreign and (top.id in naming or self._passes(reading)):
            return self._answer(reading, top, "it is named there")
        finding = self._finding(
            reading, "unknown", naming[:MOST_OFFERED], "the source only names it", STRANGER_EVIDENCE / 2
        )
        return replace(finding, only_named=_shown(named))

    def _partial(self, reading: Reading, ours: list[str], strangers: Sequence[str]) -> Finding:
        reason = "something that isn't covered is named"
        finding = self._finding(reading, "unknown", tuple(ours[:MOST_OFFERED]), reason, STRANGER_EVIDENCE)
        return replace(finding, strangers=tuple(strangers))

    def _without_name(self, reading: Reading) -> Finding:
        """A name's word is there, but not as a name: only another entry could answer."""
        top = self._top(reading)
        about = {mention.name.about for mention in reading.ours("ours")}
        if top is not None and top.id not in about:
            return self._open(reading)
        offered = tuple(about) if reading.ranking.likeness > reading.ranking.stranger else ()
        return self._finding(reading, "unknown", offered, "its name is an ordinary word here", STRANGER_EVIDENCE)

    def _open(self, reading: Reading) -> Finding:
        """No name decides: the best phrasing does, if the gate lets it through."""
        top = self._top(reading)
        if all(token.isdigit() for token in reading.tokens):
            return self._finding(reading, "unknown", (), "numbers alone say nothing", STRANGER_EVIDENCE)
        if top is not None and self._defines_a_group(reading, top):
            finding = self._finding(reading, "unknown", self._offers(reading), "a group's word isn't described")
            return replace(finding, ids=self._picked(reading, self._groups[top.id])[:MOST_OFFERED])
        if top is not None and self._is_another_sense(reading, top):
            return self._finding(reading, "unknown", (), "its name is an ordinary word here", STRANGER_EVIDENCE)
        if top is not None and self._passes(reading):
            return self._answer(reading, top, "the best phrasing")
        if top is not None and reading.evidence >= self._index.gate.offer:
            return self._finding(reading, "unknown", self._offers(reading), "near, but not near enough")
        return self._finding(reading, "unknown", (), "nothing fits")

    def _defines_a_group(self, reading: Reading, top: Target) -> bool:
        """Whether "what is a rest api" wants a word explained that the pack only sorts its cards by."""
        frame = reading.frame
        return top.kind in ("list", "pick") and frame.defines and not (frame.wants_all or frame.wants_one)

    def _is_another_sense(self, reading: Reading, top: Target) -> bool:
        """Whether a card comes first only because an ordinary word is akin to its name ("red panda")."""
        card = self.knowledge.by_id.get(top.id)
        if top.kind != "entry" or not isinstance(card, Library) or reading.ours("ours"):
            return False
        name = words(card.name)
        return len(name) == 1 and name[0] not in reading.tokens and stem(name[0]) in map(stem, reading.tokens)

    def _passes(self, reading: Reading) -> bool:
        return reading.evidence + self._group_evidence(reading) >= self._index.gate.answer

    def _group_evidence(self, reading: Reading) -> float:
        """What it adds that the question says the best target's group by one of its words."""
        top = self._top(reading)
        if top is None or top.kind not in ("list", "pick") or top.id in self._sides:
            return 0.0
        said = f" {' '.join(reading.tokens)} "
        return (
            GROUP_EVIDENCE if any(f" {' '.join(words(name))} " in said for name in self._groups[top.id].words) else 0.0
        )

    def _top(self, reading: Reading) -> Target | None:
        """The best target; where it is a group, all of it or one choice, as the frame wants."""
        if not reading.ranking.candidates:
            return None
        top = self._target(reading.ranking.candidates[0])
        if top.kind in ("list", "pick") and not reading.ranking.exact:
            wants_all = reading.frame.wants_all and not reading.frame.wants_one
            wants_one = reading.frame.wants_one and not reading.frame.wants_all
            kind = "list" if wants_all else "pick" if wants_one else top.kind
            top = Target(kind, top.id)
        if top.kind == "list" and len(self.knowledge.members(self._groups[top.id])) == 1:
            return Target("pick", top.id)
        return top

    def _offers(self, reading: Reading) -> tuple[str, ...]:
        """Up to three entries worth offering; a group offers its first card."""
        found: list[str] = []
        for candidate in reading.ranking.candidates:
            target = self._target(candidate)
            if target.kind == "entry":
                found.append(target.id)
            elif target.kind in ("list", "pick"):
                found += self._picked(reading, self._groups[target.id])[:1]
        return tuple(dict.fromkeys(found))[:MOST_OFFERED]

    # --- findings

    def _target(self, candidate: Candidate) -> Target:
        return self._targets[candidate.entry]

    def _answer(self, reading: Reading, target: Target, reason: str) -> Finding:
        match target.kind:
            case "entry":
                return self._finding(reading, self.knowledge.by_id[target.id].kind, (target.id,), reason)
            case "talk":
                kind: Kind = "help" if target.id == "help" else "smalltalk"
                return replace(self._finding(reading, kind, (), reason), talk=target.id)
            case "list":
                ids = tuple(card.id for card in self.knowledge.members(self._groups[target.id]))
                finding = self._finding(reading, "list", ids, reason, self._group_evidence(reading))
                return replace(finding, group=target.id)
            case "pick":
                ids = self._picked(reading, self._groups[target.id])
                finding = self._finding(reading, "recommend", ids, reason, self._group_evidence(reading))
                return replace(finding, group=target.id)

    def _picked(self, reading: Reading, group: Group) -> tuple[str, ...]:
        """The group's cards, the most central capability first; among equals, the one the question is nearest to."""
        scores = {self._target(c).id: c.score for c in reading.ranking.candidates if self._target(c).kind == "entry"}
        cards = self.knowledge.members(group)
        sure = [card for card in cards if group.all or group.id in (card.side, *card.capabilities)]

        def rank(card: Library) -> float:
            at = card.capabilities.index(group.id) if group.id in card.capabilities else len(card.capabilities)
            return CENTRAL / (1 + at) + scores.get(card.id, LEAST_SCORE)

        return tuple(card.id for card in sorted(sure or cards, key=rank, reverse=True))[:MOST_RECOMMENDED]

    def _finding(self, reading: Reading, kind: Kind, ids: tuple[str, ...], reason: str, extra: float = 0.0) -> Finding:
        ranking, gate = reading.ranking, self._index.gate
        sure = 1.0 if ranking.exact else confidence(reading.evidence + extra - gate.answer)
        evidence = Evidence(
            understood=reading.text,
            corrections=_corrections(reading),
            named=_shown(m for m in reading.mentions if m.name.standing != "stranger"),
            strangers=_shown(reading.ours("stranger")),
            unknown_words=tuple(unknown.word for unknown in ranking.unknown),
            frame=reading.frame.name,
            candidates=tuple(Match(str(self._target(c)), c.score, c.text) for c in ranking.candidates[:5]),
            margin=ranking.margin,
            coverage=ranking.coverage,
            confidence=sure,
            answer_from=gate.answer,
            offer_from=gate.offer,
            verdict="answer" if kind != "unknown" else "offer" if ids else "refuse",
            reason=reason,
        )
        beyond = kind == "library" and self._goes_beyond(reading, ids[0])
        return Finding(kind=kind, ids=ids, evidence=evidence, beyond=beyond)


def _corrections(reading: Reading) -> tuple[Correction, ...]:
    return tuple(Correction(typed, read_as) for typed, read_as in reading.ranking.corrections)


def _shown(mentions: Iterable[Mention]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(mention.name.shown for mention in mentions))


_SET_AGAINST = frozenset("vs versus v or than".split())


def _compares_with_unknown(reading: Reading) -> bool:
    """Whether a name of ours is set against a word that nobody knows: "django vs sidekiq"."""
    foreign = {unknown.word for unknown in reading.ranking.unknown} - SLIGHT
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


_BEFORE_A_NAME = frozenset(
    "is are does do can in vs versus or than with using use learn about like whats and best".split()
)
_AFTER_A_NAME = frozenset(
    "vs versus or developer framework frameworks library language lang backend frontend have has".split()
)


def _in_a_names_place(tokens: Sequence[str], mention: Mention) -> bool:
    """Whether an ordinary word stands where a name would: "is go frontend", "swift vs …", "in rust"."""
    before = tokens[mention.start - 1] if mention.start else ""
    after = tokens[mention.end] if mention.end < len(tokens) else ""
    return before in _BEFORE_A_NAME or after in _AFTER_A_NAME or len(tokens) == 1
