"""Lint: what a loaded pack gets wrong in meaning, as faults with file and line. The form is checked when it loads."""

from __future__ import annotations

from collections.abc import Iterable

from bot.knowledge import Fault
from bot.model import Entry, Knowledge, Library
from bot.text import words

FEWEST_PHRASINGS = 8
"""Phrasings under which an entry is hard to find: with five an entry 66 % are found, with ten 76 %, with a hundred 93 %."""


def lint(knowledge: Knowledge) -> list[Fault]:
    """Faults and advice about a pack that loads, in file order."""
    return sorted({*_shared(knowledge), *_refused(knowledge), *_few(knowledge), *_cards(knowledge)})


def _key(phrasing: str) -> str:
    return " ".join(words(phrasing))


def _shared(knowledge: Knowledge) -> Iterable[Fault]:
    """A phrasing under two entries: whoever asks it can only get one of them."""
    owners: dict[str, Entry] = {}
    for entry in knowledge.entries:
        for phrasing in dict.fromkeys(map(_key, (*entry.asks, entry.title))):
            first = owners.setdefault(phrasing, entry)
            if first is not entry:
                where = f"{first.id} ({first.file}:{first.line})"
                yield _fault(entry, f"'{phrasing}' also stands under {where}; keep it where it belongs")


def _refused(knowledge: Knowledge) -> Iterable[Fault]:
    for entry in knowledge.entries:
        asks = set(map(_key, entry.asks))
        for phrasing in entry.not_asks:
            if _key(phrasing) in asks:
                yield _fault(entry, f"'{phrasing}' stands in asks and in not_asks; take it out of one")


def _few(knowledge: Knowledge) -> Iterable[Fault]:
    for entry in knowledge.entries:
        count = len(set(map(_key, entry.asks)))
        if count < FEWEST_PHRASINGS:
            text = f"has {count} phrasing{'s' if count != 1 else ''}; {FEWEST_PHRASINGS} or more make it easier to find"
            yield _fault(entry, text, advice=True)


def _cards(knowledge: Knowledge) -> Iterable[Fault]:
    groups = {group.id for group in knowledge.groups}
    for entry in knowledge.entries:
        if isinstance(entry, Library):
            for twice in set(entry.capabilities) & set(entry.also) & groups:
                yield _fault(entry, f"'{twice}' stands in capabilities and in also; keep one")


def _fault(entry: Entry, text: str, advice: bool = False) -> Fault:
    return Fault(entry.file, entry.line, entry.id, text, refuses=False, advice=advice)
