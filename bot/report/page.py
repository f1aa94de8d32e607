"""The report as one HTML page without scripts and outside resources, for light and dark screens and for paper."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from bot.report import svg_charts
from bot.report.figures import ComplaintSummary, Figures, OutcomeCounts, PilotSummary
from bot.report.formatting import (
    NO_QUESTIONS,
    compare_shares,
    due_rows,
    format_changes,
    format_day,
    format_help,
    format_period,
    format_reasons,
    format_votes,
    heading,
    per_cent,
    summed_note,
)

STYLE_FILE = Path(__file__).with_name("page.css")
CONTENT_SECURITY_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""Has the browser refuse scripts and everything that isn't in the page."""
MAX_SIMILAR = 5
"""Questions shown below the one that they are similar to."""

Rows = Sequence[Sequence[str]]


class Html(str):
    """A table cell that is HTML already and isn't escaped."""


def render_page(figures: Figures, footer: str) -> str:
    """The whole page. `footer`: by what and when it was made."""
    title = escape(heading(figures))
    parts = [_tiles(figures), *_sections(figures)]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{CONTENT_SECURITY_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n<meta name="robots" content="noindex">\n'
        f"<title>{title}</title>\n<style>\n{STYLE_FILE.read_text(encoding='utf-8')}</style>\n</head>\n<body>\n<main>\n"
        f"<h1>{title}</h1>\n" + "\n".join(parts) + f"\n</main>\n<footer>{escape(footer)}</footer>\n</body>\n</html>\n"
    )


def _tiles(figures: Figures) -> str:
    """The three figures at the top, and the sentences below them."""
    if not figures.total.asked:
        return f"<p>{NO_QUESTIONS}</p>"
    total = figures.total
    tiles = [
        ("Answered", per_cent(total.share), f"{total.answered:,} of {total.asked:,} questions", "answered"),
        ("Offered a choice", f"{total.offered:,}", per_cent(100 * total.offered / total.asked), "offered"),
        ("Missed", f"{total.missed:,}", per_cent(100 * total.missed / total.asked), "missed"),
    ]
    cells = "".join(
        f'<div class="{kind}"><dt>{escape(name)}</dt><dd><b>{escape(figure)}</b> <span>{escape(note)}</span></dd></div>'
        for name, figure, note, kind in tiles
    )
    comparison = compare_shares(total, figures.before, figures.days)
    sentences = [f"The share answered is {comparison}."] if comparison else []
    if figures.smalltalk:
        sentences.append(f"Greetings, thanks and calls for help came on top: {figures.smalltalk:,}.")
    return f"<dl>{cells}</dl>" + (f"\n<p>{escape(' '.join(sentences))}</p>" if sentences else "")


def _sections(figures: Figures) -> Iterable[str]:
    if figures.total.asked:
        yield from _period_sections(figures)
    if figures.misses:
        yield _miss_section(figures)
    if figures.complaints:
        yield _complaint_section(figures.complaints)
    if figures.pilots:
        yield _pilot_section(figures.pilots)
    if figures.help_summary is not None:
        yield _section("Put to people", "", f"<p>{escape(format_help(figures.help_summary))}.</p>")
    if figures.due:
        yield _due_section(figures)
    if changes := format_changes(figures.changes):
        yield _section("Changed by curators", "", f"<p>{escape(changes)}.</p>")
    if figures.summed_workspaces:
        yield f"<p>{escape(summed_note(figures))}</p>"


def _period_sections(figures: Figures) -> Iterable[str]:
    unit = "week" if figures.by_week else "day"
    counts: Rows = [(format_period(period), *_numbers(period.counts)) for period in figures.periods]
    head: Sequence[str] = (unit.capitalize(), "Asked", "Answered", "Offered", "Missed")
    table = _table(f"Questions by {unit}", head, counts, 4, ("All", *_numbers(figures.total)))
    yield _section(f"Questions by {unit}", svg_charts.outcome_chart(figures.periods), table)
    shares: Rows = [(format_period(period), per_cent(period.counts.share)) for period in figures.periods]
    head = (unit.capitalize(), "Answered")
    table = _table("Share answered", head, shares, 1, ("All", per_cent(figures.total.share)))
    yield _section("Share answered", svg_charts.share_chart(figures.periods, figures.before), table)


def _miss_section(figures: Figures) -> str:
    rows: Rows = [
        (
            _with_similar(cluster.text, cluster.similar),
            cluster.nearest or "nothing",
            f"{cluster.count:,}",
            format_day(cluster.last),
        )
        for cluster in figures.misses
    ]
    table = _table("Missed, by similarity", ("Question", "Nearest", "In all", "Last"), rows, 2)
    more = f"<p>And {figures.hidden_clusters:,} more, in Slack's Home tab.</p>" if figures.hidden_clusters else ""
    return _section("Missed most", svg_charts.miss_chart(figures.misses), table + more)


def _complaint_section(complaints: Sequence[ComplaintSummary]) -> str:
    rows: Rows = [(c.answer, format_reasons(c.reasons), f"{c.count:,}", format_day(c.last)) for c in complaints]
    return _section("Not helpful", "", _table("Answers voted not helpful", ("Answer", "Why", "Votes", "Last"), rows, 2))


def _due_section(figures: Figures) -> str:
    rows: Rows = [(answer, owner, reviewed, review_by) for review_by, answer, owner, reviewed in due_rows(figures)]
    table = _table("Answers to be checked", ("Answer", "Owner", "Checked", "By"), rows, 2)
    more = f"<p>And {figures.hidden_due:,} more.</p>" if figures.hidden_due else ""
    return _section("To be checked", "", table + more)


def _pilot_section(pilots: Sequence[PilotSummary]) -> str:
    rows: Rows = [(pilot.channel, format_votes(pilot), *_numbers(pilot.counts)[1:]) for pilot in pilots]
    head = ("Channel", "Votes", "Answered", "Offered", "Missed")
    note = "<p>Helpful, in per cent, is the share of all votes that said so.</p>"
    return _section(
        "Channels on trial", svg_charts.pilot_chart(pilots), _table("Channels on trial", head, rows, 3) + note
    )


def _numbers(counts: OutcomeCounts) -> tuple[str, ...]:
    return f"{counts.asked:,}", f"{counts.answered:,}", f"{counts.offered:,}", f"{counts.missed:,}"


def _with_similar(text: str, similar: Sequence[str]) -> Html:
    """A question, and below it those similar to it."""
    items = "".join(f"<li>{escape(question)}</li>" for question in similar[:MAX_SIMILAR])
    more = f"<li>and {len(similar) - MAX_SIMILAR:,} more</li>" if len(similar) > MAX_SIMILAR else ""
    return Html(escape(text) + (f"<ul>{items}{more}</ul>" if items else ""))


def _section(title: str, chart: str, table: str) -> str:
    body = f"<figure>{chart}</figure>\n<div>{table}</div>" if chart else f"<div>{table}</div>"
    return f"<section{'' if chart else ' class=plain'}>\n<h2>{escape(title)}</h2>\n{body}\n</section>"


def _table(caption: str, head: Sequence[str], rows: Rows, numbers: int, total: Sequence[str] = ()) -> str:
    """A table whose last `numbers` columns are numbers; the first column names the row."""
    texts = len(head) - numbers
    top = "".join(f"<th scope=col{_number_class(n, texts)}>{escape(name)}</th>" for n, name in enumerate(head))
    body = "".join(f"<tr>{_row(row, texts)}</tr>" for row in rows)
    foot = f"<tfoot><tr>{_row(total, texts)}</tr></tfoot>" if total else ""
    return (
        f"<table><caption>{escape(caption)}</caption><thead><tr>{top}</tr></thead><tbody>{body}</tbody>{foot}</table>"
    )


def _row(row: Sequence[str], texts: int) -> str:
    first, *others = [cell if isinstance(cell, Html) else escape(cell) for cell in row]
    cells = "".join(f"<td{_number_class(n, texts)}>{cell}</td>" for n, cell in enumerate(others, 1))
    return f"<th scope=row>{first}</th>{cells}"


def _number_class(column: int, texts: int) -> str:
    return " class=n" if column >= texts else ""
