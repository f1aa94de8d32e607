"""Plain text: a whole reply as a screen reader reads it; the `text` that Slack gets beside the blocks."""

from __future__ import annotations

from collections.abc import Iterable

from bot.markdown import Paragraph, parse, plain, table_row_text
from bot.model import (
    Attribution,
    Card,
    Choices,
    Code,
    DatedNote,
    Facts,
    Formatted,
    Heading,
    Item,
    Items,
    Part,
    Reply,
    ShowRest,
    Table,
    Text,
)

PLAIN_LIMIT = 3_900
"""Characters of a reply's text. Slack splits a message at 4,040; the rest is for what is added around a reply."""

MAX_LINE_LOSS = 100
"""Characters that may be lost to cut at the end of a line instead of between two words."""


def plain_text(reply: Reply, limit: int | None = PLAIN_LIMIT) -> str:
    """The reply as plain text, paragraphs divided by blank lines; at most so many characters, None: all of them.

    Of a long answer it is the first part, with how to get the next one.
    """
    text = ""
    for part in reply.parts:
        addition = _part_text(part)
        longer = f"{text}\n\n{addition}" if text else addition
        if limit is not None and len(longer) > limit:
            return _cut(longer, len(text), limit)
        text = longer
    return text


def parts_text(parts: Iterable[Part]) -> str:
    """Parts of a reply as plain text, however long it is."""
    return "\n\n".join(map(_part_text, parts))


def _cut(text: str, fitting_length: int, limit: int) -> str:
    """The text within the limit, with a mark at its end; cut at the end of a line where that loses little, else between words.

    `fitting_length`: length of the parts that fit as a whole. A last part without a place to cut is left out.
    """
    beginning = text[: limit - 2]
    line_end = beginning.rfind("\n")
    end = line_end if line_end > limit - MAX_LINE_LOSS else beginning.rfind(" ")
    return beginning[: max(end, fitting_length)].rstrip() + "\n…"


def _part_text(part: Part) -> str:
    match part:
        case Heading(text) | Text(text):
            return text
        case Formatted(blocks):
            return plain(blocks)
        case ShowRest(_, hint, ask):
            return f"{hint} “{ask}”."
        case Card(title, subtitle, summary, links):
            first_line = f"{title} ({subtitle})" if subtitle else title
            link_lines = (f"{link.label}: {link.url}" for link in links)
            return "\n".join([first_line, *([summary] if summary else []), *link_lines])
        case Facts(rows):
            return "\n".join(f"{label}: {value}" for label, value in rows)
        case Code(label, spans):
            return f"{label}: {plain([Paragraph(spans)])}"
        case Items(items, heading, numbered):
            lines = [_item_text(item, f"{n}. " if numbered else "- ") for n, item in enumerate(items, 1)]
            return "\n".join(([heading + ":"] if heading else []) + lines)
        case Table(columns, rows):
            return "\n".join(table_row_text(columns, row) for row in rows)
        case Choices(heading, choices):
            return f"{heading} " + " | ".join(choice.label for choice in choices)
        case DatedNote(note):
            blocks = parse(note.text)
            divider = " " if blocks and isinstance(blocks[0], Paragraph) else "\n"
            text = f"Note, {note.date}:{divider}{plain(blocks)}"
            return f"{text} (Source: {note.source})" if note.source else text
        case Attribution(text, url):
            return f"{text}. {url}".strip() if url else f"{text}."


def _item_text(item: Item, bullet: str) -> str:
    return f"{bullet}{item.title}: {item.text}" if item.text else bullet + item.title
