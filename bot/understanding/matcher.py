"""The matcher: one finding out of names, question types and the index, with its evidence.

Names say what a question is about, question types what kind of answer it wants, the index how people have asked before.
Nothing here knows the pack's subject: names, groups, synonyms and out-of-scope questions are the pack's data.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from copy import copy
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from bot.model import RESTART, ConversationState, Evidence, Finding, Kind, Knowledge, Library, Step
from bot.retrieval.encoding import EncodedQuery
from bot.retrieval.english import english
from bot.retrieval.index import Index, Ranking
from bot.retrieval.out_of_scope import domain_score
from bot.retrieval.scoring import MAX_OFFERED
from bot.retrieval.serialize import load_or_build
from bot.retrieval.spelling import UNLIMITED, Budget, budget_for, english_lexicon
from bot.text import clean, words
from bot.understanding import cues
from bot.understanding.conversation import ConversationTurn, FollowUp, conversation_turn, stripped_text
from bot.understanding.decision import Decider
from bot.understanding.disambiguation import NameDisambiguator
from bot.understanding.exclusion import Exclusion, exclusion_of, exclusion_patterns
from bot.understanding.finding_factory import NAME_LOG_ODDS, FindingFactory
from bot.understanding.follow_up import (
    about_cards,
    follow_up,
    names_both_sides,
    needs_context,
    requested_step,
    small_talk_of,
)
from bot.understanding.hypotheses import MIN_PROBABILITY, SURE, hypotheses
from bot.understanding.languages import function_words, language_of
from bot.understanding.names import Names, names_of
from bot.understanding.near_phrasings import NearPhrasings
from bot.understanding.reading import Reading, mark_agreement, read, split_message
from bot.understanding.selection import Selector, standing_pool
from bot.understanding.small_words import SmallWords
from bot.understanding.targets import Target, answers_of, families_of, index_path, not_asks_of, phrasings_of, targets_of
from bot.understanding.unknown_names import MAX_TOKENS, UnknownNames

MAX_CANDIDATES = 40
"""Candidates that are kept of the index's ranking: the right one is nearly always in the first five, and the cards of a
recommendation are sorted by their scores."""


class Matcher:
    """Understands questions about one pack. Immutable once built, so that threads may share it.

    Args:
        knowledge: The pack.
        index: The index of its phrasings.
        names: Its names.
        disambiguator: Tells whether an ordinary word is meant as a name.
        targets: The targets in the order of the index; those of the pack by default.
    """

    def __init__(
        self,
        knowledge: Knowledge,
        index: Index,
        names: Names,
        disambiguator: NameDisambiguator,
        targets: Sequence[Target] | None = None,
    ) -> None:
        self.knowledge = knowledge
        self._index = index
        self._names = names
        self._disambiguator = disambiguator
        self._small_words = SmallWords(knowledge, names)
        self._targets = tuple(targets if targets is not None else targets_of(knowledge))
        self._findings = FindingFactory(knowledge, self._targets, index, disambiguator)
        self._selector = Selector(knowledge, self._findings)
        self._unknown_names = UnknownNames(knowledge, index.encoder.spelling, english())
        self._near_phrasings: NearPhrasings | None = None
        self._decider = Decider(knowledge, self._findings, disambiguator, self._unknown_names, index.texts_of)

    @classmethod
    def from_knowledge(cls, knowledge: Knowledge, cache: Path | None = None) -> Matcher:
        """The matcher for a pack.

        Args:
            knowledge: The pack.
            cache: Folder that the index is loaded from; it is built, which takes seconds, and saved where it isn't there.
        """
        targets = targets_of(knowledge)
        names = names_of(knowledge, english().__contains__)
        cards = {number: target.id for number, target in enumerate(targets) if target.kind == "entry"}

        def phrasings() -> list[tuple[str, int]]:
            return list(phrasings_of(knowledge, targets))

        def build() -> Index:
            not_asks = list(not_asks_of(knowledge, targets))
            out_of_scope = [*map(clean, knowledge.out_of_scope.asks)]
            listed = [*out_of_scope, *(text for text, _ in not_asks)]
            return Index.build(
                phrasings(),
                len(targets),
                out_of_scope=out_of_scope,
                not_asks=not_asks,
                synonyms=knowledge.synonyms,
                subject=knowledge.subject,
                decided=frozenset(text for text in listed if names.find(words(text))),
                family=families_of(knowledge, targets),
                answers=[(clean(text), number) for text, number in answers_of(knowledge, targets) if text],
                caution=knowledge.caution,
                secondary=frozenset(number for number, target in enumerate(targets) if target.kind == "talk"),
            )

        path = index_path(cache, knowledge.fingerprint) if cache is not None else None
        return cls(knowledge, load_or_build(path, build), names, NameDisambiguator(phrasings, cards))

    def with_exact_phrases(
        self, knowledge: Knowledge, asks: Sequence[tuple[str, str]], refused: Sequence[str]
    ) -> Matcher:
        """A matcher for this pack as edited, without building: it knows the new phrasings by their words, and shares the rest.

        Args:
            knowledge: The edited pack.
            asks: (phrasing, entry id) pairs.
            refused: Questions that find no entry.
        """
        added = [entry for entry in knowledge.entries if self._findings.number_of(entry.id) is None]
        numbers = {entry.id: number for number, entry in enumerate(added, len(self._targets))}

        def number_of(entry: str) -> int | None:
            return numbers.get(entry, self._findings.number_of(entry))

        phrasings = [(clean(text), number) for text, entry in asks if (number := number_of(entry)) is not None]
        edited = copy(self)
        edited.knowledge = knowledge
        edited._index = self._index.with_exact_phrases(phrasings, [*map(clean, refused)])
        edited._targets = (*self._targets, *(Target("entry", entry.id) for entry in added))
        edited._small_words = self._small_words.with_entries(added)
        edited._findings = self._findings.with_topics(knowledge, edited._targets, edited._index)
        edited._selector = self._selector.with_topics(knowledge, edited._findings)
        edited._unknown_names = self._unknown_names.with_entries(added)
        edited._decider = self._decider.with_topics(knowledge, edited._findings, edited._unknown_names)
        pack_words = self._index.encoder.spelling.pack_words
        texts = [*(text for text, _ in phrasings), *map(clean, refused)]
        edited._near_phrasings = NearPhrasings(texts, lambda word: word in pack_words or word in english())
        return edited

    def with_dates(self, knowledge: Knowledge) -> Matcher:
        """A matcher for this pack, which differs from the matcher's own in nothing but dates of entries; it shares the rest."""
        edited = copy(self)
        edited.knowledge = knowledge
        return edited

    @cached_property
    def _part_of(self) -> re.Pattern[str]:
        """ "Show part 2 of" and a question, in the words of the pack's voice: a further part of a long answer."""
        lines = self.knowledge.voice.lines
        words_before, of = re.escape(lines["show_part"]), re.escape(lines["of"])
        return re.compile(
            rf"{words_before}\s+(?P<number>[1-9]\d?)\s+{of}\s+(?P<question>\S.*)", re.IGNORECASE | re.DOTALL
        )

    def correct(self, word: str) -> str | None:
        """The word of the pack or of English that a typed word is read as; None if it is neither."""
        return self._index.correct(word)

    def prepare(self) -> None:
        """Compute now what would otherwise be computed at the first question that needs it: some 100 ms."""
        english_lexicon()
        exclusion_patterns()
        self._unknown_names.prepare()
        self._disambiguator.prepare()

    @property
    def index(self) -> Index:
        """The index, for tools that look into it."""
        return self._index

    @property
    def target_names(self) -> tuple[str, ...]:
        """The name of each target, in the order of the index, for tools that look into it."""
        return tuple(map(str, self._targets))

    # --- what the engine asks

    def best(self, text: str, limit: int) -> list[tuple[str, float]]:
        """The ids and scores of the index's `limit` best entries for a text, before anything is decided."""
        scores: dict[str, float] = {}
        typed = words(clean(text))
        ranking = self._index.rank_words(typed, len(self._targets), budget_for(typed, english()))
        for candidate in ranking.candidates:
            target = self._findings.target(candidate)
            if target.kind == "entry":
                scores.setdefault(target.id, candidate.score)
            if len(scores) == limit:
                break
        return list(scores.items())

    def find(self, text: str, state: ConversationState | None = None) -> Finding:
        """What a question comes down to.

        Args:
            text: The message, as it arrived.
            state: What was shown before in its conversation; None if it stands alone.

        Returns:
            The finding; its kind is "unknown" where nothing fits well enough.
        """
        cleaned = clean(text)
        part = self._part_of.match(cleaned)
        if part is not None and not self._index.is_exact(words(cleaned)):  # it stands for itself, in any conversation
            return replace(self.find(part["question"]), part=int(part["number"]))
        typed = words(cleaned)
        if not typed:
            return Finding(kind="help", ids=(), evidence=Evidence(understood="", reason="no words"))
        language = language_of(typed, self._index.encoder.spelling.pack_words)
        budget = budget_for(typed, english())
        if language:
            budget = replace(budget, as_typed=budget.as_typed | function_words(language))
        finding = self._near_finding(cleaned, typed, state) or replace(
            self._find(cleaned, state, language, budget), language=language
        )
        if state is None or not state.without:
            return finding
        text = " ".join(typed)
        points_to_shown = cues.THEM.search(text) or cues.BOTH.search(text) or cues.PLACED.search(text)
        return finding if points_to_shown else self._selector.as_remembered(finding, state.without)

    def _near_finding(self, cleaned: str, typed: Sequence[str], state: ConversationState | None) -> Finding | None:
        """The finding of a phrasing that no index has, where the message is nearly that phrasing."""
        if self._near_phrasings is None or self._index.is_exact(typed):
            return None
        nearest, corrections, shared = self._near_phrasings.find(typed, in_conversation=state is not None)
        if len({self._index.find_exact(words(text)) for text in nearest}) != 1:
            return None
        found = self._find(nearest[0], state, "", UNLIMITED)
        evidence = replace(
            found.evidence,
            understood=cleaned,
            corrections=corrections,
            confidence=round(min(shared, found.evidence.confidence), 6),
            reason="nearly a phrasing that a curator added",
        )
        return replace(found, evidence=evidence)

    def _find(self, cleaned: str, state: ConversationState | None, language: str, budget: Budget) -> Finding:
        """What a cleaned message with words in it comes down to."""
        whole = self._read(cleaned, cleaned, language, budget)
        if state is None and whole.ranking.is_exact:
            return self._decider.decide(whole)  # its parts can't tell more
        parts = [self._read(part, cleaned, language, budget) for part in split_message(cleaned)[1:]]
        readings = mark_agreement([whole, *parts])
        if state is not None and self._has_cards(state):
            readings = [self._disambiguator.as_names(reading) for reading in readings]
        whole = readings[0]
        turn = conversation_turn(whole, state, self.knowledge, self._disambiguator) if state is not None else None
        if (selected := self._selected(whole, turn, language)) is not None:
            return selected
        if turn is not None:
            steers = self._small_talk_of(whole) is not None
            result = None if steers else follow_up(turn, whole)
            is_question_of_its_own = self._is_small_talk(whole) or self._is_anothers_phrasing(whole, turn)
            if result is None and not is_question_of_its_own:
                result = about_cards(turn, whole)
            if result is not None and not (result.asks_about_shown and is_question_of_its_own):
                return self._decider.with_names_beside(whole, self._follow_up_finding(whole, result))
        if (step := requested_step(whole, self.knowledge)) is not None:
            return self._step_finding(whole, step)
        if (small_talk := self._small_talk_of(whole)) is not None and not whole.ranking.is_exact:
            return self._steering_finding(whole, small_talk)
        if needs_context(whole) and not whole.ranking.is_exact and not self._has_subject(state):
            unknown = self._findings.make(whole, "unknown", (), "nothing was shown before that it could mean")
            return replace(unknown, lacks_context=True)
        if (phrase := self._exact_phrase(whole)) is not None:
            return self._decider.decide(replace(self._read(phrase, phrase, language), text=cleaned))
        best = self._best(readings, [self._decider.decide(reading) for reading in readings])
        if turn is not None:
            named_in = [entry for entry in best.ids if best.mentioned_only and entry in turn.state.ids[:1]]
            if named_in:  # "does it do MySQL as well" after the card that names it
                reason = "it is named in what was shown"
                best = self._findings.make(whole, self.knowledge.by_id[named_in[0]].kind, (named_in[0],), reason)
            best = self._step_behind(turn, whole, self._likeliest(whole, turn, best))
        return best if whole.ranking.is_exact else self._decider.with_names_beside(whole, best)

    def _selected(self, whole: Reading, turn: ConversationTurn | None, language: str) -> Finding | None:
        """Cards that are asked for as a set: without what the message leaves out, or those shown for which it holds."""
        if language or whole.ranking.is_exact or small_talk_of(whole) is not None:
            return None

        def ask(text: str) -> tuple[Reading, Finding]:
            return self._read_again(text), self.find(text)

        nouns = [mention for mention in whole.mentions if self._disambiguator.is_plain_noun(whole, mention)]
        meant = replace(whole, mentions=tuple(m for m in whole.mentions if m not in nouns)) if nouns else whole
        pool = standing_pool(turn) if turn is not None else None
        exclusion = exclusion_of(
            meant, self._selector.kinds | self._selector.terms.keys(), pool.ids if pool is not None else ()
        )
        if (
            exclusion is None
            and turn is not None
            and turn.is_bare
            and cues.OTHERS.search(turn.text)
            and not (turn.has_names or turn.only_group)
        ):
            exclusion = Exclusion(places=("it",), is_said=False)  # "any alternatives?"
        is_at_step = turn is not None and isinstance(turn.current, Step)
        if is_at_step and exclusion is not None and exclusion.is_said and exclusion.names_no_card:
            exclusion = None  # "PyCharm is on my laptop, skip that" leads on
        if exclusion is not None and (found := self._selector.without(whole, exclusion, turn, ask)) is not None:
            return found
        if turn is None:
            return None
        return self._selector.the_one(turn, whole) or self._selector.among_shown(turn, ask, whole)

    def _likeliest(self, whole: Reading, turn: ConversationTurn, alone: Finding) -> Finding:
        """The likeliest of several meanings of a message that no rule decides; what it says by itself where that is clear.

        Args:
            whole: The message.
            turn: The message, and what was shown before.
            alone: What the message comes down to by itself.
        """
        is_clear = alone.kind in ("smalltalk", "help", "compare") or bool(alone.out_of_scope or alone.mentioned_only)
        defines_kind = bool(
            cues.DEFINES.search(turn.text) and turn.mentioned_groups() and not cues.BACK.search(turn.text)
        )
        is_clear = is_clear or defines_kind or names_both_sides(turn.text)
        says_letters = any(len(token) > 1 and not token.isdigit() for token in turn.tokens)
        if is_clear or turn.has_names or whole.ranking.is_exact or whole.language or not says_letters:
            return alone
        if len(turn.tokens) > MAX_TOKENS or whole.ranking.is_exact_out_of_scope:
            return alone
        best = hypotheses(turn, whole, self._read_again, self._findings)[0]
        if best.target is None:
            return alone
        if best.probability < MIN_PROBABILITY:
            offers = dict.fromkeys((*([best.target.id] if best.target.kind == "entry" else ()), *alone.ids))
            return self._findings.make(
                whole, "unknown", tuple(offers)[:MAX_OFFERED], "not likely enough after what was shown before"
            )
        finding = self._findings.answer(
            whole, self._findings.as_asked(whole, best.target), "the likeliest after what was shown before"
        )
        if (finding.kind, finding.ids) == (alone.kind, alone.ids):
            return alone
        evidence = replace(finding.evidence, confidence=round(best.probability, 6))
        subject, is_topic = turn.subject, finding.kind in ("topic", "step")
        is_about_shown = is_topic and turn.telling and subject is not None and subject.id == best.target.id
        beyond = bool(is_about_shown and subject and not self._findings.says(subject, turn.telling))
        return replace(finding, evidence=evidence, is_likely=best.probability < SURE, beyond=beyond or finding.beyond)

    def _has_subject(self, state: ConversationState | None) -> bool:
        """Whether one entry was shown last, and nothing since that isn't known."""
        return state is not None and len(state.ids) == 1 and state.kind != "unknown"

    def _has_cards(self, state: ConversationState) -> bool:
        """Whether cards were shown, or offered, in a conversation."""
        shown = (*state.ids, *state.seen, *state.before)
        return any(isinstance(self.knowledge.by_id.get(entry), Library) for entry in shown)

    def _exact_phrase(self, whole: Reading) -> str | None:
        """The message without the courtesies around it, if that is a phrasing word for word: "hi, what can i ask you"."""
        phrase = stripped_text(whole)
        typed = phrase.split()
        if not 0 < len(typed) < len(whole.tokens) or not self._index.is_exact(typed):
            return None
        target = self._index.find_exact(typed)
        is_talk = target is not None and target >= 0 and self._findings.target_of(target).kind == "talk"
        return phrase if len(typed) > 1 or is_talk else None

    def _is_small_talk(self, reading: Reading) -> bool:
        """ "How is it going?" asks nothing about what was shown; "who wrote it?" does."""
        if self._findings.attribute(reading) is not None:
            return False
        return self._small_talk_of(reading) is not None or self._decider.decide(reading).kind == "smalltalk"

    def _is_anothers_phrasing(self, reading: Reading, turn: ConversationTurn) -> bool:
        """ "How much does it cost?" after an answer about the canteen, where it is the title of an entry about something else.

        After a card it asks about that card: of those a pack says what they cost, and what they need.
        """
        if not reading.ranking.is_exact or turn.cards(turn.state.ids):
            return False
        target = self._findings.target(reading.ranking.candidates[0])
        return target.kind == "entry" and target.id not in turn.state.ids

    def _small_talk_of(self, reading: Reading) -> str | None:
        """Small talk that a rule recognises; a pack without a source isn't asked for it."""
        small_talk = small_talk_of(reading)
        return None if small_talk == "source" and self.knowledge.source is None else small_talk

    def _follow_up_finding(self, reading: Reading, result: FollowUp) -> Finding:
        """The finding of a follow-up."""
        if result.group is not None and result.ids:
            kind: Kind = "recommend" if result.recommends else "list"
            best = (
                self._findings.recommended(reading, result.group, among=result.ids) if result.recommends else result.ids
            )
            finding = self._findings.make(reading, kind, best, result.reason)
            return replace(finding, group=result.group.id, beyond=result.wants_best)
        if result.group is not None:
            target = Target("pick" if result.recommends else "list", result.group.id)
            return replace(self._findings.answer(reading, target, result.reason), beyond=result.wants_best)
        if result.ids:
            kind = self.knowledge.by_id[result.ids[0]].kind if len(result.ids) == 1 else "compare"
            finding = self._findings.make(reading, kind, result.ids, result.reason, NAME_LOG_ODDS)
            compares_attribute = kind == "compare" and not (result.wants_best or reading.question_type.compares)
            if (result.asks_about_shown or compares_attribute) and finding.attribute is None:
                finding = replace(finding, attribute=self._findings.attribute(reading))
            # where nothing is asked of an entry, the words only say which one is meant: "the 3rd"
            beyond = result.wants_best or (result.asks_about_shown and finding.beyond)
            return replace(finding, beyond=beyond, part=result.part)
        unknown = self._findings.make(reading, "unknown", result.offers, result.reason)
        if result.asks_about_shown and (pronoun := cues.IT.search(reading.text)) is not None:
            around = reading.text[: pronoun.start()], reading.text[pronoun.end() :]
            return replace(unknown, around_pronoun=around)
        return replace(unknown, lacks_context=not result.offers and not result.has_unknown_name)

    def _steering_finding(self, reading: Reading, small_talk: str) -> Finding:
        """The finding of small talk that a rule recognises: help for a new start, else that small talk."""
        kind: Kind = "help" if small_talk == RESTART else "smalltalk"
        return replace(self._findings.make(reading, kind, (), "it steers the conversation"), talk=small_talk)

    def _step_behind(self, turn: ConversationTurn, reading: Reading, finding: Finding) -> Finding:
        """The step behind the one that a message is about, where it says that this one is done."""
        step = self.knowledge.by_id[finding.ids[0]] if finding.kind == "step" else None
        if not isinstance(step, Step) or not turn.steps or reading.ranking.is_exact or not cues.PAST.search(turn.text):
            return finding
        behind = [other.id for other in self.knowledge.steps(step.of) if other.number == step.number + 1]
        return (
            self._findings.make(reading, "step", tuple(behind), "the step behind the one that is done")
            if behind
            else finding
        )

    def _step_finding(self, reading: Reading, step: FollowUp) -> Finding:
        """The step that was asked for by its number, or an unknown that offers the whole topic."""
        if not step.ids:
            return self._findings.make(reading, "unknown", step.offers, "there is no step with this number")
        return self._findings.make(reading, "step", step.ids, step.reason, NAME_LOG_ODDS)

    def _read(self, part: str, cleaned: str, language: str = "", budget: Budget = UNLIMITED) -> Reading:
        """Read `part`, all or a part of the `cleaned` message."""
        index, queries = self._index, dict[tuple[str, ...], EncodedQuery]()

        def encode(typed: Sequence[str]) -> EncodedQuery:
            key = tuple(typed)
            if key not in queries:
                queries[key] = index.encoder.encode_words(key, budget)
            return queries[key]

        def rank(typed: Sequence[str], joined: Sequence[str]) -> Ranking:
            chosen = typed if joined is typed or index.is_exact(typed) else joined
            return index.rank_query(encode(chosen), chosen, MAX_CANDIDATES)

        def domain(typed: Sequence[str]) -> float:
            return domain_score(index.stats, index.out_of_scope, index.gate.domain_plane, encode(typed))

        return read(part, self._names, rank, domain, part == cleaned, self._small_words, language, budget)

    def _read_again(self, text: str) -> Reading:
        """Read a text that is made of a message: a part of it, or what stands and the message."""
        return self._read(text, text, budget=budget_for(words(text), english()))

    # --- one out of several readings

    def _best(self, readings: Sequence[Reading], findings: Sequence[Finding]) -> Finding:
        """The finding to go by: what the whole message names comes first, then the most confident part that answers."""
        whole = findings[0]
        is_settled = whole.evidence.confidence == 1.0 or readings[0].ranking.is_exact_out_of_scope
        if len(readings) == 1 or is_settled or self._is_settled_by_names(readings[0], whole):
            return whole
        pairs = [(r, f) for r, f in zip(readings, findings, strict=True) if not r.is_filler]
        answers = [f for _, f in pairs if f.kind not in ("unknown", "smalltalk", "help")]
        if answers:
            return max(answers, key=lambda f: f.evidence.confidence)
        small_talk = [f for f in findings if f.kind in ("smalltalk", "help")]
        is_small_talk = all(
            r.is_filler or r.is_whole or f in small_talk for r, f in zip(readings, findings, strict=True)
        )
        if small_talk and is_small_talk:
            return max(small_talk, key=lambda f: f.evidence.confidence)
        unknown = [f for _, f in pairs if f.kind == "unknown"]
        return max(unknown or findings, key=lambda f: (bool(f.ids), f.evidence.confidence))

    def _is_settled_by_names(self, reading: Reading, finding: Finding) -> bool:
        """Whether the whole message's names settle what it is about, wherever its question stands."""
        if finding.kind in ("compare", "library"):
            return True
        is_short = len(reading.tokens) <= MAX_TOKENS
        return bool(finding.out_of_scope) and (is_short or not self._decider.names_subject(reading))
