"""The page's charts as inline SVG, coloured by its style sheet. Each has a description in words for screen readers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from bot.report.figures import MissCluster, OutcomeCounts, Period, PilotSummary
from bot.report.formatting import OUTCOMES, format_day, format_period, format_votes, per_cent

WIDTH = 400
"""Units of the view box; a phone shows a chart at about as many pixels, so that its texts stay legible."""
LEFT, RIGHT, TOP, BASE, HEIGHT = 44, 396, 32, 192, 232
LETTER_WIDTH = 6.6
"""Approximate units of a letter."""


def outcome_chart(periods: Sequence[Period]) -> str:
    """Questions by day or week as stacked columns: answered at the bottom, then offered, then missed."""
    most = max((period.counts.asked for period in periods), default=0)
    step = _grid_step(most)
    top = max(step, math.ceil(most / step) * step)
    body = [*_grid(range(0, top + 1, step), top, ""), *_legend()]
    for n, period in enumerate(periods):
        body += _column(period.counts, n, len(periods), top)
    texts = [f"{format_period(period)}: {_describe(period.counts)}" for period in periods if period.counts.asked]
    desc = f"{_describe(_total(periods))} in all. {'; '.join(texts) or 'no questions'}."
    title = "Questions by day" if _is_daily(periods) else "Questions by week"
    return _svg("by-day", title, desc, [*body, *_period_labels(periods)])


def share_chart(periods: Sequence[Period], before: OutcomeCounts) -> str:
    """The share answered by day or week as a line, and that of the period before as a horizontal line."""
    body = _grid(range(0, 101, 25), 100, " %")
    answered = [(n, period, period.counts.share) for n, period in enumerate(periods) if period.counts.share is not None]
    points = [(_column_centre(n, len(periods)), _y(share, 100)) for n, _, share in answered]
    desc = "; ".join(f"{format_period(period)} {per_cent(share)}" for _, period, share in answered) + "."
    if before.share is not None:
        y = _y(before.share, 100)
        body.append(f'<path class="level" d="M{LEFT} {y:.1f}H{RIGHT}"/>')
        label = f"before: {per_cent(before.share)}"
        body.append(_text(*_label_position(y, len(label) * LETTER_WIDTH, points), label, "end"))
        desc += f" In the period before: {per_cent(before.share)}."
    if len(points) > 1:
        body.append(f'<path class="line" d="M{"L".join(f"{x:.1f} {y:.1f}" for x, y in points)}"/>')
    radius = 4 if len(points) <= 14 else 2.5
    body += [f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="{radius}"/>' for x, y in points]
    return _svg("share", "Share answered", desc, [*body, *_period_labels(periods)])


def miss_chart(clusters: Sequence[MissCluster]) -> str:
    """Misses as horizontal bars, each with its text above it."""
    most = max(cluster.count for cluster in clusters)
    limit = int((WIDTH - 12) / LETTER_WIDTH)
    body = []
    for n, cluster in enumerate(clusters):
        y = 14 + n * 32
        width = max(2.0, cluster.count / most * (WIDTH - 40))
        fits = len(cluster.text) * LETTER_WIDTH < WIDTH - 12
        body += [
            _text(0, y, cluster.text if fits else cluster.text[: limit - 1].rstrip() + "…", "start", "ink"),
            f'<rect class="missed" x="0" y="{y + 5}" width="{width:.1f}" height="9" rx="1.5"/>',
            _text(width + 6, y + 13, f"{cluster.count:,}", "start"),
        ]
    desc = "; ".join(f"{cluster.text}: {cluster.count}" for cluster in clusters) + "."
    return _svg("missed", "Missed most", desc, body, 32 * len(clusters) + 4)


def pilot_chart(pilots: Sequence[PilotSummary]) -> str:
    """The outcomes in each pilot channel as a bar of the whole width."""
    body = _legend()
    for n, pilot in enumerate(pilots):
        y = TOP + 14 + n * 34
        body.append(_text(0, y, pilot.channel, "start", "ink"))
        body.append(_text(WIDTH, y, f"{pilot.counts.asked:,} asked, {format_votes(pilot)}", "end"))
        x = 0.0
        for name in OUTCOMES:
            width = getattr(pilot.counts, name) / (pilot.counts.asked or 1) * WIDTH
            if width:
                body.append(
                    f'<rect class="{name}" x="{x:.1f}" y="{y + 5}" width="{max(0.5, width - 1):.1f}" height="10"/>'
                )
            x += width
    desc = "; ".join(f"{pilot.channel}: {_describe(pilot.counts)}" for pilot in pilots) + "."
    return _svg("trials", "Channels on trial", desc, body, TOP + 34 * len(pilots) + 4)


# --- parts of charts

Point = tuple[float, float]


def _label_position(level: float, width: float, points: Sequence[Point]) -> Point:
    """Right end and base line of a label at a horizontal line: above or below it, left or right, farthest from the curve."""
    baselines = [y for y in (level - 5, level + 13) if TOP - 4 < y < BASE - 2]
    positions = [(x, y) for x in (RIGHT, LEFT + width + 4) for y in baselines]
    return max(positions, key=lambda position: min(20.0, _distance_to_curve(position, width, points)))


def _distance_to_curve(position: Point, width: float, points: Sequence[Point]) -> float:
    """Vertical distance in units between a label and the curve through `points`, sampled at eight steps a segment."""
    end, base = position
    distances = [math.inf]
    for (x, y), (next_x, next_y) in zip(points, [*points[1:], *points[-1:]], strict=True):
        for step in range(9):
            if end - width - 8 <= x + (next_x - x) * step / 8 <= end + 8:
                curve = y + (next_y - y) * step / 8
                distances.append(max(base - 9 - curve, curve - base - 2, 0.0))
    return min(distances)


def _column(counts: OutcomeCounts, n: int, columns: int, top: int) -> list[str]:
    """Column `n` of the stacked columns; `top`: the questions at the upper edge."""
    room = (RIGHT - LEFT) / columns
    width = max(1.0, min(34.0, room * 0.72))
    x, y, shapes = _column_centre(n, columns) - width / 2, float(BASE), []
    for name in OUTCOMES:
        height = getattr(counts, name) / top * (BASE - TOP)
        y -= height
        if height:
            shapes.append(
                f'<rect class="{name}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{max(0.6, height - 0.8):.1f}"/>'
            )
    if counts.asked and room >= 20:
        shapes.append(_text(x + width / 2, y - 4, f"{counts.asked:,}", "middle", "ink"))
    return shapes


def _grid(values: Sequence[int] | range, top: int, unit: str) -> list[str]:
    shapes = []
    for value in values:
        y = _y(value, top)
        shapes += [
            f'<path class="grid" d="M{LEFT} {y:.1f}H{RIGHT}"/>',
            _text(LEFT - 5, y + 4, f"{value:,}{unit}", "end"),
        ]
    return shapes


def _legend() -> list[str]:
    shapes = []
    for x, (name, label) in zip((0, 88, 220), OUTCOMES.items(), strict=True):
        shapes.append(f'<rect class="{name}" x="{x}" y="3" width="10" height="10" rx="2"/>')
        shapes.append(_text(x + 15, 12, label, "start"))
    return shapes


def _period_labels(periods: Sequence[Period]) -> list[str]:
    """Dates below the columns; with many columns every second, third and so on, so that they don't overlap."""
    every = max(1, math.ceil(len(periods) * 42 / (RIGHT - LEFT)))
    shapes = []
    for n, period in list(enumerate(periods))[::every]:
        above = "from" if not _is_daily(periods) else f"{period.first:%a}" if every == 1 else ""
        centre = _column_centre(n, len(periods))
        shapes.append(_text(centre, BASE + 15, above, "middle"))
        shapes.append(_text(centre, BASE + 29, format_day(period.first), "middle"))
    return shapes


def _is_daily(periods: Sequence[Period]) -> bool:
    return all(period.first == period.last for period in periods)


def _total(periods: Sequence[Period]) -> OutcomeCounts:
    return OutcomeCounts(*(sum(getattr(period.counts, name) for period in periods) for name in OUTCOMES))


def _describe(counts: OutcomeCounts) -> str:
    return f"{counts.asked:,} asked, {counts.answered:,} answered, {counts.offered:,} offered a choice, {counts.missed:,} missed"


def _grid_step(most: int) -> int:
    """A round distance between grid lines, of which there are at most five."""
    for step in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 100_000, 1_000_000):
        if most <= step * 5:
            return step
    return math.ceil(most / 5)


def _column_centre(n: int, columns: int) -> float:
    return LEFT + (n + 0.5) * (RIGHT - LEFT) / columns


def _y(value: float, top: int) -> float:
    return BASE - value / top * (BASE - TOP)


def _text(x: float, y: float, text: str, anchor: str, css_class: str = "") -> str:
    css = f' class="{css_class}"' if css_class else ""
    return f'<text{css} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>' if text else ""


def _svg(name: str, title: str, desc: str, body: Sequence[str], height: int = HEIGHT) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-labelledby="{name}-title {name}-desc">'
        f'<title id="{name}-title">{escape(title)}</title><desc id="{name}-desc">{escape(desc)}</desc>'
        f"{''.join(body)}</svg>"
    )
