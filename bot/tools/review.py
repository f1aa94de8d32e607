"""Review: everything that `check` has to say about a pack."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bot.curation.lint import lint, unreached
from bot.curation.source_locations import source_locations
from bot.knowledge import Fault, inspect
from bot.match import Matcher
from bot.tools import rivals, tables

FEW = 5
"""Pieces of one advice that are shown at first: the verdict and what matters fit a screen."""


@dataclass(frozen=True, slots=True)
class Review:
    """What was found. `rest`: a sentence about the rivals that there are besides, or nothing."""

    faults: tuple[Fault, ...]
    entries: int
    rest: str = ""

    def lines(self, folder: Path, *, everything: bool = False) -> Iterator[str]:
        """The verdict, which is every fault where there is any; then the advice by its remedy, `everything` or the first few."""
        if self.blamed:
            yield from (str(fault) for fault in self.faults if not fault.advice)
        else:
            pieces = f". {self.advice} piece{'s' * (self.advice > 1)} of advice; the pack works as it is."
            verdict = f"{folder}: {self.entries} {'entry' if self.entries == 1 else 'entries'}, no faults"
            yield verdict + (pieces if self.advice else "")
        yield from self._advised(everything)

    def _advised(self, everything: bool) -> Iterator[str]:
        """The advice, what has the same remedy under that remedy."""
        alike: dict[str, list[Fault]] = {}
        for fault in self.faults:
            if fault.advice:
                alike.setdefault(fault.text.rpartition("; ")[2], []).append(fault)
        for remedy, group in alike.items():
            yield ""
            yield f"{remedy[0].upper()}{remedy[1:]} ({len(group)}):"
            shown = group if everything or len(group) <= FEW else group[:FEW]
            yield from (str(fault).removesuffix(f"; {remedy}") for fault in shown)
            if len(shown) < len(group):
                yield f"and {len(group) - len(shown)} more, which `check --all` shows"
        if self.rest:
            yield self.rest

    @property
    def blamed(self) -> bool:
        return any(not fault.advice for fault in self.faults)

    @property
    def advice(self) -> int:
        return sum(fault.advice for fault in self.faults)


def review(folder: Path, cache: Path | None = None) -> Review:
    """Check the pack in `folder`; its index comes from the `cache` folder where that holds it."""
    knowledge, faults = inspect(folder)
    if knowledge is None:
        return Review(tuple(faults), 0)
    places = source_locations(folder, knowledge)
    faults = faults + lint(knowledge, places)
    if any(fault.refuses for fault in faults):  # it doesn't load, so that there is nothing to ask
        return Review(tuple(sorted(faults)), len(knowledge.entries))
    matcher = Matcher.of(knowledge, cache)
    told = {fault.entry for fault in faults if not fault.advice}
    faults = faults + [fault for fault in unreached(matcher) if fault.entry not in told]
    contested = rivals.rivalries(matcher, places, tables.tracked)
    faults = sorted(faults) + [one.advice for one in contested[: rivals.MOST_SHOWN]]
    return Review(tuple(faults), len(knowledge.entries), _rest(contested))


def _rest(contested: list[rivals.Rivalry]) -> str:
    """How many more there are than are shown."""
    lost = sum(one.lead <= 0 for one in contested)
    if len(contested) <= rivals.MOST_SHOWN:
        return ""
    return (
        "All of these are listed, and so answered as they should be. Left out one at a time, at least "
        f"{lost} phrasings would go elsewhere and {len(contested) - lost} nearly; told are the worst {rivals.MOST_SHOWN}."
    )
