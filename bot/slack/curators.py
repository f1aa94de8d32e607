"""Who may curate: the people that the operator has named, and nobody else. Looked up anew at each press."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Curators:
    """People by workspace and id; those named without a workspace belong to the bot's own, as soon as that is known."""

    named: frozenset[tuple[str, str]]
    own: Callable[[], str]

    @classmethod
    def from_names(cls, named: Sequence[str], team: Callable[[], str]) -> Curators:
        """From "U…" and "T…:U…"; `team` tells the bot's own workspace, or nothing as long as Slack hasn't said."""
        pairs = (each.rpartition(":") for each in named)
        return cls(frozenset((workspace, user) for workspace, _, user in pairs), team)

    def contains(self, team: str, user: str) -> bool:
        """Whether this person may curate in this workspace."""
        if not team or not user:
            return False
        return (team, user) in self.named or (team == self.own() and ("", user) in self.named)
