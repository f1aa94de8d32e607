"""Who may curate: the people whom the operator has named. Checked again at each press."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Curators:
    """Curators as (workspace, user). Those without a workspace belong to the bot's own, `home_team()`; if that is a whole
    organisation (E…), to each of its workspaces, in all of which a user id means the same person."""

    named: frozenset[tuple[str, str]]
    home_team: Callable[[], str]

    @classmethod
    def from_names(cls, names: Sequence[str], home_team: Callable[[], str]) -> Curators:
        """From "U…" and "T…:U…"; `home_team` returns the bot's own workspace or organisation, or "" until it is known."""
        pairs = (name.rpartition(":") for name in names)
        return cls(frozenset((workspace, user) for workspace, _, user in pairs), home_team)

    def contains(self, team: str, user: str) -> bool:
        """Whether this person may curate in this workspace."""
        if not team or not user:
            return False
        home_team = self.home_team()
        teams = {team, "", home_team} if team == home_team or home_team.startswith("E") else {team}
        return any((named, user) in self.named for named in teams)
