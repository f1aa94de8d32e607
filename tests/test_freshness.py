"""Freshness: owners and dates of entries, in `check`, in answers, and after a curator's confirmation."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest

from bot.curation.check import check_pack
from bot.curation.freshness import due_entries, with_review
from bot.curation.lint import lint
from bot.curation.overlay import apply_changes
from bot.engine import Engine
from bot.knowledge import inspect, load, pack_cache, read_files
from bot.model import Attribute, Attribution, Change, Complaint, Entry, Finding, Knowledge, Library, Question, Source
from bot.reply import compose, plain_text, rebuild
from bot.slack.blocks import render_blocks
from bot.understanding import Matcher
from support.samples import finding, pack

TODAY = dt.date(2026, 5, 8)
NOW = dt.datetime(2026, 5, 8, 12, tzinfo=dt.UTC).timestamp()
DAY = 86_400
SOURCE = "source: {title: The handbook, url: 'https://example.org/handbook'}\n"


def entry(name: str = "e", **fields: str) -> Entry:
    return Entry(id=name, title=f"About {name}", answer="So.", asks=(name,), **fields)  # type: ignore[arg-type]


def knowledge(*entries: Entry) -> Knowledge:
    return replace(pack(), entries=entries, by_id={entry.id: entry for entry in entries}, source=None)


def folder(tmp_path: Path, fields: str, name: str = "hours", source: str = "") -> Path:
    """A pack with one entry that has these fields."""
    (tmp_path / "pack.yaml").write_text(f"name: Office\n{source}", "utf-8")
    text = f"- id: {name}\n  title: When are you open?\n  asks: [opening hours]\n  answer: From nine to five.\n{fields}"
    (tmp_path / "answers.yaml").write_text(text, "utf-8")
    return tmp_path


# --- the pack

FIELDS = "  owner: Front desk\n  reviewed: 2026-01-01\n  review_by: 2026-03-01\n"


OTHER_KINDS = """\
- {id: step, kind: step, of: hours, step: 1, title: S, asks: [s], answer: S}
- {id: card, kind: library, name: C, asks: [c], answer: C}
""".replace("}", ", owner: Front desk, reviewed: 2026-01-01, review_by: 2026-03-01}")


def test_fields_are_read_and_cached_for_every_kind_of_entry(tmp_path: Path) -> None:
    read = load(folder(tmp_path, FIELDS + OTHER_KINDS))
    assert [(e.kind, e.owner, e.reviewed, e.review_by) for e in read.entries] == [
        (kind, "Front desk", "2026-01-01", "2026-03-01") for kind in ("topic", "step", "library")
    ]
    pack_cache.save(read, tmp_path / "cache.json")
    assert pack_cache.load(tmp_path / "cache.json", read.fingerprint) == read


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ("  reviewed: yesterday\n", "reviewed 'yesterday' is not a date; write it as 2026-11-22"),
        ("  review_by: 2026-02-30\n", "review_by '2026-02-30' is not a date; write it as 2026-11-22"),
        (f"  owner: {'x' * 501}\n", "owner is longer than 500 characters; shorten it"),
    ],
)
def test_a_field_that_is_none_is_a_fault(tmp_path: Path, fields: str, told: str) -> None:
    _, faults = inspect(read_files(folder(tmp_path, fields)))
    assert [str(fault) for fault in faults] == [f"answers.yaml:5: hours: {told}"]


def test_a_date_before_the_last_check_is_a_fault(tmp_path: Path) -> None:
    found = check_pack(folder(tmp_path, "  reviewed: 2026-01-02\n  review_by: 2026-01-01\n"))
    told = "answers.yaml:6: hours: review_by 2026-01-01 is before reviewed 2026-01-02; correct one of the two"
    assert [str(fault) for fault in found.faults if not fault.advice] == [told]
    assert check_pack(folder(tmp_path, "  reviewed: 2026-01-02\n  review_by: 2026-01-02\n")).has_faults is False


def test_a_check_in_the_future_is_advice() -> None:
    dated = knowledge(entry("a", reviewed="2026-05-10"), entry("b", reviewed="2026-05-09"))
    texts = [(fault.entry, fault.text) for fault in lint(dated, today=TODAY) if "reviewed" in fault.text]
    assert texts == [("a", "reviewed is 2026-05-10, which is still to come; correct the date")]


def test_check_lists_what_is_due_by_what_to_do(tmp_path: Path) -> None:
    found = check_pack(folder(tmp_path, "  owner: Front; desk\n  review_by: 2020-03-01\n"))
    lines = list(found.lines(tmp_path))
    at = lines.index("See whether it is still right, and set reviewed and review_by anew (1):")
    assert lines[at + 1] == "  When are you open? (answers.yaml:6): was to be checked by 2020-03-01, owner: Front; desk"
    assert found.has_faults is False
    soon = [
        fault.text for fault in lint(knowledge(entry(review_by="2026-05-20")), today=TODAY) if "checked" in fault.text
    ]
    assert soon == [
        "is to be checked by 2026-05-20; see whether it is still right, and set reviewed and review_by anew"
    ]


# --- the rule


@pytest.mark.parametrize(
    ("reviewed", "review_by", "due"),
    [
        ("", "", None),
        ("2020-01-01", "", None),
        ("", "2026-05-07", True),
        ("", "2026-05-08", False),
        ("", "2026-05-22", False),
        ("", "2026-05-23", None),
        ("2026-05-01", "2026-05-11", False),
        ("2026-05-04", "2026-05-14", None),
        ("2026-06-01", "2026-05-01", True),
        ("", "0001-01-01", True),
        ("2026-01-01", "9999-12-31", None),
    ],
)
def test_an_entry_is_due_from_two_weeks_or_half_its_span_before_its_date(
    reviewed: str, review_by: str, due: bool | None
) -> None:
    found = due_entries(knowledge(entry(owner="Ann", reviewed=reviewed, review_by=review_by)), TODAY)
    assert [each.is_past for each in found] == ([] if due is None else [due])


def test_what_is_due_is_sorted_by_owner_and_date() -> None:
    known = knowledge(
        entry("a", review_by="2026-01-01"),
        entry("b", owner="team", review_by="2026-05-01"),
        entry("c", owner="Ann"),
        entry("d", owner="Team", review_by="2026-04-01"),
        entry("e", owner="Ann", review_by="2026-05-09"),
    )
    complaints = [Complaint("topic||c", "outdated", 2, NOW)]
    found = due_entries(known, TODAY, complaints)
    assert [(each.entry.id, each.is_past, each.votes) for each in found] == [
        ("e", False, 0),
        ("c", False, 2),
        ("d", True, 0),
        ("b", True, 0),
        ("a", True, 0),
    ]


@pytest.mark.parametrize(
    ("reviewed", "at", "voted", "counts"),
    [
        ("", None, NOW - 29 * DAY, True),
        ("2026-05-07", None, NOW - DAY, False),
        ("2026-05-07", None, NOW, True),
        ("2026-05-08", NOW - 60, NOW, True),
        ("2026-05-08", NOW, NOW - 60, False),
        ("2026-05-07", NOW - 40 * DAY, NOW - DAY, False),
    ],
)
def test_a_vote_counts_if_it_came_after_the_confirmation(
    reviewed: str, at: float | None, voted: float, counts: bool
) -> None:
    """`at`: when a curator confirmed it on the day `reviewed`, or another day if that is longer ago."""
    text = "2026-03-29" if at is not None and at < NOW - DAY else reviewed
    history = [Change(id="1", workspace="T1", kind="review", text=text, entry="e", at=at)] if at is not None else []
    found = due_entries(
        knowledge(entry(reviewed=reviewed)), TODAY, [Complaint("topic||e", "outdated", 1, voted)], history
    )
    assert [each.votes for each in found] == [1] * counts


def test_a_vote_on_a_long_list_is_nobodys() -> None:
    known = knowledge(*(entry(f"e{n}") for n in range(7)))
    ids = [f"e{n}" for n in range(7)]
    assert due_entries(known, TODAY, [Complaint(f"list|g|{','.join(ids)}", "outdated", 9, NOW)]) == []
    found = due_entries(known, TODAY, [Complaint(f"compare||{','.join(ids[:6])}", "outdated", 9, NOW)])
    assert [each.entry.id for each in found] == ids[:6]


# --- a confirmation


@pytest.mark.parametrize(
    ("reviewed", "review_by", "date", "after"),
    [
        ("2026-01-01", "2026-03-02", "2026-05-08", ("2026-05-08", "2026-07-07")),
        ("", "2026-03-02", "2026-05-08", ("2026-05-08", "2026-11-04")),
        ("", "2027-03-02", "2026-05-08", ("2026-05-08", "2027-03-02")),
        ("2026-03-02", "2026-03-02", "2026-05-08", ("2026-05-08", "2026-11-04")),
        ("2026-03-02", "2026-01-01", "2026-05-08", ("2026-05-08", "2026-11-04")),
        ("", "", "2026-05-08", ("2026-05-08", "")),
        ("2026-05-09", "2026-06-01", "2026-05-08", ("2026-05-09", "2026-06-01")),
        ("2026-05-08", "2026-06-01", "2026-05-08", ("2026-05-08", "2026-06-01")),
        ("2020-01-01", "9999-12-31", "2026-05-08", ("2026-05-08", "9999-12-31")),
    ],
)
def test_a_confirmation_moves_the_dates_on(reviewed: str, review_by: str, date: str, after: tuple[str, str]) -> None:
    confirmed = with_review(entry(reviewed=reviewed, review_by=review_by), date)
    assert (confirmed.reviewed, confirmed.review_by) == after


def test_confirmations_change_dates_alone() -> None:
    known = knowledge(entry("a", review_by="2026-03-02"), entry("b"))
    changes = [
        Change(id=day, workspace="T1", kind="review", text=day, entry=name)
        for name, day in (("a", "2026-05-01"), ("a", "2026-05-08"), ("gone", "2026-05-08"))
    ]
    edited = apply_changes(known, changes)
    dated = replace(known.by_id["a"], reviewed="2026-05-08", review_by="2026-11-04")
    assert edited == replace(known, entries=(dated, known.by_id["b"]), by_id={"a": dated, "b": known.by_id["b"]})


# --- answers

BENCH = pack().source


def past(asked: Finding, *ids: str, source: Source | None = BENCH, reviewed: str = "2026-03-03") -> str:
    """The last lines of the reply over the small pack, in which these entries are past their date."""
    known, entries = pack(), dict[str, Entry]()
    for each in known.entries:
        review_by = f"2026-05-0{7 - ids.index(each.id)}" if each.id in ids else ""
        entries[each.id] = replace(each, reviewed=reviewed, review_by=review_by)
    known = replace(known, entries=tuple(entries.values()), by_id=entries, source=source)
    reply = compose(asked, known, TODAY)
    assert plain_text(compose(asked, known)) == plain_text(compose(asked, pack() if source else known))
    return "\n".join(part.text for part in reply.parts if isinstance(part, Attribution))


CREDIT = "From “A bench of one's own” (J. Joiner, The Shed, 1 April 2020)"


@pytest.mark.parametrize(
    ("asked", "credit"),
    [
        (finding("topic", "which-wood"), CREDIT),
        (finding("step", "step-joint"), f"{CREDIT}, paragraph 5"),
        (finding("library", "handsaw"), f"{CREDIT}, paragraph 7"),
        (finding("library", "plane", beyond=True), CREDIT),
    ],
)
def test_an_answer_past_its_date_says_when_it_was_checked(asked: Finding, credit: str) -> None:
    (name,) = asked.ids
    assert past(asked, name) == f"{credit}, last checked 3 March 2026"
    assert past(asked, name, reviewed="") == f"{credit}, due for a check since 7 May 2026"
    assert past(asked, "jigsaw") == credit
    assert past(asked, name, source=None) == "Last checked 3 March 2026"
    assert past(asked, name, source=None, reviewed="") == "Due for a check since 7 May 2026"
    assert past(asked, source=None) == ""


def test_of_several_the_longest_past_are_named() -> None:
    several = finding("compare", "handsaw", "jigsaw", "plane")
    assert past(several, "plane", "jigsaw") == (
        f"{CREDIT}, paragraphs 7, 8, Jigsaw last checked 3 March 2026, Plane last checked 3 March 2026"
    )
    listed = finding("list", *(each.id for each in pack().entries if each.kind == "library"), group="cutting")
    assert past(listed, "handsaw").endswith(", Handsaw last checked 3 March 2026")
    assert past(listed, source=None) == ""
    cards = [
        Library(id=f"c{n}", title="C", name=f"Card{n}", answer="C.", asks=("c",), review_by=f"2026-01-0{n}")
        for n in (4, 2, 1, 3)
    ]
    reply = compose(finding("recommend", *(card.id for card in cards)), knowledge(*cards), TODAY)
    assert [part.text for part in reply.parts if isinstance(part, Attribution)] == [
        "Card1 due for a check since 1 January 2026, Card2 due for a check since 2 January 2026, "
        "Card3 due for a check since 3 January 2026"
    ]


def test_news_have_sources_of_their_own_and_the_date_in_a_line() -> None:
    news = finding("library", "handsaw", attribute=Attribute("news"))
    assert past(news, "handsaw") == "Last checked 3 March 2026"
    assert past(news) == ""


def test_what_curators_wrote_says_it_in_a_line() -> None:
    curated = entry(file="curated.yaml", reviewed="2026-03-03", review_by="2026-05-07")
    known = replace(knowledge(curated), source=pack().source)
    assert plain_text(compose(finding("topic", "e"), known, TODAY)).endswith("Last checked 3 March 2026.")
    assert "checked" not in plain_text(compose(finding("topic", "e"), known, dt.date(2026, 5, 7)))


def test_the_engine_asks_for_the_day_at_each_question(tmp_path: Path) -> None:
    days = [dt.date(2026, 3, 1), dt.date(2026, 3, 2), dt.date(2026, 3, 2)]
    at = folder(tmp_path, FIELDS, source=SOURCE)
    engine = Engine(Matcher.from_knowledge(load(at)), today=lambda: days.pop(0))
    credit = "From “The handbook”"
    for shown in (credit, f"{credit}, last checked 1 January 2026"):
        reply = engine.answer(Question("opening hours"))
        assert reply.parts[-1] == Attribution(shown, "https://example.org/handbook")
    assert rebuild(reply.reference, engine.knowledge, TODAY) == replace(
        engine.rebuild_reply(reply.reference) or reply, evidence=reply.evidence.__class__(understood="")
    )


def test_without_a_day_given_the_engine_takes_that_of_utc(tmp_path: Path) -> None:
    dated = "  review_by: 2020-03-01\n"
    engine = Engine(Matcher.from_knowledge(load(folder(tmp_path, dated))))
    assert "Due for a check since 1 March 2020" in plain_text(engine.answer(Question("opening hours")))


def test_slack_shows_it_in_the_source_line() -> None:
    known = pack()
    dated = replace(known.by_id["which-wood"], reviewed="2026-03-03", review_by="2026-05-07")
    for source, url in ((known.source, "<https://example.org/bench|"), (None, "")):
        edited = replace(known, by_id={**known.by_id, dated.id: dated}, source=source)
        blocks = render_blocks(compose(finding("topic", dated.id), edited, TODAY))
        (text,) = [e["text"] for b in blocks if b["type"] == "context" for e in b["elements"] if "hecked" in e["text"]]
        assert text == (f"{url}{CREDIT}, last checked 3 March 2026>" if url else "Last checked 3 March 2026")


def test_a_pack_has_its_own_words_for_it(tmp_path: Path) -> None:
    (tmp_path / "voice.yaml").write_text("last_checked: zuletzt geprüft am\n", "utf-8")
    known = load(folder(tmp_path, FIELDS))
    assert plain_text(compose(finding("topic", "hours"), known, TODAY)).endswith("Zuletzt geprüft am 1 January 2026.")
