"""A lint for blocks and views: what Slack would refuse in them."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from bot.slack.blocks.limits import (
    ACTION_ID,
    ACTIONS,
    ALT_TEXT,
    BLOCKS,
    BUTTON_LABEL,
    BUTTON_VALUE,
    CARD_ACTIONS,
    CARD_BODY,
    CARD_TITLE,
    CAROUSEL,
    CHART_LABEL,
    CHART_SERIES,
    CHART_TITLE,
    CHARTS,
    CHECKBOXES,
    CONFIRM_LABEL,
    CONFIRM_TEXT,
    CONFIRM_TITLE,
    CONTEXT,
    CONTEXT_ELEMENTS,
    HEADER,
    INPUT_LABEL,
    METADATA,
    MODAL_TITLE,
    OPTION_LABEL,
    OPTION_VALUE,
    OPTIONS,
    PLACEHOLDER,
    RICH_TEXT,
    SECTION,
    TABLE_CHARACTERS,
    TABLE_COLUMNS,
    TABLE_ROWS,
    TYPED,
    URL,
    VIEW_BYTES,
    Block,
    BlockSurface,
    size,
)


def faults(blocks: Sequence[Block], surface: BlockSurface = "message") -> list[str]:
    """Everything in `blocks` that Slack would refuse or that breaks our own rules, each as `block: fault`."""
    messages: list[str] = []
    if not blocks:
        messages.append("blocks: there are none")
    if len(blocks) > BLOCKS[surface]:
        messages.append(f"blocks: {len(blocks)}, at most {BLOCKS[surface]}")
    for number, block in enumerate(blocks):
        messages += [f"{number} {block.get('type')}: {fault}" for fault in _block(block, surface)]
    for kind in ("action_id", "block_id"):
        seen = Counter(value for block in blocks for value in _values(block, kind))
        messages += [f"{kind}: '{value}' is there {times} times" for value, times in seen.items() if times > 1]
    if sum(block.get("type") == "table" for block in blocks) > 1:
        messages.append("blocks: more than one table")
    if sum(block.get("type") == "data_visualization" for block in blocks) > CHARTS:
        messages.append("blocks: more than two charts")
    return messages


def view_faults(view: Block) -> list[str]:
    """The same for a modal or the Home tab, with the fields beside its blocks."""
    surface: BlockSurface = "modal" if view.get("type") == "modal" else "home"
    blocks = view.get("blocks", [])
    messages = faults(blocks, surface)
    if size(json.dumps(view)) > VIEW_BYTES:
        messages.append(f"view: more than {VIEW_BYTES} bytes")
    if size(view.get("private_metadata", "")) > METADATA:
        messages.append("private_metadata too long")
    for key in ("title", "submit", "close") if surface == "modal" else ():
        if key in view or key == "title":
            messages += [f"{key}: {fault}" for fault in _text(view.get(key), MODAL_TITLE, plain=True)]
    if any(block.get("type") == "input" for block in blocks) and "submit" not in view:
        messages.append("an input and nothing to submit it")
    return messages


_ONLY: dict[str, tuple[BlockSurface, ...]] = {
    "table": ("message", "home"), "carousel": ("message", "home"), "context_actions": ("message",), "input": ("modal",),
    "data_visualization": ("message", "home"),
}  # fmt: skip
"""Blocks that not every surface takes, and the surfaces that do."""


def _block(block: Block, surface: BlockSurface) -> Iterator[str]:
    check = _CHECKS.get(str(block.get("type")))
    if check is None:
        yield "no block that we draw"
        return
    if surface not in _ONLY.get(block["type"], (surface,)):
        yield f"not in a {surface}"
    if size(str(block.get("block_id", ""))) > ACTION_ID:
        yield "block_id too long"
    yield from check(block)


def _header(block: Block) -> Iterator[str]:
    yield from _text(block.get("text"), HEADER, plain=True)


def _section(block: Block) -> Iterator[str]:
    if "text" not in block and "fields" not in block:
        yield "neither text nor fields"
    if "text" in block:
        yield from _text(block["text"], SECTION)
    fields = block.get("fields", [])
    if len(fields) > CONTEXT_ELEMENTS:
        yield "more than ten fields"
    for field in fields:
        yield from _text(field, CONTEXT)
    if "accessory" in block:
        accessory = block["accessory"]
        yield from _people_menu(accessory) if accessory.get("type") == "multi_users_select" else _element(accessory)


def _context(block: Block) -> Iterator[str]:
    elements = block.get("elements", [])
    if not 1 <= len(elements) <= CONTEXT_ELEMENTS:
        yield f"{len(elements)} elements"
    for element in elements:
        yield from _text(element, CONTEXT)


def _actions(block: Block) -> Iterator[str]:
    elements = block.get("elements", [])
    if not 1 <= len(elements) <= ACTIONS:
        yield f"{len(elements)} elements"
    for element in elements:
        yield from _element(element)


def _divider(block: Block) -> Iterator[str]:
    if set(block) - {"type", "block_id"}:
        yield "has more than its type"


_STYLES = {"bold", "italic", "strike", "code"}
_PARTS = {
    "rich_text_section": {"type", "elements"},
    "rich_text_preformatted": {"type", "elements", "border"},
    "rich_text_quote": {"type", "elements", "border"},
    "rich_text_list": {"type", "elements", "style", "indent", "offset", "border"},
}
"""The parts of a rich_text block, and their fields."""


def _rich_text(block: Block) -> Iterator[str]:
    elements = block.get("elements", [])
    if not elements:
        yield "empty"
    for element in elements:
        yield from _rich_text_part(element)
    leaves = list(_leaves(elements))
    if not any(leaf.get("text") or leaf.get("url") or leaf.get("user_id") or leaf.get("channel_id") for leaf in leaves):
        yield "says nothing"
    total = sum(size(leaf.get("text", "")) for leaf in leaves)
    if total > RICH_TEXT:
        yield f"{total} characters, at most {RICH_TEXT}"
    for leaf in leaves:
        if leaf.get("type") not in {"text", "link", "user", "channel"}:
            yield f"a {leaf.get('type')} element"
        if leaf.get("type") == "text" and not leaf.get("text"):
            yield "empty text element"
        if leaf.get("type") == "link":
            yield from _link_url(leaf.get("url"))
            if not leaf.get("text"):
                yield "link without a text"
        if set(leaf.get("style", {})) - _STYLES or not all(value is True for value in leaf.get("style", {}).values()):
            yield f"style {leaf['style']}"
        if leaf.get("style") == {}:
            yield "empty style"


def _rich_text_part(part: Block) -> Iterator[str]:
    """What is wrong with a section, list, quote or code block: which fields it has, and what stands in it."""
    kind, inner = str(part.get("type")), part.get("elements", [])
    if kind not in _PARTS or set(part) - _PARTS.get(kind, set()):
        yield f"a {kind} with {sorted(part)}"
        return
    if not inner:
        yield f"an empty {kind}"
    if kind != "rich_text_list":
        allowed = {"text", "link"} if kind == "rich_text_preformatted" else {"text", "link", "user", "channel"}
        if outside := {str(leaf.get("type")) for leaf in inner} - allowed:
            yield f"{sorted(outside)} in a {kind}"
        return
    if part.get("style") not in ("bullet", "ordered"):
        yield f"a list of style {part.get('style')}"
    if not 0 <= part.get("indent", 0) <= 8 or part.get("offset", 0) < 0:
        yield "indent or offset out of range"
    for item in inner:
        if item.get("type") != "rich_text_section":
            yield f"a {item.get('type')} in a list"
        else:
            yield from _rich_text_part(item)


def _image(block: Block) -> Iterator[str]:
    if unknown := set(block) - {"type", "block_id", "image_url", "alt_text", "title"}:
        yield f"image with {sorted(unknown)}"
    yield from _url(block.get("image_url"))
    if not str(block.get("image_url")).startswith("https://"):
        yield "image not by https"
    if not 1 <= size(block.get("alt_text", "")) <= ALT_TEXT:
        yield "alt_text empty or too long"


def _card(block: Block) -> Iterator[str]:
    if not {"title", "body", "actions", "hero_image"} & set(block):
        yield "empty card"
    if unknown := set(block) - {"type", "block_id", "title", "subtitle", "body", "icon", "hero_image", "actions"}:
        yield f"card with {sorted(unknown)}"
    for key, limit in (("title", CARD_TITLE), ("subtitle", CARD_TITLE), ("body", CARD_BODY)):
        if key in block:
            yield from _text(block[key], limit)
    actions = block.get("actions", [])
    if len(actions) > CARD_ACTIONS or ("actions" in block and not actions):
        yield f"{len(actions)} actions"
    for action in actions:
        yield from _element(action)


def _carousel(block: Block) -> Iterator[str]:
    elements = block.get("elements", [])
    if not 1 <= len(elements) <= CAROUSEL:
        yield f"{len(elements)} cards"
    for element in elements:
        if element.get("type") != "card":
            yield f"a {element.get('type')} in it"
        yield from _card(element)


def _table(block: Block) -> Iterator[str]:
    rows = block.get("rows", [])
    if not 1 <= len(rows) <= TABLE_ROWS:
        yield f"{len(rows)} rows"
    if len({len(row) for row in rows}) > 1:
        yield "rows of different lengths"
    if any(len(row) > TABLE_COLUMNS for row in rows):
        yield f"more than {TABLE_COLUMNS} columns"
    cells = [cell for row in rows for cell in row]
    for cell in cells:
        if cell.get("type") == "rich_text":
            yield from _rich_text(cell)
        elif cell.get("type") != "raw_text" or not str(cell.get("text", "")).strip():
            yield "an empty cell, or neither raw_text nor rich_text"
    settings = block.get("column_settings", [])
    if any(setting.get("align", "left") not in ("left", "center", "right") for setting in settings):
        yield "a column's align"
    if len(settings) > TABLE_COLUMNS:
        yield "more settings than columns"
    if sum(size(leaf.get("text", "")) for cell in cells for leaf in _leaves([cell])) > TABLE_CHARACTERS:
        yield f"more than {TABLE_CHARACTERS} characters"


def _context_actions(block: Block) -> Iterator[str]:
    elements = block.get("elements", [])
    if len(elements) != 1 or elements[0].get("type") != "feedback_buttons":
        yield "more or other than one pair of feedback buttons"
    for element in elements:
        if not element.get("action_id"):
            yield "no action_id"
        for key in ("positive_button", "negative_button"):
            button = element.get(key, {})
            yield from _text(button.get("text"), BUTTON_LABEL, plain=True)
            if not 1 <= size(button.get("value", "")) <= BUTTON_VALUE:
                yield f"{key}: value empty or too long"
            if size(button.get("accessibility_label", "")) > BUTTON_LABEL:
                yield f"{key}: accessibility_label too long"


def _input(block: Block) -> Iterator[str]:
    yield from _text(block.get("label"), INPUT_LABEL, plain=True)
    element = block.get("element", {})
    if not element.get("action_id") or size(element["action_id"]) > ACTION_ID:
        yield "an input without a good action_id"
    if "placeholder" in element:
        yield from _text(element["placeholder"], PLACEHOLDER, plain=True)
    match element.get("type"):
        case "plain_text_input":
            limit = element.get("max_length", TYPED)
            if not 1 <= limit <= TYPED or size(element.get("initial_value", "")) > limit:
                yield "initial_value too long"
        case "static_select":
            yield from _menu(element)
        case "external_select":
            yield from _option(element.get("initial_option", _NO_OPTION))
        case "checkboxes":
            options = element.get("options", [])
            if not 1 <= len(options) <= CHECKBOXES:
                yield f"{len(options)} checkboxes"
            initial = element.get("initial_options", options)
            if not initial or any(option not in options for option in initial):
                yield "initial_options that are none"
            for option in options:
                yield from _option(option)
        case kind:
            yield f"a {kind} to fill in"


def _menu(element: Block) -> Iterator[str]:
    """A static_select: its options, in groups or not, and the one that it begins with."""
    groups = element.get("option_groups", [{"options": element.get("options", [])}])
    if ("options" in element) == ("option_groups" in element) or len(groups) > OPTIONS:
        yield "options and option_groups, or too many groups"
    for group in groups:
        if "label" in group:
            yield from _text(group["label"], OPTION_LABEL, plain=True)
        if not 1 <= len(group["options"]) <= OPTIONS:
            yield f"{len(group['options'])} options"
    options = [option for group in groups for option in group["options"]]
    if element.get("initial_option", options[:1]) not in (*options, options[:1]):
        yield "an initial_option that is none"
    for option in options:
        yield from _option(option)


def _option(option: Block) -> Iterator[str]:
    yield from _text(option.get("text"), OPTION_LABEL, plain=True)
    if not 1 <= size(option.get("value", "")) <= OPTION_VALUE:
        yield "option's value empty or too long"


_NO_OPTION = {"text": {"type": "plain_text", "text": "-"}, "value": "-"}


def _chart(block: Block) -> Iterator[str]:
    if not 1 <= size(block.get("title", "")) <= CHART_TITLE:
        yield "a title that is empty or too long"
    chart = block.get("chart", {})
    series, axis = chart.get("series", []), chart.get("axis_config", {})
    categories = axis.get("categories", [])
    if chart.get("type") != "bar" or not 1 <= len(series) <= CHART_SERIES:
        yield f"a {chart.get('type')} chart of {len(series)} series"
    if len({values.get("name") for values in series}) < len(series):
        yield "two series of one name"
    if not categories or len(set(categories)) < len(categories):
        yield "no categories, or one of them twice"
    for label in (*categories, *(values.get("name", "") for values in series)):
        if not 1 <= size(label) <= CHART_LABEL:
            yield f"label {label!r}"
    for values in series:
        if [point.get("label") for point in values.get("data", [])] != categories:
            yield "points that aren't the categories"
    if size(axis.get("y_label", "")) > CHART_TITLE:
        yield "y_label too long"


_CHECKS: dict[str, Callable[[Block], Iterator[str]]] = {
    "header": _header, "section": _section, "context": _context, "actions": _actions, "divider": _divider,
    "rich_text": _rich_text, "image": _image, "card": _card, "carousel": _carousel, "table": _table,
    "context_actions": _context_actions, "input": _input, "data_visualization": _chart,
}  # fmt: skip


def _element(element: Block) -> Iterator[str]:
    action_id = element.get("action_id")
    if not action_id or size(action_id) > ACTION_ID:
        yield f"action_id {action_id!r}"
    if element.get("type") == "button":
        yield from _text(element.get("text"), BUTTON_LABEL, plain=True)
        if size(element.get("accessibility_label", "")) > BUTTON_LABEL:
            yield "accessibility_label too long"
        if size(element.get("value", "")) > BUTTON_VALUE or element.get("value") == "":
            yield "value empty or too long"
        if "url" in element:
            yield from _url(element["url"])
        if "confirm" in element:
            limits = {"title": CONFIRM_TITLE, "text": CONFIRM_TEXT, "confirm": CONFIRM_LABEL, "deny": CONFIRM_LABEL}
            for name, limit in limits.items():
                yield from _text(element["confirm"].get(name), limit, plain=True)
    elif element.get("type") == "static_select":
        yield from _text(element.get("placeholder"), PLACEHOLDER, plain=True)
        yield from _menu(element)
    elif element.get("type") == "conversations_select":
        yield from _text(element.get("placeholder"), PLACEHOLDER, plain=True)
    else:
        yield f"a {element.get('type')} element"


def _people_menu(element: Block) -> Iterator[str]:
    """A multi_users_select: it stands beside a section's text, or in an input."""
    if not element.get("action_id") or size(element["action_id"]) > ACTION_ID:
        yield f"action_id {element.get('action_id')!r}"
    yield from _text(element.get("placeholder"), PLACEHOLDER, plain=True)
    chosen, most = element.get("initial_users", ["U1"]), element.get("max_selected_items", 1)
    if not 1 <= len(chosen) <= most or len(set(chosen)) < len(chosen):
        yield "initial_users that are none, too many or there twice"
    if not all(re.fullmatch("[UW][A-Z0-9]+", user) for user in chosen):
        yield "an initial user that is none"


_ENTITY = re.compile(r"<(?!https?://)[^>]*>?")


def _text(text: Any, limit: int, plain: bool = False) -> Iterator[str]:
    if not isinstance(text, dict) or text.get("type") not in {"plain_text", "mrkdwn"}:
        yield "no text object"
        return
    content = text.get("text", "")
    if not content.strip():
        yield "empty text"
    if size(content) > limit:
        yield f"text of {size(content)}, at most {limit}"
    if plain and text["type"] != "plain_text":
        yield "mrkdwn where only plain_text may stand"
    if text["type"] == "mrkdwn" and (live := _ENTITY.search(content)):
        yield f"live entity {live.group()!r}"
    if text["type"] == "mrkdwn" and text.get("verbatim") is not True:
        yield "mrkdwn that links by itself"


def _url(url: Any) -> Iterator[str]:
    if not isinstance(url, str) or not url.startswith(("https://", "http://")) or size(url) > URL:
        yield f"url {url!r}"


def _link_url(url: Any) -> Iterator[str]:
    """A link in rich_text may also write a mail."""
    if not (isinstance(url, str) and url.startswith("mailto:") and size(url) <= URL):
        yield from _url(url)


def _leaves(elements: Sequence[Block]) -> Iterator[Block]:
    for element in elements:
        if "elements" in element:
            yield from _leaves(element["elements"])
        else:
            yield element


def _values(node: Any, key: str) -> Iterator[str]:
    if isinstance(node, dict):
        for name, value in node.items():
            if name == key:
                yield str(value)
            else:
                yield from _values(value, key)
    elif isinstance(node, list):
        for item in node:
            yield from _values(item, key)
