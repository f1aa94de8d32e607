"""What people write: the pack's phrasings, the same with typos, words thrown together, and rubbish; all from a seed."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterable, Iterator
from itertools import chain, count, islice
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from bot.knowledge import load  # noqa: E402

RARE = "äöüßéñçøłžđ漢字かな한글العربيةעבריתไทย🙂👍🏽\u200b\u202e\x00\ufeff`*_~<>&@#:|()[]{}\"'\\/"
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def phrasings() -> list[str]:
    """All phrasings of the shipped pack."""
    return sorted({ask for entry in load(ROOT / "knowledge").entries for ask in entry.asks})


def different(asks: list[str], number: int, seed: int) -> list[str]:
    """So many questions, no two of which are the same to a bot that looks at letters and digits only.

    Up to half of them are phrasings as they stand, the others have a typo; shuffled, so that each part costs the same.
    """
    dice = random.Random(seed)
    as_written = dice.sample(asks, min(len(asks), number // 2))
    mistyped = (with_typos(dice, dice.choice(asks), 1) for _ in count())
    texts = list(islice(once(chain(as_written, mistyped)), number))
    dice.shuffle(texts)
    return texts


def once(texts: Iterable[str]) -> Iterator[str]:
    """Each text once; texts of the same letters and digits are the same."""
    seen: set[str] = set()
    for text in texts:
        key = "".join(filter(str.isalnum, text.casefold()))
        if key not in seen:
            seen.add(key)
            yield text


def questions(asks: list[str], seed: int) -> Iterator[str]:
    """Without an end: phrasings, the same with typos, words thrown together, and rubbish."""
    dice = random.Random(seed)
    words = sorted({word for ask in asks for word in ask.split()})
    english = (ROOT / "bot" / "match" / "data" / "words.txt").read_text(encoding="utf-8").split()
    while True:
        match dice.randrange(10):
            case 0 | 1 | 2:
                yield dice.choice(asks)
            case 3 | 4 | 5:
                yield with_typos(dice, dice.choice(asks))
            case 6:
                yield " ".join(dice.choices(words, k=dice.randint(1, 9)))
            case 7:
                yield " ".join(dice.choices(english, k=dice.randint(1, 14)))
            case 8:
                joint = dice.choice(["and", "or", "?", "but"])
                yield f"{dice.choice(asks)} {joint} {with_typos(dice, dice.choice(asks))}"
            case _:
                yield rubbish(dice, dice.choice((3, 30, 300)))


def with_typos(dice: random.Random, text: str, most: int = 3) -> str:
    """The text with one to `most` slips of the finger."""
    letters = list(text)
    for _ in range(dice.randint(1, most)):
        at = dice.randrange(len(letters)) if letters else 0
        match dice.randrange(4):
            case 0 if letters:
                del letters[at]
            case 1 if letters:
                letters.insert(at, letters[at])
            case 2 if len(letters) > 1:
                other = at - 1
                letters[at], letters[other] = letters[other], letters[at]
            case _:
                letters.insert(at, dice.choice(LETTERS + " "))
    return "".join(letters)


def rubbish(dice: random.Random, length: int) -> str:
    """Any characters at all, those that Unicode leaves alone included."""
    made = []
    for _ in range(dice.randint(0, length)):
        made.append(dice.choice((dice.choice(RARE), chr(dice.randrange(32, 127)), chr(dice.randrange(0x11_0000)))))
    return "".join(made)


def junk_words(dice: random.Random, length: int) -> str:
    """A text of `length` characters of words that nobody knows."""
    text = ""
    while len(text) < length:
        text += "".join(dice.choices(LETTERS, k=dice.randint(3, 9))) + " "
    return text[:length]
