"""What becomes of questions: counted, told later, tried out in private; and the commands that are no questions."""

from __future__ import annotations

import json
import logging
from types import SimpleNamespace
from typing import Any

import pytest
from conftest import Door, make_door
from slack_ledger import SampleLedger, SampleLook, SampleShelf
from slack_lint import faults
from slack_samples import HOSTILE, KINDS, OFFER, SampleRecords
from slack_stub import TEAM, Fault, Stub
from test_slack_doors import buttons, posted, told
from test_slack_feet import on_message, on_view, search, shortcut, views_of

from bot import __version__
from bot.slack.answering import fallback
from bot.slack.blocks import draw
from bot.slack.chores import CHORES, chore_of
from bot.slack.curating import Curation
from bot.slack.recording import LONGEST_KEPT, outcome_of, worth_keeping
from bot.slack.words import default_words

WORDS = default_words()
Json = dict[str, Any]
CURATOR, NOBODY = "U1", "U9"
PACK = SimpleNamespace(version="12345678", loaded_at=1_763_000_000.0, faults=())


def curated(stub: Stub, **options: Any) -> Door:
    """The bot with U1 for a curator."""
    ledger = SampleLedger()
    curation = Curation(ledger=ledger, shelf=SampleShelf(ledger), named=(CURATOR,), look=SampleLook(), settle=0)
    return make_door(stub, curation=curation, **options)


# --- recording


def test_every_question_is_counted_by_its_end(door: Door, stub: Stub) -> None:
    door.mention("topic")
    door.dm("unknown thing")
    door.command("an offer")
    shortcut(door, "library")
    door.press("search", "search", **on_view(kind="home"))
    search(door, views_of(stub)[-1], "smalltalk")
    door.dm("")
    assert door.claims.tallies == [
        (TEAM, outcome, "") for outcome in ("answered", "missed", "offered", "answered", "smalltalk", "smalltalk")
    ]
    assert {question.workspace for question in door.desk.asked} == {TEAM}


def test_what_nobody_has_typed_is_not_counted(door: Door, stub: Stub) -> None:
    door.press("ask:1", "unknown", **on_message(door))
    door.press("ask:1", "unknown", **on_message(door, private=True))
    door.press("ask:1", "unknown", **on_view(kind="home"))
    door.mention("unknown", bot_id="B9")
    door.event(type="message", channel_type="channel", text="unknown")
    door.press("back", "1", **on_view())
    door.press("vote:good", "good\n\nk\ntopic||t", **on_view())
    assert (door.claims.tallies, door.claims.misses) == ([], {})


def test_a_repeated_delivery_counts_once(door: Door) -> None:
    for _ in range(3):
        door.dm("unknown", ts="5.5")
    assert door.claims.tallies == [(TEAM, "missed", "")]


def test_what_is_missed_is_kept_with_its_best_guess_and_nobody_s_name(door: Door, stub: Stub) -> None:
    door.mention("an offer for <@U777AAAA7> at joe@example.org", user="U555BBBB5", ts="5.5")
    door.dm("unknown")
    offered, unknown = door.claims.misses.values()
    assert (offered.text, offered.best, offered.workspace) == ("an offer for at …", "flask", TEAM)
    assert (unknown.text, unknown.best, unknown.count) == ("unknown", "", 1)
    assert "U555BBBB5" not in repr(door.claims.misses) + repr(door.claims.tallies)


TOKEN_LIKE = "xoxb-" + "0123456789-abcdefghij"
"""In two parts, because nothing in the tree may look like a token."""


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("how do I <@U012AB3CD> use <https://x.example/z?token=1|flask> in <#C012AB3CD|general>?", "how do I use flask in ?"),
        ("mail a.b@c.example or <mailto:joe@x.example|joe@x.example> about django", "mail … or … about django"),
        ("call +49 (171) 123-4567 or 0171 1234567 about python 3.11.2", "call … or … about python 3.11.2"),
        ("see www.example.org/bar?x=1", "see …"),
        ("U024BE7LH and <@U024BE7LH> said so", "… and said so"),
        (f"my token {TOKEN_LIKE} and AKIA1234567890ABCDEFGHIJ fail", "my token … and … fail"),
        ("what does @property do in 3.10 3.11 3.12", "what does @property do in 3.10 3.11 3.12"),
        ("what is c++ & c# in 2023, python-dateutil==2.9.0?", "what is c++ & c# in 2023, python-dateutil==2.9.0?"),
        ("two\nlines :wave:", "two lines"),
        ("<@U012AB3CD> ...", ""),
        ("", ""),
    ],
)  # fmt: skip
def test_words_are_kept_without_what_is_private(typed: str, kept: str) -> None:
    assert worth_keeping(typed) == kept


def test_only_so_much_is_kept() -> None:
    assert len(worth_keeping("word " * 2000)) <= LONGEST_KEPT
    for evil in ("a-" * 2000, "1 " * 2000 + "a", "a." * 2000, "a@" * 2000, "x" * 4000):
        assert len(worth_keeping(evil)) <= LONGEST_KEPT


def test_every_kind_of_reply_has_an_end() -> None:
    ends = {kind: outcome_of(made) for kind, made in KINDS.items()}
    assert (ends["unknown"], outcome_of(OFFER), ends["help"], ends["compare"]) == (
        "missed",
        "offered",
        "smalltalk",
        "answered",
    )


def test_recording_comes_after_the_answer_and_breaks_nothing(
    stub: Stub, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    door = make_door(stub)
    before: list[int] = []

    def broken(*_: Any) -> None:
        before.append(len(stub.calls))
        raise RuntimeError(door.desk.asked[-1].text)

    monkeypatch.setattr(door.claims, "tally", broken)
    door.dm("unknown private words")
    door.command("unknown private words")
    assert before == [1, 2]
    assert [call.method for call in stub.calls] == ["chat.postMessage", "hook"]
    assert caplog.text.count("Recording failed") == 2
    assert "private" not in caplog.text
    assert door.app.answering.recorder.unrecorded == 2


def test_logs_hold_nothing_of_what_is_recorded(stub: Stub, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        door = curated(stub)
        door.command("trial on")
        door.mention("unknown xylophone")
        button = tell(door, posted_or_private(stub)[-1])
        door.press("none", button, **on_message(door))
        door.desk.learned.add("unknown xylophone")
        door.app.teller.look()
        door.command("forget me")
        door.command("status")
    assert "xylophone" not in caplog.text
    assert "U1" not in caplog.text


# --- telling


def posted_or_private(stub: Stub) -> list[Json]:
    return [call.args for call in stub.calls if call.method in ("chat.postMessage", "chat.postEphemeral")]


def tell(door: Door, message: Json, /, **where: Any) -> str:
    """Press "Tell me" under a message; the button's value."""
    value: str = buttons(message)["tell"]["value"]
    door.press("tell", value, **(where or on_message(door)))
    return value


def test_what_is_unanswered_offers_to_tell(door: Door, stub: Stub) -> None:
    door.mention("unknown")
    door.mention("an offer")
    door.mention("topic")
    missed, offered, answered = (set(buttons(post)) for post in posted(stub))
    assert (("tell" in missed, "none" in missed), {"tell", "none"} <= offered) == ((True, False), True)
    assert not {"tell", "none"} & answered
    door.command("unknown")
    assert "tell" in buttons(stub.of("hook")[-1])
    assert "tell" in buttons(shortcut(door, "unknown"))
    assert [fault for post in posted(stub) for fault in faults(post["blocks"])] == []


def test_who_asked_to_be_told_is_told_once(door: Door, stub: Stub) -> None:
    door.mention("unknown *thing* <!channel> &lt;!here&gt;", user="U7")
    for _ in range(2):
        tell(door, posted(stub)[0], **on_message(door), user={"id": "U7", "team_id": TEAM})
    assert [call["text"] for call in stub.of("hook")] == [WORDS["will_tell"]] * 2
    assert [waiting.user for waiting in door.claims.waiting()] == ["U7"]
    assert next(iter(door.claims.misses.values())).count == 1
    door.app.teller.look()
    assert len(posted(stub)) == 1
    door.desk.learned.add(door.claims.waiting()[0].text)
    for _ in range(2):
        door.app.teller.look()
    (message,) = posted(stub)[1:]
    assert message["channel"] == "U7"
    assert "thread_ts" not in message
    assert message["text"] == fallback(KINDS["library"], WORDS["told_note"])
    quote = message["blocks"][0]["elements"][0]
    assert (quote["type"], quote["elements"][0]["text"]) == ("rich_text_quote", "unknown *thing* <!here>")
    assert draw(KINDS["library"])[0] in message["blocks"]
    assert (faults(message["blocks"]), door.claims.waiting()) == ([], ())


def test_nobody_is_asked_for_again_while_nothing_has_changed(door: Door, stub: Stub) -> None:
    door.mention("unknown")
    tell(door, posted(stub)[0])
    door.app.teller.look()
    asked = len(door.desk.asked)
    for _ in range(3):
        door.app.teller.look()
    assert len(door.desk.asked) == asked
    for workspace, more in (("T9", 0), (TEAM, 1), ("", 1)):
        door.app.teller.changed(workspace)
        door.app.teller.look()
        assert len(door.desk.asked) == (asked := asked + more)


def test_of_two_processes_one_tells(stub: Stub) -> None:
    records = SampleRecords()
    doors = [make_door(stub, claims=records) for _ in range(2)]
    doors[0].mention("unknown")
    tell(doors[0], posted(stub)[0])
    for door in doors:
        door.desk.learned.add("unknown")
        door.app.teller.look()
    assert len(posted(stub)) == 2


@pytest.mark.parametrize(("fault", "again"), [(Fault(502), True), (Fault(error="channel_not_found"), False)])
def test_who_could_surely_not_be_told_waits_on(door: Door, stub: Stub, fault: Fault, again: bool) -> None:
    door.mention("unknown")
    tell(door, posted(stub)[0])
    door.desk.learned.add("unknown")
    stub.fail("chat.postMessage", *[fault] * 8)
    door.app.teller.look()
    door.settle()
    assert bool(door.claims.waiting()) is again
    stub.faults.clear()
    before = len(posted(stub))
    door.app.teller.look()
    assert len(posted(stub)) - before == again
    assert door.claims.waiting() == ()


def test_what_is_known_by_now_is_answered_at_once(door: Door, stub: Stub) -> None:
    door.mention("unknown")
    view = shortcut(door, "unknown")
    door.desk.learned.add("unknown")
    tell(door, posted(stub)[0])
    assert stub.of("hook")[0]["text"] == fallback(KINDS["library"])
    shown = {"id": "V1", "type": "modal", "private_metadata": view["private_metadata"]}
    tell(door, view, container={"type": "view", "view_id": "V1"}, view=shown)
    assert told(views_of(stub)[-1])[: len(draw(KINDS["library"]))] == draw(KINDS["library"])
    assert door.claims.waiting() == ()


def test_in_a_modal_it_is_said_in_it(door: Door, stub: Stub) -> None:
    view = shortcut(door, "an offer")
    shown = {"id": "V1", "type": "modal", "private_metadata": view["private_metadata"]}
    where = {"container": {"type": "view", "view_id": "V1"}, "view": shown}
    value = tell(door, view, **where)
    assert WORDS["will_tell"] in json.dumps(views_of(stub)[-1], ensure_ascii=False)
    door.press("none", value, **where)
    assert WORDS["none_noted"] in json.dumps(views_of(stub)[-1], ensure_ascii=False)
    assert len(door.claims.waiting()) == 1


def test_what_cannot_be_noted_is_said(door: Door, stub: Stub) -> None:
    door.mention("unknown")
    door.claims.away = True
    tell(door, posted(stub)[0])
    assert stub.of("hook")[0]["text"] == WORDS["cannot_tell"]
    door.claims.away = False
    door.dm("unknown <@U012AB3CD>")
    door.press("tell", "unknown||\n<mailto:unknown@x.example>", **on_message(door))
    assert stub.of("hook")[1]["text"] == WORDS["cannot_tell"]


def test_none_of_these_is_a_miss_without_a_guess_and_counts_once(door: Door, stub: Stub) -> None:
    door.mention("an offer")
    value = buttons(posted(stub)[0])["none"]["value"]
    for _ in range(2):
        door.press("none", value, **on_message(door))
    first, _ = stub.of("hook")
    assert (first["text"], list(buttons(first))) == (WORDS["none_noted"], ["tell"])
    (miss,) = door.claims.misses.values()
    assert (miss.count, miss.best) == (2, "")
    door.press("none", value, **on_message(door), user={"id": "U2", "team_id": TEAM})
    assert next(iter(door.claims.misses.values())).count == 3


@pytest.mark.parametrize("value", ["", "\n", "unknown||\n", HOSTILE, "x" * 2000])
def test_buttons_that_are_none_are_acknowledged(door: Door, value: str, caplog: pytest.LogCaptureFixture) -> None:
    for action in ("tell", "none"):
        assert door.press(action, value, **on_message(door)) == 200
        assert door.press(action, value, container={"type": "message"}) == 200
    assert caplog.text == ""


# --- trials


def test_in_a_channel_on_trial_only_the_asker_sees_the_answer(stub: Stub) -> None:
    door = curated(stub)
    door.command("Trial  ON")
    door.mention("library", ts="5.5")
    door.mention("unknown", ts="7.7", thread_ts="6.6", user="U2")
    alone, threaded = stub.of("chat.postEphemeral")
    assert (alone["channel"], alone["user"], alone.get("thread_ts")) == ("C1", "U1", None)
    assert (threaded["channel"], threaded["user"], threaded["thread_ts"]) == ("C1", "U2", "6.6")
    assert alone["text"] == fallback(KINDS["library"], WORDS["on_trial"])
    assert WORDS["on_trial"] in json.dumps(alone["blocks"], ensure_ascii=False)
    assert "share" not in buttons(alone)
    assert faults(alone["blocks"]) == []
    assert door.claims.tallies == [(TEAM, "answered", "C1"), (TEAM, "missed", "C1")]
    door.press("vote:good", buttons(alone)["vote:good"]["value"], **on_message(door, private=True))
    assert door.claims.voted_in == [(TEAM, "C1")]
    assert posted(stub) == []


def test_other_channels_and_direct_messages_are_not_on_trial(stub: Stub) -> None:
    door = curated(stub)
    door.command("trial on")
    door.mention("library", channel="C2")
    door.dm("library", channel="D1")
    assert len(posted(stub)) == 2
    assert {channel for _, _, channel in door.claims.tallies} == {""}
    value = buttons(posted(stub)[0])["vote:good"]["value"]
    door.press("vote:good", value, **on_message(door, channel="C2"))
    assert door.claims.voted_in == [(TEAM, "")]


def test_a_trial_ends(stub: Stub) -> None:
    door = curated(stub)
    for chore, word in (("trial on", "trial_begun"), ("trial off", "trial_ended")):
        door.command(chore)
        assert stub.of("hook")[-1]["text"] == WORDS[word]
        assert stub.of("hook")[-1]["response_type"] == "ephemeral"
    door.mention("library")
    assert len(posted(stub)) == 1


@pytest.mark.parametrize(
    ("fields", "away", "word"),
    [
        ({"user_id": NOBODY}, False, "trial_curators"),
        ({"user_id": CURATOR, "team_id": "T9"}, False, "trial_curators"),
        ({"channel_id": "D1"}, False, "trial_where"),
        ({}, True, "trial_lost"),
    ],
)
def test_who_cannot_set_a_trial_is_told_why(stub: Stub, fields: dict[str, str], away: bool, word: str) -> None:
    door = curated(stub)
    door.claims.away = away
    door.command("trial on", **fields)
    assert stub.of("hook")[0]["text"] == WORDS[word]
    assert door.claims.trials == set()


def test_a_private_answer_that_surely_has_not_arrived_is_given_again(stub: Stub) -> None:
    door = curated(stub)
    door.command("trial on")
    stub.fail("chat.postEphemeral", *[Fault(502)] * 8)
    door.mention("library", ts="5.5")
    door.settle()
    door.mention("library", ts="5.5")
    assert len(stub.of("chat.postEphemeral")) == 9
    assert door.app.answering.promises.open == 0


# --- status, forgetting, help


def facts(message: Json) -> str:
    return str(message["text"])


def test_status_says_how_the_bot_is(stub: Stub) -> None:
    door = curated(stub, loaded=PACK)
    door.mention("library")
    door.mention("unknown")
    door.command("trial on")
    door.command("status", user_id=NOBODY)
    lines = facts(stub.of("hook")[-1])
    for line in (
        f"{WORDS['status_version']}: {__version__}", f"{WORDS['status_knowledge']}: 12345678",
        f"{WORDS['status_loaded']}: 2025-11-13 02:13 UTC", f"{WORDS['status_entries']}: 7",
        f"{WORDS['status_answered']}: 1", f"{WORDS['status_offered']}: 0", f"{WORDS['status_missed']}: 1",
        f"{WORDS['status_database']}: {WORDS['status_fine']}", f"{WORDS['status_channel']}: {WORDS['status_trial']}",
    ):  # fmt: skip
        assert line in lines
    assert faults(stub.of("hook")[-1]["blocks"]) == []
    door.claims.away = True
    door.command("status", channel_id="D1")
    assert f"{WORDS['status_database']}: {WORDS['status_trouble']}" in facts(stub.of("hook")[-1])
    assert WORDS["status_channel"] not in facts(stub.of("hook")[-1])


def test_only_curators_read_what_is_wrong_with_the_pack(stub: Stub) -> None:
    fault = "answers.yaml:3: side is 'x'"
    door = curated(stub, loaded=SimpleNamespace(**(vars(PACK) | {"faults": (fault,)})))
    door.command("status")
    door.command("status", user_id=NOBODY)
    assert [fault in facts(message) for message in stub.of("hook")] == [True, False]


def test_forgetting_says_what_is_gone_and_what_cannot_be_found(door: Door, stub: Stub) -> None:
    door.mention("unknown", user="U1")
    tell(door, posted(stub)[0])
    door.command("forget me", user_id="U2")
    assert len(door.claims.waiting()) == 1
    for _ in range(2):
        door.command("Forget me")
    other, mine, again = (facts(message) for message in stub.of("hook")[1:])
    assert WORDS["forgot"] in mine
    assert f"{WORDS['forgot_count']}: 1" in mine
    assert WORDS["forgot_nothing"] in other
    assert WORDS["forgot_nothing"] in again
    assert all(WORDS["forgot_rest"] in said for said in (other, mine, again))
    assert door.claims.waiting() == ()
    door.claims.away = True
    door.command("forget me")
    assert facts(stub.of("hook")[-1]) == WORDS["forget_lost"]


@pytest.mark.parametrize(
    "text", ["status of flask", "what is the status", "forget", "forget me not", "trial", "trial on flask", "on", ""]
)
def test_questions_are_no_chores(text: str, door: Door) -> None:
    assert chore_of(text) is None
    door.command(text)
    assert [question.text for question in door.desk.asked] == [text]


def test_chores_are_no_questions(stub: Stub) -> None:
    door = curated(stub)
    for chore in CHORES:
        door.command(f" {chore.upper()} ")
    assert (door.desk.asked, door.claims.tallies) == ([], [])
    assert len(stub.of("hook")) == len(CHORES)


def test_help_names_the_chores(stub: Stub) -> None:
    door = curated(stub)
    door.command("help")
    door.command("", user_id=NOBODY)
    curators, others = (facts(message) for message in stub.of("hook"))
    assert (WORDS["chores"] in curators, WORDS["chores_curators"] in curators) == (True, True)
    assert (WORDS["chores"] in others, WORDS["chores_curators"] in others) == (True, False)
    door.mention("help")
    assert posted(stub)[0]["text"] == fallback(KINDS["help"])
