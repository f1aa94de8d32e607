"""The manifest: what it asks for, speaks of, and Slack's limits on it."""

from __future__ import annotations

import json
import re

import pytest
from click.testing import CliRunner

from bot.cli import main
from bot.model import AskPyError
from bot.slack.manifest import manifest


def test_the_manifest_asks_for_four_scopes() -> None:
    made = manifest()
    assert made["oauth_config"]["scopes"] == {"bot": ["app_mentions:read", "chat:write", "commands", "im:history"]}
    assert made["settings"]["socket_mode_enabled"] is True
    assert "request_url" not in str(made)
    assert len(made["display_information"]["description"]) <= 140


def test_the_manifest_speaks_of_the_pack() -> None:
    made = manifest(None, "Team handbook", "Holidays and how we work")
    assert made["display_information"]["name"] == "Team handbook"
    assert made["display_information"]["description"] == "Holidays and how we work"
    assert made["features"]["bot_user"]["display_name"] == "team-handbook"
    assert made["features"]["slash_commands"][0]["command"] == "/askpy"
    assert not [word for word in ("python", "flask", "django", "askpy ") if word in str(made).lower()]


@pytest.mark.parametrize("name", ["N" * 60, "Ä" * 60, "", "  ", "an\nodd  one", "<>&"])
def test_the_manifest_keeps_slacks_limits(name: str) -> None:
    made = manifest(None, name, "long words " * 40)
    shown, features = made["display_information"], made["features"]
    assert 0 < len(shown["name"]) <= 35
    assert 0 < len(shown["description"]) <= 140
    assert re.fullmatch(r"[a-z0-9._-]{1,35}", features["bot_user"]["display_name"])
    assert len(features["shortcuts"][0]["name"]) <= 24
    assert len(features["slash_commands"][0]["description"]) <= 140
    assert "\n" not in shown["name"]


@pytest.mark.parametrize(
    "url",
    ["", "bot.example", "http://bot.example", "https://", "https://[", "https://x:y", "https://a b", "https://a?b"],
)
def test_an_address_that_slack_would_refuse_is_a_sentence(url: str) -> None:
    with pytest.raises(AskPyError, match=r"^--url .*https://askpy\.example\.com\.$"):
        manifest(url)


def test_the_manifest_command() -> None:
    made, wrong = (CliRunner().invoke(main, ["manifest", "--url", f"{way}://bot.example"]) for way in ("https", "http"))
    assert (made.exit_code, json.loads(made.stdout)["display_information"]["name"]) == (0, "AskPy")
    assert (wrong.exit_code, wrong.stdout, wrong.stderr.count("\n")) == (2, "", 1)


def test_the_manifest_for_http_names_the_address_thrice() -> None:
    made = manifest("https://bot.example/")
    address = "https://bot.example/slack/events"
    assert made["features"]["slash_commands"][0]["url"] == address
    assert made["settings"]["event_subscriptions"]["request_url"] == address
    assert made["settings"]["interactivity"]["request_url"] == address
    assert made["settings"]["interactivity"]["message_menu_options_url"] == address
    assert made["settings"]["socket_mode_enabled"] is False
    assert made["oauth_config"].keys() == {"scopes"}
    assert (made["settings"]["org_deploy_enabled"], made["settings"]["token_rotation_enabled"]) == (False, False)


@pytest.mark.parametrize("url", ["https://bot.example", "https://bot.example/slack/events"])
def test_the_manifest_for_many_workspaces_has_a_redirect(url: str) -> None:
    made = manifest(url, oauth=True)
    assert made["oauth_config"]["redirect_urls"] == ["https://bot.example/slack/oauth_redirect"]
    assert {"app_uninstalled", "tokens_revoked"} <= set(made["settings"]["event_subscriptions"]["bot_events"])
    assert (made["settings"]["org_deploy_enabled"], made["settings"]["token_rotation_enabled"]) == (True, True)
    assert (made["settings"]["socket_mode_enabled"], made["oauth_config"]["scopes"]) == (
        False, manifest()["oauth_config"]["scopes"],
    )  # fmt: skip


def test_the_manifest_command_for_many_workspaces(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the option, for the first time; then by the setting, too."""
    url = ("--url", "https://bot.example")
    asked = [CliRunner().invoke(main, ["manifest", *options]) for options in ((*url, "--oauth"), url, ())]
    monkeypatch.setenv("SLACK_CLIENT_ID", "1.2")
    asked += [CliRunner().invoke(main, ["manifest", *options]) for options in (url, ())]
    made = [json.loads(each.stdout) for each in asked]
    assert ["redirect_urls" in each["oauth_config"] for each in made] == [True, False, False, True, False]
    assert CliRunner().invoke(main, ["manifest", "--oauth"]).exit_code == 2
