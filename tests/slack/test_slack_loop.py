"""The loop: a miss becomes an answer, in every process at once, and goes away again. A real database, and a real pack."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from support.curator_room import CURATOR, OTHER, Json, Process, buttons, text, value
from support.slack_app import MakeDoor
from support.slack_stub import TEAM, Stub

DOG, PLANTS = "may the dog sit under my table", "who waters the plants"


@pytest.fixture
def processes(stub: Stub, make_door: MakeDoor, tmp_path: Path) -> Iterator[tuple[Process, Process]]:
    url = f"sqlite:///{tmp_path / 'askpy.db'}"
    pair = Process(stub, make_door, url), Process(stub, make_door, url)
    for times, question in ((3, DOG), (2, "under my table, may the dog sit?"), (1, PLANTS)):
        for _ in range(times):
            pair[0].store.misses.add(TEAM, question, "desk-booking", 0.2)
    yield pair
    for each in pair:
        each.store.close()


def test_this_means_works_in_every_process_and_is_undone_in_every_process(processes: tuple[Process, Process]) -> None:
    one, other = processes
    assert (one.found(DOG), other.found(DOG)) == ((), ())
    shown = one.submit(one.modal("means:1"), entry="home-office")
    assert "Saved and live now." in text(shown)
    assert (one.found(DOG), other.found(DOG)) == (("home-office",), ("home-office",))
    assert "dog" not in text(other.go("misses", OTHER))
    changes = other.go("changes", OTHER)
    assert "“may the dog sit under my table” and 1 more: means “What are the rules for working from home?”" in text(
        changes
    )
    other.press("undo:1", value(changes, "undo:1"), changes, OTHER)
    assert (one.found(DOG), other.found(DOG)) == ((), ())
    assert "“may the dog sit under my table”" in text(one.go("misses"))


def test_who_wanted_to_know_is_told_by_one_process(processes: tuple[Process, Process], stub: Stub) -> None:
    one, other = processes
    where = {"container": {"type": "message", "message_ts": "9.1", "channel_id": "C1"}, "channel": {"id": "C1"}}
    post = one.told(DOG, user="U7")
    for user in ("U7", "U8"):
        person = {"id": user, "team_id": TEAM}
        one.door.press("tell", buttons(post)["tell"]["value"], user=person, response_url=stub.hook(), **where)
    for process in processes:
        process.door.look()
    before = len(stub.of("chat.postMessage"))
    other.submit(other.modal("means:1", OTHER), OTHER, entry="home-office")
    for _ in range(2):
        for process in processes:
            process.door.look()
    told = stub.of("chat.postMessage")[before:]
    assert sorted(message["channel"] for message in told) == ["U7", "U8"]
    assert "working from home" in told[0]["text"]
    assert DOG in json.dumps(told[0]["blocks"][0])
    assert DOG not in told[0]["text"]
    assert one.store.subscriptions.all() == ()
    one.door.command("forget me", user_id="U9")
    assert other.store.tallies.week(TEAM)


def test_from_a_persons_question_to_the_next_persons_answer(processes: tuple[Process, Process]) -> None:
    one, other = processes
    question = "is there a piano in the basement"
    for user in ("U7", "U8"):
        assert "I don't have an answer" in one.told(question, user=user)["text"]
    home = other.go("misses", OTHER)
    assert "“is there a piano in the basement”\nAsked 2 times" in text(home)
    assert "U7" not in json.dumps(home)
    number = next(name for name, each in buttons(home).items() if "piano" in each.get("accessibility_label", ""))
    checked = other.submit(
        other.modal(f"write:{number.partition(':')[2]}", OTHER),
        OTHER,
        title="Where is the piano?",
        answer="Behind the bar.",
    )
    other.submit(checked, OTHER)
    post = one.told(question, user="U9")
    assert "Behind the bar." in post["text"]
    week = text(one.go("curate"))
    assert "Of 3 questions in the last seven days I answered 1; 0 got suggestions, 2 got no answer." in week
    bad = buttons(post)["vote:bad"]["value"]
    where = {"container": {"type": "message", "message_ts": "9.1", "channel_id": "C1"}, "channel": {"id": "C1"}}
    one.door.press("vote:bad", bad, response_url=one.stub.hook(), message={"ts": "9.1"}, **where)
    assert "Where is the piano?\nNo reason given 1." in text(other.go("votes"))


def test_a_new_answer_works_in_every_process(processes: tuple[Process, Process]) -> None:
    one, other = processes
    checked = one.submit(one.modal("write:1"), title="Are dogs welcome?", answer="On Fridays.")
    assert one.found(DOG) == ()
    assert "8 phrasings or more an entry" in text(checked)
    one.submit(checked)
    assert (one.found(DOG), other.found("are dogs welcome")) == (("are-dogs-welcome",), ("are-dogs-welcome",))
    assert other.reloader.knowledge(TEAM).by_id["are-dogs-welcome"].answer == "On Fridays."
    assert other.reloader.knowledge().by_id.get("are-dogs-welcome") is None


def test_not_ours_and_ignore_stay(processes: tuple[Process, Process]) -> None:
    one, other = processes
    home = one.go("misses")
    one.press("not_ours:1", value(home, "not_ours:1"), home)
    home = other.go("misses", OTHER)
    other.press("ignore:1", value(home, "ignore:1"), home, OTHER)
    for process in processes:
        for question in (DOG, PLANTS):
            process.store.misses.add(TEAM, question, "desk-booking", 0.2)
        assert "Nothing waits for an answer." in text(process.go("misses"))
        assert process.found(DOG) == ()


def test_of_two_curators_at_once_one_is_told_of_the_other(processes: tuple[Process, Process]) -> None:
    """Both press in the same moment, in two processes: one edit is saved, and the other's curator learns whose."""
    one, other = processes
    modals = one.modal("means:2"), other.modal("means:2", OTHER)
    together = threading.Barrier(2)

    def submit(process: Process, modal: Json, user: str, entry: str) -> str:
        together.wait()
        return text(process.submit(modal, user, entry=entry))

    with ThreadPoolExecutor(2) as pool:
        both = [
            pool.submit(submit, one, modals[0], CURATOR, "desk-booking"),
            pool.submit(submit, other, modals[1], OTHER, "meeting-rooms"),
        ]
        told = [each.result() for each in both]
    (made,) = one.store.changes.active(TEAM)
    winner = made.by.partition(":")[2]
    assert sum("Saved and live now." in each for each in told) == 1
    assert sum(f"<@{winner}> has already said that “who waters the plants” means" in each for each in told) == 1
    assert one.found(PLANTS) == other.found(PLANTS) == (made.entry,)
    assert "undo:1" in buttons(other.go("changes"))
