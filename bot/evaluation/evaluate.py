"""Labelled questions are asked, and each answer is counted as right, offered, abstained or wrong, by slice."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

import numpy as np

from bot.model import AskPyError, Question, Reply

Grade = Literal["right", "offered", "abstained", "wrong"]
GRADES: tuple[Grade, ...] = ("right", "offered", "abstained", "wrong")
MAX_RECOMMENDED = 4
"""Cards of a recommendation that still counts as right."""
ID_LISTS = ("lenient", "ids", "members", "optional")
"""Optional keys of a label whose values are lists of ids."""


@dataclass(frozen=True, slots=True)
class LabelledQuestion:
    """One labelled question.

    Attributes:
        text: What is asked.
        gold: Ids of which one has to be answered; "unknown", "help", "smalltalk", "list:…" and "compare:…" besides.
            `list:[a b;c]` is a list that has a and b, may have c, and nothing else.
        label: The whole JSON object.
        line: In the file, counted from 1.
        is_follow_up: It is a later turn of a conversation.
    """

    text: str
    gold: tuple[str, ...]
    label: dict[str, Any] = field(repr=False)
    line: int = 0
    is_follow_up: bool = False

    @property
    def conversation(self) -> str | None:
        """The same for all turns of one conversation; None for a question by itself."""
        return self.label.get("talk")

    @property
    def is_out_of_scope(self) -> bool:
        """Whether the pack has no answer to it."""
        return "unknown" in self.gold


@dataclass(frozen=True, slots=True)
class JudgedReply:
    """A labelled question with its reply. `is_lenient`: the outcome is wrong, and the label tolerates the reply."""

    question: LabelledQuestion
    reply: Reply
    outcome: Grade
    is_lenient: bool = False


# --- files


def read_questions(path: Path) -> list[LabelledQuestion]:
    """Read a file of labelled questions, a JSON object a line. Raises AskPyError that names the first line at fault."""
    questions: list[LabelledQuestion] = []
    conversations: set[str] = set()
    for number, line in numbered_lines(path, "labelled questions"):
        try:
            label = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise AskPyError(f"{path}:{number}: not JSON ({error}); {_FORM}") from None
        if not isinstance(label, dict) or not isinstance(label.get("q"), str) or "gold" not in label:
            raise AskPyError(f"{path}:{number}: not a labelled question; {_FORM}")
        gold = [label["gold"]] if isinstance(label["gold"], str) else label["gold"]
        if not gold or not _is_id_list(gold):
            remedy = 'use "unknown" where nothing may be answered'
            raise AskPyError(f"{path}:{number}: gold is an id or a list of ids; {remedy}.")
        for name in ID_LISTS:
            if name in label and not _is_id_list(label[name]):
                raise AskPyError(f"{path}:{number}: {name} is a list of ids; correct it, or leave it out.")
        talk = label.get("talk", "")
        if not isinstance(talk, str):
            raise AskPyError(f"{path}:{number}: talk is the conversation's name, a text; correct it, or leave it out.")
        is_follow_up = bool(talk) and talk in conversations
        questions.append(LabelledQuestion(label["q"], tuple(gold), label, number, is_follow_up))
        conversations.add(talk)
    if not questions:
        raise AskPyError(f"{path} holds no labelled question; {_FORM}")
    return questions


def numbered_lines(path: Path, content: str) -> Iterator[tuple[int, str]]:
    """The lines of a file that aren't blank, with their numbers.

    Args:
        path: The file.
        content: What it should hold, for error messages.

    Raises:
        AskPyError: It can't be read, or isn't UTF-8.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except OSError as error:
        raise AskPyError(f"{path} can't be read: {error.strerror}. Name a file of {content}.") from None
    except UnicodeDecodeError as error:
        raise AskPyError(f"{path}: byte {error.start} is not UTF-8. Save the file as UTF-8.") from None
    return ((number, line) for number, line in enumerate(lines, 1) if line.strip())


_FORM = "each line is a JSON object with at least q, a text, and gold, an id or a list of ids."


def _is_id_list(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) and name for name in value)


def unknown_ids(questions: Iterable[LabelledQuestion], known_ids: Iterable[str]) -> dict[int, list[str]]:
    """Sentences about ids in labels that the pack doesn't have, by line, with the most similar id of the pack.

    Names after `list:` aren't looked at: a list is judged by its members.
    """
    faults: dict[int, list[str]] = {}
    known = list(known_ids)
    for question in questions:
        named = [("gold", name) for gold in question.gold for name in _ids_of(gold)]
        named += [(key, name) for key in ID_LISTS for name in question.label.get(key, ())]
        for key, name in dict.fromkeys(named):
            if name not in known:
                similar = get_close_matches(name, known, n=1)
                fault = f"{key} '{name}' is not in the pack" + (f"; did you mean '{similar[0]}'?" if similar else "")
                faults.setdefault(question.line, []).append(fault)
    return faults


def _ids_of(gold: str) -> list[str]:
    if gold.startswith("list:["):
        return [name for part in _listed(gold) for name in part]
    if gold in ("unknown", "help", "smalltalk") or gold.startswith("list:"):
        return []
    return gold.removeprefix("compare:").split(",")


def _listed(gold: str) -> tuple[list[str], list[str]]:
    """The ids that a list has to have, and those that it may have: `list:[a b;c]`."""
    must, _, may = gold.removeprefix("list:[").removesuffix("]").partition(";")
    return must.split(), may.split()


# --- judging


def ask_all(
    questions: Sequence[LabelledQuestion], ask: Callable[[Question], Reply], progress: Callable[[int], None]
) -> list[JudgedReply]:
    """Ask every question and judge its reply; turns of one conversation are asked as such, in their order.

    `progress`: called after each question with the number of questions asked.
    """
    judged = []
    for number, question in enumerate(questions, 1):
        judged.append(judge(question, ask(Question(question.text, conversation=question.conversation))))
        progress(number)
    return judged


def judge(question: LabelledQuestion, reply: Reply) -> JudgedReply:
    """Judge a reply by the question's label, as section 5 of the contract says."""
    outcome = _outcome(question, reply)
    lenient = outcome == "wrong" and bool(set(question.label.get("lenient", ())) & set(reply.ids))
    return JudgedReply(question, reply, outcome, lenient)


def _outcome(question: LabelledQuestion, reply: Reply) -> Grade:
    label = question.label
    if any(_is_right(gold, label, reply) for gold in question.gold):
        return "right"
    if reply.kind != "unknown":
        return "wrong"
    if label.get("beyond"):
        return "right"
    compared = {name for gold in question.gold if gold.startswith("compare:") for name in label.get("ids", ())}
    return "offered" if {*question.gold, *compared} & set(reply.ids) else "abstained"


def _is_right(gold: str, label: dict[str, Any], reply: Reply) -> bool:
    if gold in ("unknown", "help", "smalltalk"):
        is_smalltalk = gold != "unknown" and label.get("kind") == "smalltalk"
        return reply.kind == gold or (is_smalltalk and reply.kind in ("help", "smalltalk"))
    if gold.startswith("compare:"):
        return reply.kind == "compare" and set(reply.ids) == set(gold.removeprefix("compare:").split(","))
    if gold.startswith("list:["):
        must, may = map(set, _listed(gold))
        return reply.kind == "list" and bool(reply.ids) and must <= set(reply.ids) <= must | may
    if gold.startswith("list:"):
        members, optional = set(label.get("members", ())), set(label.get("optional", ()))
        if not members:
            return reply.kind == "list"
        return reply.kind == "list" and members <= set(reply.ids) <= members | optional
    if reply.kind == "recommend":
        return reply.ids[:1] == (gold,) and len(reply.ids) <= MAX_RECOMMENDED
    return reply.kind in ("topic", "step", "library") and reply.ids == (gold,)


# --- figures


def outcomes_by_slice(judged: Iterable[JudgedReply]) -> dict[str, Counter[str]]:
    """Outcomes by slice: covered and out-of-scope questions, near and far ones, kinds, styles, follow-ups.

    Each counter also has the number of lenient replies, under "lenient".
    """
    counts: dict[str, Counter[str]] = {}
    for result in judged:
        label = result.question.label
        names = ["out-of-scope" if result.question.is_out_of_scope else "covered"]
        names += [f"kind {label.get('kind', '?')}", f"style {label.get('style', '?')}"]
        if result.question.is_out_of_scope:
            names.append("out-of-scope, near" if label.get("near") else "out-of-scope, far")
        if result.question.is_follow_up:
            names.append("follow-up")
        for name in names:
            counter = counts.setdefault(name, Counter())
            counter[result.outcome] += 1
            counter["lenient"] += result.is_lenient
    return counts


def per_cent_right(judged: Sequence[JudgedReply]) -> float:
    """Per cent of the covered questions that are answered right."""
    covered = [result for result in judged if not result.question.is_out_of_scope]
    return 100 * sum(result.outcome == "right" for result in covered) / max(1, len(covered))


def confidence_auroc(judged: Sequence[JudgedReply]) -> float | None:
    """`auroc` of the confidence, covered against out-of-scope questions; None without both."""
    covered, out_of_scope = _confidences(judged)
    return auroc(covered, out_of_scope) if covered and out_of_scope else None


def coverage_without_false_answers(judged: Sequence[JudgedReply]) -> float | None:
    """Share of the covered questions with a confidence above that of every out-of-scope question; None without both."""
    covered, out_of_scope = _confidences(judged)
    if not covered or not out_of_scope:
        return None
    return sum(value > max(out_of_scope) for value in covered) / len(covered)


def _confidences(judged: Sequence[JudgedReply]) -> tuple[list[float], list[float]]:
    """Confidences of the replies to covered and to out-of-scope questions."""
    covered = [result.reply.confidence for result in judged if not result.question.is_out_of_scope]
    return covered, [result.reply.confidence for result in judged if result.question.is_out_of_scope]


def auroc(positives: Sequence[float], negatives: Sequence[float]) -> float:
    """Area under the ROC curve: the probability that a positive has a higher value than a negative; a tie counts half."""
    ranked = np.sort(positives)
    below = np.searchsorted(ranked, negatives, "left") + np.searchsorted(ranked, negatives, "right")
    return float(1 - below.mean() / 2 / len(ranked))
