"""Source locations: the file and line of every phrasing of a pack. A loaded pack knows only those of its entries."""

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

SourceLocation = tuple[str, int]
"""A file, as faults name it, and a line."""

STRANGERS = "strangers.yaml"
NO_LOCATION: SourceLocation = ("", 0)


@dataclass(frozen=True, slots=True)
class SourceLocations:
    """Where a pack's texts stand. Without files `owners` is all there is, and everything stands where its entry starts."""

    phrasings: Mapping[tuple[str, str], SourceLocation] = field(default_factory=dict)
    """By owner (an entry's or group's id, or the name of a file) and words."""
    owners: Mapping[str, SourceLocation] = field(default_factory=dict)
    fields: Mapping[tuple[str, str], SourceLocation] = field(default_factory=dict)
    """By entry's or group's id and the field's name."""

    def of(self, owner: str, phrasing: str) -> SourceLocation:
        """The location of a phrasing, else of the entry or group that it belongs to; NO_LOCATION if that is unknown."""
        return self.phrasings.get((owner, key(phrasing))) or self.owners.get(owner, NO_LOCATION)


@lru_cache(maxsize=32_768)  # the lint goes through all phrasings of a pack five times
def key(phrasing: str) -> str:
    """The words of a phrasing: equal for two spellings of it."""
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


def phrasings(knowledge: Knowledge) -> list[tuple[str, Target]]:
    """Every phrasing of the pack's own entries and groups, in the pack's order, with what it leads to."""
    targets = targets_of(knowledge)
    found = ((text, targets[number]) for text, number in phrasings_of(knowledge, targets))
    return [(text, target) for text, target in found if target.kind != "talk" and key(text)]


def source_locations(folder: Path, knowledge: Knowledge) -> SourceLocations:
    """The locations of everything in a pack's folder."""
    by_phrasing: dict[tuple[str, str], SourceLocation] = {}
    owners: dict[str, SourceLocation] = {entry.id: (entry.file, entry.line) for entry in knowledge.entries}
    fields: dict[tuple[str, str], SourceLocation] = {}
    for path in files_of(folder):
        document = read(path, path.relative_to(folder).as_posix())
        fields.update(_fields(document))
        owner = document.file
        for steps, text in _texts(document):
            if steps and isinstance(steps[0], int) and isinstance(document.value, list):
                item = document.value[steps[0]]
                owner = str(item.get("id", "")) if isinstance(item, dict) else document.file
                owners.setdefault(owner, (document.file, document.line(steps[:1])))
            by_phrasing.setdefault((owner, key(text)), (document.file, document.line(steps)))
    return SourceLocations(by_phrasing, owners, fields)


def _fields(document: Document) -> Iterable[tuple[tuple[str, str], SourceLocation]]:
    """Every field of a file's entries or groups, with its location."""
    for number, item in enumerate(document.value if isinstance(document.value, list) else ()):
        if isinstance(item, dict):
            for name in item:
                yield (str(item.get("id", "")), name), (document.file, document.line((number, name)))


FIELDS = ("asks", "list_asks", "pick_asks", "title", "name", "aliases", "not_asks")
"""Fields that hold phrasings; where a text stands in two of them, its location is that in the first."""


def _texts(document: Document) -> Iterable[tuple[Path_, str]]:
    """Every phrasing of a file with its path in the document."""
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
