"""Serving: the start, what answers while Slack is waited for, and the end. In this process, and in processes of their own."""

from __future__ import annotations

import asyncio
import gc
import hashlib
import hmac
import itertools
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bot import serving, workers
from bot.cli import main
from bot.model import AskPyError
from bot.serving import StopSignal
from bot.settings import Settings, SettingsError
from bot.slack.metrics import Metrics
from bot.slack.transport.client import AttemptResult, Request, Sent, SlackConfig
from bot.slack.transport.remedies import remedy_of
from bot.store import Store
from support.slack_app import MakeDoor
from support.slack_process import END_WITHIN, NoReloader, Process, stable_after
from support.slack_samples import SampleStore
from support.slack_stub import SILENCE, TEAM, Fault, Stub, limited

SECRET = "a signing secret"
PACK = Path(__file__).parents[1] / "packs" / "handbook"
MODES = pytest.mark.parametrize("mode", ["http", "socket"])


def asked(url: str, body: bytes | None = None, **headers: str) -> tuple[int, str]:
    """Status and body of one request: GET, or POST where there is a body."""
    host, _, path = url.removeprefix("http://").partition("/")
    with closing(HTTPConnection(host, timeout=5)) as connection:
        connection.request("GET" if body is None else "POST", f"/{path}", body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


def deliver(port: int, raw: bytes, kind: str = "application/json") -> int:
    """Deliver a payload to a bot, signed; the status."""
    stamp = str(int(time.time()))
    digest = hmac.new(SECRET.encode(), f"v0:{stamp}:".encode() + raw, hashlib.sha256).hexdigest()
    signed = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={digest}", "Content-Type": kind}
    return asked(f"http://127.0.0.1:{port}/slack/events", raw, **signed)[0]


def mention(number: int, text: str = "topic") -> dict[str, Any]:
    event = {"type": "app_mention", "user": "U1", "channel": f"C{number}", "ts": f"1.{number}", "text": text}
    return {"type": "event_callback", "team_id": TEAM, "event_id": f"Ev{number}", "event": event}


# --- in this process


Serve = Callable[..., list[str]]


def until(status: int, url: str) -> str:
    """The body, as soon as the page has this status."""
    ends = time.monotonic() + 20
    while True:
        found, body = asked(url)
        if found == status:
            return body
        assert time.monotonic() < ends, (found, body)
        time.sleep(0.02)


@MODES
def test_it_answers_until_it_is_stopped(serve: Serve, settings: Settings, stub: Stub, mode: str) -> None:
    def work(port: int) -> None:
        base = f"http://127.0.0.1:{port}"
        assert until(200, f"{base}/healthz") == "ok\n"
        if mode == "http":
            assert deliver(port, json.dumps(mention(1, "where do I park?")).encode()) == 200
        else:
            stub.send({"envelope_id": "e1", "type": "events_api", "payload": mention(1, "where do I park?")})
        (post,) = stub.wait("chat.postMessage")
        assert (post["channel"], post["thread_ts"]) == ("C1", "1.1")
        page = asked(f"{base}/metrics")[1]
        assert 'askpy_questions_total{kind="' in page
        assert 'askpy_knowledge{version="' in page

    log = serve(settings, mode, work)
    assert log[-1] == "Stopped."
    assert not [line for line in log if "rror" in line or "Traceback" in line]


@MODES
def test_while_it_waits_slack_is_told_to_come_again(serve: Serve, settings: Settings, stub: Stub, mode: str) -> None:
    stub.fail("auth.test", *[Fault(503)] * 50)
    got: list[int] = []

    def work(port: int) -> None:
        base = f"http://127.0.0.1:{port}"
        got.extend([asked(f"{base}/healthz")[0], asked(f"{base}/slack/events", b"{}")[0], asked(f"{base}/x", b"{}")[0]])
        got.extend([asked(f"{base}/slack/events")[0], asked(f"{base}/metrics")[0]])

    log = serve(settings, mode, work)
    assert got == ([503, 503, 404, 405, 200] if mode == "http" else [503, 404, 404, 404, 200])
    assert any(line.startswith("Waiting for Slack (") for line in log)
    assert (log[-1], stub.calls) == ("Stopped.", [])


@MODES
def test_it_is_ready_when_slack_has_answered_and_the_database_is_prepared(
    serve: Serve, settings: Settings, stub: Stub, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, prepare = threading.Event(), Store.prepare

    def slow(self: Store) -> str:
        assert go_on.wait(20)
        return prepare(self)

    monkeypatch.setattr(Store, "prepare", slow)

    def work(port: int) -> None:
        with stub.changed:
            assert stub.changed.wait_for(lambda: stub.auth_tests, 20)
        assert asked(f"http://127.0.0.1:{port}/healthz")[0] == 503
        assert stub.sockets == []
        go_on.set()
        until(200, f"http://127.0.0.1:{port}/healthz")

    assert serve(settings, mode, work)[-1] == "Stopped."


@MODES
@pytest.mark.parametrize("fault", [SILENCE, Fault(503)], ids=["silence", "503"])
def test_a_stop_does_not_wait_for_slack(serve: Serve, settings: Settings, stub: Stub, mode: str, fault: Fault) -> None:
    stub.fail("auth.test", *[fault] * 50)
    stopped: list[float] = []

    def work(_: int) -> None:
        with stub.changed:
            assert stub.changed.wait_for(lambda: stub.auth_tests, 20)
        stopped.append(time.monotonic())

    assert serve(settings, mode, work)[-1] == "Stopped."
    assert time.monotonic() - stopped[0] < 3


@MODES
def test_a_refused_token_is_an_error(serve: Serve, settings: Settings, stub: Stub, mode: str) -> None:
    stub.fail("auth.test", Fault(error="invalid_auth"))
    with pytest.raises(SettingsError, match="Slack refuses SLACK_BOT_TOKEN"):
        serve(settings, mode)


def test_a_refused_app_token_is_an_error(serve: Serve, settings: Settings, stub: Stub) -> None:
    stub.fail("apps.connections.open", Fault(error="invalid_auth"))
    with pytest.raises(SettingsError, match="Slack refuses SLACK_APP_TOKEN"):
        serve(settings, "socket")


@MODES
def test_a_port_in_use_is_a_sentence(serve: Serve, settings: Settings, mode: str) -> None:
    with (
        socket.create_server(("0.0.0.0", 0)) as other,
        pytest.raises(AskPyError, match=r"^Port \d+ can't be opened .* Set PORT to another one\.$"),
    ):
        serve(replace(settings, port=other.getsockname()[1]), mode)


def test_without_a_port_socket_mode_has_no_pages(
    serve: Serve, settings: Settings, stub: Stub, caplog: pytest.LogCaptureFixture
) -> None:
    def stop() -> None:
        stub.wait_for(lambda: stub.sockets, 20)
        os.kill(os.getpid(), signal.SIGTERM)

    stopping = threading.Thread(target=stop)
    stopping.start()
    serving.serve(replace(settings, port=None), "socket")
    stopping.join()
    assert "PORT isn't set, so that there is no health page" in caplog.text
    assert " port " not in caplog.text


def test_a_stop_ends_the_first_index_build(
    serve: Serve, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It takes seconds, for hundreds of entries a minute; nothing is served until it is there."""
    build = serving.build

    def stopped_at_once(*args: Any) -> serving.Bot:
        os.kill(os.getpid(), signal.SIGTERM)
        return build(*args)

    monkeypatch.setattr(serving, "build", stopped_at_once)
    serving.serve(replace(settings, cache=tmp_path / "cold"), "http")
    assert [record.getMessage() for record in caplog.records] == ["Stopped."]


def test_the_start_says_what_it_took(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    serving.build(settings, SlackConfig(bot_token="xoxb-1", api_url=settings.slack_api_url))
    (told,) = [record.getMessage() for record in caplog.records if " entries from " in record.getMessage()]
    assert settings.database_url is not None
    assert told.endswith(f"entries from {settings.pack}; database {settings.database_url.get_secret_value()}")


def test_a_new_pack_is_told_to_those_who_wait_and_a_purge_is_made(
    serve: Serve, settings: Settings, tmp_path: Path, stub: Stub
) -> None:
    """What runs beside the answering runs: files are read again, and whoever waited for an answer gets it."""
    pack = tmp_path / "pack"
    pack.mkdir()
    for file in PACK.glob("*.yaml"):
        (pack / file.name).write_bytes(file.read_bytes())
    question = "who feeds the office tortoise"
    store = Store(settings.database, hmac_id=SlackConfig(bot_token="xoxb-1").hmac_id)
    key = store.misses.add(TEAM, question, "", 0.0)
    assert store.subscriptions.add(TEAM, key, "U5")
    old = store.misses.add(TEAM, "a question of long ago", "", 0.0)
    store.database.write(_set_last(), old=old)
    store.close()

    def work(port: int) -> None:
        until(200, f"http://127.0.0.1:{port}/healthz")
        entry = f"- id: tortoise\n  title: Who feeds the tortoise?\n  answer: Kim does.\n  asks:\n    - {question}\n"
        (pack / "tortoise.yaml").write_text(entry, encoding="utf-8")
        (post,) = stub.wait("chat.postMessage", 1, 30)
        assert (post["channel"], "Kim does" in post["text"]) == ("U5", True)

    assert serve(replace(settings, knowledge=pack), "http", work)[-1] == "Stopped."
    with closing(Store(settings.database)) as store:
        assert store.subscriptions.all() == ()
        assert old not in [miss.key for miss in store.misses.all(TEAM)]


def _set_last() -> Any:
    from sqlalchemy import bindparam, update

    from bot.store.tables import misses

    return update(misses).where(misses.c.key == bindparam("old")).values(last=0.0)


# --- signals


@pytest.fixture
def stop_signal() -> Iterator[StopSignal]:
    handlers = {number: signal.getsignal(number) for number in serving.STOP_SIGNALS}
    yield StopSignal()
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", serving.STOP_SIGNALS)
def test_a_signal_is_heard_before_the_loop_runs_and_while_it_does(stop_signal: StopSignal, number: int) -> None:
    async def run() -> bool:
        event = stop_signal.event()
        if not stop_signal.received.is_set():
            asyncio.get_running_loop().call_later(0.01, os.kill, os.getpid(), number)
        async with asyncio.timeout(5):
            return await event.wait()

    assert stop_signal.seconds_left() == serving.GRACE
    assert asyncio.run(run())
    assert asyncio.run(run())  # it has come already
    assert serving.GRACE - 5 < stop_signal.seconds_left() < serving.GRACE


def test_signals_within_signals_hold_up_nothing(stop_signal: StopSignal) -> None:
    """An Event that is being set can't be set from within."""
    was_set = stop_signal.received.set

    def again() -> None:
        stop_signal.receive()
        was_set()

    stop_signal.received.set = again  # type: ignore[method-assign]
    os.kill(os.getpid(), signal.SIGTERM)
    assert stop_signal.received.is_set()


def test_what_asyncio_would_log_has_no_words(caplog: pytest.LogCaptureFixture) -> None:
    """Its own line would show a callback's arguments and an exception's message."""
    word = "xylophone"

    def broken(text: str) -> None:
        raise KeyError(text)

    async def failing() -> None:
        raise ValueError(word)

    async def run() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(serving._log_loop_error)
        loop.call_soon(broken, word)
        task = asyncio.ensure_future(failing())
        await asyncio.wait({task})
        del task
        gc.collect()
        loop.call_exception_handler({"message": "Unclosed connection", "connection": word})

    asyncio.run(run())
    told = [record.getMessage() for record in caplog.records]
    assert [line.rpartition("\n")[2] for line in told] == ["KeyError", "ValueError", "Unclosed connection"]
    assert word not in caplog.text


# --- the end


class HeldSlack:
    """Takes each request when it is let."""

    def __init__(self) -> None:
        self.came, self.go_on = threading.Event(), threading.Event()
        self.requests: list[Request] = []

    async def post_once(self, request: Request) -> AttemptResult:
        self.requests.append(request)
        self.came.set()
        await asyncio.to_thread(self.go_on.wait, 20)
        return Sent()


def waiting_store() -> SampleStore:
    """A store in which somebody waits for what can be answered by now."""
    store = SampleStore()
    key = store.misses.add(TEAM, "topic", "", 0.0)
    assert store.subscriptions.add(TEAM, key, "U5")
    return store


def test_a_notice_that_is_under_way_is_finished_before_the_end(make_door: MakeDoor, stub: Stub) -> None:
    """Cancelled, it could have been posted, and be posted again after the next start."""
    slack, store = HeldSlack(), waiting_store()
    door = make_door(stub, store=store)
    door.app.context.outbox._post_once = slack.post_once
    door.thread.call(lambda: door.app.context.tasks.start(door.app.notifier.run()))
    assert slack.came.wait(10)
    closing_it = asyncio.run_coroutine_threadsafe(door.app.close(10), door.thread.loop)
    door.thread.call(lambda: None)
    slack.go_on.set()
    assert closing_it.result(10)
    assert (len(slack.requests), store.subscriptions.all()) == (1, ())


def test_a_notice_that_slack_puts_off_beyond_the_end_is_left_to_the_next_start(make_door: MakeDoor, stub: Stub) -> None:
    stub.fail("chat.postMessage", limited(30))
    store = waiting_store()
    door = make_door(stub, store=store)
    door.thread.call(lambda: door.app.context.tasks.start(door.app.notifier.run()))
    stub.wait("chat.postMessage")
    door.thread.run(door.app.close(1))
    assert len(store.subscriptions.all()) == 1
    other = make_door(stub, store=store)
    other.look()
    assert (len(stub.of("chat.postMessage")), store.subscriptions.all()) == (2, ())


def test_counts_that_cannot_be_written_do_not_hold_up_the_end(make_door: MakeDoor, stub: Stub) -> None:
    store, go_on = SampleStore(), threading.Event()
    store.tallies.add = lambda *_: go_on.wait(20) and None  # type: ignore[assignment,method-assign]
    door = make_door(stub, store=store)
    assert door.request(json.dumps(mention(1)).encode(), settles=False) == 200
    stub.wait("chat.postMessage")
    started = time.monotonic()
    try:
        door.thread.run(door.app.close(0.2))
        assert time.monotonic() - started < 3
    finally:
        go_on.set()


def test_health_says_what_goes_wrong_beside_the_answers(settings: Settings) -> None:
    bot = serving.build(settings, SlackConfig(bot_token="xoxb-1", api_url=settings.slack_api_url))
    assert bot.health() == (200, "text/plain", b"ok\n")
    bot.store.database.unavailable_reason, bot.store.database.unrecorded = "gone", 3
    assert bot.health() == (200, "text/plain", b"ok; database away: 3 writes not made\n")
    bot.store.database.generation = 2
    assert b"; database: the file was deleted or replaced" in bot.health()[2]
    bot.app.context.client.health.error = "token_revoked"
    assert bot.health()[0] == 503


def test_a_change_that_comes_when_the_loop_has_ended_is_nothing(make_door: MakeDoor, stub: Stub) -> None:
    async def run() -> Callable[[str], None]:
        reloader = NoReloader()
        app = door.app
        bot = serving.Bot(app=app, reloader=reloader, store=SampleStore(), metrics=Metrics())  # type: ignore[arg-type]
        serving_beside = serving._BackgroundWork(bot)
        bot.store.run_purge_loop = lambda stop: stop.wait() and None  # type: ignore[method-assign,assignment]
        async with serving_beside:
            app.notifier.stop()
        return reloader.changed[0]  # type: ignore[no-any-return]

    door = make_door(stub)
    changed = asyncio.run(run())
    changed("T1")


# --- in processes of their own


def test_the_end_comes_in_time_whatever_slack_does(stub: Stub, prepared: Path) -> None:
    """What Slack doesn't take by then is left, and said."""
    assert serving.GRACE + serving.POOL_SHUTDOWN_TIMEOUT + 1 < END_WITHIN
    sooner = "from bot import serving; serving.GRACE = 2.0"
    with Process("http", stub.url, SECRET, prepared, sooner) as bot:
        stub.fail("chat.postMessage", *[SILENCE] * 3)
        bot.wait_until_healthy()
        assert [deliver(bot.port, json.dumps(mention(n)).encode()) for n in range(3)] == [200] * 3
        stub.wait("chat.postMessage", 3)
        started = time.monotonic()
        code, log = bot.stop(times=3)
    assert 1.5 < time.monotonic() - started < 5
    assert (code, "Traceback" in log) == (0, False), log
    assert log.splitlines()[-1].endswith("Stopped; something was still in flight.")


def test_a_name_server_that_says_nothing_does_not_hold_up_the_end(prepared: Path) -> None:
    hanging = "import socket, time; socket.getaddrinfo = lambda *_, **__: time.sleep(60)"
    with Process("http", "http://slack.example/api/", SECRET, prepared, hanging) as bot:
        assert bot.health() == 503
        started = time.monotonic()
        code, log = bot.stop()
    assert time.monotonic() - started < 4
    assert (code, "Traceback" in log) == (0, False), log


def test_a_database_that_says_nothing_does_not_hold_up_the_end(stub: Stub, prepared: Path) -> None:
    hanging = "from bot.store import Store; import time; Store.prepare = lambda _: time.sleep(60)"
    with Process("http", stub.url, SECRET, prepared, hanging) as bot:
        assert bot.health() == 503
        started = time.monotonic()
        code, log = bot.stop()
    assert time.monotonic() - started < 4
    assert (code, "Traceback" in log) == (0, False), log


def test_both_modes_answer_once(stub: Stub, prepared: Path) -> None:
    with (
        Process("http", stub.url, SECRET, prepared) as one,
        Process("socket", stub.url, SECRET, prepared, stable_after(0.3)) as other,
    ):
        for bot in (one, other):
            bot.wait_until_healthy()
        for n in range(10):
            stub.send({"envelope_id": f"e{n}", "type": "events_api", "payload": mention(n)})
            assert deliver(one.port, json.dumps(mention(n)).encode()) == 200
        stub.wait_for(lambda: len(stub.acknowledged) == 10)
        ends = one.stop(), other.stop()
    assert [code for code, _ in ends] == [0, 0]
    assert len(stub.of("chat.postMessage")) == 10


@MODES
def test_what_cannot_be_started_is_a_sentence_and_exit_code_two(
    stub: Stub, tmp_path: Path, mode: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """By the command itself."""
    stub.fail("auth.test", Fault(error="account_inactive"))
    env = {name: value for name, value in os.environ.items() if name in ("PATH", "ASKPY_CACHE", "XDG_DATA_HOME")} | {
        "SLACK_API_URL": stub.url, "SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1", "SLACK_SIGNING_SECRET": SECRET,
        "DATABASE_URL": "sqlite://", "PORT": "0", "ASKPY_KNOWLEDGE": str(PACK), "ASKPY_LOG_LEVEL": "error",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }  # fmt: skip
    command = [sys.executable, "-m", "bot", "serve", f"--{mode}"]
    ran = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60, check=False)
    told = f"Slack refuses SLACK_BOT_TOKEN (account_inactive): {remedy_of('account_inactive')}.\n"
    assert (ran.returncode, ran.stdout, ran.stderr) == (2, "", told)


# --- several workers


@pytest.mark.parametrize(
    ("arguments", "app_token", "sentence"),
    [
        (
            ["--socket"],
            "",
            "--workers shares an HTTP port, and Socket Mode has none (--socket was given). Add --http, or",
        ),
        (
            [],
            "xapp-1",
            "--workers shares an HTTP port, and Socket Mode has none (SLACK_APP_TOKEN is set). Add --http, or",
        ),
        (["--http"], "", "SLACK_SIGNING_SECRET: "),
        (["--http", "--workers", "65"], "", "65 is not in the range 1<=x<=64"),
    ],
)
def test_where_workers_are_not_possible_it_says_why(
    arguments: list[str], app_token: str, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(workers, "log_to_stderr", lambda *_: None)
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-1")
    if app_token:
        monkeypatch.setenv("SLACK_APP_TOKEN", app_token)
    ended = CliRunner().invoke(main, ["serve", "--workers", "2", *arguments])
    assert ended.exit_code == 2
    assert sentence in " ".join(ended.stderr.split())


ENDS_AT_ONCE = "import os; os.write(1, b'loaded\\nready\\n'); raise SystemExit({code})"


def supervised(
    monkeypatch: pytest.MonkeyPatch, source: str, settings: Settings, stop_after: int = 0, count: int = 1
) -> tuple[int, bool]:
    """What comes of workers that run this source; stopped after so many lines of the log."""
    monkeypatch.setattr(workers, "RESTART_PAUSES", (0.0, 0.05, 0.1))
    with socket.socket() as listening:
        supervisor = workers._Supervisor(settings, listening, count, "")
        supervisor._command = [sys.executable, "-c", source]
        lines = itertools.count(1)

        class Stopping(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                if next(lines) == stop_after:
                    supervisor._stop.set()

        handler = Stopping()
        logging.getLogger("bot").addHandler(handler)
        try:
            return asyncio.run(supervisor.run())
        finally:
            logging.getLogger("bot").removeHandler(handler)


def test_a_worker_that_ends_is_started_again_with_pauses_that_grow(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    began = time.monotonic()
    assert supervised(monkeypatch, ENDS_AT_ONCE.format(code=3), settings, stop_after=4) == (0, True)
    assert [record.getMessage() for record in caplog.records] == [
        f"Worker 1 ended with exit code 3, and what it had acknowledged and not posted is lost; it is started again {when}."
        for when in ("now", "in 0.05 seconds", "in 0.1 seconds", "in 0.1 seconds")
    ]
    assert time.monotonic() - began >= 0.15


def test_a_worker_that_is_told_to_stop_has_not_failed(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """By an operator, say: it is started again without a pause, however often."""
    caplog.set_level(logging.INFO, "bot")
    assert supervised(monkeypatch, ENDS_AT_ONCE.format(code=0), settings, stop_after=4) == (0, True)
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("INFO", "Worker 1 was told to stop; it is started again now.")
    ] * 4


def test_a_worker_that_ends_before_it_is_ready_has_failed(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever its exit code: it would be started again and again without a pause."""
    assert supervised(monkeypatch, "", settings, stop_after=2) == (0, True)
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("ERROR", f"Worker 1 ended before it was ready; it is started again {when}.")
        for when in ("now", "in 0.05 seconds")
    ]


def test_a_worker_that_cannot_be_started_is_tried_again(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(sys, "executable", "/nowhere/python")
        assert supervised(monkeypatch, "", settings, stop_after=2) == (0, True)
    assert [record.getMessage() for record in caplog.records] == [
        f"Worker 1 can't be started (No such file or directory); it is started again {when}."
        for when in ("now", "in 0.05 seconds")
    ]


def test_a_stop_during_the_start_leaves_nothing_in_flight(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    with socket.socket() as listening:
        supervisor = workers._Supervisor(settings, listening, 1, "")
        supervisor._command = [sys.executable, "-c", "import time; time.sleep(60)"]

        async def run() -> tuple[int, bool]:
            running = asyncio.create_task(supervisor.run())
            while not supervisor._runs:
                await asyncio.sleep(0.01)
            supervisor._stop.set()
            return await running

        assert asyncio.run(run()) == (0, True)


@pytest.mark.parametrize("code", [1, 2])
def test_a_worker_that_refuses_to_start_ends_all(
    code: int, monkeypatch: pytest.MonkeyPatch, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    source = f"import sys, time; time.sleep(0 if sys.argv[2][0] == '1' else 60); raise SystemExit({code})"
    assert supervised(monkeypatch, source, settings, count=3)[0] == code
    assert caplog.records == []


def test_a_worker_that_hangs_is_killed_and_started_again(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """Once it was ready: a long index build before that is no fault."""
    monkeypatch.setattr(workers, "HUNG_AFTER", 0.3)
    source = (
        "import os, time; time.sleep(0.4); os.write(1, b'loaded\\nready\\n')\n"
        "for _ in range(3): time.sleep(0.1); os.write(1, b'alive\\n')\n"
        "time.sleep(60)"
    )
    began = time.monotonic()
    assert supervised(monkeypatch, source, settings, stop_after=2)[0] == 0
    assert [record.getMessage() for record in caplog.records] == [
        "Worker 1 hasn't responded for 0 seconds; it is killed.",
        "Worker 1 was ended by SIGKILL, and what it had acknowledged and not posted is lost; it is started again now.",
    ]
    assert time.monotonic() - began >= 0.9


def test_a_worker_that_does_not_end_is_killed(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    monkeypatch.setattr(workers, "KILL_AFTER", 0.1)
    source = (
        "import logging, os, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "os.write(1, b'loaded\\nready\\n'); time.sleep(60)"
    )
    with socket.socket() as listening:
        supervisor = workers._Supervisor(settings, listening, 1, "")
        supervisor._command = [sys.executable, "-c", source]

        async def run() -> tuple[int, bool]:
            running = asyncio.create_task(supervisor.run())
            await supervisor._ready.wait()
            supervisor._stop.set()
            return await running

        assert asyncio.run(run()) == (0, False)
