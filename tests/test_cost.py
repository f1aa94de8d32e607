"""What a message may cost: no text, however long and strange, takes more than 30 ms, and what was found out is remembered."""

from __future__ import annotations

import random
import string
import sys
import time
from collections.abc import Callable, Sequence
from itertools import pairwise

import pytest

from bot.retrieval.english import english
from bot.retrieval.spelling import (
    FIRST_CORRECTED,
    FULLY_READ,
    LAST_CORRECTED,
    UNLIMITED,
    Lexicon,
    SpellingCorrector,
    budget_for,
)
from bot.text import LONGEST_CACHED, LONGEST_QUESTION
from bot.understanding.names import names_of
from bot.understanding.reading import LONG, MAX_LONG_CHARACTERS, MAX_LONG_PARTS, split_message
from support.shipped import knowledge, matcher

MOST = 30.0
"""Milliseconds of processor time that one message may take."""
RUNS = 6
"""At most, until one is quick enough: a machine that is busy with something else takes no part in it."""

Make = Callable[[random.Random], str]


def junk(rng: random.Random, many: int, shortest: int = 5, longest: int = 5) -> list[str]:
    """Words that nobody knows, all different in practice."""
    return ["".join(rng.choices(string.ascii_lowercase, k=rng.randint(shortest, longest))) for _ in range(many)]


def mangled(rng: random.Random, word: str) -> str:
    """A word with two inner letters swapped."""
    at = rng.randrange(1, max(2, len(word) - 2))
    return word[:at] + word[at + 1 : at + 2] + word[at : at + 1] + word[at + 2 :]


def prose(rng: random.Random) -> list[str]:
    """Sentences as people write them, the pack's own answers, in some order."""
    found = [part for entry in knowledge().entries for part in entry.answer.split("\n") if len(part) > 60]
    return rng.sample(found, len(found))


def phrasings(rng: random.Random) -> list[str]:
    found = [ask for entry in knowledge().entries for ask in entry.asks]
    return rng.sample(found, 200)


def names(rng: random.Random) -> list[str]:
    return [rng.choice([entry.title for entry in knowledge().entries if entry.kind == "library"]) for _ in range(600)]


HOSTILE: dict[str, Make] = {
    "words that nobody knows": lambda rng: " ".join(junk(rng, 800)),
    "of four letters": lambda rng: " ".join(junk(rng, 999, 4, 4)),
    "of all lengths": lambda rng: " ".join(junk(rng, 900, 1, 12)),
    "each a line": lambda rng: "\n".join(junk(rng, 800)),
    "each a sentence": lambda rng: ". ".join(junk(rng, 800)),
    "in long sentences": lambda rng: ". ".join(" ".join(junk(rng, 60)) for _ in range(12)),
    "in sentences of clauses": lambda rng: ". ".join(
        ", ".join(" ".join(junk(rng, 10)) for _ in range(6)) for _ in range(12)
    ),
    "in clauses": lambda rng: "; ".join(" ".join(junk(rng, 4)) for _ in range(200)),
    "prose": lambda rng: " ".join(prose(rng)),
    "prose of slips": lambda rng: " ".join(mangled(rng, word) for word in " ".join(prose(rng)).split()),
    "prose just below the limit of long ones": lambda rng: " ".join(prose(rng))[:LONG],
    "slips just below the limit": lambda rng: " ".join(mangled(rng, w) for w in " ".join(prose(rng)).split())[:LONG],
    "a word a line": lambda rng: "\n".join(" ".join(prose(rng)).split()),
    "phrasings": lambda rng: "? ".join(phrasings(rng)),
    "phrasings with slips": lambda rng: "? ".join(mangled(rng, ask) for ask in phrasings(rng)),
    "no blank": lambda rng: "".join(junk(rng, 1, 4_000, 4_000)),
    "no blank, some dots": lambda rng: ". ".join(junk(rng, 12, 330, 330)),
    "one letter": lambda _: "x" * 4_000,
    "letters": lambda rng: " ".join(junk(rng, 2_000, 1, 1)),
    "a letter a line": lambda _: "a\n" * 2_000,
    "sentences of one letter": lambda rng: ". ".join(junk(rng, 1_400, 1, 1)),
    "one question again and again": lambda _: "What is Django? How do I install Flask? " * 110,
    "numbers": lambda rng: " ".join(str(rng.randrange(10**6)) for _ in range(700)),
    "digits": lambda _: "7" * 4_000,
    "names": lambda rng: " ".join(names(rng)),
    "names with slips": lambda rng: " ".join(mangled(rng, name) for name in names(rng)),
    "names glued to junk": lambda rng: " ".join(
        name + end for name, end in zip(names(rng), junk(rng, 600, 2, 3), strict=True)
    ),
    "one strange word beside others": lambda rng: " ".join(f"djagno {w}" for w in " ".join(prose(rng)).split()),
    "Cyrillic": lambda rng: " ".join("".join(map(chr, rng.choices(range(0x430, 0x450), k=6))) for _ in range(600)),
    "Chinese": lambda rng: " ".join("".join(map(chr, rng.choices(range(0x4E00, 0x9F00), k=3))) for _ in range(999)),
    "Chinese without blanks": lambda rng: "".join(map(chr, rng.choices(range(0x4E00, 0x9F00), k=4_000))),
    "one sign that stands for eighteen": lambda _: "\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}" * 4_000,
    "marks over marks": lambda _: "a" + "\u0301" * 2_000 + "\u0316" * 2_000,
    "emoji": lambda _: "\N{GRINNING FACE}" * 4_000,
    "colons": lambda _: ":a" * 2_000,
    "open brackets": lambda _: "<tel:" * 800,
    "possessives": lambda _: "what's a's " * 400,
    "courtesies that lead nowhere": lambda _: "ok " * 1_300 + "x",
    "cues that lead nowhere": lambda _: "so " * 1_330 + "x",
    "better then": lambda _: "better then " * 330,
    "places": lambda _: "the first and " * 19,
    "places and refusals": lambda _: "not the first or the second " * 10,
    "articles": lambda _: "the " * 58,
    "refusals of strangers": lambda _: "except " + "React, " * 58,
    "strangers": lambda _: "without go. " * 30,
    "refusals": lambda _: "we dont want " * 19,
    "those that are told by a word": lambda _: "the one with " * 19,
}


def cost(make: Make) -> float:
    """Milliseconds of the quickest of some messages of a kind, each with words of its own, so that none was met before."""
    taken = []
    for seed in range(RUNS):
        text = make(random.Random(seed))[:LONGEST_QUESTION]
        began = time.process_time()
        matcher().find(text)
        taken.append((time.process_time() - began) * 1_000)
        if taken[-1] <= MOST:
            break
    return min(taken)


@pytest.fixture(scope="module", autouse=True)
def _warm() -> None:
    """The lists that are read when first asked for, and the patterns that are compiled then."""
    matcher().prepare()
    for text in ("what is django?", "djagno or flsk, qwzxv", "and the second one?"):
        matcher().find(text)


@pytest.mark.skipif(sys.gettrace() is not None, reason="a debugger or a count of covered lines takes most of the time")
@pytest.mark.parametrize("kind", HOSTILE)
def test_no_message_costs_more_than_thirty_milliseconds(kind: str) -> None:
    assert cost(HOSTILE[kind]) <= MOST


# --- the budget


def test_a_question_is_read_in_full() -> None:
    assert budget_for(junk(random.Random(1), FULLY_READ), english()) is UNLIMITED


def test_of_many_strange_words_the_first_and_the_last_are_corrected() -> None:
    typed = junk(random.Random(1), 300, 8, 8)
    assert budget_for(typed, english()).as_typed == set(typed[FIRST_CORRECTED:-LAST_CORRECTED])


def test_plain_words_take_nothing_of_the_budget() -> None:
    story = ["people", "write", "about", "their", "work"] * 40
    assert not budget_for([*story, "djagno"], english()).as_typed


def test_the_question_at_the_end_of_a_long_message_is_corrected() -> None:
    story = " ".join(junk(random.Random(1), 300))
    evidence = matcher().find(f"{story}. How do I instal Djagno?").evidence
    assert "Django" in evidence.named


def test_a_long_message_is_read_as_a_whole_and_by_its_last_sentences() -> None:
    sentences = [" ".join(pair) + "." for pair in pairwise(junk(random.Random(1), 400))]
    text = " ".join(sentences)
    whole, *parts = split_message(text)
    assert whole == text
    assert parts[-1] == sentences[-1]
    assert len(parts) == MAX_LONG_PARTS - 1
    assert sum(map(len, parts)) <= MAX_LONG_CHARACTERS


# --- what is cached


def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The words that are compared with a list of words from now on."""
    compared: list[str] = []
    nearest = Lexicon.nearest

    def count(self: Lexicon, word: str, max_edits: int) -> list[tuple[int, int]]:
        compared.append(word)
        return nearest(self, word, max_edits)

    monkeypatch.setattr(Lexicon, "nearest", count)
    return compared


def corrector_of(pack: Sequence[str]) -> SpellingCorrector:
    lexicon = Lexicon.from_words(pack, [1.0] * len(pack))
    return SpellingCorrector(lexicon, frozenset(pack), frozenset(pack), frozenset(), english())


def test_a_word_is_corrected_once(monkeypatch: pytest.MonkeyPatch) -> None:
    corrector, compared = corrector_of(["vacation"]), counted(monkeypatch)
    assert [corrector.correct("vacatoin").word for _ in range(3)] == ["vacation"] * 3
    assert compared == ["vacatoin"]


def test_a_name_is_looked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    found, compared = names_of(knowledge(), english().__contains__), counted(monkeypatch)
    assert [found.find(["djagno"])[0].name.shown for _ in range(3)] == ["Django"] * 3
    assert compared == ["djagno"]


def test_a_message_corrects_each_of_its_words_once(monkeypatch: pytest.MonkeyPatch) -> None:
    strange = junk(random.Random(99), 40, 9, 9)
    compared = counted(monkeypatch)
    matcher().find(". ".join(" ".join(strange[at : at + 8]) for at in range(0, 40, 8)))
    assert max(compared.count(word) for word in strange) <= 5
    # with the pack's words, with English and with the names; once more with both where it may be an unknown name


def test_a_key_isnt_cached(monkeypatch: pytest.MonkeyPatch) -> None:
    corrector, compared = corrector_of(["vacation"]), counted(monkeypatch)
    key = "x" * (LONGEST_CACHED + 1)
    assert [corrector.correct(key).word for _ in range(2)] == [key] * 2
    assert len(compared) == 4  # twice with the pack's words and with English


@pytest.mark.parametrize("kind", HOSTILE)
def test_the_caches_change_nothing(kind: str) -> None:
    text = HOSTILE[kind](random.Random(0))
    assert matcher().find(text) == matcher().find(text)
