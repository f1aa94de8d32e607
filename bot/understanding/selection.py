"""Selections: cards that a message asks for as a set: what stands or a group, as far as a filter holds, but what is left out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property

from bot.model import MOST_COMPARED, Finding, Kind, Knowledge, Library
from bot.retrieval.english import english
from bot.retrieval.scoring import MAX_OFFERED
from bot.text import normalize_phrase, sentences, stem, words
from bot.understanding import cues
from bot.understanding.conversation import ConversationTurn, cards_in, groups_in
from bot.understanding.exclusion import Exclusion
from bot.understanding.finding_factory import FindingFactory
from bot.understanding.names import shown_names
from bot.understanding.question_type import STOPWORDS
from bot.understanding.reading import Reading

MIN_BEGINNING = 5
"""Letters of a name from which a longer word that begins with it says the same."""

MIN_SAID = 0.5
"""Share of the information of a filter's words that a card's text must have: "an admin area", where the card says "admin"."""

SELECTED_LOG_ODDS = 3.0
"""Log-odds that a set adds: less than a card's name (`finding_factory.NAME_LOG_ODDS`), more than a group's word."""

Ask = Callable[[str], tuple[Reading, Finding]]
"""Asks a text by itself."""


@dataclass(frozen=True, slots=True)
class _Pool:
    """Cards to choose among, the group that they are of, and as what they are shown."""

    ids: tuple[str, ...]
    group: str | None = None
    kind: Kind = "list"


class Selector:
    """Selects cards of one pack."""

    def __init__(self, knowledge: Knowledge, findings: FindingFactory) -> None:
        self._knowledge = knowledge
        self._findings = findings
        self._groups = {group.id: group for group in knowledge.groups}
        self.kinds = frozenset(
            normalize_phrase(name) for group in knowledge.groups if not group.all for name in group.words
        )
        """The words of the groups."""
        texts = [
            text
            for card in knowledge.entries
            if isinstance(card, Library)
            for text in (card.what, card.summary, card.plain_answer)
        ]
        written: dict[str, str] = {term.casefold(): term for text in texts for term in _TERM.findall(text)}
        in_names = {part for card in knowledge.entries if isinstance(card, Library) for part in words(card.name)}
        self.terms = {term: shown for term, shown in written.items() if term not in self.kinds and term not in in_names}
        """Names of techniques in the cards' texts, told by their capital letters (HTML, JavaScript), as written there."""

    def with_topics(self, knowledge: Knowledge, findings: FindingFactory) -> Selector:
        """The same for a pack with more topics. What is known of the cards is shared."""
        edited = copy(self)
        edited._knowledge, edited._findings = knowledge, findings
        return edited

    # --- what is left out

    def without(
        self, reading: Reading, exclusion: Exclusion, turn: ConversationTurn | None, ask: Ask
    ) -> Finding | None:
        """The cards that are asked for, without what the message leaves out; None if that is nothing that the pack knows."""
        cards = [mention.name.about for mention in exclusion.mentions if mention.name.kind == "card"]
        strangers = [mention for mention in exclusion.mentions if mention.name.kind != "card"]
        placed = (
            [entry for place in exclusion.places for entry in self._placed(place, turn)] if turn is not None else []
        )
        of_kinds = [
            card.id
            for kind in exclusion.kinds
            for group in groups_in(kind, self._knowledge)
            for card in self._members(group.id)
        ]
        unknown = dict.fromkeys((mention.name.shown, mention.name.about) for mention in strangers)
        needing = [card for shown, about in unknown for card in self._needing(shown, about)]
        terms = [kind for kind in exclusion.kinds if kind in self.terms]
        needing += [card for term in terms for card in self._needing(term, "")]
        excluded = tuple(dict.fromkeys((*cards, *placed, *of_kinds, *needing)))
        if not excluded and not strangers and not terms:
            if turn is None or exclusion.is_said or exclusion.rest or not turn.is_bare:
                return None
            offers = self._related(turn.state.ids[:1], ())
            return self._findings.make(reading, "unknown", offers, "nothing else is known")
        rest = exclusion.rest
        rest_reading, asked = ask(rest) if rest else (reading, None)
        pool = self._pool(asked, rest, excluded, turn, cards or placed)
        if pool is None:
            return asked if asked is not None and not set(asked.ids) & set(excluded) else None
        left = tuple(entry for entry in pool.ids if entry not in excluded)
        if not left and pool.group is not None:  # what stood was a part of its kind
            pool = replace(pool, ids=self._ids_of(pool.group))
            left = tuple(entry for entry in pool.ids if entry not in excluded)
        names = tuple(
            dict.fromkeys(
                (
                    *(self._label(entry) for entry in (*cards, *placed)),
                    *shown_names(strangers),
                    *map(self._kind, exclusion.kinds),
                )
            )
        )
        finding = self._found(
            rest_reading, replace(pool, ids=left), f"{self._described(pool, turn)} without {', '.join(names)}"
        )
        if len(left) == 1 and turn is None and not exclusion.is_said and pool.group is not None:
            finding = replace(finding, kind="list", group=pool.group)
        if not left:
            offers = self._related([*cards, *placed], excluded)
            finding = self._findings.make(rest_reading, "unknown", offers, "nothing is left without what isn't wanted")
        evidence = replace(finding.evidence, understood=reading.text)
        is_unsure = bool(strangers or terms) and not needing and not cards
        return replace(
            finding,
            evidence=evidence,
            excluded=names if exclusion.is_said or not left else (),
            left_out=tuple(dict.fromkeys((*cards, *placed))) if exclusion.is_said else (),
            is_unsure=is_unsure,
        )

    def as_remembered(self, finding: Finding, without: Sequence[str]) -> Finding:
        """A list or recommendation without what isn't wanted since a message before it."""
        remembered = [card for card in without if card in finding.ids and card not in finding.left_out]
        group = self._groups.get(finding.group or "")
        if not remembered or finding.kind not in ("list", "recommend") or group is None or group.all:
            return finding
        left = tuple(card for card in finding.ids if card not in remembered)
        if not left:
            return finding
        names = (*finding.excluded, *map(self._label, remembered))
        kind: Kind = self._knowledge.by_id[left[0]].kind if len(left) == 1 else finding.kind
        return replace(finding, ids=left, kind=kind, excluded=names, group=finding.group if len(left) > 1 else None)

    def _pool(
        self,
        asked: Finding | None,
        rest: str,
        excluded: Sequence[str],
        turn: ConversationTurn | None,
        named: Sequence[str],
    ) -> _Pool | None:
        """What there is to choose among: what is asked for, else what stands, else what is of the kind of what isn't wanted."""
        standing = standing_pool(turn) if turn is not None else None
        lists = asked is not None and asked.kind in ("list", "recommend")
        kind: Kind = asked.kind if asked is not None and lists else "list"
        said = [group.id for group in groups_in(rest, self._knowledge) if not group.all]
        groups = (
            [asked.group, *said] if asked is not None and lists and asked.group and asked.group not in said else said
        )
        groups = [name for name in groups if not self._groups[name].all]
        groups = sorted(groups, key=lambda name: set(named).isdisjoint(self._ids_of(name)))
        if not said and named:  # it only asks for "a library"
            groups = [name for name in groups if not set(named).isdisjoint(self._ids_of(name))]
        if standing is not None and (not groups or groups[0] == standing.group):
            is_left = set(standing.ids) - set(excluded) or standing.kind != "compare"
            if (set(standing.ids) & set(excluded) or not named) and is_left:
                return standing
        if not groups and asked is not None and asked.kind in ("topic", "library", "step"):
            entry = self._knowledge.by_id[asked.ids[0]]
            if set(cards_in(entry, self._knowledge)).isdisjoint(excluded) and entry.id not in excluded:
                return None
        last = turn.last_group if turn is not None else None
        if not groups and last is not None and len(named) < 2 and not set(named).isdisjoint(self._ids_of(last.id)):
            groups = [last.id]
        groups = groups or [name for name in (self._common_group(named),) if name is not None]
        if not groups:
            return standing
        ids = self._ids_of(groups[0])
        for other in groups[1:]:
            both = tuple(card for card in ids if card in self._ids_of(other))
            ids = both if set(both) - set(excluded) else ids
        common = self._common_group(named) if set(ids) <= set(excluded) else None
        if common is not None:  # the kind that is meant is a wider one
            return _Pool(self._ids_of(common), common, kind)
        return _Pool(ids, groups[0], kind)

    def _ids_of(self, group: str) -> tuple[str, ...]:
        return tuple(card.id for card in self._members(group))

    def _placed(self, place: str, turn: ConversationTurn) -> tuple[str, ...]:
        """The cards that words for what was shown mean."""
        if cues.ORDINAL.search(place) is not None:
            return turn.placed(place)
        if cues.THEM.search(place) or {"both", "either", "any", "all", "two", "three", "ones"} & set(place.split()):
            return turn.cards(turn.state.ids) if len(turn.state.ids) > 1 else turn.plural_cards
        if turn.current is not None:
            return turn.cards([turn.current.id])
        count = {"recommend": 1, "compare": MOST_COMPARED}.get(turn.state.kind, 0)
        return turn.cards(turn.state.ids[:count])

    def _needing(self, name: str, named_in: str) -> tuple[str, ...]:
        """The cards whose own text says that they are made of something, or need it: a word beside "needs", or in `what`."""
        wanted = {stem(word) for word in words(name)}
        owner = self._knowledge.by_id.get(named_in)
        found = (
            [owner.id] if isinstance(owner, Library) and normalize_phrase(name) in normalize_phrase(owner.name) else []
        )
        for card, texts in self._needs.items():
            if any(all(any(_is_like(part, *both) for both in text) for part in wanted) for text in texts):
                found.append(card)
        return tuple(found)

    @cached_property
    def _needs(self) -> dict[str, list[list[tuple[str, str]]]]:
        """By card: the texts that say what it is made of or needs, each as its words, with their stems."""
        found = {}
        for card in self._knowledge.entries:
            if isinstance(card, Library):
                texts = [sentence for text in (card.summary, card.plain_answer) for sentence in sentences(text)]
                needs = [text for text in texts if _NEEDS.search(text.casefold())]
                says = [card.name, *card.aliases, card.what, *needs]
                found[card.id] = [[(word, stem(word)) for word in words(text)] for text in says]
        return found

    # --- what is chosen

    def among_shown(self, turn: ConversationTurn, ask: Ask, reading: Reading) -> Finding | None:
        """Those standing cards for which something holds ("which of those run in the browser"); None: it filters nothing."""
        pool = standing_pool(turn)
        match = cues.FILTER.match(turn.text) if pool is not None else None
        if pool is None or match is None or len(pool.ids) < 2:
            return None
        if cues.TWO.search(turn.text) and len(turn.plural_cards) == 2:
            pool = replace(pool, ids=turn.plural_cards)
        is_explicit = cues.AMONG_SHOWN.search(turn.text) is not None
        rest = turn.text[match.end() :] if match.end() < len(turn.text) else turn.text
        holding = self._holding(turn, rest, pool, ask)
        if holding is None:
            return None
        left = tuple(entry for entry in pool.ids if entry in holding)
        if left == pool.ids and not is_explicit:
            return None
        groups = [group for group in turn.mentioned_groups() if not group.all]
        filtered = groups[0].label if groups else f"“{rest.strip()}”"
        described = f"of the {len(pool.ids)} shown{f', {groups[0].label}' if groups else ''}"
        if groups and set(left) <= set(self._ids_of(groups[0].id)) and pool.kind == "list":
            pool = replace(pool, group=groups[0].id)
        if len(left) > 1 and cues.TWO.search(turn.text):
            pool = replace(pool, kind="compare")
        if left:
            return replace(self._found(reading, replace(pool, ids=left), described), filtered=filtered)
        if not is_explicit:
            return None
        offers = tuple(holding)[:MAX_OFFERED]
        return replace(self._findings.make(reading, "unknown", offers, described), is_none_shown=True)

    def the_one(self, turn: ConversationTurn, reading: Reading) -> Finding | None:
        """The one card of those shown that words tell apart ("the Qt one, how do I install it"); None: they don't."""
        match = cues.THE_ONE.search(turn.text)
        said = (match["what"] or match["which"] or match["back"]).strip() if match is not None else ""
        empty = STOPWORDS if match is not None and match["back"] else cues.FOLLOWUP_WORDS
        telling = [word for word in words(said) if word not in empty]
        named = {mention.name.about for mention in reading.mentions if mention.name.joined in said.split()}
        if not (telling or named) or any(card in turn.named_cards for card in named):
            return None
        shown = turn.cards((*turn.shown_together, *turn.topic_cards, *turn.state.seen))
        groups = [group.id for group in groups_in(said, self._knowledge) if not group.all]
        fitting = {card.id for card in self._members(groups[0]) if groups[0] in card.capabilities} if groups else named
        saying = self._saying(telling, shown)
        holding = [card for card in shown if card in fitting or card in saying]
        holding = holding if groups else holding or list(turn.cards(tuple(named)))
        if len(holding) != 1 or (len(shown) == 1 and "which" in turn.tokens):
            return None
        compares = cues.COMPARING.search(turn.text) or cues.SET_AGAINST.search(turn.text)
        ids = tuple(dict.fromkeys((*(turn.named_cards if compares else ()), *holding)))[:MOST_COMPARED]
        kind: Kind = "compare" if len(ids) > 1 else "library"
        return self._findings.make(reading, kind, ids, f"one of the {len(shown)} shown", SELECTED_LOG_ODDS)

    def _holding(self, turn: ConversationTurn, rest: str, pool: _Pool, ask: Ask) -> tuple[str, ...] | None:
        """The cards for which the rest of a message holds: a group's, those that it finds alone, or those whose text says it."""
        groups = [group.id for group in turn.mentioned_groups() if not group.all]
        telling = [word for word in words(rest) if word not in cues.FOLLOWUP_WORDS]
        if not groups and not telling:
            return None
        saying = self._saying(telling, pool.ids)
        options = [*map(self._ids_of, groups), *([saying] if saying else [])]
        if not options and (asked := ask(rest)[1]).kind in ("list", "recommend") and asked.group is not None:
            ids = self._ids_of(asked.group)
            options = [ids] if not set(pool.ids) <= set(ids) else []  # what holds for all tells none apart
        return next((ids for ids in options if not set(ids).isdisjoint(pool.ids)), options[0] if options else None)

    def _saying(self, telling: Sequence[str], cards: Sequence[str]) -> tuple[str, ...]:
        """Those of some cards whose texts have most of what some words say; none where that is too little."""
        weights = {stem(word): english().stem_rarity_of(word) for word in telling}
        said = {
            card: sum(weights[key] for key in weights.keys() & self._findings.stems_of_card(card)) for card in cards
        }
        most = max(said.values(), default=0.0)
        is_enough = most > 0 and most >= MIN_SAID * sum(weights.values())
        return tuple(card for card, share in said.items() if share == most) if is_enough else ()

    # --- helpers

    def _found(self, reading: Reading, pool: _Pool, reason: str) -> Finding:
        """The finding that shows these cards."""
        ids, kind = pool.ids, pool.kind
        if len(ids) == 1:
            kind = self._knowledge.by_id[ids[0]].kind
        if kind == "recommend" and pool.group is not None and len(ids) > 1:
            ids = self._findings.recommended(reading, self._groups[pool.group], among=ids)
        if kind == "compare" and len(ids) > MOST_COMPARED:
            kind = "list"
        finding = self._findings.make(reading, kind, ids, reason, SELECTED_LOG_ODDS)
        finding = replace(finding, beyond=False, attribute=None)
        return replace(finding, group=pool.group) if kind in ("list", "recommend") else finding

    def _members(self, group: str) -> tuple[Library, ...]:
        return self._knowledge.members(self._groups[group])

    def _common_group(self, cards: Sequence[str]) -> str | None:
        """The group that all of these cards are in and that has more; else the first card's most central one that has more."""
        found = [card for entry in cards if isinstance(card := self._knowledge.by_id.get(entry), Library)]
        sides = [found[0].side] if len(found) > 1 else []  # of one card the whole side would say little
        names = [name for name in (*found[0].capabilities, *sides) if name in self._groups] if found else []
        for name in names:
            members = {card.id for card in self._members(name)}
            if members >= set(cards) and len(members) > len(set(cards)):
                return name
        return next((name for name in names if len(self._members(name)) > 1), names[0] if names else None)

    def _related(self, cards: Iterable[str], excluded: Sequence[str]) -> tuple[str, ...]:
        """Up to MAX_OFFERED entries that are related to what is left out."""
        related = [other for card in cards for other in self._knowledge.by_id[card].related if other not in excluded]
        return tuple(dict.fromkeys(related))[:MAX_OFFERED]

    def _described(self, pool: _Pool, turn: ConversationTurn | None) -> str:
        """What there was to choose among, in words."""
        if turn is not None and (standing := standing_pool(turn)) is not None and standing.ids == pool.ids:
            return f"of the {len(pool.ids)} shown,"
        return f"{self._groups[pool.group].label}," if pool.group is not None else "all,"

    def _kind(self, said: str) -> str:
        """A word for a kind as the pack writes it."""
        groups = groups_in(said, self._knowledge)
        return self.terms.get(said, groups[0].label if groups else said)

    def _label(self, entry: str) -> str:
        return self._knowledge.by_id[entry].label


def _is_like(part: str, word: str, stem_of_word: str) -> bool:
    """Whether a word is one of a name's, or begins with it: "Postgres" is in "PostgreSQL"."""
    return stem_of_word == part or (len(part) >= MIN_BEGINNING and word.startswith(part))


_TERM = re.compile(r"\b[A-Za-z]+[A-Z][A-Za-z]*\b")
_NEEDS = re.compile(
    r"\b(?:needs?|requires?|depends? on|built (?:on|with)|based on|runs? on|compiles?|compiled|wraps?|bindings?)\b"
)


def standing_pool(turn: ConversationTurn) -> _Pool | None:
    """The cards that "which of those" counts: shown together, what the current one was chosen from, or a topic's; None: none."""
    state = turn.state
    group = turn.group.id if turn.group is not None else None
    if len(state.ids) > 1 and len(cards := turn.cards(state.ids)) > 1:
        kind: Kind = "compare" if state.kind == "compare" else "recommend" if state.kind == "recommend" else "list"
        return _Pool(cards, group, kind)
    if turn.is_chosen and len(cards := turn.cards(state.before)) > 1:
        return _Pool(cards, group)
    if len(turn.topic_cards) > 1:
        return _Pool(turn.topic_cards)
    if len(cards := turn.cards(state.before)) > 1:
        return _Pool(cards, None, "compare" if turn.group is None else "list")
    return None
