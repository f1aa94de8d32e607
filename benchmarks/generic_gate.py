"""Fits the gates that know no pack: `python -m benchmarks.generic_gate`. Takes about a minute.

Packs of a team's size are built, small talk included, and asked what they cover, what they don't (near), and what has nothing to
do with them (far). Two logistic regressions separate right first targets from the rest, and questions whose right entry is among
the first three from the rest. There are two kinds of packs, each with weights of its own: packs whose answers say something (the
FAQs of `faqs/train`, with the others as a lighter part of the samples), and packs whose answers say nothing (intents of CLINC150
and BANKING77). The weights are written to `bot/retrieval/data/generic_gates.json`.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import click
import numpy as np

from benchmarks.question_sets import WHERE_TO_GET_THEM, QuestionSet, find_data, question_sets
from benchmarks.small_packs import FAQS, SET_NAMES, AskedPack, build_matcher, faq_packs, pack_of_set
from bot.retrieval.calibration import fit_weights
from bot.retrieval.gate import FEATURE_NAMES, GATES_FILE, Gate, gate_features
from bot.retrieval.scoring import MAX_OFFERED, score
from bot.retrieval.sparse import Doubles
from bot.text import clean

ENTRIES, PHRASINGS = (12, 25, 50), (1, 2, 3, 5, 10, 15)
"""Sizes of the packs of CLINC150 and BANKING77: entries, and phrasings of each."""
MAX_COVERED, MAX_FAR = 120, 40
"""Questions that such a pack is asked; near ones as many as covered ones."""
SEED = 1_000
FAQ_SHARE = 1.5
"""Weight of a FAQ beside a pack of a question set, where both are samples."""
NEAR_WEIGHT = 1.6
"""Weight of a near question to a pack without answers, beside a covered one at 1: nothing but its phrasings tells them apart, and
people ask more about what isn't covered than of one intent in three."""
NOT_GENERIC = frozenset({"closeness", "out_of_scope_word", "out_of_scope_vector", "domain_odds", "domain_side"})
"""Features that need something of the pack: similarity among its phrasings, or listed questions."""
USED = [number for number, name in enumerate(FEATURE_NAMES) if name not in NOT_GENERIC]


NO_GATE = Gate(0.0, 0.0, (), 0.0)
"""Features are computed without a pack's cohesion and plane."""


@dataclass(frozen=True, slots=True)
class PackRows:
    """The samples of one pack: (samples, features), two labels of each, and its weight."""

    features: Doubles
    is_right: Doubles
    is_among: Doubles
    weight: Doubles


@click.command()
@click.option("--data", type=click.Path(path_type=Path), help="The folder of the question sets.")
def main(data: Path | None) -> None:
    """Fit both gates, and write them."""
    folder = find_data(data)
    if folder is None:
        click.echo(f"No question sets: nothing is fitted. {WHERE_TO_GET_THEM}")
        return
    sets = [source for source in question_sets(folder) if source.name in SET_NAMES]
    without_answers = [rows_of(pack, NEAR_WEIGHT) for pack in packs_of_sets(sets)]
    with_answers = [rows_of(pack) for faq in sorted((FAQS / "train").iterdir()) for pack in faq_packs(faq)]
    gates = []
    for name, parts in (
        ("packs without answers", [(without_answers, 1.0)]),
        ("packs with answers", [(with_answers, FAQ_SHARE), (without_answers, 1.0)]),
    ):
        rows = [pack for packs, _ in parts for pack in packs]
        shares = np.concatenate([share * pack.weight / len(pack.weight) for packs, share in parts for pack in packs])
        weights = shares * np.concatenate([pack.weight for pack in rows])
        click.echo(f"{name}: {len(rows)} packs, {len(shares)} questions")
        gates.append({"right": fitted(rows, "is_right", weights), "among": fitted(rows, "is_among", shares)})
    GATES_FILE.write_text(json.dumps(gates, indent=2) + "\n", encoding="utf-8")


def fitted(rows: Sequence[PackRows], label: str, shares: Doubles) -> dict[str, float]:
    """The weights for one label by feature, and "bias"."""
    features = np.concatenate([pack.features for pack in rows])[:, USED]
    labels = np.concatenate([getattr(pack, label) for pack in rows])
    weights, bias = fit_weights(features, labels, shares / shares.mean())
    named = {FEATURE_NAMES[number]: round(weight, 3) for number, weight in zip(USED, weights, strict=True)}
    return {**named, "bias": round(bias, 3)}


def packs_of_sets(sets: Sequence[QuestionSet]) -> Iterator[AskedPack]:
    """Packs of every size, drawn from each set."""
    for source, entries, phrasings in product(sets, ENTRIES, PHRASINGS):
        pack = pack_of_set(source, phrasings, SEED + entries, entries)
        rng = random.Random(SEED)
        yield replace(
            pack,
            covered=tuple(rng.sample(pack.covered, min(MAX_COVERED, len(pack.covered)))),
            near=tuple(rng.sample(pack.near, min(MAX_COVERED, len(pack.near)))),
            far=tuple(rng.sample(pack.far, min(MAX_FAR, len(pack.far)))),
        )


def rows_of(pack: AskedPack, near_weight: float = 1.0) -> PackRows:
    """Ask a pack its questions.

    Those for which small talk ranks first are left out: the gate isn't asked about them. `near_weight`: of near questions, beside
    the others at 1, where the first target being right is learned.
    """
    matcher = build_matcher(pack.entries)
    index, targets = matcher.index, matcher.target_names
    features, is_right, is_among, weights = [], [], [], []
    asked = [(*pair, 1.0) for pair in pack.covered]
    asked += [(question, "", near_weight) for question in pack.near] + [(question, "", 1.0) for question in pack.far]
    for question, entry, weight in asked:
        query = index.encoder.encode(clean(question))
        scores = score(index.stats, query)
        order = np.argsort(-scores.total, kind="stable")
        names = [targets[number] for number in order[: 2 * MAX_OFFERED]]
        if names[0].startswith("talk:"):
            continue
        found = gate_features(index.stats, index.out_of_scope, NO_GATE, query, scores, int(order[0]))
        features.append(found.row())
        weights.append(weight)
        is_right.append(names[0] == entry)
        is_among.append(entry in [name for name in names if not name.startswith("talk:")][:MAX_OFFERED])
    labels = (np.array(values, dtype=float) for values in (is_right, is_among, weights))
    return PackRows(np.array(features), *labels)


if __name__ == "__main__":
    main()
