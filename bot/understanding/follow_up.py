"""Follow-ups: "the second one", "how do they compare?", "and next?" mean something only after what was shown before.

What a conversation's state holds are ids, never words. A message that says something of its own is no follow-up. The rules are
tried in their order; the first that returns a result decides.
"""

from __future__ import annotations

import re

from bot.model import MOST_COMPARED, RESTART, Knowledge, Library, Step
from bot.retrieval.english import english
from bot.retrieval.scoring import MAX_OFFERED
from bot.text import words
from bot.understanding import cues
from bot.understanding.attributes import ATTRIBUTE_WORDS, attribute_of
from bot.understanding.conversation import (
    ConversationTurn,
    FollowUp,
    meant_mentions,
    stripped_text,
)
from bot.understanding.cues import CARDINALS, FOLLOWUP_WORDS, MAX_STRIPPED, ORDINALS, PLURALS
from bot.understanding.question_type import STOPWORDS
from bot.understanding.reading import Reading

MAX_FOLLOWUP_WORDS = 9
"""Words of the longest message that may depend on the one before, courtesies apart; a longer one says what it is about."""
MAX_QUESTION_WORDS = 25
"""Words of the longest message that may be a question about cards that it points to; a longer one tells a story."""
MAX_BARE_COMPARISON = 4
"""Words up to which "what is the difference" doesn't say between what."""


def follow_up(turn: ConversationTurn, reading: Reading) -> FollowUp | None:
    """What a message means after what was shown before; None if it stands for itself.

    Args:
        turn: The message, and what was shown before.
        reading: The whole message.
    """
    if not turn.text or len(turn.tokens) > MAX_FOLLOWUP_WORDS:
        return None
    if cues.STEP.search(turn.text) or names_both_sides(turn.text):
        return None
    if reading.ranking.is_exact and not (
        turn.is_bare and (cues.LEADING.match(turn.text) or not turn.mentioned_groups())
    ):
        return None
    if reading.ranking.is_exact_out_of_scope and not turn.is_bare:
        return None
    for rule in _RULES_WITH_NAMES if turn.has_names else _RULES:
        if (result := rule(turn)) is not None:
            return result
    return None


def about_cards(turn: ConversationTurn, reading: Reading) -> FollowUp | None:
    """A question of its own words about cards that it doesn't name: "does it need Redis", "is the third one good for drawing".

    The arguments are those of `follow_up`, after which it is asked.
    """
    asks_attribute = attribute_of(turn.tokens, turn.other_tokens, turn.knowledge) is not None
    place = None if turn.says_steps else cues.PLACED.search(turn.text)
    is_certain = turn.named_cards or asks_attribute or (place is not None and " one" in place[0])
    is_of_another_subject = turn.is_foreign and not is_certain
    if len(turn.tokens) > MAX_QUESTION_WORDS or reading.ranking.is_exact or is_of_another_subject:
        return None
    points_to_name = turn.state.kind == "unknown" and not turn.state.ids  # to one that the pack doesn't have
    compares = turn.compares
    shown: tuple[str, ...] = ()
    if place is not None:
        if not compares and not set(turn.named_cards).isdisjoint(turn.choices):
            return FollowUp(turn.named_cards[:1], asks_about_shown=True, reason=_ABOUT_SHOWN)  # "the other one, Kivy"
        shown = turn.placed(place[0], turn.named_cards if len(turn.named_cards) > 1 else turn.choices)
        if compares and shown and turn.last_card is not None and cues.IT.search(turn.text):
            shown = (turn.last_card, *shown)
    elif (cues.BOTH.search(turn.text) or cues.TWO.search(turn.text)) and turn.plural_cards and not turn.topic_cards:
        last = (turn.last_card,) if turn.last_card is not None else ()
        both = tuple(dict.fromkeys((*last, *turn.named_cards))) if turn.named_cards else turn.plural_cards[-2:]
        return FollowUp(both, reason=_ABOUT_SHOWN) if len(both) > 1 else None
    elif cues.POINTS.search(turn.before_names) and turn.last_card is not None and not points_to_name:
        asks_for_group = cues.BESIDE_IT.search(turn.text) and turn.mentioned_groups()
        shown = () if asks_for_group or cues.FOR_IT.search(turn.text) else (turn.last_card,)
    if not shown:
        return None
    ids = tuple(dict.fromkeys((*shown, *turn.named_cards)))[:MOST_COMPARED] if compares else shown[:1]
    return FollowUp(ids, asks_about_shown=len(ids) == 1, reason=_ABOUT_SHOWN)


_ABOUT_SHOWN = "about what was shown before"


def small_talk_of(reading: Reading) -> str | None:
    """Name of the small talk that a rule recognises: a new start, goodbye, blame, "I'll have a look", or where it is from."""
    if len(reading.tokens) > MAX_STRIPPED:
        return None
    text = stripped_text(reading)
    patterns = {
        RESTART: cues.RESTART, "goodbye": cues.LEAVE, "sorry": cues.BLAME, "source": cues.SOURCE, "thanks": cues.PROMISE,
    }  # fmt: skip
    return next((name for name, cue in patterns.items() if cue.match(text)), None)


def needs_context(reading: Reading) -> bool:
    """Whether a message means nothing by itself: "the second one", "next", "why?", "how do they compare?"."""
    text = stripped_text(reading)
    tokens = text.split()
    if not text or meant_mentions(reading) or len(tokens) > MAX_FOLLOWUP_WORDS:
        return False
    if not set(tokens) <= FOLLOWUP_WORDS or names_both_sides(text):
        return False
    if any(pattern.match(text) for pattern in _BARE_CUES) or cues.NO.match(f"{text} "):
        return True
    if cues.ORDINAL.search(text) and not cues.STEPS & set(tokens):
        return True
    if cues.SPANS.search(text) or cues.OTHERS.search(text):
        return True
    them = cues.THEM.search(text)
    if cues.COMPARING.search(text) and (them or len(tokens) <= MAX_BARE_COMPARISON):
        return True
    return bool(them or cues.BACK.search(text)) and not set(tokens).isdisjoint(ATTRIBUTE_WORDS - cues.SIDES)


def names_both_sides(text: str) -> bool:
    """Whether a comparison names both sides: "frontend vs backend"."""
    return len(cues.ENDS.intersection(text.split())) > 1 and cues.SET_AGAINST.search(text) is not None


_BARE_CUES = (cues.NEXT, cues.THEN, cues.PREVIOUS, cues.WHY, cues.NUMBERS, cues.MORE)


def requested_step(reading: Reading, knowledge: Knowledge) -> FollowUp | None:
    """ "What comes after step 3", "step 12": a step by its number, where only one topic has steps.

    Returns:
        The step; the topic as an offer if it has no such step; None if no step is asked for by its number.
    """
    if len(reading.tokens) > MAX_FOLLOWUP_WORDS or reading.ranking.is_exact:
        return None
    match = cues.STEP.search(" ".join(reading.tokens))
    topics = {entry.of for entry in knowledge.entries if isinstance(entry, Step)} if match is not None else set()
    if match is None or len(topics) != 1:
        return None
    number = _number(match["which"])
    wanted = number + bool(cues.AFTER & set(reading.tokens))
    (topic,) = topics
    ids = tuple(step.id for step in knowledge.steps(topic) if step.number == wanted)
    return FollowUp(ids, offers=() if ids else (topic,), reason="a step by its number")


def _number(word: str) -> int:
    return ORDINALS.get(word) or CARDINALS.get(word) or int(word)


# --- rules without names


def _unknown_name(turn: ConversationTurn) -> FollowUp | None:
    """ "And hapi?": a word in a name's place that nobody knows."""
    if not turn.unrecognized or turn.tokens[-1] != turn.unrecognized or len(turn.tokens) < 2:
        return None
    if not set(turn.tokens[:-1]) <= FOLLOWUP_WORDS:
        return None
    is_placed = cues.LEADING.match(turn.text) or cues.AGAINST.search(" ".join(turn.tokens[:-1]))
    return FollowUp(has_unknown_name=True, reason="nobody knows this name") if is_placed else None


def _accepted_offer(turn: ConversationTurn) -> FollowUp | None:
    """ "Yes": an offer that is accepted."""
    if turn.state.kind != "unknown" or not turn.state.ids or not cues.YES.match(turn.text):
        return None
    ids = turn.state.ids
    return (
        turn.answer_with(ids[0], "the one that was offered")
        if len(ids) == 1
        else FollowUp(offers=ids, reason="one of several")
    )


def _choice_by_position(turn: ConversationTurn) -> FollowUp | None:
    """One or more by their position: "the second one", "the first two", "1 vs 3"."""
    if not (turn.is_bare or cues.NUMBER.search(turn.text)) or (turn.says_steps and not turn.steps):
        return None
    choices, text = turn.choices, turn.text
    positions = turn.positions(text, choices)
    if cues.NUMBERS.match(text):
        positions += [CARDINALS[word] - 1 for word in text.split() if word in CARDINALS]
    if not positions:
        return None
    chosen = tuple(dict.fromkeys(choices[position] for position in positions if 0 <= position < len(choices)))
    if not choices or len(chosen) < len(set(positions)):
        return FollowUp(reason="nothing was shown there")
    compares = cues.COMPARING.search(text) or cues.SET_AGAINST.search(turn.text) or cues.CHOOSING.search(text)
    if len(chosen) == 1 and compares and isinstance(turn.current, Library):
        chosen = (turn.current.id, *chosen)
    cards = turn.cards(chosen)
    if 1 < len(cards) <= MOST_COMPARED:
        return FollowUp(cards, reason="those shown before, compared")
    return turn.answer_with(chosen[0], "one of those shown before")


def _next_or_previous(turn: ConversationTurn) -> FollowUp | None:
    """The entry after or before the one shown, among the steps or those it was chosen from."""
    is_next, is_previous = cues.NEXT.match(turn.text) or cues.THEN.match(turn.text), cues.PREVIOUS.match(turn.text)
    if not (is_next or is_previous):
        return None
    if is_previous and not turn.says_steps and (result := _back(turn)) is not None:
        return result
    card = turn.current if isinstance(turn.current, Library) else None
    row = turn.shown_together if turn.is_chosen and not turn.says_steps else turn.steps
    current = next((i for i in (*turn.state.ids[:1], *reversed(turn.state.seen)) if i in row), None)
    if current is None or (card is not None and card.id not in row and not turn.says_steps):
        return _from_outside_row(turn, forward=is_next is not None)
    position = row.index(current) + (1 if is_next else -1)
    if 0 <= position < len(row):
        return turn.answer_with(row[position], "the one beside it")
    entry = turn.knowledge.by_id[current]
    return turn.answer_with(entry.of, "there is no further step") if isinstance(entry, Step) else turn.repeat()


def _back(turn: ConversationTurn) -> FollowUp | None:
    """ "Go back": to the entries that the current one was chosen from, or to the card before it."""
    if turn.current is None or {"one", "before", "previous"} & set(turn.tokens):
        return None
    if turn.is_chosen and turn.current.id not in turn.steps:
        return turn.repeat()
    seen = turn.state.seen
    return turn.answer_with(seen[-2], _SHOWN_BEFORE) if isinstance(turn.current, Library) and len(seen) > 1 else None


def _from_outside_row(turn: ConversationTurn, *, forward: bool) -> FollowUp | None:
    """Next or back, where the entry that was shown isn't one of several: the topic's first step, or the entry shown before it."""
    is_topic = turn.current is not None and not isinstance(turn.current, Library) and turn.current.id not in turn.steps
    if turn.steps and (is_topic or turn.says_steps):
        return turn.answer_with(turn.steps[0], "the first step") if forward else None
    seen = turn.state.seen
    return turn.answer_with(seen[-2], _SHOWN_BEFORE) if not forward and len(seen) > 1 else None


_SHOWN_BEFORE = "the one shown before it"


def _all_again(turn: ConversationTurn) -> FollowUp | None:
    """The whole list again, all of a kind, or all steps."""
    asks_others = turn.state.kind in ("list", "recommend") and cues.OTHERS.search(turn.text)
    if not turn.is_bare or not (asks_others or cues.EVERYTHING.search(turn.text)):
        return None
    if PLURALS & set(turn.tokens) or turn.mentioned_groups():
        return None
    if turn.compares:
        return None
    step = turn.knowledge.by_id.get(turn.steps[0]) if turn.steps else None
    if isinstance(step, Step) and (turn.says_steps or isinstance(turn.current, Step)):
        return turn.answer_with(step.of, "all the steps")
    if (group := turn.group or turn.last_group) is not None:
        return FollowUp(group=group, reason="all of them")
    return turn.repeat()


def _other_group(turn: ConversationTurn) -> FollowUp | None:
    """ "And on the frontend?": the same list or recommendation of another group."""
    if turn.group is None or turn.only_group is None:
        return None
    recommends = turn.state.kind == "recommend"
    return FollowUp(group=turn.only_group, recommends=recommends, reason="the same for another group")


def _comparison(turn: ConversationTurn) -> FollowUp | None:
    """The entries that were shown, compared, or the best of them."""
    if not turn.is_bare and not cues.OF_THEM.search(turn.text):
        return None
    wants_best = cues.CHOOSING.search(turn.text)
    if not (cues.COMPARING.search(turn.text) or wants_best):
        return None
    if cues.OTHERS.search(turn.text) and not cues.COMPARING.search(turn.text):
        return None
    if turn.current is not None and cues.BACK.search(turn.text) and "which" not in turn.tokens:
        return None
    if turn.state.kind == "unknown" and len(turn.state.ids) == 1:
        return FollowUp(offers=turn.state.ids, reason="only one half of what is compared is known")
    cards = turn.plural_cards
    is_list = turn.group is not None and (len(turn.state.ids) > 1 or cards == turn.cards(turn.state.before))
    if wants_best and is_list and turn.group is not None and (turn.is_bare or len(cards) > 2):
        shown = cards if turn.state.kind == "list" else ()
        is_unsaid = not turn.is_bare  # what it asks for was no filter
        return FollowUp(
            shown, turn.group, recommends=True, wants_best=is_unsaid, reason="the best of those shown before"
        )
    if 1 < len(cards) <= MOST_COMPARED:
        return FollowUp(cards, wants_best=wants_best is not None, reason="those shown before, compared")
    return turn.repeat() if len(cards) > 1 else None


def _why(turn: ConversationTurn) -> FollowUp | None:
    """ "Why?": a question for the reason, about the entry that was shown."""
    if not cues.WHY.match(turn.text) or turn.state.kind == "unknown":
        return None
    if turn.current is None:
        return (
            turn.answer_with(turn.state.ids[0], "the first of them")
            if turn.state.kind == "recommend"
            else turn.repeat()
        )
    return turn.answer_with(turn.current.id, "why, about the entry before")


def _rest(turn: ConversationTurn) -> FollowUp | None:
    """ "Show the rest", "show part 3": a further part of the answer before."""
    match = cues.REST.match(turn.text)
    if match is None or turn.current is None or turn.state.kind == "unknown":
        return None
    return FollowUp(
        (turn.current.id,), part=int(match["number"] or turn.state.part + 1), reason="the rest of the answer before"
    )


def _about_shown(turn: ConversationTurn) -> FollowUp | None:
    """ "Is it async?", "docs?", "are they free?": still about what was shown."""
    if turn.state.kind == "unknown" and not turn.state.ids:
        return None
    subject = {word for name in turn.knowledge.subject for word in words(name)}
    if subject & set(turn.tokens) or (not turn.is_bare and cues.SOUGHT.match(turn.text)):
        return None
    if (turn.mentioned_groups() and _ANOTHER.search(turn.text)) or cues.FOR_IT.search(turn.text):
        return None  # "is there an async one"
    refers_back = cues.BACK.search(turn.text) is not None
    if not refers_back and cues.DEFINES.search(turn.text) and turn.mentioned_groups():
        return None  # it asks about the group's word, not about what was shown
    if turn.mentioned_groups() and turn.current is not None and turn.current.kind == "topic":
        return None  # "and the frontend?" asks the topic's question of something else
    if turn.current is None:
        return turn.repeat() if turn.is_bare and cues.THEM.search(turn.text) else _ask_which(turn)
    tokens = set(turn.tokens)
    is_attribute = bool(tokens & ATTRIBUTE_WORDS) and tokens <= STOPWORDS | ATTRIBUTE_WORDS
    is_attribute = is_attribute or attribute_of(turn.tokens, turn.other_tokens, turn.knowledge) is not None
    asks_attribute = is_attribute and turn.tokens[-1] not in _BOT_WORDS
    is_about_it = refers_back or asks_attribute if turn.is_bare else refers_back and not turn.is_foreign
    if not is_about_it or not (turn.is_bare or isinstance(turn.current, Library)):
        return None
    return FollowUp((turn.current.id,), asks_about_shown=True, reason="still about the one before")


_ANOTHER = re.compile(r"\b(?:ones?|anything|something|any|which|what else)\b")
"""One that may be another than the one that was shown."""


def _ask_which(turn: ConversationTurn) -> FollowUp | None:
    """ "Is it free?" after a comparison: asks which of the cards is meant, with all of them as offers."""
    cards = turn.cards(turn.state.ids)
    if turn.state.kind != "compare" or not 1 < len(cards) <= MAX_OFFERED or not cues.IT.search(turn.text):
        return None
    if (turn.is_foreign and not turn.is_bare) or attribute_of(turn.tokens, turn.other_tokens, turn.knowledge) is None:
        return None
    return FollowUp(offers=cards, asks_about_shown=True, reason="one of several")


_BOT_WORDS = frozenset("you u yourself".split())
"""Last words of a question about the bot: "who made you"."""


# --- rules with names


def _comparison_with_named(turn: ConversationTurn) -> FollowUp | None:
    """ "Compare it to flask", "vs flask", "and pyqt?": a named card beside those that were shown."""
    is_bare = all(token in FOLLOWUP_WORDS or token not in english() for token in turn.other_tokens)
    if turn.names_others or len(turn.named_cards) != 1 or not is_bare:
        return None
    compares, kind = turn.compares, turn.state.kind
    if compares and turn.choices and cues.ORDINAL.search(turn.text):
        shown = turn.placed(turn.text)[:1]
    elif (kind == "compare" and (compares or cues.LEADING.match(turn.text) or cues.ADDING.search(turn.text))) or (
        compares and kind in ("list", "recommend") and cues.THEM.search(turn.text)
    ):
        shown = turn.cards(turn.state.ids)
    elif compares:
        shown = (turn.last_card,) if turn.last_card else ()
    else:
        return None
    ids = tuple(dict.fromkeys((*shown, *turn.named_cards)))
    if not 1 < len(ids) <= MOST_COMPARED:
        return None
    wants_best = cues.BEST.search(turn.text) is not None
    return FollowUp(ids, wants_best=wants_best, reason="set beside what was shown before")


_RULES = (
    _rest,
    _unknown_name,
    _accepted_offer,
    _choice_by_position,
    _next_or_previous,
    _all_again,
    _other_group,
    _comparison,
    _why,
    _about_shown,
)
_RULES_WITH_NAMES = (_comparison_with_named,)
