"""Replies about one entry: a topic, a step among its neighbours, or a library's card."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import replace

from bot.model import (
    NEWS,
    Attribute,
    Card,
    Choice,
    Choices,
    Code,
    DatedNote,
    Entry,
    Facts,
    Finding,
    Heading,
    Item,
    Items,
    Knowledge,
    Library,
    Link,
    Part,
    Step,
    Text,
)
from bot.reply.facts import attribute_parts, facts, install_spans
from bot.reply.wording import (
    answer_part,
    checked_parts,
    choice_of,
    first_sentence,
    group_label,
    join_with_dots,
    libraries,
    matching_sentence,
    source_parts,
    split_opening,
)
from bot.retrieval.english import FUNCTION_WORDS
from bot.text import sentences, stem, words

MOST_RELATED = 3
"""Related questions under an answer: a phone shows three buttons without scrolling past the answer."""
MOST_BELOW_CARD = 4
"""Questions under a card: what is new, a comparison, and related entries."""
MAX_OPENING = 200
"""Characters of an answer's first paragraph that stands on the card in place of the summary: Slack's card takes no more."""
SAID_SHARE = 0.4
"""Share of a sentence's telling words that other texts have where they say the same. The shipped pack's summaries, each the short
form of its answer, share 0.4 to 1.0."""
_NEGATIONS = frozenset("no not never none cannot cant dont doesnt isnt arent wont shouldnt mustnt".split())


def entry_parts(finding: Finding, knowledge: Knowledge, today: dt.date) -> Iterable[Part]:
    """The parts of the reply about the finding's one entry."""
    entry = knowledge.by_id[finding.ids[0]]
    if isinstance(entry, Library):
        yield from _library_parts(entry, finding, knowledge, today)
        return
    steps = knowledge.steps(entry.id)
    if finding.attribute is not None:
        yield from attribute_parts(entry, finding.attribute, knowledge) or [Text(knowledge.voice.lines["beyond"])]
    yield Heading(_step_title(entry, knowledge) if isinstance(entry, Step) else entry.title)
    sentence = matching_sentence(finding, entry)
    if sentence and sentence != first_sentence(entry):  # half of such questions are about one sentence of a long answer
        yield Text(f"{knowledge.voice.lines['sentence']} {sentence}")
    yield answer_part(entry)
    if steps:
        yield Items(tuple(Item(step.title, ask=step.title) for step in steps), numbered=True)
    yield from _notes_and_source(entry, knowledge, today)
    if isinstance(entry, Step):
        yield _neighbours(entry, knowledge)
    elif steps:
        first = Choice(f"{knowledge.voice.lines['step']} {steps[0].number}: {steps[0].title}", steps[0].title)
        others = _related_choices(entry, knowledge, excluded=[step.id for step in steps])
        yield Choices(knowledge.voice.lines["related"], (first, *others))
    else:
        yield from _related(entry, knowledge)


def _library_parts(card: Library, finding: Finding, knowledge: Knowledge, today: dt.date) -> Iterable[Part]:
    """The parts of a card: one attribute of it and the card in short, or all of it, or its notes alone."""
    if finding.attribute is not None and finding.attribute.name == NEWS and card.notes:
        yield from _news_parts(card, finding.attribute, knowledge, today)
        return
    lines = knowledge.voice.lines
    asked_parts = attribute_parts(card, finding.attribute, knowledge) if finding.attribute is not None else []
    yield from asked_parts
    is_missing = not asked_parts and (finding.beyond or finding.attribute is not None)
    if is_missing and not finding.out_of_scope:  # a word on the names beside the card has said so
        yield Text(lines["beyond"])
    if asked_parts or is_missing:
        yield _card(card, card.summary, knowledge)
        yield from source_parts([card], knowledge, today)
        yield from _questions_about(card, knowledge)
        return
    opening, rest = split_opening(card, MAX_OPENING)
    yield _card(card, " ".join(filter(None, (opening, *_unsaid_sentences(card)))), knowledge)
    for note in card.notes:
        if note.short:  # what the card would mislead without comes before what it praises
            yield DatedNote(replace(note, text=note.short, source="", url=""))
    if rest is not None:
        yield rest
    rows = [(lines[key], value) for key, value in facts(card, knowledge) if value]
    if rows:
        yield Facts(tuple(rows))
    if command := install_spans(card):
        yield Code(lines["label_install"], command)
    yield from source_parts([card], knowledge, today)
    yield from _questions_about(card, knowledge)


def _news_parts(card: Library, attribute: Attribute, knowledge: Knowledge, today: dt.date) -> Iterable[Part]:
    """A card's notes, each with its own source."""
    yield Heading(join_with_dots(card.name, knowledge.voice.lines["whats_new"]))
    yield from attribute_parts(card, attribute, knowledge)
    yield from checked_parts([card], knowledge, today)
    choices = (choice_of(card), *_compare_choices(card, knowledge), *_related_below(card, knowledge))
    yield Choices(knowledge.voice.lines["related"], choices[:MOST_BELOW_CARD])


def _card(card: Library, summary: str, knowledge: Knowledge) -> Card:
    lines = knowledge.voice.lines
    homepage = card.homepage if card.homepage != card.docs else ""
    links = (Link(lines["docs"], card.docs), Link(lines["homepage"], homepage))
    return Card(
        title=card.name,
        subtitle=join_with_dots(group_label(card.side, knowledge), card.what),
        summary=summary,
        links=tuple(link for link in links if link.url),
        choices=_own_choices(card, knowledge),
    )


def _unsaid_sentences(card: Library) -> list[str]:
    """The sentences of a card's summary that its other texts don't say: the answer is there in full, so most are said."""
    said = _telling_stems(" ".join((card.name, card.what, card.plain_answer, *card.good_for)))
    return [sentence for sentence in sentences(card.summary) if not _is_said(_telling_stems(sentence), said)]


def _is_said(telling: frozenset[str], said: frozenset[str]) -> bool:
    """Whether texts with the stems `said` say what a sentence does; not if only the sentence has a number or denies something."""
    differs = any(word.isdigit() or word in _NEGATIONS for word in telling - said)
    return len(telling & said) >= SAID_SHARE * len(telling) and not differs


def _telling_stems(text: str) -> frozenset[str]:
    return frozenset(stem(word) for word in words(text) if word not in FUNCTION_WORDS or word in _NEGATIONS)


def _own_choices(card: Library, knowledge: Knowledge) -> tuple[Choice, ...]:
    """Questions about the card itself: what is new, and the comparison with a related card."""
    news = (Choice(knowledge.voice.lines["whats_new"], card.news_question),) if card.notes else ()
    return (*news, *_compare_choices(card, knowledge))


def _questions_about(card: Library, knowledge: Knowledge) -> Iterable[Part]:
    """Buttons for the questions about a card, and for related entries."""
    choices = (*_own_choices(card, knowledge), *_related_below(card, knowledge))
    if choices:
        yield Choices(knowledge.voice.lines["related"], choices[:MOST_BELOW_CARD])


def _related_below(card: Library, knowledge: Knowledge) -> list[Choice]:
    """Related entries; without the card that a button compares with, if others are left."""
    compared = [other.id for other in _compared_with(card, knowledge)]
    return _related_choices(card, knowledge, compared if len(card.related) > len(compared) else [])


def _compare_choices(card: Library, knowledge: Knowledge) -> Iterable[Choice]:
    for other in _compared_with(card, knowledge):
        yield Choice(f"{knowledge.voice.lines['compare_with']} {other.name}", f"{card.name} vs {other.name}")


def _compared_with(card: Library, knowledge: Knowledge) -> list[Library]:
    """The first related card, which a card's button compares it with."""
    return libraries(card.related, knowledge)[:1]


def _notes_and_source(entry: Entry, knowledge: Knowledge, today: dt.date) -> Iterable[Part]:
    for note in entry.notes:
        yield DatedNote(note)
    yield from source_parts([entry], knowledge, today)


def _related(entry: Entry, knowledge: Knowledge) -> Iterable[Part]:
    """Buttons for related entries."""
    choices = tuple(_related_choices(entry, knowledge, ()))
    if choices:
        yield Choices(knowledge.voice.lines["related"], choices)


def _related_choices(entry: Entry, knowledge: Knowledge, excluded: Iterable[str]) -> list[Choice]:
    excluded_ids = set(excluded)
    related = [other for other in entry.related if other not in excluded_ids]
    return [choice_of(knowledge.by_id[other]) for other in related[:MOST_RELATED]]


def _step_title(step: Step, knowledge: Knowledge) -> str:
    lines = knowledge.voice.lines
    return f"{lines['step']} {step.number} {lines['of']} {len(knowledge.steps(step.of))}: {step.title}"


def _neighbours(step: Step, knowledge: Knowledge) -> Choices:
    steps = knowledge.steps(step.of)
    index = steps.index(step)
    lines = knowledge.voice.lines
    choices = []
    if index + 1 < len(steps):
        choices.append(Choice(f"{lines['next']}: {steps[index + 1].title}", steps[index + 1].title))
    if index > 0:
        choices.append(Choice(f"{lines['previous']}: {steps[index - 1].title}", steps[index - 1].title))
    topic = knowledge.by_id[step.of]
    return Choices(lines["related"], (*choices, Choice(lines["all_steps"], topic.title)))
