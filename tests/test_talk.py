"""Conversations: what is remembered, what a follow-up means, and why it was answered so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot import terminal
from bot.engine import Engine, ProcessMemory
from bot.knowledge import load
from bot.model import Choices, DatedNote, Facts, Heading, Question, Reply, Table, Text
from bot.reply import plain_text
from bot.understanding import Matcher
from bot.understanding.cues import strip_courtesies
from support.shipped import matcher

HANDBOOK = Path(__file__).parent / "packs/handbook"


def talk(*lines: str, engine: Engine | None = None) -> list[Reply]:
    """What comes back, line by line, in one conversation."""
    engine = engine or Engine(matcher(), ProcessMemory())
    return [engine.answer(Question(line, conversation="1")) for line in lines]


def ended(*lines: str) -> tuple[str, tuple[str, ...]]:
    """Kind and ids of the last reply."""
    reply = talk(*lines)[-1]
    return reply.kind, reply.ids


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("teh secnod one pls", "the second one"),
        ("thanks! and could you compare them, please?", "and compare them"),
        ("great, thank you. nxt step", "next step"),
        ("compair it with flask", "compare it with flask"),
        ("tel me more", "tell me more"),
        ("thanks", ""),
    ],
)
def test_courtesies_and_slips_are_left_out(typed: str, meant: str) -> None:
    tokens = [word.strip("!,.?") for word in typed.split()]
    assert strip_courtesies(tokens, [False] * len(tokens)) == meant


def test_the_others_place_is_counted_in_what_was_shown_last() -> None:
    assert ended("flask or fastapi", "the second one", "and the other one") == ("library", ("flask",))
    assert ended("list orms", "the 2nd", "what is celery", "go back to the list")[0] == "list"
    assert ended("flask or fastapi", "the fourth one") == ("unknown", ())


@pytest.mark.parametrize("place", ["the 3rd", "3rd one", "number 3", "no 3", "nr. 3", "#3", "3", "show me #3"])
def test_a_place_by_its_figure_shows_the_whole_card(place: str) -> None:
    replies = talk("list frontend libs", place), talk("list frontend libs", "the third one")
    assert replies[0][1].parts == replies[1][1].parts


def test_what_was_recommended_is_shown_again_in_its_order() -> None:
    replies = talk("need an orm", "the second one", "go back")
    assert (replies[2].kind, replies[2].ids) == (replies[0].kind, replies[0].ids)


def test_a_name_out_of_scope_between_is_not_what_it_means_and_takes_no_list_away() -> None:
    assert ended("what is django", "and rails?", "is it free?") == ("unknown", ())
    assert ended("flask or fastapi", "and rails?", "the second one") == ("library", ("fastapi",))
    assert ended("what is dash", "how do i bake bread", "docs?") == ("library", ("dash",))
    assert ended("what is tornado", "is it snowing in oslo") == ("unknown", ())


def test_a_new_start_forgets() -> None:
    assert ended("flask or fastapi", "start over", "the second one") == ("unknown", ())


def test_half_of_a_comparison_is_not_compared_with_what_stood_before() -> None:
    """Nor does "the second one" count in what was only offered."""
    assert ended("flask or django", "bokeh or plotly", "what's the difference") == ("unknown", ("bokeh",))
    assert ended("flask or django", "bokeh or plotly", "and kivy?") == ("library", ("kivy",))
    assert ended("numpy vs scipy", "the second one") == ("unknown", ())
    assert ended("need a websocket lib", "which editor do you recommend", "any alternatives?")[0] == "unknown"


def test_it_is_the_one_before_and_not_all_that_was_shown() -> None:
    assert ended("recommend a framework for a rest api", "what about flask", "is that one async") == (
        "library",
        ("flask",),
    )
    assert ended("what is celery", "anything else like it", "compare it with redis") == (
        "compare", ("celery", "redis-py")
    )  # fmt: skip
    assert ended("recommend a framework for a rest api", "why that one")[0] == "library"


def test_to_a_place_leads_there_and_compares_nothing() -> None:
    assert ended("step 3", "next", "skip to the last one") == ("step", ("step-community",))
    assert ended("list orms", "the first", "go to the second one")[0] == "library"


def test_a_question_of_its_own_is_not_about_the_list() -> None:
    assert ended("list all libraries", "which orm should i use")[0] == "recommend"
    assert ended("start over", "first step") == ("step", ("step-fundamentals",))


@pytest.mark.parametrize("typed", ["flask vs hapi", "hapi vs flask"])
def test_a_name_that_nobody_knows_is_not_compared(typed: str) -> None:
    assert ended(typed) == ("unknown", ("flask",))


def test_a_name_written_apart_counts_as_the_name() -> None:
    assert ended("py script in the browser, explain pls") == ("library", ("pyscript",))


@pytest.mark.parametrize("typed", ["ok", "Alright, cool", "lol", "oh I see"])
def test_courtesies_alone_are_small_talk(typed: str) -> None:
    assert [ended(typed)[0], ended("what is flask", typed)[0]] == ["smalltalk"] * 2


def test_an_offer_is_taken_by_yes() -> None:
    assert ended("flask vs rails", "ok, yes") == ("library", ("flask",))


def test_a_pack_without_cards_goes_on_too() -> None:
    engine = Engine(Matcher.from_knowledge(load(HANDBOOK)), ProcessMemory())
    guests, more, lost = talk("how do guests get on the wifi", "tell me more", "the second one", engine=engine)
    assert (guests.ids, more.ids, lost.kind) == (("wifi-guest",), ("wifi-guest",), "unknown")


def test_why_of_a_follow_up_tells_of_the_answer_that_was_given() -> None:
    engine = Engine(matcher())
    told = engine.explain(Question("the second one"), "library||flask")
    assert (told.kind, told.ids) == ("library", ("flask",))
    assert "what was shown before in the conversation" in plain_text(told)
    told = engine.explain(Question("the second one"), "library||flask", "of the 3 shown, without Django")
    assert "of the 3 shown, without Django" in plain_text(told)
    assert "Answer: Flask" in plain_text(told)


def test_why_has_titles_for_people_and_ids_for_curators() -> None:
    engine = Engine(matcher())
    words, raw = (plain_text(engine.explain(Question("how do i start with git"), raw=raw)) for raw in (False, True))
    assert ("step-version-control" in words, "step-version-control" in raw) == (False, True)
    assert "a close match" in words


@pytest.mark.parametrize("typed", ["exit", "quit", " :q ", "bye"])
def test_a_person_leaves_politely(
    typed: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Keyboard:
        def isatty(self) -> bool:
            return True

    def lines(_: Any) -> Any:
        yield typed
        raise AssertionError("asked for another line")

    monkeypatch.setattr("sys.stdin", Keyboard())
    monkeypatch.setattr(terminal, "_typed_lines", lines)
    terminal.chat(Engine(matcher(), ProcessMemory()), iter(()), connected=True)
    assert "Goodbye" in capsys.readouterr().out


def test_in_a_pipe_leaving_is_small_talk() -> None:
    assert [reply.kind for reply in talk("exit", "quit", "bye")] == ["smalltalk"] * 3


# --- one fact of several


def test_one_fact_of_those_compared_is_a_line_for_each() -> None:
    parts = talk("flask vs django", "how do i instal them?")[-1].parts
    assert [part.text for part in parts if isinstance(part, Heading)] == ["Flask and Django · Install"]
    assert [part.rows for part in parts if isinstance(part, Facts)] == [
        (("Flask", "pip install Flask"), ("Django", "pip install Django"))
    ]
    assert not any(isinstance(part, Table) for part in parts)


def test_what_only_a_note_tells_stays_a_note_and_has_the_name() -> None:
    parts = talk("flask vs django", "what is their latest version")[-1].parts
    notes = [part.note.text for part in parts if isinstance(part, DatedNote)]
    assert [text.partition(":")[0] for text in notes] == ["Flask", "Django"]
    assert not any(isinstance(part, Facts) for part in parts)


@pytest.mark.parametrize("text", ["who made them", "are both free"])
def test_a_fact_that_none_of_them_has_is_said_before_the_comparison(text: str) -> None:
    parts = talk("flask vs django", text)[-1].parts
    assert parts[0] == Text(matcher().knowledge.voice.lines["beyond"])
    assert any(isinstance(part, Table) for part in parts)


@pytest.mark.parametrize("text", ["how do they compare?", "which is easier to learn", "whats the difference in speed"])
def test_a_comparison_that_is_asked_for_stays_one(text: str) -> None:
    assert any(isinstance(part, Table) for part in talk("flask vs django", text)[-1].parts)


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("How do I install it?", ["How do I install Flask?", "How do I install Django?"]),
        ("whats its licence", ["whats Flask licence", "whats Django licence"]),
    ],
)
def test_where_it_could_be_each_of_those_compared_a_button_asks_for_one(text: str, asks: list[str]) -> None:
    *_, reply = talk("flask vs django", text)
    (choices,) = (part for part in reply.parts if isinstance(part, Choices))
    assert (reply.kind, reply.ids, [choice.ask for choice in choices.choices]) == ("unknown", ("flask", "django"), asks)
    pressed = talk(asks[0])[-1]
    assert (pressed.kind, pressed.ids) == ("library", ("flask",))


def test_of_more_than_can_be_offered_it_means_none() -> None:
    assert ended("flask vs django vs fastapi vs tornado", "is it free") == ("unknown", ())


@pytest.mark.parametrize("text", ["how is it going", "thanks, that was it"])
def test_a_courtesy_with_it_is_no_question_about_them(text: str) -> None:
    assert ended("flask vs django", text)[1] == ()


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("i like it, thanks", "smalltalk"),
        ("we really like this", "library"),
        ("is there anything like it", "list"),
        ("i dont like it", "list"),
    ],
)
def test_who_likes_it_wants_nothing_like_it(text: str, kind: str) -> None:
    assert ended("flask", text)[0] == kind
