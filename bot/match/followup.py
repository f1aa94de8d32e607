"""Follow-ups: "the second one", "how do they compare?", "and next?" mean something only where a conversation stands.

What is remembered are ids, never words. A message that names something of its own is no follow-up.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.match.frames import SLIGHT
from bot.match.reading import Reading
from bot.model import MOST_COMPARED, Context, Entry, Group, Knowledge, Library, Step
from bot.text import words

ORDINALS = {
    word: number
    for number, names in enumerate(
        ("first 1st one 1", "second 2nd two 2", "third 3rd three 3", "fourth 4th four 4", "fifth 5th five 5",
         "sixth 6th six 6", "seventh 7th seven 7", "eighth 8th eight 8", "ninth 9th nine 9", "tenth 10th ten 10"),
        1,
    )
    for word in names.split()
}  # fmt: skip
_COUNTED = "|".join(sorted(ORDINALS, key=len, reverse=True))
_PLEASE = r"(?: please| pls)?$"


def _only(lead: str, meant: str, tail: str) -> re.Pattern[str]:
    """A message that says `meant` and else only words of `lead` before it and of `tail` behind it."""
    return re.compile(rf"^(?:(?:{lead}) )*(?:{meant})(?: (?:{tail}))*{_PLEASE}")


CHOSEN = _only(
    "and|ok|so|no|i mean|i meant|then|what about|tell me about|tell me more about|show me|open|give me|the|number|nr|option",
    rf"(?P<which>{_COUNTED}|last|latter|former|other)",
    "one|option|of them|of those|of these|library|lib|thing|step",
)
NEXT = _only(
    "and|ok|so|whats|what is|what comes|show|the|go", "next|after that|afterwards|then|continue|forward", "one|step|up"
)
PREVIOUS = _only("and|ok|so|whats|what is|what was|show|the|go", "previous|back|before|before that|prior", "one|step")
LIBRARY = _only(
    "no|nope|not that|sorry|i mean|i meant|the|a|as a", "library|lib|package|framework|module|card|tool", "i mean"
)
WHY = _only(
    "but|and|ok|so|really", "why|how come|why so|why is that|why that|whys that|for what reason", "though|exactly"
)
TOGETHER = re.compile(
    r"\b(?:compare|comparison|differen\w+|differ|vs|versus|better|between them|side by side|pros and cons|"
    r"which (?:one )?(?:is|of (?:them|those|these|the two)))\b"
)
STEP = re.compile(rf"\bstep (?:number |no )?(?P<which>[0-9]+|{_COUNTED})\b")
AFTER = frozenset("after finished finish done completed complete beyond following past".split())
"""Words that make "step 3" mean the one behind it."""
THEM = re.compile(
    r"\b(?:they|them|those|these|both|the two|two of them|all of them|all three|that|it|which)\b|"
    r"^(?:compare|comparison|differences?)$"
)
WHICH = re.compile(
    r"^(?:so |and |ok |then )*which(?: one| of (?:them|those|these|the two))?(?: is| are| should| would| do| to)\b"
)
SET_AGAINST = re.compile(r"^(?:and |so |ok )*(?:vs|versus|v|or|than|against|compare|compared|better than)\b")
BACK = re.compile(r"\b(?:it|its|that one|this one|that|this|the same)\b")
ABOUT = re.compile(r"^(?:and|what about|how about|whats about|and what about|or|and for|now|same for|and the)\b")
ASPECT = frozenset(
    """install installation docs documentation homepage website link example examples side kind pros cons features good
    bad backend frontend fast slow free async version latest release released license difference capabilities alternatives
    for when more details detail info elaborate again step steps summary""".split()
)
LONGEST = 9
"""Words of the longest message that may lean on the one before; a longer one says what it is about."""


@dataclass(frozen=True, slots=True)
class Continued:
    """What a follow-up comes down to: entries to answer with (two or more: compared), or a group of the same kind."""

    ids: tuple[str, ...] = ()
    group: Group | None = None
    ask: str = ""
    reason: str = ""


def follow_up(reading: Reading, context: Context, knowledge: Knowledge) -> Continued | None:
    """What a message means after `context`, or None if it stands for itself."""
    said = " ".join(reading.tokens)
    if not reading.tokens or len(reading.tokens) > LONGEST or (reading.ranking.exact and not leans(said)):
        return None
    if reading.mentions:
        return _against(reading, said, context, knowledge)
    shown = _shown(context, knowledge)
    if (found := CHOSEN.match(said)) and (picked := _pick(found["which"], shown)):
        return Continued((picked,), reason="one of those shown before")
    if (neighbour := _neighbour(said, context, knowledge)) is not None:
        return neighbour
    if LIBRARY.match(said) and (card := _card_of(context, knowledge)):
        return Continued((card,), reason="the card instead")
    together = (TOGETHER.search(said) and THEM.search(said)) or WHICH.match(said)
    if together and 1 < len(cards := _cards(context, knowledge)) <= MOST_COMPARED:
        return Continued(cards, reason="those shown before, compared")
    if WHY.match(said) and context.ids and (entry := knowledge.by_id.get(context.ids[0])):
        return Continued((entry.id,), ask=f"why {entry.title}", reason="why, about the entry before")
    if ABOUT.match(said) and (other := _other_group(reading, context, knowledge)) is not None:
        return other
    if _about_last(reading, context, knowledge):
        return Continued(context.ids[:1], reason="still about the one before")
    return None


def step_asked(reading: Reading, knowledge: Knowledge) -> Continued | None:
    """ "What comes after step 3", "step 12": a step by its number, where one topic has steps; no ids if it has no such step."""
    found = STEP.search(" ".join(reading.tokens))
    topics = {entry.of for entry in knowledge.entries if isinstance(entry, Step)}
    if found is None or len(topics) != 1 or reading.ranking.exact or len(reading.tokens) > LONGEST:
        return None
    number = ORDINALS[found["which"]] if found["which"] in ORDINALS else int(found["which"])
    wanted = number + bool(AFTER & set(reading.tokens))
    (topic,) = topics
    ids = tuple(step.id for step in knowledge.steps(topic) if step.number == wanted)
    return Continued(ids, reason="a step by its number", ask="" if ids else topic)


def leans(said: str) -> bool:
    """Whether a message says nothing by itself: "the second one", "next", "why?"."""
    return any(pattern.match(said) for pattern in (CHOSEN, NEXT, PREVIOUS, LIBRARY, WHY))


def _against(reading: Reading, said: str, context: Context, knowledge: Knowledge) -> Continued | None:
    """ "Compare it to flask", "vs flask", "and pyqt?": a card set beside those shown before."""
    named = {mention.name.about for mention in reading.mentions if mention.name.standing == "ours"}
    if len(named) != 1 or len(reading.mentions) > 1 or named & set(context.ids):
        return None
    cards = [i for i in context.ids if isinstance(knowledge.by_id.get(i), Library)]
    beside_one = len(cards) == 1 and reading.frame.compares and (BACK.search(said) or SET_AGAINST.match(said))
    beside_all = context.kind == "compare" and ABOUT.match(said) and len(cards) < MOST_COMPARED
    if beside_one or beside_all:
        return Continued((*cards, *named), reason="set beside what was shown before")
    return None


def _shown(context: Context, knowledge: Knowledge) -> tuple[str, ...]:
    """What "the second one" counts: the ids shown, what the last was picked from, or the steps of a topic that has some."""
    if context.shown:
        return context.shown
    if len(context.ids) == 1:
        entry = knowledge.by_id.get(context.ids[0])
        steps = knowledge.steps(entry.of if isinstance(entry, Step) else context.ids[0])
        return tuple(step.id for step in steps) or context.ids
    return context.ids


def _pick(which: str, shown: tuple[str, ...]) -> str | None:
    if not shown:
        return None
    if which in ("last", "latter"):
        return shown[-1]
    if which in ("former", "other"):
        return shown[0 if which == "former" else min(1, len(shown) - 1)]
    number = ORDINALS[which]
    return shown[number - 1] if number <= len(shown) else None


def _neighbour(said: str, context: Context, knowledge: Knowledge) -> Continued | None:
    """The step after or before the one shown; after the whole, the first."""
    if len(context.ids) != 1:
        return None
    entry = knowledge.by_id.get(context.ids[0])
    forward, back = NEXT.match(said), PREVIOUS.match(said)
    if entry is None or not (forward or back):
        return None
    if not isinstance(entry, Step):
        steps = knowledge.steps(entry.id)
        return Continued((steps[0].id,), reason="the first step") if steps and forward else None
    steps = knowledge.steps(entry.of)
    at = steps.index(entry) + (1 if forward else -1)
    if not 0 <= at < len(steps):
        return Continued((entry.of,), reason="there is no further step")
    return Continued((steps[at].id,), reason="the step beside it")


def _cards(context: Context, knowledge: Knowledge) -> tuple[str, ...]:
    """The cards that were shown last: several at once, or one after another."""
    ids = context.shown or (*context.before, *context.ids)
    cards = [i for i in dict.fromkeys(ids) if isinstance(knowledge.by_id.get(i), Library)]
    return tuple(cards if context.shown else cards[-2:])


def _card_of(context: Context, knowledge: Knowledge) -> str | None:
    """A card that the last answer might have been instead."""
    return next((i for i in context.others if isinstance(knowledge.by_id.get(i), Library)), None)


def _other_group(reading: Reading, context: Context, knowledge: Knowledge) -> Continued | None:
    """ "And frontend?": the same again for another group, or the last entry's question with the other word in it."""
    said = _groups_in(reading.tokens, knowledge)
    if not said:
        return None
    if context.group is not None:
        return Continued(group=said[0], reason="the same for another group")
    entry = knowledge.by_id.get(context.ids[0]) if len(context.ids) == 1 else None
    if entry is None or isinstance(entry, Library):
        return None
    asked = _swapped(entry, said[0], knowledge)
    return Continued(ask=asked, reason="the same question about the other") if asked else None


def _swapped(entry: Entry, group: Group, knowledge: Knowledge) -> str:
    tokens = words(entry.title)
    for old in _groups_in(tokens, knowledge):
        spoken = {word for name in old.words for word in words(name) if len(words(name)) == 1}
        if old is not group and spoken & set(tokens):
            new = words(group.words[0])[0]
            return " ".join(new if token in spoken else token for token in tokens)
    return ""


def _groups_in(tokens: tuple[str, ...] | list[str], knowledge: Knowledge) -> list[Group]:
    """Groups that are named by one of their words."""
    text = f" {' '.join(tokens)} "
    return [group for group in knowledge.groups if any(f" {' '.join(words(name))} " in text for name in group.words)]


def _about_last(reading: Reading, context: Context, knowledge: Knowledge) -> bool:
    """Whether "is it async?" or "docs?" goes on about the one card that was shown."""
    if len(context.ids) != 1 or not isinstance(knowledge.by_id.get(context.ids[0]), Library):
        return False
    subject = {word for name in knowledge.subject for word in words(name)}
    if subject & set(reading.tokens):
        return False
    if BACK.search(" ".join(reading.tokens)):
        return True
    return all(token in SLIGHT or token in ASPECT for token in reading.tokens)
