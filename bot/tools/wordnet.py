"""Reads a WordNet 3.x dictionary folder: synsets, their neighbours, and how often each sense was seen in SemCor."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PARTS = {"noun": "n", "verb": "v", "adj": "a", "adv": "r"}
RELATIONS = frozenset({"@", "~", "&", "+"})
"""Hypernym, hyponym, similar, derived: what lies near in meaning."""

ENDINGS = {
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
"""WordNet's own rules of detachment, by part of speech."""

Key = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Synset:
    """One meaning: its words, its definition with examples, and its neighbours."""

    words: tuple[str, ...]
    gloss: str
    neighbours: tuple[Key, ...]


@dataclass(frozen=True, slots=True)
class WordNet:
    """`senses`: (lemma, part of speech) to the synsets in order of use, each with its SemCor count."""

    synsets: dict[Key, Synset]
    senses: dict[tuple[str, str], list[tuple[Key, int]]]
    irregular: dict[tuple[str, str], list[str]]

    def readings(self, word: str) -> list[tuple[str, str]]:
        """The lemmas a written form may stand for, with their parts of speech, in a fixed order."""
        found = []
        for part in PARTS.values():
            forms = [word, *self.irregular.get((word, part), ())]
            forms += [word.removesuffix(end) + new for end, new in ENDINGS[part] if word.endswith(end)]
            found += [(form, part) for form in dict.fromkeys(forms) if (form, part) in self.senses]
        return found


def read(folder: Path) -> WordNet:
    """The dictionary in a folder that holds data.noun, index.noun, noun.exc, cntlist.rev and so on."""
    counts = dict(_counts(folder / "cntlist.rev"))
    synsets: dict[Key, Synset] = {}
    senses: dict[tuple[str, str], list[tuple[Key, int]]] = {}
    irregular: dict[tuple[str, str], list[str]] = defaultdict(list)
    for name, part in PARTS.items():
        synsets.update(_synsets(folder / f"data.{name}"))
        for fields in _lines(folder / f"index.{name}"):
            lemma, offsets = fields[0], fields[-int(fields[2]) :]
            senses[lemma, part] = [
                ((part, int(offset)), counts.get((lemma, part, number), 0)) for number, offset in enumerate(offsets, 1)
            ]
        for form, *lemmas in _lines(folder / f"{name}.exc"):
            irregular[form, part] += lemmas
    return WordNet(synsets, senses, dict(irregular))


def _lines(path: Path) -> Iterator[list[str]]:
    """The fields of each line; the licence at the top is indented."""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith(" "):
            yield line.split()


def _counts(path: Path) -> Iterator[tuple[tuple[str, str, int], int]]:
    """(lemma, part of speech, number of the sense) and how often it was tagged."""
    kinds = {"1": "n", "2": "v", "3": "a", "4": "r", "5": "a"}
    for key, number, count in _lines(path):
        lemma, _, rest = key.partition("%")
        yield (lemma, kinds[rest[0]], int(number)), int(count)


def _synsets(path: Path) -> Iterator[tuple[Key, Synset]]:
    """Every synset of a data file, under (part of speech, offset)."""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith(" "):
            continue
        head, _, gloss = line.partition(" | ")
        fields = head.split()
        part = "a" if fields[2] == "s" else fields[2]
        after = 4 + 2 * int(fields[3], 16)
        words = tuple(word.partition("(")[0].replace("_", " ") for word in fields[4:after:2])
        pointers = fields[after + 1 : after + 1 + 4 * int(fields[after])]
        neighbours = tuple(
            ("a" if part_ == "s" else part_, int(offset))
            for mark, offset, part_ in zip(pointers[::4], pointers[1::4], pointers[2::4], strict=True)
            if mark in RELATIONS
        )
        yield (part, int(fields[0])), Synset(words, gloss.strip(), neighbours)
