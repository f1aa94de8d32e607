"""From a folder of YAML files to one Knowledge, or to every fault in them at once."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeVar, get_args

from pydantic import ValidationError

from bot.knowledge.fault import Fault
from bot.knowledge.files import (
    DEFAULT_VOICE,
    OUT_OF_SCOPE_FILE,
    PACK_FILE,
    PackFiles,
    has_former_name,
    is_out_of_scope_file,
)
from bot.knowledge.schema import (
    ID_LIMIT,
    ONE_TEXT,
    SCHEMA_OF_KIND,
    TEXT_LIMIT,
    TITLE_LIMIT,
    EntrySchema,
    GroupSchema,
    LibrarySchema,
    OutOfScopeSchema,
    PackSchema,
    Schema,
    SmallTalkSchema,
    StepSchema,
    is_id,
)
from bot.knowledge.yaml_reader import MAX_VALUES, Document, ValuePath, YamlValue, parse, shortened
from bot.model import Entry, Group, Knowledge, Library, Note, OutOfScope, SmallTalk, Source, Step, Voice, VoiceKey
from bot.text import clean, normalize_phrase

S = TypeVar("S", bound=Schema)

VOICE_KEYS: tuple[VoiceKey, ...] = get_args(VoiceKey)
SMALL_TALK = ("greeting", "thanks", "goodbye", "help", "ready", "sorry", "source")
RESERVED = ("pack", "voice", "groups", "synonyms", "out_of_scope")
"""Files, without their extension, that hold something other than entries."""
MAX_COMPARED = 1_000
"""Names that one which doesn't exist is compared with, to guess which one is meant."""
MAX_FAULTS = 1_000
"""Faults after which a pack isn't read any further."""
FORMER_VOICE_KEYS = {"unknown_stranger": "unknown_out_of_scope", "why_strangers": "why_out_of_scope"}
"""Keys of voice.yaml by their names in earlier releases, which this release is the last to read."""


@dataclass(slots=True)
class _PackState:
    """What has been read of a pack so far."""

    faults: list[Fault] = field(default_factory=list)
    documents: dict[str, Document] = field(default_factory=dict)
    """The reserved files that there are, by their name without extension."""
    entries: list[tuple[Entry, Document, int]] = field(default_factory=list)
    """Each entry that can be read, with its document and its index there."""
    ids: set[str] = field(default_factory=set)
    """Ids of all entries, including those that have faults."""
    group_ids: set[str] = field(default_factory=set)
    has_unknown_ids: bool = False
    """There may be entries whose ids aren't known, because a file or an id can't be read."""
    has_unknown_group_ids: bool = False
    empty_files: list[str] = field(default_factory=list)

    values: int = 0
    """Texts, lists and mappings that have been read."""

    def add(self, file: str, line: int, entry: str, text: str, *, reference: bool = False) -> None:
        """Add a fault that keeps the pack from loading. Raises _TooMuchError if there are too many."""
        self.faults.append(Fault(file, line, shortened(entry), text, reference=reference))
        if len(self.faults) >= MAX_FAULTS:
            self.faults.append(
                Fault(file, line, "", f"has {MAX_FAULTS:,} faults or more; mend these first, then look again")
            )
            raise _TooMuchError


class _TooMuchError(Exception):
    """The rest of the pack isn't read; the last fault says why."""


def inspect(files: PackFiles) -> tuple[Knowledge | None, list[Fault]]:
    """The pack, or None where it can't be loaded, and the faults of its form in file order (`lint` finds those of meaning)."""
    state = _PackState(faults=list(files.faults), has_unknown_ids=bool(files.faults))
    if PACK_FILE not in files.contents:
        remedy = "name the folder that holds pack.yaml (ASKPY_KNOWLEDGE), or add one with at least `name: ...`"
        return None, state.faults or [Fault(PACK_FILE, 1, "", f"not found in {files.folder}; {remedy}")]
    try:
        for file, content in files.contents.items():
            _read_file(parse(content, file), state)
        knowledge = _assemble(files, state)
    except _TooMuchError:
        knowledge = None
    return knowledge, sorted(set(state.faults))


def _read_file(document: Document, state: _PackState) -> None:
    file = document.file
    state.faults += document.faults
    state.values += len(document.lines)
    if state.values > MAX_VALUES:
        text = (
            f"the files up to this one have more than {MAX_VALUES:,} texts, lists and fields; take out what nobody asks"
        )
        state.add(file, 1, "", text)
        raise _TooMuchError
    name = "out_of_scope" if is_out_of_scope_file(file) else file.rpartition(".")[0]
    if name in state.documents:
        state.add(file, 1, "", f"stands beside {state.documents[name].file}; keep one of the two")
    elif name in RESERVED:
        state.documents[name] = document
    elif document.faults and document.value is None:
        state.has_unknown_ids = True
    elif document.value in (None, []):
        state.empty_files.append(file)
    else:
        _read_entries(document, state)


def _assemble(files: PackFiles, state: _PackState) -> Knowledge | None:
    document = state.documents["pack"]
    is_broken = document.value is None and bool(document.faults)
    pack = None if is_broken else _validate(PackSchema, document, state)
    groups = _groups(state)
    out_of_scope = _out_of_scope(state)
    voice = _voice(files.default_voice, state)
    synonyms = _synonyms(state)
    by_id = _by_id(state)
    if not by_id and not state.ids and not state.has_unknown_ids:
        for file in state.empty_files:
            state.add(file, 1, "", "is empty; write a list of entries, each starting with '- id: ...'")
        if not state.empty_files:
            state.add("pack.yaml", 1, "", "no entries; add a .yaml file with a list of them")
    _check_references(state)
    _check_steps(state, by_id)
    if pack is None or out_of_scope is None or not by_id:
        return None
    return Knowledge(
        name=pack.name,
        about=pack.about or pack.name,
        subject=pack.subject,
        source=Source(**pack.source.model_dump()) if pack.source else None,
        entries=tuple(by_id.values()),
        groups=tuple(groups),
        voice=voice,
        out_of_scope=out_of_scope,
        synonyms=synonyms,
        fingerprint=files.fingerprint,
        by_id=by_id,
        caution=pack.caution,
    )


# --- validation


def _validate(
    schema: type[S], document: Document, state: _PackState, path: ValuePath = (), entry: str = ""
) -> S | None:
    """The value at `path`, validated; None where it has faults, which then are added under the name `entry`."""
    value = document.value_at(path)
    try:
        return schema.model_validate({} if value is None else value)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
    for detail in details:
        if detail["type"] == "too_short" and any(other["loc"][:-1] == detail["loc"] for other in details):
            continue  # its items are at fault
        text = _sentence(detail["type"], detail["loc"], str(detail["msg"]), detail.get("ctx", {}), schema)
        state.add(document.file, document.line((*path, *detail["loc"])), entry, text)
    return None


def _sentence(error_type: str, path: tuple[str | int, ...], message: str, context: object, schema: type[Schema]) -> str:
    """One of pydantic's messages in words for curators; `path` leads to the field."""
    name = shortened(".".join(step for step in path if isinstance(step, str)))
    limits = context if isinstance(context, dict) else {}
    if error_type == "extra_forbidden":
        return _unknown_field(str(path[-1]), schema if len(path) == 1 else None)
    if error_type == "missing":
        return f"{name} is missing; add it"
    if error_type == "empty":
        if path and isinstance(path[-1], int):
            return f"{name} has an item without a text; write something after its dash, or take it out"
        is_optional = len(path) == 1 and name in schema.model_fields and not schema.model_fields[name].is_required()
        return f"{name} is empty; write something" + (" or leave the field out" if is_optional else "")
    if error_type in ("string_too_long", "too_long"):
        return f"{name} is longer than {limits.get('max_length'):,} characters; shorten it"
    if error_type == "too_short":
        return f"{name} is empty; give at least {limits.get('min_length')}"
    if error_type == "string_type":
        return f"{name} is a list or a mapping where a text is wanted; a text with a colon, [ or {{ stands in quotes"
    if error_type in ("tuple_type", "list_type"):
        return f"{name} is not a list; put each on a line of its own that starts with '- '"
    if error_type in ("model_type", "model_attributes_type", "dict_type"):
        return f"{name or 'this'} is not a mapping of fields (name: value); look for a blank after each colon"
    if error_type == "literal_error":
        return f"{name} can only be {limits.get('expected')}"
    if error_type.startswith("int_"):
        return f"{name} is not a whole number"
    return f"{name} {message.removeprefix('Value error, ')}".strip()


def _unknown_field(name: str, schema: type[Schema] | None) -> str:
    """The fault of a field that there isn't. `schema`: that of the fields there may be; None if they aren't known."""
    text = f"'{shortened(name)}' is not a field here"
    if name == "<<":
        return f"{text}; write the fields that it would repeat"
    if schema is None:
        return text
    kinds = [kind for kind, other in SCHEMA_OF_KIND.items() if name in other.model_fields]
    if kinds and issubclass(schema, EntrySchema):
        return f"{text}; entries of the kind {' or '.join(kinds)} have it"
    similar = _suggestion(name, schema.model_fields)
    return text + (similar or f"; there are: {', '.join(schema.model_fields)}")


def _suggestion(word: str, known: Collection[str]) -> str:
    """Up to two known words that are spelt like `word`, as "; title?"; empty where none is, or there are too many to compare."""
    if len(word) > ID_LIMIT or len(known) > MAX_COMPARED:
        return ""
    similar = difflib.get_close_matches(word, list(known), n=2, cutoff=0.5)
    return f"; {', '.join(similar)}?" if similar else ""


# --- entries


def _read_entries(document: Document, state: _PackState) -> None:
    if not isinstance(document.value, list):
        state.has_unknown_ids = True
        names = ", ".join(f"{name}.yaml" for name in RESERVED)
        remedy = f"start each entry with '- id: ...', or name the file {names} if it is one"
        state.add(document.file, 1, "", f"is not a list of entries; {remedy}")
        return
    for index, value in enumerate(document.value):
        entry = _read_entry(document, state, index, value)
        if entry is not None:
            state.entries.append((entry, document, index))


def _read_entry(document: Document, state: _PackState, index: int, value: YamlValue) -> Entry | None:
    line = document.line((index,))
    if not isinstance(value, dict):
        state.add(document.file, line, "", "is not an entry: no fields; write '- id: ...'")
        state.has_unknown_ids = True
        return None
    name = _id_of(value) or f"entry {index + 1}"
    if is_id(name):
        state.ids.add(name)
    else:
        state.has_unknown_ids = True
    kind = value.get("kind", "topic")
    if not isinstance(kind, str) or kind not in SCHEMA_OF_KIND:
        kind = f"'{shortened(kind)}'" if isinstance(kind, str) else "no text"
        text = f"kind is {kind}; it can be {', '.join(SCHEMA_OF_KIND)}"
        state.add(document.file, document.line((index, "kind")), name, text)
        return None
    validated = _validate(SCHEMA_OF_KIND[kind], document, state, (index,), name)
    return _entry(validated, document.file, line) if validated is not None else None


def _id_of(value: YamlValue) -> str:
    """The id of an entry or group, as it stands there; empty if it has none."""
    found = value.get("id", "") if isinstance(value, dict) else ""
    return found if isinstance(found, str) else ""


def _entry(validated: EntrySchema, file: str, line: int) -> Entry:
    fields = validated.model_dump(exclude={"kind", "notes"})
    notes = tuple(Note(**note.model_dump()) for note in validated.notes)
    source = Source(**validated.source.model_dump()) if validated.source is not None else None
    fields |= {"notes": notes, "source": source, "file": file, "line": line}
    if isinstance(validated, StepSchema):
        return Step(number=fields.pop("step"), **fields)
    if isinstance(validated, LibrarySchema):
        fields["title"] = validated.title or validated.name
        return Library(**fields)
    return Entry(**fields)


def _by_id(state: _PackState) -> dict[str, Entry]:
    entries: dict[str, Entry] = {}
    for entry, _, _ in state.entries:
        first = entries.setdefault(entry.id, entry)
        if first is not entry:
            text = f"this id stands twice, first at {first.file}:{first.line}; give one of them another"
            state.add(entry.file, entry.line, entry.id, text)
    return entries


def _check_references(state: _PackState) -> None:
    """Add a fault for every id that an entry names and that doesn't exist, unless it may be one of those that can't be read."""
    for entry, document, index in state.entries:
        entry_ids: list[tuple[ValuePath, str]] = [(("related", i), name) for i, name in enumerate(entry.related)]
        group_ids: list[tuple[ValuePath, str]] = []
        if isinstance(entry, Step):
            entry_ids.append((("of",), entry.of))
        if isinstance(entry, Library):
            group_ids.append((("side",), entry.side))
            group_ids += [(("capabilities", i), name) for i, name in enumerate(entry.capabilities)]
            group_ids += [(("also", i), name) for i, name in enumerate(entry.also)]
        missing = [] if state.has_unknown_ids else _missing(entry_ids, state.ids)
        missing += [] if state.has_unknown_group_ids else _missing(group_ids, state.group_ids)
        for path, text in missing:
            state.add(document.file, document.line((index, *path)), entry.id, text, reference=True)
        if entry.id in entry.related:
            line = document.line((index, "related", entry.related.index(entry.id)))
            text = "related names the entry itself; take it out"
            state.faults.append(Fault(document.file, line, entry.id, text, refuses=False))


def _missing(references: Iterable[tuple[ValuePath, str]], known: set[str]) -> list[tuple[ValuePath, str]]:
    """The path and the fault of each reference to an id that isn't known; an empty id is no reference."""
    return [
        (path, f"{path[0]} names '{name}', which is nowhere{_suggestion(name, known)}")
        for path, name in references
        if name and name not in known
    ]


def _check_steps(state: _PackState, by_id: dict[str, Entry]) -> None:
    """Add a fault for every step that belongs to no topic, or whose number another step of the topic has."""
    first_steps: dict[tuple[str, int], Step] = {}
    for step, document, index in state.entries:
        if not isinstance(step, Step):
            continue
        topic = by_id.get(step.of)
        if step.of == step.id:
            text = "of names the step itself; name the topic that it belongs to"
            state.add(step.file, document.line((index, "of")), step.id, text)
        elif topic is not None and topic.kind != "topic":
            text = f"of names '{topic.id}', which is a {topic.kind}; a step belongs to a topic"
            state.add(step.file, document.line((index, "of")), step.id, text)
        first = first_steps.setdefault((step.of, step.number), step)
        if first.id != step.id:
            text = f"step {step.number} of {step.of} is {first.id} already ({first.file}:{first.line}); number it anew"
            state.add(step.file, document.line((index, "step")), step.id, text)


# --- the other files


def _groups(state: _PackState) -> list[Group]:
    document = state.documents.get("groups")
    if document is None or document.value is None:
        state.has_unknown_group_ids = document is not None and bool(document.faults)
        return []
    if not isinstance(document.value, list):
        state.has_unknown_group_ids = True
        state.add(document.file, 1, "", "is not a list of groups; start each with '- id: ...'")
        return []
    groups: list[Group] = []
    line_of_id: dict[str, int] = {}
    for index, value in enumerate(document.value):
        name = _id_of(value)
        state.has_unknown_group_ids |= not is_id(name)
        validated = _validate(GroupSchema, document, state, (index,), name or f"group {index + 1}")
        line = document.line((index,))
        if name and line_of_id.setdefault(name, line) != line:
            text = f"this id stands twice, first in line {line_of_id[name]}; give one of them another"
            state.add(document.file, line, name, text)
        elif validated is not None:
            groups.append(Group(**validated.model_dump()))
    state.group_ids = set(line_of_id)
    return groups


def _out_of_scope(state: _PackState) -> OutOfScope | None:
    document = state.documents.get("out_of_scope")
    if document is None:
        return OutOfScope()
    if has_former_name(document.file):
        text = f"is called {OUT_OF_SCOPE_FILE} from this release on; rename it, the next release won't read it"
        state.faults.append(Fault(document.file, 1, "", text, refuses=False, advice=True))
    validated = _validate(OutOfScopeSchema, document, state)
    return OutOfScope(**validated.model_dump()) if validated is not None else None


def _synonyms(state: _PackState) -> dict[str, tuple[str, ...]]:
    document = state.documents.get("synonyms")
    if document is None or document.value is None:
        return {}
    if not isinstance(document.value, dict):
        state.add(document.file, 1, "", "is not a mapping; write 'word: [other word, another]'")
        return {}
    synonyms: dict[str, tuple[str, ...]] = {}
    for word, value in document.value.items():
        variants = [value] if isinstance(value, str) else value
        texts = [variant for variant in variants if isinstance(variant, str)]
        fault = ""
        if isinstance(variants, dict) or len(texts) < len(variants) or not all(map(str.strip, texts)):
            fault = "the words that mean the same are a list of texts"
        elif any("," in text for text in texts):
            fault = ONE_TEXT
        elif len(word) > TITLE_LIMIT or any(len(text) > TITLE_LIMIT for text in texts):
            fault = f"a word is longer than {TITLE_LIMIT} characters; shorten it"
        elif not all(map(normalize_phrase, (word, *texts))):
            fault = "one of the words has no letters and digits; write a word, or take it out"
        if fault:
            state.add(document.file, document.line((word,)), "", f"{shortened(word)}: {fault}")
        else:
            synonyms[clean(word)] = (*synonyms.get(clean(word), ()), *map(clean, texts))
    return synonyms


@lru_cache(maxsize=1)  # every pack has the same, and parsing it takes longer than a small pack
def _default_voice(content: bytes) -> dict[str, YamlValue]:
    value = parse(content, DEFAULT_VOICE.name).value
    return value if isinstance(value, dict) else {}


def _voice(default_voice: bytes, state: _PackState) -> Voice:
    """The default voice, overridden by the pack's own sentences."""
    defaults = _default_voice(default_voice)
    own = state.documents.get("voice") or Document("voice.yaml", {}, {}, ())
    if own.value is not None and not isinstance(own.value, dict):
        state.add(own.file, 1, "", "is not a mapping; write 'greeting: ...' and so on")
        own = Document("voice.yaml", {}, {}, ())
    own = _with_current_keys(own, state)
    overrides = own.value if isinstance(own.value, dict) else {}
    for key in overrides:
        if key not in defaults:
            text = f"'{shortened(key)}' is none of the bot's sentences{_suggestion(key, defaults)}"
            state.add(own.file, own.line((key,)), "", text)
    small_talk = {name: _small_talk(name, defaults, overrides, own, state) for name in SMALL_TALK}
    lines: dict[VoiceKey, str] = {}
    for key in VOICE_KEYS:
        value = overrides.get(key, defaults.get(key))
        fault = ""
        if value is None:
            state.add(DEFAULT_VOICE.name, 1, "", f"lacks '{key}'; this is AskPy's own file: install AskPy again")
        elif not isinstance(value, str):
            fault = f"{key} is not a text"
        elif not value.strip():
            fault = f"{key} is empty; write something, or leave it out to keep the default"
        elif len(value) > TEXT_LIMIT:
            fault = f"{key} is longer than {TEXT_LIMIT:,} characters; shorten it"
        else:
            lines[key] = value.strip()
        if fault:
            state.add(own.file, own.line((key,)), "", fault)
    return Voice(small_talk=small_talk, lines=lines, examples=_examples({**defaults, **overrides}, own, state))


def _with_current_keys(own: Document, state: _PackState) -> Document:
    """The pack's voice.yaml with FORMER_VOICE_KEYS renamed, and advice to rename each of them in the file."""
    value = own.value if isinstance(own.value, dict) else {}
    for former, key in FORMER_VOICE_KEYS.items():
        if former in value and key in value:
            text = f"'{former}' is the former name of '{key}'; keep one of the two"
            state.add(own.file, own.line((former,)), "", text)
        elif former in value:
            text = f"'{former}' is called '{key}' from this release on; rename it, the next release won't read it"
            state.faults.append(Fault(own.file, own.line((former,)), "", text, refuses=False, advice=True))
    renamed = {FORMER_VOICE_KEYS.get(key, key): line for key, line in value.items()}
    return Document(own.file, renamed, {_with_current_key(path): line for path, line in own.lines.items()}, own.faults)


def _with_current_key(path: ValuePath) -> ValuePath:
    return tuple(FORMER_VOICE_KEYS.get(str(step), step) for step in path[:1]) + path[1:]


def _examples(values: dict[str, YamlValue], own: Document, state: _PackState) -> tuple[str, ...]:
    value = values.get("examples", [])
    if isinstance(value, str) and "," in value:
        state.add(own.file, own.line(("examples",)), "", f"examples {ONE_TEXT}")
    listed = [value] if isinstance(value, str) else value
    examples = [example for example in listed if isinstance(example, str) and example.strip()]
    if isinstance(listed, dict) or len(examples) < len(listed):
        text = "examples is a list of questions, each a text that isn't empty"
        state.add(own.file, own.line(("examples",)), "", text)
    if any(len(example) > TITLE_LIMIT for example in examples):
        text = f"examples has a question that is longer than {TITLE_LIMIT} characters; shorten it"
        state.add(own.file, own.line(("examples",)), "", text)
    return tuple(examples)


def _small_talk(
    name: str, defaults: dict[str, YamlValue], overrides: dict[str, YamlValue], own: Document, state: _PackState
) -> SmallTalk:
    merged: dict[str, YamlValue] = {}
    for value in (defaults.get(name), overrides.get(name)):
        if isinstance(value, dict):
            merged.update(value)
        elif value is not None:
            state.add(own.file, own.line((name,)), "", f"{name} is not a mapping with asks and answer")
    lines = {path[1:]: line for path, line in own.lines.items() if path[:1] == (name,)}
    validated = _validate(SmallTalkSchema, Document(own.file, merged, lines, ()), state, (), name)
    return SmallTalk(validated.asks, validated.answer) if validated is not None else SmallTalk((), name)
