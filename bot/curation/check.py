"""`check`: every fault of a pack, and advice to its curators."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bot import program
from bot.curation.lint import lint, unreached
from bot.curation.overlaps import Track, find_overlaps
from bot.curation.source_locations import label, source_locations, title
from bot.knowledge import Fault, inspect, read_files
from bot.model import Knowledge
from bot.retrieval.calibration import MIN_PHRASINGS
from bot.understanding import Matcher
from bot.understanding.targets import targets_of

FIRST_SHOWN = 5
"""Pieces of each kind of advice that are shown without `--all`, so that the result fits a screen."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """Faults and advice.

    Attributes:
        faults: Both, in file order; `Fault.advice` tells them apart.
        entries: Number of entries.
        price: What the pack's caution means for it, in a sentence, or "".
        titles: By the name that a fault gives an entry or a group, its title.
    """

    faults: tuple[Fault, ...]
    entries: int
    price: str = ""
    titles: Mapping[str, str] = field(default_factory=dict)

    @property
    def has_faults(self) -> bool:
        return any(not fault.advice for fault in self.faults)

    def lines(self, folder: Path, *, show_all: bool = False) -> Iterator[str]:
        """What `check` prints: all faults, the advice by what to do, all of it or the first of each, and the verdict."""
        faults = [str(fault) for fault in self.faults if not fault.advice]
        yield from faults
        if faults:
            yield ""
        yield from self._advice_lines(folder, show_all)
        if self.price:
            yield self.price
        yield self._verdict(folder)

    def _advice_lines(self, folder: Path, show_all: bool) -> Iterator[str]:
        """What to do, the part of the text after the last semicolon, and below it each entry by its title."""
        by_remedy: dict[str, list[Fault]] = {}
        for fault in self.faults:
            if fault.advice:
                by_remedy.setdefault(fault.text.rpartition("; ")[2], []).append(fault)
        if by_remedy:
            yield "Advice, by what to do"
            yield ""
        for remedy, advice in by_remedy.items():
            yield f"{remedy[0].upper()}{remedy[1:]} ({len(advice)}):"
            shown = advice if show_all or len(advice) <= FIRST_SHOWN else advice[:FIRST_SHOWN]
            yield from (self._advice_line(fault, remedy) for fault in shown)
            if len(shown) < len(advice):
                yield f"  and {len(advice) - len(shown)} more: {program()} check {shlex.quote(str(folder))} --all"
            yield ""

    def _advice_line(self, fault: Fault, remedy: str) -> str:
        location, text = f"{fault.file}:{fault.line}", fault.text.removesuffix(f"; {remedy}")
        name = self.titles.get(fault.entry, fault.entry)
        return f"  {name} ({location}): {text}" if name else f"  {location}: {text}"

    def _verdict(self, folder: Path) -> str:
        """One line: how many entries, faults and pieces of advice, and whether the pack can be used."""
        advice = sum(fault.advice for fault in self.faults)
        faults = len(self.faults) - advice
        counts = [_count(self.entries, "entry", "entries")] if self.entries else []
        counts += [_count(faults, "fault", "faults") if faults else "no faults"]
        counts += [_count(advice, "piece of advice", "pieces of advice") if advice else "no advice"]
        if any(fault.refuses and not fault.advice for fault in self.faults):
            end = ". Mend the faults first: the pack can't be loaded with them."
        elif faults:
            end = ". Mend the faults first: the pack can be loaded, and doesn't do all that it says."
        else:
            end = ". The pack works as it is." if advice else ""
        return f"{folder}: {', '.join(counts)}{end}"


def _count(number: int, one: str, several: str) -> str:
    return f"{number} {one if number == 1 else several}"


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
    titles = {label(target): title(target, knowledge) for target in targets_of(knowledge)}
    faults = faults + lint(knowledge, locations)
    if any(fault.refuses for fault in faults):  # it doesn't load, so that there is nothing to ask
        return CheckResult(tuple(sorted(faults)), len(knowledge.entries), titles=titles)
    matcher = Matcher.from_knowledge(knowledge, cache)
    faulty = {fault.entry for fault in faults if not fault.advice}
    faults = faults + [fault for fault in unreached(matcher) if fault.entry not in faulty]
    overlaps = [overlap.advice(knowledge) for overlap in find_overlaps(matcher, locations, track)]
    return CheckResult((*overlaps, *sorted(faults)), len(knowledge.entries), _price(knowledge, matcher), titles)


def _price(knowledge: Knowledge, matcher: Matcher) -> str:
    """What the pack's caution means for it."""
    shares = matcher.index.gate.shares
    if not shares:
        counted = sum(len(entry.asks) for entry in knowledge.entries if len(entry.asks) > 1)
        return (
            f"Caution is {knowledge.caution}. How many questions are answered can be said from {MIN_PHRASINGS} phrasings on, of "
            f"entries that have two or more; these are {counted}."
        )
    answered, offered, strange = (round(100 * share) for share in shares)
    return (
        f"Caution is {knowledge.caution}: of 100 questions like your phrasings about {answered} are answered, and {offered} get "
        f"suggestions; of 100 that you don't cover about {strange} are answered."
    )
