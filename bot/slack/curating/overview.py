"""What there is to curate at this moment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.curation.changes import is_settled, settled
from bot.curation.likeness import grouped
from bot.model import Knowledge, Miss
from bot.slack.board import Board, already, fill
from bot.slack.curating.grounds import Ledger, Shelf
from bot.slack.limits import Block
from bot.slack.words import Words

HISTORY = 1_000
"""Batches of edits that one can page through."""
MOST_READ, MOST_OPEN = 2_000, 300
"""Misses that are looked through for open ones, and open ones that are put into groups."""


@dataclass(frozen=True, slots=True)
class Overview:
    """The pack, what nobody has dealt with, and who was quicker."""

    ledger: Ledger
    shelf: Shelf
    clock: Callable[[], float]
    words: Words

    def knowledge(self, team: str) -> Knowledge:
        """What a workspace is answered from."""
        return self.shelf.matcher(team).knowledge

    def board(self, team: str) -> Board:
        """All that its curators go by."""
        ledger = self.ledger
        return Board(
            knowledge=self.knowledge(team),
            now=self.clock(),
            groups=grouped(self.open(team)),
            week=ledger.week(team),
            complaints=ledger.complaints(team),
            history=ledger.history(team, HISTORY),
            trials=ledger.trials(team),
            faults=self.shelf.faults,
            away=ledger.revision(team) < 0,
        )

    def open(self, team: str) -> tuple[Miss, ...]:
        """The misses that nobody has dealt with."""
        dealt = settled(self.ledger.changes(team))
        found = self.ledger.misses(team, MOST_READ)
        return tuple(miss for miss in found if not is_settled(miss.text, dealt))[:MOST_OPEN]

    def asked(self, team: str, keys: Sequence[str]) -> list[Miss]:
        """Those of the named misses that are open, the most asked first."""
        return [miss for miss in self.open(team) if miss.key in keys]

    def quicker(self, team: str, keys: Sequence[str]) -> tuple[Block, ...]:
        """Who has dealt with these before, and how."""
        if self.ledger.revision(team) < 0:
            return fill(self.words["database_away"])
        for miss in self.ledger.misses(team, MOST_READ):
            for change in self.ledger.changes(team) if miss.key in keys else ():
                if is_settled(miss.text, settled([change])):
                    return already(change, self.knowledge(team), self.words)
        return fill(self.words["saved_nothing"])
