"""The matcher: one decision out of names, frames and the index, with its evidence.

Names say what a question is about, frames what kind of answer it wants, the index how people have asked before.
Nothing here knows the pack's subject: names, groups, synonyms and strangers are the pack's data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from bot.match import cues
from bot.match.budget import UNLIMITED, Budget, budget_of
from bot.match.cache import cached
from bot.match.company import Company
from bot.match.decide import NAME_EVIDENCE, Decider
from bot.match.english import english
from bot.match.field import belonging
from bot.match.findings import Findings
from bot.match.followup import follow_up, leans, step_asked, talk_of
from bot.match.index import Index
from bot.match.names import Names, names_of
from bot.match.ranking import Ranking
from bot.match.reader import Question
from bot.match.reading import Reading, agreeing, parts_of, read
from bot.match.resolve import english_lexicon
from bot.match.targets import Target, families_of, phrasings_of, refusals_of, targets_of
from bot.match.turn import Continued
from bot.model import RESTART, ConversationState, Evidence, Finding, Kind, Knowledge
from bot.text import clean, words

CANDIDATES = 40
"""Targets that are kept of the index's ranking: the right one is nearly always in the first five, and the cards of a
recommendation are put in order by their scores."""


class Matcher:
    """Understands questions about one pack. Immutable after it is built, so that threads may share it."""

    def __init__(
        self,
        knowledge: Knowledge,
        index: Index,
        names: Names,
        company: Company,
        targets: Sequence[Target] | None = None,
    ) -> None:
        self.knowledge = knowledge
        self._index = index
        self._names = names
        self._company = company
        self._targets = tuple(targets if targets is not None else targets_of(knowledge))
        self._findings = Findings(knowledge, self._targets, index.gate, company)
        self._decider = Decider(knowledge, self._findings, company)

    @classmethod
    def of(cls, knowledge: Knowledge, cache: Path | None = None) -> Matcher:
        """The matcher for a pack, its index taken from the `cache` folder where that holds it."""
        targets = targets_of(knowledge)
        names = names_of(knowledge, english().__contains__)
        cards = {number: target.id for number, target in enumerate(targets) if target.kind == "entry"}

        def phrasings() -> list[tuple[str, int]]:
            return list(phrasings_of(knowledge, targets))

        def build() -> Index:
            refusals = list(refusals_of(knowledge, targets))
            asked = [*knowledge.strangers.asks, *(text for text, _ in refusals)]
            return Index.build(
                phrasings(),
                len(targets),
                strangers=knowledge.strangers.asks,
                not_asks=refusals,
                synonyms=knowledge.synonyms,
                subject=knowledge.subject,
                settled=frozenset(text for text in asked if names.find(words(text))),
                family=families_of(knowledge, targets),
                aside=frozenset(number for number, target in enumerate(targets) if target.kind == "talk"),
            )

        return cls(knowledge, cached(cache, knowledge.fingerprint, build), names, Company(phrasings, cards))

    def with_exact_phrases(
        self, knowledge: Knowledge, asks: Sequence[tuple[str, str]], refused: Sequence[str]
    ) -> Matcher:
        """A matcher for this pack as it has been edited, at once: it knows the new phrasings word for word, and no slips of them.

        `asks`: phrasings with the ids of the entries they find; `refused`: what must find none.
        """
        known = {target.id for target in self._targets if target.kind == "entry"}
        targets = [*self._targets, *(Target("entry", entry.id) for entry in knowledge.entries if entry.id not in known)]
        number = {target.id: at for at, target in enumerate(targets) if target.kind == "entry"}
        index = self._index.with_exact_phrases([(text, number[name]) for text, name in asks if name in number], refused)
        return Matcher(knowledge, index, self._names, self._company, targets)

    def resolve(self, word: str) -> str | None:
        """Which word of the pack or of English a typed word is, slips forgiven; none if it is neither."""
        return self._index.resolve(word)

    def prepare(self) -> None:
        """Count what is counted when a question first needs it: some 60 ms that none should wait for."""
        english_lexicon()
        self._company.technical  # noqa: B018  counted when it is first asked for

    @property
    def index(self) -> Index:
        """The index that ranks, for tools that look into it."""
        return self._index

    # --- what the engine asks

    def best(self, text: str, top: int) -> list[tuple[str, float]]:
        """The index's `top` best entries for a text and their scores, before anything is decided."""
        found: dict[str, float] = {}
        typed = words(clean(text))
        ranking = self._index.rank_words(typed, len(self._targets), budget_of(typed, english()))
        for candidate in ranking.candidates:
            target = self._findings.target(candidate)
            if target.kind == "entry":
                found.setdefault(target.id, candidate.score)
            if len(found) == top:
                break
        return list(found.items())

    def find(self, text: str, context: ConversationState | None = None) -> Finding:
        """What a question comes down to. `context`: where its conversation stands."""
        cleaned = clean(text)
        typed = words(cleaned)
        if not typed:
            return Finding(kind="help", ids=(), evidence=Evidence(understood="", reason="no words"))
        budget = budget_of(typed, english())
        whole = self._read(cleaned, cleaned, budget)
        if context is None and whole.ranking.exact:
            return self._decider.decide(whole)  # its parts can't tell more
        readings = agreeing([whole, *(self._read(part, cleaned, budget) for part in parts_of(cleaned)[1:])])
        if context is not None:
            continued = follow_up(readings[0], context, self.knowledge, self._company)
            if continued is not None and not (continued.asks_on and self._is_small_talk(readings[0])):
                return self._continue(readings[0], continued)
        if (step := step_asked(readings[0], self.knowledge)) is not None:
            return self._step(readings[0], step)
        if (talk := self._talk_of(readings[0])) is not None and not readings[0].ranking.exact:
            return self._steer(readings[0], talk)
        if leans(readings[0]) and not readings[0].ranking.exact:
            unknown = self._findings.make(readings[0], "unknown", (), "nothing was shown before that it could mean")
            return replace(unknown, lost=True)
        return self._best(readings, [self._decider.decide(reading) for reading in readings])

    def _is_small_talk(self, reading: Reading) -> bool:
        """ "How is it going?" asks nothing of what was shown; "who wrote it?" does."""
        if self._findings.aspect(reading) is not None:
            return False
        return self._talk_of(reading) is not None or self._decider.decide(reading).kind == "smalltalk"

    def _talk_of(self, reading: Reading) -> str | None:
        """Small talk that a rule knows; a pack without a source isn't asked for it."""
        talk = talk_of(reading)
        return None if talk == "source" and self.knowledge.source is None else talk

    def _continue(self, reading: Reading, continued: Continued) -> Finding:
        """The finding that a follow-up comes down to."""
        if continued.restart:
            return self._steer(reading, RESTART)
        for ask in continued.asks:
            asked = self._decider.open(self._read(ask, ask))
            known = {*continued.ids, *(i for one in continued.ids for i in self.knowledge.by_id[one].related)}
            if asked.kind in ("topic", "step", "library") and (not known or known & set(asked.ids)):
                return asked
        if continued.group is not None and continued.ids:
            again = self._findings.make(
                reading, "recommend" if continued.pick else "list", continued.ids, continued.reason
            )
            return replace(again, group=continued.group.id)
        if continued.group is not None:
            target = Target("pick" if continued.pick else "list", continued.group.id)
            return self._findings.answer(reading, target, continued.reason)
        if continued.ids:
            kind = self.knowledge.by_id[continued.ids[0]].kind if len(continued.ids) == 1 else "compare"
            finding = self._findings.make(reading, kind, continued.ids, continued.reason, NAME_EVIDENCE)
            each = kind == "compare" and not (continued.chooses or reading.frame.compares)
            if (continued.asks_on or each) and finding.aspect is None:
                finding = replace(finding, aspect=self._findings.aspect(reading))
            # where nothing is asked of an entry, its words only say which one is meant: "the 3rd"
            return replace(finding, beyond=continued.chooses or (continued.asks_on and finding.beyond))
        unknown = self._findings.make(reading, "unknown", continued.offers, continued.reason)
        if continued.asks_on and (it := cues.IT.search(reading.text)) is not None:
            return replace(unknown, which=(reading.text[: it.start()], reading.text[it.end() :]))
        return replace(unknown, lost=not continued.offers and not continued.stranger)

    def _steer(self, reading: Reading, talk: str) -> Finding:
        """A new start shows what can be asked; the end says goodbye."""
        kind: Kind = "help" if talk == RESTART else "smalltalk"
        return replace(self._findings.make(reading, kind, (), "it steers the conversation"), talk=talk)

    def _step(self, reading: Reading, step: Continued) -> Finding:
        """The step that was asked for by its number, or an honest no that offers the whole."""
        if not step.ids:
            return self._findings.make(reading, "unknown", step.offers, "there is no step with this number")
        return self._findings.make(reading, "step", step.ids, step.reason, NAME_EVIDENCE)

    def _read(self, part: str, cleaned: str, budget: Budget = UNLIMITED) -> Reading:
        index, questions = self._index, dict[tuple[str, ...], Question]()

        def question(typed: Sequence[str]) -> Question:
            key = tuple(typed)
            if key not in questions:
                questions[key] = index.reader.read_words(key, budget)
            return questions[key]

        def rank(typed: Sequence[str], meant: Sequence[str]) -> Ranking:
            by = typed if meant is typed or index.knows(typed) else meant
            return index.rank_question(question(by), by, CANDIDATES)

        def at_home(typed: Sequence[str]) -> float:
            return belonging(index.evidence, index.strangers, index.gate.plane, question(typed))

        return read(part, self._names, rank, at_home, part == cleaned, budget)

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
        return bool(finding.strangers) and not self._decider.speaks_of_subject(reading)
