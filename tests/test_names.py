"""Names: typos are allowed by length, English words are never bent into a name, ordinary words need company."""

from __future__ import annotations

import string
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bot.knowledge import load
from bot.model import Library
from bot.reply import plain_text
from bot.retrieval.english import english
from bot.retrieval.scoring import MAX_OFFERED
from bot.text import clean, words
from bot.understanding import Matcher
from bot.understanding.names import Names, max_name_edits, names_of
from support.shipped import answer, found, knowledge, matcher

PACK = {
    "pack.yaml": "name: Demo\n",
    "out_of_scope.yaml": "names: [Walrus.js, Rubberband]\nordinary_names: [Go]\n",
    "cards.yaml": """\
- {id: flask, kind: library, name: Flask, asks: [what is flask], answer: x}
- {id: kivy, kind: library, name: Kivy, asks: [what is kivy], answer: x}
- {id: sqlalchemy, kind: library, name: SQLAlchemy, asks: [what is sqlalchemy], answer: x}
- {id: socketio, kind: library, name: Socket.IO, asks: [what is socket.io], answer: x}
- {id: pyqt-pyside, kind: library, name: PyQt and PySide, aliases: [pyqt6], asks: [what is pyqt], answer: x}
- {id: dash, kind: library, name: Dash, asks: [what is dash], answer: x}
- {id: editors, title: Which editor?, asks: [which editor], answer: x, names: [PyCharm, VS Code]}
""",
}


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> Names:
    folder = tmp_path_factory.mktemp("pack")
    for name, content in PACK.items():
        (folder / name).write_text(content, encoding="utf-8")
    return names_of(load(folder), english().__contains__)


# What is typed, and the names in it: what each is about, its kind, and by how many edits it is misspelt.
MENTIONS = {
    "what is flask": ["flask card 0"],
    "FLASK!": ["flask card 0"],
    "Flask's docs": ["flask card 0"],
    "falsk": ["flask card 1"],
    "flaks and flsk": ["flask card 1", "flask card 1"],
    "kviy": ["kivy card 1"],
    "sqlachemy": ["sqlalchemy card 1"],
    "sqalchmy": ["sqlalchemy card 2"],
    "sql alchemy": ["sqlalchemy card 0"],
    "socket.io": ["socketio card 0"],
    "socket io and socketio": ["socketio card 0", "socketio card 0"],
    "socet io": ["socketio card 1"],
    "pyqt6 or pyside": ["pyqt-pyside card 0", "pyqt-pyside card 0"],
    "pycharm and vs code": ["editors mentioned 0", "editors mentioned 0"],
    "vscode": ["editors mentioned 0"],
    "walrusj vs flask": ["Walrus.js out_of_scope 1", "flask card 0"],
    "walrus vs flask": ["flask card 0"],
    "flask vs walrus.js": ["flask card 0", "Walrus.js out_of_scope 0"],
    "rubberbnd": ["Rubberband out_of_scope 1"],
    "is go quick": ["Go out_of_scope 0"],
    # not names
    "flash": [],
    "flasks of task": [],
    "task mask ask": [],
    "dish cash crash": [],
    "kivi": ["kivy card 1"],
    "goo": [],
    "sqlite": [],
    "socket": [],
    "vs": [],
    "": [],
}


@pytest.mark.parametrize("typed", MENTIONS)
def test_the_names_in_a_question(typed: str, names: Names) -> None:
    mentions = names.find(words(clean(typed)))
    assert [f"{m.name.about} {m.name.kind} {m.edits}" for m in mentions] == MENTIONS[typed]


MAX_EDITS = {"": 0, "cat": 0, "kivy": 1, "flask": 1, "django": 1, "brython": 2, "sqlalchemy": 2}


def test_the_edits_allowed_grow_with_length() -> None:
    assert {word: max_name_edits(word) for word in MAX_EDITS} == MAX_EDITS


def test_a_mention_knows_where_it_stands(names: Names) -> None:
    (socketio, flask) = names.find(words("use socket io with falsk please"))
    assert [(m.start, m.end) for m in (socketio, flask)] == [(1, 3), (4, 5)]


# --- the shipped names

calm = settings(deadline=None, derandomize=True)


@cache
def shipped() -> Names:
    return names_of(knowledge(), english().__contains__)


def long_names() -> st.SearchStrategy[str]:
    cards = [entry for entry in knowledge().entries if isinstance(entry, Library)]
    return st.sampled_from([card.name for card in cards if card.name.isalpha() and len(card.name) > 5])


LONG_NAMES = st.deferred(long_names)


@calm
@given(LONG_NAMES, st.integers(1, 30))
def test_one_transposition_is_forgiven(name: str, at: int) -> None:
    """Of inner letters: the first is what people get right."""
    at = 1 + at % (len(name) - 2)
    assume(name[at] != name[at + 1])
    typed = (name[:at] + name[at + 1] + name[at] + name[at + 2 :]).lower()
    assume(typed not in english())
    assert [m.name.shown for m in shipped().find([typed])] == [name]


@calm
@given(LONG_NAMES, st.integers(1, 30), st.sampled_from(string.ascii_lowercase))
def test_one_wrong_letter_is_forgiven(name: str, at: int, letter: str) -> None:
    at = 1 + at % (len(name) - 1)
    typed = (name[:at] + letter + name[at + 1 :]).lower()
    assume(typed not in english() and typed not in shipped().by_joined)
    assert [m.name.shown for m in shipped().find([typed])] == [name]


def test_no_english_word_is_bent_into_a_name() -> None:
    """Of the commonest twenty thousand, only those that are spelt like a name are one."""
    file = Path(__file__).parents[1] / "bot/retrieval/data/words.txt"
    common = [line.split("\t")[0] for line in file.read_text(encoding="utf-8").splitlines()]
    assert len(common) > 10_000
    assert [word for word in common if any(mention.edits for mention in shipped().find([word]))] == []


@calm
@given(st.lists(st.one_of(st.text(max_size=6), LONG_NAMES), max_size=8))
def test_mentions_stand_in_order_and_never_overlap(parts: list[str]) -> None:
    tokens = words(clean(" ".join(parts)))
    edges = [edge for mention in shipped().find(tokens) for edge in (mention.start, mention.end)]
    assert edges == sorted(edges)
    assert all(start < end <= len(tokens) for start, end in zip(edges[::2], edges[1::2], strict=True))


# --- names that are ordinary words, with everything loaded

MEANT = {
    "celery": "celery",
    "what is celery?": "celery",
    "does celery need a broker": "celery",
    "celery worker for python tasks": "celery",
    "is dash good for dashboards": "dash",
    "pyramid or flask": "pyramid flask",
    "is it better than django orm": "django",
    "tornado websockets example": "tornado",
    "databases library async": "databases",
    "anvil app builder": "anvil",
    "pandas dataframe": "pandas",
    "toga gui": "toga",
}
NOT_MEANT = [
    "how do i grow celery in my garden",
    "a dash of pepper in the soup",
    "tornado destroyed the farmhouse in kansas",
    "the pyramid of cheops has secret chambers",
    "pandas eat bamboo all day",
    "the blacksmith hammered on the anvil",
    "my flask of whisky leaks",
    "can my flask go in the dishwasher",
    "caesar wore a toga and sandals",
]


@pytest.mark.parametrize("text", MEANT)
def test_an_ordinary_word_in_technical_company_is_a_name(text: str) -> None:
    assert " ".join(found(text).ids) == MEANT[text]


@pytest.mark.parametrize("text", NOT_MEANT)
def test_an_ordinary_word_in_other_company_is_not(text: str) -> None:
    assert found(text).kind == "unknown"


def test_a_matcher_of_a_pack_without_cards_knows_no_names(tmp_path: Path) -> None:
    (tmp_path / "pack.yaml").write_text("name: Demo\n", encoding="utf-8")
    (tmp_path / "a.yaml").write_text("- {id: a, title: A, asks: [opening hours], answer: x}\n", encoding="utf-8")
    finding = Matcher.from_knowledge(load(tmp_path)).find("what is django")
    assert (finding.kind, finding.evidence.named) == ("unknown", ())


# --- names that are plain nouns

NOUNS = {
    "does django support several databases": "django",
    "which databases does django support": "django",
    "can flask talk to databases": "flask",
    "does sqlalchemy handle large databases": "sqlalchemy",
    "is django better with two databases": "django",
    "databases or sqlalchemy": "databases sqlalchemy",
    "does databases work with fastapi": "databases fastapi",
    "can i use the databases package with flask": "databases flask",
    "compare databases and psycopg2": "databases psycopg2",
    "does django work with pandas": "django pandas",
    "is databases async": "databases",
}


@pytest.mark.parametrize("text", NOUNS)
def test_a_plain_noun_is_a_noun_where_no_name_would_stand(text: str) -> None:
    assert " ".join(found(text).ids) == NOUNS[text]


def test_several_of_a_noun_are_no_card() -> None:
    assert found("does python support several databases").kind != "library"


def test_names_that_are_ordinary_words_are_offered_in_their_order() -> None:
    text = "soup of anvil, toga, pyramid, tornado, dash"
    reading = matcher()._read(clean(text), clean(text))
    named = [mention.name.about for mention in reading.mentions_of("card")]
    assert len(named) > MAX_OFFERED
    like = replace(reading.ranking, similarity=1.0, out_of_scope_similarity=0.0, candidates=())
    finding = matcher()._decider._ordinary_word(replace(reading, ranking=like))
    assert finding.ids == tuple(named[:MAX_OFFERED])


# --- names that the pack doesn't have


@pytest.mark.parametrize("text", ["is flask better than zorvex? django or zorvex", "zorvex or flask? flask or Zorvex"])
def test_no_name_is_said_twice(text: str) -> None:
    assert found(text).out_of_scope == ("zorvex",)


AS_TYPED = {
    "Zorvex's or flask": ("Zorvex",),
    "is Zorvex\u2019s api good": ("Zorvex",),
    "what is İstanbul": (),
    "Zorvex or flask in İstanbul": ("Zorvex",),
}


@pytest.mark.parametrize("text", AS_TYPED)
def test_a_name_is_said_as_it_was_typed(text: str) -> None:
    assert found(text).out_of_scope == AS_TYPED[text]


@pytest.mark.parametrize(
    "word",
    [
        f"{'AKIA'}V5BOLLFQCEFB4ARP",
        "hunter2",
        "Passw0rd",
        "xK9mPqwe",
        "abcdefghijkl7m",
        "zorvexbalumqitrefn",
        "xapp-1-A0zorvexb",
    ],
)
def test_what_may_be_a_key_is_never_repeated(word: str) -> None:
    for text in (f"{word} or flask", f"what is {word}", f"flask or django with {word}", f"is flask better than {word}"):
        assert word.casefold() not in plain_text(answer(text)).casefold()


@pytest.mark.parametrize("word", ["vue3", "neo4j", "log4j", "h2o", "Log4J", "zorvex2"])
def test_a_name_with_a_digit_is(word: str) -> None:
    assert [name.casefold() for name in found(f"what is {word}").out_of_scope] == [word.casefold()]


BESIDE_AN_ANSWER = {
    "django or flask, thx bro": (),
    "flask vs django, asking for a frnd of mine Tadeusz": (),
    "flask or django, i live in zorvex": (),
    "flask or django with zorvex please": ("zorvex",),
    "flask, django, or zorvex": ("zorvex",),
    "we use flask, with zorvex": ("zorvex",),
}


@pytest.mark.parametrize("text", BESIDE_AN_ANSWER)
def test_beside_an_answer_a_new_word_is_a_name_only_where_one_stands(text: str) -> None:
    assert found(text).out_of_scope == BESIDE_AN_ANSWER[text]


@pytest.mark.parametrize("text", ["what about dave?", "what about dave"])
def test_small_talk_rests_on_no_word_that_was_never_typed(text: str) -> None:
    assert found(text).kind == "unknown"
