"""The two charts of the README as SVG: accuracy over typos, and time over the size of the pack."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

from benchmarks.measure import SIZES, TYPO_COUNTS, Row

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
LABEL_HEIGHT = 15
"""Units between the base lines of two labels."""


def draw(results: Mapping[tuple[str, str, str], Row], folder: Path) -> None:
    """Write accuracy-typos.svg and cost-size.svg, each if its part of the results was measured."""
    folder.mkdir(parents=True, exist_ok=True)
    curve = {key[2]: [(n, row[str(n)]) for n in TYPO_COUNTS] for key, row in results.items() if key[0] == "typos"}
    if curve:
        (folder / "accuracy-typos.svg").write_text(accuracy_chart(curve), encoding="utf-8")
    growth: dict[str, list[tuple[float, float]]] = {}
    for (part, subject, matcher), row in results.items():
        if part == "growth":
            growth.setdefault(matcher, []).append((float(subject), row["p50"]))
    if growth:
        (folder / "cost-size.svg").write_text(cost_chart(growth), encoding="utf-8")


def accuracy_chart(lines: Mapping[str, Points]) -> str:
    """Accuracy at 1 by the number of typos."""
    low = 10 * math.floor(min(y for points in lines.values() for _, y in points) / 10)
    high = 10 * math.ceil(max(y for points in lines.values() for _, y in points) / 10)

    def scale_x(x: float) -> float:
        return LEFT + (x - TYPO_COUNTS[0]) / (TYPO_COUNTS[-1] - TYPO_COUNTS[0]) * (RIGHT - LEFT)

    def scale_y(y: float) -> float:
        return BOTTOM - (y - low) / (high - low) * (BOTTOM - TOP)

    title = "Right first answers in per cent, by typos in the question"
    note = "CLINC150: 150 entries with 10 phrasings each, held-out questions"
    marks = [(scale_x(n), str(n)) for n in TYPO_COUNTS], [(scale_y(y), str(y)) for y in range(low, high + 1, 10)]
    return _chart(title, note, "typos in a question", marks, lines, scale_x, scale_y)


def cost_chart(lines: Mapping[str, Points]) -> str:
    """Milliseconds of a question by the number of phrasings, both on logarithmic axes."""
    values = [y for points in lines.values() for _, y in points]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    first, last = math.log10(SIZES[0][0]), math.log10(SIZES[-1][0])

    def scale_x(x: float) -> float:
        return LEFT + (math.log10(x) - first) / (last - first) * (RIGHT - LEFT)

    def scale_y(y: float) -> float:
        return BOTTOM - (math.log10(y) - low) / (high - low) * (BOTTOM - TOP)

    title = "Milliseconds for one question, by phrasings in the pack"
    note = "Median on one core; both axes by powers of ten"
    marks = [(scale_x(n), f"{n:,}") for n, _ in SIZES], [(scale_y(10**y), f"{10**y:g}") for y in range(low, high + 1)]
    return _chart(title, note, "phrasings", marks, lines, scale_x, scale_y)


Marks = tuple[Sequence[tuple[float, str]], Sequence[tuple[float, str]]]
"""Positions and labels on the x axis and on the y axis."""


def _chart(
    title: str, note: str, x_label: str, marks: Marks, lines: Mapping[str, Points], scale_x: Scale, scale_y: Scale
) -> str:
    body = [_text(LEFT, 22, title, 'font-weight="600" font-size="15"'), _text(LEFT, 40, note, 'fill="#57606a"')]
    for y, name in marks[1]:
        body.append(f'<path d="M{LEFT} {y:.1f}H{RIGHT}" stroke="#d8dee4"/>')
        body.append(_text(LEFT - 8, y + 4, name, 'text-anchor="end" fill="#57606a"'))
    for x, name in marks[0]:
        body.append(_text(x, BOTTOM + 20, name, 'text-anchor="middle" fill="#57606a"'))
    body.append(_text((LEFT + RIGHT) / 2, BOTTOM + 40, x_label, 'text-anchor="middle" fill="#57606a"'))
    ends = {name: scale_y(points[-1][1]) for name, points in lines.items()}
    for name, y in spread_labels(ends).items():
        points, colour, is_ours = lines[name], COLOURS.get(name, "#57606a"), name == "AskPy"
        path = "L".join(f"{scale_x(x):.1f} {scale_y(value):.1f}" for x, value in points)
        body.append(f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="{3.5 if is_ours else 1.8}"/>')
        body += [f'<circle cx="{scale_x(x):.1f}" cy="{scale_y(v):.1f}" r="3" fill="{colour}"/>' for x, v in points]
        end = scale_x(points[-1][0])
        body.append(f'<path d="M{end + 4:.1f} {ends[name]:.1f}L{RIGHT + 18} {y:.1f}" stroke="{colour}" opacity=".5"/>')
        weight = ' font-weight="600"' if is_ours else ""
        body.append(_text(RIGHT + 22, y + 4, f"{name}  {_format(points[-1][1])}", f'fill="{colour}"{weight}'))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}"'
        ' font-family="system-ui, sans-serif" font-size="12" fill="#1f2328">\n'
        f'<rect width="{WIDTH}" height="{HEIGHT}" rx="8" fill="#fff"/>\n' + "\n".join(body) + "\n</svg>\n"
    )


def spread_labels(heights: Mapping[str, float]) -> dict[str, float]:
    """Heights of labels near those wanted, LABEL_HEIGHT apart and above BOTTOM; from top to bottom."""
    ordered = sorted(heights, key=lambda name: heights[name])
    placed: list[float] = []
    for name in ordered:
        placed.append(max(heights[name], placed[-1] + LABEL_HEIGHT if placed else 0.0))
    excess = max(0.0, placed[-1] - BOTTOM) if placed else 0.0
    for n in reversed(range(len(placed))):
        limit = placed[n + 1] - LABEL_HEIGHT if n + 1 < len(placed) else placed[n] - excess
        placed[n] = min(placed[n], limit)
    return dict(zip(ordered, placed, strict=True))


def _format(value: float) -> str:
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def _text(x: float, y: float, text: str, attributes: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" {attributes}>{escape(text)}</text>'
