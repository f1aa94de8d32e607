"""Whom and what the operator has named: who may curate, and the channel in which questions are put to people.

In an installed workspace also whoever installed the app may curate, and whom they have named. Checked again at each press.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.store import StoredInstallation


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspaceCurators:
    """Who may curate in a workspace, by user id.

    Attributes:
        installer: who installed the app by OAuth; empty where its token is from the environment.
        by_installer: whom the installer has named on their Home tab.
        by_operator: who is named in ASKPY_CURATORS.
    """

    installer: str = ""
    by_installer: tuple[str, ...] = ()
    by_operator: tuple[str, ...] = ()

    @property
    def all(self) -> tuple[str, ...]:
        """All of them, each once; the installer first."""
        return tuple(dict.fromkeys(filter(None, (self.installer, *self.by_installer, *self.by_operator))))


@dataclass(frozen=True, slots=True)
class Curators:
    """The curators whom the operator has named, as (workspace, user). Those without a workspace belong to the bot's own,
    `home_team()`; if that is a whole organisation (E…), to each of its workspaces, in all of which a user id means the same
    person. Where the app was installed by OAuth there is no such workspace, and they count nowhere."""

    named: frozenset[tuple[str, str]]
    home_team: Callable[[], str]

    @classmethod
    def from_names(cls, names: Sequence[str], home_team: Callable[[], str]) -> Curators:
        """From "U…" and "T…:U…"; `home_team` returns the bot's own workspace or organisation, or "" until it is known."""
        pairs = (name.rpartition(":") for name in names)
        return cls(frozenset((workspace, user) for workspace, _, user in pairs), home_team)

    def contains(self, team: str, user: str, installation: StoredInstallation | None = None) -> bool:
        """Whether this person may curate in this workspace; `installation` as for `of_workspace`."""
        return bool(team and user) and user in self.of_workspace(team, installation).all

    def of_workspace(self, team: str, installation: StoredInstallation | None = None) -> WorkspaceCurators:
        """Who may curate in a workspace.

        Args:
            team: the workspace.
            installation: the installation by OAuth that answers there, in this workspace or in its organisation; None where the
                bot's token is from the environment.
        """
        if installation is None:
            home_team = self.home_team()
            is_home = team == home_team or home_team.startswith("E")
            return WorkspaceCurators(by_operator=self._named_in({team, "", home_team} if is_home else {team}))
        if installation.team != team and not installation.team.startswith("E"):
            return WorkspaceCurators(by_operator=self._named_in({team}))
        return WorkspaceCurators(
            installer=installation.installer,
            by_installer=tuple(filter(None, installation.curators.split(","))),
            by_operator=self._named_in({team, installation.team}),
        )

    def _named_in(self, teams: set[str]) -> tuple[str, ...]:
        return tuple(sorted({user for team, user in self.named if team in teams}))


@dataclass(frozen=True, slots=True)
class HelpChannels:
    """The channels in which questions are put to people, as (workspace, channel): at most one of a workspace. One without a
    workspace is of the bot's own, `home_team()`; that of a whole organisation (E…), or of an app installed by OAuth, has none."""

    named: frozenset[tuple[str, str]] = frozenset()
    home_team: Callable[[], str] = str

    @classmethod
    def from_names(cls, names: Sequence[str], home_team: Callable[[], str]) -> HelpChannels:
        """From "C…" and "T…:C…"; `home_team` as for `Curators`."""
        pairs = (name.rpartition(":") for name in names)
        return cls(frozenset((workspace, channel) for workspace, _, channel in pairs), home_team)

    def of_workspace(self, team: str, installation: StoredInstallation | None = None) -> str:
        """The channel of a workspace; empty if there is none. `installation` as for `Curators.of_workspace`."""
        if not team:
            return ""
        by_workspace = dict(self.named)
        is_home = installation is None and team == self.home_team()
        return by_workspace.get(team) or (by_workspace.get("", "") if is_home else "")


def named_elsewhere(ids: Sequence[str], team: str) -> list[str]:
    """Those of the ids ("U…", "T…:U…", "C…", "T…:C…") that are of another workspace than the one of the bot's token, where they
    do nothing. None if the token is an organisation's, or `team` isn't known."""
    of_others = [each for each in ids if each.rpartition(":")[0] not in ("", team)]
    return of_others if team.startswith("T") else []
