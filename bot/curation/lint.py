"""Lint: what a loaded pack gets wrong in meaning, as faults with file and line. The form is checked when it loads."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping

from bot.curation.source_locations import STRANGERS, SourceLocations, key, label, phrasings
from bot.knowledge import Fault
from bot.match import Matcher
from bot.match.english import english
from bot.match.targets import Target
from bot.model import Entry, Knowledge, Library
from bot.text import words

FEWEST_PHRASINGS = 8
"""Phrasings under which an entry is hard to find: with five an entry 66 % are found, with ten 76 %, with a hundred 93 %."""


def lint(knowledge: Knowledge, places: SourceLocations | None = None) -> list[Fault]:
    """Faults and advice about a pack that loads, in file order."""
    where = places or SourceLocations(owners={entry.id: (entry.file, entry.line) for entry in knowledge.entries})
    owners: dict[str, Target] = {}
    for phrasing, target in phrasings(knowledge):
        owners.setdefault(key(phrasing), target)
    found = {*_shared(knowledge, owners, where), *_covered(knowledge, owners, where), *_refused(knowledge, where)}
    return sorted(found | {*_few(knowledge), *_ordinary(knowledge), *_cards(knowledge), *_early(knowledge)})


def unreached(matcher: Matcher) -> list[Fault]:
    """Entries that their own title doesn't find."""
    return [fault for entry in matcher.knowledge.entries for fault in _unreached(matcher, entry)]


def _unreached(matcher: Matcher, entry: Entry) -> Iterable[Fault]:
    found = matcher.find(entry.title)
    if found.kind == entry.kind and found.ids == (entry.id,):
        return
    instead = " ".join(found.ids) or f"nothing ({found.kind})"
    text = f"can't be reached: its title '{entry.title}' finds {instead}; give it a title that nothing else claims"
    yield _fault(entry, text)


def _shared(knowledge: Knowledge, owners: Mapping[str, Target], places: SourceLocations) -> Iterable[Fault]:
    """A phrasing under two entries or groups: whoever asks it can only get one of them."""
    for phrasing, target in phrasings(knowledge):
        first = owners[key(phrasing)]
        if first != target:
            where = f"{label(first)} ({_place(knowledge, first, phrasing, places)})"
            text = f"'{key(phrasing)}' also stands under {where}; keep it where it belongs"
            if target.kind == "entry":
                yield _fault(knowledge.by_id[target.id], text)
            else:
                file, line = places.of(target.id, phrasing)
                yield Fault(file or "groups.yaml", line or 1, label(target), text, refuses=False)


def _covered(knowledge: Knowledge, owners: Mapping[str, Target], places: SourceLocations) -> Iterable[Fault]:
    """A listed stranger that is a phrasing: it is answered, whatever strangers.yaml says."""
    for phrasing in knowledge.strangers.asks:
        target = owners.get(key(phrasing))
        if target is not None:
            where = f"{label(target)} ({_place(knowledge, target, phrasing, places)})"
            line = places.of(STRANGERS, phrasing)[1] or 1
            text = f"'{phrasing}' also stands under {where}; it is covered or it isn't, keep one"
            yield Fault(STRANGERS, line, "", text, refuses=False)


def _place(knowledge: Knowledge, target: Target, phrasing: str, places: SourceLocations) -> str:
    """Where an entry starts; where the phrasing of a group stands, because a group is long."""
    if target.kind == "entry":
        entry = knowledge.by_id[target.id]
        return f"{entry.file}:{entry.line}"
    file, line = places.of(target.id, phrasing)
    return f"{file or 'groups.yaml'}:{line or 1}"


def _refused(knowledge: Knowledge, places: SourceLocations) -> Iterable[Fault]:
    for entry in knowledge.entries:
        asks = set(map(key, entry.asks))
        for phrasing in entry.not_asks:
            if key(phrasing) in asks:
                yield _fault(entry, f"'{phrasing}' stands in asks and in not_asks; take it out of one")
    for group in knowledge.groups:
        asks = {*map(key, group.list_asks), *map(key, group.pick_asks)}
        for phrasing in group.not_asks:
            if key(phrasing) in asks:
                file, line = places.of(group.id, phrasing)
                text = f"'{phrasing}' stands in not_asks and among what finds the group; take it out of one"
                yield Fault(file or "groups.yaml", line or 1, group.id, text, refuses=False)


def _few(knowledge: Knowledge) -> Iterable[Fault]:
    for entry in knowledge.entries:
        count = len(set(map(key, entry.asks)))
        if count < FEWEST_PHRASINGS:
            text = f"has {count} phrasing{'s' if count != 1 else ''}; {FEWEST_PHRASINGS} or more make it easier to find"
            yield _fault(entry, text, advice=True)


def _ordinary(knowledge: Knowledge) -> Iterable[Fault]:
    """A card with an everyday word for a name needs examples of that word's everyday sense."""
    for entry in knowledge.entries:
        if isinstance(entry, Library) and not entry.not_asks:
            name = words(entry.name)
            if len(name) == 1 and name[0] in english():
                text = f"'{entry.name}' is an ordinary word too; add not_asks that mean the word and not the library"
                yield _fault(entry, text, advice=True)


def _cards(knowledge: Knowledge) -> Iterable[Fault]:
    groups = {group.id for group in knowledge.groups}
    for entry in knowledge.entries:
        if isinstance(entry, Library):
            for twice in set(entry.capabilities) & set(entry.also) & groups:
                yield _fault(entry, f"'{twice}' stands in capabilities and in also; keep one")


def _early(knowledge: Knowledge) -> Iterable[Fault]:
    """A note with a day that hasn't come, not even where the day begins first."""
    tomorrow = (dt.datetime.now(tz=dt.UTC) + dt.timedelta(days=1)).date().isoformat()
    for entry in knowledge.entries:
        for note in entry.notes:
            if note.date > tomorrow:
                yield _fault(
                    entry, f"a note is dated {note.date}, which is still to come; correct the date", advice=True
                )


def _fault(entry: Entry, text: str, advice: bool = False) -> Fault:
    return Fault(entry.file, entry.line, entry.id, text, refuses=False, advice=advice)
