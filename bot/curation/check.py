"""`check`: every fault of a pack, and advice to its curators."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.curation.lint import lint, unreached
from bot.curation.overlaps import MAX_SHOWN, Overlap, Track, find_overlaps
from bot.curation.source_locations import source_locations
from bot.knowledge import Fault, inspect, read_files
from bot.model import Knowledge
from bot.retrieval.calibration import MIN_PHRASINGS
from bot.understanding import Matcher

FIRST_SHOWN = 5
"""Pieces of each kind of advice that are shown without `--all`, so that the result fits a screen."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """Faults and advice.

    Attributes:
        faults: Both, in file order; `Fault.advice` tells them apart.
        entries: Number of entries.
        note: A sentence about overlaps that aren't among `faults`, or "".
        price: What the pack's caution means for it, in a sentence, or "".
    """

    faults: tuple[Fault, ...]
    entries: int
    note: str = ""
    price: str = ""

    @property
    def has_faults(self) -> bool:
        return any(not fault.advice for fault in self.faults)

    @property
    def advice_count(self) -> int:
        return sum(fault.advice for fault in self.faults)

    def lines(self, folder: Path, *, show_all: bool = False) -> Iterator[str]:
        """What `check` prints: all faults or that there are none, then the advice, all of it or the first of each kind."""
        if self.has_faults:
            yield from (str(fault) for fault in self.faults if not fault.advice)
        else:
            count = self.advice_count
            advice = f". {count} piece{'s' * (count > 1)} of advice; the pack works as it is." if count else ""
            yield f"{folder}: {self.entries} {'entry' if self.entries == 1 else 'entries'}, no faults{advice}"
        if self.price:
            yield self.price
        yield from self._advice_lines(show_all)

    def _advice_lines(self, show_all: bool) -> Iterator[str]:
        """The advice under its remedy, the part after the last semicolon, so that each remedy is said once."""
        by_remedy: dict[str, list[Fault]] = {}
        for fault in self.faults:
            if fault.advice:
                by_remedy.setdefault(fault.text.rpartition("; ")[2], []).append(fault)
        for remedy, group in by_remedy.items():
            yield ""
            yield f"{remedy[0].upper()}{remedy[1:]} ({len(group)}):"
            shown = group if show_all or len(group) <= FIRST_SHOWN else group[:FIRST_SHOWN]
            yield from (str(fault).removesuffix(f"; {remedy}") for fault in shown)
            if len(shown) < len(group):
                yield f"and {len(group) - len(shown)} more, which `check --all` shows"
        if self.note:
            yield self.note


def check_pack(folder: Path, cache: Path | None = None, track: Track = iter) -> CheckResult:
    """Check the pack in `folder`.

    Args:
        folder: The pack's folder.
        cache: Where its index is cached; without it, the index is built.
        track: Yields the phrasings that are compared one by one, say with a progress bar.
    """
    files = read_files(folder)
    knowledge, faults = inspect(files)
    if knowledge is None:
        return CheckResult(tuple(faults), 0)
    locations = source_locations(files, knowledge)
    faults = faults + lint(knowledge, locations)
    if any(fault.refuses for fault in faults):  # it doesn't load, so that there is nothing to ask
        return CheckResult(tuple(sorted(faults)), len(knowledge.entries))
    matcher = Matcher.from_knowledge(knowledge, cache)
    faulty = {fault.entry for fault in faults if not fault.advice}
    faults = faults + [fault for fault in unreached(matcher) if fault.entry not in faulty]
    overlaps = find_overlaps(matcher, locations, track)
    faults = sorted(faults) + [overlap.advice for overlap in overlaps[:MAX_SHOWN]]
    return CheckResult(tuple(faults), len(knowledge.entries), _note(overlaps), _price(knowledge, matcher))


def _price(knowledge: Knowledge, matcher: Matcher) -> str:
    """What the pack's caution means for it."""
    shares = matcher.index.gate.shares
    if not shares:
        return (
            f"Caution is {knowledge.caution}. The phrasings are too few to say how many questions are answered: it takes "
            f"{MIN_PHRASINGS}, in entries that have two or more."
        )
    answered, offered, strange = (round(100 * share) for share in shares)
    return (
        f"Caution is {knowledge.caution}: of 100 questions like your phrasings about {answered} are answered, and {offered} get "
        f"suggestions; of 100 that you don't cover about {strange} are answered."
    )


def _note(overlaps: Sequence[Overlap]) -> str:
    """A sentence with the number of all overlaps, if only the worst are shown."""
    if len(overlaps) <= MAX_SHOWN:
        return ""
    lost = sum(overlap.lead <= 0 for overlap in overlaps)
    return (
        "All of these are listed, and so answered as they should be. Left out one at a time, at least "
        f"{lost} phrasings would go elsewhere and {len(overlaps) - lost} nearly; shown are the worst {MAX_SHOWN}."
    )
