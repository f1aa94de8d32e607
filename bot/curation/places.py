"""Places: the file and line of every phrasing of a pack, which the loaded pack no longer knows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from bot.knowledge.files import files_of
from bot.knowledge.reader import Document, Path_, read
from bot.match.targets import Target, phrasings_of, targets_of
from bot.model import Knowledge
from bot.text import words

Place = tuple[str, int]
"""A file, as faults name it, and a line."""

STRANGERS = "strangers.yaml"
NOT_HERE: Place = ("", 0)


@dataclass(frozen=True, slots=True)
class Places:
    """Where things stand. Empty for a pack that has no folder: then everything stands where its entry starts."""

    phrasings: Mapping[tuple[str, str], Place] = field(default_factory=dict)
    """By owner (an entry's or group's id, or the name of a file) and words."""
    owners: Mapping[str, Place] = field(default_factory=dict)
    fields: Mapping[tuple[str, str], Place] = field(default_factory=dict)
    """By entry's or group's id and the field's name."""

    def of(self, owner: str, phrasing: str) -> Place:
        """The place of a phrasing, else of what it belongs to."""
        return self.phrasings.get((owner, key(phrasing))) or self.owners.get(owner, NOT_HERE)


@lru_cache(maxsize=32_768)  # the lint goes through all phrasings of a pack five times
def key(phrasing: str) -> str:
    """What two spellings of one phrasing have in common."""
    return " ".join(words(phrasing))


def label(target: Target) -> str:
    """What a curator calls the home of a phrasing."""
    match target.kind:
        case "entry":
            return target.id
        case "talk":
            return f"small talk, {target.id}"
        case "list" | "pick":
            return f"{target.id} ({target.kind}_asks)"


def spoken(knowledge: Knowledge) -> list[tuple[str, Target]]:
    """Every phrasing of the pack's own entries and groups, in the pack's order, with what it leads to."""
    targets = targets_of(knowledge)
    found = ((text, targets[number]) for text, number in phrasings_of(knowledge, targets))
    return [(text, target) for text, target in found if target.kind != "talk" and key(text)]


def places_of(folder: Path, knowledge: Knowledge) -> Places:
    """The places in a pack's folder."""
    phrasings: dict[tuple[str, str], Place] = {}
    owners: dict[str, Place] = {entry.id: (entry.file, entry.line) for entry in knowledge.entries}
    fields: dict[tuple[str, str], Place] = {}
    for path in files_of(folder):
        document = read(path, path.relative_to(folder).as_posix())
        fields.update(_fields(document))
        owner = document.file
        for steps, text in _texts(document):
            if steps and isinstance(steps[0], int) and isinstance(document.value, list):
                item = document.value[steps[0]]
                owner = str(item.get("id", "")) if isinstance(item, dict) else document.file
                owners.setdefault(owner, (document.file, document.line(steps[:1])))
            phrasings.setdefault((owner, key(text)), (document.file, document.line(steps)))
    return Places(phrasings, owners, fields)


def _fields(document: Document) -> Iterable[tuple[tuple[str, str], Place]]:
    """Every field of a file's entries or groups, with its place."""
    for number, item in enumerate(document.value if isinstance(document.value, list) else ()):
        if isinstance(item, dict):
            for name in item:
                yield (str(item.get("id", "")), name), (document.file, document.line((number, name)))


FIELDS = ("asks", "list_asks", "pick_asks", "title", "name", "aliases", "not_asks")
"""Fields that hold phrasings; where a text stands in two of them, its place is in the first."""


def _texts(document: Document) -> Iterable[tuple[Path_, str]]:
    """Every phrasing of a file with the way to it."""
    found = [
        (FIELDS.index(field), steps, value)
        for steps in document.lines
        for field in FIELDS
        if field in steps and isinstance(value := _at(document, steps), str)
    ]
    return [(steps, value) for _, steps, value in sorted(found, key=lambda one: one[0])]


def _at(document: Document, steps: Path_) -> object:
    value: object = document.value
    for step in steps:
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int):
            value = value[step]
    return value
