"""Attributes: which attribute of a card a question asks for, and that a story about a card asks for none."""

from __future__ import annotations

import pytest

from bot.engine import Engine, ProcessMemory
from bot.model import DatedNote, Heading, Question, Text
from support.shipped import answer, found, knowledge, matcher

ASKED = {
    "is django free": "licence",
    "flask docs": "docs",
    "how do i install kivy": "install",
    "who created kivy": "maker",
    "is sqlalchemy still maintained": "version",
    "how fast is fastapi": "speed",
    "is sqlalchemy hard": "ease",
    "is pandas frontend or backend": "side",
    "is fastapi async": "group",
    "when should i not use django": "drawbacks",
    "how many people use flask": "users",
    "which firms run fastapi": "users",
    "which companies use django": "users",
    "is flask popular": "popularity",
    "celery tutorial": "tutorial",
    "what version of django is current": "version",
    "can i use fastapi with python 3.8": "needs",
    "which python does fastapi need": "needs",
    "does brython support python 3": "needs",
    "what's new in celery?": "news",
    "any news about flask": "news",
    "what changed in django recently": "news",
    "release notes of pandas": "news",
    "latest changes in dash": "news",
    "kivy changelog": "news",
    # slips are forgiven as they are elsewhere
    "how do i instal flask": "install",
    "kivy licens": "licence",
    "kivy documentaton": "docs",
    # nothing by itself
    "what is django": "",
    "django": "",
    "pros and cons of flask": "",
    "our news site runs on django and the editors need a login": "",
    "how do i use flask with python": "",
    "django is free to choose the tables of our accounts": "",
    "my flask install broke after the upgrade of the database": "",
}


@pytest.mark.parametrize("text", ASKED)
def test_the_attribute_that_is_asked_for(text: str) -> None:
    attribute = found(text).attribute
    assert (attribute.name if attribute else "") == ASKED[text]


@pytest.mark.parametrize(
    "text", ["flask tutorial", "who uses celery", "when not to use django", "does kivy run on python 3.12"]
)
def test_what_the_source_does_not_have_is_said_first(text: str) -> None:
    assert answer(text).parts[0] == Text(knowledge().voice.lines["beyond"])


@pytest.mark.parametrize(
    ("text", "stated"),
    [
        ("can i use fastapi with python 3.8", "3.10 or newer"),
        ("what version of django is current", "Latest release 6"),
        ("what python version does tornado need", "3.11 or newer"),
    ],
)
def test_what_a_note_says_is_found_and_said_as_a_note(text: str, stated: str) -> None:
    first = answer(text).parts[0]
    assert isinstance(first, DatedNote)
    assert stated in first.note.text


# --- alternatives

ALTERNATIVES = {
    "alternatives to flask": ("web-framework", "django"),
    "any alternative for sqlalchemy?": ("orm", "django"),
    "bokeh alternatives": ("visualization", "dash"),
    "what can i use instead of transcrypt": ("to-javascript", "pyjs"),
    "libraries similar to dash": ("dashboard", "bokeh"),
}


@pytest.mark.parametrize("text", ALTERNATIVES)
def test_alternatives_to_a_card_are_the_others_of_its_kind(text: str) -> None:
    finding = found(text)
    assert (finding.kind, finding.group, finding.ids[0]) == ("list", *ALTERNATIVES[text])
    assert not any(word in finding.ids for word in text.replace("?", "").split())


def test_a_card_that_is_alone_of_its_kind_has_none() -> None:
    reply, lines = answer("alternatives to celery"), knowledge().voice.lines
    assert (reply.kind, reply.parts[0]) == ("unknown", Text(f"{lines['without']} Celery: {lines['none_left']}"))
    assert reply.ids == knowledge().by_id["celery"].related


@pytest.mark.parametrize("text", ["why flask instead of django", "is fastapi an alternative to flask"])
def test_two_cards_are_compared_though_one_is_the_other_s_alternative(text: str) -> None:
    assert found(text).kind == "compare"


def test_the_news_of_a_card_follow_it() -> None:
    engine = Engine(matcher(), ProcessMemory())
    engine.answer(Question("what is kivy", conversation="c"))
    parts = engine.answer(Question("any news?", conversation="c")).parts
    assert parts[0] == Heading("Kivy · What's new")
    assert [part.note for part in parts if isinstance(part, DatedNote)] == list(knowledge().by_id["kivy"].notes)[::-1]
