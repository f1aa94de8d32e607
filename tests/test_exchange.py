"""Export: curated changes become a patch that touches nothing else, applies, and leaves nothing to export."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.cli import main
from bot.curation.lint import lint
from bot.curation.overlay import apply_changes
from bot.curation.source_locations import source_locations
from bot.exchange.export import Export, export_changes
from bot.exchange.yaml_edit import ListEdit, edit_entries
from bot.exchange.yaml_text import scalar, value
from bot.knowledge import load, read_files
from bot.knowledge.yaml_reader import read
from bot.markdown import parse, plain
from bot.model import Change, Knowledge, Source
from bot.store import Store
from bot.text import normalize_phrase

PACK = {
    "pack.yaml": "name: Office\n",
    "answers.yaml": """\
# How we work.
- id: opening-hours
  title:   When are you open?     # odd blanks stay
  asks: [when are you open, 'opening hours']
  answer: Weekdays from nine to five.

- id: badge
  title: Lost badges
  asks:
  - i lost my badge     # no indent here
  - >-
    somebody took
    my badge

  # a remark between fields
  not_asks:
  - badge of honour
  answer: |
    Tell the desk.
""",
    "more/cars.yaml": "- {id: parking, title: Where can I park?, asks: [car park], answer: Behind the house.}\n",
    "out_of_scope.yaml": "names: [Java]\nasks:\n  - may i bring my dog\n  - who won the match   # last one\n",
}


def pack_at(folder: Path, files: dict[str, str] = PACK) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(text.encode())
    return folder


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    return pack_at(tmp_path / "knowledge")


def change(kind: Any, text: str = "", entry: str = "", **more: Any) -> Change:
    return Change(id=f"{kind} {text}", workspace="T1", kind=kind, text=text, entry=entry, **more)


def wifi(*asks: str, answer: str = "Ask the desk.") -> Change:
    return change("entry", entry="wifi", title="What is the wifi password?", answer=answer, asks=asks or ("wlan code",))


def added(found: Export) -> list[str]:
    return [line[1:] for line in found.patch.splitlines() if line.startswith("+") and not line.startswith("+++")]


def removed(found: Export) -> list[str]:
    return [line[1:] for line in found.patch.splitlines() if line.startswith("-") and not line.startswith("---")]


def apply(found: Export, *tool: str) -> None:
    patch = found.root / "curated.patch"
    patch.write_bytes(found.patch.encode())
    subprocess.run([*(tool or ("patch", "-s", "-p1", "-i")), "curated.patch"], cwd=found.root, check=True)
    patch.unlink()


# --- where lines go

PLACES: dict[str, tuple[Change, list[str], list[str]]] = {
    "a list without indent": (change("ask", "my badge is gone", "badge"), ["  - my badge is gone"], []),
    "a list between brackets": (
        change("ask", "hours, please", "opening-hours"),
        ["  asks: [when are you open, 'opening hours', 'hours, please']"],
        ["  asks: [when are you open, 'opening hours']"],
    ),
    "refusals that stand": (change("not_ask", "badge of shame", "badge"), ["  - badge of shame"], []),
    "the first refusal": (
        change("not_ask", "is the sky open", "opening-hours"),
        ["  not_asks:", "    - is the sky open"],
        [],
    ),
    "an entry on one line": (
        change("not_ask", "jurassic park", "parking"),
        ["- {id: parking, title: Where can I park?, asks: [car park], not_asks: [jurassic park], answer: Behind the house.}"],
        ["- {id: parking, title: Where can I park?, asks: [car park], answer: Behind the house.}"],
    ),
    "out of scope": (change("not_ask", "how tall is the tower"), ["  - how tall is the tower"], []),
    "out of scope that is answered now": (
        change("ask", "May I bring my dog?", "badge"),
        ["  - May I bring my dog?"],
        ["  - may i bring my dog"],
    ),
    "a refusal that is a phrasing now": (
        change("ask", "badge of honour", "badge"),
        ["  - badge of honour", "  not_asks: []"],
        ["  not_asks:", "  - badge of honour"],
    ),
    "a new entry": (
        wifi("wlan code", "wifi: how?", answer="Ask the desk.\n\n- or: your mate"),
        [
            "# Entries that curators wrote in Slack.", "", "- id: wifi", "  title: What is the wifi password?",
            "  asks:", "    - wlan code", "    - 'wifi: how?'", "  answer: |", "    Ask the desk.", "", "    - or: your mate",
        ],
        [],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PLACES)
def test_a_change_is_written_where_it_belongs_and_nothing_else_is_touched(name: str, pack: Path) -> None:
    one, plus, minus = PLACES[name]
    found = export_changes(pack, [one])
    assert (added(found), removed(found), found.faults, found.exported) == (plus, minus, (), 1)
    apply(found)
    assert export_changes(pack, [one]).patch == ""
    knowledge = load(pack)
    assert [
        str(fault) for fault in lint(knowledge, source_locations(read_files(pack), knowledge)) if not fault.advice
    ] == []


def test_a_phrasing_of_a_new_entry_stands_with_it(pack: Path) -> None:
    found = export_changes(pack, [wifi(), change("ask", "get online", "wifi"), change("not_ask", "wire fry", "wifi")])
    assert (found.exported, [line for line in added(found) if line.startswith("    ")]) == (
        3,
        ["    - wlan code", "    - get online", "    - wire fry"],
    )


ANSWERS_BY_FORMAT = {
    "typed": ("Call `__init__`, then **wait**\nfor _us_:\n- one", "Call __init__, then wait\nfor us:\n\n- one"),
    "plain": ("Call `__init__`, then **wait**\n- # one", "Call `__init__`, then **wait**\n\n- # one"),
}
"""Answers that curators typed in Slack, with this release and with the ones before, and what the pack then says."""


@pytest.mark.parametrize("answer_format", ANSWERS_BY_FORMAT)
def test_an_answer_says_in_the_packs_file_what_it_said_in_slack(answer_format: Any, pack: Path) -> None:
    answer, said = ANSWERS_BY_FORMAT[answer_format]
    apply(export_changes(pack, [replace(wifi(answer=answer), answer_format=answer_format)]))
    written = load(pack).by_id["wifi"].answer
    assert parse(written) == parse(answer, answer_format)
    assert plain(parse(written)) == said
    assert export_changes(pack, [replace(wifi(answer=answer), answer_format=answer_format)]).patch == ""


def test_of_an_answer_made_of_a_message_the_pack_keeps_the_date_and_the_address(pack: Path) -> None:
    url = "https://acme.slack.com/archives/C1/p1?thread_ts=1.1&cid=C1"
    changes = [
        replace(wifi(), source_date="2026-11-03", source_url=url),
        replace(
            change("entry", entry="lift", title="Lift?", answer="No.", asks=("lift stuck",)), source_date="2026-11-04"
        ),
    ]
    overlaid = apply_changes(load(pack), changes)
    found = export_changes(pack, changes)
    assert [line for line in added(found) if line.startswith(("  source", "    title", "    date", "    url"))] == [
        "  source:", "    title: Slack", "    date: 2026-11-03", f"    url: {url}",
        "  source:", "    title: Slack", "    date: 2026-11-04",
    ]  # fmt: skip
    apply(found)
    written = load(pack)
    sources = {"wifi": Source("Slack", date="2026-11-03", url=url), "lift": Source("Slack", date="2026-11-04")}
    for knowledge in (overlaid, written):
        assert {name: knowledge.by_id[name].source for name in sources} == sources
    assert export_changes(pack, changes).patch == ""


def test_new_entries_follow_those_that_stand_in_curated_yaml(pack: Path) -> None:
    apply(export_changes(pack, [wifi()]))
    later = change("entry", entry="lift", title="Is the lift broken?", answer="Yes.", asks=("lift stuck",))
    apply(export_changes(pack, [wifi(), later]))
    assert [entry.id for entry in load(pack).entries] == ["opening-hours", "badge", "wifi", "lift", "parking"]
    assert read(pack / "curated.yaml", "").value[1]["answer"] == "Yes."  # type: ignore[index,call-overload]
    assert "  answer: 'Yes.'\n" not in (pack / "curated.yaml").read_text(encoding="utf-8")


def test_a_pack_without_the_file_of_what_is_out_of_scope_gets_it(tmp_path: Path) -> None:
    pack = pack_at(tmp_path / "k", {name: text for name, text in PACK.items() if name != "out_of_scope.yaml"})
    apply(export_changes(pack, [change("not_ask", "no: really")]))
    assert load(pack).out_of_scope.asks == ("no: really",)


def test_a_pack_with_the_former_name_of_that_file_is_patched_there(tmp_path: Path) -> None:
    files = {"strangers.yaml" if name == "out_of_scope.yaml" else name: text for name, text in PACK.items()}
    pack = pack_at(tmp_path / "k", files)
    apply(export_changes(pack, [change("not_ask", "no: really")]))
    assert load(pack).out_of_scope.asks[-1] == "no: really"
    assert not (pack / "out_of_scope.yaml").exists()


def test_windows_line_ends_a_byte_order_mark_and_a_missing_last_line_feed_stay(tmp_path: Path) -> None:
    text = "\ufeff" + PACK["answers.yaml"].replace("\n", "\r\n")
    out_of_scope = PACK["out_of_scope.yaml"].rstrip("\n")
    pack = pack_at(tmp_path / "k", {**PACK, "answers.yaml": text, "out_of_scope.yaml": out_of_scope})
    apply(export_changes(pack, [change("ask", "no badge", "badge"), change("not_ask", "tower")]), "git", "apply")
    wanted = text.replace("    my badge\r\n", "    my badge\r\n  - no badge\r\n")
    assert (pack / "answers.yaml").read_bytes().decode() == wanted
    assert (pack / "out_of_scope.yaml").read_text(encoding="utf-8") == out_of_scope + "\n  - tower"


def test_long_lists_between_brackets_go_on_in_the_next_line() -> None:
    text = "- id: a\n  asks: [" + ", ".join(["some words"] * 8) + "]\n"
    new = edit_entries(text, [(0, ListEdit("asks", ("quite a few more words", "and more")))])
    assert new == text[:-2] + ",\n         quite a few more words, and more]\n"


# --- what is left out


DATED = {
    "pack.yaml": "name: Office\n",
    "answers.yaml": """\
- id: opening-hours
  owner: Front desk      # who sits there
  reviewed: 2026-01-01   # by hand
  title: When are you open?
  asks: [when are you open]
  review_by: '2026-03-02'
  answer: Weekdays from nine to five.

- id: badge
  review_by: 2026-02-01
  title: Lost badges
  asks: [i lost my badge]
  answer: |
    Tell the desk.

# The last two.
- id: canteen
  title: Where is lunch?
  asks: [where is lunch]
  answer: |
    In the hall.

- {id: parking, title: Where can I park?, asks: [car park], review_by: 2026-02-01, answer: Behind the house.}
""",
}


def test_confirmations_become_dates_and_nothing_else_is_touched(tmp_path: Path) -> None:
    pack = pack_at(tmp_path / "knowledge", DATED)
    days = {"opening-hours": "2026-05-01", "badge": "2026-05-02", "canteen": "2026-05-03", "parking": "2026-05-04"}
    changes = [
        wifi(),
        *(change("review", day, entry) for entry, day in days.items()),
        change("review", "2026-05-05", "wifi"),
    ]
    after = apply_changes(load(pack), changes)
    found = export_changes(pack, changes)
    assert (found.exported, found.notes, found.faults) == (6, (), ())
    assert removed(found) == [
        "  reviewed: 2026-01-01   # by hand",
        "  review_by: '2026-03-02'",
        "  review_by: 2026-02-01",
        "- {id: parking, title: Where can I park?, asks: [car park], review_by: 2026-02-01, answer: Behind the house.}",
    ]
    assert added(found) == [
        "  reviewed: 2026-05-01   # by hand",
        "  review_by: 2026-06-30",
        "  review_by: 2026-10-29",
        "  reviewed: 2026-05-02",
        "  reviewed: 2026-05-03",
        "- {id: parking, title: Where can I park?, asks: [car park], review_by: 2026-10-31, reviewed: 2026-05-04, answer: "
        "Behind the house.}",
        *[
            "# Entries that curators wrote in Slack.",
            "",
            "- id: wifi",
            "  title: What is the wifi password?",
            "  asks:",
        ],
        *["    - wlan code", "  reviewed: 2026-05-05", "  answer: Ask the desk."],
    ]
    apply(found)

    def dates(knowledge: Knowledge) -> dict[str, tuple[str, str]]:
        return {entry.id: (entry.reviewed, entry.review_by) for entry in knowledge.entries}

    assert dates(load(pack)) == dates(after) == dates(apply_changes(load(pack), changes))
    again = export_changes(pack, changes)
    assert (again.patch, again.notes) == ("", ("6 changes are in the pack already.",))


WRITTEN = {
    "nothing": ("", "  reviewed: 2026-05-02\n"),
    "an empty field": ("  reviewed:\n", "  reviewed: 2026-05-02\n"),
    "blanks": ("  reviewed:  \n", "  reviewed: 2026-05-02  \n"),
    "a comment": ("  reviewed:   # never\n", "  reviewed: 2026-05-02   # never\n"),
    "an empty text": ('  reviewed: ""\n', "  reviewed: 2026-05-02\n"),
    "a block": ("  reviewed: |-\n    2026-01-01\n  names: [x]\n", "  reviewed: 2026-05-02\n  names: [x]\n"),
    "an owner": (
        "  owner: 'Ann'  # she\n  names: [x]\n",
        "  owner: 'Ann'  # she\n  reviewed: 2026-05-02\n  names: [x]\n",
    ),
}


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
@pytest.mark.parametrize("written", WRITTEN)
def test_a_date_is_written_however_the_field_is(written: str, end: str, tmp_path: Path) -> None:
    before, after = WRITTEN[written]
    entry = "- id: e\n  title: E\n  asks: [e]\n  answer: E\n"
    newline = end or "\n"

    def text(fields: str) -> str:
        return (entry + fields).removesuffix("\n").replace("\n", newline) + end

    pack = pack_at(tmp_path / "knowledge", {"pack.yaml": "name: P\n", "e.yaml": text(before)})
    apply(export_changes(pack, [change("review", "2026-05-02", "e")]), "git", "apply")
    assert (pack / "e.yaml").read_bytes().decode() == text(after)


def test_the_last_of_several_confirmations_is_exported(tmp_path: Path) -> None:
    pack = pack_at(tmp_path / "knowledge", DATED)
    changes = [change("review", day, "badge") for day in ("2026-03-01", "2026-05-02", "2026-04-01")]
    after = apply_changes(load(pack), changes).by_id["badge"]
    apply(export_changes(pack, changes))
    assert (after.reviewed, after.review_by) == ("2026-05-02", "2026-10-29")
    patched = load(pack).by_id["badge"]
    assert (patched.reviewed, patched.review_by) == (after.reviewed, after.review_by)


def test_a_confirmation_of_an_entry_that_is_gone_is_a_note(pack: Path) -> None:
    found = export_changes(pack, [change("review", "2026-05-02", "gone")])
    assert (found.patch, found.faults) == ("", ())
    assert found.notes == ("1 confirmation is about entries that the pack doesn't have.",)


def test_a_date_behind_an_anchor_is_left_to_a_person(tmp_path: Path) -> None:
    dated = "reviewed: *day\n  title: Lost badges\n"
    answers = PACK["answers.yaml"].replace("title:   When", "reviewed: &day 2026-01-01\n  title:   When")
    files = {**PACK, "answers.yaml": answers.replace("title: Lost badges\n", dated)}
    found = export_changes(pack_at(tmp_path / "knowledge", files), [change("review", "2026-05-02", "badge")])
    assert (found.patch, found.exported) == ("", 0)
    assert found.faults == ("answers.yaml: reviewed is written with an anchor; write it by hand: reviewed: 2026-05-02",)


def test_what_the_pack_has_already_is_left_out(pack: Path) -> None:
    found = export_changes(
        pack,
        [
            change("ask", "Opening hours?", "opening-hours"),
            change("not_ask", "badge of honour!", "badge"),
            change("not_ask", "Who won the match?"),
            change("ignore", "asdf"),
        ],
    )
    assert (found.patch, found.notes, found.faults) == (
        "",
        ("3 changes are in the pack already.", "1 ignored question is no part of a pack."),
        (),
    )


def test_a_phrasing_that_another_entry_had_moves(pack: Path) -> None:
    changes = [change("ask", "Opening hours?", "badge"), change("not_ask", "i lost my badge")]
    apply(export_changes(pack, changes))
    by_id = load(pack).by_id
    assert (by_id["opening-hours"].asks, by_id["badge"].asks) == (
        ("when are you open",),
        ("somebody took my badge", "Opening hours?"),
    )
    assert (export_changes(pack, changes).patch, load(pack).out_of_scope.asks[-1]) == ("", "i lost my badge")


def test_a_phrasing_of_a_group_moves_too(tmp_path: Path) -> None:
    groups = (
        "- id: cars\n  title: Cars\n  label: Car\n  list_asks: [all cars, every car]\n  pick_asks:\n    - which car\n"
    )
    pack = pack_at(tmp_path / "k", {**PACK, "groups.yml": groups})
    found = export_changes(pack, [change("ask", "all cars", "parking"), change("ask", "which car", "parking")])
    assert (found.faults, added(found)[:2]) == ((), ["  list_asks: [every car]", "  pick_asks: []"])


def test_what_cannot_be_is_named_and_the_rest_exported(pack: Path) -> None:
    last = change("ask", "car park", "badge")
    found = export_changes(
        pack, [last, change("ask", "where is it", "nowhere"), change("ask", "badge vanished", "badge")]
    )
    assert added(found) == ["  - car park", "  - badge vanished"]
    assert found.faults == (
        "'where is it' belongs to the entry 'nowhere', which the pack doesn't have: left out. Undo it.",
        "With the patch: more/cars.yaml:1: parking: 'car park' also stands under badge (answers.yaml:7); "
        "keep it where it belongs",
    )


def test_an_entry_that_was_edited_in_the_pack_stays_as_it_is_there(pack: Path) -> None:
    apply(export_changes(pack, [wifi()]))
    found = export_changes(pack, [wifi(answer="Ask somebody else.")])
    assert (found.patch, found.notes[-1]) == (
        "",
        "'wifi' is in the pack with another title or answer (curated.yaml:3).",
    )


def test_a_list_behind_an_anchor_is_left_to_a_person(tmp_path: Path) -> None:
    text = "- {id: a, title: One, asks: &x [one], answer: x}\n- {id: b, title: Two, asks: [two], not_asks: *x, answer: x}\n"
    pack = pack_at(tmp_path / "k", {"pack.yaml": "name: A\n", "a.yaml": text})
    found = export_changes(pack, [change("ask", "first", "a")])
    assert (found.patch, "write it by hand: 'first'" in found.faults[0]) == ("", True)


# --- where the patch is applied


def test_in_a_checkout_paths_start_at_its_top(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    pack = pack_at(tmp_path / "some where" / "knöwledge")
    found = export_changes(pack, [change("ask", "badge vanished", "badge"), wifi()])
    assert found.root == tmp_path.resolve()
    apply(found, "git", "apply")
    assert export_changes(pack, [change("ask", "badge vanished", "badge"), wifi()]).patch == ""


def test_elsewhere_paths_start_here_or_in_the_pack(pack: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outside = export_changes(pack, [wifi()])
    monkeypatch.chdir(pack.parent)
    inside = export_changes(pack, [wifi()])
    assert (outside.root, "+++ b/curated.yaml" in outside.patch) == (pack.resolve(), True)
    assert (inside.root, "+++ b/knowledge/curated.yaml" in inside.patch) == (pack.parent.resolve(), True)


# --- any text survives


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_read_back_as_it_was(text: str) -> None:
    text = text.strip()
    assert yaml.safe_load(f"- {scalar(text)}\n") == [text]
    assert yaml.safe_load(f"a: {scalar(text, 'value')}\n") == {"a": text}
    assert yaml.safe_load(f"[x, {scalar(text, 'flow')}, y]\n") == ["x", text, "y"]
    assert yaml.safe_load(f"- a: {value(text, 2)}\n  b: c\n")[0]["a"].strip() == text


@pytest.mark.parametrize("text", ["    a_b\n      c\n\nThen so.", " - a\n - b", "\n  a\nb"])
def test_a_text_that_begins_with_blanks_is_a_block(text: str) -> None:
    for indent in (0, 2, 4):
        written = f"{' ' * indent}a: {value(text, indent)}\n{' ' * indent}b: c\n"
        assert written.splitlines()[0].endswith("a: |2")
        assert yaml.safe_load(written) == {"a": f"{text}\n", "b": "c"}


ODD = [
    *("yes 3.10 0o14 1_000 ~ null #no *a &a !a | %a @a `a` << = ? --- [a] {a} a\\b é 👩‍💻".split()),
    *("a: b", "# no", "a #b", "- a", "'a'", '"a"', 'it\'s "so"', "\u2028", "x\x85y", "\ufeffa", "\0", "a\tb"),
]


@pytest.mark.parametrize("text", ODD)
def test_words_that_yaml_would_read_otherwise_are_quoted(text: str) -> None:
    assert yaml.safe_load(f"- {scalar(text)}\n") == [text]
    assert yaml.safe_load(f"[{scalar(text, 'flow')}]\n") == [text]


def everything(knowledge: Knowledge) -> list[frozenset[str]]:
    """Every list of phrasings, by words."""
    lists = [each for entry in knowledge.entries for each in (entry.asks, entry.not_asks)]
    return [frozenset(map(normalize_phrase, each)) for each in (*lists, knowledge.out_of_scope.asks)]


phrasings = st.lists(
    st.text(max_size=50).map(str.strip).filter(bool), min_size=1, max_size=6, unique_by=normalize_phrase
)


@settings(max_examples=25, deadline=None)
@given(asks=phrasings, refused=phrasings)
def test_any_phrasing_survives_export_and_patch_and_loading(
    tmp_path_factory: pytest.TempPathFactory, asks: list[str], refused: list[str]
) -> None:
    pack = pack_at(tmp_path_factory.mktemp("k"))
    homes = ("badge", "opening-hours", "parking")
    changes = [change("ask", text, homes[n % 3]) for n, text in enumerate(asks)]
    told = set(map(normalize_phrase, asks)) | {""}
    changes += [
        change("not_ask", text, (*homes, "")[n % 4])
        for n, text in enumerate(refused)
        if normalize_phrase(text) not in told
    ]
    wanted = apply_changes(load(pack), changes)
    found = export_changes(pack, changes)
    if found.patch:
        apply(found)
    patched = load(pack)
    assert everything(patched) == everything(wanted)
    assert export_changes(pack, changes).patch == ""
    shutil.rmtree(pack)


# --- the command


@pytest.fixture
def run(pack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ASKPY_KNOWLEDGE", str(pack))
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/own.db")

    def ran(*arguments: str) -> tuple[int, str, str]:
        result = CliRunner().invoke(main, ["export", *arguments])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, result.stdout, result.stderr

    return ran


def saved(tmp_path: Path, *changes: Change) -> None:
    store = Store(f"sqlite:///{tmp_path}/own.db")
    assert store.changes.save(changes) is None
    store.close()


def test_what_curators_changed_is_printed_applied_and_then_nothing_is_left(
    run: Any, pack: Path, tmp_path: Path
) -> None:
    saved(tmp_path, change("ask", "knöw where my badge is?", "badge"), wifi(), change("ignore", "asdf"))
    code, out, err = run()
    assert (code, out.count("diff --git"), err.splitlines()) == (
        0,
        2,
        [
            f"Reading sqlite:///{tmp_path}/own.db.",
            "1 ignored question is no part of a pack.",
            f"2 changes exported. In {tmp_path}: git apply FILE, or patch -p1 -i FILE.",
        ],
    )
    assert run("--output", "x.patch")[:2] == (0, "")
    assert Path("x.patch").read_text(encoding="utf-8") == out
    subprocess.run(["patch", "-s", "-p1", "-i", "x.patch"], check=True)
    code, out, err = run()
    assert (code, out, err.splitlines()[1]) == (0, "", "2 changes are in the pack already.")
    assert err.splitlines()[-1] == "Nothing is left to export."


def test_without_changes_nothing_is_printed(run: Any) -> None:
    code, out, err = run()
    assert (code, out, err.splitlines()[1:]) == (0, "", ["Nothing is left to export."])


def test_of_several_workspaces_one_is_named(run: Any, tmp_path: Path) -> None:
    saved(tmp_path, change("ask", "badge vanished", "badge"))
    saved(tmp_path, Change(id="2", workspace="T2", kind="ask", text="badge melted", entry="badge"))
    assert run()[2].splitlines()[1:] == ["Several workspaces have changes: T1, T2. Name one with --workspace."]
    assert run("--workspace", "T3")[::2] == (
        2,
        f"Reading sqlite:///{tmp_path}/own.db.\nThe workspace T3 has no changes; these have: T1, T2.\n",
    )
    assert "+  - badge melted" in run("--workspace", "T2")[1].splitlines()


def test_what_cannot_be_exported_is_exit_1(run: Any, tmp_path: Path) -> None:
    saved(tmp_path, change("ask", "where is it", "nowhere"))
    code, out, err = run()
    assert (code, out, "\n'where is it' belongs to the entry 'nowhere'" in err) == (1, "", True)


SLIPS = {
    "no pack": (("--knowledge", "nowhere"), "pack.yaml:1: not found in nowhere"),
    "no place to write": (("--output", "no/such/folder"), "can't be written"),
}


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_is_a_sentence(slip: str, run: Any, tmp_path: Path) -> None:
    saved(tmp_path, change("ask", "badge vanished", "badge"))
    code, out, err = run(*SLIPS[slip][0])
    assert (code, out, SLIPS[slip][1] in err) == (2, "", True)


def test_a_database_that_is_away_is_no_empty_one(run: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "broken.db").write_bytes(b"this is no database" * 100)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/broken.db")
    code, out, err = run()
    assert (code, out, err.startswith("The database can't be read: ")) == (2, "", True)


def test_without_ruamel_the_remedy_is_told(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved(tmp_path, change("ask", "badge vanished", "badge"))
    monkeypatch.setitem(sys.modules, "ruamel.yaml", None)
    code, out, err = run()
    assert (code, out, "\nEditing a pack's files needs ruamel.yaml" in err) == (2, "", True)
