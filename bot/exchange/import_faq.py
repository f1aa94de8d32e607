"""Import: FAQ files and folders of them become a pack, or what is new in them comes into the pack that an earlier import made."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bot.exchange.faq import (
    LEFT_OUT,
    Faq,
    FaqQuestion,
    Note,
    NoteKind,
    asks,
    beginning,
    is_bare,
    joined_notes,
    worded_apart,
)
from bot.exchange.faq_files import input_names, read_faqs, shown_name
from bot.exchange.import_record import RECORD_FILE, read_record, record_of, record_text, write_files
from bot.exchange.update_pack import PackUpdate, Sources, update_pack
from bot.exchange.yaml_text import NewEntry, entry_yaml, scalar
from bot.knowledge.schema import PHRASING_LIMIT, TITLE_LIMIT
from bot.model import AskPyError
from bot.text import find_control_character, normalize_phrase, slug, without_control_characters


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What an import did.

    Attributes:
        folder: The pack's folder.
        entries: Number of entries that were read.
        notes: What was left out or changed, each with file and line.
        answers_changed: Number of answers in which something was left out or written otherwise.
        left_out: Number of things that were left out, of answers or as a whole.
        mostly_left_out: The files more than half of whose text is in no answer.
        update: What changed in the pack; None for a new one.
    """

    folder: Path
    entries: int
    notes: tuple[str, ...]
    answers_changed: int
    left_out: int
    update: PackUpdate | None = None
    mostly_left_out: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        """The last lines of an import."""
        return "\n".join(
            [*(f"More than half of {file} is in no entry." for file in self.mostly_left_out), self._counts]
        )

    @property
    def _counts(self) -> str:
        entries = f"{self.entries} {'entry' if self.entries == 1 else 'entries'}"
        left_out = f"{_count(self.left_out, 'thing')} left out"
        named = ", each named above" if self.left_out or (self.answers_changed and not self.update) else ""
        if self.update is not None:
            counts = f"{len(self.update.changed)} changed, {len(self.update.appeared)} new"
            return f"{entries} read, {counts} in the pack; {left_out}{named}."
        return f"{entries}, {_count(self.answers_changed, 'answer')} changed, {left_out}{named}."


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def import_faqs(
    paths: Sequence[Path], folder: Path | None, name: str = "", *, encoding: str = "", is_update: bool = False
) -> ImportResult:
    """Write a pack with the questions of FAQ files, or bring an imported pack up to date.

    Args:
        paths: Files, and folders of files.
        folder: The pack's folder; by default one in the working directory that is named after the first file.
        name: The pack's name; by default the first file's title or name.
        encoding: That of text files; "" recognizes it.
        is_update: The pack is there, and the same files were imported into it before.

    Raises:
        AskPyError: A file can't be read, there are no questions, or the folder can't be written or isn't what `is_update` says.
    """
    target = folder if folder is not None else Path(slug(paths[0].resolve().stem, fallback="faq"))
    _check_folder(target, is_update)
    known = {record.file for record in read_record(target / RECORD_FILE).values()} if is_update else set()
    faqs = read_faqs(paths, encoding, known)
    notes = [note for faq in faqs for note in faq.notes]
    questions = [question for faq in faqs for question in faq.questions]
    entries = _entries(questions, notes)
    if not entries:
        raise AskPyError(
            "\n".join([f"Nothing in {', '.join(map(str, paths))} can be taken over:", *joined_notes(notes)])
        )
    update = None
    if is_update:
        names = zip(paths, input_names(paths, known), strict=True)
        folders = tuple(f"{name}/" for path, name in names if path.is_dir())
        update = update_pack(target, entries, Sources.of(faqs, folders))
        notes += update.notes
    else:
        _write_pack(target, _pack_name(name, faqs, paths[0].resolve()), entries)
    left_out = len({note for note in notes if note.kind in LEFT_OUT})
    mostly = tuple(faq.file for faq in faqs if faq.is_mostly_left_out)
    changed = _answers_changed(questions, notes)
    return ImportResult(target, len(entries), joined_notes(notes), changed, left_out, update, mostly)


def _pack_name(name: str, faqs: Sequence[Faq], path: Path) -> str:
    stem = shown_name(path.stem).replace("_", " ").replace("-", " ").strip()
    first = faqs[0]
    is_question = asks(first.name) or any(question.is_alone for question in first.questions)
    title = "" if path.is_dir() or is_question else first.name
    chosen = without_control_characters(name or title or stem[:1].upper() + stem[1:])
    return " ".join(chosen.split())[:TITLE_LIMIT].rstrip() or "FAQ"


def _answers_changed(questions: Sequence[FaqQuestion], notes: Iterable[Note]) -> int:
    """The number of answers with a note: one on a line from a question's to the next one's."""
    starts: dict[tuple[str, str], list[int]] = {}
    for question in questions:
        starts.setdefault((question.file, question.sheet), []).append(question.line)
    changed = set()
    for note in notes:
        listed = sorted(starts.get((note.file, note.sheet), ()))
        if note.kind in ("left out", "changed") and listed and note.line >= listed[0]:
            changed.add((note.file, note.sheet, bisect_right(listed, note.line)))
    return len(changed)


# --- the folder


def _check_folder(folder: Path, is_update: bool) -> None:
    if is_update:
        if not (folder / "pack.yaml").is_file():
            raise AskPyError(
                f"{folder} is no pack that could be updated. Leave --update out, or name the pack with --into."
            )
    elif folder.is_dir() and any(folder.iterdir()):
        raise AskPyError(
            f"{folder} has files in it, and nothing is overwritten. Name a new folder with --into, or bring an imported pack "
            "up to date with --update."
        )
    elif folder.is_file():
        raise AskPyError(f"{folder} is a file. Name a new folder with --into.")


def _write_pack(folder: Path, name: str, entries: Sequence[tuple[NewEntry, FaqQuestion]]) -> None:
    """Write pack.yaml, answers.yaml and the record of the import into a folder that is new or empty."""
    texts = {
        "pack.yaml": f"name: {scalar(name, 'value')}\n",
        "answers.yaml": "\n".join(entry_yaml(entry) for entry, _ in entries),
        RECORD_FILE: record_text({entry.id: record_of(entry, question) for entry, question in entries}),
    }
    write_files(folder, texts, "Name another with --into.")


# --- questions to entries


def _entries(questions: Iterable[FaqQuestion], notes: list[Note]) -> list[tuple[NewEntry, FaqQuestion]]:
    """An entry for each question, with unique ids, titles and phrasings. Adds notes on what had to go for that."""
    by_phrase: dict[str, tuple[NewEntry, FaqQuestion]] = {}
    ids: set[str] = set()
    for read in questions:
        texts = (read.question, read.answer, read.title, *read.asks, *read.not_asks, *read.group)
        if any(find_control_character(text) is not None for text in texts):
            notes.append(Note(read.file, read.line, "control characters"))
        question, note = _told_apart(_cleaned(read), by_phrase)
        notes += [note] if note else []
        if question is not None:
            source_id = question.id if any(map(str.isalpha, question.id)) else ""
            new_id = slug(source_id or question.title or question.question, ids)
            ids.add(new_id)
            entry = NewEntry(new_id, "", question.answer, [question.question, *question.asks], list(question.not_asks))
            by_phrase[normalize_phrase(question.question)] = (entry, question)
    _set_titles(by_phrase, notes)
    _remove_shared_phrasings(by_phrase, notes)
    return list(by_phrase.values())


def _told_apart(
    question: FaqQuestion, known: dict[str, tuple[NewEntry, FaqQuestion]]
) -> tuple[FaqQuestion | None, Note | None]:
    """The question, with words that tell it from one that asks the same; None where it can't be an entry. And a note on that."""
    phrase = normalize_phrase(question.question)
    if not phrase:
        return None, _note(question, f"has no words ('{beginning(question.question)}')", "not taken")
    if phrase not in known:
        return question, None
    entry, first = known[phrase]
    place = (
        f"{'row' if first.sheet else 'line'} {first.line}"
        if first.file == question.file
        else f"{first.file}:{first.line}"
    )
    if question.answer in entry.answer.split("\n\n") or question.answer == entry.answer:
        entry.asks += question.asks
        return None, _note(question, f"stands in {place}, too: one entry", "not taken")
    candidates = worded_apart(question, first.group, first.file)
    distinct = next((text for text in candidates if normalize_phrase(text) not in known), None)
    if distinct is None:
        entry.asks += question.asks
        entry.answer += f"\n\n{question.answer}"
        text = f"asks what {place} asks: its answer stands below that one ('{beginning(question.question)}')"
        return None, _note(question, text, "changed")
    note = _note(question, f"asks what {place} asks: now '{beginning(distinct, 90)}'", "read as")
    return replace(question, question=distinct, title="", original=question.question), note


def _cleaned(question: FaqQuestion) -> FaqQuestion:
    """The question without control characters, which HTML can write as entities, and with blanks as an entry has them."""
    text = without_control_characters
    return replace(
        question,
        question=" ".join(text(question.question).split()),
        answer=text(question.answer).strip(),
        asks=tuple(map(text, question.asks)),
        not_asks=tuple(map(text, question.not_asks)),
        title=" ".join(text(question.title).split()),
        group=tuple(map(text, question.group)),
    )


def _set_titles(entries: dict[str, tuple[NewEntry, FaqQuestion]], notes: list[Note]) -> None:
    """Give each entry its title: the source's, unless another entry is found by it; else the question."""
    titles: set[str] = set()
    for phrase, (entry, question) in entries.items():
        own = normalize_phrase(question.title)
        is_free = own and own not in titles and (own == phrase or own not in entries)
        text = question.title if is_free else question.question
        if question.title and not is_free:
            notes.append(
                _note(
                    question,
                    f"the title '{beginning(question.title)}' is another entry's, too",
                    "not taken",
                )
            )
        entry.title = _shorten(text, TITLE_LIMIT)
        if entry.title != text:
            notes.append(_note(question, f"the title was shortened ('{beginning(text)}')", "read as"))
        titles.add(normalize_phrase(text))


def _remove_shared_phrasings(entries: dict[str, tuple[NewEntry, FaqQuestion]], notes: list[Note]) -> None:
    """Leave each phrasing to one entry: a question or title to its own, and what several entries list to none of them."""
    owners = Counter(
        phrase for entry, _ in entries.values() for phrase in {normalize_phrase(ask) for ask in entry.asks[1:]}
    )
    titles = {normalize_phrase(entry.title): phrase for phrase, (entry, _) in entries.items()}
    shared: dict[tuple[str, str], str] = {}
    for phrase, (entry, question) in entries.items():
        kept = {phrase: _shorten(entry.asks[0], PHRASING_LIMIT)}
        for text in entry.asks[1:]:
            key = normalize_phrase(text)
            if not key or key == phrase:
                continue
            if len(text) > PHRASING_LIMIT:
                notes.append(
                    _note(
                        question,
                        f"a phrasing of more than {PHRASING_LIMIT} characters",
                        "not taken",
                    )
                )
            elif is_bare(text) and entry.title.endswith(f": {text}") and _is_within_other(key, phrase, entries):
                continue
            elif key in entries or owners[key] > 1 or titles.get(key, phrase) != phrase:
                shared.setdefault((question.file, key), text)
            else:
                kept.setdefault(key, text)
        entry.asks = list(kept.values())
        not_asks = {key: ask for ask in entry.not_asks if (key := normalize_phrase(ask)) and len(ask) <= PHRASING_LIMIT}
        entry.not_asks = [text for key, text in not_asks.items() if key not in kept]
    for file in {file for file, _ in shared}:
        listed = [f"'{beginning(text)}'" for (owner, _), text in shared.items() if owner == file]
        more = f" and {len(listed) - 8} more" if len(listed) > 8 else ""
        notes.append(
            Note(file, 0, f"phrasings of more than one entry, which tell none of them: {', '.join(listed[:8])}{more}")
        )


def _is_within_other(key: str, phrase: str, entries: Iterable[str]) -> bool:
    """Whether the words of a phrasing are all in the question of another entry, which could be meant by it as well."""
    words = set(key.split())
    return any(words <= set(other.split()) for other in entries if other != phrase)


def _note(question: FaqQuestion, text: str, kind: NoteKind) -> Note:
    return Note(question.file, question.line, text, kind, question.sheet)


def _shorten(text: str, limit: int) -> str:
    return text if len(text) <= limit else (text[: limit - 1].rpartition(" ")[0] or text[: limit - 1]) + "…"
