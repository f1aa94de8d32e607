"""Targets: everything that a phrasing can lead to, in one list, so that one index and one gate serve them all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from bot.model import Group, Knowledge, Library
from bot.text import words

TargetKind = Literal["entry", "list", "pick", "talk"]


@dataclass(frozen=True, slots=True)
class Target:
    """An entry, a group (all of it, or a choice from it), or small talk."""

    kind: TargetKind
    id: str

    def __str__(self) -> str:
        return self.id if self.kind == "entry" else f"{self.kind}:{self.id}"


def targets_of(knowledge: Knowledge) -> list[Target]:
    """Every target of a pack, in a fixed order."""
    return (
        [Target("entry", entry.id) for entry in knowledge.entries]
        + [Target("list", group.id) for group in knowledge.groups if group.list_asks]
        + [Target("pick", group.id) for group in knowledge.groups if group.pick_asks]
        + [Target("talk", name) for name, said in knowledge.voice.small_talk.items() if said.asks]
    )


def families_of(knowledge: Knowledge, targets: Sequence[Target]) -> list[int]:
    """A number for each target; the same where they lead to much the same cards.

    All of a group and a choice from it are one family, groups with the same cards too, and a group of one card and that card.
    """
    groups = {group.id: group for group in knowledge.groups}
    numbers: dict[object, int] = {}
    found = []
    for target in targets:
        key: object = target
        if target.kind in ("list", "pick"):
            cards = [card.id for card in knowledge.members(groups[target.id]) if target.id not in card.also]
            key = Target("entry", cards[0]) if len(cards) == 1 else frozenset(cards)
        found.append(numbers.setdefault(key, len(numbers)))
    return found


def phrasings_of(knowledge: Knowledge, targets: Sequence[Target]) -> Iterable[tuple[str, int]]:
    """Every phrasing and its target's number; a pack's own win over small talk that says the same."""
    groups = {group.id: group for group in knowledge.groups}
    taken: set[str] = set()
    for number, target in enumerate(targets):
        for text in _asks(knowledge, groups, target):
            key = " ".join(words(text))
            if target.kind != "talk" or key not in taken:
                taken.add(key)
                yield text, number


def _asks(knowledge: Knowledge, groups: dict[str, Group], target: Target) -> Iterable[str]:
    match target.kind:
        case "entry":
            entry = knowledge.by_id[target.id]
            yield entry.title
            yield from entry.asks
            if isinstance(entry, Library):
                yield f"What is {entry.name}?"  # what a button that opens the card asks
                yield from entry.aliases
        case "list":
            yield from groups[target.id].list_asks
        case "pick":
            yield from groups[target.id].pick_asks
        case "talk":
            yield from knowledge.voice.small_talk[target.id].asks


def refusals_of(knowledge: Knowledge, targets: Sequence[Target]) -> Iterable[tuple[str, int]]:
    """Every question that must not find a target, and the target's number."""
    groups = {group.id: group for group in knowledge.groups}
    for number, target in enumerate(targets):
        if target.kind == "entry":
            yield from ((text, number) for text in knowledge.by_id[target.id].not_asks)
        elif target.kind == "list":
            yield from ((text, number) for text in groups[target.id].not_asks)
