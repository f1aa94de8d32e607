"""Evaluate: labelled questions through the engine, counted as right, offered, abstained or wrong by slice."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

from bot.model import AskPyError, Question, Reply

Outcome = Literal["right", "offered", "abstained", "wrong"]
MOST_RECOMMENDED = 4
LISTS = ("lenient", "ids", "members", "optional")
"""What a label may have besides, each a list of ids."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """One labelled question; `label` is its JSON object, in the contract's form."""

    text: str
    gold: tuple[str, ...]
    label: dict[str, Any] = field(repr=False)
    line: int = 0
    follows: bool = False
    """A later turn of a conversation."""

    @property
    def conversation(self) -> str | None:
        """What its turns share; none for a question by itself."""
        return self.label.get("talk")


@dataclass(frozen=True, slots=True)
class Judged:
    """A question, what was replied, and how it is judged."""

    question: Labelled
    reply: Reply
    outcome: Outcome
    lenient: bool = False


def read_questions(path: Path) -> list[Labelled]:
    """Read JSON lines of labelled questions; raises AskPyError that names the line it can't use."""
    found: list[Labelled] = []
    talks: set[str] = set()
    for number, line in numbered_lines(path, "labelled questions"):
        try:
            label = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise AskPyError(f"{path}:{number}: not JSON ({error}); {_FORM}") from None
        if not isinstance(label, dict) or not isinstance(label.get("q"), str) or "gold" not in label:
            raise AskPyError(f"{path}:{number}: not a labelled question; {_FORM}")
        gold = [label["gold"]] if isinstance(label["gold"], str) else label["gold"]
        if not gold or not _is_ids(gold):
            remedy = 'use "unknown" where nothing may be answered'
            raise AskPyError(f"{path}:{number}: gold is an id or a list of ids; {remedy}.")
        for name in LISTS:
            if name in label and not _is_ids(label[name]):
                raise AskPyError(f"{path}:{number}: {name} is a list of ids; correct it, or leave it out.")
        talk = label.get("talk", "")
        if not isinstance(talk, str):
            raise AskPyError(f"{path}:{number}: talk is the conversation's name, a text; correct it, or leave it out.")
        found.append(Labelled(label["q"], tuple(gold), label, number, bool(talk) and talk in talks))
        talks.add(talk)
    if not found:
        raise AskPyError(f"{path} holds no labelled question; {_FORM}")
    return found


def numbered_lines(path: Path, of: str) -> Iterator[tuple[int, str]]:
    """The lines of a file `of` something, but for empty ones, with their numbers; raises AskPyError where it can't be read."""
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except OSError as error:
        raise AskPyError(f"{path} can't be read: {error.strerror}. Name a file of {of}.") from None
    except UnicodeDecodeError as error:
        raise AskPyError(f"{path}: byte {error.start} is not UTF-8. Save the file as UTF-8.") from None
    return ((number, line) for number, line in enumerate(lines, 1) if line.strip())


_FORM = "each line is a JSON object with at least q, a text, and gold, an id or a list of ids."


def _is_ids(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) and each for each in value)


def unheard_of(questions: Iterable[Labelled], known: Iterable[str]) -> dict[int, list[str]]:
    """By line, the ids that a label names and the pack doesn't have, each with the field and the nearest that it has.

    What stands behind `list:` is a name for people: a list is judged by its members.
    """
    found: dict[int, list[str]] = {}
    entries = list(known)
    for question in questions:
        named = [("gold", each) for gold in question.gold for each in _ids_of(gold)]
        named += [(name, each) for name in LISTS for each in question.label.get(name, ())]
        for name, each in dict.fromkeys(named):
            if each not in entries:
                near = get_close_matches(each, entries, n=1)
                told = f"{name} '{each}' is not in the pack" + (f"; did you mean '{near[0]}'?" if near else "")
                found.setdefault(question.line, []).append(told)
    return found


def _ids_of(gold: str) -> list[str]:
    if gold in ("unknown", "help", "smalltalk") or gold.startswith("list:"):
        return []
    return gold.removeprefix("compare:").split(",")


def judge(question: Labelled, reply: Reply) -> Judged:
    """How a reply to a labelled question counts, by section 5 of the contract."""
    outcome = _outcome(question, reply)
    lenient = outcome == "wrong" and bool(set(question.label.get("lenient", ())) & set(reply.ids))
    return Judged(question, reply, outcome, lenient)


def _outcome(question: Labelled, reply: Reply) -> Outcome:
    label = question.label
    if any(_is_right(gold, label, reply) for gold in question.gold):
        return "right"
    if reply.kind != "unknown":
        return "wrong"
    if label.get("beyond"):
        return "right"
    wanted = set(question.gold) | {
        i for gold in question.gold if gold.startswith("compare:") for i in label.get("ids", ())
    }
    return "offered" if wanted & set(reply.ids) else "abstained"


def _is_right(gold: str, label: dict[str, Any], reply: Reply) -> bool:
    if gold in ("unknown", "help", "smalltalk"):
        talk = gold != "unknown" and label.get("kind") == "smalltalk"
        return reply.kind == gold or (talk and reply.kind in ("help", "smalltalk"))
    if gold.startswith("compare:"):
        return reply.kind == "compare" and set(reply.ids) == set(gold.removeprefix("compare:").split(","))
    if gold.startswith("list:"):
        members, optional = set(label.get("members", ())), set(label.get("optional", ()))
        if not members:
            return reply.kind == "list"
        return reply.kind == "list" and members <= set(reply.ids) <= members | optional
    if reply.kind == "recommend":
        return reply.ids[:1] == (gold,) and len(reply.ids) <= MOST_RECOMMENDED
    return reply.kind in ("topic", "step", "library") and reply.ids == (gold,)


def run(
    questions: Sequence[Labelled], ask: Callable[[Question], Reply], progress: Callable[[int], None]
) -> list[Judged]:
    """Ask every question by itself, the turns of a talk in their order as one conversation; `progress` is told after each."""
    judged = []
    for number, question in enumerate(questions, 1):
        judged.append(judge(question, ask(Question(question.text, conversation=question.conversation))))
        progress(number)
    return judged


def slices(judged: Iterable[Judged]) -> dict[str, Counter[str]]:
    """Outcomes by slice: all together, by family, by style, strangers near and far, and turns that follow others."""
    counted: dict[str, Counter[str]] = {}
    for one in judged:
        label = one.question.label
        stranger = "unknown" in one.question.gold
        names = ["strangers" if stranger else "covered"]
        names += [f"kind {label.get('kind', '?')}", f"style {label.get('style', '?')}"]
        if stranger:
            names.append("strangers, near" if label.get("near") else "strangers, far")
        if one.question.follows:
            names.append("follow-up")
        for name in names:
            counter = counted.setdefault(name, Counter())
            counter[one.outcome] += 1
            counter["lenient"] += one.lenient
    return counted


def auroc(judged: Sequence[Judged]) -> float | None:
    """How well confidence tells covered questions from strangers: 1 always, .5 by chance; None without both."""
    covered = [one.reply.confidence for one in judged if "unknown" not in one.question.gold]
    strangers = [one.reply.confidence for one in judged if "unknown" in one.question.gold]
    if not covered or not strangers:
        return None
    ranked = sorted([(value, 1) for value in covered] + [(value, 0) for value in strangers])
    total, at = 0.0, 0
    while at < len(ranked):
        tied = [row for row in ranked[at:] if row[0] == ranked[at][0]]
        total += sum(kind for _, kind in tied) * (at + (len(tied) + 1) / 2)
        at += len(tied)
    return (total - len(covered) * (len(covered) + 1) / 2) / (len(covered) * len(strangers))


def coverage_without_false_answers(judged: Sequence[Judged]) -> float | None:
    """Share of covered questions whose confidence is above every stranger's."""
    strangers = [one.reply.confidence for one in judged if "unknown" in one.question.gold]
    covered = [one.reply.confidence for one in judged if "unknown" not in one.question.gold]
    if not covered or not strangers:
        return None
    return sum(value > max(strangers) for value in covered) / len(covered)
