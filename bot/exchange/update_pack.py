"""Bring an imported pack up to date: what changed in its sources is written into its files, around what people changed there.

Phrasings that people added stay, entries that vanished from a source stay, and an answer that somebody edited is replaced only if
the source changed too; then the edited one is kept beside it as a comment.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from bot.exchange.faq import ASKING_WORDS, Faq, FaqQuestion, Note, beginning, worded_apart
from bot.exchange.import_record import RECORD_FILE, Record, digest, read_record, record_of, record_text, write_files
from bot.exchange.yaml_edit import ListEdit, ValueEdit, edit_entries
from bot.exchange.yaml_text import NewEntry, entry_yaml
from bot.knowledge import load
from bot.knowledge.schema import PHRASING_LIMIT, TITLE_LIMIT
from bot.knowledge.yaml_reader import parse, read
from bot.model import AskPyError, Entry, Knowledge
from bot.retrieval.english import FUNCTION_WORDS
from bot.text import normalize_phrase, slug

NEW_ENTRIES_FILE = "answers.yaml"
MIN_SHARED_WORDS = 0.5
"""Share of the words that say something of the shorter of two questions with one id, up to which they are two questions."""
MIN_ID_LETTERS = 3
MIN_SHARED_QUESTIONS = 0.5
"""Share of a file's questions up to which a file under another name isn't taken for it."""

MIN_LIKENESS = 0.3
"""Share of the words above which a new question looks like one that is gone, so that people are told."""

Imported = tuple[NewEntry, FaqQuestion]


@dataclass(frozen=True, slots=True)
class PackUpdate:
    """What an update did, by id, each with what there is to say about it.

    Attributes:
        changed: Entries whose answer, title or phrasings were changed.
        appeared: New entries.
        vanished: Entries that their source no longer has; they stay.
        kept: Entries with an answer that somebody edited and that stays, or that were taken out of the pack.
        notes: Sentences for the person who imports.
    """

    changed: Mapping[str, str]
    appeared: Mapping[str, str]
    vanished: Mapping[str, str]
    kept: Mapping[str, str]
    notes: tuple[Note, ...] = ()

    def lines(self) -> Iterator[str]:
        """What `import --update` prints: the counts, then each entry."""
        counts = f"{len(self.changed)} changed, {len(self.appeared)} new, {len(self.vanished)} no longer in the source"
        yield counts + (f", {len(self.kept)} kept as they are." if self.kept else ".")
        groups = (("changed", self.changed), ("new", self.appeared), ("gone", self.vanished), ("kept", self.kept))
        for word, entries in groups:
            yield from (f"  {word:8}{name}: {text}" for name, text in entries.items())


@dataclass(slots=True)
class _Plan:
    """What is to be written."""

    edits: dict[str, list[tuple[str, ListEdit | ValueEdit]]] = field(default_factory=dict)
    """The edits of each file, with the id of the entry."""
    new: list[NewEntry] = field(default_factory=list)
    moved: dict[str, set[int]] = field(default_factory=dict)
    """Positions of phrasings that go from an entry, by its id."""
    records: dict[str, Record] = field(default_factory=dict)
    changed: dict[str, str] = field(default_factory=dict)
    appeared: dict[str, str] = field(default_factory=dict)
    kept: dict[str, str] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)

    def edit(self, entry: Entry, edit: ListEdit | ValueEdit, what: str) -> None:
        self.edits.setdefault(entry.file, []).append((entry.id, edit))
        said = self.changed.get(entry.id)
        self.changed[entry.id] = f"{said}, {what}" if said else what


@dataclass(frozen=True, slots=True)
class Sources:
    """What was read: names of files, names of those that couldn't be read, and folders with a slash behind their names."""

    files: frozenset[str]
    unread: frozenset[str]
    folders: tuple[str, ...]

    @staticmethod
    def of(faqs: Iterable[Faq], folders: tuple[str, ...]) -> Sources:
        files = [faq for faq in faqs if faq.file]
        read, unread = (frozenset(faq.file for faq in files if faq.is_read is is_read) for is_read in (True, False))
        return Sources(read, unread, folders)

    def has(self, file: str) -> bool:
        """Whether a file was read, or would have been if it were still there."""
        return file in self.files or (file.startswith(self.folders) and file not in self.unread)


def update_pack(folder: Path, imported: Sequence[Imported], sources: Sources) -> PackUpdate:
    """Update the pack in `folder` with the entries that its sources have now.

    Raises:
        AskPyError: The pack doesn't load, its files can't be edited or written, or ruamel.yaml isn't installed.
    """
    knowledge, records = load(folder), read_record(folder / RECORD_FILE)
    renamed = _renamed(imported, records, sources)
    records = {name: replace(record, file=renamed.get(record.file, record.file)) for name, record in records.items()}
    matches = _match(imported, records, knowledge)
    plan = _Plan(records=dict(records))
    plan.notes += [
        Note(new, 0, f"taken for {old} under another name: it has most of its questions", "read as")
        for old, new in sorted(renamed.items())
    ]
    taken = {normalize_phrase(ask): entry.id for entry in knowledge.entries for ask in entry.asks}
    ids = {*knowledge.by_id, *records}
    gone = {
        name: record
        for name, record in records.items()
        if name in knowledge.by_id and name not in matches.values() and sources.has(record.file)
    }
    for entry, question in imported:
        name = matches.get(question.question)
        if name is None:
            looks_like = _take_phrasings(plan, entry, question, [knowledge.by_id[name] for name in gone], taken)
            _plan_new(plan, entry, question, taken, ids, looks_like)
        elif name not in knowledge.by_id:
            plan.kept[name] = (
                f"'{beginning(entry.title)}' is in the source, but somebody deleted the entry from the pack, so it isn't added "
                f"again; to have it back, delete '{name}' in {RECORD_FILE}"
            )
        elif name not in records or sources.has(records[name].file):
            _plan_known(plan, knowledge.by_id[name], records.get(name), entry, question, taken)
    for name, positions in plan.moved.items():
        edit = ListEdit("asks", (), frozenset(positions))
        plan.edits.setdefault(knowledge.by_id[name].file, []).extend([(name, edit)] if positions else [])
    plan.edits = {file: edits for file, edits in plan.edits.items() if edits}
    vanished = {
        name: f"'{beginning(knowledge.by_id[name].title)}' stays in the pack; take it out there if it no longer holds"
        for name in gone
    }
    _write(folder, plan)
    return PackUpdate(plan.changed, plan.appeared, vanished, plan.kept, tuple(plan.notes))


# --- which entry a question is


_WAYS: tuple[Callable[[Record], Hashable], ...] = (
    lambda known: (known.file, normalize_phrase(known.original), known.place),
    lambda known: (known.file, normalize_phrase(known.question)),
    lambda known: (known.file, normalize_phrase(known.original), known.answer),
    lambda known: (known.file, normalize_phrase(known.original)),
    lambda known: (normalize_phrase(known.original), known.answer),
    lambda known: (known.file, known.key) if _is_name(known.key) else None,
    lambda known: known.file if known.is_alone else None,
    lambda known: (known.file, known.answer),
)
"""What a question and the record of its entry have in common, the surest first: its words in its file, its words and answer in
another file, its id (if it isn't a number, as "7" or "HR-7"), its file, its answer. Its words alone tell nothing of another
file, and similar words with another answer are another question: "lock" and "unlock".
"""


def _match(imported: Sequence[Imported], records: Mapping[str, Record], knowledge: Knowledge) -> dict[str, str]:
    """The id of the entry that each question was imported as, by the question; nothing for new ones.

    Args:
        records: With the names that their files have now.
    """
    matches: dict[str, str] = {}
    now = {question.question: record_of(entry, question) for entry, question in imported}
    free = set(records)
    for way in _WAYS:
        offered = _unique(records, way)
        for key, question in _unique(now, way).items():
            name = offered.get(key)
            if question not in matches and name in free and _agree(now[question], records[name]):
                matches[question] = name
                free.discard(name)
    unrecorded = [entry for entry in knowledge.entries if entry.id not in records]
    asks = {normalize_phrase(ask): entry.id for entry in unrecorded for ask in (*entry.asks, entry.title)}
    for question in now.keys() - matches.keys():
        name = asks.pop(normalize_phrase(question), None)
        if name is not None:
            matches[question] = name
    return matches


def _is_name(key: str) -> bool:
    """Whether an id names its question: numbers of rows are given anew."""
    return sum(map(str.isalpha, key)) >= MIN_ID_LETTERS and not key[-1].isdigit()


def _unique(records: Mapping[str, Record], way: Callable[[Record], Hashable]) -> dict[Hashable, str]:
    """The names of the records by what `way` takes of them, without what several have: nothing is guessed."""
    names: dict[Hashable, list[str]] = {}
    for name, record in records.items():
        names.setdefault(way(record), []).append(name)
    return {key: listed[0] for key, listed in names.items() if key is not None and len(listed) == 1}


def _agree(question: Record, known: Record) -> bool:
    """Whether two with the same id, which may be given anew, have the answer or most words that say something in common."""
    if question.answer == known.answer or question.is_alone or _is_same_phrase(question, known):
        return True
    words, others = (
        set(normalize_phrase(record.original).split()) - FUNCTION_WORDS - ASKING_WORDS for record in (question, known)
    )
    return len(words & others) > MIN_SHARED_WORDS * min(len(words), len(others))


def _is_same_phrase(question: Record, known: Record) -> bool:
    return normalize_phrase(question.original) == normalize_phrase(known.original)


def _renamed(imported: Sequence[Imported], records: Mapping[str, Record], sources: Sources) -> dict[str, str]:
    """The names that recorded files have now, by the old ones: of files that were read under a new name.

    Such a file has most of the questions that were recorded, one of them at least with the same answer: two files may well
    ask the same and answer it for two systems.
    """
    recorded: dict[str, list[Record]] = {}
    for record in records.values():
        recorded.setdefault(record.file, []).append(record)
    present: dict[str, dict[str, str]] = {}
    for entry, question in imported:
        if question.file not in recorded:
            phrase = normalize_phrase(question.original or question.question)
            present.setdefault(question.file, {})[phrase] = digest(entry.answer)
    shares: list[tuple[float, str, str]] = []
    for old in recorded.keys() - sources.files - sources.unread:
        for new, answers in present.items():
            found = [(answers.get(normalize_phrase(record.original)), record.answer) for record in recorded[old]]
            share = sum(answer is not None for answer, _ in found) / len(found)
            if share > MIN_SHARED_QUESTIONS and any(answer == known for answer, known in found):
                shares.append((share, old, new))
    renamed: dict[str, str] = {}
    for _, old, new in sorted(shares, reverse=True):
        if old not in renamed and new not in renamed.values():
            renamed[old] = new
    return renamed


# --- what to write


def _take_phrasings(
    plan: _Plan, entry: NewEntry, question: FaqQuestion, gone: Iterable[Entry], taken: dict[str, str]
) -> str:
    """Move the phrasings of a new question out of the entry that it looks like and that is gone; the id of that entry, or ""."""
    words = set(normalize_phrase(question.question).split())
    listed = set(map(normalize_phrase, entry.asks))
    for old in gone:
        phrases = list(map(normalize_phrase, old.asks))
        moved = {n for n, phrase in enumerate(phrases) if n and phrase in listed and taken.get(phrase) == old.id}
        others = set(phrases[0].split())
        if not moved and len(words & others) <= MIN_LIKENESS * len(words | others):
            continue
        plan.moved.setdefault(old.id, set()).update(moved)
        for number in moved:
            del taken[phrases[number]]
        return old.id
    return ""


def _plan_new(
    plan: _Plan, entry: NewEntry, question: FaqQuestion, taken: dict[str, str], ids: set[str], looks_like: str = ""
) -> None:
    entry.id = slug(entry.id, ids)
    owner = taken.get(normalize_phrase(question.question))
    if owner is not None:
        record = plan.records.get(owner)
        candidates = [*worded_apart(question, record.place if record else ()), f"{question.question} ({entry.id})"]
        distinct = next(text for text in candidates if normalize_phrase(text) not in taken)
        text = f"asks what the entry {owner} asks: now '{beginning(distinct, 90)}'"
        plan.notes.append(Note(question.file, question.line, text, "read as", question.sheet))
        question = replace(question, question=distinct, original=question.original or question.question)
        entry.asks[0], entry.title = beginning(distinct, PHRASING_LIMIT - 1), beginning(distinct, TITLE_LIMIT - 1)
    elif normalize_phrase(entry.title) in taken:
        entry.title = beginning(question.question, TITLE_LIMIT - 1)
    kept = [ask for ask in entry.asks if normalize_phrase(ask) not in taken]
    _note_taken(plan, entry.asks, question, taken)
    entry.asks = kept
    ids.add(entry.id)
    taken.update((normalize_phrase(ask), entry.id) for ask in kept)
    plan.new.append(entry)
    plan.appeared[entry.id] = f"'{beginning(entry.title)}'" + (
        f"; looks like {looks_like}, which is gone" * bool(looks_like)
    )
    plan.records[entry.id] = record_of(entry, question)


def _note_taken(plan: _Plan, asks: Iterable[str], question: FaqQuestion, taken: Collection[str]) -> None:
    """Name the phrasings that other entries of the pack have already."""
    for ask in asks:
        if normalize_phrase(ask) in taken:
            text = f"the phrasing '{beginning(ask)}' is another entry's in the pack"
            plan.notes.append(Note(question.file, question.line, text, "not taken", question.sheet))


def _plan_known(
    plan: _Plan, old: Entry, record: Record | None, entry: NewEntry, question: FaqQuestion, taken: dict[str, str]
) -> None:
    entry.id = old.id
    new, current = digest(entry.answer), digest(old.answer)
    if record is None:
        if new != current:
            plan.kept[old.id] = "the pack's answer differs from the source's, and no import left a record of it"
        return
    original = question.original or question.question
    is_told_apart = question.original or record.question != record.original
    if is_told_apart and normalize_phrase(original) == normalize_phrase(record.original):
        entry.asks[0], entry.title = record.question, entry.title if question.title else record.title
        question = replace(question, question=record.question, original=record.original)
    plan.records[old.id] = record_of(entry, question)
    if new not in (record.answer, current):
        if current == record.answer:
            plan.edit(old, ValueEdit("answer", entry.answer), "the answer")
        else:
            before = f"Somebody had changed the answer that the import of {question.file} replaced:\n{old.answer}"
            plan.edit(
                old,
                ValueEdit("answer", entry.answer, before),
                "the answer; what somebody had changed is a comment above it now",
            )
    elif new == record.answer and current != record.answer:
        plan.kept[old.id] = "the answer that somebody changed; the source has none that is new"
    if old.title == record.title and entry.title != record.title and _may_have(entry.title, old, taken):
        plan.edit(old, ValueEdit("title", entry.title), "the title")
    known = set(map(normalize_phrase, (*record.asks, *old.asks, *old.not_asks)))
    unknown = [ask for ask in entry.asks if normalize_phrase(ask) not in known]
    _note_taken(plan, unknown, question, taken)
    added = tuple(ask for ask in unknown if normalize_phrase(ask) not in taken)
    if added:
        plan.edit(old, ListEdit("asks", added), f"{len(added)} phrasing{'s' * (len(added) != 1)}")
        taken.update((normalize_phrase(ask), old.id) for ask in added)


def _may_have(title: str, entry: Entry, taken: Mapping[str, str]) -> bool:
    """Whether an entry may have a title: no other entry has it as a phrasing."""
    phrase = normalize_phrase(title)
    return phrase not in taken or phrase in map(normalize_phrase, entry.asks)


# --- writing


def _write(folder: Path, plan: _Plan) -> None:
    texts = {file: _edited(folder, file, edits) for file, edits in plan.edits.items()}
    if plan.new:
        path = folder / NEW_ENTRIES_FILE
        text = texts.get(NEW_ENTRIES_FILE) or (_read_text(path) if path.is_file() else "")
        newline = "\r\n" if "\r\n" in text else "\n"
        blocks = "\n".join(map(entry_yaml, plan.new)).replace("\n", newline)
        gap = "" if not text else newline if text.endswith("\n") else newline * 2
        texts[NEW_ENTRIES_FILE] = text + gap + blocks
        if parse(texts[NEW_ENTRIES_FILE].encode(), NEW_ENTRIES_FILE).faults:
            raise AskPyError(
                f"{path} is written in a way that can't be added to. Make it a list of entries, each starting with '- id:'."
            )
    texts[RECORD_FILE] = record_text(plan.records)
    write_files(folder, texts, "Change its permissions, and try again.")


def _edited(folder: Path, file: str, edits: Sequence[tuple[str, ListEdit | ValueEdit]]) -> str:
    """A file's text with its entries edited. Raises AskPyError unless reading it back gives just these edits."""
    text = _read_text(folder / file)
    value = read(folder / file, file).value
    items = value if isinstance(value, list) else []
    positions = {
        str(item["id"]): number for number, item in enumerate(items) if isinstance(item, dict) and "id" in item
    }
    placed = [(positions[name], edit) for name, edit in edits]
    bom = "\ufeff" if text.startswith("\ufeff") else ""
    try:
        edited = bom + edit_entries(text.removeprefix(bom), placed)
    except ValueError as error:
        raise AskPyError(
            f"{folder / file} can't be edited: {error}. Write its entries as the import wrote them."
        ) from None
    for position, edit in placed:
        item = items[position]
        if isinstance(item, dict):
            if isinstance(edit, ValueEdit):
                item[edit.field] = edit.text
            else:
                listed = item.get(edit.field, [])
                listed = listed if isinstance(listed, list) else [listed]
                item[edit.field] = [*(ask for n, ask in enumerate(listed) if n not in edit.remove), *edit.add]
    if _stripped(parse(edited.encode(), file).value) != _stripped(items):
        raise AskPyError(
            f"{folder / file} is written in a way that can't be edited (an anchor, perhaps). Write its entries out."
        )
    return edited


def _stripped(value: object) -> object:
    """A value with its texts as the pack's reader takes them, without blanks around them."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, dict):
        return {name: _stripped(inner) for name, inner in value.items()}
    return [_stripped(item) for item in value] if isinstance(value, list) else value


def _read_text(path: Path) -> str:
    try:
        return path.read_bytes().decode()
    except UnicodeDecodeError:
        raise AskPyError(f"{path} is not UTF-8; save it as UTF-8.") from None
