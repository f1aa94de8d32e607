"""The dialogues at the engine and in the terminal; tests/slack runs them in Slack."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from bot.cli import main
from bot.engine import Engine, ProcessMemory
from bot.model import Question
from bot.reply import plain_text
from support.dialogues import DIALOGUES
from support.shipped import matcher

KINDS = {"topic", "step", "library", "compare", "list", "recommend", "help", "smalltalk", "unknown"}


def test_every_kind_of_reply_is_spoken_of_more_than_once() -> None:
    kinds = [turn.kind for dialogue in DIALOGUES.values() for turn in dialogue.turns]
    assert {kind for kind in kinds if kinds.count(kind) > 1} == KINDS


@pytest.mark.parametrize("name", DIALOGUES)
def test_by_the_engine(name: str) -> None:
    engine = Engine(matcher(), ProcessMemory())
    faults = []
    for turn in DIALOGUES[name].turns:
        reply = engine.answer(Question(turn.say, conversation="1"))
        faults.append(turn.fault(reply.kind, reply.ids, plain_text(reply)))
    assert [fault for fault in faults if fault] == []


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    """The terminal over the pack that is loaded already."""
    monkeypatch.setattr("bot.cli._engine", lambda _, memory=None: Engine(matcher(), memory))
    return CliRunner()


def test_in_the_terminal(terminal: CliRunner) -> None:
    """All of them in one process, an empty line between two."""
    typed = "\n\n".join("\n".join(turn.say for turn in dialogue.turns) for dialogue in DIALOGUES.values())
    ran = terminal.invoke(main, ["chat", "--json"], input=typed.encode())
    replies = [json.loads(line) for line in ran.stdout.splitlines()]
    turns = [turn for dialogue in DIALOGUES.values() for turn in dialogue.turns]
    assert (ran.exit_code, [reply["question"] for reply in replies]) == (0, [turn.say for turn in turns])
    faults = [turn.fault(r["kind"], r["ids"], r["text"]) for turn, r in zip(turns, replies, strict=True)]
    assert [fault for fault in faults if fault] == []


def test_in_the_terminal_as_a_person_sees_them(terminal: CliRunner) -> None:
    """Drawn, every answer shows what it has to say, wherever its lines are broken."""
    turns = [turn for dialogue in DIALOGUES.values() for turn in dialogue.turns if turn.says and turn.kind != "compare"]
    shown = [terminal.invoke(main, ["chat"], input=turn.say.encode()).stdout for turn in turns]
    drawn = [" ".join(text.replace("│", " ").split()) for text in shown]
    assert [turn.say for turn, text in zip(turns, drawn, strict=True) if turn.says.strip() not in text] == []
