"""Makes findings: once it is decided what answers a reading, the kind of reply, the ids it is about, and the evidence."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import replace

from bot.model import Attribute, Correction, Entry, Evidence, Finding, Group, Kind, Knowledge, Library, Match
from bot.retrieval.english import english
from bot.retrieval.gate import confidence
from bot.retrieval.index import MAX_SHOWN, Candidate, Index
from bot.retrieval.scoring import MAX_OFFERED
from bot.text import sentences, stem, words
from bot.understanding import cues
from bot.understanding.attributes import ATTRIBUTE_WORDS, attribute_of
from bot.understanding.disambiguation import NameDisambiguator
from bot.understanding.names import name_positions, shown_names
from bot.understanding.question_type import STOPWORDS
from bot.understanding.reading import Reading
from bot.understanding.targets import Target

FAR_AHEAD = 1.5
"""Margin from which one offer is far ahead of the others: it is asked about by name, with its first sentence."""
MAX_RECOMMENDED = 4
"""Cards in a recommendation: more is a list."""
NAME_LOG_ODDS = 6.0
"""Log-odds that a card's name adds, minus one for each typo in it: "django migrations how to" is about Django."""
MIN_SCORE = -3.0
"""Score of a card that isn't among a reading's candidates."""
GROUP_LOG_ODDS = 1.5
"""Added where a group's own word is said: "recommend me an orm" is about ORMs, however like "recommend me a library" it is."""
LONG = 15
"""Words above which a message may have words that the card lacks (`_goes_beyond`): it describes a situation as well."""
SPECIAL_RARITY = 4.2
"""-log10 of a word's share in English from which it is special enough to ask whether the card has it."""
MOST_ASKED = 3
"""Telling words of a yes-or-no question up to which it asks for one thing."""
_YES_NO_STARTS = frozenset("is are does do can could has have will would must".split())
CENTRALITY_WEIGHT = 1.0
"""Weight of 1 / (1 + position of the group among the card's capabilities); the card's score for the question has weight 1."""


SAID_COSINE = 0.3
"""Cosine from which a sentence says what is asked, in other words. Of 40 follow-ups below it, without a word of the topic that
they were taken to be about, it answered 17, and for 9 "I don't know" was right."""
RELATED_COSINE = 0.5
"""Cosine of the word vectors from which a phrasing is related to a question that shares no word with it. Of 63 right offers in
six sets of questions all shared one, and of 287 others 42 shared none; below this cosine were 33 of these."""


class FindingFactory:
    """Makes findings about one pack.

    Args:
        knowledge: The pack.
        targets: Its targets, in the order of the index.
        index: The index of its phrasings.
        disambiguator: Tells the pack's technical words.
    """

    def __init__(
        self, knowledge: Knowledge, targets: Sequence[Target], index: Index, disambiguator: NameDisambiguator
    ) -> None:
        self.gate = index.gate
        self._index = index
        self._stems: dict[int, frozenset[str]] = {}
        self._added_from, self._added_stems = len(targets), dict[int, frozenset[str]]()
        self._subject = frozenset(stem(word) for name in knowledge.subject for word in words(name))
        self.knowledge = knowledge
        self._targets = targets
        self._numbers = {target.id: number for number, target in enumerate(targets) if target.kind == "entry"}
        self._disambiguator = disambiguator
        self._groups = {group.id: group for group in knowledge.groups}
        self._sides = {card.side for card in knowledge.entries if isinstance(card, Library)}
        self._members = {group.id: knowledge.members(group) for group in knowledge.groups}
        self._group_words = {
            group.id: [f" {' '.join(words(name))} " for name in group.words] for group in knowledge.groups
        }

    def with_topics(self, knowledge: Knowledge, targets: Sequence[Target], index: Index) -> FindingFactory:
        """The same for a pack with more topics, whose targets come last. What is known of the others is shared."""
        edited, first = copy(self), self._added_from
        edited.knowledge, edited._targets, edited._index = knowledge, targets, index
        added = {target.id: number for number, target in enumerate(targets[first:], first)}
        edited._numbers = {**self._numbers, **added} if added else self._numbers
        edited._added_stems = {}
        return edited

    def target(self, candidate: Candidate) -> Target:
        """The target of a candidate."""
        return self._targets[candidate.target_index]

    def target_of(self, number: int) -> Target:
        """The target with this number."""
        return self._targets[number]

    def number_of(self, entry: str) -> int | None:
        """The number of an entry's target; None if there is no such entry."""
        return self._numbers.get(entry)

    def passes_gate(self, reading: Reading) -> bool:
        """Whether the best target passes the gate, GROUP_LOG_ODDS added where they apply."""
        return reading.log_odds + self._group_log_odds(reading) >= self.gate.answer

    def may_offer(self, reading: Reading) -> bool:
        """Whether the best target may be offered, GROUP_LOG_ODDS added where they apply."""
        return reading.among_log_odds + self._group_log_odds(reading) >= self.gate.offer

    def _group_log_odds(self, reading: Reading) -> float:
        """GROUP_LOG_ODDS if the question says one of the words of the best target's group, else 0."""
        top = self.top(reading)
        if top is None or top.kind not in ("list", "pick") or top.id in self._sides:
            return 0.0
        text = f" {' '.join(reading.tokens)} "
        return GROUP_LOG_ODDS if any(name in text for name in self._group_words[top.id]) else 0.0

    def top(self, reading: Reading) -> Target | None:
        """The best target; a group is listed or recommended from as the question type asks."""
        if not reading.ranking.candidates:
            return None
        return self.as_asked(reading, self.target(reading.ranking.candidates[0]))

    def as_asked(self, reading: Reading, target: Target) -> Target:
        """The target; a group is listed or recommended from as the question type asks."""
        if target.kind in ("list", "pick") and not reading.ranking.is_exact:
            wants_all = reading.question_type.wants_all and not reading.question_type.wants_one
            wants_one = reading.question_type.wants_one and not reading.question_type.wants_all
            target = Target("list" if wants_all else "pick" if wants_one else target.kind, target.id)
        return Target("pick", target.id) if target.kind == "list" and len(self._members[target.id]) == 1 else target

    def offers(self, reading: Reading) -> tuple[str, ...]:
        """Ids of up to MAX_OFFERED entries worth offering, none that is unrelated; a group offers its first card."""
        offered: dict[str, bool] = {}
        for candidate in reading.ranking.candidates:
            target = self.target(candidate)
            if target.kind == "talk":
                continue
            ids = (target.id,) if target.kind == "entry" else self.recommended(reading, self._groups[target.id])[:1]
            for entry in ids:
                offered.setdefault(entry, self.is_related(reading, candidate))
            if len(offered) == MAX_OFFERED:
                break
        return tuple(entry for entry, is_related in offered.items() if is_related)

    def is_related(self, reading: Reading, candidate: Candidate) -> bool:
        """Whether a candidate has anything to do with a question: a word of its texts that tells something, or one like it."""
        if candidate.covered > 0:
            return True
        read_as = dict(reading.ranking.corrections)
        asked = [word for token in reading.tokens for word in words(read_as.get(token, token))]
        telling = [word for word in asked if word not in STOPWORDS and stem(word) not in self._subject]
        if not telling or not self.stems_of(candidate.target_index).isdisjoint(map(stem, telling)):
            return True
        phrasing = [word for word in words(candidate.text) if word not in STOPWORDS]
        return self._index.similarity(telling, phrasing) >= RELATED_COSINE

    def nearness(self, entry: Entry, telling: Sequence[str]) -> float:
        """The cosine of some words to the nearest sentence of an entry's answer."""
        texts = (words(sentence) for sentence in sentences(entry.plain_answer))
        return max((self._index.similarity(telling, text) for text in texts), default=0.0)

    def says(self, entry: Entry, telling: Sequence[str]) -> bool:
        """Whether an entry's texts have one of some words, or a sentence of its answer is about the same."""
        stems = self.stems_of(self._numbers[entry.id])
        return any(stem(word) in stems for word in telling) or self.nearness(entry, telling) >= SAID_COSINE

    def stems_of(self, number: int) -> frozenset[str]:
        """Stems of everything that a target says: phrasings, and an entry's texts."""
        kept = self._stems if number < self._added_from else self._added_stems
        if number not in kept:
            target = self._targets[number]
            entry = self.knowledge.by_id.get(target.id) if target.kind == "entry" else None
            texts = [*self._index.texts_of(number), *([entry.title, entry.plain_answer, *entry.names] if entry else ())]
            stems = {stem(word) for text in texts for word in words(text)}
            kept[number] = frozenset(stems) | (self.stems_of_card(target.id) if entry else frozenset())
        return kept[number]

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
                finding = self.make(reading, "list", ids, reason, self._group_log_odds(reading))
                return replace(finding, group=target.id)
            case "pick":
                ids = self.recommended(reading, self._groups[target.id])
                finding = self.make(reading, "recommend", ids, reason, self._group_log_odds(reading))
                return replace(finding, group=target.id)

    def recommended(self, reading: Reading, group: Group, among: Sequence[str] | None = None) -> tuple[str, ...]:
        """Ids of the group's cards: the most central capability first; among equals, the one with the higher score.

        Args:
            reading: What is asked.
            group: The group.
            among: Ids of the cards that may be recommended; by default all.
        """
        scores = {self.target(c).id: c.score for c in reading.ranking.candidates if self.target(c).kind == "entry"}
        cards = [card for card in self._members[group.id] if among is None or card.id in among]
        certain = [card for card in cards if group.all or group.id in (card.side, *card.capabilities)]

        def merit(card: Library) -> float:
            in_capabilities = group.id in card.capabilities
            position = card.capabilities.index(group.id) if in_capabilities else len(card.capabilities)
            return CENTRALITY_WEIGHT / (1 + position) + scores.get(card.id, MIN_SCORE)

        return tuple(card.id for card in sorted(certain or cards, key=merit, reverse=True))[:MAX_RECOMMENDED]

    def make(self, reading: Reading, kind: Kind, ids: tuple[str, ...], reason: str, log_odds: float = 0.0) -> Finding:
        """A finding with its evidence.

        Args:
            reading: What it is about.
            kind: Kind of the reply.
            ids: Ids of the entries it is about.
            reason: Why, for the evidence.
            log_odds: What is added to the reading's own.
        """
        ranking, gate = reading.ranking, self.gate
        value = 1.0 if ranking.is_exact else confidence(reading.log_odds + log_odds - gate.answer)
        evidence = Evidence(
            understood=reading.text,
            corrections=_corrections(reading),
            named=shown_names(m for m in reading.mentions if m.name.kind != "out_of_scope"),
            out_of_scope=shown_names(reading.mentions_of("out_of_scope")),
            unknown_words=tuple(unknown.word for unknown in ranking.unknown_words),
            question_type=reading.question_type.name,
            candidates=tuple(Match(str(self.target(c)), c.score, c.text) for c in ranking.candidates[:MAX_SHOWN]),
            margin=ranking.margin,
            coverage=ranking.coverage,
            sentence=ranking.sentence,
            is_far_ahead=ranking.margin >= FAR_AHEAD,
            confidence=value,
            answer_from=gate.answer,
            offer_from=gate.offer,
            verdict="answer" if kind != "unknown" else "offer" if ids else "refuse",
            reason=reason,
        )
        if kind not in ("topic", "step", "library"):
            return Finding(kind=kind, ids=ids, evidence=evidence)
        beyond = kind == "library" and self._goes_beyond(reading, ids[0])
        attribute = (self.attribute(reading) or self._asked(reading, ids[0])) if kind == "library" else None
        return Finding(kind=kind, ids=ids, evidence=evidence, beyond=beyond, attribute=attribute)

    def attribute(self, reading: Reading) -> Attribute | None:
        """The one attribute of a card that is asked for."""
        in_names = name_positions(reading.mentions)
        read_as = dict(reading.ranking.corrections)
        corrected = [
            read_as.get(token, token) if position not in in_names else token
            for position, token in enumerate(reading.tokens)
        ]
        others = [token for position, token in enumerate(corrected) if position not in in_names]
        return attribute_of(corrected, others, self.knowledge)

    def _asked(self, reading: Reading, card_id: str) -> Attribute | None:
        """What a yes-or-no question asks of a card, in its own words ("does it have an admin area").

        None where the card may say it in other words.
        """
        tokens = cues.strip_courtesies(reading.tokens, [False] * len(reading.tokens)).split()
        own = name_positions(m for m in reading.mentions if m.name.about == card_id)
        said = [t for n, t in enumerate(reading.tokens) if n not in own and t not in cues.FOLLOWUP_WORDS]
        if not tokens or tokens[0] not in _YES_NO_STARTS or not 0 < len(said) <= MOST_ASKED or reading.language:
            return None
        card, stems = self.knowledge.by_id[card_id], {stem(word) for word in said}
        texts = [card.plain_answer, *(note.text for note in card.notes)]
        is_stated = any(not stems.isdisjoint(map(stem, words(text))) for text in texts)
        if not is_stated and not stems.isdisjoint(self.stems_of_card(card_id)):
            return None
        return Attribute("asked", tuple(said))

    def _goes_beyond(self, reading: Reading, card: str) -> bool:
        """Whether a question has a rare word that the card's texts lack: the reply then says that the source doesn't say it."""
        if reading.question_type.defines or reading.question_type.compares or len(reading.tokens) > LONG:
            return False
        if reading.language:  # what it asks for isn't read
            return False
        in_names = name_positions(reading.mentions)
        read_as = {correction.typed: correction.read_as for correction in _corrections(reading)}
        others = [
            token
            for position, token in enumerate(reading.tokens)
            if position not in in_names and token not in STOPWORDS and token not in ATTRIBUTE_WORDS
        ]
        asked = {word for token in others for word in words(read_as.get(token, token))}
        special = {stem(word) for word in asked if english().stem_rarity_of(word) >= SPECIAL_RARITY}
        special -= self._disambiguator.technical_stems
        return bool(special) and not special <= self.stems_of_card(card)

    def stems_of_card(self, card_id: str) -> frozenset[str]:
        """Stems of a card's texts, with their synonyms."""
        card = self.knowledge.by_id[card_id]
        if not isinstance(card, Library):
            return frozenset()
        groups = [self._groups[name] for name in (*card.capabilities, *card.also, card.side) if name in self._groups]
        texts = [card.name, *card.aliases, card.what, card.summary, card.plain_answer, *card.good_for, *card.names]
        texts += [word for group in groups for word in (group.label, *group.words)]
        card_words = {word for text in (*texts, *self.knowledge.subject) for word in words(text)}
        variants = {
            variant
            for canonical, variants in self.knowledge.synonyms.items()
            if canonical in card_words
            for variant in variants
        }
        return frozenset(stem(word) for text in (*card_words, *variants) for word in words(text))


def _corrections(reading: Reading) -> tuple[Correction, ...]:
    corrections = (Correction(typed, read_as) for typed, read_as in reading.ranking.corrections)
    return tuple(dict.fromkeys((*reading.slips, *corrections)))
