"""Names that nobody listed: what counts as one, where it stands, and what the bot says of it."""

from __future__ import annotations

import pytest

from bot.reply import compose, plain_text
from bot.text import clean
from bot.understanding.slips import is_slip
from bot.understanding.unknown_names import MAX_LETTERS
from support.shipped import answer, found, knowledge, matcher

# --- slips

SLIPS = [
    ("pyhton", "python"),
    ("becmoe", "become"),
    ("wirte", "write"),
    ("besr", "best"),
    ("becone", "become"),
    ("pythin", "python"),
    ("seperate", "separate"),
    ("kivi", "kivy"),
    ("latexx", "latex"),
    ("exsist", "exist"),
    ("orientd", "oriented"),
    ("rontend", "frontend"),
    ("brthyon", "brython"),
    ("sqlachmey", "sqlalchemy"),
]
NO_SLIPS = [
    ("flaskel", "flask"),
    ("pyramint", "pyramid"),
    ("tornadix", "tornado"),
    ("faust", "fast"),
    ("hapi", "api"),
    ("nue", "use"),
    ("angulon", "angular"),
    ("okapiq", "okapi"),
    ("anvilo", "anvil"),
]


@pytest.mark.parametrize(("typed", "word"), SLIPS)
def test_a_slip_of_the_hand_is_the_word(typed: str, word: str) -> None:
    assert is_slip(typed, word)


@pytest.mark.parametrize(("typed", "word"), NO_SLIPS)
def test_what_no_hand_slips_to_is_another_word(typed: str, word: str) -> None:
    assert not is_slip(typed, word)


# --- words

CLASSES = {
    "flask": "known",
    "webassembly": "known",  # in answers alone
    "frameworsk": "known",
    "libarys": "known",
    "wich": "known",
    "orms": "known",
    "orchard": "english",
    "exmaple": "known",
    "moutain": "misspelt",
    "withoutsql": "misspelt",
    "letsme": "misspelt",
    "thistlework": "compound",
    "zorblax": "new",
    "flaskel": "new",
    "py4web": "new",
    "hug": "english",  # though "huge" is the pack's
    "fippy": "new",
    "4711": "known",
    "a1b2c3d4": "known",
    "z" * (MAX_LETTERS + 1): "known",
}


@pytest.mark.parametrize("word", CLASSES)
def test_what_is_known_of_a_word(word: str) -> None:
    assert matcher()._unknown_names.word_class(word) == CLASSES[word]


# --- places

SUBJECTS = {
    "what is zorblax": "zorblax",
    "so whats zorblax?": "zorblax",
    "who maintains zorblax": "zorblax",
    "is zorblax good for big databases": "zorblax",
    "does orchad have websockets": "orchad",
    "zorblax, good web framework?": "zorblax",
    "thistlework as a backend for an app?": "thistlework",
    "zorblax web framework": "zorblax",
    "the zorblax library for charts": "zorblax",
    "an orm called snazzle": "snazzle",
    "zorblax.js routing": "zorblax.js",
    "Zorblax or Flask": "Zorblax",
    "flask vs zorblax": "zorblax",
    "lumen or fastapi for microservices": "lumen",
    "crestfall orm or sqlalchemy?": "crestfall",
    "is dash better than zorblax": "zorblax",
    "move from flask to zorblax": "zorblax",
    "why would anyone pick nancy over flask": "nancy",
    "which driver does cookworm use": "cookworm",
    "should i pick spacemodel or django": "spacemodel",
    "is revel async": "revel",
    "can pyarc talk to postgres": "pyarc",
    "who maintains phoenix": "Phoenix",
}


@pytest.mark.parametrize("text", SUBJECTS)
def test_an_unknown_name_is_told_by_its_place(text: str) -> None:
    finding = found(text)
    assert (finding.kind, finding.out_of_scope) == ("unknown", (SUBJECTS[text],))


BESIDE = {
    "how do i use fastapi with zorblax": ("library", "fastapi"),
    "can i host fastapi on vercel": ("library", "fastapi"),
    "does django run on pypy": ("library", "django"),
    "does fastapi integrate with speechcraft": ("library", "fastapi"),
}


@pytest.mark.parametrize("text", BESIDE)
def test_beside_a_card_a_word_on_the_name_comes_first(text: str) -> None:
    reply = answer(text)
    assert (reply.kind, *reply.ids) == BESIDE[text]
    assert plain_text(reply).split(":")[0].casefold() == text.rsplit(maxsplit=1)[-1]


NO_NAMES = [
    "wirte me what flask is",
    "is latency a problem with celery",
    "what is middleware in django",
    "exmaple of a celery task",
    "whybis python so popualr for bakcend",
    "does pyodide need webassembly",
    "al the libarys pls",
    "flask or something easier",
    "which frameworsk are there",
    "kivi vs tooga",
    "is caching easy with redis",
]


@pytest.mark.parametrize("text", NO_NAMES)
def test_other_words_are_no_names(text: str) -> None:
    assert found(text).out_of_scope == ()


def test_of_the_kind_that_is_asked_for_ours_are_shown() -> None:
    finding = found("zorblax web framework")
    assert finding.group == "web-framework"
    text = plain_text(compose(finding, knowledge()))
    assert text.startswith("zorblax: not in the article. This is what it has of the kind.\n\nWeb frameworks:\n- ")


@pytest.mark.parametrize(
    "text", ["netlify for a python backend?", "how to become a java developer", "is python better than ruby for apis"]
)
def test_a_listed_name_is_never_overruled(text: str) -> None:
    finding = found(text)
    assert (finding.kind, len(finding.out_of_scope)) == ("unknown", 1)


def test_cards_are_compared_beside_a_word_on_an_unknown_name() -> None:
    finding = found("flask or django together with zorblax")
    assert (finding.kind, finding.ids, finding.out_of_scope) == ("compare", ("flask", "django"), ("zorblax",))


def test_a_story_has_scenery() -> None:
    text = (
        "our zorblax people moved to the new site last month and since then nobody there knows any more what we do here, "
        * 2
    )
    reading = matcher()._read(clean(text), clean(text))
    assert matcher()._unknown_names.find(reading) == []
