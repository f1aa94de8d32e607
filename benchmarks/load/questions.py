"""Questions for the load: the pack's phrasings, the same with typos, random words, and rubbish; the same for the same seed."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from itertools import chain, count, islice

from benchmarks.load import ROOT
from bot.knowledge import load
from bot.retrieval.english import english

RARE = "äöüßéñçøłžđ漢字かな한글العربيةעבריתไทย🙂👍🏽\u200b\u202e\x00\ufeff`*_~<>&@#:|()[]{}\"'\\/"
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def phrasings() -> list[str]:
    """All phrasings of the shipped pack."""
    return sorted({ask for entry in load(ROOT / "knowledge").entries for ask in entry.asks})


def distinct_questions(asks: list[str], number: int, seed: int) -> list[str]:
    """`number` questions, no two with the same letters and digits: a bot that compares only those answers each anew.

    Up to half of them are phrasings, the others are phrasings with a typo; shuffled, so that each part costs the same.
    """
    rng = random.Random(seed)
    as_written = rng.sample(asks, min(len(asks), number // 2))
    mistyped = (with_random_edits(rng, rng.choice(asks), 1) for _ in count())
    texts = list(islice(distinct(chain(as_written, mistyped)), number))
    rng.shuffle(texts)
    return texts


def distinct(texts: Iterable[str]) -> Iterator[str]:
    """The texts without those that have the same letters and digits as an earlier one."""
    seen: set[str] = set()
    for text in texts:
        key = "".join(filter(str.isalnum, text.casefold()))
        if key not in seen:
            seen.add(key)
            yield text


def questions(asks: list[str], seed: int) -> Iterator[str]:
    """Endless: phrasings, the same with typos, random words of the pack and of English, two questions in one, and rubbish."""
    rng = random.Random(seed)
    words = sorted({word for ask in asks for word in ask.split()})
    english_words = list(english().rows)
    while True:
        match rng.randrange(10):
            case 0 | 1 | 2:
                yield rng.choice(asks)
            case 3 | 4 | 5:
                yield with_random_edits(rng, rng.choice(asks))
            case 6:
                yield " ".join(rng.choices(words, k=rng.randint(1, 9)))
            case 7:
                yield " ".join(rng.choices(english_words, k=rng.randint(1, 14)))
            case 8:
                joint = rng.choice(["and", "or", "?", "but"])
                yield f"{rng.choice(asks)} {joint} {with_random_edits(rng, rng.choice(asks))}"
            case _:
                yield rubbish(rng, rng.choice((3, 30, 300)))


def with_random_edits(rng: random.Random, text: str, limit: int = 3) -> str:
    """The text with one to `limit` random edits: a letter left out, doubled, swapped with the one before, or added."""
    letters = list(text)
    for _ in range(rng.randint(1, limit)):
        position = rng.randrange(len(letters)) if letters else 0
        match rng.randrange(4):
            case 0 if letters:
                del letters[position]
            case 1 if letters:
                letters.insert(position, letters[position])
            case 2 if len(letters) > 1:
                other = position - 1
                letters[position], letters[other] = letters[other], letters[position]
            case _:
                letters.insert(position, rng.choice(LETTERS + " "))
    return "".join(letters)


def rubbish(rng: random.Random, length: int) -> str:
    """Up to `length` characters: odd ones, ASCII, and any code point, also those that Unicode doesn't assign."""
    return "".join(
        rng.choice((rng.choice(RARE), chr(rng.randrange(32, 127)), chr(rng.randrange(0x11_0000))))
        for _ in range(rng.randint(0, length))
    )


def junk_words(rng: random.Random, length: int) -> str:
    """A text of `length` characters: words of random letters."""
    text = ""
    while len(text) < length:
        text += "".join(rng.choices(LETTERS, k=rng.randint(3, 9))) + " "
    return text[:length]
