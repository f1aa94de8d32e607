"""A fault: where in a pack something is wrong, and what."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """Something that a curator can mend. Only an `advice` leaves a pack without blame; `refuses` keeps it from loading."""

    file: str
    line: int
    entry: str
    text: str
    refuses: bool = True
    advice: bool = False

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}: "
        return where + (f"{self.entry}: " if self.entry else "") + self.text
