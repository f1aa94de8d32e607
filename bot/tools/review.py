"""Review: everything that `check` has to say about a pack."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bot.curation.lint import lint, unreached
from bot.curation.places import places_of
from bot.knowledge import Fault, inspect
from bot.match import Matcher
from bot.tools import rivals, tables


@dataclass(frozen=True, slots=True)
class Review:
    """What was found. `rest`: a sentence about the advice that isn't shown, or nothing."""

    faults: tuple[Fault, ...]
    entries: int
    rest: str = ""

    @property
    def lines(self) -> list[str]:
        """Faults first, then advice, each in its order."""
        told = sorted(self.faults, key=lambda fault: fault.advice)
        return [*map(str, told), *([self.rest] if self.rest else [])]

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
    places = places_of(folder, knowledge)
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
        f"At least {lost} phrasings would go elsewhere if each weren't listed, and {len(contested) - lost} nearly; "
        f"the worst {rivals.MOST_SHOWN} are shown."
    )
