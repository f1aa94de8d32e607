"""What stands under an answer: why, votes, sharing, replying in the thread; and what modals and the Home tab do."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from conftest import Door, make_door
from slack_lint import faults, view_faults
from slack_samples import HOSTILE, KINDS, knowledge
from slack_stub import Fault, Stub
from test_slack_doors import buttons, posted, told

from bot.slack import views
from bot.slack.blocks import draw
from bot.slack.limits import size
from bot.slack.values import Asked, Ballot, Modal, about, subject_of
from bot.slack.words import default_words

WORDS = default_words()
Json = dict[str, Any]


def on_message(door: Door, channel: str = "C1", thread: str = "", private: bool = False, **body: Any) -> Json:
    """What a payload says about the message that was pressed."""
    container = {"type": "message", "message_ts": "9.1", "channel_id": channel, "is_ephemeral": private}
    message = {"ts": "9.1", **({"thread_ts": thread} if thread else {})}
    said: Json = {"container": container, "channel": {"id": channel}, "response_url": door.stub.hook()}
    return said | ({} if private else {"message": message}) | body


def on_view(modal: Modal = Modal(), kind: str = "modal") -> Json:  # noqa: B008  it is frozen
    view = {"id": "V1", "type": kind, "private_metadata": modal.write()}
    return {"container": {"type": "view", "view_id": "V1"}, "view": view}


def views_of(stub: Stub) -> list[Json]:
    """Every view that was sent, in order; each of them within its limits."""
    found = [call.args["view"] for call in stub.calls if call.method.startswith("views.")]
    assert [fault for view in found for fault in view_faults(view)] == []
    return found


# --- why


def test_why_is_told_privately_in_a_thread(door: Door, stub: Stub) -> None:
    door.mention("topic please")
    why = buttons(posted(stub)[0])["why"]
    assert why["value"] == "topic||t\ntopic please"
    door.press("why", why["value"], **on_message(door, thread="5.5"))
    (call,) = stub.of("chat.postEphemeral")
    assert (call["channel"], call["user"], call["thread_ts"]) == ("C1", "U1", "5.5")
    assert call["blocks"][0]["text"]["text"] == WORDS["why"]
    assert faults(call["blocks"]) == []
    assert (door.desk.asked[-1].text, door.desk.asked[-1].conversation) == ("topic please", None)


def test_why_where_the_bot_is_no_member_goes_by_the_response_url(door: Door, stub: Stub) -> None:
    stub.fail("chat.postEphemeral", Fault(error="channel_not_found"))
    door.press("why", "topic||t\nx", **on_message(door, thread="5.5"))
    (call,) = stub.of("hook")
    assert (call["response_type"], call["replace_original"]) == ("ephemeral", False)


@pytest.mark.parametrize("channel", ["C1", "D1"])
def test_why_outside_threads_goes_by_the_response_url(door: Door, stub: Stub, channel: str) -> None:
    door.press("why", "topic||t\nx", **on_message(door, channel))
    door.press("why", "topic||t\nx", **on_message(door, channel, private=True))
    assert [call["response_type"] for call in stub.of("hook")] == ["ephemeral"] * 2


def test_why_says_when_the_answer_took_up_what_was_before(door: Door, stub: Stub) -> None:
    door.press("why", "topic||\nx", **on_message(door))
    door.press("why", "compare||a,b\nand b", **on_message(door))
    alone = [WORDS["why_alone"] in json.dumps(call["blocks"]) for call in stub.of("hook")]
    assert alone == [False, True]


def test_why_shows_a_persons_words_where_nothing_is_parsed_and_not_in_text(door: Door, stub: Stub) -> None:
    door.press("why", f"topic||\n{HOSTILE}", **on_message(door))
    (call,) = stub.of("hook")
    assert "evil" not in call["text"]
    assert WORDS["your_question"] in call["text"]
    assert "evil" in json.dumps(call["blocks"])
    assert "mrkdwn" not in json.dumps(call["blocks"])


def test_why_in_a_modal_has_a_way_back(door: Door, stub: Stub) -> None:
    modal = Modal(("topic",))
    door.press("why", "topic||t\ntopic", **on_view(modal))
    door.press("back", "0", **on_view(modal))
    why, answer = views_of(stub)
    assert why["blocks"][0]["text"]["text"] == WORDS["why"]
    assert buttons(why)["back"]["value"] == "0"
    assert Modal.read(why["private_metadata"]) == modal
    assert told(answer) == draw(KINDS["topic"])


def test_help_and_small_talk_have_no_foot(door: Door, stub: Stub) -> None:
    door.mention("help")
    door.mention("smalltalk")
    assert not {"why", "vote"} & {name for post in posted(stub) for name in buttons(post)}


# --- votes


def vote(door: Door, value: str, user: str = "U1", action: str = "vote", **where: Any) -> None:
    door.press(action, value, user={"id": user, "team_id": "T0TEAM"}, **(where or on_message(door)))


def test_the_last_vote_of_a_person_counts(stub: Stub) -> None:
    door = make_door(stub, layout="cards")
    door.mention("library")
    pair = posted(stub)[0]["blocks"][-1]["elements"][0]
    good, bad = pair["positive_button"]["value"], pair["negative_button"]["value"]
    vote(door, good)
    assert stub.of("hook")[-1]["text"] == WORDS["feedback_thanks"]
    vote(door, bad)
    vote(door, bad)
    vote(door, good, user="U2")
    assert sorted(door.claims.votes.values()) == [("library||flask", "bad", ""), ("library||flask", "good", "")]
    assert len({answer for answer, _ in door.claims.votes}) == 1
    assert not any("U1" in voter for _, voter in door.claims.votes)


def test_another_answer_is_another_vote(door: Door, stub: Stub) -> None:
    door.mention("library")
    door.mention("library")
    values = [buttons(post)["vote:good"]["value"] for post in posted(stub)]
    assert len(set(values)) == 2


def test_a_bad_vote_asks_why_and_says_thanks_in_its_place(door: Door, stub: Stub) -> None:
    vote(door, Ballot("k", "topic||t", "bad").write())
    (question,) = stub.of("hook")
    reasons = buttons(question)
    assert question["text"] == WORDS["what_was_wrong"]
    assert list(reasons) == ["vote:wrong", "vote:outdated", "vote:unclear", "vote:missing"]
    for _ in range(2):
        vote(door, reasons["vote:outdated"]["value"], action="vote:outdated", **on_message(door, private=True))
    thanks = stub.of("hook")[1:]
    assert [(each["text"], each["replace_original"]) for each in thanks] == [(WORDS["feedback_thanks"], True)] * 2
    assert list(door.claims.votes.values()) == [("topic||t", "bad", "outdated")]


def test_a_vote_under_a_private_answer_leaves_the_answer(door: Door, stub: Stub) -> None:
    door.command("library")
    value = buttons(stub.of("hook")[0])["vote:good"]["value"]
    vote(door, value, action="vote:good", **on_message(door, private=True))
    assert stub.of("hook")[1]["replace_original"] is False


def test_a_vote_in_a_modal_is_thanked_for_in_it(door: Door, stub: Stub) -> None:
    where = on_view(Modal(("library",)))
    door.press("ask:1", "library", **where)
    shown = buttons(views_of(stub)[-1])
    vote(door, shown["vote:bad"]["value"], action="vote:bad", **where)
    asked = buttons(views_of(stub)[-1])
    assert "vote:good" not in asked
    vote(door, asked["vote:unclear"]["value"], action="vote:unclear", **where)
    assert WORDS["feedback_thanks"] in json.dumps(views_of(stub)[-1]["blocks"])
    assert told(views_of(stub)[-1])[: len(draw(KINDS["library"]))] == draw(KINDS["library"])
    assert list(door.claims.votes.values()) == [("library||flask", "bad", "unclear")]


def test_a_vote_that_is_lost_is_said(door: Door, stub: Stub) -> None:
    door.claims.away = True
    vote(door, Ballot("k", "topic||t", "bad").write())
    assert stub.of("hook")[0]["text"] == WORDS["vote_lost"]


@pytest.mark.parametrize("value", ["", "good", "x\n\nk\ntopic||t", "bad\nrude\nk\ntopic", "good\n\n\ntopic||t"])
def test_a_vote_that_is_none_is_acknowledged(door: Door, value: str) -> None:
    vote(door, value)
    assert door.claims.votes == {}


# --- sharing


def test_what_is_shared_is_what_was_seen_and_not_the_question(door: Door, stub: Stub) -> None:
    door.command("library: my private words")
    value = buttons(stub.of("hook")[0])["share"]["value"]
    asked = len(door.desk.asked)
    door.press("share", value, **on_message(door, private=True))
    shared = stub.of("hook")[1]
    assert shared["response_type"] == "in_channel"
    assert told(shared)[: len(draw(KINDS["library"]))] == draw(KINDS["library"])
    assert "private" not in json.dumps(shared)
    assert len(door.desk.asked) == asked
    assert faults(shared["blocks"]) == []


def test_a_share_button_from_before_asks_again(door: Door, stub: Stub) -> None:
    door.press("share", "library", **on_message(door, private=True))
    assert stub.of("hook")[0]["response_type"] == "in_channel"


def test_an_answer_that_is_gone_is_said(door: Door, stub: Stub) -> None:
    door.press("share", "library||gone\n", **on_message(door, private=True))
    assert [call["text"] for call in stub.of("hook")] == [WORDS["not_there"]]


# --- the shortcut's modal


def shortcut(door: Door, text: str = "library", **message: str) -> Json:
    message = {"text": text, "ts": "1.1", "user": "U2"} | message
    door.interact(type="message_action", callback_id="ask_message", message=message, channel={"id": "C1"})
    return views_of(door.stub)[-1]


def reply(door: Door, view: Json) -> None:
    shown = {"id": "V1", "type": "modal", "private_metadata": view["private_metadata"]}
    value = buttons(view)["reply"]["value"]
    door.press("reply", value, container={"type": "view", "view_id": "V1"}, view=shown)


def test_reply_in_thread_posts_once(door: Door, stub: Stub) -> None:
    view = shortcut(door)
    reply(door, view)
    (post,) = posted(stub)
    assert (post["channel"], post["thread_ts"]) == ("C1", "1.1")
    assert told(post)[: len(draw(KINDS["library"]))] == draw(KINDS["library"])
    assert json.dumps(post["blocks"]).count('"user_id": "U1"') == 1
    assert WORDS["replied"] in json.dumps(views_of(stub)[-1])
    assert "reply" not in buttons(views_of(stub)[-1])
    reply(door, view)
    assert len(posted(stub)) == 1
    assert WORDS["already_replied"] in json.dumps(views_of(stub)[-1])


def test_reply_in_thread_stays_in_the_thread(door: Door, stub: Stub) -> None:
    reply(door, shortcut(door, thread_ts="0.5"))
    assert posted(stub)[0]["thread_ts"] == "0.5"


def test_where_the_bot_may_not_post_it_says_so(door: Door, stub: Stub) -> None:
    view = shortcut(door)
    stub.fail("chat.postMessage", Fault(error="not_in_channel"))
    reply(door, view)
    assert WORDS["cannot_reply"] in json.dumps(views_of(stub)[-1])
    reply(door, views_of(stub)[-1])
    assert WORDS["replied"] in json.dumps(views_of(stub)[-1])
    assert len(posted(stub)) == 2


def test_a_message_without_words_gets_help(door: Door, stub: Stub) -> None:
    view = shortcut(door, "")
    assert told(view) == draw(KINDS["help"])
    assert "reply" not in buttons(view)


def test_a_longest_message_opens_a_modal(door: Door, stub: Stub) -> None:
    assert told(shortcut(door, '\x01"\\<!channel>🐍' * 4000)) == draw(KINDS["topic"])


# --- modals remember their way


def test_a_modal_goes_on_and_back(door: Door, stub: Stub) -> None:
    door.press("ask:1", "topic", **on_view(kind="home"))
    for ask in ("library", "step"):
        last = Modal.read(views_of(stub)[-1]["private_metadata"])
        door.press("ask:1", ask, **on_view(last))
    last = Modal.read(views_of(stub)[-1]["private_metadata"])
    assert last.trail == ("topic", "library", "step")
    for expected in ("library", "topic", "topic"):
        door.press("back", "1", **on_view(Modal.read(views_of(stub)[-1]["private_metadata"])))
        assert told(views_of(stub)[-1])[: len(draw(KINDS[expected]))] == draw(KINDS[expected])
    assert "back" not in buttons(views_of(stub)[-1])


@pytest.mark.parametrize("metadata", ["", "[]", "{", "null", "[1,2,3,4]", '["topic"]', '[["topic"], 1, 2, 3]'])
def test_metadata_that_cannot_be_read_is_survived(door: Door, stub: Stub, metadata: str) -> None:
    view = {"id": "V1", "type": "modal", "private_metadata": metadata}
    for action in ("ask:1", "back", "why", "vote:good", "reply", "search", "go:1"):
        door.press(action, Ballot("k", "topic||t", "good").write(), container={"type": "view"}, view=view)
    views_of(stub)


def test_a_long_way_is_kept_within_the_limits() -> None:
    walked = whole = Modal(search=True)
    for number in range(300):
        asked = f"{HOSTILE} {number} \x00\"'"
        whole, walked = whole.asking(asked), walked.asking(asked)
        assert size(walked.write()) <= 3000
        walked = Modal.read(walked.write())  # as Slack gives it back with the next press
        assert walked.question == asked
    kept = Modal.read(whole.write())
    assert kept == walked
    assert size(whole.write()) <= 3000
    assert kept.question == whole.question
    assert 1 < len(kept.trail) < 300
    assert Modal.read(Modal(("🐍\x01" * 40_000,), channel="C1").write()).channel == "C1"


def test_what_buttons_carry_can_be_read_back() -> None:
    assert Asked.read(Asked("topic||t", "two\nlines").write()) == Asked("topic||t", "two\nlines")
    assert Asked.read("only words") == Asked("", "only words")
    ballot = Ballot("k", "list|backend|a,b", "bad", "missing")
    assert Ballot.read(ballot.write()) == ballot
    assert about(subject_of(KINDS["compare"])) == ("compare", "flask,django")


# --- the Home tab and its search


def home(door: Door, page: str = "") -> Json:
    if page:
        door.press("go:1", page, **on_view(kind="home"))
    else:
        door.json({"type": "event_callback", "event": {"type": "app_home_opened", "user": "U1", "tab": "home"}})
    return views_of(door.stub)[-1]


def accessories(view: Json) -> list[Json]:
    return [block["accessory"] for block in view["blocks"] if "accessory" in block]


def test_the_front_page_says_what_to_ask(door: Door) -> None:
    front = home(door)
    pressed = buttons(front)
    assert pressed["search"]["style"] == "primary"
    assert [each["value"] for name, each in pressed.items() if name.startswith("ask")] == [
        "topic, please",
        "library, please",
    ]
    ways = [each["value"] for name, each in pressed.items() if name.startswith("go")]
    assert ways == ["group:backend", "group:frontend", "kinds", "steps:way", "topics"]


@pytest.mark.parametrize(
    ("page", "opens"),
    [
        ("group:backend", ["What is Card1?"]),
        ("steps:way", ["How do I begin?", "Begin", "Go *on*"]),
        ("topics", ["Which side is it?", "How do I begin?"]),
        ("kinds", ["group:all", "group:web"]),
    ],
)
def test_a_page_opens_what_it_lists(door: Door, page: str, opens: list[str]) -> None:
    view = home(door, page)
    assert [each["value"] for each in accessories(view)] == opens
    assert buttons(view)["go:back"]["value"] == "front"
    assert all(each["accessibility_label"].strip() for each in accessories(view))


def test_the_way_back_from_a_kind_is_to_the_kinds(door: Door) -> None:
    assert buttons(home(door, "group:web"))["go:back"]["value"] == "kinds"


@pytest.mark.parametrize("page", ["nothing", "group:gone", "steps:gone", "group:", "group:none", "", "kinds@9999", "@"])
def test_a_page_that_is_gone_is_another_one(door: Door, page: str) -> None:
    assert home(door, page or "front")["blocks"]


def test_long_lists_have_pages() -> None:
    many, seen, page = knowledge(100), list[str](), "group:all"
    while page:
        view = views.home(many, page, WORDS)
        assert view_faults(view) == []
        seen += [each["value"] for each in accessories(view)]
        page = buttons(view).get("go:more", {}).get("value", "")
    assert len(set(seen)) == len(seen) == 100
    assert buttons(view)["go:earlier"]["value"] == "group:all@2"


def test_a_search_answers_in_its_modal(door: Door, stub: Stub) -> None:
    door.press("search", "search", **on_view(kind="home"))
    opened = views_of(stub)[-1]
    assert (opened["callback_id"], opened["blocks"][0]["type"]) == ("search", "input")
    answer = search(door, opened, "unknown thing")
    assert answer["response_action"] == "update"
    assert view_faults(answer["view"]) == []
    assert answer["view"]["blocks"][0]["element"]["initial_value"] == "unknown thing"
    assert told(answer["view"])[1:] == draw(KINDS["unknown"])
    offered = buttons(answer["view"])["ask:1"]
    door.press("ask:1", offered["value"], **on_view(Modal.read(answer["view"]["private_metadata"])))
    assert views_of(stub)[-1]["blocks"][0]["type"] == "input"


def search(door: Door, view: Json, words: str | None) -> Json:
    block = view["blocks"][0]["block_id"]
    state = {"values": {block: {"words": {"type": "plain_text_input", "value": words}}}}
    submitted = {k: view[k] for k in ("type", "callback_id", "private_metadata")} | {"id": "V1", "state": state}
    assert door.interact(type="view_submission", view=submitted) == 200
    return dict(json.loads(door.answers["last"]))


@pytest.mark.parametrize("words", ["", "  ", None])
def test_a_search_without_words_is_told_so(door: Door, stub: Stub, words: str | None) -> None:
    door.press("search", "search", **on_view(kind="home"))
    opened = views_of(stub)[-1]
    errors = {opened["blocks"][0]["block_id"]: WORDS["search_empty"]}
    assert search(door, opened, words) == {"response_action": "errors", "errors": errors}


def test_a_search_that_fails_says_so(door: Door, stub: Stub, caplog: pytest.LogCaptureFixture) -> None:
    door.press("search", "search", **on_view(kind="home"))
    answer = search(door, views_of(stub)[-1], "boom my secret words")
    assert WORDS["oops"] in json.dumps(answer["view"])
    assert caplog.text.count("\nRuntimeError\n") == 1
    assert "secret" not in caplog.text


def test_a_search_that_cannot_be_read_is_acknowledged(door: Door) -> None:
    for state in ({}, {"values": {}}, {"values": {"a": {}}}, {"values": {"a": {"words": {}}}}, {"values": 5}):
        view = {"id": "V1", "type": "modal", "callback_id": "search", "state": state}
        assert door.interact(type="view_submission", view=view) == 200


# --- a token that is gone


@pytest.mark.parametrize(
    ("event", "able"),
    [
        ({"type": "tokens_revoked", "tokens": {"bot": ["U0BOT"]}}, False),
        ({"type": "tokens_revoked", "tokens": {"oauth": ["U1"]}}, True),
        ({"type": "app_uninstalled"}, False),
    ],
)
def test_a_revoked_token_is_known_at_once(
    door: Door, event: Json, able: bool, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        assert door.json({"type": "event_callback", "team_id": "T1", "event": event}) == 200
    assert door.app.able() is able
    assert ("token_revoked" in caplog.text) is not able


# --- whatever people type


@pytest.mark.parametrize(
    "text", [HOSTILE, "\u202eright to left\u202c <!here>", "`a` <@U1> <#C1|x> <!subteam^S1>", "*b*\n> q"]
)
def test_nothing_that_is_typed_is_live(text: str, stub: Stub) -> None:
    door = make_door(stub, layout="cards")
    door.mention(f"library {text}")
    door.dm(f"unknown {text}")
    door.command(f"library {text}")
    door.press("share", buttons(stub.of("hook")[0])["share"]["value"], **on_message(door, private=True))
    door.press("why", buttons(posted(stub)[0])["why"]["value"], **on_message(door))
    reply(door, shortcut(door, f"library {text}"))
    vote(door, Ballot("k", f"topic||{text}", "bad").write())
    vote(door, Ballot("k", f"topic||{text}", "bad", "wrong").write(), action="vote:wrong")
    door.press("search", "search", **on_view(kind="home"))
    found = search(door, views_of(stub)[-1], text)
    for sent in [*(call.args for call in stub.calls), found]:
        for parsed in _parsed(sent):
            assert "<!" not in parsed
            assert "<@" not in parsed
            assert "evil" not in parsed
            assert "right to left" not in parsed


def _parsed(node: Any) -> list[str]:
    """All that Slack reads as mrkdwn, `text` included."""
    if isinstance(node, dict):
        own = [node["text"]] if node.get("type") == "mrkdwn" or ("blocks" in node and "text" in node) else []
        return own + [text for value in node.values() for text in _parsed(value)]
    return [text for item in node for text in _parsed(item)] if isinstance(node, list) else []
