"""The report as one HTML page: nothing outside it, no script; light and dark, on paper too."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from bot.tools.report import drawing
from bot.tools.report.figures import Complained, Count, Figures, Tried
from bot.tools.report.wording import (
    NO_QUESTIONS,
    changed,
    compared,
    day,
    heading,
    helpful,
    per_cent,
    reasons,
    span,
    summed,
)

STYLE = Path(__file__).with_name("page.css")
NOTHING_OUTSIDE = "default-src 'none'; style-src 'unsafe-inline'"
"""The browser itself then refuses scripts and anything that isn't in the page."""
MOST_OTHERS = 5
"""Questions shown below the one that they are like."""

Rows = Sequence[Sequence[str]]


class Html(str):
    """A cell that is HTML already."""


def page(found: Figures, made: str) -> str:
    """The whole page; `made` says by what and when."""
    title = escape(heading(found))
    parts = [_tiles(found), *_sections(found)]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{NOTHING_OUTSIDE}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n<meta name="robots" content="noindex">\n'
        f"<title>{title}</title>\n<style>\n{STYLE.read_text(encoding='utf-8')}</style>\n</head>\n<body>\n<main>\n"
        f"<h1>{title}</h1>\n" + "\n".join(parts) + f"\n</main>\n<footer>{escape(made)}</footer>\n</body>\n</html>\n"
    )


def _tiles(found: Figures) -> str:
    if not found.total.asked:
        return f"<p>{NO_QUESTIONS}</p>"
    total = found.total
    tiles = [
        ("Answered", per_cent(total.share), f"{total.answered:,} of {total.asked:,} questions", "answered"),
        ("Offered a choice", f"{total.offered:,}", per_cent(100 * total.offered / total.asked), "offered"),
        ("Missed", f"{total.missed:,}", per_cent(100 * total.missed / total.asked), "missed"),
    ]
    cells = "".join(
        f'<div class="{kind}"><dt>{escape(name)}</dt><dd><b>{escape(figure)}</b> <span>{escape(note)}</span></dd></div>'
        for name, figure, note, kind in tiles
    )
    against = compared(total, found.before, (found.last - found.first).days + 1)
    told = [f"The share answered is {against}." if against else ""]
    told.append(f"Greetings, thanks and calls for help came on top: {found.smalltalk:,}." if found.smalltalk else "")
    sentence = " ".join(filter(None, told))
    return f"<dl>{cells}</dl>" + (f"\n<p>{escape(sentence)}</p>" if sentence else "")


def _sections(found: Figures) -> Iterable[str]:
    if found.total.asked:
        yield from _by_day(found)
    if found.misses:
        yield _misses(found)
    if found.complaints:
        yield _complaints(found.complaints)
    if found.trials:
        yield _trials(found.trials)
    if changed(found.changes):
        yield _section("Changed by curators", "", f"<p>{escape(changed(found.changes))}.</p>")
    if found.others:
        yield f"<p>{escape(summed(found))}</p>"


def _by_day(found: Figures) -> Iterable[str]:
    unit = "week" if found.by_week else "day"
    counts: Rows = [(span(one), *_numbers(one.count)) for one in found.spans]
    head: Sequence[str] = (unit.capitalize(), "Asked", "Answered", "Offered", "Missed")
    table = _table(f"Questions by {unit}", head, counts, 4, ("All", *_numbers(found.total)))
    yield _section(f"Questions by {unit}", drawing.columns(found.spans), table)
    shares: Rows = [(span(one), per_cent(one.count.share)) for one in found.spans]
    head = (unit.capitalize(), "Answered")
    table = _table("Share answered", head, shares, 1, ("All", per_cent(found.total.share)))
    yield _section("Share answered", drawing.shares(found.spans, found.before), table)


def _misses(found: Figures) -> str:
    rows: Rows = [
        (_with_others(one.text, one.others), one.nearest or "nothing", f"{one.count:,}", day(one.last))
        for one in found.misses
    ]
    table = _table("Missed, by likeness", ("Question", "Nearest", "In all", "Last"), rows, 2)
    more = f"<p>And {found.more_misses:,} more, in Slack's Home tab.</p>" if found.more_misses else ""
    return _section("Missed most", drawing.bars(found.misses), table + more)


def _complaints(found: Sequence[Complained]) -> str:
    rows: Rows = [(one.answer, reasons(one.reasons), f"{one.count:,}", day(one.last)) for one in found]
    return _section("Not helpful", "", _table("Answers voted not helpful", ("Answer", "Why", "Votes", "Last"), rows, 2))


def _trials(found: Sequence[Tried]) -> str:
    rows: Rows = [(one.channel, helpful(one), *_numbers(one.count)[1:]) for one in found]
    head = ("Channel", "Votes", "Answered", "Offered", "Missed")
    note = "<p>Helpful, in per cent, is the share of all votes that said so.</p>"
    return _section("Channels on trial", drawing.trials(found), _table("Channels on trial", head, rows, 3) + note)


def _numbers(count: Count) -> tuple[str, ...]:
    return f"{count.asked:,}", f"{count.answered:,}", f"{count.offered:,}", f"{count.missed:,}"


def _with_others(text: str, others: Sequence[str]) -> Html:
    """A question, and below it those like it."""
    listed = "".join(f"<li>{escape(each)}</li>" for each in others[:MOST_OTHERS])
    more = f"<li>and {len(others) - MOST_OTHERS:,} more</li>" if len(others) > MOST_OTHERS else ""
    return Html(escape(text) + (f"<ul>{listed}{more}</ul>" if listed else ""))


def _section(title: str, chart: str, table: str) -> str:
    body = f"<figure>{chart}</figure>\n<div>{table}</div>" if chart else f"<div>{table}</div>"
    return f"<section{'' if chart else ' class=plain'}>\n<h2>{escape(title)}</h2>\n{body}\n</section>"


def _table(caption: str, head: Sequence[str], rows: Rows, numbers: int, whole: Sequence[str] = ()) -> str:
    """A table whose last `numbers` columns are figures; the first names the row."""
    plain = len(head) - numbers
    top = "".join(f"<th scope=col{_figure(n, plain)}>{escape(name)}</th>" for n, name in enumerate(head))
    body = "".join(f"<tr>{_cells(row, plain)}</tr>" for row in rows)
    foot = f"<tfoot><tr>{_cells(whole, plain)}</tr></tfoot>" if whole else ""
    return (
        f"<table><caption>{escape(caption)}</caption><thead><tr>{top}</tr></thead><tbody>{body}</tbody>{foot}</table>"
    )


def _cells(row: Sequence[str], plain: int) -> str:
    told = [cell if isinstance(cell, Html) else escape(cell) for cell in row]
    rest = "".join(f"<td{_figure(n, plain)}>{cell}</td>" for n, cell in enumerate(told) if n)
    return f"<th scope=row>{told[0]}</th>{rest}"


def _figure(column: int, plain: int) -> str:
    return " class=n" if column >= plain else ""
