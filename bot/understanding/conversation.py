"""A message of a conversation: what it says and names, what was shown before it, and what a follow-up comes down to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from bot.model import MOST_COMPARED, ConversationState, Entry, Group, Knowledge, Library, Step
from bot.retrieval.english import english
from bot.text import normalize_phrase, stem, words
from bot.understanding import cues
from bot.understanding.cues import FOLLOWUP_WORDS, is_typo, strip_courtesies
from bot.understanding.disambiguation import NameDisambiguator
from bot.understanding.finding_factory import MAX_RECOMMENDED
from bot.understanding.names import Mention
from bot.understanding.reading import Reading, unrecognized_word


@dataclass(frozen=True, slots=True)
class FollowUp:
    """What a follow-up comes down to: entries, a group, offers, or nothing.

    Attributes:
        ids: Entries to answer with; two or more are compared.
        group: A group to list or, with `recommends`, to recommend from.
        recommends: See `group`.
        offers: Entries to offer.
        has_unknown_name: It asks about a name that nobody knows.
        wants_best: It asks for the best of `ids`.
        asks_about_shown: It asks something of the entry that was shown before.
        part: The part of a long answer that is asked for, counted from 1.
        reason: Why, for the evidence.
    """

    ids: tuple[str, ...] = ()
    group: Group | None = None
    recommends: bool = False
    offers: tuple[str, ...] = ()
    has_unknown_name: bool = False
    wants_best: bool = False
    asks_about_shown: bool = False
    part: int = 1
    reason: str = ""


WORDS_BEFORE_NAMES = frozenset("and or vs versus v than with against about in like".split())


def meant_mentions(reading: Reading) -> list[Mention]:
    """The names in a message, without follow-up words that happen to be a name ("go back") and typos of such words."""
    mentions = []
    for mention in reading.mentions:
        tokens = reading.tokens[mention.start : mention.end]
        is_placed = (
            mention.end == len(reading.tokens) and set(reading.tokens[: mention.start][-1:]) & WORDS_BEFORE_NAMES
        )
        is_followup_word = mention.name.kind != "card" and set(tokens) <= FOLLOWUP_WORDS and not is_placed
        if not is_followup_word and not (mention.edits and all(map(is_typo, tokens))):
            mentions.append(mention)
    return mentions


def stripped_text(reading: Reading) -> str:
    """A message's words without courtesies, typos corrected; names as they were typed."""
    in_names = {position for mention in meant_mentions(reading) for position in range(mention.start, mention.end)}
    return strip_courtesies(reading.tokens, [position in in_names for position in range(len(reading.tokens))])


def conversation_turn(
    reading: Reading, state: ConversationState, knowledge: Knowledge, disambiguator: NameDisambiguator
) -> ConversationTurn:
    """The message that follows this state."""
    text = stripped_text(reading)
    mentions = [m for m in meant_mentions(reading) if not disambiguator.is_plain_noun(reading, m)]
    names = [" ".join(reading.tokens[m.start : m.end]) for m in mentions]
    others = f" {text} "
    for name in names:
        others = others.replace(f" {name} ", " ", 1)
    return ConversationTurn(
        state=_known_state(state, knowledge),
        knowledge=knowledge,
        text=text,
        tokens=tuple(text.split()),
        other_tokens=tuple(others.split()),
        before_names=text.partition(names[0])[0].strip() if names else text,
        has_names=bool(names),
        named_cards=tuple(dict.fromkeys(m.name.about for m in mentions if m.name.kind == "card")),
        names_others=any(m.name.kind != "card" for m in mentions),
        unrecognized=unrecognized_word(reading),
        is_foreign=_is_foreign(reading, disambiguator),
    )


def _is_foreign(reading: Reading, disambiguator: NameDisambiguator) -> bool:
    """Whether a message is about another subject: its words are English and not technical, and it resembles a listed out-of-scope
    question more than any phrasing, or the pack has none of its content words."""
    content = [token for token in reading.tokens if token not in FOLLOWUP_WORDS]
    if any(stem(token) in disambiguator.technical_stems or token not in english() for token in content):
        return False
    unknown = {unknown.word for unknown in reading.ranking.unknown_words}
    ranking = reading.ranking
    is_nearer = ranking.out_of_scope_similarity > ranking.similarity
    return is_nearer or (bool(content) and unknown.issuperset(content))


def _known_state(state: ConversationState, knowledge: Knowledge) -> ConversationState:
    """The state without entries that the pack no longer has."""

    def known(ids: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(i for i in ids if i in knowledge.by_id)

    return replace(
        state, ids=known(state.ids), before=known(state.before), seen=known(state.seen), without=known(state.without)
    )


@dataclass(frozen=True)
class ConversationTurn:
    """One message of a conversation, and what was shown before it.

    Attributes:
        state: What was shown before.
        knowledge: The pack.
        text: The message without courtesies, typos corrected.
        tokens: Its words.
        other_tokens: The words beside the names.
        before_names: The words before the first name.
        has_names: Whether there are names.
        named_cards: Ids of the cards that are named.
        names_others: Whether it has a name that isn't a card's.
        unrecognized: See `reading.unrecognized_word`.
        is_foreign: Whether it is about another subject.
    """

    state: ConversationState
    knowledge: Knowledge
    text: str
    tokens: tuple[str, ...]
    other_tokens: tuple[str, ...]
    before_names: str
    has_names: bool
    named_cards: tuple[str, ...]
    names_others: bool
    unrecognized: str
    is_foreign: bool

    @property
    def is_bare(self) -> bool:
        """Whether nothing but follow-up words is said, names apart."""
        return set(self.other_tokens) <= FOLLOWUP_WORDS

    @property
    def compares(self) -> bool:
        """Whether things are compared, or one of them is to be chosen."""
        return bool(
            cues.COMPARING.search(self.text) or cues.CHOOSING.search(self.text) or cues.VERSUS.search(self.before_names)
        )

    @property
    def telling(self) -> list[str]:
        """The words that follow-ups have no use for."""
        return [token for token in self.tokens if token not in FOLLOWUP_WORDS] if self.only_group is None else []

    @property
    def says_steps(self) -> bool:
        """Whether the word "step" is said."""
        return not cues.STEPS.isdisjoint(self.tokens)

    # --- what was shown before

    @cached_property
    def current(self) -> Entry | None:
        """The one entry that was shown last; offers of several don't take its place."""
        were_offers = self.state.kind == "unknown" and len(self.state.ids) > 1
        ids = self.state.seen[-1:] if were_offers else self.state.ids
        return self.knowledge.by_id.get(ids[0]) if len(ids) == 1 else None

    @cached_property
    def subject(self) -> Entry | None:
        """What the conversation is about: the entry that was shown last, else the first one that was offered or was near."""
        ids = (*self.state.ids[:1], *reversed(self.state.seen), *self.state.others)
        return self.current or next((self.knowledge.by_id[i] for i in ids if i in self.knowledge.by_id), None)

    @cached_property
    def shown_together(self) -> tuple[str, ...]:
        """The several entries that were shown last, or that the current one was chosen from."""
        return self.state.ids if len(self.state.ids) > 1 else self.state.before

    @property
    def is_chosen(self) -> bool:
        """Whether the current entry was chosen from several."""
        return self.current is not None and self.current.id in self.state.before

    @property
    def group(self) -> Group | None:
        """The group that the several entries are of, or that the current one was chosen from."""
        kind, last = self.state.kind, self.last_group
        return last if kind in ("list", "recommend", "unknown") or (kind != "compare" and self.is_chosen) else None

    @property
    def last_group(self) -> Group | None:
        """The group that was listed last, though some of it were compared since."""
        return next((group for group in self.knowledge.groups if group.id == self.state.group), None)

    @cached_property
    def steps(self) -> tuple[str, ...]:
        """Ids of the steps of the topic that was shown last."""
        for shown in (*self.state.ids[:1], *reversed(self.state.seen)):
            entry = self.knowledge.by_id.get(shown)
            steps = self.knowledge.steps(entry.of if isinstance(entry, Step) else shown)
            if steps:
                return tuple(step.id for step in steps)
        return ()

    @cached_property
    def topic_cards(self) -> tuple[str, ...]:
        """The cards that the topic that was shown last names, in its order."""
        return (
            cards_in(self.current, self.knowledge) if self.current is not None and self.current.kind == "topic" else ()
        )

    @property
    def choices(self) -> tuple[str, ...]:
        """The entries that "the second one" counts."""
        if self.says_steps and self.steps:
            return self.steps
        if len(self.state.ids) > 1 or self.is_chosen:
            return self.shown_together
        is_answer = self.state.kind in ("topic", "step")
        if is_answer and self.state.ids[0] in self._steps_and_topic:
            return self.steps
        if self.topic_cards:
            return self.topic_cards
        if self.state.before:
            return self.state.before
        return self.state.seen if len(self.state.seen) > 1 else self.state.ids

    def position_of(self, which: str, choices: Sequence[str]) -> int:
        """Position of "the last", "the other", "the third" among some choices; -1 if there is none."""
        state = self.state
        match which:
            case "last" | "latter":
                return len(choices) - 1
            case "former":
                return 0
            case "middle":
                return len(choices) // 2 if len(choices) % 2 else -1
            case "other":
                current = state.ids[0] if len(state.ids) == 1 else ""
                others = [position for position, choice in enumerate(choices) if choice != current]
                return others[-1] if others and len(choices) <= 3 else -1
            case _:
                return cues.ORDINALS[which] - 1

    def placed(self, text: str, choices: Sequence[str] | None = None) -> tuple[str, ...]:
        """The cards that words for places mean: "the second one", "the first and the last"."""
        choices = self.choices if choices is None else choices
        return self.cards([choices[place] for place in self.positions(text, choices) if 0 <= place < len(choices)])

    def positions(self, text: str, choices: Sequence[str]) -> list[int]:
        """The positions that words mean: "the first two", "the second and the last"; one beyond the choices, or -1: none."""
        result = list[int]()
        if (span := cues.SPANS.search(text)) is not None:
            count = cues.MANY.get(span["many"]) or int(span["many"])
            result += range(len(choices) - count, len(choices)) if span["end"] == "last" else range(count)
            text = text.replace(span[0], " ")
        result += [cues.CARDINALS[match["number"]] - 1 for match in cues.NUMBER.finditer(text)]
        return [*result, *(self.position_of(match["which"], choices) for match in cues.ORDINAL.finditer(text))]

    @property
    def _steps_and_topic(self) -> set[str]:
        first = self.knowledge.by_id.get(self.steps[0]) if self.steps else None
        return {*self.steps, first.of} if isinstance(first, Step) else set()

    @property
    def plural_cards(self) -> tuple[str, ...]:
        """The cards that "they" are: shown last side by side, one after another, or those that were chosen from."""
        ids = self.state.ids
        if len(ids) > 1 and self.state.kind != "unknown":
            return self.cards(ids)[:2] if cues.TWO.search(self.text) else self.cards(ids)
        seen = self.cards(self.state.seen)
        means_all = {"those", "these", "all"} & set(self.tokens) and "two" not in self.tokens
        if len(seen) > 1 and not (means_all and self.state.before):
            return seen[-3:] if "three" in self.tokens else seen[-2:]
        return self.cards(self.state.before) or seen

    def cards(self, ids: Sequence[str]) -> tuple[str, ...]:
        """Those of some ids that are cards, each once."""
        return tuple(i for i in dict.fromkeys(ids) if isinstance(self.knowledge.by_id.get(i), Library))

    @property
    def last_card(self) -> str | None:
        """The card that "it" is."""
        if self.current is not None:
            return self.current.id if isinstance(self.current, Library) else None
        if self.state.kind == "recommend":
            return self.state.ids[0]
        return next(iter(self.cards(self.state.seen[-1:])), None) if not self.state.ids else None

    # --- results

    def answer_with(self, entry: str, reason: str) -> FollowUp:
        """A follow-up that this entry answers."""
        return FollowUp((entry,), reason=reason)

    def repeat(self) -> FollowUp | None:
        """The several entries that were shown, as they were shown."""
        if self.group is not None:
            recommends = self.state.kind == "recommend" or not self._is_list_of(self.group)
            return FollowUp(
                self.shown_together, group=self.group, recommends=recommends, reason="what was shown before"
            )
        cards = self.cards(self.shown_together)
        if 1 < len(cards) <= MOST_COMPARED:
            return FollowUp(cards, reason="what was shown before")
        return None

    def _is_list_of(self, group: Group) -> bool:
        """Whether the several entries are the group's list, or part of it in its order, and no recommendation."""
        cards = self.knowledge.members(group)
        if self.state.kind == "list" or self.shown_together == tuple(card.id for card in cards):
            return True
        in_order = tuple(card.id for card in cards if card.id in self.shown_together) == self.shown_together
        doubtful = {card.id for card in cards if group.id in card.also}
        return in_order and (len(self.shown_together) > MAX_RECOMMENDED or not doubtful.isdisjoint(self.shown_together))

    def mentioned_groups(self) -> tuple[Group, ...]:
        """Groups that are named by one of their words, those with the longest word first."""
        return groups_in(" ".join(self.tokens), self.knowledge)

    @property
    def _other_side(self) -> tuple[Group, ...]:
        """The other of two sides than the one that the topic's title names, where the message asks for it."""
        known = {card.side for card in self.knowledge.entries if isinstance(card, Library)}
        sides = [group for group in self.knowledge.groups if group.id in known]
        if len(sides) != 2 or self.subject is None or not cues.OTHER_SIDE.search(self.text):
            return ()
        named = groups_in(self.subject.title, self.knowledge)
        return tuple(group for group in sides if group not in named) if set(sides) & set(named) else ()

    @cached_property
    def only_group(self) -> Group | None:
        """The group of a message that names nothing but a group: "and on the frontend?"."""
        groups = self.mentioned_groups() or self._other_side
        said = {word for group in groups for name in group.words for word in words(name)}
        return groups[0] if groups and set(self.tokens) - said <= cues.GENERAL else None


def groups_in(text: str, knowledge: Knowledge) -> tuple[Group, ...]:
    """Groups of which a text has a word, those with the longest word first."""
    text = f" {normalize_phrase(text)} "
    lengths = [
        (max((len(w) for w in map(normalize_phrase, group.words) if f" {w} " in text), default=0), group)
        for group in knowledge.groups
    ]
    return tuple(group for length, group in sorted(lengths, key=lambda pair: -pair[0]) if length)


def cards_in(entry: Entry, knowledge: Knowledge) -> tuple[str, ...]:
    """Ids of the cards that an entry's text names, in its order."""
    text = f" {normalize_phrase(entry.plain_answer)} "
    cards = (card for card in knowledge.entries if isinstance(card, Library) and card.id != entry.id)
    places = [(text.find(f" {normalize_phrase(card.name)} "), card.id) for card in cards]
    return tuple(card for place, card in sorted(places) if place >= 0)
