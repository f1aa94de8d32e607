"""A fault: where in a pack something is wrong, and what."""

from __future__ import annotations

from dataclasses import dataclass

from bot.text import printable


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that a curator can mend, printed as `file:line: entry: text`."""

    file: str
    line: int
    entry: str
    text: str
    refuses: bool = True
    """The pack can't be loaded because of it."""
    advice: bool = False
    """A pack with nothing but advice has no fault: `check` exits with 0."""
    reference: bool = False
    """An id is named that doesn't exist. Sorted last, because another fault may be the cause."""

    def __lt__(self, other: Fault) -> bool:
        return self._sort_key < other._sort_key

    @property
    def _sort_key(self) -> tuple[bool, str, int, str, str]:
        return self.reference, self.file, self.line, self.entry, self.text

    def __str__(self) -> str:
        """One line, whatever stands in the pack: a fault goes to logs and terminals."""
        location = f"{self.file}:{self.line}: "
        return printable(location + (f"{self.entry}: " if self.entry else "") + self.text)
