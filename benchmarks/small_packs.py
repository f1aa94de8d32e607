"""What packs of a team's size do with other people's questions: `python -m benchmarks.small_packs`.

Each pack is asked through the whole matcher, small talk included, as in Slack. Printed in per cent: of the questions that it
covers, how many are answered right, have the right entry among the (at most three) offered ones, get nothing, are answered wrong;
of the questions that it doesn't cover, how many are answered, and offered something.

- FAQs (`benchmarks/faqs`): real-looking FAQs, with questions by people who saw titles and answers only. Weights are fitted to
  those in `train`, choices are made by those in `dev`, and `test` is looked at last, with `--test`. "half hidden": every
  second entry is taken out, and the questions about these are questions that the pack doesn't cover, near ones.
- HINT3's SOFMattress: what real people asked a live bot, with its curators' phrasings.
- CLINC150 and BANKING77: 40 to 60 of their intents as entries; questions about the others aren't covered.
"""

from __future__ import annotations

import csv
import json
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import yaml

from benchmarks.question_sets import WHERE_TO_GET_THEM, QuestionSet, find_data, question_sets, sample_each
from bot.knowledge import load
from bot.understanding import Matcher

FAQS = Path(__file__).parent / "faqs"
SET_NAMES = ("CLINC150, 100 an entry", "BANKING77, all")
HINT3_TRAIN, HINT3_TEST = "hint3-sofmattress-train.csv", "hint3-sofmattress-test.csv"
NOT_COVERED = "NO_NODES_DETECTED"
"""The label of a question in HINT3 that no entry covers."""
PHRASINGS = (1, 2, 5)
"""Phrasings of an entry of a FAQ: its title, and with more than one so many of its `asks` besides."""
SET_PHRASINGS = (1, 2, 5, 15)
SET_ENTRIES = {1: 40, 2: 46, 5: 50, 15: 60}
"""Entries of a pack of CLINC150 or BANKING77, by its phrasings an entry."""
MAX_TITLE = 150
"""Characters of a title."""
MAX_QUESTIONS = 300
"""Questions of each kind that such a pack is asked."""


@dataclass(frozen=True, slots=True)
class PackEntry:
    """One entry of a pack that is made here."""

    id: str
    title: str
    asks: tuple[str, ...] = ()
    answer: str = ""


@dataclass(frozen=True, slots=True)
class AskedPack:
    """A pack, and what it is asked.

    Attributes:
        name: As in the table.
        entries: The pack's.
        covered: (question, id of the entry that answers it) pairs.
        near: Questions that it doesn't cover and that resemble it.
        far: Questions that resemble nothing in it.
    """

    name: str
    entries: tuple[PackEntry, ...]
    covered: tuple[tuple[str, str], ...]
    near: tuple[str, ...]
    far: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Shares:
    """Per cent of the covered questions, and of those that aren't covered."""

    right: float
    offered: float
    nothing: float
    wrong: float
    near_answered: float
    near_offered: float
    far_answered: float
    far_offered: float

    def cells(self) -> list[str]:
        """The table's cells."""
        covered = (self.right, self.offered, self.right + self.offered, self.nothing, self.wrong)
        others = (self.near_answered, self.near_offered, self.far_answered, self.far_offered)
        return [f"{value:5.1f}" for value in (*covered, *others)]


HEADER = ("right", "offer", "sum", "none", "wrong", "nearA", "nearO", "farA", "farO")


@click.command()
@click.option("--data", type=click.Path(path_type=Path), help="The folder of the question sets.")
@click.option("--test", is_flag=True, help="Measure the FAQs of `test` as well.")
@click.option("--only", default="", help="Only packs whose name contains this.")
def main(data: Path | None, test: bool, only: str) -> None:
    """Print the table."""
    click.echo(f"{'per cent':28} " + " ".join(f"{name:>5}" for name in HEADER))
    for pack in packs(data, test=test):
        if only in pack.name:
            click.echo(f"{pack.name:28} " + " ".join(measure(pack).cells()))
    if find_data(data) is None:
        click.echo(f"HINT3, CLINC150 and BANKING77 are left out. {WHERE_TO_GET_THEM}")


def packs(data: Path | None, *, test: bool) -> Iterator[AskedPack]:
    """Every pack of the table."""
    for part in ("dev", "test") if test else ("dev",):
        for folder in sorted((FAQS / part).iterdir()):
            yield from faq_packs(folder)
    found = find_data(data)
    if found is None:
        return
    if (found / HINT3_TRAIN).is_file():
        yield hint3_pack(found)
    for source in question_sets(found):
        if source.name in SET_NAMES:
            yield from (pack_of_set(source, phrasings, 5, SET_ENTRIES[phrasings]) for phrasings in SET_PHRASINGS)


def measure(pack: AskedPack) -> Shares:
    """Ask the pack everything."""
    matcher = build_matcher(pack.entries)
    covered = Counter(_outcome(matcher, question, entry) for question, entry in pack.covered)
    near, far = (Counter(_outcome(matcher, question, None) for question in asked) for asked in (pack.near, pack.far))

    def share(outcomes: Counter[str], *kinds: str) -> float:
        return 100 * sum(outcomes[kind] for kind in kinds) / max(outcomes.total(), 1)

    return Shares(
        share(covered, "right"), share(covered, "offered"), share(covered, "nothing", "other offered"), share(covered, "wrong"),
        share(near, "wrong"), share(near, "other offered"), share(far, "wrong"), share(far, "other offered"),
    )  # fmt: skip


def build_matcher(entries: Sequence[PackEntry]) -> Matcher:
    """The matcher of a pack with these entries."""
    rows = [
        {"id": entry.id, "title": entry.title, "asks": list(entry.asks or [entry.title]), "answer": entry.answer}
        for entry in entries
    ]
    with TemporaryDirectory() as folder:
        (Path(folder) / "pack.yaml").write_text("name: Help\nabout: what this team knows\n", encoding="utf-8")
        (Path(folder) / "answers.yaml").write_text(yaml.safe_dump(rows, allow_unicode=True), encoding="utf-8")
        return Matcher.from_knowledge(load(Path(folder)))


def _outcome(matcher: Matcher, question: str, entry: str | None) -> str:
    """right, offered (the right one among others), nothing, "other offered", or wrong. `entry`: None if it isn't covered."""
    finding = matcher.find(question)
    if finding.kind in ("smalltalk", "help"):
        return "nothing"
    if finding.kind == "unknown":
        if entry is not None and entry in finding.ids:
            return "offered"
        return "other offered" if finding.ids else "nothing"
    return "right" if finding.ids[:1] == (entry,) else "wrong"


# --- the packs


def faq_packs(folder: Path) -> Iterator[AskedPack]:
    """A FAQ with one, two and five phrasings an entry; whole, and with every second entry hidden."""
    rows = yaml.safe_load((folder / "answers.yaml").read_text(encoding="utf-8"))
    lines = (folder / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    labels = [json.loads(line) for line in lines]
    covered = tuple((label["q"], label["gold"][0]) for label in labels if label["kind"] != "unknown")
    near, far = (
        tuple(label["q"] for label in labels if label["kind"] == "unknown" and label["near"] == is_near)
        for is_near in (1, 0)
    )
    for count in PHRASINGS:
        asks = 0 if count == 1 else count - 1 if count == 2 else count
        entries = tuple(
            PackEntry(row["id"], row["title"], tuple(row["asks"][:asks]), row["answer"].strip()) for row in rows
        )
        yield AskedPack(f"{folder.name}, {count}", entries, covered, near, far)
        yield half_hidden(AskedPack(f"{folder.name}, {count}, half hidden", entries, covered, (), far))


def half_hidden(pack: AskedPack) -> AskedPack:
    """The pack without every second entry."""
    entries = pack.entries[::2]
    ids = {entry.id for entry in entries}
    return replace(
        pack,
        entries=entries,
        covered=tuple(pair for pair in pack.covered if pair[1] in ids),
        near=tuple(question for question, entry in pack.covered if entry not in ids),
    )


def hint3_pack(folder: Path) -> AskedPack:
    """SOFMattress: the curators' phrasings, and what people asked."""
    train, test = (_read_hint3(folder / name) for name in (HINT3_TRAIN, HINT3_TEST))
    asks: dict[str, list[str]] = {}
    for sentence, label in train:
        asks.setdefault(label, []).append(sentence)
    entries = tuple(_entry(label, texts) for label, texts in asks.items())
    covered = tuple((sentence, _id(label)) for sentence, label in test if label != NOT_COVERED)
    return AskedPack(
        "SOFMattress", entries, covered, tuple(sentence for sentence, label in test if label == NOT_COVERED)
    )


def _read_hint3(path: Path) -> list[tuple[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return [(row["sentence"], row["label"]) for row in csv.DictReader(file)]


def pack_of_set(source: QuestionSet, phrasings: int, seed: int, entries: int) -> AskedPack:
    """`entries` intents of a question set as entries, with `phrasings` each; questions about the others aren't covered."""
    rng = random.Random(seed)
    chosen = set(rng.sample(range(source.entries), entries))
    asks: dict[int, list[str]] = {}
    for text, entry in sample_each([pair for pair in source.phrasings if pair[1] in chosen], phrasings, seed):
        asks.setdefault(entry, []).append(text)
    made = tuple(_entry(str(entry), texts) for entry, texts in asks.items())
    covered = [(text, _id(str(entry))) for text, entry in source.questions if entry in chosen]
    near = [text for text, entry in source.questions if entry not in chosen]
    return AskedPack(
        f"{source.name.split(',')[0]}, {phrasings}",
        made,
        tuple(rng.sample(covered, min(MAX_QUESTIONS, len(covered)))),
        tuple(rng.sample(near, min(MAX_QUESTIONS, len(near)))),
        tuple(rng.sample(source.out_of_scope, min(MAX_QUESTIONS, len(source.out_of_scope)))),
    )


def _entry(label: str, texts: Sequence[str]) -> PackEntry:
    """An entry without a real answer: its shortest phrasing is its title."""
    title = min(texts, key=len)[:MAX_TITLE]
    return PackEntry(_id(label), title, tuple(texts), "The team answers this.")


def _id(label: str) -> str:
    return f"e-{label.lower().replace('_', '-')}"


if __name__ == "__main__":
    main()
