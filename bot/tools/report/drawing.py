"""The page's charts, as inline SVG: coloured by the page's style sheet, told in words for whoever doesn't see them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from bot.tools.report.figures import Count, Missed, Span, Tried
from bot.tools.report.wording import OUTCOMES, day, helpful, per_cent, span

WIDTH = 400
"""Units across; a phone shows a chart at about this many pixels, so that its words stay legible."""
LEFT, RIGHT, TOP, BASE, HEIGHT = 44, 396, 32, 192, 232
FONT = 6.6
"""Units that a letter takes, about."""


def columns(spans: Sequence[Span]) -> str:
    """Questions by day: answered at the bottom, offered and missed on top."""
    most = max((one.count.asked for one in spans), default=0)
    step = _step(most)
    top = max(step, math.ceil(most / step) * step)
    body = [*_grid(range(0, top + 1, step), top, ""), *_legend()]
    for n, one in enumerate(spans):
        body += _column(one.count, n, len(spans), top)
    total = _total(spans)
    told = "; ".join(f"{span(one)}: {_words(one.count)}" for one in spans if one.count.asked) or "no questions"
    desc = f"{_words(total)} in all. {told}."
    return _svg("by-day", "Questions by day" if _daily(spans) else "Questions by week", desc, [*body, *_days(spans)])


def shares(spans: Sequence[Span], before: Count) -> str:
    """The share answered by day, as a line, and that of the period before as a level."""
    body = _grid(range(0, 101, 25), 100, " %")
    points = [
        (_middle(n, len(spans)), _height(one.count.share, 100))
        for n, one in enumerate(spans)
        if one.count.share is not None
    ]
    desc = "; ".join(f"{span(one)} {per_cent(one.count.share)}" for one in spans if one.count.share is not None) + "."
    if before.share is not None:
        y = _height(before.share, 100)
        body.append(f'<path class="level" d="M{LEFT} {y:.1f}H{RIGHT}"/>')
        words = f"before: {per_cent(before.share)}"
        body.append(_text(*_clear(y, len(words) * FONT, points), words, "end"))
        desc += f" In the period before: {per_cent(before.share)}."
    body.append(
        f'<path class="line" d="M{"L".join(f"{x:.1f} {y:.1f}" for x, y in points)}"/>' if len(points) > 1 else ""
    )
    body += [
        f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="{4 if len(points) <= 14 else 2.5}"/>' for x, y in points
    ]
    return _svg("share", "Share answered", desc, [*body, *_days(spans)])


def bars(misses: Sequence[Missed]) -> str:
    """What was missed, the most asked first: a line of words and a bar below it."""
    most = max(one.count for one in misses)
    body = []
    for n, one in enumerate(misses):
        y = 14 + n * 32
        wide = max(2.0, one.count / most * (WIDTH - 40))
        words = (
            one.text if len(one.text) * FONT < WIDTH - 12 else one.text[: int((WIDTH - 12) / FONT) - 1].rstrip() + "…"
        )
        body += [
            _text(0, y, words, "start", "ink"),
            f'<rect class="missed" x="0" y="{y + 5}" width="{wide:.1f}" height="9" rx="1.5"/>',
            _text(wide + 6, y + 13, f"{one.count:,}", "start"),
        ]
    desc = "; ".join(f"{one.text}: {one.count}" for one in misses) + "."
    return _svg("missed", "Missed most", desc, body, 32 * len(misses) + 4)


def trials(tried: Sequence[Tried]) -> str:
    """How each channel's questions ended, a bar of whole width for each."""
    body = _legend()
    for n, one in enumerate(tried):
        y = TOP + 14 + n * 34
        body.append(_text(0, y, one.channel, "start", "ink"))
        body.append(_text(WIDTH, y, f"{one.count.asked:,} asked, {helpful(one)}", "end"))
        x = 0.0
        for name in OUTCOMES:
            wide = getattr(one.count, name) / (one.count.asked or 1) * WIDTH
            if wide:
                body.append(
                    f'<rect class="{name}" x="{x:.1f}" y="{y + 5}" width="{max(0.5, wide - 1):.1f}" height="10"/>'
                )
            x += wide
    desc = "; ".join(f"{one.channel}: {_words(one.count)}" for one in tried) + "."
    return _svg("trials", "Channels on trial", desc, body, TOP + 34 * len(tried) + 4)


# --- pieces


def _clear(level: float, wide: float, points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Where a level's words end, and their base line: at the side and the edge that keep farthest from the points' line."""
    heights = [y for y in (level - 5, level + 13) if TOP - 4 < y < BASE - 2]
    places = [(x, y) for x in (RIGHT, LEFT + wide + 4) for y in heights]
    return max(places, key=lambda place: min(20.0, _room(place, wide, points)))


def _room(place: tuple[float, float], wide: float, points: Sequence[tuple[float, float]]) -> float:
    """Units between the line and words that end there."""
    (end, base), found = place, [math.inf]
    for (x, y), (following, to) in zip(points, [*points[1:], points[-1]], strict=True) if points else ():
        for step in range(9):
            at = x + (following - x) * step / 8
            if end - wide - 8 <= at <= end + 8:
                height = y + (to - y) * step / 8
                found.append(max(base - 9 - height, height - base - 2, 0.0))
    return min(found)


def _column(count: Count, n: int, of: int, top: int) -> list[str]:
    room = (RIGHT - LEFT) / of
    wide = max(1.0, min(34.0, room * 0.72))
    x, y, drawn = _middle(n, of) - wide / 2, float(BASE), []
    for name in OUTCOMES:
        tall = getattr(count, name) / top * (BASE - TOP)
        y -= tall
        if tall:
            drawn.append(
                f'<rect class="{name}" x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{max(0.6, tall - 0.8):.1f}"/>'
            )
    if count.asked and room >= 20:
        drawn.append(_text(x + wide / 2, y - 4, f"{count.asked:,}", "middle", "ink"))
    return drawn


def _grid(values: Sequence[int] | range, top: int, unit: str) -> list[str]:
    drawn = []
    for value in values:
        y = _height(value, top)
        drawn += [
            f'<path class="grid" d="M{LEFT} {y:.1f}H{RIGHT}"/>',
            _text(LEFT - 5, y + 4, f"{value:,}{unit}", "end"),
        ]
    return drawn


def _legend() -> list[str]:
    drawn = []
    for x, (name, words) in zip((0, 88, 220), OUTCOMES.items(), strict=True):
        drawn.append(f'<rect class="{name}" x="{x}" y="3" width="10" height="10" rx="2"/>')
        drawn.append(_text(x + 15, 12, words, "start"))
    return drawn


def _days(spans: Sequence[Span]) -> list[str]:
    """The days below; of many, each second, third and so on, so that none runs into another."""
    every = max(1, math.ceil(len(spans) * 42 / (RIGHT - LEFT)))
    drawn = []
    for n, one in list(enumerate(spans))[::every]:
        above = "from" if not _daily(spans) else f"{one.first:%a}" if every == 1 else ""
        drawn.append(_text(_middle(n, len(spans)), BASE + 15, above, "middle"))
        drawn.append(_text(_middle(n, len(spans)), BASE + 29, day(one.first), "middle"))
    return drawn


def _daily(spans: Sequence[Span]) -> bool:
    return all(one.first == one.last for one in spans)


def _total(spans: Sequence[Span]) -> Count:
    counts = [one.count for one in spans]
    return Count(*(sum(getattr(count, name) for count in counts) for name in OUTCOMES))


def _words(count: Count) -> str:
    return f"{count.asked:,} asked, {count.answered:,} answered, {count.offered:,} offered a choice, {count.missed:,} missed"


def _step(most: int) -> int:
    """A round distance between lines, of which there are at most five."""
    for factor in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 100_000, 1_000_000):
        if most <= factor * 5:
            return factor
    return math.ceil(most / 5)


def _middle(n: int, of: int) -> float:
    return LEFT + (n + 0.5) * (RIGHT - LEFT) / of


def _height(value: float | None, top: int) -> float:
    return BASE - (value or 0) / top * (BASE - TOP)


def _text(x: float, y: float, words: str, anchor: str, kind: str = "") -> str:
    css = f' class="{kind}"' if kind else ""
    return f'<text{css} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>' if words else ""


def _svg(name: str, title: str, desc: str, body: Sequence[str], height: int = HEIGHT) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-labelledby="{name}-title {name}-desc">'
        f'<title id="{name}-title">{escape(title)}</title><desc id="{name}-desc">{escape(desc)}</desc>'
        f"{''.join(body)}</svg>"
    )
