"""The two charts of the README, as SVG: accuracy against typos, and cost against size."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

from bot.tools.measure import SIZES, SLIPS, Row

Points = Sequence[tuple[float, float]]
Scale = Callable[[float], float]

COLOURS = {
    "AskPy": "#0b6e4f",
    "rapidfuzz ratio": "#d1495b",
    "rapidfuzz token_sort_ratio": "#e08e45",
    "rapidfuzz WRatio": "#8d5a97",
    "SQLite FTS5": "#2e6fb7",
    "bm25s": "#7a8b99",
    "tantivy": "#4ba3a7",
    "TF-IDF + LinearSVC": "#8a7b2f",
}
WIDTH, HEIGHT = 800, 400
LEFT, TOP, RIGHT, BOTTOM = 60, 52, 540, 344
LINE = 15
"""Height of a label; labels beside each other are kept this far apart."""


def draw(results: Mapping[tuple[str, str, str], Row], folder: Path) -> None:
    """Write what the results allow: accuracy-typos.svg and cost-size.svg."""
    folder.mkdir(parents=True, exist_ok=True)
    curve = {key[2]: [(n, row[str(n)]) for n in SLIPS] for key, row in results.items() if key[0] == "typos"}
    if curve:
        (folder / "accuracy-typos.svg").write_text(accuracy(curve), encoding="utf-8")
    growth: dict[str, list[tuple[float, float]]] = {}
    for (part, subject, matcher), row in results.items():
        if part == "growth":
            growth.setdefault(matcher, []).append((float(subject), row["p50"]))
    if growth:
        (folder / "cost-size.svg").write_text(cost(growth), encoding="utf-8")


def accuracy(lines: Mapping[str, Points]) -> str:
    """Accuracy at 1 by the number of slips."""
    low = 10 * math.floor(min(y for points in lines.values() for _, y in points) / 10)
    high = 10 * math.ceil(max(y for points in lines.values() for _, y in points) / 10)

    def across(x: float) -> float:
        return LEFT + (x - SLIPS[0]) / (SLIPS[-1] - SLIPS[0]) * (RIGHT - LEFT)

    def down(y: float) -> float:
        return BOTTOM - (y - low) / (high - low) * (BOTTOM - TOP)

    title = "Right first answers in per cent, by typing slips in the question"
    note = "CLINC150: 150 entries with 10 phrasings each, held-out questions"
    marks = [(across(n), str(n)) for n in SLIPS], [(down(y), str(y)) for y in range(low, high + 1, 10)]
    return _chart(title, note, "slips in a question", marks, lines, across, down)


def cost(lines: Mapping[str, Points]) -> str:
    """Milliseconds a question by the number of phrasings; both by powers of ten."""
    values = [y for points in lines.values() for _, y in points]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    first, last = math.log10(SIZES[0][0]), math.log10(SIZES[-1][0])

    def across(x: float) -> float:
        return LEFT + (math.log10(x) - first) / (last - first) * (RIGHT - LEFT)

    def down(y: float) -> float:
        return BOTTOM - (math.log10(y) - low) / (high - low) * (BOTTOM - TOP)

    title = "Milliseconds for one question, by phrasings in the pack"
    note = "Median on one core; both axes by powers of ten"
    marks = [(across(n), f"{n:,}") for n, _ in SIZES], [(down(10**y), f"{10**y:g}") for y in range(low, high + 1)]
    return _chart(title, note, "phrasings", marks, lines, across, down)


Marks = tuple[Sequence[tuple[float, str]], Sequence[tuple[float, str]]]


def _chart(
    title: str, note: str, below: str, marks: Marks, lines: Mapping[str, Points], across: Scale, down: Scale
) -> str:
    body = [_text(LEFT, 22, title, 'font-weight="600" font-size="15"'), _text(LEFT, 40, note, 'fill="#57606a"')]
    for y, name in marks[1]:
        body.append(f'<path d="M{LEFT} {y:.1f}H{RIGHT}" stroke="#d8dee4"/>')
        body.append(_text(LEFT - 8, y + 4, name, 'text-anchor="end" fill="#57606a"'))
    for x, name in marks[0]:
        body.append(_text(x, BOTTOM + 20, name, 'text-anchor="middle" fill="#57606a"'))
    body.append(_text((LEFT + RIGHT) / 2, BOTTOM + 40, below, 'text-anchor="middle" fill="#57606a"'))
    ends = {name: down(points[-1][1]) for name, points in lines.items()}
    for name, y in apart(ends).items():
        points, colour, ours = lines[name], COLOURS.get(name, "#57606a"), name == "AskPy"
        path = "L".join(f"{across(x):.1f} {down(value):.1f}" for x, value in points)
        body.append(f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="{3.5 if ours else 1.8}"/>')
        body += [f'<circle cx="{across(x):.1f}" cy="{down(v):.1f}" r="3" fill="{colour}"/>' for x, v in points]
        end = across(points[-1][0])
        body.append(f'<path d="M{end + 4:.1f} {ends[name]:.1f}L{RIGHT + 18} {y:.1f}" stroke="{colour}" opacity=".5"/>')
        weight = ' font-weight="600"' if ours else ""
        body.append(_text(RIGHT + 22, y + 4, f"{name}  {_short(points[-1][1])}", f'fill="{colour}"{weight}'))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}"'
        ' font-family="system-ui, sans-serif" font-size="12" fill="#1f2328">\n'
        f'<rect width="{WIDTH}" height="{HEIGHT}" rx="8" fill="#fff"/>\n' + "\n".join(body) + "\n</svg>\n"
    )


def apart(heights: Mapping[str, float]) -> dict[str, float]:
    """Labels from top to bottom, none over another and none below the chart."""
    ordered = sorted(heights, key=lambda name: heights[name])
    placed: list[float] = []
    for name in ordered:
        placed.append(max(heights[name], placed[-1] + LINE if placed else 0.0))
    over = max(0.0, placed[-1] - BOTTOM) if placed else 0.0
    for at in reversed(range(len(placed))):
        limit = placed[at + 1] - LINE if at + 1 < len(placed) else placed[at] - over
        placed[at] = min(placed[at], limit)
    return dict(zip(ordered, placed, strict=True))


def _short(value: float) -> str:
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def _text(x: float, y: float, text: str, more: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" {more}>{escape(text)}</text>'
