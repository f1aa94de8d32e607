"""The curators' pages and forms: they equal the golden files, and each is within Slack's limits."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, get_args

import pytest

from bot.curation.preview import Moved
from bot.model import Entry
from bot.slack.blocks import curation
from bot.slack.blocks.curation import Dashboard, ResultNote, fill
from bot.slack.blocks.limits import TYPED, size
from bot.slack.blocks.views import FIRST_PAGE, home_view
from bot.slack.payloads import CuratorModalState, MessageWarning, SavedMessage
from bot.slack.permissions import WorkspaceCurators
from bot.slack.strings import default_strings
from support.block_lint import faults, view_faults
from support.curation_samples import CHANGES, MISSES, edit, miss, sample_dashboard
from support.golden import golden
from support.slack_samples import HOSTILE, LONG, knowledge

Json = dict[str, Any]
STRINGS = default_strings()
STATE = CuratorModalState("curate", ("k1", "k2"))
MOVED = (Moved("what about servers", "Card1", ""),)
CURATORS = WorkspaceCurators(installer="U1", by_installer=("U2", "W3"), by_operator=("U1", "U4"))
VIEWS = {
    "curate-means": lambda dashboard: curation.meaning_form(
        STATE, dashboard.miss_groups[0], STATE.keys, "card1", dashboard.knowledge, STRINGS
    ),
    "curate-write": lambda _: curation.answer_form(
        CuratorModalState("curate", (), "x"),
        "T",
        "A",
        "B",
        STRINGS,
        curation.draft_review(("a: fault",), MOVED, STRINGS),
    ),
    "curate-taken": lambda dashboard: curation.result_view(
        STATE, curation.conflict_message(dashboard.history[0], dashboard.knowledge, STRINGS), STRINGS, "b1"
    ),
    "curate-front": lambda dashboard: curation.home_page(
        home_view(dashboard.knowledge, FIRST_PAGE, STRINGS), dashboard, STRINGS
    ),
    "curate-installer": lambda dashboard: curation.home_page(
        home_view(dashboard.knowledge, FIRST_PAGE, STRINGS),
        replace(dashboard, curators=CURATORS),
        STRINGS,
        ResultNote(fill(STRINGS["curators_saved"], names=curation.user_elements(("U2", "W3"), STRINGS))),
        viewer="U1",
    ),
    "curate-note": lambda dashboard: curation.page(dashboard, "misses", STRINGS, ResultNote(fill("Saved."), undo="b1")),
    **{
        f"curate-{page}": lambda dashboard, page=page: curation.page(dashboard, page, STRINGS)
        for page in curation.PAGES[:2]
    },
    "curate-chart": lambda dashboard: curation.page(dashboard, "days", STRINGS, native=True),
}


@pytest.mark.parametrize("name", VIEWS)
def test_golden_curation_view(name: str) -> None:
    view = VIEWS[name](sample_dashboard())
    assert view_faults(view) == []
    golden(f"view-{name}", view)


@pytest.mark.parametrize("page", curation.PAGES)
def test_an_empty_page_says_so(page: str) -> None:
    view = curation.page(Dashboard(knowledge=knowledge(), now=0.0), page, STRINGS)
    assert view_faults(view) == []
    assert len(view["blocks"]) > 2


@pytest.mark.parametrize("page", [*curation.PAGES, "misses@9999", "votes@x", "reviews@2", "changes@1"])
@pytest.mark.parametrize("native", [False, True])
def test_pages_of_many_long_rows_are_within_the_limits(page: str, native: bool) -> None:
    groups = tuple(tuple(miss(f"{n}-{m:060}", LONG, 2) for m in range(40)) for n in range(45))
    history = tuple(edit(f"b{n}", "ask", LONG, LONG) for n in range(65))
    past = {
        f"{n:0150}": Entry(
            id=f"{n:0150}", title=LONG[:150], answer="A.", asks=("a",), owner=LONG[:500], review_by="2025-01-01"
        )
        for n in range(65)
    }
    pack = replace(knowledge(), entries=tuple(past.values()), by_id=past)
    dashboard = replace(sample_dashboard(), knowledge=pack, miss_groups=groups, history=history, faults=(LONG,) * 20)
    assert view_faults(curation.page(dashboard, page, STRINGS, ResultNote(fill("Done."), "b1", "C1"), native)) == []


def curators(count: int) -> WorkspaceCurators:
    people = tuple(f"U{number:010}" for number in range(count))
    return WorkspaceCurators(installer="U1", by_installer=people, by_operator=people)


@pytest.mark.parametrize("has_chosen", [True, False])
@pytest.mark.parametrize("count", [0, 1, 20, 21, 300])
def test_the_menu_of_curators_is_within_the_limits(count: int, has_chosen: bool) -> None:
    dashboard, front = replace(sample_dashboard(), curators=curators(count)), home_view(knowledge(), "", STRINGS)
    view = curation.home_page(front, dashboard, STRINGS, viewer="U1", has_chosen=has_chosen)
    assert view_faults(view) == []
    menu = next(block["accessory"] for block in view["blocks"] if block.get("accessory"))
    assert len(menu.get("initial_users", ())) == (min(count, curation.MAX_CURATORS) if has_chosen else 0)


@pytest.mark.parametrize("viewer", ["", "U2", "U0000000000"])
def test_nobody_else_sees_the_menu_of_curators(viewer: str) -> None:
    dashboard, front = sample_dashboard(), home_view(knowledge(), "", STRINGS)
    for who in (curators(3), replace(curators(3), installer="")):
        shown = curation.home_page(front, replace(dashboard, curators=who), STRINGS, viewer=viewer)
        assert shown == curation.home_page(front, dashboard, STRINGS)


def test_a_page_number_that_is_none_shows_the_first_or_the_last_page() -> None:
    groups = tuple((miss(f"k{n}", f"question {n}"),) for n in range(45))
    dashboard = replace(sample_dashboard(), miss_groups=groups)
    pages = [curation.page(dashboard, f"misses@{number}", STRINGS) for number in ("4", "9999", "0", "x", "", "99999")]
    assert pages[0] == pages[1]
    assert all(page == pages[2] for page in pages[3:])


def test_a_groups_keys_fit_into_its_buttons() -> None:
    group = tuple(miss(f"{n:064}", "how to deploy", 50 - n) for n in range(45))
    view = curation.page(replace(sample_dashboard(), miss_groups=(group,)), "misses", STRINGS)
    values = [element["value"] for element in view["blocks"][-1]["elements"]]
    assert {value.count("\n") for value in values} == {curation.MAX_KEYS - 1}
    assert max(size(value) for value in values) <= 2_000


def test_what_people_wrote_is_never_parsed() -> None:
    entry = edit("b1", "entry", "", "x", title=HOSTILE, answer=HOSTILE, asks=(HOSTILE + " 2",))
    due = Entry(id="due", title=HOSTILE, answer=HOSTILE, asks=("due",), owner=HOSTILE, review_by="2025-01-01")
    pack = replace(knowledge(), entries=(due,), by_id={"due": due})
    dashboard = replace(sample_dashboard(), knowledge=pack, history=(entry, edit("b2", "ask", HOSTILE, HOSTILE)))
    views = [curation.page(dashboard, page, STRINGS) for page in curation.PAGES]
    hostile_blocks = [json.dumps(block) for view in views for block in view["blocks"] if "evil" in json.dumps(block)]
    assert hostile_blocks
    assert not any("mrkdwn" in block for block in hostile_blocks)
    assert f"Owner: {HOSTILE}." in json.dumps(curation.page(dashboard, "reviews", STRINGS))


def test_forms_of_long_texts_are_within_the_limits() -> None:
    state = CuratorModalState("misses@0", tuple(f"{n:064}" for n in range(60)))
    misses = tuple(miss(f"{n:064}", LONG) for n in range(curation.MAX_KEYS))
    status = curation.draft_review((LONG,) * 20, (Moved(LONG, LONG, ""),) * 20, STRINGS)
    write = curation.answer_form(state, LONG * 2, LONG * 2, LONG * 2, STRINGS, status)
    assert write["blocks"][-1]["element"]["max_length"] == TYPED
    for view in (
        write,
        curation.checking_view(write, STRINGS),
        curation.meaning_form(state, misses, state.keys, "gone", knowledge(), STRINGS, status),
        curation.result_view(state, fill("Done."), STRINGS, "b1", curation.changes_since((LONG,), (), STRINGS)),
    ):
        assert view_faults(view) == []


@pytest.mark.parametrize("author", ["", "U1", "U" * 200])
def test_the_notice_about_a_messages_author_is_within_the_limits(author: str) -> None:
    warnings = get_args(MessageWarning)
    message = SavedMessage(author, "2025-11-13", f"https://acme.slack.com/{'a' * 900}", warnings)
    state = CuratorModalState("misses@0", help_request="r" * 64, message=message)
    assert CuratorModalState.from_metadata(state.to_metadata()) == state
    for answer in (HOSTILE, LONG, ""):
        status = curation.draft_review((LONG,) * 20, (Moved(LONG, LONG, ""),) * 20, STRINGS)
        view = curation.answer_form(state, LONG, answer, LONG, STRINGS, status)
        assert view_faults(view) == []
        assert view_faults(curation.checking_view(view, STRINGS)) == []
        assert all(STRINGS[f"save_{name}"] in json.dumps(view) for name in warnings)


def test_a_menu_of_too_many_entries_is_filled_while_somebody_types() -> None:
    menu = curation.meaning_form(STATE, MISSES[:1], (), "card1", knowledge(300), STRINGS)["blocks"][-1]["element"]
    assert (menu["type"], menu["initial_option"]["value"]) == ("external_select", "card1")
    assert len(curation.matching_options("", knowledge(300))) == 100
    assert [option["value"] for option in curation.matching_options("CARD299 card2", knowledge(300))] == ["card299"]
    assert curation.matching_options("card29 zebra", knowledge(300)) == []


def test_edits_of_one_kind_are_described_in_one_line() -> None:
    assert curation.describe_edits(CHANGES[1:5], knowledge(), STRINGS).split("\n") == [
        "“server side stuff” and 1 more: means Card1",
        "“do you sell cards”: not Card1",
        "“where is the canteen”: out of scope",
    ]


# --- the lint

OPTION = {"text": {"type": "plain_text", "text": "x"}, "value": "x"}
LABEL = {"type": "plain_text", "text": "x"}
BROKEN: dict[str, Json] = {
    "too many boxes": {"type": "checkboxes", "action_id": "a", "options": [OPTION] * 11},
    "a menu of people": {"type": "multi_users_select", "action_id": "a", "placeholder": LABEL},
    "a box that is none": {"type": "checkboxes", "action_id": "a", "options": [OPTION], "initial_options": [{}]},
    "nothing to tick": {"type": "checkboxes", "action_id": "a", "options": [OPTION], "initial_options": []},
    "too many options": {"type": "static_select", "action_id": "a", "options": [OPTION] * 101},
    "an empty group": {"type": "static_select", "action_id": "a", "option_groups": [{"label": LABEL, "options": []}]},
    "an option that is none": {"type": "static_select", "action_id": "a", "options": [OPTION], "initial_option": {}},
    "a long value": {"type": "external_select", "action_id": "a", "initial_option": OPTION | {"value": "x" * 151}},
    "a long text": {"type": "plain_text_input", "action_id": "a", "max_length": 3001},
    "no name": {"type": "plain_text_input"},
    "no input": {"type": "button", "action_id": "a"},
}


@pytest.mark.parametrize(
    "wrong",
    [
        {"initial_users": []}, {"initial_users": ["U1"] * 2}, {"initial_users": ["U1", "U2", "U3"]},
        {"initial_users": ["C1"]}, {"placeholder": {}}, {"action_id": ""},
    ],
)  # fmt: skip
def test_the_lint_finds_menus_of_people_that_slack_would_refuse(wrong: Json) -> None:
    menu = {"type": "multi_users_select", "action_id": "a", "placeholder": LABEL, "max_selected_items": 2}
    section = {"type": "section", "text": LABEL, "accessory": menu | {"initial_users": ["U1", "W2"]}}
    assert faults([section], "home") == []
    assert faults([section | {"accessory": menu | wrong}], "home") != []


@pytest.mark.parametrize("name", BROKEN)
def test_the_lint_finds_inputs_that_slack_would_refuse(name: str) -> None:
    assert faults([{"type": "input", "label": LABEL, "element": BROKEN[name]}], "modal") != []


def test_the_lint_finds_charts_that_slack_would_refuse() -> None:
    series = [{"name": "n", "data": [{"label": "x", "value": 1}]}]
    good: Json = {"type": "bar", "series": series, "axis_config": {"categories": ["x"]}}
    block: Json = {"type": "data_visualization", "title": "t", "chart": good}
    assert faults([block], "home") == []
    for wrong in (
        {"series": []}, {"series": series * 2}, {"series": series * 7}, {"type": "radar"}, {"axis_config": {}},
        {"axis_config": {"categories": ["x" * 21]}}, {"axis_config": {"categories": ["y"]}},
        {"axis_config": {"categories": ["x"], "y_label": "x" * 51}},
    ):  # fmt: skip
        assert faults([block | {"chart": good | wrong}], "home") != []
    assert faults([block | {"title": "x" * 51}], "home") != []
    assert faults([block], "modal") != []
    assert faults([block] * 3, "home") != []
