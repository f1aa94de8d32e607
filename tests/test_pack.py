"""The shipped pack: it is complete, every phrasing finds its own entry, and every button finds what its label says."""

from __future__ import annotations

import datetime as dt
import itertools
import re
import subprocess
import sys
from collections.abc import Iterable

import pytest

from bot.curation.lint import lint
from bot.knowledge import inspect
from bot.model import NEWS, Card, Choices, Finding, Item, Items, Library, Reply, Step
from bot.text import clean, normalize_phrase, words
from bot.understanding.targets import targets_of
from support.shipped import FOLDER, ROOT, answer, found, knowledge, matcher

# Where the source speaks of each; an entry may name more paragraphs.
TOPICS = {
    "become-python-developer": "45",
    "python-frontend-or-backend": "8 11 12 63",
    "is-python-frontend": "31 56",
    "is-python-backend": "58 12",
    "python-for-both": "57 63 64",
    "backend-frameworks": "59 16",
    "python-frontend-frameworks": "60 30 31",
    "frontend-languages": "61",
    "python-with-html-css-js": "62",
    "what-is-python-backend-development": "16",
    "what-is-python-frontend-development": "30",
    "why-python-for-backend": "12 58 63",
    "what-is-python": "7 8 45",
}
STEPS = {
    "step-fundamentals": "46",
    "step-editor": "47",
    "step-practice": "48",
    "step-data-structures-algorithms": "49",
    "step-libraries-frameworks": "50",
    "step-oop": "51",
    "step-version-control": "52",
    "step-projects": "53",
    "step-community": "54",
}
BACKEND = {
    "django": "17",
    "flask": "18",
    "fastapi": "19",
    "tornado": "20",
    "celery": "21",
    "sqlalchemy": "22",
    "pyramid": "23",
    "redis-py": "24",
    "databases": "25",
    "psycopg2": "26",
    "pandas": "27",
    "socketio": "28",
}
FRONTEND = {
    "brython": "32",
    "skulpt": "33",
    "pyodide": "34",
    "transcrypt": "35",
    "pyjs": "36",
    "remi": "37",
    "bokeh": "38",
    "dash": "39",
    "pyqt-pyside": "40",
    "kivy": "41",
    "toga": "42",
    "anvil": "43",
    "pyscript": "30 57 60 63",
}
LIBRARIES = BACKEND | FRONTEND
KINDS = dict.fromkeys(TOPICS, "topic") | dict.fromkeys(STEPS, "step") | dict.fromkeys(LIBRARIES, "library")
PARAGRAPHS = TOPICS | STEPS | LIBRARIES

# A group: what must be on its list, and what may be.
LISTS = {
    "backend": (" ".join(BACKEND), ""),
    "frontend": (" ".join(FRONTEND), ""),
    "all": (" ".join(LIBRARIES), ""),
    "web-framework": ("django flask fastapi tornado pyramid", "remi dash"),
    "api": ("fastapi flask", "django"),
    "database": ("sqlalchemy databases psycopg2", "redis-py django"),
    "orm": ("sqlalchemy django", ""),
    "async": ("fastapi tornado databases", "celery socketio"),
    "realtime": ("tornado socketio", "redis-py"),
    "websockets": ("tornado socketio", "redis-py"),
    "browser": ("brython skulpt pyodide", "pyscript transcrypt pyjs"),
    "to-javascript": ("transcrypt pyjs", "brython skulpt pyscript"),
    "visualization": ("bokeh dash", "pandas"),
    "dashboard": ("bokeh dash", "pandas"),
    "gui": ("pyqt-pyside kivy toga remi", "pyjs anvil dash"),
    "mobile": ("kivy", "toga"),
}

OTHER_NAMES = {
    "psycopg": "psycopg2",
    "plotly dash": "dash",
    "socket io": "socketio",
    "socket.io": "socketio",
    "pyqt": "pyqt-pyside",
    "pyqt6": "pyqt-pyside",
    "pyside": "pyqt-pyside",
    "pyside6": "pyqt-pyside",
    "beeware": "toga",
    "fast api": "fastapi",
    "sql alchemy": "sqlalchemy",
    "redis py": "redis-py",
}

FEWEST = {"topic": 15, "step": 15, "library": 8}
SUMMARY_LIMIT = 200


# --- what there is


def test_every_entry_is_there_and_no_other() -> None:
    assert {entry.id: entry.kind for entry in knowledge().entries} == KINDS


def test_the_lint_finds_nothing() -> None:
    pack, faults = inspect(FOLDER)
    assert pack is not None
    assert list(map(str, faults + lint(pack))) == []


def test_the_nine_steps_stand_in_order() -> None:
    steps = knowledge().steps("become-python-developer")
    assert [(step.number, step.id) for step in steps] == list(enumerate(STEPS, 1))


def test_every_entry_names_its_paragraphs() -> None:
    short = {entry.id: entry.paragraphs for entry in knowledge().entries}
    assert {
        name: short[name] for name, wanted in PARAGRAPHS.items() if not set(wanted.split()) <= set(short[name])
    } == {}


def test_every_card_stands_on_its_side() -> None:
    sides = {card.id: card.side for card in knowledge().entries if isinstance(card, Library)}
    assert sides == dict.fromkeys(BACKEND, "backend") | dict.fromkeys(FRONTEND, "frontend")


def test_every_entry_can_be_asked_for_in_many_ways() -> None:
    counts = {e.id: (e.kind, len({normalize_phrase(text) for text in e.asks})) for e in knowledge().entries}
    assert {name: count for name, (kind, count) in counts.items() if count < FEWEST[kind]} == {}


def test_every_card_is_filled_in() -> None:
    """All but PyScript, which the source names and never describes, say what they are good for and can do."""
    empty = []
    for card in knowledge().entries:
        if isinstance(card, Library):
            fields = ["name", "side", "what", "summary", "answer", "homepage", "docs", "related", "paragraphs", "notes"]
            fields += [] if card.id == "pyscript" else ["good_for", "capabilities"]
            empty += [f"{card.id}: {field}" for field in fields if not getattr(card, field)]
    assert empty == []


def test_summaries_are_short() -> None:
    cards = [card for card in knowledge().entries if isinstance(card, Library)]
    assert {card.id: len(card.summary) for card in cards if len(card.summary) > SUMMARY_LIMIT} == {}


def test_every_note_is_dated_and_sourced() -> None:
    """A day that has come, in a form that sorts, and somebody to blame."""
    notes = [(entry.id, note) for entry in knowledge().entries for note in entry.notes]
    assert len(notes) >= len(LIBRARIES)
    assert [(name, note) for name, note in notes if not (note.text and note.source and _is_day(note.date))] == []


def _is_day(text: str) -> bool:
    return bool(re.fullmatch(r"\d{4}-\d\d-\d\d", text)) and dt.date.fromisoformat(text) > dt.date(2023, 10, 5)


@pytest.mark.parametrize("group", LISTS)
def test_a_list_holds_what_it_must_and_nothing_it_may_not(group: str) -> None:
    must, may = (set(names.split()) for names in LISTS[group])
    (wanted,) = [each for each in knowledge().groups if each.id == group]
    members = {card.id for card in knowledge().members(wanted)}
    assert (must - members, members - must - may) == (set(), set())


def test_every_group_has_members_and_every_capability_leads_to_a_list() -> None:
    assert [group.id for group in knowledge().groups if not knowledge().members(group)] == []
    assert [group.id for group in knowledge().groups if not (group.list_asks and group.pick_asks)] == []


def test_the_bot_speaks_calmly() -> None:
    said = {
        f"{e.id}.{part}": getattr(e, part, "") for e in knowledge().entries for part in ("title", "answer", "summary")
    }
    said |= {f"voice.{key}": line for key, line in knowledge().voice.lines.items()}
    said |= {f"voice.{name}": each.answer for name, each in knowledge().voice.small_talk.items()}
    assert {
        key for key, text in said.items() if "!" in text or re.search("[\U0001f300-\U0001faff\u2600-\u27bf]", text)
    } == set()


# --- every phrasing finds its own entry, with everything loaded


def got(finding: Finding) -> str:
    """Where a question leads, as the tests below name it."""
    match finding.kind:
        case "topic" | "step" | "library":
            return finding.ids[0]
        case "list" | "recommend":
            return f"{finding.kind}:{finding.group}"
        case "compare":
            return f"compare:{','.join(finding.ids)}"
        case "help" | "smalltalk":
            return f"talk:{finding.talk}"
        case "unknown":
            return "unknown"


def losers(asked: Iterable[tuple[str, str]]) -> list[str]:
    """Of questions and where they must lead, those that lead elsewhere."""
    led = [(text, wanted, got(found(text))) for text, wanted in asked]
    return [f"{text!r} is {wanted}'s, and leads to {other}" for text, wanted, other in led if other != wanted]


ASKED = 6
"""One of so many phrasings is asked. The others are only looked up in the index's table of exact phrasings, which decides before
any score (test_index.test_every_phrasing_finds_itself_for_sure). Asking all of them takes half of the quick tests' minute."""


def losers_of_phrasings(asked: Iterable[tuple[str, str]]) -> list[str]:
    """The same for phrasings of the pack."""
    targets, exact = targets_of(knowledge()), matcher().index.exact
    questions = []
    for number, (text, wanted) in enumerate(asked):
        at = exact.find(words(clean(text)))
        whole = str(targets[at]).replace("pick:", "recommend:") if at is not None and at >= 0 else ""
        if number % ASKED == 0 or whole != wanted:
            questions.append((text, wanted))
    return losers(questions)


def test_every_phrasing_wins_its_own_entry() -> None:
    assert losers_of_phrasings((text, entry.id) for entry in knowledge().entries for text in entry.asks) == []


def test_every_phrasing_of_a_list_wins_it() -> None:
    """A list of one would be a poor list: there the one is recommended."""
    groups = [(group, "list" if len(knowledge().members(group)) > 1 else "recommend") for group in knowledge().groups]
    assert losers_of_phrasings((text, f"{kind}:{group.id}") for group, kind in groups for text in group.list_asks) == []


def test_every_phrasing_of_a_need_wins_a_recommendation() -> None:
    assert (
        losers_of_phrasings((text, f"recommend:{group.id}") for group in knowledge().groups for text in group.pick_asks)
        == []
    )


def test_every_phrasing_of_small_talk_wins_it() -> None:
    """Except where the pack has an entry that says the same: it comes first."""
    ours = {normalize_phrase(text) for entry in knowledge().entries for text in (entry.title, *entry.asks)}
    talk = knowledge().voice.small_talk.items()
    asked = ((text, f"talk:{name}") for name, said in talk for text in said.asks if normalize_phrase(text) not in ours)
    assert losers(asked) == []


def test_every_title_wins_its_own_entry() -> None:
    assert losers((entry.title, entry.id) for entry in knowledge().entries) == []


def test_every_name_and_alias_finds_its_card() -> None:
    cards = [entry for entry in knowledge().entries if isinstance(entry, Library)]
    assert losers((name, card.id) for card in cards for name in (card.name, *card.aliases)) == []
    assert losers(OTHER_NAMES.items()) == []


def test_every_two_cards_can_be_compared() -> None:
    cards = [entry for entry in knowledge().entries if isinstance(entry, Library)]
    pairs = itertools.combinations(cards, 2)
    assert losers((f"{one.name} or {other.name}?", f"compare:{one.id},{other.id}") for one, other in pairs) == []


def test_what_must_not_find_an_entry_does_not() -> None:
    refused = [(text, entry.id) for entry in knowledge().entries for text in entry.not_asks]
    refused += [
        (text, f"{kind}:{g.id}") for g in knowledge().groups for text in g.not_asks for kind in ("list", "recommend")
    ]
    assert [f"{text!r} leads to {place}" for text, place in refused if got(found(text)) == place] == []


def test_what_is_listed_as_out_of_scope_stays_so() -> None:
    assert losers((text, "unknown") for text in knowledge().out_of_scope.asks) == []


# --- every button finds what its label says


def replies() -> Iterable[Reply]:
    """Every entry, every list and recommendation, comparisons that buttons lead to, and help."""
    yield answer("help")
    for entry in knowledge().entries:
        yield answer(entry.title)
    for group in knowledge().groups:
        yield answer(group.list_asks[0])
        yield answer(group.pick_asks[0])


def buttons(reply: Reply) -> Iterable[tuple[str, str]]:
    """What each button and item of a reply shows and asks."""
    for part in reply.parts:
        match part:
            case Card(choices=choices) | Choices(choices=choices):
                yield from ((choice.label, choice.ask) for choice in choices)
            case Items(items=items):
                yield from ((item.title, item.ask) for item in items if isinstance(item, Item) and item.ask)


def promised(label: str, reply: Reply) -> str:
    """Where a button that shows `label` says it leads."""
    lines, by_label = knowledge().voice.lines, {entry.label: entry.id for entry in knowledge().entries}
    if label == lines["compare_them"]:
        return f"compare:{','.join(reply.ids)}"
    if label == lines["whats_new"]:
        return reply.ids[0]
    if label.startswith(lines["compare_with"]):
        return f"compare:{reply.ids[0]},{by_label[label.removeprefix(lines['compare_with']).strip()]}"
    if label == lines["all_steps"]:
        (step,) = [knowledge().by_id[name] for name in reply.ids]
        return step.of if isinstance(step, Step) else "no step"
    for direction in ("previous", "next"):
        label = label.removeprefix(f"{lines[direction]}: ")
    return by_label[label.removeprefix(f"{lines['step']} 1: ")]


def test_every_button_leads_to_what_it_says() -> None:
    examples = set(knowledge().voice.examples)
    shown = {
        (ask, promised(label, reply)) for reply in replies() for label, ask in buttons(reply) if label not in examples
    }
    assert len(shown) > len(KINDS)
    assert losers(sorted(shown)) == []


EXAMPLES = {
    "Is Python frontend or backend?": "python-frontend-or-backend",
    "What is Celery?": "celery",
    "Flask or FastAPI?": "compare:flask,fastapi",
    "Which libraries run in the browser?": "list:browser",
    "I want to build a dashboard": "recommend:dashboard",
    "How do I become a Python developer?": "become-python-developer",
}


def test_every_card_is_asked_for_its_news_by_its_button() -> None:
    cards = [entry for entry in knowledge().entries if isinstance(entry, Library) and entry.notes]
    asked = {card.id: found(card.news_question) for card in cards}
    assert [
        name for name, finding in asked.items() if finding.attribute is None or finding.attribute.name != NEWS
    ] == []
    assert len(cards) == len(LIBRARIES)


def test_every_example_leads_to_what_it_shows() -> None:
    assert list(EXAMPLES) == list(knowledge().voice.examples)
    assert losers(EXAMPLES.items()) == []


# --- our own words

OURS = (
    "README.md",
    "bot",
    "knowledge",
    "tests/dialogues",
    "tests/golden",
    "tests/questions",
    "tests/out_of_scope.yaml",
)
OVERLAP = ROOT / "../shared/tools/article-overlap"

if (
    OVERLAP.is_file()
):  # It needs the article, which isn't ours to hand on: where it is missing there is nothing to compare with.

    def test_nothing_is_said_in_the_articles_words() -> None:
        places = [str(ROOT / name) for name in OURS]
        ran = subprocess.run([sys.executable, str(OVERLAP), *places], capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stdout + ran.stderr
