"""Reads a dictionary folder of WordNet 3.x: synsets, senses, irregular forms. The format is in wndb(5WN)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SynsetKey = tuple[str, int]
"""Part of speech and offset in the data file."""

PARTS_OF_SPEECH = {"noun": "n", "verb": "v", "adj": "a", "adv": "r"}
POINTERS = frozenset({"@", "~", "&", "+"})
"""Hypernym, hyponym, similar to, derivationally related: pointers to synsets near in meaning."""

DETACHMENT_RULES = {
    "n": (
        ("s", ""),
        ("ses", "s"),
        ("xes", "x"),
        ("zes", "z"),
        ("ches", "ch"),
        ("shes", "sh"),
        ("men", "man"),
        ("ies", "y"),
    ),
    "v": (("s", ""), ("ies", "y"), ("es", "e"), ("es", ""), ("ed", "e"), ("ed", ""), ("ing", "e"), ("ing", "")),
    "a": (("er", ""), ("est", ""), ("er", "e"), ("est", "e")),
    "r": (),
}
"""WordNet's rules for base forms (morphy(7WN)), by part of speech."""


@dataclass(frozen=True, slots=True)
class Synset:
    """One meaning: its words, its definition with examples, and the synsets near in meaning."""

    words: tuple[str, ...]
    gloss: str
    neighbours: tuple[SynsetKey, ...]


@dataclass(frozen=True, slots=True)
class WordNet:
    """The dictionary.

    Attributes:
        synsets: All synsets.
        senses: Of a lemma and part of speech: its synsets, the most used first, each with its count in SemCor.
        irregular: Of an inflected form and part of speech: its lemmas.
    """

    synsets: dict[SynsetKey, Synset]
    senses: dict[tuple[str, str], list[tuple[SynsetKey, int]]]
    irregular: dict[tuple[str, str], list[str]]

    def lemmas_of(self, word: str) -> list[tuple[str, str]]:
        """The lemmas that a word may be a form of, each with its part of speech, in a fixed order."""
        lemmas = []
        for part in PARTS_OF_SPEECH.values():
            forms = [word, *self.irregular.get((word, part), ())]
            forms += [word.removesuffix(end) + new for end, new in DETACHMENT_RULES[part] if word.endswith(end)]
            lemmas += [(form, part) for form in dict.fromkeys(forms) if (form, part) in self.senses]
        return lemmas


def read_wordnet(folder: Path) -> WordNet:
    """Read a dictionary folder: data.noun, index.noun, noun.exc and so on, cntlist.rev."""
    counts = dict(_sense_counts(folder / "cntlist.rev"))
    synsets: dict[SynsetKey, Synset] = {}
    senses: dict[tuple[str, str], list[tuple[SynsetKey, int]]] = {}
    irregular: dict[tuple[str, str], list[str]] = defaultdict(list)
    for name, part in PARTS_OF_SPEECH.items():
        synsets.update(_read_synsets(folder / f"data.{name}"))
        for fields in _read_fields(folder / f"index.{name}"):
            lemma, offsets = fields[0], fields[-int(fields[2]) :]
            senses[lemma, part] = [
                ((part, int(offset)), counts.get((lemma, part, number), 0)) for number, offset in enumerate(offsets, 1)
            ]
        for form, *lemmas in _read_fields(folder / f"{name}.exc"):
            irregular[form, part] += lemmas
    return WordNet(synsets, senses, dict(irregular))


def _read_fields(path: Path) -> Iterator[list[str]]:
    """The fields of each line; the lines of the licence at the top are indented."""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith(" "):
            yield line.split()


def _sense_counts(path: Path) -> Iterator[tuple[tuple[str, str, int], int]]:
    """(lemma, part of speech, number of the sense) and its count in SemCor."""
    parts = {"1": "n", "2": "v", "3": "a", "4": "r", "5": "a"}
    for key, number, count in _read_fields(path):
        lemma, _, rest = key.partition("%")
        yield (lemma, parts[rest[0]], int(number)), int(count)


def _read_synsets(path: Path) -> Iterator[tuple[SynsetKey, Synset]]:
    """Every synset of a data file; the format is in wndb(5WN)."""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith(" "):
            continue
        head, _, gloss = line.partition(" | ")
        fields = head.split()
        after_words = 4 + 2 * int(fields[3], 16)
        names = tuple(word.partition("(")[0].replace("_", " ") for word in fields[4:after_words:2])
        pointers = fields[after_words + 1 : after_words + 1 + 4 * int(fields[after_words])]
        neighbours = tuple(
            (_part_of_speech(kind), int(offset))
            for symbol, offset, kind in zip(pointers[::4], pointers[1::4], pointers[2::4], strict=True)
            if symbol in POINTERS
        )
        yield (_part_of_speech(fields[2]), int(fields[0])), Synset(names, gloss.strip(), neighbours)


def _part_of_speech(synset_type: str) -> str:
    """Adjective satellites ("s") count as adjectives."""
    return "a" if synset_type == "s" else synset_type
