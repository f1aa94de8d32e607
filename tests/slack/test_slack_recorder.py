"""What becomes of questions: counted by how they ended, and the words of the unanswered kept, as far as they may be."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bot.model import Question
from bot.slack.recorder import MAX_STORED_TEXT, Recorder, outcome_of, redacted_line, text_to_keep
from support.slack_app import Door, MakeDoor
from support.slack_samples import KINDS, OFFER, SampleStore
from support.slack_steps import on_message, on_view, search, shortcut, views_of
from support.slack_stub import TEAM, Stub


def test_every_question_is_counted_by_how_it_ended(door: Door, stub: Stub) -> None:
    door.mention("topic")
    door.dm("unknown thing")
    door.command("an offer")
    shortcut(door, "library")
    door.press("search", "search", **on_view(kind="home"))
    search(door, views_of(stub)[-1], "smalltalk")
    door.rest()
    door.dm("")
    assert door.store.tallies.added == [
        (TEAM, outcome, "") for outcome in ("answered", "missed", "offered", "answered", "smalltalk", "smalltalk")
    ]
    assert {question.workspace for question in door.engine.asked} == {TEAM}


def test_what_nobody_has_typed_is_not_counted(door: Door) -> None:
    door.press("ask:1", "unknown", **on_message(door))
    door.press("ask:1", "unknown", **on_message(door, private=True))
    door.press("ask:1", "unknown", **on_view(kind="home"))
    door.mention("unknown", bot_id="B9")
    door.event(type="message", channel_type="channel", text="unknown")
    door.press("back", "1", **on_view())
    door.press("vote:good", "good\n\nk\ntopic||t", **on_view())
    assert len(door.engine.asked) == 5
    assert (door.store.tallies.added, door.store.misses.by_key) == ([], {})


def test_a_repeated_delivery_counts_once(door: Door) -> None:
    for _ in range(3):
        door.dm("unknown", ts="5.5")
    assert door.store.tallies.added == [(TEAM, "missed", "")]
    assert [miss.count for miss in door.store.misses.by_key.values()] == [1]


def test_what_is_missed_is_kept_with_its_best_guess_and_nobodys_name(door: Door) -> None:
    door.mention("an offer for <@U777AAAA7> at joe@example.org", user="U555BBBB5", ts="5.5")
    door.dm("unknown")
    offered, unknown = door.store.misses.by_key.values()
    assert (offered.text, offered.best, offered.workspace) == ("an offer for at …", "flask", TEAM)
    assert (unknown.text, unknown.best, unknown.count) == ("unknown", "", 1)
    assert "U555BBBB5" not in repr(door.store.misses.by_key) + repr(door.store.tallies.added)


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
    assert redacted_line(typed) == kept
    assert text_to_keep(Question(typed, "dm")) == kept
    assert text_to_keep(Question(typed, "shortcut")) == ""
    assert text_to_keep(Question(typed, "dm", is_forwarded=True)) == ""


def test_only_so_much_is_kept() -> None:
    assert len(redacted_line("word " * 2000)) <= MAX_STORED_TEXT
    for evil in ("a-" * 2000, "1 " * 2000 + "a", "a." * 2000, "a@" * 2000, "x" * 4000):
        assert len(redacted_line(evil)) <= MAX_STORED_TEXT


def test_every_kind_of_reply_has_an_outcome() -> None:
    outcomes = {kind: outcome_of(made) for kind, made in KINDS.items()}
    assert (outcomes["unknown"], outcome_of(OFFER), outcomes["help"], outcomes["compare"]) == (
        "missed",
        "offered",
        "smalltalk",
        "answered",
    )


def test_recording_comes_after_the_answer_and_breaks_nothing(
    stub: Stub, make_door: MakeDoor, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    door = make_door(stub)
    before: list[int] = []

    def broken(*_: Any) -> None:
        before.append(len(stub.calls))
        raise RuntimeError(door.engine.asked[-1].text)

    monkeypatch.setattr(door.store.tallies, "add", broken)
    door.dm("unknown private words")
    door.command("unknown private words")
    assert before == [1, 2]
    assert [call.method for call in stub.calls] == ["chat.postMessage", "hook"]
    assert caplog.text.count("Recording failed") == 2
    assert "private" not in caplog.text
    assert door.app.context.recorder.unrecorded == 2
    assert door.open == 0


def test_counts_are_written_together_and_a_miss_at_once() -> None:
    store = SampleStore()
    writes: list[int] = []

    async def run_db(work: Any, batch: Any) -> None:
        writes.append(len(batch))
        work(batch)

    async def add() -> None:
        recorder = Recorder(store, run_db, write_delay=60)  # type: ignore[arg-type]
        for _ in range(3):
            recorder.add(Question("topic", workspace=TEAM), KINDS["topic"])
        await asyncio.sleep(0)
        assert writes == []
        recorder.add(Question("unknown", workspace=TEAM), KINDS["unknown"])
        assert recorder._writing is not None
        await asyncio.wait_for(recorder._writing, 5)

    asyncio.run(add())
    assert writes == [4]
    assert [outcome for _, outcome, _ in store.tallies.added] == ["answered"] * 3 + ["missed"]


def test_a_flush_waits_for_no_more_than_was_added_before() -> None:
    """However many others are added meanwhile: whoever presses "Tell me" waits for it."""

    async def flush() -> None:
        writes: list[int] = []
        gate = asyncio.Event()

        async def run_db(_: Any, batch: Any) -> None:
            writes.append(len(batch))
            recorder.add(Question("topic", workspace=TEAM), KINDS["topic"])
            if len(writes) > 1:
                await gate.wait()

        recorder = Recorder(SampleStore(), run_db, write_delay=60)  # type: ignore[arg-type]
        await recorder.flush()
        assert writes == []
        recorder.add(Question("topic", workspace=TEAM), KINDS["topic"])
        await asyncio.wait_for(recorder.flush(), 5)
        assert writes == [1]
        behind = asyncio.create_task(recorder.flush())
        while len(writes) < 2:
            await asyncio.sleep(0)
        assert not behind.done()
        gate.set()
        await asyncio.wait_for(behind, 5)

    asyncio.run(flush())
