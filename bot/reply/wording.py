"""Wording: the small pieces that replies are put together from."""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Iterable

from bot.model import Choice, Credit, Entry, Group, Knowledge, Library, Part


def credit(entries: Iterable[Entry], knowledge: Knowledge) -> Iterable[Part]:
    """Where the facts come from, with paragraph numbers; nothing in a pack without a source, or for what curators wrote."""
    source, entries = knowledge.source, tuple(entries)
    if source is None or (entries and all(entry.curated for entry in entries)):
        return
    paragraphs = {paragraph for entry in entries for paragraph in entry.paragraphs}
    by = ", ".join(part for part in (source.author, source.publisher, _day(source.date)) if part)
    where = ""
    if paragraphs:
        key = "paragraph" if len(paragraphs) == 1 else "paragraphs"
        where = f", {knowledge.voice.lines[key]} {_ranges(paragraphs)}"
    yield Credit(f"{knowledge.voice.lines['from']} “{source.title}”" + (f" ({by})" if by else "") + where, source.url)


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


def choice_of(entry: Entry) -> Choice:
    """The button that opens an entry; what it asks finds the entry, which a test of the pack proves."""
    return Choice(entry.label, f"What is {entry.name}?" if isinstance(entry, Library) else entry.title)


def libraries(ids: Iterable[str], knowledge: Knowledge) -> list[Library]:
    """Those of the ids that are cards."""
    found = (knowledge.by_id[i] for i in ids)
    return [entry for entry in found if isinstance(entry, Library)]


def group_of(wanted: str | None, knowledge: Knowledge) -> Group | None:
    """The group with this id, if there is one."""
    return next((group for group in knowledge.groups if group.id == wanted), None)


def group_label(wanted: str, knowledge: Knowledge) -> str:
    """What a group is called on a card; the id itself where no group has it."""
    group = group_of(wanted, knowledge)
    return upper_first(group.label) if group else wanted


def labels(ids: Iterable[str], knowledge: Knowledge) -> list[str]:
    """What the groups are called."""
    return [group.label for wanted in ids if (group := group_of(wanted, knowledge))]


def sentence_of(parts: Iterable[str]) -> str:
    """a; a and b; a, b and c"""
    listed = list(parts)
    return ", ".join(listed[:-1]) + " and " + listed[-1] if len(listed) > 1 else "".join(listed)


def joined(*parts: str) -> str:
    """The parts that aren't empty, with a dot between them."""
    return " · ".join(part for part in parts if part)


def upper_first(text: str) -> str:
    """The text with a capital at its start."""
    return text[:1].upper() + text[1:]
