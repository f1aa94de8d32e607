"""Who may curate."""

from __future__ import annotations

import pytest

from bot.settings import read_settings
from bot.slack.permissions import Curators


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


def test_they_are_named_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASKPY_CURATORS", " U01ABC, T02DEF:W03 ,,U01ABC")
    assert read_settings().curators == ("U01ABC", "T02DEF:W03")
