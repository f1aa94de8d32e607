"""Compose: what was found becomes a Reply, a short list of Parts. A new kind of reply touches this room alone."""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Iterable

from bot.model import (
    MOST_COMPARED,
    Card,
    Choice,
    Choices,
    Credit,
    Entry,
    Evidence,
    Facts,
    Finding,
    Group,
    Heading,
    Item,
    Items,
    Kind,
    Knowledge,
    Library,
    Link,
    Part,
    Remark,
    Reply,
    Step,
    Table,
    Text,
)

MOST_RELATED = 3
"""Related questions under an answer: a phone shows three buttons without scrolling past the answer."""
MOST_IN_A_CELL = 2
"""Good uses in a comparison's cell, which is a third of a phone wide."""
MOST_ITEMS_WITH_SUMMARY = 10
"""Cards of a list up to which each gets its summary; as many as a carousel takes."""
MOST_TOGETHER = 5
"""Cards that a button offers to compare; of more, nobody wants all."""


def compose(finding: Finding, knowledge: Knowledge) -> Reply:
    """The reply to what was found. `finding.ids` all exist in `knowledge`."""
    return Reply(
        kind=finding.kind,
        ids=finding.ids[:MOST_COMPARED] if finding.kind == "compare" else finding.ids,
        parts=tuple(_parts(finding, knowledge)),
        evidence=finding.evidence,
        reference=_reference(finding),
    )


def again(reference: str, knowledge: Knowledge) -> Reply | None:
    """The reply that a reference names, or None where the pack no longer has what it speaks of."""
    kind, _, rest = reference.partition("|")
    about, _, listed = rest.partition("|")
    ids = tuple(listed.split(",")) if listed else ()
    kinds: tuple[Kind, ...] = ("topic", "step", "library", "compare", "list", "recommend")
    known = next((name for name in kinds if name == kind), None)
    if known is None or not ids or any(i not in knowledge.by_id for i in ids):
        return None
    return compose(Finding(kind=known, ids=ids, group=about or None, evidence=Evidence(understood="")), knowledge)


def _reference(finding: Finding) -> str:
    if finding.kind in ("help", "smalltalk", "unknown"):
        return ""
    return f"{finding.kind}|{finding.group or ''}|{','.join(finding.ids)}"


def _parts(finding: Finding, knowledge: Knowledge) -> Iterable[Part]:
    match finding.kind:
        case "topic" | "step" | "library":
            return _entry(finding, knowledge)
        case "compare":
            return _comparison(_libraries(finding.ids[:MOST_COMPARED], knowledge), knowledge)
        case "list":
            return _list(finding, knowledge)
        case "recommend":
            return _recommendation(finding, knowledge)
        case "help":
            return _help(knowledge)
        case "smalltalk":
            return [Text(knowledge.voice.small_talk[finding.talk or "greeting"].answer)]
        case "unknown":
            return _unknown(finding, knowledge)


# --- one entry


def _entry(finding: Finding, knowledge: Knowledge) -> Iterable[Part]:
    entry = knowledge.by_id[finding.ids[0]]
    if isinstance(entry, Library):
        yield from _library(entry, finding, knowledge)
        return
    steps = knowledge.steps(entry.id)
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
    homepage = card.homepage if card.homepage != card.docs else ""
    links = (Link(lines["docs"], card.docs), Link(lines["homepage"], homepage))
    yield Card(
        title=card.name,
        subtitle=_joined(group_label(card.side, knowledge), card.what),
        summary=card.summary,
        links=tuple(link for link in links if link.url),
        choices=tuple(_compare_choices(card, knowledge)),
    )
    yield Text(card.answer)
    if finding.beyond:
        yield Text(lines["beyond"])
    rows = [(lines[key], value) for key, value in _facts(card, knowledge) if value]
    if rows:
        yield Facts(tuple(rows))
    yield from _after(card, knowledge)
    yield from _go_on(card, knowledge)


def _facts(card: Library, knowledge: Knowledge, most: int | None = None) -> list[tuple[str, str]]:
    """A card's facts: the voice's key of the label, and the value or nothing; at most `most` good uses."""
    return [
        ("label_good_for", _sentence_of(card.good_for[:most])),
        ("label_capabilities", ", ".join(_labels(card.capabilities, knowledge))),
        ("label_install", install_command(card)),
    ]


def install_command(card: Library) -> str:
    """How to install it: what the pack says, else computed from the package's name, else nothing."""
    return card.install or (f"pip install {card.package}" if card.package else "")


def _compare_choices(card: Library, knowledge: Knowledge) -> Iterable[Choice]:
    for other in _compared(card, knowledge):
        yield Choice(f"{knowledge.voice.lines['compare_with']} {other.name}", f"{card.name} vs {other.name}")


def _compared(entry: Entry, knowledge: Knowledge) -> list[Library]:
    """The card that a card is compared with at a press: the first that is related."""
    cards = _libraries(entry.related, knowledge) if isinstance(entry, Library) else []
    return cards[:1]


def _after(entry: Entry, knowledge: Knowledge) -> Iterable[Part]:
    """The dated notes, then where the facts come from."""
    for note in entry.notes:
        yield Remark(note)
    yield from _credit([entry], knowledge)


def _credit(entries: Iterable[Entry], knowledge: Knowledge) -> Iterable[Part]:
    source = knowledge.source
    if source is None:
        return
    paragraphs = {paragraph for entry in entries for paragraph in entry.paragraphs}
    by = ", ".join(part for part in (source.author, source.publisher, _day(source.date)) if part)
    where = ""
    if paragraphs:
        key = "paragraph" if len(paragraphs) == 1 else "paragraphs"
        where = f", {knowledge.voice.lines[key]} {_ranges(paragraphs)}"
    yield Credit(f"{knowledge.voice.lines['from']} “{source.title}”" + (f" ({by})" if by else "") + where, source.url)


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


def choice_of(entry: Entry) -> Choice:
    """The button that opens an entry; what it asks finds the entry, which a test of the pack proves."""
    return Choice(entry.label, f"What is {entry.name}?" if isinstance(entry, Library) else entry.title)


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


# --- several


def _libraries(ids: Iterable[str], knowledge: Knowledge) -> list[Library]:
    found = (knowledge.by_id[i] for i in ids)
    return [entry for entry in found if isinstance(entry, Library)]


def _comparison(cards: list[Library], knowledge: Knowledge) -> Iterable[Part]:
    lines = knowledge.voice.lines
    yield Heading(_sentence_of([card.name for card in cards]) + lines["side_by_side"])
    rows: list[tuple[str, tuple[str, ...]]] = [
        (lines["label_side"], tuple(group_label(card.side, knowledge) for card in cards)),
        (lines["label_what"], tuple(_upper_first(card.what) for card in cards)),
    ]
    facts = [_facts(card, knowledge, MOST_IN_A_CELL) for card in cards]
    rows += [(lines[column[0][0]], tuple(value for _, value in column)) for column in zip(*facts, strict=True)]
    yield Table(
        ("", *(card.name for card in cards)),
        tuple((label, *(value or lines["gap"] for value in values)) for label, values in rows if any(values)),
    )
    yield from _credit(cards, knowledge)
    yield Choices(lines["open"], tuple(choice_of(card) for card in cards))


def _list(finding: Finding, knowledge: Knowledge) -> Iterable[Part]:
    lines = knowledge.voice.lines
    cards = _libraries(finding.ids, knowledge)
    group = group_of(finding.group, knowledge)
    yield Heading(group.title if group else lines["list"])
    sure = [card for card in cards if group is None or group.all or group.id in (card.side, *card.capabilities)]
    full = len(cards) <= MOST_ITEMS_WITH_SUMMARY
    sides = list(dict.fromkeys(card.side for card in sure))
    for side in sides:
        heading = group_label(side, knowledge) if len(sides) > 1 else ""
        yield Items(tuple(_item(card, knowledge, full) for card in sure if card.side == side), heading=heading)
    maybe = [card for card in cards if card not in sure]
    if maybe:
        yield Items(tuple(_item(card, knowledge, full) for card in maybe), heading=lines["also_listed"])
    yield from _credit(cards, knowledge)


def _item(card: Library, knowledge: Knowledge, full: bool) -> Item:
    text = card.summary if full and card.summary else _upper_first(card.what)
    return Item(card.name, text, subtitle=group_label(card.side, knowledge), ask=f"What is {card.name}?")


def _recommendation(finding: Finding, knowledge: Knowledge) -> Iterable[Part]:
    lines = knowledge.voice.lines
    cards = _libraries(finding.ids, knowledge)
    group = group_of(finding.group, knowledge)
    yield Heading(f"{lines['recommend']} {group.label}" if group else lines["recommend_any"])
    items = (
        Item(
            card.name,
            card.summary or _upper_first(card.what),
            subtitle=_joined(group_label(card.side, knowledge), card.what),
            ask=f"What is {card.name}?",
        )
        for card in cards
    )
    yield Items(tuple(items), numbered=len(cards) > 1)
    yield from _credit(cards, knowledge)
    if len(cards) > 1:
        names = [card.name for card in cards[:MOST_TOGETHER]]
        yield Choices(lines["related"], (Choice(lines["compare_them"], " vs ".join(names)),))


# --- nothing, or only a part


def _unknown(finding: Finding, knowledge: Knowledge) -> Iterable[Part]:
    lines = knowledge.voice.lines
    offered = [knowledge.by_id[i] for i in finding.ids]
    if finding.only_named:
        yield Text(f"{_sentence_of(finding.only_named)}: {lines['only_named']}")
    elif finding.strangers and any(isinstance(entry, Library) for entry in offered):
        yield Text(f"{_sentence_of(finding.strangers)}: {lines['unknown_partial']}")
    elif finding.strangers:
        yield Text(f"{_sentence_of(finding.strangers)}: {lines['unknown_stranger']}")
    else:
        yield Text(lines["unknown_offer"] if offered else lines["unknown"])
    known = [entry for entry in offered if isinstance(entry, Library)] if finding.strangers else []
    if known:
        yield Items(tuple(Item(card.name, card.summary or card.what, ask=f"What is {card.name}?") for card in known))
    if offered:
        heading = lines["named_in"] if finding.only_named else lines["open"] if known else lines["did_you_mean"]
        yield Choices(heading, tuple(choice_of(entry) for entry in offered))
    elif knowledge.voice.examples:
        yield Choices(
            lines["try"], tuple(Choice(example, example) for example in knowledge.voice.examples[:MOST_RELATED])
        )


def _help(knowledge: Knowledge) -> Iterable[Part]:
    yield Text(knowledge.voice.small_talk["help"].answer)
    if knowledge.voice.examples:
        choices = tuple(Choice(example, example) for example in knowledge.voice.examples)
        yield Choices(knowledge.voice.lines["try"], choices)


# --- words


def _ranges(paragraphs: Iterable[str]) -> str:
    """Paragraph numbers in order, three or more in a row as a range: "8, 45 to 54"."""
    numbers = sorted(int(paragraph) for paragraph in paragraphs if paragraph.isdigit())
    others = sorted(paragraph for paragraph in paragraphs if not paragraph.isdigit())
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    shown = [f"{run[0]} to {run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs]
    return ", ".join([*shown, *others])


def _day(date: str) -> str:
    """An ISO date as people write it: "5 October 2023"."""
    try:
        day = dt.date.fromisoformat(date)
    except ValueError:
        return date
    return f"{day.day} {calendar.month_name[day.month]} {day.year}"


def group_of(wanted: str | None, knowledge: Knowledge) -> Group | None:
    """The group with this id, if there is one."""
    return next((group for group in knowledge.groups if group.id == wanted), None)


def group_label(wanted: str, knowledge: Knowledge) -> str:
    """What a group is called on a card; the id itself where no group has it."""
    group = group_of(wanted, knowledge)
    return _upper_first(group.label) if group else wanted


def _labels(ids: Iterable[str], knowledge: Knowledge) -> list[str]:
    return [group.label for wanted in ids if (group := group_of(wanted, knowledge))]


def _sentence_of(parts: Iterable[str]) -> str:
    """a; a and b; a, b and c"""
    listed = list(parts)
    return ", ".join(listed[:-1]) + " and " + listed[-1] if len(listed) > 1 else "".join(listed)


def _joined(*parts: str) -> str:
    return " · ".join(part for part in parts if part)


def _upper_first(text: str) -> str:
    return text[:1].upper() + text[1:]
