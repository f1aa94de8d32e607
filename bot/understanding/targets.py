"""Targets: everything in a pack that a phrasing can lead to, numbered, so that one index and one gate serve them all."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from bot.markdown import parse, plain
from bot.model import Group, Knowledge, Library
from bot.text import clean, normalize_phrase

TargetKind = Literal["entry", "list", "pick", "talk"]


@dataclass(frozen=True, slots=True)
class Target:
    """An entry, a group as a list, a group as a recommendation, or small talk. `id` is its id or name.

    The kind of a recommendation is "pick", after a pack's `pick_asks`; `why` prints it. The kind of its Finding is "recommend".
    """

    kind: TargetKind
    id: str

    def __str__(self) -> str:
        return self.id if self.kind == "entry" else f"{self.kind}:{self.id}"


def targets_of(knowledge: Knowledge) -> list[Target]:
    """Every target of a pack; a target's number is its position here."""
    return (
        [Target("entry", entry.id) for entry in knowledge.entries]
        + [Target("list", group.id) for group in knowledge.groups if group.list_asks]
        + [Target("pick", group.id) for group in knowledge.groups if group.pick_asks]
        + [Target("talk", name) for name, small_talk in knowledge.voice.small_talk.items() if small_talk.asks]
    )


def families_of(knowledge: Knowledge, targets: Sequence[Target]) -> list[int]:
    """A number for each target, the same where targets lead to much the same cards.

    A group's list and its recommendation are one family; so are groups with the same cards, and a group of one card and that
    card.
    """
    groups = {group.id: group for group in knowledge.groups}
    numbers: dict[object, int] = {}
    families = []
    for target in targets:
        key: object = target
        if target.kind in ("list", "pick"):
            cards = [card.id for card in knowledge.members(groups[target.id]) if target.id not in card.also]
            key = Target("entry", cards[0]) if len(cards) == 1 else frozenset(cards)
        families.append(numbers.setdefault(key, len(numbers)))
    return families


def phrasings_of(knowledge: Knowledge, targets: Sequence[Target]) -> Iterable[tuple[str, int]]:
    """Every phrasing, cleaned as a question is, with its target's number.

    Small talk that says the same as the pack is left out.
    """
    groups = {group.id: group for group in knowledge.groups}
    seen: set[str] = set()
    for number, target in enumerate(targets):
        for text in _asks(knowledge, groups, target):
            key = normalize_phrase(text)
            if target.kind != "talk" or key not in seen:
                seen.add(key)
                yield clean(text), number


def _asks(knowledge: Knowledge, groups: dict[str, Group], target: Target) -> Iterable[str]:
    match target.kind:
        case "entry":
            entry = knowledge.by_id[target.id]
            yield entry.title
            yield from entry.asks
            if isinstance(entry, Library):
                yield entry.opening_question
                yield from entry.aliases
        case "list":
            yield from groups[target.id].list_asks
        case "pick":
            yield from groups[target.id].pick_asks
        case "talk":
            yield from knowledge.voice.small_talk[target.id].asks


def answers_of(knowledge: Knowledge, targets: Sequence[Target]) -> Iterable[tuple[str, int]]:
    """What each entry says, with its target's number: its answer, a card's other texts, its notes."""
    for number, target in enumerate(targets):
        if target.kind == "entry":
            entry = knowledge.by_id[target.id]
            yield entry.plain_answer, number
            if isinstance(entry, Library):
                yield from ((text, number) for text in (entry.what, entry.summary, *entry.good_for))
            yield from ((plain(parse(note.text), addresses=False), number) for note in entry.notes)


def not_asks_of(knowledge: Knowledge, targets: Sequence[Target]) -> Iterable[tuple[str, int]]:
    """Every question that must not find a target, cleaned as a question is, with the target's number."""
    groups = {group.id: group for group in knowledge.groups}
    for number, target in enumerate(targets):
        if target.kind == "entry":
            yield from ((clean(text), number) for text in knowledge.by_id[target.id].not_asks)
        elif target.kind == "list":
            yield from ((clean(text), number) for text in groups[target.id].not_asks)


def index_path(folder: Path, fingerprint: str) -> Path:
    """The cache file for the index of the pack with this fingerprint; another one after every edit of the code that builds it."""
    return folder / f"index-{fingerprint[:24]}-{code_digest()}.bin"


@cache
def code_digest() -> str:
    """12 hexadecimal digits of a SHA-256 over the code and data that an index depends on besides its pack."""
    digest = hashlib.sha256()
    bot = Path(__file__).parents[1]
    code = [
        path for package in ("knowledge", "retrieval", "understanding") for path in sorted((bot / package).glob("*.py"))
    ]
    data = sorted(path for path in (bot / "retrieval" / "data").iterdir() if path.suffix in (".txt", ".npy", ".json"))
    for path in [*code, *sorted((bot / "markdown").glob("*.py")), bot / "text.py", bot / "model.py", *data]:
        content = path.read_bytes()
        digest.update(f"{path.name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:12]
