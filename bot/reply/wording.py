"""Pieces of text that several kinds of reply share: labels, lists of words, buttons, and the source."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from bot.markdown import AnswerFormat, Block, Paragraph, Span, parse, prose
from bot.model import (
    ANSWER_SHOWN,
    Attribution,
    Choice,
    Entry,
    Finding,
    Formatted,
    Group,
    Kind,
    Knowledge,
    Library,
    Part,
    Source,
    VoiceKey,
)
from bot.text import clean, normalize_phrase, sentences

MAX_PAST_NAMED = 3
"""Entries that a source names because their date is past: it stays a line or two on a phone."""


def source_parts(entries: Iterable[Entry], knowledge: Knowledge, today: dt.date) -> Iterable[Part]:
    """The sources of the entries: their own, and of the others the pack's, with their paragraphs; and when those past their date
    were checked. Without entries, the pack's.

    The dates alone where the pack has no source, or all entries were written by curators without one.
    """
    entries = tuple(entries)
    own = dict.fromkeys(entry.source for entry in entries if entry.source is not None)
    parts = [_own_source(source, knowledge) for source in own]
    others = [entry for entry in entries if entry.source is None]
    if knowledge.source is not None and (not entries or any(not entry.curated for entry in others)):
        parts.append(_pack_source(knowledge.source, others, knowledge))
    checked = _checked(entries, knowledge, today)
    if parts and checked:
        parts[-1] = replace(parts[-1], text=f"{parts[-1].text}, {checked}")
    yield from parts
    if not parts:
        yield from checked_parts(entries, knowledge, today)


def _pack_source(source: Source, entries: Iterable[Entry], knowledge: Knowledge) -> Attribution:
    """The pack's source, with the paragraphs of these entries."""
    details = ", ".join(detail for detail in (source.author, source.publisher, readable_date(source.date)) if detail)
    paragraphs = {paragraph for entry in entries for paragraph in entry.paragraphs}
    suffix = ""
    if paragraphs:
        key: VoiceKey = "paragraph" if len(paragraphs) == 1 else "paragraphs"
        suffix = f", {knowledge.voice.lines[key]} {_ranges(paragraphs)}"
    title = f"{knowledge.voice.lines['from']} “{source.title}”" + (f" ({details})" if details else "")
    return Attribution(title + suffix, source.url)


def checked_parts(entries: Sequence[Entry], knowledge: Knowledge, today: dt.date) -> Iterable[Part]:
    """When the entries that are past their date were last checked, in a line of its own; nothing where none is."""
    if checked := _checked(entries, knowledge, today):
        yield Attribution(upper_first(checked))


def _checked(entries: Sequence[Entry], knowledge: Knowledge, today: dt.date) -> str:
    """When those of the entries that are past their date were last checked, by name where there are several; the longest past
    come first, and MAX_PAST_NAMED of them are named."""
    lines = knowledge.voice.lines
    past = sorted((entry for entry in entries if entry.is_past(today)), key=lambda entry: entry.review_by)
    checked = (
        (f"{entry.label} " if len(entries) > 1 else "")
        + (
            f"{lines['last_checked']} {readable_date(entry.reviewed)}"
            if entry.reviewed
            else f"{lines['due_since']} {readable_date(entry.review_by)}"
        )
        for entry in past[:MAX_PAST_NAMED]
    )
    return ", ".join(checked)


def _own_source(source: Source, knowledge: Knowledge) -> Attribution:
    """The source of one entry: "From Slack, 3 March 2026"."""
    details = (source.title, source.author, source.publisher, readable_date(source.date))
    return Attribution(f"{knowledge.voice.lines['from']} {', '.join(filter(None, details))}", source.url)


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
    ranges = [f"{run[0]} to {run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs]
    return ", ".join([*ranges, *others])


def readable_date(date: str) -> str:
    """An ISO date as "5 October 2023"; any other text as it is."""
    try:
        day = dt.date.fromisoformat(date)
    except ValueError:
        return date
    return f"{day.day} {day:%B} {day.year}"


def answer_part(entry: Entry) -> Formatted:
    """An entry's answer."""
    return Formatted(answer_blocks(entry.answer, entry.answer_format), entry.answer, entry.answer_format)


def answer_blocks(answer: str, answer_format: AnswerFormat) -> tuple[Block, ...]:
    """The blocks of an answer, of a far too long one as much as is shown."""
    blocks = parse(answer[:ANSWER_SHOWN], answer_format)
    return (*blocks, Paragraph((Span("…"),))) if len(answer) > ANSWER_SHOWN else blocks


def split_opening(entry: Entry, limit: int) -> tuple[str, Part | None]:
    """The first paragraph of an entry's answer, if it has no formatting and at most `limit` characters, and the rest.

    Otherwise "" and the whole answer. What leads to the blocks below it, by a colon at its end, stays with them.
    """
    answer = answer_part(entry)
    match answer.blocks:
        case (Paragraph(spans=(Span(text) as span,)), *rest) if span == Span(text):
            if len(text) <= limit and "\n" not in text and not text.endswith(":"):
                return text, replace(answer, blocks=tuple(rest)) if rest else None
    return "", answer


def choice_of(entry: Entry) -> Choice:
    """The button that opens an entry. A test of the pack proves that its question finds the entry."""
    return Choice(entry.label, entry.opening_question)


def example_choices(knowledge: Knowledge, limit: int) -> tuple[Choice, ...]:
    """Questions to try: the pack's own examples, else the titles of its first entries, steps only where there is nothing else."""
    if knowledge.voice.examples:
        return tuple(Choice(example, example) for example in knowledge.voice.examples[:limit])
    entries = [entry for entry in knowledge.entries if entry.kind != "step"] or knowledge.entries
    first_choices: dict[str, Choice] = {}
    for entry in entries:
        first_choices.setdefault(normalize_phrase(entry.opening_question), choice_of(entry))
        if len(first_choices) == limit:
            break
    return tuple(first_choices.values())


def introduction(knowledge: Knowledge) -> str:
    """What the pack is about, and what can be asked of it: only what it has cards, groups and steps for.

    Empty for a pack of plain topics that doesn't say what it is about.
    """
    lines = knowledge.voice.lines
    kinds = [entry.kind for entry in knowledge.entries]
    largest_group = max((len(knowledge.members(group)) for group in knowledge.groups), default=0)
    possible: tuple[tuple[VoiceKey, bool], ...] = (
        ("can_explain", "library" in kinds),
        ("can_compare", kinds.count("library") > 1),
        ("can_list", largest_group > 1),
        ("can_recommend", largest_group > 0),
        ("can_lead", "step" in kinds),
    )
    abilities = [lines[key] for key, is_possible in possible if is_possible]
    about = [] if knowledge.about in ("", knowledge.name) else [f"{lines['about']} {knowledge.about}."]
    return " ".join([*about, *([f"{lines['can']} {join_with_and(abilities)}."] if abilities else [])])


def libraries(ids: Iterable[str], knowledge: Knowledge) -> list[Library]:
    """The cards among the entries with these ids."""
    entries = (knowledge.by_id[entry_id] for entry_id in ids)
    return [entry for entry in entries if isinstance(entry, Library)]


def find_group(group_id: str | None, knowledge: Knowledge) -> Group | None:
    """The group with this id; None where there is none."""
    return next((group for group in knowledge.groups if group.id == group_id), None)


def group_label(group_id: str, knowledge: Knowledge) -> str:
    """A group's label with a capital; the id itself where no group has it."""
    group = find_group(group_id, knowledge)
    return upper_first(group.label) if group else group_id


def group_labels(ids: Iterable[str], knowledge: Knowledge) -> list[str]:
    """The labels of the groups that there are among these ids."""
    return [group.label for group_id in ids if (group := find_group(group_id, knowledge))]


MAX_NAMED = 4
"""Titles of a list that `name_answer` names."""


def name_answer(kind: Kind, ids: Sequence[str], knowledge: Knowledge) -> str:
    """An answer in titles, for curators who compare answers: "compared: Flask and Django", "no answer, offered: Flask"."""
    titles = [knowledge.by_id[entry_id].label for entry_id in ids]
    match kind:
        case "topic" | "step" | "library":
            return join_with_and(titles)
        case "compare":
            return f"compared: {join_with_and(titles)}"
        case "list":
            hidden = len(titles) - MAX_NAMED
            shown = [*titles[:MAX_NAMED], f"{hidden} more"] if hidden > 0 else titles
            return f"listed: {join_with_and(shown)}"
        case "recommend":
            return f"recommended: {join_with_and(titles)}"
        case "unknown":
            return f"no answer, offered: {join_with_and(titles)}" if titles else "no answer"
        case "help":
            return "help"
        case "smalltalk":
            return "small talk"


def join_with_and(parts: Iterable[str]) -> str:
    """a; a and b; a, b and c"""
    return _join_with("and", parts)


def join_with_or(parts: Iterable[str]) -> str:
    """a; a or b; a, b or c"""
    return _join_with("or", parts)


def _join_with(word: str, parts: Iterable[str]) -> str:
    listed = list(parts)
    return f"{', '.join(listed[:-1])} {word} {listed[-1]}" if len(listed) > 1 else "".join(listed)


def join_with_dots(*parts: str) -> str:
    """The parts that aren't empty, with a centred dot between them."""
    return " · ".join(part for part in parts if part)


def upper_first(text: str) -> str:
    """The text with a capital at its start."""
    return text[:1].upper() + text[1:]


def matching_sentence(finding: Finding, entry: Entry) -> str:
    """The sentence of an entry's answer that the question is nearest to, as the answer has it; empty if there is none."""
    nearest = _MARK.sub("", finding.evidence.sentence)
    if not nearest:
        return ""
    quotable = (text for part in prose(answer_blocks(entry.answer, entry.answer_format)) for text in sentences(part))
    found = next((text for text in quotable if len(text) <= LONGEST_QUOTED and clean(text) == nearest), "")
    return found if len(found.split()) >= SHORTEST_QUOTED and not found.endswith(":") else ""


LONGEST_QUOTED = 300
"""Characters of a sentence that is quoted above its answer; a longer one is no short answer."""
SHORTEST_QUOTED = 5
"""Words of such a sentence: "name the lamp", an item of a list, says nothing by itself."""
_MARK = re.compile(r"^(?:-|\d{1,9}\.) +|^“|”$")
"""The mark of a list's item, or of a quote, around a sentence of an answer's plain text."""


def first_sentence(entry: Entry) -> str:
    """The first sentence of an entry's answer."""
    quotable = (text for part in prose(answer_blocks(entry.answer, entry.answer_format)) for text in sentences(part))
    return next(quotable, "")
