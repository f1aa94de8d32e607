"""Import: FAQ files as people have them become packs that load, pass the check and answer."""

from __future__ import annotations

import codecs
import random
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.cli import main
from bot.curation.lint import lint
from bot.exchange.faq import plain_cell, plain_inline
from bot.exchange.faq_table import find_columns, split_phrasings
from bot.exchange.import_faq import import_faq, read_faq
from bot.knowledge import load
from bot.model import Entry
from bot.text import slug

FAQS = Path(__file__).with_name("faqs")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)

    def ran(*arguments: str) -> tuple[int, str, str]:
        result = CliRunner().invoke(main, [*map(str, arguments)])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, result.stdout, result.stderr

    return ran


def taken(tmp_path: Path, name: str, text: str | bytes) -> tuple[dict[str, Entry], tuple[str, ...]]:
    """The entries of a file, and the notes on it."""
    file = tmp_path / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    found = import_faq(file, tmp_path / "pack", "")
    return dict(load(tmp_path / "pack").by_id), found.notes


# --- three files as people have them

REAL = {
    "office.csv": (13, "Office", {"i lost my umbrella": "where-is-the-lost-property"}),
    "helpdesk.tsv": (14, "Helpdesk", {"i forgot my password": "kb-001", "the vpn doesnt connect": "kb-004"}),
    "product.md": (12, "Plantly help", {"how long will the battery last": "how-long-does-the-battery-last"}),
}  # fmt: skip


@pytest.mark.parametrize("name", REAL)
def test_a_real_file_becomes_a_pack_that_answers(name: str, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    count, called, questions = REAL[name]
    code, out, err = run("import", FAQS / name, "--into", "pack")
    assert (code, out.splitlines()[0]) == (0, f"{count} entries written to pack.")
    assert out.splitlines()[-1].startswith(f"pack: {count} entries, no faults")
    assert err.splitlines()[-1] == 'Try it: python -m bot ask --knowledge pack "..."'
    knowledge = load(Path("pack"))
    assert (knowledge.name, [fault for fault in lint(knowledge) if not fault.advice]) == (called, [])
    monkeypatch.setenv("ASKPY_KNOWLEDGE", "pack")
    for question, entry in questions.items():
        assert f'"ids": ["{entry}"' in run("ask", "--json", question)[1]


def test_what_a_table_says_is_kept(tmp_path: Path) -> None:
    import_faq(FAQS / "helpdesk.tsv", tmp_path / "pack", "IT")
    entry = load(tmp_path / "pack").by_id["kb-003"]
    assert (entry.title, entry.asks) == (
        "How do I set up two-step sign-in on a new phone?",
        ("How do I set up two-step sign-in on a new phone?", "mfa", "2fa", "authenticator", "new phone"),
    )
    assert entry.answer == (
        "Keep the old phone at hand.\n\n1. Open the security page.\n"
        '2. Choose "add a device" and scan the code.\n\nOld phone gone? Call 4400.'
    )


INTRODUCTION = (
    "'Everything about the sensor, the app and your plants.…' under the title 'Plantly: frequently asked questions' "
    "answers no question: left out"
)


def test_what_was_passed_over_is_told_with_its_line() -> None:
    notes = {name: read_faq(FAQS / name).notes for name in REAL}
    assert notes == {
        "office.csv": [(19, "no answer ('Can I work from another country?'): left out"), (0, "not used: the columns Nr, Owner")],
        "helpdesk.tsv": [(0, "not used: the columns Category, Last updated")],
        "product.md": [(96, "no answer ('Can two people share a garden?'): left out"), (7, INTRODUCTION)],
    }  # fmt: skip


def test_what_stands_under_a_title_is_told(tmp_path: Path) -> None:
    page = "Hello.\n\n# Our house\n\nAsk *us*.\n\n## Where do I park?\n\nBehind it.\n\n## FAQ\n\nMore soon.\n"
    by_id, notes = taken(tmp_path, "faq.md", page)
    assert (list(by_id), notes) == (
        ["where-do-i-park"],
        (
            "faq.md:1: 'Hello.' stands under no heading: left out",
            "faq.md:3: 'Ask us.' under the title 'Our house' answers no question: left out",
            "faq.md:11: 'More soon.' under the title 'FAQ' answers no question: left out",
        ),
    )


@pytest.mark.parametrize(
    ("first", "entries", "told"),
    [
        ("Frage;Antwort", 2, "'Frage', 'Antwort' taken for the headers of questions and answers: left out"),
        ("Preguntas frecuentes;Respuesta", 2, "'Preguntas frecuentes', 'Respuesta' taken for the headers"),
        ("Parking;It is behind the house.", 3, "no headers that are known; this line was taken as an entry, too"),
        ("Who are you?;Ann", 3, ""),
    ],
)
def test_headers_in_another_language_are_no_entry(first: str, entries: int, told: str, tmp_path: Path) -> None:
    by_id, notes = taken(tmp_path, "faq.csv", f"{first}\nWo parke ich?;Hinter dem Haus.\nWann ist offen?;Ab neun.\n")
    assert (len(by_id), [note.startswith(f"faq.csv:1: {told}") for note in notes]) == (entries, [True] * bool(told))


def test_an_only_phrasing_is_not_weighed_against_others(run: Any) -> None:
    faq = "Question,Answer,Phrasings\nWhich floor repairs badges?,Two.,\nRepairs of badges which floor?,Three.,{}\n"
    Path("faq.csv").write_text(faq.format(""), encoding="utf-8")
    assert "reads like" not in run("import", "faq.csv", "--into", "one")[1]
    Path("faq.csv").write_text(faq.format("my badge is broken"), encoding="utf-8")
    assert run("import", "faq.csv", "--into", "two")[1].count("'Repairs of badges which floor?' reads like") == 1


def test_a_file_of_a_pack_is_no_pack(run: Any) -> None:
    Path("my pack").mkdir()
    Path("my pack/answers.yaml").touch()
    told = "my pack/answers.yaml is a file; name its folder: python -m bot check 'my pack'"
    assert run("check", "my pack/answers.yaml")[::2] == (2, f"{told}\n")


# --- tables

TWO = "Question,Answer\nWhen are you open?,From nine to five.\nWhere do I park?,Behind the house.\n"


@pytest.mark.parametrize(
    "written",
    [
        TWO.encode(),
        codecs.BOM_UTF8 + TWO.encode(),
        TWO.encode("utf-16"),
        TWO.encode("utf-16-le"),
        TWO.encode("utf-16-be"),
        TWO.replace(",", ";").encode("cp1252"),
        TWO.replace(",", "\t").replace("\n", "\r\n").encode(),
        TWO.replace(",", "|").encode(),
        ("sep=|\n" + TWO.replace(",", "|")).encode(),
        b"Our FAQ\n\n" + TWO.encode(),
        TWO.replace("Question,Answer\n", "").encode(),
        b"answer text,QUESTION:,x\nFrom nine to five.,When are you open?,\nBehind the house.,Where do I park?,\n",
        b"Title;Description\nWhen are you open?;From nine to five.\nWhere do I park?;Behind the house.\n",
    ],
)
def test_however_a_table_is_written_it_is_read(written: bytes, tmp_path: Path) -> None:
    by_id, _ = taken(tmp_path, "faq.csv", written)
    assert {name: entry.answer for name, entry in by_id.items()} == {
        "when-are-you-open": "From nine to five.",
        "where-do-i-park": "Behind the house.",
    }


def test_columns_are_known_by_their_headers() -> None:
    found = find_columns(
        [
            "ID",
            "Question Category",
            "Customer Question",
            "Keywords",
            "Short answer",
            "Alternative question 2",
            "Not asks",
        ]
    )
    assert found is not None
    assert (found.question, found.answer, found.id, found.asks, found.not_asks) == (2, 4, 0, (3, 5), (6,))
    assert (found.keywords, found.unused) == (frozenset({3}), ("Question Category",))


@pytest.mark.parametrize(
    ("cell", "phrasings"),
    [
        ("a | b |c", ["a", "b", "c"]),
        ("a; b\nc", ["a", "b", "c"]),
        ("one, two", ["one, two"]),
        ("- a\n- b", ["a", "b"]),
        (" | ;", []),
    ],
)
def test_phrasings_are_divided(cell: str, phrasings: list[str]) -> None:
    assert split_phrasings(cell) == phrasings


def test_a_question_that_stands_twice_is_one_entry(tmp_path: Path) -> None:
    text = "question,answer,asks\nHow late?,Nine.,a b\nhow late,Nine.,c d\nHow late,Ten.,e f\n"
    by_id, notes = taken(tmp_path, "faq.csv", text)
    assert ([(name, entry.asks) for name, entry in by_id.items()], notes) == (
        [("how-late", ("How late?", "a b", "c d"))],
        ("faq.csv:4: asks what line 2 asks, with another answer: left out ('How late')",),
    )


def test_what_cannot_be_sent_whole_is_left_out_and_told(tmp_path: Path) -> None:
    text = f"question,answer\nOne?,{'x' * 3001}\nTwo?,Fine.\n???,No words.\n{'Why so long ' * 20}?,Because.\n"
    by_id, notes = taken(tmp_path, "faq.csv", text)
    assert [len(entry.title) for entry in by_id.values()] == [4, 148]
    assert notes == (
        "faq.csv:2: the answer has 3,001 characters, 3,000 can be sent: left out; shorten it ('One?')",
        "faq.csv:4: has no words: left out ('???')",
    )


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.text(min_size=1, max_size=40), st.text(min_size=1, max_size=80)), min_size=1, max_size=5))
def test_whatever_stands_in_the_cells_the_pack_loads(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]
) -> None:
    folder = tmp_path_factory.mktemp("x")
    cells = [
        "".join(f'"{cell.replace(chr(34), chr(34) * 2)}"{end}' for cell, end in zip(row, ",\n", strict=True))
        for row in rows
    ]
    (folder / "faq.csv").write_bytes(("question,answer\nwhat is sure,this\n" + "".join(cells)).encode())
    found = import_faq(folder / "faq.csv", folder / "pack", "")
    assert len(load(folder / "pack").entries) == found.entries


# --- Markdown

PAGES = {
    "headings": ("# Help\n\n## How late?\nTill\n*nine*.\n\n## Where?\nHere.\n", {"How late?": "Till nine.", "Where?": "Here."}),
    "pairs": ("Q: How late?\nA: Nine.\n\n**Q2:** Where?\n**A2:** Here.\n", {"How late?": "Nine.", "Where?": "Here."}),
    "both": ("### Q: How late?\n**A:** Till nine.\n", {"How late?": "Till nine."}),
    "a table": ("| Question | Answer |\n| --- | --- |\n| How late? | 9<br>Or \\| 10. |\n", {"How late?": "9\nOr | 10."}),
    "underlined": ("Help\n====\n\nHow late?\n---------\nTill nine.\n", {"How late?": "Till nine."}),
    "numbers": ("## 1. How late?\nTill nine.\n## 2) Where?\nHere.\n", {"How late?": "Till nine.", "Where?": "Here."}),
    "a fence": ("## How?\n```sh\n# not a heading\nQ: nor this\n```\n", {"How?": "# not a heading\nQ: nor this"}),
    "headings without marks": ("# FAQ\nHello.\n## Refunds\nIn a week.\n", {"Refunds": "In a week."}),
    "one answer for two": ("Q: How late?\nQ: Closing time?\nA: Nine.\n", {"Closing time?": "Nine."}),
}  # fmt: skip


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_read(name: str, tmp_path: Path) -> None:
    text, wanted = PAGES[name]
    by_id, notes = taken(tmp_path, "faq.md", text)
    notes = tuple(note for note in notes if "answers no question: left out" not in note)
    assert ({entry.title: entry.answer for entry in by_id.values()}, notes) == (wanted, ())


@pytest.mark.parametrize(
    ("marked", "plain"),
    [
        ("**bold**, *so*, _so_ and ~~gone~~", "bold, so, so and gone"),
        ("snake_case_word, 2*3*4, *.csv and *.tsv", "snake_case_word, 2*3*4, *.csv and *.tsv"),
        (
            "[here](https://a.example/x_y_z) or <https://b.example>",
            "here (https://a.example/x_y_z) or https://b.example",
        ),
        ("[up](#top), ![a dog](dog.png), `*raw*` \\*kept\\*", "up, a dog, *raw* *kept*"),
    ],
)
def test_marks_are_taken_away(marked: str, plain: str) -> None:
    assert plain_inline(marked) == plain


def test_html_becomes_lines() -> None:
    html = '<div>One &amp; <b>two</b><br>three</div><p>See <a href="https://a.example">this</a>.</p><ul><li>x</li><li>y</li></ul>'
    assert plain_cell(html) == "One & two\nthree\n\nSee this (https://a.example).\n\n- x\n- y"


def test_ids_are_short_unique_and_plain() -> None:
    assert [slug("What's the Wi-Fi?"), slug("Größe, ändern?", ["grosse-andern"]), slug("何時ですか")] == [
        "whats-the-wi-fi",
        "grosse-andern-2",
        "question",
    ]
    assert slug("word " * 30) == "word-word-word-word-word-word-word-word-word"


# --- slips


def test_nothing_is_overwritten(run: Any, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "pack.yaml").write_text("name: Mine\n", encoding="utf-8")
    code, out, err = run("import", FAQS / "office.csv", "--into", "full")
    assert (code, out, err.splitlines()) == (
        2,
        "",
        ["full has files in it, and nothing is overwritten. Name a new folder with --into."],
    )
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["pack.yaml"]


def test_without_a_folder_one_is_named_after_the_file(run: Any) -> None:
    assert run("import", FAQS / "office.csv", "--name", "Our: office")[1].startswith("13 entries written to office.")
    assert load(Path("office")).name == "Our: office"


SLIPS: dict[str, tuple[str, bytes, str]] = {
    "nothing there": ("nowhere.csv", b"", "nowhere.csv can't be read: No such file or directory. Name a file"),
    "empty": ("faq.csv", b" \n", "faq.csv is empty. Wanted is a CSV"),
    "a spreadsheet": ("faq.xlsx", b"PK\x03\x04....", "faq.xlsx is a spreadsheet or Word file. Save it as CSV (UTF-8)"),
    "other columns": ("faq.csv", b"Name,Phone\nAnn,12\nBob,13\n", "has the columns 'Name', 'Phone' and 2 rows below. Wanted is"),
    "only prose": ("faq.md", b"# Hello\n\nworld\n", ""),
    "no headings": ("faq.md", b"Just words.\nMore words.\n", "has 0 headings, no answer below one, and no Q: and A: lines"),
    "headings alone": ("faq.md", b"# A\n## B\n", "faq.md has 2 headings, no answer below one"),
    "questions alone": ("faq.csv", b"question,answer\nHow?,\n", "faq.csv:2: no answer ('How?'): left out"),
    "binary": ("faq.bin", bytes(range(256)) * 4, "faq.bin is no text. Wanted is"),
    "a spreadsheet's bytes under another name": ("faq.csv", random.Random(1).randbytes(3000), "faq.csv is no text. Wanted is"),
    "an open quote": ("faq.csv", b'question,answer\nHow?,"never closed\n', ""),
}  # fmt: skip


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_is_a_sentence(slip: str, run: Any, tmp_path: Path) -> None:
    name, content, sentence = SLIPS[slip]
    if content:
        (tmp_path / name).write_bytes(content)
    code, out, err = run("import", name, "--into", "pack")
    assert sentence in err
    assert (code, out, (tmp_path / "pack").exists()) == (2, "", False) if sentence else code == 0


def test_what_steers_a_terminal_is_taken_out(tmp_path: Path) -> None:
    (tmp_path / "faq.csv").write_text("question,answer\nHow\x0bso\x1b[31m?,Like\x9b this.\n", encoding="utf-8")
    (asked,) = read_faq(tmp_path / "faq.csv").questions
    assert (asked.question, asked.answer) == ("How so [31m?", "Like  this.")


def test_a_question_keeps_its_answer_beside_those_below_it(tmp_path: Path) -> None:
    page = "## Where is the wifi password?\nIn the kitchen.\n\n**Q: Can I bring my dog?**\nA: On Fridays.\n"
    entries, notes = taken(tmp_path, "faq.md", page)
    assert {entry.title: entry.answer for entry in entries.values()} == {
        "Where is the wifi password?": "In the kitchen.",
        "Can I bring my dog?": "On Fridays.",
    }
    assert notes == ()
