"""Replies about one entry: a topic, a step among its neighbours, or a library's card."""

from __future__ import annotations

from collections.abc import Iterable

from bot.model import (
    Card,
    Choice,
    Choices,
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
from bot.reply.facts import attribute_parts, facts
from bot.reply.wording import (
    answer_part,
    choice_of,
    first_sentence,
    group_label,
    join_with_dots,
    libraries,
    matching_sentence,
    source_parts,
)

MOST_RELATED = 3
"""Related questions under an answer: a phone shows three buttons without scrolling past the answer."""


def entry_parts(finding: Finding, knowledge: Knowledge) -> Iterable[Part]:
    """The parts of the reply about the finding's one entry."""
    entry = knowledge.by_id[finding.ids[0]]
    if isinstance(entry, Library):
        yield from _library_parts(entry, finding, knowledge)
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
    yield from _notes_and_source(entry, knowledge)
    if isinstance(entry, Step):
        yield _neighbours(entry, knowledge)
    elif steps:
        first = Choice(f"{knowledge.voice.lines['step']} {steps[0].number}: {steps[0].title}", steps[0].title)
        others = _related_choices(entry, knowledge, excluded=[step.id for step in steps])
        yield Choices(knowledge.voice.lines["related"], (first, *others))
    else:
        yield from _related(entry, knowledge)


def _library_parts(card: Library, finding: Finding, knowledge: Knowledge) -> Iterable[Part]:
    lines = knowledge.voice.lines
    asked_parts = attribute_parts(card, finding.attribute, knowledge) if finding.attribute is not None else []
    yield from asked_parts
    is_missing = not asked_parts and (finding.beyond or finding.attribute is not None)
    if is_missing and not finding.out_of_scope:  # a word on the names beside the card has said so
        yield Text(lines["beyond"])
    homepage = card.homepage if card.homepage != card.docs else ""
    links = (Link(lines["docs"], card.docs), Link(lines["homepage"], homepage))
    yield Card(
        title=card.name,
        subtitle=join_with_dots(group_label(card.side, knowledge), card.what),
        summary=card.summary,
        links=tuple(link for link in links if link.url),
        choices=tuple(_compare_choices(card, knowledge)),
    )
    if asked_parts or is_missing:
        yield from source_parts([card], knowledge)
        yield from _related(card, knowledge)
        return
    yield answer_part(card)
    rows = [(lines[key], value) for key, value in facts(card, knowledge) if value]
    if rows:
        yield Facts(tuple(rows))
    yield from _notes_and_source(card, knowledge)
    yield from _related(card, knowledge)


def _compare_choices(card: Library, knowledge: Knowledge) -> Iterable[Choice]:
    for other in _compared_with(card, knowledge):
        yield Choice(f"{knowledge.voice.lines['compare_with']} {other.name}", f"{card.name} vs {other.name}")


def _compared_with(entry: Entry, knowledge: Knowledge) -> list[Library]:
    """The first related card, which a card's button compares it with; empty for other entries."""
    cards = libraries(entry.related, knowledge) if isinstance(entry, Library) else []
    return cards[:1]


def _notes_and_source(entry: Entry, knowledge: Knowledge) -> Iterable[Part]:
    for note in entry.notes:
        yield DatedNote(note)
    yield from source_parts([entry], knowledge)


def _related(entry: Entry, knowledge: Knowledge) -> Iterable[Part]:
    """Buttons for related entries; without the card that a button compares with, if others are left."""
    compared = [other.id for other in _compared_with(entry, knowledge)]
    excluded = compared if len(entry.related) > len(compared) else []
    choices = tuple(_related_choices(entry, knowledge, excluded))
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
    if index > 0:
        choices.append(Choice(f"{lines['previous']}: {steps[index - 1].title}", steps[index - 1].title))
    if index + 1 < len(steps):
        choices.append(Choice(f"{lines['next']}: {steps[index + 1].title}", steps[index + 1].title))
    topic = knowledge.by_id[step.of]
    return Choices(lines["related"], (*choices, Choice(lines["all_steps"], topic.title)))
