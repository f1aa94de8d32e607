"""Import: FAQ files as people have them become packs that load, pass the check and answer, and lose nothing silently."""

from __future__ import annotations

import codecs
import datetime as dt
import json
import os
import random
import re
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.cli import main
from bot.curation.check import check_pack
from bot.curation.lint import lint
from bot.exchange.faq import joined_notes
from bot.exchange.faq_files import input_names, read_faqs
from bot.exchange.faq_inline import Reading, escape, text_of
from bot.exchange.faq_markdown import read_markdown
from bot.exchange.faq_table import cell_markdown, find_columns, split_phrasings
from bot.exchange.faq_workbook import MAX_UNZIPPED, shown_number
from bot.exchange.import_faq import import_faqs
from bot.exchange.yaml_text import FRAMES, Position, scalar
from bot.knowledge import load
from bot.model import AskPyError, Entry
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
    found = import_faqs([file], tmp_path / "pack")
    return dict(load(tmp_path / "pack").by_id), found.notes


def answers(text: str, name: str = "faq.md") -> dict[str, str]:
    """The answers of a Markdown file by their questions."""
    return {question.question: question.answer for question in read_markdown(text, name).questions}


# --- files of many shapes, each with the pack that it becomes and what is said about it

SHAPES = FAQS / "shapes"
WRITTEN = FAQS / "imported"


@pytest.mark.parametrize("name", sorted(path.name for path in SHAPES.iterdir()))
def test_a_shape_becomes_this_pack(name: str, tmp_path: Path) -> None:
    found = import_faqs([SHAPES / name], tmp_path / "pack")
    notes = "".join(f"# {note}\n" for note in found.notes)
    summary = found.summary.replace("\n", "\n# ")
    written = f"{notes}# {summary}\n\n{(tmp_path / 'pack' / 'answers.yaml').read_text(encoding='utf-8')}"
    golden = WRITTEN / f"{Path(name).stem}.yaml"
    if os.environ.get("GOLDEN") == "write":
        golden.write_text(written, encoding="utf-8", newline="\n")
    assert written == golden.read_text(encoding="utf-8")
    assert len(load(tmp_path / "pack").entries) == found.entries
    assert check_pack(tmp_path / "pack").has_faults is False


def test_every_golden_pack_has_its_source() -> None:
    assert {path.stem for path in WRITTEN.iterdir()} == {path.stem for path in SHAPES.iterdir()}


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
    assert out.splitlines()[-2].startswith(f"pack: {count} entries, no faults")
    assert re.fullmatch(
        rf"{count} entries, \d+ answers? changed, \d+ things? left out, each named above\.", out.splitlines()[-1]
    )
    assert err.splitlines()[-1] == 'Try it: python -m bot ask --knowledge pack "..."'
    knowledge = load(Path("pack"))
    assert (knowledge.name, [fault for fault in lint(knowledge) if not fault.advice]) == (called, [])
    monkeypatch.setenv("ASKPY_KNOWLEDGE", "pack")
    for question, entry in questions.items():
        assert f'"ids": ["{entry}"' in run("ask", "--json", question)[1]


def test_what_a_table_says_is_kept(tmp_path: Path) -> None:
    import_faqs([FAQS / "helpdesk.tsv"], tmp_path / "pack", "IT")
    entry = load(tmp_path / "pack").by_id["kb-003"]
    assert (entry.title, entry.asks) == (
        "How do I set up two-step sign-in on a new phone?",
        ("How do I set up two-step sign-in on a new phone?", "mfa", "2fa", "authenticator", "new phone"),
    )
    assert entry.answer == (
        "Keep the old phone at hand.\n\n1. Open the security page.\n"
        '2. Choose "add a device" and scan the code.\n\nOld phone gone? Call 4400.'
    )


NOTES = {
    "office.csv": [
        "office.csv: read as Windows-1252 (Western Europe); if letters are wrong, name the encoding with --encoding",
        "office.csv: not used: the columns Nr, Owner",
        "office.csv:2: 'Office FAQ' stands above the headers",
        "office.csv:19: no answer ('Can I work from another country?')",
    ],
    "helpdesk.tsv": [
        "helpdesk.tsv: not used: the columns Category, Last updated",
        "helpdesk.tsv: phrasings of more than one entry, which tell none of them: 'locked out'",
    ],
    "product.md": [
        "product.md:5: a comment",
        "product.md:9: lines 9 to 15 ('Everything about the sensor, the app and your plants.') under the title 'Plantly: "
        "frequently asked questions' answer no question",
        "product.md:24: 'Also asked: track my parcel | my package has not arrived |…' became phrasings",
        "product.md:36: 'Keywords: return, refund, money back' became phrasings",
        "product.md:96: no answer ('Can two people share a garden?')",
    ],
}


@pytest.mark.parametrize("name", NOTES)
def test_what_was_passed_over_is_told_with_its_line(name: str, tmp_path: Path) -> None:
    assert list(import_faqs([FAQS / name], tmp_path / "pack").notes) == NOTES[name]


def test_what_stands_under_a_title_is_told(tmp_path: Path) -> None:
    page = "Hello.\n\n# Our house\n\nAsk *us*.\n\n## Where do I park?\n\nBehind it.\n\n## FAQ\n\nMore soon.\n"
    by_id, notes = taken(tmp_path, "faq.md", page)
    assert (list(by_id), notes) == (
        ["where-do-i-park"],
        (
            "faq.md:1: 'Hello.' stands under no heading",
            "faq.md:5: 'Ask us.' under the title 'Our house' answers no question",
            "faq.md:11: lines 11 to 13 ('More soon.') under the title 'FAQ' answer no question",
        ),
    )


@pytest.mark.parametrize(
    ("first", "entries", "told"),
    [
        ("Demando;Respondo", 2, "'Demando', 'Respondo' taken for the headers of questions and answers"),
        ("Frage;Antwort", 2, ""),
        ("Preguntas frecuentes;Respuesta", 2, ""),
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


def test_commas_without_quotes_are_told(tmp_path: Path) -> None:
    by_id, notes = taken(tmp_path, "faq.csv", "question,answer\nHow?,By bus, or on foot.\n")
    assert ([entry.answer for entry in by_id.values()], notes) == (
        ["By bus, or on foot."],
        ("faq.csv:2: more cells than headers: taken for commas in the answer",),
    )


def test_a_line_break_behind_an_address_is_no_part_of_it(tmp_path: Path) -> None:
    cell = "See https://a.example/chairs\nOr:\n- https://a.example/b\n  mailto:c@d.example\n  so"
    by_id, _ = taken(tmp_path, "faq.csv", f'question,answer\nHow?,"{cell}"\n')
    assert [entry.answer for entry in by_id.values()] == [
        "See https://a.example/chairs  \nOr:\n- https://a.example/b  \n   mailto:c@d.example  \n   so"
    ]


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
    assert (found.keywords, found.unused) == (frozenset({3}), (1,))


@pytest.mark.parametrize(
    "name",
    "Stichworte|Stichwörter|Schlagwörter|Tags|mots-clés|Mot clé|palabras clave|Palavras-chave|parole chiave|Ключевые слова|关键词"
    "|キーワード|키워드".split("|"),
)
def test_a_column_of_keywords_is_known_in_many_languages(name: str, tmp_path: Path) -> None:
    by_id, _ = taken(tmp_path, "faq.csv", f'question,answer,{name}\nHow?,So.,"a b, c d"\n')
    assert [entry.asks for entry in by_id.values()] == [("How?", "a b", "c d")]


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


HEADERS = [
    "Question | Answer", "FAQ | Reply", "Customer question | Short answer", "Symptom | Likely fix",
    "Pregunta frecuente | Respuesta", "Dudas | Solución", "Problema | Solução",
    "Pergunta | Resposta", "Problème | Solution", "Question fréquente | Réponse",
    "Frage | Antwort", "Fehler | Lösung", "Domanda | Risposta", "Вопрос | Ответ",
    "Проблема | Решение", "Питання | Відповідь", "Pytanie | Odpowiedź", "Vraag | Antwoord",
    "Fråga | Svar", "Soru | Cevap", "问题 | 答案", "常见问题 | 解决方案", "問題 | 解決方法", "質問 | 回答", "症状 | 対処法",
    "질문 | 답변", "سؤال | جواب",
]  # fmt: skip


@pytest.mark.parametrize("header", HEADERS)
def test_a_table_is_known_by_its_headers_in_many_languages(header: str) -> None:
    page = f"# Page\n\n| {header} |\n| --- | --- |\n| **Lamp is red** | Wait.<br>- one<br>- `<br>` |\n"
    assert answers(page) == {"Lamp is red": "Wait.\n\n- one\n- `<br>`"}
    assert find_columns([name.strip().upper() for name in header.split("|")], is_strict=True) is not None


CELLS = {
    "Run cp <source> <target> then kill <data>": r"Run cp \<source> \<target> then kill \<data>",
    "git checkout <a> <b> ok": r"git checkout \<a> \<b> ok",
    "Press <s> to save, List<option>, <data dir>": r"Press \<s> to save, List\<option>, \<data dir>",
    "Press <B>x</b> and <s> <b>": r"Press **x** and \<s> \<b>",
    "<b> is <b>bold</b>": r"\<b> is **bold**",
    "a<br>b <i>": "a\\\nb \\<i>",
    "<p>one<p>cp <source>": "one\n\ncp \\<source>",
    "<ul><li>a<li>b</ul>": "- a\n- b",
    "<p>Write &lt;b&gt; &amp;lt; and&nbsp;so</p>": r"Write \<b> \&lt; and so",
}


@pytest.mark.parametrize("cell", CELLS)
def test_a_cell_becomes_this_markdown(cell: str) -> None:
    assert cell_markdown(cell, 1, Reading("faq.csv")) == CELLS[cell]


def test_a_long_cell_takes_time_by_its_length() -> None:
    """A third of a second; what looks at all the lines above for each line takes ten and more."""
    start = time.process_time()
    cell_markdown("2) x\n" * 20_000, 1, Reading("faq.csv"))
    assert time.process_time() - start < 3


ASKED = [
    ("Wie weit ist es?", "Ist es weit?"),
    ("¿Está lejos?", "¿Cuánto cuesta"),
    ("Onde fica a praça", "Quanto custa a viagem"),
    ("Où est la gare ?", "Combien coûte le billet"),
    ("Где остановка?", "Сколько стоит билет"),
    ("如何到达", "远吗"),
    ("どこにありますか", "いくら？"),
    ("어디에 있나요", "얼마인가요?"),
]


@pytest.mark.parametrize(("first", "second"), ASKED)
def test_a_table_without_known_headers_is_known_by_cells_that_ask(first: str, second: str) -> None:
    page = f"| x | y |\n| --- | --- |\n| {first} | One. |\n| {second} | Two. |\n"
    assert answers(page) == {first: "One.", second: "Two."}


NO_FAQS = [
    "| Term | Meaning |\n| --- | --- |\n| Ask | To want to know. |\n| Why | A reason. |",
    "| | A | B |\n| --- | --- | --- |\n| Can it swim? | yes | no |\n| Can it fly? | no | ? |",
    "| device | left | right |\n| --- | --- | --- |\n| one | ? | y |\n| two | ? | ? |",
    "| Issue | Severity | Owner |\n| --- | --- | --- |\n| It rains | low | Ann |",
    "| Question number | Answer date |\n| --- | --- |\n| 12 | May |",
    "| How late? | Nine. |\n| --- | --- |",
]


@pytest.mark.parametrize("table", NO_FAQS)
def test_a_table_that_is_no_faq_stays_in_its_answer(table: str) -> None:
    assert answers(f"## Lamps\n\nThese.\n\n{table}\n") == {"Lamps": f"These.\n\n{table}"}


def test_what_else_a_row_says_belongs_to_its_answer() -> None:
    page = (
        "| # | Symptom | Cause | Fix | Severity |\n| --- | --- | --- | --- | --- |\n"
        "| 1 | It rains | A cloud | Wait | low |\n| 2 | It snows | - cold<br>- wet | | high |\n"
    )
    faq = read_markdown(page, "faq.md")
    assert [(asked.question, asked.answer) for asked in faq.questions] == [
        ("It rains", "Wait\n\n**Cause:** A cloud"),
        ("It snows", "**Cause:**\n\n- cold\n- wet"),
    ]
    assert joined_notes(faq.notes) == ("faq.md: not used: the columns #, Severity",)


@pytest.mark.parametrize(
    ("header", "answer"),
    [
        ("question,answer,answer_html", "So:\n\n- a"),
        ("question,answerHtml,answerText", "So:\n\n- a"),
        ("question,body_text,body_html", "So:\n\n- a"),
        ("pregunta,respuesta,respuesta_html", "So:\n\n- a"),
        ("question,answer,answer source", "So: a"),
        ("question,answer,description", "So: a"),
    ],
)
def test_of_two_columns_with_answers_the_fuller_cell_is_taken(header: str, answer: str, tmp_path: Path) -> None:
    plain, html = "So: a", "<p>So:</p><ul><li>a</li></ul>"
    cells = (html, plain) if "answerHtml" in header else (plain, html)
    by_id, notes = taken(tmp_path, "faq.csv", f"{header}\nHow?,{','.join(cells)}\n")
    assert [entry.answer for entry in by_id.values()] == [answer]
    assert [note.startswith("faq.csv: answers in the columns '") for note in notes] == [answer != "So: a"]


def test_a_question_that_stands_twice_is_one_entry(tmp_path: Path) -> None:
    text = "question,answer,asks\nHow late?,Nine.,a b\nhow late,Nine.,c d\nHow late,Ten.,e f\n"
    by_id, notes = taken(tmp_path, "faq.csv", text)
    assert ([(name, entry.asks) for name, entry in by_id.items()], notes) == (
        [("how-late", ("How late?", "a b", "c d", "e f"))],
        (
            "faq.csv:3: stands in line 2, too: one entry",
            "faq.csv:4: asks what line 2 asks: its answer stands below that one ('How late')",
        ),
    )


def test_a_long_answer_is_taken_over_whole(tmp_path: Path) -> None:
    paragraphs = "\n\n".join(f"Paragraph {number} " + "of many words " * 30 for number in range(30))
    (tmp_path / "faq.md").write_text(f"## One?\n\n{paragraphs}\n", encoding="utf-8")
    found = import_faqs([tmp_path / "faq.md"], tmp_path / "pack")
    (entry,) = load(tmp_path / "pack").entries
    assert (entry.answer.split(), found.notes) == (paragraphs.split(), ())


def test_long_titles_are_cut_and_questions_need_words(tmp_path: Path) -> None:
    text = f"question,answer\nTwo?,Fine.\n???,No words.\n{'Why so long ' * 20}?,Because.\n"
    by_id, notes = taken(tmp_path, "faq.csv", text)
    assert [len(entry.title) for entry in by_id.values()] == [4, 148]
    assert [note.partition(" (")[0] for note in notes] == [
        "faq.csv:3: has no words",
        "faq.csv:4: the title was shortened",
    ]


@settings(max_examples=30, deadline=None)
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
    found = import_faqs([folder / "faq.csv"], folder / "pack")
    assert len(load(folder / "pack").entries) == found.entries


# --- Markdown

NAMED = [
    ("# IT helpdesk\n\n## Hours\n\nNine.\n\n## Who are you?\n\nAnn.\n", {"IT helpdesk: Hours": ["Hours"]}),
    (
        "# IT helpdesk\n\n## Hours\n\nNine.\n\n## What are the hours of the canteen?\n\nTen.\n",
        {"IT helpdesk: Hours": []},
    ),
    ("# FAQ\n\n## New here\n\n### First day\n\nAsk Ann.\n\n### How?\n\nSo.\n", {"New here: First day": ["First day"]}),
    ("# FAQ\n\n## Hours\n\nNine.\n\n## How?\n\nSo.\n", {"Hours": []}),
    ("# Lampd\n\n## The lamp is red\n\nWait.\n\n## How?\n\nSo.\n", {"The lamp is red": []}),
]  # fmt: skip


@pytest.mark.parametrize(("page", "named"), NAMED)
def test_a_bare_heading_is_named_by_the_one_above_it(page: str, named: dict[str, list[str]], tmp_path: Path) -> None:
    by_id, _ = taken(tmp_path, "faq.md", page)
    titles = {entry.title: list(entry.asks) for entry in by_id.values()}
    assert {title: asks for title, asks in titles.items() if not title.endswith("?")} == {
        title: [title, *asks] for title, asks in named.items()
    }


FAQ_SECTIONS = (
    "FAQ / Troubleshooting", "Known issues on Windows", "Preguntas frecuentes", "Solução de problemas", "Dépannage",
    "Fehlersuche und bekannte Probleme", "Problemi noti", "Устранение неполадок", "常见问题", "よくある質問", "문제 해결",
)  # fmt: skip

PAGES = {
    "headings": (
        "# Help\n\n## How late?\nTill\n*nine*.\n\n## Where?\nHere.\n",
        {"How late?": "Till\n*nine*.", "Where?": "Here."}),
    "pairs": ("Q: How late?\nA: Nine.\n\n**Q2:** Where?\n**A2:** Here.\n", {"How late?": "Nine.", "Where?": "Here."}),
    "both": ("### Q: How late?\n**A:** Till nine.\n", {"How late?": "Till nine."}),
    "a table": ("| Question | Answer |\n| --- | --- |\n| How late? | 9<br>Or \\| 10. |\n", {"How late?": "9\\\nOr | 10."}),
    "underlined": ("Help\n====\n\nHow late?\n---------\nTill nine.\n", {"How late?": "Till nine."}),
    "numbers": ("## 1. How late?\nTill nine.\n## 2) Where?\nHere.\n", {"How late?": "Till nine.", "Where?": "Here."}),
    "a fence": ("## How?\n```sh\n# not a heading\nQ: nor this\n```\n", {"How?": "```sh\n# not a heading\nQ: nor this\n```"}),
    "headings without marks": ("# FAQ\nHello.\n## Refunds\nIn a week.\n", {"Refunds": "In a week."}),
    "one answer for two": ("Q: How late?\nQ: Closing time?\nA: Nine.\n", {"Closing time?": "Nine."}),
    "one answer for two headings": ("## How late?\n## Closing time?\nNine.\n", {"Closing time?": "Nine."}),
    # K9
    "a fold called Answer": ("## Why?\n<details><summary>Answer</summary>\n\nSo.\n\n</details>\n", {"Why?": "So."}),
    "a fold in an answer": (
        "## Why?\nSo.\n<details><summary>The log</summary>\n\n`x`\n\n</details>\n",
        {"Why?": "So.\n\n**The log**\n\n`x`"},
    ),
    "a fold that asks": (
        "## Why?\nSo.\n\n<details><summary>Is it so?</summary>\n\nYes.\n\n</details>\n",
        {"Why?": "So.", "Is it so?": "Yes."},
    ),
    "a fold where nothing is open": ("<details><summary>Refunds</summary>\nIn a week.\n</details>\n", {"Refunds": "In a week."}),
    # K10
    "a solution": (
        "## Printer jams\nIt blinks.\n### Solution\nOpen it.\n",
        {"Printer jams": "It blinks.\n\n### Solution\n\nOpen it."},
    ),
    "a question below a question": ("## Why?\nSo.\n### And how?\nThus.\n", {"Why?": "So.", "And how?": "Thus."}),
    # K11
    "code by indentation": ("## How?\nRun:\n\n    a_b = _c_\n      d\n", {"How?": "Run:\n\n    a_b = _c_\n      d"}),
    "code alone": ("## How?\n\n    a_b\n      c\n", {"How?": "```\na_b\n  c\n```"}),
    "a step after a bullet": ("## How?\n1. One\n   - so\n2. Two\n", {"How?": "1. One\n   - so\n2. Two"}),
    "an image": ("## How?\n![A dog](https://a.example/dog.png)\n", {"How?": "![A dog](https://a.example/dog.png)"}),
    # K12
    "a link around code": ("## How?\nSee [`a_b`](https://a.example/x_y).\n", {"How?": "See [`a_b`](https://a.example/x_y)."}),
    "a name in code in a title": ("## What is `<name>`?\nYours.\n", {"What is <name>?": "Yours."}),
    "an alternative": ("## How?\nBy bus.\n\nAlternative: on foot.\n", {"How?": "By bus.\n\nAlternative: on foot."}),
    "a note": (":::note\nSo.\n:::\n\n## How?\n:::note\nThus.\n:::\n", {"How?": "> **Note:** Thus."}),
    "an alert": ("## How?\n> [!WARNING]\n> Not thus.\n", {"How?": "> **Warning:** Not thus."}),
    "an admonition": ("## How?\n!!! note\n    Thus.\n", {"How?": "> **Note:** Thus."}),
    "contents and FAQ in titles": (
        "## Box contents\nA cup.\n## The FAQ on paper\nAt the desk.\n",
        {"Box contents": "A cup.", "The FAQ on paper": "At the desk."},
    ),
    "a comment without an end": ("## How?\n\n<!-- x\n\nSo.\n", {"How?": "x\n\nSo."}),
    "bold without a mark": ("**How to pay**\n\nBy card.\n", {"How to pay": "By card."}),
    "lines below a title": ("# FAQ\n\nHow late?\n\nNine.\n\nWhere?\n\nHere.\n", {"How late?": "Nine.", "Where?": "Here."}),
    "a page that asks": (
        "---\ntitle: How late?\n---\nNine.\n\n## In winter\n\nEight.\n",
        {"How late?": "Nine.\n\n## In winter\n\nEight."},
    ),
    "a tag at the end of code": ("## How?\n\n```html\n<div>\n```\n\nSo.\n", {"How?": "```html\n<div>\n```\n\nSo."}),
    "code of Jekyll": (
        "## How?\n<div>{% highlight sh %}\n# no heading\n\n  x\n{% endhighlight %}</div>\n",
        {"How?": "```sh\n# no heading\n\n  x\n```"},
    ),
    "statements below a FAQ of a page with more": (
        "# Lampd\n\n## Setup\n\nUnpack.\n\n### Docker\n\nPull.\n\n## Häufige Fragen (FAQ)\n\nHier.\n\n"
        "### Es flackert\n\nWarten.\n",
        {"Es flackert": "Warten."},
    ),
    "a FAQ by any name": (
        "".join(f"## {name}\n\n### It is {name}\n\nSo.\n\n" for name in FAQ_SECTIONS) + "## Setup\n\nUnpack.\n",
        {f"It is {name}": "So." for name in FAQ_SECTIONS},
    ),
    "a page that is a FAQ as a whole": (
        "# Lampd FAQ\n\n## Setup\n\nUnpack.\n\n## Troubleshooting\n\n### It flickers\n\nWait.\n",
        {"Lampd: Setup": "Unpack.", "It flickers": "Wait."},
    ),
    "a project that is called a help": (
        "# Help bot\n\n## Installation\n\nUnpack.\n\n## FAQ\n\n### It sleeps\n\nWait.\n\n## License\n\nMIT\n",
        {"It sleeps": "Wait."},
    ),
    "a page of help": (
        "# Help\n\n## Lamps\n\nHere.\n\n## Known issues\n\n### It sleeps\n\nWait.\n",
        {"Lamps": "Here.", "It sleeps": "Wait."},
    ),
    "a note beside tables": (
        "## Lamps\n\n| Problem | Fix |\n| --- | --- |\n| One | a |\n| Two | b |\n| Three | c |\n\n### Prices\n\nLow.\n",
        {"One": "a", "Two": "b", "Three": "c"},
    ),
    "no FAQ without questions below": (
        "# Lampd\n\n## Setup\n\nUnpack.\n\n## Troubleshooting\n\nWait.\n",
        {"Lampd: Setup": "Unpack.", "Lampd: Troubleshooting": "Wait."},
    ),
    "items of a FAQ": (
        "# FAQ\n\n1. The lamp is red\n\n   Wait.\n2. The lamp is off\n\n   ```\n   x\n   ```\n",
        {"The lamp is red": "Wait.", "The lamp is off": "```\nx\n```"},
    ),
    "items above the questions of a FAQ": (
        "# FAQ\n\n1. Read\n\n   all.\n2. Ask\n\n   us.\n\n## How?\n\nSo.\n",
        {"How?": "So."},
    ),
    "bold lines of a FAQ above lists": (
        "# Lampd\n\n## Troubleshooting\n\n**The lamp is red**\n\n- Wait.\n\n**The lamp is off**\n\n- Go.\n",
        {"The lamp is red": "- Wait.", "The lamp is off": "- Go."},
    ),
    "a table of HTML with lists": (
        "<table><tr><th>Frage</th><th>Antwort</th></tr><tr><td>Wo?</td><td>Hier:<ul><li>a</li><li>b</li></ul></td></tr></table>",
        {"Wo?": "Hier:\n\n- a\n- b"},
    ),
    "a table of HTML that is no FAQ": (
        "## How?\n\n<table><tr><th>A</th><th>B</th></tr><tr><td>1</td><td><ul><li>a</li></ul></td></tr></table>",
        {"How?": "**A**\n\n1\n\n**B**\n\n- a"},
    ),
    "headings in a list": (
        "- ## One lamp\n\n  So.\n- ## Two lamps\n\n      x\n",
        {"One lamp": "So.", "Two lamps": "```\nx\n```"},
    ),
    "a heading in a list above its text": (
        "1. ## One lamp\n\nSo.\n\n2. ## Two lamps\n\nThus.\n",
        {"One lamp": "So.", "Two lamps": "Thus."},
    ),
    "a category that asks": (
        "# How fast?\n\n## One?\n\na\n\n## Two?\n\nb\n\n## Fewer lamps\n\nc\n",
        {"One?": "a", "Two?": "b", "Fewer lamps": "c"},
    ),
    "a question whose answer has headings": (
        "## How?\n\n### Linux\n\na\n\n### Windows\n\nb\n\n### Why?\n\nc\n",
        {"How?": "### Linux\n\na\n\n### Windows\n\nb", "Why?": "c"},
    ),
    "headings in lists, one after another": (
        "- ## Why?\n\n  So.\n\ntext\n\n- ## One lamp\n\n  Thus.\n",
        {"Why?": "So.\n\ntext", "One lamp": "Thus."},
    ),
    "headings that ask in a list below one that asks": ("# How?\n\n- ## By bus?\n\n  Yes.\n", {"By bus?": "Yes."}),
    "headings in a list of an answer": ("## How?\n\n1. ### Open\n\n   So.\n", {"How?": "1. ### Open\n\n   So."}),
    "a list that asks without marks": (
        "1. 如何更新\n\n   运行。\n2. 可以退货吗\n\n   可以。\n",
        {"如何更新": "运行。", "可以退货吗": "可以。"},
    ),
    "code below a tag": ("## How?\n\n<br>\n```sh\nx\n```\n", {"How?": "```sh\nx\n```"}),
    "code below a picture": (
        '## How?\n\n<img src="https://a.example/i.png">\n```sh\nx\n```\n',
        {"How?": "![](https://a.example/i.png)\n\n```sh\nx\n```"},
    ),
    "signs around words of a title": (
        "## 「So」とは？\nx\n## “So” or 『so』\nx\n## 3) «Ла» (это)\nx\n## ★ Lamps 【new】\nx\n",
        {"「So」とは？": "x", "“So” or 『so』": "x", "«Ла» (это)": "x", "Lamps 【new】": "x"},
    ),
    "marks of answers below something": (
        "**Q**. How?\n\n![x](https://a.example/x.png)\n\n**A**. So.\n\nA. Smith.\n\n**Q**. Why?\n\n**A**. Thus.\n",
        {"How?": "![x](https://a.example/x.png)\n\nSo.\n\nA. Smith.", "Why?": "Thus."},
    ),
    "code of Hugo": (
        "## How?\n\n{{< codeFromInline go >}}\n# x\n{{< /codeFromInline >}}\n\n{{% code file=x lang=\"sh\" %}}\n# y\n"
        "{{% /code %}}\n\n{% code title=x %}\n```\nz\n```\n{% endcode %}\n",
        {"How?": "```go\n# x\n```\n\n```sh\n# y\n```\n\n```\nz\n```"},
    ),
    "directives": (
        ".. question:: How?\n   :class: x\n\n   So.\n\n   .. note::\n      Now.\n\n.. faq:: Why?\n\n   .. code-block:: sh\n"
        "      :linenos:\n\n      x\n        y\n\n   z\n\nend\n",
        {
            "How?": "So.\n\n> **Note:** Now.",
            "Why?": "```sh\nx\n  y\n```\n\nz",
        },
    ),
    "directives in an answer": (
        "## How?\n\n.. admonition:: Read this\n\n   x\n\n.. versionadded:: 2\n   y\n\n.. image:: a.png\n   :alt: z\n\n"
        ".. _target:\n\n... and so.\n",
        {"How?": "> **Read this**\n>\n> x\n\n> **Versionadded: 2**\n>\n> y\n\n.. _target:\n\n... and so."},
    ),
    "a note that is folded": (
        "## The lamp is red\n\nWait.\n\n??? note \"Why does it take so long?\"\n    It warms.\n\n## How?\n\nSo.\n\n"
        "::: details Why so?\nAs ever.\n:::\n",
        {
            "The lamp is red": "Wait.\n\n**Why does it take so long?**\n\nIt warms.",
            "How?": "So.\n\n**Why so?**\n\nAs ever.",
        },
    ),
    "a fold that asks why": (
        "# Lampd\n\n## Troubleshooting\n\n### The lamp is red\n\n??? tip \"Why?\"\n    Heat.\n\n"
        "### The lamp is off\n\n<details><summary>Why?</summary>\n\nCold.\n\n</details>\n",
        {"The lamp is red": "**Why?**\n\nHeat.", "The lamp is off": "**Why?**\n\nCold."},
    ),
    "a fold below a statement": (
        "# FAQ\n\n## The lamp is red\n\nWait.\n\n<details><summary>What if it stays red?</summary>\n\nGo.\n\n</details>\n",
        {"The lamp is red": "Wait.\n\n**What if it stays red?**\n\nGo."},
    ),
    "folds of a category": (
        "# FAQ\n\n## Money\n\n??? question \"How do I pay?\"\n    So.\n\n<details><summary>Who pays me?</summary>\n\nAnn.\n\n"
        "</details>\n",
        {"How do I pay?": "So.", "Who pays me?": "Ann."},
    ),
    "messages of errors beside questions": (
        "# Lampd\n\n## Setup\n\nUnpack.\n\n## Use\n\n### Why is it slow?\n\nSo.\n\n### Error: lamp not found\n\nBuy one.\n\n"
        "### Colours\n\nMany.\n\n## FAQ\n\n### It sleeps\n\nWait.\n",
        {"Why is it slow?": "So.", "Error: lamp not found": "Buy one.", "It sleeps": "Wait."},
    ),
    "an error below a question": (
        "## What if it fails?\n\nRead on.\n\n### Is it on?\n\nYes.\n\n### `LampError`: no lamp\n\nBuy one.\n",
        {"What if it fails?": "Read on.", "Is it on?": "Yes.", "LampError: no lamp": "Buy one."},
    ),
    "other question marks": ("### 为什么？\n因为。\n### لماذا؟\nلأن.\n", {"为什么？": "因为。", "لماذا؟": "لأن."}),
}  # fmt: skip


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_read(name: str) -> None:
    text, wanted = PAGES[name]
    assert answers(text) == wanted


TITLES = [
    ("How do I compile C#", "How do I compile C#"),
    ("2.5 GHz or 5 GHz?", "2.5 GHz or 5 GHz?"),
    ("1.1.1.1 does not resolve?", "1.1.1.1 does not resolve?"),
    ("10.4 or 10.5: which release?", "10.4 or 10.5: which release?"),
    ("404: what does it mean?", "404: what does it mean?"),
    ("(1) or (2)?", "(1) or (2)?"),
    ("I. Newton: who is that?", "I. Newton: who is that?"),
    ("1. Mai: is it a holiday?", "1. Mai: is it a holiday?"),
    ("How do I chain with &&", "How do I chain with &&"),
    ("How do I pay in €", "How do I pay in €"),
    ("€ or $?", "€ or $?"),
    ("%PATH% is too long?", "%PATH% is too long?"),
    ("=SUM fails?", "=SUM fails?"),
    ("How do I use SELECT \\*", "How do I use SELECT *"),
    ("3) How?", "How?"),
    ("Q7: How?", "How?"),
    ("How do I pay? 💳", "How do I pay?"),
    ("🔑 Keys :key:", "Keys"),
    ("Lamps ↑", "Lamps"),
    ("How? [#](#how)", "How?"),
]
NUMBERED = [
    ("1. Why?|2. Who?|4. Where?|404: what?", "Why?|Who?|Where?|404: what?"),
    ("1. Why?|1.1 Who?|1.1.1 Where?", "Why?|Who?|Where?"),
    ("2.1 Why?|2.2 Who?|2.5 GHz or 5 GHz?", "Why?|Who?|2.5 GHz or 5 GHz?"),
    ("11. Why?|12. Who?|13. Where?", "Why?|Who?|Where?"),
    ("I. Why?|II. Who?|IV. Where?", "Why?|Who?|Where?"),
    ("(1) Why?|(2) Who?", "Why?|Who?"),
    ("502: what?|503: what else?|504: and this?", "502: what?|503: what else?|504: and this?"),
]


@pytest.mark.parametrize(("heading", "title"), TITLES)
def test_a_title_keeps_its_words(heading: str, title: str) -> None:
    assert list(answers(f"## {heading}\n\nSo.\n\n## Why not?\n\nSo.\n")) == [title, "Why not?"]


@pytest.mark.parametrize(("headings", "titles"), NUMBERED)
@pytest.mark.parametrize("form", ["## {}\n\nSo.\n", "**{}**\n\nSo.\n"])
def test_titles_lose_the_numbers_that_number_on(headings: str, titles: str, form: str) -> None:
    page = "\n".join(form.format(heading) for heading in headings.split("|"))
    assert list(answers(page)) == titles.split("|")


BEGINNINGS = {
    "an initial": ("## Who?\n\nA. Miller runs it.\n", {"Who?": "A. Miller runs it."}),
    "an initial behind the mark": ("Q. Who?\nA. A. Miller runs it.\n", {"Who?": "A. Miller runs it."}),
    "a choice below a mark": ("Q: Which?\n\nA) is the cheapest.\n", {"Which?": "A) is the cheapest."}),
    "marks of two kinds": ("**Q: Who?**\n\nA. Ann.\n", {"Who?": "Ann."}),
    "a choice": ("## Which?\n\nA) is the cheapest, B) the best.\n", {"Which?": "A) is the cheapest, B) the best."}),
    "a drive": ("## Which disk?\n\nA: is the floppy, C: the disk.\n", {"Which disk?": "A: is the floppy, C: the disk."}),
    "a number": ("## What do you get?\n\nAnswer 42.\n", {"What do you get?": "Answer 42."}),
    "drives": ("## Which?\n\nP: is yours.\nQ: is the team drive.\n", {"Which?": "P: is yours.\nQ: is the team drive."}),
    "keys": ("## How do I leave?\n\nPress:\n\nq) quit\na) all\n", {"How do I leave?": "Press:\n\nq) quit\na) all"}),
    "a key first": ("## Which key?\n\na: for all\n", {"Which key?": "a: for all"}),
    "marks of one kind": ("Q. Who?\nA. Ann.\n\nQ) Where?\nA) Here.\n\n", {"Who?": "Ann.", "Where?": "Here."}),
    "marks with numbers": ("Q1. Who?\nA1. Ann.\n\nQ2: Where?\nA2: here.\n", {"Who?": "Ann.", "Where?": "here."}),
    "a heading with a mark": ("## Q. Who?\n\nA. Ann.\n\n## Where?\n\nA: Here.\n", {"Who?": "Ann.", "Where?": "Here."}),
    "items": ("- Q. Who?\n  - A. Ann.\n- Q. And?\n  - A. A. Smith.\n", {"Who?": "Ann.", "And?": "A. Smith."}),
    "small letters": ("q: who?\n\nAnn.\n\nq: where?\n\nHere.\n", {"who?": "Ann.", "where?": "Here."}),
    "statements": ("Q: it is red.\nA: wait.\n\nQ: it is off.\nA: go.\n", {"it is red.": "wait.", "it is off.": "go."}),
}  # fmt: skip


@pytest.mark.parametrize("name", BEGINNINGS)
def test_an_answer_keeps_its_beginning(name: str) -> None:
    text, wanted = BEGINNINGS[name]
    assert answers(text) == wanted


LISTED = {
    "first": ("Keywords: a b, c\n\nSo.", ("a b", "c"), "So."),
    "last": ("So.\n\n*Also asked:* why so | how come", ("why so", "how come"), "So."),
    "several": ("Keywords: a, b\n\nAliases: c\n\nSo.\n\n---\n\nAlso asked: d", ("a", "b", "c", "d"), "So."),
    "code": ("Aliases: run `alias`.", (), "Aliases: run `alias`."),
    "code in a list": ("So.\n\nKeywords: `SELECT`, `FROM`", (), "So.\n\nKeywords: `SELECT`, `FROM`"),
    "a sentence": ("So.\n\nKeywords: they are read, then sorted.", (), "So.\n\nKeywords: they are read, then sorted."),
    "in the middle": ("So.\n\nKeywords: a, b\n\nThus.", (), "So.\n\nKeywords: a, b\n\nThus."),
    "below a heading in the middle": (
        "So.\n\n### Details\n\nAliases: a\n\nThus.",
        (),
        "So.\n\n### Details\n\nAliases: a\n\nThus.",
    ),
}


@pytest.mark.parametrize("name", LISTED)
def test_listed_phrasings_begin_or_end_an_answer(name: str) -> None:
    answer, phrasings, rest = LISTED[name]
    faq = read_markdown(f"## How?\n\n{answer}\n", "faq.md")
    assert [(question.asks, question.answer) for question in faq.questions] == [(phrasings, rest)]
    named = [note for note in faq.notes if note.text.endswith("became phrasings")]
    assert len(named) == sum(answer.count(f"{word}:") for word in ("Keywords", "Also asked", "Aliases") if phrasings)


ANSWERS = {
    "what needs nothing stays as it is": (
        "**bold**,   *so*, _so_ and ~~gone~~  \nsnake_case, 2*3*4 \\*kept\\* `*raw*`",
        "**bold**,   *so*, _so_ and ~~gone~~  \nsnake_case, 2*3*4 \\*kept\\* `*raw*`",
    ),
    "addresses of the old site go": (
        "[here](https://a.example/x_y) or [there](../there.md) or [up](#top) \\*kept\\* `[c](d)`",
        "[here](https://a.example/x_y) or there or up \\*kept\\* `[c](d)`",
    ),
    "references are written out": (
        '[a *b*][r], [r] and ![pic][i]\n\n[r]: <https://a.example/(x)> "T"\n[i]: https://a.example/i.png\n',
        '[a *b*](https://a.example/(x) "T"), [r](https://a.example/(x) "T") and ![pic](https://a.example/i.png)',
    ),
    "footnotes are written out": ("Two[^n] days.\n\n[^n]: Or *three*.\n", "Two (Or *three*.) days."),
    "a footnote stands once in a paragraph": ("A[^n] b[^n]\n\nc[^n]\n\n[^n]: d[^m]\n[^m]: e\n", "A (d (e)) b\n\nc (d (e))"),
    "addresses without a scheme": (
        "[a](//a.example/x) [b](www.b.example) [c](ann@c.example)",
        "[a](https://a.example/x) [b](https://www.b.example) [c](mailto:ann@c.example)",
    ),
    "pictures": ("![A dog](dog.png) ![](data:image/png;base64,AAAA) ![x](https://a.example/x.png)", "A dog  ![x](https://a.example/x.png)"),
    "entities": ("a &lt;b&gt; &amp; c&nbsp;d &copy; `&lt;`", "a \\<b> & c d © `&lt;`"),
    "inline HTML": (
        "<b>a </b>b<i>c</i> <code>x_y &lt;z&gt;</code><br>\n"
        '<a href="https://a.example">d</a> <s>e</s> <kbd>F1</kbd> x<sup>2</sup>',
        "**a** b*c* `x_y <z>`\\\n[d](https://a.example) ~~e~~ `F1` x²",
    ),
    "a picture in a link": (
        "[![a](https://a.example/i.png)](https://a.example) <a href='https://b.example'><img src='https://b.example/i.png'></a>",
        "[![a](https://a.example/i.png)](https://a.example) [![](https://b.example/i.png)](https://b.example)",
    ),
    "a dash below a line break": ("<p>a<br/>- b</p>", "a\\\n\\- b"),
    "an address above a line break": (
        "<p>See https://a.example/chairs<br>*here*<br/>Or ask.</p>",
        "See https://a.example/chairs  \n*here*\\\nOr ask.",
    ),
    "a list in a cell": (
        "| a | b |\n| --- | --- |\n| x | <ul><li>1</li><li>2</li></ul> |",
        "| a | b |\n| --- | --- |\n| x | 1; 2 |",
    ),
    "addresses of mail": ("<mailto:a@b.example> <a href='mailto:c@d.example'></a>", "<a@b.example> <c@d.example>"),
    "a picture alone": ("![A dog](dog.png)\n\n![b](b.png) c", "Picture: A dog\n\nb c"),
    "a component that links": ('<Card to="https://a.example/x">\n\nb\n\n</Card>', "<https://a.example/x>\n\nb"),
    "components that link": (
        '<Link to="https://a.example/x">Go *there*</Link> or <Button href="https://b.example">here</Button>'
        '\nor <Link to="/x">on</Link>'
        '\n\n<Card title="Docs" href="https://c.example">Read [d](https://d.example)</Card> <Video url="https://e.example" />',
        "[Go *there*](https://a.example/x) or [here](https://b.example)\nor on\n\n"
        "[Docs](https://c.example) Read [d](https://d.example) <https://e.example>",
    ),
    "titles of components": ('A <Badge text="new" /> <Hint title="Note">b</Hint>', "A new Note: b"),
    "comments of MDX": ("{/* a\n\nb */}\n\nc {/* *d* `e` */}f `{/* g */}`", "c f `{/* g */}`"),
    "a link in a container's title": ("::: tip [a](https://a.example)\nb\n:::", "> **[a](https://a.example)**\n>\n> b"),
    "a placeholder": ("Use <your-token> here.", "Use \\<your-token> here."),
    "wiki links": ("See [[Network map]] or [[Text|some-page]].", "See Network map or Text."),
    "tags without a form": ("<u>so</u> <span class='x'>and</span> so", "so and so"),
    "unsafe addresses": ("[x](javascript:alert(1)) [y](ftp://a.example)", "x y"),
    "a table in HTML": (
        "<table><tr><th>A</th><th>B</th></tr><tr><td>1</td><td>a|b<br>c</td></tr></table>",
        "| A | B |\n| --- | --- |\n| 1 | a\\|b; c |",
    ),
    "a table that places things": (
        "<table><tr><td>**a**</td><td>b<ul><li>c</li></ul></td></tr></table>",
        "**a**\n\nb\n\n- c",
    ),
    "HTML in the cells of a table": (
        "| A | B |\n| --- | --- |\n| <ul><li>a</li><li>*b*</li></ul> | **c**<li>- d<li>e |\n"
        "| <select><option>f<option>g</select> | <ruby>漢<rt>kan</ruby>, <ruby>字<rp>(</rp><rt>ji</rt><rp>)</rp></ruby> |",
        "| A | B |\n| --- | --- |\n| a; *b* | **c**; \\- d; e |\n| f; g | 漢(kan), 字(ji) |",
    ),
    "pictures over several lines": (
        '<figure>\n<img src={url("/a.png")}\n  alt="A > lamp"\n\n  style={{width: "3px"}}\n/>\n</figure>\n\n'
        "See <img\nsrc='b.png'\nalt=it> so:\n\n```\n<img src={x}\n\nalt='y'>\n```\n\n[d](/d)",
        "Picture: A > lamp\n\nSee it so:\n\n```\n<img src={x}\n\nalt='y'>\n```\n\nd",
    ),
    "macros": ("Use {{ site.name }} or `{{ x }}`.", "Use {{ site.name }} or `{{ x }}`."),
    "a picture in HTML": ('<p align="center">\n<img src="https://a.example/i.png" alt="An i">\n</p>', "![An i](https://a.example/i.png)"),
    "code in HTML": ("<pre><code class='language-sh'>a &amp;&amp; b\n  c\n</code></pre>", "```sh\na && b\n  c\n```"),
    "a fence keeps its bytes": ("~~~~ py  title=x\n\tif a:\n~~~\n \n~~~~", "~~~~ py  title=x\n\tif a:\n~~~\n \n~~~~"),
}  # fmt: skip


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_is_taken_over(name: str) -> None:
    written, wanted = ANSWERS[name]
    assert answers(f"## How?\n\n{written}\n") == {"How?": wanted}


def test_what_an_answer_loses_is_named() -> None:
    page = (
        "## [How](https://a.example)?\n\n[a](/x) ![b](c.png) <u>d</u>\n<!-- e -->\n\n[f](/x) [[G]] <font size='1'>h</font>\n\n"
        "![](data:image/png;base64,AA) [i](x){: .j }\n\n{: .k}\n\n"
        "<img src='l'\n\n>\n{{ m.n_o }}\n"
    )
    faq = read_markdown(page, "faq.md")
    assert list(joined_notes(faq.notes)) == [
        "faq.md:1: the link of the title 'How?'",
        "faq.md:3: the address '/x' works on the old site only; its label stays (also line 6)",
        "faq.md:3: the picture 'c.png' can't be taken along; its description 'b' stays",
        "faq.md:3: <u> has no form in Markdown; the text in it stays",
        "faq.md:4: a comment",
        "faq.md:6: '[[G]]' links to a page of the old site; its text stays",
        "faq.md:6: <font> has no form in Markdown; the text in it stays",
        "faq.md:8: a picture within the page can't be taken along",
        "faq.md:8: the address 'x' works on the old site only; its label stays",
        "faq.md:8: '{: .j }' is a mark of the old site",
        "faq.md:10: '{: .k}' is a mark of the old site",
        "faq.md:12: the picture 'l' can't be taken along",
        "faq.md:15: '{{ m.n_o }}' is a macro of the old site, and stays as it is",
    ]


def test_footnotes_of_few_lines_make_no_long_answer() -> None:
    page = "## q?\n\n" + "a[^1]\n\n" * 1_000 + "[^1]: " + "long text " * 200
    faq = read_markdown(page, "faq.md")
    assert faq.questions[0].answer.count("(long text") == 50
    assert [note.text for note in faq.notes] == ["the footnote '[^1]'"] * 950


LONG = {
    "a heading": "# " + "a b? " * 4_000 + "\n\ntext\n",
    "emphasis": "## q?\n\n" + "*a **" * 4_000,
    "brackets": "## q?\n\n" + "[" * 7_000,
    "links": "## q?\n\n" + "[a](" * 5_000,
    "tags": "## q?\n\n<div>" + "<a " * 7_000,
    "elements": "## q?\n\n" + "<div>" * 4_000,
    "bold elements": "## q?\n\n" + "<b>" * 7_000,
    "quotes": "## q?\n\n" + ">" * 20_000,
    "backticks": "## q?\n\n" + "`a" * 10_000,
    "marks": ":::note\n" * 2_700,
    "comments": "## q?\n\n" + "{/* " * 5_000,
    "lines of comments": "## q?\n\n" + "{/*\n" * 5_000,
    "pairs": "Q: a? " * 3_400,
    "blanks": "## q?" + " " * 20_000 + "x\n\ny",
}


@pytest.mark.parametrize("name", LONG)
def test_a_long_line_takes_time_by_its_length(name: str) -> None:
    """20 KB take a tenth of a second; what grows with the square of the length takes more than three seconds."""
    start = time.process_time()
    read_markdown(LONG[name], "faq.md")
    assert time.process_time() - start < 2


@pytest.mark.skipif(sys.gettrace() is not None, reason="a debugger or a count of covered lines takes most of the time")
def test_sections_that_are_passed_over_take_time_by_their_number() -> None:
    """Less than a second; what looks at all notes of the page for each section takes five times as long."""
    page = "# Lampd\n\n## FAQ\n\n### Why?\n\nSo.\n\n" + ("## Use\n" + "[x](/y)" * 8 + "\n") * 3_000
    start = time.process_time()
    faq = read_markdown(page, "faq.md")
    assert time.process_time() - start < 2
    assert (len(faq.notes), {note.kind for note in faq.notes}) == (3_000, {"not taken"})


_WORDS = st.lists(
    st.sampled_from(
        [
            *"alpha beta `a_b` *c* **d** _e_ <b>f</b> <x> &amp; [g] [h](/i) ![j](k.png) 2*3 \\* | ~~m~~ :::".split(),
            "<!-- l -->",
        ]
    ),
    max_size=8,
)
_LINE = _WORDS.map(" ".join)
_LINK = st.integers(0, 99).map(lambda n: f"[link {n}](https://kept.example/{n}_x)")
_FENCED = st.lists(st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=12), max_size=4).map(
    lambda lines: "```sh\n" + "".join(line.replace("`", "'") + "\n" for line in lines) + "```"
)
_BLOCK = st.one_of(
    _LINE,
    _LINK,
    _FENCED,
    _LINE.map(lambda line: f"- {line}\n  1. {line}"),
    _LINE.map(lambda line: f"> {line}"),
    _LINE.map(lambda line: f"<details><summary>{line}</summary>\n\n{line}\n\n</details>"),
    _LINE.map(lambda line: f"!!! note\n    {line}"),
    _LINE.map(lambda line: f"<p>{line}</p>"),
    _LINE.map(lambda line: f"| A | B |\n|---|---|\n| {line.replace('|', '')} | b |"),
    _LINE.map(lambda line: f"### {line}"),
)


@settings(max_examples=50, deadline=None)
@given(st.lists(_BLOCK, min_size=1, max_size=6))
def test_links_and_fences_of_an_answer_stay(blocks: list[str]) -> None:
    """Whatever stands around them: in the answer of the question, or of one that a fold or heading within it asks."""
    page = "## What is sure?\n\nThis.\n\n" + "\n\n".join(blocks) + "\n"
    written = "\n\n".join(question.answer for question in read_markdown(page, "faq.md").questions)
    for link in re.findall(r"(?<!.)\[link \d+\]\(\S+\)(?!.)", page):
        assert link in written
    for block in blocks:
        if block.startswith("```"):
            assert block in written


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=300))
def test_no_text_is_too_odd(text: str) -> None:
    read_markdown("## What is sure?\n\nThis.\n\n" + text, "faq.md")
    read_markdown(text, "faq.md", is_in_folder=True)


@settings(max_examples=70, deadline=None)
@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=60))
def test_plain_text_stays_plain(text: str) -> None:
    assert text_of(escape(text)) == " ".join(text.split())


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
        [
            "full has files in it, and nothing is overwritten. Name a new folder with --into, or bring an imported pack up to "
            "date with --update."
        ],
    )
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["pack.yaml"]


def test_without_a_folder_one_is_named_after_the_file(run: Any) -> None:
    assert run("import", FAQS / "office.csv", "--name", "Our: office")[1].startswith("13 entries written to office.")
    assert load(Path("office")).name == "Our: office"


SLIPS: dict[str, tuple[str, bytes, str]] = {
    "nothing there": ("nowhere.csv", b"", "nowhere.csv can't be read: No such file or directory. Name a file"),
    "empty": ("faq.csv", b" \n", "faq.csv is empty. Wanted is a CSV"),
    "no workbook": ("faq.xlsx", b"question,answer", "faq.xlsx is no workbook, whatever its name says."),
    "a broken workbook": ("faq.xlsx", b"PK\x03\x04....xl/", "faq.xlsx is damaged or protected by a password."),
    "an archive": ("faq.zip", b"PK\x03\x04....", "faq.zip is a zip archive. Unpack it, and import the folder."),
    "a Word file": ("faq.docx", b"PK\x03\x04....word/document.xml", "faq.docx is a Word file. Save it as CSV"),
    "a Word file of another program": ("faq.md", b"PK\x03\x04....word/document2.xml", "faq.md is a Word file. Save it as CSV"),
    "a PDF": ("faq.pdf", b"%PDF-1.7", "faq.pdf is a PDF. Save it as CSV (UTF-8), XLSX or Markdown"),
    "a web page": ("faq.html", b"<html><h1>How?</h1></html>", "faq.html is an HTML page. Export the pages as Markdown"),
    "a web page by another name": ("faq.md", b"<!DOCTYPE html>\n<p>x", "faq.md is an HTML page. Export the pages as Markdown"),
    "an unknown encoding": ("faq.csv", "question,answer\nHow?,πώς ανοίγει".encode("cp1253"), "faq.csv is not UTF-8 (line 2 has"),
    "other columns": ("faq.csv", b"Name,Phone\nAnn,12\nBob,13\n", "has the columns 'Name', 'Phone' and 2 rows below. Wanted is"),
    "headers alone": ("faq.csv", b"question,answer\n", "faq.csv has headers, and no row with a question and an answer"),
    "no headings": ("faq.md", b"Just words.\nMore words.\n", "has 0 headings, no answer below one, and no Q: and A: lines"),
    "headings alone": ("faq.md", b"# A\n## B\n", "faq.md has 2 headings, no answer below one"),
    "questions alone": ("faq.csv", b"question,answer\nHow?,\n", "faq.csv:2: no answer ('How?')"),
    "binary": ("faq.bin", bytes(range(256)) * 4, "faq.bin is no"),
    "a spreadsheet's bytes under another name": ("faq.csv", random.Random(1).randbytes(3000), "faq.csv is no"),
}  # fmt: skip


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_is_a_sentence(slip: str, run: Any, tmp_path: Path) -> None:
    name, content, sentence = SLIPS[slip]
    if content:
        (tmp_path / name).write_bytes(content)
    code, out, err = run("import", name, "--into", "pack")
    assert sentence in err
    assert (code, out, list(tmp_path.glob("*pack*"))) == (2, "", [])


def test_what_may_be_a_slip_is_read(tmp_path: Path) -> None:
    by_id, notes = taken(tmp_path, "faq.md", b"# Hello\n\nworld\n")
    assert ({name: entry.answer for name, entry in by_id.items()}, notes) == ({"hello": "world"}, ())
    (tmp_path / "open.csv").write_text('question,answer\nHow?,"never closed\nWho?,We.\n', encoding="utf-8")
    found = import_faqs([tmp_path / "open.csv"], tmp_path / "open")
    assert [note.partition(",")[0] for note in found.notes] == [
        "open.csv:2: a quotation mark that is opened here has no end"
    ]
    assert [entry.asks for entry in load(tmp_path / "open").entries] == [("How?",)]


DEEP = ("[" * 500, "{" * 500, "- " * 500 + "x", "? " * 500, "k: " + "[" * 500, "see, " + "[" * 500, "a\n" + "[" * 3000)
"""Answers that YAML would read as lists in lists, deeper than a reader goes."""


@pytest.mark.parametrize("position", ["item", "value", "flow"])
def test_brackets_are_text_however_many_there_are(position: Position, tmp_path: Path) -> None:
    for text in DEEP:
        document = "".join((FRAMES[position][0], scalar(text, position), FRAMES[position][1]))
        assert text in str(yaml.safe_load(document)).replace("\\n", "\n")
    rows = "".join(f'What is {n}?,"{text}"\n' for n, text in enumerate(DEEP))
    by_id, _ = taken(tmp_path, "faq.csv", "question,answer\n" + rows)
    for entry, text in zip(by_id.values(), DEEP, strict=True):
        assert [entry.answer.count(sign) for sign in "[{?x"] == [text.count(sign) for sign in "[{?x"]


def test_a_name_that_is_not_utf_8_is_written_so_that_it_is(run: Any, tmp_path: Path) -> None:
    wiki = tmp_path / os.fsdecode(b"caf\xe9")
    wiki.mkdir()
    (wiki / os.fsdecode(b"na\xefve plan.md")).write_text("Take the stairs.\n", encoding="utf-8")
    (wiki / "other.md").write_text("# Who pays?\n\nWe do. See [there](there.md).\n", encoding="utf-8")
    (wiki / os.fsdecode(b"\xe9.pdf")).write_bytes(b"%PDF")
    code, _, err = run("import", wiki, "--into", "pack")
    assert (code, "caf\\xe9/other.md:3: " in err) == (0, True)
    assert "1 .pdf file. Save it as CSV (UTF-8), XLSX or Markdown" in err
    content = json.loads((tmp_path / "pack" / "import.json").read_text(encoding="utf-8"))
    assert "caf\\xe9/other.md" in {entry["file"] for entry in content["entries"].values()}
    assert run("import", wiki, "--into", "pack", "--update")[0] == 0
    assert load(tmp_path / "pack").by_id["who-pays"].answer == "We do. See there."


def test_a_pack_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    blocked = tmp_path / ".pack.new" / "import.json"
    blocked.mkdir(parents=True)
    with pytest.raises(AskPyError, match=r"pack can't be written: Is a directory\. Name another with --into"):
        imported(tmp_path, FIRST)
    assert not (tmp_path / "pack").exists()
    blocked.rmdir()
    imported(tmp_path, FIRST)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["office.md", "pack"]
    before = {path.name: path.read_bytes() for path in (tmp_path / "pack").iterdir()}
    (tmp_path / "pack" / ".import.json.new").mkdir()
    with pytest.raises(AskPyError, match="Change its permissions"):
        imported(tmp_path, SECOND, is_update=True)
    (tmp_path / "pack" / ".import.json.new").rmdir()
    assert {path.name: path.read_bytes() for path in (tmp_path / "pack").iterdir()} == before


def test_what_steers_a_terminal_is_taken_out(tmp_path: Path) -> None:
    (tmp_path / "faq.csv").write_text("question,answer\nHow\x0bso\x1b[31m?,Like\x9b this.\n", encoding="utf-8")
    (faq,) = read_faqs([tmp_path / "faq.csv"])
    assert [(asked.question, asked.answer) for asked in faq.questions] == [("How so [31m?", "Like  this.")]
    assert joined_notes(faq.notes) == ("faq.csv:2: control characters",)


CONTROLLED = {
    "faq.md": "# F&#xFEFF;AQ\n\n## What&#x7f; is it?\n\nKeywords: a&#x9d; b\n\nThis&#xFEFF; &#27;one.\n",
    "faq.csv": "question,answer,aliases\nWhat\ufeff is it?,This&#xFEFF; one.,a&#x9d; b\nWhat&#xfeff; else?,<p>x&#x202e;</p>\n",
}


@pytest.mark.parametrize("name", CONTROLLED)
def test_what_is_written_as_an_entity_is_taken_out_too(name: str, tmp_path: Path) -> None:
    entries, notes = taken(tmp_path, name, CONTROLLED[name])
    assert (entries["what-is-it"].asks, entries["what-is-it"].answer.strip()) == (("What is it?", "a b"), "This one.")
    assert any("control characters" in note for note in notes)


def test_a_question_keeps_its_answer_beside_those_below_it() -> None:
    page = "## Where is the wifi password?\nIn the kitchen.\n\n**Q: Can I bring my dog?**\nA: On Fridays.\n"
    assert answers(page) == {"Where is the wifi password?": "In the kitchen.", "Can I bring my dog?": "On Fridays."}


# --- encodings

TEXTS = {
    "cp1252": "Où est la clé?,Dans le tiroir – à gauche.",
    "mac_roman": "Où est la clé?,Dans le tiroir à gauche de l’entrée.",
    "cp1250": "Kde je klíč?,Ve žluté skříňce u dveří: třetí zásuvka.",
    "cp1254": "Anahtar nerede?,Girişin yanındaki dolapta: üçüncü çekmece sağda.",
    "cp1251": "Где лежит ключ?,В жёлтом шкафу у двери: третий ящик слева.",
    "koi8-r": "Где лежит ключ?,В жёлтом шкафу у двери: третий ящик слева.",
    "cp932": "鍵はどこにありますか？,入口の左の棚にあります。",
    "euc_jp": "鍵はどこにありますか？,入口の左の棚にあります。",
    "cp949": "열쇠는 어디에 있습니까?,입구 왼쪽 선반에 있습니다.",
    "gb18030": "钥匙在哪里？,在我们入口左边的柜子里，这是你的。",
    "utf-16-le": "Где лежит ключ?,В жёлтом шкафу у двери.",
}


@pytest.mark.parametrize("encoding", TEXTS)
def test_an_encoding_is_recognized(encoding: str, tmp_path: Path) -> None:
    (tmp_path / "faq.csv").write_bytes(f"question,answer\n{TEXTS[encoding]}\n".encode(encoding))
    (faq,) = read_faqs([tmp_path / "faq.csv"])
    assert [f"{asked.question},{asked.answer}" for asked in faq.questions] == [TEXTS[encoding]]
    assert bool(faq.notes) is not encoding.startswith("utf")


UNSURE = {
    "cp1253": "Πού είναι το κλειδί;,Στο συρτάρι.",
    "cp1255": "איפה המפתח?,במגירה משמאל.",
    "cp1256": "أين المفتاح؟,في الدرج.",
    "cp1254": "Şifre nerede?,Kapının yanında.",
    "iso8859-3": "Kie estas la ŝlosilo?,En la tirkesto ĉe la ĝardeno ĵus tie ĉi.",
}


@pytest.mark.parametrize("encoding", UNSURE)
def test_an_encoding_that_is_not_sure_is_named_by_a_person(encoding: str, tmp_path: Path) -> None:
    file = tmp_path / "faq.csv"
    file.write_bytes(f"question,answer\n{UNSURE[encoding]}\n".encode(encoding))
    with pytest.raises(AskPyError, match="no other encoding is sure"):
        read_faqs([file])
    (faq,) = read_faqs([file], encoding)
    assert [f"{asked.question},{asked.answer}" for asked in faq.questions] == [UNSURE[encoding]]


def test_a_file_that_is_utf_8_but_for_a_line_is_refused(tmp_path: Path) -> None:
    rows = [row.encode() for row in ("question,answer", "Où?,Là.", "Qui?,Zoë.", "Hé?,Ça va.")]
    rows[2:2] = ["Wer?,Jürgen.".encode("cp1252")]
    (tmp_path / "faq.csv").write_bytes(b"\n".join(rows))
    with pytest.raises(
        AskPyError, match=r"faq.csv is UTF-8 but for line 3\. Mend that, or save the file as UTF-8 anew"
    ):
        read_faqs([tmp_path / "faq.csv"])


def test_a_wrong_encoding_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "faq.csv").write_bytes("question,answer\nOù?,Là.\n".encode("cp1252"))
    with pytest.raises(AskPyError, match="'klingon' is no encoding that Python knows"):
        read_faqs([tmp_path / "faq.csv"], "klingon")
    with pytest.raises(AskPyError, match=r"is not utf-8 \(line 2\)"):
        read_faqs([tmp_path / "faq.csv"], "utf-8")


# --- folders, several files


def test_a_folder_is_read_with_what_is_in_it(run: Any, tmp_path: Path) -> None:
    wiki = tmp_path / "wiki"
    (wiki / "net").mkdir(parents=True)
    (wiki / ".git").mkdir()
    (wiki / ".git" / "x.md").write_text("## Hidden?\nYes.\n", encoding="utf-8")
    (wiki / "index.md").write_text("- [Network](net/)\n", encoding="utf-8")
    (wiki / "net" / "wifi.md").write_text(
        "# Wi-Fi is slow\n\nUse a cable.\n\n## On the train\n\nWait.\n", encoding="utf-8"
    )
    (wiki / "net" / "page.html").write_text("<p>x</p>", encoding="utf-8")
    (wiki / "logo.png").write_bytes(b"\x89PNG")
    (tmp_path / "more.csv").write_text("question,answer\nWho am I?,You.\n", encoding="utf-8")
    code, out, err = run("import", "wiki", "more.csv", "--into", "pack")
    assert (code, out.splitlines()[0], out.splitlines()[-1]) == (
        0,
        "2 entries written to pack.",
        "2 entries, 0 answers changed, 4 things left out, each named above.",
    )
    assert err.splitlines()[:-1] == [
        "wiki: 1 .png file",
        "wiki: 1 hidden folder",
        "wiki/index.md:1: 'Wiki' has no text but links",
        "wiki/net/page.html: an HTML page. Export the pages as Markdown (most wikis and sites can, and so can pandoc)",
    ]
    assert {entry.id: entry.answer for entry in load(Path("pack")).entries} == {
        "wi-fi-is-slow": "Use a cable.\n\n## On the train\n\nWait.",
        "who-am-i": "You.",
    }


def test_what_lies_outside_of_a_folder_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Links out of it are named, and so is all that is passed over."""
    wiki = tmp_path / "wiki"
    for name in ("wiki/venv", "wiki/.obsidian", "wiki/sub", "private"):
        (tmp_path / name).mkdir(parents=True)
    files = ("sub/page.md", ".draft.md", "~$page.md", "venv/v.md", ".obsidian/o.md", "contributing.md", "LICENSE")
    for name in files:
        (wiki / name).write_text(f"# What is {name}?\n\nIt.\n", encoding="utf-8")
    (tmp_path / "private" / "keys.md").write_text("# What is secret?\n\nThis.\n", encoding="utf-8")
    links = {
        "keys.md": "../private/keys.md",
        "all": "../private",
        "here": ".",
        "gone.md": "gone",
        "page.md": "sub/page.md",
    }
    for name, target in links.items():
        (wiki / name).symlink_to(target)
    os.mkfifo(wiki / "pipe.md")
    monkeypatch.chdir(wiki)
    for folder in (wiki, Path("../wiki"), Path()):
        faqs = read_faqs([folder])
        questions = [(question.file, question.question) for faq in faqs for question in faq.questions]
        assert questions == [(f"wiki/{name}", "What is sub/page.md?") for name in ("page.md", "sub/page.md")]
        assert list(joined_notes([note for faq in faqs for note in faq.notes])) == [
            "wiki: 1 broken link",
            "wiki: 2 hidden files",
            "wiki: 1 hidden folder",
            "wiki: 1 project file",
            "wiki: 1 special file",
            "wiki: 1 unnamed file",
            "wiki: 1 venv folder",
            "wiki/all: a link to a folder, which isn't followed",
            "wiki/here: a link to a folder, which isn't followed",
            "wiki/keys.md: a link out of wiki, which isn't followed",
        ]
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "keys.md").symlink_to("../private/keys.md")
    with pytest.raises(AskPyError, match=r"(?s)has no file that can be read\..*\nlinks/keys\.md: a link out of links"):
        read_faqs([tmp_path / "links"])


def test_a_folder_of_pages_is_refused(run: Any, tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "a.html").write_text("<p>x</p>", encoding="utf-8")
    told = "site has 1 HTML page and nothing that can be read. Export the pages as Markdown "
    told += "(most wikis and sites can, and so can pandoc)."
    assert run("import", "site", "--into", "pack") == (2, "", f"{told}\n")
    (tmp_path / "none").mkdir()
    assert "none has no file that can be read. Wanted is" in run("import", "none", "--into", "pack")[2]


# --- workbooks


def test_a_workbook_is_read_as_it_is_shown(tmp_path: Path) -> None:
    from openpyxl import Workbook
    from openpyxl.cell.rich_text import CellRichText, TextBlock
    from openpyxl.cell.text import InlineFont
    from openpyxl.styles import Font

    book = Workbook()
    sheet = book.active
    sheet.title = "IT"
    sheet.append(["Our questions"])
    sheet.append(["Question", "Answer", "Keywords", "Changed"])
    sheet.append(["Where is the guide?", "Here", "manual, handbook", dt.date(2026, 3, 1)])
    sheet["B3"].hyperlink = "https://it.example/guide"
    sheet.append(["Where is the map?", "There"])
    sheet["B4"].hyperlink = "maps/floor.pdf"
    sheet.append(["When do we move?", dt.datetime(2026, 11, 5, 14, 30)])
    sheet["B5"].number_format = "d mmm yyyy hh:mm"
    sheet.append(["How many are we?", 1250])
    sheet["B6"].number_format = "#,##0"
    sheet["B6"].font = Font(b=True)
    sheet.append(
        ["How do I start __init__?", CellRichText("Press ", TextBlock(InlineFont(b=True), "both"), " keys <now>")]
    )
    sheet.append(["Who helps?", "Ann in the morning."])
    sheet.append([None, "Bob later."])
    sheet.merge_cells("A8:A9")
    people = book.create_sheet("People")
    people.append(["Q", "A"])
    people.append(["Where is the guide?", "Ask your lead."])
    book.create_sheet("Notes").append(["nothing", "of", "use"])
    book.create_sheet("Draft").append(["Question", "Answer"])
    book["Draft"].append(["Secret?", "Yes."])
    book["Draft"].sheet_state = "hidden"
    book.save(tmp_path / "faq.xlsx")
    (faq,) = read_faqs([tmp_path / "faq.xlsx"])
    merged = [question.answer for question in faq.questions if question.question == "Who helps?"]
    assert merged == ["Ann in the morning.", "Bob later."]
    assert {(q.group, q.question): q.answer for q in faq.questions if q.question != "Who helps?"} == {
        (("IT",), "Where is the guide?"): "[Here](https://it.example/guide)",
        (("IT",), "Where is the map?"): "There",
        (("IT",), "When do we move?"): "5 Nov 2026 14:30",
        (("IT",), "How many are we?"): "**1,250**",
        (("IT",), "How do I start __init__?"): "Press **both** keys \\<now>",
        (("People",), "Where is the guide?"): "Ask your lead.",
    }
    assert faq.questions[0].asks == ("manual", "handbook")
    assert joined_notes(faq.notes) == (
        "faq.xlsx: the sheet 'Notes' has no columns for questions and answers",
        "faq.xlsx: the sheet 'Draft' is hidden",
        "faq.xlsx, sheet 'IT': not used: the columns Changed",
        "faq.xlsx, sheet 'IT', row 1: 'Our questions' stands above the headers",
        "faq.xlsx, sheet 'IT', row 4: the address 'maps/floor.pdf' works on the old site only; its label stays",
    )


def test_links_of_a_workbook_are_whole_and_what_is_hidden_is_named(tmp_path: Path) -> None:
    from openpyxl import Workbook
    from openpyxl.comments import Comment
    from openpyxl.worksheet.hyperlink import Hyperlink

    book = Workbook()
    sheet = book.active
    rows = {
        "Where is one?": '=HYPERLINK("https://it.example/a""b","One (1)")',
        "Where is two?": '=HYPERLINK("https://b.example/"&A1,"Two")',
        "Where is three?": '=HYPERLINK("https://c.example")&HYPERLINK("https://d.example","x")',
        "Where is four?": "Four",
        "Where is five?": "Five",
        "Where is six?": "Six",
        "Where is seven?": "Seven =HYPERLINK(x)",
    }
    for row in [("Question", "Answer"), *rows.items()]:
        sheet.append(row)
    sheet["B5"].hyperlink = Hyperlink("B5", location="part 2", target="https://it.example/guide")
    sheet["B6"].hyperlink = Hyperlink("B6", location="Rooms!A1")
    sheet["B6"].comment = Comment("Is that so?", "Ann")
    sheet.row_dimensions[7].hidden = True
    book.save(tmp_path / "faq.xlsx")
    (faq,) = read_faqs([tmp_path / "faq.xlsx"])
    assert {question.question: question.answer for question in faq.questions} == {
        "Where is one?": '<https://it.example/a"b>',
        "Where is four?": "[Four](https://it.example/guide#part%202)",
        "Where is five?": "Five",
        "Where is seven?": "Seven =HYPERLINK(x)",
    }
    assert joined_notes(faq.notes) == (
        "faq.xlsx, sheet 'Sheet', row 3: a link whose address a formula puts together "
        """('=HYPERLINK("https://b.example/"&A1,"Two")'); its text stays""",
        "faq.xlsx, sheet 'Sheet', row 3: no answer ('Where is two?')",
        "faq.xlsx, sheet 'Sheet', row 4: a link whose address a formula puts together "
        """('=HYPERLINK("https://c.example")&HYPERLINK("https://d.example…'); its text stays""",
        "faq.xlsx, sheet 'Sheet', row 4: no answer ('Where is three?')",
        "faq.xlsx, sheet 'Sheet', row 6: a comment on a cell ('Is that so?')",
        "faq.xlsx, sheet 'Sheet', row 6: a link to 'Rooms!A1' in the workbook; its text stays",
        "faq.xlsx, sheet 'Sheet', row 7: a hidden row ('Where is six? Six')",
    )


SHOWN = [
    (1234.5, '0.00 "€"', "1234.50 €"), (1234.5, "#,##0.00 €", "1,234.50 €"), (9.5, '"$"#,##0.00', "$9.50"),
    (-9.5, '"$"#,##0.00', "-$9.50"), (12.5, "#,##0.00 [$€-407]", "12.50 €"), (7, "0000", "0007"), (0.125, "0.0%", "12.5%"),
    (2.675, "0.00", "2.68"), (1234567, '0.0,,"M"', "1.2M"), (5, "[Red]0;[Blue]-0", "5"), (-5, "0;(0)", "(5)"),
    (0, '_-* #,##0.00\\ "€"_-;-* #,##0.00\\ "€"_-;_-* "-"??\\ "€"_-;_-@_-', "- €"),
    (-3, '_-* #,##0.00\\ "€"_-;-* #,##0.00\\ "€"_-;_-* "-"??\\ "€"_-;_-@_-', "-3.00 €"),
    (3, 'General " km"', "3  km"), (1.5, "#.##", "1.5"), (12345, "0.00E+00", "1.23E+04"), (1.5, "# ?/?", "1.5"), (3, ";;;", "3"),
    (1250.0, "General", "1250"), (5551234, "000-0000", "5551234"), (0.5, "#.##", ".5"), (3, "0.", "3."),
]  # fmt: skip


@pytest.mark.parametrize(("value", "form", "shown"), SHOWN)
def test_a_number_is_shown_in_its_format(value: float, form: str, shown: str) -> None:
    assert shown_number(value, form) == shown


def test_a_link_that_a_formula_makes_needs_no_cached_value(tmp_path: Path) -> None:
    from openpyxl import Workbook

    book = Workbook()
    book.active.append(["Question", "Answer"])
    book.active.append(["Where?", '=HYPERLINK("https://it.example/map","The ""big"" map")'])
    book.active.append(["How?", '=HYPERLINK("https://it.example/how")'])
    book.save(tmp_path / "faq.xlsx")
    (faq,) = read_faqs([tmp_path / "faq.xlsx"])
    assert [question.answer for question in faq.questions] == [
        '[The "big" map](https://it.example/map)',
        "<https://it.example/how>",
    ]


def test_a_workbook_that_unzips_to_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with zipfile.ZipFile(tmp_path / "faq.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b" " * (MAX_UNZIPPED + 1))
    with pytest.raises(AskPyError, match="unzips to more than 20 MB"):
        read_faqs([tmp_path / "faq.xlsx"])
    with zipfile.ZipFile(tmp_path / "faq.xlsx", "w") as archive:
        archive.writestr("xl/workbook.xml", b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "a">]><x/>')
    with pytest.raises(AskPyError, match="has declarations that no spreadsheet program writes"):
        read_faqs([tmp_path / "faq.xlsx"])


CROWDED = {
    "empty rows": "<sheetData>" + "<row/>" * 300_001 + "</sheetData>",
    "rows with a prefix": "<x:sheetData>" + "<x:row/>" * 300_001 + "</x:sheetData>",
    "cells": "<sheetData>" + ("<row>" + "<c/>" * 99 + "</row>") * 3_001 + "</sheetData>",
    "merged cells": '<sheetData/><mergeCells><mergeCell ref="A1:XFD1048576"/></mergeCells>',
}


@pytest.mark.parametrize("name", CROWDED)
def test_a_workbook_of_empty_cells_is_refused_before_it_is_read(name: str, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "faq.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", f"<worksheet>{CROWDED[name]}</worksheet>")
    with pytest.raises(AskPyError, match="more than 300,000 rows and cells, counting empty ones"):
        read_faqs([tmp_path / "faq.xlsx"])


def test_without_openpyxl_the_error_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with zipfile.ZipFile(tmp_path / "faq.xlsx", "w") as archive:
        archive.writestr("xl/workbook.xml", b"<x/>")
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(AskPyError, match=r"pip install openpyxl where .* uv tool install '\.\[xlsx\]'"):
        read_faqs([tmp_path / "faq.xlsx"])


# --- update

FIRST = """# Office

## Where do I park? {#park}

Behind the house.

## How late?

Nine.

## Who pays?

We do.

## Is there tea?

Yes.
"""
SECOND = """# Office

## Where may I park my car? {#park}

In front of the house.

## How late?

Ten.

## Who pays for all this?

We do.

## Is there coffee?

Always.
"""


def imported(tmp_path: Path, text: str, *, is_update: bool = False) -> Any:
    (tmp_path / "office.md").write_text(text, encoding="utf-8")
    return import_faqs([tmp_path / "office.md"], tmp_path / "pack", is_update=is_update)


def test_an_update_tells_what_changed_appeared_and_vanished(run: Any, tmp_path: Path) -> None:
    imported(tmp_path, FIRST)
    file = tmp_path / "pack" / "answers.yaml"
    written = file.read_text(encoding="utf-8")
    written = written.replace(
        "    - How late?\n", "    - How late?\n    - closing time  # asked on Monday\n  not_asks: [how late is it]\n"
    )
    file.write_text("# Ours.\n" + written.replace("answer: Nine.", "answer: Nine, on Friday eight."), encoding="utf-8")
    (tmp_path / "office.md").write_text(SECOND, encoding="utf-8")
    code, out, _ = run("import", "office.md", "--into", "pack", "--update")
    assert (code, out.splitlines()[:6]) == (
        0,
        [
            "pack: 3 changed, 1 new, 1 no longer in the source.",
            "  changed park: the answer, the title, 1 phrasing",
            "  changed how-late: the answer; what somebody had changed is a comment above it now",
            "  changed who-pays: the title, 1 phrasing",
            "  new     is-there-coffee: 'Is there coffee?'; looks like is-there-tea, which is gone",
            "  gone    is-there-tea: 'Is there tea?' stays in the pack; take it out there if it no longer holds",
        ],
    )
    assert out.splitlines()[-1] == "4 entries read, 3 changed, 1 new in the pack; 0 things left out."
    assert file.read_text(encoding="utf-8") == UPDATED
    by_id = load(tmp_path / "pack").by_id
    assert by_id["how-late"].asks == ("How late?", "closing time")
    assert by_id["how-late"].not_asks == ("how late is it",)


UPDATED = """# Ours.
- id: park
  title: Where may I park my car?
  asks:
    - Where do I park?
    - Where may I park my car?
  answer: In front of the house.

- id: how-late
  title: How late?
  asks:
    - How late?
    - closing time  # asked on Monday
  not_asks: [how late is it]
  # Somebody had changed the answer that the import of office.md replaced:
  # Nine, on Friday eight.
  answer: Ten.

- id: who-pays
  title: Who pays for all this?
  asks:
    - Who pays?
    - Who pays for all this?
  answer: We do.

- id: is-there-tea
  title: Is there tea?
  asks:
    - Is there tea?
  answer: Yes.

- id: is-there-coffee
  title: Is there coffee?
  asks:
    - Is there coffee?
  answer: Always.
"""


def test_an_answer_that_somebody_changed_stays_while_its_source_does(tmp_path: Path) -> None:
    imported(tmp_path, FIRST)
    file = tmp_path / "pack" / "answers.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("Nine.", "Half past nine."), encoding="utf-8")
    before = file.read_bytes()
    for _ in range(2):
        update = imported(tmp_path, FIRST, is_update=True).update
        assert (update.changed, update.appeared, update.vanished, list(update.kept)) == ({}, {}, {}, ["how-late"])
        assert file.read_bytes() == before


def test_what_was_taken_out_of_the_pack_is_not_added_again(tmp_path: Path) -> None:
    imported(tmp_path, FIRST)
    file = tmp_path / "pack" / "answers.yaml"
    file.write_text(file.read_text(encoding="utf-8").partition("- id: who-pays")[0], encoding="utf-8")
    update = imported(tmp_path, FIRST, is_update=True).update
    assert (update.changed, update.appeared, list(update.kept)) == ({}, {}, ["who-pays", "is-there-tea"])
    assert update.kept["who-pays"] == (
        "'Who pays?' is in the source, but somebody deleted the entry from the pack, so it isn't added again; to have it back, "
        "delete 'who-pays' in import.json"
    )


def test_what_is_left_out_is_counted_alike_each_time(run: Any, tmp_path: Path) -> None:
    (tmp_path / "office.md").write_text("## Where?\n\nHere.\n", encoding="utf-8")
    run("import", "office.md", "--into", "pack")
    text = "## Where?\n\nHere.\n\n## Which floor?\n\nAlso asked: where | what floor\n\nThe [third](/3).\n\n## How?\n"
    (tmp_path / "office.md").write_text(text, encoding="utf-8")
    (tmp_path / "pack" / "answers.yaml").write_text(
        "- id: where\n  title: Where?\n  asks: [Where?, what floor]\n  answer: Here.\n", encoding="utf-8"
    )
    lines = [run("import", "office.md", "--into", "pack", "--update")[1].splitlines()[-1] for _ in range(2)]
    assert lines == [
        f"2 entries read, 0 changed, {new} new in the pack; 4 things left out, each named above." for new in (1, 0)
    ]


LEFT_OUT = "# Lampd\n\nRead [this](/x).\n\n!!! tip\n    Or [that](/y).\n\n- a\n- b\n\n"


def test_what_is_left_out_is_named_whole(tmp_path: Path) -> None:
    page = LEFT_OUT + "## Is it red?\n\nYes, [so](/z).\n\n## License\n\nMIT, see\n\n[there](/m).\n"
    _, notes = taken(tmp_path, "faq.md", page)
    assert notes == (
        "faq.md:3: lines 3 to 9 ('Read this.') under the title 'Lampd' answer no question",
        "faq.md:13: the address '/z' works on the old site only; its label stays",
        "faq.md:15: lines 15 to 19 ('MIT, see') under the title 'License' answer no question",
    )


@pytest.mark.parametrize("length", [1, 9])
def test_a_page_most_of_which_is_left_out_is_named(length: int, tmp_path: Path) -> None:
    (tmp_path / "faq.md").write_text(LEFT_OUT + f"## Is it red?\n\n{'Yes, so it is. ' * length}\n", encoding="utf-8")
    summary = import_faqs([tmp_path / "faq.md"], tmp_path / "pack").summary
    assert summary.startswith("More than half of faq.md is in no entry.\n1 entry, ") is (length == 1)


def test_a_fence_that_is_never_closed_is_named() -> None:
    page = "## How?\n\n```sh\nx\n```\n\n- ~~~\n  y\n  ~~~\n\n> ```\n> z\n> ```\n\n```\n## Why?\n\nSo.\n"
    faq = read_markdown(page, "faq.md")
    assert (len(faq.questions), faq.questions[0].answer.endswith("```\n## Why?\n\nSo.\n```")) == (1, True)
    assert joined_notes(faq.notes) == ("faq.md:15: this fence is never closed; all below it is code",)


UNCLOSED = {
    "colons": (":::note\nThus.\n", "> **Note:** Thus.", ["5: 'note' is never closed; it was ended above line 8"]),
    "a template": ("{% tip %}\n\nThus.\n", "> **Tip:** Thus.", ["5: 'tip' is never closed; it was ended above line 9"]),
    "a fold": (
        "<details><summary>The log</summary>\n\nThus.\n",
        "**The log**\n\nThus.",
        ["5: 'details' is never closed; it was ended above line 9"],
    ),
    "a quote": ("<blockquote>\n\nThus.\n", "> Thus.", ["5: 'blockquote' is never closed; it was ended above line 9"]),
    "a heading below": (
        ":::note\n### Now\nThus.\n",
        "> **Note**\n>\n> ### Now\n>\n> Thus.",
        ["5: 'note' is never closed; it was ended above line 9"],
    ),
    "one in another": (
        ":::note\nThus.\n\n<details><summary>The log</summary>\n\nx\n",
        "> **Note:** Thus.\n>\n> **The log**\n>\n> x",
        [
            "5: 'note' is never closed; it was ended above line 12",
            "8: 'details' is never closed; it was ended above line 12",
        ],
    ),
    "closed": (":::note\n# Now\nThus.\n:::\n", "> **Note**\n>\n> # Now\n>\n> Thus.", []),
}


@pytest.mark.parametrize("name", UNCLOSED)
def test_what_is_never_closed_takes_no_questions(name: str) -> None:
    written, answer, notes = UNCLOSED[name]
    page = f"# FAQ\n\n## How?\n\n{written}\n## Why?\n\n:::tip\nSo.\n:::\n\n## Who?\n\nAnn.\n"
    faq = read_markdown(page, "faq.md")
    assert {question.question: question.answer for question in faq.questions} == {
        "How?": answer, "Why?": "> **Tip:** So.", "Who?": "Ann.",
    }  # fmt: skip
    assert list(joined_notes(faq.notes)) == [f"faq.md:{note}" for note in notes]


def test_what_is_never_closed_at_the_end_is_named() -> None:
    faq = read_markdown("## How?\n\n<details><summary>The log</summary>\n\nx\n", "faq.md")
    assert joined_notes(faq.notes) == ("faq.md:3: 'details' is never closed; what follows was read as part of it",)


NO_QUESTIONS = [
    "Any more questions?", "Something to add?", "Still need help?", "Do you have any other questions?", "Anything missing?",
    "Noch Fragen?", "Haben Sie noch weitere Fragen?", "Fehlt etwas?", "D'autres questions ?", "Vous avez encore des questions ?",
    "Besoin d'aide ?", "¿Tienes más preguntas?", "¿Alguna duda más?", "¿Falta algo?", "Ainda tem dúvidas?", "Altre domande?",
    "Остались вопросы?", "还有其他问题吗？", "需要帮助吗？", "その他のご質問は？", "더 궁금한 점이 있나요?",
    "Author", "About the author", "Über den Autor", "Auteurs", "Sobre el autor", "Об авторе", "作者",
]  # fmt: skip
QUESTIONS = [
    "How do I contact you?", "Who is the author?", "Do you have questions for me?", "Wie stelle ich Fragen?", "¿Dónde pregunto?",
    "Contact lenses", "Team lunch", "Need help with the lift?", "¿Quién es el autor?", "有问题怎么办？",
]  # fmt: skip


@pytest.mark.parametrize("title", NO_QUESTIONS + QUESTIONS)
def test_an_invitation_and_the_author_are_no_entries(title: str) -> None:
    found = answers(f"# FAQ\n\n## How?\n\nSo.\n\n## {title}\n\nWrite to us.\n")
    assert list(found) == ["How?", *([title] if title in QUESTIONS else [])]


@pytest.mark.parametrize("title", ["Contact us", "Kontakt", "Contacto", "Authors", "联系我们"])
@pytest.mark.parametrize("is_in_folder", [True, False])
def test_a_page_about_its_authors_has_only_what_asks(title: str, is_in_folder: bool) -> None:
    page = f"# {title}\n\nWe.\n\n## Ann\n\nWrites.\n\n## Where are you?\n\nHere.\n"
    faq = read_markdown(page, "faq.md", is_in_folder=is_in_folder)
    assert [question.question for question in faq.questions] == ["Where are you?"]


COUNTED = [
    ("question,answer\nHow?,\nWhere?,Here.\nWhy?,\n", "1 entry, 0 answers changed, 2 things"),
    ("question,answer\nWhere?,[a](/a) [b](/b) [a](/a)\nWhy?,[c](/c)\n,[d](/d)\n", "2 entries, 2 answers changed, 4 things"),
    ("question,answer\nWhere?,Here.\nwhere,Here.\n", "1 entry, 0 answers changed, 1 thing"),
]  # fmt: skip


@pytest.mark.parametrize(("table", "summary"), COUNTED)
def test_the_last_line_counts_each_thing_once(table: str, summary: str, tmp_path: Path) -> None:
    (tmp_path / "faq.csv").write_text(table, encoding="utf-8")
    found = import_faqs([tmp_path / "faq.csv"], tmp_path / "pack").summary
    assert found == f"{summary} left out, each named above."


def test_a_new_question_takes_the_phrasings_of_one_that_is_gone(run: Any, tmp_path: Path) -> None:
    imported(tmp_path, "## Where is the car park?\n\nAlso asked: parking | my car\n\nHere.\n\n## How?\n\nSo.\n")
    text = "## Driving\n\n### May visitors come by bus?\n\nAlso asked: parking | by bus\n\nYes.\n\n## How?\n\nSo.\n"
    (tmp_path / "office.md").write_text(text, encoding="utf-8")
    lines = run("import", "office.md", "--into", "pack", "--update")[1].splitlines()
    assert (
        "  new     may-visitors-come-by-bus: 'May visitors come by bus?'; looks like where-is-the-car-park, which is gone"
        in lines
    )
    by_id = load(tmp_path / "pack").by_id
    assert by_id["may-visitors-come-by-bus"].asks == ("May visitors come by bus?", "parking", "by bus")
    assert by_id["where-is-the-car-park"].asks == ("Where is the car park?", "my car")


def test_without_a_record_no_answer_is_replaced(tmp_path: Path) -> None:
    imported(tmp_path, FIRST)
    (tmp_path / "pack" / "import.json").unlink()
    update = imported(tmp_path, FIRST.replace("Nine.", "Ten."), is_update=True).update
    assert (update.changed, update.kept) == (
        {},
        {"how-late": "the pack's answer differs from the source's, and no import left a record of it"},
    )


def test_a_file_of_a_folder_keeps_its_id_when_it_is_reworded(tmp_path: Path) -> None:
    wiki = tmp_path / "wiki"
    wiki.mkdir()
    (wiki / "wifi.md").write_text("# Wi-Fi is slow\n\nUse a cable.\n", encoding="utf-8")
    (wiki / "vpn.md").write_text("# VPN drops\n\nRenew it.\n", encoding="utf-8")
    import_faqs([wiki], tmp_path / "pack")
    (wiki / "wifi.md").write_text("# Network troubles\n\nUse two cables.\n", encoding="utf-8")
    (wiki / "vpn.md").unlink()
    update = import_faqs([wiki], tmp_path / "pack", is_update=True).update
    assert update is not None
    assert (list(update.changed), list(update.appeared), list(update.vanished)) == (
        ["wi-fi-is-slow"],
        [],
        ["vpn-drops"],
    )
    assert load(tmp_path / "pack").by_id["wi-fi-is-slow"].answer == "Use two cables."


UPDATES: dict[str, tuple[dict[str, str], dict[str, str], list[str], dict[str, str]]] = {
    "another file numbers its rows alike": (
        {"hr.csv": "id,question,answer\n1,Where do I book leave?,In the calendar.\n2,Who pays me?,Pay office.\n"},
        {"it.csv": "id,question,answer\n1,Where is the VPN?,In the tray.\n2,Who resets my PIN?,Help desk.\n"},
        ["0 changed, 2 new, 0 no longer in the source."],
        {"where-do-i-book-leave": "In the calendar.", "who-pays-me": "Pay office.", "where-is-the-vpn": "In the tray."},
    ),
    "rows are numbered anew": (
        {"hr.csv": "id,question,answer\nHR-1,How do I get a badge?,At the door.\nHR-2,How do I get a desk?,Ask Ann.\n"},
        {"hr.csv": "id,question,answer\nHR-1,How do I get a key?,Ask Bob.\nHR-2,How do I get a badge?,At the gate.\n"},
        ["1 changed, 1 new, 1 no longer in the source.", "changed hr-1: the answer"],
        {"hr-1": "At the gate.", "hr-2": "Ask Ann.", "hr-1-2": "Ask Bob."},
    ),
    "a file has another name": (
        {"faq-24.md": "## Who pays?\n\nWe do.\n\n## How late?\n\nNine.\n\n## Is there tea?\n\nYes.\n"},
        {"faq-25.md": "## Who pays?\n\nWe do.\n\n## How late?\n\nTen.\n"},
        ["1 changed, 0 new, 1 no longer in the source.", "changed how-late", "gone    is-there-tea"],
        {"who-pays": "We do.", "how-late": "Ten.", "is-there-tea": "Yes."},
    ),
    "one of two files that ask the same": (
        {"windows.md": "## How do I install it?\n\nRun it.\n", "mac.md": "## How do I install it?\n\nDrag it.\n"},
        {"mac.md": "## How do I install it?\n\nOpen it.\n"},
        ["1 changed, 0 new, 0 no longer in the source.", "changed how-do-i-install-it-mac: the answer"],
        {"how-do-i-install-it": "Run it.", "how-do-i-install-it-mac": "Open it."},
    ),
    "two files that ask the same, in the other order": (
        {"windows.md": "## How do I install it?\n\nRun it.\n", "mac.md": "## How do I install it?\n\nDrag it.\n"},
        {"mac.md": "## How do I install it?\n\nDrag it.\n", "windows.md": "## How do I install it?\n\nRun it.\n"},
        ["0 changed, 0 new, 0 no longer in the source."],
        {"how-do-i-install-it": "Run it.", "how-do-i-install-it-mac": "Drag it."},
    ),
    "a new file that asks the same": (
        {"windows.md": "## How do I install it?\n\nRun it.\n"},
        {"mac.md": "## How do I install it?\n\nDrag it.\n"},
        ["0 changed, 1 new, 0 no longer in the source.", "new     how-do-i-install-it-2: 'How do I install it? (mac)'"],
        {"how-do-i-install-it": "Run it.", "how-do-i-install-it-2": "Drag it."},
    ),
    "one of two files with one name": (
        {"a/faq.md": "## Who pays?\n\nWe do.\n\n## How late?\n\nNine.\n", "b/faq.md": "## Who pays?\n\nYou do.\n"},
        {"b/faq.md": "## Who pays?\n\nThey do.\n"},
        ["1 changed, 0 new, 0 no longer in the source.", "changed who-pays-b-faq: the answer"],
        {"who-pays": "We do.", "how-late": "Nine.", "who-pays-b-faq": "They do."},
    ),
    "two sections that ask the same, one of them changed and both moved": (
        {"faq.md": "# FAQ\n\n## Mac\n\n### How?\n\nDrag.\n\n## PC\n\n### How?\n\nRun.\n"},
        {"faq.md": "# FAQ\n\n## PC\n\n### How?\n\nStart.\n\n## Mac\n\n### How?\n\nDrag.\n"},
        ["1 changed, 0 new, 0 no longer in the source.", "changed how-pc: the answer"],
        {"how": "Drag.", "how-pc": "Start."},
    ),
    "one of two sections that ask the same has another heading and answer": (
        {"faq.md": "# FAQ\n\n## Mac\n\n### How?\n\nDrag.\n\n## PC\n\n### How?\n\nRun.\n"},
        {"faq.md": "# FAQ\n\n## Mac\n\n### How?\n\nDrag.\n\n## Web\n\n### How?\n\nOpen.\n"},
        ["0 changed, 1 new, 1 no longer in the source.", "new     how-web: 'How? (Web)'", "gone    how-pc"],
        {"how": "Drag.", "how-pc": "Run.", "how-web": "Open."},
    ),
    "a question gives way to its contrary": (
        {"faq.md": "# FAQ\n\n## How do I lock my screen?\n\nPress L.\n\n## Who pays?\n\nWe do.\n"},
        {"faq.md": "# FAQ\n\n## How do I unlock my screen?\n\nPress U.\n\n## Who pays?\n\nWe do.\n"},
        ["0 changed, 1 new, 1 no longer in the source.", "new     how-do-i-unlock", "gone    how-do-i-lock"],
        {"how-do-i-lock-my-screen": "Press L.", "how-do-i-unlock-my-screen": "Press U."},
    ),
    "a question is reworded": (
        {"faq.md": "## How do I lock my screen?\n\nPress L.\n\n## Who pays?\n\nWe do.\n"},
        {"faq.md": "## How can I lock the display?\n\nPress L.\n\n## Who pays?\n\nWe do.\n"},
        ["1 changed, 0 new, 0 no longer in the source.", "changed how-do-i-lock-my-screen: the title, 1 phrasing"],
        {"how-do-i-lock-my-screen": "Press L."},
    ),
    "a question that moved into another file": (
        {"a.md": "## Who pays?\n\nWe do.\n\n## How late?\n\nNine.\n", "b.md": "## Is there tea?\n\nYes.\n"},
        {"a.md": "## How late?\n\nNine.\n", "b.md": "## Is there tea?\n\nYes.\n\n## Who pays?\n\nWe do.\n"},
        ["0 changed, 0 new, 0 no longer in the source."],
        {"who-pays": "We do."},
    ),
    "another file asks the same with the same answer": (
        {"a.md": "## Who pays?\n\nWe do.\n"},
        {"b.md": "## Who pays?\n\nWe do.\n\n## How late?\n\nTen.\n"},
        ["0 changed, 1 new, 0 no longer in the source.", "new     how-late"],
        {"who-pays": "We do.", "how-late": "Ten."},
    ),
}
"""The files of a pack, those of its update, what is said of it, and answers that the pack then has."""


@pytest.mark.parametrize("older", [False, True])
@pytest.mark.parametrize("name", UPDATES)
def test_an_update_knows_the_questions_that_it_had(name: str, older: bool, tmp_path: Path) -> None:
    """Also by a record of an older version, which lacks the original of a question that was told apart."""
    first, second, told, expected = UPDATES[name]
    pack, record = tmp_path / "pack", tmp_path / "pack" / "import.json"
    import_faqs(written(tmp_path, first), pack)
    if older:
        content = json.loads(record.read_text(encoding="utf-8"))
        assert all(entry.pop("original") for entry in content["entries"].values())
        record.write_text(json.dumps(content), encoding="utf-8")
    update = import_faqs(written(tmp_path, second), pack, is_update=True).update
    assert update is not None
    lines = list(update.lines())
    assert (lines[0], len(lines) > 1) == (told[0], "0 changed, 0 new, 0 no" not in told[0])
    for line in told[1:]:
        assert any(line in listed for listed in lines[1:])
    found = {entry.id: entry.answer for entry in load(pack).entries}
    assert {name: found.get(name) for name in expected} == expected
    assert not [fault.text for fault in check_pack(pack).faults if not fault.advice]
    again = import_faqs(written(tmp_path, second), pack, is_update=True).update
    assert again is not None and (again.changed, again.appeared) == ({}, {})


def written(folder: Path, files: dict[str, str]) -> list[Path]:
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in files]


def test_a_file_is_known_wherever_it_is_named_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    written(tmp_path, {"a/faq.md": "x", "b/faq.md": "x", "b/more.md": "x"})
    assert input_names([Path("a/faq.md"), Path("b/faq.md"), Path("b/more.md")]) == ("a/faq.md", "b/faq.md", "more.md")
    monkeypatch.chdir(tmp_path / "a")
    assert input_names([Path("faq.md")]) == ("faq.md",)
    assert input_names([Path("faq.md"), Path("../b/more.md")], ["a/faq.md", "b/more.md"]) == ("a/faq.md", "b/more.md")
    assert input_names([Path(), Path("../b")], ["b/faq.md"]) == ("a", "b")


def test_an_update_needs_a_pack(run: Any, tmp_path: Path) -> None:
    (tmp_path / "office.md").write_text(FIRST, encoding="utf-8")
    told = "pack is no pack that could be updated. Leave --update out, or name the pack with --into."
    assert run("import", "office.md", "--into", "pack", "--update") == (2, "", f"{told}\n")
    imported(tmp_path, FIRST)
    (tmp_path / "pack" / "import.json").write_text("[]", encoding="utf-8")
    assert "can't be read as the record of an import" in run("import", "office.md", "--into", "pack", "--update")[2]


def test_a_faq_of_449_entries_takes_five_seconds_at_most(tmp_path: Path) -> None:
    page = "# Help\n\n" + "\n".join(
        f"## How do I do thing number {n}?\n\nOpen [page {n}](https://help.example/{n}) and run:\n\n"
        f"```sh\nthing --number {n}\n```\n\n"
        f"1. One\n   - so\n2. Two, see [there](/docs/{n}) & <b>here</b>\n\n| a | b |\n|---|---|\n| {n} | `x` |\n"
        for n in range(449)
    )
    (tmp_path / "faq.md").write_text(page, encoding="utf-8")
    start = time.process_time()
    assert import_faqs([tmp_path / "faq.md"], tmp_path / "pack").entries == 449
    assert time.process_time() - start < 5
