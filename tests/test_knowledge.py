"""Knowledge: a folder of YAML becomes one pack, or everything that is wrong with it at once."""

from __future__ import annotations

import gc
import time
import unicodedata
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.cli import main
from bot.curation.check import check_pack
from bot.curation.lint import lint
from bot.engine import Engine
from bot.knowledge import PackError, fingerprint, inspect, load, read_files
from bot.knowledge.files import DEFAULT_VOICE
from bot.knowledge.pack import SMALL_TALK, VOICE_KEYS
from bot.knowledge.yaml_reader import parse
from bot.model import Knowledge, OutOfScope, Question
from bot.understanding import Matcher

ANSWERS = """\
- id: opening-hours
  title: When are you open?
  asks: [when are you open, opening hours]
  answer: Weekdays from nine to five.
"""
STEP = "- {id: b, kind: step, of: opening-hours, step: 2, title: B, asks: [b], answer: x}\n"
MINIMAL = {"pack.yaml": "name: Demo\n", "answers.yaml": ANSWERS}

GROUPS = """\
- id: backend
  title: Backend
  label: Backend
- id: web
  title: The web
  label: Web
"""
CARDS = """\
- id: flask
  kind: library
  name: Flask
  side: backend
  capabilities: [web]
  asks: [what is flask]
  answer: A framework.
- id: bottle
  kind: library
  name: Bottle
  side: backend
  asks: [what is bottle]
  answer: Another one.
"""


def folder(at: Path, files: dict[str, str | bytes]) -> Path:
    """A pack with these files."""
    for name, content in files.items():
        path = at / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return at


def faults(at: Path, files: dict[str, str | bytes]) -> list[str]:
    """What is wrong with a pack, as a curator reads it."""
    return [str(fault) for fault in inspect(folder(at, files))[1]]


def linted(at: Path, files: dict[str, str | bytes]) -> list[str]:
    """What the lint blames in a pack that loads; advice apart."""
    return [str(fault) for fault in lint(load(folder(at, files))) if not fault.advice]


# --- what loads


def test_the_smallest_pack_loads_and_answers(tmp_path: Path) -> None:
    engine = Engine(Matcher.from_knowledge(load(folder(tmp_path, MINIMAL))))
    replies = [engine.answer(Question(text)) for text in ("when are you open", "Opening hours?", "When are you open?")]
    assert [(reply.kind, reply.ids) for reply in replies] == [("topic", ("opening-hours",))] * 3


def test_the_smallest_pack_passes_the_check(tmp_path: Path) -> None:
    ran = CliRunner().invoke(main, ["check", str(folder(tmp_path, MINIMAL))])
    assert (ran.exit_code, ran.stderr) == (0, "")
    assert "1 entry, no faults" in ran.stdout


def test_out_of_scope_is_read_under_its_former_name_too(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    pack = folder(tmp_path / "pack", {**MINIMAL, "strangers.yaml": "names: [Java]\nasks: [opening hours, who won]\n"})
    for _ in range(2):  # from the YAML, and from the cache
        assert load(pack, tmp_path / "cache").out_of_scope == OutOfScope(
            names=("Java",), asks=("opening hours", "who won")
        )
    text = f"Rename {pack / 'strangers.yaml'} to out_of_scope.yaml: the next release won't read it."
    assert [record.getMessage() for record in caplog.records] == [text] * 2

    ran = CliRunner().invoke(main, ["check", str(pack)])
    assert ran.exit_code == 1
    covered = "'opening hours' also stands under opening-hours (answers.yaml:1); it is covered or it isn't, keep one"
    assert f"strangers.yaml:2: {covered}" in ran.stdout.splitlines()
    assert "  strangers.yaml:1: is called out_of_scope.yaml from this release on" in ran.stdout.splitlines()
    assert "Rename it, the next release won't read it (1):" in ran.stdout.splitlines()


def test_keys_of_the_voice_are_read_under_their_former_names_too(tmp_path: Path) -> None:
    own = "unknown: No idea.\nunknown_stranger: not ours.\nwhy_strangers: Not ours\n"
    pack, found = inspect(folder(tmp_path, {**MINIMAL, "voice.yaml": own}))
    assert pack is not None
    assert (pack.voice.lines["unknown_out_of_scope"], pack.voice.lines["why_out_of_scope"]) == ("not ours.", "Not ours")
    renamed = "is called '{}' from this release on; rename it, the next release won't read it"
    assert [(str(fault), fault.advice, fault.refuses) for fault in found] == [
        (f"voice.yaml:2: 'unknown_stranger' {renamed.format('unknown_out_of_scope')}", True, False),
        (f"voice.yaml:3: 'why_strangers' {renamed.format('why_out_of_scope')}", True, False),
    ]


def test_every_scalar_is_the_text_that_was_typed(tmp_path: Path) -> None:
    typed = ["3.10", "on", "12:30", "yes", "null", "~", "0o17", "1_000", "2026-11-22", "=", "<<", "1e3"]
    asks = "".join(f"    - {text}\n" for text in typed)
    answers = f"- id: '7'\n  title: 3.10\n  asks:\n{asks}  answer: no\n"
    entry = load(folder(tmp_path, {"pack.yaml": "name: 12:30\n", "a.yaml": answers})).by_id["7"]
    assert (entry.id, entry.title, list(entry.asks), entry.answer) == ("7", "3.10", typed, "no")


def test_an_entry_knows_its_place(tmp_path: Path) -> None:
    pack = load(folder(tmp_path, {**MINIMAL, "more/cards.yml": "\n\n" + CARDS, "groups.yaml": GROUPS}))
    places = [(entry.id, entry.file, entry.line) for entry in pack.entries]
    assert places == [
        ("opening-hours", "answers.yaml", 1),
        ("flask", "more/cards.yml", 3),
        ("bottle", "more/cards.yml", 10),
    ]


def test_one_value_where_a_list_is_wanted_is_a_list_of_one(tmp_path: Path) -> None:
    pack = load(
        folder(tmp_path, {**MINIMAL, "answers.yaml": ANSWERS.replace("[when are you open, opening hours]", "open")})
    )
    assert pack.by_id["opening-hours"].asks == ("open",)


def test_one_example_is_a_list_of_one_too(tmp_path: Path) -> None:
    assert load(folder(tmp_path, {**MINIMAL, "voice.yaml": "examples: when are you open\n"})).voice.examples == (
        "when are you open",
    )


def test_windows_files_and_byte_order_marks_are_fine(tmp_path: Path) -> None:
    windows = "\ufeff" + ANSWERS.replace("\n", "\r\n")
    entry = load(folder(tmp_path, {**MINIMAL, "answers.yaml": windows})).by_id["opening-hours"]
    assert (entry.title, entry.answer) == ("When are you open?", "Weekdays from nine to five.")


def test_an_anchor_may_be_used_again(tmp_path: Path) -> None:
    answers = ANSWERS.replace("[when", "&both [when") + "- {id: b, title: B, asks: [bb], not_asks: *both, answer: y}\n"
    pack = load(folder(tmp_path, {**MINIMAL, "answers.yaml": answers}))
    assert pack.by_id["b"].not_asks == ("when are you open", "opening hours")


def test_a_pack_says_what_it_wants_in_its_own_words(tmp_path: Path) -> None:
    own = "greeting:\n  answer: Moin.\nunknown: No idea.\nexamples: [when are you open]\n"
    files = {**MINIMAL, "voice.yaml": own}
    default, voice = load(folder(tmp_path / "a", MINIMAL)).voice, load(folder(tmp_path / "b", files)).voice
    said = voice.small_talk["greeting"].answer, voice.lines["unknown"], voice.examples
    assert said == ("Moin.", "No idea.", ("when are you open",))
    assert voice.small_talk["greeting"].asks == default.small_talk["greeting"].asks
    assert {key for key in voice.lines if voice.lines[key] != default.lines[key]} == {"unknown"}


def test_a_packs_own_entry_wins_over_small_talk(tmp_path: Path) -> None:
    answers = ANSWERS.replace("opening hours", "thanks")
    pack = load(folder(tmp_path, {**MINIMAL, "answers.yaml": answers}))
    reply = Engine(Matcher.from_knowledge(pack)).answer(Question("Thanks!"))
    assert (reply.kind, reply.ids) == ("topic", ("opening-hours",))


def test_the_fingerprint_follows_every_file(tmp_path: Path) -> None:
    files = {**MINIMAL, "voice.yaml": "unknown: No idea.\n"}
    first = fingerprint(folder(tmp_path, files))
    prints = {name: fingerprint(folder(tmp_path, {**files, name: files[name] + "# x\n"})) for name in files}
    assert fingerprint(folder(tmp_path / "copy", files)) == first
    assert first not in prints.values()
    assert len(set(prints.values())) == len(files)


def test_a_fingerprint_stands_beside_what_was_loaded(tmp_path: Path) -> None:
    assert load(folder(tmp_path, MINIMAL)).fingerprint == fingerprint(tmp_path)


# --- what doesn't, each with its file, its line and the remedy

REFUSED: dict[str, tuple[dict[str, str | bytes], list[str]]] = {
    "no pack.yaml": (
        {"answers.yaml": ANSWERS},
        [
            "pack.yaml:1: not found in {folder}; name the folder that holds pack.yaml (ASKPY_KNOWLEDGE), "
            "or add one with at least `name: ...`"
        ],
    ),
    "no entries": ({"pack.yaml": "name: Demo\n"}, ["pack.yaml:1: no entries; add a .yaml file with a list of them"]),
    "an empty file of entries": (
        {"pack.yaml": "name: Demo\n", "answers.yaml": "# soon\n"},
        ["answers.yaml:1: is empty; write a list of entries, each starting with '- id: ...'"],
    ),
    "two files of one name": (
        {**MINIMAL, "voice.yaml": "", "voice.yml": "unknown: x\n"},
        ["voice.yml:1: stands beside voice.yaml; keep one of the two"],
    ),
    "out_of_scope.yaml under both of its names": (
        {**MINIMAL, "out_of_scope.yaml": "names: [Java]\n", "strangers.yaml": "names: [Go]\n"},
        ["strangers.yaml:1: stands beside out_of_scope.yaml; keep one of the two"],
    ),
    "a sentence under both of its names": (
        {**MINIMAL, "voice.yaml": "unknown_out_of_scope: x\nunknown_stranger: y\n"},
        ["voice.yaml:2: 'unknown_stranger' is the former name of 'unknown_out_of_scope'; keep one of the two"],
    ),
    "a sentence under its former name, and empty": (
        {**MINIMAL, "voice.yaml": "unknown: x\nunknown_stranger:\n"},
        ["voice.yaml:2: unknown_out_of_scope is empty; write something, or leave it out to keep the default"],
    ),
    "an empty pack.yaml": ({**MINIMAL, "pack.yaml": ""}, ["pack.yaml:1: name is missing; add it"]),
    "a repeated key": (
        {**MINIMAL, "answers.yaml": ANSWERS + "  title: Again\n"},
        ["answers.yaml:5: 'title' stands twice, first in line 2; keep one"],
    ),
    "not UTF-8": (
        {**MINIMAL, "answers.yaml": b"- id: a\n  title: caf\xe9\n"},
        ["answers.yaml:2: byte 20 is not UTF-8; save the file as UTF-8"],
    ),
    "not YAML": (
        {**MINIMAL, "more.yaml": "- id: a\n  title: [A\n  answer: x\n"},
        [
            "more.yaml:3: not YAML: did not find expected ',' or ']'; "
            "a bracket isn't closed, or a comma is missing; look at this line and the ones before"
        ],
    ),
    "a colon in a text": (
        {**MINIMAL, "more.yaml": "- id: a\n  title: Ports: which\n"},
        [
            "more.yaml:2: not YAML: mapping values are not allowed in this context; "
            "put a text that has a colon in quotes, or below a field that ends with ': |'"
        ],
    ),
    "a tab": (
        {**MINIMAL, "more.yaml": "- id: a\n\ttitle: A\n"},
        ["more.yaml:2: not YAML: found a tab character that violates indentation; use spaces, not tabs"],
    ),
    "an at sign": (
        {**MINIMAL, "more.yaml": "- id: a\n  asks: [@askpy hi]\n"},
        [
            "more.yaml:2: not YAML: found character that cannot start any token; "
            "put a text that starts with this character in quotes"
        ],
    ),
    "two documents": (
        {**MINIMAL, "more.yaml": "- id: a\n---\n- id: b\n"},
        ["more.yaml:2: a second document begins here (---); take the line out, or make it a file of its own"],
    ),
    "an unknown field": (
        {**MINIMAL, "answers.yaml": ANSWERS + "  titel: x\n"},
        ["answers.yaml:5: opening-hours: 'titel' is not a field here; title?"],
    ),
    "a field of another kind": (
        {**MINIMAL, "answers.yaml": ANSWERS + "  homepage: https://example.org/\n"},
        ["answers.yaml:5: opening-hours: 'homepage' is not a field here; entries of the kind library have it"],
    ),
    "missing fields": (
        {**MINIMAL, "answers.yaml": "- id: a\n"},
        [
            "answers.yaml:1: a: answer is missing; add it",
            "answers.yaml:1: a: asks is missing; add it",
            "answers.yaml:1: a: title is missing; add it",
        ],
    ),
    "an entry without an id": (
        {**MINIMAL, "answers.yaml": ANSWERS + ANSWERS.replace("id: opening-hours", "kind: topic")},
        ["answers.yaml:5: entry 2: id is missing; add it"],
    ),
    "empty values": (
        {**MINIMAL, "answers.yaml": "- id: a\n  title:\n  asks: []\n  answer: ' '\n"},
        [
            "answers.yaml:2: a: title is empty; write something",
            "answers.yaml:3: a: asks is empty; give at least 1",
            "answers.yaml:4: a: answer is empty; write something",
        ],
    ),
    "an id that isn't one": (
        {**MINIMAL, "answers.yaml": ANSWERS.replace("opening-hours", "Opening Hours")},
        [
            "answers.yaml:1: Opening Hours: id 'Opening Hours' can't be an id: "
            "lower-case letters and digits, joined by single hyphens"
        ],
    ),
    "an id that stands twice": (
        {**MINIMAL, "more.yaml": "\n" + ANSWERS},
        ["more.yaml:2: opening-hours: this id stands twice, first at answers.yaml:1; give one of them another"],
    ),
    "an unknown kind": (
        {**MINIMAL, "answers.yaml": ANSWERS + "  kind: libary\n"},
        ["answers.yaml:5: opening-hours: kind is 'libary'; it can be topic, step, library"],
    ),
    "a list where a text is wanted": (
        {**MINIMAL, "answers.yaml": ANSWERS.replace("title: When are you open?", "title: [a, b]")},
        [
            "answers.yaml:2: opening-hours: title is a list or a mapping where a text is wanted; "
            "a text with a colon, [ or { stands in quotes"
        ],
    ),
    "entries that aren't": (
        {**MINIMAL, "more.yaml": "- just words\n- [a]\n"},
        [
            "more.yaml:1: is not an entry: no fields; write '- id: ...'",
            "more.yaml:2: is not an entry: no fields; write '- id: ...'",
        ],
    ),
    "a mapping where a list is wanted": (
        {**MINIMAL, "more.yaml": "id: a\n"},
        [
            "more.yaml:1: is not a list of entries; start each entry with '- id: ...', "
            "or name the file pack.yaml, voice.yaml, groups.yaml, synonyms.yaml, out_of_scope.yaml if it is one"
        ],
    ),
    "a note without a day": (
        {**MINIMAL, "answers.yaml": ANSWERS + "  notes:\n    - date: May 2024\n      text: x\n      source: y\n"},
        ["answers.yaml:6: opening-hours: notes.date 'May 2024' is not a date; write it as 2026-11-22"],
    ),
    "a note without any day": (
        {**MINIMAL, "answers.yaml": ANSWERS + "  notes:\n    - date:\n      text: x\n      source: y\n"},
        ["answers.yaml:6: opening-hours: notes.date is empty; write something"],
    ),
    "a step number that isn't one": (
        {**MINIMAL, "answers.yaml": ANSWERS + STEP.replace("2", "two")},
        ["answers.yaml:5: b: step is not a whole number"],
    ),
    "a step of nothing": (
        {**MINIMAL, "answers.yaml": ANSWERS + STEP.replace("hours", "hour")},
        ["answers.yaml:5: b: of names 'opening-hour', which is nowhere; opening-hours?"],
    ),
    "a step of itself": (
        {**MINIMAL, "answers.yaml": ANSWERS + STEP.replace("opening-hours", "b")},
        ["answers.yaml:5: b: of names the step itself; name the topic that it belongs to"],
    ),
    "a step of a library": (
        {"pack.yaml": "name: Demo\n", "groups.yaml": GROUPS, "cards.yaml": CARDS + STEP.replace("opening-hours", "flask")},
        ["cards.yaml:14: b: of names 'flask', which is a library; a step belongs to a topic"],
    ),
    "two steps with one number": (
        {**MINIMAL, "answers.yaml": ANSWERS + STEP + STEP.replace("id: b", "id: c")},
        ["answers.yaml:6: c: step 2 of opening-hours is b already (answers.yaml:5); number it anew"],
    ),
    "a group that stands twice": (
        {**MINIMAL, "groups.yaml": GROUPS.replace("web", "backend")},
        ["groups.yaml:4: backend: this id stands twice, first in line 1; give one of them another"],
    ),
    "references to nothing": (
        {
            "pack.yaml": "name: Demo\n",
            "groups.yaml": GROUPS,
            "cards.yaml": CARDS.replace("[web]", "\n    - web\n    - wob\n  related: [bottel]\n  also: [queue]"),
        },
        [
            "cards.yaml:7: flask: capabilities names 'wob', which is nowhere; web?",
            "cards.yaml:8: flask: related names 'bottel', which is nowhere; bottle?",
            "cards.yaml:9: flask: also names 'queue', which is nowhere",
        ],
    ),
    "a summary that is too long": (
        {"pack.yaml": "name: Demo\n", "groups.yaml": GROUPS, "cards.yaml": CARDS + f"  summary: {'x' * 201}\n"},
        ["cards.yaml:14: bottle: summary is longer than 200 characters; shorten it"],
    ),
    "an address that isn't one": (
        {"pack.yaml": "name: Demo\n", "groups.yaml": GROUPS, "cards.yaml": CARDS + "  docs: javascript:alert(1)\n"},
        ["cards.yaml:14: bottle: docs 'javascript:alert(1)' is not a web address; it starts with https:// and has no blanks"],
    ),
    "a sentence of the voice that is none": (
        {**MINIMAL, "voice.yaml": "unknow: x\n"},
        ["voice.yaml:1: 'unknow' is none of the bot's sentences; unknown, unknown_lost?"],
    ),
    "an empty sentence of the voice": (
        {**MINIMAL, "voice.yaml": "unknown:\n"},
        ["voice.yaml:1: unknown is empty; write something, or leave it out to keep the default"],
    ),
    "examples that aren't a list": (
        {**MINIMAL, "voice.yaml": "examples: {a: b}\n"},
        ["voice.yaml:1: examples is a list of questions, each a text that isn't empty"],
    ),
    "examples that aren't texts": (
        {**MINIMAL, "voice.yaml": "examples:\n  - when are you open\n  - [a]\n"},
        ["voice.yaml:1: examples is a list of questions, each a text that isn't empty"],
    ),
    "a slip inside a sentence of the voice": (
        {**MINIMAL, "voice.yaml": "unknown: x\ngreeting:\n  anser: y\n"},
        ["voice.yaml:3: greeting: 'anser' is not a field here; answer?"],
    ),
    "synonyms that aren't": (
        {**MINIMAL, "synonyms.yaml": "ok: [fine]\nfrontend: [[front end]]\n"},
        ["synonyms.yaml:2: frontend: the words that mean the same are a list of texts"],
    ),
    "an anchor inside itself": (
        {**MINIMAL, "more.yaml": "&a\n- *a\n"},
        ["more.yaml:2: '*a' stands inside what it repeats (&a); write it out"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("slip", REFUSED)
def test_a_pack_with_a_slip_is_refused_and_the_slip_named(slip: str, tmp_path: Path) -> None:
    files, said = REFUSED[slip]
    with pytest.raises(PackError) as refused:
        load(folder(tmp_path, files))
    assert list(map(str, refused.value.faults)) == [line.replace("{folder}", str(tmp_path)) for line in said]


def entry(fields: str) -> str:
    """An entry with these fields beside its id and title."""
    return f"- id: b\n  title: B\n{fields}"


MISTAKES: dict[str, tuple[dict[str, str | bytes], list[str]]] = {
    "an item a blank too far in": (
        {"more.yaml": entry("  asks:\n    - when open\n     - closing times\n  answer: x\n")},
        [
            "more.yaml:5: goes on with the text above it; put its dash below the other dashes, or write the whole text below "
            "a field that ends with ': |'",
        ],
    ),
    "a bullet in an answer without |": (
        {"more.yaml": entry("  asks: [bb]\n  answer: Bring these\n    - a pen\n    - paper\n")},
        [
            "more.yaml:5: goes on with the text above it; put its dash below the other dashes, or write the whole text below "
            "a field that ends with ': |'",
        ],
    ),
    "a dash without a blank": (
        {"more.yaml": entry("  asks:\n    -when open\n    -closing times\n  answer: x\n")},
        [
            "more.yaml:4: has no blank after its dash; write '- ' and then the text, or put it in quotes",
        ],
    ),
    "an id with a dash without a blank": (
        {"more.yaml": "-id: b\n title: B\n"},
        [
            "more.yaml:1: has no blank after its dash; write '- ' and then the text, or put it in quotes",
            "more.yaml:2: not YAML: mapping values are not allowed in this context; put a text that has a colon in quotes, "
            "or below a field that ends with ': |'",
        ],
    ),
    "a colon without a blank": (
        {"more.yaml": "- id: b\n  title:Ports\n  asks: [bb]\n  answer: x\n"},
        [
            "more.yaml:3: not YAML: could not find expected ':'; write a blank after the colon of 'title:'",
        ],
    ),
    "the first colon without a blank": (
        {"more.yaml": "- id:b\n  title: B\n  asks: [bb]\n  answer: x\n"},
        [
            "more.yaml:2: not YAML: mapping values are not allowed in this context; write a blank after the colon of 'id:'",
        ],
    ),
    "pack.yaml without a blank": (
        {"pack.yaml": "name:Demo\n"},
        [
            "pack.yaml:1: this is not a mapping of fields (name: value); look for a blank after each colon",
        ],
    ),
    "commas in place of a list": (
        {"more.yaml": entry("  asks: when open, closing times\n  answer: x\n")},
        [
            "more.yaml:3: b: asks is one text with a comma; write a list, each in a line of its own that starts with '- '",
        ],
    ),
    "commas in a list of ids": (
        {"more.yaml": entry("  asks: [bb]\n  answer: x\n  related: opening-hours, b\n")},
        [
            "more.yaml:5: b: related is one text with a comma; write a list, each in a line of its own that starts with '- '",
        ],
    ),
    "commas in synonyms": (
        {"synonyms.yaml": "wifi: wlan, wi-fi\n"},
        [
            "synonyms.yaml:1: wifi: is one text with a comma; write a list, each in a line of its own that starts with '- '",
        ],
    ),
    "commas in one of the synonyms": (
        {"synonyms.yaml": "wifi:\n  - wlan, wi-fi\n"},
        [
            "synonyms.yaml:1: wifi: is one text with a comma; write a list, each in a line of its own that starts with '- '",
        ],
    ),
    "quotes for each of several": (
        {"more.yaml": entry("  asks: 'when open', 'closing times'\n  answer: x\n")},
        [
            "more.yaml:3: not YAML: did not find expected key; a text in quotes ends at the next '; take quotes of the other "
            "kind, and [ and ] for a list",
        ],
    ),
    "an empty answer": (
        {"more.yaml": entry("  asks: [bb]\n  answer:\n")},
        [
            "more.yaml:4: b: answer is empty; write something",
        ],
    ),
    "no answer": (
        {"more.yaml": entry("  asks: [bb]\n")},
        [
            "more.yaml:1: b: answer is missing; add it",
        ],
    ),
    "an empty item": (
        {"more.yaml": entry("  asks:\n    - bb\n    -\n  answer: x\n")},
        [
            "more.yaml:5: b: asks has an item without a text; write something after its dash, or take it out",
        ],
    ),
    "no phrasings": (
        {"more.yaml": entry("  asks:\n  answer: x\n")},
        [
            "more.yaml:3: b: asks is empty; give at least 1",
        ],
    ),
    "an optional field that is empty": (
        {"more.yaml": "- id: l\n  kind: library\n  name: L\n  asks: [what is l]\n  answer: x\n  aliases: ['']\n"},
        [
            "more.yaml:6: l: aliases has an item without a text; write something after its dash, or take it out",
        ],
    ),
    "stars round a word": (
        {"more.yaml": entry("  asks: [bb]\n  answer: *see* the guide\n")},
        [
            "more.yaml:4: not YAML: did not find expected alphabetic or numeric character; put a text that starts with * in "
            "quotes",
        ],
    ),
    "a star before a word": (
        {"more.yaml": entry("  asks: [bb]\n  answer: *see\n")},
        [
            "more.yaml:4: '*see' repeats nothing; put a text that starts with * in quotes",
        ],
    ),
    "an exclamation mark before a word": (
        {"more.yaml": entry("  asks: [bb]\n  answer: !see\n")},
        [
            "more.yaml:4: !see is a tag, and none is read; put a text that starts with ! in quotes",
            "more.yaml:4: b: answer is empty; write something",
        ],
    ),
    "a link in Markdown": (
        {"more.yaml": entry("  asks: [bb]\n  answer: [guide](https://example.org) of it\n")},
        [
            "more.yaml:4: not YAML: did not find expected key; put a text that starts with [ in quotes",
        ],
    ),
    "a name in braces": (
        {"more.yaml": entry("  asks: [bb]\n  answer: {name}\n")},
        [
            "more.yaml:4: b: answer is a list or a mapping where a text is wanted; a text with a colon, [ or { stands in "
            "quotes",
        ],
    ),
    "names in double braces": (
        {"more.yaml": entry("  asks: [bb]\n  answer: {{ name }}\n")},
        [
            "more.yaml:4: the name of a field is no text; write 'name: value', and put a text that starts with {, [ or * in "
            "quotes",
        ],
    ),
    "an address on an entry": (
        {"more.yaml": entry("  asks: [bb]\n  answer: x\n  url: https://example.org\n")},
        [
            "more.yaml:5: b: 'url' is not a field here; there are: id, kind, title, asks, not_asks, answer, paragraphs, "
            "names, related, notes, source, owner, reviewed, review_by",
        ],
    ),
    "ask for asks": (
        {"more.yaml": entry("  ask: [bb]\n  answer: x\n")},
        [
            "more.yaml:1: b: asks is missing; add it",
            "more.yaml:3: b: 'ask' is not a field here; asks, not_asks?",
        ],
    ),
    "quotes inside quotes": (
        {"more.yaml": '- id: b\n  title: "What is "this"?"\n'},
        [
            'more.yaml:2: not YAML: did not find expected key; a text in quotes ends at the next "; take quotes of the other '
            "kind, and [ and ] for a list",
        ],
    ),
    "an apostrophe inside quotes": (
        {"more.yaml": "- id: b\n  title: 'What's this?'\n"},
        [
            "more.yaml:2: not YAML: did not find expected key; a text in quotes ends at the next '; take quotes of the other "
            "kind, and [ and ] for a list",
        ],
    ),
    "a quote that isn't closed": (
        {"more.yaml": '- id: b\n  title: "What is this?\n  asks: [bb]\n  answer: x\n'},
        [
            "more.yaml:2: not YAML: found unexpected end of stream; a quote isn't closed; write it at the end of the text",
        ],
    ),
    "a path in double quotes": (
        {"more.yaml": entry('  asks: [bb]\n  answer: "C:\\path"\n')},
        [
            "more.yaml:4: not YAML: found unknown escape character; a backslash in double quotes begins a code; put the text "
            "in single quotes",
        ],
    ),
    "a colon in an answer": (
        {"more.yaml": entry("  asks: [bb]\n  answer: Note: bring a pen\n")},
        [
            "more.yaml:4: not YAML: mapping values are not allowed in this context; put a text that has a colon in quotes, "
            "or below a field that ends with ': |'",
        ],
    ),
    "a colon in an answer's next line": (
        {"more.yaml": entry("  asks: [bb]\n  answer: Bring a pen.\n    Note: it is lent\n")},
        [
            "more.yaml:5: not YAML: mapping values are not allowed in this context; give 'Note' the indent of the field "
            "above it; if it is no field, put a text that has a colon in quotes, or below a field that ends with ': |'",
        ],
    ),
    "a colon in a phrasing": (
        {"more.yaml": entry("  asks:\n    - how do i: open\n  answer: x\n")},
        [
            "more.yaml:4: b: asks is a list or a mapping where a text is wanted; a text with a colon, [ or { stands in quotes",
        ],
    ),
    "text beside |": (
        {"more.yaml": entry("  asks: [bb]\n  answer: | Bring a pen.\n    It is lent.\n")},
        [
            "more.yaml:4: not YAML: did not find expected comment or line break; write the text below the |, not beside it",
        ],
    ),
    "a field further in than the others": (
        {"more.yaml": "- id: b\n   title: B\n  asks: [bb]\n  answer: x\n"},
        [
            "more.yaml:2: not YAML: mapping values are not allowed in this context; give 'title' the indent of the field "
            "above it; if it is no field, put a text that has a colon in quotes, or below a field that ends with ': |'",
        ],
    ),
    "a field less far in than the others": (
        {"more.yaml": "- id: b\n  title: B\n asks: [bb]\n  answer: x\n"},
        [
            "more.yaml:3: not YAML: did not find expected '-' indicator; give 'asks' the indent of the field above it; if it "
            "is no field, put a text that has a colon in quotes, or below a field that ends with ': |'",
        ],
    ),
    "an id without its dash": (
        {"more.yaml": entry("  asks: [bb]\n  answer: x\n") + "id: c\ntitle: C\n"},
        [
            "more.yaml:5: not YAML: did not find expected '-' indicator; start the entry with '- ', in the column of the "
            "other dashes",
        ],
    ),
    "a file without a dash": (
        {"more.yaml": "id: b\ntitle: B\n"},
        [
            "more.yaml:1: is not a list of entries; start each entry with '- id: ...', or name the file pack.yaml, "
            "voice.yaml, groups.yaml, synonyms.yaml, out_of_scope.yaml if it is one",
        ],
    ),
    "a bracket that isn't closed": (
        {"more.yaml": "- id: b\n  asks: [bb, cc\n  answer: x\n"},
        [
            "more.yaml:3: not YAML: did not find expected ',' or ']'; a bracket isn't closed, or a comma is missing; look at "
            "this line and the ones before",
        ],
    ),
    "a tab before a field": (
        {"more.yaml": "- id: b\n\ttitle: B\n"},
        [
            "more.yaml:2: not YAML: found a tab character that violates indentation; use spaces, not tabs",
        ],
    ),
    "a no-break space before a field": (
        {"more.yaml": "- id: b\n\u00a0\u00a0title: B\n"},
        [
            "more.yaml:2: not YAML: did not find expected '-' indicator; the line begins with blanks that are none (a "
            "no-break space, perhaps); type them anew",
        ],
    ),
    "a blank at the end of an id": (
        {"more.yaml": "- id: 'b '\n  title: B\n  asks: [bb]\n  answer: x\n"},
        [
            "more.yaml:1: b : id 'b ' can't be an id: lower-case letters and digits, joined by single hyphens",
        ],
    ),
    "maybe": (
        {"groups.yaml": GROUPS + "  all: maybe\n", "more.yaml": CARDS},
        [
            "groups.yaml:7: web: all can only be true or false",
        ],
    ),
    "an id in capitals with an underscore": (
        {"more.yaml": "- id: Opening_Hours\n  title: B\n  asks: [bb]\n  answer: x\n"},
        [
            "more.yaml:1: Opening_Hours: id 'Opening_Hours' can't be an id: lower-case letters and digits, joined by single "
            "hyphens",
        ],
    ),
    "a kind in capitals": (
        {"more.yaml": entry("  kind: Library\n  asks: [bb]\n  answer: x\n")},
        [
            "more.yaml:3: b: kind is 'Library'; it can be topic, step, library",
        ],
    ),
    "Windows' letters": (
        {"more.yaml": "- id: b\n  title: Café\n".encode("cp1252")},
        [
            "more.yaml:2: byte 20 is not UTF-8; save the file as UTF-8",
        ],
    ),
    "an emoji as a word": (
        {"groups.yaml": GROUPS + "  words: ['🚀']\n", "more.yaml": CARDS},
        [
            "groups.yaml:7: web: words has an item without letters and digits; write a word, or take it out",
        ],
    ),
}
"""What curators really type, with what they are told."""


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_of_form_is_told_with_its_remedy(mistake: str, tmp_path: Path) -> None:
    files, said = MISTAKES[mistake]
    assert faults(tmp_path, {**MINIMAL, **files}) == said


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("ask in #general first", "#general first"),
        ("ask in # or not", ""),
        ("see https://x.org/#a", ""),
        ("c # why", ""),
    ],
)
def test_a_text_that_a_comment_cuts_off_is_advice(text: str, cut: str, tmp_path: Path) -> None:
    pack, found = inspect(folder(tmp_path, {**MINIMAL, "more.yaml": entry(f"  asks: [bb]\n  answer: {text}\n")}))
    said = f"more.yaml:4: '{cut}' is a comment, and left out; put the text in quotes if it belongs to it"
    assert [(str(fault), fault.advice, fault.refuses) for fault in found] == [(said, True, False)] * bool(cut)
    assert pack is not None


@pytest.mark.parametrize(
    ("length", "said"),
    [
        (3_000, []),
        (3_001, ["answers.yaml:4: opening-hours: answer has 3,001 characters, and is sent in parts; shorten it if it can be"]),
        (20_000, ["answers.yaml:4: opening-hours: answer has 20,000 characters, and is sent in parts; shorten it if it can be"]),
        (
            20_001,
            [
                "answers.yaml:4: opening-hours: answer has 20,001 characters, and only the first 20,000 are shown; "
                "split the entry"
            ],
        ),
    ],
)  # fmt: skip
def test_a_long_answer_is_advice(length: int, said: list[str], tmp_path: Path) -> None:
    answer = ("words " * 3_400)[: length - 1] + "x"
    pack = folder(tmp_path, {**MINIMAL, "answers.yaml": ANSWERS.replace("Weekdays from nine to five.", answer)})
    assert len(load(pack).by_id["opening-hours"].answer) == length
    result = check_pack(pack)
    assert [str(fault) for fault in result.faults if "answer has" in fault.text] == said
    assert not result.has_faults


# --- one way to clean on both sides

AS_WRITTEN = [
    "what’s the door’s code",
    unicodedata.normalize("NFD", "wo ist das café größer"),
    "ｗｈｅｒｅ　ｉｓ　ｌｕｎｃｈ",
    "pass\u00adword re\u200bset now",
    "where do i :smile: park",
    "read <https://wiki.example.org|the wiki> first",
    "see https://wiki.example.org/page beforehand",
    "ask <@U123ABC456> about it",
    "write in <#C123|general> please",
    "terms &amp; conditions",
    "“quoted” words – and dashes…",
    "vectors &lt;int&gt; explained",
    "`git rebase` fails",
    "emoji 👩‍💻 at work",
    "\u2067isolated\u2069 letters",
    "a\u00a0no-break blank",
    "ＰＩＮ ①②",
]


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def everywhere(place: str) -> dict[str, str | bytes]:
    """A pack with an entry or group for each of AS_WRITTEN, which stands at `place`."""
    entries, groups = [ANSWERS], ["- id: web\n  title: Web\n  label: Web\n"]
    for number, text in enumerate(map(quoted, AS_WRITTEN)):
        title, asks = text if place == "title" else f"Title {number}", text if place == "asks" else f"zebra {number}"
        more = f"  kind: library\n  name: Card{number}\n" if place in ("aliases", "name") else ""
        more += f"  aliases: [{text}]\n" if place == "aliases" else ""
        more = more.replace(f"Card{number}", text) if place == "name" else more
        if place in ("list_asks", "pick_asks"):
            more = f"  kind: library\n  name: Card{number}\n  side: g{number}\n"
            groups.append(f"- id: g{number}\n  title: G{number}\n  label: G{number}\n  {place}: [{text}]\n")
        titled = f"  title: {title}\n" if place != "name" else ""  # a card's title is its name
        entries.append(f"- id: e{number}\n{titled}  asks: [{asks}]\n  answer: x\n{more}")
    return {"pack.yaml": "name: Demo\n", "answers.yaml": "".join(entries), "groups.yaml": "".join(groups)}


@pytest.mark.parametrize("place", ["title", "asks", "aliases", "name", "list_asks", "pick_asks"])
def test_what_is_asked_as_it_is_written_is_found_for_certain(place: str, tmp_path: Path) -> None:
    engine = Engine(Matcher.from_knowledge(load(folder(tmp_path, everywhere(place)))))
    replies = [engine.answer(Question(text)) for text in AS_WRITTEN]
    found = [(text, reply.ids, reply.confidence) for text, reply in zip(AS_WRITTEN, replies, strict=True)]
    assert found == [(text, (f"e{number}",), 1.0) for number, text in enumerate(AS_WRITTEN)]


def test_what_is_listed_as_out_of_scope_is_refused_as_it_is_written(tmp_path: Path) -> None:
    asks = "".join(f"  - {quoted(text)}\n" for text in AS_WRITTEN)
    engine = Engine(Matcher.from_knowledge(load(folder(tmp_path, {**MINIMAL, "out_of_scope.yaml": f"asks:\n{asks}"}))))
    assert {engine.answer(Question(text)).kind for text in AS_WRITTEN} == {"unknown"}


def test_synonyms_and_words_of_groups_are_cleaned_as_questions_are(tmp_path: Path) -> None:
    files = {
        "pack.yaml": "name: Demo\nsubject: ['the shop’s :tada:']\n",
        "answers.yaml": ANSWERS + CARDS,
        "groups.yaml": GROUPS + "  words: ['&lt;html&gt; pages :globe:']\n",
        "synonyms.yaml": "'opening :door: hours': ['büro’s <https://x.org|times>']\n".replace(
            "ü", unicodedata.normalize("NFD", "ü")
        ),
    }
    pack = load(folder(tmp_path, files))
    assert (pack.subject, pack.groups[1].words) == (("the shop's",), ("<html> pages",))
    assert pack.synonyms == {"opening hours": ("büro's times",)}


def test_a_phrasing_without_words_is_advice(tmp_path: Path) -> None:
    answers = ANSWERS.replace("opening hours]", "':smile:', 'https://wiki.example.org/page']")
    found = [str(fault) for fault in check_pack(folder(tmp_path, {**MINIMAL, "answers.yaml": answers})).faults]
    said = "has no words, so that nothing finds it; write what people ask, or take it out"
    assert [line for line in found if "no words" in line] == [
        f"answers.yaml:3: opening-hours: ':smile:' {said}",
        f"answers.yaml:3: opening-hours: 'https://wiki.example.org/page' {said}",
    ]


# --- the bot's own texts


def test_every_text_of_the_bot_has_a_key_and_every_key_a_text() -> None:
    """The type lists the keys that code uses, which mypy checks."""
    shipped = parse(DEFAULT_VOICE.read_bytes(), "voice.yaml").value
    assert isinstance(shipped, dict)
    assert {key for key, value in shipped.items() if isinstance(value, str)} == set(VOICE_KEYS)
    assert shipped.keys() - VOICE_KEYS == {*SMALL_TALK, "examples"}


@pytest.mark.parametrize("line", ["gap: no word on it", "why_sure: Sure"])
def test_a_shipped_voice_that_lacks_a_text_is_refused(line: str, tmp_path: Path) -> None:
    files = read_files(folder(tmp_path, MINIMAL))
    key = line.partition(":")[0]
    kept = [row for row in files.default_voice.splitlines(keepends=True) if not row.startswith(f"{key}:".encode())]
    assert len(kept) < len(files.default_voice.splitlines())
    with pytest.raises(PackError) as refused:
        load(replace(files, default_voice=b"".join(kept)))
    assert [str(fault) for fault in refused.value.faults] == [
        f"voice.yaml:1: lacks '{key}'; this is AskPy's own file: install AskPy again"
    ]


def test_a_slip_in_one_entry_is_not_blamed_on_those_that_name_it(tmp_path: Path) -> None:
    cards = CARDS.replace("  side: backend\n", "  side: backend\n  related: [bottle]\n", 1) + "  titel: x\n"
    found = faults(tmp_path, {"pack.yaml": "name: Demo\n", "groups.yaml": GROUPS, "cards.yaml": cards})
    assert found == ["cards.yaml:15: bottle: 'titel' is not a field here; title, install?"]


def test_a_slip_in_a_group_is_not_blamed_on_those_that_name_it(tmp_path: Path) -> None:
    files = {"pack.yaml": "name: Demo\n", "groups.yaml": GROUPS + "  titel: x\n", "cards.yaml": CARDS}
    assert faults(tmp_path, files) == ["groups.yaml:7: web: 'titel' is not a field here; title?"]


@pytest.mark.parametrize(
    ("groups", "said"),
    [
        (GROUPS.replace("- id: web\n  title", "- title"), "groups.yaml:4: group 2: id is missing; add it"),
        (GROUPS.replace("id: web", "id: Web"), "groups.yaml:4: Web: id 'Web' can't be an id: "),
        (GROUPS + "  titel: [\n", "groups.yaml:7: not YAML: "),
        ("id: web\n", "groups.yaml:1: is not a list of groups; "),
    ],
)
def test_a_group_whose_id_is_lost_is_the_only_one_to_blame(groups: str, said: str, tmp_path: Path) -> None:
    files = {"pack.yaml": "name: Demo\n", "groups.yaml": groups, "cards.yaml": CARDS}
    (fault,) = faults(tmp_path, files)
    assert fault.startswith(said)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("- {title: B, asks: [b], answer: x}\n", "more.yaml:1: entry 1: id is missing; add it"),
        ("- {id: B, title: B, asks: [b], answer: x}\n", "more.yaml:1: B: id 'B' can't be an id: "),
        ("- id: b\n  title: B: b\n", "more.yaml:2: not YAML: "),
        ("id: b\n", "more.yaml:1: is not a list of entries; "),
        ("- b\n", "more.yaml:1: is not an entry: no fields; "),
    ],
)
def test_an_entry_whose_id_is_lost_is_the_only_one_to_blame(more: str, said: str, tmp_path: Path) -> None:
    files = {**MINIMAL, "answers.yaml": ANSWERS + "  related: [b]\n", "more.yaml": more}
    (fault,) = faults(tmp_path, files)
    assert fault.startswith(said)


def test_everything_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    files = {
        "pack.yaml": "name: Demo\nabuot: x\n",
        "answers.yaml": ANSWERS + "  related: [opening-hour]\n",
        "more.yaml": "- id: a\n  title: A\n  asks: [aa]\n",
        "voice.yaml": "unknow: x\n",
    }
    assert faults(tmp_path, files) == [
        "more.yaml:1: a: answer is missing; add it",
        "pack.yaml:2: 'abuot' is not a field here; about, caution?",
        "voice.yaml:1: 'unknow' is none of the bot's sentences; unknown, unknown_lost?",
        "answers.yaml:5: opening-hours: related names 'opening-hour', which is nowhere; opening-hours?",
    ]


@pytest.mark.parametrize("nest", ["[", "{a: ", "- "])
def test_a_file_that_nests_without_end_is_refused_calmly(nest: str, tmp_path: Path) -> None:
    (fault, *_) = faults(tmp_path, {**MINIMAL, "more.yaml": nest * 5_000})
    assert fault.startswith("more.yaml:")


def test_anchors_that_multiply_are_refused(tmp_path: Path) -> None:
    """Six levels of nine references each: half a million values out of a few lines."""
    levels = ["a0: &a0 [x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 7)]
    found = faults(tmp_path, {**MINIMAL, "synonyms.yaml": "\n".join(levels) + "\n"})
    assert found == ["synonyms.yaml:6: aliases such as '*a4' repeat more than 200,000 characters; write the texts out"]


# --- what loads and is still blamed


def test_one_phrasing_under_two_entries_is_named_with_both_places(tmp_path: Path) -> None:
    files = {**MINIMAL, "more.yaml": "\n- {id: b, title: B, asks: [Opening HOURS!], answer: x}\n"}
    assert linted(tmp_path, files) == [
        "more.yaml:2: b: 'opening hours' also stands under opening-hours (answers.yaml:1); keep it where it belongs"
    ]


def test_one_phrasing_under_two_entries_fails_the_check_and_still_answers(tmp_path: Path) -> None:
    files = {**MINIMAL, "more.yaml": "- {id: b, title: B, asks: [opening hours], answer: x}\n"}
    ran = CliRunner().invoke(main, ["check", str(folder(tmp_path, files))])
    reply = Engine(Matcher.from_knowledge(load(tmp_path))).answer(Question("opening hours"))
    assert (ran.exit_code, "opening-hours (answers.yaml:1)" in ran.stdout) == (1, True)
    assert reply.ids in {("opening-hours",), ("b",)}


def test_one_phrasing_twice_under_one_entry_is_fine(tmp_path: Path) -> None:
    files = {**MINIMAL, "answers.yaml": ANSWERS.replace("opening hours", "when are you open")}
    assert linted(tmp_path, files) == []


def test_a_phrasing_that_is_refused_too_is_named(tmp_path: Path) -> None:
    files = {**MINIMAL, "answers.yaml": ANSWERS + "  not_asks: [Opening hours?]\n"}
    assert linted(tmp_path, files) == [
        "answers.yaml:1: opening-hours: 'Opening hours?' stands in asks and in not_asks; take it out of one"
    ]


def test_a_group_in_capabilities_and_also_is_named(tmp_path: Path) -> None:
    files = {
        "pack.yaml": "name: Demo\n",
        "groups.yaml": GROUPS,
        "cards.yaml": CARDS.replace("[web]", "[web]\n  also: [web]"),
    }
    assert linted(tmp_path, files) == ["cards.yaml:1: flask: 'web' stands in capabilities and in also; keep one"]


@pytest.mark.parametrize(("date", "said"), [("2999-01-01", 1), ("2023-10-05", 0)])
def test_a_note_from_the_future_is_advice(date: str, said: int, tmp_path: Path) -> None:
    notes = f"  notes: [{{date: {date}, text: x, source: y}}]\n"
    pack = load(folder(tmp_path, {**MINIMAL, "answers.yaml": ANSWERS + notes}))
    told = [str(fault) for fault in lint(pack) if fault.advice and "dated" in fault.text]
    text = f"answers.yaml:1: opening-hours: a note is dated {date}, which is still to come; correct the date"
    assert told == [text] * said


# --- many


def big(entries: int) -> dict[str, str | bytes]:
    """A pack of so many entries with a hundred phrasings each."""
    lines = []
    for number in range(entries):
        asks = "".join(f"    - how do i do thing {number} in way {way}\n" for way in range(100))
        lines.append(f"- id: e{number}\n  title: Thing {number}?\n  asks:\n{asks}  answer: So.\n")
    return {"pack.yaml": "name: Big\n", "entries.yaml": "".join(lines)}


def loading(at: Path) -> tuple[Knowledge, float]:
    """A pack and the processor's seconds that it took: of this thread, and without collecting what other tests have left."""
    gc.disable()
    try:
        begun = time.thread_time()
        return load(at), time.thread_time() - begun
    finally:
        gc.enable()


def test_loading_grows_with_the_pack_and_no_faster(tmp_path: Path) -> None:
    """Ten times as many phrasings may take four times ten times as long on a busy machine; squared would be a hundred."""
    small, large = folder(tmp_path / "a", big(15)), folder(tmp_path / "b", big(150))
    few = min(loading(small)[1] for _ in range(5))
    pack, many = min((loading(large) for _ in range(3)), key=lambda each: each[1])
    assert (len(pack.entries), sum(len(entry.asks) for entry in pack.entries)) == (150, 15_000)
    assert many < 40 * few
