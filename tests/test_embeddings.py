"""The table of word vectors: its form, and that sentences of one meaning are near each other."""

import numpy as np
import pytest

from bot.retrieval.embeddings import DIMENSIONS, VECTORS_FILE, WordVectors, build_embeddings, word_vectors
from bot.retrieval.english import English
from bot.text import words

LARGEST_DATA = 3 * 2**20
"""Bytes of all files in bot/retrieval/data."""


def cosine(first: str, second: str) -> float:
    vectors = word_vectors()
    return float(vectors.sentence_vector(words(first)) @ vectors.sentence_vector(words(second)))


@pytest.mark.parametrize(
    ("question", "near", "far"),
    [
        ("how much is it", "the price of a ticket", "the opening hours"),
        ("my kid wants to come along", "children travel for free", "the invoice is sent by email"),
        ("somebody stole my phone", "lost or stolen devices", "booking a meeting room"),
        ("when do you close", "opening hours on weekdays", "ways to pay"),
    ],
)
def test_what_means_the_same_is_near_without_a_common_word(question: str, near: str, far: str) -> None:
    assert cosine(question, near) > cosine(question, far) + 0.1


def test_a_word_counts_as_much_as_its_vector_is_long() -> None:
    english = English({"tall": 0, "short": 1}, [4.0, 4.0], [4.0, 4.0])
    steps = np.zeros((2, DIMENSIONS), dtype=np.int8)
    steps[0, 0], steps[1, 1] = 30, 40
    vectors = WordVectors(english, steps, np.array([0.2, 0.1], dtype=np.float32))
    expected = [6 / np.sqrt(52), 4 / np.sqrt(52)]
    assert np.allclose(vectors.sentence_vector(["tall", "short", "xyzzy"])[:2], expected)
    assert not vectors.sentence_vector(["xyzzy"]).any()
    built = build_embeddings(
        vectors, ["tall", "short", "xyzzy"], np.array([0, 1, 2, 2]), np.array([0, 3, 4]), np.array([0, 1]), 2
    )
    assert np.allclose(built.phrasings[0, :2], expected)
    assert not built.phrasings[1].any()


def test_the_table_fits_the_word_list_and_is_small() -> None:
    vectors = word_vectors()
    assert vectors.steps.shape == (len(vectors.words.rows), DIMENSIONS)
    assert vectors.scales.shape == (len(vectors.words.rows),)
    assert np.isfinite(vectors.scales).all()


def test_the_files_of_the_table_stay_below_three_mebibytes() -> None:
    files = [path for path in VECTORS_FILE.parent.iterdir() if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= LARGEST_DATA
