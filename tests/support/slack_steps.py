"""What several tests do to the bot in Slack, and how they read what it sent."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import re
import time
from contextlib import closing
from typing import Any

from bot.slack.payloads import FeedbackValue, ModalState
from support.block_lint import view_faults
from support.slack_app import PATIENCE, SECRET, Door
from support.slack_stub import TEAM, Stub

Json = dict[str, Any]


# --- reading


def posted(stub: Stub) -> list[Json]:
    """Every message that was posted for all to see, in order."""
    return stub.of("chat.postMessage")


def posted_or_private(stub: Stub) -> list[Json]:
    """Every message that was posted, for all or for one person, in order."""
    return [call.args for call in stub.calls if call.method in ("chat.postMessage", "chat.postEphemeral")]


def views_of(stub: Stub) -> list[Json]:
    """Every view that was sent, in order; each of them within its limits."""
    found = [call.args["view"] for call in stub.calls if call.method.startswith("views.")]
    assert [fault for view in found for fault in view_faults(view)] == []
    return found


def told(message: Json) -> list[Json]:
    """A message's or view's answer, without what stands under it."""
    blocks: list[Json] = message["blocks"]
    footers = [n for n, block in enumerate(blocks) if re.search('"(vote.*|why|tell|none)"', json.dumps(block))]
    return blocks[: footers[0]] if footers else blocks


def buttons(message: Json) -> dict[str, Json]:
    """The buttons outside cards, by action_id."""
    rows = [each for block in message["blocks"] for each in block.get("elements", []) if "action_id" in each]
    return {each["action_id"]: each for each in rows}


def dumped(sent: Any) -> str:
    """A payload as JSON, in which sentences stand as they are written."""
    return json.dumps(sent, ensure_ascii=False)


# --- blocks of messages that people and other bots write


def rich_text(words: str, kind: str = "rich_text_section") -> Json:
    """What Slack makes of a message that a person types."""
    return {"type": "rich_text", "elements": [{"type": kind, "elements": [{"type": "text", "text": words}]}]}


def section(mrkdwn: str) -> Json:
    """A section in Slack's markup."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": mrkdwn}}


# --- where a press comes from


def on_message(door: Door, channel: str = "C1", thread: str = "", private: bool = False, **body: Any) -> Json:
    """What a payload says about the message that was pressed."""
    container = {"type": "message", "message_ts": "9.1", "channel_id": channel, "is_ephemeral": private}
    message = {"ts": "9.1", **({"thread_ts": thread} if thread else {})}
    found: Json = {"container": container, "channel": {"id": channel}, "response_url": door.stub.hook()}
    return found | ({} if private else {"message": message}) | body


def on_view(state: ModalState = ModalState(), kind: str = "modal") -> Json:  # noqa: B008  it is frozen
    """What a payload says about the view that was pressed: a modal in this state, or the Home tab."""
    view = {"id": "V1", "type": kind, "private_metadata": state.to_metadata()}
    return {"container": {"type": "view", "view_id": "V1"}, "view": view}


def in_view(view: Json) -> Json:
    """What a payload says about the modal that was pressed, given the view that was sent."""
    shown = {"id": "V1", "type": "modal", "private_metadata": view["private_metadata"]}
    return {"container": {"type": "view", "view_id": "V1"}, "view": shown}


# --- steps


def shortcut(door: Door, text: str = "library", **message: Any) -> Json:
    """Use "Ask about this" on somebody else's message; the modal that it opens."""
    message = {"text": text, "ts": "1.1", "user": "U2"} | message
    door.interact(type="message_action", callback_id="ask_message", message=message, channel={"id": "C1"})
    return views_of(door.stub)[-1]


def reply_in_thread(door: Door, view: Json) -> None:
    """Press "Reply in thread" in a modal."""
    door.press("reply", buttons(view)["reply"]["value"], **in_view(view))


def search(door: Door, view: Json, words: str | None) -> Json:
    """Submit the words in a search's modal; what comes with the acknowledgement."""
    block = view["blocks"][0]["block_id"]
    state = {"values": {block: {"words": {"type": "plain_text_input", "value": words}}}}
    submitted = {k: view[k] for k in ("type", "callback_id", "private_metadata")} | {"id": "V1", "state": state}
    assert door.interact(type="view_submission", view=submitted) == 200
    return dict(json.loads(door.answers["last"]))


def subscribe(door: Door, message: Json, /, **where: Any) -> str:
    """Press "Tell me" under a message, by default as one in a channel; the button's value."""
    value: str = buttons(message)["tell"]["value"]
    door.press("tell", value, **(where or on_message(door)))
    return value


def vote(door: Door, value: str, user: str = "U1", action: str = "vote", **where: Any) -> None:
    """Press a vote's button, by default under a message in a channel."""
    door.press(action, value, user={"id": user, "team_id": TEAM}, **(where or on_message(door)))


def vote_value(answer_ref: str, vote: str, reason: str = "") -> str:
    """What a vote's button carries."""
    return FeedbackValue("k", answer_ref, vote, reason).to_value()  # type: ignore[arg-type]


def home(door: Door, page: str = "") -> Json:
    """Open the Home tab, or go to one of its pages; the view."""
    if page:
        door.press("go:1", page, **on_view(kind="home"))
    else:
        door.json({"type": "event_callback", "event": {"type": "app_home_opened", "user": "U1", "tab": "home"}})
    return views_of(door.stub)[-1]


def accessories(view: Json) -> list[Json]:
    """The buttons beside a view's sections."""
    return [block["accessory"] for block in view["blocks"] if "accessory" in block]


def send(door: Door, **event: Any) -> http.client.HTTPConnection:
    """Send an event as Slack does, by default a direct message; the connection, on which its response will come."""
    event = {"type": "message", "channel_type": "im", "channel": "D1", "user": "U1", "text": "topic"} | event
    event.setdefault("ts", door.ts())
    raw, stamp = json.dumps({"type": "event_callback", "team_id": TEAM, "event": event}).encode(), str(int(time.time()))
    digest = hmac.new(SECRET.encode(), f"v0:{stamp}:".encode() + raw, hashlib.sha256).hexdigest()
    signed = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={digest}"}
    connection = http.client.HTTPConnection("127.0.0.1", door.port, timeout=PATIENCE)
    connection.request("POST", "/slack/events", raw, {"Content-Type": "application/json"} | signed)
    return connection


def status(connection: http.client.HTTPConnection) -> int:
    """The status of the response."""
    with closing(connection):
        return connection.getresponse().status


def deliver(door: Door, **event: Any) -> int:
    """Deliver an event, by default a direct message, without waiting for its answer; the status."""
    return status(send(door, **event))
