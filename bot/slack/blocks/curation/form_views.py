"""The curators' modals: the forms for the meaning of phrasings and for a new answer, the result; and the menu of entries."""

from __future__ import annotations

from collections.abc import Sequence

from bot.model import Entry, Knowledge, Miss, Step
from bot.reply.wording import readable_date
from bot.slack.blocks import limits
from bot.slack.blocks.curation.edit_text import fill, fill_plain, quote_phrasing, user_element
from bot.slack.blocks.elements import actions_blocks, button, context_block, plain_text_object
from bot.slack.blocks.limits import Block, cut, size
from bot.slack.blocks.rich_text import line_block, rich_text_list, rich_text_section, text_element
from bot.slack.blocks.views import View, fit_view
from bot.slack.payloads import CuratorModalState, SavedMessage
from bot.slack.strings import Strings

MAX_TITLE = 150
"""UTF-16 units of a new answer's title."""
PICKED, TITLE, ANSWER, ASKS = "picked", "title", "answer", "asks"
"""The inputs' block_ids and action_ids; those of checkboxes have a colon and a number at the end."""
MODALS = ("means", "write", "done")
"""The callback_ids of these modals."""
ENTRY = "entry"
"""The block_id and action_id of the menu of entries."""

# --- modals


def meaning_form(
    state: CuratorModalState,
    misses: Sequence[Miss],
    picked: Sequence[str],
    entry_id: str,
    knowledge: Knowledge,
    strings: Strings,
    blocks_above: Sequence[Block] = (),
) -> View:
    """The form that says which entry some phrasings mean.

    Args:
        misses: the phrasings; several can be picked from.
        picked: keys of the misses that are ticked to begin with.
        entry_id: the entry that is chosen to begin with; none if the pack doesn't have it.
        blocks_above: blocks to show above the form.
    """
    if len(misses) == 1:
        phrasings = [line_block([text_element(quote_phrasing(misses[0].text), bold=True)])]
    else:
        starts = range(0, len(misses), limits.CHECKBOXES)
        chunks = [misses[start : start + limits.CHECKBOXES] for start in starts]
        phrasings = [_checkboxes(number, chunk, picked, strings) for number, chunk in enumerate(chunks)]
    label = plain_text_object(strings["means_which"], limits.INPUT_LABEL)
    menu = {"type": "input", "block_id": ENTRY, "label": label, "element": entry_menu(entry_id, knowledge, strings)}
    blocks = [*blocks_above, *_who_is_told(state, strings), *phrasings, menu]
    return _modal("means", strings["means"], strings["save"], state, blocks, strings)


def answer_form(
    state: CuratorModalState,
    title: str,
    answer: str,
    asks: str,
    strings: Strings,
    blocks_above: Sequence[Block] = (),
) -> View:
    """The form for a new answer: its title, its text, and its phrasings, one a line.

    Its button checks the draft; once this very draft has been checked, the button saves it. An answer that is made of a message
    has a notice above it, which says whose words they are and where they will go.
    """
    notice = message_notice(state.message, strings) if state.message is not None else []
    inputs = [
        _text_input(TITLE, title, strings, MAX_TITLE),
        _text_input(ANSWER, answer, strings, limits.TYPED, multiline=True),
        _text_input(ASKS, asks, strings, limits.TYPED, multiline=True),
    ]
    submit = strings["save" if state.checked else "check"]
    blocks = [*blocks_above, *notice, *_who_is_told(state, strings), *inputs]
    return _modal("write", strings["write"], submit, state, blocks, strings)


def _who_is_told(state: CuratorModalState, strings: Strings) -> list[Block]:
    """That saving a form tells the asker of a help request, if it was opened for one."""
    return [context_block(strings["help_saving"])] if state.help_request else []


def message_notice(message: SavedMessage, strings: Strings) -> list[Block]:
    """What a curator has to know who makes an answer of a message: whose words they are, where they go, what to look out for."""
    whose = fill(
        strings["save_whose" if message.author else "save_of_app"], author=user_element(message.author, strings)
    )
    warnings = [rich_text_section(*fill(strings[f"save_{name}"])) for name in message.warnings]
    section = rich_text_section(*whose, *fill(f" {strings['save_reword']}"))
    credit = ", ".join(["Slack", readable_date(message.date)])
    return [
        {"type": "rich_text", "elements": [section, *rich_text_list(warnings, "bullet")]},
        context_block(fill_plain(strings["save_credit"], source=credit)),
        {"type": "divider"},
    ]


def checking_view(view: View, strings: Strings) -> View:
    """The form while its draft is being checked."""
    return view | {"blocks": [context_block(strings["checking"]), *view["blocks"]][: limits.BLOCKS["modal"]]}


def result_view(
    state: CuratorModalState,
    message: Sequence[Block],
    strings: Strings,
    undo: str = "",
    blocks_below: Sequence[Block] = (),
    title: str = "curate_title",
) -> View:
    """The result of an edit, or why nothing can be edited.

    Args:
        message: rich_text elements.
        undo: the batch that the button "Undo" undoes; empty for no button.
        blocks_below: what the edit has changed, see `changes_since`.
        title: the key of the modal's title.
    """
    buttons = [button(strings["undo"], "undo", {"value": undo})] if undo else []
    blocks = [line_block(message), *blocks_below, *actions_blocks(buttons)]
    return _modal("done", strings[title], "", state, blocks, strings)


def _modal(
    callback_id: str, title: str, submit: str, state: CuratorModalState, blocks: Sequence[Block], strings: Strings
) -> View:
    """A modal; without a button to submit it if `submit` is empty."""
    view = {
        "type": "modal",
        "callback_id": callback_id,
        "title": plain_text_object(title, limits.MODAL_TITLE),
        "close": plain_text_object(strings["cancel" if submit else "close"], limits.MODAL_TITLE),
        "private_metadata": state.to_metadata(),
    }
    view |= {"submit": plain_text_object(submit, limits.MODAL_TITLE)} if submit else {}
    return fit_view(view, blocks)


def _text_input(name: str, text: str, strings: Strings, max_length: int, multiline: bool = False) -> Block:
    element: Block = {"type": "plain_text_input", "action_id": name, "max_length": max_length, "multiline": multiline}
    element["placeholder"] = plain_text_object(strings[f"write_{name}_hint"], limits.PLACEHOLDER)
    if text.strip():
        element["initial_value"] = cut(text, max_length)
    label = plain_text_object(strings[f"write_{name}"], limits.INPUT_LABEL)
    block: Block = {"type": "input", "block_id": name, "label": label, "element": element}
    if name == ANSWER:
        block["hint"] = plain_text_object(strings["write_answer_help"], limits.INPUT_LABEL)
    return block


def _checkboxes(number: int, misses: Sequence[Miss], picked: Sequence[str], strings: Strings) -> Block:
    """Up to ten phrasings to tick."""
    options = [{"text": plain_text_object(miss.text, limits.OPTION_LABEL), "value": miss.key} for miss in misses]
    initial = [option for option in options if option["value"] in picked]
    element = {"type": "checkboxes", "action_id": f"{PICKED}:{number}", "options": options}
    return {
        "type": "input",
        "block_id": f"{PICKED}:{number}",
        "optional": True,
        "label": plain_text_object(strings["means_phrasings" if not number else "means_further"], limits.INPUT_LABEL),
        "element": element | ({"initial_options": initial} if initial else {}),
    }


# --- the menu of entries


def entry_menu(initial_id: str, knowledge: Knowledge, strings: Strings) -> Block:
    """A menu of all entries; if they are too many for one, a menu that Slack fills from `matching_options`."""
    kinds = {"topic": "home_topics", "step": "steps", "library": "libraries"}
    entries = _menu_entries(knowledge)
    groups = [
        {"label": plain_text_object(strings[key], limits.OPTION_LABEL), "options": options}
        for kind, key in kinds.items()
        if (options := [_option(entry) for entry in entries if entry.kind == kind])
    ]
    extra = {"action_id": ENTRY, "placeholder": plain_text_object(strings["means_pick"], limits.PLACEHOLDER)}
    initial = knowledge.by_id.get(initial_id)
    extra |= {"initial_option": _option(initial)} if initial is not None and initial in entries else {}
    if sum(len(group["options"]) for group in groups) > limits.OPTIONS:
        return {"type": "external_select", "min_query_length": 0, **extra}
    if len(groups) == 1:
        return {"type": "static_select", "options": groups[0]["options"], **extra}
    return {"type": "static_select", "option_groups": groups, **extra}


def matching_options(typed: str, knowledge: Knowledge) -> list[Block]:
    """The menu's options that contain every word of what has been typed."""
    typed_words = typed.casefold().split()
    options = [
        _option(entry)
        for entry in _menu_entries(knowledge)
        if all(word in f"{entry.label} {entry.title} {entry.id}".casefold() for word in typed_words)
    ]
    return options[: limits.OPTIONS]


def _menu_entries(knowledge: Knowledge) -> list[Entry]:
    """The entries whose id fits into an option."""
    return [entry for entry in knowledge.entries if size(entry.id) <= limits.OPTION_VALUE]


def _option(entry: Entry) -> Block:
    label = f"{entry.number}. {entry.title}" if isinstance(entry, Step) else entry.label
    return {"text": plain_text_object(label, limits.OPTION_LABEL), "value": entry.id}
