"""What the curators' side stands on: where it is kept, the pack, who may, and what an edit would do."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.curation.preview import Preview, preview
from bot.match import Matcher
from bot.model import Change, Complaint, Miss, Tally, Trial

SETTLE = 0.8
"""Seconds after an acknowledgement until its modal is updated: an update that came first would be overwritten by it."""
Look = Callable[[Matcher, Sequence[Change]], Preview]


class Ledger(Protocol):
    """What was asked in vain, what curators have made of it, and how it went. Reading survives a database that is away."""

    def misses(self, workspace: str, limit: int = 300) -> tuple[Miss, ...]: ...

    def change(self, changes: Sequence[Change]) -> Change | None:
        """Make all of them, or none and return the one in the way; raises AskPyError if they can't be written down."""

    def undo(self, workspace: str, batch: str) -> bool: ...

    def changes(self, workspace: str) -> tuple[Change, ...]: ...

    def history(self, workspace: str, limit: int = 20) -> tuple[Change, ...]: ...

    def revision(self, workspace: str) -> int: ...

    def week(self, workspace: str, days: int = 7) -> tuple[Tally, ...]: ...

    def complaints(self, workspace: str, days: int = 30) -> tuple[Complaint, ...]: ...

    def trials(self, workspace: str) -> tuple[Trial, ...]: ...

    def set_trial(self, workspace: str, channel: str, on: bool, by: str) -> bool: ...


class Shelf(Protocol):
    """The pack as it stands now, and why it can't be read again."""

    def matcher(self, workspace: str = "") -> Matcher: ...

    @property
    def faults(self) -> tuple[str, ...]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Curation:
    """What the curators' side stands on: where it is kept, the pack, who may, and what an edit would do."""

    ledger: Ledger
    shelf: Shelf
    named: Sequence[str]
    look: Look = preview
    settle: float = SETTLE
    clock: Callable[[], float] = time.time
