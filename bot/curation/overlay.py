"""A workspace's curated changes, applied to a pack."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from bot.curation.freshness import with_review
from bot.model import CURATED, Change, Entry, Group, Knowledge, OutOfScope, Source
from bot.text import normalize_phrase, without_control_characters
from bot.understanding import Matcher


def apply_changes(knowledge: Knowledge, changes: Sequence[Change], phrases: frozenset[str] | None = None) -> Knowledge:
    """The pack with the changes made to it, in their order. A change about an entry that is gone changes nothing.

    A phrasing belongs to the entry that a curator gave it to last: it is removed from everything else that asks or refuses it.

    Args:
        knowledge: The pack.
        changes: A workspace's active changes, oldest first.
        phrases: `pack_phrases` of the pack, where the caller has them.

    Returns:
        The changed pack, with a fingerprint of its own unless only dates differ; the pack itself where there is nothing to
        change.
    """
    effective = [_cleaned(change) for change in changes if change.kind != "ignore"]
    if not effective:
        return knowledge
    pack = _EditablePack.from_knowledge(knowledge, phrases)
    for change in effective:
        pack.apply(change)
    return replace(
        knowledge,
        entries=tuple(pack.entries.values()),
        groups=tuple(pack.groups),
        by_id=pack.entries,
        out_of_scope=_with_asks(knowledge.out_of_scope, tuple(dict.fromkeys(pack.out_of_scope))),
        fingerprint=_fingerprint(knowledge, effective),
    )


@dataclass(slots=True)
class _EditablePack:
    """A pack while changes are made to it."""

    entries: dict[str, Entry]
    groups: list[Group]
    out_of_scope: list[str]
    phrases: frozenset[str]
    """Everything that is asked or refused anywhere in the pack before the changes, normalized."""
    added: set[str]
    """What the changes ask or refuse, normalized."""

    @classmethod
    def from_knowledge(cls, knowledge: Knowledge, phrases: frozenset[str] | None) -> _EditablePack:
        entries = {entry.id: entry for entry in knowledge.entries}
        out_of_scope = list(knowledge.out_of_scope.asks)
        phrases = pack_phrases(knowledge) if phrases is None else phrases
        return cls(entries, list(knowledge.groups), out_of_scope, phrases, set())

    def apply(self, change: Change) -> None:
        entry = self.entries.get(change.entry)
        match change.kind:
            case "entry":
                self.entries.setdefault(change.entry, _entry(change))
                self._remove_elsewhere(change.asks, change.entry)
            case "ask" | "not_ask" if not normalize_phrase(change.text):
                pass  # nobody can ask it
            case "ask" if entry is not None:
                self._remove_elsewhere(change.phrasings, entry.id)
                entry = self.entries[entry.id]
                self.entries[entry.id] = replace(entry, asks=_with(entry.asks, change.text))
            case "not_ask":
                self._remove_elsewhere(change.phrasings, "")
                if entry is None:
                    self.out_of_scope.append(change.text)
                else:
                    entry = self.entries[entry.id]
                    self.entries[entry.id] = replace(entry, not_asks=_with(entry.not_asks, change.text))
            case "review" if entry is not None:
                self.entries[entry.id] = with_review(entry, change.text)

    def _remove_elsewhere(self, phrasings: Sequence[str], owner: str) -> None:
        """Remove the phrasings from everything that asks or refuses them, but from what the entry `owner` asks."""
        removed = frozenset(map(normalize_phrase, phrasings))
        are_new = self.phrases.isdisjoint(removed) and self.added.isdisjoint(removed)
        self.added |= removed
        if are_new:  # most are: they were missed
            return
        self.out_of_scope = list(_without(self.out_of_scope, removed))
        self.groups = [_group_without(group, removed) for group in self.groups]
        for entry in list(self.entries.values()):
            self.entries[entry.id] = _entry_without(entry, removed, keeps_asks=entry.id == owner)


def with_exact_phrases(base: Matcher, knowledge: Knowledge, changes: Sequence[Change]) -> Matcher:
    """The matcher of the pack `knowledge`, which is `base`'s with these changes, without an index of its own.

    It knows the changes' phrasings word for word; of two changes that say the same, the later counts.
    """
    last: dict[str, tuple[str, str]] = {}
    for change in changes:
        entry_id = change.entry if change.kind in ("ask", "entry") else ""
        if change.kind != "ignore":
            last |= dict.fromkeys(change.phrasings, (change.kind, entry_id))
    titles = [(change.title, change.entry) for change in changes if change.kind == "entry"]
    asks = [(text, entry) for text, (_, entry) in last.items() if entry in knowledge.by_id]
    refused = [text for text, (kind, _) in last.items() if kind == "not_ask"]
    return base.with_exact_phrases(knowledge, [*titles, *asks], refused)


def wants_index(changes: Sequence[Change], index_from: int) -> bool:
    """Whether there are enough changes for an index of their own."""
    return sum(change.kind not in ("ignore", "review") for change in changes) >= index_from


def settled(changes: Sequence[Change]) -> frozenset[str]:
    """The normalized phrasings that active changes deal with."""
    return frozenset(normalize_phrase(phrasing) for change in changes for phrasing in change.phrasings)


def is_settled(text: str, by: frozenset[str]) -> bool:
    """Whether a miss with this text is among the phrasings that `settled` returned."""
    return normalize_phrase(text) in by


def pack_phrases(knowledge: Knowledge) -> frozenset[str]:
    """Everything that is asked or refused anywhere in the pack, normalized."""
    phrasings = [*knowledge.out_of_scope.asks]
    for entry in knowledge.entries:
        phrasings += [*entry.asks, *entry.not_asks]
    for group in knowledge.groups:
        phrasings += [*group.list_asks, *group.pick_asks, *group.not_asks]
    return frozenset(map(normalize_phrase, phrasings))


def _with_asks(out_of_scope: OutOfScope, asks: tuple[str, ...]) -> OutOfScope:
    return out_of_scope if asks == out_of_scope.asks else replace(out_of_scope, asks=asks)


def _without(phrasings: Sequence[str], removed: frozenset[str]) -> tuple[str, ...]:
    return tuple(phrasing for phrasing in phrasings if normalize_phrase(phrasing) not in removed)


def _entry_without(entry: Entry, removed: frozenset[str], keeps_asks: bool) -> Entry:
    asks = entry.asks if keeps_asks else _without(entry.asks, removed)
    not_asks = _without(entry.not_asks, removed)
    return replace(entry, asks=asks, not_asks=not_asks) if (asks, not_asks) != (entry.asks, entry.not_asks) else entry


def _group_without(group: Group, removed: frozenset[str]) -> Group:
    return replace(
        group,
        list_asks=_without(group.list_asks, removed),
        pick_asks=_without(group.pick_asks, removed),
        not_asks=_without(group.not_asks, removed),
    )


def _cleaned(change: Change) -> Change:
    """The change without control characters in its texts: an earlier release stored them as they were typed."""
    texts = (change.text, change.title, change.answer, *change.asks)
    text, title, answer, *asks = map(without_control_characters, texts)
    return replace(change, text=text, title=title, answer=answer, asks=tuple(filter(None, asks)))


def _entry(change: Change) -> Entry:
    asks = tuple(dict.fromkeys(change.asks))
    return Entry(
        id=change.entry,
        title=change.title,
        answer=change.answer,
        answer_format=change.answer_format,
        asks=asks,
        source=message_source(change.source_date, change.source_url),
        file=CURATED,
        line=1,
    )


def message_source(date: str, url: str) -> Source | None:
    """The source of an entry that was made from a Slack message of an ISO date; None if it was made from none."""
    return Source(title="Slack", date=date, url=url) if date else None


def _with(phrasings: tuple[str, ...], text: str) -> tuple[str, ...]:
    return phrasings if normalize_phrase(text) in map(normalize_phrase, phrasings) else (*phrasings, text)


def _fingerprint(knowledge: Knowledge, changes: Sequence[Change]) -> str:
    """SHA-256 of the pack's fingerprint and of what the changes change, whoever made them and whenever.

    Confirmations have no part in it: no index depends on an entry's dates.
    """
    changes = [change for change in changes if change.kind != "review"]
    if not changes:
        return knowledge.fingerprint
    contents = [{**asdict(change), "id": "", "batch": "", "by": "", "at": 0} for change in changes]
    return hashlib.sha256(f"{knowledge.fingerprint}\0{json.dumps(contents)}".encode()).hexdigest()
