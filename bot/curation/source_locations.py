"""Source locations: the file and line of every phrasing of a pack. A loaded pack knows only those of its entries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from bot.knowledge import PackFiles
from bot.knowledge.files import OUT_OF_SCOPE_FILE, is_out_of_scope_file
from bot.knowledge.yaml_reader import Document, ValuePath, parse
from bot.model import Knowledge
from bot.text import normalize_phrase
from bot.understanding.targets import Target, phrasings_of, targets_of

SourceLocation = tuple[str, int]
"""A file, as faults name it, and a line."""

NO_LOCATION: SourceLocation = ("", 0)


@dataclass(frozen=True, slots=True)
class SourceLocations:
    """The locations of a pack's texts. Where only `owners` is known, every text has the location of its entry."""

    phrasings: Mapping[tuple[str, str], SourceLocation] = field(default_factory=dict)
    """By owner (an entry's or group's id, or the name of a file) and normalized phrasing."""
    owners: Mapping[str, SourceLocation] = field(default_factory=dict)
    fields: Mapping[tuple[str, str], SourceLocation] = field(default_factory=dict)
    """By entry's or group's id and the field's name."""

    def of(self, owner: str, phrasing: str) -> SourceLocation:
        """The location of a phrasing, else of the entry or group that it belongs to; NO_LOCATION if that is unknown."""
        return self.phrasings.get((owner, normalize_phrase(phrasing))) or self.owners.get(owner, NO_LOCATION)


def label(target: Target) -> str:
    """The name of a target in faults."""
    match target.kind:
        case "entry":
            return target.id
        case "talk":
            return f"small talk, {target.id}"
        case "list" | "pick":
            return f"{target.id} ({target.kind}_asks)"


def title(target: Target, knowledge: Knowledge) -> str:
    """The title of a target, for people who don't know its id."""
    match target.kind:
        case "entry":
            return knowledge.by_id[target.id].label
        case "talk":
            return f"small talk, {target.id}"
        case "list" | "pick":
            group = next(group for group in knowledge.groups if group.id == target.id)
            return f"{group.title} ({'a list' if target.kind == 'list' else 'a recommendation'})"


def phrasings(knowledge: Knowledge) -> list[tuple[str, Target]]:
    """Every phrasing of the pack's own entries and groups, in the pack's order, with the target that it leads to."""
    targets = [target for target in targets_of(knowledge) if target.kind != "talk"]
    return [(text, targets[number]) for text, number in phrasings_of(knowledge, targets) if normalize_phrase(text)]


def source_locations(files: PackFiles, knowledge: Knowledge) -> SourceLocations:
    """The locations of everything in the files of a pack."""
    by_phrasing: dict[tuple[str, str], SourceLocation] = {}
    owners: dict[str, SourceLocation] = {entry.id: (entry.file, entry.line) for entry in knowledge.entries}
    fields: dict[tuple[str, str], SourceLocation] = {}
    for file, content in files.contents.items():
        document = parse(content, file)
        fields.update(_fields(document))
        owner = OUT_OF_SCOPE_FILE if is_out_of_scope_file(document.file) else document.file
        if owner == OUT_OF_SCOPE_FILE:
            owners[owner] = document.file, 1
        for value_path, text in _texts(document):
            if value_path and isinstance(value_path[0], int) and isinstance(document.value, list):
                item = document.value[value_path[0]]
                owner = str(item.get("id", "")) if isinstance(item, dict) else document.file
                owners.setdefault(owner, (document.file, document.line(value_path[:1])))
            by_phrasing.setdefault((owner, normalize_phrase(text)), (document.file, document.line(value_path)))
    return SourceLocations(by_phrasing, owners, fields)


def _fields(document: Document) -> Iterable[tuple[tuple[str, str], SourceLocation]]:
    """Every field of a file's entries or groups, with its location."""
    for number, item in enumerate(document.value if isinstance(document.value, list) else ()):
        if isinstance(item, dict):
            for name in item:
                yield (str(item.get("id", "")), name), (document.file, document.line((number, name)))


FIELDS = ("asks", "list_asks", "pick_asks", "title", "name", "aliases", "not_asks")
"""Fields that hold phrasings; where a text stands in two of them, its location is that in the first."""


def _texts(document: Document) -> Iterable[tuple[ValuePath, str]]:
    """Every phrasing of a file with its path in the document."""
    ranked = [
        (FIELDS.index(field), path, value)
        for path in document.lines
        for field in FIELDS
        if field in path and isinstance(value := document.value_at(path), str)
    ]
    return [(path, value) for _, path, value in sorted(ranked, key=lambda item: item[0])]
