"""Posting on a bad day, by the whole app: what is sent again, what never, and who is told. The outbox by itself:
test_transport_outbox.py."""

from __future__ import annotations

import pytest

from bot.slack.blocks import escape
from bot.slack.strings import default_strings
from bot.slack.transport import client as client_module
from bot.slack.transport.outbox import MAX_ATTEMPTS
from bot.slack.transport.remedies import remedy_of
from support.slack_app import Door
from support.slack_stub import RESET, Fault, Stub, limited

AGAIN = {
    "429": limited(),
    "ratelimited": Fault(200, "ratelimited"),
    "500": Fault(500),
    "502": Fault(502),
    "503": Fault(503),
    "504": Fault(504),
    "reset": RESET,
}


@pytest.mark.parametrize("case", AGAIN)
@pytest.mark.parametrize("way", ["chat.postMessage", "hook"])
def test_sent_again(door: Door, stub: Stub, way: str, case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "PACE", 0.01)
    stub.fail(way, AGAIN[case], AGAIN[case])
    assert (door.mention() if way == "chat.postMessage" else door.command()) == 200
    door.settle()
    calls = stub.of(way)
    assert len(calls) == 3
    assert len({call["client_msg_id"] for call in calls}) == 1


def test_it_gives_up_and_lets_another_delivery_try(door: Door, stub: Stub) -> None:
    stub.fail("chat.postMessage", *[Fault(503)] * MAX_ATTEMPTS)
    door.mention(ts="5.5")
    door.settle()
    assert len(stub.of("chat.postMessage")) == MAX_ATTEMPTS
    door.mention(ts="5.5")
    assert len(stub.of("chat.postMessage")) == MAX_ATTEMPTS + 1


@pytest.mark.parametrize(
    "code", ["is_archived", "channel_not_found", "not_in_channel", "restricted_action_read_only_channel"]
)
def test_a_closed_channel_is_one_line_and_a_private_word(
    door: Door, stub: Stub, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    stub.fail("chat.postMessage", Fault(error=code))
    door.mention()
    assert len(stub.of("chat.postMessage")) == 1
    (word,) = stub.of("chat.postEphemeral")
    assert (word["channel"], word["user"], word["text"]) == ("C1", "U1", escape(default_strings()["cannot_post"]))
    assert word["mrkdwn"] is False
    assert word["client_msg_id"] != stub.of("chat.postMessage")[0]["client_msg_id"]
    assert [record.getMessage() for record in caplog.records if record.levelname == "WARNING"] == [
        f"chat.postMessage C1: refused by Slack ({code}): {remedy_of(code)}."
    ]


def test_a_revoked_token_is_said_and_healthz_says_no(door: Door, stub: Stub, caplog: pytest.LogCaptureFixture) -> None:
    assert door.request(b"", method="GET", path="/healthz") == 200
    stub.fail("chat.postMessage", Fault(error="token_revoked"))
    door.mention()
    assert door.request(b"", method="GET", path="/healthz") == 503
    assert caplog.text.count("no longer takes SLACK_BOT_TOKEN") == 1
    assert stub.of("chat.postEphemeral") == []
    door.mention()
    assert door.request(b"", method="GET", path="/healthz") == 200
