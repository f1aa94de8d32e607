"""How well conversations are followed: `python -m benchmarks.conversations`.

Printed for each set: of the follow-ups, of the first turns and of whole conversations, how many per cent are right; and of
messages that leave something out, how many have nothing of it, and something of the wanted kind first.

The conversations were written by people who knew the article or a FAQ's rules, and nothing of the bot. Most sets serve
development (each was measured before anything was mended by it, see decision 049); the kept ones are measured with `--kept`, as
totals. `--off` switches each mechanism off, `--cost` times a turn beside a single question, `--fit` fits the weights of
`bot.understanding.hypotheses`.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any
from unittest.mock import patch

import click
import numpy as np

from bot.engine import Engine, ProcessMemory, next_state
from bot.evaluation.evaluate import LabelledQuestion, judge, read_questions
from bot.knowledge import load
from bot.model import ConversationState, Question
from bot.reply import compose
from bot.retrieval.sparse import Floats
from bot.text import clean
from bot.understanding import Matcher, hypotheses
from bot.understanding import matcher as matcher_module
from bot.understanding.conversation import conversation_turn
from bot.understanding.selection import Selector

ROOT = Path(__file__).parents[1]
FAQS, QUESTIONS = Path(__file__).with_name("faqs"), Path(__file__).with_name("questions")
TALKS = ROOT / "tests" / "questions"
ARTICLE = ROOT / "knowledge"
SETS = {
    "article, ours": (ARTICLE, TALKS / "talks-a.jsonl"),
    "article, ours 2": (ARTICLE, TALKS / "talks-b.jsonl"),
    "article, others": (ARTICLE, TALKS / "talks-c.jsonl"),
    "article, writers": (ARTICLE, TALKS / "talks-d.jsonl"),
    "article, writers 2": (ARTICLE, TALKS / "talks-f.jsonl"),
    "article, writers 3": (ARTICLE, TALKS / "talks-g.jsonl"),
    "article, writers 4": (ARTICLE, TALKS / "talks-h.jsonl"),
    "article, writers 5": (ARTICLE, TALKS / "talks-j.jsonl"),
    "article, writers 6": (ARTICLE, TALKS / "talks-k.jsonl"),
    "office": (FAQS / "train" / "staff", FAQS / "train" / "staff" / "talks-a.jsonl"),
    "landlord": (FAQS / "test" / "tenants", FAQS / "test" / "tenants" / "talks-a.jsonl"),
    "vet": (FAQS / "dev" / "vet", FAQS / "dev" / "vet" / "talks-a.jsonl"),
    "bikes": (FAQS / "dev" / "bikes", FAQS / "dev" / "bikes" / "talks-a.jsonl"),
    "library": (FAQS / "train" / "library", FAQS / "train" / "library" / "talks-a.jsonl"),
    "broadband": (FAQS / "train" / "broadband", FAQS / "train" / "broadband" / "talks-a.jsonl"),
    "plants": (FAQS / "train" / "plants", FAQS / "train" / "plants" / "talks-a.jsonl"),
}
KEPT = {
    "article, writers, kept": (ARTICLE, TALKS / "talks-e.jsonl"),
    "article, last, kept": (ARTICLE, TALKS / "talks-i.jsonl"),
    "office, kept": (FAQS / "train" / "staff", FAQS / "train" / "staff" / "talks-b.jsonl"),
    "landlord, kept": (FAQS / "test" / "tenants", FAQS / "test" / "tenants" / "talks-b.jsonl"),
    "vet, kept": (FAQS / "dev" / "vet", FAQS / "dev" / "vet" / "talks-b.jsonl"),
}
SINGLE = ("train/staff", "dev/vet", "dev/bikes", "train/library", "train/broadband")
"""FAQs whose single questions are samples of a change of the subject."""
FOREIGN = (("train/staff", "train/plants"), ("dev/vet", "train/broadband"))
"""FAQs that are asked the single questions of another trade's, which they don't answer."""
SINGLE_EACH = 100
WEIGHT_SINGLE = 0.12
"""Weight of a single question; a follow-up has 1."""
L2, STEPS, RATE = 0.3, 600, 0.05
"""Regularisation, steps and rate of the fit by Adam."""
REPEATS = 3
"""Times that each turn is measured."""
MECHANISMS: dict[str, Callable[[], Any]] = {
    "exclusion": lambda: patch.object(matcher_module, "exclusion_of", lambda *_: None),
    "filter over what stands": lambda: patch.object(Selector, "among_shown", lambda *_: None),
    "pronoun or place, put in": lambda: patch.object(matcher_module, "about_cards", lambda *_: None),
    "hypotheses": lambda: patch.object(Matcher, "_likeliest", lambda *given: given[-1]),
    "hypotheses: title put before": lambda: _without_features("gap behind the title"),
    "hypotheses: what was shown": lambda: _without_features("shown", "shown, pronoun", "shown, no content", "offered"),
}


@dataclass(frozen=True, slots=True)
class Result:
    """Right ones and all of them: follow-ups, first turns, conversations."""

    follow_ups: tuple[int, int]
    first: tuple[int, int]
    whole: tuple[int, int]


@click.command()
@click.option("--kept", is_flag=True, help="Measure the kept halves as well.")
@click.option("--off", is_flag=True, help="Switch each mechanism off.")
@click.option("--cost", is_flag=True, help="Time a turn beside a single question.")
@click.option("--fit", is_flag=True, help="Fit the weights of the hypotheses.")
@click.option("--show", default="", help="Print the turns of the set of this name that aren't right.")
def main(kept: bool, off: bool, cost: bool, fit: bool, show: str) -> None:
    """Print the tables."""
    if fit:
        print_fit()
    elif cost:
        print_cost()
    elif show:
        for line in wrong_turns(*SETS[show]):
            click.echo(line)
    else:
        sets = {**SETS, **(KEPT if kept else {})}
        print_table(sets, kept)
        for name, switched_off in MECHANISMS.items() if off else ():
            click.echo(f"\nwithout {name}")
            with switched_off():
                print_table(sets, kept)


def print_table(sets: dict[str, tuple[Path, Path]], kept: bool) -> None:
    """Print each set's shares, and those of the exclusions."""
    click.echo(f"{'per cent right':26} follow-ups       first turns      conversations")
    for name, (pack, file) in sets.items():
        result = measure(matcher_of(pack), read_questions(file))
        click.echo(f"{name:26} " + "  ".join(map(_share, (result.follow_ups, result.first, result.whole))))
    names = [*(f"exclusions-{part}" for part in "acdefg"), "guards-a", "guards-c"]
    names += ["exclusions-b", "guards-b"] if kept else []
    for name in names:
        right = list(excluded_right(matcher_of(ARTICLE), QUESTIONS / f"{name}.jsonl"))
        click.echo(f"{name:26} {_share((sum(right), len(right)))}")


def _share(counts: tuple[int, int]) -> str:
    return f"{100 * counts[0] / max(1, counts[1]):5.1f} ({counts[0]:3}/{counts[1]:3})"


_matchers: dict[Path, Matcher] = {}


def matcher_of(pack: Path) -> Matcher:
    """The matcher of a pack, built once."""
    if pack not in _matchers:
        _matchers[pack] = Matcher.from_knowledge(load(pack))
    return _matchers[pack]


def measure(matcher: Matcher, questions: Sequence[LabelledQuestion]) -> Result:
    """Hold the conversations."""
    engine = Engine(matcher, ProcessMemory())
    right = [
        (q, judge(q, engine.answer(Question(q.text, conversation=q.conversation))).outcome == "right")
        for q in questions
    ]
    follow_ups = [is_right for q, is_right in right if q.is_follow_up]
    first = [is_right for q, is_right in right if not q.is_follow_up]
    conversations: dict[str | None, bool] = {}
    for q, is_right in right:
        conversations[q.conversation] = conversations.get(q.conversation, True) and is_right
    return Result(
        (sum(follow_ups), len(follow_ups)), (sum(first), len(first)), (sum(conversations.values()), len(conversations))
    )


def wrong_turns(pack: Path, file: Path) -> Iterator[str]:
    """A line for each turn that isn't right."""
    engine = Engine(matcher_of(pack), ProcessMemory())
    for q in read_questions(file):
        reply = engine.answer(Question(q.text, conversation=q.conversation))
        if judge(q, reply).outcome != "right":
            yield f"{q.conversation}: {q.text} -> {reply.kind} {' '.join(reply.ids)}; wanted {'|'.join(q.gold)}"


def excluded_right(matcher: Matcher, file: Path) -> Iterator[bool]:
    """For each message that leaves something out: nothing of it is answered, and something of the kind first.

    For a guard, a message that leaves nothing out: what it is about is among the ids.
    """
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines()):
        sample, engine = json.loads(line), Engine(matcher, ProcessMemory())
        replies = [engine.answer(Question(turn, conversation=str(number))) for turn in sample["turns"]]
        ids = replies[-1].ids
        if "must" in sample:
            yield not set(sample["must"]).isdisjoint(ids)
        else:
            yield (
                replies[-1].kind != "unknown"
                and set(sample["excluded"]).isdisjoint(ids)
                and ids[:1] != ()
                and ids[0] in sample["first"]
            )


def print_cost() -> None:
    """Print the median milliseconds of a follow-up beside those of the same message by itself, in turns."""
    for name in ("article, others", "office"):
        pack, file = SETS[name]
        matcher = matcher_of(pack)
        turn_times, alone_times = list[float](), list[float]()
        asked = list(_with_states(matcher, read_questions(file)))  # every word has been met once
        for question, state in asked * REPEATS:
            for times, given in ((alone_times, None), (turn_times, state)):
                start = time.perf_counter()
                matcher.find(question.text, given)
                times.append(1000 * (time.perf_counter() - start))
        turn, alone = median(turn_times), median(alone_times)
        click.echo(f"{name:26} a turn {turn:.2f} ms, alone {alone:.2f} ms, ratio {turn / alone:.2f}")


def _with_states(
    matcher: Matcher, questions: Sequence[LabelledQuestion]
) -> Iterator[tuple[LabelledQuestion, ConversationState]]:
    """The follow-ups with the states of their conversations."""
    states: dict[str | None, ConversationState | None] = {}
    for question in questions:
        state = states.get(question.conversation)
        if question.is_follow_up and state is not None:
            yield question, state
        states[question.conversation] = next_state(state, matcher.find(question.text, state)) or state


# --- the weights of the hypotheses


@dataclass(frozen=True, slots=True)
class Sample:
    """A message with the features of its hypotheses, which of them are right, and how much it counts."""

    features: Floats
    right: Floats
    weight: float


def print_fit() -> None:
    """Fit the weights to all sets and print them, with how often the likeliest hypothesis is right, each set held out in turn."""
    samples = {name: list(samples_of(pack, file)) for name, (pack, file) in SETS.items()}
    single = [sample for name in SINGLE for sample in single_samples(FAQS / name, FAQS / name)]
    single += [sample for name, asked in FOREIGN for sample in single_samples(FAQS / name, FAQS / asked)]
    click.echo("right, each set held out: ")
    for name, own in samples.items():
        weights = fit_weights(
            [*single, *(sample for other, found in samples.items() if other != name for sample in found)]
        )
        right = sum(bool(sample.right[int(np.argmax(sample.features @ weights))]) for sample in own)
        click.echo(f"{name:26} {_share((right, len(own)))}")
    weights = fit_weights([*single, *(sample for found in samples.values() for sample in found)])
    for name, weight in zip(hypotheses.FEATURES, weights.tolist(), strict=True):
        click.echo(f"{name:26} {weight:6.2f}")


def samples_of(pack: Path, file: Path) -> Iterator[Sample]:
    """A sample of each follow-up that no rule decides."""
    matcher, asked = matcher_of(pack), []

    def catch(turn: Any, alone: Any, read: Any, findings: Any) -> Any:
        asked.append((turn, alone, read))
        return found(turn, alone, read, findings)

    found = hypotheses.hypotheses
    with patch.object(matcher_module, "hypotheses", catch):
        for question, state in _with_states(matcher, read_questions(file)):
            asked.clear()
            matcher.find(question.text, state)
            if asked:
                yield _sample(matcher, question, *asked[-1], 1.0)


def single_samples(folder: Path, asked: Path) -> Iterator[Sample]:
    """Single questions of a FAQ, or another's, as if an entry of this one, chosen by chance, had been shown before them."""
    matcher, chance = matcher_of(folder), random.Random(1)
    entries = matcher.knowledge.entries
    questions = read_questions(asked / "questions.jsonl")
    if folder != asked:
        questions = [replace(question, gold=("unknown",)) for question in questions]
    for question in chance.sample(questions, SINGLE_EACH):
        entry = chance.choice(entries)
        state, cleaned = ConversationState(entry.kind, (entry.id,), seen=(entry.id,)), clean(question.text)
        reading = matcher._read(cleaned, cleaned)
        turn = conversation_turn(reading, state, matcher.knowledge, matcher._disambiguator)
        if not reading.ranking.is_exact:
            yield _sample(matcher, question, turn, reading, matcher._read_again, WEIGHT_SINGLE)


def _sample(matcher: Matcher, question: LabelledQuestion, turn: Any, alone: Any, read: Any, weight: float) -> Sample:
    targets, features = hypotheses.features_of(turn, alone, read, matcher._findings)
    right = []
    for target in targets:
        make = matcher._findings
        finding = make.make(alone, "unknown", (), "") if target is None else make.answer(alone, target, "")
        right.append(judge(question, compose(finding, matcher.knowledge)).outcome == "right")
    return Sample(features, np.array(right, dtype=np.float32), weight)


def fit_weights(samples: Sequence[Sample]) -> Floats:
    """The weights under which the right hypotheses of the samples are likeliest, by Adam from zero."""
    size = len(hypotheses.FEATURES)
    weights, mean, square = np.zeros(size), np.zeros(size), np.zeros(size)
    for step in range(1, STEPS + 1):
        gradient = 2 * L2 * weights
        for sample in samples:
            if not sample.right.any():
                continue
            utilities = sample.features @ weights
            odds = np.exp(utilities - utilities.max())
            odds /= odds.sum()
            right = odds * sample.right
            gradient -= sample.weight * ((right / right.sum() - odds) @ sample.features)
        mean, square = 0.9 * mean + 0.1 * gradient, 0.99 * square + 0.01 * gradient**2
        weights -= RATE * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.99**step)) + 1e-8)
    return np.asarray(weights, dtype=np.float32)


def _without_features(*names: str) -> Any:
    """The weights of these features at zero."""
    return patch.object(hypotheses, "WEIGHTS", hypotheses.WEIGHTS * [name not in names for name in hypotheses.FEATURES])


if __name__ == "__main__":
    main()
