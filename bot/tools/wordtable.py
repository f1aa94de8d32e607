"""Builds the English data of the matcher: `python -m bot.tools.wordtable WORDNET_FOLDER FREQUENCY_FILE`.

WORDNET_FOLDER holds WordNet 3.x (data.noun, ...; for instance from the Debian package wordnet-base). FREQUENCY_FILE has a
word and a count on each line (for instance frequency_dictionary_en_82_765.txt from the Python package symspellpy). The
result is the same to the byte whenever the inputs are: counting, and a fixed number of steps of one decomposition.
"""

from __future__ import annotations

import math
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bot.match.english import FILE, FUNCTION_WORDS, PLAIN
from bot.match.sparse import Rows, ragged, rows_of
from bot.match.wordtable import DIMENSIONS, TABLE
from bot.text import stem, words
from bot.tools.wordnet import Key, WordNet, read

VOCABULARY = 20_000
"""Commonest English words kept. 5,000 give half of the gain."""

COMMON = 1e-4
"""A word this frequent is English even where WordNet lacks it."""

MEMBER, NEIGHBOUR = 2.0, 0.3
"""Weight of a synset's own words, and of all that comes from a neighbour, beside its gloss's words at 1."""

SPARE, ROUNDS = 32, 8
"""Extra dimensions and steps of the subspace iteration, enough for the first 128 directions to settle."""

Weights = dict[str, float]
Matrix = NDArray[np.float64]


def main(wordnet: Path, frequencies: Path) -> None:
    """Write words.txt and wordtable.npy beside the matcher."""
    net = read(wordnet)
    kept = vocabulary(net, frequencies)
    by_stem: dict[str, float] = defaultdict(float)
    for word, share in kept:
        by_stem[stem(word)] += share
    lines = [f"{w}\t{-math.log10(share):.2f}\t{-math.log10(by_stem[stem(w)]):.2f}\n" for w, share in kept]
    rows = packed(vectors(net, [word for word, _ in kept]))
    FILE.write_text("".join(lines), encoding="utf-8")
    np.save(TABLE, rows)
    print(f"{len(kept)} words: {FILE.name} {FILE.stat().st_size} bytes, {TABLE.name} {TABLE.stat().st_size} bytes")


def vocabulary(net: WordNet, path: Path) -> list[tuple[str, float]]:
    """The commonest words that are English beyond doubt, with their share of all running words."""
    counts = {w: int(n) for w, n in (line.split() for line in path.read_text(encoding="utf-8-sig").splitlines())}
    total = sum(counts.values())
    counts = {**{w: int(share * total) for w, share in PLAIN.items()}, **counts}
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    kept = [
        (word, count / total)
        for word, count in ranked
        if word in PLAIN or word in FUNCTION_WORDS or count / total > COMMON or (len(word) > 1 and net.readings(word))
    ]
    return kept[:VOCABULARY]


def vectors(net: WordNet, vocabulary: list[str]) -> Matrix:
    """A row of unit length for each word, zero where it means nothing by itself."""
    glosses = {key: _contents(net, key) for key in net.synsets}
    columns: dict[str, int] = {}
    cells: list[tuple[int, int, float]] = []
    for row, word in enumerate(vocabulary):
        if word not in FUNCTION_WORDS:
            found = _meaning(net, glosses, word)
            cells += [(row, columns.setdefault(name, len(columns)), value) for name, value in sorted(found.items())]
    rows, cols, values = (np.array(part) for part in zip(*cells, strict=True))
    spread = np.bincount(cols)
    values = np.sqrt(values) * np.log(len(vocabulary) / (1 + spread[cols]))
    keep = (spread[cols] > 1) & (values > 0)
    rows, cols, values = rows[keep], cols[keep], values[keep]
    norms = np.sqrt(np.bincount(rows, weights=values * values, minlength=len(vocabulary)))
    return decompose(rows, cols, values / norms[rows], len(vocabulary), len(columns))


def _meaning(net: WordNet, glosses: dict[Key, Weights], word: str) -> Weights:
    """The stems around a word's senses, each sense by how usual it is."""
    total: Weights = defaultdict(float)
    usual: dict[Key, float] = {}
    for reading in net.readings(word):
        for number, (key, count) in enumerate(net.senses[reading], 1):
            usual[key] = usual.get(key, 0.0) + (count + 1) / math.sqrt(number)
    for key, weight in usual.items():
        share = weight / sum(usual.values())
        for name, value in glosses[key].items():
            total[name] += share * value
        for neighbour in net.synsets[key].neighbours:
            for name, value in glosses[neighbour].items():
                total[name] += share * NEIGHBOUR * value
    return total


def _contents(net: WordNet, key: Key) -> Weights:
    """Content stems of a synset: its words twice, its definition and examples once."""
    synset, found = net.synsets[key], defaultdict[str, float](float)
    for text, weight in (*((name, MEMBER) for name in synset.words), (synset.gloss, 1.0)):
        for word in words(text):
            if word not in FUNCTION_WORDS:
                found[stem(word)] += weight
    return found


def decompose(rows: NDArray[np.int64], cols: NDArray[np.int64], values: Matrix, height: int, width: int) -> Matrix:
    """U S^(1/2) of the truncated singular value decomposition, rows at unit length, by subspace iteration."""
    across = _sorted(rows, cols, values, height)
    down = _sorted(cols, rows, values, width)
    basis = np.random.default_rng(0).standard_normal((width, DIMENSIONS + SPARE))
    for _ in range(ROUNDS):
        basis, _ = np.linalg.qr(_times(down, _times(across, basis)))
    left, sizes, _ = np.linalg.svd(_times(across, basis), full_matrices=False)
    left = left * np.sign(left[np.abs(left).argmax(axis=0), np.arange(left.shape[1])])
    found = (left * np.sqrt(sizes))[:, :DIMENSIONS]
    return np.asarray(found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12))


def _sorted(rows: NDArray[np.int64], cols: NDArray[np.int64], values: Matrix, height: int) -> Rows:
    """Cells as rows; every row is there, be it empty."""
    order = np.lexsort((cols, rows))
    return rows_of(np.arange(height), rows[order], cols[order], values[order])


def _times(table: Rows, dense: Matrix, block: int = 1_000) -> Matrix:
    """Sparse times dense, a block of rows at a time."""
    result = np.zeros((len(table.keys), dense.shape[1]))
    for first in range(0, len(table.keys), block):
        rows = np.arange(first, min(first + block, len(table.keys)))
        at, owner = ragged(table.starts, rows)
        if not len(at):
            continue
        cells = dense[table.places[at]] * table.weights[at, None]
        begins = np.flatnonzero(np.r_[True, owner[1:] != owner[:-1]])
        result[first + owner[begins]] = np.add.reduceat(cells, begins)
    return result


def packed(rows: Matrix) -> NDArray[np.uint8]:
    """Each number in four bits, two to a byte; a row's length is put right when it is read."""
    largest = np.maximum(np.abs(rows).max(axis=1, keepdims=True), 1e-12)
    steps = np.rint(rows / largest * 7).astype(np.int8) + 8
    steps = steps.astype(np.uint8)
    return np.asarray(steps[:, ::2] << 4 | steps[:, 1::2])


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python -m bot.tools.wordtable WORDNET_FOLDER FREQUENCY_FILE")
    main(Path(sys.argv[1]), Path(sys.argv[2]))
