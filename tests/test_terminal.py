"""The terminal: every kind of reply as it is drawn there, and where conversations begin."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from bot.engine import ProcessMemory
from bot.model import ConversationState, Reply
from bot.terminal import MAX_WIDTH, console, conversations, render
from support.samples import FINDINGS, golden, sample
from support.shipped import answer

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


def test_memory_knows_each_conversation_by_itself() -> None:
    memory, context = ProcessMemory(), ConversationState("library", ("flask",))
    memory.save("1", context)
    assert (memory.load("1"), memory.load("2")) == (context, None)
