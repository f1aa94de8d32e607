"""The client: credentials, addresses, one connection pool, and what is made of each answer of Slack's."""

from __future__ import annotations

import asyncio
import logging
import re
import socket
import ssl
import struct
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, TypeVar

import pytest

from bot.settings import Secret, Settings, SettingsError
from bot.slack.transport import client as client_module
from bot.slack.transport.client import (
    AttemptResult,
    BotIdentity,
    Mode,
    Refused,
    Request,
    Retry,
    Sent,
    SlackClient,
    SlackConfig,
    Unknown,
    bypasses_proxy,
    client_msg_id,
    is_slack_url,
    proxy_for,
    tls_context,
    wait_for_slack,
)
from bot.slack.transport.notices import Notices
from support.slack_stub import RESET, SILENCE, Fault, Stub

T = TypeVar("T")


def with_client(url: str, work: Callable[[SlackClient], Awaitable[T]]) -> T:
    """The result of work with an open client."""

    async def run() -> T:
        async with SlackClient(SlackConfig(bot_token="xoxb-secret", api_url=url)) as client:
            return await work(client)

    return asyncio.run(run())


def deliver(url: str, *requests: Request) -> list[AttemptResult]:
    """The outcomes of requests that one client delivers, one after another."""

    async def all_of(client: SlackClient) -> list[AttemptResult]:
        return [await client.post_once(request) for request in requests]

    return with_client(url, all_of)


def post(channel: str = "C1") -> Request:
    return Request(method="chat.postMessage", args={"channel": channel, "text": "x"})


# --- credentials


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
def test_what_is_missing_is_named(mode: Mode | None, values: dict[str, str], named: list[str]) -> None:
    with pytest.raises(SettingsError) as raised:
        SlackConfig.from_settings(settings(**values), mode)
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
        SlackConfig.from_settings(settings(slack_bot_token=bot, slack_app_token=app))
    assert [line.split()[0] for line in str(raised.value).splitlines()[1:]] == named
    assert bot not in str(raised.value)


def test_an_address_that_is_none_is_named() -> None:
    made = replace(settings(slack_bot_token="xoxb-1", slack_signing_secret="s"), slack_api_url="slack.com")
    with pytest.raises(SettingsError, match="SLACK_API_URL"):
        SlackConfig.from_settings(made)


def test_the_mode_follows_the_credentials() -> None:
    bot = {"slack_bot_token": "xoxb-1", "slack_signing_secret": "s"}
    assert SlackConfig.from_settings(settings(**bot))[1] == "http"
    assert SlackConfig.from_settings(settings(**bot, slack_app_token="xapp-1"))[1] == "socket"
    assert SlackConfig.from_settings(settings(**bot, slack_app_token="xapp-1"), "http")[1] == "http"


def test_secrets_are_in_no_repr() -> None:
    given = settings(slack_bot_token="xoxb-1", slack_app_token="xapp-1", slack_signing_secret="hush")
    config, _ = SlackConfig.from_settings(given)
    assert not {"xoxb-1", "xapp-1", "hush"} & set(repr(config).replace("'", " ").split())


def test_an_id_can_be_traced_back_by_nobody_without_the_token() -> None:
    """Votes that are stored already carry these very digits."""
    config = SlackConfig(bot_token="xoxb-1")
    assert config.hmac_id("T1:U1") == "70cf7c37cefc13b9a0a917c6d276d3d135b341433a854f421bb9c117e1bc4dda"
    assert config.hmac_id("T1:U1") != SlackConfig(bot_token="xoxb-2").hmac_id("T1:U1")


@pytest.mark.parametrize(("url", "said"), [("http://slack.test/api/", 1), ("http://127.0.0.1:1/api/", 0)])
def test_another_slack_without_https_is_said(url: str, said: int, caplog: pytest.LogCaptureFixture) -> None:
    given = settings(slack_bot_token="xoxb-1", slack_signing_secret="s")
    with caplog.at_level(logging.WARNING):
        SlackConfig.from_settings(replace(given, slack_api_url=url))
    assert caplog.text.count("unencrypted") == said


# --- addresses


@pytest.mark.parametrize(
    ("url", "mine"),
    [
        ("https://hooks.slack.com/actions/T1/1/x", True),
        ("https://slack.com/x", True),
        ("http://hooks.slack.com/actions/T1/1/x", False),
        ("https://hooks.slack.com.evil.example/x", False),
        ("https://evilslack.com/x", False),
        ("https://hooks.slack.com@evil.example/x", False),
        ("https://169.254.169.254/latest/meta-data", False),
        ("file:///etc/passwd", False),
        ("https://[slack.com/x", False),
        ("", False),
    ],
)
def test_a_response_url_is_slacks(url: str, mine: bool) -> None:
    assert is_slack_url(url, "https://slack.com/api/") is mine


@pytest.mark.parametrize(("url", "mine"), [("http://127.0.0.1:2/x", True), ("file:///etc/passwd", False)])
def test_a_stand_ins_response_url_is_on_a_network_at_least(url: str, mine: bool) -> None:
    assert is_slack_url(url, "http://127.0.0.1:1/api/") is mine


def test_nothing_is_sent_to_a_response_url_that_is_not_slacks(stub: Stub) -> None:
    request = Request(url=stub.hook(), args={"text": "x"})
    assert deliver("https://slack.com/api/", request) == [Refused("foreign_response_url")]
    assert stub.calls == []
    assert deliver(stub.url, request) == [Sent()]
    assert deliver("https://slack.com/api/", Request(url="https://hooks.slack.com:x/", args={})) == [
        Refused("invalid_url")
    ]


def test_proxies_are_those_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", "slack.internal")
    assert bypasses_proxy("http://127.0.0.1:1/api/")
    assert bypasses_proxy("https://slack.internal/api/")
    assert not bypasses_proxy("https://slack.com/api/")
    assert proxy_for("http://localhost:1/") is None
    assert proxy_for("wss://wss.slack.com/link/?ticket=1") == "http://proxy.example:3128"

    async def proxies(client: SlackClient) -> str | None:
        return client.web().proxy

    assert with_client("http://localhost:1/", proxies) is None
    assert with_client("https://slack.com/api/", proxies) == "http://proxy.example:3128"


@contextmanager
def listening(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """The address of a server that does this with each connection."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    answer(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"
        server.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def test_a_request_goes_through_the_proxy_and_a_proxy_that_refuses_is_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[bytes] = []

    def refuse(connection: socket.socket) -> None:
        asked.append(connection.recv(1000).split(b"\r\n")[0])
        connection.sendall(b"HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n")

    with listening(refuse) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy)
        assert deliver("https://slack.com/api/", post()) == [Retry("HTTP 407 by the proxy")]
    assert asked == [b"CONNECT slack.com:443 HTTP/1.1"]


class Astray(BaseHTTPRequestHandler):
    """Sends everybody on to another path, where it listens, too."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(302)
        self.send_header("Location", f"http://127.0.0.1:{self.server.server_port}/elsewhere")  # type: ignore[attr-defined]
        self.end_headers()

    def do_GET(self) -> None:
        self.server.led_to.append((self.path, self.headers.get("Authorization")))  # type: ignore[attr-defined]
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def astray() -> Iterator[HTTPServer]:
    server = HTTPServer(("127.0.0.1", 0), Astray)
    server.led_to = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("by", ["method", "response_url", "SDK"])
def test_no_redirect_is_followed(astray: HTTPServer, by: str) -> None:
    """The token would go along."""
    url = f"http://127.0.0.1:{astray.server_port}/"

    async def by_sdk(client: SlackClient) -> str:
        try:
            await client.web().auth_test()
        except client_module.RedirectRefused as error:
            return str(error)
        return ""

    if by == "SDK":
        assert with_client(url, by_sdk) == "HTTP 302"
    else:
        request = post() if by == "method" else Request(url=url, args={})
        assert deliver(url, request) == [Refused("HTTP 302")]
    assert astray.led_to == []  # type: ignore[attr-defined]


def test_certificates_are_those_of_the_system_and_are_checked() -> None:
    """The chain and the name. They are read once, when the first client is opened, not at import."""
    tls_context.cache_clear()  # another test may have made it with other variables

    async def context_of(client: SlackClient) -> Any:
        connector: Any = client.session.connector
        return connector._ssl

    trust = with_client("https://slack.com/api/", context_of)
    assert trust is tls_context()
    assert (trust.verify_mode, trust.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert trust.get_ca_certs() == ssl.create_default_context().get_ca_certs()


# --- one attempt


def test_connections_are_kept(stub: Stub) -> None:
    hook = Request(url=stub.hook(), args={"text": "x"})
    assert deliver(stub.url, post(), hook, post("C2"), hook) == [Sent()] * 4
    assert stub.connections == 1
    assert [call.token for call in stub.calls] == ["xoxb-secret", "", "xoxb-secret", ""]


def test_what_slack_says_is_understood(stub: Stub) -> None:
    said: list[tuple[Fault, AttemptResult]] = [
        (Fault(), Sent()),
        (Fault(429, "ratelimited", 7), Retry("rate limited", 7.0)),
        (Fault(200, "rate_limited"), Retry("rate limited", 1.0)),
        (Fault(502), Retry("HTTP 502")),
        (Fault(200, "is_archived"), Refused("is_archived")),
        (Fault(404, "used_url"), Refused("used_url")),
        (RESET, Retry("ConnectionResetError")),
    ]
    for fault, outcome in said:
        for way, request in (("chat.postMessage", post()), ("hook", Request(url=stub.hook(), args={"text": "x"}))):
            stub.fail(way, fault)
            assert deliver(stub.url, request) == [outcome]


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\nhello", Refused("unknown_error")),
        (b"HTTP/1.1 200 OK\r\n\r\n[]", Refused("unknown_error")),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"[" * 100_000, Refused("unknown_error")),
        (b'HTTP/1.1 200 OK\r\n\r\n{"ok": false, "error": "a b"}', Refused("HTTP 200")),
        (b'HTTP/1.1 429 Slow\r\nRetry-After: soon\r\n\r\n{"ok": false}', Retry("rate limited", 1.0)),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{", Unknown("ClientPayloadError")),
        (b"no HTTP at all\r\n\r\n", Unknown("ClientResponseError")),
    ],
)
def test_an_answer_that_makes_no_sense_is_never_taken_for_a_yes(answer: bytes, outcome: AttemptResult) -> None:
    def say(connection: socket.socket) -> None:
        connection.recv(10_000)
        connection.sendall(answer)

    with listening(say) as url:
        assert deliver(url, post()) == [outcome]


def test_an_endless_answer_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "MAX_RESPONSE_BYTES", 10_000)

    def say(connection: socket.socket) -> None:
        connection.recv(10_000)
        with suppress(OSError):
            connection.sendall(b'HTTP/1.1 200 OK\r\n\r\n{"ok": true, "x": "' + b"x" * 20_000_000)

    with listening(say) as url:
        assert deliver(url, post()) == [Refused("unknown_error")]


def test_a_kept_connection_that_was_reset_is_tried_again() -> None:
    answers = [b'HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{"ok":true}', b""]

    def say(connection: socket.socket) -> None:
        for answer in answers:
            connection.recv(10_000)
            connection.sendall(answer)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    with listening(say) as url:
        assert deliver(url, post(), post()) == [Sent(), Retry("ConnectionResetError")]


@pytest.mark.parametrize("way", ["chat.postMessage", "hook"])
def test_a_read_timeout_leaves_it_unknown(stub: Stub, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "READ_TIMEOUT", 0.2)
    stub.fail(way, SILENCE)
    request = post() if way != "hook" else Request(url=stub.hook(), args={"text": "x"})
    assert deliver(stub.url, request) == [Unknown("TimeoutError")]


def test_a_refused_connection_is_tried_again() -> None:
    hook = Request(url="http://127.0.0.1:1/hook", args={"text": "x"})
    assert deliver("http://127.0.0.1:1/", post(), hook) == [Retry("ConnectionRefusedError")] * 2


def test_a_connection_that_is_never_made_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing was sent, so that nothing can be posted twice."""
    monkeypatch.setattr(client_module, "CONNECT_TIMEOUT", 0.2)
    with closing(socket.create_server(("127.0.0.1", 0), backlog=0)) as full:
        port = full.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(("127.0.0.1", port))
        assert deliver(f"http://127.0.0.1:{port}/", post()) == [Retry("TimeoutError")]
        for each in waiting:
            each.close()


def test_what_is_sent_after_the_end_was_not_sent(stub: Stub) -> None:
    async def late(client: SlackClient) -> AttemptResult:
        await client.close()
        return await client.post_once(post())

    assert with_client(stub.url, late) == Retry("stopping")


def test_a_refused_token_is_said_once_until_something_is_posted(stub: Stub, caplog: pytest.LogCaptureFixture) -> None:
    stub.fail("chat.postMessage", *[Fault(error="token_revoked")] * 2)

    async def health(client: SlackClient) -> list[str]:
        errors = []
        for request in (post(), post(), Request(url=stub.hook(), args={}), post()):
            await client.post_once(request)
            errors.append(client.health.error)
        return errors

    assert with_client(stub.url, health) == ["token_revoked"] * 3 + [""]
    assert caplog.text.count("no longer takes SLACK_BOT_TOKEN (token_revoked)") == 1


def test_a_message_keeps_its_id() -> None:
    assert client_msg_id("T:C:1.1") == client_msg_id("T:C:1.1") != client_msg_id("T:C:1.2")
    assert client_msg_id("\ud800")


# --- the start


def awaited(url: str, stop: asyncio.Event | None = None, token: str = "SLACK_BOT_TOKEN") -> bool:
    async def wait(client: SlackClient) -> bool:
        ask = client.auth_test
        if token == "SLACK_APP_TOKEN":
            return await wait_for_slack(
                lambda: client.web(token="").apps_connections_open(app_token="xapp-1"), token, asyncio.Event(), client
            )
        return await wait_for_slack(ask, token, stop or asyncio.Event(), client)

    return with_client(url, wait)


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses between attempts, which pass at once; more than 130 s of them end the wait."""
    taken: list[float] = []
    monkeypatch.setattr(client_module, "Notices", partial(Notices, lambda: sum(taken)))

    async def passed(_: asyncio.Event, seconds: float) -> bool:
        taken.append(seconds)
        return sum(taken) > 130

    monkeypatch.setattr(client_module, "is_set_within", passed)
    return taken


def test_who_the_bot_is_is_asked_once(stub: Stub) -> None:
    async def twice(client: SlackClient) -> list[BotIdentity]:
        assert client.identity == BotIdentity()
        return [*await asyncio.gather(client.auth_test(), client.auth_test()), client.identity]

    scopes = ("app_mentions:read", "chat:write", "commands", "im:history")
    assert with_client(stub.url, twice) == [BotIdentity("U0BOT", "B0BOT", "T0TEAM", scopes)] * 3
    assert stub.auth_tests == 1


def test_a_refused_token_names_its_variable(stub: Stub) -> None:
    stub.fail("auth.test", Fault(error="invalid_auth"))
    with pytest.raises(SettingsError, match=r"SLACK_BOT_TOKEN \(invalid_auth\): .*; copy SLACK_BOT_TOKEN again"):
        awaited(stub.url)


def test_a_token_without_its_scope_names_its_variable(stub: Stub) -> None:
    stub.fail("apps.connections.open", Fault(error="missing_scope"))
    with pytest.raises(
        SettingsError,
        match=r"SLACK_APP_TOKEN \(missing_scope\): the token lacks the scope connections:write; .* Basic Information",
    ):
        awaited(stub.url, token="SLACK_APP_TOKEN")


def test_a_bad_day_at_the_start_is_said_once(stub: Stub, pauses: list[float], caplog: pytest.LogCaptureFixture) -> None:
    stub.fail("auth.test", Fault(503), Fault(503), Fault(200, "internal_error"))
    with caplog.at_level(logging.INFO, "bot"):
        assert awaited(stub.url)
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING", "INFO"]
    assert pauses == [1.0, 2.0, 4.0]


def test_slack_down_at_the_start_is_waited_for(pauses: list[float], caplog: pytest.LogCaptureFixture) -> None:
    assert not awaited("http://127.0.0.1:1/api/")
    assert pauses[:6] == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0]
    told = [record.getMessage() for record in caplog.records]
    assert told[0].startswith("Slack can't be reached ([Errno ")
    assert told[0].endswith(
        "), waiting for it: nobody listens at 127.0.0.1:1; look at SLACK_API_URL, and whether a firewall refuses it."
    )
    waited = [
        re.search(r"waiting for it for (\d+) seconds: .* \((\d) times since the last such line\)", line)
        for line in told[1:]
    ]
    assert [found and found.groups() for found in waited] == [("61", "6"), ("121", "2")]


def test_a_rate_limit_at_the_start_is_kept(stub: Stub, pauses: list[float]) -> None:
    stub.fail("apps.connections.open", Fault(429, "ratelimited", 7))
    assert awaited(stub.url, token="SLACK_APP_TOKEN")
    assert pauses == [7.0]


def test_a_stop_ends_the_wait(stub: Stub) -> None:
    stub.fail("auth.test", Fault(503))
    stop = asyncio.Event()
    stop.set()
    assert not awaited(stub.url, stop)
