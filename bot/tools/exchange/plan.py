"""What a pack's files lack of a workspace's curated changes: the lists that differ once the changes are laid over it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from bot.curation.changes import apply_changes
from bot.curation.source_locations import STRANGERS, key
from bot.model import Change, Entry, Group, Knowledge
from bot.tools.exchange.sheet import Amendment

GROUPS = "groups.yaml"
GROUP_FIELDS = ("list_asks", "pick_asks", "not_asks")


@dataclass(frozen=True, slots=True)
class Plan:
    """What happens to each file's lists, the entries that are new, and what becomes of the changes."""

    lists: tuple[tuple[str, str, Amendment], ...]
    """The file, the id of the entry or group (none for the strangers), and what is done to one of its lists."""
    entries: tuple[Entry, ...]
    exported: int
    left: tuple[str, ...]
    faults: tuple[str, ...]


def planned(knowledge: Knowledge, changes: Sequence[Change]) -> Plan:
    """What has to be written so that the files say what the changes say."""
    made = [_tidy(change) for change in changes]
    after = apply_changes(knowledge, made)
    lists = [*_entries(knowledge, after), *_groups(knowledge, after)]
    strangers = _difference(knowledge.strangers.asks, after.strangers.asks, "asks")
    if strangers:
        lists.append((STRANGERS, "", strangers))
    fates = Counter(_fate(change, knowledge, after) for change in made)
    return Plan(
        tuple(lists),
        tuple(entry for entry in after.entries if entry.id not in knowledge.by_id),
        fates["exported"],
        tuple(_left(fates, made, knowledge)),
        tuple(_lost(change) for change in made if _fate(change, knowledge, after) == "lost"),
    )


def _tidy(change: Change) -> Change:
    """With its texts as the pack's reader would give them back."""
    return replace(
        change,
        text=_clean(change.text),
        title=" ".join(_clean(change.title).split()),
        answer=_clean(change.answer),
        asks=tuple(text for text in map(_clean, change.asks) if text),
    )


def _clean(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").encode("utf-8", "replace").decode().strip()


# --- lists


def _entries(knowledge: Knowledge, after: Knowledge) -> Iterator[tuple[str, str, Amendment]]:
    for old in knowledge.entries:
        new = after.by_id[old.id]
        for field, before, now in (("asks", old.asks, new.asks), ("not_asks", old.not_asks, new.not_asks)):
            # An entry needs a phrasing; where its last one goes elsewhere it stays, and the check says so.
            wanted = _difference(before, now or before, field) if field == "asks" else _difference(before, now, field)
            if wanted:
                yield old.file, old.id, wanted


def _groups(knowledge: Knowledge, after: Knowledge) -> Iterator[tuple[str, str, Amendment]]:
    for old, new in zip(knowledge.groups, after.groups, strict=True):
        for field, before, now in zip(GROUP_FIELDS, _fields(old), _fields(new), strict=True):
            wanted = _difference(before, now, field)
            if wanted:
                yield GROUPS, old.id, wanted


def _fields(group: Group) -> tuple[tuple[str, ...], ...]:
    return group.list_asks, group.pick_asks, group.not_asks


def _difference(before: Sequence[str], now: Sequence[str], field: str) -> Amendment | None:
    """What is new in a list and what has gone, by words: another spelling is no difference."""
    old, new = set(map(key, before)), set(map(key, now))
    add = tuple(text for text in now if key(text) not in old)
    cut = frozenset(number for number, text in enumerate(before) if key(text) not in new)
    return Amendment(field, add, cut) if add or cut else None


# --- what becomes of a change


def _fate(change: Change, knowledge: Knowledge, after: Knowledge) -> str:
    entry, wanted = knowledge.by_id.get(change.entry), key(change.text)
    match change.kind:
        case "ignore":
            return "ignored"
        case "entry":
            return "exported" if entry is None else "there"
        case "ask" if change.entry not in after.by_id:
            return "lost"
        case "ask":
            return "there" if entry is not None and wanted in map(key, entry.asks) else "exported"
        case "not_ask":
            listed = entry.not_asks if entry is not None else knowledge.strangers.asks
            return "there" if wanted in map(key, listed) else "exported"


def _lost(change: Change) -> str:
    return f"'{change.text}' belongs to the entry '{change.entry}', which the pack doesn't have: left out. Undo it."


def _left(fates: Counter[str], changes: Sequence[Change], knowledge: Knowledge) -> Iterator[str]:
    there, ignored = fates["there"], fates["ignored"]
    if there:
        yield f"{count(there, 'change')} {'is' if there == 1 else 'are'} in the pack already."
    if ignored:
        yield f"{count(ignored, 'ignored question')} {'is' if ignored == 1 else 'are'} no part of a pack."
    for change in changes:
        entry = knowledge.by_id.get(change.entry)
        if change.kind == "entry" and entry and (entry.title, entry.answer) != (change.title, change.answer):
            yield f"'{entry.id}' is in the pack with another title or answer ({entry.file}:{entry.line})."


def count(number: int, noun: str) -> str:
    """A number of things, in words that agree."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
