"""rich_text blocks and their elements: Slack parses nothing in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal

from bot.model import Code, DatedNote, Facts, Item
from bot.slack.blocks import limits
from bot.slack.blocks.elements import is_url, quote_url
from bot.slack.blocks.limits import Block, cut, size
from bot.text import code_spans

# --- blocks


def shared_by_block(user: str, strings: Mapping[str, str]) -> Block:
    """The line that says who shared an answer; a user element shows the person's name."""
    return line_block([text_element(strings["shared_by"] + " "), {"type": "user", "user_id": user}])


def quote_block(text: str) -> Block:
    """A person's own words, as a quote."""
    return quote_elements_block([text_element(text)])


def quote_elements_block(elements: Iterable[Block]) -> Block:
    """Text, user and channel elements as a quote."""
    return {"type": "rich_text", "elements": [{"type": "rich_text_quote", "elements": list(elements)}]}


def line_block(elements: Iterable[Block]) -> Block:
    """Text, user and channel elements as one line."""
    return {"type": "rich_text", "elements": [rich_text_section(*elements)]}


def paragraph_blocks(text: str) -> list[Block]:
    """Paragraphs, one a line; a line that starts with "- " is a bullet."""
    elements: list[Block] = []
    for line in (line.strip() for line in text.split("\n") if line.strip()):
        is_bullet = line.startswith("- ")
        section = rich_text_section(text_element(line.removeprefix("- ")))
        last = elements[-1] if elements else None
        if is_bullet and last is not None and last["type"] == "rich_text_list":
            last["elements"].append(section)
        elif is_bullet:
            elements += rich_text_list([section], "bullet")
        elif last is not None and last["type"] == "rich_text_section":
            last["elements"][-1]["text"] += "\n\n"
            last["elements"] += section["elements"]
        else:
            elements.append(section)
    return rich_text_blocks(elements)


def fact_blocks(part: Facts) -> list[Block]:
    """Labels in bold and their values, one pair a line; pairs without a value are left out."""
    elements: list[Block] = []
    for label, value in part.rows:
        if value.strip():
            elements += [text_element("\n")] if elements else []
            elements.append(text_element(f"{label}: ", bold=True))
            elements.append(link_element(value, value) if is_url(value) else text_element(value.strip()))
    return rich_text_blocks([rich_text_section(*elements)]) if elements else []


def code_blocks(part: Code) -> list[Block]:
    """A command as a block of its own; words with commands in them as a line, with its label in bold and the commands as code."""
    spans = [(text, is_code) for text, is_code in code_spans(part.text) if text.strip()]
    if len(spans) == 1 and spans[0][1]:
        command = text_element(spans[0][0].strip())
        return rich_text_blocks([{"type": "rich_text_preformatted", "elements": [command]}])
    pieces = [text_element(text) | ({"style": {"code": True}} if is_code else {}) for text, is_code in spans]
    return rich_text_blocks([rich_text_section(text_element(f"{part.label}: ", bold=True), *pieces)]) if pieces else []


def table_row_blocks(columns: Sequence[str], row: Sequence[str]) -> list[Block]:
    """A row of a table as a list: its label as the heading, each value with the name of its column."""
    label, *values = row
    items = [
        rich_text_section(text_element(f"{column}: ", bold=True), text_element(value.strip() or "–"))
        for column, value in zip(columns[1:], values, strict=True)
    ]
    heading = rich_text_section(text_element(label or "–", bold=True))
    return rich_text_blocks([heading, *rich_text_list(items, "bullet")])


def note_blocks(part: DatedNote, strings: Mapping[str, str]) -> list[Block]:
    """A pack's dated note with its source, as a quote."""
    note = part.note
    elements = [text_element(f"{strings['note']}, {note.date}: ", bold=True), text_element(note.text.strip())]
    if is_url(note.url):
        elements += [text_element(" "), link_element(note.url, note.source or strings["source"])]
    elif note.source.strip():
        elements.append(text_element(f" ({note.source.strip()})"))
    return rich_text_blocks([{"type": "rich_text_quote", "elements": elements}])


# --- elements


def item_section(item: Item) -> Block:
    """A list's item on one line: its title in bold, and its text."""
    elements = [text_element(item.title, bold=True)]
    if text := item.text.strip():
        elements.append(text_element(f": {text}"))
    return rich_text_section(*elements)


def text_element(text: str, bold: bool = False) -> Block:
    """Text."""
    return {"type": "text", "text": text, "style": {"bold": True}} if bold else {"type": "text", "text": text}


def link_element(url: str, label: str) -> Block:
    """A link."""
    return {"type": "link", "url": quote_url(url), "text": cut(label, limits.HEADER)}


def rich_text_section(*elements: Block) -> Block:
    """Elements in one line or paragraph."""
    return {"type": "rich_text_section", "elements": list(elements)}


def rich_text_list(sections: list[Block], style: Literal["bullet", "ordered"]) -> list[Block]:
    """The sections as one list element; none for no sections."""
    return [{"type": "rich_text_list", "style": style, "elements": sections}] if sections else []


# --- length


def rich_text_blocks(elements: list[Block]) -> list[Block]:
    """The elements in as few rich_text blocks as hold limits.RICH_TEXT UTF-16 units each.

    An element that is longer is divided between its children, and a child that is longer is cut.
    """
    if sum(_length(element) for element in elements) <= limits.RICH_TEXT:
        return [{"type": "rich_text", "elements": elements}] if elements else []
    pieces = (piece for element in elements for piece in _divided(element))
    return [{"type": "rich_text", "elements": group} for group in _groups_that_fit(pieces)]


def _divided(element: Block) -> Iterator[Block]:
    """`element` itself, or as many of its kind as its children need."""
    for group in _groups_that_fit(_shortened(child) for child in element["elements"]):
        yield element | {"elements": group}


def _groups_that_fit(elements: Iterable[Block]) -> Iterator[list[Block]]:
    """Neighbouring elements in groups of at most limits.RICH_TEXT UTF-16 units; no element may be longer than that."""
    room, group = limits.RICH_TEXT, list[Block]()
    for element in elements:
        length = _length(element)
        if group and length > room:
            yield group
            room, group = limits.RICH_TEXT, []
        group.append(element)
        room -= length
    if group:
        yield group


def _shortened(element: Block) -> Block:
    """`element` with its text, or the texts of its children, cut to limits.RICH_TEXT UTF-16 units."""
    if _length(element) <= limits.RICH_TEXT:
        return element
    if "elements" not in element:
        return element | {"text": cut(element["text"], limits.RICH_TEXT)}
    room, children = limits.RICH_TEXT, list[Block]()
    for child in element["elements"]:
        if room > 1:
            children.append(child | {"text": cut(child.get("text", ""), room)})
            room -= _length(children[-1])
    return element | {"elements": children}


def _length(element: Block) -> int:
    """UTF-16 units of an element's text and of its children's."""
    children: list[Block] | None = element.get("elements")
    return size(element.get("text", "")) if children is None else sum(map(_length, children))
