"""Lint: mistakes of meaning in a pack that loads, as faults with file and line. `bot.knowledge` checks the form."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping

from bot.curation.freshness import due_entries
from bot.curation.source_locations import SourceLocations, label, phrasings
from bot.knowledge import Fault
from bot.knowledge.files import OUT_OF_SCOPE_FILE
from bot.model import ANSWER_ADVICE, ANSWER_SHOWN, Entry, Knowledge, Library
from bot.retrieval.english import english
from bot.text import normalize_phrase, words
from bot.understanding import Matcher
from bot.understanding.targets import Target

FEWEST_PHRASINGS = 8
"""Phrasings below which an entry is hard to find: with five an entry 66 % are found, with ten 76 %, with a hundred 93 %."""


def lint(knowledge: Knowledge, locations: SourceLocations | None = None, today: dt.date | None = None) -> list[Fault]:
    """Faults and advice about a pack that loads.

    Args:
        knowledge: The pack.
        locations: Where its texts stand; without it, faults about phrasings have the line of their entry.
        today: The day in UTC; today if it isn't given.

    Returns:
        The faults, in file order.
    """
    today = today or dt.datetime.now(dt.UTC).date()
    known = locations or SourceLocations(owners={entry.id: (entry.file, entry.line) for entry in knowledge.entries})
    asked = phrasings(knowledge)
    owners: dict[str, Target] = {}
    for phrasing, target in asked:
        owners.setdefault(normalize_phrase(phrasing), target)
    faults = {*_shared(knowledge, asked, owners, known), *_answered_out_of_scope(knowledge, owners, known)}
    faults |= {*_contradicting_not_asks(knowledge, known), *_few_phrasings(knowledge), *_ordinary_names(knowledge)}
    faults |= {
        *_long_answers(knowledge, known),
        *_empty_answers(knowledge, known),
        *_unreadable_phrasings(knowledge, known),
    }
    faults |= {*_repeated_groups(knowledge), *_future_dates(knowledge, today)}
    return sorted(faults | {*_reversed_dates(knowledge, known), *_due(knowledge, known, today)})


def unreached(matcher: Matcher) -> list[Fault]:
    """Entries that their own title doesn't find."""
    return [fault for entry in matcher.knowledge.entries for fault in _unreached(matcher, entry)]


def _unreached(matcher: Matcher, entry: Entry) -> Iterable[Fault]:
    finding = matcher.find(entry.title)
    if finding.kind == entry.kind and finding.ids == (entry.id,):
        return
    result = " ".join(finding.ids) or f"nothing ({finding.kind})"
    text = f"can't be reached: its title '{entry.title}' finds {result}; give it a title that nothing else claims"
    yield _fault(entry, text)


def _shared(
    knowledge: Knowledge,
    asked: Iterable[tuple[str, Target]],
    owners: Mapping[str, Target],
    locations: SourceLocations,
) -> Iterable[Fault]:
    """A phrasing under two entries or groups: whoever asks it can only get one of them."""
    for phrasing, target in asked:
        first = owners[normalize_phrase(phrasing)]
        if first != target:
            owner = f"{label(first)} ({_location(knowledge, first, phrasing, locations)})"
            text = f"'{normalize_phrase(phrasing)}' also stands under {owner}; keep it where it belongs"
            if target.kind == "entry":
                yield _fault(knowledge.by_id[target.id], text)
            else:
                file, line = locations.of(target.id, phrasing)
                yield Fault(file or GROUPS_FILE, line or 1, label(target), text, refuses=False)


def _answered_out_of_scope(
    knowledge: Knowledge, owners: Mapping[str, Target], locations: SourceLocations
) -> Iterable[Fault]:
    """A question listed as out of scope that is a phrasing too: it is answered all the same."""
    for phrasing in knowledge.out_of_scope.asks:
        target = owners.get(normalize_phrase(phrasing))
        if target is not None:
            owner = f"{label(target)} ({_location(knowledge, target, phrasing, locations)})"
            file, line = locations.of(OUT_OF_SCOPE_FILE, phrasing)
            text = f"'{phrasing}' also stands under {owner}; it is covered or it isn't, keep one"
            yield Fault(file or OUT_OF_SCOPE_FILE, line or 1, "", text, refuses=False)


def _location(knowledge: Knowledge, target: Target, phrasing: str, locations: SourceLocations) -> str:
    """`file:line` of an entry's start; for a group, which may be long, of the phrasing itself."""
    if target.kind == "entry":
        entry = knowledge.by_id[target.id]
        return f"{entry.file}:{entry.line}"
    file, line = locations.of(target.id, phrasing)
    return f"{file or GROUPS_FILE}:{line or 1}"


def _contradicting_not_asks(knowledge: Knowledge, locations: SourceLocations) -> Iterable[Fault]:
    for entry in knowledge.entries:
        asks = set(map(normalize_phrase, entry.asks))
        for phrasing in entry.not_asks:
            if normalize_phrase(phrasing) in asks:
                yield _fault(entry, f"'{phrasing}' stands in asks and in not_asks; take it out of one")
    for group in knowledge.groups:
        asks = {*map(normalize_phrase, group.list_asks), *map(normalize_phrase, group.pick_asks)}
        for phrasing in group.not_asks:
            if normalize_phrase(phrasing) in asks:
                file, line = locations.of(group.id, phrasing)
                text = f"'{phrasing}' stands in not_asks and among what finds the group; take it out of one"
                yield Fault(file or GROUPS_FILE, line or 1, group.id, text, refuses=False)


def _few_phrasings(knowledge: Knowledge) -> Iterable[Fault]:
    for entry in knowledge.entries:
        count = len(set(map(normalize_phrase, entry.asks)))
        if count < FEWEST_PHRASINGS:
            has = f"has {count} phrasing{'s' if count != 1 else ''}"
            text = f"{has}; add the words in which people really ask, {FEWEST_PHRASINGS} phrasings or more an entry"
            yield _fault(entry, text, advice=True)


def _long_answers(knowledge: Knowledge, locations: SourceLocations) -> Iterable[Fault]:
    for entry in knowledge.entries:
        length = len(entry.answer)
        if length > ANSWER_SHOWN:
            text = f"answer has {length:,} characters, and only the first {ANSWER_SHOWN:,} are shown; split the entry"
        elif length > ANSWER_ADVICE:
            text = f"answer has {length:,} characters, and is sent in parts; shorten it if it can be"
        else:
            continue
        file, line = locations.fields.get((entry.id, "answer"), (entry.file, entry.line))
        yield Fault(file, line, entry.id, text, refuses=False, advice=True)


def _empty_answers(knowledge: Knowledge, locations: SourceLocations) -> Iterable[Fault]:
    """Answers in which there is nothing to read once they are read as Markdown: a rule, an address without a text."""
    for entry in knowledge.entries:
        if not entry.plain_answer.strip():
            file, line = locations.fields.get((entry.id, "answer"), (entry.file, entry.line))
            yield Fault(
                file, line, entry.id, "answer shows nothing: as Markdown it has no text; write some", refuses=False
            )


def _unreadable_phrasings(knowledge: Knowledge, locations: SourceLocations) -> Iterable[Fault]:
    """Phrasings of which nothing is left once links, mentions and emoji are taken out, as they are of questions."""
    for entry in knowledge.entries:
        for phrasing in (*entry.asks, *entry.not_asks):
            if not normalize_phrase(phrasing):
                file, line = locations.of(entry.id, phrasing)
                text = f"'{phrasing}' has no words, so that nothing finds it; write what people ask, or take it out"
                yield Fault(file or entry.file, line or entry.line, entry.id, text, refuses=False, advice=True)


def _ordinary_names(knowledge: Knowledge) -> Iterable[Fault]:
    """A card whose name is an ordinary word needs examples of that word's ordinary meaning."""
    for entry in knowledge.entries:
        if isinstance(entry, Library) and not entry.not_asks:
            name = words(entry.name)
            if len(name) == 1 and name[0] in english():
                text = f"'{entry.name}' is an ordinary word too; add not_asks that mean the word and not the library"
                yield _fault(entry, text, advice=True)


def _repeated_groups(knowledge: Knowledge) -> Iterable[Fault]:
    groups = {group.id for group in knowledge.groups}
    for entry in knowledge.entries:
        if isinstance(entry, Library):
            for group in set(entry.capabilities) & set(entry.also) & groups:
                yield _fault(entry, f"'{group}' stands in capabilities and in also; keep one")


def _future_dates(knowledge: Knowledge, today: dt.date) -> Iterable[Fault]:
    """A note or a check dated later than tomorrow in UTC, which is a day that has begun in no time zone."""
    tomorrow = (today + dt.timedelta(days=1)).isoformat()
    for entry in knowledge.entries:
        if entry.reviewed > tomorrow:
            yield _fault(entry, f"reviewed is {entry.reviewed}, which is still to come; correct the date", advice=True)
        for note in entry.notes:
            if note.date > tomorrow:
                yield _fault(
                    entry, f"a note is dated {note.date}, which is still to come; correct the date", advice=True
                )


def _reversed_dates(knowledge: Knowledge, locations: SourceLocations) -> Iterable[Fault]:
    for entry in knowledge.entries:
        if "" < entry.review_by < entry.reviewed:
            file, line = locations.fields.get((entry.id, "review_by"), (entry.file, entry.line))
            text = f"review_by {entry.review_by} is before reviewed {entry.reviewed}; correct one of the two"
            yield Fault(file, line, entry.id, text, refuses=False)


def _due(knowledge: Knowledge, locations: SourceLocations, today: dt.date) -> Iterable[Fault]:
    """Entries that have to be checked, or soon will."""
    for due in due_entries(knowledge, today):
        entry = due.entry
        file, line = locations.fields.get((entry.id, "review_by"), (entry.file, entry.line))
        when = f"{'was' if due.is_past else 'is'} to be checked by {entry.review_by}"
        owner = f", owner: {entry.owner}" if entry.owner else ""
        text = f"{when}{owner}; see whether it is still right, and set reviewed and review_by anew"
        yield Fault(file, line, entry.id, text, refuses=False, advice=True)


def _fault(entry: Entry, text: str, advice: bool = False) -> Fault:
    return Fault(entry.file, entry.line, entry.id, text, refuses=False, advice=advice)


GROUPS_FILE = "groups.yaml"
