"""Fits the gate of packs that are too small to be calibrated: `python -m benchmarks.small_gate`. Takes about two minutes.

Sixty-four packs are drawn from the intents of the public question sets, with one to four phrasings per entry. Their own
questions are asked, as many about intents that they don't have, and some about none; a logistic regression separates right first
answers from everything else. Its weights, rounded, are in `bot/retrieval/gate.py`. The second half of the output is the share of
questions that the gate there answers, in packs drawn with other seeds. How its offering threshold (SMALL_PACK_OFFER) does isn't
printed.

Not all of these packs are too small to be calibrated: 20 entries with 3 or 4 phrasings, and 40 with 2, 3 or 4, have MIN_PHRASINGS
eligible phrasings or more, so that in use `calibrate` would fit a gate to them. They are samples here all the same.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import click
import numpy as np

from benchmarks.question_sets import WHERE_TO_GET_THEM, QuestionSet, find_data, question_sets, sample_each
from bot.retrieval.calibration import Sample, fit_logistic
from bot.retrieval.gate import FEATURE_NAMES, SMALL_PACK_GATE, Gate, gate_features
from bot.retrieval.index import Index
from bot.retrieval.scoring import score

SETS = ("CLINC150, 100 an entry", "BANKING77, all")
ENTRIES, PHRASINGS = (6, 12, 20, 40), (1, 2, 3, 4)
"""Sizes of the packs: entries, and phrasings per entry."""
MAX_COVERED, MAX_FAR = 120, 30
"""Questions that a pack is asked; near ones as many as covered ones."""
TRAINING_SEEDS, TEST_SEEDS = (1, 2), (11, 12)


@dataclass(frozen=True, slots=True)
class PackSamples:
    """The samples of one pack. `source`: the question set that it is drawn from; `phrasings`: phrasings per entry."""

    source: str
    phrasings: int
    samples: list[Sample]


@click.command()
@click.option("--data", type=click.Path(path_type=Path), help="The folder of the question sets.")
def main(data: Path | None) -> None:
    """Print the fitted weights, and shares of questions that the gate in use answers."""
    folder = find_data(data)
    if folder is None:
        click.echo(f"No question sets: nothing is fitted. {WHERE_TO_GET_THEM}")
        return
    sets = [questions for questions in question_sets(folder) if questions.name in SETS]
    training = [sample for pack in draw_packs(sets, TRAINING_SEEDS) for sample in pack.samples]
    gate = fit_logistic(SMALL_PACK_GATE, training)
    for name, weight in zip(FEATURE_NAMES, gate.weights, strict=True):
        click.echo(f"{name:24} {weight:7.3f}")
    click.echo(f"{'bias':24} {gate.bias:7.3f}\n")
    click.echo(
        "answered by the gate in use, per cent of: covered questions, right and wrong; near and far ones out of scope"
    )
    packs = list(draw_packs(sets, TEST_SEEDS))
    for name, phrasings in product(SETS, PHRASINGS):
        samples = [s for pack in packs if (pack.source, pack.phrasings) == (name, phrasings) for s in pack.samples]
        shares = " ".join(f"{kind} {100 * share:4.1f}" for kind, share in _answered(SMALL_PACK_GATE, samples).items())
        click.echo(f"{name:24} {phrasings} an entry: {shares}")


def draw_packs(sets: Sequence[QuestionSet], seeds: Sequence[int]) -> Iterator[PackSamples]:
    """Packs of every size, drawn from each set with each seed."""
    for source, entries, phrasings, seed in product(sets, ENTRIES, PHRASINGS, seeds):
        yield PackSamples(source.name, phrasings, pack_samples(source, entries, phrasings, seed))


def pack_samples(source: QuestionSet, entries: int, phrasings: int, seed: int) -> list[Sample]:
    """The samples of one pack: kinds "covered", "near" (about entries of `source` that it lacks) and "far"."""
    rng = random.Random(seed)
    entry_of = {old: new for new, old in enumerate(rng.sample(range(source.entries), entries))}
    own = sample_each([(text, entry_of[old]) for text, old in source.phrasings if old in entry_of], phrasings, seed)
    index = Index.build(own, entries)
    covered = [(text, entry_of[old]) for text, old in source.questions if old in entry_of]
    covered = rng.sample(covered, min(MAX_COVERED, len(covered)))
    near = rng.sample([text for text, old in source.questions if old not in entry_of], len(covered))
    far = rng.sample(source.out_of_scope, min(MAX_FAR, len(source.out_of_scope)))
    return [
        *(_sample(index, "covered", text, entry) for text, entry in covered),
        *(_sample(index, kind, text, -1) for kind, texts in (("near", near), ("far", far)) for text in texts),
    ]


def _sample(index: Index, kind: str, text: str, entry: int) -> Sample:
    """`entry`: the right one, -1 for none."""
    query = index.encoder.encode(text)
    scores = score(index.stats, query)
    best = int(scores.total.argmax())
    features = gate_features(index.stats, index.out_of_scope, SMALL_PACK_GATE, query, scores, best)
    features = replace(features, closeness=0.0)  # a small pack's entries have nothing to be close to
    return Sample(features, best == entry, kind)


def _answered(gate: Gate, samples: Sequence[Sample]) -> dict[str, float]:
    """Shares of the questions that the gate lets through, by kind and, of covered ones, by whether the answer is right."""

    def share(kind: str, is_right: bool) -> float:
        own = [sample for sample in samples if sample.kind == kind]
        return float(np.mean([s.is_right is is_right and gate.log_odds(s.features) >= gate.answer for s in own]))

    return {
        "right": share("covered", True),
        "wrong": share("covered", False),
        "near": share("near", False),
        "far": share("far", False),
    }


if __name__ == "__main__":
    main()
