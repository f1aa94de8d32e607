"""Who may curate."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.settings import read_settings
from bot.slack.permissions import Curators, HelpChannels, named_elsewhere
from bot.store import StoredInstallation


@pytest.mark.parametrize(
    ("team", "user", "may"),
    [
        ("T0", "U1", True), ("T9", "U1", False), ("T9", "U2", True), ("T0", "U2", False), ("T0", "U3", False),
        ("", "U1", False), ("T0", "", False), ("", "", False),
    ],
)  # fmt: skip
def test_who_is_named_may_curate_in_their_workspace(team: str, user: str, may: bool) -> None:
    assert Curators.from_names(("U1", "T9:U2"), lambda: "T0").contains(team, user) is may


def test_a_bare_id_counts_from_when_slack_has_said_who_the_bot_is() -> None:
    said = [""]
    curators = Curators.from_names(("U1", "T9:U2"), lambda: said[0])
    assert (curators.contains("T0", "U1"), curators.contains("T9", "U2")) == (False, True)
    said[0] = "T0"
    assert curators.contains("T0", "U1") is True


def test_nobody_is_a_curator_unless_somebody_is_named() -> None:
    assert Curators.from_names((), lambda: "T0").contains("T0", "U1") is False


@pytest.mark.parametrize(
    ("team", "channel"), [("T0", "C1"), ("T9", "C2"), ("T8", ""), ("", ""), ("E1", "")]
)  # fmt: skip
def test_each_workspace_has_its_own_help_channel(team: str, channel: str) -> None:
    channels = HelpChannels.from_names(("C1", "T9:C2"), lambda: "T0")
    assert channels.of_workspace(team) == channel
    installed = StoredInstallation(team=team, bot_token="-")
    assert channels.of_workspace(team, installed) == (channel if team == "T9" else "")


def test_a_workspaces_own_help_channel_wins_over_one_without_a_workspace() -> None:
    assert HelpChannels.from_names(("C1", "T0:C2"), lambda: "T0").of_workspace("T0") == "C2"
    assert HelpChannels.from_names(("C1",), lambda: "").of_workspace("") == ""


def test_who_is_named_in_another_workspace_than_the_bots_is_known() -> None:
    ids = ("U1", "T0:U2", "T9:U3")
    assert [named_elsewhere(ids, team) for team in ("T0", "E1", "")] == [["T9:U3"], [], []]


# --- where the app was installed by OAuth

INSTALLED = StoredInstallation(team="T0", bot_token="-", installer="U1", curators="U2,W3")
IN_ORGANISATION = replace(INSTALLED, team="E1")


@pytest.mark.parametrize(
    ("installation", "team", "user", "may"),
    [
        (INSTALLED, "T0", "U1", True), (INSTALLED, "T0", "W3", True), (INSTALLED, "T0", "U4", True),
        (INSTALLED, "T0", "U5", False), (INSTALLED, "T0", "U6", False), (INSTALLED, "T0", "", False),
        (INSTALLED, "T0", "U2,W3", False), (INSTALLED, "T9", "U1", False), (INSTALLED, "T9", "U2", False),
        (INSTALLED, "T9", "U5", True), (INSTALLED, "", "U1", False),
        (IN_ORGANISATION, "T0", "U1", True), (IN_ORGANISATION, "T9", "U2", True), (IN_ORGANISATION, "T9", "U4", False),
        (IN_ORGANISATION, "T9", "U7", True), (IN_ORGANISATION, "T9", "U6", False),
        (replace(INSTALLED, installer="", curators=""), "T0", "", False),
        (replace(INSTALLED, installer="", curators=""), "T0", "U4", True),
    ],
)  # fmt: skip
def test_who_curates_where_the_app_was_installed(
    installation: StoredInstallation, team: str, user: str, may: bool
) -> None:
    """Also whoever installed it and whom they have named; who is named without a workspace counts nowhere."""
    curators = Curators.from_names(("T0:U4", "T9:U5", "U6", "E1:U7"), lambda: "T0")
    assert curators.contains(team, user, installation) is may


def test_curators_are_told_apart_by_who_has_named_them() -> None:
    curators = Curators.from_names(("T0:U4", "T9:U5", "T0:U2"), lambda: "")
    who = curators.of_workspace("T0", INSTALLED)
    assert (who.installer, who.by_installer, who.by_operator) == ("U1", ("U2", "W3"), ("U2", "U4"))
    assert who.all == ("U1", "U2", "W3", "U4")
    assert curators.of_workspace("T0").all == ("U2", "U4")


def test_they_are_named_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASKPY_CURATORS", " U01ABC, T02DEF:W03 ,,U01ABC")
    assert read_settings().curators == ("U01ABC", "T02DEF:W03")
