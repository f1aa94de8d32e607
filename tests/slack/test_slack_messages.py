"""Signed requests into the real app: which messages, commands and presses are answered, where, and which never are."""

from __future__ import annotations

import json
import logging
import re
import time
from email.utils import formatdate
from typing import Any

import pytest

from bot.model import ConversationState, Question, Reply
from bot.slack.admission import MAX_CREDIBLE_AGE, MAX_EVENT_AGE
from bot.slack.blocks import render_blocks
from bot.slack.metrics import Metrics
from bot.slack.outgoing import reply_text
from bot.slack.strings import default_strings
from bot.slack.transport.client import CLOCK_CHECK_INTERVAL, SlackClient
from support.block_lint import faults
from support.slack_app import Door, MakeDoor
from support.slack_samples import KINDS
from support.slack_steps import buttons, on_message, posted, rich_text, section, told
from support.slack_stub import BOT, BOT_ID, TEAM, Fault, Stub

# --- mentions and direct messages


def test_a_mention_is_answered_in_a_thread_on_it(door: Door, stub: Stub) -> None:
    assert door.mention("topic please", ts="5.5") == 200
    (post,) = posted(stub)
    assert (post["channel"], post["thread_ts"]) == ("C1", "5.5")
    assert post["text"] == reply_text(KINDS["topic"])
    assert told(post) == render_blocks(KINDS["topic"])
    assert (post["unfurl_links"], post["unfurl_media"], post["mrkdwn"]) == (False, False, False)
    assert stub.calls[0].token == "xoxb-secret"
    assert [(q.text, q.surface, q.conversation) for q in door.engine.asked] == [
        ("topic please", "mention", "T0TEAM:C1:5.5:U1")
    ]


def test_a_mention_in_a_thread_is_answered_in_that_thread(door: Door, stub: Stub) -> None:
    door.mention(thread_ts="4.4", ts="5.5")
    assert posted(stub)[0]["thread_ts"] == "4.4"
    assert door.engine.asked[0].conversation == "T0TEAM:C1:4.4:U1"


def test_only_the_bots_own_mention_is_taken_away(door: Door) -> None:
    door.event(type="app_mention", text=f"hey <@{BOT}> ask <@U7> &amp; <@{BOT}|askpy>")
    assert door.engine.asked[0].text == "hey   ask <@U7> &amp;"


QUOTED = {
    "code": "what does `<@{bot}> topic` do",
    "a code block": "see\n```\n<@{bot}> topic\n```",
    "a quote": "&gt; <@{bot}> topic\nI agree",
    "a later line of a quote": "&gt; first\n&gt; and <@{bot}|askpy>",
}


@pytest.mark.parametrize("name", QUOTED)
def test_a_mention_in_code_or_a_quote_is_none(name: str, door: Door, stub: Stub) -> None:
    text = QUOTED[name].replace("{bot}", BOT)
    assert door.event(type="app_mention", text=text) == 200
    assert (posted(stub), door.engine.asked) == ([], [])
    door.event(type="app_mention", text=f"{text}\n<@{BOT}> topic")
    assert len(posted(stub)) == 1


@pytest.mark.parametrize(
    ("kind", "style"),
    [("rich_text_quote", {}), ("rich_text_preformatted", {}), ("rich_text_section", {"style": {"code": True}})],
)
def test_a_mention_in_a_quote_of_a_block_is_none(kind: str, style: dict[str, Any], door: Door, stub: Stub) -> None:
    """Whatever `text` says, in which a quote may have lost its mark."""
    mention = {"type": "user", "user_id": BOT}
    quote = {"type": kind, "elements": [mention | style, {"type": "text", "text": " topic"}]}
    own = {"type": "rich_text_section", "elements": [mention, {"type": "text", "text": " topic"}]}
    text = f"<@{BOT}> topic"
    door.event(type="app_mention", text=text, blocks=[{"type": "rich_text", "elements": [quote]}])
    assert posted(stub) == []
    door.event(type="app_mention", text=text, blocks=[{"type": "rich_text", "elements": [quote, own]}])
    door.event(type="app_mention", text=text, blocks=[{"type": "section", "text": {"type": "mrkdwn", "text": text}}])
    assert len(posted(stub)) == 2


def test_a_direct_message_is_answered_flat(door: Door, stub: Stub) -> None:
    door.dm()
    assert posted(stub)[0]["channel"] == "D1"
    assert "thread_ts" not in posted(stub)[0]
    assert (door.engine.asked[0].surface, door.engine.asked[0].conversation) == ("dm", "T0TEAM:D1::U1")


def test_a_direct_message_in_a_thread_is_answered_there(door: Door, stub: Stub) -> None:
    door.dm(thread_ts="3.3")
    assert posted(stub)[0]["thread_ts"] == "3.3"


@pytest.mark.parametrize("subtype", ["file_share", "thread_broadcast"])
def test_files_and_broadcasts_are_ordinary(door: Door, stub: Stub, subtype: str) -> None:
    door.dm(subtype=subtype)
    door.mention(subtype=subtype)
    assert len(posted(stub)) == 2


def test_nothing_but_a_mention_gets_help(door: Door, stub: Stub) -> None:
    door.mention("")
    door.dm("")
    assert [post["text"] for post in posted(stub)] == [reply_text(KINDS["help"])] * 2


MENTIONED = {"type": "rich_text_section", "elements": [{"type": "user", "user_id": BOT}]}
FORWARDED = {"is_share": True, "message_blocks": [{"message": {"blocks": [rich_text("unknown <thing>")]}}]}


def test_words_that_stand_only_in_blocks_are_a_question(door: Door) -> None:
    door.mention(
        "", blocks=[{"type": "rich_text", "elements": [MENTIONED]}, section("a *topic* &amp; <https://a.example|more>")]
    )
    door.dm("", blocks=[rich_text("topic: is a < b?")])
    assert [question.text for question in door.engine.asked] == ["a topic &amp; more", "topic: is a &lt; b?"]
    assert not any(question.is_by_another for question in door.engine.asked)


def test_a_forwarded_message_is_answered_and_counted_and_its_words_are_kept_nowhere(door: Door, stub: Stub) -> None:
    door.mention("", blocks=[{"type": "rich_text", "elements": [MENTIONED]}], attachments=[FORWARDED])
    door.dm("", attachments=[FORWARDED])
    assert [question.text for question in door.engine.asked] == ["unknown &lt;thing&gt;"] * 2
    assert [post["text"] for post in posted(stub)] == [reply_text(KINDS["unknown"])] * 2
    assert not any({"tell", "none"} & set(buttons(post)) for post in posted(stub))
    assert door.store.tallies.added == [(TEAM, "missed", "")] * 2
    assert door.store.misses.by_key == {}


def test_ones_own_words_come_before_forwarded_ones(door: Door) -> None:
    door.dm("topic", attachments=[FORWARDED])
    door.dm("", blocks=[rich_text("unknown words")], attachments=[FORWARDED])
    assert [(question.text, question.is_forwarded) for question in door.engine.asked] == [
        ("topic", False),
        ("unknown words", False),
    ]
    assert [miss.text for miss in door.store.misses.by_key.values()] == ["unknown words"]


def test_the_preview_of_a_link_is_no_question(door: Door) -> None:
    preview = {"from_url": "https://a.example/x", "title": "topic", "text": "topic"}
    door.dm("<https://a.example/x>", attachments=[preview])
    assert [question.text for question in door.engine.asked] == ["<https://a.example/x>"]


def test_people_from_connected_workspaces_are_answered(door: Door, stub: Stub) -> None:
    event = {"type": "app_mention", "user": "W9", "user_team": "T9", "team": "T9", "channel": "C1", "ts": "1.1"}
    authorizations = [{"team_id": "T0TEAM", "user_id": BOT, "is_bot": True}]
    body = {
        "type": "event_callback",
        "team_id": "T0TEAM",
        "is_ext_shared_channel": True,
        "event": event | {"text": "topic"},
    }
    door.json(body | {"authorizations": authorizations})
    assert len(posted(stub)) == 1


NEVER: dict[str, dict[str, Any]] = {
    "a bot": {"bot_id": "B9"},
    "a bot's message": {"subtype": "bot_message", "bot_id": "B9"},
    "itself": {"user": BOT},
    "itself by its bot id": {"bot_id": BOT_ID},
    "Slackbot": {"user": "USLACKBOT"},
    "Slack itself": {"user": "USLACK"},
    "an edit": {"edited": {"user": "U1", "ts": "9.9"}},
    "a join": {"subtype": "channel_join"},
    "a changed message": {"subtype": "message_changed", "message": {"text": "topic", "user": "U1", "ts": "1.1"}},
    "a deleted message": {"subtype": "message_deleted", "deleted_ts": "1.1"},
    "a reminder": {"subtype": "reminder_add"},
    "nobody": {"user": None},
}


@pytest.mark.parametrize("case", NEVER)
def test_never_answered(door: Door, stub: Stub, case: str) -> None:
    assert door.mention(**NEVER[case]) == 200
    assert door.dm(**NEVER[case]) == 200
    assert stub.calls == []
    assert door.engine.asked == []


# --- messages that come too late


def test_a_message_that_comes_too_late_is_not_answered_and_counted(
    stub: Stub, make_door: MakeDoor, caplog: pytest.LogCaptureFixture
) -> None:
    metrics, now = Metrics(), 1_800_000_000.0
    door = make_door(stub, metrics=metrics, clock=lambda: now)
    for seconds in (MAX_EVENT_AGE + 1, 24 * 3600):
        assert door.mention("topic secret", ts=f"{now - seconds:.6f}") == 200
        assert door.dm("topic secret", ts=f"{now - seconds:.6f}") == 200
    assert door.json(_event_without_ts(now - MAX_EVENT_AGE - 1)) == 200
    assert (stub.calls, door.engine.asked, door.store.claims.taken) == ([], [], {})
    assert b"askpy_events_too_old_total 5.0" in metrics.page()[2]
    (line,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert line == (
        "1 message not answered: Slack delivered them more than 60 minutes late (Delayed Events); whoever still wants an answer "
        "asks again."
    )
    assert door.app.context.client.notices.present[0].startswith("5 messages not answered: Slack delivered them")
    assert door.mention(ts=f"{now - MAX_EVENT_AGE:.6f}") == door.json(_event_without_ts(now - 10)) == 200
    door.press("ask:1", "topic", **on_message(door))  # of an old message
    assert len(posted(stub)) == 3


def _event_without_ts(event_time: float) -> dict[str, Any]:
    event = {
        "type": "app_mention",
        "user": "U1",
        "channel": "C1",
        "ts": f"without a time {event_time}",
        "text": "topic",
    }
    return {"type": "event_callback", "team_id": TEAM, "event_time": int(event_time), "event": event}


def test_the_newest_time_of_a_message_counts(stub: Stub, make_door: MakeDoor) -> None:
    """Somebody mentions the bot where it isn't, and invites it hours later; and a time that no delivery has says nothing."""
    now = 1_800_000_000.0
    door = make_door(stub, clock=lambda: now)
    event = {"type": "app_mention", "user": "U1", "channel": "C1", "ts": f"{now - 7200:.6f}", "text": "topic"}
    body = {"type": "event_callback", "team_id": TEAM, "event_time": int(now), "event": event}
    assert door.json(body) == 200
    assert len(posted(stub)) == 1
    assert door.json(body | {"event_time": int(now - MAX_CREDIBLE_AGE - 1), "event": event | {"ts": "1.0"}}) == 200
    assert len(posted(stub)) == 2
    assert door.json(body | {"event_time": int(now - MAX_CREDIBLE_AGE - 1), "event": event | {"channel": "C2"}}) == 200
    assert len(posted(stub)) == 2


@pytest.mark.parametrize(("seconds", "side"), [(7200, "ahead of"), (-7200, "behind")])
def test_a_clock_that_is_off_is_said_and_silences_nobody(
    stub: Stub, make_door: MakeDoor, caplog: pytest.LogCaptureFixture, seconds: int, side: str
) -> None:
    """Local time that is taken for UTC is off by whole hours. Slack's answers tell."""
    door = make_door(stub)
    client, slack_now = door.app.context.client, float(int(time.time() - seconds))
    door.thread.run(_check_clock(client, slack_now))
    assert door.dm(ts=f"{slack_now:.6f}") == 200
    assert door.dm(ts=f"{slack_now - MAX_EVENT_AGE - 60:.6f}") == 200
    assert len(posted(stub)) == 1
    (sentence,) = client.notices.present[:1]
    assert re.fullmatch(
        rf"this machine's clock is 7[12]\d\d s {side} Slack's; set this machine's clock \(NTP\)", sentence
    )
    door.thread.run(_check_clock(client, time.time()))
    assert [line for line in client.notices.present if "clock" in line] == []


async def _check_clock(client: SlackClient, seconds: float) -> None:
    client._clock_checked -= CLOCK_CHECK_INTERVAL
    client._check_clock(formatdate(seconds, usegmt=True))


@pytest.mark.parametrize(("kind", "channel"), [("channel", "C1"), ("group", "G1"), ("mpim", "G2"), ("", "C1")])
def test_a_channel_message_without_a_mention_is_not_answered(door: Door, stub: Stub, kind: str, channel: str) -> None:
    assert door.event(type="message", channel_type=kind, channel=channel) == 200
    assert stub.calls == []


def test_one_answer_whatever_is_delivered_twice(door: Door, stub: Stub) -> None:
    for event_type in ("app_mention", "app_mention"):
        door.event(type=event_type, ts="7.7", text=f"<@{BOT}> topic")
    door.event(type="message", channel_type="channel", ts="7.7", text=f"<@{BOT}> topic")
    door.mention(ts="7.7", edited={"user": "U1", "ts": "8.8"})
    door.dm(ts="6.6")
    door.dm(ts="6.6")
    assert len(posted(stub)) == 2


def test_the_same_time_in_another_channel_is_another_message(door: Door, stub: Stub) -> None:
    door.mention(ts="7.7")
    door.mention(ts="7.7", channel="C2")
    assert len({post["client_msg_id"] for post in posted(stub)}) == 2


# --- the command, its buttons, and sharing


def test_the_command_is_answered_privately(door: Door, stub: Stub) -> None:
    assert door.command("library") == 200
    assert door.answers["last"] == ""
    (post,) = stub.of("hook")
    assert (post["response_type"], post["replace_original"]) == ("ephemeral", False)
    assert post["text"] == reply_text(KINDS["library"])
    assert list(buttons(post))[-4:] == ["share", "vote:good", "vote:bad", "why"]
    assert buttons(post)["share"]["value"] == "library||flask\nlibrary"
    assert faults(post["blocks"]) == []


@pytest.mark.parametrize(
    "text", ["", "help", "list backend", "compare flask django", "roadmap", "json payload= & more"]
)
def test_subcommands_are_just_words(door: Door, stub: Stub, text: str) -> None:
    assert door.command(text) == 200
    assert [question.text for question in door.engine.asked] == [text]
    assert len(stub.of("hook")) == 1


def test_help_and_dont_know_are_not_for_sharing(door: Door, stub: Stub) -> None:
    door.command("help")
    door.command("unknown")
    assert "share" not in json.dumps(stub.of("hook"))


def share(door: Door, stub: Stub, **body: Any) -> int:
    container = {"type": "message", "message_ts": "9.1", "channel_id": "C1", "is_ephemeral": True}
    return door.press("share", "library", container=container, channel={"id": "C1"}, response_url=stub.hook(), **body)


def test_sharing_posts_once_and_takes_the_button_away(door: Door, stub: Stub) -> None:
    assert share(door, stub) == 200
    shown, mine = stub.of("hook")
    assert (shown["response_type"], shown["replace_original"]) == ("in_channel", False)
    assert json.dumps(shown).count('"user_id": "U1"') == 1
    assert (mine["response_type"], mine["replace_original"]) == ("ephemeral", True)
    assert "share" not in [
        element.get("action_id") for block in mine["blocks"] for element in block.get("elements", [])
    ]
    assert share(door, stub) == 200
    assert [post["response_type"] for post in stub.of("hook")].count("in_channel") == 1


def test_what_could_not_be_shared_can_be_shared_again(door: Door, stub: Stub) -> None:
    stub.fail("hook", Fault(404, "used_url"))
    share(door, stub)
    assert [post["response_type"] for post in stub.of("hook")] == ["in_channel", "ephemeral"]
    assert stub.of("hook")[1]["text"] == default_strings()["cannot_share"]
    share(door, stub)
    assert [post["response_type"] for post in stub.of("hook")].count("in_channel") == 2


@pytest.mark.parametrize(
    ("channel", "message", "thread"),
    [
        ("C1", {"ts": "5.5", "thread_ts": "4.4"}, "4.4"),
        ("C1", {"ts": "5.5"}, "5.5"),
        ("D1", {"ts": "5.5"}, None),
        ("D1", {"ts": "5.5", "thread_ts": "4.4"}, "4.4"),
    ],
)
def test_a_button_is_answered_where_it_was_pressed(
    door: Door, stub: Stub, channel: str, message: dict[str, str], thread: str | None
) -> None:
    container = {"type": "message", "message_ts": "5.5", "channel_id": channel}
    body = {"container": container, "channel": {"id": channel}, "message": message, "response_url": stub.hook()}
    assert door.press("ask:1", "What is step?", **body) == 200
    (post,) = posted(stub)
    assert (post["channel"], post.get("thread_ts")) == (channel, thread)
    assert post["text"] == reply_text(KINDS["step"])
    assert door.press("ask:1", "What is step?", **body) == 200
    assert len(posted(stub)) == 2


def test_a_button_under_a_private_answer_is_answered_privately(door: Door, stub: Stub) -> None:
    container = {"type": "message", "message_ts": "5.5", "channel_id": "C1", "is_ephemeral": True}
    door.press("ask:3", "library", container=container, channel={"id": "C1"}, response_url=stub.hook())
    (post,) = stub.of("hook")
    assert (post["response_type"], post["replace_original"]) == ("ephemeral", False)
    assert door.engine.asked[0].conversation == "T0TEAM:C1:command:U1"


def test_a_menu_asks_too(door: Door, stub: Stub) -> None:
    option = {"text": {"type": "plain_text", "text": "Flask"}, "value": "library"}
    action = {"action_id": "ask:2", "type": "static_select", "selected_option": option, "action_ts": "1.1"}
    container = {"type": "message", "message_ts": "5.5", "channel_id": "D1"}
    door.interact(type="block_actions", actions=[action], container=container, channel={"id": "D1"})
    assert posted(stub)[0]["text"] == reply_text(KINDS["library"])


def test_a_press_where_the_bot_may_not_post_is_answered_privately(door: Door, stub: Stub) -> None:
    stub.fail("chat.postMessage", Fault(error="not_in_channel"))
    container = {"type": "message", "message_ts": "5.5", "channel_id": "C1"}
    door.press("ask:1", "step", container=container, channel={"id": "C1"}, response_url=stub.hook())
    assert stub.of("hook")[0]["text"] == reply_text(KINDS["step"])


# --- modals and the Home tab


def test_the_shortcut_opens_a_modal_with_the_answer(door: Door, stub: Stub) -> None:
    message = {"text": "what about this topic", "ts": "1.1", "user": "U2"}
    asked = {"type": "message_action", "callback_id": "ask_message", "message": message, "trigger_id": "3.4"}
    door.interact(**asked, channel={"id": "C1"})
    (call,) = stub.of("views.open")
    assert call["trigger_id"] == "3.4"
    assert call["view"]["type"] == "modal"
    assert told(call["view"]) == render_blocks(KINDS["topic"])
    assert door.engine.asked[0].surface == "shortcut"


def test_a_button_in_a_modal_replaces_its_answer(door: Door, stub: Stub) -> None:
    container = {"type": "view", "view_id": "V1"}
    door.press("ask:1", "step", container=container, view={"id": "V1", "type": "modal"})
    (call,) = stub.of("views.update")
    assert (call["view_id"], told(call["view"])) == ("V1", render_blocks(KINDS["step"]))


def test_a_button_in_the_home_tab_opens_a_modal(door: Door, stub: Stub) -> None:
    door.press("ask:1", "step", container={"type": "view", "view_id": "V1"}, view={"id": "V1", "type": "home"})
    assert told(stub.of("views.open")[0]["view"]) == render_blocks(KINDS["step"])


def test_the_home_tab(door: Door, stub: Stub) -> None:
    assert (
        door.json({"type": "event_callback", "event": {"type": "app_home_opened", "user": "U1", "tab": "messages"}})
        == 200
    )
    assert stub.calls == []
    assert (
        door.json({"type": "event_callback", "event": {"type": "app_home_opened", "user": "U1", "tab": "home"}}) == 200
    )
    (call,) = stub.of("views.publish")
    assert call["user_id"] == "U1"
    assert faults(call["view"]["blocks"], "home") == []


# --- what is subscribed and not answered


def test_everything_else_is_acknowledged(door: Door, stub: Stub) -> None:
    for event in ("app_uninstalled", "tokens_revoked", "member_joined_channel", "something_new"):
        assert door.json({"type": "event_callback", "team_id": "T1", "event": {"type": event, "user": "U1"}}) == 200
    container = {"type": "message", "message_ts": "5.5", "channel_id": "C1"}
    assert door.press("link:1", "", container=container, channel={"id": "C1"}) == 200
    assert door.press("from_an_old_version", "x", container=container, channel={"id": "C1"}) == 200
    assert door.interact(type="view_submission", view={"id": "V1", "callback_id": "x", "type": "modal"}) == 200
    assert door.interact(type="view_closed", view={"id": "V1", "callback_id": "x", "type": "modal"}) == 200
    assert door.interact(type="shortcut", callback_id="x") == 200
    assert door.interact(type="block_suggestion", action_id="x", block_id="b", value="") == 200
    assert door.command(command="/another") == 200
    assert stub.calls == []


# --- faults of ours


def test_our_own_fault_is_logged_and_apologised_for(door: Door, stub: Stub, caplog: pytest.LogCaptureFixture) -> None:
    oops = default_strings()["oops"]
    with caplog.at_level(logging.DEBUG):
        assert door.mention("boom secret words", ts="5.5") == 200
        assert door.dm("boom secret words") == 200
        assert door.command("boom secret words") == 200
        assert door.interact(type="message_action", callback_id="ask_message", message={"text": "boom"}) == 200
    assert [(post["channel"], post.get("thread_ts"), post["text"]) for post in posted(stub)] == [
        ("C1", "5.5", oops),
        ("D1", None, oops),
    ]
    assert stub.of("hook")[0]["text"] == oops
    assert len(stub.of("views.open")) == 1
    assert caplog.text.count("\nRuntimeError\n") == 4
    assert "secret" not in caplog.text


def test_logs_hold_no_words_and_no_tokens(make_door: MakeDoor, stub: Stub, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        door = make_door(stub)
        stub.fail("chat.postMessage", Fault(502), Fault(error="is_archived"))
        door.mention("my private words")
        door.settle()
        door.command("my private words")
        door.request(b'{"text": "my private words"}', **{"X-Slack-Signature": "v0=0"})
        stub.fail("hook", Fault(404, "used_url"))
        door.command("my private words")
    for word in ("private", "xoxb", "xapp", "hook/"):
        assert word not in caplog.text
    assert "is_archived" in caplog.text


# --- cards


def test_cards_are_for_posted_messages(make_door: MakeDoor, stub: Stub) -> None:
    door = make_door(stub, layout="cards")
    door.mention("library")
    door.command("library")
    assert "card" in [block["type"] for block in posted(stub)[0]["blocks"]]
    assert "card" not in [block["type"] for block in stub.of("hook")[0]["blocks"]]


def test_refused_cards_become_classic_once(make_door: MakeDoor, stub: Stub) -> None:
    door = make_door(stub, layout="cards")
    stub.fail("chat.postMessage", Fault(error="invalid_blocks"))
    door.mention("library")
    assert [post["blocks"][0]["type"] for post in posted(stub)] == ["card", "header"]
    stub.fail("chat.postMessage", Fault(error="invalid_blocks"), Fault(error="invalid_blocks"))
    door.mention("library")
    assert len(posted(stub)) == 4


@pytest.mark.parametrize("way", ["mention", "search"])
def test_a_question_inside_an_exception_stays_out_of_the_log(
    door: Door, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, way: str
) -> None:
    def broken(question: Question, _: ConversationState | None) -> tuple[Reply, ConversationState | None]:
        try:
            return {}[question.text]  # type: ignore[no-any-return]
        except KeyError as error:
            raise ValueError(f"no answer to {question.text}") from error

    monkeypatch.setattr(door.engine, "answer_turn", broken)
    if way == "mention":
        door.mention("a xylophone")
    else:
        values = {"words": {"words": {"type": "plain_text_input", "value": "a xylophone"}}}
        view = {
            "type": "modal",
            "id": "V1",
            "callback_id": "search",
            "private_metadata": "",
            "state": {"values": values},
        }
        door.interact(type="view_submission", view=view)
    assert [record.getMessage().splitlines()[0] for record in caplog.records if record.levelname == "ERROR"] == [
        "A message failed" if way == "mention" else "A search failed"
    ]
    assert ("KeyError" in caplog.text, "ValueError" in caplog.text) == (True, True)
    assert "in broken" in caplog.text
    assert "xylophone" not in caplog.text
