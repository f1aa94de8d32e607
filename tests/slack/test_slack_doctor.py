"""The doctor: what it looks at, what it says of each fault, and what it never tries."""

from __future__ import annotations

import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from errno import ECONNREFUSED
from pathlib import Path, PurePosixPath, PureWindowsPath
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from bot import serving
from bot.cli import main
from bot.doctor import _path_question, run_checks
from bot.keys import SecretKeys
from bot.model import Change
from bot.settings import (
    ANY_HOST,
    HIDDEN,
    Secret,
    Settings,
    SettingsError,
    hide_secrets,
    read_env_file,
    read_settings,
    usable_settings,
)
from bot.slack.blocks.help_requests import BUTTONS
from bot.slack.manifest import SCOPES
from bot.slack.transport.checks import port_fault
from bot.slack.transport.client import SlackConfig
from bot.slack.transport.health import health_page
from bot.slack.transport.remedies import remedy_of
from bot.store import Store, StoredInstallation
from support.block_lint import faults, view_faults
from support.slack_samples import KINDS
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


@pytest.fixture(autouse=True)
def _no_way_of_this_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


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
    others = ("EXPORT", "SLACK_USER_TOKEN", "SLACK_APP_ID", "SLACK_WEBHOOK_URL", "REDIS_URL")
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


def test_what_slack_knows_of_the_bot_is_told(
    settings: Settings, stub: Stub, capsys: pytest.CaptureFixture[str]
) -> None:
    told = doctor(settings, capsys)
    assert told[-5:] == ["fine   Slack knows the bot as askpy in None", "fine   scopes", "fine   clock",
                         "fine   Socket Mode", "Nothing is wrong."]  # fmt: skip
    assert stub.sockets == []  # Slack would send to it what is meant for the bot


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
    assert "fault  scopes: files:write missing; add them at https://api.slack.com/apps, your app" in "\n".join(told)
    (clock,) = [line for line in told if line.startswith("fault  clock")]
    assert clock.startswith("fault  clock: ahead, ")
    assert clock.endswith("seconds off Slack's; set this machine's clock, or no signature will be believed")
    monkeypatch.setattr("bot.doctor.time", SimpleNamespace(time=lambda: time.time() - 400))
    (clock,) = [line for line in doctor(settings, capsys) if line.startswith("fault  clock")]
    assert 395 <= int(clock.removeprefix("fault  clock: behind, ").split()[0]) <= 405


def test_what_slacks_answer_does_not_say_is_not_called_fine(
    settings: Settings, stub: Stub, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stub.scopes = ""
    monkeypatch.setattr(stub.server.RequestHandlerClass, "date_time_string", lambda *_: "")
    assert doctor(settings, capsys)[-4:] == [
        "hint   scopes: not checked: Slack's answer doesn't say",
        "hint   clock: not checked: Slack's answer doesn't say",
        "fine   Socket Mode",
        "Nothing is wrong.",
    ]


def faults_of(told: list[str]) -> list[str]:
    return [line for line in told if line.startswith("fault ")]


def hints_of(told: list[str]) -> list[str]:
    return [line for line in told if line.startswith("hint ")]


# --- the database


def test_a_relative_database_is_questioned_and_its_folder_not_made(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    question = (
        "DATABASE_URL has a relative path, so that the file lies under the working directory; from the root it is written with "
        "four slashes: sqlite:////var/lib/askpy/askpy.db"
    )
    relative = replace(settings, database_url=Secret("sqlite:///var/lib/askpy/askpy.db"))
    place = tmp_path / "var/lib/askpy/askpy.db"
    assert faults_of(doctor(relative, capsys)) == [f"fault  database: {place}: its folder doesn't exist. {question}"]
    assert list(tmp_path.iterdir()) == []
    place.parent.mkdir(parents=True)
    assert hints_of(doctor(relative, capsys)) == [f"hint   database {place}, made just now: {question}"]
    assert place.is_file()


def test_a_path_of_windows_is_written_with_slashes() -> None:
    assert _path_question(PureWindowsPath("var\\askpy.db")).endswith("four slashes: sqlite:////var/askpy.db")
    for path in (
        PureWindowsPath("C:\\var\\askpy.db"),
        PureWindowsPath("/var/askpy.db"),
        PurePosixPath("/var/askpy.db"),
    ):
        assert _path_question(path) == ""


def test_what_is_named_is_named_from_the_root(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(PACK.parent)
    told = doctor(replace(settings, knowledge=Path(PACK.name)), capsys)
    assert told[0] == f"fine   knowledge pack Handbook, 20 entries, {PACK}"
    assert f"fine   database {tmp_path}/s.db, made just now" in told
    told = doctor(replace(settings, knowledge=Path("nowhere"), cache=Path("handbook/pack.yaml/cache")), capsys)
    assert [line.split(":")[0] for line in faults_of(told)] == [
        f"fault  knowledge pack {PACK.parent}/nowhere",
        f"fault  cache {PACK}/pack.yaml/cache",
    ]


@pytest.mark.filterwarnings("ignore:Query string argument")
@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("postgresql://ann:hush@127.0.0.1:9/d?sslmode=disable&passfile=hush", "postgresql://127.0.0.1:9/d"),
        ("sqlite:////dev/null/s.db?key=hush", "/dev/null/s.db"),
    ],
)
def test_a_database_is_named_without_names_and_options(
    settings: Settings, url: str, place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (line,) = faults_of(doctor(replace(settings, database_url=Secret(url)), capsys))
    assert line.startswith(f"fault  database: {place}: ")
    assert "hush" not in line
    with closing(Store(url)) as store:
        assert "hush" not in f"{store.database.safe_url} {store.probe()}"


# --- credentials


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        (
            "slack_bot_token",
            "xoxp-1",
            "SLACK_BOT_TOKEN: it holds a user token and not a bot token; it starts with xoxb-, at",
        ),
        (
            "slack_bot_token",
            "xoxe.xoxp-1",
            "SLACK_BOT_TOKEN: it holds a token of another kind and not a bot token; it starts",
        ),
        (
            "slack_bot_token",
            "xapp-1",
            "SLACK_BOT_TOKEN: swapped with SLACK_APP_TOKEN? It holds an app-level token; a bot token",
        ),
        (
            "slack_app_token",
            "xoxb-1",
            "SLACK_APP_TOKEN: swapped with SLACK_BOT_TOKEN? It holds a bot token; an app-level token",
        ),
        (
            "slack_app_token",
            "xoxp-1",
            "SLACK_APP_TOKEN: it holds a user token and not an app-level token; it starts with xapp-",
        ),
        ("slack_bot_token", '"xoxb-1"', "SLACK_BOT_TOKEN: there are quotes or blanks around it; write the token alone"),
        ("slack_bot_token", "xoxb-1 ", "SLACK_BOT_TOKEN: there are quotes or blanks around it; write the token alone"),
        ("slack_app_token", "'xapp-1", "SLACK_APP_TOKEN: there are quotes or blanks around it; write the token alone"),
        (
            "slack_app_token",
            "hush",
            "SLACK_APP_TOKEN: not an app-level token; it starts with xapp-, at https://api.slack.com/apps",
        ),
        (
            "slack_signing_secret",
            "xoxb-1",
            "SLACK_SIGNING_SECRET: it holds a bot token, and not the signing secret; copy it",
        ),
        (
            "slack_signing_secret",
            f"'{'a' * 32}'",
            "SLACK_SIGNING_SECRET: there are quotes or blanks around it; write the",
        ),
    ],
)
def test_what_is_in_the_wrong_variable_is_named(
    settings: Settings, stub: Stub, name: str, value: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (line,) = faults_of(doctor(replace(settings, **{name: Secret(value)}), capsys))  # type: ignore[arg-type]
    assert line.startswith(f"fault  {told}")
    assert value.strip("'\" ") not in line
    assert (stub.auth_tests, len(stub.calls)) == (int(name != "slack_bot_token"), int(name != "slack_app_token"))


def test_a_signing_secret_of_another_form_is_a_hint(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    for secret, is_usual in (("0123456789abcdef" * 2, True), ("hush", False)):
        told = doctor(replace(settings, slack_signing_secret=Secret(secret)), capsys)
        assert ([line.split(";")[0] for line in hints_of(told)] == []) is is_usual
    assert hints_of(told)[0].startswith(
        "hint   SLACK_SIGNING_SECRET: not 32 hexadecimal digits, as Slack's are; copy it again"
    )


def test_tokens_of_two_apps_are_told_apart(settings: Settings, stub: Stub, capsys: pytest.CaptureFixture[str]) -> None:
    two = replace(settings, slack_app_token=Secret("xapp-1-A0OURS-1234-abcd"))
    for app_id, is_fine in (("A0OURS", True), ("", True), ("A0OTHER", False)):
        stub.fields["auth.test"] = {"app_id": app_id}
        told = doctor(two, capsys)
        assert (told[-1] == "Nothing is wrong.") is is_fine
    fault = "of the app A0OURS, but SLACK_BOT_TOKEN is of A0OTHER; copy both from the same app"
    assert faults_of(told) == [f"fault  SLACK_APP_TOKEN: {fault}"]


def test_scopes_that_are_not_needed_are_a_hint(
    settings: Settings, stub: Stub, capsys: pytest.CaptureFixture[str]
) -> None:
    stub.scopes = f"{stub.scopes},files:write,channels:history"
    told = doctor(settings, capsys)
    assert hints_of(told) == [
        "hint   scopes: channels:history, files:write not needed; remove them at https://api.slack.com/apps, your app, "
        "OAuth & Permissions, and install again"
    ]
    assert told[-1] == "Nothing is wrong."


def test_an_app_level_token_without_its_scope_is_named(
    settings: Settings, stub: Stub, capsys: pytest.CaptureFixture[str]
) -> None:
    stub.fail("apps.connections.open", Fault(error="missing_scope"))
    (line,) = faults_of(doctor(settings, capsys))
    assert line.startswith(
        "fault  Socket Mode: SLACK_APP_TOKEN is refused (missing_scope): the token lacks the scope connections:write; make a new"
    )


# --- the way to Slack

SLACK = "https://slack.example/api/"


@contextmanager
def a_proxy(answer: str) -> Iterator[int]:
    """A proxy that answers the first request with this status line; its port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(f"HTTP/1.1 {answer}\r\nContent-Length: 0\r\n\r\n".encode())

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield int(listening.getsockname()[1])
        thread.join(5)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ("407 Proxy Authentication Required", "(HTTP 407 by the proxy): the proxy wants a name and a password; set "
         "HTTPS_PROXY=http://user:password@host:port"),
        ("403 Forbidden", "(HTTP 403 by the proxy): the proxy doesn't let the bot through; let it allow slack.com, "
         "hooks.slack.com and wss-primary.slack.com"),
    ],
)  # fmt: skip
def test_a_proxy_that_refuses_is_no_unreachable_slack(
    settings: Settings, answer: str, told: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with a_proxy(answer) as port:
        monkeypatch.setenv("HTTPS_PROXY", f"http://ann:hush@127.0.0.1:{port}")
        lines = doctor(replace(settings, slack_api_url=SLACK), capsys)
    assert lines[-3:-1] == [
        f"fine   proxy 127.0.0.1:{port}",
        f"fault  Slack at {SLACK}: can't be reached {told}",
    ]


def test_a_proxy_that_is_not_there_is_named(
    settings: Settings, stub: Stub, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", "http://ann:hush@127.0.0.1:9")
    away = replace(settings, slack_api_url=SLACK)
    (line,) = faults_of(doctor(away, capsys))
    assert line == (
        f"fault  Slack at {SLACK}: can't be reached ([Errno {ECONNREFUSED}] {os.strerror(ECONNREFUSED)}): "
        "the proxy can't be reached; look at HTTPS_PROXY, or leave it out where none is needed"
    )
    told = doctor(settings, capsys)  # this machine
    assert f"fine   proxy 127.0.0.1:9: not for 127.0.0.1:{stub.port}, by NO_PROXY or because it is this machine" in told
    for wrong in (
        *("proxy:hush", "socks5://ann:hush@proxy:1", "http://ann:hush", "http://ann:hu sh@proxy:1"),
        *(f"http://ann:hu{letter}hush@proxy.corp:3128" for letter in "/#?"),
        *(f"http://ann:3128{letter}hush@proxy.corp:3128" for letter in "/#?"),
    ):
        monkeypatch.setenv("https_proxy", wrong)
        assert faults_of(doctor(away, capsys)) == [
            "fault  proxy in HTTPS_PROXY or HTTP_PROXY: not an address of the form http://host:port or "
            "http://user:password@host:port (in a name or a password, %2F stands for a /, %23 for a # and %3F for a ?)"
        ]


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate that nobody has signed, with its key."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl makes the certificate")
    path = tmp_path / "self.pem"
    names = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1")
    made = (
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "1",
        "-keyout",
        str(path),
        "-out",
        str(tmp_path / "c.pem"),
    )
    subprocess.run(["openssl", "req", *made, *names], check=True, capture_output=True)
    with path.open("a") as file:
        file.write((tmp_path / "c.pem").read_text())
    return path


def test_a_certificate_that_is_not_trusted_has_a_remedy(
    settings: Settings, certificate: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection, pytest.raises(OSError):
                context.wrap_socket(connection, server_side=True).recv(1)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        url = f"https://127.0.0.1:{listening.getsockname()[1]}/api/"
        (line,) = faults_of(doctor(replace(settings, slack_api_url=url), capsys))
        thread.join(5)
    assert line.startswith(f"fault  Slack at {url}: can't be reached ([SSL: CERTIFICATE_VERIFY_FAILED]")
    assert "SSL_CERT_FILE=/path/to/ca.pem" in line


def test_files_of_certificates_are_read(
    settings: Settings,
    certificate: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "empty.pem").touch()
    monkeypatch.setenv("SSL_CERT_DIR", f"{tmp_path}{os.pathsep}{tmp_path}/gone")
    lines = []
    for name in ("c.pem", "empty.pem", "gone.pem"):
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / name))
        lines += [line for line in doctor(settings, capsys) if "SSL_CERT_FILE" in line]
    start = f"certificates of SSL_CERT_FILE, {tmp_path}"
    assert lines == [
        f"fine   {start}/c.pem, 1 certificate in place of the system's file",
        f"fault  {start}/empty.pem: it holds no certificate that can be read; it has to be a PEM file",
        f"fault  {start}/gone.pem: it can't be read (No such file or directory)",
    ]
    (folder,) = [line for line in doctor(settings, capsys) if "SSL_CERT_DIR" in line]
    assert folder.endswith(f": there is no folder {tmp_path}/gone")


def test_what_only_the_environment_can_say_is_a_hint_in_the_file(
    settings: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "bot.settings._env_file", lambda: {"https_proxy": "http://hush", "SSL_CERT_FILE": "x", "PORT": "1"}
    )
    monkeypatch.setenv("SSL_CERT_FILE", "y")
    assert hints_of(doctor(settings, capsys)) == [
        "hint   the file .env: https_proxy does nothing in a file that AskPy reads itself; set it in the environment"
    ]


# --- the port


def test_a_port_is_tried(settings: Settings, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """In Socket Mode one that is set; for HTTP always one."""
    by_http = replace(settings, slack_app_token=None, slack_signing_secret=Secret("0" * 32))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = int(listening.getsockname()[1])
        listening.settimeout(5)

        def hang_up() -> None:
            listening.accept()[0].close()

        thread = threading.Thread(target=hang_up, daemon=True)
        thread.start()
        assert faults_of(doctor(replace(by_http, port=port), capsys)) == [
            f"fault  port {port}: in use by another program; end that, or set PORT to another one"
        ]
        thread.join(5)
    assert f"fine   port {port}" in doctor(replace(settings, port=port), capsys)
    assert not any(line.split()[1] == "port" for line in doctor(settings, capsys))


@pytest.mark.parametrize("header", ["Server: AskPy\r\n", "", "Server: Other\r\n"])
def test_a_port_that_askpy_itself_uses_is_no_fault(header: str) -> None:
    """And no other program, though its page may be the same."""
    fault = "" if "AskPy" in header else "in use by another program; end that, or set PORT to another one"
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            for is_healthy in (True, False):
                connection, _ = listening.accept()
                with connection:
                    connection.recv(1000)
                    body = health_page(is_healthy, "a note")[2]
                    head = f"HTTP/1.1 200 OK\r\n{header}Content-Length: {len(body)}\r\n\r\n"
                    connection.sendall(head.encode() + body)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        port = int(listening.getsockname()[1])
        assert (port_fault(port, ANY_HOST), port_fault(port, ANY_HOST)) == (fault, fault)
        thread.join(5)


# --- many workspaces

KEYS = "k" * 40


@pytest.fixture
def many(settings: Settings) -> Settings:
    """The settings of many workspaces."""
    return replace(
        settings,
        slack_bot_token=None,
        slack_app_token=None,
        slack_signing_secret=Secret("0" * 32),
        slack_client_id="1.2",
        slack_client_secret=Secret("hush"),
        secret_key=Secret(KEYS),
        port=0,
    )


def install(settings: Settings, *teams: str, keys: str = KEYS, **fields: Any) -> None:
    known = SecretKeys(keys)
    with closing(Store(settings.database)) as store:
        for team in teams:
            token = known.encrypt(f"xoxb-hush-{team}")
            store.installations.save(StoredInstallation(team=team, name=f"Team {team}", bot_token=token, **fields))


def test_what_many_workspaces_lack_is_named_with_where_to_get_it(
    many: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    page = "https://api.slack.com/apps, your app, Basic Information"
    lack = {
        "slack_client_id": ("", f"SLACK_CLIENT_ID: not set, which many workspaces need; copy it from {page}"),
        "slack_client_secret": (None, f"SLACK_CLIENT_SECRET: not set, which many workspaces need; copy it from {page}"),
        "secret_key": (
            None,
            "ASKPY_SECRET_KEY: not set, which many workspaces need; `python -m bot keys new` makes one, to keep apart",
        ),
        "slack_signing_secret": (None, f"SLACK_SIGNING_SECRET: not set; copy it from {page}"),
    }
    for field, (nothing, told) in lack.items():
        lines = doctor(replace(many, **{field: nothing}), capsys)
        assert faults_of(lines) == [f"fault  {told}"], field
    for field, given, told in (
        ("slack_app_token", Secret("xapp-1"), "fault  SLACK_APP_TOKEN: Socket Mode is for one workspace, and many of them need "
         "HTTP; take it out, and set SLACK_SIGNING_SECRET"),
        ("curators", ("U1", "T1:U2"), "fault  ASKPY_CURATORS: U1 is of no workspace; with many workspaces write its workspace "
         "before each, T…:U…"),
        ("secret_key", Secret("hush"), "fault  ASKPY_SECRET_KEY: each key has to have 32 characters or more; python -m bot keys "
         "new makes one."),
    ):  # fmt: skip
        assert faults_of(doctor(replace(many, **{field: given}), capsys)) == [told]


def test_a_key_alone_is_a_hint(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    told = doctor(replace(settings, secret_key=Secret(KEYS)), capsys)
    assert [line[:60] for line in told if line.startswith("hint")] == [
        "hint   ASKPY_SECRET_KEY: set without the two others that man"
    ]
    assert told[-1] == "Nothing is wrong."


def test_without_the_package_that_encrypts_the_doctor_says_so(
    many: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "bot.keys", None)
    (told,) = faults_of(doctor(many, capsys))
    assert told.startswith("fault  ASKPY_SECRET_KEY: many workspaces need the package cryptography: ")


def test_many_workspaces_need_no_bot_token(many: Settings, stub: Stub, capsys: pytest.CaptureFixture[str]) -> None:
    told = doctor(many, capsys)
    assert [line for line in told if not line.startswith("fine")] == [
        "hint   workspaces: the app isn't installed anywhere yet; open /slack/install at the bot's address",
        "Nothing is wrong.",
    ]
    assert stub.auth_tests == 0


def test_each_installation_is_asked_about(many: Settings, stub: Stub, capsys: pytest.CaptureFixture[str]) -> None:
    install(many, "T0TEAM", "E1")
    assert doctor(many, capsys)[-3:] == [
        "fine   organisation E1 (Team E1)",
        "fine   workspace T0TEAM (Team T0TEAM)",
        "Nothing is wrong.",
    ]
    assert stub.auth_tests == 2


@pytest.mark.parametrize(
    ("trouble", "told"),
    [
        (Fault(error="token_revoked"), "fault  {}: its token is refused (token_revoked); let somebody there install the app "
         "again (/slack/install)"),
        (Fault(429, error="ratelimited", retry_after=1.0), "hint   {}: not checked: Slack limits the rate; try again later"),
        (Fault(503), "fault  {}: Slack can't be reached (HTTP 503): "),
        (RESET, "fault  {}: Slack can't be reached ("),
    ],
)  # fmt: skip
def test_what_slack_refuses_is_told_by_workspace_and_no_token_is(
    many: Settings, stub: Stub, capsys: pytest.CaptureFixture[str], trouble: Fault, told: str
) -> None:
    install(many, "T0TEAM")
    stub.fail("auth.test", trouble)
    lines = doctor(many, capsys)
    assert lines[-2].startswith(told.format("workspace T0TEAM (Team T0TEAM)"))
    assert "hush" not in "".join(lines)


def test_a_token_that_cannot_be_decrypted_or_has_expired_is_not_sent(
    many: Settings, stub: Stub, capsys: pytest.CaptureFixture[str]
) -> None:
    install(many, "T1", keys="o" * 40)
    install(many, "T2", refresh_token=SecretKeys(KEYS).encrypt("xoxe-1"), expires_at=1.0)
    told = doctor(many, capsys)
    assert [line.split(";")[0] for line in told[-3:-1]] == [
        "fault  workspace T1 (Team T1): no key of ASKPY_SECRET_KEY decrypts its token",
        "hint   workspace T2 (Team T2): its token has expired, as it does while the bot doesn't run",
    ]
    assert stub.auth_tests == 0


def test_scopes_that_lack_and_a_token_of_another_workspace_are_told(
    many: Settings, stub: Stub, capsys: pytest.CaptureFixture[str]
) -> None:
    install(many, "T0TEAM", "T2")
    stub.scopes = "app_mentions:read,commands"
    again = "let somebody there install the app again (/slack/install)"
    assert faults_of(doctor(many, capsys)) == [
        f"fault  workspace T0TEAM (Team T0TEAM): the scopes chat:write, im:history are missing; {again}",
        f"fault  workspace T2 (Team T2): its token is of T0TEAM; {again}",
    ]


def test_of_many_installations_twenty_have_a_line_and_the_rest_a_number(
    many: Settings, stub: Stub, capsys: pytest.CaptureFixture[str]
) -> None:
    stub.fields["auth.test"] = {"team_id": ""}
    install(many, *(f"T{number}" for number in range(30)))
    install(many, "T90", "T91", keys="o" * 40)
    lines = [line for line in doctor(many, capsys) if "workspace" in line]
    assert [line[:24] for line in lines[:3]] == [
        "fault  workspace T90 (Te",
        "fault  workspace T91 (Te",
        "fine   workspace T0 (Tea",
    ]
    assert (len(lines), lines[-1], stub.auth_tests) == (21, "fine   12 more workspaces", 30)
    install(many, *(f"T{number}" for number in range(25)), keys="o" * 40)
    lines = doctor(many, capsys)
    assert lines[-3:] == [
        "fault  7 more: with a fault; mend those above first",
        "fine   5 more workspaces",
        "21 to mend.",
    ]


# --- secrets

TOKEN = "xoxb-" + "12-hush-3"
KEY = "".join(f"{number:x}" for number in range(16)) * 2
"""Has the form of a signing secret."""


def test_no_value_that_looks_like_a_secret_is_printed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whatever variable it was put into; by `doctor` and by `serve`."""
    key = KEY
    names = ("PORT", "ASKPY_CARDS", "ASKPY_CURATORS", "ASKPY_RETENTION_DAYS", "ASKPY_LOG_FORMAT", "ASKPY_LOG_LEVEL")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("bot.serving.log_to_stderr", lambda *_: None)  # it would go on doing so in other tests
    monkeypatch.setenv("DATABASE_URL", "sqlite://")
    for value in (TOKEN, f"U1, {TOKEN}", TOKEN.replace("xoxb", "xapp"), key, "https://ann:hush@example.org"):
        for name in names:
            monkeypatch.setenv(name, value)
        with pytest.raises(SettingsError) as error:
            read_settings()
        for text in (str(error.value), *(fault for _, fault in usable_settings()[1])):
            assert "hush" not in text
            assert key not in text
            assert "a value that looks like a secret" in text
        for command in ("serve", "doctor"):
            result = CliRunner().invoke(main, [command])
            assert (result.exit_code, "hush" in result.output, key in result.output) == (
                2 - (command == "doctor"),
                False,
                False,
            )
    for name in names:
        monkeypatch.delenv(name)
    monkeypatch.setenv("SLACK_API_URL", "https://ann:hush@slack.example/api/")
    monkeypatch.setenv("ASKPY_KNOWLEDGE", f"{tmp_path}/{TOKEN}")
    monkeypatch.setenv("ASKPY_CACHE", str(tmp_path))
    monkeypatch.setenv("SLACK_BOT_TOKEN", TOKEN)
    monkeypatch.setenv("SLACK_APP_TOKEN", TOKEN)
    monkeypatch.setenv(f"ASKPY_{TOKEN}", "1")
    for command in ("serve", "doctor"):
        result = CliRunner().invoke(main, [command])
        assert (result.exit_code, "hush" in result.output) == (2 - (command == "doctor"), False)
    assert "SLACK_API_URL: it names a user or a password" in CliRunner().invoke(main, ["doctor"]).output


def test_advice_is_not_taken_for_a_secret() -> None:
    advice = "it starts with xoxb-, (xapp-) or “xoxp-…”; write postgresql://user:password@host:5432/database, 2026-11-30 xapp"
    assert hide_secrets(advice) == advice
    assert hide_secrets(f"({TOKEN}), https://a:b@c@d/e") == "(a value that looks like a secret), https://d/e"
    for password in ("a/b", "a#b", "a?b", "a@b", KEY, f"password@{KEY}", "password@a/b"):
        assert hide_secrets(f"set http://user:{password}@proxy:1, or none") == "set http://proxy:1, or none"
    names = "ec2-12-34-56-78.eu-west-1.example.org:5432, /srv/askpy-2026-11-30/knowledge_2026_11_30, 127.0.0.1:30000, T0123456789"
    assert hide_secrets(names) == names
    assert hide_secrets(f"fine {KEY}, /srv/{KEY}/x.db: no") == f"fine {HIDDEN}, /srv/{HIDDEN}/x.db: no"


@pytest.mark.parametrize("value", [KEY, TOKEN])
@pytest.mark.parametrize(
    ("name", "form"),
    [("ASKPY_KNOWLEDGE", "{}"), ("ASKPY_CACHE", "{}"), ("SSL_CERT_FILE", "{}"), ("SSL_CERT_DIR", "{}"),
     ("DATABASE_URL", "sqlite:///{}"), ("DATABASE_URL", "sqlite:///{}/s.db"), ("DATABASE_URL", "{}"),
     ("ASKPY_KNOWLEDGE", "./{}"), ("ASKPY_CACHE", "file/{}"),
     ("SLACK_API_URL", "https://{}@slack.example/api/"), ("SLACK_API_URL", "https://ann:a/{}@slack.example/api/"),
     ("SLACK_API_URL", "https://ann:a?{}@slack.example/api/"), ("HTTPS_PROXY", "http://ann:a/{}@proxy.example:3128"),
     ("HTTPS_PROXY", "http://ann:a#{}@proxy.example:3128"), ("HTTPS_PROXY", "http://ann:a@{}@127.0.0.1:9")],
)  # fmt: skip
def test_a_secret_in_a_path_or_an_address_is_not_printed_and_names_no_file(
    name: str, form: str, value: str, stub: Stub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Each of these is a fault, too."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("bot.serving.log_to_stderr", lambda *_: None)
    (tmp_path / "file").touch()
    for variable in ("SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET", "PORT"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-1")
    monkeypatch.setenv("ASKPY_KNOWLEDGE", str(PACK))  # checked in half the time of the shipped pack
    monkeypatch.setenv("DATABASE_URL", "sqlite://")
    monkeypatch.setenv("SLACK_API_URL", SLACK if name == "HTTPS_PROXY" else stub.url)
    monkeypatch.setenv(name, form.format(value))
    result = CliRunner().invoke(main, ["doctor"])
    assert (result.exit_code, value in result.output, "hush" in result.output, "ann" in result.output) == (
        1, False, False, False,
    )  # fmt: skip
    lines = [line for line in result.output.splitlines() if line.startswith("fault")]
    assert any(subject in line for line in lines for subject in _SUBJECTS[name]), result.output
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    if form == "sqlite:///{}":
        assert CliRunner().invoke(main, ["report"]).exit_code == 2
        assert [path.name for path in tmp_path.iterdir()] == ["file"]
    if name == "SLACK_API_URL" or (name == "HTTPS_PROXY" and "a@" not in form):  # `serve` would wait for it for ever
        monkeypatch.setenv("SLACK_APP_TOKEN", "xapp-1")
        result = CliRunner().invoke(main, ["serve"])
        assert (result.exit_code, value in result.output, "ann" in result.output) == (2, False, False), result.exception
        assert name in result.output


_SUBJECTS = {
    "ASKPY_KNOWLEDGE": ("ASKPY_KNOWLEDGE", "knowledge pack"),
    "ASKPY_CACHE": ("ASKPY_CACHE", "cache"),
    "DATABASE_URL": ("database",),
    "HTTPS_PROXY": ("proxy",),
    "SLACK_API_URL": ("SLACK_API_URL",),
    "SSL_CERT_FILE": ("SSL_CERT_FILE",),
    "SSL_CERT_DIR": ("SSL_CERT_DIR",),
}
"""What a line about a variable begins with, one of these."""


# --- blocks


def payloads(stub: Stub) -> list[Any]:
    """What Slack was asked to validate."""
    asked = stub.of("blocks.validate")
    assert all(len(args.keys() & {"message", "view", "blocks"}) == 1 for args in asked)
    return [json.loads(args.get("message") or args["view"]) for args in asked]


def test_slack_is_asked_about_every_kind(settings: Settings, stub: Stub, capsys: pytest.CaptureFixture[str]) -> None:
    shipped = replace(settings, knowledge=Path(__file__).parents[2] / "knowledge")
    assert run_checks(shipped, blocks=True) is True
    lines = [
        line.removeprefix("fine   blocks of ") for line in capsys.readouterr().out.splitlines() if "blocks of" in line
    ]
    replies = {line.removeprefix("the reply ") for line in lines if line.startswith("the reply ")}
    assert replies == {*KINDS, "unknown, with suggestions"}
    assert {f"the modal with the reply {name}" for name in replies} <= set(lines)
    assert len({line for line in lines if "form" in line or "page" in line or "Home tab" in line}) == 19
    assert {
        "a question for people",
        "the answer to it",
        "a press of its buttons",
        "the result of “Ask a person”",
    } <= set(lines)
    asked = payloads(stub)
    assert [
        fault for each in asked for fault in (view_faults(each) if "type" in each else faults(each["blocks"]))
    ] == []
    kinds = {block["type"] for each in asked for block in each["blocks"]}
    assert {"card", "carousel", "table", "context_actions", "rich_text", "input", "actions"} <= kinds
    pressed = {
        element.get("action_id") for each in asked for block in each["blocks"] for element in block.get("elements", [])
    }
    assert {"person", *BUTTONS} <= pressed
    callbacks = {each.get("callback_id") for each in asked if each.get("type") == "modal"}
    assert callbacks == {"answer", "search", "means", "write", "done", "person"}
    assert {call.token for call in stub.calls if call.method == "blocks.validate"} == {"xoxb-1"}


def test_a_pack_in_classic_blocks_is_asked_about_in_them(
    settings: Settings, stub: Stub, capsys: pytest.CaptureFixture[str]
) -> None:
    run_checks(replace(settings, cards="classic"), blocks=True)
    assert capsys.readouterr().out.splitlines()[-1] == "Nothing is wrong."
    types = {block["type"] for each in payloads(stub) for block in each["blocks"]}
    assert types & {"card", "carousel", "context_actions", "data_visualization"} == set()


def test_what_slack_objects_to_is_named_by_pointer_and_code(
    settings: Settings, stub: Stub, capsys: pytest.CaptureFixture[str]
) -> None:
    errors = [{"pointer": f"/blocks/{n}/text", "code": "failed_constraint", "message": "hush"} for n in range(9)]
    stub.fail(
        "blocks.validate",
        Fault(429, error="ratelimited", retry_after=0.0),
        Fault(error="invalid_message", more=(("errors", errors),)),
    )
    assert run_checks(settings, blocks=True) is False
    told = capsys.readouterr().out.splitlines()
    objections = "; ".join(f"/blocks/{n}/text failed_constraint (cards)" for n in range(5))
    assert faults_of(told) == [f"fault  blocks of the reply topic: {objections}"]
    for fault, told_of_it in (
        (Fault(error="invalid_message", more=(("errors", ["?"]),)), "/ not valid (cards)"),
        (Fault(error="invalid_blocks"), "invalid_blocks (cards)"),
    ):
        stub.fail("blocks.validate", fault)
        run_checks(settings, blocks=True)
        assert faults_of(capsys.readouterr().out.splitlines()) == [f"fault  blocks of the reply topic: {told_of_it}"]


@pytest.mark.parametrize(
    ("trouble", "line"),
    [
        (
            Fault(error="unknown_method"),
            "hint   blocks: not checked: this Slack doesn't know the method blocks.validate",
        ),
        (Fault(error="fatal_error"), "fault  blocks: blocks.validate failed (fatal_error); try again"),
        (Fault(503), "fault  blocks: blocks.validate failed (an answer that makes no sense); try again"),
    ],
)
def test_a_slack_that_validates_nothing_is_said_once(
    settings: Settings, stub: Stub, trouble: Fault, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    stub.fail("blocks.validate", trouble)
    assert run_checks(settings, blocks=True) is line.startswith("hint")
    told = capsys.readouterr().out.splitlines()
    assert [each for each in told if "blocks" in each] == [line]
    assert len(stub.of("blocks.validate")) == 1


def test_blocks_are_not_checked_without_a_bot_or_a_pack(
    settings: Settings, stub: Stub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stub.fail("auth.test", Fault(error="invalid_auth"))
    for unable, why in (
        (settings, "that takes a bot token that Slack knows"),
        (replace(settings, knowledge=tmp_path / "nowhere"), "there is no pack to render"),
    ):
        run_checks(unable, blocks=True)
        assert f"hint   blocks: not checked: {why}" in capsys.readouterr().out.splitlines()
    assert stub.of("blocks.validate") == []


def test_only_the_pack_is_sent_to_be_validated(
    settings: Settings, stub: Stub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not what curators have added, nor what people have asked, though the database has it."""
    with closing(Store(settings.database)) as store:
        assert store.prepare() == ""
        assert store.misses.add("T0", "a secret question", "", 0.0)
        change = Change(id="1", workspace="T0", batch="1", kind="entry", entry="x", by="T0:U1", at=time.time())
        hidden = {"title": "A secret title", "answer": "hush", "asks": ("hush",)}
        assert store.changes.save([replace(change, **hidden)]) is None  # type: ignore[arg-type]
    run_checks(settings, blocks=True)
    sent = json.dumps(payloads(stub))
    assert "Handbook" in sent
    assert "secret" not in sent
    assert "hush" not in sent


def test_the_command_has_the_option(
    settings: Settings, stub: Stub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    variables = {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1", "SLACK_API_URL": stub.url}
    for name, value in (variables | {"DATABASE_URL": settings.database, "ASKPY_KNOWLEDGE": str(PACK)}).items():
        monkeypatch.setenv(name, value)
    result = CliRunner().invoke(main, ["doctor", "--blocks"])
    assert (result.exit_code, "fine   blocks of a curator's Home tab" in result.output) == (0, True)
    assert "blocks" not in CliRunner().invoke(main, ["doctor"]).output
