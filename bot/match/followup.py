"""Follow-ups: "the second one", "how do they compare?", "and next?" mean something only where a conversation stands.

What is remembered are ids, never words. A message that says something of its own is no follow-up. The rules are asked in
their order; the first that knows what is meant decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.match import cues
from bot.match.aspects import ASPECT, aspect_of
from bot.match.company import Company
from bot.match.findings import MOST_OFFERED
from bot.match.frames import SLIGHT
from bot.match.reading import Reading
from bot.match.said import CARDINALS, MOST_SAID, ORDINALS, PLURALS, SMALL
from bot.match.turn import Continued, Turn, meant_names, said_in, turn_of
from bot.model import MOST_COMPARED, RESTART, ConversationState, Entry, Group, Knowledge, Library, Step
from bot.text import stem, words

LONGEST = 9
"""Words of the longest message that may lean on the one before, courtesies apart; a longer one says what it is about."""
BARE = 4
"""Words up to which "what is the difference" names nothing that differs."""


def follow_up(reading: Reading, context: ConversationState, knowledge: Knowledge, company: Company) -> Continued | None:
    """What a message means after `context`, or None if it stands for itself."""
    turn = turn_of(reading, context, knowledge, company)
    if not turn.said or len(turn.tokens) > LONGEST or cues.STEP.search(turn.said) or _differ(turn.said):
        return None
    if reading.ranking.exact and not (turn.small and (cues.LEADING.match(turn.said) or not turn.groups_in())):
        return None
    if reading.ranking.exact_stranger and not turn.small:
        return None
    for rule in _WITH_NAMES if turn.names else _RULES:
        if (found := rule(turn)) is not None:
            return found
    return None


def talk_of(reading: Reading) -> str | None:
    """Small talk that a rule knows: a new start, the end, blame, or where it all comes from."""
    if len(reading.tokens) > MOST_SAID:
        return None
    text = said_in(reading)
    said = ((RESTART, cues.RESTART), ("goodbye", cues.LEAVE), ("sorry", cues.BLAME), ("source", cues.SOURCE))
    return next((name for name, cue in said if cue.match(text)), None)


def leans(reading: Reading) -> bool:
    """Whether a message says nothing by itself: "the second one", "next", "why?", "how do they compare?"."""
    text = said_in(reading)
    tokens = text.split()
    if not text or meant_names(reading) or len(tokens) > LONGEST or not set(tokens) <= SMALL or _differ(text):
        return False
    if any(pattern.match(text) for pattern in _ALONE) or cues.NO.match(f"{text} "):
        return True
    if cues.ORDINAL.search(text) and not cues.STEPS & set(tokens):
        return True
    if cues.SPANS.search(text) or cues.OTHERS.search(text):
        return True
    them = cues.THEM.search(text)
    if cues.COMPARING.search(text) and (them or len(tokens) <= BARE):
        return True
    return bool(them or cues.BACK.search(text)) and not set(tokens).isdisjoint(ASPECT - cues.SIDES)


def _differ(text: str) -> bool:
    """Whether both of what differs are said: "frontend vs backend"."""
    return len(cues.ENDS.intersection(text.split())) > 1 and cues.SET_AGAINST.search(text) is not None


_ALONE = (cues.NEXT, cues.THEN, cues.PREVIOUS, cues.WHY, cues.NUMBERS, cues.MORE)


def step_asked(reading: Reading, knowledge: Knowledge) -> Continued | None:
    """ "What comes after step 3", "step 12": a step by its number, where one topic has steps; no ids if it has no such step."""
    if len(reading.tokens) > LONGEST or reading.ranking.exact:
        return None
    found = cues.STEP.search(" ".join(reading.tokens))
    topics = {entry.of for entry in knowledge.entries if isinstance(entry, Step)} if found is not None else set()
    if found is None or len(topics) != 1:
        return None
    number = _number(found["which"])
    wanted = number + bool(cues.AFTER & set(reading.tokens))
    (topic,) = topics
    ids = tuple(step.id for step in knowledge.steps(topic) if step.number == wanted)
    return Continued(ids, offers=() if ids else (topic,), reason="a step by its number")


def _number(word: str) -> int:
    return ORDINALS.get(word) or CARDINALS.get(word) or int(word)


# --- rules without names


def _restart(turn: Turn) -> Continued | None:
    return Continued(restart=True, reason="a new start") if cues.RESTART.match(turn.said) else None


def _stranger(turn: Turn) -> Continued | None:
    """ "And hapi?": a word in a name's place that nobody knows."""
    if not turn.odd or turn.tokens[-1] != turn.odd or not set(turn.tokens[:-1]) <= SMALL or len(turn.tokens) < 2:
        return None
    placed = cues.LEADING.match(turn.said) or cues.AGAINST.search(" ".join(turn.tokens[:-1]))
    return Continued(stranger=True, reason="nobody knows this name") if placed else None


def _yes(turn: Turn) -> Continued | None:
    """An offer that is taken."""
    if turn.context.kind != "unknown" or not turn.context.ids or not cues.YES.match(turn.said):
        return None
    ids = turn.context.ids
    return (
        turn.one(ids[0], "the one that was offered")
        if len(ids) == 1
        else Continued(offers=ids, reason="one of several")
    )


def _choice(turn: Turn) -> Continued | None:
    """One or more by their place: "the second one", "the first two", "1 vs 3"."""
    if not turn.small or (turn.of_steps and not turn.steps):
        return None
    pool, found = turn.pool, list[int]()
    text = turn.said
    if (span := cues.SPANS.search(text)) is not None:
        many = cues.MANY.get(span["many"]) or int(span["many"])
        found += range(len(pool) - many, len(pool)) if span["end"] == "last" else range(many)
        text = text.replace(span[0], " ")
    for each in cues.ORDINAL.finditer(text):
        found.append(_place(each["which"], pool, turn.context))
    if cues.NUMBERS.match(text):
        found += [CARDINALS[word] - 1 for word in text.split() if word in CARDINALS]
    found += [CARDINALS[each["number"]] - 1 for each in cues.NUMBER.finditer(text)]
    if not found:
        return None
    chosen = tuple(dict.fromkeys(pool[at] for at in found if 0 <= at < len(pool)))
    if not pool or len(chosen) < len(set(found)):
        return Continued(reason="nothing was shown there")
    against = cues.COMPARING.search(text) or cues.SET_AGAINST.search(turn.said) or cues.CHOOSING.search(text)
    if len(chosen) == 1 and against and isinstance(turn.current, Library):
        chosen = (turn.current.id, *chosen)
    cards = turn.cards(chosen)
    if 1 < len(cards) <= MOST_COMPARED:
        return Continued(cards, reason="those shown before, compared")
    return turn.one(chosen[0], "one of those shown before")


def _place(which: str, pool: Sequence[str], context: ConversationState) -> int:
    match which:
        case "last" | "latter":
            return len(pool) - 1
        case "former":
            return 0
        case "middle":
            return len(pool) // 2 if len(pool) % 2 else -1
        case "other":
            now = context.ids[0] if len(context.ids) == 1 else ""
            rest = [at for at, other in enumerate(pool) if other != now]
            return rest[-1] if rest and len(pool) <= 3 else -1
        case _:
            return ORDINALS[which] - 1


def _neighbour(turn: Turn) -> Continued | None:
    """The one after or before the one shown, among the steps or those it was picked from; after the whole, the first."""
    forward, back = cues.NEXT.match(turn.said) or cues.THEN.match(turn.said), cues.PREVIOUS.match(turn.said)
    if not (forward or back):
        return None
    if back and not turn.of_steps and (returned := _returned(turn)) is not None:
        return returned
    card = turn.current if isinstance(turn.current, Library) else None
    row = turn.several if turn.picked and not turn.of_steps else turn.steps
    now = next((i for i in (*turn.context.ids[:1], *reversed(turn.context.seen)) if i in row), None)
    if now is None or (card is not None and card.id not in row and not turn.of_steps):
        return _from_outside(turn, forward=forward is not None)
    at = row.index(now) + (1 if forward else -1)
    if 0 <= at < len(row):
        return turn.one(row[at], "the one beside it")
    entry = turn.knowledge.by_id[now]
    return turn.one(entry.of, "there is no further step") if isinstance(entry, Step) else turn.same_again()


def _returned(turn: Turn) -> Continued | None:
    """ "Go back": to those that the last one was picked from, or to the card before it."""
    if turn.current is None or {"one", "before", "previous"} & set(turn.tokens):
        return None
    if turn.picked and turn.current.id not in turn.steps:
        return turn.same_again()
    seen = turn.context.seen
    return turn.one(seen[-2], _BEFORE_IT) if isinstance(turn.current, Library) and len(seen) > 1 else None


def _from_outside(turn: Turn, *, forward: bool) -> Continued | None:
    """Forward to the first step, where a topic stands before it or steps are said; back to what was shown before."""
    topic = turn.current is not None and not isinstance(turn.current, Library) and turn.current.id not in turn.steps
    if turn.steps and (topic or turn.of_steps):
        return turn.one(turn.steps[0], "the first step") if forward else None
    seen = turn.context.seen
    return turn.one(seen[-2], _BEFORE_IT) if not forward and len(seen) > 1 else None


_BEFORE_IT = "the one shown before it"


def _whole(turn: Turn) -> Continued | None:
    """The list again, all of a kind, all the steps."""
    if not turn.small or not cues.EVERYTHING.search(turn.said) or PLURALS & set(turn.tokens) or turn.groups_in():
        return None
    if cues.COMPARING.search(turn.said) or cues.CHOOSING.search(turn.said):
        return None
    step = turn.knowledge.by_id.get(turn.steps[0]) if turn.steps else None
    if isinstance(step, Step) and (turn.of_steps or isinstance(turn.current, Step)):
        return turn.one(step.of, "all the steps")
    if (group := turn.group or turn.listed) is not None:
        return Continued(group=group, reason="all of them")
    return turn.same_again() or _alike(turn)


def _of_a_group(turn: Turn) -> Continued | None:
    """ "The async one", "which of them are for mobile?": those of a group among the several; "and frontend?": another group."""
    groups = turn.groups_in()
    if not groups:
        return None
    group = groups[0]
    spoken = {word for name in group.words for word in words(name)}
    if not {token for token in turn.tokens if token not in spoken} <= SMALL - ASPECT | cues.GENERAL:
        return None
    among = turn.several
    anew = cues.ANEW.search(turn.said) or any(f"which {' '.join(words(name))} " in turn.said for name in group.words)
    if among and cues.AMONG.search(turn.said) and not anew and not cues.BACK.search(turn.said):
        members = {card.id for card in turn.knowledge.members(group)}
        cards = turn.cards([i for i in among if i in members])
        if 0 < len(cards) <= MOST_COMPARED:
            return Continued(cards, reason="those of them that are meant")
    general = set(turn.tokens) - spoken <= cues.GENERAL
    if (
        cues.DEFINES.search(turn.said)
        or not (cues.LEADING.match(turn.said) or general)
        or (cues.BACK.search(turn.said) and "same" not in turn.tokens)
    ):
        return None
    if turn.group is not None:
        return Continued(group=group, pick=turn.context.kind == "recommend", reason="the same for another group")
    if turn.current is None or isinstance(turn.current, Library):
        return None
    related = [turn.knowledge.by_id[i] for i in (*reversed(turn.context.seen), *turn.current.related)]
    asks = dict.fromkeys(_swapped(entry, group, turn.knowledge) for entry in (turn.current, *related))
    return Continued(asks=tuple(ask for ask in asks if ask), reason="the same question about the other")


def _compared(turn: Turn) -> Continued | None:
    """Those shown before side by side, or the best of them."""
    if not turn.small and (turn.foreign or not cues.OF_THEM.search(turn.said)):
        return None
    chooses = cues.CHOOSING.search(turn.said)
    if not (cues.COMPARING.search(turn.said) or chooses):
        return None
    if cues.OTHERS.search(turn.said) and not cues.COMPARING.search(turn.said):
        return None
    if turn.current is not None and cues.BACK.search(turn.said) and "which" not in turn.tokens:
        return None
    if turn.context.kind == "unknown" and len(turn.context.ids) == 1:
        return Continued(offers=turn.context.ids, reason="only one half of what is compared is known")
    cards = turn.together
    listed = turn.group is not None and (len(turn.context.ids) > 1 or cards == turn.cards(turn.context.before))
    if chooses and listed and turn.group is not None:
        return Continued(group=turn.group, pick=True, reason="the best of those shown before")
    if 1 < len(cards) <= MOST_COMPARED:
        return Continued(cards, chooses=chooses is not None, reason="those shown before, compared")
    return turn.same_again() if len(cards) > 1 else None


def _other(turn: Turn) -> Continued | None:
    """What else there is: all of the kind, or what is related."""
    if not turn.small or not cues.OTHERS.search(turn.said) or not (turn.context.ids or turn.context.before):
        return None
    alike = _alike(turn)
    return _but_those_shown(alike, turn) if alike is not None else _related(turn)


def _but_those_shown(alike: Continued, turn: Turn) -> Continued:
    """An alternative to a card, or to cards side by side, is none of them; to a list, it may be any."""
    shown = turn.context.ids if turn.current is not None or turn.context.kind == "compare" else ()
    members = turn.knowledge.members(alike.group) if alike.group is not None else ()
    rest = tuple(card.id for card in members if card.id not in shown)
    return replace(alike, ids=rest) if shown and rest else alike


def _alike(turn: Turn) -> Continued | None:
    """The group that those shown last have in common, with more in it."""
    if turn.group is not None and len(turn.knowledge.members(turn.group)) > 1:
        return Continued(group=turn.group, reason="all of the kind")
    ids = turn.cards(turn.context.ids if turn.current is not None else turn.context.ids or turn.context.before)
    known = [card for i in ids if isinstance(card := turn.knowledge.by_id[i], Library)]
    if not known:
        return None
    groups = {group.id: group for group in turn.knowledge.groups}
    for name in known[0].capabilities:
        common = name in groups and all(name in (*card.capabilities, *card.also) for card in known)
        if common and len(turn.knowledge.members(groups[name])) > len(known):
            return Continued(group=groups[name], reason="all of the kind")
    side = groups.get(known[0].side)
    return Continued(group=side, reason="all of the side") if side and len(known) > 1 else None


def _related(turn: Turn) -> Continued | None:
    first = turn.knowledge.by_id.get(turn.context.ids[0]) if turn.context.ids else None
    return Continued(offers=first.related[:MOST_OFFERED], reason="nothing else is known") if first is not None else None


def _corrected(turn: Turn) -> Continued | None:
    """ "No, the library": what it might have been instead."""
    lead = cues.NO.match(f"{turn.said} ")
    rest = [word for word in turn.said[lead.end() if lead else 0 :].split() if word not in ("the", "a", "as", "an")]
    named = set(rest) <= cues.CARD_NOUNS | {"one"} and bool(set(rest) & cues.CARD_NOUNS)
    if not lead and not named:
        return None
    others = [turn.knowledge.by_id[i] for i in turn.context.others if i in turn.knowledge.by_id]
    if named:
        card = next((entry.id for entry in (turn.current, *others) if isinstance(entry, Library)), None)
        return turn.one(card, "the card instead") if card else None
    wanted = {stem(word) for word in rest if word not in SLIGHT}
    for entry in others:
        if wanted and any(wanted <= set(map(stem, called)) for called in (words(entry.title), _KINDS[entry.kind])):
            return turn.one(entry.id, "what it might have been instead")
    if not turn.small:
        return None
    return Continued(offers=tuple(entry.id for entry in others[:MOST_OFFERED]), reason="not what was meant")


_KINDS = {"step": ("step",), "topic": ("topic", "question", "article"), "library": ()}
"""What people call an entry of each kind; cards are `cues.CARD_NOUNS`."""


def _why(turn: Turn) -> Continued | None:
    if not cues.WHY.match(turn.said) or turn.context.kind == "unknown":
        return None
    if turn.current is None:
        return (
            turn.one(turn.context.ids[0], "the first of them")
            if turn.context.kind == "recommend"
            else turn.same_again()
        )
    asks = () if isinstance(turn.current, Library | Step) else (f"why {turn.current.title}",)
    return Continued((turn.current.id,), asks=asks, reason="why, about the entry before")


def _more(turn: Turn) -> Continued | None:
    if not cues.MORE.match(turn.said) or turn.context.kind == "unknown":
        return None
    return turn.one(turn.current.id, "more about the one before") if turn.current is not None else turn.same_again()


def _about_it(turn: Turn) -> Continued | None:
    """ "Is it async?", "docs?", "are they free?": still about what was shown."""
    if turn.context.kind == "unknown" and not turn.context.ids:
        return None
    subject = {word for name in turn.knowledge.subject for word in words(name)}
    if subject & set(turn.tokens) or (not turn.small and cues.SOUGHT.match(turn.said)):
        return None
    back = cues.BACK.search(turn.said) is not None
    if not back and cues.DEFINES.search(turn.said) and turn.groups_in():
        return None  # a group's word is asked about, not what was shown
    if turn.current is None:
        return turn.same_again() if turn.small and cues.THEM.search(turn.said) else _which(turn)
    aspect = bool(set(turn.tokens) & ASPECT) and set(turn.tokens) <= SLIGHT | ASPECT and turn.tokens[-1] not in US
    told = back or aspect if turn.small else back and not turn.foreign
    if not told or not (turn.small or isinstance(turn.current, Library)):
        return None
    return Continued((turn.current.id,), asks_on=True, reason="still about the one before")


def _which(turn: Turn) -> Continued | None:
    """ "Is it free?" of cards side by side: which of them is meant is asked, with all of them as offers."""
    cards = turn.cards(turn.context.ids)
    if turn.context.kind != "compare" or not 1 < len(cards) <= MOST_OFFERED or not cues.IT.search(turn.said):
        return None
    if (turn.foreign and not turn.small) or aspect_of(turn.tokens, turn.rest, turn.knowledge) is None:
        return None
    return Continued(offers=cards, asks_on=True, reason="one of several")


US = frozenset("you u yourself".split())
"""Last words of a question about the bot: "who made you"."""


# --- rules with names


def _set_beside(turn: Turn) -> Continued | None:
    """ "Compare it to flask", "vs flask", "and pyqt?": a card beside those shown before."""
    if turn.strange or len(turn.ours) != 1 or not turn.small:
        return None
    against = cues.COMPARING.search(turn.said) or cues.AGAINST.search(turn.lead) or cues.CHOOSING.search(turn.said)
    placed = cues.ORDINAL.search(turn.said)
    if placed and against and turn.pool:
        at = _place(placed["which"], turn.pool, turn.context)
        beside = turn.cards(turn.pool[at : at + 1]) if 0 <= at < len(turn.pool) else ()
    elif (turn.context.kind == "compare" and (against or cues.LEADING.match(turn.said))) or (
        against and turn.context.kind in ("list", "recommend") and cues.THEM.search(turn.said)
    ):
        beside = turn.cards(turn.context.ids)
    elif against:
        beside = (turn.last_card,) if turn.last_card else ()
    else:
        return None
    ids = tuple(dict.fromkeys((*beside, *turn.ours)))
    if not 1 < len(ids) <= MOST_COMPARED:
        return None
    best = cues.BEST.search(turn.said) is not None
    return Continued(ids, chooses=best, reason="set beside what was shown before")


def _named_next(turn: Turn) -> Continued | None:
    """ "And dash?", "no, i meant toga": a name among cards is meant as one, though it is an ordinary word."""
    if turn.strange or len(turn.ours) != 1 or not turn.small or cues.COMPARING.search(turn.said):
        return None
    if turn.context.kind in ("list", "recommend") and turn.groups_in():
        return None
    talks_of_cards = bool(turn.cards((*turn.context.ids, *turn.context.seen, *turn.context.before)))
    return turn.one(turn.ours[0], "its name") if talks_of_cards else None


_RULES = (
    _restart, _stranger, _yes, _choice, _neighbour, _whole, _of_a_group, _compared, _other, _corrected, _why, _more, _about_it,
)  # fmt: skip
_WITH_NAMES = (_set_beside, _of_a_group, _named_next)


def _swapped(entry: Entry, group: Group, knowledge: Knowledge) -> str:
    """An entry's title with another group's word in it."""
    tokens = words(entry.title)
    text = f" {' '.join(tokens)} "
    for old in knowledge.groups:
        spoken = {word for name in old.words for word in words(name) if len(words(name)) == 1 and f" {word} " in text}
        if old is not group and spoken:
            new = words(group.words[0])[0]
            return " ".join(new if token in spoken else token for token in tokens)
    return ""
