"""Turn: one message of a conversation, with what it says and names and what stands before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from bot.match import cues
from bot.match.company import Company
from bot.match.english import english
from bot.match.findings import MOST_RECOMMENDED
from bot.match.names import Mention
from bot.match.reading import Reading, odd_word
from bot.match.said import SMALL, is_slip, said
from bot.model import MOST_COMPARED, ConversationState, Entry, Group, Knowledge, Library, Step
from bot.text import stem, words


@dataclass(frozen=True, slots=True)
class Continued:
    """What a follow-up comes down to.

    Entries to answer with (two or more: compared), a group (`pick`: a choice from it, else all of it), questions to ask
    in turn, entries to offer, a new start, or nothing: what it leans on isn't there.
    """

    ids: tuple[str, ...] = ()
    group: Group | None = None
    pick: bool = False
    asks: tuple[str, ...] = ()
    offers: tuple[str, ...] = ()
    restart: bool = False
    stranger: bool = False
    """A name is asked about that nobody knows."""
    chooses: bool = False
    """The best of them is wanted."""
    asks_on: bool = False
    """Something is asked of the entry that was shown before."""
    reason: str = ""


BEFORE_A_NAME = frozenset("and or vs versus v than with against about in like".split())


def meant_names(reading: Reading) -> list[Mention]:
    """The names in a message, without small words that could be a stranger's name ("go back") and slips of small words."""
    found = []
    for mention in reading.mentions:
        tokens = reading.tokens[mention.start : mention.end]
        ends = mention.end == len(reading.tokens) and set(reading.tokens[: mention.start][-1:]) & BEFORE_A_NAME
        small = mention.name.standing != "ours" and set(tokens) <= SMALL and not ends
        if not small and not (mention.slips and all(map(is_slip, tokens))):
            found.append(mention)
    return found


def said_in(reading: Reading) -> str:
    """What a message says, courtesies and slips apart; names as they were typed."""
    at_names = {at for mention in meant_names(reading) for at in range(mention.start, mention.end)}
    return said(reading.tokens, [at in at_names for at in range(len(reading.tokens))])


def turn_of(reading: Reading, context: ConversationState, knowledge: Knowledge, company: Company) -> Turn:
    """The message after this context."""
    text = said_in(reading)
    mentions = meant_names(reading)
    names = [" ".join(reading.tokens[m.start : m.end]) for m in mentions]
    rest = f" {text} "
    for name in names:
        rest = rest.replace(f" {name} ", " ", 1)
    return Turn(
        context=_known(context, knowledge),
        knowledge=knowledge,
        said=text,
        tokens=tuple(text.split()),
        rest=tuple(rest.split()),
        lead=text.partition(names[0])[0].strip() if names else text,
        names=bool(names),
        ours=tuple(dict.fromkeys(m.name.about for m in mentions if m.name.standing == "ours")),
        strange=any(m.name.standing != "ours" for m in mentions),
        odd=odd_word(reading),
        foreign=_is_foreign(reading, company),
    )


def _is_foreign(reading: Reading, company: Company) -> bool:
    """Whether a message's words are from elsewhere: none is technical, and they are nearer to strangers or in no phrasing."""
    told = [token for token in reading.tokens if token not in SMALL]
    if any(stem(token) in company.technical or token not in english() for token in told):
        return False
    unknown = {word.word for word in reading.ranking.unknown}
    return reading.ranking.stranger > reading.ranking.likeness or (bool(told) and unknown.issuperset(told))


def _known(context: ConversationState, knowledge: Knowledge) -> ConversationState:
    """What of a context the pack still has."""

    def kept(ids: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(i for i in ids if i in knowledge.by_id)

    return replace(context, ids=kept(context.ids), before=kept(context.before), seen=kept(context.seen))


@dataclass(frozen=True)
class Turn:
    """One message after others: its words, what they name, and what stands before it."""

    context: ConversationState
    knowledge: Knowledge
    said: str
    tokens: tuple[str, ...]
    rest: tuple[str, ...]
    """The words beside the names."""
    lead: str
    """The words before the first name."""
    names: bool
    ours: tuple[str, ...]
    """Cards that are named."""
    strange: bool
    """A name is among them that isn't a card's."""
    odd: str
    """A word that is read as another which it is not much like; empty if there is none."""
    foreign: bool
    """Its words are from elsewhere."""

    @property
    def small(self) -> bool:
        """Whether nothing but small words is said, names apart."""
        return set(self.rest) <= SMALL

    @property
    def of_steps(self) -> bool:
        """Whether steps are spoken of by that word."""
        return not cues.STEPS.isdisjoint(self.tokens)

    # --- what stands before it

    @cached_property
    def current(self) -> Entry | None:
        """The one entry that was shown last; offers of several don't take its place."""
        offered = self.context.kind == "unknown" and len(self.context.ids) > 1
        ids = self.context.seen[-1:] if offered else self.context.ids
        return self.knowledge.by_id.get(ids[0]) if len(ids) == 1 else None

    @cached_property
    def several(self) -> tuple[str, ...]:
        """The several entries that stand before the person: shown last, or those that the last was picked from."""
        return self.context.ids if len(self.context.ids) > 1 else self.context.before

    @property
    def picked(self) -> bool:
        """Whether the last one was picked from several."""
        return self.current is not None and self.current.id in self.context.before

    @property
    def group(self) -> Group | None:
        """The group that the several are of, or the last one was picked from."""
        kind = self.context.kind
        return self.listed if kind in ("list", "recommend", "unknown") or (kind != "compare" and self.picked) else None

    @property
    def listed(self) -> Group | None:
        """The group that was listed last, though some of it were compared since."""
        return next((group for group in self.knowledge.groups if group.id == self.context.group), None)

    @cached_property
    def steps(self) -> tuple[str, ...]:
        """The steps of the topic that was spoken of last."""
        for shown in (*self.context.ids[:1], *reversed(self.context.seen)):
            entry = self.knowledge.by_id.get(shown)
            steps = self.knowledge.steps(entry.of if isinstance(entry, Step) else shown)
            if steps:
                return tuple(step.id for step in steps)
        return ()

    @property
    def pool(self) -> tuple[str, ...]:
        """What "the second one" counts."""
        if self.of_steps and self.steps:
            return self.steps
        if len(self.context.ids) > 1 or self.picked:
            return self.several
        answered = self.context.kind in ("topic", "step")
        if answered and self.context.ids[0] in self._stepped:
            return self.steps
        if self.context.before:
            return self.context.before
        return self.context.seen if len(self.context.seen) > 1 else self.context.ids

    @property
    def _stepped(self) -> set[str]:
        first = self.knowledge.by_id.get(self.steps[0]) if self.steps else None
        return {*self.steps, first.of} if isinstance(first, Step) else set()

    @property
    def together(self) -> tuple[str, ...]:
        """The cards that "they" are: shown last side by side, one after another, or those picked from."""
        ids = self.context.ids
        if len(ids) > 1 and self.context.kind != "unknown":
            return self.cards(ids)[:2] if cues.TWO.search(self.said) else self.cards(ids)
        seen = self.cards(self.context.seen)
        wide = {"those", "these", "all"} & set(self.tokens) and "two" not in self.tokens
        if len(seen) > 1 and not (wide and self.context.before):
            return seen[-3:] if "three" in self.tokens else seen[-2:]
        return self.cards(self.context.before) or seen

    def cards(self, ids: Sequence[str]) -> tuple[str, ...]:
        """Those of them that are cards, each once."""
        return tuple(i for i in dict.fromkeys(ids) if isinstance(self.knowledge.by_id.get(i), Library))

    @property
    def last_card(self) -> str | None:
        """The card that "it" is."""
        if self.current is not None:
            return self.current.id if isinstance(self.current, Library) else None
        return next(iter(self.cards(self.context.seen[-1:])), None) if not self.context.ids else None

    # --- ways to go on

    def one(self, entry: str, reason: str) -> Continued:
        """This entry answers."""
        return Continued((entry,), reason=reason)

    def same_again(self) -> Continued | None:
        """The several that stand before, as they were shown."""
        if self.group is not None:
            pick = self.context.kind == "recommend" or not self._is_listed(self.group)
            return Continued(self.several, group=self.group, pick=pick, reason="what was shown before")
        cards = self.cards(self.several)
        if 1 < len(cards) <= MOST_COMPARED:
            return Continued(cards, reason="what was shown before")
        return None

    def _is_listed(self, group: Group) -> bool:
        """Whether the several are the group's list or what that has besides some, and no recommendation from it."""
        cards = self.knowledge.members(group)
        if self.context.kind == "list" or self.several == tuple(card.id for card in cards):
            return True
        ordered = tuple(card.id for card in cards if card.id in self.several) == self.several
        doubtful = {card.id for card in cards if group.id in card.also}
        return ordered and (len(self.several) > MOST_RECOMMENDED or not doubtful.isdisjoint(self.several))

    def groups_in(self) -> tuple[Group, ...]:
        """Groups that are named by one of their words, with the longest word first."""
        text = f" {' '.join(self.tokens)} "
        found = [
            (
                max((len(w) for w in (" ".join(words(name)) for name in group.words) if f" {w} " in text), default=0),
                group,
            )
            for group in self.knowledge.groups
        ]
        return tuple(group for length, group in sorted(found, key=lambda pair: -pair[0]) if length)
