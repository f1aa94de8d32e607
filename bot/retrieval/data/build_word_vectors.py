"""Builds words.txt and word_vectors.npy: `python -m bot.retrieval.data.build_word_vectors WORDNET_FOLDER FREQUENCY_FILE`.

Takes some minutes. The result is the same to the byte if the inputs are, with one thread (OPENBLAS_NUM_THREADS=1).

Args:
    WORDNET_FOLDER: A dictionary folder of WordNet 3.x, with data.noun and so on (Debian: wordnet-base, /usr/share/wordnet).
    FREQUENCY_FILE: A word and a count on each line (frequency_dictionary_en_82_765.txt of the Python package symspellpy).
"""

from __future__ import annotations

import math
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bot.retrieval.embeddings import DIMENSIONS, VECTORS_FILE
from bot.retrieval.english import EXTRA_SHARES, FUNCTION_WORDS, WORDS_FILE
from bot.retrieval.sparse import SparseRows, build_rows, slice_positions
from bot.text import stem, words

VOCABULARY_SIZE = 20_000
"""Commonest English words kept. 5,000 give half of the gain."""

COMMON_SHARE = 1e-4
"""Share of running words from which a word is taken for English although WordNet lacks it."""

SYNSET_WORD_WEIGHT = 2.0
"""Weight of a synset's own words, beside the words of its definition and examples at 1."""

NEIGHBOUR_WEIGHT = 0.3
"""Factor on everything that comes from a neighbouring synset."""

OVERSAMPLING, ITERATIONS = 32, 8
"""Extra dimensions and steps of the subspace iteration: enough for the first 128 singular vectors to converge."""

Weights = dict[str, float]
Matrix = NDArray[np.float64]


def main(wordnet_folder: Path, frequency_file: Path) -> None:
    """Write both files, and print their sizes."""
    wordnet = read_wordnet(wordnet_folder)
    shares = vocabulary(wordnet, frequency_file)
    stem_shares: dict[str, float] = defaultdict(float)
    for word, share in shares:
        stem_shares[stem(word)] += share
    lines = [f"{w}\t{-math.log10(share):.2f}\t{-math.log10(stem_shares[stem(w)]):.2f}\n" for w, share in shares]
    packed = pack_vectors(build_vectors(wordnet, [word for word, _ in shares]))
    WORDS_FILE.write_text("".join(lines), encoding="utf-8")
    np.save(VECTORS_FILE, packed)
    sizes = ", ".join(f"{path.name} {path.stat().st_size} bytes" for path in (WORDS_FILE, VECTORS_FILE))
    print(f"{len(shares)} words: {sizes}")


def vocabulary(wordnet: WordNet, frequency_file: Path) -> list[tuple[str, float]]:
    """The commonest words that are certainly English, each with its share of all running words, the commonest first."""
    lines = frequency_file.read_text(encoding="utf-8-sig").splitlines()
    counts = {word: int(count) for word, count in (line.split() for line in lines)}
    total = sum(counts.values())
    counts = {**{word: int(share * total) for word, share in EXTRA_SHARES.items()}, **counts}
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    english = [
        (word, count / total)
        for word, count in ranked
        if word in EXTRA_SHARES
        or word in FUNCTION_WORDS
        or count / total > COMMON_SHARE
        or (len(word) > 1 and wordnet.lemmas_of(word))
    ]
    return english[:VOCABULARY_SIZE]


# --- vectors


def build_vectors(wordnet: WordNet, vocabulary: list[str]) -> Matrix:
    """A vector of length one for each word; zeros for function words and words without a sense. (words, DIMENSIONS)

    Features are the stems around a word's senses: square root of their weights, times inverse document frequency.
    """
    glosses = {key: _gloss_stems(wordnet, key) for key in wordnet.synsets}
    feature_ids: dict[str, int] = {}
    cells: list[tuple[int, int, float]] = []
    for row, word in enumerate(vocabulary):
        if word not in FUNCTION_WORDS:
            weights = _sense_stems(wordnet, glosses, word)
            cells += [(row, feature_ids.setdefault(s, len(feature_ids)), w) for s, w in sorted(weights.items())]
    rows, columns, values = (np.array(part) for part in zip(*cells, strict=True))
    document_counts = np.bincount(columns)
    values = np.sqrt(values) * np.log(len(vocabulary) / (1 + document_counts[columns]))
    kept = (document_counts[columns] > 1) & (values > 0)
    rows, columns, values = rows[kept], columns[kept], values[kept]
    norms = np.sqrt(np.bincount(rows, weights=values * values, minlength=len(vocabulary)))
    return truncated_svd(rows, columns, values / norms[rows], len(vocabulary), len(feature_ids))


def _sense_stems(wordnet: WordNet, glosses: dict[SynsetKey, Weights], word: str) -> Weights:
    """Stems of the glosses of a word's senses and their neighbours, each sense weighted by how often it is meant."""
    usage: dict[SynsetKey, float] = {}
    for lemma in wordnet.lemmas_of(word):
        for number, (key, count) in enumerate(wordnet.senses[lemma], 1):
            usage[key] = usage.get(key, 0.0) + (count + 1) / math.sqrt(number)
    total: Weights = defaultdict(float)
    for key, weight in usage.items():
        share = weight / sum(usage.values())
        for name, value in glosses[key].items():
            total[name] += share * value
        for neighbour in wordnet.synsets[key].neighbours:
            for name, value in glosses[neighbour].items():
                total[name] += share * NEIGHBOUR_WEIGHT * value
    return total


def _gloss_stems(wordnet: WordNet, key: SynsetKey) -> Weights:
    """Stems of a synset's words, definition and examples, without function words."""
    synset, weights = wordnet.synsets[key], defaultdict[str, float](float)
    for text, weight in (*((name, SYNSET_WORD_WEIGHT) for name in synset.words), (synset.gloss, 1.0)):
        for word in words(text):
            if word not in FUNCTION_WORDS:
                weights[stem(word)] += weight
    return weights


def truncated_svd(
    rows: NDArray[np.int64], columns: NDArray[np.int64], values: Matrix, height: int, width: int
) -> Matrix:
    """U S^(1/2) of the truncated singular value decomposition by subspace iteration, rows scaled to length one.

    Halko, Martinsson and Tropp (2011), "Finding structure with randomness", algorithm 4.4; always from the same random start.
    """
    by_row = _compressed(rows, columns, values, height)
    by_column = _compressed(columns, rows, values, width)
    basis = np.random.default_rng(0).standard_normal((width, DIMENSIONS + OVERSAMPLING))
    for _ in range(ITERATIONS):
        basis, _ = np.linalg.qr(_product(by_column, _product(by_row, basis)))
    left, singular_values, _ = np.linalg.svd(_product(by_row, basis), full_matrices=False)
    left = left * np.sign(left[np.abs(left).argmax(axis=0), np.arange(left.shape[1])])
    vectors = (left * np.sqrt(singular_values))[:, :DIMENSIONS]
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12))


def _compressed(rows: NDArray[np.int64], columns: NDArray[np.int64], values: Matrix, height: int) -> SparseRows:
    """Cells as sparse rows; empty rows are there too."""
    order = np.lexsort((columns, rows))
    return build_rows(np.arange(height), rows[order], columns[order], values[order])


def _product(sparse: SparseRows, dense: Matrix, block: int = 1_000) -> Matrix:
    """Sparse times dense, `block` rows at a time."""
    product = np.zeros((len(sparse.keys), dense.shape[1]))
    for first in range(0, len(sparse.keys), block):
        rows = np.arange(first, min(first + block, len(sparse.keys)))
        cells, owners = slice_positions(sparse.starts, rows)
        if not len(cells):
            continue
        terms = dense[sparse.columns[cells]] * sparse.values[cells, None]
        begins = np.flatnonzero(np.r_[True, owners[1:] != owners[:-1]])
        product[first + owners[begins]] = np.add.reduceat(terms, begins)
    return product


def pack_vectors(vectors: Matrix) -> NDArray[np.uint8]:
    """Four bits a number, two numbers a byte. Lengths are lost; `WordVectors.unpack` scales rows to length one again."""
    largest = np.maximum(np.abs(vectors).max(axis=1, keepdims=True), 1e-12)
    steps = (np.rint(vectors / largest * 7).astype(np.int8) + 8).astype(np.uint8)
    return np.asarray(steps[:, ::2] << 4 | steps[:, 1::2])


# --- WordNet

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


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python -m bot.retrieval.data.build_word_vectors WORDNET_FOLDER FREQUENCY_FILE")
    main(Path(sys.argv[1]), Path(sys.argv[2]))
