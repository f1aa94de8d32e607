"""From a folder of YAML to one Knowledge, or to everything that is wrong with it at once."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from bot.knowledge.fault import Fault
from bot.knowledge.files import DEFAULT_VOICE, files_of, fingerprint
from bot.knowledge.forms import (
    FORM_OF_KIND,
    EntryForm,
    Form,
    GroupForm,
    LibraryForm,
    PackForm,
    SaidForm,
    StepForm,
    StrangersForm,
    is_id,
)
from bot.knowledge.reader import Document, Path_, Value, parse, read
from bot.model import (
    Entry,
    Group,
    Knowledge,
    Library,
    Note,
    Said,
    Source,
    Step,
    Strangers,
    Voice,
)

F = TypeVar("F", bound=Form)

SMALL_TALK = ("greeting", "thanks", "goodbye", "help", "sorry", "source")
RESERVED = ("pack", "voice", "groups", "synonyms", "strangers")


@dataclass(slots=True)
class _Reading:
    """What has been read so far."""

    faults: list[Fault] = field(default_factory=list)
    documents: dict[str, Document] = field(default_factory=dict)
    entries: list[tuple[Entry, Document, int]] = field(default_factory=list)
    """Each with its document and its number there."""
    tried: set[str] = field(default_factory=set)
    """Ids of all entries, of those too that have faults."""
    tried_groups: set[str] = field(default_factory=set)
    lost: bool = False
    """Whether there may be entries whose ids aren't known: a file can't be read, or an id can't."""
    lost_groups: bool = False
    empty: list[str] = field(default_factory=list)
    """Files of entries without any."""


def inspect(folder: Path) -> tuple[Knowledge | None, list[Fault]]:
    """The pack, if it can be had, and every fault found on the way (`lint` finds those of meaning)."""
    if not (folder / "pack.yaml").is_file():
        remedy = "name the folder that holds pack.yaml (ASKPY_KNOWLEDGE), or add one with at least `name: ...`"
        return None, [Fault("pack.yaml", 1, "", f"not found in {folder}; {remedy}")]
    reading = _Reading()
    for path in files_of(folder):
        shown_as = path.relative_to(folder).as_posix()
        document = read(path, shown_as)
        reading.faults += document.faults
        name = shown_as.rpartition(".")[0]
        if name in reading.documents:
            text = f"stands beside {reading.documents[name].file}; keep one of the two"
            reading.faults.append(Fault(shown_as, 1, "", text))
        elif name in RESERVED:
            reading.documents[name] = document
        elif document.faults and document.value is None:
            reading.lost = True
        elif document.value in (None, []):
            reading.empty.append(shown_as)
        else:
            _read_entries(document, reading)
    return _assemble(folder, reading), sorted(set(reading.faults))


def _assemble(folder: Path, reading: _Reading) -> Knowledge | None:
    pack = _one(PackForm, reading.documents["pack"], reading)
    groups = _groups(reading)
    strangers_document = reading.documents.get("strangers")
    strangers = _one(StrangersForm, strangers_document, reading) if strangers_document else StrangersForm()
    voice = _voice(reading)
    synonyms = _synonyms(reading)
    by_id = _by_id(reading)
    if not by_id and not reading.tried and not reading.lost:
        for file in reading.empty:
            reading.faults.append(
                Fault(file, 1, "", "is empty; write a list of entries, each starting with '- id: ...'")
            )
        if not reading.empty:
            reading.faults.append(Fault("pack.yaml", 1, "", "no entries; add a .yaml file with a list of them"))
    _check_references(reading)
    _check_steps(reading, by_id)
    if pack is None or strangers is None or not by_id:
        return None
    return Knowledge(
        name=pack.name,
        about=pack.about or pack.name,
        subject=pack.subject,
        source=Source(**pack.source.model_dump()) if pack.source else None,
        entries=tuple(by_id.values()),
        groups=tuple(groups),
        voice=voice,
        strangers=Strangers(**strangers.model_dump()),
        synonyms=synonyms,
        fingerprint=fingerprint(folder),
        by_id=by_id,
    )


# --- forms


def _one(form: type[F], document: Document, reading: _Reading, path: Path_ = (), entry: str = "") -> F | None:
    value = _at(document.value, path)
    if value is None:
        value = {}
    try:
        return form.model_validate(value)
    except ValidationError as error:
        for detail in error.errors():
            where = (*path, *detail["loc"])
            name = ".".join(part for part in detail["loc"] if isinstance(part, str))
            text = _sentence(detail["type"], name, str(detail["msg"]), detail.get("ctx", {}), form)
            reading.faults.append(Fault(document.file, document.line(where), entry, text))
        return None


def _sentence(kind: str, name: str, message: str, context: object, form: type[Form]) -> str:
    """One of pydantic's messages, as a curator would want to read it."""
    ctx = context if isinstance(context, dict) else {}
    if kind == "extra_forbidden":
        last = name.rpartition(".")[2]
        return f"'{last}' is not a field here{_near(last, form.model_fields)}"
    if kind == "missing":
        return f"{name} is missing; add it"
    if kind in ("string_too_long", "too_long"):
        why = " and can't be sent whole" if name == "answer" else ""
        return f"{name} is longer than {ctx.get('max_length')} characters{why}; shorten it"
    if kind == "too_short":
        return f"{name} is empty; give at least {ctx.get('min_length')}"
    if kind == "string_type":
        return f"{name} is a list or a mapping where a text is wanted"
    if kind in ("tuple_type", "list_type"):
        return f"{name} is not a list; put each on a line of its own that starts with '- '"
    if kind in ("model_type", "model_attributes_type", "dict_type"):
        return f"{name or 'this'} is not a mapping of fields (name: value)"
    if kind == "literal_error":
        return f"{name} can only be {ctx.get('expected')}"
    if kind == "int_parsing":
        return f"{name} is not a whole number"
    return f"{name} {message.removeprefix('Value error, ')}".strip()


def _near(word: str, known: Iterable[str]) -> str:
    """What somebody who wrote `word` may have meant: "; title?", or nothing."""
    near = difflib.get_close_matches(word, list(known), n=2, cutoff=0.5)
    return f"; {', '.join(near)}?" if near else ""


def _at(value: Value | None, path: Path_) -> Value | None:
    for part in path:
        if isinstance(value, dict) and isinstance(part, str):
            value = value.get(part)
        elif isinstance(value, list) and isinstance(part, int):
            value = value[part]
    return value


# --- entries


def _read_entries(document: Document, reading: _Reading) -> None:
    if not isinstance(document.value, list):
        reading.lost = True
        remedy = (
            "start each entry with '- id: ...', or name the file "
            + ", ".join(f"{r}.yaml" for r in RESERVED)
            + " if it is one"
        )
        reading.faults.append(Fault(document.file, 1, "", f"is not a list of entries; {remedy}"))
        return
    for number, value in enumerate(document.value):
        entry = _read_entry(document, reading, number, value)
        if entry is not None:
            reading.entries.append((entry, document, number))


def _read_entry(document: Document, reading: _Reading, number: int, value: Value) -> Entry | None:
    line = document.line((number,))
    if not isinstance(value, dict):
        reading.faults.append(Fault(document.file, line, "", "is not an entry: no fields; write '- id: ...'"))
        reading.lost = True
        return None
    named = str(value.get("id", "")) or f"entry {number + 1}"
    if is_id(named):
        reading.tried.add(named)
    else:
        reading.lost = True
    kind = value.get("kind", "topic")
    if not isinstance(kind, str) or kind not in FORM_OF_KIND:
        text = f"kind is '{kind}'; it can be {', '.join(FORM_OF_KIND)}"
        reading.faults.append(Fault(document.file, document.line((number, "kind")), named, text))
        return None
    form = _one(FORM_OF_KIND[kind], document, reading, (number,), named)
    return _entry(form, document.file, line) if form is not None else None


def _entry(form: EntryForm, file: str, line: int) -> Entry:
    fields = form.model_dump(exclude={"kind", "notes"})
    fields |= {"notes": tuple(Note(**note.model_dump()) for note in form.notes), "file": file, "line": line}
    if isinstance(form, StepForm):
        return Step(number=fields.pop("step"), **fields)
    if isinstance(form, LibraryForm):
        fields["title"] = form.title or form.name
        return Library(**fields)
    return Entry(**fields)


def _by_id(reading: _Reading) -> dict[str, Entry]:
    found: dict[str, Entry] = {}
    for entry, _, _ in reading.entries:
        if entry.id in found:
            first = found[entry.id]
            text = f"this id stands twice, first at {first.file}:{first.line}; give one of them another"
            reading.faults.append(Fault(entry.file, entry.line, entry.id, text))
            continue
        found[entry.id] = entry
    return found


def _check_references(reading: _Reading) -> None:
    """Every id that an entry names stands somewhere. What may stand where nothing could be read isn't blamed."""
    ids, groups = reading.tried, reading.tried_groups
    for entry, document, number in reading.entries:
        named: list[tuple[Path_, str, set[str]]] = [
            (("related", i), wanted, ids) for i, wanted in enumerate(entry.related)
        ]
        if isinstance(entry, Step):
            named.append((("of",), entry.of, ids))
        if isinstance(entry, Library):
            named.append((("side",), entry.side, groups))
            named += [(("capabilities", i), wanted, groups) for i, wanted in enumerate(entry.capabilities)]
            named += [(("also", i), wanted, groups) for i, wanted in enumerate(entry.also)]
        for path, wanted, known in named:
            lost = reading.lost if known is ids else reading.lost_groups
            if wanted and wanted not in known and not lost:
                text = f"{path[0]} names '{wanted}', which is nowhere{_near(wanted, sorted(known))}"
                line = document.line((number, *path))
                reading.faults.append(Fault(document.file, line, entry.id, text, reference=True))


def _check_steps(reading: _Reading, by_id: dict[str, Entry]) -> None:
    """Every step belongs to a topic and has a number of its own there."""
    found: dict[tuple[str, int], Step] = {}
    for step, document, number in reading.entries:
        if not isinstance(step, Step):
            continue
        of = by_id.get(step.of)
        if step.of == step.id:
            text = "of names the step itself; name the topic that it belongs to"
            reading.faults.append(Fault(step.file, document.line((number, "of")), step.id, text))
        elif of is not None and of.kind != "topic":
            text = f"of names '{of.id}', which is a {of.kind}; a step belongs to a topic"
            reading.faults.append(Fault(step.file, document.line((number, "of")), step.id, text))
        first = found.setdefault((step.of, step.number), step)
        if first.id != step.id:
            text = f"step {step.number} of {step.of} is {first.id} already ({first.file}:{first.line}); number it anew"
            reading.faults.append(Fault(step.file, document.line((number, "step")), step.id, text))


# --- the other files


def _groups(reading: _Reading) -> list[Group]:
    document = reading.documents.get("groups")
    if document is None or document.value is None:
        reading.lost_groups = document is not None and bool(document.faults)
        return []
    if not isinstance(document.value, list):
        reading.lost_groups = True
        reading.faults.append(Fault(document.file, 1, "", "is not a list of groups; start each with '- id: ...'"))
        return []
    found: list[Group] = []
    lines: dict[str, int] = {}
    for number, value in enumerate(document.value):
        named = str(value.get("id", "")) if isinstance(value, dict) else ""
        reading.lost_groups |= not is_id(named)
        form = _one(GroupForm, document, reading, (number,), named or f"group {number + 1}")
        line = document.line((number,))
        if named and lines.setdefault(named, line) != line:
            text = f"this id stands twice, first in line {lines[named]}; give one of them another"
            reading.faults.append(Fault(document.file, line, named, text))
        elif form is not None:
            found.append(Group(**form.model_dump()))
    reading.tried_groups = set(lines)
    return found


def _synonyms(reading: _Reading) -> dict[str, tuple[str, ...]]:
    document = reading.documents.get("synonyms")
    if document is None or document.value is None:
        return {}
    if not isinstance(document.value, dict):
        reading.faults.append(Fault(document.file, 1, "", "is not a mapping; write 'word: [other word, another]'"))
        return {}
    found: dict[str, tuple[str, ...]] = {}
    for word, variants in document.value.items():
        listed = [variants] if isinstance(variants, str) else variants
        if not isinstance(listed, list) or not all(isinstance(v, str) and v.strip() for v in listed):
            text = f"{word}: the words that mean the same are a list of texts"
            reading.faults.append(Fault(document.file, document.line((word,)), "", text))
            continue
        found[word] = tuple(str(v) for v in listed)
    return found


@lru_cache(maxsize=1)
def _default_voice(text: str) -> Document:
    """It is the same for every pack, and longer than a small one."""
    return parse(text, DEFAULT_VOICE.name)


def _voice(reading: _Reading) -> Voice:
    """The default voice with the pack's own sentences laid over it."""
    default = _default_voice(DEFAULT_VOICE.read_text(encoding="utf-8"))
    own = reading.documents.get("voice") or Document("voice.yaml", {}, {}, ())
    if own.value is not None and not isinstance(own.value, dict):
        reading.faults.append(Fault(own.file, 1, "", "is not a mapping; write 'greeting: ...' and so on"))
        own = Document("voice.yaml", {}, {}, ())
    defaults = default.value if isinstance(default.value, dict) else {}
    overrides = own.value if isinstance(own.value, dict) else {}
    for key in overrides:
        if key not in defaults:
            text = f"'{key}' is none of the bot's sentences{_near(key, defaults)}"
            reading.faults.append(Fault(own.file, own.line((key,)), "", text))
    small_talk = {name: _said(name, defaults, overrides, own, reading) for name in SMALL_TALK}
    lines: dict[str, str] = {}
    for key, value in {**defaults, **overrides}.items():
        if key in SMALL_TALK or key == "examples":
            continue
        if not isinstance(value, str):
            reading.faults.append(Fault(own.file, own.line((key,)), "", f"{key} is not a text"))
        elif not value.strip():
            text = f"{key} is empty; write something, or leave it out to keep the default"
            reading.faults.append(Fault(own.file, own.line((key,)), "", text))
        else:
            lines[key] = value.strip()
    return Voice(small_talk=small_talk, lines=lines, examples=_examples(defaults, overrides, own, reading))


def _examples(
    defaults: dict[str, Value], overrides: dict[str, Value], own: Document, reading: _Reading
) -> tuple[str, ...]:
    value = overrides.get("examples", defaults.get("examples", []))
    listed = [value] if isinstance(value, str) else value
    found = [each for each in listed if isinstance(each, str) and each.strip()]
    if isinstance(listed, dict) or len(found) < len(listed):
        text = "examples is a list of questions, each a text that isn't empty"
        reading.faults.append(Fault(own.file, own.line(("examples",)), "", text))
    return tuple(found)


def _said(name: str, defaults: dict[str, Value], overrides: dict[str, Value], own: Document, reading: _Reading) -> Said:
    merged: dict[str, Value] = {}
    for source in (defaults.get(name), overrides.get(name)):
        if isinstance(source, dict):
            merged.update(source)
        elif source is not None:
            reading.faults.append(
                Fault(own.file, own.line((name,)), "", f"{name} is not a mapping with asks and answer")
            )
    at = {path[1:]: line for path, line in own.lines.items() if path[:1] == (name,)}
    form = _one(SaidForm, Document(own.file, merged, at, ()), reading, (), name)
    return Said(form.asks, form.answer) if form is not None else Said((), name)
