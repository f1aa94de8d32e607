"""Public question sets as packs: the training questions of an intent are one entry's phrasings. Data to measure with only."""

from __future__ import annotations

import csv
import json
import random
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha1
from pathlib import Path

from bot.match.english import english
from bot.text import clean

Asked = tuple[str, int]

HELD_OUT = 10
"""Questions of each BANKING77 intent that are asked instead of learnt."""

NEIGHBOURS = {
    **{"q": "wa", "w": "qes", "e": "wrd", "r": "etf", "t": "ryg", "y": "tuh", "u": "yij", "i": "uok", "o": "ipl"},
    **{"p": "ol", "a": "qsz", "s": "awdx", "d": "sefc", "f": "drgv", "g": "fthb", "h": "gyjn", "j": "hukm", "k": "jil"},
    **{"l": "kop", "z": "asx", "x": "zsdc", "c": "xdfv", "v": "cfgb", "b": "vghn", "n": "bhjm", "m": "njk"},
}
"""Keys beside each other on a keyboard."""

FIRST_LETTER = 0.15
"""Share of slips that hit a word's first letter."""


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """A pack to build, questions with their entries, and strangers to hold back from."""

    name: str
    asks: tuple[Asked, ...]
    entries: int
    questions: tuple[Asked, ...]
    strangers: tuple[str, ...]
    listed: tuple[str, ...] = ()


def question_sets(folder: Path) -> Iterator[QuestionSet]:
    """Every set that the two files give, small packs with a fixed choice of phrasings."""
    clinc = json.loads((folder / "clinc150.json").read_text(encoding="utf-8"))
    train, numbers = _numbered(clinc["train"])
    asked = tuple((clean(text), numbers[intent]) for text, intent in clinc["val"])
    far = tuple(clean(text) for part in ("oos_val", "oos_train") for text, _ in clinc[part])
    for few in (100, 10, 5):
        yield QuestionSet(f"CLINC150, {few} an entry", take(train, few), len(numbers), asked, far)
    with (folder / "banking77.csv").open(encoding="utf-8", newline="") as file:
        banking, names = _numbered([(row["text"], row["category"]) for row in csv.DictReader(file)])
    held = take(banking, HELD_OUT)
    kept = [pair for pair in banking if pair not in set(held)]
    yield QuestionSet("BANKING77, all", tuple(kept), len(names), held, far)
    yield QuestionSet("BANKING77, 10 an entry", take(kept, 10), len(names), held, far)
    for listed in (0, 3):
        yield _without(kept, held, len(names), listed)


@dataclass(frozen=True, slots=True)
class SmallPack:
    """A pack of a team's size, and three kinds of strangers: of topics it never mentions, of topics it lists, from afar."""

    pack: QuestionSet
    near: tuple[str, ...]
    listed: tuple[str, ...]
    far: tuple[str, ...]


SMALL, SMALL_ASKS = 46, 15
LISTED_TOPICS, LISTED_ASKS = 20, 3
NEAR = 700
"""Entries, phrasings an entry, topics that are listed with so many questions each, and strangers from next door."""


def small_packs(folder: Path, seeds: int) -> Iterator[SmallPack]:
    """CLINC150's intents, some as entries, some as listed strangers, the rest never mentioned."""
    clinc = json.loads((folder / "clinc150.json").read_text(encoding="utf-8"))
    train, numbers = _numbered(clinc["train"])
    asked, _ = _numbered(clinc["val"])
    far = tuple(clean(text) for part in ("oos_val", "oos_train") for text, _ in clinc[part])
    for seed in range(seeds):
        chance = random.Random(seed)  # noqa: S311 - the same packs every time
        order = chance.sample(range(len(numbers)), len(numbers))
        ours = {entry: number for number, entry in enumerate(order[:SMALL])}
        known, unknown = set(order[SMALL : SMALL + LISTED_TOPICS]), set(order[SMALL + LISTED_TOPICS :])
        asks = take([(text, ours[entry]) for text, entry in train if entry in ours], SMALL_ASKS, seed)
        listed = take([ask for ask in train if ask[1] in known], LISTED_ASKS, seed)
        questions = tuple((text, ours[entry]) for text, entry in asked if entry in ours)
        near = [text for text, entry in asked if entry in unknown]
        pack = QuestionSet(f"small pack {seed}", asks, SMALL, questions, (), tuple(text for text, _ in listed))
        yield SmallPack(
            pack, tuple(chance.sample(near, NEAR)), tuple(text for text, entry in asked if entry in known), far
        )


def _numbered(rows: Sequence[Sequence[str]]) -> tuple[list[Asked], dict[str, int]]:
    """Cleaned questions with a number for their intent."""
    numbers = {intent: number for number, intent in enumerate(sorted({intent for _, intent in rows}))}
    return [(clean(text.replace("\n", " ")), numbers[intent]) for text, intent in rows], numbers


def take(asks: Sequence[Asked], most: int, seed: int = 0) -> tuple[Asked, ...]:
    """So many of each entry, chosen by the seed."""
    by_entry: dict[int, list[Asked]] = defaultdict(list)
    for ask in asks:
        by_entry[ask[1]].append(ask)
    chance = random.Random(seed)  # noqa: S311 - a fixed choice, not a secret
    return tuple(ask for _, of in sorted(by_entry.items()) for ask in chance.sample(of, min(most, len(of))))


def _without(kept: Sequence[Asked], held: Sequence[Asked], entries: int, listed: int) -> QuestionSet:
    """BANKING77 without 19 of its intents, whose questions are strangers from next door."""
    gone = set(random.Random(0).sample(range(entries), 19))  # noqa: S311 - a fixed choice, not a secret
    number = {entry: at for at, entry in enumerate(entry for entry in range(entries) if entry not in gone)}
    known = take([ask for ask in kept if ask[1] in gone], listed) if listed else ()
    return QuestionSet(
        f"BANKING77 less 19, {listed} listed of each",
        tuple((text, number[entry]) for text, entry in kept if entry in number),
        len(number),
        tuple((text, number[entry]) for text, entry in held if entry in number),
        tuple(text for text, entry in held if entry in gone),
        tuple(text for text, _ in known),
    )


def typos(text: str, seed: int = 7, slips: int | None = None) -> str:
    """The text with one or two slips of the fingers, or so many; the same ones every time."""
    chance = random.Random(int(sha1(f"{seed}|{text}".encode(), usedforsecurity=False).hexdigest(), 16))  # noqa: S311
    one_or_two = chance.choice((1, 2))
    for _ in range(one_or_two if slips is None else slips):
        words = list(re.finditer(r"[A-Za-z]{4,}", text))
        if not words:
            return text
        word = chance.choices(words, [len(found.group()) for found in words])[0]
        at = word.start() if chance.random() < FIRST_LETTER else chance.randrange(word.start() + 1, word.end())
        text = _slip(text, at, word.end(), chance)
    return text


def _slip(text: str, at: int, end: int, chance: random.Random) -> str:
    """One letter hit beside, swapped with the next, left out or doubled."""
    match chance.choice(("beside", "swapped", "left out", "doubled")):
        case "beside":
            return text[:at] + chance.choice(NEIGHBOURS.get(text[at].lower(), "e")) + text[at + 1 :]
        case "swapped":
            at = min(at, end - 2)
            return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
        case "left out":
            return text[:at] + text[at + 1 :]
        case _:
            return text[:at] + text[at] + text[at:]


def grown(asks: Sequence[Asked], size: int, entries: int) -> tuple[Asked, ...]:
    """A pack of any size: real questions, in each of which an entry's own words replace or join others."""
    chance = random.Random(1)  # noqa: S311 - the same pack every time
    by_intent: dict[int, list[str]] = defaultdict(list)
    for text, entry in asks:
        by_intent[entry].append(text)
    plain = list(english().rows)[300:]
    made: list[Asked] = []
    for entry in range(entries):
        own, source = chance.sample(plain, 6), by_intent[entry % len(by_intent)]
        for _ in range(size // entries):
            spoken = chance.choice(source).split() or ["so"]
            spoken[chance.randrange(len(spoken))] = chance.choice(own)
            if chance.random() < 0.6:
                spoken.insert(chance.randrange(len(spoken) + 1), chance.choice(own))
            if chance.random() < 0.2:
                spoken.insert(chance.randrange(len(spoken) + 1), chance.choice(plain))
            made.append((" ".join(spoken), entry))
    return tuple(made)
