"""Names: slips are forgiven by length, English words are never bent into a name, ordinary words need company."""

from __future__ import annotations

import string
from functools import cache
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from shipped import found, knowledge

from bot.knowledge import load
from bot.match import Matcher
from bot.match.english import english
from bot.match.names import Names, forgiven, names_of
from bot.model import Library
from bot.text import clean, words

PACK = {
    "pack.yaml": "name: Demo\n",
    "strangers.yaml": "names: [Walrus.js, Rubberband]\nordinary_names: [Go]\n",
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


# What is typed, and the names in it: what each is about, its standing, and how many slips were forgiven.
MENTIONS = {
    "what is flask": ["flask ours 0"],
    "FLASK!": ["flask ours 0"],
    "Flask's docs": ["flask ours 0"],
    "falsk": ["flask ours 1"],
    "flaks and flsk": ["flask ours 1", "flask ours 1"],
    "kviy": ["kivy ours 1"],
    "sqlachemy": ["sqlalchemy ours 1"],
    "sqalchmy": ["sqlalchemy ours 2"],
    "sql alchemy": ["sqlalchemy ours 0"],
    "socket.io": ["socketio ours 0"],
    "socket io and socketio": ["socketio ours 0", "socketio ours 0"],
    "socet io": ["socketio ours 1"],
    "pyqt6 or pyside": ["pyqt-pyside ours 0", "pyqt-pyside ours 0"],
    "pycharm and vs code": ["editors named 0", "editors named 0"],
    "vscode": ["editors named 0"],
    "walrusj vs flask": ["Walrus.js stranger 1", "flask ours 0"],
    "walrus vs flask": ["flask ours 0"],
    "flask vs walrus.js": ["flask ours 0", "Walrus.js stranger 0"],
    "rubberbnd": ["Rubberband stranger 1"],
    "is go quick": ["Go stranger 0"],
    # not names
    "flash": [],
    "flasks of task": [],
    "task mask ask": [],
    "dish cash crash": [],
    "kivi": ["kivy ours 1"],
    "goo": [],
    "sqlite": [],
    "socket": [],
    "vs": [],
    "": [],
}


@pytest.mark.parametrize("typed", MENTIONS)
def test_the_names_in_a_question(typed: str, names: Names) -> None:
    mentions = names.find(words(clean(typed)))
    assert [f"{m.name.about} {m.name.standing} {m.slips}" for m in mentions] == MENTIONS[typed]


BUDGETS = {"": 0, "cat": 0, "kivy": 1, "flask": 1, "django": 1, "brython": 2, "sqlalchemy": 2}


def test_the_budget_of_slips_grows_with_length() -> None:
    assert {word: forgiven(word) for word in BUDGETS} == BUDGETS


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
    file = Path(__file__).parents[1] / "bot/match/data/words.txt"
    common = [line.split("\t")[0] for line in file.read_text(encoding="utf-8").splitlines()]
    assert len(common) > 10_000
    assert [word for word in common if any(mention.slips for mention in shipped().find([word]))] == []


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
    finding = Matcher.of(load(tmp_path)).find("what is django")
    assert (finding.kind, finding.evidence.named) == ("unknown", ())
