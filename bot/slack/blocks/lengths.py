"""Rich text in as many blocks as its length asks for."""

from __future__ import annotations

from collections.abc import Iterator

from bot.slack import limits
from bot.slack.limits import Block, cut, size


def rich(elements: list[Block]) -> Iterator[Block]:
    """The elements in as many rich_text blocks as their length asks for."""
    room, held = limits.RICH_TEXT, list[Block]()
    for piece in (piece for element in elements for piece in _pieces(element)):
        length = _length(piece)
        if held and length > room:
            yield {"type": "rich_text", "elements": held}
            room, held = limits.RICH_TEXT, []
        held.append(piece)
        room -= length
    if held:
        yield {"type": "rich_text", "elements": held}


def _pieces(element: Block) -> Iterator[Block]:
    """An element that fits is one piece; a longer one is divided between its children, each of them cut to fit."""
    room, held = limits.RICH_TEXT, list[Block]()
    for child in (_shortened(child) for child in element["elements"]):
        length = _length(child)
        if held and length > room:
            yield element | {"elements": held}
            room, held = limits.RICH_TEXT, []
        held.append(child)
        room -= length
    yield element | {"elements": held}


def _shortened(element: Block) -> Block:
    if _length(element) <= limits.RICH_TEXT:
        return element
    if "elements" not in element:
        return element | {"text": cut(element["text"], limits.RICH_TEXT)}
    room, kept = limits.RICH_TEXT, list[Block]()
    for child in element["elements"]:
        if room > 1:
            kept.append(child | {"text": cut(child.get("text", ""), room)})
            room -= _length(kept[-1])
    return element | {"elements": kept}


def _length(element: Block) -> int:
    return size(element.get("text", "")) + sum(_length(child) for child in element.get("elements", []))
