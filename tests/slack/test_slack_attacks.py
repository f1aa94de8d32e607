"""What somebody could try who is no friend, on the whole app: the same request again, and a message made to be slow.

What concerns the fronts and the client alone is in test_transport_http.py and test_transport_client.py.
"""

from __future__ import annotations

import http.client
import json
import time
from urllib.parse import urlencode

from bot.slack.features.messages import read_mention
from support.people import FORM, signed
from support.slack_app import PATIENCE, Door
from support.slack_stub import BOT, TEAM, Stub


def test_a_replayed_press_has_no_second_effect(door: Door, stub: Stub) -> None:
    press = {
        "type": "block_actions", "team": {"id": TEAM}, "user": {"id": "U1"}, "channel": {"id": "C1"},
        "container": {"type": "message", "message_ts": "1.2", "channel_id": "C1"}, "message": {"ts": "1.2"},
        "actions": [{"type": "button", "action_id": "ask:1", "block_id": "b", "value": "topic", "action_ts": "5.5"}],
    }  # fmt: skip
    head, _, body = signed(urlencode({"payload": json.dumps(press)}).encode(), FORM).partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    statuses = []
    for _ in range(3):
        connection = http.client.HTTPConnection("127.0.0.1", door.port, timeout=PATIENCE)
        connection.request("POST", "/slack/events", body, headers)
        statuses.append(connection.getresponse().status)
        connection.close()
        door.rest()
    assert statuses == [200, 401, 401]
    assert len(stub.of("chat.postMessage")) == 1


def test_a_message_that_is_all_beginnings_of_mentions_is_read_at_once() -> None:
    """Each beginning was once looked through to the end: three seconds for the longest that Slack takes, more for this one."""
    event = {"type": "app_mention", "channel": "C1", "user": "U1", "ts": "1.1", "text": f"<@{BOT}|" * 12_000}
    started = time.process_time()
    assert read_mention({"team_id": TEAM, "event": event}, BOT) is not None
    assert time.process_time() - started < 1
