"""The benchmarks of the matcher: what they measure, print and draw, on question sets of a few lines."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from benchmarks import charts, generic_gate, matchers, measure, names, small_packs, startup_time, wording
from benchmarks.small_packs import AskedPack, PackEntry, half_hidden


@pytest.fixture
def question_files(tmp_path: Path) -> Path:
    """Two tiny question sets in the form of the public ones: 24 intents, each with a word of its own."""
    names = [
        f"{one}{two}"
        for one in ("red", "blue", "green", "grey")
        for two in ("door", "lamp", "shoe", "boat", "tree", "cup")
    ]
    asks = ("where is my {}", "the {} is gone", "i want a {} today", "who took that {}", "{} please", "sell me one {}")
    rows = [[ask.format(name), name] for name in names for ask in asks]
    clinc = {
        "train": rows,
        "val": [[f"is there a {name}", name] for name in names],
        "oos_val": [["how high is the moon", "oos"], ["sing something", "oos"]],
        "oos_train": [["tell me a joke", "oos"]],
    }
    more = [(f"{text} {n}", name) for text, name in rows for n in ("now", "soon", "later")]
    banking = "".join(f"{text},{name}\n" for text, name in more)
    (tmp_path / "clinc150.json").write_text(json.dumps(clinc), encoding="utf-8")
    (tmp_path / "banking77.csv").write_text("text,category\n" + banking, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("matcher", ["AskPy", "SQLite FTS5", "rapidfuzz WRatio"])
def test_a_matcher_is_measured_on_a_set(question_files: Path, matcher: str) -> None:
    row = measure.measure_set(question_files, "CLINC150, 5 an entry", matcher)
    assert row["clean @1"] <= row["clean @3"] <= 100
    assert 0 <= row["clean auroc"] <= 1
    assert 0 < row["p50"] <= row["p99"]


def test_ours_finds_what_has_a_word_of_its_own(question_files: Path) -> None:
    assert measure.measure_set(question_files, "CLINC150, 5 an entry", "AskPy")["clean @1"] == 100


def test_without_question_sets_there_is_a_message(tmp_path: Path) -> None:
    ran = CliRunner().invoke(matchers.main, ["--data", str(tmp_path), "--part", "sets"])
    assert (ran.exit_code, ran.stdout.split(":")[0]) == (0, "No question sets")


def test_question_sets_are_looked_for_where_a_variable_says(
    question_files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASKPY_BENCHMARK_DATA", str(question_files))
    ran = CliRunner().invoke(matchers.main, ["--row", "sets", "BANKING77, all", "SQLite FTS5"])
    assert (ran.exit_code, "clean @1" in json.loads(ran.stdout)) == (0, True)


def test_without_question_sets_no_gate_is_fitted() -> None:
    ran = CliRunner().invoke(generic_gate.main, [])
    assert (ran.exit_code, ran.stdout.split(":")[0]) == (0, "No question sets")


def test_tables_and_charts_come_from_the_same_rows(tmp_path: Path) -> None:
    results: matchers.Results = {}
    for name, factor in (("AskPy", 1.0), ("bm25s", 2.0), ("rapidfuzz <x>", 2.1)):
        results["typos", "typos", name] = {str(count): 90 - count * factor for count in measure.TYPO_COUNTS}
        for size, _ in measure.SIZES:
            cost = {"p50": factor * size / 1e4, "p99": 9, "of a scan": 0.5, "build": 3, "memory": 80}
            results["growth", str(size), name] = cost
    charts.draw(results, tmp_path)
    drawn = [ElementTree.parse(tmp_path / name) for name in ("accuracy-typos.svg", "cost-size.svg")]
    labels = [[text.text or "" for text in each.iter("{http://www.w3.org/2000/svg}text")] for each in drawn]
    assert "AskPy  86" in labels[0]
    assert "bm25s  20" in labels[1]
    titles = [str(table.title) for table in matchers.tables(results)]
    assert [title.split(" ")[0] for title in titles] == ["Accuracy", "Growth"]


def test_labels_are_kept_apart() -> None:
    placed = sorted(charts.spread_labels({"a": 100, "b": 101, "c": 101, "d": 340, "e": 344}).values())
    assert min(high - low for low, high in itertools.pairwise(placed)) >= charts.LABEL_HEIGHT
    assert placed[-1] <= charts.BOTTOM


def test_startup_times_are_given_in_units_of_the_imports() -> None:
    table = startup_time.as_table(startup_time.StartupTimes(4.0, ask=(0.3, 0.2, 0.4), imports=(0.2, 0.2, 0.2)))
    assert [list(column.cells) for column in table.columns][2] == ["1.00x", "1.50x", "20.00x"]


def things_pack() -> AskedPack:
    entries = tuple(
        PackEntry(thing, f"Where is the {thing}?", (f"find the {thing}", f"buy a {thing}"), "Ask for it.")
        for thing in THINGS
    )
    covered = tuple((f"where can i find a {thing}", thing) for thing in THINGS)
    return AskedPack("things", entries, covered, ("who won the match",), ("translate this into french",))


def test_small_packs_are_asked_covered_near_and_far_questions() -> None:
    shares = small_packs.measure(things_pack())
    assert (shares.right + shares.offered, shares.wrong) == (100, 0)
    assert (shares.near_answered, shares.far_answered) == (0, 0)


def test_the_questions_of_hidden_entries_are_not_covered() -> None:
    hidden = half_hidden(things_pack())
    assert [entry.id for entry in hidden.entries] == list(THINGS[::2])
    assert [question for question, _ in hidden.covered] == [f"where can i find a {thing}" for thing in THINGS[::2]]
    assert hidden.near == tuple(f"where can i find a {thing}" for thing in THINGS[1::2])


def test_a_packs_samples_have_both_labels() -> None:
    rows = generic_gate.rows_of(things_pack(), near_weight=2.0)
    assert rows.is_right.tolist() == [1] * len(THINGS) + [0] * (len(rows.is_right) - len(THINGS))
    assert rows.is_among.tolist()[: len(THINGS)] == [1] * len(THINGS)
    assert rows.weight.tolist()[: len(THINGS)] == [1] * len(THINGS)
    assert len(rows.features) == len(rows.weight)


THINGS = ("kettle", "printer", "bicycle", "lamp", "ladder", "mirror")


def test_answers_without_a_word_on_a_name_are_counted(tmp_path: Path) -> None:
    file = tmp_path / "names.jsonl"
    questions = (
        ("what is flask", "Quux", 1),
        ("what is Flask", "FLASK", 1),
        ("zorblax vs flask", "zorblax", 0),
        ("what is zorblax", "zorblax", 0),
    )
    file.write_text(
        "".join(json.dumps({"q": q, "name": name, "real": real}) + "\n" for q, name, real in questions),
        encoding="utf-8",
    )
    ran = CliRunner().invoke(names.main, [str(file), "--verbose"])
    rows = [line.split() for line in ran.stdout.splitlines()]
    assert ["real", "2", "1", "1", "0", "0", "50.0"] in rows
    assert ["invented", "2", "0", "0", "1", "1", "0.0"] in rows
    assert "what is flask  [Quux] -> library flask" in ran.stdout


def test_wording_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / wording.PAIRS_FILE).write_text("what is Flask\nis Celery free\n", encoding="utf-8")
    ran = CliRunner().invoke(wording.main, ["--data", str(tmp_path), "--verbose"])
    rows = [line.rsplit(maxsplit=2) for line in ran.stdout.splitlines() if line.strip()[-1:].isdigit()]
    names, counts = [row[0].strip() for row in rows], [row[1:] for row in rows]
    assert names == ["pairs that differ by case", "slips understood", "opposites answered", "guards answered"]
    assert [int(counts[0][0]), int(counts[2][0])] == [0, 0]
    assert int(counts[1][0]) >= 0.95 * int(counts[1][1])
    assert int(counts[3][0]) >= 0.95 * int(counts[3][1])


def test_without_pairs_there_is_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ASKPY_BENCHMARK_DATA", raising=False)
    assert CliRunner().invoke(wording.main).stdout.startswith("Pairs that differ by case: skipped, because")
