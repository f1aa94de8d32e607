"""Plain text: the complete answer as a screen reader reads it, and what `text` carries beside Slack's blocks."""

from __future__ import annotations

from bot.model import Card, Choices, Credit, Facts, Heading, Item, Items, Part, Remark, Reply, Table, Text

PLAIN_LIMIT = 3_900
"""Characters of a reply's text. Slack splits a message at 4,040; the rest is room for what a surface adds."""


LITTLE = 100
"""Characters that may be lost to end with a whole line."""


def plain(reply: Reply) -> str:
    """The reply as plain text, paragraphs divided by blank lines; at most PLAIN_LIMIT characters, cut between parts."""
    text = ""
    for part in reply.parts:
        addition = _part(part)
        longer = f"{text}\n\n{addition}" if text else addition
        if len(longer) > PLAIN_LIMIT:
            return _cut(longer, len(text))
        text = longer
    return text


def _cut(text: str, whole: int) -> str:
    """The text within the limit, its end marked: at a line's end where that loses little, else between words.

    `whole`: characters of the parts that fit; a last part that isn't plain prose is better left out than torn.
    """
    kept = text[: PLAIN_LIMIT - 2]
    line = kept.rfind("\n")
    at = line if line > PLAIN_LIMIT - LITTLE else kept.rfind(" ")
    return kept[: max(at, whole)].rstrip() + "\n…"


def _part(part: Part) -> str:
    match part:
        case Heading(text) | Text(text):
            return text
        case Card(title, subtitle, summary, links):
            about = f"{title} ({subtitle})" if subtitle else title
            return "\n".join([about, *([summary] if summary else []), *(f"{link.label}: {link.url}" for link in links)])
        case Facts(rows):
            return "\n".join(f"{label}: {value}" for label, value in rows)
        case Items(items, heading, numbered):
            listed = [_item(item, f"{n}. " if numbered else "- ") for n, item in enumerate(items, 1)]
            return "\n".join(([heading + ":"] if heading else []) + listed)
        case Table(columns, rows):
            return "\n".join(_row(columns, row) for row in rows)
        case Choices(heading, choices):
            return f"{heading} " + " | ".join(choice.label for choice in choices)
        case Remark(note):
            return f"Note, {note.date}: {note.text} (Source: {note.source})"
        case Credit(text, url):
            return f"{text}. {url}".strip() if url else f"{text}."


def _item(item: Item, mark: str) -> str:
    return f"{mark}{item.title}: {item.text}" if item.text else mark + item.title


def _row(columns: tuple[str, ...], row: tuple[str, ...]) -> str:
    """One line per criterion, each value with its column's name: a table that can be heard."""
    cells = (f"{name}: {value}" for name, value in zip(columns[1:], row[1:], strict=True))
    return f"{row[0]}. " + "; ".join(cells) + "."
