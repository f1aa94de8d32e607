"""Curation: changes laid over a pack, hot reload, likeness of misses, and what an edit would do."""

from __future__ import annotations

import logging
import os
import threading
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest

from bot.curation.changes import is_settled, laid_over, settled
from bot.curation.likeness import grouped
from bot.curation.live import Live
from bot.curation.preview import preview
from bot.desk import Desk
from bot.knowledge import load
from bot.match import Matcher
from bot.model import Change, ChangeKind, Miss, Question
from bot.reply import plain

PACK = """\
- id: opening-hours
  title: When are you open?
  asks: [when are you open, opening hours, what time do you close, are you open on sundays]
  answer: Weekdays from nine to five.
- id: parking
  title: Where can I park?
  asks: [where can i park, is there a car park, parking for visitors, where do i leave my car]
  answer: Behind the house.
- id: holidays
  title: How do I ask for holidays?
  asks: [how do i ask for holidays, request time off, days off please, i want a week off]
  not_asks: [when are the school holidays]
  answer: In the calendar.
"""
CACHE = Path(os.environ["ASKPY_CACHE"])
"""The tests' own: most of them begin with the same pack, whose index needn't be built each time."""
_numbers = count(1)


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    folder = tmp_path / "pack"
    folder.mkdir()
    (folder / "pack.yaml").write_text("name: Office\n", "utf-8")
    (folder / "answers.yaml").write_text(PACK, "utf-8")
    return folder


def change(kind: ChangeKind, text: str = "", entry: str = "", **more: object) -> Change:
    number = next(_numbers)
    return Change(id=str(number), workspace="T1", kind=kind, text=text, entry=entry, at=number, **more)  # type: ignore[arg-type]


def draft(*asks: str) -> Change:
    return change("entry", entry="lunch", title="Where is lunch?", answer="In the hall.", asks=asks)


@dataclass
class Shelf:
    """Curated changes in memory."""

    made: list[Change] = field(default_factory=list)
    number: int = 0

    def put(self, *changes: Change) -> None:
        self.made += changes
        self.number += 1

    def revision(self, workspace: str) -> int:
        return self.number

    def changes(self, workspace: str) -> tuple[Change, ...]:
        return tuple(each for each in self.made if each.workspace == workspace)


def answer(live: Live, text: str, workspace: str = "T1") -> tuple[str, ...]:
    reply = Desk(live).ask(Question(text, workspace=workspace))
    return reply.ids if reply.kind != "unknown" else ()


# --- changes


def test_a_phrasing_goes_to_its_entry(pack: Path) -> None:
    known = laid_over(load(pack), [change("ask", "what about saturdays", "opening-hours")])
    assert known.by_id["opening-hours"].asks[-1] == "what about saturdays"


def test_a_phrasing_belongs_to_whom_it_was_given_last(pack: Path) -> None:
    known = laid_over(load(pack), [change("ask", "Days off, please", "opening-hours")])
    assert "days off please" not in known.by_id["holidays"].asks
    assert known.by_id["opening-hours"].asks[-1] == "Days off, please"


def test_a_phrasing_that_was_refused_can_be_given(pack: Path) -> None:
    known = laid_over(load(pack), [change("ask", "when are the school holidays", "holidays")])
    assert known.by_id["holidays"].not_asks == ()


def test_a_question_that_is_not_ours_is_refused(pack: Path) -> None:
    known = laid_over(load(pack), [change("not_ask", "opening hours", "opening-hours"), change("not_ask", "who won")])
    assert "opening hours" not in known.by_id["opening-hours"].asks
    assert known.by_id["opening-hours"].not_asks == ("opening hours",)
    assert known.strangers.asks == ("who won",)


def test_a_new_entry_is_one_of_all(pack: Path) -> None:
    known = laid_over(load(pack), [draft("where is lunch", "canteen"), change("ask", "food", "lunch")])
    assert known.by_id["lunch"].asks == ("where is lunch", "canteen", "food")
    assert known.entries[-1] is known.by_id["lunch"]


@pytest.mark.parametrize("nothing", [(), (change("ignore", "blah"),), (change("ask", "x y", "gone"),)])
def test_what_changes_nothing_leaves_the_entries(pack: Path, nothing: tuple[Change, ...]) -> None:
    known = load(pack)
    assert laid_over(known, nothing).entries == known.entries


def test_the_fingerprint_follows_what_is_said_and_not_who_says_it(pack: Path) -> None:
    known = load(pack)
    one = laid_over(known, [change("ask", "saturdays", "opening-hours", by="T1:U1")])
    same = laid_over(known, [change("ask", "saturdays", "opening-hours", by="T1:U2")])
    other = laid_over(known, [change("ask", "sundays", "opening-hours", by="T1:U1")])
    assert one.fingerprint == same.fingerprint
    assert len({known.fingerprint, one.fingerprint, other.fingerprint}) == 3


def test_a_miss_is_settled_by_its_words() -> None:
    words = settled([change("ask", "What about Saturdays?", "opening-hours"), draft("canteen")])
    assert is_settled("what about saturdays", words)
    assert is_settled("Canteen?", words)
    assert not is_settled("what about sundays", words)


# --- live


def test_a_change_works_at_once_and_only_in_its_workspace(pack: Path) -> None:
    shelf = Shelf()
    live = Live(pack, CACHE, curated=shelf)
    assert answer(live, "bank holiday mondays") == ()
    shelf.put(change("ask", "bank holiday mondays", "opening-hours"))
    assert answer(live, "Bank holiday Mondays?") == ("opening-hours",)
    assert answer(live, "bank holiday mondays", "T2") == ()
    shelf.made.clear()
    shelf.put()
    assert answer(live, "bank holiday mondays") == ()


def test_a_new_entry_works_at_once(pack: Path) -> None:
    shelf = Shelf()
    live = Live(pack, CACHE, curated=shelf)
    shelf.put(draft("canteen opening"))
    assert answer(live, "canteen opening") == ("lunch",)
    assert answer(live, "Where is lunch?") == ("lunch",)


def test_what_is_not_ours_is_refused_at_once(pack: Path) -> None:
    shelf = Shelf()
    live = Live(pack, CACHE, curated=shelf)
    shelf.put(change("not_ask", "opening hours", "opening-hours"))
    assert answer(live, "opening hours") == ()


def test_once_it_is_built_slips_are_forgiven(pack: Path) -> None:
    shelf = Shelf()
    told: list[str] = []
    live = Live(pack, CACHE, curated=shelf)
    live.changed.append(told.append)
    shelf.put(change("ask", "wheelchair access at the entrance", "parking"))
    assert answer(live, "wheelchair acces at the entrance") == ()
    live.look()
    assert answer(live, "wheelchair acces at the entrance") == ("parking",)
    assert told == ["T1"]


def test_a_change_about_an_entry_that_is_gone_changes_nothing(pack: Path) -> None:
    shelf = Shelf()
    live = Live(pack, CACHE, curated=shelf)
    shelf.put(change("ask", "something else", "gone"))
    assert answer(live, "something else") == ()
    live.look()
    assert answer(live, "opening hours") == ("opening-hours",)


def test_a_store_that_is_away_changes_no_answer(pack: Path) -> None:
    shelf = Shelf()
    live = Live(pack, CACHE, curated=shelf)
    shelf.put(change("ask", "bank holiday mondays", "opening-hours"))
    assert answer(live, "bank holiday mondays") == ("opening-hours",)
    shelf.number = -1
    assert answer(live, "bank holiday mondays") == ("opening-hours",)
    assert answer(live, "opening hours", "T9") == ("opening-hours",)


def test_changes_outlast_a_reload_while_the_store_is_away(pack: Path) -> None:
    shelf = Shelf()
    live = Live(pack, CACHE, curated=shelf)
    shelf.put(change("ask", "bank holiday mondays", "opening-hours"))
    assert answer(live, "bank holiday mondays") == ("opening-hours",)
    shelf.number = -1
    (pack / "answers.yaml").write_text(PACK.replace("Weekdays from nine", "Weekdays from ten"), "utf-8")
    live.look()
    assert answer(live, "bank holiday mondays") == ("opening-hours",)
    assert "ten" in live.knowledge("T1").by_id["opening-hours"].answer
    shelf.number = 2
    shelf.made.clear()
    assert answer(live, "bank holiday mondays") == ()


def test_a_store_that_goes_away_in_the_middle_hides_no_change(pack: Path) -> None:
    """Between the number and the changes: what is laid over under a number is what belongs to it."""

    class Leaving(Shelf):
        def changes(self, workspace: str) -> tuple[Change, ...]:
            self.number, found = (-1, ()) if away else (self.number, super().changes(workspace))
            return found

    away, shelf = True, Leaving()
    live = Live(pack, CACHE, curated=shelf)
    shelf.put(change("ask", "bank holiday mondays", "opening-hours"))
    assert answer(live, "bank holiday mondays") == ()
    away, shelf.number = False, 1
    assert answer(live, "bank holiday mondays") == ("opening-hours",)


def test_files_are_read_again(pack: Path) -> None:
    shelf = Shelf()
    told: list[str] = []
    live = Live(pack, CACHE, curated=shelf, clock=lambda: 7.0)
    live.changed.append(told.append)
    shelf.put(change("ask", "bank holiday mondays", "opening-hours"))
    before = live.version
    (pack / "answers.yaml").write_text(PACK + "- {id: wifi, title: Wifi, asks: [wifi], answer: Ask.}\n", "utf-8")
    live.look()
    assert (answer(live, "wifi"), answer(live, "bank holiday mondays")) == (("wifi",), ("opening-hours",))
    assert live.version != before
    assert told[0] == ""


def test_the_last_good_pack_stays(pack: Path, caplog: pytest.LogCaptureFixture) -> None:
    live = Live(pack, CACHE)
    (pack / "answers.yaml").write_text(PACK + "- id: wifi\n  titel: Wifi\n", "utf-8")
    with caplog.at_level(logging.WARNING, "bot"):
        live.look()
        live.look()
    assert answer(live, "opening hours") == ("opening-hours",)
    assert any(fault.startswith("answers.yaml:") and "titel" in fault for fault in live.faults)
    assert len(caplog.records) == 1
    (pack / "answers.yaml").write_text(PACK, "utf-8")
    live.look()
    assert live.faults == ()


def test_a_folder_that_is_gone_for_a_while_changes_nothing(pack: Path) -> None:
    live = Live(pack, CACHE)
    away = pack.rename(pack.with_name("away"))
    live.look()
    assert answer(live, "opening hours") == ("opening-hours",)
    assert live.faults
    away.rename(pack)
    live.look()
    assert live.faults == ()


def test_the_watch_ends(pack: Path) -> None:
    live, stop = Live(pack, CACHE), threading.Event()
    watch = threading.Thread(target=live.watch, args=(stop,))
    watch.start()
    stop.set()
    watch.join(10)
    assert not watch.is_alive()


# --- likeness


def miss(text: str, times: int = 1) -> Miss:
    return Miss(workspace="T1", key=text, text=text, count=times, best="", score=0.0, first=0.0, last=0.0)


def test_misses_that_ask_the_same_stand_together() -> None:
    misses = [
        miss("where is the printer", 2),
        miss("is there a printer", 1),
        miss("vpn from home", 5),
        miss("how do i get vpn at home"),
        miss("which printer prints in colour"),
    ]
    groups = [[one.text for one in group] for group in grouped(misses)]
    assert groups[0] == ["vpn from home", "how do i get vpn at home"]
    assert ["where is the printer", "is there a printer"] in groups
    assert ["which printer prints in colour"] in groups


def test_slips_are_forgiven_where_words_are_known() -> None:
    known = {"pritner": "printer"}
    assert len(grouped([miss("printer"), miss("pritner")], lambda word: known.get(word, word))) == 1
    assert len(grouped([miss("printer"), miss("pritner")])) == 2


# --- preview


def matcher(pack: Path) -> Matcher:
    return Matcher.of(load(pack), CACHE)


def test_a_good_edit_has_nothing_against_it(pack: Path) -> None:
    seen = preview(matcher(pack), [change("ask", "are you open at weekends", "opening-hours")])
    assert (seen.faults, seen.moved) == ((), ())


def test_what_an_edit_moves_is_named(pack: Path) -> None:
    edit = [
        change("ask", text, "holidays") for text in ("closed on sundays", "sundays off", "a free sunday", "on sundays")
    ]
    seen = preview(matcher(pack), edit, others=["sunday", "who won the cup"])
    assert ("sunday", "How do I ask for holidays?") in {(moved.question, moved.after) for moved in seen.moved}
    assert "who won the cup" not in {moved.question for moved in seen.moved}


def test_a_phrasing_that_would_not_be_found_is_named(pack: Path) -> None:
    seen = preview(matcher(pack), [change("ask", "Where can I park?", "opening-hours")])
    assert any("park" in fault for fault in seen.faults)


def test_a_thin_entry_is_named(pack: Path) -> None:
    seen = preview(matcher(pack), [draft("where is lunch")])
    assert any("lunch" in fault and "phrasing" in fault for fault in seen.faults)


def test_what_curators_wrote_is_not_credited_to_the_source(pack: Path) -> None:
    (pack / "pack.yaml").write_text("name: Office\nsource: {title: The handbook}\n", "utf-8")
    shelf = Shelf()
    live = Live(pack, CACHE, curated=shelf)
    shelf.put(draft("canteen opening"))
    desk = Desk(live)
    assert "The handbook" in plain(desk.ask(Question("opening hours", workspace="T1")))
    assert "The handbook" not in plain(desk.ask(Question("canteen opening", workspace="T1")))
