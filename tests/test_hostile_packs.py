"""Hostile packs: whatever stands in a folder, it is read or refused with file and line, quickly, and the process lives on.

All of them are read in one child process, in a thread with a small stack, so that a crash is seen as one.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.knowledge import inspect

MAX_SECONDS = 2.0
"""Processor time that a pack may take."""
MAX_MEMORY = 400
"""Megabytes that the child may have had at most, its imports included."""
MAX_SHOWN = 20
"""Faults of a pack that are compared; of more, the first."""
STACK = 256 * 1024
"""Bytes of the stack of the thread that reads: less than any server gives its threads."""


@dataclass(frozen=True, slots=True)
class Link:
    """A symbolic link, relative to its own folder."""

    target: str


@dataclass(frozen=True, slots=True)
class Pipe:
    """A named pipe that nobody writes to."""


Content = str | bytes | Link | Pipe

ENTRY = "- id: opening-hours\n  title: When are you open?\n  asks: [when are you open]\n  answer: Weekdays.\n"
PACK: dict[str, Content] = {"pack.yaml": "name: Demo\n", "answers.yaml": ENTRY}
CARD = "- id: flask\n  kind: library\n  name: Flask\n  asks: [what is flask]\n  answer: A framework.\n"
LONG = "w" * 40_000
LAUGHS = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9))


def more(text: str | bytes) -> dict[str, Content]:
    """The smallest pack with one more file of entries."""
    return {**PACK, "more.yaml": text}


def with_field(field: str, value: str, base: str = ENTRY) -> dict[str, Content]:
    """The smallest pack whose last entry has this field in place of its own."""
    kept = [line for line in base.splitlines(keepends=True) if not line.startswith(f"  {field}:")]
    return more("".join(kept).replace("id: opening-hours", "id: b") + f"  {field}: {value}\n")


HOSTILE: dict[str, dict[str, Content]] = {
    "lists in lists on one line": more("[" * 30_000),
    "mappings in mappings on one line": more("{a: " * 30_000),
    "lists in lists": more("- " * 30_000),
    "mappings in mappings": more("".join(f"{' ' * n}a:\n" for n in range(400))),
    "question marks in question marks": more("? " * 30_000),
    "400 levels": more("[" * 400 + "]" * 400),
    "20 levels": more("- " + "[" * 19 + "]" * 19),
    "aliases that multiply": {**PACK, "synonyms.yaml": LAUGHS},
    "aliases that multiply, as a key": more(LAUGHS + "? *a8\n: x\n"),
    "aliases that multiply texts": more("- &a " + "x" * 1_000 + "\n" + "- *a\n" * 9_000),
    "an anchor inside itself": more("&a\n- *a\n"),
    "an anchor inside itself, as a mapping": more("- &a\n  id: *a\n"),
    "an alias of nothing": more("- id: *nothing\n"),
    "a list as a key": more("? [a, b]\n: c\n"),
    "a mapping as a key": more("- {{ name }}: x\n"),
    "merge keys": more("- &a {id: b, title: B, asks: [bb], answer: x}\n- <<: *a\n  id: c\n"),
    "a Python object": more("- !!python/object/apply:os.system ['true']\n"),
    "a tag on a text": more("- id: !!binary aGVsbG8=\n  title: !important\n"),
    "documents": more("- id: b\n---\n- id: c\n"),
    "a key twice": more("- id: b\n  id: c\n  title: B\n  asks: [bb]\n  answer: x\n"),
    "100,000 items of nothing": more("- \n" * 100_000),
    "100,000 mappings of nothing": more("[" + "{}," * 100_000 + "]"),
    "9,000 entries of nothing": more("- {}\n" * 9_000),
    "9,000 references to nothing": more(
        ENTRY.replace("opening-hours", "b") + f"  related: [{', '.join(f'e{n}' for n in range(9_000))}]\n"
    ),
    "20,000 fields": more("- id: b\n" + "".join(f"  f{n}: x\n" for n in range(20_000))),
    "9,000 phrasings of nothing": more("- id: b\n  title: B\n  asks: [" + "''," * 9_000 + "]\n  answer: x\n"),
    "a million values": more(f"- [{'a,' * 9_000}]\n" * 100),
    "a text of 10 megabytes": more("- id: b\n  answer: " + "x " * 5_000_000),
    "files that are too large together": {**PACK, **{f"m{n}.yaml": "#" * 1_900_000 for n in range(5)}},
    "2,000 files": {**PACK, **{f"m{n}.yaml": "" for n in range(2_000)}},
    "1,100 folders": {**PACK, **{f"d{n}/note.txt": "" for n in range(1_100)}},
    "NUL": more(b"- id: b\n  title: a\0b\n"),
    "an escape sequence": more("- id: b\n  title: \x1b]52;c;aGk=\x07\n"),
    "an escape sequence, written out": more(
        ENTRY.replace("opening-hours", "b").replace("When are you open?", '"\\e[2J"')
    ),
    "a line of a log, forged": more(f'- id: b\n  "x\\n2026-11-30 ERROR all is lost": {LONG}\n'),
    "C1 control characters": more("- id: b\n  title: \x9b2J\n"),
    "letters turned round": more("- id: b\n  title: \u202etxt.exe\n"),
    "a byte order mark in the middle": more("\ufeff- id: b\n\ufeff- id: c\n"),
    "not UTF-8": more(b"- id: b\n  title: caf\xe9\n"),
    "UTF-16": more("- id: b\n".encode("utf-16")),
    "UTF-16 without a mark": more("- id: b\n".encode("utf-16-le")),
    "half a letter": more("- id: ö".encode()[:-1]),
    "a surrogate, written out": more('- id: "\\ud800"\n'),
    "a pipe": {**PACK, "more.yaml": Pipe()},
    "a folder that is called as a file": {**PACK, "more.yaml/b.yaml": ENTRY.replace("opening-hours", "b")},
    "a link to a device": {**PACK, "more.yaml": Link("/dev/zero")},
    "a link to itself": {**PACK, "more.yaml": Link("more.yaml")},
    "a link to nothing": {**PACK, "more.yaml": Link("nowhere.yaml")},
    "a folder that links back": {**PACK, "more/again": Link(".."), "more/b.yaml": ENTRY.replace("opening-hours", "b")},
    "pack.yaml is a pipe": {**PACK, "pack.yaml": Pipe()},
    "pack.yaml is a folder": {"pack.yaml/x.txt": "", "answers.yaml": ENTRY},
    "a mounted ConfigMap": {
        "..2026/pack.yaml": "name: Demo\n",
        "..2026/answers.yaml": ENTRY,
        "..2026/more/b.yaml": ENTRY.replace("opening-hours", "b"),
        "..data": Link("..2026"),
        "pack.yaml": Link("..data/pack.yaml"),
        "answers.yaml": Link("..data/answers.yaml"),
        "more": Link("..data/more"),
    },
    "other programs' files": {
        **PACK,
        ".github/workflows/test.yml": "on: push\n",
        ".pre-commit-config.yaml": "repos: []\n",
        "._answers.yaml": b"\0\5\x16\7",
        ".#answers.yaml": Link("somebody@host.1234"),
    },
    "a name that forges a line": {**PACK, "x\nERROR all is lost.yaml": "- b\n"},
    "a name that is no text": {**PACK, os.fsdecode(b"caf\xe9.yaml"): "- b\n"},
    "ids that are numbers and truths": more(
        ENTRY.replace("opening-hours", "007") + ENTRY.replace("opening-hours", "yes").replace("when are", "on")
    ),
    "an id with a path": more(ENTRY.replace("opening-hours", "../../etc/passwd")),
    "an entry that is related to itself": more(ENTRY.replace("opening-hours", "b") + "  related: [b]\n"),
    "a step number that is too large": more(
        ENTRY.replace("opening-hours", "b") + f"  kind: step\n  of: opening-hours\n  step: {'9' * 5_000}\n"
    ),
    "a long word as an id": more(ENTRY.replace("opening-hours", LONG)),
    "a long word as a kind": with_field("kind", LONG),
    "a long word as a title": with_field("title", LONG),
    "a long word as a phrasing": with_field("asks", f"[{LONG}]"),
    "a long word as a refusal": with_field("not_asks", f"[{LONG}]"),
    "a long word as an answer": with_field("answer", LONG),
    "a long word as a paragraph": with_field("paragraphs", f"[{LONG}]"),
    "a long word as a name that is mentioned": with_field("names", f"[{LONG}]"),
    "a long word as a related id": with_field("related", f"[{LONG}]"),
    "a long word as a note": with_field("notes", f"[{{date: 2026-01-01, text: {LONG}, source: {LONG}, url: {LONG}}}]"),
    "a long word as a date": with_field("notes", f"[{{date: {LONG}, text: x, source: y}}]"),
    "a long word as a field": with_field(LONG, "x"),
    "a long word in every field of a card": more(
        "- id: flask\n  kind: library\n  asks: [what is flask]\n  answer: A framework.\n"
        + "".join(f"  {name}: {LONG}\n" for name in ("name", "side", "what", "summary", "package", "install"))
        + "".join(f"  {name}: [{LONG}]\n" for name in ("aliases", "good_for", "capabilities", "also"))
        + "".join(f"  {name}: https://{LONG}\n" for name in ("homepage", "docs"))
    ),
    "a long word in a group": {
        **PACK,
        "groups.yaml": f"- id: {LONG}\n  title: {LONG}\n  label: {LONG}\n"
        + "".join(f"  {name}: [{LONG}]\n" for name in ("words", "list_asks", "pick_asks", "not_asks"))
        + f"  all: {LONG}\n",
    },
    "a long word in pack.yaml": {
        **PACK,
        "pack.yaml": f"name: {LONG}\nabout: {LONG}\nsubject: [{LONG}]\ncaution: {LONG}\n"
        f"source: {{title: {LONG}, author: {LONG}, publisher: {LONG}, date: {LONG}, url: {LONG}}}\n",
    },
    "a long word as a synonym": {**PACK, "synonyms.yaml": f"{'w' * 200}: [a]\nb: [{LONG}]\n"},
    "a long word out of scope": {
        **PACK,
        "out_of_scope.yaml": f"names: [{LONG}]\nordinary_names: [{LONG}]\nasks: [{LONG}]\n",
    },
    "a long word in the voice": {
        **PACK,
        "voice.yaml": f"unknown: {LONG}\n{'w' * 200}: x\nexamples: [{LONG}]\ngreeting: {{asks: [{LONG}], answer: {LONG}}}\n",
    },
}

SHORT = "w" * 60 + "…"
FAULTS: dict[str, list[str]] = {
    "lists in lists on one line": [
        "more.yaml:1: not YAML: exceeded maximum nesting depth; put a text that starts with [ in quotes",
    ],
    "mappings in mappings on one line": [
        "more.yaml:1: nests more than 20 levels deep; take levels out, and put a text that starts with [ or { in quotes",
    ],
    "lists in lists": [
        "more.yaml:1: nests more than 20 levels deep; take levels out, and put a text that starts with [ or { in quotes",
    ],
    "mappings in mappings": [
        "more.yaml:21: nests more than 20 levels deep; take levels out, and put a text that starts with [ or { in quotes",
    ],
    "question marks in question marks": [
        "more.yaml:1: the name of a field is no text; write 'name: value', and put a text that starts with {, [ or * in "
        "quotes",
    ],
    "400 levels": [
        "more.yaml:1: nests more than 20 levels deep; take levels out, and put a text that starts with [ or { in quotes",
    ],
    "20 levels": [
        "more.yaml:1: is not an entry: no fields; write '- id: ...'",
    ],
    "aliases that multiply": [
        "synonyms.yaml:6: aliases such as '*a4' repeat more than 200,000 characters; write the texts out",
    ],
    "aliases that multiply, as a key": [
        "more.yaml:6: aliases such as '*a4' repeat more than 200,000 characters; write the texts out",
    ],
    "aliases that multiply texts": [
        "more.yaml:201: aliases such as '*a' repeat more than 200,000 characters; write the texts out",
    ],
    "an anchor inside itself": [
        "more.yaml:2: '*a' stands inside what it repeats (&a); write it out",
    ],
    "an anchor inside itself, as a mapping": [
        "more.yaml:2: '*a' stands inside what it repeats (&a); write it out",
    ],
    "an alias of nothing": [
        "more.yaml:1: '*nothing' repeats nothing; put a text that starts with * in quotes",
    ],
    "a list as a key": [
        "more.yaml:1: the name of a field is no text; write 'name: value', and put a text that starts with {, [ or * in "
        "quotes",
    ],
    "a mapping as a key": [
        "more.yaml:1: the name of a field is no text; write 'name: value', and put a text that starts with {, [ or * in "
        "quotes",
    ],
    "merge keys": [
        "more.yaml:2: c: '<<' is not a field here; write the fields that it would repeat",
        "more.yaml:2: c: answer is missing; add it",
        "more.yaml:2: c: asks is missing; add it",
        "more.yaml:2: c: title is missing; add it",
    ],
    "a Python object": [
        "more.yaml:1: !!python/object/apply:os.system is a tag, and none is read; put a text that starts with ! in quotes",
        "more.yaml:1: is not an entry: no fields; write '- id: ...'",
    ],
    "a tag on a text": [
        "more.yaml:1: !!binary is a tag, and none is read; put a text that starts with ! in quotes",
        "more.yaml:1: aGVsbG8=: answer is missing; add it",
        "more.yaml:1: aGVsbG8=: asks is missing; add it",
        "more.yaml:1: aGVsbG8=: id 'aGVsbG8=' can't be an id: lower-case letters and digits, joined by single hyphens",
        "more.yaml:2: !important is a tag, and none is read; put a text that starts with ! in quotes",
        "more.yaml:2: aGVsbG8=: title is empty; write something",
    ],
    "documents": [
        "more.yaml:2: a second document begins here (---); take the line out, or make it a file of its own",
    ],
    "a key twice": [
        "more.yaml:2: 'id' stands twice, first in line 1; keep one",
    ],
    "100,000 items of nothing": [
        "more.yaml:10001: a list has more than 10,000 items; divide it among several files",
    ],
    "100,000 mappings of nothing": [
        "more.yaml:1: a list has more than 10,000 items; divide it among several files",
    ],
    "9,000 entries of nothing": [
        "more.yaml:1: entry 1: answer is missing; add it",
    ],
    "9,000 references to nothing": [
        "more.yaml:5: has 1,000 faults or more; mend these first, then look again",
    ],
    "20,000 fields": [
        "more.yaml:10001: has more than 10,000 fields; divide it among several files",
    ],
    "9,000 phrasings of nothing": [
        "more.yaml:3: has 1,000 faults or more; mend these first, then look again",
        "more.yaml:3: b: asks has an item without a text; write something after its dash, or take it out",
    ],
    "a million values": [
        "more.yaml:24: the file has more than 200,000 texts, lists and fields; take out what nobody asks",
    ],
    "a text of 10 megabytes": [
        "more.yaml:1: is larger than 2,000,000 bytes; divide it among several files",
    ],
    "files that are too large together": [
        "m4.yaml:1: the files up to this one have more than 8,000,000 bytes; take out what is no part of the pack",
    ],
    "2,000 files": [
        "pack.yaml:1: beside it are more than 1,000 files; name a folder that holds nothing but the pack "
        "(ASKPY_KNOWLEDGE), or join files",
    ],
    "1,100 folders": [
        "pack.yaml:1: beside it are more than 1,000 folders; name a folder that holds nothing but the pack (ASKPY_KNOWLEDGE)",
    ],
    "NUL": [
        "more.yaml:2: has the character \\x00, which can't be seen; delete it",
    ],
    "an escape sequence": [
        "more.yaml:2: has the character \\x1b, which can't be seen; delete it",
    ],
    "an escape sequence, written out": [
        "more.yaml:2: has the character \\x1b, which can't be seen; take it out",
    ],
    "a line of a log, forged": [
        "more.yaml:1: b: answer is missing; add it",
        "more.yaml:1: b: asks is missing; add it",
        "more.yaml:1: b: title is missing; add it",
        "more.yaml:2: b: 'x\\n2026-11-30 ERROR all is lost' is not a field here; there are: id, kind, title, asks, "
        "not_asks, answer, paragraphs, names, related, notes, source, owner, reviewed, review_by",
    ],
    "C1 control characters": [
        "more.yaml:2: has the character \\x9b, which can't be seen; delete it",
    ],
    "letters turned round": [
        "more.yaml:2: has the character \\u202e, which can't be seen; delete it",
    ],
    "a byte order mark in the middle": [
        "more.yaml:2: has the character \\ufeff, which can't be seen; delete it",
    ],
    "not UTF-8": [
        "more.yaml:2: byte 20 is not UTF-8; save the file as UTF-8",
    ],
    "UTF-16": [
        "more.yaml:1: is UTF-16; save the file as UTF-8",
    ],
    "UTF-16 without a mark": [
        "more.yaml:1: has the character \\x00, which can't be seen; delete it",
    ],
    "half a letter": [
        "more.yaml:1: byte 6 is not UTF-8; save the file as UTF-8",
    ],
    "a surrogate, written out": [
        "more.yaml:1: not YAML: found invalid Unicode character escape code; a backslash in double quotes begins a code; "
        "put the text in single quotes",
    ],
    "a pipe": [
        "more.yaml:1: is not an ordinary file; take it out of the folder, or give it another ending",
    ],
    "a link to a device": [
        "more.yaml:1: is not an ordinary file; take it out of the folder, or give it another ending",
    ],
    "a link to itself": [
        "more.yaml:1: can't be read (Too many levels of symbolic links); check the file's permissions",
    ],
    "a link to nothing": [
        "more.yaml:1: can't be read: it has just gone, or it is a link that leads nowhere; restore it or take it out",
    ],
    "pack.yaml is a pipe": [
        "pack.yaml:1: is not an ordinary file; take it out of the folder, or give it another ending",
    ],
    "pack.yaml is a folder": [
        "pack.yaml:1: not found in {folder}; name the folder that holds pack.yaml (ASKPY_KNOWLEDGE), or add one with at "
        "least `name: ...`",
    ],
    "a name that forges a line": [
        "x\\nERROR all is lost.yaml:1: is not an entry: no fields; write '- id: ...'",
    ],
    "a name that is no text": [
        "caf\\udce9.yaml:1: is not an entry: no fields; write '- id: ...'",
    ],
    "an id with a path": [
        "more.yaml:1: ../../etc/passwd: id '../../etc/passwd' can't be an id: lower-case letters and digits, joined by "
        "single hyphens",
    ],
    "a step number that is too large": [
        "more.yaml:7: b: step is not a whole number",
    ],
    "a long word as an id": [
        f"more.yaml:1: {SHORT}: id is longer than 150 characters; shorten it",
    ],
    "a long word as a kind": [
        f"more.yaml:5: b: kind is '{SHORT}'; it can be topic, step, library",
    ],
    "a long word as a title": [
        "more.yaml:4: b: title is longer than 150 characters; shorten it",
    ],
    "a long word as a phrasing": [
        "more.yaml:4: b: asks is longer than 500 characters; shorten it",
    ],
    "a long word as a refusal": [
        "more.yaml:5: b: not_asks is longer than 500 characters; shorten it",
    ],
    "a long word as a paragraph": [
        "more.yaml:5: b: paragraphs is longer than 500 characters; shorten it",
    ],
    "a long word as a name that is mentioned": [
        "more.yaml:5: b: names is longer than 150 characters; shorten it",
    ],
    "a long word as a related id": [
        "more.yaml:5: b: related is longer than 150 characters; shorten it",
    ],
    "a long word as a note": [
        "more.yaml:5: b: notes.source is longer than 500 characters; shorten it",
        "more.yaml:5: b: notes.text is longer than 3,000 characters; shorten it",
        "more.yaml:5: b: notes.url is longer than 3,000 characters; shorten it",
    ],
    "a long word as a date": [
        f"more.yaml:5: b: notes.date '{SHORT}' is not a date; write it as 2026-11-22",
    ],
    "a long word as a field": [
        "more.yaml:5: not YAML: could not find expected ':'; put a text that has a colon in quotes, or below a field "
        "that ends with ': |'",
    ],
    "a long word in every field of a card": [
        "more.yaml:5: flask: name is longer than 150 characters; shorten it",
        "more.yaml:6: flask: side is longer than 150 characters; shorten it",
        "more.yaml:7: flask: what is longer than 500 characters; shorten it",
        "more.yaml:8: flask: summary is longer than 200 characters; shorten it",
        "more.yaml:9: flask: package is longer than 500 characters; shorten it",
        "more.yaml:10: flask: install is longer than 500 characters; shorten it",
        "more.yaml:11: flask: aliases is longer than 150 characters; shorten it",
        "more.yaml:12: flask: good_for is longer than 500 characters; shorten it",
        "more.yaml:13: flask: capabilities is longer than 150 characters; shorten it",
        "more.yaml:14: flask: also is longer than 150 characters; shorten it",
        "more.yaml:15: flask: homepage is longer than 3,000 characters; shorten it",
        "more.yaml:16: flask: docs is longer than 3,000 characters; shorten it",
    ],
    "a long word in a group": [
        f"groups.yaml:1: {SHORT}: id is longer than 150 characters; shorten it",
        f"groups.yaml:2: {SHORT}: title is longer than 150 characters; shorten it",
        f"groups.yaml:3: {SHORT}: label is longer than 150 characters; shorten it",
        f"groups.yaml:4: {SHORT}: words is longer than 150 characters; shorten it",
        f"groups.yaml:5: {SHORT}: list_asks is longer than 500 characters; shorten it",
        f"groups.yaml:6: {SHORT}: pick_asks is longer than 500 characters; shorten it",
        f"groups.yaml:7: {SHORT}: not_asks is longer than 500 characters; shorten it",
        f"groups.yaml:8: {SHORT}: all can only be true or false",
    ],
    "a long word in pack.yaml": [
        "pack.yaml:1: name is longer than 150 characters; shorten it",
        "pack.yaml:2: about is longer than 500 characters; shorten it",
        "pack.yaml:3: subject is longer than 150 characters; shorten it",
        "pack.yaml:4: caution can only be 'strict', 'usual' or 'generous'",
        "pack.yaml:5: source.author is longer than 500 characters; shorten it",
        f"pack.yaml:5: source.date '{SHORT}' is not a date; write it as 2026-11-22",
        "pack.yaml:5: source.publisher is longer than 500 characters; shorten it",
        "pack.yaml:5: source.title is longer than 500 characters; shorten it",
        "pack.yaml:5: source.url is longer than 3,000 characters; shorten it",
    ],
    "a long word as a synonym": [
        f"synonyms.yaml:1: {SHORT}: a word is longer than 150 characters; shorten it",
        "synonyms.yaml:2: b: a word is longer than 150 characters; shorten it",
    ],
    "a long word out of scope": [
        "out_of_scope.yaml:1: names is longer than 150 characters; shorten it",
        "out_of_scope.yaml:2: ordinary_names is longer than 150 characters; shorten it",
        "out_of_scope.yaml:3: asks is longer than 500 characters; shorten it",
    ],
    "a long word in the voice": [
        "voice.yaml:1: unknown is longer than 3,000 characters; shorten it",
        f"voice.yaml:2: '{SHORT}' is none of the bot's sentences",
        "voice.yaml:3: examples has a question that is longer than 150 characters; shorten it",
        "voice.yaml:4: greeting: answer is longer than 3,000 characters; shorten it",
        "voice.yaml:4: greeting: asks is longer than 500 characters; shorten it",
    ],
}
"""What each of them is refused with, the first fault where there are more than 20; the others are read."""


def write(folder: Path, files: dict[str, Content]) -> None:
    """Write a pack into a folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        match content:
            case str():
                path.write_bytes(content.encode())
            case bytes():
                path.write_bytes(content)
            case Link(target):
                path.symlink_to(target)
            case Pipe():
                os.mkfifo(path)


CHILD = """
import json, resource, sys, threading, time
from pathlib import Path
from bot.curation.lint import lint
from bot.engine import Engine
from bot.knowledge import inspect, read_files
from bot.model import Question
from bot.understanding import Matcher

folders, stack = sys.argv[1], int(sys.argv[2])

def read(folder):
    begun = time.process_time()
    knowledge, faults = inspect(folder)
    lines = [str(fault) for fault in faults]
    seconds = time.process_time() - begun
    answers = knowledge is not None and not any(fault.refuses for fault in faults)
    if answers and len(knowledge.entries) < 10:
        lines += [str(fault) for fault in lint(knowledge)]
        Engine(Matcher.from_knowledge(knowledge)).answer(Question("when are you open"))
    memory = peak_memory()
    print(json.dumps([folder.name, seconds, memory, answers, lines]), flush=True)

def peak_memory():
    # Megabytes; not ru_maxrss where there is better, because a child begins with its parent's.
    status = Path("/proc/self/status")
    if status.exists():
        return int(status.read_text().partition("VmHWM:")[2].split()[0]) // 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

def run():
    for folder in sorted(Path(folders).iterdir(), key=lambda path: int(path.name)):
        read(folder)

import bot.knowledge.pack  # Python's import needs more of a stack
Engine(Matcher.from_knowledge(inspect(Path(folders, "0"))[0])).answer(Question("hello"))
threading.stack_size(stack)
thread = threading.Thread(target=run)
thread.start()
thread.join()
"""


def test_hostile_packs_are_read_or_refused_and_harm_nothing(tmp_path: Path) -> None:
    names = ["the smallest pack", *HOSTILE]
    for number, name in enumerate(names):
        write(tmp_path / str(number), HOSTILE.get(name, PACK))
    command = [sys.executable, "-c", CHILD, str(tmp_path), str(STACK)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    results = [json.loads(line) for line in ran.stdout.splitlines()]
    assert (ran.returncode, ran.stderr, names[len(results) :]) == (0, "", [])

    refused = {
        names[int(number)]: [line.replace(str(tmp_path / number), "{folder}") for line in lines]
        for number, _, _, is_read, lines in results
        if not is_read
    }
    assert {name: lines if len(lines) <= MAX_SHOWN else lines[:1] for name, lines in refused.items()} == FAULTS
    costly = [(names[int(number)], seconds, memory) for number, seconds, memory, _, _ in results]
    assert [cost for cost in costly if cost[1] > MAX_SECONDS or cost[2] > MAX_MEMORY] == []


def test_a_file_that_vanishes_while_the_folder_is_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, PACK)
    listed = [tmp_path / "answers.yaml", tmp_path / "gone.yaml", tmp_path / "pack.yaml"]
    monkeypatch.setattr("bot.knowledge.files.files_of", lambda folder: listed)
    said = "can't be read: it has just gone, or it is a link that leads nowhere; restore it or take it out"
    assert [str(fault) for fault in inspect(tmp_path)[1]] == [f"gone.yaml:1: {said}"]
