"""The doctor: what it looks at, what it says of each fault, and what it never tries."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from errno import ECONNREFUSED
from pathlib import Path
from types import SimpleNamespace

import pytest

from bot import serving
from bot.doctor import run_checks
from bot.settings import Secret, Settings, read_env_file, usable_settings
from bot.slack.manifest import SCOPES
from bot.slack.transport.client import SlackConfig
from bot.slack.transport.remedies import remedy_of
from support.slack_stub import RESET, Fault, Stub

PACK = Path(__file__).parents[1] / "packs" / "handbook"


@pytest.fixture
def settings(stub: Stub, tmp_path: Path) -> Settings:
    return Settings(
        slack_bot_token=Secret("xoxb-1"),
        slack_app_token=Secret("xapp-1"),
        slack_api_url=stub.url,
        database_url=Secret(f"sqlite:///{tmp_path}/s.db"),
        knowledge=PACK,
        cache=Path(os.environ["ASKPY_CACHE"]),
    )


def doctor(settings: Settings, capsys: pytest.CaptureFixture[str]) -> list[str]:
    run_checks(settings)
    return capsys.readouterr().out.splitlines()


def test_the_doctor_finds_nothing(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    shipped = replace(settings, knowledge=Path(__file__).parents[2] / "knowledge")
    for each in (shipped, settings):
        assert doctor(each, capsys)[-1] == "Nothing is wrong."


def test_the_doctor_and_the_log_name_what_is_no_setting(
    settings: Settings,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, given in {
        "ASKPY_CURATOR": "U1", "ASKPY_TEST_MINE": "1", "ASKPY_ZZZ": "hush", "ASKPY_CARD": "",
        "ASKPY_SERVICE_HOST": "10.0.0.1", "ASKPY_PORT": "tcp://10.0.0.1:80", "ASKPY_PORT_80_TCP_PROTO": "tcp",
        "ASKPY_WEB_SERVICE_PORT_HTTP": "80", "ASKPY_WEB_PORT": "tcp://10.0.0.2:80", "ASKPY_WEB_PORT_80_TCP_ADDR": "10.0.0.2",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, given)
    monkeypatch.setattr("bot.settings._env_file", lambda: {"ASKPY_KNOWLEGE": "ours", "ASKPY_CARDS": "classic"})
    wanted = [
        "ASKPY_KNOWLEGE in .env is no setting and does nothing; did you mean ASKPY_KNOWLEDGE?",
        "ASKPY_CURATOR in the environment is no setting and does nothing; did you mean ASKPY_CURATORS?",
        "ASKPY_ZZZ in the environment is no setting and does nothing; README.md lists all settings",
    ]
    told = doctor(settings, capsys)
    assert [line for line in told if line.startswith("fault")] == [
        f"fault  the name of a setting: {each}" for each in wanted
    ]
    assert told[-1] == "3 to mend."
    serving.build(settings, SlackConfig(bot_token="xoxb-1", api_url=settings.slack_api_url))
    assert [each.getMessage() for each in caplog.records if each.levelname == "WARNING"] == ["; ".join(wanted)]


def test_in_the_file_every_name_is_ours_and_elsewhere_only_what_is_near(
    settings: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    misspelt = {
        "SLACK_BOT_TOKN": "SLACK_BOT_TOKEN", "SLACK_BOTTOKEN": "SLACK_BOT_TOKEN", "slack_app_token": "SLACK_APP_TOKEN",
        "SLACK_SIGNIN_SECRET": "SLACK_SIGNING_SECRET", "DATABASEURL": "DATABASE_URL", "DATABASE_ULR": "DATABASE_URL",
        "PORTT": "PORT", "askpy_cards": "ASKPY_CARDS",
    }  # fmt: skip
    others = ("EXPORT", "SLACK_USER_TOKEN", "SLACK_CLIENT_SECRET", "SLACK_APP_ID", "SLACK_WEBHOOK_URL", "REDIS_URL")
    monkeypatch.setattr(
        "bot.settings._env_file", lambda: {**dict.fromkeys(misspelt, "hush"), **dict.fromkeys(others, "1")}
    )
    told = doctor(settings, capsys)
    assert [line for line in told if line.startswith("fault")] == [
        f"fault  the name of a setting: {wrong} in .env is no setting and does nothing; did you mean {right}?"
        for wrong, right in misspelt.items()
    ]
    monkeypatch.setattr("bot.settings._env_file", dict)
    for name in ("SLACK_BOT_TOKN", "DATABASE_ULR", "PORTT", *others):
        monkeypatch.setenv(name, "hush")
    told = doctor(settings, capsys)
    assert [line for line in told if not line.startswith("fine")] == [
        "hint   the name of a setting: SLACK_BOT_TOKN in the environment is no setting and does nothing; "
        "did you mean SLACK_BOT_TOKEN?",
        "Nothing is wrong.",
    ]
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-1")
    assert [line for line in doctor(settings, capsys) if "hint" in line] == []


def test_a_database_in_memory_is_a_hint(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    told = doctor(replace(settings, database_url=Secret("sqlite://")), capsys)
    assert [line[:36] for line in told if line.startswith("hint")] == ["hint   database sqlite://: in memory"]
    assert told[-1] == "Nothing is wrong."


def test_one_bad_value_stops_no_doctor(
    settings: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, given in {"PORT": "abc", "ASKPY_CURATORS": "bob", "ASKPY_LOG_FORMAT": "JSON"}.items():
        monkeypatch.setenv(name, given)
    read, unusable = usable_settings()
    assert (read.port, read.curators, read.log_format) == (None, (), "json")
    run_checks(settings, unusable)
    told = capsys.readouterr().out.splitlines()
    assert [line.split(" is not ")[0] for line in told if line.startswith("fault")] == [
        "fault  PORT: 'abc'",
        "fault  ASKPY_CURATORS: 'bob'",
    ]
    assert (told[2].split()[0], told[-1]) == ("fine", "2 to mend.")


def test_a_broken_file_stops_no_doctor(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("PORT 3000\n", encoding="utf-8")
    monkeypatch.setattr("bot.settings._env_file", lambda: read_env_file(tmp_path / ".env"))
    run_checks(settings, usable_settings()[1])
    told = capsys.readouterr().out.splitlines()
    assert (told[0].split(":")[0], told[-1]) == ("fault  .env", "1 to mend.")


@pytest.mark.skipif(os.name == "nt", reason="there, modes say nothing")
def test_a_secret_that_others_can_read_is_a_hint(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / ".env"
    file.write_text("SLACK_BOT_TOKEN=xoxb-1\nPORT=1\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("bot.settings._env_file", lambda: read_env_file(Path(".env")))
    hints = []
    for mode in (0o644, 0o600):
        file.chmod(mode)
        hints += [line for line in doctor(settings, capsys) if line.startswith("hint")]
    assert hints == ["hint   the file .env: SLACK_BOT_TOKEN: other users of this machine can read it; chmod 600 .env"]


def test_a_malformed_token_is_not_tried(settings: Settings, stub: Stub, capsys: pytest.CaptureFixture[str]) -> None:
    for wrong in ("xoxp-1", "xoxb-1\n2", "xoxb-"):
        told = doctor(replace(settings, slack_bot_token=Secret(wrong), slack_app_token=Secret("1")), capsys)
        assert [line.split()[1] for line in told if line.startswith("fault")] == [
            "SLACK_BOT_TOKEN:",
            "SLACK_APP_TOKEN:",
        ]
    assert (stub.auth_tests, stub.calls) == (0, [])


def test_neither_is_a_choice(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    told = " ".join(doctor(replace(settings, slack_app_token=None), capsys))
    assert all(word in told for word in ("Socket Mode", "firewall", "SLACK_SIGNING_SECRET for HTTP", "production"))


def test_a_cache_that_cannot_be_written_has_its_own_line(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    told = doctor(replace(settings, cache=tmp_path / "file" / "cache"), capsys)
    (fault,) = [line for line in told if line.startswith("fault")]
    assert fault.startswith("fault  cache")
    assert "set ASKPY_CACHE" in fault


@pytest.mark.parametrize("url", ["postgres://u:hush@h:abc/db", "sqlite://host/x"])
def test_a_wrong_database_url_is_a_line(settings: Settings, url: str, capsys: pytest.CaptureFixture[str]) -> None:
    (told,) = [line for line in doctor(replace(settings, database_url=Secret(url)), capsys) if "fault " in line]
    assert "DATABASE_URL" in told
    assert "hush" not in told


# --- what Slack says


def test_what_slack_knows_of_the_bot_is_told(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    told = doctor(settings, capsys)
    assert told[-5:] == ["fine   Slack knows the bot as askpy in None", "fine   scopes", "fine   clock",
                         "fine   Socket Mode", "Nothing is wrong."]  # fmt: skip


def test_a_refused_token_is_named_and_the_other_one_is_tried(
    settings: Settings, stub: Stub, capsys: pytest.CaptureFixture[str]
) -> None:
    stub.fail("auth.test", Fault(error="invalid_auth"))
    stub.fail("apps.connections.open", Fault(error="not_allowed_token_type"))
    bot, app = (remedy_of("invalid_auth"), remedy_of("not_allowed_token_type", "SLACK_APP_TOKEN"))
    assert doctor(settings, capsys)[-3:] == [
        f"fault  Slack at {stub.url}: SLACK_BOT_TOKEN is refused (invalid_auth): {bot}",
        f"fault  Socket Mode: SLACK_APP_TOKEN is refused (not_allowed_token_type): {app}",
        "2 to mend.",
    ]


@pytest.mark.parametrize("trouble", [RESET, Fault(503)], ids=["reset", "503"])
def test_a_slack_that_does_not_answer_is_no_refusal(
    settings: Settings, stub: Stub, capsys: pytest.CaptureFixture[str], trouble: Fault
) -> None:
    """And it isn't asked again: once is enough to know."""
    stub.fail("auth.test", trouble)
    *_, told, number = doctor(settings, capsys)
    assert told.startswith(f"fault  Slack at {stub.url}: can't be reached (")
    assert told.endswith(
        "slack-status.com says more if it lasts" if trouble.status == 503 else "and at slack-status.com"
    )
    assert (number, stub.calls) == ("1 to mend.", [])


def test_an_address_where_nobody_listens_is_named(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    *_, told, _ = doctor(replace(settings, slack_api_url="http://127.0.0.1:9/api/"), capsys)
    assert f"can't be reached ([Errno {ECONNREFUSED}] {os.strerror(ECONNREFUSED)})" in told


def test_https_where_there_is_none_is_named(settings: Settings, stub: Stub, capsys: pytest.CaptureFixture[str]) -> None:
    """OpenSSL numbers its errors, too: the operating system would call its first one a lack of permission."""
    *_, told, _ = doctor(replace(settings, slack_api_url=stub.url.replace("http:", "https:")), capsys)
    assert "SSL" in told
    assert "not permitted" not in told


def test_missing_scopes_and_a_clock_that_is_off_are_named(
    settings: Settings, stub: Stub, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.doctor.SCOPES", (*SCOPES, "files:write"))
    monkeypatch.setattr("bot.doctor.time", SimpleNamespace(time=lambda: time.time() + 400))
    told = doctor(settings, capsys)
    assert "fault  scopes: files:write missing; add them at api.slack.com/apps, your app" in "\n".join(told)
    (clock,) = [line for line in told if line.startswith("fault  clock")]
    assert clock.endswith("seconds off Slack's; set this machine's clock, or no signature will be believed")
