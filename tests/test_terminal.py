"""The terminal: every kind of reply as it is drawn there, and where conversations begin."""

from __future__ import annotations

import io
import os
import pty
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from bot import terminal
from bot.engine import Engine, ProcessMemory
from bot.model import ConversationState, Reply
from bot.terminal import MAX_WIDTH, FittingTable, console, conversations, echo, render
from support.samples import FINDINGS, golden, sample
from support.shipped import FOLDER, ROOT, answer, matcher

WIDTH = 72


def drawn(reply: Reply, width: int = WIDTH, **options: object) -> str:
    """A reply on a screen this wide."""
    out: Console = console(file=io.StringIO(), width=width, **options)
    out.print(render(reply))
    return out.file.getvalue()  # type: ignore[attr-defined,no-any-return]


@pytest.mark.parametrize("name", FINDINGS)
def test_the_terminal_shows_what_it_showed_before(name: str) -> None:
    text = re.sub(r" +$", "", drawn(sample(name)), flags=re.MULTILINE)
    assert text == golden(f"{name}.terminal.txt", text)


SAID = [
    "flask",
    "what is the roadmap",
    "step 2",
    "list all libraries",
    "flask vs django vs fastapi",
    "which orm should i take",
]


@pytest.mark.parametrize("width", [24, 40, 80, 300])
def test_nothing_is_wider_than_the_screen(width: int) -> None:
    lines = [line for text in SAID for line in drawn(answer(text), width).splitlines()]
    assert [line for line in lines if len(line) > min(width, MAX_WIDTH)] == []


@pytest.mark.parametrize("width", [40, 80])
def test_no_word_of_an_answer_is_lost(width: int) -> None:
    answers = [
        part.text for name in ("topic", "roadmap", "step") for part in sample(name).parts if hasattr(part, "text")
    ]
    shown = " ".join(" ".join(drawn(sample(name), width).split()) for name in ("topic", "roadmap", "step"))
    assert [word for text in answers for word in text.split() if word != "-" and word not in shown] == []


def test_a_comparison_stands_side_by_side_only_where_its_words_have_room() -> None:
    two, five = answer("flask or django"), answer("compare flask, django, fastapi, tornado and pyramid")
    side_by_side = re.compile(r"^ +Flask +Django", re.MULTILINE)
    wide = {
        (reply.ids[-1], width): bool(side_by_side.search(drawn(reply, width)))
        for reply in (two, five)
        for width in (40, 80)
    }
    assert wide == {("django", 40): False, ("django", 80): True, ("pyramid", 40): False, ("pyramid", 80): False}
    blocks = drawn(five, 40).split("\n\n")[2:7]  # behind the heading and what they have in common
    assert [block.splitlines()[0].strip() for block in blocks] == ["Flask", "Django", "FastAPI", "Tornado", "Pyramid"]
    assert [block for block in blocks if not re.search(r"^Install +pip install", block, re.MULTILINE)] == []


ROWS = (("a.yaml:1", "one two three four five", "12"), ("b.yaml:2", "", "7"))
TABLES = {
    40: """\
place     asked                    times
a.yaml:1  one two three four five     12
b.yaml:2                               7
""",
    33: """\
place     asked             times
a.yaml:1  one two three        12
          four five
b.yaml:2                        7
""",
    30: """\
a.yaml:1
asked  one two three four five
times  12

b.yaml:2
times  7
""",
}


@pytest.mark.parametrize("width", TABLES)
def test_a_table_that_does_not_fit_becomes_blocks(width: int) -> None:
    out = console(file=io.StringIO(), width=width)
    out.print(FittingTable(("place", "asked", "times"), ROWS, right=[2]))
    shown = out.file.getvalue()  # type: ignore[attr-defined]
    assert re.sub(r" +$", "", shown, flags=re.MULTILINE) == TABLES[width]


class Screen(io.StringIO):
    """A stand-in for a terminal."""

    def isatty(self) -> bool:
        return True


SENTENCE = "  faults in answers.yaml:12: 'how do i get a new phone' stands twice"


def test_a_line_is_broken_between_words_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    for stream, lines in ((Screen(), 2), (io.StringIO(), 1)):
        monkeypatch.setattr(sys, "stdout", stream)
        echo(SENTENCE)
        assert len(stream.getvalue().splitlines()) == lines
        assert stream.getvalue().split() == SENTENCE.split()


def test_what_looks_like_markup_is_shown_as_it_is() -> None:
    assert "Pine is soft, cheap & <forgiving>; *knots* are not." in drawn(sample("topic"))


def test_colour_is_for_terminals_only() -> None:
    assert "\x1b" in drawn(sample("library"), force_terminal=True, color_system="standard", no_color=False, _environ={})
    assert "\x1b" not in drawn(sample("library"))


# --- the conversation

LINES = {
    "one conversation": (["a", "b"], [("a", "1"), ("b", "1")]),
    "an empty line begins another": (["a", "", "b", "c"], [("a", "1"), ("b", "2"), ("c", "2")]),
    "so does one of blanks": (["a", " \t\r", "b"], [("a", "1"), ("b", "2")]),
    "empty lines first and last": (["", "a", ""], [("a", "2")]),
    "nothing": ([], []),
}


@pytest.mark.parametrize("name", LINES)
def test_where_conversations_begin(name: str) -> None:
    lines, expected = LINES[name]
    assert list(conversations(lines)) == expected


def typed(monkeypatch: pytest.MonkeyPatch, *lines: str) -> str:
    """What a person at the keyboard sees who types these lines, and then Ctrl-D."""
    answers: Iterator[str] = iter(lines)

    def next_line(prompt: str) -> str:
        sys.stdout.write(prompt)
        try:
            line = next(answers)
        except StopIteration:
            raise EOFError from None
        sys.stdout.write(f"{line}\n")
        return line

    keyboard, screen = Screen(), Screen()
    monkeypatch.setattr("builtins.input", next_line)
    monkeypatch.setenv("NO_COLOR", "1")
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdin", keyboard)
        patch.setattr(sys, "stdout", screen)
        terminal.chat(Engine(matcher(), ProcessMemory()), iter(()), connected=True)
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screen.getvalue())


def test_an_empty_line_at_the_prompt_keeps_the_conversation(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = typed(monkeypatch, "what is flask", "", "", "how do i install it")
    assert "pip install Flask" in seen.rpartition("? how do i install it")[2]
    assert " ".join(seen.split()).count(terminal.HOW_TO_START_ANEW) == 1


def test_a_new_conversation_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = typed(monkeypatch, "what is flask", "New", "how do i install it").rpartition("? how do i install it")
    assert (terminal.STARTED_ANEW in seen[0], "pip install Flask" in seen[2]) == (True, False)


def test_leaving_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    goodbye = matcher().knowledge.voice.small_talk["goodbye"].answer
    assert goodbye in typed(monkeypatch, "exit", "what is flask")
    assert "pip install Flask" not in typed(monkeypatch, "exit", "what is flask")


def test_the_prompt_recalls_earlier_lines_and_keeps_them_nowhere(tmp_path: Path) -> None:
    """In a terminal of its own: a question, then the key that recalls it."""
    variables = {"ASKPY_KNOWLEDGE": str(FOLDER), "PYTHONPATH": str(ROOT), "TERM": "xterm", "HOME": str(tmp_path)}
    process, keyboard = pty.fork()
    if process == 0:
        os.chdir(tmp_path)
        os.execve(sys.executable, [sys.executable, "-m", "bot", "chat"], os.environ | variables)
    seen = b""
    for keys in (b"is python frontend?\r", b"\x1b[A\r", b"\x04"):
        seen += until_prompt(keyboard)
        os.write(keyboard, keys)
    os.waitpid(process, 0)
    os.close(keyboard)
    assert seen.count(b"? is python frontend?") == 2
    assert list(tmp_path.iterdir()) == []


def until_prompt(keyboard: int) -> bytes:
    """What is written to the screen up to the next prompt."""
    seen = b""
    while not re.search(rb"(?:^|\n)(?:\x1b\[[0-9;?]*[A-Za-z]|\r)*\? $", seen):
        seen += os.read(keyboard, 65_536)
    return seen


def test_memory_knows_each_conversation_by_itself() -> None:
    memory, context = ProcessMemory(), ConversationState("library", ("flask",))
    memory.save("1", context)
    assert (memory.load("1"), memory.load("2")) == (context, None)
