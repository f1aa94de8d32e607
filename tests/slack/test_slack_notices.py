"""Nothing fails without a word: each fault is one true sentence with its remedy in the log, a metric, and a note on /healthz.

The faults that are played are real ones, from the trackers of Slack's SDKs and of other bots; `source` names the issue.
"""

from __future__ import annotations

import asyncio
import gzip
import http.client
import json
import logging
import math
import re
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bot import serving
from bot.settings import Settings, SettingsError
from bot.slack.transport import client as client_module
from bot.slack.transport import notices as notices_module
from bot.slack.transport import socket as socket_module
from bot.slack.transport.client import (
    AttemptResult,
    Refused,
    Request,
    SlackClient,
    SlackConfig,
    reason_of,
    tls_context,
)
from bot.slack.transport.http import REFUSALS
from bot.slack.transport.notices import LOG_INTERVAL, PRESENT_FOR, Notices
from bot.slack.transport.outbox import Outbox
from bot.slack.transport.remedies import NO_FAULTS, PAGES, REMEDIES, is_of_proxy, network_remedy, remedy_of
from support import slack_process
from support.slack_app import SECRET, Door
from support.slack_stub import RESET, SILENCE, TEAM, Fault, Stub, limited

ROOT = Path(__file__).parents[2]
Serve = Callable[..., list[str]]
WORD = "xylophone"
"""A word of the people's, which no log and no page may hold."""
SECRETS = re.compile(rf"xoxb-|xapp-|{SECRET}|ticket|/hook/|{WORD}")


def get(port: int, path: str) -> tuple[int, str]:
    """Status and body of a page."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode()


def complaints(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What an operator is warned of."""
    return [
        each.getMessage() for each in caplog.records if each.name.startswith("bot") and each.levelno >= logging.WARNING
    ]


# --- the component


class Clock:
    """A clock that the test sets."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_kind_is_one_line_a_minute_with_the_number_since(caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        clock = Clock()
        notices = Notices(clock)
        for clock.now in (0.0, 1.0, 59.0, 60.0, 60.5, 300.0):
            notices.report("a", "Slack is slow; wait")
            notices.report("b", "refused: they are odd", unit="request")

    asyncio.run(test())
    assert caplog.messages == [
        "Slack is slow; wait.", "1 request refused: they are odd.",
        "Slack is slow; wait (3 times since the last such line).", "3 requests refused: they are odd.",
        "Slack is slow; wait (2 times since the last such line).", "2 requests refused: they are odd.",
    ]  # fmt: skip


def test_a_fault_that_comes_and_goes_keeps_its_minute_and_its_count(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    broke = "The connection broke; look at the proxy"

    async def test() -> None:
        clock = Clock()
        notices = Notices(clock)
        for times in ("", " (2 times)", " (3 times)", " (4 times)", " (5 times)"):
            clock.now += 1
            notices.report("post: reset", broke)
            assert notices.present == (broke + times,)
            notices.end("post: ", "Slack answers again")
            assert notices.present == ()
        clock.now += LOG_INTERVAL
        notices.report("post: reset", broke)
        notices.end("else", "never said")
        clock.now += PRESENT_FOR + 1
        notices.report("post: reset", broke)
        assert notices.present == (broke,)

    asyncio.run(test())
    assert caplog.messages == [
        f"{broke}.", "Slack answers again.", f"{broke} (5 times since the last such line).", f"{broke}."
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("times", "wanted"),
    [(6, "(5 times since the last such line; over now)"), (2, "(once more since the last such line; over now)")],
)
def test_a_fault_that_comes_and_goes_is_told_when_the_minute_is_over(
    times: int, wanted: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(notices_module, "LOG_INTERVAL", 0.1)

    async def test() -> None:
        notices = Notices()
        for _ in range(times):
            notices.report("post: 503", "Slack is down; wait")
            notices.end("post: ", "Slack answers again")
        async with asyncio.timeout(5):
            while len(caplog.messages) < 3:
                await asyncio.sleep(0.01)
        monkeypatch.setattr(notices_module, "LOG_INTERVAL", 60)
        notices.report("post: 503", "Slack is down; wait")
        notices.end("post: ", "Slack answers again")

    asyncio.run(test())
    assert caplog.messages == ["Slack is down; wait.", "Slack answers again.", f"Slack is down; wait {wanted}."]


def test_a_fault_that_lasts_until_its_end_has_no_count_of_long_ago() -> None:
    async def test() -> None:
        clock = Clock()
        notices = Notices(clock)
        notices.report("token", "No; why", lasts=math.inf)
        clock.now += 10 * PRESENT_FOR
        assert notices.present == ("No; why",)
        notices.end("token", "Yes")
        clock.now += PRESENT_FOR + 1
        notices.report("token", "No; why", lasts=math.inf)
        assert notices.present == ("No; why",)

    asyncio.run(test())


def test_a_fault_is_present_for_a_while_after_its_last_occurrence() -> None:
    async def test() -> None:
        clock = Clock()
        notices = Notices(clock)
        for _ in range(3):
            clock.now += PRESENT_FOR - 1
            notices.report("a", "Slack is slow; wait")
            notices.report("calm", "nobody; nothing", is_note=False)
        assert notices.present == ("Slack is slow; wait (3 times)",)
        clock.now += PRESENT_FOR + 1
        assert notices.present == ()
        notices.report("a", "Slack is slow; wait")
        assert notices.present == ("Slack is slow; wait",)
        assert len(notices._faults) == 1

    asyncio.run(test())


def test_a_line_of_ones_own_tells_the_sentence_once_a_minute() -> None:
    clock = Clock()
    notices = Notices(clock)
    assert [notices.occurred("a", "No; why") for _ in range(3)] == [True, False, False]
    clock.now += LOG_INTERVAL
    assert notices.occurred("a", "No; why")
    assert notices.present == ("No; why (4 times)",)


# --- the sentences


@pytest.mark.parametrize(
    "code", [*REMEDIES, "restricted_action_of_tomorrow", "a_code_of_tomorrow", "HTTP 302", "HTTP 403", "HTTP 503"]
)
def test_each_code_has_a_sentence_with_a_remedy(code: str) -> None:
    for variable in PAGES:
        sentence = remedy_of(code, variable, "chat:write")
        meaning, _, remedy = sentence.partition("; ")
        assert (bool(meaning), bool(remedy)) == (True, True)
        assert not re.search(r"[{}]|\.$|\s\s", sentence)
        assert len(sentence) < 300


def test_the_sentences_name_the_token_and_the_scope() -> None:
    assert "SLACK_APP_TOKEN again from https://api.slack.com/apps, your app, Basic" in remedy_of(
        "invalid_auth", "SLACK_APP_TOKEN"
    )
    assert "the scope chat:write; add" in remedy_of("missing_scope", scope="chat:write")
    assert "a scope; add" in remedy_of("missing_scope", scope="<script>")


def test_what_the_operator_can_not_mend_is_no_fault() -> None:
    nothing = {code for code, text in REMEDIES.items() if re.search("nothing has to be done|member has to ask", text)}
    assert nothing == NO_FAULTS


@pytest.mark.parametrize("code", [*sorted(NO_FAULTS), "not_in_channel", "a_code_of_tomorrow"])
def test_what_is_no_fault_is_told_and_is_no_note(code: str, caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> tuple[str, ...]:
        async def refuse(_: Request) -> AttemptResult:
            return Refused(code)

        notices = Notices()
        outbox = Outbox(refuse, notices=notices)
        assert await outbox.send(Request(method="chat.postMessage", args={})) == Refused(code)
        return notices.present

    notes = asyncio.run(test())
    (told,) = complaints(caplog)
    assert told == f"chat.postMessage: refused by Slack ({code}): {remedy_of(code)}."
    assert notes == (() if code in NO_FAULTS else (f"Slack refuses requests ({code}): {remedy_of(code)}",))


def test_many_codes_are_known() -> None:
    assert len(REMEDIES) > 100


@pytest.mark.parametrize(
    ("code", "wanted"),
    [
        (10, "clock is ahead"),
        (9, "clock is behind; set it"),
        (20, "SSL_CERT_FILE=/path/to/ca.pem"),
        (62, "another host's"),
        (7, "SSL_CERT_FILE"),
    ],
)
def test_what_is_wrong_with_a_certificate_is_told(code: int, wanted: str) -> None:
    from aiohttp import ClientConnectorCertificateError

    error = ssl.SSLCertVerificationError("no")
    error.verify_code = code
    assert wanted in network_remedy(ClientConnectorCertificateError(None, error))  # type: ignore[arg-type]


def test_of_several_addresses_the_first_is_told_and_none_is_shown() -> None:
    from aiohttp import ClientConnectorError

    several = "Multiple exceptions: [Errno 101] Connect call failed ('::2', 443), [Errno 111] Connect call failed ('10.0.0.7', 1)"
    error = ClientConnectorError(SimpleNamespace(host="slack.com", port=443), OSError(several))  # type: ignore[arg-type]
    assert reason_of(error) == "[Errno 101] Network is unreachable"
    assert network_remedy(error).startswith(
        "there is no route to slack.com:443; look at this machine's way out (IPv4 and IPv6)"
    )


# --- answers that Slack doesn't take


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A fault that meets the bot's requests of one method, once it runs.

    `code` is the metric's and `wanted` the beginning of the sentence. `is_first`: only the first attempt of each meets it.
    `is_note`: /healthz shows it.
    """

    source: str
    fault: Fault
    code: str
    wanted: str
    method: str = "chat.postMessage"
    healthy: bool = True
    is_first: bool = False
    is_note: bool = True


OUT = {
    "the bot isn't in the channel": Refusal(
        source="connorads/lockbot#11", fault=Fault(error="not_in_channel"), code="not_in_channel",
        wanted="the app isn't in the channel; invite it",
    ),
    "a private channel": Refusal(
        source="mishk0/slack-bot-api#63", fault=Fault(error="channel_not_found"), code="channel_not_found",
        wanted="the channel is gone, or it is private and the app isn't in it; invite it",
    ),
    "a channel for announcements": Refusal(
        source="getsentry/junior#713", fault=Fault(error="restricted_action_read_only_channel"),
        code="restricted_action_read_only_channel", wanted="a rule of the channel or the workspace lets apps not post there; who",
    ),
    "a restriction that came later": Refusal(
        source="slackhq/slack-api-docs#85", fault=Fault(error="restricted_action"), code="restricted_action",
        wanted="a rule of the channel or the workspace lets apps not post there; who",
    ),
    "a picture that Slack can't fetch": Refusal(
        source="slackapi/python-slack-sdk#1782", fault=Fault(error="invalid_blocks"), code="invalid_blocks", is_first=True,
        wanted="Slack can't show a part of the message; is the address of each picture in the pack open to everybody?",
    ),
    "a scope that was never granted": Refusal(
        source="openclaw/openclaw#1881", fault=Fault(error="missing_scope", more=(("needed", "chat:write"),)),
        code="missing_scope", wanted="the token lacks the scope chat:write; add it",
    ),
    "direct messages are switched off": Refusal(
        source="slackapi/python-slack-sdk#1015", fault=Fault(error="messages_tab_disabled"), code="messages_tab_disabled",
        wanted="direct messages to the app are switched off; switch on the Messages Tab",
    ),
    "token rotation": Refusal(
        source="slackapi/bolt-js#1968", fault=Fault(error="token_expired"), code="token_expired", healthy=False,
        wanted="the token has expired, because the app has token rotation",
    ),
    "somebody has removed the app": Refusal(
        source="slackapi/bolt-python#1029", fault=Fault(error="account_inactive"), code="account_inactive", healthy=False,
        wanted="the app was removed from the workspace, or the workspace is gone; install the app again",
    ),
    "fatal_error": Refusal(
        source="slackapi/python-slack-sdk#1715", fault=Fault(error="fatal_error"), code="fatal_error",
        wanted="Slack has a fault of its own; nothing can be done here",
    ),
    "internal_error": Refusal(
        source="slackapi/python-slack-sdk#1403", fault=Fault(error="internal_error"), code="internal_error",
        wanted="Slack has a fault of its own; nothing can be done here",
    ),
    "a code that nobody knows": Refusal(
        source="", fault=Fault(error="a_code_of_tomorrow"), code="a_code_of_tomorrow",
        wanted="Slack refuses with a code that AskPy doesn't know; look for it on docs.slack.dev",
    ),
    "a proxy's page instead of JSON": Refusal(
        source="slackapi/python-slack-sdk#821", fault=Fault(body=b"<html>Please log in</html>", kind="text/html"),
        code="unknown_error", wanted="the answer isn't Slack's, which would be JSON; most likely a proxy",
    ),
    "an empty answer": Refusal(
        source="slackapi/python-slack-sdk#718", fault=Fault(body=b""), code="unknown_error",
        wanted="the answer isn't Slack's, which would be JSON; most likely a proxy",
    ),
    "a redirect to a login page": Refusal(
        source="", fault=Fault(302, location="http://127.0.0.1:9/login", body=b""), code="HTTP 302",
        wanted="that is hardly Slack's answer; most likely a proxy",
    ),
    "a firewall's 403": Refusal(
        source="", fault=Fault(403, body=b"<html>no</html>", kind="text/html"), code="HTTP 403",
        wanted="that is hardly Slack's answer; most likely a proxy",
    ),
    "Slack is down": Refusal(
        source="slackapi/python-slack-sdk#1364", fault=Fault(503), code="HTTP 503",
        wanted="Slack, or what stands in front of it, is down; slack-status.com says more",
    ),
    "the connection is reset": Refusal(
        source="slackapi/python-slack-sdk#1013", fault=RESET, code="ConnectionResetError",
        wanted="the connection broke before the answer was complete; look at the network and the proxy",
    ),
    "no answer in time": Refusal(
        source="slackapi/bolt-python#1370", fault=SILENCE, code="TimeoutError",
        wanted="no answer in time; look at the network and the proxy",
    ),
    "the answer to a command comes too late": Refusal(
        source="getsentry/sentry#7955", fault=Fault(404, "expired_url"), code="expired_url", method="hook", is_note=False,
        wanted="an answer came after the 30 minutes in which a response_url is good; the member has to ask again",
    ),
    "a response_url of an app that was removed": Refusal(
        source="slackapi/slack-github-action#249", fault=Fault(404, body=b"no_service", kind="text/plain"),
        code="no_service", method="hook", wanted="a response_url is no longer good, or its app was removed; ask again",
    ),
    "a modal that opens too late": Refusal(
        source="slackapi/bolt-python#886", fault=Fault(error="expired_trigger_id"), code="expired_trigger_id",
        method="views.open", wanted="a press or command was handled after Slack's limit of three seconds; look at the load",
    ),
    "the Home tab is switched off": Refusal(
        source="", fault=Fault(error="not_enabled"), code="not_enabled", method="views.publish",
        wanted="the Home tab is switched off; switch it on",
    ),
    "more than one message a second": Refusal(
        source="app-sre/qontract-reconcile#4963", fault=limited(0.01), code="rate limited",
        wanted="Slack limits the rate, of messages to about one a second and channel; it is tried again",
    ),
}  # fmt: skip


def ask_twice(door: Door, method: str) -> None:
    """Cause two requests of a method."""
    for _ in range(2):
        if method == "hook":
            door.command(WORD)
        elif method == "views.open":
            door.press("search", "", container={"type": "view"}, view={"id": "V1", "type": "home"})
        elif method == "views.publish":
            door.event(type="app_home_opened", tab="home")
        else:
            door.mention(WORD)


@pytest.mark.parametrize("name", OUT)
def test_an_answer_that_slack_does_not_take(
    name: str, door: Door, stub: Stub, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = OUT[name]
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(client_module, "READ_TIMEOUT", 0.3)
    door.thread.run(door.app.context.client.close())
    door.thread.run(door.app.context.client.open())  # with that timeout
    for method in (case.method, "chat.postEphemeral"):
        stub.fail(method, *[case.fault, Fault()] * 2 if case.is_first else [case.fault] * 40)
    ask_twice(door, case.method)
    door.settle()
    (status, health), page = get(door.port, "/healthz"), get(door.port, "/metrics")[1]

    assert sum(case.wanted in line for line in caplog.messages) == 1, caplog.messages
    assert (status == 200, case.wanted in health) == (case.healthy, case.is_note), health
    label = "response_url" if case.method == "hook" else case.method
    counted = re.search(rf'askpy_slack_errors_total{{code="{case.code}",method="{label}"}} (\d+)', page)
    assert counted is not None
    assert int(counted[1]) >= 2
    assert len(stub.calls) <= 2 * 10 + 4  # nothing spins
    assert (SECRETS.search(caplog.text + health), "Traceback" in caplog.text) == (None, False)

    stub.faults.clear()
    before = len(stub.calls)
    ask_twice(door, case.method)
    door.settle()
    assert len(stub.calls) > before  # the bot lives on


def test_answers_that_go_through_again_are_told(door: Door, stub: Stub, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    stub.fail("chat.postMessage", Fault(503), Fault(error="token_revoked"), Fault(body=b"<html>"))
    for _ in range(4):
        door.mention()
        door.settle()
    assert get(door.port, "/healthz") == (200, "ok\n")
    over = [line for line in caplog.messages if "again." in line]
    assert over == ["Slack answers again.", "Slack takes SLACK_BOT_TOKEN again.", "Slack's answers can be read again."]


PAGE = Fault(body=b"<html>Please log in</html>", kind="text/html")
NO_ANSWERS = {
    "a page": ("chat.postMessage", PAGE),
    "JSON of something else": ("chat.postMessage", Fault(body=b'{"error": "login_required"}')),
    "a list": ("chat.postMessage", Fault(body=b"[1]")),
    "a firewall's 403": ("chat.postMessage", Fault(403, body=b"no", kind="text/plain")),
    "a page for a response_url": ("hook", PAGE),
    "nothing for a response_url": ("hook", Fault(body=b"")),
    "JSON of something else for a response_url": ("hook", Fault(body=b'{"error": "login_required"}')),
}
ANSWERS = {
    "a message that was taken": ("chat.postMessage", Fault()),
    "an error code": ("chat.postMessage", Fault(error="not_in_channel")),
    "ok of a response_url": ("hook", Fault(body=b"ok", kind="text/plain")),
    "JSON of a response_url": ("hook", Fault(body=b'{"ok": true}')),
    "a response_url that is used up": ("hook", Fault(404, body=b"used_url", kind="text/plain")),
}


@pytest.mark.parametrize("name", NO_ANSWERS | ANSWERS)
def test_slack_answers_again_only_if_it_does(name: str, stub: Stub, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    method, answer = (NO_ANSWERS | ANSWERS)[name]
    stub.fail(method, Fault(503), answer)
    request = Request(url=stub.hook(), args={}) if method == "hook" else Request(method=method, args={})

    async def test() -> list[int]:
        async with SlackClient(SlackConfig(bot_token="xoxb-1", api_url=stub.url)) as client:
            counts = []
            for _ in range(2):
                await client.post_once(request)
                counts.append(len(client.notices.present))
            return counts

    assert (asyncio.run(test()), "Slack answers again." in caplog.messages) == (
        [1, int(name in NO_ANSWERS)],
        name in ANSWERS,
    )


# --- requests that the bot doesn't take

CHALLENGE = json.dumps({"type": "url_verification", "challenge": WORD, "token": "x"}).encode()
OLD, NOW = str(int(time.time()) - 400), str(int(time.time()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """A request that is refused; `wanted` is the beginning of the sentence. Notes are for what probably comes from Slack."""

    source: str
    reason: str
    wanted: str
    status: int = 401
    body: bytes = CHALLENGE
    path: str = "/slack/events"
    headers: dict[str, str] = field(default_factory=dict)
    secret: str = SECRET
    stamp: str = NOW
    is_note: bool = True


IN = {
    "another app's signing secret": Incoming(
        source="slackapi/bolt-python#376", reason="signature", secret="another", wanted="SLACK_SIGNING_SECRET isn't this app's",
    ),
    "a proxy that rewrites the body": Incoming(
        source="slackapi/bolt-js#112", reason="signature", headers={"X-Slack-Signature": "v0=" + "ab" * 32},
        wanted="SLACK_SIGNING_SECRET isn't this app's, a proxy changes the bodies",
    ),
    "a clock that is off": Incoming(
        source="slackapi/bolt-python#195", reason="clock", stamp=OLD, wanted="their time is ",
    ),
    "a request URL with another path": Incoming(
        source="chiefonboarding/ChiefOnboarding#509", reason="request_url", path="/slack/event", status=404,
        wanted="they are Slack's, and /slack/events isn't their path; let each Request URL",
    ),
    "headers that a proxy drops": Incoming(
        source="openclaw/openclaw#41035", reason="unsigned", headers={"X-Slack-Signature": ""}, is_note=False,
        wanted="they have no time and signature of Slack's form",
    ),
    "a type that a proxy changes": Incoming(
        source="", reason="media_type", headers={"Content-Type": "text/plain"}, status=415,
        is_note=False, wanted="they are neither JSON nor a form",
    ),
    "a proxy that compresses": Incoming(
        source="", reason="encoding", body=gzip.compress(CHALLENGE), status=400, is_note=False,
        wanted="their bodies aren't UTF-8; a proxy compresses or changes them",
    ),
    "a stranger at another path": Incoming(
        source="", reason="path", path="/robots.txt", secret="another", status=404, is_note=False,
        wanted="there is nothing at their path; somebody else than Slack sends them",
    ),
    "a payload that can't be read": Incoming(
        source="", reason="payload", body=b'{"type": "event_callback"}', status=400,
        wanted="they have the right signature, and can't be read",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", IN)
def test_a_request_that_is_refused(name: str, door: Door, caplog: pytest.LogCaptureFixture) -> None:
    import hashlib
    import hmac

    case = IN[name]
    caplog.set_level(logging.INFO)
    digest = hmac.new(case.secret.encode(), f"v0:{case.stamp}:".encode() + case.body, hashlib.sha256).hexdigest()
    headers = {"X-Slack-Request-Timestamp": case.stamp, "X-Slack-Signature": f"v0={digest}"} | case.headers
    assert {door.request(case.body, path=case.path, **headers) for _ in range(3)} == {case.status}
    (status, health), page = get(door.port, "/healthz"), get(door.port, "/metrics")[1]

    (told,) = [line for line in caplog.messages if " refused: " in line]
    assert told.startswith(f"1 request refused: {case.wanted}")
    assert (status, health.startswith("ok"), f"3 requests refused: {case.wanted}" in health) == (
        200,
        True,
        case.is_note,
    )
    assert f'askpy_requests_refused_total{{reason="{case.reason}"}} 3.0' in page
    assert SECRETS.search(caplog.text + health) is None
    assert door.mention() == 200


def test_deliveries_are_counted_by_what_became_of_them(door: Door) -> None:
    assert "askpy_last_delivery_seconds 0.0" in get(door.port, "/metrics")[1]
    before = time.time()
    door.mention()
    page = get(door.port, "/metrics")[1]
    assert 'askpy_deliveries_total{outcome="accepted"} 1.0' in page
    last = re.search(r"askpy_last_delivery_seconds ([0-9.e+]+)", page)
    assert last is not None
    assert float(last[1]) >= before


# --- serve itself: the start, and Socket Mode


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Settings:
    """Over sample replies, and with pauses of hundredths of a second."""
    monkeypatch.setattr(serving, "build", slack_process.build)
    monkeypatch.setattr(serving, "GRACE", 1.0)
    monkeypatch.setattr(client_module, "FIRST_CONNECT_DELAY", 0.05)
    monkeypatch.setattr(client_module, "CONNECT_TIMEOUT", 0.3)
    monkeypatch.setattr(socket_module, "CONNECT_DELAYS", (0.05, 0.1))
    monkeypatch.setattr(socket_module, "HELLO_WITHIN", 0.3)
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
    tls_context.cache_clear()
    return settings


def until(caplog: pytest.LogCaptureFixture, words: str) -> None:
    """Until a line has these words; they are logged by another thread."""
    ends = time.monotonic() + 10
    while not any(words in line for line in caplog.messages):
        assert time.monotonic() < ends, caplog.messages
        time.sleep(0.01)


@contextmanager
def server(status: int, context: ssl.SSLContext | None = None) -> Iterator[int]:
    """The port of a server that answers each request with this status."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_CONNECT(self) -> None:
            self.answer()

        def do_POST(self) -> None:
            self.answer()

        def log_message(self, *_: object) -> None:
            pass

    class Quiet(HTTPServer):
        def handle_error(self, *_: object) -> None:
            pass

    listening = Quiet(("127.0.0.1", 0), Handler)
    if context is not None:
        listening.socket = context.wrap_socket(listening.socket, server_side=True)
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield listening.server_address[1]
    finally:
        listening.shutdown()
        thread.join(10)
        listening.server_close()


def certified(folder: Path, name: str, start: str, end: str) -> tuple[ssl.SSLContext, Path]:
    """A server's TLS context whose certificate it has signed itself, valid from `start` to `end`; and the certificate's file."""
    (folder / "index").write_text("")
    (folder / "serial").write_text("01")
    (folder / "ca.conf").write_text(
        f"[ca]\ndefault_ca=c\n[c]\nnew_certs_dir={folder}\ndatabase={folder}/index\nserial={folder}/serial\ndefault_md=sha256\n"
        "policy=p\nx509_extensions=x\n[p]\ncommonName=supplied\n[x]\nbasicConstraints=critical,CA:TRUE\n"
        f"subjectAltName={name}\n[req]\ndistinguished_name=d\n[d]\n"
    )
    key, request, certificate = folder / "key.pem", folder / "request.pem", folder / "certificate.pem"
    make = [
        "openssl",
        "req",
        "-new",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-subj",
        "/CN=slack",
    ]
    sign = [
        "openssl",
        "ca",
        "-batch",
        "-selfsign",
        "-keyfile",
        key,
        "-startdate",
        start,
        "-enddate",
        end,
        "-in",
        request,
    ]
    config = ["-config", folder / "ca.conf"]
    subprocess.run([*make, "-keyout", key, "-out", request, *config], check=True, capture_output=True)
    subprocess.run([*sign, "-out", certificate, *config], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context, certificate


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """A fault that meets `auth.test`. `wanted` is the beginning of the sentence, `code` the metric's."""

    source: str
    code: str
    wanted: str
    fault: Fault | None = None
    name: str = "IP:127.0.0.1"
    dates: tuple[str, str] | None = None
    is_trusted: bool = False
    proxy: int | str | None = None
    url: str = ""


GOOD = ("20200101000000Z", "20990101000000Z")
START = {
    "a company's own certificate authority": Start(
        source="slackapi/python-slack-sdk#1214", dates=GOOD, code="SSLCertVerificationError",
        wanted="nobody whom this machine trusts has signed the certificate",
    ),
    "a certificate that has expired": Start(
        source="binary-husky/gpt_academic#799", dates=("20200101000000Z", "20200201000000Z"), is_trusted=True,
        code="SSLCertVerificationError", wanted="the certificate has expired, or this machine's clock is ahead",
    ),
    "a clock that is years behind": Start(
        source="", dates=("20980101000000Z", "20990101000000Z"), is_trusted=True,
        code="SSLCertVerificationError", wanted="the certificate isn't valid yet: this machine's clock is behind; set it (NTP)",
    ),
    "another host's certificate": Start(
        source="slackapi/java-slack-sdk#482", dates=GOOD, is_trusted=True, name="DNS:proxy.example",
        code="SSLCertVerificationError", wanted="the certificate is another host's; look at SLACK_API_URL",
    ),
    "https where there is http": Start(
        source="slackapi/bolt-python#227", url="https://127.0.0.1:{stub}/api/", code="SSLError",
        wanted="127.0.0.1:{stub} doesn't speak TLS as Slack does; most likely a proxy",
    ),
    "a name that can't be looked up": Start(
        source="slackapi/bolt-python#1182", url="https://slack.example/api/", code="gaierror",
        wanted="the name slack.example can't be looked up; look at this machine's DNS server",
    ),
    "nobody listens": Start(
        source="slackapi/python-slack-sdk#847", url="http://127.0.0.1:1/api/", code="ConnectionRefusedError",
        wanted="nobody listens at 127.0.0.1:1; look at SLACK_API_URL",
    ),
    "a firewall that drops": Start(
        source="slackapi/bolt-js#772", url="http://127.0.0.1:{full}/api/", code="TimeoutError",
        wanted="no connection in time, as where a firewall drops packets; let slack.com",
    ),
    "a proxy that wants a password": Start(
        source="slackapi/python-slack-sdk#743", url="https://slack.com/api/", proxy=407, code="HTTP 407",
        wanted="the proxy wants a name and a password; set HTTPS_PROXY=http://user:password@host:port",
    ),
    "a proxy that forbids it": Start(
        source="slackapi/python-slack-sdk#1483", url="https://slack.com/api/", proxy=403, code="HTTP 403",
        wanted="the proxy doesn't let the bot through; let it allow slack.com, hooks.slack.com",
    ),
    "a proxy that isn't there": Start(
        source="slack-ruby/slack-ruby-bot#155", url="https://slack.com/api/", proxy=0, code="ConnectionRefusedError",
        wanted="the proxy can't be reached; look at HTTPS_PROXY",
    ),
    "a proxy whose name can't be looked up": Start(
        source="", url="https://slack.com/api/", proxy="http://proxy.example:3128", code="gaierror",
        wanted="the proxy's name can't be looked up; look at HTTPS_PROXY",
    ),
    "a proxy that speaks http, and https is meant": Start(
        source="", url="https://slack.com/api/", proxy="https://127.0.0.1:{port}", code="SSLError",
        wanted="the proxy doesn't speak TLS; look at HTTPS_PROXY, which begins with http:// for most proxies",
    ),
    "a proxy with another host's certificate": Start(
        source="", url="https://slack.com/api/", proxy="https://127.0.0.1:{port}", dates=GOOD, is_trusted=True,
        name="DNS:other.example", code="SSLCertVerificationError",
        wanted="(SSLCertVerificationError of the proxy), waiting for it: the proxy's certificate is another host's; look at",
    ),
    "plain text instead of JSON": Start(
        source="mishk0/slack-bot-api#57", fault=Fault(body=b"You are sending too many requests.", kind="text/plain"),
        code="unknown_error", wanted="the answer isn't Slack's, which would be JSON; most likely a proxy",
    ),
    "a list instead of an object": Start(
        source="", fault=Fault(body=b"[1]"), code="unknown_error",
        wanted="the answer isn't Slack's, which would be JSON; most likely a proxy",
    ),
    "no UTF-8": Start(
        source="", fault=Fault(body=b'{"ok": "\xff"}'), code="unknown_error",
        wanted="the answer isn't Slack's, which would be JSON; most likely a proxy",
    ),
    "a login page": Start(
        source="", fault=Fault(302, location="http://127.0.0.1:9/login", body=b""),
        code="HTTP 302", wanted="that is hardly Slack's answer; most likely a proxy",
    ),
    "a workspace that is being moved": Start(
        source="", fault=Fault(error="team_added_to_org"), code="team_added_to_org",
        wanted="the workspace is being moved into an Enterprise organisation; wait until that is done",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", START)
def test_slack_that_can_not_be_reached_at_the_start(
    name: str, serve: Serve, quick: Settings, stub: Stub, tmp_path: Path,
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    case, url, context = START[name], stub.url, None
    if case.dates is not None:
        if shutil.which("openssl") is None:
            pytest.skip("openssl makes the certificates")
        context, certificate = certified(tmp_path, case.name, *case.dates)
        if case.is_trusted:
            monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    stub.fail("auth.test", *[case.fault] * 50) if case.fault is not None else None
    lookup = socket.getaddrinfo

    def no_such_name(host: Any, *args: Any, **options: Any) -> Any:
        if host in ("slack.example", "proxy.example"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return lookup(host, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", no_such_name)
    with (
        server(case.proxy if isinstance(case.proxy, int) and case.proxy else 200, context) as port,
        full_port() as full,
    ):
        if case.proxy is not None:
            address = case.proxy if isinstance(case.proxy, str) else f"http://127.0.0.1:{port if case.proxy else 1}"
            monkeypatch.setenv("HTTPS_PROXY", address.format(port=port))
        url = case.url.format(stub=stub.port, full=full) or (f"https://127.0.0.1:{port}/api/" if context else stub.url)
        wanted, pages = case.wanted.format(stub=stub.port), dict[str, tuple[int, str]]()

        def work(port: int) -> None:
            until(caplog, wanted)
            pages.update({path: get(port, path) for path in ("/healthz", "/metrics")})

        log = serve(replace(quick, slack_api_url=url), "http", work)

    assert sum(wanted in line for line in log) == 1, log
    status, health = pages["/healthz"]
    assert (status, health.startswith("not able to answer: Slack "), wanted in health) == (503, True, True), health
    assert re.search(
        rf'askpy_slack_errors_total{{code="{case.code}[^"]*",method="auth.test"}} [1-9]', pages["/metrics"][1]
    )
    assert (log[-1], "Traceback" in caplog.text, SECRETS.search(caplog.text)) == ("Stopped.", False, None)
    assert isinstance(case.proxy, int | None) or not re.search(r"proxy\.example|127\.0\.0\.1", health)


@contextmanager
def full_port() -> Iterator[int]:
    """A port that takes no more connections, as behind a firewall that drops packets."""
    with closing(socket.create_server(("127.0.0.1", 0), backlog=0)) as listening:
        port = listening.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(("127.0.0.1", port))
        yield port
        for each in waiting:
            each.close()


@pytest.mark.parametrize(
    "proxy",
    [
        "proxy.example:3128",
        "//proxy.example",
        "socks5://proxy.example:1",
        "http://",
        "http://proxy:x",
        " http://proxy:1",
    ],
)
@pytest.mark.parametrize("mode", ["http", "socket"])
def test_a_proxy_that_is_no_address_ends_the_start_with_its_remedy(
    proxy: str, mode: str, serve: Serve, quick: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    wanted = "^HTTPS_PROXY or HTTP_PROXY: not an address of the form http://host:port or http://user:password@host:port"
    with pytest.raises(SettingsError, match=wanted):
        serve(replace(quick, slack_api_url="https://slack.com/api/"), mode)


@pytest.mark.parametrize(
    ("proxy", "host", "port", "is_proxys"),
    [
        ("http://Proxy.example:3128", "proxy.example", 3128, True),
        ("https://ann:hush@proxy.example", "proxy.example", 443, True),
        ("http://proxy.example:3128", "slack.com", 443, False),
        ("http://127.0.0.1:3128", "127.0.0.1", 443, False),
        ("http://[::1", "proxy.example", 443, False),
        ("", "slack.com", 443, False),
    ],
)
def test_which_connection_has_failed(
    proxy: str, host: str, port: int, is_proxys: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """aiohttp's error names the host, whose it ever is; the proxy's is told in no sentence and no reason."""
    import aiohttp

    monkeypatch.setenv("HTTPS_PROXY", proxy)
    key: Any = SimpleNamespace(host=host, port=port, ssl=True)
    other = ssl.SSLCertVerificationError(f"certificate is not valid for '{host}'")
    other.verify_code = 62
    for error in (
        aiohttp.ClientConnectorDNSError(key, socket.gaierror(socket.EAI_NONAME, "Name or service not known")),
        aiohttp.ClientConnectorSSLError(key, ssl.SSLError(1, "wrong version number")),
        aiohttp.ClientConnectorCertificateError(key, other),
        aiohttp.ClientConnectorError(key, OSError(111, "Connection refused")),
    ):
        assert is_of_proxy(error) is is_proxys
        assert not (is_proxys and host in f"{reason_of(error)} {network_remedy(error)}")


def test_a_proxy_that_is_not_used_may_have_any_form(quick: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "proxy.example:3128")
    assert SlackConfig.from_settings(replace(quick, slack_api_url="http://127.0.0.1:1/api/"), "http")
    monkeypatch.setenv("NO_PROXY", "slack.com")
    assert SlackConfig.from_settings(replace(quick, slack_api_url="https://slack.com/api/"), "http")


def test_the_remedy_for_a_companys_certificate_authority_works(
    serve: Serve, quick: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With SSL_CERT_FILE the certificate is taken, and the next thing is what the server says."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl makes the certificates")
    context, certificate = certified(tmp_path, "IP:127.0.0.1", *GOOD)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with server(503, context) as port:
        url = f"https://127.0.0.1:{port}/api/"
        log = serve(replace(quick, slack_api_url=url), "http", lambda _: until(caplog, "HTTP 503"))
    assert not [line for line in log if "certificate" in line]
    tls_context.cache_clear()


def test_a_token_of_another_kind_ends_the_start_with_its_remedy(serve: Serve, quick: Settings, stub: Stub) -> None:
    """slackapi/python-slack-sdk#1239."""
    stub.fail("apps.connections.open", Fault(error="not_allowed_token_type"))
    with pytest.raises(
        SettingsError, match=r"^Slack refuses SLACK_APP_TOKEN \(not_allowed_token_type\): .*xapp-; copy it"
    ):
        serve(quick, "socket")


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A fault of Socket Mode, from the start on; `wanted` is the beginning of the sentence, `code` the metric's."""

    source: str
    code: str
    wanted: str
    fault: Fault | None = None
    stub: dict[str, Any] = field(default_factory=dict)


LINK = {
    "a handshake that isn't found": Link(
        source="slackapi/bolt-python#935", stub={"refuses": 404}, code="HTTP 404",
        wanted="the WebSocket isn't let through; let the proxy or firewall pass WebSockets",
    ),
    "a proxy that knows no WebSockets": Link(
        source="slackapi/bolt-python#898", stub={"refuses": 403}, code="HTTP 403",
        wanted="the WebSocket isn't let through; let the proxy or firewall pass WebSockets",
    ),
    "a page instead of a WebSocket": Link(
        source="slackapi/bolt-python#968", stub={"refuses": 200}, code="HTTP 200",
        wanted="the WebSocket isn't let through; let the proxy or firewall pass WebSockets",
    ),
    "a conflict": Link(
        source="slackapi/bolt-python#1203", stub={"refuses": 409}, code="HTTP 409",
        wanted="Slack takes no connection for the moment; it is tried again",
    ),
    "a handshake that times out": Link(
        source="slackapi/node-slack-sdk#1472", stub={"refuses": 408}, code="HTTP 408",
        wanted="Slack takes no connection for the moment; it is tried again",
    ),
    "too many processes": Link(
        source="slackapi/bolt-js#2238", stub={"ends_with": "too_many_websockets"}, code="too_many_websockets",
        wanted="this app token is used by too many processes (Slack allows ten); stop the others",
    ),
    "Socket Mode is switched off": Link(
        source="", stub={"ends_with": "link_disabled", "greets": False}, code="link_disabled",
        wanted="Socket Mode is switched off; switch it on",
    ),
    "Slack never says hello": Link(
        source="openclaw/openclaw#17847", stub={"greets": False}, code="silent",
        wanted="Slack says nothing on the WebSocket; look for a proxy that holds WebSockets back",
    ),
    "fatal_error for a new URL": Link(
        source="slackapi/node-slack-sdk#1500", fault=Fault(error="fatal_error"), code="fatal_error",
        wanted="Slack has a fault of its own; nothing can be done here",
    ),
    "too many new URLs": Link(
        source="slackapi/java-slack-sdk#1256", fault=Fault(429, "ratelimited", 0.2), code="ratelimited",
        wanted="Slack limits the rate, of messages to about one a second and channel",
    ),
    "no URL in the answer": Link(
        source="", fault=Fault(body=b'{"ok": true}'), code="unknown_error",
        wanted="the answer isn't Slack's, which would be JSON; most likely a proxy",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LINK)
def test_socket_mode_without_a_connection(
    name: str, serve: Serve, quick: Settings, stub: Stub, caplog: pytest.LogCaptureFixture
) -> None:
    """From the start, and again while it runs: each time one line, and the body of /healthz says why."""
    case = LINK[name]
    good = {each: getattr(stub, each) for each in case.stub}
    healths: list[tuple[int, str]] = []
    pages: list[str] = []

    def break_it() -> None:
        vars(stub).update(case.stub)
        stub.fail("apps.connections.open", *[case.fault] * 200) if case.fault is not None else None

    def mend_it(port: int) -> None:
        vars(stub).update(good)
        stub.faults.clear()
        ends = time.monotonic() + 10
        while get(port, "/healthz") != (200, "ok\n"):
            assert time.monotonic() < ends, get(port, "/healthz")
            time.sleep(0.02)

    def work(port: int) -> None:
        until(caplog, case.wanted)
        healths.append(get(port, "/healthz"))
        mend_it(port)
        break_it()
        stub.cut()
        ends = time.monotonic() + 10
        while case.wanted not in (found := get(port, "/healthz"))[1]:
            assert time.monotonic() < ends, found
            time.sleep(0.02)
        healths.append(found)
        pages.append(get(port, "/metrics")[1])
        mend_it(port)
        event = {"type": "app_mention", "user": "U1", "channel": "C1", "ts": "1.1", "text": "topic"}
        payload = {"type": "event_callback", "team_id": TEAM, "event": event}
        stub.send({"envelope_id": "e1", "type": "events_api", "payload": payload})
        stub.wait("chat.postMessage")

    break_it()
    log = serve(quick, "socket", work)
    told = [line for line in log if case.wanted in line]
    assert 1 <= len(told) <= 2, log  # at the start, and while it ran
    assert [(status, case.wanted in text, text.startswith("not able to answer: ")) for status, text in healths] == [
        (503, True, True)
    ] * 2
    assert re.search(rf'askpy_slack_errors_total{{code="{case.code}",method="Socket Mode"}} [1-9]', pages[0])
    assert (log[-1], "Traceback" in caplog.text, SECRETS.search(caplog.text)) == ("Stopped.", False, None)
    assert "Slack gives connections again." in log


def test_health_after_a_cut_says_no_more_than_is_so(
    serve: Serve, quick: Settings, stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection was stable, and there is no new one yet."""
    monkeypatch.setattr(client_module, "READ_TIMEOUT", 0.3)
    healths: list[tuple[int, str]] = []

    def work(port: int) -> None:
        while get(port, "/healthz") != (200, "ok\n"):
            time.sleep(0.02)
        stub.fail("apps.connections.open", SILENCE)
        stub.cut()
        while (found := get(port, "/healthz"))[0] == 200:
            time.sleep(0.01)
        healths.append(found)

    serve(quick, "socket", work)
    note = "no connection to Slack is open, or it hasn't stayed open for two seconds yet"
    assert healths == [(503, f"not able to answer: {note}\n")]


def test_cuts_are_told_by_health_with_and_without_a_connection(
    serve: Serve, quick: Settings, stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket_module, "CONNECT_DELAYS", (1.5,))
    healths: list[tuple[int, str]] = []
    pages: list[str] = []

    def until_status(port: int, status: int) -> tuple[int, str]:
        ends = time.monotonic() + 10
        while (found := get(port, "/healthz"))[0] != status:
            assert time.monotonic() < ends, found
            time.sleep(0.01)
        return found

    def work(port: int) -> None:
        for number in range(1, 4):
            stub.wait_for(lambda number=number: len(stub.sockets) == number)
            until_status(port, 200)
            time.sleep(0.45)  # how long a connection lasts here, which is longer than it needs to count as stable
            stub.cut()
        healths.extend((until_status(port, 503), until_status(port, 200)))
        pages.append(get(port, "/metrics")[1])

    serve(quick, "socket", work)
    note = "The connection to Slack is cut again and again, now after 1 s: "
    assert [text.partition(note)[0] for _, text in healths] == ["not able to answer: ", "ok; "]
    assert 'askpy_slack_errors_total{code="cut",method="Socket Mode"} 3.0' in pages[0]


@pytest.mark.parametrize(
    "frame", [{"type": "hello"}, {"type": "hello", "num_connections": None, "debug_info": 5}, {"type": "disconnect"}]
)
def test_frames_that_lack_fields_are_no_fault(
    frame: dict[str, Any], serve: Serve, quick: Settings, stub: Stub, caplog: pytest.LogCaptureFixture
) -> None:
    """slackapi/node-slack-sdk#2253, and a broken pipe as in slackapi/bolt-python#675: the connection is made anew."""

    def work(port: int) -> None:
        ends = time.monotonic() + 10
        while get(port, "/healthz")[0] != 200 and time.monotonic() < ends:
            time.sleep(0.02)
        stub.send(frame)
        stub.cut()
        stub.wait_for(lambda: len(stub.sockets) >= 2)
        while get(port, "/healthz")[0] != 200 and time.monotonic() < ends:
            time.sleep(0.02)

    assert serve(quick, "socket", work)[-1] == "Stopped."
    assert complaints(caplog) == []


# --- the guide


def test_the_guide_names_each_sentence_and_its_source() -> None:
    """docs/deploy.md, "When something is wrong": what is played here stands there."""
    guide = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8").partition("## When something is wrong")[2]
    guide = guide.partition("\n## ")[0]
    cases = [*OUT.values(), *IN.values(), *START.values(), *LINK.values()]
    assert [case.source for case in cases if case.source and case.source not in guide] == []
    assert len({case.source for case in cases if case.source}) >= 20
    reasons = {reason for reason in REFUSALS if f"`{reason}`" not in guide}
    assert reasons == set()
