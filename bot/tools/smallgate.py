"""Fits the gate of packs that are too small to fit their own: `python -m bot.tools.smallgate`.

Sixty-four small packs are drawn from the intents of the public question sets, with one to four phrasings an entry. Their own
questions are asked, as many from intents that they don't have, and some from afar; a logistic regression tells right first
answers from all else. What it prints stands in `match/gate.py`, rounded; the second half is what that does in packs drawn anew.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path

import click
import numpy as np

from bot.match.fitting import Sample, logistic
from bot.match.gate import SIGNALS, UNFITTED, Gate, signals
from bot.match.index import Index
from bot.match.scoring import score
from bot.tools.questionsets import QuestionSet, question_sets, take

SETS = ("CLINC150, 100 an entry", "BANKING77, all")
ENTRIES, PHRASINGS = (6, 12, 20, 40), (1, 2, 3, 4)
ASKED, FAR = 120, 30
"""Questions asked of a pack, and strangers from afar; as many from next door as questions."""
TRAINED, SHOWN = (1, 2), (11, 12)
"""Seeds."""


@click.command()
@click.option("--data", type=click.Path(path_type=Path), default=Path("../shared/benchmarks"), show_default=True)
def main(data: Path) -> None:
    """Fit, print the weights, and what they do."""
    sets = [one for one in question_sets(data) if one.name in SETS]
    gate = logistic(UNFITTED, [sample for *_, samples in drawn(sets, TRAINED) for sample in samples])
    for name, weight in zip(SIGNALS, gate.weights, strict=True):
        click.echo(f"{name:18} {weight:7.3f}")
    click.echo(f"{'bias':18} {gate.bias:7.3f}\n")
    click.echo("answered, in per cent: of its own questions right and wrong, of strangers from next door and from afar")
    shown = list(drawn(sets, SHOWN))
    for name, phrasings in product(SETS, PHRASINGS):
        samples = [sample for of, count, found in shown if (of, count) == (name, phrasings) for sample in found]
        told = " ".join(f"{label} {100 * share:4.1f}" for label, share in _shares(UNFITTED, samples).items())
        click.echo(f"{name:24} {phrasings} an entry: {told}")


def drawn(sets: Sequence[QuestionSet], seeds: Sequence[int]) -> Iterator[tuple[str, int, list[Sample]]]:
    """Small packs: the set they are from, phrasings an entry, and what the gate sees of each question."""
    for whole, entries, phrasings, seed in product(sets, ENTRIES, PHRASINGS, seeds):
        yield whole.name, phrasings, samples_of(whole, entries, phrasings, seed)


def samples_of(whole: QuestionSet, entries: int, phrasings: int, seed: int) -> list[Sample]:
    """One pack of so many entries: what the gate sees of its own questions, of others' and of strangers from afar."""
    chance = random.Random(seed)  # noqa: S311 - the same packs every time
    ours = {entry: number for number, entry in enumerate(chance.sample(range(whole.entries), entries))}
    asks = take([(text, ours[entry]) for text, entry in whole.asks if entry in ours], phrasings, seed)
    index = Index.build(asks, entries)
    covered = [(text, ours[entry]) for text, entry in whole.questions if entry in ours]
    covered = chance.sample(covered, min(ASKED, len(covered)))
    near = chance.sample([text for text, entry in whole.questions if entry not in ours], len(covered))
    far = chance.sample(whole.strangers, min(FAR, len(whole.strangers)))
    kinds = [("friend", *ask) for ask in covered] + [("neighbour", text, -1) for text in near]
    return [_seen(index, kind, text, own) for kind, text, own in [*kinds, *(("far", text, -1) for text in far)]]


def _seen(index: Index, kind: str, text: str, own: int) -> Sample:
    question = index.reader.read(text)
    found = score(index.evidence, question)
    best = int(found.total.argmax())
    seen = signals(index.evidence, index.strangers, UNFITTED, question, found, best)
    return Sample(replace(seen, closeness=0.0), best == own, kind)  # a small pack's entries have nothing to be close to


def _shares(gate: Gate, samples: Sequence[Sample]) -> dict[str, float]:
    def share(kind: str, right: bool) -> float:
        of = [sample for sample in samples if sample.kind == kind]
        return float(np.mean([one.right is right and gate.evidence(one.signals) >= gate.answer for one in of]))

    return {
        "right": share("friend", True),
        "wrong": share("friend", False),
        "near": share("neighbour", False),
        "far": share("far", False),
    }


if __name__ == "__main__":
    main()
