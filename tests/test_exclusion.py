"""What a message leaves out, what it filters, and what a message comes down to where no rule decides."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.engine import Engine, ProcessMemory
from bot.model import Question, Reply
from bot.reply import plain_text
from support.shipped import matcher

SAMPLES = Path(__file__).parents[1] / "benchmarks" / "questions"
MIN_EXCLUDED, MIN_GUARDED = 0.9, 0.9
"""Shares of the sets that served development that have to stay right."""


def talk(*lines: str) -> Reply:
    """The last reply of one conversation."""
    engine = Engine(matcher(), ProcessMemory())
    return [engine.answer(Question(line, conversation="1")) for line in lines][-1]


def samples(name: str) -> list[dict[str, list[str]]]:
    return [json.loads(line) for line in (SAMPLES / name).read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("part", "acdefg")
def test_what_is_left_out_is_not_answered(part: str) -> None:
    asked = samples(f"exclusions-{part}.jsonl")
    replies = [talk(*sample["turns"]) for sample in asked]
    right = [
        reply.kind != "unknown" and set(sample["excluded"]).isdisjoint(reply.ids) and reply.ids[0] in sample["first"]
        for sample, reply in zip(asked, replies, strict=True)
    ]
    assert sum(right) >= MIN_EXCLUDED * len(asked)


@pytest.mark.parametrize("part", "ac")
def test_a_negation_that_leaves_nothing_out(part: str) -> None:
    asked = samples(f"guards-{part}.jsonl")
    right = [not set(sample["must"]).isdisjoint(talk(*sample["turns"]).ids) for sample in asked]
    assert sum(right) >= MIN_GUARDED * len(asked)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (("which libraries do charts", "not the first"), "Without Bokeh:"),
        (("list orms", "any of those for mobile"), "None of those, as far as I know."),
        (("any task queue but celery",), "Without Celery: I know nothing else of that kind."),
        (("web frameworks without mysql",), "MySQL: I can't tell which of these need it"),
        (("list gui libraries", "we can't have kivy", "list gui libraries"), "Without Kivy:"),
        (("list gui libraries", "which of those are for mobile"), "Of those, for Mobile:"),
    ],
)
def test_what_was_left_out_is_said(lines: tuple[str, ...], said: str) -> None:
    assert said in plain_text(talk(*lines))


@pytest.mark.parametrize(
    ("lines", "ids"),
    [
        (("what is celery", "does it require redis"), ("celery",)),
        (("gui libraries please", "is the third one good for drawing"), ("kivy",)),
        (("what is socketio", "how is it different from tornado"), ("socketio", "tornado")),
        (("how do i practise python", "where"), ("step-practice",)),
    ],
)
def test_what_was_shown_is_meant(lines: tuple[str, ...], ids: tuple[str, ...]) -> None:
    assert talk(*lines).ids == ids


@pytest.mark.parametrize(
    "lines",
    [
        ("what is flask", "I don't use it yet, how do I start?"),
        ("what is flask", "it doesn't work, what do I do?"),
        ("what is flask", "it is too complicated, explain it simply"),
        ("what is flask", "so it's not a frontend thing?"),
        ("How do I remove Flask?",),
        ("is flask banned?",),
        ("when is flask not an option?",),
        ("not Django, Flask please",),
        ("I don't want Django, Flask is fine",),
        ("which web frameworks are there", "flask or django, i don't care which"),
        ("which web frameworks are there", "flask vs django, not the history"),
        ("which web frameworks are there", "i wouldn't mind flask"),
        ("which web frameworks are there", "no problem with flask"),
        ("which web frameworks are there", "there's nothing wrong with flask, right?"),
        ("which web frameworks are there", "i can't install flask"),
        ("which web frameworks are there", "flask doesn't work on my machine"),
        ("which web frameworks are there", "flask has no admin, right?"),
        ("which web frameworks are there", "You did not answer my question about flask"),
    ],
)
def test_what_is_asked_about_is_not_left_out(lines: tuple[str, ...]) -> None:
    reply = talk(*lines)
    assert reply.ids[:1] == ("flask",), reply


def test_a_list_of_what_is_not_wanted() -> None:
    assert talk("which web frameworks are there", "tornado? nope").ids == (
        "django",
        "flask",
        "fastapi",
        "pyramid",
        "remi",
        "dash",
    )
    assert talk("which web frameworks are there", "nothing async").ids == ("django", "flask", "pyramid", "remi", "dash")
    assert talk("what is dash", "i don't want that").ids == ("bokeh", "pandas")
    assert {"django", "flask", "fastapi"}.isdisjoint(talk("a web framework, not Django, Flask or FastAPI").ids)
    assert {"django", "flask"}.isdisjoint(talk("any web framework except django, flask").ids)
    assert talk("list web frameworks", "without the last two").ids == (
        "django",
        "flask",
        "fastapi",
        "tornado",
        "pyramid",
    )


def test_what_no_card_says_filters_nothing() -> None:
    """And a recommendation that comes instead says so."""
    assert talk("which web frameworks are there", "which of those have an admin interface").ids == ("django",)
    told = talk("which web frameworks are there", "which of those have a mascot")
    assert plain_text(told).startswith(matcher().knowledge.voice.lines["beyond"])
