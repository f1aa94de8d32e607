"""A fault: where in a pack something is wrong, and what."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that a curator can mend. Only an `advice` leaves a pack without blame; `refuses` keeps it from loading."""

    file: str
    line: int
    entry: str
    text: str
    refuses: bool = True
    advice: bool = False
    reference: bool = False
    """Something is named that isn't there: comes last, because another fault may be why."""

    def __lt__(self, other: Fault) -> bool:
        return self._order < other._order

    @property
    def _order(self) -> tuple[bool, str, int, str, str]:
        return self.reference, self.file, self.line, self.entry, self.text

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}: "
        return where + (f"{self.entry}: " if self.entry else "") + self.text
