"""The outbox: what is sent again and what never, in which order, and who waits for whom."""

from __future__ import annotations

import asyncio
import heapq
import logging
import random
from collections.abc import Awaitable, Callable, Coroutine
from itertools import count
from typing import Any, TypeVar

import pytest

from bot.slack.transport.client import AttemptResult, NotSent, Refused, Request, Retry, Sent, Unknown
from bot.slack.transport.outbox import MAX_ATTEMPTS, MAX_PARALLEL, SENDERS, Outbox

T = TypeVar("T")


class Time:
    """A clock that goes on only when everything waits."""

    def __init__(self) -> None:
        self.now = 100.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._numbers = count()

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        future = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.now + seconds, next(self._numbers), future))
        await future

    async def rest(self) -> None:
        """Until everything waits."""
        for _ in range(50):
            await asyncio.sleep(0)

    async def pass_until(self, until: float) -> None:
        await self.rest()
        while self._sleepers and self._sleepers[0][0] <= until:
            due, _, future = heapq.heappop(self._sleepers)
            self.now = max(self.now, due)
            if not future.done():
                future.set_result(None)
            await self.rest()
        self.now = max(self.now, until)

    async def finish(self, *tasks: asyncio.Task[T]) -> list[T]:
        """Let time pass until these have ended."""
        while not all(task.done() for task in tasks):
            await self.rest()
            if self._sleepers and not all(task.done() for task in tasks):
                await self.pass_until(self._sleepers[0][0])
        return [task.result() for task in tasks]


class Line:
    """A line to Slack whose answers are given beforehand, and which takes `seconds` for each."""

    def __init__(self, time: Time, *outcomes: AttemptResult, seconds: float = 0.0, by_channel: Any = None) -> None:
        self.time, self.outcomes, self.seconds = time, list(outcomes), seconds
        self.by_channel: dict[str, list[AttemptResult]] = by_channel or {}
        self.sent: list[tuple[float, Request]] = []
        self.under_way = self.most_under_way = 0

    async def post_once(self, request: Request) -> AttemptResult:
        self.sent.append((self.time.now, request))
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        if self.seconds:
            await self.time.sleep(self.seconds)
        self.under_way -= 1
        outcomes = self.by_channel.get(request.args.get("channel", ""), self.outcomes)
        return outcomes.pop(0) if outcomes else Sent()

    @property
    def texts(self) -> list[str]:
        return [request.args["text"] for _, request in self.sent]

    def times(self, channel: str) -> list[float]:
        return [time for time, request in self.sent if request.args.get("channel") == channel]


def to(channel: str, text: str = "", thread: str = "", **options: Any) -> Request:
    args = {"channel": channel, "text": text} | ({"thread_ts": thread} if thread else {})
    return Request(method="chat.postMessage", args=args, **options)


def run(work: Callable[[Time], Awaitable[T]]) -> T:
    """The result of a test that has a clock."""

    async def timed() -> T:
        return await work(Time())

    return asyncio.run(timed())


def box_of(line: Line, **options: Any) -> Outbox:
    return Outbox(line.post_once, clock=line.time.clock, sleep=line.time.sleep, **options)


def start(work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    return asyncio.get_running_loop().create_task(work)


# --- what is sent again


@pytest.mark.parametrize("reason", ["HTTP 503", "ConnectionResetError"])
def test_it_gives_up_after_so_many_attempts(reason: str, caplog: pytest.LogCaptureFixture) -> None:
    async def test(time: Time) -> None:
        line = Line(time, *[Retry(reason)] * 100)
        resends: list[int] = []
        box = box_of(line, on_resend=lambda: resends.append(1))
        assert await time.finish(start(box.send(to("C1")))) == [NotSent(reason)]
        assert (len(line.sent), len(resends)) == (MAX_ATTEMPTS, MAX_ATTEMPTS - 1)
        pauses = [later - earlier for (earlier, _), (later, _) in zip(line.sent, line.sent[1:], strict=False)]
        wanted = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
        assert all(0.8 * want <= pause <= 1.2 * want for pause, want in zip(pauses, wanted, strict=True))

    run(test)
    assert f"chat.postMessage C1: given up after {MAX_ATTEMPTS} attempts ({reason})" in caplog.text


@pytest.mark.parametrize("outcome", [Refused("is_archived"), Unknown("TimeoutError")])
def test_what_is_refused_or_unknown_is_never_sent_again(outcome: AttemptResult) -> None:
    async def test(time: Time) -> None:
        line = Line(time, outcome)
        assert await time.finish(start(box_of(line).send(to("C1")))) == [outcome]
        assert len(line.sent) == 1

    run(test)


def test_what_slack_makes_of_it_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    async def test(time: Time) -> None:
        line = Line(time, Refused("is_archived"), Unknown("TimeoutError"), Retry("HTTP 502"), Sent())
        box = box_of(line)
        url = Request(url="https://hooks.slack.com/a-secret", args={"text": "x"})
        await time.finish(*[start(box.send(request)) for request in (to("C1"), url)])
        await time.finish(start(box.send(Request(method="views.open", args={}))))

    run(test)
    told = [record.getMessage() for record in caplog.records]
    assert told[:2] == [
        "chat.postMessage C1: refused by Slack (is_archived): the channel is archived; unarchive it, or ask elsewhere.",
        "response_url: no word whether it arrived (TimeoutError); not sent again",
    ]
    assert [line[:33] for line in told[2:]] == ["views.open: HTTP 502, again in 0."]


def test_blocks_that_slack_refuses_are_sent_once_more_in_the_classic_layout(caplog: pytest.LogCaptureFixture) -> None:
    async def test(time: Time) -> None:
        line = Line(time, Refused("invalid_blocks_format"), Refused("invalid_blocks"))
        request = to("C1", "cards", fallback_args=lambda: {"channel": "C1", "text": "classic"})
        assert await time.finish(start(box_of(line).send(request))) == [Refused("invalid_blocks")]
        assert line.texts == ["cards", "classic"]

    run(test)
    assert "(invalid_blocks_format); sending the classic layout" in caplog.text


def test_a_fault_of_ours_is_logged_without_its_message_and_frees_everything(caplog: pytest.LogCaptureFixture) -> None:
    asked = "what is " + "xylophone?"

    def broken(*_: object) -> Any:
        raise KeyError(asked)

    async def test(time: Time) -> None:
        queued: list[int] = []
        line = Line(time, Refused("invalid_blocks"))
        fallback = box_of(line, on_queue=queued.append)
        assert await time.finish(start(fallback.send(to("C1", fallback_args=broken)))) == [Unknown("internal error")]
        delivery = Outbox(broken, on_queue=queued.append)
        assert await delivery.send(to("C1")) == Unknown("internal error")
        for box in (fallback, delivery):
            assert (len(box), await box.drain(0), await box.close(1)) == (0, True, True)
        assert queued == [1, -1, 1, -1]

    run(test)
    assert caplog.text.count("Traceback") == 2
    assert ("KeyError" in caplog.text, asked in caplog.text) == (True, False)


def test_each_attempt_that_slack_did_not_take_is_counted() -> None:
    async def test(time: Time) -> None:
        errors: list[tuple[str, str]] = []
        line = Line(time, Retry("HTTP 502"), Refused("is_archived"), Unknown("TimeoutError"))
        box = box_of(line, on_error=lambda method, code: errors.append((method, code)))
        for _ in range(3):
            await time.finish(start(box.send(to("C1"))))
        assert [code for _, code in errors] == ["HTTP 502", "is_archived", "TimeoutError"]
        assert {method for method, _ in errors} == {"chat.postMessage"}

    run(test)


# --- order


@pytest.mark.parametrize("trouble", [Retry("HTTP 503"), Retry("rate limited", 3.0)])
def test_a_post_does_not_overtake_an_earlier_one_to_its_channel(trouble: Retry) -> None:
    async def test(time: Time) -> None:
        line = Line(time, trouble, trouble, seconds=0.1)
        box = box_of(line)
        await time.finish(*[start(box.send(to("C1", str(number)))) for number in range(5)])
        assert line.texts == ["0", "0", "0", "1", "2", "3", "4"]
        assert line.most_under_way == 1

    run(test)


def test_order_holds_whatever_happens() -> None:
    """Random channels, threads, times and faults: each is sent in its turn, and in the end nothing is open."""

    async def test(time: Time, seed: int) -> None:
        dice = random.Random(seed)
        trouble: list[AttemptResult] = [
            Retry("HTTP 503"),
            Retry("rate limited", 2.0),
            Refused("x"),
            Unknown("x"),
            Sent(),
        ]
        line = Line(time, seconds=0.15)
        line.outcomes = dice.choices(trouble, (1, 1, 1, 1, 12), k=200)
        box = box_of(line)
        tasks = []
        for number in range(60):
            request = to(f"C{dice.randrange(3)}", str(number), str(dice.randrange(4)))
            tasks.append(start(box.send(request)))
            if dice.random() < 0.3:
                await time.pass_until(time.now + dice.random())
        await time.finish(*tasks)
        first = {}
        for position, (_, request) in enumerate(line.sent):
            first.setdefault(request.args["text"], (position, request.args["channel"], request.args["thread_ts"]))
        for channel in ("C0", "C1", "C2"):
            for thread in "0123":
                numbers = [int(text) for text, (_, *where) in first.items() if where == [channel, thread]]
                assert numbers == sorted(numbers)
        assert (len(box), box.delayed, await box.close(1)) == (0, 0, True)

    for seed in range(20):
        run(lambda time, seed=seed: test(time, seed))  # type: ignore[misc]


def test_in_a_crowded_channel_threads_are_answered_side_by_side() -> None:
    async def test(time: Time) -> None:
        line = Line(time, seconds=0.15)
        box = box_of(line)
        crowd = [to("C1", f"{thread}{number}", thread) for number in range(2) for thread in "abcdefghij"]
        await time.finish(*[start(box.send(request)) for request in crowd])
        assert line.most_under_way == MAX_PARALLEL
        assert line.texts[:MAX_PARALLEL] == [f"{thread}0" for thread in "abcdefgh"]
        assert all(line.texts.index(f"{thread}0") < line.texts.index(f"{thread}1") for thread in "abcdefghij")

    run(test)


def test_a_crowd_without_threads_keeps_its_order() -> None:
    async def test(time: Time) -> None:
        line = Line(time, seconds=0.15)
        box = box_of(line)
        await time.finish(*[start(box.send(to("D1", str(number)))) for number in range(20)])
        assert (line.most_under_way, line.texts) == (1, [str(number) for number in range(20)])

    run(test)


def test_nobody_waits_for_another_members_modal_or_home() -> None:
    async def test(time: Time) -> None:
        line = Line(time, seconds=0.15)
        box = box_of(line)
        requests = [Request(method="views.open", args={"trigger_id": str(number)}) for number in range(20)]
        requests += [Request(method="views.publish", args={"user_id": f"U{number}"}) for number in range(20)]
        await time.finish(*[start(box.send(request)) for request in requests])
        assert {at for at, _ in line.sent} == {100.0}
        line.sent.clear()
        updates = [Request(method="views.update", args={"view_id": "V1", "text": text}) for text in "abc"]
        await time.finish(*[start(box.send(request)) for request in updates])
        assert [round(at - line.sent[0][0], 2) for at, _ in line.sent] == [0.0, 0.15, 0.3]

    run(test)


def test_no_more_than_so_many_at_once() -> None:
    async def test(time: Time) -> None:
        line = Line(time, seconds=0.15)
        box = box_of(line)
        await time.finish(*[start(box.send(to(f"C{number}"))) for number in range(3 * SENDERS)])
        assert line.most_under_way == SENDERS

    run(test)


# --- waiting for Slack


def test_retry_after_is_honoured_and_holds_up_nobody_else() -> None:
    async def test(time: Time) -> None:
        line = Line(time, by_channel={"C1": [Retry("rate limited", 30.0)]})
        box = box_of(line)
        slow = start(box.send(to("C1")))
        await time.rest()
        assert await box.drain(0) is False
        await time.finish(*[start(box.send(to("C2"))) for _ in range(20)])
        assert not slow.done()
        await time.finish(slow)
        assert line.times("C1") == [100.0, 130.0]
        assert max(line.times("C2")) < 130.0

    run(test)


def test_a_slowed_channel_is_paced() -> None:
    async def test(time: Time) -> None:
        line = Line(time, by_channel={"C1": [Retry("rate limited", 5.0)]})
        box = box_of(line)
        tasks = [start(box.send(to(channel))) for channel in ("C1", "C1", "C2", "C1")]
        await time.finish(*tasks)
        assert line.times("C1") == [100.0, 105.0, 106.0, 107.0]
        await time.pass_until(107.5)
        await time.finish(start(box.send(to("C1"))))  # within the pace
        await time.pass_until(120.0)
        await time.finish(*[start(box.send(to("C1"))) for _ in range(2)])
        assert line.times("C1")[4:] == [108.0, 120.0, 120.0]

    run(test)


@pytest.mark.parametrize("trouble", [Retry("HTTP 503"), Retry("rate limited", 3.0)])
def test_whoever_has_to_wait_for_slack_is_told_once_and_at_once(trouble: Retry) -> None:
    async def test(time: Time) -> None:
        told: list[str] = []
        line = Line(time, seconds=0.1, by_channel={"C1": [trouble, trouble]})
        box = box_of(line)

        def request(channel: str, text: str) -> Request:
            return to(channel, text, on_wait=lambda: told.append(text))

        tasks = [start(box.send(request(*each))) for each in (("C1", "first"), ("C1", "second"), ("C2", "other"))]
        await time.rest()
        assert (told, box.delayed) == ([], 0)
        await time.pass_until(100.1)
        assert (told, box.delayed) == (["first", "second"], 2)
        tasks.append(start(box.send(request("C1", "third"))))
        await time.rest()
        assert told == ["first", "second", "third"]
        await time.finish(*tasks)
        assert (told, box.delayed) == (["first", "second", "third"], 0)

    run(test)


def test_a_fault_in_what_is_told_is_logged_and_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    asked = "what is " + "xylophone?"

    def broken() -> None:
        raise ValueError(asked)

    async def test(time: Time) -> None:
        line = Line(time, Retry("HTTP 503"))
        assert await time.finish(start(box_of(line).send(to("C1", on_wait=broken)))) == [Sent()]

    run(test)
    assert ("ValueError" in caplog.text, asked in caplog.text) == (True, False)


def test_what_comes_too_late_is_not_sent() -> None:
    async def test(time: Time) -> None:
        line = Line(time, Retry("rate limited", 60.0))
        box = box_of(line)
        early, late = start(box.send(to("C1", ttl=1.0))), start(box.send(to("C1", ttl=100.0)))
        behind = start(box.send(to("C1", ttl=60.5)))
        await time.rest()
        assert early.result() == NotSent("too late")
        assert await time.finish(late, behind) == [Sent(), NotSent("too late")]
        assert line.times("C1") == [100.0, 160.0]

    run(test)


def test_what_waited_too_long_for_its_turn_is_not_sent() -> None:
    async def test(time: Time) -> None:
        line = Line(time, seconds=10.0)
        box = box_of(line)
        outcomes = await time.finish(start(box.send(to("C1"))), start(box.send(to("C1", ttl=2.5))))
        assert (outcomes, len(line.sent)) == ([Sent(), NotSent("too late")], 1)

    run(test)


def test_slowed_queues_are_forgotten() -> None:
    async def test(time: Time) -> None:
        line = Line(time, *[Retry("rate limited", 1.0), Sent()] * 50)
        box = box_of(line)
        for number in range(50):
            await time.finish(start(box.send(Request(url=f"https://hooks.example/{number}", args={}))))
            await time.pass_until(time.now + 2.0)
        assert len(box._queues) == 1
        await time.finish(start(box.send(to("C1"))))
        assert "C1" not in box._queues

    run(test)


# --- the end


def test_closing_drops_what_would_take_too_long_and_says_so() -> None:
    async def test(time: Time) -> None:
        line = Line(time, by_channel={"C1": [Retry("rate limited", 60.0)]})
        box = box_of(line)
        tasks = [start(box.send(to("C1"))) for _ in range(3)]
        await time.rest()
        assert await box.close(5) is False
        assert await time.finish(*tasks) == [NotSent("stopping")] * 3
        assert time.now == 100.0

    run(test)


def test_closing_sends_what_waits_without_backoff_and_pace() -> None:
    async def test(time: Time) -> None:
        line = Line(time, by_channel={"C1": [Retry("rate limited", 2.0)], "C2": [*[Retry("HTTP 503")] * 5]})
        box = box_of(line, backoff=(3.0,))
        tasks = [start(box.send(to(channel))) for channel in ("C1", "C1", "C1", "C2")]
        await time.rest()
        closing = start(box.close(8))
        assert await time.finish(closing, *tasks) == [False, Sent(), Sent(), Sent(), NotSent("stopping")]
        assert line.times("C1") == [100.0, 102.0, 102.0, 102.0]
        assert line.times("C2")[:2] == [100.0, 100.0]

    run(test)


def test_closing_waits_for_what_is_under_way() -> None:
    async def test(time: Time) -> None:
        line = Line(time, seconds=3.0)
        box = box_of(line)
        task = start(box.send(to("C1")))
        await time.rest()
        assert await time.finish(start(box.close(5)), task) == [True, Sent()]

    run(test)


def test_closing_does_not_wait_for_ever(caplog: pytest.LogCaptureFixture) -> None:
    async def test(_: Time) -> None:
        async def never(_: Request) -> AttemptResult:
            await asyncio.Event().wait()
            return Sent()

        box = Outbox(never)
        under_way, waiting = start(box.send(to("C1"))), start(box.send(to("C1")))
        await asyncio.sleep(0)
        assert await box.close(0.01) is False
        under_way.cancel()
        assert await waiting == NotSent("stopping")

    run(test)
    assert "Stopping with 2 requests under way." in caplog.text


def test_what_comes_after_the_close_is_given_up() -> None:
    async def test(time: Time) -> None:
        line = Line(time)
        box = box_of(line)
        assert await box.close(1)
        assert await box.send(to("C1")) == NotSent("stopping")
        assert (await box.drain(0), line.sent) == (True, [])

    run(test)


def test_a_caller_who_stops_waiting_lets_the_next_one_pass() -> None:
    async def test(time: Time) -> None:
        line = Line(time, seconds=5.0)
        box = box_of(line)
        tasks = [start(box.send(to("C1", text))) for text in "abc"]
        await time.rest()
        tasks[0].cancel()
        tasks[1].cancel()
        await time.finish(tasks[2])
        assert (line.texts, len(box)) == (["a", "c"], 0)

    run(test)
