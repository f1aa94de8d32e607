"""The curators' pages of the Home tab: an overview, and a page for each section that has more rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from bot.slack.blocks import limits
from bot.slack.blocks.curation.dashboard import (
    DAYS_PAGE,
    Dashboard,
    change_rows,
    complaint_rows,
    curator_menu_blocks,
    day_blocks,
    due_reviews,
    group_complaints,
    miss_rows,
    pilot_menu_blocks,
    pilot_rows,
    review_rows,
    week_blocks,
)
from bot.slack.blocks.curation.edit_text import fill, fill_plain
from bot.slack.blocks.curation.previews import line_list
from bot.slack.blocks.elements import actions_blocks, button, context_block, header_block
from bot.slack.blocks.limits import Block
from bot.slack.blocks.rich_text import line_block, quote_elements_block
from bot.slack.blocks.views import FIRST_PAGE, ROWS_PER_PAGE, View, fit_view, paginate
from bot.slack.strings import Strings

OVERVIEW_PAGE, MISSES_PAGE, COMPLAINTS_PAGE = "curate", "misses", "votes"
REVIEWS_PAGE, CHANGES_PAGE, PILOTS_PAGE = "reviews", "changes", "trials"
PAGES = (OVERVIEW_PAGE, DAYS_PAGE, MISSES_PAGE, COMPLAINTS_PAGE, REVIEWS_PAGE, CHANGES_PAGE, PILOTS_PAGE)
"""The pages' names. They are in the values of posted buttons and in keys of strings, so they can't change."""
MISS_GROUPS_PER_PAGE = 10
"""Each group of misses is as high as three rows."""


@dataclass(frozen=True, slots=True)
class ResultNote:
    """The result of an edit, shown at the top of a page.

    Attributes:
        message: rich_text elements.
        undo: the batch that a button undoes; empty for no button.
        pilot: the channel that a button makes a pilot channel again; empty for no button.
    """

    message: tuple[Block, ...]
    undo: str = ""
    pilot: str = ""


@dataclass(frozen=True, slots=True)
class _Section:
    """A section of the dashboard. `overview_rows` of its rows are on the overview, `per_page` on its own pages."""

    rows: Callable[[Dashboard, Strings], list[list[Block]]]
    overview_rows: int = 3
    per_page: int = ROWS_PER_PAGE


_SECTIONS = {
    MISSES_PAGE: _Section(miss_rows, overview_rows=5, per_page=MISS_GROUPS_PER_PAGE),
    COMPLAINTS_PAGE: _Section(complaint_rows),
    REVIEWS_PAGE: _Section(review_rows),
    CHANGES_PAGE: _Section(change_rows),
    PILOTS_PAGE: _Section(pilot_rows),
}


def home_page(
    view: View,
    dashboard: Dashboard,
    strings: Strings,
    note: ResultNote | None = None,
    *,
    viewer: str = "",
    has_chosen: bool = True,
) -> View:
    """The Home tab's first page `view`, with a summary and the button to the curators' pages below it.

    Args:
        viewer: who sees it; whoever installed the app can name curators there.
        has_chosen: whether the menu for that shows who is named already.
    """
    summary = fill(
        strings["curate_summary"],
        open=str(len(dashboard.miss_groups)),
        bad=str(len(group_complaints(dashboard.complaints))),
        due=str(len(due_reviews(dashboard))),
        trials=str(len(dashboard.pilots)),
    )
    blocks = [
        {"type": "divider"},
        header_block(strings["curate_front"]),
        *_note_blocks(note, strings),
        *_warning_blocks(dashboard, strings),
        line_block(summary),
        *actions_blocks([button(strings["curate_open"], "go:curate", {"value": OVERVIEW_PAGE})]),
        *curator_menu_blocks(dashboard, viewer, strings, has_chosen),
    ]
    blocks_above = view["blocks"][: limits.BLOCKS["home"] - len(blocks)]
    return view | {"blocks": [*blocks_above, *blocks], "private_metadata": FIRST_PAGE}


def page(
    dashboard: Dashboard, name: str, strings: Strings, note: ResultNote | None = None, native: bool = False
) -> View:
    """One of the curators' pages ("misses@1"); the overview if there is no page of that name.

    Args:
        native: whether figures are Slack's own chart, which not every workspace takes.
    """
    section_name, _, number = name.partition("@")
    if section_name == DAYS_PAGE:
        blocks = day_blocks(dashboard, strings, native)
        return _page_view(DAYS_PAGE, OVERVIEW_PAGE, strings["curate_week"], blocks, strings)
    if section_name not in _SECTIONS:
        blocks = [*_note_blocks(note, strings), *_overview_blocks(dashboard, strings)]
        return _page_view(OVERVIEW_PAGE, FIRST_PAGE, strings["curate_title"], blocks, strings)
    section = _SECTIONS[section_name]
    rows = section.rows(dashboard, strings)
    index, shown, page_buttons = paginate(rows, section_name, number, section.per_page, strings)
    blocks = [
        *_note_blocks(note, strings),
        *_warning_blocks(dashboard, strings),
        *_row_blocks(section_name, shown, strings),
        *actions_blocks(page_buttons),
    ]
    return _page_view(
        f"{section_name}@{index}", OVERVIEW_PAGE, _section_heading(section_name, rows, strings), blocks, strings
    )


def _page_view(name: str, back: str, heading: str, blocks: Sequence[Block], strings: Strings) -> View:
    """A page with a button to the page `back`. Its private_metadata is its name, so that it can be rendered again."""
    back_button = button(strings["back"], "go:back", {"value": back})
    blocks = [header_block(heading), *actions_blocks([back_button]), *_with_unique_action_ids(blocks)]
    return fit_view({"type": "home", "private_metadata": name}, blocks)


def _with_unique_action_ids(blocks: Iterable[Block]) -> list[Block]:
    """The blocks with a number after each action_id that has none."""
    counts: Counter[str] = Counter()

    def numbered_element(element: Block) -> Block:
        action_id = element.get("action_id", "")
        if not action_id or ":" in action_id:
            return element
        counts[action_id] += 1
        return element | {"action_id": f"{action_id}:{counts[action_id]}"}

    def numbered_block(block: Block) -> Block:
        if block["type"] == "actions":
            return block | {"elements": [numbered_element(element) for element in block["elements"]]}
        return block | {"accessory": numbered_element(block["accessory"])} if "accessory" in block else block

    return [numbered_block(block) for block in blocks]


def _overview_blocks(dashboard: Dashboard, strings: Strings) -> list[Block]:
    """The week and the first rows of each section, with a button to the section's page if it has more."""
    blocks = [
        *_warning_blocks(dashboard, strings),
        header_block(strings["curate_week"]),
        *week_blocks(dashboard, strings),
    ]
    for name, section in _SECTIONS.items():
        rows = section.rows(dashboard, strings)
        blocks.append(header_block(_section_heading(name, rows, strings)))
        blocks += _row_blocks(name, rows[: section.overview_rows], strings)
        if len(rows) > section.overview_rows:
            label = fill_plain(strings["curate_all"], count=str(len(rows)))
            blocks += actions_blocks([button(label, f"go:{name}", {"value": f"{name}@0"})])
    return blocks


def _section_heading(name: str, rows: Sequence[object], strings: Strings) -> str:
    return fill_plain(strings[f"curate_{name}"], count=str(len(rows)))


def _row_blocks(name: str, rows: Sequence[Sequence[Block]], strings: Strings) -> list[Block]:
    """The rows of a section, or a sentence if it has none; and the menu of the pilot channels."""
    blocks = [block for row in rows for block in row] or [context_block(strings[f"curate_no_{name}"])]
    return [*blocks, *(pilot_menu_blocks(strings) if name == PILOTS_PAGE else [])]


def _note_blocks(note: ResultNote | None, strings: Strings) -> list[Block]:
    if note is None:
        return []
    buttons = [button(strings["undo"], "undo:note", {"value": note.undo})] if note.undo else []
    buttons += [button(strings["trial_on"], "trial:note", {"value": note.pilot})] if note.pilot else []
    return [quote_elements_block(note.message), *actions_blocks(buttons)]


def _warning_blocks(dashboard: Dashboard, strings: Strings) -> list[Block]:
    """Warnings: the database can't be read, or the changed pack can't."""
    blocks = [line_block(fill(strings["curate_away"]))] if dashboard.is_incomplete else []
    if dashboard.faults:
        blocks.append(line_list(strings["curate_faults"], dashboard.faults, strings))
    return blocks
