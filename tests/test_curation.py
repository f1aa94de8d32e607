"""Curation: changes applied to a pack, hot reload, clusters of misses, and what an edit would do."""

from __future__ import annotations

import logging
import os
import sys
import threading
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from bot.curation import build
from bot.curation.build import BuildError, BuildStoppedError, PackChangedError, build_index
from bot.curation.check import check_pack
from bot.curation.clusters import cluster_misses
from bot.curation.overlay import apply_changes, is_settled, settled
from bot.curation.preview import preview, preview_changes
from bot.curation.reloader import REVISION_MAX_AGE, PackReloader
from bot.engine import Engine
from bot.knowledge import PackError, fingerprint, load, pack_cache
from bot.knowledge.files import read_file
from bot.model import Change, ChangeKind, Miss, Question
from bot.reply import plain_text
from bot.retrieval.index import Index
from bot.understanding import Matcher

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


@pytest.fixture
def warm(pack: Path, tmp_path: Path) -> Path:
    """A cache folder that has the pack and its index: no child needs to build them first."""
    folder = tmp_path / "cache"
    Matcher.from_knowledge(load(pack, folder), folder)
    return folder


def change(kind: ChangeKind, text: str = "", entry: str = "", **more: object) -> Change:
    number = next(_numbers)
    return Change(id=str(number), workspace="T1", kind=kind, text=text, entry=entry, at=number, **more)  # type: ignore[arg-type]


def draft(*asks: str) -> Change:
    return change("entry", entry="lunch", title="Where is lunch?", answer="In the hall.", asks=asks)


@dataclass
class ChangeList:
    """Changes in memory; `ages`: how old a revision was allowed to be, each time that it was asked for."""

    made: list[Change] = field(default_factory=list)
    number: int = 0
    ages: list[float] = field(default_factory=list)

    def put(self, *changes: Change) -> None:
        self.made += changes
        self.number += 1

    def revision(self, workspace: str, max_age: float = 0.0) -> int:
        self.ages.append(max_age)
        return self.number

    def active(self, workspace: str) -> tuple[Change, ...]:
        return tuple(each for each in self.made if each.workspace == workspace)


def reloader(pack: Path, changes: ChangeList | None = None, **more: Any) -> PackReloader:
    """A reloader that builds in this process, which is quicker for small packs."""
    return PackReloader(pack, CACHE, changes, **{"build_in_child": False, **more})


def answer(live: PackReloader, text: str, workspace: str = "T1") -> tuple[str, ...]:
    """The ids of a question's answer, with the changes of this moment."""
    live.refresh(workspace)
    reply = Engine(live).answer(Question(text, workspace=workspace))
    return reply.ids if reply.kind != "unknown" else ()


# --- changes


def test_a_phrasing_goes_to_its_entry(pack: Path) -> None:
    known = apply_changes(load(pack), [change("ask", "what about saturdays", "opening-hours")])
    assert known.by_id["opening-hours"].asks[-1] == "what about saturdays"


def test_control_characters_that_an_earlier_release_stored_are_taken_out(pack: Path) -> None:
    stored = Change(
        id="1",
        workspace="T1",
        kind="entry",
        entry="lunch",
        title="Lunch\x1b[2J?",
        answer="At\x07 noon.\r\n- every\x9b day",
        asks=("food\x00 now", "\x1b"),
    )
    known = apply_changes(load(pack), [stored, change("ask", "\x08eat\x08", "lunch"), change("ask", "\x1b", "lunch")])
    entry = known.by_id["lunch"]
    assert (entry.title, entry.answer) == ("Lunch[2J?", "At noon.\n- every day")
    assert entry.asks == ("food now", "eat")


def test_a_phrasing_belongs_to_whom_it_was_given_last(pack: Path) -> None:
    known = apply_changes(load(pack), [change("ask", "Days off, please", "opening-hours")])
    assert "days off please" not in known.by_id["holidays"].asks
    assert known.by_id["opening-hours"].asks[-1] == "Days off, please"


def test_a_phrasing_that_was_refused_can_be_given(pack: Path) -> None:
    known = apply_changes(load(pack), [change("ask", "when are the school holidays", "holidays")])
    assert known.by_id["holidays"].not_asks == ()


def test_a_question_that_is_not_ours_is_refused(pack: Path) -> None:
    known = apply_changes(
        load(pack), [change("not_ask", "opening hours", "opening-hours"), change("not_ask", "who won")]
    )
    assert "opening hours" not in known.by_id["opening-hours"].asks
    assert known.by_id["opening-hours"].not_asks == ("opening hours",)
    assert known.out_of_scope.asks == ("who won",)


def test_a_new_entry_is_one_of_all(pack: Path) -> None:
    known = apply_changes(load(pack), [draft("where is lunch", "canteen"), change("ask", "food", "lunch")])
    assert known.by_id["lunch"].asks == ("where is lunch", "canteen", "food")
    assert known.entries[-1] is known.by_id["lunch"]


@pytest.mark.parametrize(
    "nothing",
    [(), (change("ignore", "blah"),), (change("ask", "x y", "gone"),), (change("review", "2026-05-08", "gone"),)],
)
def test_what_changes_nothing_leaves_the_entries(pack: Path, nothing: tuple[Change, ...]) -> None:
    known = load(pack)
    assert apply_changes(known, nothing).entries == known.entries


def test_the_fingerprint_follows_what_is_said_and_not_who_says_it(pack: Path) -> None:
    known = load(pack)
    one = apply_changes(known, [change("ask", "saturdays", "opening-hours", by="T1:U1")])
    same = apply_changes(known, [change("ask", "saturdays", "opening-hours", by="T1:U2")])
    other = apply_changes(known, [change("ask", "sundays", "opening-hours", by="T1:U1")])
    assert one.fingerprint == same.fingerprint
    assert len({known.fingerprint, one.fingerprint, other.fingerprint}) == 3


def test_a_confirmation_settles_no_miss() -> None:
    assert settled([change("review", "2026-05-08", "parking")]) == frozenset()


def test_a_miss_is_settled_by_its_words() -> None:
    words = settled([change("ask", "What about Saturdays?", "opening-hours"), draft("canteen")])
    assert is_settled("what about saturdays", words)
    assert is_settled("Canteen?", words)
    assert not is_settled("what about sundays", words)


# --- the reloader


def test_a_change_works_at_once_and_only_in_its_workspace(pack: Path) -> None:
    changes = ChangeList()
    live = reloader(pack, changes)
    assert answer(live, "bank holiday mondays") == ()
    changes.put(change("ask", "bank holiday mondays", "opening-hours"))
    assert answer(live, "Bank holiday Mondays?") == ("opening-hours",)
    assert answer(live, "bank holiday mondays", "T2") == ()
    changes.made.clear()
    changes.put()
    assert answer(live, "bank holiday mondays") == ()


def test_a_new_entry_works_at_once(pack: Path) -> None:
    changes = ChangeList()
    live = reloader(pack, changes)
    changes.put(draft("canteen opening"))
    assert answer(live, "canteen opening") == ("lunch",)
    assert answer(live, "Where is lunch?") == ("lunch",)


def test_what_is_not_ours_is_refused_at_once(pack: Path) -> None:
    changes = ChangeList()
    live = reloader(pack, changes)
    changes.put(change("not_ask", "opening hours", "opening-hours"))
    assert answer(live, "opening hours") == ()


def test_once_it_is_built_slips_are_forgiven(pack: Path) -> None:
    changes = ChangeList()
    told: list[str] = []
    live = reloader(pack, changes)
    live.changed.append(told.append)
    changes.put(change("ask", "wheelchair access at the entrance", "parking"))
    assert answer(live, "wheelchair acces at the entrance") == ()
    live.poll()
    assert answer(live, "wheelchair acces at the entrance") == ("parking",)
    assert told == ["T1"]


def test_a_change_about_an_entry_that_is_gone_changes_nothing(pack: Path) -> None:
    changes = ChangeList()
    live = reloader(pack, changes)
    changes.put(change("ask", "something else", "gone"))
    assert answer(live, "something else") == ()
    live.poll()
    assert answer(live, "opening hours") == ("opening-hours",)


def test_a_store_that_is_away_changes_no_answer(pack: Path) -> None:
    changes = ChangeList()
    live = reloader(pack, changes)
    changes.put(change("ask", "bank holiday mondays", "opening-hours"))
    assert answer(live, "bank holiday mondays") == ("opening-hours",)
    changes.number = -1
    assert answer(live, "bank holiday mondays") == ("opening-hours",)
    assert answer(live, "opening hours", "T9") == ("opening-hours",)


def test_changes_outlast_a_reload_while_the_store_is_away(pack: Path) -> None:
    changes = ChangeList()
    live = reloader(pack, changes)
    changes.put(change("ask", "bank holiday mondays", "opening-hours"))
    assert answer(live, "bank holiday mondays") == ("opening-hours",)
    changes.number = -1
    (pack / "answers.yaml").write_text(PACK.replace("Weekdays from nine", "Weekdays from ten"), "utf-8")
    live.poll()
    assert answer(live, "bank holiday mondays") == ("opening-hours",)
    assert "ten" in live.knowledge("T1").by_id["opening-hours"].answer
    changes.number = 2
    changes.made.clear()
    assert answer(live, "bank holiday mondays") == ()


def test_a_store_that_goes_away_in_the_middle_hides_no_change(pack: Path) -> None:
    """Between the number and the changes: what is laid over under a number is what belongs to it."""

    class Leaving(ChangeList):
        def active(self, workspace: str) -> tuple[Change, ...]:
            self.number, found = (-1, ()) if away else (self.number, super().active(workspace))
            return found

    away, changes = True, Leaving()
    live = reloader(pack, changes)
    changes.put(change("ask", "bank holiday mondays", "opening-hours"))
    assert answer(live, "bank holiday mondays") == ()
    away, changes.number = False, 1
    assert answer(live, "bank holiday mondays") == ("opening-hours",)


def test_files_are_read_again(pack: Path) -> None:
    changes = ChangeList()
    told: list[str] = []
    live = reloader(pack, changes, clock=lambda: 7.0)
    live.changed.append(told.append)
    changes.put(change("ask", "bank holiday mondays", "opening-hours"))
    before = live.version
    (pack / "answers.yaml").write_text(PACK + "- {id: wifi, title: Wifi, asks: [wifi], answer: Ask.}\n", "utf-8")
    live.poll()
    assert (answer(live, "wifi"), answer(live, "bank holiday mondays")) == (("wifi",), ("opening-hours",))
    assert live.version != before
    assert told[0] == ""


def test_the_last_good_pack_stays(pack: Path, caplog: pytest.LogCaptureFixture) -> None:
    live = reloader(pack)
    (pack / "answers.yaml").write_text(PACK + "- id: wifi\n  titel: Wifi\n", "utf-8")
    with caplog.at_level(logging.WARNING, "bot"):
        live.poll()
        live.poll()
    assert answer(live, "opening hours") == ("opening-hours",)
    assert any(fault.startswith("answers.yaml:") and "titel" in fault for fault in live.faults)
    assert len(caplog.records) == 1
    (pack / "answers.yaml").write_text(PACK, "utf-8")
    live.poll()
    assert live.faults == ()


def test_a_folder_that_is_gone_for_a_while_changes_nothing(pack: Path) -> None:
    live = reloader(pack)
    away = pack.rename(pack.with_name("away"))
    live.poll()
    assert answer(live, "opening hours") == ("opening-hours",)
    assert live.faults
    away.rename(pack)
    live.poll()
    assert live.faults == ()


def test_polling_ends(pack: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.curation.reloader.POLL_INTERVAL", 0.01)
    live, stop = reloader(pack), threading.Event()
    thread = threading.Thread(target=live.run, args=(stop,))
    thread.start()
    stop.set()
    thread.join(10)
    assert not thread.is_alive()


# --- reading changes


class Clock:
    """A monotonic clock that the test sets."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_matcher_comes_from_memory_alone(pack: Path) -> None:
    changes = ChangeList()
    live = reloader(pack, changes)
    changes.put(change("ask", "bank holiday mondays", "opening-hours"))
    assert live.matcher("T1") is live.matcher()
    assert live.knowledge("T1") is live.knowledge()
    assert changes.ages == []


def test_other_processes_changes_are_looked_for_four_times_a_second(pack: Path) -> None:
    changes = ChangeList()
    live = reloader(pack, changes)
    live.refresh("T1")
    changes.ages.clear()
    live.refresh("T1")
    assert changes.ages == [REVISION_MAX_AGE] == [0.25]


def test_changes_are_taken_under_the_revision_that_they_belong_to(pack: Path) -> None:
    """The revision may be a quarter of a second old, and the changes are newer."""

    class Stale(ChangeList):
        def revision(self, workspace: str, max_age: float = 0.0) -> int:
            return 0 if max_age else self.number

    changes = Stale()
    live = reloader(pack, changes)
    changes.put(change("ask", "bank holiday mondays", "opening-hours"))
    assert answer(live, "bank holiday mondays") == ("opening-hours",)
    matcher = live.matcher("T1")
    live.refresh("T1")
    assert live.matcher("T1") is matcher


def test_a_database_that_was_made_anew_counts_from_the_beginning(pack: Path) -> None:
    changes = ChangeList(number=7)
    live = reloader(pack, changes)
    changes.put(change("ask", "bank holiday mondays", "opening-hours"))
    assert answer(live, "bank holiday mondays") == ("opening-hours",)
    changes.made, changes.number = [], 0
    assert answer(live, "bank holiday mondays") == ()


def test_the_least_asked_workspace_is_forgotten_first(pack: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.curation.reloader.MAX_OVERLAYS", 3)
    changes = ChangeList()
    live = reloader(pack, changes)
    changes.put(change("ask", "bank holiday mondays", "opening-hours"))
    for workspace in ("T1", "T2", "T3", "T1", "T99"):
        live.refresh(workspace)
    assert live.matcher("T1").find("bank holiday mondays").ids == ("opening-hours",)
    assert live.matcher("T2") is live.matcher("")


def test_the_overlays_of_many_changes_are_fewer(pack: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.curation.reloader.MAX_CHANGES", 3)
    changes = ChangeList()
    live = reloader(pack, changes, index_from=9)
    changes.put(
        *(
            replace(change("ask", f"on day {number}", "opening-hours"), workspace=f"T{number % 2}")
            for number in range(4)
        )
    )
    assert answer(live, "on day 0", "T0") == answer(live, "on day 1", "T1") == ("opening-hours",)
    assert live.matcher("T0") is live.matcher("")
    assert answer(live, "on day 0", "T0") == ("opening-hours",)


# --- workspaces without an index of their own


def test_few_changes_need_no_index(pack: Path, built_here: list[str]) -> None:
    changes = ChangeList()
    live = reloader(pack, changes, index_from=2)
    built_here.clear()
    changes.put(draft("wheelchair access at the entrance"))
    assert answer(live, "wheelchair access at the entrance") == ("lunch",)
    live.poll()
    assert answer(live, "wheelchair acess to an entrance please") == ("lunch",)
    assert answer(live, "the entrance for deliveries") == ()
    assert built_here == []
    changes.put(change("ask", "bank holiday mondays", "opening-hours"))
    live.refresh("T1")
    live.poll()
    assert built_here == ["index"]


@pytest.mark.parametrize("index_from", [1, 2])
def test_a_confirmation_builds_no_index_and_keeps_the_one_there_is(
    pack: Path, tmp_path: Path, built_here: list[str], index_from: int
) -> None:
    changes = ChangeList()
    live = PackReloader(pack, None, changes, build_in_child=False, index_from=index_from)
    changes.put(change("ask", "bank holiday mondays", "opening-hours"))
    live.refresh("T1")
    live.poll()
    built, index, fingerprint = list(built_here), live.matcher("T1").index, live.knowledge("T1").fingerprint
    changes.put(change("review", "2026-05-08", "parking"))
    assert answer(live, "bank holiday mondays") == ("opening-hours",)
    live.poll()
    assert (built_here, live.knowledge("T1").fingerprint) == (built, fingerprint)
    assert (live.matcher("T1").index is index) == (index_from == 1)
    assert live.knowledge("T1").by_id["parking"].reviewed == "2026-05-08"
    assert live.knowledge("").by_id["parking"].reviewed == ""


def test_a_workspace_with_nothing_but_confirmations_shares_the_packs_index(pack: Path, built_here: list[str]) -> None:
    changes = ChangeList()
    live = PackReloader(pack, None, changes, build_in_child=False)
    built_here.clear()
    changes.put(change("review", "2026-05-08", "parking"))
    assert answer(live, "where can i park") == ("parking",)
    live.poll()
    assert built_here == []
    assert live.matcher("T1").index is live.matcher("").index
    assert live.knowledge("T1").by_id["parking"].reviewed == "2026-05-08"


def test_a_near_phrasing_that_was_refused_stays_so(pack: Path) -> None:
    changes = ChangeList()
    live = reloader(pack, changes, index_from=9)
    changes.put(change("not_ask", "opening hours of the museum"))
    assert answer(live, "the museum's opening hours?") == ()
    assert answer(live, "opening hours") == ("opening-hours",)


def test_a_near_phrasing_is_told_as_one(pack: Path) -> None:
    changes = ChangeList()
    live = reloader(pack, changes, index_from=9)
    changes.put(draft("wheelchair access at the entrance"))
    live.refresh("T1")
    evidence = live.matcher("T1").find("weelchair access at the entrance").evidence
    assert [(each.typed, each.read_as) for each in evidence.corrections] == [("weelchair", "wheelchair")]
    assert (evidence.reason, evidence.confidence) == ("nearly a phrasing that a curator added", 1.0)


@pytest.mark.parametrize(
    "text",
    [
        "who is on call",
        "when is the canteen",
        "wheelchair access",
        "how do i not reset my badge",
        "turn off the lamp",
        "who signs the yearly budget form of the marketing team in the berlin office",
    ],
)
def test_other_questions_arent_near(pack: Path, text: str) -> None:
    changes = ChangeList()
    live = reloader(pack, changes, index_from=9)
    asks = "where is the canteen", "when is someone on call", "wheelchair access to the roof", "how do i reset my badge"
    long = "who signs the yearly budget form of the marketing team in the madrid office"
    changes.put(draft(*asks, long, "turn on the lamp"))
    assert answer(live, f"please, {long}") == ("lunch",)
    assert answer(live, text) == ()


def test_a_few_indexes_are_held(pack: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.curation.reloader.MAX_INDEXES", 2)
    changes = ChangeList()
    live = reloader(pack, changes)
    base = live.matcher("").index.stats
    for workspace in ("T1", "T2", "T3"):
        changes.put(replace(change("ask", f"the day after {workspace}", "opening-hours"), workspace=workspace))
        live.refresh(workspace)
        live.poll()
    with_index = [name for name in ("T1", "T2", "T3") if live.matcher(name).index.stats is not base]
    assert with_index == ["T2", "T3"]
    live.refresh("T1")
    assert answer(live, "the day after T1", "T1") == ("opening-hours",)
    live.poll()
    assert live.matcher("T1").index.stats is not base


@pytest.mark.parametrize("index_from", [1, 2, 3])
def test_a_preview_is_of_what_will_answer(pack: Path, warm: Path, built_here: list[str], index_from: int) -> None:
    changes = ChangeList()
    changes.put(change("ask", "a free sunday", "holidays"))
    live = PackReloader(pack, warm, changes, index_from=index_from)
    live.refresh("T1")
    edit = [change("ask", "Where can I park?", "opening-hours")]
    seen = live.previewer("T1")(edit)
    assert built_here == []
    assert seen == preview_changes(load(pack), changes.active("T1"), edit, CACHE, index_from)
    assert seen.asked
    assert len([*warm.glob("index-*")]) == {1: 3, 2: 2, 3: 1}[index_from]


def test_a_forgotten_workspace_leaves_no_index(pack: Path, tmp_path: Path) -> None:
    changes = ChangeList()
    live = PackReloader(pack, tmp_path / "cache", changes, build_in_child=False)
    changes.put(change("ask", "bank holiday mondays", "opening-hours"))
    live.refresh("T1")
    live.poll()
    assert len([*(tmp_path / "cache").glob("index-*")]) == 2
    live.forget("T1")
    assert live.matcher("T1") is live.matcher("")
    (index,) = (tmp_path / "cache").glob("index-*")
    assert live.knowledge().fingerprint[:24] in index.name


def test_an_error_of_the_store_changes_no_answer(pack: Path) -> None:
    class Broken(ChangeList):
        def active(self, workspace: str) -> tuple[Change, ...]:
            if broken:
                raise ValueError("secret words")
            return super().active(workspace)

    broken, changes = False, Broken()
    live = reloader(pack, changes)
    changes.put(change("ask", "bank holiday mondays", "opening-hours"))
    assert answer(live, "bank holiday mondays") == ("opening-hours",)
    broken = True
    changes.put()
    assert answer(live, "bank holiday mondays") == ("opening-hours",)
    assert "ValueError" in live.faults[0]
    assert "secret" not in live.faults[0]
    broken = False
    live.refresh("T1")
    assert live.faults == ()


# --- what fails is tried again


@pytest.mark.parametrize("error", [OSError(28, "No space left"), MemoryError(), ValueError("secret words")])
def test_a_pack_whose_index_fails_is_tried_again(
    pack: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    """S7: the old pack answers, the fault shows until it is over, and no file needs to change again."""
    clock = Clock()
    live = reloader(pack, monotonic=clock)
    before, tries, told = live.version, [], []
    live.changed.append(told.append)

    def fails(*_: object) -> Matcher:
        tries.append(clock.now)
        raise error

    (pack / "answers.yaml").write_text(PACK + "- {id: wifi, title: Wifi, asks: [wifi], answer: Ask.}\n", "utf-8")
    with monkeypatch.context() as patch, caplog.at_level(logging.WARNING, "bot"):
        patch.setattr("bot.curation.reloader.Matcher.from_knowledge", fails)
        for clock.now in map(float, range(20)):
            live.poll()
        assert (live.version, answer(live, "opening hours"), told) == (before, ("opening-hours",), [])
        assert len(live.faults) == 1
        assert type(error).__name__ in live.faults[0]
    assert tries == [0.0, 2.0, 6.0, 14.0]
    assert len(caplog.records) == 1
    assert "secret" not in live.faults[0] + caplog.text
    clock.now = 30.0
    live.poll()
    assert (live.faults, answer(live, "wifi"), told) == ((), ("wifi",), [""])


def test_a_new_edit_of_the_files_does_not_wait(pack: Path) -> None:
    live = reloader(pack, monotonic=Clock())
    (pack / "answers.yaml").write_text(PACK + "- id: wifi\n  titel: Wifi\n", "utf-8")
    live.poll()
    (pack / "answers.yaml").write_text(PACK + "- id: wifi\n  titles: Wifi\n", "utf-8")
    live.poll()
    assert any("titles" in fault for fault in live.faults)


def test_changes_whose_index_fails_work_word_for_word_and_are_tried_again(
    pack: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes, clock = ChangeList(), Clock()
    live = reloader(pack, changes, monotonic=clock)
    changes.put(change("ask", "wheelchair access at the entrance", "parking"))
    with monkeypatch.context() as patch:
        patch.setattr("bot.curation.reloader.Matcher.from_knowledge", lambda *_: 1 / 0)
        assert answer(live, "wheelchair access at the entrance") == ("parking",)
        live.poll()
        assert "ZeroDivisionError" in live.faults[0]
        assert answer(live, "wheelchair access at the entrance") == ("parking",)
    clock.now = 2.0
    live.poll()
    assert live.faults == ()
    assert answer(live, "wheelchair acces at the entrance") == ("parking",)


def save_while_reading(path: Path, saves: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let an editor save the file `path` each time that it has just been read, until nothing is left to save."""

    def read(read_path: Path) -> bytes:
        content = read_file(read_path)
        if read_path == path and saves:
            path.write_text(saves.pop(0), "utf-8")
        return content

    monkeypatch.setattr("bot.knowledge.files.read_file", read)


def test_files_that_change_while_they_are_read_are_read_again(pack: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    live = reloader(pack)
    saves = [PACK.replace("nine to five", hours) for hours in ("nine to six", "nine to seven")]
    save_while_reading(pack / "answers.yaml", saves, monkeypatch)
    (pack / "answers.yaml").write_text(PACK + "\n", "utf-8")
    live.poll()
    assert "nine to seven" in live.knowledge().by_id["opening-hours"].answer
    assert (live.version, live.faults) == (fingerprint(pack)[:8], ())


def test_files_that_never_stay_as_they_are_are_a_fault_and_tried_again(
    pack: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = reloader(pack)
    saves = [PACK.replace("nine to five", hours) for hours in ("nine to six", "nine to seven", "nine to twelve")]
    save_while_reading(pack / "answers.yaml", saves, monkeypatch)
    (pack / "answers.yaml").write_text(PACK + "\n", "utf-8")
    live.poll()
    assert live.faults == (
        "pack.yaml:1: files keep changing while they are read; they are read again once they stay as they are",
    )
    live.poll()
    assert "nine to twelve" in live.knowledge().by_id["opening-hours"].answer
    assert live.faults == ()


def test_what_is_cached_is_what_was_read(pack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is saved between reading and taking the digest: old words never stand under the new digest."""
    save_while_reading(pack / "answers.yaml", [PACK.replace("nine to five", "nine to six")], monkeypatch)
    old, new = load(pack, tmp_path), load(pack, tmp_path)
    assert [
        "nine to five" in old.by_id["opening-hours"].answer,
        "nine to six" in new.by_id["opening-hours"].answer,
    ] == [
        True,
        True,
    ]
    assert new.fingerprint == fingerprint(pack) != old.fingerprint
    for known in (old, new):
        assert pack_cache.load(pack_cache.path_of(tmp_path, known.fingerprint), known.fingerprint) == known


def test_check_blames_the_lines_of_what_it_has_read(pack: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shared = "\n- {id: b, title: B, asks: [when are you open], answer: x}\n"
    (pack / "more.yaml").write_text(shared, "utf-8")
    save_while_reading(pack / "more.yaml", ["\n\n" + shared], monkeypatch)
    found = [fault for fault in check_pack(pack, CACHE).faults if "also stands under" in fault.text]
    assert [(fault.file, fault.line) for fault in found] == [("more.yaml", 2)]


def test_a_child_builds_nothing_for_a_pack_that_has_changed(pack: Path, tmp_path: Path) -> None:
    old = fingerprint(pack)
    (pack / "answers.yaml").write_text(PACK.replace("nine to five", "nine to six"), "utf-8")
    with pytest.raises(PackChangedError):
        build_index(pack, tmp_path, old)
    assert not build.is_built(tmp_path, old, old)


def test_a_callback_that_fails_stops_nothing(pack: Path) -> None:
    live, told = reloader(pack), []
    live.changed += [lambda _: 1 / 0, told.append]
    (pack / "answers.yaml").write_text(PACK + "- {id: wifi, title: Wifi, asks: [wifi], answer: Ask.}\n", "utf-8")
    live.poll()
    assert (told, live.faults) == ([""], ())


# --- the child process


@pytest.fixture
def built_here(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The packs whose indexes are built in this process."""
    found: list[str] = []
    index = Index.build

    def build_index(*args: Any, **more: Any) -> Index:
        found.append("index")
        return index(*args, **more)

    monkeypatch.setattr(Index, "build", build_index)
    return found


def test_indexes_are_built_in_a_child(pack: Path, tmp_path: Path, built_here: list[str]) -> None:
    """From a cold start to an edit of the files and of a curator; what the child has left in the cache is only loaded."""
    changes = ChangeList()
    live = PackReloader(pack, tmp_path / "cache", changes)
    assert answer(live, "opening hours") == ("opening-hours",)
    changes.put(change("ask", "wheelchair access at the entrance", "parking"))
    live.refresh("T1")
    (pack / "answers.yaml").write_text(PACK + "- {id: wifi, title: Wifi, asks: [wifi], answer: Ask.}\n", "utf-8")
    live.poll()
    assert answer(live, "wheelchair acces at the entrance") == ("parking",)
    assert answer(live, "wifi") == ("wifi",)
    assert (built_here, live.faults) == ([], ())


def test_a_faulty_pack_is_named_by_the_child(pack: Path, warm: Path, built_here: list[str]) -> None:
    live = PackReloader(pack, warm)
    (pack / "answers.yaml").write_text(PACK + "- id: wifi\n  titel: Wifi\n", "utf-8")
    live.poll()
    assert any(fault.startswith("answers.yaml:") and "titel" in fault for fault in live.faults)
    (pack / "pack.yaml").unlink()
    with pytest.raises(PackError, match=r"pack\.yaml"):
        PackReloader(pack, warm)
    assert built_here == []


def test_the_pack_is_the_one_that_answers_whatever_is_in_the_folder(pack: Path, tmp_path: Path) -> None:
    build_index(pack, tmp_path, (found := load(pack, tmp_path)).fingerprint)
    (pack / "answers.yaml").write_text("nothing", "utf-8")
    build_index(pack, tmp_path, found.fingerprint, [change("ask", "on saturdays", "opening-hours")])
    with pytest.raises(PackError):
        build_index(pack, tmp_path, "0" * 64)
    (pack / "answers.yaml").write_text(PACK + "\n", "utf-8")
    with pytest.raises(PackChangedError):
        build_index(pack, tmp_path, "0" * 64)


def test_changes_are_indexed_over_the_last_good_pack(pack: Path, warm: Path, built_here: list[str]) -> None:
    changes = ChangeList()
    live = PackReloader(pack, warm, changes)
    (pack / "answers.yaml").write_text("nothing", "utf-8")
    for kept in warm.glob("pack-*"):
        kept.unlink()
    changes.put(change("ask", "wheelchair access at the entrance", "parking"))
    live.refresh("T1")
    live.poll()
    assert answer(live, "wheelchair acces at the entrance") == ("parking",)
    assert built_here == ["index"]
    assert all(fault.startswith("answers.yaml") for fault in live.faults)


@pytest.mark.parametrize(
    ("name", "value"),
    [("NICENESS", "high"), ("sys.executable", "/nowhere/python"), ("_is_writable", lambda _: False)],
)
def test_without_a_child_it_is_built_here(
    pack: Path, tmp_path: Path, built_here: list[str], monkeypatch: pytest.MonkeyPatch, name: str, value: object
) -> None:
    if name == "NICENESS":  # a child that ends by itself, without a result
        monkeypatch.setattr("bot.curation.build._environment", lambda: {"PYTHONPATH": "/nowhere"})
    else:
        monkeypatch.setattr(f"bot.curation.build.{name}", value)
    live = PackReloader(pack, tmp_path / "cache")
    assert answer(live, "opening hours") == ("opening-hours",)
    assert built_here == ["index"]
    assert live.previewer("T1")([change("ask", "are you open at weekends", "opening-hours")]).faults == ()


def test_a_child_ends_when_the_process_is_stopped(pack: Path, tmp_path: Path) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(BuildStoppedError):
        PackReloader(pack, tmp_path / "cache", stop=stop)


def test_a_child_that_takes_too_long_is_killed(pack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.curation.build.TIMEOUT", 0.1)
    with pytest.raises(BuildError, match="longer than"):
        build_index(pack, tmp_path, load(pack, tmp_path).fingerprint)


def test_a_child_ends_with_its_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    parents = iter([7, 7, 1])
    monkeypatch.setattr("bot.curation.build.PARENT_CHECK_INTERVAL", 0)
    monkeypatch.setattr(os, "getppid", lambda: next(parents))
    monkeypatch.setattr(os, "_exit", sys.exit)
    with pytest.raises(SystemExit):
        build._end_with_parent(7)
    assert next(parents, None) is None


def test_a_child_gets_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET", "DATABASE_URL", "ASKPY_CURATORS", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "secret")
    assert "secret" not in build._environment().values()
    assert build._environment()["PATH"] == os.environ["PATH"]


def test_a_preview_in_a_child_is_that_of_this_process(pack: Path, warm: Path, built_here: list[str]) -> None:
    changes = ChangeList()
    changes.put(change("ask", "a free sunday", "holidays"))
    live = PackReloader(pack, warm, changes)
    live.refresh("T1")
    edit = [change("ask", text, "holidays") for text in ("closed on sundays", "sundays off", "on sundays")]
    edit.append(change("ask", "Where can I park?", "opening-hours"))
    seen = live.previewer("T1")(edit)
    assert built_here == []
    assert seen == preview_changes(load(pack), changes.active("T1"), edit, CACHE)
    assert seen.faults
    assert seen.asked


def test_what_was_looked_at_needs_no_index_when_it_is_saved(pack: Path, warm: Path) -> None:
    changes = ChangeList()
    changes.put(change("ask", "a free sunday", "holidays"))
    live = PackReloader(pack, warm, changes)
    live.refresh("T1")
    edit = change("ask", "are you open at weekends", "opening-hours")
    live.previewer("T1")([edit])
    changes.put(replace(edit, id="another", by="T1:U1", at=9.0))
    live.refresh("T1")
    knowledge = live.knowledge("T1")
    assert build.is_built(warm, live.knowledge().fingerprint, knowledge.fingerprint)


# --- clusters


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
    groups = [[one.text for one in group] for group in cluster_misses(misses)]
    assert groups[0] == ["vpn from home", "how do i get vpn at home"]
    assert ["where is the printer", "is there a printer"] in groups
    assert ["which printer prints in colour"] in groups


def test_slips_are_forgiven_where_words_are_known() -> None:
    known = {"pritner": "printer"}
    assert len(cluster_misses([miss("printer"), miss("pritner")], lambda word: known.get(word, word))) == 1
    assert len(cluster_misses([miss("printer"), miss("pritner")])) == 2


# --- preview


def matcher(pack: Path) -> Matcher:
    return Matcher.from_knowledge(load(pack), CACHE)


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


def test_a_phrasing_that_an_edit_takes_from_another_answer_comes_first(pack: Path) -> None:
    seen = preview(matcher(pack), [draft("where is lunch", "Request time off")])
    first = seen.moved[0]
    assert (first.question, first.before, first.after) == (
        "Request time off",
        "How do I ask for holidays?",
        draft("x").title,
    )
    refused = preview(matcher(pack), [change("not_ask", "parking for visitors", "parking")])
    assert refused.moved[0].question == "parking for visitors"


def test_a_thin_entry_is_named(pack: Path) -> None:
    seen = preview(matcher(pack), [draft("where is lunch")])
    assert any("lunch" in fault and "phrasing" in fault for fault in seen.faults)


def test_what_curators_wrote_is_not_credited_to_the_source(pack: Path) -> None:
    (pack / "pack.yaml").write_text("name: Office\nsource: {title: The handbook}\n", "utf-8")
    changes = ChangeList()
    live = reloader(pack, changes)
    changes.put(draft("canteen opening"))
    live.refresh("T1")
    engine = Engine(live)
    assert "The handbook" in plain_text(engine.answer(Question("opening hours", workspace="T1")))
    assert "The handbook" not in plain_text(engine.answer(Question("canteen opening", workspace="T1")))
