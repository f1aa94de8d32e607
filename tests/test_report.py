"""The report: the figures of a period, printed and as a page that needs nothing else."""

from __future__ import annotations

import datetime as dt
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy.exc import OperationalError

from bot.cli import _pack_names, main
from bot.knowledge import load
from bot.model import Change, Complaint, Miss, Outcome, PilotChannel, Tally
from bot.report import svg_charts
from bot.report.figures import Figures, HelpSummary, OutcomeCounts, Period, ReportData, compute_figures
from bot.report.formatting import compare_shares, format_dates, format_duration, format_help, per_cent
from bot.report.page import render_page
from bot.report.printed import print_report
from bot.store import Database, Store
from bot.understanding.targets import targets_of

NOW = dt.datetime(2026, 5, 8, 12, tzinfo=dt.UTC).timestamp()
DAY = 24 * 3600
PACK = {
    "pack.yaml": "name: Demo\n",
    "answers.yaml": "- {id: hours, title: When are you open?, asks: [opening hours], answer: From nine to five.}\n",
}


def miss(text: str, count: int = 1, ago: float = 1, best: str = "") -> Miss:
    last = NOW - ago * DAY
    return Miss(workspace="T1", key=text, text=text, count=count, best=best, score=0.3, first=last - DAY, last=last)


def tally(day: str, **counts: int) -> tuple[Tally, ...]:
    outcomes: dict[str, Outcome] = {
        "answered": "answered",
        "offered": "offered",
        "missed": "missed",
        "talk": "smalltalk",
    }
    return tuple(Tally(day, outcomes[name], "", count) for name, count in counts.items())


FULL = ReportData(
    tallies=(
        *tally("2026-04-30", answered=1, missed=1),
        *tally("2026-05-02", answered=3, offered=1, missed=1, talk=2),
        *tally("2026-05-08", answered=5),
        Tally("2026-05-08", "missed", "C1", 1),
    ),
    misses=(
        miss("where is the gym", 4, best="hours"),
        miss("where is the gym room", 2),
        miss("<script>alert('x')</script> \x1b[31m & \u202emore"),
        miss("too long ago", 9, ago=8),
        miss("where do i park"),
    ),
    complaints=(
        Complaint("topic||hours", "wrong", 2, NOW),
        Complaint("topic||hours", "", 1, NOW - DAY),
        Complaint("unknown||", "", 1, NOW),
    ),
    pilots=(
        PilotChannel(channel="C1", since=NOW - 3 * DAY, answered=7, offered=2, missed=1, good=2, bad=1),
        PilotChannel(channel="C2", since=NOW),
    ),
    help_requests=(
        (NOW - DAY, "entry", NOW - DAY + 600),
        (NOW - DAY, "thread", NOW - DAY + 3 * 3600 - 1),
        (NOW - 2 * DAY, "thread", NOW),
        (NOW - DAY, "not_ours", NOW),
        (NOW - 60, "", 0.0),
    ),
    changes=(
        Change(id="1", workspace="T1", kind="ask", text="where do i park", entry="hours", at=NOW - DAY),
        Change(id="2", workspace="T1", kind="ask", text="old one", entry="hours", at=NOW - 9 * DAY),
    ),
)


def full(days: int = 7) -> Figures:
    return compute_figures(FULL, ["T1"], "Demo", {"hours": "When are you open?"}, NOW, days)


# --- figures


def test_questions_are_counted_by_day_and_small_talk_apart() -> None:
    found = full()
    assert [(one.first.day, one.counts) for one in found.periods if one.counts.asked] == [
        (2, OutcomeCounts(3, 1, 1)),
        (8, OutcomeCounts(5, 0, 1)),
    ]
    assert (len(found.periods), found.total, found.before, found.smalltalk) == (
        7,
        OutcomeCounts(8, 1, 2),
        OutcomeCounts(1, 0, 1),
        2,
    )


def test_misses_are_grouped_and_those_that_are_old_or_settled_are_left_out() -> None:
    assert [(one.text, one.similar, one.count, one.nearest) for one in full().misses] == [
        ("where is the gym", ("where is the gym room",), 6, "When are you open?"),
        ("<script>alert('x')</script> [31m & more", (), 1, ""),
    ]


def test_votes_trials_and_changes_are_summed() -> None:
    found = full()
    assert [(one.answer, one.count, one.reasons) for one in found.complaints] == [
        ("When are you open?", 3, (("wrong", 2), ("no reason given", 1))),
        ("no answer", 1, (("no reason given", 1),)),
    ]
    assert [(one.channel, one.counts.asked, per_cent(one.precision)) for one in found.pilots] == [
        ("C1", 10, "67 %"),
        ("C2", 0, "–"),
    ]
    assert found.changes == {"ask": 1}


def test_questions_put_to_people_are_counted_with_the_time_that_half_of_the_answers_took() -> None:
    found = full().help_summary
    assert found is not None
    assert format_help(found) == "5 asked, 3 answered, half of them within 3 hours, 1 not ours, 1 open"
    assert "5 asked, 3 answered" in render_page(full(), "")
    assert format_help(HelpSummary(1, 0, 0, 0.0)) == "1 asked, 0 answered, 1 open"
    durations = [format_duration(seconds) for seconds in (0.0, 61, 7199, 7200, 2 * DAY - 1, 2 * DAY + 1)]
    assert durations == ["1 minute", "2 minutes", "120 minutes", "2 hours", "48 hours", "3 days"]


def test_more_than_a_month_is_told_by_weeks() -> None:
    found = full(40)
    last = found.periods[-1]
    assert (found.by_week, len(found.periods), last.first.weekday(), last.counts) == (
        True,
        6,
        0,
        OutcomeCounts(5, 0, 1),
    )


def test_of_several_workspaces_only_the_sums_are_told() -> None:
    found = compute_figures(FULL, ["T1", "T2"], "Demo", {}, NOW)
    assert (found.total.asked, found.misses, found.complaints, found.changes, found.summed_workspaces) == (
        11,
        (),
        (),
        {},
        ("T1", "T2"),
    )


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [
        ("2026-05-08", "2026-05-08", "8 May 2026"),
        ("2026-05-02", "2026-05-08", "2 to 8 May 2026"),
        ("2026-04-28", "2026-05-04", "28 April to 4 May 2026"),
        ("2025-12-29", "2026-01-04", "29 December 2025 to 4 January 2026"),
    ],
)
def test_a_period_is_said_as_people_say_it(first: str, last: str, said: str) -> None:
    assert format_dates(dt.date.fromisoformat(first), dt.date.fromisoformat(last)) == said


def test_shares_are_never_rounded_to_all_or_nothing() -> None:
    assert [per_cent(share) for share in (None, 0, 0.2, 49.6, 99.7, 100)] == [
        "–",
        "0 %",
        "1 %",
        "50 %",
        "99 %",
        "100 %",
    ]
    assert (
        compare_shares(OutcomeCounts(3, 0, 1), OutcomeCounts(1, 0, 1), 7)
        == "25 points more than in the 7 days before (50 % of 2)"
    )
    assert compare_shares(OutcomeCounts(1), OutcomeCounts(), 7) == ""


# --- the page


class Tags(HTMLParser):
    """The tags of a page, and whether each that opens is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in ("meta", "path", "rect", "circle", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize(
    "found",
    [
        full(),
        full(40),
        compute_figures(ReportData(), [], "Demo", {}, NOW),
        compute_figures(FULL, ["T1", "T2"], "D", {}, NOW),
    ],
)
def test_a_page_is_whole_and_needs_nothing_else(found: Figures) -> None:
    text = render_page(found, "Made now.")
    tags = Tags(text)
    assert tags.open == []
    assert {name for name, _ in tags.seen} & {"script", "link", "img", "iframe", "object", "form", "a"} == set()
    assert not re.search(r"url\(|@import|https?://|\bon\w+=|javascript:", text)
    assert "default-src 'none'" in text


def test_what_people_typed_is_text() -> None:
    text = render_page(full(), "Made now.")
    assert "&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt; [31m &amp; more" in text
    assert not {"\x1b", "\u202e"} & set(text)


def test_every_chart_is_told_in_words_and_has_a_table_beside_it() -> None:
    text = render_page(full(), "Made now.")
    tags = Tags(text).seen
    ids = [given["id"] for name, given in tags if "id" in given]
    labels = [given["aria-labelledby"] or "" for name, given in tags if name == "svg"]
    assert (len(labels), len(ids), len(set(ids))) == (4, 8, 8)
    assert [each for label in labels for each in label.split()] == ids
    assert text.count("<caption>") == len(labels) + 1
    assert "Sat 2 May: 5 asked, 3 answered, 1 offered a choice, 1 missed; Fri 8 May:" in text


# --- the command


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    for name, content in PACK.items():
        (tmp_path / "pack").mkdir(exist_ok=True)
        (tmp_path / "pack" / name).write_text(content, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ASKPY_KNOWLEDGE", "pack")
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/own.db")

    def ran(*arguments: str) -> tuple[int, str, str]:
        result = CliRunner().invoke(main, ["report", *arguments])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, result.stdout, result.stderr

    return ran


def asked(tmp_path: Path, workspace: str = "T1") -> None:
    store = Store(f"sqlite:///{tmp_path}/own.db")
    for outcome in ("answered", "answered", "offered", "missed", "smalltalk"):
        store.tallies.add(workspace, outcome)  # type: ignore[arg-type]
    store.misses.add(workspace, "where is the [bold]gym[/bold]", "hours", 0.3)
    store.votes.add("a", "v", "topic||hours", "bad", "wrong", workspace)
    store.pilots.set(workspace, "C1", True, "T1:U1")
    store.changes.save(
        [Change(id=f"{workspace}-1", workspace=workspace, kind="ask", text="when do you open", entry="hours", at=9e9)]
    )
    store.close()


def test_the_week_is_printed_and_a_page_written(run: Any, tmp_path: Path) -> None:
    asked(tmp_path)
    code, out, err = run()
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert (code, "\x1b" in out) == (0, False)
    assert err.splitlines() == [f"Reading sqlite:///{tmp_path}/own.db.", "The page is askpy-report.html."]
    assert lines[0].startswith("Demo, ") and lines[0].endswith(", workspace T1")
    today = f"{dt.datetime.now(dt.UTC):%d %b}".lstrip("0")
    for line in (
        "all 4 2 1 1 50 %",
        "Beside them, greetings, thanks and calls for help: 1.",
        f"1 where is the [bold]gym[/bold] When are you open? {today}",
        f"1 When are you open? wrong 1 {today}",
        f"C1 {today} 0 0 0 no votes",
        "1 new phrasing",
    ):
        assert line in lines
    text = Path("askpy-report.html").read_text(encoding="utf-8")
    assert ("<h1>Demo, " in text, " from SQLite, own.db, " in text, str(tmp_path) in text) == (True, True, False)


def test_a_page_is_written_where_it_is_wanted_or_not_at_all(run: Any, tmp_path: Path) -> None:
    asked(tmp_path)
    assert run("--html", "week.html", "--days", "30")[2].splitlines()[1:] == ["The page is week.html."]
    assert len(run("--no-html")[2].splitlines()) == 1
    assert sorted(path.name for path in tmp_path.glob("*.html")) == ["week.html"]


def due_pack(tmp_path: Path) -> Path:
    """A pack with twelve entries past their date, one of them without an owner, and one that isn't."""
    text = "".join(
        f"- {{id: e{n}, title: 'Thing {n}?', asks: [thing {n}], answer: A., review_by: 2026-04-{n:02}, reviewed: 2026-01-02,"
        f" owner: 'Team <{n}>'}}\n"
        for n in range(2, 13)
    )
    text += "- {id: first, title: First?, asks: [first], answer: A., review_by: 2026-03-01}\n"
    text += "- {id: later, title: Later?, asks: [later], answer: A., review_by: 2026-09-01, reviewed: 2026-04-01}\n"
    for name, content in {**PACK, "dated.yaml": text}.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    return tmp_path


def test_what_is_to_be_checked_is_told_with_its_owner(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = compute_figures(ReportData(), ["T1"], "Demo", {}, NOW, knowledge=load(due_pack(tmp_path)))
    assert (len(found.due), found.hidden_due) == (10, 2)
    print_report(found)
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    begin = lines.index("To be checked")
    assert lines[begin + 1 : begin + 4] == [
        "by answer owner checked",
        "1 Mar 2026 First? – –",
        "2 Apr 2026 Thing 2? Team <2> 2 Jan 2026",
    ]
    assert lines[-1] == "and 2 more."
    page = render_page(found, "Made now.")
    assert "<h2>To be checked</h2>" in page
    assert "Team &lt;2&gt;" in page and "<p>And 2 more.</p>" in page
    assert "Later?" not in page + "".join(lines)


def test_nothing_asked_is_said(run: Any) -> None:
    code, out, _ = run("--no-html")
    assert (code, out.splitlines()[-1]) == (0, "Nothing was asked.")


def test_of_several_workspaces_one_can_be_named(run: Any, tmp_path: Path) -> None:
    asked(tmp_path)
    asked(tmp_path, "T2")
    code, out, _ = run("--no-html")
    assert (code, "gym" in out, "These are the sums of T1, T2." in out) == (0, False, True)
    assert "gym" in run("--no-html", "--workspace", "T2")[1]
    code, out, err = run("--workspace", "T3")
    assert (code, out, err.splitlines()[1:]) == (2, "", ["Nothing is known of the workspace T3; there are: T1, T2."])


def test_a_pack_that_cannot_be_loaded_keeps_no_report_back(run: Any, tmp_path: Path) -> None:
    asked(tmp_path)
    (tmp_path / "pack" / "answers.yaml").write_text("- nothing\n", encoding="utf-8")
    code, out, _ = run("--no-html")
    assert (code, out.startswith("AskPy, ")) == (0, True)


SLIPS = {
    "no days": (("--days", "0"), "--days"),
    "no place for the page": (("--html", "no/such/page.html"), "no/such/page.html can't be written: No such file or directory."),
}  # fmt: skip


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_is_a_sentence(slip: str, run: Any) -> None:
    arguments, sentence = SLIPS[slip]
    code, _, err = run(*arguments)
    assert (code, sentence in err) == (2, True)


def test_a_database_that_is_away_is_no_empty_week(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken.db").write_bytes(b"this is no database" * 100)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/broken.db")
    code, out, err = run()
    assert (code, out, err.startswith("The database can't be read: ")) == (2, "", True)


def test_a_database_that_can_only_be_read_is_enough(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked(tmp_path)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///file:{tmp_path}/own.db?mode=ro&uri=true")
    code, out, err = run("--no-html")
    assert (code, err.startswith("Reading sqlite:///file"), "gym" in out) == (0, True, True)
    assert list(tmp_path.glob("file:*")) == []


def test_without_a_database_of_its_own_that_is_said(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL")
    assert run("--no-html")[2].endswith("askpy.db; DATABASE_URL isn't set.\n")


def test_half_a_week_is_not_taken_for_the_whole(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked(tmp_path)

    def gone(*_: Any, **__: Any) -> None:
        raise OperationalError("select", {}, Exception("the server has gone"))

    monkeypatch.setattr(Database, "read_all", gone)
    code, out, err = run()
    assert (code, out, list(tmp_path.glob("*.html"))) == (2, "", [])
    assert "\nThe database went away meanwhile (the server has gone)" in err


@pytest.mark.parametrize("shares", [(90, 64), (64, 66, 60, 64), (10, 90, 10, 64), (0, 0, 0), (100, 100), ()])
@pytest.mark.parametrize("level", [0, 3, 64, 97, 100])
def test_the_level_before_is_named_where_no_point_covers_it(shares: tuple[int, ...], level: int) -> None:
    spans = [
        Period(dt.date(2026, 5, n + 1), dt.date(2026, 5, n + 1), OutcomeCounts(of, 0, 100 - of))
        for n, of in enumerate(shares)
    ]
    drawn = svg_charts.share_chart(spans, OutcomeCounts(level, 0, 100 - level))
    found = re.search(r'x="([0-9.]+)" y="([0-9.]+)" text-anchor="end">before: ([^<]+)<', drawn)
    assert found is not None
    end, base, words = float(found[1]), float(found[2]), f"before: {found[3]}"
    dots = [(float(x), float(y)) for x, y in re.findall(r'class="dot" cx="([0-9.]+)" cy="([0-9.]+)"', drawn)]
    covered = [(x, y) for x, y in dots if end - len(words) * 6.6 <= x <= end and base - 12 <= y <= base + 4]
    assert (len(dots), covered) == (len(shares), [])


def test_whatever_a_miss_can_come_nearest_to_has_a_name() -> None:
    knowledge = load(Path(__file__).parents[1] / "knowledge")
    _, titles = _pack_names(knowledge)
    assert [str(each) for each in targets_of(knowledge) if str(each) not in titles] == []
