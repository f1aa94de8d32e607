"""The start: credentials that are missing, refused, or fine."""

from __future__ import annotations

import json
import logging
import re
from dataclasses import replace
from typing import Any

import pytest
from click.testing import CliRunner
from slack_stub import Fault, Stub

from bot.__main__ import main
from bot.model import AskPyError
from bot.settings import Secret, Settings, SettingsError
from bot.slack.access import Access, Identity, Me, await_slack, direct
from bot.slack.manifest import manifest


def settings(**values: str) -> Settings:
    return Settings(**{name: Secret(value) for name, value in values.items()})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("mode", "values", "named"),
    [
        (None, {}, ["SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET"]),
        ("socket", {}, ["SLACK_BOT_TOKEN", "SLACK_APP_TOKEN"]),
        ("http", {"slack_bot_token": "xoxb-1", "slack_app_token": "xapp-1"}, ["SLACK_SIGNING_SECRET"]),
        (None, {"slack_app_token": "xapp-1"}, ["SLACK_BOT_TOKEN"]),
    ],
)
def test_what_is_missing_is_named(mode: Any, values: dict[str, str], named: list[str]) -> None:
    with pytest.raises(SettingsError) as raised:
        Access.of(settings(**values), mode)
    lines = str(raised.value).splitlines()[1:]
    assert [line.split()[0].strip(":") for line in lines] == named
    assert all("https://api.slack.com/apps" in line for line in lines)


@pytest.mark.parametrize(
    ("bot", "app", "named"),
    [
        ("xoxb-…", "xapp-1", ["SLACK_BOT_TOKEN"]),
        ("xapp-1", "xoxb-1", ["SLACK_BOT_TOKEN", "SLACK_APP_TOKEN"]),
        ("xoxb-1", "xapp- 1", ["SLACK_APP_TOKEN"]),
    ],
)
def test_what_is_no_token_is_named_before_anything_starts(bot: str, app: str, named: list[str]) -> None:
    with pytest.raises(SettingsError) as raised:
        Access.of(settings(slack_bot_token=bot, slack_app_token=app))
    assert [line.split()[0] for line in str(raised.value).splitlines()[1:]] == named
    assert bot not in str(raised.value)


def test_an_address_that_is_none_is_named() -> None:
    made = replace(settings(slack_bot_token="xoxb-1", slack_signing_secret="s"), slack_api_url="slack.com")
    with pytest.raises(SettingsError, match="SLACK_API_URL"):
        Access.of(made)


def test_the_mode_follows_the_credentials() -> None:
    bot = {"slack_bot_token": "xoxb-1", "slack_signing_secret": "s"}
    assert Access.of(settings(**bot))[1] == "http"
    assert Access.of(settings(**bot, slack_app_token="xapp-1"))[1] == "socket"
    assert Access.of(settings(**bot, slack_app_token="xapp-1"), "http")[1] == "http"


def test_secrets_are_in_no_repr() -> None:
    access, _ = Access.of(settings(slack_bot_token="xoxb-1", slack_app_token="xapp-1", slack_signing_secret="hush"))
    assert not {"xoxb-1", "xapp-1", "hush"} & set(repr(access).replace("'", " ").split())


def test_who_the_bot_is_is_asked_once(stub: Stub) -> None:
    identity = Identity(Access(bot_token="xoxb-1", api_url=stub.url.rstrip("/")).client())
    scopes = ("app_mentions:read", "chat:write", "commands", "im:history")
    assert identity.me() == identity.me() == Me(user="U0BOT", bot="B0BOT", team="T0TEAM", scopes=scopes)
    assert stub.auth_tests == 1


def test_a_refused_token_names_its_variable(stub: Stub) -> None:
    stub.fail("auth.test", Fault(error="invalid_auth"))
    identity = Identity(Access(bot_token="xoxb-1", api_url=stub.url).client())
    with pytest.raises(SettingsError, match=r"SLACK_BOT_TOKEN \(invalid_auth\)"):
        await_slack(identity.me, "SLACK_BOT_TOKEN", lambda _: True)


def test_a_bad_day_at_the_start_is_said_once(stub: Stub, caplog: pytest.LogCaptureFixture) -> None:
    stub.fail("auth.test", Fault(503), Fault(503), Fault(200, "internal_error"))
    identity = Identity(Access(bot_token="xoxb-1", api_url=stub.url).client())
    with caplog.at_level(logging.INFO):
        assert await_slack(identity.me, "SLACK_BOT_TOKEN", lambda _: False)
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING", "INFO"]


def test_a_token_without_its_scope_names_its_variable(stub: Stub) -> None:
    stub.fail("apps.connections.open", Fault(error="missing_scope"))
    client = Access(bot_token="xoxb-1", api_url=stub.url).client(token="")
    with pytest.raises(SettingsError, match=r"SLACK_APP_TOKEN \(missing_scope\)"):
        await_slack(lambda: client.apps_connections_open(app_token="xapp-1"), "SLACK_APP_TOKEN", lambda _: True)


def test_a_stop_ends_the_wait(stub: Stub) -> None:
    stub.fail("auth.test", Fault(503))
    identity = Identity(Access(bot_token="xoxb-1", api_url=stub.url).client())
    assert not await_slack(identity.me, "SLACK_BOT_TOKEN", lambda _: True)


def test_loopback_needs_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", "slack.internal")
    assert direct("http://127.0.0.1:1/api/")
    assert direct("https://slack.internal/api/")
    assert not direct("https://slack.com/api/")
    assert Access(bot_token="x", api_url="http://localhost:1/").client().proxy is None
    assert Access(bot_token="x").client().proxy == "http://proxy.example:3128"


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
