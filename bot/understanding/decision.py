"""How one reading is decided: by the names in it, else by the target that the index ranks first, if it passes the gate.

The order of the rules matters: a card's name settles more than a phrasing that is merely near.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import replace
from functools import cached_property

from bot.model import MOST_COMPARED, Finding, Group, Knowledge, Library
from bot.retrieval.english import FUNCTION_WORDS, english
from bot.retrieval.scoring import MAX_OFFERED
from bot.retrieval.spelling import CORRECTED_TRUST
from bot.text import stem, words
from bot.understanding import cues
from bot.understanding.conversation import stripped_text
from bot.understanding.disambiguation import NameDisambiguator
from bot.understanding.finding_factory import NAME_LOG_ODDS, FindingFactory
from bot.understanding.names import Mention, is_in_name_position, shown_names
from bot.understanding.opposites import Terms, asks_opposite, terms_of
from bot.understanding.question_type import STOPWORDS
from bot.understanding.reading import Reading
from bot.understanding.slips import is_slip
from bot.understanding.targets import Target
from bot.understanding.unknown_names import UnknownName, UnknownNames

OUT_OF_SCOPE_LOG_ODDS = -6.0
"""Log-odds that a name that is out of scope adds: "is swift frontend" is not about Python."""
SMALL_TALK_SHARE = 0.75
"""Share of the information of a message's words that must be on words of small talk."""
SMALL_TALK_SIMILARITY = 0.6
"""TF-IDF cosine to a phrasing of small talk that is required as well."""
ONE_WORD_SIMILARITY = 0.95
"""The same for a single word: "weekend" is not "have a nice weekend"."""
LONE_SLIP_LENGTH = 6
"""Letters of a misspelt word that may be small talk by itself ("cheeers"): a shorter one may be anything ("magit")."""
NEAR_SMALL_TALK = 0.5
"""Difference in score up to which an entry counts as being as near as the small talk that ranks first."""
COMMON_RARITY, MIN_INFORMATION = 2.0, 0.2
"""-log10 of the share of the commonest words, which is subtracted from a word's rarity, and the least information."""
MIN_LETTERS = 2
"""Letters of a word that says anything by itself."""
MAX_PREDICATE = 1
"""Content words behind the subject up to which a question is about the subject as a whole: "is Python fast"."""
FAR_BETTER = 0.6
"""Score by which another entry has to beat a named card: "python frameworks like django" asks for the list."""


class Decider:
    """Decides readings about one pack.

    Args:
        knowledge: The pack.
        findings: Makes its findings.
        disambiguator: Tells whether an ordinary word is meant as a name.
        unknown_names: Finds names that the pack doesn't have.
        phrasings: The phrasings of a target, by its number.
    """

    def __init__(
        self,
        knowledge: Knowledge,
        findings: FindingFactory,
        disambiguator: NameDisambiguator,
        unknown_names: UnknownNames,
        phrasings: Callable[[int], Sequence[str]],
    ) -> None:
        self._phrasings = phrasings
        self._terms_by_target = dict[int, Terms]()
        self._knowledge = knowledge
        self._findings = findings
        self._disambiguator = disambiguator
        self._unknown_names = unknown_names
        self._groups = {group.id: group for group in knowledge.groups}
        self._subject = {word for name in knowledge.subject for word in words(name)}
        asks = (ask for small_talk in knowledge.voice.small_talk.values() for ask in small_talk.asks)
        self._small_talk_stems = {stem(word) for ask in asks for word in words(ask)}

    def with_topics(self, knowledge: Knowledge, findings: FindingFactory, unknown_names: UnknownNames) -> Decider:
        """The same for a pack with more topics, whose phrasings aren't indexed. What is known of the others is shared."""
        edited = copy(self)
        edited.__dict__.pop("_subject_entry", None)
        edited._knowledge, edited._findings, edited._unknown_names = knowledge, findings, unknown_names
        return edited

    def names_subject(self, reading: Reading) -> bool:
        """Whether the pack's subject as a whole is named."""
        return bool(self._subject & set(reading.tokens))

    def decide(self, reading: Reading) -> Finding:
        """The finding of one reading."""
        cards = self._named_cards(reading)
        out_of_scope = self._out_of_scope_names(reading)
        mentioned = reading.mentions_of("mentioned")
        top = self._findings.top(reading)
        if reading.ranking.is_exact and top is not None:
            return self._findings.answer(reading, top, "an exact phrasing")
        if reading.ranking.is_exact_out_of_scope:
            reason = "a question that isn't covered, word for word"
            own = (self._subject_entry,) if self._subject_entry and self._predicate(reading) is not None else ()
            finding = self._findings.make(reading, "unknown", own, reason)
            return replace(finding, out_of_scope=_once(out_of_scope), about_subject=bool(own))
        unknown = self._unknown_names.find(reading)
        if not cards and any(name.is_compared and name.word_class != "english" for name in unknown):
            cards = list(dict.fromkeys(mention.name.about for mention in reading.mentions_of("card")))
        if len(cards) > 1 and self._needs_another(reading):
            cards = cards[:1]
        if len(cards) > 1:
            edits = max(mention.edits for mention in reading.mentions_of("card"))
            ids = tuple(cards[:MOST_COMPARED])
            reason = "two or more of ours are named"
            comparison = self._findings.make(reading, "compare", ids, reason, NAME_LOG_ODDS - edits)
            beside = _once([*out_of_scope, *shown_beside(unknown)])
            is_best_wanted = cues.BEST.search(stripped_text(reading)) is not None
            return replace(comparison, beyond=is_best_wanted, out_of_scope=beside)
        if cards and self._is_about_others(reading, out_of_scope, unknown):
            return self._not_covered(reading, cards, [*out_of_scope, *(name.shown for name in unknown)])
        if cards and mentioned and reading.question_type.compares:
            return replace(self._not_covered(reading, cards, ()), mentioned_only=shown_names(mentioned))
        beside = _once([*out_of_scope, *shown_beside(unknown)])
        if cards:
            return replace(self._named_card(reading, cards[0]), out_of_scope=beside)
        if mentioned:
            return self._beside_unknown(reading, unknown, self._mentioned_only(reading, mentioned))
        if out_of_scope:
            return self._instead_of(reading, [*out_of_scope, *shown_beside(unknown)])
        if any(mention.name.kind == "card" for mention in reading.mentions):
            return self._beside_unknown(reading, unknown, self._ordinary_word(reading))
        if not unknown and (about_subject := self._about_subject(reading)) is not None:
            return about_subject
        return self._beside_unknown(reading, unknown, self.decide_by_ranking(reading))

    @cached_property
    def _subject_entry(self) -> str | None:
        """The topic whose title names nothing but the pack's subject: "What is Python?"."""
        for entry in self._knowledge.entries:
            named = {word for word in words(entry.title) if word not in STOPWORDS}
            if entry.kind == "topic" and named and named <= self._subject:
                return entry.id
        return None

    def _predicate(self, reading: Reading) -> list[str] | None:
        """The content words of a question about the subject as a whole ("is Python fast"); None if it is another question."""
        tokens = reading.tokens
        place = next((number for number, token in enumerate(tokens) if token in self._subject), None)
        if place is None or not _ABOUT_SUBJECT.match(" ".join((*tokens[:place], "SUBJECT"))):
            return None
        empty = STOPWORDS | FUNCTION_WORDS | _EMPTY_IN_PREDICATE
        content = [token for token in tokens[place + 1 :] if token not in empty]
        is_predicate = len(content) <= MAX_PREDICATE and _NOT_IN_PREDICATE.isdisjoint(tokens[place + 1 :])
        return content if is_predicate else None

    def _about_subject(self, reading: Reading) -> Finding | None:
        """The subject alone, or with one word: the topic about it if its text has the word, else that it isn't known.

        One word beside the subject is too little to choose another entry by, unless it is a word of that entry's title, or a
        group's.
        """
        predicate, entry_id = self._predicate(reading), self._subject_entry
        if predicate is None or entry_id is None:
            return None
        asked, top = {stem(word) for word in predicate}, self._findings.top(reading)
        if asked and top is not None and top.id != entry_id and self._may_answer(reading):
            other = self._knowledge.by_id.get(top.id)
            if other is None or asked <= {stem(word) for word in words(other.title)}:
                return None
        if asked and asked <= {stem(word) for word in words(self._knowledge.by_id[entry_id].plain_answer)}:
            return self._findings.answer(reading, Target("entry", entry_id), "the subject itself")
        finding = self._findings.make(
            reading, "unknown", (entry_id,), "it isn't said of the subject", OUT_OF_SCOPE_LOG_ODDS
        )
        return replace(finding, about_subject=True)

    def _needs_another(self, reading: Reading) -> bool:
        """Whether a question is about the first card alone, and whether it needs or has another ("does Celery need Redis")."""
        if reading.question_type.compares or not {"more", "less"}.isdisjoint(reading.tokens):
            return False
        first, second, *_ = reading.mentions_of("card")
        between = " ".join(reading.tokens[first.end : second.start])
        before = " ".join(reading.tokens[: first.start])
        return _ASKS_WHETHER.search(before) is not None and _NEEDING.match(between) is not None

    def _named_cards(self, reading: Reading) -> list[str]:
        """Ids of the cards that are named, in order; an ordinary word only where it is meant as a name."""
        ids: list[str] = []
        for mention in reading.mentions_of("card"):
            if mention.name.about not in ids and self._disambiguator.is_name(reading, mention):
                ids.append(mention.name.about)
        return ids

    def _out_of_scope_names(self, reading: Reading) -> list[str]:
        """Names that are out of scope. Those that are ordinary words count only where a name would stand."""
        mentions = reading.mentions_of("out_of_scope")
        meant = [
            m
            for m in mentions
            if not m.name.is_ordinary
            or is_in_name_position(reading.tokens, m)
            or self._unknown_names.stands_as_name(reading, m.start, m.end)
        ]
        return list(shown_names(meant))

    def _named_card(self, reading: Reading, card: str) -> Finding:
        """A card is named: it answers, unless another entry fits the whole question far better."""
        candidates = reading.ranking.candidates
        top = self._findings.top(reading)
        if top is not None and top.id != card and top.kind != "talk" and self._may_answer(reading):
            own_scores = (c.score for c in candidates if str(self._findings.target(c)) == card)
            if candidates[0].score - next(own_scores, candidates[-1].score) > FAR_BETTER:
                return self._findings.answer(reading, top, "it fits far better than the named card")
        edits = min(m.edits for m in reading.mentions_of("card") if m.name.about == card)
        return self._findings.make(reading, "library", (card,), "its name", NAME_LOG_ODDS - edits)

    def _mentioned_only(self, reading: Reading, mentioned: list[Mention]) -> Finding:
        """The source only mentions something: the entry that does answers, unless the thing itself is asked about."""
        entries = tuple(dict.fromkeys(mention.name.about for mention in mentioned))
        top = self._findings.top(reading)
        in_names = {position for mention in mentioned for position in range(mention.start, mention.end)}
        others = [
            token
            for position, token in enumerate(reading.tokens)
            if position not in in_names and token not in STOPWORDS
        ]
        unknown = [word for word in reading.ranking.unknown_words if word.word not in STOPWORDS]
        several = len(set(shown_names(mentioned))) > 1
        compares = reading.question_type.compares and not (several and others and len(entries) == 1)
        asks_about_it = reading.question_type.defines or compares or not (others or several)
        if top is not None and not asks_about_it and not unknown and (top.id in entries or self._may_answer(reading)):
            return self._findings.answer(reading, top, "it is named there")
        reason = "the source only names it"
        finding = self._findings.make(reading, "unknown", entries[:MAX_OFFERED], reason, OUT_OF_SCOPE_LOG_ODDS / 2)
        return replace(finding, mentioned_only=shown_names(mentioned))

    def _is_about_others(self, reading: Reading, out_of_scope: Sequence[str], unknown: Sequence[UnknownName]) -> bool:
        """Whether a question that names a card is about something that isn't covered, or compares the card with it.

        An English word that the pack doesn't have may be a thing of the card's own ("is latency a problem with Celery").
        """
        if reading.question_type.compares and (
            out_of_scope or any(name.word_class == "new" and name.is_in_place for name in unknown)
        ):
            return True
        return any(name.is_compared or (name.is_subject and name.word_class in ("new", "compound")) for name in unknown)

    def _beside_unknown(self, reading: Reading, unknown: Sequence[UnknownName], finding: Finding) -> Finding:
        """A finding by ranking of a question with unknown names: they come first, in its place or beside it."""
        is_answered = finding.kind != "unknown"
        if not unknown or finding.kind in ("smalltalk", "help"):
            return finding
        subjects = [
            name
            for name in unknown
            if name.is_subject and (name.word_class in ("new", "compound") or is_answered or finding.ids)
        ]
        if subjects:
            return self._instead_of(reading, [name.shown for name in subjects])
        return finding

    def with_names_beside(self, reading: Reading, finding: Finding) -> Finding:
        """The finding of a message, with the new names in it that the question isn't about, so that a word is said on them.

        Where there is no answer and no offer, one new name is likely the reason.
        """
        if finding.out_of_scope or finding.mentioned_only or finding.kind in ("smalltalk", "help"):
            return finding
        unknown, is_answered = self._unknown_names.find(reading), finding.kind != "unknown"
        new = shown_beside(unknown) if is_answered else _once([name.shown for name in unknown if name.is_special])
        is_worth_a_word = is_answered or (len(new) == 1 and not finding.ids)
        return replace(finding, out_of_scope=new) if is_worth_a_word else finding

    def _instead_of(self, reading: Reading, names: Sequence[str]) -> Finding:
        """Names that aren't covered, and what is known instead: cards of the group that is asked for, else what would answer."""
        top = self._findings.top(reading)
        if top is None or top.kind == "talk" or reading.among_log_odds < self._findings.gate.offer:
            return self._not_covered(reading, [], names)
        if top.kind in ("list", "pick"):
            cards = self._findings.recommended(reading, self._groups[top.id])
            return replace(self._not_covered(reading, list(cards), names), group=top.id)
        return self._not_covered(reading, [top.id] if self._may_answer(reading) else [], names)

    def _not_covered(self, reading: Reading, cards: list[str], out_of_scope: Sequence[str]) -> Finding:
        """Something that isn't covered is named; the cards beside it are offered."""
        reason = "something that isn't covered is named"
        finding = self._findings.make(reading, "unknown", tuple(cards[:MAX_OFFERED]), reason, OUT_OF_SCOPE_LOG_ODDS)
        return replace(finding, out_of_scope=_once(out_of_scope))

    def _ordinary_word(self, reading: Reading) -> Finding:
        """A card's name is there as an ordinary word: only another entry could answer."""
        top = self._findings.top(reading)
        cards = tuple(dict.fromkeys(mention.name.about for mention in reading.mentions_of("card")))
        if top is not None and top.id not in cards:
            return self.decide_by_ranking(reading)
        offered = cards[:MAX_OFFERED] if reading.ranking.similarity > reading.ranking.out_of_scope_similarity else ()
        return self._findings.make(reading, "unknown", offered, _ORDINARY_WORD, OUT_OF_SCOPE_LOG_ODDS)

    def decide_by_ranking(self, reading: Reading) -> Finding:
        """No name decides: the best target answers, if the gate lets it through."""
        findings, top = self._findings, self._findings.top(reading)
        is_talk = top is not None and top.kind == "talk"
        if not is_talk and all(_says_nothing(token) for token in reading.tokens):
            reason = "nothing in it says what it is about"
            return findings.make(reading, "unknown", (), reason, OUT_OF_SCOPE_LOG_ODDS)
        if top is not None and self._defines_group(reading, top):
            group = self._groups[top.id]
            if len(self._knowledge.members(group)) > 1 and self._says_only(reading, group):
                finding = findings.answer(reading, Target("list", top.id), "a group's word, which isn't described")
                return replace(finding, beyond=True)
            cards = findings.recommended(reading, group)[:MAX_OFFERED] if findings.may_offer(reading) else ()
            return findings.make(reading, "unknown", cards, "a group's word isn't described")
        if top is not None and self._is_inflected_name(reading, top):
            return findings.make(reading, "unknown", (), _ORDINARY_WORD, OUT_OF_SCOPE_LOG_ODDS)
        if top is not None and (self._may_answer(reading) or (is_talk and _is_courtesy(reading))):
            return findings.answer(reading, top, "the best phrasing")
        if top is not None and reading.among_log_odds >= findings.gate.offer:
            offered = self._beside_small_talk(reading) if is_talk else findings.offers(reading)
            return findings.make(reading, "unknown", offered, "near, but not near enough")
        return findings.make(reading, "unknown", (), "nothing fits")

    def _beside_small_talk(self, reading: Reading) -> tuple[str, ...]:
        """Entries that are as near as the small talk that doesn't answer: the log-odds are the small talk's."""
        first, *others = reading.ranking.candidates
        near = [
            self._findings.target(c)
            for c in others
            if c.score > first.score - NEAR_SMALL_TALK and self._findings.is_related(reading, c)
        ]
        return tuple(target.id for target in near if target.kind == "entry")[:MAX_OFFERED]

    def _may_answer(self, reading: Reading) -> bool:
        """Whether the best target passes the gate; for small talk, also whether nearly all of the message is small talk.

        GROUP_LOG_ODDS aren't added if the message has an English word that the pack lacks.
        """
        passes_alone = reading.log_odds >= self._findings.gate.answer
        top = self._findings.top(reading)
        if top is not None and top.kind == "talk":
            return passes_alone and self._is_small_talk(reading)
        if not reading.ranking.is_supported or self._is_nearer_to_listed(reading):
            return False
        passes = (passes_alone or not reading.foreign_words) and self._findings.passes_gate(reading)
        return passes and not self._asks_opposite(reading)

    def _is_nearer_to_listed(self, reading: Reading) -> bool:
        """Whether a listed out-of-scope question is nearer than every phrasing of the best target.

        Only asked in packs that list too few to fit the gate to them: there the gate weighs both similarities itself.
        """
        ranking = reading.ranking
        return bool(self._findings.gate.among_weights) and ranking.out_of_scope_similarity > ranking.similarity

    def _asks_opposite(self, reading: Reading) -> bool:
        """Whether the message asks for the opposite of what the best target is about."""
        number = reading.ranking.candidates[0].target_index
        return asks_opposite(reading.whole_tokens or reading.tokens, lambda: self._terms_of(number))

    def _terms_of(self, number: int) -> Terms:
        """The terms of a target's phrasings: kept here, so that a replaced pack's go with it."""
        if (own := self._terms_by_target.get(number)) is None:
            own = self._terms_by_target[number] = terms_of(self._phrasings(number))
        return own

    def _is_small_talk(self, reading: Reading) -> bool:
        """Whether nearly all of a message is small talk: "is it going to snow" is not "how is it going"."""
        read_as = {typed: word for typed, word in reading.ranking.corrections if is_slip(typed, word)}
        information = {
            word: max(english().stem_rarity_of(word) - COMMON_RARITY, MIN_INFORMATION)
            for token in reading.tokens
            for word in words(read_as.get(token, token))
        }
        small_talk = sum(
            information[word] for word in information if word in STOPWORDS or stem(word) in self._small_talk_stems
        )
        required = ONE_WORD_SIMILARITY if len(information) == 1 else SMALL_TALK_SIMILARITY
        if len(information) == 1 and any(len(typed) >= LONE_SLIP_LENGTH for typed in read_as):
            required *= CORRECTED_TRUST
        is_enough = small_talk >= SMALL_TALK_SHARE * sum(information.values())
        return is_enough and reading.ranking.similarity >= required

    def _defines_group(self, reading: Reading, top: Target) -> bool:
        """Whether "what is a rest api" asks for the definition of a word that the pack only groups its cards by."""
        kind = reading.question_type
        return top.kind in ("list", "pick") and kind.defines and not (kind.wants_all or kind.wants_one)

    def _says_only(self, reading: Reading, group: Group) -> bool:
        """Whether the question says nothing but a group's word."""
        group_words = {word for name in group.words for word in words(name)}
        read_as = dict(reading.ranking.corrections)
        return all(token in STOPWORDS or read_as.get(token, token) in group_words for token in reading.tokens)

    def _is_inflected_name(self, reading: Reading, top: Target) -> bool:
        """Whether a card ranks first only because an ordinary word has the stem of its name ("red panda")."""
        card = self._knowledge.by_id.get(top.id)
        if top.kind != "entry" or not isinstance(card, Library) or reading.mentions_of("card"):
            return False
        name = words(card.name)
        return len(name) == 1 and name[0] not in reading.tokens and stem(name[0]) in map(stem, reading.tokens)


_ASKS_WHETHER = re.compile(r"\b(?:does|do|is|must|will|would|has|have|if|whether|can)$")
_NEEDING = re.compile(
    r"^(?:also |really |always |still )*(?:needs?|requires?|depends? on|have|has|includes?|contains?|made of|built on|based on)\b"
)
_ABOUT_SUBJECT = cues.Cue(
    r"^(?:(?:so|and|but|ok|hey|hi) )*(?:(?:is|was|isnt|has|will|why is|why was|how is|when was|when did|where was|"
    r"how (?:old|fast|slow|good|bad|big|hard|popular|safe|secure|stable|easy|difficult|mature|expensive) is|"
    r"who (?:made|makes|created|invented|wrote|designed|developed|owns|uses|maintains)) )(?:the )?SUBJECT$"
)
"""What stands before the subject in a question about it as a whole."""
_EMPTY_IN_PREDICATE = frozenset(("worth", "enough"))
_NOT_IN_PREDICATE = frozenset("or for in on with to at by like than as from".split())
"""Words behind the subject with which a question is about something else too: "is Python good for dashboards"."""
_ORDINARY_WORD = "its name is an ordinary word here"


def _says_nothing(token: str) -> bool:
    """Whether a token is a number, a single letter or a stopword."""
    return token.isdigit() or len(token) < MIN_LETTERS or token in STOPWORDS


def _is_courtesy(reading: Reading) -> bool:
    """Whether a message says nothing but courtesies: "ok", "lol", "alright, cool"."""
    return reading.is_whole and not stripped_text(reading)


def shown_beside(unknown: Sequence[UnknownName]) -> tuple[str, ...]:
    """Those of some unknown names that are worth a word where something else answers."""
    return _once([name.shown for name in unknown if name.is_special and name.is_in_place])


def _once(names: Sequence[str]) -> tuple[str, ...]:
    """The names, each as it stands first, in whatever case it stands again."""
    shown: dict[str, str] = {}
    for name in names:
        shown.setdefault(name.casefold(), name)
    return tuple(shown.values())
