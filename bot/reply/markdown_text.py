"""A whole reply as Markdown, for programs that show it themselves."""

from __future__ import annotations

from dataclasses import replace

from bot.markdown import escape_text, plain_answer, to_markdown
from bot.model import (
    Attribution,
    Card,
    Choices,
    Code,
    DatedNote,
    Facts,
    Formatted,
    Heading,
    Items,
    Part,
    Reply,
    ShowRest,
    Table,
    Text,
)


def markdown_text(reply: Reply) -> str:
    """The reply as Markdown: of a long answer the whole, and of buttons their labels."""
    sources = [plain_answer(p.source, p.answer_format) for p in reply.parts if isinstance(p, Formatted)]
    parts = (
        replace(part, summary="") if isinstance(part, Card) and any(part.summary in text for text in sources) else part
        for part in reply.parts
    )
    return "\n\n".join(text for part in parts if (text := _part_markdown(part)))


def _part_markdown(part: Part) -> str:
    match part:
        case Heading(text):
            return f"## {_line(text)}"
        case Text(text):
            return to_markdown(text, "plain")
        case Formatted(_, source, answer_format):
            return to_markdown(source, answer_format)
        case ShowRest():
            return ""
        case Card(title, subtitle, summary, links):
            lines = [f"## {_line(title)}", f"_{_line(subtitle)}_" if subtitle.strip() else "", escape_text(summary)]
            listed = " · ".join(f"[{_line(link.label)}](<{link.url}>)" for link in links)
            return "\n\n".join(line for line in (*lines, listed) if line)
        case Facts(rows):
            return "\n".join(f"- **{_line(label)}:** {_line(value)}" for label, value in rows)
        case Code(label, spans):
            texts = (f"`` {span.text} ``" if span.code else escape_text(span.text) for span in spans)
            return f"**{_line(label)}:** {''.join(texts)}"
        case Items(items, heading, numbered):
            lines = [
                f"{f'{number}.' if numbered else '-'} **{_line(item.title)}**"
                + (f": {_line(item.text)}" if item.text else "")
                for number, item in enumerate(items, 1)
            ]
            return (f"**{_line(heading)}**\n\n" if heading else "") + "\n".join(lines)
        case Table(columns, rows):
            header = [_row([_line(name) for name in columns]), _row(["---"] * len(columns))]
            return "\n".join([*header, *map(_row, ([_line(cell) for cell in row] for row in rows))])
        case Choices(heading, choices):
            return f"{_line(heading)}\n\n" + "\n".join(f"- {_line(choice.label)}" for choice in choices)
        case DatedNote(note):
            source = f"[{_line(note.source)}](<{note.url}>)" if note.url else _line(note.source)
            lines = [f"**{note.date}:** {note.text.strip()}", *([f"({source})"] if source else [])]
            return "\n".join(f"> {line}" for line in "\n".join(lines).split("\n"))
        case Attribution(text, url):
            return f"[{_line(text)}](<{url}>)" if url else _line(text)


def _line(text: str) -> str:
    """A text on one line."""
    return escape_text(" ".join(text.split()))


def _row(cells: list[str] | tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"
