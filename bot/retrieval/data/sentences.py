"""The sentences that the word vectors are learned from: dictionary, public text, and sentences put together from frames.

None of the public text is in this repository: a sentence is read, shown to the sentence encoder, and forgotten.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path

from bot.retrieval.data.wordnet import WordNet
from bot.retrieval.english import FUNCTION_WORDS, English
from bot.text import words

FRAMES_FILE = Path(__file__).parent / "sentence_frames.txt"
"""One frame a line: `how much does a {n} cost`. Slots: n and ns (noun, plural), v, ving (verb, its -ing form), a (adjective)."""

FRAME_SENTENCES = 120_000
"""Sentences put together from frames."""

FLATNESS = 0.35
"""A word is drawn in proportion to its share of running words to this power: rare words often enough to be learned."""

TOPICAL, FROM_TOPIC = 0.5, 0.8
"""Share of frames that are filled from one definition's words, and of their slots for which that is tried."""

AS_WRITTEN = 0.3
"""Share of sentences with a capital and a full stop or question mark."""

LEAST_USE = 0.2
"""A word may stand for a part of speech if that is at least this share of its counts in SemCor."""

SHORTEST, LONGEST = 3, 18
"""Words in a sentence of public text."""

MOST_OTHER = 0.15
"""Share of characters in a sentence of public text that may be neither letters nor blanks."""

PROSE = {"GSA-TTS/handbook": r"^(?!\.github).*\.md$", "sourcegraph/handbook": r"\.md$"}
QUERIES = "sonos/nlu-benchmark", r"^2017.*train_.*_full\.json$"
UTTERANCES = "amazon-science/dstc11-track2-intent-induction", r"test-utterances\.jsonl$"
"""Repositories of public text, and the files that are read: handbooks for employees, spoken requests, customers' utterances."""

_QUESTION = re.compile(r"(how|can|could|am|is|do|does|are|what|when|where|who|why|which|will|would|should|has|have)")


def all_sentences(wordnet: WordNet, english: English, checkouts: Path) -> list[str]:
    """Every sentence to learn from, in a fixed order, none of them twice.

    Args:
        wordnet: The dictionary.
        english: The word list that gets vectors.
        checkouts: A folder with a checkout of each repository named here, as `owner/name`.
    """
    texts = (
        *dictionary_sentences(wordnet, english),
        *public_sentences(checkouts),
        *frame_sentences(wordnet, english, FRAME_SENTENCES),
    )
    return list({text.casefold(): text for text in texts}.values())


# --- the dictionary


def dictionary_sentences(wordnet: WordNet, english: English) -> Iterator[str]:
    """ "word, word: definition" for each synset with a word of the list, and each example of any synset."""
    for synset in wordnet.synsets.values():
        definition, *examples = re.split(r";\s*(?=\")", synset.gloss)
        names = [name for name in synset.words if all(part in english.rows for part in name.casefold().split())]
        if names:
            yield f"{', '.join(names)}: {definition.strip().rstrip(';')}"
        for example in examples:
            text = example.strip('"; ')
            if len(text.split()) >= SHORTEST:
                yield text


# --- public text


def public_sentences(checkouts: Path) -> Iterator[str]:
    """Sentences of the checkouts: handbooks for employees, spoken requests, customers' utterances."""
    for repository, pattern in PROSE.items():
        for path in _files(checkouts / repository, pattern):
            yield from _prose(path.read_text(encoding="utf-8", errors="replace"))
    for path in _files(checkouts / QUERIES[0], QUERIES[1]):
        for queries in json.loads(path.read_text(encoding="utf-8", errors="replace")).values():
            for query in queries:
                yield from _fitting("".join(part["text"] for part in query["data"]))
    for path in _files(checkouts / UTTERANCES[0], UTTERANCES[1]):
        for line in path.read_text(encoding="utf-8").splitlines():
            yield from _fitting(json.loads(line)["utterance"])


def _files(folder: Path, pattern: str) -> list[Path]:
    """The files under a folder whose path there matches.

    Raises:
        FileNotFoundError: There is no such file: the checkout is missing, or another version than the one this was written for.
    """
    paths = [path for path in folder.rglob("*") if re.search(pattern, path.relative_to(folder).as_posix())]
    if not paths:
        raise FileNotFoundError(f"{folder} has no file like {pattern}")
    return sorted(path for path in paths if path.is_file() and not path.is_symlink())


def _prose(text: str) -> Iterator[str]:
    """The sentences of a page in Markdown or HTML."""
    text = re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.DOTALL)
    text = re.sub(r"```.*?```|<!--.*?-->|\{%.*?%\}|\{\{.*?\}\}", "\n", text, flags=re.DOTALL)
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", re.sub(r"!\[[^\]]*\]\([^)]*\)", "", text))
    text = re.sub(r"https?://\S+", "", re.sub(r"<[^>]{1,200}>", " ", text))
    for line in text.splitlines():
        item = re.sub(r"^\s*([-*>#+|:]+|\d+[.)])\s*", "", line.strip())
        for sentence in re.split(r"(?<=[.!?:])\s+", re.sub(r"[*_`#|]+", " ", item)):
            yield from _fitting(sentence)


def _fitting(text: str) -> Iterator[str]:
    """The text with single blanks, if it is neither too short nor too long and most of it are words."""
    text = " ".join(text.split())
    other = sum(not (character.isalpha() or character == " ") for character in text)
    if SHORTEST <= len(text.split()) <= LONGEST and other < MOST_OTHER * len(text):
        yield text


# --- sentences from frames


def frame_sentences(wordnet: WordNet, english: English, count: int) -> list[str]:
    """`count` different sentences from the frames, always the same ones.

    Most of them make no sense, and needn't: the encoder says where a sentence with these words lies. Half of the frames are
    filled with words of one definition, which go together; the rest, and every slot that these don't fit, by chance.
    """
    parts = {word: found for word in english.rows if (found := _parts_of_speech(wordnet, word))}
    by_part: dict[str, list[str]] = {part: [] for part in ("n", "ns", "v", "a", "ving")}
    for word, found in parts.items():
        for part in found:
            by_part[part].append(word)
    weights = {
        part: list(accumulate(10 ** (-FLATNESS * english.rarity[english.rows[word]]) for word in members))
        for part, members in by_part.items()
    }
    topics = sorted(_topics(wordnet, parts))
    frames = FRAMES_FILE.read_text(encoding="utf-8").splitlines()
    chance = random.Random(7)  # noqa: S311  # the same choices every time, and no secret

    def choose(part: str, topic: Sequence[str]) -> str:
        members = [word for word in topic if part in parts[word]]
        if members and chance.random() < FROM_TOPIC:
            return chance.choice(members)
        return chance.choices(by_part[part], cum_weights=weights[part])[0]

    made: dict[str, None] = {}
    while len(made) < count:
        topic = chance.choice(topics) if chance.random() < TOPICAL else []
        frame = chance.choice(frames)
        text = "".join(choose(part, topic) if part in by_part else part for part in re.split(r"[{}]", frame))
        if chance.random() < AS_WRITTEN:
            text = text[0].upper() + text[1:] + ("?" if _QUESTION.match(text) else ".")
        made[text] = None
    return list(made)


def _topics(wordnet: WordNet, parts: dict[str, frozenset[str]]) -> Iterator[list[str]]:
    """Of each synset: the words of its name and gloss that a slot can take, if there are four or more."""
    for synset in wordnet.synsets.values():
        members = [word for text in (*synset.words, synset.gloss) for word in words(text) if word in parts]
        if len(members) >= 4:
            yield members


def _parts_of_speech(wordnet: WordNet, word: str) -> frozenset[str]:
    """The slots that a word can take; none for function words and words of less than three letters."""
    if word in FUNCTION_WORDS or len(word) < 3:
        return frozenset()
    counts: dict[str, float] = {}
    for lemma, part in wordnet.lemmas_of(word):
        counts[part] = counts.get(part, 0.0) + sum(count for _, count in wordnet.senses[lemma, part]) + 0.5
    used = {part for part, count in counts.items() if count / sum(counts.values()) >= LEAST_USE}
    slots: set[str] = set()
    if "n" in used:
        is_plural = word.endswith("s") and not word.endswith("ss") and (word, "n") not in wordnet.senses
        slots.add("ns" if is_plural else "n")
    if "v" in used and (word, "v") in wordnet.senses:
        slots.add("v")
    elif "v" in used and word.endswith("ing"):
        slots.add("ving")
    if "a" in used:
        slots.add("a")
    return frozenset(slots)
