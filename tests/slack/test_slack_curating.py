"""What curators see and do in App Home; and that nobody else does."""

from __future__ import annotations

import itertools
import json
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest

from bot.curation.preview import Moved, Preview
from bot.model import Change, Complaint, Entry
from bot.slack.admission import InteractionLimit
from bot.slack.blocks import curation
from bot.slack.blocks.limits import TYPED, size
from bot.slack.blocks.views import FIRST_PAGE, home_view
from bot.slack.features.curation import curator_home
from bot.slack.payloads import CuratorModalState
from bot.slack.strings import default_strings
from bot.store import Store
from support.curation_samples import DAY, NOW, dated_knowledge, edit, miss
from support.curation_store import CurationEngine, CurationStore, SamplePreviewer, SampleReloader, full_store
from support.curator_room import CURATOR, NOBODY, OTHER, Json, MakeRoom, Room, buttons, text, value
from support.slack_app import Door, MakeDoor
from support.slack_samples import HOSTILE, LONG, knowledge
from support.slack_stub import TEAM, Fault, Stub

STRINGS = default_strings()
ONLY_CURATORS = "Only curators can do this: <@U1>, <@U2>."


@pytest.fixture
def make_room(stub: Stub, make_door: MakeDoor) -> MakeRoom:
    """Makes a room, over a store with misses only if none is given."""

    def make(store: CurationStore | None = None, layout: str = "classic", **options: Any) -> Room:
        store = store or CurationStore()
        reloader, previewer = SampleReloader(store), SamplePreviewer(store)
        parts = {"store": store, "engine": CurationEngine(reloader), "reloader": reloader, "preview_factory": previewer}
        curators = (CURATOR, f"{TEAM}:{OTHER}")
        options = {"ack_delay": 0.0, "clock": lambda: NOW} | options
        door = make_door(stub, layout, **{"curators": curators} | parts | options)
        return Room(stub, door, store, reloader, previewer)

    return make


@pytest.fixture
def room(make_room: MakeRoom) -> Room:
    return make_room()


def said(made: list[Change]) -> list[tuple[str, str, str, str]]:
    return [(each.kind, each.text, each.entry, each.by) for each in made]


# --- who sees it


def test_askers_see_nothing_of_it(make_room: MakeRoom) -> None:
    room = make_room(full_store())
    assert room.open(NOBODY) == home_view(knowledge(), FIRST_PAGE, STRINGS)
    for page in curation.PAGES:
        assert room.go(page, NOBODY) == home_view(knowledge(), FIRST_PAGE, STRINGS)


def test_curators_see_the_way_below_the_front_page(room: Room) -> None:
    seen, front = room.open(), home_view(knowledge(), FIRST_PAGE, STRINGS)
    assert seen["blocks"][: len(front["blocks"])] == front["blocks"]
    assert "Without an answer: 4. Rated unhelpful: 0. Due for review: 0. Pilot channels: 0." in text(seen)
    assert value(seen, "go:curate") == "curate"
    assert room.go("group:backend") == home_view(knowledge(), "group:backend", STRINGS)


def test_without_curators_nothing_is_different(door: Door, stub: Stub) -> None:
    door.event(type="app_home_opened", tab="home")
    door.press("means:1", "k1", view={"id": "V1", "type": "home"})
    assert [call["view"] for call in stub.of("views.publish")] == [home_view(knowledge(), FIRST_PAGE, STRINGS)]


def test_another_tab_is_not_the_home(room: Room) -> None:
    room.door.event(type="app_home_opened", user=CURATOR, tab="messages")
    assert room.stub.calls == []


# --- what they see


def test_everything_at_a_glance(make_room: MakeRoom) -> None:
    room = make_room(full_store())
    room.reloader.faults = ("libraries.yaml:14: flask: side is 'backnd'; it can be frontend or backend",)
    seen = text(room.go("curate"))
    for told in (
        STRINGS["curate_faults"], "libraries.yaml:14: flask: side is 'backnd'",
        "Of 50 questions in the last seven days I answered 42; 5 got suggestions, 3 got no answer.",
        "Without an answer: 4", "“how do I deploy to heroku”", "“deploy on heroku how”",
        "Rated unhelpful: 6", "Card1", "Out of date 3, No reason given 1. Last on 13 Nov", "Card0, Card1",
        "Latest changes: 5", "By <@U1>, 13 Nov, 02:13 UTC.", "“When is the office closed?”: a new answer",
        "Pilot channels: 1", "<#C7>", "Answered 40 of 50", "Precision 92%: 23 of 25 votes said helpful.",
    ):  # fmt: skip
        assert told in seen


def test_each_page_shows_all_of_its_own(make_room: MakeRoom) -> None:
    room = make_room(full_store())
    seen = {page: text(room.go(f"{page}@0")) for page in curation.PAGES}
    for told in (
        "Asked 15 times, from 10 Nov to 13 Nov. Closest match: Card1.",
        "Asked once, on 13 Nov. No close match.",
    ):
        assert told in seen["misses"]
    assert "No answer, but suggestions: Which side is it?, Card0" in seen["votes"]
    assert "Backend libraries" in seen["votes"]
    assert "gone" in seen["votes"]
    for told in ("“do you sell cards”: not Card1", "“where is the canteen”: out of scope", "“asdf asdf”: ignored"):
        assert told in seen["changes"]
    assert "“server side stuff” and 1 more: means Card1" in seen["changes"]
    assert STRINGS["trial_pick"] in json.dumps(room.go("trials@0"))
    assert "12 Nov: 35 asked, 30 answered, 5 got suggestions, 0 got no answer" in seen["days"]


@pytest.mark.parametrize("page", curation.PAGES)
def test_a_page_with_nothing_on_it_says_so(make_room: MakeRoom, page: str) -> None:
    room = make_room(CurationStore([]))
    assert len(room.go(page)["blocks"]) > 2


def test_slacks_own_chart_is_left_out_where_slack_wont_have_it(stub: Stub, make_room: MakeRoom) -> None:
    room = make_room(full_store(), layout="cards")
    stub.fail("views.publish", Fault(), Fault(error="invalid_blocks"))
    room.go("days")
    charts = [[each["type"] for each in view["blocks"]] for view in room.views("views.publish")[1:]]
    assert ["data_visualization" in types for types in charts] == [True, False]


def test_many_of_everything_are_turned_page_by_page(make_room: MakeRoom) -> None:
    store = CurationStore([miss(f"{n:064}", f"question{n} about thing{n}", n) for n in range(1, 45)])
    store.changes.made += [edit(f"b{n}", "ask", f"phrase {n}", "card1") for n in range(65)]
    store.pilots.channels |= {(TEAM, f"C{n}") for n in range(35)}
    room = make_room(store)
    past = [Entry(id=f"e{n}", title=f"Title {n}", answer="A.", asks=("a",), review_by="2025-01-01") for n in range(400)]
    room.reloader.base = replace(knowledge(), entries=tuple(past), by_id={entry.id: entry for entry in past})
    for page, fits, total in (("misses", 10, 44), ("reviews", 30, 400), ("changes", 30, 65), ("trials", 30, 35)):
        view, pages = room.go(f"{page}@0"), 1
        while "go:more" in buttons(view):
            room.press("go:more", value(view, "go:more"), view)
            view, pages = room.home(), pages + 1
        assert pages == -(-total // fits)
        assert "go:earlier" in buttons(view)
    assert room.go("misses@9999") == room.go("misses@4")
    assert room.go("misses@x") == room.go("misses@0")


def test_a_long_group_is_shown_in_part_and_says_so(make_room: MakeRoom) -> None:
    found = [miss(f"{n:064}", f"how to deploy {'x' * (n // 10)}", 50 - n) for n in range(45)]
    room = make_room(CurationStore(found))
    view = room.go("misses")
    first = value(view, "means:1")
    assert size(first) <= 2_000
    assert first.count("\n") == curation.MAX_KEYS - 1
    room.press("means:1", first, view)
    modal = room.views("views.open")[-1]
    assert [len(block["element"]["options"]) for block in modal["blocks"][:3]] == [10, 10, 10]
    assert CuratorModalState.from_metadata(modal["private_metadata"]).keys == tuple(first.split("\n"))
    room.submit(modal, entry="card1")
    assert len(room.store.changes.made) == curation.MAX_KEYS


def test_peoples_words_are_never_parsed(room: Room) -> None:
    room.store.changes.made = [edit("b1", "entry", "", "x", title=HOSTILE, answer=HOSTILE, asks=(HOSTILE + " 2",))]
    for page in curation.PAGES:
        for block in room.go(page)["blocks"]:
            if "evil" in json.dumps(block):
                assert "mrkdwn" not in json.dumps(block)


def test_the_database_being_away_is_said(room: Room) -> None:
    room.store.away = True
    assert STRINGS["curate_away"] in text(room.open())
    assert STRINGS["curate_away"] in text(room.go("curate"))


# --- this means


def test_this_means(room: Room) -> None:
    home = room.go("misses")
    room.press("means:1", value(home, "means:1"), home)
    (modal,) = room.views("views.open")
    assert text(modal).count("heroku") == 0  # the phrasings are options
    assert "how do I deploy to heroku" in json.dumps(modal)
    assert modal["blocks"][-1]["element"]["initial_option"]["value"] == "card1"
    shown = room.submit(modal, entry="t")
    by = f"{TEAM}:{CURATOR}"
    assert said(room.store.changes.made) == [
        ("ask", "how do I deploy to heroku", "t", by),
        ("ask", "deploy on heroku how", "t", by),
    ]
    assert len({each.batch for each in room.store.changes.made}) == 1
    assert "Saved and live now. “how do I deploy to heroku” and 1 more: means “Which side is it?”" in text(shown)
    assert "Saved and live now." in text(room.home())
    assert "k1" not in json.dumps(room.home())
    assert room.home()["private_metadata"] == "misses@0"


def test_only_the_ticked_phrasings_are_meant(room: Room) -> None:
    home = room.go("misses")
    room.press("means:1", value(home, "means:1"), home)
    modal = room.views("views.open")[-1]
    answer = room.submit(modal, **{"picked:0": []})
    assert answer["errors"] == {"picked:0": STRINGS["means_none"]}
    room.submit(modal, **{"picked:0": ["k2"]})
    assert [each.text for each in room.store.changes.made] == ["deploy on heroku how"]
    assert "“how do I deploy to heroku”" in text(room.home())


def test_what_it_moved_is_shown_beside_the_way_back(room: Room) -> None:
    room.previewer.moved = (Moved("what about servers", "Card1", ""),)
    home = room.go("curate")
    room.press("means:2", value(home, "means:2"), home)
    shown = room.submit(room.views("views.open")[-1], entry="card0")
    assert said(room.store.changes.made) == [("ask", "which side is the browser", "card0", f"{TEAM}:{CURATOR}")]
    assert "Saved and live now." in text(json.loads(room.door.answers["last"])["view"])
    assert "Other answers that this changed: 1" in text(shown)
    assert "“what about servers” now gets no answer instead of Card1." in text(shown)
    assert room.previewer.before == [0]  # it is compared with the pack as it was before the edit
    room.press("undo", value(shown, "undo"), shown)
    assert room.store.changes.active(TEAM) == ()


def test_checking_is_said_at_once(room: Room) -> None:
    modal = written(room)
    room.submit(modal, **FILLED)
    answer = json.loads(room.door.answers["last"])
    assert answer["view"]["blocks"][0]["elements"][0]["text"] == STRINGS["checking"]
    assert len(answer["view"]["blocks"]) == len(modal["blocks"]) + 1


def test_an_entry_that_is_gone_is_told_at_its_menu(room: Room) -> None:
    home = room.go("misses")
    room.press("means:1", value(home, "means:1"), home)
    assert room.submit(room.views("views.open")[-1], entry="gone")["errors"] == {"entry": STRINGS["means_gone"]}


def test_a_menu_of_hundreds_is_filled_as_one_types(make_room: MakeRoom) -> None:
    room = make_room()
    more = [Entry(id=f"e{n}", title=f"Question number {n}", answer="Yes.", asks=(f"n {n}",)) for n in range(300)]
    base = knowledge()
    room.reloader.base = replace(base, entries=(*base.entries, *more), by_id={**base.by_id, **{e.id: e for e in more}})
    home = room.go("misses")
    room.press("means:1", value(home, "means:1"), home)
    menu = room.views("views.open")[-1]["blocks"][-1]["element"]
    assert (menu["type"], menu["initial_option"]["value"]) == ("external_select", "card1")

    def typed(words: str, user: str = CURATOR) -> list[Json]:
        person = {"id": user, "team_id": TEAM}
        body = {"type": "block_suggestion", "action_id": "entry", "block_id": "entry", "value": words, "user": person}
        assert room.door.interact(**body, view={"id": "V1", "type": "modal"}) == 200
        options: list[Json] = json.loads(room.door.answers["last"])["options"]
        return options

    assert [option["value"] for option in typed("number 299")] == ["e299"]
    assert len(typed("")) == 100
    assert typed("number", NOBODY) == []
    room.submit(room.views("views.open")[-1], entry="e299")
    assert [each.entry for each in room.store.changes.made] == ["e299", "e299"]


# --- new answer


def written(room: Room, action: str = "write:1", user: str = CURATOR) -> Json:
    """A new answer's modal."""
    home = room.go("misses", user)
    room.press(action, value(home, action), home, user)
    return room.views("views.open")[-1]


FILLED = {
    "title": " Where  do apps live? ",
    "answer": "On our own machine.\n- ask ops",
    "asks": "a b\n\n  A b \nhow to *deploy*\n???",
}


def test_a_new_answer_is_looked_at_and_then_saved(room: Room) -> None:
    modal = written(room)
    assert modal["blocks"][2]["element"]["initial_value"] == "how do I deploy to heroku\ndeploy on heroku how"
    room.previewer.faults = ("where-do-apps-live: has 2 phrasings; 8 or more make it easier to find",)
    checked = room.submit(modal, **FILLED)
    assert room.store.changes.made == []
    assert "has 2 phrasings" in text(checked)
    assert STRINGS["review_same"] in text(checked)
    assert (modal["submit"]["text"], checked["submit"]["text"]) == ("Check", "Save")
    shown = room.submit(checked)
    (made,) = room.store.changes.made
    assert (made.kind, made.entry, made.title) == ("entry", "where-do-apps-live", "Where do apps live?")
    assert (made.answer, made.asks) == ("On our own machine.\n- ask ops", ("a b", "A b", "how to *deploy*"))
    assert "Saved and live now. “Where do apps live?”: a new answer" in text(shown)
    assert len(room.previewer.drafts) == 1


def test_control_characters_are_taken_out_of_what_curators_type(room: Room) -> None:
    typed = {
        "title": "Where \x1b]52;c;aGk=\x07do apps live?\x9b2J",
        "answer": "On our\u202e own\x00 machine.\r\n- ask\x1b[2J ops\x7f",
        "asks": "a\x1b[2Jb\r\nhow to\x08 deploy",
    }
    room.submit(room.submit(written(room), **typed))
    (made,) = room.store.changes.made
    assert (made.title, made.answer) == ("Where ]52;c;aGk=do apps live?2J", "On our own machine.\n- ask[2J ops")
    assert made.asks == ("a[2Jb", "how to deploy")


def test_a_draft_that_has_changed_is_looked_at_again(room: Room) -> None:
    checked = room.submit(written(room), **FILLED)
    again = room.submit(checked, answer="Another answer.")
    assert (room.store.changes.made, len(room.previewer.drafts)) == ([], 2)
    room.store.changes.number += 1  # somebody else has changed something
    once_more = room.submit(again)
    assert (room.store.changes.made, len(room.previewer.drafts)) == ([], 3)
    room.submit(once_more)
    assert [each.answer for each in room.store.changes.made] == ["Another answer."]


@pytest.mark.parametrize("name", ["title", "answer", "asks"])
def test_what_is_left_empty_is_told_at_its_place(room: Room, name: str) -> None:
    answer = room.submit(written(room), **FILLED | {name: " \n"})
    assert answer["errors"] == {name: STRINGS["write_empty"]}


def test_a_title_that_is_taken_gets_an_id_of_its_own(room: Room) -> None:
    for title, wanted in (("T", "t-2"), ("Привет", "answer-"), ("S1!", "s1-2"), ("x" * 150, "x" * 60)):
        room.store.changes.made = []
        room.submit(room.submit(written(room), **FILLED | {"title": title}))
        assert room.store.changes.made[0].entry.startswith(wanted)


def test_inputs_as_long_as_slack_takes_them(room: Room) -> None:
    long = {"title": "é" * 150, "answer": ("word " * 600).strip(), "asks": "\n".join(f"how {n:03}" for n in range(375))}
    checked = room.submit(written(room), **long)
    assert [block["element"]["initial_value"] for block in checked["blocks"][-3:]] == list(long.values())
    assert room.store.changes.made == []
    room.submit(written(room), **FILLED | {"title": "a"})
    room.previewer.faults = (LONG,) * 40
    room.previewer.moved = (Moved(LONG, LONG, LONG),) * 300
    shown = room.submit(written(room), **FILLED)
    assert "and 292 more" in text(shown)


def test_many_phrasings_of_a_group_are_cut_at_whole_lines(make_room: MakeRoom) -> None:
    found = [miss(f"{n:064}", f"how to deploy {'y' * n} {'x' * 300}", 50 - n) for n in range(20)]
    room = make_room(CurationStore(found))
    lines = written(room)["blocks"][2]["element"]["initial_value"]
    assert size(lines) <= TYPED
    assert lines.split("\n")[-1] in [each.text for each in found]


# --- out of scope, ignore


def test_not_ours(room: Room) -> None:
    home = room.go("misses")
    for action in ("not_ours:1", "not_ours:3"):
        room.press(action, value(home, action), home)
    by = f"{TEAM}:{CURATOR}"
    assert said(room.store.changes.made) == [
        ("not_ask", "how do I deploy to heroku", "card1", by),
        ("not_ask", "deploy on heroku how", "card1", by),
        ("not_ask", HOSTILE, "", by),
    ]
    assert "”: out of scope" in text(room.home())


def test_ignore_and_undo(room: Room) -> None:
    home = room.go("misses")
    room.press("ignore:1", value(home, "ignore:1"), home)
    assert [each.kind for each in room.store.changes.made] == ["ignore", "ignore"]
    assert "Saved and live now. “how do I deploy to heroku” and 1 more: ignored" in text(room.home())
    assert "Without an answer: 3" in text(room.home())
    room.press("undo:note", value(room.home(), "undo:note"), room.home())
    assert room.store.changes.made == []
    assert "Undone. “how do I deploy to heroku” and 1 more: ignored" in text(room.home())
    assert "Without an answer: 4" in text(room.home())
    room.press("undo:note", "some-batch", room.home())
    assert STRINGS["undone_before"] in text(room.home())


def test_any_curator_undoes_from_the_latest_changes(make_room: MakeRoom) -> None:
    room = make_room(full_store())
    changes = room.go("changes", OTHER)
    batches = [button["value"] for name, button in buttons(changes).items() if name.startswith("undo:")]
    assert batches == ["b5", "b4", "b3", "b2", "b1"]
    room.press("undo:4", "b2", changes, OTHER)
    assert "b2" not in [each.batch for each in room.store.changes.made]
    assert "Undone. “server side stuff” and 1 more: means Card1" in text(room.home())
    room.press("undo:4", "b2", changes)
    assert STRINGS["undone_before"] in text(room.home())


def test_undo_in_the_modal(room: Room) -> None:
    home = room.go("misses")
    room.press("means:1", value(home, "means:1"), home)
    shown = room.submit(room.views("views.open")[-1])
    room.press("undo:1", shown["blocks"][1]["elements"][0]["value"], shown)
    assert room.store.changes.made == []
    assert text(room.views("views.update")[-1]).startswith("Undone.")
    assert "Without an answer: 4" in text(room.home())


def test_a_press_beyond_the_limit_says_so_in_the_modal_and_keeps_its_undo_button(make_room: MakeRoom) -> None:
    room = make_room(interactions=InteractionLimit(limit_per_asker=1))
    home = room.go("misses")
    room.press("means:1", value(home, "means:1"), home)
    shown = room.submit(room.views("views.open")[-1])
    batch = value(shown, "undo")
    slot = room.door.thread.call(lambda: room.door.app.context.interactions.acquire(f"{TEAM}:{CURATOR}"))
    room.press("undo", batch, shown)
    busy = room.views("views.update")[-1]
    assert text(busy).startswith(STRINGS["busy"])
    assert value(busy, "undo") == batch
    assert (busy["callback_id"], busy["private_metadata"]) == ("done", shown["private_metadata"])
    assert room.store.changes.made != []
    room.door.thread.call(slot.release)
    room.press("undo", batch, busy)
    assert room.store.changes.made == []
    assert text(room.views("views.update")[-1]).startswith("Undone.")


# --- reviews


@pytest.fixture
def due_room(make_room: MakeRoom) -> Room:
    """A room whose pack has entries past their date."""
    room = make_room()
    room.reloader.base = dated_knowledge()
    return room


def reviews(view: Json) -> list[str]:
    """What the rows say."""
    pairs = itertools.pairwise(view["blocks"])
    return [text([title, what]) for title, what in pairs if (title["type"], what["type"]) == ("rich_text", "context")]


def test_what_is_due_is_listed_by_owner(due_room: Room) -> None:
    assert "Rated unhelpful: 0. Due for review: 3. Pilot channels: 0." in text(due_room.open())
    page = due_room.go("reviews")
    assert page["blocks"][0]["text"]["text"] == "Due for review: 3"
    assert reviews(page) == [
        "Card2\nOwner: Ann. Last checked 20 May 2025, due on 20 November 2025.",
        "Card0\nOwner: Platform team. Last checked 3 March 2025, due since 1 November 2025.",
        "How do I begin?\nDue since 13 October 2025.",
    ]
    assert buttons(page)["still_right:2"]["accessibility_label"] == "Still right: Card0"
    assert (value(page, "still_right:2"), value(page, "ask:2")) == ("card0", "What is Card0?")


def test_still_right_and_undo(due_room: Room) -> None:
    page = due_room.go("reviews")
    due_room.press("still_right:2", value(page, "still_right:2"), page)
    assert said(due_room.store.changes.made) == [("review", "2025-11-13", "card0", f"{TEAM}:{CURATOR}")]
    assert "Saved and live now. Card0: still right" in text(due_room.home())
    assert [row.partition("\n")[0] for row in reviews(due_room.home())] == ["Card2", "How do I begin?"]
    confirmed = due_room.reloader.knowledge(TEAM).by_id["card0"]
    assert (confirmed.reviewed, confirmed.review_by) == ("2025-11-13", "2026-07-14")
    changes = due_room.go("changes")
    assert "Card0: still right" in text(changes)
    assert buttons(changes)["undo:1"]["accessibility_label"] == "Undo: Card0"
    due_room.press("undo:1", value(changes, "undo:1"), changes)
    assert "Undone. Card0: still right" in text(due_room.home())
    assert len(reviews(due_room.go("reviews"))) == 3


def test_a_confirmation_is_counted_once_whoever_presses(due_room: Room) -> None:
    page = due_room.go("reviews")
    for _ in range(2):
        due_room.press("still_right:2", "card0", page)
        assert "Saved and live now. Card0: still right" in text(due_room.home())
    due_room.press("still_right:2", "card0", page, OTHER)
    assert "<@U1> has already confirmed Card0 today." in text(due_room.home())
    assert len(due_room.store.changes.made) == 1


def test_votes_that_it_is_out_of_date_list_an_entry_until_it_is_confirmed(room: Room) -> None:
    room.store.votes.bad += [
        Complaint("library||card1", "outdated", 2, NOW - 60),
        Complaint("compare||card1,card2", "outdated", 1, NOW - DAY),
        Complaint("library||card0", "wrong", 4, NOW),
        Complaint("unknown||card0", "outdated", 4, NOW),
        Complaint("topic||gone", "outdated", 4, NOW),
    ]
    page = room.go("reviews")
    assert reviews(page) == [
        "Card1\nVoted out of date in the last 30 days: 3.",
        "Card2\nVoted out of date in the last 30 days: 1.",
    ]
    room.press("still_right:1", value(page, "still_right:1"), page)
    assert [row.partition("\n")[0] for row in reviews(room.home())] == ["Card2"]
    confirmed = room.reloader.knowledge(TEAM).by_id["card1"]
    assert (confirmed.reviewed, confirmed.review_by) == ("2025-11-13", "")
    room.store.votes.bad.append(Complaint("topic||card1", "outdated", 1, NOW + 60))
    page = room.go("reviews")
    assert reviews(page)[0] == "Card1\nLast checked 13 November 2025. Voted out of date in the last 30 days: 1."
    assert [button["value"] for name, button in buttons(page).items() if name.startswith("still_right")] == ["card2"]


def test_a_confirmation_of_what_is_gone_or_while_the_database_is_away_is_none(due_room: Room) -> None:
    page = due_room.go("reviews")
    due_room.press("still_right:1", "gone", page)
    assert STRINGS["review_gone"] in text(due_room.home())
    due_room.store.changes.locked = True
    due_room.press("still_right:1", "card0", page)
    assert "The database is away." in text(due_room.home())
    assert due_room.store.changes.made == []
    assert len(reviews(due_room.home())) == 3


def test_two_processes_and_a_restart_count_a_confirmation_once(stub: Stub, make_door: MakeDoor, database: str) -> None:
    def process() -> Room:
        store: Any = Store(database, lambda: NOW)
        reloader = SampleReloader(store, base=dated_knowledge())
        parts = {"store": store, "engine": CurationEngine(reloader), "reloader": reloader, "clock": lambda: NOW}
        door = make_door(stub, "classic", curators=(CURATOR, OTHER), ack_delay=0.0, **parts)
        return Room(stub, door, store, reloader, SamplePreviewer(store))

    first, second = process(), process()
    pages = first.go("reviews"), second.go("reviews", OTHER)
    for _ in range(2):
        first.press("still_right:2", "card0", pages[0])
        second.press("still_right:2", "card0", pages[1], OTHER)
        assert "<@U1> has already confirmed Card0 today." in text(second.home())
    for room in (first, second):
        assert room.door.thread.run(room.door.app.close(5))
        room.store.close()
    third = process()
    third.press("still_right:2", "card0", pages[0])
    assert "Saved and live now. Card0: still right" in text(third.home())
    assert said(list(third.store.changes.active(TEAM))) == [("review", "2025-11-13", "card0", f"{TEAM}:{CURATOR}")]
    assert len(reviews(third.home())) == 2
    third.store.close()


# --- trials


def test_a_channel_is_put_on_trial_and_made_public(make_room: MakeRoom) -> None:
    room = make_room()
    page = room.go("trials")
    picked = {"action_id": "trial:pick", "block_id": "b", "type": "conversations_select", "selected_conversation": "C7"}
    where = {"container": {"type": "view", "view_id": "V1"}, "view": page | {"id": "V1"}}
    room.door.interact(type="block_actions", actions=[picked], **where)
    assert room.store.pilots.channels == {(TEAM, "C7")}
    assert "<#C7> is a pilot channel now" in text(room.home())
    room.press("public:1", value(room.home(), "public:1"), room.home())
    assert room.store.pilots.channels == set()
    assert "<#C7> is public now" in text(room.home())
    assert "Answered 40 of 50" in text(room.home()) and "Precision 92%" in text(room.home())
    room.press("trial:note", value(room.home(), "trial:note"), room.home())
    assert room.store.pilots.channels == {(TEAM, "C7")}
    room.store.away = True
    room.press("public:1", "C7", room.home())
    assert "Nothing was saved." in text(room.home())


# --- nobody else may


PRESSES = (
    "means:1",
    "write:1",
    "not_ours:1",
    "ignore:1",
    "still_right:1",
    "undo:1",
    "undo:note",
    "public:1",
    "trial:pick",
    "trial:note",
    "curators:pick",
)


@pytest.mark.parametrize("action", PRESSES)
def test_nobody_else_may_press(make_room: MakeRoom, action: str) -> None:
    room = make_room(full_store())
    before = list(room.store.changes.made), set(room.store.pilots.channels)
    values = {"undo": "b1", "still_right": "card0"}
    room.press(action, values.get(action.partition(":")[0], "k1"), room.go("curate"), NOBODY)
    assert (room.store.changes.made, room.store.pilots.channels) == before
    assert room.stub.of("views.open") == []
    assert text(room.home()).startswith(ONLY_CURATORS)
    assert "k1" not in json.dumps(room.home())
    assert room.stub.of("views.publish")[-1]["user_id"] == NOBODY


@pytest.mark.parametrize("page", curation.PAGES)
def test_a_curators_page_opens_for_nobody_else(make_room: MakeRoom, page: str) -> None:
    room = make_room(full_store())
    curators = room.go(page)
    room.press("go:1", f"{page}@0", curators, NOBODY)
    shown = room.home()
    assert room.stub.of("views.publish")[-1]["user_id"] == NOBODY
    assert (shown == curators, shown == room.open(NOBODY)) == (False, True)


def test_nobody_else_may_submit(room: Room) -> None:
    home = room.go("misses")
    room.press("means:1", value(home, "means:1"), home)
    modal = room.views("views.open")[-1]
    assert room.submit(modal, NOBODY)["errors"] == {"picked:0": STRINGS["curate_only"]}
    checked = room.submit(written(room), **FILLED)
    assert room.submit(checked, NOBODY)["errors"] == {"title": STRINGS["curate_only"]}
    assert room.store.changes.made == []
    done = curation.result_view(CuratorModalState("misses@0"), (), STRINGS, "b1") | {"type": "modal"}
    room.press("undo:1", "b1", done, NOBODY)
    assert ONLY_CURATORS in text(room.views("views.update")[-1])


def test_somebody_of_another_workspace_may_not(room: Room) -> None:
    home = room.go("misses")
    room.door.press("ignore:1", "k1", team={"id": "T9"}, view=home | {"id": "V1"})
    assert room.store.changes.made == []


# --- twice, and two at once


def test_a_press_twice_is_one_edit(room: Room) -> None:
    home = room.go("misses")
    for _ in range(2):
        room.press("ignore:1", value(home, "ignore:1"), home)
    assert len(room.store.changes.made) == 2
    assert "<@U1> has already ignored “how do I deploy to heroku”." in text(room.home())
    room.press("means:1", value(home, "means:1"), home)
    room.press("write:1", value(home, "write:1"), home)
    for modal in room.views("views.open"):
        assert "has already ignored" in text(modal)
        assert "submit" not in modal


def test_a_submission_twice_is_one_edit(room: Room) -> None:
    checked = room.submit(written(room), **FILLED)
    first = room.submit(checked)
    room.store.changes.number -= 1  # the second came before the first was counted
    second = room.submit(checked)
    assert len(room.store.changes.made) == 1
    assert text(first) == text(second)
    home = room.go("misses")
    room.press("means:1", value(home, "means:2"), home)
    modal = room.views("views.open")[-1]
    room.submit(modal, entry="t")
    shown = room.submit(modal, entry="t")
    assert len(room.store.changes.made) == 2
    assert "means “Which side is it?”" in text(shown)


def test_who_was_quicker_is_said_and_nothing_typed_is_lost(room: Room) -> None:
    home = room.go("misses")
    room.press("means:1", value(home, "means:1"), home)
    modal = room.views("views.open")[-1]
    room.store.changes.save([edit("b9", "ask", "How do I deploy to Heroku?", "card0")])
    shown = room.submit(modal, entry="t")
    told = "<@U2> has already said that “How do I deploy to Heroku?” means Card0. So nothing was saved."
    assert told in text(shown)
    assert shown["blocks"][-1]["element"]["initial_option"]["value"] == "t"
    assert [each.batch for each in room.store.changes.made] == ["b9"]
    room.submit(shown, **{"picked:0": ["k2"]})
    assert [each.text for each in room.store.changes.made][1:] == ["deploy on heroku how"]


def test_the_same_edit_by_two_is_no_conflict(room: Room) -> None:
    home = room.go("misses")
    room.press("means:1", value(home, "means:1"), home)
    modal = room.views("views.open")[-1]
    room.store.changes.save([edit("b9", "ask", "how do I deploy to heroku", "t")])
    shown = room.submit(modal, entry="t")
    assert [each.text for each in room.store.changes.made] == ["how do I deploy to heroku", "deploy on heroku how"]
    assert "Saved" in text(shown)


@pytest.mark.parametrize(
    "before",
    [
        edit(
            "b9", "entry", "", "where-do-apps-live", title="Where do apps live?", answer="Elsewhere.", asks=("other",)
        ),
        edit("b9", "entry", "", "other", title="Deploying", answer="So.", asks=("how to deploy",)),
        edit("b9", "ask", "how to deploy", "t"),
        edit("b9", "not_ask", "how to deploy", "t"),
        edit("b9", "not_ask", "how to deploy"),
        edit("b9", "ignore", "how to deploy"),
    ],
)
def test_a_new_answer_that_somebody_was_quicker_with(room: Room, before: Change) -> None:
    room.store.changes.save([before])
    checked = room.submit(written(room), **FILLED)
    shown = room.submit(checked)
    assert "<@U2>" in text(shown)
    assert STRINGS["taken_what_now"] in text(shown)
    typed = [block["element"]["initial_value"] for block in shown["blocks"] if block["type"] == "input"]
    assert typed == [FILLED["title"], FILLED["answer"], FILLED["asks"]]
    assert room.store.changes.made == [before]


# --- when things go wrong


def test_a_store_that_is_away_keeps_what_was_typed(room: Room) -> None:
    home, checked = room.go("misses"), room.submit(written(room), **FILLED)
    room.press("means:1", value(home, "means:1"), home)
    modal = room.views("views.open")[-1]
    room.store.changes.locked = True
    shown = room.submit(checked)
    assert "The database is away." in text(shown)
    assert shown["blocks"][-1]["element"]["initial_value"] == FILLED["asks"]
    assert "The database is away." in text(room.submit(modal))
    room.press("ignore:1", value(home, "ignore:1"), home)
    assert "The database is away." in text(room.home())
    assert "undo:note" not in buttons(room.home())
    assert room.store.changes.made == []


def test_everything_pressed_while_the_database_is_away_says_so(room: Room) -> None:
    home = room.go("misses")
    room.press("means:1", value(home, "means:1"), home)
    modal = room.views("views.open")[-1]
    room.store.away = True
    for action in ("means:1", "write:1"):
        room.press(action, value(home, action), home)
        assert STRINGS["database_away"] in text(room.views("views.open")[-1])
    for action in ("ignore:1", "not_ours:1"):
        room.press(action, value(home, action), home)
        assert STRINGS["database_away"] in text(room.home())
    room.press("undo:1", "b1", home)
    assert "Nothing was saved." in text(room.home())
    assert "Nothing was saved." in text(room.submit(modal))


def test_a_preview_that_fails_keeps_what_was_typed(room: Room, caplog: pytest.LogCaptureFixture) -> None:
    room.previewer.boom = True
    shown = room.submit(written(room), **FILLED)
    assert STRINGS["not_saved_oops"] in text(shown)
    assert shown["blocks"][-1]["element"]["initial_value"] == FILLED["asks"]
    assert shown["submit"]["text"] == "Check"
    room.previewer.boom = False
    assert STRINGS["review_same"] in text(room.submit(shown))
    assert "A preview failed" in caplog.text


def test_a_preview_that_fails_after_an_edit_leaves_it_saved(room: Room, caplog: pytest.LogCaptureFixture) -> None:
    room.previewer.boom = True
    home = room.go("misses")
    room.press("means:1", value(home, "means:1"), home)
    shown = room.submit(room.views("views.open")[-1], entry="t")
    assert "Saved and live now." in text(shown)
    assert "undo" in buttons(shown)
    assert len(room.store.changes.made) == 2
    assert "A preview failed" in caplog.text
    assert "RuntimeError: boom" not in caplog.text


def test_previews_run_one_at_a_time(make_room: MakeRoom) -> None:
    running, go_on, started = threading.Event(), threading.Event(), []

    def previewer(_: str) -> Callable[[Any], Preview]:
        def preview(changes: Any) -> Preview:
            started.append(changes)
            running.set()
            assert go_on.wait(5)
            return Preview((), (), 0)

        return preview

    room = make_room(preview_factory=previewer)
    body = {"type": "view_submission", "team": {"id": TEAM}, "user": {"id": CURATOR}}
    body["view"] = written(room) | {"id": "V1", "state": {"values": _inputs(FILLED)}}
    for trigger in ("5.1", "5.2"):
        raw = urlencode({"payload": json.dumps(body | {"trigger_id": trigger})}).encode()
        assert room.door.request(raw, "application/x-www-form-urlencoded", settles=False) == 200
    assert running.wait(5)
    assert len(started) == 1
    go_on.set()
    room.door.rest()
    assert len(started) == 2


def _inputs(filled: dict[str, str]) -> Json:
    return {name: {name: {"type": "plain_text_input", "value": typed}} for name, typed in filled.items()}


def test_a_modal_that_we_stumble_over_keeps_what_was_typed(room: Room, caplog: pytest.LogCaptureFixture) -> None:
    modal = written(room)
    room.store.changes.active = lambda _: 1 / 0  # type: ignore[method-assign,assignment,return-value]
    assert room.submit(modal, **FILLED)["errors"] == {"title": "Nothing was saved. " + STRINGS["not_saved_oops"]}
    assert "A modal failed" in caplog.text


def test_a_modal_that_was_closed_meanwhile_speaks_on_the_home_tab(room: Room) -> None:
    modal = written(room)
    room.stub.fail("views.update", Fault(error="not_found"))
    room.submit(modal, **FILLED)
    assert room.store.changes.made == []
    assert STRINGS["closed_early"] in text(room.home())


def test_an_update_waits_until_its_acknowledgement_has_arrived(make_room: MakeRoom) -> None:
    room = make_room(ack_delay=0.2)
    modal = written(room)
    started = time.monotonic()
    room.submit(modal, **FILLED)
    assert len(room.stub.of("views.update")) == 1
    assert time.monotonic() - started >= 0.2


@pytest.mark.parametrize("metadata", ["", "rubbish", "[]", '["misses", 1, 2]', "{}"])
def test_rubbish_from_outside_is_no_error(room: Room, metadata: str, caplog: pytest.LogCaptureFixture) -> None:
    view: Json = {"id": "V1", "type": "modal", "callback_id": "means", "private_metadata": metadata, "blocks": []}
    for name in ("means", "write"):
        for state in ({}, {"values": {}}, {"values": {"x": {"y": {"selected_options": ["z", {}]}}}}):
            room.door.interact(type="view_submission", view=view | {"callback_id": name, "state": state})
    for action in PRESSES:
        for value_ in ("", "x", "\n" * 50):
            room.door.press(action, value_, view=view | {"type": "home"})
            room.door.press(action, value_, view=view)
    assert room.store.changes.made == []
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []


def test_of_two_presses_the_home_tab_shows_what_the_later_one_did(
    room: Room, stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = room.go("misses")
    render, rendering, may_end = curator_home._view, threading.Event(), threading.Event()

    def render_slowly_once(*args: Any, **options: Any) -> Json:
        view = render(*args, **options)
        if not rendering.is_set():
            rendering.set()
            assert may_end.wait(5)
        return view

    monkeypatch.setattr(curator_home, "_view", render_slowly_once)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(room.press, "go:1", "misses", before)
        assert rendering.wait(5)
        second = pool.submit(room.press, "ignore:1", value(before, "ignore:1"), before)
        until = time.monotonic() + 0.3
        while len(stub.of("views.publish")) < 3 and time.monotonic() < until:
            time.sleep(0.01)
        may_end.set()
        first.result(5)
        second.result(5)
    assert text(room.home()) != text(before)
