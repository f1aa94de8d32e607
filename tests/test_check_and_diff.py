"""`check`: faults and advice about a pack. `diff`: what two states of a pack answer differently."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bot.cli import main
from bot.curation.check import CheckResult, check_pack
from bot.evaluation import compare
from bot.knowledge import read_files
from bot.model import Question
from bot.reply.wording import name_answer
from support.shipped import FOLDER, answer, knowledge, matcher

MINIMAL = {
    "pack.yaml": "name: Demo\n",
    "answers.yaml": """\
- id: opening-hours
  title: When are you open?
  asks: [when are you open, opening hours]
  answer: Weekdays from nine to five.
""",
}
OFFICE = {
    "pack.yaml": "name: Office\n",
    "answers.yaml": """\
- id: badge-lost
  title: Lost badges
  asks:
    - i lost my badge
    - where do i report a lost badge
    - badge lost what now
    - somebody took my badge
    - new badge please, mine is gone
    - which floor repairs badges
    - badge missing since monday
    - my badge fell into a lake
  answer: Tell the desk.
- id: badge-repair
  title: Broken badges
  asks:
    - my badge is broken
    - repairs of badges, which floor
    - which floor repairs broken badges
    - badge repairs floor
    - badge does not open the door
    - the door ignores my badge
    - fix my badge
    - a badge with a crack
  answer: Go to the second floor.
""",
}
GROUPS = """\
- id: web
  title: The web
  label: Web
  list_asks:
    - all web libraries
    - what is bottle
  pick_asks:
    - which web library
  not_asks: [which web library]
- id: server
  title: Servers
  label: Server
  pick_asks: [which web library]
"""
CARD = "- {id: bottle, kind: library, name: Bottle, side: web, asks: [what is bottle], answer: A framework.}\n"


def folder(at: Path, files: dict[str, str]) -> Path:
    at.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (at / name).write_text(text, encoding="utf-8")
    return at


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [*map(str, arguments)])


# --- check


@cache
def shipped() -> CheckResult:
    """What check finds in the shipped pack, over the index that other tests use."""
    return check_pack(FOLDER, Path(os.environ["ASKPY_CACHE"]))


def test_the_shipped_pack_has_neither_faults_nor_advice() -> None:
    found = shipped()
    assert found.faults == ()
    price, verdict = found.lines(FOLDER)
    assert verdict == f"{FOLDER}: 47 entries, no faults, no advice"
    shares = re.fullmatch(
        r"Caution is usual: of 100 questions like your phrasings about (\d+) are answered, and (\d+) get suggestions; "
        r"of 100 that you don't cover about (\d+) are answered\.",
        price,
    )
    assert shares is not None
    answered, offered, strange = map(int, shares.groups())
    assert (answered > 70, answered + offered <= 100, strange < 20) == (True, True, True)


MINIMAL_CHECKED = """\
Advice, by what to do

Add the words in which people really ask, 8 phrasings or more an entry (1):
  When are you open? (answers.yaml:1): has 2 phrasings

Caution is usual. How many questions are answered can be said from 60 phrasings on, of entries that have two or more; these are 2.
"""


def test_a_minimal_pack_is_without_blame(tmp_path: Path) -> None:
    ran = run("check", folder(tmp_path, MINIMAL))
    assert ran.exit_code == 0
    verdict = f"{tmp_path}: 1 entry, no faults, 1 piece of advice. The pack works as it is."
    assert ran.stdout == f"{MINIMAL_CHECKED}{verdict}\n"


def test_faults_come_first_and_the_verdict_counts_them(tmp_path: Path) -> None:
    ran = run("check", folder(tmp_path, {**MINIMAL, "out_of_scope.yaml": "asks: [opening hours]\n"}))
    lines = ran.stdout.splitlines()
    assert (ran.exit_code, lines[0].split(": ")[0], lines[1], lines[2][:7]) == (1, "out_of_scope.yaml:1", "", "Advice,")
    assert lines[-1] == (
        f"{tmp_path}: 1 entry, 1 fault, 1 piece of advice. "
        "Mend the faults first: the pack can be loaded, and doesn't do all that it says."
    )
    broken = run("check", folder(tmp_path, {"answers.yaml": "- {id: a, title: A, asks: [a], anser: x}\n"}))
    assert broken.stdout.splitlines()[-1].endswith(
        "2 faults, no advice. Mend the faults first: the pack can't be loaded with them."
    )


def test_of_each_advice_the_first_are_shown_and_all_on_request(tmp_path: Path) -> None:
    answers = "".join(
        f"- {{id: e{n}, title: 'About {word}', asks: [{word}], answer: x}}\n" for n, word in enumerate(RARE.split())
    )
    pack = folder(tmp_path, {**MINIMAL, "answers.yaml": answers})
    first, everything = run("check", pack).stdout.splitlines(), run("check", "--all", pack).stdout.splitlines()
    assert first[2].endswith("(7):")
    more = f"  and 2 more: python -m bot check {pack} --all"
    assert (first[8], everything[9]) == (more, "  About tulips (answers.yaml:7): has 1 phrasing")


RARE = "otters glaciers violins harbours pottery magnets tulips"

LOST_BADGES = (
    "  Lost badges (answers.yaml:9): 'which floor repairs badges' reads like 'repairs of badges, which floor' "
    "(Broken badges, answers.yaml:17)"
)


def test_the_same_words_under_two_entries_are_named_with_both_lines(tmp_path: Path) -> None:
    assert LOST_BADGES in run("check", folder(tmp_path, OFFICE)).stdout.splitlines()


def test_a_word_that_sets_two_phrasings_apart_is_no_overlap(tmp_path: Path) -> None:
    """Twins: "repairs of badges, which floor" and "repairs of lamps, which floor"."""
    lamps = OFFICE["answers.yaml"].replace("repairs of badges, which floor", "repairs of lamps, which floor")
    assert (
        "reads like 'repairs of lamps" not in run("check", folder(tmp_path, {**OFFICE, "answers.yaml": lamps})).stdout
    )


def test_two_entries_that_share_their_phrasings_words_are_told_apart_by_more_than_an_eighth(tmp_path: Path) -> None:
    """One of five phrasings of "When do I get the keys?" reads like the other entry's, in other words than its own."""
    found = check_pack(folder(tmp_path, HOUSE))
    (overlap,) = [fault for fault in found.faults if "reads like" in fault.text]
    assert (overlap.entry, overlap.text.split("'")[1]) == ("keys", "may i keep a dog in the house")


HOUSE = {
    "pack.yaml": "name: House\n",
    "answers.yaml": """\
- id: keys
  title: Keys of the flat
  asks: [who has the keys, a key is lost, the key broke in the lock, may i keep a dog in the house]
  answer: Ask the janitor.
- id: pets
  title: Pets in the house
  asks: [may i keep a cat in the house, are pets allowed, keeping a dog, is my dog allowed in the house]
  answer: Pets are allowed.
""",
}


def test_advice_alone_leaves_the_exit_code_at_0(tmp_path: Path) -> None:
    assert run("check", folder(tmp_path, OFFICE)).exit_code == 0


def test_a_groups_phrasings_may_not_stand_elsewhere(tmp_path: Path) -> None:
    found = check_pack(folder(tmp_path, {**MINIMAL, "groups.yaml": GROUPS, "cards.yaml": CARD}))
    assert [str(fault) for fault in found.faults if not fault.advice] == [
        "groups.yaml:6: web (list_asks): 'what is bottle' also stands under bottle (cards.yaml:1); "
        "keep it where it belongs",
        "groups.yaml:8: web: 'which web library' stands in not_asks and among what finds the group; take it out of one",
        "groups.yaml:13: server (pick_asks): 'which web library' also stands under web (pick_asks) (groups.yaml:8); "
        "keep it where it belongs",
    ]


def test_what_is_out_of_scope_and_a_phrasing_is_a_fault(tmp_path: Path) -> None:
    out_of_scope = "names: [Java]\nasks:\n  - who are you\n  - Opening hours?\n"
    ran = run("check", folder(tmp_path, {**MINIMAL, "out_of_scope.yaml": out_of_scope}))
    wanted = (
        "out_of_scope.yaml:4: 'Opening hours?' also stands under opening-hours (answers.yaml:1); "
        "it is covered or it isn't, keep one"
    )
    assert (ran.exit_code, wanted in ran.stdout.splitlines()) == (1, True)


def test_an_entry_that_its_title_does_not_find_is_a_fault(tmp_path: Path) -> None:
    files = {**MINIMAL, "more.yaml": "- {id: riddle, title: '???', asks: [the riddle], answer: x}\n"}
    ran = run("check", folder(tmp_path, files))
    wanted = "more.yaml:1: riddle: can't be reached: its title '???' finds nothing (help)"
    assert (ran.exit_code, wanted in ran.stdout) == (1, True)


def test_an_ordinary_name_without_refusals_is_advised_against(tmp_path: Path) -> None:
    groups = "- {id: web, title: The web, label: Web}\n"
    advice = [
        str(fault) for fault in check_pack(folder(tmp_path, {**MINIMAL, "groups.yaml": groups, "c.yaml": CARD})).faults
    ]
    wanted = "'Bottle' is an ordinary word too; add not_asks that mean the word and not the library"
    assert f"c.yaml:1: bottle: {wanted}" in advice


# --- diff

LATER = (
    MINIMAL["answers.yaml"].replace(", opening hours", "")
    + """\
- id: way
  title: Where are you?
  asks: [where are you, opening hours]
  answer: At the market.
"""
)
DIALOGUE = """\
- name: a visitor
  turns:
    - {say: when are you open, kind: topic}
    - {say: opening hours, kind: topic}
"""


def told(ran: Result) -> list[str]:
    """The lines of what was printed, blanks made one."""
    return [" ".join(line.split()) for line in ran.stdout.splitlines()]


@pytest.fixture
def packs(tmp_path: Path) -> tuple[Path, Path]:
    """A pack before and after an edit that gives a phrasing to another entry, and a dialogue beside them."""
    folder(tmp_path / "tests" / "dialogues", {"visit.yaml": DIALOGUE})
    return folder(tmp_path / "old", MINIMAL), folder(tmp_path / "new", {**MINIMAL, "answers.yaml": LATER})


def test_the_same_pack_answers_the_same(packs: tuple[Path, Path]) -> None:
    ran = run("diff", packs[0], packs[0])
    assert (ran.exit_code, told(ran)) == (0, ["0 of 4 answers differ: 0 of 2 phrasings, 0 of 2 dialogues."])


def test_every_answer_that_differs_is_shown_with_its_place(packs: tuple[Path, Path], tmp_path: Path) -> None:
    questions = folder(tmp_path, {"q.jsonl": '\n{"q": "opening hours", "gold": ["opening-hours"]}\n'}) / "q.jsonl"
    ran = run("diff", *packs, "--questions", questions)
    assert ran.exit_code == 0
    assert told(ran)[1:] == [
        "answers.yaml:7 Where are you? no answer -> Where are you?",
        "answers.yaml:7 opening hours When are you open? -> Where are you?",
        "visit.yaml:4 opening hours When are you open? -> Where are you?",
        "q.jsonl:2 opening hours When are you open? -> Where are you?",
        "",
        "4 of 6 answers differ: 2 of 3 phrasings, 1 of 2 dialogues, 1 of 1 question.",
    ]


def test_entries_whose_words_are_new_are_named_with_the_field_and_its_line(tmp_path: Path) -> None:
    groups = "- {id: web, title: The web, label: Web}\n"
    old = folder(tmp_path / "old", {**MINIMAL, "groups.yaml": groups, "cards.yaml": CARD})
    cards = CARD.replace("}", ",\n  install: pip install bottle,\n  aliases: [bottlepy]}")
    answers = MINIMAL["answers.yaml"].replace("nine", "ten")
    files = {**MINIMAL, "groups.yaml": groups.replace("label: Web", "label: Site"), "cards.yaml": cards}
    ran = run("diff", old, folder(tmp_path / "new", {**files, "answers.yaml": answers}))
    assert (ran.exit_code, told(ran)) == (
        0,
        [
            "where other words in",
            "answers.yaml:4 When are you open? answer",
            "cards.yaml:2 Bottle install",
            "groups.yaml:1 The web label",
            "",
            told(ran)[-1],
        ],
    )
    assert told(ran)[-1].endswith(" 3 entries have other words.")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("q.txt", "\nopening hours\n"),
        ("q.jsonl", '\n{"q": "opening hours"}\n'),
        ("q.jsonl", '\n  {"q": "opening hours", "gold": 3}'),
    ],
)
def test_questions_to_compare_need_no_labels(packs: tuple[Path, Path], tmp_path: Path, name: str, text: str) -> None:
    ran = run("diff", *packs, "--questions", folder(tmp_path, {name: text}) / name)
    assert f"{name}:2 opening hours When are you open? -> Where are you?" in told(ran)


@pytest.mark.parametrize("text", ['{"question": "opening hours"}', '{"q": 3}', '{"q": "opening', "{" * 9999])
def test_a_line_that_is_no_question_is_named(packs: tuple[Path, Path], tmp_path: Path, text: str) -> None:
    ran = run("diff", *packs, "--questions", folder(tmp_path, {"q.jsonl": f"hours\n{text}\n"}) / "q.jsonl")
    assert (ran.exit_code, "q.jsonl:2: no question; write it as it is" in ran.stderr) == (2, True)


def test_what_only_the_old_pack_asks_is_marked(packs: tuple[Path, Path]) -> None:
    ran = run("diff", packs[1], packs[0])
    assert "answers.yaml (old):7 Where are you? Where are you? -> no answer" in told(ran)


def test_kinds_and_ids_are_shown_on_request(packs: tuple[Path, Path]) -> None:
    ran = run("diff", *packs, "--verbose")
    assert "answers.yaml:7 opening hours topic opening-hours -> topic way" in told(ran)


def test_entries_with_one_title_are_told_apart_by_their_ids(packs: tuple[Path, Path], tmp_path: Path) -> None:
    renamed = LATER.replace("title: Where are you?", "title: When are you open?")
    ran = run("diff", packs[0], folder(tmp_path / "twin", {**MINIMAL, "answers.yaml": renamed}))
    changed = "When are you open? (topic opening-hours) -> When are you open? (topic way)"
    assert f"answers.yaml:7 opening hours {changed}" in told(ran)


ANSWERS = {
    "topic": "What is Python?",
    "compare": "compared: Flask and Django",
    "list": "listed: Flask, Django, FastAPI, Tornado and 1 more",
    "recommend": "recommended: Flask",
    "unknown": "no answer, offered: Flask",
    "help": "help",
    "smalltalk": "small talk",
}
NAMED_IDS = {
    "topic": "what-is-python",
    "compare": "flask django",
    "list": "flask django fastapi tornado pyramid",
    "recommend": "flask",
    "unknown": "flask",
}


@pytest.mark.parametrize("kind", ANSWERS)
def test_every_kind_of_answer_has_a_name_in_titles(kind: Any) -> None:
    assert name_answer(kind, NAMED_IDS.get(kind, "").split(), knowledge()) == ANSWERS[kind]


def test_no_answer_and_no_offer() -> None:
    assert name_answer("unknown", (), knowledge()) == "no answer"


@pytest.mark.skipif(shutil.which("git") is None, reason="git isn't installed")
def test_a_git_revision_is_a_pack_too(packs: tuple[Path, Path]) -> None:
    git = (
        "git",
        "-C",
        str(packs[0]),
        "-c",
        "user.name=a",
        "-c",
        "user.email=a@example.org",
        "-c",
        "commit.gpgsign=false",
    )
    for step in (("init", "-q"), ("add", "."), ("commit", "-q", "-m", "first"), ("tag", "first")):
        subprocess.run([*git, *step], check=True)
    folder(packs[0], {"answers.yaml": LATER})
    ran = run("diff", "first", packs[0])
    assert (ran.exit_code, told(ran)[-1]) == (0, "3 of 5 answers differ: 2 of 3 phrasings, 1 of 2 dialogues.")


@pytest.mark.parametrize(
    ("old", "said"),
    [
        ("nowhere", "'nowhere' is no folder, and "),
        ("--help-me", "No such option"),
        (".", "pack.yaml:1: not found in"),
    ],
)
def test_what_cannot_be_compared_is_said(packs: tuple[Path, Path], tmp_path: Path, old: str, said: str) -> None:
    ran = run("diff", tmp_path if old == "." else old, packs[1])
    assert (ran.exit_code, said in ran.stderr, "Traceback" in ran.stderr) == (2, True, False)


def test_texts_listed_word_for_word_get_the_answers_of_the_engine() -> None:
    """`pack_state` doesn't rank them; ranked, the answers are the same."""
    state = compare.pack_state(read_files(FOLDER), matcher())
    asked = [one for one in compare.texts_to_ask(state, state, Path("nowhere")) if len(one.text) % 37 == 0]
    assert len(asked) > 100
    for one in asked:
        reply = answer(one.text)
        assert (one.text, state.ask(Question(one.text))) == (one.text, compare.AnsweredIds(reply.kind, reply.ids))
