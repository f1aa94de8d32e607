"""The curators' modals: what phrasings mean, a new answer, and what has become of it."""

from __future__ import annotations

from collections.abc import Sequence

from bot.model import Knowledge, Miss
from bot.slack import limits
from bot.slack.blocks import aside, button, plain_text, rows
from bot.slack.board.drawing import bold, paragraph
from bot.slack.board.menu import ENTRY, menu
from bot.slack.board.sentences import quoted
from bot.slack.limits import Block, cut
from bot.slack.values import Sheet
from bot.slack.views import View, fitted
from bot.slack.words import Words

LONGEST_TITLE = 150
PICKED, TITLE, ANSWER, ASKS = "picked", "title", "answer", "asks"
"""Names of the inputs, and of the blocks around them."""


def means(
    sheet: Sheet, misses: Sequence[Miss], picked: Sequence[str], entry: str, knowledge: Knowledge, words: Words,
    status: Sequence[Block] = (),
) -> View:  # fmt: skip
    """What these phrasings mean: the entry, `entry` to begin with, and which of them, those whose keys are `picked`."""
    if len(misses) == 1:
        asked: list[Block] = [paragraph([bold(quoted(misses[0].text))])]
    else:
        parts = [misses[start : start + limits.CHECKBOXES] for start in range(0, len(misses), limits.CHECKBOXES)]
        asked = [_boxes(n, part, picked, words) for n, part in enumerate(parts)]
    label = plain_text(words["means_which"], limits.INPUT_LABEL)
    chosen = {"type": "input", "block_id": ENTRY, "label": label, "element": menu(entry, knowledge, words)}
    return _modal("means", words["means"], words["save"], sheet, [*status, *asked, chosen], words)


def write(
    sheet: Sheet, heading: str, answer: str, asks: str, words: Words, status: Sequence[Block] = ()
) -> View:  # fmt: skip
    """A new answer: title, answer, and phrasings, one a line. Saved only when it has been looked at as it stands."""
    inputs = [
        _input(TITLE, heading, words, LONGEST_TITLE),
        _input(ANSWER, answer, words, limits.TYPED, multiline=True),
        _input(ASKS, asks, words, limits.TYPED, multiline=True),
    ]
    submit = words["save" if sheet.checked else "check"]
    return _modal("write", words["write"], submit, sheet, [*status, *inputs], words)


def _input(name: str, told: str, words: Words, most: int, multiline: bool = False) -> Block:
    element: Block = {"type": "plain_text_input", "action_id": name, "max_length": most, "multiline": multiline}
    element["placeholder"] = plain_text(words[f"write_{name}_hint"], limits.PLACEHOLDER)
    if told.strip():
        element["initial_value"] = cut(told, most)
    label = plain_text(words[f"write_{name}"], limits.INPUT_LABEL)
    return {"type": "input", "block_id": name, "label": label, "element": element}


def checking(view: View, words: Words) -> View:
    """The same modal while it is being looked at."""
    return view | {"blocks": [aside(words["checking"]), *view["blocks"]][: limits.BLOCKS["modal"]]}


def done(sheet: Sheet, told: Sequence[Block], words: Words, undo: str = "", since: Sequence[Block] = ()) -> View:
    """What has become of it, and what has come of that."""
    ways = [button(words["undo"], "undo", {"value": undo})] if undo else []
    return _modal("done", words["curate_title"], "", sheet, [paragraph(told), *since, *rows(ways)], words)


def _modal(name: str, heading: str, submit: str, sheet: Sheet, blocks: Sequence[Block], words: Words) -> View:
    view = {
        "type": "modal",
        "callback_id": name,
        "title": plain_text(heading, limits.MODAL_TITLE),
        "close": plain_text(words["cancel" if submit else "close"], limits.MODAL_TITLE),
        "private_metadata": sheet.write(),
    }
    view |= {"submit": plain_text(submit, limits.MODAL_TITLE)} if submit else {}
    return fitted(view, blocks)


def _boxes(number: int, misses: Sequence[Miss], picked: Sequence[str], words: Words) -> Block:
    """Up to ten phrasings to tick."""
    options = [{"text": plain_text(miss.text, limits.OPTION_LABEL), "value": miss.key} for miss in misses]
    initial = [option for option in options if option["value"] in picked]
    element = {"type": "checkboxes", "action_id": f"{PICKED}:{number}", "options": options}
    return {
        "type": "input",
        "block_id": f"{PICKED}:{number}",
        "optional": True,
        "label": plain_text(words["means_phrasings" if not number else "means_further"], limits.INPUT_LABEL),
        "element": element | ({"initial_options": initial} if initial else {}),
    }
