"""Changes: a workspace's curated edits, laid over a pack."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import lru_cache

from bot.model import CURATED, Change, Entry, Group, Knowledge
from bot.text import words


def laid_over(knowledge: Knowledge, changes: Sequence[Change]) -> Knowledge:
    """The pack with the changes made to it, in their order. A change about an entry that is gone changes nothing.

    A phrasing belongs to whom a curator gave it last: whatever else asks or refuses it no longer does.
    """
    made = [change for change in changes if change.kind != "ignore"]
    if not made:
        return knowledge
    entries = {entry.id: entry for entry in knowledge.entries}
    groups, strangers = list(knowledge.groups), list(knowledge.strangers.asks)

    everywhere = _keys(knowledge)

    def take(phrasings: Sequence[str], keeper: str) -> None:
        """From whatever else asks or refuses them: the curator has decided."""
        taken = frozenset(map(_key, phrasings))
        fresh = everywhere.isdisjoint(taken)
        everywhere.update(taken)
        if fresh:  # most are: they were missed
            return
        strangers[:] = _without(strangers, taken)
        groups[:] = [_group_without(group, taken) for group in groups]
        for entry in list(entries.values()):
            entries[entry.id] = _entry_without(entry, taken, keeps_asks=entry.id == keeper)

    for change in made:
        match change.kind:
            case "entry":
                entries.setdefault(change.entry, _entry(change))
                take(change.asks, change.entry)
            case "ask" if change.entry in entries:
                take(change.phrasings, change.entry)
                entry = entries[change.entry]
                entries[entry.id] = replace(entry, asks=_with(entry.asks, change.text))
            case "not_ask":
                take(change.phrasings, "")
                if change.entry in entries:
                    entry = entries[change.entry]
                    entries[entry.id] = replace(entry, not_asks=_with(entry.not_asks, change.text))
                else:
                    strangers.append(change.text)
    return replace(
        knowledge,
        entries=tuple(entries.values()),
        groups=tuple(groups),
        by_id=entries,
        strangers=replace(knowledge.strangers, asks=tuple(dict.fromkeys(strangers))),
        fingerprint=_fingerprint(knowledge, made),
    )


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
