"""The commands after `/askpy` that are no questions, and what a channel is like that is made a pilot by one of them."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from bot import __version__
from bot.slack.features.commands import COMMANDS, command_of
from bot.slack.outgoing import reply_text
from bot.slack.strings import default_strings
from support.block_lint import faults
from support.slack_app import Door, MakeDoor
from support.slack_samples import KINDS
from support.slack_steps import Json, buttons, dumped, on_message, posted, subscribe
from support.slack_stub import TEAM, Fault, Stub

STRINGS = default_strings()
CURATOR, NOBODY = "U1", "U9"


def reloader(*faults: str) -> SimpleNamespace:
    """A pack that was loaded once, and what is wrong with its files."""
    return SimpleNamespace(
        version="12345678", loaded_at=1_763_000_000.0, faults=faults, refresh=lambda _workspace: None
    )


@pytest.fixture
def curated(stub: Stub, make_door: MakeDoor) -> Door:
    """The bot with U1 for a curator."""
    return make_door(stub, curators=(CURATOR,))


def text_of(message: Json) -> str:
    return str(message["text"])


# --- pilot channels


def test_in_a_pilot_channel_only_the_asker_sees_the_answer(curated: Door, stub: Stub) -> None:
    curated.command("Trial  ON")
    curated.mention("library", ts="5.5")
    curated.mention("unknown", ts="7.7", thread_ts="6.6", user="U2")
    alone, threaded = stub.of("chat.postEphemeral")
    assert (alone["channel"], alone["user"], alone.get("thread_ts")) == ("C1", "U1", None)
    assert (threaded["channel"], threaded["user"], threaded["thread_ts"]) == ("C1", "U2", "6.6")
    assert alone["text"] == reply_text(KINDS["library"], STRINGS["on_trial"])
    assert STRINGS["on_trial"] in dumped(alone["blocks"])
    assert "share" not in buttons(alone)
    assert faults(alone["blocks"]) == []
    assert curated.store.tallies.added == [(TEAM, "answered", "C1"), (TEAM, "missed", "C1")]
    curated.press("vote:good", buttons(alone)["vote:good"]["value"], **on_message(curated, private=True))
    assert curated.store.votes.places == [(TEAM, "C1")]
    assert posted(stub) == []


def test_other_channels_and_direct_messages_are_no_pilots(curated: Door, stub: Stub) -> None:
    curated.command("trial on")
    curated.mention("library", channel="C2")
    curated.dm("library", channel="D1")
    assert len(posted(stub)) == 2
    assert {channel for _, _, channel in curated.store.tallies.added} == {""}
    value = buttons(posted(stub)[0])["vote:good"]["value"]
    curated.press("vote:good", value, **on_message(curated, channel="C2"))
    assert curated.store.votes.places == [(TEAM, "")]


def test_a_pilot_ends(curated: Door, stub: Stub) -> None:
    for command, key in (("trial on", "trial_begun"), ("trial off", "trial_ended")):
        curated.command(command)
        assert text_of(stub.of("hook")[-1]) == STRINGS[key]
        assert stub.of("hook")[-1]["response_type"] == "ephemeral"
    curated.mention("library")
    assert len(posted(stub)) == 1


@pytest.mark.parametrize(
    ("fields", "away", "key"),
    [
        ({"user_id": NOBODY}, False, "trial_curators"),
        ({"user_id": CURATOR, "team_id": "T9"}, False, "trial_curators"),
        ({"channel_id": "D1"}, False, "trial_where"),
        ({}, True, "trial_lost"),
    ],
)
def test_who_cannot_make_a_pilot_is_told_why(
    curated: Door, stub: Stub, fields: dict[str, str], away: bool, key: str
) -> None:
    curated.store.away = away
    curated.command("trial on", **fields)
    assert text_of(stub.of("hook")[0]) == STRINGS[key]
    assert curated.store.pilots.channels == set()


def test_a_private_answer_that_surely_has_not_arrived_is_given_again(curated: Door, stub: Stub) -> None:
    curated.command("trial on")
    stub.fail("chat.postEphemeral", *[Fault(502)] * 8)
    curated.mention("library", ts="5.5")
    curated.settle()
    curated.mention("library", ts="5.5")
    assert len(stub.of("chat.postEphemeral")) == 9
    assert curated.open == 0


# --- status, forgetting, help


def test_status_says_how_the_bot_is(stub: Stub, make_door: MakeDoor) -> None:
    door = make_door(stub, curators=(CURATOR,), reloader=reloader())
    door.mention("library")
    door.mention("unknown")
    door.command("trial on")
    door.command("status", user_id=NOBODY)
    lines = text_of(stub.of("hook")[-1])
    for line in (
        f"{STRINGS['status_version']}: {__version__}", f"{STRINGS['status_knowledge']}: 12345678",
        f"{STRINGS['status_loaded']}: 2025-11-13 02:13 UTC", f"{STRINGS['status_entries']}: 7",
        f"{STRINGS['status_answered']}: 1", f"{STRINGS['status_offered']}: 0", f"{STRINGS['status_missed']}: 1",
        f"{STRINGS['status_database']}: {STRINGS['status_fine']}",
        f"{STRINGS['status_channel']}: {STRINGS['status_trial']}",
    ):  # fmt: skip
        assert line in lines
    assert faults(stub.of("hook")[-1]["blocks"]) == []
    door.store.database.loss = "the file was deleted"
    door.command("status", channel_id="D1")
    assert f"{STRINGS['status_database']}: {STRINGS['status_lost']}" in text_of(stub.of("hook")[-1])
    door.store.away = True
    door.command("status", channel_id="D1")
    assert f"{STRINGS['status_database']}: {STRINGS['status_trouble']}" in text_of(stub.of("hook")[-1])
    assert STRINGS["status_channel"] not in text_of(stub.of("hook")[-1])


def test_only_curators_read_what_is_wrong_with_the_pack(stub: Stub, make_door: MakeDoor) -> None:
    fault = "answers.yaml:3: side is 'x'"
    door = make_door(stub, curators=(CURATOR,), reloader=reloader(fault))
    door.command("status")
    door.command("status", user_id=NOBODY)
    assert [fault in text_of(message) for message in stub.of("hook")] == [True, False]


def test_forgetting_says_what_is_gone_and_what_cannot_be_found(door: Door, stub: Stub) -> None:
    door.mention("unknown", user="U1")
    subscribe(door, posted(stub)[0])
    door.command("forget me", user_id="U2")
    assert len(door.store.subscriptions.all()) == 1
    for _ in range(2):
        door.command("Forget me")
    other, mine, again = (text_of(message) for message in stub.of("hook")[1:])
    assert STRINGS["forgot"] in mine
    assert f"{STRINGS['forgot_count']}: 1" in mine
    assert STRINGS["forgot_nothing"] in other
    assert STRINGS["forgot_nothing"] in again
    assert all(STRINGS["forgot_rest"] in said for said in (other, mine, again))
    assert door.store.subscriptions.all() == ()
    door.store.away = True
    door.command("forget me")
    assert text_of(stub.of("hook")[-1]) == STRINGS["forget_lost"]


@pytest.mark.parametrize(
    "text", ["status of flask", "what is the status", "forget", "forget me not", "trial", "trial on flask", "on", ""]
)
def test_questions_are_no_commands(text: str, door: Door) -> None:
    assert command_of(text) is None
    door.command(text)
    assert [question.text for question in door.engine.asked] == [text]


@pytest.mark.parametrize("ask", ["mention", "dm"])
def test_only_after_askpy_a_command_is_one(ask: str, door: Door) -> None:
    assert command_of("forget me") == "forget me"
    getattr(door, ask)("forget me")
    assert [question.text for question in door.engine.asked] == ["forget me"]


def test_commands_are_no_questions(curated: Door, stub: Stub) -> None:
    for command in COMMANDS:
        curated.command(f" {command.upper()} ")
    assert (curated.engine.asked, curated.store.tallies.added) == ([], [])
    assert len(stub.of("hook")) == len(COMMANDS)


def test_help_names_the_commands(curated: Door, stub: Stub) -> None:
    curated.command("help")
    curated.command("", user_id=NOBODY)
    curators, others = (text_of(message) for message in stub.of("hook"))
    assert (STRINGS["chores"] in curators, STRINGS["chores_curators"] in curators) == (True, True)
    assert (STRINGS["chores"] in others, STRINGS["chores_curators"] in others) == (True, False)
    curated.mention("help")
    assert text_of(posted(stub)[0]) == reply_text(KINDS["help"])
