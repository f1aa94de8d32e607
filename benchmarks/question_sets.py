"""Public question sets as packs: the training questions of an intent are the phrasings of one entry.

They aren't part of the project: `find_data` says where they are looked for and where to get them.
"""

from __future__ import annotations

import csv
import json
import os
import random
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha1
from pathlib import Path

from bot.retrieval.english import english
from bot.text import clean

DATA_VARIABLE = "ASKPY_BENCHMARK_DATA"
CLINC_FILE, BANKING_FILE = "clinc150.json", "banking77.csv"
WHERE_TO_GET_THEM = (
    f"Put {CLINC_FILE} (data/data_full.json of github.com/clinc/oos-eval, CC BY 3.0) and {BANKING_FILE} (banking_data/train.csv "
    "of github.com/PolyAI-LDN/task-specific-datasets, CC BY 4.0) into a folder, and name the folder with --data or "
    f"{DATA_VARIABLE}."
)

LabelledText = tuple[str, int]
"""A text and the number of its entry."""

HELD_OUT = 10
"""Questions of each BANKING77 intent that are asked; the others are phrasings."""


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """A pack and what it is asked.

    Attributes:
        name: As in the tables.
        phrasings: Of the pack.
        entries: Number of entries; they are numbered from 0.
        questions: Questions that the pack covers.
        out_of_scope: Questions that it doesn't.
        listed: Out-of-scope questions that the pack lists as such.
    """

    name: str
    phrasings: tuple[LabelledText, ...]
    entries: int
    questions: tuple[LabelledText, ...]
    out_of_scope: tuple[str, ...]
    listed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TeamPack:
    """A pack of a team's size (TEAM_ENTRIES with TEAM_PHRASINGS each), and out-of-scope questions of three kinds.

    Attributes:
        pack: Without out-of-scope questions of its own.
        near: About intents of the same set that the pack neither covers nor lists.
        listed: About intents of which the pack lists other questions.
        far: CLINC150's own, about none of its intents.
    """

    pack: QuestionSet
    near: tuple[str, ...]
    listed: tuple[str, ...]
    far: tuple[str, ...]


TEAM_ENTRIES, TEAM_PHRASINGS = 46, 15
LISTED_INTENTS, LISTED_QUESTIONS = 20, 3
NEAR_QUESTIONS = 700


def find_data(folder: Path | None) -> Path | None:
    """The folder with both files: `folder`, else the one that DATA_VARIABLE names; None if they aren't there."""
    named = folder or (Path(value) if (value := os.environ.get(DATA_VARIABLE)) else None)
    return named if named is not None and all((named / name).is_file() for name in (CLINC_FILE, BANKING_FILE)) else None


# --- the sets


def question_sets(folder: Path) -> Iterator[QuestionSet]:
    """Every set of the tables. Where a set has only some phrasings of an entry, they are always the same."""
    clinc = _read_clinc(folder)
    phrasings, numbers = _numbered(clinc["train"])
    questions = tuple((clean(text), numbers[intent]) for text, intent in clinc["val"])
    far = _clinc_out_of_scope(clinc)
    for count in (100, 10, 5):
        name = f"CLINC150, {count} an entry"
        yield QuestionSet(name, sample_each(phrasings, count), len(numbers), questions, far)
    with (folder / BANKING_FILE).open(encoding="utf-8", newline="") as file:
        banking, intents = _numbered([(row["text"], row["category"]) for row in csv.DictReader(file)])
    held_out = sample_each(banking, HELD_OUT)
    rest = [pair for pair in banking if pair not in set(held_out)]
    yield QuestionSet("BANKING77, all", tuple(rest), len(intents), held_out, far)
    yield QuestionSet("BANKING77, 10 an entry", sample_each(rest, 10), len(intents), held_out, far)
    for listed in (0, 3):
        yield _with_removed_intents(rest, held_out, len(intents), listed)


def team_packs(folder: Path, seeds: int) -> Iterator[TeamPack]:
    """Packs of CLINC150's intents: some are entries, questions of some are listed, the others are never mentioned."""
    clinc = _read_clinc(folder)
    phrasings, numbers = _numbered(clinc["train"])
    questions, _ = _numbered(clinc["val"])
    far = _clinc_out_of_scope(clinc)
    for seed in range(seeds):
        rng = random.Random(seed)
        order = rng.sample(range(len(numbers)), len(numbers))
        entry_of = {intent: entry for entry, intent in enumerate(order[:TEAM_ENTRIES])}
        listed_intents = set(order[TEAM_ENTRIES : TEAM_ENTRIES + LISTED_INTENTS])
        near_intents = set(order[TEAM_ENTRIES + LISTED_INTENTS :])
        own = sample_each([(text, entry_of[i]) for text, i in phrasings if i in entry_of], TEAM_PHRASINGS, seed)
        listed = sample_each([pair for pair in phrasings if pair[1] in listed_intents], LISTED_QUESTIONS, seed)
        covered = tuple((text, entry_of[intent]) for text, intent in questions if intent in entry_of)
        near = rng.sample([text for text, intent in questions if intent in near_intents], NEAR_QUESTIONS)
        pack = QuestionSet(f"team pack {seed}", own, TEAM_ENTRIES, covered, (), tuple(text for text, _ in listed))
        yield TeamPack(pack, tuple(near), tuple(text for text, intent in questions if intent in listed_intents), far)


def _read_clinc(folder: Path) -> dict[str, list[list[str]]]:
    """By part ("train", "val", "oos_val", …), rows of question and intent."""
    parts: dict[str, list[list[str]]] = json.loads((folder / CLINC_FILE).read_text(encoding="utf-8"))
    return parts


def _clinc_out_of_scope(clinc: dict[str, list[list[str]]]) -> tuple[str, ...]:
    return tuple(clean(text) for part in ("oos_val", "oos_train") for text, _ in clinc[part])


def _numbered(rows: Sequence[Sequence[str]]) -> tuple[list[LabelledText], dict[str, int]]:
    """Rows of question and intent as cleaned questions with a number for their intent; and those numbers by name."""
    numbers = {intent: number for number, intent in enumerate(sorted({intent for _, intent in rows}))}
    return [(clean(text.replace("\n", " ")), numbers[intent]) for text, intent in rows], numbers


def _with_removed_intents(
    phrasings: Sequence[LabelledText], held_out: Sequence[LabelledText], entries: int, listed: int
) -> QuestionSet:
    """BANKING77 without 19 intents, whose questions are near out-of-scope questions. `listed`: how many of each are listed."""
    removed = set(random.Random(0).sample(range(entries), 19))
    number = {old: new for new, old in enumerate(entry for entry in range(entries) if entry not in removed)}
    known = sample_each([pair for pair in phrasings if pair[1] in removed], listed) if listed else ()
    return QuestionSet(
        f"BANKING77 less 19, {listed} listed of each",
        tuple((text, number[entry]) for text, entry in phrasings if entry in number),
        len(number),
        tuple((text, number[entry]) for text, entry in held_out if entry in number),
        tuple(text for text, entry in held_out if entry in removed),
        tuple(text for text, _ in known),
    )


def sample_each(texts: Sequence[LabelledText], count: int, seed: int = 0) -> tuple[LabelledText, ...]:
    """At most `count` texts of each entry, the same for the same seed."""
    by_entry: dict[int, list[LabelledText]] = defaultdict(list)
    for text in texts:
        by_entry[text[1]].append(text)
    rng = random.Random(seed)
    return tuple(text for _, own in sorted(by_entry.items()) for text in rng.sample(own, min(count, len(own))))


def grown_pack(phrasings: Sequence[LabelledText], size: int, entries: int) -> tuple[LabelledText, ...]:
    """`size` phrasings of `entries` entries, made of real questions with words of their entry replaced or added.

    Each entry has six words of its own, so that packs of any size differ by words, as real ones do.
    """
    rng = random.Random(1)
    by_intent: dict[int, list[str]] = defaultdict(list)
    for text, intent in phrasings:
        by_intent[intent].append(text)
    vocabulary = list(english().rows)[300:]
    grown: list[LabelledText] = []
    for entry in range(entries):
        own_words, sources = rng.sample(vocabulary, 6), by_intent[entry % len(by_intent)]
        for _ in range(size // entries):
            words = rng.choice(sources).split() or ["so"]
            words[rng.randrange(len(words))] = rng.choice(own_words)
            if rng.random() < 0.6:
                words.insert(rng.randrange(len(words) + 1), rng.choice(own_words))
            if rng.random() < 0.2:
                words.insert(rng.randrange(len(words) + 1), rng.choice(vocabulary))
            grown.append((" ".join(words), entry))
    return tuple(grown)


# --- typos

ADJACENT_KEYS = {
    **{"q": "wa", "w": "qes", "e": "wrd", "r": "etf", "t": "ryg", "y": "tuh", "u": "yij", "i": "uok", "o": "ipl"},
    **{"p": "ol", "a": "qsz", "s": "awdx", "d": "sefc", "f": "drgv", "g": "fthb", "h": "gyjn", "j": "hukm", "k": "jil"},
    **{"l": "kop", "z": "asx", "x": "zsdc", "c": "xdfv", "v": "cfgb", "b": "vghn", "n": "bhjm", "m": "njk"},
}

FIRST_LETTER_SHARE = 0.15
"""Share of typos in a word's first letter."""


def with_typos(text: str, seed: int = 7, count: int | None = None) -> str:
    """The text with `count` typos, by default one or two, in words of four letters and more; the same for the same seed."""
    rng = random.Random(int(sha1(f"{seed}|{text}".encode(), usedforsecurity=False).hexdigest(), 16))
    one_or_two = rng.choice((1, 2))
    for _ in range(one_or_two if count is None else count):
        words = list(re.finditer(r"[A-Za-z]{4,}", text))
        if not words:
            return text
        word = rng.choices(words, [len(match.group()) for match in words])[0]
        is_first = rng.random() < FIRST_LETTER_SHARE
        position = word.start() if is_first else rng.randrange(word.start() + 1, word.end())
        text = _with_typo(text, position, word.end(), rng)
    return text


def _with_typo(text: str, position: int, word_end: int, rng: random.Random) -> str:
    """One letter replaced by an adjacent key, swapped with the next, left out or doubled."""
    match rng.choice(("adjacent", "swapped", "left out", "doubled")):
        case "adjacent":
            return text[:position] + rng.choice(ADJACENT_KEYS.get(text[position].lower(), "e")) + text[position + 1 :]
        case "swapped":
            first = min(position, word_end - 2)
            return text[:first] + text[first + 1] + text[first] + text[first + 2 :]
        case "left out":
            return text[:position] + text[position + 1 :]
        case _:
            return text[:position] + text[position] + text[position:]
