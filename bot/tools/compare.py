"""Compare: what two states of a pack answer differently, so that an edit's reach is seen before it goes in.

Asked are every phrasing and every listed stranger of either state, the dialogues beside the pack, and a file of questions.
Entries that answer the same questions in other words are told apart from that.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from bot.curation.source_locations import (
    NO_LOCATION,
    STRANGERS,
    SourceLocation,
    SourceLocations,
    key,
    phrasings,
    source_locations,
)
from bot.engine import Engine, ProcessMemory
from bot.knowledge.reader import read
from bot.match import Matcher
from bot.match.exact import STRANGER
from bot.match.targets import targets_of
from bot.model import AskPyError, Entry, Group, Kind, Knowledge, Question
from bot.text import clean
from bot.tools.evaluate import numbered_lines

DIALOGUES = Path("tests") / "dialogues"
"""Beside the pack's folder: YAML files of conversations, each with `turns` that `say` something."""

Source = str
"""Where a line that is asked comes from: phrasing, stranger, dialogue or question."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A line that both states are asked; `conversation` is the same for the turns of one dialogue."""

    source: Source
    text: str
    place: SourceLocation
    conversation: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What counts of an answer."""

    kind: Kind
    ids: tuple[str, ...]

    def __str__(self) -> str:
        return " ".join((self.kind, *self.ids))


@dataclass(frozen=True, slots=True)
class Change:
    """A line whose answer differs."""

    asked: Asked
    old: Answer
    new: Answer


@dataclass(frozen=True, slots=True)
class Reworded:
    """A field of an entry or group that is shown to people, and isn't what it was."""

    id: str
    field: str
    place: SourceLocation


@dataclass(frozen=True, slots=True)
class State:
    """A pack as it was or is: what it knows, where, and who answers from it."""

    knowledge: Knowledge
    places: SourceLocations
    ask: Callable[[Question], Answer]


def state(folder: Path, matcher: Matcher) -> State:
    """The state of the pack in `folder`, which `matcher` is for."""
    engine, targets, exact = Engine(matcher, ProcessMemory()), targets_of(matcher.knowledge), matcher.index.exact

    def ask(question: Question) -> Answer:
        whole = exact.entry(clean(question.text)) if question.conversation is None else None
        if whole == STRANGER:  # listed word for word: nothing else is looked at
            return Answer("unknown", ())
        if whole is not None and whole >= 0 and targets[whole].kind == "entry":
            entry = matcher.knowledge.by_id[targets[whole].id]
            return Answer(entry.kind, (entry.id,))
        reply = engine.answer(question)
        return Answer(reply.kind, reply.ids)

    return State(matcher.knowledge, source_locations(folder, matcher.knowledge), ask)


def lines(old: State, new: State, dialogues: Path, questions: Path | None = None) -> list[Asked]:
    """Everything that is asked, each line once; the new state's place of it, where it has one."""
    found: dict[tuple[Source, str], Asked] = {}
    for each in (*_phrasings(new), *_phrasings(old, gone=True)):
        found.setdefault((each.source, key(each.text)), each)
    asked = [*found.values(), *_dialogues(dialogues)]
    if questions is not None:
        asked += _questions(questions)
    return asked


def _questions(path: Path) -> Iterable[Asked]:
    """A question a line: as it is, or in the form of labelled questions, of which only the question counts here."""
    for number, line in numbered_lines(path, "questions"):
        text: object = line.strip()
        if line.lstrip().startswith("{"):
            try:
                text = json.loads(line).get("q")
            except (ValueError, RecursionError):
                text = None
        if not isinstance(text, str):
            raise AskPyError(f"{path}:{number}: no question; write it as it is, or as a JSON object with q, a text.")
        yield Asked("question", text, (path.name, number))


def _phrasings(state: State, gone: bool = False) -> Iterable[Asked]:
    """The phrasings and listed strangers of one state; `gone`: it is the old one, and its places are marked."""

    def place(owner: str, text: str) -> SourceLocation:
        file, line = state.places.of(owner, text)
        return (f"{file} (old)" if gone else file), line

    for text, target in phrasings(state.knowledge):
        yield Asked("phrasing", text, place(target.id, text))
    for owner in _owners(state):
        yield from (Asked("stranger", text, place(owner.id, text)) for text in owner.not_asks)
    yield from (Asked("stranger", text, place(STRANGERS, text)) for text in state.knowledge.strangers.asks)


def _dialogues(folder: Path) -> Iterable[Asked]:
    """Every line that is said in the dialogues, in order."""
    for path in sorted(folder.glob("*.yaml")):
        document = read(path, path.name)
        if document.faults:
            raise AskPyError(f"The dialogues can't be read: {document.faults[0]}")
        for number, dialogue in enumerate(document.value if isinstance(document.value, list) else ()):
            turns = dialogue.get("turns") if isinstance(dialogue, dict) else None
            for at, turn in enumerate(turns if isinstance(turns, list) else ()):
                said = turn.get("say") if isinstance(turn, dict) else None
                if isinstance(said, str):
                    line = document.line((number, "turns", at, "say"))
                    yield Asked("dialogue", said, (path.name, line), f"{path.name} {number}")


def changes(
    old: State, new: State, asked: Sequence[Asked], track: Callable[..., Iterable[Asked]] = iter
) -> list[Change]:
    """The lines whose answers differ, in the order in which they are asked."""
    found = []
    for one in track(asked):
        question = Question(one.text, conversation=one.conversation)
        before, after = old.ask(question), new.ask(question)
        if before != after:
            found.append(Change(one, before, after))
    return found


def reworded(old: State, new: State) -> list[Reworded]:
    """What entries and groups of both states say otherwise, in the new state's order, with its places."""
    before = {one.id: one for one in _owners(old)}
    found = []
    for now in _owners(new):
        if now.id not in before:
            continue
        was, says = _said(before[now.id]), _said(now)
        for name in dict.fromkeys([*says, *was]):
            if says.get(name) != was.get(name):
                start = new.places.owners.get(now.id, NO_LOCATION)
                found.append(Reworded(now.id, name, new.places.fields.get((now.id, name), start)))
    return found


def _owners(state: State) -> tuple[Entry | Group, ...]:
    return (*state.knowledge.entries, *state.knowledge.groups)


def _said(one: Entry | Group) -> dict[str, object]:
    """What people are shown of it, by the field's name in the pack, without what is empty."""
    told = {_YAML.get(each.name, each.name): getattr(one, each.name) for each in fields(one)}
    return {name: value for name, value in told.items() if value and name not in UNSAID}


UNSAID = frozenset("id asks not_asks list_asks pick_asks aliases names words also file line all".split())
"""Fields that decide which entry answers, or stand in no answer."""
_YAML = {"number": "step"}


def summary(changed: Sequence[Change], asked: Sequence[Asked]) -> str:
    """One sentence: how many of what."""
    total: Mapping[Source, int] = {source: sum(a.source == source for a in asked) for source in SOURCES}
    counted = {source: sum(change.asked.source == source for change in changed) for source in SOURCES}
    parts = [f"{counted[s]} of {total[s]:,} {s}{'s' * (total[s] != 1)}" for s in SOURCES if total[s]]
    return f"{len(changed)} of {len(asked):,} answers differ: {', '.join(parts)}."


SOURCES: tuple[Source, ...] = ("phrasing", "stranger", "dialogue", "question")
