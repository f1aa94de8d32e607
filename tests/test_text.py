"""Words: what Slack and people type becomes what they meant."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.text import LONGEST_QUESTION, clean, sentences, stem, words

CLEANED = {
    # Slack's markup
    "<@U012AB> what is flask?": "what is flask?",
    "<@U012AB|askpy>: what is flask?": ": what is flask?",
    "<!here> <!subteam^S1|@devs> flask or django": "flask or django",
    "see <#C01|general> about celery": "see about celery",
    "what does <https://flask.example|Flask> do": "what does Flask do",
    "is <http://django.example> any good": "is any good",
    "is https://django.example/x?y=1 any good": "is any good",
    "ask <mailto:me@example.org|me@example.org> now": "ask me@example.org now",
    "call <tel:+4912345|+4912345>": "call +4912345",
    # entities, each decoded once
    "a &lt;b&gt; &amp; c": "a <b> & c",
    "&amp;lt;": "&lt;",
    # emoji codes, and what only looks like one
    "flask :thinking_face: or django :+1::skin-tone-3:": "flask or django",
    "so :-1: thanks :100: :8ball:": "so thanks",
    "at 12:30:45 sharp": "at 12:30:45 sharp",
    # marks
    "`fastapi` vs ```tornado```": "fastapi vs tornado",
    "what’s “flask”": 'what\'s "flask"',
    "front–end": "front-end",
    "wait… flask": "wait... flask",
    # what NFKC joins
    "ｆｌａｓｋ": "flask",
    "ﬂask": "flask",
    "what\u00a0is\u2003flask": "what is flask",
    # what can't be seen
    "fl\u200bask\x00 \x1b[31mred": "flask [31mred",
    "\u202eflask\u202c \ufeffx": "flask x",
    # blanks and lines
    "  what \t is\t flask ": "what is flask",
    "hi\r\n\r\n  what is flask  \n\n": "hi\nwhat is flask",
    "": "",
    " \n\t\n ": "",
    "<@U1>": "",
    ":wave:": "",
}

WORDS = {
    "What's Django's ORM?": ["whats", "django", "orm"],
    "don't use it's": ["dont", "use", "its"],
    "C++ or C#, node.js": ["c++", "or", "c#", "node", "js"],
    "socket.io re-dis_py python3.11": ["socket", "io", "re", "dis", "py", "python3", "11"],
    "STRASSE straße": ["strasse", "strasse"],
    "Питон или питон?": ["питон", "или", "питон"],
    "什么是flask": ["什么", "么是", "flask"],
    "?!... -- ''": [],
    "": [],
}

SENTENCES = {
    "Hi all. What is flask? thx!": ["Hi all.", "What is flask?", "thx!"],
    "one\ntwo; three": ["one", "two;", "three"],
    "see socket.io and python 3.11 ok": ["see socket.io and python 3.11 ok"],
    "": [],
}

STEMS = {
    "answers": "answer",
    "answered": "answer",
    "answering": "answer",
    "libraries": "library",
    "library": "library",
    "classes": "class",
    "running": "run",
    "selling": "sell",
    "use": "use",
    "used": "used",
    "status": "status",
    "string": "string",
    "python3": "python3",
    "c++": "c++",
}


@pytest.mark.parametrize("typed", CLEANED)
def test_clean_leaves_what_was_meant(typed: str) -> None:
    assert clean(typed) == CLEANED[typed]


@pytest.mark.parametrize("text", WORDS)
def test_words(text: str) -> None:
    assert words(text) == WORDS[text]


@pytest.mark.parametrize("text", SENTENCES)
def test_sentences(text: str) -> None:
    assert sentences(text) == SENTENCES[text]


@pytest.mark.parametrize("word", STEMS)
def test_stem(word: str) -> None:
    assert stem(word) == STEMS[word]


def test_only_the_beginning_of_an_endless_text_is_read() -> None:
    assert clean("a" * 1_000_000) == "a" * LONGEST_QUESTION


# --- whatever comes

calm = settings(deadline=None, derandomize=True)  # the same examples everywhere, however busy the machine

# Anything, and often Slack's own marks in wrong places.
MARKED = st.lists(
    st.one_of(st.text(max_size=8), st.sampled_from("<@U1> <!here> < > | &amp; &lt; : :x: ` ’ http:// \n".split(" ")))
)
ANYTHING = st.one_of(st.text(), MARKED.map("".join))
VISIBLE = st.text(st.sampled_from("abc ABC ä 9 .,?!'-\n"))


@calm
@given(ANYTHING)
def test_clean_leaves_no_controls_and_no_spare_blanks(text: str) -> None:
    cleaned = clean(text)
    lines = cleaned.split("\n")
    assert [c for c in cleaned if c != "\n" and unicodedata.category(c)[0] == "C"] == []
    assert lines == [""] or [" ".join(line.split()) for line in lines if line] == lines


@calm
@given(VISIBLE)
def test_clean_does_nothing_twice(text: str) -> None:
    assert clean(clean(text)) == clean(text)


@calm
@given(ANYTHING)
def test_words_are_casefolded_and_without_blanks(text: str) -> None:
    found = words(clean(text))
    assert [word for word in found if not word or word != word.casefold() or word.split() != [word]] == []


@calm
@given(ANYTHING)
def test_words_of_words_are_the_same(text: str) -> None:
    found = words(clean(text))
    assert words(" ".join(found)) == found


@calm
@given(VISIBLE)
def test_sentences_lose_no_word(text: str) -> None:
    cleaned = clean(text)
    assert [word for sentence in sentences(cleaned) for word in words(sentence)] == words(cleaned)


@calm
@given(st.text(st.characters(categories=("Ll", "Nd")), min_size=1))
def test_a_stem_is_short_and_not_empty(word: str) -> None:
    assert 0 < len(stem(word)) <= len(word)


PAIRS = {
    "営業時間": ["営業", "業時", "時間"],
    "ひ": ["ひ"],
    "다시 설치": ["다시", "설치"],
    "हिन्दी में": ["हिन्दी", "में"],
}


@pytest.mark.parametrize("text", PAIRS)
def test_a_script_without_blanks_is_read_by_pairs(text: str) -> None:
    assert words(text) == PAIRS[text]


def test_thai_keeps_its_vowel_signs() -> None:
    assert "".join(word[0] for word in words("เปิดกี่โมง")) == "เปิดกี่โม"
