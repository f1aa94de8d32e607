"""Export: curators' changes as a patch for the pack's files. The patched files are read back before the patch is returned."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

from bot.curation.lint import lint
from bot.curation.overlay import apply_changes
from bot.curation.source_locations import source_locations
from bot.exchange.patch import file_patch, patch_root
from bot.exchange.yaml_edit import DateEdit, ListEdit, edit_entries
from bot.exchange.yaml_text import NewEntry, entry_yaml, scalar
from bot.knowledge import Fault, PackFiles, inspect, load, read_files
from bot.knowledge.files import OUT_OF_SCOPE_FILE, out_of_scope_file
from bot.knowledge.yaml_reader import YamlValue, parse
from bot.markdown import to_markdown
from bot.model import CURATED, Change, Entry, Group, Knowledge
from bot.text import normalize_phrase, without_control_characters

GROUPS_FILE = "groups.yaml"
EntryEdit = tuple[int | None, ListEdit | DateEdit]
"""The position of an entry or group in its file, None where the file itself is the mapping, and the edit of a list or a date."""
DATE_FIELDS = {"review_by": ("owner",), "reviewed": ("owner", "review_by")}
"""The dates that a confirmation sets, and the fields behind which each is put where the entry doesn't have it."""


@dataclass(frozen=True, slots=True)
class Export:
    """The patch and what a person has to know about it.

    Attributes:
        patch: A unified diff; "" if nothing is left to export.
        root: The folder where it is applied.
        exported: Number of changes in it.
        notes: Sentences about changes that needn't be in it.
        faults: Sentences about changes that can't be in it, and about faults that the patched pack would have.
    """

    patch: str
    root: Path
    exported: int
    notes: tuple[str, ...]
    faults: tuple[str, ...]

    def messages(self, output: Path | None) -> Iterator[str]:
        """What `export` says on stderr. `output`: the file that the patch was written to."""
        yield from self.faults
        yield from self.notes
        if not self.patch:
            yield "Nothing is left to export."
            return
        file = str(output) if output is not None else "FILE"
        yield f"{_count(self.exported, 'change')} exported. In {self.root}: git apply {file}, or patch -p1 -i {file}."


def export_changes(folder: Path, changes: Sequence[Change]) -> Export:
    """The changes that the files of the pack in `folder` don't have yet. Raises PackError if the pack doesn't load."""
    files = read_files(folder)
    plan = _plan(load(files), changes)
    texts = {name: content.decode() for name, content in files.contents.items()}  # a pack that loads is UTF-8
    edited, failed = _edit_files(texts, plan)
    root, prefix = patch_root(folder)
    patch = "".join(file_patch(prefix + name, texts.get(name), edited[name]) for name in sorted(edited))
    exported = plan.exported - sum(failure.count for failure in failed.values())
    faults = [f"{name}: {failure.error}; write it by hand: {failure.added}" for name, failure in failed.items()]
    return Export(patch, root, exported, plan.notes, (*plan.faults, *faults, *_new_faults(files, edited)))


# --- the plan: what the files lack


@dataclass(frozen=True, slots=True)
class _FileEdit:
    """An edit of a list or a date. `owner`: id of the entry or group, "" in the file of out-of-scope questions."""

    file: str
    owner: str
    edit: ListEdit | DateEdit


@dataclass(frozen=True, slots=True)
class _Plan:
    """What has to be written so that the files say what the changes say."""

    edits: tuple[_FileEdit, ...]
    new_entries: tuple[Entry, ...]
    exported: int
    notes: tuple[str, ...]
    faults: tuple[str, ...]


_Status = Literal["exported", "present", "ignored", "lost", "needless"]
"""Of a change: in the patch, in the pack already, no part of a pack, about an entry that the pack doesn't have; "needless" is a
confirmation of such an entry."""


def _plan(knowledge: Knowledge, changes: Sequence[Change]) -> _Plan:
    stripped = [_stripped(change) for change in changes]
    after = apply_changes(knowledge, stripped)
    edits = [*_entry_edits(knowledge, after), *_group_edits(knowledge, after)]
    out_of_scope = _list_edit("asks", knowledge.out_of_scope.asks, after.out_of_scope.asks)
    if out_of_scope:
        edits.append(_FileEdit(OUT_OF_SCOPE_FILE, "", out_of_scope))
    statuses = [_status(change, knowledge, after) for change in stripped]
    return _Plan(
        tuple(edits),
        tuple(entry for entry in after.entries if entry.id not in knowledge.by_id),
        statuses.count("exported"),
        tuple(_notes(Counter(statuses), stripped, knowledge)),
        tuple(_lost(change) for change, status in zip(stripped, statuses, strict=True) if status == "lost"),
    )


def _stripped(change: Change) -> Change:
    """The change with its texts as the pack's reader would return them."""
    return replace(
        change,
        text=_strip(change.text),
        title=" ".join(_strip(change.title).split()),
        answer=_strip(change.answer),
        asks=tuple(text for text in map(_strip, change.asks) if text),
    )


def _strip(text: str) -> str:
    """Without control characters, lone surrogates, and blanks around it."""
    return without_control_characters(text).encode("utf-8", "replace").decode().strip()


def _entry_edits(before: Knowledge, after: Knowledge) -> Iterator[_FileEdit]:
    for old in before.entries:
        new = after.by_id[old.id]
        # An entry needs a phrasing: one that loses its last keeps it, and `check` then reports a shared phrasing.
        edits = _list_edit("asks", old.asks, new.asks or old.asks), _list_edit("not_asks", old.not_asks, new.not_asks)
        yield from (_FileEdit(old.file, old.id, edit) for edit in edits if edit)
        for field, after_fields in DATE_FIELDS.items():
            if (date := getattr(new, field)) != getattr(old, field):
                yield _FileEdit(old.file, old.id, DateEdit(field, date, after_fields))


def _group_edits(before: Knowledge, after: Knowledge) -> Iterator[_FileEdit]:
    for old, new in zip(before.groups, after.groups, strict=True):
        for field, old_list, new_list in zip(_GROUP_FIELDS, _group_lists(old), _group_lists(new), strict=True):
            if edit := _list_edit(field, old_list, new_list):
                yield _FileEdit(GROUPS_FILE, old.id, edit)


_GROUP_FIELDS = ("list_asks", "pick_asks", "not_asks")


def _group_lists(group: Group) -> tuple[tuple[str, ...], ...]:
    return group.list_asks, group.pick_asks, group.not_asks


def _list_edit(field: str, before: Sequence[str], after: Sequence[str]) -> ListEdit | None:
    """What differs between two lists of phrasings; other spellings of the same words don't. None if nothing does."""
    old, new = set(map(normalize_phrase, before)), set(map(normalize_phrase, after))
    add = tuple(text for text in after if normalize_phrase(text) not in old)
    remove = frozenset(n for n, text in enumerate(before) if normalize_phrase(text) not in new)
    return ListEdit(field, add, remove) if add or remove else None


def _status(change: Change, knowledge: Knowledge, after: Knowledge) -> _Status:
    entry, phrase = knowledge.by_id.get(change.entry), normalize_phrase(change.text)
    match change.kind:
        case "ignore":
            return "ignored"
        case "ask" | "not_ask" if not phrase:
            return "ignored"
        case "entry":
            return "exported" if entry is None else "present"
        case "ask" if change.entry not in after.by_id:
            return "lost"
        case "ask":
            return "present" if entry is not None and phrase in map(normalize_phrase, entry.asks) else "exported"
        case "not_ask":
            listed = entry.not_asks if entry is not None else knowledge.out_of_scope.asks
            return "present" if phrase in map(normalize_phrase, listed) else "exported"
        case "review" if change.entry not in after.by_id:
            return "needless"
        case "review":
            return "present" if entry is not None and change.text <= entry.reviewed else "exported"


def _lost(change: Change) -> str:
    return f"'{change.text}' belongs to the entry '{change.entry}', which the pack doesn't have: left out. Undo it."


def _notes(statuses: Counter[_Status], changes: Sequence[Change], knowledge: Knowledge) -> Iterator[str]:
    present, ignored, needless = statuses["present"], statuses["ignored"], statuses["needless"]
    if present:
        yield f"{_count(present, 'change')} {'is' if present == 1 else 'are'} in the pack already."
    if ignored:
        yield f"{_count(ignored, 'ignored question')} {'is' if ignored == 1 else 'are'} no part of a pack."
    if needless:
        yield f"{_count(needless, 'confirmation')} {'is' if needless == 1 else 'are'} about entries that the pack doesn't have."
    for change in changes:
        entry = knowledge.by_id.get(change.entry)
        if (
            change.kind == "entry"
            and entry
            and (entry.title, entry.answer)
            != (
                change.title,
                to_markdown(change.answer, change.answer_format),
            )
        ):
            yield f"'{entry.id}' is in the pack with another title or answer ({entry.file}:{entry.line})."


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


# --- the edited files


@dataclass(frozen=True, slots=True)
class _Failure:
    """Edits of one file that can't be made."""

    error: str
    edits: Sequence[EntryEdit]

    @property
    def added(self) -> str:
        """The texts that would have been added, and the dates set."""
        return ", ".join(text for _, edit in self.edits for text in _added(edit))

    @property
    def count(self) -> int:
        """The number of changes that aren't made; the two dates of a confirmation are one."""
        return sum(len(_added(edit)) for _, edit in self.edits if edit.field != "review_by")


def _added(edit: ListEdit | DateEdit) -> list[str]:
    return [f"{edit.field}: {edit.date}"] if isinstance(edit, DateEdit) else [repr(text) for text in edit.add]


def _edit_files(texts: Mapping[str, str], plan: _Plan) -> tuple[dict[str, str], dict[str, _Failure]]:
    """The new text of every file that changes, and the files whose edits can't be made."""
    edited: dict[str, str] = {}
    failed: dict[str, _Failure] = {}
    for name, edits in _edits_by_file(texts, plan).items():
        if name not in texts:
            added = [text for _, edit in edits if isinstance(edit, ListEdit) for text in edit.add]
            edited[name] = "".join(["asks:\n", *(f"  - {scalar(text)}\n" for text in added)])
            continue
        try:
            edited[name] = _edit_file(name, texts[name], edits)
        except ValueError as error:
            failed[name] = _Failure(str(error), edits)
    if plan.new_entries:
        name = next((name for name in texts if name in (CURATED, "curated.yml")), CURATED)
        entries = [
            NewEntry(
                id=entry.id,
                title=entry.title,
                answer=to_markdown(entry.answer, entry.answer_format),
                asks=list(entry.asks),
                not_asks=list(entry.not_asks),
                reviewed=entry.reviewed,
                source=asdict(entry.source) if entry.source is not None else {},
            )
            for entry in plan.new_entries
        ]
        edited[name] = _append(edited.get(name, texts.get(name)), "\n".join(map(entry_yaml, entries)))
    return edited, failed


def _edits_by_file(texts: Mapping[str, str], plan: _Plan) -> dict[str, list[EntryEdit]]:
    edits: dict[str, list[EntryEdit]] = {}
    ids: dict[str, list[str]] = {}
    for planned in plan.edits:
        name = planned.file
        if name == OUT_OF_SCOPE_FILE:
            name = out_of_scope_file(texts)
        elif name not in texts:  # files of fixed names may end in .yml as well
            name = name.removesuffix("aml") + "ml"
        if planned.owner and name not in ids:
            ids[name] = _ids(_parse(texts[name], name))
        position = ids[name].index(planned.owner) if planned.owner else None
        edits.setdefault(name, []).append((position, planned.edit))
    return edits


def _ids(value: YamlValue | None) -> list[str]:
    """The ids of a file's entries or groups, by position."""
    return [str(item.get("id", "")) if isinstance(item, dict) else "" for item in value or []]


def _edit_file(name: str, text: str, edits: Sequence[EntryEdit]) -> str:
    """The file with its lists and dates edited. Raises ValueError unless reading it back gives these edits alone."""
    bom = "\ufeff" if text.startswith("\ufeff") else ""
    edited = bom + edit_entries(text.removeprefix(bom), edits)
    if _parse(edited, name) != _edited_value(_parse(text, name), edits):
        raise ValueError("it is written in a way that can't be edited (an anchor, perhaps)")
    return edited


def _edited_value(value: YamlValue | None, edits: Sequence[EntryEdit]) -> YamlValue | None:
    """The file's value with the edits made in memory; None if they can't be made."""
    root = _copy(value)
    for position, edit in edits:
        mapping = root if position is None else root[position] if isinstance(root, list) else None
        if not isinstance(mapping, dict):
            return None
        if isinstance(edit, DateEdit):
            mapping[edit.field] = edit.date
            continue
        old = mapping.get(edit.field, [])
        listed = [old.strip()] if isinstance(old, str) else old if isinstance(old, list) else []
        mapping[edit.field] = [*(text for n, text in enumerate(listed) if n not in edit.remove), *edit.add]
    return root


def _copy(value: YamlValue | None) -> YamlValue | None:
    if isinstance(value, list):
        return [copied for item in value if (copied := _copy(item)) is not None]
    if isinstance(value, dict):
        return {name: copied for name, item in value.items() if (copied := _copy(item)) is not None}
    return value


def _parse(text: str, name: str) -> YamlValue | None:
    """The value of a YAML text; raises ValueError if it has faults."""
    document = parse(text.encode(), name)
    faults = [fault.text for fault in document.faults if fault.refuses]
    if faults:
        raise ValueError(faults[0])
    return document.value


def _append(text: str | None, blocks: str) -> str:
    """A file with new entries at its end. `text`: None if there is no such file yet."""
    if text is None:
        return "# Entries that curators wrote in Slack.\n\n" + blocks
    newline = "\r\n" if "\r\n" in text else "\n"
    start = text if text.endswith("\n") or not text else text + newline
    return start + (newline if start.strip() else "") + blocks.replace("\n", newline)


# --- the patched pack


def _new_faults(files: PackFiles, edited: Mapping[str, str]) -> list[str]:
    """The faults that the patched pack has and this one doesn't."""
    if not edited:
        return []
    patched = {**files.contents, **{name: text.encode() for name, text in edited.items()}}
    known = {_without_details(fault) for fault in _faults(files)}
    faults = _faults(replace(files, contents=dict(sorted(patched.items()))))
    return [f"With the patch: {fault}" for fault in faults if _without_details(fault) not in known]


def _without_details(fault: Fault) -> tuple[str, str]:
    """A fault's entry and text without what is in brackets: line numbers, which the patch changes."""
    return fault.entry, fault.text.partition(" (")[0]


def _faults(files: PackFiles) -> list[Fault]:
    knowledge, faults = inspect(files)
    if knowledge is not None:
        faults = faults + lint(knowledge, source_locations(files, knowledge))
    return [fault for fault in faults if not fault.advice]
