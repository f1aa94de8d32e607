"""Rich text: nothing in it is parsed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from bot.model import Facts, Item, Remark
from bot.slack import limits
from bot.slack.blocks.lengths import rich
from bot.slack.blocks.objects import is_url, tidy
from bot.slack.limits import Block, cut


def attribution(user: str, words: Mapping[str, str]) -> Block:
    """Who shared it. The person is an id in an element of its own, never words."""
    elements = [leaf_of(words["shared_by"] + " "), {"type": "user", "user_id": user}]
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": elements}]}


def quoted(text: str) -> Block:
    """A person's own words, where nothing is parsed."""
    return {"type": "rich_text", "elements": [{"type": "rich_text_quote", "elements": [leaf_of(text)]}]}


def prose(text: str) -> list[Block]:
    """Paragraphs and bullets on their own."""
    return list(paragraphs(text))


def paragraphs(text: str) -> Iterator[Block]:
    """Paragraphs and bullets, one by one."""
    elements: list[Block] = []
    for line in (line.strip() for line in text.split("\n") if line.strip()):
        bullet = line.startswith("- ")
        leaf = section(leaf_of(line.removeprefix("- ")))
        last = elements[-1] if elements else None
        if bullet and last is not None and last["type"] == "rich_text_list":
            last["elements"].append(leaf)
        elif bullet:
            elements += listed([leaf], "bullet")
        elif last is not None and last["type"] == "rich_text_section":
            last["elements"][-1]["text"] += "\n\n"
            last["elements"] += leaf["elements"]
        else:
            elements.append(leaf)
    yield from rich(elements)


def fact_lines(part: Facts) -> list[Block]:
    """Facts as lines, labels in bold."""
    leaves: list[Block] = []
    for label, value in part.rows:
        if value.strip():
            leaves += [leaf_of("\n")] if leaves else []
            leaves.append(leaf_of(f"{label}: ", bold=True))
            leaves.append(link_to(value, value) if is_url(value) else leaf_of(value.strip()))
    return [section(*leaves)] if leaves else []


def item_line(item: Item) -> Block:
    """An item of a list."""
    leaves = [leaf_of(item.title, bold=True)]
    leaves += [leaf_of(f": {item.text.strip()}")] if item.text.strip() else []
    return section(*leaves)


def criterion(columns: Sequence[str], row: Sequence[str]) -> Iterable[Block]:
    """One criterion of a comparison: each value with the name of its column."""
    label, *values = row
    told = [
        section(leaf_of(f"{column}: ", bold=True), leaf_of(value.strip() or "–"))
        for column, value in zip(columns[1:], values, strict=True)
    ]
    return rich([section(leaf_of(label or "–", bold=True)), *listed(told, "bullet")])


def remark(part: Remark, words: Mapping[str, str]) -> Block:
    """A curator's note, with its source."""
    note = part.note
    leaves = [leaf_of(f"{words['note']}, {note.date}: ", bold=True), leaf_of(note.text.strip())]
    if is_url(note.url):
        leaves += [leaf_of(" "), link_to(note.url, note.source or words["source"])]
    elif note.source.strip():
        leaves.append(leaf_of(f" ({note.source.strip()})"))
    return {"type": "rich_text_quote", "elements": leaves}


def leaf_of(text: str, bold: bool = False) -> Block:
    """A run of text."""
    return {"type": "text", "text": text} | ({"style": {"bold": True}} if bold else {})


def link_to(url: str, label: str) -> Block:
    """A link."""
    return {"type": "link", "url": tidy(url), "text": cut(label, limits.HEADER)}


def section(*leaves: Block) -> Block:
    """A line of runs."""
    return {"type": "rich_text_section", "elements": list(leaves)}


def listed(sections: list[Block], style: str) -> list[Block]:
    """Lines as a list."""
    return [{"type": "rich_text_list", "style": style, "elements": sections}] if sections else []
