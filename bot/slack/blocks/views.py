"""Modals and the Home tab as Slack's views, within its limits. Their state is in private_metadata and button values."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from bot.model import Choice, Entry, Group, Knowledge, Library, Step
from bot.reply.wording import choice_of, example_choices, introduction
from bot.slack.blocks import limits
from bot.slack.blocks.elements import (
    actions_blocks,
    button,
    context_block,
    header_block,
    plain_text_object,
    section_with_button,
)
from bot.slack.blocks.limits import Block, cut
from bot.slack.blocks.rich_text import paragraph_blocks
from bot.slack.payloads import ModalState, short_hash
from bot.slack.strings import Strings

View = dict[str, Any]

FIRST_PAGE = "front"
GROUPS_PAGE = "kinds"
TOPICS_PAGE = "topics"
"""Pages of the Home tab by their names in button values; a group's page is "group:" and its id."""
ROWS_PER_PAGE = 30
"""Rows on a page of the Home tab: a phone can still be scrolled through them, and Slack's limits are far away."""
MAX_SEARCH = 500
"""UTF-16 units that may be typed into the search."""
MAX_EXAMPLES = 5
VIEW_ROOM = 240_000
"""Bytes of a view's blocks as JSON; Slack refuses views over 250 kB."""
SEARCH_INPUT = "words"
"""The action_id of the search's input."""

# --- modals


def modal_view(state: ModalState, blocks: Sequence[Block], strings: Strings, back: int | None = None) -> View:
    """A modal with `blocks`, below the search's input if `state` has a search.

    Args:
        back: how many pages the button "Back" goes back; None for no button.
    """
    view = {
        "type": "modal",
        "callback_id": "search" if state.search else "answer",
        "title": plain_text_object(strings["modal_title"], limits.MODAL_TITLE),
        "close": plain_text_object(strings["close"], limits.MODAL_TITLE),
        "private_metadata": state.to_metadata(),
    }
    if state.search:
        view["submit"] = plain_text_object(strings["search"], limits.MODAL_TITLE)
        blocks = [_search_input(state, strings), *blocks]
    if back is not None:
        back_button = button(strings["back"], "back", {"value": str(back)})
        blocks = [*blocks[: limits.BLOCKS["modal"] - 1], *actions_blocks([back_button])]
    return fit_view(view, blocks)


def search_blocks(knowledge: Knowledge, strings: Strings) -> list[Block]:
    """What the search shows before it is used: examples."""
    choices = example_choices(knowledge, MAX_EXAMPLES)
    return [context_block(strings["home_try"]), *actions_blocks(_example_buttons(choices))] if choices else []


def _search_input(state: ModalState, strings: Strings) -> Block:
    """The input; its block_id is different on each page, because otherwise Slack would keep the text of the page before."""
    element = {
        "type": "plain_text_input",
        "action_id": SEARCH_INPUT,
        "max_length": MAX_SEARCH,
        "placeholder": plain_text_object(strings["search_hint"], limits.PLACEHOLDER),
    }
    if state.question.strip():
        element["initial_value"] = cut(state.question, MAX_SEARCH)
    label = plain_text_object(strings["search_label"], limits.INPUT_LABEL)
    return {"type": "input", "block_id": f"search:{short_hash(*state.trail)}", "label": label, "element": element}


# --- the Home tab


def home_view(knowledge: Knowledge, page: str, strings: Strings) -> View:
    """The Home tab at `page` ("group:backend", "group:all@2"); its first page if there is no page of that name."""
    name, _, number = page.partition("@")
    heading, back, rows = _home_rows(knowledge, name, strings)
    if not rows:
        return fit_view({"type": "home"}, _first_page_blocks(knowledge, strings))
    _, shown, page_buttons = paginate(rows, name, number, ROWS_PER_PAGE, strings)
    for row_number, row in enumerate(shown, 1):
        row["accessory"]["action_id"] += f":{row_number}"
    back_button = button(strings["back"], "go:back", {"value": back})
    blocks = [header_block(heading), *actions_blocks([back_button]), *shown, *actions_blocks(page_buttons)]
    return fit_view({"type": "home"}, blocks)


def _home_rows(knowledge: Knowledge, name: str, strings: Strings) -> tuple[str, str, list[Block]]:
    """A page's heading, the page to go back to, and its rows; no rows if there is no page of that name."""
    kind, _, wanted_id = name.partition(":")
    match kind:
        case "group":
            group = next((group for group in knowledge.groups if group.id == wanted_id), None)
            if group is not None:
                back = FIRST_PAGE if group in _side_groups(knowledge) else GROUPS_PAGE
                return group.title, back, [_entry_row(card, strings) for card in knowledge.members(group)]
        case "steps" if wanted_id in knowledge.by_id:
            topic = knowledge.by_id[wanted_id]
            rows = [_entry_row(entry, strings) for entry in (topic, *knowledge.steps(wanted_id))]
            return topic.title, FIRST_PAGE, rows
        case "kinds":
            rows = [_group_row(group, knowledge, strings) for group in _other_groups(knowledge)]
            return strings["home_kinds"], FIRST_PAGE, rows
        case "topics":
            return strings["home_topics"], FIRST_PAGE, [_entry_row(topic, strings) for topic in _topics(knowledge)]
    return "", FIRST_PAGE, []


Row = TypeVar("Row")


def paginate(
    rows: Sequence[Row], name: str, number: str, per_page: int, strings: Strings
) -> tuple[int, Sequence[Row], list[Block]]:
    """The rows of one page of the page `name`, the first page if `number` can't be read and the last if it is too high.

    Returns:
        The page's index from 0, its rows, and the buttons to the pages before and after it.
    """
    last = max(0, len(rows) - 1) // per_page
    index = min(int(number) if number.isdecimal() and len(number) < 5 else 0, last)
    neighbours = [("earlier", index - 1)] if index > 0 else []
    neighbours += [("more", index + 1)] if index < last else []
    buttons = [button(strings[key], f"go:{key}", {"value": f"{name}@{target}"}) for key, target in neighbours]
    return index, rows[index * per_page : (index + 1) * per_page], buttons


def _first_page_blocks(knowledge: Knowledge, strings: Strings) -> list[Block]:
    """Examples to ask, and buttons to the pages."""
    pages = [(group.label, f"group:{group.id}") for group in _side_groups(knowledge)]
    pages += [(strings["home_kinds"], GROUPS_PAGE)] if _other_groups(knowledge) else []
    topics, with_steps = _topics(knowledge), {entry.of for entry in knowledge.entries if isinstance(entry, Step)}
    pages += [(topic.title, f"steps:{topic.id}") for topic in topics if topic.id in with_steps]
    pages += [(strings["home_topics"], TOPICS_PAGE)] if topics else []
    page_buttons = [
        button(label, f"go:{number}", {"value": page})
        for number, (label, page) in enumerate(pages[: limits.ACTIONS], 1)
    ]
    search_button = button(strings["search"], "search", {"style": "primary", "value": "search"})
    return [
        header_block(knowledge.name),
        *paragraph_blocks(f"{introduction(knowledge)}\n{strings['home_intro']}"),
        *actions_blocks([search_button]),
        *search_blocks(knowledge, strings),
        *([context_block(strings["home_browse"]), *actions_blocks(page_buttons)] if page_buttons else []),
    ]


def _group_row(group: Group, knowledge: Knowledge, strings: Strings) -> Block:
    names = ", ".join(card.name for card in knowledge.members(group))
    label = cut(f"{strings['show']}: {group.title}", limits.BUTTON_LABEL)
    extra = {"value": f"group:{group.id}", "accessibility_label": label}
    return section_with_button(group.title, names, button(strings["show"], "go", extra))


def _entry_row(entry: Entry, strings: Strings) -> Block:
    choice = choice_of(entry)
    text = entry.short_text if isinstance(entry, Library) else ""
    heading = f"{entry.number}. {entry.title}" if isinstance(entry, Step) else choice.label
    label = cut(f"{strings['open_item']}: {choice.label}", limits.BUTTON_LABEL)
    extra = {"value": choice.ask, "accessibility_label": label}
    return section_with_button(heading, text, button(strings["open_item"], "ask", extra))


# --- entries and groups


def _example_buttons(choices: Iterable[Choice]) -> list[Block]:
    return [
        button(choice.label, f"ask:example-{number}", {"value": choice.ask}) for number, choice in enumerate(choices, 1)
    ]


def _topics(knowledge: Knowledge) -> list[Entry]:
    return [entry for entry in knowledge.entries if entry.kind == "topic"]


def _side_groups(knowledge: Knowledge) -> list[Group]:
    """The groups that are a side of libraries, such as frontend."""
    side_ids = {entry.side for entry in knowledge.entries if isinstance(entry, Library)}
    return [group for group in knowledge.groups if group.id in side_ids]


def _other_groups(knowledge: Knowledge) -> list[Group]:
    """The groups with members that aren't a side."""
    side_groups = _side_groups(knowledge)
    return [group for group in knowledge.groups if group not in side_groups and knowledge.members(group)]


def fit_view(view: View, blocks: Sequence[Block]) -> View:
    """`view` with as many of `blocks` as Slack takes."""
    kept = list(blocks[: limits.BLOCKS["home"]])
    while len(kept) > 1 and len(json.dumps(kept)) > VIEW_ROOM:
        kept.pop()
    return view | {"blocks": kept}
