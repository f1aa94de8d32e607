"""What two states of a pack answer differently, to see what an edit changes before it is merged.

Every phrasing and listed out-of-scope question of either state is asked, the dialogues beside the pack, and a file of questions.
Entries whose texts differ are reported apart from answers that go to another entry.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal

from bot.curation.source_locations import (
    NO_LOCATION,
    SourceLocation,
    SourceLocations,
    phrasings,
    source_locations,
)
from bot.engine import Engine, ProcessMemory
from bot.evaluation.evaluate import numbered_lines
from bot.knowledge import PackFiles
from bot.knowledge.files import OUT_OF_SCOPE_FILE
from bot.knowledge.yaml_reader import read
from bot.model import AskPyError, Entry, Group, Kind, Knowledge, Question
from bot.retrieval.index import OUT_OF_SCOPE
from bot.text import clean, normalize_phrase, words
from bot.understanding import Matcher
from bot.understanding.targets import targets_of

DIALOGUES_FOLDER = Path("tests") / "dialogues"
"""Beside the pack's folder: YAML files of conversations, each with `turns` that `say` something."""


def dialogues_of(pack: Path) -> Path:
    """The folder of a pack's dialogues, which may not exist. Those beside `knowledge` are that pack's, and no other's there."""
    folder = pack.resolve().parent
    is_anothers = (folder / "knowledge" / "pack.yaml").is_file() and pack.resolve().name != "knowledge"
    return (pack.resolve() if is_anothers else folder) / DIALOGUES_FOLDER


TextSource = Literal["phrasing", "out-of-scope question", "dialogue", "question"]
TEXT_SOURCES: tuple[TextSource, ...] = ("phrasing", "out-of-scope question", "dialogue", "question")

HIDDEN_FIELDS = frozenset(
    "id asks not_asks list_asks pick_asks aliases names words also file line all answer_format plain_answer".split()
)
"""Fields that decide which entry answers, or that no answer shows."""
YAML_FIELDS = {"number": "step"}
"""Fields that a pack calls otherwise than `model` does."""


@dataclass(frozen=True, slots=True)
class ComparedText:
    """A text that both states are asked. `conversation`: the same for all turns of one dialogue, None for a text by itself."""

    source: TextSource
    text: str
    location: SourceLocation
    conversation: str | None = None


@dataclass(frozen=True, slots=True)
class AnsweredIds:
    """What is compared of a reply."""

    kind: Kind
    ids: tuple[str, ...]

    def __str__(self) -> str:
        return " ".join((self.kind, *self.ids))


@dataclass(frozen=True, slots=True)
class AnswerChange:
    """A text whose answers differ."""

    asked: ComparedText
    old: AnsweredIds
    new: AnsweredIds


@dataclass(frozen=True, slots=True)
class TextChange:
    """A field of an entry or group that answers show and that differs. `location`: in the new state."""

    id: str
    field: str
    location: SourceLocation


@dataclass(frozen=True, slots=True)
class PackState:
    """One of the two states."""

    knowledge: Knowledge
    locations: SourceLocations
    ask: Callable[[Question], AnsweredIds]


def pack_state(files: PackFiles, matcher: Matcher) -> PackState:
    """The state of the pack in `files`. `matcher`: built for it."""
    engine, targets, exact = Engine(matcher, ProcessMemory()), targets_of(matcher.knowledge), matcher.index.exact

    def ask(question: Question) -> AnsweredIds:
        """Texts that are listed word for word needn't be ranked: a test shows that the answers are the same."""
        listed = exact.find(words(clean(question.text))) if question.conversation is None else None
        if listed == OUT_OF_SCOPE:
            return AnsweredIds("unknown", ())
        if listed is not None and listed >= 0 and targets[listed].kind == "entry":
            entry = matcher.knowledge.by_id[targets[listed].id]
            return AnsweredIds(entry.kind, (entry.id,))
        reply = engine.answer(question)
        return AnsweredIds(reply.kind, reply.ids)

    return PackState(matcher.knowledge, source_locations(files, matcher.knowledge), ask)


# --- what is asked


def texts_to_ask(old: PackState, new: PackState, dialogues: Path, questions: Path | None = None) -> list[ComparedText]:
    """Everything that both states are asked.

    Args:
        old, new: A text of both states has its location in the new one.
        dialogues: A folder; it may be missing.
        questions: A file of questions, one a line as they are or as JSON objects with `q`.

    Raises:
        AskPyError: A dialogue or the file of questions can't be read.
    """
    listed: dict[tuple[TextSource, str], ComparedText] = {}
    for text in (*_listed_texts(new), *_listed_texts(old, is_old=True)):
        listed.setdefault((text.source, normalize_phrase(text.text)), text)
    asked = [*listed.values(), *_dialogue_turns(dialogues)]
    if questions is not None:
        asked += _questions(questions)
    return asked


def _listed_texts(state: PackState, is_old: bool = False) -> Iterable[ComparedText]:
    """The phrasings and out-of-scope questions of one state."""

    def location(owner: str, text: str) -> SourceLocation:
        file, line = state.locations.of(owner, text)
        return (f"{file} (old)" if is_old else file), line

    for text, target in phrasings(state.knowledge):
        yield ComparedText("phrasing", text, location(target.id, text))
    for owner in _entries_and_groups(state):
        for text in owner.not_asks:
            yield ComparedText("out-of-scope question", text, location(owner.id, text))
    for text in state.knowledge.out_of_scope.asks:
        yield ComparedText("out-of-scope question", text, location(OUT_OF_SCOPE_FILE, text))


def _dialogue_turns(folder: Path) -> Iterable[ComparedText]:
    """Every user's turn of the dialogues, in order."""
    for path in sorted(folder.glob("*.yaml")):
        document = read(path, path.name)
        if document.faults:
            raise AskPyError(f"The dialogues can't be read: {document.faults[0]}")
        for number, dialogue in enumerate(document.value if isinstance(document.value, list) else ()):
            turns = dialogue.get("turns") if isinstance(dialogue, dict) else None
            for position, turn in enumerate(turns if isinstance(turns, list) else ()):
                text = turn.get("say") if isinstance(turn, dict) else None
                if isinstance(text, str):
                    line = document.line((number, "turns", position, "say"))
                    yield ComparedText("dialogue", text, (path.name, line), f"{path.name} {number}")


def _questions(path: Path) -> Iterable[ComparedText]:
    """The questions of a file. Labels aren't needed and are ignored."""
    for number, line in numbered_lines(path, "questions"):
        text: object = line.strip()
        if line.lstrip().startswith("{"):
            try:
                text = json.loads(line).get("q")
            except (ValueError, RecursionError):
                text = None
        if not isinstance(text, str):
            raise AskPyError(f"{path}:{number}: no question; write it as it is, or as a JSON object with q, a text.")
        yield ComparedText("question", text, (path.name, number))


# --- what differs


def answer_changes(
    old: PackState,
    new: PackState,
    asked: Sequence[ComparedText],
    track: Callable[[Sequence[ComparedText]], Iterable[ComparedText]] = iter,
) -> list[AnswerChange]:
    """Ask both states; the texts whose answers differ, in the order in which they were asked.

    `track`: yields the texts one by one, say with a progress bar.
    """
    changes = []
    for text in track(asked):
        question = Question(text.text, conversation=text.conversation)
        before, after = old.ask(question), new.ask(question)
        if before != after:
            changes.append(AnswerChange(text, before, after))
    return changes


def text_changes(old: PackState, new: PackState) -> list[TextChange]:
    """Fields that answers show and that differ, of entries and groups that both states have."""
    before = {owner.id: owner for owner in _entries_and_groups(old)}
    changes = []
    for owner in _entries_and_groups(new):
        if owner.id not in before:
            continue
        old_fields, new_fields = _shown_fields(before[owner.id]), _shown_fields(owner)
        for name in dict.fromkeys([*new_fields, *old_fields]):
            if new_fields.get(name) != old_fields.get(name):
                start = new.locations.owners.get(owner.id, NO_LOCATION)
                location = new.locations.fields.get((owner.id, name), start)
                changes.append(TextChange(owner.id, name, location))
    return changes


def _entries_and_groups(state: PackState) -> tuple[Entry | Group, ...]:
    return (*state.knowledge.entries, *state.knowledge.groups)


def _shown_fields(owner: Entry | Group) -> dict[str, object]:
    """The fields that answers show and that aren't empty, by their names in a pack."""
    values = {YAML_FIELDS.get(field.name, field.name): getattr(owner, field.name) for field in fields(owner)}
    return {name: value for name, value in values.items() if value and name not in HIDDEN_FIELDS}


def summarize(changes: Sequence[AnswerChange], asked: Sequence[ComparedText]) -> str:
    """One sentence: how many answers differ, in all and by source."""
    total = {source: sum(text.source == source for text in asked) for source in TEXT_SOURCES}
    changed = {source: sum(change.asked.source == source for change in changes) for source in TEXT_SOURCES}
    parts = [f"{changed[s]} of {total[s]:,} {s}{'s' * (total[s] != 1)}" for s in TEXT_SOURCES if total[s]]
    return f"{len(changes)} of {len(asked):,} answers differ: {', '.join(parts)}."
