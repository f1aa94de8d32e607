"""One entry as parts: a topic, a step among its neighbours, or a library's card."""

from __future__ import annotations

from collections.abc import Iterable

from bot.model import (
    Card,
    Choice,
    Choices,
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
    Remark,
    Step,
    Text,
)
from bot.reply.facts import facts, of_aspect
from bot.reply.wording import choice_of, credit, group_label, joined, libraries

MOST_RELATED = 3
"""Related questions under an answer: a phone shows three buttons without scrolling past the answer."""


def of_entry(finding: Finding, knowledge: Knowledge) -> Iterable[Part]:
    """The parts of one entry's reply."""
    entry = knowledge.by_id[finding.ids[0]]
    if isinstance(entry, Library):
        yield from _library(entry, finding, knowledge)
        return
    steps = knowledge.steps(entry.id)
    if finding.aspect is not None:
        yield from of_aspect(entry, finding.aspect, knowledge) or [Text(knowledge.voice.lines["beyond"])]
    yield Heading(_step_title(entry, knowledge) if isinstance(entry, Step) else entry.title)
    yield Text(entry.answer)
    if steps:
        yield Items(tuple(Item(step.title, ask=step.title) for step in steps), numbered=True)
    yield from _after(entry, knowledge)
    if isinstance(entry, Step):
        yield _neighbours(entry, knowledge)
    elif steps:
        first = Choice(f"{knowledge.voice.lines['step']} {steps[0].number}: {steps[0].title}", steps[0].title)
        others = _related(entry, knowledge, but=[step.id for step in steps])
        yield Choices(knowledge.voice.lines["related"], (first, *others))
    else:
        yield from _go_on(entry, knowledge)


def _library(card: Library, finding: Finding, knowledge: Knowledge) -> Iterable[Part]:
    lines = knowledge.voice.lines
    lead = of_aspect(card, finding.aspect, knowledge) if finding.aspect is not None else []
    yield from lead
    unsaid = not lead and (finding.beyond or finding.aspect is not None)
    if unsaid:
        yield Text(lines["beyond"])
    homepage = card.homepage if card.homepage != card.docs else ""
    links = (Link(lines["docs"], card.docs), Link(lines["homepage"], homepage))
    yield Card(
        title=card.name,
        subtitle=joined(group_label(card.side, knowledge), card.what),
        summary=card.summary,
        links=tuple(link for link in links if link.url),
        choices=tuple(_compare_choices(card, knowledge)),
    )
    if lead or unsaid:
        yield from credit([card], knowledge)
        yield from _go_on(card, knowledge)
        return
    yield Text(card.answer)
    rows = [(lines[key], value) for key, value in facts(card, knowledge) if value]
    if rows:
        yield Facts(tuple(rows))
    yield from _after(card, knowledge)
    yield from _go_on(card, knowledge)


def _compare_choices(card: Library, knowledge: Knowledge) -> Iterable[Choice]:
    for other in _compared(card, knowledge):
        yield Choice(f"{knowledge.voice.lines['compare_with']} {other.name}", f"{card.name} vs {other.name}")


def _compared(entry: Entry, knowledge: Knowledge) -> list[Library]:
    """The card that a card is compared with at a press: the first that is related."""
    cards = libraries(entry.related, knowledge) if isinstance(entry, Library) else []
    return cards[:1]


def _after(entry: Entry, knowledge: Knowledge) -> Iterable[Part]:
    """The dated notes, then where the facts come from."""
    for note in entry.notes:
        yield Remark(note)
    yield from credit([entry], knowledge)


def _go_on(entry: Entry, knowledge: Knowledge) -> Iterable[Part]:
    """What is related, without the card that a button compares with already."""
    compared = [other.id for other in _compared(entry, knowledge)]
    choices = tuple(_related(entry, knowledge, but=compared if len(entry.related) > len(compared) else []))
    if choices:
        yield Choices(knowledge.voice.lines["related"], choices)


def _related(entry: Entry, knowledge: Knowledge, but: Iterable[str] = ()) -> list[Choice]:
    skipped = set(but)
    listed = [other for other in entry.related if other not in skipped]
    return [choice_of(knowledge.by_id[other]) for other in listed[:MOST_RELATED]]


def _step_title(step: Step, knowledge: Knowledge) -> str:
    lines = knowledge.voice.lines
    return f"{lines['step']} {step.number} {lines['of']} {len(knowledge.steps(step.of))}: {step.title}"


def _neighbours(step: Step, knowledge: Knowledge) -> Choices:
    steps = knowledge.steps(step.of)
    at = steps.index(step)
    lines = knowledge.voice.lines
    choices = []
    if at > 0:
        choices.append(Choice(f"{lines['previous']}: {steps[at - 1].title}", steps[at - 1].title))
    if at + 1 < len(steps):
        choices.append(Choice(f"{lines['next']}: {steps[at + 1].title}", steps[at + 1].title))
    whole = knowledge.by_id[step.of]
    return Choices(lines["related"], (*choices, Choice(lines["all_steps"], whole.title)))
