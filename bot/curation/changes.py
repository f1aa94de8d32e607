"""Changes: a workspace's curated edits, laid over a pack."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache

from bot.model import CURATED, Change, Entry, Group, Knowledge
from bot.text import words


def apply_changes(knowledge: Knowledge, changes: Sequence[Change]) -> Knowledge:
    """The pack with the changes made to it, in their order. A change about an entry that is gone changes nothing.

    A phrasing belongs to whom a curator gave it last: whatever else asks or refuses it no longer does.
    """
    made = [change for change in changes if change.kind != "ignore"]
    if not made:
        return knowledge
    laid = _Laying.over(knowledge)
    for change in made:
        laid.lay(change)
    return replace(
        knowledge,
        entries=tuple(laid.entries.values()),
        groups=tuple(laid.groups),
        by_id=laid.entries,
        strangers=replace(knowledge.strangers, asks=tuple(dict.fromkeys(laid.strangers))),
        fingerprint=_fingerprint(knowledge, made),
    )


@dataclass(slots=True)
class _Laying:
    """A pack while changes are made to it."""

    entries: dict[str, Entry]
    groups: list[Group]
    strangers: list[str]
    everywhere: set[str]
    """All that is asked or refused anywhere, by its words."""

    @classmethod
    def over(cls, knowledge: Knowledge) -> _Laying:
        entries = {entry.id: entry for entry in knowledge.entries}
        return cls(entries, list(knowledge.groups), list(knowledge.strangers.asks), _keys(knowledge))

    def lay(self, change: Change) -> None:
        entry = self.entries.get(change.entry)
        match change.kind:
            case "entry":
                self.entries.setdefault(change.entry, _entry(change))
                self._take(change.asks, change.entry)
            case "ask" if entry is not None:
                self._take(change.phrasings, entry.id)
                entry = self.entries[entry.id]
                self.entries[entry.id] = replace(entry, asks=_with(entry.asks, change.text))
            case "not_ask":
                self._take(change.phrasings, "")
                if entry is None:
                    self.strangers.append(change.text)
                else:
                    entry = self.entries[entry.id]
                    self.entries[entry.id] = replace(entry, not_asks=_with(entry.not_asks, change.text))

    def _take(self, phrasings: Sequence[str], keeper: str) -> None:
        """From whatever else asks or refuses them: the curator has decided."""
        taken = frozenset(map(_key, phrasings))
        fresh = self.everywhere.isdisjoint(taken)
        self.everywhere |= taken
        if fresh:  # most are: they were missed
            return
        self.strangers = list(_without(self.strangers, taken))
        self.groups = [_group_without(group, taken) for group in self.groups]
        for entry in list(self.entries.values()):
            self.entries[entry.id] = _entry_without(entry, taken, keeps_asks=entry.id == keeper)


def settled(changes: Sequence[Change]) -> frozenset[str]:
    """The words of every miss that an active change deals with."""
    return frozenset(_key(phrasing) for change in changes for phrasing in change.phrasings)


def is_settled(text: str, by: frozenset[str]) -> bool:
    """Whether a miss is among those that `settled` found."""
    return _key(text) in by


def _keys(knowledge: Knowledge) -> set[str]:
    """All that is asked or refused anywhere in the pack."""
    asked = [*knowledge.strangers.asks]
    for entry in knowledge.entries:
        asked += [*entry.asks, *entry.not_asks]
    for group in knowledge.groups:
        asked += [*group.list_asks, *group.pick_asks, *group.not_asks]
    return set(map(_key, asked))


def _without(phrasings: Sequence[str], taken: frozenset[str]) -> tuple[str, ...]:
    return tuple(phrasing for phrasing in phrasings if _key(phrasing) not in taken)


def _entry_without(entry: Entry, taken: frozenset[str], keeps_asks: bool) -> Entry:
    asks = entry.asks if keeps_asks else _without(entry.asks, taken)
    not_asks = _without(entry.not_asks, taken)
    return replace(entry, asks=asks, not_asks=not_asks) if (asks, not_asks) != (entry.asks, entry.not_asks) else entry


def _group_without(group: Group, taken: frozenset[str]) -> Group:
    kept = [_without(phrasings, taken) for phrasings in (group.list_asks, group.pick_asks, group.not_asks)]
    return replace(group, list_asks=kept[0], pick_asks=kept[1], not_asks=kept[2])


def _entry(change: Change) -> Entry:
    asks = tuple(dict.fromkeys(change.asks))
    return Entry(id=change.entry, title=change.title, answer=change.answer, asks=asks, file=CURATED, line=1)


def _with(phrasings: tuple[str, ...], text: str) -> tuple[str, ...]:
    return phrasings if _key(text) in map(_key, phrasings) else (*phrasings, text)


@lru_cache(maxsize=32_768)  # each edit looks through the whole pack, and the next answer waits for it
def _key(text: str) -> str:
    return " ".join(words(text))


def _fingerprint(knowledge: Knowledge, changes: Sequence[Change]) -> str:
    """Differs with the pack and with what the changes say; not with who made them, or when."""
    said = [{**asdict(change), "id": "", "batch": "", "by": "", "at": 0} for change in changes]
    return hashlib.sha256(f"{knowledge.fingerprint}\0{json.dumps(said)}".encode()).hexdigest()
