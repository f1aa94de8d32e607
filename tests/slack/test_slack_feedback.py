"""What stands below an answer: why it was given, and votes on it."""

from __future__ import annotations

import pytest

from bot.slack.blocks import render_blocks
from bot.slack.blocks.limits import size
from bot.slack.payloads import AnswerRef, FeedbackValue, ModalState, answer_ref, parse_answer_ref
from bot.slack.strings import default_strings
from support.block_lint import faults
from support.slack_app import Door, MakeDoor
from support.slack_samples import HOSTILE, KINDS
from support.slack_steps import buttons, dumped, on_message, on_view, posted, told, views_of, vote, vote_value
from support.slack_stub import Fault, Stub

STRINGS = default_strings()


# --- why


def test_why_is_told_privately_in_a_thread(door: Door, stub: Stub) -> None:
    door.mention("topic please")
    why = buttons(posted(stub)[0])["why"]
    assert why["value"] == "topic||t\ntopic please"
    door.press("why", why["value"], **on_message(door, thread="5.5"))
    (call,) = stub.of("chat.postEphemeral")
    assert (call["channel"], call["user"], call["thread_ts"]) == ("C1", "U1", "5.5")
    assert call["blocks"][0]["text"]["text"] == STRINGS["why"]
    assert faults(call["blocks"]) == []
    assert (door.engine.asked[-1].text, door.engine.asked[-1].conversation) == ("topic please", None)


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
    alone = [STRINGS["why_alone"] in dumped(call["blocks"]) for call in stub.of("hook")]
    assert alone == [False, True]


def test_why_shows_a_persons_words_where_nothing_is_parsed_and_not_in_text(door: Door, stub: Stub) -> None:
    door.press("why", f"topic||\n{HOSTILE}", **on_message(door))
    (call,) = stub.of("hook")
    assert "evil" not in call["text"]
    assert STRINGS["your_question"] in call["text"]
    assert "evil" in dumped(call["blocks"])
    assert "mrkdwn" not in dumped(call["blocks"])


def test_why_in_a_modal_has_a_way_back(door: Door, stub: Stub) -> None:
    state = ModalState(("topic",))
    door.press("why", "topic||t\ntopic", **on_view(state))
    door.press("back", "0", **on_view(state))
    why, answer = views_of(stub)
    assert why["blocks"][0]["text"]["text"] == STRINGS["why"]
    assert buttons(why)["back"]["value"] == "0"
    assert ModalState.from_metadata(why["private_metadata"]) == state
    assert told(answer) == render_blocks(KINDS["topic"])


def test_help_and_small_talk_have_no_footer(door: Door, stub: Stub) -> None:
    door.mention("help")
    door.mention("smalltalk")
    assert len(posted(stub)) == 2
    assert not {"why", "vote:good", "vote:bad"} & {name for post in posted(stub) for name in buttons(post)}


# --- votes


def test_the_last_vote_of_a_person_counts(stub: Stub, make_door: MakeDoor) -> None:
    door = make_door(stub, layout="cards")
    door.mention("library")
    pair = posted(stub)[0]["blocks"][-1]["elements"][0]
    good, bad = pair["positive_button"]["value"], pair["negative_button"]["value"]
    vote(door, good)
    assert stub.of("hook")[-1]["text"] == STRINGS["feedback_thanks"]
    vote(door, bad)
    vote(door, bad)
    vote(door, good, user="U2")
    votes = door.store.votes.by_voter
    assert sorted(votes.values()) == [("library||flask", "bad", ""), ("library||flask", "good", "")]
    assert len({answer for answer, _ in votes}) == 1
    assert not any("U1" in voter for _, voter in votes)


def test_another_answer_is_another_vote(door: Door, stub: Stub) -> None:
    door.mention("library")
    door.mention("library")
    values = [buttons(post)["vote:good"]["value"] for post in posted(stub)]
    assert len(set(values)) == 2


def test_a_bad_vote_asks_why_and_says_thanks_in_its_place(door: Door, stub: Stub) -> None:
    vote(door, vote_value("topic||t", "bad"))
    (question,) = stub.of("hook")
    reasons = buttons(question)
    assert question["text"] == STRINGS["what_was_wrong"]
    assert list(reasons) == ["vote:wrong", "vote:outdated", "vote:unclear", "vote:missing"]
    for _ in range(2):
        vote(door, reasons["vote:outdated"]["value"], action="vote:outdated", **on_message(door, private=True))
    thanks = stub.of("hook")[1:]
    assert [(each["text"], each["replace_original"]) for each in thanks] == [(STRINGS["feedback_thanks"], True)] * 2
    assert list(door.store.votes.by_voter.values()) == [("topic||t", "bad", "outdated")]


def test_a_vote_under_a_private_answer_leaves_the_answer(door: Door, stub: Stub) -> None:
    door.command("library")
    value = buttons(stub.of("hook")[0])["vote:good"]["value"]
    vote(door, value, action="vote:good", **on_message(door, private=True))
    assert stub.of("hook")[1]["replace_original"] is False


def test_a_vote_in_a_modal_is_thanked_for_in_it(door: Door, stub: Stub) -> None:
    where = on_view(ModalState(("library",)))
    door.press("ask:1", "library", **where)
    shown = buttons(views_of(stub)[-1])
    vote(door, shown["vote:bad"]["value"], action="vote:bad", **where)
    asked = buttons(views_of(stub)[-1])
    assert "vote:good" not in asked
    vote(door, asked["vote:unclear"]["value"], action="vote:unclear", **where)
    assert STRINGS["feedback_thanks"] in dumped(views_of(stub)[-1]["blocks"])
    library = render_blocks(KINDS["library"])
    assert told(views_of(stub)[-1])[: len(library)] == library
    assert list(door.store.votes.by_voter.values()) == [("library||flask", "bad", "unclear")]


def test_a_vote_that_is_lost_is_said(door: Door, stub: Stub) -> None:
    door.store.away = True
    vote(door, vote_value("topic||t", "bad"))
    assert stub.of("hook")[0]["text"] == STRINGS["vote_lost"]


@pytest.mark.parametrize("value", ["", "good", "x\n\nk\ntopic||t", "bad\nrude\nk\ntopic", "good\n\n\ntopic||t"])
def test_a_vote_that_is_none_is_acknowledged(door: Door, stub: Stub, value: str) -> None:
    assert door.press("vote", value, **on_message(door)) == 200
    assert (door.store.votes.by_voter, stub.calls) == ({}, [])


def test_what_buttons_carry_can_be_read_back() -> None:
    assert AnswerRef.from_value(AnswerRef("topic||t", "two\nlines").to_value()) == AnswerRef("topic||t", "two\nlines")
    assert AnswerRef.from_value("only words") == AnswerRef("", "only words")
    understood = AnswerRef("list|gui|a,b", "not\tkivy", "of the 3 shown, without Kivy")
    assert AnswerRef.from_value(understood.to_value()) == understood
    for question in ("", "is it free?"):
        value = FeedbackValue("k", "list|backend|a,b", "bad", "missing", question)
        assert FeedbackValue.from_value(value.to_value()) == value
    long = FeedbackValue("k", "list|backend|a,b", "bad", "missing", "why\nnot\t" + "𝒘" * 2000)
    read = FeedbackValue.from_value(long.to_value())
    assert size(long.to_value()) <= 2000
    assert read is not None
    assert (read.key, read.answer_ref, read.question[:9]) == ("k", "list|backend|a,b", "why not 𝒘")


def test_of_a_question_in_a_vote_an_earlier_release_stores_no_words() -> None:
    """It takes the first three lines for vote, reason and key, of which it stores a hash, and the rest for the reference."""
    vote, reason, key, ref = FeedbackValue("k", "topic||a", "bad", "wrong", "a secret").to_value().split("\n", 3)
    assert (vote, reason, key.partition("\t")[0], ref) == ("bad", "wrong", "k", "topic||a")
    parsed = parse_answer_ref(answer_ref(KINDS["compare"]))
    assert (parsed.kind, parsed.ids) == ("compare", ("flask", "django"))
