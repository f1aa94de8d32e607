"""The HTTP receiver: rubbish, forgery, size and kind, slow clients and crowds, what is delivered once, and the stop."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, TypeVar
from urllib.parse import urlencode

import pytest
from slack_bolt import BoltResponse
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.request.async_request import AsyncBoltRequest

from bot.model import AskPyError
from bot.slack.admission import AckThenRun, Delivery
from bot.slack.transport import http as http_module
from bot.slack.transport import http as server_module
from bot.slack.transport import notices as notices_module
from bot.slack.transport.health import health_page
from bot.slack.transport.http import (
    EVENTS,
    FAULTS,
    MAX_BODY_BYTES,
    REFUSALS,
    HttpReceiver,
    PageServer,
    SeenSignatures,
    serve_http,
)
from bot.slack.transport.notices import Notices
from support.people import FORM, JSON, SECRET, signed
from support.slack_stub import TEAM

T = TypeVar("T")


@dataclass(slots=True)
class Answer:
    """A response, as it came: status 0 where the connection just ended."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


class Peer:
    """A client's connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def ask(self, *parts: bytes) -> Answer:
        for part in parts:
            self.writer.write(part)
            await asyncio.sleep(0)
        return await self.answer()

    async def answer(self) -> Answer:
        try:
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            line, *rest = head.strip().split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (each.partition(":") for each in rest)}
        except (OSError, asyncio.IncompleteReadError):
            return Answer()
        with suppress(asyncio.IncompleteReadError):  # to HEAD there is none
            body = await self.reader.readexactly(int(headers.get("content-length", 0)))
            return Answer(int(line.split()[1]), headers, body)
        return Answer(int(line.split()[1]), headers)

    async def ended(self) -> bool:
        """Until the other side has closed."""
        with suppress(OSError):
            return await self.reader.read() == b""
        return True


@dataclass(slots=True)
class Served:
    """A receiver behind its real server, and what it gave to Bolt."""

    port: int
    stop: asyncio.Event
    serving: asyncio.Task[bool]
    requests: list[AsyncBoltRequest]
    peers: list[Peer]

    async def peer(self) -> Peer:
        self.peers.append(Peer(*await asyncio.open_connection("127.0.0.1", self.port)))
        return self.peers[-1]

    async def ask(self, *parts: bytes) -> Answer:
        """The answer to one request by a connection of its own."""
        peer = await self.peer()
        answer = await peer.ask(*parts)
        peer.writer.close()
        return answer


Dispatch = Callable[[AsyncBoltRequest], Awaitable[BoltResponse]]


async def fine(_: AsyncBoltRequest) -> BoltResponse:
    return BoltResponse(status=200, body="")


@asynccontextmanager
async def served(dispatch: Dispatch = fine, **options: Any) -> AsyncIterator[Served]:
    requests: list[AsyncBoltRequest] = []

    async def noted(request: AsyncBoltRequest) -> BoltResponse:
        requests.append(request)
        return await dispatch(request)

    pages = {"/healthz": lambda: health_page(True), "/metrics": lambda: (200, "text/plain", b"askpy_queue 0\n")}
    receiver = HttpReceiver(noted, SECRET, pages, **options)
    stop, port = asyncio.Event(), asyncio.get_running_loop().create_future()
    serving = asyncio.ensure_future(serve_http(receiver, 0, stop, host="127.0.0.1", ready=port.set_result))
    found = Served(await port, stop, serving, requests, [])
    try:
        yield found
    finally:
        stop.set()
        await serving
        for peer in found.peers:
            peer.writer.close()


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


def ask(*parts: bytes, dispatch: Dispatch = fine, **options: Any) -> tuple[Answer, list[AsyncBoltRequest]]:
    """The answer to one request, and what Bolt got."""

    async def asked() -> tuple[Answer, list[AsyncBoltRequest]]:
        async with served(dispatch, **options) as receiver:
            return await receiver.ask(*parts), receiver.requests

    return run(asked())


# --- what is refused

RUBBISH: dict[str, tuple[bytes, str]] = {
    "no JSON": (b"{", JSON),
    "empty": (b"", JSON),
    "a list": (b"[1]", JSON),
    "a number": (b"1", JSON),
    "null": (b"null", JSON),
    "no type": (b"{}", JSON),
    "a huge number": (b'{"type": ' + b"1" * 5000 + b"}", JSON),
    "null event": (b'{"type": "event_callback", "event": null}', JSON),
    "no event": (b'{"type": "event_callback"}', JSON),
    "a text as event": (b'{"type": "event_callback", "event": "x"}', JSON),
    "an event without a type": (b'{"type": "event_callback", "event": {"type": 5}}', JSON),
    "deep": (b'{"type": "event_callback", "event": ' + b'{"type":' * 50_000, JSON),
    "deep lists": (b"[" * 100_000 + b"]" * 100_000, JSON),
    "odd authorizations": (b'{"type": "event_callback", "event": {"type": "x"}, "authorizations": 5}', JSON),
    "no UTF-8": (b'{"type": "\xff"}', JSON),
    "bad payload": (b"payload=%7Bnope", FORM),
    "empty payload": (b"payload=", FORM),
    "a list as payload": (b"payload=%5B1%5D", FORM),
    "actions that are numbers": (urlencode({"payload": '{"type": "block_actions", "actions": [1]}'}).encode(), FORM),
    "a view without a type": (urlencode({"payload": '{"type": "view_submission", "view": {}}'}).encode(), FORM),
    "a shortcut without a name": (urlencode({"payload": '{"type": "shortcut"}'}).encode(), FORM),
    "a payload without a type": (b"payload=%7B%7D", FORM),
    "nothing known": (b"a=b", FORM),
    "an empty form": (b"", FORM),
    "a form that is JSON": (b'{"a": 1}', FORM),
}


@pytest.mark.parametrize("case", RUBBISH)
def test_rubbish_is_a_bad_request(case: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    answer, requests = ask(signed(*RUBBISH[case]))
    assert (answer.status, requests) == (400, [])
    (told,) = [line for line in caplog.messages if " refused: " in line]
    reason = "encoding" if case == "no UTF-8" else "payload"
    assert told == f"1 request refused: {REFUSALS[reason]}."


EVENT = json.dumps({"type": "event_callback", "team_id": TEAM, "event": {"type": "app_mention"}}).encode()
NOW = int(time.time())
OLD = str(NOW - 400)
REFUSED: dict[str, tuple[bytes, int, str]] = {
    "a timestamp that is no number": (signed(EVENT, X_Slack_Request_Timestamp="yesterday"), 400, "headers"),
    "a negative timestamp": (signed(EVENT, X_Slack_Request_Timestamp="-5"), 400, "headers"),
    "a timestamp in other digits": (signed(EVENT, X_Slack_Request_Timestamp="١٢٣"), 400, "headers"),
    "a time of many digits": (signed(EVENT, X_Slack_Request_Timestamp="9" * 400), 400, "headers"),
    "a signature that isn't ASCII": (signed(EVENT, X_Slack_Signature="v0=é"), 400, "headers"),
    "a length that is no number": (signed(EVENT, Content_Length="x"), 400, "not_http"),
    "a negative length": (signed(EVENT, Content_Length="-5"), 400, "not_http"),
    "a forged signature": (signed(EVENT, X_Slack_Signature="v0=" + "0" * 64), 401, "signature"),
    "another secret": (signed(EVENT, secret="another"), 401, "signature"),
    "another secret and an old time": (signed(EVENT, secret="another", stamp=OLD), 401, "signature"),
    "no signature": (signed(EVENT, X_Slack_Signature=""), 401, "unsigned"),
    "a signature of another form": (signed(EVENT, X_Slack_Signature="v0=abc"), 401, "unsigned"),
    "no timestamp": (signed(EVENT, X_Slack_Request_Timestamp=""), 401, "unsigned"),
    "a stale timestamp": (signed(EVENT, stamp=OLD), 401, "clock"),
    "from the future": (signed(EVENT, stamp=str(int(time.time()) + 4000)), 401, "clock"),
    "a body over 1 MB": (signed(b" " * (MAX_BODY_BYTES + 1)), 413, "size"),
    "another type": (signed(EVENT, "text/plain"), 415, "media_type"),
    "no type": (signed(EVENT, Content_Type=""), 415, "media_type"),
    "too large and of another type": (signed(b" " * (MAX_BODY_BYTES + 1), "text/plain"), 413, "size"),
    "another path": (signed(EVENT).replace(b"/slack/events", b"/slack/other", 1), 404, "request_url"),
    "another path and another secret": (
        signed(EVENT, secret="another").replace(b"/slack/events", b"/robots.txt", 1),
        404,
        "path",
    ),
    "another path and an old time": (
        signed(EVENT, stamp=OLD).replace(b"/slack/events", b"/slack/other", 1),
        404,
        "path",
    ),
    "another path and a forged signature": (
        b"GET /robots.txt HTTP/1.1\r\nHost: x\r\nX-Slack-Request-Timestamp: %d\r\nX-Slack-Signature: v0=%s\r\n\r\n"
        % (NOW, b"0" * 64),
        404,
        "path",
    ),
    "another path and a body over 1 MB": (
        signed(b" " * (MAX_BODY_BYTES + 1)).replace(b"/slack/events", b"/slack/other", 1),
        404,
        "path",
    ),
    "another path and no UTF-8": (signed(b"\xff").replace(b"/slack/events", b"/slack/other", 1), 404, "path"),
    "a compressed body": (signed(gzip.compress(EVENT), Content_Encoding="gzip"), 400, "encoding"),
    "another path without a signature": (b"POST /wp-login.php HTTP/1.1\r\nHost: x\r\n\r\n", 404, "path"),
    "another method": (signed(EVENT).replace(b"POST", b"PUT", 1), 405, "method"),
    "no HTTP": (b"hello there\r\n\r\n", 400, "not_http"),
    "a TLS handshake": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400, "not_http"),
    "endless headers": (b"POST /slack/events HTTP/1.1\r\nX: " + b"a" * 400_000 + b"\r\n\r\n", 400, "not_http"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused_is_counted_and_said_in_one_line(case: str, caplog: pytest.LogCaptureFixture) -> None:
    """Without anything of the request. What keeps out Slack's own requests is a warning, whatever else is for those who look."""
    caplog.set_level(logging.INFO)
    raw, status, reason = REFUSED[case]
    reasons: list[str] = []
    answer, requests = ask(raw, on_refusal=reasons.append)
    assert (answer.status, requests, reasons) == (status, [], [reason])
    assert answer.headers["server"] == "AskPy"
    (told,) = [record for record in caplog.records if " refused: " in record.getMessage()]
    before, _, after = REFUSALS[reason].partition("{offset}")
    assert told.getMessage().startswith(f"1 request refused: {before}")
    assert told.getMessage().endswith(f"{after}.")
    assert told.levelname == ("WARNING" if reason in FAULTS else "INFO")


@pytest.mark.parametrize(
    ("seconds", "wanted"), [(-400, "400 s behind"), (400, "400 s ahead of"), (-4000, "4000 s behind")]
)
def test_a_clock_that_is_off_is_told_with_its_sign(
    seconds: int, wanted: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("slack_sdk.signature.Clock.now", lambda _: float(NOW))
    ask(signed(EVENT, stamp=str(NOW + seconds)))
    (told,) = [record.getMessage() for record in caplog.records]
    assert f"1 request refused: their time is {wanted} this machine's clock; set this machine's clock (NTP)" in told


def test_many_that_are_refused_are_two_lines_and_a_note(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One at once, and one with the number of the others a minute later."""
    monkeypatch.setattr(notices_module, "LOG_INTERVAL", 0.5)

    async def test() -> str:
        notices = Notices()
        async with served(notices=notices) as receiver:
            for _ in range(20):
                assert (await receiver.ask(signed(EVENT, secret="another"))).status == 401
            async with asyncio.timeout(5):
                while len(caplog.records) < 2:
                    await asyncio.sleep(0.01)
            (note,) = notices.present
            return note

    note = run(test())
    told = [record.getMessage().partition(":")[0] for record in caplog.records]
    assert (told, note.partition(":")[0]) == (["1 request refused", "19 requests refused"], "20 requests refused")


def test_a_clock_that_is_right_again_is_told(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    async def test() -> list[int]:
        notices = Notices()
        async with served(notices=notices) as receiver:
            counts = []
            for stamp in (OLD, "", ""):
                await receiver.ask(signed(EVENT, stamp=stamp))
                counts.append(len(notices.present))
            return counts

    assert run(test()) == [1, 0, 0]
    assert [line for line in caplog.messages if "again" in line][1:] == ["Requests have the right time again."]


def test_an_endless_body_at_another_path_is_bounded_and_told() -> None:
    reasons: list[str] = []
    head, *parts = chunked(b" " * (MAX_BODY_BYTES + 100_000))
    answer, _ = ask(head.replace(EVENTS.encode(), b"/robots.txt", 1), *parts, on_refusal=reasons.append)
    assert (answer.status, reasons) == (413, ["path"])


@pytest.mark.parametrize("proof", [{}, {"stamp": OLD}, {"body": b"{}"}])
def test_a_right_signature_proves_the_secret(proof: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    """It ends the note, and whatever is wrong after it is a stranger's: no warning, and no note."""
    caplog.set_level(logging.INFO)
    reasons: list[str] = []

    async def test() -> list[tuple[str, ...]]:
        notices, notes = Notices(), []
        async with served(notices=notices, on_refusal=reasons.append) as receiver:
            for raw in (
                signed(EVENT, secret="another"),
                signed(proof.pop("body", EVENT), **proof),
                signed(EVENT, secret="no"),
            ):
                await receiver.ask(raw)
                notes.append(tuple(each for each in notices.present if "SLACK_SIGNING_SECRET" in each))
        return notes

    before, *after = run(test())
    assert (len(before), after) == (1, [(), ()])
    assert (reasons[0], reasons[-1]) == ("signature", "forged")
    (told,) = [each for each in caplog.records if "their signature is wrong" in each.getMessage()]
    assert told.levelname == "INFO"
    assert "Requests have the right signature now." in caplog.messages


def test_a_press_that_comes_again_is_counted_and_deliveries_are_too() -> None:
    refused: list[str] = []
    delivered: list[int] = []
    press = urlencode({"payload": json.dumps({"type": "block_actions", "actions": [{"action_id": "a"}]})}).encode()

    async def test() -> list[int]:
        async with served(on_refusal=refused.append, on_delivery=delivered.append) as receiver:
            raw = signed(press, FORM)
            return [(await receiver.ask(each)).status for each in (raw, raw, signed(EVENT))]

    assert (run(test()), refused, delivered) == ([200, 401, 200], ["replayed"], [200, 200])


def chunked(body: bytes, size: int = 50_000) -> list[bytes]:
    """A signed request without a length."""
    head = signed(body, Content_Length="", Transfer_Encoding="chunked")[: -len(body)]
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    return [head, *(f"{len(part):x}\r\n".encode() + part + b"\r\n" for part in parts), b"0\r\n\r\n"]


def test_a_body_without_a_length_is_bounded_too() -> None:
    answer, requests = ask(*chunked(EVENT, 20))
    assert (answer.status, len(requests), requests[0].body["team_id"]) == (200, 1, TEAM)
    assert ask(*chunked(b" " * (MAX_BODY_BYTES + 1)))[0].status == 413
    assert ask(chunked(EVENT)[0], b"nonsense\r\n")[0].status == 400


def test_a_charset_is_no_other_type() -> None:
    assert ask(signed(EVENT, "application/json; charset=utf-8"))[0].status == 200


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        ("GET", "/healthz", 200, None),
        ("GET", "/metrics", 200, None),
        ("POST", "/healthz", 405, "GET"),
        ("GET", EVENTS, 405, "POST"),
        ("PUT", EVENTS, 405, "POST"),
        ("HEAD", EVENTS, 405, "POST"),
        ("GET", "/", 404, None),
        ("POST", "/slack/events/", 404, None),
        ("GET", "/slack/install", 404, None),
    ],
)
def test_paths_and_methods(method: str, path: str, status: int, allow: str | None) -> None:
    answer, _ = ask(f"{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    assert (answer.status, answer.headers.get("allow")) == (status, allow)


def test_until_it_is_ready_slack_is_told_to_come_again() -> None:
    async def statuses() -> list[tuple[int, bytes]]:
        ready = asyncio.Event()
        async with served(is_ready=ready.is_set) as receiver:
            got = []
            for _ in range(2):
                for path in ("GET /healthz", "POST /slack/events", "GET /slack/events", "GET /metrics", "POST /x"):
                    answer = await receiver.ask(f"{path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
                    got.append((answer.status, answer.body))
                ready.set()
            return got

    got = run(statuses())
    assert [status for status, _ in got] == [503, 503, 405, 200, 404, 200, 415, 405, 200, 404]
    assert got[:2] == [(503, b"not able to answer: still starting\n"), (503, b"not able to answer\n")]
    assert got[5] == (200, b"ok\n")


def test_what_is_not_signed_is_not_even_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A megabyte of fields takes half a second to parse, and anybody could send it."""
    parsed: list[object] = []
    read = http_module.parse_body
    monkeypatch.setattr(http_module, "parse_body", lambda *args: parsed.append(args) or read(*args))
    for raw, kind in ((b'{"a":' + b"[" * 900_000, JSON), (b"a=b&" * (MAX_BODY_BYTES // 4), FORM)):
        assert ask(signed(raw, kind, X_Slack_Signature="v0=" + "0" * 64))[0].status == 401
    assert parsed == []
    assert (ask(signed(EVENT))[0].status, len(parsed)) == (200, 1)


# --- what Bolt gets


def test_bolt_gets_the_body_and_only_slacks_headers() -> None:
    _, (request,) = ask(
        signed(EVENT, X_Slack_Retry_Num="1", X_Slack_Bolt_Lazy_Only="1", X_Slack_Bolt_Lazy_Function_Name="f")
    )
    assert (request.raw_body, request.body["team_id"], request.context["team_id"]) == (EVENT.decode(), TEAM, TEAM)
    assert (request.headers["x-slack-retry-num"], request.lazy_only, request.lazy_function_name) == (["1"], False, None)


@pytest.mark.parametrize("text", ["what is a payload", "payload=1", "topic"])
def test_a_command_may_say_payload(text: str) -> None:
    _, (request,) = ask(signed(urlencode({"command": "/askpy", "text": text, "team_id": TEAM}).encode(), FORM))
    assert (request.body["text"], request.context["team_id"]) == (text, TEAM)


def test_a_real_app_answers_slacks_checks_and_a_modal() -> None:
    async def app() -> list[Answer]:
        async def authorize() -> AuthorizeResult:
            return AuthorizeResult(enterprise_id=None, team_id=TEAM, bot_id="B1", bot_user_id="U1", bot_token="xoxb-1")

        bolt = AsyncApp(signing_secret=SECRET, authorize=authorize)
        press = {"type": "view_submission", "view": {"type": "modal", "callback_id": "c"}, "team": {"id": TEAM}}

        @bolt.view("c")
        async def submitted(ack: Any) -> None:
            await ack(response_action="clear")

        async with served(bolt.async_dispatch) as receiver:
            challenge = {"type": "url_verification", "challenge": "abc", "token": "x"}
            return [
                await receiver.ask(signed(json.dumps(challenge).encode())),
                await receiver.ask(signed(urlencode({"ssl_check": "1", "token": "x"}).encode(), FORM)),
                await receiver.ask(signed(urlencode({"payload": json.dumps(press)}).encode(), FORM)),
            ]

    challenge, check, modal = run(app())
    assert (challenge.status, b"abc" in challenge.body, check.status) == (200, True, 200)
    assert json.loads(modal.body) == {"response_action": "clear"}
    assert modal.headers["content-type"].startswith("application/json")


def test_a_fault_of_ours_is_a_line_without_words_and_a_500(caplog: pytest.LogCaptureFixture) -> None:
    asked = "what is " + "xylophone?"

    async def broken(_: AsyncBoltRequest) -> BoltResponse:
        raise KeyError(asked)

    answer, _ = ask(signed(EVENT), dispatch=broken)
    assert (answer.status, answer.body) == (500, b"Internal Server Error\n")
    assert ("KeyError" in caplog.text, asked in caplog.text) == (True, False)


# --- what is delivered once


def replay(body: bytes, kind: str = FORM, dispatch: Dispatch = fine) -> list[int]:
    """The very same request three times, as somebody could who has seen it."""

    async def thrice() -> list[int]:
        raw = signed(body, kind)
        async with served(dispatch) as receiver:
            return [(await receiver.ask(raw)).status for _ in range(3)]

    return run(thrice())


PRESS = {"type": "block_actions", "team": {"id": TEAM}, "user": {"id": "U1"}, "actions": [{"action_id": "a"}]}


@pytest.mark.parametrize(
    "payload",
    [
        PRESS,
        {"type": "shortcut", "callback_id": "c"},
        {"type": "message_action", "callback_id": "c"},
        {"type": "view_submission", "view": {"callback_id": "c", "type": "modal"}},
    ],
)
def test_whatever_a_person_does_counts_once(payload: dict[str, Any]) -> None:
    assert replay(urlencode({"payload": json.dumps(payload)}).encode()) == [200, 401, 401]


def test_a_command_counts_once() -> None:
    assert replay(urlencode({"command": "/askpy", "text": "topic"}).encode()) == [200, 401, 401]


def test_an_event_may_come_again_and_so_may_what_is_asked_as_somebody_types() -> None:
    typed = {"type": "block_suggestion", "team": {"id": TEAM}, "action_id": "entry", "value": "f"}
    assert replay(EVENT, JSON) == [200] * 3
    assert replay(urlencode({"payload": json.dumps(typed)}).encode()) == [200] * 3


def test_what_was_not_done_may_come_again() -> None:
    statuses = iter([503, 200])

    async def busy(_: AsyncBoltRequest) -> BoltResponse:
        return BoltResponse(status=next(statuses), body="")

    assert replay(urlencode({"payload": json.dumps(PRESS)}).encode(), dispatch=busy) == [503, 200, 401]


def test_signatures_are_forgotten_when_they_are_good_no_more() -> None:
    now = [0.0]
    seen = SeenSignatures(lambda: now[0])
    assert (seen.add("a"), seen.add("a"), seen.add("b")) == (True, False, True)
    seen.forget("b")
    assert seen.add("b")
    now[0] = http_module.SIGNED_FOR + 1
    assert (seen.add("c"), seen.add("c")) == (True, False)
    now[0] *= 2
    assert (seen.add("d"), seen.add("a"), seen.add("c")) == (True, True, False)


def test_used_signatures_are_bounded() -> None:
    seen = SeenSignatures(lambda: 0.0)
    assert all(seen.add(str(number)) for number in range(3 * http_module.MAX_SEEN_SIGNATURES))
    assert not seen.add(str(3 * http_module.MAX_SEEN_SIGNATURES - 1))
    assert seen.add("0")


# --- acknowledgements


def test_the_task_goes_on_when_the_acknowledgement_is_written() -> None:
    async def acknowledged() -> tuple[Answer, bool, bool]:
        delivery = Delivery()

        async def claim(_: AsyncBoltRequest) -> BoltResponse:
            return AckThenRun(delivery)

        async with served(claim) as receiver:
            peer = await receiver.peer()
            peer.writer.write(signed(EVENT))
            written = await delivery.acknowledged()
            return await peer.answer(), written, receiver.serving.done()

    answer, written, _ = run(acknowledged())
    assert (answer.status, answer.body, written) == (200, b"", True)


def test_the_task_is_told_where_nobody_is_left_to_acknowledge_to(caplog: pytest.LogCaptureFixture) -> None:
    async def gone() -> bool:
        delivery, arrived, decided = Delivery(), asyncio.Event(), asyncio.Event()

        async def claim(_: AsyncBoltRequest) -> BoltResponse:
            arrived.set()
            await decided.wait()
            return AckThenRun(delivery)

        async with served(claim) as receiver:
            peer = await receiver.peer()
            peer.writer.write(signed(EVENT))
            await arrived.wait()
            peer.writer.transport.abort()
            await asyncio.sleep(0.02)  # until the reset has crossed the loopback
            decided.set()
            return await delivery.acknowledged()

    assert (run(gone()), caplog.text) == (False, "")


# --- slow clients


def test_a_body_that_takes_too_long_is_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "IDLE_TIMEOUT", 0.1)
    answer, requests = ask(signed(EVENT, Content_Length="5000"))
    assert (answer.status, answer.headers["connection"], requests) == (408, "close", [])


@pytest.mark.parametrize("sent", [b"", b"POST /slack/events HTTP/1.1\r\nHost", signed(EVENT)])
def test_a_connection_that_says_nothing_more_is_closed(sent: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "IDLE_TIMEOUT", 0.1)

    async def ended() -> bool:
        async with served() as receiver:
            peer = await receiver.peer()
            peer.writer.write(sent)
            if sent.endswith(EVENT):
                assert (await peer.answer()).status == 200
            async with asyncio.timeout(5):
                return await peer.ended()

    assert run(ended())


def test_slow_clients_cost_a_connection_each_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    async def among() -> list[int]:
        async with served() as receiver:
            slow = [await receiver.peer() for _ in range(60)]
            parts = (b"", b"POST /slack/ev", signed(EVENT, Content_Length="5000"))
            for number, peer in enumerate(slow):
                peer.writer.write(parts[number % 3])
            return [(await receiver.ask(signed(EVENT))).status for _ in range(20)]

    assert run(among()) == [200] * 20


def test_in_a_crowd_those_who_say_nothing_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "MAX_CONNECTIONS", 20)
    monkeypatch.setattr(server_module, "IDLE_TIMEOUT_FULL", 0.1)
    monkeypatch.setattr(server_module, "POLL_INTERVAL", 0.02)

    async def crowd() -> tuple[list[int], int]:
        busy, arrived = asyncio.Event(), asyncio.Event()

        async def slow(request: AsyncBoltRequest) -> BoltResponse:
            if request.body["team_id"] == "T0SLOW":
                arrived.set()
                await busy.wait()
            return BoltResponse(status=200, body="")

        async with served(slow) as receiver:
            working = await receiver.peer()
            working.writer.write(signed(EVENT.replace(TEAM.encode(), b"T0SLOW")))
            await arrived.wait()
            silent = [await receiver.peer() for _ in range(50)]
            for peer in silent[::2]:
                peer.writer.write(signed(EVENT, Content_Length="5000"))
            async with asyncio.timeout(10):
                statuses = [(await receiver.ask(signed(EVENT))).status for _ in range(30)]
            busy.set()
            return statuses, (await working.answer()).status

    assert run(crowd()) == ([200] * 30, 200)


# --- serving and stopping


def test_many_at_once_over_kept_connections() -> None:
    async def many() -> list[int]:
        async with served() as receiver:

            async def one() -> list[int]:
                peer = await receiver.peer()
                return [(await peer.ask(signed(EVENT))).status for _ in range(20)]

            return list(chain.from_iterable(await asyncio.gather(*[one() for _ in range(20)])))

    assert run(many()) == [200] * 400


def test_a_port_in_use_is_a_sentence() -> None:
    async def twice() -> None:
        async with served() as receiver:
            sentence = rf"^Port {receiver.port} can't be opened \(Address already in use\)\. Set PORT to another one\.$"
            with pytest.raises(AskPyError, match=sentence):
                await serve_http(HttpReceiver(fine, SECRET, {}), receiver.port, asyncio.Event(), host="127.0.0.1")
            with pytest.raises(AskPyError, match=sentence):
                PageServer(receiver.port, {}, "127.0.0.1")

    run(twice())


def test_a_stop_answers_what_has_arrived() -> None:
    async def stopped() -> tuple[list[int], bool, bool]:
        decided, arrived = asyncio.Event(), asyncio.Event()

        async def slow(_: AsyncBoltRequest) -> BoltResponse:
            arrived.set()
            await decided.wait()
            return BoltResponse(status=200, body="")

        async with served(slow) as receiver:
            working, idle = await receiver.peer(), await receiver.peer()
            working.writer.write(signed(EVENT))
            await arrived.wait()
            late = await receiver.peer()
            late.writer.write(signed(EVENT))
            receiver.stop.set()
            assert await idle.ended()
            with pytest.raises(OSError):
                await receiver.peer()
            decided.set()
            statuses = [(await peer.answer()).status for peer in (working, late)]
            return statuses, await working.ended(), await receiver.serving

    assert run(stopped()) == ([200, 200], True, True)


def test_a_stop_does_not_wait_for_ever() -> None:
    async def stopped() -> tuple[Answer, bool, bool]:
        arrived, delivery = asyncio.Event(), Delivery()

        async def never(_: AsyncBoltRequest) -> BoltResponse:
            arrived.set()
            await asyncio.Event().wait()
            return AckThenRun(delivery)

        stop, port = asyncio.Event(), asyncio.get_running_loop().create_future()
        receiver = HttpReceiver(never, SECRET, {})
        work = serve_http(receiver, 0, stop, host="127.0.0.1", ready=port.set_result, finish_within=0.1)
        serving = asyncio.ensure_future(work)
        peer = Peer(*await asyncio.open_connection("127.0.0.1", await port))
        peer.writer.write(signed(EVENT))
        await arrived.wait()
        stop.set()
        answer, done = await peer.answer(), await serving
        peer.writer.close()
        return answer, done, serving.cancelled()

    assert run(stopped()) == (Answer(), False, False)


def test_several_processes_may_share_a_listening_socket() -> None:
    async def shared() -> list[int]:
        listening = server_module.listen("127.0.0.1", 0)
        other = socket.socket(fileno=socket.dup(listening.fileno()))
        other.setblocking(False)
        stops = [asyncio.Event(), asyncio.Event()]
        receiver = HttpReceiver(fine, SECRET, {})
        port = listening.getsockname()[1]
        serving = [
            asyncio.ensure_future(serve_http(receiver, 0, stop, listening=each))
            for stop, each in zip(stops, (listening, other), strict=True)
        ]
        statuses = []
        for stop in stops:
            for _ in range(5):
                peer = Peer(*await asyncio.open_connection("127.0.0.1", port))
                statuses.append((await peer.ask(signed(EVENT))).status)
                peer.writer.close()
            stop.set()
            await serving[stops.index(stop)]
        return statuses

    assert run(shared()) == [200] * 10


# --- pages


def test_health_says_what_is_wrong_although_answers_go_on() -> None:
    assert health_page(True) == (200, "text/plain", b"ok\n")
    assert health_page(True, "database away") == (200, "text/plain", b"ok; database away\n")
    assert health_page(False) == (503, "text/plain", b"not able to answer\n")
    assert health_page(False, "the token is refused") == (
        503,
        "text/plain",
        b"not able to answer: the token is refused\n",
    )


def test_pages_have_a_port_of_their_own_beside_socket_mode() -> None:
    async def statuses() -> list[int]:
        async with PageServer(0, {"/healthz": lambda: health_page(True)}, "127.0.0.1") as pages:
            got = []
            for line in ("GET /healthz", "POST /healthz", "GET /x", "POST /slack/events"):
                peer = Peer(*await asyncio.open_connection("127.0.0.1", pages.port))
                got.append((await peer.ask(f"{line} HTTP/1.1\r\nHost: x\r\n\r\n".encode())).status)
                peer.writer.close()
            return got

    assert run(statuses()) == [200, 405, 404, 404]
