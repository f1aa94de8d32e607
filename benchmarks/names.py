"""How questions about names that the pack doesn't have are answered: `python -m benchmarks.names FILE`.

A line of the file is a JSON object: `q`, the question; `name`, the name in it; `real`, 1 for a name that exists, 0 for an
invented one. An answer that doesn't say the name is the one to avoid: who reads it takes it for an answer about the name.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bot.engine import Engine
from bot.knowledge import load
from bot.model import Question, Reply
from bot.reply import plain_text
from bot.settings import read_settings
from bot.text import words
from bot.understanding import Matcher

Outcome = Literal["without a word", "with a word", "offered", "unknown"]
OUTCOMES: tuple[Outcome, ...] = ("without a word", "with a word", "offered", "unknown")
SILENT = OUTCOMES[0]


@dataclass(frozen=True, slots=True)
class NamedQuestion:
    """A question, the name in it that the pack doesn't have, and whether something has that name."""

    text: str
    name: str
    is_real: bool


@dataclass(frozen=True, slots=True)
class NamedAnswer:
    """What became of a question: the reply's kind and ids, and the outcome."""

    question: NamedQuestion
    reply: Reply
    outcome: Outcome


def read_questions(file: Path) -> list[NamedQuestion]:
    """The questions of a file."""
    lines = filter(None, file.read_text(encoding="utf-8").splitlines())
    rows = map(json.loads, lines)
    return [NamedQuestion(row["q"], row["name"], bool(row["real"])) for row in rows]


def ask(engine: Engine, questions: Iterable[NamedQuestion]) -> list[NamedAnswer]:
    """Ask each by itself."""
    replies = [(question, engine.answer(Question(question.text))) for question in questions]
    return [NamedAnswer(question, reply, outcome_of(reply, question.name)) for question, reply in replies]


def outcome_of(reply: Reply, name: str) -> Outcome:
    """Whether a reply answers, and says the name in its plain text."""
    if reply.kind == "unknown":
        return "offered" if reply.ids else "unknown"
    return "with a word" if _says(plain_text(reply), name) else SILENT


def _says(text: str, name: str) -> bool:
    """Whether a text has a name's words one after the other; how the name is written apart doesn't matter."""
    return f" {' '.join(words(name))} " in f" {' '.join(words(text))} "


def as_table(answers: Sequence[NamedAnswer]) -> Table:
    """Outcomes of real and of invented names, and of all."""
    table = Table(box=None)
    table.add_column("names")
    for heading in ("asked", *OUTCOMES, f"{SILENT}, %"):
        table.add_column(heading, justify="right")
    kinds = (
        ("real", [answer for answer in answers if answer.question.is_real]),
        ("invented", [answer for answer in answers if not answer.question.is_real]),
        ("all", list(answers)),
    )
    for label, listed in kinds:
        counts = Counter(answer.outcome for answer in listed)
        share = 100 * counts[SILENT] / len(listed) if listed else 0.0
        cells = (str(len(listed)), *(str(counts[outcome]) for outcome in OUTCOMES), f"{share:.1f}")
        table.add_row(label, *cells)
    return table


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--verbose", is_flag=True, help="List every question that is answered without a word on the name.")
def main(file: Path, verbose: bool) -> None:
    """Ask questions about names that the pack doesn't have, and count the answers that don't say the name."""
    settings = read_settings()
    answers = ask(Engine(Matcher.from_knowledge(load(settings.pack), settings.cache_folder)), read_questions(file))
    console = Console()
    console.print(as_table(answers))
    for answer in answers if verbose else ():
        if answer.outcome == SILENT:
            ids = " ".join((answer.reply.kind, *answer.reply.ids))
            console.print(escape(f"{answer.question.text}  [{answer.question.name}] -> {ids}"), soft_wrap=True)


if __name__ == "__main__":
    main()
